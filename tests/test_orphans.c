/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that outlive their parent. */
#include "lib/harness.h"

static void a_process_goes_on_when_its_parent_has_ended(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/orphans"));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_goes_on_when_its_parent_has_ended),
	};

	return harness_main(argc, argv, "orphans", tests, ARRAY_SIZE(tests), NULL, NULL);
}
