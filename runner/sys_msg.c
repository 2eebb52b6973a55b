/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of sockets, and what comes along with them. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interrupt.h"
#include "net.h"
#include "netlink.h"
#include "output.h"
#include "process.h"
#include "sys_socket.h"
#include "vcpu.h"

#define RIGHTS_MAX 253		/* Linux's SCM_MAX_FD */

#define SEND_FLAGS (MSG_OOB | MSG_DONTROUTE | MSG_DONTWAIT | MSG_EOR | MSG_CONFIRM | MSG_NOSIGNAL | MSG_MORE | MSG_FASTOPEN)
#define RECEIVE_FLAGS (MSG_OOB | MSG_PEEK | MSG_WAITALL | MSG_TRUNC | MSG_DONTWAIT | MSG_ERRQUEUE)

/* Control messages that may be sent as they stand. */
static const struct {
	int level, type;
} harmless[] = {
	{ IPPROTO_IP, IP_TTL },
	{ IPPROTO_IP, IP_TOS },
	{ IPPROTO_IP, IP_PKTINFO },
	{ IPPROTO_IPV6, IPV6_HOPLIMIT },
	{ IPPROTO_IPV6, IPV6_TCLASS },
	{ IPPROTO_IPV6, IPV6_PKTINFO },
	{ IPPROTO_UDP, 103 /* UDP_SEGMENT */ },
};

/* A signal keeps a call from waiting, not from what it can do at once. */
static long make(long nr, int fd, struct msghdr *h, int flags)
{
	long ret = interruptible_syscall(nr, fd, (long)h, flags, 0, 0, 0);

	if (ret != -EINTR)
		return ret;
	ret = plain_syscall(nr, fd, (long)h, flags | MSG_DONTWAIT, 0, 0, 0);
	return ret == -EAGAIN ? -EINTR : ret;
}

/* Whether the shim may go on with the rest of a large buffer: see transfer() of sys_io.c. */
static bool goes_on(const struct call *c, long ret, bool go)
{
	return go && ret > 0 && ((uint64_t)ret == c->count[1] || c->vcpu->pending) && socket_type(c->fd[0]) == SOCK_STREAM;
}

/* ------------------------------------------------------------- control messages that go out */

/* The files whose descriptors a message carries, held until it is sent. */
struct held {
	struct file *file[RIGHTS_MAX];
	unsigned int n;
};

static void let_go(struct held *held)
{
	while (held->n)
		file_put(held->file[--held->n]);
}

static int send_rights(struct cmsghdr *m, struct held *held)
{
	unsigned int n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	if (n > RIGHTS_MAX - held->n)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		struct file *file;

		memcpy(&fd, CMSG_DATA(m) + i * sizeof(fd), sizeof(fd));
		file = fd_get(fd);
		if (!file)
			return -EBADF;
		held->file[held->n++] = file;
		/* a synthetic directory is nothing on the host */
		if (file->host < 0)
			return -EINVAL;
		memcpy(CMSG_DATA(m) + i * sizeof(fd), &file->host, sizeof(fd));
	}
	return 0;
}

static int send_credentials(struct cmsghdr *m)
{
	struct ucred cred;

	if (m->cmsg_len != CMSG_LEN(sizeof(cred)))
		return -EINVAL;
	memcpy(&cred, CMSG_DATA(m), sizeof(cred));
	if (cred.pid != process_pid())
		return -EPERM;
	cred.pid = getpid();
	memcpy(CMSG_DATA(m), &cred, sizeof(cred));
	return 0;
}

static int send_one(struct cmsghdr *m, struct held *held)
{
	if (m->cmsg_level == SOL_SOCKET && m->cmsg_type == SCM_RIGHTS)
		return send_rights(m, held);
	if (m->cmsg_level == SOL_SOCKET && m->cmsg_type == SCM_CREDENTIALS)
		return send_credentials(m);
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (m->cmsg_level == harmless[i].level && m->cmsg_type == harmless[i].type)
			return 0;
	return -EINVAL;
}

/*
 * The next control message at *at of a private copy of len bytes, and *at behind it; NULL at the
 * end, with *err when there is something that is none.
 */
static struct cmsghdr *next(uint8_t *control, size_t len, size_t *at, int *err)
{
	struct cmsghdr *m = (struct cmsghdr *)(control + *at);

	if (*at >= len || len - *at < sizeof(*m))
		return NULL;
	if (m->cmsg_len < sizeof(*m) || m->cmsg_len > len - *at) {
		*err = -EINVAL;
		return NULL;
	}
	*at += CMSG_ALIGN(m->cmsg_len);
	return m;
}

/* Turns what the guest says into what the host is to be told, in place. */
static int control_out(struct abi_msg *msg, struct held *held)
{
	struct cmsghdr *m;
	size_t at = 0;
	int err = 0;

	while (!err && (m = next(msg->control, msg->control_len, &at, &err)))
		err = send_one(m, held);
	return err;
}

/* ------------------------------------------------------------- control messages that come in */

/* A descriptor that came from the host: a guest's, or -errno. */
static int receive_right(int host, bool cloexec)
{
	struct stat st;

	if (fstat(host, &st) < 0) {
		close(host);
		return -EBADF;
	}
	return give(host, st.st_mode, cloexec);
}

/* As many as there is room for; false when that is not all. */
static bool receive_rights(struct cmsghdr *m, bool cloexec)
{
	unsigned int n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int), given = 0;
	int fd;

	for (unsigned int i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(m) + i * sizeof(fd), sizeof(fd));
		if (given < i) {
			close(fd);
			continue;
		}
		fd = receive_right(fd, cloexec);
		if (fd < 0)
			continue;
		memcpy(CMSG_DATA(m) + i * sizeof(fd), &fd, sizeof(fd));
		given++;
	}
	memset(CMSG_DATA(m) + given * sizeof(fd), 0, (n - given) * sizeof(fd));
	m->cmsg_len = CMSG_LEN(given * sizeof(fd));
	return given == n;
}

static void control_in(struct abi_msg *msg, bool cloexec)
{
	struct cmsghdr *m;
	size_t at = 0;
	int err = 0;

	while ((m = next(msg->control, msg->control_len, &at, &err))) {
		if (m->cmsg_level != SOL_SOCKET)
			continue;
		if (m->cmsg_type == SCM_RIGHTS && !receive_rights(m, cloexec))
			msg->flags |= MSG_CTRUNC;
		if (m->cmsg_type == SCM_CREDENTIALS && m->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
			struct ucred *cred = (struct ucred *)CMSG_DATA(m);

			cred->pid = process_id(cred->pid);
		}
	}
}

/* ------------------------------------------------------------- sending */

/* A socket that leads nowhere, with no address given. */
static long send_offline(struct call *c)
{
	return socket_type(c->fd[0]) == SOCK_STREAM ? -EPIPE : -EDESTADDRREQ;
}

/* To an address that the policy has let through, if any. */
static long send_found(struct call *c, struct msghdr *h, int flags)
{
	uint64_t may;

	if (flags & MSG_FASTOPEN && !net_fast_open()) {
		/* as where the host has switched it off */
		if (socket_family(c->fd[0]) != AF_UNIX && socket_type(c->fd[0]) == SOCK_STREAM)
			return -EOPNOTSUPP;
		flags &= ~MSG_FASTOPEN;
	}
	/* a message is sent whole or not at all, and then the program ends */
	may = output_take(c->fd[0], c->count[1]);
	if (may < c->count[1])
		return output_done(c->fd[0], c->count[1], 0, -EAGAIN);
	return output_done(c->fd[0], may, may, make(SYS_sendmsg, host_fd(c, 0), h, flags));
}

static long do_send(struct call *c, struct msghdr *h, const void *name, uint64_t name_len, int flags)
{
	struct address a;
	long ret = need_socket(c);

	if (ret)
		return ret;
	if (c->fd[0]->peer)
		return netlink_send(c->fd[0], h->msg_iov, h->msg_iovlen, c->count[1], &a.addr,
				    address_copy(name, name_len, &a.addr));
	if (name_len) {
		ret = address_find(c->fd[0], name, name_len, ADDRESS_SEND, &a);
		if (ret)
			return ret;
		h->msg_name = &a.addr;
		h->msg_namelen = a.len;
	} else if (c->fd[0]->offline) {
		return send_offline(c);
	}
	ret = send_found(c, h, flags & SEND_FLAGS);
	if (name_len)
		address_done(&a);
	return ret;
}

long host_sendto(struct call *c)
{
	struct msghdr h = { .msg_iov = c->iov[1], .msg_iovlen = c->iovcnt[1] };
	/* without an address its length does not count */
	long ret = do_send(c, &h, c->ptr[4], c->ptr[4] ? c->count[4] : 0, c->arg[3]);

	c->more = goes_on(c, ret, true);
	return ret;
}

long host_sendmsg(struct call *c)
{
	struct abi_msg *msg = c->ptr[1];
	struct msghdr h = { .msg_iov = c->iov[1], .msg_iovlen = c->iovcnt[1] };
	struct held held = { .n = 0 };
	long ret = need_socket(c);

	if (!ret)
		ret = control_out(msg, &held);
	if (!ret) {
		h.msg_control = msg->control_len ? msg->control : NULL;
		h.msg_controllen = msg->control_len;
		ret = do_send(c, &h, msg->name, msg->name_len, c->arg[2]);
	}
	let_go(&held);
	return ret;
}

/* ------------------------------------------------------------- receiving */

static long do_receive(struct call *c, struct msghdr *h, int flags)
{
	long ret = need_socket(c);

	if (!ret && c->fd[0]->offline)
		ret = -ENOTCONN;
	if (!ret)
		ret = make(SYS_recvmsg, host_fd(c, 0), h, (flags & RECEIVE_FLAGS) | MSG_CMSG_CLOEXEC);
	if (ret >= 0 && c->fd[0]->peer && h->msg_name)
		h->msg_namelen = netlink_name(c->fd[0], h->msg_name, true);
	return ret;
}

long host_recvfrom(struct call *c)
{
	struct sockaddr_storage addr = { 0 };
	struct msghdr h = { .msg_iov = c->iov[1], .msg_iovlen = c->iovcnt[1] };
	long ret;

	if (c->ptr[4] && !c->ptr[5])
		return -EFAULT;
	if (c->ptr[4] && *(int *)c->ptr[5] < 0)
		return -EINVAL;
	if (c->ptr[4]) {
		h.msg_name = &addr;
		h.msg_namelen = sizeof(addr);
	}
	ret = do_receive(c, &h, c->arg[3]);
	if (ret >= 0 && c->ptr[4])
		address_seen(c, 4, &addr, h.msg_namelen);
	c->more = goes_on(c, ret, c->arg[3] & MSG_WAITALL);
	return ret;
}

long host_recvmsg(struct call *c)
{
	struct abi_msg *msg = c->ptr[1];
	bool cloexec = c->arg[2] & MSG_CMSG_CLOEXEC;
	struct sockaddr_storage addr = { 0 };
	struct msghdr h = { .msg_iov = c->iov[1], .msg_iovlen = c->iovcnt[1], .msg_name = &addr,
			    .msg_namelen = sizeof(addr), .msg_control = msg->control_len ? msg->control : NULL,
			    .msg_controllen = msg->control_len };
	long ret = do_receive(c, &h, c->arg[2]);

	if (ret < 0)
		return ret;
	msg->control_len = h.msg_controllen;
	msg->flags = (h.msg_flags & ~MSG_CMSG_CLOEXEC) | (cloexec ? MSG_CMSG_CLOEXEC : 0);
	control_in(msg, cloexec);
	msg->name_len = h.msg_namelen;
	if (msg->name_len && addr.ss_family == AF_UNIX)
		msg->name_len = unixname_seen((void *)&addr, h.msg_namelen);
	memcpy(msg->name, &addr, sizeof(msg->name));
	return ret;
}
