/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A buffer that another thread unmaps while a call waits to fill it: what is mapped next
 * keeps its contents. What the call returns then is not told: Linux says EFAULT, and a
 * kernel that holds pages during calls would not.
 */
#include "thread.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define RW (PROT_READ | PROT_WRITE)
#define HUGE (2ul << 20)
#define OTHERS 24

static int pipe_fds[2];
static char *volatile buffer;
static volatile size_t length;
static atomic_bool about;

static char *map(size_t size)
{
	char *p = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		printf("mmap: %s\n", strerrorname_np(errno));
		exit(95);
	}
	return p;
}

/* Unmaps it, and keeps others from the address: what comes there the call may well fill. */
static void unmap(char *p, size_t size)
{
	if (munmap(p, size) ||
	    mmap(p, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != p)
		exit(96);
}

static void *read_it(void *arg)
{
	(void)arg;
	about = true;
	return (void *)read(pipe_fds[0], buffer, length);
}

/* A thread that waits in read(2) for what send() gives it. */
static pthread_t reader(char *to, size_t len)
{
	pthread_t thread;

	if (pipe(pipe_fds))
		exit(94);
	buffer = to;
	length = len;
	about = false;
	thread = start(read_it, NULL);
	WAIT_UNTIL(about);
	sleep_ms(50);
	return thread;
}

static void send(size_t len)
{
	static char bytes[HUGE];

	memset(bytes, 'B', len);
	if (write(pipe_fds[1], bytes, len) != (ssize_t)len)
		exit(93);
}

/* Takes memory that others may have had, fills it, lets the call end, and looks at it. */
static void use_anew(pthread_t thread, size_t size)
{
	char *other[OTHERS];
	long wrong = 0;

	for (int i = 0; i < OTHERS; i++) {
		other[i] = map(size);
		memset(other[i], 'n', size);
	}
	send(PAGE);
	join(thread);
	for (int i = 0; i < OTHERS; i++)
		for (size_t at = 0; at < size; at++)
			wrong += other[i][at] != 'n';
	printf("%ld wrong\n", wrong);
	for (int i = 0; i < OTHERS; i++)
		munmap(other[i], size);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void unmapped(void)
{
	for (int round = 0; round < 4; round++) {
		char *p = map(PAGE);
		pthread_t thread;

		memset(p, 'o', PAGE);
		thread = reader(p, PAGE);
		unmap(p, PAGE);
		use_anew(thread, PAGE);
	}
}

static void unmapped_huge(void)
{
	char *p = map(3 * HUGE), *at = (char *)(((uintptr_t)p + HUGE - 1) & -HUGE);
	pthread_t thread;

	memset(p, 'o', 3 * HUGE);
	thread = reader(at + 5 * PAGE, HUGE / 2);
	unmap(p, 3 * HUGE);
	use_anew(thread, HUGE);
}

static void shortened(void)
{
	char *p = map(2 * PAGE);
	pthread_t thread;

	memset(p, 'o', 2 * PAGE);
	thread = reader(p + PAGE, PAGE);
	if (mremap(p, 2 * PAGE, PAGE, 0) != p)
		exit(92);
	if (mmap(p + PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != p + PAGE)
		exit(96);
	use_anew(thread, PAGE);
}

static void replaced(void)
{
	char *p = map(PAGE);
	pthread_t thread;

	memset(p, 'o', PAGE);
	thread = reader(p, PAGE);
	if (mmap(p, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != p)
		exit(92);
	use_anew(thread, PAGE);
}

/* What is given back stays mapped: the call fills what is there then. */
static void given_back(void)
{
	char *p = map(PAGE);
	long came = 0, zero = 0;
	pthread_t thread;

	memset(p, 'o', PAGE);
	thread = reader(p, PAGE);
	show("madvise", madvise(p, PAGE, MADV_DONTNEED));
	/* whoever gives its memory to someone else can do so now */
	for (int i = 0; i < OTHERS; i++)
		memset(map(PAGE), 'n', PAGE);
	for (size_t i = 0; i < PAGE; i++)
		zero += !p[i];
	use_anew(thread, PAGE);
	for (size_t i = 0; i < PAGE; i++)
		came += p[i] == 'B';
	printf("%ld zero, %ld came\n", zero, came);
}

static int file_of(char fill)
{
	static char bytes[PAGE];
	int fd = memfd_create("buffer", 0);

	memset(bytes, fill, PAGE);
	if (fd < 0 || write(fd, bytes, PAGE) != PAGE)
		exit(91);
	return fd;
}

/* The same of a file's pages: another file that is mapped next keeps its own. */
static void of_a_file(void)
{
	int old = file_of('o');
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, old, 0), *other[OTHERS], bytes[PAGE];
	pthread_t thread = reader(p, PAGE);
	int fds[OTHERS];
	long wrong = 0;

	unmap(p, PAGE);
	for (int i = 0; i < OTHERS; i++) {
		fds[i] = file_of('n');
		other[i] = mmap(NULL, PAGE, RW, MAP_SHARED, fds[i], 0);
		wrong += other[i][0] != 'n';
	}
	send(PAGE);
	join(thread);
	for (int i = 0; i < OTHERS; i++) {
		if (pread(fds[i], bytes, PAGE, 0) != PAGE)
			exit(90);
		for (size_t at = 0; at < PAGE; at++)
			wrong += bytes[at] != 'n' || other[i][at] != 'n';
	}
	printf("%ld wrong\n", wrong);
}

/* A mapping of a file that moves to have more room leaves its old place to others. */
static void moved(void)
{
	int old = file_of('o');
	char *was = mmap(NULL, PAGE, RW, MAP_SHARED, old, 0), *p, *other[OTHERS];
	pthread_t thread = reader(was, PAGE);
	long wrong = 0;

	p = mremap(was, PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map(4 * PAGE));
	unmap(was, PAGE);
	for (int i = 0; i < OTHERS; i++) {
		other[i] = mmap(NULL, PAGE, RW, MAP_SHARED, file_of('n'), 0);
		wrong += other[i][0] != 'n';
	}
	send(PAGE);
	join(thread);
	for (int i = 0; i < OTHERS; i++)
		for (size_t at = 0; at < PAGE; at++)
			wrong += other[i][at] != 'n';
	printf("moved: %d, %ld wrong\n", p != MAP_FAILED, wrong);
}

/* A child has a copy from before: the call fills its maker's alone. */
static void copied(void)
{
	char *p = map(PAGE);
	long came = 0;
	pthread_t thread;
	int status;
	pid_t pid;

	memset(p, 'o', PAGE);
	thread = reader(p, PAGE);
	pid = fork();
	if (!pid) {
		char *other[OTHERS];
		long wrong = 0;

		for (int i = 0; i < OTHERS; i++)
			memset(other[i] = map(PAGE), 'n', PAGE);
		for (size_t at = 0; at < PAGE; at++)
			wrong += p[at] != 'o';
		munmap(p, PAGE);
		send(PAGE);
		sleep_ms(50);
		for (int i = 0; i < OTHERS; i++)
			for (size_t at = 0; at < PAGE; at++)
				wrong += other[i][at] != 'n';
		_exit(wrong != 0);
	}
	waitpid(pid, &status, 0);
	show("read", (long)join(thread));
	for (size_t i = 0; i < PAGE; i++)
		came += p[i] == 'B';
	printf("child %d, %ld came\n", status, came);
}

static int wake_there(char *p)
{
	return syscall(SYS_futex, p, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0);
}

static void *wait_there(void *arg)
{
	struct timespec t = { 0, 400 * MS };

	about = true;
	syscall(SYS_futex, arg, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0);
	return NULL;
}

/* Who waits for a futex in memory that goes is not woken by one in what comes. */
static void waited_for(void)
{
	char *p = map(PAGE), *other[OTHERS];
	pthread_t thread;
	int woken = 0;

	p[0] = 0;
	about = false;
	thread = start(wait_there, p);
	WAIT_UNTIL(about);
	sleep_ms(50);
	unmap(p, PAGE);
	for (int i = 0; i < OTHERS; i++) {
		other[i] = map(PAGE);
		other[i][0] = 0;
		woken += wake_there(other[i]);
	}
	join(thread);
	printf("%d woken\n", woken);
}

static const struct part parts[] = {
	{ "unmapped", unmapped }, { "huge", unmapped_huge }, { "shortened", shortened }, { "replaced", replaced },
	{ "given-back", given_back }, { "file", of_a_file }, { "moved", moved }, { "copied", copied },
	{ "waited-for", waited_for },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
