/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of a process, and of the last one. */
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "call.h"
#include "cpulimit.h"
#include "end.h"
#include "fdtable.h"
#include "interrupt.h"
#include "ipc.h"
#include "limit.h"
#include "logfile.h"
#include "msg.h"
#include "nsec.h"
#include "options.h"
#include "output.h"
#include "pidfd.h"
#include "process.h"
#include "process_table.h"
#include "stats.h"
#include "task.h"
#include "thread.h"
#include "trace.h"
#include "vm.h"

void process_end_all(void)
{
	if (!procs)
		return;
	proc_lock();
	procs->ending = true;
	for (uint32_t i = 0; i < proc_used(); i++)
		if (proc_alive(&procs->process[i]))
			proc_wake(&procs->process[i]);
	proc_unlock();
}

/* It is the whole program that has no memory, or output, left: all of it ends, and one process tells. */
static bool first_at_limit(enum end_cause cause)
{
	bool first = true;

	if (!procs)
		return true;
	proc_lock();
	first = !procs->limit;
	if (first)
		procs->limit = cause;
	proc_unlock();
	process_end_all();
	return first;
}

/* One line for what the program itself cannot have told; --trace's last one. */
static void report(struct end end)
{
	if (call_trace_fd >= 0 && (end.cause == END_EXIT || end.signal))
		trace_exit(call_trace_fd, end.status, end.signal);
	if (end.cause == END_TIMEOUT)
		interrupt_limit_report();
	else if (end.cause == END_CPU_TIME)
		cpulimit_report();
	else if (end.cause == END_OUTPUT && first_at_limit(end.cause))
		output_report();
	else if (end.cause == END_MEMORY && first_at_limit(end.cause))
		msg("%s: killed: no memory left of %llu MiB; raise --mem", proc_vm->program,
		    (unsigned long long)(proc_vm->config->mem_bytes >> 20));
}

static bool others_live(void)
{
	bool any = false;

	proc_lock();
	for (uint32_t i = 0; i < proc_used(); i++)
		any |= proc_alive(&procs->process[i]);
	proc_unlock();
	return any;
}

bool process_has_others(void)
{
	return procs != NULL;
}

bool process_at_limit(void)
{
	return procs && __atomic_load_n(&procs->limit, __ATOMIC_SEQ_CST);
}

/* What it had is given back, and its parent is told. */
static void leave(struct end end)
{
	struct rusage usage;

	/* what remains of the first one still has messages to write */
	fd_close_range(process_is_child() ? 0 : 3, UINT32_MAX, false);
	ipc_bury(proc_self->pid, proc_self - procs->process, true);
	getrusage(RUSAGE_SELF, &usage);
	proc_lock();
	proc_left = true;
	if (process_is_child())
		procs->user_ns += ns_of_timeval(usage.ru_utime);
	proc_usage_add(&usage, &proc_children);
	proc_self->usage = usage;
	task_keep(proc_self);
	if (process_is_child()) {
		stats_sum()->processes++;
		procs->cpu_ns += clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		stats_add(&procs->counts, stats_sum());
	}
	proc_bury(proc_self, end.signal ? end.signal : end.status << 8);
	if (!process_is_child())
		pidfd_first_over();
	proc_unlock();
}

/* The program's first process is over: until others are. Signals go to them. */
static void linger(struct end *end)
{
	struct abi_signal sig;
	bool told = end->cause == END_TIMEOUT || end->cause == END_CPU_TIME;
	uint32_t seen;

	threads_stop();
	/* nobody needs its memory any more */
	madvise(proc_vm->ram, proc_vm->ram_size, MADV_DONTNEED);
	if (told)
		process_end_all();
	for (; seen = __atomic_load_n(&proc_self->wake, __ATOMIC_SEQ_CST), others_live();) {
		while (interrupt_fetch(&sig, 1))
			process_kill(-1, (siginfo_t *)&sig);
		if (interrupt_limit_passed() && !told) {
			told = true;
			interrupt_limit_report();
			*end = (struct end){ END_TIMEOUT, KVMRUN_TIMEOUT, 0 };
			process_end_all();
		}
		if (cpulimit_passed() && !told) {
			told = true;
			cpulimit_report();
			*end = (struct end){ END_CPU_TIME, KVMRUN_TIMEOUT, 0 };
			process_end_all();
		}
		if (procs->limit && !told)
			*end = (struct end){ procs->limit, 128 + SIGKILL, SIGKILL };
		syscall(SYS_futex, &proc_self->wake, FUTEX_WAIT, seen, NULL);
	}
}

static volatile bool finishing;

bool process_finishing(void)
{
	return finishing;
}

_Noreturn void process_finish(void)
{
	struct end end = end_get();

	finishing = true;
	interrupt_run_over();
	report(end);
	stats_gather(proc_vm);
	if (procs) {
		leave(end);
		if (process_is_child())
			_exit(end.status);
		linger(&end);
		stats_add(stats_sum(), &procs->counts);
	}
	limits_report(end.status && (end.cause == END_EXIT || end.cause == END_SIGNAL));
	stats_write(proc_vm, end);
	logfile_close(call_trace_fd);
	/* no atexit(): the kernel takes the VM down faster than anyone */
	_exit(end.status);
}
