/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults: each touch that must not be, and the signal that comes of it; in the
 * parts named die-*, without a handler that helps.
 */
#include "mem.h"

#include <ucontext.h>

enum how { READ, WRITE, RUN, READ8, PUSH, ATOMIC, STRING };

static const char text_byte = 1;
static char data_byte = 1;
static sigjmp_buf again;

static void handler(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	unsigned long addr = (unsigned long)info->si_addr;

	printf("  %s code %d addr ", sigabbrev_np(sig), info->si_code);
	if (addr >= (unsigned long)&text_byte - 64 && addr <= (unsigned long)&text_byte + 64)
		printf("constant%+ld", addr - (long)&text_byte);
	else if (addr == (unsigned long)&data_byte)
		printf("data");
	else
		printf("%#lx", addr);
	printf(" trap %lld", (long long)uc->uc_mcontext.gregs[REG_TRAPNO]);
	/* the write and fetch bits: whether a page was there is the kernel's own affair */
	if (uc->uc_mcontext.gregs[REG_TRAPNO] == 14)
		printf(" error %#llx cr2 %d", (long long)uc->uc_mcontext.gregs[REG_ERR] & 0x12,
		       (unsigned long)uc->uc_mcontext.gregs[REG_CR2] == addr);
	printf("\n");
	siglongjmp(again, 1);
}

static void touch(unsigned long va, enum how how)
{
	switch (how) {
	case READ:
		asm volatile("movb (%0), %%al" : : "r"(va) : "rax");
		break;
	case READ8:
		asm volatile("movq (%0), %%rax" : : "r"(va) : "rax");
		break;
	case WRITE:
		asm volatile("movb $7, (%0)" : : "r"(va) : "memory");
		break;
	case RUN:
		asm volatile("call *%0" : : "r"(va) : "memory");
		break;
	case PUSH:
		asm volatile("mov %%rsp, %%rbx; mov %0, %%rsp; push %%rax; mov %%rbx, %%rsp" : : "r"(va) : "rbx", "memory");
		break;
	case ATOMIC:
		asm volatile("lock xaddl %%eax, (%0)" : : "r"(va) : "rax", "memory");
		break;
	case STRING:
		asm volatile("rep movsb" : : "D"(va), "S"(&text_byte), "c"(1) : "memory");
		break;
	}
	printf("  nothing\n");
}

static void try(const char *name, unsigned long va, enum how how)
{
	printf("%s\n", name);
	if (sigsetjmp(again, 1) == 0)
		touch(va, how);
}
#define TRY(va, how) try(#how " " #va, (unsigned long)(va), how)

static void user(void)
{
	CALL(munmap, ZONE, 1ul << 32);
	mem_map(ZONE, 2 * PAGE, RW, ANON | MAP_FIXED);
	mem_map(ZONE + 3 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED);
	mem_map(ZONE + 5 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED);
	mem_map(ZONE + 7 * PAGE, PAGE, RW, ANON | MAP_FIXED);
	*(char *)(ZONE + 7 * PAGE) = 0xc3;	/* ret */
	CALL(mprotect, ZONE + 7 * PAGE, PAGE, PROT_READ | PROT_EXEC);
	TRY(0, READ);
	TRY(0, WRITE);
	TRY(0, RUN);
	TRY(8, READ8);
	TRY(0xfff, WRITE);
	TRY(-1ul, READ);
	TRY(ZONE + 2 * PAGE, READ);
	TRY(ZONE + 2 * PAGE - 1, READ8);
	TRY(ZONE + 2 * PAGE - 1, READ);
	TRY(ZONE + 2 * PAGE + 5, WRITE);
	TRY(ZONE + 2 * PAGE, RUN);
	TRY(ZONE + 2 * PAGE + 8, PUSH);
	TRY(ZONE + 2 * PAGE, ATOMIC);
	TRY(ZONE + 2 * PAGE, STRING);
	TRY(ZONE + 3 * PAGE, READ);
	TRY(ZONE + 3 * PAGE, WRITE);
	TRY(ZONE + 3 * PAGE, RUN);
	TRY(ZONE + 5 * PAGE, READ);
	TRY(ZONE + 5 * PAGE, WRITE);
	TRY(ZONE + 5 * PAGE + 9, ATOMIC);
	TRY(ZONE + 5 * PAGE, RUN);
	TRY(ZONE, RUN);
	TRY(ZONE + PAGE + 0x123, RUN);
	TRY(ZONE + 7 * PAGE, RUN);
	TRY(ZONE + 7 * PAGE, WRITE);
	TRY(&text_byte, READ);
	TRY(&text_byte, WRITE);
	TRY(&data_byte, WRITE);
	TRY(&data_byte, RUN);
	CALL(mprotect, ZONE, PAGE, PROT_READ);
	TRY(ZONE, WRITE);
	CALL(mprotect, ZONE, PAGE, PROT_NONE);
	TRY(ZONE, READ);
	CALL(mprotect, ZONE, PAGE, RW);
	TRY(ZONE, WRITE);
	CALL(munmap, ZONE, PAGE);
	TRY(ZONE, WRITE);
	/* the same within a 2 MiB page */
	mem_map(ZONE, 2 * HUGE, RW, ANON | MAP_FIXED);
	memset((void *)ZONE, 1, 2 * HUGE);
	TRY(ZONE + 5 * PAGE, RUN);
	CALL(mprotect, ZONE, HUGE, PROT_READ);
	TRY(ZONE + HUGE - 1, WRITE);
	TRY(ZONE + HUGE, WRITE);
	CALL(mprotect, ZONE + 7 * PAGE, PAGE, PROT_NONE);
	TRY(ZONE + 7 * PAGE, READ);
	TRY(ZONE + 8 * PAGE, READ);
	CALL(munmap, ZONE + HUGE, PAGE);
	TRY(ZONE + HUGE, READ);
	TRY(ZONE + HUGE + PAGE, WRITE);
}

static void high(void)
{
	TRY(0x7ffffffff000, READ);
	TRY(0x7fffffffffff, WRITE);
	TRY(0x800000000000, READ);
	TRY(0x800000000000, WRITE);
	TRY(0x800000000000, RUN);
	TRY(0xdeadbeefdeadbeef, READ);
	TRY(0xdeadbeefdeadbeef, RUN);
	TRY(0x4141414141414141, WRITE);
	TRY(0xffff7fffffffffff, READ);
	TRY(0xffffc90000000000, READ);
	TRY(0xffffc90000000000, WRITE);
	TRY(0xffffc90000000000, RUN);
	TRY(0xfffffffffffff000, READ);
	TRY(0xfffffffffffffff8, WRITE);
}

/* Where the shim is, and what it maps: not for the program where it is protected. */
static void shim(void)
{
	TRY(0xffffffff80000000, READ);
	TRY(0xffffffff80000000, WRITE);
	TRY(0xffffffff80000000, RUN);
	TRY(0xffffffff80001000, RUN);
	TRY(0xffff888000000000, READ);
	TRY(0xffff888000001000, WRITE);
	TRY(0xffff888000000000, RUN);
}

static void without(enum how how, unsigned long va)
{
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	touch(va, how);
}

static void die_null(void)
{
	without(READ, 0);
}

static void die_blocked(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	touch(0, WRITE);
}

static void die_ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	touch(0, WRITE);
}

static void die_run(void)
{
	without(RUN, (unsigned long)&data_byte);
}

static void die_high(void)
{
	without(READ, 0x800000000000);
}

/* In a handler of the same signal, without SA_NODEFER. */
static void second(int sig)
{
	(void)sig;
	touch(0, READ);
}

static void die_twice(void)
{
	signal(SIGSEGV, second);
	touch(0, READ);
}

static const struct mem_part parts[] = {
	{ "user", user },
	{ "high", high },
	{ "shim", shim },
	{ "die-null", die_null },
	{ "die-blocked", die_blocked },
	{ "die-ignored", die_ignored },
	{ "die-run", die_run },
	{ "die-high", die_high },
	{ "die-twice", die_twice },
};

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	static char room[65536];
	stack_t alt = { .ss_sp = room, .ss_size = sizeof(room) };

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaltstack(&alt, NULL);
	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(parts); i++)
		if (strcmp(parts[i].name, argv[1]) == 0) {
			printf("# %s\n", parts[i].name);
			parts[i].run();
			return 0;
		}
	return 2;
}
