/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory calls, with Linux's semantics: mmap(2), mremap(2), madvise(2) ... */
#include "shim.h"

#define PROT_WRITE	2
#define PROT_EXEC	4
#define PROT_ALL	7
#define MAP_SHARED	0x01
#define MAP_PRIVATE	0x02
#define MAP_VALIDATE	0x03
#define MAP_TYPE	0x0f
#define MAP_FIXED	0x10
#define MAP_ANONYMOUS	0x20
#define MAP_32BIT	0x40
#define MAP_GROWSDOWN	0x100
#define MAP_LOCKED	0x2000
#define MAP_NORESERVE	0x4000
#define MAP_POPULATE	0x8000
#define MAP_HUGETLB	0x40000
#define MAP_NOREPLACE	0x100000
#define MREMAP_MAYMOVE	1
#define MREMAP_FIXED	2
#define MREMAP_DONTUNMAP 4

spinlock mm_lock;
u64 mm_stack_limit;
static u64 committed, limit;	/* pages */
static gva_t brk_start, brk_end;

bool mm_charge(u64 pages)
{
	if (pages > limit - committed)
		return false;
	committed += pages;
	return true;
}

void mm_uncharge(u64 pages)
{
	committed -= pages;
}

static u64 pages_of(const struct vma *v)
{
	return (v->end - v->start) / PAGE_SIZE;
}

/* Whether a mapping's whole length counts from the start: private writable memory, unless told not to. */
static bool accountable(u32 prot, u32 flags)
{
	return (prot & PROT_WRITE) && !(flags & VMA_NORESERVE);
}

/* Frees the pages of one mapping within [start, end). */
static int zap(const struct vma *v, gva_t start, gva_t end, gva_t floor, gva_t ceiling)
{
	s64 n = pt_unmap(start, end, floor, ceiling);

	if (n < 0)
		return n;
	if (!(v->flags & VMA_ACCOUNT))
		mm_uncharge(n);
	return 0;
}

/* Whether [start, end) has a mapping that is not the program's to change. */
static bool has_fixed(gva_t start, gva_t end)
{
	for (u32 i = vma_find(start); i < vma_count && vma_at(i)->start < end; i++)
		if (vma_at(i)->flags & VMA_FIXED)
			return true;
	return false;
}

static int unmap(gva_t start, gva_t end)
{
	u32 i, first;
	int err;

	if (has_fixed(start, end))
		return -EINVAL;
	err = vma_split(start);
	if (!err)
		err = vma_split(end);
	if (err)
		return err;
	first = vma_find(start);
	for (i = first; i < vma_count && vma_at(i)->start < end; i++) {
		struct vma *v = vma_at(i);
		gva_t floor = i ? vma_at(i - 1)->end : 0;
		gva_t ceiling = i + 1 < vma_count ? vma_at(i + 1)->start : ABI_USER_END + PAGE_SIZE;

		/* neighbours that go too do not hold their tables */
		if (i > first)
			floor = first ? vma_at(first - 1)->end : 0;
		err = zap(v, v->start, v->end, floor, ceiling);
		if (err)
			return err;
		if (v->flags & VMA_ACCOUNT)
			mm_uncharge(pages_of(v));
	}
	return i > first ? vma_remove(start, end) : 0;
}

/* The gap that a new mapping goes to, or 0. */
static gva_t place(gva_t hint, u64 len, u64 flags)
{
	/* big mappings are put where 2 MiB pages fit */
	u64 align = len >= ABI_HUGE ? ABI_HUGE : PAGE_SIZE;
	gva_t at;
	u32 i;

	if (flags & MAP_32BIT)
		return vma_gap(len, 0x40000000, 0x80000000, PAGE_SIZE);
	hint = PAGE_ALIGN(hint);
	if (hint >= ABI_MMAP_MIN && hint <= ABI_USER_END - len) {
		i = vma_find(hint);
		if (i == vma_count || vma_at(i)->start >= hint + len)
			return hint;
	}
	at = vma_gap(len, ABI_MMAP_MIN, boot->mmap_base, align);
	if (!at)
		at = vma_gap(len, ABI_MMAP_MIN, ABI_USER_END, PAGE_SIZE);
	return at;
}

static void populate(gva_t va, u64 len, enum access access)
{
	int code;

	for (gva_t at = va; at < va + len; at += PAGE_SIZE)
		if (mm_fault(at, access, &code))
			break;
}

static long map(gva_t va, u64 len, u64 prot, u64 flags)
{
	struct vma v = { .prot = prot };
	int err;

	if (flags & (MAP_FIXED | MAP_NOREPLACE)) {
		if (va & ~PAGE_MASK)
			return -EINVAL;
		if (va > ABI_USER_END - len)
			return -ENOMEM;
		if (va < ABI_MMAP_MIN)
			return -EPERM;
		if (flags & MAP_NOREPLACE) {
			u32 i = vma_find(va);

			if (i < vma_count && vma_at(i)->start < va + len)
				return -EEXIST;
		}
	} else {
		va = place(va, len, flags);
		if (!va)
			return -ENOMEM;
	}
	if (flags & MAP_NORESERVE)
		v.flags |= VMA_NORESERVE;
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		v.flags |= VMA_SHARED;
	if (flags & MAP_GROWSDOWN)
		v.flags |= VMA_GROWSDOWN;
	if (accountable(prot, v.flags))
		v.flags |= VMA_ACCOUNT;
	if (flags & MAP_FIXED) {
		err = unmap(va, va + len);
		if (err)
			return err;
	}
	if ((v.flags & VMA_ACCOUNT) && !mm_charge(len / PAGE_SIZE))
		return -ENOMEM;
	v.start = va;
	v.end = va + len;
	err = vma_insert(v);
	if (err) {
		if (v.flags & VMA_ACCOUNT)
			mm_uncharge(len / PAGE_SIZE);
		return err;
	}
	return va;
}

long sys_mmap(const u64 a[6])
{
	u64 va = a[0], len = a[1], prot = a[2], flags = a[3], off = a[5];
	u64 type = flags & MAP_TYPE;
	long at;

	if (!(flags & MAP_ANONYMOUS)) {
		return forward(9, a);
	}
	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_VALIDATE)
		return -EINVAL;
	if (!len || (off & ~PAGE_MASK))
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (!len || len > ABI_USER_END || (flags & MAP_HUGETLB))
		return -ENOMEM;
	prot &= PROT_ALL;
	if ((prot & PROT_WRITE) && (prot & PROT_EXEC) && !(boot->flags & ABI_BOOT_WX))
		return -EACCES;
	lock(&mm_lock);
	at = map(va, len, prot, flags);
	unlock(&mm_lock);
	if (at > 0 && (flags & (MAP_POPULATE | MAP_LOCKED)))
		populate(at, len, prot & PROT_WRITE ? ACCESS_WRITE : ACCESS_READ);
	return at;
}

long sys_munmap(const u64 a[6])
{
	u64 va = a[0], len = a[1];
	int err;

	len = PAGE_ALIGN(len);
	if ((va & ~PAGE_MASK) || !len || va > ABI_USER_END || len > ABI_USER_END - va)
		return -EINVAL;
	lock(&mm_lock);
	err = unmap(va, va + len);
	unlock(&mm_lock);
	return err;
}

long sys_brk(const u64 a[6])
{
	u64 to = a[0];
	gva_t from = PAGE_ALIGN(brk_end), end = PAGE_ALIGN(to);
	long ret;
	u32 i;

	lock(&mm_lock);
	if (to < brk_start || to >= ABI_USER_END)
		goto out;
	if (end < from) {
		if (unmap(end, from))
			goto out;
	} else if (end > from) {
		i = vma_find(from);
		if (i < vma_count && vma_at(i)->start < end + PAGE_SIZE)
			goto out;
		if (map(from, end - from, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NOREPLACE) < 0)
			goto out;
	}
	brk_end = to;
out:
	ret = brk_end;
	unlock(&mm_lock);
	return ret;
}

/* One mapping, already split to the range, gets new protection. */
static int protect(struct vma *v, u32 prot)
{
	u16 flags = v->flags;

	if (v->flags & VMA_FIXED)
		return -EACCES;
	if (!(flags & VMA_ACCOUNT) && accountable(prot, flags)) {
		/* pages that were counted one by one are now part of the whole */
		u64 had = pt_count(v->start, v->end);

		if (!mm_charge(pages_of(v) - had))
			return -ENOMEM;
		flags |= VMA_ACCOUNT;
	}
	if (pt_protect(v->start, v->end, prot))
		return -ENOMEM;
	v->prot = prot;
	v->flags = flags;
	return 0;
}

long sys_mprotect(const u64 a[6])
{
	u64 va = a[0], len = a[1], prot = a[2];
	gva_t end, at = va;
	int err;
	u32 i;

	len = PAGE_ALIGN(len);
	if ((va & ~PAGE_MASK) || (prot & ~(u64)(PROT_ALL | 8)))
		return -EINVAL;
	if (!len)
		return 0;
	end = va + len;
	if (end < va || end > ABI_USER_END)
		return -ENOMEM;
	prot &= PROT_ALL;
	if ((prot & PROT_WRITE) && (prot & PROT_EXEC) && !(boot->flags & ABI_BOOT_WX))
		return -EACCES;
	lock(&mm_lock);
	err = vma_split(va);
	if (!err)
		err = vma_split(end);
	for (i = vma_find(va); !err && at < end; i++) {
		if (i == vma_count || vma_at(i)->start > at) {
			err = -ENOMEM;
			break;
		}
		at = vma_at(i)->end;
		err = protect(vma_at(i), prot);
	}
	vma_merge(vma_find(va), i);
	unlock(&mm_lock);
	return err;
}

static long remap(gva_t old, u64 old_len, u64 new_len, u64 flags, gva_t to)
{
	struct vma v;
	bool fixed = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP), keep = flags & MREMAP_DONTUNMAP;
	bool account;
	u64 grow;
	u32 i;
	int err;

	i = vma_find(old);
	if (i == vma_count || vma_at(i)->start > old)
		return -EFAULT;
	if (!old_len)
		return -EINVAL;
	if (old_len >= new_len && !fixed) {
		err = old_len > new_len ? unmap(old + new_len, old + old_len) : 0;
		return err ? err : (long)old;
	}
	if (old + old_len > vma_at(i)->end)
		return -EFAULT;
	v = *vma_at(i);
	if (v.flags & VMA_FIXED)
		return -EINVAL;
	account = v.flags & VMA_ACCOUNT;
	grow = new_len > old_len ? (new_len - old_len) / PAGE_SIZE : 0;
	/* in place, when the range ends its mapping and the room behind is free */
	if (!fixed && old + old_len == v.end && new_len <= ABI_USER_END - old &&
	    (i + 1 == vma_count || vma_at(i + 1)->start >= old + new_len)) {
		if (account && !mm_charge(grow))
			return -ENOMEM;
		vma_at(i)->end = old + new_len;
		vma_merge(i, i + 1);
		return old;
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	if (flags & MREMAP_FIXED) {
		if ((to & ~PAGE_MASK) || to > ABI_USER_END - new_len || (to < old + old_len && old < to + new_len))
			return -EINVAL;
		if (to < ABI_MMAP_MIN)
			return -EPERM;
		err = unmap(to, to + new_len);
		if (!err && old_len > new_len)
			err = unmap(old + new_len, old + old_len);
		if (err)
			return err;
		old_len = MIN(old_len, new_len);
	} else {
		to = place(0, new_len, 0);
		if (!to)
			return -ENOMEM;
	}
	if (account && !mm_charge(keep ? new_len / PAGE_SIZE : grow))
		return -ENOMEM;
	if (v.file)
		v.off += old - v.start;
	v.start = to;
	v.end = to + new_len;
	err = vma_insert(v);
	if (!err)
		err = pt_move(old, to, old_len);
	if (!err && !keep)
		err = vma_remove(old, old + old_len);
	return err ? err : (long)to;
}

long sys_mremap(const u64 a[6])
{
	u64 old = a[0], old_len = a[1], new_len = a[2], flags = a[3], to = a[4];
	long ret;

	if ((old & ~PAGE_MASK) || (flags & ~7ull) || ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)) ||
	    ((flags & MREMAP_DONTUNMAP) && (!(flags & MREMAP_MAYMOVE) || old_len != new_len)))
		return -EINVAL;
	old_len = PAGE_ALIGN(old_len);
	new_len = PAGE_ALIGN(new_len);
	if (!new_len || new_len > ABI_USER_END || old > ABI_USER_END || old_len > ABI_USER_END - old)
		return -EINVAL;
	lock(&mm_lock);
	ret = remap(old, old_len, new_len, flags, to);
	unlock(&mm_lock);
	return ret;
}

#define MADV_DONTNEED		4
#define MADV_FREE		8
#define MADV_HUGEPAGE		14
#define MADV_NOHUGEPAGE		15
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#define MADV_HWPOISON		100

static bool advice_known(u64 advice)
{
	/* 0-4 access patterns and DONTNEED, 8 FREE, 10-21 fork, KSM, THP, dump, COLD, PAGEOUT; 22-25 */
	return advice <= 4 || advice == 8 || (advice >= 10 && advice <= 25);
}

static int advise(u32 i, gva_t start, gva_t end, u64 advice)
{
	struct vma *v = vma_at(i);

	switch (advice) {
	case MADV_DONTNEED:
	case MADV_FREE:
		if (v->flags & VMA_FIXED)
			return -EINVAL;
		return zap(v, start, end, end, start);
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

long sys_madvise(const u64 a[6])
{
	u64 va = a[0], len = a[1], advice = a[2];
	gva_t end, at = va;
	bool hole = false;
	int err = 0;

	if (advice == MADV_HWPOISON || advice == MADV_HWPOISON + 1)
		return -EPERM;
	len = PAGE_ALIGN(len);
	if (!advice_known(advice) || (va & ~PAGE_MASK) || len > ABI_USER_END || va > ABI_USER_END - len)
		return -EINVAL;
	end = va + len;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE) {
		int code;

		for (; at < end; at += PAGE_SIZE)
			if (mm_fault(at, advice == MADV_POPULATE_WRITE ? ACCESS_WRITE : ACCESS_READ, &code))
				return code == 1 ? -ENOMEM : -EFAULT;
		return 0;
	}
	lock(&mm_lock);
	for (u32 i = vma_find(va); at < end && !err; i++) {
		if (i == vma_count || vma_at(i)->start >= end) {
			hole = true;
			break;
		}
		hole |= vma_at(i)->start > at;
		at = MIN(end, vma_at(i)->end);
		err = advise(i, MAX(va, vma_at(i)->start), at, advice);
	}
	unlock(&mm_lock);
	return err ? err : hole ? -ENOMEM : 0;
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

	lock(&mm_lock);
	all = mapped(va, len);
	unlock(&mm_lock);
	return all ? 0 : -ENOMEM;
}

long sys_msync(const u64 a[6])
{
	u64 va = a[0], len = a[1], flags = a[2];
	len = PAGE_ALIGN(len);
	if ((va & ~PAGE_MASK) || (flags & ~7ull) || (flags & 5) == 5)
		return -EINVAL;
	if (len > ABI_USER_END || va > ABI_USER_END - len)
		return -ENOMEM;
	return check_mapped(va, len);
}

long sys_mlock(const u64 a[6])
{
	u64 va = a[0], len = a[1];
	len = PAGE_ALIGN(len + (va & ~PAGE_MASK));
	va &= PAGE_MASK;
	if (len > ABI_USER_END || va > ABI_USER_END - len)
		return -ENOMEM;
	return check_mapped(va, len);
}

long sys_mincore(const u64 a[6])
{
	u64 va = a[0], len = a[1], vec = a[2];
	len = PAGE_ALIGN(len);
	if (va & ~PAGE_MASK)
		return -EINVAL;
	if (len > ABI_USER_END || va > ABI_USER_END - len || check_mapped(va, len))
		return -ENOMEM;
	for (u64 i = 0; i < len / PAGE_SIZE; i++) {
		bool huge;
		u8 in;

		lock(&mm_lock);
		in = pt_find(va + i * PAGE_SIZE, &huge) != NULL;
		unlock(&mm_lock);
		if (put_user(in, vec + i))
			return -EFAULT;
	}
	return 0;
}

void mm_init(void)
{
	limit = boot->mem_limit / PAGE_SIZE;
	mm_stack_limit = boot->stack_limit;
	brk_start = brk_end = boot->brk;
	for (u32 i = 0; i < boot->nmaps; i++) {
		const struct abi_map *m = &boot->map[i];
		struct vma v = { .start = m->start, .end = m->end, .prot = m->prot };

		if (m->flags & ABI_MAP_GROWSDOWN)
			v.flags |= VMA_GROWSDOWN;
		if (m->flags & ABI_MAP_FIXED)
			v.flags |= VMA_FIXED;
		else
			v.flags |= VMA_ACCOUNT;
		if (((v.flags & VMA_ACCOUNT) && !mm_charge(pages_of(&v))) || vma_insert(v))
			panic("the program does not fit in its memory", m->start);
	}
}
