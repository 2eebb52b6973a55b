/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that several processes take, of what is for all of them together. */
#include "mem.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#define MIB (1ul << 20)
#define CHILDREN 6

/* Takes and touches pieces until there is no more: KiB. */
static unsigned long take(unsigned long piece, unsigned long most)
{
	unsigned long n = 0;

	for (char *p; n + piece <= most; n += piece) {
		p = mmap(NULL, piece, RW, ANON, -1, 0);
		if (p == MAP_FAILED)
			break;
		memset(p, 1, piece);
	}
	return n / 1024;
}

struct child {
	pid_t pid;
	int go[2], told[2];
};

/* One that takes what it can, says how much, and goes when it is told to, or killed. */
static struct child start(unsigned long most)
{
	struct child c;
	unsigned long n;
	char byte;

	if (pipe(c.go) || pipe(c.told))
		exit(90);
	c.pid = fork();
	if (c.pid < 0)
		exit(91);
	if (!c.pid) {
		close(c.go[1]);
		n = take(64 << 10, most);
		if (write(c.told[1], &n, sizeof(n)) != sizeof(n) || read(c.go[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(c.go[0]);
	close(c.told[1]);
	return c;
}

static unsigned long taken(struct child *c)
{
	unsigned long n;

	if (read(c->told[0], &n, sizeof(n)) != sizeof(n))
		exit(92);
	return n;
}

static int stop(struct child *c, int sig)
{
	int status;

	if (sig)
		kill(c->pid, sig);
	close(c->go[1]);
	close(c->told[0]);
	waitpid(c->pid, &status, 0);
	return status;
}

/* All beside each other: KiB in all, and those that each process has from its start. */
static void sum(void)
{
	extern char __executable_start, _end;
	struct child c[CHILDREN];
	unsigned long n = 0;

	for (int i = 0; i < CHILDREN; i++)
		c[i] = start(-1ul);
	for (int i = 0; i < CHILDREN; i++)
		n += taken(&c[i]);
	printf("%lu %lu\n", n, (unsigned long)(&_end - &__executable_start) / 1024);
}

/* What one has had is another's when it has ended, however it does, or has given it back. */
static void passed_on(void)
{
	unsigned long first = take(MIB, 16 * MIB), n[4];
	struct child c = start(-1ul);

	n[0] = taken(&c);
	stop(&c, 0);
	c = start(-1ul);
	n[1] = taken(&c);
	stop(&c, SIGKILL);
	c = start(-1ul);
	n[2] = taken(&c);
	stop(&c, 0);
	n[3] = take(64 << 10, -1ul);
	printf("%lu", first);
	for (int i = 0; i < 3; i++)
		printf(" %s", n[i] + 256 > n[0] && n[i] < n[0] + 256 ? "same" : "other");
	printf(" %s\n", n[3] + 1024 > n[0] && n[3] < n[0] + 1024 ? "same" : "other");
}

static char *touched(size_t bytes, int flags)
{
	char *p = mmap(NULL, bytes, RW, flags, -1, 0);

	if (p == MAP_FAILED)
		exit(93);
	memset(p, 1, bytes);
	return p;
}

static void tell(const char *what, int value)
{
	printf("%s: %d\n", what, value);
	fflush(stdout);
}

static int waited(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* More than half is no hindrance for a copy, which executes something or writes little; nor for ten at once. */
static void copied(void)
{
	char *argv[] = { "mem_tree", "small", NULL }, *p = touched(38 * MIB, ANON), byte;
	pid_t pid, pids[10];
	int go[2];

	pid = fork();
	if (!pid) {
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	tell("fork, execve", waited(pid));
	pid = vfork();
	if (!pid) {
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	tell("vfork, execve", waited(pid));
	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, NULL))
		exit(94);
	tell("posix_spawn", waited(pid));
	if (pipe(go))
		exit(95);
	for (int i = 0; i < 10; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			close(go[1]);
			for (size_t at = 0; at < 38 * MIB; at += MIB)
				p[at] += i;
			/* all ten are there at once */
			_exit(read(go[0], &byte, 1) == 0 && p[37 * MIB] == 1 + i ? 10 + i : 1);
		}
	}
	close(go[1]);
	for (int i = 0; i < 10; i++)
		tell("child", waited(pids[i]) >> 8);
	tell("kept", p[37 * MIB]);
}

/* Each may write to all of its copy, as long as that fits; and whoever is the last needs no more for it. */
static void written(void)
{
	char *p = touched(28 * MIB, ANON);
	pid_t pid;

	for (int i = 0; i < 3; i++) {
		pid = fork();
		if (!pid) {
			memset(p, 2, 28 * MIB);
			_exit(p[14 * MIB] == 2 ? 3 : 1);
		}
		memset(p, 4, 14 * MIB);
		tell("child", waited(pid) >> 8);
		memset(p, 5, 28 * MIB);
	}
	/* one that its maker has left behind as it was */
	pid = fork();
	if (!pid) {
		munmap(p, 28 * MIB);
		memset(touched(28 * MIB, ANON), 6, 28 * MIB);
		_exit(7);
	}
	tell("another", waited(pid) >> 8);
}

/* A copy that is written whole does not fit: that is the end of all. */
static void too_much(void)
{
	char *p = touched(40 * MIB, ANON);
	pid_t pid;

	tell("touched", 0);
	pid = fork();
	if (!pid) {
		memset(p, 2, 40 * MIB);
		_exit(0);
	}
	waited(pid);
	tell("survived", 0);
}

/* What is left beside 24 MiB of which a copy has written 8: KiB; and when the copy has gone, and all is written again. */
static void left(void)
{
	char *p = touched(24 * MIB, ANON), byte = 0;
	unsigned long first, n;
	int go[2], told[2];
	pid_t pid;

	if (pipe(go) || pipe(told))
		exit(95);
	pid = fork();
	if (!pid) {
		close(go[1]);
		memset(p, 2, 8 * MIB);
		_exit(write(told[1], &byte, 1) != 1 || read(go[0], &byte, 1));
	}
	if (read(told[0], &byte, 1) != 1)
		exit(96);
	first = take(64 << 10, -1ul);
	close(go[1]);
	tell("child", waited(pid));
	memset(p, 3, 24 * MIB);
	n = take(64 << 10, -1ul);
	printf("%lu %lu\n", first, n);
}

/* Memory that is really shared counts once, as long as anyone has it: KiB beside 40 MiB, and beside none. */
static void shared(void)
{
	char *p = touched(40 * MIB, MAP_SHARED | MAP_ANONYMOUS), byte;
	unsigned long first, n;
	pid_t pids[3];
	int go[2];

	if (pipe(go))
		exit(95);
	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			close(go[1]);
			memset(p + i * 10 * MIB, 2 + i, 10 * MIB);
			_exit(read(go[0], &byte, 1));
		}
	}
	munmap(p, 40 * MIB);
	first = take(64 << 10, -1ul);
	close(go[1]);
	for (int i = 0; i < 3; i++)
		tell("child", waited(pids[i]));
	n = take(64 << 10, -1ul);
	printf("%lu %lu\n", first, n);
}

static char *area;
static _Atomic int over;

static void *rewrite(void *arg)
{
	size_t from = (size_t)arg * 4 * MIB;
	unsigned char round = 0;

	while (!over) {
		round++;
		for (size_t at = 0; at < 4 * MIB; at += 512)
			area[from + at] = round;
		for (size_t at = 0; at < 4 * MIB; at += 512)
			if ((unsigned char)area[from + at] != round)
				exit(97);
	}
	return NULL;
}

/* A call that is in progress when the process is copied writes to what is its maker's. */
static void *receive(void *arg)
{
	return (void *)(read((long)arg, area + 16 * MIB, MIB) == 5 ? NULL : arg);
}

/* Threads go on writing while the process is copied, and may write to no more than counts. */
static void threads(void)
{
	pthread_t writers[4], reader;
	void *failed;
	int p[2];

	area = touched(17 * MIB, ANON);
	if (pipe(p) || pthread_create(&reader, NULL, receive, (void *)(long)p[0]))
		exit(95);
	for (size_t i = 0; i < 4; i++)
		if (pthread_create(&writers[i], NULL, rewrite, (void *)i))
			exit(95);
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (!pid) {
			area[16 * MIB] = 9;
			memset(area, 7, 4 * MIB);
			for (size_t at = 0; at < 4 * MIB; at += 512)
				if (area[at] != 7)
					_exit(1);
			_exit(0);
		}
		tell("child", waited(pid));
	}
	over = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(writers[i], NULL);
	if (write(p[1], "bytes", 5) != 5)
		exit(96);
	pthread_join(reader, &failed);
	tell("received", !failed && !memcmp(area + 16 * MIB, "bytes", 5));
}

static void small(void)
{
	printf("small\n");
}

/* A child touches more than there is, of what was not counted: that is the end of all. */
static void overcommit(void)
{
	struct child c = start(20 * MIB);

	taken(&c);
	printf("started\n");
	fflush(stdout);
	if (!fork()) {
		char *p = mmap(NULL, 1ul << 32, RW, ANON | MAP_NORESERVE, -1, 0);

		for (unsigned long i = 0; i < 1ul << 20; i++)
			p[i * PAGE] = 1;
		_exit(0);
	}
	for (;;)
		pause();
}

/* Every process makes two and takes memory. */
static void bomb(void)
{
	for (int i = 0; i < 6; i++)
		fork();
	take(MIB, -1ul);
	_exit(3);
}

static const struct mem_part parts[] = {
	{ "sum", sum }, { "passed-on", passed_on }, { "copied", copied }, { "written", written },
	{ "too-much", too_much }, { "left", left }, { "shared", shared }, { "threads", threads }, { "small", small },
	{ "overcommit", overcommit }, { "bomb", bomb },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(parts); i++)
		if (strcmp(argv[1], parts[i].name) == 0) {
			parts[i].run();
			return 0;
		}
	return 2;
}
