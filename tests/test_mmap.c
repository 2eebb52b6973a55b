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
	PART(mmap_memfd, "files", a_file_that_is_memory_is_a_file),
	PART(mmap_memfd, "seals", seals_hold_for_calls_and_mappings),
	PART(mmap_memfd, "private", a_private_mapping_is_in_no_seals_way),
	PART(mmap_memfd, "again", a_file_that_is_memory_is_opened_again_for_all),
	PART(mmap_memfd, "filled", a_file_that_is_memory_is_filled_by_other_descriptors),
	PART(mmap_memfd, "forked", a_child_has_its_parents_mappings),
	FILES("shared", what_is_written_to_a_mapping_is_in_the_file_and_back),
	FILES("private", a_private_mapping_is_the_file_until_it_is_written),
	FILES("ends", a_page_beyond_the_files_end_is_a_sigbus),
	FILES("cut", threat_19_a_page_that_the_file_has_lost_is_a_sigbus_and_efault_in_calls),
	FILES("resize", mremap_of_a_file_reaches_more_of_it),
	FILES("errors", mappings_that_linux_refuses_are_refused_alike),
	FILES("futexes", a_futex_is_the_same_at_both_addresses_of_a_page),
	FILES("private-futexes", a_futex_of_a_private_mapping_is_the_programs_own),
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

/* One run with --mem 128M, which natively there is no such limit for. */
static void assert_within_limit(const char *part, const char *want)
{
	struct run_result r = run_kvmrun(LIST("--mem", "128M"), LIST(guest("mmap_limit"), part));

	assert_err(&r, "");
	assert_out(&r, want);
	assert_status(&r, 0);
	run_free(&r);
}

static void shared_memory_counts_against_the_limit_while_it_is_mapped(void **state)
{
	(void)state;
	assert_within_limit("anonymous",
		"# anonymous\n"
		"mem_map(ZONE, 200 * MB, RW, SHARED) = ENOMEM\n"
		"mem_map(ZONE, 70 * MB, RW, SHARED) = zone+0\n"
		"mem_map(ZONE + 100 * MB, 70 * MB, RW, SHARED) = ENOMEM\n"
		"mem_map(ZONE + 100 * MB, 70 * MB, RW, ANON | MAP_FIXED) = ENOMEM\n"
		"CALL(munmap, ZONE + 10 * MB, 60 * MB) = 0\n"
		"mem_map(ZONE + 100 * MB, 70 * MB, RW, SHARED) = zone+0x6400000\n"
		"CALL(mremap, ZONE + 100 * MB, 70 * MB, 100 * MB, MREMAP_MAYMOVE) = zone+0x6400000\n"
		"CALL(mremap, ZONE + 100 * MB, 70 * MB, 130 * MB, MREMAP_MAYMOVE) = ENOMEM\n"
		"CALL(munmap, ZONE, 300 * MB) = 0\n");
}

static void files_that_are_memory_have_a_limit_of_their_own(void **state)
{
	(void)state;
	assert_within_limit("files",
		"# files\n"
		"CALL(ftruncate, a, 129 * MB) = ENOSPC\n"
		"CALL(ftruncate, a, 28 * MB) = 0\n"
		"CALL(pwrite64, a, \"x\", 1, 1l << 40) = ENOSPC\n"
		"CALL(fallocate, a, 1, 0, 200 * MB) = ENOSPC\n"
		"ENOSPC after 100 MB\n"
		"CALL(sendfile, b, a, 0, 10) = ENOSPC\n"
		"CALL(ftruncate, b, 50 * MB) = 0\n"
		"CALL(ftruncate, a, 78 * MB) = 0\n"
		"CALL(mmap, ZONE, MB, RW, MAP_SHARED | MAP_FIXED, a, 0) = zone+0\n"
		"CALL(ftruncate, b, 51 * MB) = ENOSPC\n"
		"CALL(munmap, ZONE, MB) = 0\n"
		"CALL(ftruncate, b, 128 * MB) = 0\n");
	assert_within_limit("received",
		"# received\n"
		"1 1\n"
		"CALL(ftruncate, fd, 128 * MB) = 0\n"
		"CALL(ftruncate, fd, 129 * MB) = ENOSPC\n"
		"CALL(pwrite64, fd, \"x\", 1, 128 * MB) = ENOSPC\n");
}

static void nothing_that_was_mapped_outlives_its_program(void **state)
{
	char *program = strdup(guest("mmap_exec"));
	/* 100 MiB each time, and once in two processes at once */
	const struct run_opts opts = { .options = LIST("--mem", "256M", "--ro", program) };

	(void)state;
	assert_same_as_native(&opts, LIST(program));
	free(program);
}

static void shared_memory_and_semaphores_have_names_in_dev_shm(void **state)
{
	const struct run_opts opts = { .options = LIST("--tmp") };

	(void)state;
	assert_same_as_native(&opts, LIST(guest("mmap_named")));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest named[] = {
		cmocka_unit_test(shared_memory_counts_against_the_limit_while_it_is_mapped),
		cmocka_unit_test(files_that_are_memory_have_a_limit_of_their_own),
		cmocka_unit_test(shared_memory_and_semaphores_have_names_in_dev_shm),
		cmocka_unit_test(nothing_that_was_mapped_outlives_its_program),
	};
	struct CMUnitTest tests[ARRAY_SIZE(parts) + ARRAY_SIZE(named)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		tests[n++] = (struct CMUnitTest){ parts[i].name, same_part, NULL, NULL, (void *)&parts[i] };
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		tests[n++] = named[i];
	return harness_main(argc, argv, "mmap", tests, n, NULL, NULL);
}
