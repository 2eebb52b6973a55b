/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_unload.c - unloading the module while its device is being used
 *
 * A thread makes, runs and ends VMs as fast as it can, another one unloads the
 * module whenever it may, and loads it again. Needs to be root where modules
 * can be loaded. Ends with the module loaded or not as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define DEV	"/dev/kvmrun"
#define UNLOADS	100

static int load(void)
{
	struct utsname name;
	char path[256];
	int fd, r;

	uname(&name);
	snprintf(path, sizeof(path), "build/kmod/%s/kvmrun.ko", name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return r;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "kvmrun", O_NONBLOCK);
}

static bool was_loaded;

static int set_up(void **state)
{
	(void)state;
	was_loaded = !access("/sys/module/kvmrun", F_OK);
	if (was_loaded || !load())
		return 0;
	print_message("kvmrun.ko cannot be loaded here: %s\n", strerror(errno));
	skip();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (!was_loaded)
		unload();
	else if (access("/sys/module/kvmrun", F_OK))
		load();
	return 0;
}

static volatile bool over;
static volatile unsigned int used;

/* What can be done with the device, as far as it comes. */
static void use(void)
{
	static const uint8_t hlt = 0xf4;
	int device = open(DEV, O_RDWR | O_CLOEXEC), vm, vcpu;
	struct kvm_run *run = MAP_FAILED;
	uint8_t *memory;

	if (device < 0) {
		/* not there; between its end and its going; or its module is */
		if (errno != ENOENT && errno != ENODEV && errno != ENXIO)
			fail_msg("open: %s", strerror(errno));
		return;
	}
	vm = ioctl(device, KVM_CREATE_VM, 0);
	assert_true(vm >= 0);
	close(device);
	memory = mmap((void *)0x100000000, 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memory[0xff0] = hlt;
	assert_int_equal(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &(struct kvm_userspace_memory_region){
		.guest_phys_addr = 0xfffff000, .memory_size = 4096, .userspace_addr = (uintptr_t)memory,
	}), 0);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	assert_true(vcpu >= 0);
	close(vm);
	run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	assert_true(run != MAP_FAILED);
	assert_int_equal(ioctl(vcpu, KVM_RUN, 0), 0);
	assert_int_equal(run->exit_reason, KVM_EXIT_HLT);
	/* what keeps the module is then no descriptor, but a mapping */
	close(vcpu);
	munmap(run, 4096);
	used++;
}

static void *use_it(void *unused)
{
	while (!over)
		use();
	return unused;
}

static void threat_32_the_module_unloads_between_uses_and_never_under_one(void **state)
{
	unsigned int unloads = 0;
	pthread_t thread;

	used = 0;
	over = false;
	assert_int_equal(pthread_create(&thread, NULL, use_it, NULL), 0);
	while (unloads < UNLOADS) {
		unsigned int before = used;

		if (unload()) {
			assert_true(errno == EWOULDBLOCK || errno == EBUSY);
			continue;
		}
		unloads++;
		assert_int_equal(load(), 0);
		/* so that it is really used between two unloads */
		for (int i = 0; used == before && i < 1000; i++)
			usleep(1000);
	}
	over = true;
	pthread_join(thread, NULL);
	assert_true(used >= UNLOADS / 2);
	(void)state;
}

/* A VM is freed some time after its last descriptor: unloading waits for that. */
static void unloading_at_once_after_a_vm_ends_waits_for_its_end(void **state)
{
	for (int i = 0; i < 50; i++) {
		/* the one process ends, and with it its VM, as the other unloads */
		pid_t pid = fork();

		if (!pid) {
			use();
			_exit(0);
		}
		use();
		while (unload())
			assert_true(errno == EWOULDBLOCK || errno == EBUSY);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(load(), 0);
	}
	(void)state;
}

static void a_mapping_alone_keeps_the_module(void **state)
{
	int device = open(DEV, O_RDWR | O_CLOEXEC), vm, vcpu;
	struct kvm_run *run;

	assert_true(device >= 0);
	vm = ioctl(device, KVM_CREATE_VM, 0);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	assert_true(run != MAP_FAILED);
	close(vcpu);
	close(vm);
	close(device);
	assert_int_equal(unload(), -1);
	assert_int_equal(run->exit_reason, 0);
	munmap(run, 4096);
	assert_int_equal(unload(), 0);
	assert_int_equal(load(), 0);
	(void)state;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(threat_32_the_module_unloads_between_uses_and_never_under_one,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(unloading_at_once_after_a_vm_ends_waits_for_its_end,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_mapping_alone_keeps_the_module, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
