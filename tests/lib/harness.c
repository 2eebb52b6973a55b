/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "harness.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_DEADLINE 150.0	/* for what hangs, on a machine that others keep busy */
#define SHOWN_BYTES 2000

struct stream {
	int fd;				/* -1: at its end */
	char *data;
	size_t len, size;
};

struct running {
	pid_t pid;
	int pidfd;			/* -1: ended, wait_status is valid */
	int wait_status;
	int in_fd;			/* -1: all written, or closed by the reader */
	const char *in;
	size_t in_left;
	struct stream out, err;
	double started, deadline;
	bool hung;
	char *command;
};

/* The group to end when the test binary itself is ended. */
static volatile sig_atomic_t current_group;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

double run_slowness(void)
{
	const char *slow = getenv("KVMRUN_TEST_SLOW");
	double factor = slow ? strtod(slow, NULL) : 1;

	return factor > 1 ? factor : 1;
}

bool run_slow(void)
{
	return run_slowness() > 1;
}

const char *const *native_env(void)
{
	static const char *const env[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"TERM=dumb", "LANG=C", "TZ=UTC0", NULL
	};

	return env;
}

/* argv as one line that a shell would split the same way. */
static char *command_line(const char *const argv[])
{
	char *line;
	size_t len;
	FILE *f = open_memstream(&line, &len);

	for (size_t i = 0; argv[i]; i++) {
		const char *arg = argv[i];

		if (i)
			fputc(' ', f);
		if (*arg && !arg[strspn(arg, "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,+@%-")]) {
			fputs(arg, f);
			continue;
		}
		fputc('\'', f);
		for (; *arg; arg++)
			fputs(*arg == '\'' ? "'\\''" : (char[]){ *arg, 0 }, f);
		fputc('\'', f);
	}
	fclose(f);
	return line;
}

static void show_bytes(FILE *f, const char *name, const char *data, size_t len)
{
	size_t shown = len < SHOWN_BYTES ? len : SHOWN_BYTES;

	fprintf(f, "  %s (%zu bytes)%s", name, len, len ? ":\n    " : "\n");
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = data[i];

		if (c == '\n')
			fputs(i + 1 < shown ? "\\n\n    " : "\\n", f);
		else if (isprint(c))
			fputc(c, f);
		else
			fprintf(f, "\\x%02x", c);
	}
	if (shown < len)
		fputs(" ...", f);
	if (len)
		fputc('\n', f);
}

void run_show(const char *what, const struct run_result *r)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fprintf(f, "%s: %s\n  ", what, r->command);
	if (r->hung)
		fputs("hung, and was killed", f);
	else if (r->signal)
		fprintf(f, "killed by signal %d (%s)", r->signal, strsignal(r->signal));
	else
		fprintf(f, "status %d", r->status);
	fprintf(f, " after %.3f s\n", r->wall);
	show_bytes(f, "stdout", r->out, r->out_len);
	show_bytes(f, "stderr", r->err, r->err_len);
	fclose(f);
	fputs(text, stderr);	/* print_error() cuts at 1 KiB */
	free(text);
}

static void check(int err, const char *what)
{
	if (err)
		fail_msg("harness: %s: %s", what, strerror(err));
}

struct running *run_start(const struct run_opts *opts, const char *const argv[])
{
	static const struct run_opts none;
	struct running *r = calloc(1, sizeof(*r));
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int in[2] = { -1, -1 }, out[2], err[2];
	sigset_t set;

	opts = opts ? opts : &none;
	r->command = command_line(argv);

	/* Above 2, so that dup2 to 0, 1, 2 always clears close-on-exec. */
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) || (opts->in && pipe2(in, O_CLOEXEC)))
		fail_msg("harness: pipe: %s", strerror(errno));

	posix_spawn_file_actions_init(&actions);
	if (opts->closed & CLOSE_STDIN)
		posix_spawn_file_actions_addclose(&actions, 0);
	else if (opts->in)
		posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	else
		posix_spawn_file_actions_addopen(&actions, 0, opts->in_file ? opts->in_file :
						 "/dev/null", O_RDONLY, 0);
	if (opts->closed & CLOSE_STDOUT)
		posix_spawn_file_actions_addclose(&actions, 1);
	else if (opts->out_file)
		posix_spawn_file_actions_addopen(&actions, 1, opts->out_file,
						 O_WRONLY | O_CREAT | O_TRUNC, 0666);
	else
		posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	if (opts->closed & CLOSE_STDERR)
		posix_spawn_file_actions_addclose(&actions, 2);
	else
		posix_spawn_file_actions_adddup2(&actions, err[1], 2);
	if (opts->cwd)
		posix_spawn_file_actions_addchdir_np(&actions, opts->cwd);

	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
				 POSIX_SPAWN_SETSIGMASK);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&attr, &set);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);

	r->started = now();
	r->deadline = r->started +
		      (opts->deadline ? opts->deadline : DEFAULT_DEADLINE) * run_slowness();
	check(posix_spawnp(&r->pid, argv[0], &actions, &attr, (char **)argv,
			   opts->env ? (char **)opts->env : environ), argv[0]);
	current_group = r->pid;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);

	close(out[1]);
	close(err[1]);
	r->out.fd = out[0];
	r->err.fd = err[0];
	r->in_fd = in[1];
	if (opts->in) {
		close(in[0]);
		fcntl(r->in_fd, F_SETFL, O_NONBLOCK);
		r->in = opts->in;
		r->in_left = opts->in_len ? opts->in_len : strlen(opts->in);
	}
	r->pidfd = syscall(SYS_pidfd_open, r->pid, 0);
	if (r->pidfd < 0)
		fail_msg("harness: pidfd_open: %s", strerror(errno));
	return r;
}

static void take(struct stream *s)
{
	ssize_t n;

	if (s->size - s->len < 65536) {
		s->size = s->size * 2 + 131072;
		s->data = realloc(s->data, s->size);
		assert_non_null(s->data);
	}
	n = read(s->fd, s->data + s->len, s->size - s->len - 1);
	if (n > 0) {
		s->len += n;
		s->data[s->len] = 0;
	} else if (n == 0 || errno != EINTR) {
		close(s->fd);
		s->fd = -1;
	}
}

static void give(struct running *r)
{
	ssize_t n = r->in_left ? write(r->in_fd, r->in, r->in_left) : 0;

	if (n > 0) {
		r->in += n;
		r->in_left -= n;
	}
	if (!r->in_left || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(r->in_fd);
		r->in_fd = -1;
	}
}

static void reap(struct running *r)
{
	while (waitpid(r->pid, &r->wait_status, 0) < 0 && errno == EINTR)
		;
	close(r->pidfd);
	r->pidfd = -1;
}

/* One round of waiting. False: everything has ended, or the deadline passed. */
static bool pump(struct running *r)
{
	struct pollfd p[] = {
		{ .fd = r->out.fd, .events = POLLIN },
		{ .fd = r->err.fd, .events = POLLIN },
		{ .fd = r->pidfd, .events = POLLIN },
		{ .fd = r->in_fd, .events = POLLOUT },
	};
	double left = r->deadline - now();

	if (r->out.fd < 0 && r->err.fd < 0 && r->pidfd < 0)
		return false;
	if (left <= 0) {
		r->hung = true;
		return false;
	}
	if (poll(p, ARRAY_SIZE(p), left * 1000 + 1) <= 0)
		return true;
	if (p[0].revents)
		take(&r->out);
	if (p[1].revents)
		take(&r->err);
	if (p[2].revents)
		reap(r);
	if (p[3].revents)
		give(r);
	return true;
}

bool run_wait_for(struct running *r, const char *text)
{
	size_t len = strlen(text);

	do {
		if (r->out.len && memmem(r->out.data, r->out.len, text, len))
			return true;
	} while (pump(r));
	return false;
}

pid_t run_pid(const struct running *r)
{
	return r->pid;
}

struct run_result run_finish(struct running *r)
{
	struct run_result result = { .command = r->command, .status = -1 };

	while (pump(r))
		;
	kill(-r->pid, SIGKILL);
	if (r->pidfd >= 0)
		reap(r);
	current_group = 0;
	if (r->in_fd >= 0)
		close(r->in_fd);
	if (r->out.fd >= 0)
		close(r->out.fd);
	if (r->err.fd >= 0)
		close(r->err.fd);

	result.hung = r->hung;
	result.wall = now() - r->started;
	if (WIFSIGNALED(r->wait_status))
		result.signal = WTERMSIG(r->wait_status);
	else
		result.status = WEXITSTATUS(r->wait_status);
	result.out = r->out.data ? r->out.data : calloc(1, 1);
	result.out_len = r->out.len;
	result.err = r->err.data ? r->err.data : calloc(1, 1);
	result.err_len = r->err.len;
	free(r);
	return result;
}

void run_free(struct run_result *r)
{
	free(r->command);
	free(r->out);
	free(r->err);
	memset(r, 0, sizeof(*r));
}

struct run_result run(const struct run_opts *opts, const char *const argv[])
{
	return run_finish(run_start(opts, argv));
}

struct run_result run_native(const struct run_opts *opts, const char *const argv[])
{
	struct run_opts native = opts ? *opts : (struct run_opts){ 0 };

	if (!native.env)
		native.env = native_env();
	return run(&native, argv);
}

/* Add the words of text at list[n]; text must stay. Returns the new n. */
static size_t add_words(const char **list, size_t n, size_t max, char *text)
{
	for (char *save, *word = strtok_r(text, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save)) {
		assert_true(n < max);
		list[n++] = word;
	}
	return n;
}

/* KVMRUN with its first word absolute, since tests start it in other directories. */
static const char *kvmrun_command(void)
{
	static char *command;
	const char *given = getenv("KVMRUN");
	char cwd[4096];

	if (command)
		return command;
	given = given && *given ? given : "./kvmrun";
	if (*given == '/' || !strchr(given, '/') || !getcwd(cwd, sizeof(cwd)))
		command = strdup(given);
	else if (asprintf(&command, "%s/%s", cwd, given) < 0)
		abort();
	return command;
}

struct running *run_start_kvmrun(const struct run_opts *opts, const char *const argv[])
{
	const char *more = getenv("KVMRUN_TEST_OPTS");
	char *command = strdup(kvmrun_command()), *extra = strdup(more ? more : "");
	const char *list[256];
	size_t n = 0, max = ARRAY_SIZE(list) - 2;
	struct running *r;

	n = add_words(list, n, max, command);
	n = add_words(list, n, max, extra);
	for (size_t i = 0; opts && opts->options && opts->options[i]; i++) {
		assert_true(n < max);
		list[n++] = opts->options[i];
	}
	list[n++] = "--";
	for (size_t i = 0; argv[i]; i++) {
		assert_true(n < max);
		list[n++] = argv[i];
	}
	list[n] = NULL;
	r = run_start(opts, list);
	free(command);
	free(extra);
	return r;
}

struct run_result run_kvmrun_opts(const struct run_opts *opts, const char *const argv[])
{
	return run_finish(run_start_kvmrun(opts, argv));
}

struct run_result run_kvmrun(const char *const options[], const char *const argv[])
{
	return run_kvmrun_opts(&(struct run_opts){ .options = options }, argv);
}

static void on_end(int signal)
{
	if (current_group > 0)
		kill(-current_group, SIGKILL);
	_exit(128 + signal);
}

int harness_main(int argc, char **argv, const char *group, const struct CMUnitTest *tests,
		 size_t count, CMFixtureFunction setup, CMFixtureFunction teardown)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct sigaction end = { .sa_handler = on_end };

	if (argc > 2) {
		fprintf(stderr, "usage: %s [PATTERN]\n", argv[0]);
		return 2;
	}
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	/* What kvmrun passes on to the program is then the same as native_env(). */
	for (const char *const *env = native_env(); *env; env++)
		putenv((char *)*env);
	kvmrun_command();
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	return _cmocka_run_group_tests(group, tests, count, setup, teardown);
}
