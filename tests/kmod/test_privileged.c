/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_privileged.c - instructions that a hypervisor has a hand in, one by one
 *
 * Each runs at CPL 0 in long mode, without CPUID having been set, and either
 * goes on to the HLT behind it or raises an exception.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define IDT	0x4000
#define GDT	0x5000
#define HANDLERS 0x2000		/* one every 16 bytes */

enum { NONE = -1, DB = 1, UD = 6, GP = 13 };

static const struct {
	const char *name, *code;
	uint8_t len;
	int vector;
	bool ours;		/* not on stock KVM */
	uint64_t rax, rcx, rdx;
} rows[] = {
#define ROW(what, bytes, result, ...) \
	{ .name = what, .code = bytes, .len = sizeof(bytes) - 1, .vector = result, ##__VA_ARGS__ }
	ROW("rsm", "\x0f\xaa", UD),
	/* there is no virtualization in the guest */
	ROW("vmrun", "\x0f\x01\xd8", UD), ROW("vmload", "\x0f\x01\xda", UD),
	ROW("vmsave", "\x0f\x01\xdb", UD), ROW("skinit", "\x0f\x01\xde", UD),
	ROW("invlpga", "\x0f\x01\xdf", UD), ROW("vmlaunch", "\x0f\x01\xc2", UD),
	ROW("vmxoff", "\x0f\x01\xc4", UD), ROW("vmread", "\x0f\x78\xc1", UD),
	ROW("getsec", "\x0f\x37", UD), ROW("rdpru", "\x0f\x01\xfd", UD),
	/* hypercalls of either vendor: an answer in %rax */
	ROW("vmmcall", "\x0f\x01\xd9", NONE, .rax = 77), ROW("vmcall", "\x0f\x01\xc1", NONE, .rax = 77),
	ROW("invd", "\x0f\x08", NONE), ROW("wbinvd", "\x0f\x09", NONE),
	ROW("invlpg", "\x0f\x01\x3b", NONE), ROW("clts", "\x0f\x06", NONE),
	ROW("smsw", "\x0f\x01\xe0", NONE), ROW("lmsw", "\x0f\x01\xf0", NONE, .rax = 0x11),
	ROW("sgdt", "\x0f\x01\x04\x24", NONE), ROW("str", "\x0f\x00\xc8", NONE),
	ROW("monitor", "\x0f\x01\xc8", NONE, .rax = 0x9000), ROW("mwait", "\x0f\x01\xc9", NONE),
	ROW("rdtsc", "\x0f\x31", NONE), ROW("cpuid", "\x0f\xa2", NONE),
	/* OSXSAVE is off */
	ROW("xgetbv", "\x0f\x01\xd0", UD), ROW("xsetbv", "\x0f\x01\xd1", UD, .rax = 1),
	/* EFER.SCE is off */
	ROW("syscall", "\x0f\x05", UD), ROW("sysret", "\x0f\x07", UD),
	ROW("mov 15 to cr8", "\x44\x0f\x22\xc0", NONE, .rax = 15),
	ROW("mov what it is to cr4", "\x0f\x22\xe0", NONE, .rax = 0x20),
	ROW("mov a reserved bit to cr4", "\x0f\x22\xe0", GP, .rax = 1u << 31 | 0x20),
	ROW("mov SVM's VMXE to cr4", "\x0f\x22\xe0", GP, .rax = 1 << 13 | 0x20),
	ROW("mov cr4 without PAE", "\x0f\x22\xe0", GP, .rax = 0),
	ROW("mov to dr4, as dr6", "\x0f\x23\xe0", NONE), ROW("mov from dr5, as dr7", "\x0f\x21\xe8", NONE),
	ROW("mov 64 bits to dr7", "\x0f\x23\xf8", GP, .rax = 1ull << 32),
	ROW("mov 64 bits to dr6", "\x0f\x23\xf0", GP, .rax = 1ull << 32),
	ROW("rdmsr of none", "\x0f\x32", GP, .rcx = 0x12345678),
	ROW("wrmsr of none", "\x0f\x30", GP, .rcx = 0x12345678),
	ROW("rdmsr of the TSC", "\x0f\x32", NONE, .rcx = 0x10),
	ROW("wrmsr of LSTAR", "\x0f\x30", NONE, .rcx = 0xc0000082, .rdx = 0xffff8000),
	ROW("wrmsr of EFER, unknown bits", "\x0f\x30", GP, .rcx = 0xc0000080, .rax = 0x500, .rdx = 1),
	ROW("wrmsr of EFER, no LME", "\x0f\x30", GP, .rcx = 0xc0000080),
	ROW("wrmsr of the APIC base, reserved", "\x0f\x30", GP, .rcx = 0x1b, .rax = 0xfee00901),
	ROW("wrmsr of the MTRRs' capabilities", "\x0f\x30", GP, .rcx = 0xfe),
	/* where stock KVM goes on: it has counters on 6.1, and leaves the rest to the processor */
	ROW("rdpmc", "\x0f\x33", GP, .ours = true), ROW("stgi", "\x0f\x01\xdc", UD, .ours = true),
	ROW("clgi", "\x0f\x01\xdd", UD, .ours = true),
	ROW("general detect", "\x0f\x23\xf8\x0f\x21\xc0", DB, .rax = 0x2400, .ours = true),
};

/* For each vector mov $vector, %al; out %al, $1, at CPL 0. */
static void handlers(struct guest *g)
{
	const uint64_t gdt[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff };
	struct kvm_sregs s;

	memcpy(g->memory + GDT, gdt, sizeof(gdt));
	for (uint32_t n = 0; n < 32; n++) {
		const uint32_t gate[4] = { 8 << 16 | (HANDLERS + n * 16), 0x8e00, 0, 0 };

		memcpy(g->memory + IDT + n * 16, gate, 16);
		memcpy(g->memory + HANDLERS + n * 16, (uint8_t[]){ 0xb0, n, 0xe6, 1 }, 4);
	}
	assert_int_equal(ioctl(g->vcpu, KVM_GET_SREGS, &s), 0);
	s.gdt = (struct kvm_dtable){ .base = GDT, .limit = sizeof(gdt) - 1 };
	s.idt = (struct kvm_dtable){ .base = IDT, .limit = 32 * 16 - 1 };
	assert_int_equal(ioctl(g->vcpu, KVM_SET_SREGS, &s), 0);
}

static void each_instruction_does_what_it_must(void **state)
{
	char wrong[1024] = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kvm_regs regs = { .rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = 2,
			.rbx = 0x9000, .rax = rows[i].rax, .rcx = rows[i].rcx, .rdx = rows[i].rdx };
		struct guest g;
		int is = -2;

		if (rows[i].ours && access("/dev/kvmrun", F_OK))
			continue;
		guest_start(&g, LONG, rows[i].code, rows[i].len);
		g.memory[GUEST_CODE + rows[i].len] = 0xf4;
		handlers(&g);
		guest_set_regs(&g, &regs);
		switch (guest_run(&g)) {
		case KVM_EXIT_HLT:
			is = guest_regs(&g).rip == GUEST_CODE + rows[i].len + 1ull ? NONE : -3;
			break;
		case KVM_EXIT_IO:
			is = ((uint8_t *)g.run)[g.run->io.data_offset];
			break;
		}
		if (is != rows[i].vector)
			sprintf(wrong + strlen(wrong), "\n%s: %d instead of %d", rows[i].name, is,
				rows[i].vector);
		guest_end(&g);
	}
	if (*wrong)
		fail_msg("%s", wrong + 1);
	(void)state;
}

static void code_is_fetched_from_memory_that_may_only_be_read(void **state)
{
	struct guest g;

	guest_start(&g, LONG, CODE("\x8b\x04\x25\x00\x10\x00\x00\xf4"));	/* mov 0x1000, %eax; hlt */
	assert_int_equal(mprotect(g.memory + GUEST_CODE, 4096, PROT_READ), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, 0x25048b);
	guest_end(&g);
	(void)state;
}

static void code_where_no_memory_is_is_an_internal_error(void **state)
{
	for (enum guest_mode mode = PROTECTED; mode <= LONG; mode++) {
		struct kvm_regs regs = { .rip = 0x200000, .rflags = 2 };
		struct guest g;

		guest_start(&g, mode, CODE("\xf4"));
		guest_set_regs(&g, &regs);
		assert_int_equal(guest_run(&g), KVM_EXIT_INTERNAL_ERROR);
		assert_int_equal(g.run->internal.suberror, KVM_INTERNAL_ERROR_EMULATION);
		assert_int_equal(guest_regs(&g).rip, 0x200000);
		guest_end(&g);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_instruction_does_what_it_must),
		cmocka_unit_test(code_is_fetched_from_memory_that_may_only_be_read),
		cmocka_unit_test(code_where_no_memory_is_is_an_internal_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
