/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_JAIL_H
#define KVMRUN_JAIL_H

struct config;

/*
 * Gives up all that running the guest does not need. To be called once
 * everything is open and before the first guest instruction; there is no way
 * back: limits of resources, not dumpable, no capabilities, no_new_privs, Landlock,
 * seccomp. A layer that the kernel lacks is one line on stderr and exit status 125, but
 * for Landlock with config->insecure_no_landlock.
 */
void jail_enter(const struct config *config);

#endif
