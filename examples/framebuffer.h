/* SPDX-License-Identifier: GPL-2.0-only */
/* framebuffer.h - what framebuffer.c and its guest agree on */
#ifndef EXAMPLES_FRAMEBUFFER_H
#define EXAMPLES_FRAMEBUFFER_H

#define FRAMEBUFFER	0xe0000000	/* guest-physical; a byte is a pixel */
#define WIDTH		512
#define HEIGHT		384
#define FRAME_PORT	0x3da		/* written to after each frame: 1, and 0 after the last */

#define BAND		64		/* rows of the picture that are a frame */
#define BOX		64		/* a box of that size and colour jumps over it after that */
#define BOX_COLOUR	255
#define BOXES		4

#endif
