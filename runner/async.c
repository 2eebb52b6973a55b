/* SPDX-License-Identifier: GPL-2.0-only */
#include "async.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fdtable.h"
#include "interrupt.h"
#include "process.h"

struct async {
	struct async *next;
	struct file *file;
	uint64_t id;		/* what epoll calls it; no other has had it */
	int owner, sig, fd;
	bool on, watched;
	bool ready;		/* it was when it was switched on: the first event tells what was so before */
};

/* Guards the list and what is in it. Nothing below it waits. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct async *all;
static uint64_t last_id;
static int epoll = -1;
static bool guarded;

#define EVENTS (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP)

/* The record of a file, made where there is none; NULL: no memory. With the lock held. */
static struct async *record(struct file *file)
{
	struct async *a = file->async;

	if (!a && (a = calloc(1, sizeof(*a)))) {
		a->file = file;
		a->next = all;
		all = a;
		file->async = a;
	}
	return a;
}

static void unwatch(struct async *a)
{
	if (a->watched)
		epoll_ctl(epoll, EPOLL_CTL_DEL, a->file->host, NULL);
	a->watched = false;
}

/* ------------------------------------------------------------- the thread */

/* What an event is to its owner: fcntl(2), F_SETSIG. */
static siginfo_t info_of(const struct async *a, uint32_t events)
{
	static const struct { uint32_t events; int code; } codes[] = {
		{ EPOLLIN, POLL_IN }, { EPOLLPRI, POLL_PRI }, { EPOLLERR, POLL_ERR },
		{ EPOLLHUP | EPOLLRDHUP, POLL_HUP }, { EPOLLOUT, POLL_OUT },
	};
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = a->sig ? a->sig : SIGIO;
	info.si_code = SI_KERNEL;
	for (unsigned int i = 0; a->sig && i < sizeof(codes) / sizeof(codes[0]); i++)
		if (events & codes[i].events) {
			info.si_code = codes[i].code;
			info.si_band = events;
			info.si_fd = a->fd;
			break;
		}
	return info;
}

static void tell(const struct epoll_event *event)
{
	siginfo_t info;
	int owner = 0;

	pthread_mutex_lock(&lock);
	for (struct async *a = all; a; a = a->next) {
		if (!a->watched || a->id != event->data.u64)
			continue;
		if (!a->ready) {
			owner = a->owner;
			info = info_of(a, event->events);
		}
		a->ready = false;
	}
	pthread_mutex_unlock(&lock);
	if (!owner)
		return;
	if (owner == process_pid())
		interrupt_post(&info);
	else
		process_kill(owner, &info);
}

static void *watch(void *unused)
{
	struct epoll_event event[16];

	(void)unused;
	for (;;) {
		int n = syscall(SYS_epoll_pwait, epoll, event, 16, -1, NULL, 8);

		for (int i = 0; i < n; i++)
			tell(&event[i]);
	}
	return NULL;
}

/* With the lock held: 0, or -errno. */
static long start(void)
{
	uint64_t mask;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (epoll >= 0)
		return 0;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return -errno;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	mask = interrupt_block();
	err = pthread_create(&thread, &attr, watch, NULL);
	interrupt_unblock(mask);
	pthread_attr_destroy(&attr);
	if (err) {
		close(epoll);
		epoll = -1;
	}
	return -err;
}

/* ------------------------------------------------------------- calls */

/* As many as ask for a signal are few: the list is walked. */
static void take_lock(void)
{
	pthread_mutex_lock(&lock);
	if (!guarded)
		process_guard(&lock);
	guarded = true;
}

long async_set_owner(struct file *file, int owner)
{
	siginfo_t none = { .si_signo = 0 };
	struct async *a;

	if (owner && owner != process_pid() && process_kill(owner, &none) == -ESRCH)
		return -ESRCH;
	take_lock();
	a = record(file);
	if (a)
		a->owner = owner;
	pthread_mutex_unlock(&lock);
	return a ? 0 : -ENOMEM;
}

long async_set_signal(struct file *file, int sig)
{
	struct async *a;

	if (sig < 0 || sig > 64)
		return -EINVAL;
	take_lock();
	a = record(file);
	if (a)
		a->sig = sig;
	pthread_mutex_unlock(&lock);
	return a ? 0 : -ENOMEM;
}

/* Which files have it on Linux: not those that are always ready, nor those of epoll and eventfd. */
static bool has_signals(const struct file *file)
{
	return S_ISSOCK(file->type) || S_ISFIFO(file->type) || (S_ISCHR(file->type) && isatty(file->host));
}

static long watch_file(struct async *a)
{
	struct pollfd now = { a->file->host, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 };
	struct epoll_event event = { .events = EVENTS | EPOLLET };
	long ret = start();

	if (ret || a->watched)
		return ret;
	event.data.u64 = a->id = ++last_id;
	a->ready = ppoll(&now, 1, &(struct timespec){ 0 }, NULL) > 0;
	a->watched = true;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, a->file->host, &event) == 0)
		return 0;
	a->watched = false;
	return errno == EPERM ? -ENOTTY : -errno;
}

long async_switch(struct file *file, int fd, bool on)
{
	struct async *a;
	long ret = 0;

	if (!has_signals(file))
		return -ENOTTY;
	take_lock();
	a = record(file);
	if (!a) {
		ret = -ENOMEM;
	} else if (on) {
		a->fd = fd;
		ret = watch_file(a);
		a->on = ret == 0;
	} else {
		unwatch(a);
		a->on = false;
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

static struct async what_of(struct file *file)
{
	struct async copy = { 0 };

	pthread_mutex_lock(&lock);
	if (file->async)
		copy = *file->async;
	pthread_mutex_unlock(&lock);
	return copy;
}

int async_owner(struct file *file)
{
	return what_of(file).owner;
}

int async_signal(struct file *file)
{
	return what_of(file).sig;
}

bool async_is_on(struct file *file)
{
	return what_of(file).on;
}

void async_gone(struct file *file)
{
	if (!file->async)
		return;
	pthread_mutex_lock(&lock);
	for (struct async **a = &all; *a; a = &(*a)->next)
		if (*a == file->async) {
			unwatch(*a);
			*a = (*a)->next;
			break;
		}
	pthread_mutex_unlock(&lock);
	free(file->async);
	file->async = NULL;
}

void async_forked(void)
{
	if (epoll < 0)
		return;
	close(epoll);
	epoll = -1;
	for (struct async *a = all; a; a = a->next)
		a->watched = false;
}
