/* SPDX-License-Identifier: GPL-2.0-only */
/* process_vm_readv(2) and process_vm_writev(2), of a process with itself: a look at memory that may not be there. */
#include "shim.h"

#define IOV_MAX		1024
#define PART		512	/* goes over the stack */

struct iovec {
	gva_t base;
	u64 len;
};

/* Where a list of pieces is at. */
struct cursor {
	gva_t list;
	u64 left;		/* pieces behind this one */
	struct iovec now;
};

/* The next piece that is not empty: 1, 0 at the end, or -EFAULT. */
static int advance(struct cursor *c)
{
	while (!c->now.len) {
		if (!c->left)
			return 0;
		if (get_user(c->now, c->list))
			return -EFAULT;
		c->list += sizeof(c->now);
		c->left--;
	}
	return 1;
}

/* Whether the list can be read, and no more is asked for than a result can tell: 0 or an error. */
static int check(struct cursor c)
{
	u64 total = 0;
	int more;

	while ((more = advance(&c)) > 0) {
		if ((s64)c.now.len < 0 || (s64)(total += c.now.len) < 0)
			return -EINVAL;
		c.now.len = 0;
	}
	return more;
}

static u64 to_page_end(gva_t va)
{
	return PAGE_SIZE - (va & ~PAGE_MASK);
}

static long copy(const u64 a[6], bool write)
{
	struct cursor local = { .list = a[1], .left = a[2] }, remote = { .list = a[3], .left = a[4] };
	struct cursor *from = write ? &local : &remote, *to = write ? &remote : &local;
	u8 bytes[PART];
	long done = 0;
	int err;

	if (a[5] || a[2] > IOV_MAX || a[4] > IOV_MAX)
		return -EINVAL;
	err = check(local);
	if (!err)
		err = check(remote);
	if (err)
		return err;
	if (!thread_find(a[0])) {
		long ret = sys_kill((const u64[6]){ a[0], 0 });

		return ret ? ret : -EPERM;
	}
	while (advance(&local) > 0 && advance(&remote) > 0) {
		u64 n = MIN(MIN(from->now.len, to->now.len), PART);

		/* as much as is there */
		n = MIN(n, MIN(to_page_end(from->now.base), to_page_end(to->now.base)));
		if (copy_in(bytes, from->now.base, n) || copy_out(to->now.base, bytes, n))
			return done ? done : -EFAULT;
		from->now = (struct iovec){ from->now.base + n, from->now.len - n };
		to->now = (struct iovec){ to->now.base + n, to->now.len - n };
		done += n;
	}
	return done;
}

long sys_process_vm_readv(const u64 a[6])
{
	return copy(a, false);
}

long sys_process_vm_writev(const u64 a[6])
{
	return copy(a, true);
}
