/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process sees in /proc of another one of the same user's. */
#include "process.h"

#include <dirent.h>
#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

static char text[1 << 16];

static const char *path_of(pid_t pid, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return path;
}

/* The contents, or the error's name; their length in *n. */
static char *contents(pid_t pid, const char *name, ssize_t *n)
{
	int fd = open(path_of(pid, name), O_RDONLY);
	ssize_t got = 0, part = 0;

	if (fd >= 0) {
		while (got < (ssize_t)sizeof(text) - 1 && (part = read(fd, text + got, sizeof(text) - 1 - got)) > 0)
			got += part;
	}
	if (fd < 0 || part < 0)
		got = snprintf(text, sizeof(text), "%s", strerrorname_np(errno));
	close(fd);
	text[got] = '\0';
	if (n)
		*n = got;
	return text;
}

static char *link_text(pid_t pid, const char *name)
{
	ssize_t n = readlink(path_of(pid, name), text, sizeof(text) - 1);

	if (n < 0)
		n = snprintf(text, sizeof(text), "%s", strerrorname_np(errno));
	text[n] = '\0';
	return text;
}

/* The line that begins so. */
static void line(pid_t pid, const char *name, const char *begin)
{
	char *at = contents(pid, name, NULL);

	while (at && strncmp(at, begin, strlen(begin)) != 0) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	printf("%s: %.*s\n", name, at ? (int)strcspn(at, "\n") : 4, at ? at : "none");
}

static int by_number(const void *a, const void *b)
{
	return atoi(*(char *const *)a) - atoi(*(char *const *)b);
}

static void list(pid_t pid, const char *name, bool count)
{
	DIR *dir = opendir(path_of(pid, name));
	struct dirent *e;
	char *names[64];
	int n = 0;

	if (!dir) {
		printf("%s: %s\n", name, strerrorname_np(errno));
		return;
	}
	while ((e = readdir(dir)) && n < 64)
		if (e->d_name[0] != '.')
			names[n++] = strdup(e->d_name);
	closedir(dir);
	qsort(names, n, sizeof(*names), by_number);
	printf("%s: %d", name, n);
	for (int i = 0; i < n && !count; i++)
		printf(" %s", names[i]);
	printf("\n");
}

static int gate[2], up[2];

static void *second(void *unused)
{
	prctl(PR_SET_NAME, "second");
	if (write(up[1], "x", 1) < 0)
		_exit(1);
	for (;;)
		pause();
	return unused;
}

/* A child with a directory, a descriptor, a limit, a name and a thread of its own. */
static int stands(long unused)
{
	struct rlimit files = { 100, 200 };
	pthread_t thread;
	char c;

	(void)unused;
	if (chdir("/proc/sys") || dup2(open("/proc/version", O_RDONLY), 9) != 9 || read(9, &c, 1) != 1 ||
	    setrlimit(RLIMIT_NOFILE, &files) || prctl(PR_SET_NAME, "child name"))
		_exit(2);
	close(gate[1]);
	pthread_create(&thread, NULL, second, NULL);
	return read(gate[0], &c, 1);
}

static void of_a_child(const char *self)
{
	pid_t pid;
	ssize_t n;
	char c, own[4096];
	DIR *dir;
	struct dirent *e;
	struct stat st;

	if (pipe2(gate, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		exit(105);
	pid = child(stands, 0);
	close(gate[0]);
	if (read(up[0], &c, 1) != 1)
		exit(106);
	/* its first thread has no more to do but wait */
	while (!strstr(contents(pid, "stat", NULL), ") S "))
		sched_yield();
	strcpy(own, link_text(getpid(), "exe"));
	check("its program", strcmp(link_text(pid, "exe"), own) == 0 && strstr(own, self));
	printf("cwd %s\n", link_text(pid, "cwd"));
	printf("root %s\n", link_text(pid, "root"));
	list(pid, "fd", false);
	list(pid, "fdinfo", false);
	printf("fd/9 %s\n", link_text(pid, "fd/9"));
	printf("fd/10 %s\n", link_text(pid, "fd/10"));
	check("fd/3 is a pipe", strncmp(link_text(pid, "fd/3"), "pipe:[", 6) == 0);
	printf("through it %.13s\n", contents(pid, "fd/9", NULL));
	printf("below its directory %.6s\n", contents(pid, "cwd/kernel/ostype", NULL));
	line(pid, "fdinfo/9", "pos:");
	line(pid, "limits", "Max open files");
	line(pid, "status", "Name:");
	line(pid, "status", "State:");
	line(pid, "status", "Threads:");
	line(getpid(), "status", "State:");
	check("its parent", atoi(strstr(contents(pid, "status", NULL), "PPid:") + 5) == getpid());
	check("its size", strstr(contents(pid, "status", NULL), "VmRSS:"));
	check("its pages", atoi(contents(pid, "statm", NULL)) > 10);
	check("its stat", strstr(contents(pid, "stat", NULL), " (child name) S "));
	printf("comm %s", contents(pid, "comm", NULL));
	contents(pid, "cmdline", &n);
	printf("cmdline %zd %s\n", n - (ssize_t)strlen(self), text + n - 6);
	check("its stack", strstr(contents(pid, "maps", NULL), "[stack]\n"));
	check("its image", strstr(contents(pid, "maps", NULL), own));
	check("the same in detail", strstr(contents(pid, "smaps", NULL), "[stack]\nSize:"));
	contents(pid, "auxv", &n);
	check("its auxv", n >= 160 && n % 16 == 0);
	contents(pid, "environ", &n);
	strcpy(own, text);
	contents(getpid(), "environ", NULL);
	check("its environment", n > 0 && strcmp(own, text) == 0);
	list(pid, "task", true);
	snprintf(own, sizeof(own), "task/%d/fd", pid);
	check("its thread's descriptors", contents(pid, own, NULL) && access(path_of(pid, own), R_OK) == 0);
	snprintf(own, sizeof(own), "task/%d/fd/9", pid);
	printf("its thread's fd/9 %s\n", link_text(pid, own));
	snprintf(own, sizeof(own), "task/%d/fd/10", pid);
	printf("its thread's fd/10 %s\n", link_text(pid, own));
	dir = opendir(path_of(pid, "task"));
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.') {
			char name[300];

			snprintf(name, sizeof(name), "task/%s/comm", e->d_name);
			printf("%s thread %s", atoi(e->d_name) == pid ? "first" : "other", contents(pid, name, NULL));
		}
	closedir(dir);
	check("a link", lstat(path_of(pid, "exe"), &st) == 0 && S_ISLNK(st.st_mode));
	check("what it leads to", stat(path_of(pid, "fd/9"), &st) == 0 && S_ISREG(st.st_mode));

	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	line(pid, "status", "State:");
	printf("stopped, cwd %s\n", link_text(pid, "cwd"));
	kill(pid, SIGKILL);
	waitid(P_PID, pid, (siginfo_t *)text, WEXITED | WNOWAIT);
	line(pid, "status", "State:");
	printf("ended, exe %s\n", link_text(pid, "exe"));
	printf("ended, cmdline %s\n", contents(pid, "cmdline", NULL));
	printf("ended, maps %s\n", contents(pid, "maps", NULL));
	reap(pid);
	printf("gone, status %s\n", contents(pid, "status", NULL));
	printf("gone, exe %s\n", link_text(pid, "exe"));
}

/* One open file, read again from its beginning: how things are by then. */
static void again(void)
{
	static char first[4096], other[4096];
	int fd, uptime = open("/proc/uptime", O_RDONLY);

	prctl(PR_SET_NAME, "first");
	fd = open("/proc/self/status", O_RDONLY);
	read(fd, text, 6);
	prctl(PR_SET_NAME, "second");
	text[6 + (read(fd, text + 6, 5))] = '\0';
	printf("a read in parts: %s\n", text);
	printf("behind it: %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	printf("from the beginning: %zd %.12s\n", pread(fd, first, 12, 0), first);
	printf("still behind: %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	prctl(PR_SET_NAME, "third");
	lseek(fd, 0, SEEK_SET);
	printf("rewound: %zd %.11s\n", read(fd, first, 11), first);
	first[read(uptime, first, sizeof(first) - 1)] = '\0';
	do {
		usleep(10000);
		other[pread(uptime, other, sizeof(other) - 1, 0)] = '\0';
	} while (atof(other) <= atof(first));
	printf("time goes on\n");
}

static void print_cmdline(const char *when)
{
	ssize_t n = 0;

	contents(getpid(), "cmdline", &n);
	printf("%s: %zd '", when, n);
	for (ssize_t i = 0; i < n; i++)
		putchar(text[i] ? text[i] : '|');
	printf("'\n");
}

/* A program that writes over its arguments, as setproctitle(3) does; those and a variable are what titled() is begun with. */
static void titled(char *args)
{
	print_cmdline("as begun");
	strcpy(args, "short");
	print_cmdline("a short title");
	strcpy(args, "a title that is longer than the arguments");
	print_cmdline("a long title");
	memset(args, ' ', 30);
	strcpy(args, "short");
	print_cmdline("a short title, and blanks behind the arguments");
}

static void title(void)
{
	char *argv[] = { "program-name", "titled", NULL }, *env[] = { "VARIABLE=with some text to write over", NULL };

	fflush(stdout);
	execve("build/guest/proc_other", argv, env);
}

/* What a machine's file says of the CPU time so far, in ticks: the numbers in from to to of its first line. */
static double ticks(const char *path, int from, int to)
{
	FILE *f = fopen(path, "r");
	char line[512], *at = line;
	double sum = 0;

	fgets(line, sizeof(line), f);
	fclose(f);
	for (int i = 0; i <= to; i++) {
		char *word = strsep(&at, " ");

		while (word && !*word)
			word = strsep(&at, " ");
		if (i >= from)
			sum += atof(word);
	}
	return sum;
}

/* What processes have used stays used when they have ended. */
static void used(void)
{
	double busy = 0, idle = 0;
	int made = 0;
	FILE *fp;

	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			while (clock() < CLOCKS_PER_SEC / 5)
				;
			_exit(0);
		}
		for (int reads = 0; reads < 100; reads++) {
			double now = ticks("/proc/stat", 1, 3), rest = ticks("/proc/uptime", 1, 1);

			if (now < busy || rest < idle)
				printf("less: %.0f after %.0f busy, %.2f after %.2f idle\n", now, busy, rest, idle);
			busy = now;
			idle = rest;
			if (reads == 98)
				reap(pid);
		}
	}
	printf("busy: %s\n", busy >= 80 ? "what there was" : "less");
	fp = fopen("/proc/stat", "r");
	while (fgets(text, sizeof(text), fp))
		if (sscanf(text, "processes %d", &made) == 1)
			printf("processes: %s\n", made >= 5 ? "all that there were" : "fewer");
	fclose(fp);
}

/* A thread's directory has what its process's has. */
static void of_a_thread(void)
{
	static const char *const names[] = {
		"auxv", "cgroup", "children", "cmdline", "comm", "cwd", "environ", "exe", "fd", "fdinfo/0", "gid_map", "io",
		"limits", "loginuid", "maps", "mountinfo", "mounts", "net/dev", "ns", "oom_score", "oom_score_adj",
		"pagemap", "personality", "root", "sessionid", "setgroups", "smaps", "smaps_rollup", "stat", "statm",
		"status", "task", "timerslack_ns", "uid_map", "wchan",
	};
	char path[64], one[4096] = "", other[4096] = "";
	int fd;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/proc/thread-self/%s", names[i]);
		printf("%s: %s\n", names[i], access(path, F_OK) ? strerrorname_np(errno) : "there");
	}
	fd = open("/proc/sys", O_RDONLY | O_DIRECTORY);
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	check("a directory opened by its descriptor", open(path, O_RDONLY | O_DIRECTORY) >= 0);
	check("the same program", readlink("/proc/thread-self/exe", one, 4095) > 0 &&
	      readlink("/proc/self/exe", other, 4095) > 0 && !strcmp(one, other));
}

static int looks_up(long unused)
{
	char own[4096];

	(void)unused;
	strcpy(own, link_text(getpid(), "exe"));
	check("its parent's program", strcmp(own, link_text(getppid(), "exe")) == 0);
	check("its parent's directory", strcmp(strdup(link_text(getppid(), "cwd")), strdup(link_text(getpid(), "cwd"))) == 0);
	check("its parent's stack", strstr(contents(getppid(), "maps", NULL), "[stack]"));
	line(getppid(), "status", "State:");
	return 0;
}

/* Many ask many, at once. */
static struct crowd {
	pid_t pid[4];
	atomic_int ready, done;
} *all;

static void until(atomic_int *count, int n)
{
	while (*count < n)
		usleep(1000);
}

static int asks_all(long unused)
{
	int good = 0;

	(void)unused;
	if (chdir("/proc"))
		_exit(1);
	all->ready++;
	until(&all->ready, 5);
	for (int round = 0; round < 5; round++)
		for (int i = 0; i < 4; i++)
			good += strcmp(link_text(all->pid[i], "cwd"), "/proc") == 0;
	all->done++;
	until(&all->done, 4);
	return good;
}

static void crowd(void)
{
	all = shared(4096);
	for (int i = 0; i < 4; i++)
		all->pid[i] = child(asks_all, 0);
	all->ready++;
	for (int i = 0; i < 4; i++)
		printf("ended with %d\n", ended(all->pid[i]));
}

/* ------------------------------------------------------------- signals */

/* What a status and a stat say of signals. A zombie's mask is what its end has left. */
static void signals(const char *who, pid_t pid, pid_t tid)
{
	static const char *const keys[] = { "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:" };
	char name[64], *at;

	snprintf(name, sizeof(name), "task/%d/status", tid);
	contents(pid, tid ? name : "status", NULL);
	printf("%s:", who);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		at = strstr(text, keys[i]);
		printf(" %.*s", at ? (int)strcspn(at, "\n") : 4, at ? at : "none");
	}
	snprintf(name, sizeof(name), "task/%d/stat", tid);
	at = strrchr(contents(pid, tid ? name : "stat", NULL), ')');
	/* the 31st field, where the name is the second */
	for (int i = 2; at && i < 31; i++)
		at = strchr(at + 1, ' ');
	printf("; stat%.*s\n", at ? (int)(strchr(strchr(strchr(strchr(at + 1, ' ') + 1, ' ') + 1, ' ') + 1, ' ') - at) : 0, at);
}

static void at_once(int sig)
{
	(void)sig;
	signals("in a handler", getpid(), 0);
}

static void nothing(int sig)
{
	(void)sig;
}

static volatile pid_t other_tid;

/* Under a mask of its own, until it is told otherwise; then with a signal pending for it alone. */
static void *waits_masked(void *unused)
{
	sigset_t set;

	block(SIGWINCH);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGALRM);
	other_tid = gettid();
	ppoll(NULL, 0, NULL, &set);
	write(up[1], "x", 1);
	for (;;)
		pause();
	return unused;
}

static bool is_blocked(pid_t pid, pid_t tid, const char *mask)
{
	char name[64];

	snprintf(name, sizeof(name), "task/%d/status", tid);
	return strstr(contents(pid, name, NULL), mask);
}

static int waits_for_signals(long unused)
{
	char c;

	(void)unused;
	block(SIGRTMIN + 1);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGQUIT, nothing);
	write(up[1], "x", 1);
	return read(gate[0], &c, 1);
}

static void of_signals(char **argv)
{
	char *const again[] = { argv[0], "executed", NULL };
	struct sigaction once = { .sa_handler = at_once, .sa_flags = SA_RESETHAND };
	pthread_t thread;
	pid_t pid;
	char c;

	if (pipe(gate) || pipe(up))
		exit(105);
	signals("at first", getpid(), 0);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGHUP, nothing);
	signal(SIGCHLD, SIG_DFL);
	sigaction(SIGUSR2, &once, NULL);
	signals("ignored and caught", getpid(), 0);
	block(SIGALRM);
	kill(getpid(), SIGALRM);
	sigaddset(&once.sa_mask, SIGBUS);
	sigaction(SIGUSR2, &once, NULL);
	raise(SIGUSR2);
	signals("after it", getpid(), 0);
	block(SIGTRAP);
	pthread_kill(pthread_self(), SIGTRAP);
	signals("one for this thread", getpid(), 0);
	signal(SIGTRAP, SIG_IGN);
	signals("dropped", getpid(), 0);

	pthread_create(&thread, NULL, waits_masked, NULL);
	while (!other_tid || !is_blocked(getpid(), other_tid, "SigBlk:\t0000000000006000"))
		sched_yield();
	signals("a thread in ppoll", getpid(), other_tid);
	signals("the first thread", getpid(), getpid());
	pthread_kill(thread, SIGHUP);
	read(up[0], &c, 1);
	pthread_kill(thread, SIGWINCH);
	signals("a thread with one pending", getpid(), other_tid);

	pid = child(waits_for_signals, 0);
	read(up[0], &c, 1);
	signals("a child that waits", pid, 0);
	kill(pid, SIGRTMIN + 1);
	kill(pid, SIGALRM);
	while (!strstr(contents(pid, "status", NULL), "ShdPnd:\t0000000400002000"))
		sched_yield();
	signals("with two pending", pid, pid);
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	kill(pid, SIGQUIT);
	signals("stopped, with one more", pid, 0);
	kill(pid, SIGKILL);
	waitid(P_PID, pid, (siginfo_t *)text, WEXITED | WNOWAIT);
	reap(pid);
	fflush(stdout);
	execv(again[0], again);
	printf("execv: %s\n", strerrorname_np(errno));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "child"))
		of_a_child(strrchr(argv[0], '/'));
	else if (!strcmp(what, "parent"))
		printf("ended with %d\n", ended(child(looks_up, 0)));
	else if (!strcmp(what, "crowd"))
		crowd();
	else if (!strcmp(what, "title"))
		title();
	else if (!strcmp(what, "titled"))
		titled(argv[0]);
	else if (!strcmp(what, "used"))
		used();
	else if (!strcmp(what, "again"))
		again();
	else if (!strcmp(what, "thread"))
		of_a_thread();
	else if (!strcmp(what, "signals"))
		of_signals(argv);
	else if (!strcmp(what, "executed"))
		signals("executed", getpid(), 0);
	else
		return 1;
	return 0;
}
