/* SPDX-License-Identifier: GPL-2.0-only */
/* Malformed programs made from a good one, the same ones every time. */
#ifndef KVMRUN_ELF_VARIANTS_H
#define KVMRUN_ELF_VARIANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_VARIANTS 200

struct elf_variant {
	uint8_t *data; /* owned by the caller: free() it */
	size_t size;
	char name[80];	 /* what was done to the good program */
	const char *why; /* what the reason for refusing it must contain */
};

/*
 * Makes variant n, 0 <= n < ELF_VARIANTS, of the static non-PIE x86-64 program in good.
 * Returns false, with nothing to free, if good is not such a program with at least two PT_LOADs
 * of which all have bytes in the file.
 */
bool elf_variant(const uint8_t *good, size_t size, unsigned int n, struct elf_variant *v);

#endif
