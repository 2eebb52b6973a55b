/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * elf_variants GOOD N OUT: writes malformed variant N of the program GOOD to the file OUT,
 * executable, and prints what the reason for refusing it must contain.
 */
#include "elf_variants.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct elf_variant v;
	struct stat st;
	char *end;
	unsigned long n;
	void *good;
	int fd;

	if (argc != 4)
		errx(2, "usage: elf_variants GOOD N OUT (N from 0 to %d)", ELF_VARIANTS - 1);
	n = strtoul(argv[2], &end, 10);
	if (*end || end == argv[2] || n >= ELF_VARIANTS)
		errx(2, "N must be from 0 to %d, not %s", ELF_VARIANTS - 1, argv[2]);
	fd = open(argv[1], O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", argv[1]);
	good = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (good == MAP_FAILED)
		err(1, "%s", argv[1]);
	if (!elf_variant(good, st.st_size, n, &v))
		errx(1, "%s: not a static non-PIE x86-64 program", argv[1]);
	fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (fd < 0 || write(fd, v.data, v.size) != (ssize_t)v.size || close(fd) < 0)
		err(1, "%s", argv[3]);
	free(v.data);
	puts(v.why);
	return 0;
}
