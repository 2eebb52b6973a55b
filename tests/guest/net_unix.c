/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UNIX sockets: "net_unix pairs" without addresses; "net_unix names" in the current
 * directory; "net_unix processes" likewise; "net_unix reach PATH" connects to a service.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* One line per step: its name, and the result or the error's name. */
static long say(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
	return ret;
}

static void show(const char *what, const struct sockaddr_un *addr, socklen_t len)
{
	printf("%s: length %u", what, len);
	if (len >= 2)
		printf(" family %d", addr->sun_family);
	if (len > 2)
		printf(" path %s", addr->sun_path[0] ? addr->sun_path : "(abstract)");
	puts("");
}

static struct sockaddr_un named(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strcpy(addr.sun_path, path);
	return addr;
}

/* ------------------------------------------------------------- without addresses */

static void stream_pair(void)
{
	int s[2], n = 0;
	char text[64] = "";
	struct pollfd p;

	say("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	say("send", send(s[0], "hello", 5, 0));
	say("FIONREAD", ioctl(s[1], FIONREAD, &n));
	printf("waiting: %d\n", n);
	say("peek", recv(s[1], text, 3, MSG_PEEK));
	say("recv", recv(s[1], text, sizeof(text), 0));
	printf("came: %s\n", text);
	say("recv of nothing", recv(s[1], text, sizeof(text), MSG_DONTWAIT));
	p = (struct pollfd){ s[1], POLLIN | POLLOUT, 0 };
	say("poll", poll(&p, 1, 0));
	printf("events: %#x\n", p.revents);
	say("shutdown", shutdown(s[0], SHUT_WR));
	say("recv at the end", recv(s[1], text, sizeof(text), 0));
	say("shutdown of an unknown way", shutdown(s[0], 7));
	close(s[1]);
	say("send to nobody", send(s[0], "x", 1, MSG_NOSIGNAL));
	close(s[0]);
	say("flags that are none", socketpair(AF_UNIX, SOCK_STREAM | 0x100, 0, s));
	say("a pair of AF_INET", socketpair(AF_INET, SOCK_STREAM, 0, s));
	say("a family that is none", socketpair(77, SOCK_STREAM, 0, s));
	say("a protocol that is none", socketpair(AF_UNIX, SOCK_STREAM, 99, s));
	say("a bad pointer", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8));
	say("nonblocking", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s));
	printf("flags: %#x %#x\n", fcntl(s[0], F_GETFL), fcntl(s[0], F_GETFD));
	say("recv", recv(s[0], text, 1, 0));
	close(s[0]);
	close(s[1]);
}

static void packet_pair(int type)
{
	int s[2];
	char text[64] = "";

	say("socketpair", socketpair(AF_UNIX, type, 0, s));
	say("send one", send(s[0], "first", 5, 0));
	say("send two", send(s[0], "second", 6, 0));
	say("recv short", recv(s[1], text, 3, 0));
	say("recv", recv(s[1], text, sizeof(text), 0));
	printf("came: %s\n", text);
	say("recv of nothing", recv(s[1], text, sizeof(text), MSG_DONTWAIT));
	say("write", write(s[1], "back", 4));
	say("read", read(s[0], text, sizeof(text)));
	close(s[0]);
	close(s[1]);
}

static void options(int type)
{
	struct timeval tv = { 0, 50000 };
	int s[2], n = -1;
	struct ucred cred = { 0 };
	socklen_t len = sizeof(n);
	char text[8];

	socketpair(AF_UNIX, type, 0, s);
	say("SO_TYPE", getsockopt(s[0], SOL_SOCKET, SO_TYPE, &n, &len));
	printf("%d %u\n", n, len);
	say("SO_DOMAIN", getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &n, &len));
	printf("%d\n", n);
	say("SO_PROTOCOL", getsockopt(s[0], SOL_SOCKET, SO_PROTOCOL, &n, &len));
	printf("%d\n", n);
	say("SO_ERROR", getsockopt(s[0], SOL_SOCKET, SO_ERROR, &n, &len));
	printf("%d\n", n);
	len = 2;
	n = -1;
	say("a short one", getsockopt(s[0], SOL_SOCKET, SO_ACCEPTCONN, &n, &len));
	printf("%x %u\n", n, len);
	len = -1;
	say("a negative length", getsockopt(s[0], SOL_SOCKET, SO_TYPE, &n, &len));
	len = sizeof(cred);
	say("SO_PEERCRED", getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	printf("%d %d %d\n", cred.pid == getpid(), cred.uid == getuid(), cred.gid == getgid());
	say("SO_RCVTIMEO", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	say("recv with a time limit", recv(s[0], text, sizeof(text), 0));
	n = 1;
	say("SO_KEEPALIVE", setsockopt(s[0], SOL_SOCKET, SO_KEEPALIVE, &n, sizeof(n)));
	say("too short", setsockopt(s[0], SOL_SOCKET, SO_KEEPALIVE, &n, 1));
	say("a negative length", setsockopt(s[0], SOL_SOCKET, SO_KEEPALIVE, &n, -1));
	say("a bad pointer", setsockopt(s[0], SOL_SOCKET, SO_KEEPALIVE, (void *)8, 4));
	say("an unknown option", setsockopt(s[0], SOL_SOCKET, 9999, &n, sizeof(n)));
	say("not a socket", setsockopt(0, SOL_SOCKET, SO_KEEPALIVE, &n, sizeof(n)));
	say("not open", setsockopt(77, SOL_SOCKET, SO_KEEPALIVE, &n, sizeof(n)));
	close(s[0]);
	close(s[1]);
}

static ssize_t send_fds(int s, const char *text, const int *fd, size_t n)
{
	struct iovec iov = { (void *)text, strlen(text) };
	union {
		char space[CMSG_SPACE(300 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = CMSG_SPACE(n * sizeof(int)) };

	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(&control.align), fd, n * sizeof(int));
	return sendmsg(s, &m, 0);
}

/* Returns the first descriptor that came. */
static int receive_fds(int s, size_t room, int flags)
{
	char text[32] = "";
	struct iovec iov = { text, sizeof(text) - 1 };
	union {
		char space[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = room };
	struct cmsghdr *c;
	int first = -1, n = 0;

	say("recvmsg", recvmsg(s, &m, flags));
	printf("text %s flags %#x control %zu name %u\n", text, m.msg_flags, m.msg_controllen, m.msg_namelen);
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		printf("level %d type %d with %d\n", c->cmsg_level, c->cmsg_type, n);
		if (n && c->cmsg_type == SCM_RIGHTS)
			memcpy(&first, CMSG_DATA(c), sizeof(first));
	}
	return first;
}

static void rights(void)
{
	int s[2], p[2], fd, bad[2];
	char text[8] = "";

	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	pipe(p);
	say("one", send_fds(s[0], "one", &p[1], 1));
	fd = receive_fds(s[1], CMSG_SPACE(4 * sizeof(int)), 0);
	printf("number %d close-on-exec %d\n", fd, fcntl(fd, F_GETFD));
	say("write", write(fd, "through", 7));
	say("read", read(p[0], text, 7));
	printf("%s\n", text);
	close(fd);
	say("two", send_fds(s[0], "two", p, 2));
	fd = receive_fds(s[1], CMSG_SPACE(4 * sizeof(int)), MSG_CMSG_CLOEXEC);
	printf("number %d close-on-exec %d\n", fd, fcntl(fd, F_GETFD));
	close(fd);
	close(fd + 1);
	say("two for one", send_fds(s[0], "cut", p, 2));
	fd = receive_fds(s[1], CMSG_LEN(sizeof(int)), 0);
	printf("number %d\n", fd);
	close(fd);
	say("no room", send_fds(s[0], "none", p, 1));
	receive_fds(s[1], 0, 0);
	/* nothing stays open of what was not taken */
	fd = dup(0);
	printf("next number %d\n", fd);
	close(fd);
	bad[0] = p[0];
	bad[1] = 77;
	say("one that is not open", send_fds(s[0], "bad", bad, 2));
	say("peek", send_fds(s[0], "peek", p, 1));
	fd = receive_fds(s[1], CMSG_SPACE(sizeof(int)), MSG_PEEK);
	close(fd);
	fd = receive_fds(s[1], CMSG_SPACE(sizeof(int)), 0);
	close(fd);
	close(s[0]);
	close(s[1]);
	close(p[0]);
	close(p[1]);
}

static void credentials(void)
{
	struct ucred cred = { getpid(), getuid(), getgid() }, got;
	int s[2], on = 1;
	char text[8];
	struct iovec iov = { text, 1 };
	union {
		char space[CMSG_SPACE(sizeof(cred))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	say("SO_PASSCRED", setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	control.align = (struct cmsghdr){ CMSG_LEN(sizeof(cred)), SOL_SOCKET, SCM_CREDENTIALS };
	memcpy(CMSG_DATA(&control.align), &cred, sizeof(cred));
	say("sendmsg", sendmsg(s[0], &m, 0));
	memset(&control, 0, sizeof(control));
	m.msg_controllen = sizeof(control);
	say("recvmsg", recvmsg(s[1], &m, 0));
	memcpy(&got, CMSG_DATA(&control.align), sizeof(got));
	printf("type %d same %d\n", control.align.cmsg_type, !memcmp(&got, &cred, sizeof(cred)));
	control.align.cmsg_type = 99;
	m.msg_controllen = sizeof(control);
	say("a control message that is none", sendmsg(s[0], &m, 0));
	control.align.cmsg_len = 3;
	say("one that is too short", sendmsg(s[0], &m, 0));
	control.align.cmsg_len = 1000;
	say("one that is too long", sendmsg(s[0], &m, 0));
	close(s[0]);
	close(s[1]);
}

static void messages(void)
{
	int s[2];
	char a[4] = "", b[8] = "";
	struct iovec out[3] = { { "ab", 2 }, { NULL, 0 }, { "cdef", 4 } }, in[2] = { { a, 3 }, { b, 7 } };
	struct msghdr m = { .msg_iov = out, .msg_iovlen = 3 };
	struct mmsghdr many[4];
	struct timespec time = { 0 };
	struct iovec one[4];
	char text[4][8] = { "" };

	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s);
	say("sendmsg", sendmsg(s[0], &m, 0));
	m.msg_iov = in;
	m.msg_iovlen = 2;
	say("recvmsg", recvmsg(s[1], &m, 0));
	printf("%s %s %#x\n", a, b, m.msg_flags);
	m.msg_iovlen = 1025;
	say("too many iovecs", sendmsg(s[0], &m, 0));
	say("a bad header", sendmsg(s[0], (void *)8, 0));
	m.msg_iovlen = 1;
	m.msg_iov = (void *)8;
	say("a bad iovec", sendmsg(s[0], &m, 0));
	m.msg_iov = out;
	m.msg_control = (void *)8;
	m.msg_controllen = 64;
	say("bad control", sendmsg(s[0], &m, 0));
	m.msg_control = NULL;
	m.msg_controllen = 0;
	for (int i = 0; i < 4; i++) {
		one[i] = (struct iovec){ text[i], i + 1 };
		many[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &one[i], .msg_iovlen = 1 } };
		memset(text[i], 'a' + i, i + 1);
	}
	say("sendmmsg", sendmmsg(s[0], many, 3, 0));
	printf("%u %u %u\n", many[0].msg_len, many[1].msg_len, many[2].msg_len);
	memset(text, 0, sizeof(text));
	say("recvmmsg", recvmmsg(s[1], many, 2, 0, NULL));
	printf("%u %u %s %s\n", many[0].msg_len, many[1].msg_len, text[0], text[1]);
	one[0].iov_len = 4;
	say("recvmmsg of what there is", recvmmsg(s[1], many, 4, MSG_WAITFORONE, NULL));
	printf("%u %s\n", many[0].msg_len, text[0]);
	say("recvmmsg of nothing", recvmmsg(s[1], many, 4, MSG_DONTWAIT, NULL));
	say("sendmmsg", sendmmsg(s[0], many, 4, 0));
	/* which is looked at after each message */
	say("recvmmsg without time", recvmmsg(s[1], many, 4, 0, &time));
	printf("left %ld %ld\n", time.tv_sec, time.tv_nsec);
	time.tv_sec = 1000;
	say("recvmmsg with much time", recvmmsg(s[1], many, 2, 0, &time));
	printf("left %d\n", time.tv_sec > 900 && time.tv_sec < 1000 && time.tv_nsec > 0);
	time = (struct timespec){ 0, 1 };
	say("recvmmsg with hardly any", recvmmsg(s[1], many, 4, 0, &time));
	printf("left %ld %ld\n", time.tv_sec, time.tv_nsec);
	time = (struct timespec){ 7, 5 };
	say("recvmmsg of nothing, with time", recvmmsg(s[1], many, 4, MSG_DONTWAIT, &time));
	printf("left %ld %ld\n", time.tv_sec, time.tv_nsec);
	time.tv_nsec = 1000000000;
	say("a time that is none", recvmmsg(s[1], many, 4, MSG_DONTWAIT, &time));
	time = (struct timespec){ -1, 0 };
	say("a time before now", recvmmsg(77, many, 4, MSG_DONTWAIT, &time));
	say("a bad time", recvmmsg(77, many, 4, MSG_DONTWAIT, (struct timespec *)8));
	close(s[0]);
	say("sendmmsg to nobody", sendmmsg(s[1], many, 2, MSG_NOSIGNAL));
	close(s[1]);
}

/* More than a frame of the shim's can describe, while another thread takes it. */
#define VAST (24u << 20)

static void *take(void *arg)
{
	size_t total = 0, sum = 0;
	char *piece = malloc(100000);
	ssize_t n;

	while ((n = recv(*(int *)arg, piece, 100000, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + piece[i];
		total += n;
	}
	printf("taken: %zu %zx\n", total, sum);
	free(piece);
	return NULL;
}

static void vast(void)
{
	char *p = malloc(VAST);
	pthread_t thread;
	int s[2];

	for (size_t i = 0; i < VAST; i++)
		p[i] = i * 7 >> 3;
	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	pthread_create(&thread, NULL, take, &s[1]);
	say("a vast send", send(s[0], p, VAST, 0));
	close(s[0]);
	pthread_join(thread, NULL);
	close(s[1]);
	free(p);
}

/* ------------------------------------------------------------- with addresses */

static void stream_names(void)
{
	struct sockaddr_un addr = named("s"), got = { 0 };
	socklen_t len = sizeof(got);
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c, a;
	char text[8] = "";
	struct stat st;

	say("listen before bind", listen(l, 5));
	say("bind", bind(l, (void *)&addr, sizeof(addr)));
	say("bind again", bind(l, (void *)&addr, sizeof(addr)));
	stat("s", &st);
	printf("mode %o\n", st.st_mode);
	say("getsockname", getsockname(l, (void *)&got, &len));
	show("own name", &got, len);
	say("listen", listen(l, 5));
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	say("connect", connect(c, (void *)&addr, offsetof(struct sockaddr_un, sun_path) + 2));
	len = sizeof(got);
	a = say("accept4", accept4(l, (void *)&got, &len, SOCK_CLOEXEC));
	show("peer without a name", &got, len);
	printf("close-on-exec %d\n", fcntl(a, F_GETFD));
	len = sizeof(got);
	say("getpeername", getpeername(c, (void *)&got, &len));
	show("server", &got, len);
	len = 4;
	memset(&got, 'x', sizeof(got));
	say("getpeername, short", getpeername(c, (void *)&got, &len));
	printf("length %u, %d %d\n", len, got.sun_path[1], got.sun_path[2]);
	say("write", write(c, "hi", 2));
	say("read", read(a, text, 8));
	printf("%s\n", text);
	say("accept with a bad flag", accept4(l, NULL, NULL, 0x100));
	fcntl(l, F_SETFL, O_NONBLOCK);
	say("accept of nobody", accept(l, NULL, NULL));
	say("accept on what does not listen", accept(c, NULL, NULL));
	close(l);
	close(a);
	close(c);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	say("connect to what is closed", connect(c, (void *)&addr, sizeof(addr)));
	say("bind to what is there", bind(c, (void *)&addr, sizeof(addr)));
	unlink("s");
	say("connect to what is gone", connect(c, (void *)&addr, sizeof(addr)));
	addr = named("plain");
	close(open("plain", O_CREAT | O_WRONLY, 0644));
	say("connect to a file", connect(c, (void *)&addr, sizeof(addr)));
	say("bind to a file", bind(c, (void *)&addr, sizeof(addr)));
	unlink("plain");
	addr = named("no/s");
	say("bind in no directory", bind(c, (void *)&addr, sizeof(addr)));
	say("connect to nothing", connect(c, (void *)&addr, 1));
	addr.sun_family = AF_INET;
	say("connect to another family", connect(c, (void *)&addr, sizeof(addr)));
	say("bind with too much", bind(c, (void *)&addr, 200));
	say("connect to a bad pointer", connect(c, (void *)8, 16));
	close(c);
}

static void datagram_names(void)
{
	struct sockaddr_un server = named("d"), client = named("d.client"), got;
	socklen_t len = sizeof(got);
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[16] = "";
	struct iovec iov = { text, sizeof(text) };
	struct msghdr m = { .msg_name = &got, .msg_namelen = sizeof(got), .msg_iov = &iov, .msg_iovlen = 1 };

	say("bind", bind(s, (void *)&server, sizeof(server)));
	say("sendto", sendto(c, "no name", 7, 0, (void *)&server, sizeof(server)));
	memset(&got, 0, sizeof(got));
	say("recvfrom", recvfrom(s, text, sizeof(text), 0, (void *)&got, &len));
	printf("length %u\n", len);
	say("bind", bind(c, (void *)&client, sizeof(client)));
	say("connect", connect(c, (void *)&server, sizeof(server)));
	say("send", send(c, "named", 5, 0));
	len = sizeof(got);
	say("recvfrom", recvfrom(s, text, sizeof(text), 0, (void *)&got, &len));
	show("sender", &got, len);
	say("answer", sendto(s, "answer", 6, 0, (void *)&got, len));
	say("recvmsg", recvmsg(c, &m, 0));
	show("sender", &got, m.msg_namelen);
	printf("%.6s\n", text);
	say("send without an address", send(s, "x", 1, 0));
	say("sendto nobody", sendto(s, "x", 1, 0, (void *)&(struct sockaddr_un){ .sun_family = AF_UNIX, .sun_path = "nobody" }, 20));
	unlink("d");
	unlink("d.client");
	close(s);
	close(c);
}

/* Two of one name in two directories are told apart. */
static void same_names(void)
{
	struct sockaddr_un one = named("one/s"), two = named("two/s"), got;
	socklen_t len;
	int s[2], c[2];

	mkdir("one", 0755);
	mkdir("two", 0755);
	for (int i = 0; i < 2; i++) {
		s[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		c[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		say("bind", bind(s[i], (void *)(i ? &two : &one), sizeof(one)));
		say("listen", listen(s[i], 1));
		say("connect", connect(c[i], (void *)(i ? &two : &one), sizeof(one)));
	}
	for (int i = 0; i < 2; i++) {
		len = sizeof(got);
		say("getpeername", getpeername(c[i], (void *)&got, &len));
		show("server", &got, len);
		close(c[i]);
		close(s[i]);
	}
	unlink("one/s");
	unlink("two/s");
	rmdir("one");
	rmdir("two");
}

/* ------------------------------------------------------------- between processes */

static void child(int s)
{
	struct sockaddr_un addr = named("p"), own = named("p.child");
	int c = socket(AF_UNIX, SOCK_DGRAM, 0), fd = receive_fds(s, CMSG_SPACE(sizeof(int)), 0);

	say("bind", bind(c, (void *)&own, sizeof(own)));
	say("sendto", sendto(c, "datagram", 8, 0, (void *)&addr, sizeof(addr)));
	write(fd, "from the child", 14);
	read(s, &c, 1);
	_exit(0);
}

static int processes(void)
{
	struct sockaddr_un addr = named("p"), from = { 0 };
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred), n = sizeof(from);
	int s[2], p[2], d = socket(AF_UNIX, SOCK_DGRAM, 0), status, on = 1;
	char text[32] = "";
	union {
		char space[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
			    .msg_name = &from, .msg_namelen = n };
	pid_t pid;

	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	setsockopt(d, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	say("bind", bind(d, (void *)&addr, sizeof(addr)));
	pid = fork();
	if (!pid) {
		close(s[0]);
		child(s[1]);
	}
	say("SO_PEERCRED", getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	printf("mine: %d\n", cred.pid == getpid());
	pipe(p);
	/* it speaks from now on, until it has written */
	if (send_fds(s[0], "pipe", &p[1], 1) != 4)
		puts("sendmsg failed");
	close(p[1]);
	say("read", read(p[0], text, sizeof(text)));
	puts(text);
	memset(text, 0, sizeof(text));
	say("recvmsg", recvmsg(d, &m, 0));
	show("from", &from, m.msg_namelen);
	memcpy(&cred, CMSG_DATA(&control.align), sizeof(cred));
	close(s[0]);
	waitpid(pid, &status, 0);
	printf("%s; the child's: %d; status %d\n", text, cred.pid == pid, status);
	unlink("p");
	unlink("p.child");
	return 0;
}

static int reach(const char *path)
{
	struct sockaddr_un addr = named(path);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	char text[8] = "";

	if (say("connect", connect(s, (void *)&addr, sizeof(addr))) < 0)
		return 1;
	say("read", read(s, text, 7));
	puts(text);
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3)
		return reach(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "processes"))
		return processes();
	if (argc == 2 && !strcmp(argv[1], "names")) {
		stream_names();
		datagram_names();
		same_names();
		return 0;
	}
	stream_pair();
	packet_pair(SOCK_SEQPACKET);
	packet_pair(SOCK_DGRAM);
	options(SOCK_STREAM);
	options(SOCK_DGRAM);
	rights();
	credentials();
	messages();
	vast();
	return 0;
}
