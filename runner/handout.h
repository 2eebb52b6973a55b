/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process beside the runner that makes descriptors which the runner's jail does not let it make,
 * and hands them out. A request comes with one end of a socket pair, for the answer: then threads and
 * processes need not wait for each other. It ends when all that know it have. It has a jail of its own:
 * confine_helper().
 */
#ifndef KVMRUN_HANDOUT_H
#define KVMRUN_HANDOUT_H

#include <stddef.h>

struct call_rule;

/*
 * A request's three numbers, of whoever has taken over a runner; the result is what the asker gets: -errno,
 * or a number, and in *fd (before: -1) a descriptor for it, which is closed here. It must not wait.
 */
typedef int handout_serve(const int request[3], int *fd);

struct handout {
	int (*prepare)(void);		/* runs in there before its jail: 0 or -errno */
	handout_serve *serve;
	const struct call_rule *rules;	/* the calls of serve's, beside those that receive, answer and close */
	size_t rule_count;
	const char *const *paths;	/* what they open: landlock_helper() */
	unsigned int fds;		/* one more than the highest number of a descriptor that serve makes */
};

/* Starts it, before there are threads or a VM: where to ask, or -errno, also of prepare(). */
int handout_start(const struct handout *h);

/* Asks: the result; *fd is the descriptor that came with it, or -1. -EIO when nobody is there to answer. */
int handout_ask(int socket, const int request[3], int *fd);

/* Sends n bytes of data on a socket, with fd unless it is negative; flags are MSG_*. 0 or -1 with errno. */
int handout_send(int socket, const void *data, size_t n, int fd, int flags);

/*
 * Receives a message of n bytes; *fd is the first descriptor that came with it, or -1: others are dropped. 1; 0 for
 * a message of another length, whose bytes do not count; -1 when none will come any more.
 */
int handout_receive(int socket, void *data, size_t n, int *fd);

#endif
