/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_strings.c - INS and OUTS: every width, both directions, repeated, across pages
 *
 * How many elements an exit carries is the hypervisor's business; which bytes
 * go through the port in which order, and what registers and memory are after
 * it, is not.
 */
#include <stdbool.h>
#include <string.h>

#include "guest.h"

#define PORT	0x5a
#define AT	0x6000		/* a page's begin; both pages around it hold bytes */
#define DF	0x400u

struct variant {
	bool in, rep, down;
	uint8_t size;
	uint32_t count;
	int offset;		/* of the first element, from AT */
};

static uint8_t stream(unsigned int i)
{
	return i * 29 + 7;
}

static void place(struct guest *g, enum guest_mode mode, const struct variant *v)
{
	uint8_t *code = g->memory + GUEST_CODE;
	bool wide = v->size == (mode == REAL ? 4 : 2);

	if (mode == REAL)
		*code++ = 0x67;
	if (wide)
		*code++ = 0x66;
	if (v->rep)
		*code++ = 0xf3;
	*code++ = (v->in ? 0x6c : 0x6e) | (v->size > 1);
	*code = 0xf4;
}

/* Where element n lies, if it is one of those that are moved. */
static uint8_t *element(struct guest *g, const struct variant *v, uint32_t n)
{
	return g->memory + AT + v->offset + (v->down ? -1 : 1) * (int)(n * v->size);
}

static void check(struct guest *g, enum guest_mode mode, const struct variant *v)
{
	uint32_t moved = v->rep ? v->count : 1;
	uint64_t end = AT + v->offset + (v->down ? -1 : 1) * (int64_t)moved * v->size;
	struct kvm_regs regs = {
		.rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = 2 | (v->down ? DF : 0), .rdx = PORT,
		.rcx = v->count, .rsi = AT + v->offset, .rdi = AT + v->offset, .rax = 0x1234,
	};
	unsigned int through = 0;
	int exit;

	memset(g->memory + AT - 0x1000, 0xee, 0x3000);
	for (uint32_t n = 0; !v->in && n < moved; n++)
		for (uint32_t i = 0; i < v->size; i++)
			element(g, v, n)[i] = stream(n * v->size + i);
	place(g, mode, v);
	guest_set_regs(g, &regs);
	while ((exit = guest_run(g)) == KVM_EXIT_IO) {
		uint8_t *data = (uint8_t *)g->run + g->run->io.data_offset;

		assert_int_equal(g->run->io.port, PORT);
		assert_int_equal(g->run->io.size, v->size);
		assert_int_equal(g->run->io.direction, v->in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT);
		assert_true(g->run->io.count >= 1);
		for (uint32_t i = 0; i < g->run->io.count * v->size; i++, through++) {
			if (v->in)
				data[i] = stream(through);
			else
				assert_int_equal(data[i], stream(through));
		}
	}
	assert_int_equal(exit, KVM_EXIT_HLT);
	assert_int_equal(through, moved * v->size);
	for (uint32_t n = 0; v->in && n < moved; n++)
		for (uint32_t i = 0; i < v->size; i++)
			assert_int_equal(element(g, v, n)[i], stream(n * v->size + i));
	regs = guest_regs(g);
	assert_int_equal(v->in ? regs.rdi : regs.rsi, end);
	assert_int_equal(v->in ? regs.rsi : regs.rdi, AT + v->offset);
	assert_int_equal(regs.rcx, v->rep ? 0 : v->count);
	assert_int_equal(regs.rax, 0x1234);
}

static void every_variant(bool in)
{
	static const int offsets[] = { 0x800, 0, -1, -6 };
	static const uint32_t counts[] = { 0, 1, 5, 600 };

	for (enum guest_mode mode = REAL; mode <= LONG; mode++) {
		struct guest g;
		struct kvm_sregs s;

		guest_start(&g, mode, CODE("\xf4"));
		assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s), 0);
		s.ds.limit = s.es.limit = 0xffffffff;
		s.ds.g = s.es.g = 1;
		assert_int_equal(ioctl(g.vcpu, KVM_SET_SREGS, &s), 0);
		for (int i = 0; i < 3 * 2 * 2 * 4 * 4; i++) {
			const struct variant v = {
				.in = in, .size = 1 << i % 3, .rep = i / 3 % 2, .down = i / 6 % 2,
				.offset = offsets[i / 12 % 4], .count = counts[i / 48],
			};

			/* many of them: once for each width and direction */
			if (v.count < 100 || (v.rep && v.offset == -6))
				check(&g, mode, &v);
		}
		guest_end(&g);
	}
}

static void strings_come_out_in_order_and_leave_registers_behind_them(void **state)
{
	(void)state;
	every_variant(false);
}

static void strings_go_in_in_order_and_leave_registers_behind_them(void **state)
{
	(void)state;
	every_variant(true);
}

static void in_16_bits_the_address_wraps_at_64_kib(void **state)
{
	/* rep outsb; hlt, from 4 bytes before the end */
	struct kvm_regs regs = { .rip = GUEST_CODE, .rflags = 2, .rdx = PORT, .rcx = 0x50008,
				 .rsi = 0x7fffc };
	unsigned int through = 0;
	struct guest g;

	(void)state;
	guest_start(&g, REAL, CODE("\xf3\x6e\xf4"));
	for (int i = 0; i < 4; i++) {
		g.memory[0xfffc + i] = stream(i);
		g.memory[i] = stream(4 + i);
	}
	guest_set_regs(&g, &regs);
	while (guest_run(&g) == KVM_EXIT_IO)
		for (uint32_t i = 0; i < g.run->io.count; i++, through++)
			assert_int_equal(((uint8_t *)g.run)[g.run->io.data_offset + i], stream(through));
	assert_int_equal(g.run->exit_reason, KVM_EXIT_HLT);
	assert_int_equal(through, 8);
	regs = guest_regs(&g);
	/* and only the lower halves of the registers move */
	assert_int_equal(regs.rsi, 0x70004);
	assert_int_equal(regs.rcx, 0x50000);
	guest_end(&g);
}

static void a_string_from_a_segment_with_a_prefix_is_read_there(void **state)
{
	/* fs rep outsb; hlt */
	struct kvm_regs regs = { .rip = GUEST_CODE, .rflags = 2, .rdx = PORT, .rcx = 3, .rsi = 8 };

	(void)state;
	for (enum guest_mode mode = REAL; mode <= LONG; mode++) {
		struct kvm_sregs s;
		unsigned int through = 0;
		struct guest g;

		guest_start(&g, mode, CODE("\x64\xf3\x6e\xf4"));
		assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s), 0);
		s.fs.base = 0x5000;
		assert_int_equal(ioctl(g.vcpu, KVM_SET_SREGS, &s), 0);
		for (int i = 0; i < 3; i++)
			g.memory[0x5008 + i] = stream(i);
		guest_set_regs(&g, &regs);
		while (guest_run(&g) == KVM_EXIT_IO)
			for (uint32_t i = 0; i < g.run->io.count; i++, through++)
				assert_int_equal(((uint8_t *)g.run)[g.run->io.data_offset + i],
						 stream(through));
		assert_int_equal(g.run->exit_reason, KVM_EXIT_HLT);
		assert_int_equal(through, 3);
		guest_end(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_come_out_in_order_and_leave_registers_behind_them),
		cmocka_unit_test(strings_go_in_in_order_and_leave_registers_behind_them),
		cmocka_unit_test(in_16_bits_the_address_wraps_at_64_kib),
		cmocka_unit_test(a_string_from_a_segment_with_a_prefix_is_read_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
