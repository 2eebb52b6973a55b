/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes, and what is between them: tests/guest/process*.c. */
#include "lib/harness.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFE(...) LIST("build/guest/process", __VA_ARGS__)
#define WAIT(...) LIST("build/guest/process_wait", __VA_ARGS__)
#define BETWEEN(...) LIST("build/guest/process_between", __VA_ARGS__)
#define EXEC(...) LIST("build/guest/process_exec", __VA_ARGS__)
#define SPAWN(...) LIST("build/guest/process_spawn", __VA_ARGS__)
#define LIMITS(...) LIST("build/guest/limits", ##__VA_ARGS__)
#define PIDFD(...) LIST("build/guest/pidfd", __VA_ARGS__)
#define TREE(...) LIST("build/guest/process_tree", __VA_ARGS__)
#define SCHED(...) LIST("build/guest/process_sched", __VA_ARGS__)
#define SHELL(...) LIST("/bin/busybox", "sh", "-c", __VA_ARGS__)

struct row {
	const char *name;
	const char *const *argv;
	int status;		/* of the native run */
	const char *out;	/* what its output contains; it contains no ": NO" */
};

/* On an emulated machine less of what takes long. */
static const struct {
	const char *const *argv, *const *instead;
} slow[] = {
	{ LIFE("serial", "1000"), LIFE("serial", "50") },
	{ LIFE("at-once", "100"), LIFE("at-once", "20") },
	{ LIFE("statuses"), LIFE("statuses", "17") },
	{ EXEC("times", "50"), EXEC("times", "10") },
	{ SPAWN("jobs"), SPAWN("jobs", "20") },
};

static const char *const *arguments(const char *const *argv)
{
	for (size_t i = 0; run_slow() && i < ARRAY_SIZE(slow); i++)
		if (!strcmp(slow[i].argv[0], argv[0]) && !strcmp(slow[i].argv[1], argv[1]))
			return slow[i].instead;
	return argv;
}

static void run_row(void **state)
{
	const struct row *row = *state;
	const struct run_opts opts = { .options = LIST("--ro", ".", "--ro", "/bin", "--ro", "/bin/busybox:/bin/sh", "--tmp", "--mem", "1G") };
	struct run_result native = run_same(&opts, arguments(row->argv));

	if ((native.signal ? 128 + native.signal : native.status) != row->status ||
	    strstr(native.out, ": NO\n") || (row->out && !strstr(native.out, row->out))) {
		run_show("the native run", &native);
		fail_msg("not what was expected: status %d, \"%s\"", row->status, row->out ? row->out : "");
	}
	run_free(&native);
}

static const struct row rows[] = {
	/* how they begin and end */
	{ "a_child_has_a_copy_of_memory", LIFE("copies"), 0, "ended with 5" },
	{ "64_mebibytes_that_both_write_stay_apart", LIFE("large", "64"), 0, "the child: 0, 0 wrong" },
	{ "ids_are_each_processs_own", LIFE("ids"), 0, "ids differ: yes" },
	{ "exit_statuses_are_told_whole", LIFE("statuses"), 0, "0 wrong\n256: 0\n" },
	{ "each_way_to_end_has_its_status", LIFE("ends"), 0, "3: 13\n4: 1006\n" },
	{ "every_deadly_signal_ends_a_child_and_is_told", LIFE("deadly"), 0, "signal 15: 1015, by its parent 1015" },
	{ "faults_end_a_child_by_their_signals", LIFE("faults"), 0, "5: 1011" },
	{ "a_childs_registers_are_its_parents", LIFE("registers"), 0, "ended with 7" },
	{ "a_childs_vector_registers_are_its_parents", LIFE("vectors"), 0, "the child: 5" },
	{ "vector_registers_are_each_processs_own", LIFE("kept-apart"), 0, "0 wrong" },
	{ "100_children_are_alive_at_once_and_reaped_in_any_order", LIFE("at-once", "100"), 0, "at once, 0 wrong" },
	{ "1000_children_one_after_another", LIFE("serial", "1000"), 0, ", 0 wrong" },
	{ "a_child_of_a_child_and_so_on_20_deep", LIFE("chain", "20"), 0, "20 deep" },
	{ "processes_that_all_fork_are_a_tree", LIFE("tree"), 0, "32 processes, 0 wrong" },
	{ "a_child_inherits_masks_and_names_but_no_timers_and_signals", LIFE("inherited"), 0, "ended with 0" },

	/* their limits and locks */
	{ "limits_that_a_program_sets_hold_and_stay_over_execve", LIMITS(), 0, "too long: 1024\n" },
	{ "splice_tee_and_vmsplice_move_data_through_pipes", LIST("build/guest/splice"), 0, "one that waits: 4" },
	{ "a_lock_is_known_by_its_owner", LIMITS("locks"), 0, "whose: its" },

	/* how others are scheduled, and their limits */
	{ "who_is_how_scheduled_can_be_asked_until_it_is_reaped", SCHED("asked"), 0, "it has 9\n" },
	{ "how_another_process_is_scheduled_can_be_set_and_stays_over_execve", SCHED("set"), 0, "executed: 14 40000003" },
	{ "the_first_process_is_set_while_it_is_stopped", SCHED("stopped"), 0, "EMFILE, and descriptor 29 is one" },
	{ "parents_and_siblings_can_be_set", SCHED("related"), 0, "the other: 17" },
	{ "a_thread_of_another_process_is_one_by_its_id", SCHED("threads"), 0, "the first has 2, the second 4" },
	{ "nice_values_are_set_for_groups", SCHED("groups"), 0, "11 11 11\nno leader: ESRCH" },
	{ "what_begins_or_executes_has_what_it_is_set_to", SCHED("meanwhile"), 0, "at once: 0 wrong\nwhile it executes: 0 wrong" },
	{ "io_priorities_are_kept_asked_and_set", SCHED("io"), 0, "inherited: 20 0 0 0 0 size 56 policy 0 flags 0 nice 0 priority 0 on CPU 0 0 6000" },
	{ "limits_of_others_hold", SCHED("limits"), 0, "EMFILE at -1, EFBIG" },
	{ "processes_that_set_each_other_at_once", SCHED("crowd"), 0, "0 wrong" },

	/* their descriptors, and whose they are */
	{ "a_directory_of_proc_is_a_pidfd_for_signals", PIDFD("directories"), 0, "to who is gone: ESRCH" },
	{ "a_pidfd_waits_signals_and_tells_of_the_end", PIDFD("opened"), 0, "not waiting: EAGAIN" },
	{ "clone_makes_pidfds_and_children_without_handlers", PIDFD("made"), 0, "without handlers: 3" },
	{ "a_pidfd_can_be_of_any_of_the_programs_processes", PIDFD("others"), 0, "the first one is over: 1" },
	{ "orphans_go_to_a_subreaper_and_hear_of_their_parents_end", PIDFD("orphans"), 0, "who was its child: 5" },

	/* waiting for them */
	{ "a_wait_that_must_not_wait_returns_0_and_touches_nothing", WAIT("nohang"), 0, "status 300" },
	{ "a_child_can_be_waited_for_and_left_a_zombie", WAIT("nowait"), 0, "reaped: 1009" },
	{ "waitid_tells_who_and_how", WAIT("infos"), 0, "exited: signo 17 code 1 status 42, its pid its uid" },
	{ "waits_for_nobody_fail_as_on_linux", WAIT("errors"), 0, "ECHILD" },
	{ "waits_are_for_groups_as_well", WAIT("by-group"), 0, "none at all: ECHILD" },
	{ "a_childs_usage_is_told", WAIT("usage"), 0, "some memory: yes" },
	{ "sigchld_tells_who_and_how", WAIT("sigchld"), 0, "terminated: signo 17 code 2 status 15, its pid its uid" },
	{ "children_of_who_ignores_sigchld_are_reaped_at_once", WAIT("autoreaped"), 0, "told all the same: signo 17" },
	{ "who_ignores_sigchld_has_the_zombies_from_before", WAIT("ignored-later"), 0, "no longer ignored: 6" },
	{ "sigchld_can_be_waited_for", WAIT("sigwaited"), 0, "20 waited for" },
	{ "a_childs_end_interrupts_calls", WAIT("interrupted"), 0, "3 handled\nrestarted read: 1" },
	{ "a_wait_is_interrupted_or_restarted", WAIT("wait-interrupted"), 0, "restarted: 9" },
	{ "threads_wait_for_each_others_children", WAIT("by-threads"), 0, "0 wrong" },

	/* between them */
	{ "children_are_killed_whatever_they_do", BETWEEN("killed"), 0, "computing: 1009\nblocked: 1009\nterminated: 1015" },
	{ "signals_carry_values_to_children_and_parents", BETWEEN("both-ways"), 0, "ended with 0" },
	{ "500_real_time_signals_come_in_order", BETWEEN("real-time"), 0, "0 wrong, ended with 0" },
	{ "a_signal_to_a_group_is_its_members", BETWEEN("groups-signalled"), 0, "it is this one's as well: yes" },
	{ "groups_and_sessions_answer_as_on_linux", BETWEEN("groups"), 0, "setsid again: EPERM" },
	{ "an_orphan_is_anothers_child", BETWEEN("orphans"), 0, "it is no child of this: ECHILD" },
	{ "pipes_and_offsets_are_shared", BETWEEN("pipes"), 0, "200000 bytes, 0 wrong, 0\nSIGPIPE: 1013" },
	{ "locks_of_files_tell_whose_they_are", BETWEEN("file-locks"), 0, "of its maker: yes" },
	{ "events_are_shared", BETWEEN("eventfds"), 0, "5, 0" },
	{ "locks_in_shared_memory_work_between_processes", BETWEEN("locks"), 0, "count 8000\n200 turns\n0 wrong" },
	{ "a_child_of_many_threads_has_one_and_its_locks_work", BETWEEN("beside-threads"), 0, "0 wrong" },
	{ "8_threads_fork_at_once", BETWEEN("by-threads"), 0, "0 wrong" },

	/* other programs */
	{ "arguments_and_environment_are_executed_exactly", EXEC("exact"), 0, "5: \"\377\001\"\n6: \"\"\nA=1\n\nB=\n" },
	{ "1000_arguments_reach_the_program", EXEC("many-args"), 0, "1002 arguments" },
	{ "an_argument_of_100_kib_reaches_the_program", EXEC("long-args"), 0, "NUL: E2BIG\n3 arguments, 102435 bytes" },
	{ "more_arguments_than_fit_are_e2big", EXEC("too-many"), 0, "12 MiB: E2BIG" },
	{ "execve_fails_as_on_linux", EXEC("errors"), 0, "ENOEXEC" },
	{ "execveat_by_descriptors", EXEC("at"), 0, "55\n55\n55\n55\n55\n" },
	{ "scripts_have_interpreters_even_scripts", EXEC("scripts"), 0, "first" },
	{ "a_new_program_keeps_masks_and_ignored_signals_and_loses_the_rest", EXEC("keeps"), 0, "pid the same" },
	{ "a_thread_executes_while_others_compute_and_block", EXEC("by-thread"), 0, "thread the first" },
	{ "a_program_whose_threads_have_ended_executes_another", EXEC("after-threads"), 0, "thread the first" },
	{ "the_last_thread_executes_when_the_first_has_ended", EXEC("after-the-first"), 0, "thread the first" },
	{ "50_programs_one_after_another_leave_no_memory_behind", EXEC("times", "50"), 7, "the last one" },
	{ "vfork_waits_for_the_new_program", SPAWN("vforked"), 0, "33\n9\n0 wrong" },
	{ "posix_spawn_does_what_it_is_told_before", SPAWN("spawned"), 0, "a group of its own: yes\nthe mask: yes" },
	{ "a_group_is_not_changed_behind_exec", EXEC("setpgid-after-exec"), 0, "setpgid: EACCES" },
	{ "100_jobs_four_at_once", SPAWN("jobs"), 0, "sum " },
	{ "system_and_popen_have_a_shell", SPAWN("shell"), 0, "by system" },

	/* busybox's shell */
	{ "a_shells_pipelines", SHELL("seq 1000 | sort -r | uniq | wc -l; seq 5 | tr 1 x | head -1"), 0, "1000\nx\n" },
	{ "a_shells_substitutions", SHELL("x=$(echo $(echo a; echo b)) ; echo \"[$x]\"; echo `expr 3 + 4`"), 0, "[a b]\n7\n" },
	{ "a_shells_background_jobs", SHELL("for i in 1 2 3; do (exit $i) & p=\"$p $!\"; done; for i in $p; do wait $i; echo $?; done"),
	  0, "1\n2\n3\n" },
	{ "a_shells_traps", SHELL("trap 'echo trapped; exit 4' TERM; (kill -TERM $$); while :; do :; done"), 4, "trapped" },
	{ "a_shells_here_documents", SHELL("cat << EOF | sort\nb\na $((1 + 1))\nEOF\n"), 0, "a 2\nb\n" },
	{ "xargs_runs_four_at_once", SHELL("seq 20 | busybox xargs -n 1 -P 4 echo | sort -n | tr '\\n' ' '"), 0, "1 2 3" },
	{ "timeout_ends_what_takes_long", SHELL("busybox timeout 0.2 busybox sleep 1000; echo $?; busybox timeout 100 true; echo $?"), 0, "143\n0\n" },
	{ "find_executes", SHELL("busybox find tests/guest -name 'process*.h' -exec busybox basename '{}' ';'"), 0, "process.h" },
	{ "a_shells_child_ends_by_signals", SHELL("exec 2> /dev/null; busybox sleep 1000 & kill -KILL $!; wait $!; echo $?"), 0, "137" },
};

/* ------------------------------------------------------------- from outside */

static void expect(struct running *r, const char *text)
{
	if (!run_wait_for(r, text)) {
		struct run_result end = run_finish(r);

		run_show("the run", &end);
		fail_msg("it did not print \"%s\"", text);
	}
}

static void the_time_limit_ends_all_processes(void **state)
{
	static const char *const parts[] = { "tree", "left" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const struct run_opts opts = { .options = LIST("--timeout", run_slow() ? "20" : "1") };
		struct running *r = run_start_kvmrun(&opts, TREE(parts[i]));
		bool none = run_none_left(r);
		struct run_result end = run_finish(r);

		assert_status(&end, 124);
		assert_err_line(&end, "time limit of");
		assert_true(none);
		run_free(&end);
	}
}

static void the_limit_of_cpu_time_is_for_all_processes(void **state)
{
	static const char *const parts[] = { "tree", "left" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const struct run_opts opts = { .options = LIST("--cpu-time", run_slow() ? "12" : "1", "--stats") };
		struct running *r = run_start_kvmrun(&opts, TREE(parts[i]));
		bool none = run_none_left(r);
		struct run_result end = run_finish(r);

		assert_status(&end, 124);
		assert_non_null(strstr(end.err, "CPU time limit of"));
		assert_non_null(strstr(end.err, "\"cause\": \"cpu-time\""));
		assert_true(none);
		run_free(&end);
	}
}

static void a_kill_of_kvmrun_ends_all_processes(void **state)
{
	struct running *r = run_start_kvmrun(NULL, TREE("tree"));
	struct run_result end;
	pid_t any;
	bool none;

	(void)state;
	expect(r, "ready\n");
	assert_true(run_members(r, &any) >= 3);
	kill(run_pid(r), SIGKILL);
	none = run_none_left(r);
	end = run_finish(r);
	assert_true(none);
	run_free(&end);
}

static void a_child_that_is_killed_from_outside_is_told_of_so(void **state)
{
	struct running *r = run_start_kvmrun(NULL, TREE("one"));
	struct run_result end;
	pid_t any = 0;

	(void)state;
	expect(r, "ready\n");
	assert_int_equal(run_members(r, &any), 1);
	kill(any, SIGKILL);
	end = run_finish(r);
	assert_status(&end, 0);
	assert_out(&end, "ready\nended with 1009\n");
	run_free(&end);
}

static void threat_22_no_more_processes_than_allowed_are_made(void **state)
{
	struct run_result r = run_kvmrun(LIST("--procs", "5"), TREE("limit"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, "fork: EAGAIN\nfork: EAGAIN\nfork: EAGAIN\n12 in 3 rounds\n");
	run_free(&r);
	r = run_kvmrun(LIST("--procs", "1"), TREE("limit"));
	assert_status(&r, 0);
	assert_out(&r, "fork: EAGAIN\nfork: EAGAIN\nfork: EAGAIN\n0 in 3 rounds\n");
	run_free(&r);
}

static long faults_of_a_child(const char *procs)
{
	struct run_result r = run_kvmrun(LIST("--procs", procs), WAIT("faults"));
	long faults = -1;

	assert_status(&r, 0);
	assert_int_equal(sscanf(r.out, "%ld faults", &faults), 1);
	run_free(&r);
	return faults;
}

/* Room for more of them makes none of them dearer: each had gone through all of the table. */
static void what_processes_cost_is_by_how_many_there_are(void **state)
{
	long few = faults_of_a_child("4"), many = faults_of_a_child("4096");

	(void)state;
	if (many > few + 200)
		fail_msg("a child has %ld faults where there may be 4 processes, %ld where there may be 4096", few, many);
}

static void a_daemon_is_run_to_its_end(void **state)
{
	char dir[] = "/tmp/test_processes.XXXXXX", program[PATH_MAX], text[32] = "", path[100];
	const struct run_opts opts = { .options = LIST("--rw", dir), .cwd = dir };
	struct run_result r;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_non_null(realpath("build/guest/process_tree", program));
	r = run_kvmrun_opts(&opts, LIST(program, "daemonised"));
	snprintf(path, sizeof(path), "%s/written", dir);
	f = fopen(path, "r");
	if (f) {
		if (!fgets(text, sizeof(text), f))
			text[0] = '\0';
		fclose(f);
	}
	unlink(path);
	rmdir(dir);
	assert_status(&r, 7);
	assert_string_equal(text, "by a daemon\n");
	run_free(&r);
}

/* What an ordinary user may make of root's: nothing; and process 1 is no other user's, nor another user there. */
#define OF_ROOTS	\
	"getpriority(PRIO_PROCESS, 1): 20\n" "getpriority(PRIO_PGRP, 1): 20\n" "sched_getscheduler(1): 0\n"	\
	"setpriority(PRIO_PROCESS, 1, 5): EPERM\n" "setpriority(PRIO_PGRP, 1, 5): EPERM\n"	\
	"sched_setscheduler(1, SCHED_BATCH, &none): EPERM\n" "sched_setparam(1, &none): EPERM\n"	\
	"sched_setattr(1, &(struct attr){ .size = 48 }, 0): EPERM\n" "sched_setaffinity(1, 8, &cpus): EPERM\n"	\
	"prlimit64(1, RLIMIT_NOFILE, NULL, &limit): EPERM\n" "prlimit64(1, RLIMIT_NOFILE, &limit, NULL): EPERM\n"

static void process_1_can_be_looked_at_and_not_be_set(void **state)
{
	struct run_result r = run_kvmrun(NULL, SCHED("roots"));

	(void)state;
	assert_status(&r, 0);
	assert_out(&r, OF_ROOTS "getpriority(PRIO_USER, 0): 20\n" "getpriority(PRIO_USER, getuid() + 1): ESRCH\n"
		   "setpriority(PRIO_USER, 0, 2 + i): 0\n"
		   OF_ROOTS "getpriority(PRIO_USER, 0): 18\n" "getpriority(PRIO_USER, getuid() + 1): ESRCH\n"
		   "setpriority(PRIO_USER, 0, 2 + i): 0\n" "the other: 3\nthis one: 3\n");
	run_free(&r);
}

static void a_shells_job_is_set_by_renice_taskset_chrt_and_prlimit(void **state)
{
	const struct run_opts opts = { .options = LIST("--ro", "/usr", "--ro", "/bin", "--ro", "/lib", "--ro", "/lib64") };
	struct run_result native = run_same(&opts, LIST("/bin/sh", "-c",
		"sleep 1000 & p=$!; (renice 5 -p $p; taskset -p 1 $p; chrt -b -p 0 $p; chrt -p $p; prlimit -p $p --nofile=100:200;"
		" prlimit -p $p --nofile -o SOFT,HARD --noheadings) 2>&1 | sed s/$p/PID/; renice -n 7 -g 0 > /dev/null; nice; kill $p"));

	(void)state;
	assert_status(&native, 0);
	assert_non_null(strstr(native.out, "PID (process ID) old priority 0, new priority 5\n"));
	assert_non_null(strstr(native.out, "SCHED_BATCH"));
	assert_non_null(strstr(native.out, "100  200\n7\n"));
	run_free(&native);
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[ARRAY_SIZE(rows) + 9] = {
		cmocka_unit_test(process_1_can_be_looked_at_and_not_be_set),
		cmocka_unit_test(a_shells_job_is_set_by_renice_taskset_chrt_and_prlimit),
		cmocka_unit_test(the_time_limit_ends_all_processes),
		cmocka_unit_test(the_limit_of_cpu_time_is_for_all_processes),
		cmocka_unit_test(a_kill_of_kvmrun_ends_all_processes),
		cmocka_unit_test(a_child_that_is_killed_from_outside_is_told_of_so),
		cmocka_unit_test(threat_22_no_more_processes_than_allowed_are_made),
		cmocka_unit_test(what_processes_cost_is_by_how_many_there_are),
		cmocka_unit_test(a_daemon_is_run_to_its_end),
	};
	size_t n = 9;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[n++] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						  .initial_state = (void *)&rows[i] };
	return harness_main(argc, argv, "processes", tests, n, NULL, NULL);
}
