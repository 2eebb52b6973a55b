/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * escapes NAME END: makes calls with NAME in all places where a line of kvmrun's may show it, executes
 * itself by that name, and ends in a way that kvmrun has something to say about.
 */
#include "process.h"

#include <linux/memfd.h>
#include <mqueue.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

static void sockets(const char *name)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX }, abstract = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
	struct iovec iov = { (void *)name, strlen(name) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	snprintf(path.sun_path, sizeof(path.sun_path), "/tmp/%s.socket", name);
	snprintf(abstract.sun_path + 1, sizeof(abstract.sun_path) - 1, "%s", name);
	bind(s, (struct sockaddr *)&path, sizeof(path));
	connect(s, (struct sockaddr *)&abstract, sizeof(abstract));
	connect(s, (struct sockaddr *)&path, sizeof(path));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
		sendmsg(pair[0], &m, 0);
	setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, strlen(name));
}

static void files(const char *name)
{
	char bytes[4096], path[4096];
	int fd;

	snprintf(path, sizeof(path), "/tmp/%s", name);
	open(name, O_RDWR | O_CREAT, 0600);
	open(path, O_RDONLY);
	fd = open("/tmp", O_RDONLY | O_DIRECTORY);
	openat(fd, name, O_RDONLY | O_DIRECTORY);
	syscall(SYS_getdents64, fd, bytes, sizeof(bytes));
	mkdir(path, 0700);
	rename(path, name);
	unlink(name);
	truncate(name, 0);
	chdir(name);
	symlink(name, "/tmp/link");
	readlink("/tmp/link", bytes, sizeof(bytes));
	open("/tmp/link/x", O_RDONLY);
	setxattr("/tmp", name, name, strlen(name), 0);
	getxattr("/tmp", name, bytes, sizeof(bytes));
	inotify_add_watch(inotify_init(), name, IN_CREATE);
	fd = memfd_create(name, 0);
	write(fd, name, strlen(name));
	lseek(fd, 0, SEEK_SET);
	read(fd, bytes, sizeof(bytes));
	mount(name, name, name, 0, name);
	sethostname(name, strlen(name));
	open("/proc/self/cmdline", O_RDONLY);
	read(open("/proc/self/comm", O_RDONLY), bytes, sizeof(bytes));
	mq_open("/queue", O_RDWR | O_CREAT, 0600, NULL);
}

static void programs(const char *name)
{
	char *argv[] = { (char *)name, (char *)name, NULL }, *env[] = { (char *)name, NULL };
	char script[4096];
	int fd;

	execve(name, argv, env);
	execve("/tmp", argv, env);
	fd = open("/tmp/script", O_WRONLY | O_CREAT, 0700);
	snprintf(script, sizeof(script), "#!/tmp/%s %s\n", name, name);
	write(fd, script, strlen(script));
	close(fd);
	execve("/tmp/script", argv, env);
}

static void end(const char *how)
{
	char text[60] = "";

	if (!strcmp(how, "time"))
		forever(0);
	if (!strcmp(how, "cpu-time"))
		compute_forever(0);
	if (!strcmp(how, "output"))
		for (;;)
			write(1, text, sizeof(text));
	if (!strcmp(how, "memory")) {
		volatile char *p = mmap(NULL, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		for (size_t i = 0; i < 1 << 30; i += PAGE)
			p[i] = 1;
	}
	while (dup(0) >= 0)
		;
	_exit(3);
}

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0700);
	char bytes[65536];
	ssize_t n;

	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, n) != n)
			exit(1);
	close(out);
}

int main(int argc, char **argv)
{
	char path[4096];

	if (argc == 2)
		end(argv[1]);
	snprintf(path, sizeof(path), "/tmp/%s.program", argv[1]);
	prctl(PR_SET_NAME, argv[1]);
	files(argv[1]);
	sockets(argv[1]);
	programs(argv[1]);
	/* a program by that name, from where it runs as END says */
	copy("/proc/self/exe", path);
	execl(path, argv[1], argv[2], NULL);
	return 1;
}
