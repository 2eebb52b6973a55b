/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Futexes. They wait in the host's, on the same word of memory; what nobody waits
 * for is answered here. futex(2), and its robust ones, set_robust_list(2).
 */
#include "shim.h"

#define OWNER_DIED	0x40000000u
#define WAITERS		0x80000000u
#define TID		0x3fffffffu
#define ROBUST_LIMIT	2048		/* entries, as on Linux: a list may be a circle */

/* How many wait, by the word's place in its page. */
static u32 waiting[64];
static bool requeued;	/* some now wait elsewhere than where they are counted */

static u32 *waiters(gva_t va)
{
	return &waiting[va >> 2 & 63];
}

/* One thread more, or less, that waits for words of these places. */
static void count_waiting(u64 places, int n)
{
	for (; places; places &= places - 1)
		__atomic_add_fetch(&waiting[__builtin_ctzll(places)], n, __ATOMIC_SEQ_CST);
}

/* Whether other processes may have the word, too. */
static bool is_shared(gva_t va)
{
	bool shared;
	u32 i;

	if (!window_any)
		return false;
	lock(&mm_lock);
	i = vma_find(va);
	shared = i < vma_count && vma_at(i)->start <= va && (vma_at(i)->flags & VMA_SHARED);
	mm_unlock();
	return shared;
}

/* Whether a wake-up could find someone. What the program stored before comes before the look. */
static bool awaited(gva_t va)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return requeued || *waiters(va) || is_shared(va);
}

static long wait_for(const u64 a[6], u32 op)
{
	struct thread *t = current;
	long ret;

	if (op == ABI_FUTEX_WAIT_BITSET && !(u32)a[5])
		return -EINVAL;
	__atomic_add_fetch(waiters(a[0]), 1, __ATOMIC_SEQ_CST);
	ret = forward(NR_futex, a);
	__atomic_sub_fetch(waiters(a[0]), 1, __ATOMIC_SEQ_CST);
	/* a wait for some time is not made again after a handler */
	if (a[3] && t->interrupted)
		t->interrupted = 1 + ABI_RESTART_NEVER;
	return ret;
}

long sys_futex_waitv(const u64 a[6])
{
	struct abi_futex_waitv w;
	u64 places = 0;
	long ret;

	if ((u32)a[2] || !(u32)a[1] || (u32)a[1] > ABI_FUTEX_WAITV || !a[0] || (a[3] && (u32)a[4] > 1))
		return -EINVAL;
	for (u32 k = 0; k < (u32)a[1]; k++) {
		if (copy_in(&w, a[0] + k * sizeof(w), sizeof(w)))
			return -EFAULT;
		if ((w.flags & ~ABI_FUTEX_PRIVATE) != ABI_FUTEX_32 || w.reserved || (w.address & 3))
			return -EINVAL;
		places |= 1ull << (w.address >> 2 & 63);
	}
	count_waiting(places, 1);
	ret = forward(NR_futex_waitv, a);
	count_waiting(places, -1);
	return ret;
}

/* ------------------------------------------------------------------------ locks, FUTEX_LOCK_PI */

/*
 * The word has its owner's ID. Priorities are the host's, and the program cannot change them, so
 * there is none to inherit: who unlocks wakes one who waits, and whoever is first has the lock.
 */

/* Takes the lock if nobody has it: 0; -EAGAIN with *was the word; or another error. */
static long pi_take(gva_t va, u32 *was)
{
	u32 tid = current->tid;
	long err;

	if (get_user(*was, va))
		return -EFAULT;
	for (;;) {
		if ((*was & TID) == tid)
			return -EDEADLK;
		if (*was & TID)
			return -EAGAIN;
		/* who came here to wait, and was woken, or had to handle a signal, may not be alone with that */
		err = user_swap(va, was, tid | (*was & OWNER_DIED) | (awaited(va) ? WAITERS : 0));
		if (err <= 0)
			return err;
	}
}

static long pi_lock(const u64 a[6], u32 op)
{
	bool real = op == ABI_FUTEX_LOCK_PI || (a[1] & ABI_FUTEX_REALTIME);
	u64 wait[6] = {
		a[0], ABI_FUTEX_WAIT_BITSET | (a[1] & ABI_FUTEX_PRIVATE) | (real ? ABI_FUTEX_REALTIME : 0),
		0, a[3], 0, ~0u,
	};
	struct thread *t = current;
	u32 was;
	long ret = pi_take(a[0], &was);

	if (ret != -EAGAIN)
		return ret;
	__atomic_add_fetch(waiters(a[0]), 1, __ATOMIC_SEQ_CST);
	while ((ret = pi_take(a[0], &was)) == -EAGAIN) {
		if (!(was & WAITERS)) {
			ret = user_swap(a[0], &was, was | WAITERS);
			if (ret < 0)
				break;
			if (ret)
				continue;
			was |= WAITERS;
		}
		/* of another process's threads nobody here knows */
		if (!thread_find(was & TID) && !is_shared(a[0])) {
			ret = -ESRCH;
			break;
		}
		wait[2] = was;
		ret = forward(NR_futex, wait);
		if (ret && ret != -EAGAIN)
			break;
	}
	__atomic_sub_fetch(waiters(a[0]), 1, __ATOMIC_SEQ_CST);
	if (t->interrupted)
		t->interrupted = 1 + ABI_RESTART_ALWAYS;
	return ret;
}

static long pi_unlock(const u64 a[6])
{
	u32 was;
	long err;

	if (get_user(was, a[0]))
		return -EFAULT;
	do {
		if ((was & TID) != current->tid)
			return -EPERM;
		err = user_swap(a[0], &was, 0);
	} while (err > 0);
	if (!err)
		sys_futex((const u64[6]){ a[0], ABI_FUTEX_WAKE | (a[1] & ABI_FUTEX_PRIVATE), 1 });
	return err;
}

static long pi_try(const u64 a[6])
{
	u32 was;

	return pi_take(a[0], &was);
}

long sys_futex(const u64 a[6])
{
	u32 op = a[1] & ABI_FUTEX_COMMAND, value;
	long ret;

	if ((a[0] & 3) || (abi_futex_has_two(op) && (a[4] & 3)))
		return -EINVAL;
	if ((a[1] & ABI_FUTEX_REALTIME) && op != ABI_FUTEX_WAIT_BITSET && op != ABI_FUTEX_LOCK_PI2)
		return -ENOSYS;
	if (a[0] >= ABI_USER_END)
		return -EFAULT;
	switch (op) {
	case ABI_FUTEX_WAIT:
	case ABI_FUTEX_WAIT_BITSET:
		return wait_for(a, op);
	case ABI_FUTEX_WAKE_BITSET:
		if (!(u32)a[5])
			return -EINVAL;
		/* fall through */
	case ABI_FUTEX_WAKE:
		ret = awaited(a[0]) ? forward(NR_futex, a) : get_user(value, a[0]);
		/* Linux does not look at a private one */
		return ret == -EFAULT && (a[1] & ABI_FUTEX_PRIVATE) ? 0 : ret;
	case ABI_FUTEX_REQUEUE:
	case ABI_FUTEX_CMP_REQUEUE:
		ret = forward(NR_futex, a);
		if (ret > 0)
			requeued = true;
		return ret;
	case ABI_FUTEX_WAKE_OP:
		return forward(NR_futex, a);
	case ABI_FUTEX_LOCK_PI:
	case ABI_FUTEX_LOCK_PI2:
		return pi_lock(a, op);
	case ABI_FUTEX_UNLOCK_PI:
		return pi_unlock(a);
	case ABI_FUTEX_TRYLOCK_PI:
		return pi_try(a);
	default:
		return -ENOSYS;
	}
}

void futex_forked(void)
{
	memset(waiting, 0, sizeof(waiting));
	requeued = false;
}

void futex_wake(gva_t va, u32 n)
{
	const u64 a[6] = { va, ABI_FUTEX_WAKE, n };

	sys_futex(a);
}

/* A lock that its owner cannot give back any more. */
static void owner_died(gva_t va, u32 tid, bool pending)
{
	u32 was;
	long swapped;

	if ((va & 3) || !user_writable(va, sizeof(was)) || get_user(was, va))
		return;
	/* given back already, but whoever waits was perhaps not told */
	if (pending && !was) {
		futex_wake(va, 1);
		return;
	}
	do {
		if ((was & TID) != tid)
			return;
		swapped = user_swap(va, &was, (was & WAITERS) | OWNER_DIED);
		if (swapped < 0)
			return;
	} while (swapped);
	if (was & WAITERS)
		futex_wake(va, 1);
}

void futex_end(struct thread *t)
{
	struct { gva_t next; u64 offset; gva_t pending; } head;
	gva_t entry, next;

	if (!t->robust_list || get_user(head, t->robust_list))
		return;
	/* bit 0 marks a lock of FUTEX_LOCK_PI, which makes no difference here */
	entry = head.next & ~1ull;
	for (u32 n = 0; n < ROBUST_LIMIT && entry != t->robust_list; n++) {
		bool bad = get_user(next, entry);

		if (entry != (head.pending & ~1ull))
			owner_died(entry + head.offset, t->tid, false);
		if (bad)
			break;
		entry = next & ~1ull;
	}
	if (head.pending)
		owner_died((head.pending & ~1ull) + head.offset, t->tid, true);
}

void futex_end_all(void)
{
	static bool begun;
	struct thread *t;

	/* others can only know of locks in memory that they share; at the first end, not at one on the way there */
	if (!window_any || __atomic_exchange_n(&begun, true, __ATOMIC_SEQ_CST))
		return;
	for (u32 i = 0; (t = thread_at(i)); i++)
		if (t->alive)
			futex_end(t);
}
