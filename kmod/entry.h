/* SPDX-License-Identifier: GPL-2.0-only */
/* entry.h - the general registers, for the assembly that enters guests: all but RSP, and the RAX of AMD-V, are here */
#ifndef KVMRUN_ENTRY_H
#define KVMRUN_ENTRY_H

#define REG(n) (8 * (n))

/* offsets in vcpu->regs: enum reg */
#define RAX REG(0)
#define RCX REG(1)
#define RDX REG(2)
#define RBX REG(3)
#define RBP REG(5)
#define RSI REG(6)
#define RDI REG(7)

/* What the host's functions keep for their callers. */
.macro PUSH_HOST_REGS
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
.endm

.macro POP_HOST_REGS
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
.endm

/* The guest's, but for RAX and RSP, from and to vcpu->regs at RAX. */
.macro LOAD_GUEST_REGS
	mov	RCX(%rax), %rcx
	mov	RDX(%rax), %rdx
	mov	RBX(%rax), %rbx
	mov	RBP(%rax), %rbp
	mov	RSI(%rax), %rsi
	mov	RDI(%rax), %rdi
	mov	REG(8)(%rax), %r8
	mov	REG(9)(%rax), %r9
	mov	REG(10)(%rax), %r10
	mov	REG(11)(%rax), %r11
	mov	REG(12)(%rax), %r12
	mov	REG(13)(%rax), %r13
	mov	REG(14)(%rax), %r14
	mov	REG(15)(%rax), %r15
.endm

.macro STORE_GUEST_REGS
	mov	%rcx, RCX(%rax)
	mov	%rdx, RDX(%rax)
	mov	%rbx, RBX(%rax)
	mov	%rbp, RBP(%rax)
	mov	%rsi, RSI(%rax)
	mov	%rdi, RDI(%rax)
	mov	%r8, REG(8)(%rax)
	mov	%r9, REG(9)(%rax)
	mov	%r10, REG(10)(%rax)
	mov	%r11, REG(11)(%rax)
	mov	%r12, REG(12)(%rax)
	mov	%r13, REG(13)(%rax)
	mov	%r14, REG(14)(%rax)
	mov	%r15, REG(15)(%rax)
.endm

#endif
