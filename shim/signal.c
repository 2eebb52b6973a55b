/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals: actions, masks, the queue, delivery; signal(7). */
#include "shim.h"

#define BIT	SIGBIT

#define SA_ONESHOT	0x80000000ull
#define SA_NODEFER	0x40000000ull
#define SA_NOCLDSTOP	1ull
#define SA_NOCLDWAIT	2ull
#define SA_RESTART	0x10000000ull
#define SA_SUPPORTED	0xdc000807ull	/* those Linux keeps: NOCLDSTOP NOCLDWAIT SIGINFO EXPOSE_TAGBITS RESTORER ... */

bool signal_waiting(void)
{
	return signal_pending() & ~current->mask;
}

void signal_block(struct thread *t, u64 mask)
{
	/* before one looks for what is pending: signal_send() has it so, or sees this mask */
	__atomic_store_n(&t->mask, mask & ~UNBLOCKABLE, __ATOMIC_SEQ_CST);
	thread_show(t);
}

/* The signal's action is another one: for who reads /proc. Under signal_lock. */
static void show_action(int sig)
{
	gva_t handler = signal_actions[sig].handler;

	boot->ignored = handler == SIG_IGN ? boot->ignored | BIT(sig) : boot->ignored & ~BIT(sig);
	boot->signals_caught = handler > SIG_IGN ? boot->signals_caught | BIT(sig) : boot->signals_caught & ~BIT(sig);
}

/* A timer's signal may be for one thread: those by their IDs; 0: none. */
static struct { int id; u32 tid; } timers[TIMERS];

/* A signal that came to the runner: for the process, or for a timer's thread while there is one. */
static void receive(const struct siginfo *info)
{
	for (u32 i = 0; info->code == SI_TIMER && i < TIMERS; i++)
		if (timers[i].tid && timers[i].id == info->timer.id) {
			struct thread *t = thread_find(timers[i].tid);

			if (t)
				signal_send(info, t);
			return;
		}
	signal_send(info, NULL);
}

void signal_forked(void)
{
	sigqueue_forked();
	signalfd_forked();
	memset(timers, 0, sizeof(timers));
}

#define SIGEV_THREAD_ID	4

long sys_timer_create(const u64 a[6])
{
	struct { u64 value; int signo, notify; u32 tid; } event = { 0 };
	long ret;
	int id;

	if (a[1] && get_user(event, a[1]))
		return -EFAULT;
	if (event.notify == SIGEV_THREAD_ID && !thread_find(event.tid))
		return -EINVAL;
	ret = forward(NR_timer_create, a);
	if (ret < 0 || get_user(id, a[2]))
		return ret;
	lock(&signal_lock);
	for (u32 i = 0, done = 0; i < TIMERS; i++) {
		if (timers[i].tid && timers[i].id == id)
			timers[i].tid = 0;
		if (event.notify == SIGEV_THREAD_ID && !timers[i].tid && !done++) {
			timers[i].id = id;
			timers[i].tid = event.tid;
		}
	}
	unlock(&signal_lock);
	return ret;
}

void signal_fetch(void)
{
	struct abi_frame *f = this_cpu()->frame;

	do {
		f->kick = 0;
		f->op = ABI_OP_SIGNALS;
		f->data_len = 0;
		vm_exit();
		for (s64 i = 0; i < f->ret; i++)
			receive((struct siginfo *)f->data + i);
	} while (f->kick);
}

bool signal_interrupts(void)
{
	if (this_cpu()->frame->kick)
		signal_fetch();
	return signal_waiting();
}

static void stop(int sig)
{
	struct abi_frame *f = this_cpu()->frame;

	f->op = ABI_OP_STOP;
	f->arg[0] = sig;
	vm_exit();
}

/*
 * What the signal whose handler is to run does to a call: SA_RESTART makes it
 * again, else it has ended. Likewise where it was about to be made again for
 * a signal without a handler.
 */
static void settle_call(struct regs *r, u64 flags)
{
	struct thread *t = current;
	u8 restart = t->interrupted ? t->interrupted : t->again;
	bool made_again = (restart == 1 + ABI_RESTART_SA && (flags & SA_RESTART)) ||
			  restart == 1 + ABI_RESTART_ALWAYS;

	if (t->interrupted && made_again) {
		r->rip -= 2;
		r->rax = r->err;
	} else if (t->again && !made_again) {
		r->rip += 2;
		r->rax = -EINTR;
	}
	t->interrupted = t->again = 0;
}

/* Runs a handler: its frame on the program's stack, and the mask for its time. */
static void handle(struct regs *r, const struct siginfo *info)
{
	struct sigaction *act = &signal_actions[info->signo], now;
	struct thread *t = current;
	u64 mask = t->masked ? t->saved_mask : t->mask;

	lock(&signal_lock);
	now = *act;
	if (now.flags & SA_ONESHOT) {
		act->handler = SIG_DFL;
		show_action(info->signo);
	}
	unlock(&signal_lock);
	settle_call(r, now.flags);
	if (sigframe_push(r, info, &now, mask)) {
		if (info->signo == SIGSEGV)
			end_program(0, SIGSEGV, ABI_END_STATUS);
		signal_fault(r, SIGSEGV, SI_KERNEL, 0);
		return;
	}
	t->masked = false;
	signal_block(t, t->mask | now.mask | (now.flags & SA_NODEFER ? 0 : BIT(info->signo)));
	if (canonical(now.handler))
		return;
	/* IRET to it would fault; where it is SIGSEGV's own handler that would go on until the stack's end */
	if (info->signo == SIGSEGV)
		end_program(0, SIGSEGV, ABI_END_STATUS);
	signal_protection(r, 0);
}

void signal_deliver(struct regs *r)
{
	struct thread *t = current;
	struct siginfo info;
	int sig;

	while ((sig = signal_take(~t->mask, &info))) {
		gva_t handler = signal_actions[sig].handler;

		if (handler > SIG_IGN) {
			handle(r, &info);
			continue;
		}
		if (signal_ignored(sig))
			continue;
		if (signal_stops(sig))
			stop(sig);
		else
			end_program(0, sig, ABI_END_STATUS);
	}
	signal_unmask(t);
	if (t->interrupted) {
		/* no handler ran: the call is made again */
		r->rip -= 2;
		r->rax = r->err;
		t->again = t->interrupted;
		t->interrupted = 0;
	}
}

void signal_protection(struct regs *r, u64 err)
{
	current->trapno = 13;
	current->err = err;
	signal_fault(r, SIGSEGV, SI_KERNEL, 0);
}

void signal_fault(struct regs *r, int signo, int code, gva_t addr)
{
	struct siginfo info = { .signo = signo, .code = code, .fault.addr = addr };

	if (signal_actions[signo].handler <= SIG_IGN || (current->mask & BIT(signo)))
		end_program(0, signo, ABI_END_STATUS);
	handle(r, &info);
}

int signal_call_mask(gva_t set, u64 size)
{
	struct thread *t = current;
	u64 mask;

	if (!set)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (get_user(mask, set))
		return -EFAULT;
	t->saved_mask = t->mask;
	t->masked = true;
	signal_block(t, mask);
	return 0;
}

void signal_unmask(struct thread *t)
{
	if (!t->masked)
		return;
	signal_block(t, t->saved_mask);
	t->masked = false;
}

void signal_defaults(void)
{
	for (int sig = 1; sig <= NSIG; sig++)
		signal_actions[sig] = (struct sigaction){
			.handler = signal_actions[sig].handler == SIG_IGN ? SIG_IGN : SIG_DFL };
	boot->signals_caught = 0;
	boot->nocldstop = 0;
	boot->autoreap = signal_actions[SIGCHLD].handler == SIG_IGN;
}

long sys_rt_sigaction(const u64 a[6])
{
	struct sigaction new, old;
	u64 sig = a[0];

	if (a[3] != sizeof(u64) || sig < 1 || sig > NSIG || (a[1] && (UNBLOCKABLE & BIT(sig))))
		return -EINVAL;
	if (a[1] && get_user(new, a[1]))
		return -EFAULT;
	lock(&signal_lock);
	old = signal_actions[sig];
	if (a[1]) {
		new.mask &= ~UNBLOCKABLE;
		new.flags &= SA_SUPPORTED;
		signal_actions[sig] = new;
		show_action(sig);
		if (signal_ignored(sig))
			signal_drop(BIT(sig));
		signalfd_tell(0);
		if (sig == SIGCHLD) {
			boot->autoreap = new.handler == SIG_IGN || (new.flags & SA_NOCLDWAIT);
			boot->nocldstop = new.flags & SA_NOCLDSTOP;
		}
	}
	unlock(&signal_lock);
	/* the host's terminal driver looks at that */
	if (a[1] && (sig == SIGTTIN || sig == SIGTTOU) && (new.handler == SIG_IGN) != (old.handler == SIG_IGN))
		ask_runner(ABI_OP_IGNORE, sig, new.handler == SIG_IGN);
	return a[2] && put_user(old, a[2]) ? -EFAULT : 0;
}

long sys_rt_sigprocmask(const u64 a[6])
{
	struct thread *t = current;
	u64 set, old = t->mask;

	if (a[3] != sizeof(set))
		return -EINVAL;
	if (a[1]) {
		if (get_user(set, a[1]))
			return -EFAULT;
		switch ((u32)a[0]) {
		case 0:
			set = old | set;
			break;
		case 1:
			set = old & ~set;
			break;
		case 2:
			break;
		default:
			return -EINVAL;
		}
		signal_block(t, set);
		signal_retarget(t->mask & ~old);
	}
	return a[2] && put_user(old, a[2]) ? -EFAULT : 0;
}

long sys_rt_sigpending(const u64 a[6])
{
	u64 set = signal_pending() & current->mask;

	if (a[1] > sizeof(set))
		return -EINVAL;
	return copy_out(a[0], &set, a[1]);
}

/* Waits in the runner until a signal comes; the wait's end is for signal_deliver() to judge. */
static long wait_here(u32 nr, const u64 a[6])
{
	struct thread *t = current;

	if (!signal_waiting())
		return forward(nr, a);
	if (!t->resumed)
		t->deadline = 0;
	t->interrupted = 1 + ABI_RESTART_NEVER;
	return -EINTR;
}

long sys_pause(const u64 a[6])
{
	return wait_here(NR_pause, a);
}

long sys_rt_sigsuspend(const u64 a[6])
{
	int err;

	if (!a[0])
		return a[1] == sizeof(u64) ? -EFAULT : -EINVAL;
	err = signal_call_mask(a[0], a[1]);
	return err ? err : wait_here(NR_rt_sigsuspend, a);
}

/* Calls that wait under a mask of their own. */
long sys_ppoll(const u64 a[6])
{
	int err = signal_call_mask(a[3], a[4]);

	return err ? err : wait_here(NR_ppoll, a);
}

long sys_pselect6(const u64 a[6])
{
	struct { gva_t set; u64 size; } arg = { 0 };
	int err;

	if (a[5] && get_user(arg, a[5]))
		return -EFAULT;
	err = signal_call_mask(arg.set, arg.size);
	return err ? err : wait_here(NR_pselect6, a);
}

long sys_epoll_pwait(const u64 a[6])
{
	int err = signal_call_mask(a[4], a[5]);

	return err ? err : wait_here(NR_epoll_pwait, a);
}

long sys_epoll_pwait2(const u64 a[6])
{
	int err = signal_call_mask(a[4], a[5]);

	return err ? err : wait_here(NR_epoll_pwait2, a);
}

long sys_rt_sigtimedwait(const u64 a[6])
{
	struct thread *t = current;
	struct siginfo info;
	long ret;
	u64 set;
	int sig;

	if (a[3] != sizeof(set))
		return -EINVAL;
	if (get_user(set, a[0]))
		return -EFAULT;
	set &= ~UNBLOCKABLE;
	/* from here on who sends one of them tells this thread */
	__atomic_store_n(&t->waits, set, __ATOMIC_SEQ_CST);
	for (ret = 0; !(sig = signal_take(set, &info));) {
		ret = wait_here(NR_rt_sigtimedwait, a);
		if (ret != -EINTR)
			break;
		signal_fetch();
		if (signal_waiting() && !(signal_pending() & set))
			break;
		t->resumed = true;
	}
	t->waits = 0;
	if (!sig)
		return ret;
	t->interrupted = 0;
	return a[1] && put_user(info, a[1]) ? -EFAULT : sig;
}

#define MINSIGSTKSZ	2048

bool altstack_on(const struct altstack *s, gva_t sp)
{
	return !(s->flags & SS_AUTODISARM) && s->size && sp > s->sp && sp - s->sp <= s->size;
}

int altstack_set(struct altstack *s, const struct altstack *to, gva_t sp)
{
	u32 mode = to->flags & ~SS_AUTODISARM;

	if (altstack_on(s, sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode != SS_DISABLE && to->size < MINSIGSTKSZ)
		return -ENOMEM;
	*s = (struct altstack){ .sp = to->sp, .size = to->size, .flags = to->flags };
	if (mode == SS_DISABLE)
		s->sp = s->size = 0;
	return 0;
}

long sys_sigaltstack(const u64 a[6])
{
	const struct regs *r = (struct regs *)((u64)this_cpu() - sizeof(*r));
	struct altstack *s = &current->alt;
	struct altstack new, old = {
		.sp = s->sp, .size = s->size,
		.flags = (s->flags & SS_AUTODISARM) |
			 (!s->size ? SS_DISABLE : altstack_on(s, r->rsp) ? SS_ONSTACK : 0),
	};
	int err = 0;

	if (a[0]) {
		if (get_user(new, a[0]))
			return -EFAULT;
		err = altstack_set(s, &new, r->rsp);
		if (err)
			return err;
	}
	return a[1] && put_user(old, a[1]) ? -EFAULT : 0;
}

/* The sender's own siginfo; signal 0 only asks. */
static long send(u64 sig, int code, struct thread *to)
{
	struct siginfo info = { .signo = sig, .code = code, .kill = { boot->pid, boot->uid, 0 } };

	if (sig > NSIG)
		return -EINVAL;
	return sig ? signal_send(&info, to) : 0;
}

/* As every process 1 it ignores what it does not ask for. */
static long send_init(u32 sig)
{
	return sig > NSIG ? -EINVAL : boot->uid ? -EPERM : 0;
}

long sys_kill(const u64 a[6])
{
	int pid = a[0];

	/* threads, too, are names for the process */
	if (pid > 0 && thread_find(pid))
		return send((u32)a[1], 0, NULL);
	if (pid == INIT)
		return send_init(a[1]);
	if (boot->forked)
		return (u32)a[1] > NSIG ? -EINVAL : forward(NR_kill, a);
	/* it is alone, and leads its process group */
	return pid == -(int)boot->pid || !pid ? send((u32)a[1], 0, NULL) : -ESRCH;
}

#define SI_TKILL	-6

long sys_tkill(const u64 a[6])
{
	struct thread *to = thread_find(a[0]);

	if ((int)a[0] <= 0)
		return -EINVAL;
	return to ? send((u32)a[1], SI_TKILL, to) : -ESRCH;
}

long sys_tgkill(const u64 a[6])
{
	struct thread *to = thread_find(a[1]);

	if ((int)a[0] <= 0 || (int)a[1] <= 0)
		return -EINVAL;
	return to && (u32)a[0] == boot->pid ? send((u32)a[2], SI_TKILL, to) : -ESRCH;
}

static long queue_info(u64 sig, gva_t from, struct thread *to)
{
	struct siginfo info;

	if (get_user(info, from))
		return -EFAULT;
	if ((u32)sig > NSIG)
		return -EINVAL;
	info.signo = sig;
	return sig ? signal_send(&info, to) : 0;
}

long sys_rt_sigqueueinfo(const u64 a[6])
{
	struct siginfo info;

	if ((int)a[0] == INIT)
		return get_user(info, a[2]) ? -EFAULT : send_init(a[1]);
	if (thread_find(a[0]) || !boot->forked)
		return thread_find(a[0]) ? queue_info((u32)a[1], a[2], NULL) : -ESRCH;
	return (u32)a[1] > NSIG ? -EINVAL : forward(NR_rt_sigqueueinfo, a);
}

long sys_rt_tgsigqueueinfo(const u64 a[6])
{
	struct thread *to = thread_find(a[1]);

	if ((int)a[0] <= 0 || (int)a[1] <= 0)
		return -EINVAL;
	return to && (u32)a[0] == boot->pid ? queue_info((u32)a[2], a[3], to) : -ESRCH;
}

void signal_init(void)
{
	sigframe_init();
	sigqueue_init();
	for (int sig = 1; sig <= NSIG; sig++)
		if (boot->ignored & BIT(sig))
			signal_actions[sig].handler = SIG_IGN;
	boot->autoreap = signal_actions[SIGCHLD].handler == SIG_IGN;
	boot->signals_caught = boot->signals_pending = 0;
	signal_block(&thread0, boot->blocked);
}
