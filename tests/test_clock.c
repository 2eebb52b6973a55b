/* SPDX-License-Identifier: GPL-2.0-only */
/* Time in the guest: the vDSO, and --stats as the witness that it needs no calls. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/harness.h"

/* A number of the summary: of the object inside, or of the whole with NULL. 0 when it is not there. */
static long long stat_of(const char *path, const char *object, const char *name)
{
	json_error_t error;
	json_t *o = json_load_file(path, 0, &error), *at = o;
	long long n;

	if (!o)
		fail_msg("%s:%d: %s", path, error.line, error.text);
	if (object)
		at = json_object_get(o, object);
	n = json_integer_value(json_object_get(at, name));
	json_decref(o);
	return n;
}

static void the_vdso_and_the_real_call_agree(void **state)
{
	struct run_result r = run_kvmrun(NULL, LIST("build/guest/clock", "order"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "0 0 0 0 0 0\n");
	run_free(&r);
}

static void time_costs_no_exit(void **state)
{
	char path[] = "/tmp/kvmrun-stats-XXXXXX", option[64];
	int fd = mkstemp(path);
	struct run_result r;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(option, sizeof(option), "--stats=%s", path);
	r = run_kvmrun(LIST(option), LIST("build/guest/clock", "fast", "10000"));
	assert_status(&r, 0);
	/* a renewal may fall into the loop on a slow machine, but not often */
	assert_in_range(stat_of(path, "forwarded", "clock_gettime"), 0, 20);
	assert_in_range(stat_of(path, NULL, "runs"), 1, 100);
	assert_int_equal(stat_of(path, NULL, "ioctls"), 0);
	unlink(path);
	run_free(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vdso_and_the_real_call_agree),
		cmocka_unit_test(time_costs_no_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
