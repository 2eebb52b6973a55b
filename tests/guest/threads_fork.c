/* SPDX-License-Identifier: GPL-2.0-only */
/* The program's first fork(2), as soon as a thread has been joined, which may still be on its way out. */
#include "thread.h"

#include <sys/wait.h>

static void *nothing(void *unused)
{
	return unused;
}

int main(void)
{
	pthread_t thread;
	int status = 0;
	pid_t pid;

	pthread_create(&thread, NULL, nothing, NULL);
	pthread_join(thread, NULL);
	pid = fork();
	if (!pid)
		_exit(7);
	waitpid(pid, &status, 0);
	printf("ended with %d\n", WEXITSTATUS(status));
	return 0;
}
