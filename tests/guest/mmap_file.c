/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of files, shared and private, in the current directory: what is written
 * there and here, ends of files, files that are cut short, errors. Threads take part.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/stat.h>

#include "mem.h"

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif

/* A new file of so many pages, each with its letter at both ends, and extra bytes. */
static int make(const char *name, unsigned long pages, unsigned long extra)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char page[PAGE];

	memset(page, 0, sizeof(page));
	for (unsigned long i = 0; i < pages; i++) {
		page[0] = page[PAGE - 1] = 'A' + i % 26;
		if (write(fd, page, PAGE) != PAGE)
			exit(3);
	}
	page[0] = '~';
	if (write(fd, page, extra) != (long)extra)
		exit(3);
	return fd;
}

static long map(unsigned long va, unsigned long n, int prot, int type, int fd, unsigned long page)
{
	return CALL(mmap, va, n * PAGE, prot, type | MAP_FIXED, fd, page * PAGE);
}

/* What an access comes to. */
static void touch(const char *what, unsigned long va, bool write)
{
	if (sigsetjmp(mem_jump, 1) == 0) {
		char c = *(volatile char *)va;

		if (write)
			*(volatile char *)va = c;
		printf("  %s: %d\n", what, c);
	} else {
		printf("  %s: signal %d code %d at +%#lx\n", what, mem_info.si_signo, mem_info.si_code,
		       (unsigned long)mem_info.si_addr - va);
	}
}

static void show_file(int fd, unsigned long page)
{
	char c[2] = "";

	printf("  in the file: %ld", (long)pread(fd, c, 1, page * PAGE));
	printf(" %d\n", c[0]);
}

static void shared(void)
{
	int fd = make("shared", 6, 100);

	SHOW(map(ZONE, 7, RW, MAP_SHARED, fd, 0));
	mem_layout(ZONE, 7);
	SHOW(map(ZONE + 10 * PAGE, 3, RW, MAP_SHARED, fd, 3));
	mem_layout(ZONE + 10 * PAGE, 3);
	*(char *)(ZONE + 4 * PAGE) = 'w';
	mem_layout(ZONE + 10 * PAGE, 3);
	show_file(fd, 4);
	if (pwrite(fd, "p", 1, 5 * PAGE) != 1)
		exit(3);
	mem_layout(ZONE, 7);
	/* the tail of the last page is zero, and never the file's */
	printf("%d\n", *(char *)(ZONE + 6 * PAGE + 100));
	*(char *)(ZONE + 6 * PAGE + 200) = 't';
	SHOW(CALL(msync, ZONE, 7 * PAGE, MS_SYNC));
	SHOW(CALL(fstat, fd, ZONE + 64 * PAGE));
	printf("%ld\n", (long)lseek(fd, 0, SEEK_END));
	close(fd);
	*(char *)(ZONE + 2 * PAGE) = 'c';
	SHOW(CALL(munmap, ZONE + PAGE, 4 * PAGE));
	mem_layout(ZONE, 7);
	SHOW(CALL(munmap, ZONE, 20 * PAGE));
	fd = open("shared", O_RDONLY);
	show_file(fd, 2);
	show_file(fd, 4);
	SHOW(map(ZONE, 7, PROT_READ, MAP_SHARED, fd, 0));
	mem_layout(ZONE, 7);
	SHOW(CALL(mprotect, ZONE, PAGE, RW));
	SHOW(CALL(mprotect, ZONE + PAGE, PAGE, PROT_NONE));
	SHOW(CALL(mprotect, ZONE + 2 * PAGE, PAGE, PROT_READ | PROT_EXEC));
	mem_layout(ZONE, 7);
	close(fd);
}

static void private(void)
{
	int fd = make("private", 20, 10);

	SHOW(map(ZONE, 21, RW, MAP_PRIVATE, fd, 0));
	mem_layout(ZONE, 21);
	mem_tag(ZONE, 4, 'a');
	mem_layout(ZONE, 21);
	show_file(fd, 1);
	SHOW(map(ZONE + 32 * PAGE, 4, PROT_READ, MAP_PRIVATE, fd, 0));
	if (pwrite(fd, "12", 2, 6 * PAGE) != 2 || pwrite(fd, "3", 1, 0) != 1)
		exit(3);
	mem_layout(ZONE, 2);
	mem_layout(ZONE + 32 * PAGE, 4);
	SHOW(CALL(mprotect, ZONE + 32 * PAGE, 2 * PAGE, RW));
	*(char *)(ZONE + 33 * PAGE + 1) = 'x';
	SHOW(CALL(mprotect, ZONE + 32 * PAGE, 2 * PAGE, PROT_READ));
	mem_layout(ZONE + 32 * PAGE, 4);
	SHOW(CALL(mprotect, ZONE + 32 * PAGE, 4 * PAGE, PROT_NONE));
	mem_layout(ZONE + 32 * PAGE, 4);
	SHOW(CALL(mprotect, ZONE + 32 * PAGE, 4 * PAGE, RW));
	mem_layout(ZONE + 32 * PAGE, 4);
	printf("%d\n", *(char *)(ZONE + 33 * PAGE + 1));
	/* dropped copies leave the file */
	SHOW(CALL(madvise, ZONE, 3 * PAGE, MADV_DONTNEED));
	SHOW(CALL(madvise, ZONE, PAGE, MADV_FREE));
	SHOW(CALL(madvise, ZONE, PAGE, MADV_REMOVE));
	mem_layout(ZONE, 6);
	SHOW(CALL(pread64, fd, ZONE + 14 * PAGE + 4000, 200, 0));
	mem_layout(ZONE + 13 * PAGE, 4);
	show_file(fd, 14);
	mem_tag(ZONE + 8 * PAGE, 2, 'p');
	SHOW(CALL(mremap, ZONE + 8 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE + 40 * PAGE));
	mem_layout(ZONE + 40 * PAGE, 4);
	SHOW(CALL(mremap, ZONE + 40 * PAGE, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE));
	mem_layout(ZONE + 40 * PAGE, 8);
	SHOW(CALL(munmap, ZONE + 41 * PAGE, PAGE));
	mem_layout(ZONE + 40 * PAGE, 8);
	SHOW(CALL(mremap, ZONE + 40 * PAGE, 0, PAGE, MREMAP_MAYMOVE));
	close(fd);
	/* a program's data: the file's pages, and zeroes behind them in the same mapping's place */
	fd = make("data", 2, 0);
	SHOW(map(ZONE, 8, RW, MAP_PRIVATE, fd, 0));
	SHOW(mem_map(ZONE + 2 * PAGE, 6 * PAGE, RW, ANON | MAP_FIXED));
	memset((void *)(ZONE + PAGE + 5), 'z', 3 * PAGE);
	mem_layout(ZONE, 8);
	close(fd);
}

static void ends(void)
{
	int fd = make("ends", 2, 10), empty = make("empty", 0, 0);

	SHOW(map(ZONE, 6, RW, MAP_SHARED, fd, 0));
	touch("last byte", ZONE + 2 * PAGE + 4095, true);
	touch("beyond", ZONE + 3 * PAGE, false);
	touch("beyond", ZONE + 3 * PAGE + 123, true);
	touch("far beyond", ZONE + 5 * PAGE + 4095, false);
	SHOW(map(ZONE + 8 * PAGE, 6, RW, MAP_PRIVATE, fd, 0));
	touch("last byte", ZONE + 10 * PAGE + 4095, true);
	touch("beyond", ZONE + 11 * PAGE + 7, false);
	touch("beyond", ZONE + 12 * PAGE + 7, true);
	SHOW(map(ZONE + 16 * PAGE, 2, RW, MAP_SHARED, empty, 0));
	touch("of nothing", ZONE + 16 * PAGE, false);
	SHOW(map(ZONE + 18 * PAGE, 2, RW, MAP_SHARED, fd, 100));
	touch("far off", ZONE + 18 * PAGE, false);
	SHOW(CALL(ftruncate, empty, 2 * PAGE));
	touch("of zeroes", ZONE + 17 * PAGE, true);
	SHOW(CALL(write, empty, ZONE + 3 * PAGE, 10));
	SHOW(CALL(pread64, fd, ZONE + 3 * PAGE, 10, 0));
	SHOW(CALL(write, empty, ZONE + 2 * PAGE + 4090, 10));
	SHOW(CALL(open, ZONE + 3 * PAGE, O_RDONLY));
	SHOW(CALL(rt_sigprocmask, SIG_BLOCK, ZONE + 4 * PAGE, 0, 8));
	SHOW(CALL(rt_sigprocmask, SIG_BLOCK, 0, ZONE + 4 * PAGE, 8));
	SHOW(CALL(futex, ZONE + 4 * PAGE, FUTEX_WAIT, 0, 0));
	SHOW(CALL(madvise, ZONE + 2 * PAGE, 2 * PAGE, MADV_POPULATE_READ));
	SHOW(CALL(mlock, ZONE, PAGE));
	close(fd);
	close(empty);
}

/* Pages that were there already when the file was cut short. */
static void cut(void)
{
	int fd = make("cut", 8, 0), other = make("other", 1, 0);
	char *text = (char *)ZONE + 6 * PAGE;

	SHOW(map(ZONE, 8, RW, MAP_SHARED, fd, 0));
	mem_layout(ZONE, 8);
	SHOW(CALL(ftruncate, fd, 3 * PAGE));
	touch("read", ZONE + 3 * PAGE, false);
	touch("write", ZONE + 4 * PAGE + 5, true);
	touch("kept", ZONE + 2 * PAGE, true);
	SHOW(CALL(ftruncate, fd, 8 * PAGE));
	mem_layout(ZONE, 8);
	/* by calls, straight after each cut */
	for (int i = 0; i < 8; i++) {
		mem_tag(ZONE + 6 * PAGE, 1, '/');
		SHOW(CALL(ftruncate, fd, 3 * PAGE));
		switch (i) {
		case 0:
			SHOW(CALL(write, other, text, 10));
			break;
		case 1:
			SHOW(CALL(pread64, other, text, 10, 0));
			break;
		case 2:
			SHOW(CALL(stat, text, ZONE));
			break;
		case 3:
			SHOW(CALL(fstat, other, text));
			break;
		case 4:
			SHOW(CALL(rt_sigprocmask, SIG_BLOCK, text, 0, 8));
			break;
		case 5:
			SHOW(CALL(rt_sigprocmask, SIG_BLOCK, 0, text, 8));
			break;
		case 6:
			SHOW(CALL(futex, text, FUTEX_WAKE, 1));
			break;
		case 7:
			SHOW(CALL(writev, other, text, 1));
			break;
		}
		SHOW(CALL(ftruncate, fd, 8 * PAGE));
	}
	/* the last bytes of a page go, too */
	mem_tag(ZONE, 8, 'a');
	SHOW(CALL(ftruncate, fd, 100));
	printf("%d %d\n", *(char *)ZONE, *(char *)(ZONE + PAGE - 1));
	SHOW(map(ZONE + 16 * PAGE, 8, PROT_READ, MAP_PRIVATE, fd, 0));
	touch("private", ZONE + 17 * PAGE, false);
	close(fd);
	close(other);
}

static void resize(void)
{
	int fd = make("resize", 10, 0);

	SHOW(map(ZONE, 4, RW, MAP_SHARED, fd, 2));
	SHOW(CALL(mremap, ZONE, 4 * PAGE, 10 * PAGE, 0));
	mem_layout(ZONE, 8);
	touch("beyond", ZONE + 8 * PAGE, true);
	SHOW(CALL(ftruncate, fd, 11 * PAGE));
	touch("behind the old end", ZONE + 8 * PAGE, true);
	SHOW(CALL(mremap, ZONE + 2 * PAGE, 3 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, ZONE + 20 * PAGE));
	mem_layout(ZONE, 8);
	mem_layout(ZONE + 20 * PAGE, 6);
	*(char *)(ZONE + 21 * PAGE) = '!';
	show_file(fd, 5);
	SHOW(CALL(mremap, ZONE + 20 * PAGE, 6 * PAGE, 2 * PAGE, 0));
	mem_layout(ZONE + 20 * PAGE, 6);
	close(fd);
}

static void errors(void)
{
	int fd = make("errors", 2, 0), rd = open("errors", O_RDONLY), wr = open("errors", O_WRONLY);
	int path = open("errors", O_PATH), dir = open(".", O_RDONLY | O_DIRECTORY), app = open("errors", O_RDWR | O_APPEND);
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), pipes[2];

	if (pipe(pipes))
		exit(3);
	SHOW(map(ZONE, 2, RW, MAP_SHARED, rd, 0));
	SHOW(map(ZONE, 2, PROT_READ, MAP_SHARED, wr, 0));
	SHOW(map(ZONE, 2, PROT_WRITE, MAP_SHARED, wr, 0));
	SHOW(map(ZONE, 2, PROT_READ, MAP_PRIVATE, wr, 0));
	SHOW(map(ZONE, 2, PROT_READ, MAP_SHARED, path, 0));
	SHOW(map(ZONE, 2, PROT_READ, MAP_SHARED, dir, 0));
	SHOW(map(ZONE, 2, PROT_READ, MAP_SHARED, pipes[0], 0));
	SHOW(map(ZONE, 2, PROT_READ, MAP_SHARED, 99, 0));
	SHOW(map(ZONE, 0, PROT_READ, MAP_SHARED, 99, 0));
	SHOW(map(ZONE, 0, PROT_READ, MAP_SHARED, fd, 0));
	SHOW(map(ZONE, 2, PROT_READ, 0, fd, 0));
	SHOW(map(ZONE, 2, PROT_READ, 0xf, fd, 0));
	SHOW(map(ZONE, 2, PROT_READ, MAP_SHARED | MAP_GROWSDOWN, fd, 0));
	SHOW(CALL(mmap, ZONE, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 5));
	SHOW(CALL(mmap, ZONE, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, -PAGE));
	SHOW(CALL(mmap, ZONE, 1ul << 60, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0));
	SHOW(map(ZONE, 2, RW, MAP_SHARED, app, 0));
	SHOW(map(ZONE, 2, RW, MAP_SHARED_VALIDATE, fd, 0));
	mem_layout(ZONE, 2);
	SHOW(map(ZONE, 2, RW, MAP_SHARED, null, 0));
	SHOW(map(ZONE, 2, RW, MAP_SHARED, zero, 0));
	mem_tag(ZONE, 2, 'z');
	SHOW(map(ZONE + 2 * PAGE, 2, RW, MAP_PRIVATE, zero, 0));
	mem_layout(ZONE, 4);
	SHOW(CALL(msync, ZONE, 4 * PAGE, MS_SYNC | MS_ASYNC));
	SHOW(CALL(msync, ZONE, 4 * PAGE, MS_ASYNC));
	SHOW(CALL(msync, ZONE, 5 * PAGE, MS_SYNC));
	SHOW(CALL(msync, ZONE + 1, PAGE, MS_SYNC));
}

/* One word at two addresses: who waits at one is woken at the other. */
static volatile int woken;

static void *wait_there(void *arg)
{
	(void)arg;
	while (*(volatile int *)(ZONE + HUGE) == 1)
		CALL(futex, ZONE + HUGE, FUTEX_WAIT, 1, 0);
	woken = 1;
	return NULL;
}

static void futexes(void)
{
	int fd = make("futex", 1, 0), *word = (int *)ZONE;
	pthread_t t;

	SHOW(map(ZONE, 1, RW, MAP_SHARED, fd, 0));
	SHOW(map(ZONE + HUGE, 1, RW, MAP_SHARED, fd, 0));
	*word = 1;
	pthread_create(&t, NULL, wait_there, NULL);
	while (!woken) {
		*word = 2;
		CALL(futex, word, FUTEX_WAKE, 1);
		usleep(1000);
	}
	pthread_join(t, NULL);
	printf("woken\n");
	close(fd);
}

/* Who waits on a word of a private mapping waits on the program's own, though it is not written yet. */
static volatile int about_to;

static void *wait_private(void *arg)
{
	about_to = 1;
	while (*(volatile int *)ZONE == 'A')
		CALL(futex, ZONE, (long)arg, 'A', 0);
	woken = 1;
	return NULL;
}

static void private_futexes(void)
{
	static const long ops[] = { FUTEX_WAIT, FUTEX_WAIT_PRIVATE };
	int fd = make("private-futex", 1, 0);
	pthread_t t;

	for (int i = 0; i < 2; i++) {
		woken = about_to = 0;
		SHOW(map(ZONE, 1, RW, MAP_PRIVATE, fd, 0));
		pthread_create(&t, NULL, wait_private, (void *)ops[i]);
		while (!about_to)
			sched_yield();
		usleep(50000);
		*(volatile int *)ZONE = 'B';
		while (!woken) {
			CALL(futex, ZONE, ops[i] | FUTEX_WAKE, 1);
			usleep(1000);
		}
		pthread_join(t, NULL);
		printf("woken\n");
	}
	close(fd);
}

/* A thread that reads all the time, while another cuts and fills. */
static volatile int stop, reads, faults;
static __thread sigjmp_buf back;

static void reader_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (sig != SIGBUS || info->si_code != 2 || (unsigned long)info->si_addr / PAGE * PAGE != ZONE + HUGE + 3 * PAGE)
		_exit(9);
	faults++;
	siglongjmp(back, 1);
}

static void *read_there(void *arg)
{
	(void)arg;
	sigsetjmp(back, 1);
	while (!stop) {
		(void)*(volatile char *)(ZONE + HUGE + 3 * PAGE + 17);
		reads++;
	}
	return NULL;
}

static void race(void)
{
	struct sigaction act = { .sa_sigaction = reader_fault, .sa_flags = SA_SIGINFO };
	int fd = make("race", 4, 0);
	pthread_t t[2];

	sigaction(SIGBUS, &act, NULL);
	SHOW(map(ZONE + HUGE, 4, RW, MAP_SHARED, fd, 0));
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, read_there, NULL);
	for (int i = 0; i < 30; i++) {
		int before;

		if (ftruncate(fd, 2 * PAGE))
			exit(4);
		for (before = faults; faults == before;)
			sched_yield();
		if (ftruncate(fd, 4 * PAGE))
			exit(4);
		for (before = reads; reads == before;)
			sched_yield();
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	printf("survived\n");
	close(fd);
}

/* More of a file than there is memory. */
static void large(void)
{
	int fd = make("large", 1, 0);
	unsigned long size = 3ul << 30, sum = 0;
	char *p;

	if (ftruncate(fd, size))
		exit(4);
	p = mmap(NULL, size, RW, MAP_SHARED, fd, 0);
	printf("%d\n", p != MAP_FAILED);
	for (unsigned long at = 0; at < size; at += size / 64)
		p[at] = 'l';
	for (unsigned long at = 0; at < size; at += size / 64)
		sum += p[at];
	printf("%lu %d\n", sum, munmap(p, size));
	unlink("large");
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct mem_part all[] = {
		{ "shared", shared }, { "private", private }, { "ends", ends }, { "cut", cut }, { "resize", resize },
		{ "errors", errors }, { "futexes", futexes },
		{ "private-futexes", private_futexes }, { "race", race }, { "large", large },
	};

	return mem_main(argc, argv, all, ARRAY_SIZE(all));
}
