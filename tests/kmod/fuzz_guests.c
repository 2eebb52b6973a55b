/* SPDX-License-Identifier: GPL-2.0-only */
/* fuzz_guests.c - the fuzzer's virtual machines */
#include <string.h>
#include <sys/mman.h>

#include "../../kmod/classic.h"
#include "fuzz.h"

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

/* Writes of CR8 become reads: REX.R, or AMD's LOCK, before MOV to a control register. */
static void spare_qemu_cr8(uint8_t *code, size_t size)
{
	for (size_t i = 1; i + 1 < size; i++)
		if (code[i] == 0x0f && code[i + 1] == 0x22 && ((code[i - 1] & 0xf4) == 0x44 || code[i - 1] == 0xf0))
			code[i + 1] = 0x20;
}

static void write_guest(struct worker *w, uint8_t *code, size_t size)
{
	uint8_t *at = code;
	size_t room = size;

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
	if (guest_cpu_is_qemus())
		spare_qemu_cr8(code, size);
}

void make_machine(struct worker *w)
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
			.flags = one_in(w, 2) ? KVM_MEM_LOG_DIRTY_PAGES : below(w, 4),
		};

		ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &r);
	}
}

void make_classic(struct worker *w, int fd)
{
	struct classic_memory_region r = { .memory_size = 0x100000, .flags = CLASSIC_LOG_DIRTY };
	struct classic_regs regs = { .rip = GUEST_CODE, .rsp = GUEST_STACK, .rflags = 2 };
	struct classic_sregs sregs = {};
	uint8_t *memory;

	if (ioctl(fd, CLASSIC_SET_MEMORY_REGION, &r) || ioctl(fd, CLASSIC_CREATE_VCPU, 0) ||
	    ioctl(fd, CLASSIC_GET_SREGS, &sregs))
		return;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	spare_qemu((void *)&sregs.cs);
	ioctl(fd, CLASSIC_SET_SREGS, &sregs);
	ioctl(fd, CLASSIC_SET_REGS, &regs);
	memory = mmap(NULL, 0x100000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory != MAP_FAILED)
		write_guest(w, memory + GUEST_CODE, 128);
}
