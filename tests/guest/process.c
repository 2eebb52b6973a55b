/* SPDX-License-Identifier: GPL-2.0-only */
/* How processes begin: what a child has of its parent's, and what is its own. */
#include "process.h"

#include <fenv.h>
#include <sys/prctl.h>
#include <sys/times.h>

static int global = 1;
static _Thread_local int local = 2;

static void copies(void)
{
	int *heap = malloc(sizeof(*heap)), stack = 4;
	pid_t pid;

	*heap = 3;
	pid = fork_or_end();
	if (!pid) {
		check("the child has copies", global == 1 && local == 2 && *heap == 3 && stack == 4);
		global = local = *heap = stack = 100;
		_exit(global + local + *heap + stack == 400 ? 5 : 6);
	}
	printf("ended with %d\n", ended(pid));
	check("the parent's are as they were", global == 1 && local == 2 && *heap == 3 && stack == 4);
}

/* 64 MiB that both sides have touched, and both write all of. */
static void large(void)
{
	size_t size = (argument ? argument : 64) << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long wrong = 0;
	pid_t pid;

	for (size_t at = 0; at < size; at += PAGE)
		*(long *)(p + at) = at;
	pid = fork_or_end();
	for (size_t at = 0; at < size; at += PAGE) {
		wrong += *(long *)(p + at) != (long)at;
		*(long *)(p + at) = at * (pid ? 3 : 7);
	}
	for (size_t at = 0; at < size; at += PAGE)
		wrong += *(long *)(p + at) != (long)at * (pid ? 3 : 7);
	if (!pid)
		_exit(wrong ? 1 : 0);
	printf("the child: %d, %ld wrong\n", ended(pid), wrong);
}

static void ids(void)
{
	pid_t me = getpid(), pid, *seen = shared(4 * sizeof(*seen));
	bool good;

	pid = fork_or_end();
	if (!pid) {
		seen[0] = getpid();
		seen[1] = getppid();
		seen[2] = tid();
		seen[3] = getpgrp();
		_exit(0);
	}
	good = ended(pid) == 0;
	check("it ended", good);
	check("its id is what fork() returned", seen[0] == pid);
	check("its parent is this", seen[1] == me && getpid() == me);
	check("its thread's id is its own", seen[2] == pid);
	check("its group is its parent's", seen[3] == getpgrp());
	check("ids differ", pid != me && pid > 0);
}

static void statuses(void)
{
	int wrong = 0;

	for (int i = 0; i < 256; i += argument ? argument : 1) {
		pid_t pid = fork_or_end();

		if (!pid)
			_exit(i);
		wrong += reap(pid) != i << 8;
	}
	printf("%d wrong\n", wrong);
	for (int i = 256; i < 259; i++) {
		pid_t pid = fork_or_end();

		if (!pid)
			_exit(i);
		printf("%d: %d\n", i, ended(pid));
	}
}

static int returned(long how)
{
	if (how == 1)
		exit(11);
	if (how == 2)
		syscall(SYS_exit, 12);
	if (how == 3)
		quick_exit(13);
	if (how == 4)
		abort();
	return 10;
}

static void ends(void)
{
	for (long i = 0; i < 5; i++)
		printf("%ld: %d\n", i, ended(child(returned, i)));
}

/* Each signal that ends a process, by itself, and by its parent. */
static int by_itself(long sig)
{
	signal(sig, SIG_DFL);
	raise(sig);
	return 1;
}

static void deadly(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		int status;
		pid_t pid;

		if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU || sig == 32 || sig == 33)
			continue;
		/* whatever the caller ignores */
		signal(sig, SIG_DFL);
		status = reap(child(by_itself, sig));
		printf("signal %d: %d", sig, code_of(status));
		if (sig != SIGCHLD && sig != SIGCONT && sig != SIGURG && sig != SIGWINCH) {
			pid = child(forever, 0);
			kill(pid, sig);
			printf(", by its parent %d", ended(pid));
		}
		printf("\n");
	}
}

static int fault(long how)
{
	static const char code[] = { 0x0f, 0x0b };

	if (how == 0)
		asm volatile("movl $1, (%0)" : : "r"(BAD) : "memory");
	if (how == 1)
		asm volatile("xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tdiv %%ecx" : : : "rax", "rcx", "rdx");
	if (how == 2)
		((void (*)(void))code)();
	if (how == 3)
		asm volatile("ud2");
	if (how == 4)
		asm volatile("int3");
	if (how == 5)
		asm volatile("hlt");
	return 99;
}

static void faults(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	for (long i = 0; i < 6; i++)
		printf("%ld: %d\n", i, ended(child(fault, i)));
}

/* ------------------------------------------------------------- registers */

/* Calls nr with YMM6 full of seed, if there is such a register: whether it still is, behind the call. */
static bool vectors_kept(bool avx, long seed, long nr, long *ret)
{
	long in[4] = { seed, seed + 1, seed + 2, seed + 3 }, out[4];

	memcpy(out, in, sizeof(in));
	asm volatile("test %b[avx], %b[avx]\n\tjz 1f\n\tvmovdqu %[in], %%ymm6\n"
		     "1:\tsyscall\n\t"
		     "test %b[avx], %b[avx]\n\tjz 2f\n\tvmovdqu %%ymm6, %[out]\n\tvzeroupper\n2:"
		     : "=a"(*ret), [out] "+m"(out)
		     : "0"(nr), [in] "m"(in), [avx] "r"(avx)
		     : "rcx", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
		       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
	return !memcmp(in, out, sizeof(in));
}

static void vectors(void)
{
	long pid;
	bool kept = vectors_kept(__builtin_cpu_supports("avx"), 0x1122334455667788, SYS_fork, &pid);

	if (!pid)
		_exit(kept ? 5 : 6);
	check("the parent's are kept", kept);
	printf("the child: %d\n", ended(pid));
}

/* The bare call, with values in registers that calls keep: what they are behind it. */
static void registers(void)
{
	unsigned long r12, r13, r14, r15, rbx, r8, r9;
	unsigned int mxcsr = 0x3f80, seen_mxcsr;
	unsigned short cw = 0xe7f, seen_cw;
	long double x = 1.25L, y;
	int status;
	long pid;

	asm volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(cw));
	asm volatile("fldt %[x]\n\t"
		     "mov $0x12, %%r12\n\tmov $0x13, %%r13\n\tmov $0x14, %%r14\n\tmov $0x15, %%r15\n\t"
		     "mov $0xb, %%rbx\n\tmov $0x8, %%r8\n\tmov $0x9, %%r9\n\t"
		     "syscall\n\t"
		     "fstpt %[y]\n\t"
		     "mov %%r12, %[r12]\n\tmov %%r13, %[r13]\n\tmov %%r14, %[r14]\n\tmov %%r15, %[r15]\n\t"
		     "mov %%rbx, %[rbx]\n\tmov %%r8, %[r8]\n\tmov %%r9, %[r9]\n\t"
		     : "=a"(pid), [y] "=m"(y), [r12] "=m"(r12), [r13] "=m"(r13), [r14] "=m"(r14), [r15] "=m"(r15),
		       [rbx] "=m"(rbx), [r8] "=m"(r8), [r9] "=m"(r9)
		     : "0"((long)SYS_fork), [x] "m"(x)
		     : "rbx", "rcx", "r8", "r9", "r11", "r12", "r13", "r14", "r15", "memory");
	asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(seen_mxcsr), "=m"(seen_cw));
	mxcsr = 0x1f80;
	asm volatile("ldmxcsr %0\n\tfninit" : : "m"(mxcsr));
	/* one after the other */
	status = pid ? ended(pid) : 0;
	check(pid ? "parent's general registers" : "child's general registers",
	      r12 == 0x12 && r13 == 0x13 && r14 == 0x14 && r15 == 0x15 && rbx == 0xb && r8 == 8 && r9 == 9);
	check("control words", seen_mxcsr == 0x3f80 && seen_cw == 0xe7f);
	check("x87 stack", y == x);
	if (!pid)
		_exit(7);
	printf("ended with %d\n", status);
}

/* Parent and child compute with the same registers, in turns of the host's scheduler. */
static int vector_work(long seed)
{
	bool avx = __builtin_cpu_supports("avx");
	long ret;

	for (int i = 0; i < 200; i++)
		if (!vectors_kept(avx, seed + i, i & 1 ? SYS_sched_yield : SYS_getppid, &ret))
			return 1;
	return 0;
}

static void kept_apart(void)
{
	pid_t pids[4];
	int wrong = 0;

	for (int i = 0; i < 4; i++)
		pids[i] = child(vector_work, i * 1000);
	wrong += vector_work(9000);
	for (int i = 0; i < 4; i++)
		wrong += ended(pids[i]) != 0;
	printf("%d wrong\n", wrong);
}

/* ------------------------------------------------------------- many */

static int number(long n)
{
	return n;
}

static void at_once(void)
{
	int n = argument ? argument : 100, wrong = 0;
	pid_t pids[200];
	int ends[2];

	if (pipe(ends))
		exit(1);
	for (int i = 0; i < n; i++) {
		pids[i] = fork_or_end();
		if (!pids[i]) {
			char c;

			close(ends[1]);
			/* until all are there */
			_exit(read(ends[0], &c, 1) == 0 ? i : 255);
		}
	}
	close(ends[1]);
	/* every other one first, the last first */
	for (int i = n - 1; i >= 0; i -= 2)
		wrong += ended(pids[i]) != i;
	for (int i = n - 2; i >= 0; i -= 2)
		wrong += ended(pids[i]) != i;
	printf("%d at once, %d wrong\n", n, wrong);
	check("none is left", waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

static void serial(void)
{
	int n = argument ? argument : 1000, wrong = 0;

	for (int i = 0; i < n; i++)
		wrong += ended(child(number, i & 255)) != (i & 255);
	printf("%d, %d wrong\n", n, wrong);
}

static int deeper(long left)
{
	int below;

	if (!left)
		return 0;
	global++;
	below = ended(child(deeper, left - 1));
	return below < 0 || below > 200 ? below : below + 1;
}

static void chain(void)
{
	printf("%d deep\n", ended(child(deeper, argument ? argument : 20)));
	check("own memory", global == 1);
}

/* 2^n processes, each of which waits for its own. */
static void tree(void)
{
	atomic_int *count = shared(PAGE);
	pid_t pids[8], me = getpid();
	int n = 0, wrong = 0;

	for (int i = 0; i < 5; i++) {
		pid_t pid = fork_or_end();

		if (pid)
			pids[n++] = pid;
		else
			n = 0;
	}
	++*count;
	while (n--)
		wrong += ended(pids[n]) != 0;
	if (getpid() != me)
		_exit(wrong);
	printf("%d processes, %d wrong\n", *count, wrong);
}

/* ------------------------------------------------------------- what is and is not inherited */

static void inherited(void)
{
	struct itimerval timer = { { 1000, 0 }, { 1000, 0 } }, left;
	char name[16] = "";
	sigset_t set, seen;
	struct tms tms;
	pid_t pid;

	prctl(PR_SET_NAME, "a name");
	umask(027);
	block(SIGUSR1);
	raise(SIGUSR1);
	alarm(500);
	setitimer(ITIMER_VIRTUAL, &timer, NULL);
	fesetround(FE_UPWARD);
	if (chdir("/"))
		exit(1);
	pid = fork_or_end();
	if (!pid) {
		char cwd[64] = "";

		prctl(PR_GET_NAME, name);
		check("the name", !strcmp(name, "a name"));
		check("umask", umask(0) == 027);
		sigprocmask(SIG_BLOCK, NULL, &seen);
		check("the mask", sigismember(&seen, SIGUSR1) == 1);
		sigpending(&set);
		check("nothing pends", sigismember(&set, SIGUSR1) == 0);
		check("no alarm", alarm(0) == 0);
		getitimer(ITIMER_VIRTUAL, &left);
		check("no timer", !left.it_value.tv_sec && !left.it_value.tv_usec);
		check("rounding", fegetround() == FE_UPWARD);
		check("directory", getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
		times(&tms);
		check("no children's times", !tms.tms_cutime && !tms.tms_cstime);
		_exit(0);
	}
	printf("ended with %d\n", ended(pid));
	sigpending(&set);
	check("the parent's pends", sigismember(&set, SIGUSR1) == 1);
	check("the parent's alarm is left", alarm(0) > 400);
}

static const struct part parts[] = {
	{ "copies", copies },
	{ "large", large },
	{ "ids", ids },
	{ "statuses", statuses },
	{ "ends", ends },
	{ "deadly", deadly },
	{ "faults", faults },
	{ "registers", registers },
	{ "vectors", vectors },
	{ "kept-apart", kept_apart },
	{ "at-once", at_once },
	{ "serial", serial },
	{ "chain", chain },
	{ "tree", tree },
	{ "inherited", inherited },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
