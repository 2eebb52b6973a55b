/* SPDX-License-Identifier: GPL-2.0-only */
/* The stack: grows on its own up to RLIMIT_STACK, and no further. */
#include "mem.h"

#include <sys/resource.h>

static unsigned long low, top;	/* the deepest frame so far, and main's */

static __attribute__((noinline)) int deeper(long left)
{
	volatile char frame[2048];

	frame[0] = left;
	low = (unsigned long)frame;
	return left ? deeper(left - 1) + frame[0] : 0;
}

static void limit(unsigned long bytes)
{
	struct rlimit r;

	getrlimit(RLIMIT_STACK, &r);
	r.rlim_cur = bytes;
	if (setrlimit(RLIMIT_STACK, &r))
		printf("setrlimit: %s\n", strerrorname_np(errno));
}

/* How deep it gets before SIGSEGV, in KiB, rounded up to 256: what is on it above main differs. */
static void overflow(void)
{
	if (sigsetjmp(mem_jump, 1) == 0)
		deeper(1 << 30);
	printf("SIGSEGV code %d, at the frame %d, depth %lu\n", mem_info.si_code,
	       low - (unsigned long)mem_info.si_addr < 8192, ((top - low) / 1024 + 255) & -256ul);
}

static void usual(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_STACK, &r);
	printf("%#lx %#lx\n", r.rlim_cur, r.rlim_max);
	printf("%d\n", deeper(3000));
	overflow();
	overflow();
}

static void smaller(void)
{
	limit(1 << 20);
	overflow();
	limit(2 << 20);
	overflow();
}

static void larger(void)
{
	limit(64 << 20);
	printf("%d\n", deeper(20000));
	overflow();
}

/* A frame far below in one step: still the stack, if it is within the limit. */
static void leap(void)
{
	volatile char *p = (char *)((unsigned long)&p & -PAGE) - (4 << 20);

	*p = 1;
	printf("%d\n", *p);
	if (sigsetjmp(mem_jump, 1) == 0)
		*(p - (5 << 20)) = 1;
	else
		printf("SIGSEGV code %d\n", mem_info.si_code);
}

/* Memory that was let go of reads as zero, and what lies below keeps its distance. */
static void given_back(void)
{
	unsigned long base = ((unsigned long)&base & -PAGE) - 64 * PAGE;

	memset((char *)base, 7, PAGE);
	printf("%s\n", mem_name(CALL(madvise, base, PAGE, MADV_DONTNEED)));
	printf("%d\n", *(char *)base);
	printf("%d\n", mem_map(base - 1024 * PAGE, PAGE, RW, ANON | MAP_FIXED) > 0);
	for (unsigned long i = 0; i < 1024; i += 64)
		if (sigsetjmp(mem_jump, 1) == 0)
			*(volatile char *)(base - i * PAGE) = 1;
		else
			printf("%lu: code %d\n", i, mem_info.si_code);
}

static void die(void)
{
	signal(SIGSEGV, SIG_DFL);
	deeper(1 << 30);
}

static const struct mem_part parts[] = {
	{ "usual", usual }, { "smaller", smaller }, { "larger", larger },
	{ "leap", leap }, { "given-back", given_back }, { "die", die },
};

int main(int argc, char **argv)
{
	char here;

	top = (unsigned long)&here;
	return mem_main(argc, argv, parts, ARRAY_SIZE(parts));
}
