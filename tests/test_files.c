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

/* build/guest/NAME, which writes to the file or directory that its argument names. */
static void same_writing(const char *name, const char *argument)
{
	char *base = tree_new(), *dir = NULL, *program = tree_path("build/guest", name), *path = realpath(program, NULL);
	struct run_result r;

	assert_true(asprintf(&dir, "%s/d", base) > 0);
	r = run_same_writing(dir, nothing, NULL, LIST(path, argument));
	assert_int_equal(r.status, 0);
	run_free(&r);
	remove_written(dir);
	tree_remove(base);
	free(program);
	free(path);
	free(dir);
	free(base);
}

static void private_mappings_hold_the_file_and_leave_it_alone(void **state)
{
	(void)state;
	same_writing("mem_file", "file");
}

static void rare_calls_answer_as_on_linux(void **state)
{
	(void)state;
	same_writing("file_calls", "dir");
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_mappings_hold_the_file_and_leave_it_alone),
		cmocka_unit_test(rare_calls_answer_as_on_linux),
	};

	return harness_main(argc, argv, "files", tests, ARRAY_SIZE(tests), NULL, NULL);
}
