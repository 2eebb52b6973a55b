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
};

static const struct part parts[] = {
	{ "mem_calls", "fixed", "fixed_mappings_replace_what_is_there" },
	{ "mem_calls", "noreplace", "noreplace_mappings_replace_nothing" },
	{ "mem_calls", "hints", "a_hint_is_taken_where_it_is_free" },
	{ "mem_calls", "bad-arguments", "bad_arguments_have_the_errno_of_linux" },
	{ "mem_calls", "low32", "map_32bit_stays_below_two_gigabytes" },
	{ "mem_calls", "grows-down", "a_growsdown_mapping_grows_and_keeps_its_distance" },
	{ "mem_calls", "populate", "populated_memory_is_there_at_once" },
	{ "mem_calls", "guards", "pages_without_access_keep_their_content" },
	{ "mem_calls", "protect-holes", "mprotect_stops_at_a_hole" },
	{ "mem_calls", "huge-parts", "a_huge_page_can_be_changed_in_part" },
	{ "mem_calls", "remap-in-place", "mremap_grows_and_shrinks_in_place" },
	{ "mem_calls", "remap-move", "mremap_moves_content" },
	{ "mem_calls", "remap-huge", "mremap_moves_huge_pages_whole_and_in_parts" },
	{ "mem_calls", "remap-errors", "mremap_refuses_as_linux" },
	{ "mem_calls", "remap-dontunmap", "mremap_dontunmap_leaves_zeroes_behind" },
	{ "mem_calls", "advise", "madvise_drops_pages_and_refuses_as_linux" },
	{ "mem_calls", "advise-shared", "madvise_keeps_what_is_shared" },
	{ "mem_calls", "break", "the_break_moves_both_ways_and_new_memory_is_zero" },
	{ "mem_calls", "in-core", "mincore_tells_what_was_touched" },
	{ "mem_calls", "sync-and-lock", "msync_and_mlock_check_their_range" },
	{ "mem_calls", "reservation", "a_sparse_reservation_works_as_runtimes_use_it" },
	{ "mem_calls", "terabytes", "calls_over_terabytes_of_nothing_are_short" },
};

static void same_part(void **state)
{
	const struct part *p = *state;
	struct run_result r = run_same(&(struct run_opts){ 0 }, LIST(guest(p->program), p->part));

	assert_status(&r, 0);
	assert_true(r.out_len > 0);
	run_free(&r);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_SIZE(parts)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		tests[n++] = (struct CMUnitTest){ parts[i].name, same_part, NULL, NULL, (void *)&parts[i] };
	return harness_main(argc, argv, "memory", tests, n, NULL, NULL);
}
