/* SPDX-License-Identifier: GPL-2.0-only */
/* What the handlers of IPC calls share. */
#ifndef KVMRUN_IPC_CALL_H
#define KVMRUN_IPC_CALL_H

#include <sys/types.h>

#include "call.h"
#include "ipc_table.h"

/* Copies the first n bytes of buffer argument i: 0 or -EFAULT. And back: n or -EFAULT. */
long ipc_gather(const struct call *c, int i, void *to, uint64_t n);
long ipc_scatter(const struct call *c, int i, const void *from, uint64_t n);

/* shmctl(2) or msgctl(2) with the lock held: what control() answers, or -errno where there is no table. */
long ipc_control(struct call *c, long (*control)(int id, int cmd, void *p));

/* The program's umask(2). */
mode_t ipc_umask(void);
void ipc_umask_is(mode_t mask);

#endif
