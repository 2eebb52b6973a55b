/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * framebuffer.c - what a guest draws, redrawn as its dirty log says
 *
 *	framebuffer [-o FILE.png] [DEVICE]
 *
 * At each frame of the guest's, only rows in pages that it has written since
 * the frame before are turned from 256 colours into RGB. At the end that
 * picture is written to FILE.png (framebuffer.png).
 */
#include <err.h>
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "framebuffer.h"
#include "vm.h"

#define PAGE		4096
#define PAGES		(WIDTH * HEIGHT / PAGE)
#define ROWS		(PAGE / WIDTH)		/* of a page */

struct rgb { uint8_t red, green, blue; };

static const uint8_t *framebuffer;
static struct rgb picture[HEIGHT][WIDTH];

/* 0 is black, 255 white; between, blue turns to yellow and fades. */
static struct rgb colour(uint8_t index)
{
	int up = index * 8 < 255 ? index * 8 : 255;

	if (!index)
		return (struct rgb){ 0, 0, 0 };
	if (index == BOX_COLOUR)
		return (struct rgb){ 255, 255, 255 };
	return (struct rgb){ up, up * 3 / 4, 160 - up / 2 };
}

static void redraw(int page)
{
	for (int row = page * ROWS; row < (page + 1) * ROWS; row++)
		for (int column = 0; column < WIDTH; column++)
			picture[row][column] = colour(framebuffer[row * WIDTH + column]);
}

/* Redraws what is dirty; prints it as ranges. */
static void redraw_frame(int vm, int frame)
{
	uint8_t bitmap[(PAGES + 7) / 8];
	struct classic_dirty_log log = { .slot = 1, .bitmap = bitmap };
	int pages = 0, first = -1;

	VM_CALL(vm, GET_DIRTY_LOG, &log);
	printf("frame %d: rows", frame);
	for (int page = 0; page <= PAGES; page++) {
		bool dirty = page < PAGES && bitmap[page / 8] >> page % 8 & 1;

		if (dirty) {
			redraw(page);
			pages++;
			if (first < 0)
				first = page;
		} else if (first >= 0) {
			printf(" %d-%d", first * ROWS, page * ROWS - 1);
			first = -1;
		}
	}
	printf(" (%d of %d pages)\n", pages, PAGES);
}

static void write_png(const char *path)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .width = WIDTH, .height = HEIGHT,
			    .format = PNG_FORMAT_RGB };

	if (!png_image_write_to_file(&image, path, 0, picture, sizeof(picture[0]), NULL))
		errx(1, "%s: %s", path, image.message);
	printf("%s: %d x %d pixels\n", path, WIDTH, HEIGHT);
}

int main(int argc, char **argv)
{
	const char *path = "framebuffer.png";
	struct classic_run run = { .vcpu = 0 };
	uint8_t *memory;
	int option, vm, frame = 0;

	while ((option = getopt(argc, argv, "o:")) != -1) {
		if (option != 'o') {
			fprintf(stderr, "usage: framebuffer [-o FILE.png] [DEVICE]\n");
			return 2;
		}
		path = optarg;
	}
	vm = vm_open(argv[optind]);
	memory = vm_memory(vm, 0, 0, 0, 0x10000);
	framebuffer = vm_memory(vm, 1, CLASSIC_LOG_DIRTY, FRAMEBUFFER, WIDTH * HEIGHT);
	memcpy(memory + GUEST_CODE, guest, guest_end - guest);
	vm_vcpu(vm, VM_PROTECTED, 0x8000);

	do {
		vm_run(vm, &run);
		if (run.exit_reason != CLASSIC_EXIT_IO || run.io.port != FRAME_PORT)
			errx(1, "exit reason %u is none that this guest has", run.exit_reason);
		redraw_frame(vm, frame++);
		run.emulated = 1;
	} while (run.io.value);

	write_png(path);
	return 0;
}
