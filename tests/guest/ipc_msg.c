/* SPDX-License-Identifier: GPL-2.0-only */
/* System V message queues. */
#define _GNU_SOURCE
#include "ipc.h"

#include <sys/ipc.h>
#include <sys/msg.h>

#define MSG_COPY 040000

static struct { long type; char text[9000]; } m;
static int queue;

static int made(void)
{
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	if (id < 0)
		show("msgget", id);
	return id;
}

static void removed(int id)
{
	show("removed", msgctl(id, IPC_RMID, NULL));
}

static long put(int id, long type, const char *text, int flags)
{
	m.type = type;
	strcpy(m.text, text);
	return msgsnd(id, &m, strlen(text), flags);
}

static void get(const char *what, int id, size_t room, long type, int flags)
{
	long n;

	memset(&m, 0, sizeof(m));
	n = msgrcv(id, &m, room, type, flags);
	if (n < 0)
		show(what, n);
	else
		printf("%s: %ld \"%.*s\" of type %ld\n", what, n, (int)n, m.text, m.type);
}

static void state(void)
{
	time_t began = time(NULL);
	struct msqid_ds d;
	int id = made();

	show("stat", msgctl(id, IPC_STAT, &d));
	printf("%lu messages, %lu of %lu bytes, mode %o, key %x\n", d.msg_qnum, d.__msg_cbytes, d.msg_qbytes, d.msg_perm.mode,
	       d.msg_perm.__key);
	check("mine", d.msg_perm.uid == getuid() && d.msg_perm.cgid == getgid());
	check("made now, never used", d.msg_ctime >= began && !d.msg_stime && !d.msg_rtime && !d.msg_lspid && !d.msg_lrpid);
	show("send", put(id, 1, "one", 0));
	show("send", put(id, 2, "second", 0));
	msgctl(id, IPC_STAT, &d);
	printf("%lu messages, %lu bytes\n", d.msg_qnum, d.__msg_cbytes);
	check("sent by me", d.msg_lspid == getpid() && d.msg_stime >= began && !d.msg_lrpid);
	get("first", id, 100, 0, 0);
	msgctl(id, IPC_STAT, &d);
	check("received by me", d.msg_lrpid == getpid() && d.msg_rtime >= began);
	d.msg_qbytes = 100;
	d.msg_perm.mode = 0640;
	show("set", msgctl(id, IPC_SET, &d));
	msgctl(id, IPC_STAT, &d);
	printf("of %lu bytes, mode %o\n", d.msg_qbytes, d.msg_perm.mode);
	memset(m.text, 'x', 100);
	m.type = 1;
	show("94 bytes more", msgsnd(id, &m, 94, IPC_NOWAIT));
	show("one too many", msgsnd(id, &m, 1, IPC_NOWAIT));
	removed(id);
	show("gone", msgctl(id, IPC_STAT, &d));
}

static void types(void)
{
	int id = made();

	for (int i = 0; i < 6; i++)
		put(id, (int[]){ 5, 3, 9, 3, 7, 2 }[i], (const char *[]){ "a", "b", "c", "d", "e", "f" }[i], 0);
	get("copy of number 2", id, 10, 2, MSG_COPY | IPC_NOWAIT);
	get("copy of number 6", id, 10, 6, MSG_COPY | IPC_NOWAIT);
	get("of type 3", id, 10, 3, 0);
	get("up to 4", id, 10, -4, 0);
	get("up to 4", id, 10, -4, 0);
	get("up to 4", id, 10, -4, IPC_NOWAIT);
	get("not 5", id, 10, 5, MSG_EXCEPT);
	get("not 5", id, 10, 5, MSG_EXCEPT);
	get("not 5", id, 10, 5, MSG_EXCEPT | IPC_NOWAIT);
	get("of type 6", id, 10, 6, IPC_NOWAIT);
	get("any", id, 10, 0, IPC_NOWAIT);
	get("any", id, 10, 0, IPC_NOWAIT);
	put(id, LONG_MAX, "the highest", 0);
	get("as low as can be", id, 20, LONG_MIN, IPC_NOWAIT);
	removed(id);
}

static void sizes(void)
{
	int id = made();
	unsigned int wrong = 0;

	show("nothing", put(id, 1, "", 0));
	get("nothing", id, 0, 0, 0);
	show("send", put(id, 4, "a long one", 0));
	get("too little room", id, 4, 0, 0);
	get("room for some", id, 4, 0, MSG_NOERROR);
	get("it is gone", id, 4, 0, IPC_NOWAIT);
	for (unsigned int i = 0; i < 8192; i++)
		m.text[i] = i * 7;
	m.type = 3;
	show("8192 bytes", msgsnd(id, &m, 8192, 0));
	show("8193 bytes", msgsnd(id, &m, 8193, 0));
	memset(&m, 0, sizeof(m));
	show("all of them", msgrcv(id, &m, sizeof(m.text), 0, 0));
	for (unsigned int i = 0; i < 8192; i++)
		wrong += m.text[i] != (char)(i * 7);
	printf("%d wrong\n", wrong);
	for (int i = 0; i < 3; i++) {
		m.type = 1;
		show("half of the room", msgsnd(id, &m, 8192, IPC_NOWAIT));
	}
	show("a byte", msgsnd(id, &m, 1, IPC_NOWAIT));
	show("nothing", msgsnd(id, &m, 0, IPC_NOWAIT));
	removed(id);
}

static void errors(void)
{
	int key = 0x4b564d21, id, other;
	struct msqid_ds d;

	drop();
	id = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
	show("again", msgget(key, IPC_CREAT | IPC_EXCL | 0600));
	check("found", msgget(key, 0) == id && msgget(key, IPC_CREAT | 0600) == id);
	show("rights that it has not", msgget(key, 0700));
	show("none of that key", msgget(key + 1, 0));
	show("type 0", put(id, 0, "x", 0));
	show("type -1", put(id, -1, "x", 0));
	show("of no queue", put(-1, 1, "x", 0));
	show("of another", put(id + 7, 1, "x", 0));
	show("from nowhere", msgsnd(id, (void *)BAD, 1, 0));
	show("-1 bytes", msgsnd(id, &m, -1, 0));
	get("none", id, 10, 0, IPC_NOWAIT);
	show("room for -1", msgrcv(id, &m, -1, 0, IPC_NOWAIT));
	get("of no queue", id + 7, 10, 0, 0);
	get("a copy that waits", id, 10, 0, MSG_COPY);
	get("a copy of others", id, 10, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT);
	show("stat nowhere", msgctl(id, IPC_STAT, (void *)BAD));
	show("an unknown command", msgctl(id, 77, &d));
	msgctl(id, IPC_STAT, &d);
	d.msg_qbytes = 16385;
	show("more bytes", msgctl(id, IPC_SET, &d));
	put(id, 1, "x", 0);
	show("to nowhere", msgrcv(id, (void *)BAD, 1, 0, 0));
	/* where Linux loses it, it is kept here */
	msgrcv(id, &m, 10, 0, IPC_NOWAIT);
	msgctl(id, IPC_STAT, &d);
	d.msg_perm.mode = 0400;
	show("rights to receive", msgctl(id, IPC_SET, &d));
	show("send", put(id, 1, "x", 0));
	get("receive", id, 10, 0, IPC_NOWAIT);
	d.msg_perm.mode = 0200;
	show("rights to send", msgctl(id, IPC_SET, &d));
	show("send", put(id, 1, "x", 0));
	get("receive", id, 10, 0, IPC_NOWAIT);
	show("stat", msgctl(id, IPC_STAT, &d));
	removed(id);
	other = msgget(key, IPC_CREAT | 0600);
	check("another of that key", other >= 0 && other != id);
	show("the old one", put(id, 1, "x", 0));
	removed(other);
	show("twice", msgctl(other, IPC_RMID, NULL));
}

/* ------------------------------------------------------------------ waiting */

static int receives(long type)
{
	long n = msgrcv(queue, &m, sizeof(m.text), type, 0);

	return n < 0 ? errno : (int)n + 100;
}

static int fills(long size)
{
	m.type = 1;
	return msgsnd(queue, &m, size, 0) ? errno : 100;
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
	return receives(0);
}

static void *sends_later(void *unused)
{
	let_wait();
	put(queue, 6, "later", 0);
	return unused;
}

static void waits(void)
{
	pthread_t thread;
	pid_t pid[2];

	queue = made();
	thread = start(sends_later, NULL);
	get("from another thread", queue, 10, 0, 0);
	join(thread);
	pid[0] = child(receives, 5);
	pid[1] = child(receives, -3);
	let_wait();
	show("for neither", put(queue, 4, "none", 0));
	show("for the second", put(queue, 2, "22", 0));
	printf("the second: %d\n", ended(pid[1]));
	show("for the first", put(queue, 5, "55555", 0));
	printf("the first: %d\n", ended(pid[0]));
	get("what is left", queue, 10, 0, IPC_NOWAIT);
	printf("interrupted: %d\n", ended(child(interrupted, 0)));
	printf("not made again, either: %d\n", ended(child(interrupted, SA_RESTART)));
	fills(8192);
	fills(8192);
	pid[0] = child(fills, 100);
	let_wait();
	show("room", msgrcv(queue, &m, sizeof(m.text), 0, 0));
	printf("who wanted room: %d\n", ended(pid[0]));
	pid[0] = child(receives, 99);
	let_wait();
	kill(pid[0], SIGKILL);
	printf("killed: %d\n", ended(pid[0]));
	pid[0] = child(receives, 99);
	pid[1] = child(fills, 8192);
	let_wait();
	removed(queue);
	/* who had not begun to wait by then finds none */
	for (int i = 0; i < 2; i++)
		printf("removed under them: %s\n", strerrorname_np(ended(pid[i])));
}

static int replies(long n)
{
	for (long i = 0; i < n; i++) {
		long got = msgrcv(queue, &m, 100, 1, 0);

		m.type = 2;
		if (got < 0 || msgsnd(queue, &m, got, 0))
			return 1;
	}
	return 7;
}

static void between(void)
{
	int n = 200, wrong = 0;
	pid_t pid, before = child(forever, 0);

	queue = made();
	pid = child(replies, n);
	for (int i = 0; i < n; i++) {
		m.type = 1;
		memcpy(m.text, &i, sizeof(i));
		wrong += msgsnd(queue, &m, 4 + i % 50, 0) != 0;
		memset(&m, 0, sizeof(m));
		wrong += msgrcv(queue, &m, 100, 2, 0) != 4 + i % 50 || memcmp(m.text, &i, sizeof(i));
	}
	printf("%d wrong, ended with %d\n", wrong, ended(pid));
	kill(before, SIGKILL);
	reap(before);
	removed(queue);
}

static void limits(void)
{
	static int ids[40000];
	int n, wrong = 0, most = argument ? argument : 40000;
	struct msginfo info;

	drop();
	show("info", msgctl(0, IPC_INFO, (void *)&info) < 0 ? -1 : 0);
	printf("%d %d %d %d %d\n", info.msgmni, info.msgmax, info.msgmnb, info.msgssz, info.msgseg);
	for (n = 0; n < most; n++) {
		ids[n] = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
		if (ids[n] < 0)
			break;
		if (n < 100)
			put(ids[n], 1, "hello", 0);
	}
	if (n < most)
		show("one more", ids[n]);
	printf("%d queues\n", n);
	check("info", msgctl(0, MSG_INFO, (void *)&info) >= n - 1);
	printf("%d queues, %d messages, %d bytes\n", info.msgpool, info.msgmap, info.msgtql);
	while (n--)
		wrong += msgctl(ids[n], IPC_RMID, NULL) != 0;
	printf("%d wrong\n", wrong);
}

/* Under kvmrun alone: queues are many, their memory is not. */
static void memory(void)
{
	static int ids[4000];
	long sent = 0;
	int n, error = 0;

	m.type = 1;
	for (n = 0; n < 4000 && !error; n++) {
		ids[n] = made();
		for (int i = 0; i < 2 && !error; i++) {
			if (msgsnd(ids[n], &m, 8192, 0))
				error = errno;
			else
				sent++;
		}
	}
	printf("%s after %s messages of 8 KiB\n", error ? strerrorname_np(error) : "no error", sent > 3600 && sent < 4096 ? "some 3,900" : "OTHER");
	while (n--)
		msgctl(ids[n], IPC_RMID, NULL);
	queue = made();
	show("and again", msgsnd(queue, &m, 8192, 0));
}

static const struct part parts[] = {
	{ "state", state }, { "types", types }, { "sizes", sizes }, { "errors", errors }, { "waits", waits },
	{ "between", between }, { "limits", limits }, { "memory", memory },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
