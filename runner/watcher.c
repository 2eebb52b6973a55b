/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpulimit.h"
#include "interrupt.h"
#include "nsec.h"
#include "process.h"
#include "watcher.h"

#define LOOK_NS	20000000

static bool due(void)
{
	uint64_t deadline = interrupt_limit_deadline();

	return (deadline && clock_ns(CLOCK_MONOTONIC) >= deadline) || cpulimit_due() || process_at_limit();
}

_Noreturn static void watch(int stopped_end, pid_t first)
{
	struct pollfd end = { .fd = stopped_end };
	static const struct timespec look = { 0, LOOK_NS };
	bool before = false, now;

	while (ppoll(&end, 1, &look, NULL) == 0) {
		now = due();
		/* twice: what one that ends just then has used may be in the sum two times */
		if (now && before)
			syscall(SYS_kill, first, SIGCONT);
		before = now;
	}
	_exit(0);
}

void watcher_begin(struct watcher *w)
{
	pid_t first = getpid();
	sigset_t all, old;
	int ends[2];

	w->pid = 0;
	if (!interrupt_limit_deadline() && !process_has_others())
		return;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	/* signals are for the first process alone */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	w->pid = fork();
	if (w->pid == 0) {
		close(ends[1]);
		watch(ends[0], first);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(ends[0]);
	w->fd = ends[1];
	if (w->pid < 0) {
		close(w->fd);
		w->pid = 0;
	}
}

void watcher_end(struct watcher *w)
{
	siginfo_t info;

	if (!w->pid)
		return;
	close(w->fd);
	/* unless whoever looks for processes that were killed has found it */
	while (waitid(P_PID, w->pid, &info, WEXITED) < 0 && errno == EINTR)
		;
}
