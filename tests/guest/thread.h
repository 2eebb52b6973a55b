/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the threads* programs share. Each is "PROGRAM NAME [NUMBER]" and prints
 * the same in any order of its threads: what depends on that, or on ids and
 * times, is checked in the program and only the verdict printed. Whoever waits
 * for another waits until it happens; a program that hangs meets the deadline
 * of its test.
 */
#ifndef GUEST_THREAD_H
#define GUEST_THREAD_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE 4096ul
#define MS 1000000ll
#define BAD 8l		/* an address where nothing is */

/* The second argument as a number, or 0. */
static int argument;

static inline void check(const char *what, bool good)
{
	printf("%s: %s\n", what, good ? "yes" : "NO");
}

/* A call that returns -1 and errno: its result, or the error by name. */
static inline void show(const char *what, long ret)
{
	if (ret == -1)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
}

/* One that returns the error. */
static inline void show_error(const char *what, int error)
{
	printf("%s: %s\n", what, error ? strerrorname_np(error) : "ok");
}

#define CALL(nr, ...) show(#nr "(" #__VA_ARGS__ ")", syscall(SYS_##nr, ##__VA_ARGS__))
#define TRY(call) show_error(#call, call)

static inline pthread_t start(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, run, arg);

	if (error) {
		printf("pthread_create: %s\n", strerrorname_np(error));
		exit(100);
	}
	return thread;
}

static inline void *join(pthread_t thread)
{
	void *value = NULL;
	int error = pthread_join(thread, &value);

	if (error) {
		printf("pthread_join: %s\n", strerrorname_np(error));
		exit(101);
	}
	return value;
}

#define MAX_THREADS 256

/* count threads of run(number), all joined: the sum of what they return. */
static inline long run_threads(int count, void *(*run)(void *))
{
	pthread_t threads[MAX_THREADS];
	long sum = 0;

	for (int i = 0; i < count; i++)
		threads[i] = start(run, (void *)(long)i);
	for (int i = 0; i < count; i++)
		sum += (long)join(threads[i]);
	return sum;
}

static inline int64_t now_by(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

static inline int64_t now(void)
{
	return now_by(CLOCK_MONOTONIC);
}

/* The time of a clock in so many milliseconds. */
static inline struct timespec after_ms(clockid_t clock, int ms)
{
	int64_t t = now_by(clock) + ms * MS;

	return (struct timespec){ t / (1000 * MS), t % (1000 * MS) };
}

static inline void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * MS };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t))
		;
}

#define WAIT_UNTIL(condition) \
	do { \
		while (!(condition)) \
			sleep_ms(1); \
	} while (0)

/* Mostly without calls; where threads are more than CPUs those who are awaited get their turn: by a nap, not by a
 * yield, which a busy machine's scheduler makes one pay for. */
#define SPIN_UNTIL(condition) \
	do { \
		for (unsigned int spins_ = 1; !(condition); spins_++) { \
			__builtin_ia32_pause(); \
			if (spins_ % 10000 == 0) \
				clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 50000 }, NULL); \
		} \
	} while (0)

static inline pid_t tid(void)
{
	return syscall(SYS_gettid);
}

static inline int tgkill_(pid_t thread, int sig)
{
	return syscall(SYS_tgkill, getpid(), thread, sig);
}

static inline void catch_flags(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction act = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	if (sigaction(sig, &act, NULL)) {
		perror("sigaction");
		exit(102);
	}
}

static inline sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static inline void block(int sig)
{
	sigset_t set = set_of(sig);

	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static inline void unblock(int sig)
{
	sigset_t set = set_of(sig);

	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Runs the part that the first argument names. */
struct part {
	const char *name;
	void (*run)(void);
};

static inline int run_part(int argc, char **argv, const struct part *parts, size_t count)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	argument = argc > 2 ? atoi(argv[2]) : 0;
	for (size_t i = 0; argc > 1 && i < count; i++)
		if (!strcmp(argv[1], parts[i].name)) {
			parts[i].run();
			return 0;
		}
	return 99;
}

#endif
