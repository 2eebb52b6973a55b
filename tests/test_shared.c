/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the runner's threads share, each of them serving a vCPU's calls. Built
 * with ThreadSanitizer where that works: then a race is a failure by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "forked.h"
#include "guest_call.h"
#include "../runner/clock.h"
#include "../runner/fdtable.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define THREADS	4
#define TURNS	400		/* of each thread */

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "halt_on_error=1:die_after_fork=0";
}

/* ------------------------------------------------------------- threads of a guest */

static char tree[64];		/* a/name has "a", b/name "b"; granted at /t */
static struct grant grant = { tree, "/t", true };
static struct config config = { .grants = &grant, .ngrants = 1 };

static int make_tree(void **state)
{
	static const char *const names[] = { "a", "b" };
	char path[128];

	(void)state;
	strcpy(tree, "/tmp/test_shared.XXXXXX");
	if (!mkdtemp(tree))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", tree, names[i]);
		if (mkdir(path, 0755))
			return -1;
		strcat(path, "/name");
		fd = open(path, O_WRONLY | O_CREAT, 0644);
		if (write(fd, names[i], 1) != 1)
			return -1;
		close(fd);
	}
	return 0;
}

static int remove_tree(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", tree);
	return system(command);
}

static void guest(void (*fn)(void))
{
	guest_run_tidy(&config, fn, NULL);
}

static pthread_barrier_t together;
static void (*each)(unsigned int me);

static void *thread_main(void *arg)
{
	unsigned int me = (uintptr_t)arg;

	guest_thread(me);
	pthread_barrier_wait(&together);
	each(me);
	return NULL;
}

/* fn(0) to fn(THREADS - 1) at once, each on a thread with a vCPU of its own. */
static void at_once(void (*fn)(unsigned int me))
{
	pthread_t thread[THREADS];

	each = fn;
	need(pthread_barrier_init(&together, NULL, THREADS) == 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		need(pthread_create(&thread[i], NULL, thread_main, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		need(pthread_join(thread[i], NULL) == 0);
	pthread_barrier_destroy(&together);
}

static long open_(const char *path, int flags)
{
	return guest_call(open, P(path), flags, 0644);
}

/* ------------------------------------------------------------- descriptors */

static atomic_int owner[64];

static void claim(long fd)
{
	need(fd >= 3 && fd < (long)ARRAY_SIZE(owner));
	need(atomic_exchange(&owner[fd], 1) == 0);
}

static void give_up(long fd)
{
	need(atomic_exchange(&owner[fd], 0) == 1);
	need_result(guest_call(close, fd), 0);
}

static void open_and_close(unsigned int me)
{
	for (int i = 0; i < TURNS; i++) {
		long fd = open_(me % 2 ? "/t/a/name" : "/t/b/name", O_RDONLY), copy;
		int pipe[2];
		char c;

		claim(fd);
		copy = guest_call(dup, fd);
		claim(copy);
		need_result(guest_call(pipe2, P(pipe), O_CLOEXEC), 0);
		claim(pipe[0]);
		claim(pipe[1]);
		need_result(guest_call(fcntl, copy, F_GETFD), 0);
		need_result(guest_call(fcntl, pipe[1], F_GETFD), FD_CLOEXEC);
		give_up(fd);
		need_result(guest_call(read, copy, P(&c), 1), 1);
		need(c == (me % 2 ? 'a' : 'b'));
		need_result(guest_call(write, pipe[1], P(&c), 1), 1);
		give_up(pipe[1]);
		need_result(guest_call(read, pipe[0], P(&c), 1), 1);
		need_result(guest_call(read, pipe[0], P(&c), 1), 0);
		give_up(pipe[0]);
		give_up(copy);
	}
}

static void open_and_close_at_once(void)
{
	at_once(open_and_close);
	need_result(open_("/t/a/name", O_RDONLY), 3);
}

static void a_number_is_one_threads_until_it_is_closed(void **state)
{
	(void)state;
	guest(open_and_close_at_once);
}

#define SHARED 10

/* One replaces the descriptor, one closes it, the others use it. */
static void use_and_replace(unsigned int me)
{
	for (int i = 0; i < TURNS; i++) {
		struct pollfd p = { SHARED, POLLIN, 0 };
		char c = 0;
		long ret;

		if (me == 0) {
			need_result(guest_call(dup2, 3 + i % 2, SHARED), SHARED);
		} else if (me == 1) {
			ret = i % 3 ? guest_call(close, SHARED) : guest_call(close_range, SHARED, SHARED, 0);
			need(ret == 0 || ret == -EBADF);
		} else {
			ret = guest_call(pread64, SHARED, P(&c), 1, 0);
			need(ret == -EBADF || (ret == 1 && (c == 'a' || c == 'b')));
			need_result(guest_call(poll, P(&p), 1, 0), 1);
			ret = guest_call(fcntl, SHARED, F_SETFD, FD_CLOEXEC);
			need(ret == 0 || ret == -EBADF);
		}
	}
}

static void use_and_replace_at_once(void)
{
	need_result(open_("/t/a/name", O_RDONLY), 3);
	need_result(open_("/t/b/name", O_RDONLY), 4);
	at_once(use_and_replace);
}

static void a_descriptor_may_be_closed_and_replaced_while_it_is_used(void **state)
{
	(void)state;
	guest(use_and_replace_at_once);
}

static void shuffle(unsigned int me)
{
	/* dup2(5, 6) and dup2(6, 5) leave the same file in both, in any order */
	for (int i = 0; i < TURNS; i++) {
		struct stat st[2];

		if (me == 0)
			need_result(guest_call(dup2, 3 + i % 2, 5), 5);
		if (me == 1)
			need_result(guest_call(dup2, 5, 6), 6);
		if (me > 1)
			for (int k = 0; k < 2; k++)
				need_result(guest_call(fstat, 5 + k, P(&st[k])), 0);
	}
}

static void shuffle_at_once(void)
{
	need_result(open_("/t/a/name", O_RDONLY), 3);
	need_result(open_("/t/b/name", O_RDONLY), 4);
	need_result(guest_call(dup2, 3, 5), 5);
	need_result(guest_call(dup2, 3, 6), 6);
	at_once(shuffle);
}

static void a_descriptor_that_is_replaced_is_never_closed_meanwhile(void **state)
{
	(void)state;
	guest(shuffle_at_once);
}

static atomic_uint pairs;

static void fill(unsigned int me)
{
	int fd[2];

	(void)me;
	while (guest_call(pipe, P(fd)) == 0)
		atomic_fetch_add(&pairs, 1);
}

static void fill_at_once(void)
{
	int fd[2];

	/* an odd number of places, so that the last pair finds one */
	need(fd_set_limit(3 + 40 + 1, 3 + 40 + 1) == 0);
	at_once(fill);
	need(pairs == 20);
	need_result(guest_call(pipe, P(fd)), -EMFILE);
	need_result(guest_call(dup, 0), 43);
}

static void of_a_pipe_both_ends_are_made_or_none(void **state)
{
	(void)state;
	guest(fill_at_once);
}

static void wait_and_close(unsigned int me)
{
	char text[8] = "";

	if (me == 0) {
		need_result(guest_call(read, 3, P(text), sizeof(text)), 5);
		need(strcmp(text, "hello") == 0);
	} else if (me == 1) {
		while (!guest_waits)
			sched_yield();
		need_result(guest_call(close, 3), 0);
		need_result(open_("/t/a/name", O_RDONLY), 3);
		need_result(guest_call(chdir, P("/t/a")), 0);
		need_result(guest_call(write, 4, P("hello"), 5), 5);
	}
}

static void wait_and_close_at_once(void)
{
	int fd[2];

	need_result(guest_call(pipe, P(fd)), 0);
	need(fd[0] == 3 && fd[1] == 4);
	guest_waits = 0;
	at_once(wait_and_close);
}

static void a_read_that_waits_outlives_its_descriptor_and_keeps_nobody_waiting(void **state)
{
	(void)state;
	guest(wait_and_close_at_once);
}

/* ------------------------------------------------------------- directories */

static void look_and_leave(unsigned int me)
{
	for (int i = 0; i < TURNS; i++) {
		char text[64];
		long fd;

		if (me == 0) {
			need_result(guest_call(chdir, P(i % 2 ? "/t/a" : "/t/b")), 0);
		} else if (me == 1) {
			need_result(guest_call(fchdir, 3 + i % 2), 0);
		} else {
			need_result(guest_call(getcwd, P(text), sizeof(text)), 5);
			need(!strcmp(text, "/t/a") || !strcmp(text, "/t/b"));
			fd = open_(i % 2 ? "name" : "../a/../b/./name", O_RDONLY);
			need(fd > 4);
			need_result(guest_call(read, fd, P(text), sizeof(text)), 1);
			need(*text == 'b' || (i % 2 && *text == 'a'));
			need_result(guest_call(close, fd), 0);
		}
	}
}

static void look_and_leave_at_once(void)
{
	need_result(open_("/t/a", O_RDONLY | O_DIRECTORY), 3);
	need_result(open_("/t/b", O_RDONLY | O_DIRECTORY), 4);
	need_result(guest_call(chdir, P("/t/a")), 0);
	at_once(look_and_leave);
}

static void the_working_directory_changes_at_once_for_all(void **state)
{
	(void)state;
	guest(look_and_leave_at_once);
}

static atomic_int listed;

static void list(unsigned int me)
{
	char buf[64];
	long n;

	(void)me;
	while ((n = guest_call(getdents64, 3, P(buf), sizeof(buf))) > 0)
		for (long at = 0; at < n; atomic_fetch_add(&listed, 1)) {
			uint16_t length;

			memcpy(&length, buf + at + offsetof(struct dirent64, d_reclen), sizeof(length));
			at += length;
		}
	need(n == 0);
}

static void list_at_once(void)
{
	int alone;

	/* /dev: ".", ".." and what is granted there */
	need_result(open_("/dev", O_RDONLY | O_DIRECTORY), 3);
	list(0);
	alone = listed;
	need(alone > 2);
	for (int i = 0; i < TURNS / 10; i++) {
		listed = 0;
		need_result(guest_call(lseek, 3, 0, SEEK_SET), 0);
		at_once(list);
		need(listed == alone);
	}
}

static void threads_that_list_a_directory_share_its_entries(void **state)
{
	(void)state;
	guest(list_at_once);
}

/* ------------------------------------------------------------- timers */

static void make_timers(unsigned int me)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	struct itimerspec at;

	(void)me;
	for (int i = 0; i < TURNS; i++) {
		int id = -1;

		need_result(guest_call(timer_create, CLOCK_MONOTONIC, P(&none), P(&id)), 0);
		need_result(guest_call(timer_gettime, id, P(&at)), 0);
		need_result(guest_call(timer_delete, id), 0);
	}
}

static void make_timers_at_once(void)
{
	at_once(make_timers);
	need_result(guest_call(timer_delete, 0), -EINVAL);
}

static void timers_are_of_all_threads(void **state)
{
	(void)state;
	guest(make_timers_at_once);
}

/* ------------------------------------------------------------- lines */

#define REFUSED 60

static void be_refused(unsigned int me)
{
	char path[32];

	(void)me;
	for (int i = 0; i < REFUSED; i++) {
		snprintf(path, sizeof(path), "/nowhere/%d", i);
		need_result(open_(path, O_RDONLY), -ENOENT);
		sched_yield();
	}
}

static void be_refused_at_once(void)
{
	at_once(be_refused);
}

static void explain_says_once_what_befalls_many_threads(void **state)
{
	struct outcome o;
	int lines = 0;

	(void)state;
	config.explain = true;
	guest_run_tidy(&config, be_refused_at_once, &o);
	config.explain = false;
	for (char *line = strtok(o.err, "\n"); line; line = strtok(NULL, "\n"), lines++)
		if (strncmp(line, "kvmrun: explain: /nowhere/", 26) || !strstr(line, "let the program read it"))
			fail_msg("a line of pieces: %s", line);
	assert_int_equal(lines, REFUSED);
}

#define LONG_NAME 3000		/* in octal, more than a pipe's PIPE_BUF */

static void be_traced(unsigned int me)
{
	char path[LONG_NAME + 2];

	for (int i = 0; i < TURNS / 10; i++) {
		memset(path, me + 1, LONG_NAME + 1);
		path[0] = '/';
		path[i % 2 ? LONG_NAME : 10] = '\0';
		open_(path, O_RDONLY);
	}
}

static int trace_pipe[2];

/* Fails for a line in which anything of another thread's is. */
static void *read_trace(void *arg)
{
	FILE *f = fdopen(trace_pipe[0], "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int lines = 0;

	while ((n = getline(&line, &size, f)) > 0) {
		const char *s = line;
		int length;

		need(!strncmp(s, "open(\"/", 7) && s[n - 1] == '\n');
		s += 7;
		for (length = 1; s[0] == '\\' && s[1] == line[8]; length++)
			s += 2;
		need(length == 10 || length == LONG_NAME);
		need(!strncmp(s, "\", O_RDONLY)", 12) && strstr(s, "= -1 E"));
		lines++;
	}
	need(lines == THREADS * (TURNS / 10));
	free(line);
	fclose(f);
	return arg;
}

static void be_traced_at_once(void)
{
	pthread_t reader;

	need(pipe2(trace_pipe, O_CLOEXEC) == 0);
	/* one page, so that a long line needs the reader on its way */
	need(fcntl(trace_pipe[1], F_SETPIPE_SZ, 4096) >= 0);
	need(pthread_create(&reader, NULL, read_trace, NULL) == 0);
	call_trace_fd = trace_pipe[1];
	at_once(be_traced);
	call_trace_fd = -1;
	close(trace_pipe[1]);
	pthread_join(reader, NULL);
}

static void trace_lines_of_threads_do_not_mix(void **state)
{
	(void)state;
	guest(be_traced_at_once);
}

/* ------------------------------------------------------------- the VM */

static atomic_uint slots_at_once, slots;
static atomic_ulong slots_end;

/* KVM, of which only memslots are asked for here. */
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	const struct kvm_userspace_memory_region *r = arg;

	(void)fd;
	if (request != KVM_SET_USER_MEMORY_REGION) {
		errno = ENOTTY;
		return -1;
	}
	need(atomic_fetch_add(&slots_at_once, 1) == 0);
	need(r->slot == atomic_fetch_add(&slots, 1));
	need(r->guest_phys_addr == atomic_fetch_add(&slots_end, r->memory_size));
	need(r->memory_size > 0);
	sched_yield();
	atomic_fetch_sub(&slots_at_once, 1);
	return 0;
}

static struct vm large = { .ram_lock = PTHREAD_MUTEX_INITIALIZER, .ram_size = 1ull << 40 };

static void want_ram(unsigned int me)
{
	for (uint64_t want = ABI_HUGE * (me + 1); want <= large.ram_size; want *= 2) {
		need(vm_ram(&large, want) == 0);
		need(large.ram_ready >= want);
	}
	need(vm_ram(&large, large.ram_size + 1) == -ENOMEM);
}

static void want_ram_at_once(void)
{
	at_once(want_ram);
	need(vm_ram(&large, large.ram_size) == 0);
	need(slots_end == large.ram_size && large.ram_ready == large.ram_size);
}

static void ram_is_added_once_whoever_asks(void **state)
{
	(void)state;
	guest(want_ram_at_once);
}

static void tick(unsigned int me)
{
	uint32_t *seq = &((struct abi_clock *)guest_vm.ram)->seq;
	uint32_t first = __atomic_load_n(seq, __ATOMIC_SEQ_CST);

	(void)me;
	/* until there is a rate, every tick renews */
	while (__atomic_load_n(seq, __ATOMIC_SEQ_CST) - first < TURNS)
		clock_tick();
}

static void tick_at_once(void)
{
	struct abi_clock *page = (struct abi_clock *)guest_vm.ram;
	struct vcpu vcpu = { .vm = &guest_vm, .fd = -1 };
	uint32_t seq;

	guest_vm.mode = ABI_MODE_USER;
	guest_vm.device_path = "none";
	clock_start(&vcpu);
	at_once(tick);
	need(page->seq % 2 == 0);
	/* the rate is found, unless the page was given up: what two wrote at once is not even */
	do {
		seq = page->seq;
		clock_tick();
	} while (!page->mult && page->seq != seq);
	need(page->mult);
}

static void the_clock_page_is_renewed_by_one_thread_at_a_time(void **state)
{
	(void)state;
	guest(tick_at_once);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_one_threads_until_it_is_closed),
		cmocka_unit_test(a_descriptor_may_be_closed_and_replaced_while_it_is_used),
		cmocka_unit_test(a_descriptor_that_is_replaced_is_never_closed_meanwhile),
		cmocka_unit_test(of_a_pipe_both_ends_are_made_or_none),
		cmocka_unit_test(a_read_that_waits_outlives_its_descriptor_and_keeps_nobody_waiting),
		cmocka_unit_test(the_working_directory_changes_at_once_for_all),
		cmocka_unit_test(threads_that_list_a_directory_share_its_entries),
		cmocka_unit_test(timers_are_of_all_threads),
		cmocka_unit_test(explain_says_once_what_befalls_many_threads),
		cmocka_unit_test(trace_lines_of_threads_do_not_mix),
		cmocka_unit_test(ram_is_added_once_whoever_asks),
		cmocka_unit_test(the_clock_page_is_renewed_by_one_thread_at_a_time),
	};

#ifndef __SANITIZE_THREAD__
	puts("# ThreadSanitizer does not work here: only results are looked at");
#endif
	return cmocka_run_group_tests_name("threads", tests, make_tree, remove_tree);
}
