/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared memory and semaphores by name, between two processes: shm_open(3), sem_open(3). */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char memory[64], first[64], second[64];

static void child(void)
{
	int fd = shm_open(memory, O_RDWR, 0);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sem_t *ask = sem_open(first, 0), *answer = sem_open(second, 0);

	for (int i = 0; i < 100; i++) {
		while (sem_wait(ask) < 0)
			;
		p[i + 1] = p[i] + 1;
		sem_post(answer);
	}
	_exit(p[0] == 1 ? 7 : 8);
}

int main(void)
{
	sem_t *ask, *answer;
	int fd, status;
	pid_t pid;
	char *p;

	snprintf(memory, sizeof(memory), "/kvmrun-test-memory-%d", getpid());
	snprintf(first, sizeof(first), "/kvmrun-test-first-%d", getpid());
	snprintf(second, sizeof(second), "/kvmrun-test-second-%d", getpid());
	fd = shm_open(memory, O_RDWR | O_CREAT | O_EXCL, 0600);
	ask = sem_open(first, O_CREAT | O_EXCL, 0600, 0);
	answer = sem_open(second, O_CREAT | O_EXCL, 0600, 0);
	printf("%d %d %d\n", fd >= 0, ask != SEM_FAILED, answer != SEM_FAILED);
	printf("ftruncate: %d\n", ftruncate(fd, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p[0] = 1;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		child();
	for (int i = 0; i < 100; i++) {
		sem_post(ask);
		while (sem_wait(answer) < 0)
			;
	}
	waitpid(pid, &status, 0);
	printf("%d, status %d\n", p[100], WEXITSTATUS(status));
	printf("unlink: %d %d %d\n", shm_unlink(memory), sem_unlink(first), sem_unlink(second));
	printf("again: %d, %s\n", shm_open(memory, O_RDWR, 0), strerror(errno));
	return 0;
}
