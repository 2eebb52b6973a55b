/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that this builds for, 6.1 to 6.12; nothing
 * outside of this file looks at a kernel's version or configuration.
 */
#ifndef KVMRUN_COMPAT_H
#define KVMRUN_COMPAT_H

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

#include <linux/cpufeature.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/syscore_ops.h>
#include <linux/version.h>
#include <asm/reboot.h>

/* Kernels without KVM have nobody to call when they crash. */
#if !IS_ENABLED(CONFIG_KVM_INTEL) && !IS_ENABLED(CONFIG_KVM_AMD)
#define cpu_emergency_register_virt_callback(callback) ((void)(callback))
#define cpu_emergency_unregister_virt_callback(callback) ((void)(callback))
#endif

/* Newer kernels pass the operations a pointer, and have them in a struct of their own. */
#ifdef SYSCORE_HAS_DATA
#define SYSCORE_ARG void *unused
#define DEFINE_SYSCORE(name, ...)						\
	static const struct syscore_ops name##_ops = { __VA_ARGS__ };		\
	static struct syscore name = { .ops = &name##_ops }
#else
#define SYSCORE_ARG void
#define DEFINE_SYSCORE(name, ...) static struct syscore_ops name = { __VA_ARGS__ }
#define register_syscore register_syscore_ops
#define unregister_syscore unregister_syscore_ops
#endif

/*
 * The page frame at a host address in a VM_PFNMAP area, under the mmap_lock, as
 * long as no MMU notifier says otherwise. 0, or -EINVAL when none is mapped.
 */
static inline int compat_follow_pfn(struct vm_area_struct *vma, unsigned long hva,
				    unsigned long *pfn, bool *writable)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	struct follow_pfnmap_args args = { .vma = vma, .address = hva };
	int r = follow_pfnmap_start(&args);

	if (r)
		return r;
	*pfn = args.pfn;
	*writable = args.writable;
	follow_pfnmap_end(&args);
#else
	spinlock_t *lock;
	pte_t *pte;
	int r = follow_pte(vma->vm_mm, hva, &pte, &lock);

	if (r)
		return r;
	__acquire(lock);	/* which sparse cannot know */
	*pfn = pte_pfn(*pte);
	*writable = pte_write(*pte);
	pte_unmap_unlock(pte, lock);
#endif
	return 0;
}

/* 6.1 does not know FRED. */
static inline bool compat_has_fred(void)
{
#ifdef X86_FEATURE_FRED
	return cpu_feature_enabled(X86_FEATURE_FRED);
#else
	return false;
#endif
}

/* How long the task has waited for a CPU, in ns. */
static inline u64 compat_run_delay(void)
{
#ifdef CONFIG_SCHED_INFO
	return current->sched_info.run_delay;
#else
	return 0;
#endif
}

static inline bool compat_has_run_delay(void)
{
	return IS_ENABLED(CONFIG_SCHED_INFO);
}

#endif
#endif
