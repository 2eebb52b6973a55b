/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors that tell of something, compared with native runs. */
#include "lib/harness.h"
#include "lib/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "build/guest/events"

static void poll_and_epoll_take_3000_descriptors_at_once(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST(PROGRAM, "many"));
}

static void eventfds_count_as_on_linux(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST(PROGRAM, "eventfd"));
}

static void epoll_tells_of_descriptors_and_their_duplicates(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST(PROGRAM, "epoll"));
}

static void timerfds_expire(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST(PROGRAM, "timerfd"));
}

static void signalfds_tell_of_what_is_pending(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/signalfd", "alone"));
}

static void signalfds_are_waited_for(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/signalfd", "waits"));
}

static void signalfds_are_each_processs_own(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/signalfd", "processes"));
}

static void descriptors_send_signals_to_their_owners(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/events_async"));
}

static void nothing(const char *dir)
{
	(void)dir;
}

static void inotify_tells_of_granted_files(void **state)
{
	char *base = tree_new(), *dir = NULL, *program = realpath(PROGRAM, NULL);
	struct run_result r;

	(void)state;
	assert_true(asprintf(&dir, "%s/d", base) > 0);
	r = run_same_writing(dir, nothing, NULL, LIST(program, "inotify"));
	assert_int_equal(r.status, 0);
	run_free(&r);
	remove_written(dir);
	tree_remove(base);
	free(program);
	free(dir);
	free(base);
}

static void inotify_tells_of_nothing_else(void **state)
{
	static const struct { const char *path, *result; } tries[] = {
		{ "/etc/passwd", "watch: ENOENT\n" }, { "/proc/self/fd", "watch: EACCES\n" }, { "/dev/null", "watch: EACCES\n" },
		{ "/", "watch: EACCES\n" }, { "/../etc", "watch: ENOENT\n" }, { "/tmp", "watch: 1\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		struct run_result r = run_kvmrun(LIST("--tmp"), LIST(PROGRAM, "watch", tries[i].path));

		assert_status(&r, 0);
		assert_out(&r, tries[i].result);
		run_free(&r);
		if (!strcmp(tries[i].path, "/tmp"))
			continue;
		/* the jail has no such call then */
		r = run_kvmrun(NULL, LIST(PROGRAM, "watch", tries[i].path));
		assert_status(&r, 0);
		assert_out(&r, tries[i].result);
		run_free(&r);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(poll_and_epoll_take_3000_descriptors_at_once),
		cmocka_unit_test(eventfds_count_as_on_linux),
		cmocka_unit_test(epoll_tells_of_descriptors_and_their_duplicates),
		cmocka_unit_test(timerfds_expire),
		cmocka_unit_test(signalfds_tell_of_what_is_pending),
		cmocka_unit_test(signalfds_are_waited_for),
		cmocka_unit_test(signalfds_are_each_processs_own),
		cmocka_unit_test(descriptors_send_signals_to_their_owners),
		cmocka_unit_test(inotify_tells_of_granted_files),
		cmocka_unit_test(inotify_tells_of_nothing_else),
	};

	return harness_main(argc, argv, "events", tests, ARRAY_SIZE(tests), NULL, NULL);
}
