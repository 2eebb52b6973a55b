/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two programs, each in a run of its own, that have a directory in common and try to get out of it.
 *
 *	sharing swap OUT		has "d" be a directory and a symbolic link to OUT, and others, in turn, for ever
 *	sharing walk ROUNDS		meanwhile looks at, makes and changes whatever "d" leads to
 *	sharing move			has the directory "in/d" be "d", outside of what the other one has, in turn, for ever
 *	sharing beside ROUNDS		meanwhile, with "in" alone, goes up from "d"
 *	sharing give PATH FILE		gives PATH, a directory, and FILE in it, which it alone has, by the socket "s"
 *	sharing take FILE		takes them, and tries what it can
 *	sharing links FROM TO		tries to have a name below TO for what is below FROM
 */
#include "process.h"

#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <utime.h>

/* ------------------------------------------------------------- a component that is swapped */

static void swap(const char *out)
{
	const char *const targets[] = { out, "../out", "../../out", "..", "/", "/proc/self/root", "/proc/self/cwd/.." };

	mkdir("other", 0777);
	printf("ready\n");
	fflush(stdout);
	for (unsigned int i = 0;; i++) {
		unlink("link");
		symlink(targets[i % ARRAY_SIZE(targets)], "link");
		for (int n = 0; n < 10; n++) {
			/* "d" is the directory, the link, the other directory */
			syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "link", RENAME_EXCHANGE);
			if (i % 3 == 0)
				sched_yield();
			syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "link", RENAME_EXCHANGE);
			syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "other", RENAME_EXCHANGE);
			if (i % 3 == 1)
				sched_yield();
			syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "other", RENAME_EXCHANGE);
		}
	}
}

static long inside, failed, outside;
static const char *own = "inside";	/* what files of the grant may begin with, too */

static void count(long ret)
{
	*(ret < 0 ? &failed : &inside) += 1;
}

/* Files of the grant begin with "inside", those of others do not. */
static void look(int fd)
{
	char text[16] = "";

	count(fd);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0 && strncmp(text, "inside", 6) && strncmp(text, own, 6))
		outside++;
	close(fd);
}

static void walk(int rounds)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "d/socket" };
	int fd, s;

	own = "beside";
	for (int i = 0; i < rounds; i++) {
		look(open("d/file", O_RDONLY));
		look(open("d/../d/file", O_RDONLY));
		fd = open("d", O_PATH | O_DIRECTORY);
		look(openat(fd, "../file", O_RDONLY));
		look(openat(fd, "file", O_RDWR));
		close(fd);
		fd = open("d/new", O_WRONLY | O_CREAT, 0666);
		count(fd);
		if (fd >= 0 && write(fd, "inside", 6) == 6)
			close(fd);
		count(chmod("d/file", 0600 | (i & 077)));
		count(utime("d/file", NULL));
		count(truncate("d/file", 6));
		count(rename("d/new", "got"));
		count(rename("got", "d/new2"));
		count(unlink("d/new2"));
		count(mkdir("d/dir", 0777));
		count(rmdir("d/dir"));
		count(link("d/file", "d/hard"));
		count(unlink("d/hard"));
		count(symlink("x", "d/sym"));
		count(unlink("d/sym"));
		count(mkfifo("d/fifo", 0600));
		count(unlink("d/fifo"));
		s = socket(AF_UNIX, SOCK_STREAM, 0);
		count(bind(s, (struct sockaddr *)&a, sizeof(a)));
		close(s);
		count(unlink("d/socket"));
		if (chdir("d") == 0) {
			look(open("../secret", O_RDONLY));
			look(open("file", O_RDONLY));
			chdir("/shared");
		}
	}
	printf("outside %ld, tried %s, %s\n", outside, inside ? "with success" : "in vain", failed ? "and without" : "always");
}

/* ------------------------------------------------------------- a directory that is moved out */

static void move(void)
{
	printf("ready\n");
	fflush(stdout);
	for (unsigned int i = 0;; i++) {
		rename("in/d", "d");
		if (i & 1)
			sched_yield();
		rename("d", "in/d");
		if (i & 2)
			sched_yield();
	}
}

static void beside(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		int fd;

		chdir("/in");
		fd = open("d", O_RDONLY | O_DIRECTORY);
		chdir("d");
		look(open("../file", O_RDONLY));
		look(open("../../file", O_RDONLY));
		look(openat(fd, "../file", O_RDONLY));
		look(openat(fd, "../../file", O_RDONLY));
		look(openat(fd, "file", O_RDWR));
		count(renameat(fd, "../file", fd, "got"));
		count(unlinkat(fd, "../../file", 0));
		count(linkat(fd, "../file", fd, "got", 0));
		if (fd >= 0)
			close(fd);
	}
	printf("outside %ld, tried %s, %s\n", outside, inside ? "with success" : "in vain", failed ? "and without" : "always");
}

/* ------------------------------------------------------------- descriptors */

static struct sockaddr_un meeting = { .sun_family = AF_UNIX, .sun_path = "s" };

static void give(const char *path, const char *name)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), fd[3];
	union {
		char space[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr header;
	} control = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	fd[0] = open(path, O_RDONLY | O_DIRECTORY);
	fd[1] = open(path, O_PATH | O_DIRECTORY);
	fd[2] = openat(fd[0], name, O_RDONLY);
	control.header = (struct cmsghdr){ CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.header), fd, sizeof(fd));
	while (connect(s, (struct sockaddr *)&meeting, sizeof(meeting)) < 0)
		sleep_ms(10);
	show("sent", sendmsg(s, &m, 0));
	read(s, control.space, 1);
}

static void take(const char *name)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), client, fd[3] = { -1, -1, -1 };
	union {
		char space[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr header;
	} control;
	char byte, path[64], text[16] = "";
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	bind(s, (struct sockaddr *)&meeting, sizeof(meeting));
	listen(s, 1);
	client = accept(s, NULL, NULL);
	if (recvmsg(client, &m, 0) != 1 || m.msg_controllen < CMSG_LEN(sizeof(fd)))
		printf("received no descriptors\n");
	else
		memcpy(fd, CMSG_DATA(&control.header), sizeof(fd));
	for (int i = 0; i < 2; i++) {
		show("open", openat(fd[i], name, O_RDONLY));
		show("up", openat(fd[i], "..", O_RDONLY));
		show("make", openat(fd[i], "made", O_RDWR | O_CREAT, 0600));
		show("remove", unlinkat(fd[i], name, 0));
		show("mode", fchmodat(fd[i], name, 0777, 0));
		show("chdir", fchdir(fd[i]));
		snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", fd[i], name);
		show("by /proc", open(path, O_RDONLY));
		snprintf(path, sizeof(path), "/proc/self/fd/%d/..", fd[i]);
		show("up by /proc", open(path, O_RDONLY));
	}
	/* it was given to be read */
	show("read", read(fd[2], text, 6));
	printf("%s\n", text);
	show("write", write(fd[2], "x", 1));
	show("truncate", ftruncate(fd[2], 0));
	show("mode", fchmod(fd[2], 0777));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[2]);
	show("again to write", open(path, O_RDWR));
	show("a name for it", linkat(AT_FDCWD, path, AT_FDCWD, "stolen", AT_SYMLINK_FOLLOW));
	show("a name for it", linkat(fd[2], "", AT_FDCWD, "stolen", AT_EMPTY_PATH));
}

/* ------------------------------------------------------------- links */

static void links(const char *from, const char *to)
{
	char file[4096], there[4096], path[64];
	int fd;

	snprintf(file, sizeof(file), "%s/file", from);
	snprintf(there, sizeof(there), "%s/got", to);
	show("link", link(file, there));
	show("rename", rename(file, there));
	symlink(file, there);
	show("link of a link", linkat(AT_FDCWD, there, AT_FDCWD, "/shared/hard", AT_SYMLINK_FOLLOW));
	show("write through a link", open(there, O_RDWR));
	show("truncate through a link", truncate(there, 0));
	show("mode through a link", chmod(there, 0777));
	unlink(there);
	fd = open(file, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show("link of what is open", linkat(AT_FDCWD, path, AT_FDCWD, there, AT_SYMLINK_FOLLOW));
	show("again to write", open(path, O_RDWR));
	show("exchange", syscall(SYS_renameat2, AT_FDCWD, file, AT_FDCWD, "/shared/d", RENAME_EXCHANGE));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "swap") && argc > 2)
		swap(argv[2]);
	else if (!strcmp(what, "walk") && argc > 2)
		walk(atoi(argv[2]));
	else if (!strcmp(what, "move"))
		move();
	else if (!strcmp(what, "beside") && argc > 2)
		beside(atoi(argv[2]));
	else if (!strcmp(what, "give") && argc > 3)
		give(argv[2], argv[3]);
	else if (!strcmp(what, "take") && argc > 2)
		take(argv[2]);
	else if (!strcmp(what, "links") && argc > 3)
		links(argv[2], argv[3]);
	else
		return 2;
	return 0;
}
