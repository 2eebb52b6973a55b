/* SPDX-License-Identifier: GPL-2.0-only */
/* Timers that signal threads, sleeps beside each other, CPU time. */
#include "thread.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>

static atomic_int count, ready, wrong;
static atomic_bool done;
static volatile pid_t worker;
static __thread int mine;

static void to_worker(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	wrong += tid() != worker;
	count++;
}

static void *take_signal(void *sig)
{
	worker = tid();
	unblock((long)sig);
	/* uses CPU time, and not up to the next yield only */
	while (!done)
		__builtin_ia32_pause();
	return NULL;
}

/* ------------------------------------------------------------- timers of the process */

static void itimer(void)
{
	static const int which[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
	static const int sigs[] = { SIGALRM, SIGVTALRM, SIGPROF };

	for (int i = 0; i < 3; i++) {
		struct itimerval t = { { 0, 2000 }, { 0, 2000 } }, none = { 0 };
		pthread_t thread;

		catch_flags(sigs[i], to_worker, SA_RESTART);
		block(sigs[i]);
		count = 0;
		done = false;
		thread = start(take_signal, (void *)(long)sigs[i]);
		setitimer(which[i], &t, NULL);
		WAIT_UNTIL(count >= 4);
		setitimer(which[i], &none, NULL);
		done = true;
		join(thread);
	}
	printf("%d wrong\n", wrong);
}

static void check_value(int sig, siginfo_t *info, void *context)
{
	wrong += info->si_code != SI_TIMER || info->si_value.sival_int != 4711;
	to_worker(sig, info, context);
}

static timer_t timer(clockid_t clock, struct sigevent *event, int interval_us)
{
	struct itimerspec t = { { 0, interval_us * 1000 }, { 0, 1000000 } };
	timer_t id;

	if (timer_create(clock, event, &id)) {
		printf("timer_create: %s\n", strerrorname_np(errno));
		exit(88);
	}
	timer_settime(id, 0, &t, NULL);
	return id;
}

static void by_signal(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4,
				  .sigev_value.sival_int = 4711 };
	pthread_t thread;
	timer_t id;

	catch_flags(SIGRTMIN + 4, check_value, SA_RESTART);
	block(SIGRTMIN + 4);
	thread = start(take_signal, (void *)(long)(SIGRTMIN + 4));
	SPIN_UNTIL(worker);
	id = timer(CLOCK_MONOTONIC, &event, 10000);
	WAIT_UNTIL(count >= 20);
	show("timer_delete", timer_delete(id));
	done = true;
	join(thread);
	printf("%d wrong\n", wrong);
}

/* ------------------------------------------------------------- timers of a thread */

static void of_thread(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	wrong += info->si_value.sival_int != tid();
	mine++;
}

static void *have_timer(void *arg)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1,
				  .sigev_value.sival_int = tid() };
	timer_t id;

	event._sigev_un._tid = tid();
	/* by the time on the wall, or by what it has computed */
	id = timer((long)arg & 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &event, 10000);
	if ((long)arg & 1)
		while (*(volatile int *)&mine < 3)
			__builtin_ia32_pause();
	else
		WAIT_UNTIL(mine >= 10);
	wrong += timer_delete(id) != 0;
	return NULL;
}

static void *leave_timer(void *arg)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };

	event._sigev_un._tid = tid();
	*(timer_t *)arg = timer(CLOCK_MONOTONIC, &event, 10000);
	return NULL;
}

static void by_thread(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	timer_t id;

	catch_flags(SIGUSR1, of_thread, SA_RESTART);
	run_threads(4, have_timer);
	/* no such thread of this process */
	event._sigev_un._tid = 4194303;
	show("timer_create", timer_create(CLOCK_MONOTONIC, &event, &id));
	event._sigev_un._tid = -1;
	show("timer_create", timer_create(CLOCK_MONOTONIC, &event, &id));
	printf("%d wrong\n", wrong);
}

/* It goes on for nobody. */
static void left_behind(void)
{
	timer_t id;

	catch_flags(SIGUSR1, to_worker, SA_RESTART);
	block(SIGUSR1);
	join(start(leave_timer, &id));
	sleep_ms(10);
	show("timer_delete", timer_delete(id));
	unblock(SIGUSR1);
	printf("%d handled\n", count);
}

static void notify(union sigval value)
{
	wrong += value.sival_int != 4711 || tid() == getpid();
	count++;
}

/* libc makes a thread for each time. */
static void by_new_thread(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify,
				  .sigev_value.sival_int = 4711 };
	timer_t id = timer(CLOCK_MONOTONIC, &event, 10000);

	WAIT_UNTIL(count >= 10);
	show("timer_delete", timer_delete(id));
	printf("%d wrong\n", wrong);
}

static void *read_timer(void *arg)
{
	struct itimerspec t = { { 0, 1000000 }, { 0, 1000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t sum = 0, n;

	timerfd_settime(fd, 0, &t, NULL);
	while (sum < 10 && read(fd, &n, sizeof(n)) == sizeof(n))
		sum += n;
	close(fd);
	return (void *)(long)(sum >= 10 && !arg);
}

static void by_descriptor(void)
{
	long sum = 0;

	for (int i = 0; i < 2; i++)
		sum += (long)join(start(read_timer, NULL));
	printf("%ld of 2\n", sum);
}

/* ------------------------------------------------------------- sleeping */

static void *sleep_a_while(void *arg)
{
	int64_t begin = now();
	struct timespec t = { 0, 200 * MS };

	(void)arg;
	return (void *)(long)(!nanosleep(&t, NULL) && now() - begin >= 200 * MS);
}

/* Beside each other, so all in the time of a few. */
static void sleeps(void)
{
	int64_t begin = now();

	printf("%ld of 32 slept long enough\n", run_threads(32, sleep_a_while));
	check("beside each other", now() - begin < 16 * 200 * MS);
}

/* Each at its own time, by absolute ones. */
static void *sleep_until(void *arg)
{
	clockid_t clock = (long)arg & 1 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	long bad = 0;

	for (int i = 0; i < 10; i++) {
		struct timespec t = after_ms(clock, 1 + i % 3);

		bad += clock_nanosleep(clock, TIMER_ABSTIME, &t, NULL) != 0;
		bad += now_by(clock) < t.tv_sec * 1000 * MS + t.tv_nsec;
	}
	return (void *)bad;
}

static void absolute(void)
{
	printf("%ld wrong\n", run_threads(16, sleep_until));
}

/* ------------------------------------------------------------- CPU time */

static int64_t used(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 * MS + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static void *compute(void *arg)
{
	int64_t begin = now_by(CLOCK_THREAD_CPUTIME_ID);

	SPIN_UNTIL(now_by(CLOCK_THREAD_CPUTIME_ID) - begin >= 50 * MS);
	wrong += used() < 10 * MS;
	ready++;
	SPIN_UNTIL(done);
	return arg;
}

static void *idle(void *arg)
{
	ready++;
	WAIT_UNTIL(done);
	wrong += now_by(CLOCK_THREAD_CPUTIME_ID) > now_by(CLOCK_PROCESS_CPUTIME_ID);
	return arg;
}

static void cpu_time(void)
{
	pthread_t threads[2] = { start(compute, NULL), start(idle, NULL) };
	clockid_t clocks[2];

	WAIT_UNTIL(ready == 2);
	pthread_getcpuclockid(threads[0], &clocks[0]);
	pthread_getcpuclockid(threads[1], &clocks[1]);
	check("one has computed", now_by(clocks[0]) >= 50 * MS);
	check("the other less so", now_by(clocks[1]) < now_by(clocks[0]));
	check("the process at least as much", now_by(CLOCK_PROCESS_CPUTIME_ID) >= 50 * MS);
	check("main itself hardly", now_by(CLOCK_THREAD_CPUTIME_ID) < now_by(CLOCK_PROCESS_CPUTIME_ID));
	done = true;
	join(threads[0]);
	join(threads[1]);
	printf("%d wrong\n", wrong);
}

/* Time does not go back from one thread to the next. */
static _Atomic int64_t latest;

static void *read_clock(void *arg)
{
	long bad = 0;

	(void)arg;
	for (int i = 0; i < 50000; i++) {
		int64_t before = latest, t = now();

		bad += t < before;
		latest = t;
	}
	return (void *)bad;
}

static void clocks(void)
{
	printf("%ld went back\n", run_threads(4, read_clock));
}

static const struct part parts[] = {
	{ "itimer", itimer }, { "by-signal", by_signal }, { "by-thread", by_thread }, { "left-behind", left_behind },
	{ "by-new-thread", by_new_thread }, { "by-descriptor", by_descriptor }, { "sleeps", sleeps },
	{ "absolute", absolute }, { "cpu-time", cpu_time }, { "clocks", clocks },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
