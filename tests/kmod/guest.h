/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.h - tiny virtual machines to test a KVM device with
 *
 * The device is KVMRUN_TEST_DEVICE, or else /dev/kvmrun or /dev/kvm, whichever
 * is there first. Guests are a few bytes of code at GPA 0x1000 of 2 MiB of
 * memory, in a mode of one's choice; failures to set one up end the test.
 */
#ifndef TESTS_KMOD_GUEST_H
#define TESTS_KMOD_GUEST_H

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#define GUEST_MEMORY	0x200000
#define GUEST_CODE	0x1000
#define GUEST_STACK	0x8000

enum guest_mode { REAL, PROTECTED, PAGED_32, PAGED_PAE, LONG };

struct guest {
	int vm, vcpu;
	uint8_t *memory;	/* NULL: no memslot was made */
	struct kvm_run *run;
	int run_size;
};

/* Whether this machine's CPU is QEMU's software one, which lacks some of what processors do. */
bool guest_cpu_is_qemus(void);
/* The device, open; skips the test when there is none. */
int guest_device(void);
/* code of len bytes; paging modes map the memory, and GPA 0x200000 on without memory, 1:1. */
void guest_start(struct guest *g, enum guest_mode mode, const void *code, size_t len);
void guest_end(struct guest *g);
/* Its vCPU has all that the device offers. */
void guest_offer_cpuid(struct guest *g);
/* KVM_RUN until an exit that is not EINTR of a signal; its reason. Fails the test on another errno. */
int guest_run(struct guest *g);
struct kvm_regs guest_regs(struct guest *g);
void guest_set_regs(struct guest *g, const struct kvm_regs *regs);

/* The process's memory of a size (page aligned) at hva as the guest's from gpa on. */
void guest_add_memory(struct guest *g, uint32_t slot, uint64_t gpa, void *hva, uint64_t size);

/* A vCPU that runs in a thread of its own. */
struct guest_thread {
	pthread_t thread;
	int vcpu;
	struct kvm_run *run;
	volatile bool stop, ended;
	int result;
};

/* Starts it; signals (SIGUSR1 is taken) and immediate_exit do not end it. */
void guest_thread_start(struct guest_thread *t, struct guest *g);
/* Until it has ended by itself: the errno of KVM_RUN, or -(exit reason). */
int guest_thread_wait(struct guest_thread *t);
/* Ends it: as guest_thread_wait, 0 when it was still running. */
int guest_thread_stop(struct guest_thread *t);
/* Sleeps for a moment, for loops that wait for a running guest; fails the test if it has ended. */
void guest_thread_pause(struct guest_thread *t);

/* Writes the text to a file that is there, as of /proc and /sys. */
bool put_text(const char *path, const char *text);

/* Code as a string literal of bytes. */
#define CODE(bytes) bytes, sizeof(bytes) - 1

#endif
