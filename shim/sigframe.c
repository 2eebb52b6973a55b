/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame that a signal handler runs on, as Linux lays it out on x86-64:
 * struct rt_sigframe and struct _fpx_sw_bytes of asm/sigcontext.h.
 */
#include "shim.h"

#define SIGSEGV		11
#define SI_KERNEL	0x80
#define SA_ONSTACK	0x08000000ull
#define SS_DISABLE	2u
#define SS_AUTODISARM	(1u << 31)
#define XSTATE_MAGIC1	0x46505853u
#define XSTATE_MAGIC2	0x46505845u
#define XSTATE_MAX	2816		/* x87, SSE, AVX, AVX-512 */
#define MXCSR_MASK	0xffffu
#define FLAGS_USER	0x50dd5ull	/* AC RF OF DF TF SF ZF AF PF CF */
#define FLAGS_CLEAR	0x10500ull	/* RF DF TF: not in a handler */
#define FLAGS_ALWAYS	0x202ull
#define UC_FLAGS	7		/* FP_XSTATE, SIGCONTEXT_SS, STRICT_RESTORE_SS */

struct sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	gva_t fpstate;
	u64 reserved[8];
};

struct sigframe {
	gva_t restorer;
	u64 uc_flags;
	gva_t uc_link;
	gva_t alt_sp;
	u32 alt_flags, pad;
	u64 alt_size;
	struct sigcontext sc;
	u64 mask;
	struct siginfo info;
};
_Static_assert(sizeof(struct sigframe) == 440, "struct rt_sigframe");

struct sw_bytes {		/* at byte 464 of the FPU state */
	u32 magic1, extended_size;
	u64 features;
	u32 xstate_size, pad[7];
};

struct xstate {
	u8 bytes[XSTATE_MAX];
} __attribute__((aligned(64)));

#define XSTATE_SW	464
#define XSTATE_BV	512
#define XSTATE_MXCSR	24

static void fpu_save(struct xstate *x)
{
	u32 lo = boot->xcr0, hi = boot->xcr0 >> 32;

	memset(x, 0, boot->xsave_size);
	if (boot->xcr0)
		asm volatile("xsave64 %0" : "+m"(*x) : "a"(lo), "d"(hi));
	else
		asm volatile("fxsave64 %0" : "=m"(*x));
}

/* The state must be whole and clean: a bad one would fault here. */
static void fpu_load(const struct xstate *x)
{
	u32 lo = boot->xcr0, hi = boot->xcr0 >> 32;

	if (boot->xcr0)
		asm volatile("xrstor64 %0" : : "m"(*x), "a"(lo), "d"(hi));
	else
		asm volatile("fxrstor64 %0" : : "m"(*x));
}

static int push_fpu(gva_t at)
{
	struct sw_bytes sw = { XSTATE_MAGIC1, boot->xsave_size + 4, boot->xcr0, boot->xsave_size, { 0 } };
	u32 magic2 = XSTATE_MAGIC2;
	struct xstate x;

	fpu_save(&x);
	if (boot->xcr0)
		memcpy(x.bytes + XSTATE_SW, &sw, sizeof(sw));
	if (copy_out(at, &x, boot->xsave_size))
		return -EFAULT;
	return boot->xcr0 ? put_user(magic2, at + boot->xsave_size) : 0;
}

static int pop_fpu(gva_t at)
{
	struct xstate x;
	struct sw_bytes sw;
	u32 magic2 = 0;
	u64 features = 3;		/* x87 and SSE */

	memset(&x, 0, sizeof(x));
	if (!at) {
		x.bytes[0] = 0x7f;	/* FCW 037f, MXCSR 1f80: the state after FNINIT */
		x.bytes[1] = 0x03;
		x.bytes[XSTATE_MXCSR] = 0x80;
		x.bytes[XSTATE_MXCSR + 1] = 0x1f;
		fpu_load(&x);
		return 0;
	}
	if (copy_in(&x, at, 512))
		return -EFAULT;
	memcpy(&sw, x.bytes + XSTATE_SW, sizeof(sw));
	if (boot->xcr0 && sw.magic1 == XSTATE_MAGIC1 && sw.xstate_size == boot->xsave_size) {
		if (get_user(magic2, at + boot->xsave_size) || copy_in(&x, at, boot->xsave_size))
			return -EFAULT;
		if (magic2 == XSTATE_MAGIC2)
			memcpy(&features, x.bytes + XSTATE_BV, 8);
	}
	if (boot->xcr0) {
		features &= boot->xcr0;
		memset(x.bytes + XSTATE_BV, 0, 64);
		memcpy(x.bytes + XSTATE_BV, &features, 8);
	}
	for (u32 i = 2; i < 4; i++)	/* reserved bits of MXCSR */
		x.bytes[XSTATE_MXCSR + i] = 0;
	fpu_load(&x);
	return 0;
}

static bool on_alt_stack(const struct thread *t, gva_t sp)
{
	return !(t->alt_flags & SS_AUTODISARM) && t->alt_size && sp > t->alt_sp && sp - t->alt_sp <= t->alt_size;
}

int sigframe_push(struct regs *r, const struct siginfo *info, const struct sigaction *act, u64 mask)
{
	struct thread *t = current;
	struct sigframe f = {
		.restorer = act->restorer,
		.uc_flags = UC_FLAGS & ~(boot->xcr0 ? 0 : 1),
		.alt_sp = t->alt_sp, .alt_size = t->alt_size,
		.alt_flags = t->alt_size ? t->alt_flags : SS_DISABLE,
		.sc = {
			.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11, .r12 = r->r12, .r13 = r->r13,
			.r14 = r->r14, .r15 = r->r15, .rdi = r->rdi, .rsi = r->rsi, .rbp = r->rbp, .rbx = r->rbx,
			.rdx = r->rdx, .rax = r->rax, .rcx = r->rcx, .rsp = r->rsp, .rip = r->rip,
			.rflags = r->rflags, .cs = ABI_USER_CS, .ss = ABI_USER_SS,
			.err = t->err, .trapno = t->trapno, .oldmask = mask, .cr2 = t->cr2,
		},
		.mask = mask,
		.info = *info,
	};
	bool was_on = on_alt_stack(t, r->rsp);
	gva_t sp = r->rsp - 128;		/* the red zone */

	if ((act->flags & SA_ONSTACK) && t->alt_size && !was_on)
		sp = t->alt_sp + t->alt_size;
	sp = (sp - boot->xsave_size - 4) & ~63ull;
	f.sc.fpstate = sp;
	sp = ((sp - sizeof(f)) & ~15ull) - 8;
	if (was_on && !on_alt_stack(t, sp))
		return -EFAULT;			/* it overflowed */
	if (push_fpu(f.sc.fpstate) || put_user(f, sp))
		return -EFAULT;
	if (t->alt_flags & SS_AUTODISARM)
		t->alt_sp = t->alt_size = t->alt_flags = 0;
	r->rdi = info->signo;
	r->rsi = sp + offsetof(struct sigframe, info);
	r->rdx = sp + offsetof(struct sigframe, uc_flags);
	r->rax = 0;
	r->rsp = sp;
	r->rip = act->handler;
	r->rflags &= ~FLAGS_CLEAR;
	r->vec = 0;
	return 0;
}

/* Restores what a frame saved; -EFAULT when it cannot be. */
static int pop(struct regs *r)
{
	struct thread *t = current;
	struct sigframe f;

	if (get_user(f, r->rsp - 8) || pop_fpu(f.sc.fpstate))
		return -EFAULT;
	*r = (struct regs){
		.r8 = f.sc.r8, .r9 = f.sc.r9, .r10 = f.sc.r10, .r11 = f.sc.r11, .r12 = f.sc.r12, .r13 = f.sc.r13,
		.r14 = f.sc.r14, .r15 = f.sc.r15, .rdi = f.sc.rdi, .rsi = f.sc.rsi, .rbp = f.sc.rbp, .rbx = f.sc.rbx,
		.rdx = f.sc.rdx, .rax = f.sc.rax, .rcx = f.sc.rcx, .rsp = f.sc.rsp, .rip = f.sc.rip,
		.rflags = (f.sc.rflags & FLAGS_USER) | FLAGS_ALWAYS, .cs = ABI_USER_CS, .ss = ABI_USER_SS,
	};
	t->mask = f.mask & ~((1ull << 8) | (1ull << 18));
	if (f.alt_flags & SS_DISABLE) {
		t->alt_sp = t->alt_size = t->alt_flags = 0;
	} else {
		t->alt_sp = f.alt_sp;
		t->alt_size = f.alt_size;
		t->alt_flags = f.alt_flags;
	}
	return 0;
}

long sys_rt_sigreturn(const u64 a[6])
{
	struct regs *r = (struct regs *)((u64)this_cpu() - sizeof(*r));

	(void)a;
	if (pop(r))
		signal_fault(r, SIGSEGV, SI_KERNEL, 0);
	return r->rax;
}
