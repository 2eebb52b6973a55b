/* SPDX-License-Identifier: GPL-2.0-only */
/* emulate.h - one run of an instruction that touches MMIO: what emulate*.c share */
#ifndef KVMRUN_EMULATE_H
#define KVMRUN_EMULATE_H

#include "kvmrun.h"

#define ARITH_FLAGS (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
		     X86_EFLAGS_SF | X86_EFLAGS_OF)

struct context {
	struct vcpu *vcpu;
	struct instr *insn;	/* this run's own copy */
	struct page_fault fault;
	u8 reads;		/* fragments read so far */
	struct fragment write[MAX_FRAGMENTS];
	u8 writes;
};

#define NEED_READ 1	/* not an errno: user space has to answer first */

/* The order is the opcodes': bits 3 to 5. */
enum arith { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP };

/*
 * Guest-linear memory, at most 16 bytes. 0; NEED_READ; -EFAULT, with
 * c->fault.raised when it is the guest's; -ENXIO. Nothing but reads may come
 * before a NEED_READ: the instruction is run again from its start.
 */
int emulate_read(struct context *c, gva_t gva, void *to, u8 len);
int emulate_write(struct context *c, gva_t gva, const void *from, u8 len);
/* The operand of ModRM's r/m, at most 8 bytes; registers, AH to BH where there is no REX. */
int emulate_get_rm(struct context *c, u8 size, u64 *value);
int emulate_set_rm(struct context *c, u8 size, u64 value);
u64 emulate_get_reg(struct context *c, u8 reg, u8 size);
void emulate_set_reg(struct context *c, u8 reg, u8 size, u64 value);
/* The result, in insn->opsize bytes; the flags are set. */
u64 emulate_arith(struct context *c, enum arith op, u64 a, u64 b);
u64 emulate_mask(u8 size);
s64 emulate_extend(u64 value, u8 size);
/* After one round of a string instruction: RIP stays while there is more. */
void emulate_string_step(struct context *c, bool si, bool di);
bool emulate_string_over(struct context *c);

/* An instruction: what it does. */
struct emulation {
	u16 first, last;	/* opcodes, as in struct instr */
	u16 mask, value;	/* of the opcode, where not all between do the same */
	int (*run)(struct context *c);
};

/* The first of n rows that is for the opcode, or NULL. */
const struct emulation *emulate_row(const struct emulation *row, size_t n, u16 opcode);
/* emulate_more.c: what emulate.c has no row for. -EINVAL: it is not there either. */
int emulate_more(struct context *c);

#endif
