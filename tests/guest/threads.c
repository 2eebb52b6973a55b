/* SPDX-License-Identifier: GPL-2.0-only */
/* How threads begin and end, and what each has for itself. */
#include "thread.h"

#include <asm/prctl.h>
#include <fenv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* ------------------------------------------------------------- begin and end */

static pthread_barrier_t together;
static atomic_int count;
static int tids[MAX_THREADS];

static void *one_of_many(void *arg)
{
	long number = (long)arg;

	pthread_barrier_wait(&together);
	tids[number] = tid();
	pthread_barrier_wait(&together);
	count++;
	return (void *)(number * number);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* All of them alive at once. */
static void create(void)
{
	pthread_t threads[MAX_THREADS];
	long sum = 0;
	bool differ = true;

	pthread_barrier_init(&together, NULL, argument + 1);
	for (long i = 0; i < argument; i++)
		threads[i] = start(one_of_many, (void *)i);
	pthread_barrier_wait(&together);
	check("nobody has ended", count == 0);
	pthread_barrier_wait(&together);
	for (int i = 0; i < argument; i++)
		sum += (long)join(threads[i]);
	qsort(tids, argument, sizeof(tids[0]), compare);
	for (int i = 0; i < argument; i++)
		differ = differ && tids[i] > 0 && tids[i] != getpid() && (!i || tids[i] != tids[i - 1]);
	check("each has an id of its own", differ);
	printf("%d ended, sum %ld\n", count, sum);
}

static void *add_one(void *arg)
{
	count++;
	return arg;
}

/* One after another, more than there can be at once. */
static void serial(void)
{
	long sum = 0;

	for (long i = 0; i < argument; i++)
		sum += (long)join(start(add_one, (void *)i));
	printf("%d ended, sum %ld\n", count, sum);
}

static void *make_some(void *arg)
{
	long sum = 0;

	(void)arg;
	for (int i = 0; i < 50; i++)
		sum += run_threads(2, add_one);
	return (void *)sum;
}

static void by_many(void)
{
	long sum = run_threads(8, make_some);

	printf("%d ended, sum %ld\n", count, sum);
}

/* Each makes the next and waits for it. */
static void *chain(void *left)
{
	count++;
	return left ? (char *)join(start(chain, (char *)left - 1)) + 1 : NULL;
}

static void chained(void)
{
	long depth = (long)join(start(chain, (void *)50));

	printf("%d threads, %ld deep\n", count, depth);
}

static void *detach_itself(void *arg)
{
	if (arg)
		pthread_detach(pthread_self());
	count++;
	return NULL;
}

static void detached(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int failed = 0;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 100; i++)
		failed += pthread_create(&thread, &attr, detach_itself, NULL) != 0;
	for (int i = 0; i < 100; i++)
		start(detach_itself, &count);
	for (int i = 0; i < 100; i++)
		failed += pthread_detach(start(detach_itself, NULL)) != 0;
	WAIT_UNTIL(count == 300);
	printf("%d failed, %d ran\n", failed, count);
}

static atomic_bool go;

static void *wait_for_go(void *arg)
{
	WAIT_UNTIL(go);
	return arg;
}

static void clean_up(void *what)
{
	printf("cleanup %s\n", (char *)what);
}

static void leave(long value)
{
	pthread_cleanup_push(clean_up, "inner");
	pthread_exit((void *)value);
	pthread_cleanup_pop(0);
}

static void *leave_deep(void *arg)
{
	pthread_cleanup_push(clean_up, "outer");
	leave((long)arg);
	pthread_cleanup_pop(0);
	return NULL;
}

static void values(void)
{
	struct timespec soon = after_ms(CLOCK_REALTIME, 20);
	pthread_attr_t attr;
	pthread_t thread;
	void *value;

	printf("returned %#lx\n", (long)join(start(add_one, (void *)0x123456789abcdef0)));
	printf("left with %#lx\n", (long)join(start(leave_deep, (void *)-2l)));
	TRY(pthread_join(pthread_self(), NULL));
	thread = start(wait_for_go, (void *)17);
	TRY(pthread_tryjoin_np(thread, &value));
	TRY(pthread_timedjoin_np(thread, &value, &soon));
	check("the time passed", now_by(CLOCK_REALTIME) >= soon.tv_sec * 1000 * MS + soon.tv_nsec);
	go = true;
	TRY(pthread_join(thread, &value));
	printf("value %ld\n", (long)value);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	go = false;
	pthread_create(&thread, &attr, wait_for_go, NULL);
	TRY(pthread_join(thread, &value));
	TRY(pthread_detach(thread));
	go = true;
}

/* ------------------------------------------------------------- the process's end */

static void *print_later(void *arg)
{
	sleep_ms(30);
	printf("after main\n");
	if (arg)
		exit((long)arg);
	return NULL;
}

/* main leaves, the last one ends the process, or another one by exit(). */
static void main_leaves(void)
{
	start(print_later, (void *)(long)argument);
	pthread_exit(NULL);
}

static void *leave_by_call(void *arg)
{
	(void)arg;
	sleep_ms(20);
	printf("after main\n");
	syscall(SYS_exit, 5);
	return NULL;
}

/* Leaving by the bare call: the process's status is that of its last thread. */
static void leader_status(void)
{
	start(leave_by_call, NULL);
	syscall(SYS_exit, 9);
}

static pthread_t first;
static int ends[2];
static uint32_t word;
static int *volatile nowhere = (int *)BAD;

static void *spin(void *arg)
{
	count++;
	for (;;)
		asm volatile("pause");
	return arg;
}

static void *sleep_long(void *arg)
{
	count++;
	for (;;)
		sleep_ms(100000);
	return arg;
}

static void *read_nothing(void *arg)
{
	char c;

	count++;
	if (read(ends[0], &c, 1) >= 0 || errno)
		printf("read ended\n");
	return arg;
}

static void *wait_for_ever(void *arg)
{
	count++;
	for (;;)
		syscall(SYS_futex, &word, 128, 0, NULL);
	return arg;
}

static void *call_all_the_time(void *arg)
{
	count++;
	for (;;)
		syscall(SYS_getppid);
	return arg;
}

static void *fault_all_the_time(void *arg)
{
	count++;
	for (;;) {
		char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*p = 1;
		munmap(p, PAGE);
	}
	return arg;
}

static void *make_all_the_time(void *arg)
{
	count++;
	for (;;)
		join(start(detach_itself, NULL));
	return arg;
}

static void busy(void)
{
	static void *(*const all[])(void *) = { spin, sleep_long, read_nothing, wait_for_ever, call_all_the_time,
						fault_all_the_time };

	if (pipe(ends))
		exit(98);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(all); i++)
		start(all[i % ARRAY_SIZE(all)], NULL);
	start(make_all_the_time, NULL);
	WAIT_UNTIL(count >= (int)(2 * ARRAY_SIZE(all)));
	/* those that block have come to it, more or less */
	sleep_ms(20);
}

static void *end_process(void *arg)
{
	switch ((long)arg) {
	case 0:
		exit(7);
	case 1:
		_exit(8);
	case 2:
		*nowhere = 1;
		break;
	case 3:
		abort();
	case 4:
		asm volatile("ud2");
		break;
	case 5:
		tgkill_(tid(), SIGTERM);
		break;
	case 6:
		kill(getpid(), SIGKILL);
		break;
	case 7:
		kill(getpid(), SIGINT);
		break;
	case 8:
		pthread_kill(first, SIGUSR1);
		break;
	case 9:
		syscall(SYS_exit_group, 0x12345);
		break;
	}
	for (;;)
		sleep_ms(1000);
	return NULL;
}

/* A thread ends the process in so many ways, others being all but idle. */
static void ended(void)
{
	first = pthread_self();
	busy();
	start(end_process, (void *)(long)argument);
	for (;;)
		sleep_ms(100000);
}

static void returns(void)
{
	busy();
	exit(argument);
}

/* ------------------------------------------------------------- what each has */

static __thread int zero, seven = 7;
static __thread char room[5000] __attribute__((aligned(64)));
static pthread_key_t key, second_key;

static void destroy(void *value)
{
	count += (long)value;
	/* set again: the destructors go round once more */
	if ((long)value == 10)
		pthread_setspecific(key, (void *)1);
}

static void *own_variables(void *arg)
{
	int number = (long)arg + 1;
	bool good = zero == 0 && seven == 7 && !pthread_getspecific(key) && !errno && !((uintptr_t)room % 64);

	pthread_setspecific(key, (void *)10);
	pthread_setspecific(second_key, (void *)100);
	for (int i = 0; i < 200; i++) {
		zero += number;
		seven += number;
		memset(room, number, sizeof(room));
		errno = number;
		if (i % 50 == 0)
			sched_yield();
		good = good && errno == number && room[0] == number && room[sizeof(room) - 1] == number;
	}
	return (void *)(long)(good && zero == 200 * number && seven == 7 + 200 * number);
}

static void local(void)
{
	pthread_key_create(&key, destroy);
	pthread_key_create(&second_key, destroy);
	zero = 1000;
	seven = 1000;
	printf("%ld of 16 had their own\n", run_threads(16, own_variables));
	printf("main's: %d %d, destroyed %d\n", zero, seven, count);
}

static void *own_ids(void *arg)
{
	bool good = tid() != getpid() && getpid() == *(int *)arg && getppid() > 0;
	char name[16];

	prctl(PR_GET_NAME, name);
	good = good && !strcmp(name, "first");
	prctl(PR_SET_NAME, "another one that is long");
	WAIT_UNTIL(go);
	prctl(PR_GET_NAME, name);
	return (void *)(long)(good && !strcmp(name, "another one tha"));
}

static void ids(void)
{
	int pid = getpid();
	pthread_t thread;
	char name[16];

	check("the first thread's id is the process's", tid() == pid);
	prctl(PR_SET_NAME, "first");
	thread = start(own_ids, &pid);
	sleep_ms(5);
	prctl(PR_GET_NAME, name);
	printf("name \"%s\"\n", name);
	go = true;
	check("a thread's ids and name", join(thread));
	prctl(PR_GET_NAME, name);
	printf("name \"%s\"\n", name);
}

static void *use_stack(void *arg)
{
	size_t depth = (size_t)arg, sum = 0;
	volatile char frame[65536];
	pthread_attr_t attr;
	size_t size;
	void *base;

	for (size_t i = 0; i < sizeof(frame); i += 512)
		frame[i] = i >> 9;
	if (depth > sizeof(frame))
		sum = (size_t)use_stack((void *)(depth - sizeof(frame)));
	for (size_t i = 0; i < sizeof(frame); i += 512)
		sum += (unsigned char)frame[i];
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &base, &size);
	return (char *)frame >= (char *)base && (char *)frame < (char *)base + size ? (void *)sum : NULL;
}

static void stacks(void)
{
	static const size_t sizes[] = { 128 << 10, 1 << 20, 16 << 20, 64 << 20 };
	char *own = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		pthread_attr_setstacksize(&attr, sizes[i]);
		TRY(pthread_create(&thread, &attr, use_stack, (void *)(sizes[i] * 5 / 10 - 32768)));
		printf("%zu: %ld\n", sizes[i], (long)join(thread));
	}
	pthread_attr_setstack(&attr, own, 1 << 20);
	TRY(pthread_create(&thread, &attr, use_stack, (void *)500000));
	printf("its own: %ld\n", (long)join(thread));
	pthread_attr_init(&attr);
	TRY(pthread_attr_setstacksize(&attr, 100));
}

static const struct part parts[] = {
	{ "create", create }, { "serial", serial }, { "by-many", by_many }, { "chained", chained },
	{ "detached", detached }, { "values", values }, { "main-leaves", main_leaves },
	{ "leader-status", leader_status }, { "ended", ended }, { "returns", returns },
	{ "local", local }, { "ids", ids }, { "stacks", stacks },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
