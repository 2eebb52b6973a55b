/* SPDX-License-Identifier: GPL-2.0-only */
/* Debian's own programs: dynamically linked, and what they start. */
#include "lib/harness.h"

#include <string.h>

#define LIBRARIES "--ro", "/lib64", "--ro", "/lib", "--ro", "/usr", "--ro", "/bin"
#define SH(script) LIST("/bin/sh", "-c", script)
#define BASH(script) LIST("/bin/bash", "-c", script)

struct row {
	const char *name;
	const char *const *argv;
	int status;
	const char *out;	/* what the output contains */
};

static const struct row rows[] = {
	{ "ls_lists_a_granted_directory", LIST("/bin/ls", "-ln", "/usr/share/common-licenses"), 0, "GPL-2" },
	{ "the_status_is_the_shells", SH("exit 7"), 7, "" },
	{ "a_pipeline_passes_everything", SH("seq 2000 | sort -r | sort -n | md5sum; seq 5 | head -n 2"), 0, "1\n2\n" },
	{ "a_shell_substitutes_output", SH("x=$(ls /usr/share/common-licenses | wc -l); [ \"$x\" -gt 5 ] && echo many"), 0,
	  "many" },
	{ "a_shell_waits_for_its_jobs", SH("for i in 3 4 5; do (exit $i) & p=$!; wait $p; echo $?; done"), 0, "3\n4\n5\n" },
	{ "a_shell_tells_of_what_is_not_there", SH("/no/such/program; echo $?"), 0, "127\n" },
	{ "a_shell_tells_of_signals", SH("sh -c 'kill -TERM $$'; echo $?; sh -c 'kill -SEGV $$'; echo $?"), 0, "143\n139\n" },
	{ "a_shell_traps_signals", SH("trap 'echo caught' USR1; kill -USR1 $$; echo after"), 0, "caught\nafter\n" },
	{ "bash_reads_a_here_document_and_a_process_substitution", BASH("cat <<E\nhere\nE\necho ${BASH_VERSION%%.*}"), 0,
	  "here\n" },
	{ "find_executes_for_each_file", SH("find /usr/share/common-licenses -name 'GPL-?' -exec basename {} \\; | sort"), 0,
	  "GPL-1\nGPL-2\nGPL-3\n" },
	{ "xargs_runs_several_at_once", SH("seq 20 | xargs -P 4 -n 1 expr 1 + | sort -n | tail -n 1"), 0, "21\n" },
	{ "env_and_a_missing_program", SH("env -i A=1 env; env nothing-such; echo $?"), 0, "A=1\n127\n" },
	{ "perl_runs_a_command_and_reads_its_output", LIST("/usr/bin/perl", "-e",
		"$| = 1; print `echo one two`; system('sh', '-c', 'exit 3'); print $? >> 8, \"\\n\"; "
		"open(P, '-|', 'seq 3'); print <P>; close P; my $pid = fork; exit 5 unless $pid; waitpid $pid, 0; print $? >> 8, \"\\n\""),
	  0, "one two\n3\n1\n2\n3\n5\n" },
	{ "awk_counts", LIST("/usr/bin/mawk", "BEGIN { for (i = 0; i < 1000; i++) s += i; print s; \"echo sub\" | getline x; print x }"), 0,
	  "499500\nsub\n" },
};

static void run_row(void **state)
{
	const struct row *row = *state;
	struct run_opts opts = { .options = LIST(LIBRARIES), .any_stderr = true };
	struct run_result r = run_same(&opts, row->argv);

	assert_status(&r, row->status);
	if (!strstr(r.out, row->out)) {
		run_show("the native run", &r);
		fail_msg("no \"%s\"", row->out);
	}
	run_free(&r);
}

/* An interpreter that is missing is named, with the option that grants it. */
static void without_its_interpreter_a_program_is_126(void **state)
{
	struct run_result r = run_kvmrun(NULL, LIST("/bin/ls"));

	(void)state;
	assert_status(&r, 126);
	assert_err_line(&r, "/bin/ls: its interpreter /lib64/ld-linux-x86-64.so.2 is not granted; --ro");
	run_free(&r);
}

static void without_its_libraries_a_program_says_so_itself(void **state)
{
	/* the interpreter, and nothing else of /lib */
	struct run_result r = run_kvmrun(LIST("--ro", "/lib64/ld-linux-x86-64.so.2"), LIST("/bin/ls"));

	(void)state;
	assert_status(&r, 127);
	assert_err_line(&r, "error while loading shared libraries");
	run_free(&r);
}

static void explain_names_a_library_that_is_missing(void **state)
{
	struct run_result r = run_kvmrun(LIST("--explain", "--ro", "/lib64/ld-linux-x86-64.so.2"), LIST("/bin/ls"));

	(void)state;
	assert_status(&r, 127);
	if (!strstr(r.err, "explain: /lib/x86_64-linux-gnu/libselinux.so.1 is not granted; --ro on it")) {
		run_show("kvmrun", &r);
		fail_msg("not explained");
	}
	run_free(&r);
}

static void explain_names_an_interpreter_that_execve_lacks(void **state)
{
	struct run_result r = run_kvmrun(LIST("--explain", "--ro", "/usr/bin/env"),
					 LIST("/bin/busybox", "sh", "-c", "/usr/bin/env; echo $?"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "127\n");
	if (!strstr(r.err, "explain: /lib64/ld-linux-x86-64.so.2 is not granted")) {
		run_show("kvmrun", &r);
		fail_msg("not explained");
	}
	run_free(&r);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 4];
	size_t n = 0;

	for (; n < ARRAY_SIZE(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name, .test_func = run_row, .initial_state = (void *)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(without_its_interpreter_a_program_is_126);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(without_its_libraries_a_program_says_so_itself);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(explain_names_a_library_that_is_missing);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(explain_names_an_interpreter_that_execve_lacks);
	return harness_main(argc, argv, "dynamic", tests, n, NULL, NULL);
}
