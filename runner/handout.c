/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "handout.h"

/* Where the process in there has its end. */
#define SOCKET 3

#define REQUEST (3 * sizeof(int))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int handout_send(int socket, const void *data, size_t n, int fd, int flags)
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
	return sendmsg(socket, &m, MSG_NOSIGNAL | flags) == (ssize_t)n ? 0 : -1;
}

int handout_receive(int socket, void *data, size_t n, int *fd)
{
	struct iovec iov = { data, n };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	/* CMSG_SPACE() has room for two, and the second one would stay open */
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = CMSG_LEN(sizeof(int)) };
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
	return got == (ssize_t)n && !(m.msg_flags & MSG_TRUNC);
}

/* ------------------------------------------------------------- the process in there */

static const struct call_rule own[] = {
	RULE(recvmsg, "a request", IS32(0, SOCKET), IS32(2, MSG_CMSG_CLOEXEC)),
	RULE(sendmsg, "the answer", IS32(2, MSG_NOSIGNAL | MSG_DONTWAIT)),
	RULE(close, "what was handed out, and where to"),
	RULE(exit_group, "the end"),
};

_Noreturn static void serve_all(handout_serve *serve)
{
	int request[3], reply, result, fd, got;

	/* a request that is none gets no answer; nobody left is the end */
	while ((got = handout_receive(SOCKET, request, REQUEST, &reply)) >= 0) {
		fd = -1;
		if (got && reply >= 0) {
			result = serve(request, &fd);
			/* who asks has made sure that there is room: nobody else waits for him */
			handout_send(reply, &result, sizeof(result), fd, MSG_DONTWAIT);
		}
		if (fd >= 0)
			close(fd);
		if (reply >= 0)
			close(reply);
	}
	_exit(0);
}

/* 0 or -errno. */
static int confine(const struct handout *h)
{
	const struct rlimit fds = { h->fds, h->fds }, none = { 0, 0 };
	struct call_rule rules[COUNT(own) + h->rule_count];

	memcpy(rules, own, sizeof(own));
	memcpy(rules + COUNT(own), h->rules, h->rule_count * sizeof(rules[0]));
	if (chdir("/") < 0 || setrlimit(RLIMIT_FSIZE, &none) < 0 || setrlimit(RLIMIT_NOFILE, &fds) < 0)
		return -errno;
	return confine_helper(rules, COUNT(rules), h->paths);
}

/* In a process of its own: tells whether it went well, and stays. */
_Noreturn static void enter(int socket_end, const struct handout *h)
{
	int err, null;

	err = h->prepare();
	/* the caller's terminal and pipes are none of its business */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	dup2(socket_end, SOCKET);
	close_range(SOCKET + 1, ~0u, 0);
	if (!err)
		err = confine(h);
	if (handout_send(SOCKET, &err, sizeof(err), -1, MSG_DONTWAIT) < 0 || err)
		_exit(1);
	serve_all(h->serve);
}

int handout_start(const struct handout *h)
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
			enter(pair[1], h);
		_exit(0);
	}
	close(pair[1]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (handout_receive(pair[0], &err, sizeof(err), &none) != 1 || err) {
		close(pair[0]);
		return err ? err : -EIO;
	}
	return pair[0];
}

int handout_ask(int socket, const int request[3], int *fd)
{
	int pair[2], result = -EIO;

	*fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if (handout_send(socket, request, REQUEST, pair[1], 0) < 0 && errno != EPIPE && errno != ECONNRESET)
		result = -errno;
	close(pair[1]);
	if (handout_receive(pair[0], &result, sizeof(result), fd) != 1 && result >= 0)
		result = -EIO;
	close(pair[0]);
	return result;
}
