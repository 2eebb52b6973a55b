/* SPDX-License-Identifier: GPL-2.0-only */
/* Small calls, how programs end, and programs that do not: tests/guest/sys_*.c. */
#include "lib/harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GUEST(name) "build/guest/" name
#define SMALL(...) LIST(GUEST("sys_small"), __VA_ARGS__)
#define ENDLESS(name) LIST(GUEST("sys_endless"), name)

/* ------------------------------------------------------------- small calls */

struct row {
	const char *name;
	const char *const *argv;
	int status;		/* of the native run */
	const char *out;	/* what its output contains */
};

static void run_row(void **state)
{
	const struct row *row = *state;
	struct run_result native = run_same(NULL, row->argv);

	assert_int_equal(native.signal ? 128 + native.signal : native.status, row->status);
	if (row->out && !strstr(native.out, row->out)) {
		run_show("the native run", &native);
		fail_msg("it lacks \"%s\"", row->out);
	}
	run_free(&native);
}

static const struct row rows[] = {
	{ "ids_are_the_programs_own", SMALL("ids"), 0, "a pid: yes" },
	{ "names_are_told_and_changed", SMALL("names"), 0, "name \"a name that is \"" },
	{ "limits_are_told_and_lowered", SMALL("limits"), 0, "50 100" },
	{ "there_are_no_capabilities_to_gain", SMALL("capabilities"), 0, "0 0 0 0 0 0" },
	{ "scheduling_calls_answer_as_for_an_ordinary_process", SMALL("scheduling"), 0, "getcpu: yes" },
	{ "policies_and_nice_values_are_kept_as_of_an_ordinary_process", LIST(GUEST("sched")), 0, "priority 39 nice 19 policy 5" },
	{ "a_process_copies_its_own_memory_as_far_as_it_is_there", SMALL("copies"), 0, "what is there in part: 6" },
	{ "what_a_process_says_of_itself_is_told_and_kept_over_execve", LIST(GUEST("prctl")), 0, "after execve: i686" },
	{ "fs_and_gs_and_the_robust_list_are_the_threads", SMALL("thread"), 0, "GS stays: yes" },
	{ "a_futex_of_one_thread_times_out_or_does_not_wait", SMALL("futexes"), 0, "50 ms: yes" },
	{ "clocks_by_vdso_agree_with_the_calls_within_5_ms", SMALL("clocks"), 0, "clock 1: agrees" },
	{ "clocks_never_go_back_in_1000000_readings", SMALL("monotonic"), 0, "1000000 readings, 0 went back" },
	{ "use_of_resources_is_plausible", SMALL("usage"), 0, "memory was used: yes" },
	{ "unknown_call_numbers_are_ENOSYS", SMALL("absent"), 0, "call 0x1f4: -1 errno 38" },
	{ "exit_works_on_any_stack_with_any_flags", SMALL("odd-end"), 77, NULL },
	{ "exit_takes_the_low_byte", SMALL("old-exit"), 0x34, NULL },
	{ "endless_recursion_is_139", ENDLESS("recursion"), 139, NULL },
	{ "exit_works_in_a_handler", SMALL("end-in-handler"), 44, NULL },
};

static void the_exit_status_is_the_programs_own(void **state)
{
	static const int codes[] = { 0, 1, 2, 42, 63, 64, 65, 77, 99, 100, 123, 124, 125, 126, 127, 128, 129, 130, 134,
				     137, 139, 141, 143, 200, 254, 255, 256, 257, -1, 511 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		char number[16];
		struct run_result r;

		snprintf(number, sizeof(number), "%d", codes[i]);
		r = run_kvmrun(NULL, SMALL(i & 1 ? "exit" : "exit_group", number));
		assert_status(&r, codes[i] & 0xff);
		assert_out(&r, "");
		assert_err(&r, "");
		run_free(&r);
	}
}

static long long host_time(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void the_guests_clocks_are_the_hosts(void **state)
{
	long long mono = host_time(CLOCK_MONOTONIC), real = host_time(CLOCK_REALTIME), guest_mono, guest_real;
	struct run_result r = run_kvmrun(NULL, SMALL("tell-time"));

	(void)state;
	assert_status(&r, 0);
	assert_int_equal(sscanf(r.out, "%lld %lld", &guest_mono, &guest_real), 2);
	assert_in_range(guest_mono, mono, host_time(CLOCK_MONOTONIC));
	assert_in_range(guest_real, real, host_time(CLOCK_REALTIME));
	run_free(&r);
}

/* ------------------------------------------------------------- programs without end */

#define LIMIT 1.0

/* Seconds that it takes to start and end, the limit and the program apart. */
static double overhead(void)
{
	struct run_result r = run_kvmrun(NULL, SMALL("exit", "0"));
	double wall = r.wall;

	assert_status(&r, 0);
	run_free(&r);
	return wall;
}

/*
 * Whatever the program does, --timeout ends it within a tenth of a second of
 * its time: on a busy machine in one of a few tries.
 */
static void run_timeout(void **state)
{
	double late = 0.1 * run_slowness(), best = 1000;

	for (int i = 0; i < 5 && best > late; i++) {
		double apart = overhead();
		struct run_result r = run_kvmrun(LIST("--timeout", "1"), ENDLESS(*state));

		assert_status(&r, 124);
		assert_err_line(&r, "time limit of 1s");
		assert_true(r.wall >= LIMIT);
		if (r.wall - LIMIT - apart < best)
			best = r.wall - LIMIT - apart;
		run_free(&r);
	}
	if (best > late)
		fail_msg("ended %.3f s late at best", best);
}

static void wait_ready(struct running *r)
{
	if (!run_wait_for(r, "ready\n")) {
		struct run_result end = run_finish(r);

		run_show("the run", &end);
		fail_msg("it did not get ready");
	}
}

static void pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0)
		;
}

/* The limit that passes while the process is stopped counts once it goes on. */
/* Of one that stops as a program, by a signal that can be caught, the limit ends the stop, too; a SIGSTOP is kvmrun's own. */
static void timeout_ends_a_program_that_was_stopped(void **state)
{
	static const int stops[] = { SIGSTOP, SIGTSTP };
	/* long enough to get started and stopped on an emulated machine */
	bool slow = run_slow();
	struct run_opts opts = { .options = LIST("--timeout", slow ? "6" : "1") };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		struct running *run = run_start_kvmrun(&opts, ENDLESS("sleep"));
		struct run_result r;
		int status;

		wait_ready(run);
		kill(run_pid(run), stops[i]);
		assert_int_equal(waitpid(run_pid(run), &status, WUNTRACED), run_pid(run));
		assert_true(WIFSTOPPED(status));
		if (stops[i] == SIGSTOP) {
			pause_ms(slow ? 7000 : 1300);
			kill(run_pid(run), SIGCONT);
		}
		r = run_finish(run);
		assert_status(&r, 124);
		assert_err_line(&r, slow ? "time limit of 6s" : "time limit of 1s");
		run_free(&r);
	}
}

/* A program that ignores and blocks all it can is still killed like any other. */
static void sigkill_ends_a_program_that_is_deaf(void **state)
{
	struct running *run = run_start_kvmrun(NULL, ENDLESS("deaf"));
	struct run_result r;

	(void)state;
	wait_ready(run);
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			kill(run_pid(run), sig);
	pause_ms(100);
	assert_int_equal(kill(run_pid(run), 0), 0);
	kill(run_pid(run), SIGKILL);
	r = run_finish(run);
	assert_int_equal(r.signal, SIGKILL);
	assert_out(&r, "ready\n");
	run_free(&r);
}

#define TIMEOUT(program) \
	{ .name = "the_time_limit_ends_" program "_within_a_tenth_of_a_second", .test_func = run_timeout, \
	  .initial_state = program }

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[ARRAY_SIZE(rows) + 20] = {
		cmocka_unit_test(the_exit_status_is_the_programs_own),
		cmocka_unit_test(the_guests_clocks_are_the_hosts),
		cmocka_unit_test(timeout_ends_a_program_that_was_stopped),
		cmocka_unit_test(sigkill_ends_a_program_that_is_deaf),
		TIMEOUT("spin"), TIMEOUT("signals"), TIMEOUT("deaf"), TIMEOUT("blocked-read"), TIMEOUT("sleep"),
	};
	size_t n = 9;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[n++] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						  .initial_state = (void *)&rows[i] };
	return harness_main(argc, argv, "calls of the shim", tests, n, NULL, NULL);
}
