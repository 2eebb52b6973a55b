/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two runs that share a writable directory get at nothing outside of it together, either:
 * tests/guest/sharing.c.
 */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *dir, program[PATH_MAX];

static int set_up(void **state)
{
	(void)state;
	assert_non_null(realpath("build/guest/sharing", program));
	dir = tree_new();
	tree_dir(dir, "shared", 0777);
	tree_dir(dir, "shared/d", 0777);
	tree_file(dir, "shared/d/file", "inside", 0);
	tree_dir(dir, "shared/in", 0777);
	tree_dir(dir, "shared/in/d", 0777);
	tree_file(dir, "shared/in/d/file", "inside", 0);
	tree_file(dir, "shared/file", "beside", 0);
	tree_dir(dir, "out", 0777);
	tree_file(dir, "out/file", "secret", 0);
	tree_dir(dir, "out/dir", 0777);
	tree_file(dir, "secret", "secret", 0);
	tree_dir(dir, "ro", 0777);
	tree_file(dir, "ro/file", "to see", 0);
	tree_age(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove(dir);
	free(dir);
	return 0;
}

/* What is outside of the shared directory, as text. */
static char *others(void)
{
	char *all = NULL, *out = tree_path(dir, "out"), *ro = tree_path(dir, "ro"), *secret = tree_read(dir, "secret", NULL);
	char *a = tree_describe(out), *b = tree_describe(ro);

	assert_true(asprintf(&all, "%s%s%s", a, b, secret ? secret : "gone") > 0);
	free(a);
	free(b);
	free(out);
	free(ro);
	free(secret);
	return all;
}

static struct running *begin(const char *const options[], const char *const args[])
{
	/* options and program are absolute: one starts elsewhere */
	const struct run_opts opts = { .options = options, .deadline = 200 };

	return run_start_kvmrun(&opts, LIST(program, args[0], args[1], args[2]));
}

/* A grant of what is below the directory, as "PATH:GUEST"; kept. */
static char *grant(const char *name, const char *guest)
{
	char *text = NULL;

	assert_true(asprintf(&text, "%s/%s:%s", dir, name, guest) > 0);
	return text;
}

/* first never ends by itself; second has tried all it could, and has been outside never. */
static void race(const char *const first_options[], const char *const first_args[], const char *const second_options[],
		 const char *const second_args[])
{
	char *before = others(), *after;
	struct running *first = begin(first_options, first_args);
	struct run_result r, swapping;

	if (run_wait_for(first, "ready\n")) {
		r = run_finish(begin(second_options, second_args));
		kill(run_pid(first), SIGKILL);
		swapping = run_finish(first);
		assert_status(&r, 0);
		assert_out(&r, "outside 0, tried with success, and without\n");
		assert_int_equal(swapping.signal, SIGKILL);
		run_free(&r);
	} else {
		swapping = run_finish(first);
		run_show("kvmrun", &swapping);
		fail_msg("it did not begin");
	}
	run_free(&swapping);
	after = others();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void threat_11_a_component_that_another_guest_swaps_leads_nowhere_else(void **state)
{
	char *shared = grant("shared", "/shared"), *out = tree_path(dir, "out");
	const char *const options[] = { "--rw", shared, "--cwd", "/shared", NULL };

	(void)state;
	race(options, LIST("swap", out, NULL), options, LIST("walk", run_slow() ? "50" : "2000", NULL));
	free(shared);
	free(out);
}

static void threat_11_a_directory_that_another_guest_moves_out_has_no_way_up(void **state)
{
	char *shared = grant("shared", "/shared"), *in = grant("shared/in", "/in");
	const char *const wide[] = { "--rw", shared, "--cwd", "/shared", NULL }, *const narrow[] = { "--rw", in, NULL };
	char *text;

	(void)state;
	race(wide, LIST("move", NULL, NULL), narrow, LIST("beside", run_slow() ? "100" : "4000", NULL));
	text = tree_read(dir, "shared/file", NULL);
	assert_string_equal(text, "beside");
	free(text);
	free(shared);
	free(in);
}

/* What one has for reading it can give away to be read, and no more. */
static void threat_17_a_descriptor_from_another_guest_is_no_way_to_what_that_one_has(void **state)
{
	static const char directory[] = "open: EACCES\nup: EACCES\nmake: EACCES\nremove: EACCES\nmode: EACCES\nchdir: EACCES\n"
		"by /proc: EACCES\nup by /proc: EACCES\n";
	char *shared = grant("shared", "/shared"), *ro = grant("ro", "/ro"), *before = others(), *after, *want = NULL;
	const char *const has[] = { "--rw", shared, "--ro", ro, "--cwd", "/shared", NULL };
	const char *const has_not[] = { "--rw", shared, "--cwd", "/shared", NULL };
	struct running *taker = begin(has_not, LIST("take", "file", NULL));
	struct run_result given = run_finish(begin(has, LIST("give", "/ro", "file"))), r = run_finish(taker);

	(void)state;
	assert_status(&given, 0);
	assert_out(&given, "sent: 1\n");
	assert_true(asprintf(&want, "%s%sread: 6\nto see\nwrite: EBADF\ntruncate: EINVAL\nmode: EPERM\nagain to write: EACCES\n"
			     "a name for it: EXDEV\na name for it: ENOENT\n", directory, directory) > 0);
	assert_status(&r, 0);
	assert_out(&r, want);
	after = others();
	assert_string_equal(before, after);
	run_free(&given);
	run_free(&r);
	free(before);
	free(after);
	free(want);
}

static void threat_11_no_link_makes_a_read_only_file_writable(void **state)
{
	char *shared = grant("shared", "/shared"), *ro = grant("ro", "/ro"), *before = others(), *after;
	const char *const options[] = { "--rw", shared, "--ro", ro, NULL };
	struct run_result r = run_finish(begin(options, LIST("links", "/ro", "/shared")));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "link: EXDEV\nrename: EROFS\nlink of a link: EXDEV\nwrite through a link: EROFS\ntruncate through a link: EROFS\n"
		   "mode through a link: EROFS\nlink of what is open: EXDEV\nagain to write: EROFS\nexchange: EROFS\n");
	after = others();
	assert_string_equal(before, after);
	run_free(&r);
	free(before);
	free(after);
	free(shared);
	free(ro);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(threat_11_a_component_that_another_guest_swaps_leads_nowhere_else),
		TEST(threat_11_a_directory_that_another_guest_moves_out_has_no_way_up),
		TEST(threat_17_a_descriptor_from_another_guest_is_no_way_to_what_that_one_has),
		TEST(threat_11_no_link_makes_a_read_only_file_writable),
	};

	return harness_main(argc, argv, "sharing", tests, ARRAY_SIZE(tests), NULL, NULL);
}
