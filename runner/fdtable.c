/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "async.h"
#include "fdtable.h"
#include "ipc.h"
#include "limit.h"
#include "memfd.h"
#include "output.h"
#include "msg.h"
#include "netlink.h"
#include "process.h"
#include "signalfd.h"

struct slot {
	struct file *file;	/* NULL: free */
	bool cloexec;
};

static struct {
	pthread_mutex_t lock;
	struct slot *slot;
	unsigned int size;	/* slots allocated */
	uint64_t taken[FDS_MAX / 64];	/* a bit for each slot that is not free: the lowest is soon found */
	unsigned long soft, hard;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

_Static_assert(FDS_MAX % 64 == 0, "whole words");

/* Host descriptors the runner keeps for itself beside what the guest may open. */
#define HOST_RESERVE 64

/* Onto /dev/null by O_PATH: fills a host number below 3 and fails every use. */
static int plug = -1;

struct file *file_new(int host, mode_t type, const struct mount *mount, char *path)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file) {
		if (host >= 0)
			close(host);
		free(path);
		return NULL;
	}
	atomic_init(&file->refs, 1);
	file->host = host;
	file->type = type & S_IFMT;
	file->mount = mount;
	file->path = path;
	file->output = output_counts(host);
	if (host >= 0 && S_ISREG(type) && !mount)
		memfd_adopt(file);
	return file;
}

struct file *file_get(struct file *file)
{
	atomic_fetch_add_explicit(&file->refs, 1, memory_order_relaxed);
	return file;
}

void file_put(struct file *file)
{
	if (!file || atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) != 1)
		return;
	async_gone(file);
	if (file->mq)
		mq_gone(file);
	/*
	 * Standard error stays the runner's, for its own messages. The others
	 * are given up as the program did, so that a pipe's other end sees it,
	 * but their numbers stay taken.
	 */
	if (file->host > STDERR_FILENO)
		close(file->host);
	else if (file->host >= 0 && file->host != STDERR_FILENO)
		dup3(plug, file->host, O_CLOEXEC);
	if (file->peer)
		netlink_gone(file);
	if (file->memory)
		memfd_gone(file);
	if (file->signals)
		signalfd_gone(file);
	free(file->path);
	free(file);
}

/* Fills a slot, or with NULL empties it, and returns what it had. With the lock held. */
static struct file *put(unsigned int fd, struct file *file, bool cloexec)
{
	struct file *old = table.slot[fd].file;
	uint64_t bit = 1ull << fd % 64;

	table.slot[fd] = (struct slot){ file, cloexec };
	if (file)
		table.taken[fd / 64] |= bit;
	else
		table.taken[fd / 64] &= ~bit;
	return old;
}

/* Closes every descriptor above the streams but one. */
static int close_others(int keep)
{
	if (keep < 0)
		return close_range(STDERR_FILENO + 1, ~0u, 0);
	if (keep > STDERR_FILENO + 1 && close_range(STDERR_FILENO + 1, keep - 1, 0) < 0)
		return -1;
	return close_range(keep + 1, ~0u, 0);
}

void fdtable_init(int keep)
{
	struct rlimit limit;
	struct stat st;

	/* for a ninth thread's files glibc would count the CPUs, by calls that the jail forbids */
	mallopt(M_ARENA_MAX, 1);
	process_guard(&table.lock);
	table.size = 64;
	table.slot = calloc(table.size, sizeof(*table.slot));
	if (!table.slot)
		die(KVMRUN_FAILED, "no memory for the table of open files");
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		struct file *file;

		if (fstat(fd, &st) < 0) {
			/* the lowest free number is this one */
			if (open("/dev/null", O_PATH | O_CLOEXEC) != fd)
				die(KVMRUN_FAILED, "/dev/null: cannot open it in place of the closed "
				    "descriptor %d: %m", fd);
			continue;
		}
		file = file_new(fd, st.st_mode, NULL, NULL);
		if (!file)
			die(KVMRUN_FAILED, "no memory for the table of open files");
		file->inherited = true;
		put(fd, file, false);
	}
	if (close_others(keep) < 0)
		die(KVMRUN_FAILED, "cannot close the inherited descriptors: %m; Linux 5.9 or newer is needed");
	plug = open("/dev/null", O_PATH | O_CLOEXEC);
	if (plug < 0)
		die(KVMRUN_FAILED, "/dev/null: %m");

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die(KVMRUN_FAILED, "cannot read the limit of open files: %m");
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	table.hard = limit.rlim_max > FDS_MAX + HOST_RESERVE ? FDS_MAX :
		     limit.rlim_max > 2 * HOST_RESERVE ? limit.rlim_max - HOST_RESERVE : HOST_RESERVE;
	table.soft = table.hard < FDS_DEFAULT ? table.hard : FDS_DEFAULT;
}

/* With the lock held. */
static bool is_open(int fd)
{
	return fd >= 0 && (unsigned int)fd < table.size && table.slot[fd].file;
}

struct file *fd_get(int fd)
{
	struct file *file = NULL;

	pthread_mutex_lock(&table.lock);
	if (is_open(fd))
		file = file_get(table.slot[fd].file);
	pthread_mutex_unlock(&table.lock);
	return file;
}

int fd_next(int from)
{
	int next = -1;

	pthread_mutex_lock(&table.lock);
	for (unsigned int fd = from < 0 ? 0 : from; fd < table.size && next < 0; fd++)
		if (table.slot[fd].file)
			next = fd;
	pthread_mutex_unlock(&table.lock);
	return next;
}

unsigned int fd_room(void)
{
	return table.size;
}

/* Makes room for descriptor fd. With the lock held. */
static int reserve(unsigned int fd)
{
	unsigned int size = table.size;
	struct slot *slot;

	if (fd < size)
		return 0;
	while (size <= fd)
		size *= 2;
	slot = realloc(table.slot, size * sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	memset(slot + table.size, 0, (size - table.size) * sizeof(*slot));
	table.slot = slot;
	table.size = size;
	return 0;
}

/* FDS_MAX: there is none. With the lock held. */
static unsigned int lowest_free(unsigned int min)
{
	uint64_t above = ~0ull << min % 64;

	for (unsigned int word = min / 64; word < FDS_MAX / 64; word++) {
		uint64_t free = ~table.taken[word] & above;

		if (free)
			return word * 64 + __builtin_ctzll(free);
		above = ~0ull;
	}
	return FDS_MAX;
}

/* Puts file into the lowest free slot from min on. With the lock held. */
static int place(struct file *file, unsigned int min, bool cloexec)
{
	unsigned int fd = lowest_free(min);
	int err;

	if (fd >= table.soft) {
		limit_fds_refused(fd);
		return -EMFILE;
	}
	err = reserve(fd);
	if (err)
		return err;
	put(fd, file, cloexec);
	return fd;
}

int fd_install(struct file *file, int min, bool cloexec)
{
	int fd = -EINVAL;

	pthread_mutex_lock(&table.lock);
	if (min >= 0 && (unsigned int)min < table.soft)
		fd = place(file, min, cloexec);
	pthread_mutex_unlock(&table.lock);
	if (fd < 0)
		file_put(file);
	return fd;
}

int fd_install_pair(struct file *const file[2], int fd[2], bool cloexec)
{
	pthread_mutex_lock(&table.lock);
	fd[0] = place(file[0], 0, cloexec);
	fd[1] = fd[0] < 0 ? fd[0] : place(file[1], 0, cloexec);
	if (fd[0] >= 0 && fd[1] < 0)
		put(fd[0], NULL, false);
	pthread_mutex_unlock(&table.lock);
	if (fd[1] >= 0)
		return 0;
	file_put(file[0]);
	file_put(file[1]);
	return fd[1];
}

struct file *file_duplicate(struct file *file, int *err)
{
	struct file *copy;
	int host;

	if (file->host < 0 || S_ISREG(file->type) || S_ISDIR(file->type))
		return file_get(file);
	host = fcntl(file->host, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	*err = host < 0 ? -errno : -ENOMEM;
	copy = host < 0 ? NULL : file_new(host, file->type, file->mount, file->path ? strdup(file->path) : NULL);
	if (!copy)
		return NULL;
	copy->inherited = file->inherited;
	copy->family = file->family;
	copy->socktype = file->socktype;
	copy->offline = file->offline;
	copy->pid = file->pid;
	copy->born = file->born;
	copy->pty = file->pty;
	copy->node = file->node;
	signalfd_share(copy, file);
	if (file->peer && netlink_share(copy, file) < 0) {
		file_put(copy);
		return NULL;
	}
	return copy;
}

int fd_replace(struct file *file, int to, bool cloexec)
{
	int err = -EBADF;

	pthread_mutex_lock(&table.lock);
	if (to >= 0 && (unsigned int)to < table.soft)
		err = reserve(to);
	if (!err)
		file = put(to, file, cloexec);
	pthread_mutex_unlock(&table.lock);
	file_put(file);
	return err ? err : to;
}

int fd_close(int fd)
{
	struct file *file = NULL;

	pthread_mutex_lock(&table.lock);
	if (is_open(fd))
		file = put(fd, NULL, false);
	pthread_mutex_unlock(&table.lock);
	file_put(file);
	return file ? 0 : -EBADF;
}

void fd_each(void (*fn)(struct file *file))
{
	for (unsigned int fd = 0; fd < table.size; fd++)
		if (table.slot[fd].file)
			fn(table.slot[fd].file);
}

void fd_close_on_exec(void)
{
	for (unsigned int fd = 0; fd < table.size; fd++)
		if (fd_cloexec(fd) == 1)
			fd_close(fd);
}

void fd_close_range(unsigned int first, unsigned int last, bool cloexec)
{
	for (unsigned int fd = first; fd <= last; fd++) {
		struct file *file = NULL;
		bool end;

		pthread_mutex_lock(&table.lock);
		end = fd >= table.size;
		if (!end && cloexec)
			table.slot[fd].cloexec = true;
		else if (!end)
			file = put(fd, NULL, false);
		pthread_mutex_unlock(&table.lock);
		file_put(file);
		if (end)
			break;
	}
}

int fd_cloexec(int fd)
{
	int ret = -EBADF;

	pthread_mutex_lock(&table.lock);
	if (is_open(fd))
		ret = table.slot[fd].cloexec;
	pthread_mutex_unlock(&table.lock);
	return ret;
}

int fd_set_cloexec(int fd, bool cloexec)
{
	int ret = -EBADF;

	pthread_mutex_lock(&table.lock);
	if (is_open(fd)) {
		table.slot[fd].cloexec = cloexec;
		ret = 0;
	}
	pthread_mutex_unlock(&table.lock);
	return ret;
}

void fd_get_limit(unsigned long *soft, unsigned long *hard)
{
	pthread_mutex_lock(&table.lock);
	*soft = table.soft;
	*hard = table.hard;
	pthread_mutex_unlock(&table.lock);
}

int fd_set_limit(unsigned long soft, unsigned long hard)
{
	int ret = 0;

	pthread_mutex_lock(&table.lock);
	if (soft > hard)
		ret = -EINVAL;
	else if (hard > table.hard)
		ret = -EPERM;
	else {
		table.soft = soft;
		table.hard = hard;
	}
	pthread_mutex_unlock(&table.lock);
	return ret;
}
