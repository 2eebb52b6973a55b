/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "async.h"
#include "clock.h"
#include "end.h"
#include "fdtable.h"
#include "interrupt.h"
#include "ipc.h"
#include "limit.h"
#include "load.h"
#include "msg.h"
#include "options.h"
#include "pidfd.h"
#include "proc_ask.h"
#include "process.h"
#include "process_show.h"
#include "process_table.h"
#include "signalfd.h"
#include "stats.h"
#include "sys.h"
#include "task.h"
#include "thread.h"
#include "vcpu.h"
#include "vfork.h"
#include "vm.h"

#define LOCKS		16

struct proc_table *procs;
struct process *proc_self;
uint32_t proc_max;
bool proc_left;
struct vm *proc_vm;
static uid_t uid;
static pid_t first_host, host_parent;
static pid_t made_by;		/* its first parent, whose end is told of when it is no more the parent */
static pthread_mutex_t *locks[LOCKS];
static unsigned int nlocks;
static pthread_mutex_t forking = PTHREAD_MUTEX_INITIALIZER;

void process_guard(pthread_mutex_t *lock)
{
	if (nlocks == LOCKS)
		die(KVMRUN_FAILED, "internal error: too many locks");
	locks[nlocks++] = lock;
}

struct abi_boot *proc_boot(void)
{
	return guest_ptr(proc_vm, ABI_BOOT_GPA, sizeof(struct abi_boot));
}

void proc_lock(void)
{
	/* whoever was killed with it has left no entry half made that matters: see each use */
	if (pthread_mutex_lock(&procs->lock) != EOWNERDEAD)
		return;
	proc_memory_sum();
	pthread_mutex_consistent(&procs->lock);
}

void proc_unlock(void)
{
	pthread_mutex_unlock(&procs->lock);
}

void proc_wake(struct process *p)
{
	__atomic_add_fetch(&p->wake, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &p->wake, FUTEX_WAKE, INT32_MAX);
}

bool proc_alive(const struct process *p)
{
	return p->state == ALIVE;
}

/* The one with this ID, alive or a zombie; NULL. With the lock held. */
struct process *proc_find(int pid)
{
	for (uint32_t i = 0; i < proc_used(); i++)
		if (procs->process[i].state != FREE && procs->process[i].pid == pid)
			return &procs->process[i];
	return NULL;
}

static bool used(int id)
{
	for (uint32_t i = 0; i < proc_used(); i++) {
		const struct process *p = &procs->process[i];

		if (p->state != FREE && (p->pid == id || p->pgid == id || p->sid == id))
			return true;
	}
	return false;
}

static int new_id(void)
{
	do
		procs->last_id = procs->last_id + 1 < PROC_ID_MAX ? procs->last_id + 1 : 300;
	while (used(procs->last_id));
	return procs->last_id;
}

int process_new_id(void)
{
	int id;

	if (!procs)
		return -EINVAL;
	proc_lock();
	id = new_id();
	proc_unlock();
	return id;
}

int process_pid(void)
{
	return proc_self ? proc_self->pid : GUEST_PID;
}

int process_ppid(void)
{
	return proc_self ? proc_self->ppid : GUEST_PPID;
}

bool process_forked(void)
{
	return procs;
}

void process_executed(void)
{
	if (!proc_self)
		return;
	vfork_over();
	proc_lock();
	proc_self->executed = proc_self->stranger = true;
	proc_show_self();
	proc_unlock();
	proc_wake(proc_self);
}

uid_t process_uid(void)
{
	return uid;
}

bool process_is_child(void)
{
	return proc_self && proc_self != procs->process;
}

int process_id(pid_t host)
{
	int id = 0;

	if (!procs)
		return host == getpid() ? GUEST_PID : host == host_parent ? GUEST_PPID : 0;
	for (uint32_t i = 0; i < proc_used(); i++)
		if (proc_alive(&procs->process[i]) && procs->process[i].host == host)
			id = procs->process[i].pid;
	return id ? id : host == host_parent ? GUEST_PPID : 0;
}

/* ------------------------------------------------------------------------- the end of one */

/* Who gets the children of one that ends; NULL: process 1. */
static struct process *reaper_for(const struct process *p)
{
	struct process *a = proc_find(p->ppid);

	/* a loop would be a bug; a table that a killed process left is no reason to hang in it */
	for (uint32_t i = 0; a && i < proc_used(); i++) {
		if (a->subreaper && proc_alive(a))
			return a;
		a = proc_find(a->ppid);
	}
	return NULL;
}

/* c's parent p has ended: it is reaper's, or process 1's, which reaps at once. */
static void hand_over(struct process *c, const struct process *p, struct process *reaper)
{
	c->ppid = reaper ? reaper->pid : GUEST_PPID;
	c->exit_signal = SIGCHLD;
	if (c->state == ZOMBIE && !reaper) {
		c->state = FREE;
	} else if (c->state == ZOMBIE) {
		c->kept = false;
		proc_tell_parent(c, SIGCHLD, c->status);
	} else {
		siginfo_t info = { .si_signo = c->death_signal, .si_code = SI_USER };

		info.si_pid = p->pid;
		info.si_uid = uid;
		if (c->death_signal)
			proc_post(c, &info);
		proc_wake(c);
	}
}

/* p has ended. With the lock held. */
void proc_bury(struct process *p, int status)
{
	struct process *reaper = reaper_for(p);

	p->state = ZOMBIE;
	proc_memory_end(p);
	p->status = status;
	p->executed = true;
	for (uint32_t i = 0; i < proc_used(); i++)
		if (procs->process[i].state != FREE && procs->process[i].ppid == p->pid)
			hand_over(&procs->process[i], p, reaper);
	if (p->ppid == GUEST_PPID)
		p->state = FREE;
	else
		proc_tell_parent(p, p->exit_signal, status);
	/* who waits for it by vfork(2), and the first one for all */
	proc_wake(p);
	proc_wake(procs->process);
}

/* Of processes of the host's that are gone, and have not told: someone has killed them. */
static void reap(void)
{
	siginfo_t info;
	int status;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || !info.si_pid)
			return;
		status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
		proc_lock();
		for (uint32_t i = 0; i < proc_used(); i++)
			if (proc_alive(&procs->process[i]) && procs->process[i].host == info.si_pid) {
				ipc_bury(procs->process[i].pid, i, false);
				proc_bury(&procs->process[i], status);
			}
		proc_unlock();
	}
}

/* ------------------------------------------------------------------------- listening */

/* Takes what others have left for this process. */
static void attend(void)
{
	struct abi_boot *boot = proc_boot();

	reap();
	proc_lock();
	if (proc_left) {
		proc_unlock();
		return;
	}
	proc_autoreap();
	proc_regroup();
	proc_take_posted();
	boot->ppid = proc_self->ppid;
	if (procs->ending && process_is_child()) {
		proc_end_now();
	} else if (procs->limit && end_program(procs->limit, 128 + SIGKILL, SIGKILL)) {
		proc_wake(proc_self);
		threads_stop();
	}
	proc_unlock();
	mq_look();
	proc_answer();
}

static void *listen_table(void *unused)
{
	(void)unused;
	for (;;) {
		uint32_t seen = __atomic_load_n(&proc_self->wake, __ATOMIC_SEQ_CST);

		attend();
		syscall(SYS_futex, &proc_self->wake, FUTEX_WAIT, seen, NULL);
	}
	return NULL;
}

static int start_listening(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, listen_table, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

void process_continue_first(void)
{
	static const struct timespec a_while = { 0, 20000000 };

	/* it says that it stops before it does: one that comes too early is lost */
	for (int i = 0; i < 100 && __atomic_load_n(&procs->process->stopped, __ATOMIC_SEQ_CST); i++) {
		syscall(SYS_kill, first_host, SIGCONT);
		nanosleep(&a_while, NULL);
	}
}

void process_look(void)
{
	if (proc_self)
		proc_wake(proc_self);
}

void process_init(struct vm *of)
{
	proc_vm = of;
	proc_max = proc_vm->config->procs;
	uid = proc_vm->uid;
	first_host = getpid();
	host_parent = getppid();
	process_show_init();
	/* whose parent has ended comes here, and not to the host's process 1 */
	if (proc_max > 1 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		vmsg("processes whose parents have ended cannot be kept: %m");
}

/* The first process's, as long as there is no table. */
static struct { bool subreaper; int death_signal; } alone;

/* Whether a number is a process's, or a thread's of this one. */
static bool is_somebody(unsigned long id)
{
	return id <= INT_MAX && (id == GUEST_PPID || thread_find(id) || (procs && proc_find(id)));
}

long process_prctl(int option, unsigned long value)
{
	bool *subreaper = procs ? &proc_self->subreaper : &alone.subreaper;
	int *death_signal = procs ? &proc_self->death_signal : &alone.death_signal;
	long ret = 0;

	if (procs)
		proc_lock();
	if (option == PR_SET_CHILD_SUBREAPER)
		*subreaper = value;
	else if (option == PR_SET_PDEATHSIG && value <= 64)
		*death_signal = value;
	else if (option == PR_GET_CHILD_SUBREAPER)
		ret = *subreaper;
	else if (option == PR_GET_PDEATHSIG)
		ret = *death_signal;
	else if (option == PR_SET_PTRACER)
		/* who might trace this one, if ptrace(2) were not refused: nobody, anybody, one that there is */
		ret = !value || value == PR_SET_PTRACER_ANY || is_somebody(value) ? 0 : -EINVAL;
	else
		ret = -EINVAL;
	if (procs)
		proc_unlock();
	return ret;
}

/* The table, before there is a second process. */
static int make_table(void)
{
	size_t size = sizeof(*procs) + proc_max * sizeof(procs->process[0]);
	int tty = process_tty();
	pthread_mutexattr_t attr;
	struct proc_table *table;

	table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (table == MAP_FAILED)
		return -ENOMEM;
	if (proc_ask_init() < 0)
		vmsg("of each other processes see in /proc what their table has: %m");
	/* its end is told of by what all have inherited */
	if (pidfd_watch_first() < 0)
		vmsg("a pidfd of the first process cannot be had: %m");
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&table->lock, &attr);
	table->used = 1;
	proc_self = table->process;
	*proc_self = (struct process){
		.state = ALIVE, .pid = GUEST_PID, .ppid = GUEST_PPID, .pgid = GUEST_PID, .sid = GUEST_PID,
		.host = getpid(), .executed = true, .stranger = true, .exit_signal = SIGCHLD, .started = process_started(),
		.host_group = getpgrp(), .host_session = getsid(0), .tty = tty,
		.subreaper = alone.subreaper, .death_signal = alone.death_signal,
	};
	/* whole, for other threads come and go meanwhile */
	__atomic_store_n(&procs, table, __ATOMIC_SEQ_CST);
	process_threads(threads_count());
	tasks_init();
	return start_listening();
}

/* ------------------------------------------------------------------------- fork */

/* RLIMIT_NPROC, getrlimit(2): as the guest has it, whose own limit it is. Root has none. */
static uint64_t tasks_max(void)
{
	return process_uid() ? READ_ONCE(proc_boot()->limit[RLIMIT_NPROC].soft) : UINT64_MAX;
}

/* Threads of all processes; one that nobody has waited for is one. With the lock held, if there is a table. */
static uint64_t tasks(void)
{
	uint64_t n = threads_count();

	for (uint32_t i = 0; procs && i < proc_used(); i++) {
		const struct process *p = &procs->process[i];

		if (p != proc_self && p->state != FREE)
			n += p->state == ALIVE && p->threads ? p->threads : 1;
	}
	return n;
}

/* More than that there cannot be, and nobody need count them. */
static bool tasks_unlimited(void)
{
	return tasks_max() >= (uint64_t)proc_max * proc_vm->max_threads;
}

bool process_has_room(void)
{
	uint64_t n;

	if (tasks_unlimited())
		return true;
	if (procs)
		proc_lock();
	n = tasks();
	if (procs)
		proc_unlock();
	return n < tasks_max();
}

void process_threads(uint32_t n)
{
	if (procs && !proc_left)
		__atomic_store_n(&proc_self->threads, n, __ATOMIC_RELAXED);
}

/* A free entry, as a child of this process; NULL when there are as many as may be. */
static struct process *new_entry(uint64_t how)
{
	struct process *p = NULL;

	/* the first one's stays its own: all others end with it */
	for (uint32_t i = 1; i < proc_max && !p; i++)
		if (procs->process[i].state == FREE)
			p = &procs->process[i];
	if (!p) {
		limit_met(LIMIT_PROCS, 1);
		return NULL;
	}
	if (p - procs->process >= proc_used())
		procs->used = p - procs->process + 1;
	p->pid = new_id();
	p->ppid = how & ABI_FORK_PARENT ? proc_self->ppid : proc_self->pid;
	p->born = ++procs->born;
	p->subreaper = false;
	p->death_signal = 0;
	p->pgid = proc_self->pgid;
	p->sid = proc_self->sid;
	p->tty = proc_self->tty;
	p->host_group = proc_self->host_group;
	p->host_session = proc_self->host_session;
	p->wanted_group = 0;
	p->host = 0;
	p->threads = 1;
	p->exit_signal = how & ABI_FORK_PARENT ? proc_self->exit_signal : (int)(how & 0xff);
	p->executed = p->stranger = p->stop_told = p->continued = p->kept = false;
	p->stopped = 0;
	p->head = p->count = 0;
	proc_show_self();
	p->started = boot_ns();
	memcpy(p->comm, proc_self->comm, sizeof(p->comm));
	p->cmdline_len = proc_self->cmdline_len;
	memcpy(p->cmdline, proc_self->cmdline, p->cmdline_len);
	strcpy(p->exe, proc_self->exe);
	task_keep(p);
	memset(&p->usage, 0, sizeof(p->usage));
	p->state = ALIVE;
	return p;
}

/* The copy becomes a process of its own. */
static void begin_child(struct process *p, struct vcpu *vcpu, pid_t parent)
{
	struct abi_boot *boot = proc_boot();

	proc_self = p;
	proc_left = false;
	memset(&proc_children, 0, sizeof(proc_children));
	proc_self->host = getpid();
	host_parent = made_by = parent;
	/* the first process's end, however it comes, is that of all: interrupt.c */
	if (prctl(PR_SET_PDEATHSIG, INTERRUPT_LIMIT) < 0 || process_orphaned())
		_exit(KVMRUN_FAILED);
	end_reset();
	vfork_child();
	boot->pid = proc_self->pid;
	boot->ppid = proc_self->ppid;
	memset(boot->calls, 0, sizeof(boot->calls));
	boot->memory_refused = boot->threads_refused = 0;
	threads_init(vcpu);
	task_forked(vcpu);
	vm_renew(proc_vm);
	vcpu_renew(vcpu, proc_vm);
	vcpu_anew(vcpu);
	stats_forked();
	clock_forked(vcpu);
	vcpu->guest_tid = proc_self->pid;
	timers_forked();
	signalfd_forked();
	async_forked();
	proc_answer_forked();
	interrupt_forked(vcpu);
	if (start_listening() < 0)
		die(KVMRUN_FAILED, "no thread for another process");
}

bool process_lost_parent(pid_t host)
{
	return host == made_by || host == getppid();
}

bool process_orphaned(void)
{
	pid_t now = getppid();

	if (now == host_parent)
		return false;
	if (now != first_host)
		return true;
	host_parent = now;
	return false;
}

int process_forking(uint64_t pages)
{
	int ret = 0;

	pthread_mutex_lock(&forking);
	if (proc_max < 2) {
		limit_met(LIMIT_PROCS, 1);
		ret = -EAGAIN;
	}
	if (!ret && !procs) {
		ipc_prepare();
		ret = make_table();
		if (!ret)
			proc_memory_first(pages);
	}
	if (!ret)
		proc_boot()->forked = 1;
	pthread_mutex_unlock(&forking);
	return ret ? -EAGAIN : 0;
}

static int make_process(struct vcpu *vcpu, uint32_t last_tid, struct forked_memory memory, uint32_t how)
{
	struct process *p = NULL;
	pid_t host, parent = getpid();
	int ret = -EAGAIN;
	uint64_t mask;

	pthread_mutex_lock(&forking);
	if (!procs)
		goto out;
	/* until the child's number is known: whoever kills it before is seen to */
	proc_lock();
	proc_memory_freeze(memory);
	if (procs->last_id < (int)last_tid && last_tid < PROC_ID_MAX)
		procs->last_id = last_tid;
	/* nobody escapes the end by multiplying */
	p = procs->ending || ended() || (!tasks_unlimited() && tasks() >= tasks_max()) ? NULL : new_entry(how);
	if (p)
		ret = proc_memory_share(p);
	if (p && ret) {
		p->state = FREE;
		limit_met(LIMIT_MEM, 1);
	}
	if (!p || ret) {
		proc_unlock();
		goto out;
	}
	if ((how & ABI_FORK_SHARES) && vfork_prepare() < 0)
		vmsg("a child that fails to execute something will not be able to say so: %m");
	ret = p->pid;
	mask = interrupt_block();
	for (unsigned int i = 0; i < nlocks; i++)
		pthread_mutex_lock(locks[i]);
	ipc_fork();
	host = fork();
	if (host)
		ipc_forked(proc_self - procs->process, p - procs->process, host > 0);
	for (unsigned int i = nlocks; i--;)
		pthread_mutex_unlock(locks[i]);
	if (host == 0) {
		begin_child(p, vcpu, parent);
		ret = 0;
	} else {
		p->host = host;
		if (host < 0) {
			vmsg("no other process: %m");
			p->state = FREE;
			proc_memory_end(p);
			ret = -EAGAIN;
		}
		proc_unlock();
		if (host < 0)
			vfork_failed();
		else
			vfork_parent(ret);
	}
	interrupt_unblock(mask);
out:
	pthread_mutex_unlock(&forking);
	return ret;
}

int64_t process_fork(struct vcpu *vcpu, uint32_t last_tid, struct forked_memory memory, uint32_t how)
{
	int fd = how & ABI_FORK_PIDFD ? pidfd_reserve() : 0, pid;

	if (fd < 0)
		return fd;
	pid = make_process(vcpu, last_tid, memory, how);
	if (!(how & ABI_FORK_PIDFD))
		return pid;
	if (pid <= 0) {
		/* in the child, too */
		fd_close(fd);
		return pid;
	}
	pidfd_fill(fd, pid);
	return pid | (int64_t)fd << 32;
}
