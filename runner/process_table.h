/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of the program's processes, for process*.c. */
#ifndef KVMRUN_PROCESS_TABLE_H
#define KVMRUN_PROCESS_TABLE_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "../shim/abi.h"
#include "process.h"
#include "process_show.h"
#include "stats.h"

#define SIGNALS		256	/* that wait for a process to take them */
#define FIRST_RT	32
#define PROC_ID_MAX	4194304	/* kernel.pid_max */
#define SHOWN		4096	/* bytes of a command line that others see, and of a path */

enum state { FREE, ALIVE, ZOMBIE };

/* Processes that are copies of one another: what of their memory has been in a copy, and was not written since. */
struct family {
	uint32_t members;
	uint64_t frozen;	/* pages there are of it, at most */
	uint64_t shared;	/* pages that its members have of it, added up */
};

struct process {
	enum state state;
	uint32_t wake;		/* a futex, counted up when something here has changed */
	int pid, ppid, pgid, sid;
	pid_t host, host_group, host_session;
	int tty;		/* process_tty() */
	pid_t wanted_group;	/* the host's, that it is to go to by itself; 0: none */
	int exit_signal;
	uint32_t threads;	/* it has so many, by its own word */
	int status;		/* of a zombie, as of wait4(2) */
	bool executed;		/* it has taken leave of its maker's program: vfork(2) */
	uint64_t born;		/* tells it from others of its number */
	bool subreaper;		/* orphans among its descendants become its: PR_SET_CHILD_SUBREAPER */
	int death_signal;	/* what it is to get when its parent ends: PR_SET_PDEATHSIG */
	bool stranger;		/* setpgid(2) by its parent comes too late */
	int stopped;		/* the signal that has stopped it, until SIGCONT */
	bool stop_told, continued;	/* wait4(2) has told of the stop; is to tell that it is over */
	bool kept;		/* as a zombie: its parent did not ignore its end */
	struct rusage usage;	/* of a zombie, with its children's */
	struct abi_sched sched;	/* what the first thread had of a zombie, or of the first process when it was stopped: task.h */
	struct abi_limit limit[ABI_LIMITS];	/* likewise */
	bool task_set;		/* others have set these two since */
	/* process_memory.c, in pages of --mem */
	uint64_t memory;	/* that count for it alone */
	uint64_t shared;	/* and for its family, of which it is */
	uint32_t family;	/* the one in this entry of the table */
	struct family first;	/* of that number */
	unsigned int head, count;
	siginfo_t queue[SIGNALS];
	/* what others may see of it: process_show.h */
	char comm[16];
	uint64_t started;	/* ns since the machine's start */
	uint32_t cmdline_len;
	char cmdline[SHOWN], exe[SHOWN];
};

struct proc_table {
	pthread_mutex_t lock;
	uint32_t used;		/* entries, the first ones, that have not been free all the time */
	int last_id;
	uint64_t born;		/* processes so far */
	bool ending;		/* everything is to end */
	int limit;		/* ... for this enum end_cause, END_MEMORY or END_OUTPUT, of which one has told; or 0 */
	uint64_t memory;	/* pages that count, of all */
	uint64_t cpu_ns;	/* of those that have ended, but the first */
	uint64_t user_ns;	/* of it the user's part */
	struct cpu_times told;	/* process_cpu_times() */
	struct counts counts;	/* of processes that have ended, but the first */
	struct process process[];
};

extern struct proc_table *procs;	/* NULL until there is a second process */
extern struct process *proc_self;	/* this one there, if there is a table */
extern uint32_t proc_max;		/* entries that it has: --procs */

/* Entries worth a look. The others take no memory, which they would if they were read. */
static inline uint32_t proc_used(void)
{
	uint32_t used = __atomic_load_n(&procs->used, __ATOMIC_RELAXED);

	/* the table may be another process's work that was taken over */
	return used < proc_max ? used : proc_max;
}

extern bool proc_left;			/* this one's entry may be another's already; under the lock */
extern struct rusage proc_children;	/* of those that this one has waited for; likewise */
extern struct vm *proc_vm;		/* this one's */

/* A host process's CPU time, ns, also of another one: the scheduler's, or by its ticks, of which there is the user's part. */
enum cpu_part { CPU_TICKS, CPU_USER, CPU_ALL, CPU_OF_THREAD = 6 };	/* the kernel's CPUCLOCK_PROF, VIRT, SCHED; and of a thread alone */
uint64_t proc_cpu(pid_t host, enum cpu_part part);	/* 0: it has ended */

/* What this process shares with the guest. */
struct abi_boot *proc_boot(void);

/* Its lock, under which all of what follows but proc_wake() is called. */
void proc_lock(void);
void proc_unlock(void);

/* Has it look again, and whoever waits for a change of it. */
void proc_wake(struct process *p);

bool proc_alive(const struct process *p);

/* The one with this ID, alive or a zombie; NULL. */
struct process *proc_find(int pid);

/* Has this one's entry show what it is now. */
void proc_show_self(void);

/* Leaves it a signal: 0, or -EAGAIN. */
int proc_post(struct process *p, const siginfo_t *info);

/* SIGCHLD, or the signal given instead of it, for what wait4(2) would tell. */
void proc_tell_parent(const struct process *p, int signal, int status);

/* Takes the signals that others have left to this one. */
void proc_take_posted(void);

/* The first one has stopped on the host: lets it go on. Without the lock. */
void process_continue_first(void);

/* SIGKILL to this one: the vCPUs are not asked. */
void proc_end_now(void);

/* Goes to the host's group that its parent has asked it to. */
void proc_regroup(void);

/* Of this one's zombies those go whose ends are ignored. */
void proc_autoreap(void);

/* It has ended with this status of wait4(2): its parent is told, its children have another one. */
void proc_bury(struct process *p, int status);

/* This process, the first one, has so many pages. */
void proc_memory_first(uint64_t pages);

/* So much of this process's memory is about to be in a copy. */
void proc_memory_freeze(struct forked_memory memory);

/* Memory for the child p of this process: 0, or -ENOMEM. And no memory for p any more. */
int proc_memory_share(struct process *p);
void proc_memory_end(struct process *p);

/* Whoever had the lock was killed: adds up anew. */
void proc_memory_sum(void);

void proc_usage_add(struct rusage *to, const struct rusage *more);

#endif
