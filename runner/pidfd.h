/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of the program's processes, pidfd_open(2). On the host each is one of the
 * process's own host process, which poll(2) finds ready when that has ended; the first one, which
 * outlives the program's process, is a descriptor of epoll(7) that is ready when the
 * program's has ended.
 */
#ifndef KVMRUN_PIDFD_H
#define KVMRUN_PIDFD_H

#include <stdbool.h>

struct file;

/* A new descriptor's place, for a process that is still to be made: its number, or -EMFILE or -ENOMEM. */
int pidfd_reserve(void);

/* ... which becomes that process's. */
void pidfd_fill(int fd, int pid);

/* Before there is a second process: what tells of the first one's end, and that it has come. */
int pidfd_watch_first(void);
void pidfd_first_over(void);

/* A process's directory of /proc was opened, which pidfd_send_signal(2) takes for its descriptor, too. */
void pidfd_directory(struct file *file);

/* Whether it is one of a process that has ended. */
bool pidfd_over(const struct file *file);

#endif
