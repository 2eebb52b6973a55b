/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that several processes take, of what is for all of them together. */
#include "mem.h"

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
	/* and what the copies were of */
	printf(" %s\n", n[3] > n[0] + first && n[3] < n[0] + first + 2048 ? "more" : "other");
}

/* A copy of more than half does not fit, but for one that executes something; and does when there is less. */
static void copied(void)
{
	char *argv[] = { "mem_tree", "small", NULL }, *p = mmap(NULL, 40 * MIB, RW, ANON, -1, 0);
	pid_t pid;
	int status;

	if (p == MAP_FAILED)
		exit(93);
	memset(p, 1, 40 * MIB);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(0);
	printf("fork: %s\n", pid < 0 ? strerrorname_np(errno) : "?");
	fflush(stdout);
	status = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, NULL);
	printf("posix_spawn: %d\n", status);
	if (!status) {
		waitpid(pid, &status, 0);
		printf("status %d\n", status);
	}
	munmap(p, 20 * MIB);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		/* the copy's share ends when it is something else */
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	printf("status %d\n", status);
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
	{ "sum", sum }, { "passed-on", passed_on }, { "copied", copied }, { "small", small },
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
