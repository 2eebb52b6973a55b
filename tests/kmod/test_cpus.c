/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_cpus.c - running guests while CPUs come, go and sleep
 *
 * The guest has something in every kind of register that the module or the
 * processor swaps, and compares it all the time; what differs is a HLT exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define VCPUS	3
#define COUNTER	0x6000	/* GPA; vCPU n's is 64 * n bytes further */
#define VALUE	0x1122334455667788ull

/*
 * rbx and xmm0 hold VALUE, rdi its offset from the bases of FS and of GS behind
 * swapgs (KERNEL_GS_BASE), CR8 is 5, rsi has the counter's address.
 */
static const char compare[] =
	"\x66\x48\x0f\x7e\xc0\x48\x39\xd8\x75\x25"		/* movq %xmm0, %rax; cmp %rbx, %rax; jne */
	"\x64\x48\x8b\x07\x48\x39\xd8\x75\x1c"		/* mov %fs:(%rdi), %rax; cmp; jne */
	"\x0f\x01\xf8\x65\x48\x8b\x07\x0f\x01\xf8"		/* swapgs; mov %gs:(%rdi), %rax; swapgs */
	"\x48\x39\xd8\x75\x0d"				/* cmp; jne */
	"\x44\x0f\x20\xc0\x3c\x05\x75\x05"			/* mov %cr8, %rax; cmp $5, %al; jne */
	"\xf0\xff\x06\xeb\xd1\xf4";				/* lock incl (%rsi); jmp back; hlt */

static struct guest g;
static struct guest_thread threads[VCPUS];

static volatile uint32_t *counter(int n)
{
	return (uint32_t *)(g.memory + COUNTER + 64 * n);
}

static void start(void)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	uint64_t value = VALUE;

	guest_start(&g, LONG, compare, sizeof(compare) - 1);
	memcpy(g.memory + 0x5108, &value, 8);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_SREGS, &sregs), 0);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_FPU, &fpu), 0);
	sregs.fs.base = 0x5000;
	sregs.gs.base = 0x7777;
	sregs.cr4 |= 0x600;	/* SSE */
	memcpy(fpu.xmm, &value, 8);
	for (int i = 0; i < VCPUS; i++) {
		struct { struct kvm_msrs head; struct kvm_msr_entry e; } m = {
			.head.nmsrs = 1, .e = { .index = 0xc0000102, .data = 0x5000 },
		};
		struct guest one = g;

		if (i) {
			one.vcpu = ioctl(g.vm, KVM_CREATE_VCPU, i);
			assert_true(one.vcpu >= 0);
			one.run = mmap(NULL, g.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, one.vcpu, 0);
			assert_true(one.run != MAP_FAILED);
		}
		regs = (struct kvm_regs){ .rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = 2, .rbx = VALUE,
					  .rsi = COUNTER + 64 * i, .rdi = 0x108 };
		one.run->cr8 = sregs.cr8 = 5;
		assert_int_equal(ioctl(one.vcpu, KVM_SET_SREGS, &sregs), 0);
		assert_int_equal(ioctl(one.vcpu, KVM_SET_REGS, &regs), 0);
		assert_int_equal(ioctl(one.vcpu, KVM_SET_FPU, &fpu), 0);
		assert_int_equal(ioctl(one.vcpu, KVM_SET_MSRS, &m), 1);
		guest_thread_start(&threads[i], &one);
	}
}

static void progress(void)
{
	for (int i = 0; i < VCPUS; i++)
		for (uint32_t from = *counter(i); *counter(i) - from < 100; )
			guest_thread_pause(&threads[i]);
}

static void end(void)
{
	for (int i = 0; i < VCPUS; i++) {
		assert_int_equal(guest_thread_stop(&threads[i]), 0);
		if (i) {
			munmap(threads[i].run, g.run_size);
			close(threads[i].vcpu);
		}
	}
	guest_end(&g);
}

static void pin(int n, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(pthread_setaffinity_np(threads[n].thread, sizeof(set), &set), 0);
}

static void skip_unless(bool possible, const char *why)
{
	if (possible)
		return;
	print_message("%s\n", why);
	skip();
}

static void more_vcpus_than_cpus_keep_their_state(void **state)
{
	start();
	for (int i = 0; i < 10; i++)
		progress();
	end();
	(void)state;
}

static void threat_35_vcpus_move_between_cpus_with_all_their_state(void **state)
{
	skip_unless(sysconf(_SC_NPROCESSORS_ONLN) > 1, "one CPU only");
	start();
	for (int i = 0; i < 50; i++) {
		for (int n = 0; n < VCPUS; n++)
			pin(n, (n + i) % 2);
		progress();
	}
	end();
	(void)state;
}

#define ONLINE "/sys/devices/system/cpu/cpu1/online"

static void threat_34_a_cpu_goes_and_comes_under_running_guests(void **state)
{
	skip_unless(!access(ONLINE, W_OK) && sysconf(_SC_NPROCESSORS_ONLN) > 1,
		    "no second CPU that can be taken offline");
	start();
	for (int i = 0; i < 10; i++) {
		/* one that is bound to the CPU is moved, too */
		pin(0, 1);
		progress();
		assert_true(put_text(ONLINE, "0"));
		progress();
		assert_true(put_text(ONLINE, "1"));
		pin(1, 1);
		progress();
	}
	end();
	(void)state;
}

#define PM "/sys/power/"

/* The files of the lab come by virtio-9p, which does not wake up again: only its output is seen then. */
static void guests_go_on_after_suspend(void **state)
{
	bool possible;

	skip_unless(getenv("KVMRUN_TEST_SUSPEND"), "the lab's files do not survive it: asked for by KVMRUN_TEST_SUSPEND=1");
	possible = put_text(PM "pm_test", "core");
	put_text("/sys/module/suspend/parameters/pm_test_delay", "1");
	skip_unless(possible, "no suspend with a test mode here (PM_DEBUG, root)");
	start();
	for (int i = 0; i < 3; i++) {
		progress();
		/* all CPUs but one go, the last one's syscore functions are called, and back */
		if (!put_text(PM "state", "mem")) {
			end();
			put_text(PM "pm_test", "none");
			skip_unless(false, "this machine cannot suspend to memory");
		}
		progress();
	}
	end();
	put_text(PM "pm_test", "none");
	(void)state;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_vcpus_than_cpus_keep_their_state),
		cmocka_unit_test(threat_35_vcpus_move_between_cpus_with_all_their_state),
		cmocka_unit_test(threat_34_a_cpu_goes_and_comes_under_running_guests),
		cmocka_unit_test(guests_go_on_after_suspend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
