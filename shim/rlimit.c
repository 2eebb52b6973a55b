/* SPDX-License-Identifier: GPL-2.0-only */
/* Resource limits, getrlimit(2). They are in boot, which the runner keeps over execve(2). */
#include "shim.h"

struct rlimit {
	u64 soft, hard;
};
_Static_assert(sizeof(struct rlimit) == sizeof(boot->limit[0]), "struct abi_limit");

/* What they are at first; the runner has set those of files and of processes, and the stack's is the loader's. */
#define NONE { RLIM_INFINITY, RLIM_INFINITY }
static const struct rlimit defaults[ABI_LIMITS] = {
	NONE,					/* CPU */
	NONE,					/* FSIZE */
	NONE,					/* DATA */
	NONE,					/* STACK */
	{ 0, RLIM_INFINITY },			/* CORE: none is ever written */
	NONE,					/* RSS */
	NONE,					/* NPROC */
	NONE,					/* NOFILE */
	{ 8 << 20, 8 << 20 },			/* MEMLOCK */
	NONE,					/* AS */
	NONE,					/* LOCKS */
	{ 1024, 1024 },				/* SIGPENDING */
	{ 819200, 819200 },			/* MSGQUEUE, which sys_mq.c counts */
	{ 0, 0 },				/* NICE */
	{ 0, 0 },				/* RTPRIO */
	NONE,					/* RTTIME */
};

void rlimits_init(void)
{
	for (u32 i = 0; !boot->limits_kept && i < ABI_LIMITS; i++)
		if (i != RLIMIT_NOFILE && i != RLIMIT_NPROC && i != RLIMIT_FSIZE)
			memcpy(&boot->limit[i], &defaults[i], sizeof(defaults[i]));
	if (!boot->limits_kept)
		boot->limit[RLIMIT_STACK].soft = boot->stack_limit;
}

/* Those that the host keeps: what a descriptor or a process may be given, or has used. */
static bool hosts(u64 which)
{
	return which == RLIMIT_NOFILE || which == RLIMIT_FSIZE || which == RLIMIT_CPU;
}

static long set(u64 which, const struct rlimit *new)
{
	struct rlimit old;

	memcpy(&old, &boot->limit[which], sizeof(old));
	if (new->soft > new->hard)
		return -EINVAL;
	if (new->hard > old.hard)
		return -EPERM;
	memcpy(&boot->limit[which], new, sizeof(*new));
	if (hosts(which) && ask_runner(ABI_OP_LIMIT, which, 0) < 0) {
		memcpy(&boot->limit[which], &old, sizeof(old));
		return -EPERM;
	}
	return 0;
}

static long limit(u64 which, const struct rlimit *new, struct rlimit *old)
{
	if (which >= ABI_LIMITS)
		return -EINVAL;
	memcpy(old, &boot->limit[which], sizeof(*old));
	return new ? set(which, new) : 0;
}

/* Another process's. Process 1 is root's. */
static long limit_of(u32 tid, u64 which, const struct rlimit *new, struct rlimit *old)
{
	struct abi_task task = { .tid = tid };
	long err;

	if (tid == INIT)
		return -EPERM;
	if (!boot->forked)
		return -ESRCH;
	if (new)
		memcpy(&task.limit, new, sizeof(*new));
	err = ask_task(ABI_TASK_LIMIT, which | (new ? ABI_TASK_SET : 0), &task);
	memcpy(old, &task.limit, sizeof(*old));
	return err;
}

long sys_prlimit64(const u64 a[6])
{
	struct rlimit new, old;
	const struct rlimit *wanted = a[2] ? &new : NULL;
	u64 which = (u32)a[1];
	long err;

	if (wanted && get_user(new, a[2]))
		return -EFAULT;
	err = thread_or_self(a[0]) ? limit(which, wanted, &old) : limit_of(a[0], which, wanted, &old);
	return err ? err : a[3] && put_user(old, a[3]) ? -EFAULT : 0;
}

long sys_getrlimit(const u64 a[6])
{
	const u64 b[6] = { 0, a[0], 0, a[1] };

	return a[1] ? sys_prlimit64(b) : -EFAULT;
}

long sys_setrlimit(const u64 a[6])
{
	const u64 b[6] = { 0, a[0], a[1], 0 };

	return a[1] ? sys_prlimit64(b) : -EFAULT;
}
