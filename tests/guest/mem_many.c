/* SPDX-License-Identifier: GPL-2.0-only */
/* As many mappings as there can be, made in several orders; each must stay what it is. */
#include "mem.h"

#define N	131072ul	/* pages, half of which can be mappings of their own */

static unsigned long places = N / 2;

/*
 * The i-th place in an order: most from low to high, then the rest all over
 * them. (All of it at random would be as good a test, and take minutes on an
 * emulated machine.)
 */
static unsigned long shuffled(unsigned long i)
{
	unsigned long early = places / 8 * 7;

	return i < early ? i / 7 * 8 + i % 7 : (i - early) * 40503 % (places / 8) * 8 + 7;
}

static unsigned long upwards(unsigned long i)
{
	return i;
}

static unsigned long downwards(unsigned long i)
{
	return places - 1 - i;
}

static int prot_of(unsigned long i)
{
	return i & 1 ? PROT_READ : RW;
}

/* Mappings at every second page, as many as it takes. */
static unsigned long make(unsigned long (*place)(unsigned long))
{
	unsigned long n = 0;

	CALL(munmap, ZONE, N * PAGE);
	while (n < places && mem_map(ZONE + place(n) * 2 * PAGE, PAGE, prot_of(n), ANON | MAP_FIXED_NOREPLACE) > 0)
		n++;
	return n;
}

static void look(unsigned long n, unsigned long (*place)(unsigned long))
{
	for (unsigned long i = 0; i < n; i += 1 + i % 611) {
		unsigned char byte;
		unsigned long va = ZONE + place(i) * 2 * PAGE;

		if (mem_look(va, &byte) != (i & 1 ? 'r' : 'w') || mem_look(va + PAGE, &byte) != '.') {
			printf("mapping %lu is wrong\n", i);
			return;
		}
	}
}

static void order(unsigned long (*place)(unsigned long))
{
	unsigned long n = make(place);

	printf("%s\n", n > 65400 && n <= 65535 ? "as many as there can be" : "another number");
	look(n, place);
	SHOW(mem_map(0, PAGE, RW, ANON));
	SHOW(mem_map(ZONE + N * PAGE, PAGE, RW, ANON | MAP_FIXED));
	SHOW(CALL(munmap, ZONE + place(7) * 2 * PAGE, PAGE));
	SHOW(CALL(munmap, ZONE + place(8) * 2 * PAGE, PAGE));
	SHOW(mem_map(ZONE + place(8) * 2 * PAGE, PAGE, RW, ANON | MAP_FIXED));
	SHOW(CALL(munmap, ZONE, N * PAGE));
	SHOW(mem_map(ZONE, N * PAGE, PROT_NONE, ANON | MAP_FIXED));
	mem_layout(ZONE, 2);
	CALL(munmap, ZONE, N * PAGE);
}

static void by_mmap_upwards(void)
{
	order(upwards);
}

static void by_mmap_downwards(void)
{
	order(downwards);
}

static void by_mmap_shuffled(void)
{
	order(shuffled);
}

/* Where the kernel places them: next to each other, of two kinds. */
static void by_placement(void)
{
	static unsigned long at[N];
	unsigned long n = 0, again;

	while (n < N && (long)(at[n] = mem_map(0, PAGE, n & 1 ? PROT_NONE : PROT_READ, ANON)) > 0)
		n++;
	printf("%s\n", n > 65400 && n <= 65535 ? "as many as there can be" : "another number");
	/* every third one goes, and room is found again */
	for (unsigned long i = 0; i < n; i += 3)
		CALL(munmap, at[i], PAGE);
	for (again = 0; again < n && mem_map(0, PAGE, RW, ANON | (again & 1 ? MAP_NORESERVE : 0)) > 0; again++)
		;
	printf("%s\n", again > 20000 ? "again" : "less than there was");
}

/* One mapping, divided by mprotect up to the limit, and made one again. */
static void by_mprotect(void)
{
	unsigned long n;

	/* each takes two */
	places = N / 4;
	for (int k = 0; k < 3; k++) {
		unsigned long (*place)(unsigned long) = (unsigned long (*[])(unsigned long)){
			upwards, downwards, shuffled }[k];

		mem_map(ZONE, N / 2 * PAGE, PROT_NONE, ANON | MAP_FIXED);
		for (n = 0; n < places; n++)
			if (CALL(mprotect, ZONE + place(n) * 2 * PAGE, PAGE, PROT_READ))
				break;
		printf("%s: %s\n", n > 32600 && n <= 32768 ? "as many as there can be" : "another number",
		       mem_name(CALL(mprotect, ZONE + place(n) * 2 * PAGE, PAGE, PROT_READ)));
		SHOW(CALL(mprotect, ZONE, N / 2 * PAGE, PROT_NONE));
		SHOW(CALL(munmap, ZONE, N / 2 * PAGE));
	}
}

/* A page here and there over terabytes, and calls over all of it, for ever. */
static void endless(void)
{
	unsigned long size = 1ul << 45, step = size / 4096;

	CALL(munmap, ZONE, 2 * size);
	mem_map(ZONE, size, RW, ANON | MAP_FIXED | MAP_NORESERVE);
	for (unsigned long i = 0;; i++) {
		if (i < 4096)
			*(volatile char *)(ZONE + i * step) = 1;
		CALL(mprotect, ZONE, size, PROT_READ);
		CALL(mprotect, ZONE, size, RW);
		CALL(mremap, ZONE, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE + size);
		CALL(mremap, ZONE + size, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE);
		if (i % 10000 == 0)
			CALL(madvise, ZONE, size, MADV_DONTNEED);
	}
}

static const struct mem_part parts[] = {
	{ "mmap-upwards", by_mmap_upwards }, { "mmap-downwards", by_mmap_downwards },
	{ "mmap-shuffled", by_mmap_shuffled }, { "placement", by_placement }, { "mprotect", by_mprotect },
	{ "endless", endless },
};

int main(int argc, char **argv)
{
	return mem_main(argc, argv, parts, ARRAY_SIZE(parts) - (argc < 2));
}
