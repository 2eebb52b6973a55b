/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be seen of the program's processes: /proc. */
#ifndef KVMRUN_PROCESS_SHOW_H
#define KVMRUN_PROCESS_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_view {
	int pid, ppid, pgid, sid;
	int tty;		/* process_tty() */
	char state;		/* R, S, T or Z, as proc(5) */
	bool self;		/* it is the calling one */
	char comm[16];
	uint64_t started;	/* ns since the machine's start */
	uint64_t user, system;	/* CPU time, ns */
	uint64_t children_user, children_system;	/* of those it has waited for: of the calling one alone */
};

/* The time that this process began, before the first fork. */
void process_show_init(void);
uint64_t process_started(void);

/* Of CLOCK_BOOTTIME, ns. */
uint64_t boot_ns(void);

/* 0, or -ENOENT: there is no such process. */
int process_view(int pid, struct process_view *v);

/* CPU time of all of the program's processes, ended or not, and what they have left of so many CPUs, ns: never less than it was. */
struct cpu_times {
	uint64_t user, system, idle;
};
void process_cpu_times(unsigned int cpus, struct cpu_times *t);

/* The lowest ID from this one on that is a process's, or -1; how many there are, and have been made. */
int process_next(int from);
unsigned int process_count(void);
uint64_t process_made(void);

/* The command line with its NULs, and the program's path, of any process: bytes. */
size_t process_cmdline(int pid, char *to, size_t room);
size_t process_exe(int pid, char *to, size_t room);

/* The calling process's name, or another one of its threads', has been changed: ABI_OP_NAMED. */
void process_named(void);

/* A thread of this process's: its name in the vCPU's frame. "" for none. */
void process_thread_name(uint32_t tid, char name[16]);
bool process_name_thread(uint32_t tid, const char *name);

#endif
