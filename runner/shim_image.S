/* SPDX-License-Identifier: GPL-2.0-only */
/* The shim, as it is copied into each guest. */
	.section .rodata
	.balign 4096
	.globl shim_image, shim_image_end
shim_image:
	.incbin "shim.bin"
shim_image_end:
	.section .note.GNU-stack, "", @progbits
