/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --trace: calls, signals and the end of the program, one line each, in the
 * format of strace 6.1. No byte that the guest can choose reaches the line
 * unquoted. Lines of different threads do not mix; a failed write is ignored.
 */
#ifndef KVMRUN_TRACE_H
#define KVMRUN_TRACE_H

#include <signal.h>

#include "call.h"

/* One vCPU's call that is under way. Two quoted paths fit; what does not fit is cut off. */
struct trace {
	size_t len;
	uint32_t room;		/* of an output whose length the program says in memory */
	int next;		/* first argument that trace_end() prints */
	char text[40 * 1024];
};

/*
 * trace_begin() takes in the name and the arguments that go in, before the
 * handler changes them; trace_end() adds what came out and the result, and
 * writes the line to fd. Of a pointer argument, c->arg[] is the address in the
 * program, or 0 when that is not known: it is printed when what it points to
 * is not, as "..." in the latter case.
 */
void trace_begin(struct trace *t, const struct call *c);
void trace_end(struct trace *t, int fd, const struct call *c, long ret);

/* A signal that is delivered to the program. */
void trace_signal(int fd, const siginfo_t *info);

/* The program's end: by its exit code, or by a signal when that is not 0. */
void trace_exit(int fd, int code, int signal);

/* execve(2) that has succeeded; a failed one is any other call. tid: whose. */
void trace_exec(int fd, int tid, const char *path, char *const argv[], char *const env[]);

#endif
