/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program has mapped: a sorted array in a window of the shim's own
 * addresses, up to Linux's vm.max_map_count. Its free room is a gap within it,
 * left where the last change was: programs change what is near, so that an
 * insert moves little even among tens of thousands.
 */
#include "shim.h"

#define VMA_WINDOW	(ABI_SHIM + 0x20000000ull)

u32 vma_count;
static u32 mapped;		/* pages of the window; an entry may reach from one into the next */
static u32 room;		/* entries that fit in them */
static u32 gap;			/* the free ones, room - vma_count, come before entry number gap */

/*
 * For mappings of any size and for large ones, which are aligned: above top
 * there is no place for len bytes. Spares the search what the last one saw.
 */
static struct { u64 len; gva_t top; } searched[2];

#define vmas	((struct vma *)VMA_WINDOW)

struct vma *vma_at(u32 i)
{
	return &vmas[i < gap ? i : i + (room - vma_count)];
}

u32 vma_find(gva_t va)
{
	u32 lo = 0, hi = vma_count;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (vma_at(mid)->end > va)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static void move_gap(u32 to)
{
	u32 size = room - vma_count;

	if (to < gap)
		memmove(&vmas[to + size], &vmas[to], (gap - to) * sizeof(struct vma));
	else
		memmove(&vmas[gap], &vmas[gap + size], (to - gap) * sizeof(struct vma));
	gap = to;
}

static void publish(void)
{
	boot->vma_array = (struct abi_vmas){ .at = VMA_WINDOW, .count = vma_count, .gap = gap, .room = room };
}

int vma_reserve(void)
{
	u32 pages = mapped / 2 + 1;

	if (room - vma_count >= VMA_RESERVE)
		return 0;
	move_gap(vma_count);
	while (pages--) {
		gpa_t page = page_alloc(PAGE_TABLE);

		if (!page)
			break;
		if (pt_map(VMA_WINDOW + mapped * PAGE_SIZE, page, pt_bits(3))) {
			page_free(page);
			break;
		}
		room = ++mapped * PAGE_SIZE / sizeof(struct vma);
	}
	publish();
	return room - vma_count >= VMA_RESERVE ? 0 : -ENOMEM;
}

static struct vma *open_place(u32 i)
{
	move_gap(i);
	vma_count++;
	gap++;
	publish();
	return &vmas[gap - 1];
}

static void close_places(u32 i, u32 n)
{
	move_gap(i);
	vma_count -= n;
	publish();
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
		struct vma *v = vma_at(i), *next = vma_at(i + 1);

		if (mergeable(v, next)) {
			v->end = next->end;
			close_places(i + 1, 1);
			if (last)
				last--;
		} else {
			i++;
		}
	}
}

void vma_insert(const struct vma *v)
{
	u32 i = vma_find(v->start);

	*open_place(i) = *v;
	vma_merge(i, i);
}

void vma_split(gva_t va)
{
	u32 i = vma_find(va);
	struct vma *low, *high;

	if (i == vma_count || vma_at(i)->start >= va)
		return;
	low = open_place(i);
	high = vma_at(i + 1);
	*low = *high;
	low->end = va;
	high->start = va;
	if (low->file)
		high->off += va - low->start;
}

bool vma_inside(gva_t va)
{
	u32 i = vma_find(va);

	return i < vma_count && vma_at(i)->start < va;
}

void vma_remove(u32 first, u32 n)
{
	gva_t top;

	close_places(first, n);
	top = first < vma_count ? vma_at(first)->start : ABI_USER_END;
	for (u32 k = 0; k < ARRAY_SIZE(searched); k++)
		searched[k].top = MAX(searched[k].top, top);
}

gva_t vma_start_gap(u32 i)
{
	const struct vma *v = vma_at(i);

	return !(v->flags & VMA_GROWSDOWN) ? v->start : v->start > STACK_GAP ? v->start - STACK_GAP : 0;
}

/* The highest place for len bytes in [bottom, top), or 0. */
static gva_t highest(u64 len, gva_t bottom, gva_t top, u64 align)
{
	u32 i = vma_find(top);

	/* a mapping that straddles top bounds the first gap, as does the distance to a stack */
	if (i < vma_count && vma_start_gap(i) < top)
		top = vma_start_gap(i);
	for (;;) {
		gva_t below = i ? MAX(vma_at(i - 1)->end, bottom) : bottom;
		gva_t at;

		if (top > below && top - below >= len) {
			at = (top - len) & ~(align - 1);
			if (at >= below)
				return at;
		}
		if (!i || vma_at(i - 1)->start <= bottom)
			return 0;
		top = vma_start_gap(--i);
	}
}

gva_t vma_gap(u64 len, gva_t bottom, gva_t top)
{
	return highest(len, bottom, top, PAGE_SIZE);
}

gva_t vma_place(u64 len)
{
	bool large = len >= ABI_HUGE;
	gva_t top = boot->mmap_base, at;
	u64 known = searched[large].len;

	if (known && len >= known)
		top = MIN(top, searched[large].top);
	at = highest(len, ABI_MMAP_MIN, top, large ? ABI_HUGE : PAGE_SIZE);
	if (at) {
		searched[large].len = len;
		searched[large].top = at + len;
		return at;
	}
	at = highest(len, ABI_MMAP_MIN, boot->mmap_base, PAGE_SIZE);
	return at ? at : highest(len, ABI_MMAP_MIN, ABI_USER_END, PAGE_SIZE);
}
