/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "call.h"
#include "fdtable.h"
#include "interrupt.h"
#include "policy.h"
#include "proc_maps.h"
#include "sys.h"
#include "table.h"
#include "trace.h"
#include "vcpu.h"
#include "vm.h"

/* The frame's own fields, read once. */
struct header {
	uint32_t op, nr, nseg, data_len, bad;
	uint64_t arg[6], deadline;
	int64_t ret;
};

#define HANDLER_HOST(nr, name)	[nr] = host_##name,
#define HANDLER_BOTH(nr, name)	[nr] = host_##name,
#define HANDLER_PASS(nr, name)	[nr] = pass,
#define HANDLER_SHIM(nr, name)
#define CALL(nr, name, by, ...)	HANDLER_##by(nr, name)
#define NONE(...)
static call_fn *const handlers[ABI_CALLS] = {
#include "../shim/calls.def"
};
#undef CALL
#undef NONE

/* ------------------------------------------------------------- the private copy */


static void read_header(struct header *h, const struct abi_frame *f)
{
	h->op = READ_ONCE(f->op);
	h->nr = READ_ONCE(f->nr);
	h->nseg = READ_ONCE(f->nseg);
	h->data_len = READ_ONCE(f->data_len);
	h->bad = READ_ONCE(f->bad);
	h->deadline = READ_ONCE(f->deadline);
	h->ret = READ_ONCE(f->ret);
	for (int i = 0; i < 6; i++)
		h->arg[i] = READ_ONCE(f->arg[i]);
}

static const char *copy_segments(struct call *c, const struct abi_frame *f, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		gpa_t gpa = READ_ONCE(f->seg[i].gpa);
		uint64_t len = READ_ONCE(f->seg[i].len);

		if (!len)
			return "an empty segment";
		c->scratch->iov[i].iov_base = guest_mem(c->vm, gpa, len);
		c->scratch->iov[i].iov_len = len;
		if (!c->scratch->iov[i].iov_base)
			return "a segment outside guest memory";
	}
	return NULL;
}

/* How far a frame's data[] was given out: arguments lie there one after another, never shared. */
struct cursor {
	uint32_t data, data_len, nseg, bad;
	uint32_t word;		/* the next segment that is a futex's word */
	bool clear;		/* whether room for outputs is zeroed: not in a report, where they are there already */
};

/* Bytes that an argument in data[] has by its kind; UINT64_MAX when the table does not say. */
static uint64_t expected(const struct call *c, const struct abi_arg *a)
{
	switch (a->kind) {
	case ABI_ARG_STRING:
		return UINT64_MAX;
	case ABI_ARG_INVEC:
	case ABI_ARG_OUTVEC:
	case ABI_ARG_INOUTVEC:
	case ABI_ARG_WORDS:
		return (uint32_t)c->arg[a->ref] * (uint64_t)a->size;
	default:
		return a->size;
	}
}

static const char *take_data(struct call *c, int i, const struct abi_arg *a, struct cursor *cur)
{
	uint32_t start = c->arg[i], count = c->arg[i] >> 32;
	uint64_t want = expected(c, a);
	char *p;

	if (start < cur->data || start > cur->data_len || count > cur->data_len - start)
		return "an argument outside the frame's data";
	if (want != UINT64_MAX && want != count)
		return "an argument of the wrong size";
	if (a->kind != ABI_ARG_STRING && start % 8)
		return "a structure that is not aligned";
	cur->data = start + count;
	p = (char *)c->scratch->data + start;
	if (a->kind == ABI_ARG_STRING &&
	    (!count || count > 4096 || p[count - 1] || memchr(p, 0, count - 1)))
		return "a string without its end";
	if (cur->clear && (a->kind == ABI_ARG_OUT || a->kind == ABI_ARG_OUTVEC))
		memset(p, 0, count);
	c->ptr[i] = p;
	c->count[i] = count;
	return NULL;
}

static const char *take_segments(struct call *c, int i, const struct abi_arg *a, struct cursor *cur)
{
	uint32_t start = c->arg[i], count = c->arg[i] >> 32;
	uint64_t sum = 0;

	if (start > cur->nseg || count > cur->nseg - start)
		return "segments outside the frame";
	for (uint32_t s = start; s < start + count; s++)
		sum += c->scratch->iov[s].iov_len;
	if ((a->kind == ABI_ARG_INBUF || a->kind == ABI_ARG_OUTBUF) && sum > c->arg[a->ref] + a->size)
		return "segments longer than their buffer";
	c->iov[i] = c->scratch->iov + start;
	c->iovcnt[i] = count;
	c->count[i] = sum;
	return NULL;
}

/* A message's data[] is its structure and the control messages behind it; no other argument of the call has segments. */
static const char *take_msg(struct call *c, int i, const struct abi_arg *a, struct cursor *cur)
{
	uint32_t start = c->arg[i], count = c->arg[i] >> 32;
	struct abi_msg *m = (struct abi_msg *)(c->scratch->data + start);

	if (start < cur->data || start > cur->data_len || count > cur->data_len - start || start % 8)
		return "a message outside the frame's data";
	if (count < sizeof(*m) || m->name_len > sizeof(m->name) || m->control_len != count - sizeof(*m) ||
	    m->control_len > ABI_MSG_CONTROL)
		return "a message of the wrong size";
	cur->data = start + count;
	if (a->kind == ABI_ARG_OUTMSG)
		memset(m->name, 0, count - offsetof(struct abi_msg, name));
	c->ptr[i] = m;
	c->count[i] = count;
	c->iov[i] = c->scratch->iov;
	c->iovcnt[i] = cur->nseg;
	return NULL;
}

/* The arguments of a call with words have no other segments: they take the next ones. */
static const char *take_words(struct call *c, int i, uint64_t n, struct cursor *cur)
{
	struct iovec *v = &c->scratch->iov[cur->word];

	if (n > cur->nseg - cur->word)
		return "a word that is not there";
	for (uint64_t k = 0; k < n; k++)
		if (v[k].iov_len != 4 || (uintptr_t)v[k].iov_base % 4)
			return "a word that is not one";
	cur->word += n;
	c->iov[i] = v;
	c->iovcnt[i] = n;
	return NULL;
}

/*
 * Decodes the arguments. NULL, with *err 0 or what the call returns at once,
 * or why the frame is none.
 */
static const char *decode(struct call *c, const struct abi_arg *arg, int nargs, struct cursor *cur, long *err)
{
	const char *why = NULL;

	for (int i = 0; i < nargs && !why; i++) {
		/* a pointer that cannot be followed; --trace shows it */
		if (cur->bad >> i & 1)
			continue;
		switch (arg[i].kind) {
		case ABI_ARG_FD:
			c->fd[i] = fd_get((int)c->arg[i]);
			if (!c->fd[i])
				*err = -EBADF;
			break;
		case ABI_ARG_DIRFD:
			if ((int)c->arg[i] != AT_FDCWD)
				c->fd[i] = fd_get((int)c->arg[i]);
			break;
		case ABI_ARG_INBUF:
		case ABI_ARG_OUTBUF:
		case ABI_ARG_INIOV:
		case ABI_ARG_OUTIOV:
			if (c->arg[i] != ABI_NULL)
				why = take_segments(c, i, &arg[i], cur);
			c->arg[i] = 0;
			break;
		case ABI_ARG_WORD:
			why = take_words(c, i, 1, cur);
			c->count[i] = 4;
			break;
		case ABI_ARG_WORDS:
			if (c->arg[i] != ABI_NULL)
				why = take_data(c, i, &arg[i], cur) ?: take_words(c, i, c->count[i] / arg[i].size, cur);
			c->arg[i] = 0;
			break;
		case ABI_ARG_INMSG:
		case ABI_ARG_OUTMSG:
			why = take_msg(c, i, &arg[i], cur);
			c->arg[i] = 0;
			break;
		case ABI_ARG_NONE:
		case ABI_ARG_VALUE:
		case ABI_ARG_ADDRESS:
			break;
		default:
			if (c->arg[i] != ABI_NULL)
				why = take_data(c, i, &arg[i], cur);
			else if (arg[i].kind == ABI_ARG_STRING && !arg[i].ref)
				*err = -EFAULT;
			c->arg[i] = 0;
		}
	}
	for (int i = 0; i + 1 < nargs && !why; i++) {
		const char *path = c->ptr[i + 1];

		/* an absolute path does not look at the descriptor, one that cannot be read comes first */
		if (arg[i].kind == ABI_ARG_DIRFD && !c->fd[i] && (int)c->arg[i] != AT_FDCWD &&
		    !(path && *path == '/') && !(cur->bad >> (i + 1) & 1))
			*err = -EBADF;
	}
	return why;
}

static void write_outputs(const struct call *c, const struct header *h, struct abi_frame *f)
{
	for (int i = 0; i < c->row->nargs; i++)
		switch (c->row->arg[i].kind) {
		case ABI_ARG_OUT:
		case ABI_ARG_INOUT:
		case ABI_ARG_OUTVEC:
		case ABI_ARG_INOUTVEC:
		case ABI_ARG_OUTMSG:
			if (c->ptr[i])
				memcpy(f->data + (uint32_t)h->arg[i], c->ptr[i], c->count[i]);
		}
}

/* ------------------------------------------------------------- serving */

int call_trace_fd = -1;

/*
 * The third argument of ioctl and fcntl is what the request says, the fourth and
 * fifth of futex what its operation takes: gives the call a row of its own. False
 * when the request is not one that is allowed.
 */
static bool choose_row(struct call *c, struct abi_call *own)
{
	const struct request *request;
	const struct abi_arg *control;

	if (c->nr == SYS_futex) {
		uint32_t command = c->arg[1] & ABI_FUTEX_COMMAND;

		*own = *c->row;
		if (!abi_futex_waits(command))
			own->arg[3] = (struct abi_arg){ .kind = ABI_ARG_VALUE, .fmt = ABI_FMT_UINT };
		if (!abi_futex_has_two(command))
			own->arg[4] = (struct abi_arg){ .kind = ABI_ARG_VALUE, .fmt = ABI_FMT_ADDR };
		c->row = own;
		return true;
	}
	control = call_control(c->nr, c->arg);
	if (control) {
		*own = *c->row;
		own->arg[own->nargs - 1] = *control;
		c->row = own;
	}
	if (c->nr != SYS_ioctl && c->nr != SYS_fcntl)
		return true;
	request = call_request(c->nr, (uint32_t)c->arg[1]);
	if (!request)
		return false;
	*own = *c->row;
	own->arg[2] = request->arg;
	c->row = own;
	return true;
}

static long refuse(const struct call *c)
{
	policy_explain_call(c->nr, (uint32_t)c->arg[1]);
	if (c->nr == SYS_ioctl)
		return -ENOTTY;
	if (c->nr == SYS_fcntl)
		return -EINVAL;
	return c->row->refusal ? c->row->refusal : -ENOSYS;
}

/* Copies and decodes what the frame says of c, whose number is set. */
static const char *prepare(struct call *c, const struct header *h, const struct abi_frame *f, long *err)
{
	struct cursor cur = {
		.data_len = h->data_len, .nseg = h->nseg, .bad = h->bad, .clear = h->op == ABI_OP_CALL
	};
	const char *why;

	memcpy(c->arg, h->arg, sizeof(c->arg));
	memcpy(c->scratch->data, f->data, h->data_len);
	why = copy_segments(c, f, h->nseg);
	if (!why)
		why = decode(c, c->row->arg, c->row->nargs, &cur, err);
	/* a descriptor that is none comes first, as on Linux */
	if (h->bad && !*err)
		*err = h->ret;
	return why;
}

static void make(struct call *c, const struct header *h, struct abi_frame *f, bool allowed, long err)
{
	/* untouched, and so free, without --trace */
	struct trace trace;
	long ret = err;

	c->vcpu->calls[c->nr]++;
	if (call_trace_fd >= 0)
		trace_begin(&trace, c);
	if (!err)
		ret = allowed ? handlers[c->nr](c) : refuse(c);
	if (ret == SYNTH_MAPPINGS) {
		/* it has not been made yet */
		c->vcpu->calls[c->nr]--;
		f->more = ABI_MORE_MAPPINGS;
		f->ret = -EAGAIN;
		return;
	}
	mappings_forget();
	/* an interrupted sleep tells what remains */
	if (ret >= 0 || ret == -EINTR)
		write_outputs(c, h, f);
	/* the shim reports what it serves */
	if (call_trace_fd >= 0 && c->more != ABI_MORE_SIGNALS)
		trace_end(&trace, call_trace_fd, c, ret);
	f->more = c->more;
	f->deadline = c->deadline;
	f->ret = ret;
}

/* A call that the shim answered, with its outputs. */
static void report(const struct call *c, long ret)
{
	struct trace trace;

	if (call_trace_fd < 0)
		return;
	trace_begin(&trace, c);
	trace_end(&trace, call_trace_fd, c, ret);
}

int call_serve(struct vm *vm, struct vcpu *vcpu, const char **why)
{
	struct abi_frame *f = vcpu->frame;
	struct scratch scratch;
	struct abi_call own;
	struct header h;
	struct call c;
	bool allowed;
	long err = 0;

	read_header(&h, f);
	*why = NULL;
	if (h.op != ABI_OP_CALL && h.op != ABI_OP_REPORT)
		*why = "an unknown operation";
	else if (h.nr >= ABI_CALLS)
		*why = "a call number out of range";
	else if (h.nseg > ABI_NSEGS)
		*why = "too many segments";
	else if (h.data_len > ABI_DATA)
		*why = "too much data";
	else if (h.bad && h.op == ABI_OP_CALL && (h.ret >= 0 || h.ret < -4095))
		*why = "a bad argument without an error";
	else if (h.op == ABI_OP_CALL && call_table[h.nr].served == ABI_BY_SHIM)
		*why = "a call that the shim answers itself";
	if (*why)
		return -EPROTO;

	c = (struct call){ .vm = vm, .vcpu = vcpu, .nr = h.nr, .row = &call_table[h.nr], .deadline = h.deadline,
			   .scratch = &scratch };
	c.arg[1] = h.arg[1];
	c.arg[2] = h.arg[2];
	allowed = choose_row(&c, &own) && handlers[c.nr];
	*why = prepare(&c, &h, f, &err);
	if (!*why && h.op == ABI_OP_REPORT)
		report(&c, h.ret);
	else if (!*why)
		make(&c, &h, f, allowed, err);
	for (int i = 0; i < 6; i++)
		file_put(c.fd[i]);
	return *why ? -EPROTO : 0;
}
