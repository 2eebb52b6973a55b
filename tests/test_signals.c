/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals of the program are as on Linux: each test runs tests/guest/sig_*.c
 * natively and under kvmrun, does the same to both from outside, and compares
 * statuses and output.
 */
#include "lib/harness.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GUEST(name) "build/guest/" name
#define MAX_ROWS 200

/* One run of a guest program. */
struct row {
	const char *name;
	const char *const *argv;
	void (*drive)(struct running *r);	/* once it has printed "ready"; NULL: nothing is done */
	int status;				/* of the native run, 128 + signal */
	const char *out;			/* what the native output contains */
};

static void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0)
		;
}

static void send(struct running *r, int sig)
{
	if (kill(run_pid(r), sig))
		fail_msg("kill %d: %s", sig, strerror(errno));
}

/* Waits while the receiver's queue is full. */
static void queue(struct running *r, int sig, int value)
{
	while (sigqueue(run_pid(r), sig, (union sigval){ .sival_int = value })) {
		if (errno != EAGAIN)
			fail_msg("sigqueue %d: %s", sig, strerror(errno));
		sleep_ms(1);
	}
}

static void expect(struct running *r, const char *text)
{
	if (!run_wait_for(r, text)) {
		struct run_result end = run_finish(r);

		run_show("the run", &end);
		fail_msg("it did not print \"%s\"", text);
	}
}

static struct run_result finish(struct running *r, void (*drive)(struct running *))
{
	if (drive) {
		expect(r, "ready\n");
		drive(r);
	}
	return run_finish(r);
}

/* ------------------------------------------------------------- CPUs that are otherwise */

/* Its Linux says so, too: "WARNING: ... exc_debug", at entry_SYSCALL_64's first instruction. */
static const char *on_bochs(void)
{
	static char vendor[32];
	int fd = open("/sys/class/dmi/id/bios_vendor", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, vendor, sizeof(vendor) - 1);

	if (fd >= 0)
		close(fd);
	vendor[n > 0 ? n : 0] = '\0';
	return strcmp(vendor, "The Bochs Project\n") ? NULL :
	       "Bochs traps behind a SYSCALL that is single-stepped, though SFMASK has TF";
}

/*
 * Linux resets AVX state by an XRSTOR of it alone, and where that is not XRSTORS the
 * processor has MXCSR from there, too (SDM volume 1, 13.8.1); QEMU's software CPU has not.
 */
static const char *mxcsr_goes_with_avx(void)
{
	static struct { uint8_t b[4096]; } __attribute__((aligned(64))) state;
	const uint32_t mxcsr = 0x3f80;
	uint32_t a, b, c, d, xcr0, before, after;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return NULL;
	asm volatile("xgetbv" : "=a"(xcr0), "=d"(d) : "c"(0));
	__cpuid_count(13, 1, a, b, c, d);
	if (!(xcr0 & 4) || a & 8)
		return NULL;
	memcpy(state.b + 24, &mxcsr, sizeof(mxcsr));
	asm volatile("stmxcsr %0; xrstor64 %2; stmxcsr %1; ldmxcsr %0"
		     : "+m"(before), "=m"(after) : "m"(state), "a"(4), "d"(0));
	return after != mxcsr ? NULL :
	       "without XSAVES Linux itself loses MXCSR when it resets AVX state";
}

static const struct {
	const char *row;
	const char *(*reason)(void);	/* why it cannot be tested on this CPU; NULL: it can */
} unless[] = {
	{ "single_steps_pass_calls_as_on_linux", on_bochs },
	{ "a_frame_with_legacy_fpu_state_has_the_mxcsr", mxcsr_goes_with_avx },
};

static void run_row(void **state)
{
	const struct row *row = *state;
	const char *reason = NULL;
	struct run_result native, guest;
	bool raised;
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(unless); i++)
		if (!strcmp(unless[i].row, row->name))
			reason = unless[i].reason();
	if (reason) {
		print_message("%s\n", reason);
		skip();
	}
	native = finish(run_start(NULL, row->argv), row->drive);
	guest = finish(run_start_kvmrun(NULL, row->argv), row->drive);
	status = native.signal ? 128 + native.signal : native.status;
	/* software CPUs leave some exceptions out */
	raised = strcmp(native.out, "no signal\n");
	if (!raised)
		print_message("this CPU does not raise the exception\n");
	else if (status != row->status || (row->out && !strstr(native.out, row->out))) {
		run_show("the native run", &native);
		fail_msg("not what was expected: status %d, \"%s\"", row->status, row->out ? row->out : "");
	}
	assert_same(&native, &guest, false);
	run_free(&native);
	run_free(&guest);
	if (!raised)
		skip();
}

/* ------------------------------------------------------------- what is done from outside */

static void drive_int(struct running *r)
{
	send(r, SIGINT);
}

static void drive_every_signal(struct running *r)
{
	for (int sig = 1; sig <= 64; sig++) {
		char text[32];

		if (sig == SIGKILL || sig == SIGSTOP || sig == SIGTERM || sig == 32 || sig == 33)
			continue;
		if (sig < 32)
			send(r, sig);
		else
			queue(r, sig, 1000 + sig);
		snprintf(text, sizeof(text), "got %d code", sig);
		expect(r, text);
	}
	send(r, SIGTERM);
}

/* Twice USR1, which is pending once, and three times RTMIN. */
static void drive_blocked(struct running *r)
{
	send(r, SIGUSR1);
	queue(r, SIGRTMIN, 1);
	queue(r, SIGRTMIN, 2);
	send(r, SIGUSR1);
	queue(r, SIGRTMIN, 3);
	sleep_ms(50);
	send(r, SIGTERM);
}

static void drive_ignored(struct running *r)
{
	send(r, SIGHUP);
	send(r, SIGWINCH);
	send(r, SIGUSR1);
	sleep_ms(50);
	send(r, SIGTERM);
}

/*
 * Until the process is asleep in its call, as seen three times in a row: a signal that came
 * before would interrupt nothing, and a call without a time limit would never end. At most
 * for some ten seconds.
 */
static void until_asleep(struct running *r)
{
	char path[32], state = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)run_pid(r));
	for (int i = 0, asleep = 0; i < 500 && asleep < 3; i++) {
		FILE *f;

		sleep_ms(20);
		f = fopen(path, "r");
		if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			fail_msg("%s: cannot be read", path);
		fclose(f);
		asleep = state == 'S' ? asleep + 1 : 0;
	}
}

static void drive_interrupt(struct running *r)
{
	until_asleep(r);
	send(r, SIGUSR1);
}

static void drive_restart(struct running *r)
{
	drive_interrupt(r);
	expect(r, "handler of");
	until_asleep(r);
	send(r, SIGUSR2);
}

/* Blocked ones and ones that are ignored by default. */
static void drive_disturb(struct running *r)
{
	for (int i = 0; i < 5; i++) {
		sleep_ms(100);
		send(r, i & 1 ? SIGWINCH : SIGUSR1);
	}
	send(r, SIGUSR2);
}

static void drive_waited(struct running *r)
{
	/* one at a time: of several the lowest would come first */
	queue(r, SIGRTMIN, 7);
	assert_true(run_wait_for(r, "value 7\n"));
	queue(r, SIGRTMIN, 8);
	assert_true(run_wait_for(r, "value 8\n"));
	queue(r, SIGUSR1, 9);
	assert_true(run_wait_for(r, "value 9\n"));
	send(r, SIGTERM);
}

/* Waits for a change of the process's state, for ten seconds. */
static int wait_change(struct running *r, int flag)
{
	int status = 0;

	for (int i = 0; i < 1000; i++) {
		pid_t pid = waitpid(run_pid(r), &status, flag | WNOHANG);

		if (pid < 0)
			fail_msg("waitpid: %s", strerror(errno));
		if (pid > 0)
			return status;
		sleep_ms(10);
	}
	return 0;
}

/* The process itself is stopped, and by this signal. */
static void expect_stop(struct running *r, int sig)
{
	int status = wait_change(r, WUNTRACED);

	if (!WIFSTOPPED(status) || WSTOPSIG(status) != sig)
		fail_msg("not stopped by %d: wait status %#x", sig, status);
}

static void expect_continue(struct running *r)
{
	int status;

	send(r, SIGCONT);
	status = wait_change(r, WCONTINUED);
	if (!WIFCONTINUED(status))
		fail_msg("not continued: wait status %#x", status);
}

static void stops(struct running *r, bool handled)
{
	static const int signals[] = { SIGTSTP, SIGSTOP, SIGTTIN, SIGTTOU, SIGTSTP };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sleep_ms(20);
		send(r, signals[i]);
		expect_stop(r, signals[i]);
		sleep_ms(20);
		expect_continue(r);
		/* a stop before it has seen SIGCONT would cancel that */
		if (handled) {
			char text[32];

			snprintf(text, sizeof(text), "continued %zu\n", i + 1);
			expect(r, text);
		}
	}
	sleep_ms(50);
	send(r, SIGTERM);
}

/* A call that waits meanwhile is interrupted by SIGCONT's handler. */
static void drive_stop_and_continue(struct running *r)
{
	until_asleep(r);
	send(r, SIGTSTP);
	expect_stop(r, SIGTSTP);
	sleep_ms(20);
	send(r, SIGCONT);
}

static void drive_stop_and_restart(struct running *r)
{
	drive_stop_and_continue(r);
	expect(r, "handler of");
	until_asleep(r);
	send(r, SIGUSR2);
}

static void drive_stops(struct running *r)
{
	stops(r, false);
}

static void drive_handled_stops(struct running *r)
{
	stops(r, true);
}

/* It may stop again before one can see it continue. */
static void drive_stop_itself(struct running *r)
{
	expect_stop(r, SIGSTOP);
	send(r, SIGCONT);
	expect(r, "again\n");
	expect_stop(r, SIGTSTP);
	send(r, SIGCONT);
	expect(r, "and again\n");
	expect_stop(r, SIGTTIN);
	send(r, SIGCONT);
}

static void drive_storm(struct running *r)
{
	for (int i = 0; i < 1000; i++)
		queue(r, SIGRTMIN + 1, i);
}

/* The same among as many that are ignored. */
static void drive_mixed_storm(struct running *r)
{
	for (int i = 0; i < 1000; i++) {
		send(r, SIGWINCH);
		queue(r, SIGRTMIN + 1, i);
		if (i % 10 == 0)
			sleep_ms(1);
	}
}

/* ------------------------------------------------------------- the rows */

#define SYNC(...) LIST(GUEST("sig_sync"), __VA_ARGS__)
#define HANDLER(name) LIST(GUEST("sig_handler"), name)
#define FP(name) LIST(GUEST("sig_fp"), name)
#define RETURN(...) LIST(GUEST("sig_return"), __VA_ARGS__)
#define WAIT(...) LIST(GUEST("sig_wait"), __VA_ARGS__)
#define TIMER(name) LIST(GUEST("sig_timer"), name)

static const struct row rows[] = {
	{ "each_exception_is_the_signal_with_the_siginfo_and_ucontext_of_linux", SYNC("handler"), NULL, 0, "int3" },
	{ "a_segv_without_handler_is_139", SYNC("maperr_read"), NULL, 139, NULL },
	{ "a_general_protection_fault_is_139", SYNC("hlt"), NULL, 139, NULL },
	{ "a_division_by_zero_is_136", SYNC("div_zero"), NULL, 136, NULL },
	{ "an_unmasked_sse_exception_is_136", SYNC("sse_zero"), NULL, 136, NULL },
	{ "an_illegal_instruction_is_132", SYNC("ud2"), NULL, 132, NULL },
	{ "a_breakpoint_is_133", SYNC("int3"), NULL, 133, NULL },
	{ "an_alignment_check_is_135", SYNC("alignment"), NULL, 135, NULL },
	{ "a_blocked_segv_kills", SYNC("maperr_read", "blocked"), NULL, 139, NULL },
	{ "a_blocked_fpe_kills", SYNC("div_zero", "blocked"), NULL, 136, NULL },
	{ "a_blocked_trap_kills", SYNC("int3", "blocked"), NULL, 133, NULL },
	{ "an_ignored_segv_kills", SYNC("accerr_write", "ignored"), NULL, 139, NULL },
	{ "an_ignored_ill_kills", SYNC("ud2", "ignored"), NULL, 132, NULL },
	{ "an_ignored_bus_kills", SYNC("alignment", "ignored"), NULL, 135, NULL },

	{ "a_handler_sees_and_changes_all_registers", HANDLER("registers"), NULL, 0, "rsp right" },
	{ "a_signal_frame_is_laid_out_as_by_linux", HANDLER("frame"), NULL, 0, "red zone kept" },
	{ "sigaction_flags_mean_what_they_mean_on_linux", HANDLER("flags"), NULL, 0, "after SA_RESETHAND: default" },
	{ "a_handler_leaves_the_nested_task_flag_alone", HANDLER("kept-flags"), NULL, 0, "0x204000" },
	{ "pending_signals_are_delivered_in_order", HANDLER("several"), NULL, 0, "pending 0 mask 0" },
	{ "sigaltstack_is_used_reported_and_survives_stack_overflows", HANDLER("stacks"), NULL, 0, "alternate stack" },
	{ "ss_autodisarm_takes_the_stack_away_for_the_handler", HANDLER("autodisarm"), NULL, 0, "inside" },
	{ "an_overflow_of_the_alternate_stack_kills", HANDLER("overflow"), NULL, 139, "first on the alternate" },
	{ "an_overflow_of_the_alternate_stack_kills_a_segv_handler_on_it", HANDLER("overflow-caught"), NULL, 139, "" },
	{ "a_frame_that_does_not_fit_the_stack_is_a_segv", HANDLER("no-stack"), NULL, 132, "still here" },
	{ "a_handler_without_restorer_is_a_segv", HANDLER("no-restorer"), NULL, 0, "count 0" },
	{ "a_handler_that_cannot_be_executed_is_a_segv", HANDLER("bad-handler"), NULL, 139, "signal 11 code 128" },
	{ "siglongjmp_leaves_handlers_10000_times", HANDLER("longjmp"), NULL, 0, "10000 mask 0" },
	{ "siglongjmp_leaves_nested_handlers", HANDLER("nested"), NULL, 0, "depth 8 mask 0" },
	{ "what_a_handler_changes_in_its_context_takes_effect", HANDLER("changes"), NULL, 0, "loaded x" },
	{ "single_steps_pass_calls_as_on_linux", HANDLER("single-step"), NULL, 0, "steps: +" },
	{ "odd_flags_survive_calls_and_faults", HANDLER("odd-flags"), NULL, 0, "ac: pid right flags 0x40000" },

	{ "all_fpu_state_survives_handlers_faults_and_calls", FP("keep"), NULL, 0, "sse kept" },
	{ "fpu_state_changed_in_the_frame_takes_effect", FP("change"), NULL, 0, "xmm0 5a mxcsr 0x3f80 fcw 0xb7f" },
	{ "a_frame_without_fpu_state_resets_it", FP("init"), NULL, 0, "mxcsr 0x1f80 fcw 0x37f" },
	{ "a_frame_with_legacy_fpu_state_resets_the_rest", FP("legacy"), NULL, 0, "sse kept" },
	{ "a_frame_with_legacy_fpu_state_has_the_mxcsr", FP("legacy-mxcsr"), NULL, 0, "mxcsr kept" },

	{ "a_damaged_signal_frame_is_a_segv_at_worst", RETURN(NULL), NULL, 0, "fp_kernel: signal 11" },
	{ "bad_fpu_state_without_handler_is_139", RETURN("header_bv"), NULL, 139, NULL },
	{ "threat_29_a_return_to_a_noncanonical_address_is_139", RETURN("rip_noncanonical"), NULL, 139, NULL },
	{ "a_return_to_the_kernel_is_139", RETURN("rip_kernel"), NULL, 139, NULL },
	{ "a_return_to_no_code_segment_is_139", RETURN("cs_null"), NULL, 139, NULL },
	{ "a_sigreturn_without_frame_is_139", RETURN("at", "8"), NULL, 139, NULL },
	{ "a_sigreturn_from_a_noncanonical_stack_is_139", RETURN("at", "0x800000000000"), NULL, 139, NULL },
	{ "a_sigreturn_from_the_kernels_memory_is_139", RETURN("at", "0xffffffff81000000"), NULL, 139, NULL },
	{ "a_sigreturn_from_the_end_of_memory_is_139", RETURN("at", "0xfffffffffffffff8"), NULL, 139, NULL },
	{ "a_sigreturn_from_the_end_of_the_program_is_139", RETURN("at", "0x7ffffffff000"), NULL, 139, NULL },

	{ "a_handler_gets_every_signal_from_outside_with_its_siginfo", WAIT("catch"), drive_every_signal, 0, "got 64 code -1" },
	{ "a_loop_without_calls_gets_every_signal_too", WAIT("catch", "spin"), drive_every_signal, 0, "got 64 code -1" },
	{ "a_loop_without_calls_dies_of_sigint", WAIT("spin"), drive_int, 130, NULL },
	{ "blocked_signals_wait_and_come_once", WAIT("blocked"), drive_blocked, 0, "pending: 1 1\n" },
	{ "sigwaitinfo_takes_signals_with_their_values", WAIT("waited"), drive_waited, 0, "value 8" },
	{ "stop_signals_stop_the_process_until_sigcont", WAIT("stopped"), drive_stops, 0, "end" },
	{ "sigcont_has_its_handler_after_a_stop", WAIT("stopped", "handler"), drive_handled_stops, 0, "continued 5" },
	{ "a_program_stops_itself", WAIT("stop-itself"), drive_stop_itself, 0, "end" },
	{ "1000_realtime_signals_reach_a_compute_loop", WAIT("storm", "compute"), drive_storm, 0, "1000 signals, 0 wrong" },
	{ "1000_realtime_signals_reach_a_loop_of_calls", WAIT("storm", "calls"), drive_storm, 0, "1000 signals, 0 wrong" },
	{ "1000_realtime_signals_reach_a_loop_of_page_faults", WAIT("storm", "faults"), drive_storm, 0, "1000 signals, 0 wrong" },
	{ "1000_realtime_signals_leave_registers_alone", WAIT("storm", "registers"), drive_storm, 0, "1000 signals, 0 wrong" },

	{ "sleeps_end_for_handlers_and_for_nothing_else", WAIT("storm", "sleep"), drive_mixed_storm, 0, "1000 signals, 0 wrong" },
	{ "polls_end_for_handlers_and_for_nothing_else", WAIT("storm", "poll"), drive_mixed_storm, 0, "1000 signals, 0 wrong" },

	{ "alarm_comes_in_its_time", TIMER("alarm"), NULL, 0, "alarm on time" },
	{ "an_alarm_without_handler_ends_a_loop", TIMER("fatal-alarm"), NULL, 142, NULL },
	{ "interval_timers_of_all_three_clocks_tick", TIMER("intervals"), NULL, 0, "27: five ticks not early" },
	{ "posix_timers_are_set_told_and_deleted", TIMER("posix"), NULL, 0, "on time while computing" },
	{ "expirations_of_a_blocked_timer_are_counted", TIMER("overruns"), NULL, 0, "once, overrun right" },
	{ "timers_that_expire_fast_leave_a_program_its_time", TIMER("storm"), NULL, 0, "worked, signals came" },
	{ "a_signal_on_the_way_into_a_wait_ends_it", TIMER("suspend"), NULL, 0, "1000 came" },
	{ "a_timer_on_cpu_time_waits_for_it", TIMER("cpu"), NULL, 0, "asleep: 0\nCPU time was used" },
	{ "a_program_signals_itself_and_no_other", TIMER("itself"), NULL, 0, "kill other: -1 No such process" },
	{ "a_full_signal_queue_is_EAGAIN_and_loses_nothing", TIMER("full-queue"), NULL, 0, "all came" },
	{ "abort_is_134", TIMER("abort"), NULL, 134, NULL },
	{ "abort_of_a_blocked_and_ignored_signal_is_134", TIMER("abort-blocked"), NULL, 134, NULL },
	{ "sigkill_to_oneself_is_137", TIMER("kill"), NULL, 137, NULL },
	{ "a_closed_pipe_is_SIGPIPE_or_EPIPE", TIMER("closed-pipe"), NULL, 141, "ignored: -1 Broken pipe" },

#define LET_THROUGH(call) \
	{ "the_mask_of_" call "_lets_a_signal_through_and_only_there", WAIT("let-through", call), drive_interrupt, 0, \
	  "Interrupted system call\nblocked 1 1\nhandler of 12\n" }
	LET_THROUGH("ppoll"), LET_THROUGH("pselect"), LET_THROUGH("epoll_pwait"), LET_THROUGH("sigsuspend"),

#define INTERRUPTED(call) \
	{ call "_ends_with_EINTR_after_a_handler", WAIT("interrupted", call), drive_interrupt, 0, \
	  call ": -1 Interrupted" }
	INTERRUPTED("read"), INTERRUPTED("write"), INTERRUPTED("poll"), INTERRUPTED("ppoll"), INTERRUPTED("select"),
	INTERRUPTED("pselect"), INTERRUPTED("epoll_wait"), INTERRUPTED("epoll_pwait"), INTERRUPTED("nanosleep"),
	INTERRUPTED("clock_nanosleep"), INTERRUPTED("clock_nanosleep_abs"), INTERRUPTED("pause"),
	INTERRUPTED("sigsuspend"), INTERRUPTED("sigtimedwait"), INTERRUPTED("sigwaitinfo"), INTERRUPTED("futex"),
	INTERRUPTED("futex_timeout"),

#define CONTINUED(call) \
	{ call "_ends_with_EINTR_after_a_stop_and_the_handler_of_SIGCONT", WAIT("interrupted", call), \
	  drive_stop_and_continue, 0, call ": -1 Interrupted" }
	CONTINUED("read"), CONTINUED("poll"), CONTINUED("nanosleep"), CONTINUED("pause"), CONTINUED("sigsuspend"),
	CONTINUED("sigwaitinfo"), CONTINUED("futex"),
	{ "read_is_made_again_under_SA_RESTART_after_a_stop", WAIT("interrupted", "read", "restart"),
	  drive_stop_and_restart, 0, "release\nread: 1" },

#define RESTARTED(call) \
	{ call "_is_made_again_under_SA_RESTART", WAIT("interrupted", call, "restart"), drive_restart, 0, \
	  "release\n" call ": " }
	RESTARTED("read"), RESTARTED("write"),
#define NOT_RESTARTED(call) \
	{ call "_ends_with_EINTR_even_under_SA_RESTART", WAIT("interrupted", call, "restart"), drive_interrupt, 0, \
	  call ": -1 Interrupted" }
	NOT_RESTARTED("poll"), NOT_RESTARTED("ppoll"), NOT_RESTARTED("select"), NOT_RESTARTED("pselect"),
	NOT_RESTARTED("epoll_wait"), NOT_RESTARTED("epoll_pwait"), NOT_RESTARTED("nanosleep"),
	NOT_RESTARTED("clock_nanosleep"), NOT_RESTARTED("clock_nanosleep_abs"), NOT_RESTARTED("pause"),
	NOT_RESTARTED("sigsuspend"), NOT_RESTARTED("sigtimedwait"), NOT_RESTARTED("sigwaitinfo"),
	NOT_RESTARTED("futex_timeout"),

#define UNDISTURBED(call, result) \
	{ call "_lasts_as_long_as_it_should_under_signals_without_handler", WAIT("undisturbed", call), drive_disturb, \
	  0, call ": " result }
	UNDISTURBED("poll", "0"), UNDISTURBED("select", "0"), UNDISTURBED("epoll_wait", "0"),
	UNDISTURBED("nanosleep", "0"), UNDISTURBED("clock_nanosleep", "0"), UNDISTURBED("clock_nanosleep_abs", "0"),
	UNDISTURBED("sigtimedwait", "-1 Resource"), UNDISTURBED("futex_timeout", "-1 Connection timed out"),
};

/* ------------------------------------------------------------- tests of more than one run */

static int status_of(const struct run_result *r)
{
	return r->signal ? 128 + r->signal : r->status;
}

static void each_deadly_signal_ends_the_program_with_128_and_its_number(void **state)
{
	static const int deadly[] = { 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31,
				      34, 50, 62, 63, 64 };	/* 32 and 33: posix_spawn ignores them */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++) {
		struct running *r = run_start_kvmrun(NULL, WAIT(i & 1 ? "spin" : "sleep"));
		struct run_result end;

		expect(r, "ready\n");
		send(r, deadly[i]);
		end = run_finish(r);
		assert_status(&end, 128 + deadly[i]);
		assert_out(&end, "ready\n");
		assert_err(&end, "");
		run_free(&end);
	}
}

/* What env(1) gives a program on its way: natively, and to kvmrun. */
static void signals_ignored_and_blocked_by_the_caller_stay_so(void **state)
{
	const char *kvmrun = getenv("KVMRUN");
	char script[300];
	struct run_result native, guest;

	(void)state;
	snprintf(script, sizeof(script), "exec env --ignore-signal=HUP,USR2,RTMIN --block-signal=USR1,RTMAX %s "
		 GUEST("sig_wait") " ignored", "");
	native = finish(run_start(NULL, LIST("/bin/sh", "-c", script)), drive_ignored);
	snprintf(script, sizeof(script), "exec env --ignore-signal=HUP,USR2,RTMIN --block-signal=USR1,RTMAX %s -- "
		 GUEST("sig_wait") " ignored", kvmrun ? kvmrun : "./kvmrun");
	guest = finish(run_start(NULL, LIST("/bin/sh", "-c", script)), drive_ignored);
	assert_status(&native, 0);
	assert_non_null(strstr(native.out, "ignored: 1 12 34\nblocked: 10 64\n"));
	assert_same(&native, &guest, false);
	run_free(&native);
	run_free(&guest);
}

/* A reader that is slow, while signals come that the program does not see. */
static struct run_result write_slowly(struct running *(*start)(const struct run_opts *, const char *const[]),
				      const char *fifo)
{
	struct run_opts opts = { .out_file = fifo };
	int in = open(fifo, O_RDONLY | O_NONBLOCK), full = 0;
	struct running *r = start(&opts, WAIT("whole-write"));
	static char room[65536];
	ssize_t n;

	assert_true(in >= 0);
	for (int i = 0; i < 1000 && full < (int)sizeof(room); i++) {
		sleep_ms(10);
		ioctl(in, FIONREAD, &full);
	}
	for (int i = 0; i < 4; i++) {
		send(r, i & 1 ? SIGWINCH : SIGUSR1);
		sleep_ms(20);
		assert_int_equal(read(in, room, 10000), 10000);
		sleep_ms(20);
	}
	send(r, SIGUSR2);
	fcntl(in, F_SETFL, 0);
	do
		n = read(in, room, sizeof(room));
	while (n > 0);
	close(in);
	return run_finish(r);
}

static void a_write_is_not_cut_short_by_signals_without_handler(void **state)
{
	struct run_result native, guest;
	char fifo[64];

	(void)state;
	snprintf(fifo, sizeof(fifo), "/tmp/kvmrun-test-fifo.%d", getpid());
	assert_int_equal(mkfifo(fifo, 0600), 0);
	native = write_slowly(run_start, fifo);
	guest = write_slowly(run_start_kvmrun, fifo);
	unlink(fifo);
	assert_err(&native, "wrote 1048576\n");
	assert_same(&native, &guest, false);
	run_free(&native);
	run_free(&guest);
}

/* What lies below a stack too small for the frame must not be written to. */
static void a_stack_too_small_for_a_frame_is_a_segv_or_large_enough(void **state)
{
	struct run_result r = run_kvmrun(NULL, HANDLER("small"));

	(void)state;
	if (status_of(&r) != 139 && (r.status || !strstr(r.out, "below it intact"))) {
		run_show("the run", &r);
		fail_msg("neither");
	}
	run_free(&r);
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[MAX_ROWS] = {
		cmocka_unit_test(each_deadly_signal_ends_the_program_with_128_and_its_number),
		cmocka_unit_test(signals_ignored_and_blocked_by_the_caller_stay_so),
		cmocka_unit_test(a_write_is_not_cut_short_by_signals_without_handler),
		cmocka_unit_test(a_stack_too_small_for_a_frame_is_a_segv_or_large_enough),
	};
	size_t n = 4;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[n++] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						  .initial_state = (void *)&rows[i] };
	return harness_main(argc, argv, "signals", tests, n, NULL, NULL);
}
