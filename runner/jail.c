/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runner's own sandbox: what is left of the kernel for a guest that has
 * taken over the runner. A call without a row kills the process.
 *
 * Descriptors above 2 that the caller left open were closed by fdtable_init() before.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kvm.h>
#include <linux/memfd.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* Calls allowed whatever their arguments. Those of PASS rows of calls.def are added to them. */
struct allowed {
	int nr;
	const char *reason;
};

#define ALLOW(name, reason) { SYS_##name, reason }
static const struct allowed allowed[] = {
	ALLOW(read, "guest I/O"),
	ALLOW(write, "guest I/O; messages"),
	ALLOW(readv, "guest I/O"),
	ALLOW(writev, "guest I/O"),
	ALLOW(pread64, "guest I/O"),
	ALLOW(pwrite64, "guest I/O"),
	ALLOW(preadv, "guest I/O"),
	ALLOW(pwritev, "guest I/O"),
	ALLOW(preadv2, "guest I/O"),
	ALLOW(pwritev2, "guest I/O"),
	ALLOW(sendfile, "guest I/O"),
	ALLOW(copy_file_range, "guest I/O"),
	ALLOW(splice, "guest I/O, through a pipe of the guest's"),
	ALLOW(tee, "likewise"),
	ALLOW(close, "descriptors that the guest gave up"),
	ALLOW(dup3, "plugs a standard stream that the guest closed"),
	ALLOW(pipe2, "guest pipes"),
	ALLOW(eventfd2, "guest eventfds"),
	ALLOW(timerfd_create, "guest timers"),
	ALLOW(openat2, "the one way to open: below a grant's descriptor"),
	ALLOW(newfstatat, "stat below a grant"),
	ALLOW(statx, "stat below a grant"),
	ALLOW(faccessat2, "access below a grant"),
	ALLOW(readlinkat, "symbolic links below a grant"),
	ALLOW(getdents, "directories below a grant"),
	ALLOW(getdents64, "directories below a grant"),
	ALLOW(umask, "the guest's umask is the runner's"),
	ALLOW(sendmsg, "guest sockets: of a kind that ignores an address, where addresses are not allowed"),
	ALLOW(recvmsg, "guest sockets"),
	ALLOW(shutdown, "guest sockets"),
	ALLOW(listen, "guest sockets: one that came with the standard streams, if no others can be bound"),
	ALLOW(accept4, "likewise"),
	ALLOW(getsockname, "guest sockets"),
	ALLOW(getpeername, "guest sockets"),
	ALLOW(ppoll, "guest waits"),
	ALLOW(epoll_create1, "guest waits"),
	ALLOW(inotify_init1, "guest watches"),
	ALLOW(epoll_ctl, "guest waits"),
	ALLOW(epoll_pwait, "guest waits"),
	ALLOW(pause, "guest waits"),
	ALLOW(clock_nanosleep, "guest waits"),
	ALLOW(restart_syscall, "a wait goes on after the process was stopped"),
	ALLOW(alarm, "guest timers"),
	ALLOW(getitimer, "guest timers"),
	ALLOW(setitimer, "guest timers"),
	ALLOW(timer_create, "guest timers"),
	ALLOW(clock_gettime, "time, where the host's vDSO makes the call"),
	ALLOW(clock_getres, "time"),
	ALLOW(gettimeofday, "time"),
	ALLOW(time, "time"),
	ALLOW(times, "guest times"),
	ALLOW(getrusage, "guest rusage; --stats"),
	ALLOW(getrandom, "guest randomness"),
	ALLOW(getpid, "a new process"),
	ALLOW(getppid, "a new process"),
	ALLOW(gettid, "signals to ourselves"),
	ALLOW(waitid, "processes that somebody has killed"),
	ALLOW(getpgrp, "whose the terminal is"),
	ALLOW(setpgid, "groups of the program's processes, which are children that execute nothing"),
	ALLOW(setsid, "likewise"),
	ALLOW(getsid, "whose the terminal is"),
	ALLOW(rt_sigprocmask, "the signal queue"),
	ALLOW(rt_sigaction, "a stop by a signal's default action"),
	ALLOW(rt_sigreturn, "return from signal handlers"),
	ALLOW(futex, "locks"),
	ALLOW(futex_waitv, "locks of which any will do"),
	ALLOW(set_robust_list, "a new thread"),
	ALLOW(rseq, "a new thread"),
	ALLOW(brk, "malloc"),
	ALLOW(munmap, "malloc"),
	ALLOW(mremap, "malloc"),
	ALLOW(madvise, "malloc"),
	ALLOW(mincore, "files that the guest has mapped"),
	ALLOW(msync, "files that the guest has mapped"),
	ALLOW(exit, "the end of a thread"),
	ALLOW(exit_group, "the end"),
};

/* The same, where a grant can be written to. Landlock has no say in the mode, owner, times and attributes of a file. */
static const struct allowed allowed_writable[] = {
	ALLOW(mkdirat, "changes there"),
	ALLOW(unlinkat, "changes there"),
	ALLOW(renameat2, "changes there"),
	ALLOW(linkat, "changes there"),
	ALLOW(symlinkat, "changes there"),
	ALLOW(fchmod, "changes there"),
	ALLOW(fchmodat2, "changes there"),
	ALLOW(fchmodat, "likewise, before Linux 6.6"),
	ALLOW(fchown, "changes there"),
	ALLOW(fchownat, "changes there"),
	ALLOW(utimensat, "changes there"),
	ALLOW(fsetxattr, "changes there"),
	ALLOW(fremovexattr, "changes there"),
};

/* Calls allowed for some arguments only; of several rows for a call, one is enough. */
struct rule {
	int nr;
	struct scmp_arg_cmp arg[2];	/* the second one's place is 1, or there is none */
	const char *reason;
};

#define RULE(name, reason, ...) { SYS_##name, { __VA_ARGS__ }, reason }
/* the kernel looks at the lower half of an int or unsigned int alone, and so must we */
#define IS32(i, value) SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, 0xffffffffull, (uint64_t)(uint32_t)(value))
#define LACKS(i, bits) SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, (uint64_t)(bits), 0)

static const struct rule rules[] = {
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
	RULE(memfd_create, "files that are memory", SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, 0xffffffe5ull, MFD_CLOEXEC)),
	RULE(mmap, "malloc, what the guest maps: never executable", LACKS(2, PROT_EXEC)),
	RULE(mprotect, "malloc: never executable", LACKS(2, PROT_EXEC)),
	/* the third argument's requests: requests.def */
#define REQUEST(call, name, number, ...) RULE(call, "guest " #name, IS32(1, number)),
#define OWN_REQUEST(...)
#include "../shim/requests.def"
#undef REQUEST
};

/* Likewise, where a grant can be written to. */
static const struct rule rules_writable[] = {
	RULE(mknodat, "FIFOs and files, no devices", SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, S_IFMT, S_IFIFO)),
	RULE(mknodat, "likewise", SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, S_IFMT, S_IFREG)),
	RULE(mknodat, "likewise", SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, S_IFMT, 0)),
};

static void add(scmp_filter_ctx ctx, int nr, unsigned int n, const struct scmp_arg_cmp *arg)
{
	int err = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, n, arg);

	/* EEXIST: two rows allow the same */
	if (err < 0 && err != -EEXIST)
		die(KVMRUN_FAILED, "cannot build the seccomp filter, call %d: %s", nr, strerror(-err));
}

static void add_rule(scmp_filter_ctx ctx, const struct rule *rule)
{
	add(ctx, rule->nr, rule->arg[1].arg ? 2 : 1, rule->arg);
}

/* The timer of --timeout is not to be touched. Other signals than timers' cannot be sent. */
static void add_own(scmp_filter_ctx ctx)
{
	static const int timer_calls[] = {
		SYS_timer_settime, SYS_timer_gettime, SYS_timer_getoverrun, SYS_timer_delete,
	};
	struct scmp_arg_cmp below = SCMP_CMP64(0, SCMP_CMP_LT, 0), above = below;
	int limit = interrupt_limit_timer();

	below.datum_a = limit < 0 ? 0 : limit;
	above = SCMP_CMP64(0, SCMP_CMP_GT, limit < 0 ? 0 : limit);
	/* the first process, which has stopped itself, goes on */
	add(ctx, SYS_kill, 2, (struct scmp_arg_cmp[]){ IS32(0, getpid()), IS32(1, SIGCONT) });
	for (size_t i = 0; i < sizeof(timer_calls) / sizeof(timer_calls[0]); i++) {
		if (limit < 0) {
			add(ctx, timer_calls[i], 0, NULL);
			continue;
		}
		if (limit > 0)
			add(ctx, timer_calls[i], 1, &below);
		add(ctx, timer_calls[i], 1, &above);
	}
}

/* Sockets: their options by sockopts.def; what they may be and whether they have addresses, by --net. */
static void add_net(scmp_filter_ctx ctx)
{
#define TYPE(t) SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, 0xffffffffull & ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), (t))
	static const struct scmp_arg_cmp local[][2] = {
		{ IS32(0, AF_UNIX), TYPE(SOCK_STREAM) },
		{ IS32(0, AF_UNIX), TYPE(SOCK_SEQPACKET) },
		{ IS32(0, AF_UNIX), TYPE(SOCK_DGRAM) },
	};
	static const struct scmp_arg_cmp inet[][2] = {
		{ IS32(0, AF_INET), TYPE(SOCK_STREAM) },
		{ IS32(0, AF_INET), TYPE(SOCK_DGRAM) },
		{ IS32(0, AF_INET6), TYPE(SOCK_STREAM) },
		{ IS32(0, AF_INET6), TYPE(SOCK_DGRAM) },
	};
	bool outside = net_mode() == NET_LISTED || net_mode() == NET_HOST;

	for (size_t i = 0; i < sockopt_count; i++) {
		const struct sockopt *o = &sockopts[i];
		const struct scmp_arg_cmp arg[] = { IS32(1, o->level), IS32(2, o->number) };

		if (o->access & SOCKOPT_G)
			add(ctx, SYS_getsockopt, 2, arg);
		if (o->access & SOCKOPT_S)
			add(ctx, SYS_setsockopt, 2, arg);
	}
	/* the last one can send to any address */
	for (size_t i = 0; i < (net_datagram_pairs() ? 3u : 2u); i++)
		add(ctx, SYS_socketpair, 2, local[i]);
	if (!net_addresses())
		return;
	add(ctx, SYS_bind, 0, NULL);
	add(ctx, SYS_connect, 0, NULL);
	/* with --net loopback another process makes them all */
	for (size_t i = 0; net_mode() != NET_LOOPBACK && i < sizeof(local) / sizeof(local[0]); i++)
		add(ctx, SYS_socket, 2, local[i]);
	for (size_t i = 0; outside && i < sizeof(inet) / sizeof(inet[0]); i++)
		add(ctx, SYS_socket, 2, inet[i]);
}

static scmp_filter_ctx build(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err;

	if (!ctx)
		die(KVMRUN_FAILED, "cannot build the seccomp filter: out of memory, or libseccomp is too old");
	seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* a binary tree: a chain of all calls costs as much as some calls themselves */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < COUNT(allowed); i++)
		add(ctx, allowed[i].nr, 0, NULL);
	for (uint32_t nr = 0; nr < ABI_CALLS; nr++)
		if (call_table[nr].served == ABI_BY_PASS)
			add(ctx, nr, 0, NULL);
	for (size_t i = 0; i < COUNT(rules); i++)
		add_rule(ctx, &rules[i]);
	for (size_t i = 0; policy_writable() && i < COUNT(allowed_writable); i++)
		add(ctx, allowed_writable[i].nr, 0, NULL);
	for (size_t i = 0; policy_writable() && i < COUNT(rules_writable); i++)
		add_rule(ctx, &rules_writable[i]);
	/* its flags are in memory, which a filter cannot see: libc then takes clone */
	err = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(ENOSYS), SYS_clone3, 0, NULL);
	if (err < 0)
		die(KVMRUN_FAILED, "cannot build the seccomp filter, clone3: %s", strerror(-err));
	add_own(ctx);
	add_net(ctx);
	/* by the number of a descriptor in /proc, as sockets: policy_granted() is what the runner asks, too */
	if (policy_granted())
		add(ctx, SYS_inotify_add_watch, 0, NULL);
	return ctx;
}

static void limit_resources(void)
{
	static const int none[] = { RLIMIT_CORE, RLIMIT_MSGQUEUE, RLIMIT_RTPRIO };
	struct rlimit zero = { 0, 0 };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (setrlimit(none[i], &zero) < 0)
			die(KVMRUN_FAILED, "cannot set the runner's own limits: %m");
}

/*
 * All five sets. The bounding set goes first, as that takes a capability; who has not got that
 * one cannot shrink it, and by no_new_privs it is of no use to him.
 */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) < 0 && errno != EPERM)
			die(KVMRUN_FAILED, "cannot drop capability %d: %m", cap);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &header, none) < 0)
		die(KVMRUN_FAILED, "cannot drop the caller's capabilities: %m");
}

void jail_enter(const struct config *config)
{
	scmp_filter_ctx ctx;
	int err;

	limit_resources();
	/* memory of the guest, and secrets of the caller's in ours, are nobody's to read */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		die(KVMRUN_FAILED, "cannot keep others from reading kvmrun's memory: %m");
	drop_capabilities();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die(KVMRUN_FAILED, "cannot set no_new_privs: %m");
	/* after no_new_privs, which it needs, and before seccomp, which forbids it */
	landlock_enter(config->insecure_no_landlock);
	ctx = build();
	err = seccomp_load(ctx);
	if (err < 0)
		die(KVMRUN_FAILED, "cannot load the seccomp filter: %s; kvmrun does not run programs "
		    "without it: the kernel needs CONFIG_SECCOMP_FILTER", strerror(-err));
	seccomp_release(ctx);
}
