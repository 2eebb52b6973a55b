/* SPDX-License-Identifier: GPL-2.0-only */
/* msr.c - model-specific registers: one table for RDMSR, WRMSR and user space */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>

#include "kvmrun.h"

#define MAX_MSR_IO 256	/* of one KVM_GET_MSRS or KVM_SET_MSRS */

enum kind {
	HW,	/* where the processor keeps it: ops->get_msr */
	STORED,	/* a value that nothing looks at */
	ZERO,	/* reads as 0, takes any write */
	VALUE,	/* the functions */
};

struct row {
	u32 first, last;
	u8 kind;
	bool listed;	/* user space saves and restores it */
	int (*get)(struct vcpu *vcpu, u64 *value);
	int (*set)(struct vcpu *vcpu, u64 value, bool host);
	const char *why;
};

/* ------------------------------------------------------------------ functions */

static int get_tsc(struct vcpu *vcpu, u64 *value)
{
	*value = rdtsc() + vcpu->tsc_offset;
	return 0;
}

/* The guest's own writes show in TSC_ADJUST, user space's do not (SDM 3, 18.17.3). */
static int set_tsc(struct vcpu *vcpu, u64 value, bool host)
{
	u64 offset = value - rdtsc();

	if (!host)
		vcpu->tsc_adjust += offset - vcpu->tsc_offset;
	vcpu->tsc_offset = offset;
	return 0;
}

static int get_tsc_adjust(struct vcpu *vcpu, u64 *value)
{
	*value = vcpu->tsc_adjust;
	return 0;
}

static int set_tsc_adjust(struct vcpu *vcpu, u64 value, bool host)
{
	if (!host)
		vcpu->tsc_offset += value - vcpu->tsc_adjust;
	vcpu->tsc_adjust = value;
	return 0;
}

static int get_apic_base(struct vcpu *vcpu, u64 *value)
{
	*value = vcpu->apic_base;
	return 0;
}

static int set_apic_base(struct vcpu *vcpu, u64 value, bool host)
{
	if (value & (0xff | X2APIC_ENABLE) || value >> boot_cpu_data.x86_phys_bits)
		return -EINVAL;
	vcpu->apic_base = value;
	return 0;
}

static int get_efer(struct vcpu *vcpu, u64 *value)
{
	*value = ops->get_creg(vcpu, CREG_EFER);
	return 0;
}

static int set_efer(struct vcpu *vcpu, u64 value, bool host)
{
	u64 old = ops->get_creg(vcpu, CREG_EFER);
	u64 known = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX |
		    (boot_cpu_has(X86_FEATURE_FXSR_OPT) ? EFER_FFXSR : 0);

	if (value & ~known)
		return -EINVAL;
	/* with paging on long mode stays what it is; LMA is the processor's */
	if (ops->get_creg(vcpu, CREG_CR0) & X86_CR0_PG && (old ^ value) & EFER_LME)
		return -EINVAL;
	ops->set_creg(vcpu, CREG_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
	return 0;
}

static int get_tsc_aux(struct vcpu *vcpu, u64 *value)
{
	if (!boot_cpu_has(X86_FEATURE_RDTSCP))
		return -EINVAL;
	*value = vcpu->tsc_aux;
	return 0;
}

static int set_tsc_aux(struct vcpu *vcpu, u64 value, bool host)
{
	if (!boot_cpu_has(X86_FEATURE_RDTSCP) || value >> 32)
		return -EINVAL;
	vcpu->tsc_aux = value;
	return 0;
}

static u64 spec_ctrl_bits(void)
{
	u64 bits = 0;

	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		return 0;
	if (boot_cpu_has(X86_FEATURE_AMD_IBRS) || boot_cpu_has(X86_FEATURE_SPEC_CTRL))
		bits |= SPEC_CTRL_IBRS;
	if (boot_cpu_has(X86_FEATURE_AMD_STIBP) || boot_cpu_has(X86_FEATURE_INTEL_STIBP))
		bits |= SPEC_CTRL_STIBP;
	if (boot_cpu_has(X86_FEATURE_AMD_SSBD) || boot_cpu_has(X86_FEATURE_SPEC_CTRL_SSBD))
		bits |= SPEC_CTRL_SSBD;
	return bits;
}

static int get_spec_ctrl(struct vcpu *vcpu, u64 *value)
{
	*value = vcpu->spec_ctrl;
	return spec_ctrl_bits() ? 0 : -EINVAL;
}

static int set_spec_ctrl(struct vcpu *vcpu, u64 value, bool host)
{
	if (!spec_ctrl_bits() || value & ~spec_ctrl_bits())
		return -EINVAL;
	vcpu->spec_ctrl = value;
	return 0;
}

/* Write-only: the barrier happens here and now. */
static int set_pred_cmd(struct vcpu *vcpu, u64 value, bool host)
{
	if (!boot_cpu_has(X86_FEATURE_IBPB) || value & ~(u64)PRED_CMD_IBPB)
		return -EINVAL;
	if (value && !host)
		wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	return 0;
}

static int get_mtrr_cap(struct vcpu *vcpu, u64 *value)
{
	*value = 0x508;	/* write combining, fixed ranges, 8 variable ones */
	return 0;
}

/* ---------------------------------------------------------------------- table */

static const struct row rows[] = {
	{ MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP, HW, true },
	{ MSR_STAR, MSR_SYSCALL_MASK, HW, true },
	{ MSR_FS_BASE, MSR_GS_BASE, HW, false, .why = "GET_SREGS has them" },
	{ MSR_KERNEL_GS_BASE, MSR_KERNEL_GS_BASE, HW, true },
	{ MSR_IA32_CR_PAT, MSR_IA32_CR_PAT, HW, true },
	{ MSR_IA32_TSC, MSR_IA32_TSC, VALUE, true, get_tsc, set_tsc },
	{ MSR_IA32_TSC_ADJUST, MSR_IA32_TSC_ADJUST, VALUE, true, get_tsc_adjust, set_tsc_adjust },
	{ MSR_TSC_AUX, MSR_TSC_AUX, VALUE, true, get_tsc_aux, set_tsc_aux },
	{ MSR_IA32_APICBASE, MSR_IA32_APICBASE, VALUE, false, get_apic_base, set_apic_base },
	{ MSR_EFER, MSR_EFER, VALUE, false, get_efer, set_efer },
	{ MSR_IA32_SPEC_CTRL, MSR_IA32_SPEC_CTRL, VALUE, true, get_spec_ctrl, set_spec_ctrl },
	{ MSR_IA32_PRED_CMD, MSR_IA32_PRED_CMD, VALUE, false, NULL, set_pred_cmd },

	/* memory types: the nested tables and PAT have the last word */
	{ MSR_MTRRcap, MSR_MTRRcap, VALUE, false, get_mtrr_cap, NULL },
	{ 0x200, 0x20f, STORED, false, .why = "variable MTRRs" },
	{ 0x250, 0x250, STORED, false, .why = "fixed MTRRs" },
	{ 0x258, 0x259, STORED, false, .why = "fixed MTRRs" },
	{ 0x268, 0x26f, STORED, false, .why = "fixed MTRRs" },
	{ MSR_MTRRdefType, MSR_MTRRdefType, STORED, false },

	/* machine checks: banks that never have one */
	{ MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL, STORED, false },
	{ 0x400, 0x427, STORED, false, .why = "10 banks of 4" },

	/* what kernels and clients of stock KVM write and go on */
	{ 0x11, 0x12, STORED, false, .why = "KVM's clocks, first numbers" },
	{ 0x4b564d00, 0x4b564d01, STORED, false, .why = "KVM's clocks: CPUID does not offer them" },
	{ MSR_IA32_UCODE_REV, MSR_IA32_UCODE_REV, STORED, false },
	{ MSR_IA32_MISC_ENABLE, MSR_IA32_MISC_ENABLE, STORED, false },
	{ MSR_IA32_PLATFORM_ID, MSR_IA32_PLATFORM_ID, ZERO, false },
	{ MSR_IA32_EBL_CR_POWERON, MSR_IA32_EBL_CR_POWERON, ZERO, false },
	{ MSR_IA32_DEBUGCTLMSR, MSR_IA32_DEBUGCTLMSR, ZERO, false },
	{ MSR_IA32_LASTBRANCHFROMIP, MSR_IA32_LASTINTTOIP, ZERO, false },
	{ MSR_AMD64_SYSCFG, MSR_AMD64_SYSCFG, ZERO, false },
	{ MSR_K7_HWCR, MSR_K7_HWCR, STORED, false },
	{ MSR_AMD64_NB_CFG, MSR_AMD64_NB_CFG, ZERO, false },
	{ MSR_K8_INT_PENDING_MSG, MSR_K8_INT_PENDING_MSG, ZERO, false },
	{ MSR_FAM10H_MMIO_CONF_BASE, MSR_FAM10H_MMIO_CONF_BASE, ZERO, false },
	{ MSR_VM_CR, MSR_VM_CR, ZERO, false },
	{ MSR_K8_TSEG_ADDR, MSR_K8_TSEG_MASK, ZERO, false },
	{ 0xc0011029, 0xc0011029, STORED, false, .why = "DE_CFG" },
	{ MSR_AMD64_BU_CFG2, MSR_AMD64_BU_CFG2, ZERO, false },
};

static const struct row *find(u32 index)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (index >= rows[i].first && index <= rows[i].last)
			return &rows[i];
	return NULL;
}

/* Each stored one has its place in vcpu->msrs, in the table's order. */
static u64 *stored(struct vcpu *vcpu, u32 index)
{
	const struct row *row;
	size_t n = 0;

	for (row = rows; index < row->first || index > row->last; row++)
		if (row->kind == STORED)
			n += row->last - row->first + 1;
	return &vcpu->msrs[n + index - row->first];
}

int msr_get(struct vcpu *vcpu, u32 index, u64 *value, bool host)
{
	const struct row *row = find(index);

	*value = 0;
	if (!row)
		return -EINVAL;
	switch (row->kind) {
	case HW:
		return ops->get_msr(vcpu, index, value);
	case STORED:
		*value = *stored(vcpu, index);
		return 0;
	case ZERO:
		return 0;
	default:
		return row->get ? row->get(vcpu, value) : -EINVAL;
	}
}

static bool valid_pat(u64 value)
{
	int i;

	for (i = 0; i < 8; i++, value >>= 8)
		if ((value & 0xff) > 7 || (value & 0xff) == 2 || (value & 0xff) == 3)
			return false;
	return true;
}

/* Those that hold addresses of code or data must hold canonical ones. */
static bool valid_hw(u32 index, u64 value)
{
	switch (index) {
	case MSR_IA32_CR_PAT:
		return valid_pat(value);
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
		return (s64)(value << 16) >> 16 == (s64)value;
	default:
		return true;
	}
}

int msr_set(struct vcpu *vcpu, u32 index, u64 value, bool host)
{
	const struct row *row = find(index);

	if (!row)
		return -EINVAL;
	switch (row->kind) {
	case HW:
		return valid_hw(index, value) ? ops->set_msr(vcpu, index, value) : -EINVAL;
	case STORED:
		*stored(vcpu, index) = value;
		return 0;
	case ZERO:
		return 0;
	default:
		return row->set ? row->set(vcpu, value, host) : -EINVAL;
	}
}

void msr_reset(struct vcpu *vcpu)
{
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].kind == STORED)
			n += rows[i].last - rows[i].first + 1;
	if (WARN_ON_ONCE(n > STORED_MSRS))
		return;
	*stored(vcpu, MSR_IA32_MISC_ENABLE) = MSR_IA32_MISC_ENABLE_FAST_STRING;
	*stored(vcpu, MSR_IA32_UCODE_REV) = 0x01000065;
}

/* ----------------------------------------------------------------- user space */

static bool present(u32 index)
{
	return index != MSR_IA32_SPEC_CTRL || spec_ctrl_bits();
}

int msr_index_list(struct kvm_msr_list __user *to)
{
	u32 room, n = 0, index;
	size_t i;

	if (get_user(room, &to->nmsrs))
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (index = rows[i].first; rows[i].listed && index <= rows[i].last; index++) {
			if (!present(index))
				continue;
			if (n < room && put_user(index, &to->indices[n]))
				return -EFAULT;
			n++;
		}
	if (put_user(n, &to->nmsrs))
		return -EFAULT;
	return n > room ? -E2BIG : 0;
}

int msr_get_list(struct vcpu *vcpu, struct kvm_msrs __user *msrs)
{
	struct kvm_msr_entry entry;
	u32 n, i;
	u64 value;

	if (get_user(n, &msrs->nmsrs))
		return -EFAULT;
	if (n >= MAX_MSR_IO)
		return -E2BIG;
	for (i = 0; i < n; i++) {
		if (copy_from_user(&entry, &msrs->entries[i], sizeof(entry)))
			return -EFAULT;
		if (msr_get(vcpu, entry.index, &value, true))
			break;
		if (put_user(value, &msrs->entries[i].data))
			return -EFAULT;
	}
	return i;
}

int msr_set_list(struct vcpu *vcpu, struct kvm_msrs __user *msrs)
{
	struct kvm_msr_entry entry;
	u32 n, i;

	if (get_user(n, &msrs->nmsrs))
		return -EFAULT;
	if (n >= MAX_MSR_IO)
		return -E2BIG;
	for (i = 0; i < n; i++) {
		if (copy_from_user(&entry, &msrs->entries[i], sizeof(entry)))
			return -EFAULT;
		if (msr_set(vcpu, entry.index, entry.data, true))
			break;
	}
	return i;
}
