/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc, /sys and /dev as the program has them: a tree of nodes that are made up here, each
 * one row of synth.def. Nothing of the host's is behind them, but that a magic link leads to
 * a file which the program has open. What is granted at or below one of the three comes first.
 */
#ifndef KVMRUN_SYNTH_H
#define KVMRUN_SYNTH_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

/* Minor number, of major 0, of the device that directories which lead to grants are on. */
#define LEADING_DEVICE 2

struct file;
struct statfs;
struct synth;

/* Writes a file's contents or a link's text: 0 or -errno; SYNTH_MAPPINGS: see proc_maps.h. Any thread of the process that it is about. */
typedef int synth_make(const struct synth *s, FILE *out);

/* What a magic link leads to, held for the caller; NULL: nothing. */
typedef struct file *synth_target(const struct synth *s);

/* Opens a character device, as flags of openat2(2) say: 0 or -errno. Takes over path, what was opened, of malloc(3). */
typedef int synth_open_device(const struct synth *s, uint64_t flags, char *path, struct file **file);

/* Takes what is written, n bytes and a NUL: 0 or -errno. */
typedef int synth_store(const struct synth *s, const char *text, size_t n);

/* A kind of node. Its path may have components [pid], [tid], [fd] (numbers) and [cpu] ("cpu" and a number). */
struct synth_row {
	const char *path;
	mode_t mode;		/* with its type */
	bool own;		/* of a process, and for those of the same user alone: not of process 1 */
	const char *text;	/* contents or a link's text where it is always the same */
	synth_make *make;
	synth_target *target;
	synth_store *store;
	synth_open_device *open;	/* of a character device */
	unsigned int major, minor;	/* of one; of /dev/pts the minor number is that of its name */
};

/* A node. */
struct synth {
	const struct synth_row *row;	/* NULL: none; the first one below a directory that has no row */
	const char *rest;	/* of the row's path, what is below such a directory */
	int pid, id;		/* what stands for [pid], and for the other number */
};

/* Whether an absolute normalised guest path is in one of the three trees, and how long that one's name is; else 0. */
size_t synth_root(const char *path);

/*
 * The node at a physical guest path, which may also be a directory that leads to mounts.
 * 0, -ENOENT, or -EACCES: of process 1, and its own business.
 */
int synth_find(const char *path, struct synth *s);

bool synth_is_dir(const struct synth *s);
/* Whether it is the directory of a process, /proc/PID. */
bool synth_is_process(const struct synth *s);
void synth_stat(const struct synth *s, struct stat *st);

/* Of the file system at a path. */
void synth_statfs(const char *path, struct statfs *fs);

/* Whether this process may look into it: 0 or -EACCES. */
int synth_may_look(const struct synth *s);

/* Whether a mode of access(2) is allowed: 0, -EACCES; -EROFS. */
int synth_access(const struct synth *s, unsigned int mode);

/* A link's text to target: its length or -errno. */
ssize_t synth_link(const struct synth *s, char target[PATH_MAX]);

/* Whether it is a magic link, of this process; another one's is followed by its text. What it leads to, held; NULL. */
bool synth_is_magic(const struct synth *s);
struct file *synth_magic(const struct synth *s);

/* For another process that asks: proc_ask.h. Its row; and as proc_ask() and proc_ask_next(), of this process. Any numbers. */
long synth_row_number(const struct synth *s);
long synth_variable_row(const struct synth *s);	/* one whose first number but the process's is what s->rest begins with */
ssize_t synth_answer(long row, int id, char **text);
int synth_answer_next(long row, int from);

/* Opens a file: a host descriptor of its contents as they are now, or -errno. flags as for openat2(2). */
int synth_open(const struct synth *s, unsigned int flags);

/* What cannot be changed there: 0 never; why not, for an entry that is to be created or removed. */
int synth_may_change_entry(const char *dir, const char *name, bool create);

struct synth_entry {
	char name[NAME_MAX + 1];
	unsigned char type;	/* DT_* */
	ino_t ino;
};

/* The entry of a directory at *pos or the next one, after which *pos is; false behind the last. */
bool synth_next(const char *path, long *pos, struct synth_entry *e);

#endif
