/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors of processes: "pidfd opened", "pidfd made", "pidfd others", "pidfd orphans". */
#define _GNU_SOURCE
#include "process.h"

#include <linux/sched.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static long say(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
	return ret;
}

static int open_pid(pid_t pid, int flags)
{
	return syscall(SYS_pidfd_open, pid, flags);
}

static int ready(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, ms) < 0 ? -1 : p.revents & POLLIN;
}

static int send(int fd, int sig, siginfo_t *info)
{
	return syscall(SYS_pidfd_send_signal, fd, sig, info, 0);
}

static void wait_by(const char *what, int fd, int options)
{
	siginfo_t info = { 0 };

	say(what, waitid(P_PIDFD, fd, &info, options));
	printf("  signal %d code %d status %d pid %d\n", info.si_signo, info.si_code, info.si_status, !!info.si_pid);
}

static volatile sig_atomic_t got, got_code, got_value;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got = sig;
	got_code = info->si_code;
	got_value = info->si_int;
}

static void *nothing(void *tid)
{
	*(pid_t *)tid = syscall(SYS_gettid);
	pause();
	return NULL;
}

static void opened(void)
{
	struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	volatile pid_t other = 0;
	pid_t pid = child(forever, 0);
	int fd = open_pid(pid, 0), self = open_pid(getpid(), 0), ep = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 7 };
	pthread_t thread;
	char text[8];

	printf("flags %#x %#x\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	say("flags that are none", open_pid(pid, 1));
	say("of nobody", open_pid(4000000, 0));
	say("of 0", open_pid(0, 0));
	say("of -1", open_pid(-1, 0));
	pthread_create(&thread, NULL, nothing, (void *)&other);
	while (!other)
		sched_yield();
	printf("of a thread %d\n", open_pid(other, 0));
	say("read", read(self, text, 8));
	say("write", write(self, text, 8));
	say("epoll_ctl on it", epoll_ctl(self, EPOLL_CTL_ADD, fd, &e));

	sigaction(SIGUSR1, &act, NULL);
	say("a signal to itself", send(self, SIGUSR1, NULL));
	printf("got %d code %d\n", got, got_code);
	info.si_value.sival_int = 5;
	say("with a value", send(self, SIGUSR1, &info));
	printf("got %d code %d value %d\n", got, got_code, got_value);
	say("of another number", send(self, SIGUSR2, &info));
	say("to another with a value", send(fd, SIGUSR1, &(siginfo_t){ .si_signo = SIGUSR1, .si_code = SI_USER }));
	say("that is none", send(self, 65, NULL));
	say("by a descriptor of something else", send(1, 0, NULL));
	say("by none", send(77, 0, NULL));
	say("by flags that are none", syscall(SYS_pidfd_send_signal, self, 0, NULL, 0x100));
	say("nothing", send(fd, 0, NULL));

	printf("ready %d %d\n", ready(fd, 0), ready(self, 0));
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	say("epoll_wait", epoll_wait(ep, &e, 1, 0));
	wait_by("not yet", fd, WEXITED | WNOHANG);
	say("process_mrelease", syscall(SYS_process_mrelease, 1, 0));
	say("process_mrelease, bad flags", syscall(SYS_process_mrelease, fd, 1));
	say("process_mrelease, alive", syscall(SYS_process_mrelease, fd, 0));
	say("stop", send(fd, SIGSTOP, NULL));
	wait_by("stopped", fd, WSTOPPED);
	printf("ready %d\n", ready(fd, 0));
	say("kill", send(fd, SIGKILL, NULL));
	say("epoll_wait", epoll_wait(ep, &e, 1, -1));
	printf("ready %d\n", ready(fd, -1));
	wait_by("look", fd, WEXITED | WNOWAIT);
	printf("of a zombie %d\n", ready(open_pid(pid, 0), -1));
	say("nothing, to a zombie", send(fd, 0, NULL));
	wait_by("reap", fd, WEXITED);
	printf("ready %d\n", ready(fd, 0));
	wait_by("again", fd, WEXITED);
	say("to who is gone", send(fd, 0, NULL));
	say("open again", open_pid(pid, 0));
	wait_by("by something else", 1, WEXITED);
	wait_by("by none", 77, WEXITED);
	say("itself", waitid(P_PIDFD, self, &info, WEXITED));
	fd = open_pid(pid = child(forever, 0), O_NONBLOCK);
	printf("flags %#x\n", fcntl(fd, F_GETFL));
	wait_by("not waiting", fd, WEXITED);
	kill(pid, SIGTERM);
	printf("ended with %d\n", ended(pid));
	printf("ready %d\n", ready(fd, 0));
}

/* ------------------------------------------------------------- /proc/PID */

/* A process's directory of /proc is its descriptor, too, as far as pidfd_send_signal(2) goes. */
static void directories(void)
{
	struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_USER };
	pid_t pid = child(forever, 0);
	char path[64];
	int fd, self = open("/proc/self", O_RDONLY | O_DIRECTORY);

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	sigaction(SIGUSR1, &act, NULL);
	say("a signal to itself", send(self, SIGUSR1, NULL));
	printf("got %d code %d\n", got, got_code);
	say("with a value, as the kernel's", send(self, SIGUSR1, &info));
	say("likewise to another", send(fd, SIGUSR1, &info));
	say("nothing", send(fd, 0, NULL));
	say("a signal that is none", send(fd, 65, NULL));
	say("flags that are none", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0x100));
	say("by /proc", send(open("/proc", O_RDONLY | O_DIRECTORY), 0, NULL));
	say("by its descriptors", send(open("/proc/self/fd", O_RDONLY | O_DIRECTORY), 0, NULL));
	say("by a file there", send(open("/proc/self/stat", O_RDONLY), 0, NULL));
	say("by the thread's", send(open("/proc/thread-self", O_RDONLY | O_DIRECTORY), 0, NULL));
	wait_by("wait by it", fd, WEXITED | WNOHANG);
	say("kill", send(fd, SIGKILL, NULL));
	printf("ended with %d\n", ended(pid));
	say("to who is gone", send(fd, 0, NULL));
}

/* ------------------------------------------------------------- clone */

static pid_t clone3_with(struct clone_args *args)
{
	return syscall(SYS_clone3, args, sizeof(*args));
}

static void on_usr(int sig)
{
	(void)sig;
}

static int end_at_once(void *unused)
{
	(void)unused;
	_exit(10);
}

static void made(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int fd = -1;
	pid_t made_id = 0;
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD };
	pid_t pid = clone3_with(&args);

	if (!pid)
		_exit(fcntl(fd, F_GETFD) < 0 ? 7 : 8);
	printf("flags %#x %#x\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	printf("ready %d\n", ready(fd, -1));
	wait_by("clone3", fd, WEXITED);
	close(fd);
	pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, NULL);
	if (!pid)
		_exit(9);
	wait_by("clone", fd, WEXITED);
	close(fd);
	clone(end_at_once, stack + sizeof(stack), CLONE_PIDFD | CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, &fd);
	wait_by("vfork", fd, WEXITED);
	close(fd);
	say("to nowhere", syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, 8, NULL, NULL));
	say("with the thread's ID", syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &fd, NULL, NULL));
	say("detached", syscall(SYS_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, NULL, &fd, NULL, NULL));
	args = (struct clone_args){ .flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .pidfd = (uintptr_t)&fd,
		.parent_tid = (uintptr_t)&fd, .exit_signal = SIGCHLD };
	say("both in one place", clone3_with(&args));
	args.parent_tid = (uintptr_t)&made_id;
	pid = clone3_with(&args);
	if (!pid)
		_exit(11);
	printf("its ID %d\n", made_id == pid);
	wait_by("with both", fd, WEXITED);
	close(fd);

	signal(SIGUSR1, on_usr);
	signal(SIGUSR2, SIG_IGN);
	args = (struct clone_args){ .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	pid = clone3_with(&args);
	if (!pid) {
		struct sigaction a, b;

		sigaction(SIGUSR1, NULL, &a);
		sigaction(SIGUSR2, NULL, &b);
		_exit((a.sa_handler == SIG_DFL) + 2 * (b.sa_handler == SIG_IGN));
	}
	printf("without handlers: %d\n", ended(pid));
	args.flags |= CLONE_SIGHAND | CLONE_VM;
	say("without and with them", clone3_with(&args));
	args.flags = CLONE_PARENT;
	say("a parent's child with a signal", clone3_with(&args));
	args = (struct clone_args){ .flags = CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD };
	/* no room for a descriptor: no child */
	while (dup(0) >= 0)
		;
	pid = clone3_with(&args);
	if (!pid)
		_exit(1);
	say("no room", pid > 0 ? 1 : pid);
	say("no child", wait(NULL));
}

/* ------------------------------------------------------------- between others */

static int gate[2], answer[2];

/* A grandchild ends, and its grandparent knows it by a descriptor that it has of nobody of its own. */
static int family(long unused)
{
	pid_t pid = child(forever, 0);

	(void)unused;
	write(gate[1], &pid, sizeof(pid));
	return ended(pid) - 1000;
}

/* A child knows the end of its parent, the first process. */
static int orphan(long first)
{
	int fd = open_pid(first, 0);
	char c = '0' + ready(fd, 0);

	write(answer[1], &c, 1);
	c = '0' + ready(fd, -1);
	printf("the first one is over: %c\n", c);
	return 0;
}

static void others(void)
{
	pid_t pid, grandchild;
	int fd;
	char c;

	pipe(gate);
	pipe(answer);
	pid = child(family, 0);
	read(gate[0], &grandchild, sizeof(grandchild));
	fd = open_pid(grandchild, 0);
	printf("ready %d\n", ready(fd, 0));
	wait_by("a grandchild", fd, WEXITED);
	say("kill", send(fd, SIGKILL, NULL));
	printf("ended with %d\n", ended(pid));
	printf("ready %d\n", ready(fd, 0));
	say("to it", send(fd, 0, NULL));
	say("pidfd_getfd of who is gone", syscall(SYS_pidfd_getfd, 77, 0, 0) < 0 ? 1 : 0);
	child(orphan, getpid());
	read(answer[0], &c, 1);
	printf("yet: %c\n", c);
}

/* ------------------------------------------------------------- who is whose */

static pid_t first_parent;

static int reparented(long parent)
{
	while (getppid() == first_parent)
		usleep(1000);
	return getppid() == parent ? 5 : 6;
}

static int middle(long grandparent)
{
	first_parent = getpid();
	child(reparented, grandparent);
	return 4;
}

static int dying_parent(long unused)
{
	pid_t pid = fork_or_end();

	(void)unused;
	if (!pid) {
		sigset_t set;
		siginfo_t info;
		int sig = 0;

		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		say("death signal", prctl(PR_SET_PDEATHSIG, SIGUSR1));
		prctl(PR_GET_PDEATHSIG, &sig);
		printf("it is %d\n", sig);
		if (!fork_or_end()) {
			prctl(PR_GET_PDEATHSIG, &sig);
			_exit(sig);
		}
		printf("a child's: %d\n", ended(-1));
		pid = getppid();
		write(gate[1], "", 1);
		sigwaitinfo(&set, &info);
		_exit(info.si_signo == SIGUSR1 && info.si_code == SI_USER && info.si_pid == pid ? 3 : 9);
	}
	read(gate[0], &pid, 1);
	return 4;
}

static int sibling(long unused)
{
	pid_t pid = syscall(SYS_clone, CLONE_PARENT | SIGUSR1, NULL, NULL, NULL, NULL);

	if (!pid) {
		pause();
		_exit(8);
	}
	(void)unused;
	say("not its child", waitpid(pid, NULL, 0));
	write(gate[1], &pid, sizeof(pid));
	return 2;
}

static void orphans(void)
{
	int is = 5;
	pid_t pid;

	pipe(gate);
	prctl(PR_GET_CHILD_SUBREAPER, &is);
	printf("subreaper %d\n", is);
	say("set", prctl(PR_SET_CHILD_SUBREAPER, 1));
	prctl(PR_GET_CHILD_SUBREAPER, &is);
	printf("subreaper %d\n", is);
	if (!fork_or_end()) {
		prctl(PR_GET_CHILD_SUBREAPER, &is);
		_exit(is);
	}
	printf("a child is: %d\n", ended(-1));
	printf("the middle: %d\n", ended(child(middle, getpid())));
	printf("who was its child: %d\n", ended(-1));
	printf("a parent that dies: %d\n", ended(child(dying_parent, 0)));
	printf("its child: %d\n", ended(-1));
	printf("the maker: %d\n", ended(child(sibling, 0)));
	read(gate[0], &pid, sizeof(pid));
	kill(pid, SIGTERM);
	printf("the sibling: %d\n", ended(pid));
	say("a signal that is none", prctl(PR_SET_PDEATHSIG, 65));
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 1;
	if (!strcmp(argv[1], "opened"))
		opened();
	else if (!strcmp(argv[1], "directories"))
		directories();
	else if (!strcmp(argv[1], "made"))
		made();
	else if (!strcmp(argv[1], "others"))
		others();
	else if (!strcmp(argv[1], "orphans"))
		orphans();
	return 0;
}
