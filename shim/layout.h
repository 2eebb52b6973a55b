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
#define CPU_TRAP	80
#define CPU_TRAP_TOP	192
#define CPU_KICK_TOP	448
#define CPU_GDT		448
#define CPU_TSS		528
#define CPU_SIZE	664

#define FRAME_KICK	72	/* struct abi_frame */

#define VEC_CALL	0x100

#endif
