/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program sees of its standard streams: stdio MODE [ARG...].
 *
 *	cat		stdin to stdout; exits with errno
 *	closed		exit status: bit N set when descriptor N is closed (EBADF)
 *	lowest		exit status: the descriptor that open() gives
 *	inherited	names each open descriptor from 3 to 1023
 *	write SIZE	one write() of SIZE bytes to stdout; its result on stderr
 *	read SIZE	one read() of SIZE bytes from stdin; result and a sum
 *	writev, readv	1,024 pieces of uneven lengths
 *	pipe ACTION	to a broken pipe: default or ignore SIGPIPE
 *	flags		F_GETFL of the three
 *	append		two lines to stdout
 *	tty		isatty, size, modes of stdin; raw mode and back
 *	wait		a line, then until killed
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#define PIECES 1024

static int cat(void)
{
	static char buf[65536];
	ssize_t n;

	while ((n = read(0, buf, sizeof(buf))) > 0)
		for (ssize_t done = 0; done < n;) {
			ssize_t w = write(1, buf + done, n - done);

			if (w < 0)
				return errno;
			done += w;
		}
	return n < 0 ? errno : 0;
}

static int closed(void)
{
	int mask = 0;
	char c = 0;

	for (int fd = 0; fd < 3; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0)
			continue;
		if (errno != EBADF || (fd ? write(fd, &c, 1) : read(fd, &c, 1)) >= 0 || errno != EBADF ||
		    close(fd) >= 0 || errno != EBADF || dup(fd) >= 0 || errno != EBADF)
			return 99;
		mask |= 1 << fd;
	}
	return mask;
}

static unsigned char byte_at(size_t i)
{
	return i * 2654435761u >> 13;
}

static unsigned char *pattern(size_t size)
{
	unsigned char *p = malloc(size);

	for (size_t i = 0; i < size; i++)
		p[i] = byte_at(i);
	return p;
}

static uint64_t sum_of(const unsigned char *p, size_t n)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ p[i]) * 0x100000001b3;
	return sum;
}

static int one_write(size_t size)
{
	ssize_t n = write(1, pattern(size), size);

	fprintf(stderr, "write %zd\n", n);
	return n == (ssize_t)size ? 0 : 1;
}

static int one_read(size_t size)
{
	unsigned char *p = malloc(size);
	ssize_t n = read(0, p, size);

	printf("read %zd sum %016llx\n", n, n < 0 ? 0 : (unsigned long long)sum_of(p, n));
	return 0;
}

static size_t pieces(struct iovec *iov, unsigned char *base)
{
	size_t at = 0;

	for (size_t i = 0; i < PIECES; i++) {
		/* 0 to 366 bytes, also empty ones */
		iov[i] = (struct iovec){ base + at, i * 7919 % 367 };
		at += iov[i].iov_len;
	}
	return at;
}

static int vectors(bool out)
{
	unsigned char *p = out ? pattern(PIECES * 367) : malloc(PIECES * 367);
	struct iovec iov[PIECES];
	size_t size = pieces(iov, p);
	ssize_t n = out ? writev(1, iov, PIECES) : readv(0, iov, PIECES);

	fprintf(stderr, "%s %zd of %zu sum %016llx\n", out ? "writev" : "readv", n, size,
		(unsigned long long)sum_of(p, n < 0 ? 0 : n));
	return 0;
}

static int broken_pipe(const char *action)
{
	int fd[2];
	ssize_t n;

	if (!strcmp(action, "ignore"))
		signal(SIGPIPE, SIG_IGN);
	if (!strcmp(action, "stdout")) {
		/* until the reader is gone */
		while (write(1, "x", 1) == 1)
			;
	} else if (pipe(fd) == 0) {
		close(fd[0]);
		n = write(fd[1], "x", 1);
		printf("%zd %s\n", n, n < 0 ? strerrorname_np(errno) : "");
	}
	return 0;
}

static int flags(void)
{
	char c;
	ssize_t n;

	for (int fd = 0; fd < 3; fd++)
		printf("%d %#o\n", fd, fcntl(fd, F_GETFL));
	if (fcntl(0, F_GETFL) & O_NONBLOCK) {
		n = read(0, &c, 1);
		printf("read %zd %s\n", n, n < 0 ? strerrorname_np(errno) : "");
	}
	return 0;
}

static int tty(void)
{
	struct winsize w = { 0 };
	struct termios old, raw;
	int size = ioctl(0, TIOCGWINSZ, &w);

	printf("isatty %d %d %d\n", isatty(0), isatty(1), isatty(2));
	printf("size %d %d %d\n", size, w.ws_row, w.ws_col);
	if (tcgetattr(0, &old))
		return errno;
	printf("modes %#x %#x %#x %#x\n", old.c_iflag, old.c_oflag, old.c_cflag, old.c_lflag);
	raw = old;
	cfmakeraw(&raw);
	if (tcsetattr(0, TCSADRAIN, &raw) || tcgetattr(0, &raw))
		return errno;
	printf("raw %d\r\n", !(raw.c_lflag & (ICANON | ECHO | ISIG)));
	fflush(stdout);
	return tcsetattr(0, TCSADRAIN, &old) ? errno : 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "", *arg = argc > 2 ? argv[2] : "0";

	if (!strcmp(mode, "cat"))
		return cat();
	if (!strcmp(mode, "closed"))
		return closed();
	if (!strcmp(mode, "lowest"))
		return open("/dev/null", O_RDWR);
	if (!strcmp(mode, "inherited")) {
		for (int fd = 3; fd < 1024; fd++)
			if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
				printf("%d\n", fd);
		return 0;
	}
	if (!strcmp(mode, "write"))
		return one_write(strtoul(arg, NULL, 0));
	if (!strcmp(mode, "read"))
		return one_read(strtoul(arg, NULL, 0));
	if (!strcmp(mode, "writev") || !strcmp(mode, "readv"))
		return vectors(mode[0] == 'w');
	if (!strcmp(mode, "pipe"))
		return broken_pipe(arg);
	if (!strcmp(mode, "flags"))
		return flags();
	if (!strcmp(mode, "append")) {
		puts("one");
		puts("two");
		return 0;
	}
	if (!strcmp(mode, "tty"))
		return tty();
	if (!strcmp(mode, "wait")) {
		write(1, "ready\n", 6);
		for (;;)
			pause();
	}
	return 99;
}
