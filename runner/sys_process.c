/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls about processes. Threads, and what a process is alone with, the shim serves by itself. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy.h"
#include "process.h"
#include "sys.h"

/* What is neither a thread nor a process with nothing in common with its maker. */
long host_clone(struct call *c)
{
	policy_explain_call(c->nr, 0);
	return -ENOSYS;
}

long host_clone3(struct call *c)
{
	return host_clone(c);
}

long host_wait4(struct call *c)
{
	int pid = c->arg[0], options = c->arg[2], type, ret;
	struct process_waited w;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	type = pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID;
	ret = process_wait(type, pid < 0 ? -pid : pid, options | WEXITED, &w);
	if (ret < 0)
		return ret;
	if (w.pid && c->ptr[1])
		memcpy(c->ptr[1], &w.status, sizeof(w.status));
	if (w.pid && c->ptr[3])
		memcpy(c->ptr[3], &w.usage, sizeof(w.usage));
	return w.pid;
}

/* Whose descriptor it is, and whether it is one that does not wait; -EBADF: of nobody's, or -ECHILD. */
static int waited_pidfd(int fd, bool *no_wait)
{
	struct file *file = fd_get(fd);
	int ret = -EBADF;

	if (file && file->pid) {
		ret = process_child(file->pid, file->born) ? file->pid : -ECHILD;
		*no_wait = fcntl(file->host, F_GETFL) & O_NONBLOCK;
	}
	file_put(file);
	return ret;
}

long host_waitid(struct call *c)
{
	int type = c->arg[0], id = c->arg[1], options = c->arg[3], ret;
	siginfo_t *info = c->ptr[2];
	struct process_waited w;
	bool no_wait = false;

	if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (type == P_PIDFD && id >= 0) {
		id = waited_pidfd(id, &no_wait);
		if (id < 0)
			return id;
		type = P_PID;
	}
	if (type != P_ALL && type != P_PID && type != P_PGID)
		return -EINVAL;
	if ((type == P_PID && id <= 0) || (type == P_PGID && id < 0))
		return -EINVAL;
	ret = process_wait(type, id, options | (no_wait ? WNOHANG : 0), &w);
	if (ret < 0)
		return ret;
	if (!w.pid && no_wait && !(options & WNOHANG))
		return -EAGAIN;
	if (info) {
		memset(info, 0, sizeof(*info));
		if (w.pid)
			process_child_info(info, w.pid, w.status);
	}
	if (w.pid && c->ptr[4])
		memcpy(c->ptr[4], &w.usage, sizeof(w.usage));
	return 0;
}

long host_kill(struct call *c)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = c->arg[1];
	info.si_code = SI_USER;
	info.si_pid = process_pid();
	info.si_uid = process_uid();
	return process_kill(c->arg[0], &info);
}

long host_rt_sigqueueinfo(struct call *c)
{
	siginfo_t info;

	if (!c->ptr[2])
		return -EFAULT;
	memcpy(&info, c->ptr[2], sizeof(info));
	/* only the kernel's own may be for others, sigqueue(3) */
	if (info.si_code >= 0 || info.si_code == SI_TKILL)
		return -EPERM;
	if ((int)c->arg[0] <= 0)
		return -ESRCH;
	info.si_signo = c->arg[1];
	return process_kill(c->arg[0], &info);
}

long host_getpgrp(struct call *c)
{
	(void)c;
	return process_getpgid(0);
}

long host_getpgid(struct call *c)
{
	return process_getpgid(c->arg[0]);
}

long host_setpgid(struct call *c)
{
	return process_setpgid(c->arg[0], c->arg[1]);
}

long host_getsid(struct call *c)
{
	return process_getsid(c->arg[0]);
}

long host_setsid(struct call *c)
{
	(void)c;
	return process_setsid();
}
