/* SPDX-License-Identifier: GPL-2.0-only */
/* Resource limits that a program sets for itself, and whose a lock is: "limits", "limits tasks", "limits locks". */
#include "process.h"

static long say(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
	return ret;
}

static void tell(int which, const char *name)
{
	struct rlimit r;

	getrlimit(which, &r);
	printf("%s %ld %ld\n", name, (long)r.rlim_cur, (long)r.rlim_max);
}

static void tell_all(void)
{
	tell(RLIMIT_NOFILE, "descriptors");
	tell(RLIMIT_FSIZE, "file size");
	tell(RLIMIT_CPU, "CPU time");
	tell(RLIMIT_STACK, "stack");
	tell(RLIMIT_AS, "address space");
	tell(RLIMIT_CORE, "core");
}

static void set(int which, long soft, long hard)
{
	say("set", setrlimit(which, &(struct rlimit){ soft, hard }));
}

static volatile sig_atomic_t got;

static void on_signal(int sig)
{
	got = sig;
}

static int runs_long(long unused)
{
	set(RLIMIT_CPU, 1, 3);
	return compute_forever(unused);
}

static int writes_much(long fd)
{
	char bytes[200] = { 0 };

	signal(SIGXFSZ, SIG_DFL);
	write(fd, bytes, sizeof(bytes));
	write(fd, bytes, sizeof(bytes));
	return 1;
}

static void limits(void)
{
	char bytes[200] = { 0 }, name[] = "/tmp/limits.XXXXXX";
	int fd = mkstemp(name), p[2];
	pid_t pid;

	unlink(name);
	set(RLIMIT_NOFILE, 20, 40);
	while (dup(0) >= 0)
		;
	say("one more", dup(0));
	say("the last", fcntl(19, F_GETFD));
	say("dup2 beyond", dup2(0, 20));
	say("a descriptor from there on", fcntl(0, F_DUPFD, 20));
	say("a pipe", pipe(p));
	set(RLIMIT_NOFILE, 30, 40);
	say("one more", dup(0));
	set(RLIMIT_NOFILE, 41, 40);
	for (int i = fd + 1; i < 40; i++)
		close(i);

	signal(SIGXFSZ, on_signal);
	set(RLIMIT_FSIZE, 300, 400);
	say("write", write(fd, bytes, sizeof(bytes)));
	say("write to the limit", write(fd, bytes, sizeof(bytes)));
	say("write beyond", write(fd, bytes, sizeof(bytes)));
	printf("signal %d\n", got);
	got = 0;
	say("ftruncate beyond", ftruncate(fd, 301));
	printf("signal %d\n", got);
	printf("by default: %d\n", ended(child(writes_much, fd)));
	set(RLIMIT_FSIZE, 400, 400);
	say("write", write(fd, bytes, sizeof(bytes)));

	printf("too long: %d\n", ended(child(runs_long, 0)));
	set(RLIMIT_AS, 64 << 20, 64 << 20);
	check("too much", mmap(NULL, 100 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	check("not too much", mmap(NULL, 10 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	set(RLIMIT_STACK, 4 << 20, 6 << 20);
	set(RLIMIT_CPU, 1000, 2000);
	set(RLIMIT_CORE, 0, 0);
	tell_all();
	pid = fork_or_end();
	if (!pid) {
		execl("/proc/self/exe", "limits", "told", NULL);
		_exit(9);
	}
	printf("ended with %d\n", ended(pid));
}

/* ------------------------------------------------------------- processes and threads */

static void *sleeps(void *until)
{
	while (!*(volatile int *)until)
		usleep(1000);
	return NULL;
}

static int forks_and_waits(long unused)
{
	say("its fork", fork());
	fflush(stdout);
	return forever(unused);
}

static int thread_error(pthread_t *thread, volatile int *until)
{
	int err = pthread_create(thread, NULL, sleeps, (void *)until);

	if (err)
		errno = err;
	return err ? -1 : 0;
}

/* Of a user who is not root, and of whom there is nothing else. */
static void tasks(void)
{
	volatile int over = 0;
	pthread_t thread, other;
	pid_t pid, next;

	setbuf(stdout, NULL);
	set(RLIMIT_NPROC, 1, 3);
	say("no other process", fork());
	say("no thread", thread_error(&thread, &over));
	set(RLIMIT_NPROC, 3, 3);
	say("a thread", thread_error(&thread, &over));
	pid = child(forks_and_waits, 0);
	usleep(200000);
	say("one more", fork());
	say("one more thread", thread_error(&other, &over));
	kill(pid, SIGKILL);
	waitid(P_PID, pid, NULL, WEXITED | WNOWAIT);
	say("while it is a zombie", fork());
	reap(pid);
	next = fork();
	if (!next)
		_exit(7);
	printf("then: %d\n", ended(next));
	over = 1;
	pthread_join(thread, NULL);
	/* it may be there for a moment */
	while (thread_error(&thread, &over) || thread_error(&other, &over))
		usleep(1000);
	printf("two that have ended made room\n");
}

/* ------------------------------------------------------------- locks */

static struct flock lock_of(short type, off_t start, off_t len)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
}

static void look(const char *what, int fd, int command, off_t start, pid_t pid)
{
	struct flock l = lock_of(F_WRLCK, start, 1);

	say(what, fcntl(fd, command, &l));
	printf("  type %d from %ld length %ld, whose: %s\n", l.l_type, (long)l.l_start, (long)l.l_len,
	       l.l_pid == pid ? "its" : l.l_pid == -1 ? "an open file's" : "NO");
}

static void locks(void)
{
	char name[] = "/tmp/limits.XXXXXX";
	int fd = mkstemp(name), other = open(name, O_RDWR), up[2], down[2];
	struct flock l;
	pid_t pid;
	char c;

	pipe(up);
	pipe(down);
	pid = fork_or_end();
	if (!pid) {
		l = lock_of(F_WRLCK, 10, 5);
		say("a child locks", fcntl(fd, F_SETLK, &l));
		write(up[1], "", 1);
		read(down[0], &c, 1);
		_exit(0);
	}
	read(up[0], &c, 1);
	look("look", fd, F_GETLK, 12, pid);
	l = lock_of(F_RDLCK, 12, 1);
	say("lock", fcntl(fd, F_SETLK, &l));
	l = lock_of(F_WRLCK, 30, 2);
	say("elsewhere", fcntl(other, F_OFD_SETLK, &l));
	look("look there", fd, F_GETLK, 30, -1);
	look("and as an open file", fd, F_OFD_GETLK, 12, pid);
	write(down[1], "", 1);
	l = lock_of(F_WRLCK, 12, 1);
	say("wait for it", fcntl(fd, F_SETLKW, &l));
	printf("ended with %d\n", ended(pid));
	unlink(name);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		limits();
	else if (!strcmp(argv[1], "locks"))
		locks();
	else if (!strcmp(argv[1], "tasks"))
		tasks();
	else
		tell_all();
	return 0;
}
