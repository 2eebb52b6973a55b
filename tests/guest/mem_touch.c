/* SPDX-License-Identifier: GPL-2.0-only */
/* mem_touch MIB: writes a byte to each page of fresh memory, and says how long that took. */
#include "mem.h"

#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	unsigned long size = (argc > 1 ? strtoul(argv[1], NULL, 0) : 1024) << 20;
	double start, first, second, unmapped;
	char *p;

	p = mmap(NULL, size, RW, ANON, -1, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	start = now();
	for (unsigned long i = 0; i < size; i += PAGE)
		((volatile char *)p)[i] = 1;
	first = now();
	for (unsigned long i = 0; i < size; i += PAGE)
		((volatile char *)p)[i] = 2;
	second = now();
	munmap(p, size);
	unmapped = now();
	printf("first touch %.3f s, second %.3f s, munmap %.3f s\n", first - start, second - first, unmapped - second);
	return 0;
}
