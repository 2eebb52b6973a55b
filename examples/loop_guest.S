/* SPDX-License-Identifier: GPL-2.0-only */
/* loop_guest.S - does, in real mode, one thing of each kind that loop.c handles */
#define AT(label) label - guest + 0x1000

	.section .rodata
	.globl	guest, guest_end
	.code16
guest:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	$AT(on_interrupt), 0x20 * 4	/* the vector that loop.c interrupts with */
	movw	%ax, 0x20 * 4 + 2

	movw	$AT(hello), %si			/* a string to a port */
	movw	$hello_end - hello, %cx
	movw	$0xe9, %dx
	cld
	rep outsb

	inb	$0x40, %al			/* a number from a port */

	movw	$0xd000, %bx			/* device memory: a number in, its double out */
	movw	%bx, %es
	movzbl	%al, %eax
	movl	%eax, %es:0
	movl	%es:4, %ebx

	movw	$0xa000, %ax			/* pages 0, 5 and 6 of the framebuffer */
	movw	%ax, %es
	movb	$1, %es:0
	movb	$2, %es:0x5000
	movb	$3, %es:0x6fff

	xorw	%cx, %cx
	sti					/* wait for three interrupts */
1:	hlt
	cmpw	$3, %cx
	jb	1b

	movw	$0x600d, %ax			/* a word to the port that ends it */
	outw	%ax, $0xf4

on_interrupt:
	incw	%cx
	iretw

hello:	.ascii	"Hello from a virtual machine"
hello_end:
guest_end:
