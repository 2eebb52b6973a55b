/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * execve(2): the strings are collected in pages of the shim's, and the runner does the
 * rest. There is no return from there to this program, but with an error.
 */
#include "shim.h"

#define AT_FDCWD	-100
#define PATH_MAX	4096
#define STRING_MAX	(128u << 10)	/* one string, with its NUL */
#define PAGES_MAX	512		/* for all of them; Linux: a quarter of the stack's limit */

static void pages_free(struct abi_frame *f)
{
	lock(&mm_lock);
	while (f->nseg)
		page_free(f->seg[--f->nseg].gpa);
	mm_unlock();
}

/* One string, with its NUL, behind the others. */
static long put_string(struct abi_frame *f, gva_t from)
{
	for (u64 copied = 0; copied < STRING_MAX;) {
		struct abi_seg *s = &f->seg[f->nseg - 1];
		u64 room;
		long n;

		if (!f->nseg || s->len == PAGE_SIZE) {
			gpa_t page;

			/* as all that takes memory, for another thread's fork(2) */
			lock(&mm_lock);
			page = f->nseg < PAGES_MAX ? page_alloc(PAGE_TABLE) : 0;
			mm_unlock();
			if (!page)
				return f->nseg < PAGES_MAX ? -ENOMEM : -E2BIG;
			s = &f->seg[f->nseg++];
			*s = (struct abi_seg){ page, 0 };
		}
		room = MIN(PAGE_SIZE - s->len, STRING_MAX - copied);
		n = string_in((char *)direct(s->gpa) + s->len, from + copied, room);
		if (n >= 0) {
			s->len += n + 1;
			return 0;
		}
		if (n != -ENAMETOOLONG)
			return n;
		s->len += room;
		copied += room;
	}
	return -E2BIG;
}

/* The strings of a list that ends with a null pointer; their number. */
static long put_list(struct abi_frame *f, gva_t list)
{
	for (long n = 0; list; n++) {
		gva_t string;
		long err;

		if (get_user(string, list + n * 8))
			return -EFAULT;
		if (!string)
			return n;
		err = put_string(f, string);
		if (err)
			return err;
	}
	return 0;
}

static long exec(int dir, gva_t path, gva_t argv, gva_t envp, u64 flags)
{
	struct abi_frame *f = this_cpu()->frame;
	const struct thread *t = current;
	long argc, envc, len, ret;

	f->nseg = 0;
	argc = ret = put_list(f, argv);
	if (ret >= 0)
		envc = ret = put_list(f, envp);
	if (ret >= 0) {
		len = ret = string_in((char *)f->data, path, PATH_MAX);
		/* of what no path is longer than */
		if (ret < 0)
			goto out;
		f->op = ABI_OP_EXEC;
		f->arg[0] = dir;
		f->arg[1] = argc;
		f->arg[2] = envc;
		f->arg[3] = flags;
		f->arg[4] = boot->ignored;
		f->arg[5] = t->masked ? t->saved_mask : t->mask;
		signals_list((struct abi_pending *)(f->data + ABI_EXEC_PENDING));
		f->data_len = len + 1;
		vm_exit();
		ret = f->ret;
	}
out:
	pages_free(f);
	return ret;
}

long sys_execve(const u64 a[6])
{
	return exec(AT_FDCWD, a[0], a[1], a[2], 0);
}

long sys_execveat(const u64 a[6])
{
	return exec(a[0], a[1], a[2], a[3], a[4]);
}
