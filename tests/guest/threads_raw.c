/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bare calls: clone, clone3, exit, set_tid_address, robust lists. These
 * threads share the first one's thread-local storage and call no libc.
 */
#include "thread.h"

#include <asm/prctl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stddef.h>
#include <sys/mman.h>

#define STACK 16384
#define ALL (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define RAW(nr, ...) raw_(SYS_##nr, ##__VA_ARGS__, 0, 0, 0, 0)
#define raw_(nr, a, b, c, d, ...) raw(nr, (long)(a), (long)(b), (long)(c), (long)(d))

static inline long raw(long nr, long a, long b, long c, long d)
{
	register long r10 asm("r10") = d;
	long ret;

	asm volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return ret;
}

static inline long fs_word(void)
{
	long value;

	asm volatile("mov %%fs:0, %0" : "=r"(value));
	return value;
}

/*
 * clone(flags, stack, ptid, ctid, tls), or clone3(args, size) where args is
 * given; the thread calls run(arg) and leaves.
 */
struct request {
	unsigned long flags;
	void *stack;		/* its end */
	int *ptid, *ctid;
	void *tls;
	const void *args;
	size_t size;
};

static long clone_raw(const struct request *q, void (*run)(void *), void *arg)
{
	register void *r10 asm("r10") = q->ctid, *r8 asm("r8") = q->tls;
	register void (*r12)(void *) asm("r12") = run;
	register void *r13 asm("r13") = arg;
	long ret;

	asm volatile("syscall\n"
		     "test %%rax, %%rax\n"
		     "jnz 1f\n"
		     "xor %%ebp, %%ebp\n"
		     "mov %%r13, %%rdi\n"
		     "call *%%r12\n"
		     "xor %%edi, %%edi\n"
		     "mov $60, %%eax\n"
		     "syscall\n"
		     "1:"
		     : "=a"(ret)
		     : "0"(q->args ? SYS_clone3 : SYS_clone), "D"(q->args ? (long)q->args : (long)q->flags),
		       "S"(q->args ? (long)q->size : (long)q->stack), "d"(q->ptid), "r"(r10), "r"(r8), "r"(r12), "r"(r13)
		     : "rcx", "r11", "memory");
	return ret;
}

static char *new_stack(void)
{
	return (char *)mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + STACK;
}

static const char *result(long ret)
{
	return ret < 0 ? strerrorname_np(-ret) : ret ? "a thread" : "0";
}

static atomic_int word, ran;

/* A thread that says so, and those that came of a call that should have failed, too. */
static void say_it_ran(void *arg)
{
	(void)arg;
	ran++;
}

static void await(atomic_int *p, int value)
{
	while (*p == value)
		RAW(futex, p, FUTEX_WAIT, value, 0);
}

/* ------------------------------------------------------------- clone */

static int parent_tid, seen_tid, seen_parent, seen_child, seen_pid;
static atomic_int child_tid = -1;
static long seen_fs, area[8];

static void look(void *arg)
{
	seen_tid = RAW(gettid);
	seen_pid = RAW(getpid);
	seen_parent = parent_tid;
	seen_child = child_tid;
	seen_fs = fs_word();
	*(long *)arg = 4711;
}

static void ids_stored(void)
{
	struct request q = { ALL | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS,
			     new_stack(), &parent_tid, (int *)&child_tid, area, NULL, 0 };
	long value, ret;

	area[0] = 0x1234;
	ret = clone_raw(&q, look, &value);
	check("a thread", ret > 0 && ret != getpid());
	while (child_tid)
		RAW(futex, &child_tid, FUTEX_WAIT, ret, 0);
	check("it has the id that was returned", seen_tid == ret);
	check("in the same process", seen_pid == getpid());
	check("the id was stored before clone returned and before it ran", seen_parent == ret && parent_tid == ret);
	check("and at the child's place", seen_child == ret);
	printf("tls %#lx, value %ld\n", seen_fs, value);
}

/* Nothing is stored, and FS stays, where it is not asked for. */
static void nothing_stored(void)
{
	struct request q = { ALL, new_stack(), &parent_tid, (int *)&child_tid, area, NULL, 0 };
	long value = 0, ret = clone_raw(&q, look, &value);

	SPIN_UNTIL(*(volatile long *)&value);
	check("a thread", ret == seen_tid);
	check("FS is as it was", seen_fs == fs_word());
	printf("%d %d\n", parent_tid, child_tid);
}

/* What is at places that cannot be written is left out; a place for TLS must be one. */
static void bad_places(void)
{
	struct request q = { ALL | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, new_stack(),
			     (int *)BAD, (int *)BAD, NULL, NULL, 0 };

	printf("%s\n", result(clone_raw(&q, say_it_ran, NULL)));
	WAIT_UNTIL(ran == 1);
	q.flags = ALL | CLONE_SETTLS;
	q.tls = (void *)(1ul << 63);
	printf("%s\n", result(clone_raw(&q, say_it_ran, NULL)));
	q.tls = (void *)0x7ffffffff000;
	printf("%s\n", result(clone_raw(&q, say_it_ran, NULL)));
	q.stack = new_stack();
	q.tls = area;
	printf("%s\n", result(clone_raw(&q, say_it_ran, NULL)));
	WAIT_UNTIL(ran == 2);
}

/* Called by name from the assembly: what a new thread finds in its registers. */
uint64_t child_regs[16], child_xmm[2], child_flags;
atomic_int child_done;
char *child_stack;

asm(".globl clone_registers\n"
    "clone_registers:\n"
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "	mov child_stack(%rip), %rsi\n"
    "	mov $0x1111111111111111, %rbx; lea 1(%rbx), %rbp; lea 2(%rbx), %r9; lea 3(%rbx), %r12\n"
    "	lea 4(%rbx), %r13; lea 5(%rbx), %r14; lea 6(%rbx), %r15; lea 7(%rbx), %rdx; lea 8(%rbx), %r10\n"
    "	lea 9(%rbx), %r8\n"
    "	movq %rbx, %xmm0; movq %rbp, %xmm15\n"
    "	std; stc\n"
    "	mov $56, %eax\n"
    "	syscall\n"
    "	test %rax, %rax\n"
    "	jnz 1f\n"
    "	mov %rax, child_regs(%rip); mov %rbx, child_regs+8(%rip); mov %rbp, child_regs+16(%rip)\n"
    "	mov %r9, child_regs+24(%rip); mov %r12, child_regs+32(%rip); mov %r13, child_regs+40(%rip)\n"
    "	mov %r14, child_regs+48(%rip); mov %r15, child_regs+56(%rip); mov %rdx, child_regs+64(%rip)\n"
    "	mov %r10, child_regs+72(%rip); mov %r8, child_regs+80(%rip); mov %rdi, child_regs+88(%rip)\n"
    "	mov %rsp, child_regs+96(%rip); mov %rsi, child_regs+104(%rip)\n"
    "	movq %xmm0, child_xmm(%rip); movq %xmm15, child_xmm+8(%rip)\n"
    "	pushf; pop child_flags(%rip); cld\n"
    "	movl $1, child_done(%rip)\n"
    "	mov $60, %eax; xor %edi, %edi; syscall\n"
    "1:	cld\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "	ret\n");
long clone_registers(unsigned long flags);

static void registers(void)
{
	child_stack = new_stack();
	printf("%s\n", result(clone_registers(ALL)));
	WAIT_UNTIL(child_done);
	for (int i = 0; i < 11; i++)
		printf("%lx ", child_regs[i]);
	printf("\nflags %s, stack %s, %lx %lx\n", child_regs[11] == ALL ? "right" : "wrong",
	       child_regs[12] == (uint64_t)child_stack && child_regs[13] == (uint64_t)child_stack ? "right" : "wrong",
	       child_xmm[0], child_xmm[1]);
	/* what test has set is not what was before */
	printf("direction %lu\n", child_flags >> 10 & 1);
}

static void wrong_flags(void)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} tries[] = {
		{ "a thread that shares no handlers", CLONE_VM | CLONE_THREAD },
		{ "handlers without memory", CLONE_SIGHAND },
		{ "a thread without memory", CLONE_THREAD | CLONE_SIGHAND },
		{ "a thread in a PID namespace of its own", ALL | CLONE_NEWPID },
		{ "a thread in a user namespace of its own", ALL | CLONE_NEWUSER },
		{ "a mount namespace with a common root", ALL | CLONE_NEWNS },
		{ "an IPC namespace with common undo lists", ALL | CLONE_NEWIPC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		struct request q = { .flags = tries[i].flags, .stack = new_stack() };

		printf("%s: %s\n", tries[i].name, result(clone_raw(&q, say_it_ran, NULL)));
	}
	printf("%d ran\n", ran);
}

/* ------------------------------------------------------------- clone3 */

static struct clone_args common(void)
{
	return (struct clone_args){ .flags = ALL, .stack = (long)new_stack() - STACK, .stack_size = STACK };
}

static long clone3_raw(const void *args, size_t size)
{
	struct request q = { .args = args, .size = size };

	return clone_raw(&q, say_it_ran, NULL);
}

/* (size, changes to a) */
#define CLONE3(size, ...) \
	do { \
		struct clone_args a = common(); \
		__VA_ARGS__; \
		printf("%s %s: %s\n", #size, #__VA_ARGS__, result(clone3_raw(&a, size))); \
	} while (0)

static void clone3_errors(void)
{
	static const int ids[] = { 0, -1, 4194304 };
	struct {
		struct clone_args args;
		long more[600];
	} large = { .args = common() };

	CLONE3(0);
	CLONE3(63);
	CLONE3(64, a.exit_signal = SIGCHLD);
	CLONE3(64, a.exit_signal = 256);
	CLONE3(64, a.flags = ALL | CSIGNAL);
	CLONE3(64, a.flags = ALL | 1ul << 62);
	CLONE3(64, a.flags = ALL | 0x400000);
	CLONE3(64, a.flags = CLONE_VM | CLONE_THREAD);
	CLONE3(64, a.flags = CLONE_SIGHAND);
	CLONE3(64, a.stack = 0);
	CLONE3(64, a.stack_size = 0);
	CLONE3(64, a.stack = 1ul << 63);
	CLONE3(80, a.set_tid_size = 1);
	CLONE3(80, a.set_tid_size = 33);
	CLONE3(80, a.set_tid_size = 1, a.set_tid = (uintptr_t)&ids[0]);
	CLONE3(80, a.set_tid_size = 1, a.set_tid = (uintptr_t)&ids[1]);
	CLONE3(80, a.set_tid_size = 1, a.set_tid = (uintptr_t)&ids[2]);
	CLONE3(80, a.set_tid_size = 32, a.set_tid = (uintptr_t)large.more);
	CLONE3(64, a.flags = ALL | CLONE_SETTLS, a.tls = 1ul << 63);
	printf("no place: %s\n", result(clone3_raw((void *)BAD, 64)));
	large.more[20] = 1;
	printf("larger, but not zero: %s\n", result(clone3_raw(&large, sizeof(large.args) + 200)));
	printf("larger than a page: %s\n", result(clone3_raw(&large, 4097)));
	printf("%d ran\n", ran);
	printf("larger: %s\n", result(clone3_raw(&large, sizeof(large.args) + 100)));
	WAIT_UNTIL(ran == 1);
	CLONE3(64);
	WAIT_UNTIL(ran == 2);
	CLONE3(88, a.parent_tid = (long)&parent_tid, a.child_tid = (long)&child_tid, a.tls = (long)area,
	       a.flags = ALL | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS);
	while (child_tid)
		RAW(futex, &child_tid, FUTEX_WAIT, child_tid, 0);
	check("the id was stored", parent_tid > 0 && ran == 3);
}

/* ------------------------------------------------------------- the end of a thread */

static void set_address(void *arg)
{
	seen_tid = RAW(gettid) - RAW(set_tid_address, arg);
	word = 1;
	RAW(futex, &word, FUTEX_WAKE, 1);
	while (!ran)
		;
	RAW(exit, 3);
}

/* The address set last is cleared and woken; the status of a thread is nobody's. */
static void cleartid(void)
{
	struct request q = { .flags = ALL | CLONE_CHILD_CLEARTID, .stack = new_stack(), .ctid = (int *)&parent_tid };
	static atomic_int last = 17;

	parent_tid = 16;
	printf("%s\n", result(clone_raw(&q, set_address, &last)));
	await(&word, 0);
	printf("%d %d, differ by %d\n", parent_tid, last, seen_tid);
	ran = 1;
	await(&last, 17);
	printf("%d %d\n", parent_tid, last);
	exit(4);
}

/* A list as libc has it: entries whose futexes lie at an offset from them. */
static struct entry {
	struct robust_list link;
	atomic_int futex;
} entries[6];
static struct robust_list_head list;

static void die_with_list(void *arg)
{
	int me = RAW(gettid);

	RAW(set_robust_list, arg, sizeof(list));
	entries[0].futex = me;
	entries[1].futex = me | FUTEX_WAITERS;
	entries[2].futex = me + 1;	/* another's */
	entries[3].futex = 0;
	entries[4].futex = me | FUTEX_WAITERS;
	word = me;
	RAW(futex, &word, FUTEX_WAKE, 1);
	while (ran < 2)
		;
}

static void *wait_for_death(void *arg)
{
	struct entry *e = arg;
	int value = e->futex;

	ran++;
	/* where this comes too late the word has changed already */
	while (e->futex == value)
		syscall(SYS_futex, &e->futex, FUTEX_WAIT, value, NULL);
	return arg;
}

static void robust(void)
{
	struct request q = { .flags = ALL | CLONE_CHILD_CLEARTID, .stack = new_stack(), .ctid = (int *)&child_tid };
	pthread_t waiters[2];

	list.list.next = &entries[0].link;
	list.futex_offset = offsetof(struct entry, futex);
	list.list_op_pending = &entries[4].link;
	for (int i = 0; i < 3; i++)
		entries[i].link.next = &entries[i + 1].link;
	entries[3].link.next = &list.list;
	printf("%s\n", result(clone_raw(&q, die_with_list, &list)));
	await(&word, 0);
	waiters[0] = start(wait_for_death, &entries[1]);
	waiters[1] = start(wait_for_death, &entries[4]);
	join(waiters[0]);
	join(waiters[1]);
	await(&child_tid, -1);
	for (int i = 0; i < 5; i++)
		printf("%d: %#x %s\n", i, entries[i].futex & 0xc0000000,
		       (entries[i].futex & FUTEX_TID_MASK) == (unsigned int)(i == 2 ? word + 1 : 0) ? "right" : "wrong");
}

/* Lists without end and with bad pointers hurt nobody. */
static void die_with_bad_list(void *arg)
{
	RAW(set_robust_list, arg, sizeof(list));
}

static void robust_bad(void)
{
	struct robust_list_head heads[3] = {
		{ .list.next = &entries[5].link, .list_op_pending = (void *)BAD },
		{ .list.next = (void *)BAD },
		{ .list.next = NULL, .futex_offset = -1 },
	};

	entries[5].link.next = &entries[5].link;
	for (int i = 0; i < 4; i++) {
		struct request q = { .flags = ALL | CLONE_CHILD_CLEARTID, .stack = new_stack(), .ctid = (int *)&child_tid };

		child_tid = -1;
		printf("%s\n", result(clone_raw(&q, die_with_bad_list, i < 3 ? &heads[i] : (void *)BAD)));
		await(&child_tid, -1);
	}
	printf("%s\n", result(raw(SYS_set_robust_list, (long)&list, sizeof(list) - 1, 0, 0)));
}

static void end_process(void *arg)
{
	RAW(exit_group, *(int *)arg);
}

/* The smallest stacks, all at once. */
static void hold(void *arg)
{
	ran++;
	await(arg, 0);
	ran--;
}

static void many(void)
{
	for (int i = 0; i < argument; i++) {
		struct request q = { .flags = ALL, .stack = new_stack() };

		if (clone_raw(&q, hold, &word) < 0)
			exit(97);
	}
	WAIT_UNTIL(ran == argument);
	word = 1;
	RAW(futex, &word, FUTEX_WAKE, INT_MAX);
	WAIT_UNTIL(ran == 0);
	printf("%d at once\n", argument);
}

static void group_end(void)
{
	struct request q = { .flags = ALL, .stack = new_stack() };
	int status = 55;

	clone_raw(&q, end_process, &status);
	for (;;)
		sleep_ms(1000);
}

static void unshare_parts(void)
{
	static const unsigned long flags[] = {
		0, CLONE_FS, CLONE_FILES, CLONE_FS | CLONE_FILES, CLONE_THREAD, CLONE_SIGHAND, CLONE_VM, CLONE_PARENT,
		CLONE_VFORK | CLONE_FS, 1ul << 40,
	};
	struct request q = { .flags = ALL, .stack = new_stack() };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		printf("%#lx: %ld\n", flags[i], RAW(unshare, flags[i]));
	clone_raw(&q, hold, &word);
	WAIT_UNTIL(ran == 1);
	for (size_t i = 4; i < ARRAY_SIZE(flags); i++)
		printf("%#lx beside another thread: %ld\n", flags[i], RAW(unshare, flags[i]));
	word = 1;
	RAW(futex, &word, FUTEX_WAKE, INT_MAX);
	WAIT_UNTIL(ran == 0);
}

static const struct part parts[] = {
	{ "unshare", unshare_parts },
	{ "ids-stored", ids_stored }, { "nothing-stored", nothing_stored }, { "bad-places", bad_places },
	{ "registers", registers }, { "wrong-flags", wrong_flags }, { "clone3", clone3_errors },
	{ "cleartid", cleartid }, { "robust", robust }, { "robust-bad", robust_bad }, { "many", many },
	{ "group-end", group_end },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
