/* SPDX-License-Identifier: GPL-2.0-only */
/* How the pieces of a --trace line are written; shared by trace*.c. */
#ifndef KVMRUN_TRACE_LINE_H
#define KVMRUN_TRACE_LINE_H

#include "trace.h"

#define TRACE_STRING	32	/* bytes of a buffer that are shown */

/* Before the first line. */
void trace_init(void);

/* Writes what was put, a whole line. Not for signal handlers. */
void trace_write(int fd, const struct trace *t);

/* Appends; what does not fit is cut off. The result of fmt must not hold bytes of the guest's. */
void put(struct trace *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* n bytes of the guest's in quotes, as a C string literal. */
void put_quoted(struct trace *t, const void *bytes, size_t n);

/* An address, or NULL. */
void put_address(struct trace *t, uint64_t address);

/* SIGINT, or a plain number; and without SIG, as in a set. */
void put_signal(struct trace *t, uint64_t number);
void put_sigset(struct trace *t, uint64_t set);

/* A value in the given format; trace_flags.c has the names. */
void put_value(struct trace *t, enum abi_fmt fmt, uint64_t value);

struct name {
	uint64_t value;
	const char *name;
};
#define NAME(n)	{ n, #n }

/* All set flags by name, as "A|B|0x40"; unknown is said when no flag has a name. */
void put_flags(struct trace *t, const struct name *names, size_t n, uint64_t flags, const char *unknown);
#define PUT_FLAGS(t, names, flags, unknown) \
	put_flags(t, names, sizeof(names) / sizeof((names)[0]), flags, unknown)

/* The name of a value, or "0x63 /unknown/". */
void put_enum(struct trace *t, const struct name *names, size_t n, uint64_t value, const char *unknown);
#define PUT_ENUM(t, names, value, unknown) \
	put_enum(t, names, sizeof(names) / sizeof((names)[0]), value, unknown)

/* A structure of the given type, or a vector of as many as are in bytes. */
void put_struct(struct trace *t, enum abi_struct type, const void *data, size_t bytes, bool vector);

/* A date between two strings; nothing for second 0. digits of the fraction are shown unless it is 0. */
void put_date(struct trace *t, const char *before, int64_t sec, uint64_t fraction, int digits, const char *after);

/* trace_file.c's part of those structures. */
void put_stat(struct trace *t, const void *p);
void put_statx(struct trace *t, const void *p);
void put_statfs(struct trace *t, const void *p);
void put_pollfd(struct trace *t, const void *p);
void put_epoll_event(struct trace *t, const void *p);
void put_open_how(struct trace *t, const void *p);
void put_setlk(struct trace *t, const void *p);
void put_getlk(struct trace *t, const void *p);
void put_termios(struct trace *t, const void *p);
void put_termio(struct trace *t, const void *p);
void put_winsize(struct trace *t, const void *p);
void put_ifreq(struct trace *t, const void *p);
void put_owner(struct trace *t, const void *p);

#define TRACE_ELEMENTS	32	/* of a vector that are shown */

/* The set ones of n bits, as "[0 3]". */
void put_bits(struct trace *t, const uint8_t *set, uint64_t n);

/* The descriptors below nfds that are in an fd_set, as "[0 3]". */
void put_fdset(struct trace *t, const void *set, uint64_t nfds);

/* What poll(2) answered: "[{fd=0, revents=POLLIN}]". */
void put_revents(struct trace *t, const void *fds, size_t bytes);

/* The text of --- SIGINT {...} --- between the braces. */
void put_siginfo(struct trace *t, const siginfo_t *info);

#endif
