/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "end.h"
#include "interrupt.h"
#include "limit.h"
#include "load.h"
#include "msg.h"
#include "nsec.h"
#include "options.h"
#include "process.h"
#include "stats.h"
#include "thread.h"
#include "vcpu.h"
#include "vm.h"
#include "window.h"

#define NSIG_ALL	64
#define FIRST_RT	32	/* the kernel's SIGRTMIN */
#define QUEUE		1024	/* real-time signals that wait at most; past it they are lost */
#define GRACE_NS	50000000	/* from the time limit to ending the process by force */
#define SA_RESTORER	0x04000000

#define BIT(sig) (1ull << ((sig) - 1))

/* The kernel's struct sigaction; libc's keeps signals 32 and 33 to itself. */
struct kernel_action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

extern const char interrupt_syscall_end[], interrupt_syscall_cancel[];
extern void interrupt_return(void);
extern long interrupt_syscall(volatile uint32_t *pending, long nr, long a0, long a1, long a2, long a3,
			      long a4, long a5);

/*
 * The queue. Its lock is only taken with all signals blocked and held for a
 * few instructions, so a handler never waits for its own thread.
 */
static struct {
	bool locked;
	uint64_t standard;	/* which of slot[] are full */
	unsigned int head, count;
	siginfo_t slot[FIRST_RT];
	siginfo_t ring[QUEUE];
} queue;

static __thread struct vcpu *self;
static struct vcpu *first;	/* takes the process's signals */
static const char *program;
static uint64_t limit_ns;
static timer_t limit_timer;
static uint64_t limit_deadline;
static bool limit_set;
static volatile bool run_over;
static bool limit_passed;
/* Their addresses tell signals of our timers from the program's. */
static char limit_mark, kick_mark;

static void lock(void)
{
	while (__atomic_test_and_set(&queue.locked, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

static void unlock(void)
{
	__atomic_clear(&queue.locked, __ATOMIC_RELEASE);
}

static uint64_t block_all(void)
{
	uint64_t all = -1ull, old = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, 8);
	return old;
}

static void set_mask(uint64_t mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
}

uint64_t interrupt_block(void)
{
	return block_all();
}

void interrupt_unblock(uint64_t mask)
{
	set_mask(mask);
}

/*
 * Signals within the process are by timers: what the kernel lets go to a thread of
 * the same process only, also in processes that have come by fork() into the same jail.
 */
static int make_timer(int sig, void *mark)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = sig,
		.sigev_value.sival_ptr = mark,
		._sigev_un._tid = syscall(SYS_gettid),
	};
	int id;

	return syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) < 0 ? -1 : id;
}

static void fire(int timer)
{
	static const struct itimerspec at_once = { .it_value.tv_nsec = 1 };

	syscall(SYS_timer_settime, timer, TIMER_ABSTIME, &at_once, NULL);
}

void interrupt_vcpu(struct vcpu *vcpu)
{
	vcpu->pending = 1;
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (vcpu != self && vcpu->kickable)
		fire(vcpu->kick_timer);
}

/* ---------------------------------------------------------------- the queue */

/* The sender's process ID as the program may know it: Linux, too, tells 0 of one it cannot see. */
static siginfo_t seen(const siginfo_t *info)
{
	siginfo_t copy = *info;

	if (info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL)
		copy.si_pid = process_id(info->si_pid);
	return copy;
}

/* A timer's signal waits once, and counts how often it would have come meanwhile. */
static bool count_overrun(const siginfo_t *info)
{
	for (unsigned int i = 0; i < queue.count; i++) {
		siginfo_t *q = &queue.ring[(queue.head + i) % QUEUE];

		if (q->si_code == SI_TIMER && q->si_signo == info->si_signo && q->si_timerid == info->si_timerid) {
			q->si_overrun += info->si_overrun + 1;
			return true;
		}
	}
	return false;
}

static void enqueue(int sig, const siginfo_t *info)
{
	bool timer = info->si_code == SI_TIMER;

	lock();
	if (timer && count_overrun(info)) {
		/* nothing else to do */
	} else if (sig < FIRST_RT && !timer) {
		if (!(queue.standard & BIT(sig))) {
			queue.slot[sig] = *info;
			queue.standard |= BIT(sig);
		}
	} else if (queue.count < QUEUE) {
		queue.ring[(queue.head + queue.count++) % QUEUE] = *info;
	}
	unlock();
}

void interrupt_post(const siginfo_t *info)
{
	uint64_t old = block_all();

	enqueue(info->si_signo, info);
	set_mask(old);
	if (first)
		interrupt_vcpu(first);
}

bool interrupt_waiting(void)
{
	return __atomic_load_n(&queue.standard, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&queue.count, __ATOMIC_SEQ_CST);
}

bool interrupt_is_waiting(int sig)
{
	return __atomic_load_n(&queue.standard, __ATOMIC_SEQ_CST) & BIT(sig);
}

uint64_t interrupt_queued(void)
{
	uint64_t old = block_all(), set;

	lock();
	set = queue.standard;
	for (unsigned int i = 0; i < queue.count; i++)
		set |= BIT(queue.ring[(queue.head + i) % QUEUE].si_signo);
	unlock();
	set_mask(old);
	return set;
}

unsigned int interrupt_fetch(struct abi_signal *to, unsigned int max)
{
	uint64_t old = block_all();
	unsigned int n = 0;

	_Static_assert(sizeof(siginfo_t) == sizeof(to->siginfo), "siginfo");
	lock();
	for (int sig = 1; sig < FIRST_RT && n < max; sig++) {
		if (!(queue.standard & BIT(sig)))
			continue;
		queue.standard &= ~BIT(sig);
		memcpy(to[n++].siginfo, &queue.slot[sig], sizeof(siginfo_t));
	}
	for (; queue.count && n < max; queue.count--) {
		memcpy(to[n++].siginfo, &queue.ring[queue.head], sizeof(siginfo_t));
		queue.head = (queue.head + 1) % QUEUE;
	}
	unlock();
	set_mask(old);
	return n;
}

/* -------------------------------------------------------------- the handler */

static bool is_own_fault(int sig, const siginfo_t *info)
{
	return info->si_code > 0 && (sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE ||
				     sig == SIGILL || sig == SIGTRAP || sig == SIGSYS);
}

void interrupt_limit_report(void)
{
	unsigned long long ms = limit_ns / 1000000;
	static struct msg_once told;

	/* a second tick and the run loop may be here at once, and both go on to the end of the process */
	if (!msg_first(&told))
		return;
	if (ms % 1000)
		msg("%s: time limit of %llums reached (--timeout)", program, ms);
	else
		msg("%s: time limit of %llus reached (--timeout)", program, ms / 1000);
	msg_said(&told);
}

/*
 * The limit passed: the first tick asks the vCPU to stop; the next one finds
 * a runner that did not get to it, and ends the process here.
 */
static void limit_reached(void)
{
	limit_passed = true;
	if (run_over)
		process_look();
	if (end_program(END_TIMEOUT, KVMRUN_TIMEOUT, 0)) {
		if (first)
			interrupt_vcpu(first);
		return;
	}
	/* the program ended by itself, if only just, or the run loop did see the first tick */
	if (end_get().cause != END_TIMEOUT || run_over)
		return;
	interrupt_limit_report();
	if (stats_forced(program, end_get(), 0))
		_exit(KVMRUN_TIMEOUT);
}

static void handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *rip = &uc->uc_mcontext.gregs[REG_RIP];
	int saved = errno;

	if (is_own_fault(sig, info)) {
		uintptr_t fixup = guest_access_fixup(*rip);

		if (fixup) {
			*rip = fixup;
			errno = saved;
			return;
		}
		msg("internal error: signal %d at %#llx, address %p; please report this", sig,
		    (unsigned long long)*rip, info->si_addr);
		_exit(KVMRUN_FAILED);
	}
	if (sig == INTERRUPT_LIMIT && info->si_code == SI_TIMER && info->si_ptr == &limit_mark) {
		limit_reached();
	} else if (sig == INTERRUPT_LIMIT && process_is_child() && process_orphaned()) {
		_exit(128 + SIGKILL);
	} else if (sig == INTERRUPT_LIMIT && process_is_child() && process_lost_parent(info->si_pid)) {
		/* it has ended, or a thread of its, no more: nobody can send it from there */
	} else if (sig == SIGCHLD && info->si_code > 0) {
		process_look();
	} else if (!(sig == INTERRUPT_KICK && info->si_code == SI_TIMER && info->si_ptr == &kick_mark)) {
		siginfo_t copy = seen(info);

		/* the kernel's own has this process for its sender */
		if (sig == SIGXFSZ && info->si_pid == getpid())
			limit_fsize_signal();
		enqueue(sig, &copy);
		if (first)
			interrupt_vcpu(first);
		if (run_over || process_halted())
			process_look();
	}
	if (self && self->pending && *rip >= (greg_t)interrupt_syscall &&
	    *rip < (greg_t)interrupt_syscall_end)
		*rip = (greg_t)interrupt_syscall_cancel;
	errno = saved;
}

long interruptible_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5)
{
	return interrupt_syscall(&self->pending, nr, a0, a1, a2, a3, a4, a5);
}

/* -------------------------------------------------------------------- set-up */

static void catch(int sig)
{
	struct kernel_action action = {
		.handler = handler,
		.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_RESTORER,
		.restorer = interrupt_return,
		.mask = -1ull,
	};

	syscall(SYS_rt_sigaction, sig, &action, NULL, 8);
}

int interrupt_ignore(int sig, bool ignored)
{
	struct kernel_action action = { .handler = (void *)SIG_IGN, .flags = SA_RESTORER, .restorer = interrupt_return };

	if (sig != SIGTTIN && sig != SIGTTOU)
		return -EINVAL;
	if (ignored)
		syscall(SYS_rt_sigaction, sig, &action, NULL, 8);
	else
		catch(sig);
	return 0;
}

/* So that even a stack overflow of the runner's is told. */
static void use_alternate_stack(void)
{
	size_t size = 64 << 10;
	stack_t stack = { .ss_size = size };

	stack.ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) < 0)
		die(KVMRUN_FAILED, "no memory for a signal stack: %m");
}

static void start_limit(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = INTERRUPT_LIMIT,
		.sigev_value.sival_ptr = &limit_mark,
	};
	struct itimerspec at = {
		.it_value = timespec_of(limit_ns),
		.it_interval = { 0, GRACE_NS },
	};

	limit_deadline = clock_ns(CLOCK_MONOTONIC) + limit_ns;
	if (timer_create(CLOCK_MONOTONIC, &event, &limit_timer) < 0 ||
	    timer_settime(limit_timer, 0, &at, NULL) < 0)
		die(KVMRUN_FAILED, "cannot set the timer of --timeout: %m");
	limit_set = true;
}

void interrupt_init(struct vm *vm)
{
	struct abi_boot *boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));
	struct kernel_action old;

	program = vm->program;
	limit_ns = vm->config->timeout_ns;
	use_alternate_stack();
	boot->blocked = block_all();
	for (int sig = 1; sig <= NSIG_ALL; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		syscall(SYS_rt_sigaction, sig, NULL, &old, 8);
		if ((void *)old.handler == SIG_IGN) {
			boot->ignored |= BIT(sig);
			/* to the terminal driver an ignored one is another thing than one that is caught */
			if (sig == SIGTTIN || sig == SIGTTOU)
				continue;
		}
		catch(sig);
	}
	if (limit_ns)
		start_limit();
	set_mask(0);
}

uint64_t interrupt_limit_deadline(void)
{
	return limit_deadline;
}

int interrupt_limit_timer(void)
{
	/* the kernel's ID: glibc keeps it in the pointer itself for SIGEV_SIGNAL */
	return limit_set ? (int)(intptr_t)limit_timer : -1;
}

void interrupt_attach(struct vcpu *vcpu)
{
	vcpu->tid = syscall(SYS_gettid);
	vcpu->kick_timer = make_timer(INTERRUPT_KICK, &kick_mark);
	if (vcpu->kick_timer < 0)
		die(KVMRUN_FAILED, "no timer for a vCPU's thread: %m; raise ulimit -i");
	__atomic_store_n(&vcpu->kickable, true, __ATOMIC_SEQ_CST);
	self = vcpu;
	if (!first || first->parked)
		first = vcpu;
	/* signals from before there was a vCPU */
	if (interrupt_waiting() || ended())
		interrupt_vcpu(vcpu);
}

void interrupt_detach(struct vcpu *vcpu)
{
	struct vcpu *next;

	if (first != vcpu)
		return;
	for (uint32_t i = 0; (next = thread_vcpu(i)); i++)
		if (!next->parked)
			break;
	__atomic_store_n(&first, next, __ATOMIC_SEQ_CST);
	if (next && (interrupt_waiting() || ended()))
		interrupt_vcpu(next);
}

void interrupt_leave(struct vcpu *vcpu)
{
	block_all();
	vcpu->kickable = false;
	syscall(SYS_timer_delete, vcpu->kick_timer);
}

void interrupt_only(struct vcpu *vcpu)
{
	__atomic_store_n(&first, vcpu, __ATOMIC_SEQ_CST);
}

void interrupt_forked(struct vcpu *vcpu)
{
	/* what waited was for the other process; its timers are not there, but its jail keeps us off this one's number */
	memset(&queue, 0, sizeof(queue));
	while (limit_set && make_timer(INTERRUPT_LIMIT, NULL) < interrupt_limit_timer())
		;
	limit_ns = 0;
	first = NULL;
	vcpu->kickable = false;
	interrupt_attach(vcpu);
}

void interrupt_run_over(void)
{
	run_over = true;
}

bool interrupt_limit_passed(void)
{
	return limit_passed;
}

int interrupt_stop(int sig)
{
	struct kernel_action ignore_none = { .flags = SA_RESTORER, .restorer = interrupt_return };
	struct itimerspec left;
	int timer;

	if (sig != SIGSTOP && sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU)
		return -EINVAL;
	/* the default action, not SIGSTOP: a shell is told which signal it was, and an orphan goes on */
	if (sig != SIGSTOP)
		syscall(SYS_rt_sigaction, sig, &ignore_none, NULL, 8);
	timer = make_timer(sig, NULL);
	if (timer < 0)
		return -EAGAIN;
	fire(timer);
	/* once it has fired this thread has had the signal */
	do
		syscall(SYS_timer_gettime, timer, &left);
	while (left.it_value.tv_sec || left.it_value.tv_nsec);
	syscall(SYS_timer_delete, timer);
	if (sig != SIGSTOP)
		catch(sig);
	return 0;
}
