/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /proc and some calls tell of another process of the program: the process itself is asked, since nobody
 * else can see its memory and descriptors. Its thread that listens to the table of processes
 * answers with text, or a number, and no vCPU of it is disturbed. Whoever has taken over its
 * runner can say what it likes there: it is text, and bounded, or numbers that only the guest looks at.
 */
#ifndef KVMRUN_PROC_ASK_H
#define KVMRUN_PROC_ASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct abi_task;
struct synth;

/*
 * A node's contents or a link's text, in memory of malloc(3): its length; -ESRCH: there is no such
 * process any more, or it is a zombie; -EAGAIN: it does not answer, or stands still on the host;
 * or what it says, -errno.
 */
ssize_t proc_ask(const struct synth *s, char **text);

/* Which number, from this one on, is there first for the variable of the node's path: it, or -1. */
int proc_ask_next(const struct synth *s, int from);

/* ABI_OP_TASK of the process pid: 0; -ESRCH, -EAGAIN as proc_ask(); or what it says, -errno. */
int proc_ask_task(int pid, uint32_t op, uint64_t which, struct abi_task *task);

/* With the table of processes: 0 or -ENOMEM. */
int proc_ask_init(void);

/* Answers, if this process is asked. On the thread that listens. */
void proc_answer(void);

/* Who asks waits while this process is about to be another program; in a new process nobody does yet. */
void proc_answer_hold(bool hold);
void proc_answer_forked(void);

#endif
