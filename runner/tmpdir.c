/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handout.h"
#include "msg.h"
#include "tmpdir.h"

/* The descriptor, or -1 with errno. */
static int make(uint64_t bytes)
{
	int context = fsopen("tmpfs", FSOPEN_CLOEXEC), mount = -1, fd = -1, saved;
	char size[24];

	snprintf(size, sizeof(size), "%llu", (unsigned long long)bytes);
	if (context >= 0 && fsconfig(context, FSCONFIG_SET_STRING, "size", size, 0) == 0 &&
	    fsconfig(context, FSCONFIG_SET_STRING, "mode", "1777", 0) == 0 &&
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mount >= 0)
		fd = openat(mount, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	saved = errno;
	if (context >= 0)
		close(context);
	if (mount >= 0)
		close(mount);
	errno = saved;
	return fd;
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* Sends fd, or errno when it is negative. */
static void send_fd(int socket, int fd)
{
	int err = fd < 0 ? errno : 0;

	handout_send(socket, &err, sizeof(err), fd, 0);
}

static int receive_fd(int socket)
{
	int err = EIO, fd;

	handout_receive(socket, &err, sizeof(err), &fd);
	errno = err;
	return fd;
}

/* In a child, since namespaces are of a process and the runner keeps its own. */
static void make_unprivileged(int socket, uint64_t bytes)
{
	char map[64];
	unsigned int uid = geteuid(), gid = getegid();
	int fd = -1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && put("/proc/self/setgroups", "deny") == 0) {
		snprintf(map, sizeof(map), "%u %u 1", gid, gid);
		if (put("/proc/self/gid_map", map) == 0) {
			snprintf(map, sizeof(map), "%u %u 1", uid, uid);
			if (put("/proc/self/uid_map", map) == 0)
				fd = make(bytes);
		}
	}
	send_fd(socket, fd);
}

int tmpdir_open(uint64_t bytes)
{
	int fd = make(bytes), pair[2];
	pid_t child;

	if (fd >= 0)
		return fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || (child = fork()) < 0)
		die(KVMRUN_FAILED, "--tmp: cannot start the process that makes it: %m");
	if (child == 0) {
		make_unprivileged(pair[1], bytes);
		_exit(0);
	}
	close(pair[1]);
	fd = receive_fd(pair[0]);
	close(pair[0]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (fd < 0)
		die(KVMRUN_FAILED, "--tmp: cannot make a private file system: %m; allow user namespaces "
		    "(sysctl user.max_user_namespaces), run as root, or grant a directory with --rw DIR:/tmp");
	return fd;
}
