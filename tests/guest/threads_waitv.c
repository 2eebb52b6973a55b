/* SPDX-License-Identifier: GPL-2.0-only */
/* futex_waitv(2): several words at once. */
#include "thread.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/wait.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define PRIVATE (FUTEX_32 | FUTEX_PRIVATE_FLAG)

static _Atomic uint32_t words[FUTEX_WAITV_MAX + 1];
static atomic_int handled;
static volatile pid_t waiter;

static struct futex_waitv at(_Atomic uint32_t *word, uint32_t value, uint32_t flags)
{
	return (struct futex_waitv){ .val = value, .uaddr = (uintptr_t)word, .flags = flags };
}

static long waitv(struct futex_waitv *w, unsigned int n, struct timespec *end, clockid_t clock)
{
	return syscall(SYS_futex_waitv, w, n, 0, end, clock);
}

/* Wakes one who waits for the word, who may not be there yet. */
static void wake_at_last(_Atomic uint32_t *word, int op)
{
	while (syscall(SYS_futex, word, op, 1, NULL, NULL, 0) != 1)
		sched_yield();
}

static void *wait_for_all(void *flags)
{
	struct futex_waitv w[FUTEX_WAITV_MAX];

	for (int i = 0; i < FUTEX_WAITV_MAX; i++)
		w[i] = at(&words[i], 0, (long)flags);
	return (void *)waitv(w, FUTEX_WAITV_MAX, NULL, 0);
}

static void any_of_them(void)
{
	static const int woken[] = { 0, 1, 77, FUTEX_WAITV_MAX - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(woken); i++) {
		pthread_t thread = start(wait_for_all, (void *)PRIVATE);

		wake_at_last(&words[woken[i]], FUTEX_WAKE_PRIVATE);
		printf("private, word %d: %ld\n", woken[i], (long)join(thread));
		thread = start(wait_for_all, (void *)FUTEX_32);
		wake_at_last(&words[woken[i]], FUTEX_WAKE);
		printf("word %d: %ld\n", woken[i], (long)join(thread));
	}
}

/* Each of 8 threads is woken by another word, none by one that is not its own. */
static void *wait_for_two(void *number)
{
	long n = (long)number;
	struct futex_waitv w[2] = { at(&words[2 * n], 0, PRIVATE), at(&words[2 * n + 1], 0, PRIVATE) };

	return (void *)waitv(w, 2, NULL, 0);
}

static void several(void)
{
	pthread_t threads[8];

	for (long i = 0; i < 8; i++)
		threads[i] = start(wait_for_two, (void *)i);
	for (int i = 0; i < 8; i++)
		wake_at_last(&words[2 * i + i % 2], FUTEX_WAKE_PRIVATE);
	for (int i = 0; i < 8; i++)
		printf(" %ld", (long)join(threads[i]));
	printf("\n");
}

static void errors(void)
{
	struct futex_waitv good = at(words, 0, PRIVATE), w[2] = { good, good };
	struct timespec past = { 1, 0 }, wrong = { 0, 1000000000 };

	CALL(futex_waitv, w, 0, 0, NULL, 0);
	CALL(futex_waitv, w, FUTEX_WAITV_MAX + 1, 0, NULL, 0);
	CALL(futex_waitv, w, 1, 1, NULL, 0);
	CALL(futex_waitv, NULL, 1, 0, NULL, 0);
	CALL(futex_waitv, BAD, 1, 0, NULL, 0);
	CALL(futex_waitv, w, 1, 0, &past, CLOCK_PROCESS_CPUTIME_ID);
	CALL(futex_waitv, w, 1, 0, &wrong, CLOCK_REALTIME);
	CALL(futex_waitv, w, 1, 0, BAD, CLOCK_REALTIME);
	CALL(futex_waitv, w, 2, 0, &past, CLOCK_MONOTONIC);
	CALL(futex_waitv, w, 2, 0, &past, CLOCK_REALTIME);
	w[1].val = 1;
	CALL(futex_waitv, w, 2, 0, NULL, 0);
	w[1] = at((void *)BAD, 0, PRIVATE);
	CALL(futex_waitv, w, 2, 0, NULL, 0);
	w[1] = at((void *)BAD, 0, FUTEX_32);
	CALL(futex_waitv, w, 2, 0, NULL, 0);
	w[1] = at((void *)-4096l, 0, PRIVATE);
	CALL(futex_waitv, w, 2, 0, NULL, 0);
	w[1] = at((void *)((char *)words + 1), 0, PRIVATE);
	CALL(futex_waitv, w, 2, 0, NULL, 0);
	w[1] = at(words, 0, FUTEX_PRIVATE_FLAG);
	CALL(futex_waitv, w, 2, 0, NULL, 0);
	w[1] = at(words, 0, PRIVATE | 0x100);
	CALL(futex_waitv, w, 2, 0, NULL, 0);
	w[1] = good;
	w[1].__reserved = 1;
	CALL(futex_waitv, w, 2, 0, NULL, 0);
}

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static void *wait_and_tell(void *arg)
{
	(void)arg;
	waiter = gettid();
	return wait_for_all((void *)PRIVATE);
}

static void interrupted(void)
{
	struct sigaction action = { .sa_handler = handler };
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	thread = start(wait_and_tell, NULL);
	while (!waiter)
		sched_yield();
	while (pthread_tryjoin_np(thread, NULL) == EBUSY)
		tgkill(getpid(), waiter, SIGUSR1);
	check("no restart: handled", handled > 0);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	waiter = handled = 0;
	thread = start(wait_and_tell, NULL);
	while (!waiter)
		sched_yield();
	for (int i = 1; i <= 5; i++) {
		tgkill(getpid(), waiter, SIGUSR1);
		while (handled < i)
			sched_yield();
	}
	wake_at_last(&words[5], FUTEX_WAKE_PRIVATE);
	printf("restart: %ld\n", (long)join(thread));
}

static void between_processes(void)
{
	_Atomic uint32_t *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct futex_waitv w[3] = { at(&words[0], 0, PRIVATE), at(&shared[0], 0, FUTEX_32), at(&shared[9], 0, FUTEX_32) };
	pid_t child = fork();
	int status;

	if (!child) {
		wake_at_last(&shared[9], FUTEX_WAKE);
		/* or this one could still find the first wait */
		while (!shared[5])
			sched_yield();
		wake_at_last(&shared[0], FUTEX_WAKE);
		_exit(7);
	}
	show("first", waitv(w, 3, NULL, 0));
	shared[5] = 1;
	show("second", waitv(w, 3, NULL, 0));
	waitpid(child, &status, 0);
	printf("child %d\n", WEXITSTATUS(status));
}

static const struct part parts[] = {
	{ "any", any_of_them }, { "several", several }, { "errors", errors }, { "interrupted", interrupted },
	{ "processes", between_processes },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
