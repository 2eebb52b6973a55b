/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program's processes. Each is a process of the host's with a VM of its own. What
 * they have to know of each other is in a table that all of them share; a thread in
 * each of them waits for what concerns it there. No process may signal another one of
 * the host's: it is told by the table.
 *
 * IDs are the program's: of processes, groups, sessions and threads alike.
 */
#ifndef KVMRUN_PROCESS_H
#define KVMRUN_PROCESS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct vcpu;
struct vm;

/* The first one, before the jail. */
void process_init(struct vm *vm);

/* A lock that is held while the process is copied, so that the copy finds what it guards whole. */
void process_guard(pthread_mutex_t *lock);

/* ABI_OP_FORKING of a process that has so many pages: 0, or -EAGAIN: there may be none but this one. */
int process_forking(uint64_t pages);

/* Whether the program may have one thread or process more, by RLIMIT_NPROC. */
bool process_has_room(void);

/* This process has n threads now, for who counts those of all. */
void process_threads(uint32_t n);

/* Pages that a process has alone no more when it forks, and all that it has so: ABI_OP_FORK. */
struct forked_memory {
	uint64_t frozen, shared;
};

/*
 * ABI_OP_FORK on vcpu. In the parent the child's ID, -EAGAIN: as many as --procs, or the host
 * has no room, or -ENOMEM: as much as --mem; with ABI_FORK_PIDFD a descriptor << 32, too, or -EMFILE.
 * how is the lower half of the frame's arg[1]. In the child 0: vcpu is vCPU 0 of another VM, about to start.
 */
int64_t process_fork(struct vcpu *vcpu, uint32_t last_tid, struct forked_memory memory, uint32_t how);

/* ABI_OP_VFORK: 0 when the child has executed something or ended, or is none; -EINTR. */
int process_vfork_wait(int pid);

/* ABI_OP_COMMIT: pages and ABI_COMMIT_ALONE, or -ENOMEM. */
int64_t process_commit(uint64_t need, uint64_t want, uint64_t shared);

/* Whether so much memory could be this process's, instead of what it has; and it is. */
bool process_memory_fits(uint64_t bytes);
void process_memory_set(uint64_t pages);

/* ABI_OP_ID */
int process_new_id(void);

/* The program's ID of a process of the host's, 0 for one that it does not know. */
int process_id(pid_t host);

/* The calling process's, and the user's of all of them. */
int process_pid(void);
int process_ppid(void);
uid_t process_uid(void);

/*
 * kill(2), and rt_sigqueueinfo(2) with its info: 0, -ESRCH, -EPERM, or -EAGAIN where as
 * many wait there as may.
 */
int process_kill(int pid, const siginfo_t *info);

/* A signal that a process without others sends to itself. */
void process_signal_self(const siginfo_t *info);

/* ABI_OP_PROCESS: as prctl(2), but that what is to be got is the result; -EINVAL. */
long process_prctl(int option, unsigned long value);

struct process_waited {
	int pid, status;	/* as of wait4(2); 0: nobody yet (WNOHANG) */
	struct rusage usage;
};

/* RUSAGE_CHILDREN: of those that were waited for, and of theirs. */
struct rusage process_children_usage(void);

/* Whether this is a child of the calling process, alive or a zombie, and not another one of its number. */
bool process_child(int pid, uint64_t born);

/* waitid(2): 0, -ECHILD, -EINTR, -EINVAL. */
int process_wait(int type, int id, int options, struct process_waited *w);

/* ABI_OP_STOP: stands still until SIGCONT. 0, or -EINVAL. */
int process_stop(int sig);

/* Whether another thread of this process does that; and standing still as long. */
bool process_halted(void);
void process_halt(void);

/* The siginfo of SIGCHLD and waitid(2) for a status of wait4(2). */
void process_child_info(siginfo_t *info, int pid, int status);

/* As the calls of these names. */
int process_getpgid(int pid);
int process_setpgid(int pid, int pgid);
int process_getsid(int pid);
int process_setsid(void);

/* The host's group for one of the program's in this session: -ESRCH, -EPERM; and the program's for the host's, or 0. */
int process_group_on_host(int pgid);
int process_group_from_host(pid_t group);
int process_session_from_host(pid_t session);

/* This process's controlling terminal: one of terminal.h, or one of these. Set for all of its session, but by who is not its leader and has none. */
enum { TTY_NONE, TTY_INHERITED = -1 };
int process_tty(void);
void process_set_tty(int tty);

/* Something has changed for this process. Any thread, any signal handler. */
void process_look(void);

/* Whether the signal of PR_SET_PDEATHSIG is from this host process: the one that made this one, or its parent now. */
bool process_lost_parent(pid_t host);

/* Whether the first process has gone, with which all end. */
bool process_orphaned(void);

/* Whether there is, or has been, another process than the first. */
bool process_forked(void);

/* This process is another program's now. */
void process_executed(void);

/* CPU time of this process, the first one, and of all others, ended or not. */
uint64_t process_cpu_ns(void);

/* The same, as a process beside the first one sees it, without a lock: what one that just ends has used may count twice. */
uint64_t process_cpu_seen(void);

/* Whether there is, or was, another process than the first one; whether all are to end for memory or output. */
bool process_has_others(void);
bool process_at_limit(void);

/* The first process is on its way out, with its own report. */
bool process_finishing(void);

/* A limit has been reached: everything ends. */
void process_end_all(void);

/* Whether this process is not the first one. */
bool process_is_child(void);

/* The run is over: reports it, and ends the process; the first one when all others have. */
_Noreturn void process_finish(void);

#endif
