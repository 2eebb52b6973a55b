/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A path of the guest's is resolved as any other, and what it led to is named to
 * the host as /proc/self/fd/N, with the socket's own name behind it where it is to
 * be made: that leaves no room for a race out of the grant, and paths that are long
 * on the host do.
 *
 * The host keeps that name, and tells it to those that ask who their peer is. So
 * each N is another one for as long as possible, and a table, which all processes of
 * the program share, has the guest's name for it. The table forgets the oldest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msg.h"
#include "net.h"
#include "path.h"
#include "policy.h"
#include "unixname.h"

#define NAMES		1024
#define FIRST_NUMBER	64	/* of the descriptors that names are made with */
#define NUMBERS		900

#define PATH_AT offsetof(struct sockaddr_un, sun_path)

struct known {
	struct sockaddr_un host, guest;
	socklen_t guest_len;
};

static struct {
	atomic_uint number;
	struct known known[NAMES];
} *names;

void unixname_init(void)
{
	names = mmap(NULL, sizeof(*names), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (names == MAP_FAILED)
		die(KVMRUN_FAILED, "no memory for the table of sockets' names: %m");
}

/* Whether an address has a path, and that path, which need not end in the address. */
static bool is_path(const struct sockaddr_un *addr, socklen_t len, char path[sizeof(addr->sun_path) + 1])
{
	if (len <= PATH_AT || !addr->sun_path[0])
		return false;
	memcpy(path, addr->sun_path, len - PATH_AT);
	path[len - PATH_AT] = '\0';
	return true;
}

/* Abstract names are the host's but in a network namespace of our own. */
static int abstract(const struct sockaddr_un *guest, socklen_t len, struct unixname *name, int refusal)
{
	if (net_mode() != NET_LOOPBACK && net_mode() != NET_HOST) {
		policy_explain_address("%s", "an abstract UNIX socket", 0, "was refused, since its name is seen by all of the host",
				       "--net loopback would allow the program its own");
		return refusal;
	}
	memcpy(&name->addr, guest, len);
	name->len = len;
	return 0;
}

static int by_descriptor(struct unixname *name, const char *entry)
{
	int n = snprintf(name->addr.sun_path, sizeof(name->addr.sun_path), *entry ? "/proc/self/fd/%d/%s" : "/proc/self/fd/%d",
			 name->fd, entry);

	if ((size_t)n >= sizeof(name->addr.sun_path))
		return -ENAMETOOLONG;
	name->len = PATH_AT + n + 1;
	return 0;
}

int unixname_find(const struct sockaddr_un *guest, socklen_t len, struct unixname *name)
{
	char path[sizeof(guest->sun_path) + 1];
	struct found f;
	int err;

	*name = (struct unixname){ .addr.sun_family = AF_UNIX, .fd = -1 };
	if (!is_path(guest, len, path))
		return len <= PATH_AT ? -EINVAL : abstract(guest, len, name, -ECONNREFUSED);
	err = path_find(NULL, path, FIND_FOLLOW, &f);
	if (err)
		return err;
	if (f.synthetic || !S_ISSOCK(f.st.st_mode))
		err = -ECONNREFUSED;
	else if (policy_may_change(f.mount, false))
		err = -EACCES;
	if (err == -EACCES)
		policy_explain(path, true);
	if (!err) {
		name->fd = f.fd;
		f.fd = -1;
		err = by_descriptor(name, "");
	}
	path_done(&f);
	return err;
}

/* A number for name->fd that was not used for a while, if there is one to have. */
static void renumber(struct unixname *name)
{
	unsigned int number = atomic_fetch_add(&names->number, 1) % NUMBERS;
	int fd = fcntl(name->fd, F_DUPFD_CLOEXEC, FIRST_NUMBER + number);

	if (fd < 0)
		return;
	close(name->fd);
	name->fd = fd;
}

int unixname_make(const struct sockaddr_un *guest, socklen_t len, struct unixname *name)
{
	char path[sizeof(guest->sun_path) + 1], entry[NAME_MAX + 2];
	struct found f;
	struct stat st;
	int err;

	*name = (struct unixname){ .addr.sun_family = AF_UNIX, .fd = -1 };
	if (!is_path(guest, len, path))
		return abstract(guest, len, name, -EACCES);
	err = path_parent(NULL, path, &f, entry);
	if (err)
		return err;
	err = path_may_change_entry(&f, entry, true);
	if (err == -EROFS || err == -EPERM)
		policy_explain(path, true);
	if (!err && fstatat(f.fd, entry, &st, AT_SYMLINK_NOFOLLOW) == 0)
		err = -EEXIST;
	if (!err) {
		name->fd = f.fd;
		f.fd = -1;
		renumber(name);
		err = by_descriptor(name, entry);
	}
	path_done(&f);
	return err == -EEXIST ? -EADDRINUSE : err;
}

void unixname_done(struct unixname *name)
{
	if (name->fd >= 0)
		close(name->fd);
	name->fd = -1;
}

/* ------------------------------------------------------------- who is who */

static struct known *place_of(const struct sockaddr_un *host)
{
	unsigned int hash = 0;

	for (size_t i = 0; i < sizeof(host->sun_path) && host->sun_path[i]; i++)
		hash = hash * 31 + (unsigned char)host->sun_path[i];
	return &names->known[hash % NAMES];
}

/*
 * No lock, which a process that ends could leave behind: two that take one place at a
 * time make a name of both, which is wrong, and no more than that.
 */
void unixname_bound(const struct unixname *name, const struct sockaddr_un *guest, socklen_t len)
{
	struct known *k = place_of(&name->addr);

	if (name->fd < 0)
		return;
	k->host = name->addr;
	k->guest_len = len;
	memset(&k->guest, 0, sizeof(k->guest));
	memcpy(&k->guest, guest, len);
}

socklen_t unixname_seen(struct sockaddr_un *addr, socklen_t len)
{
	struct known k;
	socklen_t known_len;

	if (len <= PATH_AT || !addr->sun_path[0])
		return len;
	if (!names)
		return PATH_AT;
	k = *place_of(addr);
	known_len = k.guest_len;
	if (strncmp(k.host.sun_path, addr->sun_path, sizeof(addr->sun_path)) || known_len <= PATH_AT ||
	    known_len > sizeof(k.guest))
		return PATH_AT;
	*addr = k.guest;
	addr->sun_family = AF_UNIX;
	/* Linux, too, tells the length of the name and not of the address that was given */
	known_len = PATH_AT + strnlen(addr->sun_path, known_len - PATH_AT);
	return known_len < sizeof(*addr) ? known_len + 1 : known_len;
}
