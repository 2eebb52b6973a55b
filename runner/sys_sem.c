/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System V semaphores, sysvipc(7). Who has to wait tries again whenever something of its set has changed.
 * What SEM_UNDO promises is in the table, by process, and done when that has gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/syscall.h>

#include "ipc.h"
#include "ipc_call.h"
#include "nsec.h"
#include "process.h"
#include "sys.h"

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif
/* kernel.sem */
#define PER_SET		32000
#define ALL_TOLD	1024000000
#define OPERATIONS	500
#define VALUE_MAX	32767

_Static_assert(sizeof(struct semid_ds) == ABI_SIZE_semid, "struct semid_ds");
_Static_assert(sizeof(struct seminfo) == ABI_SIZE_seminfo, "struct seminfo");
_Static_assert(sizeof(struct sembuf) == ABI_SIZE_sembuf, "struct sembuf");

static const struct ipc_kind kind = {
	offsetof(struct ipc, sem_ids), offsetof(struct ipc, set), sizeof(struct semset), SEM_SETS,
};

static void span(const void *object, uint64_t *off, uint64_t *len)
{
	const struct semset *s = object;

	*off = s->off;
	*len = s->count;
}

/* Semaphores of a set, as many as *n; NULL if the table is not to be trusted. */
static struct sem *sems_of(const struct semset *s, uint32_t *n)
{
	uint32_t off = s->off;

	*n = s->count;
	return *n <= PER_SET && off <= SEMS && *n <= SEMS - off ? &ipc->sem[off] : NULL;
}

static long make(struct semset *s, int n)
{
	uint64_t top = ipc->sem_ids.used == 1 ? 0 : ipc->sem_top;
	int64_t off;

	if (n <= 0)
		return -EINVAL;
	off = ipc_place(&kind, &top, n, SEMS, span);
	if (off < 0)
		return -ENOMEM;
	ipc->sem_top = top;
	s->off = off;
	s->count = n;
	s->ctime = ipc_time();
	memset(&ipc->sem[off], 0, n * sizeof(struct sem));
	ipc->sem_count += n;
	return 0;
}

long host_semget(struct call *c)
{
	int n = c->arg[1], i;
	long err = ipc_enter();
	struct semset *s;
	bool fresh;

	if (err)
		return err;
	if (n < 0 || n > PER_SET) {
		ipc_leave();
		return -EINVAL;
	}
	i = ipc_get(&kind, c->arg[0], c->arg[2], &fresh);
	s = i < 0 ? NULL : ipc_at(&kind, i);
	if (fresh && s)
		err = make(s, n);
	else if (s && (uint32_t)n > s->count)
		err = -EINVAL;
	else if (s && !ipc_allowed(&s->o, c->arg[2]))
		err = -EACCES;
	if (fresh && err)
		ipc_free(&kind, i);
	if (!err)
		err = s ? ipc_id(&kind, i) : i;
	ipc_leave();
	return err;
}

int sem_count(int id)
{
	struct semset *s;
	uint32_t i, n;

	if (ipc_enter())
		return -EINVAL;
	s = ipc_find(&kind, id, &i);
	n = s ? s->count : 0;
	ipc_leave();
	return n && n <= PER_SET ? (int)n : -EINVAL;
}

/* ------------------------------------------------------------------ SEM_UNDO */

static uint32_t undos(void)
{
	return ipc->undo_top < UNDOS ? ipc->undo_top : UNDOS;
}

/* What process pid has to undo of a semaphore; with make a place for it. NULL: none. */
static struct undo *undo_of(int pid, const struct semset *s, uint16_t num, bool make)
{
	struct undo *free = NULL;

	for (uint32_t i = 0; i < undos(); i++) {
		struct undo *u = &ipc->undo[i];

		if (u->pid == pid && u->set == s - ipc->set && u->seq == s->o.seq && u->num == num)
			return u;
		if (!u->pid && !free)
			free = u;
	}
	if (!make)
		return NULL;
	if (!free && ipc->undo_top < UNDOS)
		free = &ipc->undo[ipc->undo_top++];
	if (free)
		*free = (struct undo){ .pid = pid, .set = s - ipc->set, .seq = s->o.seq, .num = num };
	return free;
}

/* Values that are set have nothing to be undone; num < 0: of the whole set. */
static void forget(const struct semset *s, int num)
{
	for (uint32_t i = 0; i < undos(); i++) {
		struct undo *u = &ipc->undo[i];

		if (u->pid && u->set == s - ipc->set && u->seq == s->o.seq && (num < 0 || u->num == num))
			u->pid = 0;
	}
}

void sem_bury(int pid)
{
	for (uint32_t i = 0; i < undos(); i++) {
		struct undo u = ipc->undo[i];
		struct semset *s;
		struct sem *sem;
		uint32_t n;

		if (u.pid != pid)
			continue;
		ipc->undo[i].pid = 0;
		if (u.set >= SEM_SETS)
			continue;
		s = &ipc->set[u.set];
		sem = sems_of(s, &n);
		if (!s->o.used || s->o.seq != u.seq || !sem || u.num >= n || !u.adjust)
			continue;
		sem[u.num].value += u.adjust;
		if (sem[u.num].value < 0)
			sem[u.num].value = 0;
		if (sem[u.num].value > VALUE_MAX)
			sem[u.num].value = VALUE_MAX;
		sem[u.num].pid = pid;
		s->otime = ipc_time();
		ipc_wake(&s->wake);
	}
}

/* ------------------------------------------------------------------ semop(2) */

/* One of them: 0, 1 if it has to wait, or -errno. */
static int apply(const struct semset *s, struct sem *sem, const struct sembuf *op)
{
	int value = sem->value + op->sem_op;
	const struct undo *u;

	if (!op->sem_op && sem->value)
		return 1;
	if (value < 0)
		return 1;
	if (value > VALUE_MAX)
		return -ERANGE;
	if (op->sem_op && (op->sem_flg & SEM_UNDO)) {
		int adjust;

		u = undo_of(process_pid(), s, op->sem_num, true);
		if (!u)
			return -ENOSPC;
		adjust = u->adjust - op->sem_op;
		if (adjust < -VALUE_MAX - 1 || adjust > VALUE_MAX)
			return -ERANGE;
		((struct undo *)u)->adjust = adjust;
	}
	sem->value = value;
	return 0;
}

/* All or none: 0, -errno, or 1 + the number of the one that has to wait. */
static int try(struct semset *s, const struct sembuf *ops, uint32_t count)
{
	uint32_t n, i;
	struct sem *sem = sems_of(s, &n);
	int ret = sem ? 0 : -EINVAL;

	for (i = 0; i < count && !ret; i++) {
		ret = ops[i].sem_num >= n ? -EFBIG : apply(s, &sem[ops[i].sem_num], &ops[i]);
		if (ret)
			break;
	}
	if (ret) {
		for (uint32_t k = i; k--;) {
			struct undo *u = ops[k].sem_op && (ops[k].sem_flg & SEM_UNDO) ?
					 undo_of(process_pid(), s, ops[k].sem_num, false) : NULL;

			sem[ops[k].sem_num].value -= ops[k].sem_op;
			if (u)
				u->adjust += ops[k].sem_op;
		}
		return ret > 0 ? 1 + (int)i : ret;
	}
	for (i = 0; i < count; i++)
		sem[ops[i].sem_num].pid = process_pid();
	s->otime = ipc_time();
	return 0;
}

static bool alters(const struct sembuf *ops, uint32_t n)
{
	while (n--)
		if (ops[n].sem_op)
			return true;
	return false;
}

/* The set of a call, as it was when the call began; NULL, and *err. */
static struct semset *find(struct call *c, const struct sembuf *ops, uint32_t n, long *err)
{
	uint32_t i;
	struct semset *s = ipc_find(&kind, (int)c->arg[0], &i);

	*err = s ? 0 : -EINVAL;
	for (uint32_t k = 0; k < n && s && !*err; k++)
		if (ops[k].sem_num >= s->count)
			*err = -EFBIG;
	if (!*err && !ipc_allowed(&s->o, alters(ops, n) ? 0222 : 0444))
		*err = -EACCES;
	return s;
}

static long operate(struct call *c, const struct timespec *end)
{
	const struct sembuf *ops = c->ptr[1];
	uint32_t n = c->arg[2], i;
	struct semset *s;
	long err;

	s = find(c, ops, n, &err);
	if (err)
		return err;
	for (;;) {
		int ret = try(s, ops, n);
		struct ipc_waiter w = { .object = s - ipc->set };

		if (ret <= 0) {
			if (!ret && alters(ops, n))
				ipc_wake(&s->wake);
			return ret;
		}
		if (ops[ret - 1].sem_flg & IPC_NOWAIT)
			return -EAGAIN;
		w.what = ops[ret - 1].sem_op ? WAIT_SEM_MORE : WAIT_SEM_ZERO;
		w.number = ops[ret - 1].sem_num;
		err = ipc_wait(&s->wake, end, false, w);
		if (ipc_find(&kind, (int)c->arg[0], &i) != s)
			return -EIDRM;
		if (err) {
			ret = try(s, ops, n);
			if (!ret)
				ipc_wake(&s->wake);
			return ret <= 0 ? ret : err == -ETIMEDOUT ? -EAGAIN : err;
		}
	}
}

static long do_semop(struct call *c, const struct timespec *limit)
{
	struct timespec end;
	uint64_t at;
	long ret;

	if (!(uint32_t)c->arg[2] || (int)c->arg[0] < 0)
		return -EINVAL;
	if ((uint32_t)c->arg[2] > OPERATIONS)
		return -E2BIG;
	if (limit && !time_valid(limit))
		return -EINVAL;
	if (!c->ptr[1])
		return -EFAULT;
	ret = ipc_enter();
	if (ret)
		return ret;
	at = !limit ? 0 : c->deadline ? c->deadline : deadline_after(limit);
	end = timespec_of(at);
	ret = operate(c, limit ? &end : NULL);
	ipc_leave();
	if (ret == -EINTR)
		c->deadline = at;
	return ret;
}

long host_semop(struct call *c)
{
	return do_semop(c, NULL);
}

long host_semtimedop(struct call *c)
{
	return do_semop(c, c->ptr[3]);
}

/* ------------------------------------------------------------------ semctl(2) */

static long info(int cmd, struct seminfo *to)
{
	/* as Linux tells them, of which some are constants */
	*to = (struct seminfo){
		.semmap = ALL_TOLD, .semmni = SEM_SETS, .semmns = ALL_TOLD, .semmnu = ALL_TOLD, .semmsl = PER_SET,
		.semopm = OPERATIONS, .semume = OPERATIONS, .semusz = 20, .semvmx = VALUE_MAX, .semaem = VALUE_MAX,
	};
	if (cmd == SEM_INFO) {
		to->semusz = ipc->sem_ids.used;
		to->semaem = ipc->sem_count;
	}
	return ipc_highest(&kind);
}

static void tell(const struct semset *s, struct semid_ds *d)
{
	memset(d, 0, sizeof(*d));
	ipc_tell(&s->o, &d->sem_perm);
	d->sem_otime = s->otime;
	d->sem_ctime = s->ctime;
	d->sem_nsems = s->count;
}

static long change(struct semset *s, int cmd, const struct semid_ds *d)
{
	if (!ipc_owned(&s->o))
		return -EPERM;
	if (cmd == IPC_SET) {
		ipc_set(&s->o, &d->sem_perm);
		s->ctime = ipc_time();
		return 0;
	}
	forget(s, -1);
	ipc->sem_count -= s->count;
	ipc_free(&kind, s - ipc->set);
	ipc_wake(&s->wake);
	return 0;
}

/* What GETALL and SETALL pass: the program's memory is not touched with the lock held. */
struct values {
	uint32_t n;
	uint16_t value[PER_SET];
};

static long all_values(struct semset *s, struct values *values, bool set)
{
	uint32_t n;
	struct sem *sem = sems_of(s, &n);

	if (!sem || !n)
		return -EINVAL;
	if (!set) {
		for (uint32_t i = 0; i < n; i++)
			values->value[i] = sem[i].value;
		values->n = n;
		return 0;
	}
	if (values->n < n)
		return -EFAULT;
	for (uint32_t i = 0; i < n; i++)
		if (values->value[i] > VALUE_MAX)
			return -ERANGE;
	for (uint32_t i = 0; i < n; i++)
		sem[i] = (struct sem){ values->value[i], process_pid() };
	forget(s, -1);
	s->ctime = ipc_time();
	ipc_wake(&s->wake);
	return 0;
}

static long one_value(struct call *c, struct semset *s, int num, int cmd)
{
	uint32_t n;
	struct sem *sem = sems_of(s, &n);
	int value = c->arg[3];

	if (!sem || num < 0 || (uint32_t)num >= n)
		return -EINVAL;
	switch (cmd) {
	case GETVAL:
		return sem[num].value;
	case GETPID:
		return sem[num].pid;
	case GETNCNT:
		return ipc_waiting(WAIT_SEM_MORE, s - ipc->set, num);
	case GETZCNT:
		return ipc_waiting(WAIT_SEM_ZERO, s - ipc->set, num);
	}
	sem[num] = (struct sem){ value, process_pid() };
	forget(s, num);
	s->ctime = ipc_time();
	ipc_wake(&s->wake);
	return 0;
}

static long control(struct call *c, int id, int num, int cmd, struct values *values)
{
	bool by_number = cmd == SEM_STAT || cmd == SEM_STAT_ANY, sets = cmd == SETVAL || cmd == SETALL;
	struct semset *s;
	uint32_t i;

	if (id < 0)
		return -EINVAL;
	if (cmd == IPC_INFO || cmd == SEM_INFO)
		return c->ptr[3] ? info(cmd, c->ptr[3]) : -EFAULT;
	if (cmd != IPC_RMID && cmd != IPC_SET && cmd != IPC_STAT && !by_number && (cmd < GETPID || cmd > SETALL))
		return -EINVAL;
	if (cmd == SETVAL && ((int)c->arg[3] < 0 || (int)c->arg[3] > VALUE_MAX))
		return -ERANGE;
	s = by_number ? (id < SEM_SETS && ipc->set[id].o.used ? &ipc->set[id] : NULL) : ipc_find(&kind, id, &i);
	if ((cmd == IPC_SET || cmd == IPC_STAT || by_number) && !c->ptr[3])
		return -EFAULT;
	if (!s)
		return -EINVAL;
	if (cmd == IPC_RMID || cmd == IPC_SET)
		return change(s, cmd, c->ptr[3]);
	if (cmd != SEM_STAT_ANY && !ipc_allowed(&s->o, sets ? 0222 : 0444))
		return -EACCES;
	if (cmd == IPC_STAT || by_number) {
		tell(s, c->ptr[3]);
		return by_number ? ipc_id(&kind, id) : 0;
	}
	if (cmd == GETALL || cmd == SETALL)
		return all_values(s, values, cmd == SETALL);
	return one_value(c, s, num, cmd);
}

long host_semctl(struct call *c)
{
	int cmd = c->arg[2];
	struct values values;
	long ret;

	values.n = 0;
	if (cmd == SETALL && c->count[3] <= sizeof(values.value) && !ipc_gather(c, 3, values.value, c->count[3]))
		values.n = c->count[3] / sizeof(values.value[0]);
	ret = ipc_enter();
	if (ret)
		return ret;
	ret = control(c, c->arg[0], c->arg[1], cmd, &values);
	ipc_leave();
	if (cmd == GETALL && !ret)
		ret = ipc_scatter(c, 3, values.value, values.n * sizeof(values.value[0]));
	return ret < 0 || cmd != GETALL ? ret : 0;
}
