/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvmrun.h - the module's types, and its prototypes grouped by file
 *
 * Layers, each of which knows only those below it:
 *
 *	classic		the ioctls of the first posting, on the device
 *	main, vm, vcpu	the device, the two kinds of files, their ioctls
 *	run		the loop of KVM_RUN
 *	exit, state, events, debug, cpuid, msr*, clock, port, emulate, task	what an ioctl or an exit is about
 *	decode, walk, access	guest instructions, guest page tables, guest memory
 *	memory, mmu	memslots, nested page tables
 *	svm*, vmx*	AMD-V and VT-x, behind struct kvmrun_ops
 *
 * Locks, outermost first: vcpu->mutex, vm->lock, vm->slots_lock, the mm's
 * mmap_lock (taken by GUP and page faults), vm->mmu_lock.
 */
#ifndef KVMRUN_H
#define KVMRUN_H

#include <linux/cpufeature.h>
#include <linux/interval_tree.h>
#include <linux/kref.h>
#include <linux/kvm.h>
#include <linux/kvm_types.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <asm/debugreg.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/io.h>

#undef pr_fmt
#define pr_fmt(fmt) "kvmrun: " fmt

#define MAX_SLOTS	32764	/* memslots of one VM, as many as stock KVM has */
#define MAX_VCPUS	1024
#define MAX_VCPU_ID	4096
#define MAX_GPA		(1ull << 48)	/* what four levels of nested tables reach */
#define MAX_CPUID	256	/* entries that KVM_SET_CPUID2 takes */
#define STORED_MSRS	256
/* the exits to user space that KVM_CAP_X86_USER_SPACE_MSR turns on */
#define MSR_EXITS	(KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | \
			 KVM_MSR_EXIT_REASON_FILTER)
/* what KVM_CAP_DISABLE_QUIRKS2 turns off */
#define QUIRKS		(KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT | KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS)

#define DIRTY_LOGS	(KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET)

/* the bits of DR6 and DR7 that are always set (APM 2, 13.1.1) */
#define DR6_FIXED	0xffff0ff0ul
#define DR7_FIXED	0x400ul

/* gpa_t: guest-physical, gva_t: guest-linear, hva_t: in the VM's process */

/* ------------------------------------------------------------------------ VM */

struct memslot {
	struct interval_tree_node gpa;	/* first and last byte */
	struct interval_tree_node hva;
	u32 id, flags;		/* KVM_MEM_* */
	u64 npages;
	unsigned long *dirty;	/* a bit per page, while KVM_MEM_LOG_DIRTY_PAGES */
};

struct vm {
	struct kref refs;	/* the VM's file and each vCPU's file */
	struct mm_struct *mm;	/* whose memory the guest's is */
	struct mutex lock;	/* creation of vCPUs, memslot ioctls */

	struct rw_semaphore slots_lock;	/* for write also with mmu_lock held */
	struct xarray slots;	/* by id */
	struct rb_root_cached slots_by_gpa, slots_by_hva;
	u8 manual_protect;	/* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: KVM_DIRTY_LOG_* */
	bool triple_fault_event;	/* KVM_CAP_X86_TRIPLE_FAULT_EVENT */

	spinlock_t mmu_lock;	/* the nested page tables, and what follows */
	u64 *root;		/* NULL once the VM is dying */
	u64 nr_tables, max_tables;	/* the root among them; KVM_SET_NR_MMU_PAGES */
	unsigned long seq;	/* changes when a translation of HVA to page may have */
	int invalidating;	/* MMU notifier ranges that have started, not ended */
	hva_t invalid_start, invalid_end;
	u64 tlb_gen;		/* changes when vCPUs must flush their TLBs */
	struct mmu_notifier notifier;

	struct xarray vcpus;	/* by id */
	unsigned int nr_vcpus;
	bool cpuid_exits;	/* CPUID is for user space: EXIT_CPUID */
	unsigned long boot_cpu_id;
	unsigned long max_vcpu_id;	/* KVM_CAP_MAX_VCPU_ID, or 0: MAX_VCPU_ID */

	spinlock_t clock_lock;	/* clock.c */
	unsigned long clock_gen;	/* changes when vCPUs must be told the clock anew; never 0 */
	u64 tsc_offset;		/* of new vCPUs: what user space last made it */
	/* KVM's clock was clock_ns when the host's TSC and boot time were these */
	u64 clock_ns, clock_tsc, clock_boot;
	u64 wall_clock;		/* MSR_KVM_WALL_CLOCK */
	u32 tsc_mul;		/* cycles to ns, as pvclock does it */
	s8 tsc_shift;

	struct msr_filter __rcu *msr_filter;	/* msr_filter.c */
	u32 msr_exits;		/* KVM_MSR_EXIT_REASON_* that user space takes */
	bool hide_platform_info;	/* KVM_CAP_MSR_PLATFORM_INFO is off */
	u64 quirks_off;		/* KVM_X86_QUIRK_* */
};

/* ---------------------------------------------------------------------- vCPU */

enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
enum seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDT, SEG_TR };
enum dtable { DT_GDT, DT_IDT };
enum creg { CREG_CR0, CREG_CR2, CREG_CR3, CREG_CR4, CREG_CR8, CREG_EFER };

/* What a memory access of the guest is; faults report it (APM 2, 8.4.2). */
#define ACCESS_WRITE	2u
#define ACCESS_USER	4u
#define ACCESS_FETCH	16u

struct instr {
	u8 bytes[15];
	u8 fetched;		/* bytes that could be read */
	u8 len;			/* of the whole instruction */
	u8 opsize, adsize;	/* 2, 4, 8 */
	u8 rex, rep;		/* 0 when not there; 0xf2 or 0xf3 */
	bool op66;
	s8 seg;			/* override, or -1 */
	u16 opcode;		/* two-byte opcodes have 0x100 set, those of 0F 38 0x200 */
	u8 modrm;
	u8 reg, rm;		/* with REX */
	s8 base, index;		/* enum reg, or -1 */
	u8 scale;
	bool mem, rip_relative;
	s64 disp;
	u64 imm;
};

struct fragment {		/* a piece of an MMIO access, within one page */
	gpa_t gpa;
	u8 len;
	u8 data[8];
};

/* What KVM_RUN has to finish first when it is called again. */
enum pending {
	PENDING_NOTHING, PENDING_PORT, PENDING_MMIO_READ, PENDING_MMIO_WRITE,
	PENDING_MSR_READ, PENDING_MSR_WRITE,
};

#define MAX_FRAGMENTS 4

/* Counted by the vCPU's thread; stats.c names them. */
struct vcpu_stats {
	u64 exits, io_exits, mmio_exits, halt_exits, signal_exits, irq_window_exits, pf_taken;
};

struct vcpu {
	struct vm *vm;
	int id;
	struct mutex mutex;	/* held by whoever works on the vCPU */
	struct preempt_notifier notifier;
	struct kvm_run *run;	/* a page shared with user space: read each field once */
	u8 *pio;		/* the page after it */
	int cpu;		/* that it is loaded on, or was last; -1 */
	bool in_guest;		/* on that CPU, or about to be */
	u64 tlb_gen;		/* vm->tlb_gen as of the last flush */

	unsigned long regs[16];	/* enum reg */
	unsigned long rip, rflags;
	u64 cr4, cr8, xcr0, apic_base;
	u64 host_pkru, pkru;
	u64 dr[4], dr6, dr7;
	u64 tsc_offset, tsc_adjust;
	u64 tsc_aux, spec_ctrl, platform_info;
	u64 msrs[STORED_MSRS];

	unsigned long clock_gen;	/* vm->clock_gen as of what pv_time was last told */
	u64 pv_time, pv_steal;	/* MSR_KVM_SYSTEM_TIME, MSR_KVM_STEAL_TIME */
	bool clock_stopped;	/* KVM_KVMCLOCK_CTRL: to be told */
	bool steal_due;		/* it may have waited for a CPU since pv_steal was told */
	const struct task_struct *steal_task;	/* whose steal_delay it is; never looked into */
	u64 steal_delay;
	bool enforce_pv;	/* KVM_CAP_ENFORCE_PV_FEATURE_CPUID */
	bool sigset_active;
	sigset_t sigset;
	struct fpu_guest fpu;
	struct kvm_cpuid_entry2 *cpuid;
	unsigned int nr_cpuid;
	bool ran;		/* its CPUID stays as it is */

	struct {		/* vectors in delivery (injected) or to be delivered */
		bool injected, pending, has_error;
		u8 nr;
		u32 error;
	} exception;
	struct {
		bool injected;
		u8 nr;
	} irq;
	struct {
		bool injected, masked;
		u8 pending;
	} nmi;
	unsigned long irqs[4];	/* vectors that classic.c delivers when it can */
	bool triple_fault;
	struct vcpu_stats stats;
	bool step_trap;		/* an instruction with a trap flag was emulated */

	u32 guest_debug;	/* KVM_GUESTDBG_* */
	u64 debug_dr[4], debug_dr7;

	enum pending pending;
	struct {
		bool in, string;
		u8 size;
		u32 count;
		gva_t rip;	/* linear */
		unsigned long next_rip;
	} port;
	struct {
		struct fragment fragment[MAX_FRAGMENTS];
		u8 total, done;
		gpa_t gpa;	/* that the processor found */
		struct instr insn;
		gva_t rip;
	} mmio;

	gva_t msr_rip;		/* linear: of an RDMSR or WRMSR that user space has */

	void *tables[4];	/* zeroed pages for the nested page tables */
	int nr_tables;
	void *hw;		/* the implementation's part */
};

/* -------------------------------------------------- the processor's hypervisor */

/*
 * One vendor's hypervisor. Everything that runs on "this CPU" has preemption
 * disabled; run has interrupts disabled as well.
 */
struct kvmrun_ops {
	const char *name;
	/*
	 * The vendor's own bits of nested page table entries: in those that point
	 * to tables, and in those for memory and for devices; the one by which the
	 * processor tells that it used an entry. Presence, rights, size and address
	 * are where both vendors have them.
	 */
	struct {
		u64 table, memory, device, accessed;
	} nested;
	/* Does this CPU have it at all? Nothing is logged. */
	bool (*present)(void);
	/* 0, or the reason in the log and -EOPNOTSUPP, -ENODEV or -EBUSY. */
	int (*check)(void);
	/* What all vCPUs share. 0 or -ENOMEM. */
	int (*setup)(void);
	void (*teardown)(void);
	/* This CPU, interrupts disabled. 0 or -EBUSY; undone by disable. */
	int (*hardware_enable)(void);
	void (*hardware_disable)(void);

	/* A vCPU in the state that RESET leaves, not loaded. 0 or -ENOMEM. */
	int (*vcpu_create)(struct vcpu *vcpu);
	void (*vcpu_free)(struct vcpu *vcpu);
	/* Make this CPU ready to run the vCPU; and give it back to the host. */
	void (*load)(struct vcpu *vcpu);
	void (*put)(struct vcpu *vcpu);
	/* Enter the guest, with the events of vcpu->{exception,nmi,irq}, until the next exit. */
	void (*run)(struct vcpu *vcpu);
	/* After run, preemptible: 1 go on, 0 to user space with vcpu->run filled, -errno. */
	int (*handle_exit)(struct vcpu *vcpu);
	/* Go on behind the instruction that exited. As handle_exit. */
	int (*skip)(struct vcpu *vcpu);
	/* Before the next run, forget all guest translations. */
	void (*flush_tlb)(struct vcpu *vcpu);
	/* Exit as soon as the guest can take an interrupt. */
	void (*want_irq_window)(struct vcpu *vcpu, bool want);

	/* State that user space or the emulation reads and writes between runs. */
	void (*get_segment)(struct vcpu *vcpu, enum seg seg, struct kvm_segment *var);
	void (*set_segment)(struct vcpu *vcpu, enum seg seg, const struct kvm_segment *var);
	void (*get_dtable)(struct vcpu *vcpu, enum dtable dt, struct kvm_dtable *var);
	void (*set_dtable)(struct vcpu *vcpu, enum dtable dt, const struct kvm_dtable *var);
	u64 (*get_creg)(struct vcpu *vcpu, enum creg reg);
	void (*set_creg)(struct vcpu *vcpu, enum creg reg, u64 value);
	int (*get_cpl)(struct vcpu *vcpu);
	/* What the emulation asks of segments all the time: 16, 32 or 64, as CS is; a base. */
	int (*get_code_bits)(struct vcpu *vcpu);
	u64 (*get_base)(struct vcpu *vcpu, enum seg seg);
	bool (*get_irq_shadow)(struct vcpu *vcpu);
	void (*set_irq_shadow)(struct vcpu *vcpu, bool shadow);
	/* MSRs of kind MSR_HW. 0, or -ENOENT. */
	int (*get_msr)(struct vcpu *vcpu, u32 index, u64 *value);
	int (*set_msr)(struct vcpu *vcpu, u32 index, u64 value);
	/* vcpu->guest_debug or the debug registers have changed. */
	void (*update_debug)(struct vcpu *vcpu);
};

extern const struct kvmrun_ops *ops;	/* main.c */
extern const struct kvmrun_ops svm_ops;	/* svm.c */
extern const struct kvmrun_ops vmx_ops;	/* vmx.c */

/*
 * What vcpu->run->exit_reason says of a CPUID that is for user space: the first
 * posting's number. KVM_EXIT_HYPERCALL has it now, and no exit here is one.
 */
#define EXIT_CPUID 3

/* ----------------------------------------------------------------- classic.c */

/* What the device's file is for the first posting's calls; classic.h has their errno. */
long classic_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int classic_mmap(struct file *file, struct vm_area_struct *vma);
void classic_release(struct file *file);

/* -------------------------------------------------------------------- caps.c */

/* The answer to KVM_CHECK_EXTENSION: the same for the device and for every VM. */
int check_extension(unsigned long cap);

/* ---------------------------------------------------------------------- vm.c */

/* A VM of the current process with no file of its own yet: vm_put. ERR_PTR: -ENOMEM, -EINTR. */
struct vm *vm_new(void);
/* KVM_CREATE_VM: a file descriptor, -EINVAL on a type that is not 0, -ENOMEM ... */
int vm_create(unsigned long type);
void vm_get(struct vm *vm);
/* The last one ends the VM and its vCPUs. May sleep. */
void vm_put(struct vm *vm);
/* From the MMU notifier, some time after the last vm_put: frees the VM and its vCPUs. */
void vm_free(struct vm *vm);
/* When there are no descriptors any more. May sleep. */
void vm_wait_for_all_freed(void);
/* Make every vCPU that is in the guest leave it, and wait until they have. */
void vm_kick(struct vm *vm);

/* ------------------------------------------------------------------ memory.c */

/* KVM_SET_USER_MEMORY_REGION: 0, -EINVAL, -EEXIST (overlap), -ENOMEM. */
int memory_set_region(struct vm *vm, const struct kvm_userspace_memory_region *region);
/*
 * KVM_GET_DIRTY_LOG, of a multiple of unit bytes, at most 8: 0, -EINVAL (no
 * such id), -ENOENT (no log), -EFAULT, -ENOMEM.
 */
int memory_get_dirty_log(struct vm *vm, const struct kvm_dirty_log *log, size_t unit);
int memory_clear_dirty_log(struct vm *vm, const struct kvm_clear_dirty_log *log);
/* The memslot of a GPA, or NULL. Either vm->slots_lock or vm->mmu_lock is held. */
struct memslot *memory_slot(struct vm *vm, gpa_t gpa);
/* Note that a page has been written, where its slot logs that. */
void memory_mark_dirty(struct memslot *slot, gpa_t gpa);
void memory_free(struct vm *vm);

static inline hva_t slot_hva(const struct memslot *slot, gpa_t gpa)
{
	return slot->hva.start + (gpa - slot->gpa.start);
}

/* --------------------------------------------------------------------- mmu.c */

/* -ENOMEM. */
int mmu_create(struct vm *vm);
/* Frees the tables; later notifications find nothing. No vCPU runs any more. */
void mmu_destroy(struct vm *vm);
/* At most so many pages of tables. -EINVAL: that is too few to be of use. */
int mmu_limit(struct vm *vm, unsigned long pages);
/* Called by the current task's MMU notifier subscription, see memory.c. */
extern const struct mmu_notifier_ops mmu_notifier_ops;
/* 3, 2, 1: entries of 1 GiB, 2 MiB and 4 KiB; at most the first unless ops->setup makes it less. */
extern int mmu_max_level;
/* Does the processor set ops->nested.accessed? It does, unless ops->setup says that it does not. */
extern bool mmu_has_accessed;
/*
 * Map the page of a GPA that the guest faulted on. access: ACCESS_*.
 * 1: mapped, or to be tried again; 0: nothing is there, or it may not be
 * written: MMIO; -EFAULT: the host has no such page, -ENOMEM, -EINTR ...
 */
int mmu_fault(struct vcpu *vcpu, gpa_t gpa, u32 access);
/*
 * Unmap, or make read-only where bits of mask say so (bit 0 is the first page),
 * under vm->mmu_lock. Returns whether vm_kick is needed; pages that are to be
 * freed after it are put on the list.
 */
bool mmu_zap(struct vm *vm, gpa_t start, gpa_t end, struct list_head *freed);
bool mmu_protect(struct vm *vm, gpa_t start, u64 mask);
void mmu_free_list(struct list_head *freed);
void mmu_free_cache(struct vcpu *vcpu);

/* -------------------------------------------------------------------- vcpu.c */

/* KVM_CREATE_VCPU: a file descriptor, -EINVAL, -EEXIST, -ENOMEM ... */
int vcpu_create(struct vm *vm, unsigned long id);
/* The same without a file: 0 or the error. */
int vcpu_add(struct vm *vm, unsigned long id);
/* Frees all that a vCPU has but the struct itself. */
void vcpu_end(struct vcpu *vcpu);

/* --------------------------------------------------------------------- run.c */

/* Once, before any run. */
void run_init(void);
/* KVM_RUN. 0, -EINTR, -EINVAL, -EFAULT ... */
int run_vcpu(struct vcpu *vcpu);
/*
 * What this task has to do before it may go on in a guest. 0, or -EINTR when there
 * is a signal. May sleep and take another CPU.
 */
int host_work(void);
/* vcpu->run says KVM_EXIT_INTERNAL_ERROR; returns 0. */
int run_internal_error(struct vcpu *vcpu, u32 suberror, u64 data);
int run_emulation_failed(struct vcpu *vcpu);
/* The guest may take an interrupt now. */
bool run_can_inject(struct vcpu *vcpu);

/* ------------------------------------------------------------------- stats.c */

/* KVM_GET_STATS_FD, of a VM or (vcpu not NULL) of a vCPU of it: a file descriptor, -ENOMEM ... */
int stats_open(struct vm *vm, struct vcpu *vcpu);

/* ------------------------------------------------------------------- state.c */

/* The ioctls of a vCPU's state; set functions answer -EINVAL to what VM entry would not take. */
void state_get_regs(struct vcpu *vcpu, struct kvm_regs *regs);
void state_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs);
void state_get_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs);
int state_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs);
int state_get_fpu(struct vcpu *vcpu, struct kvm_fpu *fpu);
int state_set_fpu(struct vcpu *vcpu, const struct kvm_fpu *fpu);
/* size bytes at area. */
int state_get_xsave(struct vcpu *vcpu, void __user *area, size_t size);
int state_set_xsave(struct vcpu *vcpu, const void __user *area, size_t size);
void state_get_xcrs(struct vcpu *vcpu, struct kvm_xcrs *xcrs);
int state_set_xcrs(struct vcpu *vcpu, const struct kvm_xcrs *xcrs);
int state_set_xcr0(struct vcpu *vcpu, u64 value);
void state_get_debugregs(struct vcpu *vcpu, struct kvm_debugregs *debugregs);
int state_set_debugregs(struct vcpu *vcpu, const struct kvm_debugregs *debugregs);
void state_translate(struct vcpu *vcpu, struct kvm_translation *tr);
/* MOV to CR4 by the guest or by user space. -EINVAL: #GP. */
int state_check_cr4(struct vcpu *vcpu, u64 cr4);
/* A value for the APIC base, by whoever sets it. -EINVAL: #GP. */
int state_check_apic_base(u64 value);
/* What the host's CPU and this module know of XCR0, and the bytes of that XSAVE area. */
u64 state_xcr0_supported(void);
u64 state_cr4_supported(void);
unsigned int state_xsave_size(void);

/* ------------------------------------------------------------------ events.c */

/* Queue an exception for the next entry; two make #DF, three a shutdown. */
void event_exception(struct vcpu *vcpu, u8 nr);
void event_exception_error(struct vcpu *vcpu, u8 nr, u32 error);
void event_page_fault(struct vcpu *vcpu, gva_t gva, u32 error);
void event_get(struct vcpu *vcpu, struct kvm_vcpu_events *events);
int event_set(struct vcpu *vcpu, const struct kvm_vcpu_events *events);
/* Just before an entry: take what is pending into delivery if the guest can take it. */
void event_select(struct vcpu *vcpu);
/*
 * An event as both vendors write it down, to be delivered or that was being
 * delivered (APM 2, 15.20; SDM 3, 25.8.3, 25.9.3).
 */
#define EVENT_VECTOR	0xffu
#define EVENT_TYPE	(7u << 8)
#define EVENT_IRQ	(0u << 8)
#define EVENT_NMI	(2u << 8)
#define EVENT_EXCEPTION	(3u << 8)
#define EVENT_ERROR	(1u << 11)
#define EVENT_VALID	(1u << 31)
/* The one that the next entry delivers, or 0; an exception's error code is in vcpu->exception. */
u32 event_to_deliver(struct vcpu *vcpu);
/* It is delivered; interrupted: what was in delivery when the guest came out, to be done again. */
void event_delivered(struct vcpu *vcpu, u32 interrupted, u32 error);
/* KVM_INTERRUPT. -EINVAL: no such vector. */
int event_interrupt(struct vcpu *vcpu, u32 irq);

/* ------------------------------------------------------------------- debug.c */

int debug_set(struct vcpu *vcpu, const struct kvm_guest_debug *dbg);
/* MOV to and from debug registers; a refusal queues the exception. */
int debug_mov(struct vcpu *vcpu, const struct instr *insn);
/* An exception #DB or #BP that user space may want. As handle_exit. */
int debug_exception(struct vcpu *vcpu, u8 nr, u64 dr6);
/* DR7 that the guest is to run with. */
u64 debug_effective_dr7(struct vcpu *vcpu);
/* Load DR0 to DR3 for the guest, where they are in use; hw_breakpoint_restore afterwards. */
void debug_load(struct vcpu *vcpu);

/* -------------------------------------------------------------------- walk.c */

/*
 * Translate by the guest's page tables as an access of that kind would be.
 * 0, or -EFAULT: *error is the page fault's error code. -ENXIO: a table is not
 * in memory. vm->slots_lock is held for read.
 */
int walk_gva(struct vcpu *vcpu, gva_t gva, u32 access, gpa_t *gpa, u32 *error);

/* ------------------------------------------------------------------ access.c */

/* Guest-physical memory that a memslot has. -ENXIO when none has; -EFAULT. slots_lock held. */
int access_read_gpa(struct vm *vm, gpa_t gpa, void *to, size_t len);
int access_write_gpa(struct vm *vm, gpa_t gpa, const void *from, size_t len);
/* Guest-linear memory. As above, and -EFAULT with *fault filled in for a page fault. */
struct page_fault {
	bool raised;
	gva_t gva;
	u32 error;
};
int access_read(struct vcpu *vcpu, gva_t gva, void *to, size_t len, u32 access,
		struct page_fault *fault);
int access_write(struct vcpu *vcpu, gva_t gva, const void *from, size_t len, u32 access,
		 struct page_fault *fault);
/* ACCESS_USER when the guest is at CPL 3. */
u32 access_by_cpl(struct vcpu *vcpu);
/* RIP with the base of CS where it counts. */
gva_t access_linear_rip(struct vcpu *vcpu);
/* The guest is in 64-bit code. */
static inline bool access_long_mode(struct vcpu *vcpu)
{
	return ops->get_code_bits(vcpu) == 64;
}


/* -------------------------------------------------------------------- exit.c */

/* Handlers for tables of exits. As handle_exit. */
int exit_nothing(struct vcpu *vcpu);
int exit_undefined(struct vcpu *vcpu);	/* #UD */
int exit_protection(struct vcpu *vcpu);	/* #GP */
int exit_undefined_opcode(struct vcpu *vcpu);	/* #UD came: a hypercall, perhaps */
int exit_breakpoint(struct vcpu *vcpu);	/* #BP came */
int exit_alignment(struct vcpu *vcpu);	/* #AC came */
int exit_shutdown(struct vcpu *vcpu);
int exit_mov_dr(struct vcpu *vcpu);
int exit_cpuid(struct vcpu *vcpu);
int exit_hlt(struct vcpu *vcpu);
int exit_hypercall(struct vcpu *vcpu);
int exit_xsetbv(struct vcpu *vcpu);
int exit_monitor(struct vcpu *vcpu);	/* MONITOR and MWAIT */
/* The nested tables did not translate; walk: the access was to the guest's page tables. */
int exit_nested_fault(struct vcpu *vcpu, gpa_t gpa, u32 access, bool walk);
/* The guest's MOV to CR4. -EINVAL: #GP. */
int exit_set_cr4(struct vcpu *vcpu, u64 value);
/* decode_insn, with the lock that it needs taken; page faults are but an error. */
int exit_decode(struct vcpu *vcpu, struct instr *insn);

/* -------------------------------------------------------------------- task.c */

/* What asks for another task; TASK_GATE: an interrupt or exception, that of vcpu->* if one is injected. */
enum task_source { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };
/*
 * Go on with the task of a TSS, whose descriptor the processor has found good; the old
 * one is to go on at next_rip. As handle_exit.
 */
int task_switch(struct vcpu *vcpu, u16 selector, enum task_source source, unsigned long next_rip);

/* ------------------------------------------------------------------ decode.c */

/*
 * Read and decode the instruction at RIP. 0; -EFAULT with fault->raised when
 * the guest's page tables do not let it be read; -EINVAL: not known here.
 */
int decode_insn(struct vcpu *vcpu, struct instr *insn, struct page_fault *fault);
/* Decode what insn->bytes already has. */
int decode_bytes(struct vcpu *vcpu, struct instr *insn);
/* The linear address of its memory operand; rsi or rdi and segment for string forms. */
gva_t decode_address(struct vcpu *vcpu, const struct instr *insn);
gva_t decode_string_address(struct vcpu *vcpu, const struct instr *insn, enum reg reg);
/* Add to a register as wide as the instruction's addresses are. */
void decode_add(struct vcpu *vcpu, const struct instr *insn, enum reg reg, s64 n);
u64 decode_get(struct vcpu *vcpu, const struct instr *insn, enum reg reg);
/* Go on behind the instruction; rip wraps as the code segment's mode has it. */
void decode_skip(struct vcpu *vcpu, unsigned long next_rip);
/* The same after decoding the instruction at RIP. As handle_exit: 1, or an internal error. */
int decode_skip_current(struct vcpu *vcpu);

/* ----------------------------------------------------------------- emulate.c */

/* The instruction at RIP touched a GPA that no memory is behind. As handle_exit. */
int emulate_mmio(struct vcpu *vcpu, gpa_t gpa);
/* KVM_RUN again after an MMIO exit. As handle_exit. */
int emulate_mmio_done(struct vcpu *vcpu);

/* -------------------------------------------------------------------- port.c */

/* IN or OUT of size bytes, not a string. As handle_exit: 0. */
int port_io(struct vcpu *vcpu, u16 port, u8 size, bool in, unsigned long next_rip);
/* INS or OUTS. */
int port_string(struct vcpu *vcpu, u16 port, u8 size, bool in);
/* KVM_RUN again after a port exit. As handle_exit. */
int port_done(struct vcpu *vcpu);

/* ------------------------------------------------------------------- cpuid.c */

int cpuid_supported(struct kvm_cpuid2 __user *to);
/* -EINVAL: the vCPU ran already, with another. */
int cpuid_set(struct vcpu *vcpu, struct kvm_cpuid2 __user *from);
int cpuid_get(struct vcpu *vcpu, struct kvm_cpuid2 __user *to);
/* The guest's CPUID instruction: registers and RIP are left to the caller. */
void cpuid_run(struct vcpu *vcpu);
/* A feature word of the guest's, 0 when it has no such leaf. */
u32 cpuid_word(struct vcpu *vcpu, u32 leaf, u32 subleaf, enum reg reg);
/* CPUID offers the guest MONITOR and MWAIT. */
bool cpuid_has_mwait(struct vcpu *vcpu);

/* --------------------------------------------------------------------- msr.c */

int msr_index_list(struct kvm_msr_list __user *to);
int msr_feature_list(struct kvm_msr_list __user *to);
/*
 * KVM_GET_MSRS, KVM_SET_MSRS: the number done before the first that failed.
 * Without a vCPU: the host's features.
 */
int msr_get_list(struct vcpu *vcpu, struct kvm_msrs __user *msrs);
int msr_set_list(struct vcpu *vcpu, struct kvm_msrs __user *msrs);
/*
 * RDMSR and WRMSR. 0; -ENOENT: there is no such MSR; -EINVAL: not that value, or
 * not that way. host: user space asks.
 */
int msr_get(struct vcpu *vcpu, u32 index, u64 *value, bool host);
int msr_set(struct vcpu *vcpu, u32 index, u64 value, bool host);
void msr_reset(struct vcpu *vcpu);

/* -------------------------------------------------------------- msr_filter.c */

/* The argument of KVM_X86_SET_MSR_FILTER as programs of 32 bits lay it out. */
struct msr_filter_32 {
	u32 flags;
	struct {
		u32 flags, nmsrs, base, bitmap;
	} ranges[KVM_MSR_FILTER_MAX_RANGES];
};
#define SET_MSR_FILTER_32	_IOW(KVMIO, 0xc6, struct msr_filter_32)

/* KVM_X86_SET_MSR_FILTER, or cmd is SET_MSR_FILTER_32. 0, -EINVAL, -EFAULT, -ENOMEM. */
int msr_filter_set(struct vm *vm, unsigned int cmd, const void __user *from);
void msr_filter_free(struct vm *vm);
/* The guest's RDMSR and WRMSR: by the filter, msr_get and msr_set, or user space. As handle_exit. */
int msr_read(struct vcpu *vcpu);
int msr_write(struct vcpu *vcpu);
/* KVM_RUN again after an MSR exit. As handle_exit. */
int msr_done(struct vcpu *vcpu, bool read);

/* ------------------------------------------------------------------- clock.c */

/* KVM's clock starts with the VM, the guest's TSC with its first vCPU (vm->lock is held). */
void clock_init(struct vm *vm);
void clock_init_vcpu(struct vcpu *vcpu);
void clock_set_tsc_offset(struct vcpu *vcpu, u64 offset);
/* KVM_GET_CLOCK, KVM_SET_CLOCK (-EINVAL: unknown flags), and the flags there are. */
void clock_get(struct vm *vm, struct kvm_clock_data *data);
int clock_set(struct vm *vm, const struct kvm_clock_data *data);
u32 clock_flags(void);
/* KVM_KVMCLOCK_CTRL. 0, or -EINVAL: the guest has no KVM clock. */
int clock_stopped(struct vcpu *vcpu);
/* Rows of msr.c. */
int clock_get_tsc(struct vcpu *vcpu, u64 *value, bool host);
int clock_set_tsc(struct vcpu *vcpu, u64 value, bool host);
int clock_set_tsc_adjust(struct vcpu *vcpu, u64 value, bool host);
int clock_get_wall(struct vcpu *vcpu, u64 *value, bool host);
int clock_set_wall(struct vcpu *vcpu, u64 value, bool host);
int clock_set_pv_time(struct vcpu *vcpu, u64 value, bool host);
int clock_set_steal(struct vcpu *vcpu, u64 value, bool host);
bool clock_has_steal(void);
/* The vCPU comes to a CPU. Preemption is disabled. */
void clock_load(struct vcpu *vcpu);
/* Must the guest be told something before it runs on? Then do so, preemptible. */
static inline bool clock_due(struct vcpu *vcpu)
{
	return vcpu->steal_due || vcpu->clock_gen != READ_ONCE(vcpu->vm->clock_gen);
}
void clock_tell(struct vcpu *vcpu);

#endif
