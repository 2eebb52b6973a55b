/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What libc's start and the compiler's code need of a loader and of a CPU: all
 * of it printed, the same on every machine but for what the CPU has.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <unwind.h>
#endif

/* ------------------------------------------------ constructors, TLS, data */

static char order[16] = "c";
static const char *const relocated[] = { "data", order, "rodata" };

__attribute__((constructor(201))) static void first(void) { strcat(order, "1"); }
__attribute__((constructor(202))) static void second(void) { strcat(order, "2"); }
__attribute__((destructor(202))) static void next_to_last(void) { puts("destructor 2"); }
__attribute__((destructor(201))) static void last(void) { puts("destructor 1"); }
static void at_exit(void) { puts("atexit"); }

static __thread int tls_data = 7;
static __thread char tls_zero[100];
static __thread struct { char c; } __attribute__((aligned(64))) tls_aligned = { 'a' };
__thread long tls_global = 1l << 40;

static void start(void)
{
	int zero = 0;

	for (size_t i = 0; i < sizeof(tls_zero); i++)
		zero |= tls_zero[i];
	tls_data++;
	printf("%s %s %s %s\n", order, relocated[0], relocated[1], relocated[2]);
	printf("tls %d %d %c %d %ld\n", tls_data, zero, tls_aligned.c, (int)((uintptr_t)&tls_aligned % 64),
	       tls_global);
}

/* ------------------------------------------------ the FPU */

static void x87(void)
{
	long double x = 1.0L / 3, sum = 0;
	uint16_t control, status;

	for (int i = 1; i < 1000; i++)
		sum += sinl(i) * expl(-i / 100.0L) / (i + x);
	asm volatile("fnstcw %0; fnstsw %1" : "=m"(control), "=m"(status));
	printf("x87 %.21Lg %.21Lg %La %#x\n", x, sum, sqrtl(2), control);
	printf("printf %.40g %.10e %a %.5f\n", 0.1, 1e-310, 3.14159265358979, 123456.789);
	printf("strtold %.21Lg %.17g\n", strtold("3.14159265358979323846264338327950288", NULL), strtod("1e-320", NULL));
}

typedef float floats __attribute__((vector_size(32), aligned(32)));
typedef double doubles __attribute__((vector_size(64), aligned(64)));

__attribute__((target("avx2,fma"), noinline)) static void avx2(void)
{
	floats a = { 1, 2, 3, 4, 5, 6, 7, 8 }, b = a * 0.5f;
	long sum = 0;

	for (int i = 0; i < 100; i++)
		b = b * a - a + (floats){ 1, 1, 1, 1, 1, 1, 1, 1 } / (b + 1.0f);
	for (int i = 0; i < 8; i++) {
		uint32_t bits;

		memcpy(&bits, (float *)&b + i, 4);
		sum = sum * 31 + bits;
	}
	printf("avx2 %lx\n", sum);
}

__attribute__((target("avx512f"), noinline)) static void avx512(void)
{
	doubles a = { 1, 2, 3, 4, 5, 6, 7, 8 }, b = a / 3;
	long sum = 0;

	for (int i = 0; i < 100; i++)
		b = b * 0.99 + a / (b * b + 1);
	for (int i = 0; i < 8; i++) {
		uint64_t bits;

		memcpy(&bits, (double *)&b + i, 8);
		sum = sum * 31 + bits;
	}
	printf("avx512 %lx\n", sum);
}

/* ------------------------------------------------ unwinding */

#ifdef __GLIBC__	/* which gcc's unwinder is built for here */
static int frames;

static _Unwind_Reason_Code count(struct _Unwind_Context *context, void *arg)
{
	(void)context, (void)arg;
	frames++;
	return _URC_NO_REASON;
}

__attribute__((noinline)) static int unwound(int depth)
{
	int n = depth ? unwound(depth - 1) : (_Unwind_Backtrace(count, NULL), frames);

	asm volatile("" : "+r"(n));
	return n;
}

__attribute__((noinline)) static void unwind(void)
{
	int shallow = unwound(0);

	frames = 0;
	printf("unwound %d deeper\n", unwound(10) - shallow);
}
#else
static void unwind(void) { }
#endif

int main(void)
{
	atexit(at_exit);
	start();
	x87();
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2"))
		avx2();
	if (__builtin_cpu_supports("avx512f"))
		avx512();
	unwind();
	return 3;
}
