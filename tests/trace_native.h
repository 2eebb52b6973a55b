/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_TRACE_NATIVE_H
#define KVMRUN_TRACE_NATIVE_H

/*
 * Runs argv natively under ptrace and traces it by runner/trace.h to fd, as
 * the runner would if the program ran in a VM: a small strace, so that both can
 * be compared. Returns its wait status, or -1 with errno.
 */
int trace_native(char *const argv[], int fd);

#endif
