/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets of AF_NETLINK, which nobody but the runner serves: routing's, from which programs learn what interfaces
 * and addresses there are (getifaddrs(3), if_nameindex(3)), and with it all that mq_notify(3) wants. The program's
 * end is one of a pair of UNIX sockets, so that its waiting is the host's; the other end is the runner's.
 */
#ifndef KVMRUN_NETLINK_H
#define KVMRUN_NETLINK_H

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fdtable.h"

/* For --net host: asks the host what it has, once, before the jail. */
void netlink_init(void);

/*
 * A socket of type for protocol, with SOCK_NONBLOCK in flags or without; NULL with *err: -ESOCKTNOSUPPORT,
 * -EPROTONOSUPPORT (of other protocols than routing's), -EMFILE, -ENOMEM.
 */
struct file *netlink_socket(int type, int protocol, int flags, int *err);

/*
 * bind(2) and connect(2) of a copy of an address: 0, -EINVAL, -EADDRINUSE when this process has that port, -EPERM
 * (to connect to groups). Groups may be joined; nothing ever happens that they are told of.
 */
int netlink_bind(struct file *file, const struct sockaddr_storage *addr, socklen_t len);
int netlink_connect(struct file *file, const struct sockaddr_storage *addr, socklen_t len);

/* Its own address, or the kernel's; returns the address's length. */
socklen_t netlink_name(const struct file *file, struct sockaddr_storage *addr, bool peer);

/*
 * Requests of size bytes, to an address of len bytes (0: none), in guest memory: copied, then each answered into
 * the socket. size, -EMSGSIZE, -EFAULT, -EINVAL, -EPERM, -ECONNREFUSED (to another program's), -ENOMEM.
 */
long netlink_send(struct file *file, const struct iovec *iov, unsigned int iovcnt, uint64_t size,
		  const struct sockaddr_storage *addr, socklen_t len);

/*
 * Each link (RTM_GETLINK) or address (RTM_GETADDR; of the loopback IPv4's alone) that there is, as its message, until fn
 * returns other than 0: that; else 0, or -ENOMEM.
 */
int netlink_each(int request, int (*fn)(const struct nlmsghdr *m, void *data), void *data);

/* The attribute of that type of a message whose fixed part has this size; NULL: there is none. */
const struct rtattr *netlink_attribute(const struct nlmsghdr *m, size_t fixed, int type);

/* The value of one that is ended by 0; NULL: there is none. */
const char *netlink_string(const struct nlmsghdr *m, size_t fixed, int type);

/* Whether a link's message is of the interface of that number or, if it is 0 or less, of that name. */
bool netlink_is_link(const struct nlmsghdr *m, int index, const char *name);

/* An option of SOL_NETLINK: 0 where it makes no difference here, else -ENOPROTOOPT. */
int netlink_set_option(int option);

/* copy is a duplicate of file, with an end of its own: 0 or -ENOMEM. */
int netlink_share(struct file *copy, const struct file *file);

/* Its last descriptor is closed. */
void netlink_gone(struct file *file);

#endif
