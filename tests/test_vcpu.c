/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hostile guests at CPL 0: each ends with its reason in one line and kvmrun's
 * status, on whatever hypervisor is here. In place of the shim the loader gets
 * a page of code of the case at hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/kvm.h>
#include <signal.h>
#include <time.h>

#include "forked.h"
#include "../runner/device.h"
#include "../runner/elf_image.h"
#include "../runner/end.h"
#include "../runner/interrupt.h"
#include "../runner/jail.h"
#include "../runner/load.h"
#include "../runner/options.h"
#include "../runner/vcpu.h"
#include "../runner/vm.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* struct abi_image; the code is copied behind it; a second page for data. */
extern uint8_t shim_image[], shim_image_end[];
asm(".data\n.balign 4096\n.globl shim_image, shim_image_end\n"
    "shim_image: .quad 0x6e75726d766b\n.long 1, 64, 4096, 4096, 4096, 8192, 0, 0, 0, 0\n"
    ".balign 4096\nshim_image_end:\n.text\n");

_Static_assert(offsetof(struct abi_boot, frame) == 64, "GUEST");
_Static_assert(offsetof(struct abi_frame, data) == 128, "panic");
/* RBP: the frame. RSP: the data page's end. */
#define GUEST(name, code)                                                                         \
	extern const uint8_t guest_##name[], guest_##name##_end[];                                \
	asm(".section .rodata\nguest_" #name ":\n"                                                \
	    "movabs $0xffffffff80002000, %rsp\n"                                                  \
	    "movabs $0xffff888000001000, %rbx\nmov 64(%rbx), %rbp\n"                              \
	    "movabs $0xffff888000000000, %rax\nadd %rax, %rbp\n" code "\n"                        \
	    "hlt\nguest_" #name "_end:\n.text\n")

#define OP(op) "movl $" #op ", (%rbp)\n"
#define ARG0(n) "movq $" #n ", 8(%rbp)\n"
#define CALL_OUT "mov $0xe0, %edx\nout %eax, %dx\n"

GUEST(port, "mov $0x3f8, %edx\nout %al, %dx");
GUEST(in, "mov $0xe0, %edx\nin %dx, %eax");
GUEST(width, "mov $0xe0, %edx\nout %al, %dx");
GUEST(word, "mov $0xe0, %edx\nout %ax, %dx");
GUEST(rep, "mov $0xe0, %edx\nmov %rbp, %rsi\nmov $4, %ecx\ncld\nrep outsl");
GUEST(mmio_write, "movabs $0xffffc00000000000, %rax\nmovl $1, (%rax)");
GUEST(mmio_read, "movabs $0xffffc00000000000, %rax\nmov (%rax), %ecx");
GUEST(halt, "cli\nhlt");
GUEST(triple, "ud2");
GUEST(no_op, OP(0) CALL_OUT);
GUEST(bad_op, OP(99) CALL_OUT);
GUEST(huge_op, OP(-1) CALL_OUT);
GUEST(bad_nr, OP(1) "movl $100000, 4(%rbp)\n" CALL_OUT);
GUEST(bad_nseg, OP(1) "movl $1, 4(%rbp)\nmovl $-1, 64(%rbp)\n" CALL_OUT);
GUEST(bad_data, OP(1) "movl $1, 4(%rbp)\nmovl $-1, 68(%rbp)\n" CALL_OUT);
GUEST(bad_mode, OP(7) ARG0(3) CALL_OUT);
GUEST(two_boots, OP(7) ARG0(1) CALL_OUT CALL_OUT);
GUEST(bad_signal, OP(3) ARG0(0) "movq $65, 16(%rbp)\n" CALL_OUT);
GUEST(minus_signal, OP(3) ARG0(0) "movq $-1, 16(%rbp)\n" CALL_OUT);
GUEST(panic, OP(6) "movl $8, 68(%rbp)\nmovabs $0x0a6d315b1b41420a, %rax\nmov %rax, 128(%rbp)\n" CALL_OUT);
GUEST(long_panic, OP(6) "movl $-1, 68(%rbp)\n" CALL_OUT);
GUEST(memory, OP(8) ARG0(-1) CALL_OUT "cmpq $-12, 56(%rbp)\njne 1f\n" OP(3) ARG0(0) CALL_OUT "1:");
GUEST(early_thread, OP(9) ARG0(1) "movq $0x20000, 16(%rbp)\n" CALL_OUT);
GUEST(far_thread, OP(7) ARG0(1) CALL_OUT OP(9) ARG0(100000) "movq $0x20000, 16(%rbp)\n" CALL_OUT);
GUEST(gap_thread, OP(7) ARG0(1) CALL_OUT OP(9) ARG0(5) "movq $0x20000, 16(%rbp)\n" CALL_OUT);
GUEST(odd_frame, OP(7) ARG0(1) CALL_OUT OP(9) ARG0(1) "movq $0x20001, 16(%rbp)\n" CALL_OUT);
GUEST(far_frame, OP(7) ARG0(1) CALL_OUT OP(9) ARG0(1) "movq $-8, 16(%rbp)\n" CALL_OUT);
GUEST(park, OP(11) CALL_OUT);
GUEST(kick, OP(12) ARG0(-1) "movq $-1, 16(%rbp)\n" CALL_OUT ARG0(0) CALL_OUT OP(3) ARG0(0) "movq $0, 16(%rbp)\n" CALL_OUT);
GUEST(odd_word, OP(13) ARG0(0x20001) CALL_OUT);
GUEST(far_word, OP(14) ARG0(-4) CALL_OUT);
GUEST(exit_code, OP(3) ARG0(0x12a) CALL_OUT);
GUEST(killed, OP(3) ARG0(0) "movq $9, 16(%rbp)\n" CALL_OUT);
GUEST(spin, "cli\n1: jmp 1b");
GUEST(window, "sti\nmov $1000, %ecx\n1: loop 1b\ncli\n" OP(3) ARG0(0x12a) CALL_OUT);
GUEST(exits, OP(5) "1:" CALL_OUT "jmp 1b");

static const struct guest {
	const char *name;
	const uint8_t *code, *end;
	int status;
	const char *line;	/* NULL: nothing on stderr */
	bool window;		/* a window for an interrupt was asked for, which is not wanted any more */
} guests[] = {
#define CASE(n, status, line) { #n, guest_##n, guest_##n##_end, status, line, false }
	CASE(port, 125, "evil: ended by kvmrun: a write of 1 bytes, 1 times, at port 0x3f8: there is nothing"),
	CASE(in, 125, "a read of 4 bytes, 1 times, at port 0xe0"),
	CASE(width, 125, "a write of 1 bytes, 1 times, at port 0xe0"),
	CASE(word, 125, "a write of 2 bytes, 1 times, at port 0xe0"),
	CASE(rep, 125, "evil: ended by kvmrun: "),
	CASE(mmio_write, 125, "a write of 4 bytes at physical address"),
	CASE(mmio_read, 125, "a read of 4 bytes at physical address"),
	CASE(halt, 125, "it halted its CPU"),
	CASE(triple, 125, "triple fault"),
	CASE(no_op, 125, "operation 0, which there is not"),
	CASE(bad_op, 125, "operation 99, which there is not"),
	CASE(huge_op, 125, "operation 4294967295, which there is not"),
	CASE(bad_nr, 125, "bad frame: a call number out of range"),
	CASE(bad_nseg, 125, "bad frame: too many segments"),
	CASE(bad_data, 125, "bad frame: too much data"),
	CASE(bad_mode, 125, "or mode 3"),
	CASE(two_boots, 125, "its boot twice"),
	CASE(bad_signal, 125, "an end by signal 65"),
	CASE(minus_signal, 125, "an end by signal 18446744073709551615"),
	CASE(panic, 125, "a bug in the shim: \\nBA\\x1b[1m\\n; please report this"),
	CASE(long_panic, 125, "a bug in the shim: "),
	CASE(memory, 0, NULL),
	CASE(early_thread, 125, "the shim asked for vCPU 1 with its frame at 0x20000"),
	CASE(far_thread, 125, "the shim asked for vCPU 100000 with"),
	CASE(gap_thread, 125, "the shim asked for vCPU 5 with"),
	CASE(odd_frame, 125, "with its frame at 0x20001"),
	CASE(far_frame, 125, "with its frame at 0xfffffffffffffff8"),
	CASE(park, 124, "evil: time limit of 300ms reached (--timeout)"),
	CASE(kick, 0, NULL),
	CASE(odd_word, 125, "the shim waits for a word at 0x20001"),
	CASE(far_word, 125, "the shim waits for a word at 0xfffffffffffffffc"),
	CASE(exit_code, 0x2a, NULL),
	CASE(killed, 137, NULL),
	CASE(spin, 124, "evil: time limit of 300ms reached (--timeout)"),
	CASE(exits, 124, "evil: time limit of 300ms reached (--timeout)"),
	{ "window", guest_window, guest_window_end, 0x2a, NULL, true },
};

static void run_guest(void *arg)
{
	static char *none[] = { NULL };
	static struct program no_program = { .fd = -1, .elf.align = ABI_PAGE };
	static struct config config = { .mem_bytes = 1 << 20, .argv = none, .env = none };
	static struct vm vm = { .program = "evil" };
	static struct vcpu vcpu;
	const struct guest *g = arg;
	struct loader l = { .vm = &vm };
	const char *path;

	if (g->status == 124 || g->window)
		config.timeout_ns = 300000000;
	memcpy(shim_image + 64, g->code, g->end - g->code);
	vm_create(&vm, &config, device_open(NULL, &path), "the device");
	load(&vm, &no_program);
	l.boot = guest_ptr(&vm, ABI_BOOT_GPA, sizeof(*l.boot));
	l.next = l.boot->free;
	pt_map(&l, 0xffffc00000000000, vm.ram_size, PROT_READ | PROT_WRITE, ABI_PAGE);
	vcpu_first(&vcpu, &vm);
	vcpu.run->request_interrupt_window = g->window;
	interrupt_init(&vm);
	jail_enter(&config);
	vcpu_run(&vcpu);
	interrupt_run_over();
	if (end_get().cause == END_TIMEOUT)
		interrupt_limit_report();
	_exit(end_get().status);
}

static bool no_device(void)
{
	return access(DEVICE_BUNDLED, R_OK | W_OK) != 0 && access(DEVICE_STOCK, R_OK | W_OK) != 0;
}

static void threat_04_each_hostile_guest_ends_with_its_reason(void **state)
{
	static struct outcome o;

	(void)state;
	if (no_device()) {
		print_message("no hypervisor can be used here\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(guests); i++) {
		const struct guest *g = &guests[i];

		print_message("# %s\n", g->name);
		forked(run_guest, (void *)g, &o);
		if (g->line)
			assert_complains(&o, g->status, g->line);
		else if (o.status != g->status || *o.err)
			fail_msg("%s: status %d, \"%s\"", g->name, o.status, o.err);
	}
}

static void memory_is_translated_only_inside_ram(void **state)
{
	static uint8_t ram[4096];
	struct vm vm = { .ram = ram, .ram_size = sizeof(ram) };

	(void)state;
	assert_ptr_equal(guest_ptr(&vm, 0, 4096), ram);
	assert_ptr_equal(guest_ptr(&vm, 4095, 1), ram + 4095);
	assert_ptr_equal(guest_ptr(&vm, 4096, 0), ram + 4096);
	assert_null(guest_ptr(&vm, 4096, 1));
	assert_null(guest_ptr(&vm, 0, 4097));
	assert_null(guest_ptr(&vm, 4095, 2));
	assert_null(guest_ptr(&vm, 4097, 0));
	assert_null(guest_ptr(&vm, UINT64_MAX, 1));
	assert_null(guest_ptr(&vm, UINT64_MAX, UINT64_MAX));
	assert_null(guest_ptr(&vm, 1, UINT64_MAX));
	assert_null(guest_ptr(&vm, 2048, UINT64_MAX - 1024));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_04_each_hostile_guest_ends_with_its_reason),
		cmocka_unit_test(memory_is_translated_only_inside_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
