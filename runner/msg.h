/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_MSG_H
#define KVMRUN_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The one way the runner talks to its user.
 *
 * A message is one line on stderr: what happened, to which object, why, and
 * what to do. It is written by a single write(2) of at most PIPE_BUF bytes, so
 * lines of several processes never mix. No trailing newline in fmt; %m works.
 */

/* Exit statuses that are kvmrun's own; every other one is the program's. */
enum {
	KVMRUN_TIMEOUT = 124,	/* the time limit ended the program */
	KVMRUN_FAILED = 125,	/* kvmrun itself failed, or was used wrongly */
	KVMRUN_NOEXEC = 126,	/* PROGRAM was found but cannot be run */
	KVMRUN_NOTFOUND = 127,	/* PROGRAM was not found */
};

/* Number of -v given; vmsg() is silent at 0. */
extern int verbose;

/*
 * Print "kvmrun: <message>". Control characters, bytes that are not UTF-8 and
 * characters that reorder text are shown as \n, \t, \xHH, so that a hostile
 * name cannot drive the terminal; an overlong message ends in "...".
 * Thread-safe: no heap, no stdio, no lock. Keeps errno.
 */
void msg(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, under -v only. */
void vmsg(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* msg(), then exit(3) with status, one of the constants above. */
_Noreturn void die(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Quote n bytes of text as msg() does, into a string of at most size bytes
 * (size >= 8). Returns its length.
 */
size_t msg_quote(char *out, size_t size, const char *text, size_t n);

/* What several threads may be about to say at once; all zero at first. */
struct msg_once {
	uint32_t begun, said;
};

/*
 * Whether the caller is the one to say it, and then to call msg_said(). For the others it has been said
 * when this returns. Not for a signal handler that may have interrupted the one.
 */
bool msg_first(struct msg_once *once);
void msg_said(struct msg_once *once);

#endif
