/* SPDX-License-Identifier: GPL-2.0-only */
/* test_examples.c - the programs of examples/ print and draw what they should, on /dev/kvmrun */
#include <fcntl.h>
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "../../examples/framebuffer.h"

/* What a command prints; it must end with status 0. */
static const char *output_of(const char *command)
{
	static char output[8192];
	FILE *f;
	size_t n;

	if (access("/dev/kvmrun", R_OK | W_OK)) {
		print_message("no /dev/kvmrun here\n");
		skip();
	}
	f = popen(command, "r");
	assert_non_null(f);
	n = fread(output, 1, sizeof(output) - 1, f);
	output[n] = '\0';
	assert_int_equal(pclose(f), 0);
	return output;
}

static void the_loop_handles_every_exit_of_its_guest(void **state)
{
	assert_string_equal(output_of("build/examples/loop 2>&1"),
		"main memory at 0x0, framebuffer at 0xa0000, vCPU 0 at 0x1000\n"
		"port 0xe9: a string of 28 bytes: Hello from a virtual machine\n"
		"port 0x40: 1 byte in, which is 42\n"
		"memory 0xd0000: 4 bytes written: 42\n"
		"memory 0xd0004: 4 bytes read, which is 84\n"
		"halted: interrupt 0x20\n"
		"halted: interrupt 0x20\n"
		"halted: interrupt 0x20\n"
		"port 0xf4: 2 bytes out: 0x600d\n"
		"registers: rip 0x1052, ax 0x600d, ebx 84, cx 3\n"
		"framebuffer pages that were written: 0 5 6\n"
		"the framebuffer has 1, 2 and 3 there\n");
	(void)state;
}

/* A pixel as the guest should have drawn it and the example coloured it. */
static uint32_t expected(int x, int y)
{
	int64_t cx = -9 * (1ll << 23) + x * (3ll << 16), cy = -9 * (1ll << 22) + y * (3ll << 16);
	int64_t a = 0, b = 0;

	for (int box = 40; box < 40 + 80 * BOXES; box += 80)
		if (x >= box && x < box + BOX && y >= box && y < box + BOX)
			return 0xffffff;
	for (int n = 1; n < 200; n++) {
		int64_t a2 = a * a >> 25, b2 = b * b >> 25;
		uint32_t up = n * 8 < 255 ? n * 8 : 255;

		if (a2 + b2 > 4ll << 25)
			return up << 16 | (up * 3 / 4) << 8 | (160 - up / 2);
		b = (a * b >> 24) + cy;
		a = a2 - b2 + cx;
	}
	return 0;
}

static void the_framebuffer_is_redrawn_where_dirty_and_its_picture_is_right(void **state)
{
	char path[] = "/tmp/framebuffer-XXXXXX", command[128], want[1024];
	png_image image = { .version = PNG_IMAGE_VERSION };
	static uint8_t pixels[HEIGHT][WIDTH][3];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	snprintf(command, sizeof(command), "build/examples/framebuffer -o %s /dev/kvmrun 2>&1", path);
	snprintf(want, sizeof(want),
		 "frame 0: rows 0-63 (8 of 48 pages)\n"
		 "frame 1: rows 64-127 (8 of 48 pages)\n"
		 "frame 2: rows 128-191 (8 of 48 pages)\n"
		 "frame 3: rows 192-255 (8 of 48 pages)\n"
		 "frame 4: rows 256-319 (8 of 48 pages)\n"
		 "frame 5: rows 320-383 (8 of 48 pages)\n"
		 "frame 6: rows 40-103 (8 of 48 pages)\n"
		 "frame 7: rows 120-183 (8 of 48 pages)\n"
		 "frame 8: rows 200-263 (8 of 48 pages)\n"
		 "frame 9: rows 280-343 (8 of 48 pages)\n"
		 "%s: 512 x 384 pixels\n", path);
	assert_string_equal(output_of(command), want);

	assert_true(png_image_begin_read_from_file(&image, path));
	assert_int_equal(image.width, WIDTH);
	assert_int_equal(image.height, HEIGHT);
	image.format = PNG_FORMAT_RGB;
	assert_true(png_image_finish_read(&image, NULL, pixels, sizeof(pixels[0]), NULL));
	for (int y = 0; y < HEIGHT; y++) {
		for (int x = 0; x < WIDTH; x++) {
			uint8_t *p = pixels[y][x];
			uint32_t got = p[0] << 16 | p[1] << 8 | p[2];

			if (got != expected(x, y))
				fail_msg("pixel %d, %d is %06x, not %06x", x, y, got, expected(x, y));
		}
	}
	unlink(path);
	(void)state;
}

#define ROUND_OF_STEPS "step 0x1009\n" "step 0x1013\n" "step 0x1016\n" "step 0x100e\n" "step 0x1010\n"

static void a_guest_is_stepped_and_stopped_at_breakpoints(void **state)
{
	const char *output = output_of("build/examples/step 2>&1");
	char stops[2048] = "", what[32];
	unsigned int rip, ebx;

	for (const char *line = output; line; line = strchr(line, '\n')) {
		/* a blank one, too: sscanf would take the next for it */
		line += strspn(line, "\n");
		if (sscanf(line, "%31s rip %x eax %*u ebx %u", what, &rip, &ebx) != 3)
			continue;
		if (!strcmp(what, "step"))
			sprintf(stops + strlen(stops), "step %#x\n", rip);
		else
			sprintf(stops + strlen(stops), "%s %#x, ebx %u\n", what, rip, ebx);
	}
	assert_string_equal(stops,
		"start 0x1000, ebx 0\n"
		"step 0x1002\n"
		"step 0x1007\n" ROUND_OF_STEPS
		"step 0x1007\n" ROUND_OF_STEPS
		"step 0x1007\n" ROUND_OF_STEPS
		"step 0x1012\n"
		"halted 0x1013, ebx 14\n"
		"breakpoint 0x1013, ebx 0\n"
		"breakpoint 0x1013, ebx 9\n"
		"breakpoint 0x1013, ebx 13\n"
		"breakpoint 0x1012, ebx 14\n"
		"halted 0x1013, ebx 14\n");
	assert_non_null(strstr(output, "20 steps; the result is 14\n"));
	assert_non_null(strstr(output, "4 stops at 0x1013 and 0x1012\n"));
	(void)state;
}

static void an_example_says_which_device_is_not_there(void **state)
{
	assert_string_equal(output_of("build/examples/loop /dev/none 2>&1; test $? = 1"),
			    "loop: /dev/none: No such file or directory\n");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_loop_handles_every_exit_of_its_guest),
		cmocka_unit_test(the_framebuffer_is_redrawn_where_dirty_and_its_picture_is_right),
		cmocka_unit_test(a_guest_is_stepped_and_stopped_at_breakpoints),
		cmocka_unit_test(an_example_says_which_device_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
