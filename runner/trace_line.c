/* SPDX-License-Identifier: GPL-2.0-only */
/* The pieces of a --trace line: text, strings, addresses, signals. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "trace_line.h"

static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;

void trace_init(void)
{
	process_guard(&line_lock);
}

void trace_write(int fd, const struct trace *t)
{
	/*
	 * A pipe may take a line longer than PIPE_BUF in pieces. Who waits here for
	 * the lock would wait for the pipe's reader without it.
	 */
	size_t done = 0;

	pthread_mutex_lock(&line_lock);
	while (done < t->len) {
		ssize_t n = write(fd, t->text + done, t->len - done);

		if (n > 0)
			done += n;
		else if (n == 0 || errno != EINTR)
			/* the program goes on when its trace cannot be written */
			break;
	}
	pthread_mutex_unlock(&line_lock);
}

void put(struct trace *t, const char *fmt, ...)
{
	size_t room = sizeof(t->text) - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->text + t->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n < room ? (size_t)n : room - 1;
}

void put_quoted(struct trace *t, const void *bytes, size_t n)
{
	static const char letters[] = "\tt\nn\vv\ff\rr\"\"\\\\";
	const unsigned char *p = bytes;

	put(t, "\"");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = p[i];	/* read once: it may be guest memory */
		const char *letter = NULL;

		for (size_t k = 0; k < sizeof(letters) - 1; k += 2)
			if (letters[k] == c)
				letter = &letters[k + 1];
		if (letter)
			put(t, "\\%c", *letter);
		else if (c >= ' ' && c < 0x7f)
			put(t, "%c", c);
		else if (i + 1 < n && p[i + 1] >= '0' && p[i + 1] <= '7')
			put(t, "\\%03o", c);
		else
			put(t, "\\%o", c);
	}
	put(t, "\"");
}

void put_address(struct trace *t, uint64_t address)
{
	if (address)
		put(t, "%#lx", address);
	else
		put(t, "NULL");
}

/* Linux's numbers; libc keeps the first two real-time ones to itself. */
#define RTMIN	32
#define RTMAX	64

static void put_signal_suffix(struct trace *t, unsigned int number)
{
	if (number == RTMIN)
		put(t, "RTMIN");
	else if (number > RTMIN)
		put(t, "RT_%u", number - RTMIN);
	else
		put(t, "%s", sigabbrev_np(number));
}

void put_signal(struct trace *t, uint64_t number)
{
	unsigned int n = number;

	if (n && n <= RTMAX) {
		put(t, "SIG");
		put_signal_suffix(t, n);
	} else {
		put(t, "%d", (int)n);
	}
}

void put_sigset(struct trace *t, uint64_t set)
{
	const char *space = "";

	/* As strace: a set of most signals is told by the ones that are missing. */
	if (__builtin_popcountll(set) >= RTMAX * 2 / 3) {
		put(t, "~");
		set = ~set;
	}
	put(t, "[");
	for (unsigned int n = 1; n <= RTMAX; n++)
		if (set >> (n - 1) & 1) {
			put(t, "%s", space);
			put_signal_suffix(t, n);
			space = " ";
		}
	put(t, "]");
}
