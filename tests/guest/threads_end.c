/* SPDX-License-Identifier: GPL-2.0-only */
/* How a process of threads ends, by one of them or from outside. */
#include "thread.h"

#include <sys/mman.h>

static atomic_int count, handled;

static void *leave(void *arg)
{
	return arg;
}

static void *print_later(void *arg)
{
	sleep_ms(30);
	printf("after main\n");
	if (arg)
		exit((long)arg);
	return NULL;
}

/* main leaves, the last one ends the process, or another one by exit(). */
static void main_leaves(void)
{
	start(print_later, (void *)(long)argument);
	pthread_exit(NULL);
}

static void *leave_by_call(void *arg)
{
	(void)arg;
	sleep_ms(20);
	printf("after main\n");
	syscall(SYS_exit, 5);
	return NULL;
}

/* Leaving by the bare call: the process's status is that of its last thread. */
static void leader_status(void)
{
	start(leave_by_call, NULL);
	syscall(SYS_exit, 9);
}

static pthread_t first;
static int ends[2];
static uint32_t word;
static int *volatile nowhere = (int *)BAD;

static void *spin(void *arg)
{
	count++;
	for (;;)
		asm volatile("pause");
	return arg;
}

static void *sleep_long(void *arg)
{
	count++;
	for (;;)
		sleep_ms(100000);
	return arg;
}

static void *read_nothing(void *arg)
{
	char c;

	count++;
	if (read(ends[0], &c, 1) >= 0 || errno)
		printf("read ended\n");
	return arg;
}

static void *wait_for_ever(void *arg)
{
	count++;
	for (;;)
		syscall(SYS_futex, &word, 128, 0, NULL);
	return arg;
}

static void *call_all_the_time(void *arg)
{
	count++;
	for (;;)
		syscall(SYS_getppid);
	return arg;
}

static void *fault_all_the_time(void *arg)
{
	count++;
	for (;;) {
		char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*p = 1;
		munmap(p, PAGE);
	}
	return arg;
}

static void *make_all_the_time(void *arg)
{
	count++;
	for (;;)
		join(start(leave, NULL));
	return arg;
}

static void busy(void)
{
	static void *(*const all[])(void *) = { spin, sleep_long, read_nothing, wait_for_ever, call_all_the_time,
						fault_all_the_time };

	if (pipe(ends))
		exit(98);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(all); i++)
		start(all[i % ARRAY_SIZE(all)], NULL);
	start(make_all_the_time, NULL);
	WAIT_UNTIL(count >= (int)(2 * ARRAY_SIZE(all)));
	/* those that block have come to it, more or less */
	sleep_ms(20);
}

static void *end_process(void *arg)
{
	switch ((long)arg) {
	case 0:
		exit(7);
	case 1:
		_exit(8);
	case 2:
		*nowhere = 1;
		break;
	case 3:
		abort();
	case 4:
		asm volatile("ud2");
		break;
	case 5:
		tgkill_(tid(), SIGTERM);
		break;
	case 6:
		kill(getpid(), SIGKILL);
		break;
	case 7:
		kill(getpid(), SIGINT);
		break;
	case 8:
		pthread_kill(first, SIGUSR1);
		break;
	case 9:
		syscall(SYS_exit_group, 0x12345);
		break;
	}
	for (;;)
		sleep_ms(1000);
	return NULL;
}

/* A thread ends the process in so many ways, others being all but idle. */
static void ended(void)
{
	first = pthread_self();
	busy();
	start(end_process, (void *)(long)argument);
	for (;;)
		sleep_ms(100000);
}

static void returns(void)
{
	busy();
	exit(argument);
}

/* Signals from outside, handled by the one thread that does not block them. */
static void tell(int sig, siginfo_t *info, void *context)
{
	char line[] = "handled 0\n";

	(void)sig, (void)info, (void)context;
	line[8] += ++handled;
	write(1, line, sizeof(line) - 1);
}

static void *be_told(void *arg)
{
	unblock(SIGUSR1);
	WAIT_UNTIL(handled == 5);
	exit(7);
	return arg;
}

static void outside(void)
{
	catch_flags(SIGUSR1, tell, SA_RESTART);
	block(SIGUSR1);
	busy();
	start(be_told, NULL);
	printf("ready\n");
	for (;;)
		sleep_ms(100000);
}

static const struct part parts[] = {
	{ "main-leaves", main_leaves }, { "leader-status", leader_status }, { "ended", ended },
	{ "returns", returns }, { "outside", outside },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
