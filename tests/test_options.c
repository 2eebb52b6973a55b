/* SPDX-License-Identifier: GPL-2.0-only */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "forked.h"
#include "../runner/help.h"
#include "../runner/msg.h"
#include "../runner/options.h"
#include "../runner/program.h"
#include "../runner/quantity.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS(...) ((char *[]){ "kvmrun", __VA_ARGS__, NULL })

/* What options_parse() allocates is never freed: all that was parsed stays, so that nothing seems lost. */
static struct config parse(char **argv)
{
	static struct kept {
		struct kept *before;
		struct config config;
	} *last;
	struct kept *this = calloc(1, sizeof(*this));
	int argc = 0;

	assert_non_null(this);
	this->before = last;
	last = this;
	while (argv[argc])
		argc++;
	options_parse(argc, argv, &this->config);
	return this->config;
}

static void parse_in_child(void *argv)
{
	parse(argv);
}

/* LeakSanitizer's, where it is there. */
void __lsan_disable(void) __attribute__((weak));

/* What a die() in the middle leaves behind was in registers alone; it is no leak. */
static void refused_in_child(void *argv)
{
	if (__lsan_disable)
		__lsan_disable();
	parse(argv);
}

static void refuses(char **argv, const char *part)
{
	static struct outcome o;

	forked(refused_in_child, argv, &o);
	assert_complains(&o, KVMRUN_FAILED, part);
}

static void prints(char **argv, struct outcome *o)
{
	forked(parse_in_child, argv, o);
	assert_int_equal(o->status, 0);
	assert_string_equal(o->err, "");
}

static void sizes_mean_bytes_in_powers_of_1024(void **state)
{
	static const struct { const char *text; uint64_t bytes; } good[] = {
		{ "1", 1 }, { "4096", 4096 }, { "007", 7 }, { "1K", 1024 }, { "512M", 512 << 20 },
		{ "512m", 512 << 20 }, { "2G", 2ULL << 30 }, { "3T", 3ULL << 40 },
		{ "18446744073709551615", UINT64_MAX }, { "16777215T", 16777215ULL << 40 },
	};
	static const char *const bad[] = {
		"", "0", "0G", "-1", "+1", " 1", "1 ", "1.5G", "0x10", "M", "1MB", "1MiB", "1E", "1KK",
		"18446744073709551616", "16777216T", "99999999999999999999999", "1\n", "\xd9\xa1",
	};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_null(size_parse(good[i].text, &n));
		assert_int_equal(n, good[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		n = 42;
		if (!size_parse(bad[i], &n))
			fail_msg("size \"%s\" was taken as %ju", bad[i], (uintmax_t)n);
		assert_int_equal(n, 42);
	}
}

static void durations_are_exact_nanoseconds(void **state)
{
	static const struct { const char *text; uint64_t ns; } good[] = {
		{ "10", 10000000000 }, { "1.5", 1500000000 }, { "500ms", 500000000 },
		{ "10s", 10000000000 }, { "2m", 120000000000 }, { "1h", 3600000000000 },
		{ "0.5h", 1800000000000 }, { "0.1", 100000000 }, { "1.000000001", 1000000001 },
		{ "0.0001ms", 100 }, { "9000000000", 9000000000000000000 },
	};
	static const char *const bad[] = {
		"", "0", "0.0", "0ms", "-1", ".5", "1.", "1.s", "1 s", "1us", "1d", "1e3", "inf", "nan",
		"0.0000000001", "9223372036854775807", "18446744073709551616", "9300000000", "3000000h",
	};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_null(duration_parse(good[i].text, &n));
		assert_int_equal(n, good[i].ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		n = 42;
		if (!duration_parse(bad[i], &n))
			fail_msg("duration \"%s\" was taken as %ju", bad[i], (uintmax_t)n);
		assert_int_equal(n, 42);
	}
}

static void nothing_is_granted_by_default(void **state)
{
	struct config c = parse(WORDS("prog"));

	(void)state;
	assert_int_equal(c.ngrants, 0);
	assert_false(c.tmp || c.wx || c.trace || c.stats || c.explain || c.check || c.cwd_given);
	assert_string_equal(c.cwd, "/");
	assert_int_equal(c.mem_bytes, 4ULL << 30);
	assert_int_equal(c.timeout_ns, 0);
	assert_null(c.device);
	assert_string_equal(c.program, "prog");
	assert_int_equal(c.argc, 1);
}

static void options_end_at_the_program_and_leave_its_words_alone(void **state)
{
	struct config c = parse(WORDS("--mem", "1M", "prog", "--mem", "2M", "--", "-v"));

	(void)state;
	assert_int_equal(c.mem_bytes, 1 << 20);
	assert_int_equal(c.argc, 5);
	assert_string_equal(c.argv[1], "--mem");
	assert_string_equal(c.argv[4], "-v");
	assert_null(c.argv[5]);
	c = parse(WORDS("--arg0", "sh", "--", "--mem", "x"));
	assert_string_equal(c.program, "--mem");
	assert_string_equal(c.argv[0], "sh");
	assert_int_equal(c.argc, 2);
	assert_int_equal(c.mem_bytes, 4ULL << 30);
}

static void every_working_option_reaches_the_config(void **state)
{
	struct config c = parse(WORDS("--ro", "/a", "--rw=/b:/c", "--tmp=2M", "--cwd", "/c/d/..",
		"--net", "none", "--arg0=x", "--mem=8M", "--timeout=250ms", "--trace=t", "--stats",
		"--explain", "--wx", "-v", "--verbose", "--device", "/dev/kvm", "p"));

	(void)state;
	assert_int_equal(c.ngrants, 2);
	assert_string_equal(c.grants[0].guest, "/a");
	assert_false(c.grants[0].writable);
	assert_string_equal(c.grants[1].host, "/b");
	assert_string_equal(c.grants[1].guest, "/c");
	assert_true(c.grants[1].writable);
	assert_int_equal(c.tmp_bytes, 2 << 20);
	assert_string_equal(c.cwd, "/c");
	assert_true(c.cwd_given && c.tmp && c.wx && c.trace && c.stats && c.explain);
	assert_string_equal(c.arg0, "x");
	assert_int_equal(c.mem_bytes, 8 << 20);
	assert_int_equal(c.timeout_ns, 250000000);
	assert_string_equal(c.trace_file, "t");
	assert_null(c.stats_file);
	assert_int_equal(verbose, 2);
	assert_string_equal(c.device, "/dev/kvm");
	verbose = 0;
}

static void networks_add_up_or_replace_each_other(void **state)
{
	struct config c = parse(WORDS("p"));

	(void)state;
	assert_int_equal(c.net, NET_NONE);
	c = parse(WORDS("--net", "connect=a.b:80", "--net", "listen=8080", "--net=connect=[::1]:1", "p"));
	assert_int_equal(c.net, NET_LISTED);
	assert_int_equal(c.nconnect, 2);
	assert_string_equal(c.net_connect[1], "[::1]:1");
	assert_int_equal(c.nlisten, 1);
	assert_int_equal(c.net_listen[0], 8080);
	c = parse(WORDS("--net", "listen=8080", "--net", "host", "p"));
	assert_int_equal(c.net, NET_HOST);
	assert_int_equal(c.nlisten, 0);
	c = parse(WORDS("--net", "host", "--net", "loopback", "p"));
	assert_int_equal(c.net, NET_LOOPBACK);
}

static void guest_paths_are_absolute_and_normalised(void **state)
{
	static const struct { char *arg; const char *host, *guest; } good[] = {
		{ "/", "/", "/" }, { "//a///b/", "//a///b/", "/a/b" }, { ".", ".", "/usr" },
		{ "lib/../bin", "lib/../bin", "/usr/bin" }, { "..", "..", "/" },
		{ "../../../..", "../../../..", "/" }, { "/../a/./b/..", "/../a/./b/..", "/a" },
		{ "x:/y/../z/", "x", "/z" }, { "a\\:b", "a:b", "/usr/a:b" }, { "a:/b:c", "a", "/b:c" },
		{ "...", "...", "/usr/..." }, { ".hidden", ".hidden", "/usr/.hidden" },
	};

	(void)state;
	assert_int_equal(chdir("/usr"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct config c = parse(WORDS("--ro", good[i].arg, "p"));

		assert_string_equal(c.grants[0].host, good[i].host);
		assert_string_equal(c.grants[0].guest, good[i].guest);
	}
	/* the caller's directory is the program's when a grant covers it */
	assert_string_equal(parse(WORDS("--ro", ".", "p")).cwd, "/usr");
	assert_string_equal(parse(WORDS("--ro", "/", "p")).cwd, "/usr");
	assert_string_equal(parse(WORDS("--ro", "/us", "--ro", "/usr/bin", "p")).cwd, "/");
	assert_string_equal(parse(WORDS("--cwd", "bin", "p")).cwd, "/usr/bin");
	assert_int_equal(chdir("/"), 0);
}

static const char *env_of(const struct config *c, const char *name)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (char **e = c->env; *e; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=') {
			assert_null(found);
			found = *e + n + 1;
		}
	return found;
}

static void the_environment_is_what_was_asked_for(void **state)
{
	static char *caller[] = { "PATH=/secret/bin", "TERM=vt100", "TOKEN=hunter2", NULL };
	char **saved = environ;
	struct config c;

	(void)state;
	environ = caller;
	c = parse(WORDS("p"));
	assert_string_equal(env_of(&c, "PATH"), "/usr/local/bin:/usr/bin:/bin");
	assert_string_equal(env_of(&c, "TERM"), "vt100");
	assert_null(c.env[2]);
	c = parse(WORDS("--env", "TOKEN", "--env", "A=1", "--env=A=2=3", "--env", "NONE", "--env", "E=",
			"--env", "PATH=/x", "p"));
	assert_string_equal(env_of(&c, "TOKEN"), "hunter2");
	assert_string_equal(env_of(&c, "A"), "2=3");
	assert_string_equal(env_of(&c, "E"), "");
	assert_string_equal(env_of(&c, "PATH"), "/x");
	assert_null(env_of(&c, "NONE"));
	c = parse(WORDS("--env", "TERM=dumb", "--env-all", "p"));
	assert_string_equal(env_of(&c, "PATH"), "/secret/bin");
	assert_string_equal(env_of(&c, "TERM"), "dumb");
	assert_string_equal(env_of(&c, "TOKEN"), "hunter2");
	assert_null(c.env[3]);
	environ = saved;
}

/* A file with this text; it is removed by unlink(policy_path). */
static char policy_path[] = "/tmp/test_options.XXXXXX";

static void write_policy(const char *text)
{
	int fd;

	strcpy(policy_path + sizeof(policy_path) - 7, "XXXXXX");
	fd = mkstemp(policy_path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void a_policy_comes_before_the_command_line(void **state)
{
	struct config c;

	(void)state;
	write_policy("{ \"ro\": [\"/usr\", \"/a:/b\"], \"rw\": \"/w\", \"net\": [\"connect=h:1\", \"listen=2\"], \"mem\": \"1M\","
		     " \"procs\": 4, \"fds\": 50, \"fsize\": 4096, \"wx\": true, \"env-all\": false, \"timeout\": null,"
		     " \"tmp\": true, \"env\": \"A=file\", \"cpu-time\": \"1.5\" }");
	c = parse(WORDS("--mem", "2M", "--rw", "/c:/b", "--policy", policy_path, "--env", "A=line", "p"));
	assert_int_equal(c.ngrants, 3);
	assert_string_equal(c.grants[1].host, "/c");
	assert_string_equal(c.grants[1].guest, "/b");
	assert_true(c.grants[1].writable && c.grants[2].writable && !c.grants[0].writable);
	assert_int_equal(c.net, NET_LISTED);
	assert_string_equal(c.net_connect[0], "h:1");
	assert_int_equal(c.net_listen[0], 2);
	assert_int_equal(c.mem_bytes, 2 << 20);
	assert_int_equal(c.procs, 4);
	assert_int_equal(c.fds, 50);
	assert_int_equal(c.fsize_bytes, 4096);
	assert_int_equal(c.cpu_ns, 1500000000);
	assert_int_equal(c.timeout_ns, 0);
	assert_int_equal(c.tmp_bytes, CONFIG_TMP_DEFAULT);
	assert_true(c.wx && c.tmp);
	for (char **e = c.env; *e; e++)
		assert_string_not_equal(*e, "A=file");
	unlink(policy_path);
}

static void a_wrong_policy_is_one_line_with_its_file(void **state)
{
	static const struct { const char *text, *part; } wrong[] = {
		{ "", ":1: not JSON" }, { "{\n\"mem\": }", ":2: not JSON" }, { "[]", "a policy is a JSON object" },
		{ "{ \"mam\": 1 }", "\"mam\" is not of a policy" }, { "{ \"trace\": true }", "\"trace\" is not of a policy" },
		{ "{ \"policy\": \"x\" }", "\"policy\" is not of a policy" }, { "{ \"gdb\": 1 }", "\"gdb\" is not of a policy" },
		{ "{ \"mem\": [1] }", "\"mem\" takes one value" }, { "{ \"mem\": true }", "\"mem\" takes a string or a whole number" },
		{ "{ \"wx\": 1 }", "\"wx\" takes true or false" }, { "{ \"ro\": [[]] }", "\"ro\" takes a string" },
		{ "{ \"mem\": 1, \"mem\": 2 }", "duplicate" }, { "{ \"mem\": \"\\u001b[31m\" }", "--mem \\x1b[31m: not a size" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		write_policy(wrong[i].text);
		refuses(WORDS("--policy", policy_path, "p"), wrong[i].part);
		unlink(policy_path);
	}
	refuses(WORDS("--policy", "/nonexistent/p", "p"), "/nonexistent/p: cannot read the policy");
	refuses(WORDS("--policy", "/", "p"), "/:1: not JSON");
}

static void parse_without_environment(void *argv)
{
	clearenv();
	parse(argv);
}

static void a_printed_policy_is_a_policy(void **state)
{
	static struct outcome first, second;

	(void)state;
	prints(WORDS("--ro", "/a\\:b:/c", "--rw", "/w", "--net", "connect=h:1", "--tmp=5M", "--timeout", "1ms", "--cpu-time",
		     "1.000000001", "--fds", "7", "--fsize", "1K", "--output", "9", "--cwd", "/w", "--arg0", "zero", "--print-policy", "p"), &first);
	assert_non_null(strstr(first.out, "\"/a\\\\:b:/c\""));
	assert_non_null(strstr(first.out, "\"timeout\": \"1ms\""));
	assert_non_null(strstr(first.out, "\"threads\": 1024"));
	write_policy(first.out);
	forked(parse_without_environment, WORDS("--policy", policy_path, "--print-policy"), &second);
	assert_string_equal(first.out, second.out);
	unlink(policy_path);
}

static void each_wrong_option_gets_one_line_with_a_hint(void **state)
{
	static const struct { char *words[6]; const char *part; } bad[] = {
		{ { NULL }, "no PROGRAM to run" },
		{ { "-v" }, "no PROGRAM to run" },
		{ { "--" }, "no PROGRAM to run" },
		{ { "--rw0", "p" }, "unknown option --rw0: did you mean --rw?" },
		{ { "-rw", "p" }, "unknown option -rw: did you mean --rw?" },
		{ { "--tiemout=3", "p" }, "did you mean --timeout?" },
		{ { "--time=3", "p" }, "unknown option --time=3: did you mean --timeout?" },
		{ { "--explian" }, "did you mean --explain?" },
		{ { "--frobnicate" }, "unknown option --frobnicate: try kvmrun --help" },
		{ { "-x" }, "unknown option -x: try kvmrun --help" },
		{ { "-vx" }, "unknown option -vx: try kvmrun --help" },
		{ { "--\x1b[31mred\n" }, "unknown option --\\x1b[31mred\\n: try" },
		{ { "--=" }, "unknown option --=" },
		{ { "--ro" }, "--ro needs PATH[:GUEST]" },
		{ { "--explain=yes", "p" }, "--explain takes no value" },
		{ { "--ro", "", "p" }, "the path is empty" },
		{ { "--ro", ":/x", "p" }, "the path is empty" },
		{ { "--ro", "/a:b", "p" }, "must be absolute, not \"b\"" },
		{ { "--ro", "/a:", "p" }, "must be absolute, not \"\"" },
		{ { "--ro", "/a", "--rw", "/x:/b/../a" }, "--ro /a and --rw /x would both be /a" },
		{ { "--rw", "/x:/tmp", "--tmp" }, "--tmp and --rw /x would both be /tmp" },
		{ { "--cwd=", "p" }, "the directory is empty" },
		{ { "--env", "=1", "p" }, "the name is empty" },
		{ { "--mem", "0" }, "--mem 0: not a size: it must be more than zero; write for example" },
		{ { "--mem", "-5" }, "--mem -5: not a size: it must start with a digit" },
		{ { "--mem", "16777216T" }, "too large" },
		{ { "--tmp=big" }, "--tmp big: not a size" },
		{ { "--timeout", "soon" }, "--timeout soon: not a duration" },
		{ { "--trace=", "p" }, "the file name is empty" },
		{ { "--device", "" }, "the path is empty" },
		{ { "--check", "p" }, "--check runs nothing: drop p" },
		{ { "--net", "eth0" }, "--net eth0: no such network" },
		{ { "--net", "connect=a" }, "write it as connect=HOST:PORT" },
		{ { "--net", "connect=:1" }, "write it as connect=HOST:PORT" },
		{ { "--net", "connect=::1:80" }, "connect=[ADDRESS]:PORT" },
		{ { "--net", "connect=a:http" }, "http is not a port" },
		{ { "--net", "listen=0" }, "0 is not a port" },
		{ { "--net", "listen=65536" }, "65536 is not a port" },
		{ { "--net", "listen=" }, "the empty word is not a port" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *argv[8] = { "kvmrun" };

		memcpy(argv + 1, bad[i].words, sizeof(bad[i].words));
		refuses(argv, bad[i].part);
	}
}

static void promised_options_say_that_they_are_not_implemented(void **state)
{
	size_t planned = 0;

	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		char word[64], with[80], part[128];

		if (option_table[i].group != GROUP_PLANNED)
			continue;
		snprintf(word, sizeof(word), "--%s", option_table[i].name);
		snprintf(with, sizeof(with), "%s=3", word);
		snprintf(part, sizeof(part), "%s is not implemented yet", word);
		refuses(WORDS(word), part);
		refuses(WORDS(word, "3", "p"), part);
		refuses(WORDS(with, "p"), part);
		planned++;
	}
	assert_int_equal(planned, 1);
}

static void help_and_manual_and_completion_agree_with_the_table(void **state)
{
	static struct outcome help, manual, completion;
	size_t column = 0;

	(void)state;
	prints(WORDS("--help"), &help);
	prints(WORDS("--print-manual"), &manual);
	prints(WORDS("--print-completion"), &completion);
	for (size_t i = 0; i < option_count; i++) {
		const struct option_info *o = &option_table[i];
		bool listed = o->group < GROUP_HIDDEN;
		char word[64], roff[128] = "\\fB\\-\\-", line[80];

		snprintf(word, sizeof(word), " --%s%s", o->name, o->arg == ARG_NONE ? "" :
			 o->arg == ARG_REQUIRED ? " " : "[=");
		for (const char *s = o->name; *s; s++)
			snprintf(roff + strlen(roff), 16, *s == '-' ? "\\-" : "%c", *s);
		strcat(roff, "\\fR");
		snprintf(line, sizeof(line), "--%s ", o->name);
		if (!!strstr(help.out, word) != listed || !!strstr(manual.out, roff) != listed ||
		    !!strstr(completion.out, line) != listed)
			fail_msg("--%s is not where it belongs", o->name);
		if (listed)
			assert_non_null(strstr(help.out, o->help));
	}
	for (const char *s = help.out; *s; s++) {
		column = *s == '\n' ? 0 : column + 1;
		if (column > 80)
			fail_msg("a line of --help is too long: %.30s", s - 80);
	}
}

static void version_is_one_line_on_stdout(void **state)
{
	static struct outcome o;
	char line[64];

	(void)state;
	snprintf(line, sizeof(line), "kvmrun %s\n", kvmrun_version);
	prints(WORDS("--version"), &o);
	assert_string_equal(o.out, line);
	prints(WORDS("-vV"), &o);
	assert_string_equal(o.out, line);
}

static void help_into_a_full_device(void *arg)
{
	dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
	parse(arg);
}

static void help_that_cannot_be_written_is_a_failure(void **state)
{
	static struct outcome o;

	(void)state;
	forked(help_into_a_full_device, WORDS("--help"), &o);
	assert_complains(&o, KVMRUN_FAILED, "cannot write to standard output: No space left");
}

static void say(void *text)
{
	errno = ENOENT;
	msg("%s: %m", (char *)text);
	if (errno != ENOENT)
		_exit(1);
	vmsg("not under -v");
}

static void messages_cannot_drive_the_terminal(void **state)
{
	static const struct { char *text; const char *shown; } cases[] = {
		{ "plain", "plain" }, { "a\nb\tc\r", "a\\nb\\tc\\x0d" }, { "\x1b]0;x\a", "\\x1b]0;x\\x07" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7" },
		{ "\xc2\x9b" "31m", "\\xc2\\x9b31m" },			/* CSI as one C1 character */
		{ "\x7f\x80\xff", "\\x7f\\x80\\xff" },
		{ "\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf" },	/* overlong "/" */
		{ "\xed\xa0\x80\xf4\x90\x80\x80", "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80" },
		{ "x\xe2\x80\xaegnp.sh", "x\\xe2\\x80\\xaegnp.sh" },	/* right-to-left override */
		{ "\xe2\x82", "\\xe2\\x82" },				/* cut short */
	};
	static struct outcome o;
	char expected[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		forked(say, cases[i].text, &o);
		snprintf(expected, sizeof(expected), "kvmrun: %s: No such file or directory\n",
			 cases[i].shown);
		assert_int_equal(o.status, 0);
		assert_string_equal(o.err, expected);
	}
}

static void overlong_messages_are_cut_and_say_so(void **state)
{
	static struct outcome o;
	static char text[9000];

	(void)state;
	for (int fill = 0; fill < 2; fill++) {
		memset(text, fill ? '\x1b' : 'x', sizeof(text) - 1);
		forked(say, text, &o);
		assert_int_equal(o.status, 0);
		assert_in_range(strlen(o.err), PIPE_BUF - 16, PIPE_BUF);
		assert_string_equal(o.err + strlen(o.err) - 4, "...\n");
	}
}

static void open_in_child(void *name)
{
	struct config c = { .program = name };
	char path[PATH_MAX];
	int fd = program_open(&c, path, sizeof(path));

	if (fcntl(fd, F_GETFD) != FD_CLOEXEC)
		_exit(1);
	printf("%s", path);
}

static struct msg_once once;
static bool is_said;

static void *say_late(void *unused)
{
	assert_true(msg_first(&once));
	usleep(100000);
	__atomic_store_n(&is_said, true, __ATOMIC_SEQ_CST);
	msg_said(&once);
	return unused;
}

static void what_one_thread_says_is_said_when_another_goes_on(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, say_late, NULL), 0);
	while (!__atomic_load_n(&once.begun, __ATOMIC_SEQ_CST))
		usleep(1000);
	assert_false(msg_first(&once));
	assert_true(__atomic_load_n(&is_said, __ATOMIC_SEQ_CST));
	pthread_join(thread, NULL);
	assert_false(msg_first(&once));
}

static void programs_are_found_as_the_shell_finds_them(void **state)
{
	static struct outcome o;
	char dir[] = "/tmp/kvmrun-test-XXXXXX", search[128];

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("bin", 0755) | mkdir("bin/isdir", 0755) | mkfifo("fifo", 0755), 0);
	close(open("data", O_CREAT | O_WRONLY, 0644));
	close(open("bin/tool", O_CREAT | O_WRONLY, 0755));
	close(open("local", O_CREAT | O_WRONLY, 0755));
	snprintf(search, sizeof(search), "/nonexistent:%s:%s/bin", dir, dir);
	setenv("PATH", search, 1);

	forked(open_in_child, "tool", &o);
	assert_int_equal(o.status, 0);
	assert_non_null(strstr(o.out, "/bin/tool"));
	forked(open_in_child, "bin/tool", &o);
	assert_string_equal(o.out, "bin/tool");
	forked(open_in_child, "nosuch", &o);
	assert_complains(&o, KVMRUN_NOTFOUND, "nosuch: not found in PATH");
	forked(open_in_child, "./nosuch", &o);
	assert_complains(&o, KVMRUN_NOTFOUND, "./nosuch: no such file");
	forked(open_in_child, "data/x", &o);
	assert_complains(&o, KVMRUN_NOTFOUND, "data/x: no such file");
	forked(open_in_child, "", &o);
	assert_complains(&o, KVMRUN_NOTFOUND, "empty word");
	forked(open_in_child, "data", &o);
	assert_complains(&o, KVMRUN_NOEXEC, "/data: cannot be run: it is not executable");
	forked(open_in_child, "isdir", &o);
	assert_complains(&o, KVMRUN_NOEXEC, "/bin/isdir: cannot be run: it is a directory");
	forked(open_in_child, "./fifo", &o);
	assert_complains(&o, KVMRUN_NOEXEC, "./fifo: cannot be run: it is not a regular file");
	setenv("PATH", "/nonexistent", 1);
	forked(open_in_child, "local", &o);
	assert_complains(&o, KVMRUN_NOTFOUND, "local: not found in PATH; did you mean ./local?");
	setenv("PATH", ":/nonexistent", 1);
	forked(open_in_child, "local", &o);
	assert_string_equal(o.out, "./local");

	assert_int_equal(unlink("bin/tool") | unlink("data") | unlink("local") | unlink("fifo") |
			 rmdir("bin/isdir") | rmdir("bin") | chdir("/") | rmdir(dir), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_mean_bytes_in_powers_of_1024),
		cmocka_unit_test(durations_are_exact_nanoseconds),
		cmocka_unit_test(nothing_is_granted_by_default),
		cmocka_unit_test(options_end_at_the_program_and_leave_its_words_alone),
		cmocka_unit_test(every_working_option_reaches_the_config),
		cmocka_unit_test(networks_add_up_or_replace_each_other),
		cmocka_unit_test(guest_paths_are_absolute_and_normalised),
		cmocka_unit_test(the_environment_is_what_was_asked_for),
		cmocka_unit_test(a_policy_comes_before_the_command_line),
		cmocka_unit_test(a_wrong_policy_is_one_line_with_its_file),
		cmocka_unit_test(a_printed_policy_is_a_policy),
		cmocka_unit_test(each_wrong_option_gets_one_line_with_a_hint),
		cmocka_unit_test(promised_options_say_that_they_are_not_implemented),
		cmocka_unit_test(help_and_manual_and_completion_agree_with_the_table),
		cmocka_unit_test(version_is_one_line_on_stdout),
		cmocka_unit_test(help_that_cannot_be_written_is_a_failure),
		cmocka_unit_test(messages_cannot_drive_the_terminal),
		cmocka_unit_test(overlong_messages_are_cut_and_say_so),
		cmocka_unit_test(what_one_thread_says_is_said_when_another_goes_on),
		cmocka_unit_test(programs_are_found_as_the_shell_finds_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
