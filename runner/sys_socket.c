/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets themselves, their addresses and options. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interrupt.h"
#include "net.h"
#include "netlink.h"
#include "policy.h"
#include "process.h"
#include "sockopts.h"
#include "sys_socket.h"
#include "vcpu.h"

#define FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)

_Static_assert(sizeof(struct sockaddr_storage) == ABI_SIZE_addrbuf, "struct sockaddr_storage");

int need_socket(const struct call *c)
{
	return S_ISSOCK(c->fd[0]->type) ? 0 : -ENOTSOCK;
}

static int ask(struct file *file, int option)
{
	int value = 0;
	socklen_t len = sizeof(value);

	getsockopt(file->host, SOL_SOCKET, option, &value, &len);
	return value;
}

int socket_family(struct file *file)
{
	return file->family ? file->family : ask(file, SO_DOMAIN);
}

int socket_type(struct file *file)
{
	return file->socktype ? file->socktype : ask(file, SO_TYPE);
}

/* ------------------------------------------------------------- addresses */

int address_find(struct file *file, const void *guest, uint64_t len, enum address_use use, struct address *a)
{
	struct unixname *name = &a->unix_name;
	int err;

	*a = (struct address){ .len = len, .unix_name.fd = -1 };
	if (len > sizeof(a->addr) || len < sizeof(a->addr.ss_family) || !guest)
		return -EINVAL;
	memcpy(&a->addr, guest, len);
	if (a->addr.ss_family == AF_UNSPEC && use == ADDRESS_CONNECT)
		return 0;
	/* one that was not made here, but came, is in the host's network */
	if (!file->family && net_mode() == NET_LOOPBACK)
		return -ENETUNREACH;
	switch (a->addr.ss_family) {
	case AF_UNIX:
		if (socket_family(file) != AF_UNIX)
			return -EAFNOSUPPORT;
		if (len > sizeof(struct sockaddr_un))
			return -EINVAL;
		err = use == ADDRESS_BIND ? unixname_make(guest, len, name) : unixname_find(guest, len, name);
		if (err)
			return err;
		memcpy(&a->addr, &name->addr, sizeof(name->addr));
		a->len = name->len;
		break;
	case AF_INET:
	case AF_INET6:
		if (socket_family(file) == AF_UNIX)
			return -EINVAL;
		if (len < (a->addr.ss_family == AF_INET ? sizeof(struct sockaddr_in) : offsetof(struct sockaddr_in6, sin6_scope_id)))
			return -EINVAL;
		err = use == ADDRESS_BIND ? net_may_bind((void *)&a->addr) : net_may_connect((void *)&a->addr);
		if (err)
			return err;
		break;
	default:
		return socket_family(file) == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
	}
	/* the policy has no address then that it would have let through */
	if (!net_addresses() || file->offline) {
		address_done(a);
		return -ENETUNREACH;
	}
	return 0;
}

void address_done(struct address *a)
{
	unixname_done(&a->unix_name);
}

void address_seen(struct call *c, int i, struct sockaddr_storage *addr, socklen_t len)
{
	if (len >= sizeof(addr->ss_family) && addr->ss_family == AF_UNIX)
		len = unixname_seen((void *)addr, len);
	if (!c->ptr[i])
		return;
	memcpy(c->ptr[i], addr, len < sizeof(*addr) ? len : sizeof(*addr));
	*(int *)c->ptr[i + 1] = len;
}

socklen_t address_copy(const void *guest, uint64_t len, struct sockaddr_storage *addr)
{
	*addr = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
	if (!guest || len > sizeof(*addr))
		return 0;
	memcpy(addr, guest, len);
	return len;
}

/* Whether there is room for an address at output i, as far as it is asked for: 0, -EFAULT or -EINVAL. */
static int room_for_address(const struct call *c, int i)
{
	if (!c->ptr[i])
		return 0;
	return !c->ptr[i + 1] ? -EFAULT : *(int *)c->ptr[i + 1] < 0 ? -EINVAL : 0;
}

/* ------------------------------------------------------------- making them */

/* Takes over host. */
static struct file *new_socket(int host, int family, int type, bool offline)
{
	struct file *file = file_new(host, S_IFSOCK, NULL, NULL);

	if (file) {
		file->family = family;
		file->socktype = type;
		file->offline = offline;
	}
	return file;
}

/* Which types and protocols there are of a family: 0 or what Linux says of others. */
static int known(int family, int type, int protocol)
{
	switch (family) {
	case AF_UNIX:
		if (protocol && protocol != AF_UNIX)
			return -EPROTONOSUPPORT;
		return type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET ? 0 : -ESOCKTNOSUPPORT;
	case AF_INET:
	case AF_INET6:
		if (type == SOCK_STREAM)
			return !protocol || protocol == IPPROTO_TCP ? 0 : -EPROTONOSUPPORT;
		if (type == SOCK_DGRAM)
			return !protocol || protocol == IPPROTO_UDP ? 0 : -EPROTONOSUPPORT;
		return type == SOCK_RAW ? -EPERM : -ESOCKTNOSUPPORT;
	default:
		return -EAFNOSUPPORT;
	}
}

long host_socket(struct call *c)
{
	int family = c->arg[0], flags = c->arg[1] & ~0xfull, type = c->arg[1] & 0xf, protocol = c->arg[2];
	int err = flags & ~FLAGS ? -EINVAL : known(family, type, protocol), host;
	struct file *file;
	bool offline;

	if (family == AF_NETLINK && !(flags & ~FLAGS)) {
		file = netlink_socket(type, protocol, flags, &err);
		return file ? fd_install(file, 0, flags & SOCK_CLOEXEC) : err;
	}
	if (err)
		return err;
	host = net_socket(family, type, protocol, &offline);
	if (host < 0)
		return host;
	if (flags & SOCK_NONBLOCK)
		fcntl(host, F_SETFL, O_RDWR | O_NONBLOCK);
	file = new_socket(host, family, type, offline);
	return file ? fd_install(file, 0, flags & SOCK_CLOEXEC) : -ENOMEM;
}

long host_socketpair(struct call *c)
{
	int family = c->arg[0], flags = c->arg[1] & ~0xfull, type = c->arg[1] & 0xf, host_type = type;
	int err = flags & ~FLAGS ? -EINVAL : known(family, type, c->arg[2]), host[2], fd[2];
	struct file *file[2];

	if (!err && family != AF_UNIX)
		err = -EOPNOTSUPP;
	if (err)
		return err;
	if (type == SOCK_DGRAM && !net_datagram_pairs())
		host_type = SOCK_SEQPACKET;
	if (socketpair(AF_UNIX, host_type | SOCK_CLOEXEC | (flags & SOCK_NONBLOCK), 0, host) < 0)
		return -errno;
	file[0] = new_socket(host[0], AF_UNIX, type, false);
	file[1] = new_socket(host[1], AF_UNIX, type, false);
	if (!file[0] || !file[1]) {
		file_put(file[0]);
		file_put(file[1]);
		return -ENOMEM;
	}
	err = fd_install_pair(file, fd, flags & SOCK_CLOEXEC);
	if (!err && c->ptr[3])
		memcpy(c->ptr[3], fd, sizeof(fd));
	return err;
}

/* ------------------------------------------------------------- connections */

/*
 * A call that may wait until there are events, or fail at once on a socket that does not wait. A
 * signal keeps it from waiting, not from what it can do without.
 */
static long wait_for(struct call *c, long nr, long a1, long a2, long a3, short events)
{
	struct pollfd p = { .fd = host_fd(c, 0), .events = events };
	static const struct timespec now;
	long ret = interruptible_syscall(nr, p.fd, a1, a2, a3, 0, 0);

	if (ret != -EINTR)
		return ret;
	if (!(fcntl(p.fd, F_GETFL) & O_NONBLOCK) && plain_syscall(SYS_ppoll, (long)&p, 1, (long)&now, 0, 8, 0) != 1)
		return ret;
	c->vcpu->pending = 0;
	ret = interruptible_syscall(nr, p.fd, a1, a2, a3, 0, 0);
	c->vcpu->pending = 1;
	return ret;
}

long host_connect(struct call *c)
{
	struct file *file = c->fd[0];
	struct address a;
	long ret = need_socket(c);

	if (!ret && file->peer)
		return netlink_connect(file, &a.addr, address_copy(c->ptr[1], c->count[1], &a.addr));
	if (!ret)
		ret = address_find(file, c->ptr[1], c->count[1], ADDRESS_CONNECT, &a);
	if (ret)
		return ret;
	if (net_addresses() && !file->offline)
		/* no event tells that a connection can be begun without waiting */
		ret = wait_for(c, SYS_connect, (long)&a.addr, a.len, 0, 0);
	address_done(&a);
	return ret;
}

long host_bind(struct call *c)
{
	struct address a;
	long ret = need_socket(c);

	if (!ret && c->fd[0]->peer)
		return netlink_bind(c->fd[0], &a.addr, address_copy(c->ptr[1], c->count[1], &a.addr));
	if (!ret)
		ret = address_find(c->fd[0], c->ptr[1], c->count[1], ADDRESS_BIND, &a);
	if (ret)
		return ret;
	ret = bind(host_fd(c, 0), (void *)&a.addr, a.len) < 0 ? -errno : 0;
	if (!ret && a.addr.ss_family == AF_UNIX)
		unixname_bound(&a.unix_name, c->ptr[1], c->count[1]);
	address_done(&a);
	return ret;
}

long host_listen(struct call *c)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	long ret = need_socket(c);

	if (!ret && c->fd[0]->peer)
		ret = -EOPNOTSUPP;
	if (ret)
		return ret;
	if (c->fd[0]->offline)
		return socket_family(c->fd[0]) == AF_UNIX ? -EINVAL : -EADDRNOTAVAIL;
	if (getsockname(host_fd(c, 0), (void *)&addr, &len) < 0)
		return -errno;
	ret = net_may_listen((void *)&addr);
	if (ret)
		return ret;
	return listen(host_fd(c, 0), c->arg[1]) < 0 ? -errno : 0;
}

static long do_accept(struct call *c, int flags)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	struct file *file;
	long ret = need_socket(c);

	if (!ret && c->fd[0]->peer)
		ret = -EOPNOTSUPP;
	if (ret)
		return ret;
	if (flags & ~FLAGS)
		return -EINVAL;
	ret = room_for_address(c, 1);
	if (ret)
		return ret;
	ret = wait_for(c, SYS_accept4, (long)&addr, (long)&len, flags | SOCK_CLOEXEC, POLLIN);
	if (ret < 0)
		return ret;
	file = new_socket(ret, c->fd[0]->family, c->fd[0]->socktype, false);
	ret = file ? fd_install(file, 0, flags & SOCK_CLOEXEC) : -ENOMEM;
	if (ret >= 0)
		address_seen(c, 1, &addr, len);
	return ret;
}

long host_accept(struct call *c)
{
	return do_accept(c, 0);
}

long host_accept4(struct call *c)
{
	return do_accept(c, c->arg[3]);
}

long host_shutdown(struct call *c)
{
	int err = need_socket(c);

	if (!err && c->fd[0]->peer)
		err = -EOPNOTSUPP;
	if (!err && c->fd[0]->offline)
		err = -ENOTCONN;
	return err ? err : shutdown(host_fd(c, 0), c->arg[1]) < 0 ? -errno : 0;
}

/* ------------------------------------------------------------- names */

static long name(struct call *c, int (*get)(int, struct sockaddr *restrict, socklen_t *restrict), int when_offline)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	int err = need_socket(c);

	if (!err && (!c->ptr[1] || !c->ptr[2]))
		err = -EFAULT;
	if (!err)
		err = room_for_address(c, 1);
	if (err)
		return err;
	if (c->fd[0]->peer) {
		len = netlink_name(c->fd[0], &addr, get == getpeername);
	} else if (c->fd[0]->offline) {
		addr.ss_family = socket_family(c->fd[0]);
		len = addr.ss_family == AF_INET ? sizeof(struct sockaddr_in) :
		      addr.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(addr.ss_family);
		err = when_offline;
	} else if (get(host_fd(c, 0), (void *)&addr, &len) < 0) {
		err = -errno;
	}
	if (!err)
		address_seen(c, 1, &addr, len);
	return err;
}

long host_getsockname(struct call *c)
{
	return name(c, getsockname, 0);
}

long host_getpeername(struct call *c)
{
	return name(c, getpeername, -ENOTCONN);
}

/* ------------------------------------------------------------- options */

static const struct sockopt *allowed(const struct call *c, int access)
{
	const struct sockopt *o = sockopt_find(c->arg[1], c->arg[2]);

	if (o && o->access & access)
		return o;
	policy_explain_address("option %2$u of level %1$s", c->arg[1] == SOL_SOCKET ? "SOL_SOCKET" :
			       c->arg[1] == IPPROTO_TCP ? "SOL_TCP" : c->arg[1] == SOL_IP ? "SOL_IP" :
			       c->arg[1] == SOL_IPV6 ? "SOL_IPV6" : "another", c->arg[2], "was refused",
			       "it is not on the list of harmless ones");
	return NULL;
}

long host_setsockopt(struct call *c)
{
	int err = need_socket(c), level = c->arg[1];

	if (err)
		return err;
	if (c->fd[0]->peer && level == SOL_NETLINK)
		return netlink_set_option(c->arg[2]);
	if (!allowed(c, SOCKOPT_S))
		return -ENOPROTOOPT;
	if ((int)c->arg[4] < 0)
		return -EINVAL;
	/* its place knows nothing of protocols */
	if (c->fd[0]->offline && level != SOL_SOCKET)
		return 0;
	return setsockopt(host_fd(c, 0), level, c->arg[2], c->ptr[3], c->count[3]) < 0 ? -errno : 0;
}

/* What of a socket is not as the host's. */
static void as_the_guest_has_it(struct file *file, int option, void *value, socklen_t len)
{
	struct ucred *cred = value;

	if (option == SO_PEERCRED && len >= sizeof(cred->pid))
		cred->pid = process_id(cred->pid);
	else if (option == SO_TYPE && len == sizeof(int))
		*(int *)value = socket_type(file);
	else if (option == SO_DOMAIN && len == sizeof(int))
		*(int *)value = socket_family(file);
	else if (option == SO_PROTOCOL && len == sizeof(int) && file->offline && socket_family(file) != AF_UNIX)
		*(int *)value = socket_type(file) == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

long host_getsockopt(struct call *c)
{
	int err = need_socket(c), level = c->arg[1];
	socklen_t len;

	if (err)
		return err;
	if (!c->ptr[4])
		return -EFAULT;
	if (!allowed(c, SOCKOPT_G))
		return -ENOPROTOOPT;
	if (*(int *)c->ptr[4] < 0)
		return -EINVAL;
	len = *(unsigned int *)c->ptr[4] < ABI_SIZE_optbuf ? *(unsigned int *)c->ptr[4] : ABI_SIZE_optbuf;
	if (len && !c->ptr[3])
		return -EFAULT;
	if (c->fd[0]->offline && level != SOL_SOCKET) {
		len = len < sizeof(int) ? len : sizeof(int);
	} else if (getsockopt(host_fd(c, 0), level, c->arg[2], c->ptr[3], &len) < 0) {
		return -errno;
	}
	if (level == SOL_SOCKET)
		as_the_guest_has_it(c->fd[0], c->arg[2], c->ptr[3], len);
	*(int *)c->ptr[4] = len;
	return 0;
}
