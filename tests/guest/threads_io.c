/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors that threads share, and how threads are scheduled. */
#include "thread.h"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ends[2], more[2];
static atomic_int count, ready, wrong;
static atomic_bool done;

static void pipes(int which[2])
{
	if (pipe(which)) {
		printf("pipe: %s\n", strerrorname_np(errno));
		exit(87);
	}
}

/* ------------------------------------------------------------- descriptors */

#define BYTES (1 << 20)

static void *write_pattern(void *arg)
{
	unsigned char room[3000];
	size_t at = 0;

	while (at < BYTES) {
		size_t n = 1 + at % sizeof(room);

		if (n > BYTES - at)
			n = BYTES - at;
		for (size_t i = 0; i < n; i++)
			room[i] = (at + i) % 251;
		if (write(ends[1], room, n) != (ssize_t)n)
			wrong++;
		at += n;
	}
	close(ends[1]);
	return arg;
}

static void through_pipe(void)
{
	unsigned char room[5000];
	pthread_t thread;
	size_t at = 0;
	ssize_t n;

	pipes(ends);
	thread = start(write_pattern, NULL);
	while ((n = read(ends[0], room, sizeof(room))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			wrong += room[i] != (at + i) % 251;
		at += n;
	}
	join(thread);
	printf("%zu bytes, %d wrong\n", at, wrong);
}

/* Lines shorter than PIPE_BUF, by write and by printf; the test looks at them. */
static void *write_lines(void *arg)
{
	char line[256];

	for (int i = 0; i < 250; i++) {
		int n = snprintf(line, sizeof(line), "thread %ld line %d ", (long)arg, i), len = n + 10 + i % 180;

		memset(line + n, 'a' + i % 26, sizeof(line) - n);
		strcpy(line + len, "\n");
		if (i & 1)
			wrong += write(1, line, len + 1) != len + 1;
		else
			printf("%s", line);
	}
	return NULL;
}

static void lines(void)
{
	run_threads(4, write_lines);
	if (wrong)
		printf("%d wrong\n", wrong);
}

static void *poll_one(void *arg)
{
	struct pollfd p[2] = { { ends[0], POLLIN, 0 }, { more[0], POLLIN, 0 } };
	int n;

	ready = 1;
	n = poll(p, 2, -1);
	count = p[1].revents;
	return (void *)(long)(n + (arg && 0));
}

static void polled(void)
{
	pthread_t thread;

	pipes(ends);
	pipes(more);
	thread = start(poll_one, NULL);
	WAIT_UNTIL(ready);
	sleep_ms(10);
	wrong += write(more[1], "x", 1) != 1;
	printf("poll: %ld", (long)join(thread));
	printf(" %#x, %d wrong\n", count, wrong);
}

static void *wait_by_epoll(void *arg)
{
	struct epoll_event event = { 0 };
	int n;

	ready = 1;
	n = epoll_wait(*(int *)arg, &event, 1, -1);
	return (void *)(long)(n == 1 ? event.data.u32 : 0);
}

/* What one adds, the other who waits already is told of. */
static void epolled(void)
{
	int fd = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 77 };
	pthread_t thread;

	pipes(ends);
	thread = start(wait_by_epoll, &fd);
	WAIT_UNTIL(ready);
	sleep_ms(10);
	show("epoll_ctl", epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event));
	wrong += write(ends[1], "x", 1) != 1;
	printf("told of %ld\n", (long)join(thread));
}

static void *poll_closed(void *arg)
{
	struct pollfd p = { ends[0], POLLIN, 0 };

	(void)arg;
	ready = 1;
	return (void *)(long)poll(&p, 1, -1);
}

static void *read_closed(void *arg)
{
	char c;

	(void)arg;
	ready = 1;
	return (void *)(long)(read(ends[0], &c, 1) >= 0 || errno == EBADF);
}

/* Who waits already has the pipe, who comes later has no descriptor; either ends. */
static void closed(void)
{
	static void *(*const calls[])(void *) = { poll_closed, read_closed };

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		pthread_t thread;
		ssize_t n;

		pipes(ends);
		ready = 0;
		thread = start(calls[i], NULL);
		WAIT_UNTIL(ready);
		sleep_ms(10);
		show("close", close(ends[0]));
		n = write(ends[1], "x", 1);
		check("write", n == 1 || errno == EPIPE);
		printf("it ended: %ld\n", (long)join(thread));
		close(ends[1]);
	}
}

static void *add_often(void *fd)
{
	uint64_t n = 3;

	for (int i = 0; i < 500; i++)
		wrong += write(*(int *)fd, &n, sizeof(n)) != sizeof(n);
	return NULL;
}

static void events(void)
{
	int fd = eventfd(0, 0);
	pthread_t threads[2] = { start(add_often, &fd), start(add_often, &fd) };
	uint64_t sum = 0, n;

	while (sum < 3000 && read(fd, &n, sizeof(n)) == sizeof(n))
		sum += n;
	join(threads[0]);
	join(threads[1]);
	printf("sum %lu, %d wrong\n", sum, wrong);
}

static void *duplicate(void *arg)
{
	wrong += dup2(more[1], ends[1]) != ends[1];
	wrong += fcntl(more[0], F_SETFL, O_NONBLOCK) != 0;
	close(ends[0]);
	return arg;
}

static void duplicated(void)
{
	char c[2] = "";

	pipes(ends);
	pipes(more);
	join(start(duplicate, NULL));
	show("write", write(ends[1], "y", 1));
	show("read", read(more[0], c, 1));
	printf("%s\n", c);
	show("read", read(more[0], c, 1));
	show("read", read(ends[0], c, 1));
	printf("%d wrong\n", wrong);
}

/* Nobody is given a descriptor that another has. */
static void *open_and_close(void *arg)
{
	long bad = 0;

	for (int i = 0; i < 300; i++) {
		long tag = (long)arg * 1000 + i, seen = -1;
		int fds[2], copy;

		if (pipe2(fds, O_CLOEXEC))
			return (void *)1000000l;
		copy = dup(fds[1]);
		bad += close(fds[1]) != 0;
		bad += write(copy, &tag, sizeof(tag)) != sizeof(tag);
		bad += read(fds[0], &seen, sizeof(seen)) != sizeof(seen) || seen != tag;
		bad += close(copy) != 0;
		bad += close(fds[0]) != 0;
	}
	return (void *)bad;
}

static void opened(void)
{
	printf("%ld wrong\n", run_threads(4, open_and_close));
}

/* ------------------------------------------------------------- scheduling */

static atomic_long turn;

static void *yield_to_other(void *arg)
{
	for (long i = 0; i < 100; i++) {
		while (turn % 2 != (long)arg)
			sched_yield();
		turn++;
	}
	return NULL;
}

static void yields(void)
{
	run_threads(2, yield_to_other);
	printf("%ld turns\n", turn);
}

/* Without calls: so many turns in so little time are taken only where both run at the same time. */
static void *spin_to_other(void *arg)
{
	int64_t begin = 0, end;

	for (long i = 0; !done; i++) {
		for (int spins = 1; turn % 2 != (long)arg && !done; spins++) {
			__builtin_ia32_pause();
			/* the other does not run: perhaps it does on another CPU */
			if (spins % 50000 == 0)
				sleep_ms(1);
		}
		if (i % 100 == 0 && !arg) {
			end = now();
			done = end - begin < 2 * MS;
			begin = end;
		}
		turn++;
	}
	return NULL;
}

static void parallel(void)
{
	run_threads(2, spin_to_other);
	printf("200 turns in 2 ms\n");
}

static void *own_cpus(void *arg)
{
	cpu_set_t set, *all = arg, one;
	int first = 0;

	wrong += sched_getaffinity(0, sizeof(set), &set) || !CPU_EQUAL(&set, all);
	while (!CPU_ISSET(first, &set))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	wrong += sched_setaffinity(0, sizeof(one), &one) || sched_getcpu() != first;
	wrong += sched_getaffinity(tid(), sizeof(set), &set) || CPU_COUNT(&set) != 1;
	return NULL;
}

static void affinity(void)
{
	cpu_set_t all, set;
	struct sched_param param;
	int policy;

	CPU_ZERO(&all);
	check("sched_getaffinity", !sched_getaffinity(0, sizeof(all), &all));
	printf("%d CPUs\n", CPU_COUNT(&all));
	join(start(own_cpus, &all));
	wrong += sched_getaffinity(0, sizeof(set), &set) || !CPU_EQUAL(&set, &all);
	TRY(pthread_getschedparam(pthread_self(), &policy, &param));
	printf("policy %d priority %d, %d wrong\n", policy, param.sched_priority, wrong);
}

#define ROUNDS 1000

static _Atomic long x, y;
static atomic_int rounds[2];
static long seen[2][ROUNDS];

static void meet(long me, int round)
{
	rounds[me] = round;
	SPIN_UNTIL(rounds[!me] >= round);
}

/* A fence on one side only: the other's is by membarrier. Not both may miss what the other has stored. */
static void *store_and_load(void *arg)
{
	long me = (long)arg;

	for (int i = 0; i < ROUNDS; i++) {
		meet(me, 2 * i + 1);
		if (me) {
			atomic_store_explicit(&x, i + 1, memory_order_relaxed);
			if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
				wrong++;
			seen[1][i] = atomic_load_explicit(&y, memory_order_relaxed);
		} else {
			atomic_store_explicit(&y, i + 1, memory_order_relaxed);
			atomic_signal_fence(memory_order_seq_cst);
			seen[0][i] = atomic_load_explicit(&x, memory_order_relaxed);
		}
		meet(me, 2 * i + 2);
	}
	return NULL;
}

static void barriers(void)
{
	int both = 0;

	CALL(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	CALL(membarrier, 1 << 30, 0, 0);
	CALL(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 99, 0);
	CALL(membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	run_threads(2, store_and_load);
	for (int i = 0; i < ROUNDS; i++)
		both += seen[0][i] == i && seen[1][i] == i;
	printf("%d missed both, %d wrong\n", both, wrong);
}

/* More who compute than there are CPUs; who sleeps gets its turn nevertheless. */
static void *compute(void *arg)
{
	while (!done)
		asm volatile("");
	return arg;
}

static void crowded(void)
{
	pthread_t threads[6];

	for (int i = 0; i < 6; i++)
		threads[i] = start(compute, NULL);
	for (int i = 0; i < 20; i++)
		sleep_ms(1);
	done = true;
	for (int i = 0; i < 6; i++)
		join(threads[i]);
	printf("all ended\n");
}

static const struct part parts[] = {
	{ "through-pipe", through_pipe }, { "lines", lines }, { "polled", polled }, { "epolled", epolled },
	{ "closed", closed }, { "events", events }, { "duplicated", duplicated }, { "opened", opened },
	{ "yields", yields }, { "parallel", parallel }, { "affinity", affinity }, { "barriers", barriers },
	{ "crowded", crowded },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
