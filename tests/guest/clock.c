/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock order: the vDSO's clocks and the real call never go back against each
 * other, over renewals of the vDSO's data and past its end. One line: the
 * counts of steps back by clock.
 * clock fast N: N vDSO calls and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define N 6

static const int ids[N] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW,
			    CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE };

static long long ns(struct timespec t)
{
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void compare(long steps[N])
{
	struct timespec a, b, c;

	for (int i = 0; i < N; i++) {
		clock_gettime(ids[i], &a);
		syscall(SYS_clock_gettime, ids[i], &b);
		clock_gettime(ids[i], &c);
		steps[i] += (ns(b) < ns(a)) + (ns(c) < ns(b));
	}
}

static void compute(long long until)
{
	struct timespec t;

	/* no system call, and no vDSO call, for most of the time */
	do {
		for (volatile int k = 0; k < 50000000; k++)
			;
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while (ns(t) < until);
}

static int order(void)
{
	struct timespec t;
	long steps[N] = { 0 };
	long long begin;

	clock_gettime(CLOCK_MONOTONIC, &t);
	begin = ns(t);
	for (; ns(t) < begin + 1500000000; clock_gettime(CLOCK_MONOTONIC, &t))
		compare(steps);
	compute(ns(t) + 2500000000);
	compare(steps);
	compare(steps);
	for (int i = 0; i < N; i++)
		printf("%ld%c", steps[i], i < N - 1 ? ' ' : '\n');
	return 0;
}

int main(int argc, char **argv)
{
	struct timespec t;

	if (argc > 2 && strcmp(argv[1], "fast") == 0) {
		for (long n = atol(argv[2]); n-- > 0;)
			clock_gettime(CLOCK_MONOTONIC, &t);
		return 0;
	}
	return order();
}
