/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program learns by netlink, and what it is told where it asks for more. Of the interfaces only the loopback
 * is told of, and nothing that differs between machines.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void interfaces(void)
{
	struct if_nameindex *names = if_nameindex();
	struct ifaddrs *all;
	char text[2][NI_MAXHOST];

	for (struct if_nameindex *n = names; n && n->if_index; n++)
		if (!strcmp(n->if_name, "lo"))
			printf("interface %u %s\n", n->if_index, n->if_name);
	if (getifaddrs(&all) < 0)
		printf("getifaddrs: %s\n", strerrorname_np(errno));
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		size_t size = i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

		if (strcmp(i->ifa_name, "lo"))
			continue;
		printf("lo: flags %#x, family %d, data %d", i->ifa_flags, i->ifa_addr->sa_family, i->ifa_data != NULL);
		if (i->ifa_addr->sa_family != AF_PACKET) {
			getnameinfo(i->ifa_addr, size, text[0], sizeof(text[0]), NULL, 0, NI_NUMERICHOST);
			getnameinfo(i->ifa_netmask, size, text[1], sizeof(text[1]), NULL, 0, NI_NUMERICHOST);
			printf(", %s of %s", text[0], text[1]);
		}
		puts("");
	}
}

struct request {
	struct nlmsghdr head;
	struct ifinfomsg info;
	struct rtattr attribute;
	char name[8];
};

/* What is said to a request: its messages, up to an end, an error, or the only one. */
static void ask(const char *what, int s, struct request *r)
{
	union {
		char bytes[16384];
		struct nlmsghdr head;
	} got;
	struct sockaddr_nl own, from = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(own), from_len = sizeof(from);
	static unsigned int seq;
	ssize_t n;

	r->head.nlmsg_seq = ++seq;
	n = sendto(s, r, r->head.nlmsg_len, 0, (void *)&from, sizeof(from));
	if (n < 0) {
		printf("%s: %s\n", what, strerrorname_np(errno));
		return;
	}
	getsockname(s, (void *)&own, &len);
	for (;;) {
		n = recvfrom(s, &got, sizeof(got), 0, (void *)&from, &from_len);
		if (n < 0) {
			printf("%s: %s\n", what, strerrorname_np(errno));
			return;
		}
		for (struct nlmsghdr *m = &got.head; NLMSG_OK(m, n); m = NLMSG_NEXT(m, n)) {
			struct ifinfomsg *info = NLMSG_DATA(m);

			if (m->nlmsg_seq != seq || m->nlmsg_pid != own.nl_pid || from.nl_pid || from_len != sizeof(from))
				printf("%s: from %u, to %u, sequence %u\n", what, from.nl_pid, m->nlmsg_pid, m->nlmsg_seq);
			if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR) {
				struct nlmsgerr *e = NLMSG_DATA(m);

				printf("%s: %s %s\n", what, m->nlmsg_type == NLMSG_DONE ? "done" : "error",
				       e->error ? strerrorname_np(-e->error) : "0");
				return;
			}
			if (m->nlmsg_type == RTM_NEWLINK && info->ifi_index == 1)
				printf("%s: link, type %d, flags %#x, MULTI %d\n", what, info->ifi_type, info->ifi_flags,
				       m->nlmsg_flags & NLM_F_MULTI);
			if (!(m->nlmsg_flags & NLM_F_MULTI))
				return;
		}
	}
}

static struct request request(int type, int flags)
{
	return (struct request){ .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = type,
					   .nlmsg_flags = NLM_F_REQUEST | flags } };
}

static void requests(int s)
{
	struct request r = request(RTM_GETLINK, NLM_F_DUMP);

	ask("all links", s, &r);
	r = request(RTM_GETNEIGH, NLM_F_DUMP);
	ask("all neighbours", s, &r);
	r = request(RTM_GETLINK, 0);
	r.info.ifi_index = 1;
	ask("link 1", s, &r);
	r.info.ifi_index = 12345;
	ask("link 12345", s, &r);
	r.info.ifi_index = 0;
	ask("no link", s, &r);
	r.attribute = (struct rtattr){ RTA_LENGTH(3), IFLA_IFNAME };
	strcpy(r.name, "lo");
	r.head.nlmsg_len = sizeof(r);
	ask("link lo", s, &r);
	strcpy(r.name, "ox");
	ask("link ox", s, &r);
	r = request(RTM_MAX + 1, 0);
	ask("none", s, &r);
	r = request(NLMSG_NOOP, NLM_F_ACK);
	ask("nothing, with an answer", s, &r);
}

/* What root may do natively. */
static void changes(int s)
{
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	struct request r = request(RTM_SETLINK, NLM_F_ACK);

	r.info.ifi_index = 1;
	ask("set", s, &r);
	r = request(RTM_DELADDR, 0);
	ask("delete", s, &r);
	if (sendto(s, &r, r.head.nlmsg_len, 0, (void *)&group, sizeof(group)) < 0)
		printf("to a group: %s\n", strerrorname_np(errno));
	/* ends that are no message's */
	r.head.nlmsg_len = 15;
	printf("too short: %zd\n", send(s, &r, sizeof(r), 0));
	r.head.nlmsg_len = 1 << 30;
	printf("too long: %zd\n", send(s, &r, sizeof(r), 0));
	r = request(RTM_GETLINK, 0);
	r.head.nlmsg_len = sizeof(r);
	r.attribute = (struct rtattr){ 200, IFLA_IFNAME };
	ask("an attribute that is too long", s, &r);
	r.attribute.rta_len = 3;
	ask("one that is too short", s, &r);
	r.attribute.rta_len = RTA_LENGTH(8);
	memset(r.name, 'l', sizeof(r.name));
	ask("a name without end", s, &r);
}

static void say(const char *what, long ret)
{
	printf("%s: %s\n", what, ret < 0 ? strerrorname_np(errno) : "ok");
}

static void sockets(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK }, own;
	int s = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, 0), t = socket(AF_NETLINK, SOCK_RAW, 0), type, family;
	struct pollfd p = { .fd = s, .events = POLLIN | POLLOUT };
	struct request r = request(RTM_GETLINK, NLM_F_DUMP);
	socklen_t len = sizeof(own), four = sizeof(int);
	char small[4];

	say("stream", socket(AF_NETLINK, SOCK_STREAM, 0));
	say("protocol 99", socket(AF_NETLINK, SOCK_RAW, 99));
	say("bind", bind(s, (void *)&kernel, sizeof(kernel)));
	getsockname(s, (void *)&own, &len);
	printf("the first one's port is the process's: %d, %u bytes\n", own.nl_pid == (unsigned int)getpid(), len);
	say("bind to it", bind(t, (void *)&own, sizeof(own)));
	say("bind, too short", bind(t, (void *)&kernel, 4));
	say("connect", connect(t, (void *)&kernel, sizeof(kernel)));
	getsockname(t, (void *)&own, &len);
	printf("the second one's is another: %d\n", own.nl_pid != (unsigned int)getpid() && own.nl_pid);
	say("listen", listen(t, 1));
	say("accept", accept(t, NULL, NULL));
	say("shutdown", shutdown(t, SHUT_WR));
	getsockopt(s, SOL_SOCKET, SO_TYPE, &type, &four);
	getsockopt(s, SOL_SOCKET, SO_DOMAIN, &family, &four);
	printf("type %d, domain %d\n", type, family);
	say("nothing there", recv(s, small, sizeof(small), 0));
	poll(&p, 1, 0);
	printf("events %#x\n", p.revents);
	say("send", send(dup(s), &r, r.head.nlmsg_len, 0));
	poll(&p, 1, 0);
	printf("events %#x\n", p.revents);
	printf("the size is told: %d\n", recv(s, small, sizeof(small), MSG_PEEK | MSG_TRUNC) > 100);
	kernel.nl_pid = 1;
	say("to a process", sendto(s, &r, r.head.nlmsg_len, 0, (void *)&kernel, sizeof(kernel)));
	close(s);
	close(t);
}

int main(int argc, char **argv)
{
	int s;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "interfaces")) {
		interfaces();
		return 0;
	}
	s = socket(AF_NETLINK, SOCK_RAW, 0);
	if (argc > 1 && !strcmp(argv[1], "changes")) {
		changes(s);
		return 0;
	}
	interfaces();
	sockets();
	requests(s);
	if (fork() == 0) {
		struct request r = request(RTM_GETLINK, NLM_F_DUMP);

		puts("a child's");
		ask("its own", socket(AF_NETLINK, SOCK_RAW, 0), &r);
		ask("its parent's", s, &r);
		return 0;
	}
	wait(NULL);
	return 0;
}
