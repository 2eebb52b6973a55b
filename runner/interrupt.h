/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Host signals on their way to the guest, and how a vCPU's thread is made to
 * look up from whatever it does.
 *
 * Every signal that can be caught is caught, queued and left to the guest to
 * act upon. Two uses of the last two real-time signals are the runner's own and
 * told from the program's by their siginfo: INTERRUPT_KICK from timers of the runner's
 * for its threads, INTERRUPT_LIMIT from the timer of --timeout and where a parent ended. A fault of the
 * runner's own code ends it with status 125; it is never the guest's.
 */
#ifndef KVMRUN_INTERRUPT_H
#define KVMRUN_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "../shim/abi.h"

struct vm;
struct vcpu;

#define INTERRUPT_KICK	64
#define INTERRUPT_LIMIT	63

/*
 * Catches all signals, unblocks them, starts the clock of --timeout. What the
 * caller had ignored and blocked goes to boot. Failure is one line and exit
 * status 125.
 */
void interrupt_init(struct vm *vm);

/* The calling thread runs vcpu from now on; the first to say so gets the process's signals. */
void interrupt_attach(struct vcpu *vcpu);

/* The vCPU has no thread of the program's for now: another one gets the process's signals. */
void interrupt_detach(struct vcpu *vcpu);

/* The vCPU's thread ends: it takes no signals from here on. */
void interrupt_leave(struct vcpu *vcpu);

/* Of all vCPUs this one is left. */
void interrupt_only(struct vcpu *vcpu);

/* In a new process, whose only thread runs vcpu. */
void interrupt_forked(struct vcpu *vcpu);

/* All signals are blocked, so that no handler runs; and what was before, again. */
uint64_t interrupt_block(void);
void interrupt_unblock(uint64_t mask);

/* Queues a signal that another process of the program's has sent. Not for signal handlers. */
void interrupt_post(const siginfo_t *info);

/* Whether the time of --timeout is over. */
bool interrupt_limit_passed(void);

/* The run loop has ended: what remains is not to be cut short by --timeout. */
void interrupt_run_over(void);

/* Makes vcpu->pending true and its thread notice. Any thread, any signal handler. */
void interrupt_vcpu(struct vcpu *vcpu);

/* Whether signals are queued. */
bool interrupt_waiting(void);

/* Whether this one, not a real-time signal, is. */
bool interrupt_is_waiting(int sig);

/* SIGTTIN or SIGTTOU is ignored, or not: the terminal driver treats who ignores them in another way. 0, or -EINVAL. */
int interrupt_ignore(int sig, bool ignored);

/* Which ones are, bit signal - 1. Not for signal handlers. */
uint64_t interrupt_queued(void);

/*
 * Takes up to max queued signals, the lowest number first, real-time signals of
 * one number in their order; returns how many.
 */
unsigned int interrupt_fetch(struct abi_signal *to, unsigned int max);

/* Stops this process by a stop signal's default action until SIGCONT. 0, or -EINVAL. */
int interrupt_stop(int sig);

/* Timer ID of --timeout, which a program's timer calls must not reach; -1 for none. */
int interrupt_limit_timer(void);

/* When --timeout is due, in ns of CLOCK_MONOTONIC, in any of the program's processes; 0: never. */
uint64_t interrupt_limit_deadline(void);

/* The line that tells of a program ended by --timeout. */
void interrupt_limit_report(void);

/*
 * A system call that gives way to interrupt_vcpu(): returns as the raw call
 * does, or -EINTR without making it when the vCPU of this thread is wanted,
 * with no gap between looking and blocking. For every call that may block.
 */
long interruptible_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5);

#endif
