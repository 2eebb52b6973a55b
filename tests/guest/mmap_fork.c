/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that processes share: the children's writes, futexes between them, a lock whose owner has died. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 3
#define TURNS 200

static struct shared {
	pthread_barrier_t all;
	pthread_mutex_t lock;
	sem_t turn[CHILDREN];
	long count;
	char text[3 << 20];
} *shared;

static int child(int n)
{
	char *own = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(own, n, 1 << 20);
	pthread_barrier_wait(&shared->all);
	for (int i = 0; i < TURNS; i++) {
		sem_wait(&shared->turn[n]);
		if (shared->text[(i * CHILDREN + n) * 4096] != (char)(i + n))
			return 10;
		sem_post(&shared->turn[(n + 1) % CHILDREN]);
		pthread_mutex_lock(&shared->lock);
		shared->count++;
		pthread_mutex_unlock(&shared->lock);
	}
	for (int i = 0; i < 1 << 20; i += 4096)
		if (own[i] != n)
			return 11;
	pthread_barrier_wait(&shared->all);
	if (!n)
		pthread_mutex_lock(&shared->lock);
	return n;
}

int main(void)
{
	pthread_barrierattr_t ba;
	pthread_mutexattr_t ma;
	pid_t pid[CHILDREN];
	int status;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_init(&ba);
	pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->all, &ba, CHILDREN);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&shared->lock, &ma);
	for (int i = 0; i < CHILDREN; i++)
		sem_init(&shared->turn[i], 1, 0);
	for (int i = 0; i < CHILDREN; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(child(i));
	}
	/* after the fork, before they look */
	for (int i = 0; i < TURNS; i++)
		for (int n = 0; n < CHILDREN; n++)
			shared->text[(i * CHILDREN + n) * 4096] = i + n;
	sem_post(&shared->turn[0]);
	for (int i = 0; i < CHILDREN; i++) {
		waitpid(pid[i], &status, 0);
		printf("%d ended with %d\n", i, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	}
	printf("%ld\n", shared->count);
	printf("%s\n", strerror(pthread_mutex_lock(&shared->lock)));
	return 0;
}
