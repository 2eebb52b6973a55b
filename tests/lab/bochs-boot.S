/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boots an uncompressed Linux kernel and its initramfs from the first disk, where
 * they lie in whole sectors one after the other, with nothing unpacked in the guest.
 *
 * The BIOS loads the first sector to 0x7c00, that loads the rest of this file behind
 * itself, and that, by the PIIX3's bus master, what follows on the disk: each word that
 * the BIOS reads takes the time of an instruction, and the disk has a hundred million.
 * The kernel is entered as Documentation/arch/x86/boot.rst says of the 64-bit protocol.
 * From the command line of as(1):
 *
 *	KERNEL, KERNEL_SECTORS, ENTRY	where it goes, its size, where it begins
 *	INITRD, INITRD_SECTORS		the same of the initramfs; both at multiples of 64 KiB
 *	INITRD_SIZE			in bytes
 *
 * and from the file "cmdline" in the working directory the kernel's command line.
 */
	.set	PRD_TABLE, 0x60000	/* for the bus master: address, bytes, end */
	.set	PAGE_TABLES, 0x70000	/* three pages */
	.set	PARAMS, 0x800		/* struct boot_params in this file */
	.set	REST, (end - stage2) / 512
	.set	IDE, 0x1f0		/* ports: command block, and */
	.set	IDE_CONTROL, 0x3f6
	.set	PIIX3_IDE, 0x80000900	/* 00:01.1 for the PCI configuration's address port */

/* fail: says so on the console and ends Bochs, which knows a word for it */
	.macro	fail
	mov	$unreadable, %esi
	mov	$0x3f8, %edx
98:	lodsb
	out	%al, %dx
	test	%al, %al
	jnz	98b
	mov	$0x8900, %edx
99:	lodsb
	out	%al, %dx
	test	%al, %al
	jnz	99b
	hlt
	.endm

	.code16
	.globl	_start
_start:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$_start, %sp
	mov	$packet, %si
	mov	$0x42, %ah		/* extended read from disk dl */
	int	$0x13
	jc	1f
	jmp	stage2
1:	fail

unreadable:
	.asciz	"lab: the boot loader cannot read its disk\n"
	.asciz	"Shutdown"
	.balign	4
packet:
	.byte	16, 0
	.word	REST
	.word	stage2, 0
	.quad	1

	.org	510
	.word	0xaa55

stage2:
	in	$0x92, %al		/* A20 on; bit 0 would reset */
	or	$2, %al
	and	$0xfe, %al
	out	%al, $0x92

	xor	%ebx, %ebx
	mov	$e820_table, %di
1:	mov	$0xe820, %eax
	mov	$0x534d4150, %edx	/* "SMAP" */
	mov	$20, %ecx
	int	$0x15
	jc	2f
	incb	e820_entries
	add	$20, %di
	test	%ebx, %ebx
	jnz	1b

2:	cli
	mov	$0xff, %al		/* both interrupt controllers masked */
	out	%al, $0xa1
	out	%al, $0x21
	lgdt	gdt_pointer
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmp	$0x20, $protected_mode

	.code32
protected_mode:
	mov	$0x18, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss

	mov	$0xcf8, %edx		/* command register: I/O, bus master */
	mov	$PIIX3_IDE + 4, %eax
	out	%eax, %dx
	mov	$0xcfc, %edx
	mov	$5, %eax
	out	%eax, %dx
	mov	$0xcf8, %edx		/* BAR 4: the bus master's ports */
	mov	$PIIX3_IDE + 0x20, %eax
	out	%eax, %dx
	mov	$0xcfc, %edx
	in	%dx, %eax
	and	$~3, %eax
	mov	%eax, %ebp
	mov	$IDE_CONTROL, %edx	/* interrupts on: the bus master's status shows them */
	xor	%eax, %eax
	out	%al, %dx

	mov	$1 + REST, %esi
	mov	$KERNEL, %edi
	mov	$KERNEL_SECTORS, %ecx
	call	load
	mov	$INITRD, %edi
	mov	$INITRD_SECTORS, %ecx
	call	load

	/* the first GiB at its own addresses, in pages of 2 MiB */
	mov	$PAGE_TABLES, %edi
	xor	%eax, %eax
	mov	$0x3000 / 4, %ecx
	cld
	rep stosl
	movl	$PAGE_TABLES + 0x1003, PAGE_TABLES
	movl	$PAGE_TABLES + 0x2003, PAGE_TABLES + 0x1000
	mov	$PAGE_TABLES + 0x2000, %edi
	mov	$0x83, %eax
1:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	cmp	$PAGE_TABLES + 0x3000, %edi
	jb	1b

	mov	$PAGE_TABLES, %eax
	mov	%eax, %cr3
	mov	$0x20, %eax		/* CR4.PAE */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx	/* EFER.LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	$0x80000001, %eax	/* CR0.PG, PE */
	mov	%eax, %cr0
	ljmp	$0x10, $long_mode

/* load: ecx sectors from sector esi on to address edi, by the bus master at port ebp;
 * at most 256 sectors, 128 KiB, at a time (28-bit READ DMA) */
load:
	mov	$256, %ebx
	cmp	%ebx, %ecx
	jae	1f
	mov	%ecx, %ebx

	/* an entry holds 64 KiB, which are 0 */
1:	mov	%edi, PRD_TABLE
	mov	%ebx, %eax
	shl	$9, %eax
	cmp	$0x10000, %eax
	jbe	2f
	movl	$0, PRD_TABLE + 4
	lea	0x10000(%edi), %edx
	mov	%edx, PRD_TABLE + 8
	sub	$0x10000, %eax
	movzwl	%ax, %eax
	or	$0x80000000, %eax
	mov	%eax, PRD_TABLE + 12
	jmp	3f
2:	movzwl	%ax, %eax
	or	$0x80000000, %eax
	mov	%eax, PRD_TABLE + 4

3:	lea	4(%ebp), %edx
	mov	$PRD_TABLE, %eax
	out	%eax, %dx
	lea	2(%ebp), %edx		/* what the last one left: error, interrupt */
	mov	$6, %al
	out	%al, %dx

	mov	$IDE + 2, %edx		/* sectors, 256 being 0 */
	mov	%bl, %al
	out	%al, %dx
	mov	%esi, %eax		/* the sector's number */
	inc	%edx
	out	%al, %dx
	shr	$8, %eax
	inc	%edx
	out	%al, %dx
	shr	$8, %eax
	inc	%edx
	out	%al, %dx
	shr	$8, %eax
	or	$0xe0, %al		/* LBA, the first disk */
	inc	%edx
	out	%al, %dx
	mov	$0xc8, %al		/* READ DMA */
	inc	%edx
	out	%al, %dx
	mov	%ebp, %edx		/* begin, to memory */
	mov	$9, %al
	out	%al, %dx

	lea	2(%ebp), %edx
4:	in	%dx, %al
	test	$6, %al			/* interrupt or error */
	jz	4b
	mov	%ebp, %edx
	mov	$0, %al
	out	%al, %dx
	mov	$IDE + 7, %edx		/* status; read, it ends the interrupt */
	in	%dx, %al
	test	$0x21, %al		/* error, device fault */
	jnz	5f

	mov	%ebx, %eax
	shl	$9, %eax
	add	%eax, %edi
	add	%ebx, %esi
	sub	%ebx, %ecx
	jnz	load
	ret
5:	fail

	.code64
long_mode:
	mov	$0x18, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$boot_params, %esi
	mov	$ENTRY, %eax
	jmp	*%rax

	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* 0x10: __BOOT_CS */
	.quad	0x00cf93000000ffff	/* 0x18: __BOOT_DS */
	.quad	0x00cf9b000000ffff	/* 0x20: code of protected mode */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	/* struct boot_params: what is not here is zero */
	.org	PARAMS
boot_params:
	.org	PARAMS + 0x1e8
e820_entries:
	.byte	0
	.org	PARAMS + 0x1fe
	.word	0xaa55			/* boot_flag */
	.org	PARAMS + 0x202
	.ascii	"HdrS"
	.word	0x020f			/* version */
	.org	PARAMS + 0x210
	.byte	0xff			/* type_of_loader: none that is known */
	.byte	1			/* loadflags: LOADED_HIGH */
	.org	PARAMS + 0x218
	.long	INITRD, INITRD_SIZE	/* ramdisk_image, ramdisk_size */
	.org	PARAMS + 0x228
	.long	cmdline			/* cmd_line_ptr */
	.org	PARAMS + 0x238
	.long	2047			/* cmdline_size */
	.org	PARAMS + 0x2d0
e820_table:
	.org	PARAMS + 0x1000
cmdline:
	.incbin	"cmdline"
	.byte	0
	.org	0x2000
end:
