/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests about interfaces, netdevice(7): what netlink tells, in its older form (if_nametoindex(3), Java, ifconfig). */
#ifndef KVMRUN_NETIF_H
#define KVMRUN_NETIF_H

#include "call.h"

/*
 * An ioctl(2) whose third argument is a struct ifreq. SIOCGIFCONF is the address of that number in the fourth
 * argument, if there is room for it, and their count. -ENOTTY (no socket, or not of AF_INET where addresses are asked
 * for), -EFAULT, -ENODEV, -EADDRNOTAVAIL, -ENOMEM.
 */
long netif_request(struct call *c, unsigned int request);

#endif
