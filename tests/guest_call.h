/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_TESTS_GUEST_CALL_H
#define KVMRUN_TESTS_GUEST_CALL_H

/*
 * A stand-in for the VM and the shim: marshals calls by the call table into a
 * frame in a small guest RAM, and has the runner serve it. For unit tests of the
 * host side of calls, without a VM.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../runner/call.h"
#include "../runner/options.h"
#include "../runner/vcpu.h"
#include "../runner/vm.h"

#define GUEST_RAM (16u << 20)

extern struct vm guest_vm;
extern _Thread_local struct vcpu guest_vcpu;	/* .pending: interruptible_syscall() returns -EINTR at once */
extern _Thread_local struct abi_frame *frame;	/* in guest RAM */
extern atomic_uint guest_waits;		/* interruptible_syscall()s so far */
extern unsigned int guest_storm;	/* so many of them find a signal that has just come */
extern unsigned int guest_split;	/* longest segment that guest_call() makes; 0: as long as it gets */

/* fdtable_init(), policy_init(), path_start(): in a process of its own, once. */
void guest_start(const struct config *config);

/* Gives the calling thread the i-th small part of guest RAM, from GUEST_THREADS on, as its own. */
#define GUEST_THREADS (GUEST_RAM / 2)
void guest_thread(unsigned int i);

/* Serves the frame as it stands: what call_serve() returns, its reason in *why. */
int guest_serve(const char **why);

/*
 * A call with its arguments as a program gives them; pointers are the test's own
 * memory. Returns the result or -errno.
 */
long guest_call_args(uint32_t nr, const uint64_t a[6]);
#define guest_call(name, ...) guest_call_args(SYS_##name, (uint64_t[6]){ __VA_ARGS__ })
#define P(pointer) ((uint64_t)(uintptr_t)(pointer))

struct outcome;

/*
 * body() as the guest, after guest_start(config), in a process of its own (forked()). Fails the
 * test unless that ends with 0. What it has printed is in *o, which may be NULL.
 * guest_run_tidy: when the guest has closed all that is open it must have left no descriptor of
 * the host's behind.
 */
void guest_run(const struct config *config, void (*body)(void), struct outcome *o);
void guest_run_tidy(const struct config *config, void (*body)(void), struct outcome *o);

/* In the child of a test: what does not hold ends it with a line on stderr and status 1. */
#define need(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1); \
		} \
	} while (0)

#define need_result(call, expected) \
	do { \
		long result_ = (call), expected_ = (expected); \
		if (result_ != expected_) { \
			fprintf(stderr, "%s:%d: %s is %ld, not %ld\n", __FILE__, __LINE__, #call, result_, expected_); \
			_exit(1); \
		} \
	} while (0)

#endif
