/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --trace against strace: a native program, tests/guest/trace_probe.c, is
 * traced by both. Here a small tracer takes the runner's place: it makes each
 * call of the program into a struct call and hands that to runner/trace.h.
 */
#include "../runner/table.h"
#include "../runner/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOM	65536	/* bytes of an argument */

static char room[6][ROOM];
static struct iovec pieces[6];
static struct abi_call own_row;

static bool peek(pid_t pid, void *to, uint64_t from, size_t n)
{
	struct iovec local = { to, n }, remote = { (void *)from, n };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

static bool peek_string(pid_t pid, char *to, uint64_t from)
{
	for (size_t i = 0; i < 4096; i++) {
		if (!peek(pid, to + i, from + i, 1))
			return false;
		if (!to[i])
			return true;
	}
	return false;
}

/* The pieces of a program's iovecs, as one; only where they lie is known before a read. */
static bool peek_iovecs(pid_t pid, struct call *c, int i, bool in)
{
	struct iovec v[16];
	uint64_t n = c->arg[c->row->arg[i].ref], sum = 0;

	if (n > 16 || !peek(pid, v, c->arg[i], n * sizeof(*v)))
		return false;
	for (uint64_t k = 0; k < n && sum + v[k].iov_len <= ROOM; sum += v[k++].iov_len)
		if (in && !peek(pid, room[i] + sum, (uint64_t)v[k].iov_base, v[k].iov_len))
			return false;
	pieces[i] = (struct iovec){ room[i], sum };
	c->iov[i] = &pieces[i];
	c->iovcnt[i] = n ? 1 : 0;
	c->count[i] = sum;
	return true;
}

static void collect(pid_t pid, struct call *c, int i)
{
	const struct abi_arg *a = &c->row->arg[i];
	uint64_t size = a->size;

	switch (a->kind) {
	case ABI_ARG_STRING:
		if (peek_string(pid, room[i], c->arg[i]))
			c->ptr[i] = room[i];
		return;
	case ABI_ARG_INVEC:
	case ABI_ARG_OUTVEC:
	case ABI_ARG_INOUTVEC:
	case ABI_ARG_WORDS:
		size *= c->arg[a->ref];
		/* fall through */
	case ABI_ARG_IN:
	case ABI_ARG_OUT:
	case ABI_ARG_INOUT:
		if (size <= ROOM && c->arg[i] && peek(pid, room[i], c->arg[i], size)) {
			c->ptr[i] = room[i];
			c->count[i] = size;
		}
		return;
	case ABI_ARG_INBUF:
	case ABI_ARG_OUTBUF:
		c->count[i] = c->arg[a->ref] + a->size;
		size = c->count[i] < ROOM ? c->count[i] : ROOM;
		if (c->arg[i] && peek(pid, room[i], c->arg[i], size)) {
			pieces[i] = (struct iovec){ room[i], size };
			c->iov[i] = &pieces[i];
			c->iovcnt[i] = size ? 1 : 0;
		}
		return;
	case ABI_ARG_INIOV:
	case ABI_ARG_OUTIOV:
		peek_iovecs(pid, c, i, a->kind == ABI_ARG_INIOV);
		return;
	}
}

static void begin(pid_t pid, struct trace *t, struct call *c, const struct __ptrace_syscall_info *info)
{
	const struct request *request;
	const struct abi_arg *control;

	memset(c, 0, sizeof(*c));
	c->nr = info->entry.nr;
	c->row = &call_table[c->nr < ABI_CALLS ? c->nr : ABI_CALLS - 1];
	for (int i = 0; i < 6; i++)
		c->arg[i] = info->entry.args[i];
	request = call_request(c->nr, c->arg[1]);
	if (request) {
		own_row = *c->row;
		own_row.arg[2] = request->arg;
		c->row = &own_row;
	}
	control = call_control(c->nr, c->arg);
	if (control) {
		own_row = *c->row;
		own_row.arg[own_row.nargs - 1] = *control;
		c->row = &own_row;
	}
	for (int i = 0; i < c->row->nargs; i++)
		collect(pid, c, i);
	trace_begin(t, c);
}

static void end(pid_t pid, struct trace *t, struct call *c, int fd, long ret)
{
	for (int i = 0; i < c->row->nargs; i++)
		switch (c->row->arg[i].kind) {
		case ABI_ARG_OUT:
		case ABI_ARG_INOUT:
		case ABI_ARG_OUTVEC:
		case ABI_ARG_INOUTVEC:
		case ABI_ARG_OUTBUF:
		case ABI_ARG_OUTIOV:
			collect(pid, c, i);
		}
	trace_end(t, fd, c, ret);
}

static void child(char *const argv[])
{
	personality(ADDR_NO_RANDOMIZE);
	ptrace(PTRACE_TRACEME);
	raise(SIGSTOP);
	execv(argv[0], argv);
	_exit(127);
}

/* Runs argv and traces it to fd. Returns its wait status, or -1 with errno. */
static int trace_native(char *const argv[], int fd)
{
	static struct trace trace;
	static struct __ptrace_syscall_info info;
	bool running = false;		/* past execve */
	struct call call;
	siginfo_t signal;
	int status, deliver = 0;
	pid_t pid = fork();

	if (!pid)
		child(argv);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC))
		return -1;
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, 0, deliver) || waitpid(pid, &status, 0) < 0)
			return -1;
		deliver = 0;
		if (!WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
				return -1;
			if (running && info.op == PTRACE_SYSCALL_INFO_ENTRY)
				begin(pid, &trace, &call, &info);
			else if (running && trace.len)
				end(pid, &trace, &call, fd, info.exit.rval);
		} else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
			running = true;
			trace.len = 0;
		} else {
			deliver = WSTOPSIG(status);
			if (ptrace(PTRACE_GETSIGINFO, pid, 0, &signal))
				return -1;
			trace_signal(fd, &signal);
		}
	}
	if (WIFEXITED(status))
		end(pid, &trace, &call, fd, 0);
	trace_exit(fd, WEXITSTATUS(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return status;
}

/* ------------------------------------------------------------- the comparison */

static char *probe = "build/guest/trace_probe";

/* The lines of a file from the probe's first call on. */
static char *lines_of(FILE *f, char **text)
{
	char *start;
	size_t n = 0;

	*text = NULL;
	rewind(f);
	assert_true(getdelim(text, &n, 0, f) > 0);
	start = strstr(*text, "\nsched_yield()");
	assert_non_null(start);
	return start + 1;
}

static void to_null(int fd)
{
	int null = open("/dev/null", O_RDWR);

	assert_return_code(null, errno);
	assert_return_code(dup2(null, fd), errno);
	close(null);
}

static int run_strace(const char *out)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		to_null(0);
		to_null(1);
		to_null(2);
		execlp("setarch", "setarch", "-R", "strace", "-o", out, probe, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

/* Every version prints a little differently. */
static bool strace_is_6_1(void)
{
	FILE *f = popen("strace -V 2>&1", "r");
	char text[64] = "";
	bool right;

	assert_non_null(f);
	right = fgets(text, sizeof(text), f) && strstr(text, "version 6.1\n");
	while (fgets(text, sizeof(text), f))
		;
	pclose(f);
	return right;
}

static int run_ours(int fd)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		char *argv[] = { probe, NULL };

		to_null(0);
		to_null(1);
		status = trace_native(argv, fd);
		_exit(status == -1 ? 125 : WEXITSTATUS(status));
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

static void lines_are_those_of_strace(void **state)
{
	char path[] = "/tmp/test_trace.XXXXXX";
	char *theirs, *ours, *their_line, *our_line, *texts[2];
	FILE *a, *b = tmpfile();
	int lines = 0;

	(void)state;
	if (!strace_is_6_1()) {
		print_message("there is no strace 6.1 here\n");
		skip();
	}
	a = fdopen(mkstemp(path), "r");
	assert_int_equal(WEXITSTATUS(run_strace(path)), 3);
	unlink(path);
	assert_int_equal(WEXITSTATUS(run_ours(fileno(b))), 3);
	theirs = lines_of(a, &texts[0]);
	ours = lines_of(b, &texts[1]);
	while ((their_line = strsep(&theirs, "\n")) && (our_line = strsep(&ours, "\n"))) {
		assert_string_equal(our_line, their_line);
		lines++;
	}
	assert_null(ours);
	assert_true(lines > 300);
	free(texts[0]);
	free(texts[1]);
	fclose(a);
	fclose(b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_those_of_strace),
	};

	if (argc > 1)
		probe = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
