/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_PROGRAM_H
#define KVMRUN_PROGRAM_H

#include <stddef.h>

struct config;

/*
 * Open the program for reading (O_CLOEXEC, above the standard streams) and store
 * its path as found in path. A name without "/" is looked up in the caller's PATH. It is a regular
 * file that the caller may execute; what is in it was not looked at.
 *
 * Failure is one line on stderr and exit status 127 (not found) or 126 (found,
 * but no regular file, not executable or not readable).
 */
int program_open(const struct config *config, char *path, size_t size);

#endif
