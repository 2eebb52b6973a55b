/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pseudo-terminals of the program's own, pty(7): pairs of the host's, since line discipline, job control
 * and hangup are its kernel's. A process outside of the jail makes them and opens their slaves
 * (handout.h), those alone; so no path of the host's /dev/pts is within a runner's reach. Their numbers
 * are the program's.
 *
 * Sessions and groups are the host's as well (process_group.c), and so are controlling terminals. Which
 * one a session has is noted in the table of processes, for /dev/tty.
 */
#ifndef KVMRUN_TERMINAL_H
#define KVMRUN_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file;
struct synth;

#define PTYS	64	/* at once */

/* At the start, before there are threads or a VM. */
void pty_init(void);

/* synth.def's: opens /dev/ptmx, /dev/pts/N, /dev/tty: 0 or -errno. Takes over path. */
int pty_open_master(const struct synth *s, uint64_t flags, char *path, struct file **file);
int pty_open_slave(const struct synth *s, uint64_t flags, char *path, struct file **file);
int pty_open_tty(const struct synth *s, uint64_t flags, char *path, struct file **file);

/* The first number from this one on that a pseudo-terminal has, or -1. */
int pty_next(const struct synth *s, int from);

/* The number of one: in /dev/pts. */
int pty_number(const struct file *file);

/*
 * Permissions of a slave, and to set them, for all of the program's processes. Its user is the only one that
 * there is, so nothing asks for them but stat(2), and whoever has made them and looks.
 */
mode_t pty_mode(const struct synth *slave);
void pty_set_mode(const struct synth *slave, mode_t mode);

/* Whether this is a slave, by its number. */
bool pty_is_slave(const struct synth *s);

/* TIOCGPTPEER: a descriptor of the guest's for the other end, or -errno. */
long pty_peer(const struct file *file, uint64_t flags);

/* TIOCSCTTY and TIOCNOTTY, after the host has done so: the session has this terminal, or none. */
void pty_controls(const struct file *file);
void pty_no_more(void);

#endif
