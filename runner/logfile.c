/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "logfile.h"
#include "msg.h"
#include "options.h"

#define LOGS 2

/* Ends that are told of by the end of a pipe: the writers are nobody's children. */
static struct {
	int fd, over;
} written[LOGS];
static unsigned int logs;

/* Until nobody can write any more; what does not fit is dropped, as it would be without this process. */
_Noreturn static void copy(int from, int to)
{
	static char text[65536];
	ssize_t n, done, part;

	while ((n = read(from, text, sizeof(text))) != 0)
		for (done = 0; done < n; done += part) {
			part = write(to, text + done, n - done);
			if (part <= 0)
				break;
		}
	_exit(0);
}

_Noreturn static void writer(int file, int from, int over)
{
	static const struct call_rule rules[] = {
		RULE(read, "what the runner writes", IS32(0, 1)),
		RULE(write, "the file", IS32(0, 0)),
		RULE(exit_group, "the end"),
	};
	static const char *const nothing[] = { NULL };
	int keep[] = { file, from, over };
	sigset_t all;

	/* it goes when the program has gone, not with a terminal's ^C before */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int i = 0; i < 3; i++)
		keep[i] = fcntl(keep[i], F_DUPFD, 3);
	for (int i = 0; i < 3; i++)
		dup2(keep[i], i);
	close_range(3, ~0u, 0);
	/* what fails here fails for the runner, too, who tells of it */
	if (chdir("/") < 0 || confine_helper(rules, sizeof(rules) / sizeof(rules[0]), nothing) < 0)
		_exit(1);
	copy(1, 0);
}

int logfile_open(const struct config *config, const char *path, const char *option)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666), text[2], over[2];
	struct stat st;
	pid_t child;

	if (fd < 0)
		die(KVMRUN_FAILED, "%s: cannot write %s there: %m", path, option);
	if (!config->fsize_bytes || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fd;
	if (pipe2(text, O_CLOEXEC) < 0 || pipe2(over, O_CLOEXEC) < 0 || (child = fork()) < 0)
		die(KVMRUN_FAILED, "cannot start the process that writes %s: %m", option);
	if (child == 0) {
		setsid();
		if (fork() == 0)
			writer(fd, text[0], over[1]);
		_exit(0);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	close(fd);
	close(text[0]);
	close(over[1]);
	written[logs].fd = text[1];
	written[logs++].over = over[0];
	return text[1];
}

void logfile_close(int fd)
{
	char none;

	for (unsigned int i = 0; i < logs; i++) {
		if (written[i].fd != fd)
			continue;
		close(fd);
		while (read(written[i].over, &none, 1) < 0 && errno == EINTR)
			;
	}
}
