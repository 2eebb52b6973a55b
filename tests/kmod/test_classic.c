/* SPDX-License-Identifier: GPL-2.0-only */
/* test_classic.c - the interface of the first KVM posting, on /dev/kvmrun */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "../../kmod/classic.h"

#define fails(call, error) do { errno = 0; assert_int_equal(call, -1); assert_int_equal(errno, error); } while (0)
#define works(call) assert_int_equal(call, 0)

#define MEMORY	0x100000
#define MMIO	0x200000
#define CODE_AT	0x1000

struct machine {
	int fd;
	uint8_t *memory;	/* slot 0, MEMORY bytes from 0 on */
	struct classic_run run;
};

static int device(void)
{
	const char *path = getenv("KVMRUN_TEST_DEVICE");
	int fd = open(path ? path : "/dev/kvmrun", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		print_message("no /dev/kvmrun here\n");
		skip();
	}
	return fd;
}

static int set_region(int fd, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size)
{
	struct classic_memory_region region = { slot, flags, gpa, size };

	return ioctl(fd, CLASSIC_SET_MEMORY_REGION, &region);
}

static void *map(int fd, uint64_t gpa, size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, gpa);
}

static void set_regs(struct machine *m, const struct classic_regs *regs)
{
	works(ioctl(m->fd, CLASSIC_SET_REGS, regs));
}

static struct classic_regs get_regs(struct machine *m, uint32_t vcpu)
{
	struct classic_regs regs = { .vcpu = vcpu };

	works(ioctl(m->fd, CLASSIC_GET_REGS, &regs));
	return regs;
}

/* vCPU in flat 32-bit protected mode without paging, at CODE_AT. */
static void add_vcpu(struct machine *m, uint32_t vcpu)
{
	struct classic_segment flat = { .limit = 0xffffffff, .type = 3, .present = 1, .db = 1,
					.s = 1, .g = 1, .selector = 16 };
	struct classic_sregs s = { .vcpu = vcpu };
	struct classic_regs regs = { .vcpu = vcpu, .rip = CODE_AT, .rsp = 0x8000 + 0x1000 * vcpu,
				     .rflags = 2 };

	works(ioctl(m->fd, CLASSIC_CREATE_VCPU, vcpu));
	works(ioctl(m->fd, CLASSIC_GET_SREGS, &s));
	s.ds = s.es = s.fs = s.gs = s.ss = s.cs = flat;
	s.cs.type = 11;
	s.cs.selector = 8;
	s.cr0 |= 1;
	works(ioctl(m->fd, CLASSIC_SET_SREGS, &s));
	set_regs(m, &regs);
}

static void start(struct machine *m, const void *code, size_t len)
{
	memset(m, 0, sizeof(*m));
	m->fd = device();
	works(set_region(m->fd, 0, 0, 0, MEMORY));
	m->memory = map(m->fd, 0, MEMORY);
	assert_true(m->memory != MAP_FAILED);
	memcpy(m->memory + CODE_AT, code, len);
	add_vcpu(m, 0);
}

static void end(struct machine *m)
{
	munmap(m->memory, MEMORY);
	close(m->fd);
}

static uint32_t run(struct machine *m)
{
	works(ioctl(m->fd, CLASSIC_RUN, &m->run));
	assert_int_equal(m->run.exit_type, CLASSIC_EXITED);
	assert_int_equal(m->run.emulated, 0);
	assert_int_equal(m->run.mmio_completed, 0);
	return m->run.exit_reason;
}

static uint32_t run_emulated(struct machine *m)
{
	m->run.emulated = 1;
	return run(m);
}

/* ------------------------------------------------------------------------ port */

static void a_port_write_tells_its_value_and_waits_to_be_emulated(void **state)
{
	static const struct { const char *code; size_t len; int size; uint64_t value; } cases[] = {
		{ CODE("\xe6\x10\xf4"), 1, 0x88 },
		{ CODE("\x66\xe7\x10\xf4"), 2, 0x7788 },
		{ CODE("\xe7\x10\xf4"), 4, 0x55667788 },
		{ CODE("\xee\xf4"), 1, 0x88 },
		{ CODE("\x66\xef\xf4"), 2, 0x7788 },
		{ CODE("\xef\xf4"), 4, 0x55667788 },
	};

	for (size_t i = 0; i < 6; i++) {
		struct machine m;
		struct classic_regs regs;

		start(&m, cases[i].code, cases[i].len);
		regs = get_regs(&m, 0);
		regs.rax = 0x1122334455667788;
		regs.rdx = 0x10;
		set_regs(&m, &regs);
		/* not emulated: it is there again */
		for (int again = 0; again < 2; again++) {
			assert_int_equal(run(&m), CLASSIC_EXIT_IO);
			assert_int_equal(m.run.io.direction, CLASSIC_OUT);
			assert_int_equal(m.run.io.size, cases[i].size);
			assert_int_equal(m.run.io.string, 0);
			assert_int_equal(m.run.io.rep, 0);
			assert_int_equal(m.run.io.port, 0x10);
			assert_int_equal(m.run.io.count, 1);
			assert_int_equal(m.run.io.value, cases[i].value);
			assert_int_equal(m.run.instruction_length, cases[i].len - 1);
			assert_int_equal(get_regs(&m, 0).rip, CODE_AT);
		}
		assert_int_equal(run_emulated(&m), CLASSIC_EXIT_HLT);
		assert_int_equal(m.run.instruction_length, 0);
		assert_int_equal(get_regs(&m, 0).rip, CODE_AT + cases[i].len);
		end(&m);
	}
	(void)state;
}

static void a_port_read_is_answered_in_the_registers(void **state)
{
	struct machine m;
	struct classic_regs regs;

	/* in $0x20, %al; hlt */
	start(&m, CODE("\xe4\x20\xf4"));
	assert_int_equal(run(&m), CLASSIC_EXIT_IO);
	assert_int_equal(m.run.io.direction, CLASSIC_IN);
	assert_int_equal(m.run.io.port, 0x20);
	assert_int_equal(m.run.io.value, 0);
	regs = get_regs(&m, 0);
	regs.rax = 0xabcd42;
	set_regs(&m, &regs);
	assert_int_equal(run_emulated(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rax, 0xabcd42);
	end(&m);
	(void)state;
}

static void string_output_gives_the_linear_address_and_the_whole_count(void **state)
{
	struct machine m;
	struct classic_regs regs;
	struct classic_sregs s = {};

	/* rep outsw; hlt, with a base in DS, over more than one page */
	start(&m, CODE("\xfc\x66\xf3\x6f\xf4"));
	works(ioctl(m.fd, CLASSIC_GET_SREGS, &s));
	s.ds.base = 0x10000;
	works(ioctl(m.fd, CLASSIC_SET_SREGS, &s));
	regs = get_regs(&m, 0);
	regs.rsi = 0x234;
	regs.rcx = 5000;
	regs.rdx = 0x3f8;
	set_regs(&m, &regs);
	assert_int_equal(run(&m), CLASSIC_EXIT_IO);
	assert_int_equal(m.run.io.direction, CLASSIC_OUT);
	assert_int_equal(m.run.io.size, 2);
	assert_int_equal(m.run.io.string, 1);
	assert_int_equal(m.run.io.string_down, 0);
	assert_int_equal(m.run.io.rep, 1);
	assert_int_equal(m.run.io.port, 0x3f8);
	assert_int_equal(m.run.io.count, 5000);
	assert_int_equal(m.run.io.address, 0x10234);
	assert_int_equal(m.run.instruction_length, 3);
	/* user space did 4000 of them, then the rest */
	regs = get_regs(&m, 0);
	regs.rsi += 8000;
	regs.rcx -= 4000;
	set_regs(&m, &regs);
	assert_int_equal(run(&m), CLASSIC_EXIT_IO);
	assert_int_equal(m.run.io.count, 1000);
	assert_int_equal(m.run.io.address, 0x10234 + 8000);
	regs.rcx = 0;
	set_regs(&m, &regs);
	assert_int_equal(run_emulated(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 5);
	end(&m);
	(void)state;
}

static void string_input_downwards_says_so(void **state)
{
	struct machine m;
	struct classic_regs regs;

	/* std; insl; hlt */
	start(&m, CODE("\xfd\x6d\xf4"));
	regs = get_regs(&m, 0);
	regs.rdi = 0x5000;
	regs.rcx = 77;
	regs.rdx = 0x60;
	set_regs(&m, &regs);
	assert_int_equal(run(&m), CLASSIC_EXIT_IO);
	assert_int_equal(m.run.io.direction, CLASSIC_IN);
	assert_int_equal(m.run.io.size, 4);
	assert_int_equal(m.run.io.string, 1);
	assert_int_equal(m.run.io.string_down, 1);
	assert_int_equal(m.run.io.rep, 0);
	assert_int_equal(m.run.io.count, 1);
	assert_int_equal(m.run.io.address, 0x5000);
	assert_int_equal(run_emulated(&m), CLASSIC_EXIT_HLT);
	end(&m);
	(void)state;
}

/* ------------------------------------------------------------------------ MMIO */

static void an_mmio_read_takes_its_answer_from_the_struct(void **state)
{
	struct machine m;

	/* mov MMIO + 8, %eax; hlt */
	start(&m, CODE("\xa1\x08\x00\x20\x00\xf4"));
	for (int again = 0; again < 2; again++) {
		assert_int_equal(run(&m), CLASSIC_EXIT_MMIO);
		assert_int_equal(m.run.mmio.phys_addr, MMIO + 8);
		assert_int_equal(m.run.mmio.len, 4);
		assert_int_equal(m.run.mmio.is_write, 0);
		assert_int_equal(m.run.instruction_length, 5);
		assert_int_equal(get_regs(&m, 0).rip, CODE_AT);
	}
	memcpy(m.run.mmio.data, "\x78\x56\x34\x12", 4);
	m.run.mmio_completed = 1;
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rax, 0x12345678);
	end(&m);
	(void)state;
}

static void an_mmio_read_that_user_space_emulates_is_skipped(void **state)
{
	struct machine m;
	struct classic_regs regs;

	start(&m, CODE("\xa1\x08\x00\x20\x00\xf4"));
	assert_int_equal(run(&m), CLASSIC_EXIT_MMIO);
	regs = get_regs(&m, 0);
	regs.rax = 99;
	set_regs(&m, &regs);
	assert_int_equal(run_emulated(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rax, 99);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 6);
	end(&m);
	(void)state;
}

static void an_mmio_write_is_over_when_it_is_told(void **state)
{
	/* whatever user space says to it: mov %ax, MMIO; inc %eax; hlt */
	for (int answer = 0; answer < 4; answer++) {
		struct machine m;
		struct classic_regs regs;

		start(&m, CODE("\x66\xa3\x00\x00\x20\x00\x40\xf4"));
		regs = get_regs(&m, 0);
		regs.rax = 0x1234;
		set_regs(&m, &regs);
		assert_int_equal(run(&m), CLASSIC_EXIT_MMIO);
		assert_int_equal(m.run.mmio.phys_addr, MMIO);
		assert_int_equal(m.run.mmio.len, 2);
		assert_int_equal(m.run.mmio.is_write, 1);
		assert_memory_equal(m.run.mmio.data, "\x34\x12\0\0\0\0\0\0", 8);
		assert_int_equal(m.run.instruction_length, 0);
		assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 6);
		m.run.emulated = answer & 1;
		m.run.mmio_completed = answer >> 1;
		assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
		assert_int_equal(get_regs(&m, 0).rax, 0x1235);
		end(&m);
	}
	(void)state;
}

static void an_access_across_pages_comes_in_pieces(void **state)
{
	struct machine m;

	/* mov MMIO + 0xffe, %eax; mov %eax, MMIO + 0x1ffd; hlt */
	start(&m, CODE("\xa1\xfe\x0f\x20\x00\xa3\xfd\x1f\x20\x00\xf4"));
	assert_int_equal(run(&m), CLASSIC_EXIT_MMIO);
	assert_int_equal(m.run.mmio.phys_addr, MMIO + 0xffe);
	assert_int_equal(m.run.mmio.len, 2);
	memcpy(m.run.mmio.data, "\x11\x22", 2);
	m.run.mmio_completed = 1;
	assert_int_equal(run(&m), CLASSIC_EXIT_MMIO);
	assert_int_equal(m.run.mmio.phys_addr, MMIO + 0x1000);
	assert_int_equal(m.run.mmio.len, 2);
	memcpy(m.run.mmio.data, "\x33\x44", 2);
	m.run.mmio_completed = 1;
	assert_int_equal(run(&m), CLASSIC_EXIT_MMIO);
	assert_int_equal(m.run.mmio.is_write, 1);
	assert_int_equal(m.run.mmio.phys_addr, MMIO + 0x1ffd);
	assert_int_equal(m.run.mmio.len, 3);
	assert_memory_equal(m.run.mmio.data, "\x11\x22\x33", 3);
	assert_int_equal(run(&m), CLASSIC_EXIT_MMIO);
	assert_int_equal(m.run.mmio.phys_addr, MMIO + 0x2000);
	assert_int_equal(m.run.mmio.len, 1);
	assert_int_equal(m.run.mmio.data[0], 0x44);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	end(&m);
	(void)state;
}

/* ----------------------------------------------------------------- other exits */

static void cpuid_is_for_user_space(void **state)
{
	struct machine m;
	struct classic_regs regs;

	/* mov $7, %eax; cpuid; hlt */
	start(&m, CODE("\xb8\x07\x00\x00\x00\x0f\xa2\xf4"));
	assert_int_equal(run(&m), CLASSIC_EXIT_CPUID);
	assert_int_equal(m.run.instruction_length, 2);
	regs = get_regs(&m, 0);
	assert_int_equal(regs.rip, CODE_AT + 5);
	assert_int_equal(regs.rax, 7);
	regs.rbx = 0x1234;
	set_regs(&m, &regs);
	assert_int_equal(run_emulated(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rbx, 0x1234);
	end(&m);
	(void)state;
}

static void a_halt_leaves_rip_behind_it_whether_emulated_or_not(void **state)
{
	struct machine m;

	/* hlt; inc %eax; hlt; inc %eax; hlt */
	start(&m, CODE("\xf4\x40\xf4\x40\xf4"));
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 1);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(run_emulated(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rax, 2);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 5);
	end(&m);
	(void)state;
}

static void a_triple_fault_is_unknown_with_a_reason(void **state)
{
	struct machine m;

	/* ud2, with no interrupt table to find a handler in */
	start(&m, CODE("\x0f\x0b"));
	struct classic_sregs s = {};

	works(ioctl(m.fd, CLASSIC_GET_SREGS, &s));
	s.idt.limit = 0;
	works(ioctl(m.fd, CLASSIC_SET_SREGS, &s));
	assert_int_equal(run(&m), CLASSIC_EXIT_UNKNOWN);
	assert_int_equal(m.run.hw.reason, KVM_EXIT_SHUTDOWN);
	end(&m);
	(void)state;
}

static void code_where_no_memory_is_is_unknown_with_a_reason(void **state)
{
	struct machine m;
	struct classic_regs regs;

	start(&m, CODE("\xf4"));
	regs = get_regs(&m, 0);
	regs.rip = MMIO;
	set_regs(&m, &regs);
	assert_int_equal(run(&m), CLASSIC_EXIT_UNKNOWN);
	assert_int_equal(m.run.hw.reason, KVM_EXIT_INTERNAL_ERROR);
	end(&m);
	(void)state;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void a_signal_ends_run_with_eintr_and_an_answer_is_taken_once(void **state)
{
	struct sigaction act = { .sa_handler = on_signal }, old;
	struct itimerval timer = { .it_value.tv_usec = 50000, .it_interval.tv_usec = 50000 };
	struct itimerval off = {};
	struct machine m;

	/* out %al, $0x10; 1: inc %eax; jmp 1b */
	start(&m, CODE("\xe6\x10\x40\xeb\xfd"));
	assert_int_equal(run(&m), CLASSIC_EXIT_IO);
	m.run.emulated = 1;
	sigaction(SIGALRM, &act, &old);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < 3; i++) {
		fails(ioctl(m.fd, CLASSIC_RUN, &m.run), EINTR);
		assert_int_equal(m.run.exit_type, 0);
		assert_int_equal(m.run.emulated, 0);
		assert_in_range(get_regs(&m, 0).rip, CODE_AT + 2, CODE_AT + 3);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &old, NULL);
	assert_true(get_regs(&m, 0).rax > 0);
	end(&m);
	(void)state;
}

/* ------------------------------------------------------------------- registers */

static void every_general_register_comes_back_as_set_and_reaches_the_guest(void **state)
{
	struct machine m;
	struct classic_regs in = { .rax = 1, .rbx = 2, .rcx = 3, .rdx = 4, .rsi = 5, .rdi = 6,
				   .rsp = 7, .rbp = 8, .r8 = 9, .r9 = 10, .r10 = 11, .r11 = 12,
				   .r12 = 13, .r13 = 14, .r14 = 15, .r15 = 16, .rip = CODE_AT,
				   .rflags = 0x246 };
	struct classic_regs out;

	/* inc %eax, %ecx, %edx, %ebx, %esp, %ebp, %esi, %edi; hlt */
	start(&m, CODE("\x40\x41\x42\x43\x44\x45\x46\x47\xf4"));
	set_regs(&m, &in);
	out = get_regs(&m, 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	out = get_regs(&m, 0);
	assert_memory_equal(((uint64_t[]){ out.rax, out.rbx, out.rcx, out.rdx, out.rsi, out.rdi,
					   out.rsp, out.rbp }),
			    ((uint64_t[]){ 2, 3, 4, 5, 6, 7, 8, 9 }), 64);
	assert_memory_equal(&out.r8, &in.r8, 64);
	end(&m);
	(void)state;
}

static void system_registers_come_back_as_set(void **state)
{
	struct machine m;
	struct classic_sregs in = {}, out = {};

	start(&m, CODE("\xf4"));
	works(ioctl(m.fd, CLASSIC_GET_SREGS, &in));
	assert_int_equal(in.cs.selector, 8);
	assert_int_equal(in.cs.limit, 0xffffffff);
	assert_int_equal(in.apic_base, 0xfee00900);
	in.es.base = 0x1000;
	in.fs.base = 0x2000;
	in.gs.limit = 0xfffff;
	in.gs.g = 0;	/* as the limit has it */
	in.ldt.base = 0x3000;
	in.tr.base = 0x4000;
	in.gdt = (struct classic_dtable){ .base = 0x5000, .limit = 0x17 };
	in.idt = (struct classic_dtable){ .base = 0x6000, .limit = 0x7ff };
	in.cr2 = 0x1234;
	in.cr3 = 0x7000;
	in.cr4 = 0x10;
	in.cr8 = 3;
	in.efer = 1;
	works(ioctl(m.fd, CLASSIC_SET_SREGS, &in));
	works(ioctl(m.fd, CLASSIC_GET_SREGS, &out));
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	works(ioctl(m.fd, CLASSIC_GET_SREGS, &out));
	assert_int_equal(out.cr8, 3);
	/* paging without protection is no state of a processor */
	in.cr0 = 0x80000000;
	fails(ioctl(m.fd, CLASSIC_SET_SREGS, &in), EINVAL);
	end(&m);
	(void)state;
}

static void long_mode_is_entered_by_the_system_registers(void **state)
{
	struct machine m;
	struct classic_sregs s = {};
	struct classic_regs regs;

	/* mov %rax, MMIO; inc %r15; hlt */
	start(&m, CODE("\x48\x89\x04\x25\x00\x00\x20\x00\x49\xff\xc7\xf4"));
	*(uint64_t *)(m.memory + 0x10000) = 0x11003;
	*(uint64_t *)(m.memory + 0x11000) = 0x12003;
	*(uint64_t *)(m.memory + 0x12000) = 0x83;	/* 2 MiB pages */
	*(uint64_t *)(m.memory + 0x12008) = 0x200083;
	works(ioctl(m.fd, CLASSIC_GET_SREGS, &s));
	s.cr3 = 0x10000;
	s.cr4 = 0x20;
	s.efer = 0x500;
	s.cr0 |= 0x80000000;
	s.cs.l = 1;
	s.cs.db = 0;
	works(ioctl(m.fd, CLASSIC_SET_SREGS, &s));
	regs = get_regs(&m, 0);
	regs.rax = 0x1122334455667788;
	regs.r15 = 0xffffffff;
	set_regs(&m, &regs);
	assert_int_equal(run(&m), CLASSIC_EXIT_MMIO);
	assert_int_equal(m.run.mmio.phys_addr, MMIO);
	assert_int_equal(m.run.mmio.len, 8);
	assert_memory_equal(m.run.mmio.data, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).r15, 0x100000000);
	end(&m);
	(void)state;
}

static void translate_tells_where_and_for_whom(void **state)
{
	/* 32-bit pages: 0 user, 1 kernel, 2 read-only, 3 not there */
	static const struct { uint32_t entry; int valid, writeable, usermode; } cases[] = {
		{ 0x5007, 1, 1, 1 }, { 0x6003, 1, 1, 0 }, { 0x7005, 1, 0, 1 }, { 0, 0, 0, 0 },
	};
	struct machine m;
	struct classic_sregs s = {};
	uint32_t *directory, *table;

	start(&m, CODE("\xf4"));
	directory = (uint32_t *)(m.memory + 0x10000);
	table = (uint32_t *)(m.memory + 0x11000);
	directory[0] = 0x11007;
	for (int i = 0; i < 4; i++)
		table[i] = cases[i].entry;
	works(ioctl(m.fd, CLASSIC_GET_SREGS, &s));
	s.cr3 = 0x10000;
	s.cr0 |= 0x80010000;	/* PG, WP */
	works(ioctl(m.fd, CLASSIC_SET_SREGS, &s));
	for (int i = 0; i < 4; i++) {
		struct classic_translation t = { .linear_address = i * 0x1000 + 0x123 };

		works(ioctl(m.fd, CLASSIC_TRANSLATE, &t));
		assert_int_equal(t.valid, cases[i].valid);
		assert_int_equal(t.physical_address,
				 cases[i].valid ? (cases[i].entry & ~0xfff) + 0x123 : ~0ull);
		assert_int_equal(t.writeable, cases[i].writeable);
		assert_int_equal(t.usermode, cases[i].usermode);
	}
	end(&m);
	(void)state;
}

/* ------------------------------------------------------------------ interrupts */

/* Handlers for vectors 0x30 and 0x40 (real mode) that note their number at 0x600 on. */
static void interruptible(struct machine *m, const void *code, size_t len)
{
	/* mov $0x30, %al; jmp 1f; mov $0x40, %al; 1: mov 0x600, %bx; mov %al, (%bx);
	 * incw 0x600; iret */
	static const char handlers[] = "\xb0\x30\xeb\x02\xb0\x40\x8b\x1e\x00\x06\x88\x07\xff\x06\x00\x06\xcf";
	struct classic_sregs s = {};

	start(m, code, len);
	works(ioctl(m->fd, CLASSIC_GET_SREGS, &s));
	s.cr0 &= ~1ull;
	s.cs.base = s.cs.selector = 0;
	s.ds = s.es = s.fs = s.gs = s.ss = s.cs;
	s.ds.type = s.ss.type = 3;
	s.cs.db = s.ss.db = 0;
	works(ioctl(m->fd, CLASSIC_SET_SREGS, &s));
	memcpy(m->memory + 0x2000, handlers, sizeof(handlers) - 1);
	memcpy(m->memory + 0x30 * 4, "\x00\x20\x00\x00", 4);
	memcpy(m->memory + 0x40 * 4, "\x04\x20\x00\x00", 4);
	memcpy(m->memory + 0x600, "\x02\x06", 2);
}

static uint64_t pending_int(struct machine *m)
{
	struct classic_sregs s = {};

	works(ioctl(m->fd, CLASSIC_GET_SREGS, &s));
	return s.pending_int;
}

static void interrupt(struct machine *m, uint32_t irq)
{
	struct classic_interrupt i = { .irq = irq };

	works(ioctl(m->fd, CLASSIC_INTERRUPT, &i));
}

static void interrupts_wait_until_the_guest_takes_them_the_highest_first(void **state)
{
	struct machine m;

	/* out %al, $0x10; sti; nop; nop; hlt */
	interruptible(&m, CODE("\xe6\x10\xfb\x90\x90\xf4"));
	assert_int_equal(pending_int(&m), 0);
	interrupt(&m, 0x30);
	interrupt(&m, 0x40);
	assert_int_equal(pending_int(&m), 1);
	assert_int_equal(run(&m), CLASSIC_EXIT_IO);
	assert_int_equal(pending_int(&m), 1);
	assert_memory_equal(m.memory + 0x600, "\x02\x06\0\0", 4);
	assert_int_equal(run_emulated(&m), CLASSIC_EXIT_HLT);
	assert_memory_equal(m.memory + 0x600, "\x04\x06\x40\x30", 4);
	assert_int_equal(pending_int(&m), 0);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 6);
	end(&m);
	(void)state;
}

static void an_interrupt_that_waits_ends_a_halt_in_its_shadow(void **state)
{
	struct machine m;

	/* sti; hlt; cli; hlt */
	interruptible(&m, CODE("\xfb\xf4\xfa\xf4"));
	interrupt(&m, 0x30);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 4);
	assert_memory_equal(m.memory + 0x600, "\x03\x06\x30", 3);
	/* no one takes it here */
	interrupt(&m, 0x30);
	struct classic_regs regs = get_regs(&m, 0);
	regs.rip = CODE_AT + 2;
	set_regs(&m, &regs);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(pending_int(&m), 1);
	end(&m);
	(void)state;
}

/* ----------------------------------------------------------------------- debug */

static void single_steps_stop_behind_each_instruction(void **state)
{
	struct classic_debug_guest d = { .enabled = 1, .singlestep = 1 };
	struct machine m;

	/* inc %eax; inc %eax; out %al, $0x10; inc %eax; hlt */
	start(&m, CODE("\x40\x40\xe6\x10\x40\xf4"));
	works(ioctl(m.fd, CLASSIC_DEBUG_GUEST, &d));
	assert_int_equal(run(&m), CLASSIC_EXIT_DEBUG);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 1);
	assert_int_equal(run(&m), CLASSIC_EXIT_DEBUG);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 2);
	assert_int_equal(run(&m), CLASSIC_EXIT_IO);
	assert_int_equal(run_emulated(&m), CLASSIC_EXIT_DEBUG);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 4);
	d.enabled = 0;
	works(ioctl(m.fd, CLASSIC_DEBUG_GUEST, &d));
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rax, 3);
	end(&m);
	(void)state;
}

static void a_step_that_is_not_waited_for_does_not_reach_the_guest(void **state)
{
	struct classic_debug_guest d = { .enabled = 1, .singlestep = 1 };
	struct classic_regs regs;
	struct machine m;

	/* hlt; nop; inc %eax; hlt: a #DB would end it by a triple fault */
	start(&m, CODE("\xf4\x90\x40\xf4"));
	works(ioctl(m.fd, CLASSIC_DEBUG_GUEST, &d));
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	regs = get_regs(&m, 0);
	d.enabled = 0;
	works(ioctl(m.fd, CLASSIC_DEBUG_GUEST, &d));
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	/* and not to one who goes on elsewhere */
	d.enabled = 1;
	works(ioctl(m.fd, CLASSIC_DEBUG_GUEST, &d));
	regs.rip = CODE_AT;
	set_regs(&m, &regs);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	regs.rip = CODE_AT + 2;
	regs.rax = 5;
	set_regs(&m, &regs);
	assert_int_equal(run(&m), CLASSIC_EXIT_DEBUG);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 3);
	assert_int_equal(get_regs(&m, 0).rax, 6);
	end(&m);
	(void)state;
}

static void need_breakpoints(void)
{
	if (guest_cpu_is_qemus()) {
		print_message("this CPU is QEMU's, whose VMRUN leaves breakpoints out\n");
		skip();
	}
}

static void each_of_four_breakpoints_stops_before_its_instruction(void **state)
{
	struct classic_debug_guest d = { .enabled = 1 };
	struct machine m;

	need_breakpoints();
	/* 1: nop x 6; jmp 1b */
	start(&m, CODE("\x90\x90\x90\x90\x90\x90\xeb\xf8"));
	for (int i = 0; i < 4; i++) {
		d.breakpoints[i].enabled = 1;
		d.breakpoints[i].address = CODE_AT + 1 + i;
	}
	works(ioctl(m.fd, CLASSIC_DEBUG_GUEST, &d));
	for (int i = 0; i < 9; i++) {
		assert_int_equal(run(&m), CLASSIC_EXIT_DEBUG);
		assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 1 + i % 4);
	}
	/* only the enabled ones */
	d.breakpoints[0].enabled = d.breakpoints[1].enabled = d.breakpoints[3].enabled = 0;
	works(ioctl(m.fd, CLASSIC_DEBUG_GUEST, &d));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run(&m), CLASSIC_EXIT_DEBUG);
		assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 3);
	}
	end(&m);
	(void)state;
}

static void a_breakpoint_behind_an_emulated_instruction_stops(void **state)
{
	struct classic_debug_guest d = { .enabled = 1 };
	struct machine m;

	need_breakpoints();
	/* out %al, $0x10; hlt: breakpoints on both */
	start(&m, CODE("\xe6\x10\xf4"));
	d.breakpoints[0].enabled = d.breakpoints[1].enabled = 1;
	d.breakpoints[0].address = CODE_AT;
	d.breakpoints[1].address = CODE_AT + 2;
	works(ioctl(m.fd, CLASSIC_DEBUG_GUEST, &d));
	assert_int_equal(run(&m), CLASSIC_EXIT_DEBUG);
	assert_int_equal(run(&m), CLASSIC_EXIT_IO);
	assert_int_equal(run_emulated(&m), CLASSIC_EXIT_DEBUG);
	assert_int_equal(get_regs(&m, 0).rip, CODE_AT + 2);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	end(&m);
	(void)state;
}

/* ---------------------------------------------------------------------- memory */

static void memory_is_zeroed_and_the_same_for_guest_and_process(void **state)
{
	struct machine m;
	uint8_t *again;

	/* mov 0x9000, %eax; inc %eax; mov %eax, 0xfff00; hlt */
	start(&m, CODE("\xa1\x00\x90\x00\x00\x40\xa3\x00\xff\x0f\x00\xf4"));
	for (size_t i = 0x2000; i < MEMORY; i++)
		assert_int_equal(m.memory[i], 0);
	memcpy(m.memory + 0x9000, "\x41\0\0\0", 4);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(m.memory[0xfff00], 0x42);
	/* any part of it, as often as wanted */
	again = map(m.fd, 0xff000, 4096);
	assert_true(again != MAP_FAILED);
	assert_int_equal(again[0xf00], 0x42);
	munmap(again, 4096);
	end(&m);
	(void)state;
}

static void mmap_is_for_addresses_that_are_in_regions(void **state)
{
	int fd = device();
	uint8_t *memory;

	fails((long)map(fd, 0, 4096), ENXIO);
	works(set_region(fd, 3, 0, 0, 0xa0000));
	works(set_region(fd, 0, 0, 0xc0000, 0x40000));
	fails((long)map(fd, 0xa0000, 4096), ENXIO);
	fails((long)map(fd, 0x9f000, 0x2000), ENXIO);
	fails((long)map(fd, 1ull << 60, 4096), ENXIO);
	fails((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), EINVAL);
	/* all at once, as the posting's user space did, with the hole between */
	memory = map(fd, 0, 0x100000);
	assert_true(memory != MAP_FAILED);
	memory[0xff000] = 5;
	munmap(memory, 0x100000);
	memory = map(fd, 0xff000, 4096);
	assert_int_equal(memory[0], 5);
	munmap(memory, 4096);
	close(fd);
	(void)state;
}

static void a_region_that_is_not_sound_is_refused(void **state)
{
	int fd = device();

	fails(set_region(fd, 0, 0, 0, 0x1001), EINVAL);
	fails(set_region(fd, 0, 0, 0x10, 0x1000), EINVAL);
	fails(set_region(fd, 0, 2, 0, 0x1000), EINVAL);
	fails(set_region(fd, 100000, 0, 0, 0x1000), EINVAL);
	fails(set_region(fd, 0, 0, 0, 0), EINVAL);
	fails(set_region(fd, 0, 0, 1ull << 48, 0x1000), EINVAL);
	fails(set_region(fd, 0, 0, -0x1000ull, 0x2000), EINVAL);
	fails(set_region(fd, 0, 0, 0, -0x1000ull), EINVAL);
	fails(ioctl(fd, CLASSIC_SET_MEMORY_REGION, NULL), EFAULT);
	works(set_region(fd, 0, 0, 0x10000, 0x10000));
	fails(set_region(fd, 1, 0, 0x1f000, 0x2000), EEXIST);
	fails(set_region(fd, 0, 0, 0x10000, 0x8000), EINVAL);
	fails(set_region(fd, 0, 0, 0x20000, 0x10000), EINVAL);
	works(set_region(fd, 1, 0, 0x20000, 0x1000));
	/* and the one that is there is as it was */
	works(set_region(fd, 0, 0, 0x10000, 0x10000));
	close(fd);
	(void)state;
}

#define NEARLY (4 << 10)	/* KiB: the kernel sums it up per CPU, now and then */

/* Of the whole machine, in KiB. */
static long shmem(void)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Shmem: %ld", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

static void a_removed_region_gives_its_memory_back(void **state)
{
	int fd = device();
	const size_t size = 64 << 20;
	long before = shmem();
	uint8_t *memory;

	works(set_region(fd, 0, 0, 0, size));
	memory = map(fd, 0, size);
	memset(memory, 7, size);
	assert_true(labs(shmem() - before - (64 << 10)) < NEARLY);
	works(set_region(fd, 0, 0, 0, 0));
	assert_true(labs(shmem() - before) < NEARLY);
	fails((long)map(fd, 0, 4096), ENXIO);
	/* what comes there next is new, also where it was mapped before */
	works(set_region(fd, 5, 0, 0, size));
	assert_int_equal(memory[0x1000], 0);
	munmap(memory, size);
	close(fd);
	(void)state;
}

static void a_guest_loses_what_is_removed(void **state)
{
	struct machine m;

	/* mov MMIO, %eax; jmp . - 5 */
	start(&m, CODE("\xa1\x00\x00\x20\x00\xf4\xeb\xf8"));
	works(set_region(m.fd, 1, 0, MMIO, 0x1000));
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	works(set_region(m.fd, 1, 0, MMIO, 0));
	assert_int_equal(run(&m), CLASSIC_EXIT_MMIO);
	assert_int_equal(m.run.mmio.phys_addr, MMIO);
	end(&m);
	(void)state;
}

static void what_the_process_gives_back_is_zero_for_the_guest(void **state)
{
	struct machine m;

	/* 1: incl 0x9000; mov 0x9000, %eax; hlt; jmp 1b */
	start(&m, CODE("\xff\x05\x00\x90\x00\x00\xa1\x00\x90\x00\x00\xf4\xeb\xf2"));
	for (int i = 1; i < 4; i++) {
		assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
		assert_int_equal(get_regs(&m, 0).rax, i);
	}
	works(madvise(m.memory + 0x9000, 4096, MADV_REMOVE));
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&m, 0).rax, 1);
	end(&m);
	(void)state;
}

static void the_dirty_log_has_the_written_pages_once(void **state)
{
	struct machine m;
	uint8_t bits[4];
	struct classic_dirty_log log = { .slot = 1, .bitmap = bits };

	/* mov %al, MMIO + 0x1000; mov %al, MMIO + 0x9000; mov MMIO + 0x3000, %al; hlt; then a write to page 2 */
	start(&m, CODE("\xa2\x00\x10\x20\x00\xa2\x00\x90\x20\x00\xa0\x00\x30\x20\x00\xf4"
		       "\xa2\x00\x20\x20\x00\xf4"));
	fails(ioctl(m.fd, CLASSIC_GET_DIRTY_LOG, &log), ENOENT);
	works(set_region(m.fd, 1, 0, MMIO, 10 * 4096));
	fails(ioctl(m.fd, CLASSIC_GET_DIRTY_LOG, &log), ENOENT);
	works(set_region(m.fd, 1, CLASSIC_LOG_DIRTY, MMIO, 10 * 4096));
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	memset(bits, 0xaa, sizeof(bits));
	works(ioctl(m.fd, CLASSIC_GET_DIRTY_LOG, &log));
	/* ten pages are two bytes, and no more of the bitmap is touched */
	assert_memory_equal(bits, "\x02\x02\xaa\xaa", 4);
	works(ioctl(m.fd, CLASSIC_GET_DIRTY_LOG, &log));
	assert_memory_equal(bits, "\0\0\xaa\xaa", 4);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	works(ioctl(m.fd, CLASSIC_GET_DIRTY_LOG, &log));
	assert_memory_equal(bits, "\x04\0\xaa\xaa", 4);
	log.bitmap = NULL;
	fails(ioctl(m.fd, CLASSIC_GET_DIRTY_LOG, &log), EFAULT);
	log.slot = 100000;
	fails(ioctl(m.fd, CLASSIC_GET_DIRTY_LOG, &log), EINVAL);
	end(&m);
	(void)state;
}

/* ------------------------------------------------------------------------ life */

static void a_call_names_a_vcpu_that_is_there(void **state)
{
	struct machine m = { .fd = device() };
	struct classic_translation t = { .vcpu = 1 };
	struct classic_regs regs = { .vcpu = 1 };
	struct classic_interrupt i = { .irq = 256 };

	fails(ioctl(m.fd, CLASSIC_RUN, &m.run), ENOENT);
	works(ioctl(m.fd, CLASSIC_CREATE_VCPU, 0));
	fails(ioctl(m.fd, CLASSIC_CREATE_VCPU, 0), EEXIST);
	fails(ioctl(m.fd, CLASSIC_CREATE_VCPU, -1), EINVAL);
	fails(ioctl(m.fd, CLASSIC_GET_REGS, &regs), ENOENT);
	fails(ioctl(m.fd, CLASSIC_SET_REGS, &regs), ENOENT);
	fails(ioctl(m.fd, CLASSIC_TRANSLATE, &t), ENOENT);
	regs.vcpu = 1 << 20;
	fails(ioctl(m.fd, CLASSIC_GET_REGS, &regs), EINVAL);
	fails(ioctl(m.fd, CLASSIC_INTERRUPT, &i), EINVAL);
	fails(ioctl(m.fd, CLASSIC_GET_REGS, NULL), EFAULT);
	fails(ioctl(m.fd, CLASSIC_RUN, NULL), EFAULT);
	fails(ioctl(m.fd, CLASSIC_DEBUG_GUEST, 4096), EFAULT);
	/* the right number with a wrong size is no call */
	fails(ioctl(m.fd, _IOWR(0xae, 2, struct classic_regs), &m.run), EINVAL);
	close(m.fd);
	(void)state;
}

static void an_open_is_a_vm_of_its_own(void **state)
{
	struct machine a, b;
	struct classic_regs regs;

	start(&a, CODE("\xf4"));
	start(&b, CODE("\x40\xf4"));
	regs = get_regs(&a, 0);
	regs.rax = 70;
	set_regs(&a, &regs);
	assert_int_equal(run(&b), CLASSIC_EXIT_HLT);
	assert_int_equal(run(&a), CLASSIC_EXIT_HLT);
	assert_int_equal(get_regs(&a, 0).rax, 70);
	assert_int_equal(get_regs(&b, 0).rax, 1);
	assert_int_equal(a.memory[CODE_AT], 0xf4);
	end(&a);
	assert_int_equal(get_regs(&b, 0).rax, 1);
	end(&b);
	(void)state;
}

static void todays_calls_work_on_the_same_open(void **state)
{
	struct machine m;
	int vm;

	start(&m, CODE("\xf4"));
	assert_int_equal(ioctl(m.fd, KVM_GET_API_VERSION, 0), 12);
	assert_int_equal(ioctl(m.fd, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), 1);
	vm = ioctl(m.fd, KVM_CREATE_VM, 0);
	assert_true(vm >= 0);
	assert_true(ioctl(vm, KVM_CREATE_VCPU, 0) >= 0);
	/* and the other way round there are none */
	fails(ioctl(vm, CLASSIC_RUN, &m.run), ENOTTY);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	close(vm);
	end(&m);
	(void)state;
}

static void another_process_cannot_use_the_vm(void **state)
{
	struct machine m;
	int status;

	start(&m, CODE("\xf4"));
	if (!fork()) {
		struct classic_regs regs = {};

		_exit(ioctl(m.fd, CLASSIC_GET_REGS, &regs) == -1 ? errno : 0);
	}
	assert_true(wait(&status) > 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EIO);
	assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
	end(&m);
	(void)state;
}

static int mappings(void)
{
	char line[512];
	int n = 0;
	FILE *f = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), f))
		n += strstr(line, "kvm-memory") != NULL;
	fclose(f);
	return n;
}

static void closing_frees_everything_but_what_is_still_mapped(void **state)
{
	long before = shmem();
	struct machine m;
	int mapped = mappings();

	for (int i = 0; i < 50; i++) {
		start(&m, CODE("\xf4"));
		memset(m.memory + 0x10000, 1, MEMORY - 0x10000);
		assert_int_equal(run(&m), CLASSIC_EXIT_HLT);
		close(m.fd);
		assert_int_equal(mappings(), mapped + 1);
		assert_int_equal(m.memory[CODE_AT], 0xf4);
		munmap(m.memory, MEMORY);
		assert_int_equal(mappings(), mapped);
	}
	/* it was 50 MiB */
	assert_true(labs(shmem() - before) < NEARLY);
	(void)state;
}

static void *run_until_halt(void *arg)
{
	struct machine *m = arg;

	while (ioctl(m->fd, CLASSIC_RUN, &m->run) == -1 && errno == EINTR)
		;
	return NULL;
}

static void two_vcpus_share_one_memory(void **state)
{
	struct machine m, other;
	struct classic_regs regs;
	pthread_t thread;

	/*
	 * each: mov $20000, %ecx; 1: lock incl 0x9000; loop 1b; lock incl 0x9004;
	 * 2: pause; cmpl $2, 0x9004; jne 2b; hlt
	 */
	start(&m, CODE("\xb9\x20\x4e\x00\x00\xf0\xff\x05\x00\x90\x00\x00\xe2\xf7"
		       "\xf0\xff\x05\x04\x90\x00\x00"
		       "\xf3\x90\x83\x3d\x04\x90\x00\x00\x02\x75\xf5\xf4"));
	add_vcpu(&m, 1);
	other = m;
	other.run.vcpu = 1;
	regs = get_regs(&m, 1);
	assert_int_equal(regs.rip, CODE_AT);
	works(pthread_create(&thread, NULL, run_until_halt, &other));
	run_until_halt(&m);
	works(pthread_join(thread, NULL));
	assert_int_equal(m.run.exit_reason, CLASSIC_EXIT_HLT);
	assert_int_equal(other.run.exit_reason, CLASSIC_EXIT_HLT);
	assert_int_equal(other.run.vcpu, 1);
	assert_int_equal(*(uint32_t *)(m.memory + 0x9000), 40000);
	assert_int_equal(get_regs(&m, 1).rip, get_regs(&m, 0).rip);
	end(&m);
	(void)state;
}

static void *first_call(void *arg)
{
	return (void *)(long)ioctl(*(int *)arg, CLASSIC_CREATE_VCPU, 0);
}

static void of_two_first_calls_at_once_one_makes_the_vm(void **state)
{
	for (int i = 0; i < 30; i++) {
		int fd = device();
		pthread_t thread[2];
		void *result[2];

		for (int j = 0; j < 2; j++)
			works(pthread_create(&thread[j], NULL, first_call, &fd));
		for (int j = 0; j < 2; j++)
			works(pthread_join(thread[j], &result[j]));
		/* the same vCPU in the same VM: one comes second */
		assert_int_equal((long)result[0] + (long)result[1], -1);
		close(fd);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_write_tells_its_value_and_waits_to_be_emulated),
		cmocka_unit_test(a_port_read_is_answered_in_the_registers),
		cmocka_unit_test(string_output_gives_the_linear_address_and_the_whole_count),
		cmocka_unit_test(string_input_downwards_says_so),
		cmocka_unit_test(an_mmio_read_takes_its_answer_from_the_struct),
		cmocka_unit_test(an_mmio_read_that_user_space_emulates_is_skipped),
		cmocka_unit_test(an_mmio_write_is_over_when_it_is_told),
		cmocka_unit_test(an_access_across_pages_comes_in_pieces),
		cmocka_unit_test(cpuid_is_for_user_space),
		cmocka_unit_test(a_halt_leaves_rip_behind_it_whether_emulated_or_not),
		cmocka_unit_test(a_triple_fault_is_unknown_with_a_reason),
		cmocka_unit_test(code_where_no_memory_is_is_unknown_with_a_reason),
		cmocka_unit_test(a_signal_ends_run_with_eintr_and_an_answer_is_taken_once),
		cmocka_unit_test(every_general_register_comes_back_as_set_and_reaches_the_guest),
		cmocka_unit_test(system_registers_come_back_as_set),
		cmocka_unit_test(long_mode_is_entered_by_the_system_registers),
		cmocka_unit_test(translate_tells_where_and_for_whom),
		cmocka_unit_test(interrupts_wait_until_the_guest_takes_them_the_highest_first),
		cmocka_unit_test(an_interrupt_that_waits_ends_a_halt_in_its_shadow),
		cmocka_unit_test(single_steps_stop_behind_each_instruction),
		cmocka_unit_test(a_step_that_is_not_waited_for_does_not_reach_the_guest),
		cmocka_unit_test(each_of_four_breakpoints_stops_before_its_instruction),
		cmocka_unit_test(a_breakpoint_behind_an_emulated_instruction_stops),
		cmocka_unit_test(memory_is_zeroed_and_the_same_for_guest_and_process),
		cmocka_unit_test(mmap_is_for_addresses_that_are_in_regions),
		cmocka_unit_test(a_region_that_is_not_sound_is_refused),
		cmocka_unit_test(a_removed_region_gives_its_memory_back),
		cmocka_unit_test(a_guest_loses_what_is_removed),
		cmocka_unit_test(what_the_process_gives_back_is_zero_for_the_guest),
		cmocka_unit_test(the_dirty_log_has_the_written_pages_once),
		cmocka_unit_test(a_call_names_a_vcpu_that_is_there),
		cmocka_unit_test(an_open_is_a_vm_of_its_own),
		cmocka_unit_test(todays_calls_work_on_the_same_open),
		cmocka_unit_test(another_process_cannot_use_the_vm),
		cmocka_unit_test(closing_frees_everything_but_what_is_still_mapped),
		cmocka_unit_test(two_vcpus_share_one_memory),
		cmocka_unit_test(of_two_first_calls_at_once_one_makes_the_vm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
