/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfork(2): the child has the memory of its maker, which waits for it; the C library's
 * posix_spawn(3) is told that way why it failed. Here the child has a copy. When it ends
 * without having executed anything, it gives the pages that it has written to its maker.
 */
#include "shim.h"

#define PAGES	256u		/* given back at most: what such a child may do is little */
#define STACK	8u		/* of them, of a thread that is not alone: those that are its own for sure */

static bool vforked;

void vfork_begin(void)
{
	vforked = true;
}

void vfork_end(void)
{
	static struct dirty_page dirty[PAGES];
	struct abi_frame *f = this_cpu()->frame;
	u32 n;

	if (!vforked)
		return;
	vforked = false;
	lock(&mm_lock);
	n = pt_dirty(dirty, PAGES);
	mm_unlock();
	for (u32 i = 0; i < n; i++) {
		memcpy(f->data, direct(dirty[i].gpa), PAGE_SIZE);
		ask_runner(ABI_OP_GIVE, dirty[i].va, 0);
	}
}

void vfork_take(long pid, gva_t sp)
{
	struct abi_frame *f = this_cpu()->frame;
	u64 own = sp & PAGE_MASK;
	s64 va;

	while ((va = ask_runner(ABI_OP_TAKE, pid, 0)) > 0)
		if (threads_alone() || ((u64)va >= own && (u64)va - own < STACK * PAGE_SIZE))
			copy_out(va, f->data, PAGE_SIZE);
}
