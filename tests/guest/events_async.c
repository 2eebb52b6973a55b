/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals that tell of descriptors: O_ASYNC, FIOASYNC, F_SETOWN, F_SETSIG; and FIOCLEX. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long say(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
	return ret;
}

/* The next signal of these, or that none comes. */
static void wait_signal(const char *what, int ms)
{
	siginfo_t info;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGRTMIN + 3);
	sig = sigtimedwait(&set, &info, &(struct timespec){ ms / 1000, ms % 1000 * 1000000 });
	if (sig < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else if (sig == SIGIO)
		printf("%s: SIGIO\n", what);
	else
		printf("%s: SIGRTMIN%+d code %d band %ld\n", what, sig - SIGRTMIN, info.si_code, info.si_band & POLLIN);
}

static void flag(const char *what, int fd)
{
	printf("%s: O_ASYNC %s\n", what, fcntl(fd, F_GETFL) & O_ASYNC ? "on" : "off");
}

int main(void)
{
	int pair[2], pipes[2], on = 1, off = 0, fd;
	sigset_t set;
	char c;
	pid_t child;

	setvbuf(stdout, NULL, _IONBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	say("owner at first", fcntl(pair[0], F_GETOWN));
	say("nobody's process", fcntl(pair[0], F_SETOWN, 1 << 22));
	say("F_SETOWN", fcntl(pair[0], F_SETOWN, getpid()));
	printf("owner is this one: %d\n", fcntl(pair[0], F_GETOWN) == getpid());
	flag("before", pair[0]);
	say("FIOASYNC", ioctl(pair[0], FIOASYNC, &on));
	flag("after", pair[0]);
	wait_signal("nothing has come", 50);
	write(pair[1], "a", 1);
	wait_signal("a byte has come", 20000);
	wait_signal("and no other", 50);
	read(pair[0], &c, 1);
	write(pair[1], "b", 1);
	wait_signal("another one", 20000);
	say("F_SETSIG beyond", fcntl(pair[0], F_SETSIG, 65));
	say("F_SETSIG", fcntl(pair[0], F_SETSIG, SIGRTMIN + 3));
	printf("signal: %d\n", fcntl(pair[0], F_GETSIG) - SIGRTMIN);
	read(pair[0], &c, 1);
	write(pair[1], "c", 1);
	wait_signal("with what it tells", 20000);
	say("FIOASYNC off", ioctl(pair[0], FIOASYNC, &off));
	flag("off", pair[0]);
	read(pair[0], &c, 1);
	write(pair[1], "d", 1);
	wait_signal("none when it is off", 50);

	/* F_SETFL, and an owner that is another process */
	pipe(pipes);
	child = fork();
	if (!child) {
		wait_signal("child", 30000);
		_exit(3);
	}
	say("the child's", fcntl(pipes[0], F_SETOWN, child));
	printf("the child's group: %ld", say("F_SETOWN_EX", fcntl(pipes[0], F_SETOWN_EX, &(struct f_owner_ex){ F_OWNER_PGRP, getpgrp() })));
	printf(" %d\n", fcntl(pipes[0], F_GETOWN) == -getpgrp());
	say("the child's again", fcntl(pipes[0], F_SETOWN_EX, &(struct f_owner_ex){ F_OWNER_PID, child }));
	say("F_SETFL", fcntl(pipes[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	flag("pipe", pipes[0]);
	write(pipes[1], "e", 1);
	waitpid(child, &off, 0);
	printf("child: %d\n", WEXITSTATUS(off));
	wait_signal("not this one's", 50);

	/* the signal ends who does not expect it */
	child = fork();
	if (!child) {
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		pipe(pipes);
		fcntl(pipes[0], F_SETOWN, getpid());
		fcntl(pipes[0], F_SETFL, O_ASYNC);
		write(pipes[1], "f", 1);
		poll(NULL, 0, 20000);
		_exit(4);
	}
	waitpid(child, &off, 0);
	printf("ended by %s\n", WIFSIGNALED(off) ? sigabbrev_np(WTERMSIG(off)) : "nothing");

	/* what has no such signals */
	fd = eventfd(0, 0);
	say("eventfd", ioctl(fd, FIOASYNC, &on));
	say("eventfd's flag", fcntl(fd, F_SETFL, O_ASYNC));
	flag("eventfd", fd);
	say("FIOCLEX", ioctl(fd, FIOCLEX));
	say("is", fcntl(fd, F_GETFD));
	say("FIONCLEX", ioctl(fd, FIONCLEX));
	say("is", fcntl(fd, F_GETFD));
	say("of no descriptor", ioctl(77, FIOCLEX));
	return 0;
}
