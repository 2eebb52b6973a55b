/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fdtable.h"
#include "path.h"
#include "policy.h"
#include "reopen.h"
#include "walk.h"

/* The host's /proc, by O_PATH: for "self/fd/N" of this process alone, which no guest's path leads to. */
static int host_proc = -1;

void reopen_init(void)
{
	host_proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int reopen_host(int fd, uint64_t flags)
{
	char name[32];

	if (host_proc < 0)
		return -ENOENT;
	snprintf(name, sizeof(name), "self/fd/%d", fd);
	return open_beneath(host_proc, name, flags | O_NOCTTY, 0, 0);
}

/* Whether what fd is open for is enough for the access mode of flags. */
static bool open_for(int fd, uint64_t flags)
{
	int has = fcntl(fd, F_GETFL), wants = flags & O_ACCMODE;

	if (has < 0 || has & O_PATH)
		return false;
	has &= O_ACCMODE;
	return has == O_RDWR || (wants == has && !(has == O_RDONLY && flags & O_TRUNC));
}

static int duplicate(int fd, uint64_t flags)
{
	if (!open_for(fd, flags & ~(uint64_t)O_TRUNC))
		return -EACCES;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd < 0 ? -errno : fd;
}

/* A regular file: by its grant, else as it is open. The descriptor leads to the file itself, whatever its name is now. */
static int reopen_regular(const struct file *file, uint64_t flags)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
	int err = file->mount && write ? policy_may_change(file->mount, false) : 0;

	if (!err && !file->mount && !file->own_memory && !open_for(file->host, flags))
		err = -EACCES;
	return err ? err : reopen_host(file->host, flags & ~(uint64_t)(O_CREAT | O_EXCL | O_NOFOLLOW));
}

int reopen_file(struct file *file, uint64_t flags)
{
	switch (file->type) {
	case S_IFREG:
		return reopen_regular(file, flags);
	case S_IFDIR:
		return file->mount ? open_beneath(file->host, "", flags, 0, RESOLVE_PLAIN) : -EACCES;
	case S_IFCHR:
		if (file->mount && file->mount->device)
			return open_beneath(file->mount->fd, file->mount->name, flags | O_NOCTTY, 0, RESOLVE_PLAIN);
		return duplicate(file->host, flags);
	case S_IFIFO:
		return duplicate(file->host, flags);
	case S_IFLNK:
		return -ELOOP;
	default:
		return -ENXIO;
	}
}

int reopen_link(const struct file *file, int dir, const char *name)
{
	char from[32];

	if (host_proc < 0)
		return -ENOENT;
	snprintf(from, sizeof(from), "self/fd/%d", file->host);
	return linkat(host_proc, from, dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

int reopen_chmod(int fd, unsigned int mode)
{
	char name[32];

	if (host_proc < 0)
		return -ENOENT;
	snprintf(name, sizeof(name), "self/fd/%d", fd);
	return fchmodat(host_proc, name, mode, 0) < 0 ? -errno : 0;
}

/* Of what has no path in the guest: its kind and number, as Linux does it for pipes. */
static int name_without_path(const struct file *file, char name[PATH_MAX])
{
	const char *kind = S_ISFIFO(file->type) ? "pipe" : S_ISSOCK(file->type) ? "socket" :
			   S_ISDIR(file->type) ? "dir" : "file";
	const char *device;
	struct stat st;
	char link[32];
	ssize_t n;

	if (fstat(file->host, &st) < 0)
		return -ENOENT;
	if (S_ISCHR(file->type)) {
		device = policy_device_name(st.st_rdev);
		if (device)
			return sprintf(name, "%s", device);
		if (isatty(file->host))
			return sprintf(name, "/dev/tty");
		return sprintf(name, "char:[%u:%u]", major(st.st_rdev), minor(st.st_rdev));
	}
	if (!file->type && host_proc >= 0) {
		snprintf(link, sizeof(link), "self/fd/%d", file->host);
		n = readlinkat(host_proc, link, name, PATH_MAX - 1);
		if (n > 0 && strncmp(name, "anon_inode:", 11) == 0)
			return n;
		kind = "anon_inode";
	}
	return sprintf(name, "%s:[%llu]", kind, (unsigned long long)st.st_ino);
}

int reopen_name(struct file *file, char name[PATH_MAX])
{
	static const char deleted[] = " (deleted)";
	struct stat st;
	int n;

	if (!file->path)
		return name_without_path(file, name);
	/* of a link itself, the path is what it is */
	if (S_ISLNK(file->type) || path_physical(file->path, name) < 0)
		strcpy(name, file->path);
	n = strlen(name);
	if (file->host >= 0 && !file->node.row && fstat(file->host, &st) == 0 && !st.st_nlink &&
	    n + sizeof(deleted) <= PATH_MAX)
		n += sprintf(name + n, "%s", deleted);
	return n;
}
