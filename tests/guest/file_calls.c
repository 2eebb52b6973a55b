/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls on files that few programs make, and what they answer to arguments that are wrong, in the
 * directory named by the first argument, which the program makes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

static int file, dir, absent = 99;

/* One line: what was called, and its result or its error. */
static long show(const char *what, long result)
{
	if (result < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, result);
	return result;
}

#define SHOW(call) show(#call, call)

static void writes_reach_the_disk(void)
{
	int pipes[2];

	SHOW(pipe(pipes));
	SHOW(fsync(file));
	SHOW(fdatasync(file));
	SHOW(fdatasync(absent));
	SHOW(fdatasync(pipes[0]));
	SHOW(syncfs(file));
	SHOW(syncfs(absent));
	sync();
	SHOW(sync_file_range(file, 0, 4096, SYNC_FILE_RANGE_WRITE));
	SHOW(sync_file_range(file, -1, 4096, SYNC_FILE_RANGE_WRITE));
	SHOW(sync_file_range(file, 0, 4096, 0x100));
	SHOW(sync_file_range(pipes[0], 0, 4096, 0));
	SHOW(readahead(file, 0, 4096));
	SHOW(readahead(pipes[0], 0, 4096));
	SHOW(readahead(absent, 0, 4096));
	errno = posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
	show("fadvise", errno ? -1 : 0);
	errno = posix_fadvise(file, 0, 0, 77);
	show("fadvise 77", errno ? -1 : 0);
	errno = posix_fadvise(pipes[0], 0, 0, POSIX_FADV_NORMAL);
	show("fadvise of a pipe", errno ? -1 : 0);
}

static void vectors_have_a_place(void)
{
	char a[3] = "abc", b[4] = "defg", back[8] = "";
	struct iovec out[] = { { a, 3 }, { b, 4 } }, in[] = { { back, 2 }, { back + 2, 5 } };

	SHOW(pwritev(file, out, 2, 10));
	SHOW(preadv(file, in, 2, 10));
	puts(back);
	SHOW(pwritev2(file, out, 2, 20, RWF_DSYNC));
	SHOW(preadv2(file, in, 2, 20, 0));
	SHOW(preadv2(file, in, 2, 20, 0x1000));
	SHOW(lseek(file, 0, SEEK_SET));
	SHOW(pwritev2(file, out, 2, -1, RWF_APPEND));
	SHOW(preadv2(file, in, 2, -1, RWF_HIPRI));
	SHOW(preadv(file, in, 2, -1));
	SHOW(syscall(SYS_preadv, file, in, -1, 0, 0));
	SHOW(lseek(file, 0, SEEK_CUR));
}

/*
 * 1,024 pieces of 4 KiB, each across two pages, of which no two lie side by side in the machine's memory:
 * each page is touched before there is the one below it.
 */
static void vectors_are_moved_whole(void)
{
	enum { PIECES = 1024, PAGE = 4096, SIZE = PIECES * PAGE };
	static struct iovec iov[PIECES], one[1];
	char *space = mmap(NULL, 2 * (SIZE + PAGE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = space + SIZE + PAGE / 2, *back = malloc(SIZE);
	int fd = open("whole", O_RDWR | O_CREAT, 0600);

	for (int i = PIECES; i >= 0; i--) {
		mmap(space + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memset(space + i * PAGE, i % 251, PAGE);
	}
	for (int i = 0; i < PIECES; i++)
		iov[i] = (struct iovec){ at -= PAGE, PAGE };
	SHOW(writev(fd, iov, PIECES));
	SHOW(pwritev(fd, iov, PIECES, 100));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pwritev2(fd, iov, PIECES, -1, 0));
	SHOW(pwritev2(fd, iov, PIECES, 5000, 0));
	SHOW(pread(fd, back, SIZE, 5000));
	for (int i = 0; i < PIECES; i++)
		if (memcmp(back + i * PAGE, iov[i].iov_base, PAGE))
			printf("piece %d was written wrong\n", i);
	for (int i = 0; i < SIZE; i++)
		back[i] = i / 7;
	SHOW(pwrite(fd, back, SIZE, 6000));
	memset(space + PAGE, 0, SIZE);
	SHOW(preadv(fd, iov, PIECES, 6000));
	for (int i = 0; i < PIECES; i++)
		if (memcmp(back + i * PAGE, iov[i].iov_base, PAGE))
			printf("piece %d was read wrong\n", i);
	SHOW(preadv2(fd, iov, PIECES, 7000, 0));
	SHOW(lseek(fd, 1, SEEK_SET));
	SHOW(readv(fd, iov, PIECES));
	SHOW(preadv2(fd, iov, PIECES, -1, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));
	/* up to the first that is not there */
	mprotect(space + 3 * PAGE, PAGE, PROT_NONE);
	SHOW(preadv(fd, iov, PIECES, 0));
	SHOW(preadv(fd, one, 1, 0));
	close(fd);
	unlink("whole");
	munmap(space, 2 * (SIZE + PAGE));
	free(back);
}

static void names_in_a_directory(void)
{
	char target[16] = "";

	SHOW(symlinkat("f", dir, "link"));
	SHOW(symlinkat("f", dir, "link"));
	SHOW(symlinkat("", dir, "empty"));
	SHOW(readlinkat(dir, "link", target, sizeof(target)));
	puts(target);
	SHOW(readlinkat(dir, "link", target, 0));
	SHOW(readlinkat(dir, "f", target, sizeof(target)));
	SHOW(readlinkat(file, "link", target, sizeof(target)));
	SHOW(syscall(SYS_renameat, dir, "link", dir, "other"));
	SHOW(syscall(SYS_renameat, dir, "link", dir, "other"));
	SHOW(renameat2(dir, "other", dir, "f", RENAME_NOREPLACE));
	SHOW(renameat2(dir, "other", dir, "f", RENAME_EXCHANGE));
	SHOW(renameat2(dir, "other", dir, "f", RENAME_EXCHANGE));
	SHOW(renameat2(dir, "other", dir, "f", RENAME_EXCHANGE | RENAME_NOREPLACE));
	SHOW(syscall(SYS_faccessat, dir, "other", R_OK));
	SHOW(syscall(SYS_faccessat, dir, "none", F_OK));
	SHOW(syscall(SYS_faccessat, dir, "f", 8));
	SHOW(mknodat(dir, "pipe", S_IFIFO | 0600, 0));
	SHOW(mknodat(dir, "pipe", S_IFIFO | 0600, 0));
	SHOW(mknodat(dir, "plain", S_IFREG | 0640, 0));
	SHOW(mknodat(dir, "plain/x", S_IFREG | 0640, 0));
	SHOW(mknodat(dir, "socket", S_IFSOCK | 0640, 0));
	SHOW(mknodat(dir, "socket", S_IFSOCK | 0640, 0));
	SHOW(openat(dir, "socket", O_RDWR));
	SHOW(mknodat(dir, "device", S_IFDIR | 0640, 0));
	SHOW(mknodat(dir, "device", 0170000, 0));
	SHOW(unlinkat(dir, "socket", 0));
	SHOW(unlinkat(dir, "pipe", AT_REMOVEDIR));
	SHOW(unlinkat(dir, "pipe", 0));
	SHOW(unlinkat(dir, "plain", 1));
}

static void randomness_is_counted(void)
{
	int random = SHOW(open("/dev/urandom", O_RDONLY)), null = SHOW(open("/dev/null", O_RDWR)), bits = 0;

	SHOW(ioctl(random, RNDGETENTCNT, &bits));
	printf("some: %d\n", bits > 0);
	SHOW(ioctl(random, RNDGETENTCNT, (int *)16));
	SHOW(ioctl(null, RNDGETENTCNT, &bits));
	SHOW(ioctl(file, RNDGETENTCNT, &bits));
}

static void statx_tells_what_stat_does(void)
{
	struct statx x;
	struct stat s;

	SHOW(fstat(file, &s));
	SHOW(statx(dir, "f", 0, STATX_BASIC_STATS, &x));
	printf("the same: %d\n", x.stx_ino == s.st_ino && x.stx_size == (unsigned long)s.st_size &&
	       x.stx_mode == s.st_mode && x.stx_nlink == s.st_nlink && x.stx_uid == s.st_uid &&
	       x.stx_mtime.tv_sec == s.st_mtim.tv_sec && x.stx_mtime.tv_nsec == s.st_mtim.tv_nsec &&
	       x.stx_blocks == (unsigned long)s.st_blocks && x.stx_blksize == (unsigned long)s.st_blksize);
	SHOW(statx(dir, "other", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
	printf("a link: %d\n", S_ISLNK(x.stx_mode));
	SHOW(statx(file, "", AT_EMPTY_PATH, STATX_SIZE, &x));
	SHOW(statx(file, "", 0, STATX_SIZE, &x));
	SHOW(statx(dir, "none", 0, STATX_SIZE, &x));
	SHOW(statx(dir, "f", 0, 0x80000000, &x));
	SHOW(statx(dir, "f", 0x10, STATX_SIZE, &x));
	SHOW(statx(absent, "f", 0, STATX_SIZE, &x));
	SHOW(statx(dir, "f", 0, STATX_SIZE, (struct statx *)16));
}

static void the_file_system(void)
{
	struct statfs by_path, by_file;

	SHOW(fstatfs(file, &by_file));
	SHOW(statfs(".", &by_path));
	printf("the same: %d\n", by_path.f_type == by_file.f_type && by_path.f_bsize == by_file.f_bsize);
	SHOW(fstatfs(absent, &by_file));
	SHOW(fstatfs(file, (struct statfs *)16));
}

/* A struct open_how longer than any that is known. */
static void longer_structures(void)
{
	struct { struct open_how how; char more[40]; } how = { .how.flags = O_RDONLY };
	static const size_t sizes[] = { 0, 8, 23, 24, 25, 64, 4097 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		SHOW(syscall(SYS_openat2, dir, "f", &how, sizes[i]) < 0 ? -1 : 0);
	how.more[39] = 1;
	SHOW(syscall(SYS_openat2, dir, "f", &how, 63) < 0 ? -1 : 0);
	SHOW(syscall(SYS_openat2, dir, "f", &how, 64));
	SHOW(syscall(SYS_openat2, dir, "f", NULL, 24));
	SHOW(syscall(SYS_openat2, dir, "f", NULL, 64));
	SHOW(syscall(SYS_openat2, dir, "f", NULL, 0));
	SHOW(syscall(SYS_openat2, absent, "f", &how.how, 24));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The oldest form of a directory's entries. */
static void entries(void)
{
	struct old { unsigned long ino, off; unsigned short length; char name[]; } *e;
	char room[1024], *names[32];
	size_t count = 0;
	long n;

	SHOW(lseek(dir, 0, SEEK_SET));
	n = syscall(SYS_getdents, dir, room, sizeof(room));
	for (long at = 0; at < n; at += e->length) {
		e = (void *)(room + at);
		/* the entry's type is its last byte */
		if (asprintf(&names[count], "%s %d", e->name, room[at + e->length - 1]) > 0 && count < 31)
			count++;
	}
	qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < count; i++)
		puts(names[i]);
	SHOW(syscall(SYS_getdents, dir, room, sizeof(room)));
	SHOW(lseek(dir, 0, SEEK_SET));
	SHOW(syscall(SYS_getdents, dir, room, 8));
	SHOW(syscall(SYS_getdents, file, room, sizeof(room)));
	SHOW(syscall(SYS_getdents, absent, room, sizeof(room)));
}

static void attributes_of_links(void)
{
	char value[16];

	/* user attributes are for files and directories only */
	SHOW(lsetxattr("f", "user.a", "v", 1, 0));
	SHOW(lgetxattr("f", "user.a", value, sizeof(value)));
	SHOW(lgetxattr("f", "user.b", value, sizeof(value)));
	SHOW(llistxattr("f", NULL, 0) >= 0 ? 0 : -1);
	SHOW(lremovexattr("f", "user.a"));
	SHOW(lremovexattr("f", "user.a"));
	SHOW(lgetxattr("none", "user.a", value, sizeof(value)));
	SHOW(lsetxattr("l", "user.a", "v", 1, 0));
	SHOW(lgetxattr("l", "user.a", value, sizeof(value)));
	SHOW(lremovexattr("l", "user.a"));
	SHOW(llistxattr("l", NULL, 0));
}

/* The owner needs no right to read for it. */
static void modes_of_what_cannot_be_opened(void)
{
	static const char *const names[] = { "unread", "closed", "fifo" };
	struct stat st;

	close(open("unread", O_WRONLY | O_CREAT, 0600));
	mkdir("closed", 0700);
	mkfifo("fifo", 0600);
	for (unsigned int i = 0; i < 3; i++) {
		SHOW(chmod(names[i], 0));
		SHOW(chmod(names[i], 0751));
		stat(names[i], &st);
		printf("%s: %o\n", names[i], st.st_mode);
	}
}

int main(int argc, char **argv)
{
	const char *where = argv[argc - 1];

	if (mkdir(where, 0700) || chdir(where))
		return 1;
	file = open("f", O_RDWR | O_CREAT | O_EXCL, 0640);
	dir = open(".", O_RDONLY | O_DIRECTORY);
	if (file < 0 || dir < 0 || symlink("f", "l"))
		return 2;
	writes_reach_the_disk();
	vectors_have_a_place();
	vectors_are_moved_whole();
	names_in_a_directory();
	randomness_is_counted();
	statx_tells_what_stat_does();
	the_file_system();
	longer_structures();
	entries();
	attributes_of_links();
	modes_of_what_cannot_be_opened();
	return 0;
}
