/* SPDX-License-Identifier: GPL-2.0-only */
/* vcpu.c - a vCPU: its file, its ioctls, its life */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "kvmrun.h"
#include "main.h"

/* --------------------------------------------------------------------- ioctls */

static int set_signal_mask(struct vcpu *vcpu, struct kvm_signal_mask __user *arg)
{
	struct kvm_signal_mask mask;

	if (!arg) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (copy_from_user(&mask, arg, sizeof(mask)))
		return -EFAULT;
	if (mask.len != sizeof(vcpu->sigset))
		return -EINVAL;
	if (copy_from_user(&vcpu->sigset, arg->sigset, sizeof(vcpu->sigset)))
		return -EFAULT;
	sigdelsetmask(&vcpu->sigset, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset_active = true;
	return 0;
}

/* The one attribute: how far the guest's TSC is from the host's. */
static int device_attr(struct vcpu *vcpu, unsigned int cmd, struct kvm_device_attr __user *arg)
{
	struct kvm_device_attr attr;
	u64 __user *user;
	u64 offset;

	if (copy_from_user(&attr, arg, sizeof(attr)))
		return -EFAULT;
	if (attr.group != KVM_VCPU_TSC_CTRL || attr.attr != KVM_VCPU_TSC_OFFSET)
		return -ENXIO;
	user = (u64 __user *)(unsigned long)attr.addr;
	if (cmd == KVM_GET_DEVICE_ATTR)
		return put_user(vcpu->tsc_offset, user);
	if (cmd == KVM_SET_DEVICE_ATTR) {
		if (get_user(offset, user))
			return -EFAULT;
		clock_set_tsc_offset(vcpu, offset);
	}
	return 0;
}

static int enable_cap(struct vcpu *vcpu, struct kvm_enable_cap __user *arg)
{
	struct kvm_enable_cap cap;

	if (copy_from_user(&cap, arg, sizeof(cap)))
		return -EFAULT;
	if (cap.flags || cap.cap != KVM_CAP_ENFORCE_PV_FEATURE_CPUID)
		return -EINVAL;
	vcpu->enforce_pv = cap.args[0];
	return 0;
}

/* No interrupt controller: a vCPU always runs, and idles in user space. */
static int set_mp_state(const struct kvm_mp_state *mp)
{
	return mp->mp_state == KVM_MP_STATE_RUNNABLE ? 0 : -EINVAL;
}

/* The ioctls that carry one struct; the rest is in vcpu_ioctl. */
union argument {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp;
	struct kvm_translation translation;
	struct kvm_interrupt interrupt;
	struct kvm_guest_debug debug;
};

static int struct_ioctl(struct vcpu *vcpu, unsigned int cmd, union argument *u)
{
	switch (cmd) {
	case KVM_GET_REGS:
		state_get_regs(vcpu, &u->regs);
		return 0;
	case KVM_SET_REGS:
		state_set_regs(vcpu, &u->regs);
		return 0;
	case KVM_GET_SREGS:
		state_get_sregs(vcpu, &u->sregs);
		return 0;
	case KVM_SET_SREGS:
		return state_set_sregs(vcpu, &u->sregs);
	case KVM_GET_FPU:
		return state_get_fpu(vcpu, &u->fpu);
	case KVM_SET_FPU:
		return state_set_fpu(vcpu, &u->fpu);
	case KVM_GET_XCRS:
		state_get_xcrs(vcpu, &u->xcrs);
		return 0;
	case KVM_SET_XCRS:
		return state_set_xcrs(vcpu, &u->xcrs);
	case KVM_GET_DEBUGREGS:
		state_get_debugregs(vcpu, &u->debugregs);
		return 0;
	case KVM_SET_DEBUGREGS:
		return state_set_debugregs(vcpu, &u->debugregs);
	case KVM_GET_VCPU_EVENTS:
		event_get(vcpu, &u->events);
		return 0;
	case KVM_SET_VCPU_EVENTS:
		return event_set(vcpu, &u->events);
	case KVM_GET_MP_STATE:
		u->mp.mp_state = KVM_MP_STATE_RUNNABLE;
		return 0;
	case KVM_SET_MP_STATE:
		return set_mp_state(&u->mp);
	case KVM_TRANSLATE:
		state_translate(vcpu, &u->translation);
		return 0;
	case KVM_INTERRUPT:
		return event_interrupt(vcpu, u->interrupt.irq);
	case KVM_SET_GUEST_DEBUG:
		return debug_set(vcpu, &u->debug);
	default:
		return -EINVAL;
	}
}

static int struct_ioctl_copying(struct vcpu *vcpu, unsigned int cmd, void __user *user)
{
	size_t size = _IOC_SIZE(cmd);
	union argument u = {};
	int r;

	if (_IOC_TYPE(cmd) != KVMIO || size > sizeof(u))
		return -EINVAL;
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(&u, user, size))
		return -EFAULT;
	r = struct_ioctl(vcpu, cmd, &u);
	if (!r && _IOC_DIR(cmd) & _IOC_READ && copy_to_user(user, &u, size))
		return -EFAULT;
	return r;
}

static int locked_ioctl(struct vcpu *vcpu, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case KVM_RUN:
		return arg ? -EINVAL : run_vcpu(vcpu);
	case KVM_SET_CPUID2:
		return cpuid_set(vcpu, user);
	case KVM_GET_CPUID2:
		return cpuid_get(vcpu, user);
	case KVM_GET_MSRS:
		return msr_get_list(vcpu, user);
	case KVM_SET_MSRS:
		return msr_set_list(vcpu, user);
	case KVM_GET_XSAVE:
		return state_get_xsave(vcpu, user, sizeof(struct kvm_xsave));
	case KVM_GET_XSAVE2:
		return state_get_xsave(vcpu, user, state_xsave_size());
	case KVM_SET_XSAVE:
		return state_set_xsave(vcpu, user, state_xsave_size());
	case KVM_SET_SIGNAL_MASK:
		return set_signal_mask(vcpu, user);
	case KVM_NMI:
		vcpu->nmi.pending = min(vcpu->nmi.pending + 1, 2);
		return 0;
	case KVM_GET_STATS_FD:
		return stats_open(vcpu->vm, vcpu);
	case KVM_GET_TSC_KHZ:
		return tsc_khz;
	case KVM_ENABLE_CAP:
		return enable_cap(vcpu, user);
	case KVM_KVMCLOCK_CTRL:
		return clock_stopped(vcpu);
	case KVM_HAS_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
	case KVM_SET_DEVICE_ATTR:
		return device_attr(vcpu, cmd, user);
	default:
		return struct_ioctl_copying(vcpu, cmd, user);
	}
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vcpu *vcpu = file->private_data;
	long r;

	if (vcpu->vm->mm != current->mm)
		return -EIO;
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	r = locked_ioctl(vcpu, cmd, arg);
	mutex_unlock(&vcpu->mutex);
	return r;
}

/* ----------------------------------------------------------------------- file */

static vm_fault_t run_page_fault(struct vm_fault *vmf)
{
	struct vcpu *vcpu = vmf->vma->vm_file->private_data;

	switch (vmf->pgoff) {
	case 0:
		vmf->page = virt_to_page(vcpu->run);
		break;
	case KVM_PIO_PAGE_OFFSET:
		vmf->page = virt_to_page(vcpu->pio);
		break;
	default:
		return VM_FAULT_SIGBUS;
	}
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct run_vm_ops = { .fault = run_page_fault };

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &run_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct vcpu *vcpu = file->private_data;

	/* the vCPU itself stays until the VM ends: its id is taken */
	vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vcpu_mmap,
	.release = vcpu_release,
	.llseek = noop_llseek,
};

/* ----------------------------------------------------------------------- life */

void vcpu_end(struct vcpu *vcpu)
{
	if (vcpu->hw)
		ops->vcpu_free(vcpu);
	mmu_free_cache(vcpu);
	fpu_free_guest_fpstate(&vcpu->fpu);
	free_page((unsigned long)vcpu->run);
	free_page((unsigned long)vcpu->pio);
	kvfree(vcpu->cpuid);
}

/* One that its VM does not know. */
static void vcpu_free(struct vcpu *vcpu)
{
	vcpu_end(vcpu);
	kfree(vcpu);
}

static void reset(struct vcpu *vcpu)
{
	vcpu->rip = 0xfff0;
	vcpu->rflags = X86_EFLAGS_FIXED;
	vcpu->regs[RDX] = 0x600;
	vcpu->xcr0 = XFEATURE_MASK_FP;
	vcpu->dr6 = DR6_FIXED;
	vcpu->dr7 = DR7_FIXED;
	vcpu->apic_base = APIC_DEFAULT_PHYS_BASE | MSR_IA32_APICBASE_ENABLE;
	if (vcpu->id == vcpu->vm->boot_cpu_id)
		vcpu->apic_base |= MSR_IA32_APICBASE_BSP;
	msr_reset(vcpu);
}

static struct vcpu *vcpu_new(struct vm *vm, int id)
{
	struct vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return NULL;
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->cpu = -1;
	mutex_init(&vcpu->mutex);
	if (!fpu_alloc_guest_fpstate(&vcpu->fpu)) {
		kfree(vcpu);
		return NULL;
	}
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->pio = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	reset(vcpu);
	if (!vcpu->run || !vcpu->pio || ops->vcpu_create(vcpu)) {
		vcpu_free(vcpu);
		return NULL;
	}
	vcpu->tlb_gen = ~0ull;
	return vcpu;
}

/* Enter it under its id, reserved or not: a kick finds it before anyone can run it. */
static int vcpu_enter(struct vm *vm, struct vcpu *vcpu)
{
	int r;

	clock_init_vcpu(vcpu);
	r = xa_err(xa_store(&vm->vcpus, vcpu->id, vcpu, GFP_KERNEL_ACCOUNT));
	if (!r)
		WRITE_ONCE(vm->nr_vcpus, vm->nr_vcpus + 1);
	return r;
}

/* The same with a file, whose descriptor it returns. */
static int vcpu_enter_file(struct vm *vm, struct vcpu *vcpu)
{
	struct file *file;
	char name[24];
	int fd, r;

	r = xa_reserve(&vm->vcpus, vcpu->id, GFP_KERNEL_ACCOUNT);
	if (r)
		return r;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		r = fd;
		goto release;
	}
	snprintf(name, sizeof(name), "kvm-vcpu:%d", vcpu->id);
	file = anon_inode_getfile(name, &vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		r = PTR_ERR(file);
		goto put_fd;
	}
	vm_get(vm);
	vcpu_enter(vm, vcpu);	/* cannot fail, as the id is reserved */
	fd_install(fd, file);
	return fd;

put_fd:
	put_unused_fd(fd);
release:
	xa_release(&vm->vcpus, vcpu->id);
	return r;
}

static int create(struct vm *vm, unsigned long id, int (*enter)(struct vm *, struct vcpu *))
{
	struct vcpu *vcpu;
	int r;

	if (id >= (READ_ONCE(vm->max_vcpu_id) ?: MAX_VCPU_ID))
		return -EINVAL;
	vcpu = vcpu_new(vm, id);
	if (!vcpu)
		return -ENOMEM;
	mutex_lock(&vm->lock);
	if (vm->nr_vcpus >= MAX_VCPUS)
		r = -EINVAL;
	else if (xa_load(&vm->vcpus, id))
		r = -EEXIST;
	else
		r = enter(vm, vcpu);
	mutex_unlock(&vm->lock);
	if (r < 0)
		vcpu_free(vcpu);
	return r;
}

int vcpu_create(struct vm *vm, unsigned long id)
{
	return create(vm, id, vcpu_enter_file);
}

int vcpu_add(struct vm *vm, unsigned long id)
{
	return create(vm, id, vcpu_enter);
}
