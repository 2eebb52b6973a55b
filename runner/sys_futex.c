/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * futex(2) on the host's futexes: a word of guest memory is the same word of the
 * runner's for every vCPU, and of the window's for every process that shares it.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "interrupt.h"
#include "nsec.h"
#include "sys.h"

/* A wait for some time that is made again lasts no longer: its end stays. */
static long wait_for(struct call *c, void *word, uint32_t command)
{
	const struct timespec *ts = c->ptr[3];
	uint32_t op = FUTEX_WAIT_BITSET | (c->arg[1] & FUTEX_PRIVATE_FLAG), bits = FUTEX_BITSET_MATCH_ANY;
	struct timespec end;

	if (ts && !time_valid(ts))
		return -EINVAL;
	if (command == FUTEX_WAIT_BITSET) {
		bits = c->arg[5];
		op |= c->arg[1] & FUTEX_CLOCK_REALTIME;
	} else if (ts) {
		if (!c->deadline)
			c->deadline = deadline_after(ts);
		end = timespec_of(c->deadline);
		ts = &end;
	}
	return interruptible_syscall(SYS_futex, (long)word, op, (uint32_t)c->arg[2], (long)ts, 0, bits);
}

/* The shim's list, with the host's addresses. What is wrong with the rest of it the host says. */
long host_futex_waitv(struct call *c)
{
	const struct abi_futex_waitv *from = c->ptr[0];
	struct futex_waitv to[FUTEX_WAITV_MAX];
	int n = c->iovcnt[0];

	if (!n || n > FUTEX_WAITV_MAX)
		return -EINVAL;
	for (int i = 0; i < n; i++)
		to[i] = (struct futex_waitv){
			.val = from[i].value, .uaddr = (uintptr_t)c->iov[0][i].iov_base, .flags = from[i].flags,
			.__reserved = from[i].reserved,
		};
	return interruptible_syscall(SYS_futex_waitv, (long)to, n, (uint32_t)c->arg[2], (long)c->ptr[3], (int)c->arg[4], 0);
}

long host_futex(struct call *c)
{
	uint32_t command = c->arg[1] & ABI_FUTEX_COMMAND;
	void *word = c->iov[0]->iov_base, *other = c->iov[4] ? c->iov[4]->iov_base : NULL;

	switch (command) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return wait_for(c, word, command);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_WAKE_OP:
		return plain_syscall(SYS_futex, (long)word, command | (c->arg[1] & FUTEX_PRIVATE_FLAG), c->arg[2], c->arg[3],
				     (long)other, c->arg[5]);
	default:
		return -ENOSYS;
	}
}
