/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop.c - the loop that KVM's first posting described
 *
 *	loop [DEVICE]
 *
 * Main memory, a framebuffer, a vCPU; then: run, see why it stopped, be the
 * device that the guest wanted, run again. It prints what happened.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm.h"

#define MEMORY		0xa0000		/* 640 KiB, from 0 on */
#define FRAMEBUFFER	0xa0000
#define FRAMEBUFFER_SIZE 0x10000
#define DEVICE		0xd0000		/* a device's memory: no region is there */
#define INTERRUPT	0x20

static int vm;
static uint8_t *memory;
static uint32_t device_register;

/* A port's answer goes into the registers: user space does the whole instruction. */
static void handle_io(struct classic_run *run)
{
	struct classic_regs regs = { .vcpu = run->vcpu };
	struct classic_translation place = { .vcpu = run->vcpu };

	VM_CALL(vm, GET_REGS, &regs);
	if (run->io.string && run->io.direction == CLASSIC_OUT) {
		place.linear_address = run->io.address;
		VM_CALL(vm, TRANSLATE, &place);
		if (!place.valid || place.physical_address + run->io.count > MEMORY)
			errx(1, "the guest put out what is not in its memory");
		printf("port 0x%x: a string of %" PRIu64 " bytes: %.*s\n", run->io.port,
		       (uint64_t)run->io.count, (int)run->io.count,
		       (char *)memory + place.physical_address);
		regs.rsi += run->io.count;
		regs.rcx = 0;
	} else if (run->io.direction == CLASSIC_IN) {
		regs.rax = (regs.rax & ~0xffull) | 42;
		printf("port 0x%x: %u byte in, which is 42\n", run->io.port, run->io.size);
	} else {
		printf("port 0x%x: %u bytes out: 0x%" PRIx64 "\n", run->io.port, run->io.size,
		       (uint64_t)run->io.value);
	}
	VM_CALL(vm, SET_REGS, &regs);
	run->emulated = 1;
}

static void handle_mmio(struct classic_run *run)
{
	uint32_t doubled = 2 * device_register;

	if (run->mmio.is_write) {
		memcpy(&device_register, run->mmio.data, sizeof(device_register));
		printf("memory 0x%" PRIx64 ": %u bytes written: %u\n",
		       (uint64_t)run->mmio.phys_addr, run->mmio.len, device_register);
		return;
	}
	memcpy(run->mmio.data, &doubled, sizeof(doubled));
	printf("memory 0x%" PRIx64 ": %u bytes read, which is %u\n",
	       (uint64_t)run->mmio.phys_addr, run->mmio.len, doubled);
	run->mmio_completed = 1;
}

/* The guest waits. */
static void handle_halt(struct classic_run *run)
{
	struct classic_interrupt interrupt = { .vcpu = run->vcpu, .irq = INTERRUPT };

	printf("halted: interrupt 0x%x\n", INTERRUPT);
	VM_CALL(vm, INTERRUPT, &interrupt);
}

static void print_registers(void)
{
	struct classic_regs regs = { .vcpu = 0 };

	VM_CALL(vm, GET_REGS, &regs);
	printf("registers: rip 0x%" PRIx64 ", ax 0x%" PRIx64 ", ebx %" PRIu64 ", cx %" PRIu64 "\n",
	       (uint64_t)regs.rip, (uint64_t)regs.rax & 0xffff, (uint64_t)regs.rbx,
	       (uint64_t)regs.rcx);
}

static void print_dirty_pages(void)
{
	uint8_t bitmap[FRAMEBUFFER_SIZE / 4096 / 8];
	struct classic_dirty_log log = { .slot = 1, .bitmap = bitmap };

	VM_CALL(vm, GET_DIRTY_LOG, &log);
	printf("framebuffer pages that were written:");
	for (int i = 0; i < FRAMEBUFFER_SIZE / 4096; i++)
		if (bitmap[i / 8] >> i % 8 & 1)
			printf(" %d", i);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct classic_run run = { .vcpu = 0 };
	uint8_t *framebuffer;

	vm = vm_open(argc > 1 ? argv[1] : NULL);
	memory = vm_memory(vm, 0, 0, 0, MEMORY);
	framebuffer = vm_memory(vm, 1, CLASSIC_LOG_DIRTY, FRAMEBUFFER, FRAMEBUFFER_SIZE);
	memcpy(memory + GUEST_CODE, guest, guest_end - guest);
	vm_vcpu(vm, VM_REAL, 0x8000);
	printf("main memory at 0x0, framebuffer at 0x%x, vCPU 0 at 0x%x\n", FRAMEBUFFER, GUEST_CODE);

	do {
		vm_run(vm, &run);
		switch (run.exit_reason) {
		case CLASSIC_EXIT_IO:
			handle_io(&run);
			break;
		case CLASSIC_EXIT_MMIO:
			handle_mmio(&run);
			break;
		case CLASSIC_EXIT_HLT:
			handle_halt(&run);
			break;
		default:
			errx(1, "exit reason %u is none that this guest has", run.exit_reason);
		}
	} while (run.exit_reason != CLASSIC_EXIT_IO || run.io.port != 0xf4);

	print_registers();
	print_dirty_pages();
	printf("the framebuffer has %u, %u and %u there\n", framebuffer[0], framebuffer[0x5000],
	       framebuffer[0x6fff]);
	return 0;
}
