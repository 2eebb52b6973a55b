/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.c - calls of the KVM ABI that no program would make, for a while
 *
 *	fuzz [SECONDS [SEED]]		(KVMRUN_FUZZ_SECONDS or 60; a seed from the clock)
 *
 * Generation after generation, each in a process of its own: a few VMs and
 * vCPUs with small guests, and threads that at random call the ioctls of
 * fuzz_calls.c's table with likely and unlikely arguments, on the right file or another
 * one, change the guests' memory, map, close and make files, fork a process
 * that goes on with them. A kicker interrupts whatever runs. Generation N of
 * seed S is generation 0 of seed S + N.
 *
 * Prints TAP; fails when a generation cannot be killed, when the kernel's log has
 * a complaint, and when a call of the table never succeeded, or never failed. How
 * often each did, and what runs ended in, is shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define THREADS		3
#define STEPS		400	/* per thread and generation */
#define MIN_GENERATIONS	30
#define PATIENCE	120	/* seconds that a generation gets, and then to die */

/* -------------------------------------------------------------------- chance */

uint64_t any(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random * 0x2545f4914f6cdd1dull;
}

uint32_t below(struct worker *w, uint32_t n)
{
	return (any(w) >> 32) % n;
}

bool one_in(struct worker *w, uint32_t n)
{
	return !below(w, n);
}

uint8_t *arena;

uint64_t interesting(struct worker *w)
{
	static const uint64_t values[] = {
		0, 1, 2, 3, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff, 0x100, 0xfff, 0x1000, 0x1001, 0xffff,
		0x10000, 0x7fffffff, 0x80000000, 0xfee00000, 0xffffffff, 0x100000000, 0x7fffffffffff,
		0x800000000000, 0xffff800000000000, 0xffffffff80000000, 0x7fffffffffffffff,
		0x8000000000000000, -0x1000ull, -2ull, -1ull,
	};

	switch (below(w, 8)) {
	case 0: return any(w);
	case 1: return 1ull << below(w, 64);
	case 2: return below(w, 0x800) << 12;
	case 3: return (uintptr_t)arena + below(w, ARENA);
	default: return values[below(w, SIZE(values))];
	}
}

void disturb(struct worker *w, void *at, size_t size)
{
	uint8_t *p = at;

	for (uint32_t n = below(w, 4); n && size; n--) {
		size_t width = 1u << below(w, 4);
		uint64_t value = interesting(w);

		if (width <= size)
			memcpy(p + below(w, size / width) * width, &value, width);
	}
}

/* --------------------------------------------------------------- what is open */

struct entry files[KINDS][FILES];
static uint32_t opened[KINDS];

struct entry *pick(struct worker *w, enum file file)
{
	uint32_t n = __atomic_load_n(&opened[file], __ATOMIC_ACQUIRE);

	return &files[file][n ? below(w, n < FILES ? n : FILES) : 0];
}

void keep(enum file file, int fd)
{
	struct entry e = { .fd = fd };
	struct kvm_sregs sregs;
	uint32_t n;

	if (fd < 0)
		return;
	n = __atomic_load_n(&opened[file], __ATOMIC_RELAXED);
	if (n >= FILES) {
		close(fd);
		return;
	}
	if (file == VCPU) {
		e.run = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (e.run == MAP_FAILED)
			e.run = NULL;
		/* a new vCPU's TSS is a busy one */
		if (!ioctl(fd, KVM_GET_SREGS, &sregs)) {
			spare_qemu(&sregs);
			ioctl(fd, KVM_SET_SREGS, &sregs);
		}
	}
	/* two threads may choose the same place: then one descriptor is forgotten until the end */
	files[file][n] = e;
	__atomic_store_n(&opened[file], n + 1, __ATOMIC_RELEASE);
}

/* ---------------------------------------------------------------------- steps */

/* For all generations: how often a call was made and went well; how runs ended. */
#define MAX_CALLS 128
static struct totals {
	uint64_t made[MAX_CALLS], well[MAX_CALLS], exits[64], signal_ends;
} *totals;

static void count(uint64_t *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static void call(struct worker *w)
{
	uint32_t n = below(w, nr_calls);
	const struct call *c = &calls[n];
	enum file file = one_in(w, 15) ? below(w, KINDS) : c->file;
	struct entry *e = pick(w, file);
	uint64_t argument = c->argument(w, c, e->fd);
	int r = ioctl(e->fd, c->cmd, argument);

	count(&totals->made[n]);
	if (r < 0)
		return;
	count(&totals->well[n]);
	if (c->cmd == KVM_CREATE_VM) {
		keep(VM, r);
	} else if (c->cmd == KVM_CREATE_VCPU) {
		keep(VCPU, r);
	} else if (c->cmd == KVM_RUN && e->run) {
		count(&totals->exits[e->run->exit_reason % 64]);
	} else if (c->cmd == KVM_GET_STATS_FD) {
		/* it keeps its VM; some are left for the end */
		if (pread(r, w->buffer, below(w, BUFFER + 2), one_in(w, 3) ? interesting(w) : below(w, 2000)) <= 0 ||
		    !one_in(w, 4))
			close(r);
	}
}

/* A number that may mean nothing, or something that the table does not have. */
static void unknown_call(struct worker *w)
{
	struct entry *e = pick(w, below(w, KINDS));
	unsigned int cmd = _IOC(below(w, 4), one_in(w, 10) ? any(w) & 0xff : KVMIO, below(w, 256),
				one_in(w, 2) ? interesting(w) & _IOC_SIZEMASK : below(w, 512));
	int r;

	for (int i = 0; i < 64; i++)
		w->buffer[i] = any(w);
	r = ioctl(e->fd, cmd, place(w, _IOC_SIZE(cmd)));
	/* what made a file leaves it for the process's end */
	(void)r;
}

static void memory(struct worker *w)
{
	static const int advice[] = { MADV_DONTNEED, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_PAGEOUT,
				      MADV_COLD, MADV_FREE, MADV_MERGEABLE, 25 /* MADV_COLLAPSE */ };
	size_t from = one_in(w, 3) ? below(w, ARENA >> 21) << 21 : below(w, ARENA >> 12) << 12;
	size_t size = one_in(w, 3) ? 0x200000 : (1 + below(w, 16)) << 12;
	int prot = one_in(w, 3) ? below(w, 8) : PROT_READ | PROT_WRITE;

	if (size > ARENA - from)
		size = ARENA - from;
	switch (below(w, 5)) {
	case 0:
		mmap(arena + from, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
		break;
	case 1:
		mprotect(arena + from, size, prot);
		break;
	case 2:
		mremap(arena + from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
		       arena + (below(w, ARENA >> 13) << 12));
		break;
	default:
		madvise(arena + from, size, advice[below(w, SIZE(advice))]);
	}
}

static void map_file(struct worker *w)
{
	int fd = pick(w, one_in(w, 3) ? below(w, KINDS) : VCPU)->fd;
	off_t offset = one_in(w, 4) ? (off_t)(interesting(w) & ~0xfffull) : below(w, 5) << 12;
	size_t size = (1 + below(w, 5)) << 12;
	volatile uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, one_in(w, 2) ? MAP_SHARED : MAP_PRIVATE,
				   fd, offset);

	if (p == MAP_FAILED)
		return;
	/* beyond what there is, a system call gets EFAULT where the program would get SIGBUS */
	if (write(files[DEVICE][FILES - 1].fd, (void *)(p + size - 4096), 1) == 1 || one_in(w, 2))
		madvise((void *)p, size, MADV_DONTNEED);
	munmap((void *)p, size);
}

static void end_file(struct worker *w)
{
	/* the number may become another file's at once: so much the better */
	if (one_in(w, 4))
		close(pick(w, one_in(w, 3) ? VM : VCPU)->fd);
}

static void step(struct worker *w);

static void other_process(struct worker *w)
{
	pid_t pid;

	if (!one_in(w, 10))
		return;
	pid = fork();
	if (!pid) {
		alarm(PATIENCE);
		signal(SIGALRM, SIG_DFL);
		for (int i = 0; i < 20; i++)
			step(w);
		_exit(0);
	}
	if (pid > 0 && one_in(w, 2))
		waitpid(pid, NULL, 0);
}

static void step(struct worker *w)
{
	uint32_t n = below(w, 100);

	if (n < 75)
		call(w);
	else if (n < 80)
		unknown_call(w);
	else if (n < 90)
		memory(w);
	else if (n < 94)
		map_file(w);
	else if (n < 96)
		end_file(w);
	else if (n < 98)
		other_process(w);
	else if (opened[VM] < 6)
		make_machine(w);
}

/* ---------------------------------------------------------------- generations */

static pthread_t threads[THREADS];
static volatile int working;

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < STEPS; i++)
		step(w);
	__atomic_sub_fetch(&working, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

/* The guests' own memory is the fuzzer's, too: what it does to itself ends a generation early. */
static void give_up(int sig)
{
	(void)sig;
	count(&totals->signal_ends);
	_exit(0);
}

static void generation(uint64_t seed)
{
	static struct worker workers[THREADS];
	struct sigaction kick = { .sa_handler = nothing };
	struct rlimit fds = { 400, 400 }, core = { 0, 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_NOFILE, &fds);
	setrlimit(RLIMIT_CORE, &core);
	sigaction(SIGUSR1, &kick, NULL);
	signal(SIGSEGV, give_up);
	signal(SIGBUS, give_up);
	/* far below all else: nothing that is to stay comes into its holes */
	arena = mmap((void *)0x100000000000, 2 * ARENA, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	arena = (uint8_t *)(((uintptr_t)arena + 0x1fffff) & ~0x1fffffull);
	keep(DEVICE, guest_device());
	keep(DEVICE, guest_device());
	files[DEVICE][FILES - 1].fd = open("/dev/null", O_WRONLY);
	for (int i = 0; i < THREADS; i++) {
		struct worker *w = &workers[i];

		w->id = i;
		w->random = (seed * THREADS + i + 1) * 0x9e3779b97f4a7c15ull | 1;
		w->buffer = mmap(NULL, BUFFER + 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(w->buffer + BUFFER, 4096);
		mmap(w->buffer + BUFFER, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	make_machine(&workers[0]);
	make_machine(&workers[1]);
	make_classic(&workers[0], files[DEVICE][0].fd);
	working = THREADS;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, &workers[i]);
	while (working) {
		usleep(5000);
		/* a thread that has ended is not joined, so its number stays good */
		for (int i = 0; i < THREADS; i++)
			pthread_kill(threads[i], SIGUSR1);
	}
	/* ends with guests, descriptors and threads as they are */
	_exit(0);
}

/* ----------------------------------------------------------------------- main */

static uint64_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static bool gone(pid_t pid, uint64_t patience)
{
	for (uint64_t end = seconds() + patience; seconds() < end; usleep(10000))
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
	return false;
}

/* Lines of the kernel's log since its last size that no kernel in order has. */
static int complaints(size_t *seen)
{
	static const char *const signs[] = { "BUG:", "WARNING:", "INFO: ", "Oops", "KASAN:", "UBSAN:",
					     "general protection", "refcount_t" };
	static char log[1 << 21];
	int n = klogctl(3 /* read all */, log, sizeof(log) - 1), found = 0;
	char *line, *rest = log;

	if (n < 0)
		return 0;
	log[n] = 0;
	if (*seen <= (size_t)n)
		rest += *seen;
	*seen = n;
	while ((line = strsep(&rest, "\n")))
		for (size_t i = 0; i < SIZE(signs); i++)
			if (strstr(line, signs[i])) {
				printf("# %s\n", line);
				found++;
				break;
			}
	return found;
}

/* Shows them; how many calls of the table never went well, or always. Stock KVM has not all. */
static unsigned int show_totals(void)
{
	bool classic = !access("/dev/kvmrun", F_OK);
	unsigned int missed = 0;

	for (size_t i = 0; i < nr_calls; i++) {
		bool both = totals->well[i] && totals->well[i] < totals->made[i];

		printf("# %-32s %8llu made, %8llu went well%s\n", calls[i].name,
		       (unsigned long long)totals->made[i], (unsigned long long)totals->well[i],
		       both ? "" : ": not seen both ways");
		missed += !both && (classic || strncmp(calls[i].name, "CLASSIC", 7));
	}
	for (size_t i = 0; i < SIZE(totals->exits); i++)
		if (totals->exits[i])
			printf("# exit reason %zu: %llu\n", i, (unsigned long long)totals->exits[i]);
	printf("# generations that ended by SIGSEGV or SIGBUS: %llu\n",
	       (unsigned long long)totals->signal_ends);
	return missed;
}

/* Where a generation that cannot be killed is: its threads' stacks in the kernel. */
static void show_threads(pid_t pid)
{
	char command[128];

	snprintf(command, sizeof(command), "cd /proc/%d/task && head -n 40 */stat */stack | sed 's/^/# /'", pid);
	fflush(stdout);
	if (system(command))
		printf("# they cannot be looked at\n");
}

int main(int argc, char **argv)
{
	const char *standard = getenv("KVMRUN_FUZZ_SECONDS");
	uint64_t limit = strtoull(argc > 1 ? argv[1] : standard ? standard : "60", NULL, 0);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	uint64_t n = 0, end = seconds() + limit;
	unsigned int missed;
	size_t seen = 0;
	bool stuck = false;
	int found;

	setvbuf(stdout, NULL, _IOLBF, 0);
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!limit || totals == MAP_FAILED) {
		fprintf(stderr, "usage: fuzz [SECONDS [SEED]]\n");
		return 2;
	}
	if (access("/dev/kvmrun", R_OK | W_OK) && access("/dev/kvm", R_OK | W_OK)) {
		printf("1..0 # SKIP no KVM device here\n");
		return 0;
	}
	printf("1..3\n# seed %llu\n", (unsigned long long)seed);
	complaints(&seen);
	found = 0;
	/* on a slow machine so many that each call has had its chances */
	for (; (seconds() < end || n < MIN_GENERATIONS) && !stuck && !found; n++) {
		pid_t pid = fork();

		if (!pid)
			generation(seed + n);
		if (!gone(pid, PATIENCE)) {
			kill(pid, SIGKILL);
			stuck = !gone(pid, PATIENCE);
			if (stuck)
				show_threads(pid);
		}
		found = complaints(&seen);
		if (stuck || found)
			printf("# in generation %llu: fuzz %llu %llu\n", (unsigned long long)n,
			       (unsigned long long)limit, (unsigned long long)(seed + n));
	}
	printf("# %llu generations\n", (unsigned long long)n);
	printf("%sok 1 - every generation ends or can be killed\n", stuck ? "not " : "");
	printf("%sok 2 - the kernel has nothing to complain about\n", found ? "not " : "");
	missed = show_totals();
	printf("%sok 3 - every call succeeds at times and fails at times\n", missed ? "not " : "");
	return stuck || found || missed;
}
