/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmrun among other programs: under xargs, timeout and make, many at once,
 * for users with and without the device.
 */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS "build/guest/args"
#define HELLO "build/guest/hello"
#define STDIO "build/guest/stdio"

static char *dir;

/* By bash, $K is kvmrun and $D a temporary directory. */
static struct run_result shell(const char *script)
{
	setenv("K", getenv("KVMRUN") ? getenv("KVMRUN") : "./kvmrun", 1);
	setenv("D", dir, 1);
	return run(&(struct run_opts){ .deadline = 300 }, LIST("/bin/bash", "-c", script));
}

static void assert_shell(const char *script, int status, const char *out)
{
	struct run_result r = shell(script);

	assert_status(&r, status);
	assert_out(&r, out);
	assert_err(&r, "");
	run_free(&r);
}

static void it_runs_under_xargs(void **state)
{
	(void)state;
	assert_shell("seq 40 | xargs -P4 -n1 $K busybox echo | sort -n | cmp - <(seq 40); echo $?", 0, "0\n");
	assert_shell("seq 4 | xargs -P2 -n1 $K " ARGS " exit; echo $?", 0, "123\n");
}

static void it_runs_under_timeout_which_ends_it(void **state)
{
	(void)state;
	assert_shell("timeout 60 $K " HELLO, 0, "hello, world\n");
	/* the guest dies of the signal that timeout sent, and timeout says 124 */
	assert_shell("timeout 0.5 $K " STDIO " wait > /dev/null; echo $?; "
		     "timeout -s INT --preserve-status 0.5 $K " STDIO " wait > /dev/null; echo $?", 0, "124\n130\n");
	assert_shell("{ timeout -s KILL 0.5 $K " STDIO " wait > /dev/null; echo $?; } 2> /dev/null", 0, "137\n");
}

static void it_is_a_wrapper_for_tests_of_make(void **state)
{
	(void)state;
	/* as CMAKE_CROSSCOMPILING_EMULATOR, meson's exe_wrapper and TESTS_ENVIRONMENT use it */
	tree_file(dir, "Makefile", "check: one two three\none:\n\t@$(WRAPPER) " ARGS " exit 0\n"
		  "two:\n\t@$(WRAPPER) " HELLO "\nthree:\n\t@$(WRAPPER) " ARGS " exit 3\n", 0);
	assert_shell("make -s -f $D/Makefile WRAPPER=\"$K --timeout 60\" check 2> $D/err; echo $?; "
		     "grep -c 'Error 3' $D/err", 0, "hello, world\n2\n1\n");
	assert_shell("find README.md -exec $K busybox echo {} \\;; env -i $K " ARGS " env | tr '\\0' '\\n'", 0,
		     "README.md\nPATH=/usr/local/bin:/usr/bin:/bin\n");
	assert_shell("nice $K " ARGS " exit 4; echo $?; (exec $K " ARGS " exit 5); echo $?; "
		     "$K " ARGS " exit 6 & wait $!; echo $?", 0, "4\n5\n6\n");
}

static void fifty_at_once_are_all_right(void **state)
{
	struct run_result r = shell("for i in $(seq 50); do { $K " ARGS " argv $i; echo $?; } > $D/out$i 2>&1 & done; wait; "
				    "for i in $(seq 50); do tr '\\0' ' ' < $D/out$i; done");
	char *want = NULL;
	size_t len;
	FILE *f = open_memstream(&want, &len);

	(void)state;
	for (int i = 1; i <= 50; i++)
		fprintf(f, ARGS " argv %d 0\n", i);
	fclose(f);
	assert_status(&r, 0);
	assert_out(&r, want);
	run_free(&r);
	free(want);
}

static void many_in_a_row_leave_nothing_behind(void **state)
{
	(void)state;
	/* a /tmp of its own each time, in a directory that nobody else uses */
	assert_shell("mkdir $D/tmp; export TMPDIR=$D/tmp; for i in $(seq ${KVMRUN_TEST_SLOW:+55} 60); do "
		     "$K --tmp busybox sh -c 'echo x > /tmp/x && exit 9'; [ $? = 9 ] || exit 1; done; "
		     "ls -A $D/tmp", 0, "");
}

/* ------------------------------------------------ other users */

/* A command as nobody, with the capabilities of nobody; $K and its programs are where it may read them. */
#define AS_NOBODY "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all -- "

static void share_programs(void)
{
	assert_shell("cp -f $K " HELLO " " ARGS " $D/; chmod 755 $D $D/kvmrun $D/hello $D/args", 0, "");
}

static bool is_root(void)
{
	return geteuid() == 0;
}

static void a_user_with_the_device_needs_no_root(void **state)
{
	struct run_result r;

	(void)state;
	if (!is_root()) {
		print_message("this is how the tests run anyway\n");
		skip();
	}
	share_programs();
	/* a node of our own: that of the machine stays as it is */
	r = shell("dev=$(ls /dev/kvmrun /dev/kvm 2> /dev/null | head -n 1); "
		  "mknod -m 666 $D/kvm c $((0x$(stat -c %t $dev))) $((0x$(stat -c %T $dev))) && "
		  AS_NOBODY "$D/kvmrun --device $D/kvm $D/hello && "
		  AS_NOBODY "$D/kvmrun --device $D/kvm --ro /etc/passwd busybox head -n 1 /etc/passwd && "
		  AS_NOBODY "$D/kvmrun --device $D/kvm --ro /etc busybox cat /etc/shadow; echo $?; "
		  AS_NOBODY "$D/kvmrun --device $D/kvm --ro /etc busybox sh -c 'cd /etc; > passwd; > new; mkdir /new; test -w / || echo closed'; "
		  AS_NOBODY "$D/kvmrun --device $D/kvm busybox sh -c 'kill -0 1; kill -0 2 && echo mine'; "
		  AS_NOBODY "$D/kvmrun --device $D/kvm --ro /etc/shadow $D/hello; "
		  AS_NOBODY "$D/kvmrun --device $D/kvm $D/args auxv | grep -E 'AT_E?[UG]ID'");
	assert_status(&r, 0);
	assert_out(&r, "hello, world\nroot:x:0:0:root:/root:/bin/bash\n1\nclosed\nmine\nhello, world\n"
		   "AT_UID 0xfffe\nAT_EUID 0xfffe\nAT_GID 0xfffe\nAT_EGID 0xfffe\n");
	assert_err(&r, "cat: can't open '/etc/shadow': Permission denied\n"
		   "sh: can't create passwd: Permission denied\nsh: can't create new: Permission denied\n"
		   "mkdir: can't create directory '/new': Permission denied\n"
		   "sh: can't kill pid 1: Operation not permitted\n");
	run_free(&r);
}

/* Natively, too, where nothing else is the user's. */
static void a_users_processes_and_threads_are_as_many_as_its_limit(void **state)
{
#define OUT "set: 0\nno other process: EAGAIN\nno thread: EAGAIN\nset: 0\na thread: 0\nits fork: EAGAIN\none more: EAGAIN\n" \
	"one more thread: EAGAIN\nwhile it is a zombie: EAGAIN\nthen: 7\ntwo that have ended made room\n"
	(void)state;
	if (!is_root()) {
		assert_shell("$K build/guest/limits tasks", 0, OUT);
		return;
	}
	share_programs();
	assert_shell("cp -f build/guest/limits $D/ && chmod 755 $D/limits && " AS_NOBODY "$D/limits tasks", 0, OUT);
	assert_shell("dev=$(ls /dev/kvmrun /dev/kvm 2> /dev/null | head -n 1); rm -f $D/kvm; "
		     "mknod -m 666 $D/kvm c $((0x$(stat -c %t $dev))) $((0x$(stat -c %T $dev))) && "
		     AS_NOBODY "$D/kvmrun --device $D/kvm $D/limits tasks", 0, OUT);
#undef OUT
}

static void a_user_without_the_device_is_told_what_to_do(void **state)
{
	struct run_result r;

	(void)state;
	if (!is_root()) {
		print_message("needs root, to become another user\n");
		skip();
	}
	share_programs();
	r = shell("rm -f $D/kvm; mknod -m 600 $D/kvm c 10 232; " AS_NOBODY "$D/kvmrun --device $D/kvm $D/hello");
	assert_status(&r, 125);
	assert_out(&r, "");
	assert_err_line(&r, "permission denied to nobody");
	assert_err_line(&r, "mode 0600");
	run_free(&r);
}

static void a_program_that_may_not_be_read_is_126(void **state)
{
	struct run_result r;

	(void)state;
	if (!is_root()) {
		print_message("needs root, to become another user\n");
		skip();
	}
	share_programs();
	r = shell("chmod 711 $D/hello; " AS_NOBODY "$D/kvmrun $D/hello");
	assert_status(&r, 126);
	assert_out(&r, "");
	assert_err_line(&r, "hello: cannot be run: permission denied; check it with ls -l");
	run_free(&r);
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
		cmocka_unit_test(it_runs_under_xargs),
		cmocka_unit_test(it_runs_under_timeout_which_ends_it),
		cmocka_unit_test(it_is_a_wrapper_for_tests_of_make),
		cmocka_unit_test(fifty_at_once_are_all_right),
		cmocka_unit_test(many_in_a_row_leave_nothing_behind),
		cmocka_unit_test(a_user_with_the_device_needs_no_root),
		cmocka_unit_test(a_users_processes_and_threads_are_as_many_as_its_limit),
		cmocka_unit_test(a_user_without_the_device_is_told_what_to_do),
		cmocka_unit_test(a_program_that_may_not_be_read_is_126),
	};

	return harness_main(argc, argv, "compose", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
