/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "netif.h"
#include "netlink.h"
#include "sys_socket.h"

_Static_assert(sizeof(struct ifreq) == ABI_SIZE_ifreq, "as the kernel has it");

struct search {
	int index;		/* of the interface; 0: by name */
	char name[IFNAMSIZ];	/* the interface's, or the address's label */
	int number;		/* addresses: that one in turn; -1: by name */
	int count;		/* addresses seen */
	bool known;		/* it is there */
	struct ifreq *to;
	unsigned int request;
};

/* An attribute's first bytes. */
static void get(const struct nlmsghdr *m, size_t fixed, int type, void *to, size_t size)
{
	const struct rtattr *r = netlink_attribute(m, fixed, type);

	memset(to, 0, size);
	if (r)
		memcpy(to, RTA_DATA(r), RTA_PAYLOAD(r) < size ? RTA_PAYLOAD(r) : size);
}

static bool has_label(const struct nlmsghdr *m, const char *label)
{
	const char *its = netlink_string(m, sizeof(struct ifaddrmsg), IFA_LABEL);

	return its && !strcmp(its, label);
}

static int link_found(const struct nlmsghdr *m, void *data)
{
	const struct ifinfomsg *link = NLMSG_DATA(m);
	struct search *s = data;
	struct ifreq *to = s->to;

	if (!netlink_is_link(m, s->index, s->name))
		return 0;
	s->known = true;
	switch (s->request) {
	case SIOCGIFNAME:
		get(m, sizeof(*link), IFLA_IFNAME, to->ifr_name, sizeof(to->ifr_name));
		break;
	case SIOCGIFFLAGS:
		to->ifr_flags = link->ifi_flags;
		break;
	case SIOCGIFINDEX:
		to->ifr_ifindex = link->ifi_index;
		break;
	case SIOCGIFMETRIC:
		to->ifr_metric = 0;
		break;
	case SIOCGIFMTU:
		get(m, sizeof(*link), IFLA_MTU, &to->ifr_mtu, sizeof(to->ifr_mtu));
		break;
	case SIOCGIFTXQLEN:
		get(m, sizeof(*link), IFLA_TXQLEN, &to->ifr_qlen, sizeof(to->ifr_qlen));
		break;
	case SIOCGIFHWADDR:
		get(m, sizeof(*link), IFLA_ADDRESS, to->ifr_hwaddr.sa_data, sizeof(to->ifr_hwaddr.sa_data));
		to->ifr_hwaddr.sa_family = link->ifi_type;
		break;
	}
	return 1;
}

static int address_found(const struct nlmsghdr *m, void *data)
{
	const struct ifaddrmsg *address = NLMSG_DATA(m);
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct search *s = data;
	int type = IFA_LOCAL;

	if (address->ifa_family != AF_INET)
		return 0;
	if (s->number >= 0 ? s->count++ != s->number : !has_label(m, s->name))
		return 0;
	s->known = true;
	if (!s->to)
		return 0;
	if (s->request == SIOCGIFDSTADDR)
		type = IFA_ADDRESS;
	else if (s->request == SIOCGIFBRDADDR)
		type = IFA_BROADCAST;
	if (s->request == SIOCGIFNETMASK)
		in.sin_addr.s_addr = htonl(address->ifa_prefixlen ? ~0u << (32 - address->ifa_prefixlen) : 0);
	else
		get(m, sizeof(*address), type, &in.sin_addr, sizeof(in.sin_addr));
	if (s->request == SIOCGIFCONF)
		get(m, sizeof(*address), IFA_LABEL, s->to->ifr_name, sizeof(s->to->ifr_name));
	memcpy(&s->to->ifr_addr, &in, sizeof(in));
	/* those after it only count */
	return s->number < 0;
}

static bool is_of_addresses(unsigned int request)
{
	return request == SIOCGIFADDR || request == SIOCGIFDSTADDR || request == SIOCGIFBRDADDR || request == SIOCGIFNETMASK;
}

long netif_request(struct call *c, unsigned int request)
{
	struct ifreq *to = c->ptr[2];
	struct search s = { .number = -1, .to = to, .request = request };
	int err;

	if (!S_ISSOCK(c->fd[0]->type) || (is_of_addresses(request) && socket_family(c->fd[0]) != AF_INET))
		return -ENOTTY;
	if (request == SIOCGIFCONF) {
		s.number = (int)(c->arg[3] & INT_MAX);
		err = netlink_each(RTM_GETADDR, address_found, &s);
		return err < 0 ? err : s.count;
	}
	if (!to)
		return -EFAULT;
	if (request == SIOCGIFNAME) {
		s.index = to->ifr_ifindex;
		if (s.index <= 0)
			return -ENODEV;
	} else {
		to->ifr_name[IFNAMSIZ - 1] = '\0';
		memcpy(s.name, to->ifr_name, sizeof(s.name));
	}
	if (is_of_addresses(request)) {
		err = netlink_each(RTM_GETADDR, address_found, &s);
		if (err < 0 || s.known)
			return err < 0 ? err : 0;
		/* an interface without one */
		s.name[strcspn(s.name, ":")] = '\0';
	}
	err = netlink_each(RTM_GETLINK, link_found, &s);
	if (err < 0)
		return err;
	return !s.known ? -ENODEV : is_of_addresses(request) ? -EADDRNOTAVAIL : 0;
}
