/* SPDX-License-Identifier: GPL-2.0-only */
/* splice(2), tee(2), vmsplice(2). */
#include "process.h"

#include <sys/socket.h>
#include <sys/uio.h>

static long say(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
	return ret;
}

static void print(int fd)
{
	char text[64] = { 0 };

	say("read", read(fd, text, sizeof(text) - 1));
	printf("  \"%s\"\n", text);
}

static int writes_later(long fd)
{
	usleep(50000);
	return write(fd, "late", 4) != 4;
}

int main(void)
{
	char name[] = "/tmp/splice.XXXXXX";
	int fd = mkstemp(name), out = open(name, O_RDWR | O_APPEND), p[2], q[2], s[2];
	struct iovec iov[2] = { { "one ", 4 }, { "two", 3 } };
	off_t at = 3;
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	unlink(name);
	pipe(p);
	pipe(q);
	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	write(fd, "0123456789", 10);
	say("from a file", splice(fd, &at, p[1], NULL, 4, SPLICE_F_MOVE));
	printf("offset %ld\n", (long)at);
	say("tee", tee(p[0], q[1], 100, 0));
	print(p[0]);
	say("between pipes", splice(q[0], NULL, p[1], NULL, 2, 0));
	say("into a socket", splice(q[0], NULL, s[0], NULL, 100, 0));
	print(s[1]);
	at = 1;
	say("into a file", splice(p[0], NULL, fd, &at, 100, 0));
	lseek(fd, 0, SEEK_SET);
	print(fd);
	at = 100;
	say("from behind a file's end", splice(fd, &at, p[1], NULL, 4, 0));
	say("from an empty pipe", splice(p[0], NULL, fd, NULL, 4, SPLICE_F_NONBLOCK));
	say("tee of nothing", tee(p[0], q[1], 4, SPLICE_F_NONBLOCK));
	say("between files", splice(fd, NULL, fd, NULL, 4, 0));
	say("an offset of a pipe", splice(p[0], &at, fd, NULL, 4, 0));
	say("a pipe to itself", splice(p[0], NULL, p[1], NULL, 4, 0));
	say("tee to itself", tee(p[0], p[1], 4, 0));
	say("tee of a file", tee(fd, p[1], 4, 0));
	say("the wrong ends", splice(p[1], NULL, q[0], NULL, 4, 0));
	write(p[1], "x", 1);
	say("to what is appended", splice(p[0], NULL, out, NULL, 4, 0));
	print(p[0]);
	say("flags that are none", splice(p[0], NULL, fd, NULL, 4, 0x100));
	say("what is not open", splice(77, NULL, fd, NULL, 4, 0));
	say("nothing", splice(p[0], NULL, fd, NULL, 0, 0));
	say("a bad offset", splice(fd, (off_t *)BAD, p[1], NULL, 4, 0));
	pid = child(writes_later, p[1]);
	lseek(fd, 0, SEEK_END);
	say("one that waits", splice(p[0], NULL, fd, NULL, 100, 0));
	printf("ended with %d\n", ended(pid));
	say("memory", vmsplice(p[1], iov, 2, 0));
	print(p[0]);
	say("memory, at once", vmsplice(p[1], iov, 1, SPLICE_F_NONBLOCK));
	say("no memory", vmsplice(p[1], iov, 0, 0));
	say("into a file", vmsplice(fd, iov, 1, 0));
	say("flags that are none", vmsplice(p[1], iov, 1, 0x100));
	return 0;
}
