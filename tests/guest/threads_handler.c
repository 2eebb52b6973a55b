/* SPDX-License-Identifier: GPL-2.0-only */
/* Handlers that run in threads: their stacks, faults in many at once, preemption, cancellation. */
#include "thread.h"

#include <poll.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <ucontext.h>

static atomic_int count, ready, wrong;
static atomic_bool done;
static volatile pid_t worker;

/* ------------------------------------------------------------- stacks */

static __thread char *own_stack;
static __thread sigjmp_buf back;

static bool on_own_stack(void)
{
	char here;

	return (uintptr_t)&here - (uintptr_t)own_stack < 65536;
}

static void overflowed(int sig, siginfo_t *info, void *context)
{
	stack_t s;

	(void)sig, (void)info, (void)context;
	sigaltstack(NULL, &s);
	wrong += !on_own_stack() || s.ss_sp != own_stack || s.ss_flags != SS_ONSTACK;
	count++;
	siglongjmp(back, 1);
}

static int recurse(volatile char *above)
{
	volatile char frame[1000];

	frame[0] = above[0];
	return done ? 0 : recurse(frame) + frame[0];
}

static void *overflow(void *arg)
{
	stack_t s;

	/* it is not the maker's */
	wrong += sigaltstack(NULL, &s) || s.ss_flags != SS_DISABLE || s.ss_sp || s.ss_size;
	own_stack = malloc(65536);
	s = (stack_t){ .ss_sp = own_stack, .ss_size = 65536 };
	wrong += sigaltstack(&s, NULL) != 0;
	for (volatile int i = 0; i < 10; i++)
		if (!sigsetjmp(back, 1))
			recurse("");
	wrong += sigaltstack(NULL, &s) || s.ss_sp != own_stack || s.ss_flags;
	return arg;
}

static void stacks(void)
{
	stack_t s = { .ss_sp = own_stack = malloc(65536), .ss_size = 65536 };
	pthread_attr_t attr;
	pthread_t threads[4];

	sigaltstack(&s, NULL);
	catch_flags(SIGSEGV, overflowed, SA_ONSTACK);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], &attr, overflow, NULL))
			exit(90);
	for (int i = 0; i < 4; i++)
		join(threads[i]);
	sigaltstack(NULL, &s);
	check("main's is as it was", s.ss_sp == own_stack && !s.ss_flags);
	printf("%d overflows, %d wrong\n", count, wrong);
}

/* ------------------------------------------------------------- faults and the like, in many at once */

static char *closed;
static __thread void *expected;

static void faulted(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	wrong += info->si_addr != expected || info->si_code != SEGV_ACCERR;
	siglongjmp(back, 1);
}

static void divided(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	wrong += info->si_code != FPE_INTDIV;
	uc->uc_mcontext.gregs[REG_RCX] = 7;
}

static void *fault_often(void *arg)
{
	volatile int zero = 0;

	for (volatile int i = 0; i < 300; i++) {
		expected = closed + (long)arg * 128 + i % 100;
		if (!sigsetjmp(back, 1)) {
			*(volatile char *)expected = 1;
			wrong++;
		}
		if (i % 3 == 0) {
			int quotient = 84, rest, divisor = zero;

			asm volatile("cltd; idivl %%ecx" : "+a"(quotient), "=&d"(rest), "+c"(divisor));
			wrong += quotient != 12;
		}
	}
	return arg;
}

static void faults(void)
{
	closed = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	catch_flags(SIGSEGV, faulted, 0);
	catch_flags(SIGFPE, divided, 0);
	run_threads(8, fault_often);
	printf("%d wrong\n", wrong);
}

static void meet(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	count++;
	SPIN_UNTIL(count == 4);
}

static void *be_met(void *arg)
{
	ready++;
	WAIT_UNTIL(count == 4);
	return arg;
}

/* A handler blocks its signal in its own thread only; what one thread has set is so for all. */
static void *set_handler(void *arg)
{
	catch_flags(SIGUSR1, meet, 0);
	signal(SIGUSR2, SIG_IGN);
	return arg;
}

static void at_once(void)
{
	pthread_t threads[4];

	join(start(set_handler, NULL));
	for (int i = 0; i < 4; i++)
		threads[i] = start(be_met, NULL);
	WAIT_UNTIL(ready == 4);
	for (int i = 0; i < 4; i++) {
		pthread_kill(threads[i], SIGUSR2);
		pthread_kill(threads[i], SIGUSR1);
	}
	for (int i = 0; i < 4; i++)
		join(threads[i]);
	printf("%d at once\n", count);
}

/* ------------------------------------------------------------- preemption */

static void counting(int sig, siginfo_t *info, void *context)
{
	volatile double spoiled = 1.5;

	(void)sig, (void)info, (void)context;
	for (int i = 0; i < 100; i++)
		spoiled *= 1.01;
	count++;
}

static void *sum_up(void *arg)
{
	long bad = 0;

	worker = tid();
	while (!done) {
		uint64_t sum = 0, seed = 12345;
		double root = 0;

		for (int i = 0; i < 20000; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			sum += seed >> 40;
			root += 0.5;
		}
		bad += sum != (uint64_t)(long)arg || root != 10000;
	}
	return (void *)bad;
}

static long right_sum(void)
{
	uint64_t sum = 0, seed = 12345;

	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		sum += seed >> 40;
	}
	return sum;
}

/* As a runtime preempts its threads: signal after signal to one that computes. */
static void preempted(void)
{
	pthread_t thread;

	catch_flags(SIGURG, counting, SA_RESTART);
	thread = start(sum_up, (void *)right_sum());
	SPIN_UNTIL(worker);
	for (int i = 1; i <= argument; i++) {
		wrong += tgkill_(worker, SIGURG) != 0;
		SPIN_UNTIL(count == i);
	}
	done = true;
	printf("%ld sums are wrong", (long)join(thread));
	printf(", %d handled\n", count);
}

/* Counts in registers and calls nothing: a handler may push a call between any two instructions. */
uint64_t loop_left = 1, loops, calls;

asm(".globl loop\n"
    "loop:\n"
    "	push %rbx; xor %ebx, %ebx; xor %edx, %edx\n"
    "loop_begin:\n"
    "	inc %rbx; add $3, %rdx; lea (%rbx, %rbx, 2), %rcx; cmp %rcx, %rdx; jne 1f\n"
    "	cmpl $0, loop_left(%rip); jne loop_begin\n"
    "loop_end:\n"
    "	mov %rbx, %rax; pop %rbx; ret\n"
    "1:	xor %eax, %eax; pop %rbx; ret\n"
    ".globl pushed\n"
    "pushed:\n"
    "	pushf; push %rax; push %rcx; push %rdx\n"
    "	incq calls(%rip)\n"
    "	mov $24, %eax\n"
    "	push %r11; syscall; pop %r11\n"
    "	xor %ecx, %ecx; xor %edx, %edx\n"
    "	pop %rdx; pop %rcx; pop %rax; popf\n"
    "	ret\n");
uint64_t loop(void);
extern char loop_begin[], loop_end[], pushed[];

static void push_call(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig, (void)info;
	if ((uintptr_t)g[REG_RIP] - (uintptr_t)loop_begin < (uintptr_t)(loop_end - loop_begin)) {
		g[REG_RSP] -= 8;
		*(greg_t *)g[REG_RSP] = g[REG_RIP];
		g[REG_RIP] = (greg_t)pushed;
		loops++;
	}
	count++;
}

static void *run_loop(void *arg)
{
	worker = tid();
	return loop() ? "right" : arg;
}

static void pushed_calls(void)
{
	pthread_t thread;

	catch_flags(SIGURG, push_call, SA_RESTART);
	thread = start(run_loop, "wrong");
	SPIN_UNTIL(worker);
	for (int i = 1; i <= 100; i++) {
		tgkill_(worker, SIGURG);
		SPIN_UNTIL(count == i);
	}
	*(volatile uint64_t *)&loop_left = 0;
	printf("%s\n", (char *)join(thread));
	check("as many calls as were pushed", loops == calls && calls > 0);
}

/* ------------------------------------------------------------- cancellation */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int ends[2];

static void clean_up(void *arg)
{
	count += arg == &count;
}

static void release(void *m)
{
	/* it is held again */
	wrong += pthread_mutex_trylock(m) != EBUSY;
	pthread_mutex_unlock(m);
}

static void c_read(void)
{
	char c;

	wrong += read(ends[0], &c, 1) != 77;
}

static void c_sleep(void)
{
	sleep(1000);
}

static void c_poll(void)
{
	poll(NULL, 0, -1);
}

static void c_sem(void)
{
	sem_wait(&sem);
}

static void c_cond(void)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(release, &mutex);
	for (;;)
		pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(0);
}

static void c_test(void)
{
	for (;;)
		pthread_testcancel();
}

static void c_async(void)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;)
		asm volatile("pause");
}

static void *no_more(void *arg)
{
	WAIT_UNTIL(done);
	return arg;
}

static void c_join(void)
{
	pthread_join(start(no_more, NULL), NULL);
}

/* Not while it is disabled. */
static void c_disabled(void)
{
	int before = count;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	for (int i = 0; i < 20; i++) {
		sleep_ms(1);
		pthread_testcancel();
	}
	wrong += count != before;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	c_sleep();
}

static const struct cancelled {
	const char *name;
	void (*run)(void);
} ways[] = {
	{ "read", c_read }, { "sleep", c_sleep }, { "poll", c_poll }, { "sem_wait", c_sem }, { "cond_wait", c_cond },
	{ "testcancel", c_test }, { "asynchronous", c_async }, { "join", c_join }, { "disabled", c_disabled },
};

static void *be_cancelled(void *arg)
{
	pthread_cleanup_push(clean_up, &count);
	ready = 1;
	((const struct cancelled *)arg)->run();
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel(void)
{
	if (pipe(ends))
		exit(89);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(ways); i++) {
		pthread_t thread;

		ready = 0;
		thread = start(be_cancelled, (void *)&ways[i / 2]);
		WAIT_UNTIL(ready);
		/* well in it, or perhaps before it */
		if (i & 1)
			sleep_ms(10);
		pthread_cancel(thread);
		printf("%s: %s\n", ways[i / 2].name, join(thread) == PTHREAD_CANCELED ? "cancelled" : "NO");
	}
	done = true;
	printf("%d cleaned up, %d wrong\n", count, wrong);
}

/* ------------------------------------------------------------- what libc tells all threads */

static void *stay(void *arg)
{
	ready++;
	if ((long)arg & 1)
		SPIN_UNTIL(done);
	else
		WAIT_UNTIL(done);
	return (void *)(long)(getuid() == geteuid());
}

/* libc signals every thread to change ids, and waits for all. */
static void ids(void)
{
	pthread_t threads[8];
	long sum = 0;

	for (long i = 0; i < 8; i++)
		threads[i] = start(stay, (void *)i);
	WAIT_UNTIL(ready == 8);
	for (int i = 0; i < 10; i++)
		wrong += setuid(getuid()) || setgid(getgid()) || setresuid(-1, getuid(), -1);
	done = true;
	for (int i = 0; i < 8; i++)
		sum += (long)join(threads[i]);
	printf("%ld threads, %d wrong\n", sum, wrong);
}

static const struct part parts[] = {
	{ "stacks", stacks }, { "faults", faults }, { "at-once", at_once }, { "preempted", preempted },
	{ "pushed-calls", pushed_calls }, { "cancel", cancel }, { "ids", ids },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
