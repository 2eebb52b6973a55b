/* SPDX-License-Identifier: GPL-2.0-only */
/* svm_exit.c - AMD-V: why the guest came out (APM 2, appendix C) */
#include <linux/nospec.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "svm.h"

/* Exit info 1 of a nested page fault: as a page fault's, and which access of a walk it was. */
#define NPF_FETCH	BIT_ULL(4)
#define NPF_WRITE	BIT_ULL(1)
#define NPF_WALK	BIT_ULL(33)	/* the guest's own page tables */

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

/* --------------------------------------------------------------- control registers */

static int mov_cr4(struct vcpu *vcpu)
{
	struct instr insn;
	u64 value;
	int r = exit_decode(vcpu, &insn);

	if (r || (insn.opcode != 0x120 && insn.opcode != 0x122))
		return run_emulation_failed(vcpu);
	if (insn.opcode == 0x120) {
		vcpu->regs[insn.rm] = vcpu->cr4;
	} else {
		value = access_long_mode(vcpu) ? vcpu->regs[insn.rm] : (u32)vcpu->regs[insn.rm];
		if (exit_set_cr4(vcpu, value))
			return exit_protection(vcpu);
	}
	decode_skip(vcpu, vcpu->rip + insn.len);
	return 1;
}

/* ----------------------------------------------------------------- instructions */

static int msr(struct vcpu *vcpu)
{
	return to_vmcb(vcpu)->control.exit_info_1 ? msr_write(vcpu) : msr_read(vcpu);
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

	return exit_nested_fault(vcpu, control->exit_info_2, access, info & NPF_WALK);
}

/* ------------------------------------------------------------------------ table */

static int (*const handlers[])(struct vcpu *vcpu) = {
	[SVM_EXIT_READ_CR4] = mov_cr4,
	[SVM_EXIT_WRITE_CR4] = mov_cr4,
	[SVM_EXIT_READ_DR0 ... SVM_EXIT_READ_DR7] = exit_mov_dr,
	[SVM_EXIT_WRITE_DR0 ... SVM_EXIT_WRITE_DR7] = exit_mov_dr,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_DB] = debug,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_BP] = exit_breakpoint,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_UD] = exit_undefined_opcode,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_AC] = exit_alignment,
	[SVM_EXIT_EXCP_BASE + X86_TRAP_MC] = exit_nothing,	/* done in svm_run */
	[SVM_EXIT_INTR] = exit_nothing,	/* the host took it */
	[SVM_EXIT_NMI] = exit_nothing,
	[SVM_EXIT_SMI] = exit_nothing,
	[SVM_EXIT_VINTR] = exit_nothing,	/* the loop looks whether user space waits for it */
	[SVM_EXIT_RDPMC] = exit_protection,
	[SVM_EXIT_CPUID] = exit_cpuid,
	[SVM_EXIT_RSM] = exit_undefined,
	[SVM_EXIT_IRET] = iret,
	[SVM_EXIT_INVD] = svm_skip,
	[SVM_EXIT_WBINVD] = svm_skip,
	[SVM_EXIT_HLT] = exit_hlt,
	[SVM_EXIT_INVLPGA] = exit_undefined,
	[SVM_EXIT_IOIO] = port,
	[SVM_EXIT_MSR] = msr,
	[SVM_EXIT_SHUTDOWN] = exit_shutdown,
	[SVM_EXIT_VMRUN] = exit_undefined,
	[SVM_EXIT_VMMCALL] = exit_hypercall,
	[SVM_EXIT_VMLOAD] = exit_undefined,
	[SVM_EXIT_VMSAVE] = exit_undefined,
	[SVM_EXIT_STGI] = exit_undefined,
	[SVM_EXIT_CLGI] = exit_undefined,
	[SVM_EXIT_SKINIT] = exit_undefined,
	[SVM_EXIT_MONITOR] = exit_monitor,
	[SVM_EXIT_MWAIT] = exit_monitor,
	[SVM_EXIT_XSETBV] = exit_xsetbv,
	[SVM_EXIT_RDPRU] = exit_undefined,
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
