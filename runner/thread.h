/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's threads: each vCPU has a thread of the runner's for as long as the
 * program runs. The main thread runs vCPU 0 and sees the program's end through.
 */
#ifndef KVMRUN_THREAD_H
#define KVMRUN_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "../shim/abi.h"

struct vm;
struct vcpu;

/* How many vCPUs the device has for one VM, and of them a program: config->threads, or fewer. */
uint32_t vcpus_max(const struct vm *vm);
uint32_t threads_max(const struct vm *vm);

/* vCPUs that are left for the programs that a process executes: vm_reuse(). */
#define VCPUS_SPARE 16

/* vCPU 0, before it runs; in a new process it is the only one. */
void threads_init(struct vcpu *main_vcpu);

/*
 * ABI_OP_THREAD: makes vCPU number index, with its frame in guest memory, or wakes the
 * one there is from thread_park(). 0; -EINVAL where the guest may not ask for that;
 * -EAGAIN when the host has no room for it, or RLIMIT_NPROC has none. tid is the guest's ID of the thread.
 */
int thread_begin(struct vm *vm, uint32_t index, struct abi_frame *frame, uint32_t tid);

/* How many threads the program has in this process, at least 1. */
uint32_t threads_count(void);

/* The one that runs the guest's thread tid, or NULL. */
struct vcpu *thread_find(uint32_t tid);

/* ABI_OP_PARK: waits for thread_begin(), or the program's end. */
void thread_park(struct vcpu *vcpu);

/* ABI_OP_KICK: has vCPUs look up, those of a set of 64 from number base on. */
void threads_kick(uint64_t base, uint64_t set);

/* Has all vCPUs look up: the program has ended, or is to be another one. */
void threads_stop(void);

/* On the main thread, with exec_wanted(): until the others have left, with their vCPUs. */
void threads_leave(void);

/* Number index, or NULL; up to the first NULL there are all. */
struct vcpu *thread_vcpu(uint32_t index);

#endif
