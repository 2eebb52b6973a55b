/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the guest enters and leaves the shim.
 *
 * The shim runs in one of two modes, found by the probe at boot:
 *
 * KERNEL	SYSCALL and exceptions arrive at CPL 0, on the shim's stack, as
 *		on hardware.
 * USER		Software hypervisors that run CPL 3 natively and interpret
 *		CPL 0 leave SYSCALL at CPL 3. Everything then runs at CPL 3 but
 *		the few instructions below that must not: an exception's stub
 *		bounces to CPL 3, and a TLB flush goes through ud2. The shim's
 *		pages are the program's to scribble on in this mode; the border
 *		that protects the host, the VM's, is the same.
 *
 * Both build the same struct regs at the top of the shim's stack. Neither uses
 * GS: a vCPU finds its own struct cpu relative to RIP (the entry page is
 * mapped once per vCPU, at a fixed distance from that vCPU's struct cpu), and
 * from then on by its stack.
 */
#include "layout.h"

#define KERNEL_CS	0x08
#define KERNEL_SS	0x10
#define USER_SS		0x2b
#define USER_CS		0x33
#define TSS		0x38
#define PORT		0xe0
#define MODE_KERNEL	1
#define MODE_USER	2

#define MSR_STAR	0xc0000081
#define MSR_LSTAR	0xc0000082
#define MSR_SFMASK	0xc0000084
#define SFMASK		0x47700		/* AC NT IOPL DF IF TF */
#define USER_FLAGS	0x202

	.section .text.head, "ax"
	.globl image_header, entry_syscall, tlb_flush, vm_exit

/* struct abi_image */
image_header:
	.quad 0x6e75726d766b
	.long 1
	.long start - image_header
	.long text_size
	.long rodata_end_offset
	.long data_end_offset
	.long bss_end_offset
	.long vdso_offset
	.long vdso_size
	.long user_copy - image_header
	.long user_access_failed - image_header

/* ------------------------------------------------------------------ calls */

	.balign 64
entry_syscall:
	mov %rsp, cpu0 + CPU_USER_RSP(%rip)
	lea cpu0(%rip), %rsp
	movq $0, CPU_IN_USER(%rsp)
	pushq $USER_SS
	pushq CPU_USER_RSP + 8(%rsp)
	pushq %r11
	pushq $USER_CS
	pushq %rcx
	pushq %rax
	pushq $VEC_CALL
	cld
	mov $entry_call, %rcx		/* absolute: this page is mapped elsewhere for other vCPUs */
	jmp *%rcx

.macro PUSH_GPRS
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm

entry_call:
	PUSH_GPRS
	mov %rsp, %rdi
	call call_entry
	jmp exit_restart

/* ------------------------------------------------------ exceptions, CPL 0 */

.macro KSTUB n, err=0
k\n:
	.if !\err
	pushq $0
	.endif
	pushq $\n
	jmp ktrap
.endm

	KSTUB 0
	KSTUB 1
	KSTUB 2
	KSTUB 3
	KSTUB 4
	KSTUB 5
	KSTUB 6
	KSTUB 7
	KSTUB 8, 1
	KSTUB 10, 1
	KSTUB 11, 1
	KSTUB 12, 1
	KSTUB 13, 1
	KSTUB 14, 1
	KSTUB 16
	KSTUB 17, 1
	KSTUB 18
	KSTUB 19
	KSTUB 20
	KSTUB 21, 1
	KSTUB 32

ktrap:
	PUSH_GPRS
	cld
	testb $3, REGS_RIP + 8(%rsp)	/* CS: a fault of the shim's own has no place at the stack's top */
	jz 1f
	mov %cr2, %rax
	mov %rax, REGS_SIZE + CPU_CR2(%rsp)
	movq $0, REGS_SIZE + CPU_IN_USER(%rsp)
1:	mov %rsp, %rdi
	call trap_entry
	/* fall through */

/* ------------------------------------------------------ back to the program */

/*
 * The saved registers stay whole on the stack until the last instruction, so
 * that USER mode, where the kick vector can arrive anywhere, may start again
 * from exit_restart. KERNEL mode runs with interrupts off.
 *
 * In this order, with a barrier between: who wants this vCPU's attention and still
 * finds it in the shim need not interrupt it.
 */
exit_restart:
	mov $1, %eax
	xchg %rax, REGS_SIZE + CPU_IN_USER(%rsp)
	cmpl $0, REGS_SIZE + CPU_ATTENTION(%rsp)
	jne exit_slow
	mov REGS_SIZE + CPU_FRAME(%rsp), %rax
	cmpl $0, FRAME_KICK(%rax)
	jne exit_slow
	mov (%rsp), %r15
	mov 8(%rsp), %r14
	mov 16(%rsp), %r13
	mov 24(%rsp), %r12
	mov 32(%rsp), %rbp
	mov 40(%rsp), %rbx
	mov 56(%rsp), %r10
	mov 64(%rsp), %r9
	mov 72(%rsp), %r8
	mov REGS_RAX(%rsp), %rax
	mov 96(%rsp), %rdx
	mov 104(%rsp), %rsi
	mov 112(%rsp), %rdi
	cmpb $MODE_USER, shim_mode(%rip)
	je exit_iret
	cmpq $VEC_CALL, REGS_VEC(%rsp)
	jne exit_iret
	/*
	 * SYSRET, where it can do no harm: it faults at CPL 0 on a RIP that is
	 * not canonical, and cannot set RF or leave TF as it was.
	 */
	mov REGS_RIP(%rsp), %rcx
	mov REGS_RFLAGS(%rsp), %r11
	bt $47, %rcx
	jc exit_iret
	test $0x10100, %r11d
	jnz exit_iret
	mov REGS_RSP(%rsp), %rsp
	sysretq
exit_iret:
	mov 48(%rsp), %r11
	mov 88(%rsp), %rcx
	add $REGS_RIP, %rsp
	iretq
exit_end:

exit_slow:
	movq $0, REGS_SIZE + CPU_IN_USER(%rsp)
	mov %rsp, %rdi
	call exit_work
	jmp exit_restart

	.globl exit_program
/* To what the registers at the top of this vCPU's stack say. */
exit_program:
	or $STACK_SIZE - 1, %rsp
	sub $REGS_SIZE - 1, %rsp
	jmp exit_restart

/* ------------------------------------------------------ exceptions, CPL 3 */

/*
 * CPL 0 code is interpreted at over a microsecond an instruction in this mode,
 * so a stub only sends the CPU to utrap at CPL 3. The stack is cpu->trap.
 */
.macro USTUB n, err=0
u\n:
	.if !\err
	pushq $0
	.endif
	pushq $\n
	jmp ubounce
.endm

	USTUB 0
	USTUB 1
	USTUB 2
	USTUB 3
	USTUB 4
	USTUB 5
	USTUB 7
	USTUB 8, 1
	USTUB 10, 1
	USTUB 11, 1
	USTUB 12, 1
	USTUB 13, 1
	USTUB 16
	USTUB 17, 1
	USTUB 18
	USTUB 19
	USTUB 20
	USTUB 21, 1

/* #UD is also the way to CPL 0: for a TLB flush, and once for the probe. */
u6:
	cmpq $user_gate, (%rsp)
	jne 1f
	test %rdi, %rdi
	jz 2f
	invlpg (%rdi)
	jmp 3f
2:	mov %cr3, %rax
	mov %rax, %cr3
3:	addq $2, (%rsp)
	iretq
1:	cmpq $probe_gate, (%rsp)
	je probe_set
	pushq $0
	pushq $6
ubounce:
	pushq $USER_SS
	pushq CPU_STACK_TOP - (CPU_TRAP_TOP - 64)(%rsp)
	pushq $USER_FLAGS
	pushq $USER_CS
	pushq $utrap
	iretq

/* #PF brings CR2 along; utrap_pf expects it in RAX and RAX in the trap area. */
u14:
	pushq %rax
	mov %cr2, %rax
	pushq $USER_SS
	pushq CPU_STACK_TOP - (CPU_TRAP_TOP - 64)(%rsp)
	pushq $USER_FLAGS
	pushq $USER_CS
	pushq $utrap_pf
	iretq

/* At CPL 3, on the shim's stack (RSP = struct cpu): take the frame over from cpu->trap. */
utrap:
	.rept 7				/* SS RSP RFLAGS CS RIP error vector: each 8 lower, like RSP */
	pushq CPU_TRAP_TOP - 8(%rsp)
	.endr
	PUSH_GPRS
	cld
	jmp utrap_call
utrap_pf:
	.rept 6
	pushq CPU_TRAP_TOP - 8(%rsp)
	.endr
	pushq $14
	mov %rax, 56 + CPU_CR2(%rsp)
	mov 56 + CPU_TRAP_TOP - 56(%rsp), %rax
	PUSH_GPRS
	cld
utrap_call:
	movq $0, REGS_SIZE + CPU_IN_USER(%rsp)
	mov %rsp, %rdi
	call trap_entry
	jmp exit_restart

/*
 * The kick, on cpu->kick_stack: from the program it is one more trap; from the
 * shim it need do nothing, for the shim looks at frame->kick on its way out,
 * unless it has just looked: then it looks again.
 */
u32:
	cmpl $0, 4(%rsp)		/* upper half of RIP */
	js 1f
	.rept 5				/* RIP CS RFLAGS RSP SS into cpu->trap */
	popq (CPU_TRAP_TOP - 40) - (CPU_KICK_TOP - 32)(%rsp)
	.endr
	lea CPU_TRAP_TOP - 40 - CPU_KICK_TOP(%rsp), %rsp
	pushq $0
	pushq $32
	jmp ubounce
1:	pushq %rax
	mov 8(%rsp), %rax
	cmp $exit_restart, %rax
	jb 2f
	cmp $exit_end, %rax
	jae 2f
	movq $exit_restart, 8(%rsp)
	lea 48 - CPU_KICK_TOP - REGS_SIZE(%rsp), %rax
	mov %rax, 32(%rsp)
2:	popq %rax
	iretq

/* ---------------------------------------------------------------- services */

tlb_flush:
	cmpb $MODE_USER, shim_mode(%rip)
	je user_gate
	test %rdi, %rdi
	jz 1f
	invlpg (%rdi)
	ret
1:	mov %cr3, %rax
	mov %rax, %cr3
	ret
user_gate:
	ud2
	ret

vm_exit:
	out %eax, $PORT
	ret

/* -------------------------------------------------------------------- boot */

start:
	test %edi, %edi
	jz 1f
	mov %edi, %eax			/* on at the same place of the vCPU's own window */
	shl $CPU_SHIFT, %rax
	add $CPU_WINDOW, %rax
	add $1f - image_header, %rax
	jmp *%rax
1:	lea cpu0(%rip), %rsp
	mov %rsp, CPU_STACK_TOP(%rsp)
	lea CPU_TSS(%rsp), %rax
	lea CPU_TRAP_TOP(%rsp), %rdx
	mov %rdx, 4(%rax)		/* TSS.RSP0: USER mode's, for the probe */
	lea CPU_KICK_TOP(%rsp), %rdx
	mov %rdx, 36(%rax)		/* TSS.IST1 */
	movw $104, 102(%rax)		/* I/O bitmap */
	mov %ax, CPU_GDT + TSS + 2(%rsp)
	shr $16, %rax
	mov %al, CPU_GDT + TSS + 4(%rsp)
	mov %ah, CPU_GDT + TSS + 7(%rsp)
	movb $0x89, CPU_GDT + TSS + 5(%rsp)	/* not busy: a process's first vCPU has its parent's */
	movl $-1, CPU_GDT + TSS + 8(%rsp)
	sub $32, %rsp
	lea 32 + CPU_GDT(%rsp), %rax
	movw $79, 6(%rsp)
	mov %rax, 8(%rsp)
	lgdt 6(%rsp)
	lea user_idt(%rip), %rax
	movw $33 * 16 - 1, 6(%rsp)
	mov %rax, 8(%rsp)
	lidt 6(%rsp)
	mov $TSS, %eax
	ltr %ax
	mov $MSR_STAR, %ecx
	xor %eax, %eax
	mov $0x00230008, %edx
	wrmsr
	mov $MSR_SFMASK, %ecx
	mov $SFMASK, %eax
	xor %edx, %edx
	wrmsr
	cmpb $MODE_KERNEL, shim_mode	/* what follows is by absolute addresses */
	je start_kernel
	cmpb $MODE_USER, shim_mode
	je start_user
	mov $MSR_LSTAR, %ecx
	mov $probe_entry, %rax
	mov $-1, %edx
	wrmsr
	/* the probe: where does a SYSCALL from CPL 3 arrive? */
	mov %rsp, %rax
	pushq $USER_SS
	pushq %rax
	pushq $USER_FLAGS
	pushq $USER_CS
	pushq $probe_user
	iretq
probe_user:
	syscall
probe_entry:
	mov %cs, %eax
	test $3, %al
	jnz probe_is_user
	lea cpu0(%rip), %rsp
	call set_kernel
	call set_lstar
	mov $MODE_KERNEL, %edi
	jmp 1f
probe_is_user:
probe_gate:
	ud2				/* probe_set at CPL 0 */
	lea cpu0(%rip), %rsp
	mov $MODE_USER, %edi
1:	mov %dil, shim_mode(%rip)
	lea cpu0 - REGS_SIZE(%rip), %rsp
	call shim_boot			/* fills in the program's registers, at the stack's top */
	jmp exit_restart

probe_set:
	call set_lstar
	addq $2, (%rsp)
	iretq

/* What KERNEL mode has otherwise; RSP is 8 below struct cpu. */
set_kernel:
	lea kernel_idt(%rip), %rax
	movw $33 * 16 - 1, -10(%rsp)
	mov %rax, -8(%rsp)
	lidt -10(%rsp)
	lea 8(%rsp), %rax
	mov %rax, 8 + CPU_TSS + 4(%rsp)		/* TSS.RSP0: the shim's stack */
	movw $0xffff, 8 + CPU_TSS + 102(%rsp)	/* no I/O bitmap: CPL 3 has no ports */
	ret

set_lstar:
	lea entry_syscall(%rip), %rax
	mov %rax, %rdx
	shr $32, %rdx
	mov $MSR_LSTAR, %ecx
	wrmsr
	ret

/* Any other vCPU: there is a thread for it. */
start_kernel:
	lea cpu0(%rip), %rsp
	call set_kernel
	call set_lstar
	mov shim_cr4, %rax
	mov %rax, %cr4
	lea cpu0 - REGS_SIZE(%rip), %rsp
	mov $thread_start, %rax
	call *%rax
start_user:
	call set_lstar
	lea cpu0 - REGS_SIZE(%rip), %rax
	pushq $USER_SS
	pushq %rax
	pushq $USER_FLAGS
	pushq $USER_CS
	pushq $1f
	iretq
1:	call thread_start

	.globl enable_smep_smap
/* KERNEL mode, once the shim's pages have lost the U bit: CR4 |= rdi. */
enable_smep_smap:
	mov %cr3, %rax
	mov %rax, %cr3
	mov %cr4, %rax
	or %rdi, %rax
	mov %rax, %cr4
	mov %rax, shim_cr4
	ret

/* -------------------------------------------------------------------- tables */

/* A 64-bit interrupt gate; the shim's base has 16 zero bits, its image is smaller than 64 KiB. */
.macro GATE handler, type=0x8e, ist=0
	.word \handler - image_header
	.word KERNEL_CS
	.byte \ist, \type
	.word 0x8000
	.long 0xffffffff, 0
.endm
.macro NOGATE
	.quad 0, 0
.endm

	.balign 16
kernel_idt:
	GATE k0
	GATE k1
	GATE k2
	GATE k3, 0xee
	GATE k4, 0xee
	GATE k5
	GATE k6
	GATE k7
	GATE k8
	NOGATE
	GATE k10
	GATE k11
	GATE k12
	GATE k13
	GATE k14
	NOGATE
	GATE k16
	GATE k17
	GATE k18
	GATE k19
	GATE k20
	GATE k21
	.rept 10
	NOGATE
	.endr
	GATE k32

user_idt:
	GATE u0
	GATE u1
	GATE u2
	GATE u3, 0xee
	GATE u4, 0xee
	GATE u5
	GATE u6
	GATE u7
	GATE u8
	NOGATE
	GATE u10
	GATE u11
	GATE u12
	GATE u13
	GATE u14
	NOGATE
	GATE u16
	GATE u17
	GATE u18
	GATE u19
	GATE u20
	GATE u21
	.rept 10
	NOGATE
	.endr
	GATE u32, 0x8e, 1
	.org 0x1000			/* all of the above is in the page that each vCPU's window has */

	.data
	.balign 8
shim_cr4:
	.quad 0
	.globl shim_mode
shim_mode:
	.byte 0

/* vCPU 0's stack and struct cpu: the stack's size is also the alignment. */
	.section .data.cpu, "aw"
	.balign STACK_SIZE
	.skip STACK_SIZE
	.globl cpu0
cpu0:
	.skip CPU_GDT
	.quad 0
	.quad 0x00af9b000000ffff	/* KERNEL_CS */
	.quad 0x00cf93000000ffff	/* KERNEL_SS */
	.quad 0, 0
	.quad 0x00cff3000000ffff	/* USER_SS */
	.quad 0x00affb000000ffff	/* USER_CS */
	.quad 0x0000890000000087	/* TSS: limit with the I/O bitmap; its base is set at boot */
	.quad 0, 0
	.skip 104			/* the TSS */
	.skip 28, 0xff			/* I/O bitmap: ABI_PORT's four bits are clear */
	.byte 0xf0, 0xff, 0xff, 0xff

	.section .note.GNU-stack, "", @progbits
