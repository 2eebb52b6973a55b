/* SPDX-License-Identifier: GPL-2.0-only */
/* vmx_check.c - VT-x: what of it a CPU has and has to have (SDM 3, appendix A) */
#include <linux/smp.h>
#include <asm/msr.h>

#include "compat.h"
#include "main.h"
#include "vmx.h"

bool vmx_present(void)
{
	return cpuid_ecx(1) & BIT(5);
}

static bool allowed_by_firmware(void)
{
	u64 allowed = FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX, value;

	/* the kernel has locked it with VT-x on, if the firmware left that open */
	return !rdmsrl_safe(MSR_IA32_FEAT_CTL, &value) && (value & allowed) == allowed;
}

static bool is_alone(void)
{
	return !main_module_loaded("kvm_intel");
}

static void look_at_cr4(void *in_use)
{
	if (__read_cr4() & X86_CR4_VMXE)
		*(bool *)in_use = true;
}

/* Whoever else it may be; kvm_intel that is being loaded sees it the same way. */
static bool is_free(void)
{
	bool in_use = false;

	on_each_cpu(look_at_cr4, &in_use, 1);
	return !in_use;
}

/* Under FRED an NMI is not handled by INT 2, and a VMCS has more of the host's state. */
static bool is_without_fred(void)
{
	return !compat_has_fred();
}

static const struct requirement requirements[] = {
	{ allowed_by_firmware, -ENODEV,
	  "VT-x (VMX) is switched off by the firmware: enable it in the BIOS/UEFI setup" },
	{ is_without_fred, -EOPNOTSUPP, "this kernel uses FRED, which kvmrun does not know: fred=off" },
	{ is_alone, -EBUSY, "kvm_intel is loaded, and VT-x is for one hypervisor: modprobe -r kvm_intel" },
	{ is_free, -EBUSY, "VT-x is in use by another hypervisor (CR4.VMXE is set): unload that" },
};

#define PIN	MSR_IA32_VMX_TRUE_PINBASED_CTLS
#define PROC	MSR_IA32_VMX_TRUE_PROCBASED_CTLS
#define PROC2	MSR_IA32_VMX_PROCBASED_CTLS2
#define EXIT	MSR_IA32_VMX_TRUE_EXIT_CTLS
#define ENTRY	MSR_IA32_VMX_TRUE_ENTRY_CTLS
#define EPT	MSR_IA32_VMX_EPT_VPID_CAP

/* What a CPU has to have; of those that are controls, what each vCPU runs with. */
static const struct {
	u32 msr, bits;
	const char *name;
} features[] = {
	{ PIN, PIN_BASED_EXT_INTR_MASK, "exits by interrupts" },
	{ PROC, CPU_BASED_ACTIVATE_SECONDARY_CONTROLS, "secondary controls" },
	{ PROC2, SECONDARY_EXEC_ENABLE_EPT, "EPT (nested paging)" },
	{ PROC2, SECONDARY_EXEC_UNRESTRICTED_GUEST, "unrestricted guests (real mode)" },
	{ EPT, VMX_EPT_PAGE_WALK_4_BIT, "EPT of four levels" },
	{ EPT, VMX_EPTP_WB_BIT, "write-back EPT" },
	{ EPT, VMX_EPT_INVEPT_BIT, "INVEPT" },
	{ EPT, VMX_EPT_EXTENT_CONTEXT_BIT, "INVEPT of one EPT" },
	{ PIN, PIN_BASED_NMI_EXITING, "exits by NMIs" },
	{ PIN, PIN_BASED_VIRTUAL_NMIS, "virtual NMIs" },
	{ PROC, CPU_BASED_USE_TSC_OFFSETTING, "an offset of the TSC" },
	{ PROC, CPU_BASED_HLT_EXITING, "exits by HLT" },
	{ PROC, CPU_BASED_MWAIT_EXITING, "exits by MWAIT" },
	{ PROC, CPU_BASED_MONITOR_EXITING, "exits by MONITOR" },
	{ PROC, CPU_BASED_RDPMC_EXITING, "exits by RDPMC" },
	{ PROC, CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING, "exits by CR8" },
	{ PROC, CPU_BASED_MOV_DR_EXITING, "exits by debug registers" },
	{ PROC, CPU_BASED_UNCOND_IO_EXITING, "exits by ports" },
	{ PROC, CPU_BASED_USE_MSR_BITMAPS, "bitmaps of MSRs" },
	{ PROC, CPU_BASED_INTR_WINDOW_EXITING, "exits when interrupts can be taken" },
	{ PROC, CPU_BASED_NMI_WINDOW_EXITING, "exits when NMIs can be taken" },
	{ PROC2, SECONDARY_EXEC_WBINVD_EXITING, "exits by WBINVD" },
	{ EXIT, VM_EXIT_HOST_ADDR_SPACE_SIZE, "hosts in long mode" },
	{ EXIT, VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT, "PAT swapped at exits" },
	{ EXIT, VM_EXIT_SAVE_IA32_EFER | VM_EXIT_LOAD_IA32_EFER, "EFER swapped at exits" },
	{ ENTRY, VM_ENTRY_LOAD_DEBUG_CONTROLS, "DR7 loaded at entries" },
	{ ENTRY, VM_ENTRY_LOAD_IA32_PAT, "PAT loaded at entries" },
	{ ENTRY, VM_ENTRY_LOAD_IA32_EFER, "EFER loaded at entries" },
};

u64 vmx_capability(u32 msr)
{
	u64 value;

	return rdmsrl_safe(msr, &value) ? 0 : value;
}

/* SDM 3, A.3 to A.5: of controls the upper half says which may be 1, the lower which must be. */
u32 vmx_can_be_set(u32 msr)
{
	return msr == EPT ? vmx_capability(msr) : vmx_capability(msr) >> 32;
}

u32 vmx_controls(u32 msr, u32 optional)
{
	u32 value = (u32)vmx_capability(msr) | (optional & vmx_can_be_set(msr));
	size_t i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].msr == msr)
			value |= features[i].bits;
	return value;
}

int vmx_check(void)
{
	int r = main_check(requirements, ARRAY_SIZE(requirements));
	size_t i;

	for (i = 0; !r && i < ARRAY_SIZE(features); i++)
		if (features[i].bits & ~vmx_can_be_set(features[i].msr)) {
			pr_err("this CPU's VT-x, or what of it this virtual machine has, lacks %s\n",
			       features[i].name);
			r = -EOPNOTSUPP;
		}
	return r;
}
