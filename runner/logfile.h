/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of --trace and --stats. The kernel's limit of a file's size is a process's, so with
 * --fsize it would be theirs, too; then another process, which has no limit, writes them.
 */
#ifndef KVMRUN_LOGFILE_H
#define KVMRUN_LOGFILE_H

struct config;

/*
 * Opens one, emptied; what is written to the descriptor gets there. Before rlimits_init() and the jail.
 * Failure is one line that names the option and status 125.
 */
int logfile_open(const struct config *config, const char *path, const char *option);

/* Closes the descriptor, which no other process has any more, and waits until all is in the file. */
void logfile_close(int fd);

#endif
