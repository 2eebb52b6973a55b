/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Check of the program file, as numbered steps: each reads what the one before it has found
 * sound, and each refusal names the field.
 *
 * libelf decodes the headers but never follows an offset of the file by itself, so that
 * hostile section headers and gigabytes of debug information are neither read nor trusted.
 */
#include "elf_image.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <libelf.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE	4096ULL
#define DAMAGED "; the file is damaged: build it or copy it again"

_Static_assert(sizeof(Elf64_Ehdr) == 64 && sizeof(Elf64_Phdr) == 56, "ELF64 header sizes");

/* The file while it is being checked. */
struct elf_file {
	int fd;
	uint64_t size;
	Elf64_Ehdr eh;
	Elf64_Phdr *ph; /* eh.e_phnum of them */
	char *why;
	size_t why_size;
};

static const struct {
	uint16_t machine;
	const char *name;
} machines[] = {
	{ EM_386, "i386" },	    { EM_X86_64, "x86-64" },   { EM_AARCH64, "aarch64" },
	{ EM_ARM, "arm" },	    { EM_RISCV, "riscv" },     { EM_PPC64, "ppc64" },
	{ EM_PPC, "powerpc" },	    { EM_S390, "s390" },       { EM_MIPS, "mips" },
	{ EM_LOONGARCH, "loongarch" }, { EM_SPARCV9, "sparc64" }, { EM_SPARC, "sparc" },
	{ EM_IA_64, "ia64" },	    { EM_ALPHA, "alpha" },     { EM_68K, "m68k" },
	{ EM_PARISC, "hppa" },	    { EM_SH, "sh" },	       { EM_BPF, "bpf" },
};

/* What is wrong with each e_type that is not a program. */
static const struct {
	uint16_t type;
	const char *what;
} not_programs[] = {
	{ ET_NONE, "has no type (e_type 0)" DAMAGED },
	{ ET_REL, "is an object file or kernel module; link it into a program first" },
	{ ET_CORE, "is a core dump; give the program that dumped it" },
};

__attribute__((format(printf, 2, 3))) static int refuse(struct elf_file *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->why, f->why_size, fmt, ap);
	va_end(ap);
	return -ENOEXEC;
}

static int refuse_errno(struct elf_file *f, int err)
{
	refuse(f, "cannot be read: %s", strerror(err));
	return -err;
}

/* src as a quoted string of printable ASCII; cut short, with "...", if dst is too small. */
static void quote(char *dst, size_t dst_size, const char *src, size_t len)
{
	size_t n = 0;

	dst[n++] = '\'';
	for (size_t i = 0; i < len; i++) {
		unsigned char c = src[i];

		if (n + sizeof("\\x00...'") > dst_size) {
			n += sprintf(dst + n, "...");
			break;
		}
		if (c >= ' ' && c <= '~' && c != '\'' && c != '\\')
			dst[n++] = c;
		else
			n += sprintf(dst + n, "\\x%02x", c);
	}
	dst[n++] = '\'';
	dst[n] = '\0';
}

/* Reads len bytes at off, fewer only at the end of the file. Returns the count or -errno. */
static ssize_t read_at(int fd, void *buf, size_t len, uint64_t off)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, off + done);

		if (n == 0)
			break;
		if (n > 0)
			done += n;
		else if (errno != EINTR)
			return -errno;
	}
	return done;
}

/* Is [off, off + len) inside the file? */
static bool in_file(const struct elf_file *f, uint64_t off, uint64_t len)
{
	return off <= f->size && len <= f->size - off;
}

/* Decodes the little-endian records in raw, in place. */
static void decode(void *raw, size_t size, Elf_Type type)
{
	Elf_Data data = {
		.d_buf = raw, .d_size = size, .d_type = type, .d_version = EV_CURRENT
	};

	if (!elf64_xlatetom(&data, &data, ELFDATA2LSB))
		abort(); /* only if the sizes above are wrong */
}

/* 1. It is a regular file. */
static int check_regular(struct elf_file *f)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return refuse_errno(f, errno);
	if (S_ISREG(st.st_mode)) {
		f->size = st.st_size;
		return 0;
	}
	refuse(f, S_ISDIR(st.st_mode) ? "is a directory, not a program" :
		  "is a device, pipe or socket, not a program: copy it to a regular file first");
	return -EACCES;
}

/* Tells what a file without ELF magic is. */
static int refuse_foreign(struct elf_file *f, const char *head, size_t len)
{
	size_t text = 0;

	if (len == 0)
		return refuse(f, "is empty");
	if (len >= 2 && !memcmp(head, "#!", 2)) {
		const char *end = memchr(head, '\n', len);
		const char *interp = head + 2;
		char quoted[300];

		if (!end)
			end = head + len;
		while (interp < end && isblank((unsigned char)*interp))
			interp++;
		quote(quoted, sizeof(quoted), interp, end - interp);
		return refuse(f, "is a script for %s; run a statically linked interpreter, "
				 "with the script as its argument", quoted);
	}
	while (text < len && (isprint((unsigned char)head[text]) ||
			      isspace((unsigned char)head[text])))
		text++;
	return refuse(f, text == len ? "is a text file, not a program" :
				       "is not an ELF program (no ELF magic at its start)");
}

/* 2. It starts with the header of an ELF file of the current version. */
static int check_ident(struct elf_file *f)
{
	union {
		Elf64_Ehdr eh;
		char bytes[256]; /* as much of a script's first line as Linux looks at */
	} head = { 0 };
	const unsigned char *ident = head.eh.e_ident;
	ssize_t len = read_at(f->fd, head.bytes, sizeof(head.bytes), 0);

	if (len < 0)
		return refuse_errno(f, -len);
	if (len == 0 || memcmp(ident, ELFMAG, len < SELFMAG ? len : SELFMAG))
		return refuse_foreign(f, head.bytes, len);
	/* e_machine and what is before it have one layout in ELF32 and ELF64 */
	if (len < (ssize_t)offsetof(Elf64_Ehdr, e_version))
		return refuse(f, "is truncated within its ELF header" DAMAGED);
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return refuse(f, "has a malformed ELF header: EI_CLASS is %u" DAMAGED,
			      ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
		return refuse(f, "has a malformed ELF header: EI_DATA is %u" DAMAGED,
			      ident[EI_DATA]);
	if (ident[EI_VERSION] != EV_CURRENT)
		return refuse(f, "has a malformed ELF header: EI_VERSION is %u, not 1" DAMAGED,
			      ident[EI_VERSION]);
	f->eh = head.eh;
	if (ident[EI_CLASS] == ELFCLASS64 && len < (ssize_t)sizeof(f->eh))
		return refuse(f, "is truncated within its ELF header" DAMAGED);
	return 0;
}

/* 3. It is for this kind of CPU. */
static int check_machine(struct elf_file *f)
{
	bool elf32 = f->eh.e_ident[EI_CLASS] == ELFCLASS32;
	bool big = f->eh.e_ident[EI_DATA] == ELFDATA2MSB;
	uint16_t machine = big ? __builtin_bswap16(f->eh.e_machine) : f->eh.e_machine;
	char number[40];
	const char *name = number;

	if (machine == EM_X86_64 && !elf32 && !big)
		return 0;
	snprintf(number, sizeof(number), "unknown (e_machine %u)", machine);
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].machine == machine)
			name = machines[i].name;
	if (machine == EM_X86_64 && elf32)
		name = "x32";
	return refuse(f, "is a %d-bit %s-endian program for %s; only 64-bit little-endian x86-64 "
			 "programs run here: build it for x86_64-linux",
		      elf32 ? 32 : 64, big ? "big" : "little", name);
}

/* 4. It is a program, and its ELF header says where the program headers are. */
static int check_header(struct elf_file *f)
{
	const Elf64_Ehdr *eh = &f->eh;

	decode(&f->eh, sizeof(f->eh), ELF_T_EHDR);
	if (eh->e_version != EV_CURRENT)
		return refuse(f, "has a malformed ELF header: e_version is %u, not 1" DAMAGED,
			      eh->e_version);
	for (size_t i = 0; i < sizeof(not_programs) / sizeof(not_programs[0]); i++)
		if (eh->e_type == not_programs[i].type)
			return refuse(f, "%s", not_programs[i].what);
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return refuse(f, "has a malformed ELF header: e_type %u is not a program" DAMAGED,
			      eh->e_type);
	if (eh->e_phnum == 0)
		return refuse(f, "has no program headers (e_phnum 0): nothing in it can be loaded");
	if (eh->e_phentsize != sizeof(Elf64_Phdr))
		return refuse(f, "has a malformed ELF header: e_phentsize is %u, not %zu" DAMAGED,
			      eh->e_phentsize, sizeof(Elf64_Phdr));
	if (eh->e_phnum > ELF_MAX_PHDRS)
		return refuse(f, "has too many program headers: e_phnum is %u, the limit is %d",
			      eh->e_phnum, ELF_MAX_PHDRS);
	return 0;
}

/* 5. The program headers are there. */
static int check_phdrs(struct elf_file *f)
{
	uint64_t off = f->eh.e_phoff;
	size_t len = f->eh.e_phnum * sizeof(f->ph[0]);
	ssize_t n;

	if (!in_file(f, off, len))
		return refuse(f, "is truncated: program headers at e_phoff 0x%" PRIx64
				 " reach past the end of the file, 0x%" PRIx64 DAMAGED,
			      off, f->size);
	f->ph = malloc(len);
	if (!f->ph)
		return refuse_errno(f, ENOMEM);
	n = read_at(f->fd, f->ph, len, off);
	if (n < 0)
		return refuse_errno(f, -n);
	if ((size_t)n != len)
		return refuse(f, "is truncated: it became shorter while it was being read; "
				 "run it again once it is complete");
	decode(f->ph, len, ELF_T_PHDR);
	return 0;
}

/* 6. Which interpreter it asks for, if any: the first one counts, as on Linux. */
static int check_interp(struct elf_file *f, struct elf_image *img)
{
	for (unsigned int i = 0; i < f->eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &f->ph[i];
		ssize_t n;

		if (ph->p_type != PT_INTERP)
			continue;
		if (!in_file(f, ph->p_offset, ph->p_filesz))
			return refuse(f, "is truncated: PT_INTERP (program header %u) reaches past "
					 "the end of the file" DAMAGED, i);
		if (ph->p_filesz < 2 || ph->p_filesz > sizeof(img->interp))
			return refuse(f, "is malformed: PT_INTERP (program header %u) has p_filesz "
					 "0x%" PRIx64 ", which is not a path" DAMAGED,
				      i, ph->p_filesz);
		n = read_at(f->fd, img->interp, ph->p_filesz, ph->p_offset);
		if (n < 0)
			return refuse_errno(f, -n);
		if ((size_t)n != ph->p_filesz || img->interp[n - 1] || !img->interp[0])
			return refuse(f, "is malformed: PT_INTERP (program header %u) is not a path" DAMAGED, i);
		return 0;
	}
	return 0;
}

/* 7. One PT_LOAD can be mapped: its addresses, its place in the file, its protection. */
static int check_load(struct elf_file *f, unsigned int i)
{
	const Elf64_Phdr *ph = &f->ph[i];
	uint64_t page_mask = PAGE - 1;

	if (ph->p_filesz > ph->p_memsz)
		return refuse(f, "is malformed: segment %u has p_filesz 0x%" PRIx64
				 " above p_memsz 0x%" PRIx64 DAMAGED,
			      i, ph->p_filesz, ph->p_memsz);
	if (ph->p_align & (ph->p_align - 1))
		return refuse(f, "is malformed: segment %u has p_align 0x%" PRIx64
				 ", not a power of two" DAMAGED, i, ph->p_align);
	if (ph->p_vaddr >= ELF_MAX_ADDR || ph->p_memsz > ELF_MAX_ADDR - ph->p_vaddr)
		return refuse(f, "is malformed: segment %u (p_vaddr 0x%" PRIx64 ", p_memsz 0x%" PRIx64
				 ") is not inside the 47-bit user address space" DAMAGED,
			      i, ph->p_vaddr, ph->p_memsz);
	if (f->eh.e_type == ET_EXEC && ph->p_vaddr < ELF_MIN_ADDR)
		return refuse(f, "is loaded too low: segment %u has p_vaddr 0x%" PRIx64
				 ", the lowest allowed is 0x%llx; link it higher or with "
				 "-static-pie", i, ph->p_vaddr, ELF_MIN_ADDR);
	if (ph->p_filesz && (ph->p_offset & page_mask) != (ph->p_vaddr & page_mask))
		return refuse(f, "is malformed: segment %u has p_offset 0x%" PRIx64
				 " and p_vaddr 0x%" PRIx64 " at different places in a page" DAMAGED,
			      i, ph->p_offset, ph->p_vaddr);
	if (ph->p_filesz && !in_file(f, ph->p_offset, ph->p_filesz))
		return refuse(f, "is truncated: segment %u (p_offset 0x%" PRIx64 ", p_filesz 0x%"
				 PRIx64 ") reaches past the end of the file, 0x%" PRIx64 DAMAGED,
			      i, ph->p_offset, ph->p_filesz, f->size);
	if ((ph->p_flags & PF_W) && (ph->p_flags & PF_X))
		return refuse(f, "has a segment that is both writable and executable (segment %u): "
				 "link it without -N (--omagic) or -n (--nmagic)", i);
	return 0;
}

/* 8. The headers make an image of at least one segment. */
static int build_image(struct elf_file *f, struct elf_image *img)
{
	img->pie = f->eh.e_type == ET_DYN;
	img->entry = f->eh.e_entry;
	img->phnum = f->eh.e_phnum;
	img->phentsize = f->eh.e_phentsize;
	img->align = PAGE;
	for (unsigned int i = 0; i < f->eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &f->ph[i];
		int err;

		if (ph->p_type == PT_GNU_STACK)
			img->exec_stack = ph->p_flags & PF_X;
		/* linkers leave empty ones behind, with any address */
		if (ph->p_type != PT_LOAD || (ph->p_memsz == 0 && ph->p_filesz == 0))
			continue;
		err = check_load(f, i);
		if (err)
			return err;
		img->seg[img->nseg++] = (struct elf_segment){
			.vaddr = ph->p_vaddr,
			.memsz = ph->p_memsz,
			.filesz = ph->p_filesz,
			.offset = ph->p_offset,
			.prot = (ph->p_flags & PF_R ? PROT_READ : 0) |
				(ph->p_flags & PF_W ? PROT_WRITE : 0) |
				(ph->p_flags & PF_X ? PROT_EXEC : 0),
		};
		if (ph->p_align > img->align)
			img->align = ph->p_align;
		if (!img->phdr && f->eh.e_phoff >= ph->p_offset &&
		    f->eh.e_phoff - ph->p_offset < ph->p_filesz)
			img->phdr = ph->p_vaddr + (f->eh.e_phoff - ph->p_offset);
	}
	if (img->nseg == 0)
		return refuse(f, "has no segment to load (no PT_LOAD with p_memsz above 0)");
	return 0;
}

static int by_vaddr(const void *a, const void *b)
{
	const struct elf_segment *x = a, *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

/* 9. The segments do not overlap, and all of them together fit into the address space. */
static int check_layout(struct elf_file *f, struct elf_image *img)
{
	uint64_t footprint = 0;

	qsort(img->seg, img->nseg, sizeof(img->seg[0]), by_vaddr);
	for (size_t i = 0; i < img->nseg; i++) {
		const struct elf_segment *s = &img->seg[i], *next = s + 1;

		if (i + 1 < img->nseg && s->memsz > next->vaddr - s->vaddr)
			return refuse(f, "is malformed: the segments at p_vaddr 0x%" PRIx64
					 " (p_memsz 0x%" PRIx64 ") and 0x%" PRIx64 " overlap" DAMAGED,
				      s->vaddr, s->memsz, next->vaddr);
		footprint += s->memsz;
	}
	img->lo = img->seg[0].vaddr & -PAGE;
	img->hi = (img->seg[img->nseg - 1].vaddr + img->seg[img->nseg - 1].memsz + PAGE - 1) & -PAGE;
	/* moved as one block, with room to align it */
	if (img->pie)
		footprint = img->hi - img->lo + img->align; /* at most 2^47 + 2^63 */
	if (footprint > ELF_MAX_FOOTPRINT)
		return refuse(f, "is too large: its segments need 0x%" PRIx64 " bytes of address "
				 "space, the limit is 0x%llx", footprint, ELF_MAX_FOOTPRINT);
	return 0;
}

/* 10. Execution starts in code. */
static int check_entry(struct elf_file *f, const struct elf_image *img)
{
	for (size_t i = 0; i < img->nseg; i++) {
		const struct elf_segment *s = &img->seg[i];

		if ((s->prot & PROT_EXEC) && img->entry >= s->vaddr &&
		    img->entry - s->vaddr < s->memsz)
			return 0;
	}
	if (img->pie && img->entry == 0)
		return refuse(f, "is a shared library, not a program (e_entry 0)");
	return refuse(f, "is malformed: e_entry 0x%" PRIx64 " is in no executable segment" DAMAGED,
		      img->entry);
}

int elf_parse(int fd, struct elf_image *img, char *why, size_t why_size)
{
	static int (*const steps[])(struct elf_file *) = {
		check_regular, check_ident, check_machine, check_header, check_phdrs,
	};
	struct elf_file f = { .fd = fd, .why = why, .why_size = why_size };
	int err = 0;

	memset(img, 0, offsetof(struct elf_image, seg));
	elf_version(EV_CURRENT);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !err; i++)
		err = steps[i](&f);
	if (!err)
		err = check_interp(&f, img);
	if (!err)
		err = build_image(&f, img);
	if (!err)
		err = check_layout(&f, img);
	if (!err)
		err = check_entry(&f, img);
	free(f.ph);
	return err;
}
