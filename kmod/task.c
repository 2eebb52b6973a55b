/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * task.c - switches by hardware tasks (SDM 3, chapter 8), where the processor leaves them to us
 *
 * It has checked the new task's selector and descriptor, and how it may be got at.
 * Only outside of long mode is there such a thing, so linear addresses have 32 bits.
 */
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "kvmrun.h"

/* What may be 1 of EFLAGS: an entry takes nothing else. */
#define EFLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | \
		 X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_IOPL | \
		 X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_VM | X86_EFLAGS_AC | X86_EFLAGS_VIF | \
		 X86_EFLAGS_VIP | X86_EFLAGS_ID)

#define SELECTOR_RPL	3u
#define SELECTOR_LDT	4u

#define DR_TASK		BIT(15)	/* of DR6: the new task asks for a trap */

#define TSS_BUSY	2u	/* of a descriptor's type, whose byte is the sixth */
#define TSS_32		8u
#define TYPE_BYTE	5

/* The two formats of a task state segment (SDM 3, 8.2.1 and 8.6). */
static const struct format {
	u8 field;		/* bytes of each field */
	u8 length;
	u8 state;		/* where EIP is; EFLAGS, general and segment registers follow */
	u8 segments;
	u8 ldt, cr3, trap;	/* 0: none */
} format_16 = { 2, 44, 14, 4, 42, 0, 0 }, format_32 = { 4, 104, 32, 6, 96, 28, 100 };

#define MAX_LENGTH	104
/* in units of a field, from EIP on */
#define FLAGS		1
#define REGISTERS	2
#define SEGMENTS	10

struct task {
	struct vcpu *vcpu;
	const struct format *format;
	u32 external;		/* 1, as error codes tell it: no instruction asked for the switch */
	u8 tss[MAX_LENGTH];
	u16 cs;			/* its selector: the new privilege level */
};

static const struct format *format_of(u8 type)
{
	return type & TSS_32 ? &format_32 : &format_16;
}

static u32 get_field(const struct format *f, const u8 *at)
{
	u32 value = 0;

	memcpy(&value, at, f->field);
	return value;
}

static u32 new_state(const struct task *t, int n)
{
	return get_field(t->format, t->tss + t->format->state + n * t->format->field);
}

/* --------------------------------------------------------------------- memory */

/* What an access has come to: 0; -EFAULT: the guest's page fault is queued; -ENXIO: no such memory. */
static int result(struct vcpu *vcpu, int r, const struct page_fault *fault)
{
	if (r != -EFAULT || !fault->raised)
		return r ? -ENXIO : 0;
	event_page_fault(vcpu, fault->gva, fault->error);
	return -EFAULT;
}

/* By the processor for itself, whatever the privilege level. */
static int read(struct vcpu *vcpu, u64 gva, void *to, size_t len)
{
	struct page_fault fault;

	return result(vcpu, access_read(vcpu, (u32)gva, to, len, 0, &fault), &fault);
}

static int write(struct vcpu *vcpu, u64 gva, const void *from, size_t len)
{
	struct page_fault fault;

	return result(vcpu, access_write(vcpu, (u32)gva, from, len, 0, &fault), &fault);
}

/* ----------------------------------------------------------------- descriptors */

static struct kvm_segment segment_of(u16 selector, u64 d)
{
	struct kvm_segment s = {
		.base = (d >> 16 & 0xffffff) | (d >> 56 << 24),
		.limit = (d & 0xffff) | (d >> 32 & 0xf0000),
		.selector = selector,
		.type = d >> 40 & 0xf, .s = d >> 44 & 1, .dpl = d >> 45 & 3, .present = d >> 47 & 1,
		.avl = d >> 52 & 1, .db = d >> 54 & 1, .g = d >> 55 & 1,
	};

	if (s.g)
		s.limit = s.limit << 12 | 0xfff;
	return s;
}

/* Where the descriptor of a selector is. -ENOENT: beyond its table's end. */
static int find_descriptor(struct vcpu *vcpu, u16 selector, u64 *gva)
{
	struct kvm_segment ldt;
	struct kvm_dtable gdt;
	u64 base, limit;

	if (selector & SELECTOR_LDT) {
		ops->get_segment(vcpu, SEG_LDT, &ldt);
		if (ldt.unusable)
			return -ENOENT;
		base = ldt.base, limit = ldt.limit;
	} else {
		ops->get_dtable(vcpu, DT_GDT, &gdt);
		base = gdt.base, limit = gdt.limit;
	}
	*gva = base + (selector & ~7u);
	return (selector | 7u) > limit ? -ENOENT : 0;
}

/* Set and clear bits of the descriptor's type. */
static int change_type(struct vcpu *vcpu, u16 selector, u8 set, u8 clear)
{
	u64 gva;
	u8 byte;
	int r = find_descriptor(vcpu, selector, &gva);

	if (!r)
		r = read(vcpu, gva + TYPE_BYTE, &byte, 1);
	byte = (byte | set) & ~clear;
	return r ? r : write(vcpu, gva + TYPE_BYTE, &byte, 1);
}

/* ------------------------------------------------- segments, in the new task's context */

static int refuse(const struct task *t, u8 vector, u16 selector)
{
	event_exception_error(t->vcpu, vector, (selector & ~SELECTOR_RPL) | t->external);
	return -EFAULT;
}

/* SDM 3, 8.3, table 8-1; selector is not null. 0, or the exception that it is. */
static int check_segment(const struct task *t, enum seg seg, const struct kvm_segment *s)
{
	u8 rpl = s->selector & SELECTOR_RPL, cpl = t->cs & SELECTOR_RPL;
	bool code = s->type & 8, conforming = code && s->type & 4, readable = !code || s->type & 2;
	bool good;

	switch (seg) {
	case SEG_LDT:
		return s->s || s->type != 2 || !s->present ? X86_TRAP_TS : 0;
	case SEG_CS:
		good = code && (conforming ? s->dpl <= cpl : s->dpl == cpl);
		break;
	case SEG_SS:
		good = !code && s->type & 2 && s->dpl == cpl && rpl == cpl;
		break;
	default:
		good = readable && (conforming || s->dpl >= max(rpl, cpl));
	}
	if (!s->s || !good)
		return X86_TRAP_TS;
	return s->present ? 0 : seg == SEG_SS ? X86_TRAP_SS : X86_TRAP_NP;
}

static int load_segment(const struct task *t, enum seg seg, u16 selector)
{
	struct vcpu *vcpu = t->vcpu;
	struct kvm_segment s;
	u64 gva, d;
	int r;

	if (!(selector & ~SELECTOR_RPL))
		/* as it is already: unusable */
		return seg == SEG_CS || seg == SEG_SS ? refuse(t, X86_TRAP_TS, selector) : 0;
	if ((seg == SEG_LDT && selector & SELECTOR_LDT) || find_descriptor(vcpu, selector, &gva))
		return refuse(t, X86_TRAP_TS, selector);
	r = read(vcpu, gva, &d, sizeof(d));
	if (r)
		return r;
	s = segment_of(selector, d);
	r = check_segment(t, seg, &s);
	if (r)
		return refuse(t, r, selector);
	if (seg != SEG_LDT && !(s.type & 1)) {
		r = change_type(vcpu, selector, 1, 0);
		if (r)
			return r;
		s.type |= 1;
	}
	ops->set_segment(vcpu, seg, &s);
	return 0;
}

/*
 * What the selectors are, with nothing behind them yet: a fault on one of them finds
 * them so, at the new privilege level.
 */
static void set_selectors(const struct task *t)
{
	u8 cpl = t->cs & SELECTOR_RPL;
	enum seg seg;

	for (seg = SEG_ES; seg <= SEG_GS; seg++) {
		u16 selector = seg - SEG_ES < t->format->segments ? new_state(t, SEGMENTS + seg) : 0;
		struct kvm_segment s = { .selector = selector, .type = 3, .s = 1, .dpl = cpl, .unusable = 1 };

		if (t->vcpu->rflags & X86_EFLAGS_VM)
			s = (struct kvm_segment){
				.base = selector << 4, .limit = 0xffff, .selector = selector,
				.type = 3, .s = 1, .dpl = 3, .present = 1,
			};
		else if (seg == SEG_CS)
			s = (struct kvm_segment){
				.limit = ~0u, .selector = selector, .type = 0xb, .s = 1, .dpl = cpl,
				.present = 1, .db = 1, .g = 1,
			};
		ops->set_segment(t->vcpu, seg, &s);
	}
	ops->set_segment(t->vcpu, SEG_LDT, &(struct kvm_segment){
		.selector = get_field(&format_16, t->tss + t->format->ldt), .type = 2, .unusable = 1,
	});
}

static int load_segments(const struct task *t)
{
	static const enum seg order[] = { SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS };
	int r, i;

	r = load_segment(t, SEG_LDT, get_field(&format_16, t->tss + t->format->ldt));
	if (r || t->vcpu->rflags & X86_EFLAGS_VM)
		return r;
	for (i = 0; !r && i < ARRAY_SIZE(order); i++)
		if (order[i] - SEG_ES < t->format->segments)
			r = load_segment(t, order[i], new_state(t, SEGMENTS + order[i]));
	return r;
}

/* An exception's error code, onto the new task's stack. */
static int push_error(const struct task *t, u32 error)
{
	struct vcpu *vcpu = t->vcpu;
	struct page_fault fault;
	struct kvm_segment ss;
	u32 size = t->format->field, mask, sp;

	ops->get_segment(vcpu, SEG_SS, &ss);
	mask = ss.db ? ~0u : 0xffff;
	sp = (vcpu->regs[RSP] - size) & mask;
	/* a segment that grows down has what is above its limit */
	if (ss.type & 4 ? sp <= ss.limit || sp + size - 1 > mask : sp > ss.limit || ss.limit - sp < size - 1)
		return refuse(t, X86_TRAP_SS, 0);
	vcpu->regs[RSP] = (vcpu->regs[RSP] & ~(u64)mask) | sp;
	return result(vcpu, access_write(vcpu, (u32)(ss.base + sp), &error, size, access_by_cpl(vcpu),
					 &fault), &fault);
}

/* ------------------------------------------------------------------- the switch */

/* What the old task's segment is to keep. */
static int save_state(struct vcpu *vcpu, const struct kvm_segment *tr, enum task_source source,
		      unsigned long next_rip)
{
	const struct format *f = format_of(tr->type);
	u8 state[16 * 4], *at = state;
	u32 values[16];
	enum seg seg;
	int i;

	if (tr->unusable || tr->limit < f->length - 1)
		return -ENXIO;
	values[0] = next_rip;
	values[FLAGS] = vcpu->rflags & ~(source == TASK_IRET ? X86_EFLAGS_NT : 0);
	for (i = 0; i < 8; i++)
		values[REGISTERS + i] = vcpu->regs[i];
	for (seg = SEG_ES; seg <= SEG_GS; seg++) {
		struct kvm_segment s;

		ops->get_segment(vcpu, seg, &s);
		values[SEGMENTS + seg] = s.selector;
	}
	for (i = 0; i < SEGMENTS + f->segments; i++, at += f->field)
		memcpy(at, &values[i], f->field);
	return write(vcpu, tr->base + f->state, state, at - state);
}

/* All that can fault in the old task: both segments and their descriptors. */
static int leave(struct task *t, u16 selector, enum task_source source, unsigned long next_rip,
		 struct kvm_segment *new)
{
	struct vcpu *vcpu = t->vcpu;
	bool nested = source == TASK_CALL || source == TASK_GATE;
	struct kvm_segment old;
	u64 gva, d;
	int r;

	ops->get_segment(vcpu, SEG_TR, &old);
	r = find_descriptor(vcpu, selector, &gva);
	if (!r)
		r = read(vcpu, gva, &d, sizeof(d));
	if (r)
		return r;
	*new = segment_of(selector, d);
	t->format = format_of(new->type);
	/* another vCPU may have changed it since the processor looked */
	if (selector & SELECTOR_LDT || new->s || !(new->type & 1) || new->type & 4 || !new->present ||
	    new->limit < t->format->length - 1)
		return -ENXIO;
	r = read(vcpu, new->base, t->tss, t->format->length);
	if (!r)
		r = save_state(vcpu, &old, source, next_rip);
	if (!r && nested)
		r = write(vcpu, new->base, &old.selector, 2);
	if (!r && !nested)
		r = change_type(vcpu, old.selector, 0, TSS_BUSY);
	if (!r && source != TASK_IRET)
		r = change_type(vcpu, selector, TSS_BUSY, 0);
	new->type |= TSS_BUSY;
	return r;
}

/* The new task's registers; what else it has is loaded in its context. */
static void take_state(struct task *t, enum task_source source, const struct kvm_segment *new)
{
	struct vcpu *vcpu = t->vcpu;
	u64 cr0 = ops->get_creg(vcpu, CREG_CR0);
	int i;

	ops->set_segment(vcpu, SEG_TR, new);
	ops->set_creg(vcpu, CREG_CR0, cr0 | X86_CR0_TS);
	if (cr0 & X86_CR0_PG && t->format->cr3) {
		ops->set_creg(vcpu, CREG_CR3, get_field(t->format, t->tss + t->format->cr3));
		ops->flush_tlb(vcpu);
	}
	vcpu->rip = new_state(t, 0);
	vcpu->rflags = (new_state(t, FLAGS) & EFLAGS) | X86_EFLAGS_FIXED;
	if (source == TASK_CALL || source == TASK_GATE)
		vcpu->rflags |= X86_EFLAGS_NT;
	for (i = 0; i < 8; i++)
		vcpu->regs[i] = new_state(t, REGISTERS + i);
	t->cs = new_state(t, SEGMENTS + SEG_CS);
	if (vcpu->rflags & X86_EFLAGS_VM)
		t->cs |= SELECTOR_RPL;
	ops->set_irq_shadow(vcpu, false);
	/* local breakpoints are the old task's */
	vcpu->dr7 &= ~(DR_LOCAL_ENABLE_MASK | DR_LOCAL_SLOWDOWN);
	ops->update_debug(vcpu);
}

int task_switch(struct vcpu *vcpu, u16 selector, enum task_source source, unsigned long next_rip)
{
	bool exception = source == TASK_GATE && vcpu->exception.injected, pushes;
	struct task t = { .vcpu = vcpu };
	struct kvm_segment new;
	int r;

	t.external = exception || (source == TASK_GATE && (vcpu->irq.injected || vcpu->nmi.injected));
	pushes = exception && vcpu->exception.has_error;
	/* they are taken, and a fault on the way does not bring them back */
	vcpu->irq.injected = vcpu->nmi.injected = false;
	if (source == TASK_IRET)
		vcpu->nmi.masked = false;
	if (down_read_killable(&vcpu->vm->slots_lock))
		return -EINTR;
	r = leave(&t, selector, source, next_rip, &new);
	up_read(&vcpu->vm->slots_lock);
	if (!r) {
		take_state(&t, source, &new);
		set_selectors(&t);
		down_read(&vcpu->vm->slots_lock);
		r = load_segments(&t);
		if (!r && pushes)
			r = push_error(&t, vcpu->exception.error);
		up_read(&vcpu->vm->slots_lock);
	}
	if (r && r != -EFAULT)
		return run_emulation_failed(vcpu);
	if (r)
		return 1;
	if (exception)
		vcpu->exception.injected = false;
	if (t.format->trap && t.tss[t.format->trap] & 1)
		return debug_exception(vcpu, X86_TRAP_DB, vcpu->dr6 | DR_TASK | DR6_FIXED);
	return 1;
}
