/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of signalfd(2). The shim alone knows what is pending; on the host such a
 * descriptor is one of epoll(7), as that can be ready for reading and for nothing else, with an
 * eventfd(2) in it whose counter says whether it is.
 */
#ifndef KVMRUN_SIGNALFD_H
#define KVMRUN_SIGNALFD_H

#include <stdint.h>

struct call;
struct file;
struct signalfd;
struct vm;

void signalfd_init(struct vm *vm);

/* A file for a duplicate, which has its own host descriptor already; and the end of one. */
void signalfd_share(struct file *copy, const struct file *file);
void signalfd_gone(struct file *file);

/* ABI_OP_PENDING: of the signals that descriptors tell of set is pending, arrived has just come. */
void signalfd_pending(uint64_t set, uint64_t arrived);

/* read(2) and readv(2): the shim serves it from its queue. */
long signalfd_read(struct call *c);

/* In a new process, whose signals are others than its maker's; and for another program, whose shim has none yet. */
void signalfd_forked(void);
void signalfd_executed(void);

#endif
