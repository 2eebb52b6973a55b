/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * svm_entry.S - into the guest by VMRUN, and back
 *
 * VMRUN itself swaps RAX, RSP, RIP, RFLAGS, the control registers and the
 * segments ES, CS, SS, DS. The other general registers are swapped here, the
 * other segments and the system call MSRs by VMLOAD and VMSAVE.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/frame.h>
#include <asm/nospec-branch.h>

#include "compat.h"

#define REG(n) (8 * (n))

/* offsets in vcpu->regs: enum reg */
#define RCX REG(1)
#define RDX REG(2)
#define RBX REG(3)
#define RBP REG(5)
#define RSI REG(6)
#define RDI REG(7)

.section .noinstr.text, "ax"

/* void svm_enter(unsigned long *regs, u64 vmcb_pa, u64 host_pa) */
SYM_FUNC_START(svm_enter)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi		/* regs */
	push	%rdx		/* host_pa */
	push	%rsi		/* vmcb_pa */

	mov	%rdi, %rax
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

	/* GIF is clear: this only says that an interrupt may end the guest's run */
	sti
	mov	(%rsp), %rax
	vmload	%rax
	vmrun	%rax
	vmsave	%rax
	cli

	/* the guest's GS base is in place until here */
	mov	8(%rsp), %rax
	vmload	%rax

	/* what the guest left in the return stack must not steer the host */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT

	mov	16(%rsp), %rax
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

	/* before the first return on the host's side */
	UNTRAIN_RET_AFTER_GUEST

	/* nothing of the guest's stays for the host to use speculatively */
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d

	add	$24, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(svm_enter)
