/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory: the calls have Linux's results, faults are the right
 * signals, and --mem is met exactly. Most of it runs tests/guest/mem_* natively
 * and in kvmrun and compares; KVMRUN_TEST_GUESTS names their directory
 * (build/guest).
 */
#include "lib/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
	PART(mem_lock, "ordinary", locked_memory_is_limited_as_for_an_ordinary_user),
	PART(mem_lock, "holes", memory_is_locked_up_to_a_hole),
	PART(mem_lock, "mmap", mappings_are_made_and_grown_locked),
	PART(mem_lock, "all", all_memory_is_locked_or_refused),
	PART(mem_lock, "child", a_child_has_nothing_locked),
	PART(mem_lock, "none", without_a_limit_for_it_no_memory_is_locked),
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
	PART(mem_pointers, "strings", a_bad_pointer_to_a_string_is_efault),
	PART(mem_pointers, "outputs", a_bad_pointer_to_a_result_is_efault),
	PART(mem_pointers, "inputs", a_bad_pointer_to_an_argument_is_efault),
	PART(mem_pointers, "buffers", a_buffer_is_used_up_to_the_last_byte_that_is_there),
	PART(mem_pointers, "vectors", iovecs_are_checked_as_linux_does),
	PART(mem_pointers, "descriptors", a_bad_descriptor_comes_before_a_bad_pointer),
	PART(mem_pointers, "fresh-fstat", a_result_may_be_the_first_to_touch_its_memory),
	PART(mem_pointers, "fresh-read", a_read_may_be_the_first_to_touch_its_buffer),
	PART(mem_pointers, "fresh-write", a_write_may_be_the_first_to_touch_its_buffer),
	PART(mem_pointers, "fresh-string", a_path_may_be_the_first_to_touch_its_memory),
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

/* Where the CPU has no ERMS (the lab's does not tell of it) Linux clears memory by 8 bytes. */
static void a_read_of_zeroes_ends_with_the_last_byte_that_is_there(void **state)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDONLY);
	struct run_result r;
	ssize_t n;

	(void)state;
	assert_true(page != MAP_FAILED && zero >= 0 && !munmap(page + 4096, 4096));
	n = read(zero, page + 4095, 100000);
	close(zero);
	munmap(page, 4096);
	if (n < 0) {
		print_message("this host's Linux does not clear memory up to the last byte (no ERMS)\n");
		skip();
	}
	r = run_same(&(struct run_opts){ 0 }, LIST(guest("mem_pointers"), "last-byte"));
	assert_out(&r, "# last-byte\nCALL(read, zero, (char *)WRITABLE + PAGE - 1, 100000) = 0x1\n");
	run_free(&r);
}

static void malloc_of_both_libcs_keeps_every_byte(void **state)
{
	static const char *const programs[] = { "mem_malloc", "mem_malloc.musl" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct run_result r = run_same(&(struct run_opts){ .deadline = 300 },
					       LIST(guest(programs[i]), run_slow() ? "1000" : "20000"));

		assert_status(&r, 0);
		run_free(&r);
	}
}

/* ----------------------------------------------------------- many mappings */

/* As many as vm.max_map_count's default; the same as natively where that is in force. */
static void many_mappings(const char *part)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
	struct run_result r;
	int max = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &max), 1);
	fclose(f);
	if (max == 65530 && !run_slow())
		assert_same_as_native(&(struct run_opts){ .deadline = 300 }, LIST(guest("mem_many"), part));
	r = run_kvmrun_opts(&(struct run_opts){ .deadline = 300 }, LIST(guest("mem_many"), part));
	assert_status(&r, 0);
	assert_non_null(strstr(r.out, "as many as there can be"));
	assert_null(strstr(r.out, "another number"));
	assert_null(strstr(r.out, "wrong"));
	assert_null(strstr(r.out, "less"));
	run_free(&r);
}

static void mappings_upwards_have_linuxs_limit(void **state)
{
	(void)state;
	many_mappings("mmap-upwards");
}

static void mappings_downwards_have_linuxs_limit(void **state)
{
	(void)state;
	many_mappings("mmap-downwards");
}

static void mappings_in_any_order_have_linuxs_limit(void **state)
{
	(void)state;
	many_mappings("mmap-shuffled");
}

static void room_among_many_mappings_is_found_again(void **state)
{
	(void)state;
	many_mappings("placement");
}

static void mprotect_divides_up_to_linuxs_limit(void **state)
{
	(void)state;
	many_mappings("mprotect");
}

static void random_calls_leave_what_a_model_says(void **state)
{
	static const char *const seeds[] = { "1", "2" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		struct run_result r = run_same(&(struct run_opts){ .deadline = 300 },
					       LIST(guest("mem_stress"), seeds[i], run_slow() ? "2000" : "20000"));

		assert_status(&r, 0);
		run_free(&r);
	}
}

static void threat_09_the_time_limit_holds_during_long_walks(void **state)
{
	const struct run_opts opts = { .options = LIST("--timeout", run_slow() ? "5" : "1") };
	struct run_result r = run_kvmrun_opts(&opts, LIST(guest("mem_many"), "endless"));

	(void)state;
	assert_status(&r, 124);
	assert_out(&r, "# endless\n");
	run_free(&r);
}

/* ------------------------------------------------------------------- --mem */

static struct run_result limited(const char *mem, const char *part)
{
	const struct run_opts opts = { .options = LIST("--mem", mem), .deadline = 300 };

	return run_kvmrun_opts(&opts, LIST(guest("mem_limit"), part));
}

/* KiB that a program can take under --mem, and in *image those that its file takes. */
static unsigned long available(const char *mem, unsigned long *image)
{
	struct run_result r = limited(mem, "total");
	unsigned long total = 0;

	assert_status(&r, 0);
	assert_err(&r, "");
	assert_int_equal(sscanf(r.out, "%lu %lu\n", &total, image), 2);
	run_free(&r);
	return total;
}

static void threat_22_memory_ends_exactly_at_the_limit(void **state)
{
	unsigned long image, small = available("16M", &image);

	(void)state;
	/* what is missing is the program itself and its first stack */
	assert_in_range(16 * 1024 - small - image, 4, 512);
	assert_int_equal(available("16388K", &image), small + 4);
	assert_int_equal(available("16384K", &image), small);
	assert_int_equal(available("18M", &image), small + 2 * 1024);
	assert_int_equal(available("64M", &image), small + 48 * 1024);
}

static void memory_given_back_can_be_had_again(void **state)
{
	struct run_result r = limited("32M", "again");

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "done\n");
	run_free(&r);
}

static void at_the_limit_calls_fail_and_change_nothing(void **state)
{
	struct run_result r = limited("16M", "at-limit");

	(void)state;
	assert_status(&r, 0);
	assert_out(&r,
		"mem_map(to, PAGE, RW, ANON | MAP_FIXED) = ENOMEM\n"
		"CALL(mremap, MAPPED, n * PAGE, (n + 1) * PAGE, 0) = ENOMEM\n"
		"CALL(mremap, MAPPED, n * PAGE, (n + 1) * PAGE, MREMAP_MAYMOVE) = ENOMEM\n"
		"CALL(mremap, MAPPED, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) = ENOMEM\n"
		"CALL(brk, CALL(brk, 0) + PAGE) == CALL(brk, 0) = 0x1\n"
		"mem_map(MAPPED, n * PAGE, RW, ANON | MAP_FIXED) = zone+0\n"
		"CALL(mremap, MAPPED, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) = zone+0x1000000000\n"
		"CALL(mremap, to, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, MAPPED) = zone+0\n"
		"mem_map(to, 1ul << 35, PROT_NONE, ANON | MAP_FIXED) = zone+0x1000000000\n"
		"mem_map(to, 1ul << 35, PROT_READ, ANON | MAP_FIXED) = zone+0x1000000000\n"
		"mem_map(to, 1ul << 35, RW, ANON | MAP_FIXED | MAP_NORESERVE) = zone+0x1000000000\n"
		"CALL(mprotect, to, PAGE, PROT_READ) = 0\n"
		"CALL(mprotect, to, PAGE, RW) = 0\n"
		"mem_map(to, 1ul << 35, PROT_NONE, ANON | MAP_FIXED) = zone+0x1000000000\n"
		"CALL(mprotect, to, PAGE, RW) = ENOMEM\n"
		"mem_map(MAPPED, (n + 1) * PAGE, RW, ANON | MAP_FIXED) = ENOMEM\n"
		"CALL(mremap, MAPPED + PAGE, PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, MAPPED + (n - 1) * PAGE)"
			" = ENOMEM\n"
		"  wx w? \n"
		"mem_map(to, 2 * PAGE, RW, ANON | MAP_FIXED) = ENOMEM\n"
		"CALL(mprotect, to, PAGE, RW) = 0\n"
		"CALL(mprotect, to + PAGE, PAGE, RW) = ENOMEM\n"
		"CALL(mprotect, to + PAGE, PAGE, RW) = ENOMEM\n"
		"CALL(mprotect, to + PAGE, PAGE, RW) = 0\n"
		"0\n");
	run_free(&r);
}

static void ten_thousand_cycles_lose_no_page(void **state)
{
	struct run_result r = limited("32M", "cycles");

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "0\n");
	run_free(&r);
}

static void malloc_runs_into_enomem_and_recovers(void **state)
{
	struct run_result r = limited("16M", "malloc");

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "many: ENOMEM\nmany: ENOMEM\nmany: ENOMEM\n1\n");
	run_free(&r);
}

/* The last whole line of text, as a number. */
static unsigned long last_number(const struct run_result *r)
{
	size_t at = r->out_len;

	assert_true(at > 1 && r->out[at - 1] == '\n');
	for (at--; at && r->out[at - 1] != '\n'; at--)
		;
	return strtoul(r->out + at, NULL, 10);
}

static void assert_killed_for_memory(const struct run_result *r)
{
	assert_status(r, 137);
	assert_err_line(r, "mem_limit: killed: no memory left of 16 MiB; raise --mem");
}

static void overcommitted_memory_ends_the_program_at_the_limit(void **state)
{
	unsigned long image, total = available("16M", &image);
	struct run_result r = limited("16M", "overcommit");

	(void)state;
	assert_killed_for_memory(&r);
	assert_int_equal(last_number(&r), total);
	run_free(&r);
	r = limited("16M", "overcommit-by-read");
	assert_killed_for_memory(&r);
	run_free(&r);
}

static void sparse_memory_ends_the_program_by_its_page_tables(void **state)
{
	struct run_result r = limited("16M", "sparse");

	(void)state;
	assert_killed_for_memory(&r);
	assert_in_range(last_number(&r), 8 * 1024, 16 * 1024);
	run_free(&r);
}

/* ------------------------------------------------------------------- --mem of several processes */

static struct run_result tree(const char *mem, const char *part)
{
	const struct run_opts opts = { .options = LIST("--mem", mem), .deadline = 300 };

	return run_kvmrun_opts(&opts, LIST(guest("mem_tree"), part));
}

static void all_processes_together_have_the_limit(void **state)
{
	struct run_result r = tree("64M", "sum");
	unsigned long sum, image, all;

	(void)state;
	assert_status(&r, 0);
	assert_int_equal(sscanf(r.out, "%lu %lu\n", &sum, &image), 2);
	/* seven processes, with one image and little of their own */
	all = sum + image;
	assert_in_range(all, 64 * 1024 * 95 / 100, 64 * 1024);
	run_free(&r);
}

static void memory_of_a_process_that_ended_is_the_others(void **state)
{
	struct run_result r = tree("64M", "passed-on");

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "16384 same same same same\n");
	run_free(&r);
}

static void a_copy_counts_by_what_is_written_to_it(void **state)
{
	static const char *const parts[] = { "copied", "written", "threads" };
	const struct run_opts opts = { .options = LIST("--mem", "64M"), .deadline = 300 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		assert_same_as_native(&opts, LIST(guest("mem_tree"), parts[i]));
}

static void what_several_processes_have_counts_once(void **state)
{
	static const struct { const char *part; unsigned long beside, later; const char *out; } rows[] = {
		{ "left", 32 << 10, 24 << 10, "child: 0\n" },
		{ "shared", 40 << 10, 0, "child: 0\nchild: 0\nchild: 0\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run_result r = tree("64M", rows[i].part);
		size_t len = strlen(rows[i].out);
		unsigned long first, more;

		assert_status(&r, 0);
		assert_memory_equal(r.out, rows[i].out, len);
		assert_int_equal(sscanf(r.out + len, "%lu %lu\n", &first, &more), 2);
		assert_in_range(first + rows[i].beside, 64 * 1024 * 95 / 100, 64 * 1024);
		assert_in_range(first + more + rows[i].later, 64 * 1024 * 95 / 100, 64 * 1024);
		run_free(&r);
	}
}

static void threat_22_a_copy_that_is_written_beyond_the_limit_ends_all(void **state)
{
	struct run_result r = tree("64M", "too-much");

	(void)state;
	assert_status(&r, 137);
	assert_out(&r, "touched: 0\n");
	assert_err_line(&r, "mem_tree: killed: no memory left of 64 MiB; raise --mem");
	run_free(&r);
}

static void one_process_without_memory_ends_all(void **state)
{
	const struct run_opts opts = { .options = LIST("--mem", "64M", "--stats"), .deadline = 300 };
	struct run_result r = run_kvmrun_opts(&opts, LIST(guest("mem_tree"), "overcommit"));

	(void)state;
	assert_status(&r, 137);
	assert_out(&r, "started\n");
	assert_non_null(strstr(r.err, "mem_tree: killed: no memory left of 64 MiB; raise --mem\n"));
	assert_non_null(strstr(r.err, "\"cause\": \"memory\""));
	run_free(&r);
}

static void a_bomb_of_processes_and_memory_stays_within_the_limit(void **state)
{
	struct run_result r = tree("64M", "bomb");

	(void)state;
	assert_status(&r, 3);
	assert_out(&r, "");
	run_free(&r);
}

static void too_little_memory_to_start_is_one_line_that_says_how_much(void **state)
{
	static const char *const little[] = { "1", "4K", "64K" };
	unsigned long needed = 0;
	struct run_result r;
	char mem[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(little); i++) {
		const char *at;

		r = run_kvmrun(LIST("--mem", little[i]), LIST(guest("hello-musl")));
		assert_status(&r, 125);
		assert_err_line(&r, "is too small for");
		at = strstr(r.err, "at least ");
		assert_non_null(at);
		assert_int_equal(sscanf(at, "at least %luK to start", &needed), 1);
		run_free(&r);
	}
	/* musl needs no more than that */
	snprintf(mem, sizeof(mem), "%luK", needed);
	assert_same_as_native(&(struct run_opts){ .options = LIST("--mem", mem) }, LIST(guest("hello-musl")));
	snprintf(mem, sizeof(mem), "%luK", needed - 4);
	r = run_kvmrun(LIST("--mem", mem), LIST(guest("hello-musl")));
	assert_status(&r, 125);
	assert_err_line(&r, "is too small for");
	run_free(&r);
}

static void a_huge_bss_costs_nothing_untouched_but_must_fit(void **state)
{
	static const char *const little[] = { "64M", "1G", "3G" };
	struct run_result r;

	(void)state;
	r = run_kvmrun(NULL, LIST(guest("mem_bss.musl")));
	assert_status(&r, 0);
	assert_out(&r, "6c19206e05782e01\n");
	run_free(&r);
	for (size_t i = 0; i < ARRAY_SIZE(little); i++) {
		r = run_kvmrun(LIST("--mem", little[i]), LIST(guest("mem_bss.musl")));
		assert_status(&r, 125);
		assert_err_line(&r, "is too small for");
		run_free(&r);
	}
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
		cmocka_unit_test(a_read_of_zeroes_ends_with_the_last_byte_that_is_there),
		cmocka_unit_test(malloc_of_both_libcs_keeps_every_byte),
		cmocka_unit_test(mappings_upwards_have_linuxs_limit),
		cmocka_unit_test(mappings_downwards_have_linuxs_limit),
		cmocka_unit_test(mappings_in_any_order_have_linuxs_limit),
		cmocka_unit_test(room_among_many_mappings_is_found_again),
		cmocka_unit_test(mprotect_divides_up_to_linuxs_limit),
		cmocka_unit_test(threat_09_the_time_limit_holds_during_long_walks),
		cmocka_unit_test(random_calls_leave_what_a_model_says),
		cmocka_unit_test(threat_22_memory_ends_exactly_at_the_limit),
		cmocka_unit_test(memory_given_back_can_be_had_again),
		cmocka_unit_test(at_the_limit_calls_fail_and_change_nothing),
		cmocka_unit_test(ten_thousand_cycles_lose_no_page),
		cmocka_unit_test(malloc_runs_into_enomem_and_recovers),
		cmocka_unit_test(overcommitted_memory_ends_the_program_at_the_limit),
		cmocka_unit_test(sparse_memory_ends_the_program_by_its_page_tables),
		cmocka_unit_test(all_processes_together_have_the_limit),
		cmocka_unit_test(memory_of_a_process_that_ended_is_the_others),
		cmocka_unit_test(a_copy_counts_by_what_is_written_to_it),
		cmocka_unit_test(what_several_processes_have_counts_once),
		cmocka_unit_test(threat_22_a_copy_that_is_written_beyond_the_limit_ends_all),
		cmocka_unit_test(one_process_without_memory_ends_all),
		cmocka_unit_test(a_bomb_of_processes_and_memory_stays_within_the_limit),
		cmocka_unit_test(too_little_memory_to_start_is_one_line_that_says_how_much),
		cmocka_unit_test(a_huge_bss_costs_nothing_untouched_but_must_fit),
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
