/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel headers only: where libc has a structure of its own, the kernel's counts. */
#include <asm/errno.h>
#include <asm/poll.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <asm/unistd_64.h>
#include <linux/capability.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/posix_types.h>
#include <linux/resource.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/socket.h>
#include <linux/stat.h>
#include <linux/sysinfo.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/times.h>
#include <linux/uio.h>
#include <linux/utime.h>
#include <linux/utsname.h>

#include "table.h"

#define SIZE_IS(name, type) _Static_assert(ABI_SIZE_##name == sizeof(type), #name)

SIZE_IS(int, int);
SIZE_IS(int2, int[2]);
SIZE_IS(u64, __u64);
SIZE_IS(timespec, struct __kernel_timespec);
SIZE_IS(timespec2, struct __kernel_timespec[2]);
SIZE_IS(timeval, struct timeval);
SIZE_IS(timeval2, struct timeval[2]);
SIZE_IS(timezone, struct timezone);
SIZE_IS(itimerval, struct itimerval);
SIZE_IS(itimerspec, struct __kernel_itimerspec);
SIZE_IS(sigset, __u64);
/* The header's struct sigaction is the i386 ABI's; the kernel's own is handler, flags, restorer, mask. */
SIZE_IS(sigaction, __u64[4]);
SIZE_IS(siginfo, siginfo_t);
SIZE_IS(stack, stack_t);
SIZE_IS(stat, struct stat);
SIZE_IS(statx, struct statx);
SIZE_IS(statfs, struct statfs);
SIZE_IS(rlimit, struct rlimit64);
SIZE_IS(rusage, struct rusage);
SIZE_IS(utsname, struct new_utsname);
SIZE_IS(sysinfo, struct sysinfo);
SIZE_IS(tms, struct tms);
SIZE_IS(pollfd, struct pollfd);
SIZE_IS(iovec, struct iovec);
SIZE_IS(sigevent, struct sigevent);
SIZE_IS(open_how, struct open_how);
SIZE_IS(flock, struct flock);
SIZE_IS(utimbuf, struct utimbuf);
SIZE_IS(capheader, struct __user_cap_header_struct);
SIZE_IS(capdata, struct __user_cap_data_struct[2]);
SIZE_IS(fdset, __kernel_fd_set);
SIZE_IS(clone_args, struct clone_args);
SIZE_IS(sched_param, int);
SIZE_IS(sched_attr, struct sched_attr);
SIZE_IS(epoll_event, struct epoll_event);
SIZE_IS(cpus, char);
SIZE_IS(addr, char);
SIZE_IS(addrbuf, struct __kernel_sockaddr_storage);
SIZE_IS(optval, char);
SIZE_IS(termios, struct termios);
SIZE_IS(termios2, struct termios2);
SIZE_IS(termio, struct termio);
SIZE_IS(winsize, struct winsize);
SIZE_IS(owner, struct f_owner_ex);
/* linux_dirent64 with the longest name. */
SIZE_IS(dirent, struct { __u64 ino; __s64 off; __u16 reclen; __u8 type; char name[256]; });

const struct abi_call call_table[ABI_CALLS] = {
#define CALL ABI_CALL
#define NONE ABI_NONE
#include "../shim/calls.def"
#undef CALL
#undef NONE
};

static const char *const names[ABI_CALLS] = {
#define CALL(number, name, ...) [number] = #name,
#define NONE CALL
#include "../shim/calls.def"
#undef CALL
#undef NONE
};

static const struct request requests[] = {
#define REQUEST(call, request, num, ...) { .nr = __NR_##call, .number = num, .name = #request, .arg = __VA_ARGS__ },
#include "../shim/requests.def"
#undef REQUEST
};

static const struct request controls[] = {
#define CONTROL(call, command, num, ...) { .nr = __NR_##call, .number = num, .name = #command, .arg = __VA_ARGS__ },
	ABI_CONTROLS(CONTROL)
#undef CONTROL
};

const struct abi_arg *call_control(uint32_t nr, const uint64_t arg[6])
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (controls[i].nr == nr && controls[i].number == (uint32_t)arg[nr == __NR_semctl ? 2 : 1])
			return &controls[i].arg;
	return NULL;
}

const char *call_name(uint32_t nr)
{
	return nr < ABI_CALLS ? names[nr] : NULL;
}

const struct request *call_request(uint32_t nr, uint64_t number)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].nr == nr && requests[i].number == (uint32_t)number)
			return &requests[i];
	return NULL;
}
