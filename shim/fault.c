/* SPDX-License-Identifier: GPL-2.0-only */
/* Page faults: memory appears when it is first touched. */
#include "shim.h"

#define AROUND		(8 * PAGE_SIZE)		/* small pages come by so many at once */

/* The mapping of a stack, made to reach down to va; NULL when it must not. */
static struct vma *grow_stack(u32 i, gva_t va)
{
	struct vma *v = vma_at(i), *below = i ? vma_at(i - 1) : NULL;
	gva_t start = va & PAGE_MASK;

	if (i == vma_count || !(v->flags & VMA_GROWSDOWN) || v->end - start > boot->limit[RLIMIT_STACK].soft)
		return NULL;
	if (start < ABI_MMAP_MIN)
		return NULL;
	if (below && below->prot && !(below->flags & VMA_GROWSDOWN) && start < below->end + STACK_GAP)
		return NULL;
	if ((v->flags & VMA_ACCOUNT) && !mm_charge((v->start - start) / PAGE_SIZE))
		return NULL;
	v->start = start;
	return v;
}

static bool allowed(const struct vma *v, enum access access)
{
	switch (access) {
	case ACCESS_WRITE:
		return v->prot & 2;
	case ACCESS_EXEC:
		return v->prot & 4;
	default:
		return v->prot & 7;
	}
}

static int map_huge(const struct vma *v, gva_t va)
{
	gva_t base = va & HUGE_MASK;
	gpa_t chunk;

	if (!(v->flags & VMA_ACCOUNT) || (v->flags & VMA_NOHUGE) || base < v->start || v->end - base < ABI_HUGE ||
	    !pt_huge_free(va))
		return -EINVAL;
	chunk = huge_alloc();
	if (!chunk)
		return -ENOMEM;
	if (pt_map_huge(base, chunk, pt_bits(v->prot))) {
		huge_free(chunk);
		return -ENOMEM;
	}
	return 0;
}

static int map_one(const struct vma *v, gva_t va)
{
	bool charged = !(v->flags & VMA_ACCOUNT);
	gpa_t page;

	if (charged && !mm_charge(1))
		return -ENOMEM;
	page = page_alloc(PAGE_USER);
	if (!page && held_any()) {
		pt_flush();
		page = page_alloc(PAGE_USER);
	}
	if (page && !pt_map(va, page, pt_bits(v->prot)))
		return 0;
	if (page)
		page_free(page);
	if (charged)
		mm_uncharge(1);
	return -ENOMEM;
}

/* Maps va's page, and with it the rest of its aligned window where that costs nothing. */
static int map_small(const struct vma *v, gva_t va)
{
	gva_t first = MAX(va & ~(AROUND - 1), v->start), last = MIN((va & ~(AROUND - 1)) + AROUND, v->end);
	int err = map_one(v, va & PAGE_MASK);
	bool huge;

	if (err || !(v->flags & VMA_ACCOUNT))
		return err;
	for (gva_t at = first; at < last; at += PAGE_SIZE)
		if (!pt_find(at, &huge) && map_one(v, at))
			break;
	return 0;
}

int mm_fault_locked(gva_t va, enum access access, int *code)
{
	u32 i = vma_find(va);
	struct vma *v = vma_at(i);
	bool huge;
	u64 *e;

	*code = SEGV_MAPERR;
	if (va >= ABI_USER_END)
		return -EFAULT;
	if (i == vma_count || v->start > va) {
		v = grow_stack(i, va);
		if (!v)
			return -EFAULT;
	}
	*code = SEGV_ACCERR;
	if (!allowed(v, access))
		return -EFAULT;
	e = pt_find(va, &huge);
	if (v->file) {
		int err = window_fault(v, va, access, e);

		if (err <= 0)
			return err;
	}
	if (e && access == ACCESS_WRITE && (*e & PTE_FORKED)) {
		if (pt_unshare(va, e, huge))
			return -ENOMEM;
		e = pt_find(va, &huge);
	}
	if (e) {
		/* present: another vCPU was first, this one's TLB is behind, or it was to be written by one process only */
		*e = pte_with(*e, pt_bits(v->prot), huge);
		tlb_flush(va & PAGE_MASK);
		return 0;
	}
	if (!map_huge(v, va))
		return 0;
	return map_small(v, va);
}

int mm_fault(gva_t va, enum access access, int *code)
{
	int err;

	lock(&mm_lock);
	err = mm_fault_locked(va, access, code);
	mm_unlock();
	return err;
}

int mm_populate(gva_t va, gva_t end, enum access access, int *code)
{
	while (va < end) {
		bool huge = false;
		u64 need = PTE_P | (access == ACCESS_WRITE ? PTE_W : 0), *e;
		int err = 0;

		lock(&mm_lock);
		e = pt_find(va, &huge);
		if (!e || (*e & need) != need)
			err = mm_fault_locked(va, access, code);
		mm_unlock();
		if (err)
			return err;
		va = huge ? (va | ~HUGE_MASK) + 1 : va + PAGE_SIZE;
	}
	return 0;
}
