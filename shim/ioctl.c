/* SPDX-License-Identifier: GPL-2.0-only */
/* ioctl(2): what a request's fourth argument to the runner is. */
#include "shim.h"

#define SIOCGIFCONF	0x8912u

/* netdevice(7) */
struct ifconf {
	int len, pad;
	gva_t buf;
};

/*
 * The interfaces' addresses. The runner tells how many there are, and of each by its number: what lies at a pointer
 * within a structure is nothing that a frame has.
 */
static long interface_list(const u64 a[6])
{
	u64 one[6] = { a[0], a[1] };
	long count = forward(NR_ioctl, one), n;
	struct ifconf conf;

	if (count < 0)
		return count;
	if (get_user(conf, a[2]))
		return -EFAULT;
	n = conf.buf ? MIN(MAX(conf.len, 0) / ABI_SIZE_ifreq, count) : count;
	for (long i = 0; conf.buf && i < n; i++) {
		one[2] = conf.buf + i * ABI_SIZE_ifreq;
		one[3] = i;
		count = forward(NR_ioctl, one);
		if (count < 0)
			return count;
	}
	conf.len = n * ABI_SIZE_ifreq;
	return put_user(conf.len, a[2]) ? -EFAULT : 0;
}

/* Of a terminal: who is not in the foreground may change it where SIGTTOU is blocked. */
long sys_ioctl(const u64 a[6])
{
	const u64 b[6] = { a[0], a[1], a[2], !!(current->mask & SIGBIT(SIGTTOU)) };

	return (u32)a[1] == SIOCGIFCONF ? interface_list(a) : forward(NR_ioctl, b);
}
