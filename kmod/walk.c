/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * walk.c - the guest's page tables (APM 2, 5.3 and 5.4)
 *
 * The processor walks them itself; this is for what is emulated: string port
 * I/O, instructions that touch MMIO, KVM_TRANSLATE.
 */
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "kvmrun.h"

#define PTE_P	BIT_ULL(0)
#define PTE_W	BIT_ULL(1)
#define PTE_U	BIT_ULL(2)
#define PTE_A	BIT_ULL(5)
#define PTE_D	BIT_ULL(6)
#define PTE_PS	BIT_ULL(7)
#define PTE_NX	BIT_ULL(63)

/* The error code of a page fault. */
#define PF_P	1u
#define PF_RSVD	8u

struct mode {
	u8 levels, index_bits, entry_size;
	u64 cr0, cr4, efer;
};

static struct mode mode_of(struct vcpu *vcpu)
{
	struct mode m = {
		.cr0 = ops->get_creg(vcpu, CREG_CR0),
		.cr4 = vcpu->cr4,
		.efer = ops->get_creg(vcpu, CREG_EFER),
	};

	if (!(m.cr0 & X86_CR0_PG))
		return m;
	m.levels = m.efer & EFER_LMA ? 4 : m.cr4 & X86_CR4_PAE ? 3 : 2;
	m.index_bits = m.levels == 2 ? 10 : 9;
	m.entry_size = m.levels == 2 ? 4 : 8;
	return m;
}

/* Set bits of an entry in place, unless it changed: then -EAGAIN. */
static int set_bits_32(u32 __user *entry, u32 old, u32 bits)
{
	int r = __try_cmpxchg_user(entry, &old, old | bits, failed);

	return r > 0 ? -EAGAIN : r;
}

static int set_bits_64(u64 __user *entry, u64 old, u64 bits)
{
	int r = __try_cmpxchg_user(entry, &old, old | bits, failed);

	return r > 0 ? -EAGAIN : r;
}

static int set_bits(struct vcpu *vcpu, gpa_t gpa, u8 size, u64 old, u64 bits)
{
	struct memslot *slot = memory_slot(vcpu->vm, gpa);
	void __user *entry;

	if (!slot || slot->flags & KVM_MEM_READONLY)
		return -ENXIO;
	entry = (void __user *)slot_hva(slot, gpa);
	memory_mark_dirty(slot, gpa);
	return size == 8 ? set_bits_64(entry, old, bits) : set_bits_32(entry, old, bits);
}

/* rights: the PTE_* that every level grants (NX: that any level denies). */
static bool allowed(const struct mode *m, u64 rflags, u64 rights, u32 access)
{
	bool user_page = rights & PTE_U;

	if (access & ACCESS_FETCH && rights & PTE_NX && m->efer & EFER_NX)
		return false;
	if (access & ACCESS_USER) {
		if (!user_page)
			return false;
	} else if (user_page) {
		if (access & ACCESS_FETCH && m->cr4 & X86_CR4_SMEP)
			return false;
		if (!(access & ACCESS_FETCH) && m->cr4 & X86_CR4_SMAP && !(rflags & X86_EFLAGS_AC))
			return false;
	}
	if (access & ACCESS_WRITE && !(rights & PTE_W))
		return !(access & ACCESS_USER) && !(m->cr0 & X86_CR0_WP);
	return true;
}

static int page_fault(const struct mode *m, u32 access, u32 flags, u32 *error)
{
	/* the fetch bit is told only where fetches can be denied */
	if (!(m->efer & EFER_NX) && !(m->cr4 & X86_CR4_SMEP))
		access &= ~ACCESS_FETCH;
	*error = access | flags;
	return -EFAULT;
}

static int walk(struct vcpu *vcpu, const struct mode *m, gva_t gva, u32 access, gpa_t *gpa,
		u32 *error)
{
	u64 table = ops->get_creg(vcpu, CREG_CR3) & (m->levels == 3 ? 0xffffffe0ull :
						    m->levels == 2 ? 0xfffff000ull :
								     0xffffffffff000ull);
	u64 rights = PTE_W | PTE_U, entry, bits;
	unsigned int shift;
	int level, r;
	gpa_t at;

	for (level = m->levels; ; level--) {
		bool leaf;

		shift = PAGE_SHIFT + (level - 1) * m->index_bits;
		at = table + (gva >> shift & ((1u << m->index_bits) - 1)) * m->entry_size;
		if (m->levels == 3 && level == 3)
			at = table + (gva >> 30 & 3) * 8;
		entry = 0;
		r = access_read_gpa(vcpu->vm, at, &entry, m->entry_size);
		if (r)
			return -ENXIO;
		if (!(entry & PTE_P))
			return page_fault(m, access, 0, error);
		leaf = level == 1 || (entry & PTE_PS && level < 4 &&
				      (m->levels > 2 || m->cr4 & X86_CR4_PSE) &&
				      !(m->levels == 3 && level == 3));
		/* the four entries that PAE starts from have no rights */
		if (m->levels == 3 && level == 3) {
			table = entry & 0xffffffffff000ull;
			continue;
		}
		rights &= entry | ~(PTE_W | PTE_U);
		rights |= entry & PTE_NX;
		bits = PTE_A | (leaf && access & ACCESS_WRITE ? PTE_D : 0);
		if (leaf && !allowed(m, vcpu->rflags, rights, access))
			return page_fault(m, access, PF_P, error);
		if ((entry & bits) != bits) {
			r = set_bits(vcpu, at, m->entry_size, entry, bits);
			if (r == -EAGAIN)
				return r;
		}
		if (leaf)
			break;
		table = entry & (m->entry_size == 8 ? 0xffffffffff000ull : 0xfffff000ull);
	}
	if (m->levels == 2 && level == 2)	/* 4 MiB pages reach 40 bits */
		table = (entry & 0xffc00000ull) | (entry >> 13 & 0xff) << 32;
	else
		table = entry & (m->entry_size == 8 ? 0xffffffffff000ull : 0xfffff000ull);
	*gpa = (table & ~((1ull << shift) - 1)) | (gva & ((1ull << shift) - 1));
	return 0;
}

int walk_gva(struct vcpu *vcpu, gva_t gva, u32 access, gpa_t *gpa, u32 *error)
{
	struct mode m = mode_of(vcpu);
	int r;

	if (!m.levels) {
		*gpa = gva;
		return 0;
	}
	if (m.levels == 4 && (s64)(gva << 16) >> 16 != (s64)gva)
		return page_fault(&m, access, 0, error);
	if (m.levels < 4)
		gva = (u32)gva;
	do
		r = walk(vcpu, &m, gva, access, gpa, error);
	while (r == -EAGAIN && !signal_pending(current));
	return r;
}
