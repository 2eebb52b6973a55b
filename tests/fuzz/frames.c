/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hostile shim: frames made by the call table, by mutation of those in corpus/frames and
 * by chance, straight to call_serve(), with a directory to read and one to write as grants.
 * In every other generation a thread rewrites the frame meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "../guest_call.h"
#include "../../runner/net.h"
#include "../../runner/table.h"

#define FRAMES	100000	/* in a generation */
#define PAGES	64	/* of guest RAM, behind the frame, that segments are in */

static char **corpus;
static uint32_t seeds;	/* in it */

/* ------------------------------------------------------------- a stand-in that never waits */

static bool ready(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	return poll(&p, 1, 0) == 1;
}

/* Ends a wait; again and again, for the first may come before it. */
static timer_t waking;

long interruptible_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5)
{
	static const struct {
		long nr;
		short events;
	} io[] = {
		{ SYS_read, POLLIN }, { SYS_readv, POLLIN }, { SYS_preadv2, POLLIN }, { SYS_recvmsg, POLLIN },
		{ SYS_accept4, POLLIN }, { SYS_write, POLLOUT }, { SYS_writev, POLLOUT }, { SYS_pwritev2, POLLOUT },
		{ SYS_sendmsg, POLLOUT }, { SYS_openat2, 0 },
	};
	const struct itimerspec often = { { 0, 5000000 }, { 0, 5000000 } }, never = { 0 };
	long ret;

	for (size_t i = 0; i < COUNT(io); i++) {
		/* a FIFO that somebody has to open at its other end is not opened */
		if (io[i].nr != nr || nr == SYS_openat2 || !ready(a0, io[i].events))
			continue;
		/* what there is may be less than what is asked for, of a pipe to write to */
		if (io[i].events == POLLOUT && !(fcntl(a0, F_GETFL) & O_NONBLOCK) && !below(2))
			break;
		timer_settime(waking, 0, &often, NULL);
		ret = syscall(nr, a0, a1, a2, a3, a4, a5);
		ret = ret == -1 ? -errno : ret;
		timer_settime(waking, 0, &never, NULL);
		return ret;
	}
	return -EINTR;
}

/* ------------------------------------------------------------- frames */

/* Calls that end or disturb the process that they are made in: it stands for the whole of a VM. */
static bool spared(uint32_t nr)
{
	static const uint16_t calls[] = {
		SYS_pause, SYS_rt_sigsuspend, SYS_alarm, SYS_setitimer, SYS_timer_create, SYS_sync,
	};

	for (size_t i = 0; i < COUNT(calls); i++)
		if (calls[i] == nr)
			return true;
	return false;
}

static uint32_t any_call(void)
{
	for (;;) {
		uint32_t nr = below(ABI_CALLS);

		if (call_table[nr].served != ABI_BY_SHIM && !spared(nr) && (call_table[nr].served || !below(50)))
			return nr;
	}
}

static uint64_t any_number(void)
{
	switch (below(12)) {
	case 0:
		return noise();
	case 1:
		return ABI_NULL;
	case 2:
		return GUEST_RAM - below(8192);
	case 3:
		return ~(uint64_t)below(64);
	case 4:
		return 1ull << below(64);
	case 5:
		return (1ull << below(64)) - 1;
	case 6:
		return (uint32_t)noise();
	case 7:
		return below(70000);
	default:
		return below(64);
	}
}

/* Made here, where nobody rewrites it. */
static struct abi_frame made;

static uint64_t put_data(uint64_t bytes)
{
	uint32_t at = (made.data_len + 7) & ~7u;

	if (bytes > ABI_DATA || at > ABI_DATA - bytes)
		return ABI_NULL;
	made.data_len = at + bytes;
	for (uint64_t i = 0; i < bytes && i < 256; i++)
		made.data[at + i] = below(3) ? below(4) : noise();
	return at | bytes << 32;
}

static const char *const names[] = {
	"/rw/a", "/rw/b", "/rw/d", "/rw/d/a", "/rw/d/b", "/rw/link", "/rw/out", "/rw/up", "/rw/fifo", "/rw/sock", "/ro/a", "/ro/d/b",
	"/ro/link", "/ro/out", "/rw", "/ro", "/", ".", "..", "a", "b", "d", "../ro/a", "/rw/../../etc/passwd", "/etc/passwd",
	"/proc/self/mem", "/proc/self/fd/3", "/dev/null", "/dev/zero", "/dev/kvm", "", "/rw/d/../d/./a/", "/rw//b/", "user.x", "x",
};

static uint64_t put_string(void)
{
	const char *name = names[below(COUNT(names))];
	uint32_t n = below(200) ? strlen(name) + 1 : 1 + below(4200);
	uint64_t where = put_data(n);

	if (where == ABI_NULL)
		return where;
	memset(made.data + (uint32_t)where, below(2) ? 'a' : '/', n);
	memcpy(made.data + (uint32_t)where, name, n <= strlen(name) ? n : strlen(name));
	made.data[(uint32_t)where + n - 1] = below(500) ? '\0' : 'x';
	if (n == strlen(name) + 1)
		memcpy(made.data + (uint32_t)where, name, n);
	return where;
}

static uint64_t put_segments(uint64_t bytes)
{
	uint32_t first = made.nseg, n = below(100) ? below(4) : below(ABI_NSEGS + 1);

	for (uint32_t i = 0; i < n && bytes && made.nseg < ABI_NSEGS; i++) {
		uint64_t len = 1 + below(bytes < 4096 ? bytes : 4096);

		made.seg[made.nseg++] = (struct abi_seg){ ABI_FRAME_SIZE + below(PAGES * ABI_PAGE), len };
		bytes -= len;
	}
	return first | (uint64_t)(made.nseg - first) << 32;
}

static uint64_t put_message(void)
{
	uint32_t control = below(3) ? 0 : 8 * below(8), at;
	uint64_t where = put_data(sizeof(struct abi_msg) + control);
	struct abi_msg *m;

	if (where == ABI_NULL)
		return where;
	at = where;
	m = (struct abi_msg *)(made.data + at);
	m->name_len = below(4) ? below(4) * 4 : below(200);
	m->control_len = below(50) ? control : noise();
	m->name[0] = below(12);
	m->name[1] = 0;
	made.nseg = 0;
	put_segments(65536);
	return where;
}

/* An argument as the row has it. */
static uint64_t put(const struct abi_arg *a)
{
	switch (a->kind) {
	case ABI_ARG_NONE:
	case ABI_ARG_VALUE:
	case ABI_ARG_ADDRESS:
		return any_number();
	case ABI_ARG_FD:
		return below(8) ? below(24) : any_number();
	case ABI_ARG_DIRFD:
		return below(2) ? (uint64_t)AT_FDCWD : below(24);
	case ABI_ARG_STRING:
		return put_string();
	case ABI_ARG_INBUF:
	case ABI_ARG_OUTBUF:
		return put_segments(made.arg[a->ref]);
	case ABI_ARG_INIOV:
	case ABI_ARG_OUTIOV:
		return put_segments(65536);
	case ABI_ARG_INVEC:
	case ABI_ARG_OUTVEC:
	case ABI_ARG_INOUTVEC:
		if (made.arg[a->ref] > 1000)
			made.arg[a->ref] = below(20);
		return put_data(made.arg[a->ref] * a->size);
	case ABI_ARG_WORD:
		made.seg[made.nseg++] = (struct abi_seg){ ABI_FRAME_SIZE + 4 * below(1024), 4 };
		return ABI_FRAME_SIZE;
	case ABI_ARG_WORDS:
		if (made.arg[a->ref] > 200)
			made.arg[a->ref] = below(20);
		for (uint64_t k = 0; k < made.arg[a->ref]; k++)
			made.seg[made.nseg++] = (struct abi_seg){ ABI_FRAME_SIZE + 4 * below(1024), 4 };
		return put_data(made.arg[a->ref] * a->size);
	case ABI_ARG_INMSG:
	case ABI_ARG_OUTMSG:
		return put_message();
	default:
		return put_data(a->size);
	}
}

static void by_table(void)
{
	const struct abi_call *row;
	const struct request *request = NULL;
	const struct abi_arg *control = NULL;
	bool controls;

	made.op = below(300) ? ABI_OP_CALL : ABI_OP_REPORT;
	made.nr = any_call();
	made.nseg = made.data_len = made.bad = made.more = 0;
	made.deadline = 0;
	row = &call_table[made.nr];
	/* lengths first: buffers follow them */
	for (int i = 0; i < 6; i++)
		made.arg[i] = any_number();
	if (made.nr == SYS_ioctl || made.nr == SYS_fcntl) {
		for (int tries = 0; !request && tries < 1000; tries++) {
			made.arg[1] = made.nr == SYS_fcntl ? below(1050) : 0x5400 + below(256);
			request = call_request(made.nr, made.arg[1]);
		}
	}
	/* of these the last argument is what the command says */
	controls = made.nr == SYS_shmctl || made.nr == SYS_semctl || made.nr == SYS_msgctl;
	for (int tries = 0; controls && !control && tries < 1000; tries++) {
		made.arg[made.nr == SYS_semctl ? 2 : 1] = below(24);
		control = call_control(made.nr, made.arg);
	}
	for (int i = 0; i < row->nargs; i++) {
		const struct abi_arg *a = i == 2 && request ? &request->arg : control && i == row->nargs - 1 ? control : &row->arg[i];

		if (a->kind != ABI_ARG_NONE && a->kind != ABI_ARG_VALUE && !(request && i == 1))
			made.arg[i] = a->kind == ABI_ARG_FD || below(12) ? put(a) : ABI_NULL;
	}
}

/* "NAME BAD ARG... | DATA": numbers are hexadecimal, DATA bytes of 2 digits. */
static void by_corpus(void)
{
	const char *s = corpus[below(seeds)];
	char name[32];
	int used;

	made.op = ABI_OP_CALL;
	made.nseg = ABI_NSEGS < 4 ? ABI_NSEGS : 4;
	for (uint32_t i = 0; i < made.nseg; i++)
		made.seg[i] = (struct abi_seg){ ABI_FRAME_SIZE + i * 300, 8 };
	made.data_len = 0;
	if (sscanf(s, "%31s %x%n", name, &made.bad, &used) != 2)
		found("corpus: %s", s);
	made.nr = 0;
	while (made.nr < ABI_CALLS && !(call_name(made.nr) && strcmp(call_name(made.nr), name) == 0))
		made.nr++;
	if (made.nr == ABI_CALLS)
		found("corpus: no call %s", name);
	made.ret = -EFAULT;
	s += used;
	for (int i = 0; i < 6; i++) {
		unsigned long n = 0;

		if (sscanf(s, " %lx%n", &n, &used) == 1)
			s += used;
		made.arg[i] = n;
	}
	s = strchr(s, '|');
	for (unsigned int byte; s && sscanf(++s, " %2x%n", &byte, &used) == 1; s += used - 1)
		made.data[made.data_len++] = byte;
}

static void mutate(void)
{
	uint32_t n = below(20) ? below(2) : below(6);

	while (n--)
		switch (below(11)) {
		case 0:
			made.nr = below(40) ? made.nr : noise();
			break;
		case 1:
			made.nseg = below(4) ? below(6) : noise();
			break;
		case 2:
			made.data_len = below(4) ? below(64) * 8 : noise();
			break;
		case 3:
			made.seg[below(4)] = (struct abi_seg){ any_number(), any_number() };
			break;
		case 4:
			made.bad = below(64);
			made.ret = below(8) ? -(int64_t)(1 + below(40)) : (int64_t)noise();
			break;
		case 5:
			made.data[below(256)] = noise();
			break;
		case 6:
			made.arg[below(6)] ^= 1ull << below(64);
			break;
		case 7:
			made.op = below(10) ? made.op : noise();
			break;
		default:
			made.arg[below(6)] = any_number();
		}
}

/* ------------------------------------------------------------- a generation */

static atomic_bool rewriting;

static void *rewrite(void *arg)
{
	volatile struct abi_frame *f = arg;
	uint64_t n = 1;

	while (rewriting) {
		n = n * 0xd1342543de82ef95 + 1;
		switch (n >> 60) {
		case 0:
			f->nseg = n >> 32;
			break;
		case 1:
			f->data_len = n >> 40;
			break;
		case 2:
			f->seg[n >> 32 & 3].len = n;
			break;
		case 3:
			f->seg[n >> 32 & 3].gpa = n >> 20;
			break;
		default:
			f->data[n >> 32 & 255] = n >> 24;
		}
		f->arg[n >> 50 & 3] ^= n >> 59 ? 0 : n;
	}
	return arg;
}

static void make_trees(void)
{
	static const char *const dirs[] = { "ro", "ro/d", "rw", "rw/d", "out" };
	static const char *const files[] = { "ro/a", "ro/d/b", "rw/a", "rw/d/b", "out/secret" };
	static const char *const links[][2] = {
		{ "a", "ro/link" }, { "../out/secret", "ro/out" }, { "d/b", "rw/link" }, { "../out", "rw/out" }, { "..", "rw/up" },
	};

	if (chdir(fuzz_dir))
		found("%s: cannot be entered", fuzz_dir);
	for (size_t i = 0; i < COUNT(dirs); i++)
		mkdir(dirs[i], 0755);
	for (size_t i = 0; i < COUNT(files); i++) {
		int fd = open(files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		if (fd < 0 || write(fd, files[i], strlen(files[i])) < 0)
			found("%s: %m", files[i]);
		close(fd);
	}
	for (size_t i = 0; i < COUNT(links); i++)
		if (symlink(links[i][0], links[i][1]))
			found("%s: %m", links[i][1]);
}

/* What no frame may have changed. */
static void check_kept(const char *path, const struct stat *before)
{
	struct stat now;
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &now) || read(fd, text, sizeof(text) - 1) < 0 || strcmp(text, path) ||
	    now.st_mode != before->st_mode || now.st_uid != before->st_uid || now.st_nlink != before->st_nlink ||
	    now.st_mtim.tv_sec != before->st_mtim.tv_sec || now.st_mtim.tv_nsec != before->st_mtim.tv_nsec)
		found("%s: is not what it was: \"%s\"", path, text);
	close(fd);
}

/* How many there are; and each with what it is of. */
static int host_descriptors(bool show)
{
	char path[64], name[256];
	int n = 0;

	for (int fd = 0; fd < 4096; fd++) {
		ssize_t len;

		if (fcntl(fd, F_GETFD) < 0)
			continue;
		n++;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = show ? readlink(path, name, sizeof(name)) : -1;
		if (len > 0)
			fprintf(stderr, "# %d %.*s\n", fd, (int)len, name);
	}
	return n;
}

static void no_signal(int sig)
{
	(void)sig;
}

static void start(void)
{
	static struct grant grants[] = { { "ro", "/ro", false }, { "rw", "/rw", true } };
	static struct config config = { .grants = grants, .ngrants = 2, .cwd = "/rw" };
	struct sigevent wake = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	int null;

	make_trees();
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = no_signal }, NULL);
	wake._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &wake, &waking))
		found("no timer: %m");
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 20, 1 << 20 });
	/* calls on standard streams are calls, too, but for that of findings */
	null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(STDERR_FILENO);
	guest_start(&config);
	net_init(&config);
	fuzz_take_err();
}

/* The frame to where the guest has it; data and segments that it does not speak of stay. */
static void hand_over(void)
{
	memcpy(frame, &made, offsetof(struct abi_frame, data));
	memcpy(frame->data, made.data, made.data_len < 512 ? 512 : made.data_len < ABI_DATA ? made.data_len : ABI_DATA);
	memcpy(frame->seg, made.seg, (made.nseg < 4 ? 4 : made.nseg < ABI_NSEGS ? made.nseg : ABI_NSEGS) * sizeof(made.seg[0]));
}

static void frames(void)
{
	struct stat ro, out;
	pthread_t thread;
	bool raced;
	int before;

	raced = below(2);
	start();
	if (stat("ro/a", &ro) || stat("out/secret", &out))
		found("the trees are not there");
	before = host_descriptors(false);
	rewriting = raced;
	if (raced && pthread_create(&thread, NULL, rewrite, frame))
		found("no thread");
	for (uint32_t i = 0; i < FRAMES; i++) {
		const char *why = NULL;
		uint32_t nr;
		int ret;

		if (below(4))
			by_table();
		else
			by_corpus();
		if (below(3) == 0)
			mutate();
		nr = made.nr;
		/* a mutation may have made it one of those */
		if (spared(nr))
			continue;
		hand_over();
		ret = guest_serve(&why);
		fuzz_case();
		if (ret && (ret != -EPROTO || !why))
			found("served: %d without a reason", ret);
		if (!ret && !raced && made.op == ABI_OP_CALL && frame->ret < -4095)
			found("call %u: the result is %lld", nr, (long long)frame->ret);
		if (ret) {
			fuzz_totals->refused++;
		} else if (frame->ret >= 0) {
			fuzz_totals->good++;
			if (nr < ABI_CALLS)
				fuzz_totals->by[nr]++;
		}
	}
	rewriting = false;
	if (raced)
		pthread_join(thread, NULL);
	guest_call(close_range, 0, ~0u, 0);
	guest_call(chdir, P("/"));
	/* and what the runner opens once, when it is first asked for: two for a pidfd of the first process, one for O_ASYNC */
	if (host_descriptors(false) > before + 3)
		found("%d descriptors of the host's are left, of %d", host_descriptors(true), before);
	check_kept("ro/a", &ro);
	check_kept("out/secret", &out);
}

/* Calls that went well at least once; the kinds of refusals are the tests'. */
static bool whole(void)
{
	unsigned int calls = 0;

	for (size_t i = 1; i < ABI_CALLS; i++)
		calls += fuzz_totals->by[i] > 0;
	printf("# %u calls went well at least once\n", calls);
	return calls > 100 && fuzz_totals->refused > fuzz_totals->cases / 100;
}

int main(int argc, char **argv)
{
	corpus = fuzz_corpus("tests/fuzz/corpus/frames");
	while (corpus[seeds])
		seeds++;
	return fuzz(argc, argv, frames, whole);
}
