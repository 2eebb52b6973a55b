/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_TESTS_FORKED_H
#define KVMRUN_TESTS_FORKED_H

/*
 * Run a function that may exit in a child, and see what it printed: for unit
 * tests of code whose errors end the process. Include after cmocka.h.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct outcome {
	int status;		/* exit status; 128 + N for signal N */
	char out[65536];
	char err[8192];
};

static inline void outcome_read(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	assert_true(n >= 0);
	buf[n] = '\0';
	close(fd);
}

/* fn(arg) in a child that exits with 0 when fn returns. */
static inline void forked(void (*fn)(void *arg), void *arg, struct outcome *o)
{
	int out = memfd_create("stdout", MFD_CLOEXEC), err = memfd_create("stderr", MFD_CLOEXEC);
	int status;
	pid_t pid;

	assert_true(out >= 0 && err >= 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* what the caller ignores is not the test's matter */
		for (int sig = 1; sig < NSIG; sig++)
			signal(sig, SIG_DFL);
		alarm(300);	/* a hang, however busy the machine, is a failure: status 128 + SIGALRM */
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		fn(arg);
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	o->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	outcome_read(out, o->out, sizeof(o->out));
	outcome_read(err, o->err, sizeof(o->err));
}

/* Fail unless the outcome is this status and one clean line that contains part. */
static inline void assert_complains(const struct outcome *o, int status, const char *part)
{
	size_t n = strlen(o->err);

	if (o->status != status || !strstr(o->err, part))
		fail_msg("status %d, message \"%s\"; expected %d and \"%s\"", o->status, o->err,
			 status, part);
	assert_int_equal(strncmp(o->err, "kvmrun: ", 8), 0);
	assert_ptr_equal(strchr(o->err, '\n'), o->err + n - 1);
	for (size_t i = 0; i + 1 < n; i++)
		if ((unsigned char)o->err[i] < 0x20 || o->err[i] == 0x7f)
			fail_msg("control character %d in \"%s\"", o->err[i], o->err);
	assert_string_equal(o->out, "");
}

/* The number behind a field in a file of the process's in /proc, or -1. */
static inline long proc_field(pid_t pid, const char *file, const char *field, int base)
{
	char path[64], line[256];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, field, strlen(field)) == 0)
			n = strtol(line + strlen(field), NULL, base);
	if (f)
		fclose(f);
	return n;
}

#endif
