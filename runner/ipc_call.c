/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <sys/stat.h>

#include "ipc.h"
#include "ipc_call.h"
#include "window.h"

static mode_t mask;

void ipc_umask_is(mode_t is)
{
	mask = is;
}

mode_t ipc_umask(void)
{
	return mask;
}

long ipc_gather(const struct call *c, int i, void *to, uint64_t n)
{
	for (int k = 0; k < c->iovcnt[i] && n; k++) {
		uint64_t part = c->iov[i][k].iov_len < n ? c->iov[i][k].iov_len : n;

		if (guest_copy(to, c->iov[i][k].iov_base, part))
			return -EFAULT;
		to = (uint8_t *)to + part;
		n -= part;
	}
	return n ? -EFAULT : 0;
}

long ipc_scatter(const struct call *c, int i, const void *from, uint64_t n)
{
	uint64_t left = n;

	for (int k = 0; k < c->iovcnt[i] && left; k++) {
		uint64_t part = c->iov[i][k].iov_len < left ? c->iov[i][k].iov_len : left;

		if (guest_copy(c->iov[i][k].iov_base, from, part))
			return -EFAULT;
		from = (const uint8_t *)from + part;
		left -= part;
	}
	return left ? -EFAULT : (long)n;
}

long ipc_control(struct call *c, long (*control)(int id, int cmd, void *p))
{
	long ret = ipc_enter();

	if (ret)
		return ret;
	ret = control(c->arg[0], c->arg[1], c->ptr[2]);
	ipc_leave();
	return ret;
}
