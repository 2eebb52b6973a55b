/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the loader needs to know of a program file, checked.
 *
 * Not called elf.h: with -Irunner that name would shadow the system's <elf.h>.
 */
#ifndef KVMRUN_ELF_IMAGE_H
#define KVMRUN_ELF_IMAGE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many program headers as Linux reads: 64 KiB of them. */
#define ELF_MAX_PHDRS	  (65536 / 56)

/* First address that a non-PIE program may use: Linux's usual vm.mmap_min_addr. */
#define ELF_MIN_ADDR	  0x10000ULL
/* End of user space with 4-level paging (TASK_SIZE_MAX). */
#define ELF_MAX_ADDR	  0x7ffffffff000ULL
/* Most memory that segments may ask for, so that stack and mmap area fit beside them. */
#define ELF_MAX_FOOTPRINT (1ULL << 46)

/* One PT_LOAD. Addresses are guest virtual, before the PIE bias. */
struct elf_segment {
	uint64_t vaddr;	 /* vaddr + memsz <= ELF_MAX_ADDR */
	uint64_t memsz;	 /* > 0; bytes past filesz read as zero */
	uint64_t filesz; /* <= memsz */
	uint64_t offset; /* if filesz > 0: inside the file, congruent to vaddr modulo 4096 */
	int prot;	 /* PROT_*; never both PROT_WRITE and PROT_EXEC */
};

struct elf_image {
	bool pie;	   /* ET_DYN: add one bias to every address */
	bool exec_stack;   /* PT_GNU_STACK asks for it; without that header, no, as Linux since 5.8 */
	uint64_t entry;	   /* inside a PROT_EXEC segment */
	uint64_t phdr;	   /* AT_PHDR: where the headers are in memory; 0 if in no segment */
	uint16_t phnum;	   /* AT_PHNUM */
	uint16_t phentsize; /* AT_PHENT */
	uint64_t lo, hi;   /* page-aligned span of all segments */
	uint64_t align;	   /* the bias must be a multiple of this power of two, >= 4096 */
	char interp[PATH_MAX]; /* PT_INTERP: the dynamic linker's path; "" for a static program */
	size_t nseg;	   /* >= 1 */
	/*
	 * By ascending vaddr, no byte in two of them. Two may share a page, which Linux
	 * gives the protection of the one that comes later in the file.
	 */
	struct elf_segment seg[ELF_MAX_PHDRS];
};

/*
 * Reads and checks the headers of the program open for reading in fd.
 *
 * Accepts what Linux runs of x86-64 programs, in any layout. Stricter
 * than Linux in this: e_ident and e_version are as the ELF standard wants them, p_align is 0
 * or a power of two, segments do not overlap, none is writable and executable at once, none
 * reaches past the end of the file, and the entry is inside an executable one. Section
 * headers are never looked at.
 *
 * Each header is read once, into private memory: a file that changes meanwhile yields a
 * refusal or an image that meets every promise above. Nothing is promised about what the
 * file holds when the caller reads the segments: a short read there is the caller's to report.
 *
 * Returns 0; -ENOEXEC when this is not a program kvmrun can run; -EACCES when it is no regular
 * file; another -errno from reading. If not 0, why (512 bytes hold all of any) has one line of
 * printable ASCII without newline, to go behind the file's name ("is truncated: ..."): what is
 * wrong with which field, and what to do.
 */
int elf_parse(int fd, struct elf_image *img, char *why, size_t why_size);

#endif
