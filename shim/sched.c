/* SPDX-License-Identifier: GPL-2.0-only */
/* How the program would have its threads scheduled, sched(7): kept, and told. What comes of it is the host's to say. */
#include "shim.h"

#define OTHER 0
#define FIFO 1
#define RR 2
#define BATCH 3
#define IDLE 5
#define DEADLINE 6
#define SAME (~0u)		/* sched_setparam(2) names no policy */
#define RESET_ON_FORK 0x40000000u	/* among the bits of a policy */

/* struct sched_attr, as long as Linux 6.1 knows it; its first version lacks the last two */
struct attr {
	u32 size, policy;
	u64 flags;
	int nice;
	u32 priority;
	u64 runtime, deadline, period;
	u32 util_min, util_max;
};
#define ATTR_FIRST offsetof(struct attr, util_min)
#define FLAG_RESET_ON_FORK 1
#define FLAG_KEEP_POLICY 8
#define FLAG_KEEP_PARAMS 0x10
#define FLAG_UTIL_CLAMP 0x60
#define FLAG_ALL 0x7f

struct thread *thread_or_self(u64 tid)
{
	return (u32)tid ? thread_find(tid) : current;
}

/* ------------------------------------------------------------- whose it is */

/* The thread that a call is about. */
struct target {
	struct thread *own;	/* of this process, or NULL */
	bool roots;		/* process 1, which can only be looked at */
	struct abi_task is;
};

long ask_task(enum abi_task_op op, u64 arg, struct abi_task *task)
{
	void *data = this_cpu()->frame->data;
	long ret;

	memcpy(data, task, sizeof(*task));
	ret = ask_runner(ABI_OP_TASK, op, arg);
	memcpy(task, data, sizeof(*task));
	return ret;
}

static void look_at_own(struct thread *t, struct target *to)
{
	*to = (struct target){ .own = t, .is.sched = t->cpu->frame->sched, .is.nice_limit = boot->limit[RLIMIT_NICE].soft };
}

/* 0, or -errno: -ESRCH, -EPERM. */
static long look(u64 tid, struct target *to)
{
	struct thread *t = thread_or_self(tid);

	if (t)
		return look_at_own(t, to), 0;
	*to = (struct target){ .roots = (u32)tid == INIT, .is.tid = tid };
	return to->roots ? 0 : boot->forked ? ask_task(ABI_TASK_GET, 0, &to->is) : -ESRCH;
}

/* What has been changed in to->is, by ABI_TASK_SCHED or ABI_TASK_CPUS, is so. */
static long change(struct target *to, enum abi_task_op what)
{
	struct abi_sched *sched;

	if (!to->own)
		return ask_task(what, 0, &to->is);
	sched = &to->own->cpu->frame->sched;
	/* another process may set the rest meanwhile */
	if (what == ABI_TASK_CPUS)
		sched->not_on = to->is.sched.not_on;
	else
		memcpy(sched, &to->is.sched, offsetof(struct abi_sched, not_on));
	return 0;
}

/* ------------------------------------------------------------- CPUs */

long sys_sched_yield(const u64 a[6])
{
	return (void)a, 0;
}

/* The CPUs that there are for the program: as many as for the runner, numbered from 0, and no more than 64. */
static u64 all_cpus(void)
{
	return boot->ncpus >= 64 ? ~0ull : (1ull << boot->ncpus) - 1;
}

long sys_sched_getaffinity(const u64 a[6])
{
	struct target to;
	long err = (u32)a[1] < sizeof(u64) || (a[1] & 7) ? -EINVAL : look(a[0], &to);
	u64 cpus;

	if (err)
		return err;
	cpus = all_cpus() & ~to.is.sched.not_on;
	return put_user(cpus, a[2]) ? -EFAULT : (long)sizeof(cpus);
}

/* Kept, and told; where threads run is the host's to say. */
long sys_sched_setaffinity(const u64 a[6])
{
	struct target to;
	u64 cpus = 0;
	long err = copy_in(&cpus, a[2], MIN((u32)a[1], sizeof(cpus))) ? -EFAULT : look(a[0], &to);

	if (err)
		return err;
	if (to.roots)
		return -EPERM;
	if (!(cpus & all_cpus()))
		return -EINVAL;
	to.is.sched.not_on = ~cpus;
	return change(&to, ABI_TASK_CPUS);
}

long sys_getcpu(const u64 a[6])
{
	u64 cpus = all_cpus() & ~this_cpu()->frame->sched.not_on;
	u32 zero = 0, cpu = this_cpu()->index % MIN(boot->ncpus, 64);

	/* the vCPUs take turns, as far as the thread may use the CPU */
	if (!(cpus >> cpu & 1))
		cpu = __builtin_ctzll(cpus);

	if ((a[0] && put_user(cpu, a[0])) || (a[1] && put_user(zero, a[1])))
		return -EFAULT;
	return 0;
}

/* ------------------------------------------------------------- policies */

/* How these calls look for a thread. */
static long find(u64 pid, struct target *to)
{
	return (int)pid < 0 ? -EINVAL : look(pid, to);
}

static bool real_time(u32 policy)
{
	return policy == FIFO || policy == RR;
}

static bool fair(u32 policy)
{
	return policy == OTHER || policy == BATCH;
}

/* Whether its process's RLIMIT_NICE lets it have that. */
static bool nice_allowed(const struct target *to, int nice)
{
	return (u64)(20 - nice) <= to->is.nice_limit;
}

/* Whether it can be a deadline, by sysctl's defaults of the shortest and the longest period. */
static bool deadline_valid(const struct attr *a)
{
	u64 period = a->period ? a->period : a->deadline;

	return a->deadline && a->runtime >= 1024 && !((a->deadline | a->period) >> 63) && period >= a->deadline &&
		a->deadline >= a->runtime && period >= 100000 && period <= (1ull << 22) * 1000;
}

/* Sets what an ordinary process may have set, in the order in which Linux looks at it. */
static long set(struct target *to, const struct attr *a)
{
	struct abi_sched *s = &to->is.sched;
	bool reset = a->policy == SAME ? s->reset_on_fork : a->flags & FLAG_RESET_ON_FORK;
	u32 policy = a->policy == SAME ? s->policy : a->policy;

	if (policy > DEADLINE || policy == 4 || (a->flags & ~FLAG_ALL) || a->priority > 99 ||
	    (policy == DEADLINE && !deadline_valid(a)) || real_time(policy) != (a->priority != 0))
		return -EINVAL;
	if (to->roots || real_time(policy) || policy == DEADLINE ||
	    (fair(policy) && a->nice < s->nice && !nice_allowed(to, a->nice)) ||
	    (s->policy == IDLE && policy != IDLE && !nice_allowed(to, s->nice)) || (s->reset_on_fork && !reset))
		return -EPERM;
	if (a->flags & FLAG_UTIL_CLAMP)
		return -EOPNOTSUPP;
	/* that the values are to be kept keeps the policy, too */
	if (!(a->flags & FLAG_KEEP_PARAMS))
		s->policy = policy;
	if (fair(s->policy))
		s->nice = a->nice;
	s->reset_on_fork = reset;
	return change(to, ABI_TASK_SCHED);
}

static long set_param(u64 pid, u32 policy, gva_t param)
{
	struct attr a = { .policy = policy };
	struct target to;
	long err;

	if (!param || (int)pid < 0)
		return -EINVAL;
	if (get_user(a.priority, param))
		return -EFAULT;
	err = find(pid, &to);
	if (err)
		return err;
	if (policy != SAME && (policy & RESET_ON_FORK)) {
		a.policy &= ~RESET_ON_FORK;
		a.flags = FLAG_RESET_ON_FORK;
	}
	a.nice = to.is.sched.nice;
	return set(&to, &a);
}

long sys_sched_setscheduler(const u64 a[6])
{
	return (int)a[1] < 0 ? -EINVAL : set_param(a[0], a[1], a[2]);
}

long sys_sched_setparam(const u64 a[6])
{
	return set_param(a[0], SAME, a[1]);
}

long sys_sched_getscheduler(const u64 a[6])
{
	struct target to;
	long err = find(a[0], &to);

	return err ? err : (long)(to.is.sched.policy | (to.is.sched.reset_on_fork ? RESET_ON_FORK : 0));
}

long sys_sched_getparam(const u64 a[6])
{
	struct target to;
	long err = a[1] ? find(a[0], &to) : -EINVAL;
	int priority = 0;

	return err ? err : put_user(priority, a[1]);
}

long sys_sched_get_priority_max(const u64 a[6])
{
	return real_time(a[0]) ? 99 : fair(a[0]) || a[0] == IDLE || a[0] == DEADLINE ? 0 : -EINVAL;
}

long sys_sched_get_priority_min(const u64 a[6])
{
	return real_time(a[0]) ? 1 : sys_sched_get_priority_max(a);
}

long sys_sched_rr_get_interval(const u64 a[6])
{
	u64 interval[2] = { 0, 4000000 };
	struct target to;
	long err = find(a[0], &to);

	return err ? err : put_user(interval, a[1]);
}

long sys_sched_getattr(const u64 a[6])
{
	struct attr attr = { 0 };
	struct target to;
	long err;

	if (!a[1] || (int)a[0] < 0 || (u32)a[2] < ATTR_FIRST || (u32)a[2] > PAGE_SIZE || (u32)a[3])
		return -EINVAL;
	err = find(a[0], &to);
	if (err)
		return err;
	attr.size = MIN((u32)a[2], sizeof(attr));
	attr.policy = to.is.sched.policy;
	attr.flags = to.is.sched.reset_on_fork ? FLAG_RESET_ON_FORK : 0;
	attr.nice = to.is.sched.nice;
	return copy_out(a[1], &attr, attr.size) ? -EFAULT : 0;
}

/* A struct sched_attr of any version; what ours does not know must be zero. */
static long attr_in(struct attr *attr, gva_t from)
{
	u32 size, known = sizeof(*attr);
	int err;

	*attr = (struct attr){ 0 };
	if (get_user(size, from))
		return -EFAULT;
	size = size ? size : ATTR_FIRST;
	if (size < ATTR_FIRST || size > PAGE_SIZE)
		goto other_size;
	if (copy_in(attr, from, MIN(size, known)))
		return -EFAULT;
	err = size > known ? user_zeroes(from + known, size - known) : 0;
	if (err == -E2BIG)
		goto other_size;
	if (err)
		return err;
	if ((attr->flags & FLAG_UTIL_CLAMP) && size < known)
		return -EINVAL;
	attr->nice = MAX(-20, MIN(19, attr->nice));
	return 0;

other_size:
	return put_user(known, from) ? -EFAULT : -E2BIG;
}

long sys_sched_setattr(const u64 a[6])
{
	struct target to;
	struct attr attr;
	long err = a[1] && (int)a[0] >= 0 && !(u32)a[2] ? attr_in(&attr, a[1]) : -EINVAL;

	if (err)
		return err;
	if ((int)attr.policy < 0)
		return -EINVAL;
	if (attr.flags & FLAG_KEEP_POLICY)
		attr.policy = SAME;
	err = find(a[0], &to);
	if (err)
		return err;
	if (attr.flags & FLAG_KEEP_PARAMS)
		attr.nice = to.is.sched.nice;
	return set(&to, &attr);
}

/* ------------------------------------------------------------- those that are named together */

/* What is done to a thread, or told of it: a number, or -errno. */
typedef long task_fn(struct target *to, int value);

/* What is told of several: an error, else the highest; -ESRCH: none. */
static long both(long was, long now)
{
	return now == -ESRCH || (was < 0 && was != -ESRCH) ? was : now < 0 || now > was ? now : was;
}

static long each_own(task_fn *f, int value)
{
	long ret = -ESRCH;
	struct target to;
	struct thread *t;

	for (u32 i = 0; (t = thread_at(i)); i++)
		if (t->alive) {
			look_at_own(t, &to);
			ret = both(ret, f(&to, value));
		}
	return ret;
}

static long each_of(u32 pid, task_fn *f, int value)
{
	struct target to = { .is.pid = pid };
	long ret = -ESRCH, err;

	while (!(err = ask_task(ABI_TASK_NEXT, 0, &to.is))) {
		ret = both(ret, f(&to, value));
		to.is.pid = pid;
		to.is.tid++;
	}
	return both(ret, err);
}

/*
 * Calls f for each thread that getpriority(2), ioprio_get(2) and those that set it name so: one, or of a group or a user,
 * which are the program's own, all. -ESRCH: none.
 */
static long each(u64 which, u32 who, task_fn *f, int value)
{
	struct abi_task member = { 0 };
	long ret = -ESRCH, err;
	struct target to;

	if (which == PRIO_PROCESS || (which == PRIO_PGRP && who == INIT)) {
		err = look(who, &to);
		return err ? err : f(&to, value);
	}
	if (which == PRIO_USER && who && who != boot->uid)
		return -ESRCH;
	for (; member.tid = who, !ask_task(ABI_TASK_PROCESS, which == PRIO_PGRP, &member); member.pid++)
		ret = both(ret, member.pid == boot->pid ? each_own(f, value) : each_of(member.pid, f, value));
	return ret;
}

/* ------------------------------------------------------------- nice values */

/* As getpriority(2) has it: the more the sooner it runs. */
static long nice_told(struct target *to, int nice)
{
	return (void)nice, 20 - to->is.sched.nice;
}

static long nice_set(struct target *to, int nice)
{
	if (to->roots)
		return -EPERM;
	if (nice < to->is.sched.nice && !nice_allowed(to, nice))
		return -EACCES;
	to->is.sched.nice = nice;
	return change(to, ABI_TASK_SCHED);
}

long sys_getpriority(const u64 a[6])
{
	return (u32)a[0] > PRIO_USER ? -EINVAL : each((u32)a[0], a[1], nice_told, 0);
}

long sys_setpriority(const u64 a[6])
{
	return (u32)a[0] > PRIO_USER ? -EINVAL : each((u32)a[0], a[1], nice_set, MAX(-20, MIN(19, (int)a[2])));
}

/* ------------------------------------------------------------- I/O priorities */

#define CLASS_SHIFT	13
#define LEVEL		7u
enum { CLASS_NONE, CLASS_RT, CLASS_BE, CLASS_IDLE };

#define IOPRIO_MAX	0xffff

/*
 * Of several the best, which is the lowest, where each() takes the highest. Who has none is told so;
 * among several it counts as what follows of its nice value.
 */
static long ioprio_told(struct target *to, int several)
{
	const struct abi_sched *s = &to->is.sched;
	u32 ioprio = s->ioprio;

	if (several && ioprio >> CLASS_SHIFT == CLASS_NONE)
		ioprio = (s->policy == IDLE ? CLASS_IDLE : CLASS_BE) << CLASS_SHIFT | (u32)(s->nice + 20) / 5;
	return IOPRIO_MAX - ioprio;
}

static long ioprio_change(struct target *to, int ioprio)
{
	if (to->roots)
		return -EPERM;
	to->is.sched.ioprio = ioprio;
	return change(to, ABI_TASK_SCHED);
}

/* IOPRIO_WHO_PROCESS is 1, and so on. */
static long each_for_io(u64 which, u32 who, task_fn *f, int value)
{
	return (u32)which - 1 > PRIO_USER ? -EINVAL : each((u32)which - 1, who, f, value);
}

long sys_ioprio_get(const u64 a[6])
{
	long ret = each_for_io(a[0], a[1], ioprio_told, (u32)a[0] != 1 + PRIO_PROCESS);

	return ret < 0 ? ret : IOPRIO_MAX - ret;
}

/* What an ordinary process may have set, in the order in which Linux looks at it. */
long sys_ioprio_set(const u64 a[6])
{
	u32 ioprio = a[2] & IOPRIO_MAX, class = ioprio >> CLASS_SHIFT;

	if (class == CLASS_RT)
		return -EPERM;
	if (class > CLASS_IDLE || (class == CLASS_NONE && ioprio & LEVEL))
		return -EINVAL;
	return each_for_io(a[0], a[1], ioprio_change, ioprio);
}
