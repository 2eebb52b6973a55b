/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs do with files beyond reading and writing them, compared with native runs. */
#include "lib/harness.h"
#include "lib/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void nothing(const char *dir)
{
	(void)dir;
}

static void private_mappings_hold_the_file_and_leave_it_alone(void **state)
{
	char *base = tree_new(), *dir = NULL, *program = realpath("build/guest/mem_file", NULL);
	struct run_result r;

	(void)state;
	assert_true(asprintf(&dir, "%s/d", base) > 0);
	r = run_same_writing(dir, nothing, NULL, LIST(program, "file"));
	assert_int_equal(r.status, 0);
	run_free(&r);
	remove_written(dir);
	tree_remove(base);
	free(program);
	free(dir);
	free(base);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_mappings_hold_the_file_and_leave_it_alone),
	};

	return harness_main(argc, argv, "files", tests, ARRAY_SIZE(tests), NULL, NULL);
}
