/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_mmio.c - every instruction that is done to MMIO does what it does to memory
 *
 * The processor itself is the judge: each instruction is run on memory first,
 * then on the same bytes behind KVM_EXIT_MMIO, in the middle of a page, across
 * two pages, and across the border of memory and MMIO. Registers, flags and
 * bytes must come out the same.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define MEMORY	0x100000	/* where the first run's bytes are */
#define MMIO	0x200000	/* the first address without memory; two pages of it are used */
#define SOURCE	0x3000		/* bytes in memory, for instructions with two operands in it */
#define WINDOW	64		/* bytes around the operand that are compared */

#define CF	1u
#define AF	0x10u
#define DF	0x400u

enum {
	LONG_ONLY = 1,
	NOT_REAL = 2,		/* QEMU's software CPU gets it wrong there */
	SOURCE_RSI = 4,		/* RSI is SOURCE, RDI the operand */
	SOURCE_RDI = 8,		/* RDI is SOURCE, RSI the operand */
	BOTH = 16,		/* RSI is the operand, RDI 32 bytes on */
	ADDRESS = 32,		/* followed by the operand's address */
	ALIGNED = 64,		/* faults when it is not aligned to 16 */
};

struct row {
	const char *name;
	const char *bytes;
	uint8_t len;
	uint16_t more[2];	/* as above; RFLAGS that the instruction leaves undefined */
};

#define I(n, b, ...) { .name = n, .bytes = b, .len = sizeof(b) - 1, .more = { __VA_ARGS__ } }

static const struct row moves[] = {
	I("mov m8, cl", "\x88\x0b"), I("mov m8, ch", "\x88\x2b"), I("mov m, ecx", "\x89\x0b"),
	I("mov m16, cx", "\x66\x89\x0b"), I("mov m64, rcx", "\x48\x89\x0b", LONG_ONLY),
	I("mov m8, bpl", "\x40\x88\x2b", LONG_ONLY), I("mov m64, r8", "\x4c\x89\x03", LONG_ONLY),
	I("mov m8, r9b", "\x44\x88\x0b", LONG_ONLY),
	I("mov cl, m8", "\x8a\x0b"), I("mov ch, m8", "\x8a\x2b"), I("mov ecx, m", "\x8b\x0b"),
	I("mov cx, m16", "\x66\x8b\x0b"), I("mov rcx, m64", "\x48\x8b\x0b", LONG_ONLY),
	I("mov r8d, m32", "\x44\x8b\x03", LONG_ONLY), I("mov bpl, m8", "\x40\x8a\x2b", LONG_ONLY),
	I("mov m8, imm", "\xc6\x03\x9a"), I("mov m16, imm", "\x66\xc7\x03\x34\x92\x90\x90"),
	I("mov m64, imm", "\x48\xc7\x03\x78\x56\x34\x92", LONG_ONLY),
	I("mov eax, moffs", "\xa1", ADDRESS), I("mov moffs, eax", "\xa3", ADDRESS),
	I("mov al, moffs", "\xa0", ADDRESS), I("mov moffs, al", "\xa2", ADDRESS),
	I("mov rax, moffs", "\x48\xa1", ADDRESS | LONG_ONLY),
	I("movzx ecx, m8", "\x0f\xb6\x0b"), I("movzx cx, m8", "\x66\x0f\xb6\x0b"),
	I("movzx ecx, m16", "\x0f\xb7\x0b"), I("movzx rcx, m16", "\x48\x0f\xb7\x0b", LONG_ONLY),
	I("movsx ecx, m8", "\x0f\xbe\x0b"), I("movsx cx, m8", "\x66\x0f\xbe\x0b"),
	I("movsx ecx, m16", "\x0f\xbf\x0b"), I("movsx rcx, m8", "\x48\x0f\xbe\x0b", LONG_ONLY),
	I("movsx rcx, m16", "\x48\x0f\xbf\x0b", LONG_ONLY),
	I("movsxd rcx, m32", "\x48\x63\x0b", LONG_ONLY),
	I("movnti m32, ecx", "\x0f\xc3\x0b"), I("movnti m64, rcx", "\x48\x0f\xc3\x0b", LONG_ONLY),
	I("movbe ecx, m", "\x0f\x38\xf0\x0b", NOT_REAL), I("movbe m, ecx", "\x0f\x38\xf1\x0b", NOT_REAL),
	I("movbe rcx, m", "\x48\x0f\x38\xf0\x0b", LONG_ONLY),
	I("xchg m8, cl", "\x86\x0b"), I("xchg m, ecx", "\x87\x0b"),
	I("xchg m64, rcx", "\x48\x87\x0b", LONG_ONLY),
	I("push m", "\xff\x33"), I("pop m", "\x8f\x03"),
	I("setc m8", "\x0f\x92\x03"), I("setnz m8", "\x0f\x95\x03"), I("setle m8", "\x0f\x9e\x03"),
	I("cmovc ecx, m", "\x0f\x42\x0b"), I("cmovnc ecx, m", "\x0f\x43\x0b"),
	I("cmovs rcx, m", "\x48\x0f\x48\x0b", LONG_ONLY),
};

static const struct row arithmetic[] = {
#define OP(name, o0, o1, o2, o3, ext, undef) \
	I(name " m8, cl", o0 "\x0b", 0, undef), I(name " m, ecx", o1 "\x0b", 0, undef), \
	I(name " cl, m8", o2 "\x0b", 0, undef), I(name " ecx, m", o3 "\x0b", 0, undef), \
	I(name " m64, rcx", "\x48" o1 "\x0b", LONG_ONLY, undef), \
	I(name " rcx, m64", "\x48" o3 "\x0b", LONG_ONLY, undef), \
	I(name " m16, cx", "\x66" o1 "\x0b", 0, undef), \
	I(name " m8, imm", "\x80" ext "\x91", 0, undef), \
	I(name " m, imm8", "\x83" ext "\x91", 0, undef), \
	I(name " m64, imm8", "\x48\x83" ext "\x91", LONG_ONLY, undef), \
	I(name " m64, imm", "\x48\x81" ext "\x81\x56\x34\x92", LONG_ONLY, undef)
	OP("add", "\x00", "\x01", "\x02", "\x03", "\x03", 0),
	OP("or", "\x08", "\x09", "\x0a", "\x0b", "\x0b", AF),
	OP("adc", "\x10", "\x11", "\x12", "\x13", "\x13", 0),
	OP("sbb", "\x18", "\x19", "\x1a", "\x1b", "\x1b", 0),
	OP("and", "\x20", "\x21", "\x22", "\x23", "\x23", AF),
	OP("sub", "\x28", "\x29", "\x2a", "\x2b", "\x2b", 0),
	OP("xor", "\x30", "\x31", "\x32", "\x33", "\x33", AF),
	OP("cmp", "\x38", "\x39", "\x3a", "\x3b", "\x3b", 0),
	I("lock add m, ecx", "\xf0\x01\x0b"), I("lock or m, imm8", "\xf0\x83\x0b\x01", 0, AF),
	I("test m8, cl", "\x84\x0b", 0, AF), I("test m, ecx", "\x85\x0b", 0, AF),
	I("test m8, imm", "\xf6\x03\x81", 0, AF), I("test rcx, m", "\x48\x85\x0b", LONG_ONLY, AF),
	I("test m64, imm", "\x48\xf7\x03\x01\x02\x03\x84", LONG_ONLY, AF),
	I("not m8", "\xf6\x13"), I("not m", "\xf7\x13"), I("neg m8", "\xf6\x1b"), I("neg m", "\xf7\x1b"),
	I("inc m8", "\xfe\x03"), I("dec m8", "\xfe\x0b"), I("inc m", "\xff\x03"), I("dec m", "\xff\x0b"),
	I("inc m64", "\x48\xff\x03", LONG_ONLY), I("lock dec m", "\xf0\xff\x0b"),
	I("mul m8", "\xf6\x23", 0, 0xd4), I("mul m", "\xf7\x23", 0, 0xd4),
	I("imul m", "\xf7\x2b", 0, 0xd4), I("imul ecx, m", "\x0f\xaf\x0b", 0, 0xd4),
	I("imul ecx, m, imm8", "\x6b\x0b\x05", 0, 0xd4),
	I("imul rcx, m, imm", "\x48\x69\x0b\x05\x06\x07\x08", LONG_ONLY, 0xd4),
	I("xadd m8, cl", "\x0f\xc0\x0b"), I("xadd m, ecx", "\x0f\xc1\x0b"),
	I("lock xadd m64, rcx", "\xf0\x48\x0f\xc1\x0b", LONG_ONLY),
	I("cmpxchg m8, cl", "\x0f\xb0\x0b"), I("cmpxchg m, ecx", "\x0f\xb1\x0b"),
	I("lock cmpxchg m64, rcx", "\xf0\x48\x0f\xb1\x0b", LONG_ONLY),
	I("cmpxchg8b", "\x0f\xc7\x0b"), I("lock cmpxchg8b", "\xf0\x0f\xc7\x0b"),
	I("bt m, imm", "\x0f\xba\x23\x05", 0, 0x8d4), I("bts m, imm", "\x0f\xba\x2b\x05", 0, 0x8d4),
	I("btr m, imm", "\x0f\xba\x33\x07", 0, 0x8d4), I("btc m, imm", "\x0f\xba\x3b\x03", 0, 0x8d4),
	I("bt m, edx", "\x0f\xa3\x13", 0, 0x8d4), I("bts m, edx", "\x0f\xab\x13", 0, 0x8d4),
	I("lock btr m, edx", "\xf0\x0f\xb3\x13", 0, 0x8d4), I("btc m, edx", "\x0f\xbb\x13", 0, 0x8d4),
	I("rol m8, 1", "\xd0\x03", 0, 0x800), I("shl m, 1", "\xd1\x23", 0, AF),
	I("shr m, imm", "\xc1\x2b\x03", 0, 0x810), I("sar m, imm", "\xc1\x3b\x03", 0, 0x810),
	I("shl m, cl", "\xd3\x23", 0, 0x811), I("rcl m, imm", "\xc1\x13\x05", 0, 0x800),
	I("bsf ecx, m", "\x0f\xbc\x0b", 0, 0x895), I("bsr ecx, m", "\x0f\xbd\x0b", 0, 0x895),
};

static const struct row strings[] = {
	I("stosb", "\xaa"), I("stosd", "\xab"), I("stosw", "\x66\xab"), I("stosq", "\x48\xab", LONG_ONLY),
	I("rep stosb", "\xf3\xaa"), I("rep stosd", "\xf3\xab"), I("rep stosq", "\xf3\x48\xab", LONG_ONLY),
	I("lodsb", "\xac"), I("lodsd", "\xad"), I("rep lodsw", "\xf3\x66\xad"),
	I("lodsq", "\x48\xad", LONG_ONLY),
	I("movsb to", "\xa4", SOURCE_RSI), I("movsb from", "\xa4", SOURCE_RDI),
	I("rep movsd to", "\xf3\xa5", SOURCE_RSI), I("rep movsd from", "\xf3\xa5", SOURCE_RDI),
	I("rep movsw both", "\xf3\x66\xa5", BOTH), I("rep movsb both", "\xf3\xa4", BOTH),
	I("rep movsq to", "\xf3\x48\xa5", SOURCE_RSI | LONG_ONLY),
	I("cmpsb", "\xa6", SOURCE_RSI), I("repe cmpsb", "\xf3\xa6", SOURCE_RSI),
	I("repe cmpsd", "\xf3\xa7", SOURCE_RDI), I("repne cmpsb", "\xf2\xa6", SOURCE_RDI),
	I("scasb", "\xae"), I("repne scasb", "\xf2\xae"), I("repe scasd", "\xf3\xaf"),
};

static const struct row vectors[] = {
	I("movups xmm1, m", "\x0f\x10\x0b"), I("movups m, xmm1", "\x0f\x11\x0b"),
	I("movupd xmm1, m", "\x66\x0f\x10\x0b"),
	I("movaps xmm1, m", "\x0f\x28\x0b", ALIGNED), I("movaps m, xmm1", "\x0f\x29\x0b", ALIGNED),
	I("movntps m, xmm1", "\x0f\x2b\x0b", ALIGNED),
	I("movdqa xmm1, m", "\x66\x0f\x6f\x0b", ALIGNED), I("movdqa m, xmm1", "\x66\x0f\x7f\x0b", ALIGNED),
	I("movdqu xmm1, m", "\xf3\x0f\x6f\x0b"), I("movdqu m, xmm1", "\xf3\x0f\x7f\x0b"),
	I("movntdq m, xmm1", "\x66\x0f\xe7\x0b", ALIGNED),
	I("movdqu xmm9, m", "\xf3\x44\x0f\x6f\x0b", LONG_ONLY),
	I("movdqu m, xmm9", "\xf3\x44\x0f\x7f\x0b", LONG_ONLY),
};

/* What one run left. */
struct outcome {
	struct kvm_regs regs;
	struct kvm_fpu fpu;
	uint8_t bytes[WINDOW];
};

static uint8_t mmio[2 * 4096];

static uint8_t *byte_at(struct guest *g, uint64_t gpa)
{
	return gpa < MMIO ? &g->memory[gpa] : &mmio[gpa - MMIO];
}

static void serve(struct guest *g)
{
	for (unsigned int i = 0; i < g->run->mmio.len; i++) {
		uint64_t gpa = g->run->mmio.phys_addr + i;

		assert_true(gpa >= MMIO && gpa < MMIO + sizeof(mmio));
		if (g->run->mmio.is_write)
			*byte_at(g, gpa) = g->run->mmio.data[i];
		else
			g->run->mmio.data[i] = *byte_at(g, gpa);
	}
}

static void place_code(struct guest *g, enum guest_mode mode, const struct row *row, uint64_t at)
{
	uint8_t *code = g->memory + GUEST_CODE;

	memset(code, 0xf4, 32);
	if (mode == REAL)
		*code++ = 0x67;
	memcpy(code, row->bytes, row->len);
	if (row->more[0] & ADDRESS)
		memcpy(code + row->len, &at, mode == LONG ? 8 : 4);
}

static struct kvm_regs registers(const struct row *row, uint64_t at, unsigned int round)
{
	static const uint64_t patterns[] = { 0x8182838485868788, 0x0000000100000002, 0x7f80ff01fe02fd03 };
	uint64_t p = patterns[round % 3];
	struct kvm_regs r = {
		.rax = p, .rbx = at, .rcx = p * 3, .rdx = round * 11 % 24, .rsi = at, .rdi = at, .rbp = ~p,
		.rsp = GUEST_STACK, .r8 = p + 1, .r9 = p + 2, .rip = GUEST_CODE,
		.rflags = 2 | (round & 1 ? CF : 0),
	};

	if (row >= strings && row < strings + sizeof(strings) / sizeof(strings[0])) {
		r.rcx = round % 4;
		r.rflags |= round & 4 ? DF : 0;
		if (row->more[0] & SOURCE_RSI)
			r.rsi = SOURCE + 16;
		if (row->more[0] & SOURCE_RDI)
			r.rdi = SOURCE + 16;
		if (row->more[0] & BOTH)
			r.rdi = at + 16;
	}
	return r;
}

/* Returns the last exit: KVM_EXIT_HLT when all went well. */
static int outcome_of(struct guest *g, enum guest_mode mode, const struct row *row, uint64_t at,
		      unsigned int round, struct outcome *o)
{
	struct kvm_regs regs = registers(row, at, round);
	struct kvm_fpu fpu = { .fcw = 0x37f, .mxcsr = 0x1f80 };
	struct kvm_vcpu_events events = {};
	unsigned int i;
	int exit;

	place_code(g, mode, row, at);
	for (i = 0; i < WINDOW; i++)
		*byte_at(g, at - 24 + i) = i * 37 + round * 91;
	for (i = 0; round & 2 && i < 4; i++)	/* something that compares equal */
		*byte_at(g, at + i) = regs.rax >> 8 * i;
	for (i = 0; i < 64; i++)
		g->memory[SOURCE + i] = round % 3 ? i * 37 + round * 91 + 8 * 37 : i * 5;
	memset(g->memory + GUEST_STACK - 64, 0x5a, 128);
	for (i = 0; i < 16 * 16; i++)
		((uint8_t *)fpu.xmm)[i] = i * 7 + round;
	for (i = 0; i < 8 * 16; i++)
		((uint8_t *)fpu.fpr)[i] = i % 16 < 8 ? i * 3 + round : i % 16 < 10 ? 0xff : 0;
	guest_set_regs(g, &regs);
	assert_int_equal(ioctl(g->vcpu, KVM_SET_FPU, &fpu), 0);
	assert_int_equal(ioctl(g->vcpu, KVM_SET_VCPU_EVENTS, &events), 0);
	while ((exit = guest_run(g)) == KVM_EXIT_MMIO)
		serve(g);
	assert_int_not_equal(exit, KVM_EXIT_SHUTDOWN);
	o->regs = guest_regs(g);
	assert_int_equal(ioctl(g->vcpu, KVM_GET_FPU, &o->fpu), 0);
	for (i = 0; i < WINDOW; i++)
		o->bytes[i] = *byte_at(g, at - 24 + i);
	return exit;
}

/* Addresses in registers are as far apart as the operands are. */
static void rebase(struct outcome *o, uint64_t at, uint32_t undefined)
{
	uint64_t *reg[] = { (uint64_t *)&o->regs.rbx, (uint64_t *)&o->regs.rsi, (uint64_t *)&o->regs.rdi };

	for (int i = 0; i < 3; i++)
		if (*reg[i] - at + 4096 < 8192)
			*reg[i] -= at;
	o->regs.rflags &= ~(uint64_t)undefined;
}

static const char *difference(const struct outcome *a, const struct outcome *b)
{
	static char text[200];
	const uint64_t *x = (const void *)&a->regs, *y = (const void *)&b->regs;
	static const char names[18][7] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8",
		"r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags" };

	for (int i = 0; i < 18; i++)
		if (x[i] != y[i]) {
			snprintf(text, sizeof(text), "%s %#llx instead of %#llx", names[i],
				 (unsigned long long)y[i], (unsigned long long)x[i]);
			return text;
		}
	for (int i = 0; i < WINDOW; i++)
		if (a->bytes[i] != b->bytes[i]) {
			snprintf(text, sizeof(text), "byte %d %#x instead of %#x", i - 24, b->bytes[i],
				 a->bytes[i]);
			return text;
		}
	if (memcmp(a->fpu.xmm, b->fpu.xmm, sizeof(a->fpu.xmm)))
		return "vector registers differ";
	if (memcmp(a->fpu.fpr, b->fpu.fpr, sizeof(a->fpu.fpr)))
		return "x87 registers differ";
	return NULL;
}

static const char *const mode_names[] = { "real", "protected", "32-bit paged", "PAE", "long" };

/* Number of rows that differ. Each is told once. */
static int compare_row(struct guest *g, enum guest_mode mode, const struct row *row)
{
	/* the middle of a page, two pages, memory and MMIO in either part */
	static const int64_t offsets[] = { 0x800, 0xfff, 0xffc, -1, -3 };
	struct outcome on_memory, on_mmio;

	unsigned int rounds = mode == LONG ? 8 : 3;

	for (unsigned int round = 0; round < rounds; round++)
		for (unsigned int i = 0; i < 5; i++) {
			int64_t offset = row->more[0] & ALIGNED ? 0x800 : offsets[i];
			int exit = outcome_of(g, mode, row, MEMORY + offset, round, &on_memory);
			const char *what;

			assert_int_equal(exit, KVM_EXIT_HLT);
			exit = outcome_of(g, mode, row, MMIO + offset, round, &on_mmio);
			rebase(&on_memory, MEMORY + offset, row->more[1]);
			rebase(&on_mmio, MMIO + offset, row->more[1]);
			what = difference(&on_memory, &on_mmio);
			if (exit != KVM_EXIT_HLT || what) {
				print_message("%s, %s mode, at %lld: exit %d, %s\n", row->name,
					      mode_names[mode], (long long)offset, exit, what);
				return 1;
			}
		}
	return 0;
}

/* Stock KVM looks there whether the guest has MOVBE. */
static void set_cpuid(struct guest *g)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[100];
	} cpuid;
	int device = guest_device();

	cpuid.head.nent = 100;
	assert_int_equal(ioctl(device, KVM_GET_SUPPORTED_CPUID, &cpuid), 0);
	assert_int_equal(ioctl(g->vcpu, KVM_SET_CPUID2, &cpuid), 0);
	close(device);
}

static void compare(const struct row *rows, size_t n)
{
	int different = 0;

	for (enum guest_mode mode = REAL; mode <= LONG; mode++) {
		struct guest g;
		struct kvm_sregs s;
		unsigned int unfit;

		guest_start(&g, mode, CODE("\xf4"));
		set_cpuid(&g);
		assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s), 0);
		/* segments that reach all of it in real mode, and SSE */
		s.ds.limit = s.es.limit = 0xffffffff;
		s.ds.g = s.es.g = 1;
		s.cr4 |= 0x600;
		assert_int_equal(ioctl(g.vcpu, KVM_SET_SREGS, &s), 0);
		/* stock KVM forgets what KVM_SET_FPU set before the first run */
		assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
		unfit = (mode == REAL ? NOT_REAL : 0) | (mode == LONG ? 0 : LONG_ONLY);
		for (size_t i = 0; i < n; i++)
			if (!(rows[i].more[0] & unfit))
				different += compare_row(&g, mode, &rows[i]);
		guest_end(&g);
	}
	assert_int_equal(different, 0);
}

static void moves_do_to_mmio_what_they_do_to_memory(void **state)
{
	(void)state;
	compare(moves, sizeof(moves) / sizeof(moves[0]));
}

static void arithmetic_does_to_mmio_what_it_does_to_memory(void **state)
{
	(void)state;
	compare(arithmetic, sizeof(arithmetic) / sizeof(arithmetic[0]));
}

static void string_instructions_do_to_mmio_what_they_do_to_memory(void **state)
{
	(void)state;
	compare(strings, sizeof(strings) / sizeof(strings[0]));
}

static void vector_moves_do_to_mmio_what_they_do_to_memory(void **state)
{
	(void)state;
	compare(vectors, sizeof(vectors) / sizeof(vectors[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_do_to_mmio_what_they_do_to_memory),
		cmocka_unit_test(arithmetic_does_to_mmio_what_it_does_to_memory),
		cmocka_unit_test(string_instructions_do_to_mmio_what_they_do_to_memory),
		cmocka_unit_test(vector_moves_do_to_mmio_what_they_do_to_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
