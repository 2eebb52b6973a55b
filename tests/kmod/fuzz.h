/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.h - what the parts of the fuzzer share: fuzz.c, its table of ioctls, its guests
 */
#ifndef TESTS_KMOD_FUZZ_H
#define TESTS_KMOD_FUZZ_H

#include "guest.h"

#define FILES		24
#define BUFFER		0x4000
#define ARENA		0x800000
#define SIZE(a)		(sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------------- fuzz.c */

struct worker {
	uint64_t random;
	int id;
	uint8_t *buffer;	/* BUFFER bytes, then a page that is not there */
};

uint64_t any(struct worker *w);
uint32_t below(struct worker *w, uint32_t n);
bool one_in(struct worker *w, uint32_t n);
/* A number that code may not expect. */
uint64_t interesting(struct worker *w);
/* Change a few fields of every width, anywhere. */
void disturb(struct worker *w, void *at, size_t size);

/* Memory that guests are given, of ARENA bytes, and that comes and goes. */
extern uint8_t *arena;

enum file { DEVICE, VM, VCPU, KINDS };

struct entry {
	int fd;
	struct kvm_run *run;	/* a vCPU's; stays mapped */
};

extern struct entry files[KINDS][FILES];
/* One that is open, or was. */
struct entry *pick(struct worker *w, enum file file);
void keep(enum file file, int fd);

/* ------------------------------------------------------------- fuzz_calls.c */

struct call {
	const char *name;
	unsigned int cmd;
	enum file file;
	/* fd: of the file that it is to go to */
	uint64_t (*argument)(struct worker *w, const struct call *call, int fd);
	unsigned int get;	/* what tells a good value to start from */
	size_t size;		/* where the command's own is not all of it */
};

/*
 * Where the argument of that size is to be that is in w->buffer: there, or moved to the
 * buffer's end, so that it does not reach whole, or somewhere else.
 */
uint64_t place(struct worker *w, size_t size);

extern const struct call calls[];
extern const size_t nr_calls;

/*
 * Registers that QEMU 7.2's software CPU is not up to, in a struct kvm_sregs to be set,
 * are changed where that is what runs this:
 *
 *	TR	it ends with an assertion ("invalid tss type") when a guest in protected
 *		mode leaves CPL 3 with a TSS that VMRUN loaded as a busy one, which is how
 *		a processor has it. (LTR in the guest makes one that QEMU knows.)
 *	EFER	with LME but neither CR0.PG nor CR4.PAE in the guest, a VM exit leaves CR0
 *		as the guest's: the host goes on without paging and interrupts, for ever.
 *
 * A third thing is in the guests' code (fuzz_guests.c):
 *
 *	CR8	it ends with an assertion ("qemu_mutex_iothread_locked") when a guest writes it
 *		while a virtual interrupt waits, as one does for request_interrupt_window.
 */
void spare_qemu(struct kvm_sregs *sregs);

/* ------------------------------------------------------------- fuzz_guests.c */

/* A VM, kept, with vCPUs that can run, and often a second memslot. */
void make_machine(struct worker *w);
/* The same of that open device, by the first posting's interface where it is. */
void make_classic(struct worker *w, int fd);

#endif
