/* SPDX-License-Identifier: GPL-2.0-only */
/* struct sched_attr of sched_setattr(2), which libc's <sched.h> and the kernel's header do not give together. */
#ifndef KVMRUN_SCHED_ATTR_H
#define KVMRUN_SCHED_ATTR_H

#include <stdint.h>

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max, more[2];	/* 56 bytes to Linux; more is behind them */
};

#endif
