/* SPDX-License-Identifier: GPL-2.0-only */
/* caps.c - what this module has, as KVM_CHECK_EXTENSION tells it */
#include <linux/cpumask.h>

#include "kvmrun.h"

static const struct {
	u16 cap;
	u16 value;
} caps[] = {
	{ KVM_CAP_USER_MEMORY, 1 },
	{ KVM_CAP_SET_TSS_ADDR, 1 },
	{ KVM_CAP_EXT_CPUID, 1 },
	{ KVM_CAP_MMU_SHADOW_CACHE_CONTROL, 1 },
	{ KVM_CAP_CLOCKSOURCE, 1 },
	{ KVM_CAP_NR_MEMSLOTS, MAX_SLOTS },
	{ KVM_CAP_NOP_IO_DELAY, 1 },
	{ KVM_CAP_MP_STATE, 1 },
	{ KVM_CAP_SYNC_MMU, 1 },
	{ KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1 },
	{ KVM_CAP_USER_NMI, 1 },
	{ KVM_CAP_SET_GUEST_DEBUG, 1 },
	/* for interrupt controllers in the kernel, of which a VM here has none; QEMU asks at start */
	{ KVM_CAP_IRQ_ROUTING, 4096 },
	{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1 },
	{ KVM_CAP_SET_BOOT_CPU_ID, 1 },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, 1 },
	{ KVM_CAP_INTERNAL_ERROR_DATA, 1 },
	{ KVM_CAP_VCPU_EVENTS, 1 },
	{ KVM_CAP_INTR_SHADOW, 1 },
	{ KVM_CAP_DEBUGREGS, 1 },
	{ KVM_CAP_X86_ROBUST_SINGLESTEP, 1 },
	{ KVM_CAP_XSAVE, 1 },
	{ KVM_CAP_GET_TSC_KHZ, 1 },
	{ KVM_CAP_MAX_VCPUS, MAX_VCPUS },
	{ KVM_CAP_SYNC_REGS, KVM_SYNC_X86_VALID_FIELDS },
	{ KVM_CAP_KVMCLOCK_CTRL, 1 },
	{ KVM_CAP_READONLY_MEM, 1 },
	{ KVM_CAP_ENABLE_CAP_VM, 1 },
	{ KVM_CAP_CHECK_EXTENSION_VM, 1 },
	{ KVM_CAP_VCPU_ATTRIBUTES, 1 },
	{ KVM_CAP_MAX_VCPU_ID, MAX_VCPU_ID },
	{ KVM_CAP_IMMEDIATE_EXIT, 1 },
	{ KVM_CAP_GET_MSR_FEATURES, 1 },
	{ KVM_CAP_MSR_PLATFORM_INFO, 1 },
	{ KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, DIRTY_LOGS },
	{ KVM_CAP_X86_USER_SPACE_MSR, 1 },
	{ KVM_CAP_X86_MSR_FILTER, 1 },
	{ KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1 },
	{ KVM_CAP_DISABLE_QUIRKS2, QUIRKS },
	{ KVM_CAP_BINARY_STATS_FD, 1 },
	{ KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1 },
};

int check_extension(unsigned long cap)
{
	size_t i;

	switch (cap) {
	case KVM_CAP_NR_VCPUS:
		return min_t(int, num_online_cpus(), MAX_VCPUS);
	case KVM_CAP_ADJUST_CLOCK:
		return clock_flags();
	case KVM_CAP_XSAVE2:
		return state_xsave_size();
	case KVM_CAP_XCRS:
		return state_xcr0_supported() != 0;
	}
	for (i = 0; i < ARRAY_SIZE(caps); i++)
		if (caps[i].cap == cap)
			return caps[i].value;
	return 0;
}
