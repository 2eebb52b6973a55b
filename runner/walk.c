/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fdtable.h"
#include "path.h"
#include "policy.h"
#include "walk.h"

#define MAX_LINKS 40	/* as Linux */
/* Components that a walk looks at, over all links: bounds what one call can cost. */
#define MAX_STEPS 4096

int open_beneath(int dir, const char *rel, uint64_t flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
	int fd = syscall(SYS_openat2, dir, *rel ? rel : ".", &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

uint64_t walk_resolve(unsigned int how)
{
	return RESOLVE_PLAIN | (how & FIND_CACHED ? RESOLVE_CACHED : 0);
}

/* What a place is on: one of the guest's mounts (NULL: synthetic), and in that a file system. */
struct device {
	const struct mount *mount;
	dev_t dev;
};

/* Where a walk is: a physical guest path. */
struct place {
	char *path;		/* PATH_MAX bytes; "" for the root */
	size_t len;
	size_t floor;		/* FIND_SCOPED: how long that of the directory is which is not left */
	int dir;		/* O_PATH onto it; -1: to be reached from its mount */
	struct device on;	/* of what was looked at last */
};

static bool same(const struct device *a, const struct device *b)
{
	return a->mount == b->mount && a->dev == b->dev;
}

static void leave(struct place *at, size_t len)
{
	if (at->dir >= 0)
		close(at->dir);
	at->dir = -1;
	at->len = len;
	at->path[len] = '\0';
}

/* Why a magic link may not be followed, or 0. */
static int magic_forbidden(unsigned int how)
{
	return how & FIND_NO_MAGIC ? -ELOOP : how & (FIND_SCOPED | FIND_NO_XDEV) ? -EXDEV : 0;
}

/*
 * A node of synth.h. A magic link that leads to a directory is as good as one by its name;
 * another one is where the walk ends: for the caller to follow, by what it leads to itself.
 */
static ssize_t look_synthetic(const struct synth *node, unsigned int how, bool last, char target[PATH_MAX], bool *dir)
{
	struct file *to;
	ssize_t n;

	*dir = synth_is_dir(node);
	if (*dir || !S_ISLNK(node->row->mode))
		return 0;
	/* those of a process are magic to Linux, whether they are followed by their text here or not */
	n = node->row->own && (!last || how & FIND_FOLLOW) ? magic_forbidden(how) : 0;
	if (n)
		return n;
	if (!synth_is_magic(node))
		/* process 1's own can be looked at, and no more */
		return last && !(how & FIND_FOLLOW) && synth_may_look(node) ? 0 : synth_link(node, target);
	to = synth_magic(node);
	if (!to)
		return last ? 0 : synth_may_look(node) ? -EACCES : -ENOENT;
	n = 0;
	if (S_ISDIR(to->type) && to->path)
		n = strlen(strcpy(target, to->path));
	else if (!last)
		n = S_ISDIR(to->type) ? -EACCES : -ENOTDIR;
	file_put(to);
	return n;
}

/*
 * Looks at the last component of at->path, of which at->dir is the directory if
 * it is open. A directory becomes at->dir. Returns the length of the target when
 * it is a symbolic link, 0 when not, or -errno. Each look is one openat2(2) below
 * what is known to be physical, so that whatever moves in between fails the walk
 * and never widens it.
 */
static ssize_t look(struct place *at, const char *name, unsigned int how, bool last, char target[PATH_MAX], bool *dir)
{
	const char *rel, *path = at->len ? at->path : "/";
	const struct mount *m = policy_find(path, &rel);
	uint64_t resolve = walk_resolve(how);
	struct synth node;
	struct stat st = { 0 };
	bool allowed;
	ssize_t n = 0;
	int fd;

	*dir = true;
	if (!m) {
		int err = synth_find(path, &node);

		if (at->dir >= 0)
			close(at->dir);
		at->dir = -1;
		if (err)
			return err;
		synth_stat(&node, &st);
		at->on = (struct device){ NULL, st.st_dev };
		return look_synthetic(&node, how, last, target, dir);
	}
	if (m->name)
		fd = *rel ? -ENOTDIR : open_beneath(m->fd, m->name, O_PATH | O_NOFOLLOW, 0, resolve);
	else if (at->dir >= 0 && *rel)
		fd = open_beneath(at->dir, name, O_PATH | O_NOFOLLOW, 0, resolve);
	else
		fd = open_beneath(m->fd, rel, O_PATH | O_NOFOLLOW, 0, resolve);
	if (fd < 0)
		return fd;
	allowed = fstat(fd, &st) == 0 && policy_device_allowed(fd, st.st_dev);
	at->on = (struct device){ m, st.st_dev };
	if (!allowed) {
		n = -ENOENT;
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(fd, "", target, PATH_MAX - 1);
		if (n <= 0)
			n = -ENOENT;
	} else if (S_ISDIR(st.st_mode)) {
		if (at->dir >= 0)
			close(at->dir);
		at->dir = fd;
		return 0;
	}
	*dir = false;
	close(fd);
	return n;
}

/* FIND_NO_XDEV: what at is on now, that was come to without a look at it. 0 or -errno; -EXDEV when that is not was. */
static int look_where(struct place *at, unsigned int how, const struct device *was)
{
	char target[PATH_MAX];
	ssize_t err;
	bool dir;

	if (!(how & FIND_NO_XDEV))
		return 0;
	err = look(at, "", how & ~FIND_FOLLOW, true, target, &dir);
	if (err < 0)
		return err;
	return was && !same(&at->on, was) ? -EXDEV : 0;
}

/* To the parent: 0 or -errno. */
static int go_up(struct place *at, unsigned int how, const struct device *was)
{
	if (how & FIND_SCOPED && at->len == at->floor)
		return how & FIND_BENEATH ? -EXDEV : 0;
	leave(at, at->len ? strrchr(at->path, '/') - at->path : 0);
	return look_where(at, how, was);
}

/* To the root that an absolute link means: 0 or -errno. */
static int go_root(struct place *at, unsigned int how, const struct device *was)
{
	if (how & FIND_BENEATH)
		return -EXDEV;
	leave(at, how & FIND_IN_ROOT ? at->floor : 0);
	return look_where(at, how, was);
}

/* As walk(), from a place, which is left where the walk ended. */
static int walk_from(struct place *at, const char *path, unsigned int how, bool *missing)
{
	char todo[2 * PATH_MAX], rest[PATH_MAX], target[PATH_MAX];
	struct device start;
	int links = 0, steps = 0, err;
	char *s = todo;

	*missing = false;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(todo, path);
	at->floor = at->len;
	err = *path == '/' ? go_root(at, how, NULL) : look_where(at, how, NULL);
	if (err)
		return err;
	start = at->on;
	while (*(s += strspn(s, "/"))) {
		size_t n = strcspn(s, "/"), before = at->len;
		char name[NAME_MAX + 1];
		ssize_t link;
		bool last, dir;

		if (n > NAME_MAX || at->len + 1 + n >= PATH_MAX)
			return -ENAMETOOLONG;
		if (++steps > MAX_STEPS)
			return -ELOOP;
		memcpy(name, s, n);
		name[n] = '\0';
		s += n;
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			err = go_up(at, how, &start);
			if (err)
				return err;
			continue;
		}
		at->path[at->len] = '/';
		strcpy(at->path + at->len + 1, name);
		at->len += 1 + n;
		last = !s[strspn(s, "/")];

		link = look(at, name, how, last && !*s, target, &dir);
		if (link == -ENOENT && last && how & FIND_CREATE) {
			*missing = true;
			return 0;
		}
		if (link < 0)
			return link;
		if (how & FIND_NO_XDEV && !same(&at->on, &start))
			return -EXDEV;
		if (link > 0 && (!last || *s || how & FIND_FOLLOW)) {
			if (++links > MAX_LINKS || how & FIND_NO_LINKS)
				return -ELOOP;
			if (link + strlen(s) >= sizeof(rest))
				return -ENAMETOOLONG;
			strcpy(rest, s);
			memcpy(todo, target, link);
			strcpy(todo + link, rest);
			s = todo;
			if (*s == '/') {
				err = go_root(at, how, &start);
				if (err)
					return err;
			} else {
				/* at->dir is still the directory that holds the link */
				at->len = before;
				at->path[before] = '\0';
			}
		} else if (*s && !dir) {
			return -ENOTDIR;
		}
	}
	return 0;
}

int walk(const char *from, const char *path, unsigned int how, char done[PATH_MAX], bool *missing)
{
	struct place at = { .path = done, .len = from[1] ? strlen(from) : 0, .dir = -1 };
	int err;

	memcpy(done, from, at.len);
	done[at.len] = '\0';
	err = walk_from(&at, path, how, missing);
	if (at.dir >= 0)
		close(at.dir);
	if (!*done)
		strcpy(done, "/");
	return err;
}
