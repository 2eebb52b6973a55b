/* SPDX-License-Identifier: GPL-2.0-only */
/* What of sockets --trace prints. */
#ifndef KVMRUN_TRACE_NET_H
#define KVMRUN_TRACE_NET_H

#include "trace_line.h"

/* A socket address of n bytes; an option's value of n bytes. */
void put_sockaddr(struct trace *t, const void *addr, size_t n);
void put_option(struct trace *t, int level, int number, const void *value, size_t n);

/* "SO_TYPE" and its like, by the level. */
void put_option_name(struct trace *t, int level, int number);

/* The msghdr of a call's argument i, of whose buffers the first bytes are shown. */
void put_message(struct trace *t, const struct call *c, int i, uint64_t bytes);

/* The names of ABI_FMT_FAMILY and what follows it. */
void put_family(struct trace *t, uint64_t value);
void put_socktype(struct trace *t, uint64_t value);
void put_sockflags(struct trace *t, uint64_t value);
void put_protocol(struct trace *t, uint64_t value);
void put_msg_flags(struct trace *t, uint64_t value);
void put_shut(struct trace *t, uint64_t value);
void put_level(struct trace *t, uint64_t value);

/* The first bytes of a buffer in quotes; in trace.c. */
void put_buffer(struct trace *t, const struct call *c, int i, uint64_t bytes, size_t limit);

#endif
