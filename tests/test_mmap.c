/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is mapped to be shared, and files: tests/guest/mmap_* natively and in
 * kvmrun, compared. KVMRUN_TEST_GUESTS names their directory (build/guest).
 */
#include "lib/harness.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The path of a guest program. Valid until the next call. */
static const char *guest(const char *name)
{
	static char path[PATH_MAX], full[PATH_MAX];
	const char *dir = getenv("KVMRUN_TEST_GUESTS");

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "build/guest", name);
	return realpath(path, full) ? full : path;
}

/* One part of a program, the same natively and here. */
struct part {
	const char *program, *part, *name;
	bool writes;			/* files, in its directory */
};

#define PART(of, part_name, test, ...) { .program = #of, .part = part_name, .name = #test, __VA_ARGS__ }
#define FILES(part_name, test) PART(mmap_file, part_name, test, .writes = true)

static const struct part parts[] = {
	PART(mmap_shared, "map", shared_memory_is_mapped_and_replaced),
	PART(mmap_shared, "parts", shared_memory_is_unmapped_and_protected_in_parts),
	PART(mmap_shared, "advise", advice_on_shared_memory_is_taken_as_on_linux),
	PART(mmap_shared, "move", shared_memory_moves_and_shrinks),
	PART(mmap_shared, "grow", shared_memory_past_its_object_is_a_sigbus),
	PART(mmap_shared, "again", shared_memory_is_mapped_twice_by_mremap),
	PART(mmap_shared, "churn", shared_and_private_memory_replace_each_other_many_times),
	PART(mmap_fork, NULL, processes_share_memory_and_wait_for_each_other),
	FILES("shared", what_is_written_to_a_mapping_is_in_the_file_and_back),
	FILES("private", a_private_mapping_is_the_file_until_it_is_written),
	FILES("ends", a_page_beyond_the_files_end_is_a_sigbus),
	FILES("cut", a_page_that_the_file_has_lost_is_a_sigbus_and_efault_in_calls),
	FILES("resize", mremap_of_a_file_reaches_more_of_it),
	FILES("errors", mappings_that_linux_refuses_are_refused_alike),
	FILES("futexes", a_futex_is_the_same_at_both_addresses_of_a_page),
	FILES("race", files_are_cut_short_under_threads_that_read_them),
	FILES("large", more_of_a_file_than_there_is_memory_is_mapped),
};

static void no_files(const char *dir)
{
	(void)dir;
}

static void same_part(void **state)
{
	const struct part *p = *state;
	char dir[] = "/tmp/kvmrun-mmap-XXXXXX";
	struct run_result r;

	if (!p->writes) {
		assert_same_as_native(NULL, LIST(guest(p->program), p->part));
		return;
	}
	assert_non_null(mkdtemp(dir));
	r = run_same_writing(dir, no_files, NULL, LIST(guest(p->program), p->part));
	assert_status(&r, 0);
	run_free(&r);
	remove_written(dir);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_SIZE(parts)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		tests[n++] = (struct CMUnitTest){ parts[i].name, same_part, NULL, NULL, (void *)&parts[i] };
	return harness_main(argc, argv, "mmap", tests, n, NULL, NULL);
}
