/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs made header by header, for layouts that no linker makes. They are
 * ordinary Linux programs and run natively, too.
 */
#ifndef TESTS_LIB_ELF_MAKE_H
#define TESTS_LIB_ELF_MAKE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes put into the file. */
struct elf_bytes {
	uint64_t offset;
	const void *data;
	size_t len;
};

/*
 * Write the program to path, executable: an ELF header of this type (ET_EXEC,
 * ET_DYN) and entry, nph program headers after it, no section headers, the
 * bytes. It fails the test when the file cannot be written.
 */
void elf_make(const char *path, uint16_t type, uint64_t entry, const Elf64_Phdr *ph, size_t nph,
	      const struct elf_bytes *bytes, size_t nbytes);

/* The room that the headers take at the file's start. */
#define ELF_MAKE_HEADERS(nph) (sizeof(Elf64_Ehdr) + (nph) * sizeof(Elf64_Phdr))

/* A copy of the program from, as to, in which len bytes at offset are changed; cut to size if not 0. */
void elf_change(const char *from, const char *to, uint64_t offset, const void *data, size_t len,
		uint64_t size);

#endif
