/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes beside the runner that make what its jail does not let it make: what a runner that was
 * taken over may ask of them, and what one of them could do if it were taken over itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "attempts.h"
#include "forked.h"
#include "../runner/fdtable.h"
#include "../runner/handout.h"
#include "../runner/logfile.h"
#include "../runner/net.h"
#include "../runner/terminal.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------- those processes, with an attacker inside */

/* Requests that the process itself makes an attempt for: forbidden[i], helper_forbidden[i]. */
#define TAKEN		0x7ace0000
#define TAKEN_HELPER	0x7acf0000

/* Each one kills, whatever process beside the runner makes it. */
static const struct attempt helper_forbidden[] = {
#define KILL(name, nr, ...) { name, nr, { __VA_ARGS__ }, KILLS, 0, NULL }
	KILL("memory", SYS_mmap, 0, 4096, 3, 0x22, -1),
	KILL("memory that can be written", SYS_mprotect, 0x1000, 4096, 3),
	KILL("brk", SYS_brk, 0),
	KILL("openat2", SYS_openat2, AT_FDCWD, (long)"/dev/ptmx"),
	KILL("a path of its own", SYS_openat, AT_FDCWD, (long)"/dev/ptmx", O_RDWR | O_NOCTTY),
	KILL("read", SYS_read, 0),
	KILL("write", SYS_write, 0),
	KILL("a message from elsewhere", SYS_recvmsg, 4, 0, MSG_CMSG_CLOEXEC),
	KILL("a message that is waited for", SYS_sendmsg, 4, 0, MSG_NOSIGNAL),
	KILL("a thread", SYS_clone, 0x3d0f00),
	KILL("fcntl", SYS_fcntl, 3, F_GETFD),
	KILL("a terminal's input", SYS_ioctl, 0, TIOCSTI, (long)"x"),
	KILL("a controlling terminal", SYS_ioctl, 0, TIOCSCTTY, 0),
	KILL("a slave that is open", SYS_ioctl, 0, TIOCGPTPEER, O_RDWR),
	KILL("a raw socket", SYS_socket, AF_INET, SOCK_RAW, 1),
	KILL("a socket of packets", SYS_socket, AF_PACKET, SOCK_DGRAM),
	KILL("a socket of vsock", SYS_socket, AF_VSOCK, SOCK_STREAM),
	KILL("stat", SYS_newfstatat, AT_FDCWD, (long)"/etc/passwd"),
	KILL("readlink", SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe"),
	KILL("a signal to itself", SYS_kill, 0, SIGCONT),
	KILL("a new session", SYS_setsid, 0),
	KILL("prctl", SYS_prctl, PR_SET_DUMPABLE, 1),
	KILL("prlimit64", SYS_prlimit64, 0, RLIMIT_NOFILE),
#undef KILL
};

static handout_serve *real_serve;
static int factory;		/* of whichever was started last */
static pid_t process;

static int serve_or_attempt(const int request[3], int *fd)
{
	if (request[0] == TAKEN)
		return attempt_make(&forbidden[request[1]]);
	if (request[0] == TAKEN_HELPER)
		return attempt_make(&helper_forbidden[request[1]]);
	return real_serve(request, fd);
}

/* The orphan of the one that has made it, which is this one's youngest child then. */
static pid_t youngest_child(void)
{
	char path[64], text[256] = "", *last = text;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 1);
	close(fd);
	for (char *s = text; s[1]; s++)
		if (*s == ' ')
			last = s + 1;
	return atoi(last);
}

int __real_handout_start(const struct handout *h);
int __wrap_handout_start(const struct handout *h);

int __wrap_handout_start(const struct handout *h)
{
	struct handout taken = *h;

	real_serve = h->serve;
	taken.serve = serve_or_attempt;
	factory = __real_handout_start(&taken);
	assert_true(factory >= 0);
	process = youngest_child();
	return factory;
}

static void start_terminals(void)
{
	pty_init();
}

/* The two of them; "beside" is what a request for a descriptor may be, as far as it is one. */
static const struct kind {
	const char *name;
	void (*start)(void);
	int request[3], limit;
} kinds[] = {
	{ "terminals", start_terminals, { 0, 0, O_RDWR }, 8 + PTYS },
	{ "sockets of --net loopback", netns_start, { AF_INET, SOCK_STREAM, 0 }, 8 },
};

static int ended(void)
{
	int status;

	assert_int_equal(waitpid(process, &status, 0), process);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* With its asker gone it goes by itself. */
static void stop(void)
{
	close(factory);
	assert_int_equal(ended(), 0);
}

static int descriptors(void)
{
	char path[64];
	int n = 0;

	for (int fd = 0; fd < 1024; fd++) {
		struct stat st;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", process, fd);
		n += lstat(path, &st) == 0;
	}
	return n;
}

static long ask(int what, int which, int flags)
{
	const int request[3] = { what, which, flags };
	int fd, result = handout_ask(factory, request, &fd);

	if (fd >= 0)
		close(fd);
	return result;
}

/* Beside those four: whether terminals are there has to be asked, and the last answer comes before all is closed. */
static void assert_nothing_left_open(const struct kind *k)
{
	int n = 0;

	ask(3, 0, 0);
	for (int i = 0; i < 1000; i++) {
		n = descriptors();
		if (n == 4)
			return;
		usleep(10000);
	}
	fail_msg("%s: %d descriptors", k->name, n);
}

/* One that is as it should be gets its descriptor, which shows that the process is well. */
static void assert_serves(const struct kind *k)
{
	int fd, result = handout_ask(factory, k->request, &fd);

	if (result < 0 || fd < 0)
		fail_msg("%s: %d, descriptor %d", k->name, result, fd);
	close(fd);
}

/* ------------------------------------------------------------- hostile requests */

static void send_raw(const void *data, size_t n, const int *fds, size_t nfds)
{
	struct iovec iov = { (void *)data, n };
	union {
		char space[CMSG_SPACE(253 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, nfds * sizeof(int));
	}
	assert_int_equal(sendmsg(factory, &m, MSG_NOSIGNAL), n);
}

/* Whether a request of n bytes, with its socket the first of nfds descriptors, is answered. */
static bool answered(const void *data, size_t n, size_t nfds)
{
	int pair[2], fds[253], result, fd, got;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	for (size_t i = 0; i < nfds; i++)
		fds[i] = pair[1];
	send_raw(data, n, fds, nfds);
	close(pair[1]);
	got = handout_receive(pair[0], &result, sizeof(result), &fd);
	close(pair[0]);
	if (fd >= 0)
		close(fd);
	return got == 1;
}

static void threat_38_requests_that_are_none_get_no_answer_and_leave_nothing_open(void **state)
{
	static const size_t lengths[] = { 1, 4, 11, 13, 24, 4096, 65536 };
	static char text[65536];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		kinds[k].start();
		/* in the first twelve bytes nothing is wrong */
		memcpy(text, kinds[k].request, sizeof(kinds[k].request));
		assert_serves(&kinds[k]);
		for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
			if (answered(text, lengths[i], 1))
				fail_msg("%s: %zu bytes", kinds[k].name, lengths[i]);
			/* nowhere to answer */
			send_raw(text, lengths[i], NULL, 0);
		}
		send_raw(text, 12, NULL, 0);
		send_raw(text, 12, &null, 1);
		assert_serves(&kinds[k]);
		assert_nothing_left_open(&kinds[k]);
		/* more descriptors than it has room for */
		for (int i = 0; i < 2 * kinds[k].limit; i++) {
			assert_true(answered(text, 12, 2));
			assert_true(answered(text, 12, 253));
		}
		assert_nothing_left_open(&kinds[k]);
		assert_serves(&kinds[k]);
		close(null);
		stop();
	}
}

/* Answers that nobody takes, where they would have to wait, and to descriptors that are no sockets. */
static void threat_38_a_flood_of_requests_without_readers_holds_nobody_up(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		int pair[2], pipes[2];

		kinds[k].start();
		assert_serves(&kinds[k]);
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
		for (int i = 0; i < 500; i++) {
			send_raw(kinds[k].request, 12, pair, 1);
			send_raw(kinds[k].request, 12, pipes, 1);
			send_raw(kinds[k].request, 12, &factory, 1);
		}
		close(pair[0]);
		close(pair[1]);
		assert_serves(&kinds[k]);
		assert_nothing_left_open(&kinds[k]);
		close(pipes[0]);
		close(pipes[1]);
		stop();
	}
}

/* ------------------------------------------------------------- requests that ask for too much */

/* NEW, BY_NUMBER, BY_ID, NEXT of terminal.c */
static void threat_38_terminals_are_those_that_were_made_and_nothing_else(void **state)
{
	static const int numbers[] = { -1, 1, 63, 64, 65, 1 << 20, INT_MAX, INT_MIN };
	const int new[] = { 0, 0, ~0 };
	int master[PTYS + 1], id, fd, unlocked = 0;
	struct stat st;

	(void)state;
	start_terminals();
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_int_equal(ask(1, numbers[i], O_RDWR), -ENOENT);
		assert_int_equal(ask(2, numbers[i], O_RDWR), -EIO);
		assert_int_equal(ask(3, numbers[i], 0), -ENOENT);
		assert_int_equal(ask(4 + i, numbers[i], O_RDWR), -EINVAL);
		assert_int_equal(ask(-1 - i, numbers[i], O_RDWR), -EINVAL);
	}
	/* flags that would create, empty, notify, or take a session's terminal, are not there */
	id = handout_ask(factory, new, &master[0]);
	assert_true(id > 0 && master[0] >= 0);
	assert_int_equal(fcntl(master[0], F_GETFL) & ~(O_ACCMODE | O_NONBLOCK | 0x8000 /* O_LARGEFILE */), 0);
	assert_int_equal(fstat(master[0], &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(ask(2, id, O_RDWR), -EIO);
	assert_int_equal(ioctl(master[0], TIOCSPTLCK, &unlocked), 0);
	assert_int_equal(ask(2, id, ~0), id);
	assert_int_equal(ask(2, id + PTYS, O_RDWR), -EIO);
	for (int i = 1; i < PTYS; i++) {
		const int request[] = { 0, 0, O_RDWR };

		assert_true(handout_ask(factory, request, &master[i]) > 0);
	}
	assert_int_equal(ask(0, 0, O_RDWR), -ENOSPC);
	assert_int_equal(ioctl(master[PTYS - 1], TIOCSPTLCK, &unlocked), 0);
	assert_true(handout_ask(factory, (const int[]){ 1, PTYS - 1, O_RDWR }, &fd) > 0);
	assert_true(fd >= 0);
	close(fd);
	for (int i = 0; i < PTYS; i++)
		close(master[i]);
	/* and its number is another one's by then */
	assert_int_equal(ask(2, id, O_RDWR), -EIO);
	assert_int_equal(ask(3, 0, 0), -ENOENT);
	assert_true(ask(0, 0, O_RDWR) > 0);
	stop();
}

static void threat_38_sockets_of_loopback_are_tcp_udp_and_unix_and_nothing_else(void **state)
{
	static const struct {
		int family, type, protocol, result;
	} sockets[] = {
		{ AF_INET, SOCK_STREAM, IPPROTO_TCP, 0 }, { AF_INET6, SOCK_DGRAM, IPPROTO_UDP, 0 },
		{ AF_UNIX, SOCK_SEQPACKET, 0, 0 }, { AF_UNIX, SOCK_DGRAM, AF_UNIX, 0 },
		{ AF_INET, SOCK_RAW, IPPROTO_ICMP, -EPERM }, { AF_INET6, SOCK_RAW, IPPROTO_RAW, -EPERM },
		{ AF_INET, SOCK_DGRAM, IPPROTO_ICMP, -EPERM }, { AF_INET, SOCK_STREAM, IPPROTO_SCTP, -EPERM },
		{ AF_INET, SOCK_STREAM, 262 /* MPTCP */, -EPERM }, { AF_INET, SOCK_SEQPACKET, 0, -EPERM },
		{ AF_PACKET, SOCK_DGRAM, 0, -EPERM }, { AF_NETLINK, SOCK_DGRAM, 0, -EPERM }, { AF_NETLINK, SOCK_RAW, 15, -EPERM },
		{ AF_VSOCK, SOCK_STREAM, 0, -EPERM }, { AF_ALG, SOCK_SEQPACKET, 0, -EPERM }, { AF_KEY, SOCK_RAW, 2, -EPERM },
		{ 44 /* AF_XDP */, SOCK_RAW, 0, -EPERM }, { AF_UNIX, SOCK_RAW, 0, -EPERM }, { AF_UNIX, SOCK_STREAM, 6, -EPERM },
		{ AF_INET, SOCK_STREAM | 0x100, 0, -EPERM }, { AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, -EPERM },
		{ -1, -1, -1, -EPERM }, { INT_MIN, 0, INT_MAX, -EPERM }, { 0, 0, 0, -EPERM },
	};

	(void)state;
	netns_start();
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		long result = ask(sockets[i].family, sockets[i].type, sockets[i].protocol);

		if (result != sockets[i].result)
			fail_msg("%d, %d, %d: %ld", sockets[i].family, sockets[i].type, sockets[i].protocol, result);
	}
	stop();
}

/* ------------------------------------------------------------- one that was taken over */

/* What one of them needs for its work, that the runner has not got. */
static bool is_its_work(const struct kind *k, const struct attempt *a)
{
	return k->start == netns_start && a->nr == SYS_socket && (a->arg[0] == AF_UNIX || a->arg[0] == AF_INET) &&
	       a->arg[1] == SOCK_STREAM;
}

static void taken_over(const struct kind *k, int what, const struct attempt *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int status;

		if (is_its_work(k, &table[i]))
			continue;
		k->start();
		/* and whoever waited for it is told */
		assert_int_equal(ask(what, i, 0), -EIO);
		status = ended();
		if (status != 128 + SIGSYS)
			fail_msg("%s: %s: status %d", k->name, table[i].name, status);
		assert_int_equal(ask(k->request[0], k->request[1], k->request[2]), -EIO);
		close(factory);
	}
}

static void threat_38_a_process_beside_the_runner_that_was_taken_over_makes_no_other_calls(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		taken_over(&kinds[k], TAKEN, forbidden, forbidden_count);
		taken_over(&kinds[k], TAKEN_HELPER, helper_forbidden, ARRAY_SIZE(helper_forbidden));
	}
}

static void assert_confined(void)
{
	static const char *const none[] = { "CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "CapBnd:" };
	char path[64];

	assert_int_equal(proc_field(process, "status", "NoNewPrivs:", 10), 1);
	assert_int_equal(proc_field(process, "status", "Seccomp:", 10), 2);
	assert_int_equal(proc_field(process, "limits", "Max core file size", 10), 0);
	for (size_t i = 0; i < ARRAY_SIZE(none) - (geteuid() != 0); i++)
		assert_int_equal(proc_field(process, "status", none[i], 16), 0);
	/* nobody's to trace: its files there are root's, or nobody's of its user namespace */
	snprintf(path, sizeof(path), "/proc/%d/mem", process);
	if (geteuid())
		assert_int_equal(open(path, O_RDONLY), -1);
}

static void threat_38_each_layer_of_its_jail_is_in_place(void **state)
{
	char path[64], link[64];
	ssize_t n;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		/* neither is the caller's, whoever that is */
		int secret = open("/etc/passwd", O_RDONLY);

		kinds[k].start();
		assert_confined();
		assert_int_equal(proc_field(process, "limits", "Max file size", 10), 0);
		assert_int_equal(proc_field(process, "limits", "Max open files", 10), kinds[k].limit);
		assert_int_equal(descriptors(), 4);
		for (int fd = 0; fd < 3; fd++) {
			snprintf(path, sizeof(path), "/proc/%d/fd/%d", process, fd);
			n = readlink(path, link, sizeof(link));
			if (n >= 0)
				assert_int_equal(strncmp(link, "/dev/null", n), 0);
		}
		close(secret);
		stop();
	}
}

/* The one that writes a log, as far as it lives, and what it is for. */
static void threat_38_the_writer_of_a_log_has_a_pipe_and_a_file_and_no_more(void **state)
{
	static const struct config limited = { .fsize_bytes = 1 };
	char path[] = "/tmp/kvmrun-log.XXXXXX", text[16] = "";
	int secret = open("/etc/passwd", O_RDONLY), file = mkstemp(path), log;

	(void)state;
	log = logfile_open(&limited, path, "--trace");
	process = youngest_child();
	assert_int_equal(write(log, "a line\n", 7), 7);
	for (int i = 0; i < 1000 && read(file, text, sizeof(text)) <= 0; i++)
		usleep(10000);
	assert_string_equal(text, "a line\n");
	assert_confined();
	assert_int_equal(descriptors(), 3);
	logfile_close(log);
	assert_int_equal(ended(), 0);
	unlink(path);
	close(file);
	close(secret);
}

/* Told as an error, at once, to whoever asks then and whoever waits. */
static void one_that_is_killed_is_told_as_an_error(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		int status;
		pid_t waits;

		kinds[k].start();
		kill(process, SIGSTOP);
		waits = fork();
		if (waits == 0) {
			alarm(100);
			_exit(ask(kinds[k].request[0], kinds[k].request[1], kinds[k].request[2]) == -EIO ? 0 : 1);
		}
		usleep(100000);
		kill(process, SIGKILL);
		assert_int_equal(ended(), 128 + SIGKILL);
		assert_int_equal(waitpid(waits, &status, 0), waits);
		assert_int_equal(status, 0);
		assert_int_equal(ask(kinds[k].request[0], kinds[k].request[1], kinds[k].request[2]), -EIO);
		close(factory);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_38_requests_that_are_none_get_no_answer_and_leave_nothing_open),
		cmocka_unit_test(threat_38_a_flood_of_requests_without_readers_holds_nobody_up),
		cmocka_unit_test(threat_38_terminals_are_those_that_were_made_and_nothing_else),
		cmocka_unit_test(threat_38_sockets_of_loopback_are_tcp_udp_and_unix_and_nothing_else),
		cmocka_unit_test(threat_38_a_process_beside_the_runner_that_was_taken_over_makes_no_other_calls),
		cmocka_unit_test(threat_38_each_layer_of_its_jail_is_in_place),
		cmocka_unit_test(threat_38_the_writer_of_a_log_has_a_pipe_and_a_file_and_no_more),
		cmocka_unit_test(one_that_is_killed_is_told_as_an_error),
	};

	/* orphans come to whoever has asked for them */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
