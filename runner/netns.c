/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network namespace of the program's own, without privileges: a process enters
 * it, and hands out sockets that were made there. A socket stays in the namespace
 * that it was made in, whoever uses it; so the runner needs to be in none but its
 * own, and its jail lets it make no other sockets.
 *
 * A request is struct request with one end of a socket pair, for the answer: then
 * threads and processes need not wait for each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msg.h"
#include "net.h"

struct request {
	int family, type, protocol;
};

static int factory = -1;

/* Where the process in there has its end. */
#define SOCKET 3

/* Sends n bytes of data, with fd unless it is negative. */
static int send_with(int socket, const void *data, size_t n, int fd)
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

/* Receives n bytes; *fd is what came with them, or -1. 0, or -1 at the end and for anything else. */
static int receive_with(int socket, void *data, size_t n, int *fd)
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

static int loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret, saved;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, SIOCSIFFLAGS, &lo);
	saved = errno;
	close(fd);
	errno = saved;
	return ret;
}

static void serve(void)
{
	struct request r;
	int reply, err, fd;

	/* a request that is none gets no answer; nobody left is the end */
	for (;;) {
		if (receive_with(SOCKET, &r, sizeof(r), &reply) < 0 && reply < 0)
			_exit(0);
		fd = socket(r.family, (r.type & (SOCK_STREAM | SOCK_DGRAM | SOCK_SEQPACKET)) | SOCK_CLOEXEC, r.protocol);
		err = fd < 0 ? errno : 0;
		send_with(reply, &err, sizeof(err), fd);
		close(fd);
		close(reply);
	}
}

/* In a process of its own: tells whether it went well, and stays. */
static void enter(int socket_end)
{
	int err = 0, null;

	/* as the owner of both, or where user namespaces are not to be had but privileges are */
	if ((unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0) || loopback_up() < 0)
		err = errno;
	/* the caller's terminal and pipes are none of its business */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	dup2(socket_end, SOCKET);
	close_range(SOCKET + 1, ~0u, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err = errno;
	if (send_with(SOCKET, &err, sizeof(err), -1) < 0 || err)
		_exit(1);
	serve();
}

void netns_start(void)
{
	int pair[2], err = EIO, none;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || (child = fork()) < 0)
		die(KVMRUN_FAILED, "--net loopback: cannot start the process that makes it: %m");
	if (child == 0) {
		close(pair[0]);
		/* an orphan in a session of its own: no signal of the caller's, and nobody waits for it */
		setsid();
		if (fork() == 0)
			enter(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	factory = pair[0];
	if (receive_with(factory, &err, sizeof(err), &none) < 0 || err) {
		errno = err;
		die(KVMRUN_FAILED, "--net loopback: cannot make a network of the program's own: %m; allow user "
		    "namespaces (sysctl user.max_user_namespaces), or run as root");
	}
}

int netns_socket(int family, int type, int protocol)
{
	struct request r = { family, type, protocol };
	int pair[2], err = ENOBUFS, fd = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if (send_with(factory, &r, sizeof(r), pair[1]) < 0)
		err = errno;
	close(pair[1]);
	if (receive_with(pair[0], &err, sizeof(err), &fd) < 0 && !err)
		err = ENOBUFS;
	close(pair[0]);
	return fd < 0 ? -(err ? err : ENOBUFS) : fd;
}
