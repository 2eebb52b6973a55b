/* SPDX-License-Identifier: GPL-2.0-only */
/* Takes all the memory there is, in several ways, and says how much that was. */
#include "mem.h"

#include <elf.h>
#include <sys/auxv.h>

#define MAPPED ZONE

/* Pages at MAPPED that the limit gives, by steps of ever fewer pages; all touched. */
static unsigned long take(int flags)
{
	unsigned long n = 0;

	for (unsigned long step = 1024; step; step /= 2)
		while (mem_map(MAPPED + n * PAGE, step * PAGE, RW, ANON | MAP_FIXED_NOREPLACE | flags) > 0)
			n += step;
	for (unsigned long i = 0; i < n; i++)
		((volatile char *)MAPPED)[i * PAGE] = 1;
	return n;
}

static void give(unsigned long n)
{
	CALL(munmap, MAPPED, n * PAGE);
}

/* KiB of the image, as whole pages of its segments. */
static unsigned long image(void)
{
	const Elf64_Phdr *ph = (void *)getauxval(AT_PHDR);
	unsigned long n = 0;

	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		if (ph[i].p_type == PT_LOAD)
			n += ((ph[i].p_vaddr + ph[i].p_memsz + PAGE - 1) & -PAGE) - (ph[i].p_vaddr & -PAGE);
	return n / 1024;
}

static void total(void)
{
	unsigned long n = take(0);

	printf("%lu %lu\n", n * 4, image());
	give(n);
}

/* The same each time, in whichever order it is given back. */
static void again(void)
{
	unsigned long first = take(0), n = first;

	for (int i = 0; i < 8; i++) {
		switch (i % 4) {
		case 0:
			give(n);
			break;
		case 1:
			for (unsigned long k = 0; k < n; k += 2)
				CALL(munmap, MAPPED + k * PAGE, PAGE);
			for (unsigned long k = 1; k < n; k += 2)
				CALL(munmap, MAPPED + k * PAGE, PAGE);
			break;
		case 2:
			mem_map(MAPPED, n * PAGE, PROT_NONE, ANON | MAP_FIXED);
			CALL(munmap, MAPPED, n * PAGE);
			break;
		case 3:
			CALL(mremap, MAPPED, n * PAGE, PAGE, 0);
			CALL(mremap, MAPPED, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, MAPPED + n * PAGE);
			CALL(munmap, MAPPED + n * PAGE, PAGE);
			break;
		}
		n = take(0);
		if (n != first)
			printf("%d: %ld pages less\n", i, first - n);
	}
	give(n);
	printf("done\n");
}

/* Nothing that can be done at the limit makes it smaller or larger. */
static void at_limit(void)
{
	unsigned long n = take(0), to = MAPPED + (1ul << 36);

	SHOW(mem_map(to, PAGE, RW, ANON | MAP_FIXED));
	SHOW(CALL(mremap, MAPPED, n * PAGE, (n + 1) * PAGE, 0));
	SHOW(CALL(mremap, MAPPED, n * PAGE, (n + 1) * PAGE, MREMAP_MAYMOVE));
	SHOW(CALL(mremap, MAPPED, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to));
	SHOW(CALL(brk, CALL(brk, 0) + PAGE) == CALL(brk, 0));
	/* what costs nothing more still goes */
	SHOW(mem_map(MAPPED, n * PAGE, RW, ANON | MAP_FIXED));
	memset((void *)MAPPED, 1, n * PAGE);
	SHOW(CALL(mremap, MAPPED, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	SHOW(CALL(mremap, to, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, MAPPED));
	SHOW(mem_map(to, 1ul << 35, PROT_NONE, ANON | MAP_FIXED));
	SHOW(mem_map(to, 1ul << 35, PROT_READ, ANON | MAP_FIXED));
	SHOW(mem_map(to, 1ul << 35, RW, ANON | MAP_FIXED | MAP_NORESERVE));
	SHOW(CALL(mprotect, to, PAGE, PROT_READ));
	SHOW(CALL(mprotect, to, PAGE, RW));
	SHOW(mem_map(to, 1ul << 35, PROT_NONE, ANON | MAP_FIXED));
	SHOW(CALL(mprotect, to, PAGE, RW));
	/* a fixed mapping that is refused leaves what was there */
	*(char *)MAPPED = 'x';
	SHOW(mem_map(MAPPED, (n + 1) * PAGE, RW, ANON | MAP_FIXED));
	SHOW(CALL(mremap, MAPPED + PAGE, PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, MAPPED + (n - 1) * PAGE));
	mem_layout(MAPPED, 2);
	/* one page given back is one page more, however */
	CALL(munmap, MAPPED + 5 * PAGE, PAGE);
	SHOW(mem_map(to, 2 * PAGE, RW, ANON | MAP_FIXED));
	SHOW(CALL(mprotect, to, PAGE, RW));
	SHOW(CALL(mprotect, to + PAGE, PAGE, RW));
	CALL(mprotect, to, PAGE, PROT_NONE);	/* it stays counted, as on Linux */
	SHOW(CALL(mprotect, to + PAGE, PAGE, RW));
	CALL(munmap, to, PAGE);
	SHOW(CALL(mprotect, to + PAGE, PAGE, RW));
	CALL(munmap, to, 1ul << 35);
	CALL(munmap, MAPPED, n * PAGE);
	printf("%ld\n", take(0) - n);
}

/* 10,000 times something mapped, touched, changed and unmapped. */
static void cycles(void)
{
	unsigned long first = take(0), seed = 1, n;

	give(first);
	for (int i = 0; i < 10000; i++) {
		unsigned long pages, at, flags = 0;

		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		pages = 1 + (seed >> 33) % (i % 100 ? 64 : 2048);
		if (seed >> 62 == 0)
			flags = MAP_NORESERVE;
		at = mem_map(0, pages * PAGE, RW, ANON | flags);
		for (unsigned long k = 0; k < pages; k += 1 + (seed >> 60))
			((volatile char *)at)[k * PAGE] = 1;
		switch (seed >> 50 & 7) {
		case 0:
			CALL(madvise, at, pages * PAGE, MADV_DONTNEED);
			break;
		case 1:
			CALL(mprotect, at, (pages / 2 + 1) * PAGE, PROT_READ);
			break;
		case 2:
			at = CALL(mremap, at, pages * PAGE, (pages + 5) * PAGE, MREMAP_MAYMOVE);
			pages += 5;
			break;
		case 3:
			CALL(munmap, at + pages / 2 * PAGE, PAGE);
			break;
		case 4:
			mem_map(at, (pages / 3 + 1) * PAGE, PROT_NONE, ANON | MAP_FIXED);
			CALL(mprotect, at, PAGE, RW);
			*(volatile char *)at = 1;
			break;
		}
		if (CALL(munmap, at, pages * PAGE))
			printf("munmap failed\n");
	}
	n = take(0);
	printf("%ld\n", (long)(n - first));
	give(n);
}

/* malloc(3) to the end, and free. */
static void by_malloc(void)
{
	static void *piece[100000];
	unsigned long before = 0;

	for (int round = 0; round < 3; round++) {
		unsigned long n = 0;

		while (n < 100000 && (piece[n] = malloc(50000)))
			memset(piece[n++], 1, 50000);
		printf("%s: %s\n", n > 100 ? "many" : "few", errno == ENOMEM ? "ENOMEM" : "?");
		for (unsigned long i = 0; i < n; i++)
			free(piece[i]);
		if (round && n < before - before / 50)
			printf("fewer than before: %lu, %lu\n", n, before);
		before = n;
	}
	printf("%d\n", malloc(1ul << 40) == NULL);
}

/* Past the limit by touching what was not reserved. Says how far it comes. */
static void overcommit(void)
{
	unsigned long n = 1ul << 22;

	SHOW(mem_map(MAPPED, n * PAGE, RW, ANON | MAP_NORESERVE | MAP_FIXED));
	for (unsigned long i = 0; i < n; i++) {
		((volatile char *)MAPPED)[i * PAGE] = 1;
		printf("%lu\n", (i + 1) * 4);
	}
}

/* A page in each 2 MiB: page tables take as much as the pages. */
static void sparse(void)
{
	SHOW(mem_map(MAPPED, 1ul << 42, RW, ANON | MAP_NORESERVE | MAP_FIXED));
	for (unsigned long i = 0; i < 1ul << 21; i++) {
		((volatile char *)MAPPED)[i * HUGE] = 1;
		if (i % 64 == 63)
			printf("%lu\n", (i + 1) * 4);
	}
}

/* The same by the kernel's hand: the call fails, or the program ends. */
static void overcommit_by_read(void)
{
	static char zeroes[4096];
	int fds[2];

	SHOW(mem_map(MAPPED, 1ul << 34, RW, ANON | MAP_NORESERVE | MAP_FIXED));
	if (pipe(fds))
		return;
	for (unsigned long i = 0; i < 1ul << 22; i++) {
		long ret;

		if (write(fds[1], zeroes, 4096) != 4096)
			return;
		ret = CALL(read, fds[0], MAPPED + i * PAGE, PAGE);
		if (ret != (long)PAGE) {
			printf("%s after %lu\n", mem_name(ret), i * 4);
			return;
		}
	}
}

static const struct mem_part parts[] = {
	{ "total", total }, { "again", again }, { "at-limit", at_limit }, { "cycles", cycles },
	{ "malloc", by_malloc }, { "overcommit", overcommit }, { "sparse", sparse },
	{ "overcommit-by-read", overcommit_by_read },
};

int main(int argc, char **argv)
{
	static char buffer[65536];

	/* no part may take memory for its output */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	mem_catch();
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(parts); i++)
		if (strcmp(argv[1], parts[i].name) == 0) {
			if (strncmp(parts[i].name, "overcommit", 10) == 0 || strcmp(parts[i].name, "sparse") == 0)
				setvbuf(stdout, buffer, _IOLBF, sizeof(buffer));
			parts[i].run();
			return 0;
		}
	return 2;
}
