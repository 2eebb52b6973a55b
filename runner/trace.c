/* SPDX-License-Identifier: GPL-2.0-only */
/* One call as a --trace line. */
#include <asm/unistd_64.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "process.h"
#include "table.h"
#include "thread.h"
#include "trace_ipc.h"
#include "trace_line.h"
#include "trace_net.h"
#include "vcpu.h"
#include "window.h"

#define RESULT_COLUMN	40
#define UNKNOWN_ARGS	6	/* of a call without a row */

static bool is_error(long ret)
{
	return ret < 0 && ret >= -4095;
}

/* What argument i is; the third one of ioctl and fcntl depends on the second. */
static struct abi_arg describe(const struct call *c, int i)
{
	const struct request *r = i == 2 ? call_request(c->nr, c->arg[1]) : NULL;
	static const struct abi_arg number = { .kind = ABI_ARG_VALUE, .fmt = ABI_FMT_HEX };

	if (r && (c->ptr[i] || r->arg.kind == ABI_ARG_VALUE))
		return r->arg;
	if (c->row->served == ABI_BY_NOBODY)
		return number;
	return c->row->arg[i];
}

static uint64_t futex_shown(uint64_t op)
{
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return 0x0f;
	case FUTEX_WAKE:
	case FUTEX_FD:
		return 0x07;
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return 0x0b;
	case FUTEX_UNLOCK_PI:
	case FUTEX_TRYLOCK_PI:
		return 0x03;
	case FUTEX_WAIT_BITSET:
		return 0x2f;
	case FUTEX_WAKE_BITSET:
		return 0x27;
	case FUTEX_REQUEUE:
	case FUTEX_WAIT_REQUEUE_PI:
		return 0x1f;
	default:
		return 0x3f;
	}
}

static uint64_t prctl_shown(uint64_t option)
{
	switch ((int)option) {
	case PR_GET_DUMPABLE:
	case PR_GET_KEEPCAPS:
	case PR_GET_SECCOMP:
	case PR_GET_SECUREBITS:
	case PR_GET_TIMERSLACK:
		return 0x01;
	case PR_SET_PDEATHSIG:
	case PR_GET_PDEATHSIG:
	case PR_SET_DUMPABLE:
	case PR_SET_KEEPCAPS:
	case PR_SET_NAME:
	case PR_GET_NAME:
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
	case PR_GET_TSC:
	case PR_SET_TSC:
	case PR_SET_SECUREBITS:
	case PR_SET_TIMERSLACK:
	case PR_SET_CHILD_SUBREAPER:
	case PR_GET_CHILD_SUBREAPER:
		return 0x03;
	default:
		return 0x1f;
	}
}

/* Which arguments count: some do not in the light of others. A bit per argument. */
static uint64_t shown(const struct call *c)
{
	uint64_t all;

	if (!call_name(c->nr))
		return (1 << UNKNOWN_ARGS) - 1;
	all = (1 << c->row->nargs) - 1;
	switch (c->nr) {
	case __NR_open:
		return c->arg[1] & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? all : 0x3;
	case __NR_openat:
		return c->arg[2] & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? all : 0x7;
	case __NR_mknod:
		return S_ISCHR(c->arg[1]) || S_ISBLK(c->arg[1]) ? all : 0x3;
	case __NR_mknodat:
		return S_ISCHR(c->arg[2]) || S_ISBLK(c->arg[2]) ? all : 0x7;
	case __NR_mremap:
		return c->arg[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? all : 0xf;
	case __NR_preadv2:
	case __NR_pwritev2:
		return all & ~0x10;	/* the offset's upper half: 64-bit kernels ignore it */
	case __NR_membarrier:
		return c->arg[1] & MEMBARRIER_CMD_FLAG_CPU ? all : 0x3;
	case __NR_fcntl:
	case __NR_ioctl: {
		struct abi_arg a = describe(c, 2);

		return a.kind == ABI_ARG_VALUE && a.fmt == ABI_FMT_NONE ? 0x3 : all;
	}
	case __NR_futex:
		return futex_shown(c->arg[1]);
	case __NR_prctl:
		return prctl_shown(c->arg[0]);
	case __NR_mq_open:
		return c->arg[1] & O_CREAT ? all : 0x3;
	case __NR_mq_notify:
		return 0x3;	/* the third one is the shim's addition */
	}
	return all;
}

/* A pointer whose target is not shown. */
static void put_pointer(struct trace *t, const struct call *c, int i)
{
	if (c->arg[i])
		put_address(t, c->arg[i]);
	else
		put(t, c->ptr[i] || c->iov[i] ? "..." : "NULL");
}

/* The first bytes of a buffer, gathered from its pieces. Guest memory may change meanwhile: it is read once. */
static size_t gather(const struct call *c, int i, void *out, size_t n)
{
	size_t have = 0;

	for (int k = 0; k < c->iovcnt[i] && have < n; k++) {
		size_t piece = c->iov[i][k].iov_len, left;

		if (piece > n - have)
			piece = n - have;
		left = guest_copy((char *)out + have, c->iov[i][k].iov_base, piece);
		have += piece - left;
		if (left)
			break;
	}
	return have;
}

void put_buffer(struct trace *t, const struct call *c, int i, uint64_t bytes, size_t limit)
{
	char text[PATH_MAX];
	size_t have;

	if (!c->iov[i]) {
		put_pointer(t, c, i);
		return;
	}
	if (bytes > c->count[i])
		bytes = c->count[i];
	have = gather(c, i, text, bytes < limit ? bytes : limit);
	put_quoted(t, text, have);
	if (bytes > limit)
		put(t, "...");
}

/* Random bytes are not text. */
static void put_random(struct trace *t, const struct call *c, int i, uint64_t bytes)
{
	unsigned char data[TRACE_STRING];
	size_t have = gather(c, i, data, bytes < sizeof(data) ? bytes : sizeof(data));

	put(t, "\"");
	for (size_t k = 0; k < have; k++)
		put(t, "\\x%02x", data[k]);
	put(t, bytes > sizeof(data) ? "\"..." : "\"");
}

/* The records are counted by their lengths, which lie at the same place in both forms. */
static void put_dirents(struct trace *t, const struct call *c, int i, uint64_t bytes)
{
	char records[32 * 1024];
	size_t have = gather(c, i, records, bytes < sizeof(records) ? bytes : sizeof(records));
	size_t at = 0;
	unsigned int n = 0;

	while (at + offsetof(struct dirent, d_type) <= have) {
		uint16_t length;

		memcpy(&length, records + at + offsetof(struct dirent, d_reclen), sizeof(length));
		if (!length)
			break;
		at += length;
		n++;
	}
	put_pointer(t, c, i);
	put(t, " /* %u entries */", n);
}

static void put_output_buffer(struct trace *t, const struct call *c, int i, long ret)
{
	switch (c->nr) {
	case __NR_getcwd:
		put_buffer(t, c, i, ret ? ret - 1 : 0, PATH_MAX);
		return;
	case __NR_getrandom:
		put_random(t, c, i, ret);
		return;
	case __NR_getdents:
	case __NR_getdents64:
		put_dirents(t, c, i, ret);
		return;
	case __NR_msgrcv:
		if (c->iov[i])
			put_msgbuf(t, c, i, c->arg[2]);
		else
			put_pointer(t, c, i);
		return;
	case __NR_semctl:
		put_pointer(t, c, i);
		return;
	case __NR_getxattr:
	case __NR_lgetxattr:
	case __NR_fgetxattr:
	case __NR_listxattr:
	case __NR_llistxattr:
	case __NR_flistxattr:
		if (!c->count[i]) {	/* only the size was asked for */
			put_pointer(t, c, i);
			return;
		}
	}
	put_buffer(t, c, i, ret, TRACE_STRING);
}

/* The iovecs arrive flattened: as if they were one. */
static void put_iov(struct trace *t, const struct call *c, int i, long bytes)
{
	if (!c->iovcnt[i]) {
		put(t, "[]");
		return;
	}
	put(t, "[{iov_base=");
	if (is_error(bytes))
		put(t, "...");
	else
		put_buffer(t, c, i, bytes, TRACE_STRING);
	put(t, ", iov_len=%lu}]", c->count[i]);
}

/* Paths are shown whole, other text is cut. */
static void put_string(struct trace *t, const struct call *c, int i)
{
	size_t n = strlen(c->ptr[i]);
	bool cut;

	switch (c->nr) {
	case __NR_setxattr:
	case __NR_lsetxattr:
	case __NR_fsetxattr:
	case __NR_getxattr:
	case __NR_lgetxattr:
	case __NR_fgetxattr:
	case __NR_removexattr:
	case __NR_lremovexattr:
	case __NR_fremovexattr:
		cut = i == 1 && n > TRACE_STRING;
		break;
	default:
		cut = false;
	}
	put_quoted(t, c->ptr[i], cut ? TRACE_STRING : n);
	if (cut)
		put(t, "...");
}

static bool is_nanosleep(const struct call *c)
{
	return c->nr == __NR_nanosleep || c->nr == __NR_clock_nanosleep;
}

static bool is_wait(const struct call *c)
{
	return c->nr == __NR_wait4 || c->nr == __NR_waitid;
}

/* Whether argument i is printed when the call has been made. */
static bool comes_out(const struct call *c, int i, const struct abi_arg *a)
{
	switch (a->kind) {
	case ABI_ARG_OUT:
	case ABI_ARG_OUTVEC:
	case ABI_ARG_OUTBUF:
	case ABI_ARG_OUTIOV:
	case ABI_ARG_OUTMSG:
		return true;
	case ABI_ARG_INOUT:
		return a->type == ABI_STRUCT_getlk || is_wait(c) || (is_nanosleep(c) && i == (c->nr == __NR_nanosleep ? 1 : 3));
	default:
		return false;
	}
}

/* How many bytes of an output vector or structure hold something. */
static uint64_t filled(const struct call *c, int i, const struct abi_arg *a, long ret)
{
	if (a->kind == ABI_ARG_OUTVEC && (uint64_t)ret < c->count[i] / a->size)
		return (uint64_t)ret * a->size;
	return c->count[i];
}

/* Whether argument i has its length in the next one. */
static bool is_counted(const struct abi_arg *a)
{
	return a->kind == ABI_ARG_OUT && (a->type == ABI_STRUCT_addrbuf || a->type == ABI_STRUCT_optbuf);
}

/* An address or an option that came, as far as there was room for it. */
static void put_counted(struct trace *t, const struct call *c, int i, const struct abi_arg *a)
{
	uint32_t n = c->ptr[i + 1] ? *(uint32_t *)c->ptr[i + 1] : 0;

	if (n > t->room)
		n = t->room;
	if (n > c->count[i])
		n = c->count[i];
	if (a->type == ABI_STRUCT_addrbuf)
		put_sockaddr(t, c->ptr[i], n);
	else
		put_option(t, c->arg[1], c->arg[2], c->ptr[i], n);
}

/* How much room there was, and how much was told. */
static void put_length(struct trace *t, const struct call *c, int i, long ret)
{
	uint32_t n;

	if (!c->ptr[i] || !c->ptr[i - 1]) {
		put_pointer(t, c, i);
		return;
	}
	n = *(uint32_t *)c->ptr[i];
	if (is_error(ret) || n == t->room)
		put(t, "[%d]", t->room);
	else
		put(t, "[%d => %d]", t->room, n);
}

static void put_output(struct trace *t, const struct call *c, int i, const struct abi_arg *a, long ret)
{
	bool good = !is_error(ret) || (ret == -EINTR && is_nanosleep(c));

	if ((is_nanosleep(c) && ret != -EINTR) || (c->nr == __NR_wait4 && !ret))
		good = false;
	if (a->kind == ABI_ARG_OUTIOV && c->iov[i])
		put_iov(t, c, i, ret);
	else if (!good)
		put_pointer(t, c, i);
	else if (a->kind == ABI_ARG_OUTMSG && c->ptr[i])
		put_message(t, c, i, ret);
	else if (is_counted(a) && c->ptr[i])
		put_counted(t, c, i, a);
	else if (a->kind == ABI_ARG_OUTBUF)
		put_output_buffer(t, c, i, ret);
	else if (c->ptr[i])
		put_struct(t, a->type, c->ptr[i], filled(c, i, a, ret), a->kind == ABI_ARG_OUTVEC);
	else
		put_pointer(t, c, i);
}

static void put_futex_arg(struct trace *t, const struct call *c, int i)
{
	uint64_t command = c->arg[1] & FUTEX_CMD_MASK;
	bool bitset = command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET;

	if (i == 5 && bitset && (uint32_t)c->arg[5] == FUTEX_BITSET_MATCH_ANY)
		put(t, "FUTEX_BITSET_MATCH_ANY");
	else if (command > FUTEX_LOCK_PI2 || bitset)
		put(t, "%#x", (uint32_t)c->arg[i]);
	else
		put(t, "%u", (uint32_t)c->arg[i]);
}

static void put_input(struct trace *t, const struct call *c, int i, const struct abi_arg *a)
{
	if (c->nr == __NR_futex && ((i == 3 && !c->ptr[3] && c->arg[3]) || i == 5)) {
		put_futex_arg(t, c, i);
		return;
	}
	if (c->nr == __NR_prctl && i && prctl_shown(c->arg[0]) != 0x1f && c->arg[0] != PR_SET_NAME &&
	    c->arg[0] != PR_GET_NAME) {
		put(t, "%lu", c->arg[i]);
		return;
	}
	if (a->fmt == ABI_FMT_PROTOCOL && (c->nr != __NR_socket || ((int)c->arg[0] != AF_INET && (int)c->arg[0] != AF_INET6))) {
		put(t, "%lu", c->arg[i]);
		return;
	}
	if (a->type == ABI_STRUCT_addr && a->kind == ABI_ARG_INVEC && c->count[i] < sizeof(sa_family_t)) {
		put_pointer(t, c, i);
		return;
	}
	if (a->fmt == ABI_FMT_SOCKOPT) {
		put_option_name(t, c->arg[1], c->arg[2]);
		return;
	}
	if (c->ptr[i] && a->type == ABI_STRUCT_optval && a->kind == ABI_ARG_INVEC) {
		put_option(t, c->arg[1], c->arg[2], c->ptr[i], c->count[i]);
		return;
	}
	if (c->ptr[i] && a->kind == ABI_ARG_INMSG) {
		put_message(t, c, i, UINT64_MAX);
		return;
	}
	switch (a->kind) {
	case ABI_ARG_DIRFD:
		if ((int)c->arg[i] == AT_FDCWD) {
			put(t, "AT_FDCWD");
			return;
		}
		/* fall through */
	case ABI_ARG_VALUE:
	case ABI_ARG_FD:
	case ABI_ARG_ADDRESS:
		put_value(t, a->fmt, c->arg[i]);
		return;
	case ABI_ARG_STRING:
		if (!c->ptr[i]) {
			put_pointer(t, c, i);
			return;
		}
		put_string(t, c, i);
		return;
	case ABI_ARG_INBUF:
		if (c->nr == __NR_semctl)
			put_pointer(t, c, i);
		else if (c->iov[i] && c->nr == __NR_msgsnd)
			put_msgbuf(t, c, i, c->arg[2]);
		else if (c->iov[i])
			put_buffer(t, c, i, c->count[i], TRACE_STRING);
		else
			put_pointer(t, c, i);
		return;
	case ABI_ARG_INIOV:
		if (c->iov[i])
			put_iov(t, c, i, c->count[i]);
		else
			put_pointer(t, c, i);
		return;
	}
	if (!c->ptr[i])
		put_pointer(t, c, i);
	else if (a->type == ABI_STRUCT_fdset)
		put_fdset(t, c->ptr[i], c->arg[0] > INT32_MAX ? 0 : c->arg[0]);
	else
		put_struct(t, a->type, c->ptr[i], c->count[i],
			   a->kind == ABI_ARG_INVEC || a->kind == ABI_ARG_INOUTVEC || a->kind == ABI_ARG_WORDS);
}

void trace_begin(struct trace *t, const struct call *c)
{
	const char *name = call_name(c->nr);
	uint64_t args = shown(c);

	t->len = 0;
	t->room = 0;
	for (int i = 0; i + 1 < c->row->nargs; i++)
		if (is_counted(&c->row->arg[i]) && c->ptr[i + 1])
			t->room = *(uint32_t *)c->ptr[i + 1];
	/* as strace -f does once there are others */
	if (thread_vcpu(1) || process_forked())
		put(t, "[pid %u] ", c->vcpu->guest_tid);
	if (name)
		put(t, "%s(", name);
	else
		put(t, "syscall_%#x(", c->nr);
	for (t->next = 0; args >> t->next; t->next++) {
		struct abi_arg a = describe(c, t->next);

		if (!(args >> t->next & 1))
			continue;
		if (comes_out(c, t->next, &a))
			return;
		put(t, "%s", t->next ? ", " : "");
		put_input(t, c, t->next, &a);
	}
}

/* What select(2) answered: "in [0], left {...}". */
static void put_selected(struct trace *t, const struct call *c)
{
	static const char *const names[] = { NULL, "in ", "out ", "except " };
	struct abi_arg a = describe(c, 4);
	const char *comma = "";

	for (int i = 1; i <= 3; i++) {
		static const uint8_t none[ABI_SIZE_fdset];

		if (!c->ptr[i] || !memcmp(c->ptr[i], none, sizeof(none)))
			continue;
		put(t, "%s%s", comma, names[i]);
		put_fdset(t, c->ptr[i], c->arg[0] > INT32_MAX ? 0 : c->arg[0]);
		comma = ", ";
	}
	if (c->ptr[4]) {
		put(t, "%sleft ", comma);
		put_struct(t, a.type, c->ptr[4], c->count[4], false);
	}
}

/* What strace adds to a result in brackets. */
static void put_explanation(struct trace *t, const struct call *c, long ret)
{
	switch (c->nr) {
	case __NR_poll:
	case __NR_ppoll:
	case __NR_select:
	case __NR_pselect6:
		if (!ret) {
			put(t, " (Timeout)");
			return;
		}
		put(t, " (");
		if (c->nr == __NR_select || c->nr == __NR_pselect6) {
			put_selected(t, c);
		} else {
			put_revents(t, c->ptr[0], c->ptr[0] ? c->count[0] : 0);
			if (c->nr == __NR_ppoll && c->ptr[2]) {
				put(t, ", left ");
				put_struct(t, ABI_STRUCT_timespec, c->ptr[2], c->count[2], false);
			}
		}
		put(t, ")");
	}
}

static void put_result(struct trace *t, const struct call *c, long ret)
{
	uint8_t fmt = c->row->retfmt;

	if (c->nr == __NR_fcntl && (c->arg[1] == F_GETFD || c->arg[1] == F_GETFL)) {
		put(t, "%#lx", ret);
		if (ret) {
			put(t, " (flags ");
			put_value(t, c->arg[1] == F_GETFD ? ABI_FMT_FDFLAGS : ABI_FMT_OPEN, ret);
			put(t, ")");
		}
		return;
	}
	switch (fmt) {
	case ABI_FMT_ADDR:
	case ABI_FMT_HEX:
		put(t, "%#lx", ret);
		return;
	case ABI_FMT_MODE:
		put(t, "%#03lo", ret);
		return;
	case ABI_FMT_SIGNAL:
	case ABI_FMT_SCHED:
		put(t, "%ld (", ret);
		put_value(t, fmt, ret);
		put(t, ")");
		return;
	}
	put(t, "%ld", ret);
	if (fmt == ABI_FMT_TIME)
		put_date(t, " (", ret, 0, 0, ")");
}

void trace_end(struct trace *t, int fd, const struct call *c, long ret)
{
	uint64_t args = shown(c);

	for (; args >> t->next; t->next++) {
		struct abi_arg a = describe(c, t->next);

		if (!(args >> t->next & 1))
			continue;
		put(t, "%s", t->next ? ", " : "");
		if (t->next && is_counted(&c->row->arg[t->next - 1]))
			put_length(t, c, t->next, ret);
		else if (comes_out(c, t->next, &a))
			put_output(t, c, t->next, &a, ret);
		else
			put_input(t, c, t->next, &a);
	}
	put(t, ") ");
	if (t->len < RESULT_COLUMN)
		put(t, "%*s", (int)(RESULT_COLUMN - t->len), "");
	put(t, "= ");
	if (c->nr == __NR_exit || c->nr == __NR_exit_group) {
		put(t, "?");
	} else if (is_error(ret)) {
		const char *name = strerrorname_np(-ret);

		if (name)
			put(t, "-1 %s (%s)", name, strerrordesc_np(-ret));
		else
			put(t, "-1 (errno %ld)", -ret);
	} else {
		put_result(t, c, ret);
		put_explanation(t, c, ret);
	}
	if (t->len == sizeof(t->text) - 1)
		t->len--;
	put(t, "\n");
	trace_write(fd, t);
}
