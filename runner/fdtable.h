/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's file descriptors: their own numbers, never the host's. */
#ifndef KVMRUN_FDTABLE_H
#define KVMRUN_FDTABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "options.h"
#include "synth.h"

struct mount;
struct signalfd;

/* The soft limit of open files that a guest starts with, and what it may raise it to. */
#define FDS_DEFAULT	1024u
#define FDS_MAX		CONFIG_FDS_MAX

/*
 * An open file description of the guest. Several guest descriptors share one
 * after dup(2), as they do on Linux. Immutable but for refs, pos and room
 * once it is installed.
 */
struct file {
	atomic_uint refs;	/* one per descriptor, one per call that uses it */
	int host;		/* host descriptor; -1 for a synthetic directory or link */
	mode_t type;		/* S_IFMT part of its mode */
	bool inherited;		/* standard stream of the caller */
	bool output;		/* what is written there counts: output.h */
	const struct mount *mount;	/* what it was opened below; NULL: not by path, or synthetic */
	char *path;		/* in the guest, as it was found; NULL: there is none */
	struct synth node;	/* of what is synthetic; its row is NULL elsewhere */
	bool stores;		/* ... and open for writing */
	atomic_bool read;	/* ... and read from its beginning once */
	unsigned short family;	/* sockets: AF_* as the guest asked for it; 0: ask the host */
	unsigned short socktype;	/* sockets: SOCK_*, likewise */
	bool offline;		/* a socket that leads nowhere: the host's is only its place */
	struct signalfd *signals;	/* one of signalfd(2): signalfd.h; else NULL */
	int pid;		/* a process's descriptor: pidfd.h; else 0 */
	uint64_t born;		/* ... and which of that number */
	int pty;		/* an end of a pseudo-terminal: terminal.h; else 0 */
	bool memory;		/* a file of memfd_create(2): memfd.h */
	bool own_memory;	/* ... of one that the program made: it may be opened again for all */
	uint64_t room;		/* of one, bytes that it may have got memory for; memfd.c */
	struct async *async;	/* signals that tell of it: async.h; NULL: never asked for */
	uint32_t mq;		/* a message queue: 1 + its number, and which of that number; mq_file.c */
	uint32_t mq_seq;
	int access;		/* ... O_RDONLY, O_WRONLY or O_RDWR */
	struct file *next_mq;
	int peer;		/* a socket of AF_NETLINK: 1 + the runner's end of it; netlink.h */
	uint32_t nl_port, nl_groups;	/* ... and its address; port 0: it has none yet */
	atomic_long pos;	/* synthetic directories: entries listed so far */
};

/*
 * Sets up the table: the caller's open descriptors 0 to 2 become the guest's,
 * every higher one is closed, but for keep (-1: none), which is the runner's.
 * Host numbers 0 to 2 that the caller had closed are plugged so that no other
 * file of the runner ever gets one of them: apart from keep, call it before the
 * runner opens anything. Ends the runner on failure.
 */
void fdtable_init(int keep);

/*
 * A new file with one reference, which owns host (-1 for none) and path (NULL
 * or from malloc). On failure both are released and NULL is returned: ENOMEM.
 */
struct file *file_new(int host, mode_t type, const struct mount *mount, char *path);

/* Take and drop a reference; the last one closes the host descriptor. NULL is ignored by put. */
struct file *file_get(struct file *file);
void file_put(struct file *file);

/* The file behind a guest descriptor, with a reference for the caller; NULL if it is not open. */
struct file *fd_get(int fd);

/*
 * Gives file the lowest free descriptor that is at least min. Takes over the
 * caller's reference, also on failure: -EMFILE; -EINVAL when min is beyond the
 * limit; -ENOMEM.
 */
int fd_install(struct file *file, int min, bool cloexec);

/* Two descriptors at once, for pipes: both or neither. */
int fd_install_pair(struct file *const file[2], int fd[2], bool cloexec);

/*
 * The file for a duplicate of a descriptor, with a reference for the caller; NULL with *err. To
 * epoll(7) each duplicate is one of its own, so what it takes has a host descriptor for each.
 */
struct file *file_duplicate(struct file *file, int *err);

/* As dup3(2): to becomes file. Takes over the caller's reference, also on failure: -EBADF, -ENOMEM. */
int fd_replace(struct file *file, int to, bool cloexec);

/* Closes one; 0 or -EBADF. */
int fd_close(int fd);

/* Close all from first to last, or with cloexec only mark them. */
void fd_close_range(unsigned int first, unsigned int last, bool cloexec);

/* Calls fn for each open descriptor's file. In a new process, where nobody else is. */
void fd_each(void (*fn)(struct file *file));

/* For another program: closes those with FD_CLOEXEC. */
void fd_close_on_exec(void);

/* FD_CLOEXEC of a descriptor: 0, 1 or -EBADF; and setting it: 0 or -EBADF. */
int fd_cloexec(int fd);
int fd_set_cloexec(int fd, bool cloexec);

/* The lowest descriptor from this one on that is open, or -1; how many the table has room for. */
int fd_next(int from);
unsigned int fd_room(void);

/* RLIMIT_NOFILE of the guest. Set: 0, -EINVAL (soft above hard), -EPERM (hard above FDS_MAX or the old one). */
void fd_get_limit(unsigned long *soft, unsigned long *hard);
int fd_set_limit(unsigned long soft, unsigned long hard);

#endif
