/* SPDX-License-Identifier: GPL-2.0-only */
/* Job control: programs on a terminal of their own, natively and under kvmrun. */
#include "lib/harness.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What is typed when the terminal has shown something that was not there at the last step. */
struct step {
	const char *shows, *type;
};

struct session {
	int master;
	pid_t pid;
	char text[64 * 1024];
	size_t len, seen;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Starts a shell's command on it, as the leader of its session. */
static void start(struct session *s, const char *command)
{
	struct termios quiet;
	int slave;

	memset(s, 0, sizeof(*s));
	assert_int_equal(openpty(&s->master, &slave, NULL, NULL, NULL), 0);
	tcgetattr(slave, &quiet);
	quiet.c_lflag &= ~(ECHO | ECHOCTL);
	tcsetattr(slave, TCSANOW, &quiet);
	s->pid = fork();
	if (!s->pid) {
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(slave);
}

/* Until the text is there, or (NULL) nothing more comes. */
static bool reads_until(struct session *s, const char *text, double deadline)
{
	while (!text || !strstr(s->text + s->seen, text)) {
		struct pollfd p = { s->master, POLLIN, 0 };
		ssize_t n;

		if (now() > deadline)
			return false;
		if (poll(&p, 1, 100) == 0)
			continue;
		n = read(s->master, s->text + s->len, sizeof(s->text) - 1 - s->len);
		if (n <= 0)
			return !text;
		s->len += n;
	}
	s->seen = strstr(s->text + s->seen, text) - s->text + strlen(text);
	return true;
}

/* Threads that run or could, but for who asks: of "0.10 0.20 0.30 RUNNING/ALL PID" one less. */
static int others_run(void)
{
	FILE *file = fopen("/proc/loadavg", "re");
	int running = 1;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*s %*s %*s %d/", &running), 1);
	fclose(file);
	return running - 1;
}

/*
 * Who has shown a step's text may have something left to do before it waits for what is typed: it has 0.15 s,
 * and on an emulated machine until all of it has done nothing for as long, six times that at most.
 */
static void rest(void)
{
	const struct timespec beat = { 0, run_slow() ? 30000000 : 150000000 };
	double until = now() + 0.06 * run_slowness();
	int quiet = 0;

	do {
		nanosleep(&beat, NULL);
		quiet = others_run() ? 0 : quiet + 1;
	} while (run_slow() && quiet < 5 && now() < until);
}

/* The exit status of a session that goes by these steps; its text is the caller's to free. */
static int follow(const char *command, const struct step *step, char **text)
{
	double deadline = now() + 20 * run_slowness();
	struct session s;
	int status = -1;

	start(&s, command);
	for (; step->shows; step++) {
		if (!reads_until(&s, step->shows, deadline)) {
			fprintf(stderr, "%s: no \"%s\" in:\n%s\n", command, step->shows, s.text);
			kill(-s.pid, SIGKILL);
			kill(s.pid, SIGKILL);
			waitpid(s.pid, NULL, 0);
			close(s.master);
			fail();
		}
		rest();
		if (step->type && write(s.master, step->type, strlen(step->type)) < 0)
			fail();
	}
	reads_until(&s, NULL, deadline);
	waitpid(s.pid, &status, 0);
	close(s.master);
	*text = strdup(s.text);
	return status;
}

static void compare(const char *options, const char *program, const struct step *steps, int status, bool all)
{
	const char *kvmrun = getenv("KVMRUN") ? getenv("KVMRUN") : "./kvmrun";
	char *command = NULL, *native = NULL, *guest = NULL;
	int native_status, guest_status;

	assert_true(asprintf(&command, "exec env -i TERM=dumb 'PS1=%%> ' PATH=/bin %s", program) > 0);
	native_status = follow(command, steps, &native);
	free(command);
	assert_true(asprintf(&command, "exec %s $KVMRUN_TEST_OPTS --timeout %g --env TERM=dumb --env 'PS1=%%> ' --env PATH=/bin %s -- %s",
			     kvmrun, 60 * run_slowness(), options, program) > 0);
	guest_status = follow(command, steps, &guest);
	if (native_status != status << 8 || guest_status != native_status || (all && strcmp(native, guest))) {
		fprintf(stderr, "%s: natively status %#x:\n%s\nhere %#x:\n%s\n", program, native_status, native, guest_status, guest);
		fail();
	}
	free(command);
	free(native);
	free(guest);
}

static void a_terminals_groups_and_keys_are_the_programs(void **state)
{
	static const struct step steps[] = {
		{ "type a line\r\n", "hello\n" },
		{ "press a key\r\n", "\x1a" },
		{ "press another\r\n", "\x03" },
		{ "done\r\n", NULL },
		{ 0 },
	};

	(void)state;
	compare("", "build/guest/jobs", steps, 9, true);
}

/*
 * What each shell says of its jobs is its own; that it can do so is what is asked. A job has the
 * number of the one before if its end has been told by then: hence %%, the one of now.
 */
static const struct step shell_steps[] = {
	{ "%> ", "echo one-$((1+1))\n" },
	{ "one-2", "/bin/busybox sh -c 'echo started-$((2+2)); exec /bin/busybox sleep 1000'\n" },
	{ "started-4", "\x1a" },
	{ "topped", "echo then-$((3+3))\n" },
	{ "then-6", "fg\n" },
	{ "sleep 1000", "\x03" },
	{ "%> ", "echo status-$?\n" },
	{ "status-130", "/bin/busybox cat & /bin/busybox sleep 1; jobs; echo go-$((4+4))\n" },
	{ "topped", NULL },
	{ "go-8", "kill -9 %%; wait; echo gone-$((4+5))\n" },
	{ "gone-9", NULL },
	{ "%> ", "/bin/busybox sh -c 'echo again-$((5+5)); exec /bin/busybox sleep 1000'\n" },
	{ "again-10", "\x1a" },
	{ "topped", "bg; kill %%; wait; echo after-$((6+6))\n" },
	{ "after-12", "exit 7\n" },
	{ 0 },
};

static void busybox_sh_controls_its_jobs(void **state)
{
	(void)state;
	compare("--ro /bin", "/bin/busybox sh -i", shell_steps, 7, false);
}

static void bash_controls_its_jobs(void **state)
{
	(void)state;
	compare("--ro /bin --ro /lib --ro /lib64 --ro /usr --mem 256M", "/bin/bash --norc --noprofile --noediting -i", shell_steps, 7, false);
}

/* The program stops itself, who has started it sees that, and a child of the program's lets it go on. */
static void see_stop(const char *before)
{
	char *command = NULL;
	int status = 0;
	pid_t pid;

	assert_true(asprintf(&command, "exec %s /bin/busybox sh -c '(/bin/busybox sleep 3; kill -CONT $$) & kill -STOP $$; wait; exit 5'", before) > 0);
	pid = fork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(status, SIGSTOP << 8 | 0x7f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 5 << 8);
	free(command);
}

static void a_stop_is_seen_from_outside_and_ended_from_inside(void **state)
{
	char *kvmrun = NULL;

	(void)state;
	see_stop("");
	assert_true(asprintf(&kvmrun, "%s $KVMRUN_TEST_OPTS --ro /bin --", getenv("KVMRUN") ? getenv("KVMRUN") : "./kvmrun") > 0);
	see_stop(kvmrun);
	free(kvmrun);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminals_groups_and_keys_are_the_programs),
		cmocka_unit_test(busybox_sh_controls_its_jobs),
		cmocka_unit_test(bash_controls_its_jobs),
		cmocka_unit_test(a_stop_is_seen_from_outside_and_ended_from_inside),
	};

	return harness_main(argc, argv, "jobs", tests, ARRAY_SIZE(tests), NULL, NULL);
}
