/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits while the program's first process is stopped on the host. None of its threads run then, and no signal of
 * a timer's comes: a process beside it, in the same jail, looks, and lets it go on, to its end, when a limit is due.
 */
#ifndef KVMRUN_WATCHER_H
#define KVMRUN_WATCHER_H

#include <sys/types.h>

struct watcher {
	pid_t pid;	/* 0: there is none */
	int fd;		/* it ends when this one is closed, by whatever end of the first process */
};

/* In the first process, before and after its stop. Without one, for lack of processes, limits wait for SIGCONT. */
void watcher_begin(struct watcher *w);
void watcher_end(struct watcher *w);

#endif
