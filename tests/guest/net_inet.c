/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets of AF_INET and AF_INET6.
 *	net_inet self		with itself over the loopback
 *	net_inet connect PORT	connects to 127.0.0.1, says "hello", prints what comes back
 *	net_inet send PORT	likewise by datagrams
 *	net_inet listen PORT	prints "listening", takes one connection and echoes it
 *	net_inet tries PORT	what each attempt to reach PORT of 127.0.0.1 gives
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static long say(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
	return ret;
}

static socklen_t loopback(int family, unsigned int port, union address *a)
{
	memset(a, 0, sizeof(*a));
	a->any.sa_family = family;
	if (family == AF_INET) {
		a->four.sin_port = htons(port);
		a->four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(a->four);
	}
	a->six.sin6_port = htons(port);
	a->six.sin6_addr = in6addr_loopback;
	return sizeof(a->six);
}

static void show(const char *what, const union address *a, socklen_t len, unsigned int port)
{
	char text[64] = "";
	unsigned int is = ntohs(a->any.sa_family == AF_INET ? a->four.sin_port : a->six.sin6_port);

	inet_ntop(a->any.sa_family, a->any.sa_family == AF_INET ? (void *)&a->four.sin_addr : (void *)&a->six.sin6_addr,
		  text, sizeof(text));
	printf("%s: length %u family %d %s port %s\n", what, len, a->any.sa_family, text,
	       is == port ? "as expected" : is ? "another" : "none");
}

static unsigned int port_of(int s)
{
	union address a;
	socklen_t len = sizeof(a);

	getsockname(s, &a.any, &len);
	return ntohs(a.any.sa_family == AF_INET ? a.four.sin_port : a.six.sin6_port);
}

static int option(int s, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(s, level, name, &value, &len) < 0 ? -errno : value;
}

/* ------------------------------------------------------------- over the loopback */

static void *connector(void *arg)
{
	union address a;
	int s = socket(*(int *)arg >> 16, SOCK_STREAM, 0);
	socklen_t len = loopback(*(int *)arg >> 16, *(int *)arg & 0xffff, &a);
	char text[32] = "";

	if (connect(s, &a.any, len) < 0 || send(s, "ping", 4, 0) != 4 || recv(s, text, 4, MSG_WAITALL) != 4 ||
	    strcmp(text, "pong"))
		puts("the other end: failed");
	close(s);
	return NULL;
}

static void streams(int family)
{
	union address a, peer;
	socklen_t len = loopback(family, 0, &a);
	int s = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, c, both;
	char text[32] = "";
	pthread_t thread;

	say("SO_REUSEADDR", setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	say("bind", bind(s, &a.any, len));
	say("listen", listen(s, 5));
	printf("accepting %d type %d domain %d protocol %d\n", option(s, SOL_SOCKET, SO_ACCEPTCONN),
	       option(s, SOL_SOCKET, SO_TYPE), option(s, SOL_SOCKET, SO_DOMAIN), option(s, SOL_SOCKET, SO_PROTOCOL));
	both = family << 16 | port_of(s);
	getsockname(s, &a.any, &len);
	show("own name", &a, len, both & 0xffff);
	pthread_create(&thread, NULL, connector, &both);
	len = sizeof(peer);
	c = accept(s, &peer.any, &len);
	printf("accept: %d\n", c > 0);
	show("peer", &peer, len, 0xffffffff);
	say("TCP_NODELAY", setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	printf("TCP_NODELAY %d\n", option(c, IPPROTO_TCP, TCP_NODELAY));
	say("recv", recv(c, text, 4, MSG_WAITALL));
	printf("%s\n", text);
	say("send", send(c, "pong", 4, 0));
	say("end", recv(c, text, sizeof(text), 0));
	pthread_join(thread, NULL);
	say("shutdown", shutdown(c, SHUT_RDWR));
	close(c);
	loopback(family, both & 0xffff, &a);
	c = socket(family, SOCK_STREAM, 0);
	say("bind to a port in use", bind(c, &a.any, family == AF_INET ? sizeof(a.four) : sizeof(a.six)));
	close(s);
	say("connect to nobody", connect(c, &a.any, family == AF_INET ? sizeof(a.four) : sizeof(a.six)));
	say("getpeername", getpeername(c, &peer.any, &len));
	say("a short address", connect(c, &a.any, 8));
	close(c);
}

static void datagrams(int family)
{
	union address a, from;
	socklen_t len = loopback(family, 0, &a), n = sizeof(from);
	int s = socket(family, SOCK_DGRAM, 0), c = socket(family, SOCK_DGRAM, 0);
	char text[32] = "";

	say("bind", bind(s, &a.any, len));
	getsockname(s, &a.any, &len);
	say("sendto", sendto(c, "question", 8, 0, &a.any, len));
	say("recvfrom", recvfrom(s, text, sizeof(text), 0, &from.any, &n));
	show("from", &from, n, port_of(c));
	say("answer", sendto(s, "answer", 6, 0, &from.any, n));
	say("connect", connect(c, &a.any, len));
	say("recv", recv(c, text, sizeof(text), 0));
	printf("%.6s\n", text);
	say("send", send(c, "again", 5, 0));
	say("recv with MSG_TRUNC", recv(s, text, 1, MSG_TRUNC));
	say("recv of nothing", recv(s, text, 1, MSG_DONTWAIT));
	say("send without an address", send(s, "x", 1, 0));
	from.any.sa_family = AF_UNSPEC;
	say("disconnect", connect(c, &from.any, sizeof(from)));
	say("send", send(c, "x", 1, 0));
	close(s);
	close(c);
}

/* Where messages to groups leave. */
static void interfaces(void)
{
	int four = socket(AF_INET, SOCK_DGRAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0), lo = 1, none = 77, any = 0;
	struct in_addr addr = { htonl(INADDR_LOOPBACK) };
	struct ip_mreqn by_number = { .imr_ifindex = lo };
	socklen_t len = sizeof(addr);

	say("IP_MULTICAST_IF", setsockopt(four, SOL_IP, IP_MULTICAST_IF, &addr, sizeof(addr)));
	addr.s_addr = 0;
	say("which", getsockopt(four, SOL_IP, IP_MULTICAST_IF, &addr, &len));
	printf("%s\n", inet_ntoa(addr));
	say("by number", setsockopt(four, SOL_IP, IP_MULTICAST_IF, &by_number, sizeof(by_number)));
	addr.s_addr = htonl(0xc0000201);
	say("nobody's", setsockopt(four, SOL_IP, IP_MULTICAST_IF, &addr, sizeof(addr)));
	addr.s_addr = 0;
	say("any", setsockopt(four, SOL_IP, IP_MULTICAST_IF, &addr, sizeof(addr)));
	say("IPV6_MULTICAST_IF", setsockopt(six, SOL_IPV6, IPV6_MULTICAST_IF, &lo, sizeof(lo)));
	printf("which %d\n", option(six, SOL_IPV6, IPV6_MULTICAST_IF));
	say("nobody's", setsockopt(six, SOL_IPV6, IPV6_MULTICAST_IF, &none, sizeof(none)));
	say("any", setsockopt(six, SOL_IPV6, IPV6_MULTICAST_IF, &any, sizeof(any)));
	close(four);
	close(six);
}

/* An epoll loop with a connection that is made without waiting. */
static void without_waiting(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 1 }, got[4];
	union address a;
	socklen_t len = loopback(AF_INET, 0, &a);
	int ep = epoll_create1(EPOLL_CLOEXEC), s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), c, in = -1;
	char text[8] = "";
	bool connected = false;

	bind(s, &a.any, len);
	listen(s, 5);
	getsockname(s, &a.any, &len);
	say("accept of nobody", accept4(s, NULL, NULL, SOCK_NONBLOCK));
	epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
	c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(c, &a.any, len) < 0 && errno != EINPROGRESS)
		puts("connect failed");
	e = (struct epoll_event){ .events = EPOLLOUT, .data.u64 = 0x1234567890abcdef };
	epoll_ctl(ep, EPOLL_CTL_ADD, c, &e);
	while (!connected || in < 0) {
		int n = epoll_wait(ep, got, 4, -1);

		for (int i = 0; i < n; i++) {
			if (got[i].data.u64 == 1) {
				in = accept4(s, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			} else if (got[i].data.u64 == 0x1234567890abcdef) {
				connected = true;
				epoll_ctl(ep, EPOLL_CTL_DEL, c, NULL);
			}
		}
	}
	printf("connected with error %d, flags %#x %#x\n", option(c, SOL_SOCKET, SO_ERROR), fcntl(in, F_GETFL), fcntl(in, F_GETFD));
	say("recv of nothing", recv(in, text, 8, 0));
	say("send", send(c, "text", 4, 0));
	e = (struct epoll_event){ .events = EPOLLIN | EPOLLET, .data.u64 = 3 };
	epoll_ctl(ep, EPOLL_CTL_ADD, in, &e);
	say("epoll_wait", epoll_wait(ep, got, 4, -1));
	printf("data %llu\n", (unsigned long long)got[0].data.u64);
	say("recv", recv(in, text, 8, 0));
	close(c);
	close(in);
	close(s);
	close(ep);
}

/* A server that is another process, made after both have the loopback. */
static void processes(void)
{
	union address a;
	socklen_t len = loopback(AF_INET, 0, &a);
	int s, c, p[2], port, status;
	char text[8] = "";

	pipe(p);
	if (!fork()) {
		s = socket(AF_INET, SOCK_STREAM, 0);
		bind(s, &a.any, len);
		listen(s, 1);
		port = port_of(s);
		write(p[1], &port, sizeof(port));
		c = accept(s, NULL, NULL);
		_exit(send(c, "child", 5, 0) == 5 ? 7 : 8);
	}
	read(p[0], &port, sizeof(port));
	s = socket(AF_INET, SOCK_STREAM, 0);
	len = loopback(AF_INET, port, &a);
	say("connect to the child", connect(s, &a.any, len));
	say("recv", recv(s, text, 5, MSG_WAITALL));
	wait(&status);
	printf("%s %d\n", text, WEXITSTATUS(status));
	close(s);
	close(p[0]);
	close(p[1]);
}

static void kinds(void)
{
	int s;

	say("a type that is none", socket(AF_INET, 9, 0));
	say("a protocol of another type", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	say("a family that is none", socket(99, SOCK_STREAM, 0));
	say("flags that are none", socket(AF_INET, SOCK_STREAM | 0x100, 0));
	s = socket(AF_INET, SOCK_STREAM, 0);
	say("listen on a datagram socket", listen(socket(AF_INET, SOCK_DGRAM, 0), 1));
	say("send before connect", send(s, "x", 1, MSG_NOSIGNAL));
	say("recv before connect", recv(s, &s, 1, 0));
	say("an address of another family", connect(s, &(struct sockaddr){ .sa_family = AF_UNIX }, 16));
}

/* ------------------------------------------------------------- with others */

static int talk(int type, unsigned int port)
{
	union address a;
	socklen_t len = loopback(AF_INET, port, &a);
	int s = socket(AF_INET, type, 0);
	char text[32] = "";

	if (connect(s, &a.any, len) < 0 || send(s, "hello", 5, 0) != 5)
		return say("connect", -1) < 0;
	say("recv", recv(s, text, sizeof(text), 0));
	printf("%s\n", text);
	return 0;
}

static int serve(unsigned int port)
{
	union address a = { .four = { .sin_family = AF_INET, .sin_port = htons(port) } };
	int s = socket(AF_INET, SOCK_STREAM, 0), c, on = 1;
	char text[32];
	ssize_t n;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, &a.any, sizeof(a.four)) < 0 || listen(s, 5) < 0)
		return say("bind", -1) < 0;
	puts("listening");
	c = accept(s, NULL, NULL);
	while ((n = read(c, text, sizeof(text))) > 0)
		if (write(c, text, n) != n)
			return 1;
	return 0;
}

static int tries(unsigned int port)
{
	union address a;
	socklen_t len = loopback(AF_INET, port, &a);
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_name = &a, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1 };
	struct sockaddr_un hidden = { .sun_family = AF_UNIX, .sun_path = "\0kvmrun-test" };
	int stream = socket(AF_INET, SOCK_STREAM, 0), packets = socket(AF_INET, SOCK_DGRAM, 0);

	say("connect", connect(stream, &a.any, len));
	say("datagram connect", connect(packets, &a.any, len));
	say("sendto", sendto(packets, "x", 1, 0, &a.any, len));
	say("sendmsg", sendmsg(packets, &m, 0));
	say("fast open", sendto(socket(AF_INET, SOCK_STREAM, 0), "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &a.any, len));
	a.any.sa_family = AF_UNSPEC;
	say("sendto of no family", sendto(packets, "x", 1, 0, &a.any, len));
	a.any.sa_family = AF_INET;
	loopback(AF_INET6, port, &a);
	say("IPv6", connect(socket(AF_INET6, SOCK_STREAM, 0), &a.any, sizeof(a.six)));
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.six.sin6_addr);
	say("mapped", connect(socket(AF_INET6, SOCK_STREAM, 0), &a.any, sizeof(a.six)));
	loopback(AF_INET, port, &a);
	say("bind", bind(socket(AF_INET, SOCK_STREAM, 0), &a.any, len));
	say("listen without bind", listen(socket(AF_INET, SOCK_STREAM, 0), 1));
	say("abstract connect", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&hidden, 14));
	say("abstract bind", bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&hidden, 14));
	say("autobind", bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&hidden, 2));
	say("raw", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	say("netlink", socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? -1 : 0);
	say("packet", socket(AF_PACKET, SOCK_RAW, 0));
	say("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int port = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "connect"))
		return talk(SOCK_STREAM, port);
	if (argc > 2 && !strcmp(argv[1], "send"))
		return talk(SOCK_DGRAM, port);
	if (argc > 2 && !strcmp(argv[1], "listen"))
		return serve(port);
	if (argc > 2 && !strcmp(argv[1], "tries"))
		return tries(port);
	streams(AF_INET);
	streams(AF_INET6);
	datagrams(AF_INET);
	datagrams(AF_INET6);
	interfaces();
	without_waiting();
	processes();
	kinds();
	return 0;
}
