/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Variants are numbered through these lists: edits of the ELF header, edits of one program
 * header of each PT_LOAD, edits of several, cuts at chosen lengths, and, up to ELF_VARIANTS,
 * edits and cuts by a generator of random numbers seeded with the variant's number.
 */
#include "elf_variants.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_LOADS     16

/* What delta is added to for a field's new value. */
enum base { ZERO, SELF, FILE_SIZE, SELF_FILE_PAGES, SELF_IN_PAGE, FILESZ, MEMSZ };

struct edit {
	const char *name;
	size_t off, len;
	enum base base;
	uint64_t delta;
	const char *why;
};

#define EH(field, base, delta, why) \
	{ #field, offsetof(Elf64_Ehdr, field), sizeof(((Elf64_Ehdr *)0)->field), base, delta, why }
#define ID(index, value, why) \
	{ #index, offsetof(Elf64_Ehdr, e_ident) + (index), 1, ZERO, value, why }
#define PH(field, base, delta, why) \
	{ #field, offsetof(Elf64_Phdr, field), sizeof(((Elf64_Phdr *)0)->field), base, delta, why }

static const struct edit header_edits[] = {
	ID(EI_MAG0, 0, "no ELF magic"),
	ID(EI_MAG1, 'e', "no ELF magic"),
	ID(EI_MAG2, 0xff, "no ELF magic"),
	ID(EI_MAG3, 'G', "no ELF magic"),
	ID(EI_CLASS, 0, "EI_CLASS is 0"),
	ID(EI_CLASS, 1, "32-bit"),
	ID(EI_CLASS, 3, "EI_CLASS is 3"),
	ID(EI_CLASS, 255, "EI_CLASS is 255"),
	ID(EI_DATA, 0, "EI_DATA is 0"),
	ID(EI_DATA, 2, "big-endian"),
	ID(EI_DATA, 3, "EI_DATA is 3"),
	ID(EI_DATA, 255, "EI_DATA is 255"),
	ID(EI_VERSION, 0, "EI_VERSION is 0"),
	ID(EI_VERSION, 2, "EI_VERSION is 2"),
	ID(EI_VERSION, 255, "EI_VERSION is 255"),
	EH(e_type, ZERO, ET_NONE, "e_type 0"),
	EH(e_type, ZERO, ET_REL, "object file"),
	EH(e_type, ZERO, ET_CORE, "core dump"),
	EH(e_type, ZERO, ET_NUM, "e_type 5"),
	EH(e_type, ZERO, ET_LOOS, "e_type 65024"),
	EH(e_type, ZERO, ET_HIPROC, "e_type 65535"),
	EH(e_machine, ZERO, EM_NONE, "e_machine 0"),
	EH(e_machine, ZERO, EM_SPARC, "sparc"),
	EH(e_machine, ZERO, EM_386, "i386"),
	EH(e_machine, ZERO, EM_MIPS, "mips"),
	EH(e_machine, ZERO, EM_PPC64, "ppc64"),
	EH(e_machine, ZERO, EM_S390, "s390"),
	EH(e_machine, ZERO, EM_ARM, "arm"),
	EH(e_machine, ZERO, EM_X86_64 + 1, "e_machine 63"),
	EH(e_machine, ZERO, EM_AARCH64, "aarch64"),
	EH(e_machine, ZERO, EM_RISCV, "riscv"),
	EH(e_machine, ZERO, 258, "loongarch"),
	EH(e_machine, ZERO, 0xffff, "e_machine 65535"),
	EH(e_version, ZERO, 0, "e_version is 0"),
	EH(e_version, ZERO, 2, "e_version is 2"),
	EH(e_version, ZERO, UINT32_MAX, "e_version is 4294967295"),
	EH(e_entry, ZERO, 0, "e_entry"),
	EH(e_entry, ZERO, 1, "e_entry"),
	EH(e_entry, ZERO, 0xffff, "e_entry"),
	EH(e_entry, ZERO, 1ULL << 47, "e_entry"),
	EH(e_entry, SELF, 1ULL << 63, "e_entry"),
	EH(e_entry, ZERO, UINT64_MAX, "e_entry"),
	EH(e_phoff, FILE_SIZE, 0, "e_phoff"),
	EH(e_phoff, FILE_SIZE, -1ULL, "e_phoff"),
	EH(e_phoff, ZERO, 1ULL << 63, "e_phoff"),
	EH(e_phoff, ZERO, INT64_MAX, "e_phoff"),
	EH(e_phoff, ZERO, UINT64_MAX, "e_phoff"),
	EH(e_phoff, ZERO, -56ULL, "e_phoff"),
	EH(e_phentsize, ZERO, 0, "e_phentsize"),
	EH(e_phentsize, ZERO, 1, "e_phentsize"),
	EH(e_phentsize, ZERO, 32, "e_phentsize"),
	EH(e_phentsize, ZERO, 55, "e_phentsize"),
	EH(e_phentsize, ZERO, 57, "e_phentsize"),
	EH(e_phentsize, ZERO, 0xffff, "e_phentsize"),
	EH(e_phnum, ZERO, 0, "e_phnum"),
	EH(e_phnum, ZERO, 1171, "e_phnum"),
	EH(e_phnum, ZERO, 0xfffe, "e_phnum"),
	EH(e_phnum, ZERO, PN_XNUM, "e_phnum"),
};

static const struct edit load_edits[] = {
	PH(p_offset, SELF, 1, "p_offset"),
	PH(p_offset, SELF, 4095, "p_offset"),
	PH(p_offset, SELF, 1ULL << 63, "truncated"),
	PH(p_offset, SELF_FILE_PAGES, 0, "truncated"),
	PH(p_vaddr, SELF, 1, "p_vaddr"),
	PH(p_vaddr, SELF, 1ULL << 47, "47-bit"),
	PH(p_vaddr, SELF, 1ULL << 63, "47-bit"),
	PH(p_vaddr, SELF_IN_PAGE, -4096ULL, "47-bit"),
	PH(p_vaddr, SELF_IN_PAGE, 0, "too low"),
	PH(p_filesz, MEMSZ, 1, "p_filesz"),
	PH(p_filesz, ZERO, UINT64_MAX, "p_filesz"),
	PH(p_memsz, ZERO, 0, "p_filesz"),
	PH(p_memsz, FILESZ, -1ULL, "p_filesz"),
	PH(p_memsz, ZERO, 1ULL << 47, "47-bit"),
	PH(p_memsz, ZERO, UINT64_MAX, "47-bit"),
	PH(p_align, ZERO, 4097, "p_align"),
	PH(p_align, ZERO, UINT64_MAX, "p_align"),
	PH(p_flags, ZERO, PF_R | PF_W | PF_X, "writable and executable"),
};

/* The program being changed, and where things are in it. */
struct program {
	uint8_t *data;
	size_t size;
	Elf64_Ehdr eh; /* as in the good program */
	Elf64_Phdr *ph;
	unsigned int loads[MAX_LOADS], nloads; /* which of ph are PT_LOAD */
	unsigned int other;		       /* one that is not */
	size_t end;			       /* of the last byte that is loaded */
	uint64_t random;
};

/* splitmix64 */
static uint64_t next_random(struct program *p)
{
	uint64_t z = p->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static Elf64_Phdr *load(struct program *p, unsigned int i)
{
	return &p->ph[p->loads[i]];
}

static bool open_program(struct program *p, const uint8_t *good, size_t size)
{
	memset(p, 0, sizeof(*p));
	if (size < sizeof(p->eh))
		return false;
	memcpy(&p->eh, good, sizeof(p->eh));
	if (memcmp(p->eh.e_ident, ELFMAG, SELFMAG) || p->eh.e_type != ET_EXEC ||
	    p->eh.e_machine != EM_X86_64 || p->eh.e_phoff % 8 || p->eh.e_phoff > size ||
	    p->eh.e_phnum * sizeof(*p->ph) > size - p->eh.e_phoff)
		return false;
	p->other = p->eh.e_phnum;
	for (unsigned int i = 0; i < p->eh.e_phnum; i++) {
		const Elf64_Phdr *ph = (const Elf64_Phdr *)(good + p->eh.e_phoff) + i;

		if (ph->p_type != PT_LOAD) {
			p->other = i;
			continue;
		}
		if (p->nloads == MAX_LOADS || ph->p_filesz == 0)
			return false;
		p->loads[p->nloads++] = i;
		if (ph->p_offset + ph->p_filesz > p->end)
			p->end = ph->p_offset + ph->p_filesz;
	}
	if (p->nloads < 2 || p->other == p->eh.e_phnum || p->end > size)
		return false;
	p->data = malloc(size);
	if (!p->data)
		return false;
	p->size = size;
	memcpy(p->data, good, size);
	p->ph = (Elf64_Phdr *)(p->data + p->eh.e_phoff);
	return true;
}

static void describe(struct elf_variant *v, const char *what, uint64_t value, const char *why)
{
	snprintf(v->name, sizeof(v->name), "%s = 0x%llx", what, (unsigned long long)value);
	v->why = why;
}

/* Applies e to the header that starts at base, which is that of ph if ph is not NULL. */
static void apply(struct program *p, struct elf_variant *v, const struct edit *e, uint8_t *base,
		  const Elf64_Phdr *ph)
{
	uint64_t self = 0, value = e->delta;

	memcpy(&self, base + e->off, e->len);
	switch (e->base) {
	case ZERO:
		break;
	case SELF:
		value += self;
		break;
	case FILE_SIZE:
		value += p->size;
		break;
	case SELF_FILE_PAGES:
		value += self + ((p->size + 4095) & ~4095ULL);
		break;
	case SELF_IN_PAGE:
		value += self & 4095;
		break;
	case FILESZ:
		value += ph->p_filesz;
		break;
	case MEMSZ:
		value += ph->p_memsz;
		break;
	}
	memcpy(base + e->off, &value, e->len);
	describe(v, e->name, value, e->why);
}

static void retype(struct program *p, struct elf_variant *v, uint32_t type, uint64_t filesz,
		   uint64_t offset, const char *why)
{
	Elf64_Phdr *ph = &p->ph[p->other];

	ph->p_type = type;
	ph->p_filesz = filesz;
	ph->p_offset = offset;
	describe(v, "PT_INTERP of p_filesz", filesz, why);
}

#define EDITS_OF_SEVERAL 10

/* Edits of more than one field or header, numbered from 0. */
static void edit_several(struct program *p, struct elf_variant *v, unsigned int n)
{
	Elf64_Phdr *first = load(p, 0), *second = load(p, 1), *last = load(p, p->nloads - 1);

	switch (n) {
	case 0:
		for (unsigned int i = 0; i < p->nloads; i++)
			load(p, i)->p_type = PT_NULL;
		describe(v, "p_type of every PT_LOAD", PT_NULL, "no segment to load");
		break;
	case 1:
		for (unsigned int i = 0; i < p->nloads; i++)
			load(p, i)->p_flags = PF_R;
		describe(v, "p_flags of every PT_LOAD", PF_R, "e_entry");
		break;
	case 2:
		((Elf64_Ehdr *)p->data)->e_entry = last->p_vaddr;
		describe(v, "e_entry in the data, which", last->p_vaddr, "e_entry");
		break;
	case 3:
		first->p_memsz = second->p_vaddr - first->p_vaddr + 1;
		describe(v, "p_memsz into the next PT_LOAD", first->p_memsz, "overlap");
		break;
	case 4:
		*last = *first;
		describe(v, "the last PT_LOAD like the first, p_vaddr", last->p_vaddr, "overlap");
		break;
	case 5:
		retype(p, v, PT_INTERP, 4, 0, "is not a path");
		break;
	case 6:
		retype(p, v, PT_INTERP, 1, 0, "PT_INTERP");
		break;
	case 7:
		retype(p, v, PT_INTERP, 4097, 0, "PT_INTERP");
		break;
	case 8:
		retype(p, v, PT_INTERP, 16, p->size - 15, "PT_INTERP");
		break;
	case 9:
		retype(p, v, PT_INTERP, UINT64_MAX, 2, "PT_INTERP");
		break;
	}
}

static void cut(struct program *p, struct elf_variant *v, size_t size)
{
	p->size = size;
	describe(v, "file size", size, size ? "truncated" : "is empty");
}

/* Cuts at the edges of what is read, numbered from 0; false when there is no such one. */
static bool cut_at_edge(struct program *p, struct elf_variant *v, unsigned int n)
{
	size_t phdrs_end = p->eh.e_phoff + p->eh.e_phnum * sizeof(*p->ph);
	const size_t sizes[] = {
		0, 1, 2, 3, 4, 5, 15, 16, 17, 18, 19, 20, 52, 63, 64, 65,
		phdrs_end - 56, phdrs_end - 1, phdrs_end, p->end - 1,
	};

	if (n >= ARRAY_SIZE(sizes))
		return false;
	cut(p, v, sizes[n]);
	return true;
}

static void edit_at_random(struct program *p, struct elf_variant *v)
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)p->data;
	Elf64_Phdr *ph = load(p, next_random(p) % p->nloads);
	uint64_t r = next_random(p);

	switch (r % 7) {
	case 0:
		cut(p, v, next_random(p) % p->end);
		break;
	case 1:
		ph->p_align = r | 6; /* two bits at least */
		describe(v, "p_align", ph->p_align, "p_align");
		break;
	case 2:
		ph->p_memsz = r % ph->p_filesz;
		describe(v, "p_memsz", ph->p_memsz, "p_filesz");
		break;
	case 3:
		ph->p_vaddr |= r << 47;
		ph->p_vaddr |= 1ULL << (47 + r % 17);
		describe(v, "p_vaddr", ph->p_vaddr, "47-bit");
		break;
	case 4:
		ph->p_offset += (p->size + (r >> 8)) & ~4095ULL;
		ph->p_offset += 4096;
		describe(v, "p_offset", ph->p_offset, "truncated");
		break;
	case 5:
		eh->e_entry = r | 1ULL << 47;
		describe(v, "e_entry", eh->e_entry, "e_entry");
		break;
	case 6:
		eh->e_phoff = p->size + (r >> 1);
		describe(v, "e_phoff", eh->e_phoff, "e_phoff");
		break;
	}
}

bool elf_variant(const uint8_t *good, size_t size, unsigned int n, struct elf_variant *v)
{
	struct program p;

	if (!open_program(&p, good, size))
		return false;
	p.random = n;
	if (n < ARRAY_SIZE(header_edits)) {
		apply(&p, v, &header_edits[n], p.data, NULL);
		goto out;
	}
	n -= ARRAY_SIZE(header_edits);
	if (n < ARRAY_SIZE(load_edits) * p.nloads) {
		Elf64_Phdr *ph = load(&p, n / ARRAY_SIZE(load_edits));

		apply(&p, v, &load_edits[n % ARRAY_SIZE(load_edits)], (uint8_t *)ph, ph);
		goto out;
	}
	n -= ARRAY_SIZE(load_edits) * p.nloads;
	if (n < EDITS_OF_SEVERAL)
		edit_several(&p, v, n);
	else if (!cut_at_edge(&p, v, n - EDITS_OF_SEVERAL))
		edit_at_random(&p, v);
out:
	v->data = p.data;
	v->size = p.size;
	return true;
}
