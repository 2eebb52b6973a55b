/* SPDX-License-Identifier: GPL-2.0-only */
/* Other ways to processes of other programs: vfork(), posix_spawn(), a shell; and a hundred of them. */
#include "process.h"

#include <spawn.h>

#define SELF "build/guest/process_exec"

extern char **environ;

static int vforked_code(int n, char *path, char **args)
{
	pid_t pid = vfork();

	if (!pid) {
		execv(path, args);
		_exit(n);
	}
	return ended(pid);
}

static void vforked(void)
{
	char *args[] = { "name", "exit-with", "33", NULL };
	int wrong = 0;

	printf("%d\n", vforked_code(9, SELF, args));
	printf("%d\n", vforked_code(9, "/no/such/file", args));
	for (int i = 0; i < 20; i++)
		wrong += vforked_code(9, SELF, args) != 33;
	printf("%d wrong\n", wrong);
}

static void spawned(void)
{
	char *args[] = { "name", "exit-with", "44", NULL }, *print[] = { SELF, "print-args", "spawned", NULL };
	char *group[] = { SELF, "spawned-state", NULL }, *env[] = { "A=1", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set = set_of(SIGUSR1), defaults = set_of(SIGUSR2);
	int ends[2], n = 0, error;
	char buffer[500];
	pid_t pid;

	error = posix_spawn(&pid, "/no/such/program", NULL, NULL, args, environ);
	show_error("a missing program", error);
	error = posix_spawn(&pid, "build", NULL, NULL, args, environ);
	show_error("a directory", error);
	error = posix_spawn(&pid, SELF, NULL, NULL, args, environ);
	printf("%d %d\n", error, ended(pid));
	if (pipe2(ends, O_CLOEXEC))
		exit(1);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addclose(&actions, 0);
	error = posix_spawn(&pid, SELF, &actions, NULL, print, env);
	close(ends[1]);
	for (int more; (more = read(ends[0], buffer + n, sizeof(buffer) - n)) > 0;)
		n += more;
	printf("%d %d: %d bytes: %.*s", error, ended(pid), n, n, buffer);
	signal(SIGUSR2, SIG_IGN);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	error = posix_spawn(&pid, SELF, NULL, &attr, group, env);
	printf("%d %d\n", error, ended(pid));
}

/* As make -j4: 100 jobs, four at once. */
static void jobs(void)
{
	int running = 0, sum = 0, status, next = 0, count = argument ? argument : 100;
	char number[20], *args[] = { "name", "exit-with", number, NULL };

	while (next < count || running) {
		if (next < count && running < 4) {
			pid_t pid;

			snprintf(number, sizeof(number), "%d", next++);
			pid = fork_or_end();
			if (!pid) {
				execv(SELF, args);
				_exit(200);
			}
			running++;
			continue;
		}
		if (wait(&status) > 0 && WIFEXITED(status))
			sum += WEXITSTATUS(status);
		running--;
	}
	printf("sum %d\n", sum);
}

/* By /bin/sh, which is busybox's: a grant names it. */
static void shell(void)
{
	char line[100] = "";
	int status;
	FILE *f;

	printf("%x\n", system("exit 3"));
	status = system("echo by system; kill -TERM $$");
	printf("%d\n", code_of(status));
	printf("%d\n", system(NULL) != 0);
	f = popen("echo by popen; exit 5", "r");
	if (f && fgets(line, sizeof(line), f))
		printf("%s", line);
	printf("%x\n", pclose(f));
	f = popen("read line; echo \"read $line\"", "w");
	fputs("a line\n", f);
	printf("%x\n", pclose(f));
	printf("missing: %x\n", system("/no/such/program 2> /dev/null"));
}

static const struct part parts[] = {
	{ "vforked", vforked },
	{ "spawned", spawned },
	{ "jobs", jobs },
	{ "shell", shell },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
