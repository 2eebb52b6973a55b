/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual machine: KVM's VM object, guest RAM, what the vCPUs may see of the CPU. */
#ifndef KVMRUN_VM_H
#define KVMRUN_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../shim/abi.h"

struct config;
struct kvm_cpuid2;

/* A piece of guest-physical memory that KVM knows of. */
struct memslot {
	gpa_t gpa;
	uint8_t *host;
	uint64_t len;
};
#define VM_SLOTS	64	/* two parts that grow by doubling, up to 8 TiB */

struct vm {
	const struct config *config;
	const char *program;	/* its path as found */
	const char *device_path;
	int device, fd;
	size_t run_size;	/* bytes of a vCPU's struct kvm_run and what follows it */
	uid_t uid;
	gid_t gid;
	uint32_t ncpus;		/* that this process may use */
	uint64_t stack_limit;	/* RLIMIT_STACK, bytes */
	gpa_t pml4;		/* the guest's page tables */
	gpa_t frame;		/* vCPU 0's frame */
	uint32_t max_vcpus;	/* of one VM, by the device */
	uint32_t max_threads;	/* vCPUs that a program may have */
	uint32_t first_vcpu;	/* KVM's number for the program's vCPU 0 ... */
	uint32_t made_vcpus;	/* ... and for the next one that was never made; by who makes them, one at a time */
	uint8_t *ram;		/* host address of GPA 0; private: go through guest_ptr() */
	uint64_t ram_size;	/* bytes, a multiple of ABI_HUGE */
	pthread_mutex_t ram_lock;	/* vm_ram(), by which alone the next three change */
	atomic_ulong ram_ready;	/* how much of ram_size KVM knows of, likewise */
	uint32_t slots;		/* all that KVM knows of, by the number of the memslot */
	struct memslot slot[VM_SLOTS];
	gpa_t window;		/* guest-physical: window.h */
	uint64_t window_size;	/* 0: there is none */
	uint8_t *window_host;	/* NULL until something is mapped there; private: go through guest_mem() */
	atomic_ulong window_ready;	/* how much of it KVM knows of, likewise by ram_lock */
	uint64_t mem_limit;	/* --mem */
	struct kvm_cpuid2 *cpuid;	/* what the guest sees; NULL when the device has no CPUID calls */
	uint64_t xcr0;		/* 0: no XSAVE */
	uint32_t xsave_size;
	uint64_t cr4;		/* a vCPU's first CR4 */
	uint32_t boot_flags;	/* ABI_BOOT_* that follow from the CPU */
	/* where the program's first stack has what it began with: its gva, and its arguments, environment and auxv */
	gva_t stack;
	gpa_t args, env, auxv;
	uint64_t args_len, env_len, auxv_len;
	gpa_t clock;		/* the guest's struct abi_clock */
	uint32_t entry;		/* the shim's, struct abi_image */
	gva_t access, access_failed;	/* likewise */
	enum abi_mode mode;	/* 0 until ABI_OP_BOOTED */
};

/*
 * Makes the VM on device and its RAM: config->mem_bytes for the program and room
 * for the shim and page tables beside it; no part of it is touched, so that its
 * size costs nothing. Failure is one line on stderr and exit status 125.
 */
void vm_create(struct vm *vm, const struct config *config, int device, const char *device_path);

/* Another VM, without vCPUs, that has the same memory. Failure is one line and exit status 125. */
void vm_renew(struct vm *vm);

/*
 * The same for another program in this process: it gets other vCPUs, of which nothing was ever in use; of this
 * VM as long as there are enough, which spares the making and, what is slower, the end of one.
 */
void vm_reuse(struct vm *vm);

/* All of memory is zero again. */
void vm_clear(struct vm *vm);

/*
 * Has KVM know at least the first upto bytes of RAM: memslots are made in
 * growing pieces, since some hypervisors spend time and memory by their size.
 * Any thread. 0, or -errno.
 */
int vm_ram(struct vm *vm, uint64_t upto);

/* The same for the window, whose host addresses are reserved. */
int vm_window(struct vm *vm, uint64_t upto);

/*
 * The one way from a guest-physical address to host memory: len bytes at gpa, or
 * NULL when not all of them are guest RAM, or all of the window. len may be 0. What
 * is in the window may fault: it is for system calls and guest_copy() alone.
 */
void *guest_mem(const struct vm *vm, gpa_t gpa, uint64_t len);

/* The same for what has to be RAM, and is as any other memory. */
void *guest_ptr(const struct vm *vm, gpa_t gpa, uint64_t len);

/* Of guest memory, which the guest may change at any time: one look. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))

#endif
