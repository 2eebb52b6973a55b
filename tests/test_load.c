/* SPDX-License-Identifier: GPL-2.0-only */
/* What the loader leaves in guest memory, read back through the page tables it built. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>

#include "forked.h"
#include "../runner/elf_image.h"
#include "../runner/load.h"
#include "../runner/options.h"
#include "../runner/vm.h"

#define RAM (64ull << 20)
#define R PROT_READ
#define W PROT_WRITE
#define X PROT_EXEC

/* The file: byte at offset n is n / 16, never 0. */
#define FILE_SIZE 0x9000

static uint8_t file_byte(uint64_t offset)
{
	return offset / 16 % 255 + 1;
}

static int make_file(uint64_t size)
{
	static uint8_t bytes[FILE_SIZE];
	int fd = memfd_create("program", MFD_CLOEXEC);

	assert_true(fd >= 0 && size <= FILE_SIZE);
	for (uint64_t i = 0; i < size; i++)
		bytes[i] = file_byte(i);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

static char *no_strings[] = { NULL };
static struct config config;
static struct vm vm;
static struct abi_boot *boot;

static void vm_reset(void)
{
	config = (struct config){ .mem_bytes = RAM, .argv = no_strings, .env = no_strings };
	vm = (struct vm){ .config = &config, .program = "dir/prog", .ram_size = RAM, .mem_limit = RAM };
	/* load() then has no memslot to make, and needs no hypervisor */
	vm.ram_ready = RAM;
	vm.ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(vm.ram, MAP_FAILED);
	boot = guest_ptr(&vm, ABI_BOOT_GPA, sizeof(*boot));
}

/* The leaf entry for va, 0 when there is none; every entry on the way must be as the contract wants it. */
static uint64_t walk(gva_t va, uint64_t *size)
{
	gpa_t table = boot->pml4;

	for (int level = 4; level; level--) {
		const uint64_t *entries = guest_ptr(&vm, table, ABI_PAGE);
		uint64_t e = entries[va >> (3 + 9 * level) & 511];

		if (!(e & 1))
			return 0;
		assert_true(e & 4);			/* U */
		assert_true(e & 32);			/* A */
		if (level == 1 || e & 128) {
			assert_int_equal(!(e & 2), !(e & 64));	/* W and D */
			*size = level == 1 ? ABI_PAGE : ABI_HUGE;
			return e;
		}
		assert_true(e & 2);
		assert_false(e >> 63);
		table = e & 0x000ffffffffff000;
	}
	return 0;
}

static int prot_at(gva_t va)
{
	uint64_t size, e = walk(va, &size);

	return e ? R | (e & 2 ? W : 0) | (e >> 63 ? 0 : X) : -1;
}

static uint8_t *at(gva_t va)
{
	uint64_t size, e = walk(va, &size);

	assert_true(e);
	return (uint8_t *)guest_ptr(&vm, e & 0x000ffffffffff000, size) + (va & (size - 1));
}

static uint64_t word_at(gva_t va)
{
	uint64_t n;

	memcpy(&n, at(va), 8);
	return n;
}

static const struct abi_map *map_at(gva_t va)
{
	for (uint32_t i = 0; i < boot->nmaps; i++)
		if (va >= boot->map[i].start && va < boot->map[i].end)
			return &boot->map[i];
	return NULL;
}

static void load_static(struct vm *into, const struct elf_image *elf, int fd)
{
	static struct program program;

	program.fd = fd;
	program.elf = *elf;
	load(into, &program);
}

static void assert_map(gva_t start, gva_t end, uint32_t prot)
{
	const struct abi_map *m = map_at(start);

	if (!m || m->start != start || m->end != end || m->prot != prot)
		fail_msg("%llx-%llx: not mapped so (%llx-%llx %u)", (long long)start, (long long)end,
			 m ? (long long)m->start : 0, m ? (long long)m->end : 0, m ? m->prot : 0);
}

/* Segments of a non-PIE at their addresses, from make_file(). */
static void load_segments(const struct elf_segment *seg, size_t n)
{
	static struct elf_image elf;
	int fd = make_file(FILE_SIZE);

	memset(&elf, 0, sizeof(elf));
	elf.align = ABI_PAGE;
	elf.nseg = n;
	memcpy(elf.seg, seg, n * sizeof(*seg));
	elf.lo = seg[0].vaddr & -ABI_PAGE;
	elf.hi = (seg[n - 1].vaddr + seg[n - 1].memsz + ABI_PAGE - 1) & -ABI_PAGE;
	elf.entry = seg[0].vaddr;
	vm_reset();
	load_static(&vm, &elf, fd);
	close(fd);
}

static void pages_hold_the_file_around_their_segments_and_bss_is_zero(void **state)
{
	(void)state;
	load_segments((struct elf_segment[]){
		{ .vaddr = 0x400100, .memsz = 0x1800, .filesz = 0x1800, .offset = 0x100, .prot = R | X },
		{ .vaddr = 0x402e40, .memsz = 0x5000, .filesz = 0x300, .offset = 0x1e40, .prot = R | W },
	}, 2);
	assert_map(0x400000, 0x402000, R | X);
	assert_map(0x402000, 0x408000, R | W);
	assert_int_equal(prot_at(0x400000), R | X);
	assert_int_equal(prot_at(0x401fff), R | X);
	assert_int_equal(prot_at(0x402000), R | W);
	for (gva_t va = 0x400000; va < 0x402000; va++)
		assert_int_equal(*at(va), file_byte(va - 0x400000));
	for (gva_t va = 0x402000; va < 0x403140; va++)
		assert_int_equal(*at(va), file_byte(va - 0x402000 + 0x1000));
	for (gva_t va = 0x403140; va < 0x404000; va++)
		assert_int_equal(*at(va), 0);
	/* .bss is for the shim to fill in */
	assert_int_equal(prot_at(0x404000), -1);
	assert_int_equal(prot_at(0x407fff), -1);
	assert_in_range(boot->brk, 0x408000, 0x408000 + (32 << 20));
	assert_int_equal(boot->brk % 4096, 0);
	assert_int_equal(boot->rip, 0x400100);
}

static void the_tail_of_a_read_only_segment_is_not_zeroed(void **state)
{
	(void)state;
	load_segments((struct elf_segment[]){
		{ .vaddr = 0x400000, .memsz = 0x3000, .filesz = 0x800, .offset = 0, .prot = R },
	}, 1);
	assert_int_equal(*at(0x400fff), file_byte(0xfff));
	assert_map(0x400000, 0x403000, R);
	assert_int_equal(prot_at(0x401000), -1);
}

static void past_the_end_of_the_file_a_page_is_zero(void **state)
{
	static struct elf_image elf = {
		.align = ABI_PAGE, .nseg = 1, .lo = 0x400000, .hi = 0x402000,
		.seg = { { .vaddr = 0x400000, .memsz = 0x1234, .filesz = 0x1234, .prot = R } },
	};
	int fd = make_file(0x1234);

	(void)state;
	vm_reset();
	load_static(&vm, &elf, fd);
	assert_int_equal(*at(0x401233), file_byte(0x1233));
	assert_int_equal(*at(0x401234), 0);
	assert_int_equal(*at(0x401fff), 0);
	close(fd);
}

static void a_shared_page_is_the_later_segments(void **state)
{
	(void)state;
	/* as old linkers did: one file page, in it the end of text and the start of data */
	load_segments((struct elf_segment[]){
		{ .vaddr = 0x400000, .memsz = 0x1400, .filesz = 0x1400, .offset = 0, .prot = R | X },
		{ .vaddr = 0x401400, .memsz = 0x2000, .filesz = 0x200, .offset = 0x1400, .prot = R | W },
	}, 2);
	assert_map(0x400000, 0x401000, R | X);
	assert_map(0x401000, 0x404000, R | W);
	assert_int_equal(prot_at(0x400fff), R | X);
	assert_int_equal(prot_at(0x401000), R | W);
	for (gva_t va = 0x400000; va < 0x401600; va++)
		assert_int_equal(*at(va), file_byte(va - 0x400000));
	assert_int_equal(*at(0x401600), 0);
}

static void many_segments_in_one_page_end_as_the_last(void **state)
{
	(void)state;
	load_segments((struct elf_segment[]){
		{ .vaddr = 0x400000, .memsz = 0x10, .filesz = 0x10, .offset = 0, .prot = R },
		{ .vaddr = 0x400010, .memsz = 0x10, .filesz = 0x10, .offset = 0x10, .prot = R | X },
		{ .vaddr = 0x400020, .memsz = 0x10, .filesz = 0x10, .offset = 0x20, .prot = R | W },
	}, 3);
	assert_map(0x400000, 0x401000, R | W);
	assert_int_equal(prot_at(0x400000), R | W);
	assert_int_equal(*at(0x400ff0), file_byte(0xff0));
}

static void a_segment_of_bss_alone_keeps_its_neighbours_bytes(void **state)
{
	(void)state;
	load_segments((struct elf_segment[]){
		{ .vaddr = 0x400000, .memsz = 0x800, .filesz = 0x800, .offset = 0, .prot = R | W },
		{ .vaddr = 0x400800, .memsz = 0x4000, .filesz = 0, .offset = 0, .prot = R | W },
	}, 2);
	assert_map(0x400000, 0x405000, R | W);
	assert_int_equal(*at(0x4007ff), file_byte(0x7ff));
	assert_int_equal(*at(0x400800), 0);
	assert_int_equal(*at(0x400fff), 0);
	assert_int_equal(prot_at(0x401000), -1);
}

static void a_huge_bss_takes_no_ram(void **state)
{
	gpa_t before;

	(void)state;
	load_segments((struct elf_segment[]){
		{ .vaddr = 0x400000, .memsz = 0x1000, .filesz = 0x1000, .offset = 0, .prot = R | W } }, 1);
	before = boot->free;
	load_segments((struct elf_segment[]){
		{ .vaddr = 0x400000, .memsz = 32 << 20, .filesz = 0x1000, .offset = 0, .prot = R | W } }, 1);
	/* where the stack and the rest land is random: a page table more or less */
	assert_in_range(boot->free, before - 8 * ABI_PAGE, before + 8 * ABI_PAGE);
	assert_map(0x400000, 0x2400000, R | W);
}

static void segments_of_one_protection_become_one_mapping(void **state)
{
	(void)state;
	load_segments((struct elf_segment[]){
		{ .vaddr = 0x400000, .memsz = 0x1000, .filesz = 0x1000, .offset = 0, .prot = R },
		{ .vaddr = 0x401000, .memsz = 0x1000, .filesz = 0x1000, .offset = 0x3000, .prot = R },
		{ .vaddr = 0x403000, .memsz = 0x1000, .filesz = 0x1000, .offset = 0x4000, .prot = R },
	}, 3);
	assert_map(0x400000, 0x402000, R);
	assert_map(0x403000, 0x404000, R);
	assert_int_equal(*at(0x401000), file_byte(0x3000));
	assert_null(map_at(0x402000));
}

static void the_rest_is_where_the_contract_says(void **state)
{
	uint64_t size, e;

	(void)state;
	load_segments((struct elf_segment[]){
		{ .vaddr = 0x400000, .memsz = 0x1000, .filesz = 0x1000, .offset = 0, .prot = R | X } }, 1);
	assert_true(boot->magic == ABI_MAGIC && boot->version == ABI_VERSION);
	assert_string_equal(boot->comm, "prog");
	/* all that is in use is mapped, by 2 MiB pages, not executable; nothing behind it is used */
	for (gpa_t gpa = 0; gpa < boot->free; gpa += ABI_HUGE) {
		e = walk(ABI_DIRECT + gpa, &size);
		assert_int_equal(size, ABI_HUGE);
		assert_int_equal(e & 0x000ffffffffff000, gpa);
		assert_int_equal(prot_at(ABI_DIRECT + gpa), R | W);
	}
	for (gpa_t gpa = boot->free; gpa < RAM; gpa++)
		if (vm.ram[gpa])
			fail_msg("GPA %#llx is not zero", (long long)gpa);
	/* the shim: W^X */
	assert_int_equal(prot_at(ABI_SHIM), R | X);
	for (gva_t va = ABI_SHIM; prot_at(va) != -1; va += ABI_PAGE)
		assert_int_not_equal(prot_at(va) & (W | X), W | X);
	assert_int_equal(boot->frame % ABI_PAGE, 0);
	assert_int_equal(boot->chunks % 8, 0);
	/* the program's mappings: sorted, apart, below the end of user space */
	for (uint32_t i = 0; i < boot->nmaps; i++) {
		assert_true(boot->map[i].start < boot->map[i].end);
		assert_true(boot->map[i].end <= ABI_USER_END);
		assert_int_not_equal(boot->map[i].prot & (W | X), W | X);
		if (i)
			assert_true(boot->map[i - 1].end <= boot->map[i].start);
	}
	assert_true(boot->mmap_base <= boot->map[boot->nmaps - 1].start);
	assert_int_equal(boot->map[boot->nmaps - 1].flags, ABI_MAP_GROWSDOWN);
}

/* ------------------------------------------------------------------------------------ the stack */

static void the_stack_is_as_linux_lays_it_out(void **state)
{
	static char *argv[] = { "name", "", "two words", NULL }, *env[] = { "A=1", "LONG=xyz", NULL };
	static struct elf_image elf = {
		.align = ABI_PAGE, .nseg = 1, .lo = 0x400000, .hi = 0x401000, .entry = 0x400500,
		.phdr = 0x400040, .phnum = 3, .phentsize = 56,
		.seg = { { .vaddr = 0x400000, .memsz = 0x1000, .filesz = 0x1000, .prot = R | X } },
	};
	uint64_t aux[64] = { 0 }, set = 0;
	int fd = make_file(FILE_SIZE);
	gva_t p;

	(void)state;
	vm_reset();
	config.argv = argv;
	config.env = env;
	vm.xsave_size = 832;
	vm.boot_flags = ABI_BOOT_FSGSBASE;
	load_static(&vm, &elf, fd);
	close(fd);
	p = boot->rsp;
	assert_int_equal(p % 16, 0);
	assert_int_equal(word_at(p), 3);
	for (int i = 0; i < 3; i++)
		assert_string_equal((char *)at(word_at(p + 8 + 8 * i)), argv[i]);
	assert_int_equal(word_at(p + 32), 0);
	for (int i = 0; i < 2; i++)
		assert_string_equal((char *)at(word_at(p + 40 + 8 * i)), env[i]);
	assert_int_equal(word_at(p + 56), 0);
	/* argv's and envp's strings lie end to end: setproctitle() and ps count on it */
	assert_int_equal(word_at(p + 16), word_at(p + 8) + 5);
	assert_int_equal(word_at(p + 40), word_at(p + 24) + 10);
	for (p += 64;; p += 16) {
		uint64_t type = word_at(p);

		assert_true(type < 64);
		assert_false(set >> type & 1);
		set |= 1ull << type;
		aux[type] = word_at(p + 8);
		if (type == AT_NULL)
			break;
	}
	assert_int_equal(aux[AT_PHDR], 0x400040);
	assert_int_equal(aux[AT_PHENT], 56);
	assert_int_equal(aux[AT_PHNUM], 3);
	assert_int_equal(aux[AT_PAGESZ], 4096);
	assert_int_equal(aux[AT_ENTRY], 0x400500);
	assert_int_equal(aux[AT_UID], getuid());
	assert_int_equal(aux[AT_GID], getgid());
	assert_int_equal(aux[AT_CLKTCK], 100);
	assert_int_equal(aux[AT_HWCAP2], 2);
	assert_int_equal(aux[AT_MINSIGSTKSZ], 1776);
	assert_true(set >> AT_SECURE & 1);
	assert_true(set >> AT_BASE & 1);
	assert_string_equal((char *)at(aux[AT_EXECFN]), "dir/prog");
	assert_string_equal((char *)at(aux[AT_PLATFORM]), "x86_64");
	assert_true(word_at(aux[AT_RANDOM]) != word_at(aux[AT_RANDOM] + 8));
	assert_memory_equal(at(aux[AT_SYSINFO_EHDR]), ELFMAG, SELFMAG);
	assert_int_equal(prot_at(aux[AT_SYSINFO_EHDR]), R | X);
	assert_int_equal(prot_at(aux[AT_SYSINFO_EHDR] - ABI_PAGE), R);
	assert_int_equal(map_at(aux[AT_SYSINFO_EHDR])->flags, ABI_MAP_FIXED);
	assert_int_equal(map_at(aux[AT_SYSINFO_EHDR] - ABI_PAGE)->flags, ABI_MAP_FIXED);
	assert_int_equal(prot_at(boot->rsp), R | W);
	assert_int_equal(prot_at(boot->rsp - 4096), R | W);
	assert_true(map_at(boot->rsp)->start <= boot->rsp - (128 << 10));
}

static void a_pie_moves_as_a_whole_and_keeps_its_alignment(void **state)
{
	static struct elf_image elf = {
		.pie = true, .align = 0x200000, .nseg = 2, .lo = 0, .hi = 0x203000, .entry = 0x10,
		.phdr = 0x40, .seg = {
			{ .vaddr = 0, .memsz = 0x1000, .filesz = 0x1000, .prot = R | X },
			{ .vaddr = 0x202000, .memsz = 0x1000, .filesz = 0x1000, .offset = 0x2000, .prot = R | W },
		},
	};
	gva_t last = 0;
	int moved = 0;

	(void)state;
	for (int i = 0; i < 5; i++) {
		int fd = make_file(FILE_SIZE);
		gva_t base;

		vm_reset();
		load_static(&vm, &elf, fd);
		close(fd);
		base = boot->rip - 0x10;
		assert_int_equal(base % 0x200000, 0);
		assert_true(base >= 0x100000000 && base + 0x203000 <= boot->brk);
		assert_true(boot->brk <= base + 0x203000 + (32 << 20));
		assert_int_equal(*at(base + 0x202fff), file_byte(0x2fff));
		assert_map(base + 0x202000, base + 0x203000, R | W);
		moved += base != last;
		last = base;
	}
	assert_in_range(moved, 2, 5);
}

/* ------------------------------------------------------------------------------------ refusals */

static struct elf_image small = {
	.align = ABI_PAGE, .nseg = 1, .lo = 0x400000, .hi = 0x410000, .entry = 0x400000,
	.seg = { { .vaddr = 0x400000, .memsz = 0x10000, .filesz = 0x1000, .prot = R | W } },
};

static void load_with_mem(void *mem)
{
	vm_reset();
	vm.mem_limit = *(uint64_t *)mem;
	load_static(&vm, &small, make_file(FILE_SIZE));
}

static void too_little_memory_is_told_with_what_it_needs(void **state)
{
	static struct outcome o;
	unsigned long long need;
	uint64_t mem = 64 << 10;

	(void)state;
	forked(load_with_mem, &mem, &o);
	assert_complains(&o, 125, "--mem 64K is too small for dir/prog: it needs at least ");
	need = strtoull(strstr(o.err, "least ") + 6, NULL, 10);
	mem = need << 10;
	forked(load_with_mem, &mem, &o);
	assert_int_equal(o.status, 0);
	mem -= 1024;
	forked(load_with_mem, &mem, &o);
	assert_complains(&o, 125, "is too small");
}

static void load_long_arguments(void *which)
{
	static char *list[100];
	char *s = malloc(128 << 10);

	memset(s, 'x', (128 << 10) - 1);
	s[(128 << 10) - 1] = '\0';
	for (int i = 0; i < 99; i++)
		list[i] = s;
	if (*(int *)which == 0) {
		list[0] = malloc((128 << 10) + 1);
		memset(list[0], 'x', 128 << 10);
		list[0][128 << 10] = '\0';
		list[1] = NULL;
	} else if (*(int *)which == 1) {
		list[47] = NULL;	/* just within 6 MiB */
	}
	vm_reset();
	config.env = list;
	load_static(&vm, &small, make_file(FILE_SIZE));
}

static void arguments_past_linux_limits_are_refused(void **state)
{
	static struct outcome o;

	(void)state;
	forked(load_long_arguments, &(int){ 0 }, &o);
	assert_complains(&o, 126, "argument list too long: one string has 131073 bytes");
	forked(load_long_arguments, &(int){ 1 }, &o);
	assert_int_equal(o.status, 0);
	forked(load_long_arguments, &(int){ 2 }, &o);
	assert_complains(&o, 126, "argument list too long: arguments and environment have");
}

static void load_truncated(void *arg)
{
	(void)arg;
	vm_reset();
	load_static(&vm, &small, make_file(0xfff));
}

static void a_file_that_shrinks_while_it_is_read_is_refused(void **state)
{
	static struct outcome o;

	(void)state;
	forked(load_truncated, NULL, &o);
	assert_complains(&o, 126, "dir/prog: cannot be run: it became shorter");
}

static void load_high(void *arg)
{
	static struct elf_image elf = {
		.align = ABI_PAGE, .nseg = 1, .lo = 0x7fffff000000, .hi = 0x7fffff001000,
		.seg = { { .vaddr = 0x7fffff000000, .memsz = 0x1000, .prot = R | W } },
	};

	(void)arg;
	vm_reset();
	load_static(&vm, &elf, make_file(FILE_SIZE));
}

static void load_many(void *arg)
{
	static struct elf_image elf = { .align = ABI_PAGE, .lo = 0x400000, .nseg = 200 };

	(void)arg;
	for (size_t i = 0; i < elf.nseg; i++)
		elf.seg[i] = (struct elf_segment){ .vaddr = 0x400000 + i * 0x2000, .memsz = 1, .filesz = 1,
						   .prot = R };
	elf.hi = 0x400000 + 200 * 0x2000;
	vm_reset();
	load_static(&vm, &elf, make_file(FILE_SIZE));
}

static void layouts_that_do_not_fit_are_refused(void **state)
{
	static struct outcome o;

	(void)state;
	forked(load_high, NULL, &o);
	assert_complains(&o, 126, "leave no room for the stack");
	forked(load_many, NULL, &o);
	assert_complains(&o, 126, "segments");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_hold_the_file_around_their_segments_and_bss_is_zero),
		cmocka_unit_test(the_tail_of_a_read_only_segment_is_not_zeroed),
		cmocka_unit_test(past_the_end_of_the_file_a_page_is_zero),
		cmocka_unit_test(a_shared_page_is_the_later_segments),
		cmocka_unit_test(many_segments_in_one_page_end_as_the_last),
		cmocka_unit_test(a_segment_of_bss_alone_keeps_its_neighbours_bytes),
		cmocka_unit_test(a_huge_bss_takes_no_ram),
		cmocka_unit_test(segments_of_one_protection_become_one_mapping),
		cmocka_unit_test(the_rest_is_where_the_contract_says),
		cmocka_unit_test(the_stack_is_as_linux_lays_it_out),
		cmocka_unit_test(a_pie_moves_as_a_whole_and_keeps_its_alignment),
		cmocka_unit_test(too_little_memory_is_told_with_what_it_needs),
		cmocka_unit_test(arguments_past_linux_limits_are_refused),
		cmocka_unit_test(a_file_that_shrinks_while_it_is_read_is_refused),
		cmocka_unit_test(layouts_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
