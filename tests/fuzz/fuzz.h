/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzzers of the runner's parts share: "FUZZER [SECONDS [SEED]]", by default
 * KVMRUN_FUZZ_SECONDS of them, else 60, and a seed by the time, which is printed. They run
 * in generations, each a process of its own: generation N of seed S is generation 0 of
 * seed S + N. Output is TAP.
 */
#ifndef KVMRUN_TESTS_FUZZ_H
#define KVMRUN_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Counts that all generations add to: of cases, and by what came of them. */
struct fuzz_totals {
	uint64_t cases, good, refused;
	uint64_t by[512];	/* the fuzzer's own */
};
extern struct fuzz_totals *fuzz_totals;

/* One more case; a generation in which none comes for minutes has ended as a hang. */
void fuzz_case(void);

/* The next number of this generation, and one below n. */
uint64_t noise(void);
uint32_t below(uint32_t n);

/* A directory of this run's in memory, empty at first. */
extern char fuzz_dir[64];

/* Standard error for findings again, in a generation whose guest was not to have it. */
void fuzz_take_err(void);

/* Ends the generation as a finding. */
#define found(...) \
	do { \
		fprintf(stderr, "# " __VA_ARGS__); \
		fputc('\n', stderr); \
		abort(); \
	} while (0)

/*
 * Runs generation() in one process after another, each of which has to end with 0, and
 * whole() at the end, which tells whether what came of the cases is right. How many cases
 * a second had is told, and not asserted. Returns main()'s result.
 */
int fuzz(int argc, char **argv, void (*generation)(void), bool (*whole)(void));

/* A corpus in the tree: the lines of a file, without those of comments; NULL-terminated. */
char **fuzz_corpus(const char *path);

#endif
