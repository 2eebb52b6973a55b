/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_DEVICE_H
#define KVMRUN_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DEVICE_BUNDLED "/dev/kvmrun"
#define DEVICE_STOCK "/dev/kvm"

/*
 * Open the hypervisor's device (O_RDWR | O_CLOEXEC) and check that it speaks
 * KVM API 12. wanted is its path, or NULL for /dev/kvmrun when that can be
 * used and /dev/kvm otherwise. *path is set to the one opened; it is wanted or
 * a constant. Failure is one line on stderr and exit status 125.
 */
int device_open(const char *wanted, const char **path);

/*
 * KVM_CREATE_VM on a device of device_open(): the VM's descriptor, which the
 * kernel makes O_CLOEXEC. Failure is one line on stderr and exit status 125.
 */
int device_create_vm(int device, const char *path);

/* Where the trouble with a device came up. */
enum device_step {
	STEP_OPEN,	/* open(2) of the node */
	STEP_VERSION,	/* KVM_GET_API_VERSION; error 0: another version than 12 */
	STEP_VM,	/* KVM_CREATE_VM */
};

/* Kernel modules that tell who has, or could have, the processor's virtualization. */
enum device_module {
	MODULE_KVM_INTEL = 1 << 0,
	MODULE_KVM_AMD = 1 << 1,
	MODULE_KVMRUN = 1 << 2,
	MODULE_VBOX = 1 << 3,
	MODULE_VMWARE = 1 << 4,
};

enum cpu_virt { CPU_VIRT_NONE, CPU_VIRT_VMX, CPU_VIRT_SVM };

/* What the machine shows without a working device: enough to name the trouble. */
struct device_facts {
	enum cpu_virt cpu;	/* what CPUID offers */
	bool cpu_flag;		/* /proc/cpuinfo lists it: the firmware did not lock it */
	bool in_vm;		/* this machine is itself a VM */
	unsigned int loaded;	/* enum device_module: in /proc/modules */
	unsigned int builtin;	/* enum device_module: in /sys/module alone */
	bool registered;	/* the kernel has the device, whatever /dev shows */
	bool node;		/* the node exists; the next fields describe it */
	bool allowed;		/* its mode lets the user read and write */
	mode_t mode;
	char owner[32], group[32];
	char user[32];		/* who asks */
	bool member;		/* the user database has user in group */
};

/* Gather the facts for the device at path, with what /proc, /sys and CPUID say. */
void device_facts_gather(const char *path, struct device_facts *facts);

/*
 * Say in one line (without newline) what keeps the device at path from being
 * used and what to do: step failed with error (an errno). Depends on nothing
 * but its arguments.
 */
void device_trouble(char *line, size_t size, const char *path, enum device_step step, int error,
		    const struct device_facts *facts);

/*
 * device_open() of exactly path that does not end the process: the descriptor,
 * or -1 and *step and errno as device_trouble() takes them.
 */
int device_try(const char *path, enum device_step *step);

#endif
