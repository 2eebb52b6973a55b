/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_MAIN_H
#define KVMRUN_MAIN_H

#include <linux/types.h>

/* struct kvm_run's page and the port I/O data page */
#define VCPU_MMAP_SIZE (2 * 4096)

/* What a CPU must be like for a vendor's implementation; the first one not met is the refusal. */
struct requirement {
	bool (*met)(void);
	int error;
	const char *refusal;
};

/* 0, or the first error, its refusal in the log. */
int main_check(const struct requirement *requirements, size_t n);
/* Is hypervisor mode on, on this CPU? Interrupts are disabled. */
bool main_cpu_enabled(void);
/* Is there a module of that name, loaded, being loaded or built in? */
bool main_module_loaded(const char *name);
/* Before there is a VM: from now on a crash's kexec switches hypervisor mode off. */
void main_prepare_for_crash(void);

#endif
