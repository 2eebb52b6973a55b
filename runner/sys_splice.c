/* SPDX-License-Identifier: GPL-2.0-only */
/* Data between a pipe and another descriptor: splice(2), tee(2), vmsplice(2). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interrupt.h"
#include "memfd.h"
#include "output.h"
#include "sys.h"

#define FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

static long splice_with(struct call *c, uint64_t n, unsigned int flags)
{
	return interruptible_syscall(SYS_splice, host_fd(c, 0), (long)c->ptr[1], host_fd(c, 2), (long)c->ptr[3], n, flags);
}

static long splice_at_once(struct call *c, uint64_t n)
{
	return splice_with(c, n, c->arg[5] | SPLICE_F_NONBLOCK);
}

/* Into memory of memfd_create(2): nobody waits for a pipe while the room there is held. */
static long splice_to_memory(struct call *c)
{
	struct pollfd p = { .fd = host_fd(c, 0), .events = POLLIN };
	long ret;

	for (;;) {
		ret = memfd_receive(c, c->fd[2], c->ptr[3], splice_at_once, c->arg[4]);
		if (ret != -EAGAIN || c->arg[5] & SPLICE_F_NONBLOCK || fcntl(p.fd, F_GETFL) & O_NONBLOCK)
			return ret;
		ret = interruptible_syscall(SYS_ppoll, (long)&p, 1, 0, 0, 8, 0);
		if (ret < 0)
			return ret;
	}
}

long host_splice(struct call *c)
{
	uint64_t may;

	if (host_fd(c, 0) < 0 || host_fd(c, 2) < 0)
		return -EINVAL;
	if (c->fd[2]->memory)
		return splice_to_memory(c);
	may = output_take(c->fd[2], c->arg[4]);
	return output_done(c->fd[2], c->arg[4], may, splice_with(c, may, c->arg[5]));
}

long host_tee(struct call *c)
{
	uint64_t may;
	long ret;

	if (host_fd(c, 0) < 0 || host_fd(c, 1) < 0)
		return -EINVAL;
	may = output_take(c->fd[1], c->arg[2]);
	ret = interruptible_syscall(SYS_tee, host_fd(c, 0), host_fd(c, 1), may, (unsigned int)c->arg[3], 0, 0);
	return output_done(c->fd[1], c->arg[2], may, ret);
}

/*
 * A copy: the pages are the guest's, and may be another thing to it before a reader has seen
 * them. The other direction, from a pipe's end to memory, is read(2) by another name, and not here.
 */
long host_vmsplice(struct call *c)
{
	struct pollfd p = { .fd = host_fd(c, 0), .events = POLLOUT };
	static const struct timespec now;
	struct iovec first;

	if (c->arg[3] & ~(uint64_t)FLAGS)
		return -EINVAL;
	if (c->fd[0]->type != S_IFIFO)
		return -EBADF;
	if ((fcntl(p.fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	if (!c->count[1])
		return 0;
	if (c->fd[0]->output)
		return host_write(c);
	if (!(c->arg[3] & SPLICE_F_NONBLOCK))
		return interruptible_syscall(SYS_writev, p.fd, (long)c->iov[1], c->iovcnt[1], 0, 0, 0);
	if (plain_syscall(SYS_ppoll, (long)&p, 1, (long)&now, 0, 8, 0) != 1)
		return -EAGAIN;
	/* one that is ready has room for this much */
	first = c->iov[1][0];
	if (first.iov_len > PIPE_BUF)
		first.iov_len = PIPE_BUF;
	return interruptible_syscall(SYS_writev, p.fd, (long)&first, 1, 0, 0, 0);
}
