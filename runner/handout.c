/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handout.h"

/* Where the process in there has its end. */
#define SOCKET 3

#define REQUEST (3 * sizeof(int))

int handout_send(int socket, const void *data, size_t n, int fd)
{
	struct iovec iov = { (void *)data, n };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

int handout_receive(int socket, void *data, size_t n, int *fd)
{
	struct iovec iov = { data, n };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t got;

	*fd = -1;
	do
		got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return got == (ssize_t)n ? 0 : -1;
}

/* ------------------------------------------------------------- the process in there */

_Noreturn static void serve_all(handout_serve *serve)
{
	int request[3], reply, result, fd;

	/* a request that is none gets no answer; nobody left is the end */
	for (;;) {
		if (handout_receive(SOCKET, request, REQUEST, &reply) < 0 && reply < 0)
			_exit(0);
		fd = -1;
		result = serve(request, &fd);
		handout_send(reply, &result, sizeof(result), fd);
		if (fd >= 0)
			close(fd);
		close(reply);
	}
}

/* In a process of its own: tells whether it went well, and stays. */
_Noreturn static void enter(int socket_end, int (*prepare)(void), handout_serve *serve)
{
	int err, null;

	err = prepare();
	/* the caller's terminal and pipes are none of its business */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	dup2(socket_end, SOCKET);
	close_range(SOCKET + 1, ~0u, 0);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err = -errno;
	if (handout_send(SOCKET, &err, sizeof(err), -1) < 0 || err)
		_exit(1);
	serve_all(serve);
}

int handout_start(int (*prepare)(void), handout_serve *serve)
{
	int pair[2], err = -EIO, none;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		close(pair[0]);
		/* an orphan in a session of its own: no signal of the caller's, and nobody waits for it */
		setsid();
		if (fork() == 0)
			enter(pair[1], prepare, serve);
		_exit(0);
	}
	close(pair[1]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (handout_receive(pair[0], &err, sizeof(err), &none) < 0 || err) {
		close(pair[0]);
		return err ? err : -EIO;
	}
	return pair[0];
}

int handout_ask(int socket, const int request[3], int *fd)
{
	int pair[2], result = -ENOBUFS;

	*fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if (handout_send(socket, request, REQUEST, pair[1]) < 0)
		result = -errno;
	close(pair[1]);
	if (handout_receive(pair[0], &result, sizeof(result), fd) < 0 && result >= 0)
		result = -ENOBUFS;
	close(pair[0]);
	return result;
}
