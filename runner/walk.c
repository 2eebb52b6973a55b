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

/* Where a walk is: a physical guest path. */
struct place {
	char *path;		/* PATH_MAX bytes; "" for the root */
	size_t len;
	int dir;		/* O_PATH onto it; -1: to be reached from its mount */
};

static void leave(struct place *at, size_t len)
{
	if (at->dir >= 0)
		close(at->dir);
	at->dir = -1;
	at->len = len;
	at->path[len] = '\0';
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
	if (!synth_is_magic(node))
		/* process 1's own can be looked at, and no more */
		return last && !(how & FIND_FOLLOW) && synth_may_look(node) ? 0 : synth_link(node, target);
	to = synth_magic(node);
	if (!to)
		return last ? 0 : synth_may_look(node) ? -EACCES : -ENOENT;
	n = 0;
	if (S_ISDIR(to->type) && to->path && !(how & FIND_NO_MAGIC))
		n = strlen(strcpy(target, to->path));
	else if (!last)
		n = how & FIND_NO_MAGIC ? -ELOOP : S_ISDIR(to->type) ? -EACCES : -ENOTDIR;
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
	const char *rel;
	const struct mount *m = policy_find(at->path, &rel);
	struct synth node;
	struct stat st;
	ssize_t n = 0;
	int fd;

	*dir = true;
	if (!m) {
		int err = synth_find(at->path, &node);

		if (at->dir >= 0)
			close(at->dir);
		at->dir = -1;
		return err ? err : look_synthetic(&node, how, last, target, dir);
	}
	if (m->name)
		fd = *rel ? -ENOTDIR : open_beneath(m->fd, m->name, O_PATH | O_NOFOLLOW, 0, RESOLVE_PLAIN);
	else if (at->dir >= 0 && *rel)
		fd = open_beneath(at->dir, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_PLAIN);
	else
		fd = open_beneath(m->fd, rel, O_PATH | O_NOFOLLOW, 0, RESOLVE_PLAIN);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !policy_device_allowed(fd, st.st_dev)) {
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

/* As walk(), from a place at the root, which is left where the walk ended. */
static int walk_from(struct place *at, const char *path, unsigned int how, bool *missing)
{
	char todo[2 * PATH_MAX], rest[PATH_MAX], target[PATH_MAX];
	int links = 0, steps = 0;
	char *s = todo;

	*missing = false;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(todo, path);
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
			leave(at, at->len ? strrchr(at->path, '/') - at->path : 0);
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
		if (link > 0 && (!last || *s || how & FIND_FOLLOW)) {
			if (++links > MAX_LINKS)
				return -ELOOP;
			if (link + strlen(s) >= sizeof(rest))
				return -ENAMETOOLONG;
			strcpy(rest, s);
			memcpy(todo, target, link);
			strcpy(todo + link, rest);
			s = todo;
			if (*s == '/') {
				leave(at, 0);
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

int walk(const char *path, unsigned int how, char done[PATH_MAX], bool *missing)
{
	struct place at = { .path = done, .dir = -1 };
	int err;

	done[0] = '\0';
	err = walk_from(&at, path, how, missing);
	if (at.dir >= 0)
		close(at.dir);
	if (!*done)
		strcpy(done, "/");
	return err;
}
