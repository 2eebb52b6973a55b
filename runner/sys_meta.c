/* SPDX-License-Identifier: GPL-2.0-only */
/* Changing what is known of a file: mode, owner, times, extended attributes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include "path.h"
#include "policy.h"
#include "reopen.h"
#include "sys.h"
#include "terminal.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452	/* Linux 6.6 */
#endif

/* Whether what was found may be changed; if not, it is done with. */
static int may_change(const char *path, struct found *f)
{
	int err = policy_may_change(f->mount, f->synthetic);

	if (err == -EROFS)
		policy_explain(f->path[0] ? f->path : path, true);
	if (err)
		path_done(f);
	return err;
}

/* Finds a file that is to be changed: the write policy is asked. */
static int find_to_change(struct file *dir, const char *path, unsigned int how, struct found *f)
{
	int err = path_find(dir, path, how, f);

	return err ? err : may_change(path, f);
}

static int file_may_change(const struct file *file)
{
	return policy_may_change(file->mount, file->host < 0);
}

/* ------------------------------------------------------------- mode */

/* A file of the host's that runs as its owner or group would carry the guest beyond itself. */
static int check_mode(mode_t type, uint64_t mode)
{
	return !S_ISDIR(type) && mode & (S_ISUID | S_ISGID) ? -EPERM : 0;
}

/* f->fd is by O_PATH */
static long chmod_found(const struct found *f, mode_t mode)
{
	if (syscall(SYS_fchmodat2, f->fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	/* before Linux 6.6 */
	return errno == ENOSYS ? reopen_chmod(f->fd, mode) : -errno;
}

static long do_chmod(struct file *dir, const char *path, uint64_t mode)
{
	struct found f;
	long ret = path_find(dir, path, FIND_FOLLOW, &f);

	if (ret)
		return ret;
	if (f.synthetic && pty_is_slave(&f.node)) {
		pty_set_mode(&f.node, mode);
		path_done(&f);
		return 0;
	}
	ret = may_change(path, &f);
	if (ret)
		return ret;
	ret = check_mode(f.st.st_mode, mode);
	if (!ret)
		ret = chmod_found(&f, mode & 07777);
	path_done(&f);
	return ret;
}

long host_chmod(struct call *c)
{
	return do_chmod(NULL, c->ptr[0], c->arg[1]);
}

long host_fchmodat(struct call *c)
{
	return do_chmod(c->fd[0], c->ptr[1], c->arg[2]);
}

/*
 * A pipe, socket or memfd of the guest's own. Its mode counts for nobody but who opens it again by /dev/fd,
 * which goes by how it is open. Where the jail has no fchmod(2), for all grants are read-only, it is
 * taken and stat(2) does not tell: ksh would have no pipes else.
 */
static bool is_own(const struct file *file)
{
	return !file->mount && !file->inherited && (S_ISFIFO(file->type) || S_ISSOCK(file->type) || file->memory);
}

long host_fchmod(struct call *c)
{
	bool own = is_own(c->fd[0]);
	int err = own ? 0 : file_may_change(c->fd[0]);

	if (own && !policy_writable())
		return 0;
	if (c->fd[0]->pty && pty_is_slave(&c->fd[0]->node)) {
		pty_set_mode(&c->fd[0]->node, c->arg[1]);
		return 0;
	}
	if (!err)
		err = check_mode(c->fd[0]->type, c->arg[1]);
	if (err)
		return err;
	return fchmod(host_fd(c, 0), c->arg[1] & 07777) < 0 ? -errno : 0;
}

/* ------------------------------------------------------------- owner */

static long do_chown(struct file *dir, const char *path, uid_t uid, gid_t gid, unsigned int how)
{
	struct found f;
	long ret = find_to_change(dir, path, how, &f);

	if (ret)
		return ret;
	if (fchownat(f.fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		ret = -errno;
	path_done(&f);
	return ret;
}

long host_chown(struct call *c)
{
	return do_chown(NULL, c->ptr[0], c->arg[1], c->arg[2], FIND_FOLLOW);
}

long host_lchown(struct call *c)
{
	return do_chown(NULL, c->ptr[0], c->arg[1], c->arg[2], 0);
}

long host_fchownat(struct call *c)
{
	unsigned int flags = c->arg[4];

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return do_chown(c->fd[0], c->ptr[1], c->arg[2], c->arg[3],
			(flags & AT_SYMLINK_NOFOLLOW ? 0 : FIND_FOLLOW) | (flags & AT_EMPTY_PATH ? FIND_EMPTY : 0));
}

long host_fchown(struct call *c)
{
	int err = file_may_change(c->fd[0]);

	if (err)
		return err;
	return fchown(host_fd(c, 0), c->arg[1], c->arg[2]) < 0 ? -errno : 0;
}

/* ------------------------------------------------------------- times */

static long do_utimes(struct file *dir, const char *path, const struct timespec *ts, unsigned int how)
{
	struct found f;
	long ret = find_to_change(dir, path, how, &f);

	if (ret)
		return ret;
	if (syscall(SYS_utimensat, f.fd, "", ts, AT_EMPTY_PATH) < 0)
		ret = -errno;
	path_done(&f);
	return ret;
}

long host_utimensat(struct call *c)
{
	unsigned int flags = c->arg[3];
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (c->ptr[1])
		return do_utimes(c->fd[0], c->ptr[1], c->ptr[2], (flags & AT_SYMLINK_NOFOLLOW ? 0 : FIND_FOLLOW) |
				 (flags & AT_EMPTY_PATH ? FIND_EMPTY : 0));
	/* a null path: the descriptor's own file */
	if (!c->fd[0])
		return -EFAULT;
	if (flags & AT_SYMLINK_NOFOLLOW)
		return -EINVAL;
	err = file_may_change(c->fd[0]);
	if (err)
		return err;
	return syscall(SYS_utimensat, host_fd(c, 0), NULL, c->ptr[2], 0) < 0 ? -errno : 0;
}

static long utimeval(struct file *dir, const char *path, const struct timeval *tv)
{
	struct timespec ts[2];

	if (!tv)
		return do_utimes(dir, path, NULL, FIND_FOLLOW);
	for (int i = 0; i < 2; i++) {
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
			return -EINVAL;
		ts[i] = (struct timespec){ tv[i].tv_sec, tv[i].tv_usec * 1000 };
	}
	return do_utimes(dir, path, ts, FIND_FOLLOW);
}

long host_utimes(struct call *c)
{
	return utimeval(NULL, c->ptr[0], c->ptr[1]);
}

long host_futimesat(struct call *c)
{
	return utimeval(c->fd[0], c->ptr[1], c->ptr[2]);
}

long host_utime(struct call *c)
{
	const struct utimbuf *t = c->ptr[1];
	struct timeval tv[2];

	if (t) {
		tv[0] = (struct timeval){ t->actime, 0 };
		tv[1] = (struct timeval){ t->modtime, 0 };
	}
	return utimeval(NULL, c->ptr[0], t ? tv : NULL);
}

/* ------------------------------------------------------------- extended attributes */

/* Capabilities and the like act on the host; access lists are not offered. */
static int may_set(const char *name)
{
	if (!name)
		return -EFAULT;
	if (strncmp(name, "user.", 5) == 0)
		return 0;
	return strncmp(name, "system.", 7) == 0 ? -EOPNOTSUPP : -EPERM;
}

/*
 * A descriptor that the f*xattr calls take, which O_PATH ones are not: opened, or -errno. Files that are
 * neither regular nor directories have no user attributes: -EPERM or -ENODATA, as Linux says (xattr(7)).
 */
static int open_for_xattr(const char *path, unsigned int how, bool change)
{
	struct found f;
	int err = change ? find_to_change(NULL, path, how, &f) : path_find(NULL, path, how, &f);
	int host;

	if (err)
		return err;
	if (f.synthetic)
		host = -EOPNOTSUPP;
	else if (S_ISREG(f.st.st_mode) || S_ISDIR(f.st.st_mode))
		host = path_open(&f, O_RDONLY);
	else
		host = change ? -EPERM : -ENODATA;
	path_done(&f);
	return host;
}

static long finish(int host, long ret)
{
	long err = ret < 0 ? -errno : ret;

	close(host);
	return err;
}

static long do_setxattr(struct call *c, unsigned int how)
{
	int err = may_set(c->ptr[1]), host;
	uint64_t n;
	void *value;

	if (err)
		return err;
	if (c->count[2] > FLAT_MAX)
		return -E2BIG;
	host = open_for_xattr(c->ptr[0], how, true);
	if (host < 0)
		return host;
	value = flat(c, 2, &n);
	return finish(host, fsetxattr(host, c->ptr[1], value, n, c->arg[4]));
}

long host_setxattr(struct call *c)
{
	return do_setxattr(c, FIND_FOLLOW);
}

long host_lsetxattr(struct call *c)
{
	return do_setxattr(c, 0);
}

long host_fsetxattr(struct call *c)
{
	int err = may_set(c->ptr[1]);
	uint64_t n;
	void *value;

	if (!err)
		err = file_may_change(c->fd[0]);
	if (err)
		return err;
	if (c->count[2] > FLAT_MAX)
		return -E2BIG;
	value = flat(c, 2, &n);
	return fsetxattr(host_fd(c, 0), c->ptr[1], value, n, c->arg[4]) < 0 ? -errno : 0;
}

static long do_getxattr(struct call *c, unsigned int how)
{
	uint64_t n;
	void *value;
	long ret;
	int host;

	if (!c->ptr[1])
		return -EFAULT;
	host = open_for_xattr(c->ptr[0], how, false);
	if (host < 0)
		return host == -ENODATA && strncmp(c->ptr[1], "system.", 7) == 0 ? -EOPNOTSUPP : host;
	value = flat(c, 2, &n);
	ret = finish(host, fgetxattr(host, c->ptr[1], value, n));
	if (ret > 0 && n)
		scatter(c, 2, value, ret);
	return ret;
}

long host_getxattr(struct call *c)
{
	return do_getxattr(c, FIND_FOLLOW);
}

long host_lgetxattr(struct call *c)
{
	return do_getxattr(c, 0);
}

static long do_listxattr(struct call *c, unsigned int how)
{
	int host = open_for_xattr(c->ptr[0], how, false);
	uint64_t n;
	void *list;
	long ret;

	if (host < 0)
		return host == -ENODATA ? 0 : host;
	list = flat(c, 1, &n);
	ret = finish(host, flistxattr(host, list, n));
	if (ret > 0 && n)
		scatter(c, 1, list, ret);
	return ret;
}

long host_listxattr(struct call *c)
{
	return do_listxattr(c, FIND_FOLLOW);
}

long host_llistxattr(struct call *c)
{
	return do_listxattr(c, 0);
}

static long do_removexattr(struct call *c, unsigned int how)
{
	int err = may_set(c->ptr[1]), host;

	if (err)
		return err;
	host = open_for_xattr(c->ptr[0], how, true);
	return host < 0 ? host : finish(host, fremovexattr(host, c->ptr[1]));
}

long host_removexattr(struct call *c)
{
	return do_removexattr(c, FIND_FOLLOW);
}

long host_lremovexattr(struct call *c)
{
	return do_removexattr(c, 0);
}

long host_fremovexattr(struct call *c)
{
	int err = may_set(c->ptr[1]);

	if (!err)
		err = file_may_change(c->fd[0]);
	if (err)
		return err;
	return fremovexattr(host_fd(c, 0), c->ptr[1]) < 0 ? -errno : 0;
}
