/* SPDX-License-Identifier: GPL-2.0-only */
/* What trace_ipc.c has for the tables of formats and of structures, and for trace.c. */
#ifndef KVMRUN_TRACE_IPC_H
#define KVMRUN_TRACE_IPC_H

#include "trace_line.h"

void put_key(struct trace *t, uint64_t key);
void put_shmget(struct trace *t, uint64_t flags);
void put_semget(struct trace *t, uint64_t flags);

/* Argument i, a message of System V's with so many bytes. */
void put_msgbuf(struct trace *t, const struct call *c, int i, uint64_t bytes);

void put_shmid(struct trace *t, const void *p);
void put_shmid_set(struct trace *t, const void *p);
void put_shminfo(struct trace *t, const void *p);
void put_shm_info(struct trace *t, const void *p);
void put_semid(struct trace *t, const void *p);
void put_semid_set(struct trace *t, const void *p);
void put_seminfo(struct trace *t, const void *p);
void put_sembuf(struct trace *t, const void *p);
void put_msqid(struct trace *t, const void *p);
void put_msqid_set(struct trace *t, const void *p);
void put_msginfo(struct trace *t, const void *p);
void put_mqattr(struct trace *t, const void *p);
void put_mqattr_raw(struct trace *t, const void *p);	/* mq_open(2)'s, whose flags do not count */

#endif
