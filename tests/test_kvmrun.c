/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How kvmrun ends and what it says: statuses, refused files, option errors,
 * what the options print, limits.
 */
#define _GNU_SOURCE
#include "lib/elf_make.h"
#include "lib/harness.h"
#include "lib/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARGS "build/guest/args"
#define HELLO "build/guest/hello"
#define STDIO "build/guest/stdio"

static char *dir;		/* a temporary directory */

/* ------------------------------------------------ statuses */

static void the_status_is_the_programs(void **state)
{
	static const char *const statuses[] = { "0", "1", "2", "42", "77", "123", "124", "125", "126", "127", "128",
						"129", "137", "139", "200", "254", "255", "256", "257", "-1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct run_result r = run_kvmrun(NULL, LIST(ARGS, "exit", statuses[i]));

		assert_status(&r, atoi(statuses[i]) & 255);
		assert_out(&r, "");
		assert_err(&r, "");
		run_free(&r);
	}
}

/* Runs a program that must be refused: one line with all of these parts. */
static void refused(int status, const char *program, const char *const parts[])
{
	struct run_result r = run_kvmrun(NULL, LIST(program));

	assert_status(&r, status);
	assert_out(&r, "");
	for (; *parts; parts++)
		assert_err_line(&r, *parts);
	assert_err_line(&r, "kvmrun: ");
	run_free(&r);
}

static void a_file_that_cannot_be_run_is_refused_with_126(void **state)
{
	char *path = tree_path(dir, "refused");
	const char class32 = ELFCLASS32;
	const uint16_t arm = EM_AARCH64, i386 = EM_386;

	(void)state;
	refused(126, dir, LIST(dir, "it is a directory", "name a program"));
	refused(126, "/dev/null", LIST("/dev/null: ", "not a regular file", "name a program"));
	refused(126, "/bin/ls", LIST("/bin/ls: ", "its interpreter /lib64/ld-linux-x86-64.so.2 is not granted",
				     "--ro /lib64 --ro /lib --ro /usr"));
	tree_file(dir, "refused", "#!/bin/sh -e\necho hi\n", 0);
	refused(126, path, LIST(path, "it is not executable; chmod +x it"));
	chmod(path, 0755);
	refused(126, path, LIST(path, "is a script for", "/bin/sh -e", "interpreter"));
	tree_file(dir, "refused", "just text\n", 0);
	refused(126, path, LIST(path, "is a text file, not a program"));
	tree_file(dir, "refused", "\0\1\2", 3);
	refused(126, path, LIST(path, "is not an ELF program"));
	truncate(path, 0);
	refused(126, path, LIST(path, "is empty"));
	elf_change(HELLO, path, EI_CLASS, &class32, 1, 0);
	refused(126, path, LIST(path, "32-bit little-endian program for x32", "build it for x86_64-linux"));
	elf_change(HELLO, path, offsetof(Elf64_Ehdr, e_machine), &arm, 2, 0);
	refused(126, path, LIST(path, "64-bit little-endian program for aarch64", "build it for x86_64-linux"));
	elf_change(HELLO, path, offsetof(Elf64_Ehdr, e_machine), &i386, 2, 0);
	refused(126, path, LIST(path, "for i386", "build it for x86_64-linux"));
	free(path);
}

static void a_program_that_is_not_there_is_127(void **state)
{
	char *path = tree_path(dir, "missing");

	(void)state;
	refused(127, path, LIST(path, "no such file; check the path"));
	refused(127, "kvmrun-no-such-program", LIST("kvmrun-no-such-program: not found in PATH; give the path"));
	refused(127, "README.md/x", LIST("README.md/x: no such file"));
	refused(127, "", LIST("PROGRAM is an empty word"));
	free(path);
}

static void a_name_with_control_characters_stays_one_line(void **state)
{
	(void)state;
	refused(127, "./a\nb\x1b[2J", LIST("./a\\nb\\x1b[2J: no such file"));
}

/* Every one in its own process; an emulated machine takes every 13th. */
static void threat_26_each_of_200_malformed_programs_is_one_line_and_126(void **state)
{
	char *path = tree_path(dir, "variant");

	(void)state;
	for (int n = 0; n < 200; n += run_slow() ? 13 : 1) {
		char number[8];
		struct run_result why, r;

		snprintf(number, sizeof(number), "%d", n);
		why = run(NULL, LIST("build/tests/elf_variants", HELLO, number, path));
		assert_status(&why, 0);
		why.out[strcspn(why.out, "\n")] = '\0';
		r = run_kvmrun(NULL, LIST(path, "x"));
		assert_status(&r, 126);
		assert_out(&r, "");
		assert_err_line(&r, why.out);
		assert_err_line(&r, path);
		run_free(&why);
		run_free(&r);
	}
	free(path);
}

/* ------------------------------------------------ options */

static void an_option_error_is_125_and_one_line_with_a_hint(void **state)
{
	const struct { const char *const *options; const char *part; } cases[] = {
		{ LIST("--bogus"), "unknown option --bogus: try kvmrun --help" },
		{ LIST("--men", "1G"), "did you mean --mem?" },
		{ LIST("-x"), "unknown option -x" },
		{ LIST("--mem", "lots"), "--mem lots: not a size" },
		{ LIST("--mem", "0"), "write for example 512M" },
		{ LIST("--mem", "100K"), "--mem 100K is too small for " },
		{ LIST("--mem", "1"), "--mem 1 is too small for " },
		{ LIST("--timeout", "soon"), "--timeout soon: not a duration" },
		{ LIST("--timeout", "0"), "write for example 10, 500ms or 2m" },
		{ LIST("--net", "eth0"), "no such network; there are none, loopback" },
		{ LIST("--procs", "0"), "--procs 0: not a number of procs from 1 to 4096" },
		{ LIST("--fds", "0"), "--fds 0: not a number of fds from 1 to 16384" },
		{ LIST("--threads", "0"), "--threads 0: not a number of threads" },
		{ LIST("--threads", "few"), "write for example 1 or 256" },
		{ LIST("--ro", "/no/such/path"), "--ro /no/such/path: No such file or directory" },
		{ LIST("--rw", ""), "the path is empty" },
		{ LIST("--cwd", "/nowhere"), "/nowhere: cannot be the --cwd" },
		{ LIST("--device", "/dev/null"), "/dev/null: not a KVM device" },
		{ LIST("--device", "/no/such/device"), "/no/such/device: no such device" },
		{ LIST("--trace=/no/such/file"), "/no/such/file: cannot write --trace there" },
		{ LIST("--stats=/no/such/file"), "/no/such/file: cannot write --stats there" },
		{ LIST("--explain=x"), "--explain takes no value" },
	};
	struct run_result r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		r = run_kvmrun(cases[i].options, LIST(HELLO));
		assert_status(&r, 125);
		assert_out(&r, "");
		assert_err_line(&r, cases[i].part);
		assert_err_line(&r, "kvmrun: ");
		run_free(&r);
	}
	r = run_kvmrun(NULL, LIST(NULL));
	assert_status(&r, 125);
	assert_err_line(&r, "no PROGRAM to run");
	run_free(&r);
}

static void help_and_version_go_to_stdout(void **state)
{
	static const char *const named[] = { "--ro", "--rw", "--tmp", "--cwd", "--net", "--env", "--env-all", "--arg0",
					     "--mem", "--timeout", "--trace", "--stats", "--explain", "--verbose",
					     "--device", "--check", "--version", "--help", "Usage: kvmrun" };
	struct run_result r = run_kvmrun(LIST("--help"), LIST(NULL));

	(void)state;
	assert_status(&r, 0);
	assert_err(&r, "");
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		assert_non_null(strstr(r.out, named[i]));
	run_free(&r);
	r = run_kvmrun(LIST("--version"), LIST(NULL));
	assert_status(&r, 0);
	assert_err(&r, "");
	assert_int_equal(strncmp(r.out, "kvmrun ", 7), 0);
	run_free(&r);
}

static void explain_names_each_cause_once(void **state)
{
	static const char *const causes[] = {
		"the call clone was refused: what processes share", "the call userfaultfd was refused",
		"the call clone3 was refused", "/etc/passwd is not granted; --ro on it",
		"/etc/kvmrun-new is not granted; --rw on it", "/proc/kcore does not exist for the program",
		"127.0.0.1:80 cannot be reached: --net connect=HOST:PORT would allow this one", "/bin/busybox is not granted; --ro on it",
		"the call mount was refused: it reaches beyond the program and is never allowed",
		"/etc/of-a-child is not granted; --ro on it",
	};
	struct run_result r = run_kvmrun(LIST("--explain"), LIST(ARGS, "fork"));
	size_t lines = 0;

	(void)state;
	assert_status(&r, 0);
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		char *at = strstr(r.err, causes[i]);

		if (!at || strstr(at + 1, causes[i])) {
			run_show("kvmrun", &r);
			fail_msg("%s: \"%s\"", at ? "named twice" : "not named", causes[i]);
		}
	}
	for (const char *s = r.err; (s = strchr(s, '\n')); s++)
		lines++;
	if (lines != ARRAY_SIZE(causes))
		run_show("kvmrun", &r);
	assert_int_equal(lines, ARRAY_SIZE(causes));
	run_free(&r);
	r = run_kvmrun(NULL, LIST(ARGS, "fork"));
	assert_err(&r, "");
	assert_non_null(strstr(r.out, "clone: ENOSYS\nuserfaultfd: EPERM\nclone3: ENOSYS\nopen: ENOENT\n"));
	assert_non_null(strstr(r.out, "maps: ENOENT\nconnect: ENETUNREACH\nexecve: ENOENT\nmount: EPERM\n"));
	run_free(&r);
}

static void libc_itself_gives_explain_nothing_to_say(void **state)
{
	static const char *const programs[] = { HELLO, "build/guest/hello-pie", "build/guest/hello-musl" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct run_result r = run_kvmrun(LIST("--explain"), LIST(programs[i]));

		assert_status(&r, 0);
		assert_err(&r, "");
		run_free(&r);
	}
}

static void check_stats(const char *text, const char *cause, int status)
{
	static const char *const numbers[] = { "wall_ns", "user_ns", "system_ns", "peak_bytes", "runs", "ioctls" };
	json_error_t error;
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, &error), *end;

	if (!o)
		fail_msg("--stats is no JSON: %s: %s", error.text, text);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_true(json_is_integer(json_object_get(o, numbers[i])));
	assert_true(json_integer_value(json_object_get(o, "wall_ns")) > 0);
	assert_true(json_integer_value(json_object_get(o, "peak_bytes")) > 0);
	assert_non_null(strstr(json_string_value(json_object_get(o, "program")), "build/guest/"));
	assert_non_null(strstr(json_string_value(json_object_get(o, "device")), "/dev/kvm"));
	assert_non_null(strstr("kernel user", json_string_value(json_object_get(o, "mode"))));
	assert_true(json_is_object(json_object_get(o, "forwarded")));
	assert_true(json_is_object(json_object_get(o, "shim")));
	assert_true(json_integer_value(json_object_get(json_object_get(o, "exits"), "io")) > 0);
	end = json_object_get(o, "end");
	assert_string_equal(json_string_value(json_object_get(end, "cause")), cause);
	assert_int_equal(json_integer_value(json_object_get(end, "status")), status);
	json_decref(o);
}

static void stats_are_json_with_what_happened(void **state)
{
	char *path = tree_path(dir, "stats"), *option = NULL, *timeout = NULL, *text;
	struct run_result r;

	(void)state;
	assert_true(asprintf(&option, "--stats=%s", path) > 0);
	/* enough to start in */
	assert_true(asprintf(&timeout, "--timeout=%.0fms", 200 * run_slowness()) > 0);
	r = run_kvmrun(LIST(option), LIST(ARGS, "exit", "7"));
	assert_status(&r, 7);
	assert_err(&r, "");
	text = tree_read(dir, "stats", NULL);
	check_stats(text, "exit", 7);
	free(text);
	run_free(&r);
	r = run_kvmrun(LIST(option, timeout), LIST(STDIO, "wait"));
	assert_status(&r, 124);
	text = tree_read(dir, "stats", NULL);
	check_stats(text, "timeout", 124);
	free(text);
	run_free(&r);
	r = run_kvmrun(LIST("--stats"), LIST(HELLO));
	assert_out(&r, "hello, world\n");
	check_stats(r.err, "exit", 0);
	run_free(&r);
	/* what was never started leaves no empty file */
	unlink(path);
	r = run_kvmrun(LIST(option), LIST("/bin/ls"));
	assert_status(&r, 126);
	assert_int_equal(access(path, F_OK), -1);
	run_free(&r);
	free(timeout);
	free(option);
	free(path);
}

static void trace_goes_to_its_file_or_stderr(void **state)
{
	char *path = tree_path(dir, "trace"), *option = NULL, *text;
	struct run_result r;

	(void)state;
	assert_true(asprintf(&option, "--trace=%s", path) > 0);
	r = run_kvmrun(LIST(option), LIST(HELLO));
	assert_status(&r, 0);
	assert_out(&r, "hello, world\n");
	assert_err(&r, "");
	text = tree_read(dir, "trace", NULL);
	assert_non_null(strstr(text, "\nwrite(1, \"hello, world\\n\", 13)"));
	assert_non_null(strstr(text, "\nexit_group(0)                           = ?\n+++ exited with 0 +++\n"));
	free(text);
	run_free(&r);
	r = run_kvmrun(LIST("--trace"), LIST(HELLO));
	assert_out(&r, "hello, world\n");
	assert_non_null(strstr(r.err, "\nwrite(1, \"hello, world\\n\", 13)"));
	run_free(&r);
	free(option);
	free(path);
}

static void verbose_says_what_kvmrun_does_and_nothing_else_changes(void **state)
{
	struct run_result r = run_kvmrun(LIST("-v"), LIST(ARGS, "exit", "5"));

	(void)state;
	assert_status(&r, 5);
	assert_out(&r, "");
	assert_non_null(strstr(r.err, "kvmrun: /dev/kvm"));
	assert_non_null(strstr(r.err, "kvmrun: the shim runs at CPL "));
	run_free(&r);
}

/* ------------------------------------------------ limits */

static void a_program_past_its_time_ends_with_124(void **state)
{
	static const struct { const char *limit, *message; double seconds; } cases[] = {
		{ "300ms", "time limit of 300ms reached (--timeout)", 0.3 },
		{ "1", "time limit of 1s reached (--timeout)", 1 },
		{ "0.5s", "time limit of 500ms reached (--timeout)", 0.5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run_result r = run_kvmrun(LIST("--timeout", cases[i].limit), LIST(STDIO, "wait"));

		assert_status(&r, 124);
		assert_err_line(&r, cases[i].message);
		assert_true(r.wall >= cases[i].seconds);
		if (!run_slow())
			assert_true(r.wall < cases[i].seconds + 0.5);
		run_free(&r);
	}
}

static void a_program_within_its_time_is_not_touched(void **state)
{
	struct run_result r = run_kvmrun(LIST("--timeout", "1h"), LIST(HELLO));

	(void)state;
	assert_status(&r, 0);
	assert_err(&r, "");
	run_free(&r);
}

/* A script of busybox's sh. */
static struct run_result limited(const char *const options[], const char *script)
{
	return run_kvmrun(options, LIST("/bin/busybox", "sh", "-c", script));
}

static void files_and_their_sizes_are_limited(void **state)
{
	char *big = tree_path(dir, "big"), *script;
	struct run_result r;

	(void)state;
	r = limited(LIST("--fds", "20"), "ulimit -n; ulimit -Hn; exec 18<&0 && echo one; exec 21<&0 && echo two");
	run_show("--fds", &r);
	assert_non_null(strstr(r.out, "20\n20\none\n"));
	assert_null(strstr(r.out, "two"));
	run_free(&r);

	assert_true(asprintf(&script, "ulimit -f; dd if=/dev/zero bs=1000 count=3 of=%s 2> /dev/null; echo $?; "
			     "wc -c < %s; dd if=/dev/zero bs=64k count=1 of=%s 2> /dev/null", big, big, big) > 0);
	r = limited(LIST("--fsize", "2048", "--rw", dir), script);
	/* in blocks of 512 bytes; a shell ends with 128 + SIGXFSZ of the last command that it has executed */
	assert_out(&r, "4\n153\n2048\n");
	assert_status(&r, 153);
	run_free(&r);
	free(script);
	free(big);
}

/* All that a script writes, and how it ends: with status 137, one line and the cause, after so many bytes. */
static void ends_after(const char *bytes, const char *script)
{
	struct run_result r = limited(LIST("--output", bytes, "--stats", "--ro", "/bin", "--tmp"), script);
	const char *line = strstr(r.err, "kvmrun: ");

	if (r.status != 137 || !line || r.out_len + (line - r.err) != strtoul(bytes, NULL, 10) ||
	    strncmp(line, "kvmrun: /bin/busybox: killed: more output than ", 47) || strstr(line + 1, "kvmrun: ") ||
	    !strstr(line, "\"cause\": \"output\"")) {
		run_show("--output", &r);
		fail_msg("not 137 with one line and the cause after %s bytes", bytes);
	}
	run_free(&r);
}

static void threat_22_output_is_limited_to_the_byte(void **state)
{
	struct run_result r;

	(void)state;
	ends_after("1000", "yes");
	ends_after("100000", "yes | cat; echo more");
	ends_after("70000", "yes >&2 & yes & wait");
	ends_after("5", "printf 123; printf 456");
	ends_after("10", "exec 7>&1; echo 0123456789 >&7");
	ends_after("10", "echo 0123456789 > /dev/stderr");
	ends_after("8", "echo 0123456789 > /tmp/f; exec /bin/busybox cat /tmp/f");
	r = limited(LIST("--output", "10"), "echo 012345678");
	assert_status(&r, 0);
	assert_out(&r, "012345678\n");
	assert_err(&r, "");
	run_free(&r);
}

static void a_policy_is_taken_from_a_file(void **state)
{
	const char text[] = "{ \"procs\": 1, \"fds\": 30, \"env\": [\"FROM=file\", \"TOO=file\"] }";
	char *path = tree_path(dir, "policy.json");
	struct run_result r;

	(void)state;
	tree_file(dir, "policy.json", text, 0);
	r = limited(LIST("--env", "FROM=line", "--policy", path), "ulimit -n; echo $FROM $TOO; true & echo $?");
	assert_non_null(strstr(r.out, "30\nline file\n"));
	assert_non_null(strstr(r.err, "fork"));
	run_free(&r);
	r = limited(LIST("--policy", path, "--procs", "2"), "(echo a process); echo $?");
	assert_out(&r, "a process\n0\n");
	run_free(&r);
	free(path);
}

static void memory_is_limited_and_the_program_told(void **state)
{
	static const struct { const char *limit, *size; int status; const char *out; } cases[] = {
		{ "64M", "100000000", 1, "ENOMEM\n" }, { "64M", "40000000", 0, "used\n" },
		{ "1G", "0x10000000", 0, "used\n" }, { "1T", "1000", 0, "used\n" },
		{ "4096M", "0x200000000", 1, "ENOMEM\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run_result r = run_kvmrun(LIST("--mem", cases[i].limit), LIST(ARGS, "memory", cases[i].size));

		assert_status(&r, cases[i].status);
		assert_out(&r, cases[i].out);
		if (cases[i].status)
			assert_err_line(&r, "MiB of memory reached (--mem)");
		else
			assert_err(&r, "");
		run_free(&r);
	}
}

static int set_up(void **state)
{
	(void)state;
	dir = tree_new();
	chmod(dir, 0755);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove(dir);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_is_the_programs),
		cmocka_unit_test(a_file_that_cannot_be_run_is_refused_with_126),
		cmocka_unit_test(a_program_that_is_not_there_is_127),
		cmocka_unit_test(a_name_with_control_characters_stays_one_line),
		cmocka_unit_test(threat_26_each_of_200_malformed_programs_is_one_line_and_126),
		cmocka_unit_test(an_option_error_is_125_and_one_line_with_a_hint),
		cmocka_unit_test(help_and_version_go_to_stdout),
		cmocka_unit_test(explain_names_each_cause_once),
		cmocka_unit_test(libc_itself_gives_explain_nothing_to_say),
		cmocka_unit_test(stats_are_json_with_what_happened),
		cmocka_unit_test(trace_goes_to_its_file_or_stderr),
		cmocka_unit_test(verbose_says_what_kvmrun_does_and_nothing_else_changes),
		cmocka_unit_test(a_program_past_its_time_ends_with_124),
		cmocka_unit_test(a_program_within_its_time_is_not_touched),
		cmocka_unit_test(memory_is_limited_and_the_program_told),
		cmocka_unit_test(files_and_their_sizes_are_limited),
		cmocka_unit_test(threat_22_output_is_limited_to_the_byte),
		cmocka_unit_test(a_policy_is_taken_from_a_file),
	};

	return harness_main(argc, argv, "kvmrun", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
