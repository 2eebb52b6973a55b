/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for children, wait4(2). */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "interrupt.h"
#include "load.h"
#include "process.h"
#include "process_table.h"

struct rusage proc_children;

/* What counts is whether a child's end is ignored when it comes: each zombie is judged once. */
void proc_autoreap(void)
{
	const struct abi_boot *boot = proc_boot();

	for (uint32_t i = 0; i < proc_used(); i++) {
		struct process *p = &procs->process[i];

		if (p->state != ZOMBIE || p->ppid != proc_self->pid || p->kept)
			continue;
		if (boot->autoreap)
			p->state = FREE;
		p->kept = true;
	}
}

void proc_usage_add(struct rusage *to, const struct rusage *more)
{
	timeradd(&to->ru_utime, &more->ru_utime, &to->ru_utime);
	timeradd(&to->ru_stime, &more->ru_stime, &to->ru_stime);
	if (to->ru_maxrss < more->ru_maxrss)
		to->ru_maxrss = more->ru_maxrss;
	to->ru_minflt += more->ru_minflt;
	to->ru_majflt += more->ru_majflt;
	to->ru_inblock += more->ru_inblock;
	to->ru_oublock += more->ru_oublock;
	to->ru_nvcsw += more->ru_nvcsw;
	to->ru_nivcsw += more->ru_nivcsw;
}

struct rusage process_children_usage(void)
{
	struct rusage usage = { 0 };

	if (!procs)
		return usage;
	proc_lock();
	usage = proc_children;
	proc_unlock();
	return usage;
}

int process_vfork_wait(int pid)
{
	struct process *p;
	uint32_t seen;
	bool over;

	if (!procs)
		return 0;
	proc_lock();
	p = proc_find(pid);
	over = !p || p->ppid != proc_self->pid || p->executed;
	seen = p ? p->wake : 0;
	proc_unlock();
	if (over)
		return 0;
	interruptible_syscall(SYS_futex, (long)&p->wake, FUTEX_WAIT, seen, 0, 0, 0);
	return -EINTR;
}

static bool waits_for(const struct process *p, int type, int id)
{
	if (p->state == FREE || p->ppid != proc_self->pid)
		return false;
	return type == P_ALL || (type == P_PID && p->pid == id) || (type == P_PGID && p->pgid == id);
}

static bool look_at_living(struct process *p, int options, struct process_waited *w)
{
	if (p->stopped && !p->stop_told && (options & WSTOPPED)) {
		*w = (struct process_waited){ p->pid, p->stopped << 8 | 0x7f, p->usage };
		p->stop_told = !(options & WNOWAIT);
		return true;
	}
	if (p->continued && (options & WCONTINUED)) {
		*w = (struct process_waited){ p->pid, 0xffff, p->usage };
		p->continued = options & WNOWAIT;
		return true;
	}
	return false;
}

/* Looks once: 1 when w is filled, 0 when there is none yet, -ECHILD. */
static int look(int type, int id, int options, struct process_waited *w)
{
	int ret = -ECHILD;

	proc_autoreap();
	for (uint32_t i = 0; i < proc_used(); i++) {
		struct process *p = &procs->process[i];

		if (!waits_for(p, type, id))
			continue;
		ret = 0;
		if (p->state != ZOMBIE && look_at_living(p, options, w))
			return 1;
		if (p->state != ZOMBIE || !(options & WEXITED))
			continue;
		*w = (struct process_waited){ p->pid, p->status, p->usage };
		if (!(options & WNOWAIT)) {
			proc_usage_add(&proc_children, &p->usage);
			p->state = FREE;
		}
		return 1;
	}
	return ret;
}

bool process_child(int pid, uint64_t born)
{
	const struct process *p;
	bool is;

	if (!procs)
		return false;
	proc_lock();
	p = proc_find(pid);
	is = p && p->born == born && p->ppid == proc_self->pid;
	proc_unlock();
	return is;
}

int process_wait(int type, int id, int options, struct process_waited *w)
{
	uint32_t seen;
	int ret;

	memset(w, 0, sizeof(*w));
	if (!procs)
		return -ECHILD;
	if (type == P_PGID && !id)
		id = proc_self->pgid;
	for (;;) {
		proc_lock();
		seen = proc_self->wake;
		/* a child's signal is there before who waits for it knows of its end */
		proc_take_posted();
		ret = look(type, id, options, w);
		proc_unlock();
		if (ret || (options & WNOHANG))
			return ret < 0 ? ret : 0;
		ret = interruptible_syscall(SYS_futex, (long)&proc_self->wake, FUTEX_WAIT, seen, 0, 0, 0);
		if (ret == -EINTR)
			return ret;
	}
}
