/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of message queues. The host's file for one is an eventfd, whose count says what
 * poll(2) is to: 0 for an empty queue, 1 for one that can be read and written, the highest one
 * for a full one. Who changes a queue brings its own process's up to date and has the others do so; they do
 * it before they look, too, so that nobody is told what is no more. The eventfd's O_NONBLOCK is the queue's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ipc.h"
#include "ipc_call.h"
#include "mq.h"
#include "process.h"
#include "process_table.h"
#include "sys.h"

#define SIZE_TOLD	80	/* st_size of a queue */

/* Queues that this process has open. Its lock is taken before the table's. */
static struct {
	pthread_mutex_t lock;
	struct file *first;	/* and struct file.next_mq */
	uint32_t seen;		/* ipc->mq_changes that it shows */
} files = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Threads that wait to be told, by queue: 1 + the socket that they listen at. Under the table's lock. */
static struct {
	uint32_t seq;
	int peer;
} asked[MQ_QUEUES];

struct mq *mq_of(const struct file *file)
{
	struct mq *q = file->mq && file->mq <= MQ_QUEUES ? &ipc->mq[file->mq - 1] : NULL;

	return q && q->used && q->seq == file->mq_seq ? q : NULL;
}

/* ------------------------------------------------------------------ readiness */

static void show(const struct file *file, const struct mq *q)
{
	struct pollfd p = { .fd = file->host, .events = POLLIN | POLLOUT };
	short want = (q->list.count ? POLLIN : 0) | (q->list.count < q->maxmsg ? POLLOUT : 0);
	static const struct timespec now;
	uint64_t count;
	struct iovec v = { &count, sizeof(count) };

	plain_syscall(SYS_ppoll, (long)&p, 1, (long)&now, 0, 8, 0);
	if (p.revents == want)
		return;
	plain_syscall(SYS_preadv2, file->host, (long)&v, 1, -1, -1, RWF_NOWAIT);
	count = want & POLLOUT ? 1 : UINT64_MAX - 1;
	if (want & POLLIN)
		plain_syscall(SYS_write, file->host, (long)&count, sizeof(count), 0, 0, 0);
}

static void deliver(uint32_t number, const uint8_t cookie[32])
{
	struct iovec v = { (void *)cookie, 32 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };

	if (!asked[number].peer)
		return;
	sendmsg(asked[number].peer - 1, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(asked[number].peer - 1);
	asked[number].peer = 0;
}

void mq_look(void)
{
	if (!files.first || __atomic_load_n(&ipc->mq_changes, __ATOMIC_SEQ_CST) == __atomic_load_n(&files.seen, __ATOMIC_SEQ_CST))
		return;
	pthread_mutex_lock(&files.lock);
	if (ipc_try()) {
		__atomic_store_n(&files.seen, ipc->mq_changes, __ATOMIC_SEQ_CST);
		for (const struct file *f = files.first; f; f = f->next_mq) {
			struct mq *q = mq_of(f);

			if (!q)
				continue;
			show(f, q);
			if (q->fired_for == (uint32_t)process_pid()) {
				deliver(q - ipc->mq, q->fired);
				q->fired_for = 0;
			}
		}
		ipc_leave();
	}
	pthread_mutex_unlock(&files.lock);
}

void mq_changed(struct mq *q)
{
	__atomic_add_fetch(&ipc->mq_changes, 1, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; procs && i < proc_used() && i < PROCS_MAX; i++)
		if ((q->open[i / 64] >> i % 64 & 1) && &procs->process[i] != proc_self)
			proc_wake(&procs->process[i]);
}

/* ------------------------------------------------------------------ mq_notify(3)'s threads */

int mq_thread_asks(struct mq *q, int fd)
{
	uint32_t number = q - ipc->mq;
	struct file *file = fd_get(fd);
	int peer = file && file->peer ? fcntl(file->peer - 1, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1;

	file_put(file);
	if (peer < 0)
		return -EBADF;
	if (asked[number].peer)
		close(asked[number].peer - 1);
	asked[number].seq = q->seq;
	asked[number].peer = peer + 1;
	return 0;
}

void mq_thread_tell(struct mq *q, int how)
{
	q->notify.cookie[31] = how;
	if (q->notify.pid == process_pid()) {
		deliver(q - ipc->mq, q->notify.cookie);
		return;
	}
	memcpy(q->fired, q->notify.cookie, sizeof(q->fired));
	q->fired_for = q->notify.pid;
	mq_changed(q);
}

/* ------------------------------------------------------------------ descriptors */

long mq_install(uint32_t number, int access, bool nonblock)
{
	struct mq *q = &ipc->mq[number];
	int host = eventfd(0, EFD_CLOEXEC | (nonblock ? EFD_NONBLOCK : 0));
	struct file *file = host < 0 ? NULL : file_new(host, S_IFREG, NULL, NULL);
	uint32_t slot = ipc_slot() % PROCS_MAX;

	if (!file) {
		ipc_leave();
		return host < 0 ? -ENFILE : -ENOMEM;
	}
	file->mq = number + 1;
	file->mq_seq = q->seq;
	file->access = access;
	q->open[slot / 64] |= 1ull << slot % 64;
	show(file, q);
	ipc_leave();
	pthread_mutex_lock(&files.lock);
	file->next_mq = files.first;
	files.first = file;
	/* what has come meanwhile */
	__atomic_store_n(&files.seen, ipc->mq_changes - 1, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&files.lock);
	mq_look();
	return fd_install(file, 0, true);
}

void mq_gone(struct file *file)
{
	bool others = false;
	struct mq *q;

	pthread_mutex_lock(&files.lock);
	for (struct file **p = &files.first; *p;) {
		if (*p == file) {
			*p = file->next_mq;
			continue;
		}
		others |= (*p)->mq == file->mq && (*p)->mq_seq == file->mq_seq;
		p = &(*p)->next_mq;
	}
	if (ipc_try()) {
		uint32_t slot = ipc_slot() % PROCS_MAX;

		q = mq_of(file);
		if (q && q->notify.pid == process_pid()) {
			if (q->notify.method == SIGEV_THREAD)
				mq_thread_tell(q, MQ_REMOVED);
			q->notify.pid = 0;
		}
		if (q && !others) {
			q->open[slot / 64] &= ~(1ull << slot % 64);
			mq_drop(q);
		}
		ipc_leave();
	}
	pthread_mutex_unlock(&files.lock);
}

void mq_init(void)
{
	process_guard(&files.lock);
}

void mq_forked(uint32_t parent, uint32_t child)
{
	for (uint32_t i = 0; i < MQ_QUEUES; i++)
		if (ipc->mq[i].used && (ipc->mq[i].open[parent / 64] >> parent % 64 & 1))
			ipc->mq[i].open[child / 64] |= 1ull << child % 64;
}

void mq_bury(int pid, uint32_t slot)
{
	for (uint32_t i = 0; i < MQ_QUEUES; i++) {
		struct mq *q = &ipc->mq[i];

		if (!q->used)
			continue;
		if (q->notify.pid == pid)
			q->notify.pid = 0;
		q->open[slot / 64] &= ~(1ull << slot % 64);
		mq_drop(q);
	}
}

/* ------------------------------------------------------------------ as files */

int mq_flags(const struct file *file)
{
	return file->access | (fcntl(file->host, F_GETFL) & O_NONBLOCK);
}

long mq_stat(const struct file *file, struct stat *st)
{
	long err = ipc_enter();
	struct mq *q;

	if (err)
		return err;
	q = mq_of(file);
	if (q)
		*st = (struct stat){
			.st_mode = S_IFREG | q->mode, .st_nlink = q->named, .st_size = SIZE_TOLD, .st_blksize = ABI_PAGE,
			.st_uid = process_uid(), .st_gid = ipc_gid, .st_ino = q->ino,
			.st_atim.tv_sec = q->time, .st_mtim.tv_sec = q->time, .st_ctim.tv_sec = q->time,
		};
	ipc_leave();
	return q ? 0 : -EBADF;
}

/* The line that Linux has there. */
long mq_read(struct call *c, bool write)
{
	struct file *file = c->fd[0];
	bool moves = c->nr == SYS_read || c->nr == SYS_readv;
	int64_t at = moves ? file->pos : (int64_t)c->arg[3], n = 0;
	char text[128];
	struct mq *q;
	long err;

	if (file->access == (write ? O_RDONLY : O_WRONLY))
		return -EBADF;
	if (write || at < 0)
		return -EINVAL;
	err = ipc_enter();
	if (err)
		return err;
	q = mq_of(file);
	if (q)
		n = snprintf(text, sizeof(text), "QSIZE:%-10u NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", q->list.bytes,
			     q->notify.pid ? q->notify.method : 0,
			     q->notify.pid && q->notify.method == SIGEV_SIGNAL ? q->notify.signo : 0, q->notify.pid);
	ipc_leave();
	n = at < n ? n - at : 0;
	if ((uint64_t)n > c->count[1])
		n = c->count[1];
	if (moves)
		file->pos = at + n;
	return ipc_scatter(c, 1, text + at, n);
}
