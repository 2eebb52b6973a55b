/* SPDX-License-Identifier: GPL-2.0-only */
/* The shim's own header: its types and, by file, its functions. */
#ifndef KVMRUN_SHIM_H
#define KVMRUN_SHIM_H

#include "abi.h"
#include "errno.h"
#include "layout.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define PAGE_SIZE	ABI_PAGE
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define HUGE_MASK	(~(ABI_HUGE - 1))
#define PAGE_ALIGN(x)	(((x) + PAGE_SIZE - 1) & PAGE_MASK)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define MAX(a, b)	((a) > (b) ? (a) : (b))

/* What a trap or call left of the program; at the top of the shim's stack. Order: entry.S. */
struct regs {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	u64 rax, rcx, rdx, rsi, rdi;
	u64 vec;		/* exception vector, or VEC_CALL */
	u64 err;		/* error code, or the call's number */
	u64 rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct regs) == REGS_SIZE, "entry.S");

/*
 * One vCPU. It starts where the vCPU's shim stack ends, so that both are found
 * from the stack pointer. Offsets: layout.h.
 */
struct cpu {
	u64 user_rsp;
	struct abi_frame *frame;
	u64 stack_top;		/* this structure's own address */
	struct thread *thread;
	u64 cr2;
	u64 in_user;		/* the program runs, or is about to: see exit_restart */
	u32 attention;		/* another vCPU's: what follows is to be looked at before the program runs on */
	u32 flush;		/* the TLB is behind: 1, or 2 where who asks has gone to sleep */
	u32 index;
	u32 calling;		/* the frame's segments are a call's in progress: held.c */
	u64 spare[2];
	u64 trap[14];		/* CPL 3 mode: where the CPU pushes an exception's frame */
	u64 kick_stack[32];	/* CPL 3 mode: the kick vector's stack */
	u64 gdt[10];
	u8 tss[104];
	u8 iopb[32];		/* lets CPL 3 reach ABI_PORT in CPL 3 mode */
};
_Static_assert(offsetof(struct cpu, in_user) == CPU_IN_USER, "entry.S");
_Static_assert(offsetof(struct cpu, attention) == CPU_ATTENTION, "entry.S");
_Static_assert(offsetof(struct cpu, trap) == CPU_TRAP, "entry.S");
_Static_assert(offsetof(struct cpu, kick_stack) == CPU_TRAP_TOP, "entry.S");
_Static_assert(offsetof(struct cpu, gdt) == CPU_KICK_TOP, "entry.S");
_Static_assert(offsetof(struct cpu, tss) == CPU_TSS, "entry.S");
_Static_assert(offsetof(struct cpu, iopb) == CPU_TSS + 104, "entry.S");

static inline struct cpu *this_cpu(void)
{
	u64 sp;

	asm("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu *)(((sp - 1) | (STACK_SIZE - 1)) + 1);
}

/* The runner's word on this VM; read-only by habit. */
#define boot	((struct abi_boot *)(ABI_DIRECT + ABI_BOOT_GPA))

static inline void *direct(gpa_t gpa)
{
	return (void *)(ABI_DIRECT + gpa);
}

/* ---- entry.S */
extern u8 shim_mode;		/* enum abi_mode */
/* Flushes this vCPU's TLB: one page, or everything but global pages for va 0. */
void tlb_flush(gva_t va);
/* Asks the runner to serve this vCPU's frame; returns when it has. */
void vm_exit(void);

/* ---- lib.c */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
/* Reports a bug in the shim to the runner, which ends the guest. */
_Noreturn void panic(const char *why, u64 value);
/* An operation from anywhere, also while the frame has a call's arguments, which stay; its ret. */
s64 ask_runner(enum abi_op op, u64 arg0, u64 arg1);
/* Sleeps, in a loop that looks again after some ms at most, while a word of the shim's is this, and wakes who does. */
void wait_while(u32 *word, u32 value, u32 ms);
void wake(u32 *word);

/* Taken in turn; who waits for long lets others have the host's CPU. */
typedef struct { u32 next, serving, sleepers; } lock_t;
void lock(lock_t *l);
void unlock(lock_t *l);

/* ---- phys.c: guest-physical memory, in chunks of ABI_HUGE */
enum page_use { PAGE_USER, PAGE_TABLE, PAGE_USES };
void phys_init(void);
/* A zeroed page or chunk, or 0 when there is none. */
gpa_t page_alloc(enum page_use use);
gpa_t huge_alloc(void);
void page_free(gpa_t page);
void huge_free(gpa_t chunk);
void phys_give_back(void);	/* chunks that nobody uses: the host may have them for others */
void huge_split(gpa_t chunk);	/* from now on it is freed page by page */
/* Whether a page of the window is, now, at ABI_DIRECT, too. */
bool direct_window(gpa_t page);

/* ---- pt.c: the page tables of the one address space. All under mm_lock. */
#define PTE_P		0x1ull
#define PTE_W		0x2ull
#define PTE_U		0x4ull
#define PTE_A		0x20ull
#define PTE_D		0x40ull
#define PTE_PS		0x80ull
#define PTE_NONE	0x200ull	/* software: a page is kept here but PROT_NONE hides it */
#define PTE_COW		0x400ull	/* software: a file's page, to be copied before it is written */
#define PTE_FORKED	0x800ull	/* software: counts for several processes, until this one writes to it */
#define PTE_NX		(1ull << 63)
#define PTE_ADDR	0x000ffffffffff000ull
/* What a page's entry becomes with other bits of pt_bits(). */
static inline u64 pte_with(u64 e, u64 bits, bool huge)
{
	u64 keep = e & (PTE_ADDR | PTE_COW | PTE_FORKED | (huge ? PTE_PS : 0));

	return keep | (keep & (PTE_COW | PTE_FORKED) ? bits & ~PTE_W : bits);
}
/* The entry that maps va, or NULL; *huge tells whether it maps 2 MiB. */
u64 *pt_find(gva_t va, bool *huge);
/* 0, or -ENOMEM. The range must be unmapped. */
int pt_map(gva_t va, gpa_t gpa, u64 bits);
int pt_map_huge(gva_t va, gpa_t gpa, u64 bits);
/* Whether a 2 MiB page could go at va: no table below it. */
bool pt_huge_free(gva_t va);
u64 pt_bits(int prot);
/* Splits the 2 MiB page that va lies within, so that it is a border; 0, or -ENOMEM. */
int pt_border(gva_t va);
/*
 * Unmaps [start, end), both borders, frees its pages, and the tables that lie
 * wholly within [floor, ceiling). Returns the number of 4 KiB pages freed that counted for this
 * process alone; those of the window are not freed.
 */
u64 pt_unmap(gva_t start, gva_t end, gva_t floor, gva_t ceiling);
/* The same with no tables freed, and what a call in progress reaches is not unmapped but zeroed. */
u64 pt_empty(gva_t start, gva_t end);
/* Puts another page in the place of one that is mapped, or of none; 0, or -ENOMEM. */
int pt_replace(gva_t va, gpa_t gpa, u64 bits);
/* Unmaps the pages of [start, end) that are in the window. */
void pt_drop(gva_t start, gva_t end);
/* Gives the pages of [start, end), both borders, new protection. */
void pt_protect(gva_t start, gva_t end, int prot);
/* Moves the pages of [from, from + len), both borders, to an unmapped range; -ENOMEM leaves all as it was. */
int pt_move(gva_t from, gva_t to, u64 len);
/* 4 KiB pages of RAM present in the range that count for this process alone. */
u64 pt_count(gva_t start, gva_t end);
/* Of RAM that the program has written since it was made by fork(2), up to n pages. */
struct dirty_page { gva_t va; gpa_t gpa; };
u32 pt_dirty(struct dirty_page *list, u32 n);
/* 4 KiB pages with PTE_FORKED. */
extern u64 pt_forked;
/* Before a fork: the range's pages have it from now on. Returns how many had not. */
u64 pt_fork(gva_t start, gva_t end);
/*
 * Before the page of such an entry is written: it counts for this process alone, of one of 2 MiB that
 * others have, too, the part at va. 0, or -ENOMEM.
 */
int pt_unshare(gva_t va, u64 *e, bool huge);
/* The same of all that calls in progress may write to, as far as that is possible. */
void pt_unshare_held(void);
/* Flushes what the calls above left stale; before mm_lock is given up. */
void pt_flush(void);

/* ---- held.c: memory that calls in progress reach. All under mm_lock. */
#define HELD_HUGE	1ull	/* in a page's address: it is a chunk */
/* Before a number of held_page(): what calls there are. */
void held_look(void);
/* Whether a call in progress may reach a page or chunk of RAM. */
bool held_page(gpa_t page);
/* The same of any range, without held_look(). */
bool held_range(gpa_t gpa, u64 len);
/* Frees a page or chunk that is held, by held_release() at some time after its call's end. */
void held_keep(gpa_t page);
void held_release(void);
bool held_any(void);

/* ---- vma.c: what the program has mapped, sorted by address */
struct vma {
	gva_t start, end;
	u64 off;		/* GPA of its place in the window, or 0 */
	gva_t base;		/* of what shmat(2) has attached: there */
	u32 file;		/* what is mapped there: window_id(); 0: private anonymous memory */
	u16 flags;
	u16 prot;
};
#define VMA_GROWSDOWN	1u
#define VMA_ACCOUNT	2u	/* its whole length counts against the limit; else page by page */
#define VMA_NORESERVE	4u
#define VMA_SHARED	8u
#define VMA_FIXED	16u	/* the runner's: refuses changes */
#define VMA_NOHUGE	32u
#define VMA_FILE	64u	/* of a file: one that is shared does not count at all */
/* the runner reads them */
_Static_assert(sizeof(struct vma) == sizeof(struct abi_vma) && offsetof(struct vma, off) == offsetof(struct abi_vma, at) &&
	       offsetof(struct vma, flags) == offsetof(struct abi_vma, flags) &&
	       offsetof(struct vma, prot) == offsetof(struct abi_vma, prot), "abi");
_Static_assert(VMA_GROWSDOWN == ABI_VMA_GROWSDOWN && VMA_SHARED == ABI_VMA_SHARED && VMA_FIXED == ABI_VMA_FIXED, "abi");
#define VMA_READONLY	128u	/* never to be writable */
#define VMA_SHM		256u	/* by shmat(2) */
#define VMA_LOCKED	512u	/* by mlock(2) */
#define VMA_FORKED	1024u	/* shared: its whole length counts for several processes */
#define VMA_MAX		65530u	/* for the callers to keep; what they must do beyond it has room */
#define VMA_RESERVE	4u
#define STACK_GAP	(256 * PAGE_SIZE)	/* Linux's stack_guard_gap */
extern u32 vma_count;
/* Valid until the next change. */
struct vma *vma_at(u32 i);
/* Index of the first mapping that ends above va; vma_count if none. */
u32 vma_find(gva_t va);
/* Makes room for VMA_RESERVE more, counting splits and inserts; 0, or -ENOMEM. */
int vma_reserve(void);
void vma_insert(const struct vma *v);	/* merges with equal neighbours */
void vma_remove(u32 first, u32 n);
/* Splits so that va is a border. */
void vma_split(gva_t va);
/* Whether vma_split() would have to. */
bool vma_inside(gva_t va);
/* Merges what is equal among mappings first to last and their neighbours. */
void vma_merge(u32 first, u32 last);
/* Where mappings below number i must end: a stack keeps its distance. */
gva_t vma_start_gap(u32 i);
/* The highest gap of len in [bottom, top), or 0. */
gva_t vma_gap(u64 len, gva_t bottom, gva_t top);
/* Where a mapping of len goes by itself, or 0. */
gva_t vma_place(u64 len);

/* ---- mm.c: the memory calls, and faults */
extern lock_t mm_lock;
void mm_unlock(void);		/* flushes what is stale */
void mm_init(void);
/*
 * mmap(2), under mm_lock: object says what is mapped and where that is in the window,
 * NULL private memory. The address or -errno.
 */
long mm_map(gva_t va, u64 len, u64 prot, u64 flags, const struct vma *object);
/* munmap(2) of [start, end), likewise: 0 or -errno. */
int mm_unmap(gva_t start, gva_t end);
bool mm_is_free(gva_t va, u64 len);
/* Whether a protection, writable and executable at once, is one that may not be. */
bool mm_wx(u64 prot);
enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC };
/*
 * Makes va present for an access; 0, or a negative errno with *code for
 * siginfo: -EFAULT (SIGSEGV, SEGV_MAPERR or SEGV_ACCERR), -EIO (SIGBUS, BUS_ADRERR: a
 * file has no such page), -ENOMEM (the limit).
 */
int mm_fault(gva_t va, enum access access, int *code);
int mm_fault_locked(gva_t va, enum access access, int *code);
/* The same for all of [va, end). */
int mm_populate(gva_t va, gva_t end, enum access access, int *code);
#define SEGV_MAPERR	1
#define SEGV_ACCERR	2
#define BUS_ADRERR	2
bool mm_charge(u64 pages);
void mm_uncharge(u64 pages);
/* Whether no other process has any of the pages that have counted for several. */
bool mm_alone(void);
/* Before another process is made, under mm_lock: 0, or -EAGAIN; *frozen and *shared are ABI_OP_FORK's. And when it is, or not. */
int mm_forking(u64 *frozen, u64 *shared);
void mm_forked(bool done);
extern gva_t brk_end;

/* ---- mlock.c: under mm_lock */
/* What a new mapping of len bytes is by mmap(2)'s flags: VMA_LOCKED, 0, or -errno. */
long mlock_new(u64 flags, u64 len);
bool mlock_allows(u64 more);	/* whether RLIMIT_MEMLOCK has room for so many bytes more */
bool mlock_populates(void);	/* whether what is mapped is to be there at once */
void mlock_forked(void);	/* a new process has nothing locked */

/* ---- mappings.c: tells the runner what is mapped, for /proc */
void mappings_tell(void);

/* ---- window.c: what the host maps that is not RAM. Under mm_lock, but for window_map(). */
/* As ABI_OP_MAP, and ABI_OP_REMAP. */
s64 window_map(u64 len, int fd, u64 off, u64 how);
s64 window_shm(int id, u64 flags, u64 len);	/* as ABI_OP_SHM */
s64 window_remap(gpa_t gpa, u64 len, u64 new_len, bool keep);
/* msync(2) and MADV_REMOVE of a part: 0 or -errno. */
long window_sync(gpa_t gpa, u64 len, u64 flags);
long window_remove(gpa_t gpa, u64 len);
/* Tells one mapping from others, for struct vma. */
u32 window_id(void);
extern bool window_any;		/* whether there ever was one */
/* Unmaps a part for good at the next pt_flush(), which does so by window_flush(). */
void window_doom(gpa_t gpa, u64 len);
void window_flush(void);
/*
 * Serves an allowed access to a mapping in the window whose page has the entry
 * *present, or none: 0; 1 when there is nothing to do but to renew the entry; -EIO
 * when there is no such page; -ENOMEM.
 */
int window_fault(const struct vma *v, gva_t va, enum access access, u64 *present);
/* Drops all pages of files: the runner says that one is lost. */
void window_lost(void);
static inline bool in_window(gpa_t gpa)
{
	return gpa >= boot->window;
}
/* Copies n bytes, of which either side may be lost: returns how many were not copied. */
u64 user_copy(void *to, const void *from, u64 n);
/* Compare-and-swap: 0, 1 with *was what is there, or less than 0. */
long user_cmpxchg(u32 *p, u32 *was, u32 value);

/* ---- user.c: the program's memory as the shim reaches it. None with mm_lock held. */
/* 0 or -EFAULT; nothing is copied past a page that fails. */
int copy_in(void *to, gva_t from, u64 n);
int copy_out(gva_t to, const void *from, u64 n);
/* What a structure of a newer version has behind what is known here must be zero: 0, -EFAULT, -E2BIG. */
int user_zeroes(gva_t va, u64 n);
/* Whether all of [va, va + n) could be written. */
bool user_writable(gva_t va, u64 n);
/* Compare-and-swap of an aligned word: 0, 1 with *was what is there, or -EFAULT. */
long user_swap(gva_t va, u32 *was, u32 value);
/* Length without the NUL, -EFAULT, or -ENAMETOOLONG when no NUL within max. */
long string_in(char *to, gva_t from, u64 max);
#define get_user(var, va)	copy_in(&(var), va, sizeof(var))
#define put_user(var, va)	copy_out(va, &(var), sizeof(var))
/*
 * Appends [va, va + n) to the frame's segments, which held.c knows of while cpu->calling is set; the last one grows where
 * that will do and it is not before number first. Returns the bytes covered (less than n when the
 * frame is full or a later page fails), or -EFAULT when not even the first byte can be reached.
 */
s64 segments(struct abi_frame *f, u32 first, gva_t va, u64 n, enum access access);

/* ---- call.c: the program's calls. Each sys_NAME() serves one, for the functions table. */
typedef long call_fn(const u64 a[6]);
#define NONE(...)
#define CALL(nr, name, ...)	call_fn sys_##name;
#include "calls.def"
#undef CALL
#undef NONE
/* ... and its number, of each there is */
#define CALL(nr, name, ...)	NR_##name = nr,
#define NONE CALL
enum {
#include "calls.def"
};
#undef CALL
#undef NONE
void call_entry(struct regs *r);
/* Marshals call nr by the table, has the runner make it, and copies results out. */
long forward(u32 nr, const u64 a[6]);
/* A reference of a frame's arg[] to what lies in its data[] or seg[]. */
#define FRAME_REF(start, count) ((u64)(start) | (u64)(count) << 32)
/* Room for n bytes in the frame's data, 8-byte aligned, or -EINVAL. */
s64 frame_room(struct abi_frame *f, u64 n);
/*
 * Appends what n iovecs at iov point to, but for its first skip bytes, to the frame's segments, as far as there is room:
 * 0, -EINVAL or -EFAULT.
 */
long put_iovecs(struct abi_frame *f, gva_t iov, u32 n, u64 skip, enum access access);

/* ---- msg.c: the msghdr at va to argument i of the frame: 0 or -errno; and back: 0 or -EFAULT. */
long put_msg(struct abi_frame *f, int i, gva_t va, bool receive);
int get_msg(struct abi_frame *f, int i, gva_t va);

/* ---- trap.c */
void trap_entry(struct regs *r);
void exit_work(struct regs *r);	/* before returning to the program, when something waits */

/* ---- signals */
#define NSIG		64
#define SIGILL		4
#define SIGTRAP		5
#define SIGBUS		7
#define SIGFPE		8
#define SIGKILL		9
#define SIGSEGV		11
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGTTIN		21
#define SIGTTOU		22
#define SIGBIT(sig)	(1ull << ((sig) - 1))
#define UNBLOCKABLE	(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define SI_KERNEL	0x80
#define SS_ONSTACK	1u
#define SS_DISABLE	2u
#define SS_AUTODISARM	(1u << 31)

struct altstack {		/* stack_t */
	gva_t sp;
	u32 flags, pad;
	u64 size;		/* 0: none */
};

struct sigqueue;
struct pending {
	u64 set;
	struct sigqueue *first;	/* the oldest */
};

/* ---- thread.c: the program's threads, one for each vCPU */
struct thread {
	struct cpu *cpu;
	bool alive;		/* changes under signal_lock */
	bool parked;		/* it has ended, and its vCPU is free */
	u32 tid;
	gva_t clear_tid, robust_list;
	u64 mask;		/* blocked signals, bit signo - 1 */
	u64 saved_mask;		/* the mask proper, while a call's own is in force */
	bool masked;		/* ... which it is */
	bool forwarded;		/* the runner has been asked for the present call */
	u64 waits;		/* signals that sigtimedwait(2) waits for */
	struct pending pending;	/* signal_lock */
	struct altstack alt;
	u64 trapno, err;	/* of the last fault that became a signal, for ucontext */
	gva_t cr2;
	/*
	 * A call that a signal interrupted: 1 + enum abi_restart until the
	 * signal is dealt with. Made again without a handler having run, it
	 * keeps its deadline. again: likewise, while that is the next thing to
	 * happen unless a handler runs first after all; resumed: it happens.
	 */
	u8 interrupted, again;
	bool resumed;
	u64 deadline;		/* 0: none */
	/* for its start */
	char comm[16];		/* from then on it is in its vCPU's frame */
	struct regs regs;
	u64 fs, gs;
	struct xstate *fpu;
};
extern struct thread thread0;
#define current (this_cpu()->thread)
/* Thread number i, alive or not, up to the first NULL. */
struct thread *thread_at(u32 i);
/* A living one, by its ID, or NULL. */
struct thread *thread_find(u32 tid);
/* What its vCPU's frame tells of its signals is as they are. */
void thread_show(const struct thread *t);
/* Has the thread look for signals, whatever it does. */
void thread_kick(struct thread *t);
/* What another vCPU asked of this one by threads_flush(); wherever this one may have to wait, too. */
void cpu_flush(void);
/*
 * Every other thread's vCPU drops its TLB, at once if it runs the program, else
 * before it does. Also a memory barrier on all of them. Under mm_lock.
 */
void threads_flush(void);
bool threads_alone(void);	/* there is but this one */
void threads_init(void);
struct clone_args {
	u64 flags;
	gva_t pidfd, child_tid, parent_tid;
	u64 exit_signal;
	gva_t stack;
	u64 stack_size;
	gva_t tls, set_tid;
	u64 set_tid_size, cgroup;
};
/* Makes t what begins with this thread's registers, but for what its maker says. */
void thread_inherit(struct thread *t, const struct clone_args *c);
extern lock_t threads_lock;	/* one is made at a time; taken before mm_lock */
u32 threads_last_id(void);
/* In a new process: only t is there, on vCPU 0. */
void threads_forked(const struct thread *t);
/* FS's or GS's base. */
u64 base_get(bool gs);
void base_set(bool gs, u64 base);

/* ---- process.c */
long process_fork(const struct clone_args *c);
/* Where the only thread of a new process starts; returns at once in any other. */
void process_begin(void);

/* ---- vfork.c */
void vfork_begin(void);		/* in the child */
void vfork_end(void);		/* there, at its end */
void vfork_take(long pid, gva_t sp);	/* in its maker, at whose stack pointer it was called */

/* ---- futex.c */
void futex_forked(void);	/* nobody waits in a new process */
void futex_wake(gva_t va, u32 n);
/* What a thread held by its robust list when it ended. */
void futex_end(struct thread *t);
/* The same for all threads, at the process's end. */
void futex_end_all(void);

struct sigaction {
	gva_t handler;
	u64 flags;
	gva_t restorer;
	u64 mask;
};

struct siginfo {
	int signo, err, code, pad;
	union {
		struct { int pid, uid; u64 value; } kill;
		struct { gva_t addr; } fault;
		struct { int id, overrun; u64 value; } timer;
		u8 bytes[112];
	};
};
_Static_assert(sizeof(struct siginfo) == 128, "siginfo_t");
void signal_init(void);
void signal_block(struct thread *t, u64 mask);	/* the only way to another mask, but for a thread that has yet to begin */
void signal_defaults(void);	/* no handlers any more: what is not ignored has its default action */

/* ---- sigqueue.c */
#define SIG_DFL		0
#define SIG_IGN		1
#define SI_TIMER	-2
#define TIMERS		256		/* the runner's limit */
extern lock_t signal_lock;		/* actions, pending signals, the list of threads */
extern struct sigaction signal_actions[NSIG + 1];
void sigqueue_init(void);
/* Whether a signal's action is to be ignored, and whether it is one that stops. */
bool signal_ignored(int sig);
bool signal_stops(int sig);
/* Queues a signal, unless it is ignored, for a thread or (NULL) the process; -EAGAIN when the queue is full. */
int signal_send(const struct siginfo *info, struct thread *to);
/* Those that are pending for this thread. */
u64 signal_pending(void);
/* Takes the next one of a set: its number, 0 when none is there. */
int signal_take(u64 set, struct siginfo *info);
/* Drops the pending ones of a set, everywhere or in one place; under signal_lock. */
void signal_drop(u64 set);
void pending_drop(struct pending *p, u64 set);
void signal_forked(void);	/* a new process has no signals pending, and no timers */
void sigqueue_forked(void);
/* This thread will not take these any more: tells others of those that the process has pending. */
void signal_retarget(u64 set);

void signals_list(struct abi_pending *p);	/* this thread's pending ones, in their order */
bool signal_any(u64 set);	/* whether one of a set is pending for this thread */
u64 signals_pending_anywhere(void);	/* for the process or any thread; under signal_lock */

/* ---- signalfd.c */
/* What is pending has changed; arrived: what has just come. Under signal_lock. */
void signalfd_tell(u64 arrived);
void signalfd_forked(void);
/* read(2) and readv(2) of a descriptor that tells of a set of signals, in which SIGKILL's bit says not to wait. */
long signalfd_read(u32 nr, const u64 a[6], u64 set);

/* ---- signal.c */
/* A fault's signal, delivered at once; it kills where it is blocked or ignored. */
void signal_fault(struct regs *r, int signo, int code, gva_t addr);
/* The SIGSEGV of a #GP with this error code. */
void signal_protection(struct regs *r, u64 err);
/* Fetches what came to the runner from outside. */
void signal_fetch(void);
/* Whether a pending signal would be delivered now. */
bool signal_waiting(void);
/* The same with what came meanwhile: whether a call in progress has to end for it. */
bool signal_interrupts(void);
/* Delivers what waits, and decides what becomes of the call it interrupted. */
void signal_deliver(struct regs *r);
/* Puts a call's own mask in force until the call ends; 0, -EFAULT or -EINVAL. */
int signal_call_mask(gva_t set, u64 size);
void signal_unmask(struct thread *t);	/* no call's own mask is in force any more */

static inline bool canonical(gva_t va)
{
	return (s64)(va << 16) >> 16 == (s64)va;
}

bool altstack_on(const struct altstack *s, gva_t sp);
/* As sigaltstack(2) from a stack at sp: 0, -EPERM, -EINVAL or -ENOMEM. */
int altstack_set(struct altstack *s, const struct altstack *to, gva_t sp);

/* ---- sigframe.c: the frame a handler runs on, as Linux lays it out */
void sigframe_init(void);
struct xstate;
/* The FPU's state: XSAVE's image, or FXSAVE's where there is no XSAVE. */
void fpu_save(struct xstate *x);
void fpu_load(const struct xstate *x);	/* one that fpu_save() made */
/* 0, or -EFAULT when the program's stack cannot take it. */
int sigframe_push(struct regs *r, const struct siginfo *info, const struct sigaction *act, u64 mask);

/* ---- rlimit.c */
#define RLIM_INFINITY	UINT64_MAX
#define RLIMIT_CPU	0
#define RLIMIT_FSIZE	1
#define RLIMIT_STACK	3
#define RLIMIT_NPROC	6
#define RLIMIT_NOFILE	7
#define RLIMIT_MEMLOCK	8
#define RLIMIT_AS	9
#define RLIMIT_NICE	13
void rlimits_init(void);	/* behind mm_init() */

/* ---- sched.c */
#define PRIO_PROCESS	0
#define PRIO_PGRP	1
#define PRIO_USER	2
#define INIT	1	/* the parent of the program's first process, and root's */
struct thread *thread_or_self(u64 tid);	/* a living one, the caller's own by 0, or NULL */
long ask_task(enum abi_task_op op, u64 arg, struct abi_task *task);	/* ABI_OP_TASK */

/* ---- sys.c: small calls */
_Noreturn void end_program(u64 code, u64 signal, enum abi_end why);

#endif
