/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory calls, each with its odd arguments: prints what comes of them, the same on every Linux. */
#include "mem.h"

#define FIXED	(ANON | MAP_FIXED)
#define NOREPL	(ANON | MAP_FIXED_NOREPLACE)
#define TOP	0x7ffffffff000ul

static void fixed(void)
{
	mem_setup(8);
	SHOW(mem_map(ZONE + 2 * PAGE, 3 * PAGE, RW, FIXED));
	mem_layout(ZONE, 8);
	SHOW(mem_map(ZONE + 1 * PAGE, PAGE, PROT_NONE, FIXED));
	SHOW(mem_map(ZONE + 6 * PAGE, 4 * PAGE, PROT_READ, FIXED));
	mem_layout(ZONE, 11);
	/* over several mappings, a hole and a page without access */
	SHOW(CALL(munmap, ZONE + 3 * PAGE, PAGE));
	SHOW(mem_map(ZONE, 9 * PAGE, RW, FIXED));
	mem_layout(ZONE, 11);
	SHOW(mem_map(ZONE + 1, PAGE, RW, FIXED));
	SHOW(mem_map(ZONE + PAGE / 2, PAGE, RW, FIXED));
	SHOW(mem_map(TOP - PAGE, 2 * PAGE, RW, FIXED));
	SHOW(mem_map(TOP, PAGE, RW, FIXED));
	SHOW(mem_map(1ul << 47, PAGE, RW, FIXED));
	SHOW(mem_map(-PAGE, PAGE, RW, FIXED));
	SHOW(mem_map(1ul << 63, PAGE, RW, FIXED));
	mem_layout(ZONE, 11);
	mem_tag(ZONE, 9, 'a');
	SHOW(mem_map(ZONE + PAGE, 1, RW, FIXED));	/* a length within a page takes it whole */
	SHOW(mem_map(ZONE + 3 * PAGE, PAGE + 1, RW, FIXED));
	mem_layout(ZONE, 11);
}

static void noreplace(void)
{
	mem_setup(2);
	SHOW(mem_map(ZONE + PAGE, PAGE, RW, NOREPL));
	SHOW(mem_map(ZONE - PAGE, 2 * PAGE, RW, NOREPL));
	SHOW(mem_map(ZONE + 2 * PAGE, PAGE, RW, NOREPL));
	SHOW(mem_map(ZONE + 2 * PAGE, PAGE, RW, NOREPL | MAP_FIXED));
	SHOW(mem_map(ZONE + 4 * PAGE + 1, PAGE, RW, NOREPL));
	SHOW(mem_map(ZONE + 5 * PAGE, PAGE, PROT_NONE, NOREPL));
	SHOW(mem_map(ZONE + 4 * PAGE, 2 * PAGE, RW, NOREPL));
	SHOW(mem_map(TOP, PAGE, RW, NOREPL));
	mem_layout(ZONE - PAGE, 8);
}

static void hints(void)
{
	mem_setup(4);
	SHOW(mem_map(ZONE + 4 * PAGE, PAGE, RW, ANON));
	SHOW(mem_map(ZONE + 6 * PAGE + 1, PAGE, RW, ANON));
	SHOW(mem_map(ZONE + 9 * PAGE - 1, PAGE, RW, ANON));
	SHOW(mem_map(ZONE, PAGE, RW, ANON));
	SHOW(mem_map(ZONE + PAGE, 64 * PAGE, RW, ANON));
	SHOW(mem_map(ZONE + 5 * PAGE, 2 * PAGE, RW, ANON));
	SHOW(mem_map(1ul << 47, PAGE, RW, ANON));
	SHOW(mem_map(TOP, PAGE, RW, ANON));
	SHOW(mem_map((1ul << 63) + PAGE, PAGE, RW, ANON));
	SHOW(mem_map(-PAGE, PAGE, RW, ANON));
	SHOW(mem_map(0, PAGE, RW, ANON));
	printf("%d\n", mem_map(TOP - 1024 * PAGE, PAGE, PROT_NONE, ANON) < (long)TOP);
	mem_layout(ZONE, 10);
	SHOW(mem_map(ZONE + (1ul << 36), 1ul << 37, PROT_NONE, ANON));
}

static void bad_arguments(void)
{
	SHOW(mem_map(0, 0, RW, ANON));
	SHOW(mem_map(0, PAGE, RW, MAP_ANONYMOUS));
	SHOW(mem_map(0, PAGE, RW, MAP_ANONYMOUS | MAP_SHARED_VALIDATE));
	SHOW(mem_map(0, PAGE, RW, MAP_ANONYMOUS | 4));
	SHOW(mem_map(0, PAGE, RW, MAP_ANONYMOUS | 0xf));
	SHOW(mem_map(0, PAGE, RW, MAP_ANONYMOUS | MAP_SHARED | MAP_GROWSDOWN));
	SHOW(CALL(mmap, 0, PAGE, RW, ANON, -1, 1));
	SHOW(CALL(mmap, 0, PAGE, RW, ANON, -1, PAGE - 1));
	SHOW(CALL(mmap, 0, PAGE, RW, ANON, -1, PAGE));
	SHOW(CALL(mmap, 0, PAGE, RW, ANON, -1, -PAGE));
	SHOW(CALL(mmap, 0, PAGE, RW, ANON, 5, 0));
	SHOW(mem_map(0, PAGE, RW | 0x70, ANON));
	SHOW(mem_map(0, -1ul, RW, ANON));
	SHOW(mem_map(0, -PAGE, RW, ANON));
	SHOW(mem_map(0, -PAGE + 1, RW, ANON));
	SHOW(mem_map(0, 1ul << 63, PROT_NONE, ANON));
	SHOW(mem_map(0, 1ul << 47, PROT_NONE, ANON));
	SHOW(mem_map(0, TOP, PROT_NONE, ANON));
	SHOW(mem_map(ZONE, -ZONE, PROT_NONE, FIXED));
	SHOW(CALL(munmap, ZONE, 0));
	SHOW(CALL(munmap, ZONE + 1, PAGE));
	SHOW(CALL(munmap, ZONE, -1ul));
	SHOW(CALL(munmap, ZONE, -ZONE));
	SHOW(CALL(munmap, TOP, PAGE));
	SHOW(CALL(munmap, TOP - PAGE, 2 * PAGE));
	SHOW(CALL(munmap, 1ul << 63, PAGE));
	SHOW(CALL(munmap, -PAGE, PAGE));
	SHOW(CALL(munmap, ZONE + (1ul << 39), 1ul << 40));
	SHOW(CALL(munmap, ZONE + (1ul << 39), 1));
	mem_setup(3);
	SHOW(CALL(mprotect, ZONE + 1, PAGE, RW));
	SHOW(CALL(mprotect, ZONE, 0, RW));
	SHOW(CALL(mprotect, ZONE + 64 * PAGE, 0, RW));
	SHOW(CALL(mprotect, ZONE, -1ul, RW));
	SHOW(CALL(mprotect, ZONE, -ZONE, RW));
	SHOW(CALL(mprotect, ZONE, PAGE, 0x10));
	SHOW(CALL(mprotect, ZONE, PAGE, RW | 0x40000000));
	SHOW(CALL(mprotect, ZONE, PAGE, RW | 8));
	SHOW(CALL(mprotect, ZONE, PAGE, RW | PROT_GROWSDOWN | PROT_GROWSUP));
	SHOW(CALL(mprotect, ZONE, PAGE, RW | PROT_GROWSDOWN));
	SHOW(CALL(mprotect, ZONE, 1, PROT_READ));
	SHOW(CALL(mprotect, TOP, PAGE, RW));
	SHOW(CALL(mprotect, 1ul << 63, PAGE, RW));
	mem_layout(ZONE, 4);
}

static void low32(void)
{
	unsigned long a = mem_map(0, PAGE, RW, ANON | MAP_32BIT), b = mem_map(0, 64 * HUGE, RW, ANON | MAP_32BIT);

	printf("%d %d %d\n", a < 1ul << 31, b + 64 * HUGE <= 1ul << 31, a < b + 64 * HUGE && b < a + PAGE);
	SHOW(mem_map(0, 1ul << 31, PROT_NONE, ANON | MAP_32BIT));
	a = mem_map(ZONE, PAGE, RW, ANON | MAP_32BIT);
	printf("%d\n", a < 1ul << 31);
	a = mem_map(0x50000000, PAGE, RW, ANON | MAP_32BIT);
	printf("%#lx\n", a);
	a = mem_map(0x30000000, PAGE, RW, ANON | MAP_32BIT);
	printf("%#lx\n", a);
	mem_tag(b, 512, 'A');
	printf("%#lx\n", mem_sum(b, HUGE));
}

static void grows_down(void)
{
	unsigned long top = ZONE + 0x1000000;

	mem_setup(1);
	SHOW(mem_map(top - 2 * PAGE, 2 * PAGE, RW, FIXED | MAP_GROWSDOWN));
	mem_layout(top - 2 * PAGE, 3);
	mem_tag(top - 3 * PAGE, 1, 'a');	/* one page at a time */
	mem_tag(top - 20 * PAGE, 1, 'b');	/* or many */
	mem_layout(top - 21 * PAGE, 22);
	/* what is below keeps its distance, on both sides */
	SHOW(mem_map(top - 100 * PAGE, PAGE, RW, ANON) == (long)(top - 100 * PAGE));
	SHOW(mem_map(top - 400 * PAGE, PAGE, RW, FIXED));
	mem_layout(top - 400 * PAGE + 256 * PAGE, 2);
	mem_layout(top - 400 * PAGE + 200 * PAGE, 2);
	SHOW(mem_map(top - 400 * PAGE, PAGE, PROT_NONE, FIXED));
	mem_layout(top - 400 * PAGE + 200 * PAGE, 2);
	SHOW(CALL(mprotect, top - PAGE, PAGE, PROT_READ | PROT_GROWSDOWN));
	mem_layout(top - 4 * PAGE, 4);
	SHOW(mem_map(top, PAGE, RW, FIXED));	/* no room was made above */
	SHOW(CALL(munmap, top - 0x100000, 0x100000));
}

static void populate(void)
{
	unsigned char vec[8];

	mem_setup(1);
	SHOW(mem_map(ZONE, 8 * PAGE, RW, FIXED | MAP_POPULATE));
	SHOW(CALL(mincore, ZONE, 8 * PAGE, vec));
	for (int i = 0; i < 8; i++)
		printf("%d", vec[i] & 1);
	printf("\n");
	mem_layout(ZONE, 8);
	SHOW(mem_map(ZONE, 8 * PAGE, PROT_NONE, FIXED | MAP_POPULATE));
	SHOW(CALL(mincore, ZONE, 8 * PAGE, vec));
	for (int i = 0; i < 8; i++)
		printf("%d", vec[i] & 1);
	printf("\n");
	SHOW(mem_map(ZONE, 4 * HUGE, RW, FIXED | MAP_POPULATE | MAP_NORESERVE));
	printf("%#lx\n", mem_sum(ZONE, 4 * HUGE));
	SHOW(mem_map(ZONE + PAGE, 2 * HUGE, RW, FIXED | MAP_LOCKED));
	printf("%#lx\n", mem_sum(ZONE, 4 * HUGE));
}

static void guards(void)
{
	CALL(munmap, ZONE, 1ul << 32);
	SHOW(mem_map(ZONE, 64 * PAGE, PROT_NONE, FIXED));
	SHOW(CALL(mprotect, ZONE + PAGE, 4 * PAGE, RW));
	mem_tag(ZONE + PAGE, 4, 'A');
	SHOW(CALL(mprotect, ZONE + 2 * PAGE, PAGE, PROT_NONE));
	mem_layout(ZONE, 6);
	SHOW(CALL(mprotect, ZONE + 2 * PAGE, PAGE, PROT_READ));
	mem_layout(ZONE, 6);
	SHOW(CALL(mprotect, ZONE, 64 * PAGE, RW));
	mem_layout(ZONE, 6);
	SHOW(CALL(mprotect, ZONE, 64 * PAGE, PROT_NONE));
	mem_layout(ZONE, 6);
	SHOW(CALL(munmap, ZONE + 3 * PAGE, PAGE));
	mem_layout(ZONE, 6);
	SHOW(CALL(mprotect, ZONE + PAGE, 2 * PAGE, PROT_READ));
	mem_layout(ZONE, 6);
	SHOW(CALL(mprotect, ZONE + PAGE, PAGE, PROT_WRITE));
	mem_layout(ZONE, 6);
}

static void protect_holes(void)
{
	mem_setup(8);
	SHOW(CALL(munmap, ZONE + 3 * PAGE, PAGE));
	SHOW(CALL(mprotect, ZONE, 8 * PAGE, PROT_READ));
	mem_layout(ZONE, 8);
	SHOW(CALL(mprotect, ZONE + 3 * PAGE, PAGE, PROT_READ));
	SHOW(CALL(mprotect, ZONE + 3 * PAGE, 2 * PAGE, PROT_READ));
	mem_layout(ZONE, 8);
	SHOW(CALL(mprotect, ZONE + 6 * PAGE, 8 * PAGE, PROT_NONE));
	mem_layout(ZONE, 8);
}

static void huge_parts(void)
{
	unsigned long at[] = { 0, 1, 255, 511, 512, 700, 1023, 1024, 1500, 2047 };

	CALL(munmap, ZONE, 1ul << 32);
	mem_map(ZONE, 4 * HUGE, RW, FIXED);
	mem_fill(ZONE, 4 * HUGE, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		unsigned long va = ZONE + at[i] * PAGE;

		SHOW(i & 1 ? CALL(munmap, va, PAGE) : CALL(madvise, va, PAGE, MADV_DONTNEED));
		if (i & 1)
			mem_map(va, PAGE, RW, FIXED);
		printf("%#lx\n", mem_sum(ZONE, 4 * HUGE));
	}
	mem_fill(ZONE, 4 * HUGE, 2);
	SHOW(CALL(mprotect, ZONE + HUGE - PAGE, 2 * PAGE, PROT_READ));
	mem_layout(ZONE + HUGE - 2 * PAGE, 4);
	SHOW(CALL(mprotect, ZONE + HUGE - PAGE, 2 * PAGE, PROT_NONE));
	SHOW(CALL(mprotect, ZONE + HUGE - PAGE, PAGE, RW));
	mem_layout(ZONE + HUGE - 2 * PAGE, 4);
	SHOW(CALL(mprotect, ZONE, 4 * HUGE, RW));
	printf("%#lx\n", mem_sum(ZONE, 4 * HUGE));
	SHOW(CALL(munmap, ZONE + HUGE / 2, 2 * HUGE));
	mem_layout(ZONE + HUGE / 2 - PAGE, 2);
	mem_layout(ZONE + 2 * HUGE + HUGE / 2 - PAGE, 2);
	printf("%#lx %#lx\n", mem_sum(ZONE, HUGE / 2), mem_sum(ZONE + 3 * HUGE, HUGE));
	/* without access, huge, and back */
	mem_map(ZONE, 4 * HUGE, RW, FIXED);
	mem_fill(ZONE, 4 * HUGE, 3);
	SHOW(CALL(mprotect, ZONE, 4 * HUGE, PROT_NONE));
	SHOW(CALL(munmap, ZONE + HUGE, PAGE));
	SHOW(CALL(madvise, ZONE + PAGE, PAGE, MADV_DONTNEED));
	mem_layout(ZONE, 2);
	SHOW(CALL(mprotect, ZONE, HUGE, PROT_READ));
	SHOW(CALL(mprotect, ZONE + HUGE + PAGE, 3 * HUGE - PAGE, PROT_READ));
	mem_layout(ZONE, 3);
	printf("%#lx %#lx\n", mem_sum(ZONE, HUGE), mem_sum(ZONE + HUGE + PAGE, 3 * HUGE - PAGE));
	SHOW(CALL(madvise, ZONE, 4 * HUGE, MADV_NOHUGEPAGE));
	SHOW(CALL(munmap, ZONE, 1ul << 32));
	mem_layout(ZONE, 1);
}

static void remap_in_place(void)
{
	mem_setup(4);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 8 * PAGE, 0));
	mem_layout(ZONE, 9);
	SHOW(CALL(mremap, ZONE, 8 * PAGE, 2 * PAGE, 0));
	mem_layout(ZONE, 9);
	SHOW(CALL(mremap, ZONE, 2 * PAGE, 2 * PAGE, 0));
	SHOW(CALL(mremap, ZONE, PAGE, 3 * PAGE, 0));
	SHOW(CALL(mremap, ZONE + PAGE, PAGE, 3 * PAGE, 0));
	mem_layout(ZONE, 9);
	mem_map(ZONE + 4 * PAGE, PAGE, PROT_READ, FIXED);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 5 * PAGE, 0));
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 3 * PAGE + 1, 0));
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 1, 0));
	mem_layout(ZONE, 9);
	mem_setup(4);
	/* bytes appear zeroed after a shrink */
	SHOW(CALL(mremap, ZONE, 4 * PAGE, PAGE, 0));
	SHOW(CALL(mremap, ZONE, PAGE, 4 * PAGE, 0));
	mem_layout(ZONE, 5);
}

static void remap_move(void)
{
	unsigned long to = ZONE + 0x10000000, got;

	mem_setup(8);
	mem_map(ZONE + 8 * PAGE, PAGE, PROT_NONE, FIXED);
	got = CALL(mremap, ZONE, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	printf("%d\n", got != ZONE && got < TOP);
	mem_layout(got, 16);
	mem_layout(ZONE, 9);
	CALL(munmap, got, 16 * PAGE);
	mem_setup(8);
	got = CALL(mremap, ZONE + 2 * PAGE, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);	/* from the middle */
	printf("%d\n", got != ZONE);
	mem_layout(got, 4);
	mem_layout(ZONE, 9);
	CALL(munmap, got, 4 * PAGE);
	mem_setup(8);
	CALL(mprotect, ZONE + 4 * PAGE, 4 * PAGE, PROT_READ);
	SHOW(CALL(mremap, ZONE, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE));	/* over two mappings */
	SHOW(CALL(mremap, ZONE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	mem_layout(ZONE, 9);
	mem_layout(to, 3);
	SHOW(CALL(mremap, to, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE + 3 * PAGE));
	mem_layout(ZONE, 9);
	mem_layout(to, 3);
	SHOW(CALL(mremap, ZONE + 3 * PAGE, 4 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	mem_layout(ZONE, 9);
	mem_layout(to, 3);
	/* sources: read-only, without access, never touched */
	mem_setup(4);
	CALL(mprotect, ZONE, 4 * PAGE, PROT_NONE);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	SHOW(CALL(mprotect, to, 6 * PAGE, PROT_READ));
	mem_layout(to, 7);
	mem_map(ZONE, 4 * PAGE, RW, FIXED);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	mem_layout(to, 7);
	mem_layout(ZONE, 5);
}

static void remap_huge(void)
{
	static const struct { unsigned long from, len, to; } cases[] = {
		{ 0, 4 * HUGE, 16 * HUGE },
		{ 0, 4 * HUGE, 16 * HUGE + PAGE },
		{ PAGE, 4 * HUGE - 2 * PAGE, 16 * HUGE + PAGE },
		{ HUGE - PAGE, HUGE + 2 * PAGE, 16 * HUGE - PAGE },
		{ HUGE, HUGE, 16 * HUGE },
		{ HUGE + 5 * PAGE, PAGE, 16 * HUGE + 9 * PAGE },
		{ 0, 2 * HUGE, 3 * HUGE },	/* into its own mapping's end */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned long from = ZONE + cases[i].from, len = cases[i].len, to = ZONE + cases[i].to, sum;

		CALL(munmap, ZONE, 1ul << 32);
		mem_map(ZONE, 5 * HUGE, RW, FIXED);
		mem_fill(ZONE, 5 * HUGE, i);
		sum = mem_sum(from, len);
		SHOW(CALL(mremap, from, len, len + HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
		printf("%d %#lx\n", mem_sum(to, len) == sum, mem_sum(to + len, HUGE));
		mem_layout(from - PAGE, 2);
		mem_layout(from + len - PAGE, 2);
		memset((void *)to, 7, len + HUGE);
		SHOW(mem_map(from, len, RW, FIXED | MAP_FIXED_NOREPLACE) == (long)from || i == 6);
		if (i != 6)
			printf("%#lx\n", mem_sum(from, len));
		SHOW(CALL(munmap, to, len + HUGE));
	}
	CALL(munmap, ZONE, 1ul << 32);
}

static void remap_errors(void)
{
	unsigned long to = ZONE + 0x10000000;

	mem_setup(8);
	SHOW(CALL(mremap, ZONE + 1, PAGE, PAGE, 0));
	SHOW(CALL(mremap, ZONE, PAGE, 0, 0));
	SHOW(CALL(mremap, ZONE, 0, PAGE, MREMAP_MAYMOVE));
	SHOW(CALL(mremap, ZONE + 64 * PAGE, PAGE, PAGE, 0));
	SHOW(CALL(mremap, ZONE + 64 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	SHOW(CALL(mremap, ZONE, 9 * PAGE, 10 * PAGE, MREMAP_MAYMOVE));
	SHOW(CALL(mremap, ZONE, PAGE, PAGE, 8));
	SHOW(CALL(mremap, ZONE, PAGE, PAGE, MREMAP_FIXED, to));
	SHOW(CALL(mremap, ZONE, PAGE, PAGE, MREMAP_DONTUNMAP));
	SHOW(CALL(mremap, ZONE, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	SHOW(CALL(mremap, ZONE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1));
	SHOW(CALL(mremap, ZONE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE + PAGE));
	SHOW(CALL(mremap, ZONE + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE));
	SHOW(CALL(mremap, ZONE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE));
	SHOW(CALL(mremap, ZONE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, TOP));
	SHOW(CALL(mremap, ZONE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, 1ul << 63));
	SHOW(CALL(mremap, ZONE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, -PAGE));
	SHOW(CALL(mremap, ZONE, PAGE, -1ul, MREMAP_MAYMOVE));
	/* EINVAL or ENOMEM, by the kernel's version */
	SHOW(CALL(mremap, ZONE, PAGE, -PAGE, MREMAP_MAYMOVE) < 0);
	SHOW(CALL(mremap, ZONE, 8 * PAGE, 1ul << 47, MREMAP_MAYMOVE) < 0);
	SHOW(CALL(mremap, ZONE, 8 * PAGE, 1ul << 47, 0) < 0);
	SHOW(CALL(mremap, ZONE, PAGE, 1ul << 63, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	SHOW(CALL(mremap, 1ul << 63, PAGE, PAGE, 0));
	SHOW(CALL(mremap, TOP, PAGE, PAGE, 0));
	SHOW(CALL(mremap, ZONE, -1ul, PAGE, 0));
	mem_layout(ZONE, 9);
}

static void remap_dontunmap(void)
{
	unsigned long to = ZONE + 0x10000000, got;

	mem_setup(4);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to));
	mem_layout(ZONE, 5);
	mem_layout(to, 5);
	mem_tag(ZONE, 4, 'a');
	got = CALL(mremap, ZONE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	mem_layout(ZONE, 5);
	mem_layout(got, 2);
	SHOW(CALL(mremap, ZONE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, to + 64 * PAGE));	/* a hint */
	SHOW(CALL(mremap, ZONE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, to + 1));
}

static void advise(void)
{
	static const int advices[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK,
		MADV_DONTDUMP, MADV_DODUMP, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLD, MADV_PAGEOUT,
	};

	mem_setup(8);
	for (unsigned int i = 0; i < ARRAY_SIZE(advices); i++)
		printf("%d: %s\n", advices[i], mem_name(CALL(madvise, ZONE, 8 * PAGE, advices[i])));
	mem_layout(ZONE, 8);
	SHOW(CALL(madvise, ZONE + PAGE, 2 * PAGE, MADV_DONTNEED));
	mem_layout(ZONE, 8);
	SHOW(CALL(madvise, ZONE + 4 * PAGE, 1, MADV_DONTNEED));
	mem_layout(ZONE, 8);
	SHOW(CALL(munmap, ZONE + 5 * PAGE, PAGE));
	SHOW(CALL(madvise, ZONE, 9 * PAGE, MADV_DONTNEED));	/* all that is there, and ENOMEM */
	mem_layout(ZONE, 8);
	mem_tag(ZONE, 5, 'a');
	CALL(mprotect, ZONE, PAGE, PROT_NONE);
	CALL(mprotect, ZONE + PAGE, PAGE, PROT_READ);
	SHOW(CALL(madvise, ZONE, 3 * PAGE, MADV_DONTNEED_LOCKED));
	CALL(mprotect, ZONE, 2 * PAGE, RW);
	mem_layout(ZONE, 5);
	SHOW(CALL(madvise, ZONE, 0, MADV_DONTNEED));
	SHOW(CALL(madvise, ZONE + 100 * PAGE, 0, MADV_DONTNEED));
	SHOW(CALL(madvise, ZONE + 100 * PAGE, PAGE, MADV_DONTNEED));
	SHOW(CALL(madvise, ZONE + 1, PAGE, MADV_DONTNEED));
	SHOW(CALL(madvise, ZONE, -1ul, MADV_DONTNEED));
	SHOW(CALL(madvise, ZONE, -PAGE, MADV_DONTNEED));
	SHOW(CALL(madvise, ZONE, PAGE, 5));
	SHOW(CALL(madvise, ZONE, PAGE, 7));
	SHOW(CALL(madvise, ZONE, PAGE, -1));
	SHOW(CALL(madvise, ZONE, PAGE, 1000));
	SHOW(CALL(madvise, ZONE + 100 * PAGE, PAGE, 1000));
	SHOW(CALL(madvise, ZONE, PAGE, MADV_REMOVE));
	SHOW(CALL(madvise, ZONE, 5 * PAGE, MADV_POPULATE_READ));
	SHOW(CALL(madvise, ZONE, 5 * PAGE, MADV_POPULATE_WRITE));
	SHOW(CALL(madvise, ZONE, 6 * PAGE, MADV_POPULATE_WRITE));
	CALL(mprotect, ZONE, PAGE, PROT_READ);
	SHOW(CALL(madvise, ZONE, 5 * PAGE, MADV_POPULATE_READ));
	SHOW(CALL(madvise, ZONE, 5 * PAGE, MADV_POPULATE_WRITE));
	CALL(mprotect, ZONE, PAGE, PROT_NONE);
	SHOW(CALL(madvise, ZONE, 5 * PAGE, MADV_POPULATE_READ));
	/* which the processor lets be read */
	CALL(mprotect, ZONE, 5 * PAGE, PROT_WRITE);
	SHOW(CALL(madvise, ZONE, 5 * PAGE, MADV_POPULATE_READ));
	SHOW(CALL(madvise, ZONE, 5 * PAGE, MADV_POPULATE_WRITE));
	CALL(mprotect, ZONE, 3 * PAGE, RW);
	SHOW(CALL(madvise, ZONE, 3 * PAGE, MADV_POPULATE_READ));
	SHOW(CALL(madvise, ZONE, 4 * PAGE, MADV_POPULATE_READ));
}

static void advise_shared(void)
{
	CALL(munmap, ZONE, 1ul << 32);
	SHOW(mem_map(ZONE, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED));
	mem_tag(ZONE, 4, 'A');
	SHOW(CALL(madvise, ZONE, PAGE, MADV_DONTNEED));	/* only this mapping's view is dropped */
	mem_layout(ZONE, 4);
	SHOW(CALL(madvise, ZONE + PAGE, PAGE, MADV_REMOVE));
	mem_layout(ZONE, 4);
	SHOW(CALL(madvise, ZONE + PAGE, PAGE, MADV_FREE));
	mem_layout(ZONE, 4);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE + 64 * PAGE));
	mem_layout(ZONE + 64 * PAGE, 4);
}

static void program_break(void)
{
	unsigned long start = CALL(brk, 0), page = (start + PAGE - 1) & -PAGE, b;

	printf("%d\n", CALL(brk, page + 4 * PAGE) == (long)(page + 4 * PAGE));
	mem_tag(page, 4, 'A');
	mem_layout(page, 5);
	printf("%d\n", CALL(brk, page + PAGE + 1) == (long)(page + PAGE + 1));
	mem_layout(page, 5);
	printf("%d\n", CALL(brk, page + 4 * PAGE) == (long)(page + 4 * PAGE));
	mem_layout(page, 5);
	/* what cannot be leaves it where it is */
	printf("%d\n", CALL(brk, 0) == (long)(page + 4 * PAGE));
	printf("%d\n", CALL(brk, PAGE) == (long)(page + 4 * PAGE));
	printf("%d\n", CALL(brk, TOP) == (long)(page + 4 * PAGE));
	printf("%d\n", CALL(brk, -1ul) == (long)(page + 4 * PAGE));
	printf("%d\n", CALL(brk, 1ul << 63) == (long)(page + 4 * PAGE));
	/* something in the way; then half a page of room is not enough */
	printf("%d\n", mem_map(page + 8 * PAGE, PAGE, PROT_NONE, NOREPL) == (long)(page + 8 * PAGE));
	printf("%d\n", CALL(brk, page + 9 * PAGE) == (long)(page + 4 * PAGE));
	printf("%d\n", CALL(brk, page + 8 * PAGE) == (long)(page + 4 * PAGE));
	printf("%d\n", CALL(brk, page + 7 * PAGE) == (long)(page + 7 * PAGE));
	mem_layout(page, 9);
	CALL(munmap, page + 8 * PAGE, PAGE);
	/* holes that the program made in it */
	CALL(munmap, page + 2 * PAGE, PAGE);
	CALL(mprotect, page + 3 * PAGE, PAGE, PROT_READ);
	mem_layout(page, 8);
	b = CALL(brk, page);
	printf("%d\n", b == page);
	mem_layout(page, 8);
	printf("%d\n", CALL(brk, page + HUGE * 4) == (long)(page + HUGE * 4));
	mem_fill(page, HUGE * 4, 1);
	printf("%#lx\n", mem_sum(page, HUGE * 4));
	printf("%d\n", CALL(brk, page + HUGE) == (long)(page + HUGE));
	printf("%d\n", CALL(brk, page + HUGE * 4) == (long)(page + HUGE * 4));
	printf("%#lx %#lx\n", mem_sum(page, HUGE), mem_sum(page + HUGE, HUGE * 3));
	printf("%d\n", CALL(brk, start) == (long)start);
}

static void in_core(void)
{
	static unsigned char vec[4096];
	unsigned long n = 0;

	CALL(munmap, ZONE, 1ul << 32);
	mem_map(ZONE, 64 * PAGE, RW, FIXED);
	mem_map(ZONE + 64 * PAGE, 4000 * PAGE, PROT_NONE, FIXED);
	memset(vec, 1, sizeof(vec));
	SHOW(CALL(mincore, ZONE + 64 * PAGE, 4000 * PAGE, vec));
	for (int i = 0; i < 4000; i++)
		n += vec[i] & 1;
	printf("%lu %d\n", n, vec[4000]);
	mem_tag(ZONE, 64, 'A');
	SHOW(CALL(mincore, ZONE, 64 * PAGE, vec));
	for (int i = 0; i < 64; i++)
		printf("%d", vec[i] & 1);
	CALL(madvise, ZONE, 32 * PAGE, MADV_DONTNEED);
	printf("\n");
	SHOW(CALL(mincore, ZONE, 64 * PAGE, vec));
	for (int i = 0; i < 64; i++)
		printf("%d", vec[i] & 1);
	printf("\n");
	SHOW(CALL(mincore, ZONE + 1, PAGE, vec));
	SHOW(CALL(mincore, ZONE, 0, vec));
	SHOW(CALL(mincore, ZONE, 1, vec));
	SHOW(CALL(mincore, ZONE - PAGE, 2 * PAGE, vec));
	SHOW(CALL(mincore, ZONE, 5000 * PAGE, vec));
	SHOW(CALL(mincore, ZONE, -1ul, vec));
	SHOW(CALL(mincore, TOP, PAGE, vec));
	SHOW(CALL(mincore, ZONE, PAGE, NULL));
	SHOW(CALL(mincore, ZONE, PAGE, ZONE + 100 * PAGE));
	SHOW(CALL(mincore, ZONE, PAGE, 1ul << 63));
	SHOW(CALL(mincore, ZONE, PAGE, -1ul));
}

static void sync_and_lock(void)
{
	mem_setup(8);
	CALL(munmap, ZONE + 3 * PAGE, PAGE);
	SHOW(CALL(msync, ZONE, 3 * PAGE, MS_SYNC));
	SHOW(CALL(msync, ZONE, 3 * PAGE, MS_ASYNC));
	SHOW(CALL(msync, ZONE, 3 * PAGE, 0));
	SHOW(CALL(msync, ZONE, 3 * PAGE, MS_INVALIDATE));
	SHOW(CALL(msync, ZONE, 3 * PAGE, MS_ASYNC | MS_SYNC));
	SHOW(CALL(msync, ZONE, 3 * PAGE, 8));
	SHOW(CALL(msync, ZONE + 1, PAGE, MS_SYNC));
	SHOW(CALL(msync, ZONE, 4 * PAGE, MS_SYNC));
	SHOW(CALL(msync, ZONE + 3 * PAGE, PAGE, MS_SYNC));
	SHOW(CALL(msync, ZONE + 3 * PAGE, 0, MS_SYNC));
	SHOW(CALL(msync, ZONE, -1ul, MS_SYNC));
	SHOW(CALL(msync, ZONE, -ZONE, MS_SYNC));
	SHOW(CALL(mlock, ZONE, 3 * PAGE));
	SHOW(CALL(mlock, ZONE + 1, PAGE));
	SHOW(CALL(mlock, ZONE + 2 * PAGE + 1, PAGE));
	SHOW(CALL(mlock, ZONE, 4 * PAGE));
	SHOW(CALL(mlock, ZONE, 0));
	SHOW(CALL(mlock2, ZONE, PAGE, 1));
	SHOW(CALL(mlock2, ZONE, PAGE, 2));
	SHOW(CALL(munlock, ZONE, 3 * PAGE));
	SHOW(CALL(munlock, ZONE, 4 * PAGE));
	SHOW(CALL(munlock, ZONE, 0));
	SHOW(CALL(munlock, TOP, PAGE));
	SHOW(CALL(munlock, -PAGE, PAGE));
	SHOW(CALL(munlockall, 0));
	SHOW(CALL(mlockall, 0));
	SHOW(CALL(mlockall, 8));
	mem_layout(ZONE, 9);
}

/* A runtime's reservation: much address space, little of it used, some given back. */
static void reservation(void)
{
	unsigned long size = 1ul << 38, sum = 0;

	CALL(munmap, ZONE, size);
	SHOW(mem_map(ZONE, size, PROT_NONE, FIXED | MAP_NORESERVE));
	for (unsigned long i = 0; i < 64; i++) {
		unsigned long va = ZONE + i * (size / 64) + i * 17 * PAGE;

		if (CALL(mprotect, va, 16 * PAGE, RW) || mem_map(va + HUGE, HUGE, RW, FIXED) < 0)
			printf("failed at %lu\n", i);
		mem_fill(va, 16 * PAGE, i);
		mem_fill(va + HUGE, 4 * PAGE, i);
	}
	for (unsigned long i = 0; i < 64; i++) {
		unsigned long va = ZONE + i * (size / 64) + i * 17 * PAGE;

		sum += mem_sum(va, 16 * PAGE) + mem_sum(va + HUGE, HUGE);
		mem_layout(va - PAGE, 1);
		if (i & 1)
			CALL(madvise, va, 8 * PAGE, MADV_DONTNEED);
		else
			mem_map(va, 8 * PAGE, PROT_NONE, FIXED);
	}
	printf("%#lx\n", sum);
	for (unsigned long i = 0; i < 64; i++)
		mem_layout(ZONE + i * (size / 64) + i * 17 * PAGE + 7 * PAGE, 2);
	SHOW(CALL(munmap, ZONE, size));
	mem_layout(ZONE, 1);
}

/* Long walks over nothing must be short. */
static void terabytes(void)
{
	unsigned long size = 100ul << 40;

	SHOW(CALL(munmap, 0x100000000000, 1ul << 45));
	if ((unsigned long)mem_map(0x10000000000, size, PROT_NONE, FIXED | MAP_NORESERVE) != 0x10000000000)
		printf("failed\n");
	SHOW(CALL(mprotect, 0x10000000000, size, PROT_READ));
	SHOW(CALL(madvise, 0x10000000000, size, MADV_DONTNEED));
	mem_layout(0x10000000000 + size - PAGE, 2);
	SHOW(CALL(mprotect, 0x10000000000, size, PROT_NONE));
	printf("%d\n", CALL(mremap, 0x10000000000, size / 4, size / 4, MREMAP_MAYMOVE | MREMAP_FIXED,
			    0x10000000000 + size / 2) == (long)(0x10000000000 + size / 2));
	SHOW(CALL(munmap, 0x10000000000, size));
}

static const struct mem_part parts[] = {
	{ "fixed", fixed },
	{ "noreplace", noreplace },
	{ "hints", hints },
	{ "bad-arguments", bad_arguments },
	{ "low32", low32 },
	{ "grows-down", grows_down },
	{ "populate", populate },
	{ "guards", guards },
	{ "protect-holes", protect_holes },
	{ "huge-parts", huge_parts },
	{ "remap-in-place", remap_in_place },
	{ "remap-move", remap_move },
	{ "remap-huge", remap_huge },
	{ "remap-errors", remap_errors },
	{ "remap-dontunmap", remap_dontunmap },
	{ "advise", advise },
	{ "advise-shared", advise_shared },
	{ "break", program_break },
	{ "in-core", in_core },
	{ "sync-and-lock", sync_and_lock },
	{ "reservation", reservation },
	{ "terabytes", terabytes },
};

int main(int argc, char **argv)
{
	return mem_main(argc, argv, parts, ARRAY_SIZE(parts));
}
