/* SPDX-License-Identifier: GPL-2.0-only */
/* step_guest.S - the sum of the squares of 3, 2 and 1, in 32-bit protected mode */
	.section .rodata
	.globl	guest, guest_end, guest_square, guest_done
	.code32
guest:
	xorl	%ebx, %ebx
	movl	$3, %ecx
1:	movl	%ecx, %eax
	call	guest_square
	addl	%eax, %ebx
	loop	1b
guest_done:
	hlt

guest_square:
	imull	%eax, %eax
	ret
guest_end:
