/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * step.c - a guest under a debugger: single steps, then breakpoints
 *
 *	step [DEVICE]
 *
 * Runs the guest twice: step by step to its end, then from breakpoint to
 * breakpoint; prints the registers at each stop. Where the processor does not
 * stop guests at breakpoints, as QEMU's software one does not, it runs a third
 * time, by steps that are told only where a breakpoint is.
 */
#include <err.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm.h"

extern const uint8_t guest_square[], guest_done[];

static int vm;

/* Where something of the guest's program is in the guest. */
static uint64_t in_guest(const uint8_t *label)
{
	return GUEST_CODE + (label - guest);
}

static struct classic_regs get_regs(void)
{
	struct classic_regs regs = { .vcpu = 0 };

	VM_CALL(vm, GET_REGS, &regs);
	return regs;
}

static void print_stop(const char *what)
{
	struct classic_regs regs = get_regs();

	printf("%-12s rip %#06" PRIx64 "  eax %2" PRIu64 "  ebx %2" PRIu64 "  ecx %" PRIu64
	       "  esp %#" PRIx64 "  eflags %#05" PRIx64 "\n", what, (uint64_t)regs.rip,
	       (uint64_t)regs.rax, (uint64_t)regs.rbx, (uint64_t)regs.rcx, (uint64_t)regs.rsp,
	       (uint64_t)regs.rflags);
}

static bool at_breakpoint(const struct classic_debug_guest *debug)
{
	uint64_t rip = get_regs().rip;

	for (int i = 0; i < 4; i++)
		if (debug->breakpoints[i].enabled && debug->breakpoints[i].address == rip)
			return true;
	return false;
}

/* Runs until the guest halts, printing the stops before. Returns how many those were. */
static int run_to_halt(struct classic_debug_guest *debug, bool every_step)
{
	struct classic_run run = { .vcpu = 0 };
	int stops = 0;

	VM_CALL(vm, DEBUG_GUEST, debug);
	for (;;) {
		vm_run(vm, &run);
		if (run.exit_reason == CLASSIC_EXIT_HLT)
			return stops;
		if (run.exit_reason != CLASSIC_EXIT_DEBUG)
			errx(1, "exit reason %u is none that this guest has", run.exit_reason);
		if (!every_step && !at_breakpoint(debug))
			continue;
		stops++;
		print_stop(every_step ? "step" : "breakpoint");
	}
}

int main(int argc, char **argv)
{
	struct classic_debug_guest steps = { .enabled = 1, .singlestep = 1 };
	struct classic_debug_guest breakpoints = {
		.enabled = 1,
		.breakpoints = {
			{ .enabled = 1, .address = in_guest(guest_square) },
			{ .enabled = 1, .address = in_guest(guest_done) },
		},
	};
	struct classic_regs start;
	uint8_t *memory;
	int stops;

	vm = vm_open(argc > 1 ? argv[1] : NULL);
	memory = vm_memory(vm, 0, 0, 0, 0x10000);
	memcpy(memory + GUEST_CODE, guest, guest_end - guest);
	vm_vcpu(vm, VM_PROTECTED, 0x8000);
	start = get_regs();

	print_stop("start");
	stops = run_to_halt(&steps, true);
	print_stop("halted");
	printf("%d steps; the result is %" PRIu64 "\n\n", stops, (uint64_t)get_regs().rbx);

	VM_CALL(vm, SET_REGS, &start);
	stops = run_to_halt(&breakpoints, false);
	if (!stops) {
		printf("this CPU does not stop guests at breakpoints: by steps, then\n");
		VM_CALL(vm, SET_REGS, &start);
		breakpoints.singlestep = 1;
		stops = run_to_halt(&breakpoints, false);
	}
	print_stop("halted");
	printf("%d stops at %#" PRIx64 " and %#" PRIx64 "\n", stops, in_guest(guest_square),
	       in_guest(guest_done));
	return 0;
}
