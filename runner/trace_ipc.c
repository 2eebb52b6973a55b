/* SPDX-License-Identifier: GPL-2.0-only */
/* IPC objects as --trace prints them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "trace_ipc.h"
#include "window.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static const struct name get_flags[] = { NAME(IPC_CREAT), NAME(IPC_EXCL), NAME(IPC_NOWAIT) };
static const struct name shmget_flags[] = { NAME(IPC_CREAT), NAME(IPC_EXCL), NAME(SHM_HUGETLB), NAME(SHM_NORESERVE) };
static const struct name sembuf_flags[] = { NAME(SEM_UNDO), NAME(IPC_NOWAIT) };
static const struct name mq_flags[] = { NAME(O_NONBLOCK) };

void put_key(struct trace *t, uint64_t key)
{
	if ((uint32_t)key)
		put(t, "%#x", (uint32_t)key);
	else
		put(t, "IPC_PRIVATE");
}

/* Flags, and the mode below them. */
static void put_get(struct trace *t, const struct name *names, size_t n, uint64_t flags)
{
	if (flags & 0xffffffff & ~0777ull) {
		put_flags(t, names, n, flags & 0xffffffff & ~0777ull, NULL);
		put(t, "|");
	}
	put(t, "%#03o", (unsigned int)flags & 0777);
}

void put_shmget(struct trace *t, uint64_t flags)
{
	put_get(t, shmget_flags, sizeof(shmget_flags) / sizeof(shmget_flags[0]), flags);
}

void put_semget(struct trace *t, uint64_t flags)
{
	put_get(t, get_flags, sizeof(get_flags) / sizeof(get_flags[0]), flags);
}

void put_msgbuf(struct trace *t, const struct call *c, int i, uint64_t bytes)
{
	struct { int64_t type; char text[TRACE_STRING]; } m;
	uint64_t have = 0;

	if (bytes > c->count[i] - sizeof(m.type))
		bytes = c->count[i] - sizeof(m.type);
	for (int k = 0; k < c->iovcnt[i] && have < sizeof(m); k++) {
		uint64_t piece = c->iov[i][k].iov_len;

		if (piece > sizeof(m) - have)
			piece = sizeof(m) - have;
		if (guest_copy((char *)&m + have, c->iov[i][k].iov_base, piece))
			break;
		have += piece;
	}
	if (have < sizeof(m.type)) {
		put(t, "...");
		return;
	}
	have -= sizeof(m.type);
	put(t, "{mtype=%ld, mtext=", m.type);
	put_quoted(t, m.text, have < bytes ? have : bytes);
	put(t, bytes > TRACE_STRING ? "...}" : "}");
}

/* What IPC_STAT tells, or IPC_SET sets. */
static void put_perm(struct trace *t, const char *name, const struct ipc_perm *p, bool all)
{
	put(t, "{%s_perm={uid=", name);
	put_value(t, ABI_FMT_ID, p->uid);
	put(t, ", gid=");
	put_value(t, ABI_FMT_ID, p->gid);
	put(t, ", mode=%#03o", p->mode);
	if (all) {
		put(t, ", key=%u, cuid=", (uint32_t)p->__key);
		put_value(t, ABI_FMT_ID, p->cuid);
		put(t, ", cgid=");
		put_value(t, ABI_FMT_ID, p->cgid);
	}
	put(t, "}");
}

void put_shmid(struct trace *t, const void *p)
{
	const struct shmid_ds *d = p;

	put_perm(t, "shm", &d->shm_perm, true);
	put(t, ", shm_segsz=%zu, shm_cpid=%d, shm_lpid=%d, shm_nattch=%lu, shm_atime=%ld, shm_dtime=%ld, shm_ctime=%ld}",
	    d->shm_segsz, d->shm_cpid, d->shm_lpid, d->shm_nattch, d->shm_atime, d->shm_dtime, d->shm_ctime);
}

void put_shmid_set(struct trace *t, const void *p)
{
	put_perm(t, "shm", &((const struct shmid_ds *)p)->shm_perm, false);
	put(t, "}");
}

void put_shminfo(struct trace *t, const void *p)
{
	const struct shminfo *i = p;

	put(t, "{shmmax=%lu, shmmin=%lu, shmmni=%lu, shmseg=%lu, shmall=%lu}", i->shmmax, i->shmmin, i->shmmni, i->shmseg,
	    i->shmall);
}

void put_shm_info(struct trace *t, const void *p)
{
	const struct shm_info *i = p;

	put(t, "{used_ids=%d, shm_tot=%lu, shm_rss=%lu, shm_swp=%lu, swap_attempts=%lu, swap_successes=%lu}", i->used_ids,
	    i->shm_tot, i->shm_rss, i->shm_swp, i->swap_attempts, i->swap_successes);
}

void put_semid(struct trace *t, const void *p)
{
	const struct semid_ds *d = p;

	put_perm(t, "sem", &d->sem_perm, true);
	put(t, ", sem_otime=%ld, sem_ctime=%ld, sem_nsems=%lu}", d->sem_otime, d->sem_ctime, d->sem_nsems);
}

void put_semid_set(struct trace *t, const void *p)
{
	put_perm(t, "sem", &((const struct semid_ds *)p)->sem_perm, false);
	put(t, "}");
}

void put_seminfo(struct trace *t, const void *p)
{
	const struct seminfo *i = p;

	put(t, "{semmap=%d, semmni=%d, semmns=%d, semmnu=%d, semmsl=%d, semopm=%d, semume=%d, semusz=%d, semvmx=%d, semaem=%d}",
	    i->semmap, i->semmni, i->semmns, i->semmnu, i->semmsl, i->semopm, i->semume, i->semusz, i->semvmx, i->semaem);
}

void put_sembuf(struct trace *t, const void *p)
{
	const struct sembuf *b = p;

	put(t, "{sem_num=%u, sem_op=%d, sem_flg=", b->sem_num, b->sem_op);
	PUT_FLAGS(t, sembuf_flags, (uint16_t)b->sem_flg, "SEM_???");
	put(t, "}");
}

void put_msqid(struct trace *t, const void *p)
{
	const struct msqid_ds *d = p;

	put_perm(t, "msg", &d->msg_perm, true);
	put(t, ", msg_stime=%ld, msg_rtime=%ld, msg_ctime=%ld, msg_qnum=%lu, msg_qbytes=%lu, msg_lspid=%d, msg_lrpid=%d}",
	    d->msg_stime, d->msg_rtime, d->msg_ctime, d->msg_qnum, d->msg_qbytes, d->msg_lspid, d->msg_lrpid);
}

void put_msqid_set(struct trace *t, const void *p)
{
	const struct msqid_ds *d = p;

	put_perm(t, "msg", &d->msg_perm, false);
	put(t, ", msg_qbytes=%lu}", d->msg_qbytes);
}

void put_msginfo(struct trace *t, const void *p)
{
	const struct msginfo *i = p;

	put(t, "{msgpool=%d, msgmap=%d, msgmax=%d, msgmnb=%d, msgmni=%d, msgssz=%d, msgtql=%d, msgseg=%u}", i->msgpool,
	    i->msgmap, i->msgmax, i->msgmnb, i->msgmni, i->msgssz, i->msgtql, i->msgseg);
}

static void put_sizes(struct trace *t, const struct mq_attr *a)
{
	put(t, ", mq_maxmsg=%ld, mq_msgsize=%ld, mq_curmsgs=%ld}", a->mq_maxmsg, a->mq_msgsize, a->mq_curmsgs);
}

void put_mqattr(struct trace *t, const void *p)
{
	const struct mq_attr *a = p;

	put(t, "{mq_flags=");
	PUT_FLAGS(t, mq_flags, (uint64_t)a->mq_flags, "O_???");
	put_sizes(t, a);
}

void put_mqattr_raw(struct trace *t, const void *p)
{
	const struct mq_attr *a = p;

	put(t, a->mq_flags ? "{mq_flags=%#lx" : "{mq_flags=%lx", a->mq_flags);
	put_sizes(t, a);
}
