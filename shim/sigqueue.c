/* SPDX-License-Identifier: GPL-2.0-only */
/* Pending signals: each thread's own and the process's, and who is told of one. */
#include "shim.h"

#define BIT		SIGBIT
#define STOPS		(BIT(19) | BIT(20) | BIT(21) | BIT(22))		/* STOP TSTP TTIN TTOU */
#define SYNCHRONOUS	(BIT(4) | BIT(5) | BIT(7) | BIT(8) | BIT(11) | BIT(31))
#define RT_MIN		32
#define QUEUE_MAX	1024

struct sigqueue {
	struct sigqueue *next;
	struct siginfo info;
};

lock_t signal_lock;
struct sigaction signal_actions[NSIG + 1];
static struct pending process;
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

bool signal_stops(int sig)
{
	return STOPS & BIT(sig);
}

bool signal_ignored(int sig)
{
	gva_t handler = signal_actions[sig].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && (ABI_NO_ACTION & BIT(sig)));
}

/* For who reads /proc. */
static void show(const struct pending *p)
{
	if (p == &process)
		boot->signals_pending = p->set;
	else
		thread_show((const struct thread *)((u64)p - offsetof(struct thread, pending)));
}

void pending_drop(struct pending *p, u64 set)
{
	struct sigqueue **at = &p->first;

	while (*at) {
		struct sigqueue *q = *at;

		if (set & BIT(q->info.signo)) {
			*at = q->next;
			entry_put(q);
		} else {
			at = &q->next;
		}
	}
	p->set &= ~set;
	show(p);
}

void signal_drop(u64 set)
{
	struct thread *t;

	pending_drop(&process, set);
	for (u32 i = 0; (t = thread_at(i)); i++)
		pending_drop(&t->pending, set);
}

static bool same_timer(const struct siginfo *a, const struct siginfo *b)
{
	return a->code == SI_TIMER && b->code == SI_TIMER && a->signo == b->signo && a->timer.id == b->timer.id;
}

/* A timer's signal is pending once, and counts how often it would have been more. */
static bool count_overrun(struct pending *p, const struct siginfo *info)
{
	for (struct sigqueue *q = p->first; q; q = q->next)
		if (same_timer(&q->info, info)) {
			q->info.timer.overrun += info->timer.overrun + 1;
			return true;
		}
	return false;
}

static int append(struct pending *p, const struct siginfo *info)
{
	struct sigqueue *q, **at;
	int sig = info->signo;

	if (info->code == SI_TIMER ? count_overrun(p, info) : sig < RT_MIN && (p->set & BIT(sig)))
		return 0;
	q = queued < QUEUE_MAX ? entry_get() : NULL;
	if (!q && sig >= RT_MIN)
		return -EAGAIN;
	p->set |= BIT(sig);
	show(p);
	if (q) {
		q->info = *info;
		q->next = NULL;
		for (at = &p->first; *at; at = &(*at)->next)
			;
		*at = q;
	}
	/* without an entry it is delivered without its siginfo */
	signalfd_tell(BIT(sig));
	return 0;
}

static bool wants(const struct thread *t, int sig)
{
	return t->alive && (!(t->mask & BIT(sig)) || (t->waits & BIT(sig)));
}

/* Who is told of a signal for the process: the main thread before others, as on Linux. */
static struct thread *recipient(int sig)
{
	struct thread *t;

	for (u32 i = 0; (t = thread_at(i)); i++)
		if (wants(t, sig))
			return t;
	return NULL;
}

int signal_send(const struct siginfo *info, struct thread *to)
{
	int sig = info->signo, err = 0;
	struct thread *told, *meant;

	if (sig < 1 || sig > NSIG)
		return -EINVAL;
	lock(&signal_lock);
	if (sig == SIGCONT)
		signal_drop(STOPS);
	else if (signal_stops(sig))
		signal_drop(BIT(SIGCONT));
	meant = to ? to : recipient(sig);
	told = NULL;
	/* an ignored signal that is blocked stays pending: sigwait may want it */
	if (!signal_ignored(sig) || ((meant ? meant : current)->mask & BIT(sig))) {
		err = append(to ? &to->pending : &process, info);
		/* only now: who unblocks it after this finds it pending, signal_block() */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		told = to ? wants(to, sig) ? to : NULL : recipient(sig);
	}
	unlock(&signal_lock);
	if (!err && told && told != current)
		thread_kick(told);
	return err;
}

void signal_retarget(u64 set)
{
	struct thread *told;

	set &= process.set;
	for (; set; set &= set - 1) {
		lock(&signal_lock);
		told = recipient(__builtin_ctzll(set) + 1);
		unlock(&signal_lock);
		if (told && told != current)
			thread_kick(told);
	}
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
	long ret = forward(NR_timer_getoverrun, a);

	for (u32 i = 0; i < TIMERS && ret >= 0; i++)
		if (overruns[i].id == (int)a[0])
			return overruns[i].count;
	return ret;
}

/* Synchronous ones first, then by number; 0 when none is in the set. */
static int take(struct pending *p, u64 set, struct siginfo *info)
{
	u64 ready = p->set & set;
	struct sigqueue **at = &p->first, *q;
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
		for (struct sigqueue *n = q->next; n; n = n->next)
			more |= n->info.signo == sig;
		entry_put(q);
		if (info->code == SI_TIMER)
			note_overrun(info);
	}
	if (!more)
		p->set &= ~BIT(sig);
	show(p);
	return sig;
}

int signal_take(u64 set, struct siginfo *info)
{
	int sig;

	if (!(signal_pending() & set))
		return 0;
	lock(&signal_lock);
	sig = take(&current->pending, set, info);
	if (!sig)
		sig = take(&process, set, info);
	if (sig)
		signalfd_tell(0);
	unlock(&signal_lock);
	return sig;
}

void signals_list(struct abi_pending *p)
{
	const struct pending *from[] = { &current->pending, &process };

	lock(&signal_lock);
	p->set = signal_pending();
	p->count = 0;
	for (u32 i = 0; i < ARRAY_SIZE(from); i++)
		for (const struct sigqueue *q = from[i]->first; q && p->count < ABI_EXEC_SIGNALS; q = q->next)
			memcpy(&p->signal[p->count++], &q->info, sizeof(q->info));
	unlock(&signal_lock);
}

bool signal_any(u64 set)
{
	return signal_pending() & set;
}

u64 signals_pending_anywhere(void)
{
	u64 set = process.set;
	struct thread *t;

	for (u32 i = 0; (t = thread_at(i)); i++)
		if (t->alive)
			set |= t->pending.set;
	return set;
}

u64 signal_pending(void)
{
	return current->pending.set | process.set;
}

void sigqueue_forked(void)
{
	struct thread *t;

	signal_lock = (lock_t){ 0 };
	pending_drop(&process, ~0ull);
	for (u32 i = 0; (t = thread_at(i)); i++)
		pending_drop(&t->pending, ~0ull);
}

void sigqueue_init(void)
{
	for (u32 i = 0; i < TIMERS; i++)
		overruns[i].id = -1;
}
