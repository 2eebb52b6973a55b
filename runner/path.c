/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fdtable.h"
#include "interrupt.h"
#include "path.h"
#include "policy.h"
#include "process.h"
#include "reopen.h"
#include "walk.h"

static struct {
	pthread_mutex_t lock;
	struct file *file;
} cwd = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ------------------------------------------------------------- text */

/*
 * Appends the components of path to out, a normalised path of len bytes ("" for
 * the root), without "." and doubled slashes. A trailing slash stays. Sets
 * *dotdot if there is a "..".
 */
static int append(char *out, size_t len, const char *path, bool *dotdot)
{
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 1 && path[0] == '.') {
			path++;
			continue;
		}
		if (n == 2 && path[0] == '.' && path[1] == '.')
			*dotdot = true;
		if (len + 1 + n >= PATH_MAX)
			return -ENAMETOOLONG;
		out[len++] = '/';
		memcpy(out + len, path, n);
		len += n;
		path += n;
	}
	if (!len)
		out[len++] = '/';
	out[len] = '\0';
	return 0;
}

/* The absolute form of path, seen from base; no ".." is resolved. */
static int absolute(const struct file *base, const char *path, char out[PATH_MAX], bool *dotdot)
{
	size_t len = 0;

	if (*path != '/') {
		len = base->path[1] ? strlen(base->path) : 0;
		memcpy(out, base->path, len);
	}
	return append(out, len, path, dotdot);
}

static void strip_slashes(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
}

/* ------------------------------------------------------------- finding */

/* Sets the way to the absolute guest path in f->path, which has no "..". -ENOENT: in no mount. */
static int way(struct found *f, uint64_t resolve)
{
	int err;

	f->mount = policy_find(f->path, &f->rel);
	f->resolve = resolve;
	if (!f->mount) {
		strip_slashes(f->path);
		err = synth_find(f->path, &f->node);
		f->synthetic = !err;
		return err;
	}
	f->dir = f->mount->fd;
	if (!f->mount->name)
		return 0;
	/* a single file: neither "file/" nor "file/x" */
	if (f->path[f->mount->len])
		return -ENOTDIR;
	f->rel = f->mount->name;
	f->resolve |= RESOLVE_PLAIN;
	return 0;
}

static bool parent_synthetic(const char *path)
{
	char parent[PATH_MAX];
	struct synth node;
	char *slash;

	strcpy(parent, path);
	slash = strrchr(parent, '/');
	slash[slash == parent] = '\0';
	return synth_find(parent, &node) == 0 && synth_is_dir(&node);
}

/* One openat2(2). -EXDEV: only the slow way can tell. */
static int find_fast(const char *path, unsigned int how, struct found *f)
{
	uint64_t follow = how & FIND_FOLLOW ? 0 : O_NOFOLLOW;
	bool dotdot = false;
	int err, fd;

	if (*path != '/' && f->base->mount && !f->base->mount->nested) {
		f->mount = f->base->mount;
		f->dir = f->base->host;
		f->rel = path;
		f->resolve = RESOLVE_WITHIN;
	} else {
		err = absolute(f->base, path, f->path, &dotdot);
		/* links are on nearly every way there, and what they lead to is elsewhere */
		if (!err && synth_root(f->path))
			return -EXDEV;
		if (!err)
			err = way(f, RESOLVE_WITHIN);
		if (dotdot && (err || f->synthetic || f->mount->nested))
			return -EXDEV;
		if (err == -ENOENT && how & FIND_CREATE && parent_synthetic(f->path)) {
			f->missing = true;
			return 0;
		}
		if (err || f->synthetic)
			return err;
		if (f->mount->nested)
			f->resolve = RESOLVE_PLAIN;
	}
	fd = open_beneath(f->dir, f->rel, O_PATH | follow, 0, f->resolve);
	/* EAGAIN: a rename elsewhere made the kernel unsure of ".."; the slow way has none */
	if (fd == -ELOOP || fd == -EAGAIN)
		return -EXDEV;
	if (fd == -ENOENT && how & FIND_CREATE)
		f->missing = true;
	else if (fd < 0)
		return fd;
	else
		f->fd = fd;
	return 0;
}

/* The descriptor itself, for "" and for magic links. */
static int find_base(struct found *f)
{
	f->mount = f->base->mount;
	f->node = f->base->node;
	f->synthetic = f->node.row;
	f->borrowed = true;
	f->fd = f->base->host;
	f->dir = f->fd;
	f->rel = "";
	f->resolve = RESOLVE_WITHIN;
	if (f->synthetic)
		synth_stat(&f->node, &f->st);
	return !f->synthetic && fstat(f->fd, &f->st) < 0 ? -errno : 0;
}

/* What the magic link that f leads to itself leads to. */
static int follow_magic(struct found *f)
{
	struct file *target = synth_magic(&f->node);

	if (!target)
		return synth_may_look(&f->node) ? -EACCES : -ENOENT;
	file_put(f->base);
	f->base = target;
	f->magic = true;
	f->path[0] = '\0';
	return find_base(f);
}

static int walk_there(const char *path, unsigned int how, struct found *f)
{
	char from[PATH_MAX] = "/";
	bool dotdot;
	int err;

	if (!(how & FIND_RULES)) {
		err = absolute(f->base, path, from, &dotdot);
		return err ? err : walk("/", from, how, f->path, &f->missing);
	}
	/* rules are for path alone, not for the way to where it begins */
	err = *path != '/' || how & FIND_SCOPED ? path_physical(f->base->path, from) : 0;
	return err ? err : walk(from, path, how, f->path, &f->missing);
}

static int find_slow(const char *path, unsigned int how, struct found *f)
{
	int err = walk_there(path, how, f), fd;

	if (err)
		return err;
	err = way(f, walk_resolve(how));
	if (err == -ENOENT && f->missing && parent_synthetic(f->path))
		return synth_root(f->path) && strncmp(f->path, "/dev", 4) != 0 ? err : 0;
	if (!err && f->synthetic && f->node.row->target && !synth_is_dir(&f->node) && how & FIND_FOLLOW)
		return follow_magic(f);
	if (err || f->synthetic || f->missing)
		return err;
	fd = open_beneath(f->dir, f->rel, O_PATH | O_NOFOLLOW, 0, f->resolve);
	if (fd < 0)
		/* it was no link a moment ago: it is being changed */
		return fd == -ELOOP ? -ENOENT : fd;
	f->fd = fd;
	return 0;
}

int path_find(struct file *dir, const char *path, unsigned int how, struct found *f)
{
	int err;

	f->mount = NULL;
	f->synthetic = f->missing = f->pinned = f->borrowed = f->magic = false;
	f->node.row = NULL;
	f->fd = -1;
	f->base = NULL;
	f->path[0] = '\0';
	if (!path)
		return -EFAULT;
	if (!*path && !(how & FIND_EMPTY))
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	f->base = dir ? file_get(dir) : path_cwd();
	if (!*path) {
		err = find_base(f);
		if (err)
			path_done(f);
		return err;
	}
	if (*path == '/' && how & FIND_BENEATH) {
		path_done(f);
		return -EXDEV;
	}
	/* a directory that came as a standard stream grants nothing below it */
	if ((*path != '/' || how & FIND_IN_ROOT) && (!f->base->path || !S_ISDIR(f->base->type))) {
		err = S_ISDIR(f->base->type) ? -EACCES : -ENOTDIR;
		path_done(f);
		return err;
	}
	err = how & (FIND_PHYSICAL | FIND_RULES) ? -EXDEV : find_fast(path, how, f);
	if (err == -EXDEV) {
		f->synthetic = f->missing = false;
		err = find_slow(path, how, f);
	}
	if (!err && f->synthetic && !f->borrowed)
		synth_stat(&f->node, &f->st);
	else if (!err && f->fd >= 0 && !f->borrowed) {
		if (fstat(f->fd, &f->st) < 0)
			err = -errno;
		else if (!policy_device_allowed(f->fd, f->st.st_dev))
			err = -ENOENT;
	}
	if (err) {
		if (err == -ENOENT && f->path[0] && !policy_find(f->path, NULL))
			policy_explain(f->path, how & FIND_CREATE);
		path_done(f);
	}
	return err;
}

void path_done(struct found *f)
{
	if (f->fd >= 0 && !f->borrowed)
		close(f->fd);
	f->fd = -1;
	file_put(f->base);
	f->base = NULL;
}

int path_parent(struct file *dir, const char *path, struct found *f, char name[NAME_MAX + 2])
{
	char parent[PATH_MAX], entry[PATH_MAX];
	size_t end, start, len;
	bool dotdot = false;
	int err;

	if (!path)
		return -EFAULT;
	len = strlen(path);
	if (!len)
		return -ENOENT;
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	for (end = len; end && path[end - 1] == '/'; end--)
		;
	for (start = end; start && path[start - 1] != '/'; start--)
		;
	if (end - start > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, path + start, end - start);
	strcpy(name + (end - start), end && end < len ? "/" : "");
	memcpy(parent, path, start);
	parent[start] = '\0';

	err = path_find(dir, start ? parent : end ? "." : "/", FIND_FOLLOW, f);
	if (err)
		return err;
	if (!S_ISDIR(f->st.st_mode)) {
		path_done(f);
		return -ENOTDIR;
	}
	if (!f->synthetic && (!f->mount || !f->mount->nested))
		return 0;
	/* f->rel was the caller's; f->path is physical: nothing was followed on the way */
	strip_slashes(f->path);
	len = f->path[1] ? strlen(f->path) : 0;
	memcpy(entry, f->path, len);
	if (append(entry, len, name, &dotdot) == 0) {
		strip_slashes(entry);
		f->pinned = !dotdot && (policy_pinned(entry) || (synth_root(entry) == strlen(entry) && !policy_find(entry, NULL)));
	}
	return 0;
}

/* Whether the host would let the caller write to what f->fd is of, or to the directory that has what is missing. */
static bool host_denies(const struct found *f)
{
	const char *slash = f->missing ? strrchr(f->rel, '/') : NULL;
	char parent[PATH_MAX];
	int fd = f->fd, ret;

	if (f->missing) {
		snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - f->rel) : 0, f->rel);
		fd = open_beneath(f->dir, parent, O_PATH, 0, f->resolve);
	}
	if (fd < 0)
		return false;
	ret = syscall(SYS_faccessat2, fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) < 0 ? errno : 0;
	if (f->missing)
		close(fd);
	return ret == EACCES;
}

int path_may_change(const struct found *f)
{
	bool leading = f->synthetic || (f->missing && !f->mount);
	int err = policy_may_change(f->mount, leading);

	if (err != -EROFS)
		return err;
	/* directories that lead to grants are root's */
	return (leading ? process_uid() != 0 : host_denies(f)) ? -EACCES : err;
}

int path_may_change_entry(const struct found *f, const char *name, bool create)
{
	char plain[NAME_MAX + 2];
	struct stat st;
	bool exists;
	int err;

	if (f->pinned || !*name)
		return create ? -EEXIST : -EBUSY;
	if (f->synthetic && strncmp(f->path, "/dev", 4) != 0 && synth_root(f->path))
		return synth_may_change_entry(f->path, name, create);
	err = path_may_change(f);
	if (!err)
		return 0;
	/* "link/" would be followed */
	strcpy(plain, name);
	strip_slashes(plain);
	exists = f->fd >= 0 && fstatat(f->fd, plain, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (create)
		return exists ? -EEXIST : err;
	return exists ? err : -ENOENT;
}

/* ------------------------------------------------------------- opening */

/*
 * An O_PATH descriptor cannot be opened without /proc, so that the way is gone
 * twice. What it leads to the second time is below the same mount in any case,
 * and given to the guest only if it is what was looked at the first time.
 */
int path_open(const struct found *f, uint64_t flags)
{
	struct open_how how = { .flags = flags | O_NOCTTY | O_CLOEXEC, .resolve = f->resolve };
	struct stat st;
	int fd;

	if (f->magic)
		return reopen_file(f->base, flags);
	switch (f->st.st_mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
		break;
	case S_IFIFO:
		/* on a read-only grant it would take from, or wait for, a host process */
		if (!f->mount || !f->mount->writable)
			return -EACCES;
		break;
	case S_IFCHR:
		if (f->mount && f->mount->device && f->mount->device == f->st.st_rdev)
			break;
		return -EACCES;
	case S_IFSOCK:
		return -ENXIO;
	default:
		return -EACCES;
	}
	if (S_ISFIFO(f->st.st_mode))
		fd = interruptible_syscall(SYS_openat2, f->dir, (long)f->rel, (long)&how, sizeof(how), 0, 0);
	else
		fd = open_beneath(f->dir, f->rel, how.flags, 0, f->resolve);
	if (fd < 0)
		return fd == -EXDEV || fd == -ELOOP || fd == -ENOENT ? -EAGAIN : fd;
	if (fstat(fd, &st) == 0 && st.st_dev == f->st.st_dev && st.st_ino == f->st.st_ino)
		return fd;
	close(fd);
	return -EAGAIN;
}

int path_create(const struct found *f, uint64_t flags, mode_t mode)
{
	if (f->mount->name)
		return -ENOENT;
	return open_beneath(f->dir, f->rel, flags | O_CREAT | O_EXCL | O_NOCTTY, mode, f->resolve);
}

int path_create_unnamed(const struct found *f, uint64_t flags, mode_t mode)
{
	return open_beneath(f->fd, "", flags | O_TMPFILE, mode, RESOLVE_PLAIN);
}

char *path_name(const struct found *f)
{
	char path[PATH_MAX];
	bool dotdot = false;

	if (f->borrowed)
		return f->base->path ? strdup(f->base->path) : NULL;
	if (f->path[0])
		memcpy(path, f->path, strlen(f->path) + 1);
	else if (absolute(f->base, f->rel, path, &dotdot))
		return NULL;
	strip_slashes(path);
	return strdup(path);
}

int path_physical(const char *path, char *out)
{
	bool missing;

	return walk("/", path, FIND_FOLLOW | FIND_CREATE, out, &missing);
}

/* ------------------------------------------------------------- the working directory */

struct file *path_cwd(void)
{
	struct file *file;

	pthread_mutex_lock(&cwd.lock);
	file = file_get(cwd.file);
	pthread_mutex_unlock(&cwd.lock);
	return file;
}

static void set_cwd(struct file *dir)
{
	struct file *old;

	pthread_mutex_lock(&cwd.lock);
	old = cwd.file;
	cwd.file = dir;
	pthread_mutex_unlock(&cwd.lock);
	file_put(old);
}

int path_fchdir(struct file *dir)
{
	char name[PATH_MAX], *path;
	struct file *file;
	int fd = -1;

	if (!S_ISDIR(dir->type))
		return -ENOTDIR;
	/* a directory that came as a standard stream */
	if (!dir->path)
		return -EACCES;
	if (dir->host >= 0 && syscall(SYS_faccessat2, dir->host, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) < 0)
		return -errno;
	if (dir->host >= 0)
		fd = open_beneath(dir->host, "", O_PATH | O_DIRECTORY, 0, RESOLVE_PLAIN);
	if (dir->host >= 0 && fd < 0)
		return fd;
	/* getcwd(2) tells no links and no ".."; what is gone by now keeps its name */
	path = strdup(path_physical(dir->path, name) == 0 ? name : dir->path);
	if (!path) {
		close(fd);
		return -ENOMEM;
	}
	file = file_new(fd, S_IFDIR, dir->mount, path);
	if (!file)
		return -ENOMEM;
	file->node = dir->node;
	set_cwd(file);
	return 0;
}

int path_chdir(const char *path)
{
	struct found f;
	struct file *file;
	char *name;
	int err = path_find(NULL, path, FIND_FOLLOW | FIND_PHYSICAL, &f);

	if (err)
		return err;
	/* by a magic link: what is open already */
	if (f.borrowed) {
		err = path_fchdir(f.base);
		path_done(&f);
		return err;
	}
	name = path_name(&f);
	if (!name) {
		path_done(&f);
		return -ENOMEM;
	}
	file = file_new(f.fd, f.st.st_mode, f.mount, name);
	if (file)
		file->node = f.node;
	f.fd = -1;
	path_done(&f);
	if (!file)
		return -ENOMEM;
	err = path_fchdir(file);
	file_put(file);
	return err;
}

int path_start(const char *path)
{
	int err;

	if (!cwd.file) {
		char *root = strdup("/");

		process_guard(&cwd.lock);
		cwd.file = root ? file_new(-1, S_IFDIR, NULL, root) : NULL;
		if (!cwd.file) {
			errno = ENOMEM;
			return -1;
		}
		synth_find("/", &cwd.file->node);
	}
	err = path_chdir(path);
	errno = -err;
	return err ? -1 : 0;
}
