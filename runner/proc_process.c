/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID: what of it is not about files (proc_files.c) or mappings (proc_maps.c). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdtable.h"
#include "interrupt.h"
#include "load.h"
#include "proc.h"
#include "proc_ask.h"
#include "proc_maps.h"
#include "process.h"
#include "process_show.h"
#include "process_table.h"
#include "terminal.h"
#include "thread.h"
#include "vcpu.h"
#include "vm.h"

#define STAT_SIGNALS 0x7fffffffu /* of sets of signals what /proc/PID/stat has: proc(5) */
#define TICK 10000000ull	/* ns of a clock tick, of which there are 100 in a second */

bool proc_is_self(int pid)
{
	return pid == process_pid();
}

gid_t proc_gid(void)
{
	return proc_vm->gid;
}

/* ------------------------------------------------------------- threads */

int proc_next_tid(const struct synth *s, int from)
{
	const struct vcpu *vcpu;
	int next = -1;

	if (!proc_is_self(s->pid))
		next = proc_ask_next(s, from);
	/* a zombie has its first one, and so has who cannot be asked */
	if (!proc_is_self(s->pid) || !thread_vcpu(0))
		return next >= 0 ? next : from <= s->pid ? s->pid : -1;
	for (uint32_t i = 0; (vcpu = thread_vcpu(i)); i++) {
		int tid = vcpu->guest_tid;

		if (!vcpu->parked && tid >= from && (next < 0 || tid < next))
			next = tid;
	}
	return next;
}

int proc_next_pid(const struct synth *s, int from)
{
	(void)s;
	return from <= GUEST_PPID ? GUEST_PPID : process_next(from);
}

/* This thread's vCPU; NULL: another process asks. */
static const struct vcpu *own_vcpu(void)
{
	const struct vcpu *vcpu;

	for (uint32_t i = 0; (vcpu = thread_vcpu(i)); i++)
		if (vcpu->tid == gettid())
			break;
	return vcpu;
}

uint32_t proc_own_tid(void)
{
	const struct vcpu *vcpu = own_vcpu();

	return vcpu ? vcpu->guest_tid : (uint32_t)process_pid();
}

/* For another process: who is not in a call, which most likely waits. */
static char thread_state(const struct vcpu *vcpu)
{
	return proc_self && READ_ONCE(proc_self->stopped) ? 'T' : vcpu && vcpu->inside ? 'R' : 'S';
}

/* What a node is about: a process, or a thread of it. */
struct subject {
	struct process_view v;
	bool thread;		/* below task */
	int id;
};

static int view(const struct synth *s, struct subject *of)
{
	const struct vcpu *vcpu;
	uint64_t used;

	if (process_view(s->pid, &of->v) < 0)
		return -ESRCH;
	of->thread = strstr(s->row->path, "/task/");
	of->id = of->thread ? s->id : s->pid;
	if (of->v.self && !own_vcpu())
		of->v.state = thread_state(thread_find(s->pid));
	if (!of->thread || !of->v.self)
		return 0;
	vcpu = thread_find(s->id);
	if (!vcpu)
		return -ESRCH;
	process_thread_name(s->id, of->v.comm);
	if (vcpu->tid && (used = proc_cpu(vcpu->tid, CPU_OF_THREAD))) {
		of->v.user = used - vcpu->cpu_before;
		of->v.system = 0;
	}
	of->v.state = vcpu->tid == gettid() ? 'R' : thread_state(vcpu);
	return 0;
}

/* ------------------------------------------------------------- memory, in pages */

struct sizes {
	uint64_t total, stack, code, data, libs, resident, shared;
};

/* Of the calling process: from what the shim tells. False: it has to be asked first. */
static bool measure(struct sizes *z)
{
	const struct mappings *all = mappings_told();
	uint64_t resident = READ_ONCE(proc_boot()->resident);

	*z = (struct sizes){ 0 };
	if (!all)
		return false;
	for (size_t i = 0; i < all->count; i++) {
		const struct abi_mapping *m = &all->mapping[i];
		uint64_t n = m->end > m->start ? (m->end - m->start) / ABI_PAGE : 0;

		z->total += n;
		if (m->flags & ABI_MAP_GROWSDOWN)
			z->stack += n;
		else if (m->prot & PROT_EXEC)
			*(m->at ? &z->libs : &z->code) += n;
		else if (m->prot & PROT_WRITE && !(m->flags & ABI_MAP_SHARED))
			z->data += n;
		if (m->at)
			z->shared += n;
	}
	z->resident = resident < z->total ? resident : z->total;
	if (z->shared > z->resident)
		z->shared = z->resident;
	return true;
}

int proc_statm(const struct synth *s, FILE *out)
{
	struct sizes z = { 0 };

	if (proc_is_self(s->pid) && !measure(&z))
		return SYNTH_MAPPINGS;
	fprintf(out, "%llu %llu %llu %llu 0 %llu 0\n", (unsigned long long)z.total, (unsigned long long)z.resident,
		(unsigned long long)z.shared, (unsigned long long)z.code, (unsigned long long)(z.data + z.stack));
	return 0;
}

/* ------------------------------------------------------------- stat and status */

/* As it does not break a line. */
static void put_name(FILE *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '\n' || *name == '\\')
			fputc('\\', out);
		fputc(*name == '\n' ? 'n' : *name, out);
	}
}

/* What a thread's frame says of it, within what there is. */
static struct abi_sched sched_of(const struct subject *of)
{
	const struct vcpu *vcpu = of->v.self ? thread_find(of->id) : NULL;
	struct abi_sched sched = { 0 };

	if (!vcpu)
		return sched;
	sched = vcpu->frame->sched;
	sched.policy %= 7;
	sched.nice %= 21;
	return sched;
}

/* What the shim says of a thread's signals, and of its process's; bit signal - 1, in the order of a status. */
struct signals {
	uint64_t pending, shared_pending, blocked, ignored, caught;
};

static struct signals signals_of(const struct subject *of)
{
	const struct abi_boot *boot = proc_boot();
	const struct vcpu *vcpu = thread_find(of->id);
	struct signals s = { .ignored = READ_ONCE(boot->ignored), .caught = READ_ONCE(boot->signals_caught) };

	s.shared_pending = READ_ONCE(boot->signals_pending);
	/* what is on its way to a shim that stands still; and, not to be dropped there, is pending */
	s.shared_pending |= interrupt_queued() & ~(s.ignored | (ABI_NO_ACTION & ~s.caught));
	if (vcpu) {
		s.pending = READ_ONCE(vcpu->frame->signals_pending);
		s.blocked = READ_ONCE(vcpu->frame->signals_blocked);
	}
	return s;
}

int proc_process_stat(const struct synth *s, FILE *out)
{
	struct sizes z = { 0 };
	struct subject of;
	const struct process_view *v = &of.v;
	struct rusage usage = { 0 };
	struct abi_sched sched;
	struct signals signals = { 0 };
	int err = view(s, &of);

	if (err)
		return err;
	sched = sched_of(&of);
	if (v->self && !measure(&z))
		return SYNTH_MAPPINGS;
	if (v->self) {
		getrusage(RUSAGE_SELF, &usage);
		signals = signals_of(&of);
	}
	fprintf(out, "%d (", of.id);
	put_name(out, v->comm);
	fprintf(out, ") %c %d %d %d %d -1 4194304 ", v->state, v->ppid, v->pgid, v->sid,
		v->tty > 0 ? (int)makedev(136, v->tty % PTYS) : 0);
	fprintf(out, "%ld 0 %ld 0 %llu %llu %llu %llu %d %d %u 0 ", usage.ru_minflt, usage.ru_majflt,
		(unsigned long long)(v->user / TICK), (unsigned long long)(v->system / TICK),
		(unsigned long long)(v->children_user / TICK), (unsigned long long)(v->children_system / TICK),
		20 + sched.nice, sched.nice, v->self ? threads_count() : 1);
	fprintf(out, "%llu %llu %llu %llu ", (unsigned long long)(v->started / TICK), (unsigned long long)(z.total * ABI_PAGE),
		(unsigned long long)z.resident, ULLONG_MAX);
	/* where its code begins and ends is not told; where its stack does is */
	fprintf(out, "1 1 %llu 0 0 %u %u %u %u 0 0 0 17 0 0 %u 0 0 0 0 0 0 0 0 0 0 0\n",
		v->self ? (unsigned long long)proc_vm->stack : 0, (uint32_t)signals.pending & STAT_SIGNALS,
		(uint32_t)signals.blocked & STAT_SIGNALS, (uint32_t)signals.ignored & STAT_SIGNALS,
		(uint32_t)signals.caught & STAT_SIGNALS, sched.policy);
	return 0;
}

static const char *state_name(char state)
{
	return state == 'R' ? "R (running)" : state == 'S' ? "S (sleeping)" : state == 'T' ? "T (stopped)" : "Z (zombie)";
}

static void put_sizes(FILE *out, const struct sizes *z)
{
	const struct { const char *name; uint64_t pages; } lines[] = {
		{ "VmPeak", z->total }, { "VmSize", z->total }, { "VmLck", 0 }, { "VmPin", 0 }, { "VmHWM", z->resident },
		{ "VmRSS", z->resident }, { "RssAnon", z->resident - z->shared }, { "RssFile", z->shared },
		{ "RssShmem", 0 }, { "VmData", z->data }, { "VmStk", z->stack }, { "VmExe", z->code }, { "VmLib", z->libs },
		{ "VmPTE", 1 + z->resident / 512 }, { "VmSwap", 0 }, { "HugetlbPages", 0 },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(out, "%s:\t%8llu kB\n", lines[i].name, (unsigned long long)lines[i].pages * 4);
	fprintf(out, "CoreDumping:\t0\nTHP_enabled:\t1\n");
}

/* The set of n CPUs without some, as a mask and as a list; calls know no more than 64. */
static void put_cpus(FILE *out, unsigned int n, uint64_t without)
{
	uint64_t set = (n < 64 ? (1ull << n) - 1 : UINT64_MAX) & ~without;
	const char *between = "";

	fprintf(out, "Cpus_allowed:\t");
	if (n > 32)
		fprintf(out, "%08x,%08x", (uint32_t)(set >> 32), (uint32_t)set);
	else
		fprintf(out, "%x", (uint32_t)set);
	fprintf(out, "\nCpus_allowed_list:\t");
	for (unsigned int i = 0, first; i < 64; i++) {
		if (!(set >> i & 1))
			continue;
		for (first = i; i < 63 && set >> (i + 1) & 1;)
			i++;
		fprintf(out, first < i ? "%s%u-%u" : "%s%u", between, first, i);
		between = ",";
	}
	fprintf(out, "\n");
}

int proc_status(const struct synth *s, FILE *out)
{
	uint32_t uid = s->pid == GUEST_PPID ? 0 : process_uid(), gid = s->pid == GUEST_PPID ? 0 : proc_gid();
	struct sizes z = { 0 };
	struct signals signals = { 0 };
	struct subject of;
	const struct process_view *v = &of.v;
	int err = view(s, &of);

	if (err)
		return err;
	if (v->self && !measure(&z))
		return SYNTH_MAPPINGS;
	if (v->self)
		signals = signals_of(&of);
	fprintf(out, "Name:\t");
	put_name(out, v->comm);
	fprintf(out, "\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
		proc_umask(), state_name(v->state), v->pid, of.id, v->ppid);
	fprintf(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", uid, uid, uid, uid, gid, gid, gid, gid);
	fprintf(out, "FDSize:\t%u\nGroups:\t \nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", v->self ? fd_room() : 64,
		v->pid, of.id, v->pgid, v->sid);
	if (v->self)
		put_sizes(out, &z);
	fprintf(out, "Threads:\t%u\nSigQ:\t0/1024\n", v->self ? threads_count() : 1);
	fprintf(out, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
		(unsigned long long)signals.pending, (unsigned long long)signals.shared_pending,
		(unsigned long long)signals.blocked, (unsigned long long)signals.ignored, (unsigned long long)signals.caught);
	fprintf(out, "CapInh:\t%016x\nCapPrm:\t%016x\nCapEff:\t%016x\nCapBnd:\t%016x\nCapAmb:\t%016x\n", 0, 0, 0, 0, 0);
	fprintf(out, "NoNewPrivs:\t1\nSeccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\tvulnerable\n"
		"SpeculationIndirectBranch:\tconditional enabled\n");
	put_cpus(out, proc_vm->ncpus ? proc_vm->ncpus : 1, sched_of(&of).not_on);
	fprintf(out, "Mems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n");
	return 0;
}

int proc_children_list(const struct synth *s, FILE *out)
{
	struct process_view v;

	if (s->id != s->pid)
		return 0;
	for (int pid = process_next(0); pid >= 0; pid = process_next(pid + 1))
		if (process_view(pid, &v) == 0 && v.ppid == s->pid)
			fprintf(out, "%d ", pid);
	return 0;
}

/* ------------------------------------------------------------- names and arguments */

int proc_comm(const struct synth *s, FILE *out)
{
	struct subject of;
	int err = view(s, &of);

	if (!err)
		fprintf(out, "%s\n", of.v.comm);
	return err;
}

/* As the kernel takes it: what fits, with any line end that is written along. */
int proc_comm_store(const struct synth *s, const char *text, size_t n)
{
	bool thread = strstr(s->row->path, "/task/");

	(void)n;
	if (!proc_is_self(s->pid))
		return -EINVAL;
	return process_name_thread(thread ? s->id : s->pid, text) ? 0 : -ESRCH;
}

/* What the kernel reckons with when memory is short: here each process's own. */
static int oom_score_adj;

int proc_oom_score_adj(const struct synth *s, FILE *out)
{
	fprintf(out, "%d\n", proc_is_self(s->pid) ? oom_score_adj : 0);
	return 0;
}

int proc_oom_score_adj_store(const struct synth *s, const char *text, size_t n)
{
	char *end;
	long value = strtol(text, &end, 10);

	(void)n;
	if (end == text || (*end && *end != '\n') || value < -1000 || value > 1000)
		return -EINVAL;
	/* below what it was: proc(5), CAP_SYS_RESOURCE */
	if (!proc_is_self(s->pid) || value < oom_score_adj)
		return -EACCES;
	oom_score_adj = value;
	return 0;
}

/* Which mappings a core dump would have, core(5): kept, though there are none. */
static unsigned long coredump_filter = 0x33;

int proc_coredump_filter(const struct synth *s, FILE *out)
{
	fprintf(out, "%08lx\n", proc_is_self(s->pid) ? coredump_filter : 0x33);
	return 0;
}

int proc_coredump_filter_store(const struct synth *s, const char *text, size_t n)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	(void)n;
	if (end == text || (*end && *end != '\n') || value > UINT32_MAX || strchr(text, '-'))
		return -EINVAL;
	if (!proc_is_self(s->pid))
		return -EACCES;
	coredump_filter = value & 0x1ff;
	return 0;
}

int proc_process_cmdline(const struct synth *s, FILE *out)
{
	size_t room = proc_is_self(s->pid) && proc_vm->args_len > SHOWN ? proc_vm->args_len : SHOWN, n;
	char *text = malloc(room + 1);

	if (!text)
		return -ENOMEM;
	n = process_cmdline(s->pid, text, room);
	fwrite(text, 1, n, out);
	free(text);
	return 0;
}

/* What the program's stack had at its start, as it is there now. */
static int put_guest(FILE *out, gpa_t at, uint64_t n)
{
	const void *p = guest_ptr(proc_vm, at, n);

	if (p)
		fwrite(p, 1, n, out);
	return 0;
}

int proc_environ(const struct synth *s, FILE *out)
{
	return (void)s, put_guest(out, proc_vm->env, proc_vm->env_len);
}

int proc_auxv(const struct synth *s, FILE *out)
{
	return (void)s, put_guest(out, proc_vm->auxv, proc_vm->auxv_len);
}

/* Calls are counted by the shim, and what the host has read and written for them is its own count. */
int proc_personality(const struct synth *s, FILE *out)
{
	(void)s;
	fprintf(out, "%08x\n", READ_ONCE(proc_boot()->kept.personality));
	return 0;
}

int proc_io(const struct synth *s, FILE *out)
{
	static const int reads[] = { SYS_read, SYS_pread64, SYS_readv, SYS_preadv, SYS_preadv2 };
	static const int writes[] = { SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev, SYS_pwritev2 };
	uint64_t r = 0, w = 0;
	struct rusage usage = { 0 };

	(void)s;
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		r += READ_ONCE(proc_boot()->calls[reads[i]]);
		w += READ_ONCE(proc_boot()->calls[writes[i]]);
	}
	getrusage(RUSAGE_SELF, &usage);
	fprintf(out, "rchar: %lu\nwchar: %lu\nsyscr: %llu\nsyscw: %llu\nread_bytes: %lu\nwrite_bytes: %lu\n"
		"cancelled_write_bytes: 0\n", usage.ru_inblock * 512, usage.ru_oublock * 512, (unsigned long long)r,
		(unsigned long long)w, usage.ru_inblock * 512, usage.ru_oublock * 512);
	return 0;
}

/* No entry tells where a page is: as before Linux 4.2, only the privileged may look. */
int proc_pagemap(const struct synth *s, FILE *out)
{
	return (void)s, (void)out, -EPERM;
}

/* ------------------------------------------------------------- limits */

static void put_limit(FILE *out, uint64_t value)
{
	if (value == UINT64_MAX)
		fprintf(out, "%-20s ", "unlimited");
	else
		fprintf(out, "%-20llu ", (unsigned long long)value);
}

int proc_limits(const struct synth *s, FILE *out)
{
	static const struct { const char *name, *unit; unsigned int number; } lines[] = {
		{ "Max cpu time", "seconds", RLIMIT_CPU }, { "Max file size", "bytes", RLIMIT_FSIZE },
		{ "Max data size", "bytes", RLIMIT_DATA }, { "Max stack size", "bytes", RLIMIT_STACK },
		{ "Max core file size", "bytes", RLIMIT_CORE }, { "Max resident set", "bytes", RLIMIT_RSS },
		{ "Max processes", "processes", RLIMIT_NPROC }, { "Max open files", "files", RLIMIT_NOFILE },
		{ "Max locked memory", "bytes", RLIMIT_MEMLOCK }, { "Max address space", "bytes", RLIMIT_AS },
		{ "Max file locks", "locks", RLIMIT_LOCKS }, { "Max pending signals", "signals", RLIMIT_SIGPENDING },
		{ "Max msgqueue size", "bytes", RLIMIT_MSGQUEUE }, { "Max nice priority", "", RLIMIT_NICE },
		{ "Max realtime priority", "", RLIMIT_RTPRIO }, { "Max realtime timeout", "us", RLIMIT_RTTIME },
	};
	const struct abi_boot *boot = proc_boot();

	(void)s;
	fprintf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		fprintf(out, "%-25s ", lines[i].name);
		put_limit(out, READ_ONCE(boot->limit[lines[i].number].soft));
		put_limit(out, READ_ONCE(boot->limit[lines[i].number].hard));
		fprintf(out, *lines[i].unit ? "%-10s\n" : "\n", lines[i].unit);
	}
	return 0;
}
