/* SPDX-License-Identifier: GPL-2.0-only */
/* svm.c - AMD-V: the CPUs, the VMCB's controls, VMRUN (APM 2, chapter 15) */
#include <linux/cpufeature.h>
#include <linux/mem_encrypt.h>
#include <linux/slab.h>
#include <linux/percpu.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/spec-ctrl.h>
#include <asm/tlbflush.h>
#include <asm/traps.h>

#include "main.h"
#include "svm.h"

/* What each CPU has while the module is loaded. */
struct svm_cpu {
	struct page *hsave;	/* the processor's: the host's state during VMRUN */
	struct page *host;	/* a VMCB of which VMSAVE and VMLOAD use their part */
	u64 asid_generation;
	u32 next_asid, last_asid;
	struct vmcb *last;	/* that ran here: others' branch predictions are not for it */
	u64 tsc_aux;		/* the host's */
};

static DEFINE_PER_CPU(struct svm_cpu, svm_cpus);

/* Bitmaps for all guests: a set bit intercepts. Guests whose MSRs are filtered leave at each. */
static struct page *iopm, *msrpm, *msrpm_filtered;

#define IOPM_ORDER	2	/* 12 KiB; ports 0 to 0xffff, and what a wide access at the end touches */
#define MSRPM_ORDER	1

/* ------------------------------------------------------------------ load-time checks */

static bool has_svm(void)
{
	return cpuid_eax(0x80000000) >= 0x8000000a && cpuid_ecx(0x80000001) & BIT(2);
}

static bool allowed_by_firmware(void)
{
	u64 vm_cr;

	return rdmsrl_safe(MSR_VM_CR, &vm_cr) || !(vm_cr & VM_CR_SVMDIS);
}

static bool has_nested_paging(void)
{
	return cpuid_edx(0x8000000a) & BIT(0);
}

static bool is_bare(void)
{
	return !cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
}

static bool is_alone(void)
{
	return !main_module_loaded("kvm_amd");
}

/* Whoever else it may be; kvm_amd that is being loaded sees it the same way. */
static bool is_free(void)
{
	u64 efer;
	int cpu;

	for_each_online_cpu(cpu)
		if (!rdmsrl_safe_on_cpu(cpu, MSR_EFER, &efer) && efer & EFER_SVME)
			return false;
	return true;
}

static const struct requirement requirements[] = {
	{ allowed_by_firmware, -ENODEV,
	  "AMD-V (SVM) is switched off by the firmware: enable SVM in the BIOS/UEFI setup" },
	{ has_nested_paging, -EOPNOTSUPP, "this CPU's AMD-V has no nested paging" },
	{ is_bare, -EOPNOTSUPP, "this is an encrypted virtual machine: no guests in it" },
	{ is_alone, -EBUSY, "kvm_amd is loaded, and AMD-V is for one hypervisor: modprobe -r kvm_amd" },
	{ is_free, -EBUSY, "AMD-V is in use by another hypervisor (EFER.SVME is set): unload that" },
};

static int svm_check(void)
{
	return main_check(requirements, ARRAY_SIZE(requirements));
}

/* ---------------------------------------------------------------- what is shared */

/*
 * MSRs that a guest reads and writes by itself; all others exit. PAT too: nested paging has one for the guest (APM 2,
 * 15.25.4), but not under a hypervisor that has forgotten it, as QEMU 7.2, where the guest would write the host's.
 */
static const struct {
	u32 first, last;
	const char *why;
} direct_msrs[] = {
	{ MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP, "VMLOAD and VMSAVE swap them" },
	{ MSR_STAR, MSR_SYSCALL_MASK, "VMLOAD and VMSAVE swap them" },
	{ MSR_FS_BASE, MSR_KERNEL_GS_BASE, "VMLOAD and VMSAVE swap them" },
};

/* APM 2, 15.11: two bits (read, write) per MSR, in areas of 2 KiB. */
static void direct_msr(u8 *map, u32 index)
{
	u32 bit = (index & 0x1fff) * 2;

	if (index >= 0xc0000000)
		bit += 2048 * 8;
	map[bit / 8] &= ~(3 << bit % 8);
}

static void free_shared(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *c = &per_cpu(svm_cpus, cpu);

		if (c->hsave)
			__free_page(c->hsave);
		if (c->host)
			__free_page(c->host);
	}
	if (iopm)
		__free_pages(iopm, IOPM_ORDER);
	if (msrpm)
		__free_pages(msrpm, MSRPM_ORDER);
	if (msrpm_filtered)
		__free_pages(msrpm_filtered, MSRPM_ORDER);
}

static int svm_setup(void)
{
	size_t i;
	u32 msr;
	int cpu;

	iopm = alloc_pages(GFP_KERNEL, IOPM_ORDER);
	msrpm = alloc_pages(GFP_KERNEL, MSRPM_ORDER);
	msrpm_filtered = alloc_pages(GFP_KERNEL, MSRPM_ORDER);
	if (!iopm || !msrpm || !msrpm_filtered)
		goto fail;
	memset(page_address(iopm), 0xff, PAGE_SIZE << IOPM_ORDER);
	memset(page_address(msrpm), 0xff, PAGE_SIZE << MSRPM_ORDER);
	memset(page_address(msrpm_filtered), 0xff, PAGE_SIZE << MSRPM_ORDER);
	for (i = 0; i < ARRAY_SIZE(direct_msrs); i++)
		for (msr = direct_msrs[i].first; msr <= direct_msrs[i].last; msr++)
			direct_msr(page_address(msrpm), msr);
	for_each_possible_cpu(cpu) {
		struct svm_cpu *c = &per_cpu(svm_cpus, cpu);

		c->hsave = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);
		c->host = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);
		if (!c->hsave || !c->host)
			goto fail;
	}
	return 0;
fail:
	free_shared();
	return -ENOMEM;
}

/* ----------------------------------------------------------------------- the CPU */

static u64 page_pa(struct page *page)
{
	return __sme_set(page_to_phys(page));
}

static int svm_hardware_enable(void)
{
	struct svm_cpu *c = this_cpu_ptr(&svm_cpus);
	u64 efer;

	rdmsrl(MSR_EFER, efer);
	if (efer & EFER_SVME)
		return -EBUSY;
	if (wrmsrl_safe(MSR_EFER, efer | EFER_SVME))
		return -EIO;
	wrmsrl(MSR_VM_HSAVE_PA, page_pa(c->hsave));
	c->last_asid = cpuid_ebx(0x8000000a) - 1;
	/* the first vCPU wraps around, and so flushes what was before */
	c->next_asid = c->last_asid + 1;
	c->asid_generation++;
	c->last = NULL;
	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		rdmsrl(MSR_TSC_AUX, c->tsc_aux);
	return 0;
}

static void svm_hardware_disable(void)
{
	u64 efer;

	wrmsrl(MSR_VM_HSAVE_PA, 0);
	rdmsrl(MSR_EFER, efer);
	/* clearing SVME leaves GIF; a clear one would block every interrupt */
	asm volatile("stgi");
	wrmsrl(MSR_EFER, efer & ~EFER_SVME);
}

/* ---------------------------------------------------------------------- the vCPU */

/* What a guest does not do by itself, and why. */
static const struct {
	u8 bit;
	const char *why;
} intercepts[] = {
	{ INTERCEPT_INTR, "the host's interrupts" },
	{ INTERCEPT_NMI, "the host's" },
	{ INTERCEPT_SMI, "the firmware's" },
	{ INTERCEPT_CR4_READ, "CR4.MCE is the host's" },
	{ INTERCEPT_CR4_WRITE, "CR4.MCE is the host's; bits that CPUID does not offer" },
	{ INTERCEPT_DR0_READ, "the host's debug registers" },
	{ INTERCEPT_DR1_READ, "the host's debug registers" },
	{ INTERCEPT_DR2_READ, "the host's debug registers" },
	{ INTERCEPT_DR3_READ, "the host's debug registers" },
	{ INTERCEPT_DR4_READ, "aliases" },
	{ INTERCEPT_DR5_READ, "aliases" },
	{ INTERCEPT_DR6_READ, "user space's breakpoints are not for the guest to see" },
	{ INTERCEPT_DR7_READ, "user space's breakpoints are not for the guest to see" },
	{ INTERCEPT_DR0_WRITE, "the host's debug registers" },
	{ INTERCEPT_DR1_WRITE, "the host's debug registers" },
	{ INTERCEPT_DR2_WRITE, "the host's debug registers" },
	{ INTERCEPT_DR3_WRITE, "the host's debug registers" },
	{ INTERCEPT_DR4_WRITE, "aliases" },
	{ INTERCEPT_DR5_WRITE, "aliases" },
	{ INTERCEPT_DR6_WRITE, "user space's breakpoints" },
	{ INTERCEPT_DR7_WRITE, "user space's breakpoints" },
	{ INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_DB, "in its own delivery it loops for ever in microcode" },
	{ INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_UD, "VMCALL" },
	{ INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_AC, "in its own delivery it loops for ever in microcode" },
	{ INTERCEPT_EXCEPTION_OFFSET + X86_TRAP_MC, "the host's machine checks" },
	{ INTERCEPT_RDPMC, "the host's performance counters" },
	{ INTERCEPT_CPUID, "KVM_SET_CPUID2" },
	{ INTERCEPT_RSM, "no system management mode" },
	{ INTERCEPT_INVD, "would throw away what the host has written" },
	{ INTERCEPT_WBINVD, "stalls the host" },
	{ INTERCEPT_HLT, "user space idles" },
	{ INTERCEPT_INVLPGA, "no nested guests" },
	{ INTERCEPT_IOIO_PROT, "ports are user space's" },
	{ INTERCEPT_MSR_PROT, "msr.c" },
	{ INTERCEPT_SHUTDOWN, "a triple fault ends the guest, not the host" },
	{ INTERCEPT_VMRUN, "no nested guests; VMRUN demands it" },
	{ INTERCEPT_VMMCALL, "hypercalls" },
	{ INTERCEPT_VMLOAD, "no nested guests" },
	{ INTERCEPT_VMSAVE, "no nested guests" },
	{ INTERCEPT_STGI, "no nested guests" },
	{ INTERCEPT_CLGI, "no nested guests" },
	{ INTERCEPT_SKINIT, "would reset the CPU" },
	{ INTERCEPT_MONITOR, "would idle the host's CPU" },
	{ INTERCEPT_MWAIT, "would idle the host's CPU" },
	{ INTERCEPT_XSETBV, "XCR0 is checked" },
	{ INTERCEPT_RDPRU, "the host's performance counters" },
};

static int svm_vcpu_create(struct vcpu *vcpu)
{
	struct svm *svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	struct vmcb_control_area *control;
	size_t i;

	if (!svm)
		return -ENOMEM;
	svm->vmcb = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!svm->vmcb) {
		kfree(svm);
		return -ENOMEM;
	}
	svm->vmcb_pa = __sme_set(__pa(svm->vmcb));
	svm->asid_cpu = -1;
	vcpu->hw = svm;
	for (i = 0; i < ARRAY_SIZE(intercepts); i++)
		svm_intercept(vcpu, intercepts[i].bit, true);
	control = &svm->vmcb->control;
	control->iopm_base_pa = page_pa(iopm);
	control->int_ctl = V_INTR_MASKING_MASK;
	control->nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
	control->nested_cr3 = __sme_set(__pa(vcpu->vm->root));
	svm_reset_vmcb(vcpu);
	return 0;
}

static void svm_vcpu_free(struct vcpu *vcpu)
{
	struct svm *svm = to_svm(vcpu);
	int cpu;

	/* another VMCB may come to the same address */
	for_each_possible_cpu(cpu)
		cmpxchg(&per_cpu(svm_cpus, cpu).last, svm->vmcb, NULL);
	free_page((unsigned long)svm->vmcb);
	kfree(svm);
}

static void svm_load(struct vcpu *vcpu)
{
	struct svm_cpu *c = this_cpu_ptr(&svm_cpus);

	to_svm(vcpu)->save_host = true;
	if (boot_cpu_has(X86_FEATURE_RDTSCP) && vcpu->tsc_aux != c->tsc_aux)
		wrmsr(MSR_TSC_AUX, (u32)vcpu->tsc_aux, 0);
}

static void svm_put(struct vcpu *vcpu)
{
	struct svm_cpu *c = this_cpu_ptr(&svm_cpus);

	if (boot_cpu_has(X86_FEATURE_RDTSCP) && vcpu->tsc_aux != c->tsc_aux)
		wrmsr(MSR_TSC_AUX, (u32)c->tsc_aux, (u32)(c->tsc_aux >> 32));
}

static void svm_flush_tlb(struct vcpu *vcpu)
{
	to_svm(vcpu)->asid_cpu = -1;
}

/* ----------------------------------------------------------------------- running */

/*
 * An address space number that has no translations on this CPU. When they are
 * used up all are flushed, and every vCPU needs a new one.
 */
static void new_asid(struct vcpu *vcpu, struct svm_cpu *c)
{
	struct svm *svm = to_svm(vcpu);

	if (c->next_asid > c->last_asid) {
		c->asid_generation++;
		c->next_asid = 1;
		svm->vmcb->control.tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	}
	svm->vmcb->control.asid = c->next_asid++;
	svm->asid_generation = c->asid_generation;
	svm->asid_cpu = smp_processor_id();
	svm->dirty = true;
}

/* The host's SPEC_CTRL is fit for running the guest's code; the guest may want more. */
static void swap_spec_ctrl(struct vcpu *vcpu, bool guest)
{
	u64 host;

	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		return;
	if (boot_cpu_has(X86_FEATURE_V_SPEC_CTRL)) {
		to_vmcb(vcpu)->save.spec_ctrl = vcpu->spec_ctrl;
		return;
	}
	host = this_cpu_read(x86_spec_ctrl_current);
	if (vcpu->spec_ctrl != host)
		native_wrmsrl(MSR_IA32_SPEC_CTRL, guest ? vcpu->spec_ctrl : host);
}

/* The end of an NMI's handler is to be seen: its IRET. */
static void watch_iret(struct vcpu *vcpu)
{
	bool watch = vcpu->nmi.masked && !to_svm(vcpu)->nmi_iret_rip;

	if (watch != !!(to_vmcb(vcpu)->control.intercepts[INTERCEPT_WORD3] &
			1u << INTERCEPT_IRET % 32))
		svm_intercept(vcpu, INTERCEPT_IRET, watch);
}

static void choose_msrpm(struct vcpu *vcpu)
{
	u64 pa = page_pa(rcu_access_pointer(vcpu->vm->msr_filter) ? msrpm_filtered : msrpm);

	if (to_vmcb(vcpu)->control.msrpm_base_pa != pa) {
		to_vmcb(vcpu)->control.msrpm_base_pa = pa;
		to_svm(vcpu)->dirty = true;
	}
}

static void prepare(struct vcpu *vcpu, struct svm_cpu *c)
{
	struct svm *svm = to_svm(vcpu);
	struct vmcb *vmcb = svm->vmcb;
	struct vmcb_control_area *control = &vmcb->control;

	control->tlb_ctl = TLB_CONTROL_DO_NOTHING;
	watch_iret(vcpu);
	choose_msrpm(vcpu);
	if (svm->asid_cpu != smp_processor_id() || svm->asid_generation != c->asid_generation)
		new_asid(vcpu, c);
	if (c->last != vmcb) {
		c->last = vmcb;
		svm->dirty = true;
		indirect_branch_prediction_barrier();
	}
	/* without the processor's notion of clean parts it ignores this */
	control->clean = svm->dirty ? 0 : ~(BIT(3) | BIT(9));
	svm->dirty = false;
	if (svm->save_host) {
		asm volatile("vmsave %%rax" : : "a"(page_pa(c->host)) : "memory");
		svm->save_host = false;
	}
	vmcb->save.rax = vcpu->regs[RAX];
	vmcb->save.rsp = vcpu->regs[RSP];
	vmcb->save.rip = vcpu->rip;
	vmcb->save.rflags = vcpu->rflags;
	if (vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP || svm->nmi_iret_rip)
		vmcb->save.rflags |= X86_EFLAGS_TF;
	control->event_inj = event_to_deliver(vcpu);
	control->event_inj_err = vcpu->exception.error;
	control->int_ctl = (control->int_ctl & ~V_TPR_MASK) | vcpu->cr8;
	if (control->tsc_offset != vcpu->tsc_offset) {
		control->tsc_offset = vcpu->tsc_offset;
		control->clean = 0;
	}
}

/* Interrupts are disabled; instrumentation that relies on them is not: GIF. */
static void svm_run(struct vcpu *vcpu)
{
	struct svm_cpu *c = this_cpu_ptr(&svm_cpus);
	struct vmcb *vmcb = to_vmcb(vcpu);
	bool step = vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP || to_svm(vcpu)->nmi_iret_rip;
	unsigned long tf = vcpu->rflags & X86_EFLAGS_TF;

	prepare(vcpu, c);
	debug_load(vcpu);
	asm volatile("clgi");
	swap_spec_ctrl(vcpu, true);
	svm_enter(vcpu->regs, to_svm(vcpu)->vmcb_pa, page_pa(c->host));
	swap_spec_ctrl(vcpu, false);
	asm volatile("stgi");
	/* the guest's DR6 stays behind; the host's handler takes what is set in it for news */
	if (vmcb->save.dr6 != DR6_FIXED)
		set_debugreg(DR6_FIXED, 6);
	if (hw_breakpoint_active())
		hw_breakpoint_restore();

	vcpu->regs[RAX] = vmcb->save.rax;
	vcpu->regs[RSP] = vmcb->save.rsp;
	vcpu->rip = vmcb->save.rip;
	vcpu->rflags = vmcb->save.rflags;
	if (step)
		vcpu->rflags = (vcpu->rflags & ~X86_EFLAGS_TF) | tf;
	vcpu->cr8 = vmcb->control.int_ctl & V_TPR_MASK;
	if (vmcb->control.exit_code == (u32)SVM_EXIT_ERR)
		return;
	event_delivered(vcpu, vmcb->control.exit_int_info, vmcb->control.exit_int_info_err);
	if (vmcb->control.exit_code == SVM_EXIT_EXCP_BASE + X86_TRAP_MC) {
		struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };

		/* as if it had come in user mode: this task can be killed for it */
		do_machine_check(&regs);
	}
}

const struct kvmrun_ops svm_ops = {
	.name = "AMD-V",
	/* accessed and dirty from the start: the processor need not set them */
	.nested = {
		.table = _PAGE_ACCESSED,
		.memory = _PAGE_ACCESSED | _PAGE_DIRTY,
		.device = _PAGE_ACCESSED | _PAGE_DIRTY,
		.accessed = _PAGE_ACCESSED,
	},
	.present = has_svm,
	.check = svm_check,
	.setup = svm_setup,
	.teardown = free_shared,
	.hardware_enable = svm_hardware_enable,
	.hardware_disable = svm_hardware_disable,
	.vcpu_create = svm_vcpu_create,
	.vcpu_free = svm_vcpu_free,
	.load = svm_load,
	.put = svm_put,
	.run = svm_run,
	.handle_exit = svm_handle_exit,
	.skip = svm_skip,
	.flush_tlb = svm_flush_tlb,
	.want_irq_window = svm_want_irq_window,
	.get_segment = svm_get_segment,
	.set_segment = svm_set_segment,
	.get_dtable = svm_get_dtable,
	.set_dtable = svm_set_dtable,
	.get_creg = svm_get_creg,
	.set_creg = svm_set_creg,
	.get_cpl = svm_get_cpl,
	.get_code_bits = svm_get_code_bits,
	.get_base = svm_get_base,
	.get_irq_shadow = svm_get_irq_shadow,
	.set_irq_shadow = svm_set_irq_shadow,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.update_debug = svm_update_debug,
};
