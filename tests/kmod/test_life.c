/* SPDX-License-Identifier: GPL-2.0-only */
/* test_life.c - VMs whose process ends, is killed, or gives them away */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define fails(call, error) do { errno = 0; assert_int_equal(call, -1); assert_int_equal(errno, error); } while (0)

#define COUNTER	0x6000	/* GPA of what the guest counts up */

/* 1: lock incl COUNTER; jmp 1b */
static const char spin[] = "\xf0\xff\x04\x25\x00\x60\x00\x00\xeb\xf6";
/* mov $0x400000, %edi; 1: mov %edi, (%edi); add $4096, %edi; jmp 1b: all that there is */
static const char devour[] = "\xbf\x00\x00\x40\x00\x89\x3f\x81\xc7\x00\x10\x00\x00\xeb\xf6";

/* Users of the module, when the device is its: open files of devices, VMs and vCPUs. */
static int users(void)
{
	FILE *f = fopen("/sys/module/kvmrun/refcnt", "re");
	int n = 0;

	if (!f)
		return 0;
	assert_int_equal(fscanf(f, "%d", &n), 1);
	fclose(f);
	return n;
}

static bool killed_by_kill(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* A process with guests that spin, all of whose memory is shared with the caller. */
static pid_t spinning_child(int guests, volatile uint32_t **counter)
{
	uint8_t *shared = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	assert_true(shared != MAP_FAILED);
	*counter = (uint32_t *)shared;
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < guests; i++) {
		static struct guest_thread t[4];
		static struct guest g[4];

		guest_start(&g[i], LONG, spin, sizeof(spin) - 1);
		/* the page of the counter is one that the parent sees: the mapping, once more */
		assert_true(mremap(shared + i * 4096, 0, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
				   g[i].memory + COUNTER) == g[i].memory + COUNTER);
		guest_thread_start(&t[i], &g[i]);
	}
	for (;;)
		pause();
}

static void wait_for_progress(volatile uint32_t *counter)
{
	for (uint32_t from = *counter; *counter - from < 100; )
		usleep(1000);
}

static void threat_33_a_process_killed_in_guest_mode_leaves_nothing(void **state)
{
	int before = users();

	for (int i = 0; i < 10; i++) {
		volatile uint32_t *counter;
		pid_t pid = spinning_child(3, &counter);

		for (int j = 0; j < 3; j++)
			wait_for_progress(counter + j * 1024);
		kill(pid, SIGKILL);
		assert_true(killed_by_kill(pid));
		assert_int_equal(users(), before);
		munmap((void *)counter, GUEST_MEMORY);
	}
	(void)state;
}

static void a_stopped_process_stops_its_guest_and_goes_on_with_it(void **state)
{
	volatile uint32_t *counter, at;
	pid_t pid = spinning_child(1, &counter);
	int status;

	wait_for_progress(counter);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	at = *counter;
	usleep(20000);
	assert_int_equal(*counter, at);
	kill(pid, SIGCONT);
	wait_for_progress(counter);
	kill(pid, SIGKILL);
	assert_true(killed_by_kill(pid));
	munmap((void *)counter, GUEST_MEMORY);
	(void)state;
}

/* ---------------------------------------------------------------- out of memory */

#define GROUP	"/sys/fs/cgroup/kvmrun-test"
#define LIMIT	"33554432"

static bool memory_group(void)
{
	mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	return put_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory") &&
	       (!mkdir(GROUP, 0755) || errno == EEXIST) && put_text(GROUP "/memory.max", LIMIT);
}

static long oom_kills(void)
{
	FILE *f = fopen(GROUP "/memory.events", "re");
	char name[32];
	long n, found = -1;

	assert_non_null(f);
	while (fscanf(f, "%31s %ld", name, &n) == 2)
		if (!strcmp(name, "oom_kill"))
			found = n;
	fclose(f);
	return found;
}

static void a_guest_that_takes_too_much_is_killed_with_its_process(void **state)
{
	size_t size = 512 << 20;
	int before = users();
	long kills;
	pid_t pid;

	if (!memory_group()) {
		print_message("no memory control group can be made here\n");
		skip();
	}
	put_text(GROUP "/memory.swap.max", "0");
	kills = oom_kills();
	for (int i = 1; i <= 3; i++) {
		pid = fork();
		if (!pid) {
			struct guest g;
			void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

			if (memory == MAP_FAILED || !put_text(GROUP "/cgroup.procs", "0"))
				_exit(2);
			guest_start(&g, PROTECTED, devour, sizeof(devour) - 1);
			guest_add_memory(&g, 1, 0x400000, memory, size);
			for (;;)
				ioctl(g.vcpu, KVM_RUN, 0);
		}
		assert_true(killed_by_kill(pid));
		assert_int_equal(oom_kills(), kills + i);
		assert_int_equal(users(), before);
	}
	assert_int_equal(rmdir(GROUP), 0);
	(void)state;
}

/* -------------------------------------------------------------------- descriptors */

static void a_child_may_hold_and_end_a_vm_but_not_use_it(void **state)
{
	int before = users(), status;
	int go[2];
	char byte = 0;

	assert_int_equal(pipe(go), 0);
	for (int i = 0; i < 20; i++) {
		pid_t middle = fork();

		if (!middle) {
			struct kvm_regs regs;
			struct guest g;

			guest_start(&g, LONG, CODE("\xf4"));
			assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
			if (fork())
				_exit(0);	/* the VM's own process is gone, its memory, too */
			if (read(go[0], &byte, 1) != 1)
				_exit(1);
			fails(ioctl(g.vcpu, KVM_RUN, 0), EIO);
			fails(ioctl(g.vcpu, KVM_GET_REGS, &regs), EIO);
			fails(ioctl(g.vm, KVM_CREATE_VCPU, 1), EIO);
			assert_int_equal(g.run->exit_reason, KVM_EXIT_HLT);
			kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(middle, &status, 0), middle);
		assert_int_equal(status, 0);
		assert_int_equal(write(go[1], &byte, 1), 1);
	}
	while (users() > before)
		usleep(1000);
	close(go[0]), close(go[1]);
	(void)state;
}

static void a_vcpus_pages_outlive_its_descriptors(void **state)
{
	struct guest g;
	char *again;

	guest_start(&g, LONG, CODE("\xf4"));
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	close(g.vcpu);
	close(g.vm);
	assert_int_equal(g.run->exit_reason, KVM_EXIT_HLT);
	again = mremap(g.run, g.run_size, g.run_size, MREMAP_MAYMOVE | MREMAP_FIXED, g.memory);
	assert_true(again == (char *)g.memory);
	assert_int_equal(((struct kvm_run *)again)->exit_reason, KVM_EXIT_HLT);
	munmap(again, GUEST_MEMORY);
	(void)state;
}

/* ------------------------------------------------------------- the end of a VM */

/* mov $0x10000, %edi; mov $400, %ecx; 1: mov %edi, (%edi); add $4096, %edi; loop 1b; hlt */
static const char touch[] = "\xbf\x00\x00\x01\x00\xb9\x90\x01\x00\x00\x89\x3f"
			    "\x81\xc7\x00\x10\x00\x00\xe2\xf6\xf4";

static volatile int dropped;

static void *drop_pages(void *memory)
{
	for (dropped = 0; dropped < 400; dropped++)
		madvise((char *)memory + 0x10000 + dropped * 4096, 4096, MADV_DONTNEED);
	return NULL;
}

/* Memory is taken from a VM, page by page, while its last descriptor is closed. */
static void a_vm_may_end_while_its_memory_goes(void **state)
{
	pthread_t thread;

	for (int i = 0; i < 50; i++) {
		struct guest g;
		int extra[8];

		guest_start(&g, PROTECTED, touch, sizeof(touch) - 1);
		for (int j = 0; j < 8; j++)
			extra[j] = ioctl(g.vm, KVM_CREATE_VCPU, j + 1);
		assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
		munmap(g.run, g.run_size);
		for (int j = 0; j < 8; j++)
			close(extra[j]);
		close(g.vcpu);
		dropped = -1;
		assert_int_equal(pthread_create(&thread, NULL, drop_pages, g.memory), 0);
		while (dropped < 4 * (i % 10))
			;
		close(g.vm);
		pthread_join(thread, NULL);
		munmap(g.memory, GUEST_MEMORY);
	}
	(void)state;
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(threat_33_a_process_killed_in_guest_mode_leaves_nothing),
		TEST(a_stopped_process_stops_its_guest_and_goes_on_with_it),
		TEST(a_guest_that_takes_too_much_is_killed_with_its_process),
		TEST(a_child_may_hold_and_end_a_vm_but_not_use_it),
		TEST(a_vcpus_pages_outlive_its_descriptors),
		TEST(a_vm_may_end_while_its_memory_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
