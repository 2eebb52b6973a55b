/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_TMPDIR_H
#define KVMRUN_TMPDIR_H

#include <stdint.h>

/*
 * An O_PATH descriptor of an empty directory in memory that holds at most
 * bytes: a tmpfs that is mounted nowhere, so that it is gone with the last
 * process that has it open, however that ends. A caller that may not mount has
 * it made in a user namespace of its own. Failure is one line on stderr and
 * exit status 125.
 */
int tmpdir_open(uint64_t bytes);

#endif
