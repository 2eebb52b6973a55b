/* SPDX-License-Identifier: GPL-2.0-only */
/* What a runner that its guest has taken over may try of the host, and what it gets. */
#ifndef KVMRUN_TESTS_ATTEMPTS_H
#define KVMRUN_TESTS_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KILLS 0L	/* of .expected: SIGSYS */
#define WORKS 1L	/* anything but an error: shows that its neighbours fail for the right reason */

/* A call by its kernel number, so that nothing that libc does beside it decides. */
struct attempt {
	const char *name;
	long nr;
	long arg[6];
	long expected;		/* KILLS, WORKS or -errno */
	int abi;		/* Landlock's, from which on it is so; 0: any */
	const char *of;		/* opened to read before: its descriptor is the first argument */
};

/* Without a writable grant and without a network: each one kills. */
extern const struct attempt forbidden[];
extern const size_t forbidden_count;

/*
 * In a directory with ro/file, ro/dir, rw/file and out/file, all of them the caller's, of which ro can be read and rw
 * written, with a limit of a file's size. In this order: some change what is there. What docs/security.md does not
 * promise is among them, as it is.
 */
extern const struct attempt reaches[];
extern const size_t reaches_count;

/*
 * With one port listed for connecting, at which somebody listens on 127.0.0.1, and another one for listening;
 * ATTEMPT_ABSTRACT is the name of somebody's UNIX socket.
 */
struct port_attempt {
	const char *name;
	enum { CONNECT, BIND, LISTEN, FAST_OPEN, ABSTRACT } what;
	int family, type;
	enum { LISTED, OTHER, ANY } port;	/* OTHER: of the two the wrong one */
	long expected;
	int abi;
};
extern const struct port_attempt port_attempts[];
extern const size_t port_attempt_count;
#define ATTEMPT_ABSTRACT "kvmrun-attempt"

/* Makes it: its result or -errno. */
long attempt_port(const struct port_attempt *a, uint16_t connect_port, uint16_t listen_port);
bool attempt_port_as_expected(const struct port_attempt *a, bool killed, long result);

/* Makes the call: its result or -errno. */
long attempt_make(const struct attempt *a);

/* Whether it came as it has to; result is attempt_make()'s unless it was killed. A device may be absent. */
bool attempt_as_expected(const struct attempt *a, bool killed, long result);

#endif
