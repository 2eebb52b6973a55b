/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of memfd_create(2): as files, mapped, sealed, and between processes. */
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "mem.h"

static long map(unsigned long va, unsigned long n, int prot, int type, int fd)
{
	return CALL(mmap, va, n * PAGE, prot, type | MAP_FIXED, fd, 0);
}

static void show(int fd)
{
	struct stat st;

	fstat(fd, &st);
	printf("  size %ld position %ld\n", (long)st.st_size, (long)lseek(fd, 0, SEEK_CUR));
}

static void files(void)
{
	int fd = CALL(memfd_create, "name", MFD_CLOEXEC), other;
	char text[100] = "";
	struct iovec v[2] = { { "ab", 2 }, { "cdef", 4 } };

	SHOW(CALL(fcntl, fd, F_GETFD));
	SHOW(CALL(write, fd, "0123456789", 10));
	SHOW(CALL(writev, fd, v, 2));
	show(fd);
	SHOW(CALL(pwrite64, fd, "PP", 2, 20));
	SHOW(CALL(pwritev2, fd, v, 2, 30, 0, 0));
	SHOW(CALL(pwritev2, fd, v, 2, -1, 0, 0));
	show(fd);
	SHOW(CALL(pread64, fd, text, 50, 0));
	for (int i = 0; i < 40; i++)
		putchar(text[i] ? text[i] : '.');
	putchar('\n');
	SHOW(CALL(ftruncate, fd, 5 * PAGE));
	SHOW(CALL(fallocate, fd, 0, 0, 7 * PAGE));
	SHOW(CALL(fallocate, fd, 3, 0, PAGE));
	SHOW(CALL(pread64, fd, text, 10, 0));
	printf("%d\n", text[0]);
	show(fd);
	SHOW(CALL(ftruncate, fd, -1));
	SHOW(CALL(fcntl, fd, F_SETFL, O_APPEND));
	lseek(fd, 0, SEEK_SET);
	SHOW(CALL(write, fd, "end", 3));
	show(fd);
	SHOW(map(ZONE, 8, RW, MAP_SHARED, fd));
	mem_layout(ZONE, 8);
	*(char *)ZONE = 'M';
	other = dup(fd);
	close(fd);
	SHOW(CALL(pread64, other, text, 10, 0));
	printf("%c\n", text[0]);
	close(other);
	mem_layout(ZONE, 8);
	SHOW(CALL(memfd_create, "name", 0x80));
	SHOW(CALL(memfd_create, 8, 0));
}

static void seals(void)
{
	int fd = CALL(memfd_create, "sealed", MFD_ALLOW_SEALING), plain = CALL(memfd_create, "plain", 0);

	SHOW(CALL(fcntl, plain, F_GET_SEALS));
	SHOW(CALL(fcntl, plain, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(CALL(ftruncate, fd, 4 * PAGE));
	SHOW(CALL(fcntl, fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(CALL(ftruncate, fd, 5 * PAGE));
	SHOW(CALL(pwrite64, fd, "x", 1, 4 * PAGE));
	SHOW(map(ZONE, 4, RW, MAP_SHARED, fd));
	mem_tag(ZONE, 4, 's');
	SHOW(CALL(fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(CALL(munmap, ZONE, 4 * PAGE));
	SHOW(CALL(fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(CALL(write, fd, "x", 1));
	SHOW(map(ZONE, 4, RW, MAP_SHARED, fd));
	SHOW(map(ZONE, 4, RW, MAP_PRIVATE, fd));
	mem_layout(ZONE, 4);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 2 * PAGE, 0));
	SHOW(CALL(fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL));
	SHOW(CALL(fcntl, fd, F_GET_SEALS));
	SHOW(CALL(ftruncate, fd, PAGE));
	SHOW(CALL(fcntl, fd, F_ADD_SEALS, F_SEAL_GROW));
	fd = CALL(memfd_create, "later", MFD_ALLOW_SEALING);
	SHOW(CALL(ftruncate, fd, PAGE));
	SHOW(map(ZONE, 1, RW, MAP_SHARED, fd));
	SHOW(CALL(fcntl, fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	mem_tag(ZONE, 1, 'f');
	SHOW(map(ZONE + PAGE, 1, RW, MAP_SHARED, fd));
	SHOW(map(ZONE + PAGE, 1, PROT_READ, MAP_SHARED, fd));
	SHOW(CALL(mprotect, ZONE + PAGE, PAGE, RW));
	mem_layout(ZONE, 2);
}

/* A private mapping, which has copies of its own and follows the file elsewhere, is in no seal's way. */
static void private(void)
{
	int fd = CALL(memfd_create, "private", MFD_ALLOW_SEALING), status;

	SHOW(CALL(ftruncate, fd, 8 * PAGE));
	SHOW(map(ZONE, 4, RW, MAP_PRIVATE, fd));
	mem_layout(ZONE, 4);
	mem_tag(ZONE, 2, 'p');
	SHOW(CALL(pwrite64, fd, "w", 1, 0));
	SHOW(CALL(pwrite64, fd, "x", 1, 2 * PAGE));
	SHOW(CALL(pwrite64, fd, "y", 1, 6 * PAGE));
	mem_layout(ZONE, 4);
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 8 * PAGE, 0));
	mem_layout(ZONE, 8);
	SHOW(CALL(fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(CALL(pwrite64, fd, "z", 1, 6 * PAGE));
	mem_tag(ZONE + 5 * PAGE, 2, 'q');
	mem_layout(ZONE, 8);
	fflush(stdout);
	if (fork() == 0) {
		*(char *)(ZONE + 7 * PAGE) = 'c';
		mem_layout(ZONE, 8);
		fflush(stdout);
		_exit(6);
	}
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	mem_layout(ZONE, 8);
	SHOW(CALL(munmap, ZONE, 8 * PAGE));
}

static int again(int fd, int flags)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return CALL(open, name, flags);
}

/* By its name in /proc it is opened as its mode says, whatever the descriptor is for. */
static void opened_again(void)
{
	int fd = CALL(memfd_create, "again", MFD_ALLOW_SEALING), reader = again(fd, O_RDONLY), writer, third;
	char text[8] = "";

	SHOW(CALL(write, reader, "x", 1));
	SHOW(CALL(ftruncate, reader, PAGE));
	writer = again(reader, O_RDWR);
	SHOW(CALL(write, writer, "abc", 3));
	show(fd);
	show(writer);
	SHOW(CALL(read, reader, text, 8));
	puts(text);
	third = again(again(writer, O_RDONLY | O_CLOEXEC), O_WRONLY | O_APPEND);
	SHOW(CALL(write, third, "def", 3));
	show(fd);
	SHOW(map(ZONE, 1, RW, MAP_SHARED, writer));
	*(char *)ZONE = 'A';
	SHOW(CALL(fcntl, fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	SHOW(map(ZONE + PAGE, 1, RW, MAP_SHARED, again(reader, O_RDWR)));
	SHOW(CALL(write, again(reader, O_RDWR), "x", 1));
	SHOW(CALL(pread64, reader, text, 8, 0));
	puts(text);
	close(again(fd, O_WRONLY | O_TRUNC));
	show(fd);
	SHOW(CALL(fchmod, fd, 0400));
	SHOW(CALL(fchmod, reader, 0600));
}

static void filled_by_others(void)
{
	int fd = CALL(memfd_create, "to", 0), from = CALL(memfd_create, "from", 0), p[2], status;
	static char text[3 * 1024 * 1024];
	off_t at = 4, to = 10;

	pipe(p);
	CALL(write, from, "0123456789", 10);
	SHOW(CALL(sendfile, fd, from, &at, 4));
	printf("%ld\n", (long)at);
	show(fd);
	at = 2;
	SHOW(CALL(copy_file_range, from, &at, fd, &to, 100, 0));
	printf("%ld %ld\n", (long)at, (long)to);
	show(fd);
	SHOW(CALL(copy_file_range, from, &at, fd, NULL, 100, 0));
	at = 0;
	SHOW(CALL(copy_file_range, from, &at, fd, NULL, 2, 0));
	show(fd);
	SHOW(CALL(write, p[1], "pipe", 4));
	to = 20;
	SHOW(CALL(splice, p[0], NULL, fd, &to, 100, 0));
	printf("%ld\n", (long)to);
	SHOW(CALL(splice, p[0], NULL, fd, NULL, 100, SPLICE_F_NONBLOCK));
	fflush(stdout);
	if (fork() == 0) {
		usleep(50000);
		_exit(CALL(write, p[1], "late", 4) != 4);
	}
	SHOW(CALL(splice, p[0], NULL, fd, NULL, 100, 0));
	wait(&status);
	show(fd);
	SHOW(CALL(pread64, fd, text, 40, 0));
	for (int i = 0; i < 40; i++)
		putchar(text[i] ? text[i] : '.');
	putchar('\n');
	to = -1;
	SHOW(CALL(splice, p[0], NULL, fd, &to, 100, SPLICE_F_NONBLOCK));
	SHOW(CALL(fcntl, fd, F_SETFL, O_APPEND));
	SHOW(CALL(sendfile, fd, from, &at, 4));
	SHOW(CALL(fcntl, fd, F_SETFL, 0));
	/* more than goes at once */
	SHOW(CALL(ftruncate, fd, 0));
	lseek(fd, 0, SEEK_SET);
	memset(text, 'T', sizeof(text));
	printf("%d\n", CALL(pwrite64, from, text, sizeof(text), 0) == sizeof(text));
	at = 0;
	printf("%d\n", CALL(sendfile, fd, from, &at, 1 << 30) == sizeof(text));
	show(fd);
	close(p[1]);
	SHOW(CALL(splice, p[0], NULL, fd, NULL, 100, 0));
}

/* A child has the file, its mapping, and a private one with copies of its own. */
static void forked(void)
{
	int fd = CALL(memfd_create, "shared", 0), status;

	SHOW(CALL(ftruncate, fd, 4 * PAGE));
	SHOW(map(ZONE, 4, RW, MAP_SHARED, fd));
	mem_tag(ZONE, 4, 'A');
	SHOW(map(ZONE + 4 * PAGE, 4, RW, MAP_PRIVATE, fd));
	mem_tag(ZONE + 4 * PAGE, 2, 'a');
	fflush(stdout);
	if (fork() == 0) {
		mem_layout(ZONE, 8);
		*(char *)ZONE = 'C';
		*(char *)(ZONE + 5 * PAGE) = 'c';
		*(char *)(ZONE + 6 * PAGE) = 'd';
		CALL(pwrite64, fd, "w", 1, 3 * PAGE);
		mem_layout(ZONE, 8);
		map(ZONE + 8 * PAGE, 4, RW, MAP_SHARED, fd);
		mem_layout(ZONE + 8 * PAGE, 4);
		CALL(munmap, ZONE, 4 * PAGE);
		fflush(stdout);
		_exit(5);
	}
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	mem_layout(ZONE, 8);
}

int main(int argc, char **argv)
{
	static const struct mem_part all[] = {
		{ "files", files }, { "seals", seals }, { "private", private }, { "again", opened_again },
		{ "filled", filled_by_others }, { "forked", forked },
	};

	return mem_main(argc, argv, all, ARRAY_SIZE(all));
}
