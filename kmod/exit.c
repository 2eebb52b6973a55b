/* SPDX-License-Identifier: GPL-2.0-only */
/* exit.c - what exits are about, whichever processor told it and however */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "kvmrun.h"

#define HYPERCALL_UNKNOWN (-1000l)	/* KVM_ENOSYS */

int exit_nothing(struct vcpu *vcpu)
{
	return 1;
}

int exit_undefined(struct vcpu *vcpu)
{
	event_exception(vcpu, X86_TRAP_UD);
	return 1;
}

int exit_protection(struct vcpu *vcpu)
{
	event_exception_error(vcpu, X86_TRAP_GP, 0);
	return 1;
}

int exit_decode(struct vcpu *vcpu, struct instr *insn)
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

/* Guests that know KVM from the other vendor's CPUs call it by VMCALL or VMMCALL. */
int exit_undefined_opcode(struct vcpu *vcpu)
{
	struct instr insn;

	if (exit_decode(vcpu, &insn) || insn.opcode != 0x101 ||
	    (insn.modrm != 0xc1 && insn.modrm != 0xd9))
		return exit_undefined(vcpu);
	vcpu->regs[RAX] = HYPERCALL_UNKNOWN;
	decode_skip(vcpu, vcpu->rip + insn.len);
	return 1;
}

int exit_breakpoint(struct vcpu *vcpu)
{
	return debug_exception(vcpu, X86_TRAP_BP, 0);
}

int exit_alignment(struct vcpu *vcpu)
{
	event_exception_error(vcpu, X86_TRAP_AC, 0);
	return 1;
}

int exit_shutdown(struct vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return 0;
}

/* ------------------------------------------------------------------- registers */

int exit_set_cr4(struct vcpu *vcpu, u64 value)
{
	bool long_mode = ops->get_creg(vcpu, CREG_EFER) & EFER_LMA;

	if (state_check_cr4(vcpu, value) || (long_mode && !(value & X86_CR4_PAE)))
		return -EINVAL;
	/* what the processor would have dropped of the guest's translations */
	if ((vcpu->cr4 ^ value) & (X86_CR4_PGE | X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PCIDE |
				   X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE))
		ops->flush_tlb(vcpu);
	ops->set_creg(vcpu, CREG_CR4, value);
	return 0;
}

int exit_mov_dr(struct vcpu *vcpu)
{
	struct instr insn;
	int r = exit_decode(vcpu, &insn);

	if (r || (insn.opcode != 0x121 && insn.opcode != 0x123))
		return run_emulation_failed(vcpu);
	return debug_mov(vcpu, &insn);
}

/* ----------------------------------------------------------------- instructions */

int exit_cpuid(struct vcpu *vcpu)
{
	int r;

	if (vcpu->vm->cpuid_exits) {
		vcpu->run->exit_reason = EXIT_CPUID;
		return 0;
	}
	r = ops->skip(vcpu);
	if (r > 0)
		cpuid_run(vcpu);
	return r;
}

int exit_hlt(struct vcpu *vcpu)
{
	int r = ops->skip(vcpu);

	if (r <= 0)
		return r;
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return 0;
}

int exit_hypercall(struct vcpu *vcpu)
{
	vcpu->regs[RAX] = HYPERCALL_UNKNOWN;
	return ops->skip(vcpu);
}

int exit_xsetbv(struct vcpu *vcpu)
{
	u64 value = (u32)vcpu->regs[RAX] | (u64)vcpu->regs[RDX] << 32;

	if (ops->get_cpl(vcpu) || (u32)vcpu->regs[RCX] || state_set_xcr0(vcpu, value))
		return exit_protection(vcpu);
	return ops->skip(vcpu);
}

/* By default both do nothing; user space may have them undefined where CPUID has them not. */
int exit_monitor(struct vcpu *vcpu)
{
	if (READ_ONCE(vcpu->vm->quirks_off) & KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS &&
	    !cpuid_has_mwait(vcpu))
		return exit_undefined(vcpu);
	return ops->skip(vcpu);
}

/* ----------------------------------------------------------------------- memory */

int exit_nested_fault(struct vcpu *vcpu, gpa_t gpa, u32 access, bool walk)
{
	int r = mmu_fault(vcpu, gpa, access);

	if (r)
		return r;
	/* page tables and code are not where only user space is */
	if (walk || access & ACCESS_FETCH)
		return run_emulation_failed(vcpu);
	return emulate_mmio(vcpu, gpa);
}
