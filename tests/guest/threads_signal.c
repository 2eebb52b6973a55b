/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom signals go to, and what each thread has of them for itself. */
#include "thread.h"

#include <limits.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>

static atomic_int count, ready, wrong;
static atomic_bool go, done;
static volatile pid_t worker, handled_by;
static volatile int code, value;
static int ends[2];
static sem_t sem;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	handled_by = tid();
	code = info->si_code;
	value = info->si_value.sival_int;
	count++;
}

/* ------------------------------------------------------------- to one thread */

static void *compute(void *arg)
{
	worker = tid();
	ready++;
	SPIN_UNTIL(done);
	return arg;
}

static void spinning(void)
{
	pthread_t thread;
	int astray = 0;

	catch_flags(SIGUSR1, handler, 0);
	thread = start(compute, NULL);
	SPIN_UNTIL(worker);
	for (int i = 1; i <= 100; i++) {
		pthread_kill(thread, SIGUSR1);
		SPIN_UNTIL(count == i);
		astray += handled_by != worker || code != SI_TKILL;
	}
	done = true;
	join(thread);
	printf("%d handled, %d astray\n", count, astray);
}

static long in_read(void)
{
	char c;

	return read(ends[0], &c, 1);
}

static long in_sleep(void)
{
	struct timespec t = { 1000, 0 }, rest = { 0, 0 };
	long ret = nanosleep(&t, &rest);

	wrong += ret && (rest.tv_sec < 100 || rest.tv_sec > 1000);
	return ret;
}

static long in_poll(void)
{
	struct pollfd p = { ends[0], POLLIN, 0 };

	return poll(&p, 1, -1);
}

static long in_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	return select(ends[0] + 1, &set, NULL, NULL, NULL);
}

static long in_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event);
	return epoll_wait(fd, &event, 1, -1);
}

static long in_sem_wait(void)
{
	return sem_wait(&sem);
}

static long in_pause(void)
{
	return pause();
}

static long in_sigsuspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	return sigsuspend(&none);
}

static const struct wait {
	const char *name;
	long (*call)(void);
	int flags;
	int most;	/* signals; after as many a byte and a post come */
} waits[] = {
	{ "read", in_read, 0, INT_MAX }, { "read, restart", in_read, SA_RESTART, 20 },
	{ "nanosleep", in_sleep, 0, INT_MAX }, { "nanosleep, restart", in_sleep, SA_RESTART, INT_MAX },
	{ "poll", in_poll, 0, INT_MAX }, { "poll, restart", in_poll, SA_RESTART, INT_MAX },
	{ "select", in_select, SA_RESTART, INT_MAX }, { "epoll_wait", in_epoll, SA_RESTART, INT_MAX },
	{ "sem_wait", in_sem_wait, 0, INT_MAX }, { "sem_wait, restart", in_sem_wait, SA_RESTART, 20 },
	{ "pause", in_pause, SA_RESTART, INT_MAX }, { "sigsuspend", in_sigsuspend, SA_RESTART, INT_MAX },
};

static void *wait_once(void *arg)
{
	const struct wait *w = arg;
	long ret;

	worker = tid();
	ret = w->call();
	if (ret < 0)
		ret = -errno;
	done = true;
	return (void *)ret;
}

/* A thread that waits is signalled until its call ends, if it does. */
static void interrupted(void)
{
	char c = 0;

	if (pipe(ends))
		exit(91);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		pthread_t thread;
		long ret;

		catch_flags(SIGUSR1, handler, waits[i].flags);
		worker = 0;
		done = false;
		count = 0;
		thread = start(wait_once, (void *)&waits[i]);
		SPIN_UNTIL(worker);
		for (int n = 0; n < waits[i].most && !done; n++) {
			int before = count;

			pthread_kill(thread, SIGUSR1);
			WAIT_UNTIL(count != before || done);
			wrong += count != before && handled_by != worker;
		}
		if (!done) {
			wrong += write(ends[1], &c, 1) != 1;
			sem_post(&sem);
		}
		ret = (long)join(thread);
		printf("%s: %s\n", waits[i].name, ret < 0 ? strerrorname_np(-ret) : "done");
		/* what did not take its byte or post */
		while (!sem_trywait(&sem))
			;
		if (waits[i].most != INT_MAX && waits[i].call != in_read)
			in_read();
	}
	printf("%d wrong\n", wrong);
}

/* ------------------------------------------------------------- masks */

static bool pends(int sig)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, sig);
}

static bool blocked(int sig)
{
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, sig);
}

static void *own_mask(void *arg)
{
	worker = tid();
	wrong += !blocked(SIGUSR1) || blocked(SIGUSR2) || pends(SIGUSR1);
	block(SIGUSR2);
	ready = 1;
	SPIN_UNTIL(go);
	/* both are here, none was handled; the first thread has only one of them */
	wrong += !pends(SIGUSR1) || !pends(SIGUSR2) || count;
	unblock(SIGUSR1);
	wrong += count != 1 || handled_by != worker || pends(SIGUSR1);
	unblock(SIGUSR2);
	wrong += count != 2 || pends(SIGUSR2);
	return arg;
}

static void masks(void)
{
	pthread_t thread;

	catch_flags(SIGUSR1, handler, 0);
	catch_flags(SIGUSR2, handler, 0);
	block(SIGUSR1);
	pthread_kill(pthread_self(), SIGUSR1);
	check("it pends here", pends(SIGUSR1));
	thread = start(own_mask, NULL);
	SPIN_UNTIL(ready);
	check("the mask is as it was", !blocked(SIGUSR2));
	pthread_kill(thread, SIGUSR2);
	pthread_kill(thread, SIGUSR1);
	check("what is another's does not pend here", !pends(SIGUSR2));
	go = true;
	join(thread);
	check("it still pends here", pends(SIGUSR1));
	unblock(SIGUSR1);
	printf("%d handled, %d wrong\n", count, wrong);
}

/* ------------------------------------------------------------- to the process */

static void *take_signals(void *arg)
{
	unblock(SIGUSR1);
	worker = tid();
	if (arg)
		in_sleep();
	while (!done)
		if (arg)
			sleep_ms(1);
	return arg;
}

/* Who does not block it gets it: computing or asleep. */
static void process(void)
{
	int astray = 0;

	catch_flags(SIGUSR1, handler, 0);
	block(SIGUSR1);
	for (long asleep = 0; asleep < 2; asleep++) {
		pthread_t threads[3], thread;

		done = false;
		ready = count = 0;
		for (int i = 0; i < 3; i++)
			threads[i] = start(compute, NULL);
		WAIT_UNTIL(ready == 3);
		worker = 0;
		thread = start(take_signals, (void *)asleep);
		WAIT_UNTIL(worker);
		for (int i = 1; i <= 50; i++) {
			kill(getpid(), SIGUSR1);
			SPIN_UNTIL(count == i);
			astray += code != SI_USER || handled_by != worker;
		}
		done = true;
		join(thread);
		for (int i = 0; i < 3; i++)
			join(threads[i]);
	}
	printf("%d astray\n", astray);
}

static void *unblock_it(void *arg)
{
	worker = tid();
	wrong += !pends(SIGUSR1);
	unblock(SIGUSR1);
	wrong += count != 1 || handled_by != worker || pends(SIGUSR1);
	return arg;
}

static void until_unblocked(void)
{
	catch_flags(SIGUSR1, handler, 0);
	block(SIGUSR1);
	kill(getpid(), SIGUSR1);
	check("it pends", pends(SIGUSR1) && !count);
	join(start(unblock_it, NULL));
	check("no more", !pends(SIGUSR1));
	unblock(SIGUSR1);
	printf("%d handled, %d wrong\n", count, wrong);
}

/* ------------------------------------------------------------- waiting for signals */

static void *take_by_sigwait(void *arg)
{
	sigset_t set = set_of(SIGUSR1);
	int sig;

	for (int i = 0; i < 100; i++) {
		wrong += sigwait(&set, &sig) || sig != SIGUSR1;
		count++;
	}
	return arg;
}

static void by_sigwait(void)
{
	pthread_t thread;

	block(SIGUSR1);
	thread = start(take_by_sigwait, NULL);
	for (int i = 1; i <= 100; i++) {
		if (i & 1)
			kill(getpid(), SIGUSR1);
		else
			pthread_kill(thread, SIGUSR1);
		SPIN_UNTIL(count == i);
	}
	join(thread);
	printf("%d taken, %d wrong\n", count, wrong);
}

static void *tell_infos(void *arg)
{
	struct timespec soon = { 0, 10 * MS };
	sigset_t set = set_of(SIGRTMIN + 2);
	siginfo_t info;

	sigaddset(&set, SIGUSR1);
	show("sigtimedwait", sigtimedwait(&set, &info, &soon));
	ready = 1;
	for (int i = 0; i < 6; i++) {
		int sig = sigwaitinfo(&set, &info);

		printf("%d code %d from %s value %d\n", sig, info.si_code, info.si_pid == getpid() ? "here" : "elsewhere",
		       info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
		count++;
	}
	return arg;
}

static void infos(void)
{
	pthread_t thread;

	block(SIGUSR1);
	block(SIGRTMIN + 2);
	thread = start(tell_infos, NULL);
	SPIN_UNTIL(ready);
	kill(getpid(), SIGUSR1);
	SPIN_UNTIL(count == 1);
	pthread_kill(thread, SIGUSR1);
	SPIN_UNTIL(count == 2);
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 33 });
	SPIN_UNTIL(count == 3);
	for (int i = 0; i < 3; i++)
		pthread_sigqueue(thread, SIGRTMIN + 2, (union sigval){ .sival_int = 44 + i });
	join(thread);
}

/* ------------------------------------------------------------- queues */

static void in_order(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	wrong += info->si_value.sival_int != count || info->si_code != SI_QUEUE || tid() != worker;
	count++;
}

static void queued(void)
{
	pthread_t thread;

	catch_flags(SIGRTMIN + 1, in_order, 0);
	thread = start(compute, NULL);
	SPIN_UNTIL(worker);
	for (int i = 0; i < 500; i++)
		while (pthread_sigqueue(thread, SIGRTMIN + 1, (union sigval){ .sival_int = i }) == EAGAIN)
			sched_yield();
	WAIT_UNTIL(count == 500);
	done = true;
	join(thread);
	printf("%d handled, %d wrong\n", count, wrong);
}

static pthread_t ring[4];
static __thread int mine;
static _Atomic long total;

static void add_up(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	total += info->si_value.sival_int;
	mine++;
}

/* Each sends to the next, makes calls, and ends when it has had all of its own. */
static void *send_on(void *arg)
{
	pthread_t next;

	ready++;
	SPIN_UNTIL(go);
	next = ring[((long)arg + 1) % 4];
	for (int i = 1; i <= 200; i++) {
		while (pthread_sigqueue(next, SIGRTMIN + 3, (union sigval){ .sival_int = i }) == EAGAIN)
			sched_yield();
		syscall(SYS_getppid);
	}
	WAIT_UNTIL(mine == 200);
	count++;
	WAIT_UNTIL(count == 4);
	return arg;
}

static void storm(void)
{
	catch_flags(SIGRTMIN + 3, add_up, SA_RESTART);
	for (long i = 0; i < 4; i++)
		ring[i] = start(send_on, (void *)i);
	SPIN_UNTIL(ready == 4);
	go = true;
	for (int i = 0; i < 4; i++)
		join(ring[i]);
	printf("%ld\n", total);
}

/* ------------------------------------------------------------- what tgkill says */

static void errors(void)
{
	pthread_t thread = start(compute, NULL);
	pid_t gone;

	SPIN_UNTIL(worker);
	gone = worker;
	TRY(pthread_kill(thread, 0));
	TRY(pthread_kill(thread, 65));
	show("signal 0", tgkill_(gone, 0));
	show("to another process's thread", syscall(SYS_tgkill, gone, gone, SIGUSR1));
	show("tkill", syscall(SYS_tkill, gone, 0));
	/* kill takes a thread's id for its process's */
	show("kill", kill(gone, 0));
	done = true;
	join(thread);
	/* it is not quite gone when it can be joined */
	WAIT_UNTIL(tgkill_(gone, 0));
	show("gone", tgkill_(gone, SIGUSR1));
	show("gone", syscall(SYS_tkill, gone, SIGUSR1));
	show("no process", syscall(SYS_tgkill, -1, getpid(), SIGUSR1));
	show("no thread", syscall(SYS_tgkill, getpid(), 0, SIGUSR1));
	show("no thread", syscall(SYS_tkill, -1, SIGUSR1));
	show("no signal", tgkill_(getpid(), 65));
	show("no signal", tgkill_(getpid(), -1));
	show("queue", syscall(SYS_rt_tgsigqueueinfo, getpid(), gone, SIGUSR1, &(siginfo_t){ .si_code = SI_QUEUE }));
	show("queue", syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, SIGUSR1, &(siginfo_t){ .si_code = SI_QUEUE }));
}

/*
 * A thread begins with all signals blocked, pthread_create(3). In a process of its own, so that the
 * signal is the first one: what is kept of it needs memory, which takes time.
 */
static void *wait_for_post(void *arg)
{
	while (sem_wait(&sem))
		;
	return arg;
}

static void beginning(void)
{
	int handled = 0, status;
	pthread_t thread;

	catch_flags(SIGUSR1, handler, SA_RESTART);
	sem_init(&sem, 0, 0);
	for (int i = 0; i < 150; i++) {
		pid_t pid = fork();

		if (!pid) {
			alarm(20);
			thread = start(wait_for_post, NULL);
			pthread_kill(thread, SIGUSR1);
			SPIN_UNTIL(count);
			sem_post(&sem);
			join(thread);
			_exit(0);
		}
		/* six at once, so that the host has others to run in that time */
		while ((i % 6 == 5 || pid < 0) && wait(&status) > 0)
			handled += !status;
	}
	printf("%d handled\n", handled);
}

static void come(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
}

/* At the pipe's end, without signals. */
static void *drain(void *arg)
{
	static char buffer[1000];
	ssize_t n;

	while ((n = read(ends[0], buffer, sizeof(buffer))) > 0)
		count += n;
	return arg;
}

/* 256 KiB in pieces of 16 bytes, where a signal waits before nearly each call. */
static void small_pieces(void)
{
	enum { PIECES = 1024, SIZE = 256 << 10 };
	static const struct itimerval fast = { { 0, 100 }, { 0, 100 } }, off;
	static struct iovec iov[PIECES];
	static char piece[16];
	pthread_t thread;
	int small = 0;

	for (int i = 0; i < PIECES; i++)
		iov[i] = (struct iovec){ piece, sizeof(piece) };
	if (pipe(ends))
		exit(105);
	block(SIGALRM);
	thread = start(drain, NULL);
	catch_flags(SIGALRM, come, 0);
	unblock(SIGALRM);
	setitimer(ITIMER_REAL, &fast, NULL);
	for (int left = SIZE; left > 0;) {
		ssize_t n = writev(ends[1], iov, PIECES);

		left -= n > 0 ? n : 0;
		small += n > 0 && n < PIPE_BUF;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	close(ends[1]);
	join(thread);
	printf("%s read, %d small\n", count >= SIZE ? "all" : "NOT all", small);
}

static const struct part parts[] = {
	{ "spinning", spinning }, { "interrupted", interrupted }, { "masks", masks }, { "process", process },
	{ "until-unblocked", until_unblocked }, { "sigwait", by_sigwait }, { "infos", infos }, { "queued", queued },
	{ "storm", storm }, { "errors", errors }, { "beginning", beginning },
	{ "small-pieces", small_pieces },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
