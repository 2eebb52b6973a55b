/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vDSO extrapolates from the clock page, so the page leans to the past: its
 * rate is a little low and its samples are late, so that what the guest reads
 * is never ahead of the host's clock, and a real call never behind the page.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

#include "clock.h"
#include "msg.h"
#include "nsec.h"
#include "vcpu.h"
#include "vm.h"

#define RENEW_NS		(SECOND / 4)
#define VALID_NS		(2 * SECOND)
#define TOLERANCE_NS		1000000
#define SLOW_SHIFT		20	/* the rate is 1/2^20, 1 ppm, low */

/* One reading of the clocks: tsc is not before the moment of mono. */
struct sample {
	uint64_t tsc, mono, real, boot;
};

static struct {
	struct abi_clock *page;	/* guest memory; written only */
	struct abi_clock now;	/* what is in it */
	struct sample last;
	uint64_t offset;	/* guest TSC - host TSC */
	bool no_offset;		/* as there is none */
	atomic_ulong renew;	/* host TSC of the next renewal; never, without a page */
	atomic_flag renewing;	/* a thread changes the above, and the page */
} clk = { .renew = UINT64_MAX, .renewing = ATOMIC_FLAG_INIT };

/*
 * The tightest of a few tries: a preemption in between shows in the TSC. The others
 * are read before mono, for their distance from it not to grow by what is in between.
 */
static struct sample take_sample(void)
{
	uint64_t best = UINT64_MAX;
	struct sample s = { 0 };

	for (int i = 0; i < 3; i++) {
		struct sample try;
		uint64_t before = __rdtsc();

		try.real = clock_ns(CLOCK_REALTIME);
		try.boot = clock_ns(CLOCK_BOOTTIME);
		try.mono = clock_ns(CLOCK_MONOTONIC);
		try.tsc = __rdtsc();
		if (try.tsc - before < best) {
			best = try.tsc - before;
			s = try;
		}
	}
	return s;
}

static uint64_t extrapolate(const struct abi_clock *c, uint64_t tsc)
{
	return c->mono + (uint64_t)((unsigned __int128)(tsc - c->tsc_base) * c->mult >> 32);
}

/* As the kernel's seqcount: odd while it changes. */
static void publish(void)
{
	struct abi_clock *p = clk.page;

	clk.now.seq += 2;
	__atomic_store_n(&p->seq, clk.now.seq - 1, __ATOMIC_SEQ_CST);
	memcpy(&p->tsc_base, &clk.now.tsc_base, sizeof(*p) - offsetof(struct abi_clock, tsc_base));
	__atomic_store_n(&p->seq, clk.now.seq, __ATOMIC_SEQ_CST);
}

/* For good: the vDSO makes real calls from now on. */
static void give_up(const char *why)
{
	vmsg("time by real calls only: %s", why);
	clk.now.mult = 0;
	clk.renew = UINT64_MAX;
	publish();
}

static void set_rate(uint64_t mult)
{
	clk.now.mult = mult - (mult >> SLOW_SHIFT);
}

static void renew(void)
{
	struct sample s = take_sample();
	uint64_t guest_tsc = s.tsc + clk.offset, mono = s.mono, elapsed = s.tsc - clk.last.tsc;

	if (s.tsc <= clk.last.tsc) {
		give_up("the TSC went back");
		return;
	}
	/* past the limit nobody has extrapolated */
	if (clk.now.mult && guest_tsc <= clk.now.tsc_limit) {
		uint64_t was = extrapolate(&clk.now, guest_tsc);
		int64_t off = was - mono;

		if (off > TOLERANCE_NS || off < -TOLERANCE_NS) {
			give_up("the TSC does not run evenly");
			return;
		}
		if (off > 0)
			mono = was;
	}
	/* over a short time the error of reading would be the larger one */
	if (s.mono - clk.last.mono > RENEW_NS / 2) {
		set_rate(((unsigned __int128)(s.mono - clk.last.mono) << 32) / elapsed);
		clk.last = s;
	}
	clk.now.tsc_base = guest_tsc;
	clk.now.mono = mono;
	clk.now.real = s.real - s.mono;
	clk.now.boot = s.boot - s.mono;
	if (clk.now.mult) {
		uint64_t hz = ((unsigned __int128)SECOND << 32) / clk.now.mult;

		clk.now.tsc_limit = guest_tsc + hz * (VALID_NS / SECOND);
		clk.renew = s.tsc + hz / (SECOND / RENEW_NS);
	}
	publish();
}

static bool set_no_offset(struct vcpu *vcpu)
{
	uint64_t none = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)&none,
	};

	return ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &attr) == 0;
}

/* guest TSC - host TSC. Best is none at all: then no error is in it. */
static bool find_offset(struct vcpu *vcpu)
{
	uint64_t best = UINT64_MAX;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry tsc;
	} msrs = { .head.nmsrs = 1, .tsc.index = 0x10 };

	clk.no_offset = set_no_offset(vcpu);
	if (clk.no_offset)
		return true;
	/* CPL 3 that runs without the hypervisor's help reads the host's */
	if (vcpu->vm->mode == ABI_MODE_USER)
		return true;
	for (int i = 0; i < 5; i++) {
		uint64_t before = __rdtsc(), after;

		if (ioctl(vcpu->fd, KVM_GET_MSRS, &msrs) != 1)
			return false;
		after = __rdtsc();
		if (after - before < best) {
			best = after - before;
			/* a guest TSC taken for too high makes time late, not early */
			clk.offset = msrs.tsc.data - before;
		}
	}
	return true;
}

void clock_start(struct vcpu *vcpu)
{
	int khz = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);

	clk.page = guest_ptr(vcpu->vm, vcpu->vm->clock, ABI_PAGE);
	if (!find_offset(vcpu)) {
		vmsg("time by real calls only: %s does not tell the guest's TSC", vcpu->vm->device_path);
		return;
	}
	clk.last = take_sample();
	/* without a rate the first renewal finds one */
	clk.renew = 0;
	if (khz > 0)
		set_rate(((unsigned __int128)1000000 << 32) / khz);
	renew();
}

void clock_join(struct vcpu *vcpu)
{
	if (vcpu->vm->mode == ABI_MODE_USER || (clk.no_offset && set_no_offset(vcpu)))
		return;
	while (atomic_flag_test_and_set_explicit(&clk.renewing, memory_order_acquire))
		;
	if (clk.renew != UINT64_MAX)
		give_up("vCPUs may have TSCs of their own");
	atomic_flag_clear_explicit(&clk.renewing, memory_order_release);
}

void clock_forked(struct vcpu *vcpu)
{
	/* a thread that is not here may have been at it: whatever it left is made again soon */
	atomic_flag_clear_explicit(&clk.renewing, memory_order_release);
	clock_join(vcpu);
	if (clk.renew != UINT64_MAX)
		clk.renew = 0;
}

void clock_stop(void)
{
	clk.renew = UINT64_MAX;
}

void clock_tick(void)
{
	if (__rdtsc() < atomic_load_explicit(&clk.renew, memory_order_relaxed))
		return;
	/* one thread does it, and nobody waits: the page is good for a while yet */
	if (atomic_flag_test_and_set_explicit(&clk.renewing, memory_order_acquire))
		return;
	if (__rdtsc() >= clk.renew)
		renew();
	atomic_flag_clear_explicit(&clk.renewing, memory_order_release);
}
