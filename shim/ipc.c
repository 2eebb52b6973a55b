/* SPDX-License-Identifier: GPL-2.0-only */
/* Message queues, and System V IPC: what of it the call table cannot say. */
#include "shim.h"

#define SIGEV_THREAD	2
#define GETALL		13
#define SETALL		17
#define SEMOPM		500	/* operations of semop(2) at most */
#define MSGMAX		8192
#define SHM_RDONLY	010000
#define SHM_RND		020000
#define SHM_REMAP	040000
#define SHM_EXEC	0100000
#define MAP_FIXED	0x10

/* What mq_notify(3) has the value point to, when a thread is to be told, is a third argument here. */
long sys_mq_notify(const u64 a[6])
{
	struct { u64 value; u32 signo, notify; } event;
	u64 args[6] = { a[0], a[1] };

	if (a[1] && !get_user(event, a[1]) && event.notify == SIGEV_THREAD)
		args[2] = event.value;
	return forward(NR_mq_notify, args);
}

/* The values of a set are as many as it has semaphores. */
long sys_semctl(const u64 a[6])
{
	u64 args[6] = { a[0], a[1], a[2], a[3] };

	if ((u32)a[2] == GETALL || (u32)a[2] == SETALL) {
		s64 n = ask_runner(ABI_OP_SEMS, a[0], 0);

		args[4] = n > 0 ? n * 2 : 0;
	}
	return forward(NR_semctl, args);
}

long sys_semop(const u64 a[6])
{
	return (u32)a[2] > SEMOPM ? -E2BIG : forward(NR_semop, a);
}

long sys_semtimedop(const u64 a[6])
{
	return (u32)a[2] > SEMOPM ? -E2BIG : forward(NR_semtimedop, a);
}

/* How long a message cannot be comes before where it is. */
long sys_msgsnd(const u64 a[6])
{
	return a[2] > MSGMAX ? -EINVAL : forward(NR_msgsnd, a);
}

long sys_msgrcv(const u64 a[6])
{
	return (s64)a[2] < 0 ? -EINVAL : forward(NR_msgrcv, a);
}

/* ------------------------------------------------------------------ shared memory */

static long attach(int id, gva_t va, u64 flags, u64 prot)
{
	struct vma v = { .flags = VMA_SHARED | VMA_FILE | VMA_SHM };
	s64 len = window_shm(id, flags, 0), at;
	long ret;

	if (len < 0)
		return len;
	len = PAGE_ALIGN(len);
	at = window_shm(id, flags, len);
	if (at < 0)
		return at;
	v.off = at;
	v.file = window_id();
	if (flags & SHM_RDONLY)
		v.flags |= VMA_READONLY;
	lock(&mm_lock);
	if (va && !(flags & SHM_REMAP) && va <= ABI_USER_END - len && !mm_is_free(va, len))
		ret = -EINVAL;
	else
		ret = mm_map(va, len, prot, va ? MAP_FIXED : 0, &v);
	if (ret < 0)
		window_doom(at, len);
	mm_unlock();
	return ret;
}

long sys_shmat(const u64 a[6])
{
	u64 va = a[1], flags = a[2], prot = 1;

	if ((s64)(int)a[0] < 0 || (!va && (flags & SHM_REMAP)))
		return -EINVAL;
	if (va & ~PAGE_MASK) {
		va &= PAGE_MASK;
		if (!(flags & SHM_RND) || (!va && (flags & SHM_REMAP)))
			return -EINVAL;
		if (!va)
			return -EPERM;	/* vm.mmap_min_addr */
	}
	if (!(flags & SHM_RDONLY))
		prot |= 2;
	if (flags & SHM_EXEC)
		prot |= 4;
	return mm_wx(prot) ? -EACCES : attach(a[0], va, flags, prot);
}

/* What is left of the one that was attached there. */
long sys_shmdt(const u64 a[6])
{
	long ret = -EINVAL;
	u32 file = 0;

	if (a[0] & ~PAGE_MASK)
		return -EINVAL;
	lock(&mm_lock);
	for (u32 i = vma_find(a[0]); i < vma_count && (ret == 0 || ret == -EINVAL);) {
		const struct vma *v = vma_at(i);

		if (!(v->flags & VMA_SHM) || v->base != a[0] || (file && v->file != file)) {
			i++;
			continue;
		}
		file = v->file;
		ret = mm_unmap(v->start, v->end);
	}
	mm_unlock();
	return ret;
}
