/* SPDX-License-Identifier: GPL-2.0-only */
/* Directories: listing them, being in them, and the names in them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ipc_call.h"
#include "path.h"
#include "policy.h"
#include "proc.h"
#include "reopen.h"
#include "sys.h"

/* ------------------------------------------------------------- getdents */

#define LISTING 32768u

/* One record of getdents64(2), or in the older form with the type behind the name; 0 when it does not fit. */
static size_t put_entry(char *to, size_t room, const struct synth_entry *e, long next, bool old)
{
	size_t head = offsetof(struct dirent64, d_name) - old, len = strlen(e->name);
	uint64_t ino = e->ino, off = next;
	uint16_t size = (head + len + 1 + old + 7) & ~7u;

	if (size > room)
		return 0;
	memset(to, 0, size);
	memcpy(to, &ino, 8);
	memcpy(to + 8, &off, 8);
	memcpy(to + 16, &size, 2);
	memcpy(to + head, e->name, len);
	to[old ? size - 1 : 18] = e->type;
	return size;
}

/* Entries from pos on; the bytes used, and in *next where to go on. */
static long list_synthetic(const char *path, long pos, char *to, size_t room, bool old, long *next)
{
	struct synth_entry e;
	size_t used = 0;

	for (*next = pos; synth_next(path, &pos, &e); *next = pos) {
		size_t size = put_entry(to + used, room - used, &e, pos, old);

		if (!size && !used)
			return -EINVAL;
		if (!size)
			break;
		used += size;
	}
	return used;
}

static long do_getdents(struct call *c, bool old)
{
	char list[LISTING] __attribute__((aligned(8)));
	size_t room = c->count[1] < sizeof(list) ? c->count[1] : sizeof(list);
	struct file *file = c->fd[0];
	long ret, pos, next;

	if (!S_ISDIR(file->type))
		return -ENOTDIR;
	if (file->host < 0) {
		/* of threads that list at once each gets other entries: who comes late looks again */
		pos = file->pos;
		do
			ret = list_synthetic(file->path, pos, list, room, old, &next);
		while (ret >= 0 && !atomic_compare_exchange_strong(&file->pos, &pos, next));
		if (ret < 0)
			return ret;
	} else {
		ret = syscall(old ? SYS_getdents : SYS_getdents64, host_fd(c, 0), list, room);
	}
	if (ret == -1)
		return -errno;
	if (ret > 0)
		scatter(c, 1, list, ret);
	return ret;
}

long host_getdents64(struct call *c)
{
	return do_getdents(c, false);
}

long host_getdents(struct call *c)
{
	return do_getdents(c, true);
}

/* ------------------------------------------------------------- the working directory */

long host_getcwd(struct call *c)
{
	struct file *file = path_cwd();
	size_t n = strlen(file->path) + 1;
	struct stat st;
	long ret = n;

	if (file->host >= 0 && fstat(file->host, &st) == 0 && st.st_nlink == 0)
		ret = -ENOENT;
	else if (n > c->count[0])
		ret = -ERANGE;
	else
		scatter(c, 0, file->path, n);
	file_put(file);
	return ret;
}

long host_chdir(struct call *c)
{
	return path_chdir(c->ptr[0]);
}

long host_fchdir(struct call *c)
{
	return path_fchdir(c->fd[0]);
}

long host_umask(struct call *c)
{
	ipc_umask_is(c->arg[0] & 0777);
	return proc_set_umask(c->arg[0] & 0777);
}

/* ------------------------------------------------------------- making and removing names */

/* path_parent() and the write policy. */
static int find_entry(struct file *dir, const char *path, bool create, struct found *f, char name[NAME_MAX + 2])
{
	int err = path_parent(dir, path, f, name);

	if (err)
		return err;
	err = path_may_change_entry(f, name, create);
	if (err == -EROFS)
		policy_explain(f->path[0] ? f->path : path, true);
	if (err)
		path_done(f);
	return err;
}

static long done(struct found *f, int ret)
{
	long err = ret < 0 ? -errno : ret;

	path_done(f);
	return err;
}

static long do_mkdir(struct file *dir, const char *path, mode_t mode)
{
	char name[NAME_MAX + 2];
	struct found f;
	int err = find_entry(dir, path, true, &f, name);

	return err ? err : done(&f, mkdirat(f.fd, name, mode & 01777));
}

long host_mkdir(struct call *c)
{
	return do_mkdir(NULL, c->ptr[0], c->arg[1]);
}

long host_mkdirat(struct call *c)
{
	return do_mkdir(c->fd[0], c->ptr[1], c->arg[2]);
}

static long do_mknod(struct file *dir, const char *path, uint64_t mode)
{
	mode_t type = mode & S_IFMT;
	char name[NAME_MAX + 2];
	struct found f;
	int err;

	if (type == S_IFDIR)
		return -EPERM;
	if (type && type != S_IFREG && type != S_IFIFO && type != S_IFSOCK && type != S_IFCHR && type != S_IFBLK)
		return -EINVAL;
	err = find_entry(dir, path, true, &f, name);
	if (err)
		return err;
	/* device nodes are the host's */
	if (type == S_IFCHR || type == S_IFBLK) {
		path_done(&f);
		return -EPERM;
	}
	return done(&f, mknodat(f.fd, name, type | (mode & 01777), 0));
}

long host_mknod(struct call *c)
{
	return do_mknod(NULL, c->ptr[0], c->arg[1]);
}

long host_mknodat(struct call *c)
{
	return do_mknod(c->fd[0], c->ptr[1], c->arg[2]);
}

static long do_unlink(struct file *dir, const char *path, uint64_t flags)
{
	char name[NAME_MAX + 2];
	struct found f;
	int err;

	if (flags & ~(uint64_t)AT_REMOVEDIR)
		return -EINVAL;
	err = find_entry(dir, path, false, &f, name);
	return err ? err : done(&f, unlinkat(f.fd, name, flags));
}

long host_unlink(struct call *c)
{
	return do_unlink(NULL, c->ptr[0], 0);
}

long host_rmdir(struct call *c)
{
	return do_unlink(NULL, c->ptr[0], AT_REMOVEDIR);
}

long host_unlinkat(struct call *c)
{
	return do_unlink(c->fd[0], c->ptr[1], (unsigned int)c->arg[2]);
}

static long do_symlink(const char *target, struct file *dir, const char *path)
{
	char name[NAME_MAX + 2];
	struct found f;
	int err;

	if (!target)
		return -EFAULT;
	if (!*target)
		return -ENOENT;
	err = find_entry(dir, path, true, &f, name);
	return err ? err : done(&f, symlinkat(target, f.fd, name));
}

long host_symlink(struct call *c)
{
	return do_symlink(c->ptr[0], NULL, c->ptr[1]);
}

long host_symlinkat(struct call *c)
{
	return do_symlink(c->ptr[0], c->fd[1], c->ptr[2]);
}

/* ------------------------------------------------------------- two names */

static long do_rename(struct file *olddir, const char *old, struct file *newdir, const char *new, uint64_t flags)
{
	char from[NAME_MAX + 2], to[NAME_MAX + 2];
	struct found f, t;
	int err;

	/* RENAME_WHITEOUT would make a device node */
	if (flags & ~(uint64_t)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = find_entry(olddir, old, false, &f, from);
	if (err)
		return err;
	err = path_parent(newdir, new, &t, to);
	if (!err) {
		/* each grant is a file system of its own, as if it were mounted */
		if (f.mount != t.mount)
			err = -EXDEV;
		else if (t.pinned || !*to)
			err = -EBUSY;
		/* not libc's: without flags that is another call, which the jail does not know */
		else if (syscall(SYS_renameat2, f.fd, from, t.fd, to, flags) < 0)
			err = -errno;
		path_done(&t);
	}
	path_done(&f);
	return err;
}

long host_rename(struct call *c)
{
	return do_rename(NULL, c->ptr[0], NULL, c->ptr[1], 0);
}

long host_renameat(struct call *c)
{
	return do_rename(c->fd[0], c->ptr[1], c->fd[2], c->ptr[3], 0);
}

long host_renameat2(struct call *c)
{
	return do_rename(c->fd[0], c->ptr[1], c->fd[2], c->ptr[3], (unsigned int)c->arg[4]);
}

static long link_open(struct file *file, struct file *dir, const char *path)
{
	char name[NAME_MAX + 2];
	struct found f;
	int err;

	if (S_ISDIR(file->type))
		return -EPERM;
	err = find_entry(dir, path, true, &f, name);
	if (err)
		return err;
	err = !file->mount || file->mount != f.mount ? -EXDEV : reopen_link(file, f.fd, name);
	path_done(&f);
	return err;
}

static long do_link(struct file *olddir, const char *old, struct file *newdir, const char *new, uint64_t flags)
{
	char from[NAME_MAX + 2], to[NAME_MAX + 2];
	struct found target = { .base = NULL, .fd = -1 }, f, t;
	int err = 0;

	/* AT_EMPTY_PATH wants a capability on the host */
	if (flags & ~(uint64_t)AT_SYMLINK_FOLLOW)
		return flags == AT_EMPTY_PATH ? -ENOENT : -EINVAL;
	if (flags & AT_SYMLINK_FOLLOW) {
		err = path_find(olddir, old, FIND_FOLLOW | FIND_PHYSICAL, &target);
		if (err)
			return err;
		/* what is open gets a name: open(2) of O_TMPFILE */
		if (target.magic) {
			err = link_open(target.base, newdir, new);
			path_done(&target);
			return err;
		}
		path_done(&target);
		olddir = NULL;
		old = target.path;
	}
	err = path_parent(olddir, old, &f, from);
	if (err)
		return err;
	err = find_entry(newdir, new, true, &t, to);
	if (!err) {
		/* a second name in a writable grant would undo a read-only one */
		if (f.mount != t.mount || f.pinned)
			err = -EXDEV;
		else if (!*from || from[strlen(from) - 1] == '/')
			err = -EPERM;
		else if (linkat(f.fd, from, t.fd, to, 0) < 0)
			err = -errno;
		path_done(&t);
	}
	path_done(&f);
	return err;
}

long host_link(struct call *c)
{
	return do_link(NULL, c->ptr[0], NULL, c->ptr[1], 0);
}

long host_linkat(struct call *c)
{
	return do_link(c->fd[0], c->ptr[1], c->fd[2], c->ptr[3], (unsigned int)c->arg[4]);
}
