/* SPDX-License-Identifier: GPL-2.0-only */
/* What of the host's files the guest was granted, and where it sees it. */
#ifndef KVMRUN_POLICY_H
#define KVMRUN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct config;

/*
 * A granted tree or file in the guest's namespace. What is in no mount does
 * not exist for the guest, save for what is synthetic: synth.h, and read-only directories that
 * lead to the mounts.
 */
struct mount {
	char *guest;		/* absolute, normalised; physical: no symbolic link leads to it */
	size_t len;		/* of guest; 0 for "/" */
	int fd;			/* O_PATH: the directory, or the one that holds the file */
	char *name;		/* a file's name in fd; NULL for a directory */
	bool writable;
	bool nested;		/* another mount is somewhere below */
	dev_t device;		/* a device of the standard set: its number; else 0 */
};

/*
 * Opens every grant, /dev's standard nodes and the private /tmp, once. A grant
 * that cannot be opened is one line on stderr and exit status 125. To be called
 * after fdtable_init() and before the jail: later it opens nothing by a host path.
 */
void policy_init(const struct config *config);

/* The mount that holds the normalised absolute guest path, or NULL; *rel is what follows it. */
const struct mount *policy_find(const char *path, const char **rel);

/* The i-th mount, NULL after the last; they stay as they are from policy_init() on. */
const struct mount *policy_mount(size_t i);

/* Whether path is a mount or a directory that leads to one: neither can be removed or replaced. */
bool policy_pinned(const char *path);

/* The number that a mount is told by. */
int policy_number(const struct mount *mount);

/* A standard device's path, or NULL. */
const char *policy_device_name(dev_t device);

/* The i-th distinct name that mounts have in a directory that leads to them, its length in *len; NULL after the last. */
const char *policy_entry(const char *path, size_t i, size_t *len);

/*
 * The write policy, in one place: 0 when what lies in mount (NULL: a synthetic
 * directory, or a descriptor that no path led to) may be changed, else -EROFS
 * (read-only grant, synthetic directory) or -EPERM (device, foreign descriptor).
 */
int policy_may_change(const struct mount *mount, bool synthetic);

/* Whether there is a grant, and a writable one, /tmp included. */
bool policy_granted(void);
bool policy_writable(void);

/* Writes out what the guest may have changed: the file systems of the writable mounts. */
void policy_sync(void);

/* Whether files of this device may be seen: not those of procfs, which lead out of the grants. */
bool policy_device_allowed(int fd, dev_t dev);

/* --explain: one line for a path that lies in no grant (write: in none that is writable), once per path. */
void policy_explain(const char *path, bool write);

/* --explain: one line for a call, or an ioctl or fcntl request, that is always refused; once each. */
void policy_explain_program(const char *path, const char *why);
void policy_explain_call(uint32_t nr, uint32_t request);

/* --explain: an address, by a format for its host and port, what it cannot be, and the option that would allow it; once each. */
void policy_explain_address(const char *format, const char *host, unsigned int port, const char *what, const char *option);

#endif
