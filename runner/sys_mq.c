/* SPDX-License-Identifier: GPL-2.0-only */
/* POSIX message queues, mq_overview(7); their descriptors are in mq_file.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "interrupt.h"
#include "ipc.h"
#include "ipc_call.h"
#include "mq.h"
#include "process.h"
#include "sys.h"

#define MSG_MAX		10	/* fs.mqueue.msg_max, and msgsize_max */
#define MSGSIZE_MAX	8192
#define MQ_PRIORITIES	32768
#define BYTES_MAX	819200	/* RLIMIT_MSGQUEUE */
#define MESSAGE_COST	96	/* what Linux counts for a message beside its bytes */

_Static_assert(sizeof(struct mq_attr) == ABI_SIZE_mqattr, "struct mq_attr");
_Static_assert(sizeof(struct sigevent) == ABI_SIZE_sigevent, "struct sigevent");

/* ------------------------------------------------------------------ by name */

/* A name without the slash that mq_open(3) takes off. */
static long check_name(const char *name)
{
	if (!*name)
		return -ENOENT;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	return strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") ? -EACCES : 0;
}

static struct mq *named(const char *name)
{
	for (uint32_t i = 0; i < MQ_QUEUES; i++)
		if (ipc->mq[i].used && ipc->mq[i].named && !strncmp(ipc->mq[i].name, name, sizeof(ipc->mq[i].name)))
			return &ipc->mq[i];
	return NULL;
}

static long make(const char *name, uint64_t flags, uint64_t mode, const struct mq_attr *attr, struct mq **made)
{
	uint64_t maxmsg = attr ? attr->mq_maxmsg : MSG_MAX, msgsize = attr ? attr->mq_msgsize : MSGSIZE_MAX, bytes;
	struct mq *q = NULL;

	(void)flags;
	if (ipc->mq_count >= MQ_QUEUES)
		return -ENOSPC;
	if (!maxmsg || maxmsg > MSG_MAX || !msgsize || msgsize > MSGSIZE_MAX)
		return -EINVAL;
	bytes = maxmsg * (msgsize + MESSAGE_COST);
	if (ipc->mq_bytes + bytes > BYTES_MAX)
		return -EMFILE;
	for (uint32_t i = 0; i < MQ_QUEUES && !q; i++)
		if (!ipc->mq[i].used)
			q = &ipc->mq[i];
	if (!q)
		return -ENOSPC;
	*q = (struct mq){
		.used = 1, .named = 1, .seq = q->seq + 1, .mode = mode & 07777 & ~ipc_umask(), .maxmsg = maxmsg, .msgsize = msgsize,
		.time = ipc_time(), .ino = ++ipc->mq_ino,
	};
	strcpy(q->name, name);
	ipc->mq_count++;
	ipc->mq_bytes += bytes;
	*made = q;
	return 0;
}

void mq_drop(struct mq *q)
{
	uint64_t bytes = q->maxmsg * (q->msgsize + MESSAGE_COST);

	if (!q->used || q->named)
		return;
	for (size_t i = 0; i < PROCS_MAX / 64; i++)
		if (q->open[i])
			return;
	ipc_empty(&q->list);
	q->used = 0;
	ipc->mq_count -= !!ipc->mq_count;
	ipc->mq_bytes -= bytes < ipc->mq_bytes ? bytes : ipc->mq_bytes;
}

/* All of the program's processes are its owner. */
static bool may_open(const struct mq *q, int access)
{
	uint32_t wants = access == O_RDONLY ? 4 : access == O_WRONLY ? 2 : 6;

	return !(wants & ~(q->mode >> 6));
}

long host_mq_open(struct call *c)
{
	const char *name = c->ptr[0];
	uint64_t flags = (uint32_t)c->arg[1];
	int access = flags & O_ACCMODE;
	struct mq *q;
	long err = ipc_enter();
	bool fresh;

	if (err)
		return err;
	err = check_name(name);
	q = err ? NULL : named(name);
	fresh = !q;
	if (!err && !q)
		err = flags & O_CREAT ? make(name, flags, c->arg[2], c->ptr[3], &q) : -ENOENT;
	else if (!err && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		err = -EEXIST;
	else if (!err && access == O_ACCMODE)
		err = -EINVAL;
	else if (!err && !may_open(q, access))
		err = -EACCES;
	if (err) {
		ipc_leave();
		return err;
	}
	err = mq_install(q - ipc->mq, access, flags & O_NONBLOCK);
	if (err >= 0 || !fresh)
		return err;
	/* without a descriptor it is not made at all */
	ipc_enter();
	q->named = 0;
	mq_drop(q);
	ipc_leave();
	return err;
}

long host_mq_unlink(struct call *c)
{
	long err = ipc_enter();
	struct mq *q;

	if (err)
		return err;
	err = check_name(c->ptr[0]);
	q = err ? NULL : named(c->ptr[0]);
	if (q) {
		q->named = 0;
		mq_drop(q);
	} else if (!err) {
		err = -ENOENT;
	}
	ipc_leave();
	return err;
}

/* ------------------------------------------------------------------ messages */

/* The queue of a call's descriptor; NULL with *err, and the lock not held. */
static struct mq *begin(struct call *c, int access, long *err)
{
	const struct timespec *end = c->ptr[4];
	struct mq *q;

	if (end && !time_valid(end)) {
		*err = -EINVAL;
		return NULL;
	}
	*err = -EBADF;
	if (!c->fd[0]->mq || (access >= 0 && c->fd[0]->access != O_RDWR && c->fd[0]->access != access))
		return NULL;
	*err = ipc_enter();
	if (*err)
		return NULL;
	q = mq_of(c->fd[0]);
	if (!q) {
		*err = -EBADF;
		ipc_leave();
	}
	return q;
}

/* Until there is something to be done: 0, or -errno. q is there all the time: the file has it. */
static long wait_for(struct call *c, struct mq *q, bool (*ready)(const struct mq *q), uint32_t as)
{
	struct ipc_waiter w = { .what = as, .object = q - ipc->mq };

	while (!ready(q)) {
		long err = mq_flags(c->fd[0]) & O_NONBLOCK ? -EAGAIN : ipc_wait(&q->wake, c->ptr[4], true, w);

		if (err && (err == -EAGAIN || !ready(q)))
			return err;
	}
	return 0;
}

static bool has_room(const struct mq *q)
{
	return q->list.count < q->maxmsg;
}

static bool has_message(const struct mq *q)
{
	return q->list.count;
}

/* Who has asked to be told, now that there is a first message: 0, or the process that signal info is for. */
static int take_notice(struct mq *q, siginfo_t *info)
{
	int pid = q->notify.pid;

	if (!pid || q->list.count != 1 || ipc_waiting(WAIT_MQ, q - ipc->mq, 0))
		return 0;
	if (q->notify.method == SIGEV_THREAD)
		mq_thread_tell(q, MQ_WOKEN);
	memset(info, 0, sizeof(*info));
	info->si_signo = q->notify.method == SIGEV_SIGNAL ? q->notify.signo : 0;
	info->si_code = SI_MESGQ;
	info->si_pid = process_pid();
	info->si_uid = process_uid();
	info->si_value.sival_ptr = (void *)q->notify.value;
	q->notify.pid = 0;
	return info->si_signo > 0 && info->si_signo <= 64 ? pid : 0;
}

static void tell(int pid, const siginfo_t *info)
{
	if (pid && process_forked())
		process_kill(pid, info);
	else if (pid)
		interrupt_post(info);
}

long host_mq_timedsend(struct call *c)
{
	uint8_t data[MSGSIZE_MAX];
	uint64_t len = c->arg[2];
	bool before;
	siginfo_t info;
	struct mq *q;
	int pid;
	long err;

	if ((uint32_t)c->arg[3] >= MQ_PRIORITIES)
		return -EINVAL;
	q = begin(c, O_WRONLY, &err);
	if (!q)
		return err;
	if (len > q->msgsize || len > sizeof(data))
		err = -EMSGSIZE;
	else
		err = ipc_gather(c, 1, data, len);
	if (!err)
		err = wait_for(c, q, has_room, WAIT_OTHER);
	if (!err)
		err = ipc_put(&q->list, (uint32_t)c->arg[3], data, len, true);
	if (err) {
		ipc_leave();
		return err;
	}
	before = q->list.count > 1;
	pid = take_notice(q, &info);
	ipc_wake(&q->wake);
	if (!before || !has_room(q))
		mq_changed(q);
	ipc_leave();
	mq_look();
	tell(pid, &info);
	return 0;
}

long host_mq_timedreceive(struct call *c)
{
	uint8_t data[MSGSIZE_MAX];
	uint32_t *prio = c->ptr[3], n;
	struct mq *q;
	bool before;
	long err;

	q = begin(c, O_RDONLY, &err);
	if (!q)
		return err;
	err = c->arg[2] < q->msgsize ? -EMSGSIZE : wait_for(c, q, has_message, WAIT_MQ);
	if (err) {
		ipc_leave();
		return err;
	}
	before = has_room(q);
	n = ipc_read(q->list.first, data, sizeof(data));
	if (prio)
		*prio = ipc_head(q->list.first).type;
	ipc_take(&q->list, q->list.first);
	ipc_wake(&q->wake);
	if (!before || !has_message(q))
		mq_changed(q);
	ipc_leave();
	mq_look();
	return ipc_scatter(c, 1, data, n);
}

long host_mq_getsetattr(struct call *c)
{
	const struct mq_attr *new = c->ptr[1];
	struct mq_attr *old = c->ptr[2];
	int flags;
	struct mq *q;
	long err;

	if (new && new->mq_flags & ~(long)O_NONBLOCK)
		return -EINVAL;
	q = begin(c, -1, &err);
	if (!q)
		return err;
	flags = fcntl(c->fd[0]->host, F_GETFL);
	if (old)
		*old = (struct mq_attr){ .mq_flags = flags & O_NONBLOCK, .mq_maxmsg = q->maxmsg, .mq_msgsize = q->msgsize,
					 .mq_curmsgs = q->list.count };
	ipc_leave();
	if (new)
		fcntl(c->fd[0]->host, F_SETFL, (flags & ~O_NONBLOCK) | new->mq_flags);
	return 0;
}

/* ------------------------------------------------------------------ mq_notify(2) */

static long ask(struct mq *q, const struct sigevent *e, const void *cookie)
{
	if (q->notify.pid)
		return -EBUSY;
	/* the thread that mq_notify(3) makes listens at a socket */
	if (e->sigev_notify == SIGEV_THREAD && mq_thread_asks(q, e->sigev_signo))
		return -EBADF;
	q->notify.method = e->sigev_notify;
	q->notify.signo = e->sigev_signo;
	q->notify.value = (uint64_t)e->sigev_value.sival_ptr;
	if (cookie)
		memcpy(q->notify.cookie, cookie, sizeof(q->notify.cookie));
	q->notify.slot = ipc_slot();
	q->notify.pid = process_pid();
	return 0;
}

long host_mq_notify(struct call *c)
{
	const struct sigevent *e = c->ptr[1];
	const void *cookie = c->ptr[2];
	struct mq *q;
	long err;

	if (e && e->sigev_notify != SIGEV_NONE && e->sigev_notify != SIGEV_SIGNAL && e->sigev_notify != SIGEV_THREAD)
		return -EINVAL;
	if (e && e->sigev_notify == SIGEV_SIGNAL && (unsigned int)e->sigev_signo > 64)
		return -EINVAL;
	if (e && e->sigev_notify == SIGEV_THREAD && !cookie)
		return -EFAULT;
	q = begin(c, -1, &err);
	if (!q)
		return err;
	if (e) {
		err = ask(q, e, cookie);
	} else if (q->notify.pid == process_pid()) {
		if (q->notify.method == SIGEV_THREAD)
			mq_thread_tell(q, MQ_REMOVED);
		q->notify.pid = 0;
	}
	ipc_leave();
	mq_look();
	return err;
}
