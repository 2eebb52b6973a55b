/* SPDX-License-Identifier: GPL-2.0-only */
/* What a runner that the guest has taken over still cannot do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "attempts.h"
#include "forked.h"
#include "listening.h"
#include "lib/tree.h"
#include "../runner/fdtable.h"
#include "../runner/jail.h"
#include "../runner/landlock.h"
#include "../runner/net.h"
#include "../runner/policy.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define KILLED (128 + SIGSYS)
#define NOBODY 65534

static struct config config;

static void try_it(void *arg)
{
	const struct attempt *a = arg;

	jail_enter(&config);
	attempt_make(a);
}

static void threat_38_a_call_outside_the_list_kills(void **state)
{
	static struct outcome o;

	(void)state;
	for (size_t i = 0; i < forbidden_count; i++) {
		forked(try_it, (void *)&forbidden[i], &o);
		if (o.status != KILLED)
			fail_msg("%s: status %d, expected %d; %s", forbidden[i].name, o.status, KILLED, o.err);
		assert_string_equal(o.err, "");
	}
}

/* What each network still does not add. */
static const struct {
	enum net_mode net;
	struct attempt attempt;
} beyond[] = {
	{ NET_LOOPBACK, { "a socket of TCP, which another process makes", SYS_socket, { 2, 1 }, KILLS, 0, NULL } },
	{ NET_LOOPBACK, { "a UNIX socket, likewise", SYS_socket, { 1, 1 }, KILLS, 0, NULL } },
	{ NET_LOOPBACK, { "a pair of datagram sockets", SYS_socketpair, { 1, 2 }, KILLS, 0, NULL } },
	{ NET_LISTED, { "a raw socket", SYS_socket, { 2, 3 }, KILLS, 0, NULL } },
	{ NET_LISTED, { "a socket of MPTCP, whose ports Landlock does not know", SYS_socket, { 2, 1, 262 }, KILLS, 0, NULL } },
	{ NET_LISTED, { "a socket of ICMP", SYS_socket, { 2, 2, 1 }, KILLS, 0, NULL } },
	{ NET_LISTED, { "connecting by a message", SYS_sendmsg, { 0, 0, MSG_FASTOPEN }, KILLS, 0, NULL } },
	{ NET_HOST, { "a socket of SCTP", SYS_socket, { 2, 1, 132 }, KILLS, 0, NULL } },
	{ NET_HOST, { "a UNIX socket that is raw", SYS_socket, { 1, 3 }, KILLS, 0, NULL } },
	{ NET_HOST, { "a raw socket", SYS_socket, { 2, 3 }, KILLS, 0, NULL } },
	{ NET_HOST, { "a raw socket behind flags", SYS_socket, { 2, 3 | SOCK_CLOEXEC }, KILLS, 0, NULL } },
	{ NET_HOST, { "a socket of packets", SYS_socket, { 17, 2 }, KILLS, 0, NULL } },
	{ NET_HOST, { "a socket of netlink", SYS_socket, { 16, 2 }, KILLS, 0, NULL } },
	{ NET_HOST, { "a socket of vsock", SYS_socket, { 40, 1 }, KILLS, 0, NULL } },
	{ NET_HOST, { "binding to a device", SYS_setsockopt, { 0, 1, 25 }, KILLS, 0, NULL } },
	{ NET_HOST, { "a table of netfilter", SYS_setsockopt, { 0, 0, 64 }, KILLS, 0, NULL } },
	{ NET_HOST, { "sendto", SYS_sendto, { 0 }, KILLS, 0, NULL } },
};

static void try_beyond(void *arg)
{
	size_t i = *(size_t *)arg;

	config.net = beyond[i].net;
	net_init(&config);
	try_it((void *)&beyond[i].attempt);
}

static void threat_38_a_network_adds_what_it_needs_and_no_more(void **state)
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
	jail_enter(&config);
	asm volatile("int $0x80" : "=a"(ret) : "a"(20) : "memory");	/* getpid of i386 */
}

static void threat_38_a_32_bit_call_kills(void **state)
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
	jail_enter(&config);
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

/* A process that has gone to jail, as who; killed and waited for by leave(). */
static pid_t jailed(uid_t user)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(300);
		if (user && (setgroups(0, NULL) || setresgid(user, user, user) || setresuid(user, user, user)))
			_exit(2);
		jail_enter(&config);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void leave(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void threat_38_each_layer_is_in_place(void **state)
{
	static const char *const none[] = { "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:" };
	pid_t pid = jailed(0);

	(void)state;
	assert_int_equal(proc_field(pid, "status", "NoNewPrivs:", 10), 1);
	assert_int_equal(proc_field(pid, "status", "Seccomp:", 10), 2);
	assert_int_equal(proc_field(pid, "limits", "Max core file size", 10), 0);
	assert_int_equal(proc_field(pid, "limits", "Max msgqueue size", 10), 0);
	/* who has no right to shrink the bounding set keeps what is of no use to him */
	for (size_t i = 0; i < (geteuid() == 0 ? ARRAY_SIZE(none) : 3); i++)
		assert_int_equal(proc_field(pid, "status", none[i], 16), 0);
	leave(pid);
}

/* Its files in /proc are root's then, whoever it is. */
static void threat_39_the_runner_is_not_dumpable_and_leaves_no_core(void **state)
{
	uid_t user = geteuid() == 0 ? NOBODY : geteuid();
	pid_t pid = jailed(geteuid() == 0 ? user : 0), reader;
	char path[64];
	struct stat st;
	int status;

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	reader = fork();
	if (reader == 0) {
		if (setresuid(user, user, user))
			_exit(1);
		_exit(open(path, O_RDONLY) >= 0 ? 2 : errno == EACCES ? 0 : 3);
	}
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	assert_int_equal(proc_field(pid, "limits", "Max core file size", 10), 0);
	leave(pid);
}

/* ------------------------------------------------------------- what the grants leave to the runner */

static char *tree;

static void make_tree(uid_t user)
{
	static const char *const all[] = { "ro", "ro/dir", "ro/file", "rw", "rw/file", "out", "out/file" };

	tree = tree_new();
	tree_dir(tree, "ro", 0777);
	tree_dir(tree, "ro/dir", 0777);
	tree_file(tree, "ro/file", "ro", 0);
	tree_dir(tree, "rw", 0777);
	tree_file(tree, "rw/file", "rw", 0);
	tree_dir(tree, "out", 0777);
	tree_file(tree, "out/file", "out", 0);
	/* everybody may do everything, and all is the caller's: it is neither modes nor owners that keep anyone out */
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		char *path = tree_path(tree, all[i]);

		assert_int_equal(chmod(path, 0777), 0);
		if (user)
			assert_int_equal(chown(path, user, user), 0);
		free(path);
	}
	assert_int_equal(chmod(tree, 0755), 0);
}

static void enter_tree(uid_t user)
{
	static struct grant grants[] = { { "ro", "/ro", false }, { "rw", "/rw", true } };
	static struct config granted = { .grants = grants, .ngrants = 2 };
	const struct rlimit size = { 1 << 30, 1 << 30 };

	if (chdir(tree) || setrlimit(RLIMIT_FSIZE, &size) || (user && (setgroups(0, NULL) || setresgid(user, user, user) || setresuid(user, user, user))))
		_exit(1);
	fdtable_init(-1);
	policy_init(&granted);
	net_init(&granted);
	jail_enter(&granted);
}

struct reach {
	const struct attempt *attempt;
	uid_t user;
};

static void try_reach(void *arg)
{
	const struct reach *reach = arg;

	enter_tree(reach->user);
	printf("%ld", attempt_make(reach->attempt));
}

static void reach_all(uid_t user)
{
	static struct outcome o;
	int abi = landlock_abi();

	make_tree(user);
	for (size_t i = 0; i < reaches_count; i++) {
		const struct attempt *a = &reaches[i];
		struct reach reach = { a, user };
		long result;

		forked(try_reach, &reach, &o);
		if (a->abi > abi)
			continue;
		result = o.status ? o.status : strtol(o.out, NULL, 10);
		if (!attempt_as_expected(a, o.status == KILLED, result))
			fail_msg("%s: %ld, not %ld; %s", a->name, result, a->expected, o.err);
	}
	/* older ones do not keep it from being cut short */
	assert_string_equal(tree_read(tree, "ro/file", NULL), abi < 3 ? "" : "ro");
	assert_string_equal(tree_read(tree, "out/file", NULL), "out");
	tree_remove(tree);
	free(tree);
}

static void threat_38_what_is_not_granted_is_out_of_the_runners_reach(void **state)
{
	(void)state;
	reach_all(0);
}

static void threat_38_likewise_for_an_ordinary_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		/* the test before this one was it */
		return;
	reach_all(NOBODY);
}

/* ------------------------------------------------------------- ports */

static uint16_t listed[2];	/* for connecting and for listening */

static void try_port(void *arg)
{
	static struct config ports = { .net = NET_LISTED, .nconnect = 1, .nlisten = 1 };
	static char target[32];

	snprintf(target, sizeof(target), "127.0.0.1:%u", listed[0]);
	ports.net_connect = (const char *[]){ target };
	ports.net_listen = &listed[1];
	fdtable_init(-1);
	policy_init(&ports);
	net_init(&ports);
	jail_enter(&ports);
	printf("%ld", attempt_port(arg, listed[0], listed[1]));
}

static void threat_38_ports_are_those_that_are_listed(void **state)
{
	int abi = landlock_abi(), listening = listening_at_port(&listed[0]), name = listening_abstract(ATTEMPT_ABSTRACT);
	static struct outcome o;

	(void)state;
	close(listening_at_port(&listed[1]));
	for (size_t i = 0; i < port_attempt_count; i++) {
		const struct port_attempt *a = &port_attempts[i];
		long result;

		forked(try_port, (void *)a, &o);
		if (a->abi > abi)
			continue;
		result = o.status ? o.status : strtol(o.out, NULL, 10);
		if (!attempt_port_as_expected(a, o.status == KILLED, result))
			fail_msg("%s: %ld, not %ld; %s", a->name, result, a->expected, o.err);
	}
	close(listening);
	close(name);
	if (abi < 4) {
		print_message("Landlock of this kernel knows no ports: they are kept by the runner alone\n");
		skip();
	}
}

/* The families that there are numbers for, and more. */
static void threat_38_no_network_has_sockets_of_other_families(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW };
	static struct outcome o;

	(void)state;
	config.net = NET_HOST;
	net_init(&config);
	for (int family = 0; family < 48; family++)
		for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
			const struct attempt a = { "", SYS_socket, { family, types[i] }, KILLS, 0, NULL };
			bool is = (family == AF_UNIX || family == AF_INET || family == AF_INET6) && types[i] != SOCK_RAW;

			forked(try_it, (void *)&a, &o);
			if (o.status != (is ? 0 : KILLED))
				fail_msg("family %d, type %d: status %d", family, types[i], o.status);
		}
	memset(&config, 0, sizeof(config));
	net_init(&config);
}

static void without_landlock(void *arg)
{
	const int *error = arg;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!ctx || seccomp_rule_add(ctx, SCMP_ACT_ERRNO(*error), SCMP_SYS(landlock_create_ruleset), 0) || seccomp_load(ctx))
		_exit(1);
	jail_enter(&config);
	puts("jailed");
}

static void threat_41_a_kernel_without_landlock_is_refused_unless_an_option_names_it(void **state)
{
	static const struct {
		int error;
		const char *part;
	} kernels[] = {
		{ ENOSYS, "use kernel 5.13 or later" }, { EOPNOTSUPP, "add landlock to lsm=" },
	};
	static struct outcome o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		config.insecure_no_landlock = false;
		forked(without_landlock, (void *)&kernels[i].error, &o);
		assert_complains(&o, 125, kernels[i].part);
		assert_complains(&o, 125, "--insecure-no-landlock");
		config.insecure_no_landlock = true;
		forked(without_landlock, (void *)&kernels[i].error, &o);
		config.insecure_no_landlock = false;
		assert_int_equal(o.status, 0);
		assert_string_equal(o.out, "jailed\n");
	}
}

static void read_anything(void *arg)
{
	struct open_how how = { .flags = O_RDONLY };
	struct attempt read_it = { "", SYS_openat2, { AT_FDCWD, (long)"/etc/passwd", (long)&how, sizeof(how) }, 0, 0, NULL };

	(void)arg;
	jail_enter(&config);
	puts(attempt_make(&read_it) == -EACCES ? "no" : "yes");
}

/* The option is for kernels that lack it: the others use it all the same. */
static void threat_40_no_option_drops_a_layer_that_the_kernel_has(void **state)
{
	static struct outcome o;

	(void)state;
	config.insecure_no_landlock = config.trace = config.explain = config.stats = true;
	forked(read_anything, NULL, &o);
	assert_string_equal(o.out, "no\n");
	for (size_t i = 0; i < forbidden_count; i += 10) {
		forked(try_it, (void *)&forbidden[i], &o);
		assert_int_equal(o.status, KILLED);
	}
	memset(&config, 0, sizeof(config));
}

/* What each ABI lacks is told, and less of it by each one. */
static void what_a_kernels_landlock_lacks_is_named(void **state)
{
	size_t before = 99;

	(void)state;
	for (int abi = 1; abi <= 9; abi++) {
		size_t n = 0;

		while (landlock_lack(abi, n))
			n++;
		assert_true(n <= before);
		assert_true(n > 0 || abi == 9);
		before = n;
	}
	assert_non_null(strstr(landlock_lack(1, 0), "EXDEV"));
	assert_non_null(strstr(landlock_lack(2, 0), "truncation"));
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
		cmocka_unit_test(threat_38_a_call_outside_the_list_kills),
		cmocka_unit_test(threat_38_a_network_adds_what_it_needs_and_no_more),
		cmocka_unit_test(threat_38_a_32_bit_call_kills),
		cmocka_unit_test(the_listed_calls_still_work),
		cmocka_unit_test(threat_38_each_layer_is_in_place),
		cmocka_unit_test(threat_39_the_runner_is_not_dumpable_and_leaves_no_core),
		cmocka_unit_test(threat_38_what_is_not_granted_is_out_of_the_runners_reach),
		cmocka_unit_test(threat_38_likewise_for_an_ordinary_user),
		cmocka_unit_test(threat_38_ports_are_those_that_are_listed),
		cmocka_unit_test(threat_38_no_network_has_sockets_of_other_families),
		cmocka_unit_test(threat_41_a_kernel_without_landlock_is_refused_unless_an_option_names_it),
		cmocka_unit_test(threat_40_no_option_drops_a_layer_that_the_kernel_has),
		cmocka_unit_test(what_a_kernels_landlock_lacks_is_named),
		cmocka_unit_test(threads_allocate_memory_without_looking_for_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
