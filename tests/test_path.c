/* SPDX-License-Identifier: GPL-2.0-only */
/* Attempts at leaving the grants, through the calls that a guest makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "forked.h"
#include "guest_call.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------- the host's tree */

static char tree[64];		/* this test's directory */

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

/*
 *	secret/s		never granted
 *	ro/ro1 ro/sub/deep	granted at /ro
 *	rw/rw1 rw/in/x		granted at /rw
 */
static int make_tree(void **state)
{
	static const char *const dirs[] = { "secret", "ro", "ro/sub", "rw", "rw/in" };
	static const struct { const char *name, *target; } links[] = {
		{ "ro/within", "sub/deep" },		{ "ro/absolute", "/ro/sub/deep" },
		{ "ro/other", "/rw/rw1" },		{ "ro/across", "../rw/rw1" },
		{ "ro/dir", "sub" },			{ "ro/absdir", "/ro/sub" },
		{ "ro/loop", "pool" },			{ "ro/pool", "loop" },
		{ "ro/absloop", "/ro/absloop" },	{ "ro/passwd", "/etc/passwd" },
		{ "ro/up", "../../../../../etc/passwd" }, { "ro/exe", "/proc/self/exe" },
		{ "rw/new", "made" },			{ "rw/absnew", "/rw/made2" },
		{ "rw/gone", "/nowhere/x" },		{ "rw/toro", "/ro/made" },
		{ "rw/todir", "in" },
	};
	char target[128];

	(void)state;
	strcpy(tree, "/tmp/test_path.XXXXXX");
	if (!mkdtemp(tree))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdir(at(dirs[i]), 0755))
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i].target, at(links[i].name)))
			return -1;
	/* links that name the secret by its host path, absolute and relative */
	snprintf(target, sizeof(target), "%s/secret", tree);
	if (symlink(target, at("ro/secret")) || symlink(target, at("rw/secret")) ||
	    symlink("../secret", at("ro/near")) || symlink("../secret", at("rw/near")))
		return -1;
	file("secret/s", "secret");
	file("ro/ro1", "read-only");
	file("ro/sub/deep", "deep");
	file("rw/rw1", "writable");
	file("rw/in/x", "x");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int remove_tree(void **state)
{
	(void)state;
	return nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Everything about a part of the tree that a guest could change: one number. */
static uint64_t sum;

static void mix(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n--)
		sum = (sum ^ *b++) * 0x100000001b3;
}

static int mix_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char buf[4096];
	ssize_t n;
	int fd;

	(void)type, (void)ftw;
	mix(path, strlen(path));
	mix(&st->st_mode, sizeof(st->st_mode));
	mix(&st->st_ino, sizeof(st->st_ino));
	mix(&st->st_nlink, sizeof(st->st_nlink));
	mix(&st->st_uid, sizeof(st->st_uid));
	mix(&st->st_size, sizeof(st->st_size));
	mix(&st->st_mtim, sizeof(st->st_mtim));
	mix(&st->st_ctim, sizeof(st->st_ctim));
	if (!S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_NOATIME);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		mix(buf, n);
	close(fd);
	return 0;
}

static uint64_t sum_of(const char *name)
{
	sum = 0xcbf29ce484222325;
	assert_int_equal(nftw(at(name), mix_one, 16, FTW_PHYS), 0);
	return sum;
}

/* ------------------------------------------------------------- the guest */

static struct grant grants[8];
static struct config config;

static void grant(const char *host, const char *guest, bool writable)
{
	static char hosts[ARRAY_SIZE(grants)][512];
	char *copy = hosts[config.ngrants];

	assert_true(config.ngrants < ARRAY_SIZE(grants));
	strcpy(copy, *host == '/' ? host : at(host));
	grants[config.ngrants++] = (struct grant){ copy, guest, writable };
	config.grants = grants;
}

static void standard_grants(void)
{
	memset(&config, 0, sizeof(config));
	grant("ro", "/ro", false);
	grant("rw", "/rw", true);
}

/* Runs fn as the guest with the grants of config; secret/ and ro/ must come out as they were. */
static void guest(void (*fn)(void))
{
	uint64_t secret = sum_of("secret"), ro = sum_of("ro");

	guest_run_tidy(&config, fn, NULL);
	assert_true(sum_of("secret") == secret);
	assert_true(sum_of("ro") == ro);
}

static long open_(const char *path, int flags)
{
	return guest_call(open, P(path), flags, 0666);
}

/* What the file at a guest path contains, or NULL with the error in *err. */
static const char *content(const char *path, long *err)
{
	static char buf[256];
	long fd = open_(path, O_RDONLY), n;

	*err = fd;
	if (fd < 0)
		return NULL;
	n = guest_call(read, fd, P(buf), sizeof(buf) - 1);
	guest_call(close, fd);
	need(n >= 0);
	buf[n] = '\0';
	return buf;
}

static void need_content(const char *path, const char *expected)
{
	long err;
	const char *text = content(path, &err);

	if (!text || strcmp(text, expected)) {
		fprintf(stderr, "%s is \"%s\" (%ld), not \"%s\"\n", path, text ? text : "", err, expected);
		_exit(1);
	}
}

static void need_open(const char *path, int flags, long expected)
{
	long fd = open_(path, flags);

	if (fd != expected) {
		fprintf(stderr, "open(%s, %#x) is %ld, not %ld\n", path, flags, fd, expected);
		_exit(1);
	}
}

/* ------------------------------------------------------------- names */

static void names(void)
{
	struct stat st, same;
	char path[PATH_MAX];

	need_content("/ro/ro1", "read-only");
	need_content("//ro/./sub///deep", "deep");
	need_content("/ro/sub/../ro1", "read-only");
	need_content("/../../ro/ro1", "read-only");
	need_content("/ro/../rw/rw1", "writable");
	need_content("/ro/dir/../ro1", "read-only");
	need_open("/ro/../secret/s", O_RDONLY, -ENOENT);
	need_open("/ro/../../../../../../etc/passwd", O_RDONLY, -ENOENT);
	need_open("/ro/sub/../../../etc/passwd", O_RDONLY, -ENOENT);
	need_open("/etc/passwd", O_RDONLY, -ENOENT);
	need_open(at("secret/s"), O_RDONLY, -ENOENT);
	need_open(at("ro/ro1"), O_RDONLY, -ENOENT);
	need_open("/rox/ro1", O_RDONLY, -ENOENT);
	need_open("/ro/ro1/x", O_RDONLY, -ENOTDIR);
	need_open("/ro/ro1/", O_RDONLY, -ENOTDIR);
	need_open("/ro/ro1/..", O_RDONLY, -ENOTDIR);
	need_open("/ro/ro1/../ro1", O_RDONLY, -ENOTDIR);
	need_open("/ro/none/../ro1", O_RDONLY, -ENOENT);
	need_open("", O_RDONLY, -ENOENT);
	memset(path, 'a', sizeof(path));
	memcpy(path, "/ro/", 4);
	path[4 + 256] = '\0';
	need_open(path, O_RDONLY, -ENAMETOOLONG);
	/* ".." of the root and of a grant's root are the guest's */
	need_result(guest_call(stat, P("/.."), P(&st)), 0);
	need_result(guest_call(stat, P("/ro/.."), P(&same)), 0);
	need(st.st_ino == same.st_ino && st.st_dev == same.st_dev && S_ISDIR(st.st_mode));
}

static void threat_11_names_lead_nowhere_but_into_the_grants(void **state)
{
	(void)state;
	standard_grants();
	guest(names);
}

static void links(void)
{
	char target[64], path[256];
	struct stat st;
	long n;

	need_content("/ro/within", "deep");
	need_content("/ro/absolute", "deep");
	need_content("/ro/other", "writable");
	need_content("/ro/across", "writable");
	need_content("/ro/dir/deep", "deep");
	need_content("/ro/absdir/deep", "deep");
	need_content("/ro/absdir/../ro1", "read-only");
	need_open("/ro/loop", O_RDONLY, -ELOOP);
	need_open("/ro/absloop", O_RDONLY, -ELOOP);
	need_open("/ro/absloop/x", O_RDONLY, -ELOOP);
	/* out of every grant: a missing target, wherever it leads on the host */
	need_open("/ro/passwd", O_RDONLY, -ENOENT);
	need_open("/ro/up", O_RDONLY, -ENOENT);
	need_open("/ro/exe", O_RDONLY, -ENOENT);
	need_open("/ro/secret", O_RDONLY, -ENOENT);
	need_open("/ro/secret/s", O_RDONLY, -ENOENT);
	need_open("/ro/near/s", O_RDONLY, -ENOENT);
	need_result(guest_call(stat, P("/ro/secret"), P(&st)), -ENOENT);
	need_result(guest_call(statfs, P("/ro/secret"), P((char[120]){ 0 })), -ENOENT);
	need_result(guest_call(access, P("/ro/secret/s"), F_OK), -ENOENT);
	need_result(guest_call(chdir, P("/ro/secret")), -ENOENT);
	need_result(guest_call(getxattr, P("/ro/secret"), P("user.x"), 0, 0), -ENOENT);
	/* the link itself can be looked at */
	n = guest_call(readlink, P("/ro/passwd"), P(target), sizeof(target));
	need(n == 11 && !memcmp(target, "/etc/passwd", 11));
	need_result(guest_call(readlink, P("/ro/passwd"), P(target), 4), 4);
	need_result(guest_call(lstat, P("/ro/passwd"), P(&st)), 0);
	need(S_ISLNK(st.st_mode));
	need_open("/ro/passwd", O_RDONLY | O_NOFOLLOW, -ELOOP);
	need_open("/ro/dir/", O_RDONLY | O_NOFOLLOW | O_DIRECTORY, 3);
	guest_call(close, 3);
	/* Linux follows 40 */
	for (int i = 0; i <= 41; i++) {
		snprintf(path, sizeof(path), "/rw/l%d", i);
		snprintf(target, sizeof(target), "/rw/l%d", i + 1);
		need_result(guest_call(symlink, P(i ? target : "/rw/l1"), P(path)), 0);
	}
	need_result(guest_call(unlink, P("/rw/l41")), 0);
	need_result(guest_call(symlink, P("rw1"), P("/rw/l41")), 0);
	need_content("/rw/l3", "writable");
	need_content("/rw/l2", "writable");
	need_open("/rw/l1", O_RDONLY, -ELOOP);
}

static void links_work_within_the_grants_and_end_outside(void **state)
{
	(void)state;
	standard_grants();
	guest(links);
}

static void creation_through_links(void)
{
	long fd;

	fd = open_("/rw/new", O_WRONLY | O_CREAT);
	need(fd >= 0);
	guest_call(close, fd);
	need_open("/rw/new", O_WRONLY | O_CREAT | O_EXCL, -EEXIST);
	need_result(guest_call(access, P("/rw/made"), F_OK), 0);
	fd = open_("/rw/absnew", O_WRONLY | O_CREAT);
	need(fd >= 0);
	need_result(guest_call(access, P("/rw/made2"), F_OK), 0);
	/* dangling, out of the grants, or into the read-only one */
	need_open("/rw/gone", O_WRONLY | O_CREAT, -ENOENT);
	need_open("/rw/toro", O_WRONLY | O_CREAT, -EROFS);
	need_open("/rw/near/new", O_WRONLY | O_CREAT, -ENOENT);
	need_open("/rw/secret/new", O_WRONLY | O_CREAT, -ENOENT);
	need_open("/rw/near", O_WRONLY | O_CREAT | O_EXCL, -EEXIST);
	need_open("/rw/todir", O_WRONLY | O_CREAT, -EISDIR);
	need_open("/rw/none/", O_WRONLY | O_CREAT, -EISDIR);
	need_open("/rw/../new", O_WRONLY | O_CREAT, -EROFS);
	need_result(guest_call(mkdir, P("/rw/near/d"), 0755), -ENOENT);
	need_result(guest_call(mkdir, P("/rw/near"), 0755), -EEXIST);
	need_result(guest_call(mkdir, P("/rw/near/"), 0755), -EEXIST);
	need_result(guest_call(unlink, P("/rw/near/s")), -ENOENT);
	need_result(guest_call(rmdir, P("/rw/near/")), -ENOTDIR);
	need_result(guest_call(rename, P("/rw/rw1"), P("/rw/near/s")), -ENOENT);
	need_result(guest_call(rename, P("/rw/near/s"), P("/rw/got")), -ENOENT);
	need_result(guest_call(link, P("/rw/near/s"), P("/rw/got")), -ENOENT);
	need_result(guest_call(linkat, AT_FDCWD, P("/rw/secret/s"), AT_FDCWD, P("/rw/got"), AT_SYMLINK_FOLLOW), -ENOENT);
	need_result(guest_call(linkat, AT_FDCWD, P("/rw/near/"), AT_FDCWD, P("/rw/got"), 0), -EPERM);
	need_result(guest_call(truncate, P("/rw/secret/s"), 0), -ENOENT);
	need_result(guest_call(chmod, P("/rw/near"), 0), -ENOENT);
	need_result(guest_call(chown, P("/rw/near"), 1, 1), -ENOENT);
	need_result(guest_call(utimensat, AT_FDCWD, P("/rw/near/s"), 0, 0), -ENOENT);
}

static void nothing_is_made_or_changed_through_a_link_that_leaves(void **state)
{
	(void)state;
	standard_grants();
	guest(creation_through_links);
}

/* ------------------------------------------------------------- openat2's rules */

static long openat2_(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

	return guest_call(openat2, dir, P(path), P(&how), sizeof(how));
}

/* What both say of a path below /rw: the same error, or the same file. */
static void need_as_native(int native_dir, int dir, const char *path, const struct open_how *how)
{
	int native = syscall(SYS_openat2, native_dir, path, how, sizeof(*how));
	long expected = native < 0 ? -errno : 0;
	long got = openat2_(dir, path, how->flags, how->mode, how->resolve);
	struct stat theirs, ours = { 0 };

	if ((got < 0 ? got : 0) != expected) {
		fprintf(stderr, "%s, flags %#llo, mode %#llo, resolve %#llx: %ld, natively %ld\n", path, how->flags, how->mode,
			how->resolve, got, expected);
		_exit(1);
	}
	if (native < 0)
		return;
	need(fstat(native, &theirs) == 0);
	need_result(guest_call(fstat, got, P(&ours)), 0);
	if (S_ISDIR(ours.st_mode))
		need_result(guest_call(fcntl, got, F_GETFL, 0), fcntl(native, F_GETFL));
	need(how->flags & __O_TMPFILE || theirs.st_ino == ours.st_ino);
	need_result(guest_call(close, got), 0);
	close(native);
}

static void rules(void)
{
	static const char *const paths[] = {
		"", ".", "/", "..", "in", "in/", "in/x", "in/x/", "in/x/.", "in/..", "in/../rw1", "../rw/rw1", "in/../../rw/rw1",
		"/rw1", "/in/x", "//in/./x", "/../../rw1", "todir", "todir/", "todir/x", "near", "near/", "near/s", "secret", "secret/s",
		"in/up", "in/up2", "in/abs", "in/absdir/x", "in/absdir/../../rw1", "in/loop", "none", "none/x", "in/none", "rw1/..",
		"in/absdir/..", "in/updir/..", "new", "gone",
	};
	static const uint64_t flags[] = { O_RDONLY, O_PATH, O_PATH | O_NOFOLLOW, O_NOFOLLOW, O_DIRECTORY };
	static const uint64_t resolves[] = {
		RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
		RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT | RESOLVE_NO_XDEV, RESOLVE_BENEATH | RESOLVE_NO_XDEV,
	};
	static const struct open_how odd[] = {
		{ O_RDONLY, 0, 0x1337 }, { O_CREAT, 0600, 0x1337 }, { O_RDONLY, 0, 64 }, { O_RDONLY, 0, 1ull << 32 },
		{ O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT }, { O_RDONLY | 1ull << 63, 0, 0 }, { O_RDONLY, 0600, 0 },
		{ O_TMPFILE | O_PATH | O_RDWR, 0, 0 }, { O_TMPFILE | O_CREAT | O_RDWR, 0600, 0 }, { O_TMPFILE | O_RDONLY, 0600, 0 },
		{ __O_TMPFILE | O_RDWR, 0600, 0 }, { O_PATH | O_RDWR, 0, 0 }, { O_PATH | O_CREAT, 0, 0 }, { O_PATH | O_EXCL, 0, 0 },
		{ O_PATH | O_NOCTTY, 0, 0 }, { O_PATH | 0100000, 0, 0 }, { 0100000, 0, 0 }, { O_PATH, 0600, 0 },
		{ O_CREAT | O_RDWR, 010000, 0 }, { O_TMPFILE | O_RDWR, 0x1337, 0 }, { O_TMPFILE | O_RDWR, 0600, 0 },
		{ O_TMPFILE | O_RDWR, 0600, RESOLVE_BENEATH }, { O_RDWR | O_CREAT, 0600, RESOLVE_CACHED },
		{ O_RDWR | O_TRUNC, 0, RESOLVE_CACHED }, { O_TMPFILE | O_RDWR, 0600, RESOLVE_CACHED | RESOLVE_BENEATH },
		{ O_RDWR | O_CREAT, 0, RESOLVE_CACHED | 64 },
	};
	int native = open(at("rw"), O_PATH | O_DIRECTORY), file = open(at("rw/rw1"), O_PATH);
	long dir = open_("/rw", O_PATH | O_DIRECTORY);
	struct stat st, below;

	need(native >= 0 && file >= 0 && dir >= 0);
	for (size_t p = 0; p < ARRAY_SIZE(paths); p++)
		for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
			for (size_t r = 0; r < ARRAY_SIZE(resolves); r++)
				need_as_native(native, dir, paths[p], &(struct open_how){ flags[f], 0, resolves[r] });
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		need_as_native(native, dir, odd[i].flags & __O_TMPFILE ? "in" : "in/x", &odd[i]);
	need_as_native(native, dir, "in/x", &(struct open_how){ O_RDWR, 0, RESOLVE_CACHED | RESOLVE_BENEATH });
	/* what is no directory to begin at */
	for (size_t r = 0; r < 2; r++)
		for (size_t p = 2; p < 5; p++) {
			need_as_native(-1, -1, paths[p], &(struct open_how){ O_RDONLY, 0, resolves[r] });
			need_as_native(file, open_("/rw/rw1", O_PATH), paths[p], &(struct open_how){ O_RDONLY, 0, resolves[r] });
		}
	/* from the working directory, which is / */
	need_result(openat2_(AT_FDCWD, "/rw/rw1", O_PATH, 0, RESOLVE_BENEATH), -EXDEV);
	need(openat2_(AT_FDCWD, "rw/rw1", O_PATH, 0, RESOLVE_BENEATH) >= 0);
	need(openat2_(AT_FDCWD, "/ro/absolute", O_PATH, 0, RESOLVE_IN_ROOT) >= 0);
	/* links in what comes before the path are none of it */
	dir = open_("/ro/dir", O_PATH | O_DIRECTORY);
	need(dir >= 0);
	need(openat2_(dir, "deep", O_RDONLY, 0, RESOLVE_NO_SYMLINKS) >= 0);
	need_result(openat2_(dir, "../dir/deep", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), -ELOOP);
	need_result(openat2_(dir, "../ro1", O_RDONLY, 0, RESOLVE_BENEATH), -EXDEV);
	need_result(openat2_(dir, "../ro1", O_RDONLY, 0, RESOLVE_IN_ROOT), -ENOENT);
	/* a grant is a mount, and / is none of them */
	dir = open_("/ro/sub", O_PATH | O_DIRECTORY);
	need(openat2_(dir, "../ro1", O_RDONLY, 0, RESOLVE_NO_XDEV) >= 0);
	need_result(openat2_(dir, "../../rw/rw1", O_RDONLY, 0, RESOLVE_NO_XDEV), -EXDEV);
	need_result(openat2_(dir, "../../ro/ro1", O_RDONLY, 0, RESOLVE_NO_XDEV), -EXDEV);
	need_result(openat2_(dir, "../..", O_PATH, 0, RESOLVE_NO_XDEV), -EXDEV);
	need_result(openat2_(dir, "../other", O_PATH, 0, RESOLVE_NO_XDEV), -EXDEV);
	need_result(openat2_(dir, "../absolute", O_PATH, 0, RESOLVE_NO_XDEV), -EXDEV);
	need_result(openat2_(AT_FDCWD, "/ro/ro1", O_PATH, 0, RESOLVE_NO_XDEV), -EXDEV);
	need_result(openat2_(AT_FDCWD, "/proc/version", O_PATH, 0, RESOLVE_NO_XDEV), -EXDEV);
	need(openat2_(AT_FDCWD, "/", O_PATH, 0, RESOLVE_NO_XDEV) >= 0);
	dir = open_("/proc", O_PATH | O_DIRECTORY);
	need(openat2_(dir, "self/status", O_RDONLY, 0, RESOLVE_NO_XDEV) >= 0);
	need(openat2_(dir, "self/status", O_RDONLY, 0, RESOLVE_BENEATH) >= 0);
	need_result(openat2_(dir, "self/status", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), -ELOOP);
	/* magic links lead out of everything */
	for (size_t i = 0; i < 3; i++) {
		static const uint64_t rule[] = { RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_XDEV };

		need_result(openat2_(dir, "self/cwd", O_PATH, 0, rule[i]), -EXDEV);
		need_result(openat2_(dir, "self/cwd/rw", O_PATH, 0, rule[i]), -EXDEV);
		need_result(openat2_(dir, "self/fd/0", O_PATH, 0, rule[i]), -EXDEV);
		need(openat2_(dir, "self/cwd", O_PATH | O_NOFOLLOW, 0, rule[i]) >= 0);
	}
	need_result(openat2_(dir, "self/cwd", O_PATH, 0, RESOLVE_NO_SYMLINKS), -ELOOP);
	/* what is made is where the rules say */
	dir = open_("/rw/in", O_PATH | O_DIRECTORY);
	need(openat2_(dir, "/made", O_WRONLY | O_CREAT | O_EXCL, 0600, RESOLVE_IN_ROOT) >= 0);
	need_result(guest_call(stat, P("/rw/in/made"), P(&st)), 0);
	need(openat2_(dir, "absmade", O_WRONLY | O_CREAT, 0600, RESOLVE_IN_ROOT) >= 0);
	need_result(guest_call(stat, P("/rw/in/made2"), P(&below)), 0);
	need(st.st_ino != below.st_ino);
	need_result(openat2_(dir, "../made3", O_WRONLY | O_CREAT, 0600, RESOLVE_BENEATH), -EXDEV);
	need_result(openat2_(dir, "uplink", O_WRONLY | O_CREAT, 0600, RESOLVE_BENEATH), -EXDEV);
	need_result(openat2_(dir, "uplink", O_WRONLY | O_CREAT, 0600, RESOLVE_NO_SYMLINKS), -ELOOP);
	close(native);
	close(file);
}

static void openat2_keeps_its_rules_as_linux_does(void **state)
{
	static const char *const links[][2] = {
		{ "rw/in/up", "../rw1" }, { "rw/in/up2", "../../rw/rw1" }, { "rw/in/abs", "/rw1" }, { "rw/in/absdir", "/in" },
		{ "rw/in/loop", "/in/loop" }, { "rw/in/updir", ".." }, { "rw/in/absmade", "/made2" }, { "rw/in/uplink", "../made3" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(symlink(links[i][1], at(links[i][0])), 0);
	standard_grants();
	guest(rules);
}

/* ------------------------------------------------------------- the read-only grant */

static void write_intents(void)
{
	static const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	static const int flags[] = {
		O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_WRONLY | O_APPEND, O_WRONLY | O_CREAT, O_RDWR | O_CREAT,
		O_RDONLY | O_CREAT | O_TRUNC, O_WRONLY | O_NOFOLLOW, 3 /* neither */,
	};
	struct open_how how = { .flags = O_WRONLY | O_CREAT, .mode = 0600 };
	char buf[8] = "xxxxxxx";
	long fd, dir, opath;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		need_open("/ro/ro1", flags[i], -EROFS);
	need_open("/ro/new", O_WRONLY | O_CREAT, -EROFS);
	need_open("/ro/new", O_RDONLY | O_CREAT, -EROFS);
	need_open("/ro/new", O_RDONLY | O_CREAT | O_EXCL, -EROFS);
	need_open("/ro/ro1", O_RDONLY | O_CREAT | O_EXCL, -EEXIST);
	need_open("/ro", O_WRONLY | O_TMPFILE, -EROFS);
	need_open("/ro/sub", O_RDWR | O_TMPFILE, -EROFS);
	need_open("/ro/sub", O_RDWR, -EISDIR);
	need_result(guest_call(creat, P("/ro/ro1"), 0644), -EROFS);
	need_result(guest_call(openat2, AT_FDCWD, P("/ro/new"), P(&how), sizeof(how)), -EROFS);
	need_result(guest_call(truncate, P("/ro/ro1"), 0), -EROFS);
	need_result(guest_call(mkdir, P("/ro/new"), 0755), -EROFS);
	need_result(guest_call(mkdir, P("/ro/sub"), 0755), -EEXIST);
	need_result(guest_call(mknod, P("/ro/new"), S_IFIFO | 0600, 0), -EROFS);
	need_result(guest_call(mknod, P("/ro/new"), S_IFREG | 0600, 0), -EROFS);
	need_result(guest_call(unlink, P("/ro/ro1")), -EROFS);
	need_result(guest_call(unlink, P("/ro/none")), -ENOENT);
	need_result(guest_call(rmdir, P("/ro/sub")), -EROFS);
	need_result(guest_call(unlinkat, AT_FDCWD, P("/ro/sub"), AT_REMOVEDIR), -EROFS);
	need_result(guest_call(rename, P("/ro/ro1"), P("/ro/new")), -EROFS);
	need_result(guest_call(rename, P("/ro/ro1"), P("/rw/new2")), -EROFS);
	need_result(guest_call(rename, P("/rw/rw1"), P("/ro/new")), -EXDEV);
	need_result(guest_call(renameat2, AT_FDCWD, P("/rw/rw1"), AT_FDCWD, P("/ro/ro1"), RENAME_EXCHANGE), -EXDEV);
	need_result(guest_call(link, P("/ro/ro1"), P("/ro/new")), -EROFS);
	/* a second name in the writable grant would make the file writable */
	need_result(guest_call(link, P("/ro/ro1"), P("/rw/new2")), -EXDEV);
	need_result(guest_call(linkat, AT_FDCWD, P("/rw/toro"), AT_FDCWD, P("/rw/new2"), AT_SYMLINK_FOLLOW), -ENOENT);
	need_result(guest_call(symlink, P("x"), P("/ro/new")), -EROFS);
	need_result(guest_call(chmod, P("/ro/ro1"), 0777), -EROFS);
	need_result(guest_call(fchmodat, AT_FDCWD, P("/ro/sub"), 0777), -EROFS);
	need_result(guest_call(chown, P("/ro/ro1"), 1, 1), -EROFS);
	need_result(guest_call(lchown, P("/ro/passwd"), 1, 1), -EROFS);
	need_result(guest_call(fchownat, AT_FDCWD, P("/ro/ro1"), 1, 1, 0), -EROFS);
	need_result(guest_call(utime, P("/ro/ro1"), 0), -EROFS);
	need_result(guest_call(utimes, P("/ro/ro1"), 0), -EROFS);
	need_result(guest_call(futimesat, AT_FDCWD, P("/ro/ro1"), 0), -EROFS);
	need_result(guest_call(utimensat, AT_FDCWD, P("/ro/ro1"), P(times), 0), -EROFS);
	need_result(guest_call(utimensat, AT_FDCWD, P("/ro/passwd"), P(times), AT_SYMLINK_NOFOLLOW), -EROFS);
	need_result(guest_call(setxattr, P("/ro/ro1"), P("user.x"), P(buf), 8, 0), -EROFS);
	need_result(guest_call(lsetxattr, P("/ro/ro1"), P("user.x"), P(buf), 8, 0), -EROFS);
	need_result(guest_call(removexattr, P("/ro/ro1"), P("user.x")), -EROFS);
	need_result(guest_call(access, P("/ro/ro1"), W_OK), -EROFS);
	need_result(guest_call(faccessat2, AT_FDCWD, P("/ro/sub"), W_OK | R_OK, 0), -EROFS);

	/* by descriptors that may be had */
	fd = open_("/ro/ro1", O_RDONLY);
	dir = open_("/ro", O_RDONLY | O_DIRECTORY);
	opath = open_("/ro/ro1", O_PATH);
	need(fd >= 0 && dir >= 0 && opath >= 0);
	need_result(guest_call(write, fd, P(buf), 8), -EBADF);
	need_result(guest_call(pwrite64, fd, P(buf), 8, 0), -EBADF);
	need_result(guest_call(ftruncate, fd, 0), -EINVAL);
	need_result(guest_call(fallocate, fd, 0, 0, 100), -EBADF);
	need_result(guest_call(fchmod, fd, 0777), -EROFS);
	need_result(guest_call(fchown, fd, 1, 1), -EROFS);
	need_result(guest_call(fsetxattr, fd, P("user.x"), P(buf), 8, 0), -EROFS);
	need_result(guest_call(fremovexattr, fd, P("user.x")), -EROFS);
	need_result(guest_call(utimensat, fd, 0, P(times), 0), -EROFS);
	need_result(guest_call(utimensat, fd, P(""), P(times), AT_EMPTY_PATH), -EROFS);
	need_result(guest_call(fchownat, opath, P(""), 1, 1, AT_EMPTY_PATH), -EROFS);
	need_result(guest_call(linkat, opath, P(""), AT_FDCWD, P("/rw/new2"), AT_EMPTY_PATH), -ENOENT);
	need_result(guest_call(openat, dir, P("ro1"), O_WRONLY, 0), -EROFS);
	need_result(guest_call(openat, dir, P("new"), O_WRONLY | O_CREAT, 0600), -EROFS);
	need_result(guest_call(openat, dir, P("."), O_WRONLY | O_TMPFILE, 0600), -EROFS);
	need_result(guest_call(mkdirat, dir, P("new"), 0700), -EROFS);
	need_result(guest_call(unlinkat, dir, P("ro1"), 0), -EROFS);
	need_result(guest_call(fcntl, fd, F_SETFL, O_RDWR | O_APPEND), 0);
	need_result(guest_call(fcntl, fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	need_result(guest_call(write, fd, P(buf), 8), -EBADF);
	need_result(guest_call(sendfile, fd, fd, 0, 8), -EBADF);
	need_result(guest_call(copy_file_range, fd, 0, fd, 0, 8, 0), -EBADF);
	need_result(guest_call(openat, opath, P("/proc/self/fd/3"), O_RDWR, 0), -EROFS);
}

static void threat_13_a_read_only_grant_stays_as_it_is(void **state)
{
	(void)state;
	standard_grants();
	guest(write_intents);
}

/* By modes nobody but root may write there: no more than natively is it a matter of the grant. */
static void denied_intents(void)
{
	static const int flags[] = { O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_WRONLY | O_CREAT };
	long dir;

	need(geteuid() != 0 || seteuid(65534) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		need_open("/ro/closed/file", flags[i], -EACCES);
	need_open("/ro/closed/open", O_RDWR, -EROFS);
	need_open("/ro/closed/new", O_WRONLY | O_CREAT, -EACCES);
	need_open("/ro/closed/new", O_RDONLY | O_CREAT, -EACCES);
	need_open("/ro/closed/toopen", O_WRONLY, -EROFS);
	need_open("/ro/closed/tonone", O_WRONLY | O_CREAT, -EACCES);
	need_open("/ro/closed", O_WRONLY | O_TMPFILE, -EACCES);
	need_open("/ro/closed/file", O_RDONLY | O_CREAT | O_EXCL, -EEXIST);
	need_open("/ro/closed", O_RDWR, -EISDIR);
	need_result(guest_call(truncate, P("/ro/closed/file"), 0), -EACCES);
	need_result(guest_call(mkdir, P("/ro/closed/new"), 0755), -EACCES);
	need_result(guest_call(mkdir, P("/ro/closed/file"), 0755), -EEXIST);
	need_result(guest_call(unlink, P("/ro/closed/file")), -EACCES);
	need_result(guest_call(unlink, P("/ro/closed/none")), -ENOENT);
	need_result(guest_call(rename, P("/ro/closed/file"), P("/ro/closed/new")), -EACCES);
	need_result(guest_call(symlink, P("x"), P("/ro/closed/new")), -EACCES);
	dir = open_("/ro/closed", O_RDONLY | O_DIRECTORY);
	need(dir >= 0);
	need_result(guest_call(openat, dir, P("file"), O_WRONLY, 0), -EACCES);
	need_result(guest_call(openat, dir, P("new"), O_WRONLY | O_CREAT, 0600), -EACCES);
	need_result(guest_call(openat, dir, P("open"), O_WRONLY, 0), -EROFS);
}

static void where_modes_do_not_let_one_write_that_is_what_is_said(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("ro/closed"), 0755), 0);
	file("ro/closed/file", "");
	file("ro/closed/open", "");
	assert_int_equal(symlink("open", at("ro/closed/toopen")), 0);
	assert_int_equal(symlink("none", at("ro/closed/tonone")), 0);
	assert_int_equal(chmod(at("ro/closed/file"), 0444), 0);
	assert_int_equal(chmod(at("ro/closed/open"), 0666), 0);
	assert_int_equal(chmod(at("ro/closed"), 0555), 0);
	assert_int_equal(chmod(tree, 0755), 0);
	standard_grants();
	guest(denied_intents);
	assert_int_equal(chmod(at("ro/closed"), 0755), 0);
}

static void within_rw(void)
{
	need_content("/w/sub/deep", "deep");
	need_open("/w/sub/deep", O_WRONLY, -EROFS);
	need_open("/w/dir/deep", O_WRONLY, -EROFS);
	need_open("/w/absdir/deep", O_WRONLY, -ENOENT);
	need_open("/w/dir/../sub/deep", O_WRONLY, -EROFS);
	need_open("/w/./sub/../dir/deep", O_WRONLY, -EROFS);
	need_result(guest_call(rename, P("/w/sub"), P("/w/moved")), -EBUSY);
	need_result(guest_call(rename, P("/w/dir"), P("/w/dir2")), 0);
	need_result(guest_call(rename, P("/w/dir2"), P("/w/dir")), 0);
	need_result(guest_call(rename, P("/w/empty"), P("/w/sub")), -EBUSY);
	need_result(guest_call(rmdir, P("/w/sub")), -EBUSY);
	need_result(guest_call(unlink, P("/w/file")), -EBUSY);
	need_result(guest_call(rename, P("/w/ro1"), P("/w/file")), -EBUSY);
	need_result(guest_call(renameat2, AT_FDCWD, P("/w/ro1"), AT_FDCWD, P("/w/file"), RENAME_EXCHANGE), -EBUSY);
	need_result(guest_call(link, P("/w/sub/deep"), P("/w/got")), -EXDEV);
	need_result(guest_call(link, P("/w/file"), P("/w/got")), -EXDEV);
	need_open("/w/file", O_WRONLY, -EROFS);
	need_open("/w/ro1", O_WRONLY, 3);
	/* by a directory descriptor, and from inside */
	need_open("/w", O_RDONLY | O_DIRECTORY, 4);
	need_result(guest_call(openat, 4, P("sub/deep"), O_WRONLY, 0), -EROFS);
	need_result(guest_call(openat, 4, P("dir/deep"), O_WRONLY, 0), -EROFS);
	need_result(guest_call(unlinkat, 4, P("file"), 0), -EBUSY);
	need_result(guest_call(chdir, P("/w/dir")), 0);
	need_open("deep", O_WRONLY, -EROFS);
	need_open("../file", O_WRONLY, -EROFS);
	need_open("../sub/../ro1", O_WRONLY, 5);
}

static void threat_14_a_read_only_grant_inside_a_writable_one_has_no_side_entrance(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	assert_int_equal(mkdir(at("w"), 0755), 0);
	assert_int_equal(mkdir(at("w/sub"), 0755), 0);
	assert_int_equal(mkdir(at("w/empty"), 0755), 0);
	file("w/ro1", "");
	file("w/file", "file");
	assert_int_equal(symlink("sub", at("w/dir")), 0);
	assert_int_equal(symlink("/w/none", at("w/absdir")), 0);
	grant("w", "/w", true);
	/* by a symbolic link, and as a single file */
	grant("ro/sub", "/w/dir", false);
	grant("ro/ro1", "/w/file", false);
	guest(within_rw);
}

/* ------------------------------------------------------------- what is not a file */

static void devices(void)
{
	char buf[16] = "";
	struct stat st;

	need_result(guest_call(stat, P("/dev/null"), P(&st)), 0);
	need(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	need_open("/dev/zero", O_RDONLY, 3);
	memset(buf, 1, sizeof(buf));
	need_result(guest_call(read, 3, P(buf), 16), 16);
	need(buf[0] == 0 && buf[15] == 0);
	need_open("/dev/full", O_WRONLY, 4);
	need_result(guest_call(write, 4, P(buf), 16), -ENOSPC);
	need_open("/dev/null", O_RDWR | O_CREAT | O_TRUNC, 5);
	need_result(guest_call(write, 5, P(buf), 16), 16);
	need_result(guest_call(access, P("/dev/null"), W_OK | R_OK), 0);
	/* they are the host's own */
	need_result(guest_call(chmod, P("/dev/null"), 0), -EPERM);
	need_result(guest_call(chown, P("/dev/null"), 1, 1), -EPERM);
	need_result(guest_call(fchmod, 5, 0), -EPERM);
	need_result(guest_call(utimensat, 5, 0, 0, 0), -EPERM);
	need_result(guest_call(unlink, P("/dev/null")), -EBUSY);
	need_result(guest_call(rename, P("/dev/null"), P("/rw/null")), -EBUSY);
	need_result(guest_call(link, P("/dev/null"), P("/rw/null")), -EXDEV);
	need_open("/dev/kvm", O_RDWR, -ENOENT);
	need_open("/dev/tty", O_RDWR, -ENXIO);
	need_open("/dev/fd/0/x", O_RDONLY, -ENOTDIR);
	need_open("/dev/mem", O_RDONLY, -ENOENT);

	need_result(guest_call(mknod, P("/rw/dev"), S_IFCHR | 0666, makedev(1, 3)), -EPERM);
	need_result(guest_call(mknod, P("/rw/dev"), S_IFBLK | 0666, makedev(8, 0)), -EPERM);
	/* the host's, in the grants */
	need_open("/rw/chardev", O_RDONLY, -EACCES);
	need_open("/rw/blockdev", O_RDONLY, -EACCES);
	need_open("/rw/socket", O_RDWR, -ENXIO);
	need_open("/rofifo/fifo", O_RDONLY, -EACCES);
	need_open("/rofifo/fifo", O_RDONLY | O_NONBLOCK, -EACCES);
	need_result(guest_call(truncate, P("/rw/fifo"), 0), -EINVAL);
	/* in the writable one a FIFO is the guest's to use: it waits as on Linux, and can be woken */
	need_open("/rw/fifo", O_WRONLY | O_NONBLOCK, -ENXIO);
	guest_vcpu.pending = true;
	need_open("/rw/fifo", O_RDONLY, -EINTR);
	guest_vcpu.pending = false;
	need_open("/rw/fifo", O_RDONLY | O_NONBLOCK, 6);
	need_open("/rw/chardev", O_PATH, 7);
	need_result(guest_call(read, 7, P(buf), 16), -EBADF);
}

static void threat_16_devices_sockets_and_fifos_are_not_opened(void **state)
{
	(void)state;
	if (mknod(at("rw/chardev"), S_IFCHR | 0666, makedev(1, 9)) ||
	    mknod(at("rw/blockdev"), S_IFBLK | 0666, makedev(7, 0))) {
		print_message("only root can make the device nodes for this test: skipped\n");
		skip();
	}
	assert_int_equal(mknod(at("rw/socket"), S_IFSOCK | 0666, 0), 0);
	assert_int_equal(mkfifo(at("rw/fifo"), 0666), 0);
	assert_int_equal(mkdir(at("rofifo"), 0755), 0);
	assert_int_equal(mkfifo(at("rofifo/fifo"), 0666), 0);
	standard_grants();
	grant("rofifo", "/rofifo", false);
	guest(devices);
}

static void proc(void)
{
	char host[64];

	need_content(at("ro/ro1"), "read-only");
	snprintf(host, sizeof(host), "/proc/%d/status", getppid());
	need_open(host, O_RDONLY, -ENOENT);
	need_open("/proc/self/mem", O_RDWR, -ENOENT);
	need_open("/proc/1/root/etc/passwd", O_RDONLY, -EACCES);
	need_open("/proc/self/root/etc/passwd", O_RDWR, -EROFS);
	need_open("/proc/kcore", O_RDONLY, -ENOENT);
	need_open("/proc/kmsg", O_RDONLY, -ENOENT);
	need_open("/sys/class", O_RDONLY | O_DIRECTORY, -ENOENT);
	need_open("/dev/kvm", O_RDWR, -ENOENT);
	need_open("/dev/tty", O_RDONLY, -ENXIO);
}

static void threat_12_a_grant_of_everything_has_nothing_of_the_hosts_proc_in_it(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	grant("/", "/", false);
	guest(proc);
}

static void refused(void *arg)
{
	(void)arg;
	guest_start(&config);
}

static void a_grant_that_cannot_be_is_one_line_and_125(void **state)
{
	struct outcome o;

	(void)state;
	memset(&config, 0, sizeof(config));
	grant("/proc", "/proc", false);
	forked(refused, NULL, &o);
	assert_complains(&o, 125, "/proc");
	memset(&config, 0, sizeof(config));
	grant("none", "/x", true);
	forked(refused, NULL, &o);
	assert_complains(&o, 125, "No such file");
	memset(&config, 0, sizeof(config));
	grant("/dev/tty", "/x", true);
	forked(refused, NULL, &o);
	assert_complains(&o, 125, "neither a file nor a directory");
}

/* ------------------------------------------------------------- single files, the synthetic tree, directories */

static void single(void)
{
	need_content("/deep/in/file", "deep");
	need_open("/deep/in/file/", O_RDONLY, -ENOTDIR);
	need_open("/deep/in/file/x", O_RDONLY, -ENOTDIR);
	need_open("/deep/in/file/..", O_RDONLY, -ENOTDIR);
	need_open("/deep/in/ro1", O_RDONLY, -ENOENT);
	need_open("/deep/in/file", O_WRONLY, -EROFS);
	need_open("/deep/in/file", O_WRONLY | O_CREAT, -EROFS);
	need_open("/deep/in/new", O_WRONLY | O_CREAT, -EROFS);
	need_open("/w1", O_WRONLY | O_TRUNC | O_CREAT, 3);
	need_result(guest_call(write, 3, P("ok"), 2), 2);
	need_content("/w1", "ok");
	need_result(guest_call(unlink, P("/w1")), -EBUSY);
	need_result(guest_call(unlink, P("/deep/in/file")), -EBUSY);
	need_result(guest_call(rmdir, P("/deep")), -EBUSY);
	need_result(guest_call(mkdir, P("/deep"), 0755), -EEXIST);
	need_result(guest_call(mkdir, P("/deep/in/new"), 0755), -EROFS);
	need_result(guest_call(mkdir, P("/"), 0755), -EEXIST);
	need_result(guest_call(rmdir, P("/")), -EBUSY);
	need_result(guest_call(rename, P("/w1"), P("/w2")), -EBUSY);
}

static void single_files_can_be_granted(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	grant("ro/sub/deep", "/deep/in/file", false);
	grant("rw/rw1", "/w1", true);
	guest(single);
}

/* The names in a listing, sorted as they come, each followed by a space. */
static const char *listing(long fd)
{
	static char out[1024];
	char buf[64];	/* one or two entries at a time */
	long n;

	out[0] = '\0';
	while ((n = guest_call(getdents64, fd, P(buf), sizeof(buf))) > 0)
		for (long at = 0; at < n;) {
			uint16_t size;

			memcpy(&size, buf + at + offsetof(struct dirent64, d_reclen), sizeof(size));
			need(size >= 24 && at + size <= n && size % 8 == 0);
			strcat(strcat(out, buf + at + offsetof(struct dirent64, d_name)), " ");
			at += size;
		}
	need_result(n, 0);
	return out;
}

static void synthetic(void)
{
	struct stat st;
	char cwd[64];

	need_open("/", O_RDONLY | O_DIRECTORY, 3);
	need(!strcmp(listing(3), ". .. proc sys dev a rw "));
	need(!strcmp(listing(3), ""));
	need_result(guest_call(lseek, 3, 0, SEEK_SET), 0);
	need(!strcmp(listing(3), ". .. proc sys dev a rw "));
	need_result(guest_call(lseek, 3, 1l << 62, SEEK_SET), 1l << 62);
	need(!strcmp(listing(3), ""));
	need_result(guest_call(lseek, 3, -1, SEEK_SET), -EINVAL);
	need_result(guest_call(lseek, 3, 0, SEEK_SET), 0);
	need_result(guest_call(getdents64, 3, P(cwd), 8), -EINVAL);
	need_result(guest_call(fstat, 3, P(&st)), 0);
	need(S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0555);
	need_result(guest_call(read, 3, P(cwd), 8), -EISDIR);
	need_result(guest_call(write, 3, P(cwd), 8), -EBADF);
	need_result(guest_call(fchmod, 3, 0777), -EROFS);
	need_result(guest_call(fsync, 3), 0);
	need_result(guest_call(openat, 3, P("a/b/../b/sub/deep"), O_RDONLY, 0), 4);
	need_result(guest_call(openat, 3, P("../../a/b"), O_RDONLY | O_DIRECTORY, 0), 5);
	need_result(guest_call(openat, 3, P("tmp"), O_RDONLY, 0), -ENOENT);
	need_result(guest_call(openat, 3, P("etc"), O_RDONLY, 0), -ENOENT);
	need_result(guest_call(openat, 3, P("new"), O_RDONLY | O_CREAT, 0), -EROFS);
	need_result(guest_call(access, P("/a"), W_OK), -EROFS);
	need_result(guest_call(access, P("/a"), X_OK), 0);
	need_result(guest_call(stat, P("/a/"), P(&st)), 0);
	/* as mountinfo has it: a device of 0 is nobody's */
	need(st.st_dev == makedev(0, 2));
	need_result(guest_call(chdir, P("/a/./b/..")), 0);
	need_result(guest_call(getcwd, P(cwd), sizeof(cwd)), 3);
	need(!strcmp(cwd, "/a"));
	need_open("b/ro1", O_RDONLY, 6);
	need_open("../rw/rw1", O_RDONLY, 7);
	need_result(guest_call(chdir, P("../rw/todir")), 0);
	need_result(guest_call(getcwd, P(cwd), sizeof(cwd)), 7);
	need(!strcmp(cwd, "/rw/in"));
	need_result(guest_call(getcwd, P(cwd), 6), -ERANGE);
	need_open("x", O_RDONLY, 8);
	need_open("..", O_RDONLY | O_DIRECTORY, 9);
	need_open("../../a/b/ro1", O_RDONLY, 10);
	need_result(guest_call(fchdir, 5), 0);
	need_open("sub/deep", O_RDONLY, 11);
	need_open("sub/../../../rw/rw1", O_RDONLY, 12);
	need_result(guest_call(fchdir, 6), -ENOTDIR);
	need_open("/rw/todir/../todir", O_RDONLY | O_DIRECTORY, 13);
	need_result(guest_call(fchdir, 13), 0);
	need_result(guest_call(getcwd, P(cwd), sizeof(cwd)), 7);
	need(!strcmp(cwd, "/rw/in"));
	need_result(guest_call(close, 13), 0);
	need_result(guest_call(openat, 6, P("x"), O_RDONLY, 0), -ENOTDIR);
	need_result(guest_call(openat, 99, P("x"), O_RDONLY, 0), -EBADF);
	/* an absolute path does not need it */
	need_result(guest_call(openat, 99, P("/a/b/ro1"), O_RDONLY, 0), 13);
	need_result(guest_call(mkdir, P("/rw/left"), 0700), 0);
	need_result(guest_call(chdir, P("/rw/left")), 0);
	need_result(guest_call(rmdir, P("/rw/left")), 0);
	need_result(guest_call(getcwd, P(cwd), sizeof(cwd)), -ENOENT);
	need_open("x", O_RDONLY, -ENOENT);
}

static void directories_that_lead_to_grants_can_be_read_and_not_changed(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	grant("ro", "/a/b", false);
	grant("rw", "/rw", true);
	guest(synthetic);
}

static void ordinary(void)
{
	static const struct timespec times[2] = { { 5, 0 }, { 6, 0 } };
	struct stat st;
	char buf[64];

	need_open("/rw/n", O_RDWR | O_CREAT | O_EXCL, 3);
	need_result(guest_call(write, 3, P("hello"), 5), 5);
	need_result(guest_call(fchmod, 3, 0640), 0);
	need_result(guest_call(chmod, P("/rw/n"), 0600), 0);
	need_result(guest_call(utimensat, 3, 0, P(times), 0), 0);
	need_result(guest_call(fstat, 3, P(&st)), 0);
	need((st.st_mode & 07777) == 0600 && st.st_size == 5 && st.st_mtime == 6);
	need_result(guest_call(truncate, P("/rw/n"), 2), 0);
	need_result(guest_call(link, P("/rw/n"), P("/rw/n2")), 0);
	need_result(guest_call(rename, P("/rw/n2"), P("/rw/in/n3")), 0);
	need_result(guest_call(stat, P("/rw/in/n3"), P(&st)), 0);
	need(st.st_nlink == 2 && st.st_size == 2);
	need_result(guest_call(mkdir, P("/rw/d/"), 0755), 0);
	need_result(guest_call(rename, P("/rw/d"), P("/rw/in/d")), 0);
	need_result(guest_call(rmdir, P("/rw/in/d")), 0);
	need_result(guest_call(unlink, P("/rw/in/n3")), 0);
	need_result(guest_call(setxattr, P("/rw/n"), P("user.k"), P("value"), 5, 0), 0);
	guest_split = 3;
	need_result(guest_call(getxattr, P("/rw/n"), P("user.k"), P(buf), sizeof(buf)), 5);
	need(!memcmp(buf, "value", 5));
	need_result(guest_call(fgetxattr, 3, P("user.k"), P(buf), sizeof(buf)), 5);
	need(!memcmp(buf, "value", 5));
	need_result(guest_call(listxattr, P("/rw/n"), P(buf), sizeof(buf)), 7);
	need(!memcmp(buf, "user.k", 7));
	guest_split = 0;
	/* what the guest has made without a path is its own */
	need_result(guest_call(pipe, P(((int[2]){ 0 }))), 0);
	need_result(guest_call(fchmod, 4, 0400), 0);
	need_result(guest_call(fchmod, 4, 04400), -EPERM);
	need_result(guest_call(fstat, 4, P(&st)), 0);
	need((st.st_mode & 07777) == 0400);
	need_result(guest_call(close, 4), 0);
	need_result(guest_call(close, 5), 0);
	/* a program that runs as someone else would reach beyond the guest */
	need_result(guest_call(chmod, P("/rw/n"), 04755), -EPERM);
	need_result(guest_call(fchmod, 3, 02755), -EPERM);
	need_result(guest_call(setxattr, P("/rw/n"), P("security.capability"), P("value"), 5, 0), -EPERM);
	need_result(guest_call(open, P("/rw/suid"), O_CREAT | O_WRONLY, 06755), 4);
	need_result(guest_call(fstat, 4, P(&st)), 0);
	need((st.st_mode & 06000) == 0);
	need_result(guest_call(open, P("/rw"), O_RDWR | O_TMPFILE, 0600), 5);
	need_result(guest_call(write, 5, P("x"), 1), 1);
	need_result(guest_call(umask, 077), 022);
	need_result(guest_call(umask, 022), 077);
}

static void a_writable_grant_takes_all_changes(void **state)
{
	(void)state;
	umask(022);
	standard_grants();
	guest(ordinary);
}

/* ------------------------------------------------------------- --tmp */

static void tmp(void)
{
	static char block[1 << 20];
	struct stat st;
	long fd, total = 0, n;

	need_result(guest_call(stat, P("/tmp"), P(&st)), 0);
	need((st.st_mode & 07777) == 01777);
	need_open(at("secret/s"), O_RDONLY, -ENOENT);
	fd = open_("/tmp/f", O_RDWR | O_CREAT);
	need(fd >= 0);
	while ((n = guest_call(write, fd, P(block), sizeof(block))) > 0)
		total += n;
	need_result(n, -ENOSPC);
	need(total <= 4 << 20 && total >= 3 << 20);
	need_result(guest_call(mkdir, P("/tmp/kvmrun-test-d"), 0700), 0);
	need_result(guest_call(symlink, P("/rw/rw1"), P("/tmp/kvmrun-test-d/l")), 0);
	need_content("/tmp/kvmrun-test-d/l", "writable");
	need_result(guest_call(rename, P("/rw/rw1"), P("/tmp/x")), -EXDEV);
	need(access("/tmp/kvmrun-test-d", F_OK) < 0);
}

static void the_private_tmp_is_limited_and_nowhere_on_the_host(void **state)
{
	(void)state;
	standard_grants();
	config.tmp = true;
	config.tmp_bytes = 4 << 20;
	guest(tmp);
}

/* ------------------------------------------------------------- long walks */

static void long_walks(void)
{
	static char path[PATH_MAX], target[PATH_MAX];
	struct timespec before, after;
	size_t n;
	long dir;

	/* as deep as half a path goes */
	need_result(guest_call(mkdir, P("/rw/w"), 0755), 0);
	dir = open_("/rw/w", O_PATH | O_DIRECTORY);
	for (int i = 0; i < 1000; i++) {
		long next;

		need_result(guest_call(mkdirat, dir, P("d"), 0755), 0);
		next = guest_call(openat, dir, P("d"), O_PATH | O_DIRECTORY, 0);
		need(next >= 0);
		guest_call(close, dir);
		dir = next;
	}
	/* down and up again, by links that only a slow walk can follow, 40 of them */
	n = sprintf(target, "/rw/w");
	while (n < 2000)
		n += sprintf(target + n, "/d");
	while (n < PATH_MAX - 40)
		n += sprintf(target + n, "/../d");
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "/rw/up%d", i);
		sprintf(target + n, "/../../../../rw/up%d", i + 1);
		need_result(guest_call(symlink, P(target), P(path)), 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &before);
	need(open_("/rw/up0", O_RDONLY) < 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	need((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 2000);
	need_open("/rw/rw1", O_RDONLY, dir + 1);
}

static void the_longest_walk_takes_less_than_a_moment(void **state)
{
	(void)state;
	standard_grants();
	guest(long_walks);
}

/* ------------------------------------------------------------- races */

static atomic_bool racing;

/* Makes rw/swap a directory, a link to the secret, a link up, in turn. */
static void *swap(void *arg)
{
	int rw = open(at("rw"), O_PATH | O_DIRECTORY);

	while (racing)
		for (int i = 0; i < 3; i++)
			renameat2(rw, "swap", rw, i == 0 ? "l1" : i == 1 ? "l2" : "l3", RENAME_EXCHANGE);
	close(rw);
	return arg;
}

static void race(void)
{
	struct timespec now, end;
	unsigned long opened = 0, tries = 0;
	pthread_t thread;
	struct stat st;

	racing = true;
	need(pthread_create(&thread, NULL, swap, NULL) == 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 2;
	do {
		long err;
		const char *text = content("/rw/swap/s", &err);

		/* the real directory's file, or nothing at all */
		need(text ? !strcmp(text, "decoy") : err == -ENOENT || err == -ELOOP || err == -ENOTDIR || err == -EAGAIN);
		opened += !!text;
		tries++;
		need(guest_call(stat, P("/rw/swap/s"), P(&st)) < 0 || st.st_size == 5);
		guest_call(chmod, P("/rw/swap/s"), 0666);
		guest_call(truncate, P("/rw/swap/s"), 5);
		guest_call(utimensat, AT_FDCWD, P("/rw/swap/s"), 0, 0);
		guest_call(close, open_("/rw/swap/made", O_WRONLY | O_CREAT));
		guest_call(rename, P("/rw/swap/made"), P("/rw/swap/made2"));
		guest_call(link, P("/rw/swap/s"), P("/rw/swap/hard"));
		guest_call(unlink, P("/rw/swap/hard"));
		guest_call(mkdir, P("/rw/swap/d"), 0700);
		guest_call(rmdir, P("/rw/swap/d"));
		guest_call(unlink, P("/rw/swap/made2"));
		guest_call(symlink, P("x"), P("/rw/swap/l"));
		guest_call(unlink, P("/rw/swap/l"));
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);
	racing = false;
	pthread_join(thread, NULL);
	printf("%lu of %lu\n", opened, tries);
	/* else nothing was raced */
	need(opened > 10 && opened < tries);
}

static void threat_11_a_component_swapped_for_a_link_all_the_time_does_not_lead_out(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("rw/swap"), 0755), 0);
	assert_int_equal(mkdir(at("rw/l3"), 0755), 0);
	file("rw/swap/s", "decoy");
	file("rw/l3/s", "decoy");
	assert_int_equal(symlink(at("secret"), at("rw/l1")), 0);
	assert_int_equal(symlink("../secret", at("rw/l2")), 0);
	standard_grants();
	guest(race);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TREE(test) cmocka_unit_test_setup_teardown(test, make_tree, remove_tree)
		TREE(threat_11_names_lead_nowhere_but_into_the_grants),
		TREE(links_work_within_the_grants_and_end_outside),
		TREE(nothing_is_made_or_changed_through_a_link_that_leaves),
		TREE(openat2_keeps_its_rules_as_linux_does),
		TREE(where_modes_do_not_let_one_write_that_is_what_is_said),
		TREE(threat_13_a_read_only_grant_stays_as_it_is),
		TREE(threat_14_a_read_only_grant_inside_a_writable_one_has_no_side_entrance),
		TREE(threat_16_devices_sockets_and_fifos_are_not_opened),
		TREE(threat_12_a_grant_of_everything_has_nothing_of_the_hosts_proc_in_it),
		TREE(a_grant_that_cannot_be_is_one_line_and_125),
		TREE(single_files_can_be_granted),
		TREE(directories_that_lead_to_grants_can_be_read_and_not_changed),
		TREE(a_writable_grant_takes_all_changes),
		TREE(the_private_tmp_is_limited_and_nowhere_on_the_host),
		TREE(the_longest_walk_takes_less_than_a_moment),
		TREE(threat_11_a_component_swapped_for_a_link_all_the_time_does_not_lead_out),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
