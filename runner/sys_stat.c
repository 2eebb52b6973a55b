/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking at files: stat, access, readlink, statfs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mq.h"
#include "path.h"
#include "policy.h"
#include "sys.h"
#include "window.h"

_Static_assert(sizeof(struct stat) == ABI_SIZE_stat, "struct stat");
_Static_assert(sizeof(struct statx) == ABI_SIZE_statx, "struct statx");
_Static_assert(sizeof(struct statfs) == ABI_SIZE_statfs, "struct statfs");

/* FIND_* for the AT_* flags of a call that follows links by default. */
static unsigned int how_of(uint64_t flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : FIND_FOLLOW) | (flags & AT_EMPTY_PATH ? FIND_EMPTY : 0);
}

/* ------------------------------------------------------------- what is synthetic */

long synthetic_call(struct call *c)
{
	switch (c->nr) {
	case SYS_fstat:
		if (!c->ptr[1])
			return -EFAULT;
		synth_stat(&c->fd[0]->node, c->ptr[1]);
		return 0;
	case SYS_fstatfs:
		if (!c->ptr[1])
			return -EFAULT;
		synth_statfs(c->fd[0]->path, c->ptr[1]);
		return 0;
	case SYS_lseek:
		if (c->arg[2] != SEEK_SET || (long)c->arg[1] < 0)
			return -EINVAL;
		c->fd[0]->pos = c->arg[1];
		return c->arg[1];
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_syncfs:
		return 0;
	}
	return -EINVAL;
}

int synthetic_renew(struct file *file, long at)
{
	off_t pos;
	int fd;

	if (!S_ISREG(file->node.row->mode) || !file->node.row->make)
		return 0;
	pos = lseek(file->host, 0, SEEK_CUR);
	if ((at >= 0 ? at : pos) || !atomic_exchange(&file->read, true))
		return 0;
	fd = synth_open(&file->node, O_RDONLY);
	if (fd < 0)
		return fd;
	lseek(fd, pos, SEEK_SET);
	dup3(fd, file->host, O_CLOEXEC);
	close(fd);
	return 0;
}

long synthetic_write(struct call *c)
{
	const struct file *file = c->fd[0];
	char text[ABI_PAGE];
	uint64_t n;
	void *from;
	int err;

	if (!file->stores)
		return -EBADF;
	from = flat(c, 1, &n);
	if (n >= sizeof(text))
		return -EINVAL;
	if (guest_copy(text, from, n))
		return -EFAULT;
	text[n] = '\0';
	err = file->node.row->store(&file->node, text, n);
	return err ? err : (long)n;
}

/* ------------------------------------------------------------- stat */

static long do_stat(struct file *dir, const char *path, uint64_t flags, struct stat *out)
{
	struct found f;
	int err;

	if (flags & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if (!out)
		return -EFAULT;
	if (dir && dir->mq && path && !*path && (flags & AT_EMPTY_PATH))
		return mq_stat(dir, out);
	err = path_find(dir, path, how_of(flags), &f);
	if (err)
		return err;
	*out = f.st;
	path_done(&f);
	return 0;
}

long host_stat(struct call *c)
{
	return do_stat(NULL, c->ptr[0], 0, c->ptr[1]);
}

long host_lstat(struct call *c)
{
	return do_stat(NULL, c->ptr[0], AT_SYMLINK_NOFOLLOW, c->ptr[1]);
}

long host_newfstatat(struct call *c)
{
	return do_stat(c->fd[0], c->ptr[1], (unsigned int)c->arg[3], c->ptr[2]);
}

static struct statx_timestamp statx_time(struct timespec ts)
{
	return (struct statx_timestamp){ .tv_sec = ts.tv_sec, .tv_nsec = ts.tv_nsec };
}

static void synthetic_statx(const struct stat *st, struct statx *x)
{
	memset(x, 0, sizeof(*x));
	x->stx_mask = STATX_BASIC_STATS;
	x->stx_blksize = st->st_blksize;
	x->stx_nlink = st->st_nlink;
	x->stx_uid = st->st_uid;
	x->stx_gid = st->st_gid;
	x->stx_mode = st->st_mode;
	x->stx_ino = st->st_ino;
	x->stx_size = st->st_size;
	x->stx_atime = statx_time(st->st_atim);
	x->stx_mtime = statx_time(st->st_mtim);
	x->stx_ctime = statx_time(st->st_ctim);
	x->stx_dev_major = major(st->st_dev);
	x->stx_dev_minor = minor(st->st_dev);
}

long host_statx(struct call *c)
{
	unsigned int flags = c->arg[2], mask = c->arg[3];
	struct found f;
	long ret;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE) ||
	    mask & STATX__RESERVED)
		return -EINVAL;
	if (!c->ptr[4])
		return -EFAULT;
	ret = path_find(c->fd[0], c->ptr[1], how_of(flags), &f);
	if (ret)
		return ret;
	if (f.synthetic)
		synthetic_statx(&f.st, c->ptr[4]);
	else if (syscall(SYS_statx, f.fd, "", AT_EMPTY_PATH | (flags & AT_STATX_SYNC_TYPE), mask, c->ptr[4]) < 0)
		ret = -errno;
	path_done(&f);
	return ret;
}

long host_statfs(struct call *c)
{
	struct found f;
	long ret;

	if (!c->ptr[1])
		return -EFAULT;
	ret = path_find(NULL, c->ptr[0], FIND_FOLLOW, &f);
	if (ret)
		return ret;
	if (f.synthetic)
		synth_statfs(f.path[0] ? f.path : f.base->path, c->ptr[1]);
	else if (fstatfs(f.fd, c->ptr[1]) < 0)
		ret = -errno;
	path_done(&f);
	return ret;
}

/* ------------------------------------------------------------- access */

static long do_access(struct file *dir, const char *path, uint64_t mode, uint64_t flags)
{
	struct found f;
	long ret;

	if (mode & ~(uint64_t)(R_OK | W_OK | X_OK) ||
	    flags & ~(uint64_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	ret = path_find(dir, path, how_of(flags), &f);
	if (ret)
		return ret;
	if (f.synthetic)
		ret = synth_access(&f.node, mode);
	else if (syscall(SYS_faccessat2, f.fd, "", mode, AT_EMPTY_PATH | (flags & AT_EACCESS)) < 0)
		ret = -errno;
	else if (mode & W_OK && f.mount && (!f.borrowed || f.magic) && !f.mount->device)
		ret = policy_may_change(f.mount, false);
	path_done(&f);
	return ret;
}

long host_access(struct call *c)
{
	return do_access(NULL, c->ptr[0], (unsigned int)c->arg[1], 0);
}

long host_faccessat(struct call *c)
{
	return do_access(c->fd[0], c->ptr[1], (unsigned int)c->arg[2], 0);
}

long host_faccessat2(struct call *c)
{
	return do_access(c->fd[0], c->ptr[1], (unsigned int)c->arg[2], (unsigned int)c->arg[3]);
}

/* ------------------------------------------------------------- readlink */

static long do_readlink(struct call *c, struct file *dir, const char *path, int buf)
{
	char target[PATH_MAX];
	struct found f;
	long ret;

	if ((int)c->arg[buf + 1] <= 0)
		return -EINVAL;
	ret = path_find(dir, path, FIND_EMPTY, &f);
	if (ret)
		return ret;
	if (f.synthetic && S_ISLNK(f.st.st_mode))
		ret = synth_link(&f.node, target);
	else if (f.synthetic || !S_ISLNK(f.st.st_mode))
		ret = path && *path ? -EINVAL : -ENOENT;
	else
		ret = readlinkat(f.fd, "", target, sizeof(target));
	if (ret == -1)
		ret = -errno;
	path_done(&f);
	if (ret > (long)c->count[buf])
		ret = c->count[buf];
	if (ret > 0)
		scatter(c, buf, target, ret);
	return ret;
}

long host_readlink(struct call *c)
{
	const char *path = c->ptr[0];

	return path && !*path ? -ENOENT : do_readlink(c, NULL, path, 1);
}

long host_readlinkat(struct call *c)
{
	return do_readlink(c, c->fd[0], c->ptr[1], 2);
}
