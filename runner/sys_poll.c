/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for descriptors. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "interrupt.h"
#include "ipc.h"
#include "nsec.h"
#include "pidfd.h"
#include "sys.h"

_Static_assert(sizeof(struct pollfd) == ABI_SIZE_pollfd, "struct pollfd");
_Static_assert(sizeof(struct epoll_event) == ABI_SIZE_epoll_event, "struct epoll_event");

#define POLL_MAX (ABI_DATA / sizeof(struct pollfd))
#define FOREVER UINT64_MAX

/* ------------------------------------------------------------- how long */

/*
 * When a wait of ns ends: a wait that is made again after an interruption ends
 * when it would have the first time.
 */
static uint64_t deadline(const struct call *c, uint64_t ns)
{
	uint64_t now = now_ns();

	if (ns == FOREVER)
		return FOREVER;
	if (c->deadline)
		return c->deadline;
	return ns >= FOREVER - 1 - now ? FOREVER - 1 : now + ns;
}

static uint64_t left(uint64_t deadline)
{
	uint64_t now = now_ns();

	return deadline <= now ? 0 : deadline - now;
}

/* ns of a valid time. */
static uint64_t from_timespec(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec >= FOREVER / SECOND - 1 ? FOREVER - 1 : ns_of(*ts);
}

/* ------------------------------------------------------------- poll */

/* The host's poll on host descriptors until end; -EINTR leaves c->deadline for the next try. */
static long wait_poll(struct call *c, struct pollfd *p, unsigned int n, uint64_t end)
{
	struct timespec ts = timespec_of(end == FOREVER ? 0 : left(end));
	long ret = interruptible_syscall(SYS_ppoll, (long)p, n, end == FOREVER ? 0 : (long)&ts, 0, 8, 0);

	if (ret == -EINTR && end != FOREVER)
		c->deadline = end;
	return ret;
}

/*
 * poll(2) on guest descriptors p[0..n). One that is not open is POLLNVAL, a
 * synthetic directory is always ready: neither waits.
 */
static long poll_guest(struct call *c, struct pollfd *p, unsigned int n, uint64_t ns)
{
	struct pollfd host[POLL_MAX];
	struct file *held[POLL_MAX];
	uint64_t end = deadline(c, ns);
	long ready = 0, ret;

	mq_look();
	for (unsigned int i = 0; i < n; i++) {
		held[i] = fd_get(p[i].fd);
		host[i] = (struct pollfd){ held[i] ? held[i]->host : -1, p[i].events, 0 };
		/* what is ready here is counted once */
		if (held[i] && held[i]->pid && pidfd_over(held[i]))
			host[i].fd = -1;
		p[i].revents = 0;
		if (p[i].fd < 0)
			continue;
		if (!held[i])
			p[i].revents = POLLNVAL;
		else if (held[i]->host < 0)
			p[i].revents = p[i].events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
		else if (held[i]->pid && pidfd_over(held[i]))
			p[i].revents = p[i].events & (POLLIN | POLLRDNORM);
		ready += !!p[i].revents;
	}
	ret = wait_poll(c, host, n, ready ? 0 : end);
	for (unsigned int i = 0; i < n; i++) {
		if (ret > 0)
			p[i].revents |= host[i].revents;
		file_put(held[i]);
	}
	return ret < 0 ? ret : ret + ready;
}

static long do_poll(struct call *c, uint64_t ns)
{
	uint64_t n = (unsigned int)c->arg[1];

	if (n > POLL_MAX)
		return -EINVAL;
	if (n && !c->ptr[0])
		return -EFAULT;
	return poll_guest(c, c->ptr[0], n, ns);
}

long host_poll(struct call *c)
{
	int ms = c->arg[2];

	return do_poll(c, ms < 0 ? FOREVER : ms * 1000000ull);
}

/*
 * A wait whose time is a timespec, where the time that is left is stored, as Linux
 * does. The signal mask is the shim's business.
 */
static long wait_timespec(struct call *c, struct timespec *ts, long (*wait)(struct call *c, uint64_t ns))
{
	uint64_t ns = FOREVER, end;
	long ret;

	if (ts && !time_valid(ts))
		return -EINVAL;
	if (ts)
		ns = from_timespec(ts);
	end = deadline(c, ns);
	ret = wait(c, ns);
	if (ts)
		*ts = timespec_of(left(end));
	return ret;
}

long host_ppoll(struct call *c)
{
	return wait_timespec(c, c->ptr[2], do_poll);
}

/* ------------------------------------------------------------- select */

#define SETS 3
static const short asked[SETS] = { POLLIN, POLLOUT, POLLPRI };
static const short answered[SETS] = {
	POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
	POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
	POLLPRI,
};

#define SET_BITS (ABI_SIZE_fdset * 8)

static bool in_set(const uint64_t *set, unsigned int fd)
{
	return set && set[fd / 64] >> fd % 64 & 1;
}

/* By poll, since a host descriptor's number may be beyond any set. */
static long do_select(struct call *c, uint64_t ns)
{
	struct pollfd p[SET_BITS];
	uint64_t *set[SETS] = { c->ptr[1], c->ptr[2], c->ptr[3] };
	int nfds = c->arg[0];
	unsigned int n = 0;
	long ret, bits = 0;

	if (nfds < 0)
		return -EINVAL;
	for (unsigned int fd = 0; fd < (unsigned int)nfds && fd < SET_BITS; fd++) {
		short events = 0;

		for (int s = 0; s < SETS; s++)
			if (in_set(set[s], fd))
				events |= asked[s];
		if (events)
			p[n++] = (struct pollfd){ fd, events, 0 };
	}
	for (unsigned int i = 0; i < n; i++) {
		if (fd_cloexec(p[i].fd) < 0)
			return -EBADF;
	}
	ret = poll_guest(c, p, n, ns);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < n; i++) {
		if (p[i].revents & POLLNVAL)
			return -EBADF;
		for (int s = 0; s < SETS; s++) {
			uint64_t bit = 1ull << p[i].fd % 64;

			if (!in_set(set[s], p[i].fd))
				continue;
			if (p[i].revents & answered[s])
				bits++;
			else
				set[s][p[i].fd / 64] &= ~bit;
		}
	}
	return bits;
}

long host_select(struct call *c)
{
	struct timeval *tv = c->ptr[4];
	uint64_t ns = FOREVER, end;
	long ret;

	if (tv && (tv->tv_sec < 0 || tv->tv_usec < 0))
		return -EINVAL;
	if (tv)
		ns = (uint64_t)tv->tv_sec >= FOREVER / SECOND / 2 || (uint64_t)tv->tv_usec >= FOREVER / SECOND / 2 ?
			FOREVER - 1 : ns_of_timeval(*tv);
	end = deadline(c, ns);
	ret = do_select(c, ns);
	if (tv) {
		uint64_t rest = left(end);

		*tv = (struct timeval){ rest / SECOND, rest % SECOND / 1000 };
	}
	return ret;
}

long host_pselect6(struct call *c)
{
	return wait_timespec(c, c->ptr[4], do_select);
}

/* ------------------------------------------------------------- epoll */

/* What is one of epoll(7) on the host only. */
static bool not_epoll(const struct file *file)
{
	return file->signals || file->pid;
}

long host_epoll_ctl(struct call *c)
{
	if (not_epoll(c->fd[0]))
		return -EINVAL;
	if (host_fd(c, 2) < 0)
		return -EPERM;
	return syscall(SYS_epoll_ctl, host_fd(c, 0), (int)c->arg[1], host_fd(c, 2), c->ptr[3]) < 0 ? -errno : 0;
}

static long do_epoll_wait(struct call *c, uint64_t ns)
{
	uint64_t end = deadline(c, ns);
	struct timespec ts;
	int max = c->arg[2];
	long ret;

	if (max <= 0 || not_epoll(c->fd[0]))
		return -EINVAL;
	if (!c->ptr[1])
		return -EFAULT;
	mq_look();
	/* epoll_pwait2() is younger than the kernels we run on: milliseconds, rounded up */
	ts = timespec_of(end == FOREVER ? 0 : left(end) + 999999);
	ret = interruptible_syscall(SYS_epoll_pwait, host_fd(c, 0), (long)c->ptr[1], max,
				    end == FOREVER ? -1 : ts.tv_sec > INT32_MAX / 1000 - 1 ? INT32_MAX :
				    ts.tv_sec * 1000 + ts.tv_nsec / 1000000, 0, 8);
	if (ret == -EINTR && end != FOREVER)
		c->deadline = end;
	return ret;
}

long host_epoll_wait(struct call *c)
{
	int ms = c->arg[3];

	return do_epoll_wait(c, ms < 0 ? FOREVER : ms * 1000000ull);
}

long host_epoll_pwait(struct call *c)
{
	return host_epoll_wait(c);
}

long host_epoll_pwait2(struct call *c)
{
	const struct timespec *ts = c->ptr[3];

	if (ts && !time_valid(ts))
		return -EINVAL;
	return do_epoll_wait(c, ts ? from_timespec(ts) : FOREVER);
}
