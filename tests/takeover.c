/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A runner that its guest has taken over: build/tests/kvmrun-taken is kvmrun with this in
 * front of call_serve(). A guest that closes descriptor TAKEOVER | N has the runner, on the
 * thread that serves the call and with all that it has open, make the N-th attempt of
 * forbidden[], or from TAKEOVER_REACHES on of reaches[], and is told the result.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "attempts.h"
#include "takeover.h"
#include "../runner/call.h"
#include "../runner/vcpu.h"

int __real_call_serve(struct vm *vm, struct vcpu *vcpu, const char **why);
int __wrap_call_serve(struct vm *vm, struct vcpu *vcpu, const char **why);

static long make(uint32_t n)
{
	if (n < forbidden_count)
		return attempt_make(&forbidden[n]);
	n -= TAKEOVER_REACHES;
	return n < reaches_count ? attempt_make(&reaches[n]) : -EINVAL;
}

int __wrap_call_serve(struct vm *vm, struct vcpu *vcpu, const char **why)
{
	struct abi_frame *f = vcpu->frame;
	uint32_t n = (uint32_t)f->arg[0] ^ TAKEOVER;

	if (f->op != ABI_OP_CALL || f->nr != SYS_close || n >= 2 * TAKEOVER_REACHES)
		return __real_call_serve(vm, vcpu, why);
	f->ret = make(n);
	return 0;
}
