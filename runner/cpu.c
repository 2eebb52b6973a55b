/* SPDX-License-Identifier: GPL-2.0-only */
#include <cpuid.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cpu.h"
#include "msg.h"
#include "vm.h"

#define MAX_LEAVES 256
#define ALL 0xffffffffu
#define ANY 0xffffffffu		/* every subleaf */
#define BIT(n) (1u << (n))

enum reg { EAX, EBX, ECX, EDX };

/* What of the host's CPU the guest does not get, even where KVM would give it. */
static const struct {
	uint32_t leaf, subleaf;
	enum reg reg;
	uint32_t bits;
	const char *reason;
} hidden[] = {
	{ 0x1, ANY, ECX, BIT(2) | BIT(3), "DTES64, MONITOR: MWAIT would idle the host's CPU" },
	{ 0x1, ANY, ECX, BIT(5) | BIT(6), "VMX, SMX: no nesting" },
	{ 0x1, ANY, ECX, BIT(15), "PDCM: no performance counters" },
	{ 0x1, ANY, ECX, BIT(21) | BIT(24), "x2APIC, TSC deadline: there is no APIC" },
	{ 0x1, ANY, EDX, BIT(7) | BIT(14), "MCE, MCA: no machine checks" },
	{ 0x1, ANY, EDX, BIT(9), "APIC: there is none" },
	{ 0x1, ANY, EDX, BIT(21) | BIT(22), "DS, ACPI: no debug store, no thermal control" },
	{ 0x5, ANY, EAX, ALL, "MONITOR" },
	{ 0x5, ANY, EBX, ALL, "MONITOR" },
	{ 0x5, ANY, ECX, ALL, "MONITOR" },
	{ 0x5, ANY, EDX, ALL, "MONITOR" },
	{ 0x6, ANY, EAX, ALL & ~BIT(2), "power management, but for ARAT" },
	{ 0x6, ANY, EBX, ALL, "power management" },
	{ 0x6, ANY, ECX, ALL, "power management" },
	{ 0x7, 0, EBX, BIT(2), "SGX" },
	{ 0x7, 0, EBX, BIT(4) | BIT(11), "HLE, RTM: abort at host's whim, and leak" },
	{ 0x7, 0, EBX, BIT(12) | BIT(15), "RDT monitoring and allocation" },
	{ 0x7, 0, EBX, BIT(25), "processor trace" },
	{ 0x7, 0, ECX, BIT(3) | BIT(4), "PKU: the shim has no protection keys" },
	{ 0x7, 0, ECX, BIT(5), "WAITPKG: waits as MWAIT does" },
	{ 0x7, 0, ECX, BIT(7), "CET shadow stacks: the shim does not keep them" },
	{ 0x7, 0, ECX, BIT(16), "LA57: 47-bit addresses only" },
	{ 0x7, 0, ECX, BIT(23) | BIT(29) | BIT(30), "key locker, ENQCMD, SGX launch control" },
	{ 0x7, 0, EDX, BIT(5), "user interrupts" },
	{ 0x7, 0, EDX, BIT(18) | BIT(19), "PCONFIG, architectural LBR" },
	{ 0x7, 0, EDX, BIT(20), "CET indirect branch tracking" },
	{ 0x7, 0, EDX, BIT(22) | BIT(24) | BIT(25), "AMX: 8 KiB of state that few programs use" },
	{ 0x7, 1, EAX, BIT(21) | BIT(17), "AMX-FP16, FRED" },
	{ 0x7, 1, EDX, BIT(8) | BIT(19), "AMX-COMPLEX, AVX10" },
	{ 0xa, ANY, EAX, ALL, "performance counters" },
	{ 0xa, ANY, EBX, ALL, "performance counters" },
	{ 0xa, ANY, ECX, ALL, "performance counters" },
	{ 0xa, ANY, EDX, ALL, "performance counters" },
	{ 0xd, 1, EAX, BIT(3) | BIT(4), "XSAVES, XFD: the shim uses XSAVE" },
	{ 0x80000001, ANY, ECX, BIT(2), "SVM: no nesting" },
	{ 0x80000001, ANY, ECX, BIT(3), "extended APIC: there is none" },
	{ 0x80000001, ANY, ECX, BIT(9) | BIT(10), "OSVW, IBS" },
	{ 0x80000001, ANY, ECX, BIT(12) | BIT(15), "SKINIT, LWP" },
	{ 0x80000001, ANY, ECX, BIT(23) | BIT(24) | BIT(28), "performance counters" },
	{ 0x80000001, ANY, ECX, BIT(29), "MWAITX" },
	{ 0x80000001, ANY, EDX, BIT(7) | BIT(9), "MCE, APIC" },
	{ 0x80000008, ANY, ECX, ALL, "the host's number of cores" },
};

/* Leaves that read as zero as a whole, first to last. */
static const struct {
	uint32_t first, last;
	const char *reason;
} absent[] = {
	{ 0xb, 0xb, "topology: one CPU" },
	{ 0xf, 0x10, "RDT" },
	{ 0x12, 0x12, "SGX" },
	{ 0x14, 0x14, "processor trace" },
	{ 0x19, 0x19, "key locker" },
	{ 0x1b, 0x1c, "PCONFIG, LBR" },
	{ 0x1d, 0x1e, "AMX" },
	{ 0x1f, 0x24, "topology, history reset, performance counters, AVX10" },
	{ 0x40000000, 0x4fffffff, "paravirtual calls of hypervisors: the shim makes none" },
	{ 0x8000000a, 0x8000000a, "SVM" },
	{ 0x8000001b, 0x8000001f, "IBS, LWP, topology, SEV" },
	{ 0x80000020, 0x80000026, "RDT, performance counters, topology" },
	{ 0xc0000000, 0xcfffffff, "PadLock" },
};

static uint32_t *reg_of(struct kvm_cpuid_entry2 *e, enum reg reg)
{
	return reg == EAX ? &e->eax : reg == EBX ? &e->ebx : reg == ECX ? &e->ecx : &e->edx;
}

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; cpuid && i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == leaf &&
		    (e->index == subleaf || !(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return e;
	}
	return NULL;
}

uint32_t cpu_leaf(const struct vm *vm, uint32_t leaf, unsigned int reg)
{
	struct kvm_cpuid_entry2 *e = find(vm->cpuid, leaf, 0);

	return e ? *reg_of(e, reg) : 0;
}

/* What the device supports, or NULL when it has no CPUID calls. */
static struct kvm_cpuid2 *supported(const struct vm *vm)
{
	struct kvm_cpuid2 *cpuid;

	if (ioctl(vm->device, KVM_CHECK_EXTENSION, KVM_CAP_EXT_CPUID) <= 0)
		return NULL;
	cpuid = calloc(1, sizeof(*cpuid) + MAX_LEAVES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		die(KVMRUN_FAILED, "out of memory; close some programs");
	/* a device may take no more entries than it has room for: ask for less until it does */
	for (cpuid->nent = MAX_LEAVES; cpuid->nent >= 16; cpuid->nent /= 2) {
		if (ioctl(vm->device, KVM_GET_SUPPORTED_CPUID, cpuid) == 0)
			return cpuid;
		if (errno != E2BIG && errno != EINVAL)
			break;
	}
	die(KVMRUN_FAILED, "%s: does not tell its CPU features (KVM_GET_SUPPORTED_CPUID): %m",
	    vm->device_path);
}

static void hide(struct kvm_cpuid2 *cpuid)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 e = cpuid->entries[i];
		bool gone = false;

		for (size_t j = 0; j < sizeof(absent) / sizeof(absent[0]); j++)
			gone |= e.function >= absent[j].first && e.function <= absent[j].last;
		if (gone)
			continue;
		for (size_t j = 0; j < sizeof(hidden) / sizeof(hidden[0]); j++)
			if (e.function == hidden[j].leaf &&
			    (hidden[j].subleaf == ANY || hidden[j].subleaf == e.index))
				*reg_of(&e, hidden[j].reg) &= ~hidden[j].bits;
		cpuid->entries[kept++] = e;
	}
	cpuid->nent = kept;
}

/*
 * Software hypervisors that run CPL 3 on the CPU as it is list the components
 * of its XSAVE area (leaf 0xd) but leave XSAVE and what needs it out of their
 * features, which programs at CPL 3 see and use all the same. The shim has to
 * know of that state to keep it.
 */
static void add_native(struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid_entry2 *one = find(cpuid, 1, 0), *seven = find(cpuid, 7, 0);
	struct kvm_cpuid_entry2 *d = find(cpuid, 0xd, 0);
	unsigned int a, b, c, e;

	if (!one || !seven || !d || !(d->eax & 4) || one->ecx & BIT(26))
		return;
	__cpuid_count(1, 0, a, b, c, e);
	one->ecx |= c & (BIT(26) | BIT(28));		/* XSAVE, AVX */
	__cpuid_count(7, 0, a, b, c, e);
	seven->ebx |= b & BIT(0);			/* FSGSBASE */
}

/* x87, SSE, AVX, and AVX-512's three. */
#define XCR0_WANTED 0xe7ull

/* SDM vol. 1, 13.2: the standard form of the XSAVE area ends where its last component does. */
static void choose_xcr0(struct vm *vm)
{
	struct kvm_cpuid_entry2 *d = find(vm->cpuid, 0xd, 0);

	vm->xsave_size = 512;
	if (!(cpu_leaf(vm, 1, ECX) & BIT(26)) || !d ||
	    ioctl(vm->device, KVM_CHECK_EXTENSION, KVM_CAP_XCRS) <= 0)
		return;
	vm->xcr0 = d->eax & XCR0_WANTED;
	/* AVX-512's come together or not at all, and not without AVX (vol. 1, 13.3) */
	if ((vm->xcr0 & 0xe4) != 0xe4)
		vm->xcr0 &= 7;
	vm->xsave_size = 512 + 64;
	for (uint32_t i = 2; i < 64; i++) {
		struct kvm_cpuid_entry2 *e = vm->xcr0 >> i & 1 ? find(vm->cpuid, 0xd, i) : NULL;

		if (e && e->ebx + e->eax > vm->xsave_size)
			vm->xsave_size = e->ebx + e->eax;
	}
	/* the other components do not exist for the guest */
	for (uint32_t i = 0; i < vm->cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &vm->cpuid->entries[i];

		if (e->function == 0xd && e->index >= 2 &&
		    !(e->index < 64 && vm->xcr0 >> e->index & 1))
			e->eax = e->ebx = e->ecx = e->edx = 0;
	}
	d->eax = vm->xcr0;
	d->edx = 0;
	d->ecx = vm->xsave_size;
}

#define CR4_PAE		BIT(5)
#define CR4_PGE		BIT(7)
#define CR4_OSFXSR	BIT(9)
#define CR4_OSXMMEXCPT	BIT(10)
#define CR4_UMIP	BIT(11)
#define CR4_FSGSBASE	BIT(16)
#define CR4_OSXSAVE	BIT(18)

static void choose_cr4(struct vm *vm)
{
	uint32_t features = cpu_leaf(vm, 7, EBX);

	vm->cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	if (vm->xcr0)
		vm->cr4 |= CR4_OSXSAVE;
	if (cpu_leaf(vm, 7, ECX) & BIT(2))
		vm->cr4 |= CR4_UMIP;
	if (features & BIT(0)) {
		vm->cr4 |= CR4_FSGSBASE;
		vm->boot_flags |= ABI_BOOT_FSGSBASE;
	}
	if (features & BIT(7))
		vm->boot_flags |= ABI_BOOT_SMEP;
	if (features & BIT(20))
		vm->boot_flags |= ABI_BOOT_SMAP;
}

void cpu_choose(struct vm *vm)
{
	vm->cpuid = supported(vm);
	if (vm->cpuid) {
		hide(vm->cpuid);
		add_native(vm->cpuid);
	}
	choose_xcr0(vm);
	choose_cr4(vm);
}

int cpu_setup(const struct vm *vm, int vcpu_fd, const char **what)
{
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = vm->xcr0 } } };

	*what = "refuses the guest's CPU features (KVM_SET_CPUID2)";
	if (vm->cpuid && ioctl(vcpu_fd, KVM_SET_CPUID2, vm->cpuid) < 0)
		return -1;
	*what = "refuses the guest's XCR0 (KVM_SET_XCRS)";
	return vm->xcr0 ? ioctl(vcpu_fd, KVM_SET_XCRS, &xcrs) : 0;
}
