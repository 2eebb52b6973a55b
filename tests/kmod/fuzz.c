/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.c - calls of the KVM ABI that no program would make, for a while
 *
 *	fuzz [SECONDS [SEED]]		(KVMRUN_FUZZ_SECONDS or 60; a seed from the clock)
 *
 * Generation after generation, each in a process of its own: a few VMs and
 * vCPUs with small guests, and threads that at random call the ioctls of the
 * table below with likely and unlikely arguments, on the right file or another
 * one, change the guests' memory, map, close and make files, fork a process
 * that goes on with them. A kicker interrupts whatever runs. Generation N of
 * seed S is generation 0 of seed S + N.
 *
 * Prints TAP; fails when a generation cannot be killed or the kernel's log has
 * a complaint. How often each call succeeded, and what runs ended in, is shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../kmod/classic.h"
#include "guest.h"

#define THREADS		3
#define STEPS		400	/* per thread and generation */
#define FILES		24
#define BUFFER		0x4000
#define ARENA		0x800000
#define PATIENCE	120	/* seconds that a generation gets, and then to die */
#define SIZE(a)		(sizeof(a) / sizeof((a)[0]))

enum file { DEVICE, VM, VCPU, KINDS };

/* -------------------------------------------------------------------- chance */

struct worker {
	uint64_t random;
	int id;
	uint8_t *buffer;	/* BUFFER bytes, then a page that is not there */
};

static uint64_t any(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random * 0x2545f4914f6cdd1dull;
}

static uint32_t below(struct worker *w, uint32_t n)
{
	return (any(w) >> 32) % n;
}

static bool one_in(struct worker *w, uint32_t n)
{
	return !below(w, n);
}

static uint8_t *arena;

static uint64_t interesting(struct worker *w)
{
	static const uint64_t values[] = {
		0, 1, 2, 3, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff, 0x100, 0xfff, 0x1000, 0x1001, 0xffff,
		0x10000, 0x7fffffff, 0x80000000, 0xfee00000, 0xffffffff, 0x100000000, 0x7fffffffffff,
		0x800000000000, 0xffff800000000000, 0xffffffff80000000, 0x7fffffffffffffff,
		0x8000000000000000, -0x1000ull, -2ull, -1ull,
	};

	switch (below(w, 8)) {
	case 0: return any(w);
	case 1: return 1ull << below(w, 64);
	case 2: return below(w, 0x800) << 12;
	case 3: return (uintptr_t)arena + below(w, ARENA);
	default: return values[below(w, SIZE(values))];
	}
}

/* A few fields of every width, anywhere. */
static void disturb(struct worker *w, uint8_t *p, size_t size)
{
	for (uint32_t n = below(w, 4); n && size; n--) {
		size_t width = 1u << below(w, 4);
		uint64_t value = interesting(w);

		if (width <= size)
			memcpy(p + below(w, size / width) * width, &value, width);
	}
}

/* --------------------------------------------------------------- what is open */

struct entry {
	int fd;
	struct kvm_run *run;	/* a vCPU's; stays mapped */
};

static struct entry files[KINDS][FILES];
static uint32_t opened[KINDS];

static struct entry *pick(struct worker *w, enum file file)
{
	uint32_t n = __atomic_load_n(&opened[file], __ATOMIC_ACQUIRE);

	return &files[file][n ? below(w, n < FILES ? n : FILES) : 0];
}

static void keep(enum file file, int fd)
{
	struct entry e = { .fd = fd };
	uint32_t n;

	if (fd < 0)
		return;
	n = __atomic_load_n(&opened[file], __ATOMIC_RELAXED);
	if (n >= FILES) {
		close(fd);
		return;
	}
	if (file == VCPU) {
		e.run = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (e.run == MAP_FAILED)
			e.run = NULL;
	}
	/* two threads may choose the same place: then one descriptor is forgotten until the end */
	files[file][n] = e;
	__atomic_store_n(&opened[file], n + 1, __ATOMIC_RELEASE);
}

/* ------------------------------------------------------------------ arguments */

struct call {
	const char *name;
	unsigned int cmd;
	enum file file;
	uint64_t (*argument)(struct worker *w, const struct call *call, int fd);
	unsigned int get;	/* what tells a good value to start from */
	size_t size;		/* where the command's own is not all of it */
};

static uint64_t value(struct worker *w, const struct call *call, int fd)
{
	(void)call, (void)fd;
	return one_in(w, 3) ? interesting(w) : below(w, 6);
}

static uint64_t none(struct worker *w, const struct call *call, int fd)
{
	(void)call, (void)fd;
	return one_in(w, 50) ? interesting(w) : 0;
}

/* Near the end of the buffer it does not reach whole; elsewhere not at all. */
static uint64_t place(struct worker *w, size_t size)
{
	if (one_in(w, 40))
		return interesting(w);
	if (one_in(w, 40)) {
		size_t part = size ? below(w, size) : 0;

		memmove(w->buffer + BUFFER - part, w->buffer, part);
		return (uintptr_t)w->buffer + BUFFER - part;
	}
	return (uintptr_t)w->buffer;
}

static size_t size_of(const struct call *call)
{
	return call->size ? call->size : _IOC_SIZE(call->cmd);
}

/* What is there now, or nothing, or noise; then some fields of it changed. */
static uint64_t record(struct worker *w, const struct call *call, int fd)
{
	size_t size = size_of(call);

	if (one_in(w, 8))
		for (size_t i = 0; i < size; i++)
			w->buffer[i] = any(w);
	else if (!call->get || one_in(w, 8) || ioctl(fd, call->get, w->buffer))
		memset(w->buffer, 0, size);
	if (!one_in(w, 4))
		disturb(w, w->buffer, size);
	return place(w, size);
}

static uint64_t region(struct worker *w, const struct call *call, int fd)
{
	struct kvm_userspace_memory_region *r = (void *)w->buffer;

	(void)fd;
	r->slot = one_in(w, 20) ? interesting(w) : below(w, 4);
	r->flags = one_in(w, 20) ? interesting(w) : below(w, 4);
	r->guest_phys_addr = below(w, 0x400) << 12;
	r->memory_size = one_in(w, 4) ? 0 : below(w, 0x400) << 12;
	r->userspace_addr = (uintptr_t)arena + (below(w, ARENA >> 13) << 12);
	if (one_in(w, 3)) {
		/* whole huge pages */
		r->guest_phys_addr &= ~0x1fffffull;
		r->memory_size = 0x200000;
		r->userspace_addr = (uintptr_t)arena + (below(w, ARENA >> 21) << 21);
	}
	if (one_in(w, 10)) {
		disturb(w, w->buffer, sizeof(*r));
		/* a log of it all would be most of the machine's memory */
		if (r->memory_size > 1ull << 32)
			r->flags &= ~KVM_MEM_LOG_DIRTY_PAGES;
	}
	return place(w, size_of(call));
}

static uint64_t classic_region(struct worker *w, const struct call *call, int fd)
{
	struct classic_memory_region *r = (void *)w->buffer;

	(void)fd;
	*r = (struct classic_memory_region){
		.slot = below(w, 4), .flags = below(w, 2), .guest_phys_addr = below(w, 0x400) << 12,
		.memory_size = one_in(w, 4) ? 0 : below(w, 0x400) << 12,
	};
	if (one_in(w, 10)) {
		disturb(w, w->buffer, sizeof(*r));
		if (r->memory_size > 1ull << 32)
			r->flags = 0;
	}
	return place(w, size_of(call));
}

static uint64_t dirty_log(struct worker *w, const struct call *call, int fd)
{
	struct kvm_clear_dirty_log *clear = (void *)w->buffer;

	(void)fd;
	memset(clear, 0, sizeof(*clear));
	clear->slot = one_in(w, 20) ? interesting(w) : below(w, 4);
	if (call->cmd == KVM_CLEAR_DIRTY_LOG) {
		clear->num_pages = one_in(w, 3) ? interesting(w) : below(w, 16) * 64;
		clear->first_page = one_in(w, 3) ? interesting(w) : below(w, 16) * 64;
	}
	clear->dirty_bitmap = w->buffer + 64;
	if (one_in(w, 20))
		clear->dirty_bitmap = (void *)(uintptr_t)interesting(w);
	return place(w, size_of(call));
}

/* A count, then so many entries; the first entries as the device has them. */
static uint64_t list(struct worker *w, const struct call *call, int fd)
{
	uint32_t *count = (uint32_t *)w->buffer;

	memset(w->buffer, 0, 8);
	*count = 100;
	if (call->get && one_in(w, 2))
		ioctl(call->get == KVM_GET_SUPPORTED_CPUID ? files[DEVICE][0].fd : fd, call->get,
		      w->buffer);
	disturb(w, w->buffer + 8, 100 * call->size);
	*count = one_in(w, 10) ? interesting(w) : below(w, 100);
	return place(w, 8 + *count % 256 * call->size);
}

/* MSRs that exist, and their neighbours. */
static uint64_t msrs(struct worker *w, const struct call *call, int fd)
{
	static const uint32_t index[] = {
		0x10, 0x1b, 0x3b, 0x48, 0x49, 0x8b, 0xfe, 0x10a, 0x174, 0x175, 0x176, 0x179, 0x17a, 0x17b,
		0x186, 0x1a0, 0x1d9, 0x200, 0x20f, 0x250, 0x268, 0x277, 0x2ff, 0x345, 0x400, 0x403, 0x427,
		0x480, 0x6e0, 0x802, 0xda0, 0xe1, 0x40000000, 0x4b564d00, 0x4b564d01, 0xc0000080,
		0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
		0xc0000103, 0xc0000104, 0xc0010015, 0xc001001f, 0xc0010055, 0xc0010114, 0xc0010117,
		0xc0011020, 0xc0011029,
	};
	struct kvm_msrs *m = (void *)w->buffer;

	(void)fd;
	m->nmsrs = one_in(w, 20) ? interesting(w) : below(w, 20);
	for (uint32_t i = 0; i < 20; i++)
		m->entries[i] = (struct kvm_msr_entry){
			.index = one_in(w, 10) ? interesting(w) : index[below(w, SIZE(index))] + one_in(w, 5),
			.data = interesting(w),
		};
	return place(w, 8 + 20 * call->size);
}

static uint64_t signals(struct worker *w, const struct call *call, int fd)
{
	struct kvm_signal_mask *mask = (void *)w->buffer;
	uint64_t set = one_in(w, 2) ? 0 : any(w) & ~(1ull << (SIGUSR1 - 1));

	(void)fd;
	if (one_in(w, 4))
		return 0;
	mask->len = one_in(w, 5) ? interesting(w) : 8;
	memcpy(mask->sigset, &set, 8);
	return place(w, size_of(call) + 8);
}

static uint64_t attribute(struct worker *w, const struct call *call, int fd)
{
	struct kvm_device_attr *a = (void *)w->buffer;

	(void)fd;
	*a = (struct kvm_device_attr){ .addr = place(w, 8) };
	if (one_in(w, 4))
		disturb(w, w->buffer, sizeof(*a));
	return place(w, size_of(call));
}

/* Always with an end: the kicker's. */
static uint64_t run(struct worker *w, const struct call *call, int fd)
{
	struct entry *e = pick(w, VCPU);
	struct kvm_run *r = e->run;

	(void)call, (void)fd;
	if (r) {
		r->immediate_exit = one_in(w, 10);
		r->request_interrupt_window = one_in(w, 4);
		r->cr8 = one_in(w, 10) ? interesting(w) : 0;
		r->kvm_valid_regs = one_in(w, 3) ? below(w, 8) : one_in(w, 20) ? interesting(w) : 0;
		r->kvm_dirty_regs = one_in(w, 3) ? below(w, 8) : 0;
		if (one_in(w, 5))
			disturb(w, (uint8_t *)r, sizeof(*r));
		if (one_in(w, 5))
			disturb(w, (uint8_t *)&r->s, sizeof(r->s));
	}
	return one_in(w, 50);
}

#define CALL(where, command, arg, ...) \
	{ .name = #command, .cmd = command, .file = where, .argument = arg, __VA_ARGS__ }

static const struct call calls[] = {
	CALL(DEVICE, KVM_GET_API_VERSION, none),
	CALL(DEVICE, KVM_CREATE_VM, none),
	CALL(DEVICE, KVM_CHECK_EXTENSION, value),
	CALL(DEVICE, KVM_GET_VCPU_MMAP_SIZE, none),
	CALL(DEVICE, KVM_GET_SUPPORTED_CPUID, list, .size = sizeof(struct kvm_cpuid_entry2)),
	CALL(DEVICE, KVM_GET_MSR_INDEX_LIST, list, .size = 4),
	CALL(DEVICE, KVM_GET_MSR_FEATURE_INDEX_LIST, list, .size = 4),
	CALL(DEVICE, KVM_GET_MSRS, msrs, .size = sizeof(struct kvm_msr_entry)),
	CALL(VM, KVM_CREATE_VCPU, value),
	CALL(VM, KVM_CHECK_EXTENSION, value),
	CALL(VM, KVM_SET_USER_MEMORY_REGION, region),
	CALL(VM, KVM_SET_USER_MEMORY_REGION, region),
	CALL(VM, KVM_GET_DIRTY_LOG, dirty_log),
	CALL(VM, KVM_CLEAR_DIRTY_LOG, dirty_log),
	CALL(VM, KVM_SET_TSS_ADDR, value),
	CALL(VM, KVM_SET_IDENTITY_MAP_ADDR, record),
	CALL(VM, KVM_ENABLE_CAP, record, .size = sizeof(struct kvm_enable_cap)),
	CALL(VM, KVM_SET_GSI_ROUTING, record),
	CALL(VM, KVM_GET_TSC_KHZ, none),
	CALL(VCPU, KVM_RUN, run),
	CALL(VCPU, KVM_RUN, run),
	CALL(VCPU, KVM_RUN, run),
	CALL(VCPU, KVM_RUN, run),
	CALL(VCPU, KVM_RUN, run),
	CALL(VCPU, KVM_GET_REGS, record),
	CALL(VCPU, KVM_SET_REGS, record, .get = KVM_GET_REGS),
	CALL(VCPU, KVM_GET_SREGS, record),
	CALL(VCPU, KVM_SET_SREGS, record, .get = KVM_GET_SREGS),
	CALL(VCPU, KVM_GET_FPU, record),
	CALL(VCPU, KVM_SET_FPU, record, .get = KVM_GET_FPU),
	CALL(VCPU, KVM_GET_XSAVE, record),
	CALL(VCPU, KVM_GET_XSAVE2, record, .size = BUFFER / 2),
	CALL(VCPU, KVM_SET_XSAVE, record, .get = KVM_GET_XSAVE, .size = BUFFER / 2),
	CALL(VCPU, KVM_GET_XCRS, record),
	CALL(VCPU, KVM_SET_XCRS, record, .get = KVM_GET_XCRS),
	CALL(VCPU, KVM_GET_MSRS, msrs, .size = sizeof(struct kvm_msr_entry)),
	CALL(VCPU, KVM_SET_MSRS, msrs, .size = sizeof(struct kvm_msr_entry)),
	CALL(VCPU, KVM_GET_CPUID2, list, .size = sizeof(struct kvm_cpuid_entry2)),
	CALL(VCPU, KVM_SET_CPUID2, list, .get = KVM_GET_SUPPORTED_CPUID, .size = sizeof(struct kvm_cpuid_entry2)),
	CALL(VCPU, KVM_GET_DEBUGREGS, record),
	CALL(VCPU, KVM_SET_DEBUGREGS, record, .get = KVM_GET_DEBUGREGS),
	CALL(VCPU, KVM_GET_VCPU_EVENTS, record),
	CALL(VCPU, KVM_SET_VCPU_EVENTS, record, .get = KVM_GET_VCPU_EVENTS),
	CALL(VCPU, KVM_GET_MP_STATE, record),
	CALL(VCPU, KVM_SET_MP_STATE, record, .get = KVM_GET_MP_STATE),
	CALL(VCPU, KVM_TRANSLATE, record),
	CALL(VCPU, KVM_INTERRUPT, record),
	CALL(VCPU, KVM_NMI, none),
	CALL(VCPU, KVM_SET_GUEST_DEBUG, record),
	CALL(VCPU, KVM_SET_SIGNAL_MASK, signals),
	CALL(VCPU, KVM_GET_TSC_KHZ, none),
	CALL(VCPU, KVM_HAS_DEVICE_ATTR, attribute),
	CALL(VCPU, KVM_GET_DEVICE_ATTR, attribute),
	CALL(VCPU, KVM_SET_DEVICE_ATTR, attribute),
	CALL(VCPU, KVM_ENABLE_CAP, record, .size = sizeof(struct kvm_enable_cap)),
	CALL(DEVICE, CLASSIC_CREATE_VCPU, value),
	CALL(DEVICE, CLASSIC_SET_MEMORY_REGION, classic_region),
	CALL(DEVICE, CLASSIC_RUN, record),
	CALL(DEVICE, CLASSIC_RUN, record),
	CALL(DEVICE, CLASSIC_GET_REGS, record),
	CALL(DEVICE, CLASSIC_SET_REGS, record, .get = CLASSIC_GET_REGS),
	CALL(DEVICE, CLASSIC_GET_SREGS, record),
	CALL(DEVICE, CLASSIC_SET_SREGS, record, .get = CLASSIC_GET_SREGS),
	CALL(DEVICE, CLASSIC_TRANSLATE, record),
	CALL(DEVICE, CLASSIC_INTERRUPT, record),
	CALL(DEVICE, CLASSIC_DEBUG_GUEST, record),
	CALL(DEVICE, CLASSIC_GET_DIRTY_LOG, dirty_log),
};

/* --------------------------------------------------------------------- guests */

/* Pieces that guests are made of; the rest is noise. */
static const struct { const char *bytes; uint8_t length; } pieces[] = {
#define PIECE(bytes) { bytes, sizeof(bytes) - 1 }
	PIECE("\xf4"),				/* hlt */
	PIECE("\xe6\x10"), PIECE("\xe4\x10"),	/* out, in */
	PIECE("\x66\xed"), PIECE("\xef"),
	PIECE("\xf3\x6e"), PIECE("\xf3\x6d"), PIECE("\xf3\x66\x6c"), PIECE("\x6f"),	/* outs, ins */
	PIECE("\xf3\xaa"), PIECE("\xf3\xa5"), PIECE("\xf2\xa6"), PIECE("\xab"),
	PIECE("\x0f\xa2"),			/* cpuid */
	PIECE("\x0f\x32"), PIECE("\x0f\x30"),	/* rdmsr, wrmsr */
	PIECE("\xb9\x80\x00\x00\xc0\x0f\x32"), PIECE("\xb9\x10\x00\x00\x00\x0f\x32\x0f\x30"),
	PIECE("\x0f\x20\xc0"), PIECE("\x0f\x22\xc0"), PIECE("\x0f\x20\xe0"), PIECE("\x0f\x22\xe0"),
	PIECE("\x0f\x20\xd8\x0f\x22\xd8"), PIECE("\x0f\x21\xf8"), PIECE("\x0f\x23\xf8"),
	PIECE("\x44\x0f\x20\xc0"), PIECE("\x44\x0f\x22\xc0"),	/* cr8 */
	PIECE("\xfa"), PIECE("\xfb"), PIECE("\x9c\x9d"), PIECE("\x9c\x80\x4c\x24\x01\x01\x9d"),
	PIECE("\xcc"), PIECE("\xcd\x80"), PIECE("\xcf"), PIECE("\x0f\x0b"), PIECE("\xce"),
	PIECE("\x0f\x01\xd0"), PIECE("\x0f\x01\xd1"), PIECE("\x0f\x01\xd8"), PIECE("\x0f\x01\xd9"),
	PIECE("\x0f\x01\xda"), PIECE("\x0f\x01\xdb"), PIECE("\x0f\x01\xdc"), PIECE("\x0f\x01\xdd"),
	PIECE("\x0f\x01\xde"), PIECE("\x0f\x01\xdf"), PIECE("\x0f\x01\xf9"), PIECE("\x0f\x01\xc8"),
	PIECE("\x0f\x09"), PIECE("\x0f\x08"), PIECE("\x0f\x33"), PIECE("\x0f\x31"), PIECE("\x0f\xaa"),
	PIECE("\x0f\x01\x1f"), PIECE("\x0f\x01\x17"), PIECE("\x0f\x01\x3f"), PIECE("\x0f\x00\xd8"),
	PIECE("\xbb\x00\x00\x30\x00\x8b\x03"), PIECE("\xbb\xfe\x0f\x30\x00\x48\x89\x03"),	/* MMIO */
	PIECE("\xbb\x00\x00\x30\x00\x0f\xb6\x03"), PIECE("\xbb\x00\x00\x30\x00\xf0\x01\x03"),
	PIECE("\xbb\x00\x00\x30\x00\x0f\x11\x03"), PIECE("\xbb\x00\x00\x30\x00\xff\x13"),
	PIECE("\xbf\xfc\x0f\x30\x00\xf3\xab"), PIECE("\xa1\x00\x00\x30\x00"), PIECE("\x67\x88\x03"),
	PIECE("\xeb\xfe"),			/* for ever */
	PIECE("\xeb\xe0"), PIECE("\x0f\xae\x03"), PIECE("\x0f\xc7\x3b"), PIECE("\xf3\x0f\xae\xd0"),
};

static void write_guest(struct worker *w, uint8_t *at, size_t room)
{
	while (room) {
		uint32_t n = below(w, SIZE(pieces));
		size_t length = pieces[n].length;

		if (one_in(w, 6) || length > room) {
			*at++ = any(w);
			room--;
			continue;
		}
		memcpy(at, pieces[n].bytes, length);
		at += length;
		room -= length;
	}
}

static void make_machine(struct worker *w)
{
	uint8_t code[128];
	struct guest g;

	write_guest(w, code, sizeof(code));
	guest_start(&g, below(w, LONG + 1), code, sizeof(code));
	munmap(g.run, g.run_size);
	keep(VM, g.vm);
	keep(VCPU, g.vcpu);
	for (uint32_t n = below(w, 3); n; n--)
		keep(VCPU, ioctl(g.vm, KVM_CREATE_VCPU, n));
	if (!one_in(w, 3)) {
		struct kvm_userspace_memory_region r = {
			.slot = 1, .guest_phys_addr = 0x200000 + below(w, 2) * 0x100000,
			.memory_size = 0x100000, .userspace_addr = (uintptr_t)arena,
			.flags = below(w, 4),
		};

		ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &r);
	}
}

/* One by the first posting's interface, where it is. */
static void make_classic(struct worker *w, int fd)
{
	struct classic_memory_region r = { .memory_size = 0x100000 };
	struct classic_regs regs = { .rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = 2 };
	struct classic_sregs sregs = {};
	uint8_t *memory;

	if (ioctl(fd, CLASSIC_SET_MEMORY_REGION, &r) || ioctl(fd, CLASSIC_CREATE_VCPU, 0) ||
	    ioctl(fd, CLASSIC_GET_SREGS, &sregs))
		return;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	ioctl(fd, CLASSIC_SET_SREGS, &sregs);
	ioctl(fd, CLASSIC_SET_REGS, &regs);
	memory = mmap(NULL, 0x100000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory != MAP_FAILED)
		write_guest(w, memory + GUEST_CODE, 128);
}

/* ---------------------------------------------------------------------- steps */

/* For all generations: how often a call was made and went well; how runs ended. */
static struct totals {
	uint64_t made[SIZE(calls)], well[SIZE(calls)], exits[64], signal_ends;
} *totals;

static void call(struct worker *w)
{
	uint32_t n = below(w, SIZE(calls));
	const struct call *c = &calls[n];
	enum file file = one_in(w, 60) ? below(w, KINDS) : c->file;
	struct entry *e = pick(w, file);
	uint64_t argument = c->argument(w, c, e->fd);
	int r = ioctl(e->fd, c->cmd, argument);

	__atomic_add_fetch(&totals->made[n], 1, __ATOMIC_RELAXED);
	if (r < 0)
		return;
	__atomic_add_fetch(&totals->well[n], 1, __ATOMIC_RELAXED);
	if (c->cmd == KVM_CREATE_VM)
		keep(VM, r);
	else if (c->cmd == KVM_CREATE_VCPU)
		keep(VCPU, r);
	else if (c->cmd == KVM_RUN && e->run)
		__atomic_add_fetch(&totals->exits[e->run->exit_reason % 64], 1, __ATOMIC_RELAXED);
}

/* A number that may mean nothing, or something that the table does not have. */
static void unknown_call(struct worker *w)
{
	struct entry *e = pick(w, below(w, KINDS));
	unsigned int cmd = _IOC(below(w, 4), one_in(w, 10) ? any(w) & 0xff : KVMIO, below(w, 256),
				one_in(w, 2) ? interesting(w) & _IOC_SIZEMASK : below(w, 512));
	int r;

	for (int i = 0; i < 64; i++)
		w->buffer[i] = any(w);
	r = ioctl(e->fd, cmd, place(w, _IOC_SIZE(cmd)));
	/* what made a file leaves it for the process's end */
	(void)r;
}

static void memory(struct worker *w)
{
	static const int advice[] = { MADV_DONTNEED, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_PAGEOUT,
				      MADV_COLD, MADV_FREE, MADV_MERGEABLE, 25 /* MADV_COLLAPSE */ };
	size_t from = one_in(w, 3) ? below(w, ARENA >> 21) << 21 : below(w, ARENA >> 12) << 12;
	size_t size = one_in(w, 3) ? 0x200000 : (1 + below(w, 16)) << 12;
	int prot = one_in(w, 3) ? below(w, 8) : PROT_READ | PROT_WRITE;

	if (size > ARENA - from)
		size = ARENA - from;
	switch (below(w, 5)) {
	case 0:
		mmap(arena + from, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
		break;
	case 1:
		mprotect(arena + from, size, prot);
		break;
	case 2:
		mremap(arena + from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
		       arena + (below(w, ARENA >> 13) << 12));
		break;
	default:
		madvise(arena + from, size, advice[below(w, SIZE(advice))]);
	}
}

static void map_file(struct worker *w)
{
	int fd = pick(w, one_in(w, 3) ? below(w, KINDS) : VCPU)->fd;
	off_t offset = one_in(w, 4) ? (off_t)(interesting(w) & ~0xfffull) : below(w, 5) << 12;
	size_t size = (1 + below(w, 5)) << 12;
	volatile uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, one_in(w, 2) ? MAP_SHARED : MAP_PRIVATE,
				   fd, offset);

	if (p == MAP_FAILED)
		return;
	/* beyond what there is, a system call gets EFAULT where the program would get SIGBUS */
	if (write(files[DEVICE][FILES - 1].fd, (void *)(p + size - 4096), 1) == 1 || one_in(w, 2))
		madvise((void *)p, size, MADV_DONTNEED);
	munmap((void *)p, size);
}

static void end_file(struct worker *w)
{
	/* the number may become another file's at once: so much the better */
	if (one_in(w, 4))
		close(pick(w, one_in(w, 3) ? VM : VCPU)->fd);
}

static void step(struct worker *w);

static void other_process(struct worker *w)
{
	pid_t pid;

	if (!one_in(w, 10))
		return;
	pid = fork();
	if (!pid) {
		alarm(PATIENCE);
		signal(SIGALRM, SIG_DFL);
		for (int i = 0; i < 20; i++)
			step(w);
		_exit(0);
	}
	if (pid > 0 && one_in(w, 2))
		waitpid(pid, NULL, 0);
}

static void step(struct worker *w)
{
	uint32_t n = below(w, 100);

	if (n < 75)
		call(w);
	else if (n < 80)
		unknown_call(w);
	else if (n < 90)
		memory(w);
	else if (n < 94)
		map_file(w);
	else if (n < 96)
		end_file(w);
	else if (n < 98)
		other_process(w);
	else if (opened[VM] < 6)
		make_machine(w);
}

/* ---------------------------------------------------------------- generations */

static pthread_t threads[THREADS];
static volatile int working;

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < STEPS; i++)
		step(w);
	__atomic_sub_fetch(&working, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

/* The guests' own memory is the fuzzer's, too: what it does to itself ends a generation early. */
static void give_up(int sig)
{
	(void)sig;
	__atomic_add_fetch(&totals->signal_ends, 1, __ATOMIC_RELAXED);
	_exit(0);
}

static void generation(uint64_t seed)
{
	static struct worker workers[THREADS];
	struct sigaction kick = { .sa_handler = nothing };
	struct rlimit fds = { 400, 400 }, core = { 0, 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_NOFILE, &fds);
	setrlimit(RLIMIT_CORE, &core);
	sigaction(SIGUSR1, &kick, NULL);
	signal(SIGSEGV, give_up);
	signal(SIGBUS, give_up);
	arena = mmap(NULL, 2 * ARENA, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	arena = (uint8_t *)(((uintptr_t)arena + 0x1fffff) & ~0x1fffffull);
	keep(DEVICE, guest_device());
	keep(DEVICE, guest_device());
	files[DEVICE][FILES - 1].fd = open("/dev/null", O_WRONLY);
	for (int i = 0; i < THREADS; i++) {
		struct worker *w = &workers[i];

		w->id = i;
		w->random = (seed * THREADS + i + 1) * 0x9e3779b97f4a7c15ull | 1;
		w->buffer = mmap(NULL, BUFFER + 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(w->buffer + BUFFER, 4096);
		mmap(w->buffer + BUFFER, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	make_machine(&workers[0]);
	make_machine(&workers[1]);
	make_classic(&workers[0], files[DEVICE][0].fd);
	working = THREADS;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, &workers[i]);
	while (working) {
		usleep(5000);
		/* a thread that has ended is not joined, so its number stays good */
		for (int i = 0; i < THREADS; i++)
			pthread_kill(threads[i], SIGUSR1);
	}
	/* ends with guests, descriptors and threads as they are */
	_exit(0);
}

/* ----------------------------------------------------------------------- main */

static uint64_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static bool gone(pid_t pid, uint64_t patience)
{
	for (uint64_t end = seconds() + patience; seconds() < end; usleep(10000))
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
	return false;
}

/* Lines of the kernel's log since its last size that no kernel in order has. */
static int complaints(size_t *seen)
{
	static const char *const signs[] = { "BUG:", "WARNING:", "INFO: ", "Oops", "KASAN:", "UBSAN:",
					     "general protection", "refcount_t" };
	static char log[1 << 21];
	int n = klogctl(3 /* read all */, log, sizeof(log) - 1), found = 0;
	char *line, *rest = log;

	if (n < 0)
		return 0;
	log[n] = 0;
	if (*seen <= (size_t)n)
		rest += *seen;
	*seen = n;
	while ((line = strsep(&rest, "\n")))
		for (size_t i = 0; i < SIZE(signs); i++)
			if (strstr(line, signs[i])) {
				printf("# %s\n", line);
				found++;
				break;
			}
	return found;
}

static void show_totals(void)
{
	for (size_t i = 0; i < SIZE(calls); i++)
		printf("# %-32s %8llu made, %8llu went well\n", calls[i].name,
		       (unsigned long long)totals->made[i], (unsigned long long)totals->well[i]);
	for (size_t i = 0; i < SIZE(totals->exits); i++)
		if (totals->exits[i])
			printf("# exit reason %zu: %llu\n", i, (unsigned long long)totals->exits[i]);
	printf("# generations that ended by SIGSEGV or SIGBUS: %llu\n",
	       (unsigned long long)totals->signal_ends);
}

int main(int argc, char **argv)
{
	const char *standard = getenv("KVMRUN_FUZZ_SECONDS");
	uint64_t limit = strtoull(argc > 1 ? argv[1] : standard ? standard : "60", NULL, 0);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	uint64_t n = 0, end = seconds() + limit;
	size_t seen = 0;
	bool stuck = false;
	int found;

	setvbuf(stdout, NULL, _IOLBF, 0);
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!limit || totals == MAP_FAILED) {
		fprintf(stderr, "usage: fuzz [SECONDS [SEED]]\n");
		return 2;
	}
	if (access("/dev/kvmrun", R_OK | W_OK) && access("/dev/kvm", R_OK | W_OK)) {
		printf("1..0 # SKIP no KVM device here\n");
		return 0;
	}
	printf("1..2\n# seed %llu\n", (unsigned long long)seed);
	complaints(&seen);
	found = 0;
	for (; seconds() < end && !stuck && !found; n++) {
		pid_t pid = fork();

		if (!pid)
			generation(seed + n);
		if (!gone(pid, PATIENCE)) {
			kill(pid, SIGKILL);
			stuck = !gone(pid, PATIENCE);
		}
		found = complaints(&seen);
		if (stuck || found)
			printf("# in generation %llu: fuzz %llu %llu\n", (unsigned long long)n,
			       (unsigned long long)limit, (unsigned long long)(seed + n));
	}
	show_totals();
	printf("# %llu generations\n", (unsigned long long)n);
	printf("%sok 1 - every generation ends or can be killed\n", stuck ? "not " : "");
	printf("%sok 2 - the kernel has nothing to complain about\n", found ? "not " : "");
	return stuck || found;
}
