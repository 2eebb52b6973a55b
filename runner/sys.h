/* SPDX-License-Identifier: GPL-2.0-only */
/* What the handlers of forwarded calls share: one handler per row of calls.def, in sys_*.c. */
#ifndef KVMRUN_SYS_H
#define KVMRUN_SYS_H

#include <stdbool.h>
#include <time.h>

#include "call.h"
#include "fdtable.h"

#define CALL(nr, name, ...) call_fn host_##name;
#define NONE(...)
#include "../shim/calls.def"
#undef CALL
#undef NONE

/* A PASS row: the host's call on the same arguments. */
call_fn pass;

/* The same for what synth.h has, and a write to it. */
call_fn synthetic_call;
call_fn synthetic_write;

/*
 * Before a read of what is synthetic, at an offset or -1, where it is: from the beginning, and not the
 * first time, that is to tell how things are now. 0, -errno or SYNTH_MAPPINGS.
 */
int synthetic_renew(struct file *file, long at);

/* Copies an out-buffer's result to the guest: at most the buffer's bytes. */
void scatter(struct call *c, int i, const void *from, uint64_t n);

/*
 * A buffer argument in one piece: the guest's own memory when it is one already,
 * else a room of this call's, filled for an in-buffer, else zeroed. *n is its length, cut at
 * FLAT_MAX when the room is used. For an out-buffer scatter() afterwards, which
 * does nothing when the piece is the guest's own.
 */
void *flat(struct call *c, int i, uint64_t *n);

/*
 * The raw call: its result or -errno. For calls that do not wait for anything;
 * interruptible_syscall() is for those that do, and for them alone, since it
 * gives -EINTR where Linux may.
 */
long plain_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5);

/* fd[i]'s host descriptor. */
static inline int host_fd(const struct call *c, int i)
{
	return c->fd[i]->host;
}

/* Gives a new host descriptor of a call to the guest: its number, or -errno. */
long give(int host, mode_t type, bool cloexec);

/* The table of the program's timers; a new process has none. */
void timers_init(void);
void timers_forked(void);
void timers_end(void);	/* for another program: deletes them */

/* CLOCK_MONOTONIC, ns. */
uint64_t now_ns(void);

/* Whether it is one that sleeps take, and when a sleep as long ends, by now_ns(). */
bool time_valid(const struct timespec *ts);
uint64_t deadline_after(const struct timespec *ts);

#endif
