/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest maps that is not its RAM: files, and memory that processes share.
 * The host maps them into a range of its addresses that the guest has as a window of
 * guest-physical ones above RAM. Nothing is copied; what is shared on the host is shared.
 */
#ifndef KVMRUN_WINDOW_H
#define KVMRUN_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <limits.h>
#include <sys/types.h>

struct vm;
struct vcpu;

/* What is mapped at a place. */
struct mapped_file {
	dev_t dev;
	ino_t ino;
	uint64_t off;
	char path[PATH_MAX];	/* as it was opened by */
};

/* False: memory without a file, or nothing. */
bool window_file(const struct vm *vm, uint64_t gpa, struct mapped_file *file);

/* Chooses where the window is, behind RAM and within the CPU's physical addresses; vm->window_size 0: nowhere. */
void window_init(struct vm *vm);

/* Unmaps all of it, for another program. */
void window_empty(struct vm *vm);

/*
 * Operations of struct abi_frame, by their names there. They take the frame's
 * word for nothing but the guest's own mappings.
 */
void op_map(struct vcpu *vcpu);
void op_shm(struct vcpu *vcpu);
void op_unmap(struct vcpu *vcpu);
void op_remap(struct vcpu *vcpu);
void op_touch(struct vcpu *vcpu);
void op_sync(struct vcpu *vcpu);
void op_remove(struct vcpu *vcpu);

/*
 * KVM_RUN failed with EFAULT: no host memory was where the guest has some. Whether that
 * can be for a mapped file that was cut short, and the vCPU can go on.
 */
bool window_lost(struct vcpu *vcpu);

/*
 * Memory of the window may be gone at any time, when a file is cut short: whatever
 * the runner itself reads or writes there, or where a guest says, goes through these.
 * System calls may be given such pointers as they are: EFAULT.
 * guest_copy() returns how many of n bytes were not copied; guest_probe() whether the
 * byte at p can not be read (or, with write, written).
 */
size_t guest_copy(void *to, const void *from, size_t n);
long guest_probe(const void *p, bool write);

/* Where a fault at this RIP goes on, if it is one of the functions above: else 0. */
uintptr_t guest_access_fixup(uintptr_t rip);

#endif
