/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual CPU and the loop that runs it. */
#ifndef KVMRUN_VCPU_H
#define KVMRUN_VCPU_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../shim/abi.h"

struct vm;
struct kvm_run;

struct vcpu {
	struct vm *vm;
	unsigned int index;
	pid_t tid;		/* of the one thread that runs it */
	int fd;
	struct kvm_run *run;	/* shared with KVM */
	struct abi_frame *frame;	/* guest memory: hostile */
	/*
	 * Someone wants the vCPU's attention: it leaves KVM_RUN and
	 * interruptible_syscall() at once. Set with run->immediate_exit by
	 * interrupt_vcpu() only, cleared by the run loop only.
	 */
	volatile uint32_t pending;
	volatile uint32_t wanted;	/* by another vCPU: threads_kick() */
	int kick_timer;		/* interrupt_vcpu()'s, which its thread has made */
	bool kickable;		/* ... and when it has */
	uint32_t guest_tid;	/* the thread it runs, and the CPU time that earlier ones have used, ns */
	uint64_t cpu_before;
	sem_t start;		/* its next thread of the program's: thread.h */
	volatile bool parked;	/* it has none */
	volatile bool inside;	/* it is in KVM_RUN, for others to see */
	bool ready;		/* the guest has set it up to take interrupts */
	uint32_t faults;	/* touches of what a mapped file has lost, since the shim last looked */
	bool inject;		/* the kick waits for the guest to take interrupts */
	uint64_t runs;		/* KVM_RUN calls */
	uint64_t ioctls;	/* any other on the vCPU since it first ran */
	uint64_t exits[64];	/* by exit reason; 63: any above */
	uint64_t interrupted;	/* KVM_RUN returned EINTR */
	uint64_t calls[ABI_CALLS];	/* forwarded, by number */
};

/* Whether the device can run vCPUs as they are run here; if not, one line on stderr and exit status 125. */
void vcpu_check(struct vm *vm);

/*
 * Makes vCPU index of the VM, whose memory is loaded, ready to enter the shim; its
 * frame is in guest memory. 0, or -1 with errno and in *what what failed.
 */
int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned int index, struct abi_frame *frame, const char **what);

/* vCPU 0. Failure is one line on stderr and exit status 125. */
void vcpu_first(struct vcpu *vcpu, struct vm *vm);

/* vcpu becomes vCPU 0 after vm_renew() or vm_reuse(), as after vcpu_first(). */
void vcpu_renew(struct vcpu *vcpu, struct vm *vm);

/* What it has done so far is another process's: its counts begin at 0. */
void vcpu_anew(struct vcpu *vcpu);

/* Undoes vcpu_create() as far as KVM allows it: the VM keeps the vCPU. */
void vcpu_destroy(struct vcpu *vcpu);

/* Runs the vCPU, on which no signal has a claim yet, until the shim says that it has booted. */
void vcpu_boot(struct vcpu *vcpu);

/* Runs the vCPU on this thread until the program has ended (end.h says how). */
void vcpu_run(struct vcpu *vcpu);

/* KVM's name of an exit reason. */
const char *vcpu_exit_name(uint32_t reason);

#endif
