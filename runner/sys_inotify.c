/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watches of files and directories: of what is granted, by the host's inotify. What
 * the host's processes do there is told as well, since it can be seen in any case.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "path.h"
#include "policy.h"
#include "sys.h"

static long init(int flags)
{
	int host;

	if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	host = inotify_init1(flags | IN_CLOEXEC);
	return host < 0 ? -errno : give(host, 0, flags & IN_CLOEXEC);
}

long host_inotify_init(struct call *c)
{
	(void)c;
	return init(0);
}

long host_inotify_init1(struct call *c)
{
	return init(c->arg[0]);
}

long host_inotify_add_watch(struct call *c)
{
	unsigned int mask = c->arg[2];
	char path[32];
	struct found f;
	long ret;

	if (host_fd(c, 0) < 0)
		return -EINVAL;
	ret = path_find(NULL, c->ptr[1], mask & IN_DONT_FOLLOW ? 0 : FIND_FOLLOW, &f);
	if (ret)
		return ret;
	/* a device of all of the host's, and what is no file at all there, have nothing to tell */
	if (f.synthetic || !f.mount || f.mount->device || !policy_granted()) {
		ret = -EACCES;
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", f.fd);
		ret = inotify_add_watch(host_fd(c, 0), path, mask & ~IN_DONT_FOLLOW);
		if (ret < 0)
			ret = -errno;
	}
	path_done(&f);
	return ret;
}
