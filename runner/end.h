/* SPDX-License-Identifier: GPL-2.0-only */
/* How the program ended. */
#ifndef KVMRUN_END_H
#define KVMRUN_END_H

#include <stdbool.h>

enum end_cause {
	END_NOT,	/* it runs */
	END_EXIT,	/* it exited: status is its own */
	END_SIGNAL,	/* a signal killed it: status is 128 + signal */
	END_MEMORY,	/* likewise, for want of memory */
	END_OUTPUT,	/* likewise, for more output than it may have */
	END_TIMEOUT,	/* --timeout */
	END_CPU_TIME,	/* --cpu-time */
	END_GUEST,	/* the guest broke the contract with the runner, or its CPU gave up: a line told */
	END_RUNNER,	/* the host failed the runner: a line told */
};

struct end {
	enum end_cause cause;
	int status;	/* kvmrun's exit status */
	int signal;	/* of END_SIGNAL, END_MEMORY and END_OUTPUT */
};

/*
 * The first call decides, later ones change nothing; whether it was this one.
 * Any thread, any signal handler.
 */
bool end_program(enum end_cause cause, int status, int signal);

/* Cheap; any thread, any signal handler. */
bool ended(void);

/* In a new process: nothing has ended it. */
void end_reset(void);

/* How it ended; ended() was true. */
struct end end_get(void);

/* A word for the cause, for --stats. */
const char *end_name(enum end_cause cause);

#endif
