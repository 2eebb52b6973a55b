/* SPDX-License-Identifier: GPL-2.0-only */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define TABLES 0x10000	/* GPA of the guest's page tables */

bool guest_cpu_is_qemus(void)
{
	uint32_t max, name[3];

	__cpuid(0x40000000, max, name[0], name[1], name[2]);
	return !memcmp(name, "TCGTCGTCGTCG", 12);
}

int guest_device(void)
{
	const char *paths[] = { getenv("KVMRUN_TEST_DEVICE"), "/dev/kvmrun", "/dev/kvm" };

	for (size_t i = 0; i < 3; i++) {
		int fd = paths[i] ? open(paths[i], O_RDWR | O_CLOEXEC) : -1;

		if (fd >= 0)
			return fd;
	}
	print_message("no KVM device here\n");
	skip();
	return -1;
}

static uint64_t *table(struct guest *g, int n)
{
	return (uint64_t *)(g->memory + TABLES + n * 4096);
}

/* Each maps 1:1 from 0: 4 MiB, by pages, so that the second half is MMIO. */
static void build_tables(struct guest *g, enum guest_mode mode)
{
	uint32_t *t32 = (uint32_t *)table(g, 0);

	if (mode == PAGED_32) {
		t32[0] = (TABLES + 4096) | 7;
		for (uint32_t i = 0; i < 1024; i++)
			((uint32_t *)table(g, 1))[i] = i << 12 | 7;
		return;
	}
	if (mode == LONG) {
		table(g, 0)[0] = (TABLES + 4096) | 7;
		table(g, 1)[0] = (TABLES + 2 * 4096) | 7;
	} else {
		table(g, 0)[0] = (TABLES + 2 * 4096) | 1;
	}
	for (uint64_t i = 0; i < 2; i++) {
		table(g, 2)[i] = (TABLES + (3 + i) * 4096) | 7;
		for (uint64_t j = 0; j < 512; j++)
			table(g, 3 + i)[j] = i << 21 | j << 12 | 7;
	}
}

/* Stock KVM of 6.12 takes no long mode that CPUID does not offer. */
void guest_offer_cpuid(struct guest *g)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid = { .head.nent = 256 };
	int device = guest_device();

	assert_int_equal(ioctl(device, KVM_GET_SUPPORTED_CPUID, &cpuid), 0);
	close(device);
	assert_int_equal(ioctl(g->vcpu, KVM_SET_CPUID2, &cpuid), 0);
}

static void set_mode(struct guest *g, enum guest_mode mode)
{
	struct kvm_segment data = { .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1,
				    .db = 1, .s = 1, .g = 1 };
	struct kvm_sregs s;

	assert_int_equal(ioctl(g->vcpu, KVM_GET_SREGS, &s), 0);
	s.cs.base = 0;
	s.cs.selector = 0;
	if (mode != REAL) {
		s.ds = s.es = s.fs = s.gs = s.ss = s.cs = data;
		s.cs.selector = 8;
		s.cs.type = 11;
		s.cr0 = 0x11;
	}
	if (mode > PROTECTED) {
		build_tables(g, mode);
		s.cr3 = TABLES;
		s.cr0 = 0x80000011;
		s.cr4 = mode == PAGED_32 ? 0 : 0x20;
	}
	if (mode == LONG) {
		s.cs.l = 1;
		s.cs.db = 0;
		s.efer = 0x500;
	}
	if (ioctl(g->vcpu, KVM_SET_SREGS, &s)) {
		guest_offer_cpuid(g);
		assert_int_equal(ioctl(g->vcpu, KVM_SET_SREGS, &s), 0);
	}
}

void guest_start(struct guest *g, enum guest_mode mode, const void *code, size_t len)
{
	struct kvm_regs regs = { .rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = 2 };
	int device = guest_device();

	g->vm = ioctl(device, KVM_CREATE_VM, 0);
	assert_true(g->vm >= 0);
	g->run_size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
	assert_true(g->run_size >= (int)sizeof(*g->run));
	close(device);
	g->memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	assert_true(g->memory != MAP_FAILED);
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_MEMORY, .userspace_addr = (uintptr_t)g->memory,
	};

	assert_int_equal(ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
	memcpy(g->memory + GUEST_CODE, code, len);
	g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
	assert_true(g->vcpu >= 0);
	g->run = mmap(NULL, g->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);
	assert_true(g->run != MAP_FAILED);
	set_mode(g, mode);
	guest_set_regs(g, &regs);
}

void guest_end(struct guest *g)
{
	munmap(g->run, g->run_size);
	munmap(g->memory, GUEST_MEMORY);
	close(g->vcpu);
	close(g->vm);
}

int guest_run(struct guest *g)
{
	if (ioctl(g->vcpu, KVM_RUN, 0) < 0)
		fail_msg("KVM_RUN: %s", strerror(errno));
	return g->run->exit_reason;
}

struct kvm_regs guest_regs(struct guest *g)
{
	struct kvm_regs regs;

	assert_int_equal(ioctl(g->vcpu, KVM_GET_REGS, &regs), 0);
	return regs;
}

void guest_set_regs(struct guest *g, const struct kvm_regs *regs)
{
	assert_int_equal(ioctl(g->vcpu, KVM_SET_REGS, regs), 0);
}

void guest_add_memory(struct guest *g, uint32_t slot, uint64_t gpa, void *hva, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	assert_int_equal(ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
}

static void *run_in_thread(void *arg)
{
	struct guest_thread *t = arg;
	int r;

	do
		r = ioctl(t->vcpu, KVM_RUN, 0);
	while (r < 0 && errno == EINTR && !t->stop);
	t->result = !r ? -(int)t->run->exit_reason : errno == EINTR ? 0 : errno;
	t->ended = true;
	return NULL;
}

static void interrupt(int sig)
{
	(void)sig;
}

void guest_thread_start(struct guest_thread *t, struct guest *g)
{
	struct sigaction sa = { .sa_handler = interrupt };

	sigaction(SIGUSR1, &sa, NULL);
	*t = (struct guest_thread){ .vcpu = g->vcpu, .run = g->run };
	t->run->immediate_exit = 0;
	assert_int_equal(pthread_create(&t->thread, NULL, run_in_thread, t), 0);
}

int guest_thread_wait(struct guest_thread *t)
{
	pthread_join(t->thread, NULL);
	return t->result;
}

int guest_thread_stop(struct guest_thread *t)
{
	t->stop = true;
	t->run->immediate_exit = 1;
	pthread_kill(t->thread, SIGUSR1);
	return guest_thread_wait(t);
}

void guest_thread_pause(struct guest_thread *t)
{
	usleep(1000);
	if (t->ended)
		fail_msg("the guest's run ended: errno %d, or exit %d", t->result, -t->result);
}

bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}
