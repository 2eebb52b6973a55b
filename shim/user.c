/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program's memory as the shim reaches it: always by a walk of the page
 * tables and through ABI_DIRECT, never by the program's own addresses. So no
 * fault of the program's can happen inside the shim, and SMAP stays on.
 */
#include "shim.h"

/*
 * The byte at va, its page made present for the access, and mm_lock taken, so that it
 * stays that page as long as it is used; NULL and *err, and the lock not taken, when the
 * program could not reach it either.
 */
static void *try_reach(gva_t va, enum access access, int *err)
{
	u64 need = PTE_P | PTE_U | (access == ACCESS_WRITE ? PTE_W : 0);

	*err = -EFAULT;
	if (va >= ABI_USER_END)
		return NULL;
	lock(&mm_lock);
	for (int tries = 0; tries < 2; tries++) {
		void *page = NULL;
		bool huge;
		u64 *e;
		int code;

		e = pt_find(va, &huge);
		if (e && (*e & need) == need)
			page = direct((*e & PTE_ADDR & (huge ? HUGE_MASK : PAGE_MASK)) +
				      (va & (huge ? ~HUGE_MASK : ~PAGE_MASK)));
		if (page && in_window(*e & PTE_ADDR) && !direct_window(*e & PTE_ADDR))
			page = NULL;
		if (page)
			return page;
		/* the lock is kept: another thread's fork(2) would take the page back */
		*err = mm_fault_locked(va, access, &code);
		if (*err)
			break;
		pt_flush();
		*err = -EFAULT;
	}
	mm_unlock();
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

static void let_go(void)
{
	unlock(&mm_lock);
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
		u64 part = page_rest(from, n), left;
		void *p = reach(from, ACCESS_READ);

		if (!p)
			return -EFAULT;
		left = copy(to, p, p, part);
		let_go();
		if (left)
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
		u64 part = page_rest(to, n), left;
		void *p = reach(to, ACCESS_WRITE);

		if (!p)
			return -EFAULT;
		left = copy(p, from, p, part);
		let_go();
		if (left)
			return -EFAULT;
		from = (const u8 *)from + part;
		to += part;
		n -= part;
	}
	return 0;
}

long user_swap(gva_t va, u32 *was, u32 value)
{
	u32 *word;
	long ret;
	int err;

	word = va & 3 ? NULL : try_reach(va, ACCESS_WRITE, &err);
	if (!word)
		return -EFAULT;
	ret = user_cmpxchg(word, was, value);
	let_go();
	return ret < 0 ? -EFAULT : ret;
}

int user_zeroes(gva_t va, u64 n)
{
	for (gva_t end = va + n; va < end; va++) {
		u8 byte;

		if (get_user(byte, va))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return 0;
}

bool user_writable(gva_t va, u64 n)
{
	while (n) {
		u64 part = page_rest(va, n);

		if (!reach(va, ACCESS_WRITE))
			return false;
		let_go();
		va += part;
		n -= part;
	}
	return true;
}

long string_in(char *to, gva_t from, u64 max)
{
	u64 done = 0;

	while (done < max) {
		u64 part = page_rest(from + done, max - done), left = 0;
		const char *p = reach(from + done, ACCESS_READ);
		bool ends = false;

		if (!p)
			return -EFAULT;
		if (in_window((u64)p - ABI_DIRECT)) {
			left = user_copy(to + done, p, part);
			p = to + done;
		}
		for (u64 i = 0; !left && !ends && i < part; i++) {
			to[done] = p[i];
			ends = !p[i];
			done += !ends;
		}
		let_go();
		if (left)
			return -EFAULT;
		if (ends)
			return done;
	}
	return -ENAMETOOLONG;
}

s64 segments(struct abi_frame *f, u32 first, gva_t va, u64 n, enum access access)
{
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
			if (f->nseg == ABI_NSEGS) {
				let_go();
				break;
			}
			f->seg[f->nseg++] = (struct abi_seg){ gpa, part };
		}
		let_go();
		done += part;
	}
	return done;
}
