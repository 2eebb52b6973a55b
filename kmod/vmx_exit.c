/* SPDX-License-Identifier: GPL-2.0-only */
/* vmx_exit.c - VT-x: why the guest came out (SDM 3, appendix C and 28.2) */
#include <linux/moduleparam.h>
#include <linux/nospec.h>
#include <linux/ratelimit.h>
#include <asm/cpu.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "vmx.h"

static bool dump_vmcs;
module_param(dump_vmcs, bool, 0644);
MODULE_PARM_DESC(dump_vmcs, "log the VMCS when the processor refuses to enter a guest by it");

int vmx_skip(struct vcpu *vcpu)
{
	decode_skip(vcpu, vcpu->rip + vmx_get(vcpu, VM_EXIT_INSTRUCTION_LEN));
	return 1;
}

/* An IRET that ended an NMI's masking did not get through: they are masked as before. */
static void iret_failed(struct vcpu *vcpu, u32 info)
{
	if (info & INTR_INFO_UNBLOCK_NMI && !(to_vmx(vcpu)->vectoring & EVENT_VALID))
		vcpu->nmi.masked = true;
}

/* ------------------------------------------------------------------ exceptions */

/* SDM 3, table 28-1: the causes alone; DR6 is as it was. */
static int debug(struct vcpu *vcpu)
{
	u64 cause = vmx_get(vcpu, EXIT_QUALIFICATION) & (0xf | BIT(13) | DR_STEP);

	return debug_exception(vcpu, X86_TRAP_DB, (vcpu->dr6 & ~0xfull) | cause | DR6_FIXED);
}

/*
 * By the guest's flags, or because the host has the processor detect locks across
 * cache lines: then the host warns of this task, or ends it, as of any other.
 */
static int alignment(struct vcpu *vcpu)
{
	bool checked = vmx_get_creg(vcpu, CREG_CR0) & X86_CR0_AM &&
		       vcpu->rflags & X86_EFLAGS_AC && vmx_get_cpl(vcpu) == 3;

	if (checked || !boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT))
		return exit_alignment(vcpu);
	handle_guest_split_lock(vcpu->rip);
	return 1;
}

static int exception(struct vcpu *vcpu)
{
	u32 info = to_vmx(vcpu)->intr_info;

	if ((info & EVENT_TYPE) == EVENT_NMI)
		return 1;	/* done in vmx_run */
	iret_failed(vcpu, info);
	switch (info & EVENT_VECTOR) {
	case X86_TRAP_DB:
		/* INT1 traps behind itself, but exits on itself (SDM 3, 28.2.5) */
		if ((info & EVENT_TYPE) == INTR_TYPE_PRIV_SW_EXCEPTION)
			vcpu->rip += vmx_get(vcpu, VM_EXIT_INSTRUCTION_LEN);
		return debug(vcpu);
	case X86_TRAP_BP:
		return exit_breakpoint(vcpu);
	case X86_TRAP_UD:
		return exit_undefined_opcode(vcpu);
	case X86_TRAP_AC:
		return alignment(vcpu);
	default:
		return 1;	/* #MC: done in vmx_run */
	}
}

/* --------------------------------------------------------------- control registers */

/* SDM 3, 2.5 and 5.1.1: MOV to CR0 and LMSW, where a bit that is the host's changes. */
static int set_cr0(struct vcpu *vcpu, u64 value)
{
	u64 old = vmx_get_creg(vcpu, CREG_CR0), efer = vmx_get_creg(vcpu, CREG_EFER);
	struct kvm_segment cs;

	if (value >> 32 || (value & X86_CR0_PG && !(value & X86_CR0_PE)) ||
	    (value & X86_CR0_NW && !(value & X86_CR0_CD)))
		return -EINVAL;
	if (value & X86_CR0_PG && !(old & X86_CR0_PG) && efer & EFER_LME) {
		vmx_get_segment(vcpu, SEG_CS, &cs);
		if (!(vcpu->cr4 & X86_CR4_PAE) || cs.l)
			return -EINVAL;
		vmx_set_creg(vcpu, CREG_EFER, efer | EFER_LMA);
	} else if (!(value & X86_CR0_PG) && old & X86_CR0_PG) {
		if (vcpu->cr4 & X86_CR4_PCIDE)
			return -EINVAL;
		vmx_set_creg(vcpu, CREG_EFER, efer & ~EFER_LMA);
	}
	vmx_set_creg(vcpu, CREG_CR0, value);
	ops->flush_tlb(vcpu);
	return 0;
}

static int set_cr8(struct vcpu *vcpu, u64 value)
{
	if (value > 15)
		return -EINVAL;
	vcpu->cr8 = value;
	return 0;
}

/* Qualification: register 0-3, access 4-5 (to, from, CLTS, LMSW), GPR 8-11, LMSW's source 16-31. */
static int control_register(struct vcpu *vcpu)
{
	u64 info = vmx_get(vcpu, EXIT_QUALIFICATION);
	u64 value = vcpu->regs[info >> 8 & 15];
	int r = -EINVAL;

	if (!access_long_mode(vcpu))
		value = (u32)value;
	switch (info & 0x3f) {
	case 0x00:
		r = set_cr0(vcpu, value);
		break;
	case 0x04:
		r = exit_set_cr4(vcpu, value);
		break;
	case 0x08:
		r = set_cr8(vcpu, value);
		break;
	case 0x18:
		vcpu->regs[info >> 8 & 15] = vcpu->cr8;
		r = 0;
		break;
	case 0x30:
		/* PE can be set by it, not cleared */
		value = vmx_get_creg(vcpu, CREG_CR0);
		r = set_cr0(vcpu, (value & ~0xeull) | (info >> 16 & 0xf));
		break;
	}
	return r ? exit_protection(vcpu) : vmx_skip(vcpu);
}

/* ----------------------------------------------------------------- instructions */

/* Qualification: size - 1 0-2, in 3, string 4, port 16-31. */
static int port(struct vcpu *vcpu)
{
	u32 info = vmx_get(vcpu, EXIT_QUALIFICATION);
	u8 size = (info & 7) + 1;
	bool in = info & BIT(3);

	if (info & BIT(4))
		return port_string(vcpu, info >> 16, size, in);
	return port_io(vcpu, info >> 16, size, in,
		       vcpu->rip + vmx_get(vcpu, VM_EXIT_INSTRUCTION_LEN));
}

/* Qualification: the new task's selector 0-15, what asked for it 30-31. */
static int hardware_task(struct vcpu *vcpu)
{
	u32 info = vmx_get(vcpu, EXIT_QUALIFICATION), vectoring = to_vmx(vcpu)->vectoring;
	static const enum task_source sources[] = { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };
	enum task_source source = sources[info >> 30];
	unsigned long next_rip = vcpu->rip;

	/* of events only instructions have a length: INT, INT1, INT3, INTO */
	if (source != TASK_GATE || (vectoring & EVENT_TYPE) > EVENT_EXCEPTION)
		next_rip += vmx_get(vcpu, VM_EXIT_INSTRUCTION_LEN);
	return task_switch(vcpu, info, source, next_rip);
}

/* ----------------------------------------------------------------------- memory */

/* Qualification: write 1, fetch 2, a linear address was translated 7, to the end 8, IRET 12. */
static int ept_violation(struct vcpu *vcpu)
{
	u64 info = vmx_get(vcpu, EXIT_QUALIFICATION);
	u32 access = (info & EPT_VIOLATION_ACC_WRITE ? ACCESS_WRITE : 0) |
		     (info & EPT_VIOLATION_ACC_INSTR ? ACCESS_FETCH : 0);
	bool walk = !(info & EPT_VIOLATION_GVA_TRANSLATED);

	iret_failed(vcpu, info);
	/* so the processor saves it (SDM 3, 28.3.3); Bochs 2.7 has lost it when this is about a fetch */
	if (!(to_vmx(vcpu)->vectoring & EVENT_VALID))
		vcpu->rflags |= X86_EFLAGS_RF;
	return exit_nested_fault(vcpu, vmx_get(vcpu, GUEST_PHYSICAL_ADDRESS), access, walk);
}

/* ------------------------------------------------------------------------ table */

/* Where a CPU has them they always exit, at CPL 3, too; not every kernel's headers have their numbers. */
#ifndef EXIT_REASON_SEAMCALL
#define EXIT_REASON_SEAMCALL	76
#define EXIT_REASON_TDCALL	77
#endif

static int (*const handlers[])(struct vcpu *vcpu) = {
	[EXIT_REASON_EXCEPTION_NMI] = exception,
	[EXIT_REASON_EXTERNAL_INTERRUPT] = exit_nothing,	/* the host took it */
	[EXIT_REASON_TRIPLE_FAULT] = exit_shutdown,
	[EXIT_REASON_INTERRUPT_WINDOW] = exit_nothing,	/* the loop looks whether user space waits for it */
	[EXIT_REASON_NMI_WINDOW] = exit_nothing,
	[EXIT_REASON_TASK_SWITCH] = hardware_task,
	[EXIT_REASON_CPUID] = exit_cpuid,
	[EXIT_REASON_HLT] = exit_hlt,
	[EXIT_REASON_INVD] = vmx_skip,
	[EXIT_REASON_RDPMC] = exit_protection,
	[EXIT_REASON_VMCALL] = exit_hypercall,
	[EXIT_REASON_VMCLEAR ... EXIT_REASON_VMON] = exit_undefined,
	[EXIT_REASON_CR_ACCESS] = control_register,
	[EXIT_REASON_DR_ACCESS] = exit_mov_dr,
	[EXIT_REASON_IO_INSTRUCTION] = port,
	[EXIT_REASON_MSR_READ] = msr_read,
	[EXIT_REASON_MSR_WRITE] = msr_write,
	[EXIT_REASON_MWAIT_INSTRUCTION] = exit_monitor,
	[EXIT_REASON_MONITOR_INSTRUCTION] = exit_monitor,
	[EXIT_REASON_EPT_VIOLATION] = ept_violation,
	[EXIT_REASON_INVEPT] = exit_undefined,
	[EXIT_REASON_INVVPID] = exit_undefined,
	[EXIT_REASON_WBINVD] = vmx_skip,
	[EXIT_REASON_XSETBV] = exit_xsetbv,
	[EXIT_REASON_ENCLS] = exit_undefined,
	[EXIT_REASON_SEAMCALL ... EXIT_REASON_TDCALL] = exit_undefined,
};

#define FIELD(name) { #name, name }
static const struct {
	const char *name;
	u16 field;
} dumped[] = {
	FIELD(PIN_BASED_VM_EXEC_CONTROL), FIELD(CPU_BASED_VM_EXEC_CONTROL),
	FIELD(SECONDARY_VM_EXEC_CONTROL), FIELD(VM_ENTRY_CONTROLS), FIELD(VM_EXIT_CONTROLS),
	FIELD(VM_ENTRY_INTR_INFO_FIELD), FIELD(VM_ENTRY_EXCEPTION_ERROR_CODE),
	FIELD(VM_ENTRY_INSTRUCTION_LEN), FIELD(EXCEPTION_BITMAP), FIELD(EPT_POINTER),
	FIELD(VIRTUAL_PROCESSOR_ID), FIELD(VMCS_LINK_POINTER), FIELD(EXIT_QUALIFICATION),
	FIELD(GUEST_CR0), FIELD(CR0_READ_SHADOW), FIELD(GUEST_CR3), FIELD(GUEST_CR4),
	FIELD(CR4_READ_SHADOW), FIELD(GUEST_IA32_EFER), FIELD(GUEST_IA32_PAT), FIELD(GUEST_DR7),
	FIELD(GUEST_RIP), FIELD(GUEST_RSP), FIELD(GUEST_RFLAGS), FIELD(GUEST_INTERRUPTIBILITY_INFO),
	FIELD(GUEST_ACTIVITY_STATE), FIELD(GUEST_PENDING_DBG_EXCEPTIONS), FIELD(GUEST_IA32_DEBUGCTL),
	FIELD(GUEST_PDPTR0), FIELD(GUEST_PDPTR1), FIELD(GUEST_PDPTR2), FIELD(GUEST_PDPTR3),
	FIELD(GUEST_GDTR_BASE), FIELD(GUEST_GDTR_LIMIT), FIELD(GUEST_IDTR_BASE),
	FIELD(GUEST_IDTR_LIMIT), FIELD(HOST_CR0), FIELD(HOST_CR3), FIELD(HOST_CR4), FIELD(HOST_RIP),
	FIELD(HOST_RSP), FIELD(HOST_FS_BASE), FIELD(HOST_GS_BASE), FIELD(HOST_TR_BASE),
	FIELD(HOST_GDTR_BASE), FIELD(HOST_IDTR_BASE), FIELD(HOST_IA32_EFER),
};

static void dump(struct vcpu *vcpu)
{
	static const char names[][4] = { "ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR" };
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 1);
	struct kvm_segment s;
	enum seg seg;
	size_t i;

	if (!READ_ONCE(dump_vmcs) || !__ratelimit(&limit))
		return;
	pr_err("vCPU %d: no entry: exit reason %#x, VM-instruction error %u\n", vcpu->id,
	       to_vmx(vcpu)->reason, to_vmx(vcpu)->error);
	for (i = 0; i < ARRAY_SIZE(dumped); i++)
		pr_err("%s %#llx\n", dumped[i].name, vmx_get(vcpu, dumped[i].field));
	for (seg = SEG_ES; seg <= SEG_TR; seg++) {
		vmx_get_segment(vcpu, seg, &s);
		pr_err("%s %#x base %#llx limit %#x rights %#llx\n", names[seg], s.selector, s.base,
		       s.limit, vmx_get(vcpu, GUEST_ES_AR_BYTES + 2 * seg));
	}
}

/* The VM-instruction error (SDM 3, 31.4), or the exit reason with its bit 31 set. */
static int not_entered(struct vcpu *vcpu, u32 reason)
{
	struct kvm_run *run = vcpu->run;

	dump(vcpu);
	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = reason;
	run->fail_entry.cpu = vcpu->cpu;
	return 0;
}

int vmx_handle_exit(struct vcpu *vcpu)
{
	struct vmx *vmx = to_vmx(vcpu);
	u32 reason = vmx->reason;

	if (unlikely(vmx->error))
		return not_entered(vcpu, vmx->error);
	if (unlikely(reason & VMX_EXIT_REASONS_FAILED_VMENTRY))
		return not_entered(vcpu, reason);
	if (reason < ARRAY_SIZE(handlers)) {
		int (*handler)(struct vcpu *) =
			handlers[array_index_nospec(reason, ARRAY_SIZE(handlers))];

		if (handler)
			return handler(vcpu);
	}
	return run_internal_error(vcpu, KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, reason);
}
