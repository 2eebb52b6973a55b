/* SPDX-License-Identifier: GPL-2.0-only */
/* Pseudo-terminals: both ends, sessions that have one, and its hangup. */
#include "process.h"

#include <dirent.h>
#include <poll.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

static char text[4096];

/* What comes from a descriptor until it has this many bytes, or ends. */
static void reads(const char *what, int fd, size_t want)
{
	size_t got = 0;
	ssize_t n = 0;

	while (got < want && (n = read(fd, text + got, sizeof(text) - 1 - got)) > 0)
		got += n;
	text[got] = '\0';
	printf("%s: ", what);
	for (size_t i = 0; i < got; i++)
		printf(text[i] == '\r' ? "\\r" : text[i] == '\n' ? "\\n" : text[i] < ' ' ? "\\%o" : "%c", text[i]);
	printf("%s%s\n", n < 0 ? " " : "", n < 0 ? strerrorname_np(errno) : "");
}

static int writes(int fd, const char *what)
{
	return write(fd, what, strlen(what));
}

static int open_pair(int *slave, char *name)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	grantpt(master);
	unlockpt(master);
	strcpy(name, ptsname(master));
	*slave = open(name, O_RDWR | O_NOCTTY);
	return master;
}

static void ends(void)
{
	int master, slave, other, n, lock;
	char name[64], path[64];
	struct stat st, by_name;
	struct termios t, now;
	struct termio old;
	struct winsize size = { 33, 77, 0, 0 }, got = { 0 };
	DIR *dir;
	struct dirent *e;
	bool listed = false;

	CALL(open, "/dev/pts/77", O_RDWR);
	show("the multiplexer", stat("/dev/ptmx", &st));
	printf("mode %o device %u:%u\n", st.st_mode, major(st.st_rdev), minor(st.st_rdev));
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	check("a terminal", isatty(master));
	show("its number", ioctl(master, TIOCGPTN, &n));
	sprintf(name, "/dev/pts/%d", n);
	check("its name", strcmp(name, ptsname(master)) == 0);
	show("locked", ioctl(master, TIOCGPTLCK, &lock));
	printf("%d\n", lock);
	slave = open(name, O_RDWR | O_NOCTTY);
	show("a locked one", slave);
	show("unlock", unlockpt(master));
	slave = open(name, O_RDWR | O_NOCTTY);
	other = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	check("opened by its name and by its master", slave >= 0 && other >= 0);
	check("close-on-exec", fcntl(other, F_GETFD) == FD_CLOEXEC && fcntl(slave, F_GETFD) == 0);
	check("the name of the slave", strcmp(ttyname(slave) ? ttyname(slave) : "none", name) == 0);
	check("and of the other", strcmp(ttyname(other) ? ttyname(other) : "none", name) == 0);
	check("the same file", fstat(slave, &st) == 0 && stat(name, &by_name) == 0 && st.st_ino == by_name.st_ino &&
	      st.st_rdev == by_name.st_rdev && st.st_dev == by_name.st_dev && st.st_rdev == makedev(136, n));
	printf("mode %o, %s\n", st.st_mode & S_IFMT, st.st_uid == getuid() ? "its user's" : "NOT its user's");
	CALL(chmod, "/dev/pts/77", 0600);
	show("its mode", chmod(name, 0600));
	printf("mode %o\n", stat(name, &st) == 0 ? st.st_mode : 0);
	show("by what is open", fchmod(other, 0622));
	printf("mode %o\n", fstat(slave, &st) == 0 ? st.st_mode : 0);
	show("seen by a child", fork() == 0 ? (_exit(chmod(name, 0640)), 0) : wait(NULL) > 0);
	printf("mode %o\n", fstat(slave, &st) == 0 ? st.st_mode : 0);
	show("of no master", ioctl(slave, TIOCGPTN, &n));
	show("of no master", ioctl(slave, TIOCGPTPEER, O_RDWR));
	dir = opendir("/dev/pts");
	while (dir && (e = readdir(dir)))
		listed |= strcmp(e->d_name, strrchr(name, '/') + 1) == 0;
	closedir(dir);
	check("listed", listed);
	sprintf(path, "/proc/self/fd/%d", slave);
	n = readlink(path, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	check("linked", strcmp(text, name) == 0);

	writes(master, "line\n");
	reads("the slave", slave, 5);
	reads("the echo", master, 6);
	writes(slave, "out\n");
	reads("the master", master, 5);
	tcgetattr(slave, &t);
	show("the old form", ioctl(slave, TCGETA, &old));
	printf("%#x %#x %#x %#x\n", old.c_iflag, old.c_oflag, old.c_cflag, old.c_lflag);
	old.c_lflag ^= ECHOK;
	show("set by it", ioctl(slave, TCSETA, &old) | ioctl(slave, TCSETAW, &old) | ioctl(slave, TCSETAF, &old));
	tcgetattr(slave, &now);
	check("one flag changed", (now.c_lflag ^ t.c_lflag) == ECHOK && now.c_iflag == t.c_iflag);
	show("what is locked", ioctl(slave, TIOCGLCKTRMIOS, &now));
	printf("%#x\n", now.c_lflag);
	cfmakeraw(&t);
	show("raw", tcsetattr(slave, TCSANOW, &t));
	writes(master, "ab");
	reads("the other one", other, 2);
	show("size", ioctl(master, TIOCSWINSZ, &size));
	show("size", ioctl(slave, TIOCGWINSZ, &got));
	printf("%dx%d\n", got.ws_row, got.ws_col);
	show("nobody's", tcgetpgrp(slave));
	show("nothing", ioctl(slave, FIONREAD, &n));
	printf("%d\n", n);
	writes(master, "xyz");
	struct pollfd p = { slave, POLLIN, 0 };
	show("ready", poll(&p, 1, 10000));
	show("some", ioctl(slave, FIONREAD, &n));
	printf("%d\n", n);
	show("packet mode", ioctl(master, TIOCPKT, &(int){ 1 }));
	show("thrown away", tcflush(slave, TCIFLUSH));
	reads("told of", master, 1);
	show("and over", ioctl(master, TIOCPKT, &(int){ 0 }));
	fcntl(master, F_SETFL, O_NONBLOCK);
	show("nothing there", read(master, text, 1));
	fcntl(master, F_SETFL, 0);
	close(slave);
	writes(other, "last");
	close(other);
	reads("the rest", master, 100);
	slave = open(name, O_RDWR | O_NOCTTY);
	check("again", slave >= 0);
	close(master);
	reads("hung up", slave, 1);
	show("hung up", write(slave, "x", 1));
	show("gone", open(name, O_RDWR | O_NOCTTY));
	show("gone", stat(name, &st));
}

static volatile sig_atomic_t came[65];

static void note(int sig)
{
	came[sig]++;
}

static void await(int sig)
{
	sigset_t none;

	sigemptyset(&none);
	while (!came[sig])
		sigsuspend(&none);
}

static void notes(const int *sigs)
{
	sigset_t set;

	sigemptyset(&set);
	for (; *sigs; sigs++) {
		signal(*sigs, note);
		sigaddset(&set, *sigs);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* On a terminal of its own; what it says goes there. */
static int leads(long how)
{
	static const int sigs[] = { SIGWINCH, SIGINT, SIGHUP, SIGCONT, 0 };
	char name[64];
	struct winsize size;
	int tty;
	pid_t pid;

	strcpy(name, (char *)how);
	notes(sigs);
	show("no terminal", open("/dev/tty", O_RDWR));
	show("session", setsid() == getpid());
	tty = open(name, O_RDWR);
	show("its terminal", tty < 0 ? tty : 0);
	show("of its own", tcgetsid(tty) == getpid());
	show("its group", tcgetpgrp(tty) == getpgrp());
	struct termios quiet;

	tcgetattr(tty, &quiet);
	quiet.c_lflag &= ~(ECHO | ECHOCTL);
	tcsetattr(tty, TCSANOW, &quiet);
	for (int fd = 0; fd < 3; fd++)
		dup2(tty, fd);
	close(tty);
	tty = open("/dev/tty", O_RDWR);
	check("the terminal", tty >= 0 && isatty(tty));
	writes(tty, "by /dev/tty\n");
	check("its session", tcgetsid(tty) == getpid());
	printf("ready\n");
	await(SIGWINCH);
	ioctl(0, TIOCGWINSZ, &size);
	printf("%dx%d\n", size.ws_row, size.ws_col);
	await(SIGINT);
	printf("interrupted\n");
	pid = fork_or_end();
	if (!pid) {
		setpgid(0, 0);
		signal(SIGTTIN, SIG_DFL);
		_exit(read(0, text, 1) == 1 ? 5 : 6);
	}
	setpgid(pid, pid);
	int status;

	waitpid(pid, &status, WUNTRACED);
	printf("in the background: %s\n", WIFSTOPPED(status) ? strsignal(WSTOPSIG(status)) : "not stopped");
	tcsetpgrp(0, pid);
	kill(-pid, SIGCONT);
	printf("type\n");
	printf("it ends with %d\n", ended(pid));
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(0, getpgrp());
	printf("hang up\n");
	await(SIGHUP);
	await(SIGCONT);
	show("hung up", open("/dev/tty", O_RDWR) < 0 ? errno : 0);
	return write(1, "x", 1) < 0 && errno == EIO ? 7 : 8;
}

static void until(int master, const char *what)
{
	static char seen[8192];
	static size_t len;
	ssize_t n;

	while (!strstr(seen, what)) {
		n = read(master, seen + len, sizeof(seen) - 1 - len);
		if (n <= 0) {
			printf("no \"%s\" in: %s\n", what, seen);
			exit(1);
		}
		len += n;
		seen[len] = '\0';
	}
	for (char *line = strtok(seen, "\r\n"); line; line = strtok(NULL, "\r\n"))
		printf("  %s\n", line);
	memset(seen, 0, sizeof(seen));
	len = 0;
}

static void sessions(void)
{
	int master, slave, own = -1;
	char name[64];
	pid_t pid;
	struct winsize size = { 20, 30, 0, 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* a session without a terminal, as a daemon has it */
	if (fork_or_end()) {
		wait(NULL);
		return;
	}
	setsid();
	master = open_pair(&slave, name);
	pid = fork_or_end();
	if (!pid) {
		close(master);
		close(slave);
		_exit(leads((long)name));
	}
	until(master, "ready");
	/* without one the master would have been at its end before */
	close(slave);
	show("to a session's own", ioctl(master, TIOCSCTTY, 0));
	own = open(name, O_RDWR);
	show("another session's", ioctl(own, TIOCSCTTY, 0));
	show("not its terminal", ioctl(own, TIOCNOTTY));
	show("its group, from outside", tcgetpgrp(master) == pid);
	close(own);
	ioctl(master, TIOCSWINSZ, &size);
	until(master, "20x30");
	writes(master, "\003");
	until(master, "interrupted");
	until(master, "type");
	writes(master, "k\n");
	until(master, "hang up");
	close(master);
	printf("ended with %d\n", ended(pid));
	exit(0);
}

/* Leaving it: by the one who leads, and by another. */
static int leaves(long slave)
{
	static const int sigs[] = { SIGHUP, SIGCONT, 0 };
	pid_t pid;
	int tty;

	notes(sigs);
	setsid();
	show("takes it", ioctl(slave, TIOCSCTTY, 0));
	show("once more", ioctl(slave, TIOCSCTTY, 0));
	pid = fork_or_end();
	if (!pid) {
		tty = open("/dev/tty", O_RDWR);
		show("a child leaves it", ioctl(tty, TIOCNOTTY));
		show("none", open("/dev/tty", O_RDWR));
		show("not alone", ioctl(slave, TIOCSCTTY, 0));
		_exit(0);
	}
	ended(pid);
	check("still there", (tty = open("/dev/tty", O_RDWR)) >= 0);
	show("its leader leaves it", ioctl(tty, TIOCNOTTY));
	await(SIGHUP);
	await(SIGCONT);
	show("none", open("/dev/tty", O_RDWR));
	show("and another one", ioctl(slave, TIOCSCTTY, 0));
	return 3;
}

static void leaving(void)
{
	char name[64];
	int slave;

	setvbuf(stdout, NULL, _IOLBF, 0);
	open_pair(&slave, name);
	printf("ended with %d\n", ended(child(leaves, slave)));
}

static void many(void)
{
	int master[8], slave[8], first = -1;
	char name[64];

	for (int i = 0; i < 8; i++) {
		master[i] = open_pair(&slave[i], name);
		sprintf(text, "%d\n", i);
		writes(slave[i], text);
	}
	for (int i = 7; i >= 0; i--)
		reads("from", master[i], 3);
	strcpy(name, ptsname(master[3]));
	close(slave[3]);
	close(master[3]);
	first = open_pair(&slave[3], text);
	check("the number is used again", strcmp(name, text) == 0);
	writes(slave[3], "new\n");
	reads("from", first, 5);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "ends"))
		ends();
	else if (!strcmp(what, "sessions"))
		sessions();
	else if (!strcmp(what, "leaving"))
		leaving();
	else if (!strcmp(what, "many"))
		many();
	else
		return 1;
	return 0;
}
