/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port.c - port I/O in user space
 *
 * The guest's registers are as before the instruction while user space has the
 * exit; they change when KVM_RUN is called again, and only if RIP is still
 * where it was. A repeated string instruction is done in pieces of at most a
 * page, with RIP on it until the count is used up, as the processor itself does
 * between its interruptions.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "kvmrun.h"

static int exit_to_user(struct vcpu *vcpu, u16 port)
{
	struct kvm_run *run = vcpu->run;

	vcpu->port.rip = access_linear_rip(vcpu);
	vcpu->pending = PENDING_PORT;
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = vcpu->port.in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = vcpu->port.size;
	run->io.port = port;
	run->io.count = vcpu->port.count;
	run->io.data_offset = KVM_PIO_PAGE_OFFSET * PAGE_SIZE;
	return 0;
}

int port_io(struct vcpu *vcpu, u16 port, u8 size, bool in, unsigned long next_rip)
{
	vcpu->port.in = in;
	vcpu->port.string = false;
	vcpu->port.size = size;
	vcpu->port.count = 1;
	vcpu->port.next_rip = next_rip;
	if (!in)
		memcpy(vcpu->pio, &vcpu->regs[RAX], size);
	return exit_to_user(vcpu, port);
}

/* The fault is the guest's, or it used memory that is not there. As handle_exit. */
static int failed(struct vcpu *vcpu, int r, const struct page_fault *fault)
{
	if (fault->raised) {
		event_page_fault(vcpu, fault->gva, fault->error);
		return 1;
	}
	return r == -ENXIO || r == -EINVAL ? run_emulation_failed(vcpu) : r;
}

/* How many elements are done at once: those of one page, upwards. */
static u32 elements(struct vcpu *vcpu, const struct instr *insn, gva_t gva)
{
	u64 left = insn->rep ? decode_get(vcpu, insn, RCX) : 1;
	u32 room = (PAGE_SIZE - offset_in_page(gva)) / vcpu->port.size;

	if (vcpu->rflags & X86_EFLAGS_DF || !room)
		return min_t(u64, left, 1);
	return min_t(u64, left, room);
}

/* INS must fault before the port is read: write back what is there. */
static int check_writable(struct vcpu *vcpu, gva_t gva, size_t len, struct page_fault *fault)
{
	gpa_t gpa;
	int r;

	fault->raised = false;
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gva));

		r = walk_gva(vcpu, gva, ACCESS_WRITE | access_by_cpl(vcpu), &gpa, &fault->error);
		if (r == -EFAULT) {
			fault->raised = true;
			fault->gva = gva;
		}
		if (r)
			return r;
		gva += n;
		len -= n;
	}
	return 0;
}

static int start_string(struct vcpu *vcpu, struct instr *insn, struct page_fault *fault)
{
	gva_t gva;
	size_t len;
	int r = decode_insn(vcpu, insn, fault);

	if (r)
		return r;
	gva = decode_string_address(vcpu, insn, vcpu->port.in ? RDI : RSI);
	vcpu->port.count = elements(vcpu, insn, gva);
	vcpu->port.next_rip = vcpu->rip + insn->len;
	len = vcpu->port.count * vcpu->port.size;
	return vcpu->port.in ? check_writable(vcpu, gva, len, fault) :
	       access_read(vcpu, gva, vcpu->pio, len, access_by_cpl(vcpu), fault);
}

int port_string(struct vcpu *vcpu, u16 port, u8 size, bool in)
{
	struct page_fault fault = {};
	struct instr insn;
	int r;

	vcpu->port.in = in;
	vcpu->port.string = true;
	vcpu->port.size = size;
	if (down_read_killable(&vcpu->vm->slots_lock))
		return -EINTR;
	r = start_string(vcpu, &insn, &fault);
	up_read(&vcpu->vm->slots_lock);
	if (r)
		return failed(vcpu, r, &fault);
	if (!vcpu->port.count) {
		decode_skip(vcpu, vcpu->port.next_rip);
		return 1;
	}
	return exit_to_user(vcpu, port);
}

static int finish_string(struct vcpu *vcpu, struct page_fault *fault)
{
	enum reg address = vcpu->port.in ? RDI : RSI;
	u64 count = vcpu->port.count;
	struct instr insn;
	gva_t gva;
	s64 step;
	int r = decode_insn(vcpu, &insn, fault);

	if (r)
		return r;
	/* user space may have made RCX less than it was at the exit */
	if (insn.rep)
		count = min(count, decode_get(vcpu, &insn, RCX));
	step = count * vcpu->port.size;
	gva = decode_string_address(vcpu, &insn, address);
	if (vcpu->port.in) {
		r = access_write(vcpu, gva, vcpu->pio, step, access_by_cpl(vcpu), fault);
		if (r)
			return r;
	}
	decode_add(vcpu, &insn, address, vcpu->rflags & X86_EFLAGS_DF ? -step : step);
	if (insn.rep)
		decode_add(vcpu, &insn, RCX, -(s64)count);
	if (!insn.rep || !decode_get(vcpu, &insn, RCX))
		decode_skip(vcpu, vcpu->port.next_rip);
	return 0;
}

int port_done(struct vcpu *vcpu)
{
	struct page_fault fault = {};
	int r;

	if (vcpu->port.rip != access_linear_rip(vcpu))
		return 1;
	if (vcpu->port.string) {
		if (down_read_killable(&vcpu->vm->slots_lock))
			return -EINTR;
		r = finish_string(vcpu, &fault);
		up_read(&vcpu->vm->slots_lock);
		return r ? failed(vcpu, r, &fault) : 1;
	}
	if (vcpu->port.in) {
		/* 32 bits clear the upper half, fewer leave the rest */
		if (vcpu->port.size == 4)
			vcpu->regs[RAX] = 0;
		memcpy(&vcpu->regs[RAX], vcpu->pio, vcpu->port.size);
	}
	decode_skip(vcpu, vcpu->port.next_rip);
	return 1;
}
