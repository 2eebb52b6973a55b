/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A runner that its guest has taken over: build/tests/kvmrun-taken is kvmrun with this in
 * front of call_serve(). A guest that closes descriptor TAKEOVER | N has the runner, on the
 * thread that serves the call and with all that it has open, make the N-th attempt of
 * forbidden[], from TAKEOVER_REACHES on of reaches[], or from TAKEOVER_PORTS on of port_attempts[], and is told the
 * result.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "attempts.h"
#include "takeover.h"
#include "../runner/call.h"
#include "../runner/net.h"
#include "../runner/vcpu.h"

int __real_call_serve(struct vm *vm, struct vcpu *vcpu, const char **why);
int __wrap_call_serve(struct vm *vm, struct vcpu *vcpu, const char **why);

static long make(uint32_t n)
{
	if (n < forbidden_count)
		return attempt_make(&forbidden[n]);
	if (n >= TAKEOVER_PORTS && n - TAKEOVER_PORTS < port_attempt_count)
		return attempt_port(&port_attempts[n - TAKEOVER_PORTS], net_port(0, false), net_port(0, true));
	n -= TAKEOVER_REACHES;
	return n < reaches_count ? attempt_make(&reaches[n]) : -EINVAL;
}

int __wrap_call_serve(struct vm *vm, struct vcpu *vcpu, const char **why)
{
	struct abi_frame *f = vcpu->frame;
	uint32_t n = (uint32_t)f->arg[0] ^ TAKEOVER;

	if (f->op != ABI_OP_CALL || f->nr != SYS_close || n >= TAKEOVER_END)
		return __real_call_serve(vm, vcpu, why);
	f->ret = make(n);
	return 0;
}
