/* SPDX-License-Identifier: GPL-2.0-only */
/* Resource limits of the program's: the shim keeps them, the host enforces some. */
#ifndef KVMRUN_RLIMIT_H
#define KVMRUN_RLIMIT_H

#include "../shim/abi.h"

struct config;
struct vm;

/* --fds and --fsize, once, after fdtable_init(). A failure of the host's is the runner's end. */
void rlimits_init(const struct config *config);

/* For a program that begins: what is the runner's own to say. */
void rlimits_begin(struct abi_boot *boot, const struct config *config);

/* Whether an ordinary process's limit may be another one then: 0, -EINVAL, -EPERM. */
int rlimit_may_be(const struct abi_limit *now, const struct abi_limit *then);

/* Whether the host enforces it. */
bool rlimit_is_hosts(uint64_t which);

/* ABI_OP_LIMIT: number which in boot is another one: 0, or -EINVAL, or as setrlimit(2) fails. */
int rlimit_changed(struct vm *vm, uint64_t which);

/*
 * Over execve(2): what the old program had, and it is the new one's; likewise how the thread of this frame would be
 * scheduled, and what else execve(2) keeps.
 */
void rlimits_save(struct vm *vm, const struct abi_frame *frame);
void rlimits_restore(struct vm *vm);

#endif
