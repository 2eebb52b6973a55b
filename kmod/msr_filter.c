/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * msr_filter.c - the guest's RDMSR and WRMSR, and those of them that user space
 * forbids (KVM_X86_SET_MSR_FILTER) or answers (KVM_CAP_X86_USER_SPACE_MSR)
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/trapnr.h>

#include "kvmrun.h"

struct msr_filter {
	bool default_deny;
	u32 nr_ranges;
	struct msr_range {
		u32 flags;		/* KVM_MSR_FILTER_READ, KVM_MSR_FILTER_WRITE */
		u32 base, nmsrs;
		unsigned long *allowed;	/* a bit each */
	} ranges[KVM_MSR_FILTER_MAX_RANGES];
};

/* ----------------------------------------------------------------- user space */

static void filter_free(struct msr_filter *filter)
{
	u32 i;

	for (i = 0; filter && i < filter->nr_ranges; i++)
		kfree(filter->ranges[i].allowed);
	kfree(filter);
}

static int copy_range(struct msr_filter *filter, const struct kvm_msr_filter_range *from)
{
	struct msr_range *range = &filter->ranges[filter->nr_ranges];
	size_t bytes = DIV_ROUND_UP((size_t)from->nmsrs, 8);

	if (!from->nmsrs)
		return 0;
	if (!from->flags || from->flags & ~(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE) ||
	    bytes > KVM_MSR_FILTER_MAX_BITMAP_SIZE)
		return -EINVAL;
	*range = (struct msr_range){ .flags = from->flags, .base = from->base, .nmsrs = from->nmsrs };
	range->allowed = kzalloc(ALIGN(bytes, sizeof(long)), GFP_KERNEL_ACCOUNT);
	if (!range->allowed)
		return -ENOMEM;
	filter->nr_ranges++;
	return copy_from_user(range->allowed, (void __user *)from->bitmap, bytes) ? -EFAULT : 0;
}

/* The argument of either command, to be freed; or ERR_PTR(). */
static struct kvm_msr_filter *filter_copy(unsigned int cmd, const void __user *user)
{
	struct kvm_msr_filter *filter;
	struct msr_filter_32 from;
	int i;

	if (cmd != SET_MSR_FILTER_32)
		return memdup_user(user, sizeof(*filter));
	if (copy_from_user(&from, user, sizeof(from)))
		return ERR_PTR(-EFAULT);
	filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);
	if (!filter)
		return ERR_PTR(-ENOMEM);
	filter->flags = from.flags;
	for (i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		filter->ranges[i] = (struct kvm_msr_filter_range){
			.flags = from.ranges[i].flags,
			.nmsrs = from.ranges[i].nmsrs,
			.base = from.ranges[i].base,
			.bitmap = (void *)(unsigned long)from.ranges[i].bitmap,
		};
	return filter;
}

int msr_filter_set(struct vm *vm, unsigned int cmd, const void __user *user)
{
	struct msr_filter *filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT), *old;
	struct kvm_msr_filter *from = filter_copy(cmd, user);
	int r = 0, i;

	if (!filter || IS_ERR(from)) {
		r = IS_ERR(from) ? PTR_ERR(from) : -ENOMEM;
		goto free;
	}
	if (from->flags & ~KVM_MSR_FILTER_DEFAULT_DENY)
		r = -EINVAL;
	for (i = 0; i < KVM_MSR_FILTER_MAX_RANGES && !r; i++)
		r = copy_range(filter, &from->ranges[i]);
	filter->default_deny = from->flags & KVM_MSR_FILTER_DEFAULT_DENY;
	if (!r && filter->default_deny && !filter->nr_ranges)
		r = -EINVAL;
	if (r)
		goto free;
	if (!filter->nr_ranges) {
		/* allows everything: none */
		filter_free(filter);
		filter = NULL;
	}
	mutex_lock(&vm->lock);
	old = rcu_replace_pointer(vm->msr_filter, filter, lockdep_is_held(&vm->lock));
	mutex_unlock(&vm->lock);
	/* each that is in the guest comes out, and enters with the intercepts for the new one */
	vm_kick(vm);
	synchronize_rcu();
	filter = old;
free:
	filter_free(filter);
	if (!IS_ERR(from))
		kfree(from);
	return r;
}

void msr_filter_free(struct vm *vm)
{
	filter_free(rcu_dereference_protected(vm->msr_filter, true));
}

/* ---------------------------------------------------------------------- guest */

/* The x2APIC's are never filtered; of ranges the first that the access is in counts. */
static bool filter_allows(const struct msr_filter *filter, u32 index, u32 access)
{
	const struct msr_range *range;

	if (index >= 0x800 && index <= 0x8ff)
		return true;
	for (range = filter->ranges; range < filter->ranges + filter->nr_ranges; range++)
		if (range->flags & access && index - range->base < range->nmsrs)
			return test_bit(index - range->base, range->allowed);
	return !filter->default_deny;
}

static bool allowed(struct vcpu *vcpu, u32 index, u32 access)
{
	const struct msr_filter *filter;
	bool r;

	rcu_read_lock();
	filter = rcu_dereference(vcpu->vm->msr_filter);
	r = !filter || filter_allows(filter, index, access);
	rcu_read_unlock();
	return r;
}

static int protection(struct vcpu *vcpu)
{
	event_exception_error(vcpu, X86_TRAP_GP, 0);
	return 1;
}

/* The guest's access failed: user space may want to see to it. As handle_exit. */
static int refused(struct vcpu *vcpu, int error, bool read, u64 value)
{
	struct kvm_run *run = vcpu->run;
	u32 reason = error == -EPERM ? KVM_MSR_EXIT_REASON_FILTER :
		     error == -ENOENT ? KVM_MSR_EXIT_REASON_UNKNOWN : KVM_MSR_EXIT_REASON_INVAL;

	if (!(READ_ONCE(vcpu->vm->msr_exits) & reason))
		return protection(vcpu);
	vcpu->pending = read ? PENDING_MSR_READ : PENDING_MSR_WRITE;
	vcpu->msr_rip = access_linear_rip(vcpu);
	run->exit_reason = read ? KVM_EXIT_X86_RDMSR : KVM_EXIT_X86_WRMSR;
	run->msr.error = 0;
	memset(run->msr.pad, 0, sizeof(run->msr.pad));
	run->msr.reason = reason;
	run->msr.index = vcpu->regs[RCX];
	run->msr.data = value;
	return 0;
}

static int finish_read(struct vcpu *vcpu, u64 value)
{
	vcpu->regs[RAX] = (u32)value;
	vcpu->regs[RDX] = value >> 32;
	return ops->skip(vcpu);
}

int msr_read(struct vcpu *vcpu)
{
	u32 index = vcpu->regs[RCX];
	u64 value = 0;
	int r = allowed(vcpu, index, KVM_MSR_FILTER_READ) ?
		msr_get(vcpu, index, &value, false) : -EPERM;

	return r ? refused(vcpu, r, true, 0) : finish_read(vcpu, value);
}

int msr_write(struct vcpu *vcpu)
{
	u64 value = (u32)vcpu->regs[RAX] | vcpu->regs[RDX] << 32;
	u32 index = vcpu->regs[RCX];
	int r = allowed(vcpu, index, KVM_MSR_FILTER_WRITE) ?
		msr_set(vcpu, index, value, false) : -EPERM;

	return r ? refused(vcpu, r, false, value) : ops->skip(vcpu);
}

int msr_done(struct vcpu *vcpu, bool read)
{
	/* user space put the guest elsewhere: there is no one to answer */
	if (vcpu->msr_rip != access_linear_rip(vcpu))
		return 1;
	if (READ_ONCE(vcpu->run->msr.error))
		return protection(vcpu);
	return read ? finish_read(vcpu, READ_ONCE(vcpu->run->msr.data)) : ops->skip(vcpu);
}
