/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom a run has left. */
#define _GNU_SOURCE
#include "harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int run_members(const struct running *r, pid_t *any)
{
	DIR *proc = opendir("/proc");
	pid_t group = run_pid(r);
	struct dirent *d;
	int n = 0;

	assert_non_null(proc);
	while ((d = readdir(proc))) {
		char path[300], state;
		int pid, pgid;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/stat", d->d_name);
		f = atoi(d->d_name) > 0 ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		if (fscanf(f, "%d (%*[^)]) %c %*d %d", &pid, &state, &pgid) == 3 && pgid == group && pid != group &&
		    state != 'Z' && state != 'X') {
			n++;
			if (any)
				*any = pid;
		}
		fclose(f);
	}
	closedir(proc);
	return n;
}

bool run_none_left(const struct running *r)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, run_pid(r), &info, WEXITED | WNOWAIT), 0);
	/* they are not waited for */
	for (int i = 0; i < 100 * run_slowness(); i++) {
		if (!run_members(r, NULL))
			return true;
		usleep(50000);
	}
	return false;
}
