/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions of the program, as the signals Linux makes of them. */
#include "shim.h"

enum vector { DE = 0, DB = 1, BP = 3, OF = 4, BR = 5, UD = 6, NM = 7, NP = 11, SS = 12, GP = 13, PF = 14, MF = 16, AC = 17,
	      XM = 19, KICK = ABI_KICK_VECTOR };

#define PF_WRITE	2
#define PF_FETCH	16
#define RFLAGS_TF	0x100

/* Exceptions whose signal depends on nothing but the vector. */
static const struct {
	u8 signo;
	u8 code;
	bool addr;		/* si_addr is RIP */
} plain[] = {
	[DE] = { SIGFPE, 1, true },		/* FPE_INTDIV */
	[BP] = { SIGTRAP, SI_KERNEL, false },
	[OF] = { SIGSEGV, SI_KERNEL, false },
	[BR] = { SIGSEGV, SI_KERNEL, false },
	[UD] = { SIGILL, 2, true },		/* ILL_ILLOPN */
	[NP] = { SIGBUS, SI_KERNEL, false },
	[SS] = { SIGBUS, SI_KERNEL, false },
	[AC] = { SIGBUS, 1, false },		/* BUS_ADRALN */
};

/* FPE_* for the exceptions that are raised and not masked; 0 when none is. SDM volume 1, 8.5 and 11.5. */
static int float_code(u64 vec)
{
	u32 raised;

	if (vec == MF) {
		u16 cw, sw;

		asm volatile("fnstcw %0; fnstsw %1" : "=m"(cw), "=m"(sw));
		raised = sw & ~cw;
	} else {
		u32 mxcsr;

		asm volatile("stmxcsr %0" : "=m"(mxcsr));
		raised = mxcsr & ~(mxcsr >> 7);
	}
	if (raised & 0x01)
		return 7;	/* FPE_FLTINV */
	if (raised & 0x04)
		return 3;	/* FPE_FLTDIV */
	if (raised & 0x08)
		return 4;	/* FPE_FLTOVF */
	if (raised & 0x12)
		return 5;	/* FPE_FLTUND */
	return raised & 0x20 ? 6 : 0;	/* FPE_FLTRES */
}

/* A fault becomes a signal: from here on ucontext tells of it. */
static void fault(struct regs *r, int signo, int code, gva_t addr)
{
	current->trapno = r->vec;
	current->err = r->err;
	signal_fault(r, signo, code, addr);
}

static void page_fault(struct regs *r)
{
	gva_t va = this_cpu()->cr2;
	enum access access = r->err & PF_FETCH ? ACCESS_EXEC : r->err & PF_WRITE ? ACCESS_WRITE : ACCESS_READ;
	int code, err = mm_fault(va, access, &code);

	if (err == -ENOMEM)
		end_program(0, SIGKILL, ABI_END_MEMORY);
	if (!err)
		return;
	current->cr2 = va;
	if (err == -EIO) {
		fault(r, SIGBUS, BUS_ADRERR, va);
		return;
	}
	if (va >= ABI_USER_END)
		r->err |= 1;	/* as Linux: it does not tell what the kernel has there */
	fault(r, SIGSEGV, code, va);
}

/* The program's code byte at va, or -1. */
static int code_byte(gva_t va)
{
	u8 byte;

	return get_user(byte, va) ? -1 : byte;
}

/* TRAP_TRACE, or TRAP_BRKPT after INT1, which alone raises #DB without single-stepping. */
static int debug_code(const struct regs *r)
{
	return !(r->rflags & RFLAGS_TF) && code_byte(r->rip - 1) == 0xf1 ? 1 : 2;
}

/* Software hypervisors make #UD of an INT n whose gate is closed or not there. */
static bool is_closed_gate(struct regs *r)
{
	int vector = code_byte(r->rip + 1);

	if (shim_mode != ABI_MODE_USER || code_byte(r->rip) != 0xcd || vector < 0)
		return false;
	r->vec = GP;
	r->err = vector << 3 | 2;
	return true;
}

void trap_entry(struct regs *r)
{
	/* where the shim runs at CPL 3 its own exceptions look like the program's but for where they are */
	if (!(r->cs & 3) || (shim_mode == ABI_MODE_USER && r->rip - ABI_SHIM < ABI_HUGE))
		panic("exception in the shim's code, unless the program jumped there; vector and RIP", r->vec << 56 | (r->rip & 0xffffffffffffff));
	switch (r->vec) {
	case KICK:
		break;
	case PF:
		page_fault(r);
		break;
	case DB:
		fault(r, SIGTRAP, debug_code(r), r->rip);
		break;
	case MF:
	case XM: {
		int code = float_code(r->vec);

		if (code)
			fault(r, SIGFPE, code, r->rip);
		break;
	}
	default:
		if (r->vec < ARRAY_SIZE(plain) && plain[r->vec].signo && !(r->vec == UD && is_closed_gate(r)))
			fault(r, plain[r->vec].signo, plain[r->vec].code, plain[r->vec].addr ? r->rip : 0);
		else
			fault(r, SIGSEGV, SI_KERNEL, 0);
	}
}
