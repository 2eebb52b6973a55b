/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is mapped to be shared, and files: tests/guest/mmap_* natively and in
 * kvmrun, compared. KVMRUN_TEST_GUESTS names their directory (build/guest).
 */
#include "lib/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The path of a guest program. Valid until the next call. */
static const char *guest(const char *name)
{
	static char path[4096];
	const char *dir = getenv("KVMRUN_TEST_GUESTS");

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "build/guest", name);
	return path;
}

/* One part of a program, the same natively and here. */
struct part {
	const char *program, *part, *name;
};

#define PART(of, part_name, test) { .program = #of, .part = part_name, .name = #test }

static const struct part parts[] = {
	PART(mmap_shared, "map", shared_memory_is_mapped_and_replaced),
	PART(mmap_shared, "parts", shared_memory_is_unmapped_and_protected_in_parts),
	PART(mmap_shared, "advise", advice_on_shared_memory_is_taken_as_on_linux),
	PART(mmap_shared, "move", shared_memory_moves_and_shrinks),
	PART(mmap_shared, "grow", shared_memory_past_its_object_is_a_sigbus),
	PART(mmap_shared, "again", shared_memory_is_mapped_twice_by_mremap),
	PART(mmap_shared, "churn", shared_and_private_memory_replace_each_other_many_times),
	PART(mmap_fork, NULL, processes_share_memory_and_wait_for_each_other),
};

static void same_part(void **state)
{
	const struct part *p = *state;

	assert_same_as_native(NULL, LIST(guest(p->program), p->part));
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_SIZE(parts)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		tests[n++] = (struct CMUnitTest){ parts[i].name, same_part, NULL, NULL, (void *)&parts[i] };
	return harness_main(argc, argv, "mmap", tests, n, NULL, NULL);
}
