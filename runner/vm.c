/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/kvm.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "cpu.h"
#include "device.h"
#include "ipc.h"
#include "memfd.h"
#include "msg.h"
#include "options.h"
#include "process.h"
#include "thread.h"
#include "vcpu.h"
#include "vm.h"
#include "window.h"

/* KVM keeps a slot's pages in 31 bits. */
#define RAM_MAX (((1ull << 31) - 1) * ABI_PAGE & -ABI_HUGE)

#define RAM_FIRST (64ull << 20)	/* the first memslot; each next one doubles what there is */

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & -to;
}

/*
 * Memory of the host that a guest could ever get. RAM past it would be address
 * room only, yet some hosts' memslots cost time and memory by their size.
 */
static uint64_t host_memory(void)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		return RAM_MAX;
	return ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
}

#define THREAD_SIZE	(64 << 10)	/* what the shim has for each, at most */

/* The program's memory, and beside it the shim, its tables and the page tables. */
static uint64_t ram_for(uint64_t mem, uint64_t threads)
{
	uint64_t host = host_memory();

	if (mem > host)
		mem = host;
	if (mem > RAM_MAX / 2)
		mem = RAM_MAX / 2;
	return round_up(mem, ABI_HUGE) + round_up(mem / 64 + threads * THREAD_SIZE + (32ull << 20), ABI_HUGE);
}

static void map_ram(struct vm *vm)
{
	uint64_t room = vm->ram_size + ABI_HUGE;
	uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t skip;

	if (p == MAP_FAILED)
		die(KVMRUN_FAILED, "cannot set aside %llu MiB of address space for the guest: %m; "
		    "lower --mem or raise ulimit -v", (unsigned long long)(room >> 20));
	/* a huge page of the guest is one of the host only where both are aligned */
	skip = -(uintptr_t)p & (ABI_HUGE - 1);
	if (skip)
		munmap(p, skip);
	munmap(p + skip + vm->ram_size, ABI_HUGE - skip);
	vm->ram = p + skip;
	if (madvise(vm->ram, vm->ram_size, MADV_HUGEPAGE) < 0)
		vmsg("no huge pages for the guest: %m");
	if (madvise(vm->ram, vm->ram_size, MADV_DONTDUMP) < 0)
		vmsg("guest memory stays in core dumps: %m");
}

static int set_slot(const struct vm *vm, uint32_t i)
{
	struct kvm_userspace_memory_region slot = {
		.slot = i,
		.guest_phys_addr = vm->slot[i].gpa,
		.userspace_addr = (uintptr_t)vm->slot[i].host,
		.memory_size = vm->slot[i].len,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot) < 0 ? -errno : 0;
}

/* Adds memslots to a part that has ready of its size bytes until upto is reached. With ram_lock held. */
static int grow(struct vm *vm, gpa_t gpa, uint8_t *host, uint64_t size, atomic_ulong *ready, uint64_t upto)
{
	while (*ready < upto) {
		uint64_t more = *ready ? *ready : RAM_FIRST;
		int err;

		if (more > size - *ready)
			more = size - *ready;
		if (vm->slots == VM_SLOTS)
			return -ENOSPC;
		vm->slot[vm->slots] = (struct memslot){ gpa + *ready, host + *ready, more };
		err = set_slot(vm, vm->slots);
		if (err)
			return err;
		vm->slots++;
		*ready += more;
	}
	return 0;
}

/* Has the VM, a new one, know of all that its predecessor did. */
static int vm_replay(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->slots; i++) {
		int err = set_slot(vm, i);

		if (err)
			return err;
	}
	return 0;
}

int vm_ram(struct vm *vm, uint64_t upto)
{
	int err;

	if (upto > vm->ram_size)
		return -ENOMEM;
	pthread_mutex_lock(&vm->ram_lock);
	err = grow(vm, 0, vm->ram, vm->ram_size, &vm->ram_ready, upto);
	pthread_mutex_unlock(&vm->ram_lock);
	return err;
}

int vm_window(struct vm *vm, uint64_t upto)
{
	int err;

	pthread_mutex_lock(&vm->ram_lock);
	err = grow(vm, vm->window, vm->window_host, vm->window_size, &vm->window_ready, upto);
	pthread_mutex_unlock(&vm->ram_lock);
	return err;
}

/* What the jail does not let anyone ask for later. */
static void ask_host(struct vm *vm)
{
	struct rlimit stack;
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);

	vm->ncpus = n > 0 ? n : 1;
	vm->uid = getuid();
	vm->gid = getgid();
	vm->stack_limit = getrlimit(RLIMIT_STACK, &stack) == 0 ? stack.rlim_cur : 8ull << 20;
}

void vm_create(struct vm *vm, const struct config *config, int device, const char *device_path)
{
	/* KVM_CAP_USER_MEMORY is the only call that memory can come by */
	if (ioctl(device, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY) <= 0)
		die(KVMRUN_FAILED, "%s: lacks KVM_CAP_USER_MEMORY; use another --device", device_path);
	vm->config = config;
	vm->device = device;
	vm->device_path = device_path;
	vm->mem_limit = config->mem_bytes;
	pthread_mutex_init(&vm->ram_lock, NULL);
	process_guard(&vm->ram_lock);
	vcpu_check(vm);
	ask_host(vm);
	vm->max_vcpus = vcpus_max(vm);
	vm->max_threads = threads_max(vm);
	vm->ram_size = ram_for(config->mem_bytes, vm->max_threads);
	window_init(vm);
	memfd_init(vm);
	ipc_init(vm);
	cpu_choose(vm);
	vm->fd = device_create_vm(device, device_path);
	/* VT-x without unrestricted guest wants three pages outside of RAM; a no-op elsewhere */
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	map_ram(vm);
	vmsg("%s: guest of %llu MiB, XCR0 %#llx, CR4 %#llx", device_path,
	     (unsigned long long)(vm->ram_size >> 20), (unsigned long long)vm->xcr0,
	     (unsigned long long)vm->cr4);
}

void vm_clear(struct vm *vm)
{
	madvise(vm->ram, vm->ram_ready, MADV_DONTNEED);
	window_empty(vm);
}

void vm_renew(struct vm *vm)
{
	int err;

	close(vm->fd);
	vm->fd = ioctl(vm->device, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		die(KVMRUN_FAILED, "%s: no other VM: %m", vm->device_path);
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	vm->first_vcpu = vm->made_vcpus = 0;
	err = vm_replay(vm);
	if (err)
		die(KVMRUN_FAILED, "%s: no memory for another VM: %s", vm->device_path, strerror(-err));
}

void vm_reuse(struct vm *vm)
{
	if (vm->made_vcpus <= VCPUS_SPARE && vm->made_vcpus + vm->max_threads <= vm->max_vcpus)
		vm->first_vcpu = vm->made_vcpus;
	else
		vm_renew(vm);
}

void *guest_mem(const struct vm *vm, gpa_t gpa, uint64_t len)
{
	if (gpa <= vm->ram_size && len <= vm->ram_size - gpa)
		return vm->ram + gpa;
	if (gpa >= vm->window && gpa - vm->window <= vm->window_ready && len <= vm->window_ready - (gpa - vm->window))
		return vm->window_host ? vm->window_host + (gpa - vm->window) : NULL;
	return NULL;
}

void *guest_ptr(const struct vm *vm, gpa_t gpa, uint64_t len)
{
	return gpa <= vm->ram_size ? guest_mem(vm, gpa, len) : NULL;
}
