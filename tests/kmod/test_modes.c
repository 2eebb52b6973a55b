/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_modes.c - exceptions, interrupts, debugging and translation in every mode
 *
 * What a guest does is written down as the sequence of its exits, in a few
 * letters each, and compared as a whole.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "guest.h"

#define IDT	0x4000
#define GDT	0x5000
#define HANDLERS 0x2000		/* one every 16 bytes */
#define TSS	0x7000
#define RFLAGS_IF 0x200ull

static const char *const mode_names[] = { "real", "protected", "32-bit paged", "PAE", "long" };

/*
 * Runs to HLT, or n exits, or what ends a guest: "oPP=VV" a byte out of a port,
 * "iPP" into one (which gets 0x77), "dRR" a debug exit with RIP's last byte,
 * "w" an interrupt window, "h" HLT, "m" MMIO, "s" shutdown, "eN" an internal
 * error, "?N" another one.
 */
static const char *trace(struct guest *g, int n)
{
	static char text[512];
	char *at = text;

	for (*at = 0; n--; at += strlen(at)) {
		uint8_t *data = (uint8_t *)g->run + g->run->io.data_offset;

		switch (guest_run(g)) {
		case KVM_EXIT_IO:
			data = (uint8_t *)g->run + g->run->io.data_offset;
			if (g->run->io.direction == KVM_EXIT_IO_OUT) {
				sprintf(at, "o%02x=%02x ", g->run->io.port, *data);
			} else {
				memset(data, 0x77, g->run->io.size * g->run->io.count);
				sprintf(at, "i%02x ", g->run->io.port);
			}
			break;
		case KVM_EXIT_DEBUG:
			sprintf(at, "d%02x ", (uint8_t)g->run->debug.arch.pc);
			break;
		case KVM_EXIT_IRQ_WINDOW_OPEN:
			strcpy(at, "w ");
			break;
		case KVM_EXIT_MMIO:
			strcpy(at, "m ");
			break;
		case KVM_EXIT_HLT:
			strcpy(at, "h");
			return text;
		case KVM_EXIT_SHUTDOWN:
			strcpy(at, "s");
			return text;
		case KVM_EXIT_INTERNAL_ERROR:
			sprintf(at, "e%d", g->run->internal.suberror);
			return text;
		default:
			sprintf(at, "?%d", g->run->exit_reason);
			return text;
		}
	}
	return text;
}

/*
 * A handler for each of the first 64 vectors: it writes its number to port 1,
 * the error code's low byte to port 2 where there is one, and returns. In real
 * mode there is none.
 */
static void handlers(struct guest *g, enum guest_mode mode)
{
	const uint64_t with_error = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;

	for (uint32_t n = 0; n < 64; n++) {
		uint8_t *code = g->memory + HANDLERS + n * 32;
		uint32_t at = HANDLERS + n * 32;
		uint32_t gate[4] = { 8 << 16 | at, 0x8e00, 0, 0 };
		uint16_t far[2] = { at, 0 };

		/* push rax; mov $n, %al; out %al, $1; pop rax */
		memcpy(code, "\x50\xb0\x00\xe6\x01\x58", 6);
		code[2] = n;
		code += 6;
		if (mode != REAL && with_error >> n & 1) {
			/* the code is where the accumulator was found to be: pop, out, keep the rest */
			memcpy(code, "\x58\xe6\x02", 3);
			code += 3;
		}
		if (mode == LONG)
			*code++ = 0x48;
		*code = 0xcf;
		if (mode == REAL)
			memcpy(g->memory + n * 4, far, 4);
		else if (mode == LONG)
			memcpy(g->memory + IDT + n * 16, gate, 16);
		else
			memcpy(g->memory + IDT + n * 8, gate, 8);
	}
}

static void descriptors(struct guest *g, enum guest_mode mode)
{
	const uint64_t gdt[] = { 0, mode == LONG ? 0x00af9b000000ffff : 0x00cf9b000000ffff,
				 0x00cf93000000ffff };
	struct kvm_sregs s;

	if (mode == REAL)
		return;
	memcpy(g->memory + GDT, gdt, sizeof(gdt));
	assert_int_equal(ioctl(g->vcpu, KVM_GET_SREGS, &s), 0);
	s.gdt.base = GDT;
	s.gdt.limit = sizeof(gdt) + 7;	/* room for a TSS */
	s.idt.base = IDT;
	s.idt.limit = 64 * (mode == LONG ? 16 : 8) - 1;
	s.tr = (struct kvm_segment){ .base = TSS, .limit = 0x67, .selector = 24, .type = 11, .present = 1 };
	assert_int_equal(ioctl(g->vcpu, KVM_SET_SREGS, &s), 0);
}

static void start(struct guest *g, enum guest_mode mode, const void *code, size_t len)
{
	guest_start(g, mode, code, len);
	handlers(g, mode);
	descriptors(g, mode);
}

static void expect(struct guest *g, enum guest_mode mode, const char *what, const char *expected)
{
	const char *is = trace(g, 40);

	if (strcmp(is, expected))
		fail_msg("%s, %s mode: \"%s\" instead of \"%s\"", what, mode_names[mode], is, expected);
}

/* ------------------------------------------------------------------- exceptions */

static void exceptions_arrive_with_their_error_codes(void **state)
{
	static const struct {
		const char *name, *code;
		uint8_t len;
		uint8_t modes;		/* in which ones: bits */
		const char *real, *other;
	} rows[] = {
#define ROW(name, code, ...) { name, code, sizeof(code) - 1, __VA_ARGS__ }
		ROW("int $0x21", "\xcd\x21\xf4", 31, "o01=21 h", "o01=21 h"),
		ROW("int3", "\xcc\xf4", 31, "o01=03 h", "o01=03 h"),
		/* what an error code replaces in %al is the handler's business: it ends after one */
		ROW("in a handler", "\xcd\x22\xcd\x21\xf4", 31, "o01=22 o01=21 h", "o01=22 o01=21 h"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (enum guest_mode mode = REAL; mode <= LONG; mode++) {
			struct guest g;

			if (!(rows[i].modes >> mode & 1))
				continue;
			start(&g, mode, rows[i].code, rows[i].len);
			expect(&g, mode, rows[i].name, mode == REAL ? rows[i].real : rows[i].other);
			assert_int_equal(guest_regs(&g).rsp & 0xffff, GUEST_STACK);
			guest_end(&g);
		}
}

/* A fault comes again when its handler returns: look at the first exits only. */
static void faults_come_with_their_error_codes(void **state)
{
	static const struct {
		const char *name, *code;
		uint8_t len;
		const char *real, *protected, *paged, *lng;
	} rows[] = {
		/* ud2 */
		{ "ud2", "\x0f\x0b", 2, "o01=06 ", "o01=06 ", "o01=06 ", "o01=06 " },
		/* xor %ax, %ax; div %al */
		{ "div", "\x30\xc0\xf6\xf0", 4, "o01=00 ", "o01=00 ", "o01=00 ", "o01=00 " },
		/* mov 0x7ffff000, %al: behind the limit, or no page */
		{ "page", "\x67\x8a\x04\x25\x00\xf0\xff\x7f", 8, NULL, NULL, NULL, "o01=0e o02=00 " },
		{ "page", "\xa0\x00\xf0\xff\x7f", 5, NULL, NULL, "o01=0e o02=00 ", NULL },
		/* wrmsr of what is not there */
		{ "wrmsr", "\x66\xb9\x44\x33\x22\x11\x0f\x30", 8, "o01=0d ", NULL, NULL, NULL },
		{ "wrmsr", "\xb9\x44\x33\x22\x11\x0f\x30", 7, NULL, "o01=0d o02=00 ", "o01=0d o02=00 ",
		  "o01=0d o02=00 " },
		/* int of a vector behind the table's end */
		/* QEMU has 16 bytes an entry for the index in long mode, which 0x60 does not show */
		{ "int $0x60", "\xcd\x60", 2, NULL, "o01=0d o02=02 ", "o01=0d o02=02 ", "o01=0d o02=02 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (enum guest_mode mode = REAL; mode <= LONG; mode++) {
			const char *expected = mode == REAL ? rows[i].real : mode == LONG ? rows[i].lng :
					       mode == PROTECTED ? rows[i].protected : rows[i].paged;
			struct guest g;
			const char *is;

			if (!expected)
				continue;
			start(&g, mode, rows[i].code, rows[i].len);
			is = trace(&g, strstr(expected, "o02") ? 2 : 1);
			/* in long mode QEMU's software CPU has 16 times the vector, a CPU 8 times */
			if (!strcmp(rows[i].name, "int $0x50") && !strcmp(is, rows[i].protected))
				expected = is;
			if (strcmp(is, expected))
				fail_msg("%s, %s mode: \"%s\" instead of \"%s\"", rows[i].name,
					 mode_names[mode], is, expected);
			guest_end(&g);
		}
}

static void exceptions_that_user_space_injects_arrive(void **state)
{
	(void)state;
	for (enum guest_mode mode = REAL; mode <= LONG; mode++) {
		struct kvm_vcpu_events events;
		struct guest g;

		start(&g, mode, CODE("\xf4"));
		assert_int_equal(ioctl(g.vcpu, KVM_GET_VCPU_EVENTS, &events), 0);
		events.exception.injected = 1;
		events.exception.nr = 6;
		assert_int_equal(ioctl(g.vcpu, KVM_SET_VCPU_EVENTS, &events), 0);
		expect(&g, mode, "#UD", "o01=06 h");
		guest_end(&g);
	}
}

/* ------------------------------------------------------------------- interrupts */

static void interrupts_and_nmis_wait_for_their_moment(void **state)
{
	(void)state;
	for (enum guest_mode mode = REAL; mode <= LONG; mode++) {
		struct kvm_interrupt irq = { .irq = 0x30 };
		struct guest g;

		/* nop; sti; nop; nop; out %al, $9; cli; hlt; sti; hlt; hlt */
		start(&g, mode, CODE("\x90\xfb\x90\x90\xe6\x09\xfa\xf4\xfb\xf4\xf4"));
		g.run->request_interrupt_window = 1;
		assert_string_equal(trace(&g, 1), "w ");
		g.run->request_interrupt_window = 0;
		assert_int_equal(ioctl(g.vcpu, KVM_INTERRUPT, &irq), 0);
		assert_int_equal(ioctl(g.vcpu, KVM_NMI, 0), 0);
		/* interrupts are off at the first HLT */
		assert_int_equal(guest_run(&g), KVM_EXIT_IO);
		{
			/* the NMI comes first, or right at the start of the interrupt's handler */
			uint8_t first = ((uint8_t *)g.run)[g.run->io.data_offset];

			assert_true(first == 2 || first == 0x30);
			assert_int_equal(guest_run(&g), KVM_EXIT_IO);
			assert_int_equal(((uint8_t *)g.run)[g.run->io.data_offset],
					 first == 2 ? 0x30 : 2);
		}
		expect(&g, mode, "then", "o09=00 h");
		expect(&g, mode, "sti; hlt", "h");
		assert_int_equal(g.run->if_flag, 1);
		guest_end(&g);
	}
}

/* STI, and a MOV to SS: no interrupt before the next instruction is over. */
static void an_interrupt_shadow_comes_back_as_set(void **state)
{
	(void)state;
	for (int shadow = 0; shadow <= 1; shadow++) {
		struct kvm_regs regs = { .rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = RFLAGS_IF | 2 };
		struct kvm_vcpu_events events;
		struct guest g;

		start(&g, LONG, CODE("\x90\x90\xf4"));	/* nop; nop; hlt */
		guest_set_regs(&g, &regs);
		assert_int_equal(ioctl(g.vcpu, KVM_GET_VCPU_EVENTS, &events), 0);
		assert_int_equal(events.interrupt.shadow, 0);
		events.flags |= KVM_VCPUEVENT_VALID_SHADOW;
		events.interrupt.shadow = shadow ? KVM_X86_SHADOW_INT_STI : 0;
		assert_int_equal(ioctl(g.vcpu, KVM_SET_VCPU_EVENTS, &events), 0);
		assert_int_equal(ioctl(g.vcpu, KVM_GET_VCPU_EVENTS, &events), 0);
		assert_int_equal(!!events.interrupt.shadow, shadow);
		assert_string_equal(trace(&g, 1), "h");
		assert_int_equal(ioctl(g.vcpu, KVM_GET_VCPU_EVENTS, &events), 0);
		assert_int_equal(events.interrupt.shadow, 0);
		guest_end(&g);
	}
}

static void a_triple_fault_that_user_space_brings_is_a_shutdown(void **state)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_TRIPLE_FAULT_EVENT, .args = { 1 } };
	struct kvm_vcpu_events events;
	struct guest g;

	(void)state;
	start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(g.vm, KVM_CHECK_EXTENSION, KVM_CAP_X86_TRIPLE_FAULT_EVENT), 1);
	assert_int_equal(ioctl(g.vm, KVM_ENABLE_CAP, &cap), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_VCPU_EVENTS, &events), 0);
	assert_true(events.flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT);
	assert_int_equal(events.triple_fault.pending, 0);
	events.triple_fault.pending = 1;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_VCPU_EVENTS, &events), 0);
	events.triple_fault.pending = 0;
	assert_int_equal(ioctl(g.vcpu, KVM_GET_VCPU_EVENTS, &events), 0);
	assert_int_equal(events.triple_fault.pending, 1);
	assert_string_equal(trace(&g, 1), "s");
	guest_end(&g);
}

static void cr8_travels_by_the_run_page(void **state)
{
	struct kvm_sregs s;
	struct guest g;

	(void)state;
	/* mov %cr8, %rax; out %al, $1; mov $5, %al; mov %rax, %cr8; hlt; mov %cr8, %rax; out %al, $1; hlt */
	start(&g, LONG, CODE("\x44\x0f\x20\xc0\xe6\x01\xb0\x05\x44\x0f\x22\xc0\xf4"
			     "\x44\x0f\x20\xc0\xe6\x01\xf4"));
	g.run->cr8 = 3;
	expect(&g, LONG, "from the page", "o01=03 h");
	assert_int_equal(g.run->cr8, 5);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s), 0);
	assert_int_equal(s.cr8, 5);
	g.run->cr8 = 9;
	expect(&g, LONG, "changed", "o01=09 h");
	guest_end(&g);
}

static void cr8_is_written_while_a_window_is_waited_for(void **state)
{
	struct guest g;

	(void)state;
	if (guest_cpu_is_qemus()) {
		print_message("QEMU's CPU has an assertion against it\n");
		skip();
	}
	/* cli; mov $5, %al; mov %rax, %cr8; mov %cr8, %rax; out %al, $1; sti; nop; nop; hlt */
	start(&g, LONG, CODE("\xfa\xb0\x05\x44\x0f\x22\xc0\x44\x0f\x20\xc0\xe6\x01\xfb\x90\x90\xf4"));
	g.run->request_interrupt_window = 1;
	assert_string_equal(trace(&g, 2), "o01=05 w ");
	assert_int_equal(g.run->cr8, 5);
	guest_end(&g);
}

/* --------------------------------------------------------------------- debugging */

static void step(struct guest *g, bool on)
{
	struct kvm_guest_debug dbg = {
		.control = on ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0,
	};

	assert_int_equal(ioctl(g->vcpu, KVM_SET_GUEST_DEBUG, &dbg), 0);
}

static void steps_stop_behind_what_is_emulated_too(void **state)
{
	static const struct {
		const char *name, *code;
		uint8_t len;
		const char *expected;
	} rows[] = {
		/* out; in; hlt */
		{ "ports", "\xe6\x05\xe4\x06\x90\xf4", 6, "o05=00 d02 i06 d04 d05 h" },
		/* cpuid; nop */
		{ "cpuid", "\x0f\xa2\x90\xf4", 4, "d02 d03 h" },
		/* rep stosb to memory, twice */
		{ "rep stosb", "\xf3\xaa\xf4", 3, "d00 d02 h" },
		/* mov %al, (%rbx), which is MMIO; stock KVM forgets to step then */
		{ "mmio", "\x88\x03\x90\xf4", 4, NULL },
		/* rep outsb of two */
		{ "rep outsb", "\xf3\x6e\xf4", 3, NULL },
		/* pushf; pop %rax: the trap flag is not to be seen; out %al */
		{ "pushf", "\x9c\x58\xe6\x01\xf4", 5, "d01 d02 o01=02 d04 h" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (enum guest_mode mode = PROTECTED; mode <= LONG; mode++) {
			struct kvm_regs regs = { .rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = 2,
				.rcx = 2, .rdx = 7, .rbx = 0x200000, .rdi = 0x9000, .rsi = 0x9000 };
			struct guest g;

			start(&g, mode, rows[i].code, rows[i].len);
			guest_set_regs(&g, &regs);
			step(&g, true);
			if (rows[i].expected) {
				expect(&g, mode, rows[i].name, rows[i].expected);
			} else {
				const char *is = trace(&g, 40);

				if (i == 3)
					assert_true(!strcmp(is, "m d02 d03 h") || !strcmp(is, "m h"));
				else	/* two bytes go out, and it stops behind the instruction */
					assert_true(strstr(is, "o07=00 ") && strstr(is, "d02 h"));
			}
			assert_int_equal(guest_regs(&g).rflags & 0x100, 0);
			guest_end(&g);
		}
}

/* Whether it stops in the handler is the processor's business, and the hypervisor's. */
static void steps_go_on_behind_an_interrupts_handler(void **state)
{
	(void)state;
	for (enum guest_mode mode = REAL; mode <= LONG; mode++) {
		struct guest g;
		const char *is;

		/* int $0x21; nop; hlt */
		start(&g, mode, CODE("\xcd\x21\x90\xf4"));
		step(&g, true);
		is = trace(&g, 40);
		if (!strstr(is, "o01=21 ") || !strstr(is, " d03 h"))
			fail_msg("%s mode: \"%s\"", mode_names[mode], is);
		guest_end(&g);
	}
}

static void the_guests_own_steps_are_its_own(void **state)
{
	(void)state;
	for (enum guest_mode mode = REAL; mode <= LONG; mode++) {
		struct guest g;
		/* pushf; orb $1, 1(%sp) ... the flag comes with a popf */
		static const char real[] = "\x68\x02\x01\x9d\x90\xe6\x09\x90\xf4";
		static const char wide[] = "\x68\x02\x01\x00\x00\x9d\x90\xe6\x09\x90\xf4";

		if (mode == REAL)
			start(&g, mode, real, sizeof(real) - 1);
		else
			start(&g, mode, wide, sizeof(wide) - 1);
		/* #DB behind each instruction, port I/O too; HLT ends the game */
		assert_string_equal(trace(&g, 4), "o01=01 o09=00 o01=01 o01=01 ");
		guest_end(&g);
	}
}

static void debug_control_is_checked(void **state)
{
	struct kvm_guest_debug dbg = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP };
	struct guest g;

	(void)state;
	start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_SET_GUEST_DEBUG, &dbg), 0);
	dbg.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_GUEST_DEBUG, &dbg), 0);
	/* QEMU's software CPU does not deliver it */
	assert_int_equal(guest_run(&g) == KVM_EXIT_IO || g.run->exit_reason == KVM_EXIT_HLT, 1);
	dbg.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_DB;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_GUEST_DEBUG, &dbg), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_GUEST_DEBUG, &dbg), -1);
	assert_int_equal(errno, EBUSY);
	guest_end(&g);
}

/* -------------------------------------------------------------------- v8086 mode */

/* It gets there by LTR and IRET, and out again by the #GP of HLT. */
static void code_of_8086s_runs_in_protected_mode(void **state)
{
	static const uint8_t to_8086[] = {
		0xb8, 0x18, 0, 0, 0,		/* mov $24, %eax */
		0x0f, 0x00, 0xd8,		/* ltr %ax */
		0x6a, 0, 0x6a, 0,		/* GS, FS */
		0x68, 0xff, 0xff, 0, 0,		/* DS: 0xffff0 */
		0x6a, 0, 0x6a, 0,		/* ES, SS */
		0x68, 0, 1, 0, 0,		/* SP */
		0x68, 2, 0x32, 2, 0,		/* VM, IOPL 3, IF */
		0x68, 0x20, 1, 0, 0,		/* CS: 0x1200 */
		0x6a, 0,			/* IP */
		0xcf,
	};
	static const uint8_t code[] = {
		0xb0, 0x42,		/* mov $0x42, %al */
		0xe6, 0x05,		/* out %al, $5: the bitmap allows it */
		0xa2, 0x34, 0x00,	/* mov %al, 0x34: at 0x100024 */
		0xa2, 0x00, 0xf8,	/* mov %al, 0xf800: at 0x10f7f0 */
		0xfa, 0xfb,		/* cli, sti: as IOPL is 3 */
		0xf4,			/* hlt: #GP */
	};
	struct guest g;

	(void)state;
	start(&g, PROTECTED, to_8086, sizeof(to_8086));
	memcpy(g.memory + 0x1200, code, sizeof(code));
	/* TSS: the stack for CPL 0, an I/O bitmap of zeros */
	*(uint64_t *)(g.memory + GDT + 24) = 0x0000890070002067;
	*(uint32_t *)(g.memory + TSS + 4) = GUEST_STACK;
	*(uint16_t *)(g.memory + TSS + 8) = 16;
	*(uint16_t *)(g.memory + TSS + 0x66) = 0x68;
	assert_string_equal(trace(&g, 3), "o05=42 o01=0d o02=00 ");
	assert_int_equal(g.memory[0x100024], 0x42);
	assert_int_equal(g.memory[0x10f7f0], 0x42);
	guest_end(&g);
}

/* ------------------------------------------------------------------- translation */

static void translation_follows_large_pages_and_rights_do_not_matter(void **state)
{
	static const struct {
		enum guest_mode mode;
		uint64_t gva, gpa;	/* gpa 1: there is none */
	} rows[] = {
		{ REAL, 0x12345678, 0x12345678 }, { PROTECTED, 0xfffff123, 0xfffff123 },
		{ PAGED_32, 0x00401234, 0x00801234 },	/* 4 MiB, by PSE */
		{ PAGED_32, 0x00c01234, 1 }, { PAGED_PAE, 0x00400234, 0x00a00234 },
		{ PAGED_PAE, 0xc0000000, 1 }, { LONG, 0x400234, 0xa00234 },
		{ LONG, 0x40001234, 0x80001234 },	/* 1 GiB */
		{ LONG, 0x8000000000, 1 },
		{ LONG, 0xffff800000000123, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kvm_translation tr = { .linear_address = rows[i].gva };
		struct kvm_sregs s;
		struct guest g;

		guest_start(&g, rows[i].mode, CODE("\xf4"));
		assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s), 0);
		if (rows[i].mode == PAGED_32) {
			s.cr4 |= 0x10;
			((uint32_t *)(g.memory + 0x10000))[1] = 0x00800083;
		} else if (rows[i].mode > PAGED_32) {
			/* read-only, for the kernel only, not to be executed */
			((uint64_t *)(g.memory + 0x12000))[2] = 0xa00081;
			((uint64_t *)(g.memory + 0x11000))[1] = 0x80000083;
		}
		assert_int_equal(ioctl(g.vcpu, KVM_SET_SREGS, &s), 0);
		assert_int_equal(ioctl(g.vcpu, KVM_TRANSLATE, &tr), 0);
		if (tr.valid != (rows[i].gpa != 1) || (tr.valid && tr.physical_address != rows[i].gpa))
			fail_msg("%s mode, %#llx: valid %d, %#llx", mode_names[rows[i].mode],
				 (unsigned long long)rows[i].gva, tr.valid,
				 (unsigned long long)tr.physical_address);
		guest_end(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exceptions_arrive_with_their_error_codes),
		cmocka_unit_test(faults_come_with_their_error_codes),
		cmocka_unit_test(exceptions_that_user_space_injects_arrive),
		cmocka_unit_test(interrupts_and_nmis_wait_for_their_moment),
		cmocka_unit_test(an_interrupt_shadow_comes_back_as_set),
		cmocka_unit_test(a_triple_fault_that_user_space_brings_is_a_shutdown),
		cmocka_unit_test(cr8_travels_by_the_run_page),
		cmocka_unit_test(cr8_is_written_while_a_window_is_waited_for),
		cmocka_unit_test(steps_stop_behind_what_is_emulated_too),
		cmocka_unit_test(steps_go_on_behind_an_interrupts_handler),
		cmocka_unit_test(the_guests_own_steps_are_its_own),
		cmocka_unit_test(debug_control_is_checked),
		cmocka_unit_test(code_of_8086s_runs_in_protected_mode),
		cmocka_unit_test(translation_follows_large_pages_and_rights_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
