/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interrupt.h"
#include "ipc.h"
#include "ipc_call.h"
#include "ipc_table.h"
#include "msg.h"
#include "process.h"
#include "process_table.h"
#include "vm.h"

#define MARK	0x80000000u	/* in the lock: others wait */
#define PATIENCE 1000000000ll	/* ns that the end of a process waits for the lock at most */

struct ipc *ipc;
uint64_t ipc_memory_size, ipc_memory_limit;
uint8_t *ipc_memory;
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
gid_t ipc_gid;
static bool over;		/* this process has left */

void ipc_init(const struct vm *vm)
{
	mq_init();
	process_guard(&making);
	/* nobody else is there yet */
	ipc_umask_is(umask(0));
	umask(ipc_umask());
	/* twice of what may be in use, as its pieces are not moved */
	ipc_gid = vm->gid;
	ipc_memory_limit = vm->mem_limit;
	ipc_memory_size = 2 * vm->mem_limit;
}

static void *reserve(uint64_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

void ipc_prepare(void)
{
	void *table;

	pthread_mutex_lock(&making);
	if (!ipc) {
		ipc_memory = reserve(ipc_memory_size);
		if (ipc_memory == MAP_FAILED)
			ipc_memory_size = ipc_memory_limit = 0;
		else
			madvise(ipc_memory, ipc_memory_size, MADV_DONTDUMP);
		table = reserve(sizeof(*ipc));
		if (table == MAP_FAILED)
			vmsg("no message queues, semaphores and shared memory segments: %m");
		else
			__atomic_store_n(&ipc, table, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&making);
}

/* ------------------------------------------------------------------ the lock */

/*
 * Its owner is a process, since only those die: threads in the middle of something do not. Whoever
 * finds a process dead has the lock freed. A mutex of libc's would keep pointers in it.
 */
static bool take(int64_t patience)
{
	uint32_t me = process_pid(), was = 0;
	struct timespec a_while = { 0, 100000000 };

	if (__atomic_compare_exchange_n(&ipc->lock, &was, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return true;
	for (;;) {
		was = 0;
		if (__atomic_compare_exchange_n(&ipc->lock, &was, me | MARK, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
		if (!(was & MARK) && !__atomic_compare_exchange_n(&ipc->lock, &was, was | MARK, false, __ATOMIC_RELAXED,
								  __ATOMIC_RELAXED))
			continue;
		if (patience <= 0)
			return false;
		if (patience != INT64_MAX)
			patience -= a_while.tv_nsec;
		syscall(SYS_futex, &ipc->lock, FUTEX_WAIT, was | MARK, &a_while);
	}
}

void ipc_leave(void)
{
	if (__atomic_exchange_n(&ipc->lock, 0, __ATOMIC_RELEASE) & MARK)
		syscall(SYS_futex, &ipc->lock, FUTEX_WAKE, 1);
}

bool ipc_try(void)
{
	if (!take(INT64_MAX))
		return false;
	if (!over)
		return true;
	ipc_leave();
	return false;
}

long ipc_enter(void)
{
	if (!ipc && !process_forked())
		ipc_prepare();
	if (!ipc)
		return -ENOMEM;
	while (!ipc_try())
		pause();
	return 0;
}

/* What a process has left behind that died with the lock. */
static void mend(void)
{
	for (uint32_t i = 0; i < MQ_QUEUES; i++)
		if (ipc->mq[i].used)
			ipc_recount(&ipc->mq[i].list);
	for (uint32_t i = 0; i < ipc->msg_ids.top && i < MSG_QUEUES; i++)
		if (ipc->msgq[i].o.used)
			ipc_recount(&ipc->msgq[i].list);
}

/* ------------------------------------------------------------------ waiting */

uint32_t ipc_waiting(uint32_t what, uint32_t object, uint32_t number)
{
	uint32_t n = 0, top = ipc->waiter_top < WAITERS ? ipc->waiter_top : WAITERS;

	for (uint32_t i = 0; i < top; i++) {
		const struct ipc_waiter *w = &ipc->waiter[i];

		n += w->pid && w->what == what && w->object == object && w->number == number;
	}
	return n;
}

/* NULL: they are too many to be counted. */
static struct ipc_waiter *count(struct ipc_waiter as)
{
	for (uint32_t i = 0; i < WAITERS; i++) {
		struct ipc_waiter *w = &ipc->waiter[i];

		if (w->pid)
			continue;
		if (i >= ipc->waiter_top)
			ipc->waiter_top = i + 1;
		*w = as;
		w->pid = process_pid();
		return w;
	}
	return NULL;
}

long ipc_wait(uint32_t *word, const struct timespec *end, bool realtime, struct ipc_waiter as)
{
	uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	struct ipc_waiter *w = count(as);
	long ret;

	ipc_leave();
	ret = interruptible_syscall(SYS_futex, (long)word, FUTEX_WAIT_BITSET | (realtime ? FUTEX_CLOCK_REALTIME : 0), seen,
				    (long)end, 0, FUTEX_BITSET_MATCH_ANY);
	ipc_enter();
	if (w)
		w->pid = 0;
	return ret == -EINTR || ret == -ETIMEDOUT ? ret : 0;
}

void ipc_wake(uint32_t *word)
{
	__atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX);
}

/* ------------------------------------------------------------------ processes */

uint32_t ipc_slot(void)
{
	return proc_self ? proc_self - procs->process : 0;
}

int64_t ipc_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

void ipc_fork(void)
{
	if (ipc)
		take(INT64_MAX);
}

void ipc_forked(uint32_t parent, uint32_t child, bool made)
{
	if (!ipc)
		return;
	if (made) {
		mq_forked(parent, child);
		shm_forked(parent, child);
	}
	ipc_leave();
}

void ipc_bury(int pid, uint32_t slot, bool self)
{
	uint32_t top;

	if (!ipc || slot >= PROCS_MAX)
		return;
	if (!self && (__atomic_load_n(&ipc->lock, __ATOMIC_RELAXED) & ~MARK) == (uint32_t)pid) {
		/* it died with it */
		__atomic_store_n(&ipc->lock, process_pid() | MARK, __ATOMIC_SEQ_CST);
		mend();
	} else if (!take(PATIENCE)) {
		return;
	}
	over |= self;
	mq_bury(pid, slot);
	shm_bury(slot);
	sem_bury(pid);
	top = ipc->waiter_top < WAITERS ? ipc->waiter_top : WAITERS;
	for (uint32_t i = 0; i < top; i++)
		if (ipc->waiter[i].pid == pid)
			ipc->waiter[i].pid = 0;
	ipc_leave();
}

/* ------------------------------------------------------------------ System V objects */

static struct ipc_ids *ids(const struct ipc_kind *k)
{
	return (struct ipc_ids *)((uint8_t *)ipc + k->ids);
}

void *ipc_at(const struct ipc_kind *k, uint32_t i)
{
	return (uint8_t *)ipc + k->objects + (i < k->max ? i : 0) * k->size;
}

static uint32_t top_of(const struct ipc_kind *k)
{
	return ids(k)->top < k->max ? ids(k)->top : k->max;
}

int ipc_id(const struct ipc_kind *k, uint32_t i)
{
	const struct ipc_object *o = ipc_at(k, i);

	return (o->seq & 0xffff) << 15 | i;
}

void *ipc_find(const struct ipc_kind *k, int id, uint32_t *i)
{
	struct ipc_object *o;

	*i = id & 0x7fff;
	if (id < 0 || *i >= k->max)
		return NULL;
	o = ipc_at(k, *i);
	return o->used && ipc_id(k, *i) == id ? o : NULL;
}

static bool used(const struct ipc_kind *k, uint32_t i)
{
	return ((const struct ipc_object *)ipc_at(k, i))->used;
}

/* As Linux numbers them: one place after another, within a room that grows; the sequence moves on when they come again. */
static int make(const struct ipc_kind *k, int key, int flags)
{
	struct ipc_ids *s = ids(k);
	uint32_t room = s->used < k->max ? s->used / 2 * 3 : k->max, i = s->next;
	struct ipc_object *o;

	if (room < 64)
		room = 64;
	if (room > k->max)
		room = k->max;
	while (i < room && used(k, i))
		i++;
	if (i >= room)
		for (i = 0; i < room && used(k, i);)
			i++;
	if (i >= room)
		return -ENOSPC;
	o = ipc_at(k, i);
	memset(o, 0, k->size);
	if (i < s->next)
		s->seq = (s->seq + 1) & 0xffff;
	s->next = i + 1;
	if (i >= s->top)
		s->top = i + 1;
	s->used++;
	*o = (struct ipc_object){
		.used = 1, .key = key, .mode = flags & 0777, .seq = s->seq,
		.uid = process_uid(), .cuid = process_uid(), .gid = ipc_gid, .cgid = ipc_gid,
	};
	return i;
}

int ipc_get(const struct ipc_kind *k, int key, int flags, bool *fresh)
{
	*fresh = false;
	for (uint32_t i = 0; key != IPC_PRIVATE && i < top_of(k); i++) {
		const struct ipc_object *o = ipc_at(k, i);

		if (o->used && o->key == key)
			return (flags & IPC_CREAT) && (flags & IPC_EXCL) ? -EEXIST : (int)i;
	}
	if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		return -ENOENT;
	*fresh = true;
	return make(k, key, flags);
}

void ipc_free(const struct ipc_kind *k, uint32_t i)
{
	struct ipc_object *o = ipc_at(k, i);

	o->used = 0;
	if (ids(k)->used)
		ids(k)->used--;
}

int ipc_highest(const struct ipc_kind *k)
{
	for (uint32_t i = top_of(k); i--;)
		if (((struct ipc_object *)ipc_at(k, i))->used)
			return i;
	return 0;
}

bool ipc_allowed(const struct ipc_object *o, int flags)
{
	uint32_t wanted = (flags >> 6) | (flags >> 3) | flags, granted = o->mode;

	if (process_uid() == o->uid || process_uid() == o->cuid)
		granted >>= 6;
	else if (ipc_gid == o->gid || ipc_gid == o->cgid)
		granted >>= 3;
	return !(wanted & ~granted & 7);
}

bool ipc_owned(const struct ipc_object *o)
{
	return process_uid() == o->uid || process_uid() == o->cuid;
}

void ipc_tell(const struct ipc_object *o, struct ipc_perm *p)
{
	*p = (struct ipc_perm){
		.__key = o->key, .uid = o->uid, .gid = o->gid, .cuid = o->cuid, .cgid = o->cgid, .mode = o->mode,
		.__seq = o->seq,
	};
}

void ipc_set(struct ipc_object *o, const struct ipc_perm *p)
{
	o->uid = p->uid;
	o->gid = p->gid;
	o->mode = (o->mode & ~0777u) | (p->mode & 0777);
}

int64_t ipc_place(const struct ipc_kind *k, uint64_t *top, uint64_t len, uint64_t size,
		  void (*span)(const void *object, uint64_t *off, uint64_t *len))
{
	uint64_t at = 0, off, n;
	bool moved;

	if (len > size)
		return -1;
	/* the object that it is for is one of them already, and has nothing */
	if (*top <= size - len) {
		at = *top;
		*top += len;
		return at;
	}
	do {
		moved = false;
		for (uint32_t i = 0; i < top_of(k); i++) {
			const struct ipc_object *o = ipc_at(k, i);

			if (!o->used)
				continue;
			span(o, &off, &n);
			if (off < at + len && at < off + n && off + n > at) {
				at = off + n;
				moved = true;
			}
		}
		if (at > size - len)
			return -1;
	} while (moved);
	return at;
}
