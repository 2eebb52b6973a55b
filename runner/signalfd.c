/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "msg.h"
#include "options.h"
#include "process.h"
#include "signalfd.h"
#include "sys.h"
#include "vm.h"

#define BIT(sig) (1ull << ((sig) - 1))

/* One that its duplicates share. Its counter is 0 or more, as ready says: no access to it waits. */
struct signalfd {
	struct signalfd *next;
	unsigned int refs;	/* files */
	uint64_t mask;
	int event;
	int epoll;		/* what the files' host descriptors are of */
	bool ready;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct signalfd *all;
static struct vm *vm;

void signalfd_init(struct vm *of)
{
	vm = of;
	process_guard(&lock);
}

/* What the shim is to tell of. With the lock held. */
static void set_union(void)
{
	struct abi_boot *boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));
	uint64_t set = 0;

	for (const struct signalfd *s = all; s; s = s->next)
		set |= s->mask;
	__atomic_store_n(&boot->signalfds, set, __ATOMIC_SEQ_CST);
}

static void set_ready(struct signalfd *s, bool ready, bool again)
{
	uint64_t value = 1;

	if (ready && (!s->ready || again) && write(s->event, &value, sizeof(value)) < 0)
		vmsg("a signalfd is not told of a signal: %m");
	else if (!ready && s->ready && read(s->event, &value, sizeof(value)) < 0)
		vmsg("a signalfd is not told that a signal is gone: %m");
	s->ready = ready;
}

void signalfd_pending(uint64_t set, uint64_t arrived)
{
	pthread_mutex_lock(&lock);
	for (struct signalfd *s = all; s; s = s->next)
		/* each one that comes is an event of its own to who waits for edges */
		set_ready(s, s->mask & set, s->mask & set & arrived);
	pthread_mutex_unlock(&lock);
}

void signalfd_share(struct file *copy, const struct file *file)
{
	if (!file->signals)
		return;
	pthread_mutex_lock(&lock);
	copy->signals = file->signals;
	copy->signals->refs++;
	pthread_mutex_unlock(&lock);
}

static void free_one(struct signalfd *s)
{
	if (s->event >= 0)
		close(s->event);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}

void signalfd_gone(struct file *file)
{
	struct signalfd *s = file->signals, **at;

	pthread_mutex_lock(&lock);
	if (!--s->refs) {
		for (at = &all; *at != s; at = &(*at)->next)
			;
		*at = s->next;
		free_one(s);
		set_union();
	}
	pthread_mutex_unlock(&lock);
}

/* ------------------------------------------------------------- the calls */

/* Its two descriptors: 0, or -1. */
static int open_both(struct signalfd *s)
{
	struct epoll_event in = { .events = EPOLLIN };

	s->event = eventfd(0, EFD_CLOEXEC);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->ready = false;
	return s->event < 0 || s->epoll < 0 ? -1 : epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->event, &in);
}

static struct signalfd *add(uint64_t mask)
{
	struct signalfd *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (open_both(s) < 0) {
		free_one(s);
		return NULL;
	}
	s->refs = 1;
	s->mask = mask;
	pthread_mutex_lock(&lock);
	s->next = all;
	all = s;
	set_union();
	pthread_mutex_unlock(&lock);
	return s;
}

static long make(uint64_t mask, int flags)
{
	struct signalfd *s = add(mask);
	struct file *file;
	int host;

	if (!s)
		return errno == EMFILE ? -EMFILE : -ENOMEM;
	host = fcntl(s->epoll, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (host >= 0 && (flags & SFD_NONBLOCK))
		fcntl(host, F_SETFL, O_RDWR | O_NONBLOCK);
	file = host < 0 ? NULL : file_new(host, 0, NULL, NULL);
	if (!file) {
		signalfd_gone(&(struct file){ .signals = s });
		return host < 0 ? -EMFILE : -ENOMEM;
	}
	file->signals = s;
	return fd_install(file, 0, flags & SFD_CLOEXEC);
}

static long change(int fd, uint64_t mask)
{
	struct file *file = fd_get(fd);
	long ret = file ? -EINVAL : -EBADF;

	if (file && file->signals) {
		pthread_mutex_lock(&lock);
		file->signals->mask = mask;
		set_union();
		pthread_mutex_unlock(&lock);
		ret = fd;
	}
	file_put(file);
	return ret;
}

long host_signalfd4(struct call *c)
{
	int fd = c->arg[0], flags = c->arg[3];
	uint64_t mask;

	if (c->arg[2] != sizeof(mask))
		return -EINVAL;
	if (!c->ptr[1])
		return -EFAULT;
	if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	mask = *(uint64_t *)c->ptr[1] & ~(BIT(SIGKILL) | BIT(SIGSTOP));
	return fd == -1 ? make(mask, flags) : change(fd, mask);
}

long host_signalfd(struct call *c)
{
	c->arg[3] = 0;
	return host_signalfd4(c);
}

long signalfd_read(struct call *c)
{
	int flags = fcntl(host_fd(c, 0), F_GETFL);

	pthread_mutex_lock(&lock);
	c->deadline = c->fd[0]->signals->mask | (flags & O_NONBLOCK ? BIT(SIGKILL) : 0);
	pthread_mutex_unlock(&lock);
	c->more = ABI_MORE_SIGNALS;
	return 0;
}

/* ------------------------------------------------------------- other processes */

static void renew(struct file *file)
{
	int flags;

	if (!file->signals)
		return;
	flags = fcntl(file->host, F_GETFL);
	dup3(file->signals->epoll, file->host, O_CLOEXEC);
	fcntl(file->host, F_SETFL, flags);
}

void signalfd_forked(void)
{
	for (struct signalfd *s = all; s; s = s->next) {
		close(s->event);
		close(s->epoll);
		if (open_both(s) < 0)
			die(KVMRUN_FAILED, "no signalfd for another process: %m");
	}
	if (all)
		fd_each(renew);
}

void signalfd_executed(void)
{
	signalfd_pending(0, 0);
	pthread_mutex_lock(&lock);
	set_union();
	pthread_mutex_unlock(&lock);
}
