/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_alloc.c - calls for which the kernel has no memory
 *
 * Each call is made with its first allocation failing, on another VM with its
 * second, and so on until it needs no more (Documentation/fault-injection). It may
 * fail with ENOMEM only, and must then go well as if it had not been made. What a
 * failure leaks is for test_log.sh to find. Needs root and a kernel that can make
 * allocations fail: the debug kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../../kmod/classic.h"
#include "guest.h"

#define MOST 200	/* allocations that one call may need */

static int fail_nth = -1;	/* /proc/thread-self/fail-nth */

/* Such allocations fail, too: as most do they may sleep; of single pages; and quietly. */
static int set_up(void **state)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc" };
	static const char *const values[][2] = {
		{ "ignore-gfp-wait", "N" }, { "verbose", "0" }, { "min-order", "0" },
		{ "ignore-gfp-highmem", "N" },
	};
	char path[128];

	(void)state;
	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 4; j++) {
			snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kinds[i], values[j][0]);
			put_text(path, values[j][1]);
		}
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return 0;
}

/* Make the calling thread's allocation of that number fail; 0: none. */
static void fail_allocation(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	assert_int_equal(pwrite(fail_nth, text, len, 0), len);
}

/* Has it come to that one? */
static bool has_failed(void)
{
	char text[16] = "";

	assert_true(pread(fail_nth, text, sizeof(text) - 1, 0) > 0);
	fail_allocation(0);
	return !atoi(text);
}

/* --------------------------------------------------------------------- calls */

static int close_it(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int device;

static int create_vm(struct guest *g)
{
	(void)g;
	return close_it(ioctl(device, KVM_CREATE_VM, 0));
}

static int create_vcpu(struct guest *g)
{
	return close_it(ioctl(g->vm, KVM_CREATE_VCPU, 1));
}

static int add_region(struct guest *g)
{
	return ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &(struct kvm_userspace_memory_region){
		.slot = 1, .flags = KVM_MEM_LOG_DIRTY_PAGES, .guest_phys_addr = 0x40000000,
		.memory_size = GUEST_MEMORY, .userspace_addr = (uintptr_t)g->memory,
	});
}

static int move_region(struct guest *g)
{
	return ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &(struct kvm_userspace_memory_region){
		.flags = KVM_MEM_LOG_DIRTY_PAGES, .guest_phys_addr = 0x40000000,
		.memory_size = GUEST_MEMORY, .userspace_addr = (uintptr_t)g->memory,
	});
}

static int get_dirty_log(struct guest *g)
{
	static uint8_t log[GUEST_MEMORY / 4096 / 8];
	struct kvm_userspace_memory_region r = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES, .memory_size = GUEST_MEMORY,
		.userspace_addr = (uintptr_t)g->memory,
	};

	memset(log, 0, sizeof(log));
	if (ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &r))
		return -1;
	return ioctl(g->vm, KVM_GET_DIRTY_LOG, &(struct kvm_dirty_log){ .dirty_bitmap = log });
}

static int set_filter(struct guest *g)
{
	static uint8_t bitmap[64];

	return ioctl(g->vm, KVM_X86_SET_MSR_FILTER, &(struct kvm_msr_filter){
		.ranges = { { .flags = KVM_MSR_FILTER_READ, .nmsrs = 512, .base = 0x100, .bitmap = bitmap },
			    { .flags = KVM_MSR_FILTER_WRITE, .nmsrs = 8, .base = 0x10, .bitmap = bitmap } },
	});
}

static int vm_stats(struct guest *g)
{
	return close_it(ioctl(g->vm, KVM_GET_STATS_FD, 0));
}

static int vcpu_stats(struct guest *g)
{
	return close_it(ioctl(g->vcpu, KVM_GET_STATS_FD, 0));
}

static struct {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[256];
} cpuid;

static int supported_cpuid(struct guest *g)
{
	(void)g;
	cpuid.head.nent = 256;
	return ioctl(device, KVM_GET_SUPPORTED_CPUID, &cpuid);
}

static int set_cpuid(struct guest *g)
{
	return ioctl(g->vcpu, KVM_SET_CPUID2, &cpuid);
}

static int get_msrs(struct guest *g)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[2];
	} msrs = { .head.nmsrs = 2, .entries = { { .index = 0x10 }, { .index = 0x1b } } };

	return ioctl(g->vcpu, KVM_GET_MSRS, &msrs) == 2 ? 0 : -1;
}

static int get_xsave(struct guest *g)
{
	static struct kvm_xsave xsave;

	memset(&xsave, 0, sizeof(xsave));
	return ioctl(g->vcpu, KVM_GET_XSAVE, &xsave);
}

static int run(struct guest *g)
{
	return ioctl(g->vcpu, KVM_RUN, 0);
}

/* The first posting's are made on a device that was opened just now. */
static int classic_region(struct guest *g)
{
	(void)g;
	return ioctl(device, CLASSIC_SET_MEMORY_REGION, &(struct classic_memory_region){
		.memory_size = 0x100000, .flags = CLASSIC_LOG_DIRTY,
	});
}

static int classic_vcpu(struct guest *g)
{
	(void)g;
	return ioctl(device, CLASSIC_CREATE_VCPU, 0);
}

static const struct {
	const char *name;
	int (*make)(struct guest *g);
} calls[] = {
	{ "KVM_CREATE_VM", create_vm },
	{ "KVM_CREATE_VCPU", create_vcpu },
	{ "KVM_SET_USER_MEMORY_REGION of a new region", add_region },
	{ "KVM_SET_USER_MEMORY_REGION elsewhere", move_region },
	{ "KVM_GET_DIRTY_LOG", get_dirty_log },
	{ "KVM_X86_SET_MSR_FILTER", set_filter },
	{ "KVM_GET_STATS_FD of a VM", vm_stats },
	{ "KVM_GET_STATS_FD of a vCPU", vcpu_stats },
	{ "KVM_GET_SUPPORTED_CPUID", supported_cpuid },
	{ "KVM_SET_CPUID2", set_cpuid },
	{ "KVM_GET_MSRS", get_msrs },
	{ "KVM_GET_XSAVE", get_xsave },
	{ "KVM_RUN", run },
	{ "CLASSIC_SET_MEMORY_REGION", classic_region },
	{ "CLASSIC_CREATE_VCPU", classic_vcpu },
};

/* With the nth allocation failing. False: it does not need so many. */
static bool make_with_failure(size_t i, unsigned int n)
{
	struct guest g;
	bool failed;
	int r, error;

	device = guest_device();
	guest_start(&g, REAL, CODE("\xf4"));
	fail_allocation(n);
	r = calls[i].make(&g);
	error = errno;
	failed = has_failed();
	if (!failed && r)
		fail_msg("%s without a failed allocation: %s", calls[i].name, strerror(error));
	if (r && error != ENOMEM)
		fail_msg("%s, allocation %u fails: %s", calls[i].name, n, strerror(error));
	if (r && calls[i].make(&g))
		fail_msg("%s after allocation %u failed: %s", calls[i].name, n, strerror(errno));
	guest_end(&g);
	close(device);
	return failed;
}

static void a_call_without_memory_fails_with_enomem_and_changes_nothing(void **state)
{
	(void)state;
	if (fail_nth < 0) {
		print_message("this kernel cannot make allocations fail\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		unsigned int n = 1;

		while (make_with_failure(i, n))
			assert_in_range(++n, 1, MOST);
		print_message("%s: %u allocations\n", calls[i].name, n - 1);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_without_memory_fails_with_enomem_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
