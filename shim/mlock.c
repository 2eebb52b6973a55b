/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locked memory, mlock(2), mlockall(2), as an ordinary user may have it: RLIMIT_MEMLOCK is kept.
 * Nothing is ever swapped out here, so all there is to do is to count it, and to have the pages.
 */
#include "shim.h"

#define MAP_LOCKED	0x2000
#define MCL_CURRENT	1
#define MCL_FUTURE	2
#define MCL_ONFAULT	4
#define MLOCK_ONFAULT	1

static u32 future;	/* mlockall(2)'s flags, where what is mapped later is to be locked */
static bool any;	/* something is, or has been locked */

/* Bytes that are locked in [start, end). */
static u64 locked(gva_t start, gva_t end)
{
	u64 n = 0;

	for (u32 i = vma_find(start); i < vma_count && vma_at(i)->start < end; i++)
		if (vma_at(i)->flags & VMA_LOCKED)
			n += MIN(end, vma_at(i)->end) - MAX(start, vma_at(i)->start);
	return n;
}

static u64 limit(void)
{
	return boot->limit[RLIMIT_MEMLOCK].soft & PAGE_MASK;
}

bool mlock_allows(u64 more)
{
	return more + locked(0, ABI_USER_END) <= limit();
}

long mlock_new(u64 flags, u64 len)
{
	if (!(flags & MAP_LOCKED) && !future)
		return 0;
	if ((flags & MAP_LOCKED) && !boot->limit[RLIMIT_MEMLOCK].soft)
		return -EPERM;
	if (!mlock_allows(len))
		return -EAGAIN;
	any = true;
	return VMA_LOCKED;
}

bool mlock_populates(void)
{
	return future && !(future & MCL_ONFAULT);
}

static void mark_all(u16 flag)
{
	any |= flag;
	for (u32 i = 0; i < vma_count; i++)
		if (!(vma_at(i)->flags & VMA_FIXED))
			vma_at(i)->flags = (vma_at(i)->flags & ~VMA_LOCKED) | flag;
	vma_merge(0, vma_count);
}

void mlock_forked(void)
{
	future = 0;
	if (any)
		mark_all(0);
	any = false;
}

/* Locks or unlocks [va, end), up to the first hole: -ENOMEM. */
static long mark(gva_t va, gva_t end, u16 flag)
{
	gva_t at = va;
	u32 first;
	long err = 0;

	if (vma_count + VMA_RESERVE > VMA_MAX || vma_reserve())
		return -ENOMEM;
	vma_split(va);
	vma_split(end);
	first = vma_find(va);
	for (u32 i = first; at < end; i++) {
		struct vma *v = vma_at(i);

		if (i == vma_count || v->start > at) {
			err = -ENOMEM;
			break;
		}
		any |= flag;
		if (!(v->flags & VMA_FIXED))
			v->flags = (v->flags & ~VMA_LOCKED) | flag;
		at = v->end;
	}
	vma_merge(first, vma_find(end));
	return err;
}

/* The pages that [address, address + len) is in, and whether there is such a range: 0 or -errno. */
static long range(const u64 a[6], gva_t *va, gva_t *end)
{
	*va = a[0] & PAGE_MASK;
	*end = *va + PAGE_ALIGN(a[1] + (a[0] & ~PAGE_MASK));
	if (*end < *va)
		return -EINVAL;
	return *end > ABI_USER_END ? -ENOMEM : 0;
}

static long lock_range(const u64 a[6], bool populate)
{
	gva_t va, end;
	long err;
	int code;

	if (!boot->limit[RLIMIT_MEMLOCK].soft)
		return -EPERM;
	err = range(a, &va, &end);
	lock(&mm_lock);
	/* that comes first; what is locked already counts once */
	if (end - va + locked(0, ABI_USER_END) - locked(va, end) > limit())
		err = -ENOMEM;
	else if (!err && va != end)
		err = mark(va, end, VMA_LOCKED);
	mm_unlock();
	return err ? err : populate && mm_populate(va, end, ACCESS_READ, &code) ? -ENOMEM : 0;
}

long sys_mlock(const u64 a[6])
{
	return lock_range(a, true);
}

long sys_mlock2(const u64 a[6])
{
	return (u32)a[2] & ~MLOCK_ONFAULT ? -EINVAL : lock_range(a, !(a[2] & MLOCK_ONFAULT));
}

long sys_munlock(const u64 a[6])
{
	gva_t va, end;
	long err = range(a, &va, &end);

	if (err || va == end)
		return err;
	lock(&mm_lock);
	err = mark(va, end, 0);
	mm_unlock();
	return err;
}

/* All that is mapped, with the flag or without it. The size of it, in bytes. */
static u64 total(void)
{
	u64 n = 0;

	for (u32 i = 0; i < vma_count; i++)
		n += vma_at(i)->end - vma_at(i)->start;
	return n;
}

/* What cannot be had stays away, as on Linux. */
static void populate_all(void)
{
	gva_t at = 0, end;
	int code;

	for (;;) {
		u32 i;

		lock(&mm_lock);
		i = vma_find(at);
		end = i < vma_count ? vma_at(i)->end : 0;
		at = end ? MAX(at, vma_at(i)->start) : 0;
		unlock(&mm_lock);
		if (!end)
			return;
		mm_populate(at, end, ACCESS_READ, &code);
		at = end;
	}
}

long sys_mlockall(const u64 a[6])
{
	u32 flags = a[0];

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!boot->limit[RLIMIT_MEMLOCK].soft)
		return -EPERM;
	lock(&mm_lock);
	if ((flags & MCL_CURRENT) && total() > limit()) {
		mm_unlock();
		return -ENOMEM;
	}
	future = flags & MCL_FUTURE ? flags : 0;
	if (flags & MCL_CURRENT)
		mark_all(VMA_LOCKED);
	mm_unlock();
	if ((flags & MCL_CURRENT) && !(flags & MCL_ONFAULT))
		populate_all();
	return 0;
}

long sys_munlockall(const u64 a[6])
{
	(void)a;
	lock(&mm_lock);
	future = 0;
	mark_all(0);
	mm_unlock();
	return 0;
}
