/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The jail's view of the grants. What a path leads to is path.c's to say; this is for a
 * runner that does not ask it any more. A rule holds for all below a directory, so that a
 * --ro inside a --rw is kept by policy.c alone.
 *
 * What was opened before stays usable: the hypervisor's device, standard streams, logs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec.h"
#include "fdtable.h"
#include "landlock.h"
#include "msg.h"
#include "net.h"
#include "policy.h"
#include "walk.h"

/* What headers of Linux 6.1 lack. */
#define ACCESS_FS_TRUNCATE	(1ull << 14)	/* 6.2 */
#define ACCESS_FS_IOCTL_DEV	(1ull << 15)	/* 6.10 */
#define ACCESS_FS_RESOLVE_UNIX	(1ull << 16)	/* 7.1 */
#define ACCESS_NET_BIND_TCP	(1ull << 0)	/* 6.7 */
#define ACCESS_NET_CONNECT_TCP	(1ull << 1)
#define SCOPE_ABSTRACT_UNIX	(1ull << 0)	/* 6.12 */
#define SCOPE_SIGNAL		(1ull << 1)
#define RULE_NET_PORT		2

struct ruleset {
	uint64_t fs, net, scoped;
};

struct port_rule {
	uint64_t access, port;
};

enum { NOBODY, READ = 1, WRITE = 2, DEVICE = 4, PLAIN = 8 };

/* The rights to files, and who has them: READ a --ro, WRITE a --rw, DEVICE a standard device; PLAIN: makes sense for a file. */
static const struct {
	uint64_t right;
	int abi;		/* the first one that has it */
	unsigned int whose;
} rights[] = {
#define FS(name, abi, whose) { LANDLOCK_ACCESS_FS_##name, abi, whose }
	FS(EXECUTE, 1, NOBODY),		/* programs are read, never executed by the host */
	FS(READ_FILE, 1, READ | WRITE | DEVICE | PLAIN),
	FS(READ_DIR, 1, READ | WRITE),
	FS(WRITE_FILE, 1, WRITE | DEVICE | PLAIN),
	FS(REMOVE_DIR, 1, WRITE),
	FS(REMOVE_FILE, 1, WRITE),
	FS(MAKE_CHAR, 1, NOBODY),
	FS(MAKE_BLOCK, 1, NOBODY),
	FS(MAKE_DIR, 1, WRITE),
	FS(MAKE_REG, 1, WRITE),
	FS(MAKE_SOCK, 1, WRITE),
	FS(MAKE_FIFO, 1, WRITE),
	FS(MAKE_SYM, 1, WRITE),
	FS(REFER, 2, WRITE),
	{ ACCESS_FS_TRUNCATE, 3, WRITE | PLAIN },
	{ ACCESS_FS_IOCTL_DEV, 5, DEVICE | PLAIN },	/* isatty(3) of /dev/null: the requests are seccomp's */
	{ ACCESS_FS_RESOLVE_UNIX, 9, WRITE },
#undef FS
};

static const struct {
	int abi;
	const char *lack;
} lacks[] = {
	{ 2, "renames and links from one directory to another (Linux 5.19): they fail with EXDEV" },
	{ 3, "truncation of files that may only be read (6.2)" },
	{ 4, "TCP ports (6.7)" },
	{ 5, "ioctl(2) of devices (6.10)" },
	{ 6, "abstract UNIX sockets and signals (6.12)" },
	{ 9, "UNIX sockets in files (7.1)" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? -errno : abi;
}

const char *landlock_absence(int abi)
{
	return abi == -EOPNOTSUPP ? "switched off; add landlock to lsm= on the kernel's command line" :
	       abi == -ENOSYS ? "missing; use kernel 5.13 or later with CONFIG_SECURITY_LANDLOCK" :
	       "refused; in a container, use a newer runtime or its seccomp=unconfined";
}

const char *landlock_lack(int abi, size_t i)
{
	for (size_t l = 0; l < COUNT(lacks); l++)
		if (lacks[l].abi > abi && i-- == 0)
			return lacks[l].lack;
	return NULL;
}

/* The rights of an ABI that all bits of whose have. */
static uint64_t rights_of(int abi, unsigned int whose)
{
	uint64_t all = 0;

	for (size_t i = 0; i < COUNT(rights); i++)
		if (rights[i].abi <= abi && (rights[i].whose & whose) == whose)
			all |= rights[i].right;
	return all;
}

_Noreturn static void failed(const char *what)
{
	die(KVMRUN_FAILED, "Landlock: cannot restrict kvmrun to %s: %m", what);
}

static void add_mount(int ruleset, int abi, const struct mount *m)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = m->fd };

	rule.allowed_access = rights_of(abi, (m->device ? DEVICE : m->writable ? WRITE : READ) | (m->name ? PLAIN : 0));
	if (m->name)
		rule.parent_fd = open_beneath(m->fd, m->name, O_PATH | O_NOFOLLOW, 0, RESOLVE_PLAIN);
	/* a file that has gone since is nobody's, and one that comes in its place neither */
	if (rule.parent_fd < 0)
		return;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		failed(m->guest);
	if (m->name)
		close(rule.parent_fd);
}

/*
 * A file that is open: it may be opened again for what it is open for, by /proc/self/exe or
 * /dev/stdin. What no rule can be about (memory, pipes) Landlock does not restrict.
 */
static void add_open(int ruleset, int abi, int fd)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	int mode = fcntl(fd, F_GETFL);
	struct stat st;

	if (mode < 0 || mode & O_PATH || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	mode &= O_ACCMODE;
	if (mode != O_WRONLY)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_FILE;
	if (mode != O_RDONLY)
		rule.allowed_access |= (rights_of(abi, WRITE | PLAIN) & ACCESS_FS_TRUNCATE) | LANDLOCK_ACCESS_FS_WRITE_FILE;
	syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static void add_port(int ruleset, uint64_t access, uint16_t port)
{
	struct port_rule rule = { access, port };

	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
		failed("its ports");
}

/* The ports that --net lists; 0 is any that nobody has, for clients. */
static void add_ports(int ruleset)
{
	uint16_t port;

	add_port(ruleset, ACCESS_NET_BIND_TCP, 0);
	for (size_t i = 0; (port = net_port(i, true)); i++)
		add_port(ruleset, ACCESS_NET_BIND_TCP, port);
	for (size_t i = 0; (port = net_port(i, false)); i++)
		add_port(ruleset, ACCESS_NET_CONNECT_TCP, port);
}

/* What to restrict at all. Sockets of --net loopback are in another network, and were made by another process. */
static struct ruleset handled(int abi)
{
	enum net_mode net = net_mode();
	struct ruleset r = { .fs = rights_of(abi, NOBODY) };

	if (abi >= 4 && (net == NET_NONE || net == NET_LISTED))
		r.net = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP;
	if (abi >= 6)
		r.scoped = SCOPE_SIGNAL | (net == NET_NONE || net == NET_LISTED ? SCOPE_ABSTRACT_UNIX : 0);
	return r;
}

int landlock_enter(bool go_without)
{
	int abi = landlock_abi(), ruleset;
	const struct mount *m;
	struct ruleset r;
	const char *lack;
	struct file *running;

	if (abi < 0 && !go_without)
		die(KVMRUN_FAILED, "Landlock, by which kvmrun itself is kept inside the grants, is %s; "
		    "--insecure-no-landlock runs programs without it", landlock_absence(abi));
	if (abi < 0) {
		vmsg("Landlock is %s: kvmrun itself is not kept inside the grants", landlock_absence(abi));
		return abi;
	}
	for (size_t i = 0; (lack = landlock_lack(abi, i)); i++)
		vmsg("Landlock of this kernel, ABI %d, does not know of %s", abi, lack);
	r = handled(abi);
	ruleset = syscall(SYS_landlock_create_ruleset, &r, sizeof(r), 0);
	if (ruleset < 0)
		failed("anything");
	for (size_t i = 0; (m = policy_mount(i)); i++)
		add_mount(ruleset, abi, m);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		add_open(ruleset, abi, fd);
	running = exec_file();
	if (running)
		add_open(ruleset, abi, running->host);
	file_put(running);
	if (r.net && net_mode() == NET_LISTED)
		add_ports(ruleset);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		failed("the grants");
	close(ruleset);
	return abi;
}

int landlock_helper(const char *const *paths)
{
	int abi = landlock_abi(), ruleset, err = 0;
	struct ruleset r = { .fs = rights_of(abi, NOBODY) };

	if (abi < 0)
		return 0;
	if (abi >= 4)
		r.net = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP;
	if (abi >= 6)
		r.scoped = SCOPE_SIGNAL | SCOPE_ABSTRACT_UNIX;
	ruleset = syscall(SYS_landlock_create_ruleset, &r, sizeof(r), 0);
	if (ruleset < 0)
		return -errno;
	for (; *paths; paths++) {
		struct landlock_path_beneath_attr rule = {
			.parent_fd = open(*paths, O_PATH | O_CLOEXEC), .allowed_access = rights_of(abi, DEVICE),
		};

		if (rule.parent_fd < 0)
			continue;
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
			err = -errno;
		close(rule.parent_fd);
	}
	if (!err && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		err = -errno;
	close(ruleset);
	return err;
}
