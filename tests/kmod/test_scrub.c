/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_scrub.c - what a VM leaves in a CPU's registers is neither there for the next VM nor for the host,
 * and nothing of the host's is there for a VM
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define why_skip(reason) do { print_message("%s\n", reason); skip(); } while (0)

#define CR4_OSFXSR	0x600ull
#define CR4_OSXSAVE	(1ull << 18)

/* Where guests have what they write and read: struct record. */
#define RECORD		0x9000

#define MSRS		13

struct record {
	struct { uint64_t index, value; } msr[MSRS + 1];	/* up to index 0 */
	uint64_t dr[8];			/* 0 to 3, 6, 7 */
	uint64_t xcr0;			/* 0: the CPU has none */
	uint64_t avx;			/* ymm15, too */
	uint8_t ymm[32];
	_Alignas(16) uint8_t fx[512];	/* FXSAVE's */
};

_Static_assert(offsetof(struct record, dr) == 224 && offsetof(struct record, xcr0) == 288 &&
	       offsetof(struct record, ymm) == 304 && offsetof(struct record, fx) == 336, "code");

/* RSI: the record. Then HLT, and over again. */
extern const uint8_t write_code[], read_code[], code_end[];
asm(".section .rodata\n"
    "write_code:\n"
    "	mov %rsi, %rdi\n"
    "1:	mov (%rdi), %ecx\n"
    "	test %ecx, %ecx\n"
    "	jz 2f\n"
    "	mov 8(%rdi), %eax\n"
    "	mov 12(%rdi), %edx\n"
    "	wrmsr\n"
    "	add $16, %rdi\n"
    "	jmp 1b\n"
    "2:	mov 224(%rsi), %rax\n	mov %rax, %dr0\n"
    "	mov 232(%rsi), %rax\n	mov %rax, %dr1\n"
    "	mov 240(%rsi), %rax\n	mov %rax, %dr2\n"
    "	mov 248(%rsi), %rax\n	mov %rax, %dr3\n"
    "	mov 272(%rsi), %rax\n	mov %rax, %dr6\n"
    "	mov 280(%rsi), %rax\n	mov %rax, %dr7\n"
    "	fxrstor 336(%rsi)\n"
    "	mov 288(%rsi), %eax\n"
    "	test %eax, %eax\n"
    "	jz 3f\n"
    "	xor %ecx, %ecx\n	xor %edx, %edx\n"
    "	xsetbv\n"
    "	cmpl $0, 296(%rsi)\n"
    "	je 3f\n"
    "	vmovdqu 304(%rsi), %ymm15\n"
    "3:	hlt\n"
    "	jmp write_code\n"
    "read_code:\n"
    "	fxsave 336(%rsi)\n"
    "	mov %rsi, %rdi\n"
    "1:	mov (%rdi), %ecx\n"
    "	test %ecx, %ecx\n"
    "	jz 2f\n"
    "	rdmsr\n"
    "	mov %eax, 8(%rdi)\n"
    "	mov %edx, 12(%rdi)\n"
    "	add $16, %rdi\n"
    "	jmp 1b\n"
    "2:	mov %dr0, %rax\n	mov %rax, 224(%rsi)\n"
    "	mov %dr1, %rax\n	mov %rax, 232(%rsi)\n"
    "	mov %dr2, %rax\n	mov %rax, 240(%rsi)\n"
    "	mov %dr3, %rax\n	mov %rax, 248(%rsi)\n"
    "	mov %dr6, %rax\n	mov %rax, 272(%rsi)\n"
    "	mov %dr7, %rax\n	mov %rax, 280(%rsi)\n"
    "	cmpl $0, 288(%rsi)\n"
    "	je 3f\n"
    "	xor %ecx, %ecx\n"
    "	xgetbv\n"
    "	mov %eax, 288(%rsi)\n"
    "	cmpl $0, 296(%rsi)\n"
    "	je 3f\n"
    "	mov $7, %eax\n	xor %edx, %edx\n"
    "	xsetbv\n"
    "	vmovdqu %ymm15, 304(%rsi)\n"
    "3:	hlt\n"
    "	jmp read_code\n"
    "code_end:\n"
    ".text\n");

#define MSR_TSC_AUX	0xc0000103
#define MSR_KERNEL_GS	0xc0000102
#define MSR_LSTAR	0xc0000082

/* What one VM has in them; what a new one has. */
static const struct { uint32_t index; uint64_t mark, reset; } msrs[MSRS] = {
	{ 0xc0000080, 0x501, 0x500 },				/* EFER: SCE */
	{ 0xc0000081, 0x0013000800112233, 0 },			/* STAR */
	{ MSR_LSTAR, 0xffffffff81234560, 0 },
	{ 0xc0000083, 0xffffffff81234570, 0 },			/* CSTAR */
	{ 0xc0000084, 0x47700, 0 },				/* SFMASK */
	{ 0xc0000100, 0x7abc00001000, 0 },			/* FS base */
	{ 0xc0000101, 0x7abc00002000, 0 },			/* GS base */
	{ MSR_KERNEL_GS, 0x7abc00003000, 0 },
	{ MSR_TSC_AUX, 0x5a5a, 0 },
	{ 0x277, 0x0606060606060606, 0x0007040600070406 },	/* PAT */
	{ 0x174, 0x10, 0 },					/* SYSENTER */
	{ 0x175, 0xffffffff81234580, 0 },
	{ 0x176, 0xffffffff81234590, 0 },
};

static volatile int watched;	/* by DR0 of the host or of a guest */

/* Writes of 4 bytes to DR0's address; DR7 has a bit that is always 1. */
#define DR7_WATCH	(0x400 | 1 | 1 << 16 | 3 << 18)
#define DR6_RESET	0xffff0ff0
#define DR6_MARK	0xffff0ff5

static bool has_xsave(void)
{
	uint32_t a, b, c, d;

	__cpuid(1, a, b, c, d);
	return c & 1u << 27;
}

static struct record *record(const struct guest *g)
{
	return (struct record *)(g->memory + RECORD);
}

/* A VM that runs code on a record of the MSRs that there are. */
static void start(struct guest *g, const uint8_t *code, const uint8_t *end)
{
	struct { struct kvm_msrs head; struct kvm_msr_entry e; } one = { .head.nmsrs = 1 };
	struct kvm_regs regs;
	struct kvm_sregs s;
	int n = 0;

	guest_start(g, LONG, code, end - code);
	guest_offer_cpuid(g);
	assert_int_equal(ioctl(g->vcpu, KVM_GET_SREGS, &s), 0);
	s.cr4 |= CR4_OSFXSR | (has_xsave() ? CR4_OSXSAVE : 0);
	assert_int_equal(ioctl(g->vcpu, KVM_SET_SREGS, &s), 0);
	regs = guest_regs(g);
	regs.rsi = RECORD;
	guest_set_regs(g, &regs);
	for (int i = 0; i < MSRS; i++) {
		one.e.index = msrs[i].index;
		if (ioctl(g->vcpu, KVM_GET_MSRS, &one) == 1)
			record(g)->msr[n++].index = msrs[i].index;
		else	/* of these a CPU may lack only one */
			assert_int_equal(msrs[i].index, MSR_TSC_AUX);
	}
	record(g)->xcr0 = has_xsave();
	record(g)->avx = __builtin_cpu_supports("avx");
}

static uint64_t msr_of(uint32_t index, bool mark)
{
	for (int i = 0; i < MSRS; i++)
		if (msrs[i].index == index)
			return mark ? msrs[i].mark : msrs[i].reset;
	fail_msg("MSR %#x", index);
	return 0;
}

/* One that writes marks to everything. */
static void start_marking(struct guest *g)
{
	struct record *r;

	start(g, write_code, read_code);
	r = record(g);
	for (int i = 0; r->msr[i].index; i++)
		r->msr[i].value = msr_of(r->msr[i].index, true);
	r->dr[0] = (uintptr_t)&watched;
	for (int i = 1; i < 4; i++)
		r->dr[i] = 0x1111 * i;
	r->dr[6] = DR6_MARK;
	r->dr[7] = DR7_WATCH;
	if (r->xcr0)
		r->xcr0 = r->avx ? 7 : 3;
	memset(r->ymm, 0x22, sizeof(r->ymm));
	memset(r->fx, 0x33, sizeof(r->fx));
	memcpy(r->fx, "\x7f\x02\0\0\xff\0", 6);	/* FCW, FSW, FTW */
	*(uint32_t *)(r->fx + 24) = 0x1f00;		/* MXCSR */
	*(uint32_t *)(r->fx + 28) = 0xffff;
}

static void run(struct guest *g)
{
	assert_int_equal(guest_run(g), KVM_EXIT_HLT);
}

/* What a guest that read everything has found is what is there after a reset. */
static void assert_scrubbed(const struct guest *g)
{
	static const uint8_t zero[512];
	const struct record *r = record(g);

	for (int i = 0; r->msr[i].index; i++)
		if (r->msr[i].value != msr_of(r->msr[i].index, false))
			fail_msg("MSR %#llx is %#llx", (unsigned long long)r->msr[i].index,
				 (unsigned long long)r->msr[i].value);
	for (int i = 0; i < 4; i++)
		assert_int_equal(r->dr[i], 0);
	assert_int_equal(r->dr[6], DR6_RESET);
	assert_int_equal(r->dr[7], 0x400);
	assert_in_range(r->xcr0, 0, 1);
	assert_memory_equal(r->ymm, zero, sizeof(r->ymm));
	/* FCW, FSW, FTW; MXCSR; x87's and vector registers */
	assert_memory_equal(r->fx, "\x7f\x03\0\0\0", 5);
	assert_int_equal(*(uint32_t *)(r->fx + 24), 0x1f80);
	assert_memory_equal(r->fx + 32, zero, 128 + 256);
}

static void stay_on_this_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void threat_28_nothing_of_one_vms_registers_is_in_the_next_ones(void **state)
{
	struct guest marking, reading;

	stay_on_this_cpu();
	/* made before, so that it is not its making that cleans */
	start(&reading, read_code, code_end);
	start_marking(&marking);
	run(&marking);
	run(&reading);
	assert_scrubbed(&reading);
	guest_end(&reading);
	/* and made after, with the other one still there, and run again */
	run(&marking);
	start(&reading, read_code, code_end);
	run(&reading);
	assert_scrubbed(&reading);
	guest_end(&reading);
	guest_end(&marking);
	(void)state;
}

/* The same, with the registers set and read by ioctls. */
static void threat_28_what_user_space_sets_is_one_vcpus_own(void **state)
{
	struct kvm_debugregs debug = { .db = { 1, 2, 3, 4 }, .dr6 = DR6_MARK, .dr7 = 0x400 };
	struct { struct kvm_msrs head; struct kvm_msr_entry e[MSRS]; } m = {};
	struct guest marking, reading;
	const struct record *r;

	stay_on_this_cpu();
	start(&reading, read_code, code_end);
	start_marking(&marking);
	r = record(&marking);
	for (; r->msr[m.head.nmsrs].index; m.head.nmsrs++)
		m.e[m.head.nmsrs] = (struct kvm_msr_entry){ .index = r->msr[m.head.nmsrs].index,
							    .data = r->msr[m.head.nmsrs].value };
	assert_int_equal(ioctl(marking.vcpu, KVM_SET_MSRS, &m), m.head.nmsrs);
	assert_int_equal(ioctl(marking.vcpu, KVM_SET_DEBUGREGS, &debug), 0);
	run(&reading);
	assert_scrubbed(&reading);
	run(&marking);
	assert_int_equal(ioctl(reading.vcpu, KVM_GET_MSRS, &m), m.head.nmsrs);
	for (uint32_t i = 0; i < m.head.nmsrs; i++)
		assert_int_equal(m.e[i].data, msr_of(m.e[i].index, false));
	assert_int_equal(ioctl(reading.vcpu, KVM_GET_DEBUGREGS, &debug), 0);
	assert_int_equal(debug.db[0] | debug.db[1] | debug.db[2] | debug.db[3], 0);
	assert_int_equal(debug.dr6, DR6_RESET);
	assert_int_equal(debug.dr7, 0x400);
	/* and the marks are where they belong */
	assert_int_equal(ioctl(marking.vcpu, KVM_GET_MSRS, &m), m.head.nmsrs);
	for (uint32_t i = 0; i < m.head.nmsrs; i++)
		assert_int_equal(m.e[i].data, msr_of(m.e[i].index, true));
	assert_int_equal(ioctl(marking.vcpu, KVM_GET_DEBUGREGS, &debug), 0);
	assert_int_equal(debug.db[0], (uintptr_t)&watched);
	assert_int_equal(debug.dr7, DR7_WATCH);
	guest_end(&reading);
	guest_end(&marking);
	(void)state;
}

static uint64_t host_msr(int fd, uint32_t index)
{
	uint64_t value;

	if (pread(fd, &value, 8, index) != 8)
		fail_msg("the host's MSR %#x: %s", index, strerror(errno));
	return value;
}

static void threat_28_the_hosts_msrs_are_what_they_were(void **state)
{
	uint64_t before[MSRS] = {};
	struct guest marking;
	const struct record *r;
	char path[64];
	int fd;

	stay_on_this_cpu();
	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", sched_getcpu());
	fd = open(path, O_RDONLY);
	if (fd < 0 && system("modprobe -q msr 2> /dev/null") == 0)
		fd = open(path, O_RDONLY);
	if (fd < 0)
		why_skip("no /dev/cpu/N/msr here");
	start_marking(&marking);
	r = record(&marking);
	for (int i = 0; r->msr[i].index; i++)
		before[i] = host_msr(fd, r->msr[i].index);
	for (int n = 0; n < 10; n++) {
		run(&marking);
		for (int i = 0; r->msr[i].index; i++)
			if (host_msr(fd, r->msr[i].index) != before[i])
				fail_msg("the host's MSR %#llx was %#llx and is %#llx", (unsigned long long)r->msr[i].index,
					 (unsigned long long)before[i], (unsigned long long)host_msr(fd, r->msr[i].index));
	}
	guest_end(&marking);
	close(fd);
	(void)state;
}

static uint64_t watch_count(int fd)
{
	uint64_t n;

	assert_int_equal(read(fd, &n, 8), 8);
	return n;
}

/* A guest's breakpoint on an address of the process's; one of the process's own; none that the next guest sees. */
static void threat_28_breakpoints_are_the_guests_inside_and_the_hosts_outside(void **state)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched, .bp_len = HW_BREAKPOINT_LEN_4, .exclude_kernel = 1, .exclude_hv = 1,
	};
	struct guest marking, reading;
	int fd;

	stay_on_this_cpu();
	start_marking(&marking);
	run(&marking);
	watched = 1;	/* a SIGTRAP, if the guest's DR7 were here */
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (fd < 0) {
		guest_end(&marking);
		why_skip("no breakpoints by perf_event_open here");
	}
	watched = 2;
	if (watch_count(fd) != 1) {
		guest_end(&marking);
		close(fd);
		why_skip("this processor has no breakpoints");
	}
	run(&marking);
	watched = 3;
	assert_int_equal(watch_count(fd), 2);
	start(&reading, read_code, code_end);
	run(&reading);
	assert_scrubbed(&reading);
	watched = 4;
	assert_int_equal(watch_count(fd), 3);
	guest_end(&reading);
	guest_end(&marking);
	close(fd);
	(void)state;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_28_nothing_of_one_vms_registers_is_in_the_next_ones),
		cmocka_unit_test(threat_28_what_user_space_sets_is_one_vcpus_own),
		cmocka_unit_test(threat_28_the_hosts_msrs_are_what_they_were),
		cmocka_unit_test(threat_28_breakpoints_are_the_guests_inside_and_the_hosts_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
