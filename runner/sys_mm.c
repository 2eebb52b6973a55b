/* SPDX-License-Identifier: GPL-2.0-only */
/* What the shim asks of memory that comes from files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "policy.h"
#include "sys.h"

/*
 * A mapping of a file: what Linux would say against it. 0 lets the shim go on
 * with a private mapping of a regular file, which it makes by reading. Others
 * get -ENODEV, as of a file system that cannot map: programs then read. Files
 * are not mapped into the guest yet.
 */
long host_mmap(struct call *c)
{
	struct file *file = fd_get((int)c->arg[4]);
	int prot = c->arg[2], access;
	long ret = -ENODEV;

	if (!file)
		return -EBADF;
	access = file->host < 0 ? -1 : fcntl(file->host, F_GETFL);
	if (access >= 0 && access & O_PATH)
		ret = -EBADF;
	else if (access < 0)
		ret = -ENODEV;
	else if ((access & O_ACCMODE) == O_WRONLY)
		ret = -EACCES;
	else if (c->arg[3] & MAP_SHARED && prot & PROT_WRITE && (access & O_ACCMODE) != O_RDWR)
		ret = -EACCES;
	else if (c->arg[5] % ABI_PAGE)
		ret = -EINVAL;
	else if (file->type == S_IFREG && (c->arg[3] & MAP_TYPE) == MAP_PRIVATE)
		ret = 0;
	else
		policy_explain_call(c->nr, 0);
	file_put(file);
	return ret;
}

/* Nothing of a file is mapped by the host yet, so that nothing can be out of step with it. */
long host_msync(struct call *c)
{
	(void)c;
	return 0;
}
