/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * classic.h - the interface of KVM's first posting (October 2006), for user
 * space and for kvmrun.ko
 *
 * One open of /dev/kvmrun is one VM, made by the first of these calls on it
 * and gone with its last descriptor. Only the process that made it may call.
 * A call names its vCPU in the struct that it passes, and waits while another
 * thread runs that vCPU; a signal to that thread ends its RUN.
 *
 *	CLASSIC_SET_MEMORY_REGION	the kernel allocates zeroed memory; mmap
 *		(MAP_SHARED) of the same descriptor at offset = guest-physical
 *		address shows it. A region keeps its address and size; size 0
 *		removes it, and its contents.
 *	CLASSIC_CREATE_VCPU	its argument is the number itself
 *	CLASSIC_RUN	until there is something for user space; see struct classic_run
 *	CLASSIC_INTERRUPT	the vector waits until the guest can take it; of
 *		several the highest goes first
 *
 * All: 0, or -1 and errno. EINVAL: what was asked for makes no sense; ENOENT:
 * no such vCPU, or the region has no dirty log; EEXIST: that vCPU is there, or
 * the regions overlap; EFAULT: a bad pointer; EIO: another process's VM;
 * ENOTTY: the module was loaded with classic=0; EINTR: a signal came (RUN).
 */
#ifndef KVMRUN_CLASSIC_H
#define KVMRUN_CLASSIC_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* run.exit_type; 0 when RUN failed with EINTR */
#define CLASSIC_FAILED_ENTRY	1	/* hw.reason: the processor's */
#define CLASSIC_EXITED		2

/*
 * run.exit_reason. In angle brackets: where RIP is then.
 *
 *	UNKNOWN		nothing else fits; hw.reason says what, as a number of
 *			linux/kvm.h: 8 (KVM_EXIT_SHUTDOWN) a triple fault, 17
 *			(KVM_EXIT_INTERNAL_ERROR) not to be emulated here
 *	EXCEPTION	does not happen: exceptions are the guest's own
 *	IO		<on the instruction> the registers are as before it. User space
 *			does it all, IN's RAX, REP's RCX, RSI and RDI included, by
 *			SET_REGS, and says emulated
 *	CPUID		<on it> user space sets RAX to RDX and says emulated
 *	DEBUG		<on the breakpoint, or behind the step> RUN goes on from there
 *	HLT		<behind it>
 *	MMIO		<on a read, behind a write> an access that is wider than 8
 *			bytes, or crosses a page, comes in pieces
 */
#define CLASSIC_EXIT_UNKNOWN	0
#define CLASSIC_EXIT_EXCEPTION	1
#define CLASSIC_EXIT_IO		2
#define CLASSIC_EXIT_CPUID	3
#define CLASSIC_EXIT_DEBUG	4
#define CLASSIC_EXIT_HLT	5
#define CLASSIC_EXIT_MMIO	6

#define CLASSIC_IN	0
#define CLASSIC_OUT	1

struct classic_run {
	/* in */
	__u32 vcpu;
	__u32 emulated;		/* go on behind the instruction; back as 0 */
	__u32 mmio_completed;	/* mmio.data is what was read; back as 0. A read without
				 * this or emulated is done over again */
	/* out */
	__u32 exit_type;
	__u32 exit_reason;
	__u32 instruction_length;	/* of what emulated would skip, 0 where RIP is behind it */
	union {
		struct {
			__u32 reason;
		} hw;
		struct {
			__u32 exception;
			__u32 error_code;
		} ex;
		struct {
			__u8 direction;
			__u8 size;		/* 1, 2 or 4 */
			__u8 string;
			__u8 string_down;	/* RFLAGS.DF */
			__u8 rep;
			__u8 pad;
			__u16 port;
			__u64 count;		/* of elements: RCX with rep, else 1 */
			union {
				__u64 address;	/* string: the first element's, guest-linear */
				__u64 value;	/* else: what OUT puts out */
			};
		} io;
		struct {
			__u64 phys_addr;
			__u8 data[8];
			__u32 len;
			__u8 is_write;
			__u8 pad[3];
		} mmio;
	};
};

struct classic_regs {
	__u32 vcpu, pad;
	__u64 rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	__u64 r8, r9, r10, r11, r12, r13, r14, r15;
	__u64 rip, rflags;
};

struct classic_segment {
	__u64 base;
	__u32 limit;
	__u16 selector;
	__u8 type, present, dpl, db, s, l, g, avl, unusable, pad;
};

struct classic_dtable {
	__u64 base;
	__u16 limit;
	__u16 pad[3];
};

struct classic_sregs {
	__u32 vcpu, pad;
	struct classic_segment cs, ds, es, fs, gs, ss, tr, ldt;
	struct classic_dtable gdt, idt;
	__u64 cr0, cr2, cr3, cr4, cr8;
	__u64 efer;
	__u64 apic_base;
	__u64 pending_int;	/* 1: an interrupt waits. SET_SREGS leaves that as it is */
};

struct classic_translation {
	__u64 linear_address;
	__u32 vcpu, pad;
	__u64 physical_address;	/* all ones where not valid */
	__u8 valid;
	__u8 writeable;		/* by code at CPL 0 */
	__u8 usermode;		/* readable at CPL 3 */
	__u8 pad2[5];
};

struct classic_interrupt {
	__u32 vcpu;
	__u32 irq;
};

struct classic_debug_guest {
	__u32 vcpu;
	__u32 enabled;		/* 0: none of the below */
	struct {
		__u32 enabled;
		__u32 pad;
		__u64 address;	/* linear, of an instruction */
	} breakpoints[4];
	__u32 singlestep;
	__u32 pad;
};

#define CLASSIC_LOG_DIRTY 1	/* of memory_region.flags */

struct classic_memory_region {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
};

struct classic_dirty_log {
	__u32 slot;
	__u32 pad;
	union {
		void *bitmap;		/* a bit per page, in whole bytes; the log starts anew */
		__u64 bitmap_address;
	};
};

#define CLASSIC_RUN			_IOWR(0xae, 2, struct classic_run)
#define CLASSIC_GET_REGS		_IOWR(0xae, 3, struct classic_regs)
#define CLASSIC_SET_REGS		_IOW(0xae, 4, struct classic_regs)
#define CLASSIC_GET_SREGS		_IOWR(0xae, 5, struct classic_sregs)
#define CLASSIC_SET_SREGS		_IOW(0xae, 6, struct classic_sregs)
#define CLASSIC_TRANSLATE		_IOWR(0xae, 7, struct classic_translation)
#define CLASSIC_INTERRUPT		_IOW(0xae, 8, struct classic_interrupt)
#define CLASSIC_DEBUG_GUEST		_IOW(0xae, 9, struct classic_debug_guest)
#define CLASSIC_SET_MEMORY_REGION	_IOW(0xae, 10, struct classic_memory_region)
#define CLASSIC_CREATE_VCPU		_IOW(0xae, 11, int)
#define CLASSIC_GET_DIRTY_LOG		_IOW(0xae, 12, struct classic_dirty_log)

#ifndef __cplusplus
#define CLASSIC_AT(type, field, offset) \
	_Static_assert(__builtin_offsetof(struct type, field) == offset, #type "." #field)
#define CLASSIC_COMMAND(name, number) _Static_assert(CLASSIC_##name == number, #name)

CLASSIC_COMMAND(RUN, 0xc030ae02);
CLASSIC_COMMAND(GET_REGS, 0xc098ae03);
CLASSIC_COMMAND(SET_REGS, 0x4098ae04);
CLASSIC_COMMAND(GET_SREGS, 0xc128ae05);
CLASSIC_COMMAND(SET_SREGS, 0x4128ae06);
CLASSIC_COMMAND(TRANSLATE, 0xc020ae07);
CLASSIC_COMMAND(INTERRUPT, 0x4008ae08);
CLASSIC_COMMAND(DEBUG_GUEST, 0x4050ae09);
CLASSIC_COMMAND(SET_MEMORY_REGION, 0x4018ae0a);
CLASSIC_COMMAND(CREATE_VCPU, 0x4004ae0b);
CLASSIC_COMMAND(GET_DIRTY_LOG, 0x4010ae0c);
CLASSIC_AT(classic_run, exit_reason, 16);
CLASSIC_AT(classic_run, hw.reason, 24);
CLASSIC_AT(classic_run, ex.error_code, 28);
CLASSIC_AT(classic_run, io.port, 30);
CLASSIC_AT(classic_run, io.count, 32);
CLASSIC_AT(classic_run, io.address, 40);
CLASSIC_AT(classic_run, mmio.data, 32);
CLASSIC_AT(classic_run, mmio.len, 40);
CLASSIC_AT(classic_run, mmio.is_write, 44);
CLASSIC_AT(classic_regs, rax, 8);
CLASSIC_AT(classic_regs, rflags, 144);
CLASSIC_AT(classic_sregs, cs, 8);
CLASSIC_AT(classic_sregs, gdt, 200);
CLASSIC_AT(classic_sregs, cr0, 232);
CLASSIC_AT(classic_sregs, efer, 272);
CLASSIC_AT(classic_sregs, pending_int, 288);
CLASSIC_AT(classic_translation, vcpu, 8);
CLASSIC_AT(classic_translation, physical_address, 16);
CLASSIC_AT(classic_translation, usermode, 26);
CLASSIC_AT(classic_debug_guest, breakpoints, 8);
CLASSIC_AT(classic_debug_guest, singlestep, 72);
CLASSIC_AT(classic_memory_region, memory_size, 16);
CLASSIC_AT(classic_dirty_log, bitmap, 8);

#undef CLASSIC_AT
#undef CLASSIC_COMMAND
#endif

#endif
