/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits that a program is told of by an error, and may cope with: how often each stood in its
 * way. One that did not cope, or whose user asked by --explain, has them named at the end;
 * --stats counts them always. The limits that end a program are end.h's.
 */
#ifndef KVMRUN_LIMIT_H
#define KVMRUN_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct vm;

enum limit {
	LIMIT_MEM,		/* ENOMEM */
	LIMIT_THREADS,		/* EAGAIN */
	LIMIT_PROCS,		/* EAGAIN */
	LIMIT_FDS,		/* EMFILE */
	LIMIT_FSIZE,		/* EFBIG and SIGXFSZ */
	LIMITS,
};

/* Before there are other processes: they all count together. No memory is the runner's end. */
void limits_init(const struct vm *vm);

/* It stood in the way, so many times. Any thread, any signal handler; before limits_init() nothing happens. */
void limit_met(enum limit limit, uint64_t times);

/* There is no such descriptor: whether --fds is why, not the lower one that the program may raise, is looked up. */
void limit_fds_refused(unsigned int fd);

/* The process has got SIGXFSZ: whether it was of --fsize is looked up. Any signal handler. */
void limit_fsize_signal(void);

/* Takes what the shim has counted, before guest memory goes. */
void limits_gather(const struct vm *vm);

/* Its option without dashes, and how often it was met. */
const char *limit_name(enum limit limit);
uint64_t limit_count(enum limit limit);

/* A line on stderr for each that was met, once all processes have ended: if it failed, or --explain asks. */
void limits_report(bool failed);

#endif
