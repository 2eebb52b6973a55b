/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_CHECK_H
#define KVMRUN_CHECK_H

#include <stddef.h>

/*
 * Report on stdout what this machine offers to kvmrun, one "what: state" to a
 * line, with what to do beside each thing that is missing. device is a path,
 * or NULL for the usual choice. Returns the exit status: 0 when kvmrun can run
 * here, else KVMRUN_FAILED. Never ends the process by itself.
 */
int check_machine(const char *device);

/*
 * Find out how a SYSCALL of the guest arrives on an open device, and say so in
 * at most n bytes of buf. Returns 0, or -1 with the reason in buf. In probe.c.
 */
int probe_syscall_entry(int device, char *buf, size_t n);

#endif
