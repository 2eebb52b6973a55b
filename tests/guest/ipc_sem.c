/* SPDX-License-Identifier: GPL-2.0-only */
/* System V semaphores. */
#include "ipc.h"

#include <sys/ipc.h>
#include <sys/sem.h>

union arg {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static int made(int n)
{
	int id = semget(IPC_PRIVATE, n, IPC_CREAT | 0600);

	if (id < 0)
		show("semget", id);
	return id;
}

static void removed(int id)
{
	show("removed", semctl(id, 0, IPC_RMID));
}

static long op(int id, int num, int by, int flags)
{
	struct sembuf b = { num, by, flags };

	return semop(id, &b, 1);
}

static void values(int id, int n)
{
	unsigned short v[8];

	show("all", semctl(id, 0, GETALL, v));
	for (int i = 0; i < n; i++)
		printf("%d%c", v[i], i < n - 1 ? ' ' : '\n');
}

static void state(void)
{
	time_t began = time(NULL);
	int id = made(3);
	struct semid_ds d;

	show("stat", semctl(id, 0, IPC_STAT, (union arg){ .buf = &d }));
	printf("%lu, mode %o, key %x\n", (long)d.sem_nsems, d.sem_perm.mode, d.sem_perm.__key);
	check("mine", d.sem_perm.uid == getuid() && d.sem_perm.cgid == getgid());
	check("made now, never used", d.sem_ctime >= began && !d.sem_otime);
	values(id, 3);
	show("set", semctl(id, 1, SETVAL, (union arg){ .val = 5 }));
	values(id, 3);
	check("by me", semctl(id, 1, GETPID) == getpid());
	show("not the others", semctl(id, 0, GETPID));
	show("all set", semctl(id, 0, SETALL, (union arg){ .array = (unsigned short[]){ 1, 2, 32767 } }));
	values(id, 3);
	show("value", semctl(id, 2, GETVAL));
	show("one up", op(id, 0, 1, 0));
	show("two down", op(id, 0, -2, 0));
	values(id, 3);
	semctl(id, 0, IPC_STAT, (union arg){ .buf = &d });
	check("used now", d.sem_otime >= began);
	d.sem_perm.mode = 0644;
	show("set", semctl(id, 0, IPC_SET, (union arg){ .buf = &d }));
	semctl(id, 0, IPC_STAT, (union arg){ .buf = &d });
	printf("mode %o\n", d.sem_perm.mode);
	removed(id);
	show("gone", semctl(id, 0, GETVAL));
}

static void errors(void)
{
	struct timespec bad = { .tv_nsec = -1 }, soon = { .tv_nsec = 50000000 };
	static struct sembuf many[501];
	static unsigned short huge[3] = { 1, 40000, 1 };
	struct sembuf two[2] = { { 0, 1, 0 }, { 9, 1, 0 } };
	int id, key = 0x4b564d11, other;
	struct semid_ds d;

	drop();
	show("none", semget(IPC_PRIVATE, 0, IPC_CREAT | 0600));
	show("-1", semget(IPC_PRIVATE, -1, IPC_CREAT | 0600));
	show("too many", semget(IPC_PRIVATE, 32001, IPC_CREAT | 0600));
	id = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
	show("again", semget(key, 3, IPC_CREAT | IPC_EXCL | 0600));
	check("found", semget(key, 2, 0) == id && semget(key, 0, IPC_CREAT | 0600) == id);
	show("too few", semget(key, 4, 0));
	show("rights that it has not", semget(key, 0, 0700));
	show("none of that key", semget(key + 1, 1, 0));
	show("no operations", semop(id, many, 0));
	show("501 operations", semop(id, many, 501));
	show("500 operations", semop(id, many, 500));
	show("operations nowhere", semop(id, (void *)BAD, 1));
	show("semaphore 3", op(id, 3, 1, 0));
	show("one of two is none", semop(id, two, 2));
	values(id, 3);
	show("32767 up", op(id, 0, 32767, 0));
	show("one more", op(id, 0, 1, 0));
	show("of no set", op(-1, 0, 1, 0));
	show("of another", op(id + 7, 0, 1, 0));
	show("down at once", op(id, 1, -1, IPC_NOWAIT));
	show("zero at once", op(id, 0, 0, IPC_NOWAIT));
	show("zero", op(id, 1, 0, 0));
	show("a time that is none", semtimedop(id, &(struct sembuf){ 1, -1, 0 }, 1, &bad));
	show("some time", semtimedop(id, &(struct sembuf){ 1, -1, 0 }, 1, &soon));
	show("a time nowhere", syscall(SYS_semtimedop, id, many, 1, BAD));
	show("value of 3", semctl(id, 3, GETVAL));
	show("value of -1", semctl(id, -1, GETVAL));
	show("set to -1", semctl(id, 0, SETVAL, (union arg){ .val = -1 }));
	show("set to 32768", semctl(id, 0, SETVAL, (union arg){ .val = 32768 }));
	show("all set, one beyond", semctl(id, 0, SETALL, (union arg){ .array = huge }));
	show("all set from nowhere", semctl(id, 0, SETALL, (union arg){ .array = (void *)BAD }));
	show("all to nowhere", semctl(id, 0, GETALL, (union arg){ .array = (void *)BAD }));
	show("stat to nowhere", semctl(id, 0, IPC_STAT, (union arg){ .buf = (void *)BAD }));
	show("an unknown command", semctl(id, 0, 77));
	d = (struct semid_ds){ .sem_perm.uid = getuid(), .sem_perm.gid = getgid(), .sem_perm.mode = 0400 };
	show("rights to read", semctl(id, 0, IPC_SET, (union arg){ .buf = &d }));
	show("up", op(id, 0, 1, 0));
	show("zero", op(id, 1, 0, 0));
	show("set", semctl(id, 0, SETVAL, (union arg){ .val = 1 }));
	d.sem_perm.mode = 0200;
	show("rights to write", semctl(id, 0, IPC_SET, (union arg){ .buf = &d }));
	show("zero", op(id, 1, 0, 0));
	show("value", semctl(id, 0, GETVAL));
	removed(id);
	other = semget(key, 1, IPC_CREAT | 0600);
	check("another of that key", other >= 0 && other != id);
	show("the old one", op(id, 0, 1, 0));
	removed(other);
	show("twice", semctl(other, 0, IPC_RMID));
}

static void all_or_none(void)
{
	struct sembuf both[2] = { { 0, -1, 0 }, { 1, -1, IPC_NOWAIT } };
	struct sembuf same[3] = { { 0, 2, 0 }, { 0, -3, IPC_NOWAIT }, { 1, 1, 0 } };
	int id = made(2);

	op(id, 0, 1, 0);
	show("the second has nothing", semop(id, both, 2));
	values(id, 2);
	show("three of one", semop(id, same, 3));
	values(id, 2);
	op(id, 0, 1, 0);
	show("both", semop(id, both, 2));
	same[0].sem_op = 1;
	show("three of one", semop(id, same, 3));
	values(id, 2);
	removed(id);
}

/* ------------------------------------------------------------------ waiting */

static int set;

static int downs(long n)
{
	return op(set, 0, -n, 0) ? errno : 0;
}

static int zeros(long n)
{
	return op(set, n, 0, 0) ? errno : 0;
}

static void until(int command, int num, int n)
{
	while (semctl(set, num, command) != n)
		sleep_ms(1);
}

static void nothing(int sig)
{
	(void)sig;
}

static int interrupted(long flags)
{
	struct sigaction act = { .sa_handler = nothing, .sa_flags = flags };

	sigaction(SIGALRM, &act, NULL);
	alarm(1);
	return op(set, 0, -1, 0) ? errno : 0;
}

static void waits(void)
{
	pid_t pid[3];
	struct timespec second = { .tv_sec = 1 };
	int64_t began;

	set = made(2);
	op(set, 1, 1, 0);
	pid[0] = child(downs, 2);
	until(GETNCNT, 0, 1);
	pid[1] = child(downs, 1);
	until(GETNCNT, 0, 2);
	pid[2] = child(zeros, 1);
	until(GETZCNT, 1, 1);
	printf("%d %d, %d %d\n", semctl(set, 0, GETNCNT), semctl(set, 0, GETZCNT), semctl(set, 1, GETNCNT), semctl(set, 1, GETZCNT));
	show("one up", op(set, 0, 1, 0));
	printf("who wants one: %d\n", ended(pid[1]));
	printf("%d wait\n", semctl(set, 0, GETNCNT));
	show("two set", semctl(set, 0, SETVAL, (union arg){ .val = 2 }));
	printf("who wants two: %d\n", ended(pid[0]));
	check("the last was that one", semctl(set, 0, GETPID) == pid[0]);
	show("down to zero", op(set, 1, -1, 0));
	printf("who wants zero: %d\n", ended(pid[2]));
	pid[0] = child(downs, 2);
	until(GETNCNT, 0, 1);
	kill(pid[0], SIGKILL);
	printf("killed: %d\n", ended(pid[0]));
	until(GETNCNT, 0, 0);
	printf("interrupted: %d\n", ended(child(interrupted, 0)));
	printf("not made again, either: %d\n", ended(child(interrupted, SA_RESTART)));
	began = now_ms();
	show("a second", semtimedop(set, &(struct sembuf){ 0, -1, 0 }, 1, &second));
	check("it was", now_ms() - began >= 990);
	pid[0] = child(downs, 2);
	pid[1] = child(downs, 2);
	until(GETNCNT, 0, 2);
	removed(set);
	printf("removed under them: %s\n", strerrorname_np(ended(pid[0])));
	printf("and: %s\n", strerrorname_np(ended(pid[1])));
}

static void *downs_in_thread(void *unused)
{
	(void)unused;
	return (void *)(long)downs(1);
}

static void threads(void)
{
	pthread_t thread[3];

	set = made(1);
	for (int i = 0; i < 3; i++)
		thread[i] = start(downs_in_thread, NULL);
	until(GETNCNT, 0, 3);
	show("three up", op(set, 0, 3, 0));
	for (int i = 0; i < 3; i++)
		printf("%ld\n", (long)join(thread[i]));
	removed(set);
}

static int *counter;

static int counts(long n)
{
	for (long i = 0; i < n; i++) {
		if (op(set, 0, -1, SEM_UNDO))
			return 1;
		*(volatile int *)counter += 1;
		if (op(set, 0, 1, SEM_UNDO))
			return 2;
	}
	return 0;
}

static void excludes(void)
{
	pid_t pid[4];
	int n = argument ? argument : 500, wrong = 0;

	counter = shared(PAGE);
	set = made(1);
	op(set, 0, 1, 0);
	for (int i = 0; i < 4; i++)
		pid[i] = child(counts, n);
	for (int i = 0; i < 4; i++)
		wrong += ended(pid[i]);
	check("counted", *counter == 4 * n && !wrong);
	values(set, 1);
	removed(set);
}

/* ------------------------------------------------------------------ SEM_UNDO */

static int takes(long by)
{
	if (op(set, 0, by, SEM_UNDO) || op(set, 1, 3, 0))
		return 1;
	return 0;
}

static int takes_and_dies(long unused)
{
	(void)unused;
	op(set, 0, -1, SEM_UNDO);
	kill(getpid(), SIGKILL);
	return 0;
}

static int takes_and_executes(long unused)
{
	(void)unused;
	op(set, 0, -1, SEM_UNDO);
	execl("build/guest/ipc_sem", "ipc_sem", "nothing", NULL);
	return 1;
}

static int child_of_taker(long unused)
{
	(void)unused;
	/* a copy has nothing to undo */
	return semctl(set, 0, GETVAL);
}

static int takes_and_forks(long unused)
{
	int first;

	(void)unused;
	op(set, 0, -1, SEM_UNDO);
	first = ended(child(child_of_taker, 0));
	return first * 10 + semctl(set, 0, GETVAL);
}

static void undone(void)
{
	struct sembuf back[2] = { { 0, -2, SEM_UNDO }, { 0, 2, SEM_UNDO } };
	pid_t pid;

	set = made(2);
	op(set, 0, 5, 0);
	printf("takes two: %d\n", ended(child(takes, -2)));
	values(set, 2);
	printf("gives four: %d\n", ended(child(takes, 4)));
	values(set, 2);
	printf("killed: %d\n", ended(child(takes_and_dies, 0)));
	values(set, 2);
	printf("executed: %d\n", ended(child(takes_and_executes, 0)));
	values(set, 2);
	printf("forked: %d\n", ended(child(takes_and_forks, 0)));
	values(set, 2);
	show("down and up", semop(set, back, 2));
	/* what is set is not undone */
	pid = fork_or_end();
	if (!pid) {
		op(set, 0, -3, SEM_UNDO);
		semctl(set, 0, SETVAL, (union arg){ .val = 1 });
		_exit(0);
	}
	printf("set: %d\n", ended(pid));
	values(set, 2);
	/* not below zero */
	pid = fork_or_end();
	if (!pid) {
		op(set, 0, 4, SEM_UNDO);
		op(set, 0, -5, 0);
		_exit(0);
	}
	printf("nothing left: %d\n", ended(pid));
	values(set, 2);
	pid = child(downs, 1);
	until(GETNCNT, 0, 1);
	op(set, 0, 1, 0);
	printf("who waited: %d\n", ended(pid));
	show("much to undo", op(set, 0, 32767, SEM_UNDO));
	show("down", op(set, 0, -32767, 0));
	show("too much to undo", op(set, 0, 2, SEM_UNDO));
	removed(set);
}

/* Another waits for what a killed one's end gives back. */
static void undone_for_who_waits(void)
{
	pid_t holder, waiter;

	set = made(2);
	op(set, 0, 1, 0);
	holder = fork_or_end();
	if (!holder) {
		op(set, 0, -1, SEM_UNDO);
		op(set, 1, 1, 0);
		_exit(forever(0));
	}
	op(set, 1, -1, 0);
	waiter = child(downs, 1);
	until(GETNCNT, 0, 1);
	kill(holder, SIGKILL);
	printf("waited: %d, killed: %d\n", ended(waiter), ended(holder));
	removed(set);
}

static void nothing_at_all(void)
{
}

static void limits(void)
{
	static int ids[40000];
	static unsigned short v[32000];
	struct seminfo info;
	int n, wrong = 0, most = argument ? argument : 40000;

	drop();
	show("info", semctl(0, 0, IPC_INFO, (union arg){ .info = &info }));
	printf("%d %d %d %d %d %d %d %d %d %d\n", info.semmap, info.semmni, info.semmns, info.semmnu, info.semmsl, info.semopm,
	       info.semume, info.semusz, info.semvmx, info.semaem);
	for (n = 0; n < most; n++) {
		ids[n] = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
		if (ids[n] < 0)
			break;
	}
	if (n < most)
		show("one more", ids[n]);
	printf("%d sets\n", n);
	check("info", semctl(0, 0, SEM_INFO, (union arg){ .info = &info }) >= n - 1);
	printf("%d sets, %d semaphores\n", info.semusz, info.semaem);
	while (n--)
		wrong += semctl(ids[n], 0, IPC_RMID) != 0;
	printf("%d wrong\n", wrong);
	set = made(32000);
	for (int i = 0; i < 32000; i++)
		v[i] = i;
	show("32000 set", semctl(set, 0, SETALL, (union arg){ .array = v }));
	memset(v, 0, sizeof(v));
	show("32000 read", semctl(set, 0, GETALL, (union arg){ .array = v }));
	for (int i = 0; i < 32000; i++)
		wrong += v[i] != i;
	show("the last", op(set, 31999, -31999, 0));
	printf("%d wrong\n", wrong);
	removed(set);
}

static const struct part parts[] = {
	{ "state", state }, { "errors", errors }, { "all-or-none", all_or_none }, { "waits", waits }, { "threads", threads },
	{ "excludes", excludes }, { "undone", undone }, { "undone-for-who-waits", undone_for_who_waits },
	{ "nothing", nothing_at_all }, { "limits", limits },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
