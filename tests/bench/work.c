/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loads that tests/bench/run measures, one per run:
 *
 *	work true | compute | stream | forwarded N | shim N | touch
 *	work threads N | pingpong N | threadstart N | burst N | fork N | exec N | echo N
 *	work spin | call | tree
 *
 * threads: N threads that compute, each as much. pingpong: N turns of two by futexes. threadstart, fork,
 * exec: made and waited for, one after another. burst: N threads are made at once, and take a little memory. echo: N
 * messages to and fro over a socket, by epoll. They end
 * with status 1 where something fails. The last three never end.
 *
 * forwarded: a call that reaches the host in any sandbox (a write of one byte
 * to /dev/null, stdout). shim: one that a guest kernel can answer (getppid, raw).
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GIB (1ul << 30)

static void compute(void)
{
	double x = 0.5, sum = 0;
	uint64_t state = 88172645463325252ull;

	for (long i = 0; i < 400000000; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		x = 3.9 * x * (1 - x);
		sum += x + (state & 1);
	}
	if (sum == 42)
		puts("never");
}

static char *gib(void)
{
	char *p = mmap(NULL, GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static void touch(void)
{
	char *p = gib();

	for (size_t i = 0; i < GIB; i += 4096)
		p[i] = 1;
}

static void stream(void)
{
	char *p = gib();

	memset(p, 1, GIB);
	for (int i = 0; i < 10; i++)
		memmove(p, p + GIB / 2, GIB / 2);
}

static void must(int good)
{
	if (!good)
		exit(1);
}

static void *compute_some(void *arg)
{
	uint64_t state = 88172645463325252ull;

	for (long i = 0; i < 100000000; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
	}
	return state == 42 ? arg : NULL;
}

static void *nothing(void *arg)
{
	return arg;
}

static void threads(long n)
{
	pthread_t thread[256];

	must(n <= 256);
	for (long i = 0; i < n; i++)
		must(!pthread_create(&thread[i], NULL, compute_some, NULL));
	for (long i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static _Atomic uint32_t turn;
static long turns;

/* Whose turn it is, by the lowest bit, takes it and wakes the other. */
static void *play(void *arg)
{
	uint32_t mine = (long)arg, now;

	while ((now = turn) < turns) {
		if ((now & 1) != mine) {
			syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
			continue;
		}
		turn++;
		syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static void pingpong(long n)
{
	pthread_t other;

	turns = n;
	must(!pthread_create(&other, NULL, play, (void *)1));
	play(NULL);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	pthread_join(other, NULL);
}

static void thread_start(long n)
{
	pthread_t thread;

	while (n--) {
		must(!pthread_create(&thread, NULL, nothing, NULL));
		pthread_join(thread, NULL);
	}
}

static void *take_some(void *arg)
{
	for (int i = 0; i < 4; i++) {
		volatile char *p = malloc(20000);

		for (int at = 0; at < 20000; at += 4096)
			p[at] = 1;
		free((void *)p);
	}
	return arg;
}

static void burst(long n)
{
	pthread_t thread[1024];

	must(n <= 1024);
	for (long i = 0; i < n; i++)
		must(!pthread_create(&thread[i], NULL, take_some, NULL));
	for (long i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static void processes(long n, int execute)
{
	char *argv[] = { "work", "true", NULL };
	int status;
	pid_t pid;

	while (n--) {
		pid = fork();
		must(pid >= 0);
		if (!pid && execute)
			execv("/proc/self/exe", argv);
		if (!pid)
			_exit(execute);
		must(waitpid(pid, &status, 0) == pid && !status);
	}
}

/* Waits by epoll for what comes on a socket, and sends it back. */
static void *echo_all(void *arg)
{
	int fd = (long)arg, poll = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
	char bytes[64];
	ssize_t n;

	must(!epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e));
	while (epoll_wait(poll, &e, 1, -1) == 1 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		must(write(fd, bytes, n) == n);
	close(poll);
	return NULL;
}

static void echo(long n)
{
	pthread_t server;
	char bytes[64] = "";
	int fds[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	must(!pthread_create(&server, NULL, echo_all, (void *)(long)fds[1]));
	while (n--)
		must(write(fds[0], bytes, 64) == 64 && read(fds[0], bytes, 64) == 64);
	close(fds[0]);
	pthread_join(server, NULL);
}

/* For limits: "spin", "call" in calls always, "tree": both, two processes that wait, and their parent. */
static void never_end(const char *how)
{
	static const char *const members[] = { "spin", "call", "wait", "wait" };
	static char bytes[1 << 20];

	if (!strcmp(how, "tree"))
		for (int i = 0; i < 4; i++)
			if (!fork()) {
				how = members[i];
				break;
			}
	while (!strcmp(how, "spin"))
		;
	while (!strcmp(how, "call"))
		must(syscall(SYS_getrandom, bytes, sizeof(bytes), 0) > 0);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 1000000;

	if (!strcmp(what, "true"))
		return 0;
	if (!strcmp(what, "compute"))
		compute();
	else if (!strcmp(what, "stream"))
		stream();
	else if (!strcmp(what, "touch"))
		touch();
	else if (!strcmp(what, "forwarded"))
		while (n--)
			syscall(SYS_write, 1, "x", 1);
	else if (!strcmp(what, "shim"))
		while (n--)
			syscall(SYS_getppid);
	else if (!strcmp(what, "threads"))
		threads(n);
	else if (!strcmp(what, "pingpong"))
		pingpong(n);
	else if (!strcmp(what, "threadstart"))
		thread_start(n);
	else if (!strcmp(what, "burst"))
		burst(n);
	else if (!strcmp(what, "fork") || !strcmp(what, "exec"))
		processes(n, *what == 'e');
	else if (!strcmp(what, "echo"))
		echo(n);
	else if (!strcmp(what, "spin") || !strcmp(what, "call") || !strcmp(what, "tree"))
		never_end(what);
	else
		return 2;
	return 0;
}
