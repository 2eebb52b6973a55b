/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "elf_image.h"
#include "load.h"
#include "msg.h"
#include "proc_maps.h"
#include "options.h"
#include "process.h"
#include "rlimit.h"
#include "vm.h"

extern const uint8_t shim_image[], shim_image_end[];

/* As Linux places them (arch/x86/mm/mmap.c, fs/binfmt_elf.c), with 4-level paging. */
#define PIE_BASE	0x555555554000ull
#define PIE_BASE_LOW	0x100000000ull	/* for one too big to fit above PIE_BASE */
#define MMAP_RANDOM	(1ull << 40)	/* vm.mmap_rnd_bits = 28 pages */
#define STACK_RANDOM	(1ull << 34)
#define BRK_RANDOM	(32ull << 20)
#define STACK_MIN_GAP	(128ull << 20)
#define STACK_GUARD	(1ull << 20)
#define STACK_MIN	(132ull << 10)
#define RAM_SPARE	(32ull << 20)
#define STACK_MAX	(16ull << 30)	/* what "unlimited" means here */

static uint64_t page_down(uint64_t n)
{
	return n & -ABI_PAGE;
}

static uint64_t page_up(uint64_t n)
{
	return page_down(n + ABI_PAGE - 1);
}

uint64_t load_random(uint64_t max)
{
	uint64_t n;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		die(KVMRUN_FAILED, "cannot get random numbers: %m");
	return page_down(n & (max - 1));
}

/* Only a limit so odd that the checks against --mem did not see it gets here. */
_Noreturn static void no_room(struct loader *l)
{
	die(KVMRUN_FAILED, "%s does not fit into the guest's memory; raise --mem", l->vm->program);
}

void *load_alloc(struct loader *l, uint64_t len, gpa_t *gpa)
{
	void *p = guest_ptr(l->vm, l->next, page_up(len));

	if (!p)
		no_room(l);
	*gpa = l->next;
	l->next += page_up(len);
	return p;
}

void load_map(struct loader *l, gva_t start, gva_t end, int prot, uint32_t flags)
{
	struct abi_boot *b = l->boot;
	struct abi_map *last;

	if (start == end)
		return;
	/* a later mapping replaces earlier ones, as a later mmap() does */
	while (b->nmaps && b->map[b->nmaps - 1].end > start) {
		last = &b->map[b->nmaps - 1];
		last->end = start;
		if (last->start >= start)
			b->nmaps--;
	}
	last = b->nmaps ? &b->map[b->nmaps - 1] : NULL;
	if (last && last->end == start && last->prot == (uint32_t)prot && last->flags == flags) {
		last->end = end;
		return;
	}
	if (b->nmaps == ABI_MAPS)
		die(KVMRUN_NOEXEC, "%s: cannot be run: it has more than %llu segments that differ; "
		    "link it with a usual layout", l->vm->program, ABI_MAPS - 4ull);
	b->map[b->nmaps++] = (struct abi_map){ start, end, prot, flags };
}

/* ---------------------------------------------------------------- the shim */

/* Copies the shim to ABI_SHIM_GPA; returns the end of its memory there. */
static gpa_t place_shim(struct vm *vm)
{
	const struct abi_image *image = (const void *)shim_image;
	uint64_t size = shim_image_end - shim_image;
	void *to;

	if (size < sizeof(*image) || image->magic != ABI_MAGIC || image->version != ABI_VERSION ||
	    image->data_end > size || image->bss_end < image->data_end)
		die(KVMRUN_FAILED, "the built-in shim is damaged; build kvmrun anew");
	to = guest_ptr(vm, ABI_SHIM_GPA, image->bss_end);
	if (!to)
		die(KVMRUN_FAILED, "the shim does not fit into the guest's memory; raise --mem");
	memcpy(to, shim_image, image->data_end);
	vm->entry = image->entry;
	vm->access = ABI_SHIM + image->access;
	vm->access_failed = ABI_SHIM + image->access_failed;
	return page_up(ABI_SHIM_GPA + image->bss_end);
}

static void map_shim(struct loader *l)
{
	const struct abi_image *image = (const void *)shim_image;

	for (uint64_t at = 0; at < image->bss_end; at += ABI_PAGE) {
		int prot = PROT_READ;

		if (at < image->text_end)
			prot |= PROT_EXEC;
		else if (at >= image->rodata_end)
			prot |= PROT_WRITE;
		pt_map(l, ABI_SHIM + at, ABI_SHIM_GPA + at, prot, ABI_PAGE);
	}
}

/* The clock page directly below the vDSO: that is where the vDSO looks for it. */
static void map_vdso(struct loader *l)
{
	const struct abi_image *image = (const void *)shim_image;
	uint64_t size = page_up(image->vdso_size);

	load_alloc(l, ABI_PAGE, &l->vm->clock);
	if (!size)
		return;
	pt_map(l, l->vdso - ABI_PAGE, l->vm->clock, PROT_READ, ABI_PAGE);
	load_map(l, l->vdso - ABI_PAGE, l->vdso, PROT_READ, ABI_MAP_FIXED);
	for (uint64_t at = 0; at < size; at += ABI_PAGE)
		pt_map(l, l->vdso + at, ABI_SHIM_GPA + image->vdso + at, PROT_READ | PROT_EXEC,
		       ABI_PAGE);
	load_map(l, l->vdso, l->vdso + size, PROT_READ | PROT_EXEC, ABI_MAP_FIXED);
}

/* -------------------------------------------------------------- the program */

/* len bytes of the file at offset, of which the first needed must be there. */
static void read_file(struct loader *l, int fd, uint8_t *to, uint64_t offset, uint64_t len, uint64_t needed)
{
	uint64_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, to + got, len - got, offset + got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die(KVMRUN_NOEXEC, "%s: cannot be run: reading it failed: %m", l->vm->program);
		if (n == 0)
			break;
		got += n;
	}
	if (got < needed)
		die(KVMRUN_NOEXEC, "%s: cannot be run: it became shorter while it was read; "
		    "do not write to a program that is being started", l->vm->program);
	/* as the last page of a mapped file */
	memset(to + got, 0, len - got);
}

/* Pages of the file from offset on, the last one up to end, to [start, end) of the guest. */
static void load_pages(struct loader *l, int fd, const struct elf_segment *s, gva_t start, gva_t end,
		       uint64_t offset)
{
	uint64_t len = page_up(end) - start;
	gpa_t gpa = pt_lookup(l, start);
	uint8_t *to;

	/* a page that an earlier segment has begun is taken over */
	if (gpa != UINT64_MAX && len > ABI_PAGE) {
		load_pages(l, fd, s, start, start + ABI_PAGE, offset);
		load_pages(l, fd, s, start + ABI_PAGE, end, offset + ABI_PAGE);
		return;
	}
	to = gpa != UINT64_MAX ? guest_ptr(l->vm, gpa, ABI_PAGE) : load_alloc(l, len, &gpa);
	read_file(l, fd, to, offset, len, end - start);
	if (s->memsz > s->filesz && s->prot & PROT_WRITE)
		memset(to + (end - start), 0, len - (end - start));
	for (uint64_t at = 0; at < len; at += ABI_PAGE)
		pt_map(l, start + at, gpa + at, s->prot, ABI_PAGE);
}

/*
 * What Linux does by mmap(): whole pages of the file, also around the segment;
 * the rest of the last one zeroed if it is writable; anonymous pages after it.
 * A page that two segments share belongs to the later one.
 */
static void load_segment(struct loader *l, int fd, const struct elf_segment *s, gva_t bias, int which)
{
	gva_t va = s->vaddr + bias, start = page_down(va);
	gpa_t gpa;

	load_map(l, start, page_up(va + s->memsz), s->prot, 0);
	if (s->prot == PROT_NONE)
		return;
	if (s->filesz) {
		maps_note(start, page_up(va + s->filesz), page_down(s->offset), fd, which);
		load_pages(l, fd, s, start, va + s->filesz, page_down(s->offset));
		return;
	}
	/* .bss alone, in a page that an earlier segment has begun: both keep their bytes */
	gpa = pt_lookup(l, start);
	if (gpa != UINT64_MAX) {
		memset((uint8_t *)guest_ptr(l->vm, gpa, ABI_PAGE) + (va - start), 0,
		       ABI_PAGE - (va - start));
		pt_map(l, start, gpa, s->prot, ABI_PAGE);
	}
}

/* What the shim counts against --mem from the start: every mapping's whole length. */
static uint64_t image_size(const struct elf_image *elf)
{
	uint64_t n = 0;

	for (size_t i = 0; i < elf->nseg; i++)
		n += page_up(elf->seg[i].vaddr + elf->seg[i].memsz) - page_down(elf->seg[i].vaddr);
	return n;
}

uint64_t load_size(const struct program *program)
{
	return image_size(&program->elf) + (program->elf.interp[0] ? image_size(&program->interp) : 0);
}

/* Where everything goes in the guest's lower half. */
static void choose_addresses(struct loader *l, const struct elf_image *elf, const struct elf_image *interp)
{
	const struct abi_image *image = (const void *)shim_image;
	uint64_t gap, vdso_size = page_up(image->vdso_size);
	struct abi_boot *b = l->boot;

	rlimits_begin(b, l->vm->config);
	b->stack_limit = l->vm->stack_limit < STACK_MAX ? l->vm->stack_limit : STACK_MAX;
	if (b->stack_limit < STACK_MIN)
		b->stack_limit = STACK_MIN;
	l->stack_top = ABI_USER_END - load_random(STACK_RANDOM);
	gap = b->stack_limit > STACK_MIN_GAP ? page_up(b->stack_limit) : STACK_MIN_GAP;
	gap += STACK_RANDOM + STACK_GUARD;
	/* the vDSO takes the lowest pages of the gap */
	b->mmap_base = ABI_USER_END - gap - vdso_size - ABI_PAGE - load_random(MMAP_RANDOM);
	l->vdso = b->mmap_base + ABI_PAGE;
	if (elf->pie) {
		uint64_t room = elf->hi - elf->lo + MMAP_RANDOM;
		uint64_t base = PIE_BASE + room < b->mmap_base - room / 8 ? PIE_BASE : PIE_BASE_LOW;

		base = (base + load_random(MMAP_RANDOM)) & -elf->align;
		l->bias = base - (elf->lo & -elf->align);
	}
	if (interp && interp->pie) {
		/* as the first mapping that mmap() makes */
		gva_t at = (b->mmap_base - (interp->hi - interp->lo)) & -interp->align;

		l->interp_bias = at - interp->lo;
	}
	b->brk = elf->hi + l->bias + load_random(BRK_RANDOM);
	if (b->brk > b->mmap_base - (1ull << 30))
		die(KVMRUN_NOEXEC, "%s: cannot be run: its segments reach up to %#llx and leave no "
		    "room for the stack; link it lower", l->vm->program,
		    (unsigned long long)(elf->hi + l->bias));
}

static void check_limit(struct loader *l, const struct program *program)
{
	uint64_t needed = load_size(program) + stack_size(l), limit = l->vm->mem_limit;
	bool whole = limit % 1024 == 0;

	if (needed > limit)
		die(KVMRUN_FAILED, "--mem %llu%s is too small for %s: it needs at least %lluK to start",
		    (unsigned long long)(whole ? limit >> 10 : limit), whole ? "K" : "", l->vm->program,
		    (unsigned long long)((needed + 1023) >> 10));
}

static void fill_boot(struct loader *l, const struct program *program)
{
	const char *name = strrchr(l->vm->program, '/');
	struct abi_boot *b = l->boot;
	struct vm *vm = l->vm;

	vm->pml4 = b->pml4;
	vm->frame = b->frame;
	b->max_threads = vm->max_threads;
	b->ncpus = vm->ncpus;
	b->magic = ABI_MAGIC;
	b->version = ABI_VERSION;
	b->flags = vm->boot_flags | (vm->config->trace ? ABI_BOOT_REPORT : 0) |
		   (vm->config->wx ? ABI_BOOT_WX : 0);
	b->ram_size = vm->ram_size;
	b->window = vm->window;
	b->mem_limit = vm->mem_limit;
	b->rip = program->elf.interp[0] ? program->interp.entry + l->interp_bias : program->elf.entry + l->bias;
	b->pid = process_pid();
	b->ppid = process_ppid();
	b->forked = process_forked();
	for (uint32_t i = 0; i < b->nmaps; i++)
		if (!(b->map[i].flags & ABI_MAP_FIXED))
			b->committed += (b->map[i].end - b->map[i].start) / ABI_PAGE;
	b->uid = vm->uid;
	b->gid = vm->gid;
	b->xsave_size = vm->xsave_size;
	b->xcr0 = vm->xcr0;
	snprintf(b->comm, sizeof(b->comm), "%s", name ? name + 1 : vm->program);
}

/* All of RAM that is in use by now, writable at ABI_DIRECT. The tables for it are part of it. */
static void map_direct(struct loader *l)
{
	for (gpa_t gpa = 0; gpa < l->next; gpa += ABI_HUGE)
		pt_map(l, ABI_DIRECT + gpa, gpa, PROT_READ | PROT_WRITE, ABI_HUGE);
}

/* The RAM that the guest starts with: what is in use, and some for the program to go on. */
static void give_ram(struct loader *l)
{
	struct vm *vm = l->vm;
	uint64_t want = l->next + RAM_SPARE;
	int err = vm_ram(vm, want < vm->ram_size ? want : vm->ram_size);

	if (err == -ENOMEM)
		die(KVMRUN_FAILED, "%s: the host has no memory for a guest of %llu MiB; free some",
		    vm->device_path, (unsigned long long)(want >> 20));
	if (err)
		die(KVMRUN_FAILED, "%s: cannot give the guest memory (KVM_SET_USER_MEMORY_REGION): %s",
		    vm->device_path, strerror(-err));
	l->boot->ram_ready = vm->ram_ready;
}

static void load_image(struct loader *l, int fd, const struct elf_image *elf, gva_t bias, int which)
{
	for (size_t i = 0; i < elf->nseg; i++)
		load_segment(l, fd, &elf->seg[i], bias, which);
}

void load(struct vm *vm, const struct program *program)
{
	const struct elf_image *elf = &program->elf, *interp = elf->interp[0] ? &program->interp : NULL;
	struct loader l = { .vm = vm };

	l.next = place_shim(vm);
	l.boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*l.boot));
	check_limit(&l, program);
	pt_init(&l);
	load_alloc(&l, ABI_FRAME_SIZE, &l.boot->frame);
	load_alloc(&l, vm->ram_size / ABI_HUGE * ABI_CHUNK, &l.boot->chunks);
	map_shim(&l);
	choose_addresses(&l, elf, interp);
	maps_begin(elf->interp);
	load_image(&l, program->fd, elf, l.bias, 0);
	if (interp)
		load_image(&l, program->interp_fd, interp, l.interp_bias, 1);
	map_vdso(&l);
	stack_build(&l, elf);
	fill_boot(&l, program);
	map_direct(&l);
	l.boot->free = l.next;
	give_ram(&l);
}
