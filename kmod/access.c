/* SPDX-License-Identifier: GPL-2.0-only */
/* access.c - reading and writing the guest's memory for what is emulated */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "kvmrun.h"

int access_read_gpa(struct vm *vm, gpa_t gpa, void *to, size_t len)
{
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		struct memslot *slot = memory_slot(vm, gpa);

		if (!slot)
			return -ENXIO;
		if (copy_from_user(to, (void __user *)slot_hva(slot, gpa), n))
			return -EFAULT;
		gpa += n;
		to += n;
		len -= n;
	}
	return 0;
}

int access_write_gpa(struct vm *vm, gpa_t gpa, const void *from, size_t len)
{
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		struct memslot *slot = memory_slot(vm, gpa);

		if (!slot || slot->flags & KVM_MEM_READONLY)
			return -ENXIO;
		if (copy_to_user((void __user *)slot_hva(slot, gpa), from, n))
			return -EFAULT;
		memory_mark_dirty(slot, gpa);
		gpa += n;
		from += n;
		len -= n;
	}
	return 0;
}

/* Translate; a page fault is noted. */
static int translate(struct vcpu *vcpu, gva_t gva, u32 access, gpa_t *gpa,
		     struct page_fault *fault)
{
	int r = walk_gva(vcpu, gva, access, gpa, &fault->error);

	if (r == -EFAULT) {
		fault->raised = true;
		fault->gva = gva;
	}
	return r;
}

int access_read(struct vcpu *vcpu, gva_t gva, void *to, size_t len, u32 access,
		struct page_fault *fault)
{
	int r = 0;
	gpa_t gpa;

	fault->raised = false;
	while (len && !r) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gva));

		r = translate(vcpu, gva, access, &gpa, fault);
		if (!r)
			r = access_read_gpa(vcpu->vm, gpa, to, n);
		gva += n;
		to += n;
		len -= n;
	}
	return r;
}

int access_write(struct vcpu *vcpu, gva_t gva, const void *from, size_t len, u32 access,
		 struct page_fault *fault)
{
	int r = 0;
	gpa_t gpa;

	fault->raised = false;
	while (len && !r) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gva));

		r = translate(vcpu, gva, ACCESS_WRITE | access, &gpa, fault);
		if (!r)
			r = access_write_gpa(vcpu->vm, gpa, from, n);
		gva += n;
		from += n;
		len -= n;
	}
	return r;
}

u32 access_by_cpl(struct vcpu *vcpu)
{
	return ops->get_cpl(vcpu) == 3 ? ACCESS_USER : 0;
}

gva_t access_linear_rip(struct vcpu *vcpu)
{
	if (access_long_mode(vcpu))
		return vcpu->rip;
	return (u32)(ops->get_base(vcpu, SEG_CS) + vcpu->rip);
}
