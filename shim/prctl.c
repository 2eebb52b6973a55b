/* SPDX-License-Identifier: GPL-2.0-only */
/* uname(2), personality(2) and prctl(2): what a process says of itself, most of which nobody acts on here. */
#include "shim.h"

/* What execve(2) keeps of it is in boot->kept; fork(2) copies all. */
static struct {
	u32 keep_caps, not_dumpable, mce_policy;
} now = { .mce_policy = 2 };

/* ------------------------------------------------------------------------- uname and personality */

#define PER_MASK	0xffu
#define PER_LINUX32	0x08u
#define UNAME26		0x20000u

long sys_uname(const u64 a[6])
{
	struct {
		char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
	} names = { "Linux", "kvmrun", "6.12.0", "#1 kvmrun", "x86_64", "(none)" };

	/* as setarch(8) asks for it */
	if (boot->kept.personality & UNAME26)
		memcpy(names.release, "2.6.72", 7);
	if ((boot->kept.personality & PER_MASK) == PER_LINUX32)
		memcpy(names.machine, "i686", 5);
	return put_user(names, a[0]);
}

long sys_personality(const u64 a[6])
{
	u32 old = boot->kept.personality;

	if ((u32)a[0] != UINT32_MAX)
		boot->kept.personality = a[0];
	return old;
}

/* ------------------------------------------------------------------------- prctl */

/* linux/prctl.h */
enum option {
	PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG = 2,
	PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE = 4,
	PR_GET_KEEPCAPS = 7, PR_SET_KEEPCAPS = 8,
	PR_GET_TIMING = 13, PR_SET_TIMING = 14,
	PR_SET_NAME = 15, PR_GET_NAME = 16,
	PR_GET_SECCOMP = 21,
	PR_CAPBSET_READ = 23, PR_CAPBSET_DROP = 24,
	PR_GET_TSC = 25, PR_SET_TSC = 26,
	PR_GET_SECUREBITS = 27, PR_SET_SECUREBITS = 28,
	PR_SET_TIMERSLACK = 29, PR_GET_TIMERSLACK = 30,
	PR_TASK_PERF_EVENTS_DISABLE = 31, PR_TASK_PERF_EVENTS_ENABLE = 32,
	PR_MCE_KILL = 33, PR_MCE_KILL_GET = 34,
	PR_SET_MM = 35,
	PR_SET_CHILD_SUBREAPER = 36, PR_GET_CHILD_SUBREAPER = 37,
	PR_SET_NO_NEW_PRIVS = 38, PR_GET_NO_NEW_PRIVS = 39,
	PR_GET_TID_ADDRESS = 40,
	PR_SET_THP_DISABLE = 41, PR_GET_THP_DISABLE = 42,
	PR_CAP_AMBIENT = 47,
	PR_GET_SPECULATION_CTRL = 52, PR_SET_SPECULATION_CTRL = 53,
	PR_SET_IO_FLUSHER = 57, PR_GET_IO_FLUSHER = 58,
	PR_SET_PTRACER = 0x59616d61,
};

#define CAP_LAST	40	/* CAP_CHECKPOINT_RESTORE */
#define TSC_ENABLE	1	/* PR_TSC_ENABLE */
#define SLACK		50000	/* ns */
#define SPECULATIONS	2	/* kinds: up to PR_SPEC_L1D_FLUSH */

static long name_set(gva_t from)
{
	char name[16] = { 0 };
	long n = string_in(name, from, 15);

	if (n < 0 && n != -ENAMETOOLONG)
		return n;
	memcpy(this_cpu()->frame->comm, name, sizeof(name));
	if (boot->forked)
		ask_runner(ABI_OP_NAMED, 0, 0);
	return 0;
}

/* There are no capabilities, so none is raised. */
static long cap_ambient(u64 what, u64 cap, u64 rest)
{
	enum { IS_SET = 1, RAISE, LOWER, CLEAR_ALL };

	if (what == CLEAR_ALL)
		return cap || rest ? -EINVAL : 0;
	if (cap > CAP_LAST || rest)
		return -EINVAL;
	return what == IS_SET || what == LOWER ? 0 : what == RAISE ? -EPERM : -EINVAL;
}

/* Which of its processes is told of a memory error first. */
static long mce_kill(u64 set, u64 policy, u64 rest)
{
	if (rest || set > 1 || (set ? policy > 2 : policy))
		return -EINVAL;
	now.mce_policy = set ? policy : 2;
	return 0;
}

/* What is between processes, the runner knows. */
static long process_get(u64 option, gva_t to)
{
	u32 got = ask_runner(ABI_OP_PROCESS, option, 0);

	return put_user(got, to);
}

long sys_prctl(const u64 a[6])
{
	/* of the arguments that an option does not have, where Linux looks at them */
	bool from_2 = a[1] || a[2] || a[3] || a[4], from_3 = a[2] || a[3] || a[4];
	u32 tsc = TSC_ENABLE;

	switch ((u32)a[0]) {
	case PR_SET_PDEATHSIG:
	case PR_SET_CHILD_SUBREAPER:
	case PR_SET_PTRACER:
		return ask_runner(ABI_OP_PROCESS, (u32)a[0], a[1]);
	case PR_GET_PDEATHSIG:
	case PR_GET_CHILD_SUBREAPER:
		return process_get((u32)a[0], a[1]);
	case PR_GET_DUMPABLE:
		return !now.not_dumpable;
	case PR_SET_DUMPABLE:
		if (a[1] > 1)
			return -EINVAL;
		now.not_dumpable = !a[1];
		return 0;
	case PR_GET_KEEPCAPS:
		return now.keep_caps;
	case PR_SET_KEEPCAPS:
		if (a[1] > 1)
			return -EINVAL;
		now.keep_caps = a[1];
		return 0;
	case PR_GET_TIMING:
	case PR_GET_SECCOMP:
	case PR_GET_SECUREBITS:
	case PR_TASK_PERF_EVENTS_DISABLE:
	case PR_TASK_PERF_EVENTS_ENABLE:
		return 0;
	case PR_SET_TIMING:
		return a[1] ? -EINVAL : 0;
	case PR_SET_NAME:
		return name_set(a[1]);
	case PR_GET_NAME:
		return copy_out(a[1], this_cpu()->frame->comm, 16);
	case PR_CAPBSET_READ:
		return a[1] > CAP_LAST ? -EINVAL : 0;
	case PR_CAPBSET_DROP:
	case PR_SET_SECUREBITS:
	case PR_SET_MM:
	case PR_SET_IO_FLUSHER:
	case PR_GET_IO_FLUSHER:
		return -EPERM;
	case PR_GET_TSC:
		return put_user(tsc, a[1]);
	case PR_SET_TSC:
		return a[1] == TSC_ENABLE ? 0 : -EINVAL;
	case PR_SET_TIMERSLACK:
		boot->kept.timer_slack = a[1];
		return 0;
	case PR_GET_TIMERSLACK:
		return boot->kept.timer_slack ? (long)boot->kept.timer_slack : SLACK;
	case PR_MCE_KILL:
		return mce_kill(a[1], a[2], a[3] | a[4]);
	case PR_MCE_KILL_GET:
		return from_2 ? -EINVAL : (long)now.mce_policy;
	case PR_SET_NO_NEW_PRIVS:
		return a[1] != 1 || from_3 ? -EINVAL : 0;
	case PR_GET_NO_NEW_PRIVS:
		return from_2 ? -EINVAL : 1;
	case PR_GET_TID_ADDRESS:
		return put_user(current->clear_tid, a[1]);
	case PR_SET_THP_DISABLE:
		if (from_3)
			return -EINVAL;
		boot->kept.no_thp = !!a[1];
		return 0;
	case PR_GET_THP_DISABLE:
		return from_2 ? -EINVAL : (long)boot->kept.no_thp;
	case PR_CAP_AMBIENT:
		return cap_ambient(a[1], a[2], a[3] | a[4]);
	case PR_GET_SPECULATION_CTRL:
		/* PR_SPEC_NOT_AFFECTED: nobody who has secrets shares its memory */
		return from_3 ? -EINVAL : a[1] > SPECULATIONS ? -ENODEV : 0;
	case PR_SET_SPECULATION_CTRL:
		return a[3] || a[4] ? -EINVAL : a[1] > SPECULATIONS ? -ENODEV : -ENXIO;
	default:
		return -EINVAL;
	}
}
