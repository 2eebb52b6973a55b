/* SPDX-License-Identifier: GPL-2.0-only */
/* What an ordinary process is told of its policy and its nice value, and may make of them: sched(7). */
#include "process.h"
#include "sched_attr.h"

#include <linux/capability.h>
#include <sched.h>

#define SYS(call, ...) show(#call "(" #__VA_ARGS__ ")", syscall(SYS_##call, __VA_ARGS__))

static void show_policy(const char *what, long pid)
{
	struct attr attr = { 0 };
	int err = syscall(SYS_sched_getattr, pid, &attr, 56, 0);

	printf("%s: %d, policy %u flags %lx nice %d priority %u; %lx\n", what, err, attr.policy, attr.flags, attr.nice, attr.priority,
	       syscall(SYS_sched_getscheduler, pid));
}

static void set_policy(const char *what, long policy, int priority)
{
	struct sched_param p = { priority };

	printf("%s: ", what);
	SYS(sched_setscheduler, 0, policy, &p);
	show_policy(" then", 0);
}

static void set_attr(const char *what, struct attr attr)
{
	printf("%s: ", what);
	SYS(sched_setattr, 0, &attr, 0);
	printf(" size %u\n", attr.size);
	show_policy(" then", 0);
}

static void *thread_policy(void *wanted)
{
	show_policy("a thread inherits", 0);
	set_policy("its own", SCHED_IDLE, 0);
	setpriority(PRIO_PROCESS, 0, 12);
	show_policy("with a nice value of its own", 0);
	return wanted;
}

static void policies(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct rlimit limit = { 0, 0 };
	struct sched_param p = { 0 };
	unsigned long cpus = 0;
	pthread_t thread;

	/* as an ordinary user */
	setrlimit(RLIMIT_NICE, &limit);
	setrlimit(RLIMIT_RTPRIO, &limit);
	syscall(SYS_capset, &h, none);
	show_policy("at first", 0);
	show_policy("of who has started it", getppid());
	SYS(sched_getparam, getppid(), &p);
	SYS(getpriority, PRIO_PROCESS, getppid());
	SYS(sched_getaffinity, getppid(), sizeof(cpus), &cpus);
	set_policy("FIFO", SCHED_FIFO, 1);
	set_policy("FIFO without a priority", SCHED_FIFO, 0);
	set_policy("RR", SCHED_RR, 99);
	set_policy("RR of 100", SCHED_RR, 100);
	set_policy("DEADLINE", SCHED_DEADLINE, 0);
	set_policy("4", 4, 0);
	set_policy("-1", -1, 0);
	set_policy("BATCH with a priority", SCHED_BATCH, 1);
	set_policy("BATCH", SCHED_BATCH, 0);
	SYS(sched_setparam, 0, &p);
	pthread_create(&thread, NULL, thread_policy, NULL);
	pthread_join(thread, NULL);
	show_policy("the first one's", 0);
	set_policy("OTHER", SCHED_OTHER, 0);
	SYS(setpriority, PRIO_PROCESS, 0, 3);
	SYS(setpriority, PRIO_PROCESS, 0, 2);
	SYS(setpriority, PRIO_USER, 77777, 4);
	SYS(getpriority, PRIO_PGRP, 0);
	show_policy("a nice value of 3", 0);
	set_attr("5", (struct attr){ .size = 48, .policy = SCHED_BATCH, .nice = 5 });
	set_attr("less", (struct attr){ .size = 48, .policy = SCHED_BATCH, .nice = 4 });
	set_attr("too short", (struct attr){ .size = 40 });
	set_attr("no size", (struct attr){ .policy = SCHED_OTHER, .nice = 99 });
	set_attr("longer", (struct attr){ .size = 64, .policy = SCHED_OTHER, .nice = 19 });
	set_attr("longer, with something there", (struct attr){ .size = 64, .policy = SCHED_OTHER, .nice = 19, .more = { 0, 1 } });
	set_attr("an unknown flag", (struct attr){ .size = 48, .flags = 0x100, .nice = 19 });
	set_attr("clamps without room", (struct attr){ .size = 48, .flags = 0x20, .nice = 19 });
	set_attr("a negative policy", (struct attr){ .size = 48, .policy = -1u, .nice = 19 });
	set_attr("its own policy", (struct attr){ .size = 48, .flags = 8, .policy = SCHED_FIFO, .nice = 19 });
	set_attr("its own values", (struct attr){ .size = 48, .flags = 0x10, .policy = SCHED_BATCH });
	set_attr("a deadline", (struct attr){ .size = 48, .policy = SCHED_DEADLINE, .runtime = 1000000, .deadline = 2000000 });
	set_attr("one that is none", (struct attr){ .size = 48, .policy = SCHED_DEADLINE, .runtime = 3000000, .deadline = 2000000 });
	set_policy("kept from children", SCHED_BATCH | SCHED_RESET_ON_FORK, 0);
	set_policy("which stays", SCHED_BATCH, 0);
	fflush(stdout);
	if (!fork()) {
		show_policy("a child", 0);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	set_policy("IDLE", SCHED_IDLE | SCHED_RESET_ON_FORK, 0);
	set_policy("back", SCHED_OTHER | SCHED_RESET_ON_FORK, 0);
	fflush(stdout);
	execl("/proc/self/exe", "sys_small", "policy", NULL);
}

static void policy(void)
{
	char line[1024] = "", *p;
	unsigned long field[64] = { 0 };
	int n = 0;
	FILE *f = fopen("/proc/self/stat", "r");

	show_policy("executed", 0);
	if (!f || !fgets(line, sizeof(line), f))
		exit(1);
	for (p = strrchr(line, ')'); p && n < 64; p = strchr(p + 1, ' '))
		field[n++] = strtol(p + 1, NULL, 10);
	/* proc(5) counts from 1, and what is before the bracket */
	printf("priority %ld nice %ld policy %ld\n", field[18 - 2], field[19 - 2], field[41 - 2]);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		policy();
	else
		policies();
	return 0;
}
