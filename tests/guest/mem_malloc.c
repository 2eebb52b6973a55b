/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mem_malloc TURNS - a libc's own allocator at work: random malloc, calloc, realloc
 * and free of all sizes, every block's bytes checked. The same numbers on every machine.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 512

static struct {
	unsigned char *p;
	size_t n;
	unsigned char byte;
} blocks[BLOCKS];

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static size_t size(void)
{
	switch (rnd(16)) {
	case 0:
		return rnd(3000000);
	case 1: case 2: case 3:
		return rnd(200000);
	default:
		return rnd(2000);
	}
}

static void check(int i, size_t n, int byte)
{
	for (size_t k = 0; k < n; k += 1 + k / 16)
		if (blocks[i].p[k] != byte) {
			printf("block %d of %zu bytes: byte %zu is %d, not %d\n", i, blocks[i].n, k, blocks[i].p[k], byte);
			exit(1);
		}
}

int main(int argc, char **argv)
{
	int turns = argc > 1 ? atoi(argv[1]) : 20000;
	uint64_t total = 0;

	for (int turn = 0; turn < turns; turn++) {
		int i = rnd(BLOCKS);
		size_t n = size(), kept = n < blocks[i].n ? n : blocks[i].n;
		int what = rnd(4);

		check(i, blocks[i].n, blocks[i].byte);
		if (what == 0) {
			free(blocks[i].p);
			blocks[i].p = NULL;
			blocks[i].n = 0;
			continue;
		}
		if (what == 1) {
			free(blocks[i].p);
			blocks[i].p = calloc(1, n + 1);
			check(i, n, 0);
		} else {
			blocks[i].p = realloc(blocks[i].p, n + 1);
			check(i, kept, blocks[i].byte);
		}
		if (!blocks[i].p) {
			printf("out of memory\n");
			return 1;
		}
		blocks[i].n = n;
		blocks[i].byte = turn;
		memset(blocks[i].p, turn, n);
		total += n;
	}
	printf("%llu bytes\n", (unsigned long long)total);
	return 0;
}
