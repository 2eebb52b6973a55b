/* SPDX-License-Identifier: GPL-2.0-only */
/* See netlink(7) and rtnetlink(7); what the messages have in them is as of Linux 6.1. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msg.h"
#include "net.h"
#include "netlink.h"
#include "process.h"
#include "window.h"

#define REQUESTS_MAX 32768u	/* of one sending, bytes */
#define ANSWER_MAX 32768u
#define LOOPBACK_INDEX 1
#define LOOPBACK_MTU 65536

/* What --net host has learned of the host, messages one behind the other. */
static struct learned {
	int type;		/* of the request */
	size_t size;
	uint8_t *messages;
} learned[] = { { .type = RTM_GETLINK }, { .type = RTM_GETADDR }, { .type = RTM_GETROUTE } };

/* The port of the first socket that has none is the process's ID, as long as it has it; others count down. */
static atomic_uint first_port;
static atomic_uint next_port = (unsigned int)-4096;

/* ------------------------------------------------------------- building messages */

struct answer {
	uint8_t bytes[ANSWER_MAX];
	size_t size;
	struct nlmsghdr *message;	/* the last one */
};

static void *space(struct answer *a, size_t size)
{
	void *at = a->bytes + a->size;

	if (size > ANSWER_MAX - a->size)
		return NULL;
	memset(at, 0, NLMSG_ALIGN(size));
	a->size += NLMSG_ALIGN(size);
	return at;
}

/* Begins a message with a fixed part of size bytes, which it returns. */
static void *begin(struct answer *a, const struct nlmsghdr *to, uint32_t port, int type, int flags, size_t size)
{
	a->message = space(a, NLMSG_LENGTH(size));
	*a->message = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(size), .nlmsg_type = type, .nlmsg_flags = flags,
					 .nlmsg_seq = to->nlmsg_seq, .nlmsg_pid = port };
	return NLMSG_DATA(a->message);
}

static void attribute(struct answer *a, int type, const void *data, size_t size)
{
	struct rtattr *r = space(a, RTA_LENGTH(size));

	r->rta_len = RTA_LENGTH(size);
	r->rta_type = type;
	if (data)
		memcpy(RTA_DATA(r), data, size);
	a->message->nlmsg_len = a->bytes + a->size - (uint8_t *)a->message;
}

static void attribute_u32(struct answer *a, int type, uint32_t value)
{
	attribute(a, type, &value, sizeof(value));
}

static void attribute_u8(struct answer *a, int type, uint8_t value)
{
	attribute(a, type, &value, sizeof(value));
}

/* ------------------------------------------------------------- what there is: a loopback */

/* It is down where there is no network. */
static bool loopback_is_up(void)
{
	return net_mode() != NET_NONE;
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	static atomic_int known;
	bool offline;
	int fd;

	if (!known) {
		fd = loopback_is_up() ? net_socket(AF_INET6, SOCK_DGRAM, 0, &offline) : -1;
		known = fd >= 0 && bind(fd, (void *)&six, sizeof(six)) == 0 ? 1 : -1;
		if (fd >= 0)
			close(fd);
	}
	return known > 0;
}

static void add_link(struct answer *a, const struct nlmsghdr *to, uint32_t port, int flags)
{
	static const uint8_t no_address[6];
	bool up = loopback_is_up();
	struct ifinfomsg *link = begin(a, to, port, RTM_NEWLINK, flags, sizeof(*link));

	link->ifi_type = ARPHRD_LOOPBACK;
	link->ifi_index = LOOPBACK_INDEX;
	link->ifi_flags = IFF_LOOPBACK | (up ? IFF_UP | IFF_RUNNING | 1 << 16 /* IFF_LOWER_UP */ : 0);
	attribute(a, IFLA_IFNAME, "lo", sizeof("lo"));
	attribute_u32(a, IFLA_TXQLEN, 1000);
	attribute_u8(a, IFLA_OPERSTATE, up ? 0 /* IF_OPER_UNKNOWN */ : 2 /* IF_OPER_DOWN */);
	attribute_u8(a, IFLA_LINKMODE, 0);
	attribute_u32(a, IFLA_MTU, LOOPBACK_MTU);
	attribute_u32(a, IFLA_MIN_MTU, 0);
	attribute_u32(a, IFLA_MAX_MTU, 0);
	attribute_u32(a, IFLA_GROUP, 0);
	attribute_u32(a, IFLA_PROMISCUITY, 0);
	attribute_u32(a, IFLA_NUM_TX_QUEUES, 1);
	attribute_u32(a, IFLA_NUM_RX_QUEUES, 1);
	attribute_u8(a, IFLA_CARRIER, 1);
	if (up)
		attribute(a, IFLA_QDISC, "noqueue", sizeof("noqueue"));
	else
		attribute(a, IFLA_QDISC, "noop", sizeof("noop"));
	attribute(a, IFLA_ADDRESS, no_address, sizeof(no_address));
	attribute(a, IFLA_BROADCAST, no_address, sizeof(no_address));
	attribute(a, IFLA_STATS64, NULL, sizeof(struct rtnl_link_stats64));
	attribute(a, IFLA_STATS, NULL, sizeof(struct rtnl_link_stats));
}

static void add_address(struct answer *a, const struct nlmsghdr *to, uint32_t port, int family)
{
	static const struct ifa_cacheinfo for_ever = { .ifa_prefered = ~0u, .ifa_valid = ~0u };
	static const struct in6_addr six = IN6ADDR_LOOPBACK_INIT;
	uint32_t four = htonl(INADDR_LOOPBACK);
	struct ifaddrmsg *m = begin(a, to, port, RTM_NEWADDR, NLM_F_MULTI, sizeof(*m));

	*m = (struct ifaddrmsg){ .ifa_family = family, .ifa_prefixlen = family == AF_INET ? 8 : 128,
				 .ifa_flags = IFA_F_PERMANENT, .ifa_scope = RT_SCOPE_HOST, .ifa_index = LOOPBACK_INDEX };
	if (family == AF_INET) {
		attribute(a, IFA_ADDRESS, &four, sizeof(four));
		attribute(a, IFA_LOCAL, &four, sizeof(four));
		attribute(a, IFA_LABEL, "lo", sizeof("lo"));
	} else {
		attribute(a, IFA_ADDRESS, &six, sizeof(six));
	}
	attribute_u32(a, IFA_FLAGS, IFA_F_PERMANENT);
	attribute(a, IFA_CACHEINFO, &for_ever, sizeof(for_ever));
}

/* ------------------------------------------------------------- answers */

static void post(struct file *file, struct answer *a)
{
	struct iovec iov = { a->bytes, a->size };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

	/* what there is no room for is lost, as Linux says of it */
	if (a->size)
		sendmsg(file->peer - 1, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
	a->size = 0;
}

static uint8_t family_of(const struct nlmsghdr *m)
{
	return m->nlmsg_len > NLMSG_HDRLEN ? *(const uint8_t *)NLMSG_DATA(m) : AF_UNSPEC;
}

/* All messages of the host's of this kind and family. */
static void add_learned(struct file *file, struct answer *a, const struct nlmsghdr *to, const struct learned *l)
{
	size_t size;

	for (size_t at = 0; at < l->size; at += size) {
		const struct nlmsghdr *m = (const void *)(l->messages + at);
		uint8_t *copy;

		size = NLMSG_ALIGN(m->nlmsg_len);
		if (l->type != RTM_GETLINK && family_of(to) != AF_UNSPEC && family_of(to) != family_of(m))
			continue;
		copy = space(a, size);
		if (!copy) {
			post(file, a);
			copy = space(a, size);
		}
		if (!copy)
			continue;
		memcpy(copy, m, m->nlmsg_len);
		a->message = (void *)copy;
		a->message->nlmsg_seq = to->nlmsg_seq;
		a->message->nlmsg_pid = file->nl_port;
	}
}

static int dump(struct file *file, struct answer *a, const struct nlmsghdr *m)
{
	uint8_t family = family_of(m);

	if (net_mode() == NET_HOST) {
		for (size_t i = 0; i < sizeof(learned) / sizeof(learned[0]); i++)
			if (learned[i].type == m->nlmsg_type)
				add_learned(file, a, m, &learned[i]);
	} else if (m->nlmsg_type == RTM_GETLINK) {
		add_link(a, m, file->nl_port, NLM_F_MULTI);
	} else if (m->nlmsg_type == RTM_GETADDR && loopback_is_up()) {
		if (family == AF_UNSPEC || family == AF_INET)
			add_address(a, m, file->nl_port, AF_INET);
		if ((family == AF_UNSPEC || family == AF_INET6) && has_ipv6())
			add_address(a, m, file->nl_port, AF_INET6);
	}
	post(file, a);
	begin(a, m, file->nl_port, NLMSG_DONE, NLM_F_MULTI, sizeof(int));
	post(file, a);
	return 0;
}

const struct rtattr *netlink_attribute(const struct nlmsghdr *m, size_t fixed, int type)
{
	const uint8_t *at = (const uint8_t *)m + NLMSG_SPACE(fixed), *end = (const uint8_t *)m + m->nlmsg_len;

	while (at < end && (size_t)(end - at) >= sizeof(struct rtattr)) {
		const struct rtattr *r = (const void *)at;

		if (r->rta_len < sizeof(*r) || r->rta_len > end - at)
			return NULL;
		if (r->rta_type == type)
			return r;
		at += RTA_ALIGN(r->rta_len);
	}
	return NULL;
}

const char *netlink_string(const struct nlmsghdr *m, size_t fixed, int type)
{
	const struct rtattr *r = netlink_attribute(m, fixed, type);

	return r && r->rta_len > sizeof(*r) && !((const uint8_t *)r)[r->rta_len - 1] ? RTA_DATA(r) : NULL;
}

int netlink_each(int request, int (*fn)(const struct nlmsghdr *m, void *data), void *data)
{
	struct nlmsghdr nobody = { 0 };
	struct learned *l, own = { .type = request };
	struct answer *a = NULL;
	int ret = 0;

	if (net_mode() == NET_HOST) {
		l = &learned[request == RTM_GETADDR];
	} else {
		a = calloc(1, sizeof(*a));
		if (!a)
			return -ENOMEM;
		if (request == RTM_GETLINK)
			add_link(a, &nobody, 0, 0);
		else if (loopback_is_up())
			add_address(a, &nobody, 0, AF_INET);
		own.size = a->size;
		own.messages = a->bytes;
		l = &own;
	}
	for (size_t at = 0; !ret && at < l->size;) {
		const struct nlmsghdr *m = (const void *)(l->messages + at);

		ret = fn(m, data);
		at += NLMSG_ALIGN(m->nlmsg_len);
	}
	free(a);
	return ret;
}

bool netlink_is_link(const struct nlmsghdr *m, int index, const char *name)
{
	const struct ifinfomsg *link = NLMSG_DATA(m);
	const char *its = netlink_string(m, sizeof(*link), IFLA_IFNAME);

	return index > 0 ? link->ifi_index == index : its && !strcmp(its, name);
}

/* One interface by its number or its name. */
static int one_link(struct file *file, struct answer *a, const struct nlmsghdr *m)
{
	const struct ifinfomsg *wanted = NLMSG_DATA(m);
	const char *name;

	if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*wanted)))
		return -EINVAL;
	name = netlink_string(m, sizeof(*wanted), IFLA_IFNAME);
	if (wanted->ifi_index <= 0 && !name)
		return -EINVAL;
	if (net_mode() != NET_HOST) {
		add_link(a, m, file->nl_port, 0);
		if (!netlink_is_link(a->message, wanted->ifi_index, name))
			return -ENODEV;
		post(file, a);
		return 0;
	}
	for (size_t at = 0; at < learned[0].size;) {
		struct nlmsghdr *link = (void *)(learned[0].messages + at);
		const struct learned one = { RTM_GETLINK, NLMSG_ALIGN(link->nlmsg_len), (void *)link };

		if (netlink_is_link(link, wanted->ifi_index, name)) {
			add_learned(file, a, m, &one);
			if (a->message)
				a->message->nlmsg_flags &= ~NLM_F_MULTI;
			post(file, a);
			return 0;
		}
		at += one.size;
	}
	return -ENODEV;
}

static int answer(struct file *file, struct answer *a, const struct nlmsghdr *m)
{
	bool all = (m->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	/* new, delete and set: who may do that has privileges */
	if (m->nlmsg_type > RTM_MAX || m->nlmsg_type < RTM_BASE)
		return -EOPNOTSUPP;
	if ((m->nlmsg_type & 3) != 2)
		return -EPERM;
	switch (m->nlmsg_type) {
	case RTM_GETLINK:
		return all ? dump(file, a, m) : one_link(file, a, m);
	case RTM_GETADDR:
	case RTM_GETNEIGH:
	case RTM_GETRULE:
		return all ? dump(file, a, m) : -EOPNOTSUPP;
	case RTM_GETROUTE:
		return all ? dump(file, a, m) : -ENETUNREACH;
	default:
		return -EOPNOTSUPP;
	}
}

/* An error, or that all went well: it carries the request, or its head. */
static void acknowledge(struct file *file, struct answer *a, const struct nlmsghdr *m, int err)
{
	size_t size = err ? m->nlmsg_len : sizeof(*m);
	struct nlmsgerr *e;

	if (size > ANSWER_MAX / 2)
		size = sizeof(*m);
	a->size = 0;
	e = begin(a, m, file->nl_port, NLMSG_ERROR, err ? 0 : NLM_F_CAPPED, sizeof(e->error) + size);
	e->error = err;
	memcpy(&e->msg, m, size);
	post(file, a);
}

static void give_port(struct file *file)
{
	unsigned int pid = process_pid(), first = first_port;

	if (file->nl_port)
		return;
	/* what a process has that this one is a copy of does not count */
	file->nl_port = first != pid && atomic_compare_exchange_strong(&first_port, &first, pid) ? pid : next_port--;
}

static long requests(struct file *file, uint8_t *bytes, uint64_t size)
{
	struct answer *a = malloc(sizeof(*a));
	uint64_t at = 0;

	if (!a)
		return -ENOMEM;
	give_port(file);
	while (size - at >= NLMSG_HDRLEN) {
		struct nlmsghdr *m = (struct nlmsghdr *)(bytes + at);
		int err = 0;

		if (m->nlmsg_len < NLMSG_HDRLEN || m->nlmsg_len > size - at)
			break;
		a->size = 0;
		a->message = NULL;
		if (m->nlmsg_flags & NLM_F_REQUEST && m->nlmsg_type >= NLMSG_MIN_TYPE)
			err = answer(file, a, m);
		if (err || (m->nlmsg_flags & NLM_F_ACK && (m->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP))
			acknowledge(file, a, m, err);
		at += NLMSG_ALIGN(m->nlmsg_len) < size - at ? NLMSG_ALIGN(m->nlmsg_len) : size - at;
	}
	free(a);
	return size;
}

/* ------------------------------------------------------------- sockets */

struct file *netlink_socket(int type, int protocol, int flags, int *err)
{
	struct file *file;
	int host[2];

	*err = type != SOCK_RAW && type != SOCK_DGRAM ? -ESOCKTNOSUPPORT : protocol != NETLINK_ROUTE ? -EPROTONOSUPPORT : 0;
	if (*err)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (flags & SOCK_NONBLOCK), 0, host) < 0) {
		*err = -errno;
		return NULL;
	}
	/* by write(2) nothing is asked here: better an error than silence */
	shutdown(host[1], SHUT_RD);
	file = file_new(host[0], S_IFSOCK, NULL, NULL);
	if (!file) {
		close(host[1]);
		*err = -ENOMEM;
		return NULL;
	}
	file->family = AF_NETLINK;
	file->socktype = type;
	file->peer = host[1] + 1;
	return file;
}

static int checked(const struct sockaddr_storage *addr, socklen_t len, struct sockaddr_nl *nl)
{
	if (len < sizeof(*nl) || addr->ss_family != AF_NETLINK)
		return -EINVAL;
	memcpy(nl, addr, sizeof(*nl));
	return 0;
}

int netlink_bind(struct file *file, const struct sockaddr_storage *addr, socklen_t len)
{
	struct sockaddr_nl nl;
	int err = checked(addr, len, &nl);

	if (err)
		return err;
	if (file->nl_port && nl.nl_pid && nl.nl_pid != file->nl_port)
		return -EINVAL;
	if (!file->nl_port && nl.nl_pid) {
		if (nl.nl_pid == first_port && first_port == (unsigned int)process_pid())
			return -EADDRINUSE;
		file->nl_port = nl.nl_pid;
		if (nl.nl_pid == (unsigned int)process_pid())
			first_port = nl.nl_pid;
	}
	give_port(file);
	file->nl_groups = nl.nl_groups;
	return 0;
}

int netlink_connect(struct file *file, const struct sockaddr_storage *addr, socklen_t len)
{
	struct sockaddr_nl nl;
	int err = addr->ss_family == AF_UNSPEC && len >= sizeof(addr->ss_family) ? 0 : checked(addr, len, &nl);

	if (err || addr->ss_family == AF_UNSPEC)
		return err;
	if (nl.nl_groups)
		return -EPERM;
	if (nl.nl_pid)
		return -ECONNREFUSED;
	give_port(file);
	return 0;
}

socklen_t netlink_name(const struct file *file, struct sockaddr_storage *addr, bool peer)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_pid = peer ? 0 : file->nl_port,
				  .nl_groups = peer ? 0 : file->nl_groups };

	memcpy(addr, &nl, sizeof(nl));
	return sizeof(nl);
}

long netlink_send(struct file *file, const struct iovec *iov, unsigned int iovcnt, uint64_t size,
		  const struct sockaddr_storage *addr, socklen_t len)
{
	struct sockaddr_nl nl;
	uint64_t at = 0;
	uint8_t *copy;
	long ret = len ? checked(addr, len, &nl) : 0;

	if (ret)
		return ret;
	if (len && nl.nl_groups)
		return -EPERM;
	if (len && nl.nl_pid)
		return -ECONNREFUSED;
	if (size > REQUESTS_MAX)
		return -EMSGSIZE;
	copy = calloc(1, NLMSG_ALIGN(size) + NLMSG_HDRLEN);
	if (!copy)
		return -ENOMEM;
	for (unsigned int i = 0; i < iovcnt && at < size; i++) {
		size_t n = iov[i].iov_len < size - at ? iov[i].iov_len : size - at;

		if (guest_copy(copy + at, iov[i].iov_base, n)) {
			free(copy);
			return -EFAULT;
		}
		at += n;
	}
	ret = requests(file, copy, at);
	free(copy);
	return ret;
}

int netlink_set_option(int option)
{
	switch (option) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
	case NETLINK_NO_ENOBUFS:
	case NETLINK_EXT_ACK:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int netlink_share(struct file *copy, const struct file *file)
{
	int peer = fcntl(file->peer - 1, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (peer < 0)
		return -ENOMEM;
	copy->peer = peer + 1;
	copy->nl_port = file->nl_port;
	copy->nl_groups = file->nl_groups;
	return 0;
}

void netlink_gone(struct file *file)
{
	unsigned int port = file->nl_port;

	if (port)
		atomic_compare_exchange_strong(&first_port, &port, 0);
	close(file->peer - 1);
}

/* ------------------------------------------------------------- the host's */

static bool take(struct learned *l, uint8_t *bytes, size_t size)
{
	uint8_t *more;
	size_t at = 0;

	for (struct nlmsghdr *m = (void *)bytes; NLMSG_OK(m, size - at); m = (void *)(bytes + at)) {
		if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR)
			return false;
		more = realloc(l->messages, l->size + NLMSG_ALIGN(m->nlmsg_len));
		if (!more)
			return false;
		l->messages = more;
		memcpy(more + l->size, m, m->nlmsg_len);
		l->size += NLMSG_ALIGN(m->nlmsg_len);
		at += NLMSG_ALIGN(m->nlmsg_len);
	}
	return true;
}

void netlink_init(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	static uint8_t bytes[ANSWER_MAX];
	ssize_t got;

	/* without netlink, as some containers are, there is nothing to learn */
	for (size_t i = 0; fd >= 0 && i < sizeof(learned) / sizeof(learned[0]); i++) {
		struct {
			struct nlmsghdr head;
			struct ifinfomsg info;
		} request = { { sizeof(request), learned[i].type, NLM_F_REQUEST | NLM_F_DUMP, i, 0 }, { .ifi_family = AF_UNSPEC } };

		if (send(fd, &request, sizeof(request), 0) < 0)
			break;
		do
			got = recv(fd, bytes, sizeof(bytes), 0);
		while (got > 0 && take(&learned[i], bytes, got));
	}
	if (fd >= 0)
		close(fd);
}
