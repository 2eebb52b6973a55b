/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * calls.c - calls that valgrind 3.19 does not know and answers with ENOSYS, made by the processor itself
 *
 * It knows nothing of what they write: none of these writes to memory. They do not block.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <valgrind/valgrind.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452	/* Linux 6.6 */
#endif

struct request {
	long nr, arg[6];
};

long __real_syscall(long nr, ...);
long __real_interruptible_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5);

static int unknown(long nr)
{
	return nr == SYS_openat2 || nr == SYS_faccessat2 || nr == SYS_fchmodat2;
}

/* Outside of valgrind's sight: nothing of libc's may be called here. */
static long make(long tid, struct request *r)
{
	register long a3 asm("r10") = r->arg[3];
	long ret;

	(void)tid;
	asm volatile("syscall" : "=a" (ret) : "a" (r->nr), "D" (r->arg[0]), "S" (r->arg[1]), "d" (r->arg[2]), "r" (a3)
		     : "rcx", "r11", "memory");
	return ret;
}

long __wrap_syscall(long nr, ...)
{
	struct request r = { .nr = nr };
	va_list args;
	long ret;

	va_start(args, nr);
	for (int i = 0; i < 6; i++)
		r.arg[i] = va_arg(args, long);
	va_end(args);
	if (!unknown(nr))
		return __real_syscall(nr, r.arg[0], r.arg[1], r.arg[2], r.arg[3], r.arg[4], r.arg[5]);
	ret = VALGRIND_NON_SIMD_CALL1(make, &r);
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

long __wrap_interruptible_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5)
{
	struct request r = { nr, { a0, a1, a2, a3, a4, a5 } };

	if (!unknown(nr))
		return __real_interruptible_syscall(nr, a0, a1, a2, a3, a4, a5);
	return VALGRIND_NON_SIMD_CALL1(make, &r);
}
