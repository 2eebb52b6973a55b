/* SPDX-License-Identifier: GPL-2.0-only */
/* test_api.c - what the ABI of linux/kvm.h promises, on whichever device there is */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "guest.h"

#define fails(call, error) do { errno = 0; assert_int_equal(call, -1); assert_int_equal(errno, error); } while (0)

static const enum guest_mode modes[] = { REAL, PROTECTED, PAGED_32, PAGED_PAE, LONG };

/* ---------------------------------------------------------------------- ports */

static void a_port_write_exits_and_rip_moves_with_the_next_run(void **state)
{
	/* mov $0x42, %al; out %al, $0x10; hlt */
	for (size_t i = 0; i < 5; i++) {
		struct guest g;

		guest_start(&g, modes[i], CODE("\xb0\x42\xe6\x10\xf4"));
		assert_int_equal(guest_run(&g), KVM_EXIT_IO);
		assert_int_equal(g.run->io.direction, KVM_EXIT_IO_OUT);
		assert_int_equal(g.run->io.size, 1);
		assert_int_equal(g.run->io.port, 0x10);
		assert_int_equal(g.run->io.count, 1);
		assert_int_equal(((uint8_t *)g.run)[g.run->io.data_offset], 0x42);
		assert_int_equal(guest_regs(&g).rip, GUEST_CODE + 2);
		assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
		assert_int_equal(guest_regs(&g).rip, GUEST_CODE + 5);
		guest_end(&g);
	}
	(void)state;
}

static void a_port_read_gives_each_width_what_it_takes(void **state)
{
	static const struct { const char *code; size_t len; int size; uint64_t rax; } cases[] = {
		{ CODE("\xe4\x20\xf4"), 1, 0x11223344556677ef },
		{ CODE("\x66\xe5\x20\xf4"), 2, 0x112233445566beef },
		{ CODE("\xe5\x20\xf4"), 4, 0xdeadbeef },
	};

	for (size_t i = 0; i < 3; i++) {
		struct guest g;
		struct kvm_regs regs;

		guest_start(&g, LONG, cases[i].code, cases[i].len);
		regs = guest_regs(&g);
		regs.rax = 0x1122334455667788;
		guest_set_regs(&g, &regs);
		assert_int_equal(guest_run(&g), KVM_EXIT_IO);
		assert_int_equal(g.run->io.direction, KVM_EXIT_IO_IN);
		assert_int_equal(g.run->io.size, cases[i].size);
		memcpy((uint8_t *)g.run + g.run->io.data_offset, "\xef\xbe\xad\xde", 4);
		assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
		assert_int_equal(guest_regs(&g).rax, cases[i].rax);
		guest_end(&g);
	}
	(void)state;
}

static void a_port_exit_is_not_finished_where_rip_was_changed(void **state)
{
	struct guest g;
	struct kvm_regs regs;

	/* in $0x20, %al; hlt; nop; hlt */
	guest_start(&g, LONG, CODE("\xe4\x20\xf4\x90\xf4"));
	assert_int_equal(guest_run(&g), KVM_EXIT_IO);
	regs = guest_regs(&g);
	regs.rip = GUEST_CODE + 3;
	guest_set_regs(&g, &regs);
	((uint8_t *)g.run)[g.run->io.data_offset] = 0x77;
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rip, GUEST_CODE + 5);
	assert_int_equal(guest_regs(&g).rax, 0);
	guest_end(&g);
	(void)state;
}

static void a_pending_port_read_completes_before_immediate_exit(void **state)
{
	struct guest g;

	guest_start(&g, LONG, CODE("\xe4\x20\xf4"));
	assert_int_equal(guest_run(&g), KVM_EXIT_IO);
	((uint8_t *)g.run)[g.run->io.data_offset] = 0x77;
	g.run->immediate_exit = 1;
	fails(ioctl(g.vcpu, KVM_RUN, 0), EINTR);
	assert_int_equal(guest_regs(&g).rax, 0x77);
	assert_int_equal(guest_regs(&g).rip, GUEST_CODE + 2);
	g.run->immediate_exit = 0;
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

/* Collects what the guest puts out until it halts; feeds what it takes in. */
static size_t pump(struct guest *g, uint8_t *out, size_t room, uint8_t feed)
{
	size_t n = 0;

	while (guest_run(g) == KVM_EXIT_IO) {
		uint8_t *data = (uint8_t *)g->run + g->run->io.data_offset;
		size_t bytes = g->run->io.size * g->run->io.count;

		assert_true(bytes && bytes <= 4096 && n + bytes <= room);
		for (size_t i = 0; i < bytes; i++, n++)
			if (g->run->io.direction == KVM_EXIT_IO_OUT)
				out[n] = data[i];
			else
				data[i] = feed + n;
	}
	assert_int_equal(g->run->exit_reason, KVM_EXIT_HLT);
	return n;
}

static void string_output_carries_all_bytes_in_every_mode(void **state)
{
	static const char text[] = "a string that crosses the end of its page";
	uint8_t out[256];

	/* cld; rep outsb; hlt */
	for (size_t i = 0; i < 5; i++) {
		struct guest g;
		struct kvm_regs regs;

		guest_start(&g, modes[i], CODE("\xfc\xf3\x6e\xf4"));
		memcpy(g.memory + 0x4ff0, text, sizeof(text));
		regs = guest_regs(&g);
		regs.rsi = 0x4ff0;
		regs.rcx = sizeof(text);
		regs.rdx = 0x3f8;
		guest_set_regs(&g, &regs);
		assert_int_equal(pump(&g, out, sizeof(out), 0), sizeof(text));
		assert_memory_equal(out, text, sizeof(text));
		assert_int_equal(guest_regs(&g).rcx, 0);
		assert_int_equal(guest_regs(&g).rsi, 0x4ff0 + sizeof(text));
		guest_end(&g);
	}
	(void)state;
}

static void string_input_fills_memory_upwards_and_downwards(void **state)
{
	struct guest g;
	struct kvm_regs regs;

	/* cld; rep insw; hlt */
	guest_start(&g, PROTECTED, CODE("\xfc\x66\xf3\x6d\xf4"));
	regs = guest_regs(&g);
	regs.rdi = 0x4ff1;
	regs.rcx = 20;
	guest_set_regs(&g, &regs);
	assert_int_equal(pump(&g, NULL, 64, 10), 40);
	for (int i = 0; i < 40; i++)
		assert_int_equal(g.memory[0x4ff1 + i], 10 + i);
	guest_end(&g);

	/* std; rep insb; hlt */
	guest_start(&g, PROTECTED, CODE("\xfd\xf3\x6c\xf4"));
	regs = guest_regs(&g);
	regs.rdi = 0x5002;
	regs.rcx = 5;
	guest_set_regs(&g, &regs);
	assert_int_equal(pump(&g, NULL, 64, 1), 5);
	assert_memory_equal(g.memory + 0x4ffe, "\x05\x04\x03\x02\x01", 5);
	assert_int_equal(guest_regs(&g).rdi, 0x4ffd);
	guest_end(&g);
	(void)state;
}

/* ----------------------------------------------------------------------- MMIO */

#define MMIO 0x300000

struct mmio_case {
	const char *code;
	size_t len;
	int write, bytes;
	uint64_t data;		/* written, or answered */
	uint64_t rax;		/* afterwards; it starts as 0x1122334455667788, with rbx = MMIO */
};

static void moves_to_and_from_mmio_have_every_width_and_extension(void **state)
{
	static const struct mmio_case cases[] = {
		{ CODE("\x88\x03\xf4"), 1, 1, 0x88, 0x1122334455667788 },
		{ CODE("\x66\x89\x03\xf4"), 1, 2, 0x7788, 0x1122334455667788 },
		{ CODE("\x89\x03\xf4"), 1, 4, 0x55667788, 0x1122334455667788 },
		{ CODE("\x48\x89\x03\xf4"), 1, 8, 0x1122334455667788, 0x1122334455667788 },
		{ CODE("\x88\x23\xf4"), 1, 1, 0x77, 0x1122334455667788 },	/* %ah */
		{ CODE("\xc6\x03\x5a\xf4"), 1, 1, 0x5a, 0x1122334455667788 },
		{ CODE("\x48\xc7\x03\xff\xff\xff\xff\xf4"), 1, 8, -1ull, 0x1122334455667788 },
		{ CODE("\x8a\x03\xf4"), 0, 1, 0x99, 0x1122334455667799 },
		{ CODE("\x66\x8b\x03\xf4"), 0, 2, 0x99aa, 0x11223344556699aa },
		{ CODE("\x8b\x03\xf4"), 0, 4, 0x99aabbcc, 0x99aabbcc },
		{ CODE("\x48\x8b\x03\xf4"), 0, 8, 0x99aabbccddeeff00, 0x99aabbccddeeff00 },
		{ CODE("\x8a\x23\xf4"), 0, 1, 0x99, 0x1122334455669988 },	/* %ah */
		{ CODE("\x0f\xb6\x03\xf4"), 0, 1, 0x99, 0x99 },
		{ CODE("\x48\x0f\xb7\x03\xf4"), 0, 2, 0x99aa, 0x99aa },
		{ CODE("\x0f\xbe\x03\xf4"), 0, 1, 0x99, 0xffffff99 },
		{ CODE("\x48\x0f\xbf\x03\xf4"), 0, 2, 0x99aa, 0xffffffffffff99aa },
		{ CODE("\x48\x63\x03\xf4"), 0, 4, 0x99aabbcc, 0xffffffff99aabbcc },
		{ CODE("\x8b\x44\x8b\xf0\xf4"), 0, 4, 7, 7 },	/* -16(%rbx,%rcx,4), rcx = 4 */
		{ CODE("\x23\x03\xf4"), 0, 4, 0xff, 0x88 },	/* and */
		{ CODE("\xa1\x00\x00\x30\x00\x00\x00\x00\x00\xf4"), 0, 4, 7, 7 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mmio_case *c = &cases[i];
		struct kvm_regs regs;
		struct guest g;
		uint64_t data = 0;

		guest_start(&g, LONG, c->code, c->len);
		regs = guest_regs(&g);
		regs.rax = 0x1122334455667788;
		regs.rbx = MMIO;
		regs.rcx = 4;
		guest_set_regs(&g, &regs);
		if (guest_run(&g) != KVM_EXIT_MMIO || g.run->mmio.is_write != c->write ||
		    (int)g.run->mmio.len != c->bytes || g.run->mmio.phys_addr != MMIO)
			fail_msg("case %zu: exit %u, write %u, len %u, at %llx", i,
				 g.run->exit_reason, g.run->mmio.is_write, g.run->mmio.len,
				 (unsigned long long)g.run->mmio.phys_addr);
		if (c->write)
			memcpy(&data, g.run->mmio.data, c->bytes);
		else
			memcpy(g.run->mmio.data, &c->data, 8);
		assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
		regs = guest_regs(&g);
		if ((c->write && data != c->data) || regs.rax != c->rax)
			fail_msg("case %zu: data %llx, rax %llx", i, (unsigned long long)data,
				 (unsigned long long)regs.rax);
		assert_int_equal(regs.rip, GUEST_CODE + c->len);
		guest_end(&g);
	}
	(void)state;
}

static void an_mmio_access_across_pages_comes_in_two_pieces(void **state)
{
	struct kvm_regs regs;
	struct guest g;

	/* mov (%ebx), %eax; mov %eax, 4(%ebx); hlt */
	guest_start(&g, PAGED_32, CODE("\x8b\x03\x89\x43\x04\xf4"));
	regs = guest_regs(&g);
	regs.rbx = MMIO + 0xffd;
	guest_set_regs(&g, &regs);
	assert_int_equal(guest_run(&g), KVM_EXIT_MMIO);
	assert_int_equal(g.run->mmio.phys_addr, MMIO + 0xffd);
	assert_int_equal(g.run->mmio.len, 3);
	memcpy(g.run->mmio.data, "\x11\x22\x33", 3);
	assert_int_equal(guest_run(&g), KVM_EXIT_MMIO);
	assert_int_equal(g.run->mmio.phys_addr, MMIO + 0x1000);
	assert_int_equal(g.run->mmio.len, 1);
	g.run->mmio.data[0] = 0x44;
	assert_int_equal(guest_run(&g), KVM_EXIT_MMIO);
	assert_int_equal(g.run->mmio.is_write, 1);
	assert_int_equal(g.run->mmio.phys_addr, MMIO + 0x1001);
	assert_memory_equal(g.run->mmio.data, "\x11\x22\x33\x44", 4);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static void repeated_stores_to_mmio_come_one_by_one(void **state)
{
	struct kvm_regs regs;
	struct guest g;

	guest_start(&g, LONG, CODE("\xfc\xf3\xaa\xf4"));	/* cld; rep stosb; hlt */
	regs = guest_regs(&g);
	regs.rax = 0x5a;
	regs.rdi = MMIO;
	regs.rcx = 3;
	guest_set_regs(&g, &regs);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(guest_run(&g), KVM_EXIT_MMIO);
		assert_int_equal(g.run->mmio.phys_addr, MMIO + i);
		assert_int_equal(g.run->mmio.len, 1);
		assert_int_equal(g.run->mmio.data[0], 0x5a);
	}
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rdi, MMIO + 3);
	guest_end(&g);
	(void)state;
}

/* --------------------------------------------------------------------- memory */

static int set_region(struct guest *g, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
		      void *hva)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static void threat_30_bad_regions_are_refused_each_with_its_errno(void **state)
{
	struct guest g;

	guest_start(&g, REAL, CODE("\xf4"));
	fails(set_region(&g, 1, 0, 0x1000, 0x1000, g.memory), EEXIST);
	fails(set_region(&g, 1, 0, 0x1ff000, 0x2000, g.memory), EEXIST);
	fails(set_region(&g, 1, 0, 0x400001, 0x1000, g.memory), EINVAL);
	fails(set_region(&g, 1, 0, 0x400000, 0x1001, g.memory), EINVAL);
	fails(set_region(&g, 1, 0, 0x400000, 0x1000, g.memory + 1), EINVAL);
	fails(set_region(&g, 1, 8, 0x400000, 0x1000, g.memory), EINVAL);
	fails(set_region(&g, 1, 0, -0x1000ull, 0x2000, g.memory), EINVAL);
	fails(set_region(&g, 32764, 0, 0x400000, 0x1000, g.memory), EINVAL);
	fails(set_region(&g, 1, 0, 0x400000, 0, g.memory), EINVAL);
	fails(set_region(&g, 0, 0, 0, 0x1000, g.memory), EINVAL);
	assert_int_equal(set_region(&g, 1, 0, 0x400000, 0x1000, g.memory), 0);
	assert_int_equal(set_region(&g, 1, 0, 0x500000, 0x1000, g.memory), 0);
	assert_int_equal(set_region(&g, 1, 0, 0, 0, NULL), 0);
	guest_end(&g);
	(void)state;
}

static void a_write_to_a_read_only_region_is_mmio_and_reads_are_memory(void **state)
{
	struct kvm_regs regs;
	struct guest g;

	/* mov (%rbx), %eax; mov %eax, (%rbx); hlt */
	guest_start(&g, LONG, CODE("\x8b\x03\x89\x03\xf4"));
	assert_int_equal(set_region(&g, 1, KVM_MEM_READONLY, MMIO, 0x1000, g.memory + 0x9000), 0);
	memcpy(g.memory + 0x9000, "\x78\x56\x34\x12", 4);
	regs = guest_regs(&g);
	regs.rbx = MMIO;
	guest_set_regs(&g, &regs);
	assert_int_equal(guest_run(&g), KVM_EXIT_MMIO);
	assert_int_equal(g.run->mmio.is_write, 1);
	assert_memory_equal(g.run->mmio.data, "\x78\x56\x34\x12", 4);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static void a_write_to_memory_the_process_may_not_write_is_efault(void **state)
{
	struct kvm_regs regs;
	struct guest g;

	guest_start(&g, LONG, CODE("\x8b\x03\x89\x03\xf4"));
	g.memory[0x9000] = 1;
	assert_int_equal(mprotect(g.memory + 0x9000, 0x1000, PROT_READ), 0);
	regs = guest_regs(&g);
	regs.rbx = 0x9000;
	guest_set_regs(&g, &regs);
	fails(ioctl(g.vcpu, KVM_RUN, 0), EFAULT);
	assert_int_equal(guest_regs(&g).rip, GUEST_CODE + 2);
	assert_int_equal(guest_regs(&g).rax, 1);
	assert_int_equal(mprotect(g.memory + 0x9000, 0x1000, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static void the_dirty_log_names_the_pages_written_since_it_was_read(void **state)
{
	uint64_t bitmap[GUEST_MEMORY / 4096 / 64];
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = bitmap };
	struct kvm_regs regs;
	struct guest g;

	/* 1: mov %al, (%bx); out %al, $1; jmp 1b */
	guest_start(&g, PROTECTED, CODE("\x88\x03\xe6\x01\xeb\xfa"));
	fails(ioctl(g.vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
	assert_int_equal(set_region(&g, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, GUEST_MEMORY, g.memory), 0);
	for (int i = 0; i < 3; i++) {
		regs = guest_regs(&g);
		regs.rbx = 0x40000 + i * 0x3000;
		if (i < 2)
			guest_set_regs(&g, &regs);
		assert_int_equal(guest_run(&g), KVM_EXIT_IO);
		assert_int_equal(ioctl(g.vm, KVM_GET_DIRTY_LOG, &log), 0);
		/* the third run writes where the second did, which must show again */
		assert_int_equal(bitmap[1], i ? 8 : 1);
	}
	assert_int_equal(set_region(&g, 0, 0, 0, GUEST_MEMORY, g.memory), 0);
	guest_end(&g);
	(void)state;
}

static void what_the_process_maps_anew_the_guest_sees(void **state)
{
	struct kvm_regs regs;
	struct guest g;

	/* 1: mov (%rbx), %al; out %al, $1; jmp 1b */
	guest_start(&g, LONG, CODE("\x8a\x03\xe6\x01\xeb\xfa"));
	regs = guest_regs(&g);
	regs.rbx = 0x50000;
	guest_set_regs(&g, &regs);
	g.memory[0x50000] = 1;
	guest_run(&g);
	assert_int_equal(((uint8_t *)g.run)[g.run->io.data_offset], 1);
	assert_int_equal(madvise(g.memory + 0x50000, 4096, MADV_DONTNEED), 0);
	guest_run(&g);
	assert_int_equal(((uint8_t *)g.run)[g.run->io.data_offset], 0);
	assert_ptr_equal(mmap(g.memory + 0x50000, 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), g.memory + 0x50000);
	g.memory[0x50000] = 7;
	guest_run(&g);
	assert_int_equal(((uint8_t *)g.run)[g.run->io.data_offset], 7);
	guest_end(&g);
	(void)state;
}

static void without_memory_a_run_ends_as_an_error(void **state)
{
	int device = guest_device();
	int vm = ioctl(device, KVM_CREATE_VM, 0), vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	struct kvm_run *run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);

	/* stock KVM has an errno for it, too */
	if (!ioctl(vcpu, KVM_RUN, 0) || !access("/dev/kvmrun", F_OK))
		assert_int_equal(run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	munmap(run, 4096);
	close(vcpu);
	close(vm);
	close(device);
	(void)state;
}

/* --------------------------------------------------------- interrupts, signals */

static void nothing(int sig)
{
	(void)sig;
}

static void a_signal_ends_a_spinning_guest(void **state)
{
	struct itimerval in = { .it_value.tv_usec = 50000 };
	struct sigaction sa = { .sa_handler = nothing };
	struct guest g;

	/* STI first: Bochs 2.7 leaves a guest with interrupts disabled for none of the host's */
	guest_start(&g, LONG, CODE("\xfb\xeb\xfe"));
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &in, NULL);
	fails(ioctl(g.vcpu, KVM_RUN, 0), EINTR);
	assert_int_equal(g.run->exit_reason, KVM_EXIT_INTR);
	assert_int_equal(guest_regs(&g).rip, GUEST_CODE + 1);
	guest_end(&g);
	(void)state;
}

static void a_signal_mask_counts_only_during_a_run(void **state)
{
	struct { struct kvm_signal_mask mask; uint8_t set[8]; } m = { .mask.len = 8 };
	struct sigaction sa = { .sa_handler = nothing };
	sigset_t set;
	struct guest g;

	guest_start(&g, LONG, CODE("\xeb\xfe"));
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	m.mask.len = 4;
	fails(ioctl(g.vcpu, KVM_SET_SIGNAL_MASK, &m), EINVAL);
	m.mask.len = 8;
	memset(m.mask.sigset, 0, 8);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_SIGNAL_MASK, &m), 0);
	raise(SIGUSR1);
	fails(ioctl(g.vcpu, KVM_RUN, 0), EINTR);
	sigpending(&set);
	assert_true(sigismember(&set, SIGUSR1));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	guest_end(&g);
	(void)state;
}

static void an_interrupt_waits_for_its_window(void **state)
{
	struct kvm_interrupt irq = { .irq = 0x20 };
	struct guest g;

	/* cli; nop; sti; nop; hlt */
	guest_start(&g, REAL, CODE("\xfa\x90\xfb\x90\xf4"));
	/* vector 0x20 of the table at 0: 0000:2000 */
	memcpy(g.memory + 0x80, "\x00\x20\x00\x00", 4);
	/* mov $0x99, %al; out %al, $5; iret */
	memcpy(g.memory + 0x2000, "\xb0\x99\xe6\x05\xcf", 5);
	g.run->request_interrupt_window = 1;
	assert_int_equal(guest_run(&g), KVM_EXIT_IRQ_WINDOW_OPEN);
	assert_true(guest_regs(&g).rip >= GUEST_CODE + 3);
	assert_int_equal(g.run->if_flag, 1);
	assert_int_equal(g.run->ready_for_interrupt_injection, 1);
	g.run->request_interrupt_window = 0;
	irq.irq = 256;
	fails(ioctl(g.vcpu, KVM_INTERRUPT, &irq), EINVAL);
	irq.irq = 0x20;
	assert_int_equal(ioctl(g.vcpu, KVM_INTERRUPT, &irq), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_IO);
	assert_int_equal(g.run->io.port, 5);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rip, GUEST_CODE + 5);
	guest_end(&g);
	(void)state;
}

static void nmis_come_one_after_the_other(void **state)
{
	struct guest g;

	guest_start(&g, REAL, CODE("\x90\x90\xf4"));
	memcpy(g.memory + 8, "\x00\x20\x00\x00", 4);
	/* out %al, $5; iret */
	memcpy(g.memory + 0x2000, "\xe6\x05\xcf", 3);
	assert_int_equal(ioctl(g.vcpu, KVM_NMI, 0), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_NMI, 0), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_IO);
	assert_int_equal(guest_run(&g), KVM_EXIT_IO);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rsp & 0xffff, GUEST_STACK);
	guest_end(&g);
	(void)state;
}

/* ------------------------------------------------------------------ debug, faults */

static void single_steps_stop_behind_every_instruction(void **state)
{
	static const int at[] = { 1, 3, 5, 6 };
	struct kvm_guest_debug dbg = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };
	struct guest g;

	/* nop; mov $1, %al; out %al, $1; nop; hlt */
	guest_start(&g, LONG, CODE("\x90\xb0\x01\xe6\x01\x90\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_SET_GUEST_DEBUG, &dbg), 0);
	for (size_t i = 0; i < 4; i++) {
		if (guest_run(&g) == KVM_EXIT_IO)
			guest_run(&g);
		assert_int_equal(g.run->exit_reason, KVM_EXIT_DEBUG);
		assert_int_equal(g.run->debug.arch.pc, GUEST_CODE + at[i]);
		assert_int_equal(g.run->debug.arch.exception, 1);
		assert_int_equal(guest_regs(&g).rflags & 0x100, 0);
	}
	dbg.control = 0;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_GUEST_DEBUG, &dbg), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static void a_hardware_breakpoint_stops_before_its_instruction(void **state)
{
	struct kvm_guest_debug dbg = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg = { GUEST_CODE + 2, 0, 0, 0, 0, 0, 0, 0x402 },
	};
	struct guest g;

	guest_start(&g, LONG, CODE("\x90\x90\x90\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_SET_GUEST_DEBUG, &dbg), 0);
	if (guest_run(&g) == KVM_EXIT_HLT && guest_cpu_is_qemus()) {
		print_message("this CPU is QEMU's, whose VMRUN leaves breakpoints out\n");
		skip();
	}
	assert_int_equal(g.run->exit_reason, KVM_EXIT_DEBUG);
	assert_int_equal(g.run->debug.arch.pc, GUEST_CODE + 2);
	assert_int_equal(g.run->debug.arch.dr6 & 0xf, 1);
	dbg.control = 0;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_GUEST_DEBUG, &dbg), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	guest_end(&g);
	(void)state;
}

static void a_triple_fault_is_a_shutdown(void **state)
{
	struct guest g;

	guest_start(&g, LONG, CODE("\x0f\x0b"));
	assert_int_equal(guest_run(&g), KVM_EXIT_SHUTDOWN);
	guest_end(&g);
	(void)state;
}

static void a_guest_moves_cr4_and_debug_registers(void **state)
{
	struct guest g;

	/* mov %cr4, %rax; or $0x200, %ax; mov %rax, %cr4; mov %cr4, %rbx; mov %rbx, %dr1; mov %dr1, %rcx; hlt */
	guest_start(&g, LONG, CODE("\x0f\x20\xe0\x66\x0d\x00\x02\x0f\x22\xe0\x0f\x20\xe3\x0f\x23\xcb"
				   "\x0f\x21\xc9\xf4"));
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rbx, 0x220);
	assert_int_equal(guest_regs(&g).rcx, 0x220);
	guest_end(&g);
	(void)state;
}

/* ---------------------------------------------------------------------- state */

static void registers_come_back_as_they_were_set(void **state)
{
	struct kvm_regs a, b;
	struct kvm_fpu f, f2;
	struct kvm_sregs s, s2;
	struct kvm_debugregs d, d2;
	struct kvm_mp_state mp;
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	for (size_t i = 0; i < sizeof(a) / 8; i++)
		((uint64_t *)&a)[i] = 0x100 + i;
	a.rflags = 0x246;
	guest_set_regs(&g, &a);
	b = guest_regs(&g);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_SREGS, &s), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s2), 0);
	assert_memory_equal(&s, &s2, sizeof(s));
	assert_int_equal(ioctl(g.vcpu, KVM_GET_FPU, &f), 0);
	assert_int_equal(f.fcw, 0x37f);
	memset(f.xmm, 0x5a, sizeof(f.xmm));
	memset(f.fpr[3], 0x11, 10);
	f.fcw = 0x27f;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_FPU, &f), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_FPU, &f2), 0);
	assert_memory_equal(f.xmm, f2.xmm, sizeof(f.xmm));
	assert_memory_equal(f.fpr, f2.fpr, sizeof(f.fpr));
	assert_int_equal(f2.fcw, 0x27f);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_DEBUGREGS, &d), 0);
	assert_int_equal(d.dr6, 0xffff0ff0);
	assert_int_equal(d.dr7, 0x400);
	d.db[2] = 0x1234;
	assert_int_equal(ioctl(g.vcpu, KVM_SET_DEBUGREGS, &d), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_DEBUGREGS, &d2), 0);
	assert_memory_equal(&d, &d2, sizeof(d));
	assert_int_equal(ioctl(g.vcpu, KVM_GET_MP_STATE, &mp), 0);
	assert_int_equal(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	guest_end(&g);
	(void)state;
}

static void sregs_that_no_processor_takes_are_refused(void **state)
{
	struct kvm_sregs s, bad;
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &s), 0);
	bad = s;
	bad.cr4 |= 1ull << 31;
	fails(ioctl(g.vcpu, KVM_SET_SREGS, &bad), EINVAL);
	bad = s;
	bad.cr4 &= ~0x20ull;
	fails(ioctl(g.vcpu, KVM_SET_SREGS, &bad), EINVAL);
	bad = s;
	bad.cr0 |= 1ull << 29;
	fails(ioctl(g.vcpu, KVM_SET_SREGS, &bad), EINVAL);
	bad = s;
	bad.efer |= 1ull << 20;
	/* stock KVM takes it, and fails to enter the guest */
	if (!access("/dev/kvmrun", F_OK))
		fails(ioctl(g.vcpu, KVM_SET_SREGS, &bad), EINVAL);
	guest_end(&g);
	(void)state;
}

static void sync_regs_travel_in_the_run_page(void **state)
{
	struct guest g;

	guest_start(&g, LONG, CODE("\x48\xff\xc0\xf4\x48\xff\xc0\xf4"));	/* inc %rax; hlt; twice */
	g.run->kvm_valid_regs = 1u << 31;
	fails(ioctl(g.vcpu, KVM_RUN, 0), EINVAL);
	g.run->kvm_valid_regs = 0;
	g.run->kvm_dirty_regs = 1u << 31;
	fails(ioctl(g.vcpu, KVM_RUN, 0), EINVAL);
	g.run->kvm_dirty_regs = 0;
	g.run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(g.run->s.regs.regs.rax, 1);
	assert_int_equal(g.run->s.regs.sregs.efer, 0x500);
	g.run->s.regs.regs.rax = 0x40;
	g.run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(g.run->s.regs.regs.rax, 0x41);
	guest_end(&g);
	(void)state;
}

static void msrs_stop_at_the_first_that_is_not_there(void **state)
{
	struct { struct kvm_msrs head; struct kvm_msr_entry e[4]; } m = { .head.nmsrs = 4, .e = {
		{ .index = 0xc0000081, .data = 0x23001000000000 },
		{ .index = 0xc0000082, .data = 0xffffffff80001000 },
		{ .index = 0xdead },
		{ .index = 0xc0000084 },
	} };
	struct guest g;

	guest_start(&g, LONG, CODE("\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_SET_MSRS, &m), 2);
	m.e[0].data = m.e[1].data = 0;
	assert_int_equal(ioctl(g.vcpu, KVM_GET_MSRS, &m), 2);
	assert_true(m.e[0].data == 0x23001000000000);
	assert_true(m.e[1].data == 0xffffffff80001000);
	guest_end(&g);
	(void)state;
}

static void cpuid_says_what_it_was_set_to(void **state)
{
	struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 e[100]; } c = { .head.nent = 1 };
	struct kvm_regs regs;
	int device = guest_device();
	struct guest g;

	fails(ioctl(device, KVM_GET_SUPPORTED_CPUID, &c), E2BIG);
	c.head.nent = 100;
	assert_int_equal(ioctl(device, KVM_GET_SUPPORTED_CPUID, &c), 0);
	assert_true(c.head.nent > 5 && c.head.nent <= 100);
	close(device);
	c.head.nent = 1;
	c.e[0] = (struct kvm_cpuid_entry2){ .function = 0x1234, .eax = 1, .ebx = 2, .ecx = 3, .edx = 4 };
	guest_start(&g, LONG, CODE("\x0f\xa2\xf4"));
	assert_int_equal(ioctl(g.vcpu, KVM_SET_CPUID2, &c), 0);
	regs = guest_regs(&g);
	regs.rax = 0x1234;
	guest_set_regs(&g, &regs);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	regs = guest_regs(&g);
	assert_true(regs.rax == 1 && regs.rbx == 2 && regs.rcx == 3 && regs.rdx == 4);
	guest_end(&g);
	(void)state;
}

static void addresses_translate_as_the_guest_maps_them(void **state)
{
	for (size_t i = 0; i < 5; i++) {
		struct kvm_translation tr = { .linear_address = 0x3456 };
		struct guest g;

		guest_start(&g, modes[i], CODE("\xf4"));
		assert_int_equal(ioctl(g.vcpu, KVM_TRANSLATE, &tr), 0);
		assert_int_equal(tr.valid, 1);
		assert_int_equal(tr.physical_address, 0x3456);
		tr.linear_address = 0x40000000;
		assert_int_equal(ioctl(g.vcpu, KVM_TRANSLATE, &tr), 0);
		assert_int_equal(tr.valid, modes[i] < PAGED_32);
		guest_end(&g);
	}
	(void)state;
}

static void vcpus_have_ids_of_their_own(void **state)
{
	int device = guest_device(), vm = ioctl(device, KVM_CREATE_VM, 0);
	int first = ioctl(vm, KVM_CREATE_VCPU, 3);

	assert_true(first >= 0);
	fails(ioctl(vm, KVM_CREATE_VCPU, 3), EEXIST);
	fails(ioctl(vm, KVM_CREATE_VCPU, 1 << 20), EINVAL);
	fails(ioctl(device, KVM_CREATE_VM, 99), EINVAL);
	fails(ioctl(device, 0xae99, 0), EINVAL);
	fails(ioctl(vm, 0xae99, 0), ENOTTY);
	fails(ioctl(first, 0xae99, 0), EINVAL);
	assert_int_equal(ioctl(device, KVM_GET_API_VERSION, 0), 12);
	fails(ioctl(device, KVM_GET_API_VERSION, 1), EINVAL);
	close(first);
	close(vm);
	close(device);
	(void)state;
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_port_write_exits_and_rip_moves_with_the_next_run),
		TEST(a_port_read_gives_each_width_what_it_takes),
		TEST(a_port_exit_is_not_finished_where_rip_was_changed),
		TEST(a_pending_port_read_completes_before_immediate_exit),
		TEST(string_output_carries_all_bytes_in_every_mode),
		TEST(string_input_fills_memory_upwards_and_downwards),
		TEST(moves_to_and_from_mmio_have_every_width_and_extension),
		TEST(an_mmio_access_across_pages_comes_in_two_pieces),
		TEST(repeated_stores_to_mmio_come_one_by_one),
		TEST(threat_30_bad_regions_are_refused_each_with_its_errno),
		TEST(a_write_to_a_read_only_region_is_mmio_and_reads_are_memory),
		TEST(a_write_to_memory_the_process_may_not_write_is_efault),
		TEST(the_dirty_log_names_the_pages_written_since_it_was_read),
		TEST(what_the_process_maps_anew_the_guest_sees),
		TEST(without_memory_a_run_ends_as_an_error),
		TEST(a_signal_ends_a_spinning_guest),
		TEST(a_signal_mask_counts_only_during_a_run),
		TEST(an_interrupt_waits_for_its_window),
		TEST(nmis_come_one_after_the_other),
		TEST(single_steps_stop_behind_every_instruction),
		TEST(a_hardware_breakpoint_stops_before_its_instruction),
		TEST(a_triple_fault_is_a_shutdown),
		TEST(a_guest_moves_cr4_and_debug_registers),
		TEST(registers_come_back_as_they_were_set),
		TEST(sregs_that_no_processor_takes_are_refused),
		TEST(sync_regs_travel_in_the_run_page),
		TEST(msrs_stop_at_the_first_that_is_not_there),
		TEST(cpuid_says_what_it_was_set_to),
		TEST(addresses_translate_as_the_guest_maps_them),
		TEST(vcpus_have_ids_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
