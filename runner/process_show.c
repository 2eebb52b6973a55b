/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "exec.h"
#include "load.h"
#include "nsec.h"
#include "process.h"
#include "process_show.h"
#include "process_table.h"
#include "thread.h"
#include "vcpu.h"
#include "vm.h"

#define INIT	"init"	/* process 1, whose child the program is */

static uint64_t started;

uint64_t boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

void process_show_init(void)
{
	started = boot_ns();
}

uint64_t process_started(void)
{
	return proc_self && proc_self->started ? proc_self->started : started;
}

/* ------------------------------------------------------------- names */

void process_thread_name(uint32_t tid, char name[16])
{
	const struct vcpu *vcpu = thread_find(tid);

	memset(name, 0, 16);
	if (vcpu && vcpu->frame)
		memcpy(name, vcpu->frame->comm, 15);
	/* the guest's bytes */
	name[15] = '\0';
}

bool process_name_thread(uint32_t tid, const char *name)
{
	struct vcpu *vcpu = thread_find(tid);
	char comm[16] = "";

	if (!vcpu)
		return false;
	strncpy(comm, name, 15);
	memcpy(vcpu->frame->comm, comm, sizeof(comm));
	if (procs)
		process_named();
	return true;
}

void process_named(void)
{
	if (!procs)
		return;
	proc_lock();
	process_thread_name(proc_self->pid, proc_self->comm);
	proc_unlock();
}

/*
 * The guest may have written over its arguments: these are what is there now. Where it has over
 * their end, as setproctitle(3) does, they are one string, over the variables, too, and a page at most.
 */
static size_t own_cmdline(char *to, size_t room)
{
	uint64_t len = proc_vm->args_len, whole = len + proc_vm->env_len;
	const char *last = len ? guest_ptr(proc_vm, proc_vm->args + len - 1, 1) : NULL, *from, *end;
	bool title = last && READ_ONCE(*last);
	size_t n = !title ? len : whole < ABI_PAGE ? whole : ABI_PAGE;

	if (n > room)
		n = room;
	from = last ? guest_ptr(proc_vm, proc_vm->args, n) : NULL;
	if (!from)
		return 0;
	memcpy(to, from, n);
	end = title ? memchr(to, '\0', n) : NULL;
	return end ? (size_t)(end - to) + 1 : n;
}

void proc_show_self(void)
{
	if (proc_left)
		return;
	process_thread_name(proc_self->pid, proc_self->comm);
	proc_self->cmdline_len = own_cmdline(proc_self->cmdline, sizeof(proc_self->cmdline));
	exec_path(proc_self->exe, sizeof(proc_self->exe));
}

static const struct process *other(int pid)
{
	return procs && pid != process_pid() ? proc_find(pid) : NULL;
}

size_t process_cmdline(int pid, char *to, size_t room)
{
	const struct process *p;
	size_t n = 0;

	if (pid == process_pid())
		return own_cmdline(to, room);
	if (pid == GUEST_PPID && room >= sizeof(INIT))
		return memcpy(to, INIT, sizeof(INIT)), sizeof(INIT);
	if (!procs)
		return 0;
	proc_lock();
	p = other(pid);
	if (p && p->state == ALIVE)
		n = p->cmdline_len < room ? p->cmdline_len : room;
	if (n)
		memcpy(to, p->cmdline, n);
	proc_unlock();
	return n;
}

size_t process_exe(int pid, char *to, size_t room)
{
	const struct process *p;
	size_t n = 0;

	if (pid == process_pid())
		return exec_path(to, room);
	if (!procs)
		return 0;
	proc_lock();
	p = other(pid);
	if (p && p->state == ALIVE)
		n = strnlen(p->exe, room < SHOWN ? room : SHOWN);
	if (n)
		memcpy(to, p->exe, n);
	proc_unlock();
	return n;
}

/* ------------------------------------------------------------- processes */

static void view_self(struct process_view *v)
{
	struct rusage usage;

	v->self = true;
	v->state = 'R';
	v->started = process_started();
	process_thread_name(v->pid, v->comm);
	getrusage(RUSAGE_SELF, &usage);
	v->user = ns_of_timeval(usage.ru_utime);
	v->system = ns_of_timeval(usage.ru_stime);
	v->children_user = ns_of_timeval(proc_children.ru_utime);
	v->children_system = ns_of_timeval(proc_children.ru_stime);
}

/* With the lock held. */
static void view_other(const struct process *p, struct process_view *v)
{
	uint64_t all;

	v->state = p->state == ZOMBIE ? 'Z' : p->stopped ? 'T' : 'S';
	v->started = p->started;
	memcpy(v->comm, p->comm, sizeof(v->comm));
	v->comm[15] = '\0';
	if (p->state == ZOMBIE) {
		v->user = ns_of_timeval(p->usage.ru_utime);
		v->system = ns_of_timeval(p->usage.ru_stime);
	} else if (p->host) {
		all = proc_cpu(p->host, CPU_TICKS);
		v->user = proc_cpu(p->host, CPU_USER);
		v->system = all > v->user ? all - v->user : 0;
	}
}

int process_view(int pid, struct process_view *v)
{
	const struct process *p;

	memset(v, 0, sizeof(*v));
	if (pid == GUEST_PPID) {
		*v = (struct process_view){ .pid = pid, .pgid = pid, .sid = pid, .state = 'S', .comm = INIT };
		return 0;
	}
	if (!procs) {
		*v = (struct process_view){ .pid = GUEST_PID, .ppid = GUEST_PPID, .pgid = GUEST_PID, .sid = GUEST_PID, .tty = process_tty() };
		if (pid != GUEST_PID)
			return -ENOENT;
		view_self(v);
		return 0;
	}
	proc_lock();
	p = proc_find(pid);
	if (p) {
		*v = (struct process_view){ .pid = pid, .ppid = p->ppid, .pgid = p->pgid, .sid = p->sid, .tty = p->tty };
		if (p == proc_self)
			view_self(v);
		else
			view_other(p, v);
	}
	proc_unlock();
	return p ? 0 : -ENOENT;
}

int process_next(int from)
{
	int next = -1;

	if (!procs)
		return from <= GUEST_PID ? GUEST_PID : -1;
	proc_lock();
	for (uint32_t i = 0; i < proc_used(); i++) {
		const struct process *p = &procs->process[i];

		if (p->state != FREE && p->pid >= from && (next < 0 || p->pid < next))
			next = p->pid;
	}
	proc_unlock();
	return next;
}

uint64_t process_made(void)
{
	/* with process 1 and the first one */
	return 2 + (procs ? __atomic_load_n(&procs->born, __ATOMIC_RELAXED) : 0);
}

unsigned int process_count(void)
{
	unsigned int n = 0;

	for (int pid = process_next(0); pid >= 0; pid = process_next(pid + 1))
		n++;
	return n;
}
