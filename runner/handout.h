/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process beside the runner that makes descriptors which the runner's jail does not let it make,
 * and hands them out. A request comes with one end of a socket pair, for the answer: then threads and
 * processes need not wait for each other. It ends when all that know it have.
 */
#ifndef KVMRUN_HANDOUT_H
#define KVMRUN_HANDOUT_H

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

#endif
