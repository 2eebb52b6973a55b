/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions of the program, as the signals Linux makes of them. */
#include "shim.h"

#define SIGILL		4
#define SIGTRAP		5
#define SIGBUS		7
#define SIGFPE		8
#define SIGKILL		9
#define SIGSEGV		11
#define SI_KERNEL	0x80

enum vector { DE = 0, DB = 1, BP = 3, OF = 4, BR = 5, UD = 6, NM = 7, NP = 11, SS = 12, PF = 14, MF = 16, AC = 17,
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
	if (va >= ABI_USER_END)
		current->err |= 1;	/* as Linux: it does not tell what the kernel has there */
	signal_fault(r, SIGSEGV, code, va);
}

void trap_entry(struct regs *r)
{
	if (!(r->cs & 3) || r->rip - ABI_SHIM < ABI_HUGE)
		panic("exception in the shim, vector and RIP", r->vec << 56 | (r->rip & 0xffffffffffffff));
	if (r->vec == KICK)
		return;
	current->trapno = r->vec;
	current->err = r->err;
	switch (r->vec) {
	case PF:
		page_fault(r);
		break;
	case DB:
		signal_fault(r, SIGTRAP, r->rflags & RFLAGS_TF ? 2 : 1, r->rip);	/* TRAP_TRACE, TRAP_BRKPT */
		break;
	case MF:
	case XM: {
		int code = float_code(r->vec);

		if (code)
			signal_fault(r, SIGFPE, code, r->rip);
		break;
	}
	default:
		if (r->vec < ARRAY_SIZE(plain) && plain[r->vec].signo)
			signal_fault(r, plain[r->vec].signo, plain[r->vec].code, plain[r->vec].addr ? r->rip : 0);
		else
			signal_fault(r, SIGSEGV, SI_KERNEL, 0);
	}
}
