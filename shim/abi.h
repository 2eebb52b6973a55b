/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the shim (the guest kernel) and the runner (the host
 * side), and the only header that both include.
 *
 * Everything here lives in guest memory, which the guest may rewrite at any
 * moment. The runner copies what it needs once, checks the copy and acts on
 * the copy; the shim trusts the runner.
 */
#ifndef KVMRUN_ABI_H
#define KVMRUN_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ABI_MAGIC	0x6e75726d766bull	/* "kvmrun" */
#define ABI_VERSION	1u

/* A guest-physical address: an integer, so that C cannot dereference it. */
typedef uint64_t gpa_t;
/* A guest-virtual address, likewise. */
typedef uint64_t gva_t;

#define ABI_PAGE	0x1000ull
#define ABI_HUGE	0x200000ull

/*
 * Guest-virtual layout. The lower half is the program's. Guest RAM is mapped
 * at ABI_DIRECT as far as the shim has taken it into use; the shim's image is
 * linked at ABI_SHIM.
 */
#define ABI_USER_END	0x7ffffffff000ull
#define ABI_MMAP_MIN	0x10000ull	/* vm.mmap_min_addr */
#define ABI_DIRECT	0xffff888000000000ull
#define ABI_SHIM	0xffffffff80000000ull

/* Guest-physical layout of the part that the runner fills in before boot. */
#define ABI_BOOT_GPA	0x1000ull
#define ABI_SHIM_GPA	0x10000ull

/* Selectors of the GDT that the runner lays out; the order suits SYSCALL. */
#define ABI_KERNEL_CS	0x08
#define ABI_KERNEL_SS	0x10
#define ABI_USER_SS	0x2b
#define ABI_USER_CS	0x33
#define ABI_TSS		0x38

/*
 * The one port. A 4-byte OUT of any value asks the runner to serve the vCPU's
 * frame; any other port, width or direction ends the guest.
 */
#define ABI_PORT	0xe0

/* The vector that the runner injects to make a vCPU look at frame->kick. */
#define ABI_KICK_VECTOR	0x20

enum abi_op {
	ABI_OP_CALL = 1,	/* a Linux call: nr, arg[] -> ret */
	ABI_OP_REPORT,		/* a call that the shim served: nr, arg[], ret (only under ABI_BOOT_REPORT) */
	ABI_OP_EXIT,		/* the program ended: arg[0] exit code, arg[1] signal or 0, arg[2] enum abi_end;
				   for -v: arg[3] RIP, arg[4] vector and arg[5] CR2 of the last exception */
	ABI_OP_STOP,		/* stop the whole process by signal arg[0] until SIGCONT */
	ABI_OP_SIGNALS,		/* fetch host signals: ret = count, data = struct abi_signal[] */
	ABI_OP_PANIC,		/* the shim found a bug in itself: data = text */
	ABI_OP_BOOTED,		/* first exit: arg[0] = enum abi_mode */
	ABI_OP_MEMORY,		/* RAM is wanted up to arg[0] bytes: ret = bytes there are now, boot->ram_ready's successor */
	ABI_OP_THREAD,		/* vCPU arg[0], its frame at arg[1], is to start a thread, its ID in arg[0]'s upper half:
				   one that was never used or is parked. ret = 0, or -EAGAIN */
	ABI_OP_READY,		/* a vCPU that ABI_OP_THREAD has made can take interrupts */
	ABI_OP_PARK,		/* this vCPU's thread has ended: back when it is to start another one */
	ABI_OP_KICK,		/* has vCPUs look at their kick: arg[1] is a set of 64 from number arg[0] on */
	ABI_OP_WAIT,		/* sleeps as long as the word at GPA arg[0] is the lower half of arg[1], the upper
				   half in ms at most */
	ABI_OP_WAKE,		/* wakes who sleeps so on the word at arg[0] */
	ABI_OP_FORKING,		/* before the first ABI_OP_FORK: arg[0] pages count. ret = 0 and boot->forked is set, or -EAGAIN */
	ABI_OP_FORK,		/* another process, as this one is now but for its threads: its vCPU 0 starts as that of a thread.
				   arg[0] = the last ID of a thread, and in its upper half the pages that have counted for this one
				   alone, and from now on, whatever ret is, for both; arg[1] = the signal at its end and ABI_FORK_*, and
				   in its upper half all that count so. Then each may have ABI_FORK_PAGES more, or with -errno none.
				   ret = its ID, and with ABI_FORK_PIDFD a descriptor << 32; or -EAGAIN, -EMFILE, -ENOMEM */
	ABI_OP_EXEC,		/* another program: data = its path, from the directory arg[0], as execveat(2) by the flags arg[3];
				   seg = arg[1] arguments and arg[2] variables, one string behind another; arg[4] =
				   signals ignored, arg[5] = blocked; data at ABI_EXEC_PENDING: those that are
				   pending, struct abi_pending. ret = -errno, or the VM is another one */
	ABI_OP_VFORK,		/* waits for the child arg[0] to execute another program or end: ret = 0, or -EINTR for now */
	ABI_OP_GIVE,		/* of a child of vfork(2): the page at address arg[0] has become data */
	ABI_OP_TAKE,		/* the next such page of child arg[0]: ret = its address, or 0 */
	ABI_OP_PENDING,		/* of the signals in boot->signalfds the set arg[0] is pending; those in arg[1] have just come */
	ABI_OP_IGNORE,		/* signal arg[0], SIGTTIN or SIGTTOU, is ignored from now on, or, with arg[1] 0, not */
	ABI_OP_LIMIT,		/* boot->limit[arg[0]], which the host enforces, is another one: ret = 0 or -errno */
	ABI_OP_PAUSE,		/* waits until a signal comes */
	ABI_OP_PROCESS,		/* of prctl(2) what is between processes: arg[0] = its option, arg[1] = the value to set. ret = that of one to get */
	ABI_OP_ID,		/* ret = an ID for a thread that no process or thread has */
	ABI_OP_COMMIT,		/* once boot->forked: at least arg[0] pages are to count for this process alone, those in arg[0]'s upper
				   half if there are so many, or fewer than did; it has arg[1] of those that count for several.
				   ret = how many may, and ABI_COMMIT_ALONE; or -ENOMEM and nothing changed */
	ABI_OP_DISCARD,		/* nobody needs what is in the RAM of ABI_HUGE bytes at GPA arg[0]: it is zero after that */
	/* The window, where the host maps what is not RAM. Whole pages; ret may be -errno. */
	ABI_OP_MAP,		/* arg[0] bytes of descriptor arg[1] from arg[2] on, arg[3] PROT_* and ABI_MAP_*:
				   ret = GPA | ABI_MAP_*, or 0: private memory would do. With no bytes only errors */
	ABI_OP_SHM,		/* shared memory by its identifier arg[0], attached as flags arg[1] of shmat(2) say: ret = its bytes, or with
				   arg[2], the bytes of its pages, the GPA where it is mapped */
	ABI_OP_SEMS,		/* how many semaphores the set arg[0] has */
	ABI_OP_UNMAP,		/* arg[1] bytes at GPA arg[0], which no TLB knows of any more */
	ABI_OP_REMAP,		/* of arg[1] bytes at arg[0] a mapping of arg[2] bytes elsewhere; the first one goes, unless arg[3]: ret = GPA */
	ABI_OP_TOUCH,		/* ret = how many of arg[1] bytes from arg[0] on can be read and, if arg[2], the first page written */
	ABI_OP_SYNC,		/* msync(2) of arg[1] bytes at arg[0] with flags arg[2] */
	ABI_OP_REMOVE,		/* MADV_REMOVE of arg[1] bytes at arg[0] */
	ABI_OP_NAMED,		/* the process's or a thread's name is another one, where others may ask for it */
	ABI_OP_TASK,		/* of a thread of any of the program's processes: arg[0] = enum abi_task_op, arg[1] as that says, data =
				   struct abi_task. ret = 0 or -errno: -ESRCH: there is none, -EPERM: who has it does not answer */
	ABI_OP_MAPPINGS,	/* what is mapped, where frame->more asked for it: data = arg[0] times struct abi_mapping,
				   by address, behind the arg[1] ones told before; arg[2] = the program break */
};

#define ABI_COMMIT_ALONE (1ll << 32)	/* no other process has any of what arg[1] counts */

#define ABI_FORK_PAGES	32u	/* what either process may write of what they share before it has to ask */
#define ABI_EXEC_PENDING 4096	/* behind any path */
#define ABI_FORK_PARENT	0x200	/* its parent is the maker's: CLONE_PARENT */
#define ABI_FORK_PIDFD	0x400	/* a descriptor for it: CLONE_PIDFD */
#define ABI_FORK_SHARES	0x100	/* the child's writes are the parent's, should it end: vfork(2) */

/* How the shim runs; found by its boot probe. */
enum abi_mode {
	ABI_MODE_KERNEL = 1,	/* SYSCALL arrives at CPL 0: the shim runs at CPL 0 */
	ABI_MODE_USER,		/* SYSCALL arrives at CPL 3 (software hypervisors): the shim runs at CPL 3 */
};

/* Why the shim ended the program, beyond the status. */
enum abi_end {
	ABI_END_STATUS,		/* exit, exit_group, or an ordinary signal */
	ABI_END_MEMORY,		/* no memory left for a page that had to be there */
};

/* ABI_OP_MAP: in arg[3], and in ret's lower bits. */
#define ABI_MAP_SHARED		16u
#define ABI_MAP_NOFILE		32u	/* memory of its own, to be shared */
#define ABI_MAP_READONLY	64u	/* never to be writable */

/* A mapping of the program's, as the shim tells it. */
struct abi_mapping {
	gva_t start, end;
	gpa_t at;		/* its place in the window; 0: private memory */
	uint32_t prot;		/* PROT_* */
	uint32_t flags;		/* ABI_MAP_GROWSDOWN, ABI_MAP_FIXED, ABI_MAP_SHARED */
};
_Static_assert(sizeof(struct abi_mapping) == 32, "abi");

/*
 * The shim's own array of mappings, for when another process asks what this one has mapped and
 * none of its vCPUs is to be disturbed: at a virtual address of the shim's, with a gap in it.
 * Whoever reads it may find it half changed.
 */
struct abi_vma {
	gva_t start, end;
	gpa_t at;		/* as in struct abi_mapping */
	gva_t base;
	uint32_t file;
	uint16_t flags;		/* ABI_VMA_*, and others */
	uint16_t prot;
};
_Static_assert(sizeof(struct abi_vma) == 40, "abi");
#define ABI_VMA_GROWSDOWN	1u
#define ABI_VMA_SHARED		8u
#define ABI_VMA_FIXED		16u

struct abi_vmas {
	gva_t at;
	uint32_t count;		/* of them */
	uint32_t gap, room;	/* there is room for so many, and what is free comes before entry number gap */
	uint32_t unused;
};

/* A resource limit, as struct rlimit. */
struct abi_limit {
	uint64_t soft, hard;
};
#define ABI_LIMITS	16

/* How a thread would be scheduled, sched(7). */
struct abi_sched {
	uint32_t policy;
	int32_t nice;
	uint32_t reset_on_fork;
	uint32_t ioprio;	/* ioprio_set(2) */
	uint64_t not_on;	/* CPUs that sched_setaffinity(2) left out */
};
_Static_assert(sizeof(struct abi_sched) == 24, "abi");

/* What one process asks of another's thread, or has set there. */
struct abi_task {
	uint32_t pid, tid;
	struct abi_sched sched;
	uint64_t nice_limit;	/* RLIMIT_NICE, the soft one */
	struct abi_limit limit;
};
_Static_assert(sizeof(struct abi_task) == 56, "abi");

enum abi_task_op {
	ABI_TASK_GET = 1,	/* sched and nice_limit of thread tid */
	ABI_TASK_NEXT,		/* the same, of process pid's first thread from tid on, and which that is */
	ABI_TASK_SCHED,		/* sets thread tid's sched, but for not_on */
	ABI_TASK_CPUS,		/* sets thread tid's not_on */
	ABI_TASK_LIMIT,		/* limit number arg[1] of thread tid's process; with ABI_TASK_SET, too, it is to be limit, and
				   limit becomes what it was: -EINVAL, -EPERM as prlimit(2) */
	ABI_TASK_PROCESS,	/* pid of the first process from pid on, with arg[1] of group tid (0: the asker's): -ESRCH */
};
#define ABI_TASK_SET	(1ull << 32)

#define ABI_THREADS	4096	/* vCPUs at most; boot->max_threads may be less */

#define ABI_NSEGS	1024	/* segments in a frame; covers 4 MiB of scattered 4 KiB pages */
#define ABI_DATA	32768	/* bytes of small arguments: two paths and some structures, or what poll(2) takes of 4096 descriptors */
#define ABI_NULL	UINT64_MAX	/* arg[] for a null pointer, where a pointer is described */

/* A piece of a user buffer. */
struct abi_seg {
	gpa_t gpa;
	uint64_t len;		/* bytes, never 0 */
};

/*
 * One vCPU's frame. For each argument that is a pointer, arg[i] is rewritten
 * by kind (see abi_arg): a reference into data[] or into seg[], as
 * start | count << 32, or ABI_NULL. One that bad names stays as the program gave
 * it; such a call is not made.
 */
struct abi_frame {
	uint32_t op;		/* enum abi_op */
	uint32_t nr;		/* Linux call number */
	uint64_t arg[6];
	int64_t ret;		/* written by the runner: result or -errno; with bad, by the shim: the first one's -errno */
	uint32_t nseg;		/* used entries of seg[] */
	uint32_t data_len;	/* used bytes of data[] */
	uint32_t kick;		/* written by the runner: 1 = signals wait, fetch them; cleared by the shim */
	uint32_t more;		/* written by the runner: 1 = a transfer that may be continued at once, full or cut short by a signal;
				   or ABI_MORE_SIGNALS; or ABI_MORE_MAPPINGS: the call is to be made again, after ABI_OP_MAPPINGS */
	uint32_t bad;		/* bit i: arg[i] points to what cannot be passed */
	uint32_t lost;		/* written by the runner: 1 = a page of the window is not there any more, drop them; cleared by the shim */
	uint64_t deadline;	/* written by the runner: when a relative wait that was interrupted ends, CLOCK_MONOTONIC ns; sent back on a restart, 0 at first;
				   with ABI_MORE_SIGNALS the set to read, in which SIGKILL's bit says not to wait */
	char comm[16];		/* the name of the vCPU's thread: both write it */
	uint64_t signals_blocked;	/* by that thread, and pending for it alone, bit signal - 1; kept by the shim for /proc */
	uint64_t signals_pending;
	uint8_t data[ABI_DATA];
	struct abi_seg seg[ABI_NSEGS];
	struct abi_sched sched;	/* that thread's: both write it */
};
#define ABI_FRAME_SIZE	0xd000ull
#define ABI_MORE_SIGNALS 2u	/* a read of a signalfd, which is the shim's to serve */
#define ABI_MORE_MAPPINGS 3u	/* a look at what is mapped, which the shim has to tell first */

_Static_assert(offsetof(struct abi_frame, arg) == 8, "abi");
_Static_assert(offsetof(struct abi_frame, ret) == 56, "abi");
_Static_assert(offsetof(struct abi_frame, kick) == 72, "abi");
_Static_assert(offsetof(struct abi_frame, data) == 128, "abi");
_Static_assert(offsetof(struct abi_frame, seg) == 128 + ABI_DATA, "abi");
_Static_assert(sizeof(struct abi_frame) <= ABI_FRAME_SIZE, "abi");

/* Signals whose default is that nothing happens, bit signal - 1: SIGCHLD, SIGCONT, SIGURG, SIGWINCH. */
#define ABI_NO_ACTION	(1ull << 16 | 1ull << 17 | 1ull << 22 | 1ull << 27)

/* A host signal on its way into the guest: the siginfo_t as Linux lays it out. */
struct abi_signal {
	uint8_t siginfo[128];
};

/* Pending signals on their way through execve(2): which they are, and as many siginfos as there is room for. */
#define ABI_EXEC_SIGNALS 63
struct abi_pending {
	uint64_t set;
	uint32_t count, unused;
	struct abi_signal signal[ABI_EXEC_SIGNALS];
};
_Static_assert(ABI_EXEC_PENDING + sizeof(struct abi_pending) <= ABI_DATA, "abi");

/*
 * Clock parameters for the vDSO, written by the runner, read by the guest at
 * CPL 3: ns = mono + ((tsc - tsc_base) * mult >> 32). seq is odd during an
 * update. Past tsc_limit, or with mult 0, the vDSO makes the real call.
 *
 * CLOCK_REALTIME_COARSE and time(2) are never ahead of the times that the host gives to
 * files, its last tick's: so they are behind by as much as a tick may be long.
 */
#define ABI_COARSE_NS	10000000
struct abi_clock {
	uint32_t seq;
	uint32_t pad;
	uint64_t tsc_base, tsc_limit;
	uint64_t mult;		/* ns per tick, 32.32 fixed point */
	uint64_t mono;		/* CLOCK_MONOTONIC at tsc_base, ns */
	int64_t real;		/* CLOCK_REALTIME - CLOCK_MONOTONIC, ns */
	int64_t boot;		/* CLOCK_BOOTTIME - CLOCK_MONOTONIC, ns */
};
_Static_assert(sizeof(struct abi_clock) == 56, "abi");

/* What backs a piece of the program's initial address space. */
struct abi_map {
	gva_t start, end;	/* page-aligned */
	uint32_t prot;		/* PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4 */
	uint32_t flags;		/* ABI_MAP_* */
};
#define ABI_MAP_GROWSDOWN	1u	/* the stack */
#define ABI_MAP_FIXED		2u	/* not the program's to unmap or change: vDSO and its clock page */

#define ABI_MAPS	128
#define ABI_CHUNK	16

#define ABI_BOOT_REPORT		1u	/* report calls the shim serves (--trace) */
#define ABI_BOOT_FSGSBASE	2u	/* CR4.FSGSBASE is set */
#define ABI_BOOT_SMEP		4u	/* the CPU has SMEP, left off by the runner */
#define ABI_BOOT_SMAP		8u	/* the CPU has SMAP, left off by the runner */
#define ABI_BOOT_WX		16u	/* memory may be writable and executable at once (--wx) */

/*
 * The shim's image starts with this. The image is copied to ABI_SHIM_GPA and
 * mapped at ABI_SHIM: [0, text_end) read+execute, [text_end, rodata_end) read,
 * [rodata_end, bss_end) read+write; all page-aligned offsets from the image's
 * start. The file ends at data_end, the rest is zero.
 */
struct abi_image {
	uint64_t magic;
	uint32_t version;
	uint32_t entry;		/* where a vCPU starts */
	uint32_t text_end, rodata_end, data_end, bss_end;
	uint32_t vdso, vdso_size;	/* the vDSO's ELF image, page-aligned, within [text_end, rodata_end) */
	/* where the shim touches what may be lost: within [access, access_failed) it goes on at access_failed */
	uint32_t access, access_failed;
};
_Static_assert(sizeof(struct abi_image) == 48, "abi");

/*
 * A vCPU starts at CPL 0 in 64-bit mode: CR3 = boot->pml4; CR0 PE MP ET NE WP
 * AM PG; CR4 PAE PGE OSFXSR OSXMMEXCPT, and OSXSAVE FSGSBASE UMIP where the
 * CPU has them (not SMEP and SMAP: the shim's pages start out with the U bit); EFER SCE LME LMA NXE; XCR0 = boot->xcr0; flat
 * segments; IF clear; RIP = ABI_SHIM + entry, RDI = the vCPU's index. The shim
 * loads its own GDT, IDT and TR and sets STAR, LSTAR and SFMASK.
 *
 * In the page tables the runner built every entry has the U bit (the shim
 * takes it away from its own when it runs at CPL 0), the A bit, and where
 * writable the D bit: software hypervisors then map neighbours in advance.
 * [0, boot->free rounded up to ABI_HUGE) is mapped at ABI_DIRECT by 2 MiB
 * pages, writable, NX.
 */

/* What a process has said of itself that execve(2) keeps: personality(2), and what prctl(2) sets; 0 at first. */
struct abi_kept {
	uint32_t personality;
	uint32_t no_thp;
	uint64_t timer_slack;	/* ns; 0: the default */
};

/* What the runner tells the shim; at ABI_BOOT_GPA. */
struct abi_boot {
	uint64_t magic;
	uint32_t version;
	uint32_t flags;		/* ABI_BOOT_* */
	uint64_t ram_size;	/* bytes of guest RAM from GPA 0, a multiple of ABI_HUGE */
	uint64_t ram_ready;	/* bytes of it that are there at first; more by ABI_OP_MEMORY */
	uint64_t mem_limit;	/* bytes the program may commit (--mem), all its processes together */
	gpa_t pml4;		/* the page tables the runner built */
	gpa_t chunks;		/* room for ABI_CHUNK bytes per ABI_HUGE of RAM, zero (never touched by the runner) */
	gpa_t free;		/* RAM from here on is unused and zero; page-aligned */
	gpa_t frame;		/* vCPU 0's frame */
	gva_t rip, rsp;		/* the program's first instruction and stack */
	gva_t brk;		/* initial program break */
	gva_t mmap_base;	/* mmap places mappings below this, top down */
	uint64_t stack_limit;	/* RLIMIT_STACK, bytes */
	uint32_t pid, ppid, uid, gid;
	uint32_t xsave_size;	/* bytes of XSAVE area for xcr0; 512 when there is no XSAVE */
	uint32_t nmaps;
	uint64_t xcr0;		/* 0: no XSAVE, use FXSAVE */
	struct abi_map map[ABI_MAPS];
	uint64_t ignored;	/* signals ignored, bit signal - 1: at the start by the runner's word, then kept by the shim for /proc */
	uint64_t blocked;	/* signals blocked at the start, likewise */
	char comm[16];
	uint32_t max_threads;	/* at once; at most ABI_THREADS */
	uint32_t ncpus;		/* CPUs that the runner may use */
	uint32_t forked;	/* there are, or have been, other processes; set by the runner */
	uint32_t autoreap;	/* children are not waited for: sigaction(2), SA_NOCLDWAIT; set by the shim */
	uint32_t nocldstop;	/* no SIGCHLD for their stops: SA_NOCLDSTOP; likewise */
	struct abi_limit limit[ABI_LIMITS];	/* by RLIMIT_*; both set them, at first the shim those that the runner has not */
	uint64_t limits_kept;	/* they are those of the program before; set by the runner */
	struct abi_kept kept;	/* set by the shim, over execve(2) by the runner */
	uint64_t signalfds;	/* signals that descriptors tell of; set by the runner */
	gpa_t window;		/* what is not RAM is from here on */
	uint64_t committed;	/* pages of map[] that count against mem_limit */
	uint64_t taken;		/* pages that count against mem_limit now; set by the shim */
	uint64_t resident;	/* pages of RAM that the program has; likewise */
	uint64_t memory_refused;	/* times that mem_limit or max_threads stood in the way; counted by the shim, for --stats */
	uint64_t threads_refused;
	struct abi_vmas vma_array;	/* what is mapped; likewise */
	gva_t brk_end;		/* the program break now; likewise */
	uint64_t signals_caught;	/* signals that have a handler, and that are pending for the process; likewise */
	uint64_t signals_pending;
	uint64_t calls[512];	/* counts of calls by number, kept by the shim for --stats */
};
_Static_assert(offsetof(struct abi_boot, map) == 144, "abi");
_Static_assert(sizeof(struct abi_boot) <= 0x4000, "abi");

/* ------------------------------------------------------------- the call table */

enum abi_served {
	ABI_BY_NOBODY,		/* refused with .refusal */
	ABI_BY_SHIM,		/* answered by the shim, no exit */
	ABI_BY_BOTH,		/* a shim function that may forward */
	ABI_BY_HOST,		/* marshalled by the shim, a handler in the runner */
	ABI_BY_PASS,		/* marshalled by the shim, made as it stands by the runner */
};

/* Which rule of the policy a call falls under. */
enum abi_class {
	ABI_CLASS_SELF,		/* the program's own memory, signals, ids, clocks: always allowed */
	ABI_CLASS_FD,		/* an open descriptor: allowed by having it */
	ABI_CLASS_PATH,		/* a path: within the grants */
	ABI_CLASS_NET,		/* sockets: --net */
	ABI_CLASS_PROCESS,	/* other processes of the program */
	ABI_CLASS_SYSTEM,	/* the host's administration: never */
	ABI_CLASS_OLD,		/* obsolete or absent in current kernels: never */
};

enum abi_kind {
	ABI_ARG_NONE,
	ABI_ARG_VALUE,		/* passed as it stands; .fmt says how --trace prints it */
	ABI_ARG_FD,		/* a guest descriptor */
	ABI_ARG_DIRFD,		/* a guest descriptor or AT_FDCWD */
	ABI_ARG_STRING,		/* in: NUL-terminated, at most 4096 bytes with the NUL, in data[] (count includes the NUL) */
	ABI_ARG_IN,		/* in: a structure of .size bytes in data[] */
	ABI_ARG_OUT,		/* out: a structure of .size bytes in data[], copied to the user when ret >= 0 */
	ABI_ARG_INOUT,		/* in and out: likewise */
	ABI_ARG_INBUF,		/* in: a buffer of arg[.ref] + .size bytes, as segments */
	ABI_ARG_OUTBUF,		/* out: likewise */
	ABI_ARG_INIOV,		/* in: arg[.ref] iovecs, flattened to segments */
	ABI_ARG_OUTIOV,		/* out: likewise */
	ABI_ARG_INVEC,		/* in: arg[.ref] elements of .size bytes, in data[] */
	ABI_ARG_OUTVEC,		/* out: likewise, copied to the user when ret >= 0 */
	ABI_ARG_INOUTVEC,	/* in and out: likewise */
	ABI_ARG_WORD,		/* a futex's word: arg[i] its user address, and itself the next segment */
	ABI_ARG_WORDS,		/* in: arg[.ref] struct futex_waitv in data[], and the word of each as the next segments */
	ABI_ARG_ADDRESS,	/* a user address that only the shim looks at */
	ABI_ARG_INMSG,		/* in: a struct msghdr, as struct abi_msg in data[]; its buffers are all of seg[] */
	ABI_ARG_OUTMSG,		/* out: likewise */
};

/*
 * What a struct msghdr becomes. Of one that receives, name_len and control_len are
 * at first the room that there is, then what there was of a name (it may be more than
 * the room) and what came of control messages.
 */
struct abi_msg {
	uint32_t name_len, control_len;
	uint32_t flags;		/* msg_flags of one that was received */
	uint32_t unused;
	uint8_t name[128];	/* as long as a struct sockaddr_storage */
	uint8_t control[];	/* as it came from the program, or goes to it */
};
#define ABI_MSG_CONTROL 8192u	/* bytes of control messages at most */

/* What a signal handler does to an interrupted call, signal(7). */
enum abi_restart {
	ABI_RESTART_SA,		/* restarted under SA_RESTART, else EINTR */
	ABI_RESTART_NEVER,	/* EINTR after any handler */
	ABI_RESTART_ALWAYS,	/* made again after any */
};

struct abi_arg {
	uint8_t kind;		/* enum abi_kind */
	uint8_t fmt;		/* enum abi_fmt, for --trace */
	uint8_t ref;		/* which argument holds the length or count */
	uint8_t type;		/* enum abi_struct, for --trace */
	uint16_t size;		/* bytes of the structure or element */
};

struct abi_call {
	uint8_t served;		/* enum abi_served; ABI_BY_NOBODY for an unused row */
	uint8_t class;		/* enum abi_class */
	uint8_t restart;	/* enum abi_restart */
	uint8_t retfmt;		/* enum abi_fmt of the result */
	int16_t refusal;	/* -errno for ABI_BY_NOBODY */
	uint8_t nargs;
	struct abi_arg arg[6];
};

/* Bytes of each structure that a call passes, as the x86-64 kernel has them. */
#define ABI_STRUCTS(S)	\
	S(int, 4) S(int2, 8) S(u64, 8) S(timespec, 16) S(timespec2, 32) S(timeval, 16) S(timeval2, 32) S(timezone, 8) \
	S(itimerval, 32) S(itimerspec, 32) S(sigset, 8) S(sigaction, 32) S(siginfo, 128) \
	S(stack, 24) S(stat, 144) S(statx, 256) S(statfs, 120) S(rlimit, 16) S(rusage, 144) \
	S(utsname, 390) S(sysinfo, 112) S(tms, 32) S(pollfd, 8) S(iovec, 16) S(sigevent, 64) \
	S(open_how, 24) S(flock, 32) S(utimbuf, 16) S(capheader, 8) S(capdata, 24) S(fdset, 128) \
	S(rseq, 32) S(sigset_arg, 16) S(clone_args, 88) S(sched_param, 4) S(sched_attr, 56) S(dirent, 280) \
	S(epoll_event, 12) S(cpus, 1) S(termios, 36) S(termios2, 44) S(termio, 18) S(winsize, 8) S(ifreq, 40) S(getlk, 32) S(owner, 8) \
	S(addr, 1) S(addrbuf, 128) S(optval, 1) S(optbuf, 256) \
	S(mqattr, 64) S(mqattr_raw, 64) S(cookie, 32) S(shmid, 112) S(shminfo, 72) S(shm_info, 48) S(semid, 104) S(seminfo, 40) \
	S(msqid, 120) S(msginfo, 32) S(sembuf, 6) S(futex_waitv, 24) \
	S(shmid_set, 112) S(semid_set, 104) S(msqid_set, 120) S(wait_status, 4)

#define ABI_STRUCT(name, bytes) ABI_SIZE_##name = bytes,
enum { ABI_STRUCTS(ABI_STRUCT) };
#undef ABI_STRUCT
#define ABI_STRUCT(name, bytes) ABI_STRUCT_##name,
enum abi_struct { ABI_STRUCTS(ABI_STRUCT) };
#undef ABI_STRUCT

/*
 * futex(2): which of its operations take a time and which a second word, where others
 * take a number or nothing.
 */
#define ABI_FUTEX_COMMAND	0x7fu
#define ABI_FUTEX_PRIVATE	0x80u
#define ABI_FUTEX_REALTIME	0x100u
enum abi_futex {
	ABI_FUTEX_WAIT = 0,
	ABI_FUTEX_WAKE = 1,
	ABI_FUTEX_REQUEUE = 3,
	ABI_FUTEX_CMP_REQUEUE = 4,
	ABI_FUTEX_WAKE_OP = 5,
	ABI_FUTEX_LOCK_PI = 6,
	ABI_FUTEX_UNLOCK_PI = 7,
	ABI_FUTEX_TRYLOCK_PI = 8,
	ABI_FUTEX_WAIT_BITSET = 9,
	ABI_FUTEX_WAKE_BITSET = 10,
	ABI_FUTEX_LOCK_PI2 = 13,
};

/* What futex_waitv(2) waits for. */
struct abi_futex_waitv {
	uint64_t value, address;
	uint32_t flags, reserved;
};
_Static_assert(sizeof(struct abi_futex_waitv) == ABI_SIZE_futex_waitv, "abi");
#define ABI_FUTEX_WAITV	128u	/* of them at most */
#define ABI_FUTEX_32	2u	/* which each has */

static inline bool abi_futex_waits(uint32_t command)
{
	return command == ABI_FUTEX_WAIT || command == ABI_FUTEX_WAIT_BITSET ||
	       command == ABI_FUTEX_LOCK_PI || command == ABI_FUTEX_LOCK_PI2;
}

static inline bool abi_futex_has_two(uint32_t command)
{
	return command >= ABI_FUTEX_REQUEUE && command <= ABI_FUTEX_WAKE_OP;
}

/*
 * The commands of shmctl(2), semctl(2) and msgctl(2), and what each one's last argument is; that of others is not
 * looked at. The length of GETALL's and SETALL's the shim adds, as argument 4.
 */
#define ABI_CONTROLS(C)	\
	C(shmctl, IPC_RMID, 0, V(ADDR)) C(shmctl, IPC_SET, 1, IN(shmid_set)) C(shmctl, IPC_STAT, 2, OUT(shmid)) \
	C(shmctl, IPC_INFO, 3, OUT(shminfo)) C(shmctl, SHM_LOCK, 11, V(ADDR)) C(shmctl, SHM_UNLOCK, 12, V(ADDR)) \
	C(shmctl, SHM_STAT, 13, OUT(shmid)) C(shmctl, SHM_INFO, 14, OUT(shm_info)) C(shmctl, SHM_STAT_ANY, 15, OUT(shmid)) \
	C(msgctl, IPC_RMID, 0, V(ADDR)) C(msgctl, IPC_SET, 1, IN(msqid_set)) C(msgctl, IPC_STAT, 2, OUT(msqid)) \
	C(msgctl, IPC_INFO, 3, OUT(msginfo)) C(msgctl, MSG_STAT, 11, OUT(msqid)) C(msgctl, MSG_INFO, 12, OUT(msginfo)) \
	C(msgctl, MSG_STAT_ANY, 13, OUT(msqid)) \
	C(semctl, IPC_RMID, 0, V(ADDR)) C(semctl, IPC_SET, 1, IN(semid_set)) C(semctl, IPC_STAT, 2, OUT(semid)) \
	C(semctl, IPC_INFO, 3, OUT(seminfo)) C(semctl, GETPID, 11, V(ADDR)) C(semctl, GETVAL, 12, V(ADDR)) \
	C(semctl, GETALL, 13, OUTBUF(4)) C(semctl, GETNCNT, 14, V(ADDR)) C(semctl, GETZCNT, 15, V(ADDR)) \
	C(semctl, SETVAL, 16, V(HEX)) C(semctl, SETALL, 17, INBUF(4)) C(semctl, SEM_STAT, 18, OUT(semid)) \
	C(semctl, SEM_INFO, 19, OUT(seminfo)) C(semctl, SEM_STAT_ANY, 20, OUT(semid))

#define ABI_CALLS	512	/* numbers at and above are ENOSYS */

/*
 * How --trace prints a value or a structure. One name serves flags
 * (ABI_FMT_OPEN: O_RDONLY|...), enumerations (ABI_FMT_CLOCK) and numbers.
 */
#define ABI_FMTS(F)	\
	F(NONE) F(INT) F(UINT) F(LONG) F(HEX) F(MODE) F(SIZE) F(OFF) F(FD) F(ADDR) F(PID) F(ID) F(SIGNAL) \
	F(OPEN) F(AT) F(ACCESS) F(WHENCE) F(PROT) F(MAP) F(MADV) F(MREMAP) F(MSYNC) F(FCNTL) F(IOCTL) \
	F(CLOCK) F(TIMER) F(RLIMIT) F(RUSAGE) F(SIGHOW) F(FUTEX) F(ARCH) F(PRCTL) F(GETRANDOM) F(POLL) \
	F(STRING) F(BYTES) F(STRUCT) \
	F(ITIMER) F(LOCK) F(FILEMODE) F(DEV) F(PRIO) F(SCHED) F(MLOCKALL) F(MLOCK) F(XATTR) F(FADVISE) \
	F(EPOLL) F(EPOLLCTL) F(SYNCRANGE) F(TFD) F(TFDSET) F(FALLOC) F(EFD) F(OFLAGS) F(RENAME) \
	F(MEMBARRIER) F(RWF) F(STATX) F(CLOSERANGE) F(ATACCESS) F(FDFLAGS) F(SEALS) F(MEMFD) F(STATXAT) F(TIME) \
	F(SFD) F(SPLICE) F(PIDFD) F(FAMILY) F(SOCKTYPE) F(PROTOCOL) F(MSG) F(SHUT) F(SOL) F(SOCKOPT) F(SOCKFLAGS) F(INOTIFY) F(IN) \
	F(KEY) F(SHMGET) F(SHMAT) F(SHMCTL) F(SEMGET) F(SEMCTL) F(MSGFLAGS) F(MSGCTL) F(WAIT) F(WAITID)

#define ABI_FMT(name) ABI_FMT_##name,
enum abi_fmt { ABI_FMTS(ABI_FMT) };
#undef ABI_FMT

/*
 * The words that rows of calls.def are written with. A row is
 *
 *	CALL(number, name, served, class, restart, result format, arguments...)
 *	NONE(number, name, class, refusal errno, argument count)
 */
#define V(f)		{ .kind = ABI_ARG_VALUE, .fmt = ABI_FMT_##f }
#define FD		{ .kind = ABI_ARG_FD, .fmt = ABI_FMT_FD }
#define DIRFD		{ .kind = ABI_ARG_DIRFD, .fmt = ABI_FMT_FD }
#define STR		{ .kind = ABI_ARG_STRING, .fmt = ABI_FMT_STRING }
#define STRNULL		{ .kind = ABI_ARG_STRING, .fmt = ABI_FMT_STRING, .ref = 1 }	/* or a null pointer */
#define ADDR		{ .kind = ABI_ARG_ADDRESS, .fmt = ABI_FMT_ADDR }
#define WORD		{ .kind = ABI_ARG_WORD, .fmt = ABI_FMT_ADDR }
#define WORDS(n)	{ .kind = ABI_ARG_WORDS, .fmt = ABI_FMT_STRUCT, .ref = n, .size = ABI_SIZE_futex_waitv, .type = ABI_STRUCT_futex_waitv }
#define IN(s)		{ .kind = ABI_ARG_IN, .fmt = ABI_FMT_STRUCT, .size = ABI_SIZE_##s, .type = ABI_STRUCT_##s }
#define OUT(s)		{ .kind = ABI_ARG_OUT, .fmt = ABI_FMT_STRUCT, .size = ABI_SIZE_##s, .type = ABI_STRUCT_##s }
#define INOUT(s)	{ .kind = ABI_ARG_INOUT, .fmt = ABI_FMT_STRUCT, .size = ABI_SIZE_##s, .type = ABI_STRUCT_##s }
#define INBUF(n)	{ .kind = ABI_ARG_INBUF, .fmt = ABI_FMT_BYTES, .ref = n }
#define OUTBUF(n)	{ .kind = ABI_ARG_OUTBUF, .fmt = ABI_FMT_BYTES, .ref = n }
/* A struct msgbuf, which has its type before the bytes that are counted: .size. */
#define INMTEXT(n)	{ .kind = ABI_ARG_INBUF, .fmt = ABI_FMT_BYTES, .ref = n, .size = 8 }
#define OUTMTEXT(n)	{ .kind = ABI_ARG_OUTBUF, .fmt = ABI_FMT_BYTES, .ref = n, .size = 8 }
#define INIOV(n)	{ .kind = ABI_ARG_INIOV, .fmt = ABI_FMT_BYTES, .ref = n }
#define OUTIOV(n)	{ .kind = ABI_ARG_OUTIOV, .fmt = ABI_FMT_BYTES, .ref = n }
#define INVEC(s, n)	{ .kind = ABI_ARG_INVEC, .fmt = ABI_FMT_STRUCT, .ref = n, .size = ABI_SIZE_##s, .type = ABI_STRUCT_##s }
#define OUTVEC(s, n)	{ .kind = ABI_ARG_OUTVEC, .fmt = ABI_FMT_STRUCT, .ref = n, .size = ABI_SIZE_##s, .type = ABI_STRUCT_##s }
#define INOUTVEC(s, n)	{ .kind = ABI_ARG_INOUTVEC, .fmt = ABI_FMT_STRUCT, .ref = n, .size = ABI_SIZE_##s, .type = ABI_STRUCT_##s }

#define INMSG		{ .kind = ABI_ARG_INMSG, .fmt = ABI_FMT_STRUCT }
#define OUTMSG		{ .kind = ABI_ARG_OUTMSG, .fmt = ABI_FMT_STRUCT }

/* Room for an address or an option, of which the next argument, INOUT(int), tells how much the program has. */
#define ADDRBUF		OUT(addrbuf)
#define OPTBUF		OUT(optbuf)

/*
 * What a row becomes in the table, struct abi_call[ABI_CALLS]: #define CALL
 * and NONE as these and include calls.def between the table's braces.
 */
#define ABI_CALL(nr, name, by, cl, rs, rf, ...) \
	[nr] = { .served = ABI_BY_##by, .class = ABI_CLASS_##cl, .restart = ABI_RESTART_##rs, .retfmt = ABI_FMT_##rf, \
		 .nargs = sizeof((struct abi_arg[]){ __VA_ARGS__ }) / sizeof(struct abi_arg), .arg = { __VA_ARGS__ } },
#define ABI_NONE(nr, name, cl, err, n) \
	[nr] = { .served = ABI_BY_NOBODY, .class = ABI_CLASS_##cl, .refusal = -(err), .nargs = n },

#endif
