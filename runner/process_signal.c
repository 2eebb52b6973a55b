/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals between the program's processes, and their stops; kill(2), signal(7). */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "end.h"
#include "interrupt.h"
#include "process.h"
#include "process_table.h"
#include "task.h"
#include "thread.h"
#include "watcher.h"

int proc_post(struct process *p, const siginfo_t *info)
{
	if (info->si_signo < FIRST_RT)
		for (unsigned int i = 0; i < p->count; i++)
			if (p->queue[(p->head + i) % SIGNALS].si_signo == info->si_signo)
				return 0;
	if (p->count == SIGNALS)
		return -EAGAIN;
	p->queue[(p->head + p->count++) % SIGNALS] = *info;
	proc_wake(p);
	return 0;
}

static bool meant(const struct process *p, int pid)
{
	if (p->state == FREE)
		return false;
	if (pid > 0)
		return p->pid == pid;
	if (pid == -1)
		return p != proc_self;
	return p->pgid == (pid ? -pid : proc_self->pgid);
}

void process_signal_self(const siginfo_t *info)
{
	if (info->si_signo)
		interrupt_post(info);
}

/* It stands still on the host, where it cannot look at the table. */
static bool first_stands(const struct process *p, int sig)
{
	return p == procs->process && p != proc_self && p->stopped && (sig == SIGCONT || sig == SIGKILL);
}

int process_kill(int pid, const siginfo_t *info)
{
	bool first = false;
	int ret = -ESRCH;

	if (!procs)
		return -ESRCH;
	proc_lock();
	for (uint32_t i = 0; i < proc_used(); i++) {
		struct process *p = &procs->process[i];
		int err = 0;

		if (!meant(p, pid))
			continue;
		if (info->si_signo && proc_alive(p)) {
			first |= first_stands(p, info->si_signo);
			if (p == proc_self)
				interrupt_post(info);
			else if (info->si_signo != SIGCONT || !first_stands(p, SIGCONT))
				err = proc_post(p, info);
		}
		if (ret == -ESRCH || !err)
			ret = err;
	}
	proc_unlock();
	if (first)
		process_continue_first();
	return ret;
}

/* SIGCHLD's, for what wait4(2) would tell. */
void process_child_info(siginfo_t *info, int pid, int status)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = SIGCHLD;
	info->si_pid = pid;
	info->si_uid = process_uid();
	if (WIFEXITED(status)) {
		info->si_code = CLD_EXITED;
		info->si_status = WEXITSTATUS(status);
	} else if (WIFSIGNALED(status)) {
		info->si_code = CLD_KILLED;
		info->si_status = WTERMSIG(status);
	} else if (WIFSTOPPED(status)) {
		info->si_code = CLD_STOPPED;
		info->si_status = WSTOPSIG(status);
	} else {
		info->si_code = CLD_CONTINUED;
		info->si_status = SIGCONT;
	}
}

void proc_tell_parent(const struct process *p, int signal, int status)
{
	struct process *parent = proc_find(p->ppid);
	siginfo_t info;

	if (!parent || !proc_alive(parent))
		return;
	process_child_info(&info, p->pid, status);
	info.si_signo = signal;
	info.si_utime = p->usage.ru_utime.tv_sec * 100 + p->usage.ru_utime.tv_usec / 10000;
	info.si_stime = p->usage.ru_stime.tv_sec * 100 + p->usage.ru_stime.tv_usec / 10000;
	if (signal)
		proc_post(parent, &info);
	proc_wake(parent);
}

/* SIGKILL: the vCPUs are not asked. */
void proc_end_now(void)
{
	/* its vCPUs, if they stand still, may have looked too early */
	if (end_program(END_SIGNAL, 128 + SIGKILL, SIGKILL))
		proc_wake(proc_self);
	threads_stop();
}

/* The signals that others have sent. With the lock held. */
void proc_take_posted(void)
{
	const struct abi_boot *boot = proc_boot();

	for (; proc_self->count; proc_self->count--) {
		const siginfo_t *info = &proc_self->queue[proc_self->head];

		/* no handler, no mask: it need not be asked */
		if (info->si_signo == SIGKILL)
			proc_end_now();
		if (!(info->si_signo == SIGCHLD && info->si_code >= CLD_STOPPED && boot->nocldstop))
			interrupt_post(info);
		proc_self->head = (proc_self->head + 1) % SIGNALS;
		/* who waits for SIGCONT looks when it is there */
		proc_wake(proc_self);
	}
}

/* ------------------------------------------------------------------------- stops */

static volatile bool halted;

bool process_halted(void)
{
	return halted;
}

void process_halt(void)
{
	uint32_t seen;

	while (seen = __atomic_load_n(&proc_self->wake, __ATOMIC_SEQ_CST), halted && !ended())
		syscall(SYS_futex, &proc_self->wake, FUTEX_WAIT, seen, NULL);
}

static void set_stopped(int sig)
{
	proc_lock();
	if (sig)
		task_keep(proc_self);
	proc_self->stopped = sig;
	proc_self->stop_told = false;
	proc_self->continued = !sig;
	proc_tell_parent(proc_self, SIGCHLD, sig ? sig << 8 | 0x7f : 0xffff);
	proc_unlock();
}

/* On the host, for who has started kvmrun to see. */
static int stop_first(int sig)
{
	struct watcher watcher;
	int ret;

	watcher_begin(&watcher);
	ret = interrupt_stop(sig);
	watcher_end(&watcher);
	return ret;
}

int process_stop(int sig)
{
	int ret = 0;

	if (!procs)
		return stop_first(sig);
	set_stopped(sig);
	if (!process_is_child()) {
		ret = stop_first(sig);
	} else {
		/* no other process could send it the host's SIGCONT: its vCPUs stand still */
		halted = true;
		threads_stop();
		for (uint32_t seen; seen = __atomic_load_n(&proc_self->wake, __ATOMIC_SEQ_CST),
		     !interrupt_is_waiting(SIGCONT) && !ended();)
			syscall(SYS_futex, &proc_self->wake, FUTEX_WAIT, seen, NULL);
		halted = false;
		proc_wake(proc_self);
	}
	/* SIGKILL is no end of the stop */
	if (!ended())
		set_stopped(0);
	if (!process_is_child())
		task_go_on();
	return ret;
}
