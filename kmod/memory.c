/* SPDX-License-Identifier: GPL-2.0-only */
/* memory.c - memslots and their dirty logs */
#include <linux/bitmap.h>
#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "kvmrun.h"

#define MAX_PAGES	((1ull << 31) - 1)
#define SLOT_FLAGS	(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)

struct memslot *memory_slot(struct vm *vm, gpa_t gpa)
{
	struct interval_tree_node *node = interval_tree_iter_first(&vm->slots_by_gpa, gpa, gpa);

	return node ? container_of(node, struct memslot, gpa) : NULL;
}

void memory_mark_dirty(struct memslot *slot, gpa_t gpa)
{
	if (slot->dirty)
		set_bit((gpa - slot->gpa.start) >> PAGE_SHIFT, slot->dirty);
}

static size_t dirty_bytes(const struct memslot *slot)
{
	return BITS_TO_LONGS(slot->npages) * sizeof(long);
}

static void slot_free(struct memslot *slot)
{
	if (slot)
		kvfree(slot->dirty);
	kfree(slot);
}

/* all_dirty: its log, if it has one, begins so. */
static struct memslot *slot_new(const struct kvm_userspace_memory_region *r, bool all_dirty)
{
	struct memslot *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);

	if (!slot)
		return NULL;
	slot->id = r->slot;
	slot->flags = r->flags;
	slot->npages = r->memory_size >> PAGE_SHIFT;
	slot->gpa.start = r->guest_phys_addr;
	slot->gpa.last = r->guest_phys_addr + r->memory_size - 1;
	slot->hva.start = r->userspace_addr;
	slot->hva.last = r->userspace_addr + r->memory_size - 1;
	if (r->flags & KVM_MEM_LOG_DIRTY_PAGES) {
		slot->dirty = kvzalloc(dirty_bytes(slot), GFP_KERNEL_ACCOUNT);
		if (!slot->dirty) {
			kfree(slot);
			return NULL;
		}
		if (all_dirty)
			bitmap_set(slot->dirty, 0, slot->npages);
	}
	return slot;
}

/* Does it overlap with a slot other than that? */
static bool overlaps(struct vm *vm, const struct memslot *slot, const struct memslot *except)
{
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(&vm->slots_by_gpa, slot->gpa.start, slot->gpa.last);
	     node; node = interval_tree_iter_next(node, slot->gpa.start, slot->gpa.last))
		if (container_of(node, struct memslot, gpa) != except)
			return true;
	return false;
}

/*
 * Put one slot in the place of another; either may be NULL. Guests that hold
 * translations of the old one have lost them on return.
 */
static int slot_replace(struct vm *vm, struct memslot *old, struct memslot *new)
{
	LIST_HEAD(freed);
	bool kick = false;
	void *r;

	/* the only step that can fail comes first */
	r = new ? xa_store(&vm->slots, new->id, new, GFP_KERNEL_ACCOUNT) : xa_erase(&vm->slots, old->id);
	if (xa_is_err(r))
		return xa_err(r);
	down_write(&vm->slots_lock);
	spin_lock(&vm->mmu_lock);
	if (old) {
		interval_tree_remove(&old->gpa, &vm->slots_by_gpa);
		interval_tree_remove(&old->hva, &vm->slots_by_hva);
		kick = mmu_zap(vm, old->gpa.start, old->gpa.last + 1, &freed);
	}
	if (new) {
		interval_tree_insert(&new->gpa, &vm->slots_by_gpa);
		interval_tree_insert(&new->hva, &vm->slots_by_hva);
	}
	vm->seq++;
	spin_unlock(&vm->mmu_lock);
	if (kick)
		vm_kick(vm);
	mmu_free_list(&freed);
	up_write(&vm->slots_lock);
	slot_free(old);
	return 0;
}

static int region_check(const struct kvm_userspace_memory_region *r)
{
	if (r->flags & ~SLOT_FLAGS || r->slot >= MAX_SLOTS)
		return -EINVAL;
	if (!PAGE_ALIGNED(r->memory_size) || !PAGE_ALIGNED(r->guest_phys_addr) ||
	    !PAGE_ALIGNED(r->userspace_addr))
		return -EINVAL;
	if (r->memory_size >> PAGE_SHIFT > MAX_PAGES || r->guest_phys_addr > MAX_GPA ||
	    r->memory_size > MAX_GPA - r->guest_phys_addr)
		return -EINVAL;
	if (!access_ok((void __user *)(hva_t)r->userspace_addr, r->memory_size))
		return -EINVAL;
	return 0;
}

int memory_set_region(struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	struct memslot *old, *new = NULL;
	int r = region_check(region);

	if (r)
		return r;
	mutex_lock(&vm->lock);
	old = xa_load(&vm->slots, region->slot);
	if (!region->memory_size) {
		r = old ? slot_replace(vm, old, NULL) : -EINVAL;
		goto out;
	}
	/* a slot's size, host address and kind are for its life */
	if (old && (old->npages != region->memory_size >> PAGE_SHIFT ||
		    old->hva.start != region->userspace_addr ||
		    (old->flags ^ region->flags) & KVM_MEM_READONLY)) {
		r = -EINVAL;
		goto out;
	}
	if (old && old->gpa.start == region->guest_phys_addr && old->flags == region->flags)
		goto out;
	new = slot_new(region, vm->manual_protect & KVM_DIRTY_LOG_INITIALLY_SET);
	if (!new) {
		r = -ENOMEM;
		goto out;
	}
	if (overlaps(vm, new, old)) {
		r = -EEXIST;
	} else {
		/* a log goes on when the slot moves */
		if (old && old->dirty && new->dirty)
			swap(old->dirty, new->dirty);
		r = slot_replace(vm, old, new);
	}
	if (r)
		slot_free(new);
out:
	mutex_unlock(&vm->lock);
	return r;
}

/* ------------------------------------------------------------------ dirty logs */

/* A pointer within a struct: of a program of 32 bits it is the lower half. */
static void __user *bitmap_of(void __user *pointer)
{
	return in_compat_syscall() ? compat_ptr((unsigned long)pointer) : pointer;
}

/* Make the pages of a word of the log read-only. mmu_lock is held. */
static bool protect_word(struct vm *vm, struct memslot *slot, u64 word, u64 mask)
{
	return mmu_protect(vm, slot->gpa.start + (word << (PAGE_SHIFT + 6)), mask);
}

int memory_get_dirty_log(struct vm *vm, const struct kvm_dirty_log *log, size_t unit)
{
	unsigned long *copy = NULL;
	struct memslot *slot;
	bool kick = false;
	int r = -EINVAL;
	size_t i;

	if (log->slot >= MAX_SLOTS)
		return -EINVAL;
	mutex_lock(&vm->lock);
	slot = xa_load(&vm->slots, log->slot);
	r = -ENOENT;
	if (!slot || !slot->dirty)
		goto out;
	r = -ENOMEM;
	copy = kvmalloc(dirty_bytes(slot), GFP_KERNEL_ACCOUNT);
	if (!copy)
		goto out;
	for (i = 0; i < dirty_bytes(slot) / sizeof(long); i++) {
		cond_resched();
		if (vm->manual_protect) {
			copy[i] = READ_ONCE(slot->dirty[i]);
			continue;
		}
		copy[i] = slot->dirty[i] ? xchg(&slot->dirty[i], 0) : 0;
		if (!copy[i])
			continue;
		spin_lock(&vm->mmu_lock);
		kick |= protect_word(vm, slot, i, copy[i]);
		spin_unlock(&vm->mmu_lock);
	}
	if (kick)
		vm_kick(vm);
	i = round_up(DIV_ROUND_UP(slot->npages, 8), unit);
	r = copy_to_user(bitmap_of(log->dirty_bitmap), copy, i) ? -EFAULT : 0;
out:
	mutex_unlock(&vm->lock);
	kvfree(copy);
	return r;
}

/* The pages that are to be cleared come as a bitmap of their own. */
static int clear_words(struct vm *vm, struct memslot *slot, const struct kvm_clear_dirty_log *log)
{
	u64 first = log->first_page / 64, words = DIV_ROUND_UP(log->num_pages, 64), i, mask;
	u64 __user *from = bitmap_of(log->dirty_bitmap);
	bool kick = false;
	int r = 0;

	for (i = 0; i < words; i++) {
		cond_resched();
		if (get_user(mask, from + i)) {
			r = -EFAULT;
			break;
		}
		if (log->num_pages - i * 64 < 64)
			mask &= (1ull << (log->num_pages - i * 64)) - 1;
		if (!mask)
			continue;
		/* only what was dirty is writable */
		spin_lock(&vm->mmu_lock);
		mask &= (u64)atomic64_fetch_andnot(mask, (atomic64_t *)&slot->dirty[first + i]);
		kick |= protect_word(vm, slot, first + i, mask);
		spin_unlock(&vm->mmu_lock);
	}
	if (kick)
		vm_kick(vm);
	return r;
}

int memory_clear_dirty_log(struct vm *vm, const struct kvm_clear_dirty_log *log)
{
	struct memslot *slot;
	int r = -EINVAL;

	if (log->slot >= MAX_SLOTS || log->first_page % 64)
		return -EINVAL;
	mutex_lock(&vm->lock);
	slot = xa_load(&vm->slots, log->slot);
	if (!slot || !slot->dirty) {
		r = -ENOENT;
		goto out;
	}
	if (log->first_page > slot->npages || log->num_pages > slot->npages - log->first_page)
		goto out;
	if (log->num_pages % 64 && log->num_pages != slot->npages - log->first_page)
		goto out;
	r = clear_words(vm, slot, log);
out:
	mutex_unlock(&vm->lock);
	return r;
}

void memory_free(struct vm *vm)
{
	struct memslot *slot;
	unsigned long id;

	xa_for_each(&vm->slots, id, slot)
		slot_free(slot);
	xa_destroy(&vm->slots);
}
