/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame that a signal handler runs on, as Linux lays it out on x86-64:
 * struct rt_sigframe and struct _fpx_sw_bytes of asm/sigcontext.h.
 */
#include "shim.h"

#define SA_RESTORER	0x04000000ull
#define SA_ONSTACK	0x08000000ull
#define XSTATE_MAGIC1	0x46505853u
#define XSTATE_MAGIC2	0x46505845u
#define XSTATE_MAX	2816		/* x87, SSE, AVX, AVX-512; checked at boot */
#define XSTATE_MIN	576		/* x87 and SSE, and the XSAVE header */
#define MXCSR_MASK	0xffffu		/* of every CPU with 64-bit mode */
#define FLAGS_USER	0x50dd5ull	/* AC RF OF DF TF SF ZF AF PF CF */
#define FLAGS_CLEAR	0x10500ull	/* RF DF TF: not in a handler */
#define FLAGS_ALWAYS	0x202ull
#define UC_FP_XSTATE	1ull
#define UC_SIGCONTEXT_SS 2ull
#define UC_STRICT_RESTORE_SS 4ull

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
	struct altstack stack;
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

/* FXSAVE's image, and behind it what XSAVE adds in its standard format. SDM volume 1, 13.4. */
struct xstate {
	u16 fcw, fsw;
	u8 ftw, reserved0;
	u16 fop;
	u64 fip, fdp;
	u32 mxcsr, mxcsr_mask;
	u8 registers[432];
	struct sw_bytes sw;
	u64 bv, xcomp_bv, reserved[6];
	u8 extended[XSTATE_MAX - XSTATE_MIN];
} __attribute__((aligned(64)));
_Static_assert(offsetof(struct xstate, sw) == 464 && offsetof(struct xstate, bv) == 512, "FXSAVE area");
_Static_assert(sizeof(struct xstate) == XSTATE_MAX, "struct xstate");

void sigframe_init(void)
{
	if (boot->xsave_size > XSTATE_MAX)
		panic("XSAVE area too large", boot->xsave_size);
}

void fpu_save(struct xstate *x)
{
	u32 lo = boot->xcr0, hi = boot->xcr0 >> 32;

	memset(x, 0, boot->xsave_size);
	if (boot->xcr0)
		asm volatile("xsave64 %0" : "+m"(*x) : "a"(lo), "d"(hi));
	else
		asm volatile("fxsave64 %0" : "=m"(*x));
}

/* The state must be one that fpu_valid() has passed: a bad one would fault here. */
void fpu_load(const struct xstate *x)
{
	u32 lo = boot->xcr0, hi = boot->xcr0 >> 32;

	if (boot->xcr0)
		asm volatile("xrstor64 %0" : : "m"(*x), "a"(lo), "d"(hi));
	else
		asm volatile("fxrstor64 %0" : : "m"(*x));
}

/* As after FNINIT, and as a handler starts. */
static void fpu_init(void)
{
	struct xstate x;

	memset(&x, 0, sizeof(x));
	x.fcw = 0x37f;
	x.mxcsr = 0x1f80;
	fpu_load(&x);
}

static int push_fpu(gva_t at)
{
	u32 magic2 = XSTATE_MAGIC2;
	struct xstate x;

	fpu_save(&x);
	if (!boot->xcr0)
		return copy_out(at, &x, 512);
	x.sw = (struct sw_bytes){ XSTATE_MAGIC1, boot->xsave_size + 4, boot->xcr0, boot->xsave_size, { 0 } };
	x.bv |= 3;		/* a handler may change x87 and SSE state without knowing of XSAVE */
	if (copy_out(at, &x, boot->xsave_size))
		return -EFAULT;
	return put_user(magic2, at + boot->xsave_size);
}

/* Whether the frame at x's origin has more than FXSAVE's state: as Linux decides it. 0, 1, or -EFAULT. */
static int has_xstate(const struct xstate *x, gva_t at)
{
	const struct sw_bytes *sw = &x->sw;
	u32 magic2;

	if (!boot->xcr0 || sw->magic1 != XSTATE_MAGIC1 || sw->xstate_size < XSTATE_MIN ||
	    sw->xstate_size > boot->xsave_size || sw->xstate_size > sw->extended_size)
		return 0;
	if (get_user(magic2, at + sw->xstate_size))
		return -EFAULT;
	return magic2 == XSTATE_MAGIC2;
}

/* What XRSTOR and FXRSTOR would fault on. SDM volume 1, 13.8. */
static bool fpu_valid(const struct xstate *x, bool extended)
{
	if (x->mxcsr & ~MXCSR_MASK)
		return false;
	return !extended || (!(x->bv & ~boot->xcr0) && !x->xcomp_bv && !x->reserved[0]);
}

static int pop_fpu(gva_t at)
{
	struct xstate x;
	u64 features = 3;
	int extended;

	if (!at) {
		fpu_init();
		return 0;
	}
	memset(&x, 0, sizeof(x));
	if (copy_in(&x, at, 512))
		return -EFAULT;
	extended = has_xstate(&x, at);
	if (extended < 0)
		return -EFAULT;
	if (extended) {
		features = x.sw.features;
		if (copy_in(&x, at, boot->xsave_size))
			return -EFAULT;
	}
	if ((at & (extended ? 63 : 15)) || !fpu_valid(&x, extended))
		return -EFAULT;
	x.bv = extended ? x.bv & features : boot->xcr0 & features;
	fpu_load(&x);
	return 0;
}

int sigframe_push(struct regs *r, const struct siginfo *info, const struct sigaction *act, u64 mask)
{
	struct thread *t = current;
	struct sigframe f = {
		.restorer = act->restorer,
		.uc_flags = (boot->xcr0 ? UC_FP_XSTATE : 0) | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
		.stack = t->alt,
		.sc = {
			.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11, .r12 = r->r12, .r13 = r->r13,
			.r14 = r->r14, .r15 = r->r15, .rdi = r->rdi, .rsi = r->rsi, .rbp = r->rbp, .rbx = r->rbx,
			.rdx = r->rdx, .rax = r->rax, .rcx = r->rcx, .rsp = r->rsp, .rip = r->rip,
			.rflags = r->rflags | FLAGS_ALWAYS, .cs = ABI_USER_CS, .ss = ABI_USER_SS,
			.err = t->err, .trapno = t->trapno, .oldmask = mask, .cr2 = t->cr2,
		},
		.mask = mask,
		.info = *info,
	};
	bool on_alt = altstack_on(&t->alt, r->rsp);
	gva_t sp = r->rsp - 128;		/* the red zone */

	if (!(act->flags & SA_RESTORER))
		return -EFAULT;
	if ((act->flags & SA_ONSTACK) && t->alt.size && !on_alt) {
		sp = t->alt.sp + t->alt.size;
		on_alt = true;
	}
	sp = (sp - boot->xsave_size - 4) & ~63ull;
	f.sc.fpstate = sp;
	sp = ((sp - sizeof(f)) & ~15ull) - 8;
	/* it must not overflow; by its address alone, as SS_AUTODISARM does not count here */
	if (on_alt && (sp <= t->alt.sp || sp - t->alt.sp > t->alt.size))
		return -EFAULT;
	if (push_fpu(f.sc.fpstate) || put_user(f, sp))
		return -EFAULT;
	fpu_init();
	if (t->alt.flags & SS_AUTODISARM)
		t->alt = (struct altstack){ .flags = SS_DISABLE };
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

/*
 * Restores what a frame saved, in Linux's order, as far as it gets; -EFAULT
 * when the frame cannot be read or its FPU state not be loaded.
 */
static int pop(struct regs *r, struct sigframe *f)
{
	struct thread *t = current;
	gva_t sp = r->rsp;

	if (get_user(*f, sp - 8))
		return -EFAULT;
	signal_block(t, f->mask);
	altstack_set(&t->alt, &f->stack, sp);
	*r = (struct regs){
		.r8 = f->sc.r8, .r9 = f->sc.r9, .r10 = f->sc.r10, .r11 = f->sc.r11, .r12 = f->sc.r12, .r13 = f->sc.r13,
		.r14 = f->sc.r14, .r15 = f->sc.r15, .rdi = f->sc.rdi, .rsi = f->sc.rsi, .rbp = f->sc.rbp,
		.rbx = f->sc.rbx, .rdx = f->sc.rdx, .rax = f->sc.rax, .rcx = f->sc.rcx, .rsp = f->sc.rsp,
		.rip = f->sc.rip, .rflags = (f->sc.rflags & FLAGS_USER) | (r->rflags & ~FLAGS_USER) | FLAGS_ALWAYS,
		.cs = ABI_USER_CS, .ss = ABI_USER_SS,
	};
	return pop_fpu(f->sc.fpstate);
}

long sys_rt_sigreturn(const u64 a[6])
{
	struct regs *r = (struct regs *)((u64)this_cpu() - sizeof(*r));
	struct sigframe f;

	(void)a;
	if (pop(r, &f))
		signal_fault(r, SIGSEGV, SI_KERNEL, 0);
	/* what IRET would fault on; other code segments than the one are not for programs here */
	else if ((f.sc.cs | 3) != ABI_USER_CS)
		signal_protection(r, f.sc.cs & ~3u);
	else if ((f.sc.ss | 3) != ABI_USER_SS && (f.uc_flags & UC_STRICT_RESTORE_SS))
		signal_protection(r, f.sc.ss & ~3u);
	else if (!canonical(r->rip))
		signal_protection(r, 0);
	return r->rax;
}
