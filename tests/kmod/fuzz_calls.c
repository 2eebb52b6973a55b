/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_calls.c - the fuzzer's ioctls, and for each how to make an argument, likely or not
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "../../kmod/classic.h"
#include "fuzz.h"

#define CR0_PG		0x80000000ull
#define EFER_LME	0x100ull
#define MSR_EFER	0xc0000080

/* ------------------------------------------------------------------ arguments */

void spare_qemu(struct kvm_sregs *sregs)
{
	if (!guest_cpu_is_qemus())
		return;
	sregs->tr.type = (sregs->tr.type & 8) | 1;
	sregs->tr.present = 1;
	if (!(sregs->cr0 & CR0_PG))
		sregs->efer &= ~EFER_LME;
}

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

uint64_t place(struct worker *w, size_t size)
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
	if (call->cmd == KVM_SET_SREGS)
		spare_qemu((void *)w->buffer);
	else if (call->cmd == CLASSIC_SET_SREGS)
		spare_qemu((void *)w->buffer + offsetof(struct classic_sregs, cs));
	return place(w, size);
}

/* What can be turned on, with arguments around those that it takes. */
static uint64_t capability(struct worker *w, const struct call *call, int fd)
{
	static const uint32_t caps[] = {
		KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, KVM_CAP_X86_USER_SPACE_MSR, KVM_CAP_MSR_PLATFORM_INFO,
		KVM_CAP_DISABLE_QUIRKS2, KVM_CAP_MAX_VCPU_ID, KVM_CAP_X86_TRIPLE_FAULT_EVENT,
		KVM_CAP_ENFORCE_PV_FEATURE_CPUID,
	};
	struct kvm_enable_cap *cap = (void *)w->buffer;

	(void)fd;
	*cap = (struct kvm_enable_cap){ .cap = caps[below(w, SIZE(caps))], .args[0] = below(w, 8) };
	if (call->file == VCPU)
		cap->cap = KVM_CAP_ENFORCE_PV_FEATURE_CPUID;
	if (one_in(w, 6))
		disturb(w, cap, sizeof(*cap));
	return place(w, sizeof(*cap));
}

static uint64_t tables(struct worker *w, const struct call *call, int fd)
{
	(void)call, (void)fd;
	return one_in(w, 4) ? interesting(w) : below(w, 200);
}

static uint64_t region(struct worker *w, const struct call *call, int fd)
{
	struct kvm_userspace_memory_region *r = (void *)w->buffer;

	(void)fd;
	r->slot = one_in(w, 20) ? interesting(w) : below(w, 4);
	r->flags = one_in(w, 20) ? interesting(w) : one_in(w, 2) ? KVM_MEM_LOG_DIRTY_PAGES : below(w, 4);
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

/* Of slot 1 mostly, which machines start with; of the first posting's interface slot 0. */
static uint64_t dirty_log(struct worker *w, const struct call *call, int fd)
{
	struct kvm_clear_dirty_log *clear = (void *)w->buffer;
	struct kvm_dirty_log *get = (void *)w->buffer;
	void *bitmap = one_in(w, 20) ? (void *)(uintptr_t)interesting(w) : w->buffer + 64;

	(void)fd;
	memset(clear, 0, sizeof(*clear));
	get->slot = one_in(w, 20) ? interesting(w) : one_in(w, 4) ? below(w, 4) :
		    call->cmd != CLASSIC_GET_DIRTY_LOG;
	get->dirty_bitmap = bitmap;
	if (call->cmd == KVM_CLEAR_DIRTY_LOG) {
		clear->num_pages = one_in(w, 4) ? interesting(w) : below(w, 3) * 64;
		clear->first_page = one_in(w, 4) ? interesting(w) : below(w, 3) * 64;
		clear->dirty_bitmap = bitmap;
		for (int i = 64; i < 128; i++)
			w->buffer[i] = any(w);
	}
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

/* MSRs that exist. */
static const uint32_t msr_index[] = {
	0x10, 0x1b, 0x3b, 0x48, 0x49, 0x8b, 0xfe, 0x10a, 0x174, 0x175, 0x176, 0x179, 0x17a, 0x17b,
	0x186, 0x1a0, 0x1d9, 0x200, 0x20f, 0x250, 0x268, 0x277, 0x2ff, 0x345, 0x400, 0x403, 0x427,
	0x480, 0x6e0, 0x802, 0xda0, 0xe1, 0x40000000, 0x4b564d00, 0x4b564d01, 0xc0000080,
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
	0xc0000103, 0xc0000104, 0xc0010015, 0xc001001f, 0xc0010055, 0xc0010114, 0xc0010117,
	0xc0011020, 0xc0011029,
};

static uint32_t some_msr(struct worker *w)
{
	return msr_index[below(w, SIZE(msr_index))];
}

/* They and their neighbours. Every other one turns KVM's clock or steal time on. */
static uint64_t msrs(struct worker *w, const struct call *call, int fd)
{
	struct kvm_msrs *m = (void *)w->buffer;

	(void)fd;
	m->nmsrs = one_in(w, 20) ? interesting(w) : below(w, 20);
	for (uint32_t i = 0; i < 20; i++)
		m->entries[i] = (struct kvm_msr_entry){
			.index = one_in(w, 10) ? interesting(w) : some_msr(w) + one_in(w, 5),
			.data = interesting(w),
		};
	if (one_in(w, 2))
		m->entries[0] = (struct kvm_msr_entry){
			.index = one_in(w, 3) ? 0x4b564d03 : 0x4b564d01,
			.data = (below(w, 0x300) << 12) | below(w, 64) << 6 | 1,
		};
	for (uint32_t i = 0; i < 20 && guest_cpu_is_qemus(); i++)
		if (m->entries[i].index == MSR_EFER)
			m->entries[i].data &= ~EFER_LME;
	return place(w, 8 + 20 * call->size);
}

static uint64_t filter(struct worker *w, const struct call *call, int fd)
{
	struct kvm_msr_filter *f = (void *)w->buffer;

	(void)fd;
	memset(f, 0, sizeof(*f));
	f->flags = below(w, 2);
	for (uint32_t n = below(w, 4); n; n--)
		f->ranges[below(w, SIZE(f->ranges))] = (struct kvm_msr_filter_range){
			.flags = 1 + below(w, 3), .nmsrs = 1 + below(w, 256), .base = some_msr(w),
			.bitmap = w->buffer + sizeof(*f) + below(w, 4096),
		};
	if (one_in(w, 4))
		disturb(w, f, sizeof(*f));
	return place(w, size_of(call));
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
	struct kvm_run r;

	(void)call, (void)fd;
	if (!e->run)
		return 0;
	r = *e->run;
	r.immediate_exit = one_in(w, 10);
	r.request_interrupt_window = one_in(w, 4);
	r.cr8 = one_in(w, 10) ? interesting(w) : 0;
	r.kvm_valid_regs = one_in(w, 3) ? below(w, 8) : one_in(w, 20) ? interesting(w) : 0;
	r.kvm_dirty_regs = one_in(w, 3) ? below(w, 8) : 0;
	if (one_in(w, 5))
		disturb(w, &r, sizeof(r));
	if (one_in(w, 5))
		disturb(w, &r.s, sizeof(r.s));
	spare_qemu(&r.s.regs.sregs);
	*e->run = r;
	return one_in(w, 50);
}

#define CALL(where, command, arg, ...) \
	{ .name = #command, .cmd = command, .file = where, .argument = arg, __VA_ARGS__ }

const struct call calls[] = {
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
	CALL(VM, KVM_GET_DIRTY_LOG, dirty_log),
	CALL(VM, KVM_CLEAR_DIRTY_LOG, dirty_log),
	CALL(VM, KVM_CLEAR_DIRTY_LOG, dirty_log),
	CALL(VM, KVM_SET_TSS_ADDR, value),
	CALL(VM, KVM_SET_IDENTITY_MAP_ADDR, record),
	CALL(VM, KVM_ENABLE_CAP, capability),
	CALL(VM, KVM_SET_BOOT_CPU_ID, value),
	CALL(VM, KVM_SET_NR_MMU_PAGES, tables),
	CALL(VM, KVM_GET_NR_MMU_PAGES, none),
	CALL(VM, KVM_GET_TSC_KHZ, none),
	CALL(VM, KVM_GET_CLOCK, record),
	CALL(VM, KVM_SET_CLOCK, record, .get = KVM_GET_CLOCK),
	CALL(VM, KVM_X86_SET_MSR_FILTER, filter),
	CALL(VM, KVM_GET_STATS_FD, none),
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
	CALL(VCPU, KVM_ENABLE_CAP, capability),
	CALL(VCPU, KVM_KVMCLOCK_CTRL, none),
	CALL(VCPU, KVM_GET_STATS_FD, none),
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

const size_t nr_calls = SIZE(calls);
