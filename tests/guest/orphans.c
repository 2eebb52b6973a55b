/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes whose parent ends before them, and which go on: each tells so when it is asked to. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORPHANS 8

int main(void)
{
	int ask[2], answer[2], status, bad = 0, came = 0;
	pid_t pid, own = getpid();
	char c;

	if (pipe(ask) || pipe(answer))
		return 1;
	for (int i = 0; i < ORPHANS; i++) {
		pid = fork();
		if (!pid) {
			/* their parent ends while they begin, and after */
			if (!fork()) {
				if (read(ask[0], &c, 1) == 1 && getppid() != own)
					write(answer[1], &c, 1);
				_exit(0);
			}
			if (i % 2)
				usleep(20000);
			_exit(7);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
			bad++;
	}
	write(ask[1], "12345678", ORPHANS);
	close(answer[1]);
	while (read(answer[0], &c, 1) == 1)
		came++;
	printf("%d of %d went on, %d parents did not end as they should\n", came, ORPHANS, bad);
	return 0;
}
