/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "call.h"
#include "check.h"
#include "cpulimit.h"
#include "device.h"
#include "elf_image.h"
#include "exec.h"
#include "fdtable.h"
#include "interrupt.h"
#include "jail.h"
#include "limit.h"
#include "load.h"
#include "logfile.h"
#include "msg.h"
#include "net.h"
#include "options.h"
#include "output.h"
#include "path.h"
#include "policy.h"
#include "proc.h"
#include "process.h"
#include "program.h"
#include "rlimit.h"
#include "signalfd.h"
#include "stats.h"
#include "sys.h"
#include "terminal.h"
#include "thread.h"
#include "trace_line.h"
#include "vcpu.h"
#include "vm.h"

static void open_trace(const struct config *config)
{
	if (!config->trace)
		return;
	trace_init();
	call_trace_fd = STDERR_FILENO;
	if (!config->trace_file)
		return;
	call_trace_fd = logfile_open(config, config->trace_file, "--trace");
}

/* The guest's working directory; a default that the grants do not reach is "/". */
static void enter_cwd(const struct config *config)
{
	if (path_start(config->cwd) == 0)
		return;
	if (config->cwd_given)
		die(KVMRUN_FAILED, "%s: cannot be the --cwd: %m; grant it by --ro or --rw", config->cwd);
	if (path_start("/") < 0)
		die(KVMRUN_FAILED, "cannot start in /: %m");
}

int main(int argc, char **argv)
{
	static struct config config;
	static struct program program;
	static struct vm vm;
	static struct vcpu vcpu;
	static char path[PATH_MAX];
	char why[512];
	const char *device_path;
	int device;

	options_parse(argc, argv, &config);
	if (config.check)
		return check_machine(config.device);
	stats_start();
	/* it may be one of the descriptors that are closed next: /dev/fd/N */
	program.fd = program_open(&config, path, sizeof(path));
	fdtable_init(program.fd);
	output_init(&config);
	if (elf_parse(program.fd, &program.elf, why, sizeof(why)) < 0)
		die(KVMRUN_NOEXEC, "%s: %s", path, why);
	vm.program = path;
	policy_init(&config);
	net_init(&config);
	pty_init();
	enter_cwd(&config);
	if (exec_open_interpreter(&program, why, sizeof(why)) < 0)
		die(KVMRUN_NOEXEC, "%s: its interpreter %s %s", path, program.elf.interp, why);
	stats_open(&config);
	open_trace(&config);
	rlimits_init(&config);
	device = device_open(config.device, &device_path);
	vm_create(&vm, &config, device, device_path);
	limits_init(&vm);
	load(&vm, &program);
	exec_init(program.fd, path);
	if (program.interp_fd >= 0)
		close(program.interp_fd);
	vcpu_first(&vcpu, &vm);
	threads_init(&vcpu);
	timers_init();
	signalfd_init(&vm);
	process_init(&vm);
	proc_init();
	interrupt_init(&vm);
	jail_enter(&config);
	cpulimit_start(&vm);
	vcpu_run(&vcpu);
	process_finish();
}
