/* SPDX-License-Identifier: GPL-2.0-only */
/* vm.c - a VM: its file, its ioctls, its life */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>
#include <linux/module.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "kvmrun.h"
#include "main.h"

/* Until vm_free: the module's code is needed for them. */
static atomic_t living = ATOMIC_INIT(0);

void vm_get(struct vm *vm)
{
	kref_get(&vm->refs);
}

static void vm_destroy(struct kref *refs)
{
	struct vm *vm = container_of(refs, struct vm, refs);
	struct vcpu *vcpu;
	unsigned long id;

	mmu_destroy(vm);
	memory_free(vm);
	msr_filter_free(vm);
	/* a notification that came before may still be kicking them */
	xa_for_each(&vm->vcpus, id, vcpu)
		vcpu_end(vcpu);
	/* vm_free when no notification can be running in it any more */
	mmu_notifier_put(&vm->notifier);
}

void vm_free(struct vm *vm)
{
	struct vcpu *vcpu;
	unsigned long id;

	xa_for_each(&vm->vcpus, id, vcpu)
		kfree(vcpu);
	xa_destroy(&vm->vcpus);
	kfree(vm);
	if (atomic_dec_and_test(&living))
		wake_up_var(&living);
}

void vm_wait_for_all_freed(void)
{
	wait_var_event(&living, !atomic_read(&living));
	/* vm_free is called with softirqs disabled, which is an RCU reader: it has returned */
	synchronize_rcu();
}

void vm_put(struct vm *vm)
{
	kref_put(&vm->refs, vm_destroy);
}

static void ipi(void *unused)
{
}

void vm_kick(struct vm *vm)
{
	struct vcpu *vcpu;
	unsigned long id;

	/* pairs with run_vcpu: either it sees what changed or we see it in the guest */
	smp_mb();
	xa_for_each(&vm->vcpus, id, vcpu)
		if (READ_ONCE(vcpu->in_guest))
			smp_call_function_single(READ_ONCE(vcpu->cpu), ipi, NULL, 1);
}

/* --------------------------------------------------------------------- ioctls */

/* One that VT-x on old CPUs needs: checked and forgotten, as stock KVM does on AMD-V. */
static int vm_set_tss_addr(unsigned long addr)
{
	return addr > (unsigned int)(-3 * PAGE_SIZE) ? -EINVAL : 0;
}

static int vm_set_identity_map_addr(struct vm *vm, u64 __user *arg)
{
	u64 addr;

	if (copy_from_user(&addr, arg, sizeof(addr)))
		return -EFAULT;
	/* it is for before the first vCPU, whatever the CPU */
	return READ_ONCE(vm->nr_vcpus) ? -EINVAL : 0;
}

/* 0, or -EINVAL: not that one, or not with that argument. vm->lock is held. */
static int vm_set_cap(struct vm *vm, u32 cap, u64 arg)
{
	switch (cap) {
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		if (arg & ~(u64)DIRTY_LOGS || arg == KVM_DIRTY_LOG_INITIALLY_SET)
			return -EINVAL;
		vm->manual_protect = arg;
		return 0;
	case KVM_CAP_X86_USER_SPACE_MSR:
		if (arg & ~(u64)MSR_EXITS)
			return -EINVAL;
		WRITE_ONCE(vm->msr_exits, arg);
		return 0;
	case KVM_CAP_MSR_PLATFORM_INFO:
		WRITE_ONCE(vm->hide_platform_info, !arg);
		return 0;
	case KVM_CAP_DISABLE_QUIRKS2:
		if (arg & ~(u64)QUIRKS)
			return -EINVAL;
		WRITE_ONCE(vm->quirks_off, arg);
		return 0;
	case KVM_CAP_MAX_VCPU_ID:
		/* once, and before there are any */
		if (!arg || arg > MAX_VCPU_ID || vm->nr_vcpus ||
		    (vm->max_vcpu_id && vm->max_vcpu_id != arg))
			return -EINVAL;
		vm->max_vcpu_id = arg;
		return 0;
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
		if (arg & ~1ull)
			return -EINVAL;
		vm->triple_fault_event = arg;
		return 0;
	default:
		return -EINVAL;
	}
}

static int vm_enable_cap(struct vm *vm, struct kvm_enable_cap __user *arg)
{
	struct kvm_enable_cap cap;
	int r;

	if (copy_from_user(&cap, arg, sizeof(cap)))
		return -EFAULT;
	if (cap.flags)
		return -EINVAL;
	mutex_lock(&vm->lock);
	r = vm_set_cap(vm, cap.cap, cap.args[0]);
	mutex_unlock(&vm->lock);
	return r;
}

/* KVM_SET_BOOT_CPU_ID: who has the BSP bit in its APIC base, if not vCPU 0. */
static int vm_set_boot_cpu_id(struct vm *vm, unsigned long id)
{
	int r = -EBUSY;

	mutex_lock(&vm->lock);
	if (!vm->nr_vcpus) {
		vm->boot_cpu_id = id;
		r = 0;
	}
	mutex_unlock(&vm->lock);
	return r;
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vm *vm = file->private_data;
	void __user *user = (void __user *)arg;
	union {
		struct kvm_userspace_memory_region region;
		struct kvm_dirty_log log;
		struct kvm_clear_dirty_log clear;
		struct kvm_clock_data clock;
	} u;

	if (vm->mm != current->mm)
		return -EIO;
	switch (cmd) {
	case KVM_CHECK_EXTENSION:
		return check_extension(arg);
	case KVM_CREATE_VCPU:
		return vcpu_create(vm, arg);
	case KVM_SET_USER_MEMORY_REGION:
		if (copy_from_user(&u.region, user, sizeof(u.region)))
			return -EFAULT;
		return memory_set_region(vm, &u.region);
	case KVM_GET_DIRTY_LOG:
		if (copy_from_user(&u.log, user, sizeof(u.log)))
			return -EFAULT;
		return memory_get_dirty_log(vm, &u.log, sizeof(u64));
	case KVM_CLEAR_DIRTY_LOG:
		if (copy_from_user(&u.clear, user, sizeof(u.clear)))
			return -EFAULT;
		return memory_clear_dirty_log(vm, &u.clear);
	case KVM_SET_TSS_ADDR:
		return vm_set_tss_addr(arg);
	case KVM_SET_IDENTITY_MAP_ADDR:
		return vm_set_identity_map_addr(vm, user);
	case KVM_SET_BOOT_CPU_ID:
		return vm_set_boot_cpu_id(vm, arg);
	case KVM_SET_NR_MMU_PAGES:
		return mmu_limit(vm, arg);
	case KVM_GET_NR_MMU_PAGES:
		return READ_ONCE(vm->max_tables);
	case KVM_GET_STATS_FD:
		return stats_open(vm, NULL);
	case KVM_ENABLE_CAP:
		return vm_enable_cap(vm, user);
	case KVM_GET_TSC_KHZ:
		return tsc_khz;
	case KVM_GET_CLOCK:
		clock_get(vm, &u.clock);
		return copy_to_user(user, &u.clock, sizeof(u.clock)) ? -EFAULT : 0;
	case KVM_SET_CLOCK:
		if (copy_from_user(&u.clock, user, sizeof(u.clock)))
			return -EFAULT;
		return clock_set(vm, &u.clock);
	case KVM_X86_SET_MSR_FILTER:
		return msr_filter_set(vm, cmd, user);
	case KVM_SET_GSI_ROUTING:
		/* as stock KVM where no interrupt controller was created */
		return -EINVAL;
	default:
		return -ENOTTY;
	}
}

/* By a program of 32 bits: the one command that has another size there. */
static long vm_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vm *vm = file->private_data;

	if (cmd == SET_MSR_FILTER_32)
		return vm->mm == current->mm ? msr_filter_set(vm, cmd, compat_ptr(arg)) : -EIO;
	return vm_ioctl(file, cmd, (unsigned long)compat_ptr(arg));
}

static int vm_release(struct inode *inode, struct file *file)
{
	vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = vm_compat_ioctl,
	.release = vm_release,
	.llseek = noop_llseek,
};

struct vm *vm_new(void)
{
	struct vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	int r;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->refs);
	vm->mm = current->mm;
	mutex_init(&vm->lock);
	init_rwsem(&vm->slots_lock);
	spin_lock_init(&vm->mmu_lock);
	xa_init(&vm->slots);
	xa_init(&vm->vcpus);
	vm->slots_by_gpa = vm->slots_by_hva = RB_ROOT_CACHED;
	clock_init(vm);
	main_prepare_for_crash();
	r = mmu_create(vm);
	if (r)
		goto free;
	vm->notifier.ops = &mmu_notifier_ops;
	r = mmu_notifier_register(&vm->notifier, vm->mm);
	if (r)
		goto destroy;
	/* freed by vm_put from here on */
	atomic_inc(&living);
	return vm;

destroy:
	mmu_destroy(vm);
free:
	kfree(vm);
	return ERR_PTR(r);
}

int vm_create(unsigned long type)
{
	struct vm *vm;
	int r;

	if (type)
		return -EINVAL;
	vm = vm_new();
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	r = anon_inode_getfd("kvm-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (r < 0)
		vm_put(vm);
	return r;
}
