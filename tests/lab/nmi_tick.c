// SPDX-License-Identifier: GPL-2.0-only
/*
 * nmi_tick.c - loaded in machines under Bochs: NMIs, 100 in a second, that do nothing
 *
 * Bochs (2.7 and 3.0) works out which events are masked before it is in the guest
 * (cpu/vmx.cc: handleCpuContextChange() is called while in_vmx_guest is false), so that
 * an interrupt for the host does not end the run of a guest that was entered with
 * RFLAGS.IF clear and leaves it so, as a VM exit has to (SDM volume 3, 26.2). An NMI does,
 * and with the host's interrupts on again the one that waits is taken, too.
 *
 * The 8254's output, which Linux does not need beside the local APIC's timer, arrives at
 * pin 2 of the I/O APIC; as an NMI it needs no acknowledgement.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <asm/nmi.h>

#define IOAPIC		0xfec00000
#define PIN_2		(0x10 + 2 * 2)	/* its redirection entry's lower half */
#define DELIVER_NMI	(4 << 8)	/* edge-triggered, not masked, physical */
#define TO_ALL		(0xffu << 24)	/* APICs: its upper half */
#define PIT_HZ		1193182
#define NMI_HZ		100

static int nothing(unsigned int type, struct pt_regs *regs)
{
	return NMI_HANDLED;
}

static int __init nmi_tick_init(void)
{
	void __iomem *ioapic = ioremap(IOAPIC, 0x20);
	int r;

	if (!ioapic)
		return -ENOMEM;
	r = register_nmi_handler(NMI_LOCAL, nothing, 0, "nmi_tick");
	if (!r) {
		writel(PIN_2 + 1, ioapic);
		writel(TO_ALL, ioapic + 0x10);
		writel(PIN_2, ioapic);
		writel(DELIVER_NMI | 0x20, ioapic + 0x10);
		outb(0x34, 0x43);	/* channel 0: low, high byte; rate generator */
		outb((PIT_HZ / NMI_HZ) & 0xff, 0x40);
		outb((PIT_HZ / NMI_HZ) >> 8, 0x40);
	}
	iounmap(ioapic);
	return r;
}

module_init(nmi_tick_init);
MODULE_LICENSE("GPL");
MODULE_INFO(intree, "Y");	/* taint flag O tells of kvmrun.ko, not of the lab's own */
MODULE_DESCRIPTION("NMIs that end the runs of Bochs's guests");
