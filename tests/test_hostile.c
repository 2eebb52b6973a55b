/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that try what they must not: each gets a signal, or meets a limit,
 * or is ended with its reason on one line; the runner itself never dies by a
 * signal and never hangs, and nothing outside the grants is touched.
 */
#define _GNU_SOURCE
#include "lib/harness.h"
#include "lib/tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HOSTILE "build/guest/hostile"
#define SHIM "build/guest/hostile_shim"

static bool shim_is_programs;	/* the shim runs at CPL 3: its pages and its port are the program's */

/* The runner ended by itself, with a status that the manual has for this. */
static void assert_intact(const struct run_result *r)
{
	if (r->hung || r->signal || (r->status > 0 && r->status < 124) || r->status > 128 + 64) {
		run_show("kvmrun", r);
		fail_msg("the runner did not outlive its guest");
	}
}

static struct run_result attempt(const char *name, const char *argument)
{
	struct run_result r = run_kvmrun(LIST("--timeout", run_slow() ? "60" : "5"), LIST(HOSTILE, name, argument));

	assert_intact(&r);
	return r;
}

/* ------------------------------------------------ instructions */

static void threat_29_instructions_of_the_kernel_are_what_they_are_natively(void **state)
{
	static const char *const names[] = {
		"hlt", "cli", "sti", "cli_hlt", "rdmsr", "wrmsr", "xsetbv", "mov_cr0", "mov_to_cr0", "mov_cr3",
		"mov_to_cr3", "mov_cr4", "mov_cr8", "mov_dr7", "mov_to_dr7", "clts", "invd", "wbinvd", "invlpg",
		"lgdt", "lidt", "ltr", "lldt", "lmsw", "swapgs", "sysretq", "ud2", "int3", "int_0x20",
		"int_0x0e", "int_8", "kernel_ss", "iopl", "mov_ss_int3", "mov_ss_syscall", "rdtsc",
		"xgetbv", "recursion", "syscall_at_the_end",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct run_result r = run_same(NULL, LIST(HOSTILE, names[i]));

		assert_true(r.signal || r.status == 0);
		run_free(&r);
	}
}

/* Which of the two signals depends on the CPU; natively some are Linux's ways in for 32-bit programs. */
static void what_a_guest_cpu_lacks_is_a_signal(void **state)
{
	static const char *const names[] = {
		"rdpmc", "sysexit", "monitor", "mwait", "vmxoff", "vmlaunch", "vmrun", "clgi", "skinit", "encls", "int_0x80",
		"sysenter", "far_32", "far_gate",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct run_result r = attempt(names[i], NULL);

		if (r.status != 128 + SIGILL && r.status != 128 + SIGSEGV)
			run_show("kvmrun", &r);
		assert_true(r.status == 128 + SIGILL || r.status == 128 + SIGSEGV);
		assert_err(&r, "");
		run_free(&r);
	}
}

/*
 * QEMU's IRET (7.2) reads the program's stack as if it were the kernel: that
 * faults for ever here, and kills a Linux on which a program does it.
 */
static void no_return_leads_to_the_kernels_selectors(void **state)
{
	struct run_result r = run_kvmrun(LIST("--timeout", run_slow() ? "5" : "1"), LIST(HOSTILE, "kernel_cs"));

	(void)state;
	assert_status(&r, run_slow() && r.status == 124 ? 124 : 128 + SIGSEGV);
	run_free(&r);
}

/* The CPU's own answer to it at CPL 3 is a fault or an error code. */
static void a_hypercall_of_the_program_does_nothing(void **state)
{
	static const char *const names[] = { "vmcall", "vmmcall" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct run_result r = attempt(names[i], NULL);

		assert_true(r.status == 0 || r.status == 128 + SIGILL || r.status == 128 + SIGSEGV);
		assert_err(&r, "");
		run_free(&r);
	}
}

static void threat_27_cpuid_shows_no_virtualization_and_no_enclaves(void **state)
{
	struct run_result r = attempt("show_cpuid", NULL);

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "vmx 0 monitor 0 smx 0\nsgx 0\nsvm 0\nsev 0\n");
	run_free(&r);
}

/* ------------------------------------------------ ports */

static void threat_04_each_access_to_a_port_is_a_fault(void **state)
{
	static const char *const names[] = { "in_al", "in_ax", "in_eax", "out_al", "out_ax", "out_eax", "rep_ins",
					     "rep_outs" };
	static const char *const ports[] = { "0", "0x20", "0x60", "0x80", "0xcf8", "0x3f8", "0x5658", "0xffff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t k = i % 2; k < ARRAY_SIZE(ports); k += 2) {
			struct run_result r = attempt(names[i], ports[k]);

			assert_status(&r, 128 + SIGSEGV);
			assert_err(&r, "");
			run_free(&r);
		}
}

static void threat_27_no_port_of_all_is_open(void **state)
{
	/* each fault is a signal there and back: an emulated machine takes every 61st port */
	struct run_result r = run_kvmrun(NULL, LIST(HOSTILE, "sweep_ports", run_slow() ? "61" : "1"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "open 0\n");
	run_free(&r);
}

/* The shim's way to the runner. The program's own use of it is a fault, or is served, or ends it. */
static void the_shims_port_serves_nobody_else(void **state)
{
	static const struct { const char *name, *port, *reason; } cases[] = {
		{ "in_eax", "0xe0", "a read of 4 bytes, 1 times, at port 0xe0: there is nothing" },
		{ "in_al", "0xe0", "a read of 1 bytes, 1 times, at port 0xe0: there is nothing" },
		{ "out_al", "0xe0", "a write of 1 bytes, 1 times, at port 0xe0: there is nothing" },
		{ "out_ax", "0xe0", "a write of 2 bytes, 1 times, at port 0xe0: there is nothing" },
		{ "out_al", "0xe3", "a write of 1 bytes, 1 times, at port 0xe3: there is nothing" },
		{ "rep_ins", "0xe0", "at port 0xe0: there is nothing" },
		{ "out_eax", "0xe0", NULL },	/* the last frame once more, or ... */
		{ "rep_outs", "0xe0", NULL },	/* ... sixteen times */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run_result r = attempt(cases[i].name, cases[i].port);

		if (!shim_is_programs) {
			assert_status(&r, 128 + SIGSEGV);
			assert_err(&r, "");
		} else if (cases[i].reason) {
			assert_status(&r, 125);
			assert_err_line(&r, "ended by kvmrun: ");
			assert_err_line(&r, cases[i].reason);
		}
		run_free(&r);
	}
}

/* ------------------------------------------------ addresses */

static void addresses_that_are_nobodys_are_faults(void **state)
{
	static const struct { const char *name, *address; } cases[] = {
		{ "read_at", "0" }, { "write_at", "0" }, { "jump_to", "0" }, { "read_at", "0xffff" },
		{ "read_at", "0x7ffffffff000" }, { "read_at", "0x800000000000" }, { "write_at", "0x800000000000" },
		{ "jump_to", "0x800000000000" }, { "jump_to", "0x8000000000000000" },
		{ "read_at", "0xffffffffff600000" }, { "jump_to", "0xffffffffff600000" },	/* vsyscall */
		{ "read_at", "0xffffffffffffffff" }, { "jump_to", "0xfffffffffffffffe" },
		{ "jump_to", "0xffff888000010000" }, { "write_at", "0xffffffff80000000" },
		{ "sigreturn_to", "0x800000000000" }, { "sigreturn_to", "0xffff888000010000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run_result r = attempt(cases[i].name, cases[i].address);

		assert_status(&r, 128 + SIGSEGV);
		assert_err(&r, "");
		run_free(&r);
	}
}

static void the_shims_addresses_are_faults_or_hurt_only_the_guest(void **state)
{
	static const struct { const char *name, *address; } cases[] = {
		{ "read_at", "0xffffffff80000000" }, { "read_at", "0xffff888000000000" },
		{ "read_at", "0xffff888000001000" }, { "write_at", "0xffff888000001000" },
		{ "write_at", "0xffff888000010000" }, { "jump_to", "0xffffffff80000000" },
		{ "jump_to", "0xffffffff80000040" }, { "sigreturn_to", "0xffffffff80000040" },
		{ "jump_to", "0xffffffff80000400" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run_result r = attempt(cases[i].name, cases[i].address);

		if (!shim_is_programs)
			assert_status(&r, 128 + SIGSEGV);
		if (r.status == 124 || r.status == 125)
			assert_err_line(&r, "kvmrun: build/guest/hostile: ");
		else
			assert_err(&r, "");
		run_free(&r);
	}
}

/* ------------------------------------------------ what never ends by itself */

static void threat_23_the_time_limit_ends_storms_and_loops(void **state)
{
	static const char *const names[] = {
		"loop", "loop_pause", "loop_call", "loop_forward", "loop_clone", "loop_unknown", "loop_stop", "loop_map", "loop_rep",
		"loop_walk", "loop_deaf", "storm_ud2", "storm_fault", "storm_port", "storm_divide", "storm_int3",
		"storm_step", "storm_align",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct run_result r = run_kvmrun(LIST("--timeout", "600ms", "--procs", "8"), LIST(HOSTILE, names[i]));

		assert_status(&r, 124);
		assert_out(&r, "");
		assert_err_line(&r, "kvmrun: build/guest/hostile: time limit of 600ms reached (--timeout)");
		/* within 100 ms when the machine is idle; tests share theirs */
		if (r.wall > 1.5 && !run_slow()) {
			run_show("kvmrun", &r);
			fail_msg("the limit of 0.6 s came after %.2f s", r.wall);
		}
		run_free(&r);
	}
}

/* The number behind the first "key": in a line of --stats. */
static double stat_of(const struct run_result *r, const char *key)
{
	char quoted[64];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
	at = strstr(r->err, quoted);
	return at ? strtod(at + strlen(quoted), NULL) : -1;
}

/* The kernel's log, or nothing where it may not be read: then it is not what is looked at. */
static size_t log_length(void)
{
	struct run_result r = run_native(NULL, LIST("dmesg"));
	size_t len = r.status ? 0 : r.out_len;

	run_free(&r);
	return len;
}

/* As many calls as there can be: the program's CPU time counts them, and nothing is said of each. */
static void threat_05_a_flood_of_exits_is_charged_and_logged_nowhere(void **state)
{
	size_t before = log_length(), lines = 0;
	struct run_result r = run_kvmrun(LIST("--timeout", "2", "--explain", "--stats"), LIST(HOSTILE, "loop_forward"));
	double cpu = stat_of(&r, "user_ns") + stat_of(&r, "system_ns");

	(void)state;
	assert_status(&r, 124);
	for (const char *s = r.err; *s && *s != '{'; s++)
		lines += *s == '\n';
	assert_true(lines <= 2);
	assert_true(stat_of(&r, "runs") > 1000);
	/* the guest does nothing else, but others may have the CPU, too */
	assert_true(cpu > 0.1 * stat_of(&r, "wall_ns"));
	assert_int_equal(log_length(), before);
	run_free(&r);
}

/* Time in exits is the program's, whoever spends it; --timeout would come much later. */
static void threat_05_a_flood_of_exits_is_ended_by_cpu_time(void **state)
{
	const char *limit = run_slow() ? "4" : "1";
	struct run_result r = run_kvmrun(LIST("--timeout", "100", "--cpu-time", limit, "--stats"), LIST(HOSTILE, "loop_forward"));
	double late = stat_of(&r, "cpu_ns") / 1e9 - atof(limit);
	char line[96];

	(void)state;
	snprintf(line, sizeof(line), "kvmrun: " HOSTILE ": CPU time limit of %ss reached (--cpu-time)\n", limit);
	assert_status(&r, 124);
	assert_int_equal(strncmp(r.err, line, strlen(line)), 0);
	assert_true(stat_of(&r, "runs") > 1000);
	if (late < 0 || late > 0.1 * run_slowness())
		fail_msg("%.3f s late", late);
	run_free(&r);
}

/* ------------------------------------------------ the shim's pages */

/* How long noise may go on: where the shim is out of its reach the guest ends by itself. */
static const char *noise_limit(void)
{
	return shim_is_programs ? "--timeout=500ms" : "--timeout=300";
}

static void assert_ended(const struct run_result *r)
{
	if (!shim_is_programs) {
		assert_status(r, 128 + SIGSEGV);
		assert_err(r, "");
	}
	assert_intact(r);
}

static void threat_10_page_tables_that_lead_out_of_memory_end_the_guest(void **state)
{
	static const char *const addresses[] = { "0x100000000000", "0xfee00000", "0x200000000", "0xffffffffff000" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct run_result r = run_kvmrun(LIST("--mem=64M", "--timeout=20"), LIST(SHIM, "tables", addresses[i]));

		assert_ended(&r);
		if (shim_is_programs) {
			assert_true(r.status == 125 || r.status == 128 + SIGSEGV);
			if (r.status == 125)
				assert_err_line(&r, "at physical address 0x");
		}
		run_free(&r);
	}
}

static void noise_in_the_shims_memory_hurts_only_the_guest(void **state)
{
	static const char *const modes[] = { "scribble", "image" };

	(void)state;
	for (int seed = 1; seed <= (run_slow() ? 2 : 10); seed++) {
		char text[8];

		snprintf(text, sizeof(text), "%d", seed);
		for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
			struct run_result r = run_kvmrun(LIST(noise_limit()), LIST(SHIM, modes[i], text));

			assert_ended(&r);
			if (r.status == 124 || r.status == 125)
				assert_err_line(&r, "kvmrun: build/guest/hostile_shim: ");
			run_free(&r);
		}
	}
}

/* Processes that a shim makes without knowing how, and programs that it executes without a name. */
static void threat_20_noise_about_processes_hurts_only_the_guest(void **state)
{
	(void)state;
	for (int seed = 1; seed <= (run_slow() ? 2 : 10); seed++) {
		struct run_result r;
		char text[8];

		snprintf(text, sizeof(text), "%d", seed);
		r = run_kvmrun(LIST("--timeout=300", "--procs=20"), LIST(SHIM, "processes", text));
		/* by whatever signal it has wanted at a child's end, but by itself */
		assert_intact(&r);
		run_free(&r);
	}
}

/* The runner's own reads and writes of what a mapping shows meet a file that is shorter by then. */
static void threat_19_noise_in_mappings_hurts_only_the_guest(void **state)
{
	char *granted = tree_new(), *option = NULL;

	(void)state;
	assert_true(asprintf(&option, "--rw=%s:/g", granted) > 0);
	for (int seed = 1; seed <= (run_slow() ? 2 : 12); seed++) {
		char text[8];
		struct run_result r;

		snprintf(text, sizeof(text), "%d", seed);
		r = run_kvmrun(LIST(option, "--cwd=/g"), LIST(SHIM, "window", text));
		/* where the shim is out of its reach, the program's first touch is its last */
		if (r.status != 139) {
			assert_err(&r, "");
			assert_out(&r, "still here\n");
			assert_status(&r, 0);
		}
		run_free(&r);
	}
	tree_remove(granted);
	free(granted);
	free(option);
}

static void noise_in_frames_hurts_only_the_guest(void **state)
{
	char *host = tree_new(), *granted = tree_new(), *secret = tree_path(host, "secret"), *option = NULL;
	char *before, *after;

	(void)state;
	tree_file(host, "secret", "of the host\n", 0);
	tree_dir(host, "sub", 0755);
	tree_age(host);
	before = tree_describe(host);
	assert_true(asprintf(&option, "--rw=%s:/g", granted) > 0);
	for (int seed = 1; seed <= (run_slow() ? 4 : 25); seed++) {
		char text[8];
		struct run_result r;

		/* a name in the frames, which leads out of the grant */
		tree_link(granted, "link", secret);
		snprintf(text, sizeof(text), "%d", seed);
		r = run_kvmrun(LIST(option, "--cwd=/g", noise_limit()), LIST(SHIM, "frames", text));
		assert_ended(&r);
		run_free(&r);
		tree_remove(granted);
		assert_int_equal(mkdir(granted, 0755), 0);
	}
	after = tree_describe(host);
	assert_string_equal(before, after);
	tree_remove(granted);
	tree_remove(host);
	free(before);
	free(after);
	free(option);
	free(secret);
	free(granted);
	free(host);
}

static int set_up(void **state)
{
	struct run_result r = run_kvmrun(LIST("--stats"), LIST("build/guest/hello"));

	(void)state;
	shim_is_programs = strstr(r.err, "\"mode\": \"user\"");
	if (!shim_is_programs && !strstr(r.err, "\"mode\": \"kernel\"")) {
		run_show("kvmrun", &r);
		return -1;
	}
	run_free(&r);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_29_instructions_of_the_kernel_are_what_they_are_natively),
		cmocka_unit_test(what_a_guest_cpu_lacks_is_a_signal),
		cmocka_unit_test(no_return_leads_to_the_kernels_selectors),
		cmocka_unit_test(a_hypercall_of_the_program_does_nothing),
		cmocka_unit_test(threat_27_cpuid_shows_no_virtualization_and_no_enclaves),
		cmocka_unit_test(threat_04_each_access_to_a_port_is_a_fault),
		cmocka_unit_test(threat_27_no_port_of_all_is_open),
		cmocka_unit_test(the_shims_port_serves_nobody_else),
		cmocka_unit_test(addresses_that_are_nobodys_are_faults),
		cmocka_unit_test(the_shims_addresses_are_faults_or_hurt_only_the_guest),
		cmocka_unit_test(threat_23_the_time_limit_ends_storms_and_loops),
		cmocka_unit_test(threat_05_a_flood_of_exits_is_charged_and_logged_nowhere),
		cmocka_unit_test(threat_05_a_flood_of_exits_is_ended_by_cpu_time),
		cmocka_unit_test(threat_10_page_tables_that_lead_out_of_memory_end_the_guest),
		cmocka_unit_test(noise_in_the_shims_memory_hurts_only_the_guest),
		cmocka_unit_test(threat_19_noise_in_mappings_hurts_only_the_guest),
		cmocka_unit_test(threat_20_noise_about_processes_hurts_only_the_guest),
		cmocka_unit_test(noise_in_frames_hurts_only_the_guest),
	};

	return harness_main(argc, argv, "hostile", tests, ARRAY_SIZE(tests), set_up, NULL);
}
