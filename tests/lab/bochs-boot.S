/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boots an uncompressed Linux kernel and its initramfs from the first disk, where
 * they lie in whole sectors one after the other, with nothing unpacked in the guest.
 *
 * The BIOS loads the first sector to 0x7c00, that loads the rest of this file behind
 * itself, and that, what follows on the disk. The kernel is entered as Documentation/
 * arch/x86/boot.rst says of the 64-bit protocol. From the command line of as(1):
 *
 *	KERNEL, KERNEL_SECTORS		where it goes (and begins), and its size
 *	INITRD, INITRD_SECTORS		the same of the initramfs
 *	INITRD_SIZE			in bytes
 *
 * and from the file "cmdline" in the working directory the kernel's command line.
 */
	.set	BUFFER, 0x10000		/* what the BIOS reads, 64 sectors at a time */
	.set	PAGE_TABLES, 0x70000	/* three pages */
	.set	SECTORS_AT_ONCE, 64

	.code16
	.globl	_start
_start:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$_start, %sp
	mov	%dl, drive
	movw	$(end - stage2) / 512, packet_count
	movw	$stage2, packet_offset
	movw	$0, packet_segment
	movl	$1, packet_lba
	call	read
	jmp	stage2

/* read: from the disk as the packet says (INT 13h, AH=42h) */
read:
	mov	$packet, %si
	mov	drive, %dl
	mov	$0x42, %ah
	int	$0x13
	cli
	jc	1f
	ret
1:	mov	$unreadable, %si
	mov	$0x3f8, %dx		/* the console */
2:	lodsb
	out	%al, %dx
	test	%al, %al
	jnz	2b
	mov	$shutdown, %si		/* Bochs ends by this word */
	mov	$0x8900, %dx
3:	lodsb
	out	%al, %dx
	test	%al, %al
	jnz	3b
	hlt

unreadable:
	.asciz	"lab: the boot loader cannot read its disk\n"
shutdown:
	.asciz	"Shutdown"
drive:
	.byte	0
	.balign	4
packet:
	.byte	16, 0
packet_count:
	.word	0
packet_offset:
	.word	0
packet_segment:
	.word	0
packet_lba:
	.quad	0

	.org	510
	.word	0xaa55

stage2:
	in	$0x92, %al		/* A20 on; bit 0 would reset */
	or	$2, %al
	and	$0xfe, %al
	out	%al, $0x92
	movw	$0, packet_offset
	movw	$BUFFER >> 4, packet_segment
	movl	$1 + (end - stage2) / 512, packet_lba
	mov	$KERNEL, %edi
	mov	$KERNEL_SECTORS, %ecx
	call	load
	mov	$INITRD, %edi
	mov	$INITRD_SECTORS, %ecx
	call	load
	jmp	memory_map

/* load: ecx sectors, from where the packet is, to physical address edi on */
load:
	mov	$SECTORS_AT_ONCE, %ebx
	cmp	%ebx, %ecx
	jae	1f
	mov	%ecx, %ebx
1:	mov	%bx, packet_count
	pushal
	call	read
	call	flat
	popal
	push	%ecx
	mov	%ebx, %ecx
	shl	$7, %ecx
	mov	$BUFFER, %esi
	cld
	rep movsl (%esi), %es:(%edi)
	pop	%ecx
	add	%ebx, packet_lba
	sub	%ebx, %ecx
	jnz	load
	ret

/* flat: DS and ES reach 4 GiB in real mode, until the BIOS loads them in protected mode */
flat:
	lgdt	gdt_pointer
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	mov	$0x18, %cx
	mov	%cx, %ds
	mov	%cx, %es
	and	$0xfe, %al
	mov	%eax, %cr0
	xor	%cx, %cx
	mov	%cx, %ds
	mov	%cx, %es
	ret

memory_map:
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

	/* the first GiB at its own addresses, in pages of 2 MiB */
	mov	$PAGE_TABLES >> 4, %ax
	mov	%ax, %es
	xor	%di, %di
	xor	%eax, %eax
	mov	$0x3000 / 4, %cx
	rep stosl
	movl	$PAGE_TABLES + 0x1003, %es:0
	movl	$PAGE_TABLES + 0x2003, %es:0x1000
	mov	$0x2000, %di
	mov	$0x83, %eax
3:	mov	%eax, %es:(%di)
	add	$8, %di
	add	$0x200000, %eax
	cmp	$0x3000, %di
	jb	3b

	mov	$0xff, %al		/* both interrupt controllers masked */
	out	%al, $0xa1
	out	%al, $0x21
	lgdt	gdt_pointer
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
	ljmpl	$0x10, $long_mode

	.code64
long_mode:
	mov	$0x18, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$boot_params, %esi
	mov	$KERNEL, %eax
	jmp	*%rax

	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* __BOOT_CS */
	.quad	0x00cf93000000ffff	/* __BOOT_DS */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	/* struct boot_params: what is not here is zero */
	.org	0x400
boot_params:
	.org	0x400 + 0x1e8
e820_entries:
	.byte	0
	.org	0x400 + 0x1fe
	.word	0xaa55			/* boot_flag */
	.org	0x400 + 0x202
	.ascii	"HdrS"
	.word	0x020f			/* version */
	.org	0x400 + 0x210
	.byte	0xff			/* type_of_loader: none that is known */
	.byte	1			/* loadflags: LOADED_HIGH */
	.org	0x400 + 0x218
	.long	INITRD, INITRD_SIZE	/* ramdisk_image, ramdisk_size */
	.org	0x400 + 0x228
	.long	cmdline			/* cmd_line_ptr */
	.org	0x400 + 0x238
	.long	2047			/* cmdline_size */
	.org	0x400 + 0x2d0
e820_table:
	.org	0x1400
cmdline:
	.incbin	"cmdline"
	.byte	0
	.org	0x2000
end:
