/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All FPU and vector state survives a handler that trashes it; what a handler
 * starts with; and what it changes in its frame takes effect. Prints a line
 * for each, the same natively.
 */
#include <cpuid.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define MAGIC1 0x46505853u
#define MAGIC2 0x46505845u

/* Everything of XCR0 that a program sets without asking: not PKRU, not AMX. */
#define STATE 0xe7u

static struct area {
	uint8_t b[4096];
} __attribute__((aligned(64))) pattern, before, after, in_handler;

static uint64_t xcr0;
static const char *mode;

static void save(struct area *a)
{
	memset(a, 0, sizeof(*a));
	asm volatile("xsave64 %0" : "+m"(*a) : "a"((uint32_t)xcr0), "d"(0) : "memory");
}

static void load(const struct area *a)
{
	asm volatile("xrstor64 %0" : : "m"(*a), "a"((uint32_t)xcr0), "d"(0) : "memory");
}

/* Of each feature; CPUID exits, so it is asked once. */
static uint32_t offset_of[8], size_of[8];

/* Different values in every register; seed tells two fillings apart. */
static void fill(struct area *a, unsigned int seed)
{
	memset(a, 0, sizeof(*a));
	srand(seed);
	a->b[0] = 0x7f;			/* FCW: all masked, extended precision, rounding by the seed */
	a->b[1] = 3 | (seed & 3) << 2;
	a->b[3] = (seed & 7) << 3;	/* FSW: top of stack */
	a->b[4] = 0xff;			/* all tags valid */
	a->b[24] = 0x80;		/* MXCSR: all masked, rounding, flush to zero */
	a->b[25] = 0x1f | (seed & 3) << 5;
	for (int i = 0; i < 8; i++) {
		for (int k = 0; k < 8; k++)
			a->b[32 + 16 * i + k] = rand();
		a->b[32 + 16 * i + 7] |= 0x80;
		a->b[32 + 16 * i + 8] = rand();
		a->b[32 + 16 * i + 9] = 0x40;
	}
	for (int i = 160; i < 160 + 256; i++)
		a->b[i] = rand();
	for (int f = 2; f < 8; f++)
		for (uint32_t i = 0; (xcr0 >> f & 1) && i < size_of[f]; i++)
			a->b[offset_of[f] + i] = rand();
	memcpy(a->b + 512, &xcr0, 8);
}

static bool same(const struct area *a, const struct area *b, uint32_t at, uint32_t n)
{
	return !memcmp(a->b + at, b->b + at, n);
}

static const char *word(bool good)
{
	return good ? "kept" : "LOST";
}

static void compare(const char *how)
{
	static const char *const names[] = { [2] = "avx", [5] = "opmask", [6] = "zmm-high", [7] = "zmm16-31" };

	printf("%s: x87 control %s registers %s, mxcsr %s, sse %s", how, word(same(&before, &after, 0, 5)),
	       word(same(&before, &after, 32, 128)), word(same(&before, &after, 24, 4)),
	       word(same(&before, &after, 160, 256)));
	for (int f = 2; f < 8; f++)
		if (xcr0 >> f & 1)
			printf(", %s %s", names[f], word(same(&before, &after, offset_of[f], size_of[f])));
	printf("\n");
}

static void handler(int sig, siginfo_t *info, void *context)
{
	struct area other;
	ucontext_t *uc = context;
	uint8_t *fp = (uint8_t *)uc->uc_mcontext.fpregs;
	uint32_t sw[12], magic2;
	uint64_t bv;

	save(&in_handler);
	(void)info;
	memcpy(sw, fp + 464, sizeof(sw));
	memcpy(&magic2, fp + sw[4], 4);
	memcpy(&bv, fp + 512, 8);
	if (sw[0] != MAGIC1 || magic2 != MAGIC2 || sw[1] != sw[4] + 4 || (~sw[2] & xcr0) || (~bv & 3) ||
	    (uintptr_t)fp % 64 || !(uc->uc_flags & 1))
		printf("bad frame: %#x %#x %u %u %#x %#lx %p\n", sw[0], magic2, sw[1], sw[4], sw[2], bv, fp);
	if (!strcmp(mode, "change")) {
		memset(fp + 160, 0x5a, 16);	/* xmm0 */
		fp[25] = 0x3f;			/* MXCSR: round down */
		fp[1] = 0x0b;			/* FCW: round up */
	}
	if (!strcmp(mode, "init"))
		uc->uc_mcontext.fpregs = NULL;
	if (!strncmp(mode, "legacy", 6))
		memset(fp + 464, 0, 4);		/* no magic: x87 and SSE only */
	fill(&other, 99);
	load(&other);
	if (sig == SIGILL)
		uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static void __attribute__((noinline)) by_ud2(void)
{
	load(&pattern);
	save(&before);
	load(&pattern);
	asm volatile("ud2" : : : "memory");
	save(&after);
}

static void __attribute__((noinline)) by_call(long pid)
{
	long ret;

	load(&pattern);
	save(&before);
	load(&pattern);
	asm volatile("syscall" : "=a"(ret) : "a"(62), "D"(pid), "S"(SIGUSR1) : "rcx", "r11", "memory");
	save(&after);
}

/* A trap that no handler sees, and calls, keep it all as well. */
static void __attribute__((noinline)) by_fault(void)
{
	static char fresh[1 << 20];

	load(&pattern);
	save(&before);
	load(&pattern);
	asm volatile("rep stosb" : : "D"(fresh), "a"(1), "c"(sizeof(fresh)) : "memory");
	save(&after);
}

static void __attribute__((noinline)) by_write(void)
{
	long ret;

	fflush(stdout);
	load(&pattern);
	save(&before);
	load(&pattern);
	asm volatile("syscall" : "=a"(ret) : "a"(1), "D"(1), "S"("written\n"), "d"(8) : "rcx", "r11", "memory");
	save(&after);
}

static void start_state(void)
{
	bool zero = true;

	for (int i = 160; i < 160 + 256; i++)
		zero &= !in_handler.b[i];
	printf("handler starts with: fcw %#x fsw %#x mxcsr %#x sse %s", in_handler.b[0] | in_handler.b[1] << 8,
	       in_handler.b[2] | in_handler.b[3] << 8, in_handler.b[24] | in_handler.b[25] << 8,
	       zero ? "zero" : "not zero");
	zero = true;
	for (uint32_t i = 0; (xcr0 & 4) && i < size_of[2]; i++)
		zero &= !in_handler.b[offset_of[2] + i];
	printf(" avx %s\n", zero ? "zero" : "not zero");
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	uint32_t lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	xcr0 = lo & STATE;
	for (int f = 2; f < 8; f++) {
		uint32_t c, d;

		__cpuid_count(13, f, size_of[f], offset_of[f], c, d);
	}
	sigaction(SIGILL, &act, NULL);
	sigaction(SIGUSR1, &act, NULL);
	mode = argc > 1 ? argv[1] : "keep";
	fill(&pattern, 1);
	if (!strcmp(mode, "keep")) {
		by_ud2();
		compare("ud2");
		start_state();
		for (int i = 0; i < 100; i++) {
			fill(&pattern, i);
			by_call(getpid());
			if (memcmp(before.b, after.b, 464) || i == 99)
				compare("kill");
		}
		by_fault();
		compare("page faults");
		by_write();
		compare("write");
		return 0;
	}
	if (!strcmp(mode, "legacy"))
		pattern.b[25] = 0x1f;		/* MXCSR as it is initially; with "legacy-mxcsr" it is another */
	by_ud2();
	compare(mode);
	printf("xmm0 %02x mxcsr %#x fcw %#x\n", after.b[160], after.b[24] | after.b[25] << 8,
	       after.b[0] | after.b[1] << 8);
	return 0;
}
