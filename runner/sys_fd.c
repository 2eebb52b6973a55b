/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors themselves. */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/random.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "async.h"
#include "interrupt.h"
#include "mq.h"
#include "netif.h"
#include "process.h"
#include "sys.h"
#include "terminal.h"

long give(int host, mode_t type, bool cloexec)
{
	struct file *file = file_new(host, type, NULL, NULL);

	return file ? fd_install(file, 0, cloexec) : -ENOMEM;
}

long host_close(struct call *c)
{
	return fd_close((int)c->arg[0]);
}

long host_close_range(struct call *c)
{
	unsigned int first = c->arg[0], last = c->arg[1], flags = c->arg[2];

	/* nothing shares the table, so there is nothing to unshare */
	if (flags & ~(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE) || first > last)
		return -EINVAL;
	fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
	return 0;
}

/* ------------------------------------------------------------- dup */

static long duplicate(struct call *c, int min, bool cloexec)
{
	int err;
	struct file *file = file_duplicate(c->fd[0], &err);

	return file ? fd_install(file, min, cloexec) : err;
}

static long replace(struct call *c, int to, bool cloexec)
{
	int err;
	struct file *file = file_duplicate(c->fd[0], &err);

	return file ? fd_replace(file, to, cloexec) : err;
}

long host_dup(struct call *c)
{
	return duplicate(c, 0, false);
}

long host_dup2(struct call *c)
{
	int from = c->arg[0], to = c->arg[1];

	return from == to ? to : replace(c, to, false);
}

long host_dup3(struct call *c)
{
	int from = c->arg[0], to = c->arg[1];

	if (from == to || c->arg[2] & ~(uint64_t)O_CLOEXEC)
		return -EINVAL;
	return replace(c, to, c->arg[2] & O_CLOEXEC);
}

/* ------------------------------------------------------------- requests */

/* The host's fcntl or ioctl with the same third argument; whether it may wait for something. */
static long request_call(struct call *c, bool waits)
{
	typeof(plain_syscall) *make = waits ? interruptible_syscall : plain_syscall;

	return make(c->nr, host_fd(c, 0), (unsigned int)c->arg[1],
		    c->ptr[2] ? (long)c->ptr[2] : (long)c->arg[2], 0, 0, 0);
}

/* What F_SETFL may change of the host's file; O_ASYNC is not the host's. */
#define SETTABLE (O_APPEND | O_DIRECT | O_NOATIME | O_NONBLOCK)

static long set_flags(struct call *c)
{
	int old = fcntl(host_fd(c, 0), F_GETFL);

	if (old < 0)
		return -errno;
	if (fcntl(host_fd(c, 0), F_SETFL, (old & ~(SETTABLE | O_ASYNC)) | (c->arg[2] & SETTABLE)) < 0)
		return -errno;
	/* what has no such signals ignores it */
	if (!(c->arg[2] & O_ASYNC) != !async_is_on(c->fd[0])) {
		long ret = async_switch(c->fd[0], (int)c->arg[0], c->arg[2] & O_ASYNC);

		return ret == -ENOTTY ? 0 : ret;
	}
	return 0;
}

/* An owner is a process or a group; a single thread (F_OWNER_TID) is refused. */
static long owner_ex(struct call *c, bool set)
{
	struct f_owner_ex *to = c->ptr[2];
	int owner;

	if (!to)
		return -EFAULT;
	if (set && to->pid == INT_MIN)
		return -ESRCH;
	if (set && to->type != F_OWNER_PID && to->type != F_OWNER_PGRP)
		return -EINVAL;
	if (set)
		return async_set_owner(c->fd[0], to->type == F_OWNER_PGRP ? -to->pid : to->pid);
	owner = async_owner(c->fd[0]);
	to->type = owner < 0 ? F_OWNER_PGRP : F_OWNER_PID;
	to->pid = owner < 0 ? -owner : owner;
	return 0;
}

/* Who has a lock, by the program's numbers; -1, as it is, for one of an open file. */
static void tell_owner(struct flock *lock)
{
	if (lock->l_pid > 0)
		lock->l_pid = process_id(lock->l_pid);
}

long host_fcntl(struct call *c)
{
	int fd = c->arg[0], request = c->arg[1];
	long ret;

	switch (request) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(c, c->arg[2], request == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_cloexec(fd);
	case F_SETFD:
		return fd_set_cloexec(fd, c->arg[2] & FD_CLOEXEC);
	case F_GETFL:
		if (host_fd(c, 0) < 0)
			return O_RDONLY | O_DIRECTORY;
		if (c->fd[0]->mq)
			return mq_flags(c->fd[0]);
		ret = request_call(c, false);
		return ret < 0 ? ret : ret | (async_is_on(c->fd[0]) ? O_ASYNC : 0);
	case F_SETFL:
		return set_flags(c);
	case F_SETOWN:
		return async_set_owner(c->fd[0], (int)c->arg[2]);
	case F_GETOWN:
		return async_owner(c->fd[0]);
	case F_SETOWN_EX:
	case F_GETOWN_EX:
		return owner_ex(c, request == F_SETOWN_EX);
	case F_SETSIG:
		return async_set_signal(c->fd[0], (int)c->arg[2]);
	case F_GETSIG:
		return async_signal(c->fd[0]);
	case F_NOTIFY:
		/* the host's would signal by itself. To ask for no event takes back those asked for, of which there are none */
		return (uint32_t)c->arg[2] & ~DN_MULTISHOT ? -EINVAL : 0;
	}
	/* the rest of the list is about the open file alone: locks, pipe size, seals */
	ret = request_call(c, request == F_SETLKW || request == F_OFD_SETLKW);
	/* a lock of a process that is not the program's: Linux, too, tells 0 of one that cannot be seen */
	if (ret == 0 && (request == F_GETLK || request == F_OFD_GETLK) && ((struct flock *)c->ptr[2])->l_type != F_UNLCK)
		tell_owner(c->ptr[2]);
	return ret;
}

/* A call for a terminal by a thread that has SIGTTOU blocked, which only the shim knows: its answer to ioctl(2)'s fourth argument. */
static long terminal_call(struct call *c)
{
	uint64_t set = 1ull << (SIGTTOU - 1);
	long ret;

	if (c->arg[3])
		syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof(set));
	ret = request_call(c, true);
	if (c->arg[3])
		syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, sizeof(set));
	return ret;
}

/* A terminal's process group or session, by the program's numbers. Those of others show as 0 and cannot be given the terminal. */
static long terminal_owner(struct call *c, unsigned int request)
{
	int *id = c->ptr[2], group, now;
	long ret;

	if (!id)
		return -EFAULT;
	if (request == TIOCSPGRP) {
		/* what is no terminal comes first, as on Linux */
		ret = plain_syscall(SYS_ioctl, host_fd(c, 0), TIOCGPGRP, (long)&now, 0, 0, 0);
		if (ret < 0)
			return ret;
		group = *id < 0 ? -EINVAL : process_group_on_host(*id);
		if (group < 0)
			return group;
		*id = group;
		return terminal_call(c);
	}
	ret = request_call(c, false);
	if (ret == 0)
		*id = request == TIOCGSID ? process_session_from_host(*id) : process_group_from_host(*id);
	return ret;
}

/* What is about pseudo-terminals and their sessions: whether request is, then with *ret. */
static bool pty_request(struct call *c, unsigned int request, long *ret)
{
	switch (request) {
	case TIOCGPTN:
		*ret = !c->fd[0]->pty ? -ENOTTY : c->ptr[2] ? request_call(c, false) : -EFAULT;
		if (!*ret)
			*(int *)c->ptr[2] = pty_number(c->fd[0]);
		return true;
	case TIOCGPTPEER:
		*ret = pty_peer(c->fd[0], (unsigned int)c->arg[2]);
		return true;
	case TIOCSCTTY:
		/* never another session's: that takes a privilege */
		*ret = plain_syscall(SYS_ioctl, host_fd(c, 0), TIOCSCTTY, 0, 0, 0, 0);
		if (!*ret)
			pty_controls(c->fd[0]);
		return true;
	case TIOCNOTTY:
		*ret = plain_syscall(SYS_ioctl, host_fd(c, 0), TIOCNOTTY, 0, 0, 0, 0);
		if (!*ret)
			pty_no_more();
		return true;
	}
	return false;
}

/* What Linux has said of its randomness since 5.18, once it is seeded. */
static long entropy(struct call *c)
{
	struct stat st;

	if (fstat(host_fd(c, 0), &st) < 0 || !S_ISCHR(st.st_mode) ||
	    (st.st_rdev != makedev(1, 8) && st.st_rdev != makedev(1, 9)))
		return -ENOTTY;
	if (!c->ptr[2])
		return -EFAULT;
	*(int *)c->ptr[2] = 256;
	return 0;
}

long host_ioctl(struct call *c)
{
	/* what waits for output, or may send SIGTTOU: the call is made again when that has been dealt with */
	static const unsigned int changes[] = {
		TCSETS, TCSETSW, TCSETSF, TCSETS2, TCSETSW2, TCSETSF2, TCSETA, TCSETAW, TCSETAF, TCSBRK, TCXONC, TCFLSH,
	};
	unsigned int request = c->arg[1];
	long ret;

	switch (request) {
	case FIOCLEX:
	case FIONCLEX:
		return fd_set_cloexec((int)c->arg[0], request == FIOCLEX);
	case FIOASYNC:
		return c->ptr[2] ? async_switch(c->fd[0], (int)c->arg[0], *(const int *)c->ptr[2]) : -EFAULT;
	case RNDGETENTCNT:
		return entropy(c);
	}
	if (request >= SIOCGIFNAME && request <= SIOCGIFTXQLEN)
		return netif_request(c, request);
	if (pty_request(c, request, &ret))
		return ret;
	if (request == TIOCGPGRP || request == TIOCSPGRP || request == TIOCGSID)
		return terminal_owner(c, request);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (request == changes[i])
			return terminal_call(c);
	return request_call(c, false);
}

/* ------------------------------------------------------------- new descriptors without a path */

static long make_pipe(struct call *c, uint64_t flags)
{
	int host[2], fd[2], err;
	struct file *file[2];

	if (!c->ptr[0])
		return -EFAULT;
	if (flags & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	if (pipe2(host, (flags & ~O_CLOEXEC) | O_CLOEXEC) < 0)
		return -errno;
	file[0] = file_new(host[0], S_IFIFO, NULL, NULL);
	file[1] = file_new(host[1], S_IFIFO, NULL, NULL);
	if (!file[0] || !file[1]) {
		file_put(file[0]);
		file_put(file[1]);
		return -ENOMEM;
	}
	err = fd_install_pair(file, fd, flags & O_CLOEXEC);
	if (!err) {
		((int *)c->ptr[0])[0] = fd[0];
		((int *)c->ptr[0])[1] = fd[1];
	}
	return err;
}

long host_pipe(struct call *c)
{
	return make_pipe(c, 0);
}

long host_pipe2(struct call *c)
{
	return make_pipe(c, (unsigned int)c->arg[1]);
}

/* A host call that makes a descriptor and whose flags' close-on-exec bit is O_CLOEXEC, as all of them have it. */
static long make_plain(long nr, long a0, long flags)
{
	long host = plain_syscall(nr, a0, flags | O_CLOEXEC, 0, 0, 0, 0);

	return host < 0 ? host : give(host, 0, flags & O_CLOEXEC);
}

long host_eventfd(struct call *c)
{
	return make_plain(SYS_eventfd2, c->arg[0], 0);
}

long host_eventfd2(struct call *c)
{
	return make_plain(SYS_eventfd2, c->arg[0], (int)c->arg[1]);
}

long host_timerfd_create(struct call *c)
{
	return make_plain(SYS_timerfd_create, c->arg[0], (int)c->arg[1]);
}

static long make_epoll(uint64_t flags)
{
	int host;

	if (flags & ~(uint64_t)O_CLOEXEC)
		return -EINVAL;
	host = plain_syscall(SYS_epoll_create1, O_CLOEXEC, 0, 0, 0, 0, 0);
	return host < 0 ? host : give(host, 0, flags & O_CLOEXEC);
}

long host_epoll_create(struct call *c)
{
	return (int)c->arg[0] <= 0 ? -EINVAL : make_epoll(0);
}

long host_epoll_create1(struct call *c)
{
	return make_epoll((unsigned int)c->arg[0]);
}
