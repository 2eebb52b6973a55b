/* SPDX-License-Identifier: GPL-2.0-only */
/* How threads begin and end, and what each has for itself; threads_end.c is about the process's end. */
#include "thread.h"

#include <asm/prctl.h>
#include <fenv.h>
#include <sys/mman.h>
#include <sys/prctl.h>

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

/* ------------------------------------------------------------- too many */

static atomic_bool enough;

static void *until_enough(void *arg)
{
	(void)arg;
	WAIT_UNTIL(enough);
	return NULL;
}

/* As many as may be, three times: what has ended makes room. */
static void as_many(void)
{
	pthread_t threads[MAX_THREADS];

	for (int round = 0; round < 3; round++) {
		int n = 0, error = 0;

		enough = false;
		while (n < MAX_THREADS && !(error = pthread_create(&threads[n], NULL, until_enough, NULL)))
			n++;
		enough = true;
		for (int i = 0; i < n; i++)
			join(threads[i]);
		printf("%d, then %s\n", n, error ? strerrorname_np(error) : "none");
	}
}

static const struct part parts[] = {
	{ "create", create }, { "serial", serial }, { "by-many", by_many }, { "chained", chained },
	{ "detached", detached }, { "values", values },
	{ "local", local }, { "ids", ids }, { "stacks", stacks },
	{ "as-many", as_many },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
