/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc, compared with native runs: what is told of other processes, and the formats of files. */
#include "lib/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void another_process_is_seen_as_on_linux(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/proc_other", "child"));
}

static void a_parent_is_seen_as_on_linux(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/proc_other", "parent"));
}

static void processes_can_all_look_at_each_other(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/proc_other", "crowd"));
}

static void what_is_read_again_tells_how_things_are(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/proc_other", "again"));
}

static void a_program_may_write_over_its_arguments(void **state)
{
	const struct run_opts opts = { .options = LIST("--ro", ".") };

	(void)state;
	assert_same_as_native(&opts, LIST("build/guest/proc_other", "title"));
}

static void time_that_was_used_stays_used(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/proc_other", "used"));
}

static void a_thread_has_a_directory_like_its_process(void **state)
{
	(void)state;
	assert_same_as_native(NULL, LIST("build/guest/proc_other", "thread"));
}

static void signals_are_told_as_on_linux(void **state)
{
	const struct run_opts opts = { .options = LIST("--ro", ".") };

	(void)state;
	assert_same_as_native(&opts, LIST("build/guest/proc_other", "signals"));
}

/* Lines that may be on one side only, by how they begin. */
struct apart {
	const char *begins, *reason;
};

static bool is_apart(const struct apart *list, const char *line)
{
	for (; list->begins; list++)
		if (strncmp(line, list->begins, strlen(list->begins)) == 0)
			return true;
	return false;
}

/* How many of a's lines b does not have. */
static int missing(const char *a, const char *b, const struct apart *list, const char *who)
{
	char *lines = strdup(a), *save = NULL;
	int n = 0;

	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *at = b;
		size_t len = strlen(line);

		while (at && (strncmp(at, line, len) != 0 || (at[len] && at[len] != '\n'))) {
			at = strchr(at, '\n');
			at += at != NULL;
		}
		if (at || is_apart(list, line))
			continue;
		print_error("%s alone: %s\n", who, line);
		n++;
	}
	free(lines);
	return n;
}

static void files_have_the_formats_of_linux(void **state)
{
	static const struct apart native_only[] = {
		{ "/proc/vmstat: ", "a kernel's inner life" },
		{ "/proc/meminfo: Zswap", "from 6.1 on where configured" },
		{ "/proc/meminfo: SecPageTables", "from 6.1 on" },
		{ "/proc/meminfo: DirectMap", "the kernel's own page tables" },
		{ "/proc/meminfo: Cma", "where configured" },
		{ "/proc/meminfo: Unaccepted", "likewise" },
		{ "/proc/cpuinfo: TLB size", "of one vendor's" },
		{ "/proc/cpuinfo: vmx flags", "likewise" },
		{ "/proc/cpuinfo: bugs", "may be empty" },
		{ "/proc/self/cgroup: ", "empty where nothing is mounted" },
		{ "/proc/self/status: untag_mask", "from 6.4 on" },
		{ "/proc/self/status: x86_Thread_features", "from 6.6 on" },
		{ "/proc/version: ", "a release may be a number alone, or have more to it" },
		{ "/proc/self/status: Kthread", "from 6.11 on" },
		{ "/proc/self/smaps: KSM", "from 6.8 on" },
		{ "/proc/self/smaps_rollup: KSM", "likewise" },
		{ "/proc/self/smaps: ProtectionKey", "where the CPU has them, and a guest has not" },
		{ "/proc/net/", "what there is on the host" },
		{ 0 },
	}, here_only[] = {
		{ "/proc/cpuinfo: bugs", "may be empty" },
		{ "/proc/cpuinfo: microcode", "where the CPU tells of one" },
		{ "/proc/self/cgroup: ", "empty natively where nothing is mounted" },
		{ "/proc/version: ", "as above" },
		{ "/proc/meminfo: NFS_Unstable", "up to 6.1" },
		{ "/proc/net/if_inet6", "where IPv6 is switched off" },
		{ 0 },
	};
	struct run_result native = run_native(NULL, LIST("build/guest/proc_shape"));
	struct run_result guest = run_kvmrun_opts(NULL, LIST("build/guest/proc_shape"));
	int n;

	(void)state;
	assert_status(&native, 0);
	assert_status(&guest, 0);
	n = missing(native.out, guest.out, native_only, "natively");
	n += missing(guest.out, native.out, here_only, "here");
	assert_int_equal(n, 0);
	run_free(&native);
	run_free(&guest);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_process_is_seen_as_on_linux),
		cmocka_unit_test(a_parent_is_seen_as_on_linux),
		cmocka_unit_test(processes_can_all_look_at_each_other),
		cmocka_unit_test(what_is_read_again_tells_how_things_are),
		cmocka_unit_test(a_program_may_write_over_its_arguments),
		cmocka_unit_test(time_that_was_used_stays_used),
		cmocka_unit_test(a_thread_has_a_directory_like_its_process),
		cmocka_unit_test(signals_are_told_as_on_linux),
		cmocka_unit_test(files_have_the_formats_of_linux),
	};

	return harness_main(argc, argv, "proc", tests, ARRAY_SIZE(tests), NULL, NULL);
}
