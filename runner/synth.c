/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "fdtable.h"
#include "load.h"
#include "policy.h"
#include "proc.h"
#include "proc_ask.h"
#include "process.h"
#include "reopen.h"
#include "synth.h"
#include "terminal.h"

#define FILE_(p, m, f)		{ .path = p, .mode = S_IFREG | (m), .make = f },
#define OWN(p, m, f)		{ .path = p, .mode = S_IFREG | (m), .own = true, .make = f },
#define STORE(p, m, f, to)	{ .path = p, .mode = S_IFREG | (m), .make = f, .store = to },
#define TEXT(p, contents)	{ .path = p, .mode = S_IFREG | 0444, .text = contents },
#define LINK(p, contents)	{ .path = p, .mode = S_IFLNK | 0777, .text = contents },
#define POINTS(p, f)		{ .path = p, .mode = S_IFLNK | 0777, .make = f },
#define LEADS(p, f)		{ .path = p, .mode = S_IFLNK | 0777, .own = true, .make = f },
#define MAGIC(p, f, to)		{ .path = p, .mode = S_IFLNK | 0777, .own = true, .make = f, .target = to },
#define CHAR(p, m, ma, mi, f)	{ .path = p, .mode = S_IFCHR | (m), .open = f, .major = ma, .minor = mi },
static const struct synth_row rows[] = {
#include "synth.def"
};
#define ROWS ((long)(sizeof(rows) / sizeof(rows[0])))

/* A directory that leads to mounts. */
static const struct synth_row leading = { .path = "", .mode = S_IFDIR | 0555 };

static const struct {
	const char *path;
	long magic;
	unsigned int device;
} roots[] = {
	{ "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC, 28 },
	{ "/proc", PROC_SUPER_MAGIC, 22 },
	{ "/sys", SYSFS_MAGIC, 24 },
	{ "/dev/pts", DEVPTS_SUPER_MAGIC, 26 },
	{ "/dev", TMPFS_MAGIC, 5 },
};

/* What stands for a component of a row's path that is in brackets. */
static const struct variable {
	const char *name, *prefix;
	int (*next)(const struct synth *s, int from);	/* the lowest that there is from this on, or -1 */
	bool first;		/* it is the synth's pid, else its id */
} variables[] = {
	{ "[pid]", "", proc_next_pid, true },
	{ "[tid]", "", proc_next_tid, false },
	{ "[fd]", "", proc_next_fd, false },
	{ "[cpu]", "cpu", proc_next_cpu, false },
	{ "[pts]", "", pty_next, false },
};
#define VARIABLES	3	/* a path has at most */

/* ------------------------------------------------------------- finding */

static bool below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '/' || !path[len]);
}

size_t synth_root(const char *path)
{
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (below(path, roots[i].path))
			return strchrnul(roots[i].path + 1, '/') - roots[i].path;
	return 0;
}

/* The variable that a row's path has here, or NULL. */
static const struct variable *variable(const char *pattern)
{
	for (size_t i = 0; *pattern == '[' && i < sizeof(variables) / sizeof(variables[0]); i++)
		if (strncmp(pattern, variables[i].name, strlen(variables[i].name)) == 0)
			return &variables[i];
	return NULL;
}

/* The number that a component is, as it is written there; or -1. */
static int number(const char *name, size_t len, const struct variable *v)
{
	size_t skip = strlen(v->prefix);
	int n = 0;

	if (len <= skip || len > skip + 8 || strncmp(name, v->prefix, skip) != 0 || (name[skip] == '0' && len > skip + 1))
		return -1;
	for (size_t i = skip; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + name[i] - '0';
	}
	return n;
}

/* Whether a row's path is this path or begins with it; *there: and there is what its numbers stand for. */
static bool match(const struct synth_row *row, const char *path, struct synth *s, bool *there)
{
	struct {
		const struct variable *v;
		const char *rest;
		int n;
	} numbers[VARIABLES];
	const char *pattern = row->path;
	int count = 0;

	*s = (struct synth){ .row = row };
	while (*path == '/' && *pattern == '/') {
		size_t len = strcspn(++path, "/"), plen = strcspn(++pattern, "/");
		const struct variable *v = variable(pattern);

		if (v) {
			int n = number(path, len, v);

			if (n < 0)
				return false;
			*(v->first ? &s->pid : &s->id) = n;
			numbers[count].v = v;
			numbers[count].rest = pattern - 1;
			numbers[count++].n = n;
		} else if (len != plen || strncmp(path, pattern, len) != 0) {
			return false;
		}
		path += len;
		pattern += plen;
	}
	s->rest = pattern;
	if (*path)
		return false;
	*there = true;
	for (int i = 0; i < count && *there; i++) {
		struct synth at = { .row = row, .rest = numbers[i].rest, .pid = s->pid };

		*there = numbers[i].v->next(&at, numbers[i].n) == numbers[i].n;
	}
	return true;
}

static bool private(const struct synth *s)
{
	return s->row->own && s->pid == GUEST_PPID;
}

static bool of_another(const struct synth *s)
{
	return s->pid && !proc_is_self(s->pid);
}

int synth_find(const char *path, struct synth *s)
{
	struct file *target;
	bool there;

	if (!path[1] && !policy_find(path, NULL)) {
		*s = (struct synth){ .row = rows, .rest = rows[0].path };
		return 0;
	}
	if (!synth_root(path) || policy_find(path, NULL)) {
		*s = (struct synth){ .row = &leading, .rest = "" };
		return policy_pinned(path) && !policy_find(path, NULL) ? 0 : -ENOENT;
	}
	for (long i = 0; i < ROWS; i++) {
		if (!match(&rows[i], path, s, &there))
			continue;
		if (!there)
			break;
		if (*s->rest || !synth_is_magic(s))
			return 0;
		target = s->row->target(s);
		file_put(target);
		return target ? 0 : -ENOENT;
	}
	*s = (struct synth){ .row = &leading, .rest = "" };
	return policy_pinned(path) ? 0 : -ENOENT;
}

bool synth_is_dir(const struct synth *s)
{
	return *s->rest || s->row == &leading;
}

bool synth_is_process(const struct synth *s)
{
	return s->row && s->pid && *s->rest && (size_t)(s->rest - s->row->path) == strlen("/proc/[pid]");
}

/* The root, and what leads to mounts: no file system of these. */
static bool leads(const struct synth *s)
{
	return s->row == &leading || s->rest == s->row->path;
}

/* ------------------------------------------------------------- looking */

/* Tells nodes apart; a name's number stays. */
static ino_t inode(const struct synth *s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (const char *p = s->row->path; p != s->rest && *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3;
	h = (h ^ (uint32_t)s->pid) * 0x100000001b3;
	h = (h ^ (uint32_t)s->id) * 0x100000001b3;
	return (h ^ h >> 32) & 0x7fffffff;
}

/* A directory of what is the process's own business. */
static bool closed(const struct synth *s)
{
	return variable(s->rest + 1) && s->row->own;
}

static mode_t mode_of(const struct synth *s)
{
	if (!synth_is_dir(s))
		return s->row->mode;
	return S_IFDIR | (*s->rest && closed(s) ? 0500 : 0555);
}

void synth_stat(const struct synth *s, struct stat *st)
{
	struct timespec now;

	memset(st, 0, sizeof(*st));
	st->st_mode = mode_of(s);
	/* find(1) must not take a directory's for the number of what is below */
	st->st_nlink = leads(s) ? 2 : 1;
	st->st_ino = inode(s);
	st->st_blksize = leads(s) ? 4096 : 1024;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (!leads(s) && below(s->row->path, roots[i].path) && !st->st_dev)
			st->st_dev = makedev(0, roots[i].device);
	if (leads(s)) {
		st->st_dev = makedev(0, LEADING_DEVICE);
		return;
	}
	if (s->pid && s->pid != GUEST_PPID) {
		st->st_uid = process_uid();
		st->st_gid = proc_gid();
	}
	if (s->row->target && S_ISLNK(st->st_mode))
		st->st_size = 64;
	if (S_ISCHR(st->st_mode))
		st->st_rdev = makedev(s->row->major, s->row->minor + s->id);
	if (pty_is_slave(s)) {
		st->st_mode = S_IFCHR | pty_mode(s);
		st->st_uid = process_uid();
		st->st_gid = proc_gid();
	}
	clock_gettime(CLOCK_REALTIME, &now);
	st->st_atim = st->st_mtim = st->st_ctim = now;
}

void synth_statfs(const char *path, struct statfs *fs)
{
	memset(fs, 0, sizeof(*fs));
	fs->f_type = TMPFS_MAGIC;
	fs->f_bsize = 4096;
	fs->f_frsize = 4096;
	fs->f_namelen = NAME_MAX;
	fs->f_flags = ST_RDONLY;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (below(path, roots[i].path)) {
			fs->f_type = roots[i].magic;
			fs->f_flags = ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RELATIME;
			return;
		}
}

int synth_may_look(const struct synth *s)
{
	bool own = synth_is_dir(s) ? *s->rest && closed(s) : s->row->own;

	return own && private(s) ? -EACCES : 0;
}

int synth_access(const struct synth *s, unsigned int mode)
{
	mode_t has = mode_of(s);

	if (leads(s))
		return !(mode & W_OK) ? 0 : process_uid() ? -EACCES : -EROFS;
	if (mode && synth_may_look(s) < 0)
		return -EACCES;
	if (S_ISCHR(has))
		return mode & X_OK ? -EACCES : 0;
	/* who may write may do so to its own processes' alone, and nobody to the machine's */
	if (mode & W_OK && !(has & 0222 && s->row->store))
		return -EACCES;
	return mode & X_OK && !(has & 0111) ? -EACCES : 0;
}

/* What a row writes, in memory of malloc(3): its length or -errno. */
static ssize_t written(const struct synth *s, char **text)
{
	size_t n = 0;
	FILE *out;
	int err = 0;

	*text = NULL;
	out = open_memstream(text, &n);
	if (!out)
		return -ENOMEM;
	if (s->row->text)
		fputs(s->row->text, out);
	else if (s->row->make)
		err = s->row->make(s, out);
	if (fclose(out) != 0 && !err)
		err = -ENOMEM;
	if (err) {
		free(*text);
		*text = NULL;
	}
	return err ? err : (ssize_t)n;
}

/* The same, for another process by that one. Of a zombie and of one that stands still there is what the table tells. */
static ssize_t contents(const struct synth *s, char **text)
{
	ssize_t n = -ESRCH;

	*text = NULL;
	if (!s->row->make || !of_another(s))
		return written(s, text);
	if (s->pid != GUEST_PPID)
		n = proc_ask(s, text);
	if (n != -ESRCH && n != -EAGAIN)
		return n;
	if (!s->row->own)
		return written(s, text);
	return n == -EAGAIN ? -EACCES : S_ISLNK(s->row->mode) ? -ENOENT : 0;
}

long synth_row_number(const struct synth *s)
{
	return s->row - rows;
}

long synth_variable_row(const struct synth *s)
{
	const struct variable *v = variable(s->rest + 1);

	for (long i = 0; v && i < ROWS; i++) {
		const char *second = strchr(rows[i].path + 1, '[');

		second = second ? strchr(second + 1, '[') : NULL;
		if (second && strncmp(second, v->name, strlen(v->name)) == 0)
			return i;
	}
	return -1;
}

static bool askable(long row)
{
	return row >= 0 && row < ROWS && rows[row].make && below(rows[row].path, "/proc/[pid]");
}

ssize_t synth_answer(long row, int id, char **text)
{
	if (!askable(row))
		return -EINVAL;
	return written(&(struct synth){ .row = &rows[row], .rest = "", .pid = process_pid(), .id = id }, text);
}

int synth_answer_next(long row, int from)
{
	struct synth s = { .rest = "", .pid = process_pid() };

	if (!askable(row))
		return -1;
	s.row = &rows[row];
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (!variables[i].first && strstr(s.row->path, variables[i].name))
			return variables[i].next(&s, from < 0 ? 0 : from);
	return -1;
}

ssize_t synth_link(const struct synth *s, char target[PATH_MAX])
{
	char *text;
	ssize_t n;

	if (synth_is_dir(s) || !S_ISLNK(s->row->mode))
		return -EINVAL;
	if (private(s))
		return -EACCES;
	n = contents(s, &text);
	if (n < 0)
		return n;
	if (n >= PATH_MAX)
		n = PATH_MAX - 1;
	memcpy(target, text, n);
	target[n] = '\0';
	free(text);
	return n ? n : -ENOENT;
}

bool synth_is_magic(const struct synth *s)
{
	return !*s->rest && s->row->target && !of_another(s);
}

struct file *synth_magic(const struct synth *s)
{
	return synth_is_magic(s) ? s->row->target(s) : NULL;
}

/* ------------------------------------------------------------- opening */

/* A file of memory that nobody can change, at its beginning. */
static int sealed(const char *text, size_t n)
{
	int fd = memfd_create("proc", MFD_CLOEXEC | MFD_ALLOW_SEALING), again;

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < n;) {
		ssize_t part = pwrite(fd, text + done, n - done, done);

		if (part <= 0) {
			close(fd);
			return -ENOMEM;
		}
		done += part;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
		close(fd);
		return -ENOMEM;
	}
	/* for reading alone; without the host's /proc it stays one that refuses what is written */
	again = reopen_host(fd, O_RDONLY);
	if (again < 0)
		return fd;
	close(fd);
	return again;
}

int synth_open(const struct synth *s, unsigned int flags)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY, read = (flags & O_ACCMODE) != O_WRONLY;
	char *text = NULL;
	ssize_t n = 0;
	int err = synth_access(s, (write ? W_OK : 0) | (read ? R_OK : 0)), fd;

	if (!err && private(s))
		err = -EACCES;
	if (err)
		return err;
	if (read || !s->row->store)
		n = contents(s, &text);
	if (n < 0)
		return n;
	fd = sealed(text ? text : "", n);
	free(text);
	return fd;
}

int synth_may_change_entry(const char *dir, const char *name, bool create)
{
	size_t len = strlen(dir), n = strcspn(name, "/");
	char path[PATH_MAX];
	struct synth s;
	int err;

	if (len + 1 + n >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, dir, len);
	path[len] = '/';
	memcpy(path + len + 1, name, n);
	path[len + 1 + n] = '\0';
	err = synth_find(path, &s);
	if (!err)
		return create ? -EEXIST : -EPERM;
	return below(dir, "/proc") || !create ? -ENOENT : -EPERM;
}

/* ------------------------------------------------------------- listing */

#define MOUNTS	(1l << 16)	/* positions from here on: names of mounts ... */
#define NUMBERS	(1l << 24)	/* ... and what stands for a variable */

/* A name that a row has right below the directory that d is of, if it is the first one that has it. */
static bool row_entry(const char *path, const struct synth *d, long row, struct synth_entry *e)
{
	size_t depth = d->rest - d->row->path, len;
	const char *name = rows[row].path + depth + 1;
	char full[PATH_MAX];
	struct synth s;

	if (strncmp(rows[row].path, d->row->path, depth) != 0 || rows[row].path[depth] != '/' || *name == '[')
		return false;
	len = strcspn(name, "/");
	/* rows of one directory stand together */
	if (row && strncmp(rows[row - 1].path, rows[row].path, depth + 1 + len) == 0 &&
	    (!rows[row - 1].path[depth + 1 + len] || rows[row - 1].path[depth + 1 + len] == '/'))
		return false;
	memcpy(e->name, name, len);
	e->name[len] = '\0';
	snprintf(full, sizeof(full), "%s/%s", path[1] ? path : "", e->name);
	if (policy_pinned(full) || synth_find(full, &s) < 0)
		return false;
	e->type = mode_of(&s) >> 12;
	e->ino = inode(&s);
	return true;
}

/* What stands for a variable right below the directory d, from a number on. */
static bool number_entry(const struct synth *d, long *n, struct synth_entry *e)
{
	const struct variable *v = *d->rest ? variable(d->rest + 1) : NULL;
	struct synth s = *d;

	/* a directory that has other names, too: /proc, /sys/devices/system/cpu */
	for (long i = 0; !v && *d->rest && i < ROWS; i++) {
		size_t depth = d->rest - d->row->path;

		if (strncmp(rows[i].path, d->row->path, depth) == 0 && rows[i].path[depth] == '/') {
			s.row = &rows[i];
			s.rest = rows[i].path + depth;
			v = variable(s.rest + 1);
		}
	}
	if (!v)
		return false;
	*n = v->next(&s, *n);
	if (*n < 0)
		return false;
	*(v->first ? &s.pid : &s.id) = *n;
	snprintf(e->name, sizeof(e->name), "%s%ld", v->prefix, *n);
	s.rest += 1 + strlen(v->name);
	e->type = mode_of(&s) >> 12;
	e->ino = inode(&s);
	return true;
}

bool synth_next(const char *path, long *pos, struct synth_entry *e)
{
	struct synth d;
	const char *name;
	size_t len;
	long n;

	if (synth_find(path, &d) < 0)
		return false;
	e->ino = inode(&d);
	e->type = DT_DIR;
	if (*pos < 2) {
		strcpy(e->name, *pos ? ".." : ".");
		++*pos;
		return true;
	}
	for (n = *pos - 2; n < ROWS && *d.rest; n++) {
		*pos = n + 3;
		if (row_entry(path, &d, n, e))
			return true;
	}
	if (*pos < MOUNTS)
		*pos = MOUNTS;
	if (*pos < NUMBERS) {
		name = policy_entry(path, *pos - MOUNTS, &len);
		if (name && len <= NAME_MAX) {
			memcpy(e->name, name, len);
			e->name[len] = '\0';
			/* not all of a grant's names are directories: let the program ask */
			e->type = DT_UNKNOWN;
			e->ino = 1 + *pos - MOUNTS;
			++*pos;
			return true;
		}
		*pos = NUMBERS;
	}
	n = *pos - NUMBERS;
	if (!number_entry(&d, &n, e))
		return false;
	*pos = NUMBERS + n + 1;
	return true;
}
