/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks, sleeps, timers, and what a process knows of its use of resources. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

#include "interrupt.h"
#include "load.h"
#include "nsec.h"
#include "proc.h"
#include "process.h"
#include "process_show.h"
#include "sys.h"
#include "thread.h"
#include "vcpu.h"
#include "vm.h"

_Static_assert(sizeof(struct sysinfo) == ABI_SIZE_sysinfo, "struct sysinfo");
_Static_assert(sizeof(struct rusage) == ABI_SIZE_rusage, "struct rusage");


uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* ------------------------------------------------------------- clocks */

#define PER_THREAD	4	/* in the number of a CPU clock: a thread's, not a process's */

/*
 * Negative numbers name the CPU clocks of a process or thread, in their upper
 * bits, and devices as clocks. The program has its own, by which the host's
 * 0, the caller's, is meant, and those of its threads. False for any other.
 * *thread is whose clock it is, or NULL: the process's, or none of these.
 */
static bool own_clock(const struct call *c, uint64_t guest, int *clock, const struct vcpu **thread)
{
	int number = guest, id = ~(number >> 3);
	const struct vcpu *v = NULL;

	*clock = number;
	*thread = number == CLOCK_THREAD_CPUTIME_ID ? c->vcpu : NULL;
	if (number >= 0)
		return true;
	if ((number & 3) == 3)
		return false;
	if (!(number & PER_THREAD)) {
		*clock = -8 | (number & 7);
		return !id || thread_find(id);
	}
	v = id ? thread_find(id) : c->vcpu;
	*thread = v;
	*clock = v ? (int)(~(unsigned int)v->tid << 3 | (number & 7)) : 0;
	return v;
}

/* A host call on the arguments as they are; those of structures are private copies. */
static long host(struct call *c, long a0, long a1, long a2, long a3)
{
	return plain_syscall(c->nr, a0, a1, a2, a3, 0, 0);
}

/* What the vDSO tells of a coarse clock. */
static struct timespec coarse(clockid_t fine)
{
	return timespec_of(clock_ns(fine) - ABI_COARSE_NS);
}

long host_clock_gettime(struct call *c)
{
	struct timespec *ts = c->ptr[1];
	const struct vcpu *thread;
	int clock;
	long ret;

	if (!own_clock(c, c->arg[0], &clock, &thread))
		return -EINVAL;
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE) {
		if (!ts)
			return -EFAULT;
		*ts = coarse(clock == CLOCK_REALTIME_COARSE ? CLOCK_REALTIME : CLOCK_MONOTONIC);
		return 0;
	}
	ret = host(c, clock, (long)ts, 0, 0);
	if (ret || !ts || !thread)
		return ret;
	*ts = timespec_of(ns_of(*ts) - thread->cpu_before);
	return 0;
}

long host_clock_getres(struct call *c)
{
	const struct vcpu *thread;
	int clock;

	return own_clock(c, c->arg[0], &clock, &thread) ? host(c, clock, (long)c->ptr[1], 0, 0) : -EINVAL;
}

long host_gettimeofday(struct call *c)
{
	return host(c, (long)c->ptr[0], (long)c->ptr[1], 0, 0);
}

long host_time(struct call *c)
{
	uint64_t now = coarse(CLOCK_REALTIME).tv_sec;

	if (c->ptr[0])
		*(uint64_t *)c->ptr[0] = now;
	return now;
}

/* The clocks are the host's. What Linux finds wrong before it asks who may, it finds here, too. */
long host_clock_settime(struct call *c)
{
	const struct vcpu *thread;
	int clock;

	if (!own_clock(c, c->arg[0], &clock, &thread) || ((int)c->arg[0] >= 0 && clock != CLOCK_REALTIME))
		return -EINVAL;
	if (!c->ptr[1])
		return -EFAULT;
	return time_valid(c->ptr[1]) ? -EPERM : -EINVAL;
}

long host_settimeofday(struct call *c)
{
	const struct timeval *tv = c->ptr[0];

	return tv && (tv->tv_sec < 0 || (uint64_t)tv->tv_usec > 1000000) ? -EINVAL : -EPERM;
}

/* ------------------------------------------------------------- sleeps */

bool time_valid(const struct timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < (long)SECOND;
}

uint64_t deadline_after(const struct timespec *ts)
{
	uint64_t now = now_ns();

	return (uint64_t)ts->tv_sec > (INT64_MAX - now) / SECOND - 1 ? INT64_MAX :
		now + ns_of(*ts);
}

/*
 * Sleeps until a time of CLOCK_MONOTONIC that a first, interrupted try may have
 * set. rem is what remains, for the program to see after -EINTR.
 */
static long sleep_for(struct call *c, const struct timespec *ts, struct timespec *rem)
{
	uint64_t now, end = c->deadline ? c->deadline : deadline_after(ts);
	struct timespec at;
	long ret;

	at = timespec_of(end);
	ret = interruptible_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, (long)&at, 0, 0, 0);
	if (ret == -EINTR) {
		c->deadline = end;
		now = now_ns();
		now = now < end ? end - now : 0;
		if (rem)
			*rem = timespec_of(now);
	}
	return ret;
}

long host_nanosleep(struct call *c)
{
	const struct timespec *ts = c->ptr[0];

	if (!ts)
		return -EFAULT;
	return time_valid(ts) ? sleep_for(c, ts, c->ptr[1]) : -EINVAL;
}

long host_clock_nanosleep(struct call *c)
{
	const struct timespec *ts = c->ptr[2];
	const struct vcpu *thread;
	int clock;

	if (!ts)
		return -EFAULT;
	if (!time_valid(ts) || !own_clock(c, c->arg[0], &clock, &thread))
		return -EINVAL;
	/* setting a clock does not change how long a relative sleep lasts; on a CPU clock only the host can tell */
	if (!(c->arg[1] & TIMER_ABSTIME) && (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
					     clock == CLOCK_BOOTTIME || clock == CLOCK_TAI))
		return sleep_for(c, ts, c->ptr[3]);
	return interruptible_syscall(c->nr, clock, c->arg[1], (long)ts, (long)c->ptr[3], 0, 0);
}

/* The shim changes the mask and looks for the signal; here it is only waited for. */
long host_pause(struct call *c)
{
	(void)c;
	return interruptible_syscall(SYS_pause, 0, 0, 0, 0, 0, 0);
}

long host_rt_sigsuspend(struct call *c)
{
	return host_pause(c);
}

/* -EAGAIN after the time, -EINTR for the shim to see what came. */
long host_rt_sigtimedwait(struct call *c)
{
	const struct timespec *ts = c->ptr[2];
	long ret;

	if (!ts)
		return host_pause(c);
	if (!time_valid(ts))
		return -EINVAL;
	ret = sleep_for(c, ts, NULL);
	return ret == 0 ? -EAGAIN : ret;
}

/* ------------------------------------------------------------- timers of the process: their signals come in as any other */

long host_alarm(struct call *c)
{
	return host(c, c->arg[0], 0, 0, 0);
}

long host_getitimer(struct call *c)
{
	return host(c, c->arg[0], (long)c->ptr[1], 0, 0);
}

long host_setitimer(struct call *c)
{
	return host(c, c->arg[0], (long)c->ptr[1], (long)c->ptr[2], 0);
}

/*
 * Timers by their host IDs, which is what siginfo carries. The guest may name
 * those it made and no other.
 */
#define TIMERS 256

static struct {
	pthread_mutex_t lock;
	int id[TIMERS];		/* + 1; 0: free */
} timers = { .lock = PTHREAD_MUTEX_INITIALIZER };

void timers_forked(void)
{
	memset(timers.id, 0, sizeof(timers.id));
}

void timers_end(void)
{
	for (int i = 0; i < TIMERS; i++)
		if (timers.id[i])
			syscall(SYS_timer_delete, timers.id[i] - 1);
	timers_forked();
}

void timers_init(void)
{
	process_guard(&timers.lock);
}

/* The slot of a timer, or of a free one for -1; -1 when there is none. */
static int timer_slot(int id)
{
	int slot = -1;

	for (int i = 0; i < TIMERS && slot < 0; i++)
		if (timers.id[i] - 1 == id)
			slot = i;
	return slot;
}

long host_timer_create(struct call *c)
{
	const struct sigevent *given = c->ptr[1];
	/* without one, SIGALRM carries the timer's ID */
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	int *out = c->ptr[2], id, slot, clock;
	const struct vcpu *thread;
	long ret;

	if (!out)
		return -EFAULT;
	if (!own_clock(c, c->arg[0], &clock, &thread))
		return -EINVAL;
	if (given) {
		event = *given;
		/* the shim knows which */
		if (event.sigev_notify == SIGEV_THREAD_ID)
			event.sigev_notify = SIGEV_SIGNAL;
		if (event.sigev_notify != SIGEV_SIGNAL && event.sigev_notify != SIGEV_NONE)
			return -EINVAL;
	}
	pthread_mutex_lock(&timers.lock);
	slot = timer_slot(-1);
	ret = slot < 0 ? -EAGAIN : syscall(SYS_timer_create, clock, given ? &event : NULL, &id);
	if (slot >= 0 && ret < 0)
		ret = -errno;
	if (ret == 0) {
		timers.id[slot] = id + 1;
		*out = id;
	}
	pthread_mutex_unlock(&timers.lock);
	return ret;
}

static bool timer_owned(uint64_t id)
{
	bool owned;

	pthread_mutex_lock(&timers.lock);
	owned = (int)id >= 0 && timer_slot((int)id) >= 0;
	pthread_mutex_unlock(&timers.lock);
	return owned;
}

long host_timer_settime(struct call *c)
{
	if (!timer_owned(c->arg[0]))
		return -EINVAL;
	return host(c, (int)c->arg[0], c->arg[1], (long)c->ptr[2], (long)c->ptr[3]);
}

long host_timer_gettime(struct call *c)
{
	return timer_owned(c->arg[0]) ? host(c, (int)c->arg[0], (long)c->ptr[1], 0, 0) : -EINVAL;
}

long host_timer_getoverrun(struct call *c)
{
	return timer_owned(c->arg[0]) ? host(c, (int)c->arg[0], 0, 0, 0) : -EINVAL;
}

long host_timer_delete(struct call *c)
{
	int id = c->arg[0], slot;
	long ret = -EINVAL;

	pthread_mutex_lock(&timers.lock);
	slot = id < 0 ? -1 : timer_slot(id);
	if (slot >= 0) {
		ret = syscall(SYS_timer_delete, id) < 0 ? -errno : 0;
		timers.id[slot] = 0;
	}
	pthread_mutex_unlock(&timers.lock);
	return ret;
}

/* ------------------------------------------------------------- use of resources */

long host_getrusage(struct call *c)
{
	long ret = host(c, (int)c->arg[0], (long)c->ptr[1], 0, 0);
	struct rusage *usage = c->ptr[1];

	/* the host's children are not the program's */
	if (!ret && (int)c->arg[0] == RUSAGE_CHILDREN)
		*usage = process_children_usage();
	return ret;
}

long host_times(struct call *c)
{
	long ret = host(c, (long)c->ptr[0], 0, 0, 0), tick = 1000000 / sysconf(_SC_CLK_TCK);
	struct rusage usage = process_children_usage();
	struct tms *tms = c->ptr[0];

	if (tms) {
		tms->tms_cutime = usage.ru_utime.tv_sec * (1000000 / tick) + usage.ru_utime.tv_usec / tick;
		tms->tms_cstime = usage.ru_stime.tv_sec * (1000000 / tick) + usage.ru_stime.tv_usec / tick;
	}
	return ret;
}

/* Of the guest: its memory is --mem, its processes are one, its time since boot is the clock's. */
long host_sysinfo(struct call *c)
{
	struct sysinfo *info = c->ptr[0];
	struct timespec ts;

	if (!info)
		return -EFAULT;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	info->uptime = ts.tv_sec;
	info->totalram = c->vm->mem_limit;
	info->freeram = proc_free_memory();
	info->procs = process_count();
	info->mem_unit = 1;
	return 0;
}
