/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals: actions, masks, the queue, delivery; signal(7). */
#include "shim.h"

#define BIT		SIGBIT
#define STOPS		(BIT(19) | BIT(20) | BIT(21) | BIT(22))		/* STOP TSTP TTIN TTOU */
#define IGNORED		(BIT(17) | BIT(18) | BIT(23) | BIT(28))		/* CHLD CONT URG WINCH */
#define SYNCHRONOUS	(BIT(4) | BIT(5) | BIT(7) | BIT(8) | BIT(11) | BIT(31))
#define RT_MIN		32
#define QUEUE_MAX	1024

#define SI_TIMER	-2
#define TIMERS		256		/* the runner's limit */

#define SIG_DFL		0
#define SIG_IGN		1
#define SA_ONESHOT	0x80000000ull
#define SA_NODEFER	0x40000000ull
#define SA_RESTART	0x10000000ull
#define SA_SUPPORTED	0xdc000807ull	/* those Linux keeps: NOCLDSTOP NOCLDWAIT SIGINFO EXPOSE_TAGBITS RESTORER ... */

struct sigqueue {
	struct sigqueue *next;
	struct siginfo info;
};

struct thread thread0;
static struct sigaction actions[NSIG + 1];
static struct sigqueue *unused;		/* of all the pages taken so far */
static u32 queued;

static struct sigqueue *entry_get(void)
{
	struct sigqueue *q;

	if (!unused) {
		gpa_t page = page_alloc(PAGE_TABLE);

		if (!page)
			return NULL;
		q = direct(page);
		for (u32 i = 0; i < PAGE_SIZE / sizeof(*q); i++) {
			q[i].next = unused;
			unused = &q[i];
		}
	}
	q = unused;
	unused = q->next;
	queued++;
	return q;
}

static void entry_put(struct sigqueue *q)
{
	q->next = unused;
	unused = q;
	queued--;
}

static bool ignored(int sig)
{
	return actions[sig].handler == SIG_IGN || (actions[sig].handler == SIG_DFL && (IGNORED & BIT(sig)));
}

/* Drops every pending signal of a set. */
static void discard(struct thread *t, u64 set)
{
	struct sigqueue **at = &t->queue;

	while (*at) {
		struct sigqueue *q = *at;

		if (set & BIT(q->info.signo)) {
			*at = q->next;
			entry_put(q);
		} else {
			at = &q->next;
		}
	}
	t->pending &= ~set;
}

static bool same_timer(const struct siginfo *a, const struct siginfo *b)
{
	return a->code == SI_TIMER && b->code == SI_TIMER && a->signo == b->signo && a->timer.id == b->timer.id;
}

/* A timer's signal is pending once, and counts how often it would have been more. */
static bool count_overrun(struct thread *t, const struct siginfo *info)
{
	for (struct sigqueue *q = t->queue; q; q = q->next)
		if (same_timer(&q->info, info)) {
			q->info.timer.overrun += info->timer.overrun + 1;
			return true;
		}
	return false;
}

int signal_send(const struct siginfo *info)
{
	struct thread *t = current;
	struct sigqueue *q, **at;
	int sig = info->signo;

	if (sig < 1 || sig > NSIG)
		return -EINVAL;
	if (sig == SIGCONT)
		discard(t, STOPS);
	else if (STOPS & BIT(sig))
		discard(t, BIT(SIGCONT));
	/* an ignored signal that is blocked stays pending: sigwait may want it */
	if (ignored(sig) && !(t->mask & BIT(sig)))
		return 0;
	if (info->code == SI_TIMER ? count_overrun(t, info) : sig < RT_MIN && (t->pending & BIT(sig)))
		return 0;
	q = queued < QUEUE_MAX ? entry_get() : NULL;
	if (!q && sig >= RT_MIN)
		return -EAGAIN;
	t->pending |= BIT(sig);
	if (!q)
		return 0;		/* delivered without its siginfo */
	q->info = *info;
	q->next = NULL;
	for (at = &t->queue; *at; at = &(*at)->next)
		;
	*at = q;
	return 0;
}

/* What timer_getoverrun(2) tells: of each timer's signal that was last delivered. */
static struct { int id, count; } overruns[TIMERS];
static u32 last_overrun;

static void note_overrun(const struct siginfo *info)
{
	u32 i = 0;

	while (i < TIMERS && overruns[i].id != info->timer.id)
		i++;
	if (i == TIMERS)
		i = last_overrun++ % TIMERS;
	overruns[i].id = info->timer.id;
	overruns[i].count = info->timer.overrun;
}

long sys_timer_getoverrun(const u64 a[6])
{
	long ret = forward(225, a);

	for (u32 i = 0; i < TIMERS && ret >= 0; i++)
		if (overruns[i].id == (int)a[0])
			return overruns[i].count;
	return ret;
}

/* Takes the next pending signal of a set: synchronous ones first, then by number; 0 when none. */
static int take(struct thread *t, u64 set, struct siginfo *info)
{
	u64 ready = t->pending & set;
	struct sigqueue **at = &t->queue, *q;
	bool more = false;
	int sig;

	if (ready & SYNCHRONOUS)
		ready &= SYNCHRONOUS;
	if (!ready)
		return 0;
	sig = __builtin_ctzll(ready) + 1;
	*info = (struct siginfo){ .signo = sig };
	while (*at && (*at)->info.signo != sig)
		at = &(*at)->next;
	q = *at;
	if (q) {
		*info = q->info;
		*at = q->next;
		for (struct sigqueue *p = q->next; p; p = p->next)
			more |= p->info.signo == sig;
		entry_put(q);
		if (info->code == SI_TIMER)
			note_overrun(info);
	}
	if (!more)
		t->pending &= ~BIT(sig);
	return sig;
}

bool signal_waiting(void)
{
	return current->pending & ~current->mask;
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
			signal_send((struct siginfo *)f->data + i);
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
	bool made_again = restart == 1 + ABI_RESTART_SA && (flags & SA_RESTART);

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
	struct thread *t = current;
	struct sigaction *act = &actions[info->signo], now = *act;
	u64 mask = t->masked ? t->saved_mask : t->mask;

	settle_call(r, now.flags);
	if (now.flags & SA_ONESHOT)
		act->handler = SIG_DFL;
	if (sigframe_push(r, info, &now, mask)) {
		if (info->signo == SIGSEGV)
			end_program(0, SIGSEGV, ABI_END_STATUS);
		signal_fault(r, SIGSEGV, SI_KERNEL, 0);
		return;
	}
	t->masked = false;
	t->mask |= now.mask | (now.flags & SA_NODEFER ? 0 : BIT(info->signo));
	t->mask &= ~UNBLOCKABLE;
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

	while ((sig = take(t, ~t->mask, &info))) {
		gva_t handler = actions[sig].handler;

		if (handler > SIG_IGN) {
			handle(r, &info);
			continue;
		}
		if (ignored(sig))
			continue;
		if (STOPS & BIT(sig))
			stop(sig);
		else
			end_program(0, sig, ABI_END_STATUS);
	}
	if (t->masked) {
		t->mask = t->saved_mask;
		t->masked = false;
	}
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

	if (actions[signo].handler <= SIG_IGN || (current->mask & BIT(signo)))
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
	t->mask = mask & ~UNBLOCKABLE;
	return 0;
}

long sys_rt_sigaction(const u64 a[6])
{
	struct sigaction new, old;
	u64 sig = a[0];

	if (a[3] != sizeof(u64) || sig < 1 || sig > NSIG || (a[1] && (UNBLOCKABLE & BIT(sig))))
		return -EINVAL;
	if (a[1] && get_user(new, a[1]))
		return -EFAULT;
	old = actions[sig];
	if (a[1]) {
		new.mask &= ~UNBLOCKABLE;
		new.flags &= SA_SUPPORTED;
		actions[sig] = new;
		if (ignored(sig))
			discard(current, BIT(sig));
	}
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
		t->mask = set & ~UNBLOCKABLE;
	}
	return a[2] && put_user(old, a[2]) ? -EFAULT : 0;
}

long sys_rt_sigpending(const u64 a[6])
{
	u64 set = current->pending & current->mask;

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
	return wait_here(34, a);
}

long sys_rt_sigsuspend(const u64 a[6])
{
	int err;

	if (!a[0])
		return a[1] == sizeof(u64) ? -EFAULT : -EINVAL;
	err = signal_call_mask(a[0], a[1]);
	return err ? err : wait_here(130, a);
}

/* Calls that wait under a mask of their own. */
long sys_ppoll(const u64 a[6])
{
	int err = signal_call_mask(a[3], a[4]);

	return err ? err : wait_here(271, a);
}

long sys_pselect6(const u64 a[6])
{
	struct { gva_t set; u64 size; } arg = { 0 };
	int err;

	if (a[5] && get_user(arg, a[5]))
		return -EFAULT;
	err = signal_call_mask(arg.set, arg.size);
	return err ? err : wait_here(270, a);
}

long sys_epoll_pwait(const u64 a[6])
{
	int err = signal_call_mask(a[4], a[5]);

	return err ? err : wait_here(281, a);
}

long sys_epoll_pwait2(const u64 a[6])
{
	int err = signal_call_mask(a[4], a[5]);

	return err ? err : wait_here(441, a);
}

long sys_rt_sigtimedwait(const u64 a[6])
{
	struct thread *t = current;
	struct siginfo info;
	u64 set;
	int sig;

	if (a[3] != sizeof(set))
		return -EINVAL;
	if (get_user(set, a[0]))
		return -EFAULT;
	for (;;) {
		long ret;

		sig = take(t, set & ~UNBLOCKABLE, &info);
		if (sig)
			break;
		ret = wait_here(128, a);
		if (ret != -EINTR)
			return ret;
		signal_fetch();
		if (signal_waiting() && !(t->pending & set & ~UNBLOCKABLE))
			return ret;
		t->interrupted = 0;
		t->resumed = true;
	}
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

static long send_self(u64 sig, int code)
{
	struct siginfo info = { .signo = sig, .code = code, .kill = { boot->pid, boot->uid, 0 } };

	if (sig > NSIG)
		return -EINVAL;
	return sig ? signal_send(&info) : 0;
}

long sys_kill(const u64 a[6])
{
	int pid = a[0];

	/* the program is alone, and leads its own process group */
	if (pid != (int)boot->pid && pid != -(int)boot->pid && pid != 0)
		return -ESRCH;
	return send_self((u32)a[1], 0);
}

long sys_tkill(const u64 a[6])
{
	if ((int)a[0] <= 0)
		return -EINVAL;
	return (u32)a[0] == current->tid ? send_self((u32)a[1], -6) : -ESRCH;
}

long sys_tgkill(const u64 a[6])
{
	if ((int)a[0] <= 0 || (int)a[1] <= 0)
		return -EINVAL;
	if ((u32)a[0] != boot->pid)
		return -ESRCH;
	return (u32)a[1] == current->tid ? send_self((u32)a[2], -6) : -ESRCH;
}

static long queue_info(u64 sig, gva_t from)
{
	struct siginfo info;

	if (get_user(info, from))
		return -EFAULT;
	if ((u32)sig > NSIG)
		return -EINVAL;
	info.signo = sig;
	return sig ? signal_send(&info) : 0;
}

long sys_rt_sigqueueinfo(const u64 a[6])
{
	return (u32)a[0] == boot->pid ? queue_info((u32)a[1], a[2]) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(const u64 a[6])
{
	if ((int)a[0] <= 0 || (int)a[1] <= 0)
		return -EINVAL;
	return (u32)a[0] == boot->pid && (u32)a[1] == current->tid ? queue_info((u32)a[2], a[3]) : -ESRCH;
}

void signal_init(void)
{
	sigframe_init();
	for (int sig = 1; sig <= NSIG; sig++)
		if (boot->ignored & BIT(sig))
			actions[sig].handler = SIG_IGN;
	thread0.mask = boot->blocked & ~UNBLOCKABLE;
	thread0.alt.flags = SS_DISABLE;
	for (u32 i = 0; i < TIMERS; i++)
		overruns[i].id = -1;
}
