/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * execve(2), and what makes a process of another program. The program that is executed is
 * this one; the first argument names what it is to be.
 */
#include "process.h"

#define SELF "build/guest/process_exec"

extern char **environ;

static char **arguments;
static char dir[64];	/* in /tmp, which only this test's two runs have */

/* ------------------------------------------------------------- what is executed */

static void print_args(void)
{
	for (int i = 0; arguments[i]; i++)
		printf("%d: \"%s\"\n", i, arguments[i]);
	for (int i = 0; environ[i]; i++)
		printf("%s\n", environ[i]);
}

/* How many, how long, and a sum of them. */
static void sum_args(void)
{
	unsigned long n = 0, bytes = 0, sum = 5381;

	for (; arguments[n]; n++) {
		bytes += strlen(arguments[n]) + 1;
		for (char *c = arguments[n]; *c; c++)
			sum = sum * 33 + *c;
	}
	printf("%lu arguments, %lu bytes, %lx\n", n, bytes, sum);
}

static void exit_with(void)
{
	exit(argument);
}

/* What is left of the program before. */
static void state(void)
{
	struct sigaction act;
	sigset_t set;
	stack_t alt;
	char cwd[200];

	sigaction(SIGUSR1, NULL, &act);
	printf("USR1 %s\n", act.sa_handler == SIG_DFL ? "default" : "not default");
	sigaction(SIGUSR2, NULL, &act);
	printf("USR2 %s\n", act.sa_handler == SIG_IGN ? "ignored" : "not ignored");
	sigprocmask(SIG_BLOCK, NULL, &set);
	printf("blocked %d %d\n", sigismember(&set, SIGHUP), sigismember(&set, SIGINT));
	sigpending(&set);
	printf("pends %d %d\n", sigismember(&set, SIGHUP), sigismember(&set, SIGINT));
	sigaltstack(NULL, &alt);
	printf("alternate stack %s\n", alt.ss_flags == SS_DISABLE ? "gone" : "there");
	printf("umask %o, %s\n", umask(0), getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/") ? "/" : "elsewhere");
	printf("alarm %s\n", alarm(0) > 100 ? "left" : "gone");
	show("timer", syscall(SYS_timer_delete, 0));
	show("kept descriptor", fcntl(50, F_GETFD));
	show("closed descriptor", fcntl(51, F_GETFD));
	printf("pid %s\n", getpid() == argument ? "the same" : "another");
	printf("thread %s\n", tid() == getpid() ? "the first" : "another");
	show("threads", syscall(SYS_tgkill, getpid(), getpid() + 1, 0));
}

static void spawned_state(void)
{
	struct sigaction act;
	sigset_t set;

	check("a group of its own", getpgrp() == getpid());
	sigprocmask(SIG_BLOCK, NULL, &set);
	check("the mask", sigismember(&set, SIGUSR1) == 1 && sigismember(&set, SIGUSR2) == 0);
	sigaction(SIGUSR2, NULL, &act);
	check("the default", act.sa_handler == SIG_DFL);
}

static void ready(void)
{
	if (write(50, "x", 1) == 1)
		forever(0);
}

/* ------------------------------------------------------------- who executes */

static void exact(void)
{
	char *const args[] = { SELF, "print-args", "", "a b", "\"quoted\"\n", "\377\001", "", NULL };
	char *const env[] = { "A=1", "", "B=", "no equals sign", NULL };

	execve(SELF, args, env);
	show("execve", -1);
}

static void many_args(void)
{
	static char *args[1003], text[1000][20];

	args[0] = SELF;
	args[1] = "sum-args";
	for (int i = 0; i < 1000; i++) {
		snprintf(text[i], sizeof(text[i]), "argument %d", i);
		args[i + 2] = text[i];
	}
	show("execve", execv(SELF, args));
}

static void long_args(void)
{
	char *args[] = { SELF, "sum-args", NULL, NULL }, *text = malloc(200 << 10);

	memset(text, 'x', 200 << 10);
	args[2] = text;
	text[(128 << 10)] = '\0';
	show("128 KiB and a NUL", execv(SELF, args));
	text[100 << 10] = '\0';
	show("100 KiB", execv(SELF, args));
}

static void too_many(void)
{
	size_t count = 100, length = 127 << 10;
	char **args = calloc(count + 3, sizeof(*args)), *text = malloc(length + 1);

	memset(text, 'x', length);
	text[length] = '\0';
	args[0] = SELF;
	args[1] = "sum-args";
	for (size_t i = 0; i < count; i++)
		args[i + 2] = text;
	show("12 MiB", execv(SELF, args));
}

static void put_file(const char *name, const char *text, int mode)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, mode) || close(fd)) {
		perror(path);
		exit(1);
	}
}

static const char *in_dir(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void make_dir(void)
{
	strcpy(dir, "/tmp/process_exec.XXXXXX");
	if (!mkdtemp(dir)) {
		perror(dir);
		exit(1);
	}
}

static void remove_dir(void)
{
	static const char *const names[] = { "plain", "garbage", "empty", "loop", "nowhere", "noname", "script", "second" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(in_dir(names[i]));
	rmdir(dir);
}

/* Where nothing is, and no compiler knows that. */
static void *volatile nothing = (void *)BAD;

#define EXEC(path) show("execve " #path, execv(path, args))

static void errors(void)
{
	char *args[] = { "name", NULL }, loop[300];
	int at;

	make_dir();
	put_file("plain", "text", 0600);
	put_file("garbage", "text that is no program", 0700);
	put_file("empty", "", 0700);
	put_file("nowhere", "#!/no/such/interpreter\n", 0700);
	put_file("noname", "#!\n", 0700);
	snprintf(loop, sizeof(loop), "#!%s\n", in_dir("loop"));
	put_file("loop", loop, 0700);
	EXEC("/no/such/file");
	EXEC("");
	EXEC("build");
	EXEC(SELF "/below");
	EXEC(in_dir("plain"));
	EXEC(in_dir("garbage"));
	EXEC(in_dir("empty"));
	EXEC(in_dir("nowhere"));
	EXEC(in_dir("noname"));
	EXEC(in_dir("loop"));
	EXEC(nothing);
	show("bad arguments", execve(SELF, nothing, NULL));
	show("a bad argument", execve(SELF, (char *[]){ "x", nothing, NULL }, NULL));
	show("bad environment", execve(SELF, args, nothing));
	at = open("build", O_RDONLY | O_DIRECTORY);
	CALL(execveat, at, "nobody", args, NULL, 0);
	CALL(execveat, at, "", args, NULL, 0);
	CALL(execveat, at, "", args, NULL, AT_EMPTY_PATH);
	CALL(execveat, 77, "x", args, NULL, 0);
	CALL(execveat, at, "x", args, NULL, 0x8000000);
	remove_dir();
}

static int exec_at(long how)
{
	char *args[] = { "name", "exit-with", "55", NULL };
	int at = open("build", O_RDONLY | O_DIRECTORY);

	if (how == 0)
		syscall(SYS_execveat, at, "guest/process_exec", args, environ, 0);
	if (how == 1)
		fexecve(open(SELF, O_RDONLY | O_CLOEXEC), args, environ);
	if (how == 2)
		syscall(SYS_execveat, AT_FDCWD, SELF, args, environ, 0);
	if (how == 3)
		syscall(SYS_execveat, open(SELF, O_PATH | O_CLOEXEC), "", args, environ, AT_EMPTY_PATH);
	if (how == 4)
		fexecve(open(SELF, O_PATH), args, environ);
	return errno;
}

static void at(void)
{
	for (int i = 0; i < 5; i++)
		printf("%d\n", ended(child(exec_at, i)));
}

static int exec_script(long how)
{
	char *args[] = { "name", "first", "second", NULL }, *env[] = { "A=1", NULL };

	execve(in_dir(how ? "second" : "script"), args, env);
	printf("execve: %s\n", strerrorname_np(errno));
	return 1;
}

/* The scripts' path is a matter of chance: the program that they start prints its length only. */
static void script_args(void)
{
	for (int i = 1; arguments[i]; i++)
		printf("%d: \"%s\"\n", i, strncmp(arguments[i], "/tmp/", 5) ? arguments[i] : strrchr(arguments[i], '/'));
}

static void scripts(void)
{
	char text[300], cwd[200];

	make_dir();
	if (!getcwd(cwd, sizeof(cwd)))
		exit(1);
	snprintf(text, sizeof(text), "#! \t%s/%s  script-args \t\nmore\n", cwd, SELF);
	put_file("script", text, 0700);
	printf("%d\n", ended(child(exec_script, 0)));
	snprintf(text, sizeof(text), "#!%s another argument", in_dir("script"));
	put_file("second", text, 0700);
	printf("%d\n", ended(child(exec_script, 1)));
	remove_dir();
}

static void handler(int sig)
{
	(void)sig;
}

static void exec_state(void)
{
	char *args[] = { SELF, "state", NULL, NULL }, number[20];

	snprintf(number, sizeof(number), "%d", getpid());
	args[2] = number;
	execv(SELF, args);
}

static void set_state(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	stack_t alt = { .ss_sp = malloc(65536), .ss_size = 65536 };
	timer_t timer;

	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGHUP, SIG_DFL);
	unblock(SIGINT);
	block(SIGHUP);
	kill(getpid(), SIGHUP);
	sigaltstack(&alt, NULL);
	umask(027);
	alarm(500);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	dup2(1, 50);
	dup3(1, 51, O_CLOEXEC);
}

static void keeps(void)
{
	set_state();
	exec_state();
}

static void *block_in_read(void *fd)
{
	char c;

	return (void *)read((int)(long)fd, &c, 1);
}

static void *compute(void *unused)
{
	(void)unused;
	return (void *)(long)compute_forever(0);
}

static void *exec_in_thread(void *unused)
{
	(void)unused;
	sleep_ms(20);
	exec_state();
	return NULL;
}

static void *end_at_once(void *unused)
{
	return unused;
}

static void after_threads(void)
{
	pthread_t threads[3];

	set_state();
	for (int i = 0; i < 3; i++)
		threads[i] = start(end_at_once, NULL);
	for (int i = 0; i < 3; i++)
		join(threads[i]);
	exec_state();
}

static void after_the_first(void)
{
	set_state();
	start(exec_in_thread, NULL);
	pthread_exit(NULL);
}

static void by_thread(void)
{
	static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	int ends[2];

	set_state();
	if (pipe2(ends, O_CLOEXEC))
		exit(1);
	start(block_in_read, (void *)(long)ends[0]);
	start(compute, NULL);
	start(compute, NULL);
	start(exec_in_thread, NULL);
	pthread_mutex_lock(&held);
	pthread_mutex_lock(&held);
}

/* Executes itself so many times, each with memory that the next one has not. */
static void times(void)
{
	char *args[] = { SELF, "times", NULL, NULL }, number[20];
	char *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *s = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || s == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	for (long i = 0; i < 16; i++)
		p[i * PAGE] = s[i * PAGE] = 1;
	if (!argument) {
		printf("the last one\n");
		exit(7);
	}
	snprintf(number, sizeof(number), "%d", argument - 1);
	args[2] = number;
	execv(SELF, args);
	perror("execv");
}

/* ------------------------------------------------------------- groups */

static void setpgid_after_exec(void)
{
	char *args[] = { "name", "ready", NULL };
	int ends[2];
	pid_t pid;
	char c;

	if (pipe(ends))
		exit(1);
	pid = fork_or_end();
	if (!pid) {
		dup2(ends[1], 50);
		execv(SELF, args);
		_exit(1);
	}
	read(ends[0], &c, 1);
	show("setpgid", setpgid(pid, pid));
	kill(pid, SIGKILL);
	printf("%d\n", ended(pid));
}

static const struct part parts[] = {
	{ "print-args", print_args },
	{ "sum-args", sum_args },
	{ "exit-with", exit_with },
	{ "state", state },
	{ "script-args", script_args },
	{ "spawned-state", spawned_state },
	{ "ready", ready },
	{ "exact", exact },
	{ "many-args", many_args },
	{ "long-args", long_args },
	{ "too-many", too_many },
	{ "errors", errors },
	{ "at", at },
	{ "scripts", scripts },
	{ "keeps", keeps },
	{ "by-thread", by_thread },
	{ "after-threads", after_threads },
	{ "after-the-first", after_the_first },
	{ "times", times },
	{ "setpgid-after-exec", setpgid_after_exec },
};

int main(int argc, char **argv)
{
	arguments = argv;
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
