/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msg.h"
#include "options.h"
#include "program.h"

/*
 * Open path as a program: its descriptor, or -1 and in *why what is wrong (an
 * errno name or a phrase); *why is NULL when there is no such file.
 */
static int open_program(const char *path, const char **why)
{
	struct stat st;
	int fd, copy;

	*why = NULL;
	/* O_NONBLOCK: a FIFO must not hold us up; it means nothing to a file */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			*why = errno == EACCES ? "permission denied; check it with ls -l" :
						 strerror(errno);
		return -1;
	}
	if (fstat(fd, &st) < 0)
		*why = strerror(errno);
	else if (S_ISDIR(st.st_mode))
		*why = "it is a directory; name a program in it";
	else if (!S_ISREG(st.st_mode))
		*why = "it is not a regular file; name a program";
	else if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		*why = errno == EACCES ? "it is not executable; chmod +x it" : strerror(errno);
	/* not in the place of a stream that the caller had closed */
	copy = *why ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (copy < 0 && !*why)
		*why = strerror(errno);
	close(fd);
	return copy;
}

_Noreturn static void not_found(const char *name)
{
	if (!*name)
		die(KVMRUN_NOTFOUND, "PROGRAM is an empty word; write kvmrun [options] [--] PROGRAM");
	if (strchr(name, '/'))
		die(KVMRUN_NOTFOUND, "%s: no such file; check the path of the program", name);
	if (access(name, X_OK) == 0)
		die(KVMRUN_NOTFOUND, "%s: not found in PATH; did you mean ./%s?", name, name);
	die(KVMRUN_NOTFOUND, "%s: not found in PATH; give the path of the program", name);
}

int program_open(const struct config *config, char *path, size_t size)
{
	const char *name = config->program, *search = getenv("PATH"), *dir, *why;
	char unusable[PATH_MAX] = "";
	const char *reason = NULL;
	int fd;

	if (!search)
		search = "/bin:/usr/bin";	/* what execvp(3) takes */
	if (strchr(name, '/')) {
		if ((size_t)snprintf(path, size, "%s", name) >= size)
			die(KVMRUN_NOEXEC, "%s: the path is too long", name);
		fd = open_program(path, &why);
		if (fd >= 0)
			return fd;
		if (!why)
			not_found(name);
		die(KVMRUN_NOEXEC, "%s: cannot be run: %s", path, why);
	}
	for (dir = search; *name; dir++) {
		int n = strcspn(dir, ":");

		/* an empty directory in PATH is the current one */
		if ((size_t)snprintf(path, size, "%.*s%s%s", n, dir, n ? "/" : "./", name) < size) {
			fd = open_program(path, &why);
			if (fd >= 0)
				return fd;
			/* as the shell does, look on, but remember */
			if (why && !reason) {
				reason = why;
				snprintf(unusable, sizeof(unusable), "%s", path);
			}
		}
		dir += n;
		if (!*dir)
			break;
	}
	if (!reason)
		not_found(name);
	die(KVMRUN_NOEXEC, "%s: cannot be run: %s", unusable, reason);
}
