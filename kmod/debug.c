/* SPDX-License-Identifier: GPL-2.0-only */
/* debug.c - KVM_SET_GUEST_DEBUG, and the guest's own debug registers */
#include <linux/bits.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "kvmrun.h"

#define CONTROL	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP | \
		 KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)
#define DR7_GD	BIT(13)
#define DR6_BD	BIT(13)

static bool user_breakpoints(struct vcpu *vcpu)
{
	return vcpu->guest_debug & KVM_GUESTDBG_USE_HW_BP;
}

u64 debug_effective_dr7(struct vcpu *vcpu)
{
	return user_breakpoints(vcpu) ? vcpu->debug_dr7 : vcpu->dr7;
}

static const u64 *debug_effective_dr(struct vcpu *vcpu)
{
	return user_breakpoints(vcpu) ? vcpu->debug_dr : vcpu->dr;
}

void debug_load(struct vcpu *vcpu)
{
	const u64 *dr = debug_effective_dr(vcpu);

	if (!(debug_effective_dr7(vcpu) & 0xff))
		return;
	set_debugreg(0, 7);
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
}

int debug_set(struct vcpu *vcpu, const struct kvm_guest_debug *dbg)
{
	int i;

	if (dbg->control & ~CONTROL)
		return -EINVAL;
	if (dbg->control & (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)) {
		if (vcpu->exception.pending || vcpu->exception.injected)
			return -EBUSY;
		event_exception(vcpu, dbg->control & KVM_GUESTDBG_INJECT_DB ? X86_TRAP_DB :
				X86_TRAP_BP);
	}
	vcpu->guest_debug = dbg->control & KVM_GUESTDBG_ENABLE ? dbg->control : 0;
	/* one that nobody waits for any more */
	if (!(vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP) && !(vcpu->rflags & X86_EFLAGS_TF))
		vcpu->step_trap = false;
	for (i = 0; i < 4; i++)
		vcpu->debug_dr[i] = dbg->arch.debugreg[i];
	vcpu->debug_dr7 = (u32)dbg->arch.debugreg[7];
	ops->update_debug(vcpu);
	return 0;
}

int debug_exception(struct vcpu *vcpu, u8 nr, u64 dr6)
{
	struct kvm_run *run = vcpu->run;
	u32 wanted = nr == X86_TRAP_BP ? KVM_GUESTDBG_USE_SW_BP :
		     KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP;

	if (!(vcpu->guest_debug & wanted)) {
		vcpu->dr6 = dr6;
		event_exception(vcpu, nr);
		return 1;
	}
	run->exit_reason = KVM_EXIT_DEBUG;
	run->debug.arch.exception = nr;
	run->debug.arch.pad = 0;
	run->debug.arch.pc = access_linear_rip(vcpu);
	run->debug.arch.dr6 = nr == X86_TRAP_DB ? dr6 : 0;
	run->debug.arch.dr7 = nr == X86_TRAP_DB ? debug_effective_dr7(vcpu) : 0;
	return 0;
}

static u64 read_dr(struct vcpu *vcpu, int dr)
{
	return dr < 4 ? vcpu->dr[dr] : dr == 6 ? vcpu->dr6 : vcpu->dr7;
}

/* APM 2, 13.1.1: the bits that are not there read as they are fixed. */
static int write_dr(struct vcpu *vcpu, int dr, u64 value)
{
	if (dr < 4) {
		vcpu->dr[dr] = value;
	} else {
		if (value >> 32)
			return -EINVAL;
		if (dr == 6)
			vcpu->dr6 = (value & (0xf | DR6_BD | DR_STEP | BIT(15))) | DR6_FIXED;
		else
			vcpu->dr7 = (value & 0xffff2bff) | DR7_FIXED;
	}
	ops->update_debug(vcpu);
	return 0;
}

int debug_mov(struct vcpu *vcpu, const struct instr *insn)
{
	bool write = insn->opcode == 0x123;
	int dr = insn->modrm >> 3 & 7;
	u64 value = vcpu->regs[insn->rm];

	if (dr == 4 || dr == 5) {
		if (vcpu->cr4 & X86_CR4_DE) {
			event_exception(vcpu, X86_TRAP_UD);
			return 1;
		}
		dr += 2;
	}
	/* VT-x exits before it looks at the privilege level (SDM 3, 26.1.3) */
	if (ops->get_cpl(vcpu))
		return exit_protection(vcpu);
	if (vcpu->dr7 & DR7_GD) {
		vcpu->dr7 &= ~DR7_GD;
		vcpu->dr6 |= DR6_BD;
		ops->update_debug(vcpu);
		event_exception(vcpu, X86_TRAP_DB);
		return 1;
	}
	if (!access_long_mode(vcpu))
		value = (u32)value;
	if (!write)
		vcpu->regs[insn->rm] = access_long_mode(vcpu) ? read_dr(vcpu, dr) :
							       (u32)read_dr(vcpu, dr);
	else if (write_dr(vcpu, dr, value)) {
		event_exception_error(vcpu, X86_TRAP_GP, 0);
		return 1;
	}
	decode_skip(vcpu, vcpu->rip + insn->len);
	return 1;
}
