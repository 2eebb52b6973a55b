/* SPDX-License-Identifier: GPL-2.0-only */
/* msr.c - model-specific registers: one table for RDMSR, WRMSR and user space */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/kvm_para.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>

#include "kvmrun.h"

#define MAX_MSR_IO 256	/* of one KVM_GET_MSRS or KVM_SET_MSRS */

enum kind {
	HW,	/* where the processor keeps it: ops->get_msr */
	FIELD,	/* a u64 of struct vcpu */
	STORED,	/* a value that nothing looks at, in vcpu->msrs */
	ZERO,	/* reads as 0, takes any write */
	CALL,	/* no place of its own: what get or set do not do is refused */
};

#define LISTED		1	/* user space saves and restores it */
#define HOST_WRITES	2	/* to the guest it is read-only */

struct row {
	u32 first, last;
	u8 kind, flags;
	u8 pv;			/* 1 + the bit of KVM_CPUID_FEATURES that offers it */
	u16 field;		/* its offset in struct vcpu */
	u64 zero;		/* bits that must not be set */
	u64 reset;		/* of STORED: the value after RESET */
	bool (*present)(void);
	bool (*check)(u32 index, u64 value);
	/* Instead of the kind's own way. 0, or -EINVAL: #GP. */
	int (*get)(struct vcpu *vcpu, u64 *value, bool host);
	int (*set)(struct vcpu *vcpu, u64 value, bool host);
	/* What KVM_GET_MSRS on the device answers: a capability of the host. */
	u64 (*feature)(void);
	const char *why;
};

/* ------------------------------------------------------------------ functions */

static bool canonical(u32 index, u64 value)
{
	return (s64)(value << 16) >> 16 == (s64)value;
}

static bool valid_pat(u32 index, u64 value)
{
	int i;

	for (i = 0; i < 8; i++, value >>= 8)
		if ((value & 0xff) > 7 || (value & 0xff) == 2 || (value & 0xff) == 3)
			return false;
	return true;
}

static bool valid_apic_base(u32 index, u64 value)
{
	return !state_check_apic_base(value);
}

static int get_efer(struct vcpu *vcpu, u64 *value, bool host)
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

static bool has_tsc_aux(void)
{
	return boot_cpu_has(X86_FEATURE_RDTSCP);
}

static int set_tsc_aux(struct vcpu *vcpu, u64 value, bool host)
{
	/* what the guest writes it reads without leaving */
	preempt_disable();
	if (!host)
		ops->put(vcpu);
	vcpu->tsc_aux = value;
	if (!host)
		ops->load(vcpu);
	preempt_enable();
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

static bool has_spec_ctrl(void)
{
	return spec_ctrl_bits();
}

static bool valid_spec_ctrl(u32 index, u64 value)
{
	return !(value & ~spec_ctrl_bits());
}

static bool has_ibpb(void)
{
	return boot_cpu_has(X86_FEATURE_IBPB);
}

/* Write-only: the barrier happens here and now. */
static int set_pred_cmd(struct vcpu *vcpu, u64 value, bool host)
{
	if (value && !host)
		wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	return 0;
}

static int get_mtrr_cap(struct vcpu *vcpu, u64 *value, bool host)
{
	*value = 0x508;	/* write combining, fixed ranges, 8 variable ones */
	return 0;
}

static int get_platform_info(struct vcpu *vcpu, u64 *value, bool host)
{
	*value = vcpu->platform_info;
	return host || !READ_ONCE(vcpu->vm->hide_platform_info) ? 0 : -EINVAL;
}

static u64 host_ucode_rev(void)
{
	u64 value = 0;

	rdmsrl_safe(MSR_IA32_UCODE_REV, &value);
	return value;
}

static u64 host_de_cfg(void)
{
	return boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) ? MSR_AMD64_DE_CFG_LFENCE_SERIALIZE : 0;
}

/* ---------------------------------------------------------------------- table */

#define ONE(index) .first = index, .last = index
#define TO(from, to) .first = from, .last = to
#define IN(name) .field = offsetof(struct vcpu, name), .kind = FIELD
#define PV(name) .pv = 1 + KVM_FEATURE_##name

static const struct row rows[] = {
	{ ONE(MSR_IA32_SYSENTER_CS), HW, LISTED },
	{ TO(MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP), HW, LISTED, .check = canonical },
	{ ONE(MSR_STAR), HW, LISTED },
	{ TO(MSR_LSTAR, MSR_CSTAR), HW, LISTED, .check = canonical },
	{ ONE(MSR_SYSCALL_MASK), HW, LISTED },
	{ TO(MSR_FS_BASE, MSR_GS_BASE), HW, .check = canonical, .why = "GET_SREGS has them" },
	{ ONE(MSR_KERNEL_GS_BASE), HW, LISTED, .check = canonical },
	{ ONE(MSR_IA32_CR_PAT), HW, LISTED, .check = valid_pat },
	{ ONE(MSR_IA32_TSC), CALL, LISTED, .get = clock_get_tsc, .set = clock_set_tsc },
	{ ONE(MSR_IA32_TSC_ADJUST), IN(tsc_adjust), LISTED, .set = clock_set_tsc_adjust },
	{ ONE(MSR_TSC_AUX), IN(tsc_aux), LISTED, .present = has_tsc_aux,
	  .zero = ~0ull << 32, .set = set_tsc_aux },
	{ ONE(MSR_IA32_APICBASE), IN(apic_base), .check = valid_apic_base },
	{ ONE(MSR_EFER), CALL, .get = get_efer, .set = set_efer },
	{ ONE(MSR_IA32_SPEC_CTRL), IN(spec_ctrl), LISTED, .present = has_spec_ctrl,
	  .check = valid_spec_ctrl },
	{ ONE(MSR_IA32_PRED_CMD), CALL, .present = has_ibpb, .zero = ~(u64)PRED_CMD_IBPB,
	  .set = set_pred_cmd },

	/* memory types: the nested tables and PAT have the last word */
	{ ONE(MSR_MTRRcap), CALL, .get = get_mtrr_cap },
	{ TO(0x200, 0x20f), STORED, .why = "variable MTRRs" },
	{ ONE(0x250), STORED, .why = "fixed MTRRs" },
	{ TO(0x258, 0x259), STORED, .why = "fixed MTRRs" },
	{ TO(0x268, 0x26f), STORED, .why = "fixed MTRRs" },
	{ ONE(MSR_MTRRdefType), STORED },

	/* machine checks: banks that never have one */
	{ TO(MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL), STORED },
	{ TO(0x400, 0x427), STORED, .why = "10 banks of 4" },

	/* KVM's own: asm/kvm_para.h */
	{ ONE(MSR_KVM_WALL_CLOCK), CALL, LISTED, PV(CLOCKSOURCE),
	  .get = clock_get_wall, .set = clock_set_wall },
	{ ONE(MSR_KVM_SYSTEM_TIME), IN(pv_time), LISTED, PV(CLOCKSOURCE), .set = clock_set_pv_time },
	{ ONE(MSR_KVM_WALL_CLOCK_NEW), CALL, LISTED, PV(CLOCKSOURCE2),
	  .get = clock_get_wall, .set = clock_set_wall },
	{ ONE(MSR_KVM_SYSTEM_TIME_NEW), IN(pv_time), LISTED, PV(CLOCKSOURCE2),
	  .set = clock_set_pv_time },
	{ ONE(MSR_KVM_STEAL_TIME), IN(pv_steal), LISTED, PV(STEAL_TIME), .present = clock_has_steal,
	  .zero = KVM_STEAL_RESERVED_MASK, .set = clock_set_steal },

	/* what kernels and clients of stock KVM write and go on */
	{ ONE(MSR_IA32_UCODE_REV), STORED, .reset = 0x01000065, .feature = host_ucode_rev },
	{ ONE(MSR_PLATFORM_INFO), IN(platform_info), LISTED | HOST_WRITES, .get = get_platform_info },
	{ ONE(MSR_IA32_MISC_ENABLE), STORED, .reset = MSR_IA32_MISC_ENABLE_FAST_STRING },
	{ ONE(MSR_IA32_POWER_CTL), STORED },
	{ ONE(MSR_IA32_PLATFORM_ID), ZERO },
	{ ONE(MSR_IA32_EBL_CR_POWERON), ZERO },
	{ ONE(MSR_IA32_DEBUGCTLMSR), ZERO },
	{ TO(MSR_IA32_LASTBRANCHFROMIP, MSR_IA32_LASTINTTOIP), ZERO },
	{ ONE(MSR_AMD64_SYSCFG), ZERO },
	{ ONE(MSR_K7_HWCR), STORED },
	{ ONE(MSR_AMD64_NB_CFG), ZERO },
	{ ONE(MSR_K8_INT_PENDING_MSG), ZERO },
	{ ONE(MSR_FAM10H_MMIO_CONF_BASE), ZERO },
	{ ONE(MSR_VM_CR), ZERO },
	{ TO(MSR_K8_TSEG_ADDR, MSR_K8_TSEG_MASK), ZERO },
	{ ONE(MSR_AMD64_DE_CFG), STORED, .feature = host_de_cfg },
	{ ONE(MSR_AMD64_BU_CFG2), ZERO },
};

static const struct row *find(u32 index)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (index >= rows[i].first && index <= rows[i].last)
			return rows[i].present && !rows[i].present() ? NULL : &rows[i];
	return NULL;
}

/* Where its value is: a field, or the place in vcpu->msrs by the table's order. */
static u64 *place(struct vcpu *vcpu, const struct row *row, u32 index)
{
	const struct row *r;
	size_t n = 0;

	if (row->kind == FIELD)
		return (void *)vcpu + row->field;
	for (r = rows; r < row; r++)
		if (r->kind == STORED)
			n += r->last - r->first + 1;
	return &vcpu->msrs[n + index - row->first];
}

/* Is it one of KVM's that this guest was not offered and must not have? */
static bool withheld(struct vcpu *vcpu, const struct row *row)
{
	return row->pv && vcpu->enforce_pv &&
	       !(cpuid_word(vcpu, KVM_CPUID_FEATURES, 0, RAX) & BIT(row->pv - 1));
}

int msr_get(struct vcpu *vcpu, u32 index, u64 *value, bool host)
{
	const struct row *row = find(index);

	*value = 0;
	if (!row)
		return -ENOENT;
	if (withheld(vcpu, row))
		return -EINVAL;
	if (row->get)
		return row->get(vcpu, value, host);
	switch (row->kind) {
	case HW:
		return ops->get_msr(vcpu, index, value);
	case FIELD:
	case STORED:
		*value = *place(vcpu, row, index);
		return 0;
	case ZERO:
		return 0;
	default:
		return -EINVAL;
	}
}

int msr_set(struct vcpu *vcpu, u32 index, u64 value, bool host)
{
	const struct row *row = find(index);

	if (!row)
		return -ENOENT;
	if (withheld(vcpu, row) || (row->flags & HOST_WRITES && !host) || value & row->zero ||
	    (row->check && !row->check(index, value)))
		return -EINVAL;
	if (row->set)
		return row->set(vcpu, value, host);
	switch (row->kind) {
	case HW:
		return ops->set_msr(vcpu, index, value);
	case FIELD:
	case STORED:
		*place(vcpu, row, index) = value;
		return 0;
	case ZERO:
		return 0;
	default:
		return -EINVAL;
	}
}

void msr_reset(struct vcpu *vcpu)
{
	const struct row *row;
	u64 *end = vcpu->msrs;

	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		if (row->kind != STORED)
			continue;
		end += row->last - row->first + 1;
		if (WARN_ON_ONCE(end > vcpu->msrs + STORED_MSRS))
			return;
		end[-1] = row->reset;
	}
}

/* ----------------------------------------------------------------- user space */

/* The indices of all rows, or of those that say something of the host. */
static int index_list(struct kvm_msr_list __user *to, bool features)
{
	u32 room, n = 0, index;
	const struct row *row;

	if (get_user(room, &to->nmsrs))
		return -EFAULT;
	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		if (features ? !row->feature : !(row->flags & LISTED))
			continue;
		for (index = row->first; find(index) && index <= row->last; index++, n++)
			if (n < room && put_user(index, &to->indices[n]))
				return -EFAULT;
	}
	if (put_user(n, &to->nmsrs))
		return -EFAULT;
	return n > room ? -E2BIG : 0;
}

int msr_index_list(struct kvm_msr_list __user *to)
{
	return index_list(to, false);
}

int msr_feature_list(struct kvm_msr_list __user *to)
{
	return index_list(to, true);
}

static int get_one(struct vcpu *vcpu, u32 index, u64 *value)
{
	const struct row *row;

	if (vcpu)
		return msr_get(vcpu, index, value, true);
	row = find(index);
	if (!row || !row->feature)
		return -ENOENT;
	*value = row->feature();
	return 0;
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
		if (get_one(vcpu, entry.index, &value))
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
