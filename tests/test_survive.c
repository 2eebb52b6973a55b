/* SPDX-License-Identifier: GPL-2.0-only */
/* The runner outlives whatever a program asks of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/harness.h"

static void every_call_leaves_the_runner_alive(void **state)
{
	char dir[] = "/tmp/kvmrun-survive-XXXXXX", grant[64];
	struct run_result r;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(grant, sizeof(grant), "%s:/w", dir);
	r = run_kvmrun(LIST("--rw", grant), LIST("build/guest/all_calls"));
	assert_status(&r, 0);
	/* nobody said that write(1) was not among the calls */
	assert_true(r.out_len >= 9 && memcmp(r.out + r.out_len - 9, "survived\n", 9) == 0);
	run_free(&r);
	r = run_native(NULL, LIST("rm", "-r", dir));
	assert_status(&r, 0);
	run_free(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_leaves_the_runner_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
