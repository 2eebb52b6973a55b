/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's clock page, by which the vDSO tells the time without a call. */
#ifndef KVMRUN_CLOCK_H
#define KVMRUN_CLOCK_H

struct vcpu;

/*
 * Fills the clock page once the guest's TSC is known. Where it cannot be, the
 * page stays empty and the vDSO makes real calls.
 */
void clock_start(struct vcpu *vcpu);

/* Another vCPU, before it runs: it reads the same time, or real calls do. */
void clock_join(struct vcpu *vcpu);

/* The same in a new process, whose only vCPU it is. */
void clock_forked(struct vcpu *vcpu);

/* On the only thread there is: no page is renewed until clock_start(), as what was there goes. */
void clock_stop(void);

/* Renews the clock page if it is older than a quarter of a second. Cheap. Any thread, once clock_start() is over. */
void clock_tick(void);

#endif
