/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --mem, which is for all processes together. Each shim counts what its process has for itself,
 * and asks for its share here.
 *
 * A copy by fork(2) shares all pages with what it is a copy of; each one there is counts once, for the family of those
 * that are copies of one another, until one of them writes to it: then that one has a page of its own more. Who has
 * which of them nobody knows here. Each page is one of some member's, so there are no more than they have in all: what
 * a member writes, unmaps, or leaves by execve(2) or its end, lowers that, and with few members left it is exact.
 */
#include <errno.h>

#include "process.h"
#include "process_table.h"
#include "vm.h"

static uint64_t limit(void)
{
	return proc_vm->mem_limit / ABI_PAGE;
}

static struct family *family_of(const struct process *p)
{
	/* the table may be another process's work that was taken over */
	return &procs->process[p->family < proc_max ? p->family : 0].first;
}

/* p has so many pages alone, and of its family's. */
static void set(struct process *p, uint64_t memory, uint64_t shared)
{
	struct family *f = family_of(p);

	procs->memory += memory - p->memory;
	f->shared += shared - p->shared;
	p->memory = memory;
	p->shared = shared;
	if (f->frozen > f->shared) {
		procs->memory -= f->frozen - f->shared;
		f->frozen = f->shared;
	}
}

static void join(struct process *p, uint32_t family)
{
	p->family = family;
	p->memory = p->shared = 0;
	family_of(p)->members++;
}

/* A family of its own. There are as many as there can be processes. */
static void found(struct process *p)
{
	uint32_t i = 0;

	while (i < proc_max - 1 && procs->process[i].first.members)
		i++;
	join(p, i);
}

static void leave(struct process *p)
{
	set(p, 0, 0);
	family_of(p)->members--;
}

/* What p may have at most. */
static uint64_t room(const struct process *p)
{
	uint64_t others = procs->memory - p->memory;

	return others < limit() ? limit() - others : 0;
}

void proc_memory_first(uint64_t pages)
{
	proc_lock();
	found(proc_self);
	set(proc_self, pages < limit() ? pages : limit(), 0);
	proc_unlock();
}

void proc_memory_freeze(struct forked_memory memory)
{
	struct family *f = family_of(proc_self);

	if (memory.frozen > limit())
		memory.frozen = limit();
	f->frozen += memory.frozen;
	procs->memory += memory.frozen;
	set(proc_self, 0, memory.shared);
}

int proc_memory_share(struct process *p)
{
	if (2 * ABI_FORK_PAGES > room(proc_self))
		return -ENOMEM;
	join(p, proc_self->family);
	set(proc_self, ABI_FORK_PAGES, proc_self->shared);
	set(p, ABI_FORK_PAGES, proc_self->shared);
	return 0;
}

void proc_memory_end(struct process *p)
{
	leave(p);
}

void proc_memory_sum(void)
{
	for (uint32_t i = 0; i < proc_used(); i++)
		procs->process[i].first.members = procs->process[i].first.shared = 0;
	procs->memory = 0;
	for (uint32_t i = 0; i < proc_used(); i++) {
		struct process *p = &procs->process[i];

		if (!proc_alive(p))
			continue;
		procs->memory += p->memory;
		family_of(p)->members++;
		family_of(p)->shared += p->shared;
	}
	for (uint32_t i = 0; i < proc_used(); i++) {
		struct family *f = &procs->process[i].first;

		if (f->frozen > f->shared)
			f->frozen = f->shared;
		procs->memory += f->frozen;
	}
}

int64_t process_commit(uint64_t need, uint64_t want, uint64_t shared)
{
	int64_t ret = -ENOMEM;
	uint64_t most;

	if (!procs || need > want || want > limit() || shared > UINT32_MAX)
		return -ENOMEM;
	proc_lock();
	set(proc_self, proc_self->memory, shared);
	most = room(proc_self);
	if (need <= most) {
		ret = want < most ? want : most;
		set(proc_self, ret, shared);
		if (family_of(proc_self)->members == 1)
			ret |= ABI_COMMIT_ALONE;
	}
	proc_unlock();
	return ret;
}

bool process_memory_fits(uint64_t bytes)
{
	bool fits;

	if (!procs)
		return true;
	proc_lock();
	fits = bytes / ABI_PAGE <= room(proc_self);
	proc_unlock();
	return fits;
}

void process_memory_set(uint64_t pages)
{
	if (!procs)
		return;
	proc_lock();
	leave(proc_self);
	found(proc_self);
	set(proc_self, pages, 0);
	proc_unlock();
}
