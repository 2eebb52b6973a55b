/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that is mapped to be shared, without a file: every call on it. */
#include "mem.h"

#define SHARED	(MAP_SHARED | MAP_ANONYMOUS)

static void touch(const char *what, unsigned long va, bool write)
{
	if (sigsetjmp(mem_jump, 1) == 0) {
		if (write)
			*(volatile char *)va = 'w';
		else
			(void)*(volatile char *)va;
		printf("  %s: fine\n", what);
	} else {
		printf("  %s: signal %d code %d at +%#lx\n", what, mem_info.si_signo, mem_info.si_code,
		       (unsigned long)mem_info.si_addr - va);
	}
}

static void share(unsigned long n)
{
	CALL(munmap, ZONE, 1ul << 32);
	mem_map(ZONE, n * PAGE, RW, SHARED | MAP_FIXED);
	mem_tag(ZONE, n, 'A');
}

static void map(void)
{
	SHOW(mem_map(ZONE, 0, RW, SHARED | MAP_FIXED));
	SHOW(mem_map(ZONE, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS | MAP_FIXED));
	SHOW(mem_map(ZONE, PAGE, RW, SHARED | MAP_FIXED | MAP_GROWSDOWN));
	SHOW(mem_map(ZONE, 3 * HUGE, RW, SHARED | MAP_FIXED));
	printf("%d\n", *(char *)ZONE);
	mem_fill(ZONE, 3 * HUGE, 7);
	printf("%lx\n", mem_sum(ZONE, 3 * HUGE));
	SHOW(mem_map(ZONE + HUGE, PAGE, RW, SHARED | MAP_FIXED));
	printf("%d\n", *(char *)(ZONE + HUGE));
	printf("%lx\n", mem_sum(ZONE, 3 * HUGE));
	SHOW(mem_map(ZONE, PAGE, RW, SHARED | MAP_FIXED_NOREPLACE));
	SHOW(mem_map(ZONE + HUGE, HUGE, RW, ANON | MAP_FIXED));
	printf("%lx\n", mem_sum(ZONE, 3 * HUGE));
	SHOW(CALL(munmap, ZONE, 3 * HUGE));
	touch("gone", ZONE, false);
	SHOW(mem_map(ZONE, 4 * PAGE, PROT_READ, SHARED | MAP_FIXED | MAP_POPULATE));
	mem_layout(ZONE, 4);
}

static void parts(void)
{
	share(12);
	SHOW(CALL(munmap, ZONE + 2 * PAGE, 2 * PAGE));
	SHOW(CALL(mprotect, ZONE + 5 * PAGE, 2 * PAGE, PROT_READ));
	SHOW(CALL(mprotect, ZONE + 8 * PAGE, 2 * PAGE, PROT_NONE));
	mem_layout(ZONE, 12);
	SHOW(CALL(mprotect, ZONE + 4 * PAGE, 8 * PAGE, RW));
	mem_layout(ZONE, 12);
	SHOW(CALL(munmap, ZONE, 2 * PAGE));
	SHOW(CALL(munmap, ZONE + 11 * PAGE, PAGE));
	mem_layout(ZONE, 12);
	/* what comes later is nobody else's */
	SHOW(mem_map(ZONE, 4 * PAGE, RW, SHARED | MAP_FIXED));
	mem_layout(ZONE, 12);
}

static void advise(void)
{
	share(6);
	SHOW(CALL(madvise, ZONE, PAGE, MADV_DONTNEED));
	SHOW(CALL(madvise, ZONE + PAGE, PAGE, MADV_FREE));
	SHOW(CALL(madvise, ZONE + 2 * PAGE, PAGE, MADV_REMOVE));
	SHOW(CALL(madvise, ZONE, 6 * PAGE, MADV_POPULATE_WRITE));
	mem_layout(ZONE, 6);
	SHOW(CALL(msync, ZONE, 6 * PAGE, MS_SYNC));
	SHOW(CALL(mlock, ZONE, 6 * PAGE));
}

static void move(void)
{
	share(8);
	SHOW(CALL(mremap, ZONE + 2 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE + 20 * PAGE));
	mem_layout(ZONE, 8);
	mem_layout(ZONE + 20 * PAGE, 3);
	SHOW(CALL(mremap, ZONE, 2 * PAGE, PAGE, 0));
	mem_layout(ZONE, 8);
	SHOW(CALL(mremap, ZONE + 6 * PAGE, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE + 22 * PAGE));
	mem_layout(ZONE, 8);
	mem_layout(ZONE + 20 * PAGE, 3);
	*(char *)(ZONE + 20 * PAGE) = '!';
	mem_layout(ZONE + 20 * PAGE, 3);
}

/* The object does not grow with its mapping. */
static void grow(void)
{
	share(4);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 6 * PAGE, 0));
	mem_layout(ZONE, 4);
	touch("past its end", ZONE + 4 * PAGE, false);
	touch("past its end", ZONE + 5 * PAGE + 17, true);
	share(4);
	mem_map(ZONE + 4 * PAGE, PAGE, RW, SHARED | MAP_FIXED);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 8 * PAGE, 0));
	SHOW(CALL(mremap, ZONE + PAGE, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE + 32 * PAGE));
	mem_layout(ZONE, 5);
	mem_layout(ZONE + 32 * PAGE, 3);
	touch("past its end", ZONE + 35 * PAGE, false);
}

static void again(void)
{
	long two;

	share(4);
	two = CALL(mremap, ZONE + PAGE, 0, 2 * PAGE, MREMAP_MAYMOVE);
	printf("%d\n", two > 0);
	mem_layout(two, 2);
	*(char *)(two + PAGE) = '!';
	*(char *)(ZONE + PAGE) = '?';
	mem_layout(ZONE, 4);
	mem_layout(two, 2);
	SHOW(CALL(munmap, ZONE, 4 * PAGE));
	mem_layout(two, 2);
	SHOW(CALL(mremap, two, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, ZONE));
	*(char *)ZONE = 'D';
	mem_layout(two, 2);
	mem_layout(ZONE, 2);
	mem_map(ZONE + HUGE, PAGE, RW, ANON | MAP_FIXED);
	SHOW(CALL(mremap, ZONE + HUGE, 0, PAGE, MREMAP_MAYMOVE));
	SHOW(CALL(mremap, ZONE, 0, PAGE, 0));
}

/* Made and unmade many times, in no order. */
static void churn(void)
{
	unsigned long sum = 0, seed = 1;

	for (int i = 0; i < 400; i++) {
		unsigned long n = 1 + (seed >> 20) % 40, at = ZONE + (seed >> 8) % 256 * PAGE;

		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		if (i % 3 == 2) {
			CALL(munmap, at, n * PAGE);
			continue;
		}
		mem_map(at, n * PAGE, RW, (i & 1 ? SHARED : ANON) | MAP_FIXED);
		for (unsigned long k = 0; k < n; k++) {
			sum = sum * 31 + *(unsigned char *)(at + k * PAGE);
			*(unsigned char *)(at + k * PAGE) = seed >> 33;
		}
	}
	for (unsigned long k = 0; k < 300; k++) {
		unsigned char byte;

		sum = sum * 31 + mem_look(ZONE + k * PAGE, &byte);
		sum = sum * 31 + byte;
	}
	printf("%lx\n", sum);
}

int main(int argc, char **argv)
{
	static const struct mem_part all[] = {
		{ "map", map }, { "parts", parts }, { "advise", advise }, { "move", move }, { "grow", grow },
		{ "again", again }, { "churn", churn },
	};

	return mem_main(argc, argv, all, ARRAY_SIZE(all));
}
