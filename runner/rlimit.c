/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fdtable.h"
#include "msg.h"
#include "options.h"
#include "rlimit.h"
#include "vm.h"

static struct abi_limit saved[ABI_LIMITS];
static struct abi_sched saved_sched;
static struct abi_kept saved_kept;

static struct abi_boot *boot_of(struct vm *vm)
{
	return guest_ptr(vm, ABI_BOOT_GPA, sizeof(struct abi_boot));
}

/*
 * The process is the program's, so its limit can be the process's, too. The host's own hard
 * limit stays, but for the CPU's, whose end is SIGKILL on Linux, and that of --fsize, which nobody is to raise.
 */
static int set_on_host(int which, const struct abi_limit *limit, bool lower_hard)
{
	struct rlimit64 now, new;

	if (syscall(SYS_prlimit64, 0, which, NULL, &now) < 0)
		return -errno;
	new = now;
	new.rlim_cur = limit->soft < now.rlim_max ? limit->soft : now.rlim_max;
	if (lower_hard && limit->hard < now.rlim_max)
		new.rlim_max = limit->hard;
	return syscall(SYS_prlimit64, 0, which, &new, NULL) < 0 ? -errno : 0;
}

void rlimits_init(const struct config *config)
{
	const struct abi_limit size = { config->fsize_bytes, config->fsize_bytes };
	unsigned long soft, hard;
	int err;

	fd_get_limit(&soft, &hard);
	if (config->fds < hard)
		fd_set_limit(soft < config->fds ? soft : config->fds, config->fds);
	err = config->fsize_bytes ? set_on_host(RLIMIT_FSIZE, &size, true) : 0;
	if (err)
		die(KVMRUN_FAILED, "cannot set the limit of --fsize: %s", strerror(-err));
}

void rlimits_begin(struct abi_boot *boot, const struct config *config)
{
	struct abi_limit *processes = &boot->limit[RLIMIT_NPROC];
	unsigned long soft, hard;

	fd_get_limit(&soft, &hard);
	boot->limit[RLIMIT_NOFILE] = (struct abi_limit){ soft, hard };
	boot->limit[RLIMIT_FSIZE].soft = boot->limit[RLIMIT_FSIZE].hard =
		config->fsize_bytes ? config->fsize_bytes : RLIM64_INFINITY;
	/* threads count as processes do */
	processes->soft = processes->hard = (uint64_t)config->procs * config->threads;
}

int rlimit_may_be(const struct abi_limit *now, const struct abi_limit *then)
{
	return then->soft > then->hard ? -EINVAL : then->hard > now->hard ? -EPERM : 0;
}

bool rlimit_is_hosts(uint64_t which)
{
	return which == RLIMIT_NOFILE || which == RLIMIT_CPU || which == RLIMIT_FSIZE;
}

int rlimit_changed(struct vm *vm, uint64_t which)
{
	const struct abi_boot *boot = boot_of(vm);
	struct abi_limit limit;

	if (!rlimit_is_hosts(which))
		return -EINVAL;
	memcpy(&limit, &boot->limit[which], sizeof(limit));
	if (limit.soft > limit.hard)
		return -EINVAL;
	if (which == RLIMIT_NOFILE)
		return fd_set_limit(limit.soft, limit.hard);
	return set_on_host(which, &limit, which == RLIMIT_CPU);
}

void rlimits_save(struct vm *vm, const struct abi_frame *frame)
{
	memcpy(saved, boot_of(vm)->limit, sizeof(saved));
	saved_sched = frame->sched;
	saved_kept = boot_of(vm)->kept;
	/* where the new program's stack is, and how far it may grow */
	vm->stack_limit = saved[RLIMIT_STACK].soft;
}

void rlimits_restore(struct vm *vm)
{
	struct abi_boot *boot = boot_of(vm);

	memcpy(boot->limit, saved, sizeof(saved));
	boot->limits_kept = 1;
	((struct abi_frame *)guest_ptr(vm, vm->frame, ABI_FRAME_SIZE))->sched = saved_sched;
	boot->kept = saved_kept;
}
