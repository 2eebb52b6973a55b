/* SPDX-License-Identifier: GPL-2.0-only */
/* state.c - a vCPU's registers, for user space */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "kvmrun.h"

/* ------------------------------------------------------------ general registers */

/* struct kvm_regs is in another order than the processor's numbers. */
#define EACH_REG(x) x(rax, RAX) x(rbx, RBX) x(rcx, RCX) x(rdx, RDX) x(rsi, RSI) x(rdi, RDI) \
	x(rsp, RSP) x(rbp, RBP) x(r8, R8) x(r9, R9) x(r10, R10) x(r11, R11) x(r12, R12) \
	x(r13, R13) x(r14, R14) x(r15, R15)

void state_get_regs(struct vcpu *vcpu, struct kvm_regs *regs)
{
#define GET(name, number) regs->name = vcpu->regs[number];
	EACH_REG(GET)
	regs->rip = vcpu->rip;
	regs->rflags = vcpu->rflags;
}

void state_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs)
{
#define SET(name, number) vcpu->regs[number] = regs->name;
	EACH_REG(SET)
	/* a step that ended elsewhere is not to be told here */
	if (vcpu->rip != regs->rip)
		vcpu->step_trap = false;
	vcpu->rip = regs->rip;
	vcpu->rflags = regs->rflags | X86_EFLAGS_FIXED;
	vcpu->exception.pending = false;
}

/* ------------------------------------------------------------- system registers */

#define CR0_KNOWN (X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE | \
		   X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)
#define CR4_BASE (X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE | \
		  X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR | \
		  X86_CR4_OSXMMEXCPT)

/* CR4 bits that stand and fall with a feature, of the host and of the guest. */
static const struct {
	u64 cr4;
	u16 feature;
	u32 leaf;
	enum reg reg;
	u8 bit;
} cr4_features[] = {
	{ X86_CR4_OSXSAVE, X86_FEATURE_XSAVE, 1, RCX, 26 },
	{ X86_CR4_FSGSBASE, X86_FEATURE_FSGSBASE, 7, RBX, 0 },
	{ X86_CR4_SMEP, X86_FEATURE_SMEP, 7, RBX, 7 },
	{ X86_CR4_SMAP, X86_FEATURE_SMAP, 7, RBX, 20 },
	{ X86_CR4_UMIP, X86_FEATURE_UMIP, 7, RCX, 2 },
	{ X86_CR4_PKE, X86_FEATURE_OSPKE, 7, RCX, 3 },
	{ X86_CR4_PCIDE, X86_FEATURE_PCID, 1, RCX, 17 },
};

u64 state_cr4_supported(void)
{
	u64 cr4 = CR4_BASE;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cr4_features); i++)
		if (boot_cpu_has(cr4_features[i].feature))
			cr4 |= cr4_features[i].cr4;
	return cr4;
}

/* Before KVM_SET_CPUID2 the guest has what the host has. */
static u64 guest_cr4(struct vcpu *vcpu)
{
	u64 cr4 = state_cr4_supported();
	size_t i;

	for (i = 0; vcpu->nr_cpuid && i < ARRAY_SIZE(cr4_features); i++)
		if (!(cpuid_word(vcpu, cr4_features[i].leaf, 0, cr4_features[i].reg) >>
		      cr4_features[i].bit & 1))
			cr4 &= ~cr4_features[i].cr4;
	return cr4;
}

int state_check_cr4(struct vcpu *vcpu, u64 cr4)
{
	return cr4 & ~guest_cr4(vcpu) ? -EINVAL : 0;
}

static u64 guest_efer(struct vcpu *vcpu)
{
	return EFER_SCE | EFER_LME | EFER_LMA | EFER_NX |
	       (boot_cpu_has(X86_FEATURE_FXSR_OPT) ? EFER_FFXSR : 0);
}

/* APM 2, 16.3.1; there is no x2APIC. */
int state_check_apic_base(u64 value)
{
	u64 reserved = 0x2ff | X2APIC_ENABLE;

	return value & reserved || value >> boot_cpu_data.x86_phys_bits ? -EINVAL : 0;
}

/* APM 2, 15.5.1: what makes VMRUN fail, and 14.7: what no sequence of instructions leads to. */
static int check_sregs(struct vcpu *vcpu, const struct kvm_sregs *s)
{
	u64 cr0 = s->cr0;

	if (cr0 >> 32 || (cr0 & X86_CR0_PG && !(cr0 & X86_CR0_PE)) ||
	    (cr0 & X86_CR0_NW && !(cr0 & X86_CR0_CD)))
		return -EINVAL;
	if (state_check_apic_base(s->apic_base))
		return -EINVAL;
	if (state_check_cr4(vcpu, s->cr4) || s->efer & ~guest_efer(vcpu) || s->cr8 > 15)
		return -EINVAL;
	if (s->efer & EFER_LME && cr0 & X86_CR0_PG) {
		if (!(s->cr4 & X86_CR4_PAE) || !(s->efer & EFER_LMA) ||
		    s->cr3 >> boot_cpu_data.x86_phys_bits)
			return -EINVAL;
		if (s->cs.l && s->cs.db)
			return -EINVAL;
	} else if (s->efer & EFER_LMA || s->cs.l) {
		return -EINVAL;
	}
	return 0;
}

static const struct {
	enum seg seg;
	size_t offset;
} segments[] = {
	{ SEG_CS, offsetof(struct kvm_sregs, cs) }, { SEG_DS, offsetof(struct kvm_sregs, ds) },
	{ SEG_ES, offsetof(struct kvm_sregs, es) }, { SEG_FS, offsetof(struct kvm_sregs, fs) },
	{ SEG_GS, offsetof(struct kvm_sregs, gs) }, { SEG_SS, offsetof(struct kvm_sregs, ss) },
	{ SEG_TR, offsetof(struct kvm_sregs, tr) }, { SEG_LDT, offsetof(struct kvm_sregs, ldt) },
};

void state_get_sregs(struct vcpu *vcpu, struct kvm_sregs *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < ARRAY_SIZE(segments); i++)
		ops->get_segment(vcpu, segments[i].seg, (void *)s + segments[i].offset);
	ops->get_dtable(vcpu, DT_GDT, &s->gdt);
	ops->get_dtable(vcpu, DT_IDT, &s->idt);
	s->cr0 = ops->get_creg(vcpu, CREG_CR0);
	s->cr2 = ops->get_creg(vcpu, CREG_CR2);
	s->cr3 = ops->get_creg(vcpu, CREG_CR3);
	s->cr4 = vcpu->cr4;
	s->cr8 = vcpu->cr8;
	s->efer = ops->get_creg(vcpu, CREG_EFER);
	s->apic_base = vcpu->apic_base;
	if (vcpu->irq.injected)
		s->interrupt_bitmap[vcpu->irq.nr / 64] |= 1ull << vcpu->irq.nr % 64;
}

int state_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *s)
{
	unsigned int i, j;

	if (check_sregs(vcpu, s))
		return -EINVAL;
	ops->set_creg(vcpu, CREG_EFER, s->efer);
	ops->set_creg(vcpu, CREG_CR0, s->cr0);
	ops->set_creg(vcpu, CREG_CR2, s->cr2);
	ops->set_creg(vcpu, CREG_CR3, s->cr3);
	ops->set_creg(vcpu, CREG_CR4, s->cr4);
	vcpu->cr8 = s->cr8;
	/* for user space that looks at it before the next run does */
	vcpu->run->cr8 = s->cr8;
	vcpu->apic_base = s->apic_base;
	for (i = 0; i < ARRAY_SIZE(segments); i++)
		ops->set_segment(vcpu, segments[i].seg, (const void *)s + segments[i].offset);
	ops->set_dtable(vcpu, DT_GDT, &s->gdt);
	ops->set_dtable(vcpu, DT_IDT, &s->idt);
	for (i = 0; i < ARRAY_SIZE(s->interrupt_bitmap); i++)
		for (j = 0; j < 64; j++)
			if (s->interrupt_bitmap[i] >> j & 1)
				return event_interrupt(vcpu, i * 64 + j);
	return 0;
}

/* --------------------------------------------------------- FPU and what came after */

/* What the host has, of what this module would let a guest have. AMX is not among it. */
u64 state_xcr0_supported(void)
{
	u64 known = XFEATURE_MASK_FP | XFEATURE_MASK_SSE | XFEATURE_MASK_YMM |
		    XFEATURE_MASK_AVX512 | XFEATURE_MASK_PKRU;

	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return 0;
	return known & xgetbv(XCR_XFEATURE_ENABLED_MASK);
}

unsigned int state_xsave_size(void)
{
	return sizeof(struct kvm_xsave);
}

/* The whole state in the format of XSAVE, or of FXSAVE where there is no XSAVE. */
static struct kvm_xsave *copy_xsave(struct vcpu *vcpu)
{
	struct kvm_xsave *area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);

	if (area)
		fpu_copy_guest_fpstate_to_uabi(&vcpu->fpu, area, sizeof(*area),
					       state_xcr0_supported() | XFEATURE_MASK_FPSSE,
					       vcpu->pkru);
	return area;
}

static int set_xsave(struct vcpu *vcpu, const struct kvm_xsave *area)
{
	return fpu_copy_uabi_to_guest_fpstate(&vcpu->fpu, area,
					      state_xcr0_supported() | XFEATURE_MASK_FPSSE,
					      (u32 *)&vcpu->pkru);
}

int state_get_xsave(struct vcpu *vcpu, void __user *to, size_t size)
{
	struct kvm_xsave *area = copy_xsave(vcpu);
	int r = 0;

	if (!area)
		return -ENOMEM;
	if (copy_to_user(to, area, min(size, sizeof(*area))))
		r = -EFAULT;
	kfree(area);
	return r;
}

int state_set_xsave(struct vcpu *vcpu, const void __user *from, size_t size)
{
	struct kvm_xsave *area = memdup_user(from, size);
	int r;

	if (IS_ERR(area))
		return PTR_ERR(area);
	r = set_xsave(vcpu, area);
	kfree(area);
	return r;
}

/* FXSAVE's 64-bit format (APM 2, 11.4.4): the first 512 bytes of either area. */
int state_get_fpu(struct vcpu *vcpu, struct kvm_fpu *fpu)
{
	struct kvm_xsave *area = copy_xsave(vcpu);
	struct fxregs_state *fx = (void *)area;

	if (!area)
		return -ENOMEM;
	memset(fpu, 0, sizeof(*fpu));
	memcpy(fpu->fpr, fx->st_space, sizeof(fpu->fpr));
	fpu->fcw = fx->cwd;
	fpu->fsw = fx->swd;
	fpu->ftwx = fx->twd;
	fpu->last_opcode = fx->fop;
	fpu->last_ip = fx->rip;
	fpu->last_dp = fx->rdp;
	memcpy(fpu->xmm, fx->xmm_space, sizeof(fpu->xmm));
	fpu->mxcsr = fx->mxcsr;
	kfree(area);
	return 0;
}

int state_set_fpu(struct vcpu *vcpu, const struct kvm_fpu *fpu)
{
	struct kvm_xsave *area = copy_xsave(vcpu);
	struct xregs_state *xsave = (void *)area;
	struct fxregs_state *fx = (void *)area;
	int r;

	if (!area)
		return -ENOMEM;
	memcpy(fx->st_space, fpu->fpr, sizeof(fpu->fpr));
	fx->cwd = fpu->fcw;
	fx->swd = fpu->fsw;
	fx->twd = fpu->ftwx;
	fx->fop = fpu->last_opcode;
	fx->rip = fpu->last_ip;
	fx->rdp = fpu->last_dp;
	memcpy(fx->xmm_space, fpu->xmm, sizeof(fpu->xmm));
	/* MXCSR stays, as on stock KVM: most leave it 0, which would unmask every exception */
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		xsave->header.xfeatures |= XFEATURE_MASK_FPSSE;
	r = set_xsave(vcpu, area);
	kfree(area);
	return r;
}

void state_get_xcrs(struct vcpu *vcpu, struct kvm_xcrs *xcrs)
{
	memset(xcrs, 0, sizeof(*xcrs));
	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return;
	xcrs->nr_xcrs = 1;
	xcrs->xcrs[0].xcr = XCR_XFEATURE_ENABLED_MASK;
	xcrs->xcrs[0].value = vcpu->xcr0;
}

/* Before KVM_SET_CPUID2 the guest has what the host has. */
static u64 guest_xcr0(struct vcpu *vcpu)
{
	u64 offered = cpuid_word(vcpu, 0xd, 0, RAX) | (u64)cpuid_word(vcpu, 0xd, 0, RDX) << 32;

	return state_xcr0_supported() & (vcpu->nr_cpuid ? offered | XFEATURE_MASK_FP : ~0ull);
}

/* APM 2, 11.5.2: which components need which. */
int state_set_xcr0(struct vcpu *vcpu, u64 value)
{
	if (!(value & XFEATURE_MASK_FP) || value & ~guest_xcr0(vcpu))
		return -EINVAL;
	if (value & XFEATURE_MASK_YMM && !(value & XFEATURE_MASK_SSE))
		return -EINVAL;
	if (value & XFEATURE_MASK_AVX512 &&
	    ((value & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512 || !(value & XFEATURE_MASK_YMM)))
		return -EINVAL;
	vcpu->xcr0 = value;
	return 0;
}

int state_set_xcrs(struct vcpu *vcpu, const struct kvm_xcrs *xcrs)
{
	u32 i;

	if (!boot_cpu_has(X86_FEATURE_XSAVE) || xcrs->nr_xcrs > KVM_MAX_XCRS || xcrs->flags)
		return -EINVAL;
	for (i = 0; i < xcrs->nr_xcrs; i++)
		if (xcrs->xcrs[i].xcr == XCR_XFEATURE_ENABLED_MASK)
			return state_set_xcr0(vcpu, xcrs->xcrs[i].value);
	return 0;
}

/* -------------------------------------------------------------- debug, translate */

void state_get_debugregs(struct vcpu *vcpu, struct kvm_debugregs *d)
{
	memset(d, 0, sizeof(*d));
	memcpy(d->db, vcpu->dr, sizeof(d->db));
	d->dr6 = vcpu->dr6;
	d->dr7 = vcpu->dr7;
}

int state_set_debugregs(struct vcpu *vcpu, const struct kvm_debugregs *d)
{
	if (d->flags || d->dr6 >> 32 || d->dr7 >> 32)
		return -EINVAL;
	memcpy(vcpu->dr, d->db, sizeof(d->db));
	vcpu->dr6 = d->dr6 | DR6_FIXED;
	vcpu->dr7 = d->dr7 | DR7_FIXED;
	ops->update_debug(vcpu);
	return 0;
}

void state_translate(struct vcpu *vcpu, struct kvm_translation *tr)
{
	gpa_t gpa = 0;
	u32 error;
	int r;

	down_read(&vcpu->vm->slots_lock);
	r = walk_gva(vcpu, tr->linear_address, 0, &gpa, &error);
	up_read(&vcpu->vm->slots_lock);
	tr->valid = !r;
	tr->physical_address = r ? ~0ull : gpa;
	tr->writeable = 1;
	tr->usermode = 0;
}
