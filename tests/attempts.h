/* SPDX-License-Identifier: GPL-2.0-only */
/* What a runner that its guest has taken over may try of the host, and what it gets. */
#ifndef KVMRUN_TESTS_ATTEMPTS_H
#define KVMRUN_TESTS_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

#define KILLS 0L	/* of .expected: SIGSYS */
#define WORKS 1L	/* anything but an error: shows that its neighbours fail for the right reason */

/* A call by its kernel number, so that nothing that libc does beside it decides. */
struct attempt {
	const char *name;
	long nr;
	long arg[6];
	long expected;		/* KILLS, WORKS or -errno */
	int abi;		/* Landlock's, from which on it is so; 0: any */
};

/* Without a writable grant and without a network: each one kills. */
extern const struct attempt forbidden[];
extern const size_t forbidden_count;

/*
 * In a directory with ro/file, ro/dir, rw/file and out/file, of which ro can be read and rw
 * written. In this order: some change what is there.
 */
extern const struct attempt reaches[];
extern const size_t reaches_count;

/* Makes the call: its result or -errno. */
long attempt_make(const struct attempt *a);

/* Whether it came as it has to; result is attempt_make()'s unless it was killed. A device may be absent. */
bool attempt_as_expected(const struct attempt *a, bool killed, long result);

#endif
