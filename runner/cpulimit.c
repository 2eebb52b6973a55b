/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thread of the first process adds up the CPU clocks of all. Nobody can use more of
 * CPUs than there are, so it sleeps as long as all of them would need for what is left:
 * a few looks at ever shorter intervals, and the last one is not late.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "cpulimit.h"
#include "end.h"
#include "msg.h"
#include "nsec.h"
#include "options.h"
#include "process.h"
#include "stats.h"
#include "thread.h"
#include "vm.h"

#define LOOK_NS		5000000u	/* no more often than that */
#define GRACE_NS	200000000u	/* from the limit to an end by force */

static const struct vm *vm;
static uint64_t limit;
static volatile bool passed;

bool cpulimit_passed(void)
{
	return passed;
}

bool cpulimit_due(void)
{
	return limit && process_cpu_seen() >= limit;
}

void cpulimit_report(void)
{
	unsigned long long ms = limit / 1000000;
	bool whole = ms % 1000 == 0;
	static struct msg_once told;

	/* who watches and the run loop may be here at once, and both go on to the end of the process */
	if (!msg_first(&told))
		return;
	msg("%s: CPU time limit of %llu%s reached (--cpu-time)", vm->program, whole ? ms / 1000 : ms, whole ? "s" : "ms");
	msg_said(&told);
}

static void nap(uint64_t ns)
{
	struct timespec t = timespec_of(ns);

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static void *watch(void *unused)
{
	uint64_t used, share;

	(void)unused;
	while ((used = process_cpu_ns()) < limit) {
		share = (limit - used) / vm->ncpus;
		nap(share > LOOK_NS ? share : LOOK_NS);
	}
	passed = true;
	end_program(END_CPU_TIME, KVMRUN_TIMEOUT, 0);
	/* the run loops see it, or, after the first process's end, who waits for the others */
	threads_stop();
	process_look();
	nap(GRACE_NS);
	if (process_finishing())
		return NULL;
	cpulimit_report();
	if (stats_forced(vm->program, end_get(), process_cpu_ns()))
		_exit(KVMRUN_TIMEOUT);
	return NULL;
}

void cpulimit_start(const struct vm *of)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	int err;

	vm = of;
	limit = vm->config->cpu_ns;
	if (!limit)
		return;
	/* signals are for the vCPUs' threads */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, watch, NULL);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		die(KVMRUN_FAILED, "no thread for --cpu-time");
}
