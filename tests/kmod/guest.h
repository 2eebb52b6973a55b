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

#include <stdarg.h>
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

/* The device, open; skips the test when there is none. */
int guest_device(void);
/* code of len bytes; paging modes map the memory, and GPA 0x200000 on without memory, 1:1. */
void guest_start(struct guest *g, enum guest_mode mode, const void *code, size_t len);
void guest_end(struct guest *g);
/* KVM_RUN until an exit that is not EINTR of a signal; its reason. Fails the test on another errno. */
int guest_run(struct guest *g);
struct kvm_regs guest_regs(struct guest *g);
void guest_set_regs(struct guest *g, const struct kvm_regs *regs);

/* Code as a string literal of bytes. */
#define CODE(bytes) bytes, sizeof(bytes) - 1

#endif
