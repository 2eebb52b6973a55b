/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The check of program files: test_elf GOOD [MORE...]. GOOD is a static non-PIE program, from
 * which malformed ones are made; it and MORE must be accepted.
 *
 * Link with -Wl,--wrap=pread: some tests change a file between two reads of it.
 */
#include "../runner/elf_image.h"
#include "elf_variants.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_PATCHES   4

static char **programs; /* GOOD, MORE..., NULL */

/* A small program: code and headers, data with .bss, a stack note. */
struct tiny {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[3];
	uint8_t rest[0x1800 - sizeof(Elf64_Ehdr) - 3 * sizeof(Elf64_Phdr)];
};

static const struct tiny tiny = {
	.eh = {
		.e_ident = { ELFMAG0, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = 0x400800,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3,
	},
	.ph = {
		{ PT_LOAD, PF_R | PF_X, 0, 0x400000, 0x400000, 0x1000, 0x1000, 0x1000 },
		{ PT_LOAD, PF_R | PF_W, 0x1000, 0x402000, 0x402000, 0x800, 0x3000, 0x1000 },
		{ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 },
	},
};

/* A new value for len bytes at off of the tiny program; none if len is 0. */
struct patch {
	size_t off, len;
	uint64_t value;
};

#define EH(field, value) \
	{ offsetof(struct tiny, eh.field), sizeof(tiny.eh.field), value }
#define ID(index, value) \
	{ offsetof(struct tiny, eh.e_ident) + (index), 1, value }
#define PH(i, field, value) \
	{ offsetof(struct tiny, ph) + (i) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field), \
	  sizeof(tiny.ph[0].field), value }

struct refusal {
	const char *test_name;
	struct patch patches[MAX_PATCHES];
	const char *why;
};

#define DAMAGED "; the file is damaged: build it or copy it again"
#define FOREIGN "; only 64-bit little-endian x86-64 programs run here: build it for x86_64-linux"

static const struct refusal refusals[] = {
	{ "a_32_bit_i386_program_is_refused_by_name",
	  { ID(EI_CLASS, ELFCLASS32), EH(e_machine, EM_386) },
	  "is a 32-bit little-endian program for i386" FOREIGN },
	{ "an_x32_program_is_refused_by_name",
	  { ID(EI_CLASS, ELFCLASS32) },
	  "is a 32-bit little-endian program for x32" FOREIGN },
	{ "an_aarch64_program_is_refused_by_name",
	  { EH(e_machine, EM_AARCH64) },
	  "is a 64-bit little-endian program for aarch64" FOREIGN },
	{ "a_riscv_program_is_refused_by_name",
	  { EH(e_machine, EM_RISCV) },
	  "is a 64-bit little-endian program for riscv" FOREIGN },
	{ "a_big_endian_s390_program_is_refused_by_name",
	  { ID(EI_DATA, ELFDATA2MSB), EH(e_machine, EM_S390 << 8) },
	  "is a 64-bit big-endian program for s390" FOREIGN },
	{ "an_unknown_machine_is_refused_by_number",
	  { EH(e_machine, 0x1234) },
	  "is a 64-bit little-endian program for unknown (e_machine 4660)" FOREIGN },
	{ "an_unknown_class_is_refused",
	  { ID(EI_CLASS, 7) },
	  "has a malformed ELF header: EI_CLASS is 7" DAMAGED },
	{ "an_unknown_byte_order_is_refused",
	  { ID(EI_DATA, 7) },
	  "has a malformed ELF header: EI_DATA is 7" DAMAGED },
	{ "an_unknown_ident_version_is_refused",
	  { ID(EI_VERSION, 7) },
	  "has a malformed ELF header: EI_VERSION is 7, not 1" DAMAGED },
	{ "an_unknown_version_is_refused",
	  { EH(e_version, 7) },
	  "has a malformed ELF header: e_version is 7, not 1" DAMAGED },
	{ "a_file_without_type_is_refused",
	  { EH(e_type, ET_NONE) },
	  "has no type (e_type 0)" DAMAGED },
	{ "an_object_file_is_refused",
	  { EH(e_type, ET_REL) },
	  "is an object file or kernel module; link it into a program first" },
	{ "a_core_dump_is_refused",
	  { EH(e_type, ET_CORE) },
	  "is a core dump; give the program that dumped it" },
	{ "an_unknown_type_is_refused",
	  { EH(e_type, 0xff00) },
	  "has a malformed ELF header: e_type 65280 is not a program" DAMAGED },
	{ "no_program_headers_are_refused",
	  { EH(e_phnum, 0) },
	  "has no program headers (e_phnum 0): nothing in it can be loaded" },
	{ "more_program_headers_than_linux_reads_are_refused",
	  { EH(e_phnum, 1171) },
	  "has too many program headers: e_phnum is 1171, the limit is 1170" },
	{ "extended_numbering_of_program_headers_is_refused",
	  { EH(e_phnum, PN_XNUM) },
	  "has too many program headers: e_phnum is 65535, the limit is 1170" },
	{ "program_headers_of_another_size_are_refused",
	  { EH(e_phentsize, 32) },
	  "has a malformed ELF header: e_phentsize is 32, not 56" DAMAGED },
	{ "program_headers_past_the_end_of_the_file_are_refused",
	  { EH(e_phoff, 0x1800 - 3 * 56 + 1) },
	  "is truncated: program headers at e_phoff 0x1759 reach past the end of the file, 0x1800"
	  DAMAGED },
	{ "a_wrapping_e_phoff_is_refused",
	  { EH(e_phoff, -56ULL) },
	  "is truncated: program headers at e_phoff 0xffffffffffffffc8 reach past the end of the "
	  "file, 0x1800" DAMAGED },
	{ "filesz_above_memsz_is_refused",
	  { PH(1, p_filesz, 0x3001) },
	  "is malformed: segment 1 has p_filesz 0x3001 above p_memsz 0x3000" DAMAGED },
	{ "bytes_in_the_file_for_no_memory_are_refused",
	  { PH(1, p_memsz, 0) },
	  "is malformed: segment 1 has p_filesz 0x800 above p_memsz 0x0" DAMAGED },
	{ "an_alignment_that_is_no_power_of_two_is_refused",
	  { PH(0, p_align, 0x3000) },
	  "is malformed: segment 0 has p_align 0x3000, not a power of two" DAMAGED },
	{ "a_segment_that_ends_above_user_space_is_refused",
	  { PH(1, p_vaddr, 0x7fffffffd000), PH(1, p_memsz, 0x2001) },
	  "is malformed: segment 1 (p_vaddr 0x7fffffffd000, p_memsz 0x2001) is not inside the "
	  "47-bit user address space" DAMAGED },
	{ "a_segment_that_starts_at_the_end_of_user_space_is_refused",
	  { PH(1, p_vaddr, 0x7ffffffff000), PH(1, p_memsz, 0x800) },
	  "is malformed: segment 1 (p_vaddr 0x7ffffffff000, p_memsz 0x800) is not inside the "
	  "47-bit user address space" DAMAGED },
	{ "a_segment_at_a_kernel_address_is_refused",
	  { PH(1, p_vaddr, 0xffffffff81000000) },
	  "is malformed: segment 1 (p_vaddr 0xffffffff81000000, p_memsz 0x3000) is not inside the "
	  "47-bit user address space" DAMAGED },
	{ "a_segment_that_wraps_the_address_space_is_refused",
	  { PH(1, p_memsz, -0x402000ULL) },
	  "is malformed: segment 1 (p_vaddr 0x402000, p_memsz 0xffffffffffbfe000) is not inside the "
	  "47-bit user address space" DAMAGED },
	{ "a_program_below_64_kib_is_refused",
	  { PH(1, p_vaddr, 0xf000), PH(1, p_memsz, 0x800) },
	  "is loaded too low: segment 1 has p_vaddr 0xf000, the lowest allowed is 0x10000; link it "
	  "higher or with -static-pie" },
	{ "file_offset_and_address_at_different_places_in_a_page_are_refused",
	  { PH(1, p_offset, 0xff0) },
	  "is malformed: segment 1 has p_offset 0xff0 and p_vaddr 0x402000 at different places in a "
	  "page" DAMAGED },
	{ "a_segment_one_byte_past_the_end_of_the_file_is_refused",
	  { PH(1, p_filesz, 0x801) },
	  "is truncated: segment 1 (p_offset 0x1000, p_filesz 0x801) reaches past the end of the "
	  "file, 0x1800" DAMAGED },
	{ "a_wrapping_segment_offset_is_refused",
	  { PH(1, p_offset, -0x1000ULL), PH(1, p_filesz, 0x2000) },
	  "is truncated: segment 1 (p_offset 0xfffffffffffff000, p_filesz 0x2000) reaches past the "
	  "end of the file, 0x1800" DAMAGED },
	{ "a_writable_and_executable_segment_is_refused",
	  { PH(0, p_flags, PF_R | PF_W | PF_X) },
	  "has a segment that is both writable and executable (segment 0): link it without -N "
	  "(--omagic) or -n (--nmagic)" },
	{ "a_program_without_segments_is_refused",
	  { PH(0, p_type, PT_NULL), PH(1, p_type, PT_NOTE) },
	  "has no segment to load (no PT_LOAD with p_memsz above 0)" },
	{ "a_program_of_empty_segments_is_refused",
	  { PH(0, p_filesz, 0), PH(0, p_memsz, 0), PH(1, p_filesz, 0), PH(1, p_memsz, 0) },
	  "has no segment to load (no PT_LOAD with p_memsz above 0)" },
	{ "overlapping_segments_are_refused",
	  { PH(0, p_memsz, 0x2001) },
	  "is malformed: the segments at p_vaddr 0x400000 (p_memsz 0x2001) and 0x402000 overlap"
	  DAMAGED },
	{ "overlapping_segments_in_descending_order_are_refused",
	  { PH(1, p_vaddr, 0x3fe000) , PH(1, p_memsz, 0x2001) },
	  "is malformed: the segments at p_vaddr 0x3fe000 (p_memsz 0x2001) and 0x400000 overlap"
	  DAMAGED },
	{ "two_segments_at_one_address_are_refused",
	  { PH(1, p_vaddr, 0x400000) , PH(1, p_memsz, 0x800) },
	  "is malformed: the segments at p_vaddr 0x400000 (p_memsz 0x1000) and 0x400000 overlap"
	  DAMAGED },
	{ "more_than_64_tib_of_bss_is_refused",
	  { PH(1, p_memsz, 0x400000000000) },
	  "is too large: its segments need 0x400000001000 bytes of address space, the limit is "
	  "0x400000000000" },
	{ "a_pie_that_spans_more_than_64_tib_is_refused",
	  { EH(e_type, ET_DYN), PH(1, p_vaddr, 0x500000000000) },
	  "is too large: its segments need 0x4fffffc04000 bytes of address space, the limit is "
	  "0x400000000000" },
	{ "a_pie_with_an_alignment_of_2_to_63_is_refused",
	  { EH(e_type, ET_DYN), PH(1, p_align, 1ULL << 63) },
	  "is too large: its segments need 0x8000000000005000 bytes of address space, the limit is "
	  "0x400000000000" },
	{ "an_entry_in_no_segment_is_refused",
	  { EH(e_entry, 0x401000) },
	  "is malformed: e_entry 0x401000 is in no executable segment" DAMAGED },
	{ "an_entry_below_the_program_is_refused",
	  { EH(e_entry, 0x3fffff) },
	  "is malformed: e_entry 0x3fffff is in no executable segment" DAMAGED },
	{ "an_entry_in_data_is_refused",
	  { EH(e_entry, 0x402000) },
	  "is malformed: e_entry 0x402000 is in no executable segment" DAMAGED },
	{ "a_non_canonical_entry_is_refused",
	  { EH(e_entry, 0x8000000000400800) },
	  "is malformed: e_entry 0x8000000000400800 is in no executable segment" DAMAGED },
	{ "a_shared_library_is_refused",
	  { EH(e_type, ET_DYN), EH(e_entry, 0) },
	  "is a shared library, not a program (e_entry 0)" },
	{ "an_interpreter_past_the_end_of_the_file_is_refused",
	  { PH(2, p_type, PT_INTERP), PH(2, p_offset, 0x1700), PH(2, p_filesz, 0x101) },
	  "is truncated: PT_INTERP (program header 2) reaches past the end of the file" DAMAGED },
	{ "an_interpreter_longer_than_a_path_is_refused",
	  { PH(2, p_type, PT_INTERP), PH(2, p_filesz, 4097) },
	  "is malformed: PT_INTERP (program header 2) has p_filesz 0x1001, which is not a path"
	  DAMAGED },
	{ "an_empty_interpreter_is_refused",
	  { PH(2, p_type, PT_INTERP) },
	  "is malformed: PT_INTERP (program header 2) has p_filesz 0x0, which is not a path"
	  DAMAGED },
	{ "an_interpreter_that_does_not_end_is_refused",
	  { PH(2, p_type, PT_INTERP), PH(2, p_offset, 0x1000), PH(2, p_filesz, 4), { 0x1000, 4, 0x41414141 } },
	  "is malformed: PT_INTERP (program header 2) is not a path" DAMAGED },
};

struct foreign {
	const char *test_name;
	const char *bytes;
	size_t len;
	const char *why;
};

#define BYTES(s) s, sizeof(s) - 1

static const struct foreign foreigns[] = {
	{ "an_empty_file_is_refused", BYTES(""), "is empty" },
	{ "a_text_file_is_refused", BYTES("echo hello\n"), "is a text file, not a program" },
	{ "other_binary_data_is_refused", BYTES("MZ\x90\0\3"),
	  "is not an ELF program (no ELF magic at its start)" },
	{ "a_script_is_refused_with_its_interpreter", BYTES("#! /bin/sh -e\nexit 0\n"),
	  "is a script for '/bin/sh -e'; run a statically linked interpreter, with the script as its "
	  "argument" },
	{ "a_script_without_newline_is_refused", BYTES("#!"),
	  "is a script for ''; run a statically linked interpreter, with the script as its argument" },
	{ "a_hostile_script_line_is_quoted", BYTES("#!\x1b]0;pwned\a\r'\\\xff\0\nexit\n"),
	  "is a script for '\\x1b]0;pwned\\x07\\x0d\\x27\\x5c\\xff\\x00'; run a statically linked "
	  "interpreter, with the script as its argument" },
	{ "half_of_the_magic_is_refused", BYTES("\177E"),
	  "is truncated within its ELF header" DAMAGED },
	{ "a_32_bit_header_of_52_bytes_is_known_for_what_it_is",
	  BYTES("\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0\1\0\0\0        0123456789abcdef    "),
	  "is a 32-bit little-endian program for i386" FOREIGN },
};

static int memory_file(const void *data, size_t size)
{
	int fd = memfd_create("program", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	return fd;
}

static struct tiny patched(const struct patch *patches)
{
	struct tiny t = tiny;

	for (int i = 0; i < MAX_PATCHES; i++)
		memcpy((char *)&t + patches[i].off, &patches[i].value, patches[i].len);
	return t;
}

static struct elf_image image;
static char why[512];

static int parse(const void *data, size_t size)
{
	int fd = memory_file(data, size);
	int err;

	memset(why, 0, sizeof(why));
	err = elf_parse(fd, &image, why, sizeof(why));
	close(fd);
	return err;
}

/* Parses the tiny program with the patches given. */
#define parse_tiny(...) \
	({ \
		struct tiny t = patched((struct patch[MAX_PATCHES]){ __VA_ARGS__ }); \
		parse(&t, sizeof(t)); \
	})

static void assert_accepted(int err)
{
	assert_string_equal(why, "");
	assert_int_equal(err, 0);
}

static void assert_one_printable_line(const char *s)
{
	assert_in_range(strlen(s), 1, sizeof(why) - 2);
	for (; *s; s++)
		assert_in_range(*s, ' ', '~');
}

static void refusal(void **state)
{
	const struct refusal *r = *state;
	struct tiny t = patched(r->patches);

	assert_int_equal(parse(&t, sizeof(t)), -ENOEXEC);
	assert_string_equal(why, r->why);
}

static void foreign(void **state)
{
	const struct foreign *f = *state;

	assert_int_equal(parse(f->bytes, f->len), -ENOEXEC);
	assert_string_equal(why, f->why);
}

static void a_script_line_of_control_characters_fits_into_the_reason(void **state)
{
	char script[300];

	(void)state;
	memset(script, 1, sizeof(script));
	memcpy(script, "#!", 2);
	assert_int_equal(parse(script, sizeof(script)), -ENOEXEC);
	assert_one_printable_line(why);
	assert_non_null(strstr(why, "\\x01...'; run a statically linked interpreter"));
}

static void a_directory_a_device_and_a_pipe_are_refused(void **state)
{
	int dir = open("/", O_RDONLY | O_DIRECTORY), dev = open("/dev/null", O_RDONLY);
	int fds[2];

	(void)state;
	assert_int_equal(elf_parse(dir, &image, why, sizeof(why)), -EACCES);
	assert_string_equal(why, "is a directory, not a program");
	assert_int_equal(elf_parse(dev, &image, why, sizeof(why)), -EACCES);
	assert_string_equal(why, "is a device, pipe or socket, not a program: copy it to a regular "
				 "file first");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(elf_parse(fds[0], &image, why, sizeof(why)), -EACCES);
	close(dir);
	close(dev);
	close(fds[0]);
	close(fds[1]);
}

static void a_file_that_cannot_be_read_gives_its_errno(void **state)
{
	int fd = memory_file(&tiny, sizeof(tiny));
	char path[64];
	int wronly;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	wronly = open(path, O_WRONLY);
	assert_true(wronly >= 0);
	assert_int_equal(elf_parse(wronly, &image, why, sizeof(why)), -EBADF);
	assert_string_equal(why, "cannot be read: Bad file descriptor");
	close(wronly);
	close(fd);
	assert_int_equal(elf_parse(-1, &image, why, sizeof(why)), -EBADF);
}

static void a_short_buffer_for_the_reason_is_not_overrun(void **state)
{
	int fd = memory_file("echo\n", 5);
	char buf[8] = "1234567";

	(void)state;
	assert_int_equal(elf_parse(fd, &image, buf, 5), -ENOEXEC);
	assert_memory_equal(buf, "is a\0" "67", 8);
	close(fd);
}

static void assert_segment(size_t i, uint64_t vaddr, uint64_t memsz, uint64_t filesz,
			   uint64_t offset, int prot)
{
	assert_int_equal(image.seg[i].vaddr, vaddr);
	assert_int_equal(image.seg[i].memsz, memsz);
	assert_int_equal(image.seg[i].filesz, filesz);
	assert_int_equal(image.seg[i].offset, offset);
	assert_int_equal(image.seg[i].prot, prot);
}

static void a_static_program_gives_its_segments(void **state)
{
	(void)state;
	assert_accepted(parse(&tiny, sizeof(tiny)));
	assert_false(image.pie);
	assert_false(image.exec_stack);
	assert_int_equal(image.entry, 0x400800);
	assert_int_equal(image.phdr, 0x400040);
	assert_int_equal(image.phnum, 3);
	assert_int_equal(image.phentsize, 56);
	assert_int_equal(image.lo, 0x400000);
	assert_int_equal(image.hi, 0x405000);
	assert_int_equal(image.align, 4096);
	assert_int_equal(image.nseg, 2);
	assert_segment(0, 0x400000, 0x1000, 0x1000, 0, PROT_READ | PROT_EXEC);
	assert_segment(1, 0x402000, 0x3000, 0x800, 0x1000, PROT_READ | PROT_WRITE);
}

static void a_static_pie_may_start_at_address_0(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(EH(e_type, ET_DYN), EH(e_entry, 0x800), PH(0, p_vaddr, 0),
				   PH(1, p_vaddr, 0x2000)));
	assert_true(image.pie);
	assert_int_equal(image.entry, 0x800);
	assert_int_equal(image.phdr, 0x40);
	assert_int_equal(image.lo, 0);
	assert_int_equal(image.hi, 0x5000);
}

static void the_largest_alignment_is_that_of_the_image(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(EH(e_type, ET_DYN), PH(0, p_align, 0x200000), PH(1, p_align, 1)));
	assert_int_equal(image.align, 0x200000);
	assert_accepted(parse_tiny(PH(0, p_align, 0), PH(1, p_align, 16)));
	assert_int_equal(image.align, 4096);
}

static void garbage_where_section_headers_should_be_is_harmless(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(EH(e_shoff, -1ULL), EH(e_shnum, 0xffff), EH(e_shentsize, 1),
				   EH(e_shstrndx, 0xffff)));
	assert_accepted(parse_tiny(EH(e_shoff, 0x17ff), EH(e_shnum, 0), EH(e_shstrndx, 0xffff)));
}

static void fields_that_linux_ignores_are_ignored(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(ID(EI_OSABI, ELFOSABI_GNU), ID(EI_ABIVERSION, 9),
				   EH(e_flags, 0xffffffff), EH(e_ehsize, 0)));
	assert_accepted(parse_tiny(ID(EI_OSABI, ELFOSABI_FREEBSD), ID(EI_PAD, 0xff),
				   PH(0, p_paddr, -1ULL), PH(2, p_type, 0x6fffffff)));
}

static void a_huge_bss_is_accepted(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(1, p_memsz, 1ULL << 40)));
	assert_int_equal(image.seg[1].memsz, 1ULL << 40);
	assert_int_equal(image.hi, 0x402000 + (1ULL << 40));
}

static void a_segment_may_end_with_user_space(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(1, p_vaddr, 0x7fffffffd000), PH(1, p_memsz, 0x2000)));
	assert_int_equal(image.hi, ELF_MAX_ADDR);
}

static void a_segment_may_start_at_64_kib(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(1, p_vaddr, 0x10000)));
	assert_int_equal(image.lo, 0x10000);
}

static void a_segment_of_only_bss_may_have_any_offset(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(1, p_filesz, 0), PH(1, p_offset, -1ULL)));
	assert_int_equal(image.seg[1].filesz, 0);
	assert_int_equal(image.seg[1].memsz, 0x3000);
}

static void an_empty_segment_is_left_out(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(1, p_filesz, 0), PH(1, p_memsz, 0), PH(1, p_vaddr, 0)));
	assert_int_equal(image.nseg, 1);
	assert_int_equal(image.lo, 0x400000);
}

static void segments_come_in_order_of_their_addresses(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(1, p_vaddr, 0x3fd000)));
	assert_int_equal(image.seg[0].vaddr, 0x3fd000);
	assert_int_equal(image.seg[1].vaddr, 0x400000);
	assert_int_equal(image.lo, 0x3fd000);
	assert_int_equal(image.hi, 0x401000);
}

static void two_segments_may_share_a_page(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(0, p_filesz, 0xc00), PH(0, p_memsz, 0xc00),
				   PH(1, p_vaddr, 0x400c00), PH(1, p_offset, 0xc00)));
	assert_int_equal(image.seg[1].vaddr, 0x400c00);
	assert_int_equal(image.hi, 0x404000);
}

static void no_permission_at_all_is_no_permission(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(1, p_flags, 0)));
	assert_int_equal(image.seg[1].prot, PROT_NONE);
}

static void the_stack_is_executable_only_when_asked_for(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(2, p_flags, PF_R | PF_W | PF_X)));
	assert_true(image.exec_stack);
	assert_accepted(parse_tiny(PH(2, p_type, PT_NULL)));
	assert_false(image.exec_stack);
}

static void program_headers_outside_of_all_segments_have_no_address(void **state)
{
	(void)state;
	assert_accepted(parse_tiny(PH(0, p_offset, 0x800), PH(0, p_vaddr, 0x400800),
				   PH(0, p_filesz, 0x800), PH(0, p_memsz, 0x800)));
	assert_int_equal(image.phdr, 0);
}

/* As patchelf leaves a program: its headers are moved behind everything else, here 4 GiB. */
static void program_headers_may_be_at_the_end_of_a_huge_file(void **state)
{
	const uint64_t far = 4ULL << 30;
	struct tiny t = patched((struct patch[MAX_PATCHES]){ EH(e_phoff, far) });
	int fd = memory_file(&t, sizeof(t));
	int err;

	(void)state;
	memset(why, 0, sizeof(why));
	assert_int_equal(pwrite(fd, t.ph, sizeof(t.ph), far), sizeof(t.ph));
	err = elf_parse(fd, &image, why, sizeof(why));
	close(fd);
	assert_accepted(err);
	assert_int_equal(image.nseg, 2);
}

static void as_many_segments_as_linux_reads_are_accepted(void **state)
{
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph[ELF_MAX_PHDRS];
	} *many = calloc(1, sizeof(*many));

	(void)state;
	many->eh = tiny.eh;
	many->eh.e_phnum = ELF_MAX_PHDRS;
	for (int i = 0; i < ELF_MAX_PHDRS; i++) {
		many->ph[i] = tiny.ph[0];
		many->ph[i].p_vaddr += 0x1000 * i;
	}
	assert_accepted(parse(many, sizeof(*many)));
	assert_int_equal(image.nseg, 1170);
	assert_int_equal(image.hi, 0x400000 + 1170 * 0x1000);
	free(many);
}

static void the_running_test_has_an_interpreter(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	(void)state;
	assert_int_equal(elf_parse(fd, &image, why, sizeof(why)), 0);
	assert_string_equal(image.interp, "/lib64/ld-linux-x86-64.so.2");
	close(fd);
}

static void real_static_programs_are_accepted(void **state)
{
	(void)state;
	for (char **path = programs; *path; path++) {
		int fd = open(*path, O_RDONLY);

		memset(why, 0, sizeof(why));
		if (fd < 0 || elf_parse(fd, &image, why, sizeof(why)) < 0)
			fail_msg("%s: %s", *path, fd < 0 ? strerror(errno) : why);
		assert_true(image.phdr);
		close(fd);
	}
}

static uint8_t *read_good(size_t *size)
{
	int fd = open(programs[0], O_RDONLY);
	struct stat st;
	uint8_t *good;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail_msg("%s: %s", programs[0], strerror(errno));
	good = malloc(st.st_size);
	assert_int_equal(read(fd, good, st.st_size), st.st_size);
	close(fd);
	*size = st.st_size;
	return good;
}

static void each_of_200_malformed_variants_is_refused_for_its_own_reason(void **state)
{
	size_t size;
	uint8_t *good = read_good(&size);

	(void)state;
	for (unsigned int n = 0; n < ELF_VARIANTS; n++) {
		struct elf_variant v;

		assert_true(elf_variant(good, size, n, &v));
		if (parse(v.data, v.size) != -ENOEXEC || !strstr(why, v.why))
			fail_msg("variant %u, %s: expected \"%s\", got \"%s\"", n, v.name, v.why, why);
		assert_one_printable_line(why);
		free(v.data);
	}
	free(good);
}

/* What elf_image.h promises of every image. */
static void assert_promises(uint64_t file_size)
{
	uint64_t end = 0;
	bool entry_ok = false;

	assert_in_range(image.nseg, 1, ELF_MAX_PHDRS);
	assert_true(image.align >= 4096 && !(image.align & (image.align - 1)));
	for (size_t i = 0; i < image.nseg; i++) {
		const struct elf_segment *s = &image.seg[i];

		assert_true(s->vaddr >= end && s->vaddr < ELF_MAX_ADDR);
		assert_true(s->memsz > 0 && s->memsz <= ELF_MAX_ADDR - s->vaddr);
		assert_true(s->filesz <= s->memsz);
		if (s->filesz) {
			assert_true(s->offset < file_size && s->filesz <= file_size - s->offset);
			assert_int_equal(s->offset % 4096, s->vaddr % 4096);
		}
		assert_true((s->prot & (PROT_WRITE | PROT_EXEC)) != (PROT_WRITE | PROT_EXEC));
		end = s->vaddr + s->memsz;
		if (s->prot & PROT_EXEC)
			entry_ok |= image.entry >= s->vaddr && image.entry < end;
	}
	assert_true(entry_ok);
	assert_true(image.lo % 4096 == 0 && image.lo <= image.seg[0].vaddr);
	assert_true(image.hi % 4096 == 0 && image.hi >= end && image.hi - end < 4096);
	assert_true(image.pie || image.lo >= ELF_MIN_ADDR);
}

static void a_program_cut_at_any_byte_is_refused(void **state)
{
	size_t size, end = 0;
	uint8_t *good = read_good(&size);
	int fd = memory_file(good, size);

	(void)state;
	assert_int_equal(elf_parse(fd, &image, why, sizeof(why)), 0);
	for (size_t i = 0; i < image.nseg; i++)
		if (image.seg[i].offset + image.seg[i].filesz > end)
			end = image.seg[i].offset + image.seg[i].filesz;
	for (size_t cut = size; cut-- > 0;) {
		int err;

		assert_int_equal(ftruncate(fd, cut), 0);
		err = elf_parse(fd, &image, why, sizeof(why));
		/* behind the segments are section headers, which nobody needs */
		if (err != (cut >= end ? 0 : -ENOEXEC) || (err && cut && !strstr(why, "truncated")))
			fail_msg("cut at %zu of %zu: %d %s", cut, size, err, why);
	}
	close(fd);
	free(good);
}

static void any_change_of_a_header_byte_is_refused_or_keeps_the_promises(void **state)
{
	size_t size;
	uint8_t *good = read_good(&size);
	int fd = memory_file(good, size);
	size_t headers = sizeof(Elf64_Ehdr) + ((Elf64_Ehdr *)good)->e_phnum * sizeof(Elf64_Phdr);
	unsigned int accepted = 0;

	(void)state;
	for (size_t i = 0; i < headers; i++) {
		for (int value = 0; value < 256; value++) {
			uint8_t byte = value;

			assert_int_equal(pwrite(fd, &byte, 1, i), 1);
			memset(why, 0, sizeof(why));
			if (elf_parse(fd, &image, why, sizeof(why)) == 0) {
				assert_promises(size);
				accepted++;
			} else {
				assert_one_printable_line(why);
			}
		}
		assert_int_equal(pwrite(fd, &good[i], 1, i), 1);
	}
	assert_in_range(accepted, headers, 255 * headers); /* at least the good one each time */
	close(fd);
	free(good);
}

/* What elf_parse() has read, and what is done to the file after each read. */
static struct {
	unsigned int reads;
	size_t bytes;
	void (*change)(int fd);
} file_reads;

ssize_t __real_pread(int fd, void *buf, size_t len, off_t off);

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off)
{
	ssize_t n = __real_pread(fd, buf, len, off);

	file_reads.reads++;
	file_reads.bytes += n;
	if (file_reads.change)
		file_reads.change(fd);
	return n;
}

static void fill_with_ff(int fd)
{
	char ff[0x1000];

	memset(ff, 0xff, sizeof(ff));
	/* all but the program headers, which are still to be read */
	assert_int_equal(pwrite(fd, ff, 64, 0), 64);
	if (file_reads.reads > 1)
		assert_int_equal(pwrite(fd, ff, sizeof(ff), 0), sizeof(ff));
}

static void cut_short(int fd)
{
	assert_int_equal(ftruncate(fd, 100), 0);
}

static int parse_changing(void (*change)(int fd))
{
	int fd = memory_file(&tiny, sizeof(tiny));
	int err;

	memset(&file_reads, 0, sizeof(file_reads));
	memset(why, 0, sizeof(why));
	file_reads.change = change;
	err = elf_parse(fd, &image, why, sizeof(why));
	file_reads.change = NULL;
	close(fd);
	return err;
}

static void threat_26_headers_are_read_once_and_nothing_else_is(void **state)
{
	(void)state;
	assert_accepted(parse_changing(NULL));
	assert_int_equal(file_reads.reads, 2);
	assert_int_equal(file_reads.bytes, 256 + 3 * sizeof(Elf64_Phdr));
}

static void a_header_overwritten_after_it_was_read_changes_nothing(void **state)
{
	struct elf_image *before = malloc(sizeof(*before));

	(void)state;
	assert_accepted(parse_changing(NULL));
	*before = image;
	assert_accepted(parse_changing(fill_with_ff));
	assert_int_equal(file_reads.reads, 2);
	assert_memory_equal(before, &image, sizeof(image));
	free(before);
}

static void a_program_cut_short_while_it_is_read_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_changing(cut_short), -ENOEXEC);
	assert_string_equal(why, "is truncated: it became shorter while it was being read; run it "
				 "again once it is complete");
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(a_script_line_of_control_characters_fits_into_the_reason),
	cmocka_unit_test(a_directory_a_device_and_a_pipe_are_refused),
	cmocka_unit_test(a_file_that_cannot_be_read_gives_its_errno),
	cmocka_unit_test(a_short_buffer_for_the_reason_is_not_overrun),
	cmocka_unit_test(a_static_program_gives_its_segments),
	cmocka_unit_test(a_static_pie_may_start_at_address_0),
	cmocka_unit_test(the_largest_alignment_is_that_of_the_image),
	cmocka_unit_test(garbage_where_section_headers_should_be_is_harmless),
	cmocka_unit_test(fields_that_linux_ignores_are_ignored),
	cmocka_unit_test(a_huge_bss_is_accepted),
	cmocka_unit_test(a_segment_may_end_with_user_space),
	cmocka_unit_test(a_segment_may_start_at_64_kib),
	cmocka_unit_test(a_segment_of_only_bss_may_have_any_offset),
	cmocka_unit_test(an_empty_segment_is_left_out),
	cmocka_unit_test(segments_come_in_order_of_their_addresses),
	cmocka_unit_test(two_segments_may_share_a_page),
	cmocka_unit_test(no_permission_at_all_is_no_permission),
	cmocka_unit_test(the_stack_is_executable_only_when_asked_for),
	cmocka_unit_test(program_headers_outside_of_all_segments_have_no_address),
	cmocka_unit_test(program_headers_may_be_at_the_end_of_a_huge_file),
	cmocka_unit_test(as_many_segments_as_linux_reads_are_accepted),
	cmocka_unit_test(the_running_test_has_an_interpreter),
	cmocka_unit_test(real_static_programs_are_accepted),
	cmocka_unit_test(each_of_200_malformed_variants_is_refused_for_its_own_reason),
	cmocka_unit_test(a_program_cut_at_any_byte_is_refused),
	cmocka_unit_test(any_change_of_a_header_byte_is_refused_or_keeps_the_promises),
	cmocka_unit_test(threat_26_headers_are_read_once_and_nothing_else_is),
	cmocka_unit_test(a_header_overwritten_after_it_was_read_changes_nothing),
	cmocka_unit_test(a_program_cut_short_while_it_is_read_is_refused),
};

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_SIZE(refusals) + ARRAY_SIZE(foreigns) + ARRAY_SIZE(others)];
	size_t n = 0;

	/* static programs, the first one not a PIE */
	static char *built[] = { "build/guest/hello", "build/guest/hello-pie", "build/guest/hello-musl", NULL };

	programs = argc > 1 ? argv + 1 : built;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		tests[n++] = (struct CMUnitTest){ .name = refusals[i].test_name, .test_func = refusal,
						  .initial_state = (void *)&refusals[i] };
	for (size_t i = 0; i < ARRAY_SIZE(foreigns); i++)
		tests[n++] = (struct CMUnitTest){ .name = foreigns[i].test_name, .test_func = foreign,
						  .initial_state = (void *)&foreigns[i] };
	memcpy(&tests[n], others, sizeof(others));
	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
