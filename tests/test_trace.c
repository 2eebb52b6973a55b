/* SPDX-License-Identifier: GPL-2.0-only */
/* --trace: single lines, as strace 6.1 prints them; test_strace.c compares whole runs. */
#include "../runner/table.h"
#include "../runner/trace.h"

#include <asm/unistd_64.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int sink;	/* where lines go */
static struct trace trace;

static const char *written(void)
{
	static char text[sizeof(trace.text) + 1];
	ssize_t n = pread(sink, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = 0;
	assert_return_code(ftruncate(sink, 0), errno);
	assert_return_code(lseek(sink, 0, SEEK_SET), errno);
	return text;
}

static const char *line(const struct call *c, long ret)
{
	trace_begin(&trace, c);
	trace_end(&trace, sink, c, ret);
	return written();
}

#define CALL_OF(name, ...)	{ .nr = __NR_##name, .row = &call_table[__NR_##name], __VA_ARGS__ }

static void open_shows_its_path_and_flags(void **state)
{
	struct call c = CALL_OF(openat, .arg = { AT_FDCWD, 0, O_RDONLY | O_CLOEXEC, 0644 }, .ptr[1] = "/etc/passwd");

	(void)state;
	assert_string_equal(line(&c, 3), "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3\n");
	c.arg[2] = O_WRONLY | O_CREAT;
	assert_string_equal(line(&c, -EACCES),
		"openat(AT_FDCWD, \"/etc/passwd\", O_WRONLY|O_CREAT, 0644) = -1 EACCES (Permission denied)\n");
}

static void a_short_call_is_padded_to_the_result_column(void **state)
{
	struct call c = CALL_OF(getpid);

	(void)state;
	assert_string_equal(line(&c, 42), "getpid()                                = 42\n");
}

static void a_long_buffer_is_cut_and_a_path_is_not(void **state)
{
	static char text[] = "0123456789012345678901234567890123456789";
	struct iovec pieces[2] = { { text, 7 }, { text + 7, 33 } };
	struct call c = CALL_OF(write, .arg = { 1, 0, 40 }, .iov[1] = pieces, .iovcnt[1] = 2, .count[1] = 40);
	static char path[4096], expected[4200];
	struct call chdir = CALL_OF(chdir, .ptr[0] = path);

	(void)state;
	assert_string_equal(line(&c, 40), "write(1, \"01234567890123456789012345678901\"..., 40) = 40\n");
	memset(path, 'a', 4095);
	snprintf(expected, sizeof(expected), "chdir(\"%s\") = 0\n", path);
	assert_string_equal(line(&chdir, 0), expected);
}

static void threat_07_a_read_shows_what_was_read_and_a_failed_one_does_not(void **state)
{
	static char text[64] = "root:x:0\n\1";
	struct iovec piece = { text, 64 };
	struct call c = CALL_OF(read, .arg = { 3, 0, 64 }, .iov[1] = &piece, .iovcnt[1] = 1, .count[1] = 64);

	(void)state;
	assert_string_equal(line(&c, 10), "read(3, \"root:x:0\\n\\1\", 64)             = 10\n");
	assert_string_equal(line(&c, -EIO), "read(3, ..., 64)                        = -1 EIO (Input/output error)\n");
	c.arg[1] = 0x7ffe0000;
	assert_string_equal(line(&c, -EIO), "read(3, 0x7ffe0000, 64)                 = -1 EIO (Input/output error)\n");
}

/* More bytes than the room can never have come: a result beyond it must not be believed. */
static void a_result_beyond_the_buffer_reads_no_further(void **state)
{
	char text[4] = "abcd";
	struct iovec piece = { text, 4 };
	struct call c = CALL_OF(read, .arg = { 3, 0, 4 }, .iov[1] = &piece, .iovcnt[1] = 1, .count[1] = 4);
	struct epoll_event { uint32_t events; uint64_t data; } __attribute__((packed)) event = { 1, 7 };
	struct call wait = CALL_OF(epoll_wait, .arg = { 3, 0, 1, -1 }, .ptr[1] = &event, .count[1] = 12);

	(void)state;
	assert_string_equal(line(&c, 1000), "read(3, \"abcd\", 4)                      = 1000\n");
	assert_string_equal(line(&wait, 1000), "epoll_wait(3, [{events=EPOLLIN, data={u32=7, u64=7}}], 1, -1) = 1000\n");
}

static void a_vector_is_shown_as_one(void **state)
{
	struct iovec pieces[2] = { { "ab", 2 }, { "cde", 3 } };
	struct call c = CALL_OF(writev, .arg = { 1, 0, 2 }, .iov[1] = pieces, .iovcnt[1] = 2, .count[1] = 5);

	(void)state;
	assert_string_equal(line(&c, 5), "writev(1, [{iov_base=\"abcde\", iov_len=5}], 2) = 5\n");
}

static void stat_shows_mode_and_size(void **state)
{
	struct stat st = { .st_mode = S_IFREG | 0644, .st_size = 12 };
	struct call c = CALL_OF(fstat, .arg = { 3 }, .ptr[1] = &st, .count[1] = sizeof(st));

	(void)state;
	assert_string_equal(line(&c, 0), "fstat(3, {st_mode=S_IFREG|0644, st_size=12, ...}) = 0\n");
}

static void inputs_are_shown_as_they_were_before_the_call(void **state)
{
	uint64_t readable[16] = { 0x9 }, left[2] = { 1, 0 };
	struct call c = CALL_OF(select, .arg = { 4 }, .ptr[1] = readable, .ptr[4] = left,
				.count = { 0, 128, 0, 0, 16 });

	(void)state;
	trace_begin(&trace, &c);
	readable[0] = 0x8;
	left[0] = 0;
	left[1] = 7;
	trace_end(&trace, sink, &c, 1);
	assert_string_equal(written(), "select(4, [0 3], NULL, NULL, {tv_sec=1, tv_usec=0}) = 1 "
			    "(in [3], left {tv_sec=0, tv_usec=7})\n");
}

static void dates_are_those_of_libc(void **state)
{
	static const int64_t some[] = { 1, -1, 86399, 951782400, 951868799, 951868800, 4107542400, -2203891200, 253402300799,
					1795355018, 13569465600 };

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct timespec times[2] = { { some[i], 0 }, { 0, UTIME_NOW } };
		struct call c = CALL_OF(utimensat, .arg = { AT_FDCWD }, .ptr = { [1] = "f", [2] = times }, .count[2] = 32);
		time_t when = some[i];
		char date[64];

		assert_true(strftime(date, sizeof(date), "%FT%T+0000 */, UTIME_NOW]", gmtime(&when)) > 0);
		assert_non_null(strstr(line(&c, 0), date));
	}
}

static void an_interrupted_sleep_shows_what_remains(void **state)
{
	struct timespec want = { 2, 0 }, rem = { 1, 5 };
	struct call c = CALL_OF(nanosleep, .ptr = { &want, &rem }, .count = { 16, 16 });

	(void)state;
	assert_string_equal(line(&c, -EINTR), "nanosleep({tv_sec=2, tv_nsec=0}, {tv_sec=1, tv_nsec=5}) = -1 EINTR "
			    "(Interrupted system call)\n");
	assert_string_equal(line(&c, 0), "nanosleep({tv_sec=2, tv_nsec=0}, ...)   = 0\n");
}

static void what_a_wait_tells_is_shown_once_it_has(void **state)
{
	int status = 0x300;
	struct rusage usage = { .ru_utime = { 1, 2 } };
	struct call c = CALL_OF(wait4, .arg = { -1, 0, WNOHANG | WUNTRACED | WCONTINUED | 0xe0000000 }, .ptr = { [1] = &status, [3] = &usage },
				.count = { 0, 4, 0, sizeof(usage) });
	struct call one = CALL_OF(wait4, .arg = { 7 }, .ptr[1] = &status, .count[1] = 4);
	struct call id = CALL_OF(waitid, .arg = { P_PGID, 0, 0, WEXITED | WSTOPPED | 0x10 }, .ptr = { [2] = &usage, [4] = &usage },
				 .count = { 0, 0, 128, 0, sizeof(usage) });

	(void)state;
	assert_string_equal(line(&c, 0), "wait4(-1, ..., WNOHANG|WSTOPPED|WCONTINUED|__WCLONE|__WALL|__WNOTHREAD, ...) = 0\n");
	assert_string_equal(line(&one, -EINTR), "wait4(7, ..., 0, NULL)                  = -1 EINTR (Interrupted system call)\n");
	assert_string_equal(line(&one, 7), "wait4(7, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 7\n");
	status = SIGKILL;
	assert_string_equal(line(&one, 7), "wait4(7, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL) = 7\n");
	status = SIGSEGV | 0x80;
	assert_string_equal(line(&one, 7), "wait4(7, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}], 0, NULL) = 7\n");
	status = SIGSTOP << 8 | 0x7f;
	assert_string_equal(line(&one, 7), "wait4(7, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}], 0, NULL) = 7\n");
	status = 0xffff;
	c.arg[2] = WCONTINUED;
	assert_string_equal(line(&c, 7), "wait4(-1, [{WIFCONTINUED(s)}], WCONTINUED, {ru_utime={tv_sec=1, tv_usec=2}, "
			    "ru_stime={tv_sec=0, tv_usec=0}, ...}) = 7\n");
	assert_string_equal(line(&id, -EINVAL), "waitid(P_PGID, 0, ..., WEXITED|WSTOPPED|0x10, ...) = -1 EINVAL (Invalid argument)\n");
}

static void a_refused_call_shows_its_numbers(void **state)
{
	struct call c = CALL_OF(bpf, .arg = { 2, 1, 0 });
	struct call unused = { .nr = 400, .row = &call_table[400], .arg = { 1, 2, 3, 4, 5, 6 } };

	(void)state;
	assert_string_equal(line(&c, -EACCES), "bpf(0x2, 0x1, 0)                        = -1 EACCES (Permission denied)\n");
	assert_string_equal(line(&unused, -ENOSYS),
		"syscall_0x190(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS (Function not implemented)\n");
}

static void sockets_are_shown_by_their_names(void **state)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/run/x" };
	struct {
		struct abi_msg m;
		struct cmsghdr c;
		int fd[2];
	} msg = { .m = { .control_len = 24 }, .c = { 24, SOL_SOCKET, SCM_RIGHTS }, .fd = { 3, 4 } };
	struct sockaddr_storage room = { 0 };
	int length = sizeof(room), on = 1;
	struct iovec iov = { "text", 4 };
	struct call socket = CALL_OF(socket, .arg = { AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 17 });
	struct call connect = CALL_OF(connect, .arg = { 3, 0, 16 }, .ptr[1] = &four, .count[1] = sizeof(four));
	struct call bind = CALL_OF(bind, .arg = { 3, 0, 9 }, .ptr[1] = &local, .count[1] = 9);
	struct call accept = CALL_OF(accept4, .arg = { 3, 0, 0, SOCK_NONBLOCK }, .ptr[1] = &room, .count[1] = sizeof(room),
				     .ptr[2] = &length, .count[2] = 4);
	struct call set = CALL_OF(setsockopt, .arg = { 3, SOL_SOCKET, SO_REUSEADDR, 0, 4 }, .ptr[3] = &on, .count[3] = 4);
	struct call get = CALL_OF(getsockopt, .arg = { 3, SOL_SOCKET, SO_ERROR }, .ptr[3] = &on, .count[3] = 4, .ptr[4] = &length);
	struct call send = CALL_OF(sendmsg, .arg = { 3, 0, MSG_NOSIGNAL }, .ptr[1] = &msg, .count[1] = sizeof(msg), .iov[1] = &iov, .iovcnt[1] = 1);

	(void)state;
	assert_string_equal(line(&socket, 3), "socket(AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_UDP) = 3\n");
	assert_string_equal(line(&connect, -ENETUNREACH), "connect(3, {sa_family=AF_INET, sin_port=htons(80), "
			    "sin_addr=inet_addr(\"127.0.0.1\")}, 16) = -1 ENETUNREACH (Network is unreachable)\n");
	assert_string_equal(line(&bind, 0), "bind(3, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 9) = 0\n");
	trace_begin(&trace, &accept);
	memcpy(&room, &four, sizeof(four));
	length = sizeof(four);
	trace_end(&trace, sink, &accept, 5);
	assert_string_equal(written(), "accept4(3, {sa_family=AF_INET, sin_port=htons(80), "
			    "sin_addr=inet_addr(\"127.0.0.1\")}, [128 => 16], SOCK_NONBLOCK) = 5\n");
	assert_string_equal(line(&set, 0), "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0\n");
	length = 4;
	assert_string_equal(line(&get, 0), "getsockopt(3, SOL_SOCKET, SO_ERROR, [1], [4]) = 0\n");
	assert_string_equal(line(&send, 4), "sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"text\", iov_len=4}], "
			    "msg_iovlen=1, msg_control=[{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, "
			    "cmsg_data=[3, 4]}], msg_controllen=24, msg_flags=0}, MSG_NOSIGNAL) = 4\n");
}

static void a_request_decides_what_the_third_argument_is(void **state)
{
	uint16_t window[4] = { 24, 80 };
	struct call c = CALL_OF(ioctl, .arg = { 1, 0x5413 }, .ptr[2] = window, .count[2] = 8);
	struct call getfl = CALL_OF(fcntl, .arg = { 1, F_GETFL, 99 });

	(void)state;
	assert_string_equal(line(&c, 0), "ioctl(1, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0\n");
	assert_string_equal(line(&getfl, 02 | 0100000),
			    "fcntl(1, F_GETFL)                       = 0x8002 (flags O_RDWR|O_LARGEFILE)\n");
}

static void signals_are_shown_with_their_details(void **state)
{
	siginfo_t user = { .si_signo = SIGINT, .si_code = SI_USER }, fault = { .si_signo = SIGSEGV, .si_code = SEGV_MAPERR },
		queued = { .si_signo = 40, .si_code = SI_QUEUE }, kernel = { .si_signo = SIGALRM, .si_code = SI_KERNEL },
		timer = { .si_signo = SIGALRM, .si_code = SI_TIMER };

	(void)state;
	user.si_pid = 7;
	user.si_uid = 1000;
	trace_signal(sink, &user);
	assert_string_equal(written(), "--- SIGINT {si_signo=SIGINT, si_code=SI_USER, si_pid=7, si_uid=1000} ---\n");
	fault.si_addr = (void *)0x1234;
	trace_signal(sink, &fault);
	assert_string_equal(written(), "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x1234} ---\n");
	queued.si_pid = 7;
	queued.si_ptr = (void *)7;
	trace_signal(sink, &queued);
	assert_string_equal(written(), "--- SIGRT_8 {si_signo=SIGRT_8, si_code=SI_QUEUE, si_pid=7, si_uid=0, "
			    "si_int=7, si_ptr=0x7} ---\n");
	trace_signal(sink, &kernel);
	assert_string_equal(written(), "--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---\n");
	trace_signal(sink, &timer);
	assert_string_equal(written(), "--- SIGALRM {si_signo=SIGALRM, si_code=SI_TIMER, si_timerid=0, si_overrun=0, "
			    "si_int=0, si_ptr=NULL} ---\n");
}

static void the_end_is_shown(void **state)
{
	struct call c = CALL_OF(exit_group, .arg = { 256 + 3 });

	(void)state;
	assert_string_equal(line(&c, 0), "exit_group(259)                         = ?\n");
	trace_exit(sink, 259, 0);
	assert_string_equal(written(), "+++ exited with 3 +++\n");
	trace_exit(sink, 0, SIGSEGV);
	assert_string_equal(written(), "+++ killed by SIGSEGV +++\n");
}

/* ------------------------------------------------------------- anything at all in the arguments */

static uint64_t seed = 1;

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void fill(void *to, size_t n)
{
	uint64_t *p = to;

	for (size_t i = 0; i < n / sizeof(*p); i++)
		p[i] = any();
}

static void any_arguments(struct call *c)
{
	static uint8_t room[6][12288] __attribute__((aligned(16)));
	static struct iovec pieces[6];

	for (int i = 0; i < 6; i++) {
		const struct abi_arg *a = &c->row->arg[i];
		uint64_t n = any() % 4096;

		c->arg[i] = any() >> any() % 64;
		fill(room[i], sizeof(room[i]));
		switch (a->kind) {
		case ABI_ARG_STRING:
			for (uint64_t k = 0; k < n; k++)
				room[i][k] |= !room[i][k];
			room[i][n] = 0;
			c->ptr[i] = any() % 8 ? room[i] : NULL;
			break;
		case ABI_ARG_INBUF:
		case ABI_ARG_OUTBUF:
		case ABI_ARG_INIOV:
		case ABI_ARG_OUTIOV:
			pieces[i] = (struct iovec){ room[i], n + 1 };
			c->iov[i] = any() % 8 ? &pieces[i] : NULL;
			c->iovcnt[i] = c->iov[i] ? 1 : 0;
			c->count[i] = c->iov[i] ? n + 1 : 0;
			break;
		case ABI_ARG_INMSG:
		case ABI_ARG_OUTMSG:
			((struct abi_msg *)room[i])->control_len = n;
			c->ptr[i] = any() % 8 ? room[i] : NULL;
			c->count[i] = sizeof(struct abi_msg) + n;
			pieces[i] = (struct iovec){ room[i], 100 };
			c->iov[i] = &pieces[i];
			c->iovcnt[i] = any() % 2;
			break;
		case ABI_ARG_INVEC:
		case ABI_ARG_OUTVEC:
		case ABI_ARG_INOUTVEC:
		case ABI_ARG_WORDS:
			c->ptr[i] = any() % 8 ? room[i] : NULL;
			c->count[i] = n / a->size * a->size;
			break;
		default:
			if (!a->size)
				break;
			c->ptr[i] = any() % 8 ? room[i] : NULL;
			c->count[i] = a->size;
		}
	}
}

static void no_byte_of_the_program_reaches_the_line_unquoted(void **state)
{
	(void)state;
	for (uint32_t nr = 0; nr < ABI_CALLS; nr++) {
		for (int round = 0; round < 16; round++) {
			struct call c = { .nr = nr, .row = &call_table[nr] };
			const char *text;
			size_t n;

			any_arguments(&c);
			text = line(&c, round % 2 ? (long)(any() % 5000) : -(long)(any() % 200));
			n = strlen(text);
			assert_true(n > 0 && text[n - 1] == '\n');
			for (size_t i = 0; i + 1 < n; i++)
				if (text[i] < ' ' || text[i] > '~')
					fail_msg("call %u: byte %#x in %s", nr, (unsigned char)text[i], text);
		}
	}
}

static void a_line_longer_than_its_room_is_cut_and_ends(void **state)
{
	static char path[4096];
	struct call c = CALL_OF(renameat2, .arg = { AT_FDCWD, 0, AT_FDCWD }, .ptr = { [1] = path, [3] = path });
	const char *text;

	(void)state;
	memset(path, 1, 4095);
	text = line(&c, 0);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_non_null(strstr(text, "\\1\\1\\1\", 0) = 0\n"));
}

static int open_sink(void **state)
{
	(void)state;
	sink = memfd_create("trace", MFD_CLOEXEC);
	return sink < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_shows_its_path_and_flags),
		cmocka_unit_test(a_short_call_is_padded_to_the_result_column),
		cmocka_unit_test(a_long_buffer_is_cut_and_a_path_is_not),
		cmocka_unit_test(threat_07_a_read_shows_what_was_read_and_a_failed_one_does_not),
		cmocka_unit_test(a_result_beyond_the_buffer_reads_no_further),
		cmocka_unit_test(a_vector_is_shown_as_one),
		cmocka_unit_test(stat_shows_mode_and_size),
		cmocka_unit_test(inputs_are_shown_as_they_were_before_the_call),
		cmocka_unit_test(dates_are_those_of_libc),
		cmocka_unit_test(an_interrupted_sleep_shows_what_remains),
		cmocka_unit_test(what_a_wait_tells_is_shown_once_it_has),
		cmocka_unit_test(a_refused_call_shows_its_numbers),
		cmocka_unit_test(sockets_are_shown_by_their_names),
		cmocka_unit_test(a_request_decides_what_the_third_argument_is),
		cmocka_unit_test(signals_are_shown_with_their_details),
		cmocka_unit_test(the_end_is_shown),
		cmocka_unit_test(no_byte_of_the_program_reaches_the_line_unquoted),
		cmocka_unit_test(a_line_longer_than_its_room_is_cut_and_ends),
	};

	return cmocka_run_group_tests(tests, open_sink, NULL);
}
