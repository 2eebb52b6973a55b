/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets as --trace prints them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "sockopts.h"
#include "trace_net.h"

static const struct name families[] = {
	NAME(AF_UNSPEC), NAME(AF_UNIX), NAME(AF_INET), NAME(AF_INET6), NAME(AF_NETLINK), NAME(AF_PACKET),
	NAME(AF_ALG), NAME(AF_VSOCK), NAME(AF_BLUETOOTH),
};

static const struct name types[] = {
	NAME(SOCK_STREAM), NAME(SOCK_DGRAM), NAME(SOCK_RAW), NAME(SOCK_RDM), NAME(SOCK_SEQPACKET), NAME(SOCK_DCCP),
	NAME(SOCK_PACKET),
};

static const struct name type_flags[] = { NAME(SOCK_CLOEXEC), NAME(SOCK_NONBLOCK) };

static const struct name protocols[] = {
	NAME(IPPROTO_IP), NAME(IPPROTO_ICMP), NAME(IPPROTO_TCP), NAME(IPPROTO_UDP), NAME(IPPROTO_ICMPV6),
	NAME(IPPROTO_RAW), NAME(IPPROTO_MPTCP),
};

static const struct name msg_flags[] = {
	NAME(MSG_OOB), NAME(MSG_PEEK), NAME(MSG_DONTROUTE), NAME(MSG_CTRUNC), NAME(MSG_TRUNC), NAME(MSG_DONTWAIT),
	NAME(MSG_EOR), NAME(MSG_WAITALL), NAME(MSG_FIN), NAME(MSG_SYN), NAME(MSG_CONFIRM), NAME(MSG_RST),
	NAME(MSG_ERRQUEUE), NAME(MSG_NOSIGNAL), NAME(MSG_MORE), NAME(MSG_WAITFORONE), NAME(MSG_FASTOPEN),
	NAME(MSG_CMSG_CLOEXEC),
};

static const struct name shuts[] = { NAME(SHUT_RD), NAME(SHUT_WR), NAME(SHUT_RDWR) };

static const struct name levels[] = {
	{ 0, "SOL_IP" }, { SOL_SOCKET, "SOL_SOCKET" }, { 6, "SOL_TCP" }, { 17, "SOL_UDP" }, { 41, "SOL_IPV6" },
	{ 58, "SOL_ICMPV6" }, { 255, "SOL_RAW" }, { 263, "SOL_PACKET" }, { 270, "SOL_NETLINK" },
};

static const struct name control_types[] = {
	{ SCM_RIGHTS, "SCM_RIGHTS" }, { SCM_CREDENTIALS, "SCM_CREDENTIALS" },
};

void put_family(struct trace *t, uint64_t value)
{
	PUT_ENUM(t, families, (uint32_t)value, "AF_???");
}

void put_socktype(struct trace *t, uint64_t value)
{
	PUT_ENUM(t, types, (uint32_t)value & 0xf, "SOCK_???");
	if ((uint32_t)value & ~0xfu) {
		put(t, "|");
		PUT_FLAGS(t, type_flags, (uint32_t)value & ~0xfu, "SOCK_???");
	}
}

void put_sockflags(struct trace *t, uint64_t value)
{
	PUT_FLAGS(t, type_flags, (uint32_t)value, "SOCK_???");
}

void put_protocol(struct trace *t, uint64_t value)
{
	PUT_ENUM(t, protocols, (uint32_t)value, "IPPROTO_???");
}

void put_msg_flags(struct trace *t, uint64_t value)
{
	PUT_FLAGS(t, msg_flags, (uint32_t)value, "MSG_???");
}

void put_shut(struct trace *t, uint64_t value)
{
	PUT_ENUM(t, shuts, (uint32_t)value, "SHUT_???");
}

void put_level(struct trace *t, uint64_t value)
{
	PUT_ENUM(t, levels, (uint32_t)value, "SOL_???");
}

/* ------------------------------------------------------------- addresses */

static void put_unix(struct trace *t, const struct sockaddr_un *a, size_t n)
{
	size_t len = n - offsetof(struct sockaddr_un, sun_path);

	if (n <= offsetof(struct sockaddr_un, sun_path))
		return;
	put(t, ", sun_path=");
	if (a->sun_path[0]) {
		put_quoted(t, a->sun_path, strnlen(a->sun_path, len));
	} else {
		put(t, "@");
		put_quoted(t, a->sun_path + 1, len - 1);
	}
}

void put_sockaddr(struct trace *t, const void *addr, size_t n)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr_un local;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} a = { 0 };
	char text[INET6_ADDRSTRLEN];

	if (n > sizeof(a))
		n = sizeof(a);
	memcpy(&a, addr, n);
	if (n < sizeof(a.any.ss_family)) {
		put(t, n ? "..." : "NULL");
		return;
	}
	put(t, "{sa_family=");
	put_family(t, a.any.ss_family);
	switch (a.any.ss_family) {
	case AF_UNIX:
		put_unix(t, &a.local, n < sizeof(a.local) ? n : sizeof(a.local));
		break;
	case AF_INET:
		put(t, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")", ntohs(a.four.sin_port),
		    inet_ntop(AF_INET, &a.four.sin_addr, text, sizeof(text)));
		break;
	case AF_INET6:
		put(t, ", sin6_port=htons(%u), sin6_flowinfo=htonl(%u), inet_pton(AF_INET6, \"%s\", &sin6_addr), "
		    "sin6_scope_id=%u", ntohs(a.six.sin6_port), ntohl(a.six.sin6_flowinfo),
		    inet_ntop(AF_INET6, &a.six.sin6_addr, text, sizeof(text)), a.six.sin6_scope_id);
		break;
	default:
		put(t, ", sa_data=");
		put_quoted(t, (char *)&a + sizeof(a.any.ss_family), n - sizeof(a.any.ss_family));
	}
	put(t, "}");
}

/* ------------------------------------------------------------- options */

void put_option_name(struct trace *t, int level, int number)
{
	const struct sockopt *o = sockopt_find(level, number);

	if (o)
		put(t, "%s", o->name);
	else
		put(t, "%#x", number);
}

void put_option(struct trace *t, int level, int number, const void *value, size_t n)
{
	const struct sockopt *o = sockopt_find(level, number);
	enum sockopt_form form = o ? o->form : SOCKOPT_bytes;
	struct timeval tv;
	int v[3];

	memcpy(v, value, n < sizeof(v) ? n : sizeof(v));
	if (form == SOCKOPT_int && n == sizeof(int)) {
		put(t, "[%d]", v[0]);
	} else if (form == SOCKOPT_linger && n == 2 * sizeof(int)) {
		put(t, "{l_onoff=%d, l_linger=%d}", v[0], v[1]);
	} else if (form == SOCKOPT_ucred && n == 3 * sizeof(int)) {
		put(t, "{pid=%d, uid=%u, gid=%u}", v[0], (unsigned int)v[1], (unsigned int)v[2]);
	} else if (form == SOCKOPT_timeval && n == sizeof(tv)) {
		memcpy(&tv, value, sizeof(tv));
		put_struct(t, ABI_STRUCT_timeval, &tv, sizeof(tv), false);
	} else if (form == SOCKOPT_text) {
		put_quoted(t, value, strnlen(value, n));
	} else {
		put_quoted(t, value, n < TRACE_STRING ? n : TRACE_STRING);
		put(t, n > TRACE_STRING ? "..." : "");
	}
}

/* ------------------------------------------------------------- messages */

static void put_control(struct trace *t, const struct abi_msg *msg)
{
	const char *comma = "";
	struct cmsghdr m;

	put(t, ", msg_control=[");
	for (size_t at = 0; msg->control_len - at >= sizeof(m) && at < msg->control_len; at += CMSG_ALIGN(m.cmsg_len)) {
		const uint8_t *data = msg->control + at + sizeof(m);
		size_t n;

		memcpy(&m, msg->control + at, sizeof(m));
		put(t, "%s{cmsg_len=%zu, cmsg_level=", comma, m.cmsg_len);
		put_level(t, m.cmsg_level);
		put(t, ", cmsg_type=");
		if (m.cmsg_level == SOL_SOCKET)
			PUT_ENUM(t, control_types, (uint32_t)m.cmsg_type, "SCM_???");
		else
			put(t, "%#x", m.cmsg_type);
		comma = ", ";
		if (m.cmsg_len < sizeof(m) || m.cmsg_len > msg->control_len - at) {
			put(t, "}");
			break;
		}
		n = m.cmsg_len - sizeof(m);
		if (m.cmsg_level == SOL_SOCKET && m.cmsg_type == SCM_RIGHTS && n) {
			put(t, ", cmsg_data=[");
			for (size_t i = 0; i < n / sizeof(int) && i < TRACE_ELEMENTS; i++) {
				int fd;

				memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
				put(t, "%s%d", i ? ", " : "", fd);
			}
			put(t, n / sizeof(int) > TRACE_ELEMENTS ? ", ...]" : "]");
		} else if (m.cmsg_level == SOL_SOCKET && m.cmsg_type == SCM_CREDENTIALS && n == 3 * sizeof(int)) {
			put(t, ", cmsg_data=");
			put_option(t, SOL_SOCKET, SO_PEERCRED, data, n);
		}
		put(t, "}");
	}
	put(t, "]");
}

void put_message(struct trace *t, const struct call *c, int i, uint64_t bytes)
{
	const struct abi_msg *msg = c->ptr[i];
	uint64_t length = 0;

	for (int s = 0; s < c->iovcnt[i]; s++)
		length += c->iov[i][s].iov_len;
	put(t, "{msg_name=");
	put_sockaddr(t, msg->name, msg->name_len < sizeof(msg->name) ? msg->name_len : sizeof(msg->name));
	put(t, ", msg_namelen=%u, msg_iov=[", msg->name_len);
	if (length) {
		put(t, "{iov_base=");
		put_buffer(t, c, i, bytes < length ? bytes : length, TRACE_STRING);
		put(t, ", iov_len=%lu}", length);
	}
	put(t, "], msg_iovlen=%d", length ? 1 : 0);
	if (msg->control_len)
		put_control(t, msg);
	put(t, ", msg_controllen=%u, msg_flags=", msg->control_len);
	put_msg_flags(t, msg->flags);
	put(t, "}");
}
