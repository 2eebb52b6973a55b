/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions as signals. "sig_sync handler" raises each of the cases below
 * and prints what the handler sees; "sig_sync NAME [blocked|ignored]" raises
 * one with the default action, or with the signal blocked or ignored.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define RF 0x10000
#define AC 0x40000

/*
 * A case: machine code that raises the exception, called with a read-only page
 * in RDI, an inaccessible one in RSI, a data page in RDX.
 */
#define CASES(C) \
	C(maperr_read, "mov $0x10, %eax; mov (%rax), %al") \
	C(maperr_write, "mov $0x10, %eax; mov %al, (%rax)") \
	C(maperr_gap, "mov 0x200000(%rsi), %al") \
	C(accerr_write, "mov %al, 5(%rdi)") \
	C(accerr_none, "mov 7(%rsi), %al") \
	C(accerr_code, "mov %al, case_accerr_code(%rip)") \
	C(exec_data, "jmp *%rdx") \
	C(exec_unmapped, "mov $0x40, %eax; jmp *%rax") \
	C(exec_kernel, "mov $0xffffffff81000000, %rax; jmp *%rax") \
	C(kernel_read, "mov $0xffffffff81000000, %rax; mov (%rax), %al") \
	C(kernel_write, "mov $0xffffffff81000000, %rax; mov %al, (%rax)") \
	C(user_end, "mov $0x7ffffffff000, %rax; mov (%rax), %al") \
	C(noncanonical_read, "mov $0x800000000000, %rax; mov (%rax), %al") \
	C(noncanonical_jump, "mov $0x800000000000, %rax; jmp *%rax") \
	C(noncanonical_stack, "mov $0x8000000000000000, %rsp; push %rax") \
	C(div_zero, "xor %ecx, %ecx; mov $1, %eax; cltd; idiv %ecx") \
	C(div_overflow, "mov $-1, %ecx; mov $0x80000000, %eax; cltd; idiv %ecx") \
	C(ud2, "ud2") \
	C(lock_nop, ".byte 0xf0, 0x90") \
	C(int3, "int3") \
	C(int_3, ".byte 0xcd, 3") \
	C(int1, ".byte 0xf1") \
	C(int_4, "int $4") \
	C(int_5, "int $5") \
	C(int_13, "int $13") \
	C(int_14, "int $14") \
	C(int_32, "int $32") \
	C(int_255, "int $255") \
	C(alignment, "pushf; orl $0x40000, (%rsp); popf; mov 1(%rdi), %eax; nop") \
	C(hlt, "hlt") \
	C(cli, "cli") \
	C(sti, "sti") \
	C(in, "mov $0x60, %edx; in %dx, %al") \
	C(out, "mov $0x80, %edx; out %al, %dx") \
	C(outsb, "mov $0x80, %edx; mov %rdi, %rsi; outsb") \
	C(get_cr0, "mov %cr0, %rax") \
	C(set_cr3, "mov %rax, %cr3") \
	C(set_cr4, "mov %rax, %cr4") \
	C(set_cr8, "mov %rax, %cr8") \
	C(set_dr7, "mov %rax, %dr7") \
	C(rdmsr, "mov $0x10, %ecx; rdmsr") \
	C(wrmsr, "mov $0xc0000080, %ecx; wrmsr") \
	C(rdpmc, "xor %ecx, %ecx; rdpmc") \
	C(xsetbv, "xor %ecx, %ecx; xor %edx, %edx; mov $1, %eax; xsetbv") \
	C(lgdt, "lgdt (%rdi)") \
	C(lidt, "lidt (%rdi)") \
	C(lldt, "lldt %ax") \
	C(ltr, "ltr %ax") \
	C(lmsw, "lmsw %ax") \
	C(clts, "clts") \
	C(invd, "invd") \
	C(wbinvd, "wbinvd") \
	C(invlpg, "invlpg (%rdi)") \
	C(swapgs, "swapgs") \
	C(sysret, "mov $0x800000000000, %rcx; sysretq") \
	C(bad_ds, "mov $0x1234, %eax; mov %ax, %ds") \
	C(bad_ss, "mov $0x1234, %eax; mov %ax, %ss") \
	C(x87_invalid, "fninit; fnstcw -8(%rsp); andw $~1, -8(%rsp); fldcw -8(%rsp); fldz; fldz; fdivp; fwait") \
	C(x87_denormal, "fninit; fnstcw -8(%rsp); andw $~2, -8(%rsp); fldcw -8(%rsp); fldl denormal(%rip); fwait") \
	C(x87_zero, "fninit; fnstcw -8(%rsp); andw $~4, -8(%rsp); fldcw -8(%rsp); fld1; fldz; fdivrp; fwait") \
	C(x87_overflow, "fninit; fnstcw -8(%rsp); andw $~8, -8(%rsp); fldcw -8(%rsp); fldl huge(%rip); fstps -8(%rsp); fwait") \
	C(x87_underflow, "fninit; fnstcw -8(%rsp); andw $~16, -8(%rsp); fldcw -8(%rsp); fldl tiny(%rip); fstps -8(%rsp); fwait") \
	C(x87_inexact, "fninit; fnstcw -8(%rsp); andw $~32, -8(%rsp); fldcw -8(%rsp); fldpi; fstps -8(%rsp); fwait") \
	C(sse_invalid, "movl $0x1f00, -8(%rsp); ldmxcsr -8(%rsp); xorps %xmm0, %xmm0; divss %xmm0, %xmm0") \
	C(sse_denormal, "movl $0x1e80, -8(%rsp); ldmxcsr -8(%rsp); movsd denormal(%rip), %xmm0; addsd %xmm0, %xmm0") \
	C(sse_zero, "movl $0x1d80, -8(%rsp); ldmxcsr -8(%rsp); xorps %xmm0, %xmm0; movss one(%rip), %xmm1; divss %xmm0, %xmm1") \
	C(sse_overflow, "movl $0x1b80, -8(%rsp); ldmxcsr -8(%rsp); movsd huge(%rip), %xmm0; mulsd %xmm0, %xmm0") \
	C(sse_underflow, "movl $0x1780, -8(%rsp); ldmxcsr -8(%rsp); movsd tiny(%rip), %xmm0; mulsd %xmm0, %xmm0") \
	C(sse_inexact, "movl $0x0f80, -8(%rsp); ldmxcsr -8(%rsp); movss one(%rip), %xmm0; divss three(%rip), %xmm0")

#define CODE(name, body) asm(".text\n.globl case_" #name "\ncase_" #name ": " body "\nret\n");
CASES(CODE)
asm(".section .rodata\n"
    "denormal: .quad 1\n"
    "huge: .quad 0x7f00000000000000\n"
    "tiny: .quad 0x0100000000000000\n"
    "one: .float 1\n"
    "three: .float 3\n"
    ".text");

#define DECLARE(name, body) extern char case_##name[];
CASES(DECLARE)

static const struct {
	const char *name;
	char *code;
} cases[] = {
#define ROW(name, body) { #name, case_##name },
	CASES(ROW)
};
#define COUNT (sizeof(cases) / sizeof(cases[0]))

static sigjmp_buf after;
static const char *now;
static char *code, *page;

static void raise_case(char *at)
{
	void (*volatile f)(char *, char *, char *) = (void *)at;

	f(page, page + 4096, page + 8192);
}

/* Addresses that differ from run to run, as offsets. */
static void print_address(const char *what, unsigned long a)
{
	if (a - (unsigned long)code < 64)
		printf(" %s code+%#lx", what, a - (unsigned long)code);
	else if (a - (unsigned long)page < 0x400000)
		printf(" %s page+%#lx", what, a - (unsigned long)page);
	else
		printf(" %s %#lx", what, a);
}

static void handler(int sig, siginfo_t *info, void *context)
{
	const greg_t *g;
	unsigned long flags;

	/* a handler inherits AC */
	asm volatile("pushf; andl %0, (%%rsp); popf" : : "i"(~AC) : "cc", "memory");
	g = ((ucontext_t *)context)->uc_mcontext.gregs;
	flags = g[REG_EFL];
	printf("%s: signal %d code %d errno %d", now, sig, info->si_code, info->si_errno);
	print_address("addr", (unsigned long)info->si_addr);
	print_address("rip", g[REG_RIP]);
	printf(" trapno %lld err %#llx", g[REG_TRAPNO], g[REG_ERR]);
	print_address("cr2", g[REG_CR2]);
	printf(" flags %#lx cs %#llx\n", flags & (0x47300), g[REG_CSGSFS] & 0xffff00000000ffff);
	siglongjmp(after, 1);
}

static void run_handler(void)
{
	static char stack[65536];
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction act = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

	sigaltstack(&alt, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &act, NULL);
	for (volatile size_t i = 0; i < COUNT; i++) {
		now = cases[i].name;
		code = cases[i].code;
		if (!sigsetjmp(after, 1)) {
			raise_case(code);
			asm volatile("fninit");
			printf("%s: no signal\n", now);
		}
		asm volatile("fninit");
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	page = mmap(NULL, 0x400000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	mprotect(page, 4096, PROT_READ);
	mprotect(page + 8192, 4096, PROT_READ | PROT_WRITE);
	memset(page + 8192, 0x90, 64);
	munmap(page + 0x200000, 0x200000);
	asm volatile("" : : "r"(*(volatile char *)page));
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "handler")) {
		run_handler();
		return 0;
	}
	for (size_t i = 0; i < COUNT; i++) {
		if (strcmp(argv[1], cases[i].name))
			continue;
		for (int sig = 1; argc > 2 && sig < 32; sig++) {
			sigset_t set;

			sigemptyset(&set);
			sigaddset(&set, sig);
			if (!strcmp(argv[2], "blocked"))
				sigprocmask(SIG_BLOCK, &set, NULL);
			else
				signal(sig, SIG_IGN);
		}
		raise_case(cases[i].code);
		puts("no signal");
		return 0;
	}
	return 2;
}
