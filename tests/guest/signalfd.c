/* SPDX-License-Identifier: GPL-2.0-only */
/* signalfd(2): "signalfd alone", "signalfd waits", "signalfd processes". */
#include "process.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/uio.h>

static long say(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
	return ret;
}

static int ready(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static sigset_t blocked(int n, const int sig[])
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < n; i++)
		sigaddset(&set, sig[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return set;
}

static void tell(int fd)
{
	struct signalfd_siginfo info[4];
	ssize_t n = read(fd, info, sizeof(info));

	say("read", n);
	for (int i = 0; i < n / (ssize_t)sizeof(info[0]); i++)
		printf("signal %u code %d own pid %d uid %d status %d int %d tid %u overrun %u\n", info[i].ssi_signo,
		       info[i].ssi_code, info[i].ssi_pid == (uint32_t)getpid(), info[i].ssi_uid == getuid(),
		       info[i].ssi_status, info[i].ssi_int, info[i].ssi_tid, info[i].ssi_overrun);
}

static void no_handler(int sig)
{
	printf("handler of %d\n", sig);
}

static void alone(void)
{
	const int some[] = { SIGUSR1, SIGUSR2, SIGRTMIN, SIGCHLD, SIGALRM };
	sigset_t set = blocked(5, some), less;
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), d, ep = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u64 = 7 };
	struct signalfd_siginfo info[2];
	char small[200];
	struct iovec iov[2] = { { &info[0], sizeof(info[0]) }, { &info[1], sizeof(info[1]) } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 11 };
	struct itimerspec in = { .it_value = { 0, 1 } };
	fd_set fds;
	timer_t timer;

	printf("flags %#x %#x\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	tell(fd);
	printf("ready %#x\n", ready(fd));
	say("epoll", epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	say("epoll_wait", epoll_wait(ep, &e, 1, 0));
	raise(SIGUSR1);
	printf("ready %#x\n", ready(fd));
	say("epoll_wait", epoll_wait(ep, &e, 1, 0));
	say("epoll_wait", epoll_wait(ep, &e, 1, 0));
	kill(getpid(), SIGUSR2);
	say("epoll_wait", epoll_wait(ep, &e, 1, 0));
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 5 });
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 6 });
	FD_ZERO(&fds);
	FD_SET(fd, &fds);
	say("select", select(fd + 1, &fds, NULL, NULL, &(struct timeval){ 0 }));
	say("too small", read(fd, small, 127));
	say("one and a part", read(fd, small, 200));
	tell(fd);
	printf("ready %#x\n", ready(fd));
	tell(fd);
	say("epoll_wait", epoll_wait(ep, &e, 1, 0));

	/* sigprocmask, sigtimedwait and the descriptor have one queue */
	kill(getpid(), SIGUSR1);
	printf("ready %#x\n", ready(fd));
	say("sigtimedwait", sigtimedwait(&set, NULL, &(struct timespec){ 0 }));
	printf("ready %#x\n", ready(fd));
	signal(SIGUSR1, no_handler);
	kill(getpid(), SIGUSR1);
	sigemptyset(&less);
	sigaddset(&less, SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &less, NULL);
	printf("ready %#x\n", ready(fd));
	sigprocmask(SIG_BLOCK, &less, NULL);
	kill(getpid(), SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	printf("ignored: ready %#x\n", ready(fd));
	signal(SIGUSR1, SIG_DFL);

	/* the mask is the descriptor's, and its duplicates' */
	d = dup(fd);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	say("change", signalfd(fd, &less, 0) == fd);
	tell(d);
	printf("ready %#x\n", ready(d));
	say("change back", signalfd(d, &set, 0) == d);
	printf("ready %#x\n", ready(fd));
	close(fd);
	tell(d);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &in, NULL);
	say("poll", poll(&(struct pollfd){ d, POLLIN, 0 }, 1, -1));
	say("readv", readv(d, iov, 2));
	printf("code %d int %d\n", info[0].ssi_code, info[0].ssi_int);

	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	say("readv", readv(d, iov, 2));
	printf("signals %u %u\n", info[0].ssi_signo, info[1].ssi_signo);
	kill(getpid(), SIGUSR1);
	say("to a bad address", syscall(SYS_read, d, BAD, 128));
	say("write", write(d, small, 8));
	say("lseek", lseek(d, 0, SEEK_SET));
	say("pread", pread(d, small, 128, 0));
	say("not one", signalfd(1, &set, 0));
	say("not open", signalfd(77, &set, 0));
	say("flags that are none", signalfd(-1, &set, 1));
	say("a bad mask", syscall(SYS_signalfd4, -1, 8, 8, 0));
	say("a mask of another size", syscall(SYS_signalfd4, -1, &set, 4, 0));
	say("the old call", (d = syscall(SYS_signalfd, -1, &set, 8)) > 0);
	printf("flags %#x %#x\n", fcntl(d, F_GETFL), fcntl(d, F_GETFD));
}

/* ------------------------------------------------------------- waiting */

static pid_t main_tid;

static void *send_later(void *arg)
{
	nanosleep(&(struct timespec){ 0, 30000000 }, NULL);
	if (arg)
		syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1);
	else
		kill(getpid(), SIGUSR1);
	return NULL;
}

static void *read_there(void *arg)
{
	tell(*(int *)arg);
	return NULL;
}

static void waits(void)
{
	const int some[] = { SIGUSR1, SIGUSR2 };
	sigset_t set = blocked(2, some), less;
	int fd = signalfd(-1, &set, 0), ep = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 7 };
	struct sigaction act = { .sa_handler = no_handler, .sa_flags = SA_RESTART };
	pthread_t thread;

	main_tid = syscall(SYS_gettid);
	for (long i = 0; i < 2; i++) {
		pthread_create(&thread, NULL, send_later, (void *)i);
		tell(fd);
		pthread_join(thread, NULL);
		pthread_create(&thread, NULL, send_later, (void *)i);
		say("poll", poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, -1));
		tell(fd);
		pthread_join(thread, NULL);
		epoll_ctl(ep, i ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);
		pthread_create(&thread, NULL, send_later, (void *)i);
		say("epoll_wait", epoll_wait(ep, &e, 1, -1));
		tell(fd);
		pthread_join(thread, NULL);
	}
	/* another thread reads what is for the process */
	pthread_create(&thread, NULL, read_there, &fd);
	send_later(NULL);
	pthread_join(thread, NULL);

	/* other signals' handlers: the read is made again, or ends */
	sigemptyset(&less);
	sigaddset(&less, SIGUSR2);
	signalfd(fd, &less, 0);
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 20000 } }, NULL);
	if (!fork_or_end()) {
		nanosleep(&(struct timespec){ 0, 300000000 }, NULL);
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	tell(fd);
	wait(NULL);
	act.sa_flags = 0;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 20000 } }, NULL);
	tell(fd);
}

/* ------------------------------------------------------------- with other processes */

static int in_child(long fd)
{
	printf("in the child: ready %#x\n", ready(fd));
	raise(SIGUSR1);
	printf("its own: ready %#x\n", ready(fd));
	tell(fd);
	return 3;
}

static void processes(void)
{
	const int some[] = { SIGUSR1, SIGUSR2, SIGCHLD };
	sigset_t set = blocked(3, some);
	int fd = signalfd(-1, &set, SFD_NONBLOCK), ep = epoll_create1(0), gate[2];
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 7 };
	char text[16];
	pid_t pid;

	kill(getpid(), SIGUSR2);
	pid = child(in_child, fd);
	printf("ended with %d\n", ended(pid));
	printf("ready %#x\n", ready(fd));
	tell(fd);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	pid = child(forever, 0);
	say("epoll_wait", epoll_wait(ep, &e, 1, 0));
	kill(pid, SIGKILL);
	say("epoll_wait", epoll_wait(ep, &e, 1, -1));
	tell(fd);
	printf("ended with %d\n", ended(pid));

	/* over execve() */
	pipe(gate);
	kill(getpid(), SIGUSR1);
	pid = fork_or_end();
	if (!pid) {
		raise(SIGUSR2);
		snprintf(text, sizeof(text), "%d", fd);
		execl("/proc/self/exe", "signalfd", "executed", text, NULL);
		_exit(9);
	}
	printf("ended with %d\n", ended(pid));
	tell(fd);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 1;
	if (!strcmp(argv[1], "alone"))
		alone();
	else if (!strcmp(argv[1], "waits"))
		waits();
	else if (!strcmp(argv[1], "processes"))
		processes();
	else if (argc > 2 && !strcmp(argv[1], "executed"))
		printf("executed: ready %#x\n", ready(atoi(argv[2]))), tell(atoi(argv[2]));
	return 0;
}
