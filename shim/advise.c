/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls about memory that is mapped already: madvise(2), msync(2), mincore(2). */
#include "shim.h"

#define MADV_DONTNEED		4
#define MADV_FREE		8
#define MADV_REMOVE		9
#define MADV_HUGEPAGE		14
#define MADV_NOHUGEPAGE		15
#define MADV_COLD		20
#define MADV_PAGEOUT		21
#define PROT_READ		1
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#define MADV_DONTNEED_LOCKED	24
#define MADV_HWPOISON		100
#define MS_INVALIDATE		2

static bool advice_known(u64 advice)
{
	/* 0-4 access patterns and DONTNEED; 8-21 FREE, REMOVE, fork, KSM, THP, dump, COLD, PAGEOUT; 22-25 */
	return advice <= 4 || (advice >= 8 && advice <= 25);
}

/* Drops the pages of a mapping within [start, end). */
static int drop(const struct vma *v, gva_t start, gva_t end)
{
	u64 n;

	if (v->flags & VMA_FIXED)
		return -EINVAL;
	if (pt_border(start) || pt_border(end))
		return -ENOMEM;
	n = pt_empty(start, end);
	if (!(v->flags & VMA_ACCOUNT))
		mm_uncharge(n);
	return 0;
}

static gpa_t place_of(const struct vma *v, gva_t va)
{
	return v->off + (va - v->start);
}

static int advise(struct vma *v, gva_t start, gva_t end, u64 advice)
{
	bool shared = v->flags & VMA_SHARED;

	if ((v->flags & VMA_LOCKED) && (advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_COLD ||
					advice == MADV_PAGEOUT))
		return -EINVAL;
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
		/* what is shared stays with the object */
		return shared ? 0 : drop(v, start, end);
	case MADV_FREE:
		return v->file ? -EINVAL : drop(v, start, end);
	case MADV_REMOVE:
		return !v->file ? -EINVAL : !shared || (v->flags & VMA_READONLY) ? -EACCES :
			window_remove(place_of(v, start), end - start);
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
		/* a hint: taken for a whole mapping only, so that it never splits one */
		if (start == v->start && end == v->end)
			v->flags = (v->flags & ~VMA_NOHUGE) | (advice == MADV_NOHUGEPAGE ? VMA_NOHUGE : 0);
		return 0;
	default:
		return 0;
	}
}

/* Whether all of [va, va + len) is mapped. */
static bool mapped(gva_t va, u64 len)
{
	gva_t at = va;

	for (u32 i = vma_find(va); at < va + len; i++) {
		if (i == vma_count || vma_at(i)->start > at)
			return false;
		at = vma_at(i)->end;
	}
	return true;
}

static long check_mapped(gva_t va, u64 len)
{
	bool all;

	if (len > ABI_USER_END || va > ABI_USER_END - len)
		return -ENOMEM;
	lock(&mm_lock);
	all = mapped(va, len);
	unlock(&mm_lock);
	return all ? 0 : -ENOMEM;
}

/* To read, up to a mapping that is not for that, whatever the processor allows of one that can be written. */
static long advise_populate(gva_t va, gva_t end, enum access access)
{
	gva_t stop = end;
	int code, err;

	lock(&mm_lock);
	for (u32 i = vma_find(va); access == ACCESS_READ && i < vma_count && vma_at(i)->start < stop; i++)
		if (!(vma_at(i)->prot & PROT_READ))
			stop = MAX(va, vma_at(i)->start);
	unlock(&mm_lock);
	err = mm_populate(va, stop, access, &code);
	if (!err && stop < end)
		return -EINVAL;
	return err == -EIO ? -EFAULT : err != -EFAULT ? err : code == SEGV_MAPERR ? -ENOMEM : -EINVAL;
}

long sys_madvise(const u64 a[6])
{
	u64 va = a[0], len = PAGE_ALIGN(a[1]), advice = (u32)a[2];
	gva_t end = va + len, at = va;
	bool hole = false;
	int err = 0;

	if (advice == MADV_HWPOISON || advice == MADV_HWPOISON + 1)
		return -EPERM;
	if (!advice_known(advice) || (va & ~PAGE_MASK) || (a[1] && !len) || end < va)
		return -EINVAL;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return advise_populate(va, end, advice == MADV_POPULATE_WRITE ? ACCESS_WRITE : ACCESS_READ);
	lock(&mm_lock);
	for (u32 i = vma_find(va); at < end && !err; i++) {
		if (i == vma_count || vma_at(i)->start >= end) {
			hole = true;
			break;
		}
		hole |= vma_at(i)->start > at;
		at = MIN(end, vma_at(i)->end);
		err = advise(vma_at(i), MAX(va, vma_at(i)->start), at, advice);
	}
	mm_unlock();
	return err ? err : hole ? -ENOMEM : 0;
}

/* A hole does not keep the rest from being written; only then it is told, msync(2). */
static long sync_range(gva_t va, gva_t end, u64 flags)
{
	bool hole = false;
	long err = 0;

	for (u32 i = vma_find(va); va < end && !err; i++) {
		const struct vma *v = vma_at(i);
		gva_t to;

		if (i == vma_count || v->start >= end)
			return -ENOMEM;
		hole |= v->start > va;
		va = MAX(va, v->start);
		to = MIN(end, v->end);
		if ((flags & MS_INVALIDATE) && (v->flags & VMA_LOCKED))
			return -EBUSY;
		if ((v->flags & (VMA_FILE | VMA_SHARED)) == (VMA_FILE | VMA_SHARED))
			err = window_sync(place_of(v, va), to - va, flags);
		va = to;
	}
	return err ? err : hole ? -ENOMEM : 0;
}

long sys_msync(const u64 a[6])
{
	u64 va = a[0], len = PAGE_ALIGN(a[1]), flags = a[2];
	long err;

	if ((va & ~PAGE_MASK) || (flags & ~7ull) || (flags & 5) == 5)
		return -EINVAL;
	if (va + len < va)
		return -ENOMEM;
	lock(&mm_lock);
	err = sync_range(va, va + len, flags);
	mm_unlock();
	return err;
}

long sys_mincore(const u64 a[6])
{
	u64 va = a[0], len = PAGE_ALIGN(a[1]), vec = a[2], pages = len / PAGE_SIZE;

	if (va & ~PAGE_MASK)
		return -EINVAL;
	if ((a[1] && !len) || check_mapped(va, len))
		return -ENOMEM;
	for (u64 i = 0; i < pages; i += 64) {
		u64 n = MIN(64, pages - i);
		u8 in[64];

		lock(&mm_lock);
		for (u64 k = 0; k < n; k++) {
			bool huge;

			in[k] = pt_find(va + (i + k) * PAGE_SIZE, &huge) != NULL;
		}
		unlock(&mm_lock);
		if (copy_out(vec + i, in, n))
			return -EFAULT;
	}
	return 0;
}
