/* SPDX-License-Identifier: GPL-2.0-only */
/* What a program is started with: arguments, environment, auxiliary vector, addresses. */
#define _GNU_SOURCE
#include "lib/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS "build/guest/args"
#define SH(script) LIST("/bin/busybox", "sh", "-c", script)

/* ------------------------------------------------ arguments, environment */

static void arguments_arrive_byte_for_byte(void **state)
{
	char all[256], *long_one = malloc(131072);

	(void)state;
	for (int i = 1; i < 256; i++)
		all[i - 1] = i;
	all[255] = '\0';
	memset(long_one, 'x', 131071);
	long_one[131071] = '\0';	/* the longest that Linux passes */
	assert_same_as_native(NULL, LIST(ARGS, "argv"));
	assert_same_as_native(NULL, LIST(ARGS, "argv", "", "a b", "", "\t\n", all, "--", "--help", "-v", "--mem",
					 "", "\xff\xfe", "*", "$HOME", "'\"\\", ""));
	assert_same_as_native(NULL, LIST(ARGS, "argv", long_one, "x", long_one));
	free(long_one);
}

static void a_thousand_arguments_arrive(void **state)
{
	const char *argv[240] = { ARGS, "argv" };
	struct run_result r;

	(void)state;
	/* the harness passes 250 words; the shell makes more of one */
	for (int i = 2; i < 239; i++)
		argv[i] = i % 3 ? "word" : "";
	assert_same_as_native(NULL, argv);
	setenv("K", getenv("KVMRUN") ? getenv("KVMRUN") : "./kvmrun", 1);
	r = run(NULL, SH("set -- $(seq 1000); $K -- " ARGS " argv \"$@\" | tr '\\0' '\\n' | tail -n +3 | md5sum; "
			 "seq 1000 | md5sum"));
	assert_status(&r, 0);
	assert_int_equal(r.out_len, 2 * 36);
	assert_memory_equal(r.out, r.out + 36, 36);
	run_free(&r);
}

static void a_path_in_arguments_is_looked_up_as_the_shell_does(void **state)
{
	struct run_result r = run_kvmrun(NULL, LIST("busybox", "echo", "found"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "found\n");
	run_free(&r);
}

static void arg0_is_what_the_option_says(void **state)
{
	struct run_result r = run_kvmrun(LIST("--arg0", "echo"), LIST("/bin/busybox", "by", "name"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "by name\n");
	run_free(&r);
	r = run_kvmrun(LIST("--arg0="), LIST(ARGS, "argv", "x"));
	assert_status(&r, 0);
	assert_out_bytes(&r, "\0argv\0x", 8);
	run_free(&r);
}

/* Strings, each ended by its NUL, in any order. */
static void assert_strings(const struct run_result *r, const char *const want[])
{
	size_t len = 0;

	for (; *want; want++) {
		size_t n = strlen(*want) + 1;

		len += n;
		if (!memmem(r->out, r->out_len, *want, n)) {
			run_show("kvmrun", r);
			fail_msg("lacks %s", *want);
		}
	}
	if (len != r->out_len) {
		run_show("kvmrun", r);
		fail_msg("has more than it should");
	}
}

static void the_environment_is_four_variables_unless_told(void **state)
{
	const char *const env[] = { "PATH=/opt/x:/bin", "TERM=vt100", "LANG=de_DE.UTF-8", "TZ=Asia/Tokyo",
				    "SECRET=1", "EMPTY=", "HOME=/root", "LD_PRELOAD=", NULL };
	const char *const bare[] = { "PATH=/bin", "SECRET=1", NULL };
	struct run_opts opts = { .env = env };
	struct run_result r = run_kvmrun_opts(&opts, LIST(ARGS, "env"));

	(void)state;
	assert_strings(&r, LIST("PATH=/usr/local/bin:/usr/bin:/bin", "TERM=vt100", "LANG=de_DE.UTF-8",
				"TZ=Asia/Tokyo"));
	run_free(&r);
	opts.options = LIST("--env", "A=b=c", "--env=EMPTY", "--env", "TERM", "--env=TZ=", "--env", "MISSING",
			    "--env", "A=d e");
	r = run_kvmrun_opts(&opts, LIST(ARGS, "env"));
	assert_strings(&r, LIST("PATH=/usr/local/bin:/usr/bin:/bin", "TERM=vt100", "LANG=de_DE.UTF-8", "TZ=",
				"A=d e", "EMPTY="));
	run_free(&r);
	opts.options = LIST("--env-all", "--env=NEW=x");
	r = run_kvmrun_opts(&opts, LIST(ARGS, "env"));
	assert_strings(&r, LIST("PATH=/opt/x:/bin", "TERM=vt100", "LANG=de_DE.UTF-8", "TZ=Asia/Tokyo", "SECRET=1",
				"EMPTY=", "HOME=/root", "LD_PRELOAD=", "NEW=x"));
	run_free(&r);
	r = run_kvmrun_opts(&(struct run_opts){ .env = bare }, LIST(ARGS, "env"));
	assert_strings(&r, LIST("PATH=/usr/local/bin:/usr/bin:/bin"));
	run_free(&r);
}

/* ------------------------------------------------ the auxiliary vector */

static void assert_has_line(const struct run_result *r, const char *line)
{
	size_t n = strlen(line);

	for (const char *s = r->out; (s = strstr(s, line)); s++)
		if ((s == r->out || s[-1] == '\n') && s[n] == '\n')
			return;
	run_show("kvmrun", r);
	fail_msg("lacks the line: %s", line);
}

static void the_auxiliary_vector_is_linuxs(void **state)
{
	/* what does not depend on the machine or the run, as a native run has it */
	static const char *const same[] = {
		"AT_PAGESZ", "AT_CLKTCK", "AT_PHDR", "AT_PHENT", "AT_PHNUM", "AT_BASE", "AT_FLAGS", "AT_ENTRY",
		"AT_UID", "AT_EUID", "AT_GID", "AT_EGID", "AT_SECURE", "AT_EXECFN", "AT_PLATFORM", "AT_NULL",
		"phdr", "phnum", "entry", "hwcap", "fsgsbase", "stack",
	};
	static const char *const there[] = {
		"AT_SYSINFO_EHDR", "AT_RANDOM", "AT_MINSIGSTKSZ", "vdso ELF DYN x86-64 aligned",
		"vdso __vdso_clock_gettime", "vdso __vdso_gettimeofday", "vdso __vdso_time",
		"vdso __vdso_getcpu", "vdso clock_gettime 0", "vdso time fits", "phdr right", "phnum right", "entry right",
		"hwcap right", "fsgsbase works", "stack some",
	};
	struct run_result native = run_native(NULL, LIST(ARGS, "auxv"));
	struct run_result r = run_kvmrun(NULL, LIST(ARGS, "auxv"));

	(void)state;
	assert_status(&r, 0);
	assert_err(&r, "");
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		assert_has_line(&r, there[i]);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		char *at = native.out, *line;
		size_t n = strlen(same[i]);

		while (strncmp(at, same[i], n) || at[n] != ' ') {
			at = strchr(at, '\n');
			assert_non_null(at);
			at++;
		}
		line = strndup(at, strcspn(at, "\n"));
		assert_has_line(&r, line);
		free(line);
	}
	assert_non_null(strstr(r.out, "\nAT_HWCAP 0x"));
	assert_non_null(strstr(r.out, "\nAT_HWCAP2 0x"));
	run_free(&native);
	run_free(&r);
}

/* The number behind "name " in the output. */
static uint64_t number(const struct run_result *r, const char *name)
{
	const char *at = strstr(r->out, name);

	if (!at)
		run_show("kvmrun", r);
	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, 0);
}

static void addresses_differ_from_run_to_run(void **state)
{
	static const char *const what[] = { "stack ", "mmap ", "vdso " };
	struct run_result r[3];
	int same[ARRAY_SIZE(what)] = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		r[i] = run_kvmrun(NULL, LIST(ARGS, "where"));
		assert_status(&r[i], 0);
		assert_true(number(&r[i], "stack ") < 0x7ffffffff000);
		assert_int_equal(number(&r[i], "program "), 0x400000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		for (int k = 0; k < 3; k++)
			same[i] += number(&r[k], what[i]) == number(&r[(k + 1) % 3], what[i]);
		if (same[i])
			fail_msg("two of three runs have %sat one address", what[i]);
	}
	for (int i = 0; i < 3; i++)
		run_free(&r[i]);
}

static void at_random_is_16_other_bytes_in_each_run(void **state)
{
	struct run_result a = run_kvmrun(NULL, LIST(ARGS, "auxv"));
	struct run_result b = run_kvmrun(NULL, LIST(ARGS, "auxv"));
	const char *x = strstr(a.out, "\nrandom "), *y = strstr(b.out, "\nrandom ");

	(void)state;
	assert_non_null(x);
	assert_non_null(y);
	assert_int_equal(strcspn(x + 8, "\n"), 32);
	assert_int_not_equal(strncmp(x, y, 40), 0);
	run_free(&a);
	run_free(&b);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_arrive_byte_for_byte),
		cmocka_unit_test(a_thousand_arguments_arrive),
		cmocka_unit_test(a_path_in_arguments_is_looked_up_as_the_shell_does),
		cmocka_unit_test(arg0_is_what_the_option_says),
		cmocka_unit_test(the_environment_is_four_variables_unless_told),
		cmocka_unit_test(the_auxiliary_vector_is_linuxs),
		cmocka_unit_test(addresses_differ_from_run_to_run),
		cmocka_unit_test(at_random_is_16_other_bytes_in_each_run),
	};

	return harness_main(argc, argv, "start", tests, ARRAY_SIZE(tests), NULL, NULL);
}
