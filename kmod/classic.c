/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * classic.c - the interface of KVM's first posting (October 2006)
 *
 * classic.h describes it to its users. Here each call is put into today's
 * terms and made by the functions that today's calls are made by.
 *
 * Guest memory is one sparse shmem file per VM in which an offset is a
 * guest-physical address. Each region maps its part of it into the process,
 * for the memslot's host addresses; user space maps what it likes of the same
 * file. So it is ordinary memory of the process: charged, swapped, notified of.
 */
#include <linux/bitmap.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/processor-flags.h>

#include "classic.h"
#include "kvmrun.h"

static bool enabled = true;
module_param_named(classic, enabled, bool, 0444);
MODULE_PARM_DESC(classic, "the interface of the first KVM posting, on the device itself");

/* A file of the device, once it is a VM. */
struct classic {
	struct vm *vm;
	struct file *memory;
	struct mutex lock;	/* for memory regions; before vm->lock */
};

union argument {
	u32 vcpu;		/* of most */
	struct classic_run run;
	struct classic_regs regs;
	struct classic_sregs sregs;
	struct classic_translation translation;
	struct classic_interrupt interrupt;
	struct classic_debug_guest debug;
	struct classic_memory_region region;
	struct classic_dirty_log log;
};

/* ------------------------------------------------------------------------ life */

static void classic_free(struct classic *c)
{
	struct memslot *slot;
	unsigned long id;

	/* else the process is ending, or keeps them until it does */
	if (current->mm == c->vm->mm)
		xa_for_each(&c->vm->slots, id, slot)
			vm_munmap(slot->hva.start, slot->npages << PAGE_SHIFT);
	vm_put(c->vm);
	fput(c->memory);
	kfree(c);
}

static struct classic *classic_new(void)
{
	struct classic *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	int r;

	if (!c)
		return ERR_PTR(-ENOMEM);
	mutex_init(&c->lock);
	/* nothing is reserved: pages are charged as they come */
	c->memory = shmem_file_setup("kvm-memory", MAX_GPA, VM_NORESERVE);
	r = PTR_ERR_OR_ZERO(c->memory);
	/* shmem's word for no memory to make the file of */
	if (r == -ENOSPC)
		r = -ENOMEM;
	if (r)
		goto free;
	c->vm = vm_new();
	r = PTR_ERR_OR_ZERO(c->vm);
	if (r)
		goto put;
	c->vm->cpuid_exits = true;
	return c;

put:
	fput(c->memory);
free:
	kfree(c);
	return ERR_PTR(r);
}

/* The VM of a file; the first call makes it. */
static struct classic *classic_of(struct file *file)
{
	struct classic *c = smp_load_acquire(&file->private_data), *other;

	if (c)
		return c;
	c = classic_new();
	if (IS_ERR(c))
		return c;
	other = cmpxchg(&file->private_data, NULL, c);
	if (!other)
		return c;
	classic_free(c);
	return other;
}

void classic_release(struct file *file)
{
	if (file->private_data)
		classic_free(file->private_data);
}

/* ---------------------------------------------------------------------- memory */

/* Its contents go, too: a region that comes to this address again is zero. */
static int remove_region(struct classic *c, const struct memslot *slot,
			 const struct kvm_userspace_memory_region *r)
{
	u64 gpa = slot->gpa.start, hva = slot->hva.start, size = slot->npages << PAGE_SHIFT;
	int error = memory_set_region(c->vm, r);

	if (error)
		return error;
	vm_munmap(hva, size);
	return vfs_fallocate(c->memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, gpa, size);
}

static int add_region(struct classic *c, struct kvm_userspace_memory_region *r)
{
	unsigned long hva;
	int error;

	/* vm_mmap has errors of its own for these */
	if (r->guest_phys_addr >= MAX_GPA || r->memory_size > MAX_GPA ||
	    !PAGE_ALIGNED(r->guest_phys_addr))
		return -EINVAL;
	hva = vm_mmap(c->memory, 0, r->memory_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_NORESERVE, r->guest_phys_addr);
	if (IS_ERR_VALUE(hva))
		return hva;
	r->userspace_addr = hva;
	error = memory_set_region(c->vm, r);
	if (error)
		vm_munmap(hva, r->memory_size);
	return error;
}

static int set_memory_region(struct classic *c, union argument *u)
{
	struct kvm_userspace_memory_region r = {
		.slot = u->region.slot, .flags = u->region.flags,
		.guest_phys_addr = u->region.guest_phys_addr,
		.memory_size = u->region.memory_size,
	};
	struct memslot *slot;
	int error;

	BUILD_BUG_ON(CLASSIC_LOG_DIRTY != KVM_MEM_LOG_DIRTY_PAGES);
	if (r.flags & ~CLASSIC_LOG_DIRTY)
		return -EINVAL;
	mutex_lock(&c->lock);
	slot = xa_load(&c->vm->slots, r.slot);
	if (!slot) {
		error = r.memory_size ? add_region(c, &r) : -EINVAL;
	} else if (!r.memory_size) {
		error = remove_region(c, slot, &r);
	} else {
		/* where it is in the file says where it is in the guest */
		r.userspace_addr = slot->hva.start;
		error = slot->gpa.start == r.guest_phys_addr ? memory_set_region(c->vm, &r) :
							       -EINVAL;
	}
	mutex_unlock(&c->lock);
	return error;
}

static int get_dirty_log(struct classic *c, union argument *u)
{
	struct kvm_dirty_log log = { .slot = u->log.slot };

	log.dirty_bitmap = (void __user *)(unsigned long)u->log.bitmap_address;
	return memory_get_dirty_log(c->vm, &log, 1);
}

int classic_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct classic *c = smp_load_acquire(&file->private_data);
	u64 start = (u64)vma->vm_pgoff << PAGE_SHIFT;
	bool there;

	if (!c || vma->vm_pgoff >= MAX_GPA >> PAGE_SHIFT)
		return -ENXIO;
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	/*
	 * From within one region to within one: the posting's own user space
	 * maps all memory at once, across the hole below 1 MiB.
	 */
	spin_lock(&c->vm->mmu_lock);
	there = memory_slot(c->vm, start) &&
		memory_slot(c->vm, start + (vma->vm_end - vma->vm_start) - 1);
	spin_unlock(&c->vm->mmu_lock);
	if (!there)
		return -ENXIO;
	vma_set_file(vma, c->memory);
	return call_mmap(c->memory, vma);
}

/* ------------------------------------------------------------------- registers */

/* Behind vcpu and pad the structs are as they are today. */
static_assert(sizeof(struct classic_regs) == 8 + sizeof(struct kvm_regs));
static_assert(offsetof(struct classic_regs, r8) == 8 + offsetof(struct kvm_regs, r8));
static_assert(sizeof(struct classic_segment) == sizeof(struct kvm_segment));
static_assert(offsetof(struct classic_segment, unusable) == offsetof(struct kvm_segment, unusable));
static_assert(sizeof(struct classic_dtable) == sizeof(struct kvm_dtable));
static_assert(offsetof(struct classic_sregs, ldt) == 8 + offsetof(struct kvm_sregs, ldt));
static_assert(offsetof(struct classic_sregs, apic_base) ==
	      8 + offsetof(struct kvm_sregs, apic_base));
#define SREGS_SIZE offsetof(struct kvm_sregs, interrupt_bitmap)
#define SREGS_AT offsetof(struct classic_sregs, cs)

static int get_regs(struct vcpu *vcpu, union argument *u)
{
	state_get_regs(vcpu, (struct kvm_regs *)&u->regs.rax);
	return 0;
}

static int set_regs(struct vcpu *vcpu, union argument *u)
{
	state_set_regs(vcpu, (struct kvm_regs *)&u->regs.rax);
	return 0;
}

static int get_sregs(struct vcpu *vcpu, union argument *u)
{
	struct kvm_sregs sregs;

	state_get_sregs(vcpu, &sregs);
	memcpy((void *)u + SREGS_AT, &sregs, SREGS_SIZE);
	u->sregs.pending_int = vcpu->irq.injected || !bitmap_empty(vcpu->irqs, 256);
	return 0;
}

static int set_sregs(struct vcpu *vcpu, union argument *u)
{
	struct kvm_sregs sregs = {};

	memcpy(&sregs, (void *)u + SREGS_AT, SREGS_SIZE);
	return state_set_sregs(vcpu, &sregs);
}

static int translate(struct vcpu *vcpu, union argument *u)
{
	struct classic_translation *t = &u->translation;
	struct kvm_translation tr = { .linear_address = t->linear_address };
	u32 error;
	gpa_t gpa;

	state_translate(vcpu, &tr);
	t->physical_address = tr.physical_address;
	t->valid = tr.valid;
	down_read(&vcpu->vm->slots_lock);
	t->writeable = !walk_gva(vcpu, t->linear_address, ACCESS_WRITE, &gpa, &error);
	t->usermode = !walk_gva(vcpu, t->linear_address, ACCESS_USER, &gpa, &error);
	up_read(&vcpu->vm->slots_lock);
	return 0;
}

static int debug_guest(struct vcpu *vcpu, union argument *u)
{
	const struct classic_debug_guest *d = &u->debug;
	struct kvm_guest_debug debug = {};
	int i;

	if (d->enabled)
		debug.control = KVM_GUESTDBG_ENABLE;
	if (d->enabled && d->singlestep)
		debug.control |= KVM_GUESTDBG_SINGLESTEP;
	for (i = 0; d->enabled && i < 4; i++) {
		if (!d->breakpoints[i].enabled)
			continue;
		debug.control |= KVM_GUESTDBG_USE_HW_BP;
		debug.arch.debugreg[i] = d->breakpoints[i].address;
		/* G0 to G3; for execution, as the rest of DR7 is 0 (APM 2, 13.1.1) */
		debug.arch.debugreg[7] |= 2ull << 2 * i;
	}
	return debug_set(vcpu, &debug);
}

/* ------------------------------------------------------------------------- RUN */

static int interrupt(struct vcpu *vcpu, union argument *u)
{
	if (u->interrupt.irq >= 256)
		return -EINVAL;
	__set_bit(u->interrupt.irq, vcpu->irqs);
	return 0;
}

/* What user space did about the last exit. As handle_exit. */
static int take_answer(struct vcpu *vcpu, const struct classic_run *from)
{
	struct kvm_run *run = vcpu->run;
	bool behind = vcpu->pending == PENDING_MMIO_WRITE || run->exit_reason == KVM_EXIT_HLT;

	/* one breakpoint does not stop the guest twice in a row (APM 2, 13.1.3.1) */
	if (run->exit_reason == KVM_EXIT_DEBUG && run->debug.arch.pc == access_linear_rip(vcpu))
		vcpu->rflags |= X86_EFLAGS_RF;
	if (vcpu->pending == PENDING_MMIO_READ && from->mmio_completed && !from->emulated)
		memcpy(run->mmio.data, from->mmio.data, sizeof(run->mmio.data));
	else if (vcpu->pending != PENDING_MMIO_WRITE)
		vcpu->pending = PENDING_NOTHING;
	return from->emulated && !behind ? decode_skip_current(vcpu) : 1;
}

/* KVM_RUN, with the waiting interrupts delivered as their window opens. */
static int run_guest(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int r, irq;

	for (;;) {
		irq = find_last_bit(vcpu->irqs, 256);
		run->request_interrupt_window = irq < 256;
		r = run_vcpu(vcpu);
		if (r || irq == 256 || !run_can_inject(vcpu) ||
		    (run->exit_reason != KVM_EXIT_IRQ_WINDOW_OPEN &&
		     run->exit_reason != KVM_EXIT_HLT))
			return r;
		__clear_bit(irq, vcpu->irqs);
		event_interrupt(vcpu, irq);
	}
}

static void report_io(struct vcpu *vcpu, const struct instr *insn, struct classic_run *to)
{
	to->io.direction = vcpu->port.in ? CLASSIC_IN : CLASSIC_OUT;
	to->io.size = vcpu->port.size;
	to->io.port = vcpu->run->io.port;
	to->io.count = 1;
	if (vcpu->port.string) {
		to->io.string = 1;
		to->io.string_down = !!(vcpu->rflags & X86_EFLAGS_DF);
		to->io.rep = !!insn->rep;
		if (insn->rep)
			to->io.count = decode_get(vcpu, insn, RCX);
		to->io.address = decode_string_address(vcpu, insn, vcpu->port.in ? RDI : RSI);
	} else if (!vcpu->port.in) {
		memcpy(&to->io.value, vcpu->pio, vcpu->port.size);
	}
}

static void report_mmio(const struct kvm_run *run, struct classic_run *to)
{
	to->mmio.phys_addr = run->mmio.phys_addr;
	to->mmio.len = run->mmio.len;
	to->mmio.is_write = run->mmio.is_write;
	memcpy(to->mmio.data, run->mmio.data, sizeof(to->mmio.data));
}

static int report(struct vcpu *vcpu, struct classic_run *to)
{
	const struct kvm_run *run = vcpu->run;
	u32 reason = run->exit_reason;
	struct page_fault fault = {};
	struct instr insn = {};
	int r;

	/* is RIP on the instruction that user space has to see to? */
	if (reason == KVM_EXIT_IO || reason == EXIT_CPUID || vcpu->pending == PENDING_MMIO_READ) {
		if (down_read_killable(&vcpu->vm->slots_lock))
			return -EINTR;
		r = decode_insn(vcpu, &insn, &fault);
		up_read(&vcpu->vm->slots_lock);
		if (r)
			reason = KVM_EXIT_INTERNAL_ERROR;
	}
	to->instruction_length = insn.len;
	to->exit_type = reason == KVM_EXIT_FAIL_ENTRY ? CLASSIC_FAILED_ENTRY : CLASSIC_EXITED;
	to->exit_reason = reason;
	switch (reason) {
	case KVM_EXIT_IO:
		report_io(vcpu, &insn, to);
		break;
	case KVM_EXIT_MMIO:
		report_mmio(run, to);
		break;
	case EXIT_CPUID:
	case KVM_EXIT_DEBUG:
	case KVM_EXIT_HLT:
		break;
	default:
		to->exit_reason = CLASSIC_EXIT_UNKNOWN;
		to->hw.reason = reason == KVM_EXIT_FAIL_ENTRY ?
				run->fail_entry.hardware_entry_failure_reason : reason;
	}
	return 0;
}

static int run(struct vcpu *vcpu, union argument *u)
{
	int r = take_answer(vcpu, &u->run);

	/* also for an answer that is no exit: what was answered is not to be taken again */
	memset_after(&u->run, 0, vcpu);
	if (r > 0)
		r = run_guest(vcpu);
	return r ? r : report(vcpu, &u->run);
}

/* ----------------------------------------------------------------------- calls */

/* By the command's number. */
static const struct call {
	unsigned int cmd;
	int (*vcpu_call)(struct vcpu *vcpu, union argument *u);
	int (*vm_call)(struct classic *c, union argument *u);
} calls[] = {
	[_IOC_NR(CLASSIC_RUN)] = { CLASSIC_RUN, run },
	[_IOC_NR(CLASSIC_GET_REGS)] = { CLASSIC_GET_REGS, get_regs },
	[_IOC_NR(CLASSIC_SET_REGS)] = { CLASSIC_SET_REGS, set_regs },
	[_IOC_NR(CLASSIC_GET_SREGS)] = { CLASSIC_GET_SREGS, get_sregs },
	[_IOC_NR(CLASSIC_SET_SREGS)] = { CLASSIC_SET_SREGS, set_sregs },
	[_IOC_NR(CLASSIC_TRANSLATE)] = { CLASSIC_TRANSLATE, translate },
	[_IOC_NR(CLASSIC_INTERRUPT)] = { CLASSIC_INTERRUPT, interrupt },
	[_IOC_NR(CLASSIC_DEBUG_GUEST)] = { CLASSIC_DEBUG_GUEST, debug_guest },
	[_IOC_NR(CLASSIC_SET_MEMORY_REGION)] = { CLASSIC_SET_MEMORY_REGION, NULL, set_memory_region },
	[_IOC_NR(CLASSIC_CREATE_VCPU)] = { CLASSIC_CREATE_VCPU },
	[_IOC_NR(CLASSIC_GET_DIRTY_LOG)] = { CLASSIC_GET_DIRTY_LOG, NULL, get_dirty_log },
};

static int vcpu_call(struct classic *c, const struct call *call, union argument *u)
{
	u32 id = call->cmd == CLASSIC_TRANSLATE ? u->translation.vcpu : u->vcpu;
	struct vcpu *vcpu;
	int r;

	if (id >= MAX_VCPU_ID)
		return -EINVAL;
	vcpu = xa_load(&c->vm->vcpus, id);
	if (!vcpu)
		return -ENOENT;
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	r = call->vcpu_call(vcpu, u);
	mutex_unlock(&vcpu->mutex);
	return r;
}

long classic_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct call *call = &calls[array_index_nospec(_IOC_NR(cmd), ARRAY_SIZE(calls))];
	void __user *user = (void __user *)arg;
	size_t size = _IOC_SIZE(cmd);
	union argument u = {};
	struct classic *c;
	int r;

	/* for what is no call at all: stock KVM's answer for this file */
	if (cmd != call->cmd || !call->cmd)
		return -EINVAL;
	if (!enabled)
		return -ENOTTY;
	c = classic_of(file);
	if (IS_ERR(c))
		return PTR_ERR(c);
	if (c->vm->mm != current->mm)
		return -EIO;
	if (cmd == CLASSIC_CREATE_VCPU)
		return vcpu_add(c->vm, (u32)arg);
	if (copy_from_user(&u, user, size))
		return -EFAULT;
	r = call->vm_call ? call->vm_call(c, &u) : vcpu_call(c, call, &u);
	/* RUN has something to say when it fails, too */
	if (_IOC_DIR(cmd) & _IOC_READ && copy_to_user(user, &u, size))
		return -EFAULT;
	return r;
}
