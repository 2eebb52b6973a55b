/* SPDX-License-Identifier: GPL-2.0-only */
/* The harness itself: what it reports of a program is what happened. */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SH(script) LIST("/bin/busybox", "sh", "-c", script)

static void status_and_streams_are_told_apart(void **state)
{
	struct run_result r = run(NULL, SH("echo out; echo err >&2; exit 7"));

	(void)state;
	assert_status(&r, 7);
	assert_out(&r, "out\n");
	assert_err(&r, "err\n");
	assert_err_line(&r, "err");
	run_free(&r);
}

static void a_signal_is_no_status(void **state)
{
	struct run_result r = run(NULL, SH("kill -SEGV $$"));

	(void)state;
	assert_int_equal(r.signal, SIGSEGV);
	assert_int_equal(r.status, -1);
	run_free(&r);
}

static void bytes_pass_unchanged_both_ways(void **state)
{
	size_t len = 3 << 20;
	char *data = mixed_data(len);
	struct run_result r = run(&(struct run_opts){ .in = data, .in_len = len },
				  LIST("/bin/busybox", "cat"));

	(void)state;
	assert_status(&r, 0);
	assert_out_bytes(&r, data, len);
	run_free(&r);
	free(data);
}

static void a_program_need_not_read_its_stdin(void **state)
{
	char *data = mixed_data(1 << 20);
	struct run_result r = run(&(struct run_opts){ .in = data, .in_len = 1 << 20 }, SH("exit 3"));

	(void)state;
	assert_status(&r, 3);
	run_free(&r);
	free(data);
}

static void stdin_is_at_its_end_by_default(void **state)
{
	struct run_result r = run(NULL, LIST("/bin/busybox", "wc", "-c"));

	(void)state;
	assert_out(&r, "0\n");
	run_free(&r);
}

static void streams_can_be_closed(void **state)
{
	struct run_result r = run(&(struct run_opts){ .closed = CLOSE_STDIN | CLOSE_STDOUT },
				  SH("for i in 0 1 2; do [ -e /proc/self/fd/$i ] && echo $i >&2; done; :"));

	(void)state;
	assert_status(&r, 0);
	/* The shell's own look into /proc/self/fd takes no descriptor. */
	assert_err(&r, "2\n");
	run_free(&r);
}

static void a_hanging_program_is_ended_with_its_children(void **state)
{
	struct run_result r = run(&(struct run_opts){ .deadline = 0.2 }, SH("sleep 99 & sleep 99"));

	(void)state;
	assert_true(r.hung);
	assert_int_equal(r.signal, SIGKILL);
	run_free(&r);
}

static void a_left_child_that_keeps_stdout_is_a_hang(void **state)
{
	struct run_result r = run(&(struct run_opts){ .deadline = 0.2 }, SH("sleep 99 & exit 0"));

	(void)state;
	assert_true(r.hung);
	assert_int_equal(r.status, 0);
	run_free(&r);
}

static void a_running_program_can_be_watched_and_signalled(void **state)
{
	struct running *run = run_start(NULL, SH("trap 'echo got it; exit 5' USR1; echo ready; "
						 "while :; do sleep 0.01; done"));
	struct run_result r;

	(void)state;
	assert_true(run_wait_for(run, "ready\n"));
	kill(run_pid(run), SIGUSR1);
	r = run_finish(run);
	assert_status(&r, 5);
	assert_out(&r, "ready\ngot it\n");
	run_free(&r);
}

static void waiting_for_text_ends_with_the_program(void **state)
{
	struct running *run = run_start(NULL, SH("echo other"));
	struct run_result r;

	(void)state;
	assert_false(run_wait_for(run, "ready"));
	r = run_finish(run);
	assert_out(&r, "other\n");
	run_free(&r);
}

static void signals_start_unblocked_and_at_their_defaults(void **state)
{
	struct run_result r = run(NULL, LIST("/bin/busybox", "grep", "-E", "^Sig(Blk|Ign):",
					     "/proc/self/status"));
	unsigned long long blocked, ignored;

	(void)state;
	assert_int_equal(sscanf(r.out, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	/* 32 and above are glibc's own. */
	assert_int_equal(blocked & 0x7fffffff, 0);
	assert_int_equal(ignored & 0x7fffffff, 0);
	run_free(&r);
}

static void the_native_environment_is_four_variables(void **state)
{
	struct run_result r = run_native(NULL, LIST("/bin/busybox", "env"));

	(void)state;
	assert_out(&r, "PATH=/usr/local/bin:/usr/bin:/bin\nTERM=dumb\nLANG=C\nTZ=UTC0\n");
	run_free(&r);
}

static void trees_differ_by_mode_content_target_and_old_time(void **state)
{
	char *tree = tree_new(), *before, *after;

	(void)state;
	tree_file(tree, "file", "content", 0);
	tree_link(tree, "link", "file");
	tree_age(tree);
	before = tree_describe(tree);
	assert_non_null(strstr(before, "/file  mode 100644 links 1 size 7 @1000000000 #"));
	assert_non_null(strstr(before, "/link  mode 120777 links 1 size 4 @1000000000 -> file\n"));

	tree_file(tree, "file", "CONTENT", 0);
	tree_age(tree);
	after = tree_describe(tree);
	assert_string_not_equal(before, after);
	free(before);
	free(after);
	tree_remove(tree);
	free(tree);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_and_streams_are_told_apart),
		cmocka_unit_test(a_signal_is_no_status),
		cmocka_unit_test(bytes_pass_unchanged_both_ways),
		cmocka_unit_test(a_program_need_not_read_its_stdin),
		cmocka_unit_test(stdin_is_at_its_end_by_default),
		cmocka_unit_test(streams_can_be_closed),
		cmocka_unit_test(a_hanging_program_is_ended_with_its_children),
		cmocka_unit_test(a_left_child_that_keeps_stdout_is_a_hang),
		cmocka_unit_test(a_running_program_can_be_watched_and_signalled),
		cmocka_unit_test(waiting_for_text_ends_with_the_program),
		cmocka_unit_test(signals_start_unblocked_and_at_their_defaults),
		cmocka_unit_test(the_native_environment_is_four_variables),
		cmocka_unit_test(trees_differ_by_mode_content_target_and_old_time),
	};

	return harness_main(argc, argv, "harness", tests, ARRAY_SIZE(tests), NULL, NULL);
}
