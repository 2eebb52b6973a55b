/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handlers that return through a frame they have damaged or changed. Each case
 * prints what became of it, the same natively: a SIGSEGV handler's view, or
 * that the program went on. "sig_return NAME" does one of them without the
 * SIGSEGV handler, "sig_return at RSP" returns through no frame at all.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define NONCANONICAL 0x800000000000ull
#define KERNEL 0xffffffff81000000ull

static sigjmp_buf after;
static char *page;		/* readable, writable; the next one is not there */
static const char *now;

static uint8_t *fp(ucontext_t *uc)
{
	return (uint8_t *)uc->uc_mcontext.fpregs;
}

#define G(reg) uc->uc_mcontext.gregs[REG_##reg]
#define FP(value) uc->uc_mcontext.fpregs = (fpregset_t)(value)
#define PUT(at, type, value) (*(type *)(fp(uc) + (at)) = (value))
#define SIZE (*(uint32_t *)(fp(uc) + 480))

#define CASES(C) \
	C(nothing, ) \
	C(fp_unmapped, FP(page + 4096)) \
	C(fp_cut, FP(page + 4096 - 512)) \
	C(fp_low, FP(64)) \
	C(fp_kernel, FP(KERNEL)) \
	C(fp_noncanonical, FP(NONCANONICAL)) \
	C(fp_top, FP(-64)) \
	C(fp_misaligned, memmove(page + 8, fp(uc), 2048); FP(page + 8)) \
	C(fp_null, FP(0)) \
	C(header_bv, PUT(512, uint64_t, 1ull << 62 | 3)) \
	C(header_bv_all, PUT(512, uint64_t, -1)) \
	C(header_xcomp, PUT(520, uint64_t, 3)) \
	C(header_reserved, PUT(528, uint64_t, 1)) \
	C(mxcsr_reserved, PUT(24, uint32_t, 0x10000)) \
	C(mxcsr_all, PUT(24, uint32_t, -1)) \
	C(mxcsr_legacy, PUT(24, uint32_t, -1); PUT(464, uint32_t, 0)) \
	C(fsw_pending, PUT(2, uint16_t, 0xffff)) \
	C(magic1, PUT(464, uint32_t, 0)) \
	C(magic2, PUT(SIZE, uint32_t, 0)) \
	C(size_zero, PUT(480, uint32_t, 0)) \
	C(size_huge, PUT(480, uint32_t, 0xfffffff0)) \
	C(extended_zero, PUT(468, uint32_t, 0)) \
	C(features_none, PUT(472, uint64_t, 0)) \
	C(features_all, PUT(472, uint64_t, -1)) \
	C(rip_noncanonical, G(RIP) = NONCANONICAL) \
	C(rip_noncanonical_high, G(RIP) = 1ull << 63) \
	C(rip_kernel, G(RIP) = KERNEL) \
	C(rip_end, G(RIP) = 0x7ffffffff000) \
	C(rip_null, G(RIP) = 0) \
	C(rip_data, G(RIP) = (greg_t)page) \
	C(rsp_noncanonical, G(RSP) = NONCANONICAL) \
	C(rsp_kernel, G(RSP) = KERNEL) \
	C(flags_all, G(EFL) = -1 & ~0x40500) \
	C(flags_none, G(EFL) = 0) \
	C(flags_iopl, G(EFL) |= 0x3000) \
	C(flags_nt, G(EFL) |= 0x4000) \
	C(flags_vm, G(EFL) |= 0x20000) \
	C(flags_df, G(EFL) |= 0x400) \
	C(flags_tf, G(EFL) |= 0x100) \
	C(cs_null, G(CSGSFS) &= ~0xffffll) \
	C(cs_data, G(CSGSFS) = (G(CSGSFS) & ~0xffffll) | 0x2b) \
	C(cs_wild, G(CSGSFS) = (G(CSGSFS) & ~0xffffll) | 0x1230) \
	C(cs_rpl, G(CSGSFS) = (G(CSGSFS) & ~0xffffll) | 0x30) \
	C(ss_null, G(CSGSFS) &= 0xffffffffffff) \
	C(ss_code, G(CSGSFS) = (G(CSGSFS) & 0xffffffffffff) | 0x33ll << 48) \
	C(ss_wild, G(CSGSFS) = (G(CSGSFS) & 0xffffffffffff) | 0x1230ll << 48) \
	C(ss_wild_lenient, uc->uc_flags &= ~4; G(CSGSFS) = (G(CSGSFS) & 0xffffffffffff) | 0x1230ll << 48) \
	C(mask_all, memset(&uc->uc_sigmask, 0xff, 8)) \
	C(stack_kernel, uc->uc_stack.ss_sp = (void *)KERNEL; uc->uc_stack.ss_size = 65536; uc->uc_stack.ss_flags = 0) \
	C(stack_flags, uc->uc_stack.ss_flags = 0x55) \
	C(stack_small, uc->uc_stack.ss_size = 1; uc->uc_stack.ss_flags = 0) \
	C(link_flags, uc->uc_link = (void *)-1; uc->uc_flags = -1)

enum {
#define NAME(name, ...) CASE_##name,
	CASES(NAME) COUNT
};

static const char *const names[] = {
#define TEXT(name, ...) #name,
	CASES(TEXT)
};

static volatile int which;

static void damage(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	switch (which) {
#define BODY(name, ...) case CASE_##name: __VA_ARGS__; break;
	CASES(BODY)
	}
}

static void caught(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint64_t addr = (uint64_t)info->si_addr, rip = g[REG_RIP];

	if (!now)
		siglongjmp(after, 1);
	/* the program's own addresses differ from run to run */
	if (rip > 0x10000 && rip < 0x7ffffffff000)
		rip = 1;
	if (addr > 0x10000 && addr < 0x7ffffffff000)
		addr = 1;
	asm volatile("cld; fninit");
	printf("%s: signal %d code %d addr %#lx rip %#lx", now, sig, info->si_code, addr, rip);
	/* of a frame that could not be read Linux tells nothing new */
	if (info->si_code > 0 && info->si_code < 128)
		printf(" trapno %lld", g[REG_TRAPNO]);
	printf("\n");
	siglongjmp(after, 1);
}

static void went_on(void)
{
	uint64_t flags, mask = 0;
	stack_t alt;

	asm volatile("pushf; popq %0" : "=r"(flags));
	asm volatile("pushq $0x202; popf");
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, 8);
	sigaltstack(NULL, &alt);
	printf("%s: went on, flags %#lx mask %#lx altstack %s %#x %#zx\n", now, flags & ~0x10ad5ul, mask,
	       alt.ss_sp == (void *)KERNEL ? "kernel" : alt.ss_sp ? "set" : "none", alt.ss_flags, alt.ss_size);
}

/* Some software CPUs load an MXCSR with reserved bits set; others make #UD of it. */
static bool mxcsr_checked(void)
{
	uint32_t all = -1;

	if (sigsetjmp(after, 1))
		return true;
	now = NULL;
	asm volatile("ldmxcsr %0" : : "m"(all));
	all = 0x1f80;
	asm volatile("ldmxcsr %0" : : "m"(all));
	return false;
}

static void one(int i)
{
	sigset_t none;

	if (!strncmp(names[i], "mxcsr", 5) && !mxcsr_checked()) {
		printf("%s: this CPU takes any\n", names[i]);
		return;
	}
	which = i;
	now = names[i];
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!sigsetjmp(after, 0)) {
		raise(SIGUSR1);
		went_on();
	}
	asm volatile("fninit");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char stack[65536];
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction act = { .sa_sigaction = damage, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &act, NULL);
	act.sa_sigaction = caught;
	act.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGTRAP, &act, NULL);
	sigaction(SIGILL, &act, NULL);
	sigaction(SIGFPE, &act, NULL);
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + 4096, 4096);
	if (argc < 2) {
		for (int i = 0; i < COUNT; i++) {
			sigaltstack(&alt, NULL);
			one(i);
		}
		return 0;
	}
	if (!strcmp(argv[1], "list")) {
		for (int i = 0; i < COUNT; i++)
			puts(names[i]);
		return 0;
	}
	/* without a handler, and a frame at an address of one's own */
	signal(SIGSEGV, SIG_DFL);
	if (!strcmp(argv[1], "at")) {
		unsigned long sp = strtoul(argv[2], NULL, 0);

		asm volatile("mov %0, %%rsp; mov $15, %%eax; syscall" : : "r"(sp) : "memory");
	}
	for (int i = 0; i < COUNT; i++)
		if (!strcmp(argv[1], names[i]))
			one(i);
	return 0;
}
