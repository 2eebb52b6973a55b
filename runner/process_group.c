/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Process groups and sessions, setpgid(2), setsid(2). The host's are made alike, so that a
 * terminal's keys and its foreground group mean the program's groups.
 */
#include <errno.h>
#include <unistd.h>

#include "load.h"
#include "process.h"
#include "process_table.h"

static int of(int pid, bool session)
{
	const struct process *p;
	int ret;

	proc_lock();
	p = pid ? proc_find(pid) : proc_self;
	ret = !p ? -ESRCH : session ? p->sid : p->pgid;
	proc_unlock();
	return ret;
}

int process_getpgid(int pid)
{
	return procs ? of(pid, false) : GUEST_PID;
}

int process_getsid(int pid)
{
	return procs ? of(pid, true) : GUEST_PID;
}

/* One that is in a group, and in a session unless that is 0; NULL: there is none. */
static struct process *member(int pgid, int sid)
{
	for (uint32_t i = 0; i < proc_used(); i++) {
		struct process *p = &procs->process[i];

		if (p->state != FREE && p->pgid == pgid && (!sid || p->sid == sid))
			return p;
	}
	return NULL;
}

/* Makes p's group on the host what it is here. Whose host parent another process is does it itself: proc_regroup(). */
static void regroup(struct process *p, pid_t to)
{
	if (setpgid(p == proc_self ? 0 : p->host, to == p->host ? 0 : to) == 0) {
		p->host_group = to;
		p->wanted_group = 0;
	} else if (p != proc_self) {
		p->wanted_group = to;
		proc_wake(p);
	}
}

void proc_regroup(void)
{
	if (proc_self->wanted_group)
		regroup(proc_self, proc_self->wanted_group);
	proc_self->wanted_group = 0;
}

/* Linux's checks in its order, kernel/sys.c. */
static int set_group(struct process *p, int pgid)
{
	const struct process *with;

	if (!p)
		return -ESRCH;
	if (p != proc_self) {
		if (p->ppid != proc_self->pid)
			return -ESRCH;
		if (p->sid != proc_self->sid)
			return -EPERM;
		if (p->stranger)
			return -EACCES;
	}
	if (p->sid == p->pid)
		return -EPERM;
	with = member(pgid, proc_self->sid);
	if (pgid != p->pid && !with)
		return -EPERM;
	p->pgid = pgid;
	if (proc_alive(p))
		regroup(p, pgid == p->pid ? p->host : with->host_group);
	return 0;
}

int process_setpgid(int pid, int pgid)
{
	struct process *p;
	int ret;

	if (!procs)
		return -EPERM;
	proc_lock();
	p = pid ? proc_find(pid) : proc_self;
	ret = set_group(p, pgid ? pgid : p ? p->pid : 0);
	proc_unlock();
	return ret;
}

int process_setsid(void)
{
	int ret = -EPERM;

	if (!procs)
		return ret;
	proc_lock();
	if (proc_self->sid != proc_self->pid && !member(proc_self->pid, 0)) {
		proc_self->sid = proc_self->pgid = proc_self->pid;
		proc_self->tty = TTY_NONE;
		if (setsid() >= 0)
			proc_self->host_group = proc_self->host_session = getpgrp();
		ret = proc_self->pid;
	}
	proc_unlock();
	return ret;
}

/* ------------------------------------------------------------------------- the terminal */

/* The first process's, as long as there is no table. */
static int alone = TTY_INHERITED;

int process_tty(void)
{
	return procs ? proc_self->tty : alone;
}

void process_set_tty(int tty)
{
	if (!procs) {
		alone = tty;
		return;
	}
	proc_lock();
	for (uint32_t i = 0; i < proc_used(); i++) {
		struct process *p = &procs->process[i];

		if (p == proc_self || (proc_self->sid == proc_self->pid && p->state != FREE && p->sid == proc_self->sid))
			p->tty = tty;
	}
	proc_unlock();
}

int process_group_on_host(int pgid)
{
	const struct process *p;
	int ret;

	if (!procs)
		return pgid == GUEST_PID ? getpgrp() : -ESRCH;
	proc_lock();
	p = member(pgid, 0);
	ret = !p ? -ESRCH : p->sid != proc_self->sid ? -EPERM : p->host_group;
	proc_unlock();
	return ret;
}

static int from_host(pid_t id, bool session)
{
	int ret = 0;

	if (!procs)
		return id == (session ? getsid(0) : getpgrp()) ? GUEST_PID : 0;
	proc_lock();
	for (uint32_t i = 0; i < proc_used() && !ret; i++) {
		const struct process *p = &procs->process[i];

		if (p->state != FREE && (session ? p->host_session : p->host_group) == id)
			ret = session ? p->sid : p->pgid;
	}
	proc_unlock();
	return ret;
}

int process_group_from_host(pid_t group)
{
	return from_host(group, false);
}

int process_session_from_host(pid_t session)
{
	return from_host(session, true);
}
