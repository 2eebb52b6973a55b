/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_xstate.c - vector registers and protection keys: the guest's inside, the
 * process's outside, and both in user space's hands
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define why_skip(reason) do { print_message("%s\n", reason); skip(); } while (0)

#define CR4_OSXSAVE	(1ull << 18)
#define CR4_PKE		(1ull << 22)
#define OPEN		0xfffffff0u	/* PKRU: the first two keys allow everything */

/* A guest in long mode with what CPUID offers, CR4 bits and XCR0. */
static void start(struct guest *g, uint64_t cr4, uint64_t xcr0, const void *code, size_t len)
{
	struct kvm_xcrs x = { .nr_xcrs = 1, .xcrs[0].value = xcr0 };
	struct kvm_sregs s;

	guest_start(g, LONG, code, len);
	guest_offer_cpuid(g);
	assert_int_equal(ioctl(g->vcpu, KVM_GET_SREGS, &s), 0);
	s.cr4 |= cr4;
	assert_int_equal(ioctl(g->vcpu, KVM_SET_SREGS, &s), 0);
	assert_int_equal(ioctl(g->vcpu, KVM_SET_XCRS, &x), 0);
}

/* KVM_RUN between a load and a store of ymm15, with nothing in between that could touch it. */
__attribute__((target("avx")))
static long run_with_ymm15(struct guest *g, const uint8_t *in, uint8_t *out)
{
	long r;

	asm volatile("vmovdqu (%[in]), %%ymm15\n\t"
		     "syscall\n\t"
		     "vmovdqu %%ymm15, (%[out])\n\t"
		     "vzeroupper"
		     : "=a" (r)
		     : "a" (SYS_ioctl), "D" (g->vcpu), "S" (KVM_RUN), "d" (0), [in] "r" (in), [out] "r" (out)
		     : "rcx", "r11", "memory", "xmm15");
	return r;
}

static void threat_28_vectors_are_the_guests_inside_and_the_hosts_outside(void **state)
{
	uint8_t host[32], after[32];
	uint32_t offset, b, c, d;
	struct kvm_xsave xsave;
	struct guest g;

	if (!__builtin_cpu_supports("avx"))
		why_skip("this CPU has no AVX");
	__cpuid_count(0xd, 2, d, offset, c, b);
	memset(host, 0x11, sizeof(host));
	/* vmovdqu (%rbx), %ymm15; hlt; vmovdqu %ymm15, 32(%rbx); hlt; and once more */
	start(&g, CR4_OSXSAVE | 0x600, 7, CODE("\xc5\x7e\x6f\x3b\xf4\xc5\x7e\x7f\x7b\x20\xf4"
					       "\xc5\x7e\x7f\x7b\x20\xf4"));
	struct kvm_regs regs = guest_regs(&g);

	regs.rbx = 0x9000;
	guest_set_regs(&g, &regs);
	memset(g.memory + 0x9000, 0x22, 32);
	assert_int_equal(run_with_ymm15(&g, host, after), 0);
	assert_int_equal(g.run->exit_reason, KVM_EXIT_HLT);
	assert_memory_equal(host, after, 32);
	assert_int_equal(run_with_ymm15(&g, host, after), 0);
	assert_int_equal(g.run->exit_reason, KVM_EXIT_HLT);
	assert_memory_equal(host, after, 32);
	assert_memory_equal(g.memory + 0x9020, g.memory + 0x9000, 32);
	/* the upper half in user space's hands: component 2, register 15 */
	assert_int_equal(ioctl(g.vcpu, KVM_GET_XSAVE, &xsave), 0);
	assert_memory_equal((uint8_t *)&xsave + offset + 15 * 16, g.memory + 0x9000, 16);
	memset((uint8_t *)&xsave + offset + 15 * 16, 0x33, 16);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_XSAVE, &xsave), 0);
	assert_int_equal(run_with_ymm15(&g, host, after), 0);
	assert_memory_equal(host, after, 32);
	assert_memory_equal(g.memory + 0x9020, g.memory + 0x9000, 16);
	assert_memory_equal(g.memory + 0x9030, (uint8_t *)&xsave + offset + 15 * 16, 16);
	guest_end(&g);
	(void)state;
}

static uint32_t pkru(void)
{
	uint32_t a, d;

	asm volatile(".byte 0x0f, 0x01, 0xee" : "=a" (a), "=d" (d) : "c" (0));
	return a;
}

static void pkru_is_the_guests_inside_and_the_hosts_outside(void **state)
{
	uint32_t a, b, c, d, offset, host;
	struct kvm_xsave xsave;
	struct kvm_regs regs;
	struct guest g;

	__cpuid_count(7, 0, a, b, c, d);
	if (!(c & 1 << 4))
		why_skip("this CPU, or its kernel, has no protection keys");
	__cpuid_count(0xd, 9, a, offset, c, d);
	host = pkru();
	/* wrpkru; hlt; rdpkru; hlt; rdpkru; hlt */
	start(&g, CR4_OSXSAVE | CR4_PKE, 0x203, CODE("\x0f\x01\xef\xf4\x0f\x01\xee\xf4\x0f\x01\xee\xf4"));
	regs = guest_regs(&g);
	regs.rax = OPEN;
	guest_set_regs(&g, &regs);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(pkru(), host);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, OPEN);
	assert_int_equal(pkru(), host);
	assert_int_equal(ioctl(g.vcpu, KVM_GET_XSAVE, &xsave), 0);
	memcpy(&a, (uint8_t *)&xsave + offset, 4);
	assert_int_equal(a, OPEN);
	a = OPEN << 4;
	memcpy((uint8_t *)&xsave + offset, &a, 4);
	assert_int_equal(ioctl(g.vcpu, KVM_SET_XSAVE, &xsave), 0);
	assert_int_equal(guest_run(&g), KVM_EXIT_HLT);
	assert_int_equal(guest_regs(&g).rax, OPEN << 4);
	assert_int_equal(pkru(), host);
	guest_end(&g);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_28_vectors_are_the_guests_inside_and_the_hosts_outside),
		cmocka_unit_test(pkru_is_the_guests_inside_and_the_hosts_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
