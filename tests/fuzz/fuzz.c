/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

struct fuzz_totals *fuzz_totals;
char fuzz_dir[64];

static pid_t parent;

void fuzz_take_err(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/2", parent);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(99);
	close(fd);
}

static uint64_t state;

uint64_t noise(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1d;
}

uint32_t below(uint32_t n)
{
	return (noise() >> 32) * n >> 32;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* Seconds of no case at all: a hang, which is SIGALRM. */
#define HANG	300

void fuzz_case(void)
{
	if (!(fuzz_totals->cases++ & 255))
		alarm(HANG);
}

/* The status of one generation. */
static int run(void (*generation)(void), uint64_t seed)
{
	int status = -1;
	pid_t pid;

	strcpy(fuzz_dir, access("/dev/shm", W_OK) ? "/tmp/kvmrun-fuzz.XXXXXX" : "/dev/shm/kvmrun-fuzz.XXXXXX");
	if (!mkdtemp(fuzz_dir))
		return -1;
	fflush(NULL);
	parent = getpid();
	pid = fork();
	if (pid == 0) {
		state = seed * 0x9e3779b97f4a7c15 + 1;
		alarm(HANG);
		generation();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		status = -1;
	nftw(fuzz_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return status;
}

int fuzz(int argc, char **argv, void (*generation)(void), bool (*whole)(void))
{
	const char *standard = getenv("KVMRUN_FUZZ_SECONDS");
	double limit = strtod(argc > 1 ? argv[1] : standard ? standard : "60", NULL), start = seconds(), took;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL), n = 0;
	int status = 0;
	bool good;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* generations write there by an opening of their own */
	fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_APPEND);
	fcntl(STDERR_FILENO, F_SETFL, fcntl(STDERR_FILENO, F_GETFL) | O_APPEND);
	fuzz_totals = mmap(NULL, sizeof(*fuzz_totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (limit <= 0 || fuzz_totals == MAP_FAILED) {
		fprintf(stderr, "usage: %s [SECONDS [SEED]]\n", argv[0]);
		return 2;
	}
	printf("1..2\n# seed %llu\n", (unsigned long long)seed);
	for (; !status && seconds() - start < limit; n++)
		status = run(generation, seed + n);
	took = seconds() - start;
	printf("# %llu cases in %.0f s (%.0f in a second), %llu of them good, %llu refused; %llu generations\n",
	       (unsigned long long)fuzz_totals->cases, took, fuzz_totals->cases / took,
	       (unsigned long long)fuzz_totals->good, (unsigned long long)fuzz_totals->refused, (unsigned long long)n);
	if (status)
		printf("# status %#x of generation %llu: %s %g %llu\n", status, (unsigned long long)n - 1, argv[0], limit,
		       (unsigned long long)(seed + n - 1));
	printf("%sok 1 - every generation ends without a finding\n", status ? "not " : "");
	good = whole();
	printf("%sok 2 - what comes of the cases is what it should be\n", good ? "" : "not ");
	return status || !good;
}

char **fuzz_corpus(const char *path)
{
	char **lines = calloc(1, sizeof(*lines)), *line = NULL;
	FILE *f = fopen(path, "re");
	size_t room = 0, n = 0;
	ssize_t len;

	if (!f || !lines)
		found("%s: the corpus is not there", path);
	while ((len = getline(&line, &room, f)) > 0) {
		if (*line == '#' || *line == '\n')
			continue;
		line[strcspn(line, "\n")] = '\0';
		lines = reallocarray(lines, n + 2, sizeof(*lines));
		if (!lines || !(lines[n] = strdup(line)))
			found("%s: no memory", path);
		lines[++n] = NULL;
	}
	free(line);
	fclose(f);
	return lines;
}
