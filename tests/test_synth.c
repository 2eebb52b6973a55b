/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc, /sys and /dev through the calls that a guest makes: never the host's (THREATS 12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "forked.h"
#include "guest_call.h"

static char tree[64];
static struct grant grants[4];
static struct config config = { .grants = grants };

static const char *at(const char *name)
{
	static char path[4][512];
	static int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", tree, name);
	return path[n];
}

static void file(const char *name, const char *text)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void grant(const char *host, const char *guest, bool writable)
{
	static char path[4][512];

	if (*host != '/')
		host = strcpy(path[config.ngrants], at(host));
	grants[config.ngrants++] = (struct grant){ host, guest, writable };
}

/* ro and rw granted, secret not; links in rw that lead into /proc. */
static int make_tree(void **state)
{
	static const char *const links[][2] = {
		{ "rw/root", "/proc/self/root/etc/passwd" }, { "rw/self", "/proc/self" }, { "rw/fd", "/proc/self/fd/3" },
		{ "rw/up", "../../proc/self/status" }, { "rw/one", "/proc/1/root" },
	};

	(void)state;
	strcpy(tree, "/tmp/test_synth.XXXXXX");
	if (!mkdtemp(tree) || mkdir(at("ro"), 0755) || mkdir(at("rw"), 0755) || mkdir(at("rw/in"), 0755))
		return -1;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][1], at(links[i][0])))
			return -1;
	file("secret", "secret");
	file("ro/file", "read-only");
	file("rw/file", "writable");
	memset(&config, 0, sizeof(config));
	config.grants = grants;
	grant("ro", "/ro", false);
	grant("rw", "/rw", true);
	return 0;
}

static int remove_tree(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", tree);
	return system(command);
}

#define need_open(path, flags, want) need_result(guest_call(open, P(path), flags, 0600), want)

/* What a file has, and what a link says. */
static const char *contents(const char *path)
{
	static char text[65536];
	long fd = guest_call(open, P(path), O_RDONLY, 0), n;

	if (fd < 0)
		return "";
	n = guest_call(read, fd, P(text), sizeof(text) - 1);
	need_result(guest_call(close, fd), 0);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static const char *link_text(const char *path)
{
	static char text[PATH_MAX];
	long n = guest_call(readlink, P(path), P(text), sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* ------------------------------------------------------------- attempts */

static void hostile_paths(void)
{
	static const char *const absent[] = {
		"/proc/self/ns/mnt", "/proc/self/mem", "/proc/kcore",
		"/proc/kmsg", "/proc/self/root/etc/passwd", "/proc/self/cwd/etc/passwd", "/proc/self/cwd/../etc/passwd",
		"/proc/self/fd/200", "/proc/self/fd/03",
		"/proc/self/fd/-1", "/proc/self/fd/3x", "/proc/self/fd/99999999999", "/proc/02", "/proc/sysrq-trigger",
		"/proc/self/map_files", "/proc/bus", "/proc/keys", "/proc/config.gz",
		"/proc/sys/kernel/core_pattern/x/..", "/sys/class", "/sys/kernel/debug", "/sys/firmware", "/dev/kvm", "/dev/mem",
		"/dev/kmsg", "/dev/pts/0", "/dev/fuse", "/dev/fd/77", "/dev/../etc/passwd",
		"/rw/root", "/rw/self/root/etc/passwd",
		"/rw/self/cwd/../../etc/passwd",
	};
	static const char *const closed[] = {
		"/proc/1/environ", "/proc/1/maps", "/proc/1/exe", "/proc/1/cwd", "/proc/1/fd", "/proc/1/fd/0", "/proc/1/auxv",
		"/proc/1/cwd/etc/passwd", "/proc/1/root", "/proc/1/root/etc/passwd", "/rw/one/etc/passwd", "/rw/self/../1/root",
		"/proc/self/task/../../1/smaps",
	};
	char path[64];

	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		long ret = guest_call(open, P(absent[i]), O_RDONLY, 0);

		if (ret != -ENOENT && ret != -ENOTDIR)
			fprintf(stderr, "%s: %ld\n", absent[i], ret);
		need(ret == -ENOENT || ret == -ENOTDIR);
	}
	/* processes and descriptors of the host's, the runner's among them */
	for (pid_t pid = getppid() - 2; pid <= getpid() + 2; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		need_open(path, O_RDONLY, -ENOENT);
	}
	for (int fd = 3; fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		need_open(path, O_RDONLY, -ENOENT);
		need_result(guest_call(readlink, P(path), P(path), sizeof(path)), -ENOENT);
	}
	/* process 1 is made up, too, and somebody else's */
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		need_open(closed[i], O_RDONLY, -EACCES);
	need(!strcmp(link_text("/proc/1/root"), "") && !strcmp(link_text("/proc/1/exe"), "") && !strcmp(link_text("/proc/1/cwd"), ""));
	need(!strcmp(contents("/proc/1/comm"), "init\n") && !strncmp(contents("/proc/1/stat"), "1 (init) S 0 1 1 ", 17));
	need_open("/proc/self/pagemap", O_RDONLY, -EPERM);
	/* no terminal, and nobody here who makes pairs: pty_init() */
	need_open("/dev/tty", O_RDWR, -ENXIO);
	need_open("/dev/ptmx", O_RDWR, -ENODEV);
	need(!strcmp(link_text("/proc/self"), "2"));
	need(!strcmp(link_text("/proc/self/root"), "/"));
	need(!strcmp(link_text("/proc/self/cwd"), "/"));
	need(strstr(contents("/rw/up"), "\nPid:\t2\n"));
	need(strstr(contents("/proc/self/status"), "\nPPid:\t1\n"));
	/* by a descriptor of a directory there */
	need_open("/proc/self", O_RDONLY | O_DIRECTORY, 3);
	need_result(guest_call(openat, 3, P("root/etc/passwd"), O_RDONLY, 0), -ENOENT);
	need_result(guest_call(openat, 3, P("../1/root/etc/passwd"), O_RDONLY, 0), -EACCES);
	need_result(guest_call(openat, 3, P("../../etc/passwd"), O_RDONLY, 0), -ENOENT);
	need_result(guest_call(openat, 3, P("fd/4/../../../../etc/passwd"), O_RDONLY, 0), -ENOENT);
	need_result(guest_call(openat, 3, P("cwd/ro/file"), O_RDONLY, 0), 4);
}

static void threat_12_paths_of_the_hosts_proc_lead_nowhere(void **state)
{
	(void)state;
	guest_run_tidy(&config, hostile_paths, NULL);
}

static void rights(void)
{
	char buf[16];
	long fd;

	/* of a read-only grant, however it was opened */
	need_open("/ro/file", O_RDONLY, 3);
	need_open("/ro/file", O_PATH, 4);
	for (int i = 3; i <= 4; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
		need_open(path, O_RDWR, -EROFS);
		need_open(path, O_WRONLY, -EROFS);
		need_open(path, O_RDONLY | O_TRUNC, -EROFS);
		need_open(path, O_WRONLY | O_CREAT | O_APPEND, -EROFS);
		need_result(guest_call(truncate, P(path), 0), -EROFS);
		need_result(guest_call(chmod, P(path), 0777), -EROFS);
		need_result(guest_call(chown, P(path), 1, 1), -EROFS);
		need_result(guest_call(utimensat, AT_FDCWD, P(path), 0, 0), -EROFS);
		need_result(guest_call(setxattr, P(path), P("user.x"), P("x"), 1, 0), -EROFS);
		need_result(guest_call(access, P(path), W_OK), -EROFS);
		need_result(guest_call(linkat, AT_FDCWD, P(path), AT_FDCWD, P("/rw/stolen"), AT_SYMLINK_FOLLOW), -EXDEV);
		need_result(guest_call(rename, P(path), P("/rw/stolen")), -EPERM);
		need_result(guest_call(unlink, P(path)), -EPERM);
		fd = guest_call(open, P(path), O_RDONLY, 0);
		need(fd == 5);
		need_result(guest_call(pread64, fd, P(buf), 16, 0), 9);
		need_result(guest_call(close, fd), 0);
	}
	/* an own position, and the rights of the grant: more than of the descriptor */
	need_open("/rw/file", O_RDONLY, 5);
	need_result(guest_call(read, 5, P(buf), 3), 3);
	need_open("/dev/fd/5", O_RDWR, 6);
	need_result(guest_call(read, 6, P(buf), 16), 8);
	need(!memcmp(buf, "writable", 8));
	need_result(guest_call(write, 6, P("!"), 1), 1);
	/* the file itself, whatever has its name */
	need_result(guest_call(unlink, P("/rw/file")), 0);
	need(!strcmp(link_text("/proc/self/fd/5"), "/rw/file (deleted)"));
	need_open("/proc/self/fd/5", O_RDONLY, 7);
	need_result(guest_call(pread64, 7, P(buf), 16, 0), 9);
	/* links, directories, what is none of both */
	need_open("/proc/self/fd/5", O_RDONLY | O_NOFOLLOW, -ELOOP);
	need_open("/proc/self/fd/5/", O_RDONLY, -ENOTDIR);
	need_open("/proc/self/fd/5", O_RDONLY | O_DIRECTORY, -ENOTDIR);
	need_open("/rw/in", O_RDONLY | O_DIRECTORY, 8);
	need(!strcmp(link_text("/proc/self/fd/8"), "/rw/in"));
	need_open("/proc/self/fd/8/../new", O_RDWR | O_CREAT, 9);
	need_open("/proc/self/fd/8", O_RDONLY | O_DIRECTORY, 10);
	need_result(guest_call(chdir, P("/proc/self/fd/8")), 0);
	need(!strcmp(link_text("/proc/self/cwd"), "/rw/in"));
	need_open("/proc/self/cwd/../new", O_RDONLY, 11);
	/* what has no name gets one, within its grant */
	need_open("/rw", O_TMPFILE | O_RDWR, 12);
	need_result(guest_call(linkat, AT_FDCWD, P("/proc/self/fd/12"), AT_FDCWD, P("/rw/named"), AT_SYMLINK_FOLLOW), 0);
	need_result(guest_call(access, P("/rw/named"), R_OK), 0);
	need_result(guest_call(linkat, AT_FDCWD, P("/proc/self/fd/12"), AT_FDCWD, P("/ro/named"), AT_SYMLINK_FOLLOW), -EROFS);
}

static void threat_13_what_is_open_is_reopened_within_its_grant(void **state)
{
	(void)state;
	guest_run_tidy(&config, rights, NULL);
}

static void streams(void)
{
	char buf[8];
	int ends[2];

	/* the caller's: as they are open */
	need_open("/dev/stdin", O_WRONLY, -EACCES);
	need_open("/proc/self/fd/0", O_RDWR, -EACCES);
	need_open("/dev/stdin", O_RDONLY | O_TRUNC, -EACCES);
	need_result(guest_call(truncate, P("/dev/stdin"), 0), -EPERM);
	need_result(guest_call(chmod, P("/dev/stdin"), 0777), -EPERM);
	need_open("/dev/stdin", O_RDONLY, 3);
	need_result(guest_call(read, 3, P(buf), 8), 6);
	need(!strncmp(link_text("/proc/self/fd/0"), "file:[", 6));
	need(!strcmp(link_text("/dev/stdin"), "/proc/self/fd/0"));
	/* a pipe's end is what it is */
	need_result(guest_call(pipe2, P(ends), 0), 0);
	need(!strncmp(link_text("/proc/self/fd/4"), "pipe:[", 6));
	need_open("/proc/self/fd/4", O_WRONLY, -EACCES);
	need_open("/proc/self/fd/5", O_RDONLY, -EACCES);
	need_open("/proc/self/fd/5", O_WRONLY | O_CREAT | O_TRUNC, 6);
	need_result(guest_call(write, 6, P("x"), 1), 1);
	need_open("/proc/self/fd/4", O_RDONLY, 7);
	need_result(guest_call(read, 7, P(buf), 8), 1);
	need_result(guest_call(openat, 0, P("x"), O_RDONLY, 0), -ENOTDIR);
}

static void threat_12_standard_streams_are_reopened_as_they_are_open(void **state)
{
	int saved = dup(0), secret = open(at("secret"), O_RDONLY);

	(void)state;
	dup2(secret, 0);
	guest_run(&config, streams, NULL);
	dup2(saved, 0);
	close(saved);
	close(secret);
}

/* ------------------------------------------------------------- races */

static atomic_bool over;

/* The host's side: links in a writable grant change what they lead to. */
static void *swap(void *unused)
{
	static const char *const targets[] = { "/proc/self/fd/3", "/proc/self/root", "/proc/self/cwd", "file", "/ro/file" };
	char new[600];

	snprintf(new, sizeof(new), "%s/rw/swap.new", tree);
	for (unsigned int i = 0; !over; i++) {
		unlink(new);
		if (symlink(targets[i % 5], new) || rename(new, at("rw/swap")))
			break;
	}
	return unused;
}

static void raced(void)
{
	unsigned int writable = 0, reads = 0;
	pthread_t thread;

	need_open("/ro/file", O_RDONLY, 3);
	need(pthread_create(&thread, NULL, swap, NULL) == 0);
	for (int i = 0; i < 20000; i++) {
		long fd = guest_call(open, P("/rw/swap"), i & 1 ? O_RDWR : O_RDONLY, 0);
		char buf[16] = "";

		if (fd < 0)
			continue;
		need(guest_call(read, fd, P(buf), 16) != -EBADF);
		/* a writable one is the grant's own */
		need(!(i & 1) || !strcmp(buf, "writable"));
		need(!strstr(buf, "root:"));
		writable += i & 1;
		reads++;
		need_result(guest_call(close, fd), 0);
	}
	over = true;
	pthread_join(thread, NULL);
	need(reads > 10 && writable > 1);
}

static void threat_12_links_that_change_lead_to_no_more_rights(void **state)
{
	(void)state;
	over = false;
	assert_int_equal(symlink("file", at("rw/swap")), 0);
	guest_run(&config, raced, NULL);
}

/* ------------------------------------------------------------- as a file system */

/* The names in a directory, each between blanks. */
static const char *names(const char *path)
{
	static char out[8192];
	char buf[512] __attribute__((aligned(8)));
	long fd = guest_call(open, P(path), O_RDONLY | O_DIRECTORY, 0), n;

	strcpy(out, " ");
	need(fd >= 0);
	while ((n = guest_call(getdents64, fd, P(buf), sizeof(buf))) > 0)
		for (long i = 0; i < n;) {
			const struct dirent64 *e = (const void *)(buf + i);
			struct stat st;
			char full[PATH_MAX];

			snprintf(full, sizeof(full), "%.256s/%s", path, e->d_name);
			/* the type is right, and so is the number of what is no mount */
			if (guest_call(lstat, P(full), P(&st)) == 0 && e->d_type != DT_UNKNOWN && e->d_name[0] != '.')
				need(e->d_type == st.st_mode >> 12 && e->d_ino == st.st_ino);
			strcat(strcat(out, e->d_name), " ");
			i += e->d_reclen;
		}
	need_result(n, 0);
	need_result(guest_call(close, fd), 0);
	return out;
}

static void tree_of_nodes(void)
{
	struct statfs fs;
	struct stat st, again;
	char buf[64];

	need(!strcmp(names("/"), " . .. proc sys dev ro rw "));
	need(strstr(names("/proc"), " self ") && strstr(names("/proc"), " 2 ") && strstr(names("/proc"), " sys "));
	need(!strcmp(names("/proc/self/task"), " . .. 2 "));
	need(strstr(names("/proc/self/task/2"), " . .. children auxv ") && strstr(names("/proc/self/task/2"), " status uid_map "));
	need(!strstr(names("/proc/self/task/2"), " task ") && strstr(names("/proc/self"), " wchan coredump_filter timerslack_ns task "));
	need(!strcmp(names("/proc/self/task/2/fd"), " . .. 0 1 2 3 "));
	need(!strcmp(names("/proc/self/fd"), " . .. 0 1 2 3 "));
	need(!strcmp(names("/proc/sys/net"), " . .. core ipv4 "));
	need(strstr(names("/dev"), " fd stderr stdin stdout ") && strstr(names("/dev"), " null "));
	need(!strcmp(names("/sys/devices/system/cpu"), " . .. online possible present cpu0 "));
	need(!strcmp(names("/sys/devices/system/cpu/cpu0"), " . .. topology "));

	need_result(guest_call(stat, P("/proc/version"), P(&st)), 0);
	need(st.st_mode == (S_IFREG | 0444) && st.st_size == 0 && st.st_dev);
	need_open("/proc/version", O_RDONLY, 3);
	need_result(guest_call(fstat, 3, P(&again)), 0);
	need(st.st_ino == again.st_ino && st.st_dev == again.st_dev && st.st_mode == again.st_mode);
	need_result(guest_call(newfstatat, 3, P(""), P(&again), AT_EMPTY_PATH), 0);
	need(st.st_ino == again.st_ino);
	need_result(guest_call(fstatfs, 3, P(&fs)), 0);
	need(fs.f_type == PROC_SUPER_MAGIC);
	need_result(guest_call(statfs, P("/proc/self/task"), P(&fs)), 0);
	need(fs.f_type == PROC_SUPER_MAGIC);
	need_result(guest_call(statfs, P("/sys/devices"), P(&fs)), 0);
	need(fs.f_type == SYSFS_MAGIC);
	need_result(guest_call(statfs, P("/sys/fs/cgroup/memory.max"), P(&fs)), 0);
	need(fs.f_type == CGROUP2_SUPER_MAGIC);
	need_result(guest_call(statfs, P("/dev"), P(&fs)), 0);
	need(fs.f_type == TMPFS_MAGIC);
	/* what it was when it was opened, from wherever it is read */
	need_result(guest_call(pread64, 3, P(buf), 5, 0), 5);
	need(!memcmp(buf, "Linux", 5));
	need_result(guest_call(lseek, 3, 6, SEEK_SET), 6);
	need_result(guest_call(read, 3, P(buf), 7), 7);
	need(!memcmp(buf, "version", 7));
	need_result(guest_call(write, 3, P("x"), 1), -EBADF);
	need_result(guest_call(ftruncate, 3, 0), -EINVAL);
	need_result(guest_call(close, 3), 0);
	/* what cannot be done there */
	need_open("/proc/version", O_WRONLY, -EACCES);
	need_open("/proc/version", O_RDONLY | O_DIRECTORY, -ENOTDIR);
	need_open("/proc/version/", O_RDONLY, -ENOTDIR);
	need_open("/proc/self/status/..", O_RDONLY, -ENOTDIR);
	need_open("/proc/version", O_RDWR | O_CREAT | O_EXCL, -EEXIST);
	need_open("/proc/new", O_RDWR | O_CREAT, -ENOENT);
	need_open("/proc/sys/kernel/pid_max", O_WRONLY, -EACCES);
	need_open("/proc/self", O_RDONLY | O_NOFOLLOW, -ELOOP);
	need_open("/proc", O_RDWR, -EISDIR);
	need_result(guest_call(mkdir, P("/proc/new"), 0755), -ENOENT);
	need_result(guest_call(mkdir, P("/proc/self"), 0755), -EEXIST);
	need_result(guest_call(unlink, P("/proc/version")), -EPERM);
	need_result(guest_call(rmdir, P("/proc/sys")), -EPERM);
	need_result(guest_call(rmdir, P("/proc")), -EBUSY);
	need_result(guest_call(rename, P("/proc/version"), P("/rw/version")), -EPERM);
	need_result(guest_call(rename, P("/rw/in"), P("/proc/self")), -EXDEV);
	need_result(guest_call(symlink, P("x"), P("/proc/self/new")), -ENOENT);
	need_result(guest_call(link, P("/proc/version"), P("/rw/version")), -EXDEV);
	need_result(guest_call(chmod, P("/proc/version"), 0777), -EROFS);
	need_result(guest_call(access, P("/proc/version"), R_OK), 0);
	need_result(guest_call(access, P("/proc/version"), W_OK), -EACCES);
	need_result(guest_call(access, P("/proc/version"), X_OK), -EACCES);
	need_result(guest_call(access, P("/proc/self/task"), X_OK), 0);
	need_result(guest_call(readlink, P("/proc/version"), P(buf), 64), -EINVAL);
	need_result(guest_call(truncate, P("/proc/version"), 0), -EACCES);
	need_result(guest_call(getxattr, P("/proc/version"), P("user.x"), P(buf), 64), -EOPNOTSUPP);
	/* being there */
	need_result(guest_call(chdir, P("/proc/self/task/../fd")), 0);
	need_result(guest_call(getcwd, P(buf), 64), 11);
	need(!strcmp(buf, "/proc/2/fd"));
	need(strstr(contents("../status"), "\nPid:\t2\n"));
	need(!strcmp(contents("../../../ro/file"), "read-only"));
	need_result(guest_call(chdir, P("/")), 0);
	/* by O_PATH, and a link itself */
	need_open("/proc/self", O_PATH | O_NOFOLLOW, 3);
	need_result(guest_call(fstat, 3, P(&st)), 0);
	need(S_ISLNK(st.st_mode));
	need_result(guest_call(readlinkat, 3, P(""), P(buf), 64), 1);
	need_result(guest_call(read, 3, P(buf), 1), -EBADF);
	need_result(guest_call(close, 3), 0);
	/* openat2: magic links can be done without */
	need_open("/ro/file", O_RDONLY, 3);
	need_result(guest_call(openat2, AT_FDCWD, P("/proc/self/fd/3"), P((&(struct open_how){ .resolve = RESOLVE_NO_MAGICLINKS })),
			       sizeof(struct open_how)), -ELOOP);
	need_result(guest_call(openat2, AT_FDCWD, P("/proc/self/version/../fd/../../version"),
			       P((&(struct open_how){ .resolve = RESOLVE_NO_MAGICLINKS })), sizeof(struct open_how)), -ENOENT);
	need_result(guest_call(openat2, AT_FDCWD, P("/proc/self/../version"),
			       P((&(struct open_how){ .resolve = RESOLVE_NO_MAGICLINKS })), sizeof(struct open_how)), 4);
}

static void the_tree_behaves_as_a_file_system(void **state)
{
	(void)state;
	guest_run_tidy(&config, tree_of_nodes, NULL);
}

static void grants_there(void)
{
	need(!strcmp(contents("/proc/mine/file"), "read-only"));
	need_open("/proc/mine/file", O_WRONLY, -EROFS);
	need_open("/proc/mine/../version", O_RDONLY, 3);
	need(strstr(names("/proc"), " mine "));
	need(!strcmp(contents("/sys/file"), "writable"));
	need_open("/sys/devices", O_RDONLY, -ENOENT);
	need_result(guest_call(unlink, P("/sys/file")), 0);
}

static void a_grant_comes_before_what_is_made_up(void **state)
{
	(void)state;
	config.ngrants = 0;
	grant("ro", "/proc/mine", false);
	grant("rw", "/sys", true);
	guest_run_tidy(&config, grants_there, NULL);
}

static void stored(void)
{
	char buf[16];

	need_open("/proc/self/oom_score_adj", O_RDWR, 3);
	need_result(guest_call(write, 3, P("500\n"), 4), 4);
	need_result(guest_call(write, 3, P("400"), 3), -EACCES);
	need_result(guest_call(write, 3, P("1001"), 4), -EINVAL);
	need_result(guest_call(write, 3, P("x"), 1), -EINVAL);
	need(!strcmp(contents("/proc/self/oom_score_adj"), "500\n"));
	/* open, it still has what it had */
	need_result(guest_call(pread64, 3, P(buf), 16, 0), 2);
	need_open("/proc/self/oom_score_adj", O_RDONLY, 4);
	need_result(guest_call(write, 4, P("600"), 3), -EBADF);
	need(!strcmp(contents("/proc/self/coredump_filter"), "00000033\n"));
	need_open("/proc/self/coredump_filter", O_RDWR, 5);
	need_result(guest_call(write, 5, P("0x7f\n"), 5), 5);
	need_result(guest_call(write, 5, P("-1"), 2), -EINVAL);
	need_result(guest_call(write, 5, P("some"), 4), -EINVAL);
	need(!strcmp(contents("/proc/self/coredump_filter"), "0000007f\n"));
}

static void what_can_be_written_takes_what_linux_takes(void **state)
{
	(void)state;
	guest_run_tidy(&config, stored, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, remove_tree)
	const struct CMUnitTest tests[] = {
		TEST(threat_12_paths_of_the_hosts_proc_lead_nowhere),
		TEST(threat_13_what_is_open_is_reopened_within_its_grant),
		TEST(threat_12_standard_streams_are_reopened_as_they_are_open),
		TEST(threat_12_links_that_change_lead_to_no_more_rights),
		TEST(the_tree_behaves_as_a_file_system),
		TEST(a_grant_comes_before_what_is_made_up),
		TEST(what_can_be_written_takes_what_linux_takes),
	};

	cmocka_set_test_filter(getenv("CMOCKA_TEST_FILTER"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
