/* SPDX-License-Identifier: GPL-2.0-only */
/* svm_exit.c - AMD-V: why the guest came out (APM 2, appendix C) */
#include <linux/nospec.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "svm.h"

#define VMMCALL_UNKNOWN	(-1000l)	/* KVM_ENOSYS */

/* Exit info 1 of a nested page fault: as a page fault's, and which access of a walk it was. */
#define NPF_FETCH	BIT_ULL(4)
#define NPF_WRITE	BIT_ULL(1)
#define NPF_WALK	BIT_ULL(33)	/* the guest's own page tables */

static int nothing(struct vcpu *vcpu)
{
	return 1;
}

static int undefined(struct vcpu *vcpu)
{
	event_exception(vcpu, X86_TRAP_UD);
	return 1;
}

static int protection(struct vcpu *vcpu)
{
	event_exception_error(vcpu, X86_TRAP_GP, 0);
	return 1;
}

/* Go on behind an instruction whose exit may not say where that is. */
int svm_skip(struct vcpu *vcpu)
{
	u64 next = to_vmcb(vcpu)->control.next_rip;

	if (boot_cpu_has(X86_FEATURE_NRIPS) && next) {
		decode_skip(vcpu, next);
		return 1;
	}
	return decode_skip_current(vcpu);
}

static int decode(struct vcpu *vcpu, struct instr *insn)
{
	struct page_fault fault = {};
	int r;

	if (down_read_killable(&vcpu->vm->slots_lock))
		return -EINTR;
	r = decode_insn(vcpu, insn, &fault);
	up_read(&vcpu->vm->slots_lock);
	return r;
}

/* ------------------------------------------------------------------ exceptions */

static int debug(struct vcpu *vcpu)
{
	struct svm *svm = to_svm(vcpu);
	u64 dr6 = to_vmcb(vcpu)->save.dr6;

	/* a step to see an IRET end an NMI, which nobody else asked for */
	if (svm->nmi_iret_rip && dr6 & DR_STEP && !(vcpu->rflags & X86_EFLAGS_TF) &&
	    !(vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP)) {
		to_vmcb(vcpu)->save.dr6 = vcpu->dr6;
		return 1;
	}
	to_vmcb(vcpu)->save.dr6 = vcpu->dr6;
	return debug_exception(vcpu, X86_TRAP_DB, dr6);
}

/* Guests that know KVM from the other vendor's CPUs call it by VMCALL. */
static int undefined_opcode(struct vcpu *vcpu)
{
	struct instr insn;

	if (decode(vcpu, &insn) || insn.opcode != 0x101 || insn.modrm != 0xc1)
		return undefined(vcpu);
	vcpu->regs[RAX] = VMMCALL_UNKNOWN;
	decode_skip(vcpu, vcpu->rip + insn.len);
	return 1;
}

static int breakpoint(struct vcpu *vcpu)
{
	return debug_exception(vcpu, X86_TRAP_BP, 0);
}

static int alignment(struct vcpu *vcpu)
{
	event_exception_error(vcpu, X86_TRAP_AC, 0);
	return 1;
}

static int shutdown(struct vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return 0;
}

/* --------------------------------------------------------------- control registers */

static int mov_cr4(struct vcpu *vcpu)
{
	struct instr insn;
	u64 value;
	int r = decode(vcpu, &insn);

	if (r || (insn.opcode != 0x120 && insn.opcode != 0x122))
		return run_emulation_failed(vcpu);
	if (insn.opcode == 0x120) {
		vcpu->regs[insn.rm] = vcpu->cr4;
	} else {
		value = access_long_mode(vcpu) ? vcpu->regs[insn.rm] : (u32)vcpu->regs[insn.rm];
		if (state_check_cr4(vcpu, value) ||
		    (svm_get_creg(vcpu, CREG_EFER) & EFER_LMA && !(value & X86_CR4_PAE)))
			return protection(vcpu);
		/* what the processor would have dropped of the guest's translations */
		if ((vcpu->cr4 ^ value) & (X86_CR4_PGE | X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PCIDE |
					   X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE))
			ops->flush_tlb(vcpu);
		svm_set_creg(vcpu, CREG_CR4, value);
	}
	decode_skip(vcpu, vcpu->rip + insn.len);
	return 1;
}

static int mov_dr(struct vcpu *vcpu)
{
	struct instr insn;
	int r = decode(vcpu, &insn);

	if (r || (insn.opcode != 0x121 && insn.opcode != 0x123))
		return run_emulation_failed(vcpu);
	return debug_mov(vcpu, &insn);
}

/* ----------------------------------------------------------------- instructions */

static int cpuid_exit(struct vcpu *vcpu)
{
	int r;

	if (vcpu->vm->cpuid_exits) {
		vcpu->run->exit_reason = EXIT_CPUID;
		return 0;
	}
	r = svm_skip(vcpu);
	if (r > 0)
		cpuid_run(vcpu);
	return r;
}

static int hlt(struct vcpu *vcpu)
{
	int r = svm_skip(vcpu);

	if (r <= 0)
		return r;
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return 0;
}

static int vmmcall(struct vcpu *vcpu)
{
	vcpu->regs[RAX] = VMMCALL_UNKNOWN;
	return svm_skip(vcpu);
}

static int xsetbv(struct vcpu *vcpu)
{
	u64 value = (u32)vcpu->regs[RAX] | (u64)vcpu->regs[RDX] << 32;

	if (svm_get_cpl(vcpu) || (u32)vcpu->regs[RCX] || state_set_xcr0(vcpu, value))
		return protection(vcpu);
	return svm_skip(vcpu);
}

static int msr(struct vcpu *vcpu)
{
	return to_vmcb(vcpu)->control.exit_info_1 ? msr_write(vcpu) : msr_read(vcpu);
}

/* By default both do nothing; user space may have them undefined where CPUID has them not. */
static int monitor(struct vcpu *vcpu)
{
	if (READ_ONCE(vcpu->vm->quirks_off) & KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS &&
	    !cpuid_has_mwait(vcpu))
		return undefined(vcpu);
	return svm_skip(vcpu);
}

/* Exit info 1: in 0, string 2, rep 3, size 4-6, port 16-31; info 2: the next RIP. */
static int port(struct vcpu *vcpu)
{
	const struct vmcb_control_area *control = &to_vmcb(vcpu)->control;
	u32 info = control->exit_info_1;
	u8 size = (info & SVM_IOIO_SIZE_MASK) >> SVM_IOIO_SIZE_SHIFT;
	bool in = info & SVM_IOIO_TYPE_MASK;

	if (info & SVM_IOIO_STR_MASK)
		return port_string(vcpu, info >> 16, size, in);
	return port_io(vcpu, info >> 16, size, in, control->exit_info_2);
}

/* The first IRET of an NMI handler: one instruction more, and the next NMI may come. */
static int iret(struct vcpu *vcpu)
{
	to_svm(vcpu)->nmi_iret_rip = vcpu->rip;
	svm_intercept(vcpu, INTERCEPT_IRET, false);
	return 1;
}

/* ----------------------------------------------------------------------- memory */

static int nested_fault(struct vcpu *vcpu)
{
	const struct vmcb_control_area *control = &to_vmcb(vcpu)->control;
	u64 info = control->exit_info_1;
	u32 access = (info & NPF_WRITE ? ACCESS_WRITE : 0) | (info & NPF_FETCH ? ACCESS_FETCH : 0);
	int r = mmu_fault(vcpu, control->exit_info_2, access);

	if (r)
		return r;
	/* page tables and code are not where only user space is */
	if (info & (NPF_WALK | NPF_FETCH))
		return run_emulation_failed(vcpu);
	return emulate_mmio(vcpu, control->exit_info_2);
}

/* ------------------------------------------------------------------------ table */

static int (*const handlers[])(struct vcpu *vcpu) = {
	[SVM_EXIT_READ_CR4] = mov_cr4,
	[SVM_EXIT_WRITE_CR4] = mov_cr4,
	[SVM_EXIT_READ_DR0 ... SVM_EXIT_READ_DR7] = mov_dr,
	[SVM_EXIT_WRITE_DR0 ... SVM_EXIT_WRITE_DR7] = mov_dr,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_DB] = debug,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_BP] = breakpoint,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_UD] = undefined_opcode,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_AC] = alignment,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_MC] = nothing,	/* done in svm_run */
	[SVM_EXIT_INTR] = nothing,	/* the host took it */
	[SVM_EXIT_NMI] = nothing,
	[SVM_EXIT_SMI] = nothing,
	[SVM_EXIT_VINTR] = nothing,	/* the loop looks whether user space waits for it */
	[SVM_EXIT_RDPMC] = protection,
	[SVM_EXIT_CPUID] = cpuid_exit,
	[SVM_EXIT_RSM] = undefined,
	[SVM_EXIT_IRET] = iret,
	[SVM_EXIT_INVD] = svm_skip,
	[SVM_EXIT_WBINVD] = svm_skip,
	[SVM_EXIT_HLT] = hlt,
	[SVM_EXIT_INVLPGA] = undefined,
	[SVM_EXIT_IOIO] = port,
	[SVM_EXIT_MSR] = msr,
	[SVM_EXIT_SHUTDOWN] = shutdown,
	[SVM_EXIT_VMRUN] = undefined,
	[SVM_EXIT_VMMCALL] = vmmcall,
	[SVM_EXIT_VMLOAD] = undefined,
	[SVM_EXIT_VMSAVE] = undefined,
	[SVM_EXIT_STGI] = undefined,
	[SVM_EXIT_CLGI] = undefined,
	[SVM_EXIT_SKINIT] = undefined,
	[SVM_EXIT_MONITOR] = monitor,
	[SVM_EXIT_MWAIT] = monitor,
	[SVM_EXIT_XSETBV] = xsetbv,
	[SVM_EXIT_RDPRU] = undefined,
};

static int not_entered(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = (u32)SVM_EXIT_ERR;
	run->fail_entry.cpu = vcpu->cpu;
	return 0;
}

/* NMIs are masked from the delivery of one to the end of the first IRET after it. */
static void follow_nmi(struct vcpu *vcpu)
{
	struct svm *svm = to_svm(vcpu);

	if (svm->nmi_iret_rip && svm->nmi_iret_rip != vcpu->rip) {
		svm->nmi_iret_rip = 0;
		vcpu->nmi.masked = false;
	}
}

int svm_handle_exit(struct vcpu *vcpu)
{
	u32 code = to_vmcb(vcpu)->control.exit_code;

	if (unlikely(code == (u32)SVM_EXIT_ERR))
		return not_entered(vcpu);
	if (code == SVM_EXIT_NPF)
		return nested_fault(vcpu);
	if (code < ARRAY_SIZE(handlers)) {
		int (*handler)(struct vcpu *) =
			handlers[array_index_nospec(code, ARRAY_SIZE(handlers))];
		int r;

		if (handler) {
			r = handler(vcpu);
			follow_nmi(vcpu);
			return r;
		}
	}
	return run_internal_error(vcpu, KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, code);
}
