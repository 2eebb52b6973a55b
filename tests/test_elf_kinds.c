/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of programs: both libcs, PIE and not, what the CPU has, and layouts
 * that no linker makes. Each runs as it does natively.
 */
#define _GNU_SOURCE
#include "lib/elf_make.h"
#include "lib/harness.h"
#include "lib/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 0x1000ull
#define MOST_LOADS 60

static char *dir, *made;	/* a temporary directory, and the program made there */

/*
 * The code of made programs, which runs anywhere. From the distance of the
 * params on: adds up `count` numbers that lie `stride` apart from its own
 * start + `base` on; if `add` is not 0, adds it to each and reads that back.
 * Writes the sum and ends with status 42.
 */
extern const char code[], code_params[], code_end[];
asm(".pushsection .rodata\n"
    "code:	lea code(%rip), %rdi\n"
    "	add code_params(%rip), %rdi\n"
    "	mov code_params + 16(%rip), %rcx\n"
    "	xor %eax, %eax\n"
    "1:	test %rcx, %rcx\n"
    "	jz 3f\n"
    "	add (%rdi), %rax\n"
    "	mov code_params + 24(%rip), %rdx\n"
    "	test %rdx, %rdx\n"
    "	jz 2f\n"
    "	add %rdx, (%rdi)\n"
    "	add (%rdi), %rax\n"
    "2:	add code_params + 8(%rip), %rdi\n"
    "	dec %rcx\n"
    "	jmp 1b\n"
    "3:	push %rax\n"
    "	mov $1, %eax\n"
    "	mov $1, %edi\n"
    "	mov %rsp, %rsi\n"
    "	mov $8, %edx\n"
    "	syscall\n"
    "	mov $231, %eax\n"
    "	mov $42, %edi\n"
    "	syscall\n"
    "	.balign 8\n"
    "code_params: .quad 0, 0, 0, 0\n"
    "code_end:\n"
    /* a program that writes down its registers at the start: 16 of them, flags, segments, FXSAVE */
    "start_code: pushfq\n"
    "	push %r15\n push %r14\n push %r13\n push %r12\n push %r11\n push %r10\n push %r9\n push %r8\n"
    "	push %rbp\n push %rdi\n push %rsi\n push %rdx\n push %rcx\n push %rbx\n push %rax\n"
    "	mov %cs, %eax\n push %rax\n mov %ss, %eax\n push %rax\n mov %ds, %eax\n push %rax\n"
    "	mov %es, %eax\n push %rax\n mov %fs, %eax\n push %rax\n mov %gs, %eax\n push %rax\n"
    "	lea 176(%rsp), %rax\n and $15, %eax\n push %rax\n"	/* RSP's last bits */
    "	mov %rsp, %rbx\n"
    "	sub $512, %rsp\n and $-16, %rsp\n"
    "	fxsave (%rsp)\n"
    "	mov $1, %eax\n mov $1, %edi\n mov %rbx, %rsi\n mov $184, %edx\n syscall\n"
    "	mov $1, %eax\n mov $1, %edi\n mov %rsp, %rsi\n mov $416, %edx\n syscall\n"
    "	mov $231, %eax\n mov $0, %edi\n syscall\n"
    "start_code_end:\n"
    ".popsection");
extern const char start_code[], start_code_end[];

#define LOAD(flags, offset, vaddr, filesz, memsz, align) \
	{ PT_LOAD, flags, offset, vaddr, vaddr, filesz, memsz, align }

/* A made program: code at code_at, numbers from base on, all of it in the file. */
struct layout {
	const char *name;
	uint16_t type;
	uint64_t code_at, code_offset;
	uint64_t base, stride, count, add;	/* base: an address */
	size_t nph;
	Elf64_Phdr ph[8];
	uint64_t data_offset;		/* of the numbers 1, 2, ... in the file, file_stride apart */
	uint64_t file_stride, file_count;
	uint64_t sum;
};

#define RX (PF_R | PF_X)
#define RW (PF_R | PF_W)

static const struct layout layouts[] = {
	{ "text_and_data_share_a_page_of_the_file", ET_EXEC, 0x400400, 0x400, 0x401c00, 8, 4, 5, 2,
	  { LOAD(RX, 0, 0x400000, 0xd00, 0xd00, PAGE), LOAD(RW, 0xc00, 0x401c00, 0x100, 0x100, PAGE) },
	  0xc00, 8, 4, 10 + 10 + 20 },
	{ "a_later_segment_takes_over_a_shared_page", ET_EXEC, 0x400400, 0x400, 0x401800, 8, 2, 1, 2,
	  { LOAD(RX, 0, 0x400000, 0x1800, 0x1800, PAGE), LOAD(RW, 0x1800, 0x401800, 0x100, 0x2000, PAGE) },
	  0x1800, 8, 2, 3 + 3 + 2 },
	{ "headers_are_in_no_segment", ET_EXEC, 0x500800, 0x1800, 0x500000, 0, 0, 0, 1,
	  { LOAD(RX, 0x1000, 0x500000, 0x1000, 0x1000, PAGE) }, 0, 0, 0, 0 },
	{ "segments_are_aligned_to_2_mib", ET_EXEC, 0x400800, 0x800, 0x800010, 8, 3, 7, 2,
	  { LOAD(RX, 0, 0x400000, 0x1000, 0x1000, 0x200000), LOAD(RW, 0x1000, 0x800000, 0x100, 0x300000, 0x200000) },
	  0x1010, 8, 3, 6 + 6 + 21 },
	{ "segments_come_in_falling_order", ET_EXEC, 0x600400, 0x400, 0x500000, 8, 2, 1, 2,
	  { LOAD(RX, 0, 0x600000, 0x800, 0x800, PAGE), LOAD(RW, 0x1000, 0x500000, 0x20, 0x20, PAGE) },
	  0x1000, 8, 2, 3 + 3 + 2 },
	{ "bss_alone_begins_in_the_middle_of_a_page", ET_EXEC, 0x400400, 0x400, 0x700808, 0x1000, 4, 3, 2,
	  { LOAD(RX, 0, 0x400000, 0x800, 0x800, PAGE), LOAD(RW, 0, 0x700808, 0, 0x4000, PAGE) },
	  0, 0, 0, 12 },
	{ "bss_after_the_files_end_is_zero_though_the_file_goes_on", ET_EXEC, 0x400400, 0x400, 0x500ff0, 8, 4, 0, 2,
	  { LOAD(RX, 0, 0x400000, 0x800, 0x800, PAGE), LOAD(RW, 0x1ff0, 0x500ff0, 8, 0x40, PAGE) },
	  0x1ff0, 8, 8, 1 },
	{ "bss_begins_with_a_page", ET_EXEC, 0x400400, 0x400, 0x500ff0, 8, 4, 2, 2,
	  { LOAD(RX, 0, 0x400000, 0x800, 0x800, PAGE), LOAD(RW, 0x1ff0, 0x500ff0, 16, 0x3010, PAGE) },
	  0x1ff0, 8, 2, 3 + 3 + 8 },
	{ "a_segment_lies_low", ET_EXEC, 0x10400, 0x400, 0x20000, 8, 1, 1, 2,
	  { LOAD(RX, 0, 0x10000, 0x800, 0x800, PAGE), LOAD(RW, 0x1000, 0x20000, 8, 8, PAGE) }, 0x1000, 8, 1, 3 },
	{ "a_segment_lies_high", ET_EXEC, 0x600000000400, 0x400, 0x610000000000, 8, 1, 1, 2,
	  { LOAD(RX, 0, 0x600000000000, 0x800, 0x800, PAGE), LOAD(RW, 0x1000, 0x610000000000, 8, 0x2000, PAGE) },
	  0x1000, 8, 1, 3 },
	{ "a_hole_without_access_lies_between", ET_EXEC, 0x400400, 0x400, 0x500000, 8, 1, 1, 3,
	  { LOAD(RX, 0, 0x400000, 0x800, 0x800, PAGE), LOAD(0, 0, 0x401000, 0, 0xff000, PAGE),
	    LOAD(RW, 0x1000, 0x500000, 8, 8, PAGE) }, 0x1000, 8, 1, 3 },
	{ "the_stack_is_asked_to_be_executable", ET_EXEC, 0x400400, 0x400, 0x500000, 8, 1, 1, 3,
	  { LOAD(RX, 0, 0x400000, 0x800, 0x800, PAGE), LOAD(RW, 0x1000, 0x500000, 8, 8, PAGE),
	    { PT_GNU_STACK, RX | PF_W, 0, 0, 0, 0, 0, 16 } }, 0x1000, 8, 1, 3 },
	{ "unknown_program_headers_are_there", ET_EXEC, 0x400400, 0x400, 0x500000, 8, 1, 1, 4,
	  { { 0x6fff1234, 7, 1ull << 60, 1, 1, 1ull << 60, 1, 3 }, LOAD(RX, 0, 0x400000, 0x800, 0x800, PAGE),
	    LOAD(RW, 0x1000, 0x500000, 8, 8, PAGE), { PT_NOTE, 4, 0x9999999, 0, 0, 16, 16, 4 } }, 0x1000, 8, 1, 3 },
	{ "a_pie_begins_at_address_0", ET_DYN, 0x400, 0x400, 0x2000, 8, 2, 1, 2,
	  { LOAD(RX, 0, 0, 0x800, 0x800, PAGE), LOAD(RW, 0x1000, 0x2000, 16, 0x5000, PAGE) }, 0x1000, 8, 2, 3 + 3 + 2 },
	{ "a_pie_begins_elsewhere_and_is_aligned", ET_DYN, 0x600400, 0x400, 0xa00000, 8, 2, 1, 2,
	  { LOAD(RX, 0, 0x600000, 0x800, 0x800, 0x200000), LOAD(RW, 0x1000, 0xa00000, 16, 0x5000, 0x200000) },
	  0x1000, 8, 2, 3 + 3 + 2 },
};

static void make_layout(const struct layout *l, const Elf64_Phdr *ph, size_t nph)
{
	const uint64_t params[] = { l->base - l->code_at, l->stride, l->count, l->add };
	size_t len = code_end - code, nbytes = 1;
	uint64_t numbers[MOST_LOADS];
	struct elf_bytes bytes[1 + MOST_LOADS];
	char own[512];

	memcpy(own, code, len);
	memcpy(own + (code_params - code), params, sizeof(params));
	bytes[0] = (struct elf_bytes){ l->code_offset, own, len };
	for (uint64_t i = 0; i < l->file_count; i++) {
		numbers[i] = i + 1;
		bytes[nbytes++] = (struct elf_bytes){ l->data_offset + i * l->file_stride, &numbers[i], 8 };
	}
	elf_make(made, l->type, l->code_at, ph, nph, bytes, nbytes);
	/* whole pages, as Linux maps only what is there */
	truncate(made, (l->data_offset + l->file_count * l->file_stride + 2 * PAGE) & -PAGE);
}

static void assert_sum(uint64_t sum)
{
	struct run_result r = run_same(NULL, LIST(made));

	assert_status(&r, 42);
	assert_out_bytes(&r, &sum, 8);
	run_free(&r);
}

static void layout(void **state)
{
	const struct layout *l = *state;

	make_layout(l, l->ph, l->nph);
	assert_sum(l->sum);
}

static void many_segments_of_all_kinds_are_loaded(void **state)
{
	static const uint32_t flags[] = { PF_R, RW, RX };
	struct layout l = { .type = ET_EXEC, .code_at = 0x400000 + ELF_MAKE_HEADERS(MOST_LOADS),
			    .code_offset = ELF_MAKE_HEADERS(MOST_LOADS), .base = 0x500008, .stride = 0x3000,
			    .count = MOST_LOADS - 1, .data_offset = 0x2008, .file_stride = PAGE,
			    .file_count = MOST_LOADS - 1 };
	Elf64_Phdr ph[MOST_LOADS] = { LOAD(RX, 0, 0x400000, 0x2000, 0x2000, PAGE) };

	(void)state;
	for (int i = 0; i + 1 < MOST_LOADS; i++)
		ph[i + 1] = (Elf64_Phdr)LOAD(flags[i % 3], 0x2000 + i * PAGE, 0x500000 + i * 0x3000ull, PAGE,
					     i % 3 == 1 ? 2 * PAGE : PAGE, PAGE);
	make_layout(&l, ph, MOST_LOADS);
	assert_sum((MOST_LOADS - 1) * MOST_LOADS / 2);
}

/* Linux takes such a program; here no page is writable and executable at once. */
static void one_segment_for_text_and_data_is_refused_with_its_reason(void **state)
{
	struct layout l = layouts[0];
	Elf64_Phdr ph[] = { LOAD(RX | PF_W, 0, 0x400000, 0xd00, 0x2000, PAGE) };
	struct run_result r;

	(void)state;
	l.base = 0x400c00;
	make_layout(&l, ph, 1);
	r = run_native(NULL, LIST(made));
	assert_status(&r, 42);
	run_free(&r);
	r = run_kvmrun(NULL, LIST(made));
	assert_status(&r, 126);
	assert_err_line(&r, "has a segment that is both writable and executable (segment 0): link it without -N");
	run_free(&r);
}

static void registers_at_the_start_are_linuxs(void **state)
{
	const Elf64_Phdr ph[] = { LOAD(RX, 0, 0x400000, 0x1000, 0x1000, PAGE) };
	const struct elf_bytes bytes = { 0x400, start_code, start_code_end - start_code };
	struct run_result native, guest;

	(void)state;
	elf_make(made, ET_EXEC, 0x400400, ph, 1, &bytes, 1);
	truncate(made, PAGE);
	native = run_native(NULL, LIST(made));
	guest = run_kvmrun(NULL, LIST(made));
	assert_status(&native, 0);
	assert_status(&guest, 0);
	assert_int_equal(native.out_len, 184 + 416);
	assert_int_equal(guest.out_len, 184 + 416);
	for (size_t i = 0; i < 23; i++) {
		uint64_t n, g;

		memcpy(&n, native.out + i * 8, 8);
		memcpy(&g, guest.out + i * 8, 8);
		/* the flags come last */
		if (i == 22)
			n &= ~0x200ull, g &= ~0x200ull;	/* IF, where CPL 3 does not see its own */
		if (n != g)
			fail_msg("register %zu of the dump is %#lx, natively %#lx", i, g, n);
	}
	assert_memory_equal(native.out + 184, guest.out + 184, 416);
	run_free(&native);
	run_free(&guest);
}

/* ------------------------------------------------ programs from compilers */

static void libc_starts_and_ends_as_natively(void **state)
{
	static const char *const programs[] = { "build/guest/elf_runtime", "build/guest/elf_runtime.musl" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct run_result r = run_same(NULL, LIST(programs[i]));

		assert_status(&r, 3);
		assert_non_null(strstr(r.out, "c12 data c12 rodata\ntls 8 0 a 0 1099511627776\n"));
		assert_non_null(strstr(r.out, "\natexit\ndestructor 2\ndestructor 1\n"));
		run_free(&r);
	}
}

static void static_programs_of_both_libcs_and_kinds_run(void **state)
{
	static const char *const programs[] = { "build/guest/hello", "build/guest/hello-pie", "build/guest/hello-musl" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct run_result r = run_same(NULL, LIST(programs[i]));

		assert_out(&r, "hello, world\n");
		run_free(&r);
	}
}

static void string_functions_chosen_by_the_cpu_are_right(void **state)
{
	struct run_result r = run_same(NULL, LIST("build/guest/elf_strings"));

	(void)state;
	assert_status(&r, 0);
	run_free(&r);
}

static void a_gibibyte_of_bss_costs_nothing_until_touched(void **state)
{
	struct run_result r = run_same(NULL, LIST("build/guest/elf_bss"));
	char *peak;

	(void)state;
	assert_out(&r, "21\n");
	run_free(&r);
	r = run_kvmrun(LIST("--stats"), LIST("build/guest/elf_bss"));
	peak = strstr(r.err, "\"peak_bytes\": ");
	assert_non_null(peak);
	assert_true(strtoul(peak + 14, NULL, 10) < 64ul << 20);
	run_free(&r);
	r = run_kvmrun(LIST("--mem=512M"), LIST("build/guest/elf_bss"));
	assert_status(&r, 125);
	assert_err_line(&r, "--mem 524288K is too small for build/guest/elf_bss: it needs at least");
	run_free(&r);
}

static void a_program_without_section_headers_runs(void **state)
{
	static const char none[8];
	Elf64_Ehdr eh;
	size_t len;
	char *data;

	(void)state;
	data = tree_read("build/guest", "hello", &len);
	memcpy(&eh, data, sizeof(eh));
	assert_true(eh.e_shoff && eh.e_shoff < len);
	free(data);
	/* cut before the section headers, with and without a word of them in the header */
	elf_change("build/guest/hello", made, offsetof(Elf64_Ehdr, e_shoff), none, 8, eh.e_shoff);
	assert_same_as_native(NULL, LIST(made));
	elf_change("build/guest/hello", made, offsetof(Elf64_Ehdr, e_shoff), &eh.e_shoff, 8, eh.e_shoff);
	assert_same_as_native(NULL, LIST(made));
}

static void cxx_unwinds_and_ends_as_natively(void **state)
{
	static const char *const kinds[] = { "build/guest/cxx", "build/guest/cxx-pie" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_same_as_native(NULL, LIST(kinds[i]));
		assert_same_as_native(NULL, LIST(kinds[i], "uncaught"));
	}
}

static int set_up(void **state)
{
	(void)state;
	dir = tree_new();
	made = tree_path(dir, "made");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove(dir);
	free(made);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(many_segments_of_all_kinds_are_loaded),
		cmocka_unit_test(one_segment_for_text_and_data_is_refused_with_its_reason),
		cmocka_unit_test(registers_at_the_start_are_linuxs),
		cmocka_unit_test(libc_starts_and_ends_as_natively),
		cmocka_unit_test(static_programs_of_both_libcs_and_kinds_run),
		cmocka_unit_test(string_functions_chosen_by_the_cpu_are_right),
		cmocka_unit_test(a_gibibyte_of_bss_costs_nothing_until_touched),
		cmocka_unit_test(a_program_without_section_headers_runs),
		cmocka_unit_test(cxx_unwinds_and_ends_as_natively),
	};
	struct CMUnitTest tests[ARRAY_SIZE(layouts) + ARRAY_SIZE(others)];

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		tests[i] = (struct CMUnitTest){ .name = layouts[i].name, .test_func = layout,
						.initial_state = (void *)&layouts[i] };
	memcpy(tests + ARRAY_SIZE(layouts), others, sizeof(others));
	return harness_main(argc, argv, "elf_kinds", tests, ARRAY_SIZE(tests), set_up, tear_down);
}
