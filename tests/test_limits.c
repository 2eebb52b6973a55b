/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each limit is met where it should be, ends all processes where it ends the program, and is
 * named on stderr and by --stats: tests/guest/limited.c.
 */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *dir;

/* A run of the guest program with --stats, of whose processes none may be left. */
static struct run_result limited(const char *option, const char *value, const char *more, const char *const args[], json_t **stats)
{
	char *path = tree_path(dir, "stats"), *file = NULL, *text;
	struct run_opts opts = { .deadline = 100 };
	struct run_result r;
	struct running *run;
	bool none;

	assert_true(asprintf(&file, "--stats=%s", path) > 0);
	opts.options = LIST(file, "--tmp", option, value, more);
	run = run_start_kvmrun(&opts, LIST("build/guest/limited", args[0], args[1]));
	none = run_none_left(run);
	r = run_finish(run);
	text = tree_read(dir, "stats", NULL);
	*stats = json_loads(text, 0, NULL);
	if (!none || !*stats) {
		run_show("kvmrun", &r);
		fail_msg("%s", none ? "--stats is no JSON" : "processes are left");
	}
	free(text);
	free(file);
	free(path);
	return r;
}

static json_int_t number(const json_t *stats, const char *name)
{
	return json_integer_value(json_object_get(stats, name));
}

static const char *cause(const json_t *stats)
{
	return json_string_value(json_object_get(json_object_get(stats, "end"), "cause"));
}

/* ------------------------------------------------ those that end the program */

struct ending {
	const char *name;
	const char *option, *value, *slow;	/* the value, and on an emulated machine */
	const char *part;
	int status;
	const char *line, *slow_line, *cause;
	const char *measured;			/* of --stats, in ns: no more than a tenth of a second beyond the value */
};

static const struct ending endings[] = {
	{ "mem_ends_all_processes_and_is_named", "--mem", "64M", "64M", "memory", 137,
	  "killed: no memory left of 64 MiB; raise --mem", NULL, "memory", NULL },
	{ "output_ends_all_processes_and_is_named", "--output", "1000", "1000", "output", 137,
	  "killed: more output than 1000 bytes; raise --output", NULL, "output", NULL },
	{ "timeout_ends_all_processes_in_time_and_is_named", "--timeout", "1", "6", "time", 124,
	  "time limit of 1s reached (--timeout)", "time limit of 6s reached (--timeout)", "timeout", "wall_ns" },
	{ "cpu_time_ends_all_processes_in_time_and_is_named", "--cpu-time", "1", "6", "time", 124,
	  "CPU time limit of 1s reached (--cpu-time)", "CPU time limit of 6s reached (--cpu-time)", "cpu-time", "cpu_ns" },
	{ "timeout_ends_a_program_whose_first_process_has_stopped_itself", "--timeout", "1", "6", "stop", 124,
	  "time limit of 1s reached (--timeout)", "time limit of 6s reached (--timeout)", "timeout", "wall_ns" },
	{ "cpu_time_ends_a_program_whose_first_process_has_stopped_itself", "--cpu-time", "1", "6", "stop", 124,
	  "CPU time limit of 1s reached (--cpu-time)", "CPU time limit of 6s reached (--cpu-time)", "cpu-time", "cpu_ns" },
};

static void run_ending(void **state)
{
	const struct ending *e = *state;
	const char *value = run_slow() ? e->slow : e->value;
	json_t *stats;
	struct run_result r = limited(e->option, value, NULL, LIST(e->part, NULL), &stats);

	assert_status(&r, e->status);
	assert_err_line(&r, run_slow() && e->slow_line ? e->slow_line : e->line);
	assert_string_equal(cause(stats), e->cause);
	if (!strcmp(e->cause, "output"))
		assert_int_equal(r.out_len, 1000);
	if (e->measured) {
		double late = number(stats, e->measured) / 1e9 - atof(value);

		if (late < 0 || late > 0.1 * run_slowness())
			fail_msg("%.3f s late", late);
		printf("# %s: %.3f s late\n", e->option, late);
	}
	json_decref(stats);
	run_free(&r);
}

/* ------------------------------------------------ those that the program is told of by an error */

struct told {
	const char *name;
	const char *option, *value;
	const char *part;
	long least, most;	/* that the program has before the error */
	const char *error, *line;
};

static const struct told tolds[] = {
	{ "mem_is_met_within_5_percent_and_named", "--mem", "64M", "memory", 64 * 1024 * 95 / 100, 64 * 1024,
	  "ENOMEM", "limit of 64 MiB of memory reached (--mem)" },
	{ "threads_are_as_many_as_allowed_and_the_limit_is_named", "--threads", "8", "threads", 7, 7,
	  "EAGAIN", "limit of 8 threads reached (--threads)" },
	{ "procs_are_as_many_as_allowed_and_the_limit_is_named", "--procs", "5", "processes", 4, 4,
	  "EAGAIN", "limit of 5 processes reached (--procs)" },
	{ "fds_are_as_many_as_allowed_and_the_limit_is_named", "--fds", "20", "descriptors", 17, 17,
	  "EMFILE", "limit of 20 descriptors reached (--fds)" },
	{ "fsize_is_met_to_the_byte_and_named", "--fsize", "100000", "file-size", 100000, 100000,
	  "EFBIG", "limit of 100000 bytes in a file reached (--fsize)" },
};

/* One that does not cope, one that does, and that one when the user asks. */
static void run_told(void **state)
{
	static const struct { const char *status, *more; bool line; } runs[] = {
		{ "3", NULL, true }, { "0", NULL, false }, { "0", "--explain", true },
	};
	const struct told *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		json_t *stats;
		struct run_result r = limited(t->option, t->value, runs[i].more, LIST(t->part, runs[i].status), &stats);
		char error[32] = "";
		long n = -1;

		assert_status(&r, atoi(runs[i].status));
		if (sscanf(r.out, "%ld %31s", &n, error) != 2 || n < t->least || n > t->most || strcmp(error, t->error)) {
			run_show("kvmrun", &r);
			fail_msg("not %ld to %ld and %s", t->least, t->most, t->error);
		}
		if (runs[i].line)
			assert_err_line(&r, t->line);
		else
			assert_err(&r, "");
		assert_string_equal(cause(stats), "exit");
		assert_true(number(json_object_get(stats, "limits"), t->option + 2) > 0);
		assert_int_equal(json_object_size(json_object_get(stats, "limits")), 1);
		json_decref(stats);
		run_free(&r);
	}
}

/* As natively: the process that has not ignored SIGXFSZ. */
static void fsize_ends_a_process_by_its_signal_and_is_named(void **state)
{
	json_t *stats;
	struct run_result r = limited("--fsize", "100000", NULL, LIST("deadly-file-size", "0"), &stats);

	(void)state;
	assert_status(&r, 128 + SIGXFSZ);
	assert_err_line(&r, "limit of 100000 bytes in a file reached (--fsize)");
	assert_string_equal(cause(stats), "signal");
	assert_int_equal(number(json_object_get(stats, "limits"), "fsize"), 1);
	json_decref(stats);
	run_free(&r);
}

/* A file of kvmrun's own is not the program's, and is whole when kvmrun has ended. */
static void fsize_is_not_for_what_trace_and_stats_write(void **state)
{
	char *path = tree_path(dir, "trace"), *option = NULL, *text;
	json_t *stats;
	struct run_result r;

	(void)state;
	assert_true(asprintf(&option, "--trace=%s", path) > 0);
	r = limited("--fsize", "100", option, LIST("file-size", "0"), &stats);
	assert_status(&r, 0);
	assert_out(&r, "100 EFBIG\n");
	assert_true(number(stats, "wall_ns") > 0);
	text = tree_read(dir, "trace", NULL);
	assert_true(strlen(text) > 300);
	assert_non_null(strstr(text, "= -1 EFBIG (File too large)\n"));
	assert_string_equal(strstr(text, "+++ exited with"), "+++ exited with 0 +++\n");
	free(text);
	free(option);
	free(path);
	json_decref(stats);
	run_free(&r);
}

/* In whatever way a file grows; the same as natively with such a limit. */
static void threat_22_no_way_leads_to_a_larger_file_than_fsize(void **state)
{
	const char *const names[] = { "file", "other" };
	char *here = tree_path(dir, "grown"), *there = tree_path(dir, "native"), *program = realpath("build/guest/limited", NULL);
	const struct run_opts opts = { .options = LIST("--rw", here, "--fsize", "100352"), .cwd = here };
	const struct run_opts native_opts = { .cwd = there };
	struct run_result native, r;

	(void)state;
	tree_dir(dir, "grown", 0755);
	tree_dir(dir, "native", 0755);
	native = run(&native_opts, LIST("/bin/busybox", "sh", "-c", "ulimit -f 196; exec \"$0\" each-way 100352", program));
	r = run_kvmrun_opts(&opts, LIST(program, "each-way", "100352"));
	assert_status(&r, 0);
	assert_non_null(strstr(r.out, "EFBIG"));
	assert_out(&r, native.out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len;

		free(tree_read(here, names[i], &len));
		assert_int_equal(len, 100352);
	}
	run_free(&native);
	run_free(&r);
	free(here);
	free(there);
	free(program);
}

/* What the program sets for itself is not kvmrun's to name. */
static void limits_of_the_programs_own_are_not_named(void **state)
{
	static const char *const scripts[] = {
		"ulimit -f 1; yes > /tmp/file", "ulimit -n 3; cat < /dev/null",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct run_result r = run_kvmrun(LIST("--tmp", "--fsize", "1M", "--fds", "100"),
						 LIST("/bin/busybox", "sh", "-c", scripts[i]));

		assert_true(r.status > 0);
		assert_null(strstr(r.err, "reached (--"));
		run_free(&r);
	}
}

static int set_up(void **state)
{
	(void)state;
	dir = tree_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove(dir);
	return 0;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[ARRAY_SIZE(endings) + ARRAY_SIZE(tolds) + 4] = {
		cmocka_unit_test(fsize_ends_a_process_by_its_signal_and_is_named),
		cmocka_unit_test(limits_of_the_programs_own_are_not_named),
		cmocka_unit_test(fsize_is_not_for_what_trace_and_stats_write),
		cmocka_unit_test(threat_22_no_way_leads_to_a_larger_file_than_fsize),
	};
	size_t n = 4;

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		tests[n++] = (struct CMUnitTest){ .name = endings[i].name, .test_func = run_ending,
						  .initial_state = (void *)&endings[i] };
	for (size_t i = 0; i < ARRAY_SIZE(tolds); i++)
		tests[n++] = (struct CMUnitTest){ .name = tolds[i].name, .test_func = run_told,
						  .initial_state = (void *)&tolds[i] };
	return harness_main(argc, argv, "limits", tests, n, set_up, tear_down);
}
