/* SPDX-License-Identifier: GPL-2.0-only */
/* What the handlers of forwarded calls share: one handler per row of calls.def, in sys_*.c. */
#ifndef KVMRUN_SYS_H
#define KVMRUN_SYS_H

#include "call.h"
#include "fdtable.h"

#define CALL(nr, name, ...) call_fn host_##name;
#define NONE(...)
#include "../shim/calls.def"
#undef CALL
#undef NONE

/* A PASS row: the host's call on the same arguments. */
call_fn pass;

/* The same for what a synthetic directory is asked. */
call_fn synthetic_call;

/* Bytes that the longest extended attribute or list of their names has. */
#define FLAT_MAX 65536u

/*
 * Copies an out-buffer's result to the guest: at most the buffer's bytes.
 */
void scatter(struct call *c, int i, const void *from, uint64_t n);

/*
 * A buffer argument in one piece: the guest's own memory when it is one already,
 * else room (FLAT_MAX bytes), filled for an in-buffer. *n is its length, cut at
 * FLAT_MAX when room is used. For an out-buffer scatter() afterwards, which
 * does nothing when the piece is the guest's own.
 */
void *flat(struct call *c, int i, void *room, uint64_t *n);

/* fd[i]'s host descriptor. */
static inline int host_fd(const struct call *c, int i)
{
	return c->fd[i]->host;
}

/* Gives a new host descriptor of a call to the guest: its number, or -errno. */
long give(int host, mode_t type, bool cloexec);

/* Ends a wait at a time: CLOCK_MONOTONIC now, ns. */
uint64_t now_ns(void);

#endif
