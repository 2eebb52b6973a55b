/* SPDX-License-Identifier: GPL-2.0-only */
/* How other processes, and their threads, are scheduled, and their limits: as an ordinary user may ask for them and set them. */
#include "process.h"
#include "sched_attr.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

/* What processes tell each other. */
static struct told {
	atomic_int ready, go, nice, tid, wrong;
	atomic_int pid[8];
} *told;

static void until(atomic_int *what, int value)
{
	while (*what < value)
		sleep_ms(1);
}

/* Whatever may be asked about it. */
static void show_task(const char *what, pid_t pid)
{
	struct sched_param param = { 7 };
	struct attr attr = { 0 };
	struct timespec ts;
	unsigned long cpus = 0;
	struct rlimit files = { 0 };

	printf("%s: %ld", what, syscall(SYS_getpriority, PRIO_PROCESS, pid));
	printf(" %lx", syscall(SYS_sched_getscheduler, pid));
	printf(" %ld", syscall(SYS_sched_getparam, pid, &param));
	printf(" %d", param.sched_priority);
	printf(" %ld", syscall(SYS_sched_getattr, pid, &attr, sizeof(attr), 0));
	printf(" size %u policy %u flags %lx nice %d priority %u", attr.size, attr.policy, attr.flags, attr.nice, attr.priority);
	printf(" %s", syscall(SYS_sched_getaffinity, pid, sizeof(cpus), &cpus) < 0 ? "no CPUs" : cpus & 1 ? "on CPU 0" : "not on CPU 0");
	printf(" %ld", syscall(SYS_sched_rr_get_interval, pid, &ts));
	printf(" %lx", syscall(SYS_ioprio_get, 1, pid));
	printf(" %ld", syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &files));
	printf(" files %lu %lu\n", files.rlim_cur, files.rlim_max);
}

/* A child that is at work until told->go is as much. */
static int waits(long go)
{
	told->ready++;
	until(&told->go, go);
	return 0;
}

static int has_its_own(long unused)
{
	const struct sched_param param = { 0 };
	const unsigned long cpus = 1;
	const struct rlimit files = { 55, 66 };

	(void)unused;
	setpriority(PRIO_PROCESS, 0, 5);
	sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &param);
	syscall(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus);
	setrlimit(RLIMIT_NOFILE, &files);
	return waits(1);
}

static void asked(void)
{
	pid_t pid = child(has_its_own, 0);
	struct attr attr;
	unsigned long cpus;

	until(&told->ready, 1);
	show_task("a child", pid);
	printf("and this one: %d\n", getpriority(PRIO_PROCESS, 0));
	CALL(sched_getparam, pid, NULL);
	CALL(sched_getparam, pid, BAD);
	CALL(sched_getattr, pid, &attr, 47, 0);
	CALL(sched_getattr, pid, &attr, 48, 1);
	CALL(sched_getattr, pid, BAD, 48, 0);
	CALL(sched_getaffinity, pid, 7, &cpus);
	CALL(sched_getaffinity, pid, 8, BAD);
	CALL(sched_rr_get_interval, pid, BAD);
	CALL(prlimit64, pid, 16, NULL, NULL);
	CALL(prlimit64, pid, RLIMIT_CPU, BAD, NULL);
	CALL(prlimit64, pid, RLIMIT_CPU, NULL, BAD);
	CALL(prlimit64, pid, RLIMIT_CPU, NULL, NULL);
	CALL(getpriority, 3, pid);
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	show_task("stopped", pid);
	kill(pid, SIGKILL);
	waitid(P_PID, pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	show_task("a zombie", pid);
	CALL(setpriority, PRIO_PROCESS, pid, 9);
	printf("it has %d\n", getpriority(PRIO_PROCESS, pid));
	reap(pid);
	show_task("who is gone", pid);
	show_task("nobody", -5);
	CALL(setpriority, PRIO_PROCESS, pid, 9);
	CALL(sched_setaffinity, pid, 8, &cpus);
	CALL(sched_setaffinity, pid, 8, BAD);
	CALL(sched_setscheduler, pid, 99, &(struct sched_param){ 0 });
	CALL(sched_setparam, pid, &(struct sched_param){ 1 });
	CALL(sched_setattr, pid, &(struct attr){ .size = 48 }, 0);
	CALL(prlimit64, pid, 99, NULL, NULL);
	CALL(prlimit64, pid, 99, BAD, NULL);
	CALL(prlimit64, -1, RLIMIT_CPU, NULL, NULL);
}

/* IOPRIO_PRIO_VALUE() of linux/ioprio.h: real time, best effort, idle */
#define IO(class, level) ((class) << 13 | (level))
enum { RT = 1, BE, IDLE };

static void io(void)
{
	pid_t pid = child(waits, 1);

	for (int which = 0; which < 5; which++)
		show("nobody", syscall(SYS_ioprio_get, which, 4194303));
	show("self", syscall(SYS_ioprio_get, 1, 0));
	show("the group", syscall(SYS_ioprio_get, 2, 0));
	show("idle", syscall(SYS_ioprio_set, 1, 0, IO(IDLE, 0)));
	show_task("this one", 0);
	show("best effort", syscall(SYS_ioprio_set, 1, pid, IO(BE, 3)));
	show_task("the child", pid);
	show("the group", syscall(SYS_ioprio_get, 2, 0));
	show("real time", syscall(SYS_ioprio_set, 1, pid, IO(RT, 3)));
	show("no class", syscall(SYS_ioprio_set, 1, pid, IO(4, 0)));
	show("none with a level", syscall(SYS_ioprio_set, 1, pid, IO(0, 1)));
	show("nobody", syscall(SYS_ioprio_set, 1, 4194303, IO(BE, 1)));
	show("of no kind", syscall(SYS_ioprio_set, 4, 0, IO(BE, 1)));
	told->go = 1;
	reap(pid);
	pid = child(waits, 2);
	show_task("inherited", pid);
	told->go = 2;
	reap(pid);
	execl("/proc/self/exe", "process_sched", "executed", NULL);
}

/* As it is told to be by its parent; then what it is by its own word, and over execve(2). */
static int is_set(long unused)
{
	(void)unused;
	waits(1);
	show_task("by its own word", 0);
	execl("/proc/self/exe", "process_sched", "executed", NULL);
	return 1;
}

static int begets(long unused)
{
	(void)unused;
	waits(1);
	show_task("a child that is set", 0);
	if (!fork()) {
		show_task("its child", 0);
			_exit(0);
	}
	wait(NULL);
	return 0;
}

static void set(void)
{
	struct sched_param none = { 0 }, one = { 1 };
	struct attr attr = { .size = 48, .policy = SCHED_BATCH, .nice = 6 };
	unsigned long cpus = 1, no_cpus = 0;
	pid_t pid = child(is_set, 0);

	until(&told->ready, 1);
	CALL(setpriority, PRIO_PROCESS, pid, 4);
	CALL(setpriority, PRIO_PROCESS, pid, 3);
	CALL(sched_setattr, pid, &attr, 0);
	CALL(sched_setattr, pid, BAD, 0);
	attr.nice = 5;
	CALL(sched_setattr, pid, &attr, 0);
	CALL(sched_setscheduler, pid, SCHED_FIFO, &one);
	CALL(sched_setscheduler, pid, SCHED_FIFO, &none);
	CALL(sched_setscheduler, pid, 99, &none);
	CALL(sched_setparam, pid, &none);
	CALL(sched_setparam, pid, &one);
	CALL(sched_setscheduler, pid, SCHED_BATCH | SCHED_RESET_ON_FORK, &none);
	CALL(sched_setscheduler, pid, SCHED_BATCH, &none);
	CALL(sched_setaffinity, pid, 8, &no_cpus);
	CALL(sched_setaffinity, pid, 8, &cpus);
	show_task("as it was set", pid);
	told->go = 1;
	printf("ended with %d\n", ended(pid));

	told->ready = told->go = 0;
	pid = child(begets, 0);
	until(&told->ready, 1);
	CALL(sched_setscheduler, pid, SCHED_IDLE | SCHED_RESET_ON_FORK, &none);
	CALL(sched_setscheduler, pid, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
	told->go = 1;
	printf("ended with %d\n", ended(pid));
}

/* A parent, its parent and its sibling. */
static int sets_others(long unused)
{
	(void)unused;
	show("its parent", setpriority(PRIO_PROCESS, getppid(), 2));
	show("its sibling", setpriority(PRIO_PROCESS, told->pid[0], 3));
	show("its sibling's limit", prlimit(told->pid[0], RLIMIT_NOFILE, &(struct rlimit){ 44, 44 }, NULL));
	return 0;
}

static void related(void)
{
	pid_t pid = child(waits, 1);

	told->pid[0] = pid;
	until(&told->ready, 1);
	printf("ended with %d\n", code_of(reap(child(sets_others, 0))));
	show_task("this one", 0);
	show_task("the other", pid);
	told->go = 1;
	printf("ended with %d\n", ended(pid));
}

/* Its parent, the first process, stands still until it is told to go on. */
static int sets_who_is_stopped(long unused)
{
	char path[64], line[512] = "";
	unsigned long cpus = 1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", getppid());
	while (!strstr(line, ") T ")) {
		f = fopen(path, "r");
		if (!f || !fgets(line, sizeof(line), f))
			return 1;
		fclose(f);
	}
	show_task("it is stopped", getppid());
	show("its nice value", setpriority(PRIO_PROCESS, getppid(), 8));
	show("less", setpriority(PRIO_PROCESS, getppid(), 7));
	show("its CPUs", syscall(SYS_sched_setaffinity, getppid(), 8, &cpus));
	show("its limit", prlimit(getppid(), RLIMIT_NOFILE, &(struct rlimit){ 30, 40 }, NULL));
	show("more", prlimit(getppid(), RLIMIT_NOFILE, &(struct rlimit){ 30, 41 }, NULL));
	show_task("it is set", getppid());
	kill(getppid(), SIGCONT);
	return unused;
}

static void stopped(void)
{
	pid_t pid = child(sets_who_is_stopped, 0);

	raise(SIGSTOP);
	printf("ended with %d\n", ended(pid));
	show_task("this one goes on", 0);
	while (dup(0) >= 0)
		;
	printf("%s, and descriptor 29 is %s\n", strerrorname_np(errno), fcntl(29, F_GETFD) ? "none" : "one");
}

static void *second(void *unused)
{
	told->tid = gettid();
	until(&told->go, 1);
	told->nice = getpriority(PRIO_PROCESS, 0);
	return unused;
}

static int has_two(long unused)
{
	pthread_t thread = start(second, NULL);

	until(&told->tid, 1);
	waits(1);
	join(thread);
	printf("the first has %d, the second %d\n", getpriority(PRIO_PROCESS, 0), told->nice);
	return (int)unused;
}

/* A thread is a thread, whosever it is. */
static void threads(void)
{
	pid_t pid = child(has_two, 0);

	until(&told->ready, 1);
	show("the first", setpriority(PRIO_PROCESS, pid, 2));
	show("the second", setpriority(PRIO_PROCESS, told->tid, 4));
	show("its policy", sched_setscheduler(told->tid, SCHED_BATCH, &(struct sched_param){ 0 }));
	show("its process's limit", prlimit(told->tid, RLIMIT_NOFILE, &(struct rlimit){ 70, 80 }, NULL));
	show_task("the first", pid);
	show_task("the second", told->tid);
	told->go = 1;
	printf("ended with %d\n", ended(pid));
	show("when it is gone", getpriority(PRIO_PROCESS, told->tid));
}

static int in_group(long nice)
{
	setpgid(0, told->pid[0]);
	setpriority(PRIO_PROCESS, 0, nice);
	if (!told->pid[0])
		told->pid[0] = getpid();
	return waits(1);
}

static void *nicer(void *nice)
{
	setpriority(PRIO_PROCESS, 0, *(int *)nice);
	told->ready++;
	until(&told->go, 1);
	return (void *)(long)getpriority(PRIO_PROCESS, 0);
}

/* A group of one process, whose first thread must not be raised, but the second may. */
static int alone_in_group(long unused)
{
	int nice = 3;
	pthread_t thread;

	(void)unused;
	setpgid(0, 0);
	thread = start(nicer, &nice);
	until(&told->ready, 1);
	setpriority(PRIO_PROCESS, 0, 10);
	show("its own group", setpriority(PRIO_PGRP, 0, 5));
	show("has", getpriority(PRIO_PGRP, 0));
	told->go = 1;
	printf("the first has %d, the second %ld\n", getpriority(PRIO_PROCESS, 0), (long)join(thread));
	return 0;
}

static void groups(void)
{
	pid_t a = child(in_group, 10), b, c;

	until(&told->ready, 1);
	b = child(in_group, 3);
	c = child(in_group, 4);
	until(&told->ready, 3);
	show("a group has", getpriority(PRIO_PGRP, a));
	show("it is to have 5", setpriority(PRIO_PGRP, a, 5));
	printf("%d %d %d\n", getpriority(PRIO_PROCESS, a), getpriority(PRIO_PROCESS, b), getpriority(PRIO_PROCESS, c));
	show("it is to have 11", setpriority(PRIO_PGRP, a, 11));
	printf("%d %d %d\n", getpriority(PRIO_PROCESS, a), getpriority(PRIO_PROCESS, b), getpriority(PRIO_PROCESS, c));
	show("no leader", setpriority(PRIO_PGRP, b, 11));
	show("this one's has", getpriority(PRIO_PGRP, 0));
	told->go = 1;
	reap(b);
	reap(c);
	waitid(P_PID, a, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	show("of a zombie alone", setpriority(PRIO_PGRP, a, 12));
	show("it has", getpriority(PRIO_PGRP, a));
	reap(a);
	show("gone", getpriority(PRIO_PGRP, a));
	told->ready = told->go = 0;
	printf("ended with %d\n", ended(child(alone_in_group, 0)));
}

#define ROUNDS 8

static int begins(long unused)
{
	(void)unused;
	until(&told->go, 1);
	return getpriority(PRIO_PROCESS, 0);
}

static int executes(long unused)
{
	(void)unused;
	execl("/proc/self/exe", "process_sched", "again", "1", NULL);
	return 255;
}

/* However a process begins, or becomes another program, what it is set to it has. */
static void meanwhile(void)
{
	int wrong = 0;
	pid_t pid;

	for (int i = 1; i <= ROUNDS; i++) {
		told->go = 0;
		pid = child(begins, 0);
		wrong += setpriority(PRIO_PROCESS, pid, i) != 0;
		told->go = 1;
		wrong += ended(pid) != i;
	}
	printf("at once: %d wrong\n", wrong);
	pid = child(executes, 0);
	for (int i = 1, status; i <= 19; i++) {
		wrong += setpriority(PRIO_PROCESS, pid, i) != 0 || getpriority(PRIO_PROCESS, pid) != i;
		sleep_ms(3);
		wrong += i < 19 && waitpid(pid, &status, WNOHANG) != 0;
	}
	wrong += ended(pid) != 19;
	printf("while it executes: %d wrong\n", wrong);
}

/* Executes itself until it has what it is to have. */
static void again(const char *round)
{
	int nice = getpriority(PRIO_PROCESS, 0);
	char next[16];

	if (nice == 19)
		exit(19);
	snprintf(next, sizeof(next), "%d", atoi(round) + 1);
	execl("/proc/self/exe", "process_sched", "again", next, NULL);
}

/* ------------------------------------------------------------- limits */

static int opens(long unused)
{
	int fd;

	(void)unused;
	waits(1);
	while ((fd = dup(0)) >= 0 && fd < 200)
		;
	printf("%s at %d", fd < 0 ? strerrorname_np(errno) : "none", fd);
	fd = memfd_create("file", 0);
	close(20);
	fd = memfd_create("file", 0);
	signal(SIGXFSZ, SIG_IGN);
	printf(", %s\n", ftruncate(fd, 5000) ? strerrorname_np(errno) : "as long as wanted");
	return 0;
}

static int recurses(long depth)
{
	volatile char page[4096];

	page[0] = depth;
	return depth ? recurses(depth - 1) + page[0] : 0;
}

static int goes_deep(long unused)
{
	(void)unused;
	waits(1);
	return recurses(1000) & 0;
}

static void set_limit(const char *what, pid_t pid, int which, rlim_t soft, rlim_t hard)
{
	struct rlimit to = { soft, hard }, was = { 1, 1 }, is = { 2, 2 };
	int err = prlimit(pid, which, &to, &was) ? errno : 0;

	printf("%s: %s", what, err ? strerrorname_np(err) : "ok");
	prlimit(pid, which, NULL, &is);
	printf("; was %ld %ld, is %ld %ld\n", (long)was.rlim_cur, (long)was.rlim_max, (long)is.rlim_cur, (long)is.rlim_max);
}

static void limits(void)
{
	const struct rlimit files = { 150, 180 }, stack = { 8 << 20, 64 << 20 }, size = { 100000, 200000 }, cpu = { 900, 1000 };
	pid_t pid;

	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_STACK, &stack);
	setrlimit(RLIMIT_FSIZE, &size);
	setrlimit(RLIMIT_CPU, &cpu);
	pid = child(opens, 0);
	until(&told->ready, 1);
	set_limit("fewer files", pid, RLIMIT_NOFILE, 40, 50);
	set_limit("more", pid, RLIMIT_NOFILE, 40, 51);
	set_limit("more than at most", pid, RLIMIT_NOFILE, 52, 51);
	set_limit("as many as may be", pid, RLIMIT_NOFILE, 50, 50);
	set_limit("shorter files", pid, RLIMIT_FSIZE, 4096, 4096);
	set_limit("no core", pid, RLIMIT_CORE, 0, 0);
	set_limit("a raised core", pid, RLIMIT_CORE, 0, 1);
	told->go = 1;
	printf("ended with %d\n", ended(pid));
	pid = getpid();
	set_limit("this one's", pid, RLIMIT_NOFILE, 150, 180);

	told->ready = told->go = 0;
	pid = child(goes_deep, 0);
	until(&told->ready, 1);
	set_limit("a short stack", pid, RLIMIT_STACK, 1 << 20, 64 << 20);
	told->go = 1;
	printf("ended with %d\n", ended(pid));
	told->ready = told->go = 0;
	pid = child(goes_deep, 0);
	until(&told->ready, 1);
	told->go = 1;
	printf("with a longer one %d\n", ended(pid));

	pid = child(compute_forever, 0);
	set_limit("CPU time", pid, RLIMIT_CPU, 1, 3);
	printf("ended with %d\n", ended(pid));
}

/* ------------------------------------------------------------- many */

static int sets_all(long number)
{
	told->pid[number] = getpid();
	told->ready++;
	until(&told->ready, 4);
	for (int round = 0; round < 5; round++)
		for (int i = 0; i < 4; i++) {
			told->wrong += sched_setscheduler(told->pid[i], SCHED_BATCH, &(struct sched_param){ 0 }) != 0;
			told->wrong += sched_getscheduler(told->pid[i]) != SCHED_BATCH;
		}
	told->go++;
	until(&told->go, 4);
	return 0;
}

static void crowd(void)
{
	pid_t pid[4];

	for (int i = 0; i < 4; i++)
		pid[i] = child(sets_all, i);
	for (int i = 0; i < 4; i++)
		printf("ended with %d\n", ended(pid[i]));
	printf("%d wrong\n", told->wrong);
}

/* ------------------------------------------------------------- process 1, which is root's: not natively, where this may be root */

static void roots(void)
{
	struct sched_param none = { 0 };
	unsigned long cpus = 1;
	struct rlimit limit;

	/* with and without other processes */
	for (int i = 0; i < 2; i++) {
		CALL(getpriority, PRIO_PROCESS, 1);
		CALL(getpriority, PRIO_PGRP, 1);
		CALL(sched_getscheduler, 1);
		CALL(setpriority, PRIO_PROCESS, 1, 5);
		CALL(setpriority, PRIO_PGRP, 1, 5);
		CALL(sched_setscheduler, 1, SCHED_BATCH, &none);
		CALL(sched_setparam, 1, &none);
		CALL(sched_setattr, 1, &(struct attr){ .size = 48 }, 0);
		CALL(sched_setaffinity, 1, 8, &cpus);
		CALL(prlimit64, 1, RLIMIT_NOFILE, NULL, &limit);
		CALL(prlimit64, 1, RLIMIT_NOFILE, &limit, NULL);
		CALL(getpriority, PRIO_USER, 0);
		CALL(getpriority, PRIO_USER, getuid() + 1);
		CALL(setpriority, PRIO_USER, 0, 2 + i);
			if (!i)
			told->pid[0] = child(waits, 1);
	}
	printf("the other: %d\n", getpriority(PRIO_PROCESS, told->pid[0]));
	setpriority(PRIO_PROCESS, told->pid[0], 9);
	told->go = 1;
	reap(told->pid[0]);
	show("this one", getpriority(PRIO_PROCESS, 0));
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } all[] = {
		{ "stopped", stopped },
		{ "asked", asked }, { "set", set }, { "related", related }, { "threads", threads }, { "groups", groups },
		{ "meanwhile", meanwhile }, { "limits", limits }, { "io", io }, { "crowd", crowd }, { "roots", roots },
	};
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };
	const char *what = argc > 1 ? argv[1] : "";

	setlinebuf(stdout);
	/* as an ordinary user, also when it has executed something: natively this may be root */
	prctl(PR_SET_SECUREBITS, SECBIT_NOROOT);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 500, 600 });
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	setrlimit(RLIMIT_NICE, &(struct rlimit){ 0, 0 });
	setrlimit(RLIMIT_RTPRIO, &(struct rlimit){ 0, 0 });
	syscall(SYS_capset, &h, none);
	if (argc > 2)
		again(argv[2]);
	if (!strcmp(what, "executed"))
		show_task("executed", 0);
	told = shared(sizeof(*told));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(what, all[i].name))
			all[i].run();
	return 0;
}
