/* SPDX-License-Identifier: GPL-2.0-only */
/* Linux's error numbers, as far as the shim answers them itself. */
#ifndef KVMRUN_ERRNO_H
#define KVMRUN_ERRNO_H

#define EPERM		1
#define ENOENT		2
#define ESRCH		3
#define EINTR		4
#define EIO		5
#define ENXIO		6
#define E2BIG		7
#define EBADF		9
#define ECHILD		10
#define EAGAIN		11
#define ENOMEM		12
#define EACCES		13
#define EFAULT		14
#define EBUSY		16
#define EEXIST		17
#define ENODEV		19
#define EINVAL		22
#define ENOSPC		28
#define ENAMETOOLONG	36
#define EDEADLK		35
#define ENOSYS		38
#define EOVERFLOW	75
#define ENOTSOCK	88
#define EMSGSIZE	90
#define EOPNOTSUPP	95
#define ENOBUFS		105
#define ETIMEDOUT	110

#endif
