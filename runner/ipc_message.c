/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of queues of both kinds: chunks of the table, linked by their numbers. */
#include <errno.h>
#include <string.h>

#include "ipc_table.h"

/* Chunk of a reference, or NULL: none, or one that cannot be. */
static struct ipc_chunk *at(uint32_t reference)
{
	return reference && reference <= CHUNKS ? &ipc->chunk[reference - 1] : NULL;
}

static uint32_t alloc(void)
{
	uint32_t r = ipc->chunk_free;
	struct ipc_chunk *c = at(r);

	if (c) {
		ipc->chunk_free = c->more;
	} else if (ipc->chunk_top < CHUNKS) {
		r = ++ipc->chunk_top;
		c = at(r);
	} else {
		return 0;
	}
	c->more = c->next = 0;
	return r;
}

static void release(uint32_t r)
{
	struct ipc_chunk *c;

	for (uint32_t n = 0; n < CHUNKS && (c = at(r)); n++) {
		uint32_t more = c->more;

		c->more = ipc->chunk_free;
		ipc->chunk_free = r;
		r = more;
	}
}

struct ipc_message ipc_head(uint32_t reference)
{
	struct ipc_message m = { 0 };
	const struct ipc_chunk *c = at(reference);

	if (c)
		memcpy(&m, c->data, sizeof(m));
	return m;
}

/* A message of its own; 0: no room. */
static uint32_t make(int64_t type, const uint8_t *data, uint32_t len)
{
	struct ipc_message m = { type, len };
	uint32_t first = alloc(), used = sizeof(m);
	struct ipc_chunk *c = at(first);

	if (!c)
		return 0;
	memcpy(c->data, &m, sizeof(m));
	for (;;) {
		uint32_t part = len < CHUNK_BYTES - used ? len : CHUNK_BYTES - used, next;

		memcpy(c->data + used, data, part);
		data += part;
		len -= part;
		if (!len)
			return first;
		next = alloc();
		if (!next) {
			release(first);
			return 0;
		}
		c->more = next;
		c = at(next);
		used = 0;
	}
}

uint32_t ipc_read(uint32_t reference, void *to, uint32_t n)
{
	const struct ipc_chunk *c = at(reference);
	uint32_t left = ipc_head(reference).len, done = 0, used = sizeof(struct ipc_message);

	if (left > n)
		left = n;
	for (; c && left; c = at(c->more), used = 0) {
		uint32_t part = left < CHUNK_BYTES - used ? left : CHUNK_BYTES - used;

		memcpy((uint8_t *)to + done, c->data + used, part);
		done += part;
		left -= part;
	}
	return done;
}

long ipc_put(struct ipc_list *l, int64_t type, const void *data, uint32_t len, bool by_type)
{
	uint32_t r = make(type, data, len), before = by_type ? 0 : l->last;
	struct ipc_chunk *c = at(r), *p;

	if (!c)
		return -ENOMEM;
	if (by_type)
		for (uint32_t i = l->first, n = 0; n < CHUNKS && at(i) && ipc_head(i).type >= type; i = at(i)->next, n++)
			before = i;
	p = at(before);
	if (p) {
		c->next = p->next;
		p->next = r;
	} else {
		c->next = l->first;
		l->first = r;
	}
	if (!c->next)
		l->last = r;
	l->count++;
	l->bytes += len;
	return 0;
}

uint32_t ipc_search(const struct ipc_list *l, bool (*want)(const struct ipc_message *m, uint32_t n, void *arg), void *arg)
{
	uint32_t i = l->first;

	for (uint32_t n = 0; n < CHUNKS && at(i); i = at(i)->next, n++) {
		struct ipc_message m = ipc_head(i);

		if (want(&m, n, arg))
			return i;
	}
	return 0;
}

void ipc_take(struct ipc_list *l, uint32_t reference)
{
	struct ipc_chunk *c = at(reference);
	uint32_t before = 0, i = l->first;

	for (uint32_t n = 0; n < CHUNKS && at(i) && i != reference; i = at(i)->next, n++)
		before = i;
	if (!c || i != reference)
		return;
	l->count--;
	l->bytes -= ipc_head(reference).len;
	if (at(before))
		at(before)->next = c->next;
	else
		l->first = c->next;
	if (!c->next)
		l->last = before;
	release(reference);
}

void ipc_empty(struct ipc_list *l)
{
	struct ipc_chunk *c;

	for (uint32_t n = 0; n < CHUNKS && (c = at(l->first)); n++) {
		uint32_t r = l->first;

		l->first = c->next;
		release(r);
	}
	*l = (struct ipc_list){ 0 };
}

void ipc_recount(struct ipc_list *l)
{
	uint32_t i = l->first;

	l->count = l->bytes = l->last = 0;
	for (uint32_t n = 0; n < CHUNKS && at(i); i = at(i)->next, n++) {
		l->last = i;
		l->count++;
		l->bytes += ipc_head(i).len;
	}
}
