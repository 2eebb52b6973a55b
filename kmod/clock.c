/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.c - the guest's TSC, and KVM's clocks in its memory
 *
 * The guest's TSC is the host's plus an offset. KVM's clock counts nanoseconds
 * since the VM was made, or since what KVM_SET_CLOCK says. Where the host's TSC
 * is the same on all CPUs the clock is nothing but that TSC scaled, so what a
 * vCPU was told once stays right; where it is not, a vCPU is told anew on each
 * CPU that it comes to, by the host's own clock. Layouts and protocol:
 * asm/pvclock-abi.h, asm/kvm_para.h.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <asm/kvm_para.h>
#include <asm/msr.h>
#include <asm/pvclock-abi.h>
#include <asm/tsc.h>

#include "compat.h"
#include "kvmrun.h"

/* ------------------------------------------------------------------ the VM's */

static bool tsc_is_one(void)
{
	return !check_tsc_unstable();
}

/* Every vCPU is told the clock before it runs on. clock_lock is held, vm_kick follows. */
static void outdate(struct vm *vm)
{
	/* 0 is a vCPU that was told nothing yet */
	WRITE_ONCE(vm->clock_gen, vm->clock_gen + 1 ?: 1);
}

void clock_init(struct vm *vm)
{
	u64 hz = (u64)tsc_khz * 1000;

	spin_lock_init(&vm->clock_lock);
	vm->clock_gen = 1;
	/* a multiplier of 32 bits: cycles are shifted to more than 1 GHz, at most 2 */
	for (; hz > 2 * NSEC_PER_SEC; hz >>= 1)
		vm->tsc_shift--;
	for (; hz <= NSEC_PER_SEC; hz <<= 1)
		vm->tsc_shift++;
	vm->tsc_mul = div64_u64((u64)NSEC_PER_SEC << 32, hz);
	vm->clock_tsc = rdtsc_ordered();
	vm->clock_boot = ktime_get_boottime_ns();
}

void clock_init_vcpu(struct vcpu *vcpu)
{
	if (!vcpu->vm->nr_vcpus)
		vcpu->vm->tsc_offset = -rdtsc();
	vcpu->tsc_offset = READ_ONCE(vcpu->vm->tsc_offset);
}

/* A point that the clock goes through: the VM's own, or, where TSCs differ, now on this CPU. */
static void point(struct vm *vm, u64 *tsc, u64 *ns)
{
	unsigned long flags;

	spin_lock_irqsave(&vm->clock_lock, flags);
	*tsc = vm->clock_tsc;
	*ns = vm->clock_ns;
	if (!tsc_is_one()) {
		*tsc = rdtsc_ordered();
		*ns += ktime_get_boottime_ns() - vm->clock_boot;
	}
	spin_unlock_irqrestore(&vm->clock_lock, flags);
}

/* The clock when the host's TSC was that. */
static u64 clock_at(struct vm *vm, u64 tsc)
{
	u64 from, ns, cycles;

	point(vm, &from, &ns);
	if (!tsc_is_one())
		return ns;
	cycles = tsc - from;
	cycles = vm->tsc_shift < 0 ? cycles >> -vm->tsc_shift : cycles << vm->tsc_shift;
	return ns + mul_u64_u32_shr(cycles, vm->tsc_mul, 32);
}

u32 clock_flags(void)
{
	return tsc_is_one() ? KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC :
	       KVM_CLOCK_REALTIME;
}

void clock_get(struct vm *vm, struct kvm_clock_data *data)
{
	unsigned long flags;

	memset(data, 0, sizeof(*data));
	data->flags = clock_flags();
	local_irq_save(flags);
	data->host_tsc = rdtsc_ordered();
	data->realtime = ktime_get_real_ns();
	local_irq_restore(flags);
	data->clock = clock_at(vm, data->host_tsc);
	if (!(data->flags & KVM_CLOCK_HOST_TSC))
		data->host_tsc = 0;
}

int clock_set(struct vm *vm, const struct kvm_clock_data *data)
{
	u64 ns = data->clock, now = ktime_get_real_ns();

	if (data->flags & ~(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC))
		return -EINVAL;
	/* it went on since the moment that this is the clock of */
	if (data->flags & KVM_CLOCK_REALTIME && now > data->realtime)
		ns += now - data->realtime;
	spin_lock_irq(&vm->clock_lock);
	vm->clock_tsc = rdtsc_ordered();
	vm->clock_boot = ktime_get_boottime_ns();
	vm->clock_ns = ns;
	outdate(vm);
	spin_unlock_irq(&vm->clock_lock);
	vm_kick(vm);
	return 0;
}

/* -------------------------------------------------------------------- the TSC */

void clock_set_tsc_offset(struct vcpu *vcpu, u64 offset)
{
	struct vm *vm = vcpu->vm;

	if (offset == vcpu->tsc_offset)
		return;
	spin_lock_irq(&vm->clock_lock);
	WRITE_ONCE(vcpu->tsc_offset, offset);
	outdate(vm);
	spin_unlock_irq(&vm->clock_lock);
	vm_kick(vm);
}

int clock_get_tsc(struct vcpu *vcpu, u64 *value, bool host)
{
	*value = rdtsc() + vcpu->tsc_offset;
	return 0;
}

/*
 * User space writes vCPU after vCPU what is to be one TSC: 0 after a reset, or
 * values of one saved moment. What is 0, or within a second of where the TSC
 * that was written last is by now, means that one.
 */
static u64 host_offset(struct vm *vm, u64 value, u64 tsc)
{
	u64 second = (u64)tsc_khz * 1000, offset = value - tsc;

	spin_lock_irq(&vm->clock_lock);
	if (tsc_is_one() && (!value || offset - vm->tsc_offset + second < 2 * second))
		offset = vm->tsc_offset;
	vm->tsc_offset = offset;
	spin_unlock_irq(&vm->clock_lock);
	return offset;
}

/* The guest's own writes show in TSC_ADJUST, user space's do not (SDM 3, 18.17.3). */
int clock_set_tsc(struct vcpu *vcpu, u64 value, bool host)
{
	u64 tsc = rdtsc(), offset = host ? host_offset(vcpu->vm, value, tsc) : value - tsc;

	if (!host)
		vcpu->tsc_adjust += offset - vcpu->tsc_offset;
	clock_set_tsc_offset(vcpu, offset);
	return 0;
}

int clock_set_tsc_adjust(struct vcpu *vcpu, u64 value, bool host)
{
	if (!host)
		clock_set_tsc_offset(vcpu, vcpu->tsc_offset + value - vcpu->tsc_adjust);
	vcpu->tsc_adjust = value;
	return 0;
}

/* Do all vCPUs' TSCs show the same? */
static bool same_offsets(struct vcpu *vcpu)
{
	struct vcpu *other;
	unsigned long id;

	xa_for_each(&vcpu->vm->vcpus, id, other)
		if (READ_ONCE(other->tsc_offset) != vcpu->tsc_offset)
			return false;
	return true;
}

/* ------------------------------------------------------ in the guest's memory */

/*
 * Write a structure that has a version: odd while it changes. The guest's own
 * number is counted on. Where no memory is nothing is told. slots_lock is held.
 */
static void publish(struct vm *vm, gpa_t gpa, void *data, size_t len, u32 *version)
{
	gpa_t at = gpa + ((void *)version - data);

	if (access_read_gpa(vm, at, version, sizeof(*version)))
		return;
	*version += 1 + (*version & 1);
	if (access_write_gpa(vm, at, version, sizeof(*version)))
		return;
	smp_wmb();
	if (access_write_gpa(vm, gpa, data, len))
		return;
	smp_wmb();
	++*version;
	access_write_gpa(vm, at, version, sizeof(*version));
}

static void tell_time(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	gpa_t gpa = vcpu->pv_time & ~(u64)KVM_MSR_ENABLED;
	struct pvclock_vcpu_time_info info = {};

	/* a stop that the guest has not seen yet */
	if (access_read_gpa(vm, gpa + offsetof(typeof(info), flags), &info.flags, 1))
		return;
	info.flags &= PVCLOCK_GUEST_STOPPED;
	if (vcpu->clock_stopped)
		info.flags |= PVCLOCK_GUEST_STOPPED;
	vcpu->clock_stopped = false;
	if (tsc_is_one() && same_offsets(vcpu))
		info.flags |= PVCLOCK_TSC_STABLE_BIT;
	point(vm, &info.tsc_timestamp, &info.system_time);
	info.tsc_timestamp += vcpu->tsc_offset;
	info.tsc_to_system_mul = vm->tsc_mul;
	info.tsc_shift = vm->tsc_shift;
	publish(vm, gpa, &info, sizeof(info), &info.version);
}

/* What the thread has waited for a CPU since the last time, added to what the guest has there. */
static void tell_steal(struct vcpu *vcpu)
{
	gpa_t gpa = vcpu->pv_steal & KVM_STEAL_VALID_BITS;
	u64 delay = compat_run_delay();
	struct kvm_steal_time st;

	/* the waiting of another thread that ran the vCPU before is not known */
	if (vcpu->steal_task != current || delay < vcpu->steal_delay)
		vcpu->steal_delay = delay;
	vcpu->steal_task = current;
	if (access_read_gpa(vcpu->vm, gpa, &st, sizeof(st)))
		return;
	st.steal += delay - vcpu->steal_delay;
	st.flags = 0;
	st.preempted = 0;
	vcpu->steal_delay = delay;
	publish(vcpu->vm, gpa, &st, offsetofend(struct kvm_steal_time, preempted), &st.version);
}

void clock_tell(struct vcpu *vcpu)
{
	unsigned long gen = READ_ONCE(vcpu->vm->clock_gen);
	bool time = vcpu->clock_gen != gen && vcpu->pv_time & KVM_MSR_ENABLED;
	bool steal = vcpu->steal_due;

	if (down_read_killable(&vcpu->vm->slots_lock))
		return;
	/* what follows may sleep, and wake up on a CPU where it is due again */
	vcpu->clock_gen = gen;
	vcpu->steal_due = false;
	if (time)
		tell_time(vcpu);
	if (steal)
		tell_steal(vcpu);
	up_read(&vcpu->vm->slots_lock);
}

void clock_load(struct vcpu *vcpu)
{
	vcpu->steal_due = vcpu->pv_steal & KVM_MSR_ENABLED;
	if (vcpu->pv_time & KVM_MSR_ENABLED && !tsc_is_one())
		vcpu->clock_gen = 0;
}

int clock_stopped(struct vcpu *vcpu)
{
	if (!(vcpu->pv_time & KVM_MSR_ENABLED))
		return -EINVAL;
	vcpu->clock_stopped = true;
	vcpu->clock_gen = 0;
	return 0;
}

/* ----------------------------------------------------------------------- MSRs */

int clock_set_pv_time(struct vcpu *vcpu, u64 value, bool host)
{
	vcpu->pv_time = value;
	vcpu->clock_gen = 0;
	return 0;
}

bool clock_has_steal(void)
{
	return compat_has_run_delay();
}

int clock_set_steal(struct vcpu *vcpu, u64 value, bool host)
{
	vcpu->pv_steal = value;
	vcpu->steal_task = NULL;
	vcpu->steal_due = value & KVM_MSR_ENABLED;
	return 0;
}

int clock_get_wall(struct vcpu *vcpu, u64 *value, bool host)
{
	*value = READ_ONCE(vcpu->vm->wall_clock);
	return 0;
}

/* The time of day when KVM's clock was 0, once per write. */
int clock_set_wall(struct vcpu *vcpu, u64 value, bool host)
{
	struct pvclock_wall_clock wall = {};
	struct vm *vm = vcpu->vm;
	struct kvm_clock_data now;
	u32 nsec;

	WRITE_ONCE(vm->wall_clock, value);
	if (!value)
		return 0;
	clock_get(vm, &now);
	wall.sec = div_u64_rem(now.realtime - now.clock, NSEC_PER_SEC, &nsec);
	wall.nsec = nsec;
	down_read(&vm->slots_lock);
	publish(vm, value, &wall, sizeof(wall), &wall.version);
	up_read(&vm->slots_lock);
	return 0;
}
