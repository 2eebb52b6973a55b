/* SPDX-License-Identifier: GPL-2.0-only */
/* What libc makes of futexes: mutexes, conditions, barriers, semaphores and the like. */
#include "thread.h"

#include <semaphore.h>
#include <threads.h>

#define THREADS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile long counter;
static atomic_int count;
static atomic_bool go;

/* Time that has not passed before a call gives up. */
static bool passed(clockid_t clock, struct timespec end)
{
	return now_by(clock) >= end.tv_sec * 1000 * MS + end.tv_nsec;
}

/* ------------------------------------------------------------- mutexes */

struct elsewhere {
	int (*call)(pthread_mutex_t *m);
	pthread_mutex_t *m;
};

static void *call_it(void *arg)
{
	struct elsewhere *e = arg;

	return (void *)(long)e->call(e->m);
}

/* What the call returns in another thread. */
#define TRY_ELSEWHERE(f, mutex) \
	show_error("elsewhere " #f, (long)join(start(call_it, &(struct elsewhere){ f, mutex })))

static void *count_locked(void *arg)
{
	for (int i = 0; i < argument; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void contended(void)
{
	run_threads(THREADS, count_locked);
	printf("%ld\n", counter);
}

/* Held while one sleeps, so that the others must wait in the kernel. */
static void *hold_for_long(void *arg)
{
	for (int i = 0; i < 10; i++) {
		pthread_mutex_lock(&mutex);
		count += counter++ != 0;
		sleep_ms(1);
		counter--;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void held(void)
{
	run_threads(THREADS, hold_for_long);
	printf("%d found company, %ld left\n", count, counter);
}

static void kinds(void)
{
	static const int types[] = { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK };
	struct timespec end;
	pthread_mutexattr_t attr;
	pthread_mutex_t m;

	pthread_mutexattr_init(&attr);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		printf("type %d\n", types[i]);
		pthread_mutexattr_settype(&attr, types[i]);
		TRY(pthread_mutex_init(&m, &attr));
		TRY(pthread_mutex_lock(&m));
		TRY(pthread_mutex_trylock(&m));
		TRY_ELSEWHERE(pthread_mutex_trylock, &m);
		if (types[i] == PTHREAD_MUTEX_RECURSIVE)
			TRY(pthread_mutex_unlock(&m));
		if (types[i] == PTHREAD_MUTEX_ERRORCHECK)
			TRY(pthread_mutex_lock(&m));
		if (types[i] != PTHREAD_MUTEX_NORMAL)
			TRY_ELSEWHERE(pthread_mutex_unlock, &m);
		TRY_ELSEWHERE(pthread_mutex_trylock, &m);
		if (types[i] == PTHREAD_MUTEX_NORMAL) {
			end = after_ms(CLOCK_REALTIME, 20);
			TRY(pthread_mutex_timedlock(&m, &end));
			check("the time passed", passed(CLOCK_REALTIME, end));
			end = after_ms(CLOCK_MONOTONIC, 20);
			TRY(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &end));
			check("the time passed", passed(CLOCK_MONOTONIC, end));
		}
		TRY(pthread_mutex_unlock(&m));
		if (types[i] != PTHREAD_MUTEX_NORMAL)
			TRY(pthread_mutex_unlock(&m));
		TRY(pthread_mutex_destroy(&m));
	}
}

static void *lock_and_die(void *m)
{
	if (!pthread_mutex_lock(m))
		WAIT_UNTIL(go);
	return NULL;
}

/* The owner ends: who waits then, and who comes later, is told. */
static void robust(void)
{
	pthread_mutex_t m[2];
	pthread_mutexattr_t attr;
	pthread_t owner, waiter;

	pthread_mutexattr_init(&attr);
	TRY(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	pthread_mutex_init(&m[0], &attr);
	pthread_mutex_init(&m[1], &attr);
	go = true;
	join(start(lock_and_die, &m[0]));
	TRY(pthread_mutex_trylock(&m[0]));
	TRY(pthread_mutex_consistent(&m[0]));
	TRY(pthread_mutex_unlock(&m[0]));
	TRY_ELSEWHERE(pthread_mutex_lock, &m[0]);
	TRY(pthread_mutex_lock(&m[0]));
	TRY(pthread_mutex_unlock(&m[0]));
	TRY(pthread_mutex_lock(&m[0]));

	go = false;
	owner = start(lock_and_die, &m[1]);
	WAIT_UNTIL(m[1].__data.__lock);
	waiter = start(call_it, &(struct elsewhere){ pthread_mutex_lock, &m[1] });
	/* the word says that somebody waits */
	WAIT_UNTIL((unsigned int)m[1].__data.__lock >> 31);
	go = true;
	join(owner);
	show_error("who waited", (long)join(waiter));
	TRY(pthread_mutex_lock(&m[1]));
	TRY(pthread_mutex_consistent(&m[1]));
	TRY(pthread_mutex_unlock(&m[1]));
}

/* ------------------------------------------------------------- conditions */

#define ITEMS 5000

static int queue[8], head, tail, done;
static pthread_cond_t full = PTHREAD_COND_INITIALIZER;

static void *produce(void)
{
	for (int i = 1; i <= ITEMS; i++) {
		pthread_mutex_lock(&mutex);
		while (head - tail == ARRAY_SIZE(queue))
			pthread_cond_wait(&full, &mutex);
		queue[head++ % ARRAY_SIZE(queue)] = i;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
	}
	pthread_mutex_lock(&mutex);
	done++;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void *consume(void)
{
	long sum = 0;

	pthread_mutex_lock(&mutex);
	for (;;) {
		while (head == tail && done != 2)
			pthread_cond_wait(&cond, &mutex);
		if (head == tail)
			break;
		sum += queue[tail++ % ARRAY_SIZE(queue)];
		pthread_cond_signal(&full);
	}
	pthread_mutex_unlock(&mutex);
	return (void *)sum;
}

static void *one_of_four(void *arg)
{
	return (long)arg & 1 ? produce() : consume();
}

static void conditions(void)
{
	printf("sum %ld", run_threads(4, one_of_four));
	printf(" of %d\n", head);
}

static void *wait_for_all(void *arg)
{
	pthread_mutex_lock(&mutex);
	counter++;
	while (!go)
		pthread_cond_wait(&cond, &mutex);
	counter--;
	pthread_mutex_unlock(&mutex);
	return arg;
}

static bool all_wait(void)
{
	bool all;

	pthread_mutex_lock(&mutex);
	all = counter == 16;
	pthread_mutex_unlock(&mutex);
	return all;
}

static void broadcast(void)
{
	pthread_t threads[16];

	for (int i = 0; i < 16; i++)
		threads[i] = start(wait_for_all, NULL);
	WAIT_UNTIL(all_wait());
	pthread_mutex_lock(&mutex);
	go = true;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 16; i++)
		join(threads[i]);
	printf("%ld wait\n", counter);
}

/* All at once, each its own time. */
static void *wait_in_vain(void *arg)
{
	int number = (long)arg, error = 0;
	clockid_t clock = number & 1 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	struct timespec end = after_ms(clock, 10 + number);

	pthread_mutex_lock(&mutex);
	while (!error)
		error = pthread_cond_clockwait(&cond, &mutex, clock, &end);
	pthread_mutex_unlock(&mutex);
	return (void *)(long)(error == ETIMEDOUT && passed(clock, end));
}

static void timeouts(void)
{
	struct timespec end = after_ms(CLOCK_REALTIME, 20), past = { 1, 0 }, wrong = { 1, -1 };

	pthread_mutex_lock(&mutex);
	TRY(pthread_cond_timedwait(&cond, &mutex, &end));
	check("the time passed", passed(CLOCK_REALTIME, end));
	TRY(pthread_cond_timedwait(&cond, &mutex, &past));
	TRY(pthread_cond_timedwait(&cond, &mutex, &wrong));
	pthread_mutex_unlock(&mutex);
	printf("%ld of 16 timed out in time\n", run_threads(16, wait_in_vain));
}

/* ------------------------------------------------------------- locks of other kinds */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile long pair[2];

static void *read_or_write(void *arg)
{
	long wrong = 0;

	for (int i = 0; i < 2000; i++)
		if (((long)arg & 1) && i % 4 == 0) {
			pthread_rwlock_wrlock(&rwlock);
			pair[0]++;
			if (i % 64 == 0)
				sched_yield();
			pair[1]++;
			pthread_rwlock_unlock(&rwlock);
		} else {
			pthread_rwlock_rdlock(&rwlock);
			wrong += pair[0] != pair[1];
			pthread_rwlock_unlock(&rwlock);
		}
	return (void *)wrong;
}

static int try_read(pthread_mutex_t *m)
{
	int error = pthread_rwlock_tryrdlock(&rwlock);

	(void)m;
	if (!error)
		pthread_rwlock_unlock(&rwlock);
	return error;
}

static int try_write(pthread_mutex_t *m)
{
	struct timespec end = after_ms(CLOCK_REALTIME, 10);
	int error = pthread_rwlock_timedwrlock(&rwlock, &end);

	return m || error ? error : pthread_rwlock_unlock(&rwlock);
}

static void rwlocks(void)
{
	TRY(pthread_rwlock_rdlock(&rwlock));
	TRY_ELSEWHERE(try_read, NULL);
	TRY_ELSEWHERE(try_write, NULL);
	TRY(pthread_rwlock_unlock(&rwlock));
	TRY(pthread_rwlock_wrlock(&rwlock));
	TRY(pthread_rwlock_rdlock(&rwlock));
	TRY_ELSEWHERE(try_read, NULL);
	TRY_ELSEWHERE(try_write, NULL);
	TRY(pthread_rwlock_unlock(&rwlock));
	TRY_ELSEWHERE(try_write, NULL);
	printf("%ld wrong", run_threads(4, read_or_write));
	printf(", %ld %ld written\n", pair[0], pair[1]);
}

static pthread_barrier_t barrier;
static atomic_int serials, steps[2];

static void *meet(void *arg)
{
	long wrong = 0;

	(void)arg;
	for (int i = 0; i < 200; i++) {
		steps[i & 1]++;
		serials += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
		wrong += steps[i & 1] != 8 * (i / 2 + 1);
		pthread_barrier_wait(&barrier);
	}
	return (void *)wrong;
}

static void barriers(void)
{
	pthread_barrier_init(&barrier, NULL, 8);
	printf("%ld wrong", run_threads(8, meet));
	printf(", %d times one was told\n", serials);
}

static sem_t sems[2];

static void *hand_back(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		sem_wait(&sems[0]);
		counter++;
		sem_post(&sems[1]);
	}
	return arg;
}

static void semaphores(void)
{
	struct timespec end = after_ms(CLOCK_REALTIME, 20);
	pthread_t thread;
	int wrong = 0, value;

	sem_init(&sems[0], 0, 0);
	sem_init(&sems[1], 0, 2);
	show("sem_trywait", sem_trywait(&sems[0]));
	show("sem_timedwait", sem_timedwait(&sems[0], &end));
	check("the time passed", passed(CLOCK_REALTIME, end));
	show("sem_trywait", sem_trywait(&sems[1]));
	sem_getvalue(&sems[1], &value);
	printf("value %d\n", value);
	show("sem_wait", sem_wait(&sems[1]));
	thread = start(hand_back, NULL);
	for (int i = 0; i < 5000; i++) {
		wrong += counter != i;
		sem_post(&sems[0]);
		sem_wait(&sems[1]);
	}
	join(thread);
	printf("%d wrong, %ld times\n", wrong, counter);
}

#define ONCES 200

static pthread_once_t onces[ONCES];

static void only_once(void)
{
	sched_yield();
	count++;
}

static void *do_once(void *arg)
{
	long wrong = 0;

	(void)arg;
	for (int i = 0; i < ONCES; i++) {
		pthread_once(&onces[i], only_once);
		wrong += count < i + 1;
	}
	return (void *)wrong;
}

static void once(void)
{
	printf("%ld too early", run_threads(8, do_once));
	printf(", %d times\n", count);
}

static pthread_spinlock_t spinlock;
static _Atomic long exact;

static void *count_spinning(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_spin_lock(&spinlock);
		counter++;
		pthread_spin_unlock(&spinlock);
		exact++;
	}
	return arg;
}

static void spinlocks(void)
{
	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	run_threads(THREADS, count_spinning);
	TRY(pthread_spin_lock(&spinlock));
	TRY(pthread_spin_trylock(&spinlock));
	printf("%ld %ld\n", counter, exact);
}

/* ------------------------------------------------------------- threads of C11 */

static mtx_t mtx;
static cnd_t cnd;
static tss_t tss;
static once_flag flag = ONCE_FLAG_INIT;
static thread_local int own = 3;

static void forget(void *value)
{
	count += *(int *)value;
}

static int c11_thread(void *arg)
{
	call_once(&flag, only_once);
	own += *(int *)arg;
	tss_set(tss, arg);
	mtx_lock(&mtx);
	counter++;
	cnd_signal(&cnd);
	mtx_unlock(&mtx);
	return own;
}

static void c11(void)
{
	struct timespec end = after_ms(CLOCK_REALTIME, 20);
	int numbers[4] = { 10, 20, 30, 40 }, sum = 0, value;
	thrd_t threads[4];

	mtx_init(&mtx, mtx_recursive);
	cnd_init(&cnd);
	tss_create(&tss, forget);
	for (int i = 0; i < 4; i++)
		if (thrd_create(&threads[i], c11_thread, &numbers[i]) != thrd_success)
			exit(97);
	mtx_lock(&mtx);
	while (counter < 4)
		cnd_wait(&cnd, &mtx);
	check("timed out", cnd_timedwait(&cnd, &mtx, &end) == thrd_timedout);
	mtx_unlock(&mtx);
	for (int i = 0; i < 4; i++) {
		thrd_join(threads[i], &value);
		sum += value;
	}
	printf("sum %d, own %d, count %d\n", sum, own, count);
}

static const struct part parts[] = {
	{ "contended", contended }, { "held", held }, { "kinds", kinds }, { "robust", robust },
	{ "conditions", conditions }, { "broadcast", broadcast }, { "timeouts", timeouts },
	{ "rwlocks", rwlocks }, { "barriers", barriers }, { "semaphores", semaphores }, { "once", once },
	{ "spinlocks", spinlocks }, { "c11", c11 },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
