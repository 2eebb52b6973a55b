/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_compat.c - programs of 32 bits on a kernel of 64: their ioctls come in by
 * int 0x80, with pointers that have 32 bits. Both can be had from this program, too.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define MSR_LSTAR	0xc0000082

/* Where what pointers of 32 bits point to is: a page each. */
struct low {
	_Alignas(4096) uint8_t memory[4 * 4096];
	union {
		struct kvm_userspace_memory_region region;
		struct kvm_regs regs;
		struct kvm_sregs sregs;
		struct kvm_dirty_log log;
		struct kvm_clear_dirty_log clear;
		struct kvm_device_attr attr;
		struct kvm_cpuid2 cpuid;
		struct kvm_msr_list msrs;
		struct kvm_signal_mask mask;
		uint8_t bytes[8192];
	};
	union {
		uint64_t bitmap[2];
		uint64_t number;
	};
};

/* The argument of KVM_X86_SET_MSR_FILTER there. */
struct filter {
	uint32_t flags;
	struct {
		uint32_t flags, nmsrs, base, bitmap;
	} ranges[KVM_MSR_FILTER_MAX_RANGES];
};
#define SET_MSR_FILTER	_IOW(KVMIO, 0xc6, struct filter)

static struct low *low_memory(void)
{
	struct low *low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	assert_true(low != MAP_FAILED);
	return low;
}

/* ioctl() of a program of 32 bits; what it returned, or -errno. */
static int ioctl_32(int fd, uint32_t cmd, const void *arg)
{
	int r;

	assert_true((uintptr_t)arg <= UINT32_MAX);
	asm volatile("int $0x80"
		     : "=a" (r)
		     : "a" (54), "b" (fd), "c" (cmd), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return r;
}

/* A pointer within a struct, where nobody has cleared what is above it. */
static void *dirty_pointer(const void *p)
{
	return (void *)((uintptr_t)p | 0xdeadbeefull << 32);
}

static void a_program_of_32_bits_runs_a_guest(void **state)
{
	static const uint8_t code[] = "\xb0\x2a\xe6\x10\xf4";	/* mov $42, %al; out %al, $16; hlt */
	int device = guest_device(), vm, vcpu, size;
	struct low *low = low_memory();
	struct kvm_run *run;

	assert_int_equal(ioctl_32(device, KVM_GET_API_VERSION, NULL), 12);
	assert_int_equal(ioctl_32(device, KVM_CHECK_EXTENSION, (void *)KVM_CAP_USER_MEMORY), 1);
	low->cpuid.nent = 100;
	assert_int_equal(ioctl_32(device, KVM_GET_SUPPORTED_CPUID, low->bytes), 0);
	assert_true(low->cpuid.nent > 10 && low->cpuid.entries[0].function == 0);
	low->msrs.nmsrs = 1;
	assert_int_equal(ioctl_32(device, KVM_GET_MSR_INDEX_LIST, low->bytes), -E2BIG);
	assert_true(low->msrs.nmsrs > 10);
	vm = ioctl_32(device, KVM_CREATE_VM, NULL);
	assert_true(vm >= 0);
	memcpy(low->memory, code, sizeof(code));
	low->region = (struct kvm_userspace_memory_region){
		.guest_phys_addr = 0x1000, .memory_size = sizeof(low->memory),
		.userspace_addr = (uintptr_t)low->memory,
	};
	assert_int_equal(ioctl_32(vm, KVM_SET_USER_MEMORY_REGION, &low->region), 0);
	assert_int_equal(ioctl_32(vm, KVM_SET_TSS_ADDR, (void *)0xfffbd000), 0);
	vcpu = ioctl_32(vm, KVM_CREATE_VCPU, NULL);
	assert_true(vcpu >= 0);
	size = ioctl_32(device, KVM_GET_VCPU_MMAP_SIZE, NULL);
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	assert_true(run != MAP_FAILED);
	assert_int_equal(ioctl_32(vcpu, KVM_GET_SREGS, &low->sregs), 0);
	low->sregs.cs.base = low->sregs.cs.selector = 0;
	assert_int_equal(ioctl_32(vcpu, KVM_SET_SREGS, &low->sregs), 0);
	low->regs = (struct kvm_regs){ .rip = 0x1000, .rflags = 2 };
	assert_int_equal(ioctl_32(vcpu, KVM_SET_REGS, &low->regs), 0);
	assert_int_equal(ioctl_32(vcpu, KVM_RUN, NULL), 0);
	assert_int_equal(run->exit_reason, KVM_EXIT_IO);
	assert_int_equal(run->io.port, 16);
	assert_int_equal(*((uint8_t *)run + run->io.data_offset), 42);
	assert_int_equal(ioctl_32(vcpu, KVM_RUN, NULL), 0);
	assert_int_equal(run->exit_reason, KVM_EXIT_HLT);
	assert_int_equal(ioctl_32(vcpu, KVM_GET_REGS, &low->regs), 0);
	assert_int_equal(low->regs.rip, 0x1005);
	low->attr = (struct kvm_device_attr){
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)&low->number,
	};
	low->number = 0x123456789a;
	assert_int_equal(ioctl_32(vcpu, KVM_SET_DEVICE_ATTR, &low->attr), 0);
	low->number = 0;
	assert_int_equal(ioctl_32(vcpu, KVM_GET_DEVICE_ATTR, &low->attr), 0);
	assert_true(low->number == 0x123456789a);
	munmap(run, size);
	close(vcpu);
	close(vm);
	close(device);
	munmap(low, sizeof(*low));
	(void)state;
}

static void what_is_no_call_is_refused_as_ever(void **state)
{
	int device = guest_device();
	struct guest g;

	guest_start(&g, REAL, CODE("\xf4"));
	assert_int_equal(ioctl_32(device, _IO(KVMIO, 0xff), NULL), -EINVAL);
	assert_int_equal(ioctl_32(g.vm, _IO(KVMIO, 0xff), NULL), -ENOTTY);
	assert_int_equal(ioctl_32(g.vcpu, _IO(KVMIO, 0xff), NULL), -EINVAL);
	close(device);
	guest_end(&g);
	(void)state;
}

static void dirty_logs_have_pointers_of_32_bits(void **state)
{
	struct low *low = low_memory();
	struct guest g;

	/* mov %al, 0x3000; hlt */
	guest_start(&g, PROTECTED, CODE("\xa2\x00\x30\x00\x00\xf4"));
	low->memory[0] = 1;
	low->region = (struct kvm_userspace_memory_region){
		.slot = 1, .flags = KVM_MEM_LOG_DIRTY_PAGES, .guest_phys_addr = GUEST_MEMORY,
		.memory_size = sizeof(low->memory), .userspace_addr = (uintptr_t)low->memory,
	};
	assert_int_equal(ioctl_32(g.vm, KVM_SET_USER_MEMORY_REGION, &low->region), 0);
	/* the write goes to the second page of that region */
	*(uint32_t *)(g.memory + GUEST_CODE + 1) = GUEST_MEMORY + 0x1000;
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	low->log = (struct kvm_dirty_log){ .slot = 1, .dirty_bitmap = dirty_pointer(low->bitmap) };
	assert_int_equal(ioctl_32(g.vm, KVM_GET_DIRTY_LOG, &low->log), 0);
	assert_int_equal(low->bitmap[0], 2);
	low->clear = (struct kvm_clear_dirty_log){
		.slot = 1, .num_pages = 4, .dirty_bitmap = dirty_pointer(low->bitmap),
	};
	assert_int_equal(ioctl_32(g.vm, KVM_CLEAR_DIRTY_LOG, &low->clear), 0);
	guest_end(&g);
	munmap(low, sizeof(*low));
	(void)state;
}

static void nothing(int signal)
{
	(void)signal;
}

static void a_signal_mask_counts_during_a_run(void **state)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct low *low = low_memory();
	struct guest g;
	sigset_t set;

	guest_start(&g, LONG, CODE("\xeb\xfe"));
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	low->mask.len = 4;
	assert_int_equal(ioctl_32(g.vcpu, KVM_SET_SIGNAL_MASK, &low->mask), -EINVAL);
	low->mask.len = 8;
	assert_int_equal(ioctl_32(g.vcpu, KVM_SET_SIGNAL_MASK, &low->mask), 0);
	raise(SIGUSR1);
	assert_int_equal(ioctl_32(g.vcpu, KVM_RUN, NULL), -EINTR);
	assert_int_equal(g.run->exit_reason, KVM_EXIT_INTR);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	guest_end(&g);
	munmap(low, sizeof(*low));
	(void)state;
}

static void an_msr_filter_is_laid_out_in_32_bits(void **state)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR, .args = { KVM_MSR_EXIT_REASON_FILTER },
	};
	struct low *low = low_memory();
	struct filter *filter = (void *)low->bytes;
	struct kvm_regs regs;
	struct guest g;

	/* rdmsr */
	guest_start(&g, LONG, CODE("\x0f\x32\xf4"));
	assert_int_equal(ioctl(g.vm, KVM_ENABLE_CAP, &cap), 0);
	filter->ranges[15].flags = KVM_MSR_FILTER_READ;
	filter->ranges[15].base = MSR_LSTAR;
	filter->ranges[15].nmsrs = 1;
	filter->ranges[15].bitmap = (uintptr_t)low->bitmap;
	/* the command is for such programs only */
	assert_int_equal(ioctl(g.vm, SET_MSR_FILTER, filter), -1);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(ioctl_32(g.vm, SET_MSR_FILTER, filter), 0);
	regs = guest_regs(&g);
	regs.rcx = MSR_LSTAR;
	guest_set_regs(&g, &regs);
	assert_int_equal(guest_run(&g), KVM_EXIT_X86_RDMSR);
	assert_int_equal(g.run->msr.index, MSR_LSTAR);
	filter->flags = ~0u;
	assert_int_equal(ioctl_32(g.vm, SET_MSR_FILTER, filter), -EINVAL);
	assert_int_equal(ioctl_32(g.vm, SET_MSR_FILTER, NULL), -EFAULT);
	guest_end(&g);
	munmap(low, sizeof(*low));
	(void)state;
}

/* Whether the kernel has calls of 32-bit programs at all (CONFIG_IA32_EMULATION). */
static bool has_calls(void)
{
	int r, status;
	pid_t pid = fork();

	if (!pid) {
		/* one that is caught is not in the kernel's log */
		signal(SIGSEGV, _exit);
		asm volatile("int $0x80" : "=a" (r) : "a" (20) : "memory", "r8", "r9", "r10", "r11");
		_exit(r != getpid());
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_of_32_bits_runs_a_guest),
		cmocka_unit_test(what_is_no_call_is_refused_as_ever),
		cmocka_unit_test(dirty_logs_have_pointers_of_32_bits),
		cmocka_unit_test(a_signal_mask_counts_during_a_run),
		cmocka_unit_test(an_msr_filter_is_laid_out_in_32_bits),
	};

	if (!has_calls()) {
		printf("1..0 # SKIP this kernel has no calls of 32-bit programs\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
