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
#include "entry.h"

.section .noinstr.text, "ax"

/* void svm_enter(unsigned long *regs, u64 vmcb_pa, u64 host_pa) */
SYM_FUNC_START(svm_enter)
	PUSH_HOST_REGS
	push	%rdi		/* regs */
	push	%rdx		/* host_pa */
	push	%rsi		/* vmcb_pa */

	mov	%rdi, %rax
	LOAD_GUEST_REGS

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
	STORE_GUEST_REGS

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
	POP_HOST_REGS
	RET
SYM_FUNC_END(svm_enter)
