/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwarded Linux calls: the runner's copy of a frame, and the handlers. */
#ifndef KVMRUN_CALL_H
#define KVMRUN_CALL_H

#include <sys/uio.h>
#include "../shim/abi.h"

struct vm;
struct vcpu;

/* Bytes that the longest extended attribute or list of their names has. */
#define FLAT_MAX 65536u

/*
 * What a call's frame is copied to, on the stack of its thread and not cleared: thread-local storage would be, for each
 * new thread. Nobody looks where the copy, or a handler, has written nothing.
 */
struct scratch {
	uint8_t data[ABI_DATA] __attribute__((aligned(16)));
	struct iovec iov[ABI_NSEGS];	/* by the index of the segment */
	char flat[FLAT_MAX];		/* flat() in sys.h */
};

/*
 * One forwarded call. Built from a private copy of the frame and checked in
 * full before a handler sees it; a handler acts on this alone. Per argument,
 * by its kind in the call table (arg[i] of a pointer is 0, but of a bad one, whose call is
 * only shown by --trace):
 *
 *	VALUE, ADDRESS	arg[i] as the guest passed it
 *	FD		fd[i]: the guest's descriptor, held until the call ends; arg[i] the guest's number
 *	DIRFD		likewise, or fd[i] NULL for AT_FDCWD
 *	STRING		ptr[i]: NUL-terminated private copy
 *	IN, INOUT, *VEC	ptr[i]: private copy of count[i] bytes; NULL for a null pointer
 *	OUT, OUTVEC	ptr[i]: private zeroed room of count[i] bytes; NULL for a null pointer
 *	WORD		arg[i] as the guest passed it; iov[i]: its four bytes of guest memory, aligned
 *	WORDS		ptr[i]: as IN; iov[i], iovcnt[i]: the four bytes of guest memory, aligned, that each element names
 *	*MSG		ptr[i]: private copy of the struct abi_msg, its lengths checked; iov[i], iovcnt[i] as below
 *	*BUF, *IOV	iov[i], iovcnt[i]: host iovecs onto guest memory; count[i] their bytes
 */
struct call {
	struct vm *vm;
	struct vcpu *vcpu;
	const struct abi_call *row;
	uint32_t nr;
	uint64_t arg[6];
	struct file *fd[6];
	void *ptr[6];
	uint64_t count[6];
	struct iovec *iov[6];
	int iovcnt[6];
	uint64_t deadline;	/* see struct abi_frame; a handler may set it before returning -EINTR */
	uint32_t more;		/* see struct abi_frame */
	struct scratch *scratch;
};

/* Where --trace goes; -1: off. Set before the guest runs. */
extern int call_trace_fd;

/* Returns the call's result or -errno, as Linux's raw calls do. */
typedef long call_fn(struct call *c);

/*
 * Serves the frame of a vCPU whose op is ABI_OP_CALL or ABI_OP_REPORT: copies it once, checks
 * it, runs the handler, writes outputs and ret back. Returns 0, or -EPROTO when the frame is not
 * one that the shim could have made, with the reason in *why (a constant string): the guest is
 * then ended by the caller.
 *
 * Arguments in data[] are expected one behind the other in their order, with gaps as needed for
 * structures to be aligned to 8 bytes; those in seg[] likewise. Outputs are written back when ret
 * is not an error, and after -EINTR (what remains of a sleep).
 */
int call_serve(struct vm *vm, struct vcpu *vcpu, const char **why);

#endif
