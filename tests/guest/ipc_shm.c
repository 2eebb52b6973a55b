/* SPDX-License-Identifier: GPL-2.0-only */
/* System V shared memory. */
#include "ipc.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#define SIZE (3 * PAGE)

static int made(size_t size)
{
	int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);

	if (id < 0)
		show("shmget", id);
	return id;
}

static void removed(int id)
{
	show("removed", shmctl(id, IPC_RMID, NULL));
}

static long attached(int id)
{
	struct shmid_ds d;

	return shmctl(id, IPC_STAT, &d) ? -errno : (long)d.shm_nattch;
}

static void *at(const char *what, int id, void *where, int flags)
{
	void *p = shmat(id, where, flags);

	if (p == (void *)-1)
		show(what, -1);
	else if (where)
		printf("%s: %s\n", what, p == where ? "there" : "elsewhere");
	else
		printf("%s: ok\n", what);
	return p;
}

static void state(void)
{
	time_t began = time(NULL);
	struct shmid_ds d;
	int id = made(SIZE + 1);
	char *p;

	memset(&d, 0x55, sizeof(d));
	show("stat", shmctl(id, IPC_STAT, &d));
	printf("size %zu, mode %o, key %x, attached %ld, last %d\n", d.shm_segsz, d.shm_perm.mode, d.shm_perm.__key, (long)d.shm_nattch,
	       d.shm_lpid);
	check("mine", d.shm_perm.uid == getuid() && d.shm_perm.cuid == getuid() && d.shm_perm.gid == getgid() && d.shm_cpid == getpid());
	check("made now, never attached", d.shm_ctime >= began && !d.shm_atime && !d.shm_dtime);
	p = at("attached", id, NULL, 0);
	check("zeros", !p[0] && !p[SIZE] && !p[SIZE + PAGE - 1]);
	strcpy(p + SIZE, "behind");
	shmctl(id, IPC_STAT, &d);
	printf("attached %ld\n", (long)d.shm_nattch);
	check("attached now by me", d.shm_atime >= began && d.shm_lpid == getpid() && !d.shm_dtime);
	show("detached", shmdt(p));
	shmctl(id, IPC_STAT, &d);
	printf("attached %ld\n", (long)d.shm_nattch);
	check("detached now", d.shm_dtime >= began);
	p = at("again", id, NULL, 0);
	printf("%s\n", p + SIZE);
	d.shm_perm.mode = 0640;
	show("set", shmctl(id, IPC_SET, &d));
	show("locked", shmctl(id, SHM_LOCK, NULL));
	removed(id);
	show("stat", shmctl(id, IPC_STAT, &d));
	printf("mode %o, key %x\n", d.shm_perm.mode, d.shm_perm.__key);
	show("unlocked", shmctl(id, SHM_UNLOCK, NULL));
	shmctl(id, IPC_STAT, &d);
	printf("mode %o\n", d.shm_perm.mode);
	show("detached", shmdt(p));
	show("gone", shmctl(id, IPC_STAT, &d));
}

static void keys(void)
{
	int key = 0x4b564d01, id, other;

	drop();
	id = shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600);
	check("made", id >= 0);
	show("again", shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600));
	check("found", shmget(key, SIZE, IPC_CREAT | 0600) == id);
	check("found without a size", shmget(key, 0, 0) == id);
	show("found too small", shmget(key, SIZE + PAGE, 0));
	show("with rights that it has not", shmget(key, 0, 0700));
	show("none of that key", shmget(key + 1, SIZE, 0));
	removed(id);
	show("gone", shmget(key, 0, 0));
	other = shmget(key, SIZE, IPC_CREAT | 0600);
	check("another", other >= 0 && other != id);
	show("the old one", shmdt(shmat(id, NULL, 0)));
	removed(other);
	show("twice", shmctl(other, IPC_RMID, NULL));
}

static void errors(void)
{
	struct shmid_ds d;
	int id, none;
	char *p, *hole;

	drop();
	show("no bytes", shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600));
	show("too many", shmget(IPC_PRIVATE, SIZE_MAX, IPC_CREAT | 0600));
	id = made(SIZE);
	none = made(PAGE);
	removed(none);
	at("none", none, NULL, 0);
	at("-1", -1, NULL, 0);
	show("stat of none", shmctl(none, IPC_STAT, &d));
	show("stat of -1", shmctl(-1, IPC_STAT, &d));
	show("stat nowhere", shmctl(id, IPC_STAT, (void *)BAD));
	show("an unknown command", shmctl(id, 77, &d));
	p = at("attached", id, NULL, 0);
	at("on top of it", id, p, 0);
	at("not at a page", id, p + 5, 0);
	at("remapped nowhere", id, NULL, SHM_REMAP);
	at("remapped", id, p, SHM_REMAP);
	printf("attached %ld\n", attached(id));
	show("not what is attached", shmdt(p + PAGE));
	show("not a page", shmdt(p + 1));
	show("nothing there", shmdt((void *)0x10000));
	show("detached", shmdt(p));
	show("twice", shmdt(p));
	hole = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(hole, 8 * PAGE);
	p = at("rounded", id, hole + 2 * PAGE + 77, SHM_RND);
	check("down", p == hole + 2 * PAGE);
	show("detached", shmdt(p));
	d = (struct shmid_ds){ .shm_perm.mode = 0, .shm_perm.uid = getuid(), .shm_perm.gid = getgid() };
	show("no rights", shmctl(id, IPC_SET, &d));
	at("attached", id, NULL, 0);
	at("read only", id, NULL, SHM_RDONLY);
	show("stat", shmctl(id, IPC_STAT, &d));
	d.shm_perm.mode = 0400;
	d.shm_perm.uid = getuid();
	d.shm_perm.gid = getgid();
	show("rights to read", shmctl(id, IPC_SET, &d));
	at("attached", id, NULL, 0);
	p = at("read only", id, NULL, SHM_RDONLY);
	show("made writable", mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	show("detached", shmdt(p));
	removed(id);
}

static int writes_read_only(long p)
{
	*(volatile char *)p = 1;
	return 0;
}

static void read_only(void)
{
	int id = made(SIZE);
	char *p = at("attached", id, NULL, 0), *q = at("read only", id, NULL, SHM_RDONLY);

	strcpy(p, "hello");
	printf("%s\n", q);
	printf("a write: %d\n", ended(child(writes_read_only, (long)q)));
	printf("attached %ld\n", attached(id));
	show("detached", shmdt(p));
	show("detached", shmdt(q));
	removed(id);
}

/* Pieces of an attached segment. */
static void pieces(void)
{
	int id = made(SIZE), other = made(PAGE);
	char *p = at("attached", id, NULL, 0), *q;

	strcpy(p + 2 * PAGE, "third");
	show("unmapped in the middle", munmap(p + PAGE, PAGE));
	printf("attached %ld\n", attached(id));
	printf("%s\n", p + 2 * PAGE);
	show("unmapped at its start", munmap(p, PAGE));
	printf("attached %ld\n", attached(id));
	show("detached at where it was", shmdt(p));
	printf("attached %ld\n", attached(id));
	p = at("attached", id, NULL, 0);
	q = mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, p - 64 * PAGE);
	check("moved", q == p - 64 * PAGE);
	printf("%s\n", q + 2 * PAGE);
	show("detached where it was", shmdt(p));
	show("detached where it is", shmdt(q));
	p = at("attached", id, NULL, 0);
	show("unmapped", munmap(p, SIZE));
	printf("attached %ld\n", attached(id));
	p = at("attached", id, NULL, 0);
	at("replaced by another", other, p + PAGE, SHM_REMAP);
	printf("attached %ld and %ld\n", attached(id), attached(other));
	show("the other", shmdt(p + PAGE));
	show("the first", shmdt(p));
	printf("attached %ld and %ld\n", attached(id), attached(other));
	removed(id);
	removed(other);
}

static int id_of_child;
static volatile int *words;

static int adds(long n)
{
	volatile int *w = shmat(id_of_child, NULL, 0);

	if (w == (void *)-1)
		return 1;
	for (long i = 0; i < n; i++)
		__atomic_add_fetch(w, 1, __ATOMIC_SEQ_CST);
	return 3;
}

static int adds_inherited(long n)
{
	__atomic_add_fetch(words, n, __ATOMIC_SEQ_CST);
	return attached(id_of_child);
}

static int makes_one(long unused)
{
	int id = shmget(0x4b564d02, PAGE, IPC_CREAT | 0600);
	char *p = shmat(id, NULL, 0);

	(void)unused;
	if (p == (void *)-1)
		return 1;
	strcpy(p, "from a child that has ended");
	return 4;
}

static int attached_and_stays(long fd)
{
	char c = 'x';

	shmat(id_of_child, NULL, 0);
	if (write(fd, &c, 1) != 1)
		return 1;
	return forever(0);
}

static void between(void)
{
	pid_t pid[4];
	int sum = 0, fds[2], id;
	char c, *p;

	pid[0] = child(forever, 0);
	/* made after another process, which does not have it */
	id_of_child = made(PAGE);
	for (int i = 1; i < 4; i++)
		pid[i] = child(adds, 1000);
	for (int i = 1; i < 4; i++)
		sum += ended(pid[i]);
	words = at("attached", id_of_child, NULL, 0);
	printf("%d, sum %d, attached %ld\n", sum, *words, attached(id_of_child));
	printf("attached in a child: %d\n", ended(child(adds_inherited, 5)));
	printf("sum %d, attached %ld\n", *words, attached(id_of_child));
	if (pipe(fds))
		exit(1);
	pid[1] = child(attached_and_stays, fds[1]);
	check("it is there", read(fds[0], &c, 1) == 1);
	printf("attached %ld\n", attached(id_of_child));
	kill(pid[1], SIGKILL);
	printf("killed: %d\n", ended(pid[1]));
	printf("attached %ld\n", attached(id_of_child));
	removed(id_of_child);
	printf("attached %ld\n", attached(id_of_child));
	printf("the removed one in a child: %d\n", ended(child(adds_inherited, 1)));
	show("detached", shmdt((void *)words));
	printf("attached %ld\n", attached(id_of_child));
	printf("ended with %d\n", ended(child(makes_one, 0)));
	id = shmget(0x4b564d02, 0, 0);
	p = at("what it made", id, NULL, 0);
	printf("%s, attached %ld\n", p, attached(id));
	removed(id);
	kill(pid[0], SIGKILL);
	reap(pid[0]);
}

static int executes(long unused)
{
	(void)unused;
	shmat(id_of_child, NULL, 0);
	execl("/proc/self/exe", "ipc_shm", "nothing", NULL);
	execl("build/guest/ipc_shm", "ipc_shm", "nothing", NULL);
	return 1;
}

static void nothing(void)
{
}

static void executed(void)
{
	id_of_child = made(PAGE);
	at("attached", id_of_child, NULL, 0);
	fflush(stdout);
	printf("ended with %d\n", ended(child(executes, 0)));
	printf("attached %ld\n", attached(id_of_child));
	removed(id_of_child);
}

static void limits(void)
{
	static int ids[5000];
	struct shminfo info;
	struct shm_info now;
	int n, more;

	drop();
	show("info", shmctl(0, IPC_INFO, (void *)&info) < 0 ? -1 : 0);
	printf("%lu %lu %lu %lu %lu\n", info.shmmax, info.shmmin, info.shmmni, info.shmseg, info.shmall);
	for (n = 0; n < 5000; n++) {
		ids[n] = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
		if (ids[n] < 0)
			break;
	}
	show("one more", n < 5000 ? ids[n] : 0);
	printf("%d segments\n", n);
	check("shm info", shmctl(0, SHM_INFO, (void *)&now) >= n - 1);
	printf("%d of %lu pages\n", now.used_ids, now.shm_tot);
	shmctl(ids[100], IPC_RMID, NULL);
	more = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	check("one instead", more >= 0 && more != ids[100]);
	ids[100] = more;
	more = 0;
	while (n--)
		more += shmctl(ids[n], IPC_RMID, NULL) != 0;
	printf("%d wrong\n", more);
}

/* Under kvmrun alone: as many bytes as --mem. */
static void bytes(void)
{
	int a = shmget(IPC_PRIVATE, 40ul << 20, IPC_CREAT | 0600), b, c;
	char *p = shmat(a, NULL, 0);

	memset(p, 1, 40ul << 20);
	b = shmget(IPC_PRIVATE, 40ul << 20, IPC_CREAT | 0600);
	show("another 40 MiB", b);
	c = shmget(IPC_PRIVATE, 20ul << 20, IPC_CREAT | 0600);
	check("another 20 MiB", c >= 0);
	show("removed", shmctl(a, IPC_RMID, NULL));
	show("while it is attached", shmget(IPC_PRIVATE, 40ul << 20, IPC_CREAT | 0600));
	show("detached", shmdt(p));
	b = shmget(IPC_PRIVATE, 40ul << 20, IPC_CREAT | 0600);
	p = shmat(b, NULL, 0);
	check("zeros where there were none", !p[0] && !p[(40ul << 20) - 1]);
	show("vast", shmget(IPC_PRIVATE, 1ul << 62, IPC_CREAT | 0600));
	show("removed", shmctl(b, IPC_RMID, NULL) | shmctl(c, IPC_RMID, NULL));
}

static const struct part parts[] = {
	{ "state", state }, { "keys", keys }, { "errors", errors }, { "read-only", read_only }, { "pieces", pieces },
	{ "between", between }, { "executed", executed }, { "nothing", nothing }, { "limits", limits }, { "bytes", bytes },
};

int main(int argc, char **argv)
{
	return run_part(argc, argv, parts, ARRAY_SIZE(parts));
}
