/* SPDX-License-Identifier: GPL-2.0-only */
/* test_ptrace.c - a process that is traced, as strace does it, while it uses a KVM device */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define RUNS 100

/* The child: so many port exits, each one KVM_RUN. */
static int run_traced(void)
{
	struct guest g;

	ptrace(PTRACE_TRACEME, 0, 0, 0);
	/* out %al, $0x10; jmp back */
	guest_start(&g, LONG, CODE("\xe6\x10\xeb\xfc"));
	raise(SIGSTOP);
	for (int i = 0; i < RUNS; i++)
		if (guest_run(&g) != KVM_EXIT_IO)
			return 1;
	guest_end(&g);
	return 0;
}

/*
 * Each stop of a tracer takes the CPU from the traced, which leaves it work to do
 * before it may enter a guest: that must get done within KVM_RUN.
 */
static void a_traced_run_is_made_once_and_succeeds(void **state)
{
	unsigned int entries = 0, exits = 0;
	struct user_regs_struct regs;
	int device = guest_device(), status;	/* skips where there is none */
	pid_t pid;

	close(device);
	pid = fork();
	if (!pid)
		_exit(run_traced());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	for (;;) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			break;
		assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80));
		assert_int_equal(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
		if (regs.orig_rax != SYS_ioctl || regs.rsi != KVM_RUN)
			continue;
		if ((long)regs.rax == -ENOSYS) {
			entries++;
		} else {
			exits++;
			assert_int_equal((long)regs.rax, 0);
		}
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(entries, RUNS);
	assert_int_equal(exits, RUNS);
	(void)state;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traced_run_is_made_once_and_succeeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
