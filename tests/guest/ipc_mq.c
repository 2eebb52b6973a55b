/* SPDX-License-Identifier: GPL-2.0-only */
/* POSIX message queues. Each case makes what it needs and leaves nothing. */
#include "ipc.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#define NAME "/kvmrun-test"

static const struct mq_attr four = { .mq_maxmsg = 4, .mq_msgsize = 32 };
static char room[8192];

static mqd_t make(int flags, const struct mq_attr *attr)
{
	mqd_t q;

	mq_unlink(NAME);
	q = mq_open(NAME, O_CREAT | O_EXCL | flags, 0600, attr);
	if (q < 0)
		show("mq_open", q);
	return q;
}

static void done(mqd_t q)
{
	show("close", mq_close(q));
	show("unlink", mq_unlink(NAME));
}

static void put(mqd_t q, const char *text, unsigned int prio)
{
	show(text, mq_send(q, text, strlen(text), prio));
}

static void get(mqd_t q)
{
	unsigned int prio = 77;
	long n = mq_receive(q, room, sizeof(room), &prio);

	if (n < 0)
		show("receive", n);
	else
		printf("received %ld \"%.*s\" of %u\n", n, (int)n, room, prio);
}

static void attributes(mqd_t q)
{
	struct mq_attr a;

	memset(&a, 0x55, sizeof(a));
	show("getattr", mq_getattr(q, &a));
	printf("flags %#lx, %ld of %ld messages of %ld\n", a.mq_flags, a.mq_curmsgs, a.mq_maxmsg, a.mq_msgsize);
}

static void ordered(void)
{
	mqd_t q = make(O_RDWR, &four);

	attributes(q);
	put(q, "low", 1);
	put(q, "high", 30000);
	put(q, "low again", 1);
	put(q, "", 5);
	attributes(q);
	for (int i = 0; i < 4; i++)
		get(q);
	attributes(q);
	done(q);
	q = make(O_RDWR, NULL);
	attributes(q);
	memset(room, 'x', sizeof(room));
	show("8192 bytes", mq_send(q, room, 8192, 0));
	show("8193 bytes", mq_send(q, room, 8193, 0));
	memset(room, 0, sizeof(room));
	show("all of them", mq_receive(q, room, sizeof(room), NULL));
	check("as they were", room[0] == 'x' && room[4095] == 'x' && room[8191] == 'x');
	done(q);
}

static void opened(const char *what, const char *name, int flags, const struct mq_attr *attr)
{
	long q = syscall(SYS_mq_open, name, flags, 0600, attr);

	if (q >= 0) {
		printf("%s: opened, %#x\n", what, fcntl(q, F_GETFD));
		close(q);
	} else {
		show(what, q);
	}
}

static void errors(void)
{
	static const struct mq_attr none = { .mq_maxmsg = 0, .mq_msgsize = 8 }, bytes = { .mq_maxmsg = 1, .mq_msgsize = 0 },
				    many = { .mq_maxmsg = 11, .mq_msgsize = 8 }, large = { .mq_maxmsg = 1, .mq_msgsize = 8193 },
				    negative = { .mq_maxmsg = -1, .mq_msgsize = 8 };
	char name[300];
	struct timespec bad = { .tv_nsec = 1000000000 }, past = { .tv_sec = 1 };
	struct mq_attr a = { .mq_flags = O_CREAT };
	int fds[2];
	mqd_t q, r, w;

	drop();
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	opened("255 bytes", name, O_CREAT | O_RDWR, &four);
	show("gone", syscall(SYS_mq_unlink, name));
	name[255] = 'n';
	name[256] = '\0';
	opened("256 bytes", name, O_CREAT | O_RDWR, &four);
	show("unlink of that", syscall(SYS_mq_unlink, name));
	opened("no name", "", O_CREAT | O_RDWR, &four);
	opened("a slash", "a/b", O_CREAT | O_RDWR, &four);
	opened("a dot", ".", O_CREAT | O_RDWR, &four);
	opened("nowhere", (char *)BAD, O_RDWR, NULL);
	opened("none there", "kvmrun-test", O_RDWR, NULL);
	show("unlink of none", syscall(SYS_mq_unlink, "kvmrun-test"));
	opened("no messages", "kvmrun-test", O_CREAT | O_RDWR, &none);
	opened("no bytes", "kvmrun-test", O_CREAT | O_RDWR, &bytes);
	opened("11 messages", "kvmrun-test", O_CREAT | O_RDWR, &many);
	opened("8193 bytes", "kvmrun-test", O_CREAT | O_RDWR, &large);
	opened("-1 messages", "kvmrun-test", O_CREAT | O_RDWR, &negative);
	opened("attributes nowhere", "kvmrun-test", O_CREAT | O_RDWR, (void *)BAD);
	q = make(O_RDWR | O_NONBLOCK, &four);
	opened("there already", "kvmrun-test", O_CREAT | O_EXCL | O_RDWR, &four);
	opened("there, attributes do not matter", "kvmrun-test", O_CREAT | O_RDWR, &none);
	opened("both ways to access", "kvmrun-test", O_WRONLY | O_RDWR, NULL);
	r = mq_open(NAME, O_RDONLY);
	w = mq_open(NAME, O_WRONLY | O_NONBLOCK);
	show("send to a reader's", mq_send(r, "x", 1, 0));
	show("receive from a writer's", mq_receive(w, room, 32, NULL));
	show("33 bytes", mq_send(w, room, 33, 0));
	show("room for 31", mq_receive(r, room, 31, NULL));
	show("priority 32768", mq_send(w, room, 1, 32768));
	show("priority 32767", mq_send(w, room, 1, 32767));
	show("received", mq_receive(r, room, 32, NULL));
	show("a time that is none", mq_timedreceive(r, room, 32, NULL, &bad));
	show("past", mq_timedreceive(r, room, 32, NULL, &past));
	show("empty", mq_receive(q, room, 32, NULL));
	for (int i = 0; i < 5; i++)
		show("send", mq_send(q, "x", 1, i));
	show("from nowhere", syscall(SYS_mq_timedsend, w, BAD, 1, 0, NULL));
	show("a time nowhere", syscall(SYS_mq_timedreceive, r, room, 32, NULL, BAD));
	show("to nowhere", syscall(SYS_mq_timedreceive, r, BAD, 32, NULL, NULL));
	show("its flags", mq_setattr(q, &a, NULL));
	show("no descriptor", mq_send(-1, "x", 1, 0));
	if (pipe(fds))
		exit(1);
	show("a pipe", mq_send(fds[1], "x", 1, 0));
	show("getattr of a pipe", syscall(SYS_mq_getsetattr, fds[1], NULL, &a));
	show("notify of a pipe", mq_notify(fds[1], NULL));
	show("write", write(w, "x", 1));
	show("write to a reader's", write(r, "x", 1));
	show("read from a writer's", read(w, room, 10));
	mq_close(r);
	mq_close(w);
	done(q);
	mq_unlink(NAME);
	show("made with mode 0", (q = mq_open(NAME, O_CREAT | O_RDWR, 0, &four)) < 0 ? -1 : 0);
	opened("may not be read", "kvmrun-test", O_RDONLY, NULL);
	opened("may not be written", "kvmrun-test", O_WRONLY, NULL);
	done(q);
	umask(0200);
	show("made with a mask", (q = mq_open(NAME, O_CREAT | O_RDWR, 0600, &four)) < 0 ? -1 : 0);
	opened("may be read", "kvmrun-test", O_RDONLY, NULL);
	opened("may not be written", "kvmrun-test", O_WRONLY, NULL);
	done(q);
}

static void limits(void)
{
	char name[32];
	mqd_t q = 0;
	int n;

	drop();
	for (n = 0; n < 100; n++) {
		snprintf(name, sizeof(name), "/kvmrun-test-%d", n);
		q = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
		if (q < 0)
			break;
		mq_close(q);
	}
	show("one more", q);
	printf("%d of 10 messages of 8192 bytes\n", n);
	while (n--) {
		snprintf(name, sizeof(name), "/kvmrun-test-%d", n);
		mq_unlink(name);
	}
	for (n = 0; n < 300; n++) {
		snprintf(name, sizeof(name), "/kvmrun-test-%d", n);
		q = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &(struct mq_attr){ .mq_maxmsg = 1, .mq_msgsize = 1 });
		if (q < 0)
			break;
		mq_close(q);
	}
	show("one more", q);
	printf("%d small ones\n", n);
	while (n--) {
		snprintf(name, sizeof(name), "/kvmrun-test-%d", n);
		mq_unlink(name);
	}
	q = make(O_RDWR, &four);
	done(q);
}

static int events(int q)
{
	struct pollfd p = { .fd = q, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents & (POLLIN | POLLOUT);
}

static void ready(void)
{
	mqd_t q = make(O_RDWR, &four), other = mq_open(NAME, O_RDONLY);
	int e = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 5 };
	struct timeval now = { 0 };
	fd_set in, out;

	printf("empty: %x\n", events(q));
	show("epoll_ctl", epoll_ctl(e, EPOLL_CTL_ADD, other, &ev));
	show("epoll_wait", epoll_wait(e, &ev, 1, 0));
	put(q, "one", 0);
	printf("one: %x\n", events(q));
	show("epoll_wait", epoll_wait(e, &ev, 1, 0));
	printf("%x %u\n", ev.events & EPOLLIN, ev.data.u32);
	for (int i = 0; i < 3; i++)
		put(q, "more", 0);
	printf("full: %x\n", events(q));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(q, &in);
	FD_SET(q, &out);
	show("select", select(q + 1, &in, &out, NULL, &now));
	printf("%d %d\n", FD_ISSET(q, &in), FD_ISSET(q, &out));
	get(q);
	printf("one less: %x\n", events(q));
	for (int i = 0; i < 3; i++)
		get(q);
	printf("empty: %x\n", events(q));
	show("epoll_wait", epoll_wait(e, &ev, 1, 0));
	mq_close(other);
	done(q);
}

static void as_file(void)
{
	mqd_t q = make(O_RDWR | O_NONBLOCK, &four), copy;
	struct stat st;
	long n;

	show("fstat", fstat(q, &st));
	printf("mode %o, size %ld, links %ld, its owner's: %d\n", st.st_mode, (long)st.st_size, (long)st.st_nlink, st.st_uid == getuid());
	printf("flags %x, descriptor's %x\n", fcntl(q, F_GETFL), fcntl(q, F_GETFD));
	show("blocking from now on", fcntl(q, F_SETFL, 0));
	attributes(q);
	show("and no more", mq_setattr(q, &(struct mq_attr){ .mq_flags = O_NONBLOCK }, NULL));
	printf("flags %x\n", fcntl(q, F_GETFL));
	put(q, "three", 0);
	n = read(q, room, sizeof(room));
	printf("%ld: %.*s", n, (int)(n > 0 ? n : 0), room);
	show("at its end", read(q, room, sizeof(room)));
	copy = dup(q);
	get(copy);
	show("unlink", mq_unlink(NAME));
	show("unlinked already", mq_unlink(NAME));
	put(q, "without a name", 0);
	show("close", mq_close(q));
	get(copy);
	fstat(copy, &st);
	printf("links %ld\n", (long)st.st_nlink);
	show("close", mq_close(copy));
}

/* ------------------------------------------------------------------ waiting */

static void *send_later(void *q)
{
	let_wait();
	mq_send((long)q, "later", 5, 9);
	return NULL;
}

static void *receive_later(void *q)
{
	char text[32];

	let_wait();
	mq_receive((long)q, text, sizeof(text), NULL);
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

static void waits(void)
{
	struct sigaction act = { .sa_handler = nothing };
	mqd_t q = make(O_RDWR, &four);
	struct timespec end;
	pthread_t thread;
	int64_t began;

	thread = start(send_later, (void *)(long)q);
	get(q);
	join(thread);
	for (int i = 0; i < 4; i++)
		put(q, "x", 0);
	thread = start(receive_later, (void *)(long)q);
	put(q, "last", 0);
	join(thread);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec++;
	began = now_ms();
	show("no room for a second", mq_timedsend(q, "x", 1, 0, &end));
	check("a second", now_ms() - began >= 900);
	for (int i = 0; i < 4; i++)
		get(q);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec++;
	show("nothing for a second", mq_timedreceive(q, room, sizeof(room), NULL, &end));
	sigaction(SIGALRM, &act, NULL);
	alarm(1);
	show("interrupted", mq_receive(q, room, sizeof(room), NULL));
	act.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &act, NULL);
	alarm(1);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 2;
	began = now_ms();
	show("made again", mq_timedreceive(q, room, sizeof(room), NULL, &end));
	check("two seconds", now_ms() - began >= 1900);
	done(q);
}

/* ------------------------------------------------------------------ processes */

static int echo(long n)
{
	mqd_t in = mq_open(NAME, O_RDONLY), out = mq_open(NAME "-back", O_WRONLY);
	char text[32];
	long got, sum = 0;

	if (in < 0 || out < 0)
		return 99;
	for (long i = 0; i < n; i++) {
		got = mq_receive(in, text, sizeof(text), NULL);
		sum += got;
		if (mq_send(out, text, got, 0))
			return 98;
	}
	return sum == n * 4 ? 7 : 1;
}

static void between(void)
{
	int n = 200, wrong = 0;
	pid_t pid = 0;
	mqd_t q, back;
	char text[32];

	mq_unlink(NAME "-back");
	/* one that is made after the other process */
	q = make(O_RDWR, &four);
	back = mq_open(NAME "-back", O_CREAT | O_RDWR, 0600, &four);
	pid = child(echo, n);
	for (int i = 0; i < n; i++) {
		uint32_t back_again = 0;

		wrong += mq_send(q, (char *)&i, 4, 0) != 0;
		wrong += mq_receive(back, text, sizeof(text), NULL) != 4;
		memcpy(&back_again, text, 4);
		wrong += back_again != (uint32_t)i;
	}
	printf("%d wrong, ended with %d\n", wrong, ended(pid));
	mq_close(back);
	mq_unlink(NAME "-back");
	done(q);
}

static int poller(long step)
{
	mqd_t q = mq_open(NAME, O_RDWR);
	struct pollfd p = { .fd = q, .events = POLLIN };
	int e = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN };
	char text[32];

	if (step == 1) {
		epoll_ctl(e, EPOLL_CTL_ADD, q, &ev);
		if (epoll_wait(e, &ev, 1, 10000) != 1)
			return 1;
	} else if (poll(&p, 1, 10000) != 1 || p.revents != POLLIN) {
		return 2;
	}
	return mq_receive(q, text, sizeof(text), NULL) == 5 ? 10 + step : 3;
}

static void polled_between(void)
{
	mqd_t q = make(O_RDWR, &four);

	for (int i = 0; i < 2; i++) {
		pid_t pid = child(poller, i);

		let_wait();
		put(q, "hello", 0);
		printf("ended with %d\n", ended(pid));
		printf("empty again: %x\n", events(q));
	}
	done(q);
}

static mqd_t inherited;

static int use_inherited(long unused)
{
	(void)unused;
	fcntl(inherited, F_SETFL, O_NONBLOCK);
	return mq_send(inherited, "from a child", 12, 3) ? 1 : 4;
}

static int stays_open(long unused)
{
	(void)unused;
	get(inherited);
	fflush(stdout);
	return 5;
}

static void inherits(void)
{
	mqd_t again;

	inherited = make(O_RDWR, &four);
	printf("ended with %d\n", ended(child(use_inherited, 0)));
	printf("flags %x\n", fcntl(inherited, F_GETFL));
	get(inherited);
	show("unlink", mq_unlink(NAME));
	show("another of its name", (again = mq_open(NAME, O_CREAT | O_EXCL | O_RDWR, 0600, &four)) < 0 ? -1 : 0);
	put(inherited, "the nameless one", 0);
	fflush(stdout);
	printf("ended with %d\n", ended(child(stays_open, 0)));
	attributes(again);
	mq_close(inherited);
	done(again);
}

static int waits_for_ever(long unused)
{
	(void)unused;
	mq_receive(inherited, room, sizeof(room), NULL);
	return 1;
}

static void killed_in_a_wait(void)
{
	pid_t pid;

	inherited = make(O_RDWR, &four);
	pid = child(waits_for_ever, 0);
	let_wait();
	kill(pid, SIGKILL);
	printf("ended with %d\n", ended(pid));
	put(inherited, "after that", 0);
	get(inherited);
	done(inherited);
}

/* ------------------------------------------------------------------ mq_notify(3) */

static volatile sig_atomic_t told;
static volatile siginfo_t info;

static void on_notice(int sig, siginfo_t *i, void *context)
{
	(void)sig, (void)context;
	*(siginfo_t *)&info = *i;
	told++;
}

static void print_notice(pid_t from)
{
	for (int i = 0; i < 2000 && !told; i++)
		sleep_ms(1);
	printf("told %d: signo %d code %d value %d, %s\n", told, info.si_signo, info.si_code, info.si_value.sival_int,
	       info.si_pid == from ? "by whom it was" : "by ANOTHER");
	told = 0;
}

static int sender(long unused)
{
	(void)unused;
	return mq_send(inherited, "hello", 5, 0) ? 1 : 0;
}

static int asks_as_well(long unused)
{
	struct sigevent e = { .sigev_notify = SIGEV_NONE };

	(void)unused;
	return mq_notify(inherited, &e) ? errno == EBUSY ? 16 : 1 : 0;
}

static int receives_one(long unused)
{
	(void)unused;
	return mq_receive(inherited, room, sizeof(room), NULL) == 5 ? 0 : 1;
}

static void notified(void)
{
	struct sigaction act = { .sa_sigaction = on_notice, .sa_flags = SA_SIGINFO };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42 };
	pid_t pid;

	sigaction(SIGUSR1, &act, NULL);
	inherited = make(O_RDWR, &four);
	show("notify", mq_notify(inherited, &e));
	show("and again", mq_notify(inherited, &e));
	printf("another process: %d\n", ended(child(asks_as_well, 0)));
	put(inherited, "hello", 0);
	print_notice(getpid());
	show("once only", mq_notify(inherited, &e));
	put(inherited, "second", 0);
	printf("told %d\n", told);
	get(inherited);
	get(inherited);
	pid = child(sender, 0);
	print_notice(pid);
	printf("ended with %d\n", ended(pid));
	get(inherited);
	show("notify", mq_notify(inherited, &e));
	/* somebody who waits has it */
	pid = child(receives_one, 0);
	let_wait();
	put(inherited, "hello", 0);
	printf("ended with %d\n", ended(pid));
	printf("told %d\n", told);
	show("no more", mq_notify(inherited, NULL));
	printf("free: %d\n", ended(child(asks_as_well, 0)));
	put(inherited, "hello", 0);
	printf("told %d\n", told);
	e.sigev_notify = 77;
	show("in no way", mq_notify(inherited, &e));
	e.sigev_notify = SIGEV_SIGNAL;
	e.sigev_signo = 65;
	show("signal 65", mq_notify(inherited, &e));
	done(inherited);
}

static volatile int thread_told;

static void by_thread(union sigval v)
{
	thread_told = v.sival_int;
}

static void notified_by_thread(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = by_thread, .sigev_value.sival_int = 9 };

	inherited = make(O_RDWR, &four);
	show("notify", mq_notify(inherited, &e));
	put(inherited, "hello", 0);
	for (int i = 0; i < 5000 && !thread_told; i++)
		sleep_ms(1);
	printf("told %d\n", thread_told);
	thread_told = 0;
	get(inherited);
	show("again", mq_notify(inherited, &e));
	printf("ended with %d\n", ended(child(sender, 0)));
	for (int i = 0; i < 5000 && !thread_told; i++)
		sleep_ms(1);
	printf("told %d\n", thread_told);
	thread_told = 0;
	get(inherited);
	show("again", mq_notify(inherited, &e));
	show("no more", mq_notify(inherited, NULL));
	put(inherited, "hello", 0);
	let_wait();
	printf("told %d\n", thread_told);
	done(inherited);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		{ "ordered", ordered }, { "errors", errors }, { "limits", limits }, { "ready", ready }, { "as-file", as_file },
		{ "waits", waits }, { "between", between }, { "polled-between", polled_between }, { "inherits", inherits },
		{ "killed-in-a-wait", killed_in_a_wait }, { "notified", notified }, { "notified-by-thread", notified_by_thread },
	};

	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
