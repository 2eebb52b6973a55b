/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * POSIX message queues and System V IPC: the program's own, which all of its processes
 * share and nothing else sees. They end with it; the host's are not used.
 */
#ifndef KVMRUN_IPC_H
#define KVMRUN_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct vm;

/* How much shared memory there may be; before the guest runs. */
void ipc_init(const struct vm *vm);

/*
 * Makes the table before there is a second process, so that all have it. Without room for
 * it the calls fail by ENOMEM.
 */
void ipc_prepare(void);

/*
 * A process is copied: parent and child are their entries of the table of processes. ipc_fork()
 * takes the table's lock, under which fork(2) is made; ipc_forked() is for the parent alone.
 */
void ipc_fork(void);
void ipc_forked(uint32_t parent, uint32_t child, bool made);

/* The process with this ID and entry has gone, and all that it had. self: it is the calling one. */
void ipc_bury(int pid, uint32_t slot, bool self);

/* The last descriptor of a message queue's file is closed: fdtable.c. */
void mq_gone(struct file *file);

/* Once, before the guest runs. */
void mq_init(void);

/* What other processes have done to queues shows in this one's descriptors from now on. */
void mq_look(void);

/*
 * Shared memory by its identifier: bytes of it, or -EINVAL, -EACCES, for shmat(2) with these flags; a mapping of it that
 * is counted until shm_unpin(), or MAP_FAILED if it has not len bytes of whole pages; and that there is one more attached, or one less.
 */
/* Semaphores of a set by its identifier, or -EINVAL. */
int sem_count(int id);

int64_t shm_size(int id, int flags);
void *shm_map(int id, uint64_t len);
void shm_attached(int id, int more);
void shm_unpin(int id);

#endif
