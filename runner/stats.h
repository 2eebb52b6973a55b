/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_STATS_H
#define KVMRUN_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "../shim/abi.h"
#include "end.h"

struct vm;
struct vcpu;
struct config;

/* Starts the clock. */
void stats_start(void);

/* Opens the file of --stats if one was named. Failure is one line and status 125. */
void stats_open(const struct config *config);

struct counts {
	uint64_t processes, vcpus, runs, ioctls, interrupted;
	uint64_t exits[64];		/* by reason, from 63 on all others */
	uint64_t calls[ABI_CALLS];	/* forwarded, by number */
	uint64_t shim[ABI_CALLS];	/* made */
};

/* Takes the counts of all vCPUs, which begin at 0 then, before they or guest memory go. */
void stats_gather(const struct vm *vm);

/* A new process has run nothing. */
void stats_forked(void);

/* What has been gathered; and adding such. */
struct counts *stats_sum(void);
void stats_add(struct counts *to, const struct counts *from);

/* Writes the summary of a program that has ended, one JSON object, if --stats was given. */
void stats_write(const struct vm *vm, struct end end);

/*
 * Instead of it, where the process is ended by force: what is known without asking anybody. cpu_ns 0 is not.
 * Any thread, any signal handler. False where stats_write() is at it, and the process about to end by itself.
 */
bool stats_forced(const char *program, struct end end, uint64_t cpu_ns);

#endif
