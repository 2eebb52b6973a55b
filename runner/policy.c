/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fdtable.h"
#include "msg.h"
#include "options.h"
#include "path.h"
#include "policy.h"
#include "reopen.h"
#include "synth.h"
#include "table.h"
#include "tmpdir.h"
#include "walk.h"

/* /dev as the guest has it; each by its number, so that nothing else hides behind the name. */
static const struct {
	const char *guest, *name;
	unsigned int minor;
} devices[] = {
	{ "/dev/null", "null", 3 },
	{ "/dev/zero", "zero", 5 },
	{ "/dev/full", "full", 7 },
	{ "/dev/random", "random", 8 },
	{ "/dev/urandom", "urandom", 9 },
};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))
#define MEM_MAJOR 1

static struct mount *mounts;	/* longest guest path first */
static size_t nmounts;
static bool explain;
/* What was explained, and is not again, by any process: a hash table of causes. */
#define EXPLAINED 4096
static _Atomic uint64_t *explained;

/* ------------------------------------------------------------- the namespace */

/* Whether path is at or below the directory dir of len bytes. */
static bool below(const char *path, const char *dir, size_t len)
{
	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Bytes of a guest directory that a path below it begins with: none for "/". */
static size_t prefix(const char *dir)
{
	return dir[1] ? strlen(dir) : 0;
}

const struct mount *policy_find(const char *path, const char **rel)
{
	size_t root = synth_root(path);

	for (size_t i = 0; i < nmounts; i++) {
		const struct mount *m = &mounts[i];

		if (!below(path, m->guest, m->len))
			continue;
		/* a grant of all has nothing of the host's there */
		if (root > m->len)
			return NULL;
		if (rel)
			*rel = path[m->len] == '/' ? path + m->len + 1 : path + m->len;
		return m;
	}
	return NULL;
}

const struct mount *policy_mount(size_t i)
{
	return i < nmounts ? &mounts[i] : NULL;
}

bool policy_pinned(const char *path)
{
	size_t len = prefix(path);

	for (size_t i = 0; i < nmounts; i++)
		if (below(mounts[i].guest, path, len))
			return true;
	return false;
}

const char *policy_entry(const char *path, size_t i, size_t *len)
{
	size_t skip = prefix(path);

	for (size_t m = 0; m < nmounts; m++) {
		const char *name = mounts[m].guest + skip + 1;
		bool seen = false;

		if (!below(mounts[m].guest, path, skip))
			continue;
		*len = strcspn(name, "/");
		for (size_t n = 0; n < m && !seen; n++)
			seen = below(mounts[n].guest, mounts[m].guest, skip + 1 + *len);
		if (!seen && i-- == 0)
			return name;
	}
	return NULL;
}

int policy_number(const struct mount *mount)
{
	return 10 + (mount - mounts);
}

const char *policy_device_name(dev_t device)
{
	for (size_t i = 0; i < DEVICES; i++)
		if (device == makedev(MEM_MAJOR, devices[i].minor))
			return devices[i].guest;
	return NULL;
}

int policy_may_change(const struct mount *mount, bool synthetic)
{
	if (synthetic)
		return -EROFS;
	if (!mount || mount->device)
		return -EPERM;
	return mount->writable ? 0 : -EROFS;
}

bool policy_granted(void)
{
	for (size_t i = 0; i < nmounts; i++)
		if (!mounts[i].device)
			return true;
	return false;
}

bool policy_writable(void)
{
	for (size_t i = 0; i < nmounts; i++)
		if (mounts[i].writable && !mounts[i].device)
			return true;
	return false;
}

void policy_sync(void)
{
	for (size_t i = 0; i < nmounts; i++) {
		int fd;

		if (!mounts[i].writable || mounts[i].device)
			continue;
		/* syncfs(2) does not take O_PATH */
		fd = open_beneath(mounts[i].fd, "", O_RDONLY | O_DIRECTORY, 0, RESOLVE_PLAIN);
		if (fd < 0)
			continue;
		syncfs(fd);
		close(fd);
	}
}

bool policy_device_allowed(int fd, dev_t dev)
{
	/* nearly always the device of the last question */
	static _Atomic dev_t allowed;
	struct statfs fs;

	if (dev == atomic_load_explicit(&allowed, memory_order_relaxed) && dev)
		return true;
	/* procfs has no block device */
	if (major(dev) == 0 && (fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC))
		return false;
	atomic_store_explicit(&allowed, dev, memory_order_relaxed);
	return true;
}

/* ------------------------------------------------------------- at the start */

static void no_memory(void)
{
	die(KVMRUN_FAILED, "no memory for the table of granted files");
}

static void add(const char *guest, int fd, const char *name, bool writable, dev_t device)
{
	struct mount *m;
	size_t i = 0, len = prefix(guest);

	m = reallocarray(mounts, nmounts + 1, sizeof(*m));
	if (!m)
		no_memory();
	mounts = m;
	while (i < nmounts && mounts[i].len >= len)
		i++;
	memmove(m + i + 1, m + i, (nmounts - i) * sizeof(*m));
	m[i] = (struct mount){ .guest = strdup(guest), .len = len, .fd = fd, .writable = writable,
			       .device = device, .name = name ? strdup(name) : NULL };
	if (!m[i].guest || (name && !m[i].name))
		no_memory();
	nmounts++;
}

/* Opens a host path once, and makes it a mount at guest. */
static void add_grant(const struct grant *g, const char *guest)
{
	char host[PATH_MAX], *slash;
	const char *option = g->writable ? "rw" : "ro";
	struct stat st;
	int fd;

	if (!realpath(g->host, host) || stat(host, &st) < 0)
		die(KVMRUN_FAILED, "--%s %s: %m", option, g->host);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		die(KVMRUN_FAILED, "--%s %s: neither a file nor a directory; pass pipes and devices "
		    "as standard input or output", option, g->host);
	slash = strrchr(host, '/');
	if (S_ISREG(st.st_mode))
		*slash = '\0';
	fd = open(*host ? host : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(KVMRUN_FAILED, "--%s %s: %m", option, g->host);
	if (!policy_device_allowed(fd, st.st_dev))
		die(KVMRUN_FAILED, "--%s %s: a part of /proc shows the host's processes and cannot be granted",
		    option, g->host);
	add(guest, fd, S_ISREG(st.st_mode) ? slash + 1 : NULL, g->writable, 0);
}

static void add_devices(void)
{
	int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; dev >= 0 && i < DEVICES; i++) {
		if (fstatat(dev, devices[i].name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISCHR(st.st_mode) ||
		    st.st_rdev != makedev(MEM_MAJOR, devices[i].minor)) {
			vmsg("/dev/%s: not the device it should be; the program will not find it", devices[i].name);
			continue;
		}
		add(devices[i].guest, dev, devices[i].name, true, st.st_rdev);
	}
}

static int by_length(const void *a, const void *b)
{
	size_t x = strlen((*(const struct grant *const *)a)->guest);
	size_t y = strlen((*(const struct grant *const *)b)->guest);

	return x < y ? -1 : x > y;
}

/*
 * Adds the grants, outer ones first: a grant inside another goes to where its
 * path leads there, as with mount(2), so that no symbolic link goes around it.
 */
static void add_grants(const struct config *config)
{
	const struct grant **order = calloc(config->ngrants + 1, sizeof(*order));
	char path[PATH_MAX];

	if (!order)
		no_memory();
	for (size_t i = 0; i < config->ngrants; i++)
		order[i] = &config->grants[i];
	qsort(order, config->ngrants, sizeof(*order), by_length);
	for (size_t i = 0; i < config->ngrants; i++) {
		const char *guest = order[i]->guest;

		if (policy_find(guest, NULL) && path_physical(guest, path) == 0)
			guest = path;
		add_grant(order[i], guest);
	}
	free(order);
}

void policy_init(const struct config *config)
{
	int fd = open_beneath(AT_FDCWD, "", O_PATH, 0, RESOLVE_WITHIN);

	if (fd == -ENOSYS)
		die(KVMRUN_FAILED, "this kernel has no openat2(2), by which kvmrun keeps programs inside "
		    "their grants; Linux 5.8 or newer is needed");
	if (fd >= 0)
		close(fd);
	reopen_init();
	explain = config->explain;
	if (explain) {
		explained = mmap(NULL, EXPLAINED * sizeof(*explained), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (explained == MAP_FAILED)
			die(KVMRUN_FAILED, "no memory for --explain: %m");
	}
	add_devices();
	if (config->tmp)
		add("/tmp", tmpdir_open(config->tmp_bytes), NULL, true, 0);
	add_grants(config);
	/* where libc keeps shared memory and semaphores that have names */
	if (config->tmp && !policy_find("/dev/shm", NULL))
		add("/dev/shm", tmpdir_open(config->tmp_bytes), NULL, true, 0);
	for (size_t i = 0; i < nmounts; i++)
		mounts[i].nested = !mounts[i].len;
	for (size_t i = 0; i < nmounts; i++)
		for (size_t j = 0; j < i; j++)
			if (below(mounts[j].guest, mounts[i].guest, mounts[i].len))
				mounts[i].nested = true;
}

/* ------------------------------------------------------------- --explain */

/* Whether this cause is new. Those that the table has no room for are always: repeating a line is no harm. */
static bool first_time(uint64_t cause)
{
	cause = cause ? cause : 1;
	for (uint64_t i = 0; i < EXPLAINED; i++) {
		_Atomic uint64_t *at = &explained[(cause + i) % EXPLAINED];
		uint64_t is = 0;

		if (atomic_compare_exchange_strong(at, &is, cause))
			return true;
		if (is == cause)
			return false;
	}
	return true;
}

static uint64_t hash(const char *s, uint64_t seed)
{
	uint64_t h = 0xcbf29ce484222325 + seed;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	return h;
}

void policy_explain(const char *path, bool write)
{
	if (!explain)
		return;
	if (!first_time(hash(path, write)))
		return;
	if (synth_root(path))
		msg("explain: %s does not exist for the program: it has no view of the host", path);
	else if (write && (*path != '/' || policy_find(path, NULL)))
		msg("explain: %s is read-only for the program; --rw on it or a directory above would let it write", path);
	else if (write)
		msg("explain: %s is not granted; --rw on it or a directory above would let the program write it", path);
	else
		msg("explain: %s is not granted; --ro on it or a directory above would let the program read it", path);
}

void policy_explain_program(const char *path, const char *why)
{
	if (explain)
		msg("explain: %s %s", path, why);
}

void policy_explain_call(uint32_t nr, uint32_t request)
{
	static const char *const why[] = {
		[ABI_CLASS_SELF] = "it is not in this version",
		[ABI_CLASS_FD] = "it is not in this version",
		[ABI_CLASS_PATH] = "it is not in this version",
		[ABI_CLASS_NET] = "it is not in this version",
		[ABI_CLASS_PROCESS] = "what processes share is not in this version",
		[ABI_CLASS_SYSTEM] = "it reaches beyond the program and is never allowed",
		[ABI_CLASS_OLD] = "current kernels do not have it either",
	};
	bool requests = nr == SYS_ioctl || nr == SYS_fcntl;

	/* glibc tries rseq at every start and goes on without it */
	if (!explain || nr == SYS_rseq || !first_time(requests ? (uint64_t)nr << 32 | request : nr))
		return;
	if (requests)
		msg("explain: the request %#x of %s was refused: it is not on the list of harmless ones",
		    request, call_name(nr));
	else if (call_name(nr))
		msg("explain: the call %s was refused: %s", call_name(nr), why[call_table[nr].class]);
	else
		msg("explain: call number %u was refused: no kernel has it", nr);
}

void policy_explain_address(const char *format, const char *host, unsigned int port, const char *what, const char *option)
{
	char text[128];

	if (!explain)
		return;
	snprintf(text, sizeof(text), format, host, port);
	if (first_time(hash(text, *what)))
		msg("explain: %s %s: %s", text, what, option);
}
