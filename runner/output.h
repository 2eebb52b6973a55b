/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --output: how much all of the program's processes together may write to its standard output
 * and error, by whatever descriptor. The last byte within the limit is written; who wants to
 * write more ends the program.
 */
#ifndef KVMRUN_OUTPUT_H
#define KVMRUN_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct file;

/* Once, after fdtable_init(). No memory is the runner's end. */
void output_init(const struct config *config);

/* Whether what is written to this host descriptor counts. */
bool output_counts(int host);

/* Of so many bytes for file those that may be written: all where it does not count. */
uint64_t output_take(const struct file *file, uint64_t want);

/*
 * Of want bytes may could be written, and ret were, or it is -errno: what was not is given back, and
 * the program ends if it was the limit that stopped it. Returns ret.
 */
long output_done(const struct file *file, uint64_t want, uint64_t may, long ret);

/* Whether such a file may be given this size at once. */
bool output_may_be(const struct file *file, uint64_t size);

/* One line on stderr. */
void output_report(void);

#endif
