/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc and /sys of the machine that the program has: its limits, not the host's. */
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "nsec.h"
#include "options.h"
#include "proc.h"
#include "process.h"
#include "process_show.h"
#include "process_table.h"
#include "vm.h"

#define TICK	10000000ull	/* ns */

static unsigned int cpus(void)
{
	return proc_vm->ncpus ? proc_vm->ncpus : 1;
}

int proc_next_cpu(const struct synth *s, int from)
{
	(void)s;
	return from < (int)cpus() ? from : -1;
}

/* ------------------------------------------------------------- memory */

/* Bytes that the program has taken of what it may have. */
static uint64_t committed(void)
{
	uint64_t pages = READ_ONCE(proc_boot()->taken), most = proc_vm->mem_limit / ABI_PAGE;

	return (pages < most ? pages : most) * ABI_PAGE;
}

uint64_t proc_free_memory(void)
{
	return proc_vm->mem_limit - committed();
}

int proc_meminfo(const struct synth *s, FILE *out)
{
	uint64_t total = proc_vm->mem_limit, free = proc_free_memory(), used = total - free;
	const struct { const char *name; uint64_t bytes; } lines[] = {
		{ "MemTotal", total }, { "MemFree", free }, { "MemAvailable", free }, { "Buffers", 0 }, { "Cached", 0 },
		{ "SwapCached", 0 }, { "Active", used }, { "Inactive", 0 }, { "Active(anon)", used }, { "Inactive(anon)", 0 },
		{ "Active(file)", 0 }, { "Inactive(file)", 0 }, { "Unevictable", 0 }, { "Mlocked", 0 }, { "SwapTotal", 0 },
		{ "SwapFree", 0 }, { "Dirty", 0 }, { "Writeback", 0 }, { "AnonPages", used }, { "Mapped", 0 }, { "Shmem", 0 },
		{ "KReclaimable", 0 }, { "Slab", 0 }, { "SReclaimable", 0 }, { "SUnreclaim", 0 }, { "KernelStack", 0 },
		{ "PageTables", 0 }, { "NFS_Unstable", 0 }, { "Bounce", 0 }, { "WritebackTmp", 0 }, { "CommitLimit", total },
		{ "Committed_AS", used }, { "VmallocTotal", 1ull << 45 }, { "VmallocUsed", 0 }, { "VmallocChunk", 0 },
		{ "Percpu", 0 }, { "HardwareCorrupted", 0 }, { "AnonHugePages", 0 }, { "ShmemHugePages", 0 },
		{ "ShmemPmdMapped", 0 }, { "FileHugePages", 0 }, { "FilePmdMapped", 0 },
	};

	(void)s;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(out, "%s:%*llu kB\n", lines[i].name, (int)(23 - strlen(lines[i].name)),
			(unsigned long long)lines[i].bytes >> 10);
	fprintf(out, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\n"
		"Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	return 0;
}

int proc_vmstat(const struct synth *s, FILE *out)
{
	(void)s;
	fprintf(out, "nr_free_pages %llu\nnr_anon_pages %llu\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0\n"
		"oom_kill 0\n", (unsigned long long)(proc_free_memory() / ABI_PAGE), (unsigned long long)(committed() / ABI_PAGE));
	return 0;
}

int sys_memory_max(const struct synth *s, FILE *out)
{
	return (void)s, fprintf(out, "%llu\n", (unsigned long long)proc_vm->mem_limit), 0;
}

int sys_memory_current(const struct synth *s, FILE *out)
{
	return (void)s, fprintf(out, "%llu\n", (unsigned long long)committed()), 0;
}

/* ------------------------------------------------------------- time and load */

int proc_uptime(const struct synth *s, FILE *out)
{
	uint64_t up = boot_ns() / TICK, rest;
	struct cpu_times t;

	(void)s;
	process_cpu_times(cpus(), &t);
	rest = t.idle / TICK;
	fprintf(out, "%llu.%02llu %llu.%02llu\n", (unsigned long long)up / 100, (unsigned long long)up % 100,
		(unsigned long long)rest / 100, (unsigned long long)rest % 100);
	return 0;
}

int proc_loadavg(const struct synth *s, FILE *out)
{
	int last = 0;

	(void)s;
	for (int pid = process_next(0); pid >= 0; pid = process_next(pid + 1))
		last = pid;
	fprintf(out, "0.00 0.00 0.00 1/%u %d\n", process_count(), last);
	return 0;
}

int proc_stat(const struct synth *s, FILE *out)
{
	uint64_t user, system, rest, n = cpus();
	struct cpu_times t;

	(void)s;
	process_cpu_times(n, &t);
	user = t.user / TICK;
	system = t.system / TICK;
	rest = t.idle / TICK;
	fprintf(out, "cpu  %llu 0 %llu %llu 0 0 0 0 0 0\n", (unsigned long long)user, (unsigned long long)system,
		(unsigned long long)rest);
	for (uint64_t i = 0; i < n; i++)
		fprintf(out, "cpu%llu %llu 0 %llu %llu 0 0 0 0 0 0\n", (unsigned long long)i, (unsigned long long)(user / n),
			(unsigned long long)(system / n), (unsigned long long)(rest / n));
	fprintf(out, "intr 0\nctxt 0\nbtime %llu\nprocesses %llu\nprocs_running 1\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
		(unsigned long long)(clock_ns(CLOCK_REALTIME) / SECOND - boot_ns() / SECOND), (unsigned long long)process_made());
	return 0;
}

/* ------------------------------------------------------------- others */

static int put_uuid(FILE *out, uint8_t b[16])
{
	/* RFC 4122: a random one */
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++)
		fprintf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	fputc('\n', out);
	return 0;
}

int proc_uuid(const struct synth *s, FILE *out)
{
	uint8_t b[16] = { 0 };

	(void)s;
	getrandom(b, sizeof(b), 0);
	return put_uuid(out, b);
}

/* One for all of a run: made before there is a second process. */
static uint8_t boot_id[16];

/* The runner's, of which the kernel tells only by a change. */
static mode_t mask;

mode_t proc_umask(void)
{
	return mask;
}

mode_t proc_set_umask(mode_t to)
{
	mask = to;
	return umask(to);
}

void proc_init(void)
{
	mask = umask(0);
	umask(mask);
	getrandom(boot_id, sizeof(boot_id), 0);
}

int proc_boot_id(const struct synth *s, FILE *out)
{
	return (void)s, put_uuid(out, boot_id);
}

int proc_threads_max(const struct synth *s, FILE *out)
{
	return (void)s, fprintf(out, "%u\n", proc_vm->max_threads), 0;
}

int sys_pids_max(const struct synth *s, FILE *out)
{
	return (void)s, fprintf(out, "%u\n", proc_vm->config->procs), 0;
}

int sys_pids_current(const struct synth *s, FILE *out)
{
	return (void)s, fprintf(out, "%u\n", process_count()), 0;
}

int sys_cpus(const struct synth *s, FILE *out)
{
	(void)s;
	fprintf(out, cpus() > 1 ? "0-%u\n" : "0\n", cpus() - 1);
	return 0;
}

int sys_core_id(const struct synth *s, FILE *out)
{
	fprintf(out, "%d\n", s->id);
	return 0;
}
