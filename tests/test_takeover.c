/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that has taken over its runner, as a whole: it is still held. */
#include "lib/harness.h"
#include "lib/tree.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attempts.h"
#include "takeover.h"
#include "../runner/landlock.h"

#define GUEST "build/guest/takeover"

static char *tree;

static int make_tree(void **state)
{
	(void)state;
	tree = tree_new();
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "ro", "rw", "out" };
		char *path = tree_path(tree, names[i]);

		tree_dir(tree, names[i], 0755);
		tree_file(path, "file", names[i], 0);
		free(path);
	}
	tree_dir(tree, "ro/dir", 0755);
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	tree_remove(tree);
	free(tree);
	return 0;
}

/* Each result of the guest's against the table. */
static void expect(const struct run_result *r, const struct attempt *table, size_t count)
{
	const char *s = r->out;
	char word[16];
	long value;
	size_t n;

	for (size_t i = 0; i < count; i++) {
		bool killed;

		if (sscanf(s, "%zu %15s %ld", &n, word, &value) != 3 || n != i) {
			run_show("kvmrun", r);
			fail_msg("no result of \"%s\"", table[i].name);
		}
		s = strchr(s, '\n') + 1;
		killed = strcmp(word, "killed") == 0;
		if (table[i].abi <= landlock_abi() && (!attempt_as_expected(&table[i], killed, value) || (killed && value != SIGSYS)))
			fail_msg("%s: %s %ld, not %ld", table[i].name, word, value, table[i].expected);
	}
	assert_string_equal(s, "");
	assert_status(r, 0);
}

static void attempts(const char *const *options, unsigned int first, const struct attempt *table, size_t count)
{
	struct run_opts opts = { .options = options, .cwd = tree };
	char from[16], n[16], here[4096], program[4200];
	struct run_result r;

	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(program, sizeof(program), "%s/" GUEST, here);
	snprintf(from, sizeof(from), "%u", first);
	snprintf(n, sizeof(n), "%zu", count);
	r = run_kvmrun_opts(&opts, LIST(program, from, n));
	expect(&r, table, count);
	run_free(&r);
}

static void threat_38_a_runner_that_was_taken_over_makes_no_other_calls(void **state)
{
	(void)state;
	attempts(LIST("--ro", "ro"), 0, forbidden, forbidden_count);
}

static void threat_38_a_runner_that_was_taken_over_stays_inside_the_grants(void **state)
{
	char *text;

	(void)state;
	attempts(LIST("--ro", "ro:/ro", "--rw", "rw:/rw"), TAKEOVER_REACHES, reaches, reaches_count);
	text = tree_read(tree, "ro/file", NULL);
	/* older ones do not keep it from being cut short */
	assert_string_equal(text, landlock_abi() < 3 ? "" : "ro");
	free(text);
	text = tree_read(tree, "out/file", NULL);
	assert_string_equal(text, "out");
	free(text);
}

/* The first process's runner is kvmrun itself: what it dies of is not taken for the guest's own end. */
static void threat_21_a_runner_that_is_killed_is_not_the_guests_status(void **state)
{
	char first[16];
	struct run_result r;

	(void)state;
	snprintf(first, sizeof(first), "%u", TAKEOVER);
	r = run_kvmrun(NULL, LIST(GUEST, "close", first));
	assert_int_equal(r.signal, SIGSYS);
	assert_out(&r, "");
	run_free(&r);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(threat_38_a_runner_that_was_taken_over_makes_no_other_calls, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(threat_38_a_runner_that_was_taken_over_stays_inside_the_grants, make_tree,
						remove_tree),
		cmocka_unit_test(threat_21_a_runner_that_is_killed_is_not_the_guests_status),
	};
	char command[4096], *path;

	/* the whole path: one test runs it elsewhere */
	path = realpath("build/tests/kvmrun-taken", NULL);
	snprintf(command, sizeof(command), "%s", path ? path : "build/tests/kvmrun-taken");
	setenv("KVMRUN", command, 1);
	return harness_main(argc, argv, "takeover", tests, ARRAY_SIZE(tests), NULL, NULL);
}
