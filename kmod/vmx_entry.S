/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmx_entry.S - into the guest by VMLAUNCH or VMRESUME, and back
 *
 * The processor itself swaps RSP, RIP, RFLAGS, CR0, CR3, CR4, the segments, and
 * the MSRs that VM-entry and VM-exit controls name. The other general registers
 * are swapped here.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/frame.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

#include "entry.h"

#define HOST_RSP 0x6c14	/* the VMCS field */

.section .noinstr.text, "ax"

/* bool vmx_enter(unsigned long *regs, bool launched, bool restore, u64 spec_ctrl) */
SYM_FUNC_START(vmx_enter)
	PUSH_HOST_REGS
	push	%rcx		/* spec_ctrl */
	push	%rdx		/* restore */
	push	%rdi		/* regs */
	push	%rsi		/* a byte for the result */

	mov	$HOST_RSP, %eax
	vmwrite	%rsp, %rax
	/* nothing until the branch on it changes CF: VERW changes ZF */
	bt	$0, %esi

	mov	%rdi, %rax
	LOAD_GUEST_REGS
	mov	RAX(%rax), %rax

	/* what the host left in the CPU's buffers is not for the guest */
	VM_CLEAR_CPU_BUFFERS

	jnc	.Llaunch
	vmresume
	jmp	vmx_exit_point
.Llaunch:
	vmlaunch

	/* an exit comes here with flags clear, an entry that failed with CF or ZF */
SYM_INNER_LABEL_ALIGN(vmx_exit_point, SYM_L_GLOBAL)
	ENDBR
	setbe	(%rsp)
	push	%rax
	mov	16(%rsp), %rax
	pop	RAX(%rax)
	STORE_GUEST_REGS

	/* what the guest left in the return stack must not steer the host */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, X86_FEATURE_RSB_VMEXIT_LITE

	/* IBRS is to be written before the first return, even if it is set already */
	cmpb	$0, 16(%rsp)
	je	.Lrestored
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	mov	24(%rsp), %eax
	mov	28(%rsp), %edx
	wrmsr
.Lrestored:
	lfence
	CLEAR_BRANCH_HISTORY_VMEXIT

	/* nothing of the guest's stays for the host to use speculatively */
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d

	movzbl	(%rsp), %eax
	add	$32, %rsp
	POP_HOST_REGS
	RET
SYM_FUNC_END(vmx_enter)
