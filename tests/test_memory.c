/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory: the calls have Linux's results, faults are the right
 * signals, and --mem is met exactly. Most of it runs tests/guest/mem_* natively
 * and in kvmrun and compares; KVMRUN_TEST_GUESTS names their directory
 * (build/guest).
 */
#include "lib/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The path of a guest program. Valid until the third call from now. */
static const char *guest(const char *name)
{
	static char path[3][4096];
	static int turn;
	const char *dir = getenv("KVMRUN_TEST_GUESTS");
	char *p = path[turn++ % 3];

	snprintf(p, sizeof(path[0]), "%s/%s", dir ? dir : "build/guest", name);
	return p;
}

/* One part of a program, the same natively and here. */
struct part {
	const char *program, *part, *name;
	int status;			/* natively, 128 + signal */
};

#define PART(of, part_name, test, ...) { .program = #of, .part = part_name, .name = #test, __VA_ARGS__ }

static const struct part parts[] = {
	PART(mem_calls, "fixed", fixed_mappings_replace_what_is_there),
	PART(mem_calls, "noreplace", noreplace_mappings_replace_nothing),
	PART(mem_calls, "hints", a_hint_is_taken_where_it_is_free),
	PART(mem_calls, "bad-arguments", bad_arguments_have_the_errno_of_linux),
	PART(mem_calls, "low32", map_32bit_stays_below_two_gigabytes),
	PART(mem_calls, "grows-down", a_growsdown_mapping_grows_and_keeps_its_distance),
	PART(mem_calls, "populate", populated_memory_is_there_at_once),
	PART(mem_calls, "guards", pages_without_access_keep_their_content),
	PART(mem_calls, "protect-holes", mprotect_stops_at_a_hole),
	PART(mem_calls, "huge-parts", a_huge_page_can_be_changed_in_part),
	PART(mem_calls, "remap-in-place", mremap_grows_and_shrinks_in_place),
	PART(mem_calls, "remap-move", mremap_moves_content),
	PART(mem_calls, "remap-huge", mremap_moves_huge_pages_whole_and_in_parts),
	PART(mem_calls, "remap-errors", mremap_refuses_as_linux),
	PART(mem_calls, "remap-dontunmap", mremap_dontunmap_leaves_zeroes_behind),
	PART(mem_calls, "advise", madvise_drops_pages_and_refuses_as_linux),
	PART(mem_calls, "advise-shared", madvise_keeps_what_is_shared),
	PART(mem_calls, "break", the_break_moves_both_ways_and_new_memory_is_zero),
	PART(mem_calls, "in-core", mincore_tells_what_was_touched),
	PART(mem_calls, "sync-and-lock", msync_and_mlock_check_their_range),
	PART(mem_calls, "reservation", a_sparse_reservation_works_as_runtimes_use_it),
	PART(mem_calls, "terabytes", calls_over_terabytes_of_nothing_are_short),
	PART(mem_faults, "user", a_fault_has_the_signal_code_and_address_of_linux),
	PART(mem_faults, "high", a_fault_above_user_addresses_is_a_sigsegv),
	PART(mem_faults, "die-null", a_null_pointer_ends_the_program_by_sigsegv, .status = 139),
	PART(mem_faults, "die-blocked", a_fault_ends_the_program_though_sigsegv_is_blocked, .status = 139),
	PART(mem_faults, "die-ignored", a_fault_ends_the_program_though_sigsegv_is_ignored, .status = 139),
	PART(mem_faults, "die-run", running_data_ends_the_program, .status = 139),
	PART(mem_faults, "die-high", a_non_canonical_address_ends_the_program, .status = 139),
	PART(mem_faults, "die-twice", a_fault_in_its_own_handler_ends_the_program, .status = 139),
	PART(mem_stack, "usual", the_stack_grows_to_its_limit_and_faults_past_it),
	PART(mem_stack, "smaller", a_smaller_stack_limit_holds_at_once),
	PART(mem_stack, "larger", a_larger_stack_limit_holds_at_once),
	PART(mem_stack, "leap", the_stack_grows_over_a_leap),
	PART(mem_stack, "given-back", the_stack_keeps_its_distance_from_what_is_below),
	PART(mem_stack, "die", a_stack_overflow_ends_the_program_by_sigsegv, .status = 139),
	PART(mem_code, "by-turns", code_written_by_the_program_runs_once_it_is_executable),
};

static void same_part(void **state)
{
	const struct part *p = *state;
	struct run_result r = run_same(&(struct run_opts){ 0 }, LIST(guest(p->program), p->part));

	assert_int_equal(r.signal ? 128 + r.signal : r.status, p->status);
	assert_true(r.out_len > 0);
	run_free(&r);
}

/* ------------------------------------------------------------------ faults */

/* Whether the shim has CPL 0 to itself here; where not, it cannot protect its own pages. */
static bool shim_is_protected(void)
{
	struct run_result r = run_kvmrun(LIST("-v"), LIST(guest("hello")));
	bool is = strstr(r.err, "the shim runs at CPL 0");

	assert_status(&r, 0);
	assert_true(is || strstr(r.err, "the shim runs at CPL 3"));
	run_free(&r);
	return is;
}

static void the_shim_is_out_of_the_programs_reach_or_only_ends_it(void **state)
{
	struct run_result r;

	(void)state;
	if (shim_is_protected()) {
		assert_same_as_native(&(struct run_opts){ 0 }, LIST(guest("mem_faults"), "shim"));
		return;
	}
	r = run_kvmrun(NULL, LIST(guest("mem_faults"), "shim"));
	assert_status(&r, 125);
	assert_err_line(&r, "ended by kvmrun");
	run_free(&r);
}

static void a_stack_limit_of_the_caller_holds(void **state)
{
	static const char *const limits[] = { "1024", "3000", "65536" };
	char native[512], here[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct run_result n, k;

		snprintf(native, sizeof(native), "ulimit -S -s %s; exec %s leap", limits[i], guest("mem_stack"));
		snprintf(here, sizeof(here), "ulimit -S -s %s; exec %s %s leap", limits[i],
			 getenv("KVMRUN") ? getenv("KVMRUN") : "./kvmrun", guest("mem_stack"));
		n = run(&(struct run_opts){ 0 }, LIST("/bin/sh", "-c", native));
		k = run(&(struct run_opts){ 0 }, LIST("/bin/sh", "-c", here));
		assert_same(&n, &k, false);
		run_free(&n);
		run_free(&k);
	}
}

static void memory_is_not_writable_and_executable_at_once(void **state)
{
	struct run_result r = run_kvmrun(NULL, LIST(guest("mem_code"), "at-once"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "# at-once\n"
		   "mem_map(ZONE, PAGE, RWX, ANON | MAP_FIXED) = EACCES\n"
		   "mem_map(ZONE, PAGE, PROT_WRITE | PROT_EXEC, ANON | MAP_FIXED) = EACCES\n"
		   "mem_map(ZONE, 4 * PAGE, RW, ANON | MAP_FIXED) = zone+0\n"
		   "CALL(mprotect, ZONE, 4 * PAGE, RWX) = EACCES\n"
		   "CALL(mprotect, ZONE, PAGE, PROT_WRITE | PROT_EXEC) = EACCES\n"
		   "CALL(pkey_mprotect, ZONE, PAGE, RWX, -1) = EACCES\n"
		   "CALL(mprotect, ZONE + 64 * PAGE, PAGE, RWX) = EACCES\n"
		   "-2\n"
		   "-2\n");
	run_free(&r);
}

static void memory_may_be_writable_and_executable_under_wx(void **state)
{
	const struct run_opts opts = { .options = LIST("--wx") };

	(void)state;
	assert_same_as_native(&opts, LIST(guest("mem_code"), "at-once"));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest named[] = {
		cmocka_unit_test(the_shim_is_out_of_the_programs_reach_or_only_ends_it),
		cmocka_unit_test(a_stack_limit_of_the_caller_holds),
		cmocka_unit_test(memory_is_not_writable_and_executable_at_once),
		cmocka_unit_test(memory_may_be_writable_and_executable_under_wx),
	};
	struct CMUnitTest tests[ARRAY_SIZE(parts) + ARRAY_SIZE(named)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		tests[n++] = (struct CMUnitTest){ parts[i].name, same_part, NULL, NULL, (void *)&parts[i] };
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		tests[n++] = named[i];
	return harness_main(argc, argv, "memory", tests, n, NULL, NULL);
}
