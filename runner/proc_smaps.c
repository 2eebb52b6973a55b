/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID/smaps and smaps_rollup: what the guest's page tables have of each mapping. */
#include <string.h>
#include <sys/mman.h>

#include "proc.h"
#include "proc_maps.h"

#define PTE_D	(1ull << 6)

/* Bytes. */
struct amounts {
	uint64_t size, resident, dirty, anonymous, file, shared;
};

/* What the guest has put into its tables can take any time to look through: entries that one call looks at. */
#define LOOKS	(1u << 22)
static _Thread_local uint32_t looks;

static void count(struct amounts *a, gva_t start, gva_t end, const struct abi_mapping *m, bool file)
{
	uint64_t size, resident = 0, dirty = 0;

	for (gva_t va = start, next; va < end && looks; va = next, looks--) {
		uint64_t e = maps_pte(va, &size);

		next = (va & -size) + size;
		if (next > end || next < va)
			next = end;
		resident += e ? next - va : 0;
		dirty += e & PTE_D ? next - va : 0;
	}
	/* what a page of memory was copied from is not known */
	if (!m->at)
		dirty = resident;
	a->size += end - start;
	a->resident += resident;
	a->dirty += dirty;
	if (m->flags & ABI_MAP_SHARED && !file)
		a->shared += resident;
	else if (file && !(m->prot & PROT_WRITE))
		a->file += resident;
	else
		a->anonymous += resident;
}

static void put(FILE *out, const char *name, uint64_t bytes)
{
	fprintf(out, "%s:%*llu kB\n", name, (int)(23 - strlen(name)), (unsigned long long)bytes >> 10);
}

static void put_rest(FILE *out, const struct amounts *a)
{
	static const char *const none[] = {
		"LazyFree", "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb",
		"Swap", "SwapPss", "Locked",
	};

	put(out, "Shared_Clean", 0);
	put(out, "Shared_Dirty", 0);
	put(out, "Private_Clean", a->resident - a->dirty);
	put(out, "Private_Dirty", a->dirty);
	put(out, "Referenced", a->resident);
	put(out, "Anonymous", a->anonymous);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		put(out, none[i], 0);
}

static void details(void *to, gva_t start, gva_t end, const struct abi_mapping *m, bool file)
{
	struct amounts a = { 0 };
	FILE *out = to;

	count(&a, start, end, m, file);
	put(out, "Size", a.size);
	put(out, "KernelPageSize", ABI_PAGE);
	put(out, "MMUPageSize", ABI_PAGE);
	put(out, "Rss", a.resident);
	put(out, "Pss", a.resident);
	put(out, "Pss_Dirty", a.dirty);
	put_rest(out, &a);
	fprintf(out, "THPeligible:    %d\nVmFlags:", !m->at && end - start >= ABI_HUGE);
	fprintf(out, "%s%s%s%s mr mw me %s%s\n", m->prot & PROT_READ ? " rd" : "", m->prot & PROT_WRITE ? " wr" : "",
		m->prot & PROT_EXEC ? " ex" : "", m->flags & ABI_MAP_SHARED ? " sh" : "",
		m->flags & ABI_MAP_GROWSDOWN ? "gd " : "", m->prot & PROT_WRITE ? "ac " : "");
}

int proc_smaps(const struct synth *s, FILE *out)
{
	looks = LOOKS;
	return (void)s, maps_put(out, details);
}

int proc_smaps_rollup(const struct synth *s, FILE *out)
{
	const struct mappings *all = mappings_told();
	struct amounts a = { 0 };

	(void)s;
	looks = LOOKS;
	if (!all)
		return SYNTH_MAPPINGS;
	for (size_t i = 0; i < all->count; i++) {
		const struct abi_mapping *m = &all->mapping[i];

		count(&a, m->start & -ABI_PAGE, m->end & -ABI_PAGE, m, m->at);
	}
	fprintf(out, "%08llx-%08llx ---p 00000000 00:00 0                          [rollup]\n",
		all->count ? (unsigned long long)all->mapping[0].start & -ABI_PAGE : 0,
		all->count ? (unsigned long long)all->mapping[all->count - 1].end & -ABI_PAGE : 0);
	put(out, "Rss", a.resident);
	put(out, "Pss", a.resident);
	put(out, "Pss_Dirty", a.dirty);
	put(out, "Pss_Anon", a.anonymous);
	put(out, "Pss_File", a.file);
	put(out, "Pss_Shmem", a.shared);
	put_rest(out, &a);
	return 0;
}
