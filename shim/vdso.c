/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vDSO, vdso(7): clocks at CPL 3, from the page that the runner keeps
 * current and that lies right below this image. Whatever that page cannot
 * answer becomes a real call: CLOCK_MONOTONIC_RAW too, whose rate is another.
 */
#include "abi.h"

#define NS		1000000000ull
#define HIDDEN		__attribute__((visibility("hidden")))

enum { REALTIME = 0, MONOTONIC = 1, REALTIME_COARSE = 5, MONOTONIC_COARSE = 6, BOOTTIME = 7 };
enum { NR_gettimeofday = 96, NR_time = 201, NR_clock_gettime = 228, NR_clock_getres = 229, NR_getcpu = 309 };

struct timespec {
	int64_t sec, nsec;
};

struct timeval {
	int64_t sec, usec;
};

extern const volatile struct abi_clock clock_page HIDDEN;

static inline long call2(long nr, uint64_t a, uint64_t b)
{
	long ret;

	asm volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return ret;
}

static inline uint64_t read_tsc(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return lo | (uint64_t)hi << 32;
}

/* A clock's time in ns, or false when the page does not have it (now). */
static bool now(int clock, uint64_t *ns)
{
	uint32_t seq;
	uint64_t tsc;

	do {
		int64_t off;
		bool coarse = clock == REALTIME_COARSE || clock == MONOTONIC_COARSE;

		seq = __atomic_load_n(&clock_page.seq, __ATOMIC_ACQUIRE);
		switch (clock) {
		case REALTIME:
		case REALTIME_COARSE:
			off = clock_page.real;
			break;
		case MONOTONIC:
		case MONOTONIC_COARSE:
			off = 0;
			break;
		case BOOTTIME:
			off = clock_page.boot;
			break;
		default:
			return false;
		}
		tsc = read_tsc();
		if ((seq & 1) || !clock_page.mult || tsc < clock_page.tsc_base || tsc > clock_page.tsc_limit)
			return false;
		*ns = clock_page.mono + off - (coarse ? ABI_COARSE_NS : 0) +
			(uint64_t)((unsigned __int128)(tsc - clock_page.tsc_base) * clock_page.mult >> 32);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (clock_page.seq != seq);
	return true;
}

int __vdso_clock_gettime(int clock, struct timespec *ts)
{
	uint64_t ns;

	if (!now(clock, &ns))
		return call2(NR_clock_gettime, (uint32_t)clock, (uint64_t)ts);
	ts->sec = ns / NS;
	ts->nsec = ns % NS;
	return 0;
}

int __vdso_gettimeofday(struct timeval *tv, void *zone)
{
	uint64_t ns;

	if (zone || !tv || !now(REALTIME, &ns))
		return call2(NR_gettimeofday, (uint64_t)tv, (uint64_t)zone);
	tv->sec = ns / NS;
	tv->usec = ns % NS / 1000;
	return 0;
}

int64_t __vdso_time(int64_t *at)
{
	uint64_t ns;

	if (!now(REALTIME_COARSE, &ns))
		return call2(NR_time, (uint64_t)at, 0);
	if (at)
		*at = ns / NS;
	return ns / NS;
}

int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *cache)
{
	(void)cache;
	return call2(NR_getcpu, (uint64_t)cpu, (uint64_t)node);
}

int __vdso_clock_getres(int clock, struct timespec *res)
{
	return call2(NR_clock_getres, (uint32_t)clock, (uint64_t)res);
}

