/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "exec.h"
#include "path.h"
#include "proc.h"
#include "proc_maps.h"
#include "process_table.h"
#include "vcpu.h"
#include "vm.h"
#include "window.h"

#define MAPPINGS_MAX	65600u	/* a few more than vm.max_map_count */
#define NOTES		256

static _Thread_local struct mappings told;
static _Thread_local bool is_told;

/* Where the program's file and its dynamic linker's are. */
static struct note {
	gva_t start, end;
	uint64_t off;
	dev_t dev;
	ino_t ino;
	int which;
} notes[NOTES];
static size_t nnotes;
static char linker[PATH_MAX];

void maps_begin(const char *interpreter)
{
	nnotes = 0;
	snprintf(linker, sizeof(linker), "%s", interpreter);
}

void maps_note(gva_t start, gva_t end, uint64_t off, int fd, int which)
{
	struct stat st;

	if (nnotes < NOTES && fstat(fd, &st) == 0)
		notes[nnotes++] = (struct note){ start, end, off, st.st_dev, st.st_ino, which };
}

/* ------------------------------------------------------------- the shim's word */

const struct mappings *mappings_told(void)
{
	return is_told ? &told : NULL;
}

void mappings_forget(void)
{
	free(told.mapping);
	memset(&told, 0, sizeof(told));
	is_told = false;
}

void op_mappings(struct vcpu *vcpu)
{
	const struct abi_frame *f = vcpu->frame;
	uint64_t n = READ_ONCE(f->arg[0]);
	struct abi_mapping *more;

	/* the first of them begin anew */
	if (!READ_ONCE(f->arg[1]))
		mappings_forget();
	is_told = true;
	told.brk = READ_ONCE(f->arg[2]);
	if (n > ABI_DATA / sizeof(*more) || told.count + n > MAPPINGS_MAX)
		return;
	more = reallocarray(told.mapping, told.count + n + 1, sizeof(*more));
	if (!more)
		return;
	memcpy(more + told.count, f->data, n * sizeof(*more));
	told.mapping = more;
	told.count += n;
}

/* ------------------------------------------------------------- without asking it */

#define PTE_P		1ull
#define PTE_PS		(1ull << 7)
#define PTE_ADDR	0x000ffffffffff000ull
#define LOOKS		50	/* at an array that is being changed */

uint64_t maps_pte(gva_t va, uint64_t *size)
{
	gpa_t table = proc_vm->pml4;

	for (int level = 4;; level--) {
		const uint64_t *t = guest_ptr(proc_vm, table, ABI_PAGE);
		uint64_t e = t ? READ_ONCE(t[va >> (3 + 9 * level) & 511]) : 0;

		*size = ABI_PAGE << 9 * (level - 1);
		if (!(e & PTE_P) || level == 1 || (level == 2 && e & PTE_PS))
			return e & PTE_P ? e : 0;
		table = e & PTE_ADDR;
	}
}

/* Copies what the shim has at va. */
static bool shim_copy(void *to, gva_t va, size_t n)
{
	while (n) {
		size_t part = ABI_PAGE - va % ABI_PAGE < n ? ABI_PAGE - va % ABI_PAGE : n;
		uint64_t size, e = maps_pte(va, &size);
		const void *table = e && size == ABI_PAGE ? guest_ptr(proc_vm, e & PTE_ADDR, ABI_PAGE) : NULL;

		if (!table)
			return false;
		memcpy(to, (const char *)table + va % ABI_PAGE, part);
		to = (char *)to + part;
		va += part;
		n -= part;
	}
	return true;
}

/* Takes down the shim's array up to where it is not in order. Whether all of it was. */
static bool look(void)
{
	const struct abi_vmas *shown = &proc_boot()->vma_array;
	struct abi_vmas v = *(const volatile struct abi_vmas *)shown;
	gva_t end = 0;

	mappings_forget();
	is_told = true;
	told.brk = READ_ONCE(proc_boot()->brk_end);
	if (v.count > MAPPINGS_MAX || v.count > v.room || v.gap > v.count)
		return false;
	told.mapping = calloc(v.count + 1, sizeof(*told.mapping));
	for (; told.mapping && told.count < v.count; told.count++) {
		uint32_t i = told.count < v.gap ? told.count : told.count + (v.room - v.count);
		struct abi_mapping *m = &told.mapping[told.count];
		struct abi_vma vma;

		if (!shim_copy(&vma, v.at + i * sizeof(vma), sizeof(vma)) || vma.start < end || vma.end <= vma.start)
			return false;
		end = vma.end;
		*m = (struct abi_mapping){ .start = vma.start, .end = vma.end, .at = vma.at, .prot = vma.prot };
		m->flags = (vma.flags & ABI_VMA_GROWSDOWN ? ABI_MAP_GROWSDOWN : 0) |
			   (vma.flags & ABI_VMA_FIXED ? ABI_MAP_FIXED : 0) | (vma.flags & ABI_VMA_SHARED ? ABI_MAP_SHARED : 0);
	}
	return memcmp(&v, shown, sizeof(v)) == 0;
}

void mappings_look(void)
{
	static const struct timespec a_while = { 0, 1000000 };

	for (int i = 0; i < LOOKS && !look(); i++)
		nanosleep(&a_while, NULL);
}

/* ------------------------------------------------------------- lines */

void maps_put_path(void *to, const char *path, const char *delimiters)
{
	FILE *out = to;

	for (; *path; path++)
		if (strchr(delimiters, *path))
			fprintf(out, "\\%03o", (unsigned char)*path);
		else
			fputc(*path, out);
}

/* Where the lines go, and what follows each. */
struct lines {
	FILE *out;
	maps_details *details;	/* or NULL */
};

static void put_line(const struct lines *l, gva_t start, gva_t end, const struct abi_mapping *m, uint64_t off, dev_t dev,
		     ino_t ino, const char *name)
{
	FILE *out = l->out;
	int n = fprintf(out, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ", (unsigned long long)start,
			(unsigned long long)end, m->prot & PROT_READ ? 'r' : '-', m->prot & PROT_WRITE ? 'w' : '-',
			m->prot & PROT_EXEC ? 'x' : '-', m->flags & ABI_MAP_SHARED ? 's' : 'p', (unsigned long long)off,
			major(dev), minor(dev), (unsigned long long)ino);

	if (*name) {
		fprintf(out, "%*s", n < 73 ? 73 - n : 0, "");
		maps_put_path(out, name, "\n");
	}
	fputc('\n', out);
	if (l->details)
		l->details(out, start, end, m, ino);
}

/* What is mapped in the window. */
static void put_file(const struct lines *out, const struct abi_mapping *m)
{
	char physical[PATH_MAX];
	struct mapped_file file;

	if (!window_file(proc_vm, m->at, &file)) {
		put_line(out, m->start, m->end, m, 0, 0, 0, m->flags & ABI_MAP_SHARED ? "/dev/zero (deleted)" : "");
		return;
	}
	if (*file.path == '/' && path_physical(file.path, physical) == 0)
		snprintf(file.path, sizeof(file.path), "%s", physical);
	put_line(out, m->start, m->end, m, file.off, file.dev, file.ino, file.path);
}

static const char *special_name(const struct abi_mapping *m, const struct abi_boot *boot, gva_t brk)
{
	gva_t heap = READ_ONCE(boot->brk) & -ABI_PAGE;

	if (m->flags & ABI_MAP_FIXED)
		return m->prot & PROT_EXEC ? "[vdso]" : "[vvar]";
	if (m->flags & ABI_MAP_GROWSDOWN && m->start <= proc_vm->stack && proc_vm->stack < m->end)
		return "[stack]";
	return m->start <= brk && m->end > heap && heap < brk ? "[heap]" : "";
}

/* Private memory: parts of it may be pages of the program's file, as it was loaded. */
static void put_private(const struct lines *out, const struct abi_mapping *m, const char *exe, const char *name)
{
	gva_t at = m->start;

	while (at < m->end) {
		const struct note *in = NULL;
		gva_t end = m->end;

		for (size_t i = 0; i < nnotes; i++) {
			const struct note *note = &notes[i];

			if (note->start <= at && at < note->end)
				in = note;
			else if (note->start > at && note->start < end)
				end = note->start;
		}
		if (in && in->end < end)
			end = in->end;
		if (in)
			put_line(out, at, end, m, in->off + (at - in->start), in->dev, in->ino, in->which ? linker : exe);
		else
			put_line(out, at, end, m, 0, 0, 0, name);
		at = end;
	}
}

int maps_put(void *to, maps_details *details)
{
	const struct lines l = { to, details }, *out = &l;
	const struct mappings *all = mappings_told();
	char exe[PATH_MAX];

	if (!all)
		return SYNTH_MAPPINGS;
	exec_path(exe, sizeof(exe));
	for (size_t i = 0; i < all->count; i++) {
		struct abi_mapping *m = &all->mapping[i];

		m->start &= -ABI_PAGE;
		m->end &= -ABI_PAGE;
		if (m->at)
			put_file(out, m);
		else
			put_private(out, m, exe, special_name(m, proc_boot(), all->brk));
	}
	return 0;
}

int proc_maps(const struct synth *s, FILE *out)
{
	return (void)s, maps_put(out, NULL);
}
