/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System V shared memory, shm_overview(7)'s other kind. All segments are pieces of one range of memory that
 * every process has from before it was made; an attached one is mapped into the window (window.c), which
 * counts its mappings here. The shim serves shmat(2) and shmdt(2) by it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "ipc.h"
#include "ipc_call.h"
#include "process.h"
#include "sys.h"

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#define SIZE_MAX_TOLD	(UINT64_MAX - (1ull << 24))	/* kernel.shmmax, and shmall */

_Static_assert(sizeof(struct shmid_ds) == ABI_SIZE_shmid, "struct shmid_ds");
_Static_assert(sizeof(struct shminfo) == ABI_SIZE_shminfo, "struct shminfo");
_Static_assert(sizeof(struct shm_info) == ABI_SIZE_shm_info, "struct shm_info");

static const struct ipc_kind kind = {
	offsetof(struct ipc, shm_ids), offsetof(struct ipc, shm), sizeof(struct shm), SHM_SEGMENTS,
};

static void span(const void *object, uint64_t *off, uint64_t *len)
{
	const struct shm *s = object;

	*off = s->off;
	*len = s->len;
}

static bool sane(const struct shm *s)
{
	return s->off % ABI_PAGE == 0 && s->off <= ipc_memory_size && s->len <= ipc_memory_size - s->off;
}

static long make(struct shm *s, uint64_t size, int flags)
{
	uint64_t len = (size + ABI_PAGE - 1) & -ABI_PAGE;
	int64_t off;

	if (!size || size > SIZE_MAX_TOLD)
		return -EINVAL;
	/* huge pages are the host's, which are few */
	if ((flags & SHM_HUGETLB) || len > ipc_memory_limit || ipc->shm_bytes > ipc_memory_limit - len)
		return -ENOMEM;
	if (ipc->shm_ids.used == 1)
		ipc->shm_top = 0;
	off = ipc_place(&kind, &ipc->shm_top, len, ipc_memory_size, span);
	if (off < 0)
		return -ENOMEM;
	s->off = off;
	s->len = len;
	s->size = size;
	s->ctime = ipc_time();
	s->cpid = process_pid();
	ipc->shm_bytes += len;
	return 0;
}

long host_shmget(struct call *c)
{
	long err = ipc_enter();
	struct shm *s;
	bool fresh;
	int i;

	if (err)
		return err;
	i = ipc_get(&kind, c->arg[0], c->arg[2], &fresh);
	s = i < 0 ? NULL : ipc_at(&kind, i);
	if (fresh && s)
		err = make(s, c->arg[1], c->arg[2]);
	else if (s && c->arg[1] > s->size)
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

/* ------------------------------------------------------------------ attachments */

/* The segment is not wanted any more, and nobody has it. */
static void drop(struct shm *s)
{
	if (!(s->o.mode & SHM_DEST) || s->attached)
		return;
	if (sane(s) && s->len)
		madvise(ipc_memory + s->off, s->len, MADV_REMOVE);
	ipc->shm_bytes -= s->len < ipc->shm_bytes ? s->len : ipc->shm_bytes;
	ipc_free(&kind, s - ipc->shm);
}

static void count(struct shm *s, uint32_t slot, int more)
{
	ipc->attached[slot % PROCS_MAX][s - ipc->shm] += more;
	s->attached += more;
	if (more < 0)
		drop(s);
}

/* That it changes is told, too, unless it does not in the end. */
static void change_count(int id, int more, bool told)
{
	uint32_t i;
	struct shm *s;

	if (ipc_enter())
		return;
	s = ipc_find(&kind, id, &i);
	if (s && told && more < 0) {
		s->dtime = ipc_time();
		s->lpid = process_pid();
	}
	if (s)
		count(s, ipc_slot(), more);
	ipc_leave();
}

void shm_attached(int id, int more)
{
	change_count(id, more, true);
}

void shm_unpin(int id)
{
	change_count(id, -1, false);
}

int64_t shm_size(int id, int flags)
{
	int64_t ret = ipc_enter();
	struct shm *s;
	uint32_t i;
	int wanted = (flags & SHM_RDONLY ? 0444 : 0666) | (flags & SHM_EXEC ? 0111 : 0);

	if (ret)
		return ret;
	s = ipc_find(&kind, id, &i);
	if (!s)
		ret = -EINVAL;
	else if (!ipc_allowed(&s->o, wanted))
		ret = -EACCES;
	else
		ret = s->size;
	ipc_leave();
	return ret;
}

void *shm_map(int id, uint64_t len)
{
	void *p = MAP_FAILED;
	struct shm *s;
	uint32_t i;

	if (ipc_enter())
		return MAP_FAILED;
	s = ipc_find(&kind, id, &i);
	if (s && sane(s) && s->len == len) {
		/* of no length: another mapping of the same */
		p = mremap(ipc_memory + s->off, 0, len, MREMAP_MAYMOVE);
		if (p != MAP_FAILED) {
			count(s, ipc_slot(), 1);
			s->atime = ipc_time();
			s->lpid = process_pid();
		}
	}
	ipc_leave();
	return p;
}

void shm_forked(uint32_t parent, uint32_t child)
{
	for (uint32_t i = 0; i < ipc->shm_ids.top && i < SHM_SEGMENTS; i++) {
		uint32_t n = ipc->attached[parent % PROCS_MAX][i];

		if (!n || !ipc->shm[i].o.used)
			continue;
		ipc->attached[child % PROCS_MAX][i] = n;
		ipc->shm[i].attached += n;
	}
}

void shm_bury(uint32_t slot)
{
	for (uint32_t i = 0; i < ipc->shm_ids.top && i < SHM_SEGMENTS; i++) {
		uint32_t n = ipc->attached[slot][i];

		if (!n)
			continue;
		ipc->shm[i].dtime = ipc_time();
		if (ipc->shm[i].o.used)
			count(&ipc->shm[i], slot, -n);
		ipc->attached[slot][i] = 0;
	}
}

/* ------------------------------------------------------------------ shmctl(2) */

static void tell(const struct shm *s, struct shmid_ds *d)
{
	memset(d, 0, sizeof(*d));
	ipc_tell(&s->o, &d->shm_perm);
	d->shm_segsz = s->size;
	d->shm_atime = s->atime;
	d->shm_dtime = s->dtime;
	d->shm_ctime = s->ctime;
	d->shm_cpid = s->cpid;
	d->shm_lpid = s->lpid;
	d->shm_nattch = s->attached;
}

static long info(int cmd, void *to)
{
	struct shminfo *limits = to;
	struct shm_info *now = to;

	if (cmd == IPC_INFO)
		*limits = (struct shminfo){ .shmmax = SIZE_MAX_TOLD, .shmmin = 1, .shmmni = SHM_SEGMENTS,
					    .shmseg = SHM_SEGMENTS, .shmall = SIZE_MAX_TOLD };
	else
		*now = (struct shm_info){ .used_ids = ipc->shm_ids.used, .shm_tot = ipc->shm_bytes / ABI_PAGE };
	return ipc_highest(&kind);
}

static long change(struct shm *s, int cmd, const struct shmid_ds *d)
{
	if (!ipc_owned(&s->o))
		return -EPERM;
	switch (cmd) {
	case IPC_RMID:
		s->o.key = IPC_PRIVATE;
		s->o.mode |= SHM_DEST;
		drop(s);
		return 0;
	case IPC_SET:
		ipc_set(&s->o, &d->shm_perm);
		s->ctime = ipc_time();
		return 0;
	case SHM_LOCK:
		s->o.mode |= SHM_LOCKED;
		return 0;
	default:
		s->o.mode &= ~(uint32_t)SHM_LOCKED;
		return 0;
	}
}

static long control(int id, int cmd, void *p)
{
	bool by_number = cmd == SHM_STAT || cmd == SHM_STAT_ANY;
	struct shm *s;
	uint32_t i;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SHM_INFO:
		return p ? info(cmd, p) : -EFAULT;
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
	case IPC_RMID:
	case IPC_SET:
	case SHM_LOCK:
	case SHM_UNLOCK:
		break;
	default:
		return -EINVAL;
	}
	s = by_number ? (id < SHM_SEGMENTS && ipc->shm[id].o.used ? &ipc->shm[id] : NULL) : ipc_find(&kind, id, &i);
	if ((cmd == IPC_SET || cmd == IPC_STAT || by_number) && !p)
		return -EFAULT;
	if (!s)
		return -EINVAL;
	if (cmd != IPC_STAT && !by_number)
		return change(s, cmd, p);
	if (cmd != SHM_STAT_ANY && !ipc_allowed(&s->o, 0444))
		return -EACCES;
	tell(s, p);
	return by_number ? ipc_id(&kind, id) : 0;
}

long host_shmctl(struct call *c)
{
	return ipc_control(c, control);
}
