/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program has mapped: a sorted array in a window of the shim's own
 * addresses. Programs have tens of mappings, so an insert moves little; the
 * limit is Linux's vm.max_map_count, 2 MiB of array.
 */
#include "shim.h"

#define VMA_WINDOW	(ABI_SHIM + 0x20000000ull)

u32 vma_count;
static u32 vma_room;		/* entries that pages are mapped for */

void *memmove(void *to, const void *from, size_t n);

#define vmas	((struct vma *)VMA_WINDOW)

struct vma *vma_at(u32 i)
{
	return &vmas[i];
}

u32 vma_find(gva_t va)
{
	u32 lo = 0, hi = vma_count;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (vmas[mid].end > va)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* Makes an empty place at i. */
static int open_place(u32 i)
{
	if (vma_count >= VMA_MAX)
		return -ENOMEM;
	if (vma_count == vma_room) {
		gpa_t page = page_alloc(PAGE_TABLE);

		if (!page || pt_map(VMA_WINDOW + vma_room * sizeof(struct vma), page, pt_bits(3)))
			return -ENOMEM;
		vma_room += PAGE_SIZE / sizeof(struct vma);
	}
	memmove(&vmas[i + 1], &vmas[i], (vma_count - i) * sizeof(struct vma));
	vma_count++;
	return 0;
}

static void close_places(u32 i, u32 n)
{
	memmove(&vmas[i], &vmas[i + n], (vma_count - i - n) * sizeof(struct vma));
	vma_count -= n;
}

static bool mergeable(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->prot == b->prot && a->flags == b->flags && a->file == b->file &&
		!(a->flags & VMA_FIXED) && (!a->file || a->off + (a->end - a->start) == b->off);
}

void vma_merge(u32 first, u32 last)
{
	u32 i = first ? first - 1 : 0;

	while (i + 1 < vma_count && i <= last) {
		if (mergeable(&vmas[i], &vmas[i + 1])) {
			vmas[i].end = vmas[i + 1].end;
			close_places(i + 1, 1);
			if (last)
				last--;
		} else {
			i++;
		}
	}
}

int vma_insert(struct vma v)
{
	u32 i = vma_find(v.start);
	int err;

	if (i && mergeable(&vmas[i - 1], &v)) {
		vmas[i - 1].end = v.end;
		vma_merge(i - 1, i);
		return 0;
	}
	if (i < vma_count && mergeable(&v, &vmas[i])) {
		vmas[i].start = v.start;
		vmas[i].off = v.off;
		return 0;
	}
	err = open_place(i);
	if (!err)
		vmas[i] = v;
	return err;
}

int vma_split(gva_t va)
{
	u32 i = vma_find(va);
	int err;

	if (i == vma_count || vmas[i].start >= va)
		return 0;
	err = open_place(i);
	if (err)
		return err;
	vmas[i] = vmas[i + 1];
	vmas[i].end = va;
	vmas[i + 1].start = va;
	if (vmas[i].file)
		vmas[i + 1].off += va - vmas[i].start;
	/* the lower piece of a stack is not the one that grows */
	return 0;
}

int vma_remove(gva_t start, gva_t end)
{
	u32 first, last;
	int err = vma_split(start);

	if (!err)
		err = vma_split(end);
	if (err)
		return err;
	first = vma_find(start);
	for (last = first; last < vma_count && vmas[last].start < end; last++)
		;
	close_places(first, last - first);
	return 0;
}

gva_t vma_gap(u64 len, gva_t bottom, gva_t top, u64 align)
{
	u32 i = vma_find(top);

	/* a mapping that straddles top bounds the first gap */
	if (i < vma_count && vmas[i].start < top)
		top = vmas[i].start;
	for (;;) {
		gva_t below = i ? MAX(vmas[i - 1].end, bottom) : bottom;
		gva_t at;

		if (top > below && top - below >= len) {
			at = (top - len) & ~(align - 1);
			if (at >= below)
				return at;
		}
		if (!i || vmas[i - 1].start <= bottom)
			return 0;
		top = vmas[--i].start;
	}
}
