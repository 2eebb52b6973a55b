/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals from outside. Each case prints "ready" when it waits for them;
 * tests/test_signals.c sends them, to a native run and to kvmrun.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MS 1000000ll

static int fds[2];
static volatile int count, wrong, done;
static const char *const *arguments;	/* behind the case's name */

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(3);
}

#define sayf(...) \
	do { \
		char line[200]; \
		snprintf(line, sizeof(line), __VA_ARGS__); \
		say(line); \
	} while (0)

static void catch(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction act = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };

	sigaction(sig, &act, NULL);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static sigset_t set_of(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	return set;
}

/* ------------------------------------------------------------- at rest, at work */

static void sleeper(void)
{
	say("ready\n");
	for (;;)
		pause();
}

static void spinner(void)
{
	say("ready\n");
	for (volatile uint64_t i = 0;; i++)
		;
}

static void tell(int sig, siginfo_t *info, void *context)
{
	(void)context;
	sayf("got %d code %d pid %s uid %s value %d\n", sig, info->si_code, info->si_pid == getpid() ? "own" : "other",
	     info->si_uid == getuid() ? "own" : "other", info->si_code == SI_QUEUE ? info->si_int : 0);
	done |= sig == SIGTERM;
}

/* Tells of every signal until SIGTERM; at rest or, "spin", in a loop without calls. */
static void catcher(void)
{
	for (int sig = 1; sig <= 64; sig++)
		catch(sig, tell, 0);
	say("ready\n");
	while (!done)
		if (!arguments[0])
			pause();
	say("end\n");
}

static void ignored(void)
{
	say("ignored:");
	for (int sig = 1; sig <= 64; sig++) {
		struct sigaction act;

		if (!sigaction(sig, NULL, &act) && act.sa_handler == SIG_IGN)
			sayf(" %d", sig);
	}
	say("\nblocked:");
	for (int sig = 1; sig <= 64; sig++) {
		sigset_t set;

		sigprocmask(SIG_BLOCK, NULL, &set);
		if (sigismember(&set, sig) == 1)
			sayf(" %d", sig);
	}
	say("\n");
	catch(SIGTERM, tell, 0);
	say("ready\n");
	while (!done)
		pause();
}

/* ------------------------------------------------------------- blocked ones */

static void blocked(void)
{
	sigset_t set = set_of(SIGUSR1, SIGRTMIN), pending;

	catch(SIGUSR1, tell, 0);
	catch(SIGRTMIN, tell, 0);
	catch(SIGTERM, tell, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	say("ready\n");
	while (!done)
		pause();
	sigpending(&pending);
	sayf("pending: %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGRTMIN));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("unblocked\n");
	sigpending(&pending);
	sayf("pending: %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGRTMIN));
}

/* ------------------------------------------------------------- calls that wait */

static void noted(int sig, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	sayf("handler of %d\n", sig);
}

/* Lets what waits on the pipe go on. */
static void release(int sig, siginfo_t *info, void *context)
{
	static char room[65536];

	(void)sig;
	(void)info;
	(void)context;
	say("release\n");
	if (!strcmp(arguments[0], "write")) {
		if (read(fds[0], room, sizeof(room)) < 0)
			_exit(3);
	} else if (write(fds[1], "x", 1) != 1) {
		_exit(3);
	}
}

static const struct timespec second = { 1, 0 };

static long wait_read(void)
{
	char c;

	return read(fds[0], &c, 1);
}

static long wait_write(void)
{
	static char room[65536];

	return write(fds[1], room, sizeof(room));
}

static long wait_poll(void)
{
	struct pollfd p = { fds[0], POLLIN, 0 };

	return poll(&p, 1, 1000);
}

static long wait_ppoll(void)
{
	struct pollfd p = { fds[0], POLLIN, 0 };
	sigset_t set = set_of(SIGWINCH, 0);

	return ppoll(&p, 1, &second, &set);
}

static long wait_select(void)
{
	struct timeval t = { 1, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	return select(fds[0] + 1, &set, NULL, NULL, &t);
}

static long wait_pselect(void)
{
	sigset_t mask = set_of(SIGWINCH, 0);
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	return pselect(fds[0] + 1, &set, NULL, NULL, &second, &mask);
}

static int epoll_on_pipe(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, fds[0], &e);
	return fd;
}

static long wait_epoll(void)
{
	struct epoll_event e;

	return epoll_wait(epoll_on_pipe(), &e, 1, 1000);
}

static long wait_epoll_pwait(void)
{
	sigset_t mask = set_of(SIGWINCH, 0);
	struct epoll_event e;

	return epoll_pwait(epoll_on_pipe(), &e, 1, 1000, &mask);
}

static bool sleep_shown;

/* What remains of a second from which a signal took a part. */
static long rest(long ret, const struct timespec *rem)
{
	int64_t ns = rem->tv_sec * 1000000000ll + rem->tv_nsec;

	if (ret && !sleep_shown)
		sayf("remaining %s\n", ns > 0 && ns < 1000 * MS ? "right" : "wrong");
	sleep_shown = true;
	return ret;
}

static long wait_nanosleep(void)
{
	struct timespec rem = { 9, 9 };

	return rest(nanosleep(&second, &rem), &rem);
}

static long wait_clock_nanosleep(void)
{
	struct timespec rem = { 9, 9 };

	errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &second, &rem);
	return rest(errno ? -1 : 0, &rem);
}

static long wait_clock_absolute(void)
{
	struct timespec at, rem = { 9, 9 };

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec++;
	errno = clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, &rem);
	if (rem.tv_sec != 9 || rem.tv_nsec != 9)
		say("the remaining time was stored\n");
	return errno ? -1 : 0;
}

static long wait_pause(void)
{
	return pause();
}

static long wait_sigsuspend(void)
{
	sigset_t mask = set_of(SIGWINCH, 0);

	return sigsuspend(&mask);
}

static long wait_sigtimedwait(void)
{
	sigset_t set = set_of(SIGRTMIN + 5, 0);
	siginfo_t info = { .si_signo = 77 };
	long ret = sigtimedwait(&set, &info, &second);

	if (info.si_signo != 77)
		say("siginfo was stored\n");
	return ret;
}

static long wait_sigwaitinfo(void)
{
	sigset_t set = set_of(SIGRTMIN + 5, 0);

	return sigwaitinfo(&set, NULL);
}

static uint32_t word;

static long wait_futex(void)
{
	return syscall(SYS_futex, &word, 0, 0, NULL);
}

static long wait_futex_timeout(void)
{
	return syscall(SYS_futex, &word, 0, 0, &second);
}

static const struct {
	const char *name;
	long (*call)(void);
} waits[] = {
	{ "read", wait_read },
	{ "write", wait_write },
	{ "poll", wait_poll },
	{ "ppoll", wait_ppoll },
	{ "select", wait_select },
	{ "pselect", wait_pselect },
	{ "epoll_wait", wait_epoll },
	{ "epoll_pwait", wait_epoll_pwait },
	{ "nanosleep", wait_nanosleep },
	{ "clock_nanosleep", wait_clock_nanosleep },
	{ "clock_nanosleep_abs", wait_clock_absolute },
	{ "pause", wait_pause },
	{ "sigsuspend", wait_sigsuspend },
	{ "sigtimedwait", wait_sigtimedwait },
	{ "sigwaitinfo", wait_sigwaitinfo },
	{ "futex", wait_futex },
	{ "futex_timeout", wait_futex_timeout },
};

static long wait_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		if (!strcmp(waits[i].name, name))
			return waits[i].call();
	_exit(2);
}

static void make_pipe(void)
{
	static char room[65536];

	if (pipe(fds))
		_exit(3);
	if (!strcmp(arguments[0], "write") && write(fds[1], room, sizeof(room)) != sizeof(room))
		_exit(3);
}

/* SIGUSR1, or SIGCONT after a stop, interrupts a waiting call; SIGUSR2 (SA_RESTART) lets it go on where it went back to wait. */
static void interrupted(void)
{
	sigset_t before, after;
	long ret;

	make_pipe();
	catch(SIGUSR1, noted, arguments[1] ? SA_RESTART : 0);
	catch(SIGUSR2, release, SA_RESTART);
	catch(SIGCONT, noted, arguments[1] ? SA_RESTART : 0);
	sigprocmask(SIG_BLOCK, NULL, &before);
	say("ready\n");
	ret = wait_by_name(arguments[0]);
	sayf("%s: %ld %s\n", arguments[0], ret, ret < 0 ? strerror(errno) : "");
	sigprocmask(SIG_BLOCK, NULL, &after);
	if (memcmp(&before, &after, 8))
		say("the mask changed\n");
}

/*
 * Signals that have no handler, or that the call does not let through, come
 * during a wait of a second: it lasts that second.
 */
static void undisturbed(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2);
	int64_t start, took;
	long ret;

	make_pipe();
	sigprocmask(SIG_BLOCK, &set, NULL);
	say("ready\n");
	start = now();
	ret = wait_by_name(arguments[0]);
	took = now() - start;
	sayf("%s: %ld %s\n", arguments[0], ret, ret < 0 ? strerror(errno) : "");
	/* a factor for slow machines; a wait begun anew would take a second and a half or more */
	if (took < 990 * MS || took > 1400 * MS)
		sayf("it took %lld ms\n", (long long)(took / MS));
}

/* A write of more than a pipe holds is not cut short by signals that are ignored or blocked. */
static void whole_write(void)
{
	static char room[1 << 20];
	sigset_t set = set_of(SIGUSR1, SIGUSR2);
	ssize_t n;

	sigprocmask(SIG_BLOCK, &set, NULL);
	n = write(1, room, sizeof(room));
	fprintf(stderr, "wrote %zd\n", n);
}

/* A call's own mask lets through what the program blocks, and only there. */
static void let_through(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2), mask = set_of(SIGUSR2, 0), after;
	struct pollfd p = { .events = POLLIN };
	struct epoll_event e;
	long ret = -2;
	fd_set in;

	make_pipe();
	catch(SIGUSR1, noted, 0);
	catch(SIGUSR2, noted, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	p.fd = fds[0];
	/* twice: at a signal that comes, and at one that waits already */
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			say("ready\n");
		else
			raise(SIGUSR1);
		if (!strcmp(arguments[0], "ppoll"))
			ret = ppoll(&p, 1, NULL, &mask);
		else if (!strcmp(arguments[0], "pselect"))
			ret = pselect(fds[0] + 1, &in, NULL, NULL, NULL, &mask);
		else if (!strcmp(arguments[0], "epoll_pwait"))
			ret = epoll_pwait(epoll_on_pipe(), &e, 1, -1, &mask);
		else if (!strcmp(arguments[0], "sigsuspend"))
			ret = sigsuspend(&mask);
		sayf("%s: %ld %s\n", arguments[0], ret, strerror(errno));
	}
	sigprocmask(SIG_BLOCK, NULL, &after);
	sayf("blocked %d %d\n", sigismember(&after, SIGUSR1), sigismember(&after, SIGUSR2));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* sigwaitinfo takes them in order, with their values. */
static void waited(void)
{
	sigset_t set = set_of(SIGUSR1, SIGRTMIN);
	struct timespec none = { 0, 0 };
	siginfo_t info;
	int sig;

	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sayf("poll: %d %s\n", sigtimedwait(&set, &info, &none), strerror(errno));
	raise(SIGUSR1);
	sayf("poll: %d\n", sigtimedwait(&set, &info, &none));
	say("ready\n");
	do {
		sig = sigwaitinfo(&set, &info);
		sayf("%d: signo %d code %d value %d\n", sig, info.si_signo, info.si_code,
		     info.si_code == SI_QUEUE ? info.si_int : 0);
	} while (sig != SIGTERM);
}

/* ------------------------------------------------------------- stops */

static void continued(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	sayf("continued %d\n", ++count);
}

static void stopped(void)
{
	sigset_t set = set_of(SIGUSR1, 0);

	if (arguments[0])
		catch(SIGCONT, continued, SA_RESTART);
	catch(SIGTERM, tell, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	say("ready\n");
	while (!done) {
		struct pollfd p;

		poll(&p, 0, 10);
	}
	say("end\n");
}

static void stop_itself(void)
{
	say("ready\n");
	raise(SIGSTOP);
	say("again\n");
	raise(SIGTSTP);
	say("and again\n");
	kill(getpid(), SIGTTIN);
	say("end\n");
}

/* ------------------------------------------------------------- storms */

static void counting(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_int != count)
		wrong++;
	count++;
}

static void work_compute(void)
{
	for (volatile int i = 0; i < 1000; i++)
		;
}

static void work_calls(void)
{
	static uint64_t set;

	getppid();
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
	if (lseek(0, 0, SEEK_CUR) == 12345)
		wrong++;
}

static void work_faults(void)
{
	volatile char *p = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < 16; i++)
		if (p[i * 4096])
			wrong++;
		else
			p[i * 4096] = i;
	munmap((void *)p, 16 * 4096);
}

/* Registers hold what they held: kicks come between any two instructions. */
static void work_registers(void)
{
	uint64_t a = 0x0123456789abcdef, sum = 0;

	for (int i = 0; i < 1000; i++)
		asm volatile("mov %1, %%r8; mov %1, %%r9; mov %1, %%rcx; mov %1, %%r11; movq %1, %%xmm7\n"
			     "cmp %%r8, %%r9; setne %%al; movzbl %%al, %%eax; add %%rax, %0\n"
			     "cmp %%rcx, %%r11; setne %%al; movzbl %%al, %%eax; add %%rax, %0\n"
			     "movq %%xmm7, %%rax; cmp %%rax, %1; setne %%al; movzbl %%al, %%eax; add %%rax, %0"
			     : "+r"(sum) : "r"(a) : "rax", "rcx", "r8", "r9", "r11", "xmm7", "cc", "memory");
	wrong += sum != 0;
}

/* Sleeps last their time, or end with EINTR for a handler that ran; never for a signal without one. */
static void work_sleep(void)
{
	struct timespec t = { 0, 2 * MS }, rem = { 0, 0 };
	int before = count;
	int64_t start = now();

	if (!nanosleep(&t, &rem))
		wrong += now() - start < 2 * MS;
	else	/* what remains includes the timer's slack */
		wrong += errno != EINTR || count == before || rem.tv_nsec > 3 * MS;
}

static void work_poll(void)
{
	struct pollfd p = { 0, 0, 0 };
	int before = count, ret;
	int64_t start = now();

	ret = poll(&p, 0, 2);
	if (!ret)
		wrong += now() - start < 2 * MS;
	else
		wrong += ret > 0 || errno != EINTR || count == before;
}

static const struct {
	const char *name;
	void (*work)(void);
} works[] = {
	{ "sleep", work_sleep },
	{ "poll", work_poll },
	{ "compute", work_compute },
	{ "calls", work_calls },
	{ "faults", work_faults },
	{ "registers", work_registers },
};

/* 1,000 of SIGRTMIN + 1 with their numbers as values, in order. */
static void storm(void)
{
	void (*work)(void) = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (!strcmp(works[i].name, arguments[0]))
			work = works[i].work;
	if (!work)
		_exit(2);
	catch(SIGRTMIN + 1, counting, 0);
	say("ready\n");
	while (count < 1000)
		work();
	sayf("%d signals, %d wrong\n", count, wrong);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "sleep", sleeper },
	{ "spin", spinner },
	{ "catch", catcher },
	{ "ignored", ignored },
	{ "blocked", blocked },
	{ "interrupted", interrupted },
	{ "undisturbed", undisturbed },
	{ "whole-write", whole_write },
	{ "let-through", let_through },
	{ "waited", waited },
	{ "stopped", stopped },
	{ "stop-itself", stop_itself },
	{ "storm", storm },
};

int main(int argc, char **argv)
{
	arguments = (const char *const *)argv + 2;
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(cases); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	return 2;
}
