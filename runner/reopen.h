/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening again what is open: by /proc/self/fd/N and the like. */
#ifndef KVMRUN_REOPEN_H
#define KVMRUN_REOPEN_H

#include <limits.h>
#include <stdint.h>

struct file;

/* Before the jail. */
void reopen_init(void);

/*
 * Opens file again, as flags of openat2(2) say: a host descriptor or -errno. What a grant or the
 * descriptor itself does not allow is EROFS or EACCES. What is no file of a file system is
 * duplicated instead, and shares its position and flags. Of a socket, ENXIO.
 */
int reopen_file(struct file *file, uint64_t flags);

/* The same for a descriptor of the runner's own. */
int reopen_host(int fd, uint64_t flags);

/* Gives a file that a grant's mount is of another name there, in the directory dir: 0 or -errno. */
int reopen_link(const struct file *file, int dir, const char *name);

/* chmod(2) of what a descriptor by O_PATH is, whatever its mode: 0 or -errno. */
int reopen_chmod(int fd, unsigned int mode);

/* What readlink(2) tells of it: the length. */
int reopen_name(struct file *file, char name[PATH_MAX]);

#endif
