/* SPDX-License-Identifier: GPL-2.0-only */
/* The two ways into a mount: one openat2(2), or component by component. */
#ifndef KVMRUN_WALK_H
#define KVMRUN_WALK_H

#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Inside a mount; symbolic links only where they cannot lead into another. */
#define RESOLVE_WITHIN	(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
#define RESOLVE_PLAIN	(RESOLVE_WITHIN | RESOLVE_NO_SYMLINKS)

/* openat2(2) with O_CLOEXEC added: a descriptor or -errno. "" is dir itself. */
int open_beneath(int dir, const char *rel, uint64_t flags, mode_t mode, uint64_t resolve);

/* The rules of a walk's own opens, for how as below. */
uint64_t walk_resolve(unsigned int how);

/*
 * Walks a guest path, from a directory by its physical path if it is not absolute, and writes its
 * physical form to done. how is of FIND_FOLLOW, FIND_CREATE and FIND_RULES;
 * *missing tells that the last component is not there, which FIND_CREATE allows. 0, or -errno
 * with done at the component that failed. -ELOOP also when the links make the walk too long.
 */
int walk(const char *from, const char *path, unsigned int how, char done[PATH_MAX], bool *missing);

#endif
