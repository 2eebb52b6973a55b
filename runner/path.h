/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths of the guest: from a name in its namespace to a host descriptor inside a grant. */
#ifndef KVMRUN_PATH_H
#define KVMRUN_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "synth.h"

struct file;
struct mount;

#define FIND_FOLLOW	1u	/* follow a symbolic link in the last component */
#define FIND_CREATE	2u	/* the last component may be missing */
#define FIND_EMPTY	4u	/* "" is the directory descriptor itself, of whatever type */
#define FIND_PHYSICAL	8u	/* .path shall be physical: by the slow way */
/* As openat2(2)'s resolve has them, in the guest's namespace. By the slow way. */
#define FIND_NO_MAGIC	16u	/* a magic link that would be followed is -ELOOP */
#define FIND_NO_LINKS	32u	/* any link that would be followed is -ELOOP */
#define FIND_BENEATH	64u	/* what leaves dir is -EXDEV, links that are absolute and magic ones too */
#define FIND_IN_ROOT	128u	/* dir is the root; magic links are -EXDEV */
#define FIND_NO_XDEV	256u	/* what leads to another mount is -EXDEV, magic links too */
#define FIND_CACHED	512u	/* what the host's kernel has to wait for is -EAGAIN */
#define FIND_SCOPED	(FIND_BENEATH | FIND_IN_ROOT)
#define FIND_RULES	(FIND_NO_MAGIC | FIND_NO_LINKS | FIND_SCOPED | FIND_NO_XDEV | FIND_CACHED)

/*
 * What a path led to, and how to get there again by one openat2(2). Every way
 * stays below a mount's own descriptor and never follows a magic link.
 */
struct found {
	const struct mount *mount;	/* NULL: synthetic, or (FIND_EMPTY) reached by no path */
	bool synthetic;		/* node says what it is; fd is -1, or of a file of it that is open */
	struct synth node;
	bool missing;		/* FIND_CREATE: nothing there at the time; fd is -1 */
	bool pinned;		/* path_parent(): the entry is a mount or leads to one */
	int fd;			/* O_PATH descriptor (FIND_EMPTY: any), or -1 */
	struct stat st;		/* of fd, or of the node */
	struct file *base;	/* held, or NULL */
	bool borrowed;		/* fd is base's */
	bool magic;		/* by a magic link, which base is the target of: reopen.h */
	int dir;		/* the way: from here ... */
	const char *rel;	/* ... by this ... */
	uint64_t resolve;	/* ... under these rules */
	char path[PATH_MAX];	/* absolute guest path; "" when the way starts at base */
};

/*
 * Resolves path from dir (NULL: the working directory) as Linux would in the
 * guest's namespace. A symbolic link out of all grants is a missing target.
 * Returns 0, and path_done() must follow; or -errno: ENOENT, ENOTDIR, ELOOP,
 * ENAMETOOLONG, EACCES, EFAULT (path is NULL), ...
 */
int path_find(struct file *dir, const char *path, unsigned int how, struct found *f);

/*
 * Resolves the directory that holds path's last component and copies that to
 * name, with one "/" behind it if path had any. name is one component, so that
 * the *at calls on f->fd cannot leave the directory. name is "" for "/", and may
 * be "." or "..". Returns as path_find().
 */
int path_parent(struct file *dir, const char *path, struct found *f, char name[NAME_MAX + 2]);

/*
 * policy_may_change() of what path_find() found, or would create: -EACCES for -EROFS where the
 * caller could not write to it (to the directory) on the host either. Programs that open a file
 * for reading where they may not write ask for that, and nothing is read-only to who had no right to write.
 */
int path_may_change(const struct found *f);

/*
 * The write policy for an entry that path_parent() found: 0, or what Linux says
 * of a read-only file system: -EEXIST or -EROFS for one to be created, -ENOENT,
 * -EBUSY (a mount) or -EROFS for one to be removed; for -EROFS what path_may_change() says.
 */
int path_may_change_entry(const struct found *f, const char *name, bool create);

/*
 * Opens what was found. Regular files and directories are opened if they are
 * still what was found, else -EAGAIN; a FIFO on a writable grant likewise, and it
 * may block (-EINTR); a standard device too; other devices: -EACCES; sockets:
 * -ENXIO. flags as for openat2(2) without O_CREAT. Returns a host descriptor.
 */
int path_open(const struct found *f, uint64_t flags);

/*
 * Creates a regular file where f->missing, in a mount that policy_may_change()
 * allows: a host descriptor, -EEXIST if something is there, or -errno.
 */
int path_create(const struct found *f, uint64_t flags, mode_t mode);

/* Makes an unnamed file in the directory found (O_TMPFILE). */
int path_create_unnamed(const struct found *f, uint64_t flags, mode_t mode);

/* The guest path of what was found, from malloc; NULL when it is too long or memory is short. */
char *path_name(const struct found *f);

void path_done(struct found *f);

/* Writes the physical form of an absolute guest path to out (PATH_MAX bytes); 0 or -errno. */
int path_physical(const char *path, char *out);

/* Sets the working directory at the start; it is "/" if that fails: 0, or -1 with errno. */
int path_start(const char *path);

/* As chdir(2) and fchdir(2): 0 or -errno. */
int path_chdir(const char *path);
int path_fchdir(struct file *dir);

/* The working directory, with a reference for the caller. */
struct file *path_cwd(void);

#endif
