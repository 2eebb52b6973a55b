/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the host CPU's features the guest gets. */
#ifndef KVMRUN_CPU_H
#define KVMRUN_CPU_H

#include <stdint.h>

struct vm;

/*
 * Sets vm->cpuid, xcr0, xsave_size, cr4 and boot_flags from what vm->device
 * offers. Failure is one line on stderr and exit status 125.
 */
void cpu_choose(struct vm *vm);

/* Gives a new vCPU the VM's CPUID and XCR0. 0, or -1 with errno and in *what what failed. */
int cpu_setup(const struct vm *vm, int vcpu_fd, const char **what);

/* The entry that the guest's CPUID(leaf, 0) reads: register 0..3 is EAX..EDX; 0 when there is none. */
uint32_t cpu_leaf(const struct vm *vm, uint32_t leaf, unsigned int reg);

#endif
