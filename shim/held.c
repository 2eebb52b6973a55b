/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that calls in progress reach. A call's buffers are segments of its vCPU's
 * frame from when they were looked up to the call's end, all under mm_lock, so what
 * is unmapped can be compared with them: what a call may still write to is kept back
 * until that call has ended. The call itself pays with two stores.
 */
#include "shim.h"

#define KEPT		1024u

/* Kept back: pages, or chunks with HELD_HUGE. */
static gpa_t kept[KEPT];
static u32 nkept;

/* By number of the chunk: no call reaches one whose bit is not set. */
static u64 chunks[64];

static u64 *filter(gpa_t gpa, u64 *bit)
{
	u64 chunk = gpa / ABI_HUGE;

	*bit = 1ull << (chunk & 63);
	return &chunks[chunk >> 6 & (ARRAY_SIZE(chunks) - 1)];
}

/* The frame with a thread's segments, or NULL when no call of it has any. */
static const struct abi_frame *calls(const struct thread *t)
{
	return t->alive && __atomic_load_n(&t->cpu->calling, __ATOMIC_ACQUIRE) ? t->cpu->frame : NULL;
}

void held_look(void)
{
	struct thread *t;

	memset(chunks, 0, sizeof(chunks));
	for (u32 i = 0; (t = thread_at(i)); i++) {
		const struct abi_frame *f = calls(t);

		for (u32 s = 0; f && s < f->nseg; s++) {
			gpa_t at = f->seg[s].gpa & HUGE_MASK, end = f->seg[s].gpa + f->seg[s].len;

			/* more than there are bits would only set them again */
			for (u64 n = 0; at < end && n < 64 * ARRAY_SIZE(chunks); n++, at += ABI_HUGE) {
				u64 bit, *word = filter(at, &bit);

				*word |= bit;
			}
		}
	}
}

bool held_range(gpa_t gpa, u64 len)
{
	struct thread *t;

	for (u32 i = 0; (t = thread_at(i)); i++) {
		const struct abi_frame *f = calls(t);

		for (u32 s = 0; f && s < f->nseg; s++)
			if (f->seg[s].gpa < gpa + len && gpa < f->seg[s].gpa + f->seg[s].len)
				return true;
	}
	return false;
}

bool held_page(gpa_t page)
{
	u64 bit, *word = filter(page, &bit);

	if (!(*word & bit))
		return false;
	return held_range(page & ~HELD_HUGE, page & HELD_HUGE ? ABI_HUGE : PAGE_SIZE);
}

void held_keep(gpa_t page)
{
	/* with no room for more of them it is nobody's any more: so many no program loses that means well */
	if (nkept < KEPT)
		kept[nkept++] = page;
}

bool held_any(void)
{
	return nkept;
}

void held_release(void)
{
	u32 n = 0;

	if (!nkept)
		return;
	held_look();
	for (u32 i = 0; i < nkept; i++) {
		if (held_page(kept[i]))
			kept[n++] = kept[i];
		else if (kept[i] & HELD_HUGE)
			huge_free(kept[i] & ~HELD_HUGE);
		else
			page_free(kept[i]);
	}
	nkept = n;
}
