/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program has mapped, changed with Linux's semantics: munmap(2), mremap(2), mprotect(2), brk(2), and mmap.c's part. */
#include "shim.h"

#define PROT_READ	1
#define PROT_WRITE	2
#define PROT_EXEC	4
#define PROT_ALL	7
#define PROT_SEM	8
#define PROT_GROWSDOWN	0x01000000
#define PROT_GROWSUP	0x02000000
#define MAP_PRIVATE	0x02
#define MAP_FIXED	0x10
#define MAP_ANONYMOUS	0x20
#define MAP_32BIT	0x40
#define MAP_GROWSDOWN	0x100
#define MAP_NORESERVE	0x4000
#define MAP_NOREPLACE	0x100000
#define MREMAP_MAYMOVE	1
#define MREMAP_FIXED	2
#define MREMAP_DONTUNMAP 4

lock_t mm_lock;
/*
 * In pages: what counts for this process alone, how much of the limit it may have for that now, and
 * the limit. The first process may have all, until there are others: then each asks the
 * runner for its share, a step more than it needs.
 *
 * What there is of memory when a process is made counts for both, once: pages with PTE_FORKED, until one of them
 * writes, and shared mappings with VMA_FORKED. From then on the private mappings count page by page.
 */
static u64 committed, granted, limit;
static u64 forked_shared;	/* pages of mappings with VMA_FORKED */
static u64 told;		/* what the runner knows of forked() */
static bool alone;		/* what it said of them */
static gva_t brk_start;
gva_t brk_end;

/* So much has been given back that the host is told of it, for other processes' sake. */
static bool much_free;

static u64 forked(void)
{
	return pt_forked + forked_shared;
}

static u64 step(void)
{
	return limit / 4096 + 4;
}

/* Has the runner let at least need pages count for this process, better want. */
static bool ask(u64 need, u64 want)
{
	s64 got;

	told = forked();
	got = ask_runner(ABI_OP_COMMIT, need | want << 32, told);
	if (got < 0)
		return false;
	granted = (u32)got;
	alone = got & ABI_COMMIT_ALONE;
	return true;
}

void mm_unlock(void)
{
	pt_flush();
	/* others may have it */
	if (boot->forked && told > forked() + 2 * step()) {
		ask(committed, MAX(granted, committed));
		much_free = true;
	}
	if (much_free) {
		much_free = false;
		phys_give_back();
	}
	unlock(&mm_lock);
}

/* Whether so much may count in all. */
static bool may_have(u64 need)
{
	if (need > granted && boot->forked && need <= limit)
		ask(need, MIN(need + step(), limit));
	if (need > granted)
		__atomic_add_fetch(&boot->memory_refused, 1, __ATOMIC_RELAXED);
	return need <= granted;
}

/*
 * Whether so much more may be mapped, once gain counts no more. A mapping can be refused, a write to what was there before
 * cannot: some room for that is left.
 */
static bool room(u64 pages, u64 gain)
{
	return pages <= gain || may_have(committed + (pages - gain) + MIN(forked(), ABI_FORK_PAGES));
}

static void count(u64 now)
{
	committed = now;
	boot->taken = now + forked();
}

bool mm_charge(u64 pages)
{
	if (!may_have(committed + pages))
		return false;
	count(committed + pages);
	return true;
}

void mm_uncharge(u64 pages)
{
	count(committed - pages);
	if (boot->forked && granted - committed > 2 * step() + ABI_FORK_PAGES) {
		ask(committed, MIN(committed + step() + MIN(forked(), ABI_FORK_PAGES), limit));
		much_free = true;
	}
}

bool mm_alone(void)
{
	return ask(committed, MAX(granted, committed)) && alone;
}

static u64 pages_of(const struct vma *v)
{
	return (v->end - v->start) / PAGE_SIZE;
}

int mm_forking(u64 *frozen, u64 *shared)
{
	u64 before = forked();

	if (!boot->forked) {
		if (ask_runner(ABI_OP_FORKING, committed, 0) < 0)
			return -EAGAIN;
		granted = committed;
	}
	for (u32 i = 0; i < vma_count; i++) {
		struct vma *v = vma_at(i);

		if (v->flags & VMA_FIXED)
			continue;
		if (!(v->flags & VMA_SHARED)) {
			pt_fork(v->start, v->end);
			v->flags = (v->flags & ~VMA_ACCOUNT) | VMA_NORESERVE;
		} else if (v->flags & VMA_ACCOUNT) {
			v->flags = (v->flags & ~VMA_ACCOUNT) | VMA_FORKED;
			forked_shared += pages_of(v);
		}
	}
	vma_merge(0, vma_count);
	/* who writes from now on waits for mm_lock */
	pt_flush();
	*shared = told = forked();
	*frozen = *shared - before;
	/* what was promised and never touched counts no more */
	count(0);
	granted = ABI_FORK_PAGES;
	return 0;
}

void mm_forked(bool done)
{
	if (!done)
		granted = 0;
	else if (!threads_alone())
		pt_unshare_held();
}

/*
 * Whether a mapping's whole length counts from the start: private writable memory, unless
 * told not to, and memory that is to be shared. Of a shared file nothing ever counts.
 */
static bool accountable(u32 prot, u32 flags)
{
	if (flags & VMA_SHARED)
		return !(flags & VMA_FILE);
	return (prot & PROT_WRITE) && !(flags & VMA_NORESERVE);
}

/* What of the limit is held by what is mapped in [start, end), in pages, for this process alone. */
static u64 held(gva_t start, gva_t end)
{
	u64 n = 0;

	for (u32 i = vma_find(start); i < vma_count && vma_at(i)->start < end; i++) {
		const struct vma *v = vma_at(i);
		gva_t from = MAX(start, v->start), to = MIN(end, v->end);

		if (v->flags & VMA_ACCOUNT)
			n += (to - from) / PAGE_SIZE;
		else if (!(v->flags & VMA_SHARED))
			n += pt_count(from, to);
	}
	return n;
}

/* Whether [start, end) has a mapping that is not the program's to change. */
static bool has_fixed(gva_t start, gva_t end)
{
	for (u32 i = vma_find(start); i < vma_count && vma_at(i)->start < end; i++)
		if (vma_at(i)->flags & VMA_FIXED)
			return true;
	return false;
}

/* Makes start and end borders of mappings and of pages. -ENOMEM changes nothing that can be seen. */
static int cut(gva_t start, gva_t end)
{
	if (vma_reserve() || pt_border(start) || pt_border(end))
		return -ENOMEM;
	vma_split(start);
	vma_split(end);
	return 0;
}

/* Frees the pages of a range whose mappings go, and the page tables that no mapping is left for. */
static void unmap_pages(gva_t start, gva_t end)
{
	u32 first = vma_find(start), next = vma_find(end - 1);

	if (next < vma_count && vma_at(next)->start < end)
		next++;
	pt_unmap(start, end, first ? vma_at(first - 1)->end : 0,
		 next < vma_count ? vma_at(next)->start : ABI_USER_END + PAGE_SIZE);
}

/* Unmaps a range that was cut. */
static void unmap_cut(gva_t start, gva_t end)
{
	u32 first = vma_find(start), n = 0;

	mm_uncharge(held(start, end));
	unmap_pages(start, end);
	for (; first + n < vma_count && vma_at(first + n)->start < end; n++) {
		const struct vma *v = vma_at(first + n);

		if (v->file)
			window_doom(v->off, v->end - v->start);
		if (v->flags & VMA_FORKED)
			forked_shared -= pages_of(v);
	}
	vma_remove(first, n);
	count(committed);
}

int mm_unmap(gva_t start, gva_t end)
{
	u32 i = vma_find(start);
	int err;

	if (i == vma_count || vma_at(i)->start >= end)
		return 0;
	if (has_fixed(start, end))
		return -EINVAL;
	if (vma_at(i)->start < start && vma_at(i)->end > end && vma_count >= VMA_MAX)
		return -ENOMEM;
	err = cut(start, end);
	if (!err)
		unmap_cut(start, end);
	return err;
}

bool mm_is_free(gva_t va, u64 len)
{
	u32 i = vma_find(va);

	return i == vma_count || vma_at(i)->start >= va + len;
}

/* Where a mapping goes that is not fixed, or 0. */
static gva_t place(gva_t hint, u64 len, u64 flags)
{
	gva_t end = flags & MAP_32BIT ? 0x80000000 : ABI_USER_END;
	u32 i;

	hint &= PAGE_MASK;
	if (hint && hint < ABI_MMAP_MIN)
		hint = ABI_MMAP_MIN;
	if (hint && len <= end && hint <= end - len) {
		i = vma_find(hint);
		if (i == vma_count || vma_start_gap(i) >= hint + len)
			return hint;
	}
	return flags & MAP_32BIT ? vma_gap(len, 0x40000000, end) : vma_place(len);
}

/* Whether RLIMIT_AS allows len bytes at va, in the place of what is mapped there. */
static bool within_limit(gva_t va, u64 len)
{
	u64 most = boot->limit[RLIMIT_AS].soft, total = len;

	for (u32 i = 0; most != RLIM_INFINITY && i < vma_count; i++) {
		const struct vma *v = vma_at(i);
		gva_t from = MAX(v->start, va), to = MIN(v->end, va + len);

		total += v->end - v->start - (from < to ? to - from : 0);
	}
	return total <= most;
}

long mm_map(gva_t va, u64 len, u64 prot, u64 flags, const struct vma *object)
{
	struct vma v = object ? *object : (struct vma){ 0 };
	u64 pages = 0;
	long locked;

	v.prot = prot;
	if (vma_count >= VMA_MAX || vma_reserve())
		return -ENOMEM;
	if (flags & (MAP_FIXED | MAP_NOREPLACE)) {
		if (va > ABI_USER_END - len)
			return -ENOMEM;
		if (va & ~PAGE_MASK)
			return -EINVAL;
		if (va < ABI_MMAP_MIN)
			return -EPERM;
		if ((flags & MAP_NOREPLACE) && !mm_is_free(va, len))
			return -EEXIST;
		if (has_fixed(va, va + len))
			return -EINVAL;
	} else {
		va = place(va, len, flags);
		if (!va)
			return -ENOMEM;
	}
	locked = mlock_new(flags, len);
	if (locked < 0)
		return locked;
	v.flags |= locked;
	if (flags & MAP_NORESERVE)
		v.flags |= VMA_NORESERVE;
	if (flags & MAP_GROWSDOWN)
		v.flags |= VMA_GROWSDOWN;
	if (accountable(prot, v.flags)) {
		v.flags |= VMA_ACCOUNT;
		pages = len / PAGE_SIZE;
	}
	/* refused before anything is lost */
	if (!within_limit(va, len) || !room(pages, held(va, va + len)))
		return -ENOMEM;
	if (!mm_is_free(va, len)) {
		if (cut(va, va + len))
			return -ENOMEM;
		unmap_cut(va, va + len);
	}
	mm_charge(pages);
	v.start = va;
	v.end = va + len;
	if (v.flags & VMA_SHM)
		v.base = va;
	vma_insert(&v);
	return va;
}

bool mm_wx(u64 prot)
{
	return (prot & PROT_WRITE) && (prot & PROT_EXEC) && !(boot->flags & ABI_BOOT_WX);
}

long sys_munmap(const u64 a[6])
{
	u64 va = a[0], len = PAGE_ALIGN(a[1]);
	int err;

	if ((va & ~PAGE_MASK) || !len || va > ABI_USER_END || len > ABI_USER_END - va)
		return -EINVAL;
	lock(&mm_lock);
	err = mm_unmap(va, va + len);
	mm_unlock();
	return err;
}

/* 0 when the break is at the new place. */
static int set_brk(gva_t to)
{
	gva_t from = PAGE_ALIGN(brk_end), end = PAGE_ALIGN(to);
	u32 i;

	if (to < brk_start || to >= ABI_USER_END)
		return -EINVAL;
	if (end < from)
		return mm_unmap(end, from);
	if (end == from)
		return 0;
	i = vma_find(from);
	if (i < vma_count && vma_start_gap(i) < end + PAGE_SIZE)
		return -ENOMEM;
	return mm_map(from, end - from, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NOREPLACE, NULL) < 0 ? -ENOMEM : 0;
}

long sys_brk(const u64 a[6])
{
	long ret;

	lock(&mm_lock);
	if (!set_brk(a[0]))
		boot->brk_end = brk_end = a[0];
	ret = brk_end;
	mm_unlock();
	return ret;
}

/* Gives one mapping, cut to the range, new protection. */
static int protect(struct vma *v, u32 prot)
{
	if ((v->flags & VMA_FIXED) || ((prot & PROT_WRITE) && (v->flags & VMA_READONLY)))
		return -EACCES;
	if (!(v->flags & (VMA_ACCOUNT | VMA_FORKED)) && accountable(prot, v->flags)) {
		/* pages that were counted one by one are now part of the whole */
		u64 more = pages_of(v) - pt_count(v->start, v->end);

		if (!room(more, 0) || !mm_charge(more))
			return -ENOMEM;
		v->flags |= VMA_ACCOUNT;
	}
	pt_protect(v->start, v->end, prot);
	v->prot = prot;
	return 0;
}

static int protect_range(gva_t va, gva_t end, u64 prot)
{
	u32 i = vma_find(va), first = i;
	gva_t at;
	int err = 0;

	if (i == vma_count || vma_at(i)->start >= end)
		return -ENOMEM;
	if (prot & PROT_GROWSDOWN) {
		if (!(vma_at(i)->flags & VMA_GROWSDOWN))
			return -EINVAL;
		va = vma_at(i)->start;
	}
	if (vma_at(i)->start > va)
		return -ENOMEM;
	if (vma_count >= VMA_MAX && (vma_inside(va) || vma_inside(end)))
		return -ENOMEM;
	err = cut(va, end);
	i = first = vma_find(va);
	for (at = va; !err && at < end; i++) {
		if (i == vma_count || vma_at(i)->start > at) {
			err = -ENOMEM;
			break;
		}
		at = vma_at(i)->end;
		err = protect(vma_at(i), prot & PROT_ALL);
	}
	vma_merge(first, vma_find(end));
	return err;
}

long sys_mprotect(const u64 a[6])
{
	u64 va = a[0], len = PAGE_ALIGN(a[1]), prot = a[2];
	u64 grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	int err;

	/* nothing here grows up */
	if ((grows & PROT_GROWSUP) || (va & ~PAGE_MASK))
		return -EINVAL;
	if (!a[1])
		return 0;
	if (va + len <= va)
		return -ENOMEM;
	if (prot & ~(u64)(PROT_ALL | PROT_SEM | PROT_GROWSDOWN))
		return -EINVAL;
	if (va > ABI_USER_END || len > ABI_USER_END - va)
		return -ENOMEM;
	if (mm_wx(prot))
		return -EACCES;
	lock(&mm_lock);
	err = protect_range(va, va + len, prot);
	mm_unlock();
	return err;
}

/*
 * What v, at old, maps of the window gets the room or, with keep, the second place
 * there that it needs; its pages come anew. 0, or a negative errno and nothing changed.
 */
static int remap_object(struct vma *v, gva_t old, u64 old_len, u64 new_len, bool keep)
{
	bool in_call;
	s64 gpa;

	if (old_len == new_len && !keep)
		return 0;
	pt_drop(old, old + old_len);
	pt_flush();
	in_call = !keep && held_range(v->off, old_len);
	gpa = window_remap(v->off, old_len ? old_len : PAGE_SIZE, new_len, keep || in_call);
	if (gpa < 0)
		return gpa;
	if (in_call)
		window_doom(v->off, old_len);
	v->off = gpa;
	v->file = window_id();
	return 0;
}

/* A second mapping, at to, of what v has at old: mremap(2) of a length of 0. */
static long remap_again(const struct vma *v, gva_t old, gva_t to, u64 len)
{
	struct vma new = *v;
	u64 charge = v->flags & VMA_ACCOUNT ? len / PAGE_SIZE : 0;
	int err;

	if (!room(charge, 0) || vma_count >= VMA_MAX || vma_reserve())
		return -ENOMEM;
	new.off += old - v->start;
	new.start = to;
	new.base += to - old;
	new.end = to + len;
	err = remap_object(&new, old, 0, len, true);
	if (!err)
		err = mm_unmap(to, to + len);
	if (err)
		return err;
	mm_charge(charge);
	if (v->flags & VMA_FORKED)
		forked_shared += len / PAGE_SIZE;
	vma_insert(&new);
	return to;
}

/* Lengthens the last old_len bytes of mapping number i, from old on, where they are. */
static long grow_in_place(u32 i, gva_t old, u64 old_len, u64 new_len)
{
	struct vma *v = vma_at(i);
	u64 charge = v->flags & VMA_ACCOUNT ? (new_len - old_len) / PAGE_SIZE : 0;
	int err = 0;

	if (!room(charge, 0))
		return -ENOMEM;
	if (v->file) {
		err = cut(old, old + old_len);
		if (!err) {
			i = vma_find(old);
			v = vma_at(i);
			err = remap_object(v, old, old_len, new_len, false);
		}
	}
	if (err)
		return err;
	mm_charge(charge);
	/* more of what is there, at most */
	if (v->flags & VMA_FORKED)
		forked_shared += (new_len - old_len) / PAGE_SIZE;
	v->end = old + new_len;
	vma_merge(i, i + 1);
	return old;
}

/* Moves old_len bytes of mapping v to [to, to + new_len), which replaces what is there. */
static long remap_to(const struct vma *v, gva_t old, u64 old_len, gva_t to, u64 new_len, bool keep)
{
	struct vma new = *v;
	u64 charge = 0, gain = held(to, to + new_len);
	gva_t tail = old + new_len, old_end = old + old_len;
	int err;

	if (tail < old_end) {
		gain += held(tail, old_end);
		old_len = new_len;
	}
	if (v->flags & VMA_ACCOUNT)
		charge = (keep ? new_len : new_len - old_len) / PAGE_SIZE;
	if (!room(charge, gain) || vma_count + VMA_RESERVE > VMA_MAX)
		return -ENOMEM;
	if (has_fixed(to, to + new_len) || has_fixed(old, old_end))
		return -EINVAL;
	err = mm_unmap(to, to + new_len);
	if (!err && tail < old_end)
		err = mm_unmap(tail, old_end);
	if (!err)
		err = cut(old, old + old_len);
	if (err)
		return err;
	new.start = to;
	new.base += to - old;
	new.end = to + new_len;
	if (v->file) {
		new.off += old - v->start;
		err = remap_object(&new, old, old_len, new_len, keep);
	}
	if (!err)
		err = pt_move(old, to, old_len);
	if (err) {
		if (new.file != v->file && keep) {
			window_doom(new.off, new_len);
		} else if (new.file != v->file) {
			vma_at(vma_find(old))->off = new.off;
			window_doom(new.off + old_len, new_len - old_len);
		}
		unmap_pages(to, to + new_len);
		vma_merge(vma_find(old), vma_find(old + old_len));
		return err;
	}
	mm_charge(charge);
	if (v->flags & VMA_FORKED)
		forked_shared += (keep ? new_len : new_len - old_len) / PAGE_SIZE;
	if (!keep)
		vma_remove(vma_find(old), 1);
	vma_insert(&new);
	/* the tables that are left, but for those that the new mapping uses */
	if (!keep)
		unmap_pages(old, old + old_len);
	return to;
}

static long remap(gva_t old, u64 old_len, u64 new_len, u64 flags, gva_t to)
{
	bool moves = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
	u32 i = vma_find(old);
	struct vma v;

	if (moves && ((to & ~PAGE_MASK) || new_len > ABI_USER_END || to > ABI_USER_END - new_len ||
		      (to < old + old_len && old < to + new_len)))
		return -EINVAL;
	if (i == vma_count || vma_at(i)->start > old)
		return -EFAULT;
	v = *vma_at(i);
	if ((!old_len && !(v.flags & VMA_SHARED)) || new_len > ABI_USER_END || old_len > ABI_USER_END - old)
		return -EINVAL;
	if (old_len >= new_len && !moves) {
		int err = old_len > new_len ? mm_unmap(old + new_len, old + old_len) : 0;

		return err ? err : (long)old;
	}
	if (old + MIN(old_len, new_len) > v.end)
		return -EFAULT;
	if (v.flags & VMA_FIXED)
		return -EINVAL;
	if ((v.flags & VMA_LOCKED) && new_len > old_len && !mlock_allows(new_len - old_len))
		return -EAGAIN;
	/* in place, when the range ends its mapping and the room behind is free */
	if (!moves && old + old_len == v.end && new_len <= ABI_USER_END - old &&
	    mm_is_free(v.end, new_len - old_len))
		return grow_in_place(i, old, old_len, new_len);
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	if (!(flags & MREMAP_FIXED))
		to = place(moves ? to : 0, new_len, 0);
	else if (to < ABI_MMAP_MIN)
		return -EPERM;
	if (to && !old_len)
		return remap_again(&v, old, to, new_len);
	return to ? remap_to(&v, old, old_len, to, new_len, flags & MREMAP_DONTUNMAP) : -ENOMEM;
}

long sys_mremap(const u64 a[6])
{
	u64 old = a[0], old_len = PAGE_ALIGN(a[1]), new_len = PAGE_ALIGN(a[2]), flags = a[3], to = a[4];
	long ret;

	if ((old & ~PAGE_MASK) || !new_len || (flags & ~7ull) ||
	    ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)) ||
	    ((flags & MREMAP_DONTUNMAP) && (!(flags & MREMAP_MAYMOVE) || old_len != new_len)))
		return -EINVAL;
	lock(&mm_lock);
	ret = remap(old, old_len, new_len, flags, to);
	mm_unlock();
	return ret;
}

void mm_init(void)
{
	limit = MIN(boot->mem_limit / PAGE_SIZE, UINT32_MAX);
	granted = boot->forked ? boot->committed : limit;
	brk_start = brk_end = boot->brk_end = boot->brk;
	for (u32 i = 0; i < boot->nmaps; i++) {
		const struct abi_map *m = &boot->map[i];
		struct vma v = { .start = m->start, .end = m->end, .prot = m->prot };

		if (m->flags & ABI_MAP_GROWSDOWN)
			v.flags |= VMA_GROWSDOWN;
		if (m->flags & ABI_MAP_FIXED)
			v.flags |= VMA_FIXED;
		else
			v.flags |= VMA_ACCOUNT;
		if (((v.flags & VMA_ACCOUNT) && !mm_charge(pages_of(&v))) || vma_reserve())
			panic("the program does not fit in its memory", m->start);
		vma_insert(&v);
	}
}
