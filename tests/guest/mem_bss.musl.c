/* SPDX-License-Identifier: GPL-2.0-only */
/* Three GiB of .bss, of which little is touched. */
#include <stdio.h>

#define SIZE (3ul << 30)

/* In a section of its own, which the linker puts last: addresses past 2 GiB take movabs. */
static char huge[SIZE] __attribute__((section(".lbss.huge,\"awl\",@nobits#"), used));

int main(void)
{
	volatile char *p;
	unsigned long sum = 0;

	asm("movabs $huge, %0" : "=r"(p));
	for (unsigned long i = 0; i < SIZE; i += 64ul << 20)
		p[i] = i >> 20;
	for (unsigned long i = 0; i < SIZE; i += 32ul << 20)
		sum = sum * 31 + (unsigned char)p[i];
	p[SIZE - 1] = 1;
	printf("%lx\n", sum + p[SIZE - 1]);
	return 0;
}
