/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a call costs, counted: a forwarded one is one KVM_RUN and the host's own
 * call, one that the shim answers leaves the guest not once.
 */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXITS "build/guest/exits"
#define MOST 10000

struct counts {
	long runs, ioctls, exits, forwarded;
};

static char *dir, *input;

/* An emulated machine counts fewer, as exactly. */
static long many(void)
{
	return getenv("KVMRUN_TEST_SLOW") ? MOST / 10 : MOST;
}

static long sum_of(json_t *object)
{
	const char *key;
	json_t *value;
	long sum = 0;

	json_object_foreach(object, key, value)
		sum += json_integer_value(value);
	return sum;
}

/* --stats of a program that makes a call so many times and once more. */
static struct counts count(const char *call, long times)
{
	struct run_opts opts = { .in_file = input };
	char number[24], *option = NULL, *text;
	struct run_result r;
	struct counts c;
	json_t *o;

	snprintf(number, sizeof(number), "%ld", times);
	assert_true(asprintf(&option, "--stats=%s/stats", dir) > 0);
	opts.options = LIST(option);
	r = run_kvmrun_opts(&opts, LIST(EXITS, call, number));
	assert_status(&r, 0);
	assert_err(&r, "");
	run_free(&r);
	free(option);
	text = tree_read(dir, "stats", NULL);
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	c.runs = json_integer_value(json_object_get(o, "runs"));
	c.ioctls = json_integer_value(json_object_get(o, "ioctls"));
	c.exits = sum_of(json_object_get(o, "exits"));
	c.forwarded = sum_of(json_object_get(o, "forwarded"));
	json_decref(o);
	free(text);
	return c;
}

static void a_forwarded_call_is_one_exit_and_no_other_ioctl(void **state)
{
	static const char *const calls[] = { "write", "read", "pread", "lseek" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct counts none = count(calls[i], 0), all = count(calls[i], many());

		if (all.runs - none.runs != many() || all.exits - none.exits != many() ||
		    all.forwarded - none.forwarded != many() || all.ioctls != none.ioctls)
			fail_msg("%ld x %s: %ld more KVM_RUN, %ld exits, %ld forwarded, %ld other ioctls", many(),
				 calls[i], all.runs - none.runs, all.exits - none.exits,
				 all.forwarded - none.forwarded, all.ioctls - none.ioctls);
	}
}

static void a_call_of_the_shims_own_is_no_exit(void **state)
{
	static const char *const calls[] = {
		"getpid", "gettid", "getuid", "brk", "brk_both_ways", "clock_gettime", "mmap", "mprotect", "madvise",
		"sigprocmask", "sigaction", "raise", "yield", "futex", "rlimit", "fault", "nothing",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct counts none = count(calls[i], 0), all = count(calls[i], many());

		if (all.exits != none.exits || all.runs != none.runs || all.forwarded != none.forwarded)
			fail_msg("%ld x %s: %ld more exits, %ld KVM_RUN, %ld forwarded", many(), calls[i],
				 all.exits - none.exits, all.runs - none.runs, all.forwarded - none.forwarded);
	}
}

/* Of strace -c, the calls of this name; all of them for "total". */
static long calls_named(const char *table, const char *name)
{
	char line[256];

	for (const char *s = table; *s; s += strcspn(s, "\n"), s += *s == '\n') {
		size_t n = strcspn(s, "\n");
		char *last, *save;
		long calls = 0;

		if (n >= sizeof(line))
			continue;
		memcpy(line, s, n);
		line[n] = '\0';
		last = strrchr(line, ' ');
		if (!last || strcmp(last + 1, name))
			continue;
		/* % time, seconds, usecs/call, calls */
		strtok_r(line, " ", &save);
		for (int i = 0; i < 3; i++)
			calls = atol(strtok_r(NULL, " ", &save));
		return calls;
	}
	fail_msg("strace -c has no %s: %s", name, table);
	return 0;
}

static void strace_of_the_runner_agrees(void **state)
{
	const char *kvmrun = getenv("KVMRUN") ? getenv("KVMRUN") : "./kvmrun";
	char *file = tree_path(dir, "strace"), number[24], *table;
	struct run_result r;

	(void)state;
	snprintf(number, sizeof(number), "%ld", many());
	r = run(&(struct run_opts){ .deadline = 300 },
		LIST("strace", "-f", "-c", "-o", file, kvmrun, "--", EXITS, "write",
		     number));
	assert_status(&r, 0);
	run_free(&r);
	table = tree_read(dir, "strace", NULL);
	/* what is beyond the two for each call is set-up, whose size does not depend on the count */
	assert_in_range(calls_named(table, "write"), many(), many() + 10);
	assert_in_range(calls_named(table, "ioctl"), many(), many() + 60);
	assert_in_range(calls_named(table, "total"), 2 * many(), 2 * many() + 600);
	free(table);
	free(file);
}

static int set_up(void **state)
{
	size_t len = 512 * (MOST + 1);	/* for every read of exits */
	char *zeros = calloc(1, len);

	(void)state;
	dir = tree_new();
	input = tree_path(dir, "input");
	tree_file(dir, "input", zeros, len);
	free(zeros);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove(dir);
	free(input);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_forwarded_call_is_one_exit_and_no_other_ioctl),
		cmocka_unit_test(a_call_of_the_shims_own_is_no_exit),
		cmocka_unit_test(strace_of_the_runner_agrees),
	};

	return harness_main(argc, argv, "exits", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
