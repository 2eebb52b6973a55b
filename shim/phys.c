/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest-physical memory. RAM is taken into use a chunk (2 MiB) at a time, and
 * a chunk is mapped at ABI_DIRECT when it is taken, so nothing here grows with
 * the size of RAM. A chunk serves as one 2 MiB page or as 512 pages of one
 * use; page tables keep to chunks of their own, so that software hypervisors
 * need not break up the mapping of the others.
 *
 * Pages that were never used are zero already. A freed page holds the link to
 * the next free page of its chunk and is zeroed when it is handed out again.
 */
#include "shim.h"

#define PAGES		512u
#define NONE		0xffffffffu
#define DIRECT_BITS	(PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

struct chunk {
	u16 free;		/* pages on the list below plus pages not handed out yet */
	u16 head;		/* first page of the list + 1, 0 for none */
	u16 fresh;		/* pages from here on were not handed out since the chunk was free */
	u8 dirty;		/* those pages need zeroing */
	u8 use;			/* enum page_use */
	u32 next, prev;		/* in partial[use] or free_chunks */
};
_Static_assert(sizeof(struct chunk) == ABI_CHUNK, "abi.h");

static lock_t phys_lock;
static u32 partial[PAGE_USES] = { NONE, NONE };	/* chunks with free pages, by use */
static u32 free_chunks = NONE;			/* whole chunks given back */
static u32 next_fresh, nchunks;			/* chunks never taken into use */
static u32 ready;				/* chunks that the runner has put in place */
static u32 boot_chunk;
static gpa_t spare_tables[2];			/* for direct_map() */

#define chunk(i)	((struct chunk *)direct(boot->chunks) + (i))

static void list_add(u32 *list, u32 i)
{
	chunk(i)->next = *list;
	chunk(i)->prev = NONE;
	if (*list != NONE)
		chunk(*list)->prev = i;
	*list = i;
}

static void list_del(u32 *list, u32 i)
{
	struct chunk *c = chunk(i);

	if (c->prev == NONE)
		*list = c->next;
	else
		chunk(c->prev)->next = c->next;
	if (c->next != NONE)
		chunk(c->next)->prev = c->prev;
}

static gpa_t page_get(enum page_use use);

/* The entry of a table, which a spare table is put into if it has none. */
static u64 *direct_table(u64 *entry)
{
	if (!(*entry & PTE_P)) {
		for (u32 i = 0; i < ARRAY_SIZE(spare_tables); i++)
			if (spare_tables[i]) {
				*entry = spare_tables[i] | DIRECT_BITS;
				spare_tables[i] = 0;
				return direct(*entry & PTE_ADDR);
			}
		return NULL;
	}
	return direct(*entry & PTE_ADDR);
}

/* May take a chunk itself, whose tables are there by then: not once more for that one. */
static void refill_spares(void)
{
	static bool busy;

	if (busy)
		return;
	busy = true;
	for (u32 i = 0; i < ARRAY_SIZE(spare_tables); i++)
		if (!spare_tables[i])
			spare_tables[i] = page_get(PAGE_TABLE);
	busy = false;
}

/* Maps a chunk at ABI_DIRECT. */
static bool direct_map(u64 i)
{
	u64 va = ABI_DIRECT + i * ABI_HUGE;
	u64 *table = direct(boot->pml4);

	table = direct_table(&table[va >> 39 & 511]);
	if (table)
		table = direct_table(&table[va >> 30 & 511]);
	if (!table)
		return false;
	table[va >> 21 & 511] = i * ABI_HUGE | DIRECT_BITS | PTE_PS | PTE_NX;
	return true;
}

bool direct_window(gpa_t page)
{
	bool huge, done;

	/* pages of the window's stay there: what they are is the runner's to say */
	if (pt_find(ABI_DIRECT + page, &huge))
		return true;
	lock(&phys_lock);
	done = direct_map(page / ABI_HUGE);
	refill_spares();
	unlock(&phys_lock);
	return done;
}

/* RAM comes in growing pieces: hypervisors spend time and memory by its size. */
static bool more_ram(void)
{
	s64 bytes = ask_runner(ABI_OP_MEMORY, (next_fresh + 1) * ABI_HUGE, 0);

	if (bytes > 0)
		ready = bytes / ABI_HUGE;
	return next_fresh < ready;
}

/* A chunk nobody uses, NONE when there is none. */
static u32 chunk_get(void)
{
	u32 i = free_chunks;

	if (i != NONE) {
		list_del(&free_chunks, i);
		return i;
	}
	if (next_fresh >= nchunks || (next_fresh >= ready && !more_ram()))
		return NONE;
	i = next_fresh;
	if (!direct_map(i))
		return NONE;
	next_fresh++;
	/* a host that sees it read first maps its zero page, and can have no huge page there any more */
	*(volatile u64 *)direct(i * ABI_HUGE) = 0;
	refill_spares();
	return i;
}

static gpa_t chunk_page(u32 i)
{
	struct chunk *c = chunk(i);
	gpa_t page;

	if (c->head) {
		page = i * ABI_HUGE + (c->head - 1) * PAGE_SIZE;
		c->head = *(u16 *)direct(page);
		memset(direct(page), 0, PAGE_SIZE);
	} else {
		page = i * ABI_HUGE + c->fresh++ * PAGE_SIZE;
		if (c->dirty)
			memset(direct(page), 0, PAGE_SIZE);
	}
	if (!--c->free)
		list_del(&partial[c->use], i);
	return page;
}

static gpa_t page_get(enum page_use use)
{
	u32 i = partial[use];

	if (i != NONE)
		return chunk_page(i);
	/* a small program's few tables need no chunk of their own */
	if (use == PAGE_TABLE && chunk(boot_chunk)->free)
		return chunk_page(boot_chunk);
	i = chunk_get();
	if (i != NONE) {
		*chunk(i) = (struct chunk){ .free = PAGES, .dirty = chunk(i)->dirty, .use = use };
		list_add(&partial[use], i);
		return chunk_page(i);
	}
	i = partial[!use];
	return i != NONE ? chunk_page(i) : 0;
}

gpa_t page_alloc(enum page_use use)
{
	gpa_t page;

	lock(&phys_lock);
	page = page_get(use);
	if (page && chunk(page / ABI_HUGE)->use == PAGE_USER)
		boot->resident++;
	unlock(&phys_lock);
	return page;
}

gpa_t huge_alloc(void)
{
	u32 i;

	lock(&phys_lock);
	i = chunk_get();
	if (i != NONE)
		boot->resident += PAGES;
	unlock(&phys_lock);
	if (i == NONE)
		return 0;
	if (chunk(i)->dirty)
		memset(direct(i * ABI_HUGE), 0, ABI_HUGE);
	*chunk(i) = (struct chunk){ .fresh = PAGES };
	return i * ABI_HUGE;
}

void page_free(gpa_t page)
{
	u32 i = page / ABI_HUGE;
	struct chunk *c = chunk(i);

	lock(&phys_lock);
	if (c->use == PAGE_USER)
		boot->resident--;
	*(u16 *)direct(page) = c->head;
	c->head = (page & ~HUGE_MASK) / PAGE_SIZE + 1;
	if (c->free++ == 0)
		list_add(&partial[c->use], i);
	if (c->free == PAGES) {
		list_del(&partial[c->use], i);
		*c = (struct chunk){ .dirty = 1 };
		list_add(&free_chunks, i);
	}
	unlock(&phys_lock);
}

void huge_free(gpa_t page)
{
	u32 i = page / ABI_HUGE;

	lock(&phys_lock);
	boot->resident -= PAGES;
	chunk(i)->dirty = 1;
	list_add(&free_chunks, i);
	unlock(&phys_lock);
}

void phys_give_back(void)
{
	lock(&phys_lock);
	for (u32 i = free_chunks; i != NONE; i = chunk(i)->next)
		if (chunk(i)->dirty && ask_runner(ABI_OP_DISCARD, i * ABI_HUGE, 0) == 0)
			chunk(i)->dirty = 0;
	unlock(&phys_lock);
}

/* A 2 MiB page that was split: its pages will come back by page_free(). */
void huge_split(gpa_t page)
{
	*chunk(page / ABI_HUGE) = (struct chunk){ .fresh = PAGES, .use = PAGE_USER };
}

void phys_init(void)
{
	struct chunk *c;

	nchunks = boot->ram_size / ABI_HUGE;
	ready = boot->ram_ready / ABI_HUGE;
	boot_chunk = boot->free / ABI_HUGE;
	next_fresh = boot_chunk + 1;
	c = chunk(boot_chunk);
	c->fresh = (boot->free & ~HUGE_MASK) / PAGE_SIZE;
	c->free = PAGES - c->fresh;
	if (!c->fresh)
		direct_map(boot_chunk);
	list_add(&partial[PAGE_USER], boot_chunk);
	refill_spares();
}
