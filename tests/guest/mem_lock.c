/* SPDX-License-Identifier: GPL-2.0-only */
/* Locked memory against RLIMIT_MEMLOCK, as an ordinary user may have it: the capability to have more is given up. */
#include "mem.h"

#include <sys/resource.h>
#include <sys/wait.h>

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

static void limit(unsigned long bytes)
{
	struct rlimit l = { bytes, bytes };

	printf("limit %lu: %d\n", bytes, setrlimit(RLIMIT_MEMLOCK, &l));
}

static char *map(unsigned long pages, int flags)
{
	return (char *)mem_map(ZONE, pages * PAGE, RW, ANON | MAP_FIXED | flags);
}

static void ordinary(void)
{
	char *p = map(40, 0);

	limit(16 * PAGE);
	SHOW(CALL(mlock, p, 16 * PAGE));
	SHOW(CALL(mlock, p, 16 * PAGE));
	SHOW(CALL(mlock, p + 8 * PAGE, 8 * PAGE));
	SHOW(CALL(mlock, p + 8 * PAGE, 9 * PAGE));
	SHOW(CALL(mlock, p + 20 * PAGE, 1));
	SHOW(CALL(munlock, p + 3 * PAGE + 5, PAGE));
	SHOW(CALL(mlock, p + 20 * PAGE + 4095, 2));
	SHOW(CALL(mlock, p + 30 * PAGE, 1));
	SHOW(CALL(munmap, p, 2 * PAGE));
	SHOW(CALL(mlock, p + 30 * PAGE, 2 * PAGE));
	SHOW(CALL(mlock, p + 33 * PAGE, 1));
	SHOW(CALL(mlock, p, 0));
	SHOW(CALL(mlock, -PAGE, 2 * PAGE));
	SHOW(CALL(munlock, -PAGE, 2 * PAGE));
	SHOW(CALL(mlock2, p + 10 * PAGE, PAGE, 2));
	SHOW(CALL(mlock2, p + 10 * PAGE, PAGE, MLOCK_ONFAULT));
	SHOW(CALL(munlock, p + 2 * PAGE, 38 * PAGE));
	SHOW(CALL(mlock2, p + 2 * PAGE, 16 * PAGE, MLOCK_ONFAULT));
	SHOW(CALL(mlock2, p + 2 * PAGE, 17 * PAGE, MLOCK_ONFAULT));
}

/* What is locked up to the hole stays locked. */
static void holes(void)
{
	char *p = map(20, 0);

	limit(8 * PAGE);
	SHOW(CALL(munmap, p + 5 * PAGE, PAGE));
	SHOW(CALL(mlock, p, 8 * PAGE));
	SHOW(CALL(mlock, p + 10 * PAGE, 3 * PAGE));
	SHOW(CALL(mlock, p + 10 * PAGE, 4 * PAGE));
	SHOW(CALL(munlock, p + 4 * PAGE, 8 * PAGE));
	SHOW(CALL(mlock, p + 10 * PAGE, 4 * PAGE));
	SHOW(CALL(munlock, p, 20 * PAGE));
	SHOW(CALL(mprotect, p, PAGE, PROT_NONE));
	SHOW(CALL(mlock, p, PAGE));
}

static void at_mmap(void)
{
	char *p;

	limit(8 * PAGE);
	SHOW((long)map(9, MAP_LOCKED));
	p = map(6, MAP_LOCKED);
	SHOW(CALL(mlock, p, 6 * PAGE));
	SHOW(CALL(mmap, NULL, 3 * PAGE, RW, ANON | MAP_LOCKED, -1, 0));
	SHOW(CALL(mmap, ZONE + 100 * PAGE, 2 * PAGE, RW, ANON | MAP_LOCKED, -1, 0));
	SHOW(CALL(munmap, ZONE + 100 * PAGE, 2 * PAGE));
	SHOW(CALL(mremap, p, 6 * PAGE, 8 * PAGE, 0));
	SHOW(CALL(mremap, p, 8 * PAGE, 9 * PAGE, 0));
	SHOW(CALL(mremap, p, 8 * PAGE, 9 * PAGE, MREMAP_MAYMOVE));
	SHOW(CALL(madvise, p, PAGE, MADV_DONTNEED));
	SHOW(CALL(madvise, p, PAGE, MADV_FREE));
	SHOW(CALL(msync, p, PAGE, MS_INVALIDATE));
	SHOW(CALL(munlock, p, PAGE));
	SHOW(CALL(madvise, p, PAGE, MADV_DONTNEED));
	SHOW(CALL(msync, p, PAGE, MS_INVALIDATE));
}

static void all(void)
{
	SHOW(CALL(mlockall, 0));
	SHOW(CALL(mlockall, 8));
	SHOW(CALL(mlockall, 4));
	limit(16 * PAGE);
	SHOW(CALL(mlockall, MCL_CURRENT));
	SHOW(CALL(mlockall, MCL_FUTURE));
	SHOW(CALL(mmap, NULL, 17 * PAGE, RW, ANON, -1, 0));
	SHOW(CALL(mmap, ZONE, 10 * PAGE, RW, ANON, -1, 0));
	SHOW(CALL(mmap, NULL, 7 * PAGE, RW, ANON, -1, 0));
	SHOW(CALL(munlockall, 0));
	SHOW(CALL(mmap, ZONE + 100 * PAGE, 17 * PAGE, RW, ANON, -1, 0));
	SHOW(CALL(mlock, ZONE + 100 * PAGE, 16 * PAGE));
}

/* A child has nothing locked, and its maker's limit. */
static void child(void)
{
	char *p = map(20, 0);
	int status;

	limit(8 * PAGE);
	SHOW(CALL(mlockall, MCL_FUTURE));
	SHOW(CALL(mlock, p, 8 * PAGE));
	fflush(stdout);
	if (!fork()) {
		SHOW(CALL(mmap, ZONE + 100 * PAGE, 17 * PAGE, RW, ANON, -1, 0));
		SHOW(CALL(mlock, p + 10 * PAGE, 8 * PAGE));
		SHOW(CALL(mlock, p, PAGE));
		SHOW(CALL(munlock, p + 10 * PAGE, PAGE));
		fflush(stdout);
		_exit(3);
	}
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	SHOW(CALL(mlock, p + 10 * PAGE, PAGE));
}

static void none(void)
{
	char *p = map(1, 0);

	limit(0);
	SHOW(CALL(mlock, p, PAGE));
	SHOW(CALL(mlock, p, 0));
	SHOW(CALL(mlock2, p, PAGE, 0));
	SHOW(CALL(mlockall, MCL_FUTURE));
	SHOW((long)map(1, MAP_LOCKED));
	SHOW(CALL(munlock, p, PAGE));
	SHOW(CALL(munlockall, 0));
}

static const struct mem_part parts[] = {
	{ "ordinary", ordinary }, { "holes", holes }, { "mmap", at_mmap }, { "all", all }, { "child", child }, { "none", none },
};

int main(int argc, char **argv)
{
	/* in kvmrun nobody has a capability, nor may change */
	if (!geteuid() && setresuid(65534, 65534, 65534) && errno != EPERM)
		return 90;
	return mem_main(argc, argv, parts, ARRAY_SIZE(parts));
}
