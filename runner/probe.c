/* SPDX-License-Identifier: GPL-2.0-only */
/* What --check asks of the VM code: boot the shim, without a program, to see how it runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "elf_image.h"
#include "end.h"
#include "load.h"
#include "options.h"
#include "vcpu.h"
#include "vm.h"

static const char *const how[] = {
	[0] = "the shim did not boot",
	[ABI_MODE_KERNEL] = "arrives at CPL 0, as on hardware: the shim runs there",
	[ABI_MODE_USER] = "arrives at CPL 3, a software hypervisor's way: the shim runs there, each call is slower",
};

/* Runs until the shim says that it has booted; the parts it takes end the process when they fail. */
static enum abi_mode boot(int device)
{
	static struct program no_program = { .fd = -1, .elf.align = ABI_PAGE };
	static char *none[] = { NULL };
	static struct config config = { .mem_bytes = 1 << 20, .argv = none, .env = none };
	static struct vm vm = { .program = "the probe" };
	static struct vcpu vcpu;

	vm_create(&vm, &config, device, "the device");
	load(&vm, &no_program);
	vcpu_first(&vcpu, &vm);
	vcpu_boot(&vcpu);
	return vm.mode;
}

int probe_syscall_entry(int device, char *buf, size_t n)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(10);
		_exit(boot(device));
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		snprintf(buf, n, "%s", strerror(errno));
		return -1;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) > ABI_MODE_USER || !WEXITSTATUS(status)) {
		snprintf(buf, n, "%s", how[0]);
		return -1;
	}
	snprintf(buf, n, "%s", how[WEXITSTATUS(status)]);
	return 0;
}
