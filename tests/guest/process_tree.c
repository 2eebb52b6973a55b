/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that are ended from outside, or outlive the first one; and how many there may be. */
#include "process.h"

static int in_read(long fd)
{
	char c;

	return read(fd, &c, 1);
}

static int with_child(long fd)
{
	child(in_read, fd);
	child(compute_forever, 0);
	return forever(0);
}

static void tree(void)
{
	int ends[2];

	if (pipe(ends))
		exit(1);
	child(with_child, ends[0]);
	child(forever, 0);
	child(compute_forever, 0);
	/* one that has lost its parent */
	if (!fork_or_end()) {
		child(forever, 0);
		_exit(0);
	}
	printf("ready\n");
	forever(0);
}

/* The first one ends, the others do not. */
static void left(void)
{
	child(with_child, 0);
	printf("ready\n");
	exit(3);
}

static void one(void)
{
	pid_t pid = child(forever, 0);

	printf("ready\n");
	printf("ended with %d\n", ended(pid));
}

/* A daemon, which has the file in the current directory written when its makers are gone. */
static void daemonised(void)
{
	int fd;

	if (fork_or_end())
		_exit(7);
	setsid();
	if (fork_or_end())
		_exit(0);
	for (int i = 0; i < 3; i++)
		close(i);
	sleep_ms(200);
	fd = open("written", O_WRONLY | O_CREAT, 0600);
	if (fork_or_end())
		_exit(9);
	_exit(write(fd, "by a daemon\n", 12) != 12);
}

static void limit(void)
{
	int ends[2], n = 0, found = 0;
	pid_t pids[20];
	char c;

	if (pipe(ends))
		exit(1);
	for (int round = 0; round < 3; round++) {
		for (n = 0; n < 20; n++) {
			pids[n] = fork();
			if (!pids[n]) {
				close(ends[1]);
				_exit(read(ends[0], &c, 1));
			}
			if (pids[n] < 0)
				break;
		}
		show("fork", n == 20 ? 0 : -1);
		for (int i = 0; i < n; i++) {
			kill(pids[i], SIGKILL);
			found += ended(pids[i]) == 1009;
		}
	}
	printf("%d in 3 rounds\n", found);
}

static const struct part parts[] = {
	{ "tree", tree },
	{ "left", left },
	{ "one", one },
	{ "daemonised", daemonised },
	{ "limit", limit },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
