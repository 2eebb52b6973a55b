/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memfd.h"
#include "process.h"
#include "sys.h"
#include "vm.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	8u
#define MFD_EXEC	16u
#endif
#define PART_MAX	(1u << 20)	/* of what is sent there, until there is room for more */
#define MOST		0x7ffff000u	/* that Linux transfers at once */
#define MFD_KNOWN	(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)

/*
 * The lock is for lengths: what is written is written where it was reckoned, whatever
 * other threads do to the file's position. Nothing below it waits.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_ulong used;
static uint64_t limit;
static dev_t device;		/* which all such files are on, and no others */

void memfd_init(const struct vm *vm)
{
	int probe = memfd_create("", MFD_CLOEXEC);
	struct stat st;

	limit = vm->mem_limit;
	process_guard(&lock);
	if (probe >= 0 && fstat(probe, &st) == 0)
		device = st.st_dev;
	close(probe);
}

static uint64_t pages(uint64_t bytes)
{
	return (bytes + ABI_PAGE - 1) & -ABI_PAGE;
}

void memfd_adopt(struct file *file)
{
	struct stat st;

	if (!device || fstat(file->host, &st) < 0 || st.st_dev != device)
		return;
	file->memory = true;
	file->room = pages(st.st_size);
	atomic_fetch_add(&used, file->room);
}

void memfd_gone(const struct file *file)
{
	atomic_fetch_sub(&used, file->room);
}

/* Has file have room up to end; 0 or -ENOSPC. With the lock held. */
static long make_room(struct file *file, uint64_t end)
{
	uint64_t more = pages(end) - file->room;

	if (end > INT64_MAX - ABI_PAGE)
		return -EFBIG;
	if (pages(end) <= file->room)
		return 0;
	if (atomic_fetch_add(&used, more) + more > limit) {
		atomic_fetch_sub(&used, more);
		return -ENOSPC;
	}
	file->room += more;
	return 0;
}

static void give_back(struct file *file, uint64_t room)
{
	if (room >= file->room)
		return;
	atomic_fetch_sub(&used, file->room - room);
	file->room = room;
}

/* Where a write goes, and whether the file's position goes with it. */
static int64_t write_at(const struct call *c, bool *moves)
{
	struct stat st;

	*moves = c->nr == SYS_write || c->nr == SYS_writev || (c->nr == SYS_pwritev2 && c->arg[3] == (uint64_t)-1);
	if (fcntl(host_fd(c, 0), F_GETFL) & O_APPEND)
		return fstat(host_fd(c, 0), &st) < 0 ? -errno : st.st_size;
	return *moves ? lseek(host_fd(c, 0), 0, SEEK_CUR) : (int64_t)c->arg[3];
}

static long write_locked(struct call *c)
{
	uint64_t room = c->fd[0]->room;
	bool moves;
	int64_t at = write_at(c, &moves);
	long ret;

	if (at < 0)
		return -EINVAL;
	ret = c->count[1] ? make_room(c->fd[0], at + c->count[1]) : 0;
	if (ret)
		return ret;
	ret = plain_syscall(SYS_pwritev, host_fd(c, 0), (long)c->iov[1], c->iovcnt[1], at, 0, 0);
	if (ret < 0)
		give_back(c->fd[0], room);
	else if (moves)
		lseek(host_fd(c, 0), at + ret, SEEK_SET);
	return ret;
}

long memfd_write(struct call *c)
{
	long ret;

	if (c->nr == SYS_pwritev2 && c->arg[5])
		return -EOPNOTSUPP;
	pthread_mutex_lock(&lock);
	ret = write_locked(c);
	pthread_mutex_unlock(&lock);
	return ret;
}

static long receive_locked(struct call *c, struct file *file, const int64_t *at, long (*make)(struct call *c, uint64_t n),
			   uint64_t n)
{
	uint64_t room = file->room;
	int64_t from = at ? *at : lseek(file->host, 0, SEEK_CUR);
	long ret = from < 0 ? -EINVAL : make_room(file, from + n);

	if (ret)
		return ret;
	ret = make(c, n);
	if (ret < (int64_t)n && pages(from + (ret < 0 ? 0 : ret)) > room)
		room = pages(from + (ret < 0 ? 0 : ret));
	if (ret < (int64_t)n)
		give_back(file, room);
	return ret;
}

long memfd_receive(struct call *c, struct file *file, const int64_t *at, long (*make)(struct call *c, uint64_t n), uint64_t n)
{
	uint64_t done = 0, part;
	long ret;

	if (n > MOST)
		n = MOST;
	do {
		part = n - done < PART_MAX ? n - done : PART_MAX;
		pthread_mutex_lock(&lock);
		ret = receive_locked(c, file, at, make, part);
		pthread_mutex_unlock(&lock);
		done += ret > 0 ? ret : 0;
	} while (ret > 0 && (uint64_t)ret == part && done < n);
	return done ? (long)done : ret;
}

static long resize_locked(struct call *c)
{
	struct file *file = c->fd[0];
	bool truncates = c->nr == SYS_ftruncate;
	uint64_t room = file->room, end = truncates ? c->arg[1] : c->arg[2] + c->arg[3];
	long ret = 0;

	/* other ways to allocate take memory away, or nothing */
	if (truncates || !(c->arg[1] & ~(uint64_t)FALLOC_FL_KEEP_SIZE))
		ret = (int64_t)end < 0 ? 0 : make_room(file, end);
	if (ret)
		return ret;
	ret = plain_syscall(c->nr, file->host, c->arg[1], c->arg[2], c->arg[3], 0, 0);
	if (ret < 0)
		give_back(file, room);
	else if (truncates)
		give_back(file, pages(end));
	return ret;
}

long memfd_resize(struct call *c)
{
	long ret;

	pthread_mutex_lock(&lock);
	ret = resize_locked(c);
	pthread_mutex_unlock(&lock);
	return ret;
}

long host_memfd_create(struct call *c)
{
	struct file *file;
	char *name;
	int host;

	/* huge pages are the host's, which are few */
	if (c->arg[1] & ~(uint64_t)MFD_KNOWN)
		return -EINVAL;
	host = plain_syscall(SYS_memfd_create, (long)c->ptr[0], c->arg[1] | MFD_CLOEXEC, 0, 0, 0, 0);
	if (host < 0)
		return host;
	if (asprintf(&name, "/memfd:%s", (const char *)c->ptr[0]) < 0)
		name = NULL;
	file = file_new(host, S_IFREG, NULL, name);
	if (!file)
		return -ENOMEM;
	file->own_memory = true;
	return fd_install(file, 0, c->arg[1] & MFD_CLOEXEC);
}
