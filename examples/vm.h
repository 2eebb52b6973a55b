/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.h - how the three programs here start a VM by the first posting's calls
 *
 * Whatever fails ends the program, with a message that names it.
 */
#ifndef EXAMPLES_VM_H
#define EXAMPLES_VM_H

#include <stddef.h>
#include <stdint.h>

#include "../kmod/classic.h"

#define GUEST_CODE	0x1000		/* where programs are put, and begin */

enum vm_mode { VM_REAL, VM_PROTECTED };

/* One open is one VM. NULL: /dev/kvmrun. */
int vm_open(const char *device);
/* A call by its name: VM_CALL(vm, GET_REGS, &regs). */
void vm_call(int vm, unsigned long command, void *arg, const char *name);
#define VM_CALL(vm, name, arg) vm_call(vm, CLASSIC_##name, arg, #name)
/* Memory that the kernel allocates, at a guest-physical address, and here. flags: CLASSIC_LOG_DIRTY */
void *vm_memory(int vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size);
/* vCPU 0 with flat segments, at GUEST_CODE, its stack below stack. */
void vm_vcpu(int vm, enum vm_mode mode, uint64_t stack);
/* RUN again and again until the guest stops for something that is not a signal. */
void vm_run(int vm, struct classic_run *run);

/* The guest's program, by the assembler. */
extern const uint8_t guest[], guest_end[];

#endif
