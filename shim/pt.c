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

/*
 * Entries that TLBs may hold and that have changed: one page, or so many that
 * all is flushed.
 */
static struct { bool any, many; gva_t va; } stale;

static void mark(gva_t va)
{
	stale.many |= stale.any && stale.va != va;
	stale.any = true;
	stale.va = va;
}

static void mark_all(void)
{
	stale.any = stale.many = true;
}

/*
 * Pages and tables whose entries are gone. While other vCPUs may still reach them by
 * what they hold of those, they are not for anyone else: they are freed after the flush.
 */
static gpa_t doomed[512];
static u32 ndoomed;

static void release(gpa_t page)
{
	if (page & HELD_HUGE)
		huge_free(page & ~HELD_HUGE);
	else
		page_free(page);
}

static void doom(gpa_t page)
{
	if (in_window(page))
		return;
	if (threads_alone()) {
		release(page);
		return;
	}
	if (held_page(page)) {
		held_keep(page);
		return;
	}
	if (ndoomed == ARRAY_SIZE(doomed))
		pt_flush();
	doomed[ndoomed++] = page;
}

void pt_flush(void)
{
	if (stale.any) {
		tlb_flush(stale.many ? 0 : stale.va);
		threads_flush();
		stale.any = stale.many = false;
	}
	while (ndoomed)
		release(doomed[--ndoomed]);
	held_release();
	window_flush();
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
	mark_all();
	return 0;
}

int pt_border(gva_t va)
{
	u64 *e = va & ~HUGE_MASK ? entry_at(va, 2, false) : NULL;

	return e && PRESENT(*e) && (*e & PTE_PS) ? split(e) : 0;
}

int pt_replace(gva_t va, gpa_t gpa, u64 bits)
{
	u64 *e = entry_at(va, 1, true);

	if (!e)
		return -ENOMEM;
	if (*e & PTE_P)
		mark(va);
	*e = gpa | bits;
	return 0;
}

u64 pt_forked;

enum what { UNMAP, EMPTY, DROP, PROTECT, COUNT, DIRTY, FORK, HELD };

struct walk {
	enum what what;
	gva_t floor, ceiling;
	u64 bits;
	u64 pages;		/* of RAM, that count for this process alone, or have until now */
	struct dirty_page *dirty;
	u32 ndirty, room;
};

static void note_dirty(struct walk *w, u64 *e, int level, gva_t va)
{
	u64 need = PTE_P | PTE_U | PTE_W;

	if ((*e & need) != need)
		return;
	for (u64 at = 0; at < level_size(level) && w->ndirty < w->room; at += PAGE_SIZE)
		w->dirty[w->ndirty++] = (struct dirty_page){ va + at, (*e & PTE_ADDR) + at };
}

static void leaf(struct walk *w, u64 *e, int level, gva_t va)
{
	bool ram = !in_window(*e & PTE_ADDR), forked = *e & PTE_FORKED;
	u64 n = level == 2 ? 512 : 1;
	gpa_t page = (*e & PTE_ADDR) | (level == 2 ? HELD_HUGE : 0);

	if (ram && !forked)
		w->pages += n;
	if (w->what == COUNT || (w->what == DROP && ram))
		return;
	if (w->what == DIRTY) {
		if (ram)
			note_dirty(w, e, level, va);
		return;
	}
	if (w->what == HELD) {
		if (forked && held_page(page))
			pt_unshare(va, e, level == 2);
		return;
	}
	if (w->what == FORK && (forked || !ram))
		return;
	if (*e & PTE_P)
		mark(va);
	if (w->what == FORK) {
		*e = (*e & ~PTE_W) | PTE_FORKED;
		pt_forked += n;
		return;
	}
	if (w->what == PROTECT) {
		*e = pte_with(*e, w->bits, level == 2);
		return;
	}
	if (w->what == EMPTY && ram && !forked && !threads_alone() && held_page(page)) {
		memset(direct(*e & PTE_ADDR), 0, level_size(level));
		w->pages -= n;
		return;
	}
	if (forked)
		pt_forked -= n;
	*e = 0;
	doom(page);
}

/* Visits the pages of [start, end) below a table that maps from base. */
static void walk(struct walk *w, u64 *table, int level, gva_t base, gva_t start, gva_t end)
{
	u64 size = level_size(level);

	for (u32 i = table_index(start, level); i < 512; i++) {
		gva_t from = base + i * size;
		u64 *e = &table[i];

		if (from >= end)
			break;
		if (!PRESENT(*e))
			continue;
		if (LEAF(*e, level)) {
			leaf(w, e, level, from);
			continue;
		}
		walk(w, table_at(*e), level - 1, from, MAX(start, from), MIN(end, from + size));
		if (w->what == UNMAP && from >= w->floor && from + size <= w->ceiling) {
			gpa_t page = *e & PTE_ADDR;

			*e = 0;
			/* any flush drops all that is cached of tables */
			if (!stale.any)
				mark(from);
			doom(page);
		}
	}
}

static u64 run(struct walk *w, gva_t start, gva_t end)
{
	walk(w, direct(boot->pml4), 4, 0, start, end);
	return w->pages;
}

u64 pt_unmap(gva_t start, gva_t end, gva_t floor, gva_t ceiling)
{
	if (!threads_alone())
		held_look();
	return run(&(struct walk){ .what = UNMAP, .floor = floor, .ceiling = ceiling }, start, end);
}

u64 pt_empty(gva_t start, gva_t end)
{
	if (!threads_alone())
		held_look();
	return run(&(struct walk){ .what = EMPTY }, start, end);
}

void pt_drop(gva_t start, gva_t end)
{
	run(&(struct walk){ .what = DROP }, start, end);
}

void pt_protect(gva_t start, gva_t end, int prot)
{
	run(&(struct walk){ .what = PROTECT, .bits = pt_bits(prot) }, start, end);
}

u64 pt_count(gva_t start, gva_t end)
{
	return run(&(struct walk){ .what = COUNT }, start, end);
}

u32 pt_dirty(struct dirty_page *list, u32 n)
{
	struct walk w = { .what = DIRTY, .dirty = list, .room = n };

	run(&w, 0, ABI_USER_END);
	return w.ndirty;
}

u64 pt_fork(gva_t start, gva_t end)
{
	return run(&(struct walk){ .what = FORK }, start, end);
}

void pt_unshare_held(void)
{
	held_look();
	run(&(struct walk){ .what = HELD }, 0, ABI_USER_END);
}

int pt_unshare(gva_t va, u64 *e, bool huge)
{
	u64 n;

	/* a part is all that the host copies; where there is nothing to copy it stays whole */
	if (huge && !mm_alone() && !split(e)) {
		e = &table_at(*e)[table_index(va, 1)];
		huge = false;
	}
	n = huge ? 512 : 1;
	/* what is asked for is told as it will be */
	pt_forked -= n;
	if (!mm_charge(n)) {
		pt_forked += n;
		return -ENOMEM;
	}
	*e &= ~PTE_FORKED;
	return 0;
}

/* The entry where the walk for va ends: a page, or nothing at *level. */
static u64 *last_entry(gva_t va, int *level)
{
	u64 *table = direct(boot->pml4);

	for (*level = 4; ; --*level) {
		u64 *e = &table[table_index(va, *level)];

		if (!PRESENT(*e) || LEAF(*e, *level))
			return e;
		table = table_at(*e);
	}
}

/* Returns how far it came. */
static u64 move(gva_t from, gva_t to, u64 len)
{
	u64 done = 0;

	while (done < len) {
		gva_t va = from + done, dest = to + done;
		int level;
		u64 *e = last_entry(va, &level), *t;

		if (!PRESENT(*e)) {
			done = (va | (level_size(level) - 1)) + 1 - from;
			continue;
		}
		if (level == 2 && ((dest & ~HUGE_MASK) || !pt_huge_free(dest))) {
			if (split(e))
				return done;
			continue;
		}
		t = entry_at(dest, level, true);
		if (!t)
			return done;
		if (*e & PTE_P)
			mark(va);
		*t = *e;
		*e = 0;
		done += level_size(level);
	}
	return len;
}

int pt_move(gva_t from, gva_t to, u64 len)
{
	u64 done = move(from, to, len);

	if (done == len)
		return 0;
	/* the tables it came from are still there: going back needs none */
	move(to, from, done);
	return -ENOMEM;
}
