/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory calls at random, with a model beside them of what must be there.
 * mem_stress SEED OPERATIONS; ends with 1 at the first difference.
 */
#include "mem.h"

#define PAGES	4096ul		/* 16 MiB: huge pages are among them */
#define GONE	0xff		/* unmapped */

static struct {
	uint8_t prot;
	uint64_t tag;		/* written all over it, 0 for nothing yet */
} model[PAGES];
static uint64_t seed;
static unsigned long operation;

static uint64_t rnd(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static unsigned long va(unsigned long page)
{
	return ZONE + page * PAGE;
}

static void wrong(const char *what, unsigned long page)
{
	printf("operation %lu: page %lu: %s\n", operation, page, what);
	exit(1);
}

/* Where a page keeps its tag: both ends and a place that differs; a page that has none is zero all over. */
static volatile uint64_t *slot(unsigned long page, int k)
{
	uint64_t tag = model[page].tag;
	unsigned long at = k == 0 ? 0 : k == 1 ? 511 : tag ? tag * 31 % 512 : rnd(512);

	return (volatile uint64_t *)va(page) + at;
}

static void check(unsigned long page, bool faults_too)
{
	uint8_t prot = model[page].prot;

	if (prot == GONE || prot == PROT_NONE) {
		unsigned char byte;

		if (faults_too && mem_look(va(page), &byte) != (prot == GONE ? '.' : '-'))
			wrong("can be reached", page);
		return;
	}
	for (int k = 0; k < 3; k++)
		if (*slot(page, k) != model[page].tag)
			wrong("has lost its content", page);
	if (faults_too) {
		unsigned char byte;

		if (mem_look(va(page), &byte) != (prot & PROT_WRITE ? 'w' : 'r'))
			wrong("has another protection", page);
	}
}

static void check_all(void)
{
	for (unsigned long page = 0; page < PAGES; page++)
		check(page, page % 64 == operation % 64);
}

static void expect(long ret, long want, const char *what, unsigned long page)
{
	if (ret != want) {
		printf("%s = %s, not %s; ", what, mem_name(ret), mem_name(want));
		wrong("call", page);
	}
}

/* A range, short most of the time, on 2 MiB borders sometimes. */
static void range(unsigned long *first, unsigned long *n)
{
	switch (rnd(8)) {
	case 0:
		*first = rnd(PAGES / 512) * 512;
		*n = 512 * (1 + rnd((PAGES - *first) / 512));
		break;
	case 1:
		*first = rnd(PAGES);
		*n = 1 + rnd(PAGES - *first);
		break;
	default:
		*first = rnd(PAGES);
		*n = 1 + rnd(64);
		if (*n > PAGES - *first)
			*n = PAGES - *first;
	}
}

static bool all_mapped(unsigned long first, unsigned long n)
{
	for (unsigned long i = first; i < first + n; i++)
		if (model[i].prot == GONE)
			return false;
	return true;
}

static void op_mmap(unsigned long first, unsigned long n)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW, RW, RW };
	int prot = prots[rnd(5)], flags = ANON | MAP_FIXED;

	if (rnd(4) == 0)
		flags |= MAP_NORESERVE;
	if (rnd(16) == 0)
		flags |= MAP_POPULATE;
	expect(mem_map(va(first), n * PAGE, prot, flags), va(first), "mmap", first);
	for (unsigned long i = first; i < first + n; i++) {
		model[i].prot = prot;
		model[i].tag = 0;
	}
}

static void op_munmap(unsigned long first, unsigned long n)
{
	expect(CALL(munmap, va(first), n * PAGE), 0, "munmap", first);
	for (unsigned long i = first; i < first + n; i++) {
		model[i].prot = GONE;
		model[i].tag = 0;
	}
}

static void op_mprotect(unsigned long first, unsigned long n)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW, RW };
	int prot = prots[rnd(4)];

	expect(CALL(mprotect, va(first), n * PAGE, prot), all_mapped(first, n) ? 0 : -ENOMEM, "mprotect", first);
	for (unsigned long i = first; i < first + n && model[i].prot != GONE; i++)
		model[i].prot = prot;
}

static void op_madvise(unsigned long first, unsigned long n)
{
	expect(CALL(madvise, va(first), n * PAGE, MADV_DONTNEED), all_mapped(first, n) ? 0 : -ENOMEM,
	       "madvise", first);
	for (unsigned long i = first; i < first + n; i++)
		model[i].tag = 0;
}

static void op_hint(unsigned long first, unsigned long n)
{
	CALL(madvise, va(first), n * PAGE, rnd(2) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static void op_write(unsigned long first, unsigned long n)
{
	for (unsigned long i = first; i < first + n; i++) {
		if (model[i].prot != RW)
			continue;
		model[i].tag = (uint64_t)operation << 20 | i | 1ull << 63;
		for (int k = 0; k < 3; k++)
			*slot(i, k) = model[i].tag;
	}
}

/* The calls reach the same memory: a pipe brings it from one page to another. */
static void op_copy(unsigned long first, unsigned long n)
{
	static int fds[2];
	unsigned long to = rnd(PAGES);

	(void)n;
	if (!fds[1] && pipe(fds))
		exit(3);
	if (model[first].prot == GONE || model[first].prot == PROT_NONE || model[to].prot != RW)
		return;
	expect(CALL(write, fds[1], va(first), PAGE), PAGE, "write", first);
	expect(CALL(read, fds[0], va(to), PAGE), PAGE, "read", to);
	model[to].tag = model[first].tag;
}

static void op_mremap(unsigned long first, unsigned long n)
{
	unsigned long to = rnd(PAGES), end = first;
	uint8_t prot = model[first].prot;

	/* within one mapping: what the model can tell is one protection, never more than a few pages */
	if (n > PAGES / 4)
		n = PAGES / 4;
	while (end < first + n && model[end].prot == prot && prot != GONE)
		end++;
	n = end - first;
	if (!n || to + n > PAGES || (to < first + n && first < to + n))
		return;
	/* one call makes it one mapping, whatever it was made of */
	if (mem_map(va(first), n * PAGE, prot, ANON | MAP_FIXED) < 0)
		wrong("mmap", first);
	for (unsigned long i = first; i < end; i++)
		model[i].tag = 0;
	op_write(first, n);
	if (rnd(8) == 0) {
		expect(CALL(mremap, va(first), n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
			    va(to)), va(to), "mremap, keeping", first);
		for (unsigned long i = 0; i < n; i++) {
			model[to + i] = model[first + i];
			model[first + i].tag = 0;
		}
		return;
	}
	expect(CALL(mremap, va(first), n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, va(to)), va(to), "mremap", first);
	for (unsigned long i = 0; i < n; i++) {
		model[to + i] = model[first + i];
		model[first + i].prot = GONE;
		model[first + i].tag = 0;
	}
}

static void op_shrink(unsigned long first, unsigned long n)
{
	unsigned long keep = 1 + rnd(n);

	if (model[first].prot == GONE)
		return;
	expect(CALL(mremap, va(first), n * PAGE, keep * PAGE, 0), va(first), "mremap, shrinking", first);
	for (unsigned long i = first + keep; i < first + n; i++) {
		model[i].prot = GONE;
		model[i].tag = 0;
	}
}

static void (*const ops[])(unsigned long, unsigned long) = {
	op_mmap, op_munmap, op_mprotect, op_mprotect, op_madvise, op_hint, op_write, op_write, op_write, op_copy,
	op_mremap, op_shrink,
};

int main(int argc, char **argv)
{
	unsigned long operations = argc > 2 ? strtoul(argv[2], NULL, 0) : 20000;
	uint64_t sum = 0;

	seed = argc > 1 ? strtoul(argv[1], NULL, 0) * 2654435761u + 1 : 1;
	mem_catch();
	for (unsigned long i = 0; i < PAGES; i++)
		model[i].prot = GONE;
	CALL(munmap, ZONE, PAGES * PAGE);
	for (operation = 1; operation <= operations; operation++) {
		unsigned long first, n;

		range(&first, &n);
		ops[rnd(ARRAY_SIZE(ops))](first, n);
		for (int i = 0; i < 4; i++)
			check(rnd(PAGES), i == 0);
		if (operation % 500 == 0)
			check_all();
	}
	check_all();
	for (unsigned long i = 0; i < PAGES; i++)
		sum = sum * 31 + model[i].prot * 7 + model[i].tag;
	printf("%lu operations, %#lx\n", operations, sum);
	return 0;
}
