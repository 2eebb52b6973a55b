/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "clock.h"
#include "cpu.h"
#include "end.h"
#include "exec.h"
#include "interrupt.h"
#include "ipc.h"
#include "msg.h"
#include "proc_maps.h"
#include "process.h"
#include "process_show.h"
#include "rlimit.h"
#include "signalfd.h"
#include "task.h"
#include "thread.h"
#include "vcpu.h"
#include "vfork.h"
#include "vm.h"
#include "window.h"


/* --------------------------------------------------------------------- set-up */

#define CR0_START	0x80050033ull	/* PE MP ET NE WP AM PG */
#define EFER_START	0xd01ull	/* SCE LME LMA NXE */

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code)
{
	return (struct kvm_segment){
		.selector = selector, .limit = 0xffffffff, .type = type, .present = 1,
		.s = 1, .l = code, .db = !code, .g = 1,
	};
}

static int set_state(struct vcpu *vcpu, const char **what)
{
	struct vm *vm = vcpu->vm;
	const struct abi_boot *boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));
	struct kvm_regs regs = {
		.rip = ABI_SHIM + vm->entry,
		.rdi = vcpu->index,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	*what = "cannot read a vCPU's registers (KVM_GET_SREGS)";
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	sregs.cs = segment(ABI_KERNEL_CS, 11, true);
	sregs.ss = sregs.ds = sregs.es = sregs.fs = sregs.gs = segment(ABI_KERNEL_SS, 3, false);
	/* VM entry wants a busy 64-bit TSS, and takes an LDT only if it is unusable */
	sregs.tr = (struct kvm_segment){ .selector = ABI_TSS, .limit = 0x67, .type = 11, .present = 1 };
	sregs.ldt = (struct kvm_segment){ .unusable = 1, .type = 2 };
	memset(&sregs.gdt, 0, sizeof(sregs.gdt));
	memset(&sregs.idt, 0, sizeof(sregs.idt));
	sregs.cr0 = CR0_START;
	sregs.cr2 = 0;
	sregs.cr3 = vm->pml4;
	sregs.cr4 = vm->cr4;
	sregs.efer = EFER_START;
	*what = "refuses a vCPU in 64-bit mode (KVM_SET_SREGS)";
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0)
		return -1;
	*what = "cannot set a vCPU's registers (KVM_SET_REGS)";
	return ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

void vcpu_check(struct vm *vm)
{
	int size = ioctl(vm->device, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (ioctl(vm->device, KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT) <= 0)
		die(KVMRUN_FAILED, "%s: lacks KVM_CAP_IMMEDIATE_EXIT, without which signals get lost; "
		    "it needs Linux 4.13 or newer", vm->device_path);
	if (size < (int)sizeof(struct kvm_run))
		die(KVMRUN_FAILED, "%s: its run page has %d bytes, fewer than struct kvm_run",
		    vm->device_path, size);
	vm->run_size = size;
}

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned int index, struct abi_frame *frame, const char **what)
{
	struct kvm_run *run = vcpu->run;

	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->frame = frame;
	*what = "cannot make a vCPU";
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, vm->first_vcpu + index);
	if (vcpu->fd < 0)
		return -1;
	if (vm->made_vcpus <= vm->first_vcpu + index)
		vm->made_vcpus = vm->first_vcpu + index + 1;
	*what = "cannot map a vCPU's run page";
	/* in place of its predecessor's: interrupt_vcpu() may be at it */
	vcpu->run = mmap(run, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED | (run ? MAP_FIXED : 0), vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED || cpu_setup(vm, vcpu->fd, what) < 0 || set_state(vcpu, what) < 0) {
		vcpu_destroy(vcpu);
		return -1;
	}
	return 0;
}

void vcpu_first(struct vcpu *vcpu, struct vm *vm)
{
	const char *what;

	if (vcpu_create(vcpu, vm, 0, guest_ptr(vm, vm->frame, ABI_FRAME_SIZE), &what) < 0)
		die(KVMRUN_FAILED, "%s: %s: %m", vm->device_path, what);
}

void vcpu_renew(struct vcpu *vcpu, struct vm *vm)
{
	close(vcpu->fd);
	vcpu->ready = vcpu->inject = vcpu->parked = false;
	vcpu->wanted = vcpu->pending = 0;
	vcpu_first(vcpu, vm);
	vcpu->frame->kick = 0;
}

void vcpu_anew(struct vcpu *vcpu)
{
	vcpu->runs = vcpu->ioctls = vcpu->interrupted = vcpu->cpu_before = 0;
	memset(vcpu->exits, 0, sizeof(vcpu->exits));
	memset(vcpu->calls, 0, sizeof(vcpu->calls));
}

void vcpu_destroy(struct vcpu *vcpu)
{
	int error = errno;

	if (vcpu->run != MAP_FAILED)
		munmap(vcpu->run, vcpu->vm->run_size);
	close(vcpu->fd);
	errno = error;
}

/* ------------------------------------------------------------- what ends a run */

/* One line on why the guest cannot go on, which is its own doing. */
#define guest_failed(vcpu, fmt, ...)                                                              \
	do {                                                                                      \
		if (end_program(END_GUEST, KVMRUN_FAILED, 0))                                     \
			msg("%s: ended by kvmrun: " fmt, (vcpu)->vm->program, ##__VA_ARGS__);      \
	} while (0)

static void run_failed(struct vcpu *vcpu, int error)
{
	const char *hint = error == ENOMEM || error == EFAULT ?
			   "; the host may be out of memory: lower --mem or free some" : "";

	if (end_program(END_RUNNER, KVMRUN_FAILED, 0))
		msg("%s: KVM_RUN on %s failed: %s%s", vcpu->vm->program, vcpu->vm->device_path,
		    strerror(error), hint);
}

/* ------------------------------------------------------------ operations (abi_op) */

/* A kick that came behind the shim's last look: nothing waits before the shim has seen it. */
static void see_kick(struct vcpu *vcpu)
{
	if (interrupt_waiting())
		__atomic_store_n(&vcpu->frame->kick, 1, __ATOMIC_SEQ_CST);
	if (READ_ONCE(vcpu->frame->kick))
		vcpu->pending = 1;
}

static void op_call(struct vcpu *vcpu)
{
	const char *why = NULL;

	see_kick(vcpu);
	if (call_serve(vcpu->vm, vcpu, &why) < 0)
		guest_failed(vcpu, "the shim passed a bad frame: %s", why);
}

static void op_report(struct vcpu *vcpu)
{
	const char *why = NULL;

	if (call_serve(vcpu->vm, vcpu, &why) < 0)
		guest_failed(vcpu, "the shim passed a bad report: %s", why);
}

static void op_exit(struct vcpu *vcpu)
{
	uint64_t code = READ_ONCE(vcpu->frame->arg[0]), sig = READ_ONCE(vcpu->frame->arg[1]);
	uint64_t why = READ_ONCE(vcpu->frame->arg[2]);

	if (sig)
		vmsg("vCPU %u: signal %llu at RIP %#llx, last exception %llu, CR2 %#llx", vcpu->index,
		     (unsigned long long)sig, (unsigned long long)READ_ONCE(vcpu->frame->arg[3]),
		     (unsigned long long)READ_ONCE(vcpu->frame->arg[4]),
		     (unsigned long long)READ_ONCE(vcpu->frame->arg[5]));
	if (sig > 64)
		guest_failed(vcpu, "the shim reported an end by signal %llu", (unsigned long long)sig);
	else if (sig)
		end_program(why == ABI_END_MEMORY ? END_MEMORY : END_SIGNAL, 128 + sig, sig);
	else
		end_program(END_EXIT, code & 0xff, 0);
}

static void op_stop(struct vcpu *vcpu)
{
	vcpu->frame->ret = process_stop((int)READ_ONCE(vcpu->frame->arg[0]));
}

static void op_signals(struct vcpu *vcpu)
{
	struct abi_frame *f = vcpu->frame;

	f->ret = interrupt_fetch((struct abi_signal *)f->data, ABI_DATA / sizeof(struct abi_signal));
	if (interrupt_waiting())
		__atomic_store_n(&f->kick, 1, __ATOMIC_SEQ_CST);
}

static void op_panic(struct vcpu *vcpu)
{
	char text[512];
	uint32_t len = READ_ONCE(vcpu->frame->data_len);

	if (len > sizeof(text) - 1)
		len = sizeof(text) - 1;
	memcpy(text, vcpu->frame->data, len);
	text[len] = '\0';
	guest_failed(vcpu, "a bug in the shim: %s; please report this", text);
}

static void op_booted(struct vcpu *vcpu)
{
	uint64_t mode = READ_ONCE(vcpu->frame->arg[0]);

	if (vcpu->vm->mode || (mode != ABI_MODE_KERNEL && mode != ABI_MODE_USER)) {
		guest_failed(vcpu, "the shim reported its boot twice, or mode %llu",
			     (unsigned long long)mode);
		return;
	}
	vcpu->vm->mode = mode;
	vcpu->ready = true;
	vmsg("the shim runs at CPL %d", mode == ABI_MODE_KERNEL ? 0 : 3);
	clock_start(vcpu);
	vcpu->ioctls = 0;
	vcpu->frame->ret = 0;
}

static void op_thread(struct vcpu *vcpu)
{
	uint64_t index = READ_ONCE(vcpu->frame->arg[0]), gpa = READ_ONCE(vcpu->frame->arg[1]);
	struct abi_frame *frame = gpa % 8 ? NULL : guest_ptr(vcpu->vm, gpa, ABI_FRAME_SIZE);
	int err = frame ? thread_begin(vcpu->vm, index, frame, index >> 32) : -EINVAL;

	if (err == -EINVAL)
		guest_failed(vcpu, "the shim asked for vCPU %u with its frame at %#llx", (uint32_t)index,
			     (unsigned long long)gpa);
	vcpu->ioctls++;
	vcpu->frame->ret = err;
}

static void op_fork(struct vcpu *vcpu)
{
	struct abi_frame *f = vcpu->frame;
	uint64_t id = READ_ONCE(f->arg[0]), how = READ_ONCE(f->arg[1]);
	const struct forked_memory memory = { .frozen = id >> 32, .shared = how >> 32 };
	int64_t ret = process_fork(vcpu, id, memory, (uint32_t)how);

	/* in the child this is another VM's, which has not asked */
	if (ret)
		f->ret = ret;
}

static void op_forking(struct vcpu *vcpu)
{
	vcpu->frame->ret = process_forking(READ_ONCE(vcpu->frame->arg[0]));
}

static void op_exec(struct vcpu *vcpu)
{
	vcpu->frame->ret = exec_prepare(vcpu->vm, vcpu->frame);
}

static void op_vfork(struct vcpu *vcpu)
{
	vcpu->frame->ret = process_vfork_wait(READ_ONCE(vcpu->frame->arg[0]));
}

static void op_give(struct vcpu *vcpu)
{
	vcpu->frame->ret = vfork_give(vcpu->frame);
}

static void op_take(struct vcpu *vcpu)
{
	vcpu->frame->ret = vfork_take(vcpu->frame, READ_ONCE(vcpu->frame->arg[0]));
}

static void op_pending(struct vcpu *vcpu)
{
	signalfd_pending(READ_ONCE(vcpu->frame->arg[0]), READ_ONCE(vcpu->frame->arg[1]));
}

static void op_ignore(struct vcpu *vcpu)
{
	vcpu->frame->ret = interrupt_ignore(READ_ONCE(vcpu->frame->arg[0]), READ_ONCE(vcpu->frame->arg[1]));
}

static void op_limit(struct vcpu *vcpu)
{
	vcpu->frame->ret = rlimit_changed(vcpu->vm, READ_ONCE(vcpu->frame->arg[0]));
}

static void op_pause(struct vcpu *vcpu)
{
	see_kick(vcpu);
	interruptible_syscall(SYS_pause, 0, 0, 0, 0, 0, 0);
}

static void op_process(struct vcpu *vcpu)
{
	vcpu->frame->ret = process_prctl(READ_ONCE(vcpu->frame->arg[0]), READ_ONCE(vcpu->frame->arg[1]));
}

static void op_id(struct vcpu *vcpu)
{
	vcpu->frame->ret = process_new_id();
}

static void op_commit(struct vcpu *vcpu)
{
	uint64_t pages = READ_ONCE(vcpu->frame->arg[0]);

	vcpu->frame->ret = process_commit((uint32_t)pages, pages >> 32, READ_ONCE(vcpu->frame->arg[1]));
}

static void op_discard(struct vcpu *vcpu)
{
	gpa_t gpa = READ_ONCE(vcpu->frame->arg[0]);
	void *p = gpa % ABI_HUGE ? NULL : guest_ptr(vcpu->vm, gpa, ABI_HUGE);

	vcpu->frame->ret = p && madvise(p, ABI_HUGE, MADV_DONTNEED) == 0 ? 0 : -EINVAL;
}

static void op_ready(struct vcpu *vcpu)
{
	vcpu->ready = true;
}

static void op_park(struct vcpu *vcpu)
{
	thread_park(vcpu);
}

static void op_kick(struct vcpu *vcpu)
{
	threads_kick(READ_ONCE(vcpu->frame->arg[0]), READ_ONCE(vcpu->frame->arg[1]));
}

/* The word of ABI_OP_WAIT and ABI_OP_WAKE; NULL, and the guest ended, where there is none. */
static uint32_t *shim_word(struct vcpu *vcpu)
{
	gpa_t gpa = READ_ONCE(vcpu->frame->arg[0]);
	uint32_t *word = gpa % 4 ? NULL : guest_ptr(vcpu->vm, gpa, 4);

	if (!word)
		guest_failed(vcpu, "the shim waits for a word at %#llx", (unsigned long long)gpa);
	return word;
}

static void op_wait(struct vcpu *vcpu)
{
	uint64_t how = READ_ONCE(vcpu->frame->arg[1]), ms = how >> 32;
	struct timespec most = { ms / 1000, ms % 1000 * 1000000 };
	uint32_t *word = shim_word(vcpu);

	if (word)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, (uint32_t)how, &most);
}

static void op_wake(struct vcpu *vcpu)
{
	uint32_t *word = shim_word(vcpu);

	if (word)
		syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX);
}

static void op_sems(struct vcpu *vcpu)
{
	vcpu->frame->ret = sem_count(READ_ONCE(vcpu->frame->arg[0]));
}

static void op_memory(struct vcpu *vcpu)
{
	int err = vm_ram(vcpu->vm, READ_ONCE(vcpu->frame->arg[0]));

	vcpu->ioctls++;
	if (err)
		vmsg("the guest gets no more memory: %s", strerror(-err));
	vcpu->frame->ret = err ? err : (int64_t)vcpu->vm->ram_ready;
}

static void op_named(struct vcpu *vcpu)
{
	(void)vcpu;
	process_named();
}

static void (*const ops[])(struct vcpu *) = {
	[ABI_OP_CALL] = op_call,
	[ABI_OP_REPORT] = op_report,
	[ABI_OP_EXIT] = op_exit,
	[ABI_OP_STOP] = op_stop,
	[ABI_OP_SIGNALS] = op_signals,
	[ABI_OP_PANIC] = op_panic,
	[ABI_OP_BOOTED] = op_booted,
	[ABI_OP_MEMORY] = op_memory,
	[ABI_OP_THREAD] = op_thread,
	[ABI_OP_READY] = op_ready,
	[ABI_OP_PARK] = op_park,
	[ABI_OP_KICK] = op_kick,
	[ABI_OP_WAIT] = op_wait,
	[ABI_OP_WAKE] = op_wake,
	[ABI_OP_FORKING] = op_forking,
	[ABI_OP_FORK] = op_fork,
	[ABI_OP_EXEC] = op_exec,
	[ABI_OP_VFORK] = op_vfork,
	[ABI_OP_GIVE] = op_give,
	[ABI_OP_TAKE] = op_take,
	[ABI_OP_PENDING] = op_pending,
	[ABI_OP_IGNORE] = op_ignore,
	[ABI_OP_LIMIT] = op_limit,
	[ABI_OP_PAUSE] = op_pause,
	[ABI_OP_PROCESS] = op_process,
	[ABI_OP_ID] = op_id,
	[ABI_OP_COMMIT] = op_commit,
	[ABI_OP_DISCARD] = op_discard,
	[ABI_OP_MAP] = op_map,
	[ABI_OP_SHM] = op_shm,
	[ABI_OP_SEMS] = op_sems,
	[ABI_OP_UNMAP] = op_unmap,
	[ABI_OP_REMAP] = op_remap,
	[ABI_OP_TOUCH] = op_touch,
	[ABI_OP_SYNC] = op_sync,
	[ABI_OP_REMOVE] = op_remove,
	[ABI_OP_NAMED] = op_named,
	[ABI_OP_TASK] = task_op,
	[ABI_OP_MAPPINGS] = op_mappings,
};

/* ----------------------------------------------------------------------- exits */

static const struct {
	const char *name;
	const char *trouble;	/* what the guest did to get there, if it must not */
} exits[] = {
	[KVM_EXIT_UNKNOWN] = { "unknown", "its CPU left for a reason that KVM does not know" },
	[KVM_EXIT_EXCEPTION] = { "exception", "its CPU left on an exception" },
	[KVM_EXIT_IO] = { "io", NULL },
	[KVM_EXIT_HYPERCALL] = { "hypercall", "it made a hypercall" },
	[KVM_EXIT_DEBUG] = { "debug", "its CPU left for a debugger" },
	[KVM_EXIT_HLT] = { "hlt", "it halted its CPU" },
	[KVM_EXIT_MMIO] = { "mmio", NULL },
	[KVM_EXIT_IRQ_WINDOW_OPEN] = { "irq_window_open", NULL },
	[KVM_EXIT_SHUTDOWN] = { "shutdown", "triple fault" },
	[KVM_EXIT_FAIL_ENTRY] = { "fail_entry", NULL },
	[KVM_EXIT_INTR] = { "intr", NULL },
	[KVM_EXIT_INTERNAL_ERROR] = { "internal_error", NULL },
	[KVM_EXIT_SYSTEM_EVENT] = { "system_event", "its CPU asked for a reset or power-off" },
};

const char *vcpu_exit_name(uint32_t reason)
{
	if (reason < sizeof(exits) / sizeof(exits[0]) && exits[reason].name)
		return exits[reason].name;
	return "other";
}

static void exit_io(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint32_t op;

	if (run->io.port != ABI_PORT || run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 4 ||
	    run->io.count != 1) {
		guest_failed(vcpu, "a %s of %d bytes, %u times, at port %#x: there is nothing",
			     run->io.direction == KVM_EXIT_IO_OUT ? "write" : "read", run->io.size,
			     run->io.count, run->io.port);
		return;
	}
	op = READ_ONCE(vcpu->frame->op);
	if (op >= sizeof(ops) / sizeof(ops[0]) || !ops[op]) {
		guest_failed(vcpu, "the shim asked for operation %u, which there is not", op);
		return;
	}
	ops[op](vcpu);
}

static void exit_other(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint32_t reason = run->exit_reason;

	if (reason == KVM_EXIT_MMIO)
		guest_failed(vcpu, "a %s of %u bytes at physical address %#llx: there is no memory",
			     run->mmio.is_write ? "write" : "read", run->mmio.len,
			     (unsigned long long)run->mmio.phys_addr);
	else if (reason == KVM_EXIT_FAIL_ENTRY)
		guest_failed(vcpu, "its CPU cannot be entered: hardware reason %#llx",
			     (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
	else if (reason == KVM_EXIT_INTERNAL_ERROR)
		guest_failed(vcpu, "KVM gave up on it: internal error %u", run->internal.suberror);
	else if (reason < sizeof(exits) / sizeof(exits[0]) && exits[reason].trouble)
		guest_failed(vcpu, "%s", exits[reason].trouble);
	else
		guest_failed(vcpu, "its CPU left for reason %u, which kvmrun does not serve", reason);
}

/* --------------------------------------------------------------------- the loop */

/*
 * Someone called interrupt_vcpu(). In the shim, on its way back from a call,
 * frame->kick is enough: it looks there before it returns to the program.
 */
static void attend(struct vcpu *vcpu, bool in_shim)
{
	/* in this order, and before looking: whoever calls meanwhile leaves immediate_exit set */
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	vcpu->pending = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_exchange_n(&vcpu->wanted, 0, __ATOMIC_SEQ_CST) && !interrupt_waiting())
		return;
	/*
	 * One that the shim has not yet attended to serves for this one, too. Another
	 * interrupt could come on top of the first one's, where IF does not keep it off.
	 */
	if (!__atomic_exchange_n(&vcpu->frame->kick, 1, __ATOMIC_SEQ_CST))
		vcpu->inject = !in_shim && vcpu->ready;
}

/*
 * The program's own code is told of the kick by an interrupt. Where CPL 3 runs
 * the shim, too, its IF reads as 0 though interrupts get in. A window is asked for
 * by this alone, and for this alone: where nothing is to be injected any more, KVM_RUN
 * would end at it for ever.
 */
static void inject(struct vcpu *vcpu)
{
	struct kvm_interrupt irq = { .irq = ABI_KICK_VECTOR };
	struct kvm_run *run = vcpu->run;

	run->request_interrupt_window = 0;
	if (!vcpu->inject)
		return;
	if (!READ_ONCE(vcpu->frame->kick)) {
		vcpu->inject = false;
		return;
	}
	if (vcpu->vm->mode == ABI_MODE_KERNEL &&
	    !(run->ready_for_interrupt_injection && run->if_flag)) {
		run->request_interrupt_window = 1;
		return;
	}
	vcpu->inject = false;
	vcpu->ioctls++;
	/* EEXIST: the last one is still on its way, and does as well */
	if (ioctl(vcpu->fd, KVM_INTERRUPT, &irq) < 0 && errno != EEXIST)
		run_failed(vcpu, errno);
}

/* Enters the guest and serves its exit; whether it waits in the shim for that. */
static bool step(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	int err;

	vcpu->runs++;
	vcpu->inside = true;
	err = ioctl(vcpu->fd, KVM_RUN, 0);
	vcpu->inside = false;
	if (err < 0) {
		if (errno == EINTR)
			vcpu->interrupted++;
		else if (errno != EAGAIN && !(errno == EFAULT && window_lost(vcpu)))
			run_failed(vcpu, errno);
		return false;
	}
	vcpu->exits[run->exit_reason < 63 ? run->exit_reason : 63]++;
	clock_tick();
	if (run->exit_reason == KVM_EXIT_IO) {
		exit_io(vcpu);
		return true;
	}
	if (run->exit_reason != KVM_EXIT_IRQ_WINDOW_OPEN && run->exit_reason != KVM_EXIT_INTR)
		exit_other(vcpu);
	return false;
}

void vcpu_boot(struct vcpu *vcpu)
{
	while (!vcpu->vm->mode && !ended())
		step(vcpu);
}

void vcpu_run(struct vcpu *vcpu)
{
	bool in_shim = false;

	interrupt_attach(vcpu);
	for (;;) {
		if (vcpu->pending || vcpu->run->immediate_exit)
			attend(vcpu, in_shim);
		if (ended())
			break;
		if (process_halted()) {
			process_halt();
			continue;
		}
		if (exec_wanted()) {
			if (vcpu->index)
				break;
			exec_now(vcpu);
			in_shim = false;
			continue;
		}
		inject(vcpu);
		in_shim = step(vcpu);
	}
}
