/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints how many thousand times in a second this machine's time-stamp counter counts by CLOCK_MONOTONIC, which is
 * what QEMU's software CPU gives its guest of both. A guest that measures while its host is busy gets it wrong, by
 * several times, and then all of its clocks.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

struct at {
	unsigned long long tsc;
	double ns;
};

/* Both at once: of some tries the one that nothing came between. */
static struct at now(void)
{
	unsigned long long shortest = ~0ull;
	struct at best = { 0, 0 };

	for (int i = 0; i < 1000; i++) {
		unsigned long long before = __rdtsc(), after;
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC, &t);
		after = __rdtsc();
		if (after - before < shortest) {
			shortest = after - before;
			best = (struct at){ before + shortest / 2, t.tv_sec * 1e9 + t.tv_nsec };
		}
	}
	return best;
}

int main(void)
{
	struct at from = now(), to;

	usleep(50000);
	to = now();
	printf("%.0f\n", (to.tsc - from.tsc) / (to.ns - from.ns) * 1e6);
	return 0;
}
