/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ABI_OP_TASK: how a thread of another process would be scheduled, and its limits, sched(7), prlimit(2).
 * Each process keeps its own in what it shares with its shim, and answers (proc_ask.h); what a zombie had, and
 * the first process while it is stopped on the host, is in the table of processes. The rules of who may set what are the shim's: all processes are one user's.
 */
#ifndef KVMRUN_TASK_H
#define KVMRUN_TASK_H

#include <stdint.h>

#include "../shim/abi.h"

struct process;
struct vcpu;

/* Serves ABI_OP_TASK of a vCPU. */
void task_op(struct vcpu *vcpu);

/* For another process, about a thread of this one: as ABI_OP_TASK, but for ABI_TASK_PROCESS. */
int task_answer(uint32_t op, uint64_t which, struct abi_task *task);

/* With the table of processes: where threads of others are looked for. What fails leaves only processes to be found. */
void tasks_init(void);

/* This process has a thread of this ID. */
void task_began(uint32_t tid);

/* In a new process, whose first thread is what vcpu's was. Before it runs. */
void task_forked(const struct vcpu *vcpu);

/* Leaves in this entry what this process's first thread has. With the table's lock held. */
void task_keep(struct process *p);

/* The first process goes on, with what others have set in its entry meanwhile. */
void task_go_on(void);

#endif
