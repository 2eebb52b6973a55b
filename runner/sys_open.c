/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening files, and what is asked of open ones by path rules. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path.h"
#include "pidfd.h"
#include "policy.h"
#include "reopen.h"
#include "sys.h"
#include "walk.h"

/* Flags that mean something here; open(2) ignores others. Not O_ASYNC: see F_SETFL. */
#define OPEN_FLAGS (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_DIRECT | \
		    O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE)

#define KERNEL_O_LARGEFILE 0100000	/* to Linux; to the C library there is none */
#define RESOLVE_FLAGS (RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | \
		       RESOLVE_CACHED)

/* Set-user-ID and set-group-ID bits would reach beyond the guest: they act on the host's users. */
#define FILE_MODE 01777

/* How often a file that changes under the guest's hands is looked up again. */
#define TRIES 16

/* Gives what was found, open as host (owned), to the guest. */
static long install(const struct found *f, int host, mode_t type, uint64_t flags)
{
	char *path = path_name(f);
	struct file *file;

	if (S_ISDIR(type) && !path) {
		if (host >= 0)
			close(host);
		return -ENAMETOOLONG;
	}
	file = file_new(host, type, f->mount, path);
	if (file)
		file->node = f->node;
	if (file && f->magic)
		file->own_memory = f->base->own_memory;
	if (file && f->synthetic && (flags & O_ACCMODE) != O_RDONLY)
		file->stores = true;
	if (file && synth_is_process(&file->node))
		pidfd_directory(file);
	return file ? fd_install(file, 0, flags & O_CLOEXEC) : -ENOMEM;
}

/* Whether the policy and the type of file let f be opened; 0 or -errno. */
static int may_open(const struct found *f, uint64_t flags)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
	mode_t type = f->st.st_mode & S_IFMT;
	int err;

	if (type == S_IFLNK && !(flags & O_PATH))
		return flags & O_DIRECTORY ? -ENOTDIR : -ELOOP;
	if (flags & O_DIRECTORY && type != S_IFDIR)
		return -ENOTDIR;
	if (flags & O_PATH || !write)
		return 0;
	if (type == S_IFDIR)
		return -EISDIR;
	/* they know by themselves: synth_open(), reopen_file() */
	if ((f->mount && f->mount->device) || f->magic || f->synthetic)
		return 0;
	err = path_may_change(f);
	if (err == -EROFS)
		policy_explain(f->path[0] ? f->path : f->rel, true);
	return err;
}

static long open_device(const struct found *f, uint64_t flags)
{
	char *path = path_name(f);
	struct file *file;
	int err = path ? f->node.row->open(&f->node, flags, path, &file) : -ENOMEM;

	return err ? err : fd_install(file, 0, flags & O_CLOEXEC);
}

/* Opens what was found. -EAGAIN: look again. */
static long open_found(struct found *f, uint64_t flags)
{
	int err = may_open(f, flags), host;

	if (err)
		return err;
	if (f->synthetic && (flags & O_PATH || S_ISDIR(f->st.st_mode))) {
		err = flags & O_PATH ? 0 : synth_may_look(&f->node);
		return err ? err : install(f, -1, f->st.st_mode, flags);
	}
	if (f->synthetic && f->node.row->open)
		return open_device(f, flags);
	if (f->synthetic && !f->borrowed) {
		host = synth_open(&f->node, flags);
	} else if (flags & O_PATH && f->borrowed) {
		host = reopen_host(f->fd, O_PATH);
	} else if (flags & O_PATH && S_ISDIR(f->st.st_mode)) {
		/* F_GETFL tells how it was opened */
		host = open_beneath(f->fd, "", flags & ~(uint64_t)O_CLOEXEC, 0, RESOLVE_PLAIN);
	} else if (flags & O_PATH) {
		host = f->fd;
		f->fd = -1;
	} else {
		host = path_open(f, flags & ~(uint64_t)(O_CREAT | O_EXCL | O_CLOEXEC));
	}
	return host < 0 ? host : install(f, host, f->st.st_mode, flags);
}

static long create(struct found *f, uint64_t flags, mode_t mode)
{
	int err = path_may_change(f), host;

	if (err == -EROFS)
		policy_explain(f->path[0] ? f->path : f->rel, true);
	if (err)
		return err;
	if (flags & O_DIRECTORY)
		return -EINVAL;
	host = path_create(f, flags & ~(uint64_t)O_CLOEXEC, mode & FILE_MODE);
	return host < 0 ? host : install(f, host, S_IFREG, flags);
}

static long open_unnamed(struct found *f, uint64_t flags, mode_t mode)
{
	int err = path_may_change(f), host;

	if (!S_ISDIR(f->st.st_mode))
		return -ENOTDIR;
	if (err)
		return err;
	host = path_create_unnamed(f, flags & ~(uint64_t)(O_CLOEXEC | O_CREAT), mode & FILE_MODE);
	return host < 0 ? host : install(f, host, S_IFREG, flags);
}

/* extra: FIND_* beside what the flags say. */
static long do_open(struct file *dir, const char *path, uint64_t flags, mode_t mode, unsigned int extra)
{
	unsigned int how = FIND_FOLLOW | extra;
	struct found f;
	long ret = -EAGAIN;

	flags &= OPEN_FLAGS;
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		if ((flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
		ret = path_find(dir, path, FIND_FOLLOW | extra, &f);
		if (!ret) {
			ret = open_unnamed(&f, flags, mode);
			path_done(&f);
		}
		return ret;
	}
	flags &= ~(uint64_t)(O_TMPFILE & ~O_DIRECTORY);
	if (flags & O_NOFOLLOW || (flags & O_CREAT && flags & O_EXCL))
		how &= ~FIND_FOLLOW;
	if (flags & O_CREAT)
		how |= FIND_CREATE;
	if (flags & O_CREAT && path && *path && path[strlen(path) - 1] == '/')
		return -EISDIR;

	for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
		ret = path_find(dir, path, how, &f);
		if (ret)
			return ret;
		if (f.missing) {
			ret = create(&f, flags, mode);
			/* a link whose target is missing, if nobody was quicker: the slow way tells */
			if ((ret == -EEXIST && !(flags & O_EXCL)) || ret == -EXDEV || ret == -ELOOP) {
				how |= FIND_PHYSICAL;
				ret = -EAGAIN;
			}
		} else if (flags & O_CREAT && flags & O_EXCL) {
			ret = -EEXIST;
		} else if (flags & O_CREAT && S_ISDIR(f.st.st_mode)) {
			ret = -EISDIR;
		} else {
			ret = open_found(&f, flags);
		}
		path_done(&f);
	}
	return ret;
}

long host_open(struct call *c)
{
	return do_open(NULL, c->ptr[0], c->arg[1], c->arg[2], 0);
}

long host_openat(struct call *c)
{
	return do_open(c->fd[0], c->ptr[1], c->arg[2], c->arg[3], 0);
}

long host_creat(struct call *c)
{
	return do_open(NULL, c->ptr[0], O_CREAT | O_WRONLY | O_TRUNC, c->arg[1], 0);
}

/* As Linux says of what openat2(2) is given, where open(2) lets much pass: 0 or -errno. */
static int how_is_valid(const struct open_how *how)
{
	const uint64_t tmpfile = O_TMPFILE & ~O_DIRECTORY, of_path = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	if (how->flags & ~(uint64_t)(OPEN_FLAGS | O_ASYNC | KERNEL_O_LARGEFILE) || how->resolve & ~(uint64_t)RESOLVE_FLAGS)
		return -EINVAL;
	if (how->resolve & RESOLVE_BENEATH && how->resolve & RESOLVE_IN_ROOT)
		return -EINVAL;
	if (how->mode & ~(uint64_t)07777 || (how->mode && !(how->flags & (O_CREAT | tmpfile))))
		return -EINVAL;
	if (how->flags & tmpfile && ((how->flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE || !(how->flags & O_ACCMODE)))
		return -EINVAL;
	if (how->flags & O_PATH && how->flags & ~of_path)
		return -EINVAL;
	/* as Linux, which takes it that what is made is never there already */
	return how->resolve & RESOLVE_CACHED && how->flags & (O_TRUNC | O_CREAT | tmpfile) ? -EAGAIN : 0;
}

long host_openat2(struct call *c)
{
	static const struct { uint64_t resolve; unsigned int find; } rules[] = {
		{ RESOLVE_NO_MAGICLINKS, FIND_NO_MAGIC },
		{ RESOLVE_NO_SYMLINKS, FIND_NO_LINKS | FIND_NO_MAGIC },
		{ RESOLVE_BENEATH, FIND_BENEATH },
		{ RESOLVE_IN_ROOT, FIND_IN_ROOT },
		{ RESOLVE_NO_XDEV, FIND_NO_XDEV },
		{ RESOLVE_CACHED, FIND_CACHED },
	};
	const struct open_how *how = c->ptr[2];
	unsigned int find = 0;
	int err;

	/* the shim has cut a longer one */
	if (c->arg[3] != sizeof(*how))
		return -EINVAL;
	if (!how)
		return -EFAULT;
	err = how_is_valid(how);
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (how->resolve & rules[i].resolve)
			find |= rules[i].find;
	/* then an absolute path is one from there, too */
	if (find & FIND_IN_ROOT && !c->fd[0] && (int)c->arg[0] != AT_FDCWD)
		return -EBADF;
	return do_open(c->fd[0], c->ptr[1], how->flags, how->mode, find);
}

long host_truncate(struct call *c)
{
	struct found f;
	long ret = -EAGAIN;
	int host;

	for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
		ret = path_find(NULL, c->ptr[0], FIND_FOLLOW, &f);
		if (ret)
			return ret;
		if (S_ISDIR(f.st.st_mode))
			ret = -EISDIR;
		else if (f.synthetic)
			ret = synth_access(&f.node, W_OK);
		else if (!S_ISREG(f.st.st_mode))
			ret = -EINVAL;
		else
			ret = path_may_change(&f);
		if (!ret && !f.synthetic) {
			host = path_open(&f, O_WRONLY);
			ret = host < 0 ? host : ftruncate(host, c->arg[1]) < 0 ? -errno : 0;
			if (host >= 0)
				close(host);
		}
		path_done(&f);
	}
	return ret;
}
