/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the process* programs share: as thread.h says, and IDs are compared in the program,
 * never printed. A child's part ends by _exit().
 */
#ifndef GUEST_PROCESS_H
#define GUEST_PROCESS_H

#include "thread.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

static inline pid_t fork_or_end(void)
{
	pid_t pid = fork();

	if (pid < 0) {
		printf("fork: %s\n", strerrorname_np(errno));
		exit(103);
	}
	return pid;
}

/* A child that ends with what run(arg) returns. */
static inline pid_t child(int (*run)(long), long arg)
{
	pid_t pid = fork_or_end();

	if (!pid)
		_exit(run(arg));
	return pid;
}

/* The status of a child that ends, or the error's number below zero. */
static inline int reap(pid_t pid)
{
	int status = 0;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got != pid && pid > 0 ? -EBADMSG : status;
}

/* The exit status, or 1000 and the signal, or the error below zero. */
static inline int code_of(int status)
{
	return status < 0 ? status : WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int ended(pid_t pid)
{
	return code_of(reap(pid));
}

static inline void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(104);
	}
	return p;
}

static inline int forever(long unused)
{
	while (pause())
		;
	return unused;
}

static inline int compute_forever(long unused)
{
	for (volatile unsigned long n = 0; n + 1; n++)
		;
	return unused;
}

#endif
