/* SPDX-License-Identifier: GPL-2.0-only */
/* --net: which sockets the program may have, and which addresses they may reach. */
#ifndef KVMRUN_NET_H
#define KVMRUN_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "confine.h"
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
 * Whether a socket of TCP may connect by its first message (MSG_FASTOPEN): Landlock is asked about
 * connect(2) alone, so not where it keeps ports.
 */
bool net_fast_open(void);

/*
 * A host socket of this family, a SOCK_* type without flags, and protocol; or -errno.
 * *offline: it only stands there, since the policy has no use for one.
 */
int net_socket(int family, int type, int protocol, bool *offline);

/*
 * The sockets and pairs that there are, for a filter: sockets of AF_UNIX first; the last pair can send to
 * any address. Of protocols TCP and UDP alone: Landlock knows of no ports of others.
 */
#define NET_SOCKETS_UNIX 3
#define NET_SOCKETS (NET_SOCKETS_UNIX + 8)
#define NET_PAIRS 3
extern const struct call_rule net_sockets[NET_SOCKETS], net_pairs[NET_PAIRS];

/* Whether one of net_sockets[] is of this family, SOCK_* type without flags, and protocol. */
bool net_makes(int family, int type, int protocol);

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
