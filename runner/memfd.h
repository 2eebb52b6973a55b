/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memfd_create(2): files that are memory. What they have room for counts, over all that
 * the process has open or mapped, against as much as --mem once more.
 */
#ifndef KVMRUN_MEMFD_H
#define KVMRUN_MEMFD_H

struct call;
struct file;
struct vm;

void memfd_init(const struct vm *vm);

/* Whether a new file is such a one, made here or received from another process. */
void memfd_adopt(struct file *file);

/* Calls on such a file, argument 0, that may lengthen it: as Linux's, or -ENOSPC. */
long memfd_write(struct call *c);
long memfd_resize(struct call *c);

/* The last reference is gone. */
void memfd_gone(const struct file *file);

#endif
