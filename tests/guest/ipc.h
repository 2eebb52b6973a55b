/* SPDX-License-Identifier: GPL-2.0-only */
/* What the ipc* programs share: as process.h says. Identifiers are compared in the program, never printed. */
#ifndef GUEST_IPC_H
#define GUEST_IPC_H

#include "process.h"

/* Natively root may do more than here, where nobody has a capability. */
static inline void drop(void)
{
	if (getuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		return;
}

static inline int64_t now_ms(void)
{
	return now() / MS;
}

/* What another process or thread does is under way by then; the outcome is the same where it is not. */
static inline void let_wait(void)
{
	sleep_ms(argument > 1 ? argument : 300);
}

#endif
