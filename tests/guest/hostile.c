/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that tries what it must not: hostile ATTEMPT [NUMBER...]. Each
 * attempt ends by a signal, by status 0 when it was let do what is harmless,
 * or never.
 */
#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>


static unsigned long number[4];

/* ------------------------------------------------ instructions of CPL 0 */

static void in_al(void) { asm volatile("inb %%dx" : : "d"(number[0]) : "eax"); }
static void in_ax(void) { asm volatile("inw %%dx" : : "d"(number[0]) : "eax"); }
static void in_eax(void) { asm volatile("inl %%dx" : : "d"(number[0]) : "eax"); }
static void out_al(void) { asm volatile("outb %%dx" : : "d"(number[0]), "a"(0)); }
static void out_ax(void) { asm volatile("outw %%dx" : : "d"(number[0]), "a"(0)); }
static void out_eax(void) { asm volatile("outl %%dx" : : "d"(number[0]), "a"(0)); }

static void rep_outs(void)
{
	static char buf[64];
	const void *p = buf;
	long n = 16;

	asm volatile("rep outsl" : "+S"(p), "+c"(n) : "d"(number[0]) : "memory");
}

static void rep_ins(void)
{
	static char buf[64];
	void *p = buf;
	long n = 16;

	asm volatile("rep insl" : "+D"(p), "+c"(n) : "d"(number[0]) : "memory");
}

#define INSTRUCTION(name, code) static void name(void) { asm volatile(code : : : "rax", "rbx", "rcx", "rdx", "memory"); }
INSTRUCTION(hlt, "hlt")
INSTRUCTION(cli, "cli")
INSTRUCTION(sti, "sti")
INSTRUCTION(cli_hlt, "cli; hlt")
INSTRUCTION(rdmsr, "mov $0xc0000080, %%ecx; rdmsr")
INSTRUCTION(wrmsr, "mov $0xc0000082, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr")
INSTRUCTION(rdpmc, "xor %%ecx, %%ecx; rdpmc")
INSTRUCTION(xsetbv, "xor %%ecx, %%ecx; mov $1, %%eax; xor %%edx, %%edx; xsetbv")
INSTRUCTION(mov_cr0, "mov %%cr0, %%rax")
INSTRUCTION(mov_to_cr0, "xor %%eax, %%eax; mov %%rax, %%cr0")
INSTRUCTION(mov_cr3, "mov %%cr3, %%rax")
INSTRUCTION(mov_to_cr3, "xor %%eax, %%eax; mov %%rax, %%cr3")
INSTRUCTION(mov_cr4, "mov %%cr4, %%rax")
INSTRUCTION(mov_cr8, "mov %%cr8, %%rax")
INSTRUCTION(mov_dr7, "mov %%dr7, %%rax")
INSTRUCTION(mov_to_dr7, "xor %%eax, %%eax; mov %%rax, %%dr7")
INSTRUCTION(clts, "clts")
INSTRUCTION(invd, "invd")
INSTRUCTION(wbinvd, "wbinvd")
INSTRUCTION(invlpg, "invlpg (%%rsp)")
INSTRUCTION(lgdt, "sub $16, %%rsp; lgdt (%%rsp); add $16, %%rsp")
INSTRUCTION(lidt, "sub $16, %%rsp; lidt (%%rsp); add $16, %%rsp")
INSTRUCTION(ltr, "mov $0x38, %%eax; ltr %%ax")
INSTRUCTION(lldt, "xor %%eax, %%eax; lldt %%ax")
INSTRUCTION(lmsw, "xor %%eax, %%eax; lmsw %%ax")
INSTRUCTION(swapgs, "swapgs")
INSTRUCTION(sysretq, "sysretq")
INSTRUCTION(sysexit, "sysexitq")
INSTRUCTION(monitor, "xor %%ecx, %%ecx; xor %%edx, %%edx; lea (%%rsp), %%rax; monitor")
INSTRUCTION(mwait, "xor %%ecx, %%ecx; xor %%eax, %%eax; mwait")
INSTRUCTION(vmxoff, "vmxoff")
INSTRUCTION(vmlaunch, "vmlaunch")
INSTRUCTION(vmrun, "mov %%rsp, %%rax; .byte 0x0f, 0x01, 0xd8")
INSTRUCTION(clgi, ".byte 0x0f, 0x01, 0xdd")
INSTRUCTION(skinit, ".byte 0x0f, 0x01, 0xde")
INSTRUCTION(encls, "xor %%eax, %%eax; .byte 0x0f, 0x01, 0xcf")
INSTRUCTION(ud2, "ud2")
INSTRUCTION(int3, "int3")
INSTRUCTION(vmcall, "xor %%eax, %%eax; vmcall")
INSTRUCTION(vmmcall, "xor %%eax, %%eax; vmmcall")
INSTRUCTION(int_0x80, "mov $1, %%eax; xor %%ebx, %%ebx; int $0x80")
INSTRUCTION(int_0x20, "int $0x20")
INSTRUCTION(int_0x0e, "int $0x0e")
INSTRUCTION(int_8, "int $8")
INSTRUCTION(sysenter, "mov $1, %%eax; sysenter")
INSTRUCTION(far_32, "sub $8, %%rsp; movl $0x1000, (%%rsp); movw $0x23, 4(%%rsp); ljmpl *(%%rsp)")
INSTRUCTION(far_gate, "sub $8, %%rsp; movl $0, (%%rsp); movw $0x38, 4(%%rsp); lcall *(%%rsp)")
INSTRUCTION(kernel_cs, "pushq $0x10; push %%rsp; pushq $2; pushq $0x08; lea 1f(%%rip), %%rax; push %%rax; iretq; 1:")
INSTRUCTION(kernel_ss, "mov $0x10, %%eax; mov %%ax, %%ss")
INSTRUCTION(iopl, "pushfq; orq $0x3000, (%%rsp); popfq; pushfq; pop %%rax; test $0x3000, %%eax; jz 1f; ud2; 1:")
INSTRUCTION(mov_ss_int3, "mov %%ss, %%eax; mov %%ax, %%ss; int3")
INSTRUCTION(mov_ss_syscall, "mov $39, %%eax; mov %%ss, %%ebx; mov %%bx, %%ss; syscall")
INSTRUCTION(rdtsc, "rdtsc; rdtscp")
INSTRUCTION(xgetbv, "xor %%ecx, %%ecx; xgetbv; and $3, %%eax; cmp $3, %%eax; je 1f; ud2; 1:")

/* ------------------------------------------------ addresses */

static void read_at(void) { (void)*(volatile char *)number[0]; }
static void write_at(void) { *(volatile char *)number[0] = 1; }
static void jump_to(void) { ((void (*)(void))number[0])(); }

/* The last byte of the lower half: SYSCALL returns to a place that cannot be. */
static void syscall_at_the_end(void)
{
	unsigned char *p = mmap((void *)0x7fffffffe000, 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED)
		exit(98);
	/* mov $39, %eax; syscall */
	memcpy(p + 4096 - 7, "\xb8\x27\0\0\0\x0f\x05", 7);
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	((void (*)(void))(p + 4096 - 7))();
}

static void return_to(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig, (void)info;
	uc->uc_mcontext.gregs[REG_RIP] = number[0];
	uc->uc_mcontext.gregs[REG_EFL] |= 0x3000;	/* IOPL, which must not arrive */
}

static void sigreturn_to(void)
{
	struct sigaction action = { .sa_sigaction = return_to, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static int deeper(int n)
{
	volatile char frame[4096];

	frame[0] = n;
	return n ? deeper(n + 1) + frame[0] : 0;
}

static void recursion(void) { exit(deeper(1) & 1); }

/* ------------------------------------------------ storms: never end by themselves */

static void again(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
}

static void handle_all(void)
{
	const int all[] = { SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGFPE };
	struct sigaction action = { .sa_sigaction = again, .sa_flags = SA_SIGINFO };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		sigaction(all[i], &action, NULL);
}

static void storm_ud2(void) { handle_all(); asm volatile("ud2"); }
static void storm_fault(void) { handle_all(); asm volatile("movl $1, 8"); }
static void storm_port(void) { handle_all(); asm volatile("outb %al, $0x80"); }
static void storm_divide(void) { handle_all(); asm volatile("xor %%ecx, %%ecx; div %%ecx" : : : "eax", "ecx", "edx"); }
static void storm_int3(void) { handle_all(); for (;;) asm volatile("int3"); }
static void storm_step(void) { handle_all(); asm volatile("pushfq; orq $0x100, (%rsp); popfq; 1: jmp 1b"); }

static void storm_align(void)
{
	static volatile char unaligned[16];

	handle_all();
	asm volatile("pushfq; orq $0x40000, (%%rsp); popfq; 1: movl 1(%0), %%eax; jmp 1b" : : "r"(unaligned) : "eax");
}

static void loop(void) { for (;;) asm volatile(""); }
static void loop_pause(void) { for (;;) asm volatile("pause"); }
static void loop_call(void) { for (;;) syscall(SYS_getppid); }
static void loop_forward(void) { for (;;) syscall(SYS_write, -1, "", 0); }
static void loop_clone(void) { for (;;) syscall(SYS_clone, 0, 0, 0, 0, 0); }
static void loop_unknown(void) { for (;;) syscall(777); }
static void loop_stop(void) { for (;;) raise(SIGSTOP); }
static void loop_map(void) { for (;;) munmap(mmap(NULL, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1 << 20); }
static void loop_rep(void) { for (;;) { static char to[1 << 20]; void *d = to; long n = sizeof(to); asm volatile("rep stosb" : "+D"(d), "+c"(n)); } }

/* Walks over all there is of addresses. */
static void loop_walk(void)
{
	size_t size = 64ul << 40;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		exit(97);
	for (;;) {
		for (size_t i = 0; i < size; i += 1ul << 38)
			p[i] = 1;
		madvise(p, size, MADV_DONTNEED);
		mprotect(p, size, PROT_READ);
		mprotect(p, size, PROT_READ | PROT_WRITE);
	}
}

/* Blocks every signal that can be, then loops. */
static void loop_deaf(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	loop();
}

/* ------------------------------------------------ all ports */

static sigjmp_buf back;

static void jump_back(int sig) { siglongjmp(back, sig); }

/* IN of each NUMBERth port but the shim's own; counts those that were no fault. */
static void sweep_ports(void)
{
	volatile unsigned long port;
	volatile int open = 0;

	signal(SIGSEGV, jump_back);
	for (port = 0; port < 65536; port += number[0]) {
		if (port >= 0xdd && port <= 0xe3)
			continue;
		if (!sigsetjmp(back, 1)) {
			asm volatile("inb %%dx" : : "d"(port) : "eax");
			open++;
		}
	}
	printf("open %d\n", open);
}

/* Zeroes for a leaf beyond the last one, for which Intel's CPUs tell what the last basic one says. */
static void cpuid(unsigned int leaf, unsigned int *a, unsigned int *b, unsigned int *c)
{
	unsigned int d;

	if (!__get_cpuid_count(leaf, 0, a, b, c, &d))
		*a = *b = *c = 0;
}

static void show_cpuid(void)
{
	unsigned int a, b, c;

	cpuid(1, &a, &b, &c);
	printf("vmx %u monitor %u smx %u\n", c >> 5 & 1, c >> 3 & 1, c >> 6 & 1);
	cpuid(7, &a, &b, &c);
	printf("sgx %u\n", b >> 2 & 1);
	cpuid(0x80000001, &a, &b, &c);
	printf("svm %u\n", c >> 2 & 1);
	cpuid(0x8000001f, &a, &b, &c);
	printf("sev %u\n", a & 0xf);
}

#define ROW(name) { #name, name }
static const struct {
	const char *name;
	void (*run)(void);
} attempts[] = {
	ROW(in_al), ROW(in_ax), ROW(in_eax), ROW(out_al), ROW(out_ax), ROW(out_eax), ROW(rep_outs), ROW(rep_ins),
	ROW(hlt), ROW(cli), ROW(sti), ROW(cli_hlt), ROW(rdmsr), ROW(wrmsr), ROW(rdpmc), ROW(xsetbv), ROW(mov_cr0),
	ROW(mov_to_cr0), ROW(mov_cr3), ROW(mov_to_cr3), ROW(mov_cr4), ROW(mov_cr8), ROW(mov_dr7), ROW(mov_to_dr7),
	ROW(clts), ROW(invd), ROW(wbinvd), ROW(invlpg), ROW(lgdt), ROW(lidt), ROW(ltr), ROW(lldt), ROW(lmsw),
	ROW(swapgs), ROW(sysretq), ROW(sysexit), ROW(monitor), ROW(mwait), ROW(vmxoff), ROW(vmlaunch), ROW(vmrun),
	ROW(clgi), ROW(skinit), ROW(encls), ROW(ud2), ROW(int3), ROW(vmcall), ROW(vmmcall), ROW(int_0x80),
	ROW(int_0x20), ROW(int_0x0e), ROW(int_8), ROW(sysenter), ROW(far_32), ROW(far_gate), ROW(kernel_cs),
	ROW(kernel_ss), ROW(iopl), ROW(mov_ss_int3), ROW(mov_ss_syscall), ROW(rdtsc), ROW(xgetbv), ROW(read_at),
	ROW(write_at), ROW(jump_to), ROW(syscall_at_the_end), ROW(sigreturn_to), ROW(recursion), ROW(storm_ud2),
	ROW(storm_fault), ROW(storm_port), ROW(storm_divide), ROW(storm_int3), ROW(storm_step), ROW(storm_align),
	ROW(loop), ROW(loop_pause), ROW(loop_call), ROW(loop_forward), ROW(loop_clone), ROW(loop_unknown), ROW(loop_stop),
	ROW(loop_map), ROW(loop_rep), ROW(loop_walk), ROW(loop_deaf), ROW(sweep_ports), ROW(show_cpuid),
};

int main(int argc, char **argv)
{
	for (int i = 2; i < argc && i < 6; i++)
		number[i - 2] = strtoul(argv[i], NULL, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (!strcmp(argv[1], attempts[i].name)) {
			attempts[i].run();
			return 0;
		}
	return 99;
}
