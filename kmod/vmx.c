/* SPDX-License-Identifier: GPL-2.0-only */
/* vmx.c - VT-x: what guests share, the VMCS and its controls, VM entry (SDM 3, chapters 24 to 29) */
#include <linux/cpu.h>
#include <linux/idr.h>
#include <linux/slab.h>
#include <asm/debugreg.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/spec-ctrl.h>
#include <asm/tlbflush.h>

#include "main.h"
#include "vmx.h"

/* Bitmaps for all guests: a set bit exits. Guests whose MSRs are filtered leave at each. */
static u8 *msr_bitmap, *msr_bitmap_filtered;
static DEFINE_IDA(vpids);
static void *l1d_filler;	/* NULL: the processor flushes its L1 data cache by itself */
static bool flush_l1d;

#define L1D_FILLER_ORDER 4	/* 64 KiB: more than any L1 data cache that needs it */

/* ---------------------------------------------------------------- what is shared */

/* MSRs that a guest reads, or writes as well, by itself; all others exit. */
static const struct {
	u32 first, last;
	bool write;
	const char *why;
} direct_msrs[] = {
	{ MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP, true, "the VMCS swaps them" },
	{ MSR_IA32_CR_PAT, MSR_IA32_CR_PAT, false, "the VMCS swaps it; what is written is checked" },
	{ MSR_STAR, MSR_SYSCALL_MASK, false, "what put takes away must be known" },
	{ MSR_FS_BASE, MSR_GS_BASE, true, "the VMCS swaps them" },
	{ MSR_KERNEL_GS_BASE, MSR_KERNEL_GS_BASE, true, "SWAPGS changes it, too: put reads it" },
};

/* SDM 3, 25.6.9: a bit for each; reads, reads from 0xc0000000 on, writes, writes from there on. */
static void direct_msr(u8 *map, u32 index, bool write)
{
	u32 byte = (index >= 0xc0000000 ? 1024 : 0) + (index & 0x1fff) / 8;

	map[byte] &= ~BIT(index % 8);
	if (write)
		map[byte + 2048] &= ~BIT(index % 8);
}

static void free_shared(void)
{
	vmx_free_cpus();
	free_page((unsigned long)msr_bitmap);
	free_page((unsigned long)msr_bitmap_filtered);
	free_pages((unsigned long)l1d_filler, L1D_FILLER_ORDER);
	ida_destroy(&vpids);
}

/* L1 terminal fault: a guest's present-looking page table entry reads what L1 has of the host. */
static bool needs_l1d_flush(void)
{
	u64 arch = boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES) ?
		   vmx_capability(MSR_IA32_ARCH_CAPABILITIES) : 0;

	return boot_cpu_has_bug(X86_BUG_L1TF) && !cpu_mitigations_off() &&
	       !(arch & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH);
}

static int vmx_setup(void)
{
	u32 ept = vmx_can_be_set(MSR_IA32_VMX_EPT_VPID_CAP), msr;
	size_t i;

	mmu_max_level = ept & VMX_EPT_1GB_PAGE_BIT ? 3 : ept & VMX_EPT_2MB_PAGE_BIT ? 2 : 1;
	mmu_has_accessed = ept & VMX_EPT_AD_BIT;
	/* code in huge pages lets guests on such CPUs bring the host down */
	if (boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off())
		mmu_max_level = 1;
	flush_l1d = needs_l1d_flush();
	if (flush_l1d && !boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		l1d_filler = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, L1D_FILLER_ORDER);
		if (!l1d_filler)
			goto fail;
	}
	msr_bitmap = (u8 *)__get_free_page(GFP_KERNEL);
	msr_bitmap_filtered = (u8 *)__get_free_page(GFP_KERNEL);
	if (!msr_bitmap || !msr_bitmap_filtered)
		goto fail;
	memset(msr_bitmap, 0xff, PAGE_SIZE);
	memset(msr_bitmap_filtered, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(direct_msrs); i++)
		for (msr = direct_msrs[i].first; msr <= direct_msrs[i].last; msr++)
			direct_msr(msr_bitmap, msr, direct_msrs[i].write);
	if (vmx_alloc_cpus())
		goto fail;
	return 0;
fail:
	free_shared();
	return -ENOMEM;
}

/* ---------------------------------------------------------------------- the VMCS */

/* What a VMCS has to begin with is nobody's business but the processor's. */
static const u16 zero_fields[] = {
	VIRTUAL_PROCESSOR_ID, PAGE_FAULT_ERROR_CODE_MASK, PAGE_FAULT_ERROR_CODE_MATCH,
	CR3_TARGET_COUNT, VM_EXIT_MSR_STORE_COUNT, VM_EXIT_MSR_LOAD_COUNT, VM_ENTRY_MSR_LOAD_COUNT,
	VM_ENTRY_INTR_INFO_FIELD, TSC_OFFSET, HOST_ES_SELECTOR, HOST_DS_SELECTOR, HOST_FS_SELECTOR,
	HOST_GS_SELECTOR, GUEST_RSP, GUEST_RIP, GUEST_RFLAGS, GUEST_INTERRUPTIBILITY_INFO,
	GUEST_ACTIVITY_STATE, GUEST_PENDING_DBG_EXCEPTIONS, GUEST_IA32_DEBUGCTL, GUEST_SYSENTER_CS,
	GUEST_SYSENTER_ESP, GUEST_SYSENTER_EIP, GUEST_CR3, GUEST_CR0, GUEST_IA32_EFER,
};

static u64 eptp(struct vcpu *vcpu)
{
	return __pa(vcpu->vm->root) | VMX_EPTP_MT_WB | VMX_EPTP_PWL_4 |
	       (mmu_has_accessed ? VMX_EPTP_AD_ENABLE_BIT : 0);
}

/* The host's state that stays what it is. Selectors of the host's task: see load and put. */
static void set_host(struct vcpu *vcpu)
{
	u64 value;

	vmx_set(vcpu, HOST_CS_SELECTOR, __KERNEL_CS);
	vmx_set(vcpu, HOST_SS_SELECTOR, __KERNEL_DS);
	vmx_set(vcpu, HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	vmx_set(vcpu, HOST_CR0, read_cr0());
	vmx_set(vcpu, HOST_RIP, (unsigned long)vmx_exit_point);
	rdmsrl(MSR_EFER, value);
	vmx_set(vcpu, HOST_IA32_EFER, value);
	rdmsrl(MSR_IA32_CR_PAT, value);
	vmx_set(vcpu, HOST_IA32_PAT, value);
	rdmsrl(MSR_IA32_SYSENTER_CS, value);
	vmx_set(vcpu, HOST_IA32_SYSENTER_CS, value);
	rdmsrl(MSR_IA32_SYSENTER_EIP, value);
	vmx_set(vcpu, HOST_IA32_SYSENTER_EIP, value);
}

static void set_controls(struct vcpu *vcpu)
{
	struct vmx *vmx = to_vmx(vcpu);
	u32 optional = (vmx->vpid ? SECONDARY_EXEC_ENABLE_VPID : 0) |
		       (boot_cpu_has(X86_FEATURE_RDTSCP) ? SECONDARY_EXEC_ENABLE_RDTSCP : 0) |
		       (boot_cpu_has(X86_FEATURE_INVPCID) ? SECONDARY_EXEC_ENABLE_INVPCID : 0) |
		       SECONDARY_EXEC_ENCLS_EXITING;
	u32 secondary = vmx_controls(MSR_IA32_VMX_PROCBASED_CTLS2, optional);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(zero_fields); i++)
		vmx_set(vcpu, zero_fields[i], 0);
	vmx->controls = vmx_controls(MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 0) &
			~(CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING);
	vmx_set(vcpu, PIN_BASED_VM_EXEC_CONTROL, vmx_controls(MSR_IA32_VMX_TRUE_PINBASED_CTLS, 0));
	vmx_set(vcpu, SECONDARY_VM_EXEC_CONTROL, secondary);
	/* no leaf of ENCLS is a guest's */
	if (secondary & SECONDARY_EXEC_ENCLS_EXITING)
		vmx_set(vcpu, ENCLS_EXITING_BITMAP, ~0ull);
	vmx_set(vcpu, VM_EXIT_CONTROLS, vmx_controls(MSR_IA32_VMX_TRUE_EXIT_CTLS, 0));
	vmx_set(vcpu, VM_ENTRY_CONTROLS, vmx_controls(MSR_IA32_VMX_TRUE_ENTRY_CTLS, 0));
	vmx_set(vcpu, VMCS_LINK_POINTER, ~0ull);
	vmx_set(vcpu, EPT_POINTER, eptp(vcpu));
	vmx_set(vcpu, VIRTUAL_PROCESSOR_ID, vmx->vpid);
}

static int vmx_vcpu_create(struct vcpu *vcpu)
{
	struct vmx *vmx = kzalloc(sizeof(*vmx), GFP_KERNEL_ACCOUNT);

	if (!vmx)
		return -ENOMEM;
	vmx->vmcs = vmx_new_vmcs(GFP_KERNEL_ACCOUNT, NUMA_NO_NODE);
	if (!vmx->vmcs) {
		kfree(vmx);
		return -ENOMEM;
	}
	vmx->cpu = -1;
	if (vmx_can_be_set(MSR_IA32_VMX_PROCBASED_CTLS2) & SECONDARY_EXEC_ENABLE_VPID)
		/* when all are taken translations go at each entry and exit instead */
		vmx->vpid = max(ida_alloc_range(&vpids, 1, U16_MAX, GFP_KERNEL_ACCOUNT), 0);
	vcpu->hw = vmx;
	set_controls(vcpu);
	set_host(vcpu);
	vmx_reset_vmcs(vcpu);
	return 0;
}

static void vmx_vcpu_free(struct vcpu *vcpu)
{
	struct vmx *vmx = to_vmx(vcpu);

	vmx_forget(vmx);
	if (vmx->vpid)
		ida_free(&vpids, vmx->vpid);
	free_page((unsigned long)vmx->vmcs);
	kfree(vmx);
}

static void vmx_flush_tlb(struct vcpu *vcpu)
{
	to_vmx(vcpu)->flush = true;
}

static void want_exit(struct vmx *vmx, u32 control, bool want)
{
	vmx->controls = want ? vmx->controls | control : vmx->controls & ~control;
}

static void vmx_want_irq_window(struct vcpu *vcpu, bool want)
{
	want_exit(to_vmx(vcpu), CPU_BASED_INTR_WINDOW_EXITING, want);
}

/* ----------------------------------------------------------------------- running */

/* Write a field of whose value in the VMCS there is a copy. */
#define UPDATE(field, copy, value)				\
	do {							\
		typeof(copy) new = (value);			\
								\
		if (copy != new)				\
			vmwrite(field, copy = new);		\
	} while (0)

/* INVEPT takes what combines both levels of tables, too, whatever its VPID. */
static void flush_translations(struct vcpu *vcpu)
{
	vmx_invept(VMX_EPT_EXTENT_CONTEXT, eptp(vcpu));
	to_vmx(vcpu)->flush = false;
}

static void deliver(struct vcpu *vcpu)
{
	u32 event = event_to_deliver(vcpu);

	if (!event)
		return;
	if (event & EVENT_ERROR)
		vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, vcpu->exception.error);
	/* behind the INT3 or INTO, as the processor itself does it */
	if ((event & EVENT_TYPE) == EVENT_EXCEPTION &&
	    (vcpu->exception.nr == X86_TRAP_BP || vcpu->exception.nr == X86_TRAP_OF)) {
		event = (event & ~EVENT_TYPE) | INTR_TYPE_SOFT_EXCEPTION;
		vmwrite(VM_ENTRY_INSTRUCTION_LEN, 1);
	}
	vmwrite(VM_ENTRY_INTR_INFO_FIELD, event);
}

static void prepare(struct vcpu *vcpu, bool step)
{
	struct vmx *vmx = to_vmx(vcpu);
	unsigned long rflags = vcpu->rflags | (step ? X86_EFLAGS_TF : 0);
	u32 state = step ? 0 : vmx->interruptibility;

	vmx_separate(vmx);
	if (vmx->flush)
		flush_translations(vcpu);
	UPDATE(HOST_CR3, vmx->host_cr3, __read_cr3());
	UPDATE(HOST_CR4, vmx->host_cr4, cr4_read_shadow());
	UPDATE(MSR_BITMAP, vmx->msr_bitmap,
	       __pa(rcu_access_pointer(vcpu->vm->msr_filter) ? msr_bitmap_filtered : msr_bitmap));
	UPDATE(TSC_OFFSET, vmx->tsc_offset, vcpu->tsc_offset);
	UPDATE(GUEST_RSP, vmx->rsp, vcpu->regs[RSP]);
	UPDATE(GUEST_RIP, vmx->rip, vcpu->rip);
	UPDATE(GUEST_RFLAGS, vmx->rflags, rflags);
	/* a trap that waits behind a shadow must be said to (SDM 3, 27.3.1.5) */
	if (state && rflags & X86_EFLAGS_TF)
		vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, DR_STEP);
	if (vcpu->nmi.masked && !vcpu->nmi.injected)
		state |= GUEST_INTR_STATE_NMI;
	UPDATE(GUEST_INTERRUPTIBILITY_INFO, vmx->interruptibility_there, state);
	want_exit(vmx, CPU_BASED_NMI_WINDOW_EXITING, vcpu->nmi.pending && !vcpu->nmi.injected);
	deliver(vcpu);
}

/* SDM 3, 29.3: what the VMCS has of the guest's, and what it was to deliver. */
static void take_back(struct vcpu *vcpu, bool step)
{
	struct vmx *vmx = to_vmx(vcpu);
	unsigned long tf = vcpu->rflags & X86_EFLAGS_TF;

	vmx->launched = true;
	vcpu->regs[RSP] = vmx->rsp = vmread(GUEST_RSP);
	vcpu->rip = vmx->rip = vmread(GUEST_RIP);
	vcpu->rflags = vmx->rflags = vmread(GUEST_RFLAGS);
	if (step)
		vcpu->rflags = (vcpu->rflags & ~X86_EFLAGS_TF) | tf;
	vmx->interruptibility_there = vmread(GUEST_INTERRUPTIBILITY_INFO);
	vmx->interruptibility = vmx->interruptibility_there &
				(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS);
	/* no trap is pending now (SDM 3, 28.3.4), though Bochs 2.7 leaves that of a step not done */
	if (vmx->rflags & X86_EFLAGS_TF && !vmx->interruptibility)
		vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmx->vectoring = vmread(IDT_VECTORING_INFO_FIELD);
	event_delivered(vcpu, vmx->vectoring, vmx->vectoring & EVENT_ERROR ?
			vmread(IDT_VECTORING_ERROR_CODE) : 0);
	vcpu->nmi.masked = vcpu->nmi.injected || vmx->interruptibility_there & GUEST_INTR_STATE_NMI;
}

/* What came for the host while the guest ran, apart from interrupts, which come when enabled. */
static void for_the_host(struct vmx *vmx)
{
	struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };
	u32 reason = (u16)vmx->reason;

	if (reason == EXIT_REASON_EXCEPTION_NMI) {
		vmx->intr_info = vmread(VM_EXIT_INTR_INFO);
		/* NMIs are masked until the handler's IRET, as if it had been called by one */
		if ((vmx->intr_info & EVENT_TYPE) == EVENT_NMI)
			asm volatile("int $2");
	}
	if (reason == EXIT_REASON_MCE_DURING_VMENTRY ||
	    (reason == EXIT_REASON_EXCEPTION_NMI &&
	     (vmx->intr_info & (EVENT_TYPE | EVENT_VECTOR)) == (EVENT_EXCEPTION | X86_TRAP_MC)))
		/* as if it had come in user mode: this task can be killed for it */
		do_machine_check(&regs);
}

static void clear_for_guest(void)
{
	size_t i;

	if (static_branch_unlikely(&mmio_stale_data_clear))
		x86_clear_cpu_buffers();
	if (!flush_l1d)
		return;
	if (!l1d_filler)
		native_wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
	for (i = 0; l1d_filler && i < PAGE_SIZE << L1D_FILLER_ORDER; i += 64)
		READ_ONCE(*(u8 *)(l1d_filler + i));
}

static void vmx_run(struct vcpu *vcpu)
{
	struct vmx *vmx = to_vmx(vcpu);
	bool step = vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP;
	bool spec_ctrl = boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL);
	u64 host_spec_ctrl = spec_ctrl ? this_cpu_read(x86_spec_ctrl_current) : 0;
	unsigned long debugctl = get_debugctlmsr();
	bool failed;

	prepare(vcpu, step);
	UPDATE(CPU_BASED_VM_EXEC_CONTROL, vmx->controls_there, vmx->controls);
	debug_load(vcpu);
	if (vmx->cr2 != native_read_cr2())
		native_write_cr2(vmx->cr2);
	spec_ctrl = spec_ctrl && (vcpu->spec_ctrl != host_spec_ctrl ||
				  cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS));
	clear_for_guest();
	if (spec_ctrl)
		native_wrmsrl(MSR_IA32_SPEC_CTRL, vcpu->spec_ctrl);
	failed = vmx_enter(vcpu->regs, vmx->launched, spec_ctrl, host_spec_ctrl);
	vmx->cr2 = native_read_cr2();
	vmx->error = failed ? vmread(VM_INSTRUCTION_ERROR) : 0;
	if (!failed) {
		vmx->reason = vmread(VM_EXIT_REASON);
		for_the_host(vmx);
		if (!(vmx->reason & VMX_EXIT_REASONS_FAILED_VMENTRY))
			take_back(vcpu, step);
	}
	/* an exit leaves these 0 and without breakpoints */
	if (debugctl)
		update_debugctlmsr(debugctl);
	if (hw_breakpoint_active())
		hw_breakpoint_restore();
}

const struct kvmrun_ops vmx_ops = {
	.name = "VT-x",
	/*
	 * Write-back memory whatever the guest's PAT says, as the host has it; uncached
	 * devices. Accessed and dirty bits are ignored where the processor has none.
	 */
	.nested = {
		.table = VMX_EPT_ACCESS_BIT,
		.memory = VMX_EPTP_MT_WB << VMX_EPT_MT_EPTE_SHIFT | VMX_EPT_IPAT_BIT |
			  VMX_EPT_ACCESS_BIT | VMX_EPT_DIRTY_BIT,
		.device = VMX_EPT_ACCESS_BIT | VMX_EPT_DIRTY_BIT,
		.accessed = VMX_EPT_ACCESS_BIT,
	},
	.present = vmx_present,
	.check = vmx_check,
	.setup = vmx_setup,
	.teardown = free_shared,
	.hardware_enable = vmx_hardware_enable,
	.hardware_disable = vmx_hardware_disable,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_free = vmx_vcpu_free,
	.load = vmx_load,
	.put = vmx_put,
	.run = vmx_run,
	.handle_exit = vmx_handle_exit,
	.skip = vmx_skip,
	.flush_tlb = vmx_flush_tlb,
	.want_irq_window = vmx_want_irq_window,
	.get_segment = vmx_get_segment,
	.set_segment = vmx_set_segment,
	.get_dtable = vmx_get_dtable,
	.set_dtable = vmx_set_dtable,
	.get_creg = vmx_get_creg,
	.set_creg = vmx_set_creg,
	.get_cpl = vmx_get_cpl,
	.get_code_bits = vmx_get_code_bits,
	.get_base = vmx_get_base,
	.get_irq_shadow = vmx_get_irq_shadow,
	.set_irq_shadow = vmx_set_irq_shadow,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.update_debug = vmx_update_debug,
};
