/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runner's own sandbox: what is left of the kernel for a guest that has
 * taken over the runner. A call without a row kills the process.
 *
 * Descriptors above 2 that the caller left open were closed by fdtable_init() before.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/memfd.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"
#include "interrupt.h"
#include "jail.h"
#include "landlock.h"
#include "msg.h"
#include "net.h"
#include "options.h"
#include "policy.h"
#include "sockopts.h"
#include "table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452	/* Linux 6.6 */
#endif

/* PASS rows of calls.def are added to these. */
static const struct call_rule rules[] = {
	RULE(read, "guest I/O"),
	RULE(write, "guest I/O; messages"),
	RULE(readv, "guest I/O"),
	RULE(writev, "guest I/O"),
	RULE(pread64, "guest I/O"),
	RULE(pwrite64, "guest I/O"),
	RULE(preadv, "guest I/O"),
	RULE(pwritev, "guest I/O"),
	RULE(preadv2, "guest I/O"),
	RULE(pwritev2, "guest I/O"),
	RULE(sendfile, "guest I/O"),
	RULE(copy_file_range, "guest I/O"),
	RULE(splice, "guest I/O, through a pipe of the guest's"),
	RULE(tee, "likewise"),
	RULE(close, "descriptors that the guest gave up"),
	RULE(dup3, "plugs a standard stream that the guest closed"),
	RULE(pipe2, "guest pipes"),
	RULE(eventfd2, "guest eventfds"),
	RULE(timerfd_create, "guest timers"),
	RULE(openat2, "the one way to open: below a grant's descriptor"),
	RULE(newfstatat, "stat below a grant"),
	RULE(statx, "stat below a grant"),
	RULE(faccessat2, "access below a grant"),
	RULE(readlinkat, "symbolic links below a grant"),
	RULE(getdents, "directories below a grant"),
	RULE(getdents64, "directories below a grant"),
	RULE(umask, "the guest's umask is the runner's"),
	RULE(recvmsg, "guest sockets"),
	RULE(shutdown, "guest sockets"),
	RULE(listen, "guest sockets: one that came with the standard streams, if no others can be bound"),
	RULE(accept4, "likewise"),
	RULE(getsockname, "guest sockets"),
	RULE(getpeername, "guest sockets"),
	RULE(ppoll, "guest waits"),
	RULE(epoll_create1, "guest waits"),
	RULE(inotify_init1, "guest watches"),
	RULE(epoll_ctl, "guest waits"),
	RULE(epoll_pwait, "guest waits"),
	RULE(pause, "guest waits"),
	RULE(clock_nanosleep, "guest waits"),
	RULE(restart_syscall, "a wait goes on after the process was stopped"),
	RULE(alarm, "guest timers"),
	RULE(getitimer, "guest timers"),
	RULE(setitimer, "guest timers"),
	RULE(timer_create, "guest timers"),
	RULE(clock_gettime, "time, where the host's vDSO makes the call"),
	RULE(clock_getres, "time"),
	RULE(gettimeofday, "time"),
	RULE(time, "time"),
	RULE(times, "guest times"),
	RULE(getrusage, "guest rusage; --stats"),
	RULE(getrandom, "guest randomness"),
	RULE(getpid, "a new process"),
	RULE(getppid, "a new process"),
	RULE(gettid, "signals to ourselves"),
	RULE(waitid, "processes that somebody has killed"),
	RULE(getpgrp, "whose the terminal is"),
	RULE(setpgid, "groups of the program's processes, which are children that execute nothing"),
	RULE(setsid, "likewise"),
	RULE(getsid, "whose the terminal is"),
	RULE(rt_sigprocmask, "the signal queue"),
	RULE(rt_sigaction, "a stop by a signal's default action"),
	RULE(rt_sigreturn, "return from signal handlers"),
	RULE(futex, "locks"),
	RULE(futex_waitv, "locks of which any will do"),
	RULE(set_robust_list, "a new thread"),
	RULE(rseq, "a new thread"),
	RULE(brk, "malloc"),
	RULE(munmap, "malloc"),
#ifdef __SANITIZE_ADDRESS__
	RULE(sched_getaffinity, "AddressSanitizer, where a new thread's stack is"),
	RULE(sigaltstack, "AddressSanitizer, for a new thread, and before what does not return"),
#endif
	RULE(mremap, "malloc"),
	RULE(madvise, "malloc"),
	RULE(mincore, "files that the guest has mapped"),
	RULE(msync, "files that the guest has mapped"),
	RULE(exit, "the end of a thread"),
	RULE(exit_group, "the end"),
	RULE(ioctl, "the vCPU", IS32(1, KVM_RUN)),
	RULE(ioctl, "signals for the guest", IS32(1, KVM_INTERRUPT)),
	RULE(ioctl, "a vCPU for another thread", IS32(1, KVM_CREATE_VCPU)),
	RULE(ioctl, "likewise", IS32(1, KVM_SET_CPUID2)),
	RULE(ioctl, "likewise", IS32(1, KVM_SET_XCRS)),
	RULE(ioctl, "likewise", IS32(1, KVM_GET_SREGS)),
	RULE(ioctl, "likewise", IS32(1, KVM_SET_SREGS)),
	RULE(ioctl, "likewise", IS32(1, KVM_SET_REGS)),
	/* exactly what pthread_create(3) asks for: nothing but a thread */
	RULE(clone, "a thread for it", SCMP_CMP64(0, SCMP_CMP_EQ, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)),
	/* and what fork(3) asks for */
	RULE(clone, "another process", SCMP_CMP64(0, SCMP_CMP_EQ, CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD)),
	RULE(ioctl, "a VM for it", IS32(1, KVM_CREATE_VM)),
	RULE(ioctl, "likewise", IS32(1, KVM_SET_TSS_ADDR)),
	RULE(prlimit64, "limits that the program sets for itself", IS32(0, 0), IS32(1, RLIMIT_FSIZE)),
	RULE(prlimit64, "likewise", IS32(0, 0), IS32(1, RLIMIT_CPU)),
	RULE(pidfd_open, "the end of one of the program's processes", IS32(1, 0)),
	RULE(prctl, "its end with the first one's", IS32(0, PR_SET_PDEATHSIG), IS32(1, INTERRUPT_LIMIT)),
	RULE(ioctl, "more of the guest's RAM", IS32(1, KVM_SET_USER_MEMORY_REGION)),
	RULE(ioctl, "where it touched what a file has lost", IS32(1, KVM_GET_REGS)),
	RULE(ioctl, "the guest's clock", IS32(1, KVM_GET_TSC_KHZ)),
	RULE(ioctl, "the guest's clock", IS32(1, KVM_SET_DEVICE_ATTR)),
	RULE(ioctl, "the guest's clock", IS32(1, KVM_GET_MSRS)),
	RULE(memfd_create, "files that are memory", MASKED32(1, ~(MFD_ALLOW_SEALING | 0x18), MFD_CLOEXEC)),
	RULE(mmap, "malloc, what the guest maps: never executable", LACKS(2, PROT_EXEC)),
	RULE(mprotect, "malloc: never executable", LACKS(2, PROT_EXEC)),
	/* of a terminal that is a signal to whose it is */
	RULE(fcntl, "guest F_SETFL, without O_ASYNC", IS32(1, F_SETFL), LACKS(2, O_ASYNC)),
	/* the third argument's requests: requests.def */
#define REQUEST(call, name, number, ...) RULE(call, "guest " #name, IS32(1, number)),
#define OWN_REQUEST(...)
#include "../shim/requests.def"
#undef REQUEST
};

/* The same, where a grant can be written to. Landlock has no say in the mode, owner, times and attributes of a file. */
static const struct call_rule rules_writable[] = {
	RULE(mkdirat, "changes there"),
	RULE(unlinkat, "changes there"),
	RULE(renameat2, "changes there"),
	RULE(linkat, "changes there"),
	RULE(symlinkat, "changes there"),
	RULE(fchmod, "changes there"),
	RULE(fchmodat2, "changes there"),
	RULE(fchmodat, "likewise, before Linux 6.6"),
	RULE(fchown, "changes there"),
	RULE(fchownat, "changes there"),
	RULE(utimensat, "changes there"),
	RULE(fsetxattr, "changes there"),
	RULE(fremovexattr, "changes there"),
	RULE(mknodat, "FIFOs, files and sockets, no devices", MASKED32(2, S_IFMT, S_IFIFO)),
	RULE(mknodat, "likewise", MASKED32(2, S_IFMT, S_IFSOCK)),
	RULE(mknodat, "likewise", MASKED32(2, S_IFMT, S_IFREG)),
	RULE(mknodat, "likewise", MASKED32(2, S_IFMT, 0)),
};

static void allow(scmp_filter_ctx ctx, const struct call_rule *which, size_t count)
{
	int err = confine_allow(ctx, which, count);

	if (err)
		die(KVMRUN_FAILED, "cannot build the seccomp filter: %s", strerror(-err));
}

/* The timer of --timeout is not to be touched. Other signals than timers' cannot be sent. */
static void allow_own(scmp_filter_ctx ctx)
{
	static const int timer_calls[] = {
		SYS_timer_settime, SYS_timer_gettime, SYS_timer_getoverrun, SYS_timer_delete,
	};
	const struct call_rule go_on = RULE(kill, "the first process, which has stopped itself, goes on",
					    IS32(0, getpid()), IS32(1, SIGCONT));
	int limit = interrupt_limit_timer();

	allow(ctx, &go_on, 1);
	for (size_t i = 0; i < COUNT(timer_calls); i++) {
		const struct call_rule others[] = {
			{ timer_calls[i], { SCMP_CMP64(0, SCMP_CMP_GT, limit) }, "guest timers" },
			{ timer_calls[i], { SCMP_CMP64(0, SCMP_CMP_LT, limit) }, "guest timers" },
		};
		const struct call_rule any = { timer_calls[i], { { 0 } }, "guest timers" };

		if (limit < 0)
			allow(ctx, &any, 1);
		else
			allow(ctx, others, limit ? 2 : 1);
	}
}

/* Sockets: their options by sockopts.def; what they may be and whether they have addresses, by --net. */
static void allow_net(scmp_filter_ctx ctx)
{
	static const struct call_rule addresses[] = {
		RULE(bind, "guest sockets"),
		RULE(connect, "guest sockets"),
	};
	static const struct call_rule send = RULE(sendmsg, "guest sockets: of a kind that ignores an address, where "
						  "addresses are not allowed", LACKS(2, MSG_FASTOPEN));
	static const struct call_rule send_fast = RULE(sendmsg, "guest sockets, also to connect");

	for (size_t i = 0; i < sockopt_count; i++) {
		const struct sockopt *o = &sockopts[i];
		const struct call_rule get = RULE(getsockopt, "guest sockets", IS32(1, o->level), IS32(2, o->number));
		const struct call_rule set = RULE(setsockopt, "guest sockets", IS32(1, o->level), IS32(2, o->number));

		if (o->access & SOCKOPT_G)
			allow(ctx, &get, 1);
		if (o->access & SOCKOPT_S)
			allow(ctx, &set, 1);
	}
	allow(ctx, net_fast_open() ? &send_fast : &send, 1);
	allow(ctx, net_pairs, NET_PAIRS - !net_datagram_pairs());
	if (!net_addresses())
		return;
	allow(ctx, addresses, COUNT(addresses));
	/* with --net loopback another process makes them all */
	if (net_mode() != NET_LOOPBACK)
		allow(ctx, net_sockets, net_mode() == NET_NONE ? NET_SOCKETS_UNIX : NET_SOCKETS);
}

static scmp_filter_ctx build(void)
{
	/* by the number of a descriptor in /proc, as sockets: policy_granted() is what the runner asks, too */
	static const struct call_rule watch = RULE(inotify_add_watch, "guest watches below a grant");
	scmp_filter_ctx ctx = confine_filter();
	int err;

	if (!ctx)
		die(KVMRUN_FAILED, "cannot build the seccomp filter: out of memory, or libseccomp is too old");
	allow(ctx, rules, COUNT(rules));
	for (uint32_t nr = 0; nr < ABI_CALLS; nr++) {
		const struct call_rule pass = { nr, { { 0 } }, "guest I/O" };

		if (call_table[nr].served == ABI_BY_PASS)
			allow(ctx, &pass, 1);
	}
	if (policy_writable())
		allow(ctx, rules_writable, COUNT(rules_writable));
	if (policy_granted())
		allow(ctx, &watch, 1);
	allow_own(ctx);
	allow_net(ctx);
	/* its flags are in memory, which a filter cannot see: libc then takes clone */
	err = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(ENOSYS), SYS_clone3, 0, NULL);
	if (err < 0)
		die(KVMRUN_FAILED, "cannot build the seccomp filter, clone3: %s", strerror(-err));
	return ctx;
}

void jail_enter(const struct config *config)
{
	const char *what = confine_privileges();
	scmp_filter_ctx ctx;
	int err;

	if (what)
		die(KVMRUN_FAILED, "cannot %s: %m", what);
	/* after no_new_privs, which it needs, and before seccomp, which forbids it */
	landlock_enter(config->insecure_no_landlock);
	ctx = build();
	err = seccomp_load(ctx);
	if (err < 0)
		die(KVMRUN_FAILED, "cannot load the seccomp filter: %s; kvmrun does not run programs "
		    "without it: the kernel needs CONFIG_SECCOMP_FILTER", strerror(-err));
	seccomp_release(ctx);
}
