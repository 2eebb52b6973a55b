/* SPDX-License-Identifier: GPL-2.0-only */
#include "shim.h"

/* By words: a CPU that has fast strings does not mind, an emulated one does them one by one. */
void *memcpy(void *to, const void *from, size_t n)
{
	size_t words = n / 8, rest = n % 8;
	void *d = to;

	asm volatile("rep movsq" : "+D"(d), "+S"(from), "+c"(words) : : "memory");
	asm volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(rest) : : "memory");
	return to;
}

void *memset(void *to, int c, size_t n)
{
	size_t words = n / 8, rest = n % 8;
	void *d = to;

	asm volatile("rep stosq" : "+D"(d), "+c"(words) : "a"((u8)c * 0x0101010101010101ull) : "memory");
	asm volatile("rep stosb" : "+D"(d), "+c"(rest) : "a"(c) : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	const u8 *s = from;
	u8 *d = to;

	if (d <= s || d >= s + n)
		return memcpy(to, from, n);
	/* from the end, by pieces that do not overlap: string instructions are slow backwards */
	while (n) {
		size_t part = MIN(n, (size_t)(d - s));

		n -= part;
		memcpy(d + n, s + n, part);
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

/* Longer than most locks are held by a vCPU that runs meanwhile. */
#define SPINS	256

/* Where one of the shim's own words is. */
static gpa_t gpa_of(const void *p)
{
	bool huge;

	return (*pt_find((gva_t)p, &huge) & PTE_ADDR) + ((u64)p & ~PAGE_MASK);
}

void wait_while(u32 *word, u32 value, u32 ms)
{
	cpu_flush();
	ask_runner(ABI_OP_WAIT, gpa_of(word), value | (u64)ms << 32);
}

void wake(u32 *word)
{
	ask_runner(ABI_OP_WAKE, gpa_of(word), 0);
}

/* A thousand that each looked ten times a second whether it is their turn would leave a CPU no time for anything else. */
#define LOOK_AGAIN_MS	10000

/* Where a ticket's holder sleeps, so that it alone is woken when its turn comes, but for what collides. */
static u32 beds[1024];

static u32 *bed(u32 ticket)
{
	return &beds[ticket % ARRAY_SIZE(beds)];
}

void lock(lock_t *l)
{
	u32 mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_ACQUIRE), now, seen, turns = 0;

	/* who is next does not sleep at once */
	while ((now = __atomic_load_n(&l->serving, __ATOMIC_ACQUIRE)) + 1 == mine && turns++ < SPINS) {
		cpu_flush();
		asm volatile("pause");
	}
	if (now == mine)
		return;
	__atomic_add_fetch(&l->sleepers, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		seen = __atomic_load_n(bed(mine), __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&l->serving, __ATOMIC_SEQ_CST) == mine)
			break;
		wait_while(bed(mine), seen, LOOK_AGAIN_MS);
	}
	__atomic_sub_fetch(&l->sleepers, 1, __ATOMIC_SEQ_CST);
}

void unlock(lock_t *l)
{
	u32 now = __atomic_add_fetch(&l->serving, 1, __ATOMIC_SEQ_CST);

	if (!__atomic_load_n(&l->sleepers, __ATOMIC_SEQ_CST))
		return;
	__atomic_add_fetch(bed(now), 1, __ATOMIC_SEQ_CST);
	wake(bed(now));
}

s64 ask_runner(enum abi_op op, u64 arg0, u64 arg1)
{
	struct abi_frame *f = this_cpu()->frame;
	u32 was_op = f->op;
	u64 was[2] = { f->arg[0], f->arg[1] };
	s64 was_ret = f->ret, ret;

	f->op = op;
	f->arg[0] = arg0;
	f->arg[1] = arg1;
	vm_exit();
	ret = f->ret;
	f->op = was_op;
	f->arg[0] = was[0];
	f->arg[1] = was[1];
	f->ret = was_ret;
	return ret;
}

void panic(const char *why, u64 value)
{
	struct abi_frame *f = this_cpu()->frame;
	u32 n = 0;

	while (why[n] && n < 200) {
		f->data[n] = why[n];
		n++;
	}
	f->data[n++] = ' ';
	for (int shift = 60; shift >= 0; shift -= 4)
		f->data[n++] = "0123456789abcdef"[value >> shift & 15];
	f->data_len = n;
	f->op = ABI_OP_PANIC;
	for (;;)
		vm_exit();
}
