/* SPDX-License-Identifier: GPL-2.0-only */
/* exits CALL COUNT: makes a call so many times, and nothing else meanwhile. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char buf[512];
static int null;
static char *page;

static void do_nothing(void) { }
static void do_write(void) { write(null, buf, sizeof(buf)); }
static void do_read(void) { read(0, buf, sizeof(buf)); }
static void do_pread(void) { pread(0, buf, 1, 0); }
static void do_lseek(void) { lseek(0, 0, SEEK_CUR); }
static void do_getpid(void) { syscall(SYS_getpid); }
static void do_gettid(void) { syscall(SYS_gettid); }
static void do_getuid(void) { getuid(); }
static void do_brk(void) { syscall(SYS_brk, 0); }

static void do_clock_gettime(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	clock_gettime(CLOCK_MONOTONIC, &t);
}

static void do_mmap(void)
{
	char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[0] = p[65535] = 1;
	munmap(p, 65536);
}

static void do_mprotect(void)
{
	mprotect(page, 4096, PROT_READ);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void do_brk_both_ways(void)
{
	sbrk(8192);
	sbrk(-8192);
}

static void do_sigprocmask(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void do_sigaction(void) { signal(SIGUSR1, SIG_IGN); }
static void do_yield(void) { syscall(SYS_sched_yield); }
static void do_madvise(void) { page[0] = 1; madvise(page, 4096, MADV_DONTNEED); }
static void handler(int sig) { (void)sig; }
static void do_raise(void) { signal(SIGUSR2, handler); raise(SIGUSR2); }
static void do_fault(void) { page[0] = 1; }
static void do_futex(void) { syscall(SYS_futex, buf, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0); }
static void do_rlimit(void) { struct rlimit r; getrlimit(RLIMIT_STACK, &r); }

#define ROW(name) { #name, do_##name }
static const struct {
	const char *name;
	void (*make)(void);
} calls[] = {
	ROW(nothing), ROW(write), ROW(read), ROW(pread), ROW(lseek), ROW(getpid), ROW(gettid), ROW(getuid), ROW(brk),
	ROW(clock_gettime), ROW(mmap), ROW(mprotect), ROW(brk_both_ways), ROW(sigprocmask), ROW(sigaction), ROW(yield),
	ROW(madvise), ROW(raise), ROW(fault), ROW(futex), ROW(rlimit),
};

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 0;

	null = open("/dev/null", O_WRONLY);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(argv[1], calls[i].name)) {
			calls[i].make();	/* libc's own first steps are none of the count */
			while (count-- > 0)
				calls[i].make();
			return 0;
		}
	return 99;
}
