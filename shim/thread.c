/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program's threads. Each has a vCPU, which the runner has a thread of its own
 * for; when it ends, both stay for the next one.
 */
#include "shim.h"

#define CLONE_NEWTIME		0x00000080u
#define CLONE_VM		0x00000100u
#define CLONE_FS		0x00000200u
#define CLONE_FILES		0x00000400u
#define CLONE_SIGHAND		0x00000800u
#define CLONE_PIDFD		0x00001000u
#define CLONE_VFORK		0x00004000u
#define CLONE_PARENT		0x00008000u
#define CLONE_THREAD		0x00010000u
#define CLONE_NEWNS		0x00020000u
#define CLONE_SETTLS		0x00080000u
#define CLONE_PARENT_SETTID	0x00100000u
#define CLONE_CHILD_CLEARTID	0x00200000u
#define CLONE_DETACHED		0x00400000u
#define CLONE_CHILD_SETTID	0x01000000u
#define CLONE_SYSVSEM		0x00040000u
#define CLONE_NEWIPC		0x08000000u
#define CLONE_NEWUSER		0x10000000u
#define CLONE_NEWPID		0x20000000u
#define CLONE_NEW		(CLONE_NEWNS | 0x7e000000u)	/* namespaces; NEWCGROUP to NEWNET */
#define CLONE_CLEAR_SIGHAND	0x100000000ull
#define CLONE_INTO_CGROUP	0x200000000ull
#define CLONE_KNOWN		0x3ffffff00ull
#define CLONE_ONE_TABLE		(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define CLONE_NO_PROCESS	(CLONE_FS | CLONE_FILES | CLONE_SIGHAND)
#define CSIGNAL			0xffu

#define TID_MAX			4194304u	/* kernel.pid_max */

struct thread thread0;
extern struct cpu cpu0;
_Noreturn void exit_program(void);

static struct thread *threads[ABI_THREADS] = { &thread0 };
static u32 nthreads = 1;
static u32 living = 1;
static u32 last_tid;
lock_t threads_lock;

/* ------------------------------------------------------------------------- vCPUs */

/* What each vCPU but the first has for its own, one behind the other. */
struct area {
	u8 frame[ABI_FRAME_SIZE];
	u8 stack[STACK_SIZE];
	u8 cpu[PAGE_SIZE];		/* struct cpu, and behind it its struct thread */
};
_Static_assert(sizeof(struct cpu) + 64 + sizeof(struct thread) <= PAGE_SIZE, "struct area");

static gpa_t area_alloc(void)
{
	static gpa_t next, end;
	gpa_t area;

	if (end - next < sizeof(struct area)) {
		next = huge_alloc();
		end = next ? next + ABI_HUGE : 0;
		if (!next)
			return 0;
	}
	area = next;
	next += sizeof(struct area);
	return area;
}

static int map_pages(gva_t va, gpa_t gpa, u64 len, u64 bits)
{
	for (u64 at = 0; at < len; at += PAGE_SIZE)
		if (pt_map(va + at, gpa + at, bits))
			return -ENOMEM;
	return 0;
}

/* Makes vCPU number i, with the thread that it will run; NULL when there is no memory. */
static struct thread *make_cpu(u32 i)
{
	gva_t window = CPU_WINDOW + ((u64)i << CPU_SHIFT), at = window + ((u64)&cpu0 - ABI_SHIM);
	gpa_t area = area_alloc();
	struct cpu *cpu = (struct cpu *)at;
	struct thread *t = (struct thread *)(at + ((sizeof(*cpu) + 63) & ~63ull));
	int err;

	if (!area)
		return NULL;
	lock(&mm_lock);
	err = map_pages(window, ABI_SHIM_GPA, PAGE_SIZE, pt_bits(5));
	if (!err)
		err = map_pages(at - STACK_SIZE, area + offsetof(struct area, stack), STACK_SIZE + PAGE_SIZE, pt_bits(3));
	mm_unlock();
	if (err)
		return NULL;		/* its memory is lost, as there is none anyway */
	cpu->frame = direct(area);
	cpu->index = i;
	cpu->thread = t;
	memcpy(cpu->gdt, cpu0.gdt, sizeof(cpu->gdt));
	cpu->gdt[ABI_TSS / 8] = 0x0000890000000087;	/* not busy; its base is set at the start */
	cpu->gdt[ABI_TSS / 8 + 1] = 0;
	memcpy(cpu->iopb, cpu0.iopb, sizeof(cpu->iopb));
	t->cpu = cpu;
	t->fpu = (struct xstate *)(at - STACK_SIZE);
	return t;
}

/* Has the runner interrupt vCPUs of threads; set is one of 64 from number base on. */
static void kick(u32 base, u64 set)
{
	if (set)
		ask_runner(ABI_OP_KICK, base, set);
}

void thread_kick(struct thread *t)
{
	u32 i = t->cpu->index;

	__atomic_store_n(&t->cpu->attention, 1, __ATOMIC_SEQ_CST);
	kick(i & ~63u, 1ull << (i & 63));
}

static bool runs_behind(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->in_user, __ATOMIC_SEQ_CST) && __atomic_load_n(&cpu->flush, __ATOMIC_SEQ_CST);
}

void cpu_flush(void)
{
	u32 *flush = &this_cpu()->flush, was;

	if (!__atomic_load_n(flush, __ATOMIC_SEQ_CST))
		return;
	was = __atomic_exchange_n(flush, 0, __ATOMIC_SEQ_CST);
	if (was)
		tlb_flush(0);
	if (was == 2)
		wake(flush);
}

/* Some 10 us: a vCPU that the host runs will have left the program by then. */
#define FLUSH_SPINS	256

/* Until it is in the shim, or has seen to it. */
static void await_flush(struct cpu *cpu)
{
	u32 turns = 0, wanted;

	while (runs_behind(cpu)) {
		if (turns++ < FLUSH_SPINS) {
			asm volatile("pause");
			continue;
		}
		wanted = 1;
		__atomic_compare_exchange_n(&cpu->flush, &wanted, 2, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		/* it may have come to the shim by now, and sleep there: then nobody wakes this one */
		wait_while(&cpu->flush, 2, 100);
	}
}

bool threads_alone(void)
{
	return __atomic_load_n(&living, __ATOMIC_SEQ_CST) == 1;
}

void threads_flush(void)
{
	struct thread *t;
	u64 set = 0;

	if (threads_alone())
		return;
	for (u32 i = 0; (t = thread_at(i)); i++) {
		if (!t->alive || t == current)
			continue;
		__atomic_store_n(&t->cpu->flush, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&t->cpu->attention, 1, __ATOMIC_SEQ_CST);
	}
	for (u32 i = 0; (t = thread_at(i)); i++) {
		if (t->alive && t != current && runs_behind(t->cpu))
			set |= 1ull << (i & 63);
		if ((i & 63) == 63 || i + 1 == nthreads) {
			kick(i & ~63u, set);
			set = 0;
		}
	}
	for (u32 i = 0; (t = thread_at(i)); i++)
		if (t->alive && t != current)
			await_flush(t->cpu);
}

/* ------------------------------------------------------------------------- threads */

struct thread *thread_at(u32 i)
{
	return i < __atomic_load_n(&nthreads, __ATOMIC_ACQUIRE) ? threads[i] : NULL;
}

struct thread *thread_find(u32 tid)
{
	struct thread *t;

	if (tid == current->tid)
		return current;
	for (u32 i = 0; (t = thread_at(i)); i++)
		if (t->alive && t->tid == tid)
			return t;
	return NULL;
}

void thread_show(const struct thread *t)
{
	t->cpu->frame->signals_blocked = t->mask;
	t->cpu->frame->signals_pending = t->pending.set;
}

static u32 new_tid(void)
{
	if (boot->forked)
		return ask_runner(ABI_OP_ID, 0, 0);
	do
		last_tid = last_tid + 1 < TID_MAX ? last_tid + 1 : boot->pid + 1;
	while (thread_find(last_tid) || last_tid == boot->pid);
	return last_tid;
}

/* One whose thread has ended, or a new one; NULL when there are as many as may be. */
static struct thread *idle_thread(void)
{
	struct thread *t;
	u32 i;

	for (i = 0; (t = thread_at(i)); i++)
		if (__atomic_load_n(&t->parked, __ATOMIC_ACQUIRE))
			return t;
	if (i >= boot->max_threads || i >= ABI_THREADS) {
		__atomic_add_fetch(&boot->threads_refused, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	t = make_cpu(i);
	if (t) {
		threads[i] = t;
		__atomic_store_n(&nthreads, i + 1, __ATOMIC_RELEASE);
	}
	return t;
}

u32 threads_last_id(void)
{
	return last_tid;
}

/* What a thread has of its own begins empty. */
void thread_inherit(struct thread *t, const struct clone_args *c)
{
	const struct thread *parent = current;

	t->regs = *((struct regs *)parent->cpu - 1);
	t->regs.rax = 0;
	if (c->stack)
		t->regs.rsp = c->stack;
	memcpy(t->comm, parent->cpu->frame->comm, sizeof(t->comm));
	t->clear_tid = c->flags & CLONE_CHILD_CLEARTID ? c->child_tid : 0;
	t->robust_list = 0;
	t->mask = parent->masked ? parent->saved_mask : parent->mask;
	t->masked = t->resumed = false;
	t->waits = t->trapno = t->err = t->cr2 = 0;
	t->interrupted = t->again = 0;
	t->alt = (struct altstack){ .flags = SS_DISABLE };
	t->fs = c->flags & CLONE_SETTLS ? c->tls : base_get(false);
	t->gs = base_get(true);
	fpu_save(t->fpu);
	t->parked = false;
	/* its vCPU may have run another thread, and knows nothing of what happened since */
	t->cpu->flush = t->cpu->attention = 1;
}

void threads_init(void)
{
	thread0.cpu = &cpu0;
	thread0.alive = true;
	thread0.tid = last_tid = boot->pid;
	thread0.alt.flags = SS_DISABLE;
	thread0.fpu = (struct xstate *)((u64)&cpu0 - STACK_SIZE);
}

void threads_forked(const struct thread *t)
{
	thread0 = *t;
	memcpy(thread0.cpu->frame->comm, t->comm, sizeof(t->comm));
	thread_show(&thread0);
	thread0.alive = true;
	thread0.tid = last_tid = boot->pid;
	for (u32 i = 1; i < nthreads; i++) {
		threads[i]->alive = false;
		threads[i]->parked = true;
		threads[i]->cpu->calling = 0;
	}
	living = 1;
	threads_lock = (lock_t){ 0 };
}

static void set_alive(struct thread *t, bool alive)
{
	lock(&signal_lock);
	t->alive = alive;
	if (!alive)
		pending_drop(&t->pending, ~0ull);
	signalfd_tell(0);
	unlock(&signal_lock);
}

static long create(const struct clone_args *c)
{
	struct thread *t;
	long ret = -EAGAIN;

	lock(&threads_lock);
	t = idle_thread();
	if (!t)
		goto out;
	thread_inherit(t, c);
	memcpy(t->cpu->frame->comm, t->comm, sizeof(t->comm));
	t->cpu->frame->sched = this_cpu()->frame->sched;
	t->cpu->frame->sched.reset_on_fork = 0;
	thread_show(t);
	t->tid = new_tid();
	/* as on Linux a bad address is no error */
	if (c->flags & CLONE_PARENT_SETTID)
		put_user(t->tid, c->parent_tid);
	if (c->flags & CLONE_CHILD_SETTID)
		put_user(t->tid, c->child_tid);
	ret = t->tid;
	__atomic_add_fetch(&living, 1, __ATOMIC_SEQ_CST);
	set_alive(t, true);
	if (ask_runner(ABI_OP_THREAD, t->cpu->index | (u64)t->tid << 32, (u64)t->cpu->frame - ABI_DIRECT) < 0) {
		set_alive(t, false);
		__atomic_sub_fetch(&living, 1, __ATOMIC_SEQ_CST);
		t->parked = true;
		ret = -EAGAIN;
	}
out:
	unlock(&threads_lock);
	return ret;
}

/* What Linux refuses in the order in which it does, copy_process(); then what is not a thread, which the runner refuses. */
static long clone(const struct clone_args *c, u32 nr, const u64 a[6])
{
	u64 f = c->flags;

	if ((f & CLONE_FS) && (f & (CLONE_NEWNS | CLONE_NEWUSER)))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_THREAD) && (f & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_PIDFD)))
		return -EINVAL;
	if ((f & CLONE_NEWIPC) && (f & CLONE_SYSVSEM))
		return -EINVAL;
	if (f & CLONE_NEW)
		return -EPERM;
	if ((f & CLONE_SETTLS) && c->tls >= ABI_USER_END)
		return -EPERM;
	if ((f & CLONE_ONE_TABLE) == CLONE_ONE_TABLE)
		return create(c);
	/* processes share nothing but, with vfork(), memory for a while: a copy of it does as well */
	if ((f & CLONE_NO_PROCESS) || ((f & CLONE_VM) && !(f & CLONE_VFORK)))
		return forward(nr, a);
	return process_fork(c);
}

long sys_clone(const u64 a[6])
{
	const struct clone_args c = {
		.flags = (u32)a[0] & ~CSIGNAL, .exit_signal = a[0] & CSIGNAL, .stack = a[1],
		.pidfd = a[2], .parent_tid = a[2], .child_tid = a[3], .tls = a[4],
	};

	/* both results would go to one place; the other flag is CLONE_PIDFD's way to know old kernels */
	if ((c.flags & CLONE_PIDFD) && (c.flags & (CLONE_PARENT_SETTID | CLONE_DETACHED)))
		return -EINVAL;
	return clone(&c, NR_clone, a);
}

/* Of what threads share here, who is alone has his own. */
long sys_unshare(const u64 a[6])
{
	const u64 alone = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, own = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM;
	const u64 names = CLONE_NEW | CLONE_NEWTIME;

	if ((a[0] & ~(alone | own | names)) || ((a[0] & (alone | CLONE_NEWUSER)) && __atomic_load_n(&living, __ATOMIC_RELAXED) > 1))
		return -EINVAL;
	return (a[0] & names) || ((a[0] & own) && __atomic_load_n(&living, __ATOMIC_RELAXED) > 1) ? -EPERM : 0;
}

#define MAX_PID_NS_LEVEL 32
#define PID_MAX		4194304	/* kernel.pid_max */
#define CLONE_ARGS_FIRST 64	/* the structure's first version */

/* To choose an ID is not for an ordinary user. There is one PID namespace, of which it would be. */
static long refuse_id(const struct clone_args *c)
{
	int id;

	if (c->set_tid_size > 1)
		return -EINVAL;
	if (get_user(id, c->set_tid))
		return -EFAULT;
	return id < 1 || id >= PID_MAX ? -EINVAL : -EPERM;
}

long sys_clone3(const u64 a[6])
{
	struct clone_args c = { 0 };
	u64 size = a[1];
	int err;

	if (size < CLONE_ARGS_FIRST)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = size > sizeof(c) ? user_zeroes(a[0] + sizeof(c), size - sizeof(c)) : 0;
	if (err)
		return err;
	if (copy_in(&c, a[0], MIN(size, sizeof(c))))
		return -EFAULT;
	if ((c.flags & ~CLONE_KNOWN) || (c.flags & CLONE_DETACHED) || c.exit_signal > NSIG)
		return -EINVAL;
	if ((c.flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)) == (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((c.flags & (CLONE_THREAD | CLONE_PARENT)) && c.exit_signal)
		return -EINVAL;
	if ((c.flags & CLONE_PIDFD) && (c.flags & CLONE_PARENT_SETTID) && c.pidfd == c.parent_tid)
		return -EINVAL;
	if (!c.stack != !c.stack_size || c.stack_size > ABI_USER_END || c.stack > ABI_USER_END - c.stack_size)
		return -EINVAL;
	if (!c.set_tid != !c.set_tid_size || c.set_tid_size > MAX_PID_NS_LEVEL)
		return -EINVAL;
	if (c.set_tid)
		return refuse_id(&c);
	if (c.flags & CLONE_INTO_CGROUP)
		return -EPERM;
	c.stack += c.stack_size;
	return clone(&c, NR_clone3, a);
}

/* Begins the thread that this vCPU has been given. */
_Noreturn static void begin(void)
{
	const struct thread *t = current;

	*((struct regs *)t->cpu - 1) = t->regs;
	fpu_load(t->fpu);
	base_set(false, t->fs);
	base_set(true, t->gs);
	exit_program();
}

/* Where a vCPU starts. */
_Noreturn void thread_start(void)
{
	process_begin();
	ask_runner(ABI_OP_READY, 0, 0);
	begin();
}

long sys_exit(const u64 a[6])
{
	struct abi_frame *f = this_cpu()->frame;
	struct thread *t = current;
	u32 zero = 0;

	futex_end(t);
	if (t->clear_tid && living > 1 && !put_user(zero, t->clear_tid))
		futex_wake(t->clear_tid, 1);
	if (__atomic_sub_fetch(&living, 1, __ATOMIC_SEQ_CST) == 0)
		sys_exit_group(a);
	set_alive(t, false);
	cpu_flush();
	signal_retarget(~t->mask);
	/* from parked on, all that is the thread's may be given to another one */
	f->op = ABI_OP_PARK;
	__atomic_store_n(&t->parked, true, __ATOMIC_SEQ_CST);
	vm_exit();
	begin();
}

/* ------------------------------------------------------------------------- FS and GS */

#define ARCH_SET_GS	0x1001
#define ARCH_SET_FS	0x1002
#define ARCH_GET_FS	0x1003
#define ARCH_GET_GS	0x1004
#define MSR_FS_BASE	0xc0000100u
#define MSR_GS_BASE	0xc0000101u

u64 base_get(bool gs)
{
	u32 lo, hi;
	u64 base;

	if (boot->flags & ABI_BOOT_FSGSBASE) {
		if (gs)
			asm volatile("rdgsbase %0" : "=r"(base));
		else
			asm volatile("rdfsbase %0" : "=r"(base));
		return base;
	}
	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(gs ? MSR_GS_BASE : MSR_FS_BASE));
	return lo | (u64)hi << 32;
}

void base_set(bool gs, u64 base)
{
	if (boot->flags & ABI_BOOT_FSGSBASE) {
		if (gs)
			asm volatile("wrgsbase %0" : : "r"(base));
		else
			asm volatile("wrfsbase %0" : : "r"(base));
		return;
	}
	asm volatile("wrmsr" : : "c"(gs ? MSR_GS_BASE : MSR_FS_BASE), "a"((u32)base), "d"((u32)(base >> 32)));
}

long sys_arch_prctl(const u64 a[6])
{
	u64 base;

	switch (a[0]) {
	case ARCH_SET_GS:
	case ARCH_SET_FS:
		if (a[1] >= ABI_USER_END)
			return -EPERM;
		base_set(a[0] == ARCH_SET_GS, a[1]);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		base = base_get(a[0] == ARCH_GET_GS);
		return put_user(base, a[1]);
	default:
		return -EINVAL;
	}
}
