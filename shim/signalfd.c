/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * signalfd(2). What is pending is known here alone, so the runner, whose descriptor poll(2)
 * looks at, is told of it, and a read comes back to be served from the queue.
 */
#include "shim.h"

#define SI_SIGIO	-5
#define SIGIO		29
#define SIGSYS		31
#define FAULTS		(SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | SIGBIT(SIGBUS) | SIGBIT(SIGFPE) | SIGBIT(SIGSEGV))
#define NO_WAIT		SIGBIT(SIGKILL)		/* in the runner's answer; no descriptor tells of this one */

/* What the runner was last told, under signal_lock. */
static u64 told;

void signalfd_tell(u64 arrived)
{
	u64 set;

	if (!boot->signalfds)
		return;
	set = signals_pending_anywhere() & boot->signalfds;
	arrived &= boot->signalfds;
	if (set == told && !arrived)
		return;
	told = set;
	ask_runner(ABI_OP_PENDING, set, arrived);
}

void signalfd_forked(void)
{
	told = 0;
}

static long make(u32 nr, const u64 a[6])
{
	long ret = forward(nr, a);

	if (ret < 0)
		return ret;
	lock(&signal_lock);
	told = ~0ull;
	signalfd_tell(0);
	unlock(&signal_lock);
	return ret;
}

long sys_signalfd(const u64 a[6])
{
	return make(NR_signalfd, a);
}

long sys_signalfd4(const u64 a[6])
{
	return make(NR_signalfd4, a);
}

/* struct signalfd_siginfo */
struct told_signal {
	u32 signo;
	int err, code;
	u32 pid, uid;
	int fd;
	u32 tid, band, overrun, trapno;
	int status, value_int;
	u64 value_ptr, utime, stime, addr;
	u16 addr_lsb;
	u8 rest[46];
};
_Static_assert(sizeof(struct told_signal) == 128, "struct signalfd_siginfo");

/* What a siginfo has depends on who has sent it, as in siginfo_layout(). */
static struct told_signal tell(const struct siginfo *info)
{
	struct told_signal t = { .signo = info->signo, .err = info->err, .code = info->code };
	bool kernels = info->code > 0 && info->code < SI_KERNEL;

	if (info->code == SI_TIMER) {
		t.tid = info->timer.id;
		t.overrun = info->timer.overrun;
		t.value_ptr = info->timer.value;
		t.value_int = info->timer.value;
	} else if (info->code == SI_SIGIO || (kernels && info->signo == SIGIO)) {
		memcpy(&t.band, info->bytes, sizeof(t.band));
		memcpy(&t.fd, info->bytes + 8, sizeof(t.fd));
	} else if (kernels && info->signo <= SIGSYS && (FAULTS & SIGBIT(info->signo))) {
		t.addr = info->fault.addr;
	} else if (kernels && info->signo == SIGCHLD) {
		t.pid = info->kill.pid;
		t.uid = info->kill.uid;
		memcpy(&t.status, info->bytes + 8, sizeof(t.status));
		memcpy(&t.utime, info->bytes + 16, sizeof(t.utime));
		memcpy(&t.stime, info->bytes + 24, sizeof(t.stime));
	} else {
		t.pid = info->kill.pid;
		t.uid = info->kill.uid;
		if (info->code < 0) {
			t.value_ptr = info->kill.value;
			t.value_int = info->kill.value;
		}
	}
	return t;
}

/* The next place for one in the buffer of read(2), or in those of readv(2); 0: there is none. */
struct room {
	gva_t at;
	u64 left;
	gva_t iov;
	u64 n;
};

static gva_t next_place(struct room *r)
{
	struct { gva_t base; u64 len; } v;
	gva_t at = r->at;

	while (r->left < sizeof(struct told_signal)) {
		if (!r->n || get_user(v, r->iov))
			return 0;
		r->iov += sizeof(v);
		r->n--;
		r->at = at = v.base;
		r->left = v.len;
	}
	r->at += sizeof(struct told_signal);
	r->left -= sizeof(struct told_signal);
	return at;
}

/* As many as are there and have room: bytes, 0 for none, or -EFAULT. */
static long take_all(struct room *r, u64 set)
{
	struct siginfo info;
	long done = 0;

	while (signal_any(set)) {
		struct room before = *r;
		gva_t at = next_place(r);
		struct told_signal t;

		if (!at)
			break;
		if (!signal_take(set, &info)) {
			*r = before;
			break;
		}
		t = tell(&info);
		if (put_user(t, at))
			return done ? done : -EFAULT;
		done += sizeof(t);
	}
	return done;
}

long signalfd_read(u32 nr, const u64 a[6], u64 set)
{
	struct room r = { .at = a[1], .left = a[2] }, look;
	struct thread *t = current;
	long ret;

	if (nr == NR_readv)
		r = (struct room){ .iov = a[1], .n = a[2] };
	look = r;
	if (!next_place(&look))
		return -EINVAL;
	/* from here on who sends one of them tells this thread */
	__atomic_store_n(&t->waits, set & ~UNBLOCKABLE, __ATOMIC_SEQ_CST);
	for (;;) {
		if (this_cpu()->frame->kick)
			signal_fetch();
		ret = take_all(&r, set & ~UNBLOCKABLE);
		if (ret)
			break;
		ret = -EAGAIN;
		if (set & NO_WAIT)
			break;
		ret = -EINTR;
		if (signal_waiting()) {
			t->interrupted = 1 + ABI_RESTART_SA;
			break;
		}
		ask_runner(ABI_OP_PAUSE, 0, 0);
		cpu_flush();
	}
	t->waits = 0;
	return ret;
}
