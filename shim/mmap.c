/* SPDX-License-Identifier: GPL-2.0-only */
/* mmap(2): what it is asked for, and where that comes from. */
#include "shim.h"

#define PROT_WRITE	2
#define PROT_ALL	7
#define MAP_SHARED	0x01
#define MAP_PRIVATE	0x02
#define MAP_SHARED_VALIDATE	0x03
#define MAP_TYPE	0x0f
#define MAP_ANONYMOUS	0x20
#define MAP_GROWSDOWN	0x100
#define MAP_LOCKED	0x2000
#define MAP_POPULATE	0x8000
#define MAP_HUGETLB	0x40000

/* Maps what the runner has put into the window, or private memory; what cannot be mapped goes back. */
static long map_object(const u64 a[6], u64 len, u64 how)
{
	struct vma v = { .file = window_id() };
	u64 flags = a[3];
	s64 at = window_map(len, a[4], a[5], how);
	long ret;

	if (at < 0)
		return at;
	v.off = at & PAGE_MASK;
	if (how & ABI_MAP_SHARED)
		v.flags |= VMA_SHARED;
	if (!((how | at) & ABI_MAP_NOFILE))
		v.flags |= VMA_FILE;
	if ((how & ABI_MAP_SHARED) && (at & ABI_MAP_READONLY))
		v.flags |= VMA_READONLY;
	lock(&mm_lock);
	ret = mm_map(a[0], len, a[2] & PROT_ALL, flags, at ? &v : NULL);
	if (ret < 0 && at)
		window_doom(v.off, len);
	mm_unlock();
	return ret;
}

static bool known_type(u64 flags)
{
	u64 type = flags & MAP_TYPE;

	return type == MAP_PRIVATE || type == MAP_SHARED || (type == MAP_SHARED_VALIDATE && !(flags & MAP_ANONYMOUS));
}

static long check(u64 len, u64 prot, u64 flags, u64 off)
{
	bool shared = (flags & MAP_TYPE) != MAP_PRIVATE;

	if (!len)
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (!len || len > ABI_USER_END || (flags & MAP_HUGETLB))
		return -ENOMEM;
	if (!(flags & MAP_ANONYMOUS) && off + len < off)
		return -EOVERFLOW;
	if (!known_type(flags) || (shared && (flags & MAP_GROWSDOWN)))
		return -EINVAL;
	return mm_wx(prot) ? -EACCES : 0;
}

long sys_mmap(const u64 a[6])
{
	u64 prot = a[2] & PROT_ALL, flags = a[3], len = PAGE_ALIGN(a[1]);
	u64 how = (flags & MAP_TYPE) == MAP_PRIVATE ? prot : prot | ABI_MAP_SHARED;
	long at, err;
	int code;

	if (a[5] & ~PAGE_MASK)
		return -EINVAL;
	if (flags & MAP_ANONYMOUS)
		how |= ABI_MAP_NOFILE;
	err = check(a[1], prot, flags, a[5]);
	if (err)
		/* a descriptor that is none comes first */
		return !(flags & MAP_ANONYMOUS) && window_map(0, a[4], 0, how) == -EBADF ? -EBADF : err;
	if ((how & (ABI_MAP_NOFILE | ABI_MAP_SHARED)) == ABI_MAP_NOFILE) {
		lock(&mm_lock);
		at = mm_map(a[0], len, prot, flags, NULL);
		mm_unlock();
	} else {
		at = map_object(a, len, how);
	}
	if (at > 0 && ((flags & (MAP_POPULATE | MAP_LOCKED)) || mlock_populates()))
		mm_populate(at, at + len, prot & PROT_WRITE ? ACCESS_WRITE : ACCESS_READ, &code);
	return at;
}
