/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program has mapped, for who reads it in /proc. */
#include "shim.h"

#define TOLD	(ABI_DATA / sizeof(struct abi_mapping))

void mappings_tell(void)
{
	struct abi_frame *f = this_cpu()->frame;
	struct abi_mapping *m = (struct abi_mapping *)f->data;
	u32 done = 0, n;

	/* all at one time, however many exits that takes */
	lock(&mm_lock);
	do {
		for (n = 0; n < TOLD && done + n < vma_count; n++) {
			const struct vma *v = vma_at(done + n);

			m[n] = (struct abi_mapping){ .start = v->start, .end = v->end, .at = v->off, .prot = v->prot };
			if (v->flags & VMA_GROWSDOWN)
				m[n].flags |= ABI_MAP_GROWSDOWN;
			if (v->flags & VMA_FIXED)
				m[n].flags |= ABI_MAP_FIXED;
			if (v->flags & VMA_SHARED)
				m[n].flags |= ABI_MAP_SHARED;
		}
		f->op = ABI_OP_MAPPINGS;
		f->arg[0] = n;
		f->arg[1] = done;
		f->arg[2] = brk_end;
		vm_exit();
		done += n;
	} while (done < vma_count);
	mm_unlock();
}
