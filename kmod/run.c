/* SPDX-License-Identifier: GPL-2.0-only */
/* run.c - KVM_RUN: into the guest and out, until something is for user space */
#include <linux/entry-kvm.h>
#include <linux/sched/signal.h>
#include <linux/vtime.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/pkru.h>
#include <asm/trapnr.h>

#include "kvmrun.h"
#include "main.h"

/* ------------------------------------------------------ answers to user space */

int run_internal_error(struct vcpu *vcpu, u32 suberror, u64 data)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = suberror;
	run->internal.ndata = 1;
	run->internal.data[0] = data;
	return 0;
}

int run_emulation_failed(struct vcpu *vcpu)
{
	run_internal_error(vcpu, KVM_INTERNAL_ERROR_EMULATION, 0);
	vcpu->run->internal.ndata = 0;
	return 0;
}

bool run_can_inject(struct vcpu *vcpu)
{
	return vcpu->rflags & X86_EFLAGS_IF && !ops->get_irq_shadow(vcpu) &&
	       !vcpu->exception.injected && !vcpu->exception.pending && !vcpu->irq.injected &&
	       !vcpu->nmi.injected;
}

/* What the run page says after every KVM_RUN, whatever its result. */
static void leave_run_page(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 valid = READ_ONCE(run->kvm_valid_regs);

	run->if_flag = !!(vcpu->rflags & X86_EFLAGS_IF);
	run->flags = 0;
	run->cr8 = vcpu->cr8;
	run->apic_base = vcpu->apic_base;
	run->ready_for_interrupt_injection = run_can_inject(vcpu);
	if (valid & KVM_SYNC_X86_REGS)
		state_get_regs(vcpu, &run->s.regs.regs);
	if (valid & KVM_SYNC_X86_SREGS)
		state_get_sregs(vcpu, &run->s.regs.sregs);
	if (valid & KVM_SYNC_X86_EVENTS)
		event_get(vcpu, &run->s.regs.events);
}

/* Registers that user space left in the run page. The page may change as we look. */
static int take_run_page(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 dirty = READ_ONCE(run->kvm_dirty_regs);
	union {
		struct kvm_regs regs;
		struct kvm_sregs sregs;
		struct kvm_vcpu_events events;
	} u;

	if ((dirty | READ_ONCE(run->kvm_valid_regs)) & ~(u64)KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	if (dirty & KVM_SYNC_X86_REGS) {
		memcpy(&u.regs, &run->s.regs.regs, sizeof(u.regs));
		state_set_regs(vcpu, &u.regs);
		run->kvm_dirty_regs &= ~(u64)KVM_SYNC_X86_REGS;
	}
	if (dirty & KVM_SYNC_X86_SREGS) {
		memcpy(&u.sregs, &run->s.regs.sregs, sizeof(u.sregs));
		if (state_set_sregs(vcpu, &u.sregs))
			return -EINVAL;
		run->kvm_dirty_regs &= ~(u64)KVM_SYNC_X86_SREGS;
	}
	if (dirty & KVM_SYNC_X86_EVENTS) {
		memcpy(&u.events, &run->s.regs.events, sizeof(u.events));
		if (event_set(vcpu, &u.events))
			return -EINVAL;
		run->kvm_dirty_regs &= ~(u64)KVM_SYNC_X86_EVENTS;
	}
	vcpu->cr8 = READ_ONCE(run->cr8) & 0xf;
	return 0;
}

/* --------------------------------------------- state that both sides use at once */

/* The host's, the same on each CPU. */
static u64 host_xcr0, host_xss;

void run_init(void)
{
	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrl(MSR_IA32_XSS, host_xss);
}

/*
 * XCR0, PKRU: what XSAVE areas do not carry. XSS: no guest has XSAVES by CPUID,
 * but one that tried it would reach the host's supervisor state. Interrupts are
 * disabled.
 */
static void load_guest_xstate(struct vcpu *vcpu)
{
	if (host_xss)
		wrmsrl(MSR_IA32_XSS, 0);
	if (vcpu->cr4 & X86_CR4_OSXSAVE && vcpu->xcr0 != host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
	if (cpu_feature_enabled(X86_FEATURE_OSPKE)) {
		vcpu->host_pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->pkru);
	}
}

static void load_host_xstate(struct vcpu *vcpu)
{
	if (host_xss)
		wrmsrl(MSR_IA32_XSS, host_xss);
	if (cpu_feature_enabled(X86_FEATURE_OSPKE)) {
		vcpu->pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->host_pkru);
	}
	if (vcpu->cr4 & X86_CR4_OSXSAVE && vcpu->xcr0 != host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, host_xcr0);
}

/* ------------------------------------------------------------------- scheduling */

/* Preemption is disabled in both. */
static void load(struct vcpu *vcpu)
{
	WRITE_ONCE(vcpu->cpu, smp_processor_id());
	clock_load(vcpu);
	ops->load(vcpu);
}

static void sched_in(struct preempt_notifier *notifier, int cpu)
{
	load(container_of(notifier, struct vcpu, notifier));
}

static void sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	ops->put(container_of(notifier, struct vcpu, notifier));
}

static struct preempt_ops preempt_ops = { .sched_in = sched_in, .sched_out = sched_out };

static void vcpu_load(struct vcpu *vcpu)
{
	preempt_disable();
	preempt_notifier_init(&vcpu->notifier, &preempt_ops);
	preempt_notifier_register(&vcpu->notifier);
	load(vcpu);
	preempt_enable();
}

static void vcpu_put(struct vcpu *vcpu)
{
	preempt_disable();
	ops->put(vcpu);
	preempt_notifier_unregister(&vcpu->notifier);
	preempt_enable();
}

/* -------------------------------------------------------------------- the loop */

/*
 * One entry and exit. 1: handle the exit. 0: not entered, there is something
 * for the host to do first. -EIO: this CPU's hypervisor mode is off (reboot).
 */
static int enter(struct vcpu *vcpu)
{
	u64 gen;
	int r = 0;

	preempt_disable();
	local_irq_disable();
	WRITE_ONCE(vcpu->in_guest, true);
	/* pairs with vm_kick */
	smp_mb();
	gen = READ_ONCE(vcpu->vm->tlb_gen);
	if (unlikely(gen != vcpu->tlb_gen)) {
		ops->flush_tlb(vcpu);
		vcpu->tlb_gen = gen;
	}
	if (xfer_to_guest_mode_work_pending() || clock_due(vcpu))
		goto out;
	r = -EIO;
	if (!main_cpu_enabled())
		goto out;
	r = 1;
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
	vtime_account_guest_enter();
	load_guest_xstate(vcpu);
	ops->run(vcpu);
	load_host_xstate(vcpu);
out:
	WRITE_ONCE(vcpu->in_guest, false);
	/* what made the guest exit, a timer tick perhaps, is taken here: it is the guest's time */
	local_irq_enable();
	if (r == 1) {
		local_irq_disable();
		vtime_account_guest_exit();
		local_irq_enable();
	}
	preempt_enable();
	return r;
}

static int loop(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	bool window;
	int r;

	/* not earlier: completing an exit with immediate_exit leaves what it was */
	run->exit_reason = KVM_EXIT_UNKNOWN;
	for (;;) {
		r = __xfer_to_guest_mode_work_pending() ? host_work() : 0;
		if (r == -EINTR)
			run->exit_reason = KVM_EXIT_INTR;
		if (r)
			return r;
		if (vcpu->triple_fault) {
			vcpu->triple_fault = false;
			run->exit_reason = KVM_EXIT_SHUTDOWN;
			return 0;
		}
		if (vcpu->step_trap) {
			vcpu->step_trap = false;
			r = debug_exception(vcpu, X86_TRAP_DB, vcpu->dr6 | DR_STEP);
			if (r <= 0)
				return r;
		}
		if (clock_due(vcpu))
			clock_tell(vcpu);
		event_select(vcpu);
		window = READ_ONCE(run->request_interrupt_window);
		if (window && run_can_inject(vcpu)) {
			run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
			return 0;
		}
		ops->want_irq_window(vcpu, window);
		r = enter(vcpu);
		if (r == 1) {
			vcpu->stats.exits++;
			r = ops->handle_exit(vcpu);
		} else if (r == 0) {
			r = 1;
		}
		if (r <= 0)
			return r;
	}
}

static void count_result(struct vcpu *vcpu, int r)
{
	struct vcpu_stats *stats = &vcpu->stats;

	if (r) {
		stats->signal_exits += r == -EINTR;
		return;
	}
	switch (READ_ONCE(vcpu->run->exit_reason)) {
	case KVM_EXIT_IO:
		stats->io_exits++;
		break;
	case KVM_EXIT_MMIO:
		stats->mmio_exits++;
		break;
	case KVM_EXIT_HLT:
		stats->halt_exits++;
		break;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		stats->irq_window_exits++;
		break;
	}
}

/* What the last exit left to be done. As handle_exit. */
static int finish(struct vcpu *vcpu)
{
	enum pending pending = vcpu->pending;

	vcpu->pending = PENDING_NOTHING;
	switch (pending) {
	case PENDING_PORT:
		return port_done(vcpu);
	case PENDING_MMIO_READ:
	case PENDING_MMIO_WRITE:
		vcpu->pending = pending;
		return emulate_mmio_done(vcpu);
	case PENDING_MSR_READ:
	case PENDING_MSR_WRITE:
		return msr_done(vcpu, pending == PENDING_MSR_READ);
	default:
		return 1;
	}
}

/* By its offset: newer kernels have another name for the field within themselves. */
static bool immediate_exit(struct vcpu *vcpu)
{
	return READ_ONCE(((u8 *)vcpu->run)[1]);
}

int run_vcpu(struct vcpu *vcpu)
{
	int r;

	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);
	fpu_swap_kvm_fpstate(&vcpu->fpu, true);
	vcpu_load(vcpu);
	vcpu->ran = true;
	r = take_run_page(vcpu);
	if (!r) {
		r = finish(vcpu);
		if (r > 0)
			r = immediate_exit(vcpu) ? -EINTR : loop(vcpu);
	}
	vcpu_put(vcpu);
	fpu_swap_kvm_fpstate(&vcpu->fpu, false);
	leave_run_page(vcpu);
	count_result(vcpu, r);
	if (vcpu->sigset_active) {
		sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
		sigemptyset(&current->real_blocked);
	}
	return r;
}
