/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for children, and being told of them. */
#include "process.h"

#include <poll.h>
#include <sys/times.h>

static int gate[2];

static int through_gate(long status)
{
	char c;

	close(gate[1]);
	return read(gate[0], &c, 1) == 0 ? status : 254;
}

static void gate_make(void)
{
	if (pipe(gate))
		exit(105);
}

static void gate_open(void)
{
	close(gate[1]);
}

/* Until it is a zombie, which stays one. */
static void until_ended(pid_t pid)
{
	siginfo_t info;

	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
}

static void nohang(void)
{
	int status = 0x5555;
	struct rusage usage;
	siginfo_t info;
	pid_t pid;

	gate_make();
	memset(&usage, 0x55, sizeof(usage));
	pid = child(through_gate, 3);
	show("none yet", wait4(pid, &status, WNOHANG, &usage));
	check("the status is untouched", status == 0x5555);
	memset(&info, 0x55, sizeof(info));
	show("none yet, waitid", waitid(P_PID, pid, &info, WEXITED | WNOHANG));
	printf("pid %d signo %d\n", info.si_pid, info.si_signo);
	gate_open();
	until_ended(pid);
	check("now", wait4(pid, &status, WNOHANG, &usage) == pid);
	printf("status %x\n", status);
	show("and no more", wait4(pid, &status, WNOHANG, &usage));
	show("of any", wait4(-1, &status, WNOHANG, &usage));
	show("waitid of any", waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
}

static void print_info(const char *what, const siginfo_t *info, pid_t pid)
{
	printf("%s: signo %d code %d status %d, %s %s\n", what, info->si_signo, info->si_code, info->si_status,
	       info->si_pid == pid ? "its pid" : "NOT its pid", info->si_uid == getuid() ? "its uid" : "NOT its uid");
}

static void nowait(void)
{
	siginfo_t info;
	pid_t pid = child(forever, 0);

	kill(pid, SIGKILL);
	for (int i = 0; i < 3; i++) {
		memset(&info, 0x55, sizeof(info));
		show("waitid", waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
		print_info("killed", &info, pid);
	}
	show("kill of a zombie", kill(pid, 0));
	show("deadly signal to a zombie", kill(pid, SIGTERM));
	check("its group", getpgid(pid) == getpgrp());
	printf("reaped: %d\n", ended(pid));
	show("waitid", waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	show("kill", kill(pid, 0));
	show("getpgid", getpgid(pid));
}

static int code(long n)
{
	return n;
}

static void infos(void)
{
	siginfo_t info;

	for (int i = 0; i < 3; i++) {
		pid_t pid = child(code, 40 + i);

		memset(&info, 0x55, sizeof(info));
		show("waitid", i == 0 ? waitid(P_PID, pid, &info, WEXITED) :
			       i == 1 ? waitid(P_ALL, 0, &info, WEXITED) : waitid(P_PGID, getpgrp(), &info, WEXITED));
		print_info("exited", &info, pid);
	}
	show("bare waitid without a place", syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED, NULL));
	child(code, 1);
	show("bare waitid without a place", syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED, NULL));
	child(code, 1);
	show("wait4 without places", wait4(-1, NULL, 0, NULL) > 0);
	child(code, 1);
	show("a bad place for the status", wait4(-1, (void *)BAD, 0, NULL));
	child(code, 1);
	show("a bad place for usage", wait4(-1, NULL, 0, (void *)BAD));
	child(code, 1);
	show("a bad place for info", syscall(SYS_waitid, P_ALL, 0, BAD, WEXITED, NULL));
}

static void errors(void)
{
	siginfo_t info;
	int status;

	CALL(wait4, -1, &status, 0, NULL);
	CALL(wait4, 0, &status, 0, NULL);
	CALL(wait4, 1, &status, 0, NULL);
	CALL(wait4, getpid(), &status, 0, NULL);
	CALL(wait4, -12345678, &status, WNOHANG, NULL);
	CALL(wait4, INT_MIN, &status, 0, NULL);
	CALL(wait4, -1, &status, 0x1000, NULL);
	CALL(wait4, -1, &status, WNOWAIT, NULL);
	CALL(wait4, -1, &status, WEXITED, NULL);
	CALL(wait4, -1, &status, WUNTRACED | WCONTINUED | WNOHANG, NULL);
	CALL(waitid, P_ALL, 0, &info, 0, NULL);
	CALL(waitid, P_ALL, 0, &info, WNOHANG, NULL);
	CALL(waitid, P_ALL, 0, &info, WEXITED | 0x100, NULL);
	CALL(waitid, P_ALL, 0, &info, WEXITED, NULL);
	CALL(waitid, 17, 0, &info, WEXITED, NULL);
	CALL(waitid, P_PID, 0, &info, WEXITED, NULL);
	CALL(waitid, P_PID, -1, &info, WEXITED, NULL);
	CALL(waitid, P_PGID, -1, &info, WEXITED, NULL);
	CALL(waitid, P_PGID, 0, &info, WEXITED, NULL);
	CALL(waitid, P_PID, getpid(), &info, WEXITED, NULL);
	CALL(waitid, P_PIDFD, -1, &info, WEXITED, NULL);
	CALL(waitid, P_PIDFD, 0, &info, WEXITED, NULL);
	CALL(waitid, P_PIDFD, 77, &info, WEXITED, NULL);
}

static int in_group(long status)
{
	setpgid(0, 0);
	return through_gate(status);
}

static void by_group(void)
{
	siginfo_t info;
	pid_t a, b, c;

	gate_make();
	a = child(in_group, 1);
	setpgid(a, a);
	b = fork_or_end();
	if (!b)
		_exit(through_gate(2));
	setpgid(b, a);
	c = child(through_gate, 3);
	show("nobody of the group", waitpid(-a, NULL, WNOHANG));
	gate_open();
	until_ended(a);
	until_ended(b);
	until_ended(c);
	check("of this group", waitpid(0, NULL, 0) == c);
	show("no more of this group", waitpid(0, NULL, 0));
	show("waitid", waitid(P_PGID, a, &info, WEXITED));
	check("one of it", info.si_pid == a || info.si_pid == b);
	check("the other", waitpid(-a, NULL, 0) == (info.si_pid == a ? b : a));
	show("no more", waitpid(-a, NULL, 0));
	show("none at all", waitpid(-1, NULL, 0));
}

static int burn(long ms)
{
	int64_t end = now_by(CLOCK_PROCESS_CPUTIME_ID) + ms * MS;

	while (now_by(CLOCK_PROCESS_CPUTIME_ID) < end)
		;
	return 0;
}

static long us(struct timeval t)
{
	return t.tv_sec * 1000000 + t.tv_usec;
}

static void usage(void)
{
	struct rusage usage, sum;
	int64_t begun = now();
	struct tms tms;
	int status;
	pid_t pid;

	memset(&usage, 0x55, sizeof(usage));
	pid = child(burn, 200);
	check("wait4", wait4(pid, &status, 0, &usage) == pid && status == 0);
	check("it has used at least what it burned", us(usage.ru_utime) + us(usage.ru_stime) >= 150000);
	check("and no more than time has passed", us(usage.ru_utime) + us(usage.ru_stime) < (now() - begun) / 1000 * 8);
	check("some memory", usage.ru_maxrss > 0 && usage.ru_maxrss < 100l << 20);
	check("counts are sane", usage.ru_minflt >= 0 && usage.ru_nvcsw >= 0 && usage.ru_nivcsw >= 0);
	getrusage(RUSAGE_CHILDREN, &sum);
	check("the children's are its", us(sum.ru_utime) + us(sum.ru_stime) >= 150000);
	times(&tms);
	check("times() tells of it", tms.tms_cutime + tms.tms_cstime >= 10);
}

/* How many pages a child has touched for the first time. */
static void faults(void)
{
	struct rusage usage;
	int status;

	child(code, 0);
	if (wait4(-1, &status, 0, &usage) > 0 && status == 0)
		printf("%ld faults\n", usage.ru_minflt);
}

/* ------------------------------------------------------------- SIGCHLD */

static volatile sig_atomic_t handled;
static siginfo_t last;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	last = *info;
	handled++;
}

static void sigchld(void)
{
	pid_t pid;

	catch_flags(SIGCHLD, handler, SA_RESTART);
	pid = child(code, 33);
	WAIT_UNTIL(handled == 1);
	print_info("exited", &last, pid);
	printf("%d\n", ended(pid));
	pid = child(forever, 0);
	kill(pid, SIGTERM);
	WAIT_UNTIL(handled == 2);
	print_info("terminated", &last, pid);
	printf("%d\n", ended(pid));
	block(SIGCHLD);
	for (int i = 0; i < 10; i++)
		ended(child(code, i));
	unblock(SIGCHLD);
	check("many are one", handled == 3);
	signal(SIGCHLD, SIG_DFL);
	pid = child(code, 34);
	printf("by default: %d\n", ended(pid));
}

static void autoreaped(void)
{
	struct sigaction act = { .sa_sigaction = handler, .sa_flags = SA_NOCLDWAIT | SA_SIGINFO };
	int64_t begun = now();
	siginfo_t info;
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 5; i++)
		child(code, i);
	/* waits until all have ended, and then has none */
	show("wait", wait(NULL));
	gate_make();
	pid = child(through_gate, 1);
	show("nohang", waitpid(pid, NULL, WNOHANG));
	gate_open();
	show("waitpid", waitpid(pid, NULL, 0));
	show("kill", kill(pid, 0));
	sigaction(SIGCHLD, &act, NULL);
	pid = child(code, 1);
	show("NOCLDWAIT", waitid(P_PID, pid, &info, WEXITED));
	WAIT_UNTIL(handled);
	print_info("told all the same", &last, pid);
	signal(SIGCHLD, SIG_DFL);
	printf("%d\n", ended(child(code, 77)));
	check("soon", now() - begun < 60000 * MS);
}

static void ignored_later(void)
{
	pid_t pid = child(code, 5), other;

	until_ended(pid);
	signal(SIGCHLD, SIG_IGN);
	/* who is a zombie already, stays one */
	printf("a zombie from before: %d\n", ended(pid));
	gate_make();
	other = child(through_gate, 6);
	signal(SIGCHLD, SIG_DFL);
	gate_open();
	printf("no longer ignored: %d\n", ended(other));
}

static void sigwaited(void)
{
	sigset_t set = set_of(SIGCHLD);
	siginfo_t info;

	block(SIGCHLD);
	for (int i = 0; i < 20; i++) {
		pid_t pid = child(code, i);

		if (sigwaitinfo(&set, &info) != SIGCHLD || info.si_pid != pid || info.si_status != i ||
		    info.si_code != CLD_EXITED)
			printf("wrong\n");
		if (waitpid(pid, NULL, WNOHANG) != pid)
			printf("not ended when told\n");
	}
	printf("20 waited for\n");
}

static int ends_when_waited(long ms)
{
	sleep_ms(ms);
	return 0;
}

static void interrupted(void)
{
	struct timespec long_time = { 1000, 0 }, rest = { 0, 0 };
	int ends[2], ready;
	char c;
	pid_t pid;

	if (pipe(ends))
		exit(1);
	catch_flags(SIGCHLD, handler, 0);
	pid = child(ends_when_waited, 100);
	show("read", read(ends[0], &c, 1));
	ended(pid);
	pid = child(ends_when_waited, 100);
	show("poll", poll(NULL, 0, -1));
	ended(pid);
	pid = child(ends_when_waited, 100);
	show("nanosleep", nanosleep(&long_time, &rest));
	check("the rest", rest.tv_sec > 500 && rest.tv_sec <= 1000);
	ended(pid);
	printf("%d handled\n", handled);
	/* what is restarted goes on */
	catch_flags(SIGCHLD, handler, SA_RESTART);
	pid = fork_or_end();
	if (!pid) {
		if (!fork())
			_exit(0);
		wait(NULL);
		sleep_ms(50);
		_exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
	}
	ready = read(ends[0], &c, 1);
	printf("restarted read: %d\n", ready);
	ended(pid);
}

static void alarm_handler(int sig)
{
	(void)sig;
	handled++;
}

/* wait4() itself is interrupted, or restarted. */
static void wait_interrupted(void)
{
	struct sigaction act = { .sa_handler = alarm_handler };
	struct itimerval soon = { { 0, 0 }, { 0, 50000 } };
	pid_t pid;

	gate_make();
	pid = child(through_gate, 9);
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	show("wait4", wait4(pid, NULL, 0, NULL));
	setitimer(ITIMER_REAL, &soon, NULL);
	show("waitid", waitid(P_PID, pid, &last, WEXITED));
	printf("%d handled\n", handled);
	act.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	if (!fork_or_end()) {
		/* holds the gate until the timer has had its time */
		sleep_ms(200);
		_exit(0);
	}
	gate_open();
	printf("restarted: %d\n", ended(pid));
	check("handled while it waited", handled == 3);
}

/* Who waits in one thread for what another thread has made; and several wait for different ones. */
static void *wait_for_one(void *pid)
{
	return (void *)(long)ended((pid_t)(long)pid);
}

static void by_threads(void)
{
	pthread_t threads[8];
	int wrong = 0;

	for (int i = 0; i < 8; i++)
		threads[i] = start(wait_for_one, (void *)(long)child(code, i));
	for (int i = 0; i < 8; i++)
		wrong += (long)join(threads[i]) != i;
	printf("%d wrong\n", wrong);
}

static const struct part parts[] = {
	{ "nohang", nohang },
	{ "nowait", nowait },
	{ "infos", infos },
	{ "errors", errors },
	{ "by-group", by_group },
	{ "usage", usage },
	{ "faults", faults },
	{ "sigchld", sigchld },
	{ "autoreaped", autoreaped },
	{ "ignored-later", ignored_later },
	{ "sigwaited", sigwaited },
	{ "interrupted", interrupted },
	{ "wait-interrupted", wait_interrupted },
	{ "by-threads", by_threads },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
