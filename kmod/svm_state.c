/* SPDX-License-Identifier: GPL-2.0-only */
/* svm_state.c - AMD-V: the guest's state in its VMCB (APM 2, appendix B) */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>

#include "svm.h"

/* ------------------------------------------------------------------- segments */

static struct vmcb_seg *segment(struct vcpu *vcpu, enum seg seg)
{
	struct vmcb_save_area *save = &to_vmcb(vcpu)->save;

	switch (seg) {
	case SEG_ES: return &save->es;
	case SEG_CS: return &save->cs;
	case SEG_SS: return &save->ss;
	case SEG_DS: return &save->ds;
	case SEG_FS: return &save->fs;
	case SEG_GS: return &save->gs;
	case SEG_LDT: return &save->ldtr;
	default: return &save->tr;
	}
}

/* attrib: type 0-3, S 4, DPL 5-6, P 7, AVL 8, L 9, D/B 10, G 11. */
void svm_get_segment(struct vcpu *vcpu, enum seg seg, struct kvm_segment *var)
{
	const struct vmcb_seg *s = segment(vcpu, seg);

	*var = (struct kvm_segment){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.type = s->attrib & 0xf,
		.s = s->attrib >> 4 & 1,
		.dpl = s->attrib >> 5 & 3,
		.present = s->attrib >> 7 & 1,
		.avl = s->attrib >> 8 & 1,
		.l = s->attrib >> 9 & 1,
		.db = s->attrib >> 10 & 1,
		/* the processor does not keep it; the limit tells */
		.g = s->limit > 0xfffff,
		.unusable = !(s->attrib >> 7 & 1),
	};
	if (seg == SEG_TR)
		var->type |= 2;	/* busy, whatever the processor says */
	if (seg == SEG_SS) {
		var->dpl = to_vmcb(vcpu)->save.cpl;
		if (var->unusable)
			var->db = 0;
	}
}

void svm_set_segment(struct vcpu *vcpu, enum seg seg, const struct kvm_segment *var)
{
	struct vmcb_seg *s = segment(vcpu, seg);

	s->base = var->base;
	s->limit = var->limit;
	s->selector = var->selector;
	s->attrib = (var->type & 0xf) | (var->s & 1) << 4 | (var->dpl & 3) << 5 |
		    (var->present && !var->unusable) << 7 | (var->avl & 1) << 8 |
		    (var->l & 1) << 9 | (var->db & 1) << 10 | (var->g & 1) << 11;
	if (seg == SEG_SS)
		to_vmcb(vcpu)->save.cpl = var->dpl & 3;
	to_svm(vcpu)->dirty = true;
}

void svm_get_dtable(struct vcpu *vcpu, enum dtable dt, struct kvm_dtable *var)
{
	struct vmcb_save_area *save = &to_vmcb(vcpu)->save;
	const struct vmcb_seg *s = dt == DT_GDT ? &save->gdtr : &save->idtr;

	*var = (struct kvm_dtable){ .base = s->base, .limit = s->limit };
}

void svm_set_dtable(struct vcpu *vcpu, enum dtable dt, const struct kvm_dtable *var)
{
	struct vmcb_save_area *save = &to_vmcb(vcpu)->save;
	struct vmcb_seg *s = dt == DT_GDT ? &save->gdtr : &save->idtr;

	s->base = var->base;
	s->limit = var->limit;
	to_svm(vcpu)->dirty = true;
}

int svm_get_cpl(struct vcpu *vcpu)
{
	return to_vmcb(vcpu)->save.cpl;
}

int svm_get_code_bits(struct vcpu *vcpu)
{
	const struct vmcb_save_area *save = &to_vmcb(vcpu)->save;

	/* attrib: L 9, D/B 10 */
	if (save->efer & EFER_LMA && save->cs.attrib & 1 << 9)
		return 64;
	return save->cs.attrib & 1 << 10 ? 32 : 16;
}

u64 svm_get_base(struct vcpu *vcpu, enum seg seg)
{
	return segment(vcpu, seg)->base;
}

/* ----------------------------------------------------------- control registers */

/*
 * CR0: with caches disabled by it the guest would crawl, and its memory is the
 * host's to cache, so what user space sets of CD and NW is only shown back,
 * until the guest itself writes CR0.
 */
static u64 get_cr0(struct vcpu *vcpu)
{
	u64 cr0 = to_vmcb(vcpu)->save.cr0;
	struct svm *svm = to_svm(vcpu);

	return cr0 == svm->cr0_loaded ? cr0 | svm->cr0_hidden : cr0;
}

static void set_cr0(struct vcpu *vcpu, u64 cr0)
{
	struct svm *svm = to_svm(vcpu);

	svm->cr0_hidden = cr0 & (X86_CR0_CD | X86_CR0_NW);
	svm->cr0_loaded = (cr0 & ~svm->cr0_hidden) | X86_CR0_ET;
	to_vmcb(vcpu)->save.cr0 = svm->cr0_loaded;
}

u64 svm_get_creg(struct vcpu *vcpu, enum creg reg)
{
	struct vmcb_save_area *save = &to_vmcb(vcpu)->save;

	switch (reg) {
	case CREG_CR0: return get_cr0(vcpu);
	case CREG_CR2: return save->cr2;
	case CREG_CR3: return save->cr3;
	case CREG_CR4: return vcpu->cr4;
	case CREG_CR8: return vcpu->cr8;
	default: return save->efer & ~EFER_SVME;
	}
}

void svm_set_creg(struct vcpu *vcpu, enum creg reg, u64 value)
{
	struct vmcb_save_area *save = &to_vmcb(vcpu)->save;

	switch (reg) {
	case CREG_CR0:
		set_cr0(vcpu, value);
		break;
	case CREG_CR2:
		save->cr2 = value;
		break;
	case CREG_CR3:
		save->cr3 = value;
		break;
	case CREG_CR4:
		vcpu->cr4 = value;
		/* the host's machine checks must come through (APM 2, 15.14.1) */
		save->cr4 = value | (cr4_read_shadow() & X86_CR4_MCE);
		break;
	case CREG_CR8:
		vcpu->cr8 = value;
		break;
	default:
		/* VMRUN wants it set */
		save->efer = value | EFER_SVME;
	}
	to_svm(vcpu)->dirty = true;
}

/* ------------------------------------------------------------------------ MSRs */

static u64 *msr_place(struct vcpu *vcpu, u32 index)
{
	struct vmcb_save_area *save = &to_vmcb(vcpu)->save;

	switch (index) {
	case MSR_STAR: return &save->star;
	case MSR_LSTAR: return &save->lstar;
	case MSR_CSTAR: return &save->cstar;
	case MSR_SYSCALL_MASK: return &save->sfmask;
	case MSR_FS_BASE: return &save->fs.base;
	case MSR_GS_BASE: return &save->gs.base;
	case MSR_KERNEL_GS_BASE: return &save->kernel_gs_base;
	case MSR_IA32_SYSENTER_CS: return &save->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP: return &save->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP: return &save->sysenter_eip;
	case MSR_IA32_CR_PAT: return &save->g_pat;
	default: return NULL;
	}
}

int svm_get_msr(struct vcpu *vcpu, u32 index, u64 *value)
{
	const u64 *place = msr_place(vcpu, index);

	if (!place)
		return -ENOENT;
	*value = *place;
	return 0;
}

int svm_set_msr(struct vcpu *vcpu, u32 index, u64 value)
{
	u64 *place = msr_place(vcpu, index);

	if (!place)
		return -ENOENT;
	*place = value;
	to_svm(vcpu)->dirty = true;
	return 0;
}

/* ------------------------------------------------------------ events and debug */

bool svm_get_irq_shadow(struct vcpu *vcpu)
{
	return to_vmcb(vcpu)->control.int_state & SVM_INTERRUPT_SHADOW_MASK;
}

void svm_set_irq_shadow(struct vcpu *vcpu, bool shadow)
{
	struct vmcb_control_area *control = &to_vmcb(vcpu)->control;

	if (shadow)
		control->int_state |= SVM_INTERRUPT_SHADOW_MASK;
	else
		control->int_state &= ~SVM_INTERRUPT_SHADOW_MASK;
}

/* A virtual interrupt that never gets in: its intercept says that one could. */
void svm_want_irq_window(struct vcpu *vcpu, bool want)
{
	struct vmcb_control_area *control = &to_vmcb(vcpu)->control;

	if (want == !!(control->int_ctl & V_IRQ_MASK))
		return;
	control->int_ctl &= ~V_IRQ_INJECTION_BITS_MASK;
	if (want)
		control->int_ctl |= V_IRQ_MASK | 0xf << V_INTR_PRIO_SHIFT | V_IGN_TPR_MASK;
	control->int_vector = 0;
	svm_intercept(vcpu, INTERCEPT_VINTR, want);
}

void svm_update_debug(struct vcpu *vcpu)
{
	svm_intercept(vcpu, INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_BP,
		      vcpu->guest_debug & KVM_GUESTDBG_USE_SW_BP);
	to_vmcb(vcpu)->save.dr7 = debug_effective_dr7(vcpu);
	to_vmcb(vcpu)->save.dr6 = vcpu->dr6;
}

/* ----------------------------------------------------------------------- reset */

/* APM 2, table 14-1. */
void svm_reset_vmcb(struct vcpu *vcpu)
{
	struct vmcb_save_area *save = &to_vmcb(vcpu)->save;
	const struct vmcb_seg data = { .attrib = 0x93, .limit = 0xffff };

	save->es = save->ss = save->ds = save->fs = save->gs = data;
	save->cs = (struct vmcb_seg){
		.selector = 0xf000, .attrib = 0x9b, .limit = 0xffff, .base = 0xffff0000,
	};
	save->gdtr.limit = save->idtr.limit = 0xffff;
	save->ldtr = (struct vmcb_seg){ .attrib = 0x82, .limit = 0xffff };
	save->tr = (struct vmcb_seg){ .attrib = 0x83, .limit = 0xffff };
	save->g_pat = 0x0007040600070406ull;
	save->dr6 = DR6_FIXED;
	save->dr7 = DR7_FIXED;
	svm_set_creg(vcpu, CREG_EFER, 0);
	svm_set_creg(vcpu, CREG_CR0, X86_CR0_NW | X86_CR0_CD | X86_CR0_ET);
	svm_set_creg(vcpu, CREG_CR4, 0);
}
