/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_QUANTITY_H
#define KVMRUN_QUANTITY_H

#include <stdint.h>

/*
 * Sizes and durations as people write them on a command line.
 *
 * Both return NULL and set the result, or return why the text is refused (a
 * string constant that fits after "not a size: "); the result is then
 * untouched. Zero, signs, blanks and trailing characters are refused.
 */

/* "512M", "2G", "4096": bytes; K, M, G, T are powers of 1024, either case. */
const char *size_parse(const char *text, uint64_t *bytes);

/* "10", "1.5", "500ms", "10s", "2m", "1h": nanoseconds, at most INT64_MAX. */
const char *duration_parse(const char *text, uint64_t *ns);

#endif
