/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdint.h>

#include "end.h"

/* cause << 16 | signal << 8 | status, so that one compare-and-swap decides */
static uint32_t word;

bool end_program(enum end_cause cause, int status, int signal)
{
	uint32_t none = 0, mine = (uint32_t)cause << 16 | (signal & 0xff) << 8 | (status & 0xff);

	return __atomic_compare_exchange_n(&word, &none, mine, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

void end_reset(void)
{
	__atomic_store_n(&word, 0, __ATOMIC_SEQ_CST);
}

bool ended(void)
{
	return __atomic_load_n(&word, __ATOMIC_SEQ_CST) != 0;
}

struct end end_get(void)
{
	uint32_t w = __atomic_load_n(&word, __ATOMIC_SEQ_CST);

	return (struct end){ .cause = w >> 16, .signal = w >> 8 & 0xff, .status = w & 0xff };
}

const char *end_name(enum end_cause cause)
{
	static const char *const names[] = {
		[END_NOT] = "running",	    [END_EXIT] = "exit",    [END_SIGNAL] = "signal",
		[END_MEMORY] = "memory",    [END_TIMEOUT] = "timeout", [END_CPU_TIME] = "cpu-time",
		[END_GUEST] = "guest",
		[END_RUNNER] = "runner",    [END_OUTPUT] = "output",
	};

	return names[cause];
}
