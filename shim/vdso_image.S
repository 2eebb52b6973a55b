/* SPDX-License-Identifier: GPL-2.0-only */
	.section .vdso, "a"
	.incbin "vdso.so"
	.section .note.GNU-stack, "", @progbits
