/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of AF_UNIX: the guest's names, and the host's for the same sockets. */
#ifndef KVMRUN_UNIXNAME_H
#define KVMRUN_UNIXNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

/* A host address to use; fd keeps what it leads to until unixname_done(). */
struct unixname {
	struct sockaddr_un addr;
	socklen_t len;
	int fd;
};

/* Before the first fork: all processes of the program know one another's names. */
void unixname_init(void);

/*
 * The host's address for a guest's of len bytes (at least 2), to connect or send to,
 * or to bind. Below a writable grant, or abstract where --net allows it. 0, and
 * unixname_done() must follow, or -errno.
 */
int unixname_find(const struct sockaddr_un *guest, socklen_t len, struct unixname *name);
int unixname_make(const struct sockaddr_un *guest, socklen_t len, struct unixname *name);
void unixname_done(struct unixname *name);

/* unixname_make()'s address was bound: whoever sees it shall be told the guest's. */
void unixname_bound(const struct unixname *name, const struct sockaddr_un *guest, socklen_t len);

/*
 * Turns an address that the host told into the guest's, in place, and returns its
 * length. A name of the host's that is none of the guest's is not told: it has none.
 */
socklen_t unixname_seen(struct sockaddr_un *addr, socklen_t len);

#endif
