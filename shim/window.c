/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of what is not RAM: files, and memory that processes share. The host has
 * them in a window of guest-physical addresses, each page for one mapping alone, and
 * a mapping knows its place there (vma.off). A private one's pages are the file's,
 * not to be written, until the program writes: then it has a copy in RAM.
 *
 * A file may be cut short at any time, which takes pages away. No page is mapped that
 * the runner has not just touched; one that is lost later, the runner tells of.
 */
#include "shim.h"

#define AROUND	64		/* pages that come at once */

static s64 ask(enum abi_op op, u64 arg0, u64 arg1, u64 arg2, u64 arg3)
{
	struct abi_frame *f = this_cpu()->frame;
	u64 was[2] = { f->arg[2], f->arg[3] };
	s64 ret;

	f->arg[2] = arg2;
	f->arg[3] = arg3;
	ret = ask_runner(op, arg0, arg1);
	f->arg[2] = was[0];
	f->arg[3] = was[1];
	return ret;
}

bool window_any;

s64 window_map(u64 len, int fd, u64 off, u64 how)
{
	window_any = true;
	return ask(ABI_OP_MAP, len, (u32)fd, off, how);
}

s64 window_shm(int id, u64 flags, u64 len)
{
	window_any = true;
	return ask(ABI_OP_SHM, (u32)id, flags, len, 0);
}

s64 window_remap(gpa_t gpa, u64 len, u64 new_len, bool keep)
{
	return ask(ABI_OP_REMAP, gpa, len, new_len, keep);
}

long window_sync(gpa_t gpa, u64 len, u64 flags)
{
	return ask(ABI_OP_SYNC, gpa, len, flags, 0);
}

long window_remove(gpa_t gpa, u64 len)
{
	return ask(ABI_OP_REMOVE, gpa, len, 0, 0);
}

u32 window_id(void)
{
	static u32 last;
	u32 id;

	do
		id = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	while (!id);
	return id;
}

/* ------------------------------------------------------------------ what is unmapped */

static struct { gpa_t gpa; u64 len; } doomed[64];
static u32 ndoomed;

void window_doom(gpa_t gpa, u64 len)
{
	if (ndoomed == ARRAY_SIZE(doomed))
		pt_flush();
	/* as in held_keep() */
	if (ndoomed == ARRAY_SIZE(doomed))
		return;
	doomed[ndoomed].gpa = gpa;
	doomed[ndoomed++].len = len;
}

void window_flush(void)
{
	u32 n = 0;

	for (u32 i = 0; i < ndoomed; i++)
		if (held_range(doomed[i].gpa, doomed[i].len))
			doomed[n++] = doomed[i];
		else
			ask_runner(ABI_OP_UNMAP, doomed[i].gpa, doomed[i].len);
	ndoomed = n;
}

/* ------------------------------------------------------------------------ pages */

/*
 * Two functions of the same end: RCX says what was not done. On a page that is lost
 * the runner has them go on at user_access_failed.
 */
asm("	.text\n"
    "	.globl user_copy, user_cmpxchg, user_access_failed\n"
    "user_copy:\n"
    "	mov %rdx, %rcx\n"
    "	rep movsb\n"
    "	jmp user_access_failed\n"
    "user_cmpxchg:\n"
    "	mov (%rsi), %eax\n"
    "	mov $-1, %rcx\n"
    "	lock cmpxchg %edx, (%rdi)\n"
    "	mov %eax, (%rsi)\n"
    "	setne %cl\n"
    "	movzbl %cl, %ecx\n"
    "user_access_failed:\n"
    "	mov %rcx, %rax\n"
    "	ret\n");

/* A page of RAM with what va's has. */
static int map_copy(const struct vma *v, gva_t va, gpa_t from)
{
	bool charged = !(v->flags & VMA_ACCOUNT);
	gpa_t page;
	int err = -ENOMEM;

	if (charged && !mm_charge(1))
		return -ENOMEM;
	page = page_alloc(PAGE_USER);
	if (page && direct_window(from))
		err = user_copy(direct(page), direct(from), PAGE_SIZE) ? -EIO : pt_replace(va, page, pt_bits(v->prot));
	if (!err)
		return 0;
	if (page)
		page_free(page);
	if (charged)
		mm_uncharge(1);
	return err;
}

int window_fault(const struct vma *v, gva_t va, enum access access, u64 *present)
{
	bool shared = v->flags & VMA_SHARED, copy = !shared && access == ACCESS_WRITE;
	gva_t end = MIN(v->end, (va & PAGE_MASK) + AROUND * PAGE_SIZE);
	u64 bits = pt_bits(v->prot);
	s64 there;

	va &= PAGE_MASK;
	if (present)
		return copy && (*present & PTE_COW) ? map_copy(v, va, *present & PTE_ADDR) : 1;
	there = ask(ABI_OP_TOUCH, v->off + (va - v->start), copy ? PAGE_SIZE : end - va, shared && access == ACCESS_WRITE, 0);
	if (there <= 0)
		return -EIO;
	if (copy)
		return map_copy(v, va, v->off + (va - v->start));
	if (!shared)
		bits = (bits & ~PTE_W) | PTE_COW;
	for (gva_t at = va; at < va + there; at += PAGE_SIZE) {
		bool huge;

		if (at > va && pt_find(at, &huge))
			continue;
		if (pt_map(at, v->off + (at - v->start), bits))
			return at > va ? 0 : -ENOMEM;
	}
	return 0;
}

void window_lost(void)
{
	this_cpu()->frame->lost = 0;
	lock(&mm_lock);
	for (u32 i = 0; i < vma_count; i++)
		if (vma_at(i)->flags & VMA_FILE)
			pt_drop(vma_at(i)->start, vma_at(i)->end);
	mm_unlock();
}
