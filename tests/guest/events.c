/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors that tell of something: "events eventfd", "events epoll", "events timerfd", "events inotify", "events many". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static long say(const char *what, long ret)
{
	if (ret < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, ret);
	return ret;
}

static int ready(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

/* ------------------------------------------------------------- many at once */

#define MANY 3000

static void many(void)
{
	static struct pollfd p[MANY + 10000];
	static struct epoll_event events[MANY];
	struct rlimit limit;
	int n, wrong = 0, ep = epoll_create1(0);

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	say("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
	for (n = 0; n < MANY; n++) {
		p[n] = (struct pollfd){ eventfd(n % 2, 0), POLLIN, 0 };
		wrong += epoll_ctl(ep, EPOLL_CTL_ADD, p[n].fd, &(struct epoll_event){ .events = EPOLLIN, .data.u32 = n }) != 0;
	}
	printf("%d wrong\n", wrong);
	say("poll", poll(p, MANY, -1));
	for (n = 0; n < MANY; n++)
		wrong += p[n].revents != (n % 2 ? POLLIN : 0);
	printf("%d wrong\n", wrong);
	say("of more than there may be open", poll(p, MANY + 10000, 0));
	say("epoll_wait", epoll_wait(ep, events, MANY, -1));
	for (n = 0; n < MANY / 2; n++)
		wrong += events[n].data.u32 % 2 != 1;
	printf("%d wrong\n", wrong);
}

/* ------------------------------------------------------------- eventfd */

static void *add_later(void *arg)
{
	uint64_t one = 1;

	nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	write(*(int *)arg, &one, sizeof(one));
	return NULL;
}

static void eventfds(void)
{
	uint64_t v = 5;
	pthread_t thread;
	int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);

	printf("flags %#x %#x\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	say("write", write(fd, &v, sizeof(v)));
	say("read", read(fd, &v, sizeof(v)));
	printf("value %llu ready %#x\n", (unsigned long long)v, ready(fd, POLLIN | POLLOUT));
	say("read of nothing", read(fd, &v, sizeof(v)));
	say("read of too little", read(fd, &v, 4));
	v = UINT64_MAX;
	say("write of too much", write(fd, &v, sizeof(v)));
	v--;
	say("write of the most", write(fd, &v, sizeof(v)));
	printf("ready %#x\n", ready(fd, POLLIN | POLLOUT));
	v = 1;
	say("write beyond", write(fd, &v, sizeof(v)));
	close(fd);
	fd = eventfd(2, EFD_SEMAPHORE);
	say("read", read(fd, &v, sizeof(v)));
	say("read", read(fd, &v, sizeof(v)));
	printf("value %llu ready %#x\n", (unsigned long long)v, ready(fd, POLLIN));
	pthread_create(&thread, NULL, add_later, &fd);
	say("read that waits", read(fd, &v, sizeof(v)));
	pthread_join(thread, NULL);
	say("lseek", lseek(fd, 0, SEEK_SET));
	close(fd);
	say("flags that are none", eventfd(0, 0x100));
}

/* ------------------------------------------------------------- epoll */

static void add(const char *what, int ep, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };

	say(what, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
}

static void wait_for(int ep)
{
	struct epoll_event e[4];
	int n = epoll_wait(ep, e, 4, 0);

	printf("events %d:", n);
	for (int i = 0; i < n; i++)
		printf(" %#x %llx", e[i].events, (unsigned long long)e[i].data.u64);
	puts("");
}

static void epolls(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 0xfedcba9876543210 };
	int ep = epoll_create1(EPOLL_CLOEXEC), other = epoll_create(1), p[2], d, s[2], high;
	uint64_t set;
	char text[8];

	printf("close-on-exec %d %d\n", fcntl(ep, F_GETFD), fcntl(other, F_GETFD));
	say("epoll_create of nothing", epoll_create(0));
	say("flags that are none", epoll_create1(5));
	pipe(p);
	add("add", ep, p[0], EPOLLIN, 0xfedcba9876543210);
	add("add again", ep, p[0], EPOLLIN, 1);
	add("add itself", ep, ep, EPOLLIN, 1);
	add("add what is not open", ep, 77, EPOLLIN, 1);
	add("add a file", ep, open("/dev/null", O_RDONLY), EPOLLIN, 1);
	say("to what is none", epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &e));
	say("an operation that is none", epoll_ctl(ep, 9, p[1], &e));
	say("remove what is not there", epoll_ctl(ep, EPOLL_CTL_DEL, p[1], NULL));
	say("a bad pointer", epoll_ctl(ep, EPOLL_CTL_ADD, p[1], NULL));
	wait_for(ep);
	write(p[1], "ab", 2);
	wait_for(ep);
	wait_for(ep);
	e.events = EPOLLIN | EPOLLET;
	say("change", epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	wait_for(ep);
	wait_for(ep);
	e.events = EPOLLIN | EPOLLONESHOT;
	say("change", epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	wait_for(ep);
	wait_for(ep);
	e.events = EPOLLIN;
	say("change", epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	add("nested", other, ep, EPOLLIN, 2);
	wait_for(other);
	say("no room", epoll_wait(ep, &e, 0, 0));
	set = 0;
	say("epoll_pwait", epoll_pwait(ep, &e, 1, 0, (void *)&set));
	say("epoll_pwait2", epoll_pwait2(ep, &e, 1, &(struct timespec){ 0, 1 }, NULL));
	say("epoll_pwait2, bad time", epoll_pwait2(ep, &e, 1, &(struct timespec){ 0, -1 }, NULL));

	/* a duplicate is another one, and what is closed leaves only when the last one does */
	d = dup(p[0]);
	add("add a duplicate", ep, d, EPOLLIN, 3);
	wait_for(ep);
	high = fcntl(p[0], F_DUPFD, 20);
	close(d);
	d = high;
	close(p[0]);
	wait_for(ep);
	say("remove what is closed", epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
	say("remove by the duplicate", epoll_ctl(ep, EPOLL_CTL_DEL, d, NULL));
	say("read", read(d, text, 8));
	high = dup2(p[1], 40);
	add("add by dup2", ep, high, EPOLLOUT, 4);
	wait_for(ep);
	close(d);
	close(high);
	close(p[1]);
	wait_for(ep);

	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	add("a socket", ep, s[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP, 5);
	wait_for(ep);
	shutdown(s[1], SHUT_WR);
	wait_for(ep);
	close(s[1]);
	wait_for(ep);
	close(s[0]);
	wait_for(ep);
	close(ep);
	close(other);
}

/* ------------------------------------------------------------- timerfd */

static void timerfds(void)
{
	struct itimerspec t = { .it_value = { 0, 20000000 } }, left = { 0 };
	uint64_t n = 0;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	say("read before", read(fd, &n, sizeof(n)));
	say("set", timerfd_settime(fd, 0, &t, NULL));
	say("poll", poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, -1));
	say("read", read(fd, &n, sizeof(n)));
	printf("expirations %llu\n", (unsigned long long)n);
	t = (struct itimerspec){ { 1000, 0 }, { 2000, 0 } };
	say("set", timerfd_settime(fd, 0, &t, &left));
	printf("old %ld.%ld\n", left.it_value.tv_sec, left.it_value.tv_nsec);
	say("get", timerfd_gettime(fd, &left));
	printf("left %d interval %ld\n", left.it_value.tv_sec > 1900 && left.it_value.tv_sec <= 2000, left.it_interval.tv_sec);
	clock_gettime(CLOCK_MONOTONIC, &t.it_value);
	t.it_interval = (struct timespec){ 0 };
	say("set to what has passed", timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
	say("poll", poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, -1));
	t.it_value.tv_nsec = -1;
	say("a bad time", timerfd_settime(fd, 0, &t, NULL));
	say("flags that are none", timerfd_settime(fd, 99, &t, NULL));
	close(fd);
	say("a clock that is none", timerfd_create(99, 0));
	say("not a timer", timerfd_gettime(0, &left));
	fd = timerfd_create(CLOCK_REALTIME, 0);
	t = (struct itimerspec){ .it_value = { 0, 10000000 }, .it_interval = { 0, 10000000 } };
	timerfd_settime(fd, 0, &t, NULL);
	say("read that waits", read(fd, &n, sizeof(n)));
	close(fd);
}

/* ------------------------------------------------------------- inotify */

static void tell(int fd)
{
	char buffer[4096] __attribute__((aligned(8)));
	ssize_t n = read(fd, buffer, sizeof(buffer));

	if (n < 0) {
		say("read", -1);
		return;
	}
	for (char *p = buffer; p < buffer + n;) {
		struct inotify_event *e = (void *)p;

		printf("watch %d mask %#x cookie %d name %s\n", e->wd, e->mask, !!e->cookie, e->len ? e->name : "-");
		p += sizeof(*e) + e->len;
	}
}

static void inotifies(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), w, f, own;

	printf("flags %#x %#x\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	say("flags that are none", inotify_init1(1));
	w = say("watch", inotify_add_watch(fd, ".", IN_ALL_EVENTS));
	tell(fd);
	close(open("new", O_CREAT | O_WRONLY, 0644));
	rename("new", "old");
	symlink("old", "link");
	mkdir("dir", 0755);
	/* not by its name: before 6.6 the host's Linux has to open it for that */
	f = open("old", O_WRONLY);
	fchmod(f, 0600);
	close(f);
	printf("ready %#x\n", ready(fd, POLLIN));
	tell(fd);
	say("remove", inotify_rm_watch(fd, w));
	tell(fd);
	say("remove again", inotify_rm_watch(fd, w));
	w = say("watch the target", inotify_add_watch(fd, "link", IN_MODIFY));
	own = say("watch the link", inotify_add_watch(fd, "link", IN_DELETE_SELF | IN_ATTRIB | IN_DONT_FOLLOW));
	printf("two %d\n", w != own);
	f = open("old", O_WRONLY);
	write(f, "x", 1);
	close(f);
	tell(fd);
	unlink("link");
	tell(fd);
	say("a file as a directory", inotify_add_watch(fd, "old", IN_ONLYDIR | IN_MODIFY));
	say("what is not there", inotify_add_watch(fd, "none", IN_MODIFY));
	say("nothing", inotify_add_watch(fd, "old", 0));
	say("a bad pointer", inotify_add_watch(fd, (void *)8, IN_MODIFY));
	say("not a watch", inotify_add_watch(0, "old", IN_MODIFY));
	unlink("old");
	rmdir("dir");
	tell(fd);
	close(fd);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 1;
	if (!strcmp(argv[1], "eventfd"))
		eventfds();
	else if (!strcmp(argv[1], "many"))
		many();
	else if (!strcmp(argv[1], "epoll"))
		epolls();
	else if (!strcmp(argv[1], "timerfd"))
		timerfds();
	else if (!strcmp(argv[1], "inotify"))
		inotifies();
	else if (argc > 2 && !strcmp(argv[1], "watch"))
		say("watch", inotify_add_watch(inotify_init(), argv[2], IN_OPEN));
	return 0;
}
