/* SPDX-License-Identifier: GPL-2.0-only */
/* A .bss of 1 GiB, of which three pages are touched. */
#include <stdio.h>

static volatile char big[1 << 30];

int main(void)
{
	int sum = 0;

	for (unsigned long i = 0; i < sizeof(big); i += sizeof(big) / 2 - 1) {
		sum += big[i];
		big[i] = 7;
		sum += big[i];
	}
	printf("%d\n", sum);
	return 0;
}
