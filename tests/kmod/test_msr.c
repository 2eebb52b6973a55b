/* SPDX-License-Identifier: GPL-2.0-only */
/* test_msr.c - MSRs, their filters, KVM's clocks and CPUID, on whichever device there is */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <asm/kvm_para.h>
#include <x86intrin.h>

#include "guest.h"

#define fails(call, error) do { errno = 0; assert_int_equal(call, -1); assert_int_equal(errno, error); } while (0)
#define why_skip(reason) do { print_message("%s\n", reason); skip(); } while (0)

#define AREA	0x5000		/* a GPA for what the device writes */
#define MSR_TSC		0x10
#define MSR_EFER	0xc0000080
#define MSR_LSTAR	0xc0000082
#define MSR_TSC_AUX	0xc0000103
#define MSR_SPEC_CTRL	0x48
#define SECOND	1000000000ull

static int msr_ioctl(int fd, unsigned long request, uint32_t index, uint64_t *data)
{
	struct { struct kvm_msrs head; struct kvm_msr_entry e; } m = {
		.head.nmsrs = 1, .e = { .index = index, .data = *data },
	};
	int r = ioctl(fd, request, &m);

	*data = m.e.data;
	return r;
}

static void set_msr(struct guest *g, uint32_t index, uint64_t data)
{
	if (msr_ioctl(g->vcpu, KVM_SET_MSRS, index, &data) != 1)
		fail_msg("MSR %#x does not take %#llx", index, (unsigned long long)data);
}

static uint64_t get_msr(struct guest *g, uint32_t index)
{
	uint64_t data = 0;

	if (msr_ioctl(g->vcpu, KVM_GET_MSRS, index, &data) != 1)
		fail_msg("MSR %#x cannot be read", index);
	return data;
}

/* ---------------------------------------------------------------------- lists */

struct list { struct kvm_msr_list head; uint32_t index[512]; };
struct cpuid { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 e[100]; };

static void get_list(int device, unsigned long request, struct list *list)
{
	list->head.nmsrs = 0;
	fails(ioctl(device, request, list), E2BIG);
	assert_in_range(list->head.nmsrs, 1, 512);
	assert_int_equal(ioctl(device, request, list), 0);
}

static void every_listed_msr_is_there(void **state)
{
	int device = guest_device();
	struct list list;
	struct guest g;

	get_list(device, KVM_GET_MSR_INDEX_LIST, &list);
	close(device);
	guest_start(&g, LONG, CODE("\xf4"));
	for (uint32_t i = 0; i < list.head.nmsrs; i++) {
		get_msr(&g, list.index[i]);
		for (uint32_t j = 0; j < i; j++)
			assert_int_not_equal(list.index[i], list.index[j]);
	}
	guest_end(&g);
	(void)state;
}

static void features_of_the_host_are_read_from_the_device(void **state)
{
	int device = guest_device();
	uint64_t data = 0;
	struct list list;

	assert_int_equal(ioctl(device, KVM_CHECK_EXTENSION, KVM_CAP_GET_MSR_FEATURES), 1);
	get_list(device, KVM_GET_MSR_FEATURE_INDEX_LIST, &list);
	for (uint32_t i = 0; i < list.head.nmsrs; i++)
		assert_int_equal(msr_ioctl(device, KVM_GET_MSRS, list.index[i], &data), 1);
	assert_int_equal(msr_ioctl(device, KVM_GET_MSRS, 0xdead, &data), 0);
	assert_int_equal(msr_ioctl(device, KVM_GET_MSRS, MSR_LSTAR, &data), 0);
	close(device);
	(void)state;
}

/* What QEMU restores at start; a call that stops half-way is fatal to it. */
static void one_call_sets_all_that_a_machine_has(void **state)
{
	static const struct { uint32_t first, last; } ranges[] = {
		{ 0x174, 0x176 }, { 0x277, 0x277 }, { 0x10, 0x10 }, { 0xc0000081, 0xc0000084 },
		{ 0xc0000102, 0xc0000102 }, { 0x11, 0x12 }, { 0x4b564d00, 0x4b564d01 },
		{ 0x2ff, 0x2ff }, { 0x250, 0x250 }, { 0x258, 0x259 }, { 0x268, 0x26f },
		{ 0x200, 0x20f }, { 0x1b, 0x1b },
	};
	struct { struct kvm_msrs head; struct kvm_msr_entry e[128]; } m = {};
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		for (uint32_t n = ranges[i].first; n <= ranges[i].last; n++)
			m.e[m.head.nmsrs++].index = n;
	assert_int_equal(ioctl(g.vcpu, KVM_GET_MSRS, &m), m.head.nmsrs);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_MSRS, &m), m.head.nmsrs);
	guest_end(&g);
	(void)state;
}

static const struct kvm_cpuid_entry2 *leaf(const struct cpuid *c, uint32_t function)
{
	static const struct kvm_cpuid_entry2 none;

	for (uint32_t i = 0; i < c->head.nent; i++)
		if (c->e[i].function == function && !c->e[i].index)
			return &c->e[i];
	return &none;
}

static void supported_cpuid(struct cpuid *c)
{
	int device = guest_device();
	uint32_t n;

	c->head.nent = 100;
	assert_int_equal(ioctl(device, KVM_GET_SUPPORTED_CPUID, c), 0);
	n = c->head.nent;
	assert_in_range(n, 10, 100);
	c->head.nent = n - 1;
	fails(ioctl(device, KVM_GET_SUPPORTED_CPUID, c), E2BIG);
	c->head.nent = n;
	assert_int_equal(ioctl(device, KVM_GET_SUPPORTED_CPUID, c), 0);
	close(device);
}

static void supported_cpuid_leaves_out_what_no_guest_gets(void **state)
{
	int device = guest_device(), nested = ioctl(device, KVM_CHECK_EXTENSION, KVM_CAP_NESTED_STATE);
	struct cpuid c;

	close(device);
	supported_cpuid(&c);
	assert_int_equal(leaf(&c, 1)->ecx & 1 << 5, 0);		/* VMX */
	assert_int_equal(leaf(&c, 1)->ecx & 1 << 3, 0);		/* MONITOR */
	assert_int_equal(leaf(&c, 1)->ecx & 1 << 27, 0);	/* OSXSAVE: nobody has set it yet */
	assert_int_equal(leaf(&c, 7)->ebx & 1 << 2, 0);		/* SGX */
	assert_int_equal(leaf(&c, 0x8000001f)->eax & 2, 0);	/* SEV */
	if (nested <= 0)
		assert_int_equal(leaf(&c, 0x80000001)->ecx & 1 << 2, 0);	/* SVM */
	for (uint32_t i = 0; i < c.head.nent; i++)
		for (uint32_t j = 0; j < i; j++)
			assert_false(c.e[i].function == c.e[j].function && c.e[i].index == c.e[j].index);
	(void)state;
}

static void what_kvms_leaf_offers_is_there(void **state)
{
	static const struct { int bit; uint32_t msr; } offers[] = {
		{ KVM_FEATURE_CLOCKSOURCE, MSR_KVM_SYSTEM_TIME },
		{ KVM_FEATURE_CLOCKSOURCE, MSR_KVM_WALL_CLOCK },
		{ KVM_FEATURE_CLOCKSOURCE2, MSR_KVM_SYSTEM_TIME_NEW },
		{ KVM_FEATURE_CLOCKSOURCE2, MSR_KVM_WALL_CLOCK_NEW },
		{ KVM_FEATURE_STEAL_TIME, MSR_KVM_STEAL_TIME },
		{ KVM_FEATURE_PV_EOI, MSR_KVM_PV_EOI_EN },
		{ KVM_FEATURE_POLL_CONTROL, MSR_KVM_POLL_CONTROL },
		{ KVM_FEATURE_ASYNC_PF_INT, MSR_KVM_ASYNC_PF_INT },
	};
	struct cpuid c;
	struct guest g;

	supported_cpuid(&c);
	assert_memory_equal(&leaf(&c, KVM_CPUID_SIGNATURE)->ebx, "KVMKVMKVM\0\0\0", 12);
	assert_int_equal(leaf(&c, KVM_CPUID_SIGNATURE)->eax, KVM_CPUID_FEATURES);
	guest_start(&g, LONG, CODE("\xf4"));
	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++)
		if (leaf(&c, KVM_CPUID_FEATURES)->eax & 1 << offers[i].bit)
			get_msr(&g, offers[i].msr);
	guest_end(&g);
	(void)state;
}

static void a_cpuid_stays_what_it_is_once_the_guest_ran(void **state)
{
	struct cpuid c;
	struct guest g;

	supported_cpuid(&c);
	guest_start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &c), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &c), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_CPUID2, &c), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &c), 0);
	c.e[0].ebx ^= 1;
	fails(ioctl(g.vcpu, KVM_SET_CPUID2, &c), EINVAL);
	c.e[0].ebx ^= 1;
	c.head.nent--;
	fails(ioctl(g.vcpu, KVM_SET_CPUID2, &c), EINVAL);
	guest_end(&g);
	(void)state;
}

/* -------------------------------------------------------------- swapped MSRs */

static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static uint32_t host_tsc_aux(void)
{
	unsigned int aux;

	__rdtscp(&aux);
	return aux;
}

static void tsc_aux_is_the_guests_inside_and_the_hosts_outside(void **state)
{
	struct cpuid c;
	uint32_t host;
	struct guest g;

	supported_cpuid(&c);
	if (!(leaf(&c, 0x80000001)->edx & 1 << 27))
		why_skip("this CPU has no RDTSCP");
	stay_on_one_cpu();
	host = host_tsc_aux();
	/*
	 * rdtscp; mov %ecx, %esi; hlt; mov $0xc0000103, %ecx; mov $0x55, %eax; xor %edx, %edx;
	 * wrmsr; rdtscp; hlt
	 */
	guest_start(&g, LONG, CODE("\x0f\x01\xf9\x89\xce\xf4\xb9\x03\x01\x00\xc0\xb8\x55\x00\x00\x00"
				   "\x31\xd2\x0f\x30\x0f\x01\xf9\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &c), 0);
	set_msr(&g, MSR_TSC_AUX, 0x1234567);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rsi, 0x1234567);
	assert_int_equal(host_tsc_aux(), host);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rcx, 0x55);
	assert_int_equal(get_msr(&g, MSR_TSC_AUX), 0x55);
	assert_int_equal(host_tsc_aux(), host);
	guest_end(&g);
	(void)state;
}

static void rdpid_reads_the_guests_tsc_aux(void **state)
{
	struct cpuid c;
	struct guest g;

	supported_cpuid(&c);
	if (!(leaf(&c, 7)->ecx & 1 << 22))
		why_skip("this CPU has no RDPID");
	guest_start(&g, LONG, CODE("\xf3\x0f\xc7\xff\xf4"));	/* rdpid %rdi; hlt */
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &c), 0);
	set_msr(&g, MSR_TSC_AUX, 0x7654321);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rdi, 0x7654321);
	guest_end(&g);
	(void)state;
}

static void spec_ctrl_keeps_what_the_guest_wrote(void **state)
{
	struct cpuid c;
	struct guest g;

	supported_cpuid(&c);
	if (!(leaf(&c, 7)->edx & 1 << 26) && !(leaf(&c, 0x80000008)->ebx & 1 << 14))
		why_skip("this CPU has no SPEC_CTRL with IBRS");
	/* mov $0x48, %ecx; mov $1, %eax; xor %edx, %edx; wrmsr; xor %eax, %eax; hlt; rdmsr; hlt */
	guest_start(&g, LONG, CODE("\xb9\x48\x00\x00\x00\xb8\x01\x00\x00\x00\x31\xd2\x0f\x30\x31\xc0\xf4"
				   "\x0f\x32\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &c), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(get_msr(&g, MSR_SPEC_CTRL), 1);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, 1);
	guest_end(&g);
	(void)state;
}

/* --------------------------------------------------------------------- clocks */

struct pvclock {
	uint32_t version, pad;
	uint64_t tsc, ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
} __attribute__((packed));

/* rdtsc; hlt; jmp to the start */
#define TELL_TSC "\x0f\x31\xf4\xeb\xfb"

static uint64_t clock_by_guest(struct guest *g, const struct pvclock *pv)
{
	struct kvm_regs regs;
	uint64_t cycles;

	assert_int_equal(guest_run(g), KVM_EXIT_HLT);
	regs = guest_regs(g);
	assert_int_equal(pv->version & 1, 0);
	assert_true(pv->version);
	cycles = (regs.rdx << 32 | regs.rax) - pv->tsc;
	cycles = pv->shift < 0 ? cycles >> -pv->shift : cycles << pv->shift;
	return pv->ns + (uint64_t)((unsigned __int128)cycles * pv->mul >> 32);
}

static uint64_t clock_by_host(struct guest *g)
{
	struct kvm_clock_data data;

	assert_int_equal(ioctl(g->vm, KVM_GET_CLOCK, &data), 0);
	return data.clock;
}

static void a_guests_clock_is_what_the_host_says_it_is(void **state)
{
	static const uint32_t numbers[] = { MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_SYSTEM_TIME };
	struct kvm_clock_data set = { .clock = 1000 * SECOND };
	struct guest g;

	for (int i = 0; i < 8; i++) {
		const struct pvclock *pv;
		uint64_t before, by_guest;

		if (!(i & 3)) {
			guest_start(&g, LONG, CODE(TELL_TSC));
			set_msr(&g, numbers[i / 4], AREA | KVM_MSR_ENABLED);
		}
		pv = (void *)(g.memory + AREA);
		if ((i & 3) == 1) {
			assert_int_equal(ioctl(g.vm, KVM_SET_CLOCK, &set), 0);
			assert_true(clock_by_host(&g) >= 1000 * SECOND);
		}
		if ((i & 3) == 2)
			set_msr(&g, MSR_TSC, 1ull << 50);
		before = clock_by_host(&g);
		by_guest = clock_by_guest(&g, pv);
		assert_true(by_guest >= before);
		assert_true(by_guest <= clock_by_host(&g));
		if ((i & 3) == 3)
			guest_end(&g);
	}
	set.flags = 1u << 31;
	guest_start(&g, LONG, CODE(TELL_TSC));
	fails(ioctl(g.vm, KVM_SET_CLOCK, &set), EINVAL);
	guest_end(&g);
	(void)state;
}

static void a_clock_that_was_switched_off_is_told_no_more(void **state)
{
	struct kvm_clock_data set = { .clock = SECOND };
	struct pvclock *pv;
	struct guest g;

	guest_start(&g, LONG, CODE(TELL_TSC));
	pv = (void *)(g.memory + AREA);
	set_msr(&g, MSR_KVM_SYSTEM_TIME_NEW, AREA | KVM_MSR_ENABLED);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_true(pv->version);
	set_msr(&g, MSR_KVM_SYSTEM_TIME_NEW, AREA);
	memset(pv, 0, sizeof(*pv));
	assert_int_equal(ioctl(g.vm, KVM_SET_CLOCK, &set), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(pv->version, 0);
	/* and memory that is not there is no reason to stop */
	set_msr(&g, MSR_KVM_SYSTEM_TIME_NEW, 0x40000000 | KVM_MSR_ENABLED);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static void a_stopped_clock_says_so_until_the_guest_has_seen_it(void **state)
{
	struct pvclock *pv;
	struct guest g;

	guest_start(&g, LONG, CODE(TELL_TSC));
	pv = (void *)(g.memory + AREA);
	fails(ioctl(g.vcpu, KVM_KVMCLOCK_CTRL, 0), EINVAL);
	set_msr(&g, MSR_KVM_SYSTEM_TIME_NEW, AREA | KVM_MSR_ENABLED);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(pv->flags & 2, 0);
	assert_int_equal(ioctl(g.vcpu, KVM_KVMCLOCK_CTRL, 0), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(pv->flags & 2, 2);
	guest_end(&g);
	(void)state;
}

static void the_wall_clock_is_the_time_of_day_at_the_clocks_zero(void **state)
{
	struct { uint32_t version, sec, nsec; } wall;
	struct kvm_clock_data now;
	struct guest g;
	int64_t off;

	guest_start(&g, LONG, CODE("\xf4"));
	set_msr(&g, MSR_KVM_WALL_CLOCK_NEW, AREA);
	memcpy(&wall, g.memory + AREA, sizeof(wall));
	assert_true(wall.version && !(wall.version & 1));
	assert_true(wall.nsec < SECOND);
	assert_int_equal(get_msr(&g, MSR_KVM_WALL_CLOCK), AREA);
	assert_int_equal(ioctl(g.vm, KVM_GET_CLOCK, &now), 0);
	if (!(now.flags & KVM_CLOCK_REALTIME))
		why_skip("KVM_GET_CLOCK has no time of day to compare with here");
	off = now.realtime - now.clock - (wall.sec * SECOND + wall.nsec);
	assert_true(off > -(int64_t)SECOND && off < (int64_t)SECOND);
	guest_end(&g);
	(void)state;
}

static void clocks_are_called_stable_where_all_tscs_are_one(void **state)
{
	struct kvm_device_attr attr = { .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET };
	int device = guest_device(), second;
	struct kvm_clock_data now;
	const struct pvclock *pv;
	struct guest g;
	uint64_t offset;

	close(device);
	guest_start(&g, LONG, CODE(TELL_TSC));
	assert_int_equal(ioctl(g.vm, KVM_GET_CLOCK, &now), 0);
	if (!(now.flags & KVM_CLOCK_TSC_STABLE))
		why_skip("the host's TSCs are not one");
	second = ioctl(g.vm, KVM_CREATE_VCPU, 1);
	assert_true(second >= 0);
	pv = (void *)(g.memory + AREA);
	set_msr(&g, MSR_KVM_SYSTEM_TIME_NEW, AREA | KVM_MSR_ENABLED);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(pv->flags & 1, 1);
	attr.addr = (uintptr_t)&offset;
	assert_int_equal(ioctl(second, KVM_GET_DEVICE_ATTR, &attr), 0);
	offset += 1ull << 40;
	assert_int_equal(ioctl(second, KVM_SET_DEVICE_ATTR, &attr), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(pv->flags & 1, 0);
	close(second);
	guest_end(&g);
	(void)state;
}

static void stolen_time_is_told_at_every_run(void **state)
{
	struct kvm_steal_time *st;
	uint64_t reserved = AREA | 2;
	struct cpuid c;
	struct guest g;
	uint32_t version;

	supported_cpuid(&c);
	if (!(leaf(&c, KVM_CPUID_FEATURES)->eax & 1 << KVM_FEATURE_STEAL_TIME))
		why_skip("the host's kernel does not count how long tasks wait");
	guest_start(&g, LONG, CODE(TELL_TSC));
	st = (void *)(g.memory + AREA);
	assert_int_equal(msr_ioctl(g.vcpu, KVM_SET_MSRS, MSR_KVM_STEAL_TIME, &reserved), 0);
	set_msr(&g, MSR_KVM_STEAL_TIME, AREA | KVM_MSR_ENABLED);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	version = st->version;
	assert_true(version && !(version & 1));
	assert_int_equal(st->flags, 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_true(st->version > version && !(st->version & 1));
	guest_end(&g);
	(void)state;
}

/* -------------------------------------------------------------------- filters */

/* rdmsr; hlt; wrmsr; hlt */
#define READ_WRITE "\x0f\x32\xf4\x0f\x30\xf4"

static void user_space_msrs(struct guest *g, uint64_t reasons)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR, .args = { reasons } };

	assert_int_equal(ioctl(g->vm, KVM_ENABLE_CAP, &cap), 0);
}

static void point_at_msr(struct guest *g, uint32_t index, uint64_t value)
{
	struct kvm_regs regs = guest_regs(g);

	regs.rcx = index;
	regs.rax = (uint32_t)value;
	regs.rdx = value >> 32;
	guest_set_regs(g, &regs);
}

static void a_filtered_msr_is_for_user_space_to_answer(void **state)
{
	uint8_t deny = 0;
	struct kvm_msr_filter filter = { .ranges = { {
		.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE, .base = MSR_LSTAR, .nmsrs = 1,
		.bitmap = &deny,
	} } };
	struct guest g;

	guest_start(&g, LONG, CODE(READ_WRITE));
	user_space_msrs(&g, KVM_MSR_EXIT_REASON_FILTER);
	assert_int_equal(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &filter), 0);
	point_at_msr(&g, MSR_LSTAR, 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_X86_RDMSR);
	assert_int_equal(g.run->msr.index, MSR_LSTAR);
	assert_int_equal(g.run->msr.reason, KVM_MSR_EXIT_REASON_FILTER);
	assert_int_equal(g.run->msr.error, 0);
	assert_int_equal(guest_regs(&g).rip, GUEST_CODE);
	g.run->msr.data = 0x123456789abcdef0;
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, 0x9abcdef0);
	assert_int_equal(guest_regs(&g).rdx, 0x12345678);
	point_at_msr(&g, MSR_LSTAR, 0x8765432100);
	assert_int_equal(guest_run(&g), KVM_EXIT_X86_WRMSR);
	assert_true(g.run->msr.data == 0x8765432100);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	/* user space took the write: the MSR itself is as it was */
	assert_int_equal(get_msr(&g, MSR_LSTAR), 0);
	guest_end(&g);
	(void)state;
}

static void a_filtered_msr_faults_where_user_space_does_not_ask(void **state)
{
	uint8_t deny = 0;
	struct kvm_msr_filter filter = { .ranges = { {
		.flags = KVM_MSR_FILTER_READ, .base = MSR_LSTAR, .nmsrs = 1, .bitmap = &deny,
	} } }, none = {};

	for (int answer = 0; answer < 2; answer++) {
		struct guest g;

		guest_start(&g, LONG, CODE(READ_WRITE));
		point_at_msr(&g, MSR_LSTAR, 0);
		assert_int_equal(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &filter), 0);
		if (answer) {
			user_space_msrs(&g, KVM_MSR_EXIT_REASON_FILTER);
			assert_int_equal(guest_run(&g), KVM_EXIT_X86_RDMSR);
			g.run->msr.error = 1;
		}
		/* #GP, and no IDT */
		assert_int_equal(guest_run(&g), KVM_EXIT_SHUTDOWN);
		guest_end(&g);

		/* a filter that is taken away is gone */
		guest_start(&g, LONG, CODE(READ_WRITE));
		point_at_msr(&g, MSR_LSTAR, 0);
		assert_int_equal(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &filter), 0);
		assert_int_equal(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &none), 0);
		assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
		guest_end(&g);
	}
	(void)state;
}

static void unknown_msrs_and_bad_values_go_to_user_space_where_it_asks(void **state)
{
	struct guest g;

	guest_start(&g, LONG, CODE(READ_WRITE));
	user_space_msrs(&g, KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_INVAL);
	point_at_msr(&g, 0xdeadbeef, 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_X86_RDMSR);
	assert_int_equal(g.run->msr.reason, KVM_MSR_EXIT_REASON_UNKNOWN);
	g.run->msr.data = 7;
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, 7);
	point_at_msr(&g, MSR_EFER, ~0ull);
	assert_int_equal(guest_run(&g), KVM_EXIT_X86_WRMSR);
	assert_int_equal(g.run->msr.reason, KVM_MSR_EXIT_REASON_INVAL);
	assert_true(g.run->msr.data == ~0ull);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static bool is_listed(const struct list *list, uint32_t index)
{
	for (uint32_t i = 0; i < list->head.nmsrs; i++)
		if (list->index[i] == index)
			return true;
	return false;
}

/* What the guest reads there; there is one. */
static uint64_t guest_reads(uint32_t index)
{
	struct kvm_regs regs;
	struct guest g;

	guest_start(&g, LONG, CODE("\x0f\x32\xf4"));
	point_at_msr(&g, index, 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	regs = guest_regs(&g);
	guest_end(&g);
	return regs.rdx << 32 | (uint32_t)regs.rax;
}

/* The guest reads all, and user space is told of those that are not there. */
static void threat_27_an_msr_that_is_on_no_list_says_nothing_of_the_host(void **state)
{
	static const struct { uint32_t first, last; } ranges[] = {
		{ 0, 0x2000 }, { 0x40000000, 0x40000400 }, { 0x4b564d00, 0x4b564e00 }, { 0xc0000000, 0xc0002000 },
		{ 0xc0010000, 0xc0012000 },
	};
	/* what the guest's own registers hold, or any processor after a reset */
	static const struct { uint32_t index; uint64_t value; } own[] = {
		{ 0x1b, 0xfee00900 },		/* where a local APIC would be */
		{ MSR_EFER, 0x500 },
		{ 0xfe, 0x508 },		/* eight variable MTRRs */
		{ 0x277, 0x0007040600070406 },	/* PAT */
		{ 0x1a0, 1 },			/* fast strings */
	};
	struct list lists[2];
	int device = guest_device();
	unsigned int absent = 0, told = 0;

	get_list(device, KVM_GET_MSR_INDEX_LIST, &lists[0]);
	get_list(device, KVM_GET_MSR_FEATURE_INDEX_LIST, &lists[1]);
	close(device);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		uint32_t next = ranges[i].first, known[512], n = 0;
		struct guest g;

		/* rdmsr; inc %ecx; jmp */
		guest_start(&g, LONG, CODE("\x0f\x32\xff\xc1\xeb\xfa"));
		user_space_msrs(&g, KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_INVAL);
		point_at_msr(&g, next, 0);
		/* the range's last one is nobody's */
		while (next <= ranges[i].last) {
			assert_int_equal(guest_run(&g), KVM_EXIT_X86_RDMSR);
			for (; next < g.run->msr.index && next < ranges[i].last; next++) {
				assert_true(n < 512);
				known[n++] = next;
			}
			next = g.run->msr.index + 1;
			g.run->msr.data = g.run->msr.error = 0;
			absent++;
		}
		guest_end(&g);
		for (uint32_t k = 0; k < n; k++)
			if (!is_listed(&lists[0], known[k]) && !is_listed(&lists[1], known[k])) {
				uint64_t value = guest_reads(known[k]), want = 0;

				for (size_t j = 0; j < sizeof(own) / sizeof(own[0]); j++)
					want = own[j].index == known[k] ? own[j].value : want;
				if (value == want)
					continue;
				print_message("MSR %#x is %#llx\n", known[k], (unsigned long long)value);
				told++;
			}
	}
	assert_true(absent > 20000);
	assert_int_equal(told, 0);
	(void)state;
}

static void bad_filters_are_refused(void **state)
{
	uint8_t map[8] = {};
	struct kvm_msr_filter filter = {};
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR, .args = { 1 << 20 } };
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	fails(ioctl(g.vm, KVM_ENABLE_CAP, &cap), EINVAL);
	filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	fails(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &filter), EINVAL);
	filter.flags = 0;
	filter.ranges[3] = (struct kvm_msr_filter_range){ .flags = 8, .nmsrs = 1, .bitmap = map };
	fails(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &filter), EINVAL);
	filter.ranges[3].flags = 0;
	fails(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &filter), EINVAL);
	filter.ranges[3].flags = KVM_MSR_FILTER_READ;
	filter.ranges[3].nmsrs = KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8 + 1;
	fails(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &filter), EINVAL);
	filter.ranges[3].nmsrs = 64;
	filter.ranges[3].bitmap = NULL;
	fails(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &filter), EFAULT);
	filter.ranges[3].bitmap = map;
	assert_int_equal(ioctl(g.vm, KVM_X86_SET_MSR_FILTER, &filter), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

/* --------------------------------------------------- other vendors' hypercalls */

static void a_hypercall_of_either_vendor_is_answered(void **state)
{
	static const char *const calls[] = { "\x0f\x01\xd9\xf4", "\x0f\x01\xc1\xf4" };

	for (int i = 0; i < 2; i++) {
		struct kvm_regs regs;
		struct guest g;

		guest_start(&g, LONG, calls[i], 4);
		regs = guest_regs(&g);
		regs.rax = 12345;
		guest_set_regs(&g, &regs);
		assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
		assert_true(guest_regs(&g).rax == (uint64_t)-1000);
		guest_end(&g);
	}
	(void)state;
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_listed_msr_is_there),
		TEST(features_of_the_host_are_read_from_the_device),
		TEST(one_call_sets_all_that_a_machine_has),
		TEST(supported_cpuid_leaves_out_what_no_guest_gets),
		TEST(what_kvms_leaf_offers_is_there),
		TEST(a_cpuid_stays_what_it_is_once_the_guest_ran),
		TEST(tsc_aux_is_the_guests_inside_and_the_hosts_outside),
		TEST(rdpid_reads_the_guests_tsc_aux),
		TEST(spec_ctrl_keeps_what_the_guest_wrote),
		TEST(a_guests_clock_is_what_the_host_says_it_is),
		TEST(a_clock_that_was_switched_off_is_told_no_more),
		TEST(a_stopped_clock_says_so_until_the_guest_has_seen_it),
		TEST(the_wall_clock_is_the_time_of_day_at_the_clocks_zero),
		TEST(clocks_are_called_stable_where_all_tscs_are_one),
		TEST(stolen_time_is_told_at_every_run),
		TEST(a_filtered_msr_is_for_user_space_to_answer),
		TEST(a_filtered_msr_faults_where_user_space_does_not_ask),
		TEST(unknown_msrs_and_bad_values_go_to_user_space_where_it_asks),
		TEST(threat_27_an_msr_that_is_on_no_list_says_nothing_of_the_host),
		TEST(bad_filters_are_refused),
		TEST(a_hypercall_of_either_vendor_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
