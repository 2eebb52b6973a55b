/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * emulate_more.c - instructions that compilers do to volatile memory, but seldom
 *
 * Read-modify-write with a result in a register, conditions, bits, shifts,
 * multiplication, comparing strings, the stack, 16-byte moves (APM 3 and 4).
 */
#include <linux/mm.h>
#include <asm/fpu/api.h>
#include <asm/processor-flags.h>

#include "emulate.h"

static u8 byte_or(const struct instr *insn)
{
	return insn->opcode & 1 ? insn->opsize : 1;
}

static void set_flags(struct context *c, unsigned long mask, unsigned long flags)
{
	c->vcpu->rflags = (c->vcpu->rflags & ~mask) | flags;
}

/* Sign, zero and parity as of a result; what an AND with itself gives. */
static void set_result_flags(struct context *c, u64 result)
{
	unsigned long others = c->vcpu->rflags & (X86_EFLAGS_CF | X86_EFLAGS_OF);

	emulate_arith(c, AND, result, result);
	set_flags(c, X86_EFLAGS_CF | X86_EFLAGS_OF, others);
}

/* --------------------------------------------------------- moves and conditions */

static int movnti(struct context *c)
{
	u8 size = c->insn->opsize == 8 ? 8 : 4;

	return emulate_set_rm(c, size, emulate_get_reg(c, c->insn->reg, size));
}

static u64 swap_bytes(u64 value, u8 size)
{
	return size == 2 ? swab16(value) : size == 4 ? swab32(value) : swab64(value);
}

static int movbe(struct context *c)
{
	u8 size = c->insn->opsize;
	u64 value;
	int r;

	if (c->insn->opcode & 1)
		return emulate_set_rm(c, size, swap_bytes(emulate_get_reg(c, c->insn->reg, size), size));
	r = emulate_get_rm(c, size, &value);
	if (!r)
		emulate_set_reg(c, c->insn->reg, size, swap_bytes(value, size));
	return r;
}

/* The condition of an opcode's lower 4 bits; bit 0 negates. */
static bool condition(struct context *c)
{
	unsigned long f = c->vcpu->rflags;
	bool less = !(f & X86_EFLAGS_SF) != !(f & X86_EFLAGS_OF), met;

	switch (c->insn->opcode >> 1 & 7) {
	case 0:
		met = f & X86_EFLAGS_OF;
		break;
	case 1:
		met = f & X86_EFLAGS_CF;
		break;
	case 2:
		met = f & X86_EFLAGS_ZF;
		break;
	case 3:
		met = f & (X86_EFLAGS_CF | X86_EFLAGS_ZF);
		break;
	case 4:
		met = f & X86_EFLAGS_SF;
		break;
	case 5:
		met = f & X86_EFLAGS_PF;
		break;
	case 6:
		met = less;
		break;
	default:
		met = less || f & X86_EFLAGS_ZF;
	}
	return met != (c->insn->opcode & 1);
}

static int setcc(struct context *c)
{
	return emulate_set_rm(c, 1, condition(c));
}

/* The register is written, and so widened, whether the condition is met or not. */
static int cmov(struct context *c)
{
	u8 size = c->insn->opsize;
	u64 value;
	int r = emulate_get_rm(c, size, &value);

	if (!r)
		emulate_set_reg(c, c->insn->reg, size,
				condition(c) ? value : emulate_get_reg(c, c->insn->reg, size));
	return r;
}

/* CLFLUSH and its like: nothing is cached. */
static int flush(struct context *c)
{
	return (c->insn->modrm >> 3 & 7) < 6 ? -EINVAL : 0;
}

/* -------------------------------------------------------------- exchange and add */

static int exchange_add(struct context *c)
{
	unsigned long rflags = c->vcpu->rflags;
	u8 size = c->insn->opsize = byte_or(c->insn);
	u64 old;
	int r = emulate_get_rm(c, size, &old);

	if (!r)
		r = emulate_set_rm(c, size, emulate_arith(c, ADD, old,
							  emulate_get_reg(c, c->insn->reg, size)));
	if (r)
		c->vcpu->rflags = rflags;
	else
		emulate_set_reg(c, c->insn->reg, size, old);
	return r;
}

static int compare_exchange(struct context *c)
{
	unsigned long rflags = c->vcpu->rflags;
	u8 size = c->insn->opsize = byte_or(c->insn);
	u64 old;
	int r = emulate_get_rm(c, size, &old);

	if (r)
		return r;
	emulate_arith(c, CMP, emulate_get_reg(c, RAX, size), old);
	if (!(c->vcpu->rflags & X86_EFLAGS_ZF)) {
		emulate_set_reg(c, RAX, size, old);
		return 0;
	}
	r = emulate_set_rm(c, size, emulate_get_reg(c, c->insn->reg, size));
	if (r)
		c->vcpu->rflags = rflags;
	return r;
}

/* CMPXCHG8B, CMPXCHG16B */
static int compare_exchange_wide(struct context *c)
{
	unsigned long *regs = c->vcpu->regs;
	u8 half = c->insn->opsize == 8 ? 8 : 4;
	gva_t gva = decode_address(c->vcpu, c->insn);
	u8 old[16], new[16];
	u64 low = 0, high = 0;
	int r;

	if ((c->insn->modrm >> 3 & 7) != 1 || !c->insn->mem)
		return -EINVAL;
	r = emulate_read(c, gva, old, 2 * half);
	if (r)
		return r;
	memcpy(&low, old, half);
	memcpy(&high, old + half, half);
	if (low == emulate_get_reg(c, RAX, half) && high == (regs[RDX] & emulate_mask(half))) {
		memcpy(new, &regs[RBX], half);
		memcpy(new + half, &regs[RCX], half);
		r = emulate_write(c, gva, new, 2 * half);
		if (!r)
			set_flags(c, 0, X86_EFLAGS_ZF);
		return r;
	}
	regs[RAX] = low;
	regs[RDX] = high;
	set_flags(c, X86_EFLAGS_ZF, 0);
	return 0;
}

/* ------------------------------------------------------------- bits and shifts */

/* BT, BTS, BTR, BTC: with a register the bit may be far from the operand. */
static int bits(struct context *c)
{
	struct instr *insn = c->insn;
	bool imm = insn->opcode == 0x1ba;
	u8 op = imm ? insn->modrm >> 3 & 3 : insn->opcode >> 3 & 3;
	u8 size = insn->opsize;
	s64 n = imm ? insn->imm : emulate_extend(emulate_get_reg(c, insn->reg, size), size);
	u64 value = 0, bit = 1ull << (n & (8 * size - 1));
	gva_t gva = decode_address(c->vcpu, insn);
	int r;

	if (!insn->mem || (imm && !(insn->modrm & 0x20)))
		return -EINVAL;
	if (!imm)
		gva += (n >> (3 + ilog2(size))) * size;
	r = emulate_read(c, gva, &value, size);
	if (r)
		return r;
	n = value & bit;
	if (op) {
		value = op == 1 ? value | bit : op == 2 ? value & ~bit : value ^ bit;
		r = emulate_write(c, gva, &value, size);
	}
	if (!r)
		set_flags(c, X86_EFLAGS_CF, n ? X86_EFLAGS_CF : 0);
	return r;
}

/* BSF, BSR: of nothing they leave the register alone. */
static int scan(struct context *c)
{
	u64 value;
	int r = emulate_get_rm(c, c->insn->opsize, &value);

	if (r)
		return r;
	set_flags(c, X86_EFLAGS_ZF, value ? 0 : X86_EFLAGS_ZF);
	if (value)
		emulate_set_reg(c, c->insn->reg, c->insn->opsize,
				c->insn->opcode & 1 ? __fls(value) : __ffs(value));
	return 0;
}

/* ROL, ROR, RCL, RCR, SHL, SHR, SHL, SAR, a bit at a time. */
static int shift(struct context *c)
{
	struct instr *insn = c->insn;
	u8 op = insn->modrm >> 3 & 7, size = byte_or(insn), top = 8 * size - 1;
	u8 n = insn->opcode >= 0xd2 ? c->vcpu->regs[RCX] : insn->opcode >= 0xd0 ? 1 : insn->imm;
	bool carry = c->vcpu->rflags & X86_EFLAGS_CF, left = !(op & 1), out, in, over = false;
	u64 value;
	int r = emulate_get_rm(c, size, &value);

	n &= size == 8 ? 63 : 31;
	if (r || !n)
		return r;
	while (n--) {
		out = left ? value >> top & 1 : value & 1;
		in = op < 2 ? out : op < 4 ? carry : op == 7 ? value >> top & 1 : false;
		over = left ? out != (value >> (top - 1) & 1) : in != (value >> top & 1);
		value = left ? value << 1 | in : (value & emulate_mask(size)) >> 1 | (u64)in << top;
		carry = out;
	}
	r = emulate_set_rm(c, size, value);
	if (r)
		return r;
	insn->opsize = size;
	if (op >= 4)
		set_result_flags(c, value & emulate_mask(size));
	set_flags(c, X86_EFLAGS_CF | X86_EFLAGS_OF,
		  (carry ? X86_EFLAGS_CF : 0) | (over ? X86_EFLAGS_OF : 0));
	return 0;
}

/* -------------------------------------------------------------- multiplication */

static void set_overflow(struct context *c, bool overflow)
{
	set_flags(c, X86_EFLAGS_CF | X86_EFLAGS_OF,
		  overflow ? X86_EFLAGS_CF | X86_EFLAGS_OF : 0);
}

/* IMUL with two or three operands. */
static int multiply(struct context *c)
{
	struct instr *insn = c->insn;
	u8 size = insn->opsize;
	u64 value;
	s64 factor;
	__int128 product;
	int r = emulate_get_rm(c, size, &value);

	if (r)
		return r;
	factor = insn->opcode == 0x1af ?
		 emulate_extend(emulate_get_reg(c, insn->reg, size), size) : (s64)insn->imm;
	product = (__int128)emulate_extend(value, size) * factor;
	emulate_set_reg(c, insn->reg, size, product);
	set_overflow(c, product != emulate_extend(product, size));
	return 0;
}

/* MUL and IMUL of group 3: RDX:RAX, or AX of bytes. */
static int multiply_wide(struct context *c)
{
	struct instr *insn = c->insn;
	u8 size = byte_or(insn), op = insn->modrm >> 3 & 7;
	u64 value, a = emulate_get_reg(c, RAX, size);
	__int128 product;
	int r;

	if (op != 4 && op != 5)
		return -EINVAL;
	r = emulate_get_rm(c, size, &value);
	if (r)
		return r;
	if (op == 4) {
		product = (unsigned __int128)value * a;
		set_overflow(c, (unsigned __int128)product >> 8 * size);
	} else {
		product = (__int128)emulate_extend(value, size) * emulate_extend(a, size);
		set_overflow(c, product != emulate_extend(product, size));
	}
	emulate_set_reg(c, RAX, size == 1 ? 2 : size, product);
	if (size > 1)
		emulate_set_reg(c, RDX, size, (unsigned __int128)product >> 8 * size);
	return 0;
}

/* ------------------------------------------------------------ comparing strings */

static int compare_strings(struct context *c)
{
	struct instr *insn = c->insn;
	bool scas = insn->opcode >= 0xae;
	u8 size = insn->opsize;
	u64 a = 0, b = 0;
	int r = 0;

	if (emulate_string_over(c))
		return 0;
	if (scas)
		a = emulate_get_reg(c, RAX, size);
	else
		r = emulate_read(c, decode_string_address(c->vcpu, insn, RSI), &a, size);
	if (!r)
		r = emulate_read(c, decode_string_address(c->vcpu, insn, RDI), &b, size);
	if (r)
		return r;
	emulate_arith(c, CMP, a, b);
	emulate_string_step(c, !scas, true);
	/* REPE ends with a difference, REPNE with a match: then it does not stay */
	if (!insn->len && !(c->vcpu->rflags & X86_EFLAGS_ZF) == (insn->rep == 0xf3))
		insn->len = c->vcpu->mmio.insn.len;
	return 0;
}

/* -------------------------------------------------------------------- the stack */

/* The bytes of the stack pointer that count. */
static u8 stack_size(struct context *c)
{
	struct kvm_segment ss;

	if (access_long_mode(c->vcpu))
		return 8;
	ops->get_segment(c->vcpu, SEG_SS, &ss);
	return ss.db ? 4 : 2;
}

static gva_t stack_address(struct context *c, u64 sp, u8 size)
{
	if (size == 8)
		return sp;
	return (u32)(ops->get_base(c->vcpu, SEG_SS) + (sp & emulate_mask(size)));
}

static u64 moved_sp(struct context *c, s64 n, u8 size)
{
	u64 sp = c->vcpu->regs[RSP];

	return size == 2 ? (sp & ~0xffffull) | (u16)(sp + n) : (sp + n) & emulate_mask(size);
}

static int push(struct context *c)
{
	u8 wide = stack_size(c), size = wide == 8 && c->insn->opsize == 4 ? 8 : c->insn->opsize;
	u64 sp = moved_sp(c, -size, wide), value;
	int r;

	if ((c->insn->modrm >> 3 & 7) != 6)
		return -EINVAL;
	r = emulate_get_rm(c, size, &value);
	if (!r)
		r = emulate_write(c, stack_address(c, sp, wide), &value, size);
	if (!r)
		c->vcpu->regs[RSP] = sp;
	return r;
}

/* An operand whose address is made of RSP is where RSP is after it. */
static int pop(struct context *c)
{
	u8 wide = stack_size(c), size = wide == 8 && c->insn->opsize == 4 ? 8 : c->insn->opsize;
	u64 old = c->vcpu->regs[RSP], value = 0;
	int r;

	if (c->insn->modrm >> 3 & 7)
		return -EINVAL;
	r = emulate_read(c, stack_address(c, old, wide), &value, size);
	if (r)
		return r;
	c->vcpu->regs[RSP] = moved_sp(c, size, wide);
	r = emulate_set_rm(c, size, value);
	if (r)
		c->vcpu->regs[RSP] = old;
	return r;
}

/* ---------------------------------------------------------------- 16-byte moves */

/* During KVM_RUN the guest's registers are the task's: mostly in the processor. */
static void xmm(u8 reg, u8 *bytes, bool store)
{
	fpregs_lock();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
	switch (reg) {
#define XMM(n) case n: \
	if (store) \
		asm volatile("movdqu %%xmm" #n ", (%0)" : : "r"(bytes) : "memory"); \
	else \
		asm volatile("movdqu (%0), %%xmm" #n : : "r"(bytes) : "memory"); \
	break;
	XMM(0) XMM(1) XMM(2) XMM(3) XMM(4) XMM(5) XMM(6) XMM(7)
	XMM(8) XMM(9) XMM(10) XMM(11) XMM(12) XMM(13) XMM(14) XMM(15)
	}
	fpregs_unlock();
}

/* What prefixes an opcode has as a move of 16 bytes (none, 66, F3), and in which direction. */
static const struct {
	u16 opcode;
	bool plain, op66, rep, store;
} vector_moves[] = {
	{ 0x110, true, true, false, false },	/* MOVUPS, MOVUPD */
	{ 0x111, true, true, false, true },
	{ 0x128, true, true, false, false },	/* MOVAPS, MOVAPD */
	{ 0x129, true, true, false, true },
	{ 0x12b, true, true, false, true },	/* MOVNTPS, MOVNTPD */
	{ 0x16f, false, true, true, false },	/* MOVDQA, MOVDQU */
	{ 0x17f, false, true, true, true },
	{ 0x1e7, false, true, false, true },	/* MOVNTDQ */
};

static int vector_move(struct context *c)
{
	struct instr *insn = c->insn;
	gva_t gva = decode_address(c->vcpu, insn);
	u8 bytes[16];
	size_t i = 0;
	int r;

	while (i < ARRAY_SIZE(vector_moves) - 1 && vector_moves[i].opcode != insn->opcode)
		i++;
	if (!insn->mem || !(insn->rep == 0xf3 ? vector_moves[i].rep : insn->rep ? false :
			    insn->op66 ? vector_moves[i].op66 : vector_moves[i].plain))
		return -EINVAL;
	if (vector_moves[i].store) {
		xmm(insn->reg, bytes, true);
		return emulate_write(c, gva, bytes, 16);
	}
	r = emulate_read(c, gva, bytes, 16);
	if (!r)
		xmm(insn->reg, bytes, false);
	return r;
}

/* ------------------------------------------------------------------------ table */

static const struct emulation instructions[] = {
	{ 0x69, 0x6b, 1, 1, multiply },
	{ 0x8f, 0x8f, 0, 0, pop },
	{ 0xa6, 0xa7, 0, 0, compare_strings },
	{ 0xae, 0xaf, 0, 0, compare_strings },
	{ 0xc0, 0xc1, 0, 0, shift },
	{ 0xd0, 0xd3, 0, 0, shift },
	{ 0xf6, 0xf7, 0, 0, multiply_wide },
	{ 0xff, 0xff, 0, 0, push },
	{ 0x110, 0x111, 0, 0, vector_move },
	{ 0x128, 0x12b, 0, 0, vector_move },
	{ 0x140, 0x14f, 0, 0, cmov },
	{ 0x16f, 0x17f, 0, 0, vector_move },
	{ 0x190, 0x19f, 0, 0, setcc },
	{ 0x1a3, 0x1bb, 7, 3, bits },
	{ 0x1ae, 0x1ae, 0, 0, flush },
	{ 0x1af, 0x1af, 0, 0, multiply },
	{ 0x1b0, 0x1b1, 0, 0, compare_exchange },
	{ 0x1ba, 0x1ba, 0, 0, bits },
	{ 0x1bc, 0x1bd, 0, 0, scan },
	{ 0x1c0, 0x1c1, 0, 0, exchange_add },
	{ 0x1c3, 0x1c3, 0, 0, movnti },
	{ 0x1c7, 0x1c7, 0, 0, compare_exchange_wide },
	{ 0x1e7, 0x1e7, 0, 0, vector_move },
	{ 0x2f0, 0x2f1, 0, 0, movbe },
};

int emulate_more(struct context *c)
{
	const struct emulation *row = emulate_row(instructions, ARRAY_SIZE(instructions), c->insn->opcode);

	return row ? row->run(c) : -EINVAL;
}
