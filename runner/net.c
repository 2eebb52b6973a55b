/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msg.h"
#include "net.h"
#include "netlink.h"
#include "policy.h"
#include "unixname.h"

static const struct config none, *config = &none;
static struct sockaddr_in6 *reachable;	/* IPv4 as mapped addresses */
static size_t nreachable;
static bool addresses;

static uint16_t port_of(const struct sockaddr *addr)
{
	return ntohs(addr->sa_family == AF_INET ? ((const struct sockaddr_in *)addr)->sin_port :
						  ((const struct sockaddr_in6 *)addr)->sin6_port);
}

/* The address as IPv6 has it. Linux takes "any" for this host when it is connected to. */
static struct sockaddr_in6 mapped(const struct sockaddr *addr)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };

	if (addr->sa_family == AF_INET6) {
		to.sin6_addr = ((const struct sockaddr_in6 *)addr)->sin6_addr;
		to.sin6_port = ((const struct sockaddr_in6 *)addr)->sin6_port;
	} else {
		to.sin6_addr.s6_addr[10] = to.sin6_addr.s6_addr[11] = 0xff;
		memcpy(to.sin6_addr.s6_addr + 12, &((const struct sockaddr_in *)addr)->sin_addr, 4);
		to.sin6_port = ((const struct sockaddr_in *)addr)->sin_port;
	}
	return to;
}

/* ------------------------------------------------------------- at the start */

/* HOST:PORT or [ADDRESS]:PORT, whose form options.c has checked. */
static void look_up(const char *target)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	const char *colon = strrchr(target, ':');
	size_t brackets = *target == '[';
	char host[NI_MAXHOST];
	int err;

	if ((size_t)(colon - target) >= sizeof(host))
		die(KVMRUN_FAILED, "--net connect=%s: the name is too long", target);
	memcpy(host, target + brackets, colon - target - 2 * brackets);
	host[colon - target - 2 * brackets] = '\0';
	err = getaddrinfo(host, colon + 1, &hints, &list);
	if (err)
		die(KVMRUN_FAILED, "--net connect=%s: cannot look %s up: %s", target, host, gai_strerror(err));
	for (struct addrinfo *a = list; a; a = a->ai_next) {
		if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
			continue;
		reachable = reallocarray(reachable, nreachable + 1, sizeof(*reachable));
		if (!reachable)
			die(KVMRUN_FAILED, "no memory for the table of reachable addresses");
		reachable[nreachable++] = mapped(a->ai_addr);
	}
	freeaddrinfo(list);
}

void net_init(const struct config *options)
{
	config = options;
	for (size_t i = 0; i < config->nconnect; i++)
		look_up(config->net_connect[i]);
	addresses = config->net != NET_NONE || policy_writable();
	if (addresses)
		unixname_init();
	if (config->net == NET_LOOPBACK)
		netns_start();
	if (config->net == NET_HOST)
		netlink_init();
}

enum net_mode net_mode(void)
{
	return config->net;
}

uint16_t net_port(size_t i, bool listening)
{
	if (listening)
		return i < config->nlisten ? config->net_listen[i] : 0;
	return i < nreachable ? ntohs(reachable[i].sin6_port) : 0;
}

bool net_addresses(void)
{
	return addresses;
}

bool net_datagram_pairs(void)
{
	return addresses && net_mode() != NET_LOOPBACK;
}

bool net_fast_open(void)
{
	return net_mode() == NET_LOOPBACK || net_mode() == NET_HOST;
}

/* ------------------------------------------------------------- sockets */

#define PLAIN(i, type) MASKED32(i, ~(SOCK_CLOEXEC | SOCK_NONBLOCK), type)
#define LOCAL(call, type) RULE(call, "guest sockets", IS32(0, AF_UNIX), PLAIN(1, type), MASKED32(2, ~AF_UNIX, 0))
#define INET(family, type, protocol) RULE(socket, "guest sockets", IS32(0, family), PLAIN(1, type), IS32(2, protocol))

const struct call_rule net_sockets[NET_SOCKETS] = {
	LOCAL(socket, SOCK_STREAM),
	LOCAL(socket, SOCK_SEQPACKET),
	LOCAL(socket, SOCK_DGRAM),
	INET(AF_INET, SOCK_STREAM, 0),
	INET(AF_INET, SOCK_STREAM, IPPROTO_TCP),
	INET(AF_INET, SOCK_DGRAM, 0),
	INET(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
	INET(AF_INET6, SOCK_STREAM, 0),
	INET(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
	INET(AF_INET6, SOCK_DGRAM, 0),
	INET(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
};
const struct call_rule net_pairs[NET_PAIRS] = {
	LOCAL(socketpair, SOCK_STREAM),
	LOCAL(socketpair, SOCK_SEQPACKET),
	LOCAL(socketpair, SOCK_DGRAM),
};

bool net_makes(int family, int type, int protocol)
{
	const uint32_t value[] = { family, type, protocol };

	if (type & (SOCK_CLOEXEC | SOCK_NONBLOCK))
		return false;
	for (size_t i = 0; i < NET_SOCKETS; i++) {
		const struct scmp_arg_cmp *arg = net_sockets[i].arg;
		size_t n = 0;

		while (n < 3 && (!arg[n].op || (value[n] & arg[n].datum_a) == arg[n].datum_b))
			n++;
		if (n == 3)
			return true;
	}
	return false;
}

/* A socket that the jail allows where it allows no other, and nobody is at its other end. */
static int placeholder(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	close(pair[1]);
	return pair[0];
}

int net_socket(int family, int type, int protocol, bool *offline)
{
	int fd;

	*offline = family == AF_UNIX ? !addresses : net_mode() == NET_NONE;
	if (*offline)
		return placeholder();
	if (net_mode() == NET_LOOPBACK)
		return netns_socket(family, type, protocol);
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	return fd < 0 ? -errno : fd;
}

/* ------------------------------------------------------------- addresses */

static void explain(const struct sockaddr *addr, const char *what, const char *option)
{
	char text[INET6_ADDRSTRLEN] = "";
	bool six = addr->sa_family == AF_INET6;
	const void *from = six ? (const void *)&((const struct sockaddr_in6 *)addr)->sin6_addr :
				 (const void *)&((const struct sockaddr_in *)addr)->sin_addr;

	inet_ntop(addr->sa_family, from, text, sizeof(text));
	policy_explain_address(six ? "[%s]:%u" : "%s:%u", text, port_of(addr), what, option);
}

int net_may_connect(const struct sockaddr *addr)
{
	struct sockaddr_in6 to = mapped(addr);

	if (net_mode() == NET_LOOPBACK || net_mode() == NET_HOST)
		return 0;
	for (size_t i = 0; i < nreachable; i++)
		if (to.sin6_port == reachable[i].sin6_port &&
		    memcmp(&to.sin6_addr, &reachable[i].sin6_addr, sizeof(to.sin6_addr)) == 0)
			return 0;
	explain(addr, "cannot be reached", "--net connect=HOST:PORT would allow this one, --net host all");
	return -ENETUNREACH;
}

int net_may_bind(const struct sockaddr *addr)
{
	uint16_t port = port_of(addr);

	if (net_mode() == NET_LOOPBACK || net_mode() == NET_HOST)
		return 0;
	/* what any client has, and none can be found at; listening is another matter */
	if (net_mode() == NET_LISTED && !port)
		return 0;
	for (size_t i = 0; i < config->nlisten; i++)
		if (port == config->net_listen[i])
			return 0;
	explain(addr, "cannot be the program's address", "--net listen=PORT would allow the port, --net host all, "
		"and --net loopback gives it a network of its own");
	return net_mode() == NET_NONE ? -EADDRNOTAVAIL : -EACCES;
}

int net_may_listen(const struct sockaddr *addr)
{
	if (addr->sa_family != AF_INET && addr->sa_family != AF_INET6)
		return 0;
	if (net_mode() == NET_LISTED && !port_of(addr)) {
		explain(addr, "cannot be listened at", "--net listen=PORT would allow a port");
		return -EACCES;
	}
	return net_may_bind(addr) ? -EACCES : 0;
}
