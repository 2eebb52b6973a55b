/* SPDX-License-Identifier: GPL-2.0-only */
/* From the boot probe to the program's first instruction. */
#include "shim.h"

#define CR4_SMEP	(1ull << 20)
#define CR4_SMAP	(1ull << 21)

extern struct cpu cpu0;
void enable_smep_smap(u64 bits);

void shim_boot(void)
{
	struct abi_frame *f = direct(boot->frame);
	struct regs *r = (struct regs *)((u64)&cpu0 - sizeof(struct regs));
	u64 *pml4 = direct(boot->pml4);

	cpu0.frame = f;
	cpu0.thread = &thread0;
	if (boot->magic != ABI_MAGIC || boot->version != ABI_VERSION)
		panic("boot structure of another version", boot->version);
	if (shim_mode == ABI_MODE_KERNEL) {
		pml4[ABI_DIRECT >> 39 & 511] &= ~PTE_U;
		pml4[ABI_SHIM >> 39 & 511] &= ~PTE_U;
		enable_smep_smap((boot->flags & ABI_BOOT_SMEP ? CR4_SMEP : 0) |
				 (boot->flags & ABI_BOOT_SMAP ? CR4_SMAP : 0));
	}
	phys_init();
	mm_init();
	rlimits_init();
	threads_init();
	signal_init();
	memcpy(f->comm, boot->comm, sizeof(boot->comm) - 1);
	memset(r, 0, sizeof(*r));
	r->rip = boot->rip;
	r->rsp = boot->rsp;
	r->cs = ABI_USER_CS;
	r->ss = ABI_USER_SS;
	r->rflags = 0x202;
	f->op = ABI_OP_BOOTED;
	f->arg[0] = shim_mode;
	vm_exit();
}
