/* SPDX-License-Identifier: GPL-2.0-only */
/* The interfaces as netdevice(7) tells of them: only the loopback, and nothing that differs between machines. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void show_address(const struct sockaddr *a)
{
	const struct sockaddr_in *in = (const void *)a;

	printf("%s port %u of %d", inet_ntoa(in->sin_addr), in->sin_port, a->sa_family);
}

static void ask(int s, const char *what, unsigned long request, const char *name)
{
	struct ifreq r;

	memset(&r, 0x55, sizeof(r));
	strcpy(r.ifr_name, name);
	if (request == SIOCGIFNAME)
		r.ifr_ifindex = atoi(name);
	printf("%s of %s: ", what, name);
	if (ioctl(s, request, &r) < 0) {
		printf("%s\n", strerrorname_np(errno));
		return;
	}
	switch (request) {
	case SIOCGIFFLAGS:
		printf("%#hx", r.ifr_flags);
		break;
	case SIOCGIFHWADDR:
		printf("%d %02x", r.ifr_hwaddr.sa_family, r.ifr_hwaddr.sa_data[5]);
		break;
	case SIOCGIFNAME:
	case SIOCGIFINDEX:
	case SIOCGIFMTU:
	case SIOCGIFMETRIC:
	case SIOCGIFTXQLEN:
		printf("%d", r.ifr_ifindex);
		break;
	default:
		show_address(&r.ifr_addr);
	}
	printf(" %s\n", r.ifr_name);
}

static void all(int s, const char *what)
{
	static const struct {
		const char *what;
		unsigned long request;
	} requests[] = {
		{ "name", SIOCGIFNAME }, { "flags", SIOCGIFFLAGS }, { "address", SIOCGIFADDR }, { "peer", SIOCGIFDSTADDR },
		{ "broadcast", SIOCGIFBRDADDR }, { "mask", SIOCGIFNETMASK }, { "metric", SIOCGIFMETRIC }, { "MTU", SIOCGIFMTU },
		{ "hardware", SIOCGIFHWADDR }, { "index", SIOCGIFINDEX }, { "queue", SIOCGIFTXQLEN },
	};

	printf("%s\n", what);
	for (size_t i = 0; i < COUNT(requests); i++) {
		ask(s, requests[i].what, requests[i].request, requests[i].request == SIOCGIFNAME ? "1" : "lo");
		ask(s, requests[i].what, requests[i].request, requests[i].request == SIOCGIFNAME ? "12345" : "ox");
	}
}

static void list(int s, size_t room)
{
	struct ifreq r[64];
	struct ifconf conf = { .ifc_len = room, .ifc_req = room ? r : NULL };
	int ret;

	memset(r, 0x55, sizeof(r));
	ret = ioctl(s, SIOCGIFCONF, &conf);
	printf("list in %zu bytes: %s", room, ret < 0 ? strerrorname_np(errno) : "ok");
	if (!ret && !room)
		printf(", %d", conf.ifc_len >= (int)sizeof(r[0]) && conf.ifc_len % sizeof(r[0]) == 0);
	for (size_t i = 0; !ret && room && i < conf.ifc_len / sizeof(r[0]); i++) {
		if (strcmp(r[i].ifr_name, "lo"))
			continue;
		printf(", lo ");
		show_address(&r[i].ifr_addr);
	}
	if (room < sizeof(r))
		printf(", length %d", room ? conf.ifc_len : 0);
	puts("");
}

int main(void)
{
	int inet = socket(AF_INET, SOCK_DGRAM, 0), null = open("/dev/null", O_RDWR);

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("index of lo %u, of ox %u\n", if_nametoindex("lo"), if_nametoindex("ox"));
	all(inet, "inet");
	all(socket(AF_INET, SOCK_STREAM, 0), "stream");
	all(socket(AF_UNIX, SOCK_STREAM, 0), "unix");
	list(inet, 64 * sizeof(struct ifreq));
	list(inet, 0);
	list(inet, sizeof(struct ifreq) - 1);
	list(inet, sizeof(struct ifreq));
	list(socket(AF_UNIX, SOCK_DGRAM, 0), 64 * sizeof(struct ifreq));
	printf("no socket: %s\n", ioctl(null, SIOCGIFINDEX, &(struct ifreq){ .ifr_name = "lo" }) < 0 ? strerrorname_np(errno) : "ok");
	printf("no socket, list: %s\n", ioctl(null, SIOCGIFCONF, &(struct ifconf){ 0 }) < 0 ? strerrorname_np(errno) : "ok");
	printf("no memory: %s\n", ioctl(inet, SIOCGIFINDEX, NULL) < 0 ? strerrorname_np(errno) : "ok");
	printf("no memory, list: %s\n", ioctl(inet, SIOCGIFCONF, NULL) < 0 ? strerrorname_np(errno) : "ok");
	return 0;
}
