/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What meets a limit:
 *
 *	limited WHAT		a tree of processes, one of which goes beyond a limit that ends them all
 *	limited stop		a tree of processes, whose first one stops itself while the others go on
 *	limited WHAT STATUS	goes beyond one that is told by an error, prints how much there was, and ends with STATUS
 *	limited each-way SIZE	tries in each way to have files larger than SIZE in the current directory
 */
#include "process.h"

#include <sys/sendfile.h>
#include <sys/uio.h>

static int in_read(long fd)
{
	char c;

	return read(fd, &c, 1);
}

static int with_child(long fd)
{
	child(in_read, fd);
	return forever(0);
}

static int stopped(long unused)
{
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_IGN);
	raise(SIGSTOP);
	return forever(unused);
}

/*
 * Children that wait, one with a child of its own, one that computes, one that has lost its parent, and one that
 * is stopped, and ignores what can be ignored.
 */
static void tree(void)
{
	int ends[2];

	if (pipe(ends))
		exit(1);
	child(with_child, ends[0]);
	child(compute_forever, 0);
	child(stopped, 0);
	if (!fork_or_end()) {
		child(forever, 0);
		_exit(0);
	}
}

static void too_much_memory(void)
{
	volatile char *p = mmap(NULL, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
	for (size_t i = 0; i < 1 << 30; i += PAGE)
		p[i] = 1;
}

static void too_much_output(void)
{
	char text[60];

	memset(text, 'x', sizeof(text));
	while (write(1, text, sizeof(text)) > 0)
		;
}

static void too_long(void)
{
	forever(0);
}

static const struct {
	const char *name;
	void (*exceed)(void);
} ending[] = {
	{ "memory", too_much_memory },
	{ "output", too_much_output },
	{ "time", too_long },
};

/* Once more when somebody lets it go on. */
static int stops_itself(void)
{
	tree();
	while (raise(SIGSTOP) == 0)
		;
	return 1;
}

static int in_a_grandchild(long n)
{
	int status = 0;

	if (!fork_or_end()) {
		ending[n].exceed();
		_exit(0);
	}
	wait(&status);
	return status;
}

/* ------------------------------------------------------------- told by an error */

static void *wait_always(void *arg)
{
	forever(0);
	return arg;
}

static long threads(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	long n = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN);
	while ((errno = pthread_create(&thread, &attr, wait_always, NULL)) == 0)
		n++;
	return n;
}

static long processes(void)
{
	pid_t pid[100];
	long n = 0;
	int why;

	while (n < 100 && (pid[n] = fork()) > 0)
		n++;
	if (pid[n] == 0)
		_exit(forever(0));
	why = errno;
	for (long i = 0; i < n; i++) {
		kill(pid[i], SIGKILL);
		reap(pid[i]);
	}
	errno = why;
	return n;
}

static long descriptors(void)
{
	long n = 0;

	while (dup(0) >= 0)
		n++;
	return n;
}

static long file_size(void)
{
	int fd = open("/tmp/file", O_WRONLY | O_CREAT, 0600), n;
	char bytes[777] = { 0 };
	long sum = 0;

	signal(SIGXFSZ, SIG_IGN);
	while ((n = write(fd, bytes, sizeof(bytes))) > 0)
		sum += n;
	return sum;
}

static long deadly_file_size(void)
{
	int fd = open("/tmp/file", O_WRONLY | O_CREAT, 0600);
	char bytes[777] = { 0 };

	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	return 0;
}

/* In KiB. */
static long memory(void)
{
	long n = 0;

	while (mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		n += 64;
	return n;
}

static const struct {
	const char *name;
	long (*exceed)(void);
} told[] = {
	{ "threads", threads },
	{ "processes", processes },
	{ "descriptors", descriptors },
	{ "file-size", file_size },
	{ "deadly-file-size", deadly_file_size },
	{ "memory", memory },
};

static void each_way(long size)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600), to = open("other", O_RDWR | O_CREAT | O_TRUNC, 0600), p[2];
	int end = open("other", O_WRONLY | O_APPEND);
	struct iovec iov = { "ab", 2 };
	off_t at = size - 1, from = 0;

	signal(SIGXFSZ, SIG_IGN);
	show("ftruncate", ftruncate(fd, size + 1));
	show("ftruncate", ftruncate(fd, size));
	show("ftruncate", ftruncate(to, size));
	show("truncate", truncate("file", size + 1));
	show("fallocate", fallocate(fd, 0, 0, size + 1));
	show("fallocate", fallocate(fd, 0, size, 1));
	show("pwrite", pwrite(fd, "ab", 2, size - 1));
	show("pwrite", pwrite(fd, "ab", 2, size));
	show("pwritev", pwritev(fd, &iov, 1, size));
	show("append", write(end, "ab", 2));
	lseek(to, size - 1, SEEK_SET);
	show("sendfile", sendfile(to, fd, &from, 2));
	show("sendfile", sendfile(to, fd, &from, 2));
	from = 0;
	show("copy_file_range", copy_file_range(fd, &from, to, &at, 2, 0));
	show("copy_file_range", copy_file_range(fd, &from, to, &at, 2, 0));
	if (pipe(p) == 0 && write(p[1], "ab", 2) == 2) {
		at = size;
		show("splice", splice(p[0], NULL, to, &at, 2, 0));
	}
	show("memory", ftruncate(memfd_create("file", 0), size + 1));
	show("unnamed", pwrite(open(".", O_RDWR | O_TMPFILE, 0600), "ab", 2, size));
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "stop")) {
		return stops_itself();
	} else if (argc == 2) {
		for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
			if (!strcmp(argv[1], ending[i].name)) {
				tree();
				child(in_a_grandchild, i);
				return forever(0);
			}
	} else if (argc == 3 && !strcmp(argv[1], "each-way")) {
		each_way(atol(argv[2]));
		return 0;
	} else if (argc == 3) {
		for (size_t i = 0; i < ARRAY_SIZE(told); i++)
			if (!strcmp(argv[1], told[i].name)) {
				long n = told[i].exceed();
				const char *why = strerrorname_np(errno);

				printf("%ld %s\n", n, why);
				fflush(stdout);
				_exit(atoi(argv[2]));
			}
	}
	return 2;
}
