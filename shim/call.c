/* SPDX-License-Identifier: GPL-2.0-only */
/* The program's calls: answered here, or marshalled by the call table for the runner. */
#include "shim.h"

#define CALL ABI_CALL
#define NONE ABI_NONE
static const struct abi_call table[ABI_CALLS] = {
#include "calls.def"
};
#undef CALL
#undef NONE

/* The shim's own functions: every SHIM and BOTH row has one. */
#define NONE(...)
#define ENTRY_SHIM(nr, name)	[nr] = sys_##name,
#define ENTRY_BOTH(nr, name)	[nr] = sys_##name,
#define ENTRY_HOST(nr, name)
#define ENTRY_PASS(nr, name)
#define CALL(nr, name, by, ...)	ENTRY_##by(nr, name)
static call_fn *const functions[ABI_CALLS] = {
#include "calls.def"
};
#undef CALL
#undef NONE

/* What a request of ioctl and fcntl passes; the runner refuses those without a row. */
struct request {
	u32 nr, request;
	struct abi_arg arg;
};
#define REQUEST(call, name, number, ...) { NR_##call, number, __VA_ARGS__ },
static const struct request requests[] = {
#include "requests.def"
};
#undef REQUEST

/* Likewise of the commands of IPC objects. */
#define CONTROL(call, name, number, ...) { NR_##call, number, __VA_ARGS__ },
static const struct request controls[] = { ABI_CONTROLS(CONTROL) };
#undef CONTROL

#define IOV_MAX		1024
#define PART_MAX	(4u << 20)
#define MAX_RW_COUNT	0x7ffff000u	/* the most that Linux transfers at once */

static u64 element_bytes(const struct abi_arg *d, const u64 a[6])
{
	switch (d->kind) {
	case ABI_ARG_INVEC:
	case ABI_ARG_OUTVEC:
	case ABI_ARG_INOUTVEC:
	case ABI_ARG_WORDS:
		return (u32)a[d->ref] * (u64)d->size;
	default:
		return d->size;
	}
}

/* How much of it the program has: an fd_set ends with the word of the highest descriptor asked for. */
static u64 user_bytes(const struct abi_arg *d, const u64 a[6], u64 bytes)
{
	u32 nfds = a[0];

	if (d->type != ABI_STRUCT_fdset || d->fmt != ABI_FMT_STRUCT)
		return bytes;
	return nfds >= bytes * 8 ? bytes : (nfds + 63) / 64 * 8;
}

static bool copies_in(u8 kind)
{
	return kind == ABI_ARG_IN || kind == ABI_ARG_INOUT || kind == ABI_ARG_INVEC || kind == ABI_ARG_INOUTVEC ||
	       kind == ABI_ARG_WORDS;
}

static bool copies_out(u8 kind)
{
	return kind == ABI_ARG_OUT || kind == ABI_ARG_INOUT || kind == ABI_ARG_OUTVEC || kind == ABI_ARG_INOUTVEC;
}

s64 frame_room(struct abi_frame *f, u64 n)
{
	u64 at = (f->data_len + 7) & ~7ull;

	if (n > ABI_DATA - at)
		return -EINVAL;
	f->data_len = at + n;
	return at;
}

static long put_struct(struct abi_frame *f, int i, const struct abi_arg *d, u64 a[6])
{
	u64 bytes, has, most = ABI_DATA - ((f->data_len + 7) & ~7ull);
	s64 at;

	if (!a[i]) {
		f->arg[i] = ABI_NULL;
		return 0;
	}
	/* fewer results than asked for are a result too */
	if (d->kind == ABI_ARG_OUTVEC && element_bytes(d, a) > most)
		a[d->ref] = f->arg[d->ref] = most / d->size;
	bytes = element_bytes(d, a);
	has = user_bytes(d, a, bytes);
	at = frame_room(f, bytes);
	if (at < 0)
		return at;
	f->arg[i] = FRAME_REF(at, bytes);
	if (!copies_in(d->kind))
		return 0;
	memset(f->data + at, 0, bytes);
	return copy_in(f->data + at, a[i], has);
}

static long put_string(struct abi_frame *f, int i, const u64 a[6])
{
	s64 at = frame_room(f, 0);
	long n;

	if (!a[i]) {
		f->arg[i] = ABI_NULL;	/* which the runner answers with EFAULT, mostly */
		return 0;
	}
	if (at < 0)
		return at;
	n = string_in((char *)f->data + at, a[i], MIN(4096, ABI_DATA - at));
	if (n < 0)
		return n;
	f->data_len = at + n + 1;
	f->arg[i] = FRAME_REF(at, n + 1);
	return 0;
}

static long put_buffer(struct abi_frame *f, int i, const struct abi_arg *d, const u64 a[6])
{
	u32 first = f->nseg;
	u64 n = a[d->ref] + d->size;

	/* as access_ok(): even where there is nothing to transfer */
	if (n > ABI_USER_END || n < d->size || a[i] > ABI_USER_END - n)
		return -EFAULT;
	/* forward() goes on after a part: a vast buffer is not made present for a few bytes */
	if (i == 1)
		n = MIN(n, PART_MAX);
	if (n && segments(f, first, a[i], n, d->kind == ABI_ARG_OUTBUF ? ACCESS_WRITE : ACCESS_READ) < 0)
		return -EFAULT;
	f->arg[i] = FRAME_REF(first, f->nseg - first);
	return 0;
}

struct iovec {
	gva_t base;
	u64 len;
};

/* The bytes of n iovecs, -EINVAL or -EFAULT. */
static s64 iovecs_bytes(gva_t iov, u32 n)
{
	u64 total = 0;
	struct iovec v;

	if (n > IOV_MAX)
		return -EINVAL;
	for (u64 k = 0; k < n; k++) {
		if (copy_in(&v, iov + k * sizeof(v), sizeof(v)))
			return -EFAULT;
		if ((s64)v.len < 0 || (s64)(total + v.len) < 0)
			return -EINVAL;
		total += v.len;
	}
	return total;
}

long put_iovecs(struct abi_frame *f, gva_t iov, u32 n, u64 skip, enum access access)
{
	s64 bytes = iovecs_bytes(iov, n);
	u32 first = f->nseg;
	struct iovec v;

	if (bytes < 0)
		return bytes;
	for (u64 k = 0; k < n; k++) {
		u64 before;
		s64 got;

		if (copy_in(&v, iov + k * sizeof(v), sizeof(v)))
			return -EFAULT;
		before = MIN(skip, v.len);
		skip -= before;
		v.base += before;
		v.len -= before;
		got = v.len ? segments(f, first, v.base, v.len, access) : 0;
		if (got < 0 && f->nseg == first)
			return got;
		if (got < (s64)v.len)
			break;		/* what is there so far is a short transfer */
	}
	return 0;
}

static long put_iovec(struct abi_frame *f, int i, const struct abi_arg *d, const u64 a[6], u64 skip)
{
	u32 first = f->nseg;
	long err = put_iovecs(f, a[i], a[d->ref], skip, d->kind == ABI_ARG_OUTIOV ? ACCESS_WRITE : ACCESS_READ);

	if (!err)
		f->arg[i] = FRAME_REF(first, f->nseg - first);
	return err;
}

static long put_word(struct abi_frame *f, gva_t va, bool written)
{
	/* as if to be written: a private mapping's word is that of its copy, as Linux has it */
	if (segments(f, f->nseg, va, 4, ACCESS_WRITE) == 4)
		return 0;
	return written || segments(f, f->nseg, va, 4, ACCESS_READ) != 4 ? -EFAULT : 0;
}

static long put_words(struct abi_frame *f, int i, const struct abi_arg *d, u64 a[6])
{
	const struct abi_futex_waitv *w;
	long err = put_struct(f, i, d, a);

	if (err || !a[i])
		return err;
	w = (const void *)(f->data + (u32)f->arg[i]);
	for (u32 k = 0; k < (u32)a[d->ref] && !err; k++)
		err = put_word(f, w[k].address, false);
	return err;
}

static long put_arg(struct abi_frame *f, int i, const struct abi_arg *d, u64 a[6], u64 skip)
{
	switch (d->kind) {
	case ABI_ARG_STRING:
		return put_string(f, i, a);
	case ABI_ARG_IN:
	case ABI_ARG_OUT:
	case ABI_ARG_INOUT:
	case ABI_ARG_INVEC:
	case ABI_ARG_OUTVEC:
	case ABI_ARG_INOUTVEC:
		return put_struct(f, i, d, a);
	case ABI_ARG_INBUF:
	case ABI_ARG_OUTBUF:
		return put_buffer(f, i, d, a);
	case ABI_ARG_INIOV:
	case ABI_ARG_OUTIOV:
		return put_iovec(f, i, d, a, skip);
	case ABI_ARG_INMSG:
	case ABI_ARG_OUTMSG:
		return put_msg(f, i, a[i], d->kind == ABI_ARG_OUTMSG);
	case ABI_ARG_WORD:
		f->arg[i] = a[i];
		return put_word(f, a[i], i && (a[1] & ABI_FUTEX_COMMAND) == ABI_FUTEX_WAKE_OP);
	case ABI_ARG_WORDS:
		return put_words(f, i, d, a);
	default:
		f->arg[i] = a[i];
		return 0;
	}
}

static const struct abi_arg *describe(u32 nr, int i, const u64 a[6])
{
	static const struct abi_arg number = { .kind = ABI_ARG_VALUE };

	if (nr == NR_futex && ((i == 3 && !abi_futex_waits(a[1] & ABI_FUTEX_COMMAND)) ||
			       (i == 4 && !abi_futex_has_two(a[1] & ABI_FUTEX_COMMAND))))
		return &number;
	if (i == 2 && (nr == NR_ioctl || nr == NR_fcntl))
		for (u32 k = 0; k < ARRAY_SIZE(requests); k++)
			if (requests[k].nr == nr && requests[k].request == (u32)a[1])
				return &requests[k].arg;
	if (i == table[nr].nargs - 1 && (nr == NR_shmctl || nr == NR_msgctl || nr == NR_semctl))
		for (u32 k = 0; k < ARRAY_SIZE(controls); k++)
			if (controls[k].nr == nr && controls[k].request == (u32)a[i - 1])
				return &controls[k].arg;
	return &table[nr].arg[i];
}

/* Of iovecs without their first skip bytes. */
static void marshal(struct abi_frame *f, u32 nr, u64 a[6], u64 skip)
{
	f->nr = nr;
	f->nseg = f->data_len = f->bad = 0;
	for (int i = 0; i < 6; i++) {
		long err = put_arg(f, i, describe(nr, i, a), a, skip);

		if (!err)
			continue;
		if (!f->bad)
			f->ret = err;
		f->bad |= 1u << i;
		f->arg[i] = a[i];
	}
}

/* Of an address or option in the frame at i: as much as the program has room for, by the next argument. */
static u64 counted(const struct abi_frame *f, int i, const u64 a[6])
{
	int has, is;

	if (!a[i + 1] || get_user(has, a[i + 1]))
		return 0;
	memcpy(&is, f->data + (u32)f->arg[i + 1], sizeof(is));
	return MIN((u64)MAX(has, 0), (u64)MAX(is, 0));
}

/* 0 or -EFAULT. Of an interrupted call only what the program gave to be updated comes back. */
static int copy_results(struct abi_frame *f, u32 nr, const u64 a[6])
{
	for (int i = 0; i < table[nr].nargs; i++) {
		const struct abi_arg *d = describe(nr, i, a);
		u64 bytes = element_bytes(d, a);

		if (d->kind == ABI_ARG_OUTMSG && f->ret >= 0 && get_msg(f, i, a[i]))
			return -EFAULT;
		if (!copies_out(d->kind) || !a[i] || (f->ret < 0 && !copies_in(d->kind)))
			continue;
		/* of a vector that only goes out, the result tells how much came */
		if (d->kind == ABI_ARG_OUTVEC)
			bytes = MIN(bytes, (u64)f->ret * d->size);
		if (d->type == ABI_STRUCT_addrbuf || d->type == ABI_STRUCT_optbuf)
			bytes = MIN(bytes, counted(f, i, a));
		if (copy_out(a[i], f->data + (u32)f->arg[i], user_bytes(d, a, bytes)))
			return -EFAULT;
	}
	return 0;
}

/* Bytes that the frame's segments cover, of a call that moves bytes. */
static u64 covered(const struct abi_frame *f)
{
	u64 n = 0;

	for (u32 i = 0; i < f->nseg; i++)
		n += f->seg[i].len;
	return n;
}

/* Whether the iovecs of a call have more than n bytes, which the frame's part of them was moved of, behind done. */
static bool is_part(const struct abi_frame *f, const u64 a[6], u64 done, u64 n)
{
	return f->nseg == ABI_NSEGS ? (s64)(done + n) < iovecs_bytes(a[1], a[2]) : n < covered(f);
}

/* Whether the call's fourth argument is where in the file. */
static bool has_position(u32 nr, const u64 a[6])
{
	switch (nr) {
	case NR_pread64:
	case NR_pwrite64:
	case NR_preadv:
	case NR_pwritev:
		return true;
	case NR_preadv2:
	case NR_pwritev2:
		return a[3] != ~0ull;
	}
	return false;
}

/* Whether there is room for the result of a call that makes something: it would be lost, and stay. */
static bool can_tell(u32 nr, const u64 a[6])
{
	switch (nr) {
	case NR_pipe:
	case NR_pipe2:
		return user_writable(a[0], 8);
	case NR_timer_create:
		return user_writable(a[2], 4);
	case NR_socketpair:
		return user_writable(a[3], 8);
	case NR_accept:
	case NR_accept4:
		return !a[1] || user_writable(a[2], 4);
	}
	return true;
}

long forward(u32 nr, const u64 a[6])
{
	struct abi_frame *f = this_cpu()->frame;
	const struct abi_arg *d = &table[nr].arg[1];
	bool vector = d->kind == ABI_ARG_INIOV || d->kind == ABI_ARG_OUTIOV;
	bool buffer = d->kind == ABI_ARG_INBUF || d->kind == ABI_ARG_OUTBUF;
	struct thread *t = current;
	u64 args[6], done = 0;
	long ret;

	memcpy(args, a, sizeof(args));
	if (buffer && d->ref == 2 && args[2] <= ABI_USER_END)
		args[2] = MIN(args[2], MAX_RW_COUNT);
	if (!can_tell(nr, args))
		return -EFAULT;
	for (;;) {
		f->op = ABI_OP_CALL;
		t->forwarded = true;
		f->deadline = t->resumed ? t->deadline : 0;
		f->more = 0;
		t->cpu->calling = 1;
		marshal(f, nr, args, vector ? done : 0);
		if (f->bad && done) {
			t->cpu->calling = 0;
			return done;
		}
		vm_exit();
		__atomic_store_n(&t->cpu->calling, 0, __ATOMIC_RELEASE);
		t->resumed = false;
		if (f->more == ABI_MORE_SIGNALS) {
			t->forwarded = false;
			return signalfd_read(nr, a, f->deadline);
		}
		if (f->more == ABI_MORE_MAPPINGS) {
			mappings_tell();
			continue;
		}
		ret = f->ret;
		if (!f->bad && (ret >= 0 || ret == -EINTR) && copy_results(f, nr, args))
			ret = -EFAULT;
		if (ret == -EINTR && done && !signal_interrupts())
			continue;
		/* buffers larger than the frame can describe, or a write cut short by signals that do not matter */
		if (ret <= 0 || !f->more || !(buffer ? (u64)ret < args[2] : vector && is_part(f, args, done, ret)))
			break;
		done += ret;
		if ((u64)ret != covered(f) && signal_interrupts()) {
			ret = 0;
			break;
		}
		if (buffer) {
			args[1] += ret;
			args[2] -= ret;
		}
		if (has_position(nr, args))
			args[3] += ret;
	}
	if (done)
		return done + (ret > 0 ? ret : 0);
	if (ret == -EINTR && table[nr].served != ABI_BY_NOBODY) {
		t->deadline = f->deadline;
		t->interrupted = 1 + table[nr].restart;
	}
	return ret;
}

/* Tells the runner of a call that was served here, for --trace. */
static void report(u32 nr, const u64 args[6], long ret)
{
	struct abi_frame *f = this_cpu()->frame;
	u64 a[6];

	memcpy(a, args, sizeof(a));
	marshal(f, nr, a, 0);
	for (int i = 0; i < table[nr].nargs; i++)
		if (copies_out(table[nr].arg[i].kind) && a[i] && ret >= 0 && !(f->bad >> i & 1))
			copy_in(f->data + (u32)f->arg[i], a[i], element_bytes(&table[nr].arg[i], a));
	f->op = ABI_OP_REPORT;
	f->ret = ret;
	vm_exit();
}

void call_entry(struct regs *r)
{
	const u64 a[6] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };
	struct thread *t = current;
	u32 nr = r->err;		/* as Linux: the lower half decides */
	long ret;

	r->rcx = r->rip;
	r->r11 = r->rflags;
	t->resumed = t->again;
	t->again = 0;
	if (nr >= ABI_CALLS) {
		r->rax = -ENOSYS;
		return;
	}
	__atomic_add_fetch(&boot->calls[nr], 1, __ATOMIC_RELAXED);
	if ((boot->flags & ABI_BOOT_REPORT) && (nr == NR_exit || nr == NR_exit_group))
		report(nr, a, 0);	/* there is no after */
	t->forwarded = false;
	ret = functions[nr] ? functions[nr](a) : forward(nr, a);
	r->rax = ret;
	if ((boot->flags & ABI_BOOT_REPORT) && !t->forwarded)
		report(nr, a, ret);
	if (!t->interrupted)
		signal_unmask(t);
	if (this_cpu()->frame->kick)
		signal_fetch();
	if (t->interrupted || signal_waiting())
		signal_deliver(r);
}

void exit_work(struct regs *r)
{
	struct cpu *cpu = this_cpu();

	/* in this order: what is wanted from here on makes another round */
	__atomic_store_n(&cpu->attention, 0, __ATOMIC_SEQ_CST);
	cpu_flush();
	if (cpu->frame->kick)
		signal_fetch();
	if (cpu->frame->lost)
		window_lost();
	if (signal_waiting())
		signal_deliver(r);
}
