/* SPDX-License-Identifier: GPL-2.0-only */
/* What sys_mq.c and mq_file.c have of each other, and what calls do to a queue's descriptor. */
#ifndef KVMRUN_MQ_H
#define KVMRUN_MQ_H

#include "fdtable.h"
#include "ipc_table.h"

struct call;

/* A descriptor's file for a queue, whose bit for this process is set: a descriptor or -errno. With the lock held, which is given up. */
long mq_install(uint32_t number, int access, bool nonblock);

/* The queue of a file; NULL if it is none. With the lock held, as all that follow. */
struct mq *mq_of(const struct file *file);

/* What it is ready for has changed: this process's descriptors show it, others are told. */
void mq_changed(struct mq *q);

/* Frees it if it has neither a name nor a user. */
void mq_drop(struct mq *q);

/* A thread is told by a descriptor, mq_notify(3): the peer of the program's descriptor fd; 0 or -EBADF. */
int mq_thread_asks(struct mq *q, int fd);
/* The registration is over; the thread is told how, here or in its own process. */
#define MQ_WOKEN	1
#define MQ_REMOVED	2
void mq_thread_tell(struct mq *q, int how);

/* read(2) and the like, fstat(2), and fcntl(2)'s F_GETFL. Without the lock. */
long mq_read(struct call *c, bool write);
long mq_stat(const struct file *file, struct stat *st);
int mq_flags(const struct file *file);

#endif
