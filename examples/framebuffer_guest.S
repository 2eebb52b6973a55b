/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * framebuffer_guest.S - draws the Mandelbrot set, a band after the other, and
 * then a box at some places of it, in 32-bit protected mode
 *
 * Numbers have 25 bits behind the point. The picture is 3 wide and 2.25 high
 * around (-0.75, 0), so a pixel is 3/512 in both directions.
 */
#include "framebuffer.h"

#define BITS	25
#define STEP	(3 << (BITS - 9))
#define LEFT	(-9 << (BITS - 2))
#define TOP	(-9 << (BITS - 3))
#define ROUNDS	200

	.section .rodata
	.globl	guest, guest_end
	.code32
guest:
	cld
	movl	$FRAMEBUFFER, %edi
	pushl	$TOP			/* 4(%esp): y */
	pushl	$LEFT			/* (%esp): x */
pixel:
	xorl	%esi, %esi		/* z = esi + ebx i */
	xorl	%ebx, %ebx
	movl	$1, %ecx
round:					/* z = z * z + (x + y i), while z is near */
	movl	%esi, %eax
	imull	%esi
	shrdl	$BITS, %edx, %eax
	movl	%eax, %ebp
	movl	%ebx, %eax
	imull	%ebx
	shrdl	$BITS, %edx, %eax
	leal	(%eax, %ebp), %edx
	cmpl	$(4 << BITS), %edx
	ja	far
	subl	%eax, %ebp
	addl	(%esp), %ebp
	movl	%ebx, %eax
	imull	%esi
	shrdl	$(BITS - 1), %edx, %eax
	addl	4(%esp), %eax
	movl	%eax, %ebx
	movl	%ebp, %esi
	incl	%ecx
	cmpl	$ROUNDS, %ecx
	jb	round
	xorl	%ecx, %ecx		/* of the set: colour 0 */
far:
	movl	%ecx, %eax		/* else how many rounds it took */
	stosb
	addl	$STEP, (%esp)
	testl	$(WIDTH - 1), %edi
	jnz	pixel
	movl	$LEFT, (%esp)
	addl	$STEP, 4(%esp)
	testl	$(WIDTH * BAND - 1), %edi
	jnz	pixel
	movb	$1, %al
	movw	$FRAME_PORT, %dx
	outb	%al, %dx
	cmpl	$(FRAMEBUFFER + WIDTH * HEIGHT), %edi
	jb	pixel

	/* the boxes: each 80 pixels right of and below the one before */
	movl	$(FRAMEBUFFER + 40 * WIDTH + 40), %ebx
	movl	$BOXES, %ebp
box:
	movl	%ebx, %edi
	movl	$BOX, %esi
1:	movl	$BOX, %ecx
	movb	$BOX_COLOUR, %al
	rep stosb
	addl	$(WIDTH - BOX), %edi
	decl	%esi
	jnz	1b
	addl	$(80 * WIDTH + 80), %ebx
	decl	%ebp
	setnz	%al
	outb	%al, %dx
	jnz	box
guest_end:
