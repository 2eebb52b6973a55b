/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes calls with all kinds of arguments, right and wrong, for the comparison
 * of --trace with strace. Whatever it does is the same in every run: static
 * addresses, no times, no ids. Build it static and not position-independent;
 * run it with stdin and stdout from /dev/null.
 */
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char out[4096], file[] = "/nonexistent/file", odd[] = "/x\tq\1\0012\200\"\\\177\n\0339";
static int ints[16];
static uint64_t zero[32], set1[1] = { 0x5 }, most[1] = { -1ul }, rt[1] = { 0x380000000 }, upper[1] = { ~0x3fful };
static uint64_t limits[2] = { 2048, 1025 }, unlimited[2] = { 1024, -1ul }, offset[1] = { 3 };
static struct { uint64_t handler, flags, restorer, mask; } action = { 0x1234, 0x4000000, 5, 0xf },
	ignore = { 1, 0x14000004, 0, 0 }, every_flag = { 0, -1ul, 5, 0 };
static struct timespec tick = { 0, 1 }, none, omit[2] = { { 1, UTIME_NOW }, { 7, 70 } };
static struct timeval no_time, times[2] = { { 1, 2 }, { 3, 0 } }, bad_times[2] = { { 1, -2 }, { 0, 0 } };
static struct itimerspec never, hour = { { 1, 2 }, { 3600, 5 } };
static struct itimerval no_timer;
static struct pollfd polls[3] = { { 0, POLLIN, 0 }, { -1, POLLOUT, 0 }, { 1, POLLOUT | POLLPRI, 0 } },
	every_event[1] = { { 0, -1, 0 } };
static struct { void *base; uint64_t len; } in_iov[1] = { { "abc\n", 4 } }, out_iov[1] = { { out, 16 } };
static uint64_t readable[16] = { 3 }, writable[16] = { 2 };
static struct epoll_event edge = { EPOLLOUT | EPOLLET, { .u64 = 0x500000004 } }, every = { -1u, { .u64 = 9 } };
static struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM, .sigev_value.sival_int = 5 },
	no_event = { .sigev_notify = SIGEV_NONE, .sigev_signo = SIGALRM };
static struct { uint16_t num; int16_t op, flags; } sembufs[3] = { { 1, -1, 04000 }, { 2, 5, 010000 }, { 0, 0, 0x7fff } };
static struct { long type; char text[60]; } message[1] = { { 7, "hello\n" } };
static long attributes[8] = { 04000, 3, 100, 1 };
static uint64_t how[3] = { 0x8000, 0644, 8 }, wild_how[3] = { O_CREAT | O_RDWR, 01777, -1ul };
static struct flock lock = { F_WRLCK, SEEK_SET, 5, 6, 7 }, bad_lock = { 9, SEEK_END, -5, 6, 7 };
static struct { uint64_t sp; uint32_t flags, pad; uint64_t size; } stack = { 0x1000, 0, 0, 8192 },
	disarm = { 0x1000, 1u << 31, 0, 8192 };
static uint64_t utimes_buf[2] = { 1, 0 };
static uint32_t window[2] = { 0x00500018, 0 }, cap_header[2] = { 0x20080522, 0 }, cap_data[6];
static int priority[1] = { 5 }, length[1] = { 4 };
static struct sockaddr_in four = { .sin_family = 2, .sin_port = 0x5000, .sin_addr.s_addr = 0x0100007f };
static struct sockaddr_in6 six = { .sin6_family = 10, .sin6_port = 0x5000, .sin6_addr.s6_addr[15] = 1, .sin6_scope_id = 3 };
static struct sockaddr_un local = { 1, "/run/a\tb" };
static char abstract[] = "\1\0\0abc\0d";
static struct { int on, seconds; } lingering = { 1, 5 };

#define C(name, ...)	{ SYS_##name, { __VA_ARGS__ } }
#define P(object)	(long)(object)

static const struct {
	long nr, arg[6];
} calls[] = {
	C(sched_yield),		/* the comparison begins here */
	/* memory */
	C(mmap, 0, 4096, -1ul, -1ul, -1ul, 1), C(mmap, 0x10000, 4096, 0, 0x32, -1ul, 0), C(mmap, 0, 0, 3, 1, 99, 4096),
	C(mmap, 0, 4096, 3, 0x23, 99, 0), C(mmap, 0, 4096, 7, 0, 99, 0), C(mmap, 0, 1, 1, 2 | 0x40000 | 21 << 26, 99, 0),
	C(mprotect, 0x10000, 4096, 1), C(mprotect, 1, 4096, 2 | 4), C(munmap, 0x10000, 4096), C(munmap, 1, -1ul),
	C(mremap, 0, 4096, 8192, 7, 5), C(mremap, 0, 4096, 8192, 1, 5), C(mremap, 1, 4096, 8192, 0),
	C(mremap, 1, 4096, 8192, 0x10), C(msync, 0, 4096, 6), C(msync, 0, 4096, 0x80), C(msync, 0, 0, 0),
	C(madvise, 0, 4096, 99), C(madvise, 0, 4096, 4), C(madvise, 1, 4096, 14), C(mincore, 0, 0, 0),
	C(mlock, 0, 0), C(munlock, 0, 0), C(mlockall, 0xfffffff8), C(mlockall, 0), C(mlockall, 15), C(munlockall),
	C(mlock2, 0, 4096, 3), C(mlock2, 0, 4096, 8), C(pkey_mprotect, 1, 4096, 1, -1ul), C(brk, 0),
	/* descriptors */
	C(read, 99, P(out), 10), C(read, 0, P(out), 10), C(read, 0, 0, 0), C(pread64, 0, P(out), 5, 7),
	C(write, 1, P("abcdefghijklmnopqrstuvwxyz012345"), 32), C(write, 1, P("abcdefghijklmnopqrstuvwxyz0123456"), 33),
	C(write, 1, P(odd), 15), C(write, 1, P("\0001"), 2), C(write, 1, P("1\0"), 2), C(write, 99, 1, 5), C(write, 1, 8, 5),
	C(read, 99, 8, 5), C(writev, 1, 8, 1), C(readv, 99, 8, 1), C(open, 8, 0), C(nanosleep, 8, 0), C(rename, P(file), 9),
	C(write, 1, P(odd), 0), C(pwrite64, 99, P("abc"), 3, -7ul), C(writev, 1, P(in_iov), 1), C(writev, 99, P(in_iov), 0),
	C(readv, 0, P(out_iov), 1), C(preadv, 0, P(out_iov), 1, 3, 4),
	C(preadv2, 0, P(out_iov), 1, 3, 4, 1), C(pwritev, 99, P(in_iov), 1, 7, 8), C(pwritev2, 99, P(in_iov), 1, 7, 8, -1ul),
	C(lseek, 0, 5, 9), C(lseek, 0, -5ul, SEEK_END), C(lseek, 99, 5, SEEK_DATA), C(sendfile, 1, 0, 0, 5),
	C(sendfile, 99, 98, P(offset), 5), C(copy_file_range, 99, P(offset), 98, 0, 5, 0),
	C(dup, 0), C(dup2, 0, 50), C(dup3, 0, 51, O_CLOEXEC), C(dup3, 0, 51, -1ul), C(dup, 99), C(close, 51),
	C(pipe2, P(out), -1ul), C(pipe2, P(ints), O_CLOEXEC | O_NONBLOCK), C(pipe, P(ints)), C(pipe, 1),
	C(close_range, 100, -1ul, -1ul), C(close_range, 100, -1ul, 0), C(close_range, 100, 200, 4),
	C(fcntl, 0, F_GETFD), C(fcntl, 0, F_SETFD, 1), C(fcntl, 0, F_GETFD), C(fcntl, 0, F_SETFD, 0), C(fcntl, 99, F_SETFD, 5),
	C(fcntl, 0, F_GETFL), C(fcntl, 1, F_GETFL), C(fcntl, 99, F_SETFL, O_NONBLOCK | O_APPEND), C(fcntl, 99, F_SETFL, 0),
	C(fcntl, 0, F_DUPFD, 60), C(fcntl, 0, F_DUPFD_CLOEXEC, 60), C(fcntl, 0, 77, 10), C(fcntl, 99, F_SETLK, P(&lock)),
	C(fcntl, 0, F_GETLK, P(&lock)), C(fcntl, 99, F_OFD_GETLK, P(&lock)), C(fcntl, 99, F_SETLKW, P(&bad_lock)),
	C(fcntl, 99, F_SETLKW, 0), C(fcntl, 0, F_GETPIPE_SZ), C(fcntl, 99, F_ADD_SEALS, 0x1f), C(fcntl, 99, F_GET_SEALS),
	C(ioctl, 0, 0x5401, P(out)), C(ioctl, 0, 0x5413, P(out)), C(ioctl, 99, 0x5414, P(window)), C(ioctl, 0, 0x541b, P(out)),
	C(ioctl, 0, 0x999, P(out)), C(ioctl, 0, 0xc0045499, P(out)), C(ioctl, 0, 0x5421, P(ints)), C(ioctl, 99, 0x540f, P(out)),
	C(flock, 0, -1ul), C(flock, 0, 8), C(flock, 99, 6), C(fsync, 0), C(fdatasync, 99), C(ftruncate, 0, 5),
	C(fallocate, 99, 3, 0, 5), C(fallocate, 99, -1ul, 0, 5), C(fadvise64, 0, 0, 5, 3), C(fadvise64, 0, 0, 5, 33),
	C(sync_file_range, 0, 0, 5, 7), C(sync_file_range, 0, 0, 5, -1ul), C(readahead, 99, 1, 2), C(syncfs, 99),
	C(fchmod, 99, 01777), C(fchown, 99, -1ul, -1ul), C(fstat, 0, P(out)), C(fstat, 99, P(out)), C(fstatfs, 99, P(out)),
	C(fchdir, 99), C(getdents64, 99, P(out), 4096),
	 C(eventfd, 3), C(eventfd2, 3, -1ul), C(eventfd2, 3, 0x80801),
	C(timerfd_create, 1, 0x80800), C(timerfd_create, 1, -1ul), C(timerfd_settime, 99, 3, P(&hour), P(out)),
	C(timerfd_gettime, 99, P(out)),
	/* waiting */
	C(poll, P(polls), 0, 0), C(poll, P(polls), 3, 10), C(poll, P(every_event), 1, 0), C(poll, 0, 0, 1), C(poll, 1, 1, 0),
	C(ppoll, P(polls), 1, P(&none), P(set1), 8), C(ppoll, P(polls), 0, P(&tick), 0, 8),
	C(select, 0, 0, 0, 0, P(&no_time)), C(select, 2, P(readable), 0, 0, P(&no_time)), C(select, 2, P(readable), P(writable), 0, 0),
	C(select, 1, P(readable), 0, P(zero), 0), C(select, -1ul, 0, 0, 0, 0), C(pselect6, 2, P(readable), 0, 0, P(&none), 0),
	C(epoll_create, 5), C(epoll_create1, 0x80000), C(epoll_create1, -1ul), C(epoll_ctl, 99, 1, 0, P(&every)),
	C(epoll_ctl, 3, 1, 4, P(&edge)), C(epoll_ctl, 3, 2, 4, 0), C(epoll_ctl, 3, 9, 4, P(&edge)), C(epoll_wait, 99, P(out), 10, 0),
	C(epoll_pwait, 99, P(out), 10, -1ul, 0, 8),
	C(futex, P(ints), FUTEX_WAIT, 5, 0), C(futex, P(ints), FUTEX_WAKE | 128, 5), C(futex, P(ints), FUTEX_REQUEUE, 5, 1, P(ints), 0),
	C(futex, P(ints), FUTEX_WAIT_BITSET | 128 | 256, 5, 0, 0, -1ul), C(futex, P(ints), FUTEX_WAIT_BITSET, 5, 0, 0, 1),
	C(futex, P(ints), FUTEX_CMP_REQUEUE, 5, 1, P(ints), 3), C(futex, P(ints), FUTEX_LOCK_PI, 5, 0),
	C(futex, P(ints), FUTEX_UNLOCK_PI), C(futex, P(ints), FUTEX_WAKE_BITSET, 5, 0, 0, 3), C(futex, P(ints), 99, 5, 1, P(ints), 6),
	C(futex, P(ints + 8), FUTEX_WAIT | 128, 0, P(&tick)),
	/* paths */
	C(openat, AT_FDCWD, P(file), -1ul, 0644), C(open, P(file), O_TMPFILE | O_RDWR, 0), C(open, P(odd), 3), C(open, 0, 2),
	C(open, 1, 2), C(open, P(file), O_CREAT | O_SYNC | O_DIRECTORY, 0100644), C(openat, 99, P("x"), O_DSYNC | O_WRONLY, 7),
	C(openat2, AT_FDCWD, P(file), P(how), 24), C(openat2, AT_FDCWD, P(file), P(wild_how), 24), C(creat, P(file), 0600),
	C(stat, P("/"), P(out)), C(stat, P("/dev/null"), P(out)), C(stat, P(file), P(out)), C(lstat, P("/proc/self"), P(out)),
	C(newfstatat, 99, P(""), P(out), AT_EMPTY_PATH), C(newfstatat, AT_FDCWD, P("/dev/tty"), P(out), 0),
	C(statx, AT_FDCWD, P(file), 0x6100, -1ul, P(out)), C(statx, 99, P(""), AT_EMPTY_PATH, 0xfff, P(out)),
	C(statx, AT_FDCWD, P(file), 0, 0x7ff, P(out)), C(statfs, P(file), P(out)), C(access, P("/"), 0), C(access, P("/"), 8),
	C(access, P("/"), 7), C(faccessat, AT_FDCWD, P(file), 4), C(faccessat2, AT_FDCWD, P(file), 4, 0x200),
	C(faccessat2, AT_FDCWD, P(file), 4, -1ul), C(readlink, P("/proc/self/exe"), P(out), 4), C(readlink, P(file), P(out), 9),
	C(readlinkat, AT_FDCWD, P(file), P(out), 9), C(getcwd, P(out), 4096), C(getcwd, P(out), 1), C(chdir, P(file)),
	C(rename, P(file), P("x")), C(renameat, AT_FDCWD, P(file), 99, P("y")), C(renameat2, AT_FDCWD, P(file), AT_FDCWD, P("x"), -1ul),
	C(renameat2, AT_FDCWD, P(file), AT_FDCWD, P("x"), 3), C(mkdir, P(file), -1ul), C(mkdirat, AT_FDCWD, P(file), 0), C(rmdir, P(file)),
	C(link, P(file), P("x")), C(linkat, AT_FDCWD, P(file), AT_FDCWD, P("x"), 0x400), C(unlink, P(file)),
	C(unlinkat, AT_FDCWD, P(file), 0), C(unlinkat, AT_FDCWD, P(file), 0x200), C(unlinkat, AT_FDCWD, P(file), -1ul),
	C(symlink, P("a"), P(file)), C(symlinkat, P("a"), AT_FDCWD, P(file)), C(chmod, P(file), 0), C(fchmodat, AT_FDCWD, P(file), 04755),
	C(chown, P(file), -1ul, 5), C(lchown, P(file), 1, 2), C(fchownat, 99, P(""), 1, 2, 0x1100), C(truncate, P(file), 5),
	C(mknod, P(file), 020644, 0x105), C(mknod, P(file), 0100644, 0x105), C(mknodat, AT_FDCWD, P(file), 010644, 0x105),
	C(mknodat, AT_FDCWD, P(file), 0, 0x105), C(mknodat, AT_FDCWD, P(file), 0170000, 0x105),
	C(utime, P(file), P(utimes_buf)), C(utime, P(file), 0), C(utimes, P(file), P(times)), C(utimes, P(file), P(bad_times)),
	C(utimes, P(file), 0), C(futimesat, AT_FDCWD, P(file), P(times)), C(utimensat, AT_FDCWD, P(file), P(omit), 0),
	C(utimensat, 99, 0, 0, 0x100), C(setxattr, P(file), P("user.x"), P("v\0v"), 3, 1),
	C(lsetxattr, P(file), P("user.01234567890123456789012345678901234567890"), P("v\0v"), 3, -1ul),
	C(getxattr, P("/"), P("user.x"), P(out), 9), C(fgetxattr, 99, P("user.x"), 0, 0), C(listxattr, P("/dev/null"), P(out), 9),
	C(flistxattr, 99, P(out), 9), C(removexattr, P(file), P("user.x")), C(umask, 022), C(umask, 0), C(umask, 07777),
	/* sockets */
	C(socket, 2, 1, 0), C(socket, 1, 0x80802, 0), C(socket, 77, 99, 255), C(socket, 10, 2, 17),
	C(socketpair, 1, 5, 0, P(ints)), C(socketpair, 1, 1, 0, 1), C(socketpair, 2, 1, 6, P(ints)),
	C(connect, 99, P(&four), 16), C(connect, 99, P(&six), 28), C(connect, 99, P(&local), 110), C(connect, 99, P(&local), 12),
	C(connect, 99, P(&local), 2), C(connect, 99, P(abstract), 9), C(connect, 99, 0, 16), C(connect, 99, P(&four), 1), C(connect, 99, P(&four), 0),
	C(bind, 99, P(&four), 16), C(bind, 0, P(&local), 110), C(listen, 99, 5), C(listen, 0, -1ul),
	C(accept, 99, 0, 0), C(accept, 0, P(out), P(length)), C(accept4, 99, 0, 0, 0x80800),
	C(getsockname, 99, P(out), P(length)), C(getpeername, 0, P(out), P(length)), C(getsockname, 99, 0, 0),
	C(shutdown, 99, 0), C(shutdown, 99, 1), C(shutdown, 0, 2), C(shutdown, 99, 9),
	C(sendto, 99, P("data\n"), 5, 0x4040, 0, 0), C(sendto, 99, P("data\n"), 5, 0, P(&four), 16),
	C(recvfrom, 99, P(out), 16, 2, 0, 0), C(recvfrom, 0, P(out), 16, 0x40, P(out), P(length)),
	C(setsockopt, 99, 1, 2, P(length), 4), C(setsockopt, 99, 6, 1, P(length), 4), C(setsockopt, 99, 1, 13, P(&lingering), 8),
	C(setsockopt, 99, 41, 26, P(length), 4), C(setsockopt, 99, 0, 1, 0, 4),
	C(getsockopt, 99, 1, 3, P(out), P(length)), C(getsockopt, 99, 1, 4, 0, 0),
	/* time */
	C(nanosleep, P(&tick), P(out)), C(nanosleep, P(&tick), 0), C(nanosleep, 1, 0), C(clock_nanosleep, 1, 1, P(&tick), P(out)),
	C(clock_nanosleep, 99, -1ul, P(&tick), 0), C(clock_gettime, 77, P(out)), C(clock_getres, 1, P(out)),
	C(gettimeofday, 0, 0), C(getitimer, 0, P(out)), C(getitimer, 9, P(out)), C(setitimer, 0, P(&no_timer), P(out)),
	C(setitimer, 2, P(&no_timer), 0), C(alarm, 0), C(timer_create, 1, 0, P(ints)), C(timer_create, 0, P(&event), P(ints)),
	C(timer_create, 7, P(&no_event), P(ints)), C(timer_create, 99, P(&event), P(ints)), C(timer_settime, 0, 1, P(&never), P(out)),
	C(timer_settime, 0, -1ul, P(&never), 0), C(timer_settime, 99, 0, P(&hour), 0), C(timer_gettime, 0, P(out)),
	C(timer_getoverrun, 0), C(timer_delete, 0), C(timer_delete, 99), C(times, 1), C(getrandom, P(out), 60, -1ul), C(getrandom, P(out), 0, 1),
	/* signals */
	C(rt_sigprocmask, 0, 0, P(out), 8), C(rt_sigprocmask, 1, P(set1), 0, 8), C(rt_sigprocmask, 7, P(most), 0, 8),
	C(rt_sigprocmask, 1, P(rt), 0, 8), C(rt_sigprocmask, 1, P(upper), P(out), 8), C(rt_sigprocmask, 2, 0, 0, 4),
	C(rt_sigaction, 10, P(&action), P(out), 8), C(rt_sigaction, 10, 0, P(out), 8), C(rt_sigaction, 12, P(&ignore), 0, 8),
	C(rt_sigaction, 64, P(&every_flag), 0, 8), C(rt_sigaction, 32, 0, 0, 8), C(rt_sigaction, 65, P(&action), P(out), 8),
	C(rt_sigpending, P(out), 8), C(rt_sigtimedwait, P(set1), P(out), P(&tick), 8), C(rt_sigsuspend, 0, 8),
	C(sigaltstack, 0, P(out)), C(sigaltstack, P(&stack), P(out)), C(sigaltstack, P(&disarm), P(out)), C(kill, 0, 0), C(kill, -5ul, 77),
	C(tkill, 99999999, 2), C(tgkill, 999999, 999999, 33),
	/* the process */
	C(prlimit64, 0, 99, P(limits), P(out)), C(setrlimit, 99, P(limits)), C(setrlimit, 99, P(unlimited)), C(prlimit64, 0, 3, 0, P(out)),
	C(getrlimit, 7, P(out)), C(setuid, -1ul), C(setresuid, -1ul, -1ul, -1ul), C(getgroups, -1ul, P(out)), C(setpgid, -5ul, 0),
	C(capget, P(cap_header), 0), C(capset, P(cap_header), P(cap_data)), C(getpriority, 0, 0), C(getpriority, 7, 0), C(setpriority, 7, 0, -5ul),
	C(sched_getparam, 0, P(out)), C(sched_setparam, -1ul, P(priority)), C(sched_setscheduler, -1ul, 0x40000002, P(priority)),
	C(sched_setscheduler, -1ul, 9, P(priority)), C(sched_getscheduler, 0), C(sched_get_priority_max, 1), C(sched_get_priority_min, 9),
	C(sched_setaffinity, 99999999, 8, P(set1)), C(sched_getaffinity, 0, 128, P(out)), C(sched_getaffinity, 0, 0, P(out)),
	C(getcpu, 0, 0, 0), C(membarrier, 99, 0, 0), C(arch_prctl, ARCH_SET_GS, 0), C(arch_prctl, 99, 1),
	C(prctl, 999, 1, 2, 3, 4), C(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), C(prctl, PR_SET_TIMERSLACK, 1),
	C(getuid), C(setfsuid, -1ul), C(uname, 1), C(uname, P(out)), C(sysinfo, 1), C(getrusage, 0, 1), C(sync),
	/* IPC objects: none are left, as SysV's identifiers would differ */
	C(shmget, 0, 0, 01600), C(shmget, 0x1234, 4096, 0), C(shmget, 0x1234, 4096, 06777), C(shmat, 99999, 0, 0), C(shmat, 99999, 5, 0170000),
	C(shmdt, 5), C(shmdt, 0x10000), C(shmctl, 99999, 0, 0), C(shmctl, 99999, 2, P(out)), C(shmctl, -1ul, 11, 0), C(shmctl, 0, 3, P(out)),
	C(shmctl, 99999, 1, P(out)), C(shmctl, 0, 77, 5), C(shmctl, 99999, 13, 1),
	C(semget, 0, 0, 03600), C(semget, 77, 1, 0), C(semop, 99999, P(sembufs), 2), C(semop, 99999, P(sembufs), 0), C(semop, 99999, 1, 1),
	C(semtimedop, 99999, P(sembufs), 3, P(&tick)), C(semtimedop, -1ul, P(sembufs), 1, 0), C(semctl, 99999, 0, 0, 0), C(semctl, 99999, 1, 12),
	C(semctl, 99999, 1, 16, 5), C(semctl, 99999, 1, 16, -1ul), C(semctl, 0, 0, 3, P(out)), C(semctl, 99999, 0, 2, P(out)),
	C(semctl, 99999, 0, 1, P(out)), C(semctl, 0, 0, 77, 0),
	C(msgget, 77, 0), C(msgget, 77, 0400), C(msgsnd, 99999, P(message), 5, 0), C(msgsnd, 99999, P(message), 60, 04000), C(msgsnd, 99999, 1, 5, 0),
	C(msgrcv, 99999, P(out), 10, -4ul, 0174000), C(msgrcv, -1ul, 0, 0, 0, 0), C(msgctl, 99999, 0, 0), C(msgctl, 0, 3, P(out)),
	C(msgctl, 99999, 1, P(out)), C(msgctl, 99999, 2, P(out)), C(msgctl, 0, 77, 0),
	C(mq_open, P("probe"), 0, 0, 0), C(mq_open, P("probe"), 04302, 0600, P(attributes)), C(mq_open, 1, 0x40, 0, 0),
	C(mq_open, P("probe"), 0x842, 0640, P(attributes)), C(mq_getsetattr, 99, 0, P(out)), C(mq_getsetattr, 99, P(attributes), 0),
	C(mq_timedsend, 99, P("text"), 4, 7, 0), C(mq_timedsend, 99, 1, 4, 7, P(&tick)), C(mq_timedreceive, 99, P(out), 100, P(ints), P(&tick)),
	C(mq_timedreceive, 99, P(out), 100, 0, 0), C(mq_notify, 99, 0), C(mq_notify, 99, P(&no_event)), C(mq_unlink, P("probe")), C(mq_unlink, 1),
	{ 511, { 1, 2, 3, 4, 5, 0 } },
};

int main(void)
{
	signal(SIGALRM, SIG_IGN);
	for (unsigned int i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		syscall(calls[i].nr, calls[i].arg[0], calls[i].arg[1], calls[i].arg[2], calls[i].arg[3],
			calls[i].arg[4], calls[i].arg[5]);
	return 3;
}
