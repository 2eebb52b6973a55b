/* SPDX-License-Identifier: GPL-2.0-only */
/* test_slots.c - guest memory that is of every kind the process can map, and changes */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define HIGH	0x40000000ull	/* GPA and GVA of the slot that a test adds */
#define HUGE	0x200000ull
#define HUGE_1G	(30 << MAP_HUGE_SHIFT)

/* mov (%rdi), %rax; hlt; mov %rax, (%rdi); hlt */
#define PEEK_POKE "\x48\x8b\x07\xf4\x48\x89\x07\xf4"
#define POKE (GUEST_CODE + 4)

/* In long mode, with the first GiB as guest_start maps it and the second by one page of 1 GiB. */
static void start(struct guest *g)
{
	guest_start(g, LONG, CODE(PEEK_POKE));
	((uint64_t *)(g->memory + 0x11000))[1] = HIGH | 0x83;
}

static int slot(struct guest *g, uint32_t id, uint32_t flags, uint64_t gpa, uint64_t size, void *at)
{
	struct kvm_userspace_memory_region r = {
		.slot = id, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)at,
	};

	return ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static void set(struct guest *g, uint64_t rip, uint64_t gva, uint64_t value)
{
	struct kvm_regs regs = { .rip = rip, .rdi = gva, .rax = value, .rflags = 2 };

	guest_set_regs(g, &regs);
}

static uint64_t peek(struct guest *g, uint64_t gva)
{
	set(g, GUEST_CODE, gva, 0);
	assert_int_equal(guest_run(g), KVM_EXIT_HLT);
	return guest_regs(g).rax;
}

static void poke(struct guest *g, uint64_t gva, uint64_t value)
{
	set(g, POKE, gva, value);
	assert_int_equal(guest_run(g), KVM_EXIT_HLT);
}

/* 0: HLT; else the errno, or minus the exit reason. */
static int try(struct guest *g, uint64_t rip, uint64_t gva)
{
	int reason;

	set(g, rip, gva, 1);
	if (ioctl(g->vcpu, KVM_RUN, 0) < 0)
		return errno;
	if (g->run->exit_reason == KVM_EXIT_HLT)
		return 0;
	reason = g->run->exit_reason;
	/* what has begun is finished before anything else */
	g->run->immediate_exit = 1;
	assert_int_equal(ioctl(g->vcpu, KVM_RUN, 0), -1);
	g->run->immediate_exit = 0;
	return -reason;
}

static void *map(size_t size, int flags, int fd)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

/* ------------------------------------------------------------------ dirty logs */

static uint64_t log_word(struct guest *g, int word)
{
	static uint64_t bitmap[8];
	struct kvm_dirty_log log = { .dirty_bitmap = bitmap };

	assert_int_equal(ioctl(g->vm, KVM_GET_DIRTY_LOG, &log), 0);
	return bitmap[word];
}

static int clear(struct guest *g, uint32_t id, uint64_t first, uint32_t n, uint64_t mask)
{
	uint64_t bitmap[8] = { mask };
	struct kvm_clear_dirty_log log = { .slot = id, .first_page = first, .num_pages = n,
					   .dirty_bitmap = bitmap };

	return ioctl(g->vm, KVM_CLEAR_DIRTY_LOG, &log) ? errno : 0;
}

static void a_log_under_manual_protection_is_cleared_only_where_asked(void **state)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { 1 } };
	struct guest g;

	(void)state;
	start(&g);
	assert_int_equal(clear(&g, 0, 0, 64, 1), ENOENT);
	assert_int_equal(ioctl(g.vm, KVM_ENABLE_CAP, &cap), 0);
	assert_int_equal(slot(&g, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, GUEST_MEMORY, g.memory), 0);
	poke(&g, 70 * 4096, 1);
	poke(&g, 300 * 4096, 1);
	assert_int_equal(log_word(&g, 1), 1 << 6);
	/* reading it does not clear it */
	assert_int_equal(log_word(&g, 1), 1 << 6);
	assert_int_equal(log_word(&g, 4), 1ull << 44);
	/* bits that are not set may be cleared, too */
	assert_int_equal(clear(&g, 0, 64, 64, 0xff), 0);
	assert_int_equal(log_word(&g, 1), 0);
	assert_int_equal(log_word(&g, 4), 1ull << 44);
	poke(&g, 70 * 4096, 2);
	poke(&g, 71 * 4096, 2);
	assert_int_equal(log_word(&g, 1), 3 << 6);
	assert_int_equal(clear(&g, 0, 64, 64, 1 << 6), 0);
	assert_int_equal(log_word(&g, 1), 2 << 6);
	/* all of it, the end of which need not be a multiple of 64 where the slot's is not */
	assert_int_equal(clear(&g, 0, 256, 256, ~0ull), 0);
	assert_int_equal(clear(&g, 0, 1, 64, 1), EINVAL);
	assert_int_equal(clear(&g, 0, 64, 63, 1), EINVAL);
	assert_int_equal(clear(&g, 0, 448, 128, 1), EINVAL);
	assert_int_equal(clear(&g, 0, 1024, 64, 1), EINVAL);
	assert_int_equal(clear(&g, 5, 0, 64, 1), ENOENT);
	guest_end(&g);
}

static void a_log_may_begin_with_every_page_dirty(void **state)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { 2 } };
	struct guest g;

	(void)state;
	start(&g);
	assert_int_equal(ioctl(g.vm, KVM_CHECK_EXTENSION, cap.cap), 3);
	/* not without what it belongs to, and nothing unknown */
	assert_int_equal(ioctl(g.vm, KVM_ENABLE_CAP, &cap), -1);
	assert_int_equal(errno, EINVAL);
	cap.args[0] = 4;
	assert_int_equal(ioctl(g.vm, KVM_ENABLE_CAP, &cap), -1);
	assert_int_equal(errno, EINVAL);
	cap.args[0] = 3;
	assert_int_equal(ioctl(g.vm, KVM_ENABLE_CAP, &cap), 0);
	/* the last word's end is behind the memory's */
	assert_int_equal(slot(&g, 0, 0, 0, 0, NULL), 0);
	assert_int_equal(slot(&g, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, GUEST_MEMORY - 4096, g.memory), 0);
	assert_true(log_word(&g, 0) == ~0ull);
	assert_true(log_word(&g, 7) == ~0ull >> 1);
	assert_int_equal(clear(&g, 0, 64, 64, ~0ull), 0);
	assert_int_equal(log_word(&g, 1), 0);
	poke(&g, 70 * 4096, 1);
	assert_int_equal(log_word(&g, 1), 1 << 6);
	poke(&g, 130 * 4096, 1);
	assert_true(log_word(&g, 2) == ~0ull);
	assert_int_equal(clear(&g, 0, 128, 64, ~0ull), 0);
	assert_int_equal(log_word(&g, 2), 0);
	poke(&g, 130 * 4096, 2);
	assert_int_equal(log_word(&g, 2), 4);
	guest_end(&g);
}

static void a_log_that_goes_on_and_off_leaves_memory_as_it_is(void **state)
{
	struct guest g;

	(void)state;
	start(&g);
	for (uint64_t i = 0; i < 8; i++) {
		uint32_t flags = i % 2 ? KVM_MEM_LOG_DIRTY_PAGES : 0;

		assert_int_equal(slot(&g, 0, flags, 0, GUEST_MEMORY, g.memory), 0);
		poke(&g, 70 * 4096, i + 1);
		assert_int_equal(peek(&g, 70 * 4096), i + 1);
		assert_int_equal(*(uint64_t *)(g.memory + 70 * 4096), i + 1);
		if (i % 2) {
			assert_int_equal(log_word(&g, 1), 1 << 6);
			assert_int_equal(log_word(&g, 1), 0);
		}
	}
	guest_end(&g);
}

/* ----------------------------------------------------------- memory of each kind */

static void a_file_mapped_over_guest_memory_is_what_the_guest_sees(void **state)
{
	int fd = memfd_create("guest", 0);
	struct guest g;
	uint64_t value;
	uint8_t *page;

	(void)state;
	start(&g);
	page = g.memory + 0x80000;
	assert_int_equal(ftruncate(fd, 4096), 0);
	poke(&g, 0x80000, 1);
	assert_true(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == page);
	assert_int_equal(peek(&g, 0x80000), 0);
	poke(&g, 0x80000, 0x1122334455667788);
	assert_int_equal(pread(fd, &value, 8, 0), 8);
	assert_int_equal(value, 0x1122334455667788);
	value = 99;
	assert_int_equal(pwrite(fd, &value, 8, 0), 8);
	assert_int_equal(peek(&g, 0x80000), 99);
	/* a private mapping of it is not the file's any more once written */
	assert_true(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) == page);
	assert_int_equal(peek(&g, 0x80000), 99);
	poke(&g, 0x80000, 100);
	assert_int_equal(peek(&g, 0x80000), 100);
	assert_int_equal(pread(fd, &value, 8, 0), 8);
	assert_int_equal(value, 99);
	/* without the file's page there is nothing */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(try(&g, GUEST_CODE, 0x80000), EFAULT);
	assert_true(mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			 -1, 0) == page);
	poke(&g, 0x80000, 5);
	assert_int_equal(madvise(page, 4096, MADV_DONTNEED), 0);
	assert_int_equal(peek(&g, 0x80000), 0);
	close(fd);
	guest_end(&g);
}

static void huge_pages_of_host_and_guest_need_not_agree(void **state)
{
	struct guest g;
	uint8_t *area, *aligned;

	(void)state;
	start(&g);
	area = map(3 * HUGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	aligned = (uint8_t *)(((uintptr_t)area + HUGE - 1) & ~(HUGE - 1));
	madvise(aligned, 2 * HUGE, MADV_HUGEPAGE);
	memset(aligned, 0x11, 2 * HUGE);
	/* once as the host's huge pages lie, once not */
	for (uint64_t shift = 0; shift <= 4096; shift += 4096) {
		assert_int_equal(slot(&g, 1, 0, HIGH + shift, 2 * HUGE, aligned), 0);
		for (uint64_t at = 0; at < 2 * HUGE; at += HUGE / 4 + 4096) {
			assert_int_equal(peek(&g, HIGH + shift + at), *(uint64_t *)(aligned + at));
			poke(&g, HIGH + shift + at, at + shift);
			assert_int_equal(*(uint64_t *)(aligned + at), at + shift);
		}
		/* a page out of the middle of a huge one */
		assert_int_equal(madvise(aligned + 0x5000, 4096, MADV_DONTNEED), 0);
		assert_int_equal(peek(&g, HIGH + shift + 0x5000), 0);
		assert_int_equal(peek(&g, HIGH + shift + 0x6000), 0x1111111111111111);
		assert_int_equal(slot(&g, 1, 0, 0, 0, NULL), 0);
		memset(aligned, 0x11, 2 * HUGE);
	}
	munmap(area, 3 * HUGE);
	guest_end(&g);
}

/* One page of 1 GiB from the kernel's pool; NULL when it has none to give. */
static uint8_t *gigabyte(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "w");
	void *p;

	if (f) {
		fputs("1", f);
		fclose(f);
	}
	p = mmap(NULL, 1 << 30, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | HUGE_1G, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void a_page_of_1_gib_is_one(void **state)
{
	struct guest g;
	uint8_t *page = gigabyte();

	(void)state;
	if (!page) {
		print_message("no page of 1 GiB to be had: more memory is needed (lab --mem 4G)\n");
		skip();
	}
	start(&g);
	assert_int_equal(slot(&g, 1, 0, HIGH, 1 << 30, page), 0);
	for (uint64_t at = 0; at < 1 << 30; at += (1 << 27) + 0x3008) {
		poke(&g, HIGH + at, at + 1);
		assert_int_equal(*(uint64_t *)(page + at), at + 1);
		*(uint64_t *)(page + at) = at + 2;
		assert_int_equal(peek(&g, HIGH + at), at + 2);
	}
	/* in small pieces while a log is kept, and whole again */
	assert_int_equal(slot(&g, 1, KVM_MEM_LOG_DIRTY_PAGES, HIGH, 1 << 30, page), 0);
	poke(&g, HIGH + 0x3000, 7);
	assert_int_equal(slot(&g, 1, 0, HIGH, 1 << 30, page), 0);
	assert_int_equal(peek(&g, HIGH + 0x3000), 7);
	/* other memory in its place, and none */
	munmap(page, 1 << 30);
	assert_int_equal(try(&g, GUEST_CODE, HIGH), EFAULT);
	assert_true(mmap(page, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			 -1, 0) == page);
	assert_int_equal(peek(&g, HIGH), 0);
	poke(&g, HIGH + 8, 3);
	assert_int_equal(*(uint64_t *)(page + 8), 3);
	assert_int_equal(try(&g, GUEST_CODE, HIGH + HUGE), EFAULT);
	munmap(page, HUGE);
	guest_end(&g);
}

static void the_run_page_of_another_vcpu_can_be_guest_memory(void **state)
{
	struct guest g, other;

	(void)state;
	start(&g);
	guest_start(&other, LONG, CODE("\xf4"));
	assert_int_equal(slot(&g, 1, 0, HIGH, 4096, other.run), 0);
	other.run->s.regs.regs.r8 = 0x1234;
	assert_int_equal(peek(&g, HIGH + offsetof(struct kvm_run, s.regs.regs.r8)), 0x1234);
	poke(&g, HIGH + offsetof(struct kvm_run, s.regs.regs.r9), 0x5678);
	assert_int_equal(other.run->s.regs.regs.r9, 0x5678);
	guest_end(&other);
	assert_int_equal(try(&g, GUEST_CODE, HIGH), EFAULT);
	guest_end(&g);
}

/* The PC's firmware, which is memory of no page of the kernel's. */
static void device_memory_can_be_guest_memory(void **state)
{
	int fd = open("/dev/mem", O_RDWR);
	uint8_t *rom = fd < 0 ? MAP_FAILED :
		       mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0xf0000);
	struct guest g;

	(void)state;
	if (rom == MAP_FAILED) {
		print_message("/dev/mem cannot be mapped here\n");
		skip();
	}
	start(&g);
	assert_int_equal(slot(&g, 1, 0, HIGH, 0x10000, rom), 0);
	/* where the processor starts: a far jump */
	assert_int_equal(rom[0xfff0], 0xea);
	for (uint64_t at = 0xf000; at < 0x10000; at += 8)
		assert_int_equal(peek(&g, HIGH + at), *(uint64_t *)(rom + at));
	/* it may be written, whatever becomes of that; stock KVM asks user space first */
	assert_int_not_equal(try(&g, POKE, HIGH), EFAULT);
	assert_int_equal(slot(&g, 1, KVM_MEM_LOG_DIRTY_PAGES, HIGH, 0x10000, rom), 0);
	assert_int_not_equal(try(&g, POKE, HIGH + 0x1000), EFAULT);
	/* the mapping goes, and so does the guest's */
	assert_int_equal(peek(&g, HIGH + 0x2000), *(uint64_t *)(rom + 0x2000));
	assert_int_equal(munmap(rom, 0x8000), 0);
	assert_int_equal(try(&g, GUEST_CODE, HIGH + 0x2000), EFAULT);
	assert_int_equal(peek(&g, HIGH + 0xfff0), *(uint64_t *)(rom + 0xfff0));
	assert_int_equal(mprotect(rom + 0x8000, 0x8000, PROT_READ), 0);
	assert_int_equal(peek(&g, HIGH + 0xfff0), *(uint64_t *)(rom + 0xfff0));
	assert_int_equal(try(&g, POKE, HIGH + 0x9000), EFAULT);
	munmap(rom + 0x8000, 0x8000);
	close(fd);
	guest_end(&g);
}

/* ---------------------------------------------------------------------- slots */

static void a_slot_that_moves_or_goes_leaves_nothing_behind(void **state)
{
	uint64_t *page = map(4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct guest g;

	(void)state;
	start(&g);
	*page = 0x77;
	assert_int_equal(slot(&g, 1, 0, HIGH, 4096, page), 0);
	assert_int_equal(peek(&g, HIGH), 0x77);
	assert_int_equal(slot(&g, 1, 0, HIGH + 0x7000, 4096, page), 0);
	assert_int_equal(peek(&g, HIGH + 0x7000), 0x77);
	assert_int_equal(try(&g, GUEST_CODE, HIGH), -KVM_EXIT_MMIO);
	/* the same memory twice */
	assert_int_equal(slot(&g, 2, 0, HIGH, 4096, page), 0);
	poke(&g, HIGH, 0x78);
	assert_int_equal(peek(&g, HIGH + 0x7000), 0x78);
	assert_int_equal(slot(&g, 1, 0, 0, 0, NULL), 0);
	assert_int_equal(try(&g, GUEST_CODE, HIGH + 0x7000), -KVM_EXIT_MMIO);
	assert_int_equal(peek(&g, HIGH), 0x78);
	assert_int_equal(slot(&g, 2, 0, 0, 0, NULL), 0);
	assert_int_equal(try(&g, GUEST_CODE, HIGH), -KVM_EXIT_MMIO);
	/* and a read-only one takes its place */
	assert_int_equal(slot(&g, 1, KVM_MEM_READONLY, HIGH, 4096, page), 0);
	assert_int_equal(peek(&g, HIGH), 0x78);
	assert_int_equal(try(&g, POKE, HIGH), -KVM_EXIT_MMIO);
	assert_int_equal(*page, 0x78);
	munmap(page, 4096);
	guest_end(&g);
}

static void many_slots_are_each_where_they_belong(void **state)
{
	const int n = 300;
	uint8_t *pages = map(n * 4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct guest g;

	(void)state;
	start(&g);
	/* every second page, the process's memory in reverse order */
	for (int i = 0; i < n; i++) {
		*(uint64_t *)(pages + i * 4096) = i;
		assert_int_equal(slot(&g, i + 1, 0, HIGH + (n - i) * 0x2000, 4096, pages + i * 4096), 0);
	}
	for (int i = 0; i < n; i += 7) {
		assert_int_equal(peek(&g, HIGH + (n - i) * 0x2000), i);
		assert_int_equal(try(&g, GUEST_CODE, HIGH + (n - i) * 0x2000 + 0x1000), -KVM_EXIT_MMIO);
	}
	munmap(pages, n * 4096);
	guest_end(&g);
}

static void sixty_four_vms_at_once_keep_apart(void **state)
{
	static struct guest g[64];

	(void)state;
	for (uint64_t i = 0; i < 64; i++) {
		start(&g[i]);
		*(uint64_t *)(g[i].memory + 0x80000) = i;
	}
	for (uint64_t round = 0; round < 3; round++)
		for (uint64_t i = 0; i < 64; i++) {
			assert_int_equal(peek(&g[i], 0x80000), i + round);
			poke(&g[i], 0x80000, i + round + 1);
		}
	for (int i = 0; i < 64; i += 2)
		guest_end(&g[i]);
	for (uint64_t i = 1; i < 64; i += 2) {
		assert_int_equal(peek(&g[i], 0x80000), i + 3);
		guest_end(&g[i]);
	}
}

static void the_call_that_gave_memory_of_the_kernels_is_gone(void **state)
{
	struct { uint32_t slot, flags; uint64_t gpa, size; } region = { .gpa = HIGH, .size = 4096 };
	struct guest g;

	(void)state;
	start(&g);
	/* KVM_SET_MEMORY_REGION */
	assert_int_equal(ioctl(g.vm, _IOC(_IOC_WRITE, KVMIO, 0x40, sizeof(region)), &region), -1);
	assert_int_equal(errno, ENOTTY);
	guest_end(&g);
}

/* --------------------------------------------------------------------- the TSC */

static void the_tsc_moves_by_its_offset(void **state)
{
	uint64_t offset = 0, before, after;
	struct kvm_device_attr attr = { .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
					.addr = (uintptr_t)&offset };
	struct kvm_device_attr other = { .group = KVM_VCPU_TSC_CTRL, .attr = 1 };
	struct kvm_regs regs = { .rip = GUEST_CODE, .rflags = 2 };
	struct guest g;

	(void)state;
	/* rdtsc; shl $32, %rdx; or %rdx, %rax; hlt */
	guest_start(&g, LONG, CODE("\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_HAS_DEVICE_ATTR, &attr), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_HAS_DEVICE_ATTR, &other), -1);
	assert_int_equal(errno, ENXIO);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_DEVICE_ATTR, &attr), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	before = guest_regs(&g).rax;
	offset += 1ull << 50;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_DEVICE_ATTR, &attr), 0);
	guest_set_regs(&g, &regs);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	after = guest_regs(&g).rax;
	assert_true(after - before >= 1ull << 50 && after - before < 1ull << 51);
	before = offset;
	offset = 0;
	assert_int_equal(ioctl(g.vcpu, KVM_GET_DEVICE_ATTR, &attr), 0);
	assert_int_equal(offset, before);
	attr.addr = 1;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_DEVICE_ATTR, &attr), -1);
	assert_int_equal(errno, EFAULT);
	guest_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_under_manual_protection_is_cleared_only_where_asked),
		cmocka_unit_test(a_log_may_begin_with_every_page_dirty),
		cmocka_unit_test(a_log_that_goes_on_and_off_leaves_memory_as_it_is),
		cmocka_unit_test(a_file_mapped_over_guest_memory_is_what_the_guest_sees),
		cmocka_unit_test(huge_pages_of_host_and_guest_need_not_agree),
		cmocka_unit_test(a_page_of_1_gib_is_one),
		cmocka_unit_test(the_run_page_of_another_vcpu_can_be_guest_memory),
		cmocka_unit_test(device_memory_can_be_guest_memory),
		cmocka_unit_test(a_slot_that_moves_or_goes_leaves_nothing_behind),
		cmocka_unit_test(many_slots_are_each_where_they_belong),
		cmocka_unit_test(sixty_four_vms_at_once_keep_apart),
		cmocka_unit_test(the_call_that_gave_memory_of_the_kernels_is_gone),
		cmocka_unit_test(the_tsc_moves_by_its_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
