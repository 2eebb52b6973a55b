/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that the shim answers, or nearly so. "sys_small NAME" prints results;
 * what is the program's own (its pid, the time) is checked here and only the
 * verdict printed, so that a native run prints the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MS 1000000ll
#define BAD 8L		/* an address where nothing is */

/* Name and result of a call; the error by its number. */
static void show(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: errno %d\n", what, errno);
	else
		printf("%s: %ld\n", what, ret);
}

static void check(const char *what, bool good)
{
	printf("%s: %s\n", what, good ? "yes" : "NO");
}

#define CALL(nr, ...) show(#nr "(" #__VA_ARGS__ ")", syscall(SYS_##nr, ##__VA_ARGS__))

/* ------------------------------------------------------------- ids */

static void ids(void)
{
	unsigned int r[3];
	int pid = getpid();

	check("a pid", pid > 0);
	check("it is the thread's", syscall(SYS_gettid) == pid);
	check("and that of set_tid_address", syscall(SYS_set_tid_address, r) == pid);
	check("a parent", getppid() > 0 && getppid() != pid);
	check("auxv has the ids", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid() &&
	      getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid() && !getauxval(AT_SECURE));
	check("getresuid", !getresuid(&r[0], &r[1], &r[2]) && r[0] == getuid() && r[1] == r[0] && r[2] == r[0]);
	check("getresgid", !getresgid(&r[0], &r[1], &r[2]) && r[0] == getgid() && r[1] == r[0] && r[2] == r[0]);
	CALL(getresuid, BAD, BAD, BAD);
	CALL(getresgid, BAD, BAD, BAD);
	check("to one's own id", !setuid(getuid()) && !setgid(getgid()) && !setreuid(getuid(), -1) &&
	      !setregid(-1, getgid()) && !setresuid(-1, -1, -1) && !setresgid(getgid(), -1, getgid()));
	check("setfsuid tells the old one", (uid_t)syscall(SYS_setfsuid, -1) == getuid());
	check("setfsgid tells the old one", (gid_t)syscall(SYS_setfsgid, -1) == getgid());
	check("own group", getpgid(0) == getpgrp() && getpgid(pid) == getpgrp());
	/* 0 natively where the leader is outside the PID namespace, as in a container's exec */
	check("a session", getsid(0) >= 0 && getsid(pid) == getsid(0));
	/* there is no such process anywhere */
	CALL(getpgid, 4194303);
	CALL(getpgid, -1);
	CALL(getsid, 4194303);
	CALL(setpgid, 4194303, 0);
	CALL(setpgid, 0, -1);
	CALL(getgroups, -1, 0);
}

/* ------------------------------------------------------------- names and limits */

static void names(void)
{
	struct utsname u;
	char name[17];

	memset(&u, 'x', sizeof(u));
	CALL(uname, &u);
	check("Linux on x86_64", !strcmp(u.sysname, "Linux") && !strcmp(u.machine, "x86_64"));
	check("a version of numbers", u.release[0] >= '1' && u.release[0] <= '9' && strchr(u.release, '.'));
	check("all have their ends", memchr(u.nodename, 0, 65) && memchr(u.version, 0, 65) && memchr(u.domainname, 0, 65));
	CALL(uname, BAD);
	memset(name, 'x', sizeof(name));
	CALL(prctl, PR_GET_NAME, name);
	printf("name \"%s\", then %c\n", name, name[16]);
	CALL(prctl, PR_SET_NAME, "short");
	memset(name, 'x', sizeof(name));
	prctl(PR_GET_NAME, name);
	for (int i = 0; i < 16; i++)
		printf("%02x%c", (unsigned char)name[i], i == 15 ? '\n' : ' ');
	CALL(prctl, PR_SET_NAME, "a name that is much too long");
	prctl(PR_GET_NAME, name);
	printf("name \"%s\"\n", name);
	CALL(prctl, PR_SET_NAME, "");
	prctl(PR_GET_NAME, name);
	printf("name \"%s\"\n", name);
	CALL(prctl, PR_SET_NAME, BAD);
	CALL(prctl, PR_GET_NAME, BAD);
	CALL(prctl, PR_GET_KEEPCAPS);
	CALL(prctl, PR_SET_KEEPCAPS, 2);
	CALL(prctl, PR_SET_PDEATHSIG, 65);
	CALL(prctl, PR_SET_PDEATHSIG, SIGTERM);
	CALL(prctl, PR_GET_PDEATHSIG, name);
	printf("%d\n", *(int *)name);
	CALL(prctl, PR_GET_TIMERSLACK);
	CALL(prctl, PR_SET_TIMERSLACK, 77777);
	CALL(prctl, PR_GET_TIMERSLACK);
	CALL(prctl, PR_SET_TIMERSLACK, 0);
	CALL(prctl, PR_GET_TIMERSLACK);
	CALL(prctl, PR_CAPBSET_READ, 99);
	CALL(prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
	CALL(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CALL(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	CALL(prctl, 9999);
	CALL(prctl, -1);
	CALL(personality, 0xffffffff);
	umask(027);
	check("umask", umask(0) == 027 && umask(077) == 0 && umask(07777777) == 077 && umask(0) == 0777);
}

static void limits(void)
{
	struct rlimit old, new;

	for (int which = 0; which < RLIM_NLIMITS; which++) {
		if (prlimit(0, which, NULL, &old))
			printf("prlimit %d: errno %d\n", which, errno);
		if (getrlimit(which, &new) || new.rlim_cur != old.rlim_cur || new.rlim_max != old.rlim_max ||
		    new.rlim_cur > new.rlim_max)
			printf("getrlimit %d tells other numbers\n", which);
	}
	CALL(prlimit64, 0, RLIM_NLIMITS, 0, &old);
	CALL(prlimit64, 0, -1, 0, &old);
	CALL(prlimit64, 4194303, RLIMIT_STACK, 0, &old);
	CALL(prlimit64, 0, RLIMIT_STACK, BAD, 0);
	CALL(prlimit64, 0, RLIMIT_STACK, 0, BAD);
	CALL(getrlimit, RLIMIT_STACK, BAD);
	CALL(setrlimit, RLIMIT_STACK, BAD);
	/* as ulimit -c unlimited */
	CALL(getrlimit, RLIMIT_CORE, &old);
	new.rlim_cur = new.rlim_max = old.rlim_max;
	CALL(setrlimit, RLIMIT_CORE, &new);
	check("a core may be of any length", old.rlim_max == RLIM_INFINITY);
	new.rlim_cur = 2;
	new.rlim_max = 1;
	CALL(setrlimit, RLIMIT_CORE, &new);
	new.rlim_cur = new.rlim_max = 100;
	CALL(setrlimit, RLIMIT_NOFILE, &new);
	CALL(prlimit64, getpid(), RLIMIT_NOFILE, 0, &old);
	printf("%lu %lu\n", old.rlim_cur, old.rlim_max);
	new.rlim_cur = 50;
	CALL(prlimit64, 0, RLIMIT_NOFILE, &new, &old);
	CALL(getrlimit, RLIMIT_NOFILE, &old);
	printf("%lu %lu\n", old.rlim_cur, old.rlim_max);
	new.rlim_cur = 4 << 20;
	new.rlim_max = RLIM_INFINITY;
	CALL(setrlimit, RLIMIT_STACK, &new);
	CALL(getrlimit, RLIMIT_STACK, &old);
	printf("%lu\n", old.rlim_cur);
}

static void capabilities(void)
{
	struct { uint32_t version; int pid; } h = { 0, 0 };
	uint32_t data[6];

	CALL(capget, &h, 0);
	printf("%#x\n", h.version);
	h.version = 0;
	CALL(capget, &h, data);
	memset(data, 0xff, sizeof(data));
	CALL(capget, &h, data);
	h.pid = -1;
	CALL(capget, &h, data);
	h.pid = 4194303;
	CALL(capget, &h, data);
	CALL(capget, BAD, data);
	h.pid = 0;
	CALL(capget, &h, BAD);
	memset(data, 0, sizeof(data));
	CALL(capset, &h, data);
	CALL(capget, &h, data);
	printf("%x %x %x %x %x %x\n", data[0], data[1], data[2], data[3], data[4], data[5]);
	data[0] = data[1] = 1;
	CALL(capset, &h, data);
}

/* ------------------------------------------------------------- scheduling */

static void scheduling(void)
{
	struct sched_param p = { 0 };
	struct { uint32_t size, policy; uint64_t flags; int nice; uint32_t priority; uint64_t deadline[3]; } attr;
	uint64_t cpus[128];
	struct timespec t;
	unsigned int cpu = 99, node = 99;

	CALL(sched_yield);
	CALL(sched_getscheduler, 0);
	CALL(sched_getscheduler, 4194303);
	CALL(sched_getscheduler, -1);
	CALL(sched_getparam, 0, &p);
	printf("%d\n", p.sched_priority);
	CALL(sched_getparam, 0, 0);
	CALL(sched_setparam, 0, &p);
	CALL(sched_setparam, 0, 0);
	CALL(sched_setparam, -1, &p);
	p.sched_priority = 5;
	CALL(sched_setparam, 0, &p);
	CALL(sched_setparam, 0, 0);
	CALL(sched_setparam, -1, &p);
	CALL(sched_setscheduler, 0, SCHED_OTHER, &p);
	p.sched_priority = 0;
	CALL(sched_setscheduler, 0, SCHED_OTHER, &p);
	CALL(sched_setscheduler, 0, 99, &p);
	CALL(sched_setscheduler, 0, -1, &p);
	CALL(sched_setscheduler, 4194303, SCHED_OTHER, &p);
	for (int policy = -1; policy < 7; policy++)
		printf("policy %d: %d %d\n", policy, sched_get_priority_min(policy), sched_get_priority_max(policy));
	check("rr interval", !sched_rr_get_interval(0, &t) && t.tv_nsec >= 0);
	CALL(sched_getattr, 0, &attr, sizeof(attr), 0);
	printf("size %u policy %u priority %u nice %d\n", attr.size, attr.policy, attr.priority, attr.nice);
	CALL(sched_getattr, 0, &attr, sizeof(attr), 1);
	CALL(sched_getattr, 0, &attr, 8, 0);
	CALL(sched_getattr, 4194303, &attr, sizeof(attr), 0);
	memset(cpus, 0, sizeof(cpus));
	check("affinity", syscall(SYS_sched_getaffinity, 0, sizeof(cpus), cpus) >= 8 && cpus[0]);
	CALL(sched_getaffinity, 0, 4, cpus);
	CALL(sched_getaffinity, 0, 12, cpus);
	CALL(sched_getaffinity, 4194303, sizeof(cpus), cpus);
	CALL(sched_getaffinity, 0, sizeof(cpus), BAD);
	CALL(sched_setaffinity, 0, sizeof(cpus), cpus);
	memset(cpus, 0, sizeof(cpus));
	CALL(sched_setaffinity, 0, sizeof(cpus), cpus);
	CALL(sched_setaffinity, 0, sizeof(cpus), BAD);
	check("getcpu", !syscall(SYS_getcpu, &cpu, &node, NULL) && cpu < 1024 && node < 64);
	CALL(getcpu, 0, 0, 0);
	CALL(getcpu, BAD, 0, 0);
	CALL(getpriority, PRIO_PROCESS, 0);
	CALL(getpriority, 3, 0);
	CALL(getpriority, PRIO_PROCESS, 4194303);
	CALL(setpriority, PRIO_PROCESS, 0, 7);
	CALL(getpriority, PRIO_PROCESS, 0);
	CALL(setpriority, PRIO_PROCESS, 0, 99);
	CALL(getpriority, PRIO_PROCESS, 0);
	CALL(setpriority, PRIO_PROCESS, 4194303, 5);
	CALL(setpriority, 3, 0, 5);
	CALL(membarrier, 0, 1);
	CALL(membarrier, 3, 0);
	check("membarrier", syscall(SYS_membarrier, 0, 0) > 0);
}

/* ------------------------------------------------------------- process_vm_readv */

/* A process's copies of its own memory, some of which is not there. */
static void copies(void)
{
	long page = 4096, pid = getpid(), reader = SYS_process_vm_readv;
	char *p = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char to[64] = "";
	struct iovec local[3] = { { to, 5 }, { NULL, 0 }, { to + 5, 20 } };
	struct iovec remote[2] = { { p + page - 8, 16 }, { "xyz", 3 } }, bad = { p + page, 4 }, across = { p + page - 6, 10 };

	memset(p, 'p', 3 * page);
	show("read", syscall(reader, pid, local, 3, remote, 2, 0));
	printf("%s\n", to);
	memcpy(to, "0123456789", 10);
	show("write", syscall(SYS_process_vm_writev, pid, local, 1, remote, 1, 0));
	printf("%.16s\n", p + page - 8);
	show("nothing", syscall(reader, pid, local, 0, remote, 2, 0));
	show("nothing from anywhere", syscall(reader, pid, local, 3, NULL, 0, 0));
	show("flags", syscall(reader, pid, local, 3, remote, 2, 1));
	show("too many", syscall(reader, pid, local, 3, remote, 1025, 0));
	show("no process", syscall(reader, 4194303, local, 3, remote, 2, 0));
	show("a bad list", syscall(reader, pid, local, 3, BAD, 2, 0));
	munmap(p + page, 2 * page);
	show("what is not there", syscall(reader, pid, local, 3, &bad, 1, 0));
	show("what is there in part", syscall(reader, pid, local + 2, 1, &across, 1, 0));
	mprotect(p, page, PROT_READ);
	show("write to what is read-only", syscall(SYS_process_vm_writev, pid, local, 1, remote, 1, 0));
}

/* ------------------------------------------------------------- thread */

static uint64_t gs_word(void)
{
	uint64_t v;

	asm volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

static void thread(void)
{
	static uint64_t word = 0x1122334455667788;
	uint64_t fs = 0, gs = 1, head, len;

	CALL(arch_prctl, 0x1003, &fs);
	asm volatile("mov %%fs:0, %0" : "=r"(head));
	check("FS is the thread's", fs && fs == head);
	CALL(arch_prctl, 0x1004, &gs);
	printf("%#lx\n", gs);
	CALL(arch_prctl, 0x1001, &word);
	check("GS works", gs_word() == word);
	CALL(arch_prctl, 0x1004, &gs);
	check("GS is told", gs == (uint64_t)&word);
	CALL(sched_yield);
	raise(SIGCHLD);
	check("GS stays", gs_word() == word);
	CALL(arch_prctl, 0x1001, 0x7ffffffff000);
	CALL(arch_prctl, 0x1001, 0x800000000000);
	CALL(arch_prctl, 0x1002, 1ull << 63);
	CALL(arch_prctl, 0x1001, 0);
	CALL(arch_prctl, 0x1003, BAD);
	CALL(arch_prctl, 0x9999, 0);
	CALL(set_robust_list, &word, 24);
	CALL(set_robust_list, &word, 23);
	CALL(get_robust_list, 0, &head, &len);
	check("robust list", head == (uint64_t)&word && len == 24);
	CALL(get_robust_list, 4194303, &head, &len);
	CALL(get_robust_list, 0, BAD, &len);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void futexes(void)
{
	static uint32_t word = 5, other;
	struct timespec t = { 0, 50 * MS }, bad = { 0, 1000 * MS }, none = { 0, 0 }, at;
	int64_t start = now();

	CALL(futex, &word, FUTEX_WAIT, 4, 0);
	CALL(futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 4, &t);
	CALL(futex, &word, FUTEX_WAIT, 5, &none);
	CALL(futex, &word, FUTEX_WAIT, 5, &bad);
	CALL(futex, &word, FUTEX_WAIT, 5, BAD);
	CALL(futex, BAD, FUTEX_WAIT, 5, &t);
	CALL(futex, (char *)&word + 1, FUTEX_WAIT, 5, &t);
	check("none of them waited", now() - start < 40 * MS);
	start = now();
	CALL(futex, &word, FUTEX_WAIT, 5, &t);
	check("50 ms", now() - start >= 50 * MS && now() - start < 500 * MS);
	start = now();
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (at.tv_nsec + 50 * MS) / (1000 * MS);
	at.tv_nsec = (at.tv_nsec + 50 * MS) % (1000 * MS);
	CALL(futex, &word, FUTEX_WAIT_BITSET, 5, &at, 0, 1);
	check("50 ms", now() - start >= 50 * MS && now() - start < 500 * MS);
	CALL(futex, &word, FUTEX_WAIT_BITSET, 5, &at, 0, 0);
	clock_gettime(CLOCK_REALTIME, &at);
	CALL(futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, &at, 0, 1);
	CALL(futex, &word, FUTEX_WAKE, 1);
	CALL(futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 100);
	CALL(futex, &word, FUTEX_WAKE_BITSET, 1, 0, 0, 1);
	CALL(futex, (char *)&word + 2, FUTEX_WAKE, 1);
	CALL(futex, &word, FUTEX_REQUEUE, 1, 1, &other);
	CALL(futex, &word, FUTEX_CMP_REQUEUE, 1, 1, &other, 5);
	CALL(futex, &word, FUTEX_CMP_REQUEUE, 1, 1, &other, 6);
	CALL(futex, &word, 99, 1);
}

/* ------------------------------------------------------------- time */

static int64_t raw_time(clockid_t clock)
{
	struct timespec t;

	syscall(SYS_clock_gettime, clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t libc_time(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void clocks(void)
{
	static const struct {
		clockid_t id;
		int64_t error;		/* between the vDSO and the call */
	} told[] = {
		{ CLOCK_REALTIME, 5 * MS }, { CLOCK_MONOTONIC, 5 * MS }, { CLOCK_MONOTONIC_RAW, 5 * MS },
		{ CLOCK_BOOTTIME, 5 * MS }, { CLOCK_REALTIME_COARSE, 20 * MS }, { CLOCK_MONOTONIC_COARSE, 20 * MS },
		{ CLOCK_PROCESS_CPUTIME_ID, 20 * MS }, { CLOCK_THREAD_CPUTIME_ID, 20 * MS }, { CLOCK_TAI, 5 * MS },
	};
	struct timespec t;
	struct timeval tv;
	time_t stored;

	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		int64_t best = INT64_MAX;

		/* between two calls, whatever happens to this process meanwhile */
		for (int k = 0; k < 20; k++) {
			int64_t before = raw_time(told[i].id), mine = libc_time(told[i].id), after = raw_time(told[i].id);
			int64_t off = mine < before ? before - mine : mine > after ? mine - after : 0;

			if (off < best)
				best = off;
		}
		printf("clock %d: %s", told[i].id, best <= told[i].error ? "agrees" : "off");
		if (best > told[i].error)
			printf(" by %lld us", (long long)best / 1000);
		printf(", resolution %s\n", clock_getres(told[i].id, &t) ? "unknown" :
		       t.tv_sec == 0 && t.tv_nsec > 0 && t.tv_nsec <= 10 * MS ? "right" : "wrong");
	}
	check("gettimeofday", !gettimeofday(&tv, NULL) && llabs(raw_time(CLOCK_REALTIME) / 1000000000 - tv.tv_sec) <= 1);
	check("time", llabs(time(&stored) - raw_time(CLOCK_REALTIME) / 1000000000) <= 1 && llabs(stored - tv.tv_sec) <= 1);
	check("the raw calls", llabs(syscall(SYS_time, NULL) - stored) <= 1 && !syscall(SYS_gettimeofday, &tv, NULL) &&
	      llabs(tv.tv_sec - stored) <= 1);
	CALL(clock_gettime, 99, &t);
	CALL(clock_gettime, -1, &t);
	CALL(clock_gettime, CLOCK_REALTIME, BAD);
	CALL(clock_getres, 99, &t);
	CALL(clock_getres, CLOCK_REALTIME, 0);
	CALL(gettimeofday, BAD, 0);
	CALL(gettimeofday, 0, 0);
	CALL(clock_nanosleep, 99, 0, &t, 0);
	CALL(nanosleep, BAD, 0);
	t.tv_nsec = 1000 * MS;
	CALL(nanosleep, &t, 0);
	t.tv_nsec = -1;
	CALL(nanosleep, &t, 0);
	t.tv_sec = -1;
	t.tv_nsec = 0;
	CALL(nanosleep, &t, 0);
}

/* Every clock, read again and again by vDSO and now and then by call, never goes back. */
static void monotonic(void)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_REALTIME };
	int64_t last[ARRAY_SIZE(clocks)] = { 0 };
	int back = 0;

	for (int i = 0; i < 1000000; i++) {
		size_t c = i % 8 < 5 ? 0 : i % 8 - 4;
		int64_t t = i % 1000 ? libc_time(clocks[c]) : raw_time(clocks[c]);

		back += t < last[c];
		last[c] = t;
	}
	printf("1000000 readings, %d went back\n", back);
}

/* Host time around it: natively and in the guest the same clock. */
static void tell_time(void)
{
	printf("%lld %lld\n", (long long)libc_time(CLOCK_MONOTONIC), (long long)libc_time(CLOCK_REALTIME));
	fflush(stdout);
}

static void usage(void)
{
	struct rusage use;
	struct tms t;
	clock_t before = times(&t);
	int64_t end = libc_time(CLOCK_PROCESS_CPUTIME_ID) + 60 * MS;
	static volatile char touched[8 << 20];

	while (libc_time(CLOCK_PROCESS_CPUTIME_ID) < end)
		;
	for (size_t i = 0; i < sizeof(touched); i += 4096)
		touched[i] = 1;
	check("times goes on", times(&t) - before >= 5 && t.tms_utime + t.tms_stime >= 5);
	check("no children", !t.tms_cutime && !t.tms_cstime);
	CALL(getrusage, RUSAGE_SELF, &use);
	check("CPU time was used", use.ru_utime.tv_sec * 1000000 + use.ru_utime.tv_usec +
	      use.ru_stime.tv_sec * 1000000 + use.ru_stime.tv_usec >= 50000);
	check("memory was used", use.ru_maxrss >= 8 << 10);
	CALL(getrusage, RUSAGE_THREAD, &use);
	CALL(getrusage, 99, &use);
	CALL(getrusage, RUSAGE_SELF, BAD);
	check("times without a place", times(NULL) > 0);
}

/* ------------------------------------------------------------- what is not there */

static void absent(void)
{
	static const long numbers[] = { 500, 511, 512, 513, 1000, 0x7fffffff, 0x80000000, 0xffffffff, -1, -2,
					0x40000000, 0x40000027 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		long ret = syscall(numbers[i], 1, 2, 3, 4, 5, 6);

		printf("call %#lx: %ld errno %d\n", numbers[i], ret, errno);
	}
	/* the upper half of RAX does not count */
	check("getpid with rubbish above", syscall(0xabcdef0000000000 | SYS_getpid) == getpid());
}

/* ------------------------------------------------------------- ends */

static void odd_end(void)
{
	sigset_t all;

	/* everything blocked, on a strange stack, with strange flags */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	asm volatile("pushq $0x244ed7; popf; xor %%esp, %%esp; mov $231, %%eax; mov $77, %%edi; syscall; ud2"
		     : : : "memory");
}

static void old_exit(void)
{
	syscall(SYS_exit, 0x1234);
}

static void exit_in_handler(int sig)
{
	_exit(40 + sig);
}

static void end_in_handler(void)
{
	signal(SIGILL, exit_in_handler);
	asm volatile("ud2");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "ids", ids },
	{ "names", names },
	{ "limits", limits },
	{ "capabilities", capabilities },
	{ "scheduling", scheduling },
	{ "copies", copies },
	{ "thread", thread },
	{ "futexes", futexes },
	{ "clocks", clocks },
	{ "monotonic", monotonic },
	{ "tell-time", tell_time },
	{ "usage", usage },
	{ "absent", absent },
	{ "odd-end", odd_end },
	{ "old-exit", old_exit },
	{ "end-in-handler", end_in_handler },
};

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "exit"))
		return atoi(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "exit_group"))
		syscall(SYS_exit_group, atoi(argv[2]));
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(cases); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	return 2;
}
