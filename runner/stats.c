/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "end.h"
#include "limit.h"
#include "logfile.h"
#include "msg.h"
#include "nsec.h"
#include "options.h"
#include "process.h"
#include "stats.h"
#include "table.h"
#include "thread.h"
#include "vcpu.h"
#include "vm.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int out = -1;
static struct counts sum;	/* of what this process has run so far */
static uint64_t start;	/* of the run, ns */

void stats_start(void)
{
	start = clock_ns(CLOCK_MONOTONIC);
}

void stats_open(const struct config *config)
{
	if (!config->stats)
		return;
	/* jansson opens /dev/urandom for its seed, which the jail will not let it do later */
	json_object_seed(0);
	out = STDERR_FILENO;
	if (!config->stats_file)
		return;
	out = logfile_open(config, config->stats_file, "--stats");
}

static uint64_t wall_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC) - start;
}

/* Calls by name, those that were made. */
static json_t *by_name(const uint64_t *count)
{
	json_t *o = json_object();

	for (uint32_t nr = 0; nr < ABI_CALLS; nr++) {
		uint64_t n = count[nr];

		if (n && call_name(nr))
			json_object_set_new(o, call_name(nr), json_integer(n & INT64_MAX));
	}
	return o;
}

static json_t *exits(void)
{
	json_t *o = json_object();

	for (uint32_t i = 0; i < COUNT(sum.exits); i++)
		if (sum.exits[i])
			json_object_set_new(o, vcpu_exit_name(i), json_integer(sum.exits[i]));
	if (sum.interrupted)
		json_object_set_new(o, "interrupted", json_integer(sum.interrupted));
	return o;
}

static json_t *ending(struct end e)
{
	json_t *o = json_object();

	json_object_set_new(o, "cause", json_string(end_name(e.cause)));
	json_object_set_new(o, "status", json_integer(e.status));
	if (e.signal)
		json_object_set_new(o, "signal", json_integer(e.signal));
	return o;
}

/* Those that the program was told of by an error, and how often. */
static json_t *limits(void)
{
	json_t *o = json_object();

	for (enum limit limit = 0; limit < LIMITS; limit++)
		if (limit_count(limit))
			json_object_set_new(o, limit_name(limit), json_integer(limit_count(limit) & INT64_MAX));
	return o;
}

/* A path, in which the program may have anything: as a message shows it. JSON has no bytes that are not UTF-8. */
static json_t *path(const char *s)
{
	char quoted[PATH_MAX];

	msg_quote(quoted, sizeof(quoted), s, strlen(s));
	return json_string(quoted);
}

static const char *mode_name(enum abi_mode mode)
{
	return mode == ABI_MODE_KERNEL ? "kernel" : mode == ABI_MODE_USER ? "user" : "none";
}

void stats_gather(const struct vm *vm)
{
	struct abi_boot *boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));
	struct vcpu *v;

	for (uint32_t n = 0; (v = thread_vcpu(n)); n++) {
		sum.vcpus++;
		sum.runs += v->runs;
		sum.ioctls += v->ioctls;
		sum.interrupted += v->interrupted;
		for (uint32_t i = 0; i < COUNT(sum.exits); i++)
			sum.exits[i] += v->exits[i];
		for (uint32_t i = 0; i < ABI_CALLS; i++)
			sum.calls[i] += v->calls[i];
		vcpu_anew(v);
	}
	limits_gather(vm);
	/* guest memory: its numbers are printed, not trusted */
	for (uint32_t i = 0; i < ABI_CALLS; i++)
		sum.shim[i] += READ_ONCE(boot->calls[i]);
}

void stats_forked(void)
{
	memset(&sum, 0, sizeof(sum));
}

void stats_add(struct counts *to, const struct counts *from)
{
	uint64_t *n = (uint64_t *)to;
	const uint64_t *more = (const uint64_t *)from;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*n); i++)
		n[i] += more[i];
}

struct counts *stats_sum(void)
{
	return &sum;
}

/* The CPU time of this process, or of those that it has waited for. */
static void add_times(int who, uint64_t *user, uint64_t *system)
{
	struct rusage use;

	getrusage(who, &use);
	*user += ns_of_timeval(use.ru_utime);
	*system += ns_of_timeval(use.ru_stime);
}

/* There is one text, whoever comes to write it first. */
static bool claim(void)
{
	static bool claimed;

	return !__atomic_exchange_n(&claimed, true, __ATOMIC_SEQ_CST);
}

void stats_write(const struct vm *vm, struct end end)
{
	uint64_t user = 0, system = 0;
	struct rusage use;
	json_t *o;

	if (out < 0)
		return;
	/* who has it ends the process */
	while (!claim())
		pause();
	o = json_object();
	getrusage(RUSAGE_SELF, &use);
	add_times(RUSAGE_SELF, &user, &system);
	add_times(RUSAGE_CHILDREN, &user, &system);
	json_object_set_new(o, "program", path(vm->program));
	json_object_set_new(o, "device", path(vm->device_path));
	json_object_set_new(o, "mode", json_string(mode_name(vm->mode)));
	json_object_set_new(o, "end", ending(end));
	json_object_set_new(o, "limits", limits());
	json_object_set_new(o, "wall_ns", json_integer(wall_ns()));
	json_object_set_new(o, "user_ns", json_integer(user));
	json_object_set_new(o, "system_ns", json_integer(system));
	/* of those, too, that nobody waited for */
	json_object_set_new(o, "cpu_ns", json_integer(process_cpu_ns()));
	json_object_set_new(o, "peak_bytes", json_integer(use.ru_maxrss * 1024ll));
	json_object_set_new(o, "processes", json_integer(1 + sum.processes));
	json_object_set_new(o, "vcpus", json_integer(sum.vcpus));
	json_object_set_new(o, "runs", json_integer(sum.runs));
	json_object_set_new(o, "ioctls", json_integer(sum.ioctls));
	json_object_set_new(o, "exits", exits());
	json_object_set_new(o, "forwarded", by_name(sum.calls));
	json_object_set_new(o, "shim", by_name(sum.shim));
	if (json_dumpfd(o, out, JSON_INDENT(2)) < 0 || write(out, "\n", 1) != 1)
		msg("cannot write --stats: %m");
	json_decref(o);
	logfile_close(out);
}

bool stats_forced(const char *program, struct end end, uint64_t cpu_ns)
{
	char quoted[1024], name[2 * sizeof(quoted)], text[sizeof(name) + 256], *to = name;
	int n;

	if (out < 0)
		return true;
	if (!claim())
		return false;
	msg_quote(quoted, sizeof(quoted), program, strlen(program));
	for (const char *s = quoted; *s; *to++ = *s++)
		if (*s == '"' || *s == '\\')
			*to++ = '\\';
	*to = '\0';
	n = snprintf(text, sizeof(text), "{\n  \"program\": \"%s\",\n  \"end\": {\n    \"cause\": \"%s\",\n    \"status\": %d\n  },\n"
		     "  \"wall_ns\": %llu,\n  \"cpu_ns\": %llu\n}\n", name, end_name(end.cause), end.status,
		     (unsigned long long)wall_ns(), (unsigned long long)cpu_ns);
	if (write(out, text, n) != n)
		msg("cannot write --stats: %m");
	return true;
}
