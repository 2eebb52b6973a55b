/* SPDX-License-Identifier: GPL-2.0-only */
/* Host signals: none lost, none duplicated, none mistaken for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "forked.h"
#include "../runner/end.h"
#include "../runner/interrupt.h"
#include "../runner/load.h"
#include "../runner/options.h"
#include "../runner/vcpu.h"
#include "../runner/vm.h"

#define check(x) do { if (!(x)) { dprintf(2, "line %d: %s\n", __LINE__, #x); _exit(1); } } while (0)

static struct config config;
static struct vm vm = { .config = &config, .program = "prog", .ram_size = ABI_HUGE };
static struct vcpu vcpu = { .vm = &vm };

/* A VM of which only what interrupt.c looks at is there. */
static struct abi_boot *start(void)
{
	vm.ram = mmap(NULL, ABI_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	vcpu.run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	interrupt_init(&vm);
	interrupt_attach(&vcpu);
	return (void *)(vm.ram + ABI_BOOT_GPA);
}

static void rest(void)
{
	vcpu.run->immediate_exit = 0;
	vcpu.pending = 0;
}

static int signal_of(const struct abi_signal *s)
{
	return ((const siginfo_t *)s->siginfo)->si_signo;
}

static int value_of(const struct abi_signal *s)
{
	return ((const siginfo_t *)s->siginfo)->si_value.sival_int;
}

static void passes(void (*fn)(void *))
{
	static struct outcome o;

	forked(fn, NULL, &o);
	if (o.status != 0)
		fail_msg("status %d: %s", o.status, o.err);
}

/* --------------------------------------------------------------------- the call that gives way */

static void call_while_wanted(void *arg)
{
	int fd[2];
	char c;

	(void)arg;
	start();
	check(pipe2(fd, O_NONBLOCK) == 0);
	raise(SIGUSR1);
	check(vcpu.pending && vcpu.run->immediate_exit);
	check(interruptible_syscall(SYS_write, fd[1], (long)"x", 1, 0, 0, 0) == -EINTR);
	check(read(fd[0], &c, 1) < 0 && errno == EAGAIN);
	rest();
	check(interruptible_syscall(SYS_write, fd[1], (long)"x", 1, 0, 0, 0) == 1);
	check(interruptible_syscall(SYS_write, -1, (long)"x", 1, 0, 0, 0) == -EBADF);
	/* all six arguments arrive: a private mapping of /dev/zero's second page */
	int zero = open("/dev/zero", O_RDONLY);
	long p = interruptible_syscall(SYS_mmap, 0, 8192, PROT_READ, MAP_PRIVATE, zero, 4096);
	check(p > 0 && munmap((void *)p, 8192) == 0);
	check(interruptible_syscall(SYS_mmap, 0, 8192, PROT_READ, MAP_PRIVATE, zero, 1) == -EINVAL);
}

static void a_call_is_not_made_while_the_vcpu_is_wanted(void **state)
{
	(void)state;
	passes(call_while_wanted);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * One signal at a random moment around the start of a call that never ends by
 * itself: lost once, the child hangs until forked()'s SIGALRM.
 */
static void race(void *arg)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct abi_signal s;
	unsigned int seed = 1;
	timer_t timer;

	(void)arg;
	start();
	check(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	for (int i = 0; i < 5000; i++) {
		struct itimerspec at = { .it_value.tv_nsec = 1 + rand_r(&seed) % 40000 };
		double begin = now();

		rest();
		check(timer_settime(timer, 0, &at, NULL) == 0);
		check(interruptible_syscall(SYS_pause, 0, 0, 0, 0, 0, 0) == -EINTR);
		check(now() - begin < 5);
		check(interrupt_fetch(&s, 1) == 1 && signal_of(&s) == SIGUSR1);
		check(interrupt_fetch(&s, 1) == 0);
	}
}

static void no_signal_is_lost_between_looking_and_blocking(void **state)
{
	(void)state;
	passes(race);
}

/* read() on a pipe is a call that SA_RESTART restarts. */
static void restartable(void *arg)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec at = { .it_value.tv_nsec = 20000000 };
	timer_t timer;
	int fd[2];
	char c;

	(void)arg;
	start();
	check(pipe(fd) == 0 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	check(timer_settime(timer, 0, &at, NULL) == 0);
	check(interruptible_syscall(SYS_read, fd[0], (long)&c, 1, 0, 0, 0) == -EINTR);
}

static void a_call_that_blocks_gives_way_though_handlers_restart_calls(void **state)
{
	(void)state;
	passes(restartable);
}

/* ----------------------------------------------------------------------------------- the queue */

static void queue_order(void *arg)
{
	struct abi_signal s[8];

	(void)arg;
	start();
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 1 });
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 2 });
	raise(SIGTERM);
	raise(SIGTERM);
	raise(SIGHUP);
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 3 });
	check(interrupt_waiting());
	check(interrupt_fetch(s, 3) == 3);
	check(signal_of(&s[0]) == SIGHUP && signal_of(&s[1]) == SIGTERM);
	check(signal_of(&s[2]) == SIGRTMIN + 3 && value_of(&s[2]) == 1);
	check(((siginfo_t *)s[2].siginfo)->si_pid == GUEST_PID);
	check(((siginfo_t *)s[2].siginfo)->si_code == SI_QUEUE);
	check(interrupt_fetch(s, 8) == 2 && value_of(&s[0]) == 2 && value_of(&s[1]) == 3);
	check(!interrupt_waiting() && interrupt_fetch(s, 8) == 0);
}

static void queued_signals_come_in_linux_order_with_their_siginfo(void **state)
{
	(void)state;
	passes(queue_order);
}

static void flood(void *arg)
{
	struct abi_signal s;
	int n = 0;

	(void)arg;
	start();
	for (int i = 0; i < 3000; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
	while (interrupt_fetch(&s, 1))
		check(value_of(&s) == n++);
	check(n == 1024);
}

static void a_flood_of_signals_is_cut_and_nothing_breaks(void **state)
{
	(void)state;
	passes(flood);
}

static void *kick(void *arg)
{
	interrupt_vcpu(&vcpu);
	return arg;
}

/* The last two real-time signals serve the runner, yet are the program's, too. */
static void reserved(void *arg)
{
	struct abi_signal s[4];
	pthread_t other;

	(void)arg;
	start();
	sigqueue(getpid(), INTERRUPT_KICK, (union sigval){ .sival_int = 5 });
	sigqueue(getpid(), INTERRUPT_LIMIT, (union sigval){ .sival_int = 6 });
	check(interrupt_fetch(s, 4) == 2);
	rest();
	check(pthread_create(&other, NULL, kick, NULL) == 0);
	check(interruptible_syscall(SYS_pause, 0, 0, 0, 0, 0, 0) == -EINTR);
	check(pthread_join(other, NULL) == 0);
	check(interrupt_fetch(s, 4) == 0 && !ended());
}

static void the_runners_own_signals_are_told_from_the_programs(void **state)
{
	(void)state;
	passes(reserved);
}

static void libc_signals(void *arg)
{
	struct abi_signal s[4];

	(void)arg;
	start();
	/* glibc keeps 32 and 33 to itself; the program must still survive them */
	syscall(SYS_tgkill, getpid(), getpid(), 32);
	syscall(SYS_tgkill, getpid(), getpid(), 33);
	check(interrupt_fetch(s, 4) == 2);
}

static void signals_of_libc_reach_the_program(void **state)
{
	(void)state;
	passes(libc_signals);
}

static void inherited(void *arg)
{
	sigset_t set;
	struct abi_boot *boot;

	(void)arg;
	signal(SIGHUP, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	boot = start();
	/* but for 32 and 33, which libc keeps and would not let us reset */
	check((boot->ignored & ~(3ull << 31)) == (1ull << (SIGHUP - 1) | 1ull << (SIGTTOU - 1)));
	check(boot->blocked == 1ull << (SIGUSR2 - 1));
	raise(SIGHUP);
	raise(SIGUSR2);
	check(interrupt_waiting());
}

static void what_the_caller_ignored_and_blocked_is_passed_on(void **state)
{
	(void)state;
	passes(inherited);
}

/* ------------------------------------------------------------------------- the runner's own end */

static void crash(void *arg)
{
	(void)arg;
	start();
	munmap(vm.ram, ABI_HUGE);
	*(volatile uint8_t *)vm.ram = 1;
}

static int overflow(volatile char *up, int depth)
{
	volatile char here[65536];

	here[0] = *up;
	return depth ? overflow(here, depth - 1) + here[0] : 0;
}

static void crash_by_stack(void *arg)
{
	char c = 0;

	(void)arg;
	start();
	exit(overflow(&c, 1 << 20));
}

static void threat_21_a_crash_of_the_runner_is_told_as_its_own(void **state)
{
	static struct outcome o;

	(void)state;
	forked(crash, NULL, &o);
	assert_complains(&o, 125, "internal error: signal 11");
	forked(crash_by_stack, NULL, &o);
	assert_complains(&o, 125, "internal error: signal 11");
}

static void spin_past_the_limit(void *arg)
{
	(void)arg;
	config.timeout_ns = 200000000;
	start();
	for (;;)
		;
}

static void the_limit_ends_a_runner_that_does_not_look(void **state)
{
	static struct outcome o;
	double begin = now();

	(void)state;
	forked(spin_past_the_limit, NULL, &o);
	assert_complains(&o, 124, "prog: time limit of 200ms reached (--timeout)");
	assert_true(now() - begin < 5);
}

static void wait_past_the_limit(void *arg)
{
	(void)arg;
	config.timeout_ns = 1500000000;
	start();
	check(interruptible_syscall(SYS_pause, 0, 0, 0, 0, 0, 0) == -EINTR);
	check(ended() && end_get().cause == END_TIMEOUT && end_get().status == 124);
	interrupt_run_over();
	interrupt_limit_report();
	/* past the run, the limit's force is gone */
	double begin = now();
	while (now() - begin < 0.3)
		;
	exit(9);
}

static void the_limit_interrupts_a_call_and_is_told_once(void **state)
{
	static struct outcome o;

	(void)state;
	forked(wait_past_the_limit, NULL, &o);
	assert_complains(&o, 9, "prog: time limit of 1500ms reached (--timeout)");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_not_made_while_the_vcpu_is_wanted),
		cmocka_unit_test(no_signal_is_lost_between_looking_and_blocking),
		cmocka_unit_test(a_call_that_blocks_gives_way_though_handlers_restart_calls),
		cmocka_unit_test(queued_signals_come_in_linux_order_with_their_siginfo),
		cmocka_unit_test(a_flood_of_signals_is_cut_and_nothing_breaks),
		cmocka_unit_test(the_runners_own_signals_are_told_from_the_programs),
		cmocka_unit_test(signals_of_libc_reach_the_program),
		cmocka_unit_test(what_the_caller_ignored_and_blocked_is_passed_on),
		cmocka_unit_test(threat_21_a_crash_of_the_runner_is_told_as_its_own),
		cmocka_unit_test(the_limit_ends_a_runner_that_does_not_look),
		cmocka_unit_test(the_limit_interrupts_a_call_and_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
