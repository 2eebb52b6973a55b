/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * late MS COMMAND...: how late a limit of MS milliseconds ends a command that never ends by itself
 *
 * Printed, in ms: how long after the command has set its timer (late_timer.c, preloaded) and the limit the last process
 * of the tree was gone, "-" when it has set none; and the CPU time of all of them beyond the limit.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
	return t.tv_sec * 1e3 + t.tv_usec / 1e3;
}

int main(int argc, char **argv)
{
	double limit = argc > 2 ? atof(argv[1]) : 0, gone;
	char text[64] = "";
	struct rusage usage;
	int p[2], status;
	pid_t pid;

	/* orphans are waited for here */
	if (!limit || pipe(p) || prctl(PR_SET_CHILD_SUBREAPER, 1) || (pid = fork()) < 0)
		return 2;
	if (!pid) {
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		setenv("LD_PRELOAD", "build/bench/late_timer.so", 1);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	close(p[1]);
	while (wait(&status) > 0 || errno == EINTR)
		;
	gone = now();
	if (read(p[0], text, sizeof(text) - 1) > 0)
		printf("%.1f ", gone - atof(text) - limit);
	else
		printf("- ");
	getrusage(RUSAGE_CHILDREN, &usage);
	printf("%.1f\n", ms(usage.ru_utime) + ms(usage.ru_stime) - limit);
	return 0;
}
