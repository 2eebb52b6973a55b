/* SPDX-License-Identifier: GPL-2.0-only */
/* System V message queues, sysvipc(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/msg.h>

#include "ipc.h"
#include "ipc_call.h"
#include "process.h"
#include "sys.h"

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
/* kernel.msgmax and msgmnb */
#define BYTES		8192
#define QUEUE_BYTES	16384
#define TYPE		sizeof(int64_t)	/* before a message's bytes */

_Static_assert(sizeof(struct msqid_ds) == ABI_SIZE_msqid, "struct msqid_ds");
_Static_assert(sizeof(struct msginfo) == ABI_SIZE_msginfo, "struct msginfo");

static const struct ipc_kind kind = {
	offsetof(struct ipc, msg_ids), offsetof(struct ipc, msgq), sizeof(struct msgq), MSG_QUEUES,
};

long host_msgget(struct call *c)
{
	long err = ipc_enter();
	struct msgq *q;
	bool fresh;
	int i;

	if (err)
		return err;
	i = ipc_get(&kind, c->arg[0], c->arg[1], &fresh);
	q = i < 0 ? NULL : ipc_at(&kind, i);
	if (fresh && q) {
		q->qbytes = QUEUE_BYTES;
		q->ctime = ipc_time();
	} else if (q && !ipc_allowed(&q->o, c->arg[1])) {
		err = -EACCES;
	}
	if (!err)
		err = q ? ipc_id(&kind, i) : i;
	ipc_leave();
	return err;
}

/* ------------------------------------------------------------------ messages */

/* The queue of a call; NULL, and *err. */
static struct msgq *find(const struct call *c, int flags, long *err)
{
	uint32_t i;
	struct msgq *q = ipc_find(&kind, (int)c->arg[0], &i);

	*err = !q ? -EINVAL : ipc_allowed(&q->o, flags) ? 0 : -EACCES;
	return *err ? NULL : q;
}

/* Waits for a change of the queue: 0, -EIDRM, -EINTR. */
static long wait_for(const struct call *c, struct msgq *q)
{
	struct ipc_waiter w = { .what = WAIT_OTHER };
	long err = ipc_wait(&q->wake, NULL, false, w);
	uint32_t i;

	return ipc_find(&kind, (int)c->arg[0], &i) == q ? err : -EIDRM;
}

static bool has_room(const struct msgq *q, uint64_t len)
{
	return q->list.bytes + len <= q->qbytes && q->list.count + 1ull <= q->qbytes;
}

static long send_locked(struct call *c, int64_t type, const uint8_t *data, uint64_t len)
{
	long err;
	struct msgq *q = find(c, 0222, &err);

	while (!err && !has_room(q, len)) {
		if (c->arg[3] & IPC_NOWAIT)
			return -EAGAIN;
		err = wait_for(c, q);
		/* what came with the signal counts */
		if (err == -EINTR && has_room(q, len))
			err = 0;
	}
	if (!err)
		err = ipc_put(&q->list, type, data, len, false);
	if (err)
		return err;
	q->lspid = process_pid();
	q->stime = ipc_time();
	ipc_wake(&q->wake);
	return 0;
}

long host_msgsnd(struct call *c)
{
	struct { int64_t type; uint8_t data[BYTES]; } m;
	uint64_t len = c->arg[2];
	long err;

	if (len > BYTES || (int)c->arg[0] < 0)
		return -EINVAL;
	err = ipc_gather(c, 1, &m, TYPE + len);
	if (err)
		return err;
	if (m.type < 1)
		return -EINVAL;
	err = ipc_enter();
	if (err)
		return err;
	err = send_locked(c, m.type, m.data, len);
	ipc_leave();
	return err;
}

struct wish {
	int64_t type;		/* as msgrcv(2)'s, or which with MSG_COPY */
	int flags;
	int64_t lowest;
};

static bool lower(const struct ipc_message *m, uint32_t n, void *arg)
{
	struct wish *w = arg;

	(void)n;
	if (m->type < w->lowest)
		w->lowest = m->type;
	return false;
}

static bool wanted(const struct ipc_message *m, uint32_t n, void *arg)
{
	const struct wish *w = arg;

	if (w->flags & MSG_COPY)
		return n == (uint64_t)w->type;
	if (w->type < 0)
		return m->type == w->lowest;
	if (w->flags & MSG_EXCEPT)
		return m->type != w->type;
	return !w->type || m->type == w->type;
}

/* A reference to the message that is to be received, or 0. */
static uint32_t search(const struct msgq *q, int64_t type, int flags)
{
	struct wish w = { .type = type, .flags = type > 0 || (flags & MSG_COPY) ? flags : 0, .lowest = INT64_MAX };

	if (type < 0 && !(flags & MSG_COPY)) {
		ipc_search(&q->list, lower, &w);
		if (w.lowest > (type == INT64_MIN ? INT64_MAX : -type))
			return 0;
	}
	return ipc_search(&q->list, wanted, &w);
}

static long receive_locked(struct call *c, void *to, uint64_t room, int64_t *type)
{
	int flags = c->arg[4];
	struct ipc_message m;
	uint32_t found = 0;
	long err;
	struct msgq *q = find(c, 0444, &err);

	while (!err) {
		found = search(q, c->arg[3], flags);
		if (found)
			break;
		if (flags & IPC_NOWAIT)
			return -ENOMSG;
		err = wait_for(c, q);
		if (err == -EINTR && search(q, c->arg[3], flags))
			err = 0;
	}
	if (err)
		return err;
	m = ipc_head(found);
	if (m.len > room && !(flags & MSG_NOERROR))
		return -E2BIG;
	*type = m.type;
	err = ipc_read(found, to, room < BYTES ? room : BYTES);
	if (flags & MSG_COPY)
		return err;
	ipc_take(&q->list, found);
	q->lrpid = process_pid();
	q->rtime = ipc_time();
	ipc_wake(&q->wake);
	return err;
}

long host_msgrcv(struct call *c)
{
	struct { int64_t type; uint8_t data[BYTES]; } m;
	long ret, err;

	if ((int)c->arg[0] < 0 || (int64_t)c->arg[2] < 0)
		return -EINVAL;
	if ((c->arg[4] & MSG_COPY) && ((c->arg[4] & MSG_EXCEPT) || !(c->arg[4] & IPC_NOWAIT)))
		return -EINVAL;
	ret = ipc_enter();
	if (ret)
		return ret;
	ret = receive_locked(c, m.data, c->arg[2], &m.type);
	ipc_leave();
	if (ret < 0)
		return ret;
	err = ipc_scatter(c, 1, &m, TYPE + ret);
	return err < 0 ? err : ret;
}

/* ------------------------------------------------------------------ msgctl(2) */

static long info(int cmd, struct msginfo *to)
{
	*to = (struct msginfo){
		.msgmni = MSG_QUEUES, .msgmax = BYTES, .msgmnb = QUEUE_BYTES, .msgssz = 16, .msgseg = 0xffff,
		.msgpool = MSG_QUEUES * (QUEUE_BYTES / 1024), .msgmap = QUEUE_BYTES, .msgtql = QUEUE_BYTES,
	};
	if (cmd == MSG_INFO) {
		to->msgpool = ipc->msg_ids.used;
		to->msgmap = to->msgtql = 0;
		for (uint32_t i = 0; i < ipc->msg_ids.top && i < MSG_QUEUES; i++) {
			if (!ipc->msgq[i].o.used)
				continue;
			to->msgmap += ipc->msgq[i].list.count;
			to->msgtql += ipc->msgq[i].list.bytes;
		}
	}
	return ipc_highest(&kind);
}

static void tell(const struct msgq *q, struct msqid_ds *d)
{
	memset(d, 0, sizeof(*d));
	ipc_tell(&q->o, &d->msg_perm);
	d->msg_stime = q->stime;
	d->msg_rtime = q->rtime;
	d->msg_ctime = q->ctime;
	d->__msg_cbytes = q->list.bytes;
	d->msg_qnum = q->list.count;
	d->msg_qbytes = q->qbytes;
	d->msg_lspid = q->lspid;
	d->msg_lrpid = q->lrpid;
}

static long change(struct msgq *q, int cmd, const struct msqid_ds *d)
{
	if (!ipc_owned(&q->o))
		return -EPERM;
	if (cmd == IPC_RMID) {
		ipc_empty(&q->list);
		ipc_free(&kind, q - ipc->msgq);
		ipc_wake(&q->wake);
		return 0;
	}
	/* nobody here has CAP_SYS_RESOURCE */
	if (d->msg_qbytes > QUEUE_BYTES)
		return -EPERM;
	ipc_set(&q->o, &d->msg_perm);
	q->qbytes = d->msg_qbytes;
	q->ctime = ipc_time();
	ipc_wake(&q->wake);
	return 0;
}

static long control(int id, int cmd, void *p)
{
	bool by_number = cmd == MSG_STAT || cmd == MSG_STAT_ANY;
	struct msgq *q;
	uint32_t i;

	if (id < 0)
		return -EINVAL;
	if (cmd == IPC_INFO || cmd == MSG_INFO)
		return p ? info(cmd, p) : -EFAULT;
	if (cmd != IPC_RMID && cmd != IPC_SET && cmd != IPC_STAT && !by_number)
		return -EINVAL;
	q = by_number ? (id < MSG_QUEUES && ipc->msgq[id].o.used ? &ipc->msgq[id] : NULL) : ipc_find(&kind, id, &i);
	if (cmd != IPC_RMID && !p)
		return -EFAULT;
	if (!q)
		return -EINVAL;
	if (cmd == IPC_RMID || cmd == IPC_SET)
		return change(q, cmd, p);
	if (cmd != MSG_STAT_ANY && !ipc_allowed(&q->o, 0444))
		return -EACCES;
	tell(q, p);
	return by_number ? ipc_id(&kind, id) : 0;
}

long host_msgctl(struct call *c)
{
	return ipc_control(c, control);
}
