/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network namespace of the program's own, without privileges: a process enters
 * it, and hands out sockets that were made there. A socket stays in the namespace
 * that it was made in, whoever uses it; so the runner needs to be in none but its
 * own, and its jail lets it make no other sockets.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handout.h"
#include "msg.h"
#include "net.h"

static int factory = -1;

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

static int prepare(void)
{
	/* as the owner of both, or where user namespaces are not to be had but privileges are */
	if ((unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0) || loopback_up() < 0)
		return -errno;
	return 0;
}

/*
 * A family, a type and a protocol. There is no vsock, netlink or packet socket for whoever asks: not all
 * of them are the namespace's alone.
 */
static int serve(const int request[3], int *fd)
{
	if (!net_makes(request[0], request[1], request[2]))
		return -EPERM;
	*fd = socket(request[0], request[1] | SOCK_CLOEXEC, request[2]);
	return *fd < 0 ? -errno : 0;
}

void netns_start(void)
{
	static const char *const nothing[] = { NULL };
	static const struct handout sockets = {
		.prepare = prepare, .serve = serve, .rules = net_sockets, .rule_count = NET_SOCKETS, .paths = nothing, .fds = 8,
	};

	factory = handout_start(&sockets);
	if (factory >= 0)
		return;
	errno = -factory;
	die(KVMRUN_FAILED, "--net loopback: cannot make a network of the program's own: %m; allow user "
	    "namespaces (sysctl user.max_user_namespaces), or run as root");
}

int netns_socket(int family, int type, int protocol)
{
	const int request[3] = { family, type, protocol };
	int fd, result = handout_ask(factory, request, &fd);

	return fd >= 0 ? fd : result < 0 ? result : -ENOBUFS;
}
