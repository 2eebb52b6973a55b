/* SPDX-License-Identifier: GPL-2.0-only */
/* On a terminal of its own: its groups, its keys, and what those in the background are told. */
#include "process.h"

#include <sys/ioctl.h>
#include <termios.h>

static long say(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
	return ret;
}

static void stops(const char *what, pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, WUNTRACED);
	printf("%s: %s %d\n", what, WIFSTOPPED(status) ? "stopped by" : "status", WIFSTOPPED(status) ? WSTOPSIG(status) : status);
}

/* A child in a group of its own, not in the foreground. */
static pid_t background(int (*run)(long), long arg)
{
	pid_t pid = fork_or_end();

	if (!pid) {
		setpgid(0, 0);
		_exit(run(arg));
	}
	setpgid(pid, pid);
	return pid;
}

static int reads(long unused)
{
	char line[80];
	ssize_t n = read(0, line, sizeof(line) - 1);

	(void)unused;
	if (n < 0)
		return say("a child's read", n), 1;
	line[n] = '\0';
	printf("a child has read %s", line);
	return 3;
}

static int reads_ignoring(long unused)
{
	signal(SIGTTIN, SIG_IGN);
	return reads(unused);
}

static int takes(long how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	signal(SIGTTOU, how == 1 ? SIG_IGN : SIG_DFL);
	if (how == 2)
		sigprocmask(SIG_BLOCK, &set, NULL);
	say("a child takes the terminal", tcsetpgrp(0, getpgrp()));
	return tcgetpgrp(0) == getpgrp() ? 4 : 5;
}

static int changes(long unused)
{
	struct termios t;

	(void)unused;
	signal(SIGTTOU, SIG_DFL);
	say("a child looks", tcgetattr(0, &t));
	say("a child changes", tcsetattr(0, TCSANOW, &t));
	return 6;
}

/* By struct termio, of 18 bytes; with SIGTTOU blocked nothing stops it. */
static int changes_of_old(long blocked)
{
	unsigned long request = blocked ? TCSETAW : TCSETA;
	sigset_t set;
	char t[18];

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	signal(SIGTTOU, SIG_DFL);
	if (blocked)
		sigprocmask(SIG_BLOCK, &set, NULL);
	say("a child looks as of old", ioctl(0, TCGETA, t));
	say("a child changes as of old", ioctl(0, request, t));
	return 7;
}

static int elsewhere(long unused)
{
	(void)unused;
	check("a session of its own", setsid() == getpid() && getpgrp() == getpid() && getsid(0) == getpid());
	say("its terminal's group", tcgetpgrp(0));
	say("its terminal's session", tcgetsid(0));
	say("taking it", tcsetpgrp(0, getpgrp()));
	return 0;
}

static void give(pid_t group)
{
	if (tcsetpgrp(0, group) < 0)
		say("giving the terminal", -1);
}

int main(void)
{
	pid_t pid, other;

	setvbuf(stdout, NULL, _IOLBF, 0);
	check("the terminal is this group's", tcgetpgrp(0) == getpgrp());
	check("and this session's", tcgetsid(0) == getsid(0));
	say("to nobody", tcsetpgrp(0, 4000000));
	say("to less than nobody", tcsetpgrp(0, -5));
	say("of no terminal", tcsetpgrp(open("/dev/null", O_RDWR), getpgrp()));
	signal(SIGTTOU, SIG_IGN);

	pid = background(reads, 0);
	stops("a child reads in the background", pid);
	give(pid);
	check("the terminal is its", tcgetpgrp(0) == pid);
	printf("type a line\n");
	kill(-pid, SIGCONT);
	printf("ended with %d\n", ended(pid));
	/* the group is empty, and stays the terminal's */
	give(getpgrp());
	check("the terminal is this group's", tcgetpgrp(0) == getpgrp());

	printf("ignoring: %d\n", ended(background(reads_ignoring, 0)));
	printf("ignoring: %d\n", ended(background(takes, 1)));
	give(getpgrp());
	printf("blocking: %d\n", ended(background(takes, 2)));
	give(getpgrp());
	pid = background(takes, 0);
	stops("a child takes the terminal", pid);
	give(pid);
	kill(pid, SIGCONT);
	printf("ended with %d\n", ended(pid));
	give(getpgrp());
	pid = background(changes, 0);
	stops("a child changes the terminal", pid);
	give(pid);
	kill(pid, SIGCONT);
	printf("ended with %d\n", ended(pid));
	give(getpgrp());
	printf("blocking: %d\n", ended(background(changes_of_old, true)));
	pid = background(changes_of_old, false);
	stops("a child changes the terminal as of old", pid);
	give(pid);
	kill(pid, SIGCONT);
	printf("ended with %d\n", ended(pid));
	give(getpgrp());
	printf("elsewhere: %d\n", ended(child(elsewhere, 0)));
	check("still this group's", tcgetpgrp(0) == getpgrp());

	/* keys are for the foreground: two in one group, and this one in another */
	pid = background(forever, 0);
	give(pid);
	other = fork_or_end();
	if (!other) {
		setpgid(0, pid);
		_exit(forever(0));
	}
	setpgid(other, pid);
	check("in its group", getpgid(other) == pid);
	printf("press a key\n");
	stops("one", other);
	stops("the other", pid);
	give(getpgrp());
	printf("both stand\n");
	give(pid);
	kill(-pid, SIGCONT);
	printf("press another\n");
	stops("one", other);
	stops("the other", pid);
	give(getpgrp());
	printf("done\n");
	return 9;
}
