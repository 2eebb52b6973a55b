/* SPDX-License-Identifier: GPL-2.0-only */
/* vmx_state.c - VT-x: the guest's state in its VMCS (SDM 3, 25.4 and 27.3.1) */
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>

#include "vmx.h"

/* ------------------------------------------------------------------- segments */

/* Fields of a kind follow each other in the order of enum seg. */
#define SELECTOR(seg)	(GUEST_ES_SELECTOR + 2 * (seg))
#define BASE(seg)	(GUEST_ES_BASE + 2 * (seg))
#define LIMIT(seg)	(GUEST_ES_LIMIT + 2 * (seg))
#define RIGHTS(seg)	(GUEST_ES_AR_BYTES + 2 * (seg))

/* Access rights: type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15, unusable 16. */
#define RIGHTS_L	BIT(13)
#define RIGHTS_DB	BIT(14)
#define RIGHTS_G	BIT(15)
#define RIGHTS_UNUSABLE	BIT(16)

void vmx_get_segment(struct vcpu *vcpu, enum seg seg, struct kvm_segment *var)
{
	u32 rights = vmx_get(vcpu, RIGHTS(seg));

	*var = (struct kvm_segment){
		.base = vmx_get(vcpu, BASE(seg)),
		.limit = vmx_get(vcpu, LIMIT(seg)),
		.selector = vmx_get(vcpu, SELECTOR(seg)),
		.type = rights & 0xf,
		.s = rights >> 4 & 1,
		.dpl = rights >> 5 & 3,
		.present = !(rights & RIGHTS_UNUSABLE),
		.avl = rights >> 12 & 1,
		.l = rights >> 13 & 1,
		.db = rights >> 14 & 1,
		.g = rights >> 15 & 1,
		.unusable = rights >> 16 & 1,
	};
}

/*
 * Entries insist on what loading a segment register leaves (SDM 3, 27.3.1.2):
 * accessed, and a granularity that the limit can have been made with.
 */
void vmx_set_segment(struct vcpu *vcpu, enum seg seg, const struct kvm_segment *var)
{
	u32 rights = (var->type & 0xf) | (var->s & 1) << 4 | (var->dpl & 3) << 5 |
		     (var->avl & 1) << 12 | (var->l & 1) << 13 | (var->db & 1) << 14 |
		     (var->g & 1) << 15;

	if (var->unusable || !var->present)
		rights |= RIGHTS_UNUSABLE;
	else
		rights |= BIT(7);
	if (seg != SEG_LDT)
		rights |= 1;
	/* busy, as LTR leaves it, and not a 16-bit one in long mode */
	if (seg == SEG_TR)
		rights |= vmx_get(vcpu, GUEST_IA32_EFER) & EFER_LMA ? 0xa : 2;
	if (var->limit >> 20)
		rights |= RIGHTS_G;
	else if ((var->limit & 0xfff) != 0xfff)
		rights &= ~RIGHTS_G;
	vmx_set(vcpu, SELECTOR(seg), var->selector);
	vmx_set(vcpu, BASE(seg), var->base);
	vmx_set(vcpu, LIMIT(seg), var->limit);
	vmx_set(vcpu, RIGHTS(seg), rights);
}

void vmx_get_dtable(struct vcpu *vcpu, enum dtable dt, struct kvm_dtable *var)
{
	*var = (struct kvm_dtable){
		.base = vmx_get(vcpu, dt == DT_GDT ? GUEST_GDTR_BASE : GUEST_IDTR_BASE),
		.limit = vmx_get(vcpu, dt == DT_GDT ? GUEST_GDTR_LIMIT : GUEST_IDTR_LIMIT),
	};
}

void vmx_set_dtable(struct vcpu *vcpu, enum dtable dt, const struct kvm_dtable *var)
{
	vmx_set(vcpu, dt == DT_GDT ? GUEST_GDTR_BASE : GUEST_IDTR_BASE, var->base);
	vmx_set(vcpu, dt == DT_GDT ? GUEST_GDTR_LIMIT : GUEST_IDTR_LIMIT, var->limit);
}

/* The privilege level is SS's, in every mode (SDM 3, 25.4.1). */
int vmx_get_cpl(struct vcpu *vcpu)
{
	return vmx_get(vcpu, RIGHTS(SEG_SS)) >> 5 & 3;
}

int vmx_get_code_bits(struct vcpu *vcpu)
{
	u32 rights = vmx_get(vcpu, RIGHTS(SEG_CS));

	if (rights & RIGHTS_L && vmx_get(vcpu, GUEST_IA32_EFER) & EFER_LMA)
		return 64;
	return rights & RIGHTS_DB ? 32 : 16;
}

u64 vmx_get_base(struct vcpu *vcpu, enum seg seg)
{
	return vmx_get(vcpu, BASE(seg));
}

/* ----------------------------------------------------------- control registers */

/*
 * CR0: NE is always on in hypervisor mode, and caches are the host's to switch
 * off. What the guest has of these bits is in the shadow, where it reads them
 * too; changing them exits. The other bits are in the VMCS as the guest has them.
 */
#define CR0_HOST	(X86_CR0_NE | X86_CR0_CD | X86_CR0_NW)

static u64 get_cr0(struct vcpu *vcpu)
{
	return (vmx_get(vcpu, GUEST_CR0) & ~CR0_HOST) | (vmx_get(vcpu, CR0_READ_SHADOW) & CR0_HOST);
}

/* With PAE paging an entry loads the first four entries from the VMCS, not from memory. */
static void load_pdptes(struct vcpu *vcpu)
{
	u64 pdptes[4] = {};
	int i;

	if (!(vmx_get(vcpu, GUEST_CR0) & X86_CR0_PG) || !(vcpu->cr4 & X86_CR4_PAE) ||
	    vmx_get(vcpu, GUEST_IA32_EFER) & EFER_LMA)
		return;
	down_read(&vcpu->vm->slots_lock);
	if (access_read_gpa(vcpu->vm, vmx_get(vcpu, GUEST_CR3) & 0xffffffe0, pdptes, sizeof(pdptes)))
		memset(pdptes, 0, sizeof(pdptes));
	up_read(&vcpu->vm->slots_lock);
	for (i = 0; i < 4; i++)
		vmx_set(vcpu, GUEST_PDPTR0 + 2 * i, pdptes[i]);
}

static void set_efer(struct vcpu *vcpu, u64 efer)
{
	u64 entry = vmx_get(vcpu, VM_ENTRY_CONTROLS) & ~VM_ENTRY_IA32E_MODE;

	vmx_set(vcpu, GUEST_IA32_EFER, efer);
	vmx_set(vcpu, VM_ENTRY_CONTROLS, entry | (efer & EFER_LMA ? VM_ENTRY_IA32E_MODE : 0));
}

u64 vmx_get_creg(struct vcpu *vcpu, enum creg reg)
{
	switch (reg) {
	case CREG_CR0: return get_cr0(vcpu);
	case CREG_CR2: return to_vmx(vcpu)->cr2;
	case CREG_CR3: return vmx_get(vcpu, GUEST_CR3);
	case CREG_CR4: return vcpu->cr4;
	case CREG_CR8: return vcpu->cr8;
	default: return vmx_get(vcpu, GUEST_IA32_EFER);
	}
}

void vmx_set_creg(struct vcpu *vcpu, enum creg reg, u64 value)
{
	switch (reg) {
	case CREG_CR0:
		vmx_set(vcpu, CR0_READ_SHADOW, value | X86_CR0_ET);
		vmx_set(vcpu, GUEST_CR0,
			(value & ~(X86_CR0_CD | X86_CR0_NW)) | X86_CR0_NE | X86_CR0_ET);
		break;
	case CREG_CR2:
		to_vmx(vcpu)->cr2 = value;
		return;
	case CREG_CR3:
		vmx_set(vcpu, GUEST_CR3, value);
		break;
	case CREG_CR4:
		/* reads are from the shadow; every change exits */
		vcpu->cr4 = value;
		vmx_set(vcpu, CR4_READ_SHADOW, value);
		vmx_set(vcpu, GUEST_CR4,
			value | X86_CR4_VMXE | (cr4_read_shadow() & X86_CR4_MCE));
		break;
	case CREG_CR8:
		vcpu->cr8 = value;
		return;
	default:
		set_efer(vcpu, value);
	}
	load_pdptes(vcpu);
}

/* ------------------------------------------------------------------------ MSRs */

/* The VMCS field that has it, or 0. */
static unsigned long msr_field(u32 index)
{
	switch (index) {
	case MSR_FS_BASE: return GUEST_FS_BASE;
	case MSR_GS_BASE: return GUEST_GS_BASE;
	case MSR_IA32_SYSENTER_CS: return GUEST_SYSENTER_CS;
	case MSR_IA32_SYSENTER_ESP: return GUEST_SYSENTER_ESP;
	case MSR_IA32_SYSENTER_EIP: return GUEST_SYSENTER_EIP;
	case MSR_IA32_CR_PAT: return GUEST_IA32_PAT;
	default: return 0;
	}
}

static int swapped(u32 index)
{
	int i;

	for (i = 0; i < NR_SWAPPED && vmx_swapped[i] != index; i++)
		;
	return i;
}

int vmx_get_msr(struct vcpu *vcpu, u32 index, u64 *value)
{
	unsigned long field = msr_field(index);
	struct vmx *vmx = to_vmx(vcpu);
	int i = swapped(index);

	if (field) {
		*value = vmx_get(vcpu, field);
		return 0;
	}
	if (i == NR_SWAPPED)
		return -ENOENT;
	preempt_disable();
	*value = vmx->msrs[i];
	if (vmx->loaded && i == SWAP_KERNEL_GS_BASE)
		rdmsrl(index, *value);
	preempt_enable();
	return 0;
}

int vmx_set_msr(struct vcpu *vcpu, u32 index, u64 value)
{
	unsigned long field = msr_field(index);
	struct vmx *vmx = to_vmx(vcpu);
	int i = swapped(index);

	if (field) {
		vmx_set(vcpu, field, value);
		return 0;
	}
	if (i == NR_SWAPPED)
		return -ENOENT;
	preempt_disable();
	vmx->msrs[i] = value;
	if (vmx->loaded)
		wrmsrl(index, value);
	preempt_enable();
	return 0;
}

/* ------------------------------------------------------------ events and debug */

bool vmx_get_irq_shadow(struct vcpu *vcpu)
{
	return to_vmx(vcpu)->interruptibility;
}

/* STI's is for when interrupts are enabled only; the other one is stronger. */
void vmx_set_irq_shadow(struct vcpu *vcpu, bool shadow)
{
	struct vmx *vmx = to_vmx(vcpu);

	if (shadow == !!vmx->interruptibility)
		return;
	vmx->interruptibility = !shadow ? 0 : vcpu->rflags & X86_EFLAGS_IF ? GUEST_INTR_STATE_STI :
									  GUEST_INTR_STATE_MOV_SS;
}

void vmx_update_debug(struct vcpu *vcpu)
{
	/* #DB and #AC could loop for ever in their own delivery; #UD: hypercalls */
	vmx_set(vcpu, EXCEPTION_BITMAP, BIT(X86_TRAP_DB) | BIT(X86_TRAP_UD) | BIT(X86_TRAP_AC) |
					BIT(X86_TRAP_MC) |
		(vcpu->guest_debug & KVM_GUESTDBG_USE_SW_BP ? BIT(X86_TRAP_BP) : 0));
	vmx_set(vcpu, GUEST_DR7, debug_effective_dr7(vcpu));
	/* a trap that waited for a debugger who is gone */
	if (!(vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP) && !(vcpu->rflags & X86_EFLAGS_TF))
		vmx_set(vcpu, GUEST_PENDING_DBG_EXCEPTIONS, 0);
}

/* ----------------------------------------------------------------------- reset */

/* SDM 3, table 10-1. */
void vmx_reset_vmcs(struct vcpu *vcpu)
{
	struct kvm_segment segment = { .limit = 0xffff, .type = 3, .present = 1, .s = 1 };
	const struct kvm_dtable table = { .limit = 0xffff };
	enum seg seg;

	for (seg = SEG_ES; seg <= SEG_GS; seg++)
		vmx_set_segment(vcpu, seg, &segment);
	segment.s = 0;
	segment.type = 0xb;
	vmx_set_segment(vcpu, SEG_TR, &segment);
	segment.type = 2;
	vmx_set_segment(vcpu, SEG_LDT, &segment);
	vmx_set_segment(vcpu, SEG_CS, &(struct kvm_segment){
		.selector = 0xf000, .base = 0xffff0000, .limit = 0xffff, .type = 0xb, .present = 1, .s = 1,
	});
	vmx_set_dtable(vcpu, DT_GDT, &table);
	vmx_set_dtable(vcpu, DT_IDT, &table);
	vmx_set(vcpu, CR0_GUEST_HOST_MASK, CR0_HOST);
	vmx_set(vcpu, CR4_GUEST_HOST_MASK, ~0ul);
	vmx_set(vcpu, GUEST_IA32_PAT, 0x0007040600070406ull);
	vmx_set_creg(vcpu, CREG_CR0, X86_CR0_NW | X86_CR0_CD | X86_CR0_ET);
	vmx_set_creg(vcpu, CREG_CR4, 0);
	vmx_set_creg(vcpu, CREG_EFER, 0);
	vmx_update_debug(vcpu);
}
