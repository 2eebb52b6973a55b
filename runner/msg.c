/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "msg.h"

int verbose;

/* Code points that are valid UTF-8 yet act on the terminal or hide text. */
static const struct {
	uint32_t first, last;
} unprintable[] = {
	{ 0x00, 0x1f },		/* C0 controls */
	{ 0x7f, 0x9f },		/* DEL and the C1 controls: 0x9b is CSI */
	{ 0x061c, 0x061c },	/* Arabic letter mark */
	{ 0x200b, 0x200f },	/* zero width, left-to-right and right-to-left marks */
	{ 0x2028, 0x202e },	/* line separators, bidirectional overrides */
	{ 0x2060, 0x206f },	/* invisible operators, bidirectional isolates */
	{ 0xd800, 0xdfff },	/* surrogates: not valid in UTF-8 */
	{ 0xfeff, 0xfeff },	/* byte order mark */
	{ 0x110000, UINT32_MAX },
};

/* Length of the printable character at s (n bytes are readable), 0 for none. */
static size_t printable(const unsigned char *s, size_t n)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t c = len == 1 ? s[0] : s[0] & (0x7f >> len);

	if (len == 0 || len > n || s[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < smallest[len])
		return 0;
	for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++)
		if (c >= unprintable[i].first && c <= unprintable[i].last)
			return 0;
	return len;
}

size_t msg_quote(char *out, size_t size, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0;

	for (size_t i = 0; i < n;) {
		size_t len = printable(s + i, n - i);

		/* room for the longest character and for "..." */
		if (used + 4 + 4 > size) {
			memcpy(out + used, "...", 3);
			used += 3;
			break;
		}
		if (len) {
			memcpy(out + used, s + i, len);
			used += len;
			i += len;
			continue;
		}
		if (s[i] == '\n' || s[i] == '\t')
			used += sprintf(out + used, "\\%c", s[i] == '\n' ? 'n' : 't');
		else
			used += sprintf(out + used, "\\x%02x", s[i]);
		i++;
	}
	out[used] = '\0';
	return used;
}

static void emit(const char *fmt, va_list ap)
{
	static const char prefix[] = "kvmrun: ";
	const size_t start = sizeof(prefix) - 1;
	char text[PIPE_BUF], line[PIPE_BUF];
	int saved = errno;
	size_t n;
	int len;

	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (len < 0)
		len = 0;
	/* one byte more than fits, so that msg_quote() marks what was cut */
	n = (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
	memcpy(line, prefix, start);
	n = start + msg_quote(line + start, sizeof(line) - start - 1, text, n);
	line[n++] = '\n';
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		;
	errno = saved;
}

void msg(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(fmt, ap);
	va_end(ap);
}

bool msg_first(struct msg_once *once)
{
	static const struct timespec nap = { .tv_nsec = 1000000 };

	if (!__atomic_exchange_n(&once->begun, 1, __ATOMIC_SEQ_CST))
		return true;
	while (!__atomic_load_n(&once->said, __ATOMIC_SEQ_CST))
		clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	return false;
}

void msg_said(struct msg_once *once)
{
	__atomic_store_n(&once->said, 1, __ATOMIC_SEQ_CST);
}

void vmsg(const char *fmt, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	emit(fmt, ap);
	va_end(ap);
}

void die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(fmt, ap);
	va_end(ap);
	exit(status);
}
