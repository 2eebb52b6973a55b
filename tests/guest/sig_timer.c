/* SPDX-License-Identifier: GPL-2.0-only */
/* Timers and their signals; and signals a program sends itself. Prints the same natively. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MS 1000000ll

static volatile int count;
static siginfo_t last;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last = *info;
	count++;
}

/* For a signal that will come again before one can look. */
static int first_overrun, first_told;
static timer_t first_timer;

static void note_first(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (count++)
		return;
	first_overrun = info->si_overrun;
	first_told = timer_getoverrun(first_timer);
}

static void catch(int sig)
{
	struct sigaction act = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

	sigaction(sig, &act, NULL);
}

static sigset_t only(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static int64_t at(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t now(void)
{
	return at(CLOCK_MONOTONIC);
}

static void nap(int ms)
{
	int64_t end = now() + ms * MS;

	while (now() < end) {
		struct timespec t = { 0, MS };

		nanosleep(&t, NULL);
	}
}

/* Not before its time, and not much later: the machine may be slow and busy. */
static const char *about(int64_t ns, int ms)
{
	static char text[50];

	if (ns >= ms * MS - MS / 2 && ns < ms * MS + 500 * MS)
		return "on time";
	snprintf(text, sizeof(text), "after %lld us", (long long)ns / 1000);
	return text;
}

/* ------------------------------------------------------------- alarm and interval timers */

static void alarms(void)
{
	int64_t start;

	catch(SIGALRM);
	printf("none was set: %u\n", alarm(100));
	start = now();
	printf("nearly all is left: %u\n", alarm(1));
	while (!count)
		pause();
	printf("alarm %s, code %d\n", about(now() - start, 1000), last.si_code);
	alarm(1);
	printf("cancelled: %u\n", alarm(0));
	nap(1100);
	printf("count %d\n", count);
	/* while it computes */
	start = now();
	alarm(1);
	while (count < 2)
		;
	printf("alarm %s\n", about(now() - start, 1000));
}

static void fatal_alarm(void)
{
	alarm(1);
	for (;;)
		;
}

static void interval(int which, int sig, clockid_t clock)
{
	struct itimerval set = { { 0, 20000 }, { 0, 20000 } }, old;
	int64_t start = at(clock);

	catch(sig);
	count = 0;
	setitimer(which, &set, NULL);
	while (count < 5)
		;
	/* CPU time is counted in ticks */
	/* a timer of CPU time may count the kernel's ticks, which a busy machine charges to whom they find */
	printf("%d: five ticks %s, code %d\n", sig,
	       at(clock) - start > (sig == SIGALRM ? 80 : 20) * MS ? "not early" : "early", last.si_code);
	getitimer(which, &old);
	printf("interval %ld, left %s\n", old.it_interval.tv_usec,
	       old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 24000 ? "right" : "wrong");
	memset(&set, 0, sizeof(set));
	setitimer(which, &set, &old);
	printf("interval was %ld\n", old.it_interval.tv_usec);
	count = 0;
	nap(50);
	printf("then %d\n", count);
}

static void intervals(void)
{
	struct itimerval set = { { 0, 0 }, { 0, 1000000 } };

	interval(ITIMER_REAL, SIGALRM, CLOCK_MONOTONIC);
	interval(ITIMER_VIRTUAL, SIGVTALRM, CLOCK_PROCESS_CPUTIME_ID);
	interval(ITIMER_PROF, SIGPROF, CLOCK_PROCESS_CPUTIME_ID);
	printf("bad: %d", setitimer(ITIMER_REAL, &set, NULL) ? errno : 0);
	printf(" %d", setitimer(3, &set, NULL) ? errno : 0);
	printf(" %d\n", getitimer(-1, &set) ? errno : 0);
}

/* ------------------------------------------------------------- POSIX timers */

static timer_t make(clockid_t clock, int notify, int sig, int value)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = sig, .sigev_value.sival_int = value };
	timer_t timer = (timer_t)-1;

	if (timer_create(clock, &event, &timer))
		printf("timer_create: %s\n", strerror(errno));
	return timer;
}

static void set(timer_t timer, int first_ms, int every_ms)
{
	struct itimerspec t = { { every_ms / 1000, every_ms % 1000 * MS }, { first_ms / 1000, first_ms % 1000 * MS } };

	if (timer_settime(timer, 0, &t, NULL))
		printf("timer_settime: %s\n", strerror(errno));
}

static void posix_timers(void)
{
	struct itimerspec left, old, when = { 0 };
	timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 4711), second, third;
	int64_t start;

	catch(SIGRTMIN);
	catch(SIGALRM);
	start = now();
	set(timer, 100, 0);
	while (!count)
		pause();
	printf("%s, signo %d code %d value %d overrun %d %d, timer %s\n", about(now() - start, 100),
	       last.si_signo - SIGRTMIN, last.si_code, last.si_int, last.si_overrun, timer_getoverrun(timer),
	       last.si_timerid == (int)(intptr_t)timer ? "right" : "wrong");
	timer_gettime(timer, &left);
	printf("disarmed: %ld %ld\n", left.it_value.tv_sec, left.it_value.tv_nsec);
	/* no sigevent: SIGALRM with the timer's number */
	timer_create(CLOCK_REALTIME, NULL, &second);
	set(second, 50, 0);
	while (count < 2)
		pause();
	printf("signal %d code %d, value %s\n", last.si_signo, last.si_code,
	       last.si_int == (int)(intptr_t)second ? "right" : "wrong");
	set(timer, 10000, 3000);
	when.it_value.tv_sec = 20;
	timer_settime(timer, 0, &when, &old);
	printf("was %ld s, every %ld s\n", (long)(old.it_value.tv_sec + (old.it_value.tv_nsec > 0)),
	       old.it_interval.tv_sec);
	timer_gettime(timer, &left);
	printf("now %ld s\n", (long)(left.it_value.tv_sec + (left.it_value.tv_nsec > 0)));
	/* absolute */
	start = now();
	clock_gettime(CLOCK_MONOTONIC, &when.it_value);
	when.it_value.tv_nsec += 100 * MS;
	if (when.it_value.tv_nsec >= 1000 * MS) {
		when.it_value.tv_nsec -= 1000 * MS;
		when.it_value.tv_sec++;
	}
	timer_settime(timer, TIMER_ABSTIME, &when, NULL);
	while (count < 3)
		;
	printf("%s while computing\n", about(now() - start, 100));
	third = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
	set(third, 10, 10);
	nap(50);
	printf("SIGEV_NONE: %d\n", count);
	printf("delete: %d %d\n", timer_delete(timer), timer_delete(second));
	errno = 0;
	printf("deleted: %d %s\n", timer_gettime(timer, &left), strerror(errno));
	errno = 0;
	printf("deleted: %d %s\n", timer_delete(timer), strerror(errno));
	errno = 0;
	printf("never made: %d %s\n", timer_getoverrun((timer_t)12345), strerror(errno));
	errno = 0;
	printf("bad clock: %d %s\n", timer_create(77, NULL, &second), strerror(errno));
	/* those that remain end with the program */
	set(third, 10000, 0);
}

/* Of a timer every 10 ms that was set between the first two times, asked between the others. */
static const char *overrun_is(int n, int64_t before_set, int64_t set, int64_t asked, int64_t told)
{
	return n >= (asked - set) / (10 * MS) - 2 && n <= (told - before_set) / (10 * MS) ? "right" : "wrong";
}

/*
 * A signal that is blocked while its timer expires again and again comes once,
 * with the count. The timers run on meanwhile: disarming one drops its signal
 * on newer kernels.
 */
static void overrun(int sig)
{
	struct sigaction act = { .sa_sigaction = note_first, .sa_flags = SA_SIGINFO };
	timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, sig, 5), other;
	struct timespec none = { 0, 0 };
	sigset_t block = only(sig);
	int64_t before, after, asked;
	siginfo_t info[3];
	int told[2];

	first_timer = timer;
	sigaction(sig, &act, NULL);
	count = 0;
	sigprocmask(SIG_BLOCK, &block, NULL);
	before = now();
	set(timer, 10, 10);
	after = now();
	nap(300);
	asked = now();
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	sigprocmask(SIG_BLOCK, &block, NULL);
	printf("%d: %s, overrun %s, the call tells %s\n", sig, count < 4 ? "once" : "too often",
	       overrun_is(first_overrun, before, after, asked, now()),
	       first_told == first_overrun ? "the same" : "another");
	timer_delete(timer);
	while (sigtimedwait(&block, NULL, &none) > 0)
		;
	/* the same with sigtimedwait, and two timers */
	timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, sig, 5);
	other = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, sig, 6);
	before = now();
	set(timer, 10, 10);
	set(other, 10, 10);
	after = now();
	nap(300);
	asked = now();
	for (int i = 0; i < 2; i++) {
		sigtimedwait(&block, &info[i], &none);
		told[i] = timer_getoverrun(info[i].si_int == 5 ? timer : other);
	}
	for (int i = 0; i < 2; i++)
		printf("value %d overrun %s, the call tells %s\n", info[i].si_int,
		       overrun_is(info[i].si_overrun, before, after, asked, now()),
		       told[i] == info[i].si_overrun ? "the same" : "another");
	timer_delete(timer);
	timer_delete(other);
}

static void overruns(void)
{
	overrun(SIGRTMIN + 2);
	overrun(SIGUSR1);
}

/* Timers that expire faster than signals are taken, while the program is at work. */
static void storm(void)
{
	unsigned long work = 0;
	int64_t end;

	catch(SIGUSR1);
	for (int i = 0; i < 8; i++) {
		timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, i ? SIGRTMIN + i : SIGUSR1, i);
		struct itimerspec each = { { 0, 2 * MS + 1000 * i }, { 0, 1 } };

		if (i) {
			sigset_t block = only(SIGRTMIN + i);

			sigprocmask(SIG_BLOCK, &block, NULL);
		}
		timer_settime(timer, 0, &each, NULL);
	}
	end = now() + 300 * MS;
	while (now() < end)
		work++;
	printf("%s, %s\n", work ? "worked" : "did nothing", count ? "signals came" : "none came");
}

/* A signal that comes at any moment on the way into a wait ends it. */
static void suspend(void)
{
	timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
	sigset_t block = only(SIGUSR1), none;

	catch(SIGUSR1);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &block, NULL);
	for (int i = 0; i < 1000; i++) {
		struct itimerspec once = { .it_value = { 0, 1 + 500 * (i % 200) } };

		timer_settime(timer, 0, &once, NULL);
		sigsuspend(&none);
	}
	printf("%d came\n", count);
}

static void cpu_timer(void)
{
	timer_t timer = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR2, 1);
	struct tms t;

	catch(SIGUSR2);
	set(timer, 50, 0);
	nap(20);
	printf("asleep: %d\n", count);
	while (!count)
		;
	printf("CPU time %s\n", at(CLOCK_PROCESS_CPUTIME_ID) > 45 * MS ? "was used" : "was not");
	times(&t);
	printf("times %s\n", (t.tms_utime + t.tms_stime) * 10 >= 40 ? "agrees" : "does not");
}

/* ------------------------------------------------------------- to itself */

static void try(const char *what, long ret)
{
	printf("%s: %ld %s\n", what, ret, ret < 0 ? strerror(errno) : "");
}

static void itself(void)
{
	int pid = getpid(), tid = syscall(SYS_gettid);
	siginfo_t info = { .si_code = SI_QUEUE, .si_int = 3 };

	catch(SIGUSR1);
	catch(SIGRTMIN + 1);
	try("kill", kill(pid, SIGUSR1));
	try("kill 0", kill(0, 0));
	try("kill own group", kill(-getpgrp(), 0));
	try("tkill", syscall(SYS_tkill, tid, SIGUSR1));
	try("tgkill", syscall(SYS_tgkill, pid, tid, SIGUSR1));
	printf("code %d\n", last.si_code);
	try("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, pid, SIGRTMIN + 1, &info));
	printf("code %d value %d\n", last.si_code, last.si_int);
	try("rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, pid, tid, SIGRTMIN + 1, &info));
	try("signal 0", kill(pid, 0));
	printf("count %d\n", count);
	try("signal 65", kill(pid, 65));
	try("signal -1", kill(pid, -1));
	try("tgkill 65", syscall(SYS_tgkill, pid, tid, 65));
	try("tkill 0", syscall(SYS_tkill, 0, 0));
	try("tkill -1", syscall(SYS_tkill, -1, 0));
	try("tgkill 0", syscall(SYS_tgkill, 0, tid, 0));
	try("rt_sigqueueinfo 65", syscall(SYS_rt_sigqueueinfo, pid, 65, &info));
	try("rt_sigqueueinfo bad", syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, 8));
	/* there is no such process anywhere */
	try("kill other", kill(4194303, 0));
	try("kill other 65", kill(4194303, 65));
	try("kill group", kill(-4194303, 0));
	try("tkill other", syscall(SYS_tkill, 4194303, 0));
	try("tgkill other", syscall(SYS_tgkill, 4194303, 4194303, 0));
	try("tgkill other thread", syscall(SYS_tgkill, pid, 4194303, 0));
	try("rt_sigqueueinfo other", syscall(SYS_rt_sigqueueinfo, 4194303, SIGUSR1, &info));
	try("rt_tgsigqueueinfo other", syscall(SYS_rt_tgsigqueueinfo, 4194303, 4194303, SIGUSR1, &info));
	try("rt_tgsigqueueinfo 0", syscall(SYS_rt_tgsigqueueinfo, 0, 0, SIGUSR1, &info));
	try("sigpending 9", syscall(SYS_rt_sigpending, &info, 9L));
	try("sigpending 4", syscall(SYS_rt_sigpending, &info, 4L));
	try("sigprocmask how", syscall(SYS_rt_sigprocmask, 3, &info, NULL, 8L));
	try("sigprocmask how, none", syscall(SYS_rt_sigprocmask, 3, NULL, NULL, 8L));
	try("sigprocmask size", syscall(SYS_rt_sigprocmask, 0, &info, NULL, 16L));
	try("sigprocmask bad", syscall(SYS_rt_sigprocmask, 0, 8L, NULL, 8L));
	try("sigprocmask bad", syscall(SYS_rt_sigprocmask, 0, NULL, 8L, 8L));
	try("sigsuspend size", syscall(SYS_rt_sigsuspend, &info, 4L));
	try("sigsuspend bad", syscall(SYS_rt_sigsuspend, 8L, 8L));
	try("sigtimedwait size", syscall(SYS_rt_sigtimedwait, &info, NULL, NULL, 4L));
	try("sigtimedwait bad", syscall(SYS_rt_sigtimedwait, 8L, NULL, NULL, 8L));
	try("sigtimedwait bad time", syscall(SYS_rt_sigtimedwait, &info, NULL, 8L, 8L));
}

/* As many realtime signals as the queue takes; the rest is EAGAIN, and none of those queued is lost. */
static void full_queue(void)
{
	sigset_t block = only(SIGRTMIN);
	union sigval value = { 0 };
	int sent = 0;

	catch(SIGRTMIN);
	sigprocmask(SIG_BLOCK, &block, NULL);
	while (sent < 200000 && !sigqueue(getpid(), SIGRTMIN, value))
		sent++;
	printf("%s\n", sent < 1000 ? "too few" : sent == 200000 ? "no limit" : strerror(errno));
	catch(SIGUSR1);
	raise(SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	printf("%s\n", count == sent + 1 ? "all came" : "lost");
}

static void aborts(void)
{
	catch(SIGUSR1);
	abort();
}

static void abort_blocked(void)
{
	sigset_t block = only(SIGABRT);

	sigprocmask(SIG_BLOCK, &block, NULL);
	signal(SIGABRT, SIG_IGN);
	abort();
}

static void kill_itself(void)
{
	kill(getpid(), SIGKILL);
	printf("still here\n");
}

static void closed_pipe(void)
{
	int fds[2];

	if (pipe(fds))
		exit(3);
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	try("ignored", write(fds[1], "x", 1));
	catch(SIGPIPE);
	try("caught", write(fds[1], "x", 1));
	printf("count %d\n", count);
	fflush(stdout);
	signal(SIGPIPE, SIG_DFL);
	try("default", write(fds[1], "x", 1));
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "alarm", alarms },
	{ "fatal-alarm", fatal_alarm },
	{ "intervals", intervals },
	{ "posix", posix_timers },
	{ "overruns", overruns },
	{ "storm", storm },
	{ "suspend", suspend },
	{ "cpu", cpu_timer },
	{ "itself", itself },
	{ "full-queue", full_queue },
	{ "abort", aborts },
	{ "abort-blocked", abort_blocked },
	{ "kill", kill_itself },
	{ "closed-pipe", closed_pipe },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(cases); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	return 2;
}
