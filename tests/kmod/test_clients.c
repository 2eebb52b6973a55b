/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_clients.c - the calls that known kinds of KVM programs make, in their order
 *
 * A first demo, an example for every mode, a unikernel's tender, a library
 * that runs processes, one that takes a VM apart and puts it together again.
 * They make their VMs themselves, as such programs do: from nothing, with the
 * calls they use and no others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define MIB 0x100000ull

struct vm {
	int device, fd, vcpu;
	uint8_t *memory;
	size_t size;
	struct kvm_run *run;
	int run_size;
};

static struct cpuid {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[100];
} cpuid;

static void memory(struct vm *vm, uint64_t gpa, size_t size)
{
	struct kvm_userspace_memory_region region = { .guest_phys_addr = gpa, .memory_size = size };

	vm->size = size;
	vm->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(vm->memory != MAP_FAILED);
	madvise(vm->memory, size, MADV_MERGEABLE);
	region.userspace_addr = (uintptr_t)vm->memory;
	assert_int_equal(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region), 0);
}

static void vcpu(struct vm *vm)
{
	vm->vcpu = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	assert_true(vm->vcpu >= 0);
	vm->run_size = ioctl(vm->device, KVM_GET_VCPU_MMAP_SIZE, NULL);
	assert_true(vm->run_size >= (int)sizeof(struct kvm_run));
	vm->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	assert_true(vm->run != MAP_FAILED);
}

static void open_vm(struct vm *vm)
{
	vm->device = guest_device();
	assert_int_equal(ioctl(vm->device, KVM_GET_API_VERSION, 0), 12);
	vm->fd = ioctl(vm->device, KVM_CREATE_VM, 0);
	assert_true(vm->fd >= 0);
}

static void close_vm(struct vm *vm)
{
	munmap(vm->run, vm->run_size);
	close(vm->vcpu);
	close(vm->fd);
	close(vm->device);
	munmap(vm->memory, vm->size);
}

static int run(struct vm *vm)
{
	if (ioctl(vm->vcpu, KVM_RUN, NULL) < 0)
		fail_msg("KVM_RUN: %s", strerror(errno));
	return vm->run->exit_reason;
}

static uint8_t *io_data(struct vm *vm)
{
	return (uint8_t *)vm->run + vm->run->io.data_offset;
}

static void get_cpuid(struct vm *vm)
{
	cpuid.head.nent = 100;
	assert_int_equal(ioctl(vm->device, KVM_GET_SUPPORTED_CPUID, &cpuid), 0);
	assert_in_range(cpuid.head.nent, 1, 100);
}

/* ------------------------------------------------------------------- first demos */

/* Adds two numbers, prints the sum on a serial port: one page, real mode, no CPUID. */
static void a_first_demo_prints_on_its_serial_port(void **state)
{
	/* mov $0x3f8, %dx; add %bl, %al; add $'0', %al; out %al, %dx; mov $'\n', %al; out; hlt */
	static const char code[] = "\xba\xf8\x03\x00\xd8\x04\x30\xee\xb0\x0a\xee\xf4";
	struct kvm_regs regs = { .rip = 0x1000, .rax = 2, .rbx = 2, .rflags = 2 };
	struct kvm_sregs sregs;
	char text[8] = "";
	struct vm vm;

	(void)state;
	open_vm(&vm);
	assert_int_equal(ioctl(vm.device, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), 1);
	memory(&vm, 0x1000, 0x1000);
	memcpy(vm.memory, code, sizeof(code) - 1);
	vcpu(&vm);
	assert_int_equal(ioctl(vm.vcpu, KVM_GET_SREGS, &sregs), 0);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	assert_int_equal(ioctl(vm.vcpu, KVM_SET_SREGS, &sregs), 0);
	assert_int_equal(ioctl(vm.vcpu, KVM_SET_REGS, &regs), 0);
	while (run(&vm) == KVM_EXIT_IO) {
		assert_int_equal(vm.run->io.direction, KVM_EXIT_IO_OUT);
		assert_int_equal(vm.run->io.size, 1);
		assert_int_equal(vm.run->io.port, 0x3f8);
		assert_int_equal(vm.run->io.count, 1);
		strncat(text, (char *)io_data(&vm), 1);
	}
	assert_int_equal(vm.run->exit_reason, KVM_EXIT_HLT);
	assert_string_equal(text, "4\n");
	close_vm(&vm);
}

/* Segments at 64 KiB, a stack pointer that no segment of 64 KiB has, endless output. */
static void a_sample_in_high_segments_counts_for_ever(void **state)
{
	/* mov %al, %al; out %ax, $0x10; inc %ax; jmp back */
	static const char code[] = "\x88\xc0\xe7\x10\x40\xeb\xf9";
	struct kvm_regs regs = { .rip = 0, .rsp = 0xffffffff, .rbp = 0, .rflags = 2 };
	struct kvm_sregs s;
	struct vm vm;

	(void)state;
	open_vm(&vm);
	memory(&vm, 0, 512 * MIB);
	memcpy(vm.memory + 0x10000, code, sizeof(code) - 1);
	vcpu(&vm);
	assert_int_equal(ioctl(vm.vcpu, KVM_GET_SREGS, &s), 0);
	s.cs.selector = s.ss.selector = s.ds.selector = s.es.selector = s.fs.selector = s.gs.selector = 0x1000;
	s.cs.base = s.ss.base = s.ds.base = s.es.base = s.fs.base = s.gs.base = 0x1000 * 16;
	assert_int_equal(ioctl(vm.vcpu, KVM_SET_SREGS, &s), 0);
	assert_int_equal(ioctl(vm.vcpu, KVM_SET_REGS, &regs), 0);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(run(&vm), KVM_EXIT_IO);
		assert_int_equal(vm.run->io.size, 2);
		assert_int_equal(*(uint16_t *)io_data(&vm), i);
	}
	close_vm(&vm);
}

/* ------------------------------------------------------- an example for every mode */

enum { CR0_DEMO = 0x80050033 };	/* PE MP ET NE WP AM PG */

static void segments(struct kvm_sregs *s, bool l)
{
	struct kvm_segment seg = { .limit = 0xffffffff, .selector = 8, .present = 1, .type = 11,
				   .db = !l, .s = 1, .l = l, .g = 1 };

	s->cs = seg;
	seg.type = 3;
	seg.selector = 16;
	s->ds = s->es = s->fs = s->gs = s->ss = seg;
}

static void the_same_program_runs_with_and_without_large_pages(void **state)
{
	/* movl $42, 0x400; mov 0x400, %eax; hlt, in 16, 32 and 64 bits */
	static const char *const code[] = {
		"\xc7\x06\x00\x04\x2a\x00\xa1\x00\x04\xf4",
		"\xc7\x05\x00\x04\x00\x00\x2a\x00\x00\x00\xa1\x00\x04\x00\x00\xf4",
		"\xc7\x05\x00\x04\x00\x00\x2a\x00\x00\x00\xa1\x00\x04\x00\x00\xf4",
		"\xc7\x04\x25\x00\x04\x00\x00\x2a\x00\x00\x00\x8b\x04\x25\x00\x04\x00\x00\xf4",
	};
	static const size_t len[] = { 10, 16, 16, 19 };

	(void)state;
	for (int mode = 0; mode < 4; mode++) {
		struct kvm_regs regs = { .rflags = 2, .rip = 0, .rsp = 2 * MIB };
		struct kvm_sregs s;
		struct vm vm;

		open_vm(&vm);
		assert_int_equal(ioctl(vm.fd, KVM_SET_TSS_ADDR, 0xfffbd000), 0);
		memory(&vm, 0, 2 * MIB);
		vcpu(&vm);
		assert_int_equal(ioctl(vm.vcpu, KVM_GET_SREGS, &s), 0);
		s.cs.selector = 0;
		s.cs.base = 0;
		if (mode >= 1) {
			s.cr0 |= 1;
			segments(&s, mode == 3);
		}
		if (mode == 2) {
			*(uint32_t *)(vm.memory + 0x2000) = 0x87;
			s.cr3 = 0x2000;
			s.cr4 = 0x10;
			s.cr0 = CR0_DEMO;
			s.efer = 0;
		}
		if (mode == 3) {
			*(uint64_t *)(vm.memory + 0x2000) = 0x3007;
			*(uint64_t *)(vm.memory + 0x3000) = 0x4007;
			*(uint64_t *)(vm.memory + 0x4000) = 0x87;
			s.cr3 = 0x2000;
			s.cr4 = 0x20;
			s.cr0 = CR0_DEMO;
			s.efer = 0x500;
		}
		assert_int_equal(ioctl(vm.vcpu, KVM_SET_SREGS, &s), 0);
		assert_int_equal(ioctl(vm.vcpu, KVM_SET_REGS, &regs), 0);
		memcpy(vm.memory, code[mode], len[mode]);
		assert_int_equal(run(&vm), KVM_EXIT_HLT);
		assert_int_equal(ioctl(vm.vcpu, KVM_GET_REGS, &regs), 0);
		assert_int_equal(regs.rax & (mode ? 0xffffffff : 0xffff), 42);
		assert_int_equal(vm.memory[0x400], 42);
		close_vm(&vm);
	}
}

/* ---------------------------------------------------------------- a unikernel's tender */

static void long_mode_from_nothing(struct vm *vm, struct kvm_sregs *s, uint64_t leaf)
{
	uint64_t *tables = (uint64_t *)(vm->memory + 0x2000);

	memset(s, 0, sizeof(*s));
	tables[0] = 0x3000 | 7;
	tables[512] = leaf & 0x1000 ? 0x83 | 4 : 0x4000 | 7;	/* 1 GiB, or 2 MiB each */
	for (uint64_t i = 0; i < 512; i++)
		tables[1024 + i] = i * 2 * MIB | 0x87;
	s->cr0 = CR0_DEMO & ~0x40000;
	s->cr3 = 0x2000;
	s->cr4 = 0x620;
	s->efer = 0x500;
	segments(s, true);
	s->tr = (struct kvm_segment){ .type = 11, .present = 1 };
	s->ldt.unusable = 1;
	s->gdt.base = 0x1000;
	s->gdt.limit = 0x27;
}

/* Hypercalls are 32-bit OUTs of an address; SSE is used; the state is set as a whole. */
static void a_tender_serves_hypercalls_from_state_made_of_nothing(void **state)
{
	static const char code[] =
		"\x48\x89\xf8"		/* mov %rdi, %rax */
		"\x66\x48\x0f\x6e\xc0"	/* movq %rax, %xmm0 */
		"\xba\x01\x05\x00\x00"	/* mov $0x501, %edx */
		"\xb8\x00\x00\x10\x00"	/* mov $0x100000, %eax */
		"\xef"			/* out %eax, %dx */
		"\x48\x8b\x00"		/* mov (%rax), %rax */
		"\x66\x48\x0f\x7e\xc1"	/* movq %xmm0, %rcx */
		"\xf4";

	(void)state;
	for (uint64_t leaf = 0; leaf <= 0x1000; leaf += 0x1000) {
		struct kvm_regs regs = { .rip = 0x100000 + 0x100, .rsp = 0x1ffff8, .rdi = 0x5a5a,
					 .rflags = 2 };
		struct kvm_sregs s;
		struct vm vm;
		int cap;

		open_vm(&vm);
		memory(&vm, 0, 16 * MIB);
		vcpu(&vm);
		get_cpuid(&vm);
		assert_int_equal(ioctl(vm.vcpu, KVM_SET_CPUID2, &cpuid), 0);
		long_mode_from_nothing(&vm, &s, leaf);
		assert_int_equal(ioctl(vm.vcpu, KVM_SET_SREGS, &s), 0);
		assert_int_equal(ioctl(vm.vcpu, KVM_SET_REGS, &regs), 0);
		cap = ioctl(vm.device, KVM_CHECK_EXTENSION, KVM_CAP_GET_TSC_KHZ);
		assert_int_equal(cap, 1);
		assert_true(ioctl(vm.vcpu, KVM_GET_TSC_KHZ) > 0);
		memcpy(vm.memory + 0x100100, code, sizeof(code) - 1);
		assert_int_equal(run(&vm), KVM_EXIT_IO);
		assert_int_equal(vm.run->io.port, 0x501);
		assert_int_equal(vm.run->io.size, 4);
		assert_int_equal(*(uint32_t *)io_data(&vm), 0x100000);
		*(uint64_t *)(vm.memory + 0x100000) = 0x1234567890;
		assert_int_equal(run(&vm), KVM_EXIT_HLT);
		assert_int_equal(ioctl(vm.vcpu, KVM_GET_REGS, &regs), 0);
		assert_int_equal(regs.rax, 0x1234567890);
		assert_int_equal(regs.rcx, 0x5a5a);
		/* nothing comes after HLT; the tender would not even run it again */
		close_vm(&vm);
	}
}

/* -------------------------------------------------------- a library for processes */

#define IDT	0x6000
#define GDT	0x1000
#define TSS	0x7000
#define STACK_0	0x9000
#define KERNEL	0x8000		/* LSTAR; 0x8100: #PF */
#define USER	0x400000

/* CPL 3 with SYSCALL, an IDT, sync regs, XCR0 for AVX: as such libraries set it up. */
static void process(struct vm *vm)
{
	const uint64_t gdt[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff3000000ffff,
				 0x00affb000000ffff };
	/* syscall: out %eax, $0; sysretq; #PF: out %al, $0x8e; add $8, %rsp; iretq */
	static const char syscall_code[] = "\xe7\x00\x48\x0f\x07";
	static const char fault_code[] = "\xe6\x8e\x48\x83\xc4\x08\x48\xcf";
	const uint32_t gate[4] = { 8 << 16 | (KERNEL + 0x100), 0x8e00, 0, 0 };
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct { struct kvm_msrs head; struct kvm_msr_entry e[4]; } msrs = {
		.head.nmsrs = 4,
		.e = { { .index = 0xc0000081, .data = 8ull << 32 | 0x1bull << 48 },
		       { .index = 0xc0000082, .data = KERNEL }, { .index = 0x4b564d00 },
		       { .index = 0x4b564d01 } },
	};
	struct kvm_xcrs xcrs;
	struct kvm_sregs s;

	open_vm(vm);
	memory(vm, 0, 64 * MIB);
	vcpu(vm);
	assert_int_equal(ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS) & 3, 3);
	vm->run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_MP_STATE, &mp), 0);
	get_cpuid(vm);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_CPUID2, &cpuid), 0);
	long_mode_from_nothing(vm, &s, 0);
	memcpy(vm->memory + GDT, gdt, sizeof(gdt));
	memcpy(vm->memory + IDT + 14 * 16, gate, 16);
	*(uint64_t *)(vm->memory + TSS + 4) = STACK_0;
	memcpy(vm->memory + KERNEL, syscall_code, sizeof(syscall_code) - 1);
	memcpy(vm->memory + KERNEL + 0x100, fault_code, sizeof(fault_code) - 1);
	s.idt = (struct kvm_dtable){ .base = IDT, .limit = 32 * 16 - 1 };
	s.tr.base = TSS;
	s.tr.limit = 0x67;
	s.efer = 0xd01;
	s.cr4 = 0x40620 | 0x10000;	/* OSXSAVE, FSGSBASE */
	s.cs.dpl = s.ss.dpl = s.ds.dpl = s.es.dpl = 3;
	s.cs.selector = 0x23;
	s.ss.selector = s.ds.selector = s.es.selector = 0x1b;
	vm->run->s.regs.sregs = s;
	vm->run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	assert_int_equal(ioctl(vm->vcpu, KVM_GET_XCRS, &xcrs), 0);
	xcrs.nr_xcrs = 1;
	xcrs.xcrs[0].xcr = 0;
	xcrs.xcrs[0].value |= 7;
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_XCRS, &xcrs), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_MSRS, &msrs), 4);
}

static void set_user(struct vm *vm, const void *code, size_t len)
{
	memcpy(vm->memory + USER, code, len);
	memset(&vm->run->s.regs.regs, 0, sizeof(struct kvm_regs));
	vm->run->s.regs.regs.rip = USER;
	vm->run->s.regs.regs.rsp = USER + 0x10000;
	vm->run->s.regs.regs.rflags = 0x202;
	vm->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
}

static void a_process_makes_system_calls_and_uses_vectors(void **state)
{
	static const char code[] =
		"\xb8\x27\x00\x00\x00"		/* mov $39, %eax */
		"\x0f\x05"			/* syscall */
		"\xc5\xf9\x6e\xc0"		/* vmovd %eax, %xmm0 */
		"\xf3\x48\x0f\xae\xd8"		/* wrgsbase %rax */
		"\xb8\x3c\x00\x00\x00"		/* mov $60, %eax */
		"\x0f\x05";			/* syscall */
	struct kvm_fpu fpu;
	struct vm vm;

	(void)state;
	process(&vm);
	set_user(&vm, code, sizeof(code) - 1);
	assert_int_equal(run(&vm), KVM_EXIT_IO);
	assert_int_equal(vm.run->io.port, 0);
	assert_int_equal(*(uint32_t *)io_data(&vm), 39);
	assert_int_equal(vm.run->s.regs.regs.rcx, USER + 7);
	assert_int_equal(vm.run->s.regs.sregs.cs.selector, 8);
	/* the result goes in by the page */
	vm.run->s.regs.regs.rax = 0x1234;
	vm.run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	assert_int_equal(run(&vm), KVM_EXIT_IO);
	assert_int_equal(*(uint32_t *)io_data(&vm), 60);
	assert_int_equal(vm.run->s.regs.sregs.gs.base, 0x1234);
	assert_int_equal(ioctl(vm.vcpu, KVM_GET_FPU, &fpu), 0);
	assert_int_equal(*(uint32_t *)fpu.xmm[0], 0x1234);
	close_vm(&vm);
}

/* A page fault arrives by the IDT and an OUT; user space puts the page there, in the guest's tables. */
static void a_page_fault_is_served_by_user_space(void **state)
{
	static const char code[] = "\x48\x8b\x04\x25\x00\x00\xa0\x00" "\x0f\x05";
	struct vm vm;

	(void)state;
	process(&vm);
	((uint64_t *)(vm.memory + 0x4000))[5] = 0;
	*(uint64_t *)(vm.memory + 0xc00000) = 0x77;
	set_user(&vm, code, sizeof(code) - 1);
	assert_int_equal(run(&vm), KVM_EXIT_IO);
	assert_int_equal(vm.run->io.port, 0x8e);
	assert_int_equal(vm.run->s.regs.sregs.cr2, 0xa00000);
	((uint64_t *)(vm.memory + 0x4000))[5] = 0xc00087;
	assert_int_equal(run(&vm), KVM_EXIT_IO);
	assert_int_equal(vm.run->io.port, 0);
	assert_int_equal(*(uint32_t *)io_data(&vm), 0x77);
	close_vm(&vm);
}

/* A reset between requests: memory is dropped, registers and FPU set anew; many times. */
static void a_vm_is_reset_and_used_again(void **state)
{
	/* lock incl 0x500000; mov 0x500000, %eax; syscall */
	static const char code[] = "\xf0\xff\x04\x25\x00\x00\x50\x00\x8b\x04\x25\x00\x00\x50\x00\x0f\x05";
	struct kvm_fpu fpu = { .fcw = 0x37f, .mxcsr = 0x1f80 };
	struct kvm_sregs s;
	struct vm vm;

	(void)state;
	process(&vm);
	set_user(&vm, code, sizeof(code) - 1);
	s = vm.run->s.regs.sregs;
	for (int i = 0; i < 30; i++) {
		assert_int_equal(run(&vm), KVM_EXIT_IO);
		assert_int_equal(*(uint32_t *)io_data(&vm), 1);
		assert_int_equal(madvise(vm.memory + 0x500000, 4096, MADV_DONTNEED), 0);
		assert_int_equal(ioctl(vm.vcpu, KVM_SET_FPU, &fpu), 0);
		set_user(&vm, code, sizeof(code) - 1);
		vm.run->s.regs.sregs = s;
		vm.run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
	}
	close_vm(&vm);
}

static void nothing(int sig)
{
	(void)sig;
}

/* A time limit: the timer's signal ends KVM_RUN, and the guest can go on. */
static void a_timer_ends_a_process_that_loops(void **state)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct itimerspec when = { .it_value.tv_nsec = 50000000, .it_interval.tv_nsec = 50000000 };
	struct sigaction action = { .sa_handler = nothing };
	timer_t timer;
	struct vm vm;

	(void)state;
	process(&vm);
	/* inc %rax; jmp back */
	set_user(&vm, "\x48\xff\xc0\xeb\xfb", 5);
	sigaction(SIGUSR2, &action, NULL);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &when, NULL), 0);
	assert_int_equal(ioctl(vm.vcpu, KVM_RUN, 0), -1);
	assert_int_equal(errno, EINTR);
	assert_int_equal(vm.run->exit_reason, KVM_EXIT_INTR);
	timer_delete(timer);
	assert_in_range(vm.run->s.regs.regs.rip, USER, USER + 3);
	/* on, to another place */
	set_user(&vm, "\x0f\x05", 2);
	assert_int_equal(run(&vm), KVM_EXIT_IO);
	close_vm(&vm);
}

/* ------------------------------------------------------------ a machine's whole state */

struct machine_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debug;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp;
	struct { struct kvm_msrs head; struct kvm_msr_entry e[100]; } msrs;
};

static void save(struct vm *vm, struct machine_state *m)
{
	struct { struct kvm_msr_list head; uint32_t index[100]; } list = { .head.nmsrs = 0 };

	assert_int_equal(ioctl(vm->device, KVM_GET_MSR_INDEX_LIST, &list), -1);
	assert_int_equal(errno, E2BIG);
	assert_in_range(list.head.nmsrs, 5, 100);
	assert_int_equal(ioctl(vm->device, KVM_GET_MSR_INDEX_LIST, &list), 0);
	memset(m, 0, sizeof(*m));
	m->msrs.head.nmsrs = list.head.nmsrs;
	for (uint32_t i = 0; i < list.head.nmsrs; i++)
		m->msrs.e[i].index = list.index[i];
	assert_int_equal(ioctl(vm->vcpu, KVM_GET_MP_STATE, &m->mp), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_GET_REGS, &m->regs), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_GET_SREGS, &m->sregs), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_GET_XSAVE, &m->xsave), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_GET_XCRS, &m->xcrs), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_GET_DEBUGREGS, &m->debug), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_GET_VCPU_EVENTS, &m->events), 0);
	/* those that the guest has: it may end early where CPUID hides some */
	assert_in_range(ioctl(vm->vcpu, KVM_GET_MSRS, &m->msrs), 1, 100);
}

static void restore(struct vm *vm, struct machine_state *m)
{
	open_vm(vm);
	vcpu(vm);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_CPUID2, &cpuid), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_MP_STATE, &m->mp), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_REGS, &m->regs), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_SREGS, &m->sregs), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_XCRS, &m->xcrs), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_XSAVE, &m->xsave), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_DEBUGREGS, &m->debug), 0);
	assert_int_equal(ioctl(vm->vcpu, KVM_SET_VCPU_EVENTS, &m->events), 0);
	assert_in_range(ioctl(vm->vcpu, KVM_SET_MSRS, &m->msrs), 1, 100);
}

/* In the middle of a program, with an access to a port finished but RIP behind it. */
static void a_machine_goes_on_in_another_vm(void **state)
{
	static const char code[] =
		"\xb8\x11\x22\x33\x44"		/* mov $0x44332211, %eax */
		"\xc5\xf9\x6e\xd8"		/* vmovd %eax, %xmm3 */
		"\x49\x89\xc7"			/* mov %rax, %r15 */
		"\xf3\x48\x0f\xae\xd0"		/* wrfsbase %rax */
		"\x0f\x05"			/* syscall: OUT */
		"\x31\xc0"			/* xor %eax, %eax */
		"\x66\x0f\x7e\xd8"		/* movd %xmm3, %eax */
		"\xf3\x48\x0f\xae\xc3"		/* rdfsbase %rbx */
		"\x0f\x05";			/* syscall */
	static struct machine_state m;
	struct kvm_userspace_memory_region region = { 0 };
	struct vm first, second;

	(void)state;
	process(&first);
	set_user(&first, code, sizeof(code) - 1);
	assert_int_equal(run(&first), KVM_EXIT_IO);
	/* finish the OUT, and no more */
	first.run->immediate_exit = 1;
	assert_int_equal(ioctl(first.vcpu, KVM_RUN, 0), -1);
	assert_int_equal(errno, EINTR);
	save(&first, &m);
	assert_int_equal(m.regs.rip, KERNEL + 2);
	restore(&second, &m);
	second.size = first.size;
	second.memory = mmap(NULL, second.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(second.memory, first.memory, 6 * MIB);
	region.memory_size = second.size;
	region.userspace_addr = (uintptr_t)second.memory;
	assert_int_equal(ioctl(second.fd, KVM_SET_USER_MEMORY_REGION, &region), 0);
	close_vm(&first);
	second.run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	assert_int_equal(run(&second), KVM_EXIT_IO);
	assert_int_equal(*(uint32_t *)io_data(&second), 0x44332211);
	assert_int_equal(second.run->s.regs.regs.rbx, 0x44332211);
	assert_int_equal(second.run->s.regs.regs.r15, 0x44332211);
	close_vm(&second);
}

/* ------------------------------------------------------------------ many vCPUs */

struct worker {
	pthread_t thread;
	int vcpu, id;
	uint64_t sum;
};

static int run_size;

static void *work(void *arg)
{
	struct worker *w = arg;
	struct kvm_run *r = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, w->vcpu, 0);

	while (ioctl(w->vcpu, KVM_RUN, 0) == 0 && r->exit_reason == KVM_EXIT_IO)
		w->sum += ((uint8_t *)r)[r->io.data_offset];
	if (r->exit_reason != KVM_EXIT_HLT)
		w->sum = ~0ull;
	munmap(r, run_size);
	return NULL;
}

/* Each in a thread of its own, created by another; they share memory. */
static void eight_vcpus_count_together(void **state)
{
	/* lock incl 0x6000; out %al, $1; dec %ecx; jnz back; hlt */
	static const char code[] = "\xf0\xff\x04\x25\x00\x60\x00\x00\xe6\x01\xff\xc9\x75\xf2\xf4";
	struct worker w[8] = { 0 };
	struct guest g;

	(void)state;
	guest_start(&g, LONG, code, sizeof(code) - 1);
	run_size = g.run_size;
	for (int i = 0; i < 8; i++) {
		struct kvm_regs regs = { .rip = GUEST_CODE, .rflags = 2, .rcx = 100, .rax = i };
		struct kvm_sregs s;

		assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s), 0);
		w[i].id = i;
		w[i].vcpu = i ? ioctl(g.vm, KVM_CREATE_VCPU, i) : g.vcpu;
		assert_true(w[i].vcpu >= 0);
		assert_int_equal(ioctl(w[i].vcpu, KVM_SET_SREGS, &s), 0);
		assert_int_equal(ioctl(w[i].vcpu, KVM_SET_REGS, &regs), 0);
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].sum, 100 * i);
		if (i)
			close(w[i].vcpu);
	}
	assert_int_equal(*(uint32_t *)(g.memory + 0x6000), 800);
	guest_end(&g);
}

/* ---------------------------------------------------------------- what they ask first */

static void extensions_are_the_same_on_device_and_vm(void **state)
{
	/* what clients of the first two kinds rely on; all others: below 2 KiB and not negative */
	static const struct { int cap, least; } needed[] = {
		{ KVM_CAP_USER_MEMORY, 1 }, { KVM_CAP_SET_TSS_ADDR, 1 }, { KVM_CAP_EXT_CPUID, 1 },
		{ KVM_CAP_NR_VCPUS, 1 }, { KVM_CAP_NR_MEMSLOTS, 32 }, { KVM_CAP_MP_STATE, 1 },
		{ KVM_CAP_SYNC_MMU, 1 }, { KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1 },
		{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1 }, { KVM_CAP_SET_GUEST_DEBUG, 1 },
		{ KVM_CAP_XSAVE, 1 }, { KVM_CAP_XCRS, 1 }, { KVM_CAP_GET_TSC_KHZ, 1 },
		{ KVM_CAP_MAX_VCPUS, 1 }, { KVM_CAP_SYNC_REGS, 3 }, { KVM_CAP_READONLY_MEM, 1 },
		{ KVM_CAP_CHECK_EXTENSION_VM, 1 }, { KVM_CAP_MAX_VCPU_ID, 1 },
		{ KVM_CAP_IMMEDIATE_EXIT, 1 }, { KVM_CAP_XSAVE2, 4096 },
	};
	struct vm vm;

	(void)state;
	open_vm(&vm);
	for (int cap = 0; cap < 260; cap++)
		assert_int_equal(ioctl(vm.device, KVM_CHECK_EXTENSION, cap),
				 ioctl(vm.fd, KVM_CHECK_EXTENSION, cap));
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (ioctl(vm.fd, KVM_CHECK_EXTENSION, needed[i].cap) < needed[i].least)
			fail_msg("capability %d: %d", needed[i].cap,
				 ioctl(vm.fd, KVM_CHECK_EXTENSION, needed[i].cap));
	assert_int_equal(ioctl(vm.fd, KVM_CHECK_EXTENSION, 100000), 0);
	close(vm.fd);
	close(vm.device);
}

static void cpuid_asks_for_the_room_it_needs(void **state)
{
	uint32_t n;
	struct vm vm;

	(void)state;
	open_vm(&vm);
	get_cpuid(&vm);
	n = cpuid.head.nent;
	for (uint32_t room = 0; room < n; room += n - 1) {
		cpuid.head.nent = room;
		assert_int_equal(ioctl(vm.device, KVM_GET_SUPPORTED_CPUID, &cpuid), -1);
		assert_int_equal(errno, E2BIG);
	}
	cpuid.head.nent = n;
	assert_int_equal(ioctl(vm.device, KVM_GET_SUPPORTED_CPUID, &cpuid), 0);
	assert_int_equal(cpuid.head.nent, n);
	/* long mode, NX, SYSCALL, SSE2, FXSR, PAE: no client would run without them */
	for (uint32_t i = 0; i < n; i++) {
		if (cpuid.entries[i].function == 1)
			assert_int_equal(cpuid.entries[i].edx & 0x07000040, 0x07000040);
		if (cpuid.entries[i].function == 0x80000001)
			assert_int_equal(cpuid.entries[i].edx & 0x20100800, 0x20100800);
	}
	close(vm.fd);
	close(vm.device);
}

static void addresses_that_only_vt_x_needs_are_taken_and_checked(void **state)
{
	uint64_t identity = 0xfffbc000;
	struct vm vm;

	(void)state;
	open_vm(&vm);
	assert_int_equal(ioctl(vm.fd, KVM_SET_IDENTITY_MAP_ADDR, &identity), 0);
	assert_int_equal(ioctl(vm.fd, KVM_SET_TSS_ADDR, 0xfffbd000), 0);
	assert_int_equal(ioctl(vm.fd, KVM_SET_TSS_ADDR, 0xd0000), 0);
	assert_int_equal(ioctl(vm.fd, KVM_SET_TSS_ADDR, 0xfffff000), -1);
	assert_int_equal(errno, EINVAL);
	memory(&vm, 0, MIB);
	vcpu(&vm);
	assert_int_equal(ioctl(vm.fd, KVM_SET_IDENTITY_MAP_ADDR, &identity), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ioctl(vm.fd, KVM_SET_TSS_ADDR, 0xfffbd000), 0);
	close_vm(&vm);
}

/* What is not there without an interrupt controller, on stock KVM as here. */
static void calls_for_what_is_not_there_are_refused_as_they_always_were(void **state)
{
	static struct kvm_lapic_state lapic;
	struct kvm_mp_state halted = { .mp_state = KVM_MP_STATE_HALTED };
	struct kvm_clock_data clock;
	struct vm vm;

	(void)state;
	open_vm(&vm);
	memory(&vm, 0, MIB);
	vcpu(&vm);
	assert_int_equal(ioctl(vm.vcpu, KVM_GET_LAPIC, &lapic), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ioctl(vm.vcpu, KVM_SET_LAPIC, &lapic), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ioctl(vm.vcpu, KVM_SET_MP_STATE, &halted), -1);
	assert_int_equal(errno, EINVAL);
	/* no paravirtual clock has been switched on */
	assert_int_equal(ioctl(vm.vcpu, KVM_KVMCLOCK_CTRL, 0), -1);
	assert_int_equal(errno, EINVAL);
	/* calls on the wrong file */
	assert_int_equal(ioctl(vm.device, KVM_CREATE_VCPU, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ioctl(vm.fd, KVM_RUN, 0), -1);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(ioctl(vm.vcpu, KVM_CREATE_VCPU, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ioctl(vm.vcpu, KVM_RUN, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ioctl(vm.device, KVM_CREATE_VM, 77), -1);
	assert_int_equal(errno, EINVAL);
	/* where there is a clock of the VM's its capability says so */
	if (ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ADJUST_CLOCK))
		assert_int_equal(ioctl(vm.fd, KVM_GET_CLOCK, &clock), 0);
	else
		assert_int_equal(ioctl(vm.fd, KVM_GET_CLOCK, &clock), -1);
	close_vm(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_demo_prints_on_its_serial_port),
		cmocka_unit_test(a_sample_in_high_segments_counts_for_ever),
		cmocka_unit_test(the_same_program_runs_with_and_without_large_pages),
		cmocka_unit_test(a_tender_serves_hypercalls_from_state_made_of_nothing),
		cmocka_unit_test(a_process_makes_system_calls_and_uses_vectors),
		cmocka_unit_test(a_page_fault_is_served_by_user_space),
		cmocka_unit_test(a_vm_is_reset_and_used_again),
		cmocka_unit_test(a_timer_ends_a_process_that_loops),
		cmocka_unit_test(a_machine_goes_on_in_another_vm),
		cmocka_unit_test(eight_vcpus_count_together),
		cmocka_unit_test(extensions_are_the_same_on_device_and_vm),
		cmocka_unit_test(cpuid_asks_for_the_room_it_needs),
		cmocka_unit_test(addresses_that_only_vt_x_needs_are_taken_and_checked),
		cmocka_unit_test(calls_for_what_is_not_there_are_refused_as_they_always_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
