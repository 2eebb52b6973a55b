/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_errno.c - what each call says to an argument that it cannot take
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define NOWHERE	((void *)0x1000)	/* below mmap_min_addr */

static void refused(int fd, unsigned long cmd, const void *arg, int number, const char *what)
{
	int r = ioctl(fd, cmd, arg);

	if (r != -1 || errno != number)
		fail_msg("%s: %d, %s", what, r, r == -1 ? strerror(errno) : "no error");
}

#define REFUSED(fd, cmd, arg, number) refused(fd, cmd, arg, number, #cmd " (" #arg ")")

/* ------------------------------------------------------------------- pointers */

#define CALL(name) { name, #name }
static const struct call {
	unsigned long cmd;
	const char *name;
} of_device[] = {
	CALL(KVM_GET_SUPPORTED_CPUID), CALL(KVM_GET_MSR_INDEX_LIST),
	CALL(KVM_GET_MSR_FEATURE_INDEX_LIST), CALL(KVM_GET_MSRS),
}, of_vm[] = {
	CALL(KVM_SET_USER_MEMORY_REGION), CALL(KVM_GET_DIRTY_LOG), CALL(KVM_CLEAR_DIRTY_LOG),
	CALL(KVM_ENABLE_CAP), CALL(KVM_GET_CLOCK), CALL(KVM_SET_CLOCK), CALL(KVM_X86_SET_MSR_FILTER),
}, of_vcpu[] = {
	CALL(KVM_GET_REGS), CALL(KVM_SET_REGS), CALL(KVM_GET_SREGS), CALL(KVM_SET_SREGS),
	CALL(KVM_GET_FPU), CALL(KVM_SET_FPU), CALL(KVM_GET_XSAVE), CALL(KVM_GET_XSAVE2),
	CALL(KVM_SET_XSAVE), CALL(KVM_GET_XCRS), CALL(KVM_SET_XCRS), CALL(KVM_GET_MSRS),
	CALL(KVM_SET_MSRS), CALL(KVM_SET_CPUID2), CALL(KVM_GET_CPUID2), CALL(KVM_GET_DEBUGREGS),
	CALL(KVM_SET_DEBUGREGS), CALL(KVM_GET_VCPU_EVENTS), CALL(KVM_SET_VCPU_EVENTS),
	CALL(KVM_GET_MP_STATE), CALL(KVM_SET_MP_STATE), CALL(KVM_TRANSLATE), CALL(KVM_INTERRUPT),
	CALL(KVM_SET_GUEST_DEBUG), CALL(KVM_SET_SIGNAL_MASK), CALL(KVM_ENABLE_CAP),
	CALL(KVM_HAS_DEVICE_ATTR), CALL(KVM_GET_DEVICE_ATTR), CALL(KVM_SET_DEVICE_ATTR),
};

static void all_refused(int fd, const struct call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		refused(fd, calls[i].cmd, NOWHERE, EFAULT, calls[i].name);
}

static void a_pointer_to_nowhere_is_efault(void **state)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)NOWHERE,
	};
	struct kvm_msr_filter filter = { .ranges[0] = {
		.flags = KVM_MSR_FILTER_READ, .nmsrs = 1, .bitmap = NOWHERE,
	} };
	struct kvm_dirty_log log = { .dirty_bitmap = NOWHERE };
	struct kvm_clear_dirty_log clear = { .num_pages = GUEST_MEMORY / 4096, .dirty_bitmap = NOWHERE };
	struct kvm_userspace_memory_region region = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES, .memory_size = GUEST_MEMORY,
	};
	int device = guest_device();
	struct guest g;

	guest_start(&g, REAL, CODE("\xf4"));
	all_refused(device, of_device, sizeof(of_device) / sizeof(of_device[0]));
	all_refused(g.vm, of_vm, sizeof(of_vm) / sizeof(of_vm[0]));
	all_refused(g.vcpu, of_vcpu, sizeof(of_vcpu) / sizeof(of_vcpu[0]));
	/* and pointers within what is pointed to */
	REFUSED(g.vcpu, KVM_GET_DEVICE_ATTR, &attr, EFAULT);
	REFUSED(g.vcpu, KVM_SET_DEVICE_ATTR, &attr, EFAULT);
	REFUSED(g.vm, KVM_X86_SET_MSR_FILTER, &filter, EFAULT);
	region.userspace_addr = (uintptr_t)g.memory;
	assert_int_equal(ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
	REFUSED(g.vm, KVM_GET_DIRTY_LOG, &log, EFAULT);
	REFUSED(g.vm, KVM_CLEAR_DIRTY_LOG, &clear, EFAULT);
	/* nothing of that has hurt the guest */
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	close(device);
	(void)state;
}

/* --------------------------------------------------------------------- counts */

static void lists_have_their_limits(void **state)
{
	struct { struct kvm_msrs head; struct kvm_msr_entry e[256]; } msrs = { .head.nmsrs = 256 };
	struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 e[257]; } cpuid = { .head.nent = 257 };
	struct { struct kvm_msr_list head; uint32_t e[256]; } list = { .head.nmsrs = 0 };
	int device = guest_device();
	struct guest g;
	uint32_t n;

	guest_start(&g, REAL, CODE("\xf4"));
	REFUSED(g.vcpu, KVM_GET_MSRS, &msrs, E2BIG);
	REFUSED(g.vcpu, KVM_SET_MSRS, &msrs, E2BIG);
	msrs.head.nmsrs = 0;
	assert_int_equal(ioctl(g.vcpu, KVM_GET_MSRS, &msrs), 0);
	REFUSED(g.vcpu, KVM_SET_CPUID2, &cpuid, E2BIG);
	cpuid.head.nent = 3;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &cpuid), 0);
	cpuid.head.nent = 2;
	REFUSED(g.vcpu, KVM_GET_CPUID2, &cpuid, E2BIG);
	cpuid.head.nent = 50;
	/* stock 6.1 does not tell how many they are */
	assert_int_equal(ioctl(g.vcpu, KVM_GET_CPUID2, &cpuid), 0);
	assert_true(cpuid.head.nent == 3 || cpuid.head.nent == 50);
	/* how many there are is told with the error */
	REFUSED(device, KVM_GET_MSR_INDEX_LIST, &list, E2BIG);
	n = list.head.nmsrs;
	assert_in_range(n, 10, 256);
	assert_int_equal(ioctl(device, KVM_GET_MSR_INDEX_LIST, &list), 0);
	assert_int_equal(list.head.nmsrs, n);
	list.head.nmsrs = 0;
	REFUSED(device, KVM_GET_MSR_FEATURE_INDEX_LIST, &list, E2BIG);
	assert_int_equal(ioctl(device, KVM_GET_MSR_FEATURE_INDEX_LIST, &list), 0);
	guest_end(&g);
	close(device);
	(void)state;
}

/* ---------------------------------------------------------------------- state */

static void xcrs_that_no_processor_takes_are_refused(void **state)
{
	static const uint64_t bad[] = { 0, 2, 5, 1 | 1ull << 62, 1 | 1 << 8, 0x27, 0x63 };
	struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 e[100]; } cpuid = { .head.nent = 100 };
	int device = guest_device();
	struct kvm_xcrs x;
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(device, KVM_GET_SUPPORTED_CPUID, &cpuid), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &cpuid), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_XCRS, &x), 0);
	assert_int_equal(x.nr_xcrs, 1);
	assert_int_equal(x.xcrs[0].value, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		x.xcrs[0].value = bad[i];
		REFUSED(g.vcpu, KVM_SET_XCRS, &x, EINVAL);
	}
	x.xcrs[0].value = 3;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_XCRS, &x), 0);
	x.flags = 1;
	REFUSED(g.vcpu, KVM_SET_XCRS, &x, EINVAL);
	x.flags = 0;
	x.nr_xcrs = KVM_MAX_XCRS + 1;
	REFUSED(g.vcpu, KVM_SET_XCRS, &x, EINVAL);
	x.nr_xcrs = 1;
	assert_int_equal(ioctl(g.vcpu, KVM_GET_XCRS, &x), 0);
	assert_int_equal(x.xcrs[0].value, 3);
	/* nor may a guest have what its CPUID has not */
	for (uint32_t i = 0; i < cpuid.head.nent; i++)
		if (cpuid.e[i].function == 0xd)
			cpuid.e[i].eax = cpuid.e[i].index ? cpuid.e[i].eax : 3;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &cpuid), 0);
	x.xcrs[0].value = 7;
	REFUSED(g.vcpu, KVM_SET_XCRS, &x, EINVAL);
	guest_end(&g);
	close(device);
	(void)state;
}

static void debug_registers_are_checked(void **state)
{
	struct kvm_debugregs d, bad;
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_GET_DEBUGREGS, &d), 0);
	bad = d;
	bad.flags = 1;
	REFUSED(g.vcpu, KVM_SET_DEBUGREGS, &bad, EINVAL);
	bad = d;
	bad.dr6 |= 1ull << 32;
	REFUSED(g.vcpu, KVM_SET_DEBUGREGS, &bad, EINVAL);
	bad = d;
	bad.dr7 |= 1ull << 32;
	REFUSED(g.vcpu, KVM_SET_DEBUGREGS, &bad, EINVAL);
	guest_end(&g);
	(void)state;
}

static void events_are_checked(void **state)
{
	struct kvm_interrupt irq = { .irq = 256 };
	struct kvm_vcpu_events e, bad;
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_GET_VCPU_EVENTS, &e), 0);
	bad = e;
	bad.flags = 1u << 31;
	REFUSED(g.vcpu, KVM_SET_VCPU_EVENTS, &bad, EINVAL);
	bad = e;
	bad.exception.injected = 1;
	bad.exception.nr = 2;
	REFUSED(g.vcpu, KVM_SET_VCPU_EVENTS, &bad, EINVAL);
	bad.exception.nr = 32;
	REFUSED(g.vcpu, KVM_SET_VCPU_EVENTS, &bad, EINVAL);
	/* capabilities that nobody has turned on */
	bad = e;
	bad.flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
	REFUSED(g.vcpu, KVM_SET_VCPU_EVENTS, &bad, EINVAL);
	bad = e;
	bad.flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	REFUSED(g.vcpu, KVM_SET_VCPU_EVENTS, &bad, EINVAL);
	REFUSED(g.vcpu, KVM_INTERRUPT, &irq, EINVAL);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_VCPU_EVENTS, &e), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static void an_xsave_area_is_checked(void **state)
{
	static union {
		struct kvm_xsave xsave;
		uint64_t words[512];
		uint32_t half_words[1024];
	} good, bad;
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_GET_XSAVE, &good), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_XSAVE2, &bad), 0);
	assert_memory_equal(&good, &bad, sizeof(good));
	/* a component that no processor has, the compact format, an MXCSR with unknown bits */
	bad.words[64] |= 1ull << 62;
	REFUSED(g.vcpu, KVM_SET_XSAVE, &bad, EINVAL);
	bad = good;
	bad.words[65] = 1ull << 63;
	REFUSED(g.vcpu, KVM_SET_XSAVE, &bad, EINVAL);
	bad = good;
	bad.words[64] |= 3;
	bad.half_words[6] = 0xffffffff;
	REFUSED(g.vcpu, KVM_SET_XSAVE, &bad, EINVAL);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_XSAVE, &good), 0);
	guest_end(&g);
	(void)state;
}

static void sregs_are_checked_as_a_whole(void **state)
{
	struct kvm_sregs s, bad;
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s), 0);
	bad = s;
	bad.efer &= ~0x400ull;		/* LME and PG without LMA */
	REFUSED(g.vcpu, KVM_SET_SREGS, &bad, EINVAL);
	bad = s;
	bad.efer &= ~0x100ull;		/* LMA without LME */
	REFUSED(g.vcpu, KVM_SET_SREGS, &bad, EINVAL);
	bad = s;
	bad.cr0 &= ~0x80000000ull;	/* LMA without paging */
	REFUSED(g.vcpu, KVM_SET_SREGS, &bad, EINVAL);
	bad = s;
	bad.cr3 |= 1ull << 62;
	REFUSED(g.vcpu, KVM_SET_SREGS, &bad, EINVAL);
	bad = s;
	bad.apic_base |= 1;		/* a reserved bit */
	REFUSED(g.vcpu, KVM_SET_SREGS, &bad, EINVAL);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_SREGS, &s), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static void a_vcpu_is_runnable_and_nothing_else(void **state)
{
	struct kvm_mp_state mp;
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	for (unsigned int i = 1; i < 12; i++) {
		mp.mp_state = i;
		REFUSED(g.vcpu, KVM_SET_MP_STATE, &mp, EINVAL);
	}
	mp.mp_state = KVM_MP_STATE_RUNNABLE;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_MP_STATE, &mp), 0);
	guest_end(&g);
	(void)state;
}

static void a_signal_mask_is_8_bytes_or_none(void **state)
{
	struct { struct kvm_signal_mask mask; uint8_t set[8]; } m = { .mask.len = 8 };
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	for (uint32_t len = 0; len <= 128; len += 16) {
		m.mask.len = len;
		REFUSED(g.vcpu, KVM_SET_SIGNAL_MASK, &m, EINVAL);
	}
	m.mask.len = 8;
	memset(m.mask.sigset, 0xff, 8);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_SIGNAL_MASK, &m), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_SIGNAL_MASK, NULL), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

/* ---------------------------------------------------------- what is not there */

/* Where a capability is 0 its calls are refused whole: no half of one works. */
static void a_call_without_its_capability_is_refused(void **state)
{
	static union {
		struct kvm_irqfd irqfd;
		struct kvm_ioeventfd ioeventfd;
		struct kvm_coalesced_mmio_zone zone;
		uint8_t bytes[8192];
	} zeros;
	struct kvm_irq_routing routing = { .nr = 0 };
	int device = guest_device();
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	const struct {
		int cap, fd;
		unsigned long cmd;
		const char *name;
	} rows[] = {
#define WITHOUT(capability, fd, cmd) { capability, fd, cmd, #cmd }
		WITHOUT(KVM_CAP_IRQCHIP, g.vm, KVM_CREATE_IRQCHIP),
		WITHOUT(KVM_CAP_IRQCHIP, g.vm, KVM_IRQ_LINE),
		WITHOUT(KVM_CAP_IRQCHIP, g.vm, KVM_GET_IRQCHIP),
		WITHOUT(KVM_CAP_PIT2, g.vm, KVM_CREATE_PIT2),
		WITHOUT(KVM_CAP_IRQFD, g.vm, KVM_IRQFD),
		WITHOUT(KVM_CAP_IOEVENTFD, g.vm, KVM_IOEVENTFD),
		WITHOUT(KVM_CAP_SIGNAL_MSI, g.vm, KVM_SIGNAL_MSI),
		WITHOUT(KVM_CAP_COALESCED_MMIO, g.vm, KVM_REGISTER_COALESCED_MMIO),
		WITHOUT(KVM_CAP_DEVICE_CTRL, g.vm, KVM_CREATE_DEVICE),
		WITHOUT(KVM_CAP_PMU_EVENT_FILTER, g.vm, KVM_SET_PMU_EVENT_FILTER),
		WITHOUT(KVM_CAP_DIRTY_LOG_RING, g.vm, KVM_RESET_DIRTY_RINGS),
		WITHOUT(KVM_CAP_MCE, g.vcpu, KVM_X86_SETUP_MCE),
		WITHOUT(KVM_CAP_MCE, device, KVM_X86_GET_MCE_CAP_SUPPORTED),
		WITHOUT(KVM_CAP_VAPIC, g.vcpu, KVM_TPR_ACCESS_REPORTING),
		WITHOUT(KVM_CAP_VAPIC, g.vcpu, KVM_SET_VAPIC_ADDR),
		WITHOUT(KVM_CAP_X86_SMM, g.vcpu, KVM_SMI),
		WITHOUT(KVM_CAP_NESTED_STATE, g.vcpu, KVM_GET_NESTED_STATE),
		WITHOUT(KVM_CAP_SREGS2, g.vcpu, KVM_GET_SREGS2),
		WITHOUT(KVM_CAP_EXT_EMUL_CPUID, device, KVM_GET_EMULATED_CPUID),
		WITHOUT(KVM_CAP_HYPERV_CPUID, g.vcpu, KVM_GET_SUPPORTED_HV_CPUID),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ioctl(g.vm, KVM_CHECK_EXTENSION, rows[i].cap))
			continue;
		if (!access("/dev/kvmrun", F_OK))
			refused(rows[i].fd, rows[i].cmd, &zeros, rows[i].fd == g.vm ? ENOTTY : EINVAL,
				rows[i].name);
		else if (ioctl(rows[i].fd, rows[i].cmd, &zeros) != -1)
			fail_msg("%s", rows[i].name);
	}
	/* QEMU makes this call with and without interrupt controllers */
	REFUSED(g.vm, KVM_SET_GSI_ROUTING, &routing, EINVAL);
	guest_end(&g);
	close(device);
	(void)state;
}

/* --------------------------------------------------------------------- memory */

static void a_slots_size_place_and_kind_are_for_its_life(void **state)
{
	struct kvm_userspace_memory_region r = { .memory_size = GUEST_MEMORY }, bad;
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	r.userspace_addr = (uintptr_t)g.memory;
	bad = r;
	bad.memory_size /= 2;
	REFUSED(g.vm, KVM_SET_USER_MEMORY_REGION, &bad, EINVAL);
	bad = r;
	bad.userspace_addr += 4096;
	REFUSED(g.vm, KVM_SET_USER_MEMORY_REGION, &bad, EINVAL);
	bad = r;
	bad.flags = KVM_MEM_READONLY;
	REFUSED(g.vm, KVM_SET_USER_MEMORY_REGION, &bad, EINVAL);
	bad = r;
	bad.slot = 2 << 16;	/* an address space that is not there */
	bad.guest_phys_addr = GUEST_MEMORY;
	REFUSED(g.vm, KVM_SET_USER_MEMORY_REGION, &bad, EINVAL);
	bad.slot = 1;
	bad.userspace_addr = 1ull << 63;
	REFUSED(g.vm, KVM_SET_USER_MEMORY_REGION, &bad, EINVAL);
	/* the same again, its log on and off, and the same memory in another place, too */
	assert_int_equal(ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &r), 0);
	r.flags = KVM_MEM_LOG_DIRTY_PAGES;
	assert_int_equal(ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &r), 0);
	r.flags = 0;
	assert_int_equal(ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &r), 0);
	r.slot = 1;
	r.guest_phys_addr = GUEST_MEMORY;
	assert_int_equal(ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &r), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static void a_log_is_asked_for_what_it_has(void **state)
{
	uint64_t bitmap[GUEST_MEMORY / 4096 / 64 + 1];
	struct kvm_dirty_log log = { .slot = 7, .dirty_bitmap = bitmap };
	struct kvm_clear_dirty_log clear = { .slot = 7, .num_pages = 64, .dirty_bitmap = bitmap };
	struct kvm_userspace_memory_region r = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES, .memory_size = GUEST_MEMORY,
	};
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	REFUSED(g.vm, KVM_GET_DIRTY_LOG, &log, ENOENT);
	REFUSED(g.vm, KVM_CLEAR_DIRTY_LOG, &clear, ENOENT);
	log.slot = clear.slot = 0;	/* without a log */
	REFUSED(g.vm, KVM_GET_DIRTY_LOG, &log, ENOENT);
	REFUSED(g.vm, KVM_CLEAR_DIRTY_LOG, &clear, ENOENT);
	log.slot = clear.slot = 32764;
	REFUSED(g.vm, KVM_GET_DIRTY_LOG, &log, EINVAL);
	REFUSED(g.vm, KVM_CLEAR_DIRTY_LOG, &clear, EINVAL);
	r.userspace_addr = (uintptr_t)g.memory;
	assert_int_equal(ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &r), 0);
	log.slot = clear.slot = 0;
	assert_int_equal(ioctl(g.vm, KVM_GET_DIRTY_LOG, &log), 0);
	clear.first_page = 32;
	REFUSED(g.vm, KVM_CLEAR_DIRTY_LOG, &clear, EINVAL);
	clear.first_page = GUEST_MEMORY / 4096;
	REFUSED(g.vm, KVM_CLEAR_DIRTY_LOG, &clear, EINVAL);
	clear.first_page = GUEST_MEMORY / 4096 + 64;
	REFUSED(g.vm, KVM_CLEAR_DIRTY_LOG, &clear, EINVAL);
	clear.first_page = 0;
	clear.num_pages = 65;	/* not to the end, and not a multiple of 64 */
	REFUSED(g.vm, KVM_CLEAR_DIRTY_LOG, &clear, EINVAL);
	clear.num_pages = 64;
	assert_int_equal(ioctl(g.vm, KVM_CLEAR_DIRTY_LOG, &clear), 0);
	guest_end(&g);
	(void)state;
}

static void what_is_for_before_the_first_vcpu_is_refused_later(void **state)
{
	int device = guest_device(), vm = ioctl(device, KVM_CREATE_VM, 0), first;
	struct kvm_sregs s;

	REFUSED(vm, KVM_SET_NR_MMU_PAGES, (void *)1, EINVAL);
	assert_int_equal(ioctl(vm, KVM_SET_NR_MMU_PAGES, 1000), 0);
	if (ioctl(vm, KVM_GET_NR_MMU_PAGES, 0) != 1000)
		assert_int_equal(errno, ENOTTY);	/* stock 6.12 does not have it any more */
	REFUSED(vm, KVM_SET_IDENTITY_MAP_ADDR, NOWHERE, EFAULT);
	assert_int_equal(ioctl(vm, KVM_SET_BOOT_CPU_ID, 5), 0);
	first = ioctl(vm, KVM_CREATE_VCPU, 5);
	assert_true(first >= 0);
	assert_int_equal(ioctl(first, KVM_GET_SREGS, &s), 0);
	assert_int_equal(s.apic_base, 0xfee00900);
	REFUSED(vm, KVM_SET_BOOT_CPU_ID, (void *)5, EBUSY);
	close(first);
	close(vm);
	close(device);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pointer_to_nowhere_is_efault),
		cmocka_unit_test(lists_have_their_limits),
		cmocka_unit_test(xcrs_that_no_processor_takes_are_refused),
		cmocka_unit_test(debug_registers_are_checked),
		cmocka_unit_test(events_are_checked),
		cmocka_unit_test(an_xsave_area_is_checked),
		cmocka_unit_test(sregs_are_checked_as_a_whole),
		cmocka_unit_test(a_vcpu_is_runnable_and_nothing_else),
		cmocka_unit_test(a_signal_mask_is_8_bytes_or_none),
		cmocka_unit_test(a_call_without_its_capability_is_refused),
		cmocka_unit_test(a_slots_size_place_and_kind_are_for_its_life),
		cmocka_unit_test(a_log_is_asked_for_what_it_has),
		cmocka_unit_test(what_is_for_before_the_first_vcpu_is_refused_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
