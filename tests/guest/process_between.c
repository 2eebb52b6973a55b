/* SPDX-License-Identifier: GPL-2.0-only */
/* What goes on between processes: signals, pipes, shared memory, groups; and forks of threads. */
#include "process.h"

#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static volatile sig_atomic_t handled;
static siginfo_t last;
static volatile long sum;
static atomic_int *counts;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	last = *info;
	sum += info->si_value.sival_int;
	handled++;
}

/* ------------------------------------------------------------- signals */

static void killed(void)
{
	pid_t pid = child(compute_forever, 0);

	sleep_ms(20);
	kill(pid, SIGKILL);
	printf("computing: %d\n", ended(pid));
	pid = child(forever, 0);
	sleep_ms(20);
	kill(pid, SIGKILL);
	printf("blocked: %d\n", ended(pid));
	pid = child(compute_forever, 0);
	kill(pid, SIGTERM);
	printf("terminated: %d\n", ended(pid));
	show("kill of nobody", kill(pid, SIGTERM));
	show("of a group of nobody", kill(-pid, 0));
	show("a wrong signal", kill(getpid(), 65));
	show("process 1 is there", kill(1, 0));
	show("a wrong signal to it", kill(1, 65));
	show("sigqueue to it", sigqueue(1, 0, (union sigval){ 0 }));
	show("to oneself", kill(getpid(), 0));
	show("sigqueue to nobody", sigqueue(pid, SIGUSR1, (union sigval){ 0 }));
}

static void both_ways(void)
{
	pid_t parent = getpid(), pid;
	sigset_t set = set_of(SIGUSR1);
	siginfo_t info;

	block(SIGUSR1);
	pid = fork_or_end();
	if (!pid) {
		sigwaitinfo(&set, &info);
		check("from the parent", info.si_pid == parent && info.si_code == SI_QUEUE && info.si_value.sival_int == 77);
		sigqueue(getppid(), SIGUSR1, (union sigval){ 88 });
		sigwaitinfo(&set, &info);
		check("by kill", info.si_pid == parent && info.si_code == SI_USER && info.si_uid == getuid());
		_exit(0);
	}
	sigqueue(pid, SIGUSR1, (union sigval){ 77 });
	sigwaitinfo(&set, &info);
	check("from the child", info.si_pid == pid && info.si_code == SI_QUEUE && info.si_value.sival_int == 88);
	kill(pid, SIGUSR1);
	printf("ended with %d\n", ended(pid));
}

#define SIGNALS 500

static void real_time(void)
{
	sigset_t set = set_of(SIGRTMIN + 1);
	pid_t pid, parent = getpid();
	int wrong = 0;

	block(SIGRTMIN + 1);
	pid = fork_or_end();
	if (!pid) {
		for (int i = 0; i < SIGNALS; i++)
			while (sigqueue(parent, SIGRTMIN + 1, (union sigval){ i }))
				sleep_ms(1);
		_exit(0);
	}
	for (int i = 0; i < SIGNALS; i++) {
		siginfo_t info;

		wrong += sigwaitinfo(&set, &info) != SIGRTMIN + 1 || info.si_value.sival_int != i || info.si_pid != pid;
	}
	printf("%d wrong, ended with %d\n", wrong, ended(pid));
}

static int ready_then_forever(long fd)
{
	if (write(fd, "x", 1) != 1)
		return 1;
	return forever(0);
}

static void groups_signalled(void)
{
	pid_t group[3], other;
	int ends[2];
	char c;

	if (pipe(ends))
		exit(1);
	for (int i = 0; i < 3; i++) {
		group[i] = fork_or_end();
		if (!group[i]) {
			setpgid(0, i ? group[0] : 0);
			_exit(ready_then_forever(ends[1]));
		}
		setpgid(group[i], group[0]);
	}
	other = child(ready_then_forever, ends[1]);
	for (int i = 0; i < 4; i++)
		read(ends[0], &c, 1);
	show("kill of the group", kill(-group[0], SIGUSR1));
	for (int i = 0; i < 3; i++)
		printf("%d\n", ended(group[i]));
	show("there is no group any more", kill(-group[0], 0));
	show("the other is there", waitpid(other, NULL, WNOHANG));
	kill(other, SIGUSR2);
	printf("%d\n", ended(other));
	/* this group: this process and its child */
	setpgid(0, 0);
	catch_flags(SIGUSR1, handler, 0);
	other = child(ready_then_forever, ends[1]);
	read(ends[0], &c, 1);
	show("kill of this group", kill(0, SIGUSR1));
	check("it is this one's as well", handled == 1);
	kill(other, SIGKILL);
	printf("%d\n", ended(other));
}

/* ------------------------------------------------------------- groups and sessions */

static void groups(void)
{
	pid_t pid, me;

	show("setpgid of nobody", setpgid(99999999, 0));
	show("a negative group", setpgid(0, -1));
	show("getpgid of nobody", getpgid(99999999));
	show("getsid of nobody", getsid(99999999));
	pid = fork_or_end();
	if (!pid) {
		me = getpid();
		check("the session is the parent's", getsid(0) == getsid(getppid()));
		show("a group of nobody", setpgid(0, 99999999));
		show("one of its own", setpgid(0, 0));
		check("it has it", getpgrp() == me && getpgid(0) == me && getpgid(me) == me);
		show("setsid as its leader", setsid());
		pid = fork_or_end();
		if (!pid) {
			me = getpid();
			check("the group is inherited", getpgrp() == getppid());
			check("a session", setsid() == me);
			check("its ids", getsid(0) == me && getpgrp() == me);
			show("setsid again", setsid());
			show("setpgid of a leader", setpgid(0, 0));
			pid = child(forever, 0);
			show("a child's group", setpgid(pid, pid));
			check("its id", getpgid(pid) == pid && getsid(pid) == me);
			show("back", setpgid(pid, me));
			kill(pid, SIGKILL);
			printf("%d\n", ended(pid));
			show("the parent's group", setpgid(getppid(), 0));
			_exit(0);
		}
		printf("%d\n", ended(pid));
		_exit(0);
	}
	printf("%d\n", ended(pid));
}

static void orphans(void)
{
	pid_t pid, old;
	int ends[2];
	char c = 0;

	if (pipe(ends))
		exit(1);
	pid = fork_or_end();
	if (!pid) {
		old = getpid();
		if (fork_or_end())
			_exit(4);
		/* the parent ends: it is another's */
		WAIT_UNTIL(getppid() != old);
		_exit(write(ends[1], "x", 1) != 1);
	}
	printf("%d\n", ended(pid));
	close(ends[1]);
	show("it tells of another parent", read(ends[0], &c, 1));
	show("and ends", read(ends[0], &c, 1));
	show("it is no child of this", waitpid(-1, NULL, 0));
}

/* ------------------------------------------------------------- descriptors */

static void pipes(void)
{
	int a[2], b[2], wrong = 0, n, fd;
	char buffer[1000], c;
	long bytes = 0;
	pid_t pid;

	if (pipe(a) || pipe(b))
		exit(1);
	pid = fork_or_end();
	if (!pid) {
		close(a[1]);
		close(b[0]);
		/* back what comes, until nothing comes */
		while ((n = read(a[0], buffer, sizeof(buffer))) > 0)
			if (write(b[1], buffer, n) != n)
				_exit(1);
		_exit(n ? 2 : 0);
	}
	close(a[0]);
	close(b[1]);
	for (int i = 0; i < 200; i++) {
		memset(buffer, i, sizeof(buffer));
		if (write(a[1], buffer, sizeof(buffer)) != sizeof(buffer))
			wrong++;
		for (int got = 0; got < (int)sizeof(buffer); got += n) {
			n = read(b[0], buffer + got, sizeof(buffer) - got);
			if (n <= 0)
				exit(2);
			bytes += n;
		}
		for (size_t k = 0; k < sizeof(buffer); k++)
			wrong += buffer[k] != (char)i;
	}
	close(a[1]);
	show("behind the end", read(b[0], &c, 1));
	printf("%ld bytes, %d wrong, %d\n", bytes, wrong, ended(pid));
	/* nobody reads, once the parent has closed its ends */
	if (pipe(a) || pipe(b))
		exit(1);
	pid = fork_or_end();
	if (!pid) {
		close(a[0]);
		close(b[1]);
		_exit(read(b[0], &c, 1) || write(a[1], "x", 1) ? 1 : 2);
	}
	close(a[0]);
	close(b[1]);
	printf("SIGPIPE: %d\n", ended(pid));
	/* one offset */
	fd = open("tests/guest/process.h", O_RDONLY);
	pid = fork_or_end();
	if (!pid)
		_exit(read(fd, buffer, 100) == 100 ? 0 : 1);
	printf("%d\n", ended(pid));
	show("the offset is shared", lseek(fd, 0, SEEK_CUR));
	pid = fork_or_end();
	if (!pid)
		_exit(close(fd));
	printf("%d\n", ended(pid));
	show("a close is not", lseek(fd, 0, SEEK_CUR));
}

static int lock_file(int fd, int command, int type, off_t start, struct flock *lock)
{
	*lock = (struct flock){ .l_type = type, .l_start = start, .l_len = 10 };
	return fcntl(fd, command, lock);
}

static void file_locks(void)
{
	struct flock lock;
	int fd = memfd_create("locked", 0), ready[2], go[2];
	pid_t pid;
	char c;

	if (pipe(ready) || pipe(go))
		exit(1);
	lock_file(fd, F_SETLK, F_WRLCK, 100, &lock);
	pid = fork_or_end();
	if (!pid) {
		close(go[1]);
		lock_file(fd, F_GETLK, F_RDLCK, 105, &lock);
		printf("type %d at %ld, %ld bytes, of its maker: %s\n", lock.l_type, lock.l_start, lock.l_len,
		       lock.l_pid == getppid() ? "yes" : "no");
		show("the lock of another", lock_file(fd, F_SETLK, F_RDLCK, 105, &lock));
		lock_file(fd, F_SETLK, F_RDLCK, 200, &lock);
		fflush(stdout);
		c = write(ready[1], "x", 1);
		_exit(read(go[0], &c, 1));
	}
	close(go[0]);
	if (read(ready[0], &c, 1) != 1)
		exit(2);
	lock_file(fd, F_GETLK, F_WRLCK, 205, &lock);
	printf("type %d at %ld, of the child: %s\n", lock.l_type, lock.l_start, lock.l_pid == pid ? "yes" : "no");
	close(go[1]);
	show("waited for its end", lock_file(fd, F_SETLKW, F_WRLCK, 205, &lock));
	printf("%d\n", ended(pid));
	lock_file(fd, F_OFD_SETLK, F_WRLCK, 300, &lock);
	pid = fork_or_end();
	if (!pid) {
		lock_file(fd, F_GETLK, F_WRLCK, 300, &lock);
		printf("an open file's lock: type %d, of %d\n", lock.l_type, lock.l_pid);
		fflush(stdout);
		_exit(0);
	}
	printf("%d\n", ended(pid));
}

static void eventfds(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = eventfd(0, 0), poll = epoll_create1(0);
	uint64_t n = 5;
	pid_t pid;

	epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
	pid = fork_or_end();
	if (!pid) {
		sleep_ms(20);
		_exit(write(fd, &n, 8) != 8);
	}
	show("epoll", epoll_wait(poll, &event, 1, -1));
	n = 0;
	show("read", read(fd, &n, 8));
	printf("%lu, %d\n", n, ended(pid));
}

/* ------------------------------------------------------------- shared memory */

struct shared_part {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	sem_t sem;
	long count, turn;
	char rest[8 << 20];
};

static struct shared_part *part;

static int add(long n)
{
	for (int i = 0; i < n; i++) {
		pthread_mutex_lock(&part->mutex);
		part->count++;
		pthread_mutex_unlock(&part->mutex);
	}
	return 0;
}

static int turns(long mine)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&part->mutex);
		while (part->turn % 2 != mine)
			pthread_cond_wait(&part->cond, &part->mutex);
		part->turn++;
		pthread_cond_broadcast(&part->cond);
		pthread_mutex_unlock(&part->mutex);
	}
	sem_post(&part->sem);
	return 0;
}

static void locks(void)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;
	int wrong = 0;
	pid_t pids[4];

	part = shared(sizeof(*part));
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&part->mutex, &mutex);
	pthread_condattr_init(&cond);
	pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&part->cond, &cond);
	sem_init(&part->sem, 1, 0);
	for (int i = 0; i < 4; i++)
		pids[i] = child(add, 2000);
	for (int i = 0; i < 4; i++)
		wrong += ended(pids[i]) != 0;
	printf("count %ld\n", part->count);
	for (int i = 0; i < 2; i++)
		pids[i] = child(turns, i);
	sem_wait(&part->sem);
	sem_wait(&part->sem);
	for (int i = 0; i < 2; i++)
		wrong += ended(pids[i]) != 0;
	printf("%ld turns\n", part->turn);
	pids[0] = fork_or_end();
	if (!pids[0]) {
		memset(part->rest, 0x5a, sizeof(part->rest));
		_exit(0);
	}
	wrong += ended(pids[0]) != 0;
	for (size_t i = 0; i < sizeof(part->rest); i++)
		wrong += part->rest[i] != 0x5a;
	printf("%d wrong\n", wrong);
}

/* ------------------------------------------------------------- threads and forks */

static atomic_bool done;

static void *allocate(void *arg)
{
	while (!done) {
		void *p = malloc(1000 + (long)arg * 100);

		free(p);
		fflush(stdout);
		++*counts;
	}
	return NULL;
}

static void *number(void *n)
{
	return (char *)n + 1;
}

static int work_in_child(long unused)
{
	void *p = malloc(100000);

	(void)unused;
	free(p);
	fflush(NULL);
	/* it has one thread, and makes others */
	return run_threads(4, number) == 10 ? 0 : 1;
}

static void beside_threads(void)
{
	pthread_t threads[3];
	int wrong = 0;

	counts = shared(PAGE);
	for (long i = 0; i < 3; i++)
		threads[i] = start(allocate, (void *)i);
	for (int i = 0; i < 30; i++)
		wrong += ended(child(work_in_child, 0)) != 0;
	done = true;
	for (int i = 0; i < 3; i++)
		join(threads[i]);
	printf("%d wrong\n", wrong);
}

static int code(long n)
{
	return n;
}

static void *fork_some(void *n)
{
	long wrong = 0;

	for (int i = 0; i < 10; i++)
		wrong += ended(child(code, (long)n * 10 + i)) != (long)n * 10 + i;
	return (void *)wrong;
}

static void by_threads(void)
{
	printf("%ld wrong\n", run_threads(8, fork_some));
	show("none is left", waitpid(-1, NULL, 0));
}

static const struct part parts[] = {
	{ "killed", killed },
	{ "both-ways", both_ways },
	{ "real-time", real_time },
	{ "groups-signalled", groups_signalled },
	{ "groups", groups },
	{ "orphans", orphans },
	{ "pipes", pipes },
	{ "file-locks", file_locks },
	{ "eventfds", eventfds },
	{ "locks", locks },
	{ "beside-threads", beside_threads },
	{ "by-threads", by_threads },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
