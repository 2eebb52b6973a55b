/* SPDX-License-Identifier: GPL-2.0-only */
/* cpuid.c - what of the host's CPU a guest may have, and what it was given */
#include <linux/cpufeature.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/kvm_para.h>
#include <asm/processor.h>

#include "kvmrun.h"

#define MAX_SUPPORTED 100	/* clients hold no more */
#define ALL 0xffffffffu

/*
 * Leaves that are passed on, with the bits of each register that are. What is
 * masked by a feature word of the host's kernel as well is what that kernel has
 * switched off, or does not know.
 */
static const struct row {
	u32 leaf, last_subleaf;
	bool subleaves;
	u32 eax, ebx, ecx, edx;
	s8 word_ebx, word_ecx, word_edx;	/* enum cpuid_leafs, or -1 */
	const char *why;
} rows[] = {
	{ 0x0, 0, false, ALL, ALL, ALL, ALL, -1, -1, -1, "vendor" },
	/* no DTES64, MONITOR, VMX, PDCM, x2APIC, TSC deadline; OSXSAVE is CR4's; no DS, ACPI */
	{ 0x1, 0, false, ALL, 0x0000ffff, 0x76da3203, 0x078bfbff, -1,
	  CPUID_1_ECX, CPUID_1_EDX, "family and features; APIC id and count are the VM's" },
	{ 0x2, 0, false, ALL, ALL, ALL, ALL, -1, -1, -1, "caches, as Intel has them" },
	{ 0x7, 0, true, 0, 0xf1bf07a9, 0x00405f4e,
	  0x0000011c, CPUID_7_0_EBX, CPUID_7_ECX, CPUID_7_EDX, "features; no SGX, TSX, RDT, CET" },
	{ 0xd, 0, true, ALL, ALL, ALL, ALL, -1, -1, -1, "XSAVE; see xsave_leaf" },
	{ 0x80000000, 0, false, ALL, ALL, ALL, ALL, -1, -1, -1, "vendor" },
	/* no SVM, extended APIC, OSVW, IBS, SKINIT, LWP, performance counters, MWAITX */
	{ 0x80000001, 0, false, ALL, ALL, 0x002109f1, 0xefd3fbff, -1,
	  CPUID_8000_0001_ECX, CPUID_8000_0001_EDX, "features" },
	{ 0x80000002, 0, false, ALL, ALL, ALL, ALL, -1, -1, -1, "name" },
	{ 0x80000003, 0, false, ALL, ALL, ALL, ALL, -1, -1, -1, "name" },
	{ 0x80000004, 0, false, ALL, ALL, ALL, ALL, -1, -1, -1, "name" },
	{ 0x80000005, 0, false, ALL, ALL, ALL, ALL, -1, -1, -1, "L1 caches and TLBs" },
	{ 0x80000006, 0, false, ALL, ALL, ALL, ALL, -1, -1, -1, "L2 and L3 caches and TLBs" },
	{ 0x80000007, 0, false, 0, 0, 0, BIT(8), -1, -1, -1, "invariant TSC" },
	/* CLZERO, RstrFpErrPtrs, WBNOINVD, IBPB, IBRS, STIBP, SSBD ...: by their words */
	{ 0x80000008, 0, false, 0xffff, 0x3502d205, 0, 0, CPUID_8000_0008_EBX, -1, -1,
	  "address sizes; not how many cores" },
	{ 0x80000021, 0, false, 0x00000045, 0, 0, 0, -1, -1, -1, "LFENCE, null selectors" },
};

static u32 host_word(s8 word)
{
	return word < 0 ? ALL : boot_cpu_data.x86_capability[word];
}

/* APM 3, E.4.12: each component of XCR0 has a subleaf. No XSAVES: nothing supervisor. */
static bool xsave_leaf(struct kvm_cpuid_entry2 *e)
{
	u64 xcr0 = state_xcr0_supported();

	if (!xcr0)
		return false;
	switch (e->index) {
	case 0:
		e->eax = xcr0;
		e->edx = xcr0 >> 32;
		e->ebx = e->ecx;
		return true;
	case 1:
		e->eax &= BIT(0) | BIT(1) | BIT(2);
		e->ebx = e->ecx = e->edx = 0;
		return true;
	default:
		e->ecx &= BIT(1);
		e->edx = 0;
		return e->index < 64 && xcr0 >> e->index & 1;
	}
}

static void fill(struct kvm_cpuid_entry2 *e, const struct row *row, u32 subleaf)
{
	memset(e, 0, sizeof(*e));
	e->function = row->leaf;
	e->index = subleaf;
	e->flags = row->subleaves ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
	cpuid_count(row->leaf, subleaf, &e->eax, &e->ebx, &e->ecx, &e->edx);
	e->eax &= row->eax;
	e->ebx &= row->ebx & host_word(row->word_ebx);
	e->ecx &= row->ecx & host_word(row->word_ecx);
	e->edx &= row->edx & host_word(row->word_edx);
	if (row->leaf == 0x1) {
		/* a guest may always count on these */
		e->ecx |= BIT(31);
		e->edx |= BIT(9);
	}
	if (row->leaf == 0x7)
		e->ebx |= BIT(1);	/* TSC_ADJUST is emulated */
	if (row->leaf == 0x7 && !boot_cpu_has(X86_FEATURE_OSPKE))
		e->ecx &= ~BIT(3);
}

/* KVM's own leaves: what clock.c has, and that no port needs a delay. */
static const struct kvm_cpuid_entry2 kvm_leaves[] = {
	{ .function = KVM_CPUID_SIGNATURE, .eax = KVM_CPUID_FEATURES,
	  .ebx = 0x4b4d564b, .ecx = 0x564b4d56, .edx = 0x4d },	/* KVMKVMKVM */
	{ .function = KVM_CPUID_FEATURES,
	  .eax = BIT(KVM_FEATURE_CLOCKSOURCE) | BIT(KVM_FEATURE_NOP_IO_DELAY) |
		 BIT(KVM_FEATURE_CLOCKSOURCE2) | BIT(KVM_FEATURE_STEAL_TIME) |
		 BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT) },
};

/* All entries, into room for MAX_SUPPORTED. */
static u32 supported(struct kvm_cpuid_entry2 *e)
{
	u32 n = 0, basic = cpuid_eax(0), extended = cpuid_eax(0x80000000), subleaf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if (row->leaf > (row->leaf >> 31 ? extended : basic))
			continue;
		if (row->leaf == 0xd) {
			for (subleaf = 0; subleaf < 64; subleaf++) {
				fill(&e[n], row, subleaf);
				n += xsave_leaf(&e[n]);
			}
			continue;
		}
		fill(&e[n], row, 0);
		if (row->leaf == 0)
			e[n].eax = min(basic, 0xdu);
		if (row->leaf == 0x80000000)
			e[n].eax = min(extended, 0x80000021u);
		n++;
	}
	memcpy(&e[n], kvm_leaves, sizeof(kvm_leaves));
	n += ARRAY_SIZE(kvm_leaves);
	if (!clock_has_steal())
		e[n - 1].eax &= ~BIT(KVM_FEATURE_STEAL_TIME);
	return n;
}

int cpuid_supported(struct kvm_cpuid2 __user *to)
{
	struct kvm_cpuid_entry2 *entries;
	u32 room, n;
	int r = 0;

	if (get_user(room, &to->nent))
		return -EFAULT;
	entries = kvcalloc(MAX_SUPPORTED, sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	n = supported(entries);
	if (room < n)
		r = -E2BIG;
	else if (copy_to_user(to->entries, entries, n * sizeof(*entries)) || put_user(n, &to->nent))
		r = -EFAULT;
	kvfree(entries);
	return r;
}

static struct kvm_cpuid_entry2 *find(struct vcpu *vcpu, u32 leaf, u32 subleaf)
{
	unsigned int i;

	for (i = 0; i < vcpu->nr_cpuid; i++) {
		struct kvm_cpuid_entry2 *e = &vcpu->cpuid[i];

		if (e->function == leaf &&
		    (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == subleaf))
			return e;
	}
	return NULL;
}

u32 cpuid_word(struct vcpu *vcpu, u32 leaf, u32 subleaf, enum reg reg)
{
	struct kvm_cpuid_entry2 *e = find(vcpu, leaf, subleaf);

	if (!e)
		return 0;
	return reg == RAX ? e->eax : reg == RBX ? e->ebx : reg == RCX ? e->ecx : e->edx;
}

/* What depends on the moment: CR4.OSXSAVE, CR4.PKE, MISC_ENABLE, and the size of the XSAVE area. */
static void adjust(struct vcpu *vcpu, struct kvm_cpuid_entry2 *e)
{
	unsigned int size = 576, i;
	u64 misc;

	if (e->function == 1)
		e->ecx = (e->ecx & ~BIT(27)) | (vcpu->cr4 & X86_CR4_OSXSAVE ? BIT(27) : 0);
	if (e->function == 1 &&
	    READ_ONCE(vcpu->vm->quirks_off) & KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT) {
		msr_get(vcpu, MSR_IA32_MISC_ENABLE, &misc, true);
		e->ecx = (e->ecx & ~BIT(3)) | (misc & MSR_IA32_MISC_ENABLE_MWAIT ? BIT(3) : 0);
	}
	if (e->function == 7 && !e->index)
		e->ecx = (e->ecx & ~BIT(4)) | (vcpu->cr4 & X86_CR4_PKE ? BIT(4) : 0);
	if (e->function != 0xd || e->index)
		return;
	for (i = 2; i < 64; i++)
		if (vcpu->xcr0 >> i & 1)
			size = max(size, cpuid_word(vcpu, 0xd, i, RAX) +
					 cpuid_word(vcpu, 0xd, i, RBX));
	e->ebx = size;
}

bool cpuid_has_mwait(struct vcpu *vcpu)
{
	struct kvm_cpuid_entry2 *found = find(vcpu, 1, 0);
	struct kvm_cpuid_entry2 e = { .function = 1, .ecx = found ? found->ecx : 0 };

	adjust(vcpu, &e);
	return e.ecx & BIT(3);
}

/* Would that be, by now, what the vCPU has? */
static bool same(struct vcpu *vcpu, const struct kvm_cpuid_entry2 *entries, u32 n)
{
	struct kvm_cpuid_entry2 ours, other;
	u32 i;

	for (i = 0; n == vcpu->nr_cpuid && i < n; i++) {
		ours = vcpu->cpuid[i];
		other = entries[i];
		adjust(vcpu, &ours);
		adjust(vcpu, &other);
		if (memcmp(&ours, &other, offsetof(struct kvm_cpuid_entry2, padding)))
			return false;
	}
	return n == vcpu->nr_cpuid;
}

int cpuid_set(struct vcpu *vcpu, struct kvm_cpuid2 __user *from)
{
	struct kvm_cpuid_entry2 *entries = NULL;
	u32 n;

	if (get_user(n, &from->nent))
		return -EFAULT;
	if (n > MAX_CPUID)
		return -E2BIG;
	if (n) {
		entries = vmemdup_user(from->entries, n * sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	if (vcpu->ran) {
		/* a guest that has looked at its CPU keeps it */
		int r = same(vcpu, entries, n) ? 0 : -EINVAL;

		kvfree(entries);
		return r;
	}
	kvfree(vcpu->cpuid);
	vcpu->cpuid = entries;
	vcpu->nr_cpuid = n;
	return 0;
}

int cpuid_get(struct vcpu *vcpu, struct kvm_cpuid2 __user *to)
{
	struct kvm_cpuid_entry2 e;
	u32 room, i;

	if (get_user(room, &to->nent))
		return -EFAULT;
	if (put_user(vcpu->nr_cpuid, &to->nent))
		return -EFAULT;
	if (room < vcpu->nr_cpuid)
		return -E2BIG;
	for (i = 0; i < vcpu->nr_cpuid; i++) {
		e = vcpu->cpuid[i];
		adjust(vcpu, &e);
		if (copy_to_user(&to->entries[i], &e, sizeof(e)))
			return -EFAULT;
	}
	return 0;
}

void cpuid_run(struct vcpu *vcpu)
{
	struct kvm_cpuid_entry2 *found = find(vcpu, vcpu->regs[RAX], vcpu->regs[RCX]);
	struct kvm_cpuid_entry2 e = {};

	if (found) {
		e = *found;
		adjust(vcpu, &e);
	}
	vcpu->regs[RAX] = e.eax;
	vcpu->regs[RBX] = e.ebx;
	vcpu->regs[RCX] = e.ecx;
	vcpu->regs[RDX] = e.edx;
}
