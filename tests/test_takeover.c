/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that has taken over its runner, as a whole: it is still held. */
#include "lib/harness.h"
#include "lib/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "attempts.h"
#include "listening.h"
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

/* The guest's line about the i-th attempt, of this name: its result, or *killed by SIGSYS; *s is behind it then. */
static long result_of(const struct run_result *r, const char **s, size_t i, const char *name, bool *killed)
{
	char word[16];
	long value;
	size_t n;

	if (sscanf(*s, "%zu %15s %ld", &n, word, &value) != 3 || n != i) {
		run_show("kvmrun", r);
		fail_msg("no result of \"%s\"", name);
	}
	*s = strchr(*s, '\n') + 1;
	*killed = strcmp(word, "killed") == 0;
	if (*killed && value != SIGSYS)
		fail_msg("%s: killed by signal %ld", name, value);
	return value;
}

/* Each result of the guest's against the table. */
static void expect(const struct run_result *r, const struct attempt *table, size_t count)
{
	const char *s = r->out;

	for (size_t i = 0; i < count; i++) {
		bool killed;
		long value = result_of(r, &s, i, table[i].name, &killed);

		if (table[i].abi <= landlock_abi() && !attempt_as_expected(&table[i], killed, value))
			fail_msg("%s: %s%ld, not %ld", table[i].name, killed ? "killed " : "", value, table[i].expected);
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
	attempts(LIST("--ro", "ro:/ro", "--rw", "rw:/rw", "--fsize", "1G"), TAKEOVER_REACHES, reaches, reaches_count);
	text = tree_read(tree, "ro/file", NULL);
	/* older ones do not keep it from being cut short */
	assert_string_equal(text, landlock_abi() < 3 ? "" : "ro");
	free(text);
	text = tree_read(tree, "out/file", NULL);
	assert_string_equal(text, "out");
	free(text);
}

/* Asserts that a thread's file in /proc has such a line. */
static void assert_line(const char *task, const char *line)
{
	char text[8192] = "";
	int fd = open(task, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	if (!strstr(text, line))
		fail_msg("%s: not \"%s\":\n%s", task, line, text);
}

/* How many threads pid and its children have, each of them seen to be in a jail. */
static int all_jailed(pid_t pid)
{
	static const char *const lines[] = {
		"\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n", "\nCapInh:\t0000000000000000\n", "\nCapPrm:\t0000000000000000\n",
		"\nCapEff:\t0000000000000000\n", "\nCapAmb:\t0000000000000000\n",
	};
	char name[64], path[400], children[256];
	struct dirent *task;
	int n = 0, child, used;
	DIR *tasks;

	snprintf(name, sizeof(name), "/proc/%d/task", pid);
	tasks = opendir(name);
	assert_non_null(tasks);
	while ((task = readdir(tasks))) {
		FILE *f;

		if (task->d_name[0] == '.')
			continue;
		n++;
		snprintf(path, sizeof(path), "%s/%s/status", name, task->d_name);
		for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
			assert_line(path, lines[i]);
		snprintf(path, sizeof(path), "%s/%s/children", name, task->d_name);
		f = fopen(path, "re");
		if (f && fgets(children, sizeof(children), f))
			for (char *s = children; sscanf(s, "%d %n", &child, &used) == 1; s += used)
				n += all_jailed(child);
		if (f)
			fclose(f);
	}
	closedir(tasks);
	return n;
}

/* Also what came before and after: the watchers of limits and of the table of processes, another process, their vCPUs. */
static void threat_38_each_thread_of_each_process_is_in_the_jail(void **state)
{
	struct run_opts opts = { .options = LIST("--cpu-time", "100", "--timeout", "100", "--tmp") };
	struct running *run;
	struct run_result r;

	(void)state;
	run = run_start_kvmrun(&opts, LIST(GUEST, "wait", "for-ever"));
	assert_true(run_wait_for(run, "ready"));
	assert_true(all_jailed(run_pid(run)) >= 5);
	kill(run_pid(run), SIGTERM);
	r = run_finish(run);
	assert_status(&r, 128 + SIGTERM);
	run_free(&r);
}

static void threat_38_a_runner_that_was_taken_over_has_the_ports_that_are_listed(void **state)
{
	uint16_t here, there;
	int listening = listening_at_port(&here), name = listening_abstract(ATTEMPT_ABSTRACT);
	char connects[64], listens[32], from[16], n[16];
	struct run_result r;
	const char *s;

	(void)state;
	close(listening_at_port(&there));
	snprintf(connects, sizeof(connects), "connect=127.0.0.1:%u", here);
	snprintf(listens, sizeof(listens), "listen=%u", there);
	snprintf(from, sizeof(from), "%u", TAKEOVER_PORTS);
	snprintf(n, sizeof(n), "%zu", port_attempt_count);
	r = run_kvmrun(LIST("--net", connects, "--net", listens), LIST(GUEST, from, n));
	s = r.out;
	for (size_t i = 0; i < port_attempt_count; i++) {
		const struct port_attempt *p = &port_attempts[i];
		bool killed;
		long value = result_of(&r, &s, i, p->name, &killed);

		if (p->abi <= landlock_abi() && !attempt_port_as_expected(p, killed, value))
			fail_msg("%s: %s%ld, not %ld", p->name, killed ? "killed " : "", value, p->expected);
	}
	assert_status(&r, 0);
	run_free(&r);
	close(listening);
	close(name);
	if (landlock_abi() < 4) {
		print_message("Landlock of this kernel knows no ports: they are kept by the runner alone\n");
		skip();
	}
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
		cmocka_unit_test(threat_38_each_thread_of_each_process_is_in_the_jail),
		cmocka_unit_test(threat_38_a_runner_that_was_taken_over_has_the_ports_that_are_listed),
		cmocka_unit_test(threat_21_a_runner_that_is_killed_is_not_the_guests_status),
	};
	char command[4096], *path;

	/* the whole path: one test runs it elsewhere */
	path = realpath("build/tests/kvmrun-taken", NULL);
	snprintf(command, sizeof(command), "%s", path ? path : "build/tests/kvmrun-taken");
	setenv("KVMRUN", command, 1);
	return harness_main(argc, argv, "takeover", tests, ARRAY_SIZE(tests), NULL, NULL);
}
