/* SPDX-License-Identifier: GPL-2.0-only */
/* --net: which sockets the program may have, and which addresses they may reach. */
#ifndef KVMRUN_NET_H
#define KVMRUN_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "options.h"

/*
 * Looks up the hosts of --net connect=, and makes the network of --net loopback.
 * After policy_init(), before there is a thread or a VM. Failure is one line on
 * stderr and exit status 125.
 */
void net_init(const struct config *config);

enum net_mode net_mode(void);

/* The i-th port that --net lists for listening, or for connecting; 0 after the last. */
uint16_t net_port(size_t i, bool listening);

/*
 * Whether the jail lets sockets have addresses: bind(2) and connect(2) are not to be
 * made by the runner where they are not.
 */
bool net_addresses(void);

/*
 * Whether a pair of datagram sockets is one: they can send to any address that the host
 * has for this process. Where that is not to be, it is a pair for packets.
 */
bool net_datagram_pairs(void);

/*
 * A host socket of this family, a SOCK_* type without flags, and protocol; or -errno.
 * *offline: it only stands there, since the policy has no use for one.
 */
int net_socket(int family, int type, int protocol, bool *offline);

/*
 * Whether an address of AF_INET or AF_INET6 may be connected to or sent to, or bound
 * to: 0 or -errno, and --explain tells why.
 */
int net_may_connect(const struct sockaddr *addr);
int net_may_bind(const struct sockaddr *addr);

/* Whether a socket bound to addr may take connections: 0 or -EACCES. */
int net_may_listen(const struct sockaddr *addr);

/*
 * The process that makes sockets in a network namespace of its own, whose loopback
 * is up; nothing else is in there. It ends when all that know it have.
 */
void netns_start(void);

/* A socket in there: its descriptor, or -errno. */
int netns_socket(int family, int type, int protocol);

#endif
