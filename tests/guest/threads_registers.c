/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers that threads inherit, and that stay their own under load. */
#include "thread.h"

#include <asm/prctl.h>
#include <fenv.h>
#include <immintrin.h>

#define SPINNERS 8

static uint32_t mxcsr(void)
{
	return _mm_getcsr();
}

static uint16_t control_word(void)
{
	uint16_t cw;

	asm volatile("fnstcw %0" : "=m"(cw));
	return cw;
}

static void set_control_word(uint16_t cw)
{
	asm volatile("fldcw %0" : : "m"(cw));
}

static volatile double one = 1, three = 3;

static void *tell_modes(void *arg)
{
	double up = one / three;

	(void)arg;
	printf("mxcsr %#x, control word %#x, rounds up: %s\n", mxcsr() & 0xffc0, control_word(),
	       up * three > one || up > 0.33333333333333331 ? "yes" : "no");
	fesetround(FE_TOWARDZERO);
	_mm_setcsr(mxcsr() | 0x8040);
	return NULL;
}

/* The modes are those of who makes the thread; a change is the thread's own. */
static void modes(void)
{
	join(start(tell_modes, NULL));
	fesetround(FE_UPWARD);
	set_control_word((control_word() & ~0x300) | 0x200);
	join(start(tell_modes, NULL));
	tell_modes(NULL);
	join(start(tell_modes, NULL));
}

/* Holds a pattern in XMM or YMM registers, the x87 stack and general registers and looks again and again. */
static long hold_sse(uint64_t pattern)
{
	uint64_t wrong = 0, kept;

	asm volatile("movq %[p], %%xmm1; movq %[p], %%xmm6; movq %[p], %%xmm11; movq %[p], %%xmm15\n"
		     "punpcklqdq %%xmm1, %%xmm1\n"
		     "mov %[p], %%r8; mov %[p], %%r9; mov %[p], %%r12; mov %[p], %%r15\n"
		     "fildq %[at]\n"
		     "mov $20000, %%ecx\n"
		     "1: movq %%xmm1, %%rax; cmp %%rax, %[p]; jne 2f\n"
		     "movq %%xmm6, %%rax; cmp %%rax, %[p]; jne 2f\n"
		     "movq %%xmm11, %%rax; cmp %%rax, %[p]; jne 2f\n"
		     "movhlps %%xmm1, %%xmm15; movq %%xmm15, %%rax; cmp %%rax, %[p]; jne 2f\n"
		     "cmp %%r8, %[p]; jne 2f; cmp %%r9, %[p]; jne 2f; cmp %%r12, %[p]; jne 2f; cmp %%r15, %[p]; jne 2f\n"
		     "dec %%ecx; jnz 1b\n"
		     "jmp 3f\n"
		     "2: inc %[wrong]\n"
		     "3: fistpq %[kept]"
		     : [wrong] "+r"(wrong), [kept] "=m"(kept)
		     : [p] "r"(pattern), [at] "m"(pattern)
		     : "rax", "rcx", "r8", "r9", "r12", "r15", "xmm1", "xmm6", "xmm11", "xmm15", "cc", "memory");
	return wrong + (kept != pattern);
}

__attribute__((target("avx"))) static long hold_avx(uint64_t pattern)
{
	uint64_t values[4] = { pattern, ~pattern, pattern * 3, pattern * 5 }, seen[4];
	long wrong = 0;

	for (int i = 0; i < 20; i++) {
		asm volatile("vmovdqu %1, %%ymm3\n"
			     "vmovdqu %1, %%ymm14\n"
			     "mov $1000, %%ecx\n"
			     "1: vpermilpd $5, %%ymm3, %%ymm3\n"
			     "vpermilpd $5, %%ymm14, %%ymm14\n"
			     "dec %%ecx; jnz 1b\n"
			     "vandpd %%ymm3, %%ymm14, %%ymm3\n"
			     "vmovdqu %%ymm3, %0\n"
			     "vzeroupper"
			     : "=m"(seen)
			     : "m"(values)
			     : "rcx", "xmm3", "xmm14", "cc");
		wrong += memcmp(values, seen, sizeof(seen)) != 0;
	}
	return wrong;
}

static void *hold(void *arg)
{
	uint64_t pattern = 0x0101010101010101ull * (uint64_t)((long)arg + 1);
	long wrong = 0;

	/* x87 and SSE round as each thread likes */
	fesetround((int[]){ FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO }[(long)arg % 4]);
	for (int i = 0; i < 40; i++) {
		int rounding = fegetround();

		wrong += hold_sse(pattern);
		if (__builtin_cpu_supports("avx"))
			wrong += hold_avx(pattern);
		if (i % 4 == 0)
			sched_yield();
		wrong += fegetround() != rounding;
	}
	return (void *)wrong;
}

static void kept_apart(void)
{
	printf("%ld wrong\n", run_threads(SPINNERS, hold));
}

/* ------------------------------------------------------------- FS and GS */

static uint64_t areas[SPINNERS][2] = { { 0, 0x600d } };

static uint64_t gs_word(void)
{
	uint64_t value;

	asm volatile("mov %%gs:8, %0" : "=r"(value));
	return value;
}

static void *use_bases(void *arg)
{
	long number = (long)arg, wrong = 0;
	uint64_t base = 0, self;

	/* GS is the maker's at first */
	wrong += gs_word() != 0x600d;
	areas[number][1] = number ? 1000 + number : 0x600d;
	wrong += syscall(SYS_arch_prctl, ARCH_SET_GS, areas[number]) != 0;
	for (int i = 0; i < 3000; i++) {
		asm volatile("mov %%fs:0x10, %0" : "=r"(self));
		wrong += self != pthread_self() || gs_word() != areas[number][1];
		if (i % 100 == 0)
			sched_yield();
	}
	wrong += syscall(SYS_arch_prctl, ARCH_GET_GS, &base) || base != (uint64_t)areas[number];
	wrong += syscall(SYS_arch_prctl, ARCH_GET_FS, &base) || base != pthread_self();
	return (void *)wrong;
}

static void bases(void)
{
	uint64_t base = 0;
	long wrong;

	syscall(SYS_arch_prctl, ARCH_SET_GS, areas[0]);
	wrong = run_threads(SPINNERS, use_bases);
	syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
	check("main's GS stays", base == (uint64_t)areas[0] && gs_word() == 0x600d);
	printf("%ld wrong\n", wrong);
}

/* ------------------------------------------------------------- with signals */

static atomic_int done, handled;

/* Spoils all that it may. */
static void spoil(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	fesetround(FE_UPWARD);
	asm volatile("pcmpeqd %%xmm1, %%xmm1; pcmpeqd %%xmm6, %%xmm6; pcmpeqd %%xmm11, %%xmm11; pcmpeqd %%xmm15, %%xmm15\n"
		     "fninit; fld1; fld1; fld1; fld1; fld1; fld1; fld1; fld1; fninit" : : : "xmm1", "xmm6", "xmm11", "xmm15");
	handled++;
}

static void *hold_on(void *arg)
{
	long wrong = (long)hold(arg);

	while (handled < 200)
		wrong += (long)hold(arg);
	done++;
	return (void *)wrong;
}

static void *disturb(void *threads)
{
	while (done < 4)
		for (int i = 0; i < 4; i++) {
			pthread_kill(((pthread_t *)threads)[i], SIGUSR1);
			sched_yield();
		}
	return NULL;
}

static void disturbed(void)
{
	static pthread_t threads[4];
	pthread_t other;
	long wrong = 0;

	catch_flags(SIGUSR1, spoil, SA_RESTART);
	for (long i = 0; i < 4; i++)
		threads[i] = start(hold_on, (void *)i);
	other = start(disturb, threads);
	join(other);
	for (int i = 0; i < 4; i++)
		wrong += (long)join(threads[i]);
	printf("%ld wrong\n", wrong);
}

static const struct part parts[] = {
	{ "modes", modes }, { "kept-apart", kept_apart }, { "bases", bases }, { "disturbed", disturbed },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
