/* SPDX-License-Identifier: GPL-2.0-only */
/* What one thread does to memory is what the others see: at once, with no stale translation. */
#include "thread.h"

#include <sys/mman.h>
#include <ucontext.h>

#define RW (PROT_READ | PROT_WRITE)
#define HUGE (2ul << 20)

static __thread sigjmp_buf back;
static __thread volatile siginfo_t fault;
static atomic_int count, faults, turn;
static atomic_bool go, end;
static volatile long *volatile shared;

static void jump_back(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	fault = *info;
	siglongjmp(back, 1);
}

static char *map(size_t size)
{
	char *p = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		printf("mmap: %s\n", strerrorname_np(errno));
		exit(95);
	}
	return p;
}

static void unmap(void *p, size_t size)
{
	if (munmap(p, size))
		exit(94);
}

/* ------------------------------------------------------------- mappings seen by others */

static void *fill_it(void *arg)
{
	shared = (long *)map(64 * PAGE);
	for (size_t i = 0; i < 64 * PAGE / sizeof(long); i++)
		shared[i] = i * (long)arg;
	return NULL;
}

static void seen(void)
{
	long sum = 0;

	join(start(fill_it, (void *)3));
	for (size_t i = 0; i < 64 * PAGE / sizeof(long); i++)
		sum += shared[i];
	printf("sum %ld\n", sum);
	unmap((void *)shared, 64 * PAGE);
}

/* Reads until it faults; every value read before is right. */
static void *read_until_fault(void *arg)
{
	volatile long wrong = 0;

	if (!sigsetjmp(back, 1)) {
		volatile long *p = shared;

		count++;
		for (;;)
			wrong += *p != (long)arg >> 8;
	}
	return (void *)(wrong * 1000 + (fault.si_code == SEGV_MAPERR && fault.si_addr == shared));
}

/* What is unmapped is so for threads that were reading it in that moment. */
static void gone(void)
{
	pthread_t threads[3];
	long sum = 0;

	catch_flags(SIGSEGV, jump_back, 0);
	for (int round = 0; round < 20; round++) {
		shared = (long *)map(PAGE);
		*shared = round;
		count = 0;
		for (int i = 0; i < 3; i++)
			threads[i] = start(read_until_fault, (void *)((long)round << 8));
		WAIT_UNTIL(count == 3);
		unmap((void *)shared, PAGE);
		for (int i = 0; i < 3; i++)
			sum += (long)join(threads[i]);
	}
	printf("%ld faulted as they should\n", sum);
}

/*
 * A page's memory is another's soon after it is given back. Nobody who keeps
 * reading at the old address may see what the new owner writes.
 */
static void *read_always(void *arg)
{
	volatile long wrong = 0;

	(void)arg;
	while (!end)
		if (!sigsetjmp(back, 1)) {
			volatile long *p = shared;
			long value = *p;

			wrong += value != 0x600d && value != 0;
		} else {
			faults++;
		}
	return (void *)wrong;
}

static void reused(void)
{
	pthread_t threads[2];
	int before;
	long wrong;

	catch_flags(SIGSEGV, jump_back, 0);
	/* a hole of one page, which none of the other mappings fits into */
	shared = (long *)(map(3 * PAGE) + PAGE);
	mprotect((char *)shared - PAGE, PAGE, PROT_NONE);
	mprotect((char *)shared + PAGE, PAGE, PROT_NONE);
	threads[0] = start(read_always, NULL);
	threads[1] = start(read_always, NULL);
	for (int round = 0; round < 300; round++) {
		long *junk;

		*shared = 0x600d;
		unmap((void *)shared, PAGE);
		junk = (long *)map(8 * PAGE);
		for (size_t i = 0; i < 8 * PAGE / sizeof(long); i++)
			junk[i] = 0xbad;
		before = faults;
		SPIN_UNTIL(faults != before || round % 16);
		unmap(junk, 8 * PAGE);
		if (mmap((void *)shared, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			exit(93);
	}
	end = true;
	wrong = (long)join(threads[0]) + (long)join(threads[1]);
	check("some faulted", faults > 0);
	printf("%ld wrong\n", wrong);
}

/* ------------------------------------------------------------- safepoints */

/* Stays in the handler until the page can be used again. */
static void wait_in_handler(int sig, siginfo_t *info, void *context)
{
	int now = turn;

	(void)sig, (void)context;
	if (info->si_addr != shared || info->si_code != SEGV_ACCERR)
		_exit(92);
	faults++;
	SPIN_UNTIL(turn != now);
}

static void *poll_page(void *arg)
{
	long work = 0;

	count++;
	while (!end) {
		for (int i = 0; i < 100; i++)
			work += i;
		if (arg)
			*shared = 1;
		else
			work += *shared & 0;
	}
	return (void *)(work % 4950);
}

/* All threads that poll a page stop once it is out of reach, and go on when it is back. */
static void stop_all(int rounds, int prot, void *arg)
{
	pthread_t threads[4];
	int wrong = 0;
	long sum = 0;

	catch_flags(SIGSEGV, wait_in_handler, 0);
	end = false;
	count = 0;
	shared = (long *)map(PAGE);
	for (int i = 0; i < 4; i++)
		threads[i] = start(poll_page, arg);
	WAIT_UNTIL(count == 4);
	for (int round = 0; round < rounds; round++) {
		faults = 0;
		mprotect((void *)shared, PAGE, prot);
		WAIT_UNTIL(faults == 4);
		mprotect((void *)shared, PAGE, RW);
		wrong += faults != 4;
		turn++;
	}
	end = true;
	for (int i = 0; i < 4; i++)
		sum += (long)join(threads[i]);
	printf("%d wrong, sum %ld\n", wrong, sum);
}

static void safepoint(void)
{
	stop_all(argument, PROT_NONE, NULL);
}

static void read_only(void)
{
	stop_all(argument, PROT_READ, &count);
}

/* ------------------------------------------------------------- contents */

static void *look_for_zero(void *arg)
{
	long wrong = 0;

	(void)arg;
	for (int round = 1; round <= 200; round++) {
		SPIN_UNTIL(turn >= 2 * round - 1);
		for (int i = 0; i < 16; i++)
			wrong += shared[i * 512] != round;
		turn++;
		SPIN_UNTIL(go);
		go = false;
		for (int i = 0; i < 16; i++)
			wrong += shared[i * 512] != 0;
		count++;
	}
	return (void *)wrong;
}

/* What is given back by one is zero for another, who has just read it. */
static void zero(void)
{
	pthread_t thread = start(look_for_zero, NULL);

	shared = (long *)map(16 * PAGE);
	for (int round = 1; round <= 200; round++) {
		for (int i = 0; i < 16; i++)
			shared[i * 512] = round;
		turn = 2 * round - 1;
		SPIN_UNTIL(turn == 2 * round);
		madvise((void *)shared, 16 * PAGE, MADV_DONTNEED);
		go = true;
		SPIN_UNTIL(count == round);
	}
	printf("%ld wrong\n", (long)join(thread));
}

/* The same by another mapping in place, and by moving. */
static void *look_at_it(void *arg)
{
	long wrong = 0;

	(void)arg;
	for (int round = 1; round <= 200; round++) {
		SPIN_UNTIL(turn >= round);
		wrong += *shared != (round % 2 ? 0 : round - 1);
		count = round;
	}
	return (void *)wrong;
}

static void replaced(void)
{
	pthread_t thread;
	char *other = map(PAGE);

	shared = (long *)map(PAGE);
	thread = start(look_at_it, NULL);
	for (int round = 1; round <= 200; round++) {
		if (round % 2)
			mmap((void *)shared, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		else
			mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)shared);
		turn = round;
		SPIN_UNTIL(count == round);
		mmap(other, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*(long *)other = round;
	}
	printf("%ld wrong\n", (long)join(thread));
}

/* ------------------------------------------------------------- many faults at once */

static pthread_barrier_t barrier;
static char *area;
static size_t stride;

static void *touch_all(void *arg)
{
	(void)arg;
	for (int round = 0; round < 8; round++) {
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < 256; i++)
			(*(_Atomic long *)(area + i * stride))++;
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* Who comes second to a page finds what the first has written. */
static void same_pages(void)
{
	pthread_t threads[8];
	long sum = 0;

	pthread_barrier_init(&barrier, NULL, 9);
	for (int i = 0; i < 8; i++)
		threads[i] = start(touch_all, NULL);
	for (int round = 0; round < 8; round++) {
		/* pages alone, then within large ones */
		stride = round & 1 ? 8 * PAGE : PAGE;
		area = map(256 * stride + HUGE);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < 256; i++)
			sum += *(long *)(area + i * stride);
		unmap(area, 256 * stride + HUGE);
	}
	for (int i = 0; i < 8; i++)
		join(threads[i]);
	printf("sum %ld\n", sum);
}

static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}

/* Maps, fills, checks, protects and unmaps by chance. */
static void *map_and_unmap(void *arg)
{
	struct {
		char *p;
		size_t pages;
		uint64_t tag;
	} held[16] = { { 0 } };
	uint64_t seed = (long)arg + 1;
	long wrong = 0;

	for (int i = 0; i < argument; i++) {
		size_t slot = draw(&seed) % ARRAY_SIZE(held);

		if (held[slot].p) {
			char *p = held[slot].p;
			size_t size = held[slot].pages * PAGE;

			if (draw(&seed) % 2) {
				mprotect(p, size, PROT_READ);
				mprotect(p, size, RW);
			}
			if (draw(&seed) % 4 == 0) {
				p = mremap(p, size, size + 3 * PAGE, MREMAP_MAYMOVE);
				size += 3 * PAGE;
			}
			for (size_t page = 0; page < held[slot].pages; page++)
				wrong += *(uint64_t *)(p + page * PAGE) != held[slot].tag + page;
			unmap(p, size);
			held[slot].p = NULL;
		} else {
			held[slot].pages = 1 + draw(&seed) % (draw(&seed) % 16 ? 20 : 700);
			held[slot].p = map(held[slot].pages * PAGE);
			held[slot].tag = seed;
			for (size_t page = 0; page < held[slot].pages; page++) {
				wrong += *(uint64_t *)(held[slot].p + page * PAGE) != 0;
				*(uint64_t *)(held[slot].p + page * PAGE) = seed + page;
			}
		}
	}
	return (void *)wrong;
}

static void stress(void)
{
	printf("%ld wrong\n", run_threads(4, map_and_unmap));
}

/* Blocks that another thread frees. */
static char *_Atomic boxes[64];

static void *give_and_take(void *arg)
{
	uint64_t seed = (long)arg + 99;
	long wrong = 0;

	for (int i = 0; i < 5000; i++) {
		size_t size = 16 + draw(&seed) % (i % 50 ? 2000 : 300000);
		char *p = malloc(size);

		memset(p, size & 0x7f, size);
		memcpy(p, &size, sizeof(size));
		p = atomic_exchange(&boxes[draw(&seed) % 64], p);
		if (p) {
			memcpy(&size, p, sizeof(size));
			for (size_t at = sizeof(size); at < size; at += 97)
				wrong += p[at] != (char)(size & 0x7f);
			free(p);
		}
	}
	return (void *)wrong;
}

static void allocator(void)
{
	printf("%ld wrong\n", run_threads(8, give_and_take));
}

/* ------------------------------------------------------------- code */

static void *call_code(void *arg)
{
	long wrong = 0;

	(void)arg;
	for (int round = 1; round <= 25; round++) {
		SPIN_UNTIL(turn >= round);
		wrong += ((int (*)(void))shared)() != round;
		count++;
		SPIN_UNTIL(count >= 2 * round);
	}
	return (void *)wrong;
}

/* Code that one writes is what two others run; it is never both writable and executable. */
static void code(void)
{
	pthread_t threads[2];

	shared = (long *)map(PAGE);
	for (int i = 0; i < 2; i++)
		threads[i] = start(call_code, NULL);
	for (int round = 1; round <= 25; round++) {
		unsigned char text[] = { 0xb8, round, 0, 0, 0, 0xc3 };	/* mov $round, %eax; ret */

		mprotect((void *)shared, PAGE, RW);
		memcpy((void *)shared, text, sizeof(text));
		mprotect((void *)shared, PAGE, PROT_READ | PROT_EXEC);
		turn = round;
		SPIN_UNTIL(count >= 2 * round);
	}
	printf("%ld wrong\n", (long)join(threads[0]) + (long)join(threads[1]));
}

static const struct part parts[] = {
	{ "seen", seen }, { "gone", gone }, { "reused", reused }, { "safepoint", safepoint },
	{ "read-only", read_only }, { "zero", zero }, { "replaced", replaced }, { "same-pages", same_pages },
	{ "stress", stress }, { "allocator", allocator }, { "code", code },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
