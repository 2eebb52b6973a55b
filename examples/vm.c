/* SPDX-License-Identifier: GPL-2.0-only */
/* vm.c - starting a VM by the first posting's calls */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "vm.h"

int vm_open(const char *device)
{
	int vm;

	if (!device)
		device = "/dev/kvmrun";
	vm = open(device, O_RDWR | O_CLOEXEC);
	if (vm < 0)
		err(1, "%s", device);
	return vm;
}

void vm_call(int vm, unsigned long command, void *arg, const char *name)
{
	if (ioctl(vm, command, arg) < 0)
		err(1, "%s", name);
}

void *vm_memory(int vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size)
{
	struct classic_memory_region region = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
	};
	void *memory;

	VM_CALL(vm, SET_MEMORY_REGION, &region);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm, gpa);
	if (memory == MAP_FAILED)
		err(1, "mmap of guest memory at %#lx", gpa);
	return memory;
}

void vm_vcpu(int vm, enum vm_mode mode, uint64_t stack)
{
	struct classic_segment flat = { .limit = 0xffffffff, .type = 3, .present = 1, .db = 1,
					.s = 1, .g = 1, .selector = 16 };
	struct classic_regs regs = { .rip = GUEST_CODE, .rsp = stack, .rflags = 2 };
	struct classic_sregs sregs = {};

	/* vCPU 0; after RESET it would begin below 4 GiB, where the firmware is */
	VM_CALL(vm, CREATE_VCPU, 0);
	VM_CALL(vm, GET_SREGS, &sregs);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (mode == VM_PROTECTED) {
		sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = sregs.cs = flat;
		sregs.cs.type = 11;
		sregs.cs.selector = 8;
		sregs.cr0 |= 1;
	}
	VM_CALL(vm, SET_SREGS, &sregs);
	VM_CALL(vm, SET_REGS, &regs);
}

void vm_run(int vm, struct classic_run *run)
{
	while (ioctl(vm, CLASSIC_RUN, run) < 0)
		if (errno != EINTR)
			err(1, "RUN");
	if (run->exit_type == CLASSIC_FAILED_ENTRY)
		errx(1, "the processor did not enter the guest (reason %#x)", run->hw.reason);
	if (run->exit_reason == CLASSIC_EXIT_UNKNOWN)
		errx(1, "the guest stopped for reason %u of linux/kvm.h", run->hw.reason);
}
