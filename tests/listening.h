/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets that listen, for attempts to reach them or their like. Include after cmocka.h. */
#ifndef KVMRUN_TESTS_LISTENING_H
#define KVMRUN_TESTS_LISTENING_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Of TCP on the loopback, at a port of its own. */
static inline int listening_at_port(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (void *)&a, len) == 0 && listen(fd, 10) == 0);
	assert_int_equal(getsockname(fd, (void *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* UNIX, with a name that no file has. */
static inline int listening_abstract(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path + 1, name, strlen(name));
	assert_int_equal(bind(fd, (void *)&a, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)), 0);
	assert_int_equal(listen(fd, 10), 0);
	return fd;
}

#endif
