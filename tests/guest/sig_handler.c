/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How handlers run: flags of sigaction, stacks, nesting, longjmp, what they
 * change. "sig_handler NAME" prints the same natively.
 */
#include <errno.h>
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

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALT 65536

static char alt_memory[ALT] __attribute__((aligned(16)));
static sigjmp_buf back;
static volatile int depth, count;

static void catch(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction act = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };

	if (sigaction(sig, &act, NULL))
		printf("sigaction %d: %s\n", sig, strerror(errno));
}

static int alternate(unsigned int flags, size_t size)
{
	stack_t s = { .ss_sp = alt_memory, .ss_size = size, .ss_flags = flags };

	return sigaltstack(&s, NULL) ? errno : 0;
}

static bool on_alternate(void)
{
	char here;

	return (uintptr_t)&here - (uintptr_t)alt_memory < ALT;
}

static void show_alternate(const char *what)
{
	stack_t s;

	sigaltstack(NULL, &s);
	printf("%s: altstack %s flags %#x size %zu\n", what, s.ss_sp == alt_memory ? "mine" : s.ss_sp ? "?" : "null",
	       s.ss_flags, s.ss_size);
}

static uint64_t mask(void)
{
	uint64_t m;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &m, 8);
	return m;
}

static uint64_t pending(void)
{
	uint64_t m;

	syscall(SYS_rt_sigpending, &m, 8);
	return m;
}

/* ------------------------------------------------------------- registers */

/* Called by name from the assembly below. */
uint64_t regs_in[16], regs_out[16];

asm(".globl with_registers\n"
    "with_registers:\n"
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "	mov %rsp, regs_in+15*8(%rip)\n"
    "	mov $0x1111111111111111, %rax\n"
    "	mov %rax, %rbx; inc %rbx; lea 1(%rbx), %rcx; lea 1(%rcx), %rdx; lea 1(%rdx), %rsi; lea 1(%rsi), %rdi\n"
    "	lea 1(%rdi), %rbp; lea 1(%rbp), %r8; lea 1(%r8), %r9; lea 1(%r9), %r10; lea 1(%r10), %r11\n"
    "	lea 1(%r11), %r12; lea 1(%r12), %r13; lea 1(%r13), %r14; lea 1(%r14), %r15\n"
    "	stc\n"
    "with_registers_at: ud2\n"
    "	mov %rax, regs_out(%rip); mov %rbx, regs_out+8(%rip); mov %rcx, regs_out+16(%rip)\n"
    "	mov %rdx, regs_out+24(%rip); mov %rsi, regs_out+32(%rip); mov %rdi, regs_out+40(%rip)\n"
    "	mov %rbp, regs_out+48(%rip); mov %r8, regs_out+56(%rip); mov %r9, regs_out+64(%rip)\n"
    "	mov %r10, regs_out+72(%rip); mov %r11, regs_out+80(%rip); mov %r12, regs_out+88(%rip)\n"
    "	mov %r13, regs_out+96(%rip); mov %r14, regs_out+104(%rip); mov %r15, regs_out+112(%rip)\n"
    "	mov %rsp, regs_out+15*8(%rip)\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "	ret\n");
void with_registers(void);
extern char with_registers_at[];

static const int order[] = { REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
			     REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

static void registers_handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;

	(void)sig;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		printf(" %llx", g[order[i]]);
		g[order[i]] += 0x100 * i;
	}
	printf("\nrsp %s rip %s addr %s cf %lld uc_flags %#lx link %p mask %#lx context %s info %s\n",
	       g[REG_RSP] == (greg_t)regs_in[15] ? "right" : "wrong",
	       g[REG_RIP] == (greg_t)with_registers_at ? "right" : "wrong",
	       info->si_addr == with_registers_at ? "right" : "wrong", g[REG_EFL] & 1, uc->uc_flags,
	       (void *)uc->uc_link, uc->uc_sigmask.__val[0], (uintptr_t)uc % 16 ? "odd" : "aligned",
	       (uintptr_t)info > (uintptr_t)uc ? "above" : "below");
	g[REG_RIP] += 2;
}

static void registers(void)
{
	catch(SIGILL, registers_handler, 0);
	with_registers();
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		printf(" %lx", regs_out[i]);
	printf("\nrsp %s\n", regs_out[15] == regs_in[15] ? "right" : "wrong");
}

/* ------------------------------------------------------------- frame */

static void frame_handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uintptr_t fp = (uintptr_t)uc->uc_mcontext.fpregs, sp = uc->uc_mcontext.gregs[REG_RSP];

	/* struct rt_sigframe is the return address, the context, the siginfo */
	printf("signal %d: info at context+%ld, fp %ld above context, aligned %d, red zone %s, stack flags %#x\n", sig,
	       (long)((uintptr_t)info - (uintptr_t)uc), (long)((fp - (uintptr_t)uc) & ~63),
	       fp % 64 == 0, on_alternate() ? "none" : fp + 512 <= sp - 128 ? "kept" : "trampled",
	       uc->uc_stack.ss_flags);
	printf("cs %llx cr2 %llx trapno %lld err %llx\n", uc->uc_mcontext.gregs[REG_CSGSFS] & 0xffff00000000ffff,
	       uc->uc_mcontext.gregs[REG_CR2], uc->uc_mcontext.gregs[REG_TRAPNO], uc->uc_mcontext.gregs[REG_ERR]);
	printf("code %d pid %s uid %s value %d\n", info->si_code, info->si_pid == getpid() ? "own" : "other",
	       info->si_uid == getuid() ? "own" : "other", info->si_code == SI_QUEUE ? info->si_int : 0);
	count++;
}

static void frame(void)
{
	static char *fresh;
	union sigval value = { .sival_int = 42 };

	catch(SIGUSR1, frame_handler, 0);
	catch(SIGUSR2, frame_handler, SA_ONSTACK);
	alternate(0, ALT);
	/* page faults that are not signals leave no trace in a context */
	fresh = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(fresh, 1, 1 << 20);
	kill(getpid(), SIGUSR1);
	raise(SIGUSR1);
	sigqueue(getpid(), SIGUSR1, value);
	kill(getpid(), SIGUSR2);
}

/* ------------------------------------------------------------- flags */

static void tell(int sig, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	count++;
	printf("handler of %d, mask %#lx, %s stack\n", sig, mask(), on_alternate() ? "alternate" : "own");
}

static void tell_nothing(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	count += on_alternate();
}

static void again(int sig, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	printf("in %d at depth %d mask %#lx\n", sig, ++depth, mask());
	if (depth < 4 && ++count < 6)
		raise(sig);
	printf("out %d of depth %d pending %#lx\n", sig, depth--, pending());
}

static void nothing(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
}

/* RFLAGS that are the program's and not a frame's: NT and ID stay as they are over a handler. */
static void kept_flags(void)
{
	unsigned long was, is;

	catch(SIGUSR1, nothing, 0);
	asm volatile("pushf; pop %0" : "=r"(was));
	was |= 0x4000 | 0x200000;
	asm volatile("mov $62, %%eax; push %1; popf; syscall; pushf; pop %0; pushq $0x202; popf"
		     : "=r"(is) : "r"(was), "D"(getpid()), "S"(SIGUSR1) : "rax", "rcx", "r11", "memory", "cc");
	printf("flags after the handler: %#lx\n", is & 0x204000);
}

static void flags(void)
{
	struct sigaction old, act = { .sa_handler = SIG_DFL };
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } raw = {
		.handler = (void *)tell, .flags = 0xfffffffff3fffbffull, .restorer = (void *)tell, .mask = -1 };

	catch(SIGUSR1, again, SA_NODEFER);
	raise(SIGUSR1);
	catch(SIGUSR1, again, 0);
	count = 0;
	raise(SIGUSR1);
	catch(SIGUSR1, tell, SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &old);
	printf("after SA_RESETHAND: %s flags %#x\n", old.sa_handler == SIG_DFL ? "default" : "kept",
	       old.sa_flags & ~0x04000000);
	catch(SIGUSR1, tell, SA_RESETHAND | SA_NODEFER | SA_RESTART | SA_ONSTACK);
	sigaction(SIGUSR1, NULL, &old);
	printf("flags %#x\n", old.sa_flags & ~0x04000000);
	/* what Linux keeps of unknown flags, and of masks */
	printf("raw %ld\n", syscall(SYS_rt_sigaction, SIGUSR2, &raw, NULL, 8L));
	syscall(SYS_rt_sigaction, SIGUSR2, NULL, &raw, 8L);
	printf("flags %#lx mask %#lx\n", raw.flags, raw.mask);
	for (int sig = -1; sig <= 66; sig++)
		if (sig == 9 || sig == 19 || sig < 1 || sig > 64)
			printf("sigaction %d: %d %d %d\n", sig, syscall(SYS_rt_sigaction, sig, &raw, NULL, 8L) ? errno : 0,
			       syscall(SYS_rt_sigaction, sig, NULL, &raw, 8L) ? errno : 0,
			       syscall(SYS_rt_sigaction, sig, NULL, NULL, 8L) ? errno : 0);
	printf("size 4: %d, bad address %d %d\n", syscall(SYS_rt_sigaction, 1, NULL, &raw, 4L) ? errno : 0,
	       syscall(SYS_rt_sigaction, 1, 8L, NULL, 8L) ? errno : 0,
	       syscall(SYS_rt_sigaction, 1, NULL, 8L, 8L) ? errno : 0);
	sigaction(SIGUSR1, &act, NULL);
}

/* The order in which several pending ones run, and what their masks let through. */
static void order_of(int sig, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	printf("%d(%d) mask %#lx\n", sig, info->si_code == SI_QUEUE ? info->si_int : 0, mask());
}

static void several(void)
{
	int sent[] = { SIGTERM, SIGRTMIN + 3, SIGUSR2, SIGHUP, SIGRTMIN, SIGUSR1, SIGRTMIN + 3, SIGSEGV, SIGUSR1, SIGRTMIN };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++) {
		union sigval value = { .sival_int = i };

		catch(sent[i], order_of, i & 1 ? SA_NODEFER : 0);
		sigqueue(getpid(), sent[i], value);
	}
	printf("pending %#lx\n", pending());
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	printf("pending %#lx mask %#lx\n", pending(), mask());
}

/* ------------------------------------------------------------- stacks */

static void overflow(int sig, siginfo_t *info, void *context)
{
	volatile char room[1024];

	(void)sig;
	(void)info;
	(void)context;
	room[0] = sig;
	if (++depth == 1)
		printf("first on the %s stack\n", on_alternate() ? "alternate" : "own");
	fflush(stdout);
	raise(SIGUSR1);
	depth += room[0] == 0;
}

static void leave(int sig, siginfo_t *info, void *context)
{
	(void)context;
	printf("signal %d code %d on the %s stack\n", sig, info->si_code, on_alternate() ? "alternate" : "own");
	siglongjmp(back, 1);
}

static void __attribute__((noinline)) recurse(volatile char *above)
{
	volatile char room[4096];

	room[0] = above[0];
	if (above[0] == 1)
		recurse(room);
	above[0] = room[0];
}

static void stacks(void)
{
	volatile char endless = 1;

	catch(SIGUSR1, tell, SA_ONSTACK);
	show_alternate("at first");
	raise(SIGUSR1);
	for (int flags = 0; flags < 5; flags++)
		printf("set %d: %d\n", flags, alternate(flags, ALT));
	printf("small: %d\n", alternate(0, 2047));
	printf("smallest: %d\n", alternate(0, 2048));
	printf("set: %d\n", alternate(0, ALT));
	raise(SIGUSR1);
	show_alternate("set");
	printf("disable: %d\n", alternate(SS_DISABLE, ALT));
	show_alternate("disabled");
	raise(SIGUSR1);
	alternate(0, ALT);
	/* a stack overflow is told on the other stack, again and again */
	catch(SIGSEGV, leave, SA_ONSTACK);
	for (int i = 0; i < 3; i++)
		if (!sigsetjmp(back, 1))
			recurse(&endless);
}

static void change_inside(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	show_alternate("inside");
	printf("frame of %d: flags %#x size %zu; change inside: %d\n", sig, uc->uc_stack.ss_flags,
	       uc->uc_stack.ss_size, alternate(0, 8192));
	show_alternate("inside, then");
	if (count++ == 0)
		raise(SIGUSR2);
}

static void autodisarm(void)
{
	catch(SIGUSR1, change_inside, SA_ONSTACK);
	catch(SIGUSR2, tell, SA_ONSTACK);
	printf("set: %d\n", alternate(0, ALT));
	raise(SIGUSR1);
	show_alternate("after");
	printf("set: %d\n", alternate(1u << 31, ALT));
	show_alternate("armed");
	raise(SIGUSR1);
	show_alternate("after");
	printf("set: %d\n", alternate(1u << 31 | SS_DISABLE, ALT));
	show_alternate("disabled");
}

static void overflow_alternate(void)
{
	catch(SIGUSR1, overflow, SA_ONSTACK | SA_NODEFER);
	alternate(0, 16384);
	raise(SIGUSR1);
}

/* A stack that may be too small for the frame alone, which then must not run over what lies below. */
static void small(void)
{
	char *stack = alt_memory + ALT - 2048;
	stack_t s = { .ss_sp = stack, .ss_size = 2048 };
	bool intact = true;

	sigaltstack(&s, NULL);
	catch(SIGUSR1, tell_nothing, SA_ONSTACK);
	raise(SIGUSR1);
	for (char *p = alt_memory; p < stack; p++)
		intact &= !*p;
	printf("%d, below it %s\n", count, intact ? "intact" : "trampled");
}

static void overflow_caught(void)
{
	catch(SIGSEGV, leave, 0);
	catch(SIGUSR1, overflow, SA_ONSTACK | SA_NODEFER);
	alternate(0, 16384);
	for (volatile int i = 0; i < 2; i++) {
		depth = 0;
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
	}
}

/* A stack that cannot take the frame: SIGSEGV, and where that has no stack either, the end. */
static void no_stack(void)
{
	catch(SIGSEGV, leave, SA_ONSTACK);
	catch(SIGUSR1, tell, 0);
	alternate(0, ALT);
	if (!sigsetjmp(back, 1))
		asm volatile("mov $8, %%rsp; mov %0, %%rdi; mov %1, %%rsi; mov $62, %%eax; syscall; hlt"
			     : : "r"((long)getpid()), "r"((long)SIGUSR1) : "rdi", "rsi", "memory");
	printf("still here\n");
	fflush(stdout);
	alternate(SS_DISABLE, 0);
	asm volatile("mov $8, %%rsp; ud2" : : : "memory");
}

static void no_restorer(void)
{
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } raw = {
		.handler = (void *)tell, .flags = SA_SIGINFO };

	catch(SIGSEGV, leave, SA_ONSTACK);
	printf("raw %ld\n", syscall(SYS_rt_sigaction, SIGUSR1, &raw, NULL, 8L));
	if (!sigsetjmp(back, 1))
		raise(SIGUSR1);
	printf("count %d\n", count);
}

static void bad_handler(void)
{
	static const unsigned long where[] = { 8, 0xffffffff81000000, 0x800000000000, 1ul << 63 };

	catch(SIGSEGV, leave, SA_ONSTACK | SA_NODEFER);
	alternate(0, ALT);
	for (volatile size_t i = 0; i < ARRAY_SIZE(where); i++) {
		catch(SIGUSR1, (void *)where[i], 0);
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
	}
	fflush(stdout);
	catch(SIGSEGV, (void *)where[2], SA_NODEFER);
	raise(SIGSEGV);
	printf("still here\n");
}

/* ------------------------------------------------------------- longjmp */

static void jump(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	count++;
	siglongjmp(back, 1);
}

static void longjmps(void)
{
	catch(SIGUSR1, jump, 0);
	catch(SIGSEGV, jump, SA_ONSTACK);
	catch(SIGILL, jump, 0);
	alternate(0, ALT);
	for (volatile int i = 0; i < 10000; i++) {
		if (sigsetjmp(back, 1))
			continue;
		if (i % 3 == 0)
			kill(getpid(), SIGUSR1);
		else if (i % 3 == 1)
			asm volatile("mov %%al, (%0)" : : "r"(8L) : "memory");
		else
			asm volatile("ud2");
	}
	printf("%d mask %#lx\n", count, mask());
}

static void nested_jump(int sig, siginfo_t *info, void *context)
{
	sigjmp_buf here;

	(void)info;
	(void)context;
	if (++depth == 8)
		siglongjmp(back, 1);
	if (!sigsetjmp(here, 1))
		raise(sig == SIGUSR1 ? SIGUSR2 : SIGUSR1);
	printf("unreached\n");
}

static void nested(void)
{
	catch(SIGUSR1, nested_jump, SA_NODEFER);
	catch(SIGUSR2, nested_jump, SA_NODEFER);
	for (volatile int i = 0; i < 3; i++) {
		depth = 0;
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
		printf("depth %d mask %#lx\n", depth, mask());
	}
}

/* ------------------------------------------------------------- changes of the context */

static void changer(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	sigaddset(&uc->uc_sigmask, SIGUSR2);
	if (sig == SIGSEGV)
		uc->uc_mcontext.gregs[REG_RAX] = (greg_t)alt_memory;
	else
		uc->uc_mcontext.gregs[REG_RAX] = 77;
}

static void changes(void)
{
	long ret;
	char c;

	catch(SIGUSR1, changer, 0);
	catch(SIGSEGV, changer, 0);
	asm volatile("syscall" : "=a"(ret) : "a"(62), "D"((long)getpid()), "S"((long)SIGUSR1) : "rcx", "r11", "memory");
	printf("rax %ld mask %#lx\n", ret, mask());
	alt_memory[0] = 'x';
	asm volatile("mov (%%rax), %%al" : "=a"(c) : "a"(16L) : "memory");
	printf("loaded %c\n", c);
}

/* ------------------------------------------------------------- single steps */

static uintptr_t steps[64], steps_from;
static volatile unsigned int nsteps;

asm(".globl stepped, stepped_end\n"
    "stepped:\n"
    "	pushf\n"
    "	orl $0x100, (%rsp)\n"
    "	popf\n"
    "	nop\n"
    "	mov $39, %eax\n"
    "	syscall\n"
    "	nop\n"
    "	nop\n"
    "	mov $500, %eax\n"
    "	syscall\n"
    "	mov $1, %eax\n"
    "	pushf\n"
    "	andl $~0x100, (%rsp)\n"
    "	popf\n"
    "	nop\n"
    "stepped_end:\n"
    "	ret\n");
void stepped(void);

static void step(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	if (nsteps < ARRAY_SIZE(steps))
		steps[nsteps++] = g[REG_RIP];
	if (info->si_code != TRAP_TRACE || info->si_addr != (void *)g[REG_RIP] || !(g[REG_EFL] & 0x100))
		printf("odd step: code %d flags %#llx\n", info->si_code, g[REG_EFL] & 0x300);
}

static void single_step(void)
{
	catch(SIGTRAP, step, 0);
	steps_from = (uintptr_t)stepped;
	stepped();
	printf("steps:");
	for (unsigned int i = 0; i < nsteps; i++)
		printf(" +%ld", (long)(steps[i] - steps_from));
	printf("\n");
}

/* A call with flags that would trap or trip a kernel. */
static void odd_flags(void)
{
	static const struct { const char *name; unsigned long set; } odd[] = {
		{ "nt", 0x4000 }, { "df", 0x400 }, { "ac", 0x40000 }, { "id", 0x200000 }, { "all", 0x244ed5 } };

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		unsigned long after;
		long ret;

		asm volatile("pushf; or %3, (%%rsp); popf; syscall; pushf; pop %1; pushq $0x202; popf"
			     : "=a"(ret), "=r"(after)
			     : "a"(39L), "r"(odd[i].set) : "rcx", "r11", "memory", "cc");
		printf("%s: pid %s flags %#lx\n", odd[i].name, ret == getpid() ? "right" : "wrong",
		       after & odd[i].set);
		asm volatile("pushf; or %2, (%%rsp); popf; movb $1, (%1); pushf; pop %0; pushq $0x202; popf"
			     : "=r"(after)
			     : "r"(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)),
			       "r"(odd[i].set) : "memory", "cc");
		/* NT is lost on some software hypervisors */
		printf("%s: after a fault %#lx\n", odd[i].name, after & odd[i].set & ~0x4000);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "registers", registers },
	{ "frame", frame },
	{ "flags", flags },
	{ "kept-flags", kept_flags },
	{ "several", several },
	{ "stacks", stacks },
	{ "autodisarm", autodisarm },
	{ "overflow", overflow_alternate },
	{ "small", small },
	{ "overflow-caught", overflow_caught },
	{ "no-stack", no_stack },
	{ "no-restorer", no_restorer },
	{ "bad-handler", bad_handler },
	{ "longjmp", longjmps },
	{ "nested", nested },
	{ "changes", changes },
	{ "single-step", single_step },
	{ "odd-flags", odd_flags },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(cases); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	return 2;
}
