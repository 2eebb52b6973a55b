/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the mem_* programs share: raw calls that return -errno, results printed
 * so that two runs can be compared, and a look at pages that survives faults.
 */
#ifndef GUEST_MEM_H
#define GUEST_MEM_H

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
#include <unistd.h>

#define PAGE	0x1000ul
#define HUGE	0x200000ul
#define ZONE	0x200000000000ul	/* far from all that Linux places by itself */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define RW	(PROT_READ | PROT_WRITE)

#define CALL(name, ...) mem_call(SYS_##name, __VA_ARGS__)
#define mem_call(nr, ...) mem_call6(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define mem_call6(nr, a, b, c, d, e, f, ...) \
	mem_raw(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline long mem_raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
	long ret;

	asm volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

/* A result as it is the same wherever Linux places things: errno's name, a place in the zone, a small number. */
static inline const char *mem_name(long ret)
{
	static char text[4][32];
	static int turn;
	char *s = text[turn++ & 3];

	if (ret < 0 && ret > -4096)
		return strerrorname_np(-ret);
	if ((unsigned long)ret >= ZONE && (unsigned long)ret < ZONE + (1ul << 40))
		snprintf(s, sizeof(text[0]), "zone+%#lx", ret - ZONE);
	else if (ret < 0x10000 && ret >= 0)
		snprintf(s, sizeof(text[0]), "%#lx", ret);
	else
		snprintf(s, sizeof(text[0]), "elsewhere");
	return s;
}

#define SHOW(call) do { long mem_ret = (call); printf("%s = %s\n", #call, mem_name(mem_ret)); } while (0)

static sigjmp_buf mem_jump;
static volatile siginfo_t mem_info;

static void mem_handler(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	mem_info = *info;
	siglongjmp(mem_jump, 1);
}

/* Catches SIGSEGV and SIGBUS, on a stack of its own. */
static inline void mem_catch(void)
{
	struct sigaction act = { .sa_sigaction = mem_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	static char room[65536];
	stack_t alt = { .ss_sp = room, .ss_size = sizeof(room) };

	sigaltstack(&alt, NULL);
	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
}

/* '.' unmapped, '-' no access, 'r' readable, 'w' writable too; *byte is the page's first. */
static inline char mem_look(unsigned long va, unsigned char *byte)
{
	volatile unsigned char *p = (void *)va;
	volatile char what = '.';

	*byte = 0;
	if (sigsetjmp(mem_jump, 1) == 0) {
		*byte = *p;
		what = 'r';
		*p = *byte;
		return 'w';
	}
	if (what == '.' && mem_info.si_code == SEGV_ACCERR)
		what = '-';
	return what;
}

/* One line for n pages: each one's access and the tag in its first byte. */
static inline void mem_layout(unsigned long va, unsigned long n)
{
	printf("  ");
	for (unsigned long i = 0; i < n; i++) {
		unsigned char byte;
		char what = mem_look(va + i * PAGE, &byte);

		printf("%c%c ", what, byte > ' ' && byte < 127 ? byte : byte ? '?' : ' ');
	}
	printf("\n");
}

/* Tags n pages by letters from first on, at both ends. */
static inline void mem_tag(unsigned long va, unsigned long n, char first)
{
	for (unsigned long i = 0; i < n; i++) {
		char *p = (char *)va + i * PAGE;

		p[0] = p[PAGE - 1] = first + i % 26;
	}
}

static inline long mem_map(unsigned long va, unsigned long len, int prot, int flags)
{
	return CALL(mmap, va, len, prot, flags, -1, 0);
}

/* n pages of the zone, writable and tagged from 'A' on. */
static inline void mem_setup(unsigned long n)
{
	CALL(munmap, ZONE, 1ul << 32);
	mem_map(ZONE, n * PAGE, RW, ANON | MAP_FIXED);
	mem_tag(ZONE, n, 'A');
}

/* A sum over bytes, for content. */
static inline unsigned long mem_sum(unsigned long va, unsigned long len)
{
	unsigned long sum = 5381;

	for (const uint64_t *p = (void *)va; p < (uint64_t *)(va + len); p++)
		sum = sum * 33 + *p;
	return sum;
}

static inline void mem_fill(unsigned long va, unsigned long len, uint64_t seed)
{
	for (uint64_t *p = (void *)va; p < (uint64_t *)(va + len); p++)
		*p = seed = seed * 6364136223846793005ul + 1442695040888963407ul;
}

/* Runs the part of a program that its first argument names; all of them without one. */
struct mem_part {
	const char *name;
	void (*run)(void);
};

static inline int mem_main(int argc, char **argv, const struct mem_part *parts, size_t count)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	mem_catch();
	for (size_t i = 0; i < count; i++) {
		if (argc > 1 && strcmp(argv[1], parts[i].name) != 0)
			continue;
		printf("# %s\n", parts[i].name);
		parts[i].run();
		if (argc > 1)
			return 0;
	}
	return argc > 1 ? 2 : 0;
}

#endif
