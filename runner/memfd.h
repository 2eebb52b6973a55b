/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memfd_create(2): files that are memory. What they have room for counts, over all that
 * the process has open or mapped, against as much as --mem once more.
 */
#ifndef KVMRUN_MEMFD_H
#define KVMRUN_MEMFD_H

#include <stdint.h>

struct call;
struct file;
struct vm;

void memfd_init(const struct vm *vm);

/* Whether a new file is such a one, made here or received from another process. */
void memfd_adopt(struct file *file);

/* Calls on such a file, argument 0, that may lengthen it: as Linux's, or -ENOSPC. */
long memfd_write(struct call *c);
long memfd_resize(struct call *c);

/*
 * A call that sends n bytes to such a file, at *at or (NULL) at its position, in parts that there is
 * room for: make() makes it for one, does not wait, and moves *at.
 */
long memfd_receive(struct call *c, struct file *file, const int64_t *at, long (*make)(struct call *c, uint64_t n), uint64_t n);

/* The last reference is gone. */
void memfd_gone(const struct file *file);

#endif
