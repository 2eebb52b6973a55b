/* SPDX-License-Identifier: GPL-2.0-only */
/* The runner's instance of the call table, shim/calls.def, and of shim/requests.def. */
#ifndef KVMRUN_TABLE_H
#define KVMRUN_TABLE_H

#include "../shim/abi.h"

extern const struct abi_call call_table[ABI_CALLS];

/* The name of a Linux call; NULL for a number that has no row. */
const char *call_name(uint32_t nr);

/* What the third argument of an allowed ioctl or fcntl request is. */
struct request {
	uint32_t nr;		/* of ioctl or fcntl */
	uint32_t number;	/* the request */
	const char *name;
	struct abi_arg arg;
};

/* The row of a request of call nr; NULL when there is none: then it is refused. */
const struct request *call_request(uint32_t nr, uint64_t number);

/* What the last argument of shmctl, semctl or msgctl is, by the command among them; NULL for others. */
const struct abi_arg *call_control(uint32_t nr, const uint64_t arg[6]);

#endif
