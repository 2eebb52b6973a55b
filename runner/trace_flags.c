/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of flags and values, by the format that a row of calls.def gives an argument. */
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "table.h"
#include "trace_ipc.h"
#include "trace_line.h"
#include "trace_net.h"

/* 64-bit libc hides the bit that the kernel reports for every open file. */
#define KERNEL_O_LARGEFILE	0100000
#define KERNEL_O_TMPFILE	020000000

static const struct name access_modes[] = {
	NAME(O_RDONLY), NAME(O_WRONLY), NAME(O_RDWR), NAME(O_ACCMODE),
};

static const struct name open_flags[] = {
	NAME(O_CREAT), NAME(O_EXCL), NAME(O_NOCTTY), NAME(O_TRUNC), NAME(O_APPEND), NAME(O_NONBLOCK),
	NAME(O_SYNC), NAME(O_DSYNC), NAME(O_DIRECT), { KERNEL_O_LARGEFILE, "O_LARGEFILE" },
	NAME(O_NOFOLLOW), NAME(O_NOATIME), NAME(O_CLOEXEC), NAME(O_PATH), NAME(O_TMPFILE),
	NAME(O_DIRECTORY), NAME(FASYNC),
};

static const struct name at_flags[] = {
	NAME(AT_SYMLINK_NOFOLLOW), NAME(AT_REMOVEDIR), NAME(AT_SYMLINK_FOLLOW), NAME(AT_NO_AUTOMOUNT),
	NAME(AT_EMPTY_PATH), NAME(AT_RECURSIVE),
};

static const struct name access_at_flags[] = {
	NAME(AT_SYMLINK_NOFOLLOW), NAME(AT_EACCESS), NAME(AT_EMPTY_PATH),
};

static const struct name statx_sync[] = {
	NAME(AT_STATX_SYNC_AS_STAT), NAME(AT_STATX_FORCE_SYNC), NAME(AT_STATX_DONT_SYNC),
};

static const struct name statx_masks[] = {
	{ STATX_ALL, "STATX_ALL" }, NAME(STATX_BASIC_STATS), NAME(STATX_TYPE), NAME(STATX_MODE),
	NAME(STATX_NLINK), NAME(STATX_UID), NAME(STATX_GID), NAME(STATX_ATIME), NAME(STATX_MTIME),
	NAME(STATX_CTIME), NAME(STATX_INO), NAME(STATX_SIZE), NAME(STATX_BLOCKS), NAME(STATX_BTIME),
	NAME(STATX_MNT_ID), { 0x2000, "STATX_DIOALIGN" },
};

static const struct name access_bits[] = { NAME(F_OK), NAME(R_OK), NAME(W_OK), NAME(X_OK) };

static const struct name inotify_flags[] = { NAME(IN_CLOEXEC), NAME(IN_NONBLOCK) };
static const struct name inotify_events[] = {
	NAME(IN_ACCESS), NAME(IN_MODIFY), NAME(IN_ATTRIB), NAME(IN_CLOSE_WRITE), NAME(IN_CLOSE_NOWRITE), NAME(IN_OPEN),
	NAME(IN_MOVED_FROM), NAME(IN_MOVED_TO), NAME(IN_CREATE), NAME(IN_DELETE), NAME(IN_DELETE_SELF), NAME(IN_MOVE_SELF),
	NAME(IN_UNMOUNT), NAME(IN_Q_OVERFLOW), NAME(IN_IGNORED), NAME(IN_ONLYDIR), NAME(IN_DONT_FOLLOW),
	NAME(IN_EXCL_UNLINK), NAME(IN_MASK_CREATE), NAME(IN_MASK_ADD), NAME(IN_ISDIR), { 0x80000000, "IN_ONESHOT" },
};

static const struct name whences[] = {
	NAME(SEEK_SET), NAME(SEEK_CUR), NAME(SEEK_END), NAME(SEEK_DATA), NAME(SEEK_HOLE),
};

static const struct name prots[] = {
	NAME(PROT_NONE), NAME(PROT_READ), NAME(PROT_WRITE), NAME(PROT_EXEC), { 8, "PROT_SEM" },
	NAME(PROT_GROWSDOWN), NAME(PROT_GROWSUP),
};

static const struct name map_types[] = {
	NAME(MAP_FILE), NAME(MAP_SHARED), NAME(MAP_PRIVATE), NAME(MAP_SHARED_VALIDATE),
};

static const struct name map_flags[] = {
	NAME(MAP_FIXED), NAME(MAP_ANONYMOUS), NAME(MAP_32BIT), NAME(MAP_NORESERVE), NAME(MAP_POPULATE),
	NAME(MAP_NONBLOCK), NAME(MAP_GROWSDOWN), NAME(MAP_DENYWRITE), NAME(MAP_EXECUTABLE),
	NAME(MAP_LOCKED), NAME(MAP_STACK), NAME(MAP_HUGETLB), NAME(MAP_SYNC), NAME(MAP_FIXED_NOREPLACE),
};

static const struct name advices[] = {
	NAME(MADV_NORMAL), NAME(MADV_RANDOM), NAME(MADV_SEQUENTIAL), NAME(MADV_WILLNEED),
	NAME(MADV_DONTNEED), NAME(MADV_FREE), NAME(MADV_REMOVE), NAME(MADV_DONTFORK), NAME(MADV_DOFORK),
	NAME(MADV_MERGEABLE), NAME(MADV_UNMERGEABLE), NAME(MADV_HUGEPAGE), NAME(MADV_NOHUGEPAGE),
	NAME(MADV_DONTDUMP), NAME(MADV_DODUMP), NAME(MADV_WIPEONFORK), NAME(MADV_KEEPONFORK),
	NAME(MADV_COLD), NAME(MADV_PAGEOUT), NAME(MADV_POPULATE_READ), NAME(MADV_POPULATE_WRITE),
	{ 24, "MADV_DONTNEED_LOCKED" }, { 25, "MADV_COLLAPSE" }, NAME(MADV_HWPOISON),
	{ 101, "MADV_SOFT_OFFLINE" },
};

static const struct name mremap_flags[] = {
	NAME(MREMAP_MAYMOVE), NAME(MREMAP_FIXED), NAME(MREMAP_DONTUNMAP),
};

static const struct name msync_flags[] = { NAME(MS_SYNC), NAME(MS_ASYNC), NAME(MS_INVALIDATE) };
static const struct name mlockall_flags[] = { NAME(MCL_CURRENT), NAME(MCL_FUTURE), NAME(MCL_ONFAULT) };
static const struct name mlock_flags[] = { { 1, "MLOCK_ONFAULT" } };

static const struct name fcntl_commands[] = {
	NAME(F_DUPFD), NAME(F_GETFD), NAME(F_SETFD), NAME(F_GETFL), NAME(F_SETFL), NAME(F_GETLK),
	NAME(F_SETLK), NAME(F_SETLKW), NAME(F_SETOWN), NAME(F_GETOWN), NAME(F_SETSIG), NAME(F_GETSIG),
	NAME(F_SETOWN_EX), NAME(F_GETOWN_EX), NAME(F_OFD_GETLK), NAME(F_OFD_SETLK), NAME(F_OFD_SETLKW),
	NAME(F_SETLEASE), NAME(F_GETLEASE), NAME(F_NOTIFY), NAME(F_DUPFD_CLOEXEC), NAME(F_SETPIPE_SZ),
	NAME(F_GETPIPE_SZ), NAME(F_ADD_SEALS), NAME(F_GET_SEALS), NAME(F_GET_RW_HINT),
	NAME(F_SET_RW_HINT), NAME(F_GET_FILE_RW_HINT), NAME(F_SET_FILE_RW_HINT),
};

static const struct name fd_flags[] = { NAME(FD_CLOEXEC) };

static const struct name seals[] = {
	NAME(F_SEAL_SEAL), NAME(F_SEAL_SHRINK), NAME(F_SEAL_GROW), NAME(F_SEAL_WRITE),
	NAME(F_SEAL_FUTURE_WRITE),
};

static const struct name memfd_flags[] = { NAME(MFD_CLOEXEC), NAME(MFD_ALLOW_SEALING), NAME(MFD_HUGETLB) };

/* Those that requests.def leaves out and programs try. */
static const struct name refused_ioctls[] = {
	NAME(TIOCSTI), NAME(TIOCLINUX), NAME(TIOCSCTTY), NAME(TIOCNOTTY),
	NAME(TIOCGPTN), NAME(TIOCSPTLCK), NAME(FICLONE), NAME(FICLONERANGE),
	NAME(FS_IOC_GETFLAGS), NAME(FS_IOC_SETFLAGS), NAME(FS_IOC_FIEMAP), NAME(BLKGETSIZE64),
	NAME(TIOCEXCL), NAME(TIOCNXCL), NAME(TIOCMGET), NAME(TIOCMSET), NAME(TIOCGETD), NAME(TIOCSETD),
};

static const struct name clocks[] = {
	NAME(CLOCK_REALTIME), NAME(CLOCK_MONOTONIC), NAME(CLOCK_PROCESS_CPUTIME_ID),
	NAME(CLOCK_THREAD_CPUTIME_ID), NAME(CLOCK_MONOTONIC_RAW), NAME(CLOCK_REALTIME_COARSE),
	NAME(CLOCK_MONOTONIC_COARSE), NAME(CLOCK_BOOTTIME), NAME(CLOCK_REALTIME_ALARM),
	NAME(CLOCK_BOOTTIME_ALARM), { 10, "CLOCK_SGI_CYCLE" }, NAME(CLOCK_TAI),
};

static const struct name timer_flags[] = { NAME(TIMER_ABSTIME) };
static const struct name itimers[] = { NAME(ITIMER_REAL), NAME(ITIMER_VIRTUAL), NAME(ITIMER_PROF) };

static const struct name rlimits[] = {
	NAME(RLIMIT_CPU), NAME(RLIMIT_FSIZE), NAME(RLIMIT_DATA), NAME(RLIMIT_STACK), NAME(RLIMIT_CORE),
	NAME(RLIMIT_RSS), NAME(RLIMIT_NPROC), NAME(RLIMIT_NOFILE), NAME(RLIMIT_MEMLOCK), NAME(RLIMIT_AS),
	NAME(RLIMIT_LOCKS), NAME(RLIMIT_SIGPENDING), NAME(RLIMIT_MSGQUEUE), NAME(RLIMIT_NICE),
	NAME(RLIMIT_RTPRIO), NAME(RLIMIT_RTTIME),
};

static const struct name usage_whos[] = {
	NAME(RUSAGE_SELF), { (uint32_t)RUSAGE_CHILDREN, "RUSAGE_CHILDREN" }, NAME(RUSAGE_THREAD),
};

static const struct name prio_whiches[] = { NAME(PRIO_PROCESS), NAME(PRIO_PGRP), NAME(PRIO_USER) };
static const struct name mask_hows[] = { NAME(SIG_BLOCK), NAME(SIG_UNBLOCK), NAME(SIG_SETMASK) };

static const struct name policies[] = {
	NAME(SCHED_OTHER), NAME(SCHED_FIFO), NAME(SCHED_RR), NAME(SCHED_BATCH), NAME(SCHED_IDLE),
	NAME(SCHED_DEADLINE),
};

static const struct name futex_commands[] = {
	NAME(FUTEX_WAIT), NAME(FUTEX_WAKE), NAME(FUTEX_FD), NAME(FUTEX_REQUEUE), NAME(FUTEX_CMP_REQUEUE),
	NAME(FUTEX_WAKE_OP), NAME(FUTEX_LOCK_PI), NAME(FUTEX_UNLOCK_PI), NAME(FUTEX_TRYLOCK_PI),
	NAME(FUTEX_WAIT_BITSET), NAME(FUTEX_WAKE_BITSET), NAME(FUTEX_WAIT_REQUEUE_PI),
	NAME(FUTEX_CMP_REQUEUE_PI), NAME(FUTEX_LOCK_PI2),
};

static const struct name arch_codes[] = {
	NAME(ARCH_SET_GS), NAME(ARCH_SET_FS), NAME(ARCH_GET_FS), NAME(ARCH_GET_GS), NAME(ARCH_GET_CPUID),
	NAME(ARCH_SET_CPUID), NAME(ARCH_GET_XCOMP_SUPP), NAME(ARCH_GET_XCOMP_PERM),
	NAME(ARCH_REQ_XCOMP_PERM),
};

static const struct name prctl_options[] = {
	NAME(PR_SET_PDEATHSIG), NAME(PR_GET_PDEATHSIG), NAME(PR_GET_DUMPABLE), NAME(PR_SET_DUMPABLE),
	NAME(PR_GET_KEEPCAPS), NAME(PR_SET_KEEPCAPS), NAME(PR_GET_TIMING), NAME(PR_SET_TIMING),
	NAME(PR_SET_NAME), NAME(PR_GET_NAME), NAME(PR_GET_SECCOMP), NAME(PR_SET_SECCOMP),
	NAME(PR_CAPBSET_READ), NAME(PR_CAPBSET_DROP), NAME(PR_GET_TSC), NAME(PR_SET_TSC),
	NAME(PR_GET_SECUREBITS), NAME(PR_SET_SECUREBITS), NAME(PR_SET_TIMERSLACK),
	NAME(PR_GET_TIMERSLACK), NAME(PR_MCE_KILL), NAME(PR_MCE_KILL_GET), NAME(PR_SET_MM),
	NAME(PR_SET_CHILD_SUBREAPER), NAME(PR_GET_CHILD_SUBREAPER), NAME(PR_SET_NO_NEW_PRIVS),
	NAME(PR_GET_NO_NEW_PRIVS), NAME(PR_GET_TID_ADDRESS), NAME(PR_SET_THP_DISABLE),
	NAME(PR_GET_THP_DISABLE), NAME(PR_CAP_AMBIENT), NAME(PR_GET_SPECULATION_CTRL),
	NAME(PR_SET_SPECULATION_CTRL), NAME(PR_SET_IO_FLUSHER), NAME(PR_GET_IO_FLUSHER),
	NAME(PR_SET_SYSCALL_USER_DISPATCH), { 0x53564d41, "PR_SET_VMA" }, { 0x59616d61, "PR_SET_PTRACER" },
};

static const struct name random_flags[] = {
	NAME(GRND_NONBLOCK), NAME(GRND_RANDOM), { 4, "GRND_INSECURE" },
};

static const struct name poll_events[] = {
	NAME(POLLIN), NAME(POLLPRI), NAME(POLLOUT), NAME(POLLERR), NAME(POLLHUP), NAME(POLLNVAL),
	NAME(POLLRDNORM), NAME(POLLRDBAND), NAME(POLLWRNORM), NAME(POLLWRBAND), NAME(POLLMSG),
	NAME(POLLREMOVE), NAME(POLLRDHUP), { 0x8000, "POLL_BUSY_LOOP" },
};

static const struct name lock_operations[] = {
	NAME(LOCK_SH), NAME(LOCK_EX), NAME(LOCK_NB), NAME(LOCK_UN), NAME(LOCK_MAND), NAME(LOCK_RW),
	NAME(LOCK_READ), NAME(LOCK_WRITE),
};

static const struct name file_types[] = {
	NAME(S_IFREG), NAME(S_IFDIR), NAME(S_IFLNK), NAME(S_IFCHR), NAME(S_IFBLK), NAME(S_IFIFO),
	NAME(S_IFSOCK),
};

static const struct name xattr_flags[] = { NAME(XATTR_CREATE), NAME(XATTR_REPLACE) };

static const struct name fadvices[] = {
	NAME(POSIX_FADV_NORMAL), NAME(POSIX_FADV_RANDOM), NAME(POSIX_FADV_SEQUENTIAL),
	NAME(POSIX_FADV_WILLNEED), NAME(POSIX_FADV_DONTNEED), NAME(POSIX_FADV_NOREUSE),
};

static const struct name epoll_flags[] = { NAME(EPOLL_CLOEXEC) };
static const struct name epoll_operations[] = {
	NAME(EPOLL_CTL_ADD), NAME(EPOLL_CTL_DEL), NAME(EPOLL_CTL_MOD),
};

static const struct name sync_range_flags[] = {
	NAME(SYNC_FILE_RANGE_WAIT_BEFORE), NAME(SYNC_FILE_RANGE_WRITE), NAME(SYNC_FILE_RANGE_WAIT_AFTER),
};

static const struct name timerfd_flags[] = {
	NAME(TFD_TIMER_ABSTIME), NAME(TFD_TIMER_CANCEL_ON_SET), NAME(TFD_CLOEXEC), NAME(TFD_NONBLOCK),
};

static const struct name eventfd_flags[] = {
	NAME(EFD_SEMAPHORE), NAME(EFD_CLOEXEC), NAME(EFD_NONBLOCK),
};

static const struct name splice_flags[] = {
	NAME(SPLICE_F_MOVE), NAME(SPLICE_F_NONBLOCK), NAME(SPLICE_F_MORE), NAME(SPLICE_F_GIFT),
};
static const struct name wait_flags[] = {
	NAME(WNOHANG), NAME(WEXITED), NAME(WSTOPPED), NAME(WCONTINUED), NAME(WNOWAIT),
	NAME(__WCLONE), NAME(__WALL), NAME(__WNOTHREAD),
};
static const struct name waitid_kinds[] = { NAME(P_ALL), NAME(P_PID), NAME(P_PGID), NAME(P_PIDFD) };
static const struct name pidfd_flags[] = { { O_NONBLOCK, "PIDFD_NONBLOCK" } };
static const struct name signalfd_flags[] = { NAME(SFD_CLOEXEC), NAME(SFD_NONBLOCK) };

static const struct name fallocate_modes[] = {
	NAME(FALLOC_FL_KEEP_SIZE), NAME(FALLOC_FL_PUNCH_HOLE), NAME(FALLOC_FL_NO_HIDE_STALE),
	NAME(FALLOC_FL_COLLAPSE_RANGE), NAME(FALLOC_FL_ZERO_RANGE), NAME(FALLOC_FL_INSERT_RANGE),
	NAME(FALLOC_FL_UNSHARE_RANGE),
};

static const struct name rename_flags[] = {
	NAME(RENAME_NOREPLACE), NAME(RENAME_EXCHANGE), NAME(RENAME_WHITEOUT),
};

static const struct name membarrier_commands[] = {
	NAME(MEMBARRIER_CMD_QUERY), NAME(MEMBARRIER_CMD_GLOBAL), NAME(MEMBARRIER_CMD_GLOBAL_EXPEDITED),
	NAME(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED), NAME(MEMBARRIER_CMD_PRIVATE_EXPEDITED),
	NAME(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED), NAME(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE),
	NAME(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE),
	NAME(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ), NAME(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ),
};

static const struct name rw_flags[] = {
	NAME(RWF_HIPRI), NAME(RWF_DSYNC), NAME(RWF_SYNC), NAME(RWF_NOWAIT), NAME(RWF_APPEND),
};

static const struct name close_range_flags[] = { NAME(CLOSE_RANGE_UNSHARE), NAME(CLOSE_RANGE_CLOEXEC) };

static const struct name shmat_flags[] = { NAME(SHM_RDONLY), NAME(SHM_RND), NAME(SHM_REMAP), NAME(SHM_EXEC) };
static const struct name message_flags[] = {
	NAME(MSG_NOERROR), NAME(MSG_EXCEPT), { 040000, "MSG_COPY" }, NAME(IPC_NOWAIT),
};
static const struct name shm_commands[] = {
	NAME(IPC_RMID), NAME(IPC_SET), NAME(IPC_STAT), NAME(IPC_INFO), NAME(SHM_STAT), NAME(SHM_INFO), { 15, "SHM_STAT_ANY" },
	NAME(SHM_LOCK), NAME(SHM_UNLOCK),
};
static const struct name sem_commands[] = {
	NAME(IPC_RMID), NAME(IPC_SET), NAME(IPC_STAT), NAME(IPC_INFO), NAME(SEM_STAT), NAME(SEM_INFO), { 20, "SEM_STAT_ANY" },
	NAME(GETPID), NAME(GETVAL), NAME(GETALL), NAME(GETNCNT), NAME(GETZCNT), NAME(SETVAL), NAME(SETALL),
};
static const struct name msg_commands[] = {
	NAME(IPC_RMID), NAME(IPC_SET), NAME(IPC_STAT), NAME(IPC_INFO), NAME(MSG_STAT), NAME(MSG_INFO), { 13, "MSG_STAT_ANY" },
};

static void put_open(struct trace *t, uint64_t flags)
{
	PUT_ENUM(t, access_modes, flags & O_ACCMODE, NULL);
	flags = (uint32_t)flags & ~O_ACCMODE;
	if (flags) {
		put(t, "|");
		PUT_FLAGS(t, open_flags, flags, NULL);
	}
}

static void put_map(struct trace *t, uint64_t flags)
{
	uint64_t huge = flags & MAP_HUGETLB ? flags & (0x3full << MAP_HUGE_SHIFT) : 0;

	PUT_ENUM(t, map_types, flags & MAP_TYPE, "MAP_???");
	flags = (uint32_t)(flags & ~(MAP_TYPE | huge));
	if (flags) {
		put(t, "|");
		PUT_FLAGS(t, map_flags, flags, NULL);
	}
	if (huge)
		put(t, "|%u<<MAP_HUGE_SHIFT", (unsigned int)(huge >> MAP_HUGE_SHIFT));
}

static void put_futex(struct trace *t, uint64_t op)
{
	uint64_t command = op & FUTEX_CMD_MASK;
	bool known = command <= FUTEX_LOCK_PI2;

	PUT_ENUM(t, futex_commands, known ? command : (uint32_t)op, "FUTEX_???");
	if (!known)
		return;
	if (op & FUTEX_PRIVATE_FLAG)
		put(t, "_PRIVATE");
	if (op & FUTEX_CLOCK_REALTIME)
		put(t, "|FUTEX_CLOCK_REALTIME");
}

static void put_ioctl(struct trace *t, uint64_t number)
{
	const struct request *r = call_request(16, number);
	uint32_t n = number;

	for (size_t i = 0; i < sizeof(refused_ioctls) / sizeof(refused_ioctls[0]); i++)
		if (refused_ioctls[i].value == n) {
			put(t, "%s", refused_ioctls[i].name);
			return;
		}
	if (r) {
		put(t, "%s", r->name);
		return;
	}
	put(t, "_IOC(%s, %#x, %#x, %#x)",
	    _IOC_DIR(n) == _IOC_NONE ? "_IOC_NONE" : _IOC_DIR(n) == _IOC_READ ? "_IOC_READ" :
	    _IOC_DIR(n) == _IOC_WRITE ? "_IOC_WRITE" : "_IOC_READ|_IOC_WRITE",
	    _IOC_TYPE(n), _IOC_NR(n), _IOC_SIZE(n));
}

static void put_at(struct trace *t, uint64_t flags)
{
	PUT_FLAGS(t, at_flags, (uint32_t)flags, "AT_???");
}

static void put_statx_at(struct trace *t, uint64_t flags)
{
	PUT_FLAGS(t, statx_sync, flags & AT_STATX_SYNC_TYPE, NULL);
	flags = (uint32_t)flags & ~AT_STATX_SYNC_TYPE;
	if (flags) {
		put(t, "|");
		PUT_FLAGS(t, at_flags, flags, NULL);
	}
}

static void put_file_mode(struct trace *t, uint64_t mode)
{
	unsigned int m = mode & 0177777;

	for (size_t i = 0; i < sizeof(file_types) / sizeof(file_types[0]); i++)
		if ((m & S_IFMT) == file_types[i].value) {
			put(t, "%s|", file_types[i].name);
			m &= ~S_IFMT;
		}
	put(t, "%#03o", m);
}

static void put_device(struct trace *t, uint64_t dev)
{
	put(t, "makedev(%#x, %#x)", major(dev), minor(dev));
}

static void put_id(struct trace *t, uint64_t id)
{
	if ((uint32_t)id == UINT32_MAX)
		put(t, "-1");
	else
		put(t, "%u", (uint32_t)id);
}

static void put_int(struct trace *t, uint64_t v) { put(t, "%d", (int)v); }
static void put_uint(struct trace *t, uint64_t v) { put(t, "%u", (uint32_t)v); }
static void put_long(struct trace *t, uint64_t v) { put(t, "%ld", (long)v); }
static void put_size(struct trace *t, uint64_t v) { put(t, "%lu", v); }
static void put_hex(struct trace *t, uint64_t v) { put(t, "%#lx", v); }
static void put_mode(struct trace *t, uint64_t v) { put(t, "%#03o", (unsigned int)v & 0177777); }

struct format {
	void (*put)(struct trace *t, uint64_t value);	/* or by names: */
	const struct name *names;
	size_t n;
	const char *unknown;
	bool flags;
};

#define BY(fn)		{ .put = fn }
#define ENUM(t, u)	{ .names = t, .n = sizeof(t) / sizeof(t[0]), .unknown = u }
#define FLAGS(t, u)	{ .names = t, .n = sizeof(t) / sizeof(t[0]), .unknown = u, .flags = true }

static const struct format formats[] = {
	[ABI_FMT_NONE] = BY(put_hex),
	[ABI_FMT_INT] = BY(put_int),
	[ABI_FMT_UINT] = BY(put_uint),
	[ABI_FMT_LONG] = BY(put_long),
	[ABI_FMT_HEX] = BY(put_hex),
	[ABI_FMT_MODE] = BY(put_mode),
	[ABI_FMT_SIZE] = BY(put_size),
	[ABI_FMT_OFF] = BY(put_long),
	[ABI_FMT_FD] = BY(put_int),
	[ABI_FMT_ADDR] = BY(put_address),
	[ABI_FMT_PID] = BY(put_int),
	[ABI_FMT_ID] = BY(put_id),
	[ABI_FMT_SIGNAL] = BY(put_signal),
	[ABI_FMT_OPEN] = BY(put_open),
	[ABI_FMT_AT] = BY(put_at),
	[ABI_FMT_ACCESS] = FLAGS(access_bits, "?_OK"),
	[ABI_FMT_WHENCE] = ENUM(whences, "SEEK_???"),
	[ABI_FMT_PROT] = FLAGS(prots, "PROT_???"),
	[ABI_FMT_MAP] = BY(put_map),
	[ABI_FMT_MADV] = ENUM(advices, "MADV_???"),
	[ABI_FMT_MREMAP] = FLAGS(mremap_flags, "MREMAP_???"),
	[ABI_FMT_MSYNC] = FLAGS(msync_flags, "MS_???"),
	[ABI_FMT_FCNTL] = ENUM(fcntl_commands, "F_???"),
	[ABI_FMT_IOCTL] = BY(put_ioctl),
	[ABI_FMT_CLOCK] = ENUM(clocks, "CLOCK_???"),
	[ABI_FMT_TIMER] = FLAGS(timer_flags, "TIMER_???"),
	[ABI_FMT_RLIMIT] = ENUM(rlimits, "RLIMIT_???"),
	[ABI_FMT_RUSAGE] = ENUM(usage_whos, "RUSAGE_???"),
	[ABI_FMT_SIGHOW] = ENUM(mask_hows, "SIG_???"),
	[ABI_FMT_FUTEX] = BY(put_futex),
	[ABI_FMT_ARCH] = ENUM(arch_codes, "ARCH_???"),
	[ABI_FMT_PRCTL] = ENUM(prctl_options, "PR_???"),
	[ABI_FMT_GETRANDOM] = FLAGS(random_flags, "GRND_???"),
	[ABI_FMT_POLL] = FLAGS(poll_events, "POLL???"),
	[ABI_FMT_ITIMER] = ENUM(itimers, "ITIMER_???"),
	[ABI_FMT_LOCK] = FLAGS(lock_operations, "LOCK_???"),
	[ABI_FMT_FILEMODE] = BY(put_file_mode),
	[ABI_FMT_DEV] = BY(put_device),
	[ABI_FMT_PRIO] = ENUM(prio_whiches, "PRIO_???"),
	[ABI_FMT_SCHED] = ENUM(policies, "SCHED_???"),
	[ABI_FMT_MLOCKALL] = FLAGS(mlockall_flags, "MCL_???"),
	[ABI_FMT_MLOCK] = FLAGS(mlock_flags, "MLOCK_???"),
	[ABI_FMT_XATTR] = FLAGS(xattr_flags, "XATTR_???"),
	[ABI_FMT_FADVISE] = ENUM(fadvices, "POSIX_FADV_???"),
	[ABI_FMT_EPOLL] = FLAGS(epoll_flags, "EPOLL_???"),
	[ABI_FMT_IN] = FLAGS(inotify_flags, "IN_???"),
	[ABI_FMT_INOTIFY] = FLAGS(inotify_events, "IN_???"),
	[ABI_FMT_FAMILY] = BY(put_family),
	[ABI_FMT_SOCKTYPE] = BY(put_socktype),
	[ABI_FMT_SOCKFLAGS] = BY(put_sockflags),
	[ABI_FMT_PROTOCOL] = BY(put_protocol),
	[ABI_FMT_MSG] = BY(put_msg_flags),
	[ABI_FMT_SHUT] = BY(put_shut),
	[ABI_FMT_SOL] = BY(put_level),
	[ABI_FMT_EPOLLCTL] = ENUM(epoll_operations, "EPOLL_CTL_???"),
	[ABI_FMT_SYNCRANGE] = FLAGS(sync_range_flags, "SYNC_FILE_RANGE_???"),
	[ABI_FMT_TFD] = FLAGS(timerfd_flags, "TFD_???"),
	[ABI_FMT_TFDSET] = FLAGS(timerfd_flags, "TFD_???"),
	[ABI_FMT_FALLOC] = FLAGS(fallocate_modes, "FALLOC_FL_???"),
	[ABI_FMT_EFD] = FLAGS(eventfd_flags, "EFD_???"),
	[ABI_FMT_SFD] = FLAGS(signalfd_flags, "SFD_???"),
	[ABI_FMT_SPLICE] = FLAGS(splice_flags, "SPLICE_F_???"),
	[ABI_FMT_WAIT] = FLAGS(wait_flags, "W???"),
	[ABI_FMT_WAITID] = ENUM(waitid_kinds, "P_???"),
	[ABI_FMT_PIDFD] = FLAGS(pidfd_flags, "PIDFD_???"),
	[ABI_FMT_OFLAGS] = FLAGS(open_flags, "O_???"),
	[ABI_FMT_RENAME] = FLAGS(rename_flags, "RENAME_???"),
	[ABI_FMT_MEMBARRIER] = ENUM(membarrier_commands, "MEMBARRIER_CMD_???"),
	[ABI_FMT_RWF] = FLAGS(rw_flags, "RWF_???"),
	[ABI_FMT_STATX] = FLAGS(statx_masks, "STATX_???"),
	[ABI_FMT_CLOSERANGE] = FLAGS(close_range_flags, "CLOSE_RANGE_???"),
	[ABI_FMT_ATACCESS] = FLAGS(access_at_flags, "AT_???"),
	[ABI_FMT_FDFLAGS] = FLAGS(fd_flags, "FD_???"),
	[ABI_FMT_STATXAT] = BY(put_statx_at),
	[ABI_FMT_SEALS] = FLAGS(seals, "F_SEAL_???"),
	[ABI_FMT_MEMFD] = FLAGS(memfd_flags, "MFD_???"),
	[ABI_FMT_KEY] = BY(put_key),
	[ABI_FMT_SHMGET] = BY(put_shmget),
	[ABI_FMT_SHMAT] = FLAGS(shmat_flags, "SHM_???"),
	[ABI_FMT_SHMCTL] = ENUM(shm_commands, "SHM_???"),
	[ABI_FMT_SEMGET] = BY(put_semget),
	[ABI_FMT_SEMCTL] = ENUM(sem_commands, "SEM_???"),
	[ABI_FMT_MSGFLAGS] = FLAGS(message_flags, "MSG_???"),
	[ABI_FMT_MSGCTL] = ENUM(msg_commands, "MSG_???"),
};

void put_value(struct trace *t, enum abi_fmt fmt, uint64_t value)
{
	const struct format *f = &formats[fmt];

	if (f->put)
		f->put(t, value);
	else if (!f->names)
		put_hex(t, value);
	else if (f->flags)
		put_flags(t, f->names, f->n, fmt == ABI_FMT_PROT ? value : (uint32_t)value, f->unknown);
	else
		put_enum(t, f->names, f->n, (uint32_t)value, f->unknown);
}

void put_flags(struct trace *t, const struct name *names, size_t n, uint64_t flags, const char *unknown)
{
	const char *bar = "";

	for (size_t i = 0; i < n; i++) {
		uint64_t bits = names[i].value;

		if (bits ? (flags & bits) != bits : flags || *bar)
			continue;
		put(t, "%s%s", bar, names[i].name);
		bar = "|";
		flags &= ~bits;
		if (!bits)
			return;
	}
	if (flags && (*bar || !unknown))
		put(t, "%s%#lx", bar, flags);
	else if (flags)
		put(t, "%#lx /* %s */", flags, unknown);
	else if (!*bar)
		put(t, "0");
}

void put_enum(struct trace *t, const struct name *names, size_t n, uint64_t value, const char *unknown)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].value == value) {
			put(t, "%s", names[i].name);
			return;
		}
	if (unknown)
		put(t, "%#lx /* %s */", value, unknown);
	else
		put(t, "%#lx", value);
}
