/* SPDX-License-Identifier: GPL-2.0-only */
/* What the handlers of sockets share. */
#ifndef KVMRUN_SYS_SOCKET_H
#define KVMRUN_SYS_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sys.h"
#include "unixname.h"

/* An address of the guest's as the host is to be given it. */
struct address {
	struct sockaddr_storage addr;
	socklen_t len;
	struct unixname unix_name;	/* of AF_UNIX */
};

enum address_use { ADDRESS_CONNECT, ADDRESS_SEND, ADDRESS_BIND };

/*
 * Checks an address of len bytes by the policy. 0, and address_done() must follow, or
 * -errno. Where the jail forbids addresses, only AF_UNSPEC for a connection gets through.
 */
int address_find(struct file *file, const void *guest, uint64_t len, enum address_use use, struct address *a);
void address_done(struct address *a);

/* Writes an address that the host told to output i, and its length to the next: the guest's form of it. */
void address_seen(struct call *c, int i, struct sockaddr_storage *addr, socklen_t len);

/* A copy of an address of the guest's, for netlink.h; its length, 0 where there is none, or too long a one. */
socklen_t address_copy(const void *guest, uint64_t len, struct sockaddr_storage *addr);

/* 0, or -ENOTSOCK: whether the call's first descriptor is a socket. */
int need_socket(const struct call *c);

int socket_family(struct file *file);
int socket_type(struct file *file);

#endif
