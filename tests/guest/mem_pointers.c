/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls with pointers that lead nowhere: one line for each, with the result for each bad pointer. */
#include "mem.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

#include <asm/prctl.h>

#define TOP	0x7ffffffff000ul

static int zero, out, in;	/* /dev/zero, and a pipe */

/* Pages of the zone: writable, unmapped, read-only, unmapped, no access, unmapped, writable, unmapped. */
#define WRITABLE	ZONE
#define READABLE	(ZONE + 2 * PAGE)
#define NO_ACCESS	(ZONE + 4 * PAGE)
#define FRESH		(ZONE + 6 * PAGE)

static void set_up(void)
{
	int fds[2];

	CALL(munmap, ZONE, 1ul << 30);
	mem_map(WRITABLE, PAGE, RW, ANON | MAP_FIXED);
	mem_map(READABLE, PAGE, PROT_READ, ANON | MAP_FIXED);
	mem_map(NO_ACCESS, PAGE, PROT_NONE, ANON | MAP_FIXED);
	mem_map(FRESH, PAGE, RW, ANON | MAP_FIXED);
	zero = open("/dev/zero", O_RDWR);
	if (pipe2(fds, O_NONBLOCK))
		exit(3);
	in = fds[0];
	out = fds[1];
}

/* Bad for reading and writing alike. */
static const unsigned long bad[] = {
	8, PAGE, ZONE + PAGE, NO_ACCESS, TOP, 0x7fffffffffff, 0x800000000000, 1ul << 63, 0xdead000000000000,
	0xffff800000000000, 0xffff888000000000, 0xffff888000001000, 0xffffffff80000000, 0xffffffff80010000,
	-PAGE, -8ul, -1ul,
};

#define EACH(name, call) do {						\
	printf("%s:", name);						\
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {			\
		unsigned long p = bad[i];				\
		printf(" %s", mem_name(call));				\
	}								\
	printf("\n");							\
} while (0)

#define ONE(call) do { long mem_ret = (call); printf("%s = %s\n", #call, mem_name(mem_ret)); } while (0)

static void strings(void)
{
	char *end = (char *)WRITABLE + PAGE;

	EACH("open", CALL(open, p, O_RDONLY, 0));
	EACH("openat", CALL(openat, AT_FDCWD, p, O_RDONLY, 0));
	EACH("stat", CALL(stat, p, WRITABLE));
	EACH("access", CALL(access, p, R_OK));
	EACH("readlink", CALL(readlink, p, WRITABLE, 100));
	EACH("unlink", CALL(unlink, p));
	EACH("rename", CALL(rename, p, "/nowhere"));
	EACH("rename, second", CALL(rename, "/dev/nothing", p));
	EACH("prctl(PR_SET_NAME)", CALL(prctl, PR_SET_NAME, p));
	/* up to the last byte, and one too far */
	memcpy(end - 10, "/dev/zero", 10);
	ONE(CALL(access, end - 10, F_OK));
	memcpy(end - 9, "/dev/zero", 9);
	ONE(CALL(access, end - 9, F_OK));
	ONE(CALL(access, end - 1, F_OK));
	end[-1] = 0;
	ONE(CALL(access, end - 1, F_OK));
	ONE(CALL(access, NULL, F_OK));
	memset((char *)WRITABLE, 'a', PAGE);
	ONE(CALL(access, WRITABLE, F_OK));
	mem_map(ZONE + PAGE, 2 * PAGE, RW, ANON | MAP_FIXED);
	memset((char *)WRITABLE, '/', 3 * PAGE);
	ONE(CALL(access, WRITABLE, F_OK));
	*(char *)(WRITABLE + 4095) = 0;
	ONE(CALL(access, WRITABLE, F_OK));
	*(char *)(WRITABLE + 4095) = '/';
	*(char *)(WRITABLE + 4096) = 0;
	ONE(CALL(access, WRITABLE, F_OK));
}

static void outputs(void)
{
	char *end = (char *)WRITABLE + PAGE;

	EACH("fstat", CALL(fstat, zero, p));
	EACH("uname", CALL(uname, p));
	EACH("gettimeofday", CALL(gettimeofday, p, NULL));
	EACH("clock_gettime", CALL(clock_gettime, CLOCK_MONOTONIC, p));
	EACH("clock_getres", CALL(clock_getres, CLOCK_MONOTONIC, p));
	EACH("time", CALL(time, p));
	EACH("times", CALL(times, p));
	EACH("getrusage", CALL(getrusage, RUSAGE_SELF, p));
	EACH("getrlimit", CALL(getrlimit, RLIMIT_NOFILE, p));
	EACH("prlimit64", CALL(prlimit64, 0, RLIMIT_NOFILE, NULL, p));
	EACH("sysinfo", CALL(sysinfo, p));
	EACH("pipe2", CALL(pipe2, p, 0));
	EACH("getitimer", CALL(getitimer, ITIMER_REAL, p));
	EACH("getrandom", CALL(getrandom, p, 16, 0));
	EACH("getcwd", CALL(getcwd, p, 1000));
	EACH("rt_sigaction", CALL(rt_sigaction, SIGUSR1, NULL, p, 8));
	EACH("rt_sigprocmask", CALL(rt_sigprocmask, SIG_BLOCK, NULL, p, 8));
	EACH("rt_sigpending", CALL(rt_sigpending, p, 8));
	EACH("sigaltstack", CALL(sigaltstack, NULL, p));
	EACH("arch_prctl", CALL(arch_prctl, ARCH_GET_FS, p));
	EACH("prctl(PR_GET_NAME)", CALL(prctl, PR_GET_NAME, p));
	EACH("sched_getaffinity", CALL(sched_getaffinity, 0, 128, p));
	EACH("getresuid", CALL(getresuid, p, WRITABLE, WRITABLE));
	EACH("ioctl(FIONREAD)", CALL(ioctl, in, FIONREAD, p));
	/* a page that cannot be written, one that was not touched, and the last bytes of one */
	ONE(CALL(fstat, zero, READABLE));
	ONE(CALL(uname, READABLE));
	ONE(CALL(clock_gettime, CLOCK_MONOTONIC, READABLE));
	ONE(CALL(getrandom, READABLE, 16, 0));
	ONE(CALL(fstat, zero, FRESH));
	printf("%d\n", S_ISCHR(((struct stat *)FRESH)->st_mode));
	ONE(CALL(fstat, zero, end - sizeof(struct stat)));
	printf("%d\n", S_ISCHR(((struct stat *)end)[-1].st_mode));
	ONE(CALL(fstat, zero, end - sizeof(struct stat) + 1));
	ONE(CALL(clock_gettime, CLOCK_MONOTONIC, end - 16));
	ONE(CALL(clock_gettime, CLOCK_MONOTONIC, end - 15));
	ONE(CALL(uname, end - 390));
	ONE(CALL(uname, end - 389));
	ONE(CALL(getrandom, end - 16, 16, 0));
}

static void inputs(void)
{
	char *end = (char *)WRITABLE + PAGE;

	EACH("nanosleep", CALL(nanosleep, p, NULL));
	EACH("clock_nanosleep", CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, p, NULL));
	EACH("rt_sigaction", CALL(rt_sigaction, SIGUSR1, p, NULL, 8));
	EACH("rt_sigprocmask", CALL(rt_sigprocmask, SIG_BLOCK, p, NULL, 8));
	EACH("rt_sigsuspend", CALL(rt_sigsuspend, p, 8));
	EACH("rt_sigtimedwait", CALL(rt_sigtimedwait, p, NULL, NULL, 8));
	EACH("sigaltstack", CALL(sigaltstack, p, NULL));
	EACH("setitimer", CALL(setitimer, ITIMER_REAL, p, NULL));
	EACH("prlimit64", CALL(prlimit64, 0, RLIMIT_CORE, p, NULL));
	EACH("poll", CALL(poll, p, 1, 0));
	EACH("ppoll", CALL(ppoll, NULL, 0, p, NULL, 0));
	EACH("select", CALL(select, 1, p, NULL, NULL, NULL));
	EACH("select, timeout", CALL(select, 0, NULL, NULL, NULL, p));
	EACH("futex", CALL(futex, p & ~3ul, 0, 0, NULL));
	EACH("fcntl(F_GETLK)", CALL(fcntl, zero, F_GETLK, p));
	ONE(CALL(rt_sigprocmask, SIG_BLOCK, end - 8, NULL, 8));
	ONE(CALL(rt_sigprocmask, SIG_BLOCK, end - 7, NULL, 8));
	ONE(CALL(nanosleep, READABLE, NULL));
	ONE(CALL(nanosleep, end - 16, NULL));
	ONE(CALL(nanosleep, end - 15, NULL));
}

static void buffers(void)
{
	char *end = (char *)WRITABLE + PAGE;

	EACH("read", CALL(read, zero, p, 16));
	EACH("write", CALL(write, out, p, 16));
	EACH("pread64", CALL(pread64, zero, p, 16, 0));
	/* none of it is looked at */
	EACH("read, 0", CALL(read, in, p, 0));
	ONE(CALL(read, zero, READABLE, 16));
	ONE(CALL(read, zero, FRESH, PAGE));
	ONE(CALL(write, out, READABLE, 16));
	ONE(CALL(read, zero, WRITABLE, PAGE));
	/* up to the last byte that is there */
	ONE(CALL(read, zero, end - 16, 16));
	ONE(CALL(read, zero, end - 16, 17));
	ONE(CALL(read, zero, end, 1));
	ONE(CALL(read, zero, WRITABLE, 1ul << 40));
	ONE(CALL(read, zero, WRITABLE, -1ul));
	ONE(CALL(read, zero, WRITABLE, -PAGE));
	ONE(CALL(read, zero, WRITABLE, 1ul << 63));
	ONE(CALL(read, zero, TOP - 1, 16));
	ONE(CALL(read, zero, 1, -2ul));
	ONE(CALL(write, out, end - 16, 16));
	ONE(CALL(write, out, end, 1));
	ONE(CALL(write, out, WRITABLE, -1ul));
	ONE(CALL(write, out, WRITABLE, 1ul << 63));
}

static void last_byte(void)
{
	ONE(CALL(read, zero, (char *)WRITABLE + PAGE - 1, 100000));
}

static void vectors(void)
{
	static struct iovec iov[1025];
	static char room[1025 * 4];
	struct iovec *last = (struct iovec *)(WRITABLE + PAGE) - 1;
	static const unsigned long counts[] = { 0, 1, 2, 1023, 1024, 1025, 1ul << 31, (1ul << 31) - 1, -1ul, 1ul << 32,
						(1ul << 32) + 1, 1ul << 63, 0xffffffff };

	for (int i = 0; i < 1025; i++)
		iov[i] = (struct iovec){ room + i * 4, 4 };
	EACH("readv", CALL(readv, zero, p, 1));
	EACH("writev", CALL(writev, out, p, 1));
	EACH("readv, 0", CALL(readv, zero, p, 0));
	EACH("readv, 2000", CALL(readv, zero, p, 2000));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		printf("%#lx: %s", counts[i], mem_name(CALL(readv, zero, iov, counts[i])));
		printf(" %s\n", mem_name(CALL(writev, out, iov, counts[i])));
		while (read(in, room, sizeof(room)) > 0)
			;
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		iov[0] = (struct iovec){ (void *)bad[i], 4 };
		printf("%s", mem_name(CALL(readv, zero, iov, 1)));
		printf(" %s", mem_name(CALL(readv, zero, iov, 2)));
		printf(" %s\n", mem_name(CALL(writev, out, iov, 1)));
		iov[0].iov_len = 0;
	}
	/* a bad one after good ones, lengths that overflow, vectors at the edge */
	iov[0] = (struct iovec){ room, 4 };
	iov[1] = (struct iovec){ (void *)(ZONE + PAGE), 4 };
	ONE(CALL(readv, zero, iov, 3));
	iov[1] = (struct iovec){ room, -1ul };
	ONE(CALL(readv, zero, iov, 2));
	ONE(CALL(writev, out, iov, 2));
	iov[1] = (struct iovec){ room, 1ul << 63 };
	ONE(CALL(readv, zero, iov, 2));
	iov[0] = (struct iovec){ room, 0 };
	iov[1] = (struct iovec){ (void *)WRITABLE, 1ul << 46 };
	ONE(CALL(readv, zero, iov, 2));
	iov[1] = iov[2] = (struct iovec){ room, 0 };
	ONE(CALL(readv, zero, iov, 3));
	*last = (struct iovec){ room, 16 };
	ONE(CALL(readv, zero, last, 1));
	ONE(CALL(readv, zero, last, 2));
	ONE(CALL(readv, zero, (char *)last + 1, 1));
	iov[0] = (struct iovec){ (void *)READABLE, 4 };
	ONE(CALL(readv, zero, iov, 1));
	ONE(CALL(writev, out, iov, 1));
}

/* A descriptor that is none comes before the pointer, a path that cannot be read before the descriptor. */
static void descriptors(void)
{
	char *at = (char *)WRITABLE;

	EACH("read", CALL(read, 99, p, 16));
	EACH("write", CALL(write, 99, p, 16));
	EACH("write, none", CALL(write, -1, p, 16));
	EACH("pread64", CALL(pread64, 99, p, 16, 0));
	EACH("readv", CALL(readv, 99, p, 1));
	EACH("writev", CALL(writev, 99, p, 1));
	EACH("writev, 2000", CALL(writev, 99, p, 2000));
	EACH("fstat", CALL(fstat, 99, p));
	EACH("fcntl(F_GETLK)", CALL(fcntl, 99, F_GETLK, p));
	EACH("fcntl(F_SETLK)", CALL(fcntl, 99, F_SETLK, p));
	EACH("ioctl(FIONREAD)", CALL(ioctl, 99, FIONREAD, p));
	EACH("getdents64", CALL(getdents64, 99, p, 100));
	EACH("openat", CALL(openat, 99, p, O_RDONLY, 0));
	EACH("unlinkat", CALL(unlinkat, 99, p, 0));
	strcpy(at, "name");
	EACH("fstatat", CALL(newfstatat, 99, at, p, 0));
}

/* Memory that a call itself is the first to touch, more of it than the guest has at the start. */
static void fresh(bool (*use)(char *at))
{
	unsigned long n = 80, wrong = 0;

	CALL(munmap, ZONE, 1ul << 40);
	mem_map(ZONE, n * HUGE, RW, ANON | MAP_FIXED);
	for (unsigned long i = 0; i < n; i++)
		wrong += !use((char *)ZONE + i * HUGE);
	printf("%lu wrong\n", wrong);
}

static bool use_fstat(char *at)
{
	return CALL(fstat, zero, at) == 0 && S_ISCHR(((struct stat *)at)->st_mode);
}

static bool use_read(char *at)
{
	return CALL(read, zero, at, HUGE) == (long)HUGE;
}

static bool use_write(char *at)
{
	return CALL(write, zero, at, HUGE) == (long)HUGE;
}

static bool use_string(char *at)
{
	return CALL(access, at, F_OK) == -ENOENT;
}

static void fresh_fstat(void)
{
	fresh(use_fstat);
}

static void fresh_read(void)
{
	fresh(use_read);
}

static void fresh_write(void)
{
	fresh(use_write);
}

static void fresh_string(void)
{
	fresh(use_string);
}

static const struct mem_part parts[] = {
	{ "strings", strings }, { "outputs", outputs }, { "inputs", inputs },
	{ "buffers", buffers }, { "last-byte", last_byte }, { "vectors", vectors }, { "descriptors", descriptors }, { "fresh-fstat", fresh_fstat },
	{ "fresh-read", fresh_read }, { "fresh-write", fresh_write }, { "fresh-string", fresh_string },
};

int main(int argc, char **argv)
{
	set_up();
	return mem_main(argc, argv, parts, ARRAY_SIZE(parts));
}
