/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program's memory as the shim reaches it: always by a walk of the page
 * tables and through ABI_DIRECT, never by the program's own addresses. So no
 * fault of the program's can happen inside the shim, and SMAP stays on.
 */
#include "shim.h"

/* The page of va, made present for the access; NULL and *err when the program could not reach it either. */
static void *try_reach(gva_t va, enum access access, int *err)
{
	u64 need = PTE_P | PTE_U | (access == ACCESS_WRITE ? PTE_W : 0);

	for (int tries = 0; tries < 2; tries++) {
		void *page = NULL;
		bool huge;
		u64 *e;
		int code;

		*err = -EFAULT;
		if (va >= ABI_USER_END)
			return NULL;
		lock(&mm_lock);
		e = pt_find(va, &huge);
		if (e && (*e & need) == need)
			page = direct((*e & PTE_ADDR & (huge ? HUGE_MASK : PAGE_MASK)) +
				      (va & (huge ? ~HUGE_MASK : ~PAGE_MASK)));
		/* as the CPU does: see vfork.c */
		if (page && access == ACCESS_WRITE)
			*e |= PTE_D;
		if (page && in_window(*e & PTE_ADDR) && !direct_window(*e & PTE_ADDR))
			page = NULL;
		unlock(&mm_lock);
		if (page)
			return page;
		*err = mm_fault(va, access, &code);
		if (*err)
			return NULL;
	}
	return NULL;
}

/* The same; memory that cannot be had ends the program, as where it touches it itself. */
static void *reach(gva_t va, enum access access)
{
	int err;
	void *p = try_reach(va, access, &err);

	if (!p && err == -ENOMEM)
		end_program(0, SIGKILL, ABI_END_MEMORY);
	return p;
}

/* Copies part of a page, one side of which the program may have from a file. */
static u64 copy(void *to, const void *from, const void *user, u64 n)
{
	if (in_window((u64)user - ABI_DIRECT))
		return user_copy(to, from, n);
	memcpy(to, from, n);
	return 0;
}

static u64 page_rest(gva_t va, u64 n)
{
	return MIN(n, PAGE_SIZE - (va & ~PAGE_MASK));
}

int copy_in(void *to, gva_t from, u64 n)
{
	while (n) {
		u64 part = page_rest(from, n);
		void *p = reach(from, ACCESS_READ);

		if (!p || copy(to, p, p, part))
			return -EFAULT;
		to = (u8 *)to + part;
		from += part;
		n -= part;
	}
	return 0;
}

int copy_out(gva_t to, const void *from, u64 n)
{
	while (n) {
		u64 part = page_rest(to, n);
		void *p = reach(to, ACCESS_WRITE);

		if (!p || copy(p, from, p, part))
			return -EFAULT;
		from = (const u8 *)from + part;
		to += part;
		n -= part;
	}
	return 0;
}

u32 *user_word(gva_t va)
{
	int err;

	return va & 3 ? NULL : try_reach(va, ACCESS_WRITE, &err);
}

bool user_writable(gva_t va, u64 n)
{
	while (n) {
		u64 part = page_rest(va, n);

		if (!reach(va, ACCESS_WRITE))
			return false;
		va += part;
		n -= part;
	}
	return true;
}

long string_in(char *to, gva_t from, u64 max)
{
	u64 done = 0;

	while (done < max) {
		u64 part = page_rest(from + done, max - done);
		const char *p = reach(from + done, ACCESS_READ);

		if (!p)
			return -EFAULT;
		if (in_window((u64)p - ABI_DIRECT)) {
			if (user_copy(to + done, p, part))
				return -EFAULT;
			p = to + done;
		}
		for (u64 i = 0; i < part; i++, done++) {
			to[done] = p[i];
			if (!p[i])
				return done;
		}
	}
	return -ENAMETOOLONG;
}

s64 segments(struct abi_frame *f, gva_t va, u64 n, enum access access)
{
	u32 first = f->nseg;
	u64 done = 0;

	while (done < n) {
		u64 part = page_rest(va + done, n - done);
		struct abi_seg *last = &f->seg[f->nseg - 1];
		int err;
		void *p = done ? try_reach(va + done, access, &err) : reach(va, access);
		gpa_t gpa = (u64)p - ABI_DIRECT;

		if (!p)
			return done ? (s64)done : -EFAULT;
		if (f->nseg > first && last->gpa + last->len == gpa) {
			last->len += part;
		} else {
			if (f->nseg == ABI_NSEGS)
				break;
			f->seg[f->nseg++] = (struct abi_seg){ gpa, part };
		}
		done += part;
	}
	return done;
}
