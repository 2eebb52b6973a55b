/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID's links to files and what is told of them; mounts. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "exec.h"
#include "fdtable.h"
#include "load.h"
#include "path.h"
#include "policy.h"
#include "proc.h"
#include "proc_ask.h"
#include "proc_maps.h"
#include "process.h"
#include "process_show.h"
#include "reopen.h"

int proc_self_link(const struct synth *s, FILE *out)
{
	(void)s;
	fprintf(out, "%d", process_pid());
	return 0;
}

int proc_thread_self_link(const struct synth *s, FILE *out)
{
	(void)s;
	fprintf(out, "%d/task/%u", process_pid(), proc_own_tid());
	return 0;
}

int proc_cwd(const struct synth *s, FILE *out)
{
	struct file *cwd = path_cwd();
	char name[PATH_MAX];

	(void)s;
	fwrite(name, 1, reopen_name(cwd, name), out);
	file_put(cwd);
	return 0;
}

int proc_root(const struct synth *s, FILE *out)
{
	return (void)s, fputc('/', out), 0;
}

int proc_exe(const struct synth *s, FILE *out)
{
	char path[PATH_MAX];

	fwrite(path, 1, process_exe(s->pid, path, sizeof(path)), out);
	return 0;
}

struct file *proc_exe_target(const struct synth *s)
{
	return proc_is_self(s->pid) ? exec_file() : NULL;
}

/* ------------------------------------------------------------- descriptors */

int proc_next_fd(const struct synth *s, int from)
{
	if (s->pid == GUEST_PPID)
		return from;	/* its own business: it is refused as a whole */
	return proc_is_self(s->pid) ? fd_next(from) : proc_ask_next(s, from);
}

struct file *proc_fd_target(const struct synth *s)
{
	return fd_get(s->id);
}

int proc_fd(const struct synth *s, FILE *out)
{
	struct file *file = fd_get(s->id);
	char name[PATH_MAX];

	if (!file)
		return -ENOENT;
	fwrite(name, 1, reopen_name(file, name), out);
	file_put(file);
	return 0;
}

int proc_fdinfo(const struct synth *s, FILE *out)
{
	struct file *file = fd_get(s->id);
	int flags = O_RDONLY | O_DIRECTORY;
	struct stat st = { 0 };
	off_t pos;

	if (!file)
		return -ENOENT;
	pos = file->pos;
	if (file->host >= 0) {
		flags = fcntl(file->host, F_GETFL);
		pos = S_ISREG(file->type) || S_ISDIR(file->type) ? lseek(file->host, 0, SEEK_CUR) : 0;
		fstat(file->host, &st);
	}
	if (fd_cloexec(s->id) == 1)
		flags |= O_CLOEXEC;
	fprintf(out, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%llu\n", pos < 0 ? 0ll : (long long)pos, flags,
		file->mount ? policy_number(file->mount) : 1, (unsigned long long)st.st_ino);
	file_put(file);
	return 0;
}

/* ------------------------------------------------------------- mounts */

/* What is told of a file system: made up, but for its device. */
struct line {
	int id, parent;
	dev_t device;
	const char *path, *options, *type, *source;
};

static void put_mountinfo(FILE *out, const struct line *l)
{
	fprintf(out, "%d %d %u:%u / ", l->id, l->parent, major(l->device), minor(l->device));
	maps_put_path(out, l->path, " \t\n\\");
	fprintf(out, " %s,relatime - %s %s %s\n", l->options, l->type, l->source, l->options);
}

static void put_mounts(FILE *out, const struct line *l)
{
	fprintf(out, "%s ", l->source);
	maps_put_path(out, l->path, " \t\n\\");
	fprintf(out, " %s %s,relatime 0 0\n", l->type, l->options);
}

static int each_mount(FILE *out, void (*put)(FILE *out, const struct line *l))
{
	static const struct { const char *path, *type; unsigned int device; } own[] = {
		{ "/", "rootfs", LEADING_DEVICE }, { "/proc", "proc", 22 }, { "/sys", "sysfs", 24 },
		{ "/sys/fs/cgroup", "cgroup2", 28 }, { "/dev", "tmpfs", 5 }, { "/dev/pts", "devpts", 26 },
	};
	const struct mount *m;
	struct stat st;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct line l = { i + 1, i ? 1 : 0, makedev(0, own[i].device), own[i].path, i && i != 4 ? "rw" : "ro",
				  own[i].type, own[i].type };

		/* a grant is in its place */
		if (!policy_find(own[i].path, NULL))
			put(out, &l);
	}
	for (size_t i = 0; (m = policy_mount(i)); i++) {
		struct line l = { policy_number(m), 1, 0, m->len ? m->guest : "/", m->writable ? "rw" : "ro", "kvmrun", "grant" };

		if (m->device)
			continue;
		if (strcmp(l.path, "/tmp") == 0 || strcmp(l.path, "/dev/shm") == 0)
			l.type = l.source = "tmpfs";
		if (fstat(m->fd, &st) == 0)
			l.device = st.st_dev;
		put(out, &l);
	}
	return 0;
}

int proc_mountinfo(const struct synth *s, FILE *out)
{
	return (void)s, each_mount(out, put_mountinfo);
}

int proc_mounts(const struct synth *s, FILE *out)
{
	return (void)s, each_mount(out, put_mounts);
}
