/* SPDX-License-Identifier: GPL-2.0-only */
/* The structures that calls pass, as --trace prints them; by the type that a row of calls.def gives. */
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <utime.h>
#include <fcntl.h>

#include "trace_ipc.h"
#include "trace_line.h"
#include "trace_net.h"

#define SIZE_IS(name, type) _Static_assert(ABI_SIZE_##name == sizeof(type), #name)

/* As the kernel has them, where libc has its own. */
struct kernel_sigaction {
	uint64_t handler, flags, restorer, mask;
};
SIZE_IS(sigaction, struct kernel_sigaction);

struct kernel_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
SIZE_IS(sched_attr, struct kernel_sched_attr);

SIZE_IS(rusage, struct rusage);
SIZE_IS(utsname, struct utsname);
SIZE_IS(sysinfo, struct sysinfo);
SIZE_IS(siginfo, siginfo_t);

/* In UTC, by counting: gmtime_r() would open the file of the time zone, which the jail forbids. */
void put_date(struct trace *t, const char *before, int64_t sec, uint64_t fraction, int digits, const char *after)
{
	int64_t day = sec / 86400, left = sec % 86400, era, year, month;
	unsigned int doe, yoe, doy, m;

	if (left < 0) {
		day--;
		left += 86400;
	}
	if (!sec || day < -100000000 || day > 100000000)
		return;
	/* eras of 400 years from 0000-03-01, so that a leap day ends its year */
	day += 719468;
	era = (day >= 0 ? day : day - 146096) / 146097;
	doe = day - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	m = (5 * doy + 2) / 153;
	month = m < 10 ? m + 3 : m - 9;
	year = era * 400 + yoe + (month <= 2);
	put(t, "%s%04ld-%02ld-%02uT%02u:%02u:%02u", before, year, month, doy - (153 * m + 2) / 5 + 1,
	    (unsigned int)left / 3600, (unsigned int)left / 60 % 60, (unsigned int)left % 60);
	if (fraction)
		put(t, ".%0*lu", digits, fraction);
	put(t, "+0000%s", after);
}

static void put_one_int(struct trace *t, const void *p)
{
	put(t, "%d", *(const int *)p);
}

static void put_int2(struct trace *t, const void *p)
{
	const int *v = p;

	put(t, "%d, %d", v[0], v[1]);
}

static void put_u64(struct trace *t, const void *p)
{
	put(t, "%lu", *(const uint64_t *)p);
}

static void put_timespec(struct trace *t, const void *p)
{
	const struct timespec *v = p;

	put(t, "{tv_sec=%ld, tv_nsec=%lu}", v->tv_sec, v->tv_nsec);
}

static void put_timeval(struct trace *t, const void *p)
{
	const struct timeval *v = p;

	put(t, "{tv_sec=%ld, tv_usec=%lu}", v->tv_sec, v->tv_usec);
}

static void put_timespec2(struct trace *t, const void *p)
{
	const struct timespec *v = p;

	for (int i = 0; i < 2; i++) {
		put(t, "%s", i ? ", " : "[");
		if (v[i].tv_nsec == UTIME_NOW || v[i].tv_nsec == UTIME_OMIT) {
			put(t, "%s", v[i].tv_nsec == UTIME_NOW ? "UTIME_NOW" : "UTIME_OMIT");
			continue;
		}
		put_timespec(t, &v[i]);
		if ((unsigned long)v[i].tv_nsec < 1000000000)
			put_date(t, " /* ", v[i].tv_sec, v[i].tv_nsec, 9, " */");
	}
	put(t, "]");
}

static void put_timeval2(struct trace *t, const void *p)
{
	const struct timeval *v = p;

	for (int i = 0; i < 2; i++) {
		put(t, "%s", i ? ", " : "[");
		put_timeval(t, &v[i]);
		if ((unsigned long)v[i].tv_usec < 1000000)
			put_date(t, " /* ", v[i].tv_sec, v[i].tv_usec, 6, " */");
	}
	put(t, "]");
}

static void put_timezone(struct trace *t, const void *p)
{
	const int *v = p;

	put(t, "{tz_minuteswest=%d, tz_dsttime=%d}", v[0], v[1]);
}

static void put_itimerval(struct trace *t, const void *p)
{
	const struct itimerval *v = p;

	put(t, "{it_interval=");
	put_timeval(t, &v->it_interval);
	put(t, ", it_value=");
	put_timeval(t, &v->it_value);
	put(t, "}");
}

static void put_itimerspec(struct trace *t, const void *p)
{
	const struct itimerspec *v = p;

	put(t, "{it_interval=");
	put_timespec(t, &v->it_interval);
	put(t, ", it_value=");
	put_timespec(t, &v->it_value);
	put(t, "}");
}

static void put_utimbuf(struct trace *t, const void *p)
{
	const struct utimbuf *v = p;

	put(t, "{actime=%ld", v->actime);
	put_date(t, " /* ", v->actime, 0, 0, " */");
	put(t, ", modtime=%ld", v->modtime);
	put_date(t, " /* ", v->modtime, 0, 0, " */");
	put(t, "}");
}

static void put_one_sigset(struct trace *t, const void *p)
{
	put_sigset(t, *(const uint64_t *)p);
}

static const struct name sa_flags[] = {
	{ 0x04000000, "SA_RESTORER" }, NAME(SA_ONSTACK), NAME(SA_RESTART), NAME(SA_INTERRUPT),
	NAME(SA_NODEFER), NAME(SA_RESETHAND), NAME(SA_SIGINFO), NAME(SA_NOCLDSTOP), NAME(SA_NOCLDWAIT),
};

static void put_sigaction(struct trace *t, const void *p)
{
	const struct kernel_sigaction *v = p;

	put(t, "{sa_handler=");
	if (v->handler <= 1)
		put(t, "%s", v->handler ? "SIG_IGN" : "SIG_DFL");
	else
		put_address(t, v->handler);
	put(t, ", sa_mask=");
	put_sigset(t, v->mask);
	put(t, ", sa_flags=");
	PUT_FLAGS(t, sa_flags, v->flags, "SA_???");
	if (v->flags & 0x04000000) {
		put(t, ", sa_restorer=");
		put_address(t, v->restorer);
	}
	put(t, "}");
}

static const struct name stack_flags[] = {
	NAME(SS_ONSTACK), NAME(SS_DISABLE), { 1u << 31, "SS_AUTODISARM" },
};

static void put_stack(struct trace *t, const void *p)
{
	const stack_t *v = p;

	put(t, "{ss_sp=");
	put_address(t, (uint64_t)v->ss_sp);
	put(t, ", ss_flags=");
	PUT_FLAGS(t, stack_flags, (uint32_t)v->ss_flags, "SS_???");
	put(t, ", ss_size=%lu}", v->ss_size);
}

static void put_limit(struct trace *t, uint64_t limit)
{
	if (limit == UINT64_MAX)
		put(t, "RLIM64_INFINITY");
	else if (limit > 1024 && limit % 1024 == 0)
		put(t, "%lu*1024", limit / 1024);
	else
		put(t, "%lu", limit);
}

static void put_rlimit(struct trace *t, const void *p)
{
	const uint64_t *v = p;

	put(t, "{rlim_cur=");
	put_limit(t, v[0]);
	put(t, ", rlim_max=");
	put_limit(t, v[1]);
	put(t, "}");
}

static void put_rusage(struct trace *t, const void *p)
{
	const struct rusage *v = p;

	put(t, "{ru_utime=");
	put_timeval(t, &v->ru_utime);
	put(t, ", ru_stime=");
	put_timeval(t, &v->ru_stime);
	put(t, ", ...}");
}

static void put_utsname(struct trace *t, const void *p)
{
	const struct utsname *v = p;

	put(t, "{sysname=");
	put_quoted(t, v->sysname, strnlen(v->sysname, sizeof(v->sysname)));
	put(t, ", nodename=");
	put_quoted(t, v->nodename, strnlen(v->nodename, sizeof(v->nodename)));
	put(t, ", ...}");
}

static void put_sysinfo(struct trace *t, const void *p)
{
	const struct sysinfo *v = p;

	put(t, "{uptime=%lu, loads=[%lu, %lu, %lu], totalram=%lu, freeram=%lu, sharedram=%lu, bufferram=%lu, "
	    "totalswap=%lu, freeswap=%lu, procs=%u, totalhigh=%lu, freehigh=%lu, mem_unit=%u}",
	    (unsigned long)v->uptime, v->loads[0], v->loads[1], v->loads[2], v->totalram, v->freeram,
	    v->sharedram, v->bufferram, v->totalswap, v->freeswap, v->procs, v->totalhigh, v->freehigh,
	    v->mem_unit);
}

static void put_tms(struct trace *t, const void *p)
{
	const struct tms *v = p;

	put(t, "{tms_utime=%ld, tms_stime=%ld, tms_cutime=%ld, tms_cstime=%ld}",
	    v->tms_utime, v->tms_stime, v->tms_cutime, v->tms_cstime);
}

static const struct name notifies[] = {
	NAME(SIGEV_SIGNAL), NAME(SIGEV_NONE), NAME(SIGEV_THREAD), NAME(SIGEV_THREAD_ID),
};

static void put_sigevent(struct trace *t, const void *p)
{
	const struct sigevent *v = p;
	const uint64_t *words = p;

	put(t, "{");
	if (v->sigev_value.sival_ptr) {
		put(t, "sigev_value={sival_int=%d, sival_ptr=", v->sigev_value.sival_int);
		put_address(t, words[0]);
		put(t, "}, ");
	}
	put(t, "sigev_signo=");
	if (v->sigev_notify == SIGEV_NONE)
		put(t, "%u", v->sigev_signo);
	else
		put_signal(t, (uint32_t)v->sigev_signo);
	put(t, ", sigev_notify=");
	PUT_ENUM(t, notifies, (uint32_t)v->sigev_notify, "SIGEV_???");
	if (v->sigev_notify == SIGEV_THREAD_ID)
		put(t, ", sigev_notify_thread_id=%d", (int)words[2]);
	if (v->sigev_notify == SIGEV_THREAD) {
		put(t, ", sigev_notify_function=");
		put_address(t, words[2]);
		put(t, ", sigev_notify_attributes=");
		put_address(t, words[3]);
	}
	put(t, "}");
}

static const struct name cap_versions[] = {
	NAME(_LINUX_CAPABILITY_VERSION_1), NAME(_LINUX_CAPABILITY_VERSION_2), NAME(_LINUX_CAPABILITY_VERSION_3),
};

static const struct name waitv_flags[] = { { ABI_FUTEX_32, "FUTEX_32" }, { ABI_FUTEX_PRIVATE, "FUTEX_PRIVATE_FLAG" } };

static void put_futex_waitv(struct trace *t, const void *p)
{
	const struct abi_futex_waitv *w = p;

	put(t, "{val=%#lx, uaddr=", w->value);
	put_address(t, w->address);
	put(t, ", flags=");
	PUT_FLAGS(t, waitv_flags, w->flags, "FUTEX_???");
	if (w->reserved)
		put(t, ", __reserved=%#x", w->reserved);
	put(t, "}");
}

static void put_capheader(struct trace *t, const void *p)
{
	const uint32_t *v = p;

	put(t, "{version=");
	PUT_ENUM(t, cap_versions, v[0], "_LINUX_CAPABILITY_VERSION_???");
	put(t, ", pid=%d}", (int)v[1]);
}

#define CAP(n)	{ 1ull << CAP_##n, "1<<CAP_" #n }
static const struct name capabilities[] = {
	CAP(CHOWN), CAP(DAC_OVERRIDE), CAP(DAC_READ_SEARCH), CAP(FOWNER), CAP(FSETID), CAP(KILL), CAP(SETGID),
	CAP(SETUID), CAP(SETPCAP), CAP(LINUX_IMMUTABLE), CAP(NET_BIND_SERVICE), CAP(NET_BROADCAST),
	CAP(NET_ADMIN), CAP(NET_RAW), CAP(IPC_LOCK), CAP(IPC_OWNER), CAP(SYS_MODULE), CAP(SYS_RAWIO),
	CAP(SYS_CHROOT), CAP(SYS_PTRACE), CAP(SYS_PACCT), CAP(SYS_ADMIN), CAP(SYS_BOOT), CAP(SYS_NICE),
	CAP(SYS_RESOURCE), CAP(SYS_TIME), CAP(SYS_TTY_CONFIG), CAP(MKNOD), CAP(LEASE), CAP(AUDIT_WRITE),
	CAP(AUDIT_CONTROL), CAP(SETFCAP), CAP(MAC_OVERRIDE), CAP(MAC_ADMIN), CAP(SYSLOG), CAP(WAKE_ALARM),
	CAP(BLOCK_SUSPEND), CAP(AUDIT_READ), CAP(PERFMON), CAP(BPF), CAP(CHECKPOINT_RESTORE),
};

static void put_capdata(struct trace *t, const void *p)
{
	static const char *const names[] = { "{effective=", ", permitted=", ", inheritable=" };
	const uint32_t *v = p;

	for (int i = 0; i < 3; i++) {
		put(t, "%s", names[i]);
		PUT_FLAGS(t, capabilities, v[i] | (uint64_t)v[i + 3] << 32, "CAP_???");
	}
	put(t, "}");
}

static void put_sched_attr(struct trace *t, const void *p)
{
	const struct kernel_sched_attr *v = p;

	put(t, "{size=%u, sched_policy=", v->size);
	put_value(t, ABI_FMT_SCHED, v->policy);
	put(t, ", sched_flags=%#lx, sched_nice=%d, sched_priority=%u, sched_runtime=%lu, sched_deadline=%lu, "
	    "sched_period=%lu, sched_util_min=%u, sched_util_max=%u}", v->flags, v->nice, v->priority,
	    v->runtime, v->deadline, v->period, v->util_min, v->util_max);
}

static void put_one_siginfo(struct trace *t, const void *p)
{
	put(t, "{");
	put_siginfo(t, p);
	put(t, "}");
}

static void put_wait_status(struct trace *t, const void *p)
{
	int status = *(const int *)p;

	if (status == 0xffff) {
		put(t, "{WIFCONTINUED(s)}");
	} else if (WIFEXITED(status)) {
		put(t, "{WIFEXITED(s) && WEXITSTATUS(s) == %d}", WEXITSTATUS(status));
	} else if (WIFSTOPPED(status)) {
		put(t, "{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		put_value(t, ABI_FMT_SIGNAL, WSTOPSIG(status));
		put(t, "}");
	} else {
		put(t, "{WIFSIGNALED(s) && WTERMSIG(s) == ");
		put_value(t, ABI_FMT_SIGNAL, WTERMSIG(status));
		put(t, "%s}", WCOREDUMP(status) ? " && WCOREDUMP(s)" : "");
	}
}

static const struct {
	void (*put)(struct trace *t, const void *p);
	size_t size;
	bool boxed;		/* a single one stands in [] too */
} types[] = {
#define TYPE(name, fn, box)	[ABI_STRUCT_##name] = { fn, ABI_SIZE_##name, box }
	TYPE(int, put_one_int, true),
	TYPE(int2, put_int2, true),
	TYPE(u64, put_u64, true),
	TYPE(sched_param, put_one_int, true),
	TYPE(timespec, put_timespec, false),
	TYPE(timespec2, put_timespec2, false),
	TYPE(timeval, put_timeval, false),
	TYPE(timeval2, put_timeval2, false),
	TYPE(timezone, put_timezone, false),
	TYPE(itimerval, put_itimerval, false),
	TYPE(itimerspec, put_itimerspec, false),
	TYPE(utimbuf, put_utimbuf, false),
	TYPE(sigset, put_one_sigset, false),
	TYPE(sigaction, put_sigaction, false),
	TYPE(siginfo, put_one_siginfo, false),
	TYPE(sigevent, put_sigevent, false),
	TYPE(stack, put_stack, false),
	TYPE(stat, put_stat, false),
	TYPE(statx, put_statx, false),
	TYPE(statfs, put_statfs, false),
	TYPE(rlimit, put_rlimit, false),
	TYPE(rusage, put_rusage, false),
	TYPE(utsname, put_utsname, false),
	TYPE(sysinfo, put_sysinfo, false),
	TYPE(tms, put_tms, false),
	TYPE(pollfd, put_pollfd, false),
	TYPE(epoll_event, put_epoll_event, false),
	TYPE(open_how, put_open_how, false),
	TYPE(flock, put_setlk, false),
	TYPE(getlk, put_getlk, false),
	TYPE(capheader, put_capheader, false),
	TYPE(capdata, put_capdata, false),
	TYPE(sched_attr, put_sched_attr, false),
	TYPE(termios, put_termios, false),
	TYPE(termios2, put_termios, false),
	TYPE(termio, put_termio, false),
	TYPE(winsize, put_winsize, false),
	TYPE(ifreq, put_ifreq, false),
	TYPE(owner, put_owner, false),
	TYPE(mqattr, put_mqattr, false),
	TYPE(mqattr_raw, put_mqattr_raw, false),
	TYPE(sembuf, put_sembuf, false),
	TYPE(futex_waitv, put_futex_waitv, false),
	TYPE(shmid, put_shmid, false),
	TYPE(shmid_set, put_shmid_set, false),
	TYPE(shminfo, put_shminfo, false),
	TYPE(shm_info, put_shm_info, false),
	TYPE(semid, put_semid, false),
	TYPE(semid_set, put_semid_set, false),
	TYPE(seminfo, put_seminfo, false),
	TYPE(msqid, put_msqid, false),
	TYPE(msqid_set, put_msqid_set, false),
	TYPE(msginfo, put_msginfo, false),
	TYPE(wait_status, put_wait_status, true),
#undef TYPE
};

void put_struct(struct trace *t, enum abi_struct type, const void *data, size_t bytes, bool vector)
{
	const uint8_t *p = data;
	uint64_t aligned[64];
	size_t n;

	if (type == ABI_STRUCT_cpus) {
		put_bits(t, p, bytes * 8);
		return;
	}
	if (type == ABI_STRUCT_addr) {
		put_sockaddr(t, p, bytes);
		return;
	}
	if ((size_t)type >= sizeof(types) / sizeof(types[0]) || !types[type].put) {
		put(t, "{...}");
		return;
	}
	n = bytes / types[type].size;
	if (!vector) {
		if (types[type].boxed)
			put(t, "[");
		if (n) {
			memcpy(aligned, p, types[type].size);
			types[type].put(t, aligned);
		}
		if (types[type].boxed)
			put(t, "]");
		return;
	}
	put(t, "[");
	for (size_t i = 0; i < n && i < TRACE_ELEMENTS; i++) {
		put(t, "%s", i ? ", " : "");
		memcpy(aligned, p + i * types[type].size, types[type].size);
		types[type].put(t, aligned);
	}
	put(t, n > TRACE_ELEMENTS ? ", ...]" : "]");
}
