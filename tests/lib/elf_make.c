/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "elf_make.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int create(const char *path)
{
	int fd;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static void put(int fd, const void *data, size_t len, uint64_t offset)
{
	if (pwrite(fd, data, len, offset) != (ssize_t)len)
		fail_msg("cannot write a program: %s", strerror(errno));
}

void elf_make(const char *path, uint16_t type, uint64_t entry, const Elf64_Phdr *ph, size_t nph,
	      const struct elf_bytes *bytes, size_t nbytes)
{
	const Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = type,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = entry,
		.e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(*ph),
		.e_phnum = nph,
	};
	int fd = create(path);

	put(fd, &eh, sizeof(eh), 0);
	put(fd, ph, nph * sizeof(*ph), sizeof(eh));
	for (size_t i = 0; i < nbytes; i++)
		put(fd, bytes[i].data, bytes[i].len, bytes[i].offset);
	close(fd);
}

void elf_change(const char *from, const char *to, uint64_t offset, const void *data, size_t len,
		uint64_t size)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = create(to);
	struct stat st;

	if (in < 0 || fstat(in, &st))
		fail_msg("%s: %s", from, strerror(errno));
	while (sendfile(out, in, NULL, st.st_size) > 0)
		;
	put(out, data, len, offset);
	if (size && ftruncate(out, size))
		fail_msg("%s: %s", to, strerror(errno));
	close(in);
	close(out);
}
