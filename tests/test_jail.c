/* SPDX-License-Identifier: GPL-2.0-only */
/* What a runner that the guest has taken over still cannot do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "forked.h"
#include "../runner/fdtable.h"
#include "../runner/jail.h"
#include "../runner/net.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define KILLED (128 + SIGSYS)

/* Kernel numbers, so that nothing that libc does beside the call decides. */
static const struct attempt {
	const char *name;
	long nr;
	long arg[6];
} attempts[] = {
	{ "execve", SYS_execve, { (long)"/bin/true" } },
	{ "execveat", SYS_execveat, { AT_FDCWD, (long)"/bin/true" } },
	{ "fork", SYS_fork, { 0 } },
	{ "vfork", SYS_vfork, { 0 } },
	{ "clone", SYS_clone, { SIGCHLD } },
	{ "a thread with a namespace of its own", SYS_clone, { 0x3d0f00 | CLONE_NEWUSER } },
	{ "a thread with descriptors of its own", SYS_clone, { 0x3d0f00 & ~CLONE_FILES } },
	{ "ptrace", SYS_ptrace, { 0 } },
	{ "process_vm_readv", SYS_process_vm_readv, { 1 } },
	{ "open", SYS_open, { (long)"/etc/passwd" } },
	{ "openat", SYS_openat, { AT_FDCWD, (long)"/etc/passwd" } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { AT_FDCWD } },
	{ "creat", SYS_creat, { (long)"/tmp/x", 0600 } },
	{ "socket", SYS_socket, { 1, 1 } },
	{ "a pair of datagram sockets", SYS_socketpair, { 1, 2 } },
	{ "a pair of TCP sockets", SYS_socketpair, { 2, 1 } },
	{ "a socket of TCP", SYS_socket, { 2, 1 } },
	{ "a socket of netlink", SYS_socket, { 16, 3 } },
	{ "connect", SYS_connect, { 0 } },
	{ "bind", SYS_bind, { 0 } },
	{ "sendto", SYS_sendto, { 0 } },
	{ "a filter of a socket", SYS_setsockopt, { 0, 1, 26 } },
	{ "binding to a device", SYS_setsockopt, { 0, 1, 25 } },
	{ "memfd_create", SYS_memfd_create, { (long)"x" } },
	{ "memfd_create of huge pages", SYS_memfd_create, { (long)"x", 1 | 4 } },
	{ "executable mmap", SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
	{ "executable mprotect", SYS_mprotect, { 0x1000, 4096, PROT_EXEC } },
	{ "pkey_mprotect", SYS_pkey_mprotect, { 0x1000, 4096, PROT_EXEC, -1 } },
	{ "shmat", SYS_shmat, { 0 } },
	{ "kill of another process", SYS_kill, { 1, 0 } },
	{ "kill of every process", SYS_kill, { -1, 0 } },
	{ "tgkill of another process", SYS_tgkill, { 1, 1, 0 } },
	{ "kill of the process group", SYS_kill, { 0, 0 } },
	{ "rt_sigqueueinfo", SYS_rt_sigqueueinfo, { 1, 0 } },
	{ "pidfd_open", SYS_pidfd_open, { 1 } },
	{ "setpriority", SYS_setpriority, { 0, 0, 10 } },
	{ "prctl", SYS_prctl, { 4, 1 } },
	{ "prctl for a life after the first process", SYS_prctl, { PR_SET_PDEATHSIG, 0 } },
	{ "prlimit64", SYS_prlimit64, { 0 } },
	{ "setrlimit", SYS_setrlimit, { RLIMIT_CORE } },
	{ "TIOCSTI", SYS_ioctl, { 0, 0x5412, (long)"x" } },
	{ "TIOCLINUX", SYS_ioctl, { 0, 0x541c, (long)"x" } },
	{ "TIOCSTI behind 32 bits", SYS_ioctl, { 0, 0x100005412, (long)"x" } },
	{ "KVM_SET_MSRS", SYS_ioctl, { 0, (long)KVM_SET_MSRS } },
	{ "KVM_CREATE_DEVICE", SYS_ioctl, { 0, (long)KVM_CREATE_DEVICE } },
	{ "F_SETOWN", SYS_fcntl, { 0, F_SETOWN, 1 } },
	{ "F_SETSIG", SYS_fcntl, { 0, F_SETSIG, 9 } },
	{ "mknod of a device", SYS_mknodat, { AT_FDCWD, (long)"x", S_IFCHR | 0600, 0x101 } },
	{ "mount", SYS_mount, { 0 } },
	{ "fsopen", SYS_fsopen, { (long)"tmpfs" } },
	{ "unshare", SYS_unshare, { 0 } },
	{ "setns", SYS_setns, { 0 } },
	{ "chroot", SYS_chroot, { (long)"/" } },
	{ "pivot_root", SYS_pivot_root, { 0 } },
	{ "setuid", SYS_setuid, { 0 } },
	{ "capset", SYS_capset, { 0 } },
	{ "seccomp", SYS_seccomp, { 0 } },
	{ "bpf", SYS_bpf, { 0 } },
	{ "io_uring_setup", SYS_io_uring_setup, { 1 } },
	{ "userfaultfd", SYS_userfaultfd, { 0 } },
	{ "perf_event_open", SYS_perf_event_open, { 0 } },
	{ "keyctl", SYS_keyctl, { 0 } },
	{ "init_module", SYS_init_module, { 0 } },
	{ "kexec_load", SYS_kexec_load, { 0 } },
	{ "reboot", SYS_reboot, { 0 } },
	{ "an x32 call", 0x40000000 + SYS_getpid, { 0 } },
	{ "a call of no kernel", 4095, { 0 } },
};

static void try_it(void *arg)
{
	const struct attempt *a = arg;

	jail_enter();
	syscall(a->nr, a->arg[0], a->arg[1], a->arg[2], a->arg[3], a->arg[4], a->arg[5]);
}

static void a_call_outside_the_list_kills(void **state)
{
	static struct outcome o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		forked(try_it, (void *)&attempts[i], &o);
		if (o.status != KILLED)
			fail_msg("%s: status %d, expected %d; %s", attempts[i].name, o.status, KILLED, o.err);
		assert_string_equal(o.err, "");
	}
}

/* What each network still does not add. */
static const struct {
	enum net_mode net;
	struct attempt attempt;
} beyond[] = {
	{ NET_LOOPBACK, { "a socket of TCP, which another process makes", SYS_socket, { 2, 1 } } },
	{ NET_LOOPBACK, { "a UNIX socket, likewise", SYS_socket, { 1, 1 } } },
	{ NET_LOOPBACK, { "a pair of datagram sockets", SYS_socketpair, { 1, 2 } } },
	{ NET_LISTED, { "a raw socket", SYS_socket, { 2, 3 } } },
	{ NET_HOST, { "a raw socket", SYS_socket, { 2, 3 } } },
	{ NET_HOST, { "a raw socket behind flags", SYS_socket, { 2, 3 | SOCK_CLOEXEC } } },
	{ NET_HOST, { "a socket of packets", SYS_socket, { 17, 2 } } },
	{ NET_HOST, { "a socket of netlink", SYS_socket, { 16, 2 } } },
	{ NET_HOST, { "a socket of vsock", SYS_socket, { 40, 1 } } },
	{ NET_HOST, { "binding to a device", SYS_setsockopt, { 0, 1, 25 } } },
	{ NET_HOST, { "a table of netfilter", SYS_setsockopt, { 0, 0, 64 } } },
	{ NET_HOST, { "sendto", SYS_sendto, { 0 } } },
};

static void try_beyond(void *arg)
{
	static struct config config;
	size_t i = *(size_t *)arg;

	config.net = beyond[i].net;
	net_init(&config);
	try_it((void *)&beyond[i].attempt);
}

static void a_network_adds_what_it_needs_and_no_more(void **state)
{
	static struct outcome o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
		forked(try_beyond, &i, &o);
		if (o.status != KILLED)
			fail_msg("--net %d: %s: status %d, expected %d; %s", beyond[i].net, beyond[i].attempt.name, o.status,
				 KILLED, o.err);
	}
}

static void try_int80(void *arg)
{
	long ret;

	(void)arg;
	jail_enter();
	asm volatile("int $0x80" : "=a"(ret) : "a"(20) : "memory");	/* getpid of i386 */
}

static void a_32_bit_call_kills(void **state)
{
	static struct outcome o;

	(void)state;
	forked(try_int80, NULL, &o);
	/* a kernel without 32-bit calls has no such instruction: SIGSEGV */
	if (o.status != KILLED && o.status != 128 + SIGSEGV)
		fail_msg("status %d", o.status);
}

static void use_what_is_left(void *arg)
{
	char text[8] = "";
	siginfo_t info;
	pid_t pid;
	int fd[2];

	(void)arg;
	jail_enter();
	if (pipe2(fd, O_CLOEXEC) || write(fd[1], "alive", 5) != 5 || read(fd[0], text, 8) != 5)
		_exit(1);
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		_exit(2);
	if (!malloc(10 << 20))
		_exit(3);
	pid = fork();
	if (pid == 0)
		_exit(getppid() > 0 ? 5 : 6);
	if (pid < 0 || waitid(P_PID, pid, &info, WEXITED) || info.si_status != 5)
		_exit(7);
	/* libc takes clone then, whose flags a filter can see */
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		_exit(4);
	puts(text);
}

static void the_listed_calls_still_work(void **state)
{
	static struct outcome o;

	(void)state;
	forked(use_what_is_left, NULL, &o);
	assert_string_equal(o.err, "");
	assert_int_equal(o.status, 0);
	assert_string_equal(o.out, "alive\n");
}

/* The number behind a field in a file of /proc. */
static long proc_field(pid_t pid, const char *file, const char *field)
{
	char path[64], line[256];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, field, strlen(field)) == 0)
			n = strtol(line + strlen(field), NULL, 10);
	if (f)
		fclose(f);
	return n;
}

static void each_layer_is_in_place(void **state)
{
	int ready[2];
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(300);
		jail_enter();
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(proc_field(pid, "status", "NoNewPrivs:"), 1);
	assert_int_equal(proc_field(pid, "status", "Seccomp:"), 2);
	assert_int_equal(proc_field(pid, "limits", "Max core file size"), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

#define THREADS 16

static pthread_barrier_t together;

static void *allocate(void *arg)
{
	void *p = malloc(100);

	(void)arg;
	pthread_barrier_wait(&together);
	return p;
}

static void allocate_at_once(void *arg)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	pthread_t thread[THREADS];
	void *p;

	(void)arg;
	fdtable_init(-1);
	pthread_barrier_init(&together, NULL, THREADS);
	/* not the jail: it lets no thread be made */
	if (!ctx || seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(openat), 0) ||
	    seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(sched_getaffinity), 0) || seccomp_load(ctx))
		_exit(1);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, allocate, NULL))
			_exit(2);
	for (int i = 0; i < THREADS; i++)
		if (pthread_join(thread[i], &p) || !p)
			_exit(3);
}

static void threads_allocate_memory_without_looking_for_cpus(void **state)
{
	struct outcome o;

	(void)state;
	forked(allocate_at_once, NULL, &o);
	assert_int_equal(o.status, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_outside_the_list_kills),
		cmocka_unit_test(a_network_adds_what_it_needs_and_no_more),
		cmocka_unit_test(a_32_bit_call_kills),
		cmocka_unit_test(the_listed_calls_still_work),
		cmocka_unit_test(each_layer_is_in_place),
		cmocka_unit_test(threads_allocate_memory_without_looking_for_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
