/* SPDX-License-Identifier: GPL-2.0-only */
/* What synth.def's rows are filled by: proc_*.c. */
#ifndef KVMRUN_PROC_H
#define KVMRUN_PROC_H

#include <stdint.h>

#include "synth.h"

/* struct synth's numbers: the lowest there is from this one on, or -1. */
int proc_next_pid(const struct synth *s, int from);
int proc_next_tid(const struct synth *s, int from);
int proc_next_fd(const struct synth *s, int from);
int proc_next_cpu(const struct synth *s, int from);

/* Whether a process is the calling one; whose all of them are. */
bool proc_is_self(int pid);
gid_t proc_gid(void);

/* Of the machine's memory, what the program has not taken. */
uint64_t proc_free_memory(void);

/* At the start, before the jail. */
void proc_init(void);

/* The program's umask, and its changes. */
mode_t proc_umask(void);
mode_t proc_set_umask(mode_t mask);

/* The ID of the thread whose call this is. */
uint32_t proc_own_tid(void);

/* Kernel release, as uname(2) tells it. */
#define PROC_RELEASE	"6.12.0"
#define PROC_VERSION	"#1 kvmrun"

#define FILE_(path, mode, make)		synth_make make;
#define OWN(path, mode, make)		synth_make make;
#define STORE(path, mode, make, store)	synth_make make; synth_store store;
#define TEXT(path, text)
#define LINK(path, text)
#define POINTS(path, make)		synth_make make;
#define LEADS(path, make)		synth_make make;
#define MAGIC(path, make, target)	synth_make make; synth_target target;
#define CHAR(path, mode, major, minor, open)
#include "synth.def"
#undef FILE_
#undef OWN
#undef STORE
#undef TEXT
#undef LINK
#undef POINTS
#undef LEADS
#undef MAGIC
#undef CHAR

#endif
