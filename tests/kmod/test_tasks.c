/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_tasks.c - switches by hardware tasks
 *
 * Task A is what a guest begins as; it goes to task B, and faults on the way to task C.
 * Each halts where its state is to be looked at.
 */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define IDT	0x4000
#define GDT	0x5000
#define LDT	0x5800
#define CODE_B	0x1800
#define CODE_C	0x1c00
#define STACK_B	0x9000
#define STACK_C	0xa000
#define TABLES_B 0x100000	/* page tables of B's own */

enum selector {
	CODE_SEG = 8, DATA_SEG = 16, TASK_A = 24, TASK_B = 32, TASK_C = 40, LDT_SEG = 48,
	NO_DATA = 56, NO_CODE = 64, READ_ONLY = 72, EXECUTE_ONLY = 80, TASK_16 = 88, BEYOND = 96,
	IN_LDT = 4,
};

struct tss {
	uint32_t link, stacks[6], cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt, trap;
};

struct tss_16 {
	uint16_t link, stacks[6], ip, flags, ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
};

#define TSS_A	0x7000
#define TSS_B	0x7100
#define TSS_C	0x7200
#define TSS_16	0x7300

_Static_assert(sizeof(struct tss) == 104 && sizeof(struct tss_16) == 44, "as the processor has them");

static struct tss *tss(struct guest *g, uint32_t at)
{
	return (struct tss *)(g->memory + at);
}

static void gate(struct guest *g, int vector, enum selector task)
{
	*(uint64_t *)(g->memory + IDT + vector * 8) = (uint64_t)task << 16 | 0x0000850000000000;
}

/*
 * Code of A's, of B's, and C's, which takes an error code. First A takes its task register
 * and writes to memory: QEMU's software CPU, and stock KVM on it, cannot go on with a
 * switch in whose middle the nested page tables had to be filled.
 */
static void start(struct guest *g, enum guest_mode mode, const void *code, size_t len, const void *b,
		  size_t b_len)
{
	static const uint8_t before[] = {
		0xb9, 0x1f, 0, 0, 0,	/* mov $31, %ecx */
		0x89, 0xcf,		/* 1: mov %ecx, %edi */
		0xc1, 0xe7, 12,		/* shl $12, %edi */
		0x80, 0x0f, 0,		/* orb $0, (%edi) */
		0xe2, 0xf6,		/* loop 1b */
		0xb9, 0xa1, 0, 0, 0,	/* mov $0xa1, %ecx */
		0xb8, TASK_A, 0, 0, 0,	/* mov $TASK_A, %eax */
		0x0f, 0x00, 0xd8,	/* ltr %ax */
	}, c[] = { 0x58, 0xf4 };
	const uint64_t gdt[] = {
		0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x0000890070000067, 0x0000890071000067,
		0x0000890072000067, 0x000082005800000f, 0x00cf13000000ffff, 0x00cf1b000000ffff,
		0x00cf91000000ffff, 0x00cf99000000ffff, 0x000081007300002b,
	};
	struct tss task = {
		.eip = CODE_B, .eflags = 0x802, .eax = 0xb0, .ecx = 0xb1, .edx = 0xb2, .ebx = 0xb3,
		.esp = STACK_B, .ebp = 0xb5, .esi = 0xb6, .edi = 0xb7, .cs = CODE_SEG, .ss = DATA_SEG,
		.ds = DATA_SEG, .es = DATA_SEG, .fs = IN_LDT, .ldt = LDT_SEG,
	};
	struct kvm_regs regs;
	struct kvm_sregs s;
	uint8_t all[64];

	memcpy(all, before, sizeof(before));
	memcpy(all + sizeof(before), code, len);
	guest_start(g, mode, all, sizeof(before) + len);
	memcpy(g->memory + GDT, gdt, sizeof(gdt));
	memcpy(g->memory + LDT, &gdt[2], 8);
	memcpy(g->memory + CODE_B, b, b_len);
	memcpy(g->memory + CODE_C, c, sizeof(c));
	assert_int_equal(ioctl(g->vcpu, KVM_GET_SREGS, &s), 0);
	task.cr3 = s.cr3;
	*tss(g, TSS_B) = task;
	task.eip = CODE_C;
	task.esp = STACK_C;
	task.fs = task.ldt = 0;
	*tss(g, TSS_C) = task;
	tss(g, TSS_A)->cr3 = s.cr3;
	s.gdt.base = GDT;
	s.gdt.limit = sizeof(gdt) - 1;
	s.idt.base = IDT;
	s.idt.limit = 64 * 8 - 1;
	assert_int_equal(ioctl(g->vcpu, KVM_SET_SREGS, &s), 0);
	regs = guest_regs(g);
	regs.rbx = 0xa3;
	guest_set_regs(g, &regs);
}

/* A's own code. */
#define A (GUEST_CODE + 28)

static bool busy(struct guest *g, enum selector task)
{
	return g->memory[GDT + task + 5] & 2;
}

/* Runs to the next HLT, which is in that task and whose end is there. */
static struct kvm_sregs expect_halt(struct guest *g, enum selector task, uint32_t rip)
{
	struct kvm_sregs s;
	int reason = guest_run(g);

	assert_int_equal(ioctl(g->vcpu, KVM_GET_SREGS, &s), 0);
	if (reason != KVM_EXIT_HLT || guest_regs(g).rip != rip || s.tr.selector != task)
		fail_msg("exit %d at %#llx in task %u instead of HLT before %#x in %u", reason,
			 (unsigned long long)guest_regs(g).rip, s.tr.selector, rip, task);
	return s;
}

static bool on_vmx(void)
{
	uint32_t eax, ebx, ecx = 0, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & 1 << 5;
}

#define NT 0x4000u
#define FLAGS 0xd5u	/* that A's arithmetic left */

static void a_call_switches_and_iret_switches_back(void **state)
{
	struct kvm_regs regs;
	struct kvm_sregs s;
	struct guest g;

	/* lcall $TASK_B, $0; hlt / hlt; iret */
	start(&g, PROTECTED, CODE("\x9a\0\0\0\0\x20\0\xf4"), CODE("\xf4\xcf"));
	s = expect_halt(&g, TASK_B, CODE_B + 1);
	regs = guest_regs(&g);
	assert_int_equal(s.tr.base, TSS_B);
	assert_int_equal(s.tr.limit, 0x67);
	assert_int_equal(s.tr.type, 11);
	assert_int_equal(s.cr0 & 8, 8);
	assert_int_equal(regs.rflags, 0x802 | NT);
	assert_int_equal(regs.rax, 0xb0);
	assert_int_equal(regs.rcx, 0xb1);
	assert_int_equal(regs.rdx, 0xb2);
	assert_int_equal(regs.rbx, 0xb3);
	assert_int_equal(regs.rsp, STACK_B);
	assert_int_equal(regs.rbp, 0xb5);
	assert_int_equal(regs.rsi, 0xb6);
	assert_int_equal(regs.rdi, 0xb7);
	assert_int_equal(s.cs.selector, CODE_SEG);
	assert_int_equal(s.ss.selector, DATA_SEG);
	assert_int_equal(s.fs.selector, IN_LDT);
	assert_int_equal(s.fs.limit, 0xffffffff);
	assert_int_equal(s.gs.unusable, 1);
	assert_int_equal(s.ldt.selector, LDT_SEG);
	assert_int_equal(s.ldt.base, LDT);
	assert_int_equal(s.ldt.limit, 15);
	assert_int_equal(tss(&g, TSS_B)->link, TASK_A);
	assert_int_equal(tss(&g, TSS_A)->eip, A + 7);
	assert_int_equal(tss(&g, TSS_A)->eflags & ~FLAGS, 2);
	assert_int_equal(tss(&g, TSS_A)->ebx, 0xa3);
	assert_int_equal(tss(&g, TSS_A)->ecx, 0xa1);
	assert_int_equal(tss(&g, TSS_A)->esp, GUEST_STACK);
	assert_int_equal(tss(&g, TSS_A)->cs, CODE_SEG);
	assert_true(busy(&g, TASK_A) && busy(&g, TASK_B));

	s = expect_halt(&g, TASK_A, A + 8);
	regs = guest_regs(&g);
	assert_int_equal(regs.rflags & ~FLAGS, 2);
	assert_int_equal(regs.rbx, 0xa3);
	assert_int_equal(regs.rsp, GUEST_STACK);
	assert_int_equal(s.ldt.unusable, 1);
	assert_int_equal(tss(&g, TSS_B)->eip, CODE_B + 2);
	assert_int_equal(tss(&g, TSS_B)->eflags, 0x802);
	assert_true(busy(&g, TASK_A) && !busy(&g, TASK_B));
	guest_end(&g);
	(void)state;
}

static void a_jump_leaves_the_old_task_free(void **state)
{
	struct guest g;

	/* ljmp $TASK_B, $0; hlt / hlt; ljmp $TASK_A, $0 */
	start(&g, PROTECTED, CODE("\xea\0\0\0\0\x20\0\xf4"), CODE("\xf4\xea\0\0\0\0\x18\0"));
	expect_halt(&g, TASK_B, CODE_B + 1);
	assert_int_equal(guest_regs(&g).rflags, 0x802);
	assert_int_equal(tss(&g, TSS_B)->link, 0);
	assert_true(!busy(&g, TASK_A) && busy(&g, TASK_B));
	expect_halt(&g, TASK_A, A + 8);
	assert_int_equal(guest_regs(&g).rbx, 0xa3);
	assert_true(busy(&g, TASK_A) && !busy(&g, TASK_B));
	assert_int_equal(tss(&g, TSS_B)->eip, CODE_B + 8);
	guest_end(&g);
	(void)state;
}

static void a_task_of_16_bits_has_the_lower_halves(void **state)
{
	struct tss_16 *b;
	struct guest g;

	start(&g, PROTECTED, CODE("\x9a\0\0\0\0\x58\0\xf4"), CODE("\xf4\xcf"));
	b = (struct tss_16 *)(g.memory + TSS_16);
	*b = (struct tss_16){
		.ip = CODE_B, .flags = 2, .ax = 0xb0, .bx = 0xb3, .di = 0xb7, .sp = STACK_B,
		.cs = CODE_SEG, .ss = DATA_SEG, .ds = DATA_SEG, .es = DATA_SEG, .ldt = LDT_SEG,
	};
	assert_int_equal(expect_halt(&g, TASK_16, CODE_B + 1).ldt.base, LDT);
	assert_int_equal(guest_regs(&g).rax & 0xffff, 0xb0);
	assert_int_equal(guest_regs(&g).rbx & 0xffff, 0xb3);
	assert_int_equal(guest_regs(&g).rdi & 0xffff, 0xb7);
	assert_int_equal(guest_regs(&g).rsp & 0xffff, STACK_B);
	assert_int_equal(guest_regs(&g).rflags, 2 | NT);
	assert_int_equal(b->link, TASK_A);
	expect_halt(&g, TASK_A, A + 8);
	assert_int_equal(guest_regs(&g).rbx, 0xa3);
	assert_int_equal(b->ip, CODE_B + 2);
	assert_int_equal(b->flags, 2);
	assert_int_equal(b->bx, 0xb3);
	assert_int_equal(b->ss, DATA_SEG);
	guest_end(&g);
	(void)state;
}

/* ---------------------------------------------------------------------- gates */

static void an_exception_through_a_gate_brings_its_error_code(void **state)
{
	struct guest g;

	/* mov %ebx, %ds; hlt / hlt; pop %eax; addl $2, TSS_A + 32; iret */
	start(&g, PROTECTED, CODE("\x8e\xdb\xf4"), CODE("\xf4\x58\x83\x05\x20\x70\0\0\2\xcf"));
	gate(&g, 13, TASK_B);
	expect_halt(&g, TASK_B, CODE_B + 1);
	assert_int_equal(guest_regs(&g).rsp, STACK_B - 4);
	assert_int_equal(*(uint32_t *)(g.memory + STACK_B - 4), 0xa0);
	assert_int_equal(tss(&g, TSS_A)->eip, A);
	assert_int_equal(tss(&g, TSS_B)->link, TASK_A);
	assert_int_equal(guest_regs(&g).rflags & NT, NT);
	expect_halt(&g, TASK_A, A + 3);
	guest_end(&g);
	(void)state;
}

static void int_through_a_gate_goes_on_behind_it(void **state)
{
	struct guest g;

	/* int $0x30; int3; hlt / hlt; iret; hlt; iret */
	start(&g, PROTECTED, CODE("\xcd\x30\xcc\xf4"), CODE("\xf4\xcf\xf4\xcf"));
	gate(&g, 0x30, TASK_B);
	gate(&g, 3, TASK_B);
	expect_halt(&g, TASK_B, CODE_B + 1);
	assert_int_equal(guest_regs(&g).rsp, STACK_B);
	assert_int_equal(tss(&g, TSS_A)->eip, A + 2);
	/* B goes on where it was */
	expect_halt(&g, TASK_B, CODE_B + 3);
	assert_int_equal(tss(&g, TSS_A)->eip, A + 3);
	expect_halt(&g, TASK_A, A + 4);
	guest_end(&g);
	(void)state;
}

static void interrupts_and_nmis_come_through_gates(void **state)
{
	struct kvm_vcpu_events events;
	struct kvm_interrupt irq = { .irq = 0x31 };
	struct guest g;

	/* sti; hlt; nop; hlt / hlt; iret; hlt; iret */
	start(&g, PROTECTED, CODE("\xfb\xf4\x90\xf4"), CODE("\xf4\xcf\xf4\xcf"));
	gate(&g, 0x31, TASK_B);
	gate(&g, 2, TASK_B);
	expect_halt(&g, TASK_A, A + 2);
	assert_int_equal(ioctl(g.vcpu, KVM_INTERRUPT, &irq), 0);
	expect_halt(&g, TASK_B, CODE_B + 1);
	assert_int_equal(guest_regs(&g).rsp, STACK_B);
	assert_int_equal(tss(&g, TSS_A)->eip, A + 2);
	assert_int_equal(tss(&g, TSS_A)->eflags & 0x200, 0x200);
	expect_halt(&g, TASK_A, A + 4);

	assert_int_equal(ioctl(g.vcpu, KVM_NMI), 0);
	expect_halt(&g, TASK_B, CODE_B + 3);
	assert_int_equal(tss(&g, TSS_A)->eip, A + 4);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_VCPU_EVENTS, &events), 0);
	assert_int_equal(events.nmi.masked, 1);
	/* the next one waits for IRET, and comes at A's next instruction */
	g.memory[CODE_B + 4] = 0xf4;
	g.memory[A + 4] = 0xf4;
	assert_int_equal(ioctl(g.vcpu, KVM_NMI), 0);
	expect_halt(&g, TASK_B, CODE_B + 5);
	assert_int_equal(tss(&g, TSS_A)->eip, A + 4);
	guest_end(&g);
	(void)state;
}

/* --------------------------------------------------------------------- faults */

static void what_a_new_task_cannot_load_faults_in_it(void **state)
{
	static const struct {
		const char *what;
		uint8_t offset;
		uint16_t selector;
		uint8_t vector;
		uint32_t error;
	} rows[] = {
#define ROW(field, ...) { #field ": " #__VA_ARGS__, offsetof(struct tss, field), __VA_ARGS__ }
		ROW(ldt, DATA_SEG, 10, DATA_SEG),
		ROW(ldt, BEYOND, 10, BEYOND),
		ROW(ldt, IN_LDT, 10, IN_LDT),
		ROW(cs, 0, 10, 0),
		ROW(cs, DATA_SEG, 10, DATA_SEG),
		ROW(cs, CODE_SEG | 3, 10, CODE_SEG),
		ROW(cs, NO_CODE, 11, NO_CODE),
		ROW(cs, BEYOND, 10, BEYOND),
		ROW(ss, 0, 10, 0),
		ROW(ss, READ_ONLY, 10, READ_ONLY),
		ROW(ss, CODE_SEG, 10, CODE_SEG),
		ROW(ss, DATA_SEG | 3, 10, DATA_SEG),
		ROW(ss, NO_DATA, 12, NO_DATA),
		ROW(ds, EXECUTE_ONLY, 10, EXECUTE_ONLY),
		ROW(es, NO_DATA, 11, NO_DATA),
		ROW(fs, TASK_C, 10, TASK_C),
		ROW(gs, BEYOND | IN_LDT, 10, BEYOND | IN_LDT),
	};
	struct guest g;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint16_t selector = 0;

		/* QEMU's has #NP for this, too */
		if (rows[i].vector == 12 && !on_vmx())
			continue;
		start(&g, PROTECTED, CODE("\x9a\0\0\0\0\x20\0\xf4"), CODE("\xf4"));
		for (int vector = 10; vector <= 12; vector++)
			gate(&g, vector, vector == rows[i].vector ? TASK_C : 0);
		memcpy((char *)tss(&g, TSS_B) + rows[i].offset, &rows[i].selector, 2);
		print_message("%s\n", rows[i].what);
		expect_halt(&g, TASK_C, CODE_C + 2);
		assert_int_equal(guest_regs(&g).rax, rows[i].error);
		/* in B's context, before its first instruction; QEMU's software CPU says where A was */
		assert_int_equal(tss(&g, TSS_C)->link, TASK_B);
		if (on_vmx())
			assert_int_equal(tss(&g, TSS_B)->eip, CODE_B);
		memcpy(&selector, (char *)tss(&g, TSS_B) + rows[i].offset, 2);
		assert_int_equal(selector, rows[i].selector);
		guest_end(&g);
	}
	(void)state;
}

static void a_task_of_which_a_page_is_missing_faults_in_the_old_one(void **state)
{
	struct kvm_sregs s;
	struct guest g;

	start(&g, PAGED_32, CODE("\x9a\0\0\0\0\x20\0\xf4"), CODE("\xf4"));
	/* B's segment moves to a page of its own, that the tables (at 0x11000) do not have */
	memcpy(g.memory + 0x20000, tss(&g, TSS_B), sizeof(struct tss));
	*(uint64_t *)(g.memory + GDT + TASK_B) = 0x0000890200000067;
	*(uint32_t *)(g.memory + 0x11000 + 0x20 * 4) &= ~1u;
	gate(&g, 14, TASK_C);
	s = expect_halt(&g, TASK_C, CODE_C + 2);
	assert_int_equal(s.cr2 & ~0xfffull, 0x20000);
	assert_int_equal(guest_regs(&g).rax & ~2ull, 0);
	assert_int_equal(tss(&g, TSS_C)->link, TASK_A);
	assert_int_equal(tss(&g, TSS_A)->eip, A);
	assert_false(busy(&g, TASK_B));
	guest_end(&g);
	(void)state;
}

static void a_task_has_page_tables_of_its_own(void **state)
{
	struct guest g;
	uint32_t *tables;

	/* (reads of TABLES_B); lcall $TASK_B, $0; mov 0x30000, %eax; hlt / mov 0x30000, %eax; hlt; iret */
	start(&g, PAGED_32, CODE("\xa1\0\0\x10\0\xa1\0\x10\x10\0\x9a\0\0\0\0\x20\0\xa1\0\0\3\0\xf4"),
	      CODE("\xa1\0\0\3\0\xf4\xcf"));
	tables = (uint32_t *)(g.memory + TABLES_B);
	tables[0] = (TABLES_B + 4096) | 7;
	for (uint32_t i = 0; i < 1024; i++)
		tables[1024 + i] = i << 12 | 7;
	tables[1024 + 0x30] = 0x31000 | 7;
	*(uint32_t *)(g.memory + 0x30000) = 0xaa;
	*(uint32_t *)(g.memory + 0x31000) = 0xbb;
	tss(&g, TSS_B)->cr3 = TABLES_B;
	assert_int_equal(expect_halt(&g, TASK_B, CODE_B + 6).cr3, TABLES_B);
	assert_int_equal(guest_regs(&g).rax, 0xbb);
	expect_halt(&g, TASK_A, A + 23);
	assert_int_equal(guest_regs(&g).rax, 0xaa);
	guest_end(&g);
	(void)state;
}

static void a_task_may_be_an_8086s(void **state)
{
	struct kvm_sregs s;
	struct guest g;

	start(&g, PROTECTED, CODE("\x9a\0\0\0\0\x20\0\xf4"), CODE("\xf4"));
	tss(&g, TSS_B)->eflags = 0x23002;
	tss(&g, TSS_B)->eip = 0;
	tss(&g, TSS_B)->cs = CODE_B >> 4;
	tss(&g, TSS_B)->ss = 0x900;
	tss(&g, TSS_B)->ds = tss(&g, TSS_B)->es = tss(&g, TSS_B)->fs = 0x123;
	/* HLT is not for it: #GP in C, by whose link it is known */
	gate(&g, 13, TASK_C);
	s = expect_halt(&g, TASK_C, CODE_C + 2);
	assert_int_equal(s.cs.selector, CODE_SEG);
	assert_int_equal(tss(&g, TSS_C)->link, TASK_B);
	assert_int_equal(tss(&g, TSS_B)->eip, 0);
	assert_int_equal(tss(&g, TSS_B)->eflags & 0x20000, 0x20000);
	assert_int_equal(tss(&g, TSS_B)->cs, CODE_B >> 4);
	assert_int_equal(tss(&g, TSS_B)->ds, 0x123);
	guest_end(&g);
	(void)state;
}

static void a_task_may_ask_for_a_trap_at_its_first_instruction(void **state)
{
	struct kvm_debugregs debug;
	struct guest g;

	if (!on_vmx() || access("/dev/kvmrun", F_OK)) {
		print_message("QEMU's software CPU does not do this, nor does stock KVM\n");
		skip();
	}
	start(&g, PROTECTED, CODE("\x9a\0\0\0\0\x20\0\xf4"), CODE("\xf4"));
	tss(&g, TSS_B)->trap = 1;
	gate(&g, 1, TASK_C);
	expect_halt(&g, TASK_C, CODE_C + 2);
	assert_int_equal(tss(&g, TSS_C)->link, TASK_B);
	assert_int_equal(tss(&g, TSS_B)->eip, CODE_B);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_DEBUGREGS, &debug), 0);
	assert_int_equal(debug.dr6, 0xffff8ff0);
	guest_end(&g);
	(void)state;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_switches_and_iret_switches_back),
		cmocka_unit_test(a_jump_leaves_the_old_task_free),
		cmocka_unit_test(a_task_of_16_bits_has_the_lower_halves),
		cmocka_unit_test(an_exception_through_a_gate_brings_its_error_code),
		cmocka_unit_test(int_through_a_gate_goes_on_behind_it),
		cmocka_unit_test(interrupts_and_nmis_come_through_gates),
		cmocka_unit_test(what_a_new_task_cannot_load_faults_in_it),
		cmocka_unit_test(a_task_of_which_a_page_is_missing_faults_in_the_old_one),
		cmocka_unit_test(a_task_has_page_tables_of_its_own),
		cmocka_unit_test(a_task_may_be_an_8086s),
		cmocka_unit_test(a_task_may_ask_for_a_trap_at_its_first_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
