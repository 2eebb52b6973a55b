/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program has mapped, as /proc tells it. The shim knows that: a call whose file
 * needs it ends with SYNTH_MAPPINGS, the shim tells, and makes the call again.
 */
#ifndef KVMRUN_PROC_MAPS_H
#define KVMRUN_PROC_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../shim/abi.h"

struct vcpu;

/* No errno: the call is to be made again once the shim has told what is mapped. */
#define SYNTH_MAPPINGS	(-5000)

struct mappings {
	struct abi_mapping *mapping;	/* the guest's word */
	size_t count;
	gva_t brk;
};

/* What the shim has told this thread for its present call; NULL: nothing yet. */
const struct mappings *mappings_told(void);

/*
 * Instead of the shim's word what its array has, for a thread that is no vCPU's: as it is now,
 * or where it is being changed all the time, a part of that.
 */
void mappings_look(void);

/* The guest's entry for a page at va and the page's size; 0: there is none in size bytes from va's multiple of it on. */
uint64_t maps_pte(gva_t va, uint64_t *size);

/*
 * The lines of /proc/PID/maps, each one of them followed by what details() writes: of that
 * mapping, whose pages are of a file or not. 0, or SYNTH_MAPPINGS.
 */
typedef void maps_details(void *out, gva_t start, gva_t end, const struct abi_mapping *m, bool file);
int maps_put(void *out, maps_details *details);

/* ABI_OP_MAPPINGS; and forgetting it, after the call. */
void op_mappings(struct vcpu *vcpu);
void mappings_forget(void);

/*
 * The loader: a program is about to be put into memory, and pages of its file, which fd
 * is of, at these addresses. which: 0, or 1 for the dynamic linker, whose path it is.
 */
void maps_begin(const char *interpreter);
void maps_note(gva_t start, gva_t end, uint64_t off, int fd, int which);

/* A guest path as lines of /proc have it: the bytes that delimit fields there as octal numbers. */
void maps_put_path(void *out, const char *path, const char *delimiters);

#endif
