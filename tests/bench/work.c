/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loads that tests/bench/run measures, one per run:
 *
 *	work true | compute | stream | forwarded N | shim N | touch
 *
 * forwarded: a call that reaches the host in any sandbox (a write of one byte
 * to /dev/null, stdout). shim: one that a guest kernel can answer (getppid, raw).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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
	else
		return 2;
	return 0;
}
