/* SPDX-License-Identifier: GPL-2.0-only */
/* --cpu-time: what all processes of the program, and the runner for them, may use of CPUs together. */
#ifndef KVMRUN_CPULIMIT_H
#define KVMRUN_CPULIMIT_H

#include <stdbool.h>

struct vm;

/* Starts to watch, in the first process, where there is a limit; after the jail, which is each thread's own. */
void cpulimit_start(const struct vm *vm);

/* Whether it has been reached, and the one line that says so. */
bool cpulimit_passed(void);
void cpulimit_report(void);

/* Whether it is reached, as a process beside the first one sees it: process_cpu_seen(). */
bool cpulimit_due(void);

#endif
