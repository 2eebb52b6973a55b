/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmod MODULE... - what a KVM module costs, in nanoseconds of this machine's clock
 *
 * Loads the modules, measures, and unloads them, to print "NAME VALUE" for each
 * measure. In the lab with --icount a nanosecond is an instruction.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../kmod/guest.h"

#define MIB		(1ul << 20)
#define MMIO		0x300000	/* page tables have it, memory does not */
#define REGION		0x10000000ul	/* GPA of the memory that faults */
#define REGION_SIZE	(64 * MIB)

static int nr_modules;
static char **modules;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void result(const char *name, uint64_t start, unsigned int n)
{
	printf("%s %.0f\n", name, (double)(now() - start) / n);
	fflush(stdout);
}

/* ---------------------------------------------------------------- load and unload */

/* A signature would only be checked in vain, where the lab's kernel has no keys. */
static size_t without_signature(const uint8_t *module, size_t len)
{
	static const char magic[] = "~Module signature appended~\n";
	const size_t tail = sizeof(magic) - 1;

	if (len < tail + 12 || memcmp(module + len - tail, magic, tail))
		return len;
	module += len - tail - 4;
	return len - tail - 12 - (module[0] << 24 | module[1] << 16 | module[2] << 8 | module[3]);
}

static void load_all(void)
{
	static struct { void *at; size_t len; } image[8];

	for (int i = 0; i < nr_modules; i++) {
		int fd = open(modules[i], O_RDONLY);

		if (image[i].at)
			continue;
		if (fd < 0)
			err(1, "%s", modules[i]);
		image[i].len = lseek(fd, 0, SEEK_END);
		image[i].at = malloc(image[i].len);
		if (!image[i].at || pread(fd, image[i].at, image[i].len, 0) != (ssize_t)image[i].len)
			err(1, "%s", modules[i]);
		image[i].len = without_signature(image[i].at, image[i].len);
		close(fd);
	}
	uint64_t start = now();
	for (int i = 0; i < nr_modules; i++)
		if (syscall(SYS_init_module, image[i].at, image[i].len, ""))
			err(1, "loading %s", modules[i]);
	result("load", start, 1);
}

static void unload_all(void)
{
	for (int i = nr_modules - 1; i >= 0; i--) {
		const char *base = strrchr(modules[i], '/');
		char name[64];

		snprintf(name, sizeof(name), "%s", base ? base + 1 : modules[i]);
		name[strcspn(name, ".")] = 0;
		for (char *p = name; *p; p++)
			if (*p == '-')
				*p = '_';
		if (syscall(SYS_delete_module, name, 0))
			err(1, "unloading %s", name);
	}
}

/* ----------------------------------------------------------------------- the measures */

/* Code that goes round in a loop with one exit to user space each time. RBX: an address. */
static void round_trip(const char *name, const void *code, size_t len)
{
	const unsigned int n = 5000;
	struct guest g;
	struct kvm_regs regs;
	uint64_t start;

	guest_start(&g, LONG, code, len);
	regs = guest_regs(&g);
	regs.rbx = MMIO;
	guest_set_regs(&g, &regs);
	for (int i = 0; i < 100; i++)
		guest_run(&g);
	start = now();
	for (unsigned int i = 0; i < n; i++)
		guest_run(&g);
	result(name, start, n);
	guest_end(&g);
}

static void out_to_user_space(void **state)
{
	(void)state;
	round_trip("out", CODE("\xe6\x01\xeb\xfc"));		/* out %al,$1; jmp */
}

static void mmio_write(void **state)
{
	(void)state;
	round_trip("mmio-write", CODE("\x89\x03\xeb\xfc"));	/* mov %eax,(%rbx); jmp */
}

static void mmio_read(void **state)
{
	(void)state;
	round_trip("mmio-read", CODE("\x8b\x03\xeb\xfc"));	/* mov (%rbx),%eax; jmp */
}

/* An exit that the module answers by itself. */
static void cpuid(void **state)
{
	const unsigned int n = 5000;
	struct guest g;
	struct kvm_regs regs;
	uint64_t start;

	(void)state;
	/* 1: xor %eax,%eax; cpuid; dec %esi; jnz 1b; hlt */
	guest_start(&g, LONG, CODE("\x31\xc0\x0f\xa2\xff\xce\x75\xf8\xf4"));
	regs = guest_regs(&g);
	regs.rsi = n;
	guest_set_regs(&g, &regs);
	start = now();
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	result("cpuid", start, n);
	guest_end(&g);
}

/* Touches memory that the host has, a page of that size after the other. */
static void faults(const char *name, uint32_t page, int advice)
{
	uint8_t code[] = "\x88\x03\x81\xc3\0\0\0\0\x4e\x75\xf5\xf4";
	uint8_t *area = mmap(NULL, REGION_SIZE + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *memory = (uint8_t *)(((uintptr_t)area + 2 * MIB - 1) & ~(2 * MIB - 1));
	struct kvm_userspace_memory_region region = { .slot = 5, .guest_phys_addr = REGION, .memory_size = REGION_SIZE,
						      .userspace_addr = (uintptr_t)memory };
	const unsigned int n = REGION_SIZE / page;
	struct guest g;
	struct kvm_regs regs;
	uint64_t start;

	assert_ptr_not_equal(area, MAP_FAILED);
	assert_int_equal(madvise(memory, REGION_SIZE, advice), 0);
	memset(memory, 1, REGION_SIZE);
	/* 1: mov %al,(%ebx); add $page,%ebx; dec %esi; jnz 1b; hlt */
	memcpy(code + 4, &page, 4);
	guest_start(&g, PROTECTED, code, sizeof(code) - 1);
	assert_int_equal(ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
	regs = guest_regs(&g);
	regs.rbx = REGION;
	regs.rsi = n;
	guest_set_regs(&g, &regs);
	start = now();
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	result(name, start, n);
	assert_int_equal(memory[REGION_SIZE - page], guest_regs(&g).rax & 0xff);
	guest_end(&g);
	munmap(area, REGION_SIZE + 2 * MIB);
}

static void fault_4k(void **state)
{
	(void)state;
	faults("fault-4k", 4096, MADV_NOHUGEPAGE);
}

static void fault_2m(void **state)
{
	(void)state;
	faults("fault-2m", 2 * MIB, MADV_HUGEPAGE);
}

static void create_and_destroy(void **state)
{
	const unsigned int n = 20;
	int device = guest_device();
	uint64_t start = now();

	(void)state;
	for (unsigned int i = 0; i < n; i++) {
		int vm = ioctl(device, KVM_CREATE_VM, 0);
		int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);

		assert_true(vm >= 0 && vcpu >= 0);
		close(vcpu);
		close(vm);
	}
	result("create-destroy", start, n);
	close(device);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_to_user_space),
		cmocka_unit_test(mmio_write),
		cmocka_unit_test(mmio_read),
		cmocka_unit_test(cpuid),
		cmocka_unit_test(fault_4k),
		cmocka_unit_test(fault_2m),
		cmocka_unit_test(create_and_destroy),
	};
	int failed;

	modules = argv + 1;
	nr_modules = argc - 1;
	if (!nr_modules || nr_modules > 8)
		errx(2, "usage: kmod MODULE...");
	load_all();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unload_all();
	load_all();
	unload_all();
	return failed;
}
