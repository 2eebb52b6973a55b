/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mmu.c - the nested page tables
 *
 * Four levels in the format of long mode (APM 2, 15.25.3: every nested access
 * is a user access) or of EPT (SDM 3, 29.3.2), which differ in ops->nested only:
 * memory types, and bits that the processor would set. They are a cache of the process's page tables: entries
 * come by faults, hold no reference to their pages, and go when an MMU notifier
 * says that the process's translation changes. What the process maps by a huge
 * page is mapped by one here, where the memslot's alignment allows it.
 */
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>

#include "compat.h"
#include "kvmrun.h"

#define NPT_PRESENT	BIT_ULL(0)
#define NPT_WRITE	BIT_ULL(1)
#define NPT_USER	BIT_ULL(2)	/* EPT: execute */
#define NPT_HUGE	BIT_ULL(7)
#define NPT_ADDRESS	GENMASK_ULL(51, 12)
#define NPT_TABLE	(NPT_PRESENT | NPT_WRITE | NPT_USER)

int mmu_max_level = 3;
bool mmu_has_accessed = true;

#define ROOT_LEVEL	4
#define INDEX_BITS	9

static unsigned int level_shift(int level)
{
	return PAGE_SHIFT + (level - 1) * INDEX_BITS;
}

static u64 level_size(int level)
{
	return 1ull << level_shift(level);
}

static unsigned int level_index(gpa_t gpa, int level)
{
	return gpa >> level_shift(level) & ((1 << INDEX_BITS) - 1);
}

static bool is_leaf(u64 entry, int level)
{
	return level == 1 || entry & NPT_HUGE;
}

static u64 *entry_table(u64 entry)
{
	return __va(__sme_clr(entry & NPT_ADDRESS));
}

/* ------------------------------------------------------------- taking entries */

/* Put a table and all below it on the list. */
static void free_tables(struct vm *vm, u64 *table, int level, struct list_head *freed)
{
	int i;

	for (i = 0; level > 1 && i < PTRS_PER_PTE; i++)
		if (table[i] & NPT_PRESENT && !is_leaf(table[i], level))
			free_tables(vm, entry_table(table[i]), level - 1, freed);
	list_add(&virt_to_page(table)->lru, freed);
	vm->nr_tables--;
}

void mmu_free_list(struct list_head *freed)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, freed, lru)
		__free_page(page);
}

/* base is the first address that the table is for. */
static bool zap_table(struct vm *vm, u64 *table, int level, gpa_t base, gpa_t start, gpa_t end,
		      struct list_head *freed)
{
	u64 size = level_size(level);
	bool zapped = false;
	gpa_t gpa = start > base ? start & ~(size - 1) : base;

	for (; gpa < end && gpa < base + (size << INDEX_BITS); gpa += size) {
		u64 *entry = &table[level_index(gpa, level)], old = *entry;

		if (!(old & NPT_PRESENT))
			continue;
		if (!is_leaf(old, level) && (gpa < start || gpa + size > end)) {
			zapped |= zap_table(vm, entry_table(old), level - 1, gpa, start, end, freed);
			continue;
		}
		WRITE_ONCE(*entry, 0);
		if (!is_leaf(old, level))
			free_tables(vm, entry_table(old), level - 1, freed);
		zapped = true;
	}
	return zapped;
}

bool mmu_zap(struct vm *vm, gpa_t start, gpa_t end, struct list_head *freed)
{
	lockdep_assert_held(&vm->mmu_lock);
	if (!vm->root || !zap_table(vm, vm->root, ROOT_LEVEL, 0, start, end, freed))
		return false;
	WRITE_ONCE(vm->tlb_gen, vm->tlb_gen + 1);
	return true;
}

/* The entry that translates an address and its level, or NULL. */
static u64 *find_leaf(struct vm *vm, gpa_t gpa, int *level)
{
	u64 *table = vm->root;

	for (*level = ROOT_LEVEL; table; --*level) {
		u64 *entry = &table[level_index(gpa, *level)];

		if (!(*entry & NPT_PRESENT))
			return NULL;
		if (is_leaf(*entry, *level))
			return entry;
		table = entry_table(*entry);
	}
	return NULL;
}

bool mmu_protect(struct vm *vm, gpa_t start, u64 mask)
{
	bool changed = false;
	int level;

	lockdep_assert_held(&vm->mmu_lock);
	for (; mask; mask &= mask - 1) {
		u64 *entry = find_leaf(vm, start + ((gpa_t)__ffs(mask) << PAGE_SHIFT), &level);

		/* the processor may be setting other bits of it */
		if (entry && *entry & NPT_WRITE)
			changed |= test_and_clear_bit(1, (unsigned long *)entry);
	}
	if (changed)
		WRITE_ONCE(vm->tlb_gen, vm->tlb_gen + 1);
	return changed;
}

int mmu_limit(struct vm *vm, unsigned long pages)
{
	LIST_HEAD(freed);
	bool kick;

	/* as many as stock KVM insists on */
	if (pages < 64 || pages > INT_MAX)
		return -EINVAL;
	spin_lock(&vm->mmu_lock);
	vm->max_tables = pages;
	kick = vm->nr_tables > pages && mmu_zap(vm, 0, MAX_GPA, &freed);
	spin_unlock(&vm->mmu_lock);
	if (kick)
		vm_kick(vm);
	mmu_free_list(&freed);
	return 0;
}

/* -------------------------------------------------------------- MMU notifiers */

/* Forget what is between two host addresses. */
static bool zap_hva(struct vm *vm, hva_t start, hva_t end, struct list_head *freed)
{
	struct interval_tree_node *node;
	bool zapped = false;

	for (node = interval_tree_iter_first(&vm->slots_by_hva, start, end - 1); node;
	     node = interval_tree_iter_next(node, start, end - 1)) {
		struct memslot *slot = container_of(node, struct memslot, hva);
		hva_t from = max(start, slot->hva.start), to = min(end - 1, slot->hva.last);
		gpa_t gpa = slot->gpa.start + (from - slot->hva.start);

		zapped |= mmu_zap(vm, gpa, gpa + (to - from) + 1, freed);
	}
	return zapped;
}

static int invalidate_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct vm *vm = container_of(notifier, struct vm, notifier);
	LIST_HEAD(freed);
	bool kick;

	spin_lock(&vm->mmu_lock);
	/* several at a time are held as the one range that covers them */
	if (!vm->invalidating++) {
		vm->invalid_start = range->start;
		vm->invalid_end = range->end;
	} else {
		vm->invalid_start = min(vm->invalid_start, range->start);
		vm->invalid_end = max(vm->invalid_end, range->end);
	}
	kick = zap_hva(vm, range->start, range->end, &freed);
	spin_unlock(&vm->mmu_lock);
	if (kick)
		vm_kick(vm);
	mmu_free_list(&freed);
	return 0;
}

static void invalidate_end(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct vm *vm = container_of(notifier, struct vm, notifier);

	spin_lock(&vm->mmu_lock);
	vm->seq++;
	vm->invalidating--;
	spin_unlock(&vm->mmu_lock);
}

/* The process ends: no page of it may be reached any more. */
static void release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct vm *vm = container_of(notifier, struct vm, notifier);
	LIST_HEAD(freed);
	bool kick;

	spin_lock(&vm->mmu_lock);
	vm->seq++;
	kick = mmu_zap(vm, 0, MAX_GPA, &freed);
	spin_unlock(&vm->mmu_lock);
	if (kick)
		vm_kick(vm);
	mmu_free_list(&freed);
}

/* What is to be done where the guest has used an entry. */
enum age { LOOK, FORGET, FORGET_AND_FLUSH };

/*
 * Has the guest used what is between two host addresses, since that was last
 * forgotten? An entry is made for an access, so it begins as used. Where the
 * processor does not tell, any that is there counts as used, and has to go
 * for the next access to be seen.
 */
static int was_used(struct mmu_notifier *notifier, hva_t start, hva_t end, enum age age)
{
	struct vm *vm = container_of(notifier, struct vm, notifier);
	u64 used = mmu_has_accessed ? ops->nested.accessed : NPT_PRESENT;
	struct interval_tree_node *node;
	bool young = false, kick = false;
	LIST_HEAD(freed);
	int level;

	spin_lock(&vm->mmu_lock);
	for (node = interval_tree_iter_first(&vm->slots_by_hva, start, end - 1); node;
	     node = interval_tree_iter_next(node, start, end - 1)) {
		struct memslot *slot = container_of(node, struct memslot, hva);
		gpa_t gpa = slot->gpa.start + (max(start, slot->hva.start) - slot->hva.start);
		gpa_t last = slot->gpa.start + (min(end - 1, slot->hva.last) - slot->hva.start);

		for (; gpa <= last; gpa = (gpa | (level_size(level) - 1)) + 1) {
			u64 *entry = find_leaf(vm, gpa, &level);

			if (!entry || !(*entry & used))
				continue;
			young = true;
			if (age != LOOK && mmu_has_accessed)
				clear_bit(__ffs64(used), (unsigned long *)entry);
			else if (age != LOOK)
				kick |= mmu_zap(vm, gpa, gpa + 1, &freed);
		}
	}
	/* while a TLB has it the processor does not say so again */
	if (young && age == FORGET_AND_FLUSH && !kick) {
		WRITE_ONCE(vm->tlb_gen, vm->tlb_gen + 1);
		kick = true;
	}
	spin_unlock(&vm->mmu_lock);
	if (kick)
		vm_kick(vm);
	mmu_free_list(&freed);
	return young;
}

static int clear_flush_young(struct mmu_notifier *notifier, struct mm_struct *mm, hva_t start, hva_t end)
{
	return was_used(notifier, start, end, FORGET_AND_FLUSH);
}

static int clear_young(struct mmu_notifier *notifier, struct mm_struct *mm, hva_t start, hva_t end)
{
	return was_used(notifier, start, end, FORGET);
}

static int test_young(struct mmu_notifier *notifier, struct mm_struct *mm, hva_t address)
{
	return was_used(notifier, address, address + 1, LOOK);
}

static void free_vm(struct mmu_notifier *notifier)
{
	vm_free(container_of(notifier, struct vm, notifier));
}

const struct mmu_notifier_ops mmu_notifier_ops = {
	.invalidate_range_start = invalidate_start,
	.invalidate_range_end = invalidate_end,
	.clear_flush_young = clear_flush_young,
	.clear_young = clear_young,
	.test_young = test_young,
	.release = release,
	.free_notifier = free_vm,
};

/* --------------------------------------------------------------------- faults */

static int fill_cache(struct vcpu *vcpu)
{
	while (vcpu->nr_tables < ROOT_LEVEL - 1) {
		void *page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

		if (!page)
			return -ENOMEM;
		vcpu->tables[vcpu->nr_tables++] = page;
	}
	return 0;
}

void mmu_free_cache(struct vcpu *vcpu)
{
	while (vcpu->nr_tables)
		free_page((unsigned long)vcpu->tables[--vcpu->nr_tables]);
}

/* What is behind a host address. page: with a reference, or NULL where the kernel has no page. */
struct host_page {
	struct page *page;
	unsigned long pfn;
	bool writable;		/* by the process, without a fault of its own */
};

/* Device memory, and what else drivers map without pages. */
static int get_pfn_of(hva_t hva, bool write, struct host_page *host)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int r = -EFAULT;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = find_vma(mm, hva);
	if (!vma || hva < vma->vm_start || !(vma->vm_flags & VM_PFNMAP))
		goto out;
	r = compat_follow_pfn(vma, hva, &host->pfn, &host->writable);
	if (r || (write && !host->writable)) {
		/* its driver may map it on demand; the lock is kept */
		r = fixup_user_fault(mm, hva, write ? FAULT_FLAG_WRITE : 0, NULL);
		if (!r)
			r = compat_follow_pfn(vma, hva, &host->pfn, &host->writable);
	}
	if (r || (write && !host->writable))
		r = -EFAULT;
out:
	mmap_read_unlock(mm);
	host->page = NULL;
	return r;
}

static int get_page_of(hva_t hva, bool write, struct host_page *host)
{
	long n;

	host->writable = true;
	/* mostly it is there, and writable: no lock is needed to find that out */
	n = get_user_pages_fast_only(hva, 1, FOLL_WRITE, &host->page);
	if (n != 1) {
		host->writable = write;
		n = get_user_pages_unlocked(hva, 1, &host->page, write ? FOLL_WRITE : 0);
	}
	if (n != 1)
		return n == -EFAULT ? get_pfn_of(hva, write, host) : n < 0 ? n : -EFAULT;
	host->pfn = page_to_pfn(host->page);
	return 0;
}

/*
 * At which level does the process map this address? At level 1 *ptes is its page
 * table, or NULL where there is none. Tables that are being freed stay while
 * interrupts are disabled, as they are here.
 */
static int host_level(struct mm_struct *mm, hva_t hva, pte_t **ptes)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, hva));
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	*ptes = NULL;
	if (pgd_none(pgd))
		return 1;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		return 1;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		return 1;
	if (pud_leaf(pud))
		return 3;
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (pmd_none(pmd) || !pmd_present(pmd))
		return 1;
	if (pmd_leaf(pmd))
		return 2;
	*ptes = (pte_t *)pmd_page_vaddr(pmd);
	return 1;
}

/*
 * The largest mapping that the process's, and the memslot around it, allow. mmu_lock is
 * held and no invalidation is going on, so the answer stays true until one zaps it here.
 */
static int mapping_level(struct vm *vm, const struct memslot *slot, gpa_t gpa)
{
	hva_t hva = slot_hva(slot, gpa);
	unsigned long flags;
	pte_t *ptes;
	int level;

	if (slot->dirty)
		return 1;
	local_irq_save(flags);
	level = host_level(vm->mm, hva, &ptes);
	local_irq_restore(flags);
	for (level = min(level, mmu_max_level); level > 1; level--) {
		u64 mask = level_size(level) - 1;

		if (!((gpa ^ hva) & mask) && (gpa & ~mask) >= slot->gpa.start &&
		    (gpa | mask) <= slot->gpa.last)
			break;
	}
	return level;
}

/* Enter a translation, with tables from the vCPU's cache. */
static void map(struct vcpu *vcpu, gpa_t gpa, int to_level, u64 leaf, struct list_head *freed)
{
	struct vm *vm = vcpu->vm;
	u64 *table = vm->root, *entry, old;
	int level;

	for (level = ROOT_LEVEL; level > to_level; level--) {
		entry = &table[level_index(gpa, level)];
		if (!(*entry & NPT_PRESENT) || is_leaf(*entry, level)) {
			void *new = vcpu->tables[--vcpu->nr_tables];

			/* a huge mapping in the way went stale: it may be in TLBs */
			if (*entry & NPT_PRESENT)
				WRITE_ONCE(vm->tlb_gen, vm->tlb_gen + 1);
			WRITE_ONCE(*entry, __sme_set(__pa(new)) | NPT_TABLE | ops->nested.table);
			vm->nr_tables++;
		}
		table = entry_table(*entry);
	}
	entry = &table[level_index(gpa, level)];
	old = *entry;
	/* another vCPU may have been given more meanwhile, and rely on it */
	if (old & NPT_PRESENT && is_leaf(old, level) && !((old ^ leaf) & NPT_ADDRESS))
		leaf |= old & NPT_WRITE;
	WRITE_ONCE(*entry, leaf);
	if (!(old & NPT_PRESENT))
		return;
	if (!is_leaf(old, level))
		free_tables(vm, entry_table(old), level - 1, freed);
	/* more is allowed than was: TLBs that do not know only fault again */
	if (!is_leaf(old, level) || (old ^ leaf) & NPT_ADDRESS)
		WRITE_ONCE(vm->tlb_gen, vm->tlb_gen + 1);
}

/*
 * Pages that come with the one that the guest faults on, where the process has them,
 * as the kernel's own faults have it: the aligned ones around it.
 */
#define AROUND	16

static gpa_t around_base(gpa_t gpa)
{
	return gpa & -(gpa_t)(AROUND * PAGE_SIZE);
}

/*
 * What the process has mapped around a page by 4 KiB pages: page NULL where that is
 * nothing, and for the page itself. Writable is only what the process has written, for
 * then its own entry tells that. False: there is nothing at all.
 */
static bool get_around(struct vm *vm, const struct memslot *slot, gpa_t gpa,
		       struct host_page around[AROUND])
{
	const u64 there = _PAGE_PRESENT | _PAGE_USER, written = _PAGE_RW | _PAGE_DIRTY;
	hva_t hva = slot_hva(slot, gpa);
	u64 found[AROUND] = { 0 };
	unsigned long flags;
	bool any = false;
	pte_t *ptes;
	int i;

	/* often there is nothing, which costs little to find out */
	local_irq_save(flags);
	host_level(vm->mm, hva, &ptes);
	for (i = 0; ptes && i < AROUND; i++) {
		gpa_t other = around_base(gpa) + i * PAGE_SIZE;
		hva_t at = slot_hva(slot, other);

		if (other >= slot->gpa.start && other <= slot->gpa.last && !((at ^ hva) & PMD_MASK) &&
		    (at ^ hva) & PAGE_MASK)
			found[i] = pte_flags(READ_ONCE(ptes[pte_index(at)]));
		any |= (found[i] & there) == there;
	}
	local_irq_restore(flags);
	for (i = 0; any && i < AROUND; i++) {
		struct host_page *host = &around[i];
		hva_t at = slot_hva(slot, around_base(gpa) + i * PAGE_SIZE);

		host->page = NULL;
		host->writable = (found[i] & written) == written;
		if ((found[i] & there) == there &&
		    get_user_pages_fast_only(at, 1, host->writable ? FOLL_WRITE : 0, &host->page) == 1)
			host->pfn = page_to_pfn(host->page);
	}
	return any;
}

/* Enter them beside a page that has just been, where nothing is yet. They begin as not used. */
static void map_around(struct vm *vm, const struct memslot *slot, gpa_t gpa,
		       const struct host_page around[AROUND])
{
	u64 bits = NPT_PRESENT | NPT_USER | (ops->nested.memory & ~ops->nested.accessed);
	int level, i;
	u64 *first = find_leaf(vm, gpa, &level) - level_index(gpa, 1) % AROUND;

	for (i = 0; i < AROUND; i++)
		if (around[i].page && !(first[i] & NPT_PRESENT))
			WRITE_ONCE(first[i], __sme_set(PFN_PHYS(around[i].pfn)) | bits |
				   (around[i].writable && !(slot->flags & KVM_MEM_READONLY) ? NPT_WRITE : 0));
}

static void put_around(const struct host_page around[AROUND])
{
	int i;

	for (i = 0; i < AROUND; i++)
		if (around[i].page)
			put_page(around[i].page);
}

/* Did the process's translation change, or is it about to, since seq was read? */
static bool stale(struct vm *vm, unsigned long seq, hva_t hva)
{
	if (vm->invalidating && hva >= vm->invalid_start && hva < vm->invalid_end)
		return true;
	return seq != vm->seq;
}

static int map_page(struct vcpu *vcpu, struct memslot *slot, gpa_t gpa, bool write)
{
	struct vm *vm = vcpu->vm;
	hva_t hva = slot_hva(slot, gpa) & PAGE_MASK;
	unsigned long seq;
	LIST_HEAD(freed);
	struct host_page host, around[AROUND];
	u64 gen, leaf, mask;
	bool kick = false, alone;
	int level, r;

	seq = READ_ONCE(vm->seq);
	/* pairs with the lock around each change of seq: it is read before the page is looked up */
	smp_rmb();
	r = get_page_of(hva, write, &host);
	if (r)
		return r;
	/* not where each first use is to be seen: by a log of writes, or where the processor does not tell of use */
	alone = slot->dirty || !mmu_has_accessed || !host.page || !get_around(vm, slot, gpa, around);
	spin_lock(&vm->mmu_lock);
	if (stale(vm, seq, hva))
		goto out;
	gen = vm->tlb_gen;
	level = mapping_level(vm, slot, gpa);
	mask = level_size(level) - 1;
	leaf = (PFN_PHYS(host.pfn) & ~mask) | NPT_PRESENT | NPT_USER | (level > 1 ? NPT_HUGE : 0);
	/* memory is encrypted where it is by the host, devices never */
	if (pfn_valid(host.pfn))
		leaf = __sme_set(leaf) | ops->nested.memory;
	else
		leaf |= ops->nested.device;
	if (slot->flags & KVM_MEM_READONLY || (slot->dirty && !write))
		host.writable = false;
	if (host.writable) {
		leaf |= NPT_WRITE;
		memory_mark_dirty(slot, gpa);
		/* the process's own entry will not tell that the page was written */
		if (host.page)
			SetPageDirty(host.page);
	}
	if (vm->nr_tables + ROOT_LEVEL - 1 > vm->max_tables)
		mmu_zap(vm, 0, MAX_GPA, &freed);
	map(vcpu, gpa, level, leaf, &freed);
	if (!alone && level == 1 && !vm->invalidating)
		map_around(vm, slot, gpa, around);
	kick = gen != vm->tlb_gen;
out:
	spin_unlock(&vm->mmu_lock);
	if (host.page) {
		/* nor that it is used */
		folio_mark_accessed(page_folio(host.page));
		put_page(host.page);
	}
	if (!alone)
		put_around(around);
	if (kick)
		vm_kick(vm);
	mmu_free_list(&freed);
	return 1;
}

int mmu_fault(struct vcpu *vcpu, gpa_t gpa, u32 access)
{
	struct vm *vm = vcpu->vm;
	bool write = access & ACCESS_WRITE;
	struct memslot *slot;
	int r = fill_cache(vcpu);

	vcpu->stats.pf_taken++;
	if (r)
		return r;
	if (down_read_killable(&vm->slots_lock))
		return -EINTR;
	slot = memory_slot(vm, gpa);
	if (!slot || (write && slot->flags & KVM_MEM_READONLY))
		r = 0;
	else
		r = map_page(vcpu, slot, gpa, write);
	up_read(&vm->slots_lock);
	return r;
}

/* ----------------------------------------------------------------------- life */

int mmu_create(struct vm *vm)
{
	vm->root = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vm->nr_tables = 1;
	vm->max_tables = INT_MAX;
	return vm->root ? 0 : -ENOMEM;
}

void mmu_destroy(struct vm *vm)
{
	LIST_HEAD(freed);

	spin_lock(&vm->mmu_lock);
	free_tables(vm, vm->root, ROOT_LEVEL, &freed);
	vm->root = NULL;
	vm->slots_by_hva = RB_ROOT_CACHED;
	spin_unlock(&vm->mmu_lock);
	mmu_free_list(&freed);
}
