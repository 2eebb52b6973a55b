/* SPDX-License-Identifier: GPL-2.0-only */
/* vmx.h - what the files of the VT-x implementation share */
#ifndef KVMRUN_VMX_H
#define KVMRUN_VMX_H

#include <linux/list.h>
#include <asm/asm.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "kvmrun.h"

/* MSRs that VMCSs have no place for, and of which no host code until KVM_RUN returns makes use. */
enum { SWAP_STAR, SWAP_LSTAR, SWAP_CSTAR, SWAP_SYSCALL_MASK, SWAP_KERNEL_GS_BASE, NR_SWAPPED };
extern const u32 vmx_swapped[NR_SWAPPED];

/* The start of a VMCS, and of the region for VMXON; the processor's afterwards (SDM 3, 25.2). */
struct vmcs {
	u32 revision, abort;
};

struct vmx {
	struct vmcs *vmcs;
	int cpu;		/* that the VMCS is active on, or -1; what follows is that CPU's to write */
	struct list_head active;	/* in the CPU's list */
	bool launched;

	bool loaded;		/* between load and put: the CPU has msrs */
	bool flush;		/* the CPU may have translations that are not the guest's any more */
	u64 msrs[NR_SWAPPED];
	u16 vpid;		/* 0: none */
	u64 cr2;

	/* what the VMCS has, so that it is written only when that changes */
	unsigned long rsp, rip, rflags, host_cr3, host_cr4;
	u64 tsc_offset, msr_bitmap;
	u32 controls_there, interruptibility_there;

	u32 controls;		/* primary processor-based ones, for the next entry */
	u32 interruptibility;	/* GUEST_INTR_STATE_*: the guest's, without that of NMIs */
	u32 reason;		/* of the last exit */
	u32 intr_info, vectoring;
	u32 error;		/* VM-instruction error: the last entry failed */
};

static inline struct vmx *to_vmx(struct vcpu *vcpu)
{
	return vcpu->hw;
}

/*
 * Of the current VMCS; preemption is disabled. Where the CPU's hypervisor mode
 * was switched off meanwhile (reboot), reads are 0 and writes nothing.
 */
static __always_inline u64 vmread(unsigned long field)
{
	u64 value = 0;

	asm volatile("1: vmread %1, %0\n2:" _ASM_EXTABLE(1b, 2b) : "+r"(value) : "r"(field) : "cc");
	return value;
}

static __always_inline void vmwrite(unsigned long field, u64 value)
{
	asm volatile("1: vmwrite %0, %1\n2:" _ASM_EXTABLE(1b, 2b) : : "r"(value), "r"(field) : "cc");
}

static inline void vmx_invept(u64 type, u64 eptp)
{
	const struct { u64 eptp, zero; } descriptor = { .eptp = eptp };

	asm volatile("1: invept %0, %1\n2:" _ASM_EXTABLE(1b, 2b)
		     : : "m"(descriptor), "r"(type) : "cc", "memory");
}

/* vmx_check.c */
bool vmx_present(void);
int vmx_check(void);
/* A capability MSR, 0 where there is none; of it, or of the controls it is about, what can be 1. */
u64 vmx_capability(u32 msr);
u32 vmx_can_be_set(u32 msr);
/* The controls that it is about: what must be 1, what is needed, what can be 1 of the optional. */
u32 vmx_controls(u32 msr, u32 optional);

/* vmx_cpu.c: what each CPU has. Regions for VMXON; after -ENOMEM those that there are wait to be freed. */
int vmx_alloc_cpus(void);
void vmx_free_cpus(void);
int vmx_hardware_enable(void);
void vmx_hardware_disable(void);
/* A page of the node's, free_page()'s; NULL without memory. */
struct vmcs *vmx_new_vmcs(gfp_t gfp, int node);
/* Of a vCPU's VMCS, wherever it is. Preemptible, interrupts enabled. */
u64 vmx_get(struct vcpu *vcpu, unsigned long field);
void vmx_set(struct vcpu *vcpu, unsigned long field, u64 value);
/* Before its VMCS is freed: no CPU has parts of it any more. */
void vmx_forget(struct vmx *vmx);
/* Before an entry: what this CPU has learned of branches from another guest does not count. */
void vmx_separate(struct vmx *vmx);
void vmx_load(struct vcpu *vcpu);
void vmx_put(struct vcpu *vcpu);

/*
 * vmx_entry.S: run until the next exit, with the current VMCS; restore: write
 * SPEC_CTRL afterwards. Returns whether the entry failed (VMfail).
 */
bool vmx_enter(unsigned long *regs, bool launched, bool restore, u64 spec_ctrl);
void vmx_exit_point(void);

/* vmx_state.c */
void vmx_reset_vmcs(struct vcpu *vcpu);
void vmx_get_segment(struct vcpu *vcpu, enum seg seg, struct kvm_segment *var);
void vmx_set_segment(struct vcpu *vcpu, enum seg seg, const struct kvm_segment *var);
void vmx_get_dtable(struct vcpu *vcpu, enum dtable dt, struct kvm_dtable *var);
void vmx_set_dtable(struct vcpu *vcpu, enum dtable dt, const struct kvm_dtable *var);
u64 vmx_get_creg(struct vcpu *vcpu, enum creg reg);
void vmx_set_creg(struct vcpu *vcpu, enum creg reg, u64 value);
int vmx_get_cpl(struct vcpu *vcpu);
int vmx_get_code_bits(struct vcpu *vcpu);
u64 vmx_get_base(struct vcpu *vcpu, enum seg seg);
bool vmx_get_irq_shadow(struct vcpu *vcpu);
void vmx_set_irq_shadow(struct vcpu *vcpu, bool shadow);
int vmx_get_msr(struct vcpu *vcpu, u32 index, u64 *value);
int vmx_set_msr(struct vcpu *vcpu, u32 index, u64 value);
void vmx_update_debug(struct vcpu *vcpu);

/* vmx_exit.c */
int vmx_handle_exit(struct vcpu *vcpu);
int vmx_skip(struct vcpu *vcpu);

#endif
