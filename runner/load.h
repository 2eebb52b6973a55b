/* SPDX-License-Identifier: GPL-2.0-only */
/* Fills guest memory before the first guest instruction. */
#ifndef KVMRUN_LOAD_H
#define KVMRUN_LOAD_H

#include "../shim/abi.h"
#include "elf_image.h"

struct vm;
/* What is to be run. */
struct program {
	int fd;
	struct elf_image elf;
	int interp_fd;			/* if elf.interp names one: the dynamic linker */
	struct elf_image interp;
};

/*
 * Puts the shim, the program, its interpreter, its stack, the page tables and struct
 * abi_boot into guest memory. Each byte of the files is read once, into the
 * place where the guest uses it.
 *
 * Failure is one line on stderr: exit status 126 when the file is at fault, 125
 * when the limits or the host are.
 */
void load(struct vm *vm, const struct program *program);

/* What the parts of the loader share. */
struct loader {
	struct vm *vm;
	struct abi_boot *boot;
	gpa_t next;		/* guest RAM from here on is unused */
	gva_t bias;		/* of a PIE */
	gva_t interp_bias;
	gva_t stack_top;
	gva_t vdso;
};

/* The program's process ID and its parent's, in a world of their own: the host's are not told. */
#define GUEST_PID	2
#define GUEST_PPID	1

/* What a program's image counts against --mem, and its interpreter's. */
uint64_t load_size(const struct program *program);

/* len bytes of zeroed guest RAM, page-aligned; *gpa says where. */
void *load_alloc(struct loader *l, uint64_t len, gpa_t *gpa);

/* Adds a mapping of the program, above all others so far, to boot->map[]. */
void load_map(struct loader *l, gva_t start, gva_t end, int prot, uint32_t flags);

/* A random number of pages below max bytes (a power of two), as bytes. */
uint64_t load_random(uint64_t max);

/* Maps one page, PROT_*; size is ABI_PAGE or ABI_HUGE. Replaces what was there. */
void pt_map(struct loader *l, gva_t va, gpa_t gpa, int prot, uint64_t size);

/* The page that is mapped at va, or UINT64_MAX. */
gpa_t pt_lookup(struct loader *l, gva_t va);

/* Allocates the PML4 and records it in boot->pml4. */
void pt_init(struct loader *l);

/* The stack with argc, argv, envp and auxv, mapped below l->stack_top; sets boot->rsp. */
void stack_build(struct loader *l, const struct elf_image *elf);

/* Bytes that stack_build() will map. Dies of 126 when the arguments are too long. */
uint64_t stack_size(struct loader *l);

#endif
