/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals that tell of descriptors: O_ASYNC, F_SETOWN, F_SETSIG. The host would send
 * them to any process of its user's that it is told of, so it is not asked: a thread of
 * the runner's waits for what epoll tells of these descriptors, and sends the signal to the owner by
 * the table of processes.
 *
 * A duplicate of a descriptor has an owner of its own, and after fork(2) it is the process that
 * has asked which sends, as long as it has the file open.
 */
#ifndef KVMRUN_ASYNC_H
#define KVMRUN_ASYNC_H

#include <stdbool.h>

struct file;

/* F_SETOWN: a process, or the negative number of a group; 0: nobody. 0, -ESRCH, -ENOMEM. */
long async_set_owner(struct file *file, int owner);
int async_owner(struct file *file);

/* F_SETSIG: 0 is SIGIO without details. 0, -EINVAL, -ENOMEM. */
long async_set_signal(struct file *file, int sig);
int async_signal(struct file *file);

/* O_ASYNC of a file, which the program calls fd. 0, -ENOTTY for a kind that has none, -ENOMEM. */
long async_switch(struct file *file, int fd, bool on);
bool async_is_on(struct file *file);

/* Before the host's descriptor is closed. */
void async_gone(struct file *file);

/* In a new process: its copies tell of nothing. */
void async_forked(void);

#endif
