/* SPDX-License-Identifier: GPL-2.0-only */
/* Data through descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interrupt.h"
#include "memfd.h"
#include "mq.h"
#include "output.h"
#include "policy.h"
#include "signalfd.h"
#include "sys.h"
#include "vcpu.h"
#include "window.h"

/* ------------------------------------------------------------- buffers */

void scatter(struct call *c, int i, const void *from, uint64_t n)
{
	const char *p = from;

	if (c->iovcnt[i] == 1 && from == c->iov[i]->iov_base)
		return;
	for (int s = 0; s < c->iovcnt[i] && n; s++) {
		uint64_t part = c->iov[i][s].iov_len < n ? c->iov[i][s].iov_len : n;

		guest_copy(c->iov[i][s].iov_base, p, part);
		p += part;
		n -= part;
	}
}

void *flat(struct call *c, int i, uint64_t *n)
{
	char *room = c->scratch->flat, *p = room;

	*n = c->count[i];
	if (c->iovcnt[i] == 1)
		return c->iov[i]->iov_base;
	if (*n > FLAT_MAX)
		*n = FLAT_MAX;
	if (c->row->arg[i].kind != ABI_ARG_INBUF)
		return memset(room, 0, *n);
	for (int s = 0; p < room + *n; s++) {
		uint64_t left = room + *n - p;
		uint64_t part = c->iov[i][s].iov_len < left ? c->iov[i][s].iov_len : left;

		guest_copy(p, c->iov[i][s].iov_base, part);
		p += part;
	}
	return room;
}

long plain_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5)
{
	long ret = syscall(nr, a0, a1, a2, a3, a4, a5);

	return ret == -1 ? -errno : ret;
}

/* ------------------------------------------------------------- read and write */

/* So many signals one upon another, for so long, interrupt even a call that need not wait. */
#define STORM_NS 10000000
#define STORM_TRIES 32	/* on a busy machine the first may take all of the time */

/*
 * Whether the shim may go on with the rest of a large transfer. A read goes on
 * only where the next part cannot block, a write only where Linux would make one
 * write of it all.
 */
static bool goes_on(const struct file *file, bool write)
{
	switch (file->type) {
	case S_IFREG:
		return true;
	case S_IFCHR:
		return write || file->mount;
	case S_IFIFO:
	case S_IFSOCK:
		return write;
	default:
		return false;
	}
}

/* Leaves of the call's buffer its first n bytes. */
static void shorten(struct call *c, uint64_t n)
{
	for (int s = 0; s < c->iovcnt[1]; s++) {
		struct iovec *v = &c->iov[1][s];

		if (v->iov_len > n)
			v->iov_len = n;
		n -= v->iov_len;
	}
}

/* Whether there is something it can do without waiting. */
static bool is_ready(const struct call *c, bool write)
{
	struct pollfd p = { .fd = host_fd(c, 0), .events = write ? POLLOUT : POLLIN };
	static const struct timespec now;

	return plain_syscall(SYS_ppoll, (long)&p, 1, (long)&now, 0, 8, 0) == 1;
}

/* That. */
static long when_ready(struct call *c, bool write)
{
	if (!write)
		return interruptible_syscall(SYS_readv, host_fd(c, 0), (long)c->iov[1], c->iovcnt[1], 0, 0, 0);
	/* a pipe that is ready has room for this much */
	shorten(c, PIPE_BUF);
	return interruptible_syscall(SYS_writev, host_fd(c, 0), (long)c->iov[1], c->iovcnt[1], 0, 0, 0);
}

/*
 * A signal before a call keeps it from waiting, not from what it can do without:
 * as much of it as that, or -EINTR. Who else reads there, another thread say, may
 * make it wait after all: until the next signal, since the first one's claim is
 * put aside meanwhile. Timers may send the next ones before each try; but one that
 * has ended a wait is not put aside again.
 */
static long at_once(struct call *c, bool write)
{
	uint64_t start = now_ns();
	unsigned int tries = 0;
	long ret = -EINTR;

	do {
		c->vcpu->pending = 0;
		if (is_ready(c, write))
			ret = when_ready(c, write);
		else if (fcntl(host_fd(c, 0), F_GETFL) & O_NONBLOCK)
			ret = -EAGAIN;
		else
			break;
	} while (ret == -EINTR && (++tries < STORM_TRIES || now_ns() - start < STORM_NS));
	c->vcpu->pending = 1;
	return ret;
}

/* Leaves of the call's buffer what --output allows, which is returned. */
static uint64_t shortened(struct call *c)
{
	c->count[1] = output_take(c->fd[0], c->count[1]);
	shorten(c, c->count[1]);
	return c->count[1];
}

static long transfer(struct call *c, bool write, long nr, long vnr, long a3, long a4, long a5)
{
	/* a file's data may take its time, but is never interrupted on Linux */
	typeof(plain_syscall) *make = c->fd[0]->type == S_IFREG ? plain_syscall : interruptible_syscall;
	uint64_t want = c->count[1], may = want;
	static char nothing;
	long ret;

	if (c->fd[0]->host < 0 && !write)
		return S_ISDIR(c->fd[0]->type) ? -EISDIR : -EBADF;
	if (c->fd[0]->signals && vnr == SYS_readv)
		return signalfd_read(c);
	if (c->fd[0]->node.row && !c->fd[0]->node.row->open && write)
		return synthetic_write(c);
	if (c->fd[0]->node.row) {
		ret = synthetic_renew(c->fd[0], vnr == SYS_readv ? -1 : a3);
		if (ret)
			return ret;
	}
	if (c->fd[0]->mq)
		return mq_read(c, write);
	if (c->fd[0]->memory && write) {
		ret = memfd_write(c);
		c->more = ret > 0 && (uint64_t)ret == c->count[1];
		return ret;
	}
	if (write && c->fd[0]->output)
		may = shortened(c);
	if (write && !may && c->count[1])
		return output_done(c->fd[0], want, 0, 0);
	if (c->iovcnt[1] <= 1 && nr)
		ret = make(nr, host_fd(c, 0), c->iovcnt[1] ? (long)c->iov[1]->iov_base : (long)&nothing,
			   c->count[1], a3, a4, a5);
	else
		ret = make(vnr, host_fd(c, 0), (long)c->iov[1], c->iovcnt[1], a3, a4, a5);
	if (ret == -EINTR && (nr == SYS_read || nr == SYS_write))
		ret = at_once(c, write);
	if (write)
		output_done(c->fd[0], want, may, ret);
	/* a signal that the program does not even see may have cut a write short */
	c->more = ret > 0 && ((uint64_t)ret == c->count[1] || (write && c->vcpu->pending)) && goes_on(c->fd[0], write);
	return ret;
}

long host_read(struct call *c)
{
	return transfer(c, false, SYS_read, SYS_readv, 0, 0, 0);
}

long host_write(struct call *c)
{
	return transfer(c, true, SYS_write, SYS_writev, 0, 0, 0);
}

long host_readv(struct call *c)
{
	return host_read(c);
}

long host_writev(struct call *c)
{
	return host_write(c);
}

long host_pread64(struct call *c)
{
	return transfer(c, false, SYS_pread64, SYS_preadv, c->arg[3], 0, 0);
}

long host_pwrite64(struct call *c)
{
	return transfer(c, true, SYS_pwrite64, SYS_pwritev, c->arg[3], 0, 0);
}

long host_preadv(struct call *c)
{
	return host_pread64(c);
}

long host_pwritev(struct call *c)
{
	return host_pwrite64(c);
}

long host_preadv2(struct call *c)
{
	return transfer(c, false, 0, SYS_preadv2, c->arg[3], c->arg[4], c->arg[5]);
}

long host_pwritev2(struct call *c)
{
	return transfer(c, true, 0, SYS_pwritev2, c->arg[3], c->arg[4], c->arg[5]);
}

/* ------------------------------------------------------------- between descriptors */

static long send_part(struct call *c, uint64_t n)
{
	return interruptible_syscall(SYS_sendfile, host_fd(c, 0), host_fd(c, 1), (long)c->ptr[2], n, 0, 0);
}

long host_sendfile(struct call *c)
{
	uint64_t may;

	/* what is read there is a file, and does not wait */
	if (c->fd[0]->memory)
		return memfd_receive(c, c->fd[0], NULL, send_part, c->arg[3]);
	may = output_take(c->fd[0], c->arg[3]);
	return output_done(c->fd[0], c->arg[3], may, send_part(c, may));
}

static long copy_part(struct call *c, uint64_t n)
{
	return interruptible_syscall(SYS_copy_file_range, host_fd(c, 0), (long)c->ptr[1], host_fd(c, 2),
				     (long)c->ptr[3], n, c->arg[5]);
}

long host_copy_file_range(struct call *c)
{
	uint64_t may;

	if (c->fd[2]->memory)
		return memfd_receive(c, c->fd[2], c->ptr[3], copy_part, c->arg[4]);
	may = output_take(c->fd[2], c->arg[4]);
	return output_done(c->fd[2], c->arg[4], may, copy_part(c, may));
}

long host_sync(struct call *c)
{
	(void)c;
	policy_sync();
	return 0;
}

long host_getrandom(struct call *c)
{
	long total = 0;
	int s = 0;

	do {
		void *to = c->iovcnt[0] ? c->iov[0][s].iov_base : &total;
		uint64_t len = c->iovcnt[0] ? c->iov[0][s].iov_len : 0;
		long n = plain_syscall(SYS_getrandom, (long)to, len, c->arg[2], 0, 0, 0);

		if (n < 0)
			return total ? total : n;
		total += n;
		if ((uint64_t)n < len)
			break;
	} while (++s < c->iovcnt[0]);
	return total;
}

/* ------------------------------------------------------------- as it stands */

long pass(struct call *c)
{
	long a[6] = { 0 };
	uint64_t n;
	int out = -1;
	long ret;

	for (int i = 0; i < c->row->nargs; i++) {
		const struct abi_arg *arg = &c->row->arg[i];

		switch (arg->kind) {
		case ABI_ARG_FD:
			if (host_fd(c, i) < 0 || (c->fd[i]->node.row && (c->nr == SYS_fstat || c->nr == SYS_fstatfs)))
				return synthetic_call(c);
			if (c->fd[i]->mq && c->nr == SYS_fstat)
				return c->ptr[1] ? mq_stat(c->fd[i], c->ptr[1]) : -EFAULT;
			if (c->fd[i]->memory && (c->nr == SYS_ftruncate || c->nr == SYS_fallocate))
				return memfd_resize(c);
			if ((c->nr == SYS_ftruncate && !output_may_be(c->fd[i], c->arg[1])) ||
			    (c->nr == SYS_fallocate && (!output_may_be(c->fd[i], c->arg[2]) ||
							!output_may_be(c->fd[i], c->arg[2] + c->arg[3]))))
				return -EFBIG;
			a[i] = host_fd(c, i);
			break;
		case ABI_ARG_VALUE:
			a[i] = c->arg[i];
			break;
		case ABI_ARG_OUTBUF:
			out = i;
			/* fall through */
		case ABI_ARG_INBUF:
			a[i] = (long)flat(c, i, &n);
			/* the length is always the argument behind its buffer */
			c->arg[arg->ref] = n;
			break;
		default:
			a[i] = (long)c->ptr[i];
		}
	}
	if (c->nr == SYS_flock)
		ret = interruptible_syscall(c->nr, a[0], a[1], 0, 0, 0, 0);
	else
		ret = plain_syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (out >= 0 && ret > 0)
		scatter(c, out, (void *)a[out], ret);
	return ret;
}
