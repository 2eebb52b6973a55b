/* SPDX-License-Identifier: GPL-2.0-only */
/* events.c - exceptions, interrupts and NMIs on their way into the guest */
#include <linux/bits.h>
#include <asm/trapnr.h>

#include "kvmrun.h"

#define CONTRIBUTORY (BIT(X86_TRAP_DE) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) | \
		      BIT(X86_TRAP_GP))
#define HAS_ERROR (BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) | \
		   BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) | BIT(X86_TRAP_AC))

/* APM 2, 8.2.9: an exception in the delivery of another one. */
static bool makes_double_fault(u8 first, u8 second)
{
	if (first == X86_TRAP_PF)
		return second == X86_TRAP_PF || BIT(second) & CONTRIBUTORY;
	return BIT(first) & CONTRIBUTORY && BIT(second) & CONTRIBUTORY;
}

static void queue(struct vcpu *vcpu, u8 nr, bool has_error, u32 error)
{
	if (vcpu->exception.injected || vcpu->exception.pending) {
		if (vcpu->exception.nr == X86_TRAP_DF) {
			vcpu->triple_fault = true;
			return;
		}
		if (makes_double_fault(vcpu->exception.nr, nr)) {
			nr = X86_TRAP_DF;
			has_error = true;
			error = 0;
		}
	}
	vcpu->exception.injected = false;
	vcpu->exception.pending = true;
	vcpu->exception.nr = nr;
	vcpu->exception.has_error = has_error;
	vcpu->exception.error = error;
}

void event_exception(struct vcpu *vcpu, u8 nr)
{
	queue(vcpu, nr, false, 0);
}

void event_exception_error(struct vcpu *vcpu, u8 nr, u32 error)
{
	/* no error codes in real mode */
	queue(vcpu, nr, ops->get_creg(vcpu, CREG_CR0) & X86_CR0_PE, error);
}

void event_page_fault(struct vcpu *vcpu, gva_t gva, u32 error)
{
	ops->set_creg(vcpu, CREG_CR2, gva);
	event_exception_error(vcpu, X86_TRAP_PF, error);
}

void event_select(struct vcpu *vcpu)
{
	/* what has begun is finished first */
	if (vcpu->exception.injected || vcpu->nmi.injected || vcpu->irq.injected)
		return;
	if (vcpu->exception.pending) {
		vcpu->exception.pending = false;
		vcpu->exception.injected = true;
	} else if (vcpu->nmi.pending && !vcpu->nmi.masked && !ops->get_irq_shadow(vcpu)) {
		vcpu->nmi.pending--;
		vcpu->nmi.masked = true;
		vcpu->nmi.injected = true;
	}
}

u32 event_to_deliver(struct vcpu *vcpu)
{
	if (vcpu->exception.injected)
		return vcpu->exception.nr | EVENT_VALID | EVENT_EXCEPTION |
		       (vcpu->exception.has_error ? EVENT_ERROR : 0);
	if (vcpu->nmi.injected)
		return X86_TRAP_NMI | EVENT_VALID | EVENT_NMI;
	if (vcpu->irq.injected)
		return vcpu->irq.nr | EVENT_VALID | EVENT_IRQ;
	return 0;
}

void event_delivered(struct vcpu *vcpu, u32 interrupted, u32 error)
{
	u8 nr = interrupted & EVENT_VECTOR;

	if (vcpu->exception.injected)
		vcpu->exception.injected = false;
	else if (vcpu->nmi.injected)
		vcpu->nmi.injected = false;
	else
		vcpu->irq.injected = false;
	if (!(interrupted & EVENT_VALID))
		return;
	/* software interrupts, among which INT3 and INTO count, are executed again */
	switch (interrupted & EVENT_TYPE) {
	case EVENT_IRQ:
		vcpu->irq.injected = true;
		vcpu->irq.nr = nr;
		break;
	case EVENT_NMI:
		vcpu->nmi.injected = true;
		break;
	case EVENT_EXCEPTION:
		if (nr == X86_TRAP_BP || nr == X86_TRAP_OF)
			break;
		vcpu->exception.injected = true;
		vcpu->exception.nr = nr;
		vcpu->exception.has_error = interrupted & EVENT_ERROR;
		vcpu->exception.error = error;
		break;
	}
}

int event_interrupt(struct vcpu *vcpu, u32 irq)
{
	if (irq >= 256)
		return -EINVAL;
	vcpu->irq.injected = true;
	vcpu->irq.nr = irq;
	return 0;
}

void event_get(struct vcpu *vcpu, struct kvm_vcpu_events *events)
{
	memset(events, 0, sizeof(*events));
	/* one that is pending has no payload of its own: it is as if in delivery */
	events->exception.injected = vcpu->exception.injected || vcpu->exception.pending;
	events->exception.nr = vcpu->exception.nr;
	events->exception.has_error_code = vcpu->exception.has_error;
	events->exception.error_code = vcpu->exception.error;
	events->interrupt.injected = vcpu->irq.injected;
	events->interrupt.nr = vcpu->irq.nr;
	events->interrupt.shadow = ops->get_irq_shadow(vcpu) ?
		KVM_X86_SHADOW_INT_MOV_SS | KVM_X86_SHADOW_INT_STI : 0;
	events->nmi.injected = vcpu->nmi.injected;
	events->nmi.pending = vcpu->nmi.pending;
	events->nmi.masked = vcpu->nmi.masked;
	events->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	if (vcpu->vm->triple_fault_event) {
		events->triple_fault.pending = vcpu->triple_fault;
		events->flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	}
}

#define EVENT_FLAGS (KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR | \
		     KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM | \
		     KVM_VCPUEVENT_VALID_TRIPLE_FAULT)

int event_set(struct vcpu *vcpu, const struct kvm_vcpu_events *events)
{
	if (events->flags & ~EVENT_FLAGS)
		return -EINVAL;
	if (events->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT && !vcpu->vm->triple_fault_event)
		return -EINVAL;
	/* there is no system management mode */
	if (events->flags & KVM_VCPUEVENT_VALID_SMM &&
	    (events->smi.smm || events->smi.pending || events->smi.smm_inside_nmi))
		return -EINVAL;
	if (events->exception.injected &&
	    (events->exception.nr > 31 || events->exception.nr == X86_TRAP_NMI))
		return -EINVAL;
	vcpu->exception.pending = false;
	vcpu->exception.injected = events->exception.injected;
	vcpu->exception.nr = events->exception.nr;
	vcpu->exception.has_error = events->exception.has_error_code &&
				    events->exception.nr < 32 && BIT(events->exception.nr) & HAS_ERROR;
	vcpu->exception.error = events->exception.error_code;
	vcpu->irq.injected = events->interrupt.injected;
	vcpu->irq.nr = events->interrupt.nr;
	if (events->flags & KVM_VCPUEVENT_VALID_SHADOW)
		ops->set_irq_shadow(vcpu, events->interrupt.shadow);
	vcpu->nmi.injected = events->nmi.injected;
	if (events->flags & KVM_VCPUEVENT_VALID_NMI_PENDING)
		vcpu->nmi.pending = min_t(u8, events->nmi.pending, 2);
	vcpu->nmi.masked = events->nmi.masked;
	if (events->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT)
		vcpu->triple_fault = events->triple_fault.pending;
	return 0;
}
