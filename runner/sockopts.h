/* SPDX-License-Identifier: GPL-2.0-only */
/* sockopts.def as a table. */
#ifndef KVMRUN_SOCKOPTS_H
#define KVMRUN_SOCKOPTS_H

#include <stddef.h>

enum { SOCKOPT_G = 1, SOCKOPT_S = 2 };

/* How a value is printed. */
enum sockopt_form { SOCKOPT_int, SOCKOPT_linger, SOCKOPT_ucred, SOCKOPT_timeval, SOCKOPT_bytes, SOCKOPT_text };

struct sockopt {
	int level, number;
	int access;		/* SOCKOPT_* */
	enum sockopt_form form;
	const char *name;
};

extern const struct sockopt sockopts[];
extern const size_t sockopt_count;

/* The row of an option, or NULL. */
const struct sockopt *sockopt_find(int level, int number);

#endif
