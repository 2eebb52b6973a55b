/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c - loading and unloading, the device, the CPUs
 *
 * While the module is loaded, every online CPU has its hypervisor mode on.
 */
#include <linux/cpu.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/reboot.h>

#include "compat.h"
#include "kvmrun.h"
#include "main.h"

const struct kvmrun_ops *ops;

static const struct kvmrun_ops *const implementations[] = { &svm_ops, &vmx_ops };

/* ------------------------------------------------------------------- the CPUs */

static DEFINE_PER_CPU(bool, switched_on);
static int hotplug_state;

bool main_cpu_enabled(void)
{
	return __this_cpu_read(switched_on);
}

static int enable_this_cpu(void)
{
	unsigned long flags;
	int r = 0;

	local_irq_save(flags);
	if (!__this_cpu_read(switched_on)) {
		r = ops->hardware_enable();
		__this_cpu_write(switched_on, !r);
	}
	local_irq_restore(flags);
	return r;
}

static void disable_this_cpu(void *unused)
{
	unsigned long flags;

	local_irq_save(flags);
	if (__this_cpu_read(switched_on)) {
		__this_cpu_write(switched_on, false);
		ops->hardware_disable();
	}
	local_irq_restore(flags);
}

static int going_online(unsigned int cpu)
{
	int r = enable_this_cpu();

	if (r)
		pr_err("CPU %u: hypervisor mode cannot be switched on (error %d)\n", cpu, r);
	return r;
}

static int going_offline(unsigned int cpu)
{
	disable_this_cpu(NULL);
	return 0;
}

/* Suspend takes all CPUs but this one offline, and does not say so of this one. */
static int go_to_sleep(SYSCORE_ARG)
{
	disable_this_cpu(NULL);
	return 0;
}

static void wake_up_again(SYSCORE_ARG)
{
	if (enable_this_cpu())
		pr_err("CPU %d: hypervisor mode cannot be switched on after suspend\n",
		       smp_processor_id());
}

DEFINE_SYSCORE(syscore, .suspend = go_to_sleep, .resume = wake_up_again);

/* Firmware and the next kernel want CPUs as they were: INIT is blocked in hypervisor mode. */
static int before_reboot(struct notifier_block *nb, unsigned long event, void *unused)
{
	on_each_cpu(disable_this_cpu, NULL, 1);
	return NOTIFY_OK;
}

static struct notifier_block reboot_notifier = { .notifier_call = before_reboot };

/* By NMI, on every CPU, when the kernel has crashed. */
static void emergency(void)
{
	disable_this_cpu(NULL);
}

static bool prepared_for_crash;

/* Not at load: the kernel warns when kvm_amd, which does not get along with us, has its own. */
void main_prepare_for_crash(void)
{
	if (!xchg(&prepared_for_crash, true))
		cpu_emergency_register_virt_callback(emergency);
}

bool main_module_loaded(const char *name)
{
	/* all modules are in the set that this one is in, in a sysfs that need not be mounted */
	struct kset *modules = THIS_MODULE->mkobj.kobj.kset;
	struct kobject *module = modules ? kset_find_obj(modules, name) : NULL;

	kobject_put(module);
	return module;
}

/* ----------------------------------------------------------------- the device */

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return check_extension(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : VCPU_MMAP_SIZE;
	case KVM_CREATE_VM:
		return vm_create(arg);
	case KVM_GET_SUPPORTED_CPUID:
		return cpuid_supported((void __user *)arg);
	case KVM_GET_MSR_INDEX_LIST:
		return msr_index_list((void __user *)arg);
	case KVM_GET_MSR_FEATURE_INDEX_LIST:
		return msr_feature_list((void __user *)arg);
	case KVM_GET_MSRS:
		return msr_get_list(NULL, (void __user *)arg);
	default:
		return classic_ioctl(file, cmd, arg);
	}
}

static int device_open(struct inode *inode, struct file *file)
{
	/* the misc device; from here on it is classic.c's */
	file->private_data = NULL;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	classic_release(file);
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = classic_mmap,
	.release = device_release,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kvmrun",
	.fops = &device_fops,
	.mode = 0660,
};

/* ------------------------------------------------------------ load and unload */

int main_check(const struct requirement *requirements, size_t n)
{
	for (; n--; requirements++)
		if (!requirements->met()) {
			pr_err("%s\n", requirements->refusal);
			return requirements->error;
		}
	return 0;
}

static int __init choose_implementation(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(implementations); i++) {
		ops = implementations[i];
		if (ops->present())
			return ops->check();
	}
	pr_err("this CPU has no AMD-V (SVM) and no VT-x (VMX), or hides it from this virtual machine\n");
	return -EOPNOTSUPP;
}

static int __init kvmrun_init(void)
{
	int r = choose_implementation();

	if (r)
		return r;
	run_init();
	r = ops->setup();
	if (r)
		return r;
	r = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "x86/kvmrun:online", going_online, going_offline);
	if (r < 0)
		goto teardown;
	hotplug_state = r;
	register_reboot_notifier(&reboot_notifier);
	register_syscore(&syscore);
	preempt_notifier_inc();
	r = misc_register(&device);
	if (r) {
		pr_err("/dev/kvmrun cannot be made (error %d)\n", r);
		goto unregister;
	}
	return 0;

unregister:
	preempt_notifier_dec();
	unregister_syscore(&syscore);
	unregister_reboot_notifier(&reboot_notifier);
	cpuhp_remove_state(hotplug_state);
teardown:
	ops->teardown();
	return r;
}

static void __exit kvmrun_exit(void)
{
	misc_deregister(&device);
	preempt_notifier_dec();
	unregister_syscore(&syscore);
	unregister_reboot_notifier(&reboot_notifier);
	cpuhp_remove_state(hotplug_state);
	if (prepared_for_crash)
		cpu_emergency_unregister_virt_callback(emergency);
	ops->teardown();
	vm_wait_for_all_freed();
}

module_init(kvmrun_init);
module_exit(kvmrun_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A small hypervisor with the ABI of linux/kvm.h");
