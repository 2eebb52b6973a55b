/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runner's own touch of memory that a file may have left: window.h. A fault
 * between the two labels has its handler move RIP to guest_access_failed.
 */
	.text
	.globl guest_copy, guest_probe, guest_access, guest_access_failed
	.type guest_copy, @function
	.type guest_probe, @function

guest_copy:				/* RDI to, RSI from, RDX bytes */
	mov %rdx, %rcx
guest_access:
	rep movsb
	jmp guest_access_failed

guest_probe:				/* RDI where, ESI whether to write */
	mov $1, %ecx
	test %esi, %esi
	jnz 1f
	testb $0, (%rdi)
	jmp 2f
1:	lock orb $0, (%rdi)		/* changes nothing */
2:	xor %ecx, %ecx

guest_access_failed:
	mov %rcx, %rax
	ret

	.section .note.GNU-stack, "", @progbits
