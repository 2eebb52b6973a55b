/* SPDX-License-Identifier: GPL-2.0-only */
/* Pseudo-terminals of the program's own, compared with native runs. */
#include "lib/harness.h"

#define PROGRAM "build/guest/pty"

static void both_ends_behave_as_on_linux(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST(PROGRAM, "ends"));
}

static void a_session_has_one_until_it_is_hung_up(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST(PROGRAM, "sessions"));
}

static void a_session_leaves_its_terminal(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST(PROGRAM, "leaving"));
}

static void there_are_many_with_numbers_of_their_own(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST(PROGRAM, "many"));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_behave_as_on_linux),
		cmocka_unit_test(a_session_has_one_until_it_is_hung_up),
		cmocka_unit_test(a_session_leaves_its_terminal),
		cmocka_unit_test(there_are_many_with_numbers_of_their_own),
	};

	return harness_main(argc, argv, "pty", tests, ARRAY_SIZE(tests), NULL, NULL);
}
