/* SPDX-License-Identifier: GPL-2.0-only */
/* Times in nanoseconds, as all of the runner counts them. */
#ifndef KVMRUN_NSEC_H
#define KVMRUN_NSEC_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#define SECOND 1000000000ull

static inline uint64_t ns_of(struct timespec ts)
{
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static inline uint64_t ns_of_timeval(struct timeval tv)
{
	return tv.tv_sec * SECOND + tv.tv_usec * 1000ull;
}

static inline struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ ns / SECOND, ns % SECOND };
}

/* What a clock says; 0 where it is of a process or thread that has ended. */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	return clock_gettime(clock, &ts) < 0 ? 0 : ns_of(ts);
}

#endif
