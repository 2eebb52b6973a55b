/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The standard streams pass through untouched: every byte, both ways, through
 * pipes, files and terminals; closed ones are closed; nothing else comes in.
 */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define STDIO "build/guest/stdio"
#define MIB (1 << 20)
#define SH(script) LIST("/bin/busybox", "sh", "-c", script)

static char *dir;

/* A shell script in which $K is kvmrun, $D a temporary directory, $T a time limit. */
static struct run_result shell(const char *script)
{
	setenv("K", getenv("KVMRUN") ? getenv("KVMRUN") : "./kvmrun", 1);
	setenv("D", dir, 1);
	/* long enough to start, short enough to wait for */
	setenv("T", getenv("KVMRUN_TEST_SLOW") ? "3s" : "300ms", 1);
	return run(NULL, SH(script));
}

static void assert_shell(const char *script, const char *out)
{
	struct run_result r = shell(script);

	assert_status(&r, 0);
	assert_out(&r, out);
	assert_err(&r, "");
	run_free(&r);
}

/* ------------------------------------------------ bytes */

static void a_mebibyte_passes_unchanged_through_pipes(void **state)
{
	char *data = mixed_data(MIB);
	struct run_result r;

	(void)state;
	r = run_kvmrun_opts(&(struct run_opts){ .in = data, .in_len = MIB }, LIST(STDIO, "cat"));
	assert_status(&r, 0);
	assert_out_bytes(&r, data, MIB);
	assert_err(&r, "");
	run_free(&r);
	free(data);
}

static void a_mebibyte_passes_unchanged_from_file_to_file(void **state)
{
	char *in = tree_path(dir, "in"), *out = tree_path(dir, "out"), *data = mixed_data(MIB), *got;
	struct run_result r;
	size_t len;

	(void)state;
	tree_file(dir, "in", data, MIB);
	r = run_kvmrun_opts(&(struct run_opts){ .in_file = in, .out_file = out }, LIST(STDIO, "cat"));
	assert_status(&r, 0);
	got = tree_read(dir, "out", &len);
	assert_int_equal(len, MIB);
	assert_memory_equal(got, data, MIB);
	run_free(&r);
	free(got);
	free(data);
	free(in);
	free(out);
}

static void redirections_append_read_and_write_as_without_kvmrun(void **state)
{
	(void)state;
	assert_shell("echo zero > $D/a; $K " STDIO " append >> $D/a; $K " STDIO " append >> $D/a; cat $D/a",
		     "zero\none\ntwo\none\ntwo\n");
	assert_shell("printf 12345 > $D/b; { head -c 2 > /dev/null; $K " STDIO " cat; } < $D/b | wc -c", "3\n");
	/* one descriptor for both streams keeps one offset */
	assert_shell("{ echo a; $K " STDIO " append; echo b; } > $D/c 2>&1; cat $D/c", "a\none\ntwo\nb\n");
	assert_shell("printf abcdef > $D/d; printf XY | $K " STDIO " cat 1<> $D/d; cat $D/d", "XYcdef");
	assert_shell("$K " STDIO " cat < /dev/null | wc -c; $K " STDIO " append > /dev/null; echo $?", "0\n0\n");
}

static void kvmruns_compose_in_a_pipeline(void **state)
{
	struct run_result r = shell("seq 20000 | $K " STDIO " cat | $K " STDIO " cat | $K busybox md5sum; "
				    "seq 20000 | md5sum");

	(void)state;
	assert_status(&r, 0);
	assert_int_equal(r.out_len, 2 * 36);
	assert_memory_equal(r.out, r.out + 36, 36);
	run_free(&r);
}

/* ------------------------------------------------ big transfers */

static const char *big(void)
{
	return getenv("KVMRUN_TEST_SLOW") ? "8388608" : "67108864";
}

static void one_big_write_to_a_pipe_is_complete(void **state)
{
	struct run_result r;

	(void)state;
	r = run_same(&(struct run_opts){ .deadline = 300 }, LIST(STDIO, "write", big()));
	assert_status(&r, 0);
	assert_int_equal(r.out_len, strtoul(big(), NULL, 0));
	run_free(&r);
}

static void one_big_write_to_a_file_is_complete(void **state)
{
	char *out = tree_path(dir, "big"), *native = tree_path(dir, "big.native");
	struct run_result r = run_native(&(struct run_opts){ .out_file = native }, LIST(STDIO, "write", big()));
	struct run_result g = run_kvmrun_opts(&(struct run_opts){ .out_file = out }, LIST(STDIO, "write", big()));
	struct run_result cmp;

	(void)state;
	assert_same(&r, &g, false);
	assert_status(&g, 0);
	cmp = run(NULL, LIST("/bin/busybox", "cmp", out, native));
	assert_status(&cmp, 0);
	run_free(&cmp);
	run_free(&r);
	run_free(&g);
	/* and one read() takes it all */
	assert_same_as_native(&(struct run_opts){ .in_file = out }, LIST(STDIO, "read", big()));
	unlink(out);
	unlink(native);
	free(out);
	free(native);
}

static void one_read_from_a_pipe_takes_what_is_there(void **state)
{
	(void)state;
	assert_same_as_native(&(struct run_opts){ .in = "0123456789" }, LIST(STDIO, "read", "4"));
	assert_same_as_native(&(struct run_opts){ .in = "0123456789" }, LIST(STDIO, "read", "1000000"));
	assert_same_as_native(&(struct run_opts){ .in = "0123456789" }, LIST(STDIO, "read", "0"));
}

static void a_thousand_pieces_are_gathered_and_scattered(void **state)
{
	char *in = tree_path(dir, "pieces"), *data = mixed_data(400000);

	(void)state;
	tree_file(dir, "pieces", data, 400000);
	assert_same_as_native(NULL, LIST(STDIO, "writev"));
	assert_same_as_native(&(struct run_opts){ .in_file = in }, LIST(STDIO, "readv"));
	free(data);
	free(in);
}

/* ------------------------------------------------ closed and broken streams */

static void closed_streams_are_closed_for_the_program(void **state)
{
	(void)state;
	for (unsigned int mask = 0; mask < 8; mask++) {
		struct run_result r = run_kvmrun_opts(&(struct run_opts){ .closed = mask }, LIST(STDIO, "closed"));

		assert_status(&r, mask);
		assert_out(&r, "");
		assert_err(&r, "");
		run_free(&r);
	}
}

static void a_closed_number_is_the_next_to_be_opened(void **state)
{
	static const struct { unsigned int closed; int fd; } cases[] = {
		{ 0, 3 }, { CLOSE_STDIN, 0 }, { CLOSE_STDOUT, 1 }, { CLOSE_STDERR, 2 },
		{ CLOSE_STDOUT | CLOSE_STDERR, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run_result r = run_kvmrun_opts(&(struct run_opts){ .closed = cases[i].closed },
						      LIST(STDIO, "lowest"));

		assert_status(&r, cases[i].fd);
		run_free(&r);
	}
}

/* With stderr closed its number goes to the first file that is opened. */
static void the_program_may_be_one_of_the_descriptors(void **state)
{
	(void)state;
	assert_shell("exec 7< build/guest/hello; $K /dev/fd/7; $K /dev/fd/7 <&-", "hello, world\nhello, world\n");
}

static void messages_never_go_into_another_file(void **state)
{
	(void)state;
	assert_shell("$K /no/such 2>&-; echo $?", "127\n");
	assert_shell("$K --timeout=$T " STDIO " wait 2>&- > $D/m; echo $?; cat $D/m", "124\nready\n");
	assert_shell("$K --timeout=$T " STDIO " wait >&- 2>&- <&-; echo $?", "124\n");
	assert_shell("mkdir -p $D/g; $K --rw $D/g:/g --explain --stats --trace busybox sh -c "
		     "'echo text > /g/f; echo more 2>/g/e; cat < /etc/none; exit 3' 2>&-; echo $?; cat $D/g/f; wc -c < $D/g/e",
		     "more\n3\ntext\n0\n");
}

static void a_broken_pipe_kills_or_is_told(void **state)
{
	struct run_result r;

	(void)state;
	r = run_same(NULL, LIST(STDIO, "pipe", "default"));
	assert_int_equal(r.signal, SIGPIPE);
	run_free(&r);
	r = run_same(NULL, LIST(STDIO, "pipe", "ignore"));
	assert_status(&r, 0);
	assert_out(&r, "-1 EPIPE\n");
	run_free(&r);
	assert_shell("{ $K " STDIO " pipe stdout; echo $? > $D/s; } | head -c 1; cat $D/s", "x141\n");
}

/* ------------------------------------------------ descriptors beyond 2 */

static void threat_15_other_descriptors_are_not_in_the_guest(void **state)
{
	int fds[32], high = fcntl(0, F_DUPFD, 900);
	struct run_result r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = open("/etc/passwd", O_RDONLY);
	assert_true(high >= 900);
	r = run_kvmrun(NULL, LIST(STDIO, "inherited"));
	assert_status(&r, 0);
	assert_out(&r, "");
	run_free(&r);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(high);
}

static void threat_15_other_descriptors_are_not_kept_open(void **state)
{
	int fd[2];
	struct running *run;
	struct run_result r;
	struct pollfd p;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	run = run_start_kvmrun(NULL, LIST(STDIO, "wait"));
	close(fd[1]);
	assert_true(run_wait_for(run, "ready\n"));
	/* the pipe's last writer is gone although kvmrun is running */
	p = (struct pollfd){ .fd = fd[0], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_true(p.revents & POLLHUP);
	close(fd[0]);
	kill(run_pid(run), SIGTERM);
	r = run_finish(run);
	assert_status(&r, 128 + SIGTERM);
	run_free(&r);
}

/* ------------------------------------------------ flags and terminals */

static void the_streams_flags_stay_as_they_were(void **state)
{
	int fd[2];
	struct run_result r;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		pid_t pid;
		int status;

		assert_int_equal(fcntl(fd[0], F_SETFL, flags), 0);
		fflush(NULL);
		pid = fork();
		if (pid == 0) {
			dup2(fd[0], 0);
			dup2(open("/dev/null", O_WRONLY), 1);
			execlp("/bin/busybox", "busybox", "sh", "-c", "exec $K -- " STDIO " flags", NULL);
			_exit(99);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(fcntl(fd[0], F_GETFL) & O_NONBLOCK, flags);
	}
	close(fd[0]);
	close(fd[1]);
	r = run_same(NULL, LIST(STDIO, "flags"));
	assert_status(&r, 0);
	run_free(&r);
}

static void a_read_that_must_not_wait_does_not(void **state)
{
	static const char script[] =
		"import os, subprocess, sys\n"
		"r, w = os.pipe(); os.set_blocking(r, False)\n"
		"p = subprocess.run(sys.argv[1:], stdin=r, stdout=subprocess.PIPE)\n"
		"print(p.returncode, p.stdout.decode().splitlines()[-1], os.get_blocking(r))\n";
	const char *kvmrun = getenv("KVMRUN") ? getenv("KVMRUN") : "./kvmrun";
	struct run_result r = run(NULL, LIST("python3", "-c", script, kvmrun, "--", STDIO, "flags"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "0 read -1 EAGAIN False\n");
	run_free(&r);
}

/* One run on a new terminal of 31 rows and 97 columns. */
static struct run_result on_terminal(bool guest, struct termios *after)
{
	struct winsize size = { .ws_row = 31, .ws_col = 97 };
	struct run_opts opts = { 0 };
	struct run_result r;
	char name[64];
	int master, slave;

	assert_int_equal(openpty(&master, &slave, name, NULL, &size), 0);
	opts.in_file = name;
	r = guest ? run_kvmrun_opts(&opts, LIST(STDIO, "tty")) : run_native(&opts, LIST(STDIO, "tty"));
	memset(after, 0, sizeof(*after));	/* its padding, for the comparison */
	assert_int_equal(tcgetattr(slave, after), 0);
	close(master);
	close(slave);
	return r;
}

static void a_terminal_is_one_for_the_program_too(void **state)
{
	struct termios after_native, after_guest;
	struct run_result native = on_terminal(false, &after_native), guest = on_terminal(true, &after_guest);

	(void)state;
	assert_same(&native, &guest, false);
	assert_status(&guest, 0);
	assert_non_null(strstr(guest.out, "isatty 1 0 0\nsize 0 31 97\n"));
	assert_non_null(strstr(guest.out, "raw 1\r\n"));
	assert_memory_equal(&after_native, &after_guest, sizeof(after_native));
	run_free(&native);
	run_free(&guest);
}

static void all_three_streams_may_be_one_terminal(void **state)
{
	struct run_result r = shell("script -qec \"$K " STDIO " tty\" /dev/null < /dev/null");

	(void)state;
	assert_status(&r, 0);
	assert_non_null(strstr(r.out, "isatty 1 1 1\r\n"));
	assert_non_null(strstr(r.out, "raw 1\r\n"));
	run_free(&r);
}

static void the_interrupt_key_reaches_the_program(void **state)
{
	/* typed once the program waits for it */
	struct run_result r = shell("{ i=0; until grep -q ready $D/typescript || [ $((i += 1)) -gt 900 ]; do sleep 0.2; done 2> /dev/null; "
				    "printf '\\003'; } | script -qfec \"$K --timeout 200 " STDIO " wait\" $D/typescript");

	(void)state;
	assert_status(&r, 130);
	assert_non_null(strstr(r.out, "ready\r\n"));
	run_free(&r);
}

static int set_up(void **state)
{
	(void)state;
	dir = tree_new();
	setenv("K", getenv("KVMRUN") ? getenv("KVMRUN") : "./kvmrun", 1);
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
		cmocka_unit_test(a_mebibyte_passes_unchanged_through_pipes),
		cmocka_unit_test(a_mebibyte_passes_unchanged_from_file_to_file),
		cmocka_unit_test(redirections_append_read_and_write_as_without_kvmrun),
		cmocka_unit_test(kvmruns_compose_in_a_pipeline),
		cmocka_unit_test(one_big_write_to_a_pipe_is_complete),
		cmocka_unit_test(one_big_write_to_a_file_is_complete),
		cmocka_unit_test(one_read_from_a_pipe_takes_what_is_there),
		cmocka_unit_test(a_thousand_pieces_are_gathered_and_scattered),
		cmocka_unit_test(closed_streams_are_closed_for_the_program),
		cmocka_unit_test(a_closed_number_is_the_next_to_be_opened),
		cmocka_unit_test(the_program_may_be_one_of_the_descriptors),
		cmocka_unit_test(messages_never_go_into_another_file),
		cmocka_unit_test(a_broken_pipe_kills_or_is_told),
		cmocka_unit_test(threat_15_other_descriptors_are_not_in_the_guest),
		cmocka_unit_test(threat_15_other_descriptors_are_not_kept_open),
		cmocka_unit_test(the_streams_flags_stay_as_they_were),
		cmocka_unit_test(a_read_that_must_not_wait_does_not),
		cmocka_unit_test(a_terminal_is_one_for_the_program_too),
		cmocka_unit_test(all_three_streams_may_be_one_terminal),
		cmocka_unit_test(the_interrupt_key_reaches_the_program),
	};

	return harness_main(argc, argv, "stdio", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
