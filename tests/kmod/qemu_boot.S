/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qemu_boot.S - what a PC's firmware boots in test_qemu.sh
 *
 * A disk image: the boot sector, and a second stage that it reads by the BIOS.
 * It goes through what old systems do, from real mode to long mode, and says
 * each step on port 0x402. At last it goes round letters for ever; state that
 * was lost on the way (of KVM's ioctls, by a migration) makes them '!'.
 */
#define PORT	0x402
#define SECTORS	8
#define TABLES	0x20000		/* PML4, PDPT, PD */
#define PD_32	0x23000
#define SCREEN	0xa0000
#define TICKS	0x46c		/* of the BIOS: 18 a second */

	.code16
	.global _start
_start:
	ljmp	$0, $1f
1:	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$0x7c00, %sp
	sti
	cld
	mov	%dl, drive
	mov	$hello, %si
	call	say
	/* three ticks: timer interrupts get through to HLT */
	mov	$3, %cx
2:	mov	TICKS, %ax
3:	hlt
	cmp	TICKS, %ax
	je	3b
	loop	2b
	mov	$timer, %si
	call	say
	mov	$(0x200 + SECTORS), %ax
	mov	$stage_2, %bx
	mov	$2, %cx
	xor	%dh, %dh
	mov	drive, %dl
	int	$0x13
	jc	bad
	cmpl	$0x12345678, last
	jne	bad
	jmp	stage_2
bad:	mov	$failed, %si
	call	say
4:	hlt
	jmp	4b

/* The string at DS:SI, by one REP OUTSB. */
say:	push	%cx
	push	%dx
	xor	%cx, %cx
	lodsb
	mov	%al, %cl
	mov	$PORT, %dx
	rep outsb
	pop	%dx
	pop	%cx
	ret

drive:	.byte 0
	.macro text name, string
\name:	.byte 2f - 1f
1:	.ascii "\string\n"
2:
	.endm
	text hello, "boot: real mode"
	text timer, "boot: timer"
	text failed, "boot: failed"
	.org 510
	.word 0xaa55

	.org 0x200
stage_2:
	mov	$read, %si
	call	say
	/* the VGA's registers: planes, so that the memory is MMIO */
	mov	$planes, %si
	mov	$(planes_end - planes) / 4, %cx
	call	set_ports
	mov	$(SCREEN / 16), %ax
	mov	%ax, %es
	mov	$0x5a, %al
	mov	%al, %es:0
	mov	$100, %cx
	mov	$1, %di
	rep stosb
	cmpb	$0x5a, %es:0
	jne	bad
	orb	$0x81, %es:1
	xorw	$0xff00, %es:1
	incb	%es:3
	mov	%es:0, %eax
	cmp	$0x5ba5db5a, %eax
	jne	bad
	/* 320 x 200 in 256 greys: memory, with a log of what is written */
	mov	$linear, %si
	mov	$(linear_end - linear) / 4, %cx
	call	set_ports
	mov	$0x3c8, %dx
	xor	%al, %al
	out	%al, %dx
	inc	%dx
6:	out	%al, %dx
	out	%al, %dx
	out	%al, %dx
	inc	%al
	jnz	6b
	mov	$0x3da, %dx		/* what is written next to 0x3c0 is an index: show the screen */
	in	%dx, %al
	mov	$0x3c0, %dx
	mov	$0x20, %al
	out	%al, %dx
	xor	%di, %di
	mov	$32000, %cx
	mov	$0x2a2a, %ax
	rep stosw
	cmpw	$0x2a2a, %es:63998
	jne	bad
	mov	$vga, %si
	call	say

	cli
	lgdt	gdtr
	mov	$(PD_32 >> 4), %ax
	mov	%ax, %es
	movl	$0x83, %es:0		/* 4 MiB at 0 */
	mov	$PD_32, %eax
	mov	%eax, %cr3
	mov	$0x10, %eax		/* PSE */
	mov	%eax, %cr4
	mov	%cr0, %eax
	or	$0x80000001, %eax
	mov	%eax, %cr0
	ljmpl	$8, $protected

/* CX pairs of a port and what to write to it, at SI. */
set_ports:
	lodsw
	mov	%ax, %dx
	lodsw
	out	%ax, %dx
	loop	set_ports
	ret
planes:	.word 0x3c4, 0x0604, 0x3c4, 0x0f02		/* no chains, all planes */
	.word 0x3ce, 0x0506, 0x3ce, 0x0005, 0x3ce, 0xff08, 0x3ce, 0x0004
planes_end:
linear:	.word 0x1ce, 4, 0x1cf, 0, 0x1ce, 1, 0x1cf, 320, 0x1ce, 2, 0x1cf, 200
	.word 0x1ce, 3, 0x1cf, 8, 0x1ce, 4, 0x1cf, 1
linear_end:

	.code32
protected:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$paged, %esi
	call	say_32
	/* off with paging, and on in 64 bits */
	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	mov	$0x620, %eax		/* PAE, SSE */
	mov	%eax, %cr4
	movl	$(TABLES + 0x1003), TABLES
	movl	$(TABLES + 0x2003), TABLES + 0x1000
	movl	$0x83, TABLES + 0x2000
	mov	$TABLES, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax
	and	$~0xc, %eax
	mov	%eax, %cr0
	ljmp	$24, $long_mode

say_32:	movzbl	(%esi), %ecx
	inc	%esi
	mov	$PORT, %edx
	rep outsb
	ret

	.code64
long_mode:
	mov	$long, %esi
	movzbl	(%rsi), %ecx
	inc	%rsi
	mov	$PORT, %edx
	rep outsb
	/* state of every kind */
	mov	$0x1122334455667788, %rax
	movq	%rax, %xmm5
	mov	%rax, %dr1
	push	$0
	fldpi
	mov	$0xc0000082, %ecx	/* LSTAR */
	mov	$0x12345678, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x3333333333333333, %r15
	xor	%r14, %r14
again:	mov	$0x4000, %ecx
5:	dec	%ecx
	jnz	5b
	mov	$0x1122334455667788, %rbx
	movq	%xmm5, %rax
	cmp	%rbx, %rax
	jne	lost
	mov	%dr1, %rax
	cmp	%rbx, %rax
	jne	lost
	mov	$0xc0000082, %ecx
	rdmsr
	cmp	$0x12345678, %eax
	jne	lost
	mov	$0x3333333333333333, %rbx
	cmp	%rbx, %r15
	jne	lost
	fld	%st(0)
	fistpl	(%rsp)
	cmpl	$3, (%rsp)
	jne	lost
	mov	%r14b, SCREEN
	lea	'a'(%r14), %eax
	jmp	6f
lost:	mov	$'!', %eax
6:	mov	$PORT, %dx
	out	%al, %dx
	inc	%r14
	cmp	$26, %r14
	jne	again
	mov	$'\n', %al
	out	%al, %dx
	xor	%r14, %r14
	jmp	again

	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00af9b000000ffff
gdtr:	.word . - gdt - 1
	.long gdt
	text read, "boot: disk"
	text vga, "boot: screen"
	text paged, "boot: protected mode, paged"
	text long, "boot: long mode"
	.org 0x200 + SECTORS * 512 - 4
last:
	.long 0x12345678
	.org 1474560	/* a floppy */
