/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * long interrupt_syscall(volatile uint32_t *pending, nr, a0, ..., a5)
 *
 * A signal that arrives before the label end finds its handler moving RIP to
 * cancel, so none is lost between the test and the SYSCALL; one that arrives
 * during it makes the call return -EINTR, or have RIP back at the SYSCALL to
 * restart it, which is before end as well.
 */
	.text
	.globl interrupt_syscall, interrupt_syscall_end, interrupt_syscall_cancel
	.globl interrupt_return
	.type interrupt_syscall, @function
interrupt_syscall:
	cmpl $0, (%rdi)
	jne interrupt_syscall_cancel
	mov %rsi, %rax
	mov %rdx, %rdi
	mov %rcx, %rsi
	mov %r8, %rdx
	mov %r9, %r10
	mov 8(%rsp), %r8
	mov 16(%rsp), %r9
	syscall
interrupt_syscall_end:
	ret
interrupt_syscall_cancel:
	mov $-4, %rax			/* -EINTR */
	ret

/* What a signal handler returns to: rt_sigreturn. */
interrupt_return:
	mov $15, %eax
	syscall

	.section .note.GNU-stack, "", @progbits
