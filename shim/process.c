/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Other processes. The runner makes them, each with a VM of its own whose memory is
 * a copy of this one's at the time; what is running then is the maker's thread alone.
 */
#include "shim.h"

#define CLONE_VM		0x00000100u
#define CLONE_VFORK		0x00004000u
#define CLONE_PIDFD		0x00001000u
#define CLONE_PARENT		0x00008000u
#define CLONE_PARENT_SETTID	0x00100000u
#define CLONE_CHILD_SETTID	0x01000000u
#define CLONE_CLEAR_SIGHAND	0x100000000ull

/* What the child begins with, in its copy of the memory. */
static struct thread child;
static gva_t child_tid;
static bool vforks, no_handlers;

static long vfork_wait(long pid, gva_t sp)
{
	while (ask_runner(ABI_OP_VFORK, pid, 0) == -EINTR)
		cpu_flush();
	vfork_take(pid, sp);
	return pid;
}

long process_fork(const struct clone_args *c)
{
	bool pidfd = c->flags & CLONE_PIDFD;
	u64 frozen, shared;
	long pid;

	if (pidfd && !user_writable(c->pidfd, 4))
		return -EFAULT;
	/* nothing that these guard is half done in the copy; memory (phys.c) is taken under one of them */
	lock(&threads_lock);
	lock(&mm_lock);
	pid = mm_forking(&frozen, &shared);
	if (pid) {
		mm_unlock();
		unlock(&threads_lock);
		return pid;
	}
	lock(&signal_lock);
	child = thread0;
	thread_inherit(&child, c);
	child.alt = current->alt;
	child_tid = c->flags & CLONE_CHILD_SETTID ? c->child_tid : 0;
	vforks = c->flags & CLONE_VM;
	no_handlers = c->flags & CLONE_CLEAR_SIGHAND;
	pid = ask_runner(ABI_OP_FORK, threads_last_id() | frozen << 32,
			 c->exit_signal | (vforks ? ABI_FORK_SHARES : 0) |
			 (c->flags & CLONE_PARENT ? ABI_FORK_PARENT : 0) | (pidfd ? ABI_FORK_PIDFD : 0) | shared << 32);
	mm_forked(pid > 0);
	unlock(&signal_lock);
	mm_unlock();
	unlock(&threads_lock);
	if (pid < 0)
		return pid;
	if (pidfd) {
		u32 fd = pid >> 32;

		put_user(fd, c->pidfd);
		pid = (u32)pid;
	}
	if (c->flags & CLONE_PARENT_SETTID) {
		u32 tid = pid;

		put_user(tid, c->parent_tid);
	}
	return c->flags & CLONE_VFORK ? vfork_wait(pid, ((struct regs *)this_cpu() - 1)->rsp) : pid;
}

void process_begin(void)
{
	/* vCPU 0 starts as a thread in a new process alone; others may in their process meanwhile */
	if (this_cpu()->index)
		return;
	mm_lock = (lock_t){ 0 };
	threads_forked(&child);
	signal_forked();
	futex_forked();
	mlock_forked();
	if (no_handlers)
		signal_defaults();
	if (vforks)
		vfork_begin();
	if (child_tid)
		put_user(thread0.tid, child_tid);
}

long sys_pidfd_open(const u64 a[6])
{
	/* another thread has no descriptor of its own */
	if (thread_find(a[0]) && (u32)a[0] != boot->pid)
		return -EINVAL;
	return forward(NR_pidfd_open, a);
}

long sys_fork(const u64 a[6])
{
	const struct clone_args c = { .exit_signal = SIGCHLD };

	return (void)a, process_fork(&c);
}

long sys_vfork(const u64 a[6])
{
	const struct clone_args c = { .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD };

	return (void)a, process_fork(&c);
}
