/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads, and what is between them: tests/guest/threads*.c. */
#include "lib/harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFE(...) LIST("build/guest/threads", __VA_ARGS__)
#define END(...) LIST("build/guest/threads_end", __VA_ARGS__)
#define SYNC(...) LIST("build/guest/threads_sync", __VA_ARGS__)
#define REGISTERS(...) LIST("build/guest/threads_registers", __VA_ARGS__)
#define FUTEX(...) LIST("build/guest/threads_futex", __VA_ARGS__)
#define WAITV(...) LIST("build/guest/threads_waitv", __VA_ARGS__)
#define MEMORY(...) LIST("build/guest/threads_memory", __VA_ARGS__)
#define BUFFERS(...) LIST("build/guest/threads_buffers", __VA_ARGS__)
#define SIGNAL(...) LIST("build/guest/threads_signal", __VA_ARGS__)
#define HANDLER(...) LIST("build/guest/threads_handler", __VA_ARGS__)
#define TIME(...) LIST("build/guest/threads_time", __VA_ARGS__)
#define IO(...) LIST("build/guest/threads_io", __VA_ARGS__)
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
	{ "others_go_on_when_main_leaves_and_the_last_ends_with_0", END("main-leaves", "0"), 0, "after main", 0 },
	{ "another_calls_exit_after_main_has_left", END("main-leaves", "3"), 3, "after main", 0 },
	{ "the_status_is_that_of_the_last_bare_exit", END("leader-status"), 5, "after main", 0 },
	{ "main_returns_while_others_run_and_block", END("returns", "6"), 6, NULL, 0 },
	{ "threat_24_exit_in_a_thread_ends_all", END("ended", "0"), 7, NULL, 0 },
	{ "_exit_in_a_thread_ends_all", END("ended", "1"), 8, NULL, 0 },
	{ "a_fault_in_a_thread_is_139", END("ended", "2"), 139, NULL, 0 },
	{ "abort_in_a_thread_is_134", END("ended", "3"), 134, NULL, 0 },
	{ "an_invalid_opcode_in_a_thread_is_132", END("ended", "4"), 132, NULL, 0 },
	{ "a_deadly_signal_to_a_thread_ends_all", END("ended", "5"), 143, NULL, 0 },
	{ "kill_by_a_thread_is_137", END("ended", "6"), 137, NULL, 0 },
	{ "a_deadly_signal_to_the_process_by_a_thread_ends_all", END("ended", "7"), 130, NULL, 0 },
	{ "a_deadly_signal_to_main_by_a_thread_ends_all", END("ended", "8"), 138, NULL, 0 },
	{ "exit_group_takes_the_low_byte", END("ended", "9"), 0x45, NULL, 0 },
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
	{ "who_is_alone_may_unshare_what_threads_share", RAW("unshare"), 0, "0x10000000000: -22", 0 },
	{ "clone3_refuses_wrong_arguments_and_takes_longer_ones", RAW("clone3"), 0, "the id was stored: yes", 0 },
	{ "the_address_set_last_is_cleared_and_woken_at_the_end", RAW("cleartid"), 4, "16 0\n", 0 },
	{ "a_robust_lists_futexes_are_marked_and_woken", RAW("robust"), 0, "4: 0xc0000000 right", 0 },
	{ "robust_lists_that_are_broken_hurt_nobody", RAW("robust-bad"), 0, "EINVAL", 0 },
	{ "64_bare_threads_are_alive_at_once", RAW("many", "64"), 0, "64 at once", 0 },
	{ "exit_group_of_a_bare_thread_ends_all", RAW("group-end"), 55, NULL, 0 },

	/* registers */
	{ "rounding_modes_are_inherited_and_then_the_threads_own", REGISTERS("modes"), 0, "control word 0xe7f", 0 },
	{ "x87_sse_avx_and_general_registers_are_kept_apart", REGISTERS("kept-apart"), 0, "0 wrong", 0 },
	{ "fs_and_gs_bases_are_each_threads_own", REGISTERS("bases"), 0, "0 wrong", 0 },
	{ "handlers_spoil_no_registers_of_threads", REGISTERS("disturbed"), 0, "0 wrong", 0 },

	/* futex(2) */
	{ "a_futex_wakes_as_many_as_are_asked_for", FUTEX("wait-wake"), 0, "5 woken, sum 0", 0 },
	{ "futexes_that_are_not_private_work", FUTEX("shared"), 0, "0 0", 0 },
	{ "a_futex_wakes_those_whose_bits_match", FUTEX("bitsets"), 0, "woke 2\n", 0 },
	{ "a_futex_times_out_relative_and_absolute_not_too_early", FUTEX("timeouts"), 0, "32 of 32 timed out", 0 },
	{ "futex_refuses_what_is_wrong", FUTEX("errors"), 0, "&b, 0): EINVAL", 0 },
	{ "a_wait_for_a_futex_ends_by_a_handler_or_goes_on", FUTEX("interrupted"), 0, "restart: ok", 0 },
	{ "who_waits_for_a_futex_is_moved_to_another", FUTEX("requeue"), 0, "moved 4, 0 woken", 0 },
	{ "wake_op_computes_compares_and_wakes_on_two_futexes", FUTEX("wake-op"), 0,
	  " 1 2 1 2 1 2 2 1 1 2 2 1 1 1 2 1 2 2\n", 0 },
	{ "a_token_goes_round_8_threads_by_futexes", FUTEX("round"), 0, "4000 passed on", 0 },
	{ "a_lock_by_futex_has_its_owner_in_its_word", FUTEX("pi"), 0, "it is the owner's: yes", 0 },
	{ "a_mutex_of_inherited_priority_keeps_a_count_exact", FUTEX("pi-mutex", "3000"), 0, "12000 counted, 0 wrong", 0 },
	{ "a_robust_mutex_of_inherited_priority_tells_of_its_owner", FUTEX("pi-robust"), 0, "&inherits): EOWNERDEAD", 0 },
	{ "any_of_128_futexes_ends_a_wait", WAITV("any"), 0, "word 127: 127", 0 },
	{ "waits_for_several_futexes_are_kept_apart", WAITV("several"), 0, " 0 1 0 1 0 1 0 1\n", 0 },
	{ "futex_waitv_refuses_what_is_wrong", WAITV("errors"), 0, "NULL, 0): EINVAL", 0 },
	{ "a_wait_for_several_futexes_ends_by_a_handler_or_goes_on", WAITV("interrupted"), 0, "restart: 5", 0 },
	{ "another_process_wakes_one_of_several_futexes", WAITV("processes"), 0, "first: 2\nsecond: 1", 0 },
	{ "no_wake_of_a_futex_is_lost", FUTEX("race"), 0, "10000", 0 },

	/* memory */
	{ "what_one_thread_maps_others_see", MEMORY("seen"), 0, "sum 1610563584", 0 },
	{ "what_one_thread_unmaps_others_fault_on", MEMORY("gone"), 0, "60 faulted as they should", 0 },
	{ "memory_used_anew_is_not_seen_at_its_old_address", MEMORY("reused"), 0, "0 wrong", 0 },
	{ "all_threads_stop_on_a_page_made_unreadable", MEMORY("safepoint", "50"), 0, "0 wrong", 0 },
	{ "all_threads_stop_on_a_page_made_unwritable", MEMORY("read-only", "20"), 0, "0 wrong", 0 },
	{ "what_one_thread_gives_back_is_zero_for_others", MEMORY("zero"), 0, "0 wrong", 0 },
	{ "what_one_thread_maps_in_place_others_see", MEMORY("replaced"), 0, "0 wrong", 0 },
	{ "many_threads_fault_on_the_same_pages", MEMORY("same-pages"), 0, "sum 16384", 0 },
	{ "threat_24_threads_map_and_unmap_beside_each_other", MEMORY("stress", "1000"), 0, "0 wrong", 0 },
	{ "threads_free_what_others_have_allocated", MEMORY("allocator"), 0, "0 wrong", 0 },
	{ "code_that_one_thread_writes_others_run", MEMORY("code"), 0, "0 wrong", 0 },

	/* what a call in progress reaches */
	{ "memory_unmapped_under_a_call_is_not_used_anew", BUFFERS("unmapped"), 0, "0 wrong\n0 wrong\n0 wrong\n0 wrong\n", 0 },
	{ "a_huge_page_unmapped_under_a_call_is_not_used_anew", BUFFERS("huge"), 0, "0 wrong", 0 },
	{ "memory_cut_off_under_a_call_is_not_used_anew", BUFFERS("shortened"), 0, "0 wrong", 0 },
	{ "memory_replaced_under_a_call_is_not_used_anew", BUFFERS("replaced"), 0, "0 wrong", 0 },
	{ "memory_given_back_under_a_call_is_what_the_call_fills", BUFFERS("given-back"), 0, "4096 zero, 4096 came", 0 },
	{ "a_files_place_unmapped_under_a_call_is_not_used_anew", BUFFERS("file"), 0, "0 wrong", 0 },
	{ "a_files_place_left_under_a_call_is_not_used_anew", BUFFERS("moved"), 0, "moved: 1, 0 wrong", 0 },
	{ "a_copy_of_memory_that_a_call_fills_stays_as_it_was", BUFFERS("copied"), 0, "child 0, 4096 came", 0 },
	{ "a_futex_in_memory_that_went_is_woken_by_no_other", BUFFERS("waited-for"), 0, "0 woken", 0 },

	/* signals */
	{ "a_signal_to_a_computing_thread_is_handled_there", SIGNAL("spinning"), 0, "100 handled, 0 astray", 0 },
	{ "a_signal_to_a_thread_ends_its_call_or_restarts_it", SIGNAL("interrupted"), 0, "0 wrong", 0 },
	{ "masks_and_pending_signals_are_each_threads_own", SIGNAL("masks"), 0, "3 handled, 0 wrong", 0 },
	{ "a_signal_to_the_process_goes_to_who_does_not_block_it", SIGNAL("process"), 0, "0 astray", 0 },
	{ "a_signal_to_the_process_pends_until_one_unblocks_it", SIGNAL("until-unblocked"), 0, "1 handled, 0 wrong", 0 },
	{ "one_thread_takes_all_signals_by_sigwait", SIGNAL("sigwait"), 0, "100 taken, 0 wrong", 0 },
	{ "sigwaitinfo_tells_who_has_sent_what", SIGNAL("infos"), 0, "36 code -1 from here value 46", 0 },
	{ "500_queued_signals_come_in_order", SIGNAL("queued"), 0, "500 handled, 0 wrong", 0 },
	{ "a_signal_reaches_a_thread_that_only_begins", SIGNAL("beginning"), 0, "150 handled", 0 },
	{ "signals_leave_a_write_of_small_pieces_its_way", SIGNAL("small-pieces"), 0, "all read, 0 small", 0 },
	{ "threads_signal_each_other_and_none_is_lost", SIGNAL("storm"), 0, "80400", 0 },
	{ "signals_to_threads_that_are_not_there_fail", SIGNAL("errors"), 0, "gone: ESRCH", 0 },
	{ "alternate_stacks_are_each_threads_own", HANDLER("stacks"), 0, "40 overflows, 0 wrong", 0 },
	{ "8_threads_handle_faults_at_once", HANDLER("faults"), 0, "0 wrong", 0 },
	{ "4_threads_are_in_one_handler_at_once", HANDLER("at-once"), 0, "4 at once", 0 },
	{ "a_thread_preempted_200_times_computes_the_right_sum", HANDLER("preempted", "200"), 0,
	  "0 sums are wrong, 200 handled", 0 },
	{ "a_handler_pushes_calls_between_any_two_instructions", HANDLER("pushed-calls"), 0, "right", 0 },
	{ "threads_are_cancelled_and_clean_up", HANDLER("cancel"), 0, "18 cleaned up, 0 wrong", 0 },
	{ "libc_changes_ids_in_all_threads", HANDLER("ids"), 0, "8 threads, 0 wrong", 0 },

	/* time */
	{ "timers_of_the_process_signal_who_does_not_block", TIME("itimer"), 0, "0 wrong", 0 },
	{ "a_timers_signals_carry_its_value", TIME("by-signal"), 0, "0 wrong", 0 },
	{ "a_timer_signals_its_thread", TIME("by-thread"), 0, "0 wrong", 0 },
	{ "a_timer_whose_thread_has_left_signals_nobody", TIME("left-behind"), 0, "0 handled", 0 },
	{ "a_timer_makes_threads", TIME("by-new-thread"), 0, "0 wrong", 0 },
	{ "a_timers_descriptor_is_read_by_a_thread", TIME("by-descriptor"), 0, "2 of 2", 0 },
	{ "32_threads_sleep_beside_each_other", TIME("sleeps"), 0, "32 of 32 slept long enough", 0 },
	{ "16_threads_sleep_until_times_of_either_clock", TIME("absolute"), 0, "0 wrong", 0 },
	{ "cpu_time_is_each_threads_own", TIME("cpu-time"), 0, "0 wrong", 0 },
	{ "time_goes_back_for_no_thread", TIME("clocks"), 0, "0 went back", 0 },

	/* descriptors */
	{ "a_pipe_between_threads_carries_a_mebibyte", IO("through-pipe"), 0, "1048576 bytes, 0 wrong", 0 },
	{ "a_poll_is_woken_by_another_threads_write", IO("polled"), 0, "poll: 1 0x1, 0 wrong", 0 },
	{ "epoll_wait_is_told_of_what_another_thread_adds", IO("epolled"), 0, "told of 77", 0 },
	{ "polls_and_reads_end_where_another_closes_and_writes", IO("closed"), 0, "it ended: 1", 0 },
	{ "an_eventfd_adds_up_what_threads_write", IO("events"), 0, "sum 3000, 0 wrong", 0 },
	{ "descriptors_are_the_same_in_all_threads", IO("duplicated"), 0, "read: EBADF", 0 },
	{ "no_thread_is_given_anothers_descriptor", IO("opened"), 0, "0 wrong", 0 },

	/* scheduling */
	{ "threads_yield_to_each_other", IO("yields"), 0, "200 turns", 0 },
	{ "two_threads_run_at_the_same_time", IO("parallel"), 0, "200 turns in 2 ms", true },
	{ "cpus_are_the_hosts_and_each_threads_own", IO("affinity"), 0, "policy 0 priority 0, 0 wrong", 0 },
	{ "membarrier_orders_what_other_threads_do", IO("barriers"), 0, "0 missed both, 0 wrong", 0 },
	{ "a_thread_that_sleeps_gets_its_turn_among_many_that_compute", IO("crowded"), 0, "all ended", 0 },
};

#define WRITERS 4
#define LINES 250

/* Every line of every thread is there, whole, and in the thread's order. */
static bool lines_whole(const char *at)
{
	int next[WRITERS] = { 0 }, thread, line, n, length;

	for (int i = 0; i < WRITERS * LINES; i++, at += length + 1) {
		if (sscanf(at, "thread %d line %d %n", &thread, &line, &n) != 2 || thread < 0 || thread >= WRITERS ||
		    line != next[thread]++)
			return false;
		length = n + 10 + line % 180;
		for (int c = n; c < length; c++)
			if (at[c] != 'a' + line % 26)
				return false;
		if (at[length] != '\n')
			return false;
	}
	return !*at;
}

static void lines_of_4_threads_are_written_whole_and_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct run_result r = i ? run_kvmrun(NULL, IO("lines")) : run_native(NULL, IO("lines"));

		assert_status(&r, 0);
		if (!lines_whole(r.out)) {
			run_show("the run", &r);
			fail_msg("lines are missing, torn or out of order");
		}
		run_free(&r);
	}
}

/* ------------------------------------------------------------- from outside */

static void expect(struct running *r, const char *text)
{
	if (!run_wait_for(r, text)) {
		struct run_result end = run_finish(r);

		run_show("the run", &end);
		fail_msg("it did not print \"%s\"", text);
	}
}

static void be_handled(struct running *r)
{
	for (int i = 1; i <= 5; i++) {
		char text[16];

		kill(run_pid(r), SIGUSR1);
		snprintf(text, sizeof(text), "handled %d", i);
		expect(r, text);
	}
}

static void be_stopped(struct running *r)
{
	static const int stops[] = { SIGSTOP, SIGTSTP, SIGSTOP };
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		kill(run_pid(r), stops[i]);
		assert_int_equal(waitpid(run_pid(r), &status, WUNTRACED), run_pid(r));
		assert_true(WIFSTOPPED(status));
		kill(run_pid(r), SIGCONT);
	}
	be_handled(r);
}

static void be_terminated(struct running *r)
{
	kill(run_pid(r), SIGTERM);
}

static void be_killed(struct running *r)
{
	kill(run_pid(r), SIGKILL);
}

struct drive {
	const char *name;
	void (*drive)(struct running *r);
	int status;
};

static const struct drive drives[] = {
	{ "signals_from_outside_are_handled_by_who_does_not_block_them", be_handled, 7 },
	{ "threads_are_stopped_and_go_on", be_stopped, 7 },
	{ "a_deadly_signal_from_outside_ends_all", be_terminated, 128 + SIGTERM },
	{ "kill_from_outside_ends_all", be_killed, 128 + SIGKILL },
};

static struct run_result run_driven(struct running *r, void (*drive)(struct running *r))
{
	expect(r, "ready\n");
	drive(r);
	return run_finish(r);
}

static void run_drive(void **state)
{
	const struct drive *d = *state;
	struct run_result native = run_driven(run_start(NULL, END("outside")), d->drive);
	struct run_result guest = run_driven(run_start_kvmrun(NULL, END("outside")), d->drive);

	assert_int_equal(native.signal ? 128 + native.signal : native.status, d->status);
	/* what kills kvmrun itself it cannot turn into a status */
	if (native.signal == SIGKILL)
		assert_int_equal(guest.signal, SIGKILL);
	else
		assert_same(&native, &guest, false);
	run_free(&native);
	run_free(&guest);
}

/* Once in a program's life, so it takes many of them: on two CPUs one in fifteen came to where the other thread ended. */
static void the_first_fork_is_beside_a_thread_that_ends(void **state)
{
	(void)state;
	for (int i = 0; i < 25; i++) {
		struct run_result r = run_kvmrun(NULL, LIST("build/guest/threads_fork"));

		assert_status(&r, 0);
		assert_out(&r, "ended with 7\n");
		assert_err(&r, "");
		run_free(&r);
	}
}

static void the_time_limit_ends_all_threads(void **state)
{
	struct run_result r = run_kvmrun(LIST("--timeout", "1"), END("outside"));

	(void)state;
	assert_status(&r, 124);
	assert_err_line(&r, "time limit of 1s");
	run_free(&r);
}

static void the_limit_of_cpu_time_ends_all_threads(void **state)
{
	const struct run_opts opts = { .options = LIST("--cpu-time", run_slow() ? "6" : "1", "--stats") };
	struct run_result r = run_kvmrun_opts(&opts, END("outside"));

	(void)state;
	assert_status(&r, 124);
	assert_non_null(strstr(r.err, "CPU time limit of"));
	assert_non_null(strstr(r.err, "\"cause\": \"cpu-time\""));
	run_free(&r);
}

static void no_more_threads_than_allowed_are_made(void **state)
{
	struct run_result r = run_kvmrun(LIST("--threads", "8"), LIFE("as-many"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "7, then EAGAIN\n7, then EAGAIN\n7, then EAGAIN\n");
	run_free(&r);
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(drives) + 5] = {
		cmocka_unit_test(lines_of_4_threads_are_written_whole_and_in_order),
		cmocka_unit_test(the_time_limit_ends_all_threads),
		cmocka_unit_test(the_limit_of_cpu_time_ends_all_threads),
		cmocka_unit_test(no_more_threads_than_allowed_are_made),
		cmocka_unit_test(the_first_fork_is_beside_a_thread_that_ends),
	};
	size_t n = 5;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[n++] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						  .initial_state = (void *)&rows[i] };
	for (size_t i = 0; i < ARRAY_SIZE(drives); i++)
		tests[n++] = (struct CMUnitTest){ .name = drives[i].name, .test_func = run_drive,
						  .initial_state = (void *)&drives[i] };
	return harness_main(argc, argv, "threads", tests, n, NULL, NULL);
}
