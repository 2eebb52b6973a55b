/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real programs, built static from Debian's sources by tests/programs/build:
 * each behaviour is that of a native run in status, stdout, stderr and files.
 *
 * KVMRUN_TEST_PROGRAMS names the directory with them (build/programs).
 */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DATA_SIZE (2 << 20)
#define SMALL_DATA_SIZE (200 << 10)
#define MAX_TESTS 256
#define MAX_ARGS 24

/* A test of one program by one command, in a directory of fill_directory(). */
struct command {
	const char *program;
	const char *name;
	const char *const *args;
	const char *in;			/* stdin; NULL: /dev/null */
	int status;			/* of the native run */
	bool writes;			/* --rw instead of --ro */
	const char *const *options;
};

#define COMMAND(command_program, command_name, command_args, ...) \
	{ .program = command_program, .name = command_name, .args = command_args, __VA_ARGS__ }

static char *programs;		/* the directory with the binaries */
static char *base, *dir;	/* a temporary directory, and the one in it that is granted */
static char *data;		/* DATA_SIZE bytes to compress */

/* The path of a program. Valid until the next call. */
static const char *program(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", programs, name);
	if (access(path, X_OK))
		fail_msg("%s: %s: run tests/programs/build", path, strerror(errno));
	return path;
}

static void fill_directory(const char *where)
{
	tree_file(where, "text", "pear 3\napple 10\nfig 2\nfig 2\nbanana 7\n", 0);
	tree_file(where, "empty", "", 0);
	tree_file(where, "data", data, SMALL_DATA_SIZE);
	tree_file(where, "in.json", "{\"name\": \"guest\", \"n\": [3, 1, 2.5, -1e3], \"nested\": "
		  "{\"t\": true, \"z\": null, \"s\": \"a\\u00e9\\n\\\"b\\\"\"}, \"list\": "
		  "[{\"id\": 1, \"k\": \"x\"}, {\"id\": 2, \"k\": \"y\"}, {\"id\": 3, \"k\": \"x\"}]}\n", 0);
	tree_file(where, "broken.json", "{\"a\": [1, 2,, 3]}\n", 0);
	tree_file(where, "table.csv", "id,name,amount\n1,first,10\n2,\"second, quoted\",20\n3,third,30\n", 0);
	tree_file(where, "SUMS", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n"
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  text\n"
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  missing\n", 0);
	tree_file(where, "main.lua", "local m = dofile('module.lua')\nprint(m.double(21), ...)\n"
		  "os.exit(m.status)\n", 0);
	tree_file(where, "module.lua", "return { double = function(x) return 2 * x end, status = 3 }\n", 0);
	tree_dir(where, "sub", 0755);
	tree_file(where, "sub/inner", "inner\n", 0);
	tree_link(where, "link", "text");
}

/*
 * Lua, which is there in four builds: both libcs, both kinds of static ELF.
 */
static const char *const lua_builds[] = {
	"lua", "lua-musl", "lua-static-pie", "lua-musl-static-pie",
};

#define LUA_SCRIPT(script_name, script, ...) \
	COMMAND(NULL, script_name, LIST("-e", script), __VA_ARGS__)

static const struct command lua_commands[] = {
	COMMAND(NULL, "prints_its_version", LIST("-v")),
	LUA_SCRIPT("string_operations",
		   "local s = ('the quick brown fox '):rep(200)\n"
		   "print(#s, s:upper():sub(5, 9), s:find('brown'), s:gsub('o', '0'))\n"
		   "print(('%5.2f|%-8s|%q|%x|%a'):format(3.14159, 'ab', 'q\\n\\0', 255, 0.1))\n"
		   "print(string.pack('>I4 z d', 7, 'text', 1.5):byte(1, -1))\n"
		   "print(utf8.char(233, 8364, 128512), utf8.len('\\u{20ac}'))\n"
		   "for k, v in ('a=1, b=22'):gmatch('(%w+)=(%w+)') do print(k, v) end"),
	LUA_SCRIPT("closures_and_tables",
		   "local function counter() local n = 0; return function() n = n + 1; return n end end\n"
		   "local a, b = counter(), counter()\n"
		   "print(a(), a(), b())\n"
		   "local t = {}\n"
		   "for i = 1, 2000 do t[i] = i * 7919 % 2003 end\n"
		   "table.sort(t, function(x, y) return x > y end)\n"
		   "print(t[1], t[1000], t[2000], #t, table.concat(t, ',', 1, 5), select('#', table.unpack(t)))"),
	LUA_SCRIPT("metatables_and_goto",
		   "local V = {}\nV.__index = V\n"
		   "V.__add = function(a, b) return setmetatable({ a[1] + b[1] }, V) end\n"
		   "V.__tostring = function(v) return 'V' .. v[1] end\n"
		   "V.__close = function(v) print('closed', v) end\n"
		   "do local c <close> = setmetatable({ 1 }, V); print(c + c) end\n"
		   "local i = 1\n::again::\ni = i * 2\nif i < 1000 then goto again end\nprint(i)"),
	LUA_SCRIPT("coroutines",
		   "local function gen(n) return coroutine.wrap(function()\n"
		   "  for i = 1, n do coroutine.yield(i) end end) end\n"
		   "local sum = 0\n"
		   "for i = 1, 2000 do for v in gen(3) do sum = sum + v end end\n"
		   "print(sum)\n"
		   "local co = coroutine.create(function() error({ code = 7 }) end)\n"
		   "local ok, e = coroutine.resume(co)\n"
		   "print(ok, e.code, coroutine.status(co))"),
	LUA_SCRIPT("deep_recursion_uses_the_stack",
		   "local function depth(n) if n == 0 then return 0 end return 1 + depth(n - 1) end\n"
		   "print(depth(15000))\n"
		   "local function c(n) return n == 0 and 'end' or ('x'):gsub('x', function() return c(n - 1) end) end\n"
		   "print(c(150))\n"
		   "print(pcall(c, 250))"),
	LUA_SCRIPT("garbage_collection_under_stress",
		   "collectgarbage('setpause', 100)\n"
		   "local keep, weak = {}, setmetatable({}, { __mode = 'v' })\n"
		   "for i = 1, 20000 do\n"
		   "  local t = { i, tostring(i), { i } }\n"
		   "  if i % 100 == 0 then keep[#keep + 1] = t end\n"
		   "  weak[i] = t\n"
		   "end\n"
		   "collectgarbage(); collectgarbage()\n"
		   "local n, s = 0, 0\n"
		   "for _, t in pairs(weak) do n = n + 1; s = s + t[1] + #t[2] + t[3][1] end\n"
		   "print(#keep, n, s, collectgarbage('count') < 20000)\n"
		   "setmetatable({}, { __gc = function() print('finalised') end })"),
	LUA_SCRIPT("big_allocations_come_and_go",
		   "local part = ('x'):rep(65536)\n"
		   "for i = 1, 4 do\n"
		   "  local s = part:rep(i * 16)\n"
		   "  print(#s, s:byte(-1))\n"
		   "  s = nil; collectgarbage()\n"
		   "end"),
	LUA_SCRIPT("floating_point_is_exact",
		   "local s = 0\n"
		   "for i = 1, 5000 do s = s + math.sin(i) * math.sqrt(i) / math.log(i + 1) end\n"
		   "print(('%.17g %.17g %.17g'):format(s, math.exp(1), 2 ^ 0.5))\n"
		   "print(1 / 0, -1 / 0, 0 / 0 ~= 0 / 0, 7 // 2, -7 // 2, 7 % -3, 7.5 // 2)\n"
		   "print(math.maxinteger + 1 == math.mininteger, math.tointeger(3.0), 1e15, 2^53)"),
	LUA_SCRIPT("protected_calls_catch_errors",
		   "print(pcall(error, 'message', 0))\n"
		   "print(pcall(function() local x = nil; return x.field end))\n"
		   "print(xpcall(function() error('deep') end, function(m) return 'handled: ' .. m end))\n"
		   "print(select(2, load('x = = 1')))\n"
		   "print(pcall(string.rep, 'x', 1 << 40))"),
	LUA_SCRIPT("an_error_goes_to_stderr_with_status_1", "print('before'); error('on purpose')",
		   .status = 1),
	LUA_SCRIPT("a_syntax_error_is_status_1", "x = = 1", .status = 1),
	LUA_SCRIPT("exit_status_is_passed", "io.write('no newline'); os.exit(42)", .status = 42),
	LUA_SCRIPT("exit_by_true_and_false", "os.exit(false, true)", .status = 1),
	LUA_SCRIPT("dates_of_given_seconds",
		   "print(os.date('!%Y-%m-%d %H:%M:%S %j', 1000000000), os.date('%c', 0))\n"
		   "print(os.time({ year = 2001, month = 9, day = 9, hour = 1, min = 46, sec = 40 }))"),
	LUA_SCRIPT("the_cpu_clock_advances",
		   "local a = os.clock(); repeat local b = os.clock() until b > a; print('advanced')"),
	LUA_SCRIPT("environment_is_the_default_one",
		   "for _, n in ipairs { 'PATH', 'TERM', 'LANG', 'TZ', 'HOME', 'KVMRUN' } do print(n, os.getenv(n)) end"),
	LUA_SCRIPT("reads_a_granted_file",
		   "for l in io.lines('text') do io.write('[', l, ']') end\n"
		   "local f = assert(io.open('data', 'rb'))\n"
		   "print(f:seek('end'), f:seek('set', 1000), #f:read(5000), f:seek('cur'))\n"
		   "print(#f:read('a'), f:read(1), f:close())"),
	LUA_SCRIPT("a_missing_file_is_an_error", "print(io.open('missing')); io.lines('missing')", .status = 1),
	LUA_SCRIPT("reads_stdin_by_lines_and_numbers",
		   "print(io.read('n', 'n')); print(io.read('L')); for l in io.lines() do print('>' .. l) end",
		   .in = "12 -3.5e2 rest of it\nline two\nlast, no newline"),
	LUA_SCRIPT("writes_renames_and_removes_files",
		   "local f = assert(io.open('new', 'w'))\n"
		   "f:setvbuf('full', 512)\n"
		   "for i = 1, 3000 do f:write(i, ' ') end\n"
		   "f:close()\n"
		   "f = assert(io.open('new', 'a+')); f:write('appended'); f:seek('set'); print(f:read(20)); f:close()\n"
		   "f = assert(io.open('text', 'r+')); f:write('PEAR'); f:close()\n"
		   "print(os.rename('new', 'sub/newer'), os.remove('empty'), os.remove('missing'))", .writes = true),
	LUA_SCRIPT("a_temporary_file_in_a_private_tmp",
		   "local f = assert(io.tmpfile()); f:write(('y'):rep(10000)); f:seek('set', 9990)\n"
		   "print(f:read('a'))", .options = LIST("--tmp")),
	COMMAND(NULL, "script_file_with_a_module_and_arguments", LIST("main.lua", "a b", "c"), .status = 3),
	COMMAND(NULL, "script_from_stdin", LIST("-", "arg"), .in = "print(arg[0], arg[1], #arg)"),
	COMMAND(NULL, "a_missing_script_is_status_1", LIST("missing.lua"), .status = 1),
	LUA_SCRIPT("much_output_arrives_whole",
		   "for i = 1, 8000 do io.write(i, ' squared is ', i * i, '\\n') end"),
};

/* jq, sha256sum and its kin: one row, one command. */
static const struct command commands[] = {
	COMMAND("jq", "identity_from_a_file", LIST(".", "in.json")),
	COMMAND("jq", "compact_and_sorted", LIST("-cS", ".", "in.json")),
	COMMAND("jq", "paths_and_pipes", LIST(".nested.s, (.n | sort | map(. * 2) | add)", "in.json")),
	COMMAND("jq", "raw_output", LIST("-r", ".list[] | \"\\(.id):\\(.k)\"", "in.json")),
	COMMAND("jq", "group_and_reduce",
		LIST("-c", "(.list | group_by(.k) | map({k: .[0].k, n: length})), "
		     "reduce range(2000) as $i (0; . + $i * $i)", "in.json")),
	COMMAND("jq", "regular_expressions", LIST("-c", "[.[] | test(\"^a.*z$\"; \"i\")], "
						  "(.[0] | capture(\"(?<x>[a-c]+)(?<y>\\\\d*)\")), "
						  "(.[1] | gsub(\"\\\\s+\"; \"_\"))"),
		.in = "[\"Abc12z\", \"a  b\\tc\", \"zz\"]"),
	COMMAND("jq", "many_values_from_stdin", LIST("-c", "[., input]"), .in = "1 2 \"three\" [4]"),
	COMMAND("jq", "slurp_and_arguments", LIST("-s", "--arg", "v", "x y", "--argjson", "j", "[1]",
						  "{n: length, v: $v, j: $j, last: last}"), .in = "1 2 3"),
	COMMAND("jq", "recursion_and_paths", LIST("-c", "[paths(type == \"number\")], [.. | numbers], tostream",
						  "in.json")),
	COMMAND("jq", "text_formats", LIST("-r", "[1, \"a,b\", null] | @csv, @tsv, @json, @html, @base64, @sh"),
		.in = "null"),
	COMMAND("jq", "mathematics", LIST("-c", "[1, 2, 10 | sin, exp, log2, pow(.; 0.5), floor]"), .in = "null"),
	COMMAND("jq", "dates_of_given_seconds",
		LIST("-c", "1000000000 | todate, gmtime, strftime(\"%A %j\")"), .in = "null"),
	COMMAND("jq", "exit_status_by_the_last_value", LIST("-e", ".nested.z", "in.json"), .status = 1),
	COMMAND("jq", "broken_input_is_status_4", LIST(".", "broken.json"), .status = 4),
	COMMAND("jq", "a_wrong_filter_is_status_3", LIST(".a | | .b", "in.json"), .status = 3),
	COMMAND("jq", "a_failing_filter_is_status_5", LIST(".name + 1", "in.json"), .status = 5),
	COMMAND("jq", "a_missing_file_is_status_2", LIST(".", "missing.json"), .status = 2),

	COMMAND("sha256sum", "of_granted_files", LIST("text", "data", "empty", "link")),
	COMMAND("sha256sum", "of_stdin", LIST(), .in = "some input"),
	COMMAND("sha256sum", "of_stdin_between_files", LIST("--tag", "text", "-", "data"), .in = "some input"),
	COMMAND("sha256sum", "check_ok", LIST("-c"),
		.in = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n"),
	COMMAND("sha256sum", "check_fails_on_wrong_and_missing_files", LIST("-c", "SUMS"), .status = 1),
	COMMAND("sha256sum", "check_of_garbage", LIST("-c", "text"), .status = 1),
	COMMAND("sha256sum", "a_missing_file_is_status_1", LIST("missing", "text"), .status = 1),
	COMMAND("sha256sum", "a_directory_is_status_1", LIST("sub"), .status = 1),

	COMMAND("sort", "by_number", LIST("--parallel=1", "-k2", "-n", "text")),
	COMMAND("sort", "unique_with_stdin", LIST("--parallel=1", "-u", "text", "-"), .in = "fig 2\naaa\n"),
	COMMAND("sort", "into_its_input", LIST("--parallel=1", "-r", "-o", "text", "text"), .writes = true),
	COMMAND("sort", "check_fails", LIST("-c", "text"), .status = 1),
	COMMAND("ls", "all_long_recursive", LIST("-lAnR", "--time-style=+%s")),
	COMMAND("ls", "inodes_and_types", LIST("-1iFs")),
	COMMAND("ls", "a_missing_file_is_status_2", LIST("missing", "text"), .status = 2),
	COMMAND("cat", "files_and_stdin", LIST("text", "-", "data"), .in = "between\n"),
	COMMAND("cat", "numbered_and_shown", LIST("-A", "-n", "text")),
	COMMAND("cat", "a_directory_is_status_1", LIST("sub"), .status = 1),

	COMMAND("zstd", "refuses_to_overwrite", LIST("-q", "--single-thread", "--no-asyncio", "text", "-o", "empty"),
		.status = 1, .writes = true),
	COMMAND("xz", "lists_a_file", LIST("-l", "--robot", "data.xz")),
	COMMAND("xz", "refuses_to_overwrite", LIST("-k", "data"), .status = 1, .writes = true),
	COMMAND("xz", "other_filters_and_checks",
		LIST("-kc", "--check=sha256", "--x86", "--lzma2=preset=1,dict=64KiB", "data")),
	COMMAND("xz", "old_format", LIST("-kc", "--format=lzma", "-1", "data")),
	COMMAND("xz", "needs_more_memory_than_allowed", LIST("-dc", "--memlimit=50KiB", "data.xz"), .status = 1),
	COMMAND("bzip2", "refuses_to_overwrite", LIST("-k", "data"), .status = 1, .writes = true),
};

/*
 * The directory for xz and bzip2 rows needs results of their own; they are
 * made natively, once.
 */
static struct {
	const char *program, *name;
	char *data;
	size_t len;
} packed[] = {
	{ .program = "xz", .name = "data.xz" },
	{ .program = "bzip2", .name = "data.bz2" },
};

static void fill_with_packed(const char *where)
{
	fill_directory(where);
	for (size_t i = 0; i < ARRAY_SIZE(packed); i++)
		tree_file(where, packed[i].name, packed[i].data, packed[i].len);
}

static void run_command(const char *name, const struct command *c)
{
	const char *argv[MAX_ARGS] = { program(name) }, *options[MAX_ARGS] = { "--ro", dir };
	struct run_opts opts = { .options = options, .in = c->in, .cwd = dir };
	struct run_result native;

	for (size_t i = 0; c->args[i]; i++)
		argv[i + 1] = c->args[i];
	for (size_t i = 0; c->options && c->options[i]; i++)
		options[i + 2] = c->options[i];
	if (c->writes) {
		opts.options = c->options;
		native = run_same_writing(dir, fill_with_packed, &opts, argv);
	} else {
		native = run_same(&opts, argv);
	}
	/* Equal is not enough: the command must have done what it is there for. */
	if (native.signal || native.status != c->status) {
		run_show("native", &native);
		fail_msg("the native run itself should have ended with %d", c->status);
	}
	run_free(&native);
}

/* A command and the build of the program to run it with. */
struct command_test {
	const char *program;
	const struct command *command;
};

static void test_command(void **state)
{
	const struct command_test *t = *state;

	run_command(t->program, t->command);
}

static int no_tree(void **state)
{
	(void)state;
	remove_written(dir);
	return 0;
}

static int read_only_tree(void **state)
{
	(void)state;
	if (access(dir, F_OK)) {
		tree_dir(base, "d", 0755);
		fill_with_packed(dir);
		tree_age(dir);
	}
	return 0;
}

static void lua_time_is_the_hosts_time(void **state)
{
	time_t before = time(NULL), told;
	struct run_result r = run_kvmrun(NULL, LIST(program("lua"), "-e", "print(os.time())"));

	(void)state;
	assert_status(&r, 0);
	told = strtol(r.out, NULL, 10);
	assert_in_range(told, before, time(NULL));
	run_free(&r);
}

static void lua_without_a_grant_sees_no_file(void **state)
{
	struct run_result r;

	read_only_tree(state);
	r = run_kvmrun_opts(&(struct run_opts){ .cwd = dir },
			    LIST(program("lua"), "-e", "print(io.open('text')); print(io.open('/etc/passwd'))"));
	assert_status(&r, 0);
	assert_out(&r, "nil\ttext: No such file or directory\t2\n"
		   "nil\t/etc/passwd: No such file or directory\t2\n");
	run_free(&r);
}

static void cat_to_a_regular_file_gives_the_same_file(void **state)
{
	char *out = tree_path(base, "out"), *copy;
	const struct run_opts opts = { .options = LIST("--ro", dir), .cwd = dir, .out_file = out };
	size_t len;
	struct run_result r;

	read_only_tree(state);
	r = run_kvmrun_opts(&opts, LIST(program("cat"), "data"));
	assert_status(&r, 0);
	copy = tree_read(base, "out", &len);
	assert_int_equal(len, SMALL_DATA_SIZE);
	assert_memory_equal(copy, data, len);
	run_free(&r);
	free(copy);
	free(out);
}

/*
 * The sqlite3 shell. Its input is a script; -init keeps it from looking for a
 * home directory.
 */
#define SQLITE(...) LIST(program("sqlite3"), "-batch", "-bail", "-init", "/dev/null", __VA_ARGS__)

/* Rows in the large table. */
static int row_count(void)
{
	return run_slow() ? 5000 : 100000;
}

/* SQL: before, the making of the large table, after. Valid until the next call. */
static const char *with_many_rows(const char *before, const char *after)
{
	static char sql[4096];

	snprintf(sql, sizeof(sql), "%s"
		 "CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER NOT NULL, v TEXT);\n"
		 "BEGIN;\n"
		 "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d)\n"
		 "  INSERT INTO t SELECT n, n * 7919 %% 1000, printf('row %%08d', n) FROM c;\n"
		 "COMMIT;\n%s", before, row_count(), after);
	return sql;
}

#define QUERIES \
	"SELECT count(*), sum(k), min(v), max(v) FROM t;\n" \
	"SELECT k % 7 AS g, count(*), avg(id) FROM t GROUP BY g ORDER BY g;\n" \
	"CREATE INDEX t_k ON t(k, v);\n" \
	"SELECT v FROM t WHERE k = 500 ORDER BY v LIMIT 5;\n" \
	"SELECT count(*) FROM t a JOIN t b ON b.k = a.k AND b.id = a.id + 1000 WHERE a.id < 500;\n" \
	"UPDATE t SET v = v || '!' WHERE k BETWEEN 10 AND 12;\n" \
	"DELETE FROM t WHERE id % 3 = 0;\n" \
	"SELECT count(*), total(length(v)) FROM t;\n" \
	"PRAGMA integrity_check;\n"

static const struct sqlite_row {
	const char *name;
	const char *in;
	int status;
} sqlite_in_memory[] = {
	{ "sqlite3_in_memory_inserts_and_queries_many_rows", NULL /* with_many_rows() and QUERIES */, 0 },
	{ "sqlite3_in_memory_rollback_and_savepoints",
	  "CREATE TABLE t(a); INSERT INTO t VALUES (1); BEGIN; INSERT INTO t VALUES (2); SAVEPOINT s;\n"
	  "INSERT INTO t VALUES (3); ROLLBACK TO s; COMMIT; SELECT * FROM t;\n", 0 },
	{ "sqlite3_in_memory_windows_json_and_functions",
	  "SELECT value, sum(value) OVER (ORDER BY key) FROM json_each('[3,1,2]');\n"
	  "SELECT json_extract('{\"a\":{\"b\":[1,2]}}', '$.a.b[1]'), hex(zeroblob(4)), round(2.5), 7 / 2, 7 / 2.0;\n"
	  "SELECT datetime(1000000000, 'unixepoch'), strftime('%j', '2001-09-09'), quote(x'00ff');\n", 0 },
	{ "sqlite3_in_memory_full_text_and_rtree",
	  "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('the quick fox'), ('lazy dog');\n"
	  "SELECT rowid, highlight(f, 0, '<', '>') FROM f WHERE f MATCH 'quick OR dog' ORDER BY rowid;\n"
	  "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1); INSERT INTO r VALUES (1, 0, 5), (2, 4, 9);\n"
	  "SELECT id FROM r WHERE x0 < 4.5 AND x1 > 6;\n", 0 },
	{ "sqlite3_in_memory_output_modes",
	  "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 'x'), (2, NULL);\n"
	  ".headers on\n.mode column\nSELECT * FROM t;\n.mode json\nSELECT * FROM t;\n.mode csv\nSELECT * FROM t;\n"
	  ".mode list\n.dump\n", 0 },
	{ "sqlite3_a_wrong_statement_is_status_1", "SELECT 1;\nSELEKT 2;\nSELECT 3;\n", 1 },
	{ "sqlite3_a_broken_constraint_is_status_1",
	  "CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1);\n", 1 },
};

static void test_sqlite_in_memory(void **state)
{
	const struct sqlite_row *row = *state;
	/* Sorting much takes temporary files. */
	const struct run_opts opts = { .options = LIST("--tmp"), .in = row->in ? row->in : with_many_rows("", QUERIES) };
	struct run_result native = run_same(&opts, SQLITE(":memory:"));

	assert_status(&native, row->status);
	run_free(&native);
}

/* A database made natively, for those who go on with it. */
static void fill_with_database(const char *where)
{
	const struct run_opts opts = { .cwd = where, .in = with_many_rows("", "") };
	struct run_result r;

	fill_directory(where);
	r = run_native(&opts, SQLITE("old.db"));
	assert_status(&r, 0);
	run_free(&r);
}

static void sqlite3_in_a_file_inserts_and_queries_many_rows(void **state)
{
	const struct run_opts opts = { .in = with_many_rows("", QUERIES) };
	const struct run_opts reading = {
		.cwd = dir, .in = "PRAGMA integrity_check; SELECT count(*), sum(k) FROM t; SELECT v FROM t WHERE k = 11;",
	};
	struct run_result native = run_same_writing(dir, fill_directory, &opts, SQLITE("new.db"));
	char out[32];

	(void)state;
	assert_status(&native, 0);
	run_free(&native);

	/* In dir is what the guest made. */
	native = run_native(&reading, SQLITE("new.db"));
	assert_status(&native, 0);
	snprintf(out, sizeof(out), "ok\n%d|", row_count() - row_count() / 3);
	assert_memory_equal(native.out, out, strlen(out));
	run_free(&native);
}

static void sqlite3_changes_a_database_made_natively(void **state)
{
	const struct run_opts opts = {
		.in = "PRAGMA integrity_check; BEGIN; UPDATE t SET k = k + 1 WHERE id % 100 = 0; COMMIT;\n"
		      "SELECT sum(k) FROM t; BEGIN; DELETE FROM t; ROLLBACK; SELECT count(*) FROM t;\n"
	};
	struct run_result native = run_same_writing(dir, fill_with_database, &opts, SQLITE("old.db"));

	(void)state;
	assert_status(&native, 0);
	run_free(&native);
}

static void sqlite3_imports_dumps_and_vacuums(void **state)
{
	const struct run_opts opts = {
		.in = ".import --csv table.csv c\nSELECT name, amount + 1 FROM c;\n.once dump.sql\n.dump\n"
		      "CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)\n"
		      "  SELECT i, printf('%0200d', i) AS pad FROM n;\nDROP TABLE big;\nVACUUM;\n"
		      "PRAGMA page_count;\n.read dump.sql\nSELECT count(*) FROM c;\n",
	};
	struct run_result native = run_same_writing(dir, fill_directory, &opts, SQLITE("import.db"));

	(void)state;
	assert_status(&native, 0);
	run_free(&native);
}

static void sqlite3_keeps_a_journal_in_other_modes(void **state)
{
	const struct run_opts opts = {
		.in = "PRAGMA journal_mode = PERSIST; CREATE TABLE t(a); INSERT INTO t VALUES (1), (2);\n"
		      "PRAGMA journal_mode = TRUNCATE; INSERT INTO t VALUES (3); SELECT sum(a) FROM t;\n"
		      "PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t VALUES (4);\n"
		      "SELECT count(*) FROM t;\n",
	};
	struct run_result native = run_same_writing(dir, fill_directory, &opts, SQLITE("j.db"));

	(void)state;
	assert_status(&native, 0);
	run_free(&native);
}

/* The write-ahead log's index is memory that is shared through a file. */
static void sqlite3_writes_ahead_and_maps_its_database(void **state)
{
	const struct run_opts opts = {
		.in = with_many_rows(
			"PRAGMA journal_mode = WAL; PRAGMA mmap_size = 16777216; PRAGMA wal_autocheckpoint = 10;\n",
			"SELECT sum(k) FROM t; UPDATE t SET v = v || '!' WHERE k < 100; SELECT count(*) FROM t WHERE v LIKE '%!';\n"
			"PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM t WHERE id % 2; SELECT max(v) FROM t;\n"
			"PRAGMA integrity_check; PRAGMA journal_mode;\n"),
	};
	struct run_result native = run_same_writing(dir, fill_directory, &opts, SQLITE("wal.db"));

	(void)state;
	assert_status(&native, 0);
	assert_memory_equal(native.out, "wal\n", 4);
	run_free(&native);
}

static void sqlite3_reads_but_cannot_change_a_read_only_grant(void **state)
{
	const struct run_opts opts = {
		.options = LIST("--ro", dir), .cwd = dir,
		.in = "SELECT count(*) FROM t;\nINSERT INTO t(k) VALUES (1);\n",
	};
	char *before, *after, out[32];
	struct run_result r;

	no_tree(state);
	tree_dir(base, "d", 0755);
	fill_with_database(dir);
	before = tree_describe(dir);
	r = run_kvmrun_opts(&opts, SQLITE("old.db"));
	assert_status(&r, 1);
	snprintf(out, sizeof(out), "%d\n", row_count());
	assert_out(&r, out);
	assert_non_null(strstr(r.err, "readonly"));
	after = tree_describe(dir);
	assert_string_equal(before, after);
	free(before);
	free(after);
	run_free(&r);
}

/*
 * The compressors. Each one's options keep it to one thread, since there is
 * no clone() yet.
 */
static const struct compressor {
	const char *name, *suffix;
	const char *quick[MAX_ARGS];	/* options for DATA_SIZE bytes */
	const char *best[MAX_ARGS];	/* and for SMALL_DATA_SIZE */
} compressors[] = {
	{ "zstd", ".zst", { "--single-thread", "--no-asyncio", "-1" },
	  { "--single-thread", "--no-asyncio", "-19" } },
	{ "xz", ".xz", { "-T1", "-0" }, { "-T1", "-9e" } },
	{ "bzip2", ".bz2", { "-1" }, { "-9" } },
};

/* argv: the compressor, its options, more. */
static const char *const *compress_argv(const struct compressor *c, const char *const options[],
					const char *const more[])
{
	static const char *argv[2 * MAX_ARGS];
	size_t n = 0;

	argv[n++] = program(c->name);
	for (size_t i = 0; options[i]; i++)
		argv[n++] = options[i];
	for (size_t i = 0; more[i]; i++)
		argv[n++] = more[i];
	argv[n] = NULL;
	return argv;
}

static void compresses_and_restores_a_pipe(void **state)
{
	const struct compressor *c = *state;
	const struct run_opts in = { .in = data, .in_len = DATA_SIZE };
	struct run_result packed = run_same(&in, compress_argv(c, c->quick, LIST("-c"))), restored;

	assert_status(&packed, 0);
	assert_in_range(packed.out_len, DATA_SIZE / 20, DATA_SIZE * 3 / 4);
	restored = run_same(&(struct run_opts){ .in = packed.out, .in_len = packed.out_len },
			    compress_argv(c, c->quick, LIST("-dc")));
	assert_status(&restored, 0);
	assert_int_equal(restored.out_len, DATA_SIZE);
	assert_memory_equal(restored.out, data, DATA_SIZE);
	run_free(&packed);
	run_free(&restored);
}

static void compresses_a_file_in_place(void **state)
{
	const struct compressor *c = *state;
	struct run_result r = run_same_writing(dir, fill_directory, NULL,
					       compress_argv(c, c->best, LIST("-q", "-k", "data", "text", "empty")));

	assert_status(&r, 0);
	run_free(&r);
}

static char *packed_name;
static char *packed_data;
static size_t packed_len;

static void fill_with_one_packed(const char *where)
{
	tree_file(where, packed_name, packed_data, packed_len);
}

/* Pack the small data natively, into packed_data; name the file packed_name. */
static void pack_one(const struct compressor *c)
{
	const struct run_opts in = { .in = data, .in_len = SMALL_DATA_SIZE };
	struct run_result r = run_native(&in, compress_argv(c, c->quick, LIST("-c")));

	assert_status(&r, 0);
	free(packed_name);
	free(packed_data);
	assert_true(asprintf(&packed_name, "data%s", c->suffix) > 0);
	packed_data = r.out;
	packed_len = r.out_len;
	free(r.err);
	free(r.command);
}

static void restores_a_file_in_place(void **state)
{
	const struct compressor *c = *state;
	struct run_result r;
	char *restored;
	size_t len;

	pack_one(c);
	r = run_same_writing(dir, fill_with_one_packed, NULL,
			     compress_argv(c, c->quick, LIST("-q", "-d", packed_name)));
	assert_status(&r, 0);
	restored = tree_read(dir, "data", &len);
	assert_non_null(restored);
	assert_int_equal(len, SMALL_DATA_SIZE);
	assert_memory_equal(restored, data, len);
	free(restored);
	run_free(&r);
}

static void tests_a_good_file(void **state)
{
	const struct compressor *c = *state;
	struct run_result r;

	pack_one(c);
	r = run_same_writing(dir, fill_with_one_packed, NULL,
			     compress_argv(c, c->quick, LIST("-t", packed_name)));
	assert_status(&r, 0);
	run_free(&r);
}

static void run_on_bad_input(const struct compressor *c)
{
	struct run_result r = run_same_writing(dir, fill_with_one_packed, NULL,
					       compress_argv(c, c->quick, LIST("-d", "-k", packed_name)));

	assert_int_not_equal(r.status, 0);
	assert_int_equal(r.signal, 0);
	run_free(&r);
}

static void reports_a_flipped_byte(void **state)
{
	pack_one(*state);
	packed_data[packed_len / 2] ^= 0x40;
	run_on_bad_input(*state);
}

static void reports_a_truncated_file(void **state)
{
	pack_one(*state);
	packed_len -= 100;
	run_on_bad_input(*state);
}

static void reports_garbage(void **state)
{
	pack_one(*state);
	memcpy(packed_data, "not packed", 10);
	run_on_bad_input(*state);
}

static const struct {
	const char *name;
	CMUnitTestFunction function;
} compressor_tests[] = {
	{ "compresses_and_restores_a_pipe", compresses_and_restores_a_pipe },
	{ "compresses_files_in_place", compresses_a_file_in_place },
	{ "restores_a_file_in_place", restores_a_file_in_place },
	{ "tests_a_good_file", tests_a_good_file },
	{ "reports_a_flipped_byte", reports_a_flipped_byte },
	{ "reports_a_truncated_file", reports_a_truncated_file },
	{ "reports_garbage", reports_garbage },
};

static int set_up(void **state)
{
	const char *given = getenv("KVMRUN_TEST_PROGRAMS");

	(void)state;
	programs = realpath(given ? given : "build/programs", NULL);
	if (!programs) {
		print_error("%s: %s: run tests/programs/build\n", given ? given : "build/programs",
			    strerror(errno));
		return -1;
	}
	base = tree_new();
	dir = tree_path(base, "d");
	data = mixed_data(DATA_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(packed); i++) {
		const struct run_opts in = { .in = data, .in_len = SMALL_DATA_SIZE };
		struct run_result r = run_native(&in, LIST(program(packed[i].program), "-1"));

		assert_status(&r, 0);
		packed[i].data = r.out;
		packed[i].len = r.out_len;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove(base);
	return 0;
}

static struct CMUnitTest tests[MAX_TESTS];
static size_t test_count;

static void add(const char *prefix, const char *name, CMUnitTestFunction function, const void *state)
{
	char *whole;

	if (test_count == MAX_TESTS || asprintf(&whole, "%s%s%s", prefix, *prefix ? "_" : "", name) < 0)
		abort();
	for (char *c = whole; *c; c++)
		if (*c == '-')
			*c = '_';
	tests[test_count++] = (struct CMUnitTest){
		.name = whole, .test_func = function, .initial_state = (void *)state,
	};
}

static void add_command(const char *name, const struct command *c)
{
	struct command_test *t = malloc(sizeof(*t));

	*t = (struct command_test){ name, c };
	add(name, c->name, test_command, t);
	tests[test_count - 1].setup_func = c->writes ? NULL : read_only_tree;
	tests[test_count - 1].teardown_func = c->writes ? no_tree : NULL;
}

#define ADD(function, teardown) \
	do { \
		add("", #function, function, NULL); \
		tests[test_count - 1].teardown_func = teardown; \
	} while (0)

int main(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(lua_builds); i++)
		for (size_t j = 0; j < ARRAY_SIZE(lua_commands); j++)
			add_command(lua_builds[i], &lua_commands[j]);
	ADD(lua_time_is_the_hosts_time, NULL);
	ADD(lua_without_a_grant_sees_no_file, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		add_command(commands[i].program, &commands[i]);
	ADD(cat_to_a_regular_file_gives_the_same_file, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(sqlite_in_memory); i++)
		add("", sqlite_in_memory[i].name, test_sqlite_in_memory, &sqlite_in_memory[i]);
	ADD(sqlite3_in_a_file_inserts_and_queries_many_rows, no_tree);
	ADD(sqlite3_changes_a_database_made_natively, no_tree);
	ADD(sqlite3_imports_dumps_and_vacuums, no_tree);
	ADD(sqlite3_keeps_a_journal_in_other_modes, no_tree);
	ADD(sqlite3_writes_ahead_and_maps_its_database, no_tree);
	ADD(sqlite3_reads_but_cannot_change_a_read_only_grant, no_tree);
	for (size_t i = 0; i < ARRAY_SIZE(compressors); i++)
		for (size_t j = 0; j < ARRAY_SIZE(compressor_tests); j++) {
			add(compressors[i].name, compressor_tests[j].name, compressor_tests[j].function,
			    &compressors[i]);
			tests[test_count - 1].teardown_func = no_tree;
		}
	return harness_main(argc, argv, "programs", tests, test_count, set_up, tear_down);
}
