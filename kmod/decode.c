/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * decode.c - the instructions that exits are about
 *
 * Moves and arithmetic between a register and memory, for MMIO; string port
 * I/O; and those whose exit does not tell where the next one begins. Opcodes
 * that no table names here are refused (APM 3, appendix A).
 */
#include <linux/mm.h>
#include <asm/msr-index.h>

#include "kvmrun.h"

enum form {
	NONE = 0,	/* not known */
	PLAIN = 1,	/* nothing after the opcode */
	MODRM = 2,
	IMM8 = 4,
	IMMZ = 8,	/* 2 or 4 bytes by operand size */
	MOFFS = 16,	/* an address */
	BYTE = 32,	/* the operand is a byte */
	GROUP3 = 64,	/* an immediate with /0 and /1 only */
	REGONLY = 128,	/* ModRM names a register whatever its mod */
};

static const u8 one_byte[256] = {
	[0x00] = MODRM | BYTE, [0x01] = MODRM, [0x02] = MODRM | BYTE, [0x03] = MODRM,
	[0x08] = MODRM | BYTE, [0x09] = MODRM, [0x0a] = MODRM | BYTE, [0x0b] = MODRM,
	[0x10] = MODRM | BYTE, [0x11] = MODRM, [0x12] = MODRM | BYTE, [0x13] = MODRM,
	[0x18] = MODRM | BYTE, [0x19] = MODRM, [0x1a] = MODRM | BYTE, [0x1b] = MODRM,
	[0x20] = MODRM | BYTE, [0x21] = MODRM, [0x22] = MODRM | BYTE, [0x23] = MODRM,
	[0x28] = MODRM | BYTE, [0x29] = MODRM, [0x2a] = MODRM | BYTE, [0x2b] = MODRM,
	[0x30] = MODRM | BYTE, [0x31] = MODRM, [0x32] = MODRM | BYTE, [0x33] = MODRM,
	[0x38] = MODRM | BYTE, [0x39] = MODRM, [0x3a] = MODRM | BYTE, [0x3b] = MODRM,
	[0x63] = MODRM,						/* MOVSXD */
	[0x6c] = PLAIN | BYTE, [0x6d] = PLAIN,			/* INS */
	[0x6e] = PLAIN | BYTE, [0x6f] = PLAIN,			/* OUTS */
	[0x69] = MODRM | IMMZ, [0x6b] = MODRM | IMM8,		/* IMUL */
	[0x80] = MODRM | IMM8 | BYTE, [0x81] = MODRM | IMMZ, [0x83] = MODRM | IMM8,
	[0x84] = MODRM | BYTE, [0x85] = MODRM,			/* TEST */
	[0x86] = MODRM | BYTE, [0x87] = MODRM,			/* XCHG */
	[0x88] = MODRM | BYTE, [0x89] = MODRM,			/* MOV */
	[0x8a] = MODRM | BYTE, [0x8b] = MODRM,
	[0x8f] = MODRM,						/* POP */
	[0xa0] = MOFFS | BYTE, [0xa1] = MOFFS, [0xa2] = MOFFS | BYTE, [0xa3] = MOFFS,
	[0xa4] = PLAIN | BYTE, [0xa5] = PLAIN,			/* MOVS */
	[0xa6] = PLAIN | BYTE, [0xa7] = PLAIN,			/* CMPS */
	[0xaa] = PLAIN | BYTE, [0xab] = PLAIN,			/* STOS */
	[0xac] = PLAIN | BYTE, [0xad] = PLAIN,			/* LODS */
	[0xae] = PLAIN | BYTE, [0xaf] = PLAIN,			/* SCAS */
	[0xc0] = MODRM | IMM8, [0xc1] = MODRM | IMM8,		/* shifts */
	[0xc6] = MODRM | IMM8 | BYTE, [0xc7] = MODRM | IMMZ,	/* MOV */
	[0xd0 ... 0xd3] = MODRM,				/* shifts */
	[0xe4] = IMM8 | BYTE, [0xe5] = IMM8, [0xec] = PLAIN | BYTE, [0xed] = PLAIN,	/* IN */
	[0xe6] = IMM8 | BYTE, [0xe7] = IMM8, [0xee] = PLAIN | BYTE, [0xef] = PLAIN,	/* OUT */
	[0xf4] = PLAIN,						/* HLT */
	[0xf6] = MODRM | GROUP3 | BYTE, [0xf7] = MODRM | GROUP3,
	[0xfe] = MODRM | BYTE, [0xff] = MODRM,			/* INC, DEC, PUSH */
};

static const u8 two_byte[256] = {
	[0x01] = MODRM,						/* XSETBV, VMMCALL, MONITOR ... */
	[0x08] = PLAIN, [0x09] = PLAIN,				/* INVD, WBINVD */
	[0x10] = MODRM, [0x11] = MODRM,				/* moves of 16 bytes */
	[0x20] = MODRM | REGONLY, [0x21] = MODRM | REGONLY,	/* MOV from and to CRn, DRn */
	[0x22] = MODRM | REGONLY, [0x23] = MODRM | REGONLY,
	[0x28] = MODRM, [0x29] = MODRM, [0x2b] = MODRM,
	[0x30] = PLAIN, [0x32] = PLAIN, [0x33] = PLAIN,		/* WRMSR, RDMSR, RDPMC */
	[0x40 ... 0x4f] = MODRM,				/* CMOVcc */
	[0x6f] = MODRM, [0x7f] = MODRM,
	[0x90 ... 0x9f] = MODRM,				/* SETcc */
	[0xa2] = PLAIN,						/* CPUID */
	[0xa3] = MODRM, [0xab] = MODRM, [0xb3] = MODRM, [0xbb] = MODRM,	/* BT and its like */
	[0xae] = MODRM,						/* CLFLUSH */
	[0xaf] = MODRM,						/* IMUL */
	[0xb0] = MODRM, [0xb1] = MODRM,				/* CMPXCHG */
	[0xb6] = MODRM | BYTE, [0xb7] = MODRM,			/* MOVZX */
	[0xba] = MODRM | IMM8, [0xbc] = MODRM, [0xbd] = MODRM,	/* BT and its like, BSF, BSR */
	[0xbe] = MODRM | BYTE, [0xbf] = MODRM,			/* MOVSX */
	[0xc0] = MODRM, [0xc1] = MODRM,				/* XADD */
	[0xc3] = MODRM,						/* MOVNTI */
	[0xc7] = MODRM,						/* CMPXCHG8B */
	[0xe7] = MODRM,
};

/* ------------------------------------------------------------------ its bytes */

static int fetch(struct vcpu *vcpu, struct instr *insn, struct page_fault *fault)
{
	gva_t rip = access_linear_rip(vcpu);
	u32 access = ACCESS_FETCH | access_by_cpl(vcpu);
	size_t n = min_t(size_t, sizeof(insn->bytes), PAGE_SIZE - offset_in_page(rip));
	struct page_fault next = {};
	int r;

	insn->fetched = 0;
	r = access_read(vcpu, rip, insn->bytes, n, access, fault);
	if (r)
		return r;
	insn->fetched = n;
	/* the next page may be missing: no matter, unless the instruction goes on there */
	if (n < sizeof(insn->bytes) &&
	    !access_read(vcpu, rip + n, insn->bytes + n, sizeof(insn->bytes) - n, access, &next))
		insn->fetched = sizeof(insn->bytes);
	else if (n < sizeof(insn->bytes))
		*fault = next;
	return 0;
}

/* The next size bytes as a signed number; len past fetched says that they are not there. */
static s64 take(struct instr *insn, u8 size)
{
	s64 value = 0;

	if (insn->len + size > insn->fetched) {
		insn->len = sizeof(insn->bytes) + 1;
		return 0;
	}
	memcpy(&value, insn->bytes + insn->len, size);
	insn->len += size;
	return value << (64 - 8 * size) >> (64 - 8 * size);
}

/* ------------------------------------------------------------------- its parts */

static u8 take_prefixes(struct instr *insn, bool long_mode)
{
	bool op = false, ad = false;
	u8 byte;

	for (;;) {
		byte = take(insn, 1);
		switch (byte) {
		case 0x26: insn->seg = SEG_ES; break;
		case 0x2e: insn->seg = SEG_CS; break;
		case 0x36: insn->seg = SEG_SS; break;
		case 0x3e: insn->seg = SEG_DS; break;
		case 0x64: insn->seg = SEG_FS; break;
		case 0x65: insn->seg = SEG_GS; break;
		case 0x66: op = insn->op66 = true; break;
		case 0x67: ad = true; break;
		case 0xf0: break;
		case 0xf2: case 0xf3: insn->rep = byte; break;
		default:
			if (long_mode && (byte & 0xf0) == 0x40) {
				insn->rex = byte;
				byte = take(insn, 1);
			}
			if (op)
				insn->opsize = insn->opsize == 2 ? 4 : 2;
			if (ad)
				insn->adsize = insn->adsize == 4 ? (long_mode ? 4 : 2) : 4;
			if (insn->rex & 8)
				insn->opsize = 8;
			return byte;
		}
		if (insn->len > insn->fetched)
			return 0;
	}
}

static void take_modrm16(struct instr *insn)
{
	static const s8 base[8] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
	static const s8 index[8] = { RSI, RDI, RSI, RDI, -1, -1, -1, -1 };
	u8 mod = insn->modrm >> 6, rm = insn->modrm & 7;

	if (mod == 0 && rm == 6) {
		insn->disp = (u16)take(insn, 2);
		return;
	}
	insn->base = base[rm];
	insn->index = index[rm];
	insn->disp = mod ? take(insn, mod) : 0;
}

static void take_modrm32(struct instr *insn, bool long_mode)
{
	u8 mod = insn->modrm >> 6, rm = insn->modrm & 7, sib;

	if (rm == 4) {
		sib = take(insn, 1);
		insn->scale = sib >> 6;
		insn->index = (sib >> 3 & 7) | (insn->rex & 2) << 2;
		if (insn->index == RSP)
			insn->index = -1;
		rm = sib & 7;
		insn->base = rm | (insn->rex & 1) << 3;
		if (mod == 0 && rm == 5) {
			insn->base = -1;
			insn->disp = take(insn, 4);
		}
	} else if (mod == 0 && rm == 5) {
		insn->rip_relative = long_mode;
		insn->disp = take(insn, 4);
	} else {
		insn->base = rm | (insn->rex & 1) << 3;
	}
	if (mod)
		insn->disp = take(insn, mod == 1 ? 1 : 4);
}

static void take_modrm(struct instr *insn, u8 form, bool long_mode)
{
	insn->modrm = take(insn, 1);
	insn->reg = (insn->modrm >> 3 & 7) | (insn->rex & 4) << 1;
	insn->rm = (insn->modrm & 7) | (insn->rex & 1) << 3;
	if (insn->modrm >> 6 == 3 || form & REGONLY)
		return;
	insn->mem = true;
	if (insn->adsize == 2)
		take_modrm16(insn);
	else
		take_modrm32(insn, long_mode);
}

int decode_bytes(struct vcpu *vcpu, struct instr *insn)
{
	int bits = ops->get_code_bits(vcpu);
	bool long_mode = bits == 64;
	u8 form, byte;

	insn->adsize = bits / 8;
	insn->opsize = bits == 16 ? 2 : 4;
	insn->seg = insn->base = insn->index = -1;
	byte = take_prefixes(insn, long_mode);
	if (byte == 0x0f) {
		byte = take(insn, 1);
		insn->opcode = 0x100 | byte;
		form = two_byte[byte];
		if (byte == 0x38) {
			insn->opcode = 0x200 | (u8)take(insn, 1);
			/* MOVBE */
			form = insn->opcode == 0x2f0 || insn->opcode == 0x2f1 ? MODRM : NONE;
		}
	} else {
		insn->opcode = byte;
		form = one_byte[byte];
	}
	if (form & MODRM)
		take_modrm(insn, form, long_mode);
	if (form & GROUP3 && !(insn->modrm >> 3 & 6))
		form |= form & BYTE ? IMM8 : IMMZ;
	if (form & IMM8)
		insn->imm = take(insn, 1);
	if (form & IMMZ)
		insn->imm = take(insn, insn->opsize == 2 ? 2 : 4);
	if (form & MOFFS) {
		insn->mem = true;
		insn->disp = take(insn, insn->adsize);
		if (insn->adsize < 8)
			insn->disp &= (1ull << 8 * insn->adsize) - 1;
	}
	if (form & BYTE && insn->opcode < 0x100)
		insn->opsize = 1;
	if (insn->len > insn->fetched)
		return -EFAULT;
	return form == NONE ? -EINVAL : 0;
}

int decode_insn(struct vcpu *vcpu, struct instr *insn, struct page_fault *fault)
{
	int r;

	memset(insn, 0, sizeof(*insn));
	r = fetch(vcpu, insn, fault);
	if (r)
		return r;
	r = decode_bytes(vcpu, insn);
	/* more than 15 bytes are none that the processor would have taken */
	if (r == -EFAULT && insn->fetched == sizeof(insn->bytes))
		return -EINVAL;
	if (r != -EFAULT)
		fault->raised = false;
	return r;
}

/* ------------------------------------------------------------------- addresses */

static u64 address_mask(const struct instr *insn)
{
	return insn->adsize == 8 ? ~0ull : (1ull << 8 * insn->adsize) - 1;
}

/* APM 2, 4.5.3: in 64-bit code only FS and GS have a base. */
static gva_t with_segment(struct vcpu *vcpu, enum seg seg, u64 offset)
{
	bool long_mode = access_long_mode(vcpu);

	if (long_mode && seg != SEG_FS && seg != SEG_GS)
		return offset;
	offset += ops->get_base(vcpu, seg);
	return long_mode ? offset : (u32)offset;
}

gva_t decode_address(struct vcpu *vcpu, const struct instr *insn)
{
	enum seg seg = SEG_DS;
	u64 offset = insn->disp;

	if (insn->base >= 0)
		offset += vcpu->regs[insn->base];
	if (insn->index >= 0)
		offset += vcpu->regs[insn->index] << insn->scale;
	if (insn->rip_relative)
		offset += vcpu->rip + insn->len;
	if (insn->base == RSP || insn->base == RBP)
		seg = SEG_SS;
	if (insn->seg >= 0)
		seg = insn->seg;
	return with_segment(vcpu, seg, offset & address_mask(insn));
}

gva_t decode_string_address(struct vcpu *vcpu, const struct instr *insn, enum reg reg)
{
	enum seg seg = reg == RDI ? SEG_ES : insn->seg >= 0 ? insn->seg : SEG_DS;

	return with_segment(vcpu, seg, decode_get(vcpu, insn, reg));
}

u64 decode_get(struct vcpu *vcpu, const struct instr *insn, enum reg reg)
{
	return vcpu->regs[reg] & address_mask(insn);
}

void decode_add(struct vcpu *vcpu, const struct instr *insn, enum reg reg, s64 n)
{
	u64 value = vcpu->regs[reg] + n;

	/* a 16-bit register keeps what is above it, a 32-bit one does not */
	if (insn->adsize == 2)
		value = (vcpu->regs[reg] & ~0xffffull) | (value & 0xffff);
	else if (insn->adsize == 4)
		value = (u32)value;
	vcpu->regs[reg] = value;
}

/* ------------------------------------------------------------------------ RIP */

void decode_skip(struct vcpu *vcpu, unsigned long next_rip)
{
	/* only code that goes past the end of its mode's addresses would see a difference */
	if (next_rip >> 32 && !access_long_mode(vcpu))
		next_rip = (u32)next_rip;
	vcpu->rip = next_rip;
	vcpu->rflags &= ~X86_EFLAGS_RF;
	ops->set_irq_shadow(vcpu, false);
	/* a trap flag that was set traps behind the instruction */
	if (vcpu->rflags & X86_EFLAGS_TF || vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP)
		vcpu->step_trap = true;
}

int decode_skip_current(struct vcpu *vcpu)
{
	struct page_fault fault = {};
	struct instr insn;
	int r;

	if (down_read_killable(&vcpu->vm->slots_lock))
		return -EINTR;
	r = decode_insn(vcpu, &insn, &fault);
	up_read(&vcpu->vm->slots_lock);
	if (r)
		return run_emulation_failed(vcpu);
	decode_skip(vcpu, vcpu->rip + insn.len);
	return 1;
}
