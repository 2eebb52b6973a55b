/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that only something outside ends: "sys_endless NAME". */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* Not one call from here on. */
static void spin(void)
{
	for (;;)
		;
}

static void nothing(int sig)
{
	(void)sig;
}

/* Within the shim nearly all the time. */
static void signals(void)
{
	signal(SIGUSR1, nothing);
	for (;;)
		raise(SIGUSR1);
}

/* Deaf to all that can be blocked or ignored. */
static void deaf(void)
{
	sigset_t all;

	for (int sig = 1; sig <= 64; sig++)
		signal(sig, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	ready();
	for (;;)
		;
}

static void blocked_read(void)
{
	int fds[2];
	char c;

	if (pipe(fds))
		exit(3);
	for (;;)
		if (read(fds[0], &c, 1) == 1)
			exit(3);
}

static void sleeper(void)
{
	ready();
	for (;;)
		sleep(100);
}

static void __attribute__((noinline)) recurse(volatile char *above)
{
	volatile char room[512];

	room[0] = above[0];
	if (above[0] == 1)
		recurse(room);
	above[0] = room[0];
}

static void recursion(void)
{
	volatile char endless = 1;

	recurse(&endless);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "spin", spin },
	{ "signals", signals },
	{ "deaf", deaf },
	{ "blocked-read", blocked_read },
	{ "sleep", sleeper },
	{ "recursion", recursion },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(cases); i++)
		if (!strcmp(argv[1], cases[i].name))
			cases[i].run();
	return 2;
}
