/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations of futex(2), by threads of libc. */
#include "thread.h"

#include <linux/futex.h>

static _Atomic uint32_t a, b;
static atomic_int count, woken;

static long futex(_Atomic uint32_t *word, int op, uint32_t value, const void *time, void *second, uint32_t third)
{
	return syscall(SYS_futex, word, op, value, time, second, third);
}

#define FUTEX(word, op, value, time, second, third) \
	show("futex(" #word ", " #op ", " #value ", " #time ", " #second ", " #third ")", \
	     futex(word, op, value, time, second, third))

static long wake(_Atomic uint32_t *word, int n)
{
	return futex(word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

/* Until n have been woken: who has not come to wait yet is woken a bit later. */
static void wake_all(_Atomic uint32_t *word, int n)
{
	while (n > 0) {
		long some = wake(word, n);

		if (some < 0 || some > n) {
			printf("woke %ld of %d\n", some, n);
			exit(96);
		}
		n -= some;
		sched_yield();
	}
}

static void *wait_on(void *word)
{
	long ret = futex(word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);

	woken++;
	return (void *)ret;
}

/* ------------------------------------------------------------- wait and wake */

static void wait_wake(void)
{
	pthread_t threads[5];
	long sum = 0;

	FUTEX(&a, FUTEX_WAKE, 1, NULL, NULL, 0);
	FUTEX(&a, FUTEX_WAIT, 1, NULL, NULL, 0);
	FUTEX(&a, FUTEX_WAIT_PRIVATE, -1, NULL, NULL, 0);
	for (int i = 0; i < 5; i++)
		threads[i] = start(wait_on, &a);
	for (int i = 0; i < 3; i++)
		wake_all(&a, 1);
	WAIT_UNTIL(woken == 3);
	sleep_ms(10);
	printf("%d woken\n", woken);
	wake_all(&a, 2);
	for (int i = 0; i < 5; i++)
		sum += (long)join(threads[i]);
	printf("%d woken, sum %ld\n", woken, sum);
	FUTEX(&a, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Not only private ones: for memory that is nobody else's it makes no difference. */
static void *wait_shared(void *word)
{
	return (void *)futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void shared(void)
{
	pthread_t threads[2] = { start(wait_shared, &a), start(wait_shared, &b) };

	SPIN_UNTIL(futex(&a, FUTEX_WAKE, 9, NULL, NULL, 0) == 1);
	SPIN_UNTIL(futex(&b, FUTEX_WAKE, 9, NULL, NULL, 0) == 1);
	printf("%ld %ld\n", (long)join(threads[0]), (long)join(threads[1]));
}

static void *wait_bits(void *bits)
{
	long ret = futex(&a, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (long)bits);

	count += (long)bits;
	return (void *)ret;
}

static void bitsets(void)
{
	pthread_t threads[3];

	FUTEX(&a, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0);
	FUTEX(&a, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0);
	for (int i = 0; i < 3; i++)
		threads[i] = start(wait_bits, (void *)(1l << i));
	SPIN_UNTIL(futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 2) == 1);
	join(threads[1]);
	printf("woke %d\n", count);
	FUTEX(&a, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 0xf0);
	SPIN_UNTIL(futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 0xc) == 1);
	join(threads[2]);
	printf("woke %d\n", count);
	wake_all(&a, 1);
	join(threads[0]);
	printf("woke %d\n", count);
}

/* ------------------------------------------------------------- time */

static void timed(const char *what, int op, clockid_t clock, bool absolute)
{
	int64_t begin = now_by(clock);
	struct timespec t = absolute ? after_ms(clock, 20) : (struct timespec){ 0, 20 * MS };

	show(what, futex(&a, op, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY));
	check("not too early", now_by(clock) - begin >= 20 * MS);
}

static void *time_out(void *arg)
{
	struct timespec t = { 0, (5 + (long)arg) * MS };

	return (void *)(long)(futex(&a, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0) == -1 && errno == ETIMEDOUT);
}

static void timeouts(void)
{
	static const struct timespec none = { 0, 0 }, past = { 1, 0 }, wrong = { 0, 1000 * MS }, negative = { -1, 0 },
				     below = { 0, -1 };

	timed("relative", FUTEX_WAIT, CLOCK_MONOTONIC, false);
	timed("relative, private", FUTEX_WAIT_PRIVATE, CLOCK_MONOTONIC, false);
	timed("absolute", FUTEX_WAIT_BITSET_PRIVATE, CLOCK_MONOTONIC, true);
	timed("absolute, real time", FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, CLOCK_REALTIME, true);
	FUTEX(&a, FUTEX_WAIT, 0, &none, NULL, 0);
	FUTEX(&a, FUTEX_WAIT_BITSET, 0, &past, NULL, 1);
	FUTEX(&a, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 1);
	FUTEX(&a, FUTEX_WAIT, 0, &wrong, NULL, 0);
	FUTEX(&a, FUTEX_WAIT, 0, &negative, NULL, 0);
	FUTEX(&a, FUTEX_WAIT, 0, &below, NULL, 0);
	FUTEX(&a, FUTEX_WAIT, 1, &wrong, NULL, 0);
	FUTEX(&a, FUTEX_WAIT, 0, (void *)BAD, NULL, 0);
	printf("%ld of 32 timed out\n", run_threads(32, time_out));
}

static void errors(void)
{
	_Atomic uint32_t *odd = (void *)((char *)&a + 1), *nowhere = (void *)(BAD), *above = (void *)(1ul << 63);

	FUTEX(odd, FUTEX_WAIT, 0, NULL, NULL, 0);
	FUTEX(odd, FUTEX_WAKE, 1, NULL, NULL, 0);
	FUTEX(nowhere, FUTEX_WAIT, 0, NULL, NULL, 0);
	FUTEX(nowhere, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	FUTEX(nowhere, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	FUTEX(above, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	FUTEX(above, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	FUTEX(&a, FUTEX_REQUEUE, 1, (void *)1, odd, 0);
	FUTEX(&a, FUTEX_REQUEUE, -1, (void *)1, &b, 0);
	FUTEX(&a, FUTEX_REQUEUE, 1, (void *)-1, &b, 0);
	FUTEX(&a, FUTEX_CMP_REQUEUE, 1, (void *)1, nowhere, 0);
	FUTEX(&a, FUTEX_WAKE_OP, 1, (void *)1, odd, 0);
	FUTEX(&a, FUTEX_WAKE_OP, 1, (void *)1, nowhere, 0);
	FUTEX(&a, FUTEX_FD, 0, NULL, NULL, 0);
	FUTEX(&a, 99, 0, NULL, NULL, 0);
	FUTEX(&a, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0);
}

/* ------------------------------------------------------------- signals */

static volatile pid_t waiter;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	count++;
}

static void *wait_and_tell(void *arg)
{
	struct timespec t = { 1000, 0 };
	long ret;

	waiter = tid();
	ret = futex(&a, FUTEX_WAIT_PRIVATE, 0, arg ? &t : NULL, NULL, 0);
	ret = ret < 0 ? errno : 0;
	woken = 1;
	return (void *)ret;
}

/* Signals until it has ended; where it should not, until a few have been handled. */
static void disturb(const char *what, int flags, bool with_time, int most)
{
	pthread_t thread;

	catch_flags(SIGUSR1, handler, flags);
	woken = count = waiter = 0;
	thread = start(wait_and_tell, (void *)(long)with_time);
	SPIN_UNTIL(waiter);
	while (!woken && count < most) {
		int before = count;

		tgkill_(waiter, SIGUSR1);
		WAIT_UNTIL(count > before || woken);
	}
	if (!woken)
		wake_all(&a, 1);
	show_error(what, (long)join(thread));
}

static void interrupted(void)
{
	disturb("no restart", 0, false, INT_MAX);
	disturb("no restart, with a time", 0, true, INT_MAX);
	disturb("restart", SA_RESTART, false, 20);
	disturb("restart, with a time", SA_RESTART, true, INT_MAX);
}

/* ------------------------------------------------------------- two words */

/* All n who wait on a are moved to b; some of them may be woken. */
static void requeue(void)
{
	pthread_t threads[4];
	int n;

	for (int i = 0; i < 4; i++)
		threads[i] = start(wait_on, &a);
	FUTEX(&a, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)9, &b, 1);
	for (n = 0; n < 4; sched_yield())
		n += futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)9l, &b, 0);
	printf("moved %d, %d woken\n", n, woken);
	FUTEX(&a, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0);
	FUTEX(&b, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &a, 0);
	WAIT_UNTIL(woken == 1);
	FUTEX(&b, FUTEX_REQUEUE_PRIVATE, 0, (void *)9, &a, 0);
	FUTEX(&b, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0);
	FUTEX(&a, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0);
	FUTEX(&a, FUTEX_REQUEUE_PRIVATE, 9, (void *)9, &b, 0);
	for (int i = 0; i < 4; i++)
		join(threads[i]);
	printf("%d woken\n", woken);
}

#define OP(op, arg, cmp, cmp_arg) FUTEX_OP(FUTEX_OP_##op, arg, FUTEX_OP_CMP_##cmp, cmp_arg)
#define TRY_OP(op, arg, cmp, cmp_arg) \
	do { \
		b = 12; \
		show(#op " " #arg " if " #cmp " " #cmp_arg, \
		     futex(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, (void *)&b, OP(op, arg, cmp, cmp_arg))); \
		printf("%d\n", (int)b); \
	} while (0)

static void wake_op(void)
{
	static const int compares[] = { FUTEX_OP_CMP_EQ, FUTEX_OP_CMP_NE, FUTEX_OP_CMP_LT, FUTEX_OP_CMP_LE,
					FUTEX_OP_CMP_GT, FUTEX_OP_CMP_GE };
	pthread_t threads[2];
	int n;

	TRY_OP(SET, 5, EQ, 0);
	TRY_OP(ADD, 5, NE, 12);
	TRY_OP(ADD, -5, LT, 12);
	TRY_OP(OR, 3, LE, 12);
	TRY_OP(ANDN, 4, GT, 12);
	TRY_OP(XOR, 10, GE, 12);
	b = 12;
	FUTEX(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &b, (8u | FUTEX_OP_OR) << 28 | 20 << 12 /* 1 << 20 */);
	printf("%#x\n", b);
	FUTEX(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &b, FUTEX_OP(7, 1, 0, 0));
	FUTEX(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &b, FUTEX_OP(0, 1, 9, 0));
	/* both are woken where the old value compares, else only the first */
	for (size_t i = 0; i < ARRAY_SIZE(compares); i++)
		for (int value = -1; value <= 1; value++) {
			a = b = woken = 0;
			threads[0] = start(wait_on, &a);
			threads[1] = start(wait_on, &b);
			/* let them both be there: on b, and back */
			for (n = 0; n < 1; sched_yield())
				n += futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1l, &b, 0);
			for (n = 0; n < 2; sched_yield())
				n += futex(&b, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)2l, &a, 0);
			futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1l, &b, 0);
			b = value;
			printf(" %ld", futex(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, (void *)&b,
					     FUTEX_OP(FUTEX_OP_SET, 0, compares[i], 0)));
			wake(&a, 2);
			wake(&b, 2);
			join(threads[0]);
			join(threads[1]);
		}
	printf("\n");
}

/* ------------------------------------------------------------- many of them */

static _Atomic uint32_t ring[8];

/* A token goes round, each one's word counts how often it came. */
static void *pass(void *arg)
{
	long number = (long)arg;

	for (uint32_t round = 0; round < 500; round++) {
		while (ring[number] == round)
			futex(&ring[number], FUTEX_WAIT_PRIVATE, round, NULL, NULL, 0);
		count++;
		ring[(number + 1) % 8]++;
		futex(&ring[(number + 1) % 8], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static void round_and_round(void)
{
	ring[0] = 1;
	run_threads(8, pass);
	printf("%d passed on\n", count);
}

/* Who changes the word and wakes never misses one who checked it before. */
static void *follow(void *arg)
{
	for (uint32_t value; (value = a) < 10000;)
		futex(&a, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
	return arg;
}

static void race(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		threads[i] = start(follow, NULL);
	while (a < 10000) {
		a++;
		wake(&a, INT_MAX);
	}
	for (int i = 0; i < 3; i++)
		join(threads[i]);
	printf("%u\n", a);
}

/* ------------------------------------------------------------- locks that have an owner */

static atomic_bool have_it;

static void *hold_and_give_back(void *arg)
{
	FUTEX(&a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	have_it = true;
	sleep_ms(100);
	FUTEX(&a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	return arg;
}

static void pi(void)
{
	struct timespec soon = after_ms(CLOCK_REALTIME, 50);
	pthread_t thread;

	FUTEX(&a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	FUTEX(&a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	check("its word is the owner's id", a == (uint32_t)tid());
	FUTEX(&a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	FUTEX(&a, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	FUTEX(&a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	printf("%d\n", a);
	FUTEX(&a, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	FUTEX(&a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	a = 4000000;		/* nobody's */
	FUTEX(&a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	a = 0;
	thread = start(hold_and_give_back, NULL);
	WAIT_UNTIL(have_it);
	FUTEX(&a, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	FUTEX(&a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	FUTEX(&a, FUTEX_LOCK_PI_PRIVATE, 0, &soon, NULL, 0);
	join(thread);
	FUTEX(&a, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	check("it is the owner's", (a & FUTEX_TID_MASK) == (uint32_t)tid());
	FUTEX(&a, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
}

static pthread_mutex_t inherits;
static long counted;

static void *count_up(void *arg)
{
	long wrong = 0;

	for (int i = 0; i < argument; i++) {
		wrong += pthread_mutex_lock(&inherits);
		counted++;
		if (i % 64 == 0)
			sched_yield();
		wrong += pthread_mutex_unlock(&inherits);
	}
	(void)arg;
	return (void *)wrong;
}

/* Handlers come between, and make none of them wait for ever. */
static void *send_signals(void *thread)
{
	for (int i = 0; i < 50; i++) {
		pthread_kill(*(pthread_t *)thread, SIGUSR1);
		sleep_ms(1);
	}
	return NULL;
}

static void pi_mutex(void)
{
	pthread_mutexattr_t attr;
	pthread_t threads[4], by;
	long wrong = 0;

	pthread_mutexattr_init(&attr);
	TRY(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	TRY(pthread_mutex_init(&inherits, &attr));
	catch_flags(SIGUSR1, handler, 0);
	for (int i = 0; i < 4; i++)
		threads[i] = start(count_up, NULL);
	by = start(send_signals, &threads[1]);
	join(by);
	for (int i = 0; i < 4; i++)
		wrong += (long)join(threads[i]);
	printf("%ld counted, %ld wrong\n", counted, wrong);
}

static void *die_with_it(void *arg)
{
	TRY(pthread_mutex_lock(&inherits));
	have_it = true;
	sleep_ms(50);
	return arg;
}

static void pi_robust(void)
{
	pthread_mutexattr_t attr;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	TRY(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	TRY(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	TRY(pthread_mutex_init(&inherits, &attr));
	thread = start(die_with_it, NULL);
	WAIT_UNTIL(have_it);
	TRY(pthread_mutex_trylock(&inherits));
	TRY(pthread_mutex_lock(&inherits));
	TRY(pthread_mutex_consistent(&inherits));
	TRY(pthread_mutex_unlock(&inherits));
	TRY(pthread_mutex_lock(&inherits));
	TRY(pthread_mutex_unlock(&inherits));
	join(thread);
}

static const struct part parts[] = {
	{ "wait-wake", wait_wake }, { "shared", shared }, { "bitsets", bitsets }, { "timeouts", timeouts },
	{ "errors", errors }, { "interrupted", interrupted }, { "requeue", requeue }, { "wake-op", wake_op },
	{ "pi", pi }, { "pi-mutex", pi_mutex }, { "pi-robust", pi_robust },
	{ "round", round_and_round }, { "race", race },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
