/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program can name, kvmrun prints: none of it acts on the terminal, in whatever line.
 * The names have what terminals obey: ESC, CSI as one byte and as UTF-8, BEL, line ends, BS, marks
 * that turn text around, and bytes that are no UTF-8.
 */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "\x1b]0;t\x07\x1b[31m\x9b" "2J\xc2\x9b" "5m\r\n\b\x7f\xe2\x80\xae" "txt.\xe2\x81\xa6\xff\xc0\xaf\xef\xbb\xbf"

static char *dir;

/* Whether a terminal would only show it: what is UTF-8 and neither controls nor hides. */
static bool only_shows(const char *text, size_t n)
{
	static const char *const acting[] = { "\xc2\x80", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x81\xa6", "\xef\xbb\xbf" };

	for (size_t i = 0; i < n; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\n') || (unsigned char)text[i] == 0x7f)
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(acting); i++)
		if (memmem(text, n, acting[i], strlen(acting[i])))
			return false;
	/* of what is no UTF-8 nothing is left */
	return !memchr(text, 0xff, n) && !memchr(text, 0xc0, n) && !memmem(text, n, "J\x9b", 2) && !memmem(text, n, "m\x9b", 2);
}

static void assert_shows(const struct run_result *r, const char *text, size_t n, const char *what)
{
	if (only_shows(text, n))
		return;
	run_show("kvmrun", r);
	fail_msg("%s can act on a terminal", what);
}

/* A program that puts the name wherever it can, with all that kvmrun can be asked to say, by each way to end. */
static void no_name_of_the_programs_acts_on_the_terminal(void **state)
{
	static const struct { const char *option, *value, *how, *says; int status; } ends[] = {
		{ "--fds", "64", "fds", "limit of 64 descriptors reached (--fds)", 3 },
		{ "--timeout", "4", "time", "time limit of 4s reached (--timeout)", 124 },
		{ "--cpu-time", "6", "cpu-time", "CPU time limit of 6s reached (--cpu-time)", 124 },
		{ "--output", "1000", "output", "killed: more output than 1000 bytes", 137 },
		{ "--mem", "64M", "memory", "killed: no memory left of 64 MiB", 137 },
	};
	char *path = tree_path(dir, "stats"), *option = NULL;

	(void)state;
	assert_true(asprintf(&option, "--stats=%s", path) > 0);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct run_result r = run_kvmrun(LIST(option, "--tmp", "--trace", "--explain", "-vv", "--arg0", NAME,
						      ends[i].option, ends[i].value),
						 LIST("build/guest/escapes", NAME, ends[i].how));
		const char *program;
		json_t *stats;
		char *text;
		size_t n;

		assert_status(&r, ends[i].status);
		assert_shows(&r, r.err, r.err_len, ends[i].how);
		if (!strstr(r.err, ends[i].says) || !strstr(r.err, "explain: ") || !strstr(r.err, "\\33]0;t\\7")) {
			run_show("kvmrun", &r);
			fail_msg("there is no \"%s\", no --explain or no --trace", ends[i].says);
		}
		/* the name of what ends is the program's own choice; the summary is there all the same */
		text = tree_read(dir, "stats", &n);
		assert_shows(&r, text, n, "--stats");
		stats = json_loads(text, 0, NULL);
		program = json_string_value(json_object_get(stats, "program"));
		if (!program || !strstr(program, "txt.")) {
			run_show("kvmrun", &r);
			fail_msg("no --stats of the program: %s", text);
		}
		json_decref(stats);
		free(text);
		run_free(&r);
	}
	free(option);
	free(path);
}

/* What kvmrun says before a program runs. */
static void no_name_of_a_file_acts_on_the_terminal(void **state)
{
	char *policy = tree_path(dir, NAME ".json"), *program = tree_path(dir, NAME);
	static const char *const texts[] = {
		NAME, "{ \"\\u001b[2J\\u009b\": 1 }", "{ \"mem\": \"\\u001b[2J\" }", "{ \"ro\": [\"/\\u001b[2J\\u202e\"] }",
		"{ \"net\": [\"\\u009b\"] }", "{ \"\x9b", "{ \"env\": 1, \"\\u0007\": 2 }",
		"{ \"cwd\": \"/\\u001b\" }", "[ \"\\u001b\" ]",
	};
	static const char *const programs[] = {
		"", "text " NAME, "#!/" NAME " x\n", "\177ELF\2\1\1" NAME, "#!" NAME,
	};
	const char *const *const options[] = {
		LIST("--" NAME), LIST("--ro", "/" NAME), LIST("--rw", "/tmp:" NAME), LIST("--net", NAME), LIST("--cwd", "/" NAME),
		LIST("--mem", NAME), LIST("--device", "/dev/" NAME), LIST("--stats=/none/" NAME), LIST("--trace=/none/" NAME),
		LIST("--policy", "/none/" NAME), LIST("--timeout", NAME), LIST("--net", "connect=" NAME ":1"), LIST("--env", "=" NAME),
		LIST("-" NAME),
	};
	struct run_result r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		tree_file(dir, NAME ".json", texts[i], 0);
		r = run_kvmrun(LIST("--policy", policy), LIST("build/guest/hello"));
		assert_int_equal(r.status, 125);
		assert_err_line(&r, "kvmrun: ");
		assert_shows(&r, r.err, r.err_len, "an error of --policy");
		run_free(&r);
	}
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		tree_file(dir, NAME, programs[i], 0);
		chmod(program, 0755);
		r = run_kvmrun(NULL, LIST(program));
		assert_int_equal(r.status, 126);
		assert_err_line(&r, "kvmrun: ");
		assert_shows(&r, r.err, r.err_len, "what is said of a program");
		run_free(&r);
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		r = run_kvmrun(options[i], LIST("build/guest/hello"));
		assert_int_equal(r.status, 125);
		assert_err_line(&r, "kvmrun: ");
		assert_shows(&r, r.err, r.err_len, "an error of an option");
		run_free(&r);
	}
	free(policy);
	free(program);
}

/* The interpreter that an ELF program names, of which a line says that it is not granted. */
static void no_interpreters_name_acts_on_the_terminal(void **state)
{
	static const char usual[] = "/lib64/ld-linux-x86-64.so.2", hostile[] = "/\x1b]0;t\x07\x1b[31m\x9b" "2J\xc2\x9b" "5m\r";
	char *path = tree_path(dir, "dynamic"), *text, *at;
	struct run_result r;
	size_t n;

	(void)state;
	text = tree_read("/bin", "ls", &n);
	at = memmem(text, n, usual, sizeof(usual));
	assert_non_null(at);
	memcpy(at, hostile, sizeof(hostile));
	tree_file(dir, "dynamic", text, n);
	chmod(path, 0755);
	r = run_kvmrun(NULL, LIST(path));
	assert_status(&r, 126);
	assert_err_line(&r, "its interpreter /\\x1b]0;t\\x07");
	assert_shows(&r, r.err, r.err_len, "an interpreter's name");
	run_free(&r);
	free(text);
	free(path);
}

static int set_up(void **state)
{
	(void)state;
	dir = tree_new();
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
		cmocka_unit_test(no_name_of_the_programs_acts_on_the_terminal),
		cmocka_unit_test(no_name_of_a_file_acts_on_the_terminal),
		cmocka_unit_test(no_interpreters_name_acts_on_the_terminal),
	};

	return harness_main(argc, argv, "escapes", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
