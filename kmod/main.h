/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_MAIN_H
#define KVMRUN_MAIN_H

#include <linux/types.h>

/* struct kvm_run's page and the port I/O data page */
#define VCPU_MMAP_SIZE (2 * 4096)

/* Is hypervisor mode on, on this CPU? Interrupts are disabled. */
bool main_cpu_enabled(void);

#endif
