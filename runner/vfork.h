/* SPDX-License-Identifier: GPL-2.0-only */
/* What a child of vfork(2) leaves to its maker: pages that it has written. */
#ifndef KVMRUN_VFORK_H
#define KVMRUN_VFORK_H

#include <stdint.h>

struct abi_frame;

/* Before the fork: 0 or -ENOMEM. Then, in the parent, whose child it is; in the child; when there is none. */
int vfork_prepare(void);
void vfork_parent(int pid);
void vfork_child(void);
void vfork_failed(void);

/* ABI_OP_GIVE, by the child: a page that the frame has in data, of address arg[0]. 0, or -ENOSPC. */
int vfork_give(struct abi_frame *f);

/* ABI_OP_TAKE, by the parent: the next page of child pid to data; its address, 0 after the last one. */
int64_t vfork_take(struct abi_frame *f, int pid);

/* Another program in the child: it leaves nothing. */
void vfork_over(void);

#endif
