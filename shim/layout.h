/* SPDX-License-Identifier: GPL-2.0-only */
/* Offsets that entry.S and shim.h share; shim.h asserts them. */
#ifndef KVMRUN_LAYOUT_H
#define KVMRUN_LAYOUT_H

#define STACK_SIZE	0x4000

#define REGS_SIZE	176	/* struct regs */
#define REGS_RAX	80
#define REGS_VEC	120
#define REGS_RIP	136
#define REGS_RFLAGS	152
#define REGS_RSP	160

#define CPU_USER_RSP	0	/* struct cpu */
#define CPU_FRAME	8
#define CPU_STACK_TOP	16
#define CPU_CR2		32
#define CPU_IN_USER	40
#define CPU_ATTENTION	48
#define CPU_TRAP	80
#define CPU_TRAP_TOP	192
#define CPU_KICK_TOP	448
#define CPU_GDT		448
#define CPU_TSS		528
#define CPU_SIZE	664

#define FRAME_KICK	72	/* struct abi_frame */

/*
 * vCPU 0's struct cpu is in the image. For vCPU n the image's first page, which is
 * all that runs before a vCPU knows itself, and what it has for its own are mapped
 * at CPU_WINDOW + n * CPU_STRIDE just as far from each other.
 */
#define CPU_WINDOW	0xffffffff90000000
#define CPU_SHIFT	18
#define CPU_STRIDE	(1 << CPU_SHIFT)

#define VEC_CALL	0x100

#endif
