/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of IPC objects, for ipc*.c and sys_{mq,shm,sem,msgq}.c. It is memory that every
 * process of the program's has, and one that took over its runner can write anything
 * there: so there are no pointers in it, a number from it is checked where it is used, and
 * a list is followed for so many steps only. Such a process may do to the objects, and to who waits
 * for them, what it likes, and no more.
 *
 * One lock guards all of it. Nothing under it waits.
 */
#ifndef KVMRUN_IPC_TABLE_H
#define KVMRUN_IPC_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define MQ_QUEUES	256	/* fs.mqueue.queues_max */
#define SHM_SEGMENTS	4096	/* kernel.shmmni */
#define SEM_SETS	32000	/* kernel.sem */
#define MSG_QUEUES	32000	/* kernel.msgmni */
#define SEMS		(1u << 22)	/* of all sets */
#define UNDOS		65536u
#define CHUNKS		(1u << 17)
#define CHUNK_BYTES	248
#define WAITERS		8192u
#define PROCS_MAX	4096u	/* --procs */

/* A string of messages, oldest first; of each one the first chunk is linked to that of the next. */
struct ipc_list {
	uint32_t first, last;	/* 1 + number of a chunk, or 0 */
	uint32_t count;
	uint32_t bytes;
};

struct ipc_chunk {
	uint32_t more;		/* of the same message, likewise */
	uint32_t next;		/* message */
	uint8_t data[CHUNK_BYTES];
};

/* What each message starts with. */
struct ipc_message {
	int64_t type;		/* or priority */
	uint32_t len;
};

/* What System V objects have in common, first in each. */
struct ipc_object {
	uint32_t used;
	int32_t key;
	uint32_t uid, gid, cuid, cgid;
	uint32_t mode;
	uint32_t seq;
};

struct ipc_ids {
	uint32_t used, top;	/* objects; above the highest one */
	uint32_t seq, next;	/* next: behind the last one made */
};

struct mq {
	uint32_t used;		/* has a name, or somebody has it open */
	uint32_t named;
	uint32_t seq;
	uint32_t wake;
	uint32_t mode;
	uint32_t ino;
	uint64_t maxmsg, msgsize;
	struct ipc_list list;	/* the next one to be received first */
	struct {
		int pid;	/* who asked to be told, or 0 */
		uint32_t slot;
		int method, signo;
		uint64_t value;
		uint8_t cookie[32];
	} notify;
	uint32_t fired_for;	/* pid that is to pass the cookie on, or 0 */
	uint8_t fired[32];
	int64_t time;
	char name[256];
	uint64_t open[PROCS_MAX / 64];
};

struct shm {
	struct ipc_object o;
	uint64_t off, len;	/* of its pages */
	uint64_t size;
	int64_t atime, dtime, ctime;
	int cpid, lpid;
	uint32_t attached;
};

struct semset {
	struct ipc_object o;
	uint32_t off, count;
	uint32_t wake;
	int64_t otime, ctime;
};

struct sem {
	int32_t value;
	int32_t pid;
};

struct undo {
	int pid;		/* 0: free */
	uint32_t set, seq;
	uint16_t num;
	int16_t adjust;
};

struct msgq {
	struct ipc_object o;
	uint32_t wake;
	struct ipc_list list;
	uint64_t qbytes;
	int64_t stime, rtime, ctime;
	int lspid, lrpid;
};

enum ipc_wait_for { WAIT_MQ = 1, WAIT_SEM_MORE, WAIT_SEM_ZERO, WAIT_OTHER };

struct ipc_waiter {
	int pid;		/* 0: free */
	uint32_t what;		/* enum ipc_wait_for */
	uint32_t object, number;
};

struct ipc {
	uint32_t lock;		/* the owner's process ID, and whether others wait */
	struct ipc_ids shm_ids, sem_ids, msg_ids;
	uint32_t mq_count;
	uint64_t mq_bytes;	/* as RLIMIT_MSGQUEUE counts them */
	uint32_t mq_changes, mq_ino;
	uint64_t shm_bytes, shm_top;
	uint32_t sem_count, sem_top;
	uint32_t undo_top, waiter_top;
	uint32_t chunk_free, chunk_top, chunk_used;
	struct mq mq[MQ_QUEUES];
	struct shm shm[SHM_SEGMENTS];
	struct semset set[SEM_SETS];
	struct msgq msgq[MSG_QUEUES];
	struct undo undo[UNDOS];
	struct ipc_waiter waiter[WAITERS];
	uint32_t attached[PROCS_MAX][SHM_SEGMENTS];	/* by process: shmat(2)'s */
	struct sem sem[SEMS];
	struct ipc_chunk chunk[CHUNKS];
};

extern struct ipc *ipc;
extern gid_t ipc_gid;	/* of all processes of the program */

/* Bytes of memory for segments, which is at ipc_memory. */
extern uint64_t ipc_memory_size, ipc_memory_limit;
extern uint8_t *ipc_memory;

/* Has the lock, and a table: 0 or -ENOMEM. A process that has left never returns from it. */
long ipc_enter(void);
void ipc_leave(void);
/* False in a process that has left. */
bool ipc_try(void);

/*
 * With the lock held, which is given up meanwhile: sleeps until somebody calls ipc_wake(), or until
 * end, by CLOCK_REALTIME or CLOCK_MONOTONIC. 0, -EINTR, -ETIMEDOUT. Counted as waiter.
 */
long ipc_wait(uint32_t *word, const struct timespec *end, bool realtime, struct ipc_waiter as);
void ipc_wake(uint32_t *word);
/* How many wait so. */
uint32_t ipc_waiting(uint32_t what, uint32_t object, uint32_t number);

/* Entry of the calling process. */
uint32_t ipc_slot(void);

/* CLOCK_REALTIME, seconds. */
int64_t ipc_time(void);

/* ------------------------------------------------------- System V objects */

struct ipc_kind {
	size_t ids, objects;	/* offsets in the table */
	size_t size;
	uint32_t max;
};

/*
 * shmget(2) and its like: the number of the object with this key, or of a new one with *fresh set and its
 * head filled in; -EEXIST, -ENOENT, -ENOSPC. Whether an old one will do, and ipc_allowed(), the caller checks.
 */
int ipc_get(const struct ipc_kind *k, int key, int flags, bool *fresh);
/* The identifier of object number i. */
int ipc_id(const struct ipc_kind *k, uint32_t i);
/* The object of an identifier, and its number; NULL: EINVAL. */
void *ipc_find(const struct ipc_kind *k, int id, uint32_t *i);
/* Object number i, whether used or not. */
void *ipc_at(const struct ipc_kind *k, uint32_t i);
void ipc_free(const struct ipc_kind *k, uint32_t i);
/* Number of the highest one, or 0. */
int ipc_highest(const struct ipc_kind *k);
/* Whether its mode has these permissions for the program, as in shmget(2)'s flags. */
bool ipc_allowed(const struct ipc_object *o, int flags);
/* Whether it may be changed: IPC_SET, IPC_RMID. */
bool ipc_owned(const struct ipc_object *o);
/* As in struct ipc_perm, and IPC_SET from there: 0 or -EINVAL. */
struct ipc_perm;
void ipc_tell(const struct ipc_object *o, struct ipc_perm *p);
void ipc_set(struct ipc_object *o, const struct ipc_perm *p);

/*
 * A place for len of size units that none of the used objects has, each of which says by span() what it
 * has: or -1. top is where the last one ended.
 */
int64_t ipc_place(const struct ipc_kind *k, uint64_t *top, uint64_t len, uint64_t size,
		  void (*span)(const void *object, uint64_t *off, uint64_t *len));

/* ------------------------------------------------------- messages: ipc_message.c */

/* Appends, or with by_type puts it before those of a smaller type: 0 or -ENOMEM. */
long ipc_put(struct ipc_list *l, int64_t type, const void *data, uint32_t len, bool by_type);

/* Number of the first one for which want() is true, as a reference that ipc_read() and ipc_take() know; 0: none. */
uint32_t ipc_search(const struct ipc_list *l, bool (*want)(const struct ipc_message *m, uint32_t n, void *arg), void *arg);
struct ipc_message ipc_head(uint32_t reference);
/* Its first n bytes: how many there were. */
uint32_t ipc_read(uint32_t reference, void *to, uint32_t n);
void ipc_take(struct ipc_list *l, uint32_t reference);
void ipc_empty(struct ipc_list *l);
/* After a death in the middle of something: what is linked is what counts. */
void ipc_recount(struct ipc_list *l);

/* ------------------------------------------------------- each kind's part of a process's end and birth */

void mq_bury(int pid, uint32_t slot);
void mq_forked(uint32_t parent, uint32_t child);
void shm_bury(uint32_t slot);
void shm_forked(uint32_t parent, uint32_t child);
void sem_bury(int pid);

#endif
