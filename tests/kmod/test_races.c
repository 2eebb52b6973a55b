/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_races.c - the process's memory changes while vCPUs use it
 *
 * Each vCPU of a VM goes round pages of guest memory without an exit, writing
 * its own number of rounds, while the process unmaps, remaps, protects, forks.
 * Best with several CPUs (tests/lab/lab --smp 2).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define VCPUS	2
#define ARENA	0x100000	/* GPA of what is changed; below it are code and stack */
#define PAGES	16
#define MILLISECONDS 1500

/*
 * 1: mov $ARENA, %edi; mov $PAGES, %ecx
 * 2: lock incl (%rdi); mov 4(%rdi), %eax; add $4096, %rdi; loop 2b; jmp 1b
 */
static const char rounds[] = "\xbf\x00\x00\x10\x00\xb9\x10\x00\x00\x00\xf0\xff\x07\x8b\x47\x04"
			     "\x48\x81\xc7\x00\x10\x00\x00\xe2\xf1\xeb\xe5";

struct runner {
	pthread_t thread;
	int vcpu, error;
	struct kvm_run *run;
	volatile bool stop;
};

static void *run_until_stopped(void *arg)
{
	struct runner *r = arg;

	while (!r->stop) {
		if (!ioctl(r->vcpu, KVM_RUN, 0)) {
			r->error = -(int)r->run->exit_reason;
			break;
		}
		/* EFAULT is what a page that is away for the moment gives */
		if (errno != EINTR && errno != EFAULT) {
			r->error = errno;
			break;
		}
	}
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* Run two vCPUs while change() is called over and over. */
static void race(void (*change)(struct guest *g, unsigned int round))
{
	struct sigaction sa = { .sa_handler = nothing };
	struct runner runner[VCPUS] = {};
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct guest g;
	uint64_t end;

	sigaction(SIGUSR1, &sa, NULL);
	guest_start(&g, LONG, rounds, sizeof(rounds) - 1);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &sregs), 0);
	regs = guest_regs(&g);
	for (int i = 0; i < VCPUS; i++) {
		struct runner *r = &runner[i];

		r->vcpu = i ? ioctl(g.vm, KVM_CREATE_VCPU, i) : g.vcpu;
		assert_true(r->vcpu >= 0);
		assert_int_equal(ioctl(r->vcpu, KVM_SET_SREGS, &sregs), 0);
		assert_int_equal(ioctl(r->vcpu, KVM_SET_REGS, &regs), 0);
		r->run = mmap(NULL, g.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->vcpu, 0);
		assert_true(r->run != MAP_FAILED);
		pthread_create(&r->thread, NULL, run_until_stopped, r);
	}
	end = now_ms() + MILLISECONDS;
	for (unsigned int i = 0; now_ms() < end; i++)
		change(&g, i);
	for (int i = 0; i < VCPUS; i++) {
		struct runner *r = &runner[i];

		r->stop = true;
		r->run->immediate_exit = 1;
		pthread_kill(r->thread, SIGUSR1);
		pthread_join(r->thread, NULL);
		if (r->error)
			fail_msg("vCPU %d: error %d, or exit %d", i, r->error, -r->error);
		munmap(r->run, g.run_size);
		if (i)
			close(r->vcpu);
	}
	guest_end(&g);
}

static uint8_t *page(struct guest *g, unsigned int round)
{
	return g->memory + ARENA + round % PAGES * 4096;
}

static void drop(struct guest *g, unsigned int round)
{
	assert_int_equal(madvise(page(g, round), 4096, MADV_DONTNEED), 0);
}

static void map_anew(struct guest *g, unsigned int round)
{
	assert_true(mmap(page(g, round), 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
}

static void unmap_and_map(struct guest *g, unsigned int round)
{
	munmap(page(g, round), 4096);
	map_anew(g, round);
}

static void huge_and_small(struct guest *g, unsigned int round)
{
	madvise(g->memory, GUEST_MEMORY, round % 2 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	drop(g, round);
}

/* What the guest wrote before it may not change for a child, nor be lost to the parent. */
static void fork_a_child(struct guest *g, unsigned int round)
{
	volatile uint32_t *counter = (uint32_t *)page(g, round);
	pid_t pid = fork();
	int status;

	if (!pid) {
		uint32_t before = *counter;

		for (volatile int i = 0; i < 10000; i++)
			;
		_exit(*counter != before);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* While a page cannot be written its counter stands still. */
static void protect(struct guest *g, unsigned int round)
{
	volatile uint32_t *counter = (uint32_t *)page(g, round);
	uint32_t before;

	assert_int_equal(mprotect(page(g, round), 4096, PROT_READ), 0);
	before = *counter;
	for (volatile int i = 0; i < 10000; i++)
		;
	assert_int_equal(*counter, before);
	assert_int_equal(mprotect(page(g, round), 4096, PROT_READ | PROT_WRITE), 0);
}

/* A page that was taken away and given back holds what the guest writes to the new one only. */
static void log_dirty(struct guest *g, unsigned int round)
{
	struct kvm_userspace_memory_region r = {
		.flags = round % 8 ? KVM_MEM_LOG_DIRTY_PAGES : 0,
		.memory_size = GUEST_MEMORY, .userspace_addr = (uintptr_t)g->memory,
	};
	uint64_t bitmap[GUEST_MEMORY / 4096 / 64];
	struct kvm_dirty_log log = { .dirty_bitmap = bitmap };
	uint32_t before[PAGES], after[PAGES];

	assert_int_equal(ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &r), 0);
	if (!r.flags)
		return;
	assert_int_equal(ioctl(g->vm, KVM_GET_DIRTY_LOG, &log), 0);
	for (int i = 0; i < PAGES; i++)
		before[i] = *(volatile uint32_t *)page(g, i);
	for (volatile int i = 0; i < 10000; i++)
		;
	for (int i = 0; i < PAGES; i++)
		after[i] = *(volatile uint32_t *)page(g, i);
	assert_int_equal(ioctl(g->vm, KVM_GET_DIRTY_LOG, &log), 0);
	for (int i = 0; i < PAGES; i++)
		if (before[i] != after[i] && !(bitmap[ARENA / 4096 / 64] >> i & 1))
			fail_msg("page %d was written and is not in the log", i);
}

static void threat_31_guests_survive_madvise(void **state)
{
	(void)state;
	race(drop);
}

static void guests_survive_mapping_over(void **state)
{
	(void)state;
	race(map_anew);
}

static void guests_survive_unmapping(void **state)
{
	(void)state;
	race(unmap_and_map);
}

static void threat_31_guests_survive_huge_pages_coming_and_going(void **state)
{
	(void)state;
	race(huge_and_small);
}

static void a_childs_memory_is_its_own(void **state)
{
	(void)state;
	race(fork_a_child);
}

static void a_protected_page_is_not_written(void **state)
{
	(void)state;
	race(protect);
}

static void no_write_escapes_the_dirty_log(void **state)
{
	(void)state;
	race(log_dirty);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_31_guests_survive_madvise),
		cmocka_unit_test(guests_survive_mapping_over),
		cmocka_unit_test(guests_survive_unmapping),
		cmocka_unit_test(threat_31_guests_survive_huge_pages_coming_and_going),
		cmocka_unit_test(a_childs_memory_is_its_own),
		cmocka_unit_test(a_protected_page_is_not_written),
		cmocka_unit_test(no_write_escapes_the_dirty_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
