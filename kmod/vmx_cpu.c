/* SPDX-License-Identifier: GPL-2.0-only */
/* vmx_cpu.c - VT-x: each CPU, what of VMCSs it holds, and what it swaps for a guest (SDM 3, 24.11 and 28.5) */
#include <linux/gfp.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/perf_event.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>

#include "main.h"
#include "vmx.h"

const u32 vmx_swapped[NR_SWAPPED] = {
	[SWAP_STAR] = MSR_STAR, [SWAP_LSTAR] = MSR_LSTAR, [SWAP_CSTAR] = MSR_CSTAR,
	[SWAP_SYSCALL_MASK] = MSR_SYSCALL_MASK, [SWAP_KERNEL_GS_BASE] = MSR_KERNEL_GS_BASE,
};

/* What each CPU has while the module is loaded. */
struct vmx_cpu {
	struct vmcs *region;		/* the processor's, from VMXON to VMXOFF */
	struct vmcs *current_vmcs;
	struct list_head active;	/* struct vmx: VMCSs that this CPU may hold parts of */
	struct vmcs *last;		/* that ran here: others' branch predictions are not for it */
	/* the host's */
	struct desc_ptr gdt, idt;
	unsigned long tr_base, gs_base, sysenter_esp;
	u64 msrs[NR_SWAPPED];
	u64 tsc_aux;
	/* the host task's, from load to put */
	u16 ds, es, fs, gs, ldt;
	unsigned long fs_base;
};

static DEFINE_PER_CPU(struct vmx_cpu, vmx_cpus);

struct vmcs *vmx_new_vmcs(gfp_t gfp, int node)
{
	struct page *page = alloc_pages_node(node, gfp | __GFP_ZERO, 0);
	struct vmcs *vmcs = page ? page_address(page) : NULL;

	if (vmcs)
		vmcs->revision = vmx_basic_vmcs_revision_id(vmx_capability(MSR_IA32_VMX_BASIC));
	return vmcs;
}

void vmx_free_cpus(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		free_page((unsigned long)per_cpu(vmx_cpus, cpu).region);
}

int vmx_alloc_cpus(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *c = &per_cpu(vmx_cpus, cpu);

		INIT_LIST_HEAD(&c->active);
		c->region = vmx_new_vmcs(GFP_KERNEL, cpu_to_node(cpu));
		if (!c->region)
			return -ENOMEM;
	}
	return 0;
}

/* -------------------------------------------------------------- hypervisor mode */

/* Where the task state segment is, by its descriptor. */
static unsigned long tss_base(const struct desc_ptr *gdt)
{
	const struct ldttss_desc *tss = (void *)gdt->address + GDT_ENTRY_TSS * 8;

	return tss->base0 | (unsigned long)tss->base1 << 16 | (unsigned long)tss->base2 << 24 |
	       (unsigned long)tss->base3 << 32;
}

int vmx_hardware_enable(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	u64 pa = __pa(c->region);
	int i;

	if (cr4_read_shadow() & X86_CR4_VMXE)
		return -EBUSY;
	intel_pt_handle_vmx(1);
	cr4_set_bits_irqsoff(X86_CR4_VMXE);
	asm goto("1: vmxon %0\n\tjbe %l1\n" _ASM_EXTABLE(1b, %l1) : : "m"(pa) : "cc", "memory" : fault);
	vmx_invept(VMX_EPT_EXTENT_GLOBAL, 0);
	c->current_vmcs = c->last = NULL;
	native_store_gdt(&c->gdt);
	store_idt(&c->idt);
	c->tr_base = tss_base(&c->gdt);
	rdmsrl(MSR_GS_BASE, c->gs_base);
	rdmsrl(MSR_IA32_SYSENTER_ESP, c->sysenter_esp);
	for (i = 0; i < NR_SWAPPED; i++)
		rdmsrl(vmx_swapped[i], c->msrs[i]);
	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		rdmsrl(MSR_TSC_AUX, c->tsc_aux);
	return 0;
fault:
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
	return -EIO;
}

static void vmclear(struct vmx *vmx)
{
	u64 pa = __pa(vmx->vmcs);

	asm volatile("1: vmclear %0\n2:" _ASM_EXTABLE(1b, 2b) : : "m"(pa) : "cc", "memory");
}

/* On the CPU that the VMCS is active on, interrupts disabled: write it back to memory. */
static void make_inactive(void *arg)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	struct vmx *vmx = arg;

	if (vmx->cpu != smp_processor_id())
		return;
	vmclear(vmx);
	if (c->current_vmcs == vmx->vmcs)
		c->current_vmcs = NULL;
	list_del(&vmx->active);
	vmx->launched = false;
	/* pairs with the reading in make_current: the list is another CPU's afterwards */
	smp_store_release(&vmx->cpu, -1);
}

void vmx_hardware_disable(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	struct vmx *vmx, *next;

	list_for_each_entry_safe(vmx, next, &c->active, active)
		make_inactive(vmx);
	asm volatile("1: vmxoff\n2:" _ASM_EXTABLE(1b, 2b) : : : "cc", "memory");
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
}

/* ----------------------------------------------------------- the current VMCS */

/* What depends on the CPU of the host's state that an exit loads. */
static void set_host_of_cpu(const struct vmx_cpu *c)
{
	vmwrite(HOST_TR_BASE, c->tr_base);
	vmwrite(HOST_GDTR_BASE, c->gdt.address);
	vmwrite(HOST_IDTR_BASE, c->idt.address);
	vmwrite(HOST_GS_BASE, c->gs_base);
	vmwrite(HOST_IA32_SYSENTER_ESP, c->sysenter_esp);
}

static void vmptrld(struct vmx_cpu *c, struct vmcs *vmcs)
{
	u64 pa = __pa(vmcs);

	asm volatile("1: vmptrld %0\n2:" _ASM_EXTABLE(1b, 2b) : : "m"(pa) : "cc", "memory");
	c->current_vmcs = vmcs;
}

/* Make the VMCS this CPU's current one. Preemption is disabled, interrupts are not. */
static void make_current(struct vmx *vmx)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	int cpu = smp_load_acquire(&vmx->cpu);
	unsigned long flags;

	if (likely(cpu == smp_processor_id() && c->current_vmcs == vmx->vmcs))
		return;
	if (cpu >= 0 && cpu != smp_processor_id())
		smp_call_function_single(cpu, make_inactive, vmx, 1);
	local_irq_save(flags);
	if (main_cpu_enabled()) {
		if (vmx->cpu < 0) {
			vmclear(vmx);
			list_add(&vmx->active, &c->active);
			vmx->cpu = smp_processor_id();
			vmx->flush = true;
			vmptrld(c, vmx->vmcs);
			set_host_of_cpu(c);
		} else {
			vmptrld(c, vmx->vmcs);
		}
	}
	local_irq_restore(flags);
}

u64 vmx_get(struct vcpu *vcpu, unsigned long field)
{
	u64 value;

	preempt_disable();
	make_current(to_vmx(vcpu));
	value = vmread(field);
	preempt_enable();
	return value;
}

void vmx_set(struct vcpu *vcpu, unsigned long field, u64 value)
{
	preempt_disable();
	make_current(to_vmx(vcpu));
	vmwrite(field, value);
	preempt_enable();
}

void vmx_forget(struct vmx *vmx)
{
	int cpu;

	preempt_disable();
	cpu = smp_load_acquire(&vmx->cpu);
	if (cpu >= 0)
		smp_call_function_single(cpu, make_inactive, vmx, 1);
	preempt_enable();
	/* another VMCS may come to the same address */
	for_each_possible_cpu(cpu)
		cmpxchg(&per_cpu(vmx_cpus, cpu).last, vmx->vmcs, NULL);
}

void vmx_separate(struct vmx *vmx)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);

	if (c->last == vmx->vmcs)
		return;
	c->last = vmx->vmcs;
	indirect_branch_prediction_barrier();
}

/* ------------------------------------------------- what is swapped from load to put */

/* An exit leaves null selectors and these bases; 64-bit tasks have no other selectors. */
void vmx_load(struct vcpu *vcpu)
{
	struct vmx *vmx = to_vmx(vcpu);
	struct vmx_cpu *c;
	int i;

	make_current(vmx);
	c = this_cpu_ptr(&vmx_cpus);
	savesegment(ds, c->ds);
	savesegment(es, c->es);
	savesegment(fs, c->fs);
	savesegment(gs, c->gs);
	store_ldt(c->ldt);
	rdmsrl(MSR_FS_BASE, c->fs_base);
	vmwrite(HOST_FS_BASE, c->fs_base);
	rdmsrl(MSR_KERNEL_GS_BASE, c->msrs[SWAP_KERNEL_GS_BASE]);
	for (i = 0; i < NR_SWAPPED; i++)
		if (vmx->msrs[i] != c->msrs[i])
			wrmsrl(vmx_swapped[i], vmx->msrs[i]);
	if (boot_cpu_has(X86_FEATURE_RDTSCP) && vcpu->tsc_aux != c->tsc_aux)
		wrmsr(MSR_TSC_AUX, (u32)vcpu->tsc_aux, 0);
	vmx->loaded = true;
}

void vmx_put(struct vcpu *vcpu)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	struct vmx *vmx = to_vmx(vcpu);
	int i;

	vmx->loaded = false;
	/* an exit gives GDTR and IDTR the largest limits, and TR that of a TSS without I/O bitmap */
	native_load_gdt(&c->gdt);
	load_idt(&c->idt);
	invalidate_tss_limit();
	if (c->ldt)
		asm volatile("lldt %0" : : "m"(c->ldt));
	if (c->ds | c->es) {
		loadsegment(ds, c->ds);
		loadsegment(es, c->es);
	}
	if (c->fs) {
		loadsegment(fs, c->fs);
		wrmsrl(MSR_FS_BASE, c->fs_base);
	}
	rdmsrl(MSR_KERNEL_GS_BASE, vmx->msrs[SWAP_KERNEL_GS_BASE]);
	if (c->gs)
		load_gs_index(c->gs);
	for (i = 0; i < NR_SWAPPED; i++)
		if (vmx->msrs[i] != c->msrs[i] || c->gs)
			wrmsrl(vmx_swapped[i], c->msrs[i]);
	if (boot_cpu_has(X86_FEATURE_RDTSCP) && vcpu->tsc_aux != c->tsc_aux)
		wrmsr(MSR_TSC_AUX, (u32)c->tsc_aux, (u32)(c->tsc_aux >> 32));
}
