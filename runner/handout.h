/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process beside the runner that makes descriptors which the runner's jail does not let it make,
 * and hands them out. A request comes with one end of a socket pair, for the answer: then threads and
 * processes need not wait for each other. It ends when all that know it have.
 */
#ifndef KVMRUN_HANDOUT_H
#define KVMRUN_HANDOUT_H

#include <stddef.h>

/*
 * A request's three numbers, of whoever has taken over a runner; the result is what the asker gets: -errno,
 * or a number, and in *fd (before: -1) a descriptor for it, which is closed here.
 */
typedef int handout_serve(const int request[3], int *fd);

/*
 * Starts it, before there are threads or a VM: where to ask, or -errno, also of prepare(), which runs in
 * there first.
 */
int handout_start(int (*prepare)(void), handout_serve *serve);

/* Asks: the result; *fd is the descriptor that came with it, or -1. */
int handout_ask(int socket, const int request[3], int *fd);

/* Sends n bytes of data on a socket, with fd unless it is negative. 0 or -1. */
int handout_send(int socket, const void *data, size_t n, int fd);

/* Receives n bytes; *fd is what came with them, or -1. 0, or -1 at the end and for anything else. */
int handout_receive(int socket, void *data, size_t n, int *fd);

#endif
