/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Four-level page tables, SDM volume 3 section 4.5. An anonymous page has one
 * owner, the entry that maps it; unmapping frees it. Accessed and dirty bits
 * are set at once: nobody here looks at them, and it spares the CPU the walk.
 */
#include "shim.h"

#define LEAF(e, level)	((level) == 1 || ((e) & PTE_PS))
#define TABLE_BITS	(PTE_P | PTE_W | PTE_U | PTE_A)
#define PRESENT(e)	((e) & (PTE_P | PTE_NONE))

static inline u64 level_size(int level)
{
	return 1ull << (12 + 9 * (level - 1));
}

static inline u64 *table_at(u64 entry)
{
	return direct(entry & PTE_ADDR);
}

static inline u32 table_index(gva_t va, int level)
{
	return va >> (12 + 9 * (level - 1)) & 511;
}

u64 pt_bits(int prot)
{
	u64 bits = PTE_P | PTE_U | PTE_A | PTE_D;

	if (!(prot & 7))
		return PTE_NONE | PTE_U | PTE_A | PTE_D | PTE_NX;
	if (prot & 2)
		bits |= PTE_W;
	if (!(prot & 4))
		bits |= PTE_NX;
	return bits;
}

/* The entry for va at a level, or NULL: no table (and none could be made), or a larger page is there. */
static u64 *entry_at(gva_t va, int level, bool make)
{
	u64 *table = direct(boot->pml4);

	for (int l = 4; ; l--) {
		u64 *e = &table[table_index(va, l)];

		if (l == level)
			return e;
		if (!PRESENT(*e)) {
			gpa_t page = make ? page_alloc(PAGE_TABLE) : 0;

			if (!page)
				return NULL;
			*e = page | TABLE_BITS;
		} else if (*e & PTE_PS) {
			return NULL;
		}
		table = table_at(*e);
	}
}

u64 *pt_find(gva_t va, bool *huge)
{
	u64 *e = entry_at(va, 2, false);

	if (!e || !PRESENT(*e))
		return NULL;
	*huge = *e & PTE_PS;
	if (*huge)
		return e;
	e = &table_at(*e)[table_index(va, 1)];
	return PRESENT(*e) ? e : NULL;
}

int pt_map(gva_t va, gpa_t gpa, u64 bits)
{
	u64 *e = entry_at(va, 1, true);

	if (!e)
		return -ENOMEM;
	*e = gpa | bits;
	return 0;
}

int pt_map_huge(gva_t va, gpa_t gpa, u64 bits)
{
	u64 *e = entry_at(va, 2, true);

	if (!e)
		return -ENOMEM;
	*e = gpa | bits | PTE_PS;
	return 0;
}

bool pt_huge_free(gva_t va)
{
	u64 *e = entry_at(va, 2, false);

	return !e || !PRESENT(*e);
}

static int split(u64 *e)
{
	gpa_t page = page_alloc(PAGE_TABLE);
	u64 bits = *e & ~(PTE_ADDR | PTE_PS);
	gpa_t gpa = *e & PTE_ADDR;
	u64 *table;

	if (!page)
		return -ENOMEM;
	table = direct(page);
	for (u32 i = 0; i < 512; i++)
		table[i] = (gpa + i * PAGE_SIZE) | bits;
	huge_split(gpa);
	*e = page | TABLE_BITS;
	return 0;
}

enum what { UNMAP, PROTECT, COUNT };

struct walk {
	enum what what;
	gva_t floor, ceiling;
	u64 bits;
	s64 pages;
	bool stale;		/* some entry may be cached: flush */
};

static void leaf(struct walk *w, u64 *e, int level)
{
	w->pages += level == 2 ? 512 : 1;
	if (w->what == COUNT)
		return;
	w->stale |= *e & PTE_P;
	if (w->what == PROTECT) {
		*e = (*e & (PTE_ADDR | (level == 2 ? PTE_PS : 0))) | w->bits;
		return;
	}
	if (level == 2)
		huge_free(*e & PTE_ADDR);
	else
		page_free(*e & PTE_ADDR);
	*e = 0;
}

/* Visits the pages of [start, end) below a table that maps from base. */
static int walk(struct walk *w, u64 *table, int level, gva_t base, gva_t start, gva_t end)
{
	u64 size = level_size(level);

	for (u32 i = table_index(start, level); i < 512; i++) {
		gva_t from = base + i * size;
		u64 *e = &table[i];
		int err;

		if (from >= end)
			break;
		if (!PRESENT(*e))
			continue;
		if (LEAF(*e, level) && level > 1 && w->what != COUNT && (start > from || end < from + size)) {
			w->stale = true;
			err = split(e);
			if (err)
				return err;
		}
		if (LEAF(*e, level)) {
			leaf(w, e, level);
			continue;
		}
		err = walk(w, table_at(*e), level - 1, from, MAX(start, from), MIN(end, from + size));
		if (err)
			return err;
		if (w->what == UNMAP && from >= w->floor && from + size <= w->ceiling) {
			page_free(*e & PTE_ADDR);
			*e = 0;
			w->stale = true;
		}
	}
	return 0;
}

static s64 run(struct walk *w, gva_t start, gva_t end)
{
	int err = walk(w, direct(boot->pml4), 4, 0, start, end);

	if (w->stale)
		tlb_flush(end - start == PAGE_SIZE ? start : 0);
	return err ? err : w->pages;
}

s64 pt_unmap(gva_t start, gva_t end, gva_t floor, gva_t ceiling)
{
	struct walk w = { .what = UNMAP, .floor = floor, .ceiling = ceiling };

	return run(&w, start, end);
}

int pt_protect(gva_t start, gva_t end, int prot)
{
	struct walk w = { .what = PROTECT, .bits = pt_bits(prot) };

	return run(&w, start, end) < 0 ? -ENOMEM : 0;
}

u64 pt_count(gva_t start, gva_t end)
{
	struct walk w = { .what = COUNT };

	run(&w, start, end);
	return w.pages;
}

int pt_move(gva_t from, gva_t to, u64 len)
{
	bool stale = false;
	u64 done = 0;
	int err = 0;

	while (done < len) {
		u64 *e = entry_at(from + done, 2, false), *t;
		u64 step = PAGE_SIZE;

		if (!e || !PRESENT(*e)) {
			done = (((from + done) | ~HUGE_MASK) + 1) - from;
			continue;
		}
		if (*e & PTE_PS) {
			if (!((from | to) & ~HUGE_MASK) && len - done >= ABI_HUGE && pt_huge_free(to + done)) {
				t = entry_at(to + done, 2, true);
				step = ABI_HUGE;
				goto move;
			}
			err = split(e);
			if (err)
				break;
		}
		e = &table_at(*e)[table_index(from + done, 1)];
		if (!PRESENT(*e)) {
			done += PAGE_SIZE;
			continue;
		}
		t = entry_at(to + done, 1, true);
move:
		if (!t) {
			err = -ENOMEM;
			break;
		}
		*t = *e;
		*e = 0;
		stale = true;
		done += step;
	}
	if (stale)
		tlb_flush(0);
	return err;
}
