/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/cpuinfo: what CPUID tells the program, in Linux's words (arch/x86/include/asm/cpufeatures.h). */
#include <string.h>

#include "cpu.h"
#include "proc.h"
#include "process_table.h"
#include "vm.h"

enum { EAX, EBX, ECX, EDX };

/* Features by the bits of a register; "" where Linux has no word or does not show it. */
static const struct {
	uint32_t leaf, reg;
	const char *names[32];
} features[] = {
	{ 1, EDX, { "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "", "sep", "mtrr", "pge", "mca", "cmov",
		"pat", "pse36", "pn", "clflush", "", "dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe" } },
	{ 0x80000001, EDX, { [11] = "syscall", [19] = "mp", [20] = "nx", [22] = "mmxext", [25] = "fxsr_opt", [26] = "pdpe1gb",
		[27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow" } },
	{ 1, ECX, { "pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est", "tm2", "ssse3", "cid", "sdbg", "fma",
		"cx16", "xtpr", "pdcm", "", "pcid", "dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt", "tsc_deadline_timer",
		"aes", "xsave", "", "avx", "f16c", "rdrand", "hypervisor" } },
	{ 0x80000001, ECX, { "lahf_lm", "cmp_legacy", "svm", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse",
		"3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", "", "lwp", "fma4", "tce", "", "nodeid_msr", "", "tbm",
		"topoext" } },
	{ 7, EBX, { "fsgsbase", "tsc_adjust", "sgx", "bmi1", "hle", "avx2", "", "smep", "bmi2", "erms", "invpcid", "rtm", "cqm",
		"", "mpx", "rdt_a", "avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma", "", "clflushopt", "clwb",
		"intel_pt", "avx512pf", "avx512er", "avx512cd", "sha_ni", "avx512bw", "avx512vl" } },
	{ 7, ECX, { "", "avx512vbmi", "umip", "pku", "ospke", "waitpkg", "avx512_vbmi2", "", "gfni", "vaes", "vpclmulqdq",
		"avx512_vnni", "avx512_bitalg", "tme", "avx512_vpopcntdq", "", "la57", [22] = "rdpid", [25] = "cldemote",
		[27] = "movdiri", [28] = "movdir64b", [29] = "enqcmd" } },
	{ 7, EDX, { [2] = "avx512_4vnniw", [3] = "avx512_4fmaps", [4] = "fsrm", [8] = "avx512_vp2intersect", [10] = "md_clear",
		[14] = "serialize", [16] = "tsxldtrk", [23] = "avx512_fp16", [28] = "flush_l1d", [29] = "arch_capabilities" } },
};

static void put_flags(FILE *out)
{
	fprintf(out, "flags\t\t:");
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		uint32_t bits = cpu_leaf(proc_vm, features[i].leaf, features[i].reg);

		for (int b = 0; b < 32; b++)
			if (bits >> b & 1 && features[i].names[b] && *features[i].names[b])
				fprintf(out, " %s", features[i].names[b]);
	}
	fputc('\n', out);
}

static void vendor(char name[13])
{
	const uint32_t words[3] = { cpu_leaf(proc_vm, 0, EBX), cpu_leaf(proc_vm, 0, EDX), cpu_leaf(proc_vm, 0, ECX) };

	memcpy(name, words, 12);
	name[12] = '\0';
}

static void model_name(char name[49])
{
	for (uint32_t i = 0; i < 3; i++)
		for (unsigned int reg = 0; reg < 4; reg++) {
			uint32_t word = cpu_leaf(proc_vm, 0x80000002 + i, reg);

			memcpy(name + i * 16 + reg * 4, &word, 4);
		}
	name[48] = '\0';
}

/* From the clock page, which may be empty: kHz, or 0. */
static uint64_t tsc_khz(void)
{
	const struct abi_clock *clock = proc_vm->clock ? guest_ptr(proc_vm, proc_vm->clock, sizeof(*clock)) : NULL;
	uint64_t mult = clock ? READ_ONCE(clock->mult) : 0;

	return mult ? (1000000ull << 32) / mult : 0;
}

/* SDM volume 2, CPUID 1: family and model with their extensions. */
static void put_signature(FILE *out)
{
	uint32_t sig = cpu_leaf(proc_vm, 1, EAX), family = sig >> 8 & 15, model = sig >> 4 & 15;

	if (family >= 6)
		model |= (sig >> 16 & 15) << 4;
	if (family == 15)
		family += sig >> 20 & 255;
	fprintf(out, "cpu family\t: %u\nmodel\t\t: %u\n", family, model);
}

static void put_cpu(FILE *out, unsigned int i, unsigned int n)
{
	char id[13], name[49];
	uint64_t khz = tsc_khz();
	uint32_t sizes = cpu_leaf(proc_vm, 0x80000008, EAX), cache = cpu_leaf(proc_vm, 0x80000006, ECX) >> 16;
	const char *brand = name;

	vendor(id);
	model_name(name);
	brand += strspn(brand, " ");
	fprintf(out, "processor\t: %u\nvendor_id\t: %s\n", i, id);
	put_signature(out);
	fprintf(out, "model name\t: %s\nstepping\t: %u\nmicrocode\t: 0x1\ncpu MHz\t\t: %llu.%03llu\ncache size\t: %u KB\n",
		*brand ? brand : "unknown", cpu_leaf(proc_vm, 1, EAX) & 15, (unsigned long long)khz / 1000,
		(unsigned long long)khz % 1000, cache);
	fprintf(out, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\ninitial apicid\t: %u\n",
		n, i, n, i, i);
	fprintf(out, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n", cpu_leaf(proc_vm, 0, EAX));
	put_flags(out);
	fprintf(out, "bugs\t\t:\nbogomips\t: %llu.%02llu\nclflush size\t: %u\ncache_alignment\t: 64\n",
		(unsigned long long)khz / 500, (unsigned long long)khz / 5 % 100, (cpu_leaf(proc_vm, 1, EBX) >> 8 & 255) * 8);
	fprintf(out, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n", sizes & 255, sizes >> 8 & 255);
}

int proc_cpuinfo(const struct synth *s, FILE *out)
{
	unsigned int n = proc_vm->ncpus ? proc_vm->ncpus : 1;

	(void)s;
	for (unsigned int i = 0; i < n; i++)
		put_cpu(out, i, n);
	return 0;
}
