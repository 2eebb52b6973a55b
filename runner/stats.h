/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_STATS_H
#define KVMRUN_STATS_H

struct vm;
struct vcpu;
struct config;

/* Starts the clock. */
void stats_start(void);

/* Opens the file of --stats if one was named. Failure is one line and status 125. */
void stats_open(const struct config *config);

/* Writes the summary of a program that has ended, one JSON object, if --stats was given. */
void stats_write(const struct vm *vm);

#endif
