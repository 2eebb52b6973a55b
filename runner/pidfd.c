/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fdtable.h"
#include "load.h"
#include "pidfd.h"
#include "process.h"
#include "process_table.h"
#include "sys.h"

/* A descriptor that is ready for nothing until its eventfd is, and never to be read or written. */
struct flag {
	int event, epoll;
};

static struct flag first = { -1, -1 };	/* the first process has ended */
static struct flag gone = { -1, -1 };	/* always ready: of who has left nothing on the host */

static int flag_open(struct flag *f, unsigned int value)
{
	struct epoll_event in = { .events = EPOLLIN };

	if (f->epoll >= 0)
		return 0;
	f->event = eventfd(value, EFD_CLOEXEC);
	f->epoll = f->event < 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
	if (f->epoll >= 0 && epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->event, &in) == 0)
		return 0;
	return -EMFILE;
}

int pidfd_watch_first(void)
{
	return flag_open(&first, 0);
}

void pidfd_first_over(void)
{
	static const uint64_t one = 1;

	if (write(first.event, &one, sizeof(one)) < 0)
		return;		/* nobody has asked for it */
}

static int duplicate(const struct flag *f)
{
	int host = fcntl(f->epoll, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	return host < 0 ? -EMFILE : host;
}

/* A host descriptor for a process that is there or a zombie, and which of those of its number it is. */
static int open_host(int pid, uint64_t *born)
{
	struct process *p;
	int host = -ESRCH;

	*born = 0;
	if (!procs)
		return pid != GUEST_PID ? -ESRCH : flag_open(&first, 0) ? -EMFILE : duplicate(&first);
	proc_lock();
	p = proc_find(pid);
	if (p) {
		*born = p->born;
		host = p == procs->process ? duplicate(&first) : plain_syscall(SYS_pidfd_open, p->host, 0, 0, 0, 0, 0);
		if (host == -ESRCH || host == -EINVAL)
			host = flag_open(&gone, 1) ? -EMFILE : duplicate(&gone);
	}
	proc_unlock();
	return host;
}

static struct file *new_file(int pid, int flags, long *err)
{
	struct file *file;
	uint64_t born;
	int host = open_host(pid, &born);

	*err = host < 0 ? host : -ENOMEM;
	file = host < 0 ? NULL : file_new(host, 0, NULL, NULL);
	if (!file)
		return NULL;
	file->pid = pid;
	file->born = born;
	if (flags)
		fcntl(host, F_SETFL, O_RDWR | flags);
	return file;
}

int pidfd_reserve(void)
{
	int host = flag_open(&gone, 1) ? -EMFILE : duplicate(&gone);
	struct file *file = host < 0 ? NULL : file_new(host, 0, NULL, NULL);

	return file ? fd_install(file, 0, true) : host < 0 ? host : -ENOMEM;
}

void pidfd_fill(int fd, int pid)
{
	long err;
	struct file *file = new_file(pid, 0, &err);

	if (file)
		fd_replace(file, fd, true);
}

void pidfd_directory(struct file *file)
{
	const struct process *p;

	if (!procs)
		return;
	proc_lock();
	p = proc_find(file->node.pid);
	file->born = p ? p->born : UINT64_MAX;
	proc_unlock();
}

/* The process that a descriptor is for, its own or its directory's; 0: none. */
static int number_of(const struct file *file)
{
	return file->pid ? file->pid : synth_is_process(&file->node) ? file->node.pid : 0;
}

/* That process, alive or a zombie, with the table's lock held; NULL: it is no more. */
static struct process *process_of(const struct file *file)
{
	struct process *p = proc_find(number_of(file));

	return p && p->born == file->born ? p : NULL;
}

bool pidfd_over(const struct file *file)
{
	const struct process *p;
	bool over;

	if (!procs)
		return false;
	proc_lock();
	p = process_of(file);
	over = !p || !proc_alive(p);
	proc_unlock();
	return over;
}

/* ------------------------------------------------------------- the calls */

long host_pidfd_open(struct call *c)
{
	int pid = c->arg[0], flags = c->arg[1];
	struct file *file;
	long err;

	if ((flags & ~O_NONBLOCK) || pid <= 0)
		return -EINVAL;
	file = new_file(pid, flags, &err);
	return file ? fd_install(file, 0, true) : err;
}

long host_pidfd_send_signal(struct call *c)
{
	struct file *file = c->fd[0];
	int sig = c->arg[1], pid = number_of(file);
	siginfo_t info;
	bool there;

	if (c->arg[3])
		return -EINVAL;
	if (!pid)
		return -EBADF;
	if (c->ptr[2]) {
		memcpy(&info, c->ptr[2], sizeof(info));
		if (info.si_signo != sig)
			return -EINVAL;
		/* only the kernel's own may be for others, sigqueue(3) */
		if (pid != process_pid() && (info.si_code >= 0 || info.si_code == SI_TKILL))
			return -EPERM;
	} else {
		memset(&info, 0, sizeof(info));
		info.si_signo = sig;
		info.si_code = SI_USER;
		info.si_pid = process_pid();
		info.si_uid = process_uid();
	}
	if (sig < 0 || sig > 64)
		return -EINVAL;
	if (pid == GUEST_PPID)
		return -EPERM;
	if (procs) {
		proc_lock();
		there = process_of(file);
		proc_unlock();
		return there ? process_kill(pid, &info) : -ESRCH;
	}
	process_signal_self(&info);
	return 0;
}

long host_process_mrelease(struct call *c)
{
	if (c->arg[1])
		return -EINVAL;
	if (!c->fd[0]->pid)
		return -EBADF;
	/* the memory of who has ended is given back already */
	return pidfd_over(c->fd[0]) ? -ESRCH : -EINVAL;
}
