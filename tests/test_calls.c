/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames that a guest could write, and the calls that need no path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "forked.h"
#include "guest_call.h"
#include "../runner/fdtable.h"
#include "../runner/table.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define REF(start, count) ((uint64_t)(start) | (uint64_t)(count) << 32)

static struct config config;

static void guest(void (*fn)(void))
{
	guest_run(&config, fn, NULL);
}

/* ------------------------------------------------------------- frames */

static void blank(uint32_t nr)
{
	memset(frame, 0, offsetof(struct abi_frame, data));
	frame->op = ABI_OP_CALL;
	frame->nr = nr;
}

/* The frame is refused as one that no shim makes, for a reason that contains part. */
static void need_refusal(const char *part)
{
	const char *why = NULL;
	int ret = guest_serve(&why);

	if (ret != -EPROTO || !why || !strstr(why, part)) {
		fprintf(stderr, "served: %d, \"%s\", ret %ld; expected \"%s\"\n", ret, why ? why : "",
			(long)frame->ret, part);
		_exit(1);
	}
}

/* The frame is served, with this result. */
static void need_served(long expected)
{
	const char *why = NULL;

	need(guest_serve(&why) == 0);
	need_result(frame->ret, expected);
}

static void headers(void)
{
	static const uint32_t counts[] = { ABI_NSEGS + 1, 0x7fffffff, 0x80000000, UINT32_MAX };
	static const uint32_t lengths[] = { ABI_DATA + 1, 0x7fffffff, 0x80000000, UINT32_MAX };
	static const uint32_t ops[] = { 0, ABI_OP_EXIT, 99, UINT32_MAX };
	static const uint32_t nrs[] = { ABI_CALLS, 0x40000000, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		blank(SYS_close);
		frame->nseg = counts[i];
		need_refusal("segments");
	}
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		blank(SYS_close);
		frame->data_len = lengths[i];
		need_refusal("data");
	}
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		blank(SYS_close);
		frame->op = ops[i];
		need_refusal("operation");
	}
	for (size_t i = 0; i < ARRAY_SIZE(nrs); i++) {
		blank(nrs[i]);
		need_refusal("number");
	}
	blank(SYS_getpid);
	need_refusal("shim answers");
	blank(SYS_close);
	frame->bad = 1;
	need_refusal("without an error");
	frame->ret = -4096;
	need_refusal("without an error");
	/* never made, whatever it says */
	blank(SYS_chdir);
	frame->bad = 1;
	frame->arg[0] = UINT64_MAX;
	frame->ret = -ENAMETOOLONG;
	need_served(-ENAMETOOLONG);
	blank(SYS_getpid);
	frame->op = ABI_OP_REPORT;
	need_served(0);
	/* full, and served */
	blank(SYS_close);
	frame->nseg = ABI_NSEGS;
	frame->data_len = ABI_DATA;
	for (int i = 0; i < ABI_NSEGS; i++)
		frame->seg[i] = (struct abi_seg){ 0, 1 };
	frame->arg[0] = -1;
	need_served(-EBADF);
	/* a row that is nobody's, and a number that has none */
	blank(SYS_mount);
	need_served(-EPERM);
	blank(SYS_add_key);
	need_served(-ENOSYS);
	blank(511);
	need_served(-ENOSYS);
}

static void threat_03_a_frame_that_no_shim_makes_is_named_and_not_served(void **state)
{
	(void)state;
	guest(headers);
}

static void segments(void)
{
	static const struct abi_seg bad[] = {
		{ GUEST_RAM, 1 }, { GUEST_RAM - 1, 2 }, { 0, GUEST_RAM + 1 }, { UINT64_MAX, 1 },
		{ UINT64_MAX - 1, 4 }, { 1, UINT64_MAX }, { GUEST_RAM / 2, UINT64_MAX - GUEST_RAM / 2 + 2 },
		{ 0x8000000000000000, 0x8000000000000000 }, { 0xffff888000000000, 16 }, { 1ull << 47, 4096 },
	};
	int fds[2];

	need(pipe(fds) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		blank(SYS_write);
		frame->arg[0] = 1;
		frame->arg[1] = REF(0, 1);
		frame->arg[2] = UINT64_MAX;
		frame->nseg = 1;
		frame->seg[0] = bad[i];
		need_refusal("outside guest memory");
		/* also where no argument uses it, and behind a good one */
		blank(SYS_close);
		frame->nseg = 2;
		frame->seg[0] = (struct abi_seg){ 0, 1 };
		frame->seg[1] = bad[i];
		need_refusal("outside guest memory");
	}
	blank(SYS_write);
	frame->nseg = 1;
	frame->seg[0] = (struct abi_seg){ 4096, 0 };
	need_refusal("empty");
	/* the last byte of memory is memory */
	blank(SYS_pwrite64);
	frame->arg[0] = 1;
	frame->arg[1] = REF(0, 1);
	frame->arg[2] = 1;
	frame->arg[3] = 0;
	frame->nseg = 1;
	frame->seg[0] = (struct abi_seg){ GUEST_RAM - 1, 1 };
	need_served(1);
}

static void threat_01_a_segment_outside_guest_memory_is_refused(void **state)
{
	(void)state;
	guest(segments);
}

static void references(void)
{
	static const uint64_t bad_segs[] = {
		REF(0, 3), REF(2, 1), REF(1, 2), REF(3, 0), REF(UINT32_MAX, 1), REF(UINT32_MAX, UINT32_MAX - 1),
		REF(1, UINT32_MAX), REF(0, 0x80000000), REF(0x80000000, 0x80000000),
	};
	static const uint64_t bad_data[] = {
		REF(0, 145), REF(8, 144), REF(144, 144), REF(UINT32_MAX, 144), REF(UINT32_MAX - 143, 144),
		REF(145, 0), REF(0, UINT32_MAX), REF(8, UINT32_MAX - 7), REF(0, 0), REF(0, 143), 0,
	};
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(bad_segs); i++) {
		blank(SYS_write);
		frame->arg[0] = 1;
		frame->arg[1] = bad_segs[i];
		frame->arg[2] = 1 << 20;
		frame->nseg = 2;
		frame->seg[0] = frame->seg[1] = (struct abi_seg){ 0, 1 };
		need_refusal("segments outside");
		blank(SYS_writev);
		frame->arg[0] = 1;
		frame->arg[1] = bad_segs[i];
		frame->arg[2] = 1;
		frame->nseg = 2;
		need_refusal("segments outside");
	}
	/* more than the length that the program gave */
	blank(SYS_write);
	frame->arg[0] = 1;
	frame->arg[1] = REF(0, 1);
	frame->arg[2] = 99;
	frame->nseg = 1;
	frame->seg[0] = (struct abi_seg){ 0, 100 };
	need_refusal("longer than their buffer");
	frame->arg[2] = -EFAULT;	/* a negative errno for a length: the sum is what counts */
	frame->arg[0] = -1;
	need_served(-EBADF);

	for (size_t i = 0; i < ARRAY_SIZE(bad_data); i++) {
		blank(SYS_fstat);
		frame->arg[0] = 1;
		frame->arg[1] = bad_data[i];
		frame->data_len = 144;
		need(guest_serve(&why) == -EPROTO);
	}
	blank(SYS_fstat);
	frame->arg[0] = 1;
	frame->arg[1] = REF(4, 144);
	frame->data_len = 148;
	need_refusal("aligned");
	blank(SYS_fstat);
	frame->arg[0] = 1;
	frame->arg[1] = REF(0, 144);
	frame->data_len = 144;
	need_served(0);
	/* two arguments in one place: what one writes the other would have been checked as */
	blank(SYS_stat);
	frame->arg[0] = REF(0, 8);
	frame->arg[1] = REF(0, 144);
	frame->data_len = 144;
	memcpy(frame->data, "/abcdef", 8);
	need_refusal("outside the frame's data");
	/* an output before an input */
	frame->arg[0] = REF(144, 8);
	frame->data_len = 152;
	memcpy(frame->data + 144, "/abcdef", 8);
	need_refusal("outside the frame's data");
}

static void threat_03_a_reference_outside_its_array_is_refused(void **state)
{
	(void)state;
	guest(references);
}

static void strings(void)
{
	static const struct { uint64_t ref; const char *part; } bad[] = {
		{ REF(0, 0), "string" }, { REF(0, 3), "string" }, { REF(0, 10), "string" },
		{ REF(0, 4097), "string" }, { REF(0, ABI_DATA), "string" }, { REF(1, ABI_DATA), "outside" },
		{ REF(ABI_DATA, 1), "outside" }, { REF(UINT32_MAX, 2), "outside" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		blank(SYS_chdir);
		memset(frame->data, 'a', ABI_DATA);
		memcpy(frame->data, "/nope", 6);
		frame->data[4096] = '\0';
		frame->data[ABI_DATA - 1] = '\0';
		frame->data_len = ABI_DATA;
		frame->arg[0] = bad[i].ref;
		need_refusal(bad[i].part);
	}
	blank(SYS_chdir);
	frame->data_len = ABI_DATA;
	frame->arg[0] = REF(0, 6);
	need_served(-ENOENT);
	frame->arg[0] = ABI_NULL;
	need_served(-EFAULT);
}

static void a_string_ends_where_it_says(void **state)
{
	(void)state;
	guest(strings);
}

static void vectors(void)
{
	static const uint64_t counts[] = { 1, 3, 0x80000000, 0xffffffff, 0x20000002, 1537, 0x100000000 };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		blank(SYS_poll);
		frame->arg[0] = REF(0, 16);
		frame->arg[1] = counts[i];
		frame->data_len = ABI_DATA;
		need_refusal("wrong size");
	}
	blank(SYS_poll);
	frame->arg[0] = REF(0, 16);
	frame->arg[1] = 2;
	frame->data_len = 16;
	((struct pollfd *)frame->data)[0] = (struct pollfd){ 77, POLLIN, -1 };
	((struct pollfd *)frame->data)[1] = (struct pollfd){ -1, POLLIN, -1 };
	need_served(1);
	need(((struct pollfd *)frame->data)[0].revents == POLLNVAL);
	need(((struct pollfd *)frame->data)[1].revents == 0);
	/* a count without its vector */
	blank(SYS_poll);
	frame->arg[0] = ABI_NULL;
	frame->arg[1] = 5;
	need_served(-EFAULT);
	blank(SYS_epoll_wait);
	frame->arg[0] = 1;
	frame->arg[1] = ABI_NULL;
	frame->arg[2] = 5;
	need_served(-EFAULT);
	blank(SYS_epoll_wait);
	frame->arg[0] = 1;
	frame->arg[1] = REF(0, 0);
	need_served(-EINVAL);
}

static void threat_06_a_count_is_that_of_its_vector(void **state)
{
	(void)state;
	guest(vectors);
}

/* Every row with every argument at every edge: refused or served, and the runner lives. */
static void sweep(void)
{
	static const uint64_t edges[] = {
		0, 1, 2, ABI_NULL, INT64_MAX, INT64_MIN, 0xffffffff, 0x80000000, REF(0, 1), REF(0, 8), REF(0, 16),
		REF(0, 144), REF(8, 4096), REF(ABI_DATA - 8, 8), REF(ABI_DATA, 0), REF(0, ABI_NSEGS), -100ul, -EFAULT,
	};
	/* those that would wait, or end the test */
	static const uint32_t skip[] = {
		SYS_pause, SYS_rt_sigsuspend, SYS_alarm, SYS_setitimer, SYS_timer_create, SYS_close_range, SYS_close,
		SYS_dup2, SYS_dup3,
	};
	unsigned long served = 0, refused = 0;

	/* nothing in it waits, or fills the disk */
	guest_vcpu.pending = true;
	signal(SIGXFSZ, SIG_IGN);
	need(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 20, 1 << 20 }) == 0);
	call_trace_fd = open("/dev/null", O_WRONLY);
	for (uint32_t nr = 0; nr < ABI_CALLS; nr++) {
		bool skipped = call_table[nr].served == ABI_BY_SHIM;

		for (size_t i = 0; i < ARRAY_SIZE(skip); i++)
			skipped |= nr == skip[i];
		for (uint32_t i = 0; i < 400 && !skipped; i++) {
			uint64_t pick = (nr + 1) * 0x9e3779b97f4a7c15 + i * 0xbf58476d1ce4e5b9;
			const char *why = NULL;

			blank(nr);
			frame->nseg = i % 3 ? i % 5 : ABI_NSEGS;
			frame->data_len = i % 7 ? ABI_DATA : 8 * (i % 40);
			for (uint32_t s = 0; s < frame->nseg; s++)
				frame->seg[s] = (struct abi_seg){ sizeof(*frame) + s * 8, 1 + s % 8 };
			memset(frame->data, i % 2 ? 0 : 'x', ABI_DATA);
			for (int a = 0; a < 6; a++, pick = pick * 0xd1342543de82ef95 + 1)
				frame->arg[a] = edges[(pick >> 33) % ARRAY_SIZE(edges)];
			frame->bad = i % 4 ? 0 : pick >> 40;
			frame->ret = -EFAULT;
			if (guest_serve(&why))
				refused++;
			else
				served++;
		}
	}
	printf("%lu %lu\n", served, refused);
	need(served > 10000 && refused > 10000);
}

static void no_argument_of_any_call_breaks_the_runner(void **state)
{
	(void)state;
	guest(sweep);
}

static atomic_bool rewriting;

static void *rewrite(void *arg)
{
	volatile struct abi_frame *f = arg;

	for (uint32_t i = 0; rewriting; i++) {
		f->nseg = i % 3 ? 1 : UINT32_MAX;
		f->data_len = i % 5 ? 8 : UINT32_MAX;
		f->nr = i % 11 ? SYS_chdir : UINT32_MAX;
		f->arg[0] = i % 7 ? REF(0, 8) : REF(UINT32_MAX, 8);
		f->data[6] = i % 2 ? 'x' : 0;
		f->data[7] = i % 13 ? 0 : 'x';
		f->seg[0].gpa = i % 3 ? 0 : UINT64_MAX;
		f->seg[0].len = i % 4 ? 8 : UINT64_MAX;
	}
	return arg;
}

static void while_rewritten(void)
{
	struct timespec now, start;
	unsigned long served = 0, refused = 0;
	const char *why;
	pthread_t thread;

	blank(SYS_chdir);
	memcpy(frame->data, "/nonono", 8);
	rewriting = true;
	need(pthread_create(&thread, NULL, rewrite, frame) == 0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	/* a second or two; more where the threads have to take turns on a busy machine */
	do {
		if (guest_serve(&why) == 0)
			served++;
		else
			refused++;
		clock_gettime(CLOCK_MONOTONIC, &now);
		now.tv_sec -= start.tv_sec;
	} while (now.tv_sec < 2 || (now.tv_sec < 60 && (served <= 100 || refused <= 100)));
	rewriting = false;
	pthread_join(thread, NULL);
	need(served > 100 && refused > 100);
}

static void threat_02_a_frame_rewritten_while_it_is_served_breaks_nothing(void **state)
{
	(void)state;
	guest(while_rewritten);
}

/* ------------------------------------------------------------- vectors of buffers */

static void buffers(void)
{
	static char out[8192], in[8192];
	struct iovec iov[1024];
	int fd[2];

	need_result(guest_call(pipe, P(fd)), 0);
	need(fd[0] == 3 && fd[1] == 4);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = i * 7 + i / 256;
	need_result(guest_call(write, 4, P(out), 8192), 8192);
	guest_split = 100;
	need_result(guest_call(read, 3, P(in), 8192), 8192);
	need(!memcmp(in, out, 8192));
	need_result(guest_call(write, 4, P(out), 8192), 8192);
	need(frame->more == 1);
	for (int i = 0; i < 1024; i++)
		iov[i] = (struct iovec){ in + i * 8, 8 };
	memset(in, 0, sizeof(in));
	need_result(guest_call(readv, 3, P(iov), 1024), 8192);
	need(!memcmp(in, out, 8192));
	guest_split = 0;
	/* nothing to do is still an answer about the descriptor */
	need_result(guest_call(write, 4, 0, 0), 0);
	need_result(guest_call(write, 99, 0, 0), -EBADF);
	need_result(guest_call(read, 4, 0, 0), -EBADF);
	need_result(guest_call(writev, 4, P(iov), 0), 0);
	need_result(guest_call(preadv, 3, P(iov), 1, 0), -ESPIPE);
	need_result(guest_call(pread64, 3, P(in), 1, -1), -EINVAL);
	need_result(guest_call(lseek, 3, 0, 0), -ESPIPE);
	/* a pipe's read must not go on by itself: the next part might wait */
	need_result(guest_call(write, 4, P(out), 8), 8);
	need_result(guest_call(read, 3, P(in), 8), 8);
	need(frame->more == 0);
	need_result(guest_call(getrandom, P(in), 8, 0), 8);
	guest_split = 5;
	memset(in, 0, 64);
	need_result(guest_call(getrandom, P(in), 64, 0), 64);
	need(memcmp(in + 40, (char[24]){ 0 }, 24));
	need_result(guest_call(getrandom, P(in), 64, 0xff00), -EINVAL);
}

static void data_arrives_whole_however_it_is_cut(void **state)
{
	(void)state;
	guest(buffers);
}

/* ------------------------------------------------------------- descriptors */

static void descriptors(void)
{
	int fd[2], value;
	struct stat a, b;

	/* what the runner has open, the guest cannot name */
	for (int i = 3; i < 600; i++)
		need_result(guest_call(fcntl, i, F_GETFD), -EBADF);
	for (int i = 3; i < 600; i++)
		need_result(guest_call(close, i), -EBADF);
	need_result(guest_call(dup2, 5, 6), -EBADF);
	need_result(guest_call(fstat, -1, P(&a)), -EBADF);
	need_result(guest_call(fstat, 0x100000001, P(&a)), 0);	/* an int, as on Linux */

	need_result(guest_call(pipe2, P(fd), O_CLOEXEC), 0);
	need_result(guest_call(fcntl, fd[0], F_GETFD), FD_CLOEXEC);
	need_result(guest_call(fcntl, fd[0], F_SETFD, 0), 0);
	need_result(guest_call(fcntl, fd[0], F_GETFD), 0);
	need_result(guest_call(pipe2, P(fd), O_APPEND), -EINVAL);
	need_result(guest_call(dup, 3), 5);
	need_result(guest_call(dup2, 3, 100), 100);
	need_result(guest_call(dup2, 3, 3), 3);
	need_result(guest_call(dup2, 99, 99), -EBADF);
	need_result(guest_call(dup3, 3, 3, 0), -EINVAL);
	need_result(guest_call(dup3, 3, 101, O_CLOEXEC), 101);
	need_result(guest_call(dup3, 3, 102, O_APPEND), -EINVAL);
	need_result(guest_call(fcntl, 101, F_GETFD), FD_CLOEXEC);
	need_result(guest_call(dup2, 3, 1024), -EBADF);
	need_result(guest_call(dup2, 3, -1), -EBADF);
	need_result(guest_call(dup2, 3, INT32_MAX), -EBADF);
	need_result(guest_call(fcntl, 3, F_DUPFD, 50), 50);
	need_result(guest_call(fcntl, 3, F_DUPFD_CLOEXEC, 50), 51);
	need_result(guest_call(fcntl, 51, F_GETFD), FD_CLOEXEC);
	need_result(guest_call(fcntl, 3, F_DUPFD, 1024), -EINVAL);
	need_result(guest_call(fcntl, 3, F_DUPFD, -1), -EINVAL);
	need_result(guest_call(fstat, 3, P(&a)), 0);
	need_result(guest_call(fstat, 101, P(&b)), 0);
	need(a.st_ino == b.st_ino);
	/* one open file: its flags are shared, and it lives until the last is closed */
	need_result(guest_call(fcntl, 3, F_SETFL, O_NONBLOCK), 0);
	need_result(guest_call(fcntl, 101, F_GETFL), O_RDONLY | O_NONBLOCK);
	need_result(guest_call(close, 3), 0);
	need_result(guest_call(close, 3), -EBADF);
	need_result(guest_call(read, 101, P(&value), 4), -EAGAIN);
	need_result(guest_call(write, 4, P("1234"), 4), 4);
	need_result(guest_call(ioctl, 101, FIONREAD, P(&value)), 0);
	need(value == 4);
	need_result(guest_call(close_range, 5, 200, CLOSE_RANGE_CLOEXEC), 0);
	need_result(guest_call(fcntl, 5, F_GETFD), FD_CLOEXEC);
	need_result(guest_call(close_range, 200, 5, 0), -EINVAL);
	need_result(guest_call(close_range, 5, 6, 64), -EINVAL);
	need_result(guest_call(close_range, 5, ~0u, 0), 0);
	need_result(guest_call(fcntl, 101, F_GETFD), -EBADF);
	signal(SIGPIPE, SIG_IGN);
	need_result(guest_call(write, 4, P("1"), 1), -EPIPE);
	/* all of them */
	for (int i = 0; i < 1024 - 4; i++)
		need(guest_call(dup, 4) >= 0);
	need_result(guest_call(dup, 4), -EMFILE);
	need_result(guest_call(pipe, P(fd)), -EMFILE);
	need_result(guest_call(eventfd2, 0, 0), -EMFILE);
	need_result(guest_call(close, 500), 0);
	need_result(guest_call(pipe, P(fd)), -EMFILE);
	need_result(guest_call(dup, 4), 500);
}

static void threat_15_the_guest_has_its_own_descriptors(void **state)
{
	(void)state;
	guest(descriptors);
}

/* The lowest free number, whatever is closed in between, against a table kept here. */
static void lowest(void)
{
	enum { MOST = 4200 };
	bool open[MOST] = { true, true, true };
	unsigned int seed = 1, low;
	int pair[2];

	need_result(fd_set_limit(MOST, MOST), 0);
	for (int i = 3; i < MOST; i++) {
		need_result(guest_call(dup, 1), i);
		open[i] = true;
	}
	need_result(guest_call(dup, 1), -EMFILE);
	for (int round = 0; round < 20000; round++) {
		unsigned int fd = 3 + rand_r(&seed) % (MOST - 3);
		unsigned int min = round % 3 ? 0 : fd;

		need_result(guest_call(close, fd), open[fd] ? 0 : -EBADF);
		open[fd] = false;
		if (round % 2)
			continue;
		for (low = min; low < MOST && open[low];)
			low++;
		need_result(guest_call(fcntl, 1, F_DUPFD, min), low);
		open[low] = true;
	}
	for (low = 0; open[low];)
		low++;
	need_result(guest_call(pipe, P(pair)), 0);
	need((unsigned int)pair[0] == low);
	while (open[++low])
		;
	need((unsigned int)pair[1] == low);
	/* in the middle, taken by dup2 and freed by close_range */
	need_result(guest_call(close_range, 60, 70, 0), 0);
	need_result(guest_call(dup2, 1, 64), 64);
	need_result(guest_call(fcntl, 1, F_DUPFD, 63), 63);
	need_result(guest_call(fcntl, 1, F_DUPFD, 63), 65);
}

static void a_new_descriptor_is_the_lowest_free(void **state)
{
	(void)state;
	guest(lowest);
}

/* Each thread that is made fills its thread-local storage, by page faults: 44 of them, once. */
static void a_thread_of_the_runner_begins_with_little_memory(void **state)
{
	FILE *f = fopen("kvmrun", "r");
	Elf64_Ehdr head;
	Elf64_Phdr part;

	(void)state;
	assert_non_null(f);
	assert_int_equal(fread(&head, sizeof(head), 1, f), 1);
	for (unsigned int i = 0; i < head.e_phnum; i++) {
		assert_int_equal(fseek(f, head.e_phoff + i * sizeof(part), SEEK_SET), 0);
		assert_int_equal(fread(&part, sizeof(part), 1, f), 1);
		if (part.p_type == PT_TLS)
			assert_true(part.p_memsz <= 1024);
	}
	fclose(f);
}

static void standard_streams(void)
{
	struct stat st;

	/* of the runner's caller: 0 was closed, 1 and 2 are files, 9 was left open */
	need_result(guest_call(fstat, 0, P(&st)), -EBADF);
	need_result(guest_call(fstat, 9, P(&st)), -EBADF);
	need(fcntl(9, F_GETFD) < 0);
	need_result(guest_call(write, 1, P("out\n"), 4), 4);
	need_result(guest_call(fchmod, 1, 0777), -EPERM);
	need_result(guest_call(fchown, 1, 1, 1), -EPERM);
	need_result(guest_call(pipe, P(((int[2]){ 0 }))), 0);
	need_result(guest_call(fstat, 0, P(&st)), 0);
	need(S_ISFIFO(st.st_mode));
	/* what the guest has made is its own: ksh does so with its pipes */
	need_result(guest_call(fchmod, 0, 0400), 0);
	/* the host's number 0 is nobody's */
	need(fcntl(0, F_GETFL) & O_PATH);
	/* closed standard output is closed for the host as well, and its number is not reused */
	need_result(guest_call(close, 1), 0);
	need(fcntl(1, F_GETFL) & O_PATH);
	need_result(guest_call(dup2, 3, 2), 2);
	/* the runner still has a place for its messages */
	need(write(2, "", 0) == 0 && !(fcntl(2, F_GETFL) & O_PATH));
}

static void closed(void *arg)
{
	(void)arg;
	dup2(1, 9);
	close(0);
	guest_start(&config);
	standard_streams();
}

static void standard_streams_are_the_callers_and_nothing_else_is(void **state)
{
	struct outcome o;

	(void)state;
	forked(closed, NULL, &o);
	if (o.status)
		fail_msg("status %d: %s", o.status, o.err);
	assert_string_equal(o.out, "out\n");
}

static void requests(void)
{
	static const struct { long nr; uint32_t request; long expected; } refused[] = {
		{ SYS_ioctl, TIOCSTI, -ENOTTY }, { SYS_ioctl, 0x541c /* TIOCLINUX */, -ENOTTY },
		{ SYS_ioctl, 0xae80 /* KVM_RUN */, -ENOTTY }, { SYS_ioctl, 0, -ENOTTY },
		{ SYS_ioctl, UINT32_MAX, -ENOTTY },
		{ SYS_fcntl, F_NOTIFY, -EINVAL },
		{ SYS_fcntl, F_SETLEASE, -EINVAL }, { SYS_fcntl, UINT32_MAX, -EINVAL },
	};
	int fd[2];

	need_result(guest_call(pipe, P(fd)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		need_result(guest_call_args(refused[i].nr, (uint64_t[6]){ 3, refused[i].request, 1 }),
			    refused[i].expected);
	/* no event is asked for: fcntl(2) */
	need_result(guest_call(fcntl, 3, F_NOTIFY, 0), 0);
	need_result(guest_call(fcntl, 3, F_NOTIFY, DN_MULTISHOT), 0);
	/* signals to processes of the program's only, and nothing of it is the host's */
	need_result(guest_call(fcntl, 3, F_SETOWN, getppid()), -ESRCH);
	need_result(guest_call(fcntl, 3, F_SETFL, O_ASYNC | O_NONBLOCK), 0);
	need_result(guest_call(fcntl, 3, F_GETFL), O_ASYNC | O_NONBLOCK);
	need_result(guest_call(fcntl, 3, F_SETFL, O_NONBLOCK), 0);
	need_result(guest_call(ioctl, 3, FIOCLEX, 0), 0);
	need_result(guest_call(fcntl, 3, F_GETFD), FD_CLOEXEC);
	need_result(guest_call(ioctl, 3, FIONBIO, P(((int[1]){ 0 }))), 0);
	need_result(guest_call(fcntl, 3, F_GETFL), O_RDONLY);
	need_result(guest_call(ioctl, 3, TCGETS, P(((char[36]){ 0 }))), -ENOTTY);
	need_result(guest_call(ioctl, 3, FIONREAD, 0), -EFAULT);
	need_result(guest_call(ioctl, 77, TIOCSTI, 0), -EBADF);
	need(guest_call(fcntl, 3, F_GETPIPE_SZ) >= 4096);
}

static void threat_18_requests_are_an_allowlist(void **state)
{
	(void)state;
	guest(requests);
}

/* ------------------------------------------------------------- waiting */

static void waits(void)
{
	struct pollfd p[3] = { { 3, POLLIN, -1 }, { 4, POLLOUT, -1 }, { -5, POLLIN, -1 } };
	uint64_t in[16] = { 1 << 3 }, out[16] = { 1 << 4 };
	struct timeval tv = { 10, 0 };
	struct timespec ts = { 10, 0 };
	struct epoll_event event = { EPOLLIN, { .u64 = 0x1234567890abcdef } };
	int fd[2];

	need_result(guest_call(pipe, P(fd)), 0);
	need_result(guest_call(poll, P(p), 3, 10000), 1);
	need(p[0].revents == 0 && p[1].revents == POLLOUT && p[2].revents == 0);
	need_result(guest_call(select, 5, P(in), P(out), 0, P(&tv)), 1);
	need(in[0] == 0 && out[0] == 1 << 4 && tv.tv_sec == 9);
	in[0] = 1 << 3;
	tv = (struct timeval){ 0, 1000 };
	need_result(guest_call(select, 5, P(in), 0, 0, P(&tv)), 0);
	need(in[0] == 0 && tv.tv_sec == 0 && tv.tv_usec == 0);
	in[0] = 1 << 9;
	need_result(guest_call(select, 10, P(in), 0, 0, P(&tv)), -EBADF);
	need_result(guest_call(select, -1, 0, 0, 0, 0), -EINVAL);
	in[0] = 1 << 3;
	need_result(guest_call(pselect6, 4, P(in), 0, 0, P(((struct timespec[1]){ { 0, 0 } })), 0), 0);
	need_result(guest_call(ppoll, P(p), 1, P(((struct timespec[1]){ { 0, 1000000000 } })), 0, 8), -EINVAL);
	need_result(guest_call(ppoll, P(p), 2, P(&ts), 0, 8), 1);
	need(ts.tv_sec == 9);
	need_result(guest_call(epoll_create1, 0), 5);
	need_result(guest_call(epoll_create1, 1), -EINVAL);
	need_result(guest_call(epoll_ctl, 5, EPOLL_CTL_ADD, 3, P(&event)), 0);
	need_result(guest_call(epoll_ctl, 5, EPOLL_CTL_ADD, 99, P(&event)), -EBADF);
	need_result(guest_call(epoll_ctl, 5, EPOLL_CTL_ADD, 5, P(&event)), -EINVAL);
	need_result(guest_call(epoll_wait, 5, P(&event), 1, 0), 0);
	need_result(guest_call(write, 4, P("x"), 1), 1);
	memset(&event, 0, sizeof(event));
	need_result(guest_call(epoll_wait, 5, P(&event), 1, -1), 1);
	need(event.events == EPOLLIN && event.data.u64 == 0x1234567890abcdef);
	/* the last descriptor closed, the wait forgets it */
	need_result(guest_call(close, 3), 0);
	need_result(guest_call(epoll_wait, 5, P(&event), 1, 0), 0);
	need_result(guest_call(eventfd2, 7, 0), 3);
	need_result(guest_call(read, 3, P(in), 8), 8);
	need(in[0] == 7);
}

static void waiting_is_on_the_guests_descriptors(void **state)
{
	(void)state;
	guest(waits);
}

static void interrupted(void)
{
	struct timespec ts = { 100, 0 }, rem = { 0, 0 };
	struct pollfd p = { 3, POLLIN, 0 };
	uint64_t first;
	int fd[2];

	need_result(guest_call(pipe, P(fd)), 0);
	guest_vcpu.pending = true;
	frame->deadline = 0;
	need_result(guest_call(nanosleep, P(&ts), P(&rem)), -EINTR);
	need(rem.tv_sec == 99 && rem.tv_nsec > 0);
	first = frame->deadline;
	need(first);
	/* made again, it ends when it would have */
	need_result(guest_call(clock_nanosleep, CLOCK_MONOTONIC, 0, P(&ts), P(&rem)), -EINTR);
	need(frame->deadline == first);
	frame->deadline = 0;
	need_result(guest_call(poll, P(&p), 1, 50000), -EINTR);
	need(frame->deadline && frame->deadline < first);
	frame->deadline = 0;
	need_result(guest_call(poll, P(&p), 1, -1), -EINTR);
	need(frame->deadline == 0);
	guest_vcpu.pending = false;
	/* a deadline that is past */
	frame->deadline = 1;
	need_result(guest_call(poll, P(&p), 1, 50000), 0);
	frame->deadline = 1;
	need_result(guest_call(nanosleep, P(&ts), P(&rem)), 0);
	frame->deadline = 0;
	need_result(guest_call(nanosleep, P(((struct timespec[1]){ { -1, 0 } })), 0), -EINVAL);
	need_result(guest_call(nanosleep, P(((struct timespec[1]){ { 0, 1000000000 } })), 0), -EINVAL);
	need_result(guest_call(nanosleep, 0, 0), -EFAULT);
	guest_vcpu.pending = true;
	need_result(guest_call(nanosleep, P(((struct timespec[1]){ { INT64_MAX, 0 } })), P(&rem)), -EINTR);
	need(rem.tv_sec > 1000000000);
}

/* stdout is a file here */
static void never_interrupted(void)
{
	struct flock lock = { .l_type = F_WRLCK };
	struct stat st;
	int fd[2];

	guest_vcpu.pending = true;
	need_result(guest_call(write, 1, P("12345678"), 8), 8);
	need(frame->more == 1);
	need_result(guest_call(pread64, 1, P(&st), 8, 0), 8);
	need(frame->more == 1);
	need_result(guest_call(pread64, 1, P(&st), 9, 0), 8);
	need(frame->more == 0);
	need_result(guest_call(fstat, 1, P(&st)), 0);
	need_result(guest_call(lseek, 1, 0, SEEK_SET), 0);
	need_result(guest_call(fcntl, 1, F_SETLK, P(&lock)), 0);
	need_result(guest_call(fsync, 1), 0);
	need_result(guest_call(stat, P("/"), P(&st)), 0);
	need_result(guest_call(clock_gettime, CLOCK_MONOTONIC, P(&st)), 0);
	need_result(guest_call(getrandom, P(&st), 16, 0), 16);
	need_result(guest_call(pipe, P(fd)), 0);
	need_result(guest_call(ioctl, 3, FIONREAD, P(&st)), 0);
	guest_storm = 20;
	need_result(guest_call(write, 4, P("12"), 2), 2);
	guest_storm = 20;
	need_result(guest_call(read, 3, P(&st), 8), 2);
	need_result(guest_call(fcntl, 3, F_SETFL, O_NONBLOCK), 0);
	need_result(guest_call(read, 3, P(&st), 8), -EAGAIN);
	need_result(guest_call(fcntl, 3, F_SETFL, 0), 0);
	/* these are, on Linux too */
	need_result(guest_call(read, 3, P(&st), 8), -EINTR);
	need_result(guest_call(fcntl, 1, F_SETLKW, P(&lock)), -EINTR);
	need_result(guest_call(flock, 1, 2), -EINTR);
	need_result(guest_call(pause), -EINTR);
}

static void only_calls_that_wait_are_interrupted(void **state)
{
	(void)state;
	guest(never_interrupted);
}

static void an_interrupted_wait_knows_when_it_ends(void **state)
{
	(void)state;
	guest(interrupted);
}

/* ------------------------------------------------------------- clocks and timers */

static volatile sig_atomic_t fired;

static void on_signal(int sig)
{
	fired = sig;
}

static void clocks_are_not_set(void)
{
	struct timespec now, early = { -1, 0 }, odd = { 1, 1000000000 };
	struct timeval tv = { 1, 1000001 };
	struct timezone tz = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	need_result(guest_call(clock_settime, CLOCK_REALTIME, P(&now)), -EPERM);
	need_result(guest_call(clock_settime, CLOCK_REALTIME, P(&early)), -EINVAL);
	need_result(guest_call(clock_settime, CLOCK_REALTIME, P(&odd)), -EINVAL);
	need_result(guest_call(clock_settime, CLOCK_REALTIME, 0), -EFAULT);
	need_result(guest_call(clock_settime, CLOCK_MONOTONIC, P(&now)), -EINVAL);
	need_result(guest_call(clock_settime, CLOCK_PROCESS_CPUTIME_ID, P(&now)), -EINVAL);
	need_result(guest_call(clock_settime, 99, P(&now)), -EINVAL);
	need_result(guest_call(clock_settime, -6, P(&now)), -EPERM);
	need_result(guest_call(settimeofday, P(&tv), 0), -EINVAL);
	tv.tv_usec = 0;
	need_result(guest_call(settimeofday, P(&tv), P(&tz)), -EPERM);
	need_result(guest_call(settimeofday, 0, P(&tz)), -EPERM);
}

static void timers(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec its = { .it_value = { 0, 1000000 } }, old;
	struct sysinfo info;
	struct timespec ts;
	timer_t own;
	int id;

	/* the runner's own timer is not the guest's */
	need(timer_create(CLOCK_MONOTONIC, &(struct sigevent){ .sigev_notify = SIGEV_NONE }, &own) == 0);
	for (int i = -2; i < 40; i++) {
		need_result(guest_call(timer_gettime, i, P(&old)), -EINVAL);
		need_result(guest_call(timer_delete, i), -EINVAL);
		need_result(guest_call(timer_settime, i, 0, P(&its), P(&old)), -EINVAL);
		need_result(guest_call(timer_getoverrun, i), -EINVAL);
	}
	signal(SIGUSR1, on_signal);
	need_result(guest_call(timer_create, CLOCK_MONOTONIC, P(&event), P(&id)), 0);
	need_result(guest_call(timer_settime, id, 0, P(&its), P(&old)), 0);
	while (!fired)
		;
	need(fired == SIGUSR1);
	need_result(guest_call(timer_delete, id), 0);
	need_result(guest_call(timer_delete, id), -EINVAL);
	event.sigev_signo = 65;
	need_result(guest_call(timer_create, CLOCK_MONOTONIC, P(&event), P(&id)), -EINVAL);
	event.sigev_notify = SIGEV_THREAD;
	need_result(guest_call(timer_create, CLOCK_MONOTONIC, P(&event), P(&id)), -EINVAL);
	need_result(guest_call(timer_create, CLOCK_MONOTONIC, P(&event), 0), -EFAULT);
	event.sigev_notify = SIGEV_NONE;
	for (int i = 0; i < 256; i++)
		need_result(guest_call(timer_create, CLOCK_MONOTONIC, P(&event), P(&id)), 0);
	need_result(guest_call(timer_create, CLOCK_MONOTONIC, P(&event), P(&id)), -EAGAIN);

	need_result(guest_call(clock_gettime, CLOCK_REALTIME, P(&ts)), 0);
	need(ts.tv_sec > 1500000000);
	/* the CPU clock of another process */
	need_result(guest_call(clock_gettime, ~(uint64_t)1 << 3 | 2, P(&ts)), -EINVAL);
	need_result(guest_call(clock_gettime, 0xfffffff2, P(&ts)), -EINVAL);
	need_result(guest_call(sysinfo, P(&info)), 0);
	need(info.totalram == GUEST_RAM && info.procs == 1 && info.totalswap == 0);
}

static void timers_are_the_guests_own(void **state)
{
	(void)state;
	guest(timers);
}

static void the_hosts_clocks_are_not_set(void **state)
{
	(void)state;
	guest(clocks_are_not_set);
}

/* ------------------------------------------------------------- what goes out */

static void outputs(void)
{
	uint8_t st[144 + 16], *p = frame->data;

	/* nothing of the room's former content, nor of the runner's memory, comes back */
	memset(st, 0xa5, sizeof(st));
	blank(SYS_stat);
	memset(p, 0xa5, ABI_DATA);
	memcpy(p, "/", 2);
	frame->arg[0] = REF(0, 2);
	frame->arg[1] = REF(8, 144);
	frame->data_len = 152;
	need_served(0);
	need(!memchr(p + 8, 0xa5, 144));
	need(p[152] == 0xa5);
	/* an error writes nothing */
	memset(p, 0xa5, ABI_DATA);
	memcpy(p, "/x", 3);
	frame->arg[0] = REF(0, 3);
	need_served(-ENOENT);
	need(p[8] == 0xa5 && p[151] == 0xa5);
	memset(p, 0xa5, ABI_DATA);
	blank(SYS_sysinfo);
	frame->arg[0] = REF(0, 112);
	frame->data_len = 112;
	need_served(0);
	need(!memchr(p, 0xa5, 112));
}

static void threat_08_what_comes_out_is_initialised(void **state)
{
	(void)state;
	guest(outputs);
}

static void refusals(void)
{
	blank(SYS_mount);
	need_served(-EPERM);
	need_served(-EPERM);
	need_result(guest_call(ioctl, 1, TIOCSTI, 0), -ENOTTY);
	need_result(guest_call(ioctl, 1, TIOCSTI, 0), -ENOTTY);
	need_result(guest_call(open, P("/etc/passwd"), O_RDONLY), -ENOENT);
	need_result(guest_call(open, P("/etc/passwd"), O_RDONLY), -ENOENT);
}

static void explain_names_each_refusal_once(void **state)
{
	struct outcome o;

	(void)state;
	config.explain = true;
	guest_run(&config, refusals, &o);
	config.explain = false;
	assert_string_equal(o.err,
			    "kvmrun: explain: the call mount was refused: it reaches beyond the program and is never allowed\n"
			    "kvmrun: explain: the request 0x5412 of ioctl was refused: it is not on the list of harmless ones\n"
			    "kvmrun: explain: /etc/passwd is not granted; --ro on it or a directory above would let the program read it\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_03_a_frame_that_no_shim_makes_is_named_and_not_served),
		cmocka_unit_test(threat_01_a_segment_outside_guest_memory_is_refused),
		cmocka_unit_test(threat_03_a_reference_outside_its_array_is_refused),
		cmocka_unit_test(a_string_ends_where_it_says),
		cmocka_unit_test(threat_06_a_count_is_that_of_its_vector),
		cmocka_unit_test(no_argument_of_any_call_breaks_the_runner),
		cmocka_unit_test(threat_02_a_frame_rewritten_while_it_is_served_breaks_nothing),
		cmocka_unit_test(data_arrives_whole_however_it_is_cut),
		cmocka_unit_test(threat_15_the_guest_has_its_own_descriptors),
		cmocka_unit_test(a_new_descriptor_is_the_lowest_free),
		cmocka_unit_test(a_thread_of_the_runner_begins_with_little_memory),
		cmocka_unit_test(standard_streams_are_the_callers_and_nothing_else_is),
		cmocka_unit_test(threat_18_requests_are_an_allowlist),
		cmocka_unit_test(waiting_is_on_the_guests_descriptors),
		cmocka_unit_test(only_calls_that_wait_are_interrupted),
		cmocka_unit_test(an_interrupted_wait_knows_when_it_ends),
		cmocka_unit_test(timers_are_the_guests_own),
		cmocka_unit_test(the_hosts_clocks_are_not_set),
		cmocka_unit_test(threat_08_what_comes_out_is_initialised),
		cmocka_unit_test(explain_names_each_refusal_once),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
