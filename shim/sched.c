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

/* Process 1, which can be looked at. */
static struct thread init;

/* One that is only looked at. */
static struct thread *thread_to_see(u64 tid)
{
	return (u32)tid == INIT ? &init : thread_or_self(tid);
}

struct thread *thread_or_self(u64 tid)
{
	return (u32)tid ? thread_find(tid) : current;
}

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
	const struct thread *t = thread_to_see(a[0]);
	u64 cpus;

	if (!t)
		return -ESRCH;
	if (a[1] < sizeof(cpus) || (a[1] & 7))
		return -EINVAL;
	cpus = all_cpus() & ~t->not_on;
	return put_user(cpus, a[2]) ? -EFAULT : (long)sizeof(cpus);
}

/* Kept, and told; where threads run is the host's to say. */
long sys_sched_setaffinity(const u64 a[6])
{
	struct thread *t = thread_to_see(a[0]);
	u64 cpus = 0;

	if (!t)
		return -ESRCH;
	if (t == &init)
		return -EPERM;
	if (copy_in(&cpus, a[2], MIN(a[1], sizeof(cpus))))
		return -EFAULT;
	if (!(cpus & all_cpus()))
		return -EINVAL;
	t->not_on = ~cpus;
	return 0;
}

long sys_getcpu(const u64 a[6])
{
	u64 cpus = all_cpus() & ~current->not_on;
	u32 zero = 0, cpu = this_cpu()->index % MIN(boot->ncpus, 64);

	/* the vCPUs take turns, as far as the thread may use the CPU */
	if (!(cpus >> cpu & 1))
		cpu = __builtin_ctzll(cpus);

	if ((a[0] && put_user(cpu, a[0])) || (a[1] && put_user(zero, a[1])))
		return -EFAULT;
	return 0;
}


/* 0 for a thread of the program's, which it stores; how these calls refuse any other. */
static long find(u64 pid, struct thread **t)
{
	if ((int)pid < 0)
		return -EINVAL;
	*t = thread_to_see(pid);
	return *t ? 0 : -ESRCH;
}

static bool real_time(u32 policy)
{
	return policy == FIFO || policy == RR;
}

static bool fair(u32 policy)
{
	return policy == OTHER || policy == BATCH;
}

/* Whether RLIMIT_NICE lets an ordinary process have it. */
static bool nice_allowed(int nice)
{
	return (u64)(20 - nice) <= boot->limit[RLIMIT_NICE].soft;
}

/* Whether it can be a deadline, by sysctl's defaults of the shortest and the longest period. */
static bool deadline_valid(const struct attr *a)
{
	u64 period = a->period ? a->period : a->deadline;

	return a->deadline && a->runtime >= 1024 && !((a->deadline | a->period) >> 63) && period >= a->deadline &&
		a->deadline >= a->runtime && period >= 100000 && period <= (1ull << 22) * 1000;
}

static void change(struct thread *t, const struct abi_sched *to)
{
	t->sched = *to;
	/* for /proc */
	if (t == &thread0)
		boot->sched = *to;
}

/* Sets what an ordinary process may have set, in the order in which Linux looks at it. */
static long set(struct thread *t, const struct attr *a)
{
	const struct abi_sched *s = &t->sched;
	bool reset = a->policy == SAME ? s->reset_on_fork : a->flags & FLAG_RESET_ON_FORK;
	u32 policy = a->policy == SAME ? s->policy : a->policy;

	if (policy > DEADLINE || policy == 4 || (a->flags & ~FLAG_ALL) || a->priority > 99 ||
	    (policy == DEADLINE && !deadline_valid(a)) || real_time(policy) != (a->priority != 0))
		return -EINVAL;
	if (t == &init || real_time(policy) || policy == DEADLINE || (fair(policy) && a->nice < s->nice && !nice_allowed(a->nice)) ||
	    (s->policy == IDLE && policy != IDLE && !nice_allowed(s->nice)) || (s->reset_on_fork && !reset))
		return -EPERM;
	if (a->flags & FLAG_UTIL_CLAMP)
		return -EOPNOTSUPP;
	/* that the values are to be kept keeps the policy, too */
	if (a->flags & FLAG_KEEP_PARAMS)
		policy = s->policy;
	change(t, &(struct abi_sched){ .policy = policy, .nice = fair(policy) ? a->nice : s->nice, .reset_on_fork = reset });
	return 0;
}

static long set_param(u64 pid, u32 policy, gva_t param)
{
	struct attr a = { .policy = policy };
	struct thread *t;
	long err;

	if (!param || (int)pid < 0)
		return -EINVAL;
	if (get_user(a.priority, param))
		return -EFAULT;
	err = find(pid, &t);
	if (err)
		return err;
	if (policy != SAME && (policy & RESET_ON_FORK)) {
		a.policy &= ~RESET_ON_FORK;
		a.flags = FLAG_RESET_ON_FORK;
	}
	a.nice = t->sched.nice;
	return set(t, &a);
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
	struct thread *t;
	long err = find(a[0], &t);

	return err ? err : (long)(t->sched.policy | (t->sched.reset_on_fork ? RESET_ON_FORK : 0));
}

long sys_sched_getparam(const u64 a[6])
{
	struct thread *t;
	long err = a[1] ? find(a[0], &t) : -EINVAL;
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
	struct thread *t;
	long err = find(a[0], &t);

	return err ? err : put_user(interval, a[1]);
}

long sys_sched_getattr(const u64 a[6])
{
	struct attr attr = { 0 };
	struct thread *t;
	long err;

	if (!a[1] || (int)a[0] < 0 || (u32)a[2] < ATTR_FIRST || (u32)a[2] > PAGE_SIZE || (u32)a[3])
		return -EINVAL;
	err = find(a[0], &t);
	if (err)
		return err;
	attr.size = MIN((u32)a[2], sizeof(attr));
	attr.policy = t->sched.policy;
	attr.flags = t->sched.reset_on_fork ? FLAG_RESET_ON_FORK : 0;
	attr.nice = t->sched.nice;
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
	struct thread *t;
	struct attr attr;
	long err = a[1] && (int)a[0] >= 0 && !(u32)a[2] ? attr_in(&attr, a[1]) : -EINVAL;

	if (err)
		return err;
	if ((int)attr.policy < 0)
		return -EINVAL;
	if (attr.flags & FLAG_KEEP_POLICY)
		attr.policy = SAME;
	err = find(a[0], &t);
	if (err)
		return err;
	if (attr.flags & FLAG_KEEP_PARAMS)
		attr.nice = t->sched.nice;
	return set(t, &attr);
}

/*
 * Calls f for each thread that getpriority(2) and setpriority(2) name so: one, or of a group or a user,
 * which are the program's own, all. -ESRCH: none.
 */
static long each(u64 which, u64 who, long (*f)(struct thread *t, int nice), int nice)
{
	struct thread *t;
	long ret = 0;

	if (which == PRIO_PROCESS) {
		t = thread_to_see(who);
		return t ? f(t, nice) : -ESRCH;
	}
	if (which == PRIO_PGRP ? !thread_or_self(who) : who && (u32)who != boot->uid)
		return -ESRCH;
	for (u32 i = 0; (t = thread_at(i)); i++) {
		long now = t->alive ? f(t, nice) : 0;

		ret = now < 0 || now > ret ? now : ret;
	}
	return ret;
}

/* As getpriority(2) has it: the more the sooner it runs. */
static long nice_told(struct thread *t, int nice)
{
	return (void)nice, 20 - t->sched.nice;
}

static long nice_set(struct thread *t, int nice)
{
	if (t == &init)
		return -EPERM;
	if (nice < t->sched.nice && !nice_allowed(nice))
		return -EACCES;
	change(t, &(struct abi_sched){ .policy = t->sched.policy, .nice = nice, .reset_on_fork = t->sched.reset_on_fork });
	return 0;
}

long sys_getpriority(const u64 a[6])
{
	return (u32)a[0] > PRIO_USER ? -EINVAL : each((u32)a[0], a[1], nice_told, 0);
}

long sys_setpriority(const u64 a[6])
{
	return (u32)a[0] > PRIO_USER ? -EINVAL : each((u32)a[0], a[1], nice_set, MAX(-20, MIN(19, (int)a[2])));
}
