/* SPDX-License-Identifier: GPL-2.0-only */
/* Code that the program writes itself: by turns writable and executable, or both at once. */
#include "mem.h"

#define RX	(PROT_READ | PROT_EXEC)
#define RWX	(RW | PROT_EXEC)

/* mov $value, %eax; ret */
static void write_code(unsigned long at, int value)
{
	unsigned char code[] = { 0xb8, value, value >> 8, value >> 16, value >> 24, 0xc3 };

	memcpy((void *)at, code, sizeof(code));
}

static int run_code(unsigned long at)
{
	if (sigsetjmp(mem_jump, 1) == 0)
		return ((int (*)(void))at)();
	return -mem_info.si_code;
}

/* As a JIT that keeps the rules, on a page, on many, within a 2 MiB page. */
static void by_turns(void)
{
	CALL(munmap, ZONE, 1ul << 32);
	SHOW(mem_map(ZONE, 4 * HUGE, RW, ANON | MAP_FIXED));
	for (unsigned long at = ZONE; at < ZONE + 4 * HUGE; at += HUGE / 2) {
		write_code(at, at);
		write_code(at + PAGE - 6, 1);
	}
	printf("%d\n", run_code(ZONE));
	SHOW(CALL(mprotect, ZONE, 4 * HUGE, RX));
	for (unsigned long at = ZONE; at < ZONE + 4 * HUGE; at += HUGE / 2)
		printf("%d %d\n", run_code(at) == (int)at, run_code(at + PAGE - 6));
	for (int i = 0; i < 50; i++) {
		unsigned long at = ZONE + i * 7 * PAGE;

		if (CALL(mprotect, at, PAGE, RW))
			printf("failed\n");
		write_code(at, i);
		if (CALL(mprotect, at, PAGE, RX))
			printf("failed\n");
		if (run_code(at) != i)
			printf("%d: %d\n", i, run_code(at));
	}
	if (sigsetjmp(mem_jump, 1) == 0)
		*(volatile char *)ZONE = 1;
	else
		printf("SIGSEGV %d\n", mem_info.si_code);
	SHOW(CALL(mprotect, ZONE + PAGE, PAGE, PROT_NONE));
	printf("%d\n", run_code(ZONE + PAGE));
	SHOW(CALL(mprotect, ZONE + HUGE, PAGE, PROT_READ));
	printf("%d\n", run_code(ZONE + HUGE));
}

static void at_once(void)
{
	CALL(munmap, ZONE, 1ul << 32);
	SHOW(mem_map(ZONE, PAGE, RWX, ANON | MAP_FIXED));
	SHOW(mem_map(ZONE, PAGE, PROT_WRITE | PROT_EXEC, ANON | MAP_FIXED));
	SHOW(mem_map(ZONE, 4 * PAGE, RW, ANON | MAP_FIXED));
	SHOW(CALL(mprotect, ZONE, 4 * PAGE, RWX));
	SHOW(CALL(mprotect, ZONE, PAGE, PROT_WRITE | PROT_EXEC));
	SHOW(CALL(pkey_mprotect, ZONE, PAGE, RWX, -1));
	SHOW(CALL(mprotect, ZONE + 64 * PAGE, PAGE, RWX));
	write_code(ZONE, 42);
	printf("%d\n", run_code(ZONE));
	write_code(ZONE, 43);
	printf("%d\n", run_code(ZONE));
}

static const struct mem_part parts[] = { { "by-turns", by_turns }, { "at-once", at_once } };

int main(int argc, char **argv)
{
	return mem_main(argc, argv, parts, ARRAY_SIZE(parts));
}
