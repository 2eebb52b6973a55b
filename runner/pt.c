/* SPDX-License-Identifier: GPL-2.0-only */
/* The initial page tables (SDM vol. 3, 4.5: 4-level paging). */
#include <string.h>
#include <sys/mman.h>

#include "load.h"
#include "msg.h"
#include "vm.h"

#define PT_P	(1ull << 0)
#define PT_W	(1ull << 1)
#define PT_U	(1ull << 2)
#define PT_A	(1ull << 5)
#define PT_D	(1ull << 6)
#define PT_PS	(1ull << 7)
#define PT_NX	(1ull << 63)
#define PT_ADDR	0x000ffffffffff000ull

void pt_init(struct loader *l)
{
	load_alloc(l, ABI_PAGE, &l->boot->pml4);
}

/* The entry for va in the table of the given level (4 = PML4), or NULL when !make and it is not there. */
static uint64_t *entry(struct loader *l, gva_t va, int level, bool make)
{
	gpa_t table = l->boot->pml4;

	for (int at = 4;; at--) {
		uint64_t *e = guest_ptr(l->vm, table, ABI_PAGE);

		e += va >> (3 + 9 * at) & 511;
		if (at == level)
			return e;
		if (!(*e & PT_P)) {
			gpa_t gpa;

			if (!make)
				return NULL;
			load_alloc(l, ABI_PAGE, &gpa);
			*e = gpa | PT_P | PT_W | PT_U | PT_A;
		}
		table = *e & PT_ADDR;
	}
}

void pt_map(struct loader *l, gva_t va, gpa_t gpa, int prot, uint64_t size)
{
	uint64_t *e = entry(l, va, size == ABI_HUGE ? 2 : 1, true);

	*e = gpa | PT_P | PT_U | PT_A;
	if (prot & PROT_WRITE)
		*e |= PT_W | PT_D;
	if (!(prot & PROT_EXEC))
		*e |= PT_NX;
	if (size == ABI_HUGE)
		*e |= PT_PS;
}

gpa_t pt_lookup(struct loader *l, gva_t va)
{
	uint64_t *e = entry(l, va, 1, false);

	return e && *e & PT_P ? *e & PT_ADDR : UINT64_MAX;
}
