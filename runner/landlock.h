/* SPDX-License-Identifier: GPL-2.0-only */
/* Landlock: what of the host's files, ports and processes is left to the runner itself. */
#ifndef KVMRUN_LANDLOCK_H
#define KVMRUN_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* The kernel's ABI, from 1 on; or -ENOSYS (not built in), -EOPNOTSUPP (switched off at boot), ... */
int landlock_abi(void);

/* Why there is none and what to do about it, by a negative landlock_abi(). */
const char *landlock_absence(int abi);

/* The i-th thing that an ABI lacks, with the kernel that has it; NULL after the last one. */
const char *landlock_lack(int abi, size_t i);

/*
 * Restricts the calling thread, and what it makes from now on, to the mounts of policy.h
 * and the ports of net.h. After no_new_privs, before there is another thread and before
 * seccomp. Returns the ABI; where the kernel has no Landlock that is its error if
 * go_without, else one line on stderr and exit status 125.
 */
int landlock_enter(bool go_without);

/*
 * The same for a process beside the runner: to reading and writing these paths and what is below them
 * (NULL-terminated; one that is not there is nobody's), no TCP, no signals to others. 0, also where the
 * kernel has no Landlock, or -errno.
 */
int landlock_helper(const char *const *paths);

#endif
