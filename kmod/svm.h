/* SPDX-License-Identifier: GPL-2.0-only */
/* svm.h - what the files of the AMD-V implementation share */
#ifndef KVMRUN_SVM_H
#define KVMRUN_SVM_H

#include <asm/svm.h>
#include <asm/trapnr.h>

#include "kvmrun.h"

/* Hypervisor mode is switched off by firmware. */
#define VM_CR_SVMDIS BIT_ULL(4)

struct svm {
	struct vmcb *vmcb;
	u64 vmcb_pa;
	u64 asid_generation;	/* of the CPU it was given on */
	int asid_cpu;
	bool dirty;		/* something in the VMCB that the processor may cache has changed */
	bool save_host;		/* the host's state is to be saved on this CPU first */
	u64 cr0_loaded, cr0_hidden;	/* CD and NW that user space set and the guest runs without */
	unsigned long nmi_iret_rip;	/* of an IRET that ends an NMI, or 0 */
};

static inline struct svm *to_svm(struct vcpu *vcpu)
{
	return vcpu->hw;
}

static inline struct vmcb *to_vmcb(struct vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb;
}

static inline void svm_intercept(struct vcpu *vcpu, int bit, bool on)
{
	u32 *words = to_vmcb(vcpu)->control.intercepts;

	if (on)
		words[bit / 32] |= 1u << bit % 32;
	else
		words[bit / 32] &= ~(1u << bit % 32);
	to_svm(vcpu)->dirty = true;
}

/* svm_entry.S: run until the next exit. GIF is clear. The guest's RAX and RSP are in the VMCB. */
void svm_enter(unsigned long *regs, u64 vmcb_pa, u64 host_pa);

/* svm_state.c */
void svm_reset_vmcb(struct vcpu *vcpu);
void svm_get_segment(struct vcpu *vcpu, enum seg seg, struct kvm_segment *var);
void svm_set_segment(struct vcpu *vcpu, enum seg seg, const struct kvm_segment *var);
void svm_get_dtable(struct vcpu *vcpu, enum dtable dt, struct kvm_dtable *var);
void svm_set_dtable(struct vcpu *vcpu, enum dtable dt, const struct kvm_dtable *var);
u64 svm_get_creg(struct vcpu *vcpu, enum creg reg);
void svm_set_creg(struct vcpu *vcpu, enum creg reg, u64 value);
int svm_get_cpl(struct vcpu *vcpu);
int svm_get_code_bits(struct vcpu *vcpu);
u64 svm_get_base(struct vcpu *vcpu, enum seg seg);
bool svm_get_irq_shadow(struct vcpu *vcpu);
void svm_set_irq_shadow(struct vcpu *vcpu, bool shadow);
int svm_get_msr(struct vcpu *vcpu, u32 index, u64 *value);
int svm_set_msr(struct vcpu *vcpu, u32 index, u64 value);
void svm_update_debug(struct vcpu *vcpu);
void svm_want_irq_window(struct vcpu *vcpu, bool want);

/* svm_exit.c */
int svm_handle_exit(struct vcpu *vcpu);
int svm_skip(struct vcpu *vcpu);

#endif
