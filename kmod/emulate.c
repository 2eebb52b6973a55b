/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * emulate.c - instructions that touch memory which user space is
 *
 * An instruction is run as a whole by one of the functions in a table. What it
 * reads from MMIO must have come before: on the first read that has not, the
 * run is given up, user space is asked, and the instruction is run again from
 * its start with the answers that are there by then. What it writes goes out
 * at its end, in pieces of at most 8 bytes that do not cross a page. So user
 * space sees the registers of before the instruction with a read, and those of
 * after it with a write.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>

#include "emulate.h"

/* --------------------------------------------------------------------- memory */

/* What user space answered, or the question. */
static int read_mmio(struct context *c, gpa_t gpa, void *to, u8 len)
{
	struct vcpu *vcpu = c->vcpu;
	struct fragment *f = &vcpu->mmio.fragment[c->reads];

	if (c->reads == MAX_FRAGMENTS)
		return -EINVAL;
	if (c->reads++ < vcpu->mmio.done) {
		memcpy(to, f->data, len);
		return 0;
	}
	f->gpa = gpa;
	f->len = len;
	return NEED_READ;
}

/* MOVS, CMPS; PUSH and POP of memory, among those that share their opcodes. */
static bool two_operands(const struct instr *insn)
{
	return (insn->opcode >= 0xa4 && insn->opcode <= 0xa7) || insn->opcode == 0x8f ||
	       insn->opcode == 0xff;
}

/*
 * Translate as the guest would. Mostly it is the access that the processor has
 * translated itself, and checked: one operand in memory, all of it in one page.
 */
static int translate(struct context *c, gva_t gva, u32 access, bool whole, gpa_t *gpa)
{
	int r;

	if (whole && !two_operands(c->insn) && !offset_in_page(gva ^ c->vcpu->mmio.gpa)) {
		*gpa = c->vcpu->mmio.gpa;
		return 0;
	}
	r = walk_gva(c->vcpu, gva, access, gpa, &c->fault.error);
	if (r == -EFAULT) {
		c->fault.raised = true;
		c->fault.gva = gva;
	}
	return r;
}

/* Is it all in one page? */
static bool in_page(gva_t gva, u8 len)
{
	return offset_in_page(gva) + len <= PAGE_SIZE;
}

/* What of it goes at once: 8 bytes, of one page. */
static u8 piece(gva_t gva, u8 len)
{
	return min_t(size_t, min_t(u8, len, 8), PAGE_SIZE - offset_in_page(gva));
}

int emulate_read(struct context *c, gva_t gva, void *to, u8 left)
{
	u32 access = access_by_cpl(c->vcpu);
	gva_t start = gva;
	bool whole = in_page(gva, left);
	int r = 0;
	gpa_t gpa;

	while (left && !r) {
		u8 n = piece(gva, left);

		r = translate(c, gva, access, whole && gva == start, &gpa);
		if (!r)
			r = memory_slot(c->vcpu->vm, gpa) ?
			    access_read_gpa(c->vcpu->vm, gpa, to, n) : read_mmio(c, gpa, to, n);
		gva += n;
		to += n;
		left -= n;
	}
	return r;
}

/* To memory at once, as the processor's own writes are; to MMIO later. */
int emulate_write(struct context *c, gva_t gva, const void *from, u8 len)
{
	u32 access = ACCESS_WRITE | access_by_cpl(c->vcpu);
	struct { gpa_t gpa; u8 len; } part[3];
	bool whole = in_page(gva, len);
	int parts = 0, i, r;

	/* both pages, before either is written */
	for (i = len; i; parts++) {
		u8 n = piece(gva, i);

		r = translate(c, gva, access, whole && i == len, &part[parts].gpa);
		if (r)
			return r;
		part[parts].len = n;
		gva += n;
		i -= n;
	}
	for (i = 0; i < parts; i++) {
		struct fragment *f = &c->write[c->writes];

		r = access_write_gpa(c->vcpu->vm, part[i].gpa, from, part[i].len);
		if (r && r != -ENXIO)
			return r;
		if (r) {
			f->gpa = part[i].gpa;
			f->len = part[i].len;
			memcpy(f->data, from, f->len);
			c->writes++;
		}
		from += part[i].len;
	}
	return 0;
}

/* ------------------------------------------------------------------- operands */

u64 emulate_mask(u8 size)
{
	return size == 8 ? ~0ull : (1ull << 8 * size) - 1;
}

s64 emulate_extend(u64 value, u8 size)
{
	return (s64)(value << (64 - 8 * size)) >> (64 - 8 * size);
}

/* Without REX, byte registers 4 to 7 are AH, CH, DH, BH. */
static bool high_byte(const struct instr *insn, u8 reg, u8 size)
{
	return size == 1 && !insn->rex && reg >= 4 && reg < 8;
}

u64 emulate_get_reg(struct context *c, u8 reg, u8 size)
{
	if (high_byte(c->insn, reg, size))
		return c->vcpu->regs[reg - 4] >> 8 & 0xff;
	return c->vcpu->regs[reg] & emulate_mask(size);
}

void emulate_set_reg(struct context *c, u8 reg, u8 size, u64 value)
{
	unsigned long *r = &c->vcpu->regs[reg];

	value &= emulate_mask(size);
	if (high_byte(c->insn, reg, size)) {
		r = &c->vcpu->regs[reg - 4];
		*r = (*r & ~0xff00ull) | value << 8;
	} else if (size >= 4) {
		*r = value;
	} else {
		*r = (*r & ~emulate_mask(size)) | value;
	}
}

/* The operand that ModRM's r/m (or an absolute address) names. */
int emulate_get_rm(struct context *c, u8 size, u64 *value)
{
	*value = 0;
	if (c->insn->mem)
		return emulate_read(c, decode_address(c->vcpu, c->insn), value, size);
	*value = emulate_get_reg(c, c->insn->rm, size);
	return 0;
}

int emulate_set_rm(struct context *c, u8 size, u64 value)
{
	if (c->insn->mem)
		return emulate_write(c, decode_address(c->vcpu, c->insn), &value, size);
	emulate_set_reg(c, c->insn->rm, size, value);
	return 0;
}

/* --------------------------------------------------------------- instructions */

static int mov_to_rm(struct context *c)
{
	return emulate_set_rm(c, c->insn->opsize, emulate_get_reg(c, c->insn->reg, c->insn->opsize));
}

static int mov_to_reg(struct context *c)
{
	u64 value;
	int r = emulate_get_rm(c, c->insn->opsize, &value);

	if (!r)
		emulate_set_reg(c, c->insn->reg, c->insn->opsize, value);
	return r;
}

static int mov_imm(struct context *c)
{
	return emulate_set_rm(c, c->insn->opsize, c->insn->imm);
}

static int mov_from_moffs(struct context *c)
{
	c->insn->reg = RAX;
	return mov_to_reg(c);
}

static int mov_to_moffs(struct context *c)
{
	c->insn->reg = RAX;
	return mov_to_rm(c);
}

/* MOVZX, MOVSX, MOVSXD: opcode bit 0 says 16 bits, bit 3 says signed. */
static int mov_extend(struct context *c)
{
	u16 op = c->insn->opcode;
	u8 size = op == 0x63 ? 4 : op & 1 ? 2 : 1;
	u64 value;
	int r = emulate_get_rm(c, size, &value);

	if (!r)
		emulate_set_reg(c, c->insn->reg, c->insn->opsize,
			op == 0x63 || op & 8 ? emulate_extend(value, size) : value);
	return r;
}

static int exchange(struct context *c)
{
	u8 size = c->insn->opsize;
	u64 value;
	int r = emulate_get_rm(c, size, &value);

	if (!r)
		r = emulate_set_rm(c, size, emulate_get_reg(c, c->insn->reg, size));
	if (!r)
		emulate_set_reg(c, c->insn->reg, size, value);
	return r;
}

/* After one round of a string instruction. RIP stays while there is more. */
void emulate_string_step(struct context *c, bool si, bool di)
{
	struct vcpu *vcpu = c->vcpu;
	s64 step = vcpu->rflags & X86_EFLAGS_DF ? -c->insn->opsize : c->insn->opsize;

	if (si)
		decode_add(vcpu, c->insn, RSI, step);
	if (di)
		decode_add(vcpu, c->insn, RDI, step);
	if (!c->insn->rep)
		return;
	decode_add(vcpu, c->insn, RCX, -1);
	if (decode_get(vcpu, c->insn, RCX))
		c->insn->len = 0;
}

bool emulate_string_over(struct context *c)
{
	return c->insn->rep && !decode_get(c->vcpu, c->insn, RCX);
}

static int movs(struct context *c)
{
	u64 value = 0;
	int r;

	if (emulate_string_over(c))
		return 0;
	r = emulate_read(c, decode_string_address(c->vcpu, c->insn, RSI), &value, c->insn->opsize);
	if (!r)
		r = emulate_write(c, decode_string_address(c->vcpu, c->insn, RDI), &value, c->insn->opsize);
	if (!r)
		emulate_string_step(c, true, true);
	return r;
}

static int stos(struct context *c)
{
	int r;

	if (emulate_string_over(c))
		return 0;
	r = emulate_write(c, decode_string_address(c->vcpu, c->insn, RDI), &c->vcpu->regs[RAX],
		      c->insn->opsize);
	if (!r)
		emulate_string_step(c, false, true);
	return r;
}

static int lods(struct context *c)
{
	u64 value = 0;
	int r;

	if (emulate_string_over(c))
		return 0;
	r = emulate_read(c, decode_string_address(c->vcpu, c->insn, RSI), &value, c->insn->opsize);
	if (!r) {
		emulate_set_reg(c, RAX, c->insn->opsize, value);
		emulate_string_step(c, true, false);
	}
	return r;
}


static u64 logic(enum arith op, u64 a, u64 b)
{
	return op == OR ? a | b : op == AND ? a & b : a ^ b;
}

/* Compute, and set the flags that it sets. */
u64 emulate_arith(struct context *c, enum arith op, u64 a, u64 b)
{
	u8 top = c->insn->opsize * 8 - 1;
	unsigned long *rflags = &c->vcpu->rflags;
	u64 in = *rflags & X86_EFLAGS_CF && (op == ADC || op == SBB), result, carry;
	unsigned long flags = 0;

	if (op == ADD || op == ADC) {
		result = a + b + in;
		carry = (a & b) | ((a | b) & ~result);
	} else if (op == SUB || op == SBB || op == CMP) {
		result = a - b - in;
		carry = (~a & b) | ((~a | b) & result);
	} else {
		result = logic(op, a, b);
		carry = 0;
	}
	result &= emulate_mask(c->insn->opsize);
	flags |= carry >> top & 1 ? X86_EFLAGS_CF : 0;
	flags |= (carry >> top ^ carry >> (top - 1)) & 1 ? X86_EFLAGS_OF : 0;
	flags |= carry >> 3 & 1 ? X86_EFLAGS_AF : 0;
	flags |= result >> top & 1 ? X86_EFLAGS_SF : 0;
	flags |= result ? 0 : X86_EFLAGS_ZF;
	flags |= hweight8(result) & 1 ? 0 : X86_EFLAGS_PF;
	*rflags = (*rflags & ~ARITH_FLAGS) | flags;
	return result;
}

static enum arith opcode_arith(const struct instr *insn)
{
	return insn->opcode >> 3 & 7;
}

/* a and b are computed into r/m, flags last as a write may fault. */
static int arith_rm(struct context *c, enum arith op, u64 b)
{
	unsigned long rflags = c->vcpu->rflags;
	u64 a;
	int r = emulate_get_rm(c, c->insn->opsize, &a);

	if (r)
		return r;
	a = emulate_arith(c, op, a, b & emulate_mask(c->insn->opsize));
	if (op != CMP)
		r = emulate_set_rm(c, c->insn->opsize, a);
	if (r)
		c->vcpu->rflags = rflags;
	return r;
}

static int arith_to_rm(struct context *c)
{
	return arith_rm(c, opcode_arith(c->insn), emulate_get_reg(c, c->insn->reg, c->insn->opsize));
}

static int arith_to_reg(struct context *c)
{
	u8 size = c->insn->opsize;
	u64 b, a;
	int r = emulate_get_rm(c, size, &b);

	if (r)
		return r;
	a = emulate_arith(c, opcode_arith(c->insn), emulate_get_reg(c, c->insn->reg, size), b);
	if (opcode_arith(c->insn) != CMP)
		emulate_set_reg(c, c->insn->reg, size, a);
	return 0;
}

static int arith_imm(struct context *c)
{
	return arith_rm(c, c->insn->modrm >> 3 & 7, c->insn->imm);
}

static int test_with(struct context *c, u64 b)
{
	u64 a;
	int r = emulate_get_rm(c, c->insn->opsize, &a);

	if (!r)
		emulate_arith(c, AND, a, b & emulate_mask(c->insn->opsize));
	return r;
}

static int test_reg(struct context *c)
{
	return test_with(c, emulate_get_reg(c, c->insn->reg, c->insn->opsize));
}

/* TEST with an immediate, NOT and NEG. */
static int group3(struct context *c)
{
	unsigned long rflags = c->vcpu->rflags;
	u8 size = c->insn->opsize;
	u64 a;
	int r;

	switch (c->insn->modrm >> 3 & 7) {
	case 0:
	case 1:
		return test_with(c, c->insn->imm);
	case 2:
		r = emulate_get_rm(c, size, &a);
		return r ? r : emulate_set_rm(c, size, ~a);
	case 3:
		r = emulate_get_rm(c, size, &a);
		if (!r)
			r = emulate_set_rm(c, size, emulate_arith(c, SUB, 0, a));
		if (r)
			c->vcpu->rflags = rflags;
		return r;
	default:
		return emulate_more(c);
	}
}

/* INC and DEC leave the carry alone. */
static int inc_dec(struct context *c)
{
	unsigned long carry = c->vcpu->rflags & X86_EFLAGS_CF;
	u8 op = c->insn->modrm >> 3 & 7;
	int r;

	if (op > 1)
		return emulate_more(c);
	r = arith_rm(c, op ? SUB : ADD, 1);
	if (!r)
		c->vcpu->rflags = (c->vcpu->rflags & ~X86_EFLAGS_CF) | carry;
	return r;
}

static const struct emulation instructions[] = {
	/* what drivers do, found first */
	{ 0x88, 0x89, 0, 0, mov_to_rm },
	{ 0x8a, 0x8b, 0, 0, mov_to_reg },
	{ 0x00, 0x3b, 6, 0, arith_to_rm },
	{ 0x00, 0x3b, 6, 2, arith_to_reg },
	{ 0x63, 0x63, 0, 0, mov_extend },
	{ 0x80, 0x83, 0, 0, arith_imm },
	{ 0x84, 0x85, 0, 0, test_reg },
	{ 0x86, 0x87, 0, 0, exchange },
	{ 0xa0, 0xa1, 0, 0, mov_from_moffs },
	{ 0xa2, 0xa3, 0, 0, mov_to_moffs },
	{ 0xa4, 0xa5, 0, 0, movs },
	{ 0xaa, 0xab, 0, 0, stos },
	{ 0xac, 0xad, 0, 0, lods },
	{ 0xc6, 0xc7, 0, 0, mov_imm },
	{ 0xf6, 0xf7, 0, 0, group3 },
	{ 0xfe, 0xff, 0, 0, inc_dec },
	{ 0x1b6, 0x1b7, 0, 0, mov_extend },
	{ 0x1be, 0x1bf, 0, 0, mov_extend },
};

const struct emulation *emulate_row(const struct emulation *row, size_t n, u16 opcode)
{
	for (; n; n--, row++)
		if (opcode >= row->first && opcode <= row->last && (opcode & row->mask) == row->value)
			return row;
	return NULL;
}

static int run_instruction(struct context *c)
{
	const struct emulation *row = emulate_row(instructions, ARRAY_SIZE(instructions), c->insn->opcode);

	return row ? row->run(c) : emulate_more(c);
}

/* ----------------------------------------------------------------- user space */

static int ask_user(struct vcpu *vcpu, enum pending pending)
{
	struct kvm_run *run = vcpu->run;
	struct fragment *f = &vcpu->mmio.fragment[vcpu->mmio.done];

	vcpu->pending = pending;
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = f->gpa;
	run->mmio.len = f->len;
	run->mmio.is_write = pending == PENDING_MMIO_WRITE;
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	if (run->mmio.is_write)
		memcpy(run->mmio.data, f->data, f->len);
	return 0;
}

static int write_next(struct vcpu *vcpu)
{
	vcpu->pending = PENDING_NOTHING;
	return vcpu->mmio.done < vcpu->mmio.total ? ask_user(vcpu, PENDING_MMIO_WRITE) : 1;
}

/* Run vcpu->mmio.insn with the answers there are. As handle_exit. */
static int run_once(struct vcpu *vcpu)
{
	struct instr insn = vcpu->mmio.insn;
	struct context c = { .vcpu = vcpu, .insn = &insn };
	int r;

	if (down_read_killable(&vcpu->vm->slots_lock))
		return -EINTR;
	r = run_instruction(&c);
	up_read(&vcpu->vm->slots_lock);
	if (r == NEED_READ)
		return ask_user(vcpu, PENDING_MMIO_READ);
	vcpu->pending = PENDING_NOTHING;
	if (r == -EFAULT && c.fault.raised) {
		event_page_fault(vcpu, c.fault.gva, c.fault.error);
		return 1;
	}
	if (r)
		return r == -EFAULT ? r : run_emulation_failed(vcpu);
	/* a string instruction that goes on has a length of 0 by now */
	decode_skip(vcpu, vcpu->rip + insn.len);
	memcpy(vcpu->mmio.fragment, c.write, sizeof(c.write));
	vcpu->mmio.total = c.writes;
	vcpu->mmio.done = 0;
	return write_next(vcpu);
}

int emulate_mmio(struct vcpu *vcpu, gpa_t gpa)
{
	struct page_fault fault = {};
	int r;

	if (down_read_killable(&vcpu->vm->slots_lock))
		return -EINTR;
	r = decode_insn(vcpu, &vcpu->mmio.insn, &fault);
	up_read(&vcpu->vm->slots_lock);
	if (r && fault.raised) {
		event_page_fault(vcpu, fault.gva, fault.error);
		return 1;
	}
	if (r)
		return run_emulation_failed(vcpu);
	vcpu->mmio.rip = access_linear_rip(vcpu);
	vcpu->mmio.gpa = gpa;
	vcpu->mmio.done = 0;
	return run_once(vcpu);
}

int emulate_mmio_done(struct vcpu *vcpu)
{
	struct fragment *f = &vcpu->mmio.fragment[vcpu->mmio.done++];

	if (vcpu->pending == PENDING_MMIO_WRITE)
		return write_next(vcpu);
	memcpy(f->data, vcpu->run->mmio.data, sizeof(f->data));
	vcpu->pending = PENDING_NOTHING;
	/* user space put the guest elsewhere: there is no one to answer */
	if (vcpu->mmio.rip != access_linear_rip(vcpu))
		return 1;
	return run_once(vcpu);
}
