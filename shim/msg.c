/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of sockets: struct msghdr as the program has it, and as the frame has it. */
#include "shim.h"

#define NR_sendmsg	46
#define NR_recvmsg	47
#define MSG_DONTWAIT	0x40u
#define MSG_WAITFORONE	0x10000u
#define IOV_MAX		1024
#define SECOND		1000000000
#define TIME_MAX	0x7fffffffffffffff
#define VLEN_MAX	1024u		/* UIO_MAXIOV: more messages are not looked at */

struct msghdr {
	gva_t name;
	int name_len;
	u32 pad;
	gva_t iov;
	u64 iovlen;
	gva_t control;
	u64 control_len;
	u32 flags;
	u32 pad2;
};

struct mmsghdr {
	struct msghdr msg;
	u32 len;
	u32 pad;
};

long put_msg(struct abi_frame *f, int i, gva_t va, bool receive)
{
	struct msghdr h;
	struct abi_msg *m;
	s64 at;

	if (get_user(h, va))
		return -EFAULT;
	if (h.name_len < 0)
		return -EINVAL;
	if (h.iovlen > IOV_MAX)
		return -EMSGSIZE;
	if (!h.name)
		h.name_len = 0;
	if (receive && !h.control)
		h.control_len = 0;
	if (h.control_len > ABI_MSG_CONTROL && !receive)
		return -ENOBUFS;
	h.control_len = MIN(h.control_len, ABI_MSG_CONTROL);
	at = frame_room(f, sizeof(*m) + h.control_len);
	if (at < 0)
		return at;
	m = (void *)(f->data + at);
	memset(m, 0, sizeof(*m) + h.control_len);
	m->name_len = MIN((u32)h.name_len, sizeof(m->name));
	m->control_len = h.control_len;
	f->arg[i] = FRAME_REF(at, sizeof(*m) + h.control_len);
	if (receive) {
		/* descriptors that come and cannot be told of would stay */
		if (!user_writable(va, sizeof(h)) || !user_writable(h.control, h.control_len))
			return -EFAULT;
	} else if (copy_in(m->name, h.name, m->name_len) || copy_in(m->control, h.control, h.control_len)) {
		return -EFAULT;
	}
	return put_iovecs(f, h.iov, h.iovlen, 0, receive ? ACCESS_WRITE : ACCESS_READ);
}

int get_msg(struct abi_frame *f, int i, gva_t va)
{
	const struct abi_msg *m = (void *)(f->data + (u32)f->arg[i]);
	struct msghdr h;
	u32 room;

	if (get_user(h, va))
		return -EFAULT;
	room = MIN((u32)MAX(h.name_len, 0), sizeof(m->name));
	if (h.name) {
		if (copy_out(h.name, m->name, MIN(room, m->name_len)))
			return -EFAULT;
		h.name_len = m->name_len;
	}
	h.control_len = h.control ? MIN(h.control_len, m->control_len) : 0;
	h.flags = m->flags;
	return copy_out(h.control, m->control, h.control_len) || put_user(h, va) ? -EFAULT : 0;
}

struct timespec {
	s64 sec, nsec;
};

/* What is left of recvmmsg(2)'s time. */
struct timeout {
	gva_t at;		/* the program's: 0 for none */
	struct timespec left, end;
};

/* The time, by way of the program's own timeout, which Linux changes, too. */
static bool monotonic(gva_t at, struct timespec *t)
{
	const u64 a[6] = { 1, at };

	return forward(NR_clock_gettime, a) == 0 && get_user(*t, at) == 0;
}

static int timeout_begin(struct timeout *t)
{
	if (get_user(t->left, t->at))
		return -EFAULT;
	if (t->left.sec < 0 || (u64)t->left.nsec >= SECOND)
		return -EINVAL;
	if (!monotonic(t->at, &t->end))
		return -EFAULT;
	t->end.sec = MIN(t->left.sec, TIME_MAX - 1 - t->end.sec) + t->end.sec;
	t->end.nsec += t->left.nsec;
	t->end.sec += t->end.nsec / SECOND;
	t->end.nsec %= SECOND;
	return put_user(t->left, t->at);
}

/* Whether it is over, after a message. */
static bool timeout_over(struct timeout *t)
{
	struct timespec now;

	if (!t->at || !monotonic(t->at, &now))
		return t->at;
	t->left.sec = t->end.sec - now.sec - (t->end.nsec < now.nsec);
	t->left.nsec = t->end.nsec - now.nsec + (t->end.nsec < now.nsec ? SECOND : 0);
	if (t->left.sec < 0)
		t->left = (struct timespec){ 0 };
	put_user(t->left, t->at);
	return !t->left.sec && !t->left.nsec;
}

/* What has come so far of several messages counts; what stopped it is told by the next call. */
static long several(u32 nr, const u64 a[6], struct timeout *timeout)
{
	u32 vlen = MIN((u32)a[2], VLEN_MAX), n;
	u64 flags = (u32)a[3] & ~MSG_WAITFORONE;
	long ret = 0;

	for (n = 0; n < vlen; n++) {
		gva_t at = a[1] + n * sizeof(struct mmsghdr);
		const u64 one[6] = { a[0], at, flags };
		u32 len;

		ret = forward(nr, one);
		if (ret < 0)
			break;
		len = ret;
		ret = put_user(len, at + offsetof(struct mmsghdr, len));
		if (ret)
			break;
		if (nr == NR_recvmsg && a[3] & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (timeout && timeout_over(timeout)) {
			n++;
			break;
		}
	}
	if (!n)
		return ret;
	current->interrupted = 0;
	return n;
}

long sys_sendmmsg(const u64 a[6])
{
	return several(NR_sendmsg, a, NULL);
}

/* The time is looked at between messages only, by Linux, too. */
long sys_recvmmsg(const u64 a[6])
{
	struct timeout timeout = { .at = a[4] };
	int err = a[4] ? timeout_begin(&timeout) : 0;

	return err ? err : several(NR_recvmsg, a, &timeout);
}
