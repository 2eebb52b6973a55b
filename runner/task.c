/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "msg.h"
#include "proc_ask.h"
#include "process.h"
#include "process_table.h"
#include "rlimit.h"
#include "task.h"
#include "thread.h"
#include "vcpu.h"
#include "vm.h"

#define POLICIES 7	/* SCHED_DEADLINE is the last */

/*
 * By the ID of a thread, 1 + the entry of the process that had it last: where to ask, no more than that. Threads
 * that begin write there, and who is asked for one that has ended says so.
 */
static uint32_t *homes;

void tasks_init(void)
{
	const struct vcpu *vcpu;

	homes = mmap(NULL, PROC_ID_MAX * sizeof(*homes), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (homes == MAP_FAILED) {
		homes = NULL;
		vmsg("threads of other processes cannot be found: %m");
		return;
	}
	for (uint32_t i = 0; (vcpu = thread_vcpu(i)); i++)
		task_began(vcpu->guest_tid);
}

void task_began(uint32_t tid)
{
	if (homes && tid < PROC_ID_MAX)
		__atomic_store_n(&homes[tid], 1 + (uint32_t)(proc_self - procs->process), __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------- one thread */

static bool is_one(const struct abi_sched *s)
{
	return s->policy < POLICIES && s->nice >= -20 && s->nice <= 19 && s->reset_on_fork <= 1 && s->ioprio <= UINT16_MAX;
}

/* For one process, whose limits these are; what they make of the host's is for the caller to see to. */
static int serve(struct abi_sched *sched, struct abi_limit *limit, uint32_t op, uint64_t which, struct abi_task *task)
{
	struct abi_limit old, new = task->limit;
	int err;

	switch (op) {
	case ABI_TASK_GET:
	case ABI_TASK_NEXT:
		task->sched = *sched;
		task->nice_limit = limit[RLIMIT_NICE].soft;
		return 0;
	case ABI_TASK_SCHED:
		if (!is_one(&task->sched))
			return -EINVAL;
		/* its shim may set the rest meanwhile */
		memcpy(sched, &task->sched, offsetof(struct abi_sched, not_on));
		return 0;
	case ABI_TASK_CPUS:
		sched->not_on = task->sched.not_on;
		return 0;
	case ABI_TASK_LIMIT:
		if ((uint32_t)which >= ABI_LIMITS)
			return -EINVAL;
		old = limit[(uint32_t)which];
		err = which & ABI_TASK_SET ? rlimit_may_be(&old, &new) : 0;
		if (!err && which & ABI_TASK_SET)
			limit[(uint32_t)which] = new;
		task->limit = old;
		return err;
	default:
		return -EINVAL;
	}
}

/* The first one from an ID on. */
static struct vcpu *next_thread(uint32_t from)
{
	struct vcpu *vcpu, *next = NULL;

	for (uint32_t i = 0; (vcpu = thread_vcpu(i)); i++)
		if (!vcpu->parked && vcpu->guest_tid >= from && (!next || vcpu->guest_tid < next->guest_tid))
			next = vcpu;
	return next;
}

int task_answer(uint32_t op, uint64_t which, struct abi_task *task)
{
	struct vcpu *vcpu = op == ABI_TASK_NEXT ? next_thread(task->tid) : thread_find(task->tid);
	struct abi_limit *limit = proc_boot()->limit;
	int err;

	/* a first thread is there until its process has ended */
	if (!vcpu && op != ABI_TASK_NEXT && (int)task->tid == process_pid())
		vcpu = thread_vcpu(0);
	if (!vcpu)
		return -ESRCH;
	task->pid = process_pid();
	task->tid = vcpu->guest_tid;
	err = serve(&vcpu->frame->sched, limit, op, which, task);
	if (err || op != ABI_TASK_LIMIT || !(which & ABI_TASK_SET) || !rlimit_is_hosts((uint32_t)which))
		return err;
	err = rlimit_changed(proc_vm, (uint32_t)which);
	if (err)
		limit[(uint32_t)which] = task->limit;
	return err ? -EPERM : 0;
}

void task_forked(const struct vcpu *vcpu)
{
	struct abi_frame *first = guest_ptr(proc_vm, proc_vm->frame, ABI_FRAME_SIZE);

	first->sched = vcpu->frame->sched;
	first->sched.reset_on_fork = 0;
}

/* ------------------------------------------------------------- any of them */

void task_keep(struct process *p)
{
	const struct abi_frame *first = guest_ptr(proc_vm, proc_vm->frame, ABI_FRAME_SIZE);

	p->sched = first->sched;
	memcpy(p->limit, proc_boot()->limit, sizeof(p->limit));
	p->task_set = false;
}

void task_go_on(void)
{
	struct abi_frame *first = guest_ptr(proc_vm, proc_vm->frame, ABI_FRAME_SIZE);
	struct abi_limit limit[ABI_LIMITS], *own = proc_boot()->limit;
	struct abi_sched sched;
	bool set;

	proc_lock();
	set = proc_self->task_set;
	sched = proc_self->sched;
	memcpy(limit, proc_self->limit, sizeof(limit));
	proc_unlock();
	if (!set)
		return;
	first->sched = sched;
	for (uint32_t i = 0; i < ABI_LIMITS; i++)
		if (memcmp(&own[i], &limit[i], sizeof(own[i])) != 0) {
			own[i] = limit[i];
			if (rlimit_is_hosts(i) && rlimit_changed(proc_vm, i) < 0)
				vmsg("a limit that was set while the program stood still cannot be had: %m");
		}
}

/* Which process it is: its number, or 0. */
static int process_of(const struct abi_task *task)
{
	uint32_t id = task->pid ? task->pid : task->tid, home = 0;
	int pid = 0;

	proc_lock();
	if (proc_find(id))
		pid = id;
	else if (homes && id < PROC_ID_MAX)
		home = __atomic_load_n(&homes[id], __ATOMIC_RELAXED);
	if (home && home <= proc_used() && proc_alive(&procs->process[home - 1]))
		pid = procs->process[home - 1].pid;
	proc_unlock();
	return pid;
}

/* Who cannot answer, but has left what its first thread had: a zombie, and the first process while it is stopped. */
static bool has_left(const struct process *p)
{
	return p->state == ZOMBIE || (p == procs->process && p->stopped);
}

/* -ESRCH: it is none of these. */
static int of_entry(int pid, uint32_t op, uint64_t which, struct abi_task *task)
{
	struct process *p;
	int ret = -ESRCH;

	proc_lock();
	p = proc_find(pid);
	if (p && has_left(p) && (op == ABI_TASK_NEXT ? (int)task->tid <= pid : (int)task->tid == pid)) {
		task->pid = task->tid = pid;
		ret = serve(&p->sched, p->limit, op, which, task);
		p->task_set |= op == ABI_TASK_SCHED || op == ABI_TASK_CPUS || which & ABI_TASK_SET;
	}
	proc_unlock();
	return ret;
}

/* The next process, perhaps of a group. */
static int next_process(uint64_t by_group, struct abi_task *task)
{
	int group = task->tid ? (int)task->tid : process_getpgid(0), pid = task->pid;
	struct process_view v;

	while ((pid = process_next(pid)) >= 0) {
		task->pid = pid;
		if (!by_group || (process_view(pid, &v) == 0 && v.pgid == group))
			return 0;
		pid++;
	}
	return -ESRCH;
}

static int ask(uint32_t op, uint64_t which, struct abi_task *task)
{
	int pid, ret, left;

	if (op == ABI_TASK_PROCESS)
		return next_process(which, task);
	pid = procs ? process_of(task) : 0;
	if (!pid)
		return -ESRCH;
	ret = pid == process_pid() ? task_answer(op, which, task) : proc_ask_task(pid, op, which, task);
	left = ret == -ESRCH || ret == -EAGAIN ? of_entry(pid, op, which, task) : -ESRCH;
	if (left != -ESRCH)
		ret = left;
	return ret == -EAGAIN ? -EPERM : ret;
}

void task_op(struct vcpu *vcpu)
{
	struct abi_frame *f = vcpu->frame;
	struct abi_task task;

	memcpy(&task, f->data, sizeof(task));
	f->ret = ask(READ_ONCE(f->arg[0]), READ_ONCE(f->arg[1]), &task);
	memcpy(f->data, &task, sizeof(task));
}
