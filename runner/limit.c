/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "limit.h"
#include "msg.h"
#include "options.h"
#include "vm.h"

/* All processes have it. */
static uint64_t *met;
static const struct vm *vm;

static const char *const names[LIMITS] = {
	[LIMIT_MEM] = "mem",	[LIMIT_THREADS] = "threads", [LIMIT_PROCS] = "procs",
	[LIMIT_FDS] = "fds",	[LIMIT_FSIZE] = "fsize",
};

void limits_init(const struct vm *of)
{
	vm = of;
	met = mmap(NULL, LIMITS * sizeof(*met), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (met == MAP_FAILED)
		die(KVMRUN_FAILED, "no memory for counts of limits: %m");
}

void limit_met(enum limit limit, uint64_t times)
{
	if (met)
		__atomic_add_fetch(&met[limit], times, __ATOMIC_RELAXED);
}

void limit_fds_refused(unsigned int fd)
{
	if (vm && fd >= vm->config->fds)
		limit_met(LIMIT_FDS, 1);
}

void limit_fsize_signal(void)
{
	struct rlimit now;

	/* one that the program has set for itself is another one */
	if (vm && vm->config->fsize_bytes && prlimit(0, RLIMIT_FSIZE, NULL, &now) == 0 &&
	    now.rlim_cur == vm->config->fsize_bytes)
		limit_met(LIMIT_FSIZE, 1);
}

void limits_gather(const struct vm *of)
{
	struct abi_boot *boot = guest_ptr(of, ABI_BOOT_GPA, sizeof(*boot));

	/* guest memory: numbers to print, not to trust */
	limit_met(LIMIT_MEM, __atomic_exchange_n(&boot->memory_refused, 0, __ATOMIC_RELAXED));
	limit_met(LIMIT_THREADS, __atomic_exchange_n(&boot->threads_refused, 0, __ATOMIC_RELAXED));
}

const char *limit_name(enum limit limit)
{
	return names[limit];
}

uint64_t limit_count(enum limit limit)
{
	return met ? __atomic_load_n(&met[limit], __ATOMIC_RELAXED) : 0;
}

static void report(enum limit limit)
{
	const struct config *config = vm->config;
	char what[64];

	if (limit == LIMIT_MEM)
		snprintf(what, sizeof(what), "%llu MiB of memory", (unsigned long long)(config->mem_bytes >> 20));
	else if (limit == LIMIT_THREADS && vm->max_threads < config->threads)
		snprintf(what, sizeof(what), "%u threads, which is the hypervisor's,", vm->max_threads);
	else if (limit == LIMIT_THREADS)
		snprintf(what, sizeof(what), "%u threads", config->threads);
	else if (limit == LIMIT_PROCS)
		snprintf(what, sizeof(what), "%u processes", config->procs);
	else if (limit == LIMIT_FDS)
		snprintf(what, sizeof(what), "%u descriptors", config->fds);
	else
		snprintf(what, sizeof(what), "%llu bytes in a file", (unsigned long long)config->fsize_bytes);
	msg("%s: limit of %s reached (--%s)", vm->program, what, names[limit]);
}

void limits_report(bool failed)
{
	for (enum limit limit = 0; limit < LIMITS; limit++)
		if (limit_count(limit) && (failed || vm->config->explain))
			report(limit);
}
