/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads, and what is between them: tests/guest/threads*.c. */
#include "lib/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIFE(...) LIST("build/guest/threads", __VA_ARGS__)
#define SYNC(...) LIST("build/guest/threads_sync", __VA_ARGS__)
#define RAW(...) LIST("build/guest/threads_raw", __VA_ARGS__)

struct row {
	const char *name;
	const char *const *argv;
	int status;		/* of the native run */
	const char *out;	/* what its output contains; it contains no ": NO" */
	bool two_cpus;		/* skipped where there is one */
};

static void run_row(void **state)
{
	const struct row *row = *state;
	struct run_result native;

	if (row->two_cpus && sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		print_message("there is one CPU\n");
		skip();
	}
	native = run_same(NULL, row->argv);
	if ((native.signal ? 128 + native.signal : native.status) != row->status ||
	    strstr(native.out, ": NO\n") || (row->out && !strstr(native.out, row->out))) {
		run_show("the native run", &native);
		fail_msg("not what was expected: status %d, \"%s\"", row->status, row->out ? row->out : "");
	}
	run_free(&native);
}

static const struct row rows[] = {
	/* how they begin and end */
	{ "a_thread_is_created_and_joined", LIFE("create", "1"), 0, "1 ended, sum 0", 0 },
	{ "8_threads_are_alive_at_once", LIFE("create", "8"), 0, "8 ended, sum 140", 0 },
	{ "64_threads_are_alive_at_once", LIFE("create", "64"), 0, "64 ended, sum 85344", 0 },
	{ "256_threads_are_alive_at_once", LIFE("create", "256"), 0, "256 ended, sum 5559680", 0 },
	{ "2000_threads_are_joined_one_after_another", LIFE("serial", "2000"), 0, "2000 ended, sum 1999000", 0 },
	{ "threads_make_threads_beside_each_other", LIFE("by-many"), 0, "800 ended, sum 400", 0 },
	{ "a_thread_of_a_thread_and_so_on_50_deep", LIFE("chained"), 0, "51 threads, 50 deep", 0 },
	{ "detached_threads_run_and_leave", LIFE("detached"), 0, "0 failed, 300 ran", 0 },
	{ "what_threads_return_and_how_joining_fails", LIFE("values"), 0, "&soon): ETIMEDOUT", 0 },
	{ "others_go_on_when_main_leaves_and_the_last_ends_with_0", LIFE("main-leaves", "0"), 0, "after main", 0 },
	{ "another_calls_exit_after_main_has_left", LIFE("main-leaves", "3"), 3, "after main", 0 },
	{ "the_status_is_that_of_the_last_bare_exit", LIFE("leader-status"), 5, "after main", 0 },
	{ "main_returns_while_others_run_and_block", LIFE("returns", "6"), 6, NULL, 0 },
	{ "exit_in_a_thread_ends_all", LIFE("ended", "0"), 7, NULL, 0 },
	{ "_exit_in_a_thread_ends_all", LIFE("ended", "1"), 8, NULL, 0 },
	{ "a_fault_in_a_thread_is_139", LIFE("ended", "2"), 139, NULL, 0 },
	{ "abort_in_a_thread_is_134", LIFE("ended", "3"), 134, NULL, 0 },
	{ "an_invalid_opcode_in_a_thread_is_132", LIFE("ended", "4"), 132, NULL, 0 },
	{ "a_deadly_signal_to_a_thread_ends_all", LIFE("ended", "5"), 143, NULL, 0 },
	{ "kill_by_a_thread_is_137", LIFE("ended", "6"), 137, NULL, 0 },
	{ "a_deadly_signal_to_the_process_by_a_thread_ends_all", LIFE("ended", "7"), 130, NULL, 0 },
	{ "a_deadly_signal_to_main_by_a_thread_ends_all", LIFE("ended", "8"), 138, NULL, 0 },
	{ "exit_group_takes_the_low_byte", LIFE("ended", "9"), 0x45, NULL, 0 },
	{ "variables_keys_and_errno_are_each_threads_own", LIFE("local"), 0, "destroyed 1776", 0 },
	{ "ids_and_names_are_each_threads_own", LIFE("ids"), 0, "ids and name: yes", 0 },
	{ "stacks_are_as_large_as_asked_for", LIFE("stacks"), 0, "its own: 65024", 0 },

	/* libc's locks */
	{ "a_contended_mutex_keeps_a_count_exact", SYNC("contended", "50000"), 0, "200000\n", 0 },
	{ "a_mutex_held_for_long_excludes_others", SYNC("held"), 0, "0 found company, 0 left", 0 },
	{ "mutexes_of_each_kind_answer_as_they_should", SYNC("kinds"), 0, "EDEADLK", 0 },
	{ "a_robust_mutex_tells_that_its_owner_died", SYNC("robust"), 0, "who waited: EOWNERDEAD", 0 },
	{ "a_queue_with_conditions_loses_nothing", SYNC("conditions"), 0, "sum 25005000 of 10000", 0 },
	{ "a_broadcast_wakes_all_who_wait", SYNC("broadcast"), 0, "0 wait", 0 },
	{ "waits_for_conditions_time_out_not_too_early", SYNC("timeouts"), 0, "16 of 16 timed out in time", 0 },
	{ "read_write_locks_exclude_writers", SYNC("rwlocks"), 0, "0 wrong, 1000 1000 written", 0 },
	{ "barriers_hold_all_until_the_last", SYNC("barriers"), 0, "0 wrong, 200 times one was told", 0 },
	{ "semaphores_hand_back_and_forth_5000_times", SYNC("semaphores"), 0, "0 wrong, 5000 times", 0 },
	{ "what_is_done_once_is_done_before_others_go_on", SYNC("once"), 0, "0 too early, 200 times", 0 },
	{ "spinlocks_and_atomics_keep_a_count_exact", SYNC("spinlocks"), 0, "80000 80000", 0 },
	{ "threads_of_c11_work", SYNC("c11"), 0, "sum 112, own 3, count 101", 0 },

	/* the bare calls */
	{ "clone_stores_ids_and_sets_tls_before_the_thread_runs", RAW("ids-stored"), 0, "tls 0x1234, value 4711", 0 },
	{ "clone_stores_no_more_than_is_asked_for", RAW("nothing-stored"), 0, "0 -1\n", 0 },
	{ "clone_leaves_bad_places_for_ids_out_and_refuses_bad_tls", RAW("bad-places"), 0, "EPERM", 0 },
	{ "a_new_threads_registers_are_its_makers", RAW("registers"), 0, "flags right, stack right, 1111", 0 },
	{ "clone_refuses_wrong_flags", RAW("wrong-flags"), 0, "0 ran", 0 },
	{ "clone3_refuses_wrong_arguments_and_takes_longer_ones", RAW("clone3"), 0, "the id was stored: yes", 0 },
	{ "the_address_set_last_is_cleared_and_woken_at_the_end", RAW("cleartid"), 4, "16 0\n", 0 },
	{ "a_robust_lists_futexes_are_marked_and_woken", RAW("robust"), 0, "4: 0xc0000000 right", 0 },
	{ "robust_lists_that_are_broken_hurt_nobody", RAW("robust-bad"), 0, "EINVAL", 0 },
	{ "64_bare_threads_are_alive_at_once", RAW("many", "64"), 0, "64 at once", 0 },
	{ "exit_group_of_a_bare_thread_ends_all", RAW("group-end"), 55, NULL, 0 },
};

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[ARRAY_SIZE(rows) + 10];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[n++] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						  .initial_state = (void *)&rows[i] };
	return harness_main(argc, argv, "threads", tests, n, NULL, NULL);
}
