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

#include <linux/syscore_ops.h>

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

#endif
#endif
