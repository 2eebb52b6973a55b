/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Has the runner make attempts (../takeover.c).
 *
 *	takeover close NUMBER	one, in the first process
 *	takeover wait for-ever	no attempt: two processes with two threads each, says so
 *	takeover FIRST COUNT	each in a process of its own; a line for each tells its number,
 *				and its result or the signal that killed that process's runner
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../takeover.h"

static int each(unsigned int first, unsigned int count)
{
	long *result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (unsigned int n = first; n < first + count; n++) {
		int status;
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid == 0) {
			*result = syscall(SYS_close, TAKEOVER | n);
			if (*result < 0)
				*result = -errno;
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid)
			return 1;
		if (WIFSIGNALED(status))
			printf("%u killed %d\n", n - first, WTERMSIG(status));
		else
			printf("%u result %ld\n", n - first, *result);
		fflush(stdout);
	}
	return 0;
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int wait_in_many(void)
{
	pthread_t thread;
	int ends[2];
	pid_t pid;
	char c;

	if (pipe(ends))
		return 1;
	pid = fork();
	if (pid < 0 || pthread_create(&thread, NULL, wait_for_ever, NULL))
		return 1;
	/* to its parent's end */
	if (!pid) {
		close(ends[1]);
		return read(ends[0], &c, 1);
	}
	/* the child is on its way, and as jailed */
	puts("ready");
	fflush(stdout);
	return wait_for_ever(NULL) != NULL;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "wait") == 0)
		return wait_in_many();
	if (strcmp(argv[1], "close") == 0)
		return syscall(SYS_close, strtoul(argv[2], NULL, 0)) ? 1 : 0;

	return each(strtoul(argv[1], NULL, 0), strtoul(argv[2], NULL, 0));
}
