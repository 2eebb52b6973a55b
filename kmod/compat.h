/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that this builds for, 6.1 to 6.12; nothing
 * outside of this file looks at a kernel's version or configuration.
 */
#ifndef KVMRUN_COMPAT_H
#define KVMRUN_COMPAT_H

#include <linux/kconfig.h>

#ifdef __ASSEMBLY__

#include <asm/nospec-branch.h>

/* 6.1 has no UNTRAIN_RET for VM exits: its own and, on some CPUs, an IBPB. */
.macro UNTRAIN_RET_AFTER_GUEST
#ifdef UNTRAIN_RET_VM
	UNTRAIN_RET_VM
#else
	UNTRAIN_RET
	ALTERNATIVE "", "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT
#endif
.endm

#else

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/version.h>
#if IS_ENABLED(CONFIG_KVM_XFER_TO_GUEST_WORK)
#include <linux/entry-kvm.h>
#endif

/* Is there anything this task has to do before it goes on in the guest? */
static inline bool host_work_pending(void)
{
#if IS_ENABLED(CONFIG_KVM_XFER_TO_GUEST_WORK)
	return __xfer_to_guest_mode_work_pending();
#else
	return need_resched() || signal_pending(current);
#endif
}

/* Do it. 0, or -EINTR when a signal is to be handled first. May sleep. */
static inline int host_work(void)
{
#if IS_ENABLED(CONFIG_KVM_XFER_TO_GUEST_WORK)
	return xfer_to_guest_mode_handle_work(NULL);
#else
	if (signal_pending(current))
		return -EINTR;
	cond_resched();
	return 0;
#endif
}

#endif
#endif
