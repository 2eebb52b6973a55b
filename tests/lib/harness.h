/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run a program, or kvmrun with a program, from a cmocka test: its streams
 * are caught byte by byte, a deadline ends it, and the assertions print the
 * whole command and all that came of it.
 *
 * Environment of a test binary:
 *   KVMRUN            the command under test, words split at blanks (./kvmrun)
 *   KVMRUN_TEST_OPTS  options for every run of kvmrun, split at blanks
 *   KVMRUN_TEST_SLOW  factor for every deadline, for emulated machines (1)
 */
#ifndef TESTS_LIB_HARNESS_H
#define TESTS_LIB_HARNESS_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A NULL-terminated list of strings, as an argument. */
#define LIST(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

#define CLOSE_STDIN  (1u << 0)
#define CLOSE_STDOUT (1u << 1)
#define CLOSE_STDERR (1u << 2)

/* How to run. All zero is a good start: stdin is /dev/null. */
struct run_opts {
	const char *const *options;	/* kvmrun's own, before the "--" */
	const void *in;			/* stdin through a pipe ... */
	size_t in_len;			/* ... in_len bytes; 0: strlen(in) */
	const char *in_file;		/* or stdin is this file */
	const char *out_file;		/* stdout is this file, created, truncated */
	unsigned int closed;		/* CLOSE_*: start without these */
	const char *cwd;		/* of the process, not --cwd */
	const char *const *env;		/* NULL: see native_env() */
	double deadline;		/* seconds; 0: 150 */
	bool any_stderr;		/* for run_same(): do not compare stderr */
};

struct run_result {
	char *command;			/* as a shell would take it */
	int status;			/* exit status, or -1 */
	int signal;			/* that ended it, or 0 */
	bool hung;			/* the deadline passed */
	double wall;			/* seconds */
	char *out, *err;		/* also NUL-terminated */
	size_t out_len, err_len;
};

struct running;

/* KVMRUN_TEST_SLOW, at least 1; and whether the machine is slow: an emulated one does less of what takes long. */
double run_slowness(void);
bool run_slow(void);

/*
 * Start argv[0] (looked up in PATH) in a process group of its own. Never
 * fails: what cannot be started fails the test.
 */
struct running *run_start(const struct run_opts *opts, const char *const argv[]);
struct running *run_start_kvmrun(const struct run_opts *opts, const char *const argv[]);

/* Wait until stdout contains text. False: it ended, or its deadline passed. */
bool run_wait_for(struct running *r, const char *text);

pid_t run_pid(const struct running *r);

/* Processes of its group, zombies and itself left out, on this host; one of them in *any unless that is NULL. */
int run_members(const struct running *r, pid_t *any);

/* Waits for its end: whether soon after that nobody of its group is left. */
bool run_none_left(const struct running *r);

/* Wait for the end, kill what is left of the process group, free r. */
struct run_result run_finish(struct running *r);

/* Both at once. Free the result by run_free(). */
struct run_result run(const struct run_opts *opts, const char *const argv[]);
struct run_result run_kvmrun(const char *const options[], const char *const argv[]);
struct run_result run_kvmrun_opts(const struct run_opts *opts, const char *const argv[]);
/* The program itself, with opts->options ignored. */
struct run_result run_native(const struct run_opts *opts, const char *const argv[]);
void run_free(struct run_result *r);

/* PATH, TERM, LANG, TZ as a program inside kvmrun has them by default. */
const char *const *native_env(void);

/* Command and all results, on stderr, for the diagnostics of a failure. */
void run_show(const char *what, const struct run_result *r);

/*
 * Assertions on a result. On failure they print it and fail the test.
 * assert_status: ended by exit with this status, no signal.
 * assert_out: stdout is exactly this text.
 * assert_err_line: stderr is exactly one whole line, which contains text.
 * assert_same: the same status (or 128 + signal), stdout and stderr.
 */
#define assert_status(r, want) assert_status_at(r, want, __FILE__, __LINE__)
#define assert_out(r, want) assert_out_at(r, want, strlen(want), __FILE__, __LINE__)
#define assert_out_bytes(r, want, len) assert_out_at(r, want, len, __FILE__, __LINE__)
#define assert_err(r, want) assert_err_at(r, want, __FILE__, __LINE__)
#define assert_err_line(r, text) assert_err_line_at(r, text, __FILE__, __LINE__)
#define assert_same(native, guest, any_stderr) \
	assert_same_at(native, guest, any_stderr, __FILE__, __LINE__)

void assert_status_at(const struct run_result *r, int want, const char *file, int line);
void assert_out_at(const struct run_result *r, const void *want, size_t len,
		   const char *file, int line);
void assert_err_at(const struct run_result *r, const char *want, const char *file, int line);
void assert_err_line_at(const struct run_result *r, const char *text, const char *file, int line);
void assert_same_at(const struct run_result *native, const struct run_result *guest,
		    bool any_stderr, const char *file, int line);

/*
 * (opts, argv): run natively and under kvmrun and compare. Returns the native
 * result, for further assertions on what the behaviour is; free it by
 * run_free().
 */
#define run_same(...) run_same_at(__VA_ARGS__, __FILE__, __LINE__)
struct run_result run_same_at(const struct run_opts *opts, const char *const argv[],
			      const char *file, int line);
/* The same without the result. */
#define assert_same_as_native(...) assert_same_as_native_at(__VA_ARGS__, __FILE__, __LINE__)
void assert_same_as_native_at(const struct run_opts *opts, const char *const argv[],
			      const char *file, int line);

/*
 * (dir, fill, opts, argv): the same for a program that writes. The directory
 * dir is made for each run and filled by fill(dir), both runs have it as their
 * current directory, kvmrun with "--rw dir", and the resulting trees are
 * compared too. They stay, the one from kvmrun as dir and the native one as
 * dir.native; remove both by remove_written(dir).
 */
#define run_same_writing(...) run_same_writing_at(__VA_ARGS__, __FILE__, __LINE__)
struct run_result run_same_writing_at(const char *dir, void (*fill)(const char *dir),
				      const struct run_opts *opts, const char *const argv[],
				      const char *file, int line);
void remove_written(const char *dir);

/*
 * The main() of a test binary: "TEST [PATTERN]", PATTERN a shell pattern for
 * the names of the tests to run. Tests may be built at run time.
 */
int harness_main(int argc, char **argv, const char *group, const struct CMUnitTest *tests,
		 size_t count, CMFixtureFunction setup, CMFixtureFunction teardown);

#endif
