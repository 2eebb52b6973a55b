/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "clock.h"
#include "end.h"
#include "fdtable.h"
#include "interrupt.h"
#include "load.h"
#include "msg.h"
#include "options.h"
#include "process.h"
#include "stats.h"
#include "sys.h"
#include "thread.h"
#include "trace.h"
#include "vcpu.h"
#include "vfork.h"
#include "vm.h"

#define ID_MAX		4194304	/* kernel.pid_max */
#define SIGNALS		256	/* that wait for a process to take them */
#define FIRST_RT	32
#define LOCKS		16

enum state { FREE, ALIVE, ZOMBIE };

struct process {
	enum state state;
	uint32_t wake;		/* a futex, counted up when something here has changed */
	int pid, ppid, pgid, sid;
	pid_t host;
	int exit_signal;
	int status;		/* of a zombie, as of wait4(2) */
	bool executed;		/* it has taken leave of its maker's program: vfork(2) */
	bool stranger;		/* setpgid(2) by its parent comes too late */
	int stopped;		/* the signal that has stopped it, until SIGCONT */
	bool stop_told, continued;	/* wait4(2) has told of the stop; is to tell that it is over */
	bool kept;		/* as a zombie: its parent did not ignore its end */
	struct rusage usage;	/* of a zombie, with its children's */
	unsigned int head, count;
	siginfo_t queue[SIGNALS];
};

static struct table {
	pthread_mutex_t lock;
	int last_id;
	bool ending;		/* everything is to end */
	struct counts counts;	/* of processes that have ended, but the first */
	struct process process[];
} *table;

static struct process *me;	/* in the table, once there is one */
static bool left;		/* its entry may be another's already; with the table's lock */
static struct rusage children;	/* that were waited for; with the table's lock */
static struct vm *vm;
static uint32_t max;
static uid_t uid;
static pid_t first_host, host_parent;
static pid_t made_by;		/* its first parent, whose end is told of when it is no more the parent */
static pthread_mutex_t *locks[LOCKS];
static unsigned int nlocks;
static pthread_mutex_t forking = PTHREAD_MUTEX_INITIALIZER;

void process_guard(pthread_mutex_t *lock)
{
	if (nlocks == LOCKS)
		die(KVMRUN_FAILED, "internal error: too many locks");
	locks[nlocks++] = lock;
}

static void lock_table(void)
{
	/* whoever was killed with it has left no entry half made that matters: see each use */
	if (pthread_mutex_lock(&table->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&table->lock);
}

static void unlock_table(void)
{
	pthread_mutex_unlock(&table->lock);
}

static void wake(struct process *p)
{
	__atomic_add_fetch(&p->wake, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &p->wake, FUTEX_WAKE, INT32_MAX);
}

static bool alive(const struct process *p)
{
	return p->state == ALIVE;
}

/* The one with this ID, alive or a zombie; NULL. With the lock held. */
static struct process *find(int pid)
{
	for (uint32_t i = 0; i < max; i++)
		if (table->process[i].state != FREE && table->process[i].pid == pid)
			return &table->process[i];
	return NULL;
}

static bool used(int id)
{
	for (uint32_t i = 0; i < max; i++) {
		const struct process *p = &table->process[i];

		if (p->state != FREE && (p->pid == id || p->pgid == id || p->sid == id))
			return true;
	}
	return false;
}

static int new_id(void)
{
	do
		table->last_id = table->last_id + 1 < ID_MAX ? table->last_id + 1 : 300;
	while (used(table->last_id));
	return table->last_id;
}

int process_new_id(void)
{
	int id;

	if (!table)
		return -EINVAL;
	lock_table();
	id = new_id();
	unlock_table();
	return id;
}

int process_pid(void)
{
	return me ? me->pid : GUEST_PID;
}

int process_ppid(void)
{
	return me ? me->ppid : GUEST_PPID;
}

bool process_forked(void)
{
	return table;
}

void process_executed(void)
{
	if (!me)
		return;
	vfork_over();
	lock_table();
	me->executed = me->stranger = true;
	unlock_table();
	wake(me);
}

uid_t process_uid(void)
{
	return uid;
}

bool process_is_child(void)
{
	return me && me != table->process;
}

int process_id(pid_t host)
{
	int id = 0;

	if (!table)
		return host == getpid() ? GUEST_PID : host == host_parent ? GUEST_PPID : 0;
	for (uint32_t i = 0; i < max; i++)
		if (alive(&table->process[i]) && table->process[i].host == host)
			id = table->process[i].pid;
	return id ? id : host == host_parent ? GUEST_PPID : 0;
}

/* ------------------------------------------------------------------------- signals */

/* 0, or -EAGAIN. With the lock held. */
static int post(struct process *p, const siginfo_t *info)
{
	if (info->si_signo < FIRST_RT)
		for (unsigned int i = 0; i < p->count; i++)
			if (p->queue[(p->head + i) % SIGNALS].si_signo == info->si_signo)
				return 0;
	if (p->count == SIGNALS)
		return -EAGAIN;
	p->queue[(p->head + p->count++) % SIGNALS] = *info;
	wake(p);
	return 0;
}

static bool meant(const struct process *p, int pid)
{
	if (p->state == FREE)
		return false;
	if (pid > 0)
		return p->pid == pid;
	if (pid == -1)
		return p != me;
	return p->pgid == (pid ? -pid : me->pgid);
}

int process_kill(int pid, const siginfo_t *info)
{
	int ret = -ESRCH;

	if (!table)
		return -ESRCH;
	lock_table();
	for (uint32_t i = 0; i < max; i++) {
		struct process *p = &table->process[i];
		int err = 0;

		if (!meant(p, pid))
			continue;
		if (info->si_signo && alive(p)) {
			if (p == me)
				interrupt_post(info);
			else
				err = post(p, info);
		}
		if (ret == -ESRCH || !err)
			ret = err;
	}
	unlock_table();
	return ret;
}

/* ------------------------------------------------------------------------- the end of one */

/* SIGCHLD's, for what wait4(2) would tell. */
void process_child_info(siginfo_t *info, int pid, int status)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = SIGCHLD;
	info->si_pid = pid;
	info->si_uid = process_uid();
	if (WIFEXITED(status)) {
		info->si_code = CLD_EXITED;
		info->si_status = WEXITSTATUS(status);
	} else if (WIFSIGNALED(status)) {
		info->si_code = CLD_KILLED;
		info->si_status = WTERMSIG(status);
	} else if (WIFSTOPPED(status)) {
		info->si_code = CLD_STOPPED;
		info->si_status = WSTOPSIG(status);
	} else {
		info->si_code = CLD_CONTINUED;
		info->si_status = SIGCONT;
	}
}

static void tell_parent(const struct process *p, int signal, int status)
{
	struct process *parent = find(p->ppid);
	siginfo_t info;

	if (!parent || !alive(parent))
		return;
	process_child_info(&info, p->pid, status);
	info.si_signo = signal;
	info.si_utime = p->usage.ru_utime.tv_sec * 100 + p->usage.ru_utime.tv_usec / 10000;
	info.si_stime = p->usage.ru_stime.tv_sec * 100 + p->usage.ru_stime.tv_usec / 10000;
	if (signal)
		post(parent, &info);
	wake(parent);
}

/* p has ended: its children are those of process 1, which reaps at once. With the lock held. */
static void bury(struct process *p, int status)
{
	p->state = ZOMBIE;
	p->status = status;
	p->executed = true;
	for (uint32_t i = 0; i < max; i++) {
		struct process *c = &table->process[i];

		if (c->state == FREE || c->ppid != p->pid)
			continue;
		c->ppid = GUEST_PPID;
		if (c->state == ZOMBIE)
			c->state = FREE;
		else
			wake(c);
	}
	if (p->ppid == GUEST_PPID)
		p->state = FREE;
	else
		tell_parent(p, p->exit_signal, status);
	/* who waits for it by vfork(2), and the first one for all */
	wake(p);
	wake(table->process);
}

/* What counts is whether a child's end is ignored when it comes: each zombie is judged once. */
static void autoreap(void)
{
	const struct abi_boot *boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));

	for (uint32_t i = 0; i < max; i++) {
		struct process *p = &table->process[i];

		if (p->state != ZOMBIE || p->ppid != me->pid || p->kept)
			continue;
		if (boot->autoreap)
			p->state = FREE;
		p->kept = true;
	}
}

static void usage_add(struct rusage *to, const struct rusage *more)
{
	timeradd(&to->ru_utime, &more->ru_utime, &to->ru_utime);
	timeradd(&to->ru_stime, &more->ru_stime, &to->ru_stime);
	if (to->ru_maxrss < more->ru_maxrss)
		to->ru_maxrss = more->ru_maxrss;
	to->ru_minflt += more->ru_minflt;
	to->ru_majflt += more->ru_majflt;
	to->ru_inblock += more->ru_inblock;
	to->ru_oublock += more->ru_oublock;
	to->ru_nvcsw += more->ru_nvcsw;
	to->ru_nivcsw += more->ru_nivcsw;
}

struct rusage process_children_usage(void)
{
	struct rusage usage = { 0 };

	if (!table)
		return usage;
	lock_table();
	usage = children;
	unlock_table();
	return usage;
}

/* Of processes of the host's that are gone, and have not told: someone has killed them. */
static void reap(void)
{
	siginfo_t info;
	int status;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || !info.si_pid)
			return;
		status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
		lock_table();
		for (uint32_t i = 0; i < max; i++)
			if (alive(&table->process[i]) && table->process[i].host == info.si_pid)
				bury(&table->process[i], status);
		unlock_table();
	}
}

/* ------------------------------------------------------------------------- listening */

/* SIGKILL: the vCPUs are not asked. */
static void end_now(void)
{
	end_program(END_SIGNAL, 128 + SIGKILL, SIGKILL);
	threads_stop();
}

/* The signals that others have sent. With the lock held. */
static void take_posted(void)
{
	const struct abi_boot *boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));

	for (; me->count; me->count--) {
		const siginfo_t *info = &me->queue[me->head];

		/* no handler, no mask: it need not be asked */
		if (info->si_signo == SIGKILL)
			end_now();
		if (!(info->si_signo == SIGCHLD && info->si_code >= CLD_STOPPED && boot->nocldstop))
			interrupt_post(info);
		me->head = (me->head + 1) % SIGNALS;
		/* who waits for SIGCONT looks when it is there */
		wake(me);
	}
}

/* Takes what others have left for this process. */
static void attend(void)
{
	struct abi_boot *boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));

	reap();
	lock_table();
	if (left) {
		unlock_table();
		return;
	}
	autoreap();
	take_posted();
	boot->ppid = me->ppid;
	if (table->ending && process_is_child())
		end_now();
	unlock_table();
}

static void *listen_table(void *unused)
{
	(void)unused;
	for (;;) {
		uint32_t seen = __atomic_load_n(&me->wake, __ATOMIC_SEQ_CST);

		attend();
		syscall(SYS_futex, &me->wake, FUTEX_WAIT, seen, NULL);
	}
	return NULL;
}

static int start_listening(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, listen_table, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

void process_look(void)
{
	if (me)
		wake(me);
}

void process_init(struct vm *of)
{
	vm = of;
	max = vm->config->procs;
	uid = vm->uid;
	first_host = getpid();
	host_parent = getppid();
	/* whose parent has ended comes here, and not to the host's process 1 */
	if (max > 1 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		vmsg("processes whose parents have ended cannot be kept: %m");
}

/* The table, before there is a second process. */
static int make_table(void)
{
	size_t size = sizeof(*table) + max * sizeof(table->process[0]);
	pthread_mutexattr_t attr;

	table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (table == MAP_FAILED) {
		table = NULL;
		return -ENOMEM;
	}
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&table->lock, &attr);
	me = table->process;
	*me = (struct process){
		.state = ALIVE, .pid = GUEST_PID, .ppid = GUEST_PPID, .pgid = GUEST_PID, .sid = GUEST_PID,
		.host = getpid(), .executed = true, .stranger = true,
	};
	return start_listening();
}

/* ------------------------------------------------------------------------- fork */

/* A free entry, as a child of this process; NULL when there are as many as may be. */
static struct process *new_entry(int exit_signal)
{
	struct process *p = NULL;

	/* the first one's stays its own: all others end with it */
	for (uint32_t i = 1; i < max && !p; i++)
		if (table->process[i].state == FREE)
			p = &table->process[i];
	if (!p)
		return NULL;
	p->pid = new_id();
	p->ppid = me->pid;
	p->pgid = me->pgid;
	p->sid = me->sid;
	p->host = 0;
	p->exit_signal = exit_signal;
	p->executed = p->stranger = p->stop_told = p->continued = p->kept = false;
	p->stopped = 0;
	p->head = p->count = 0;
	memset(&p->usage, 0, sizeof(p->usage));
	p->state = ALIVE;
	return p;
}

/* The copy becomes a process of its own. */
static void begin_child(struct process *p, struct vcpu *vcpu, pid_t parent)
{
	struct abi_boot *boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));

	me = p;
	left = false;
	memset(&children, 0, sizeof(children));
	me->host = getpid();
	host_parent = made_by = parent;
	/* the first process's end, however it comes, is that of all: interrupt.c */
	if (prctl(PR_SET_PDEATHSIG, INTERRUPT_LIMIT) < 0 || process_orphaned())
		_exit(KVMRUN_FAILED);
	end_reset();
	vfork_child();
	boot->pid = me->pid;
	boot->ppid = me->ppid;
	memset(boot->calls, 0, sizeof(boot->calls));
	threads_init(vcpu);
	vm_renew(vm);
	vcpu_renew(vcpu, vm);
	vcpu_anew(vcpu);
	stats_forked();
	clock_forked(vcpu);
	vcpu->guest_tid = me->pid;
	timers_forked();
	interrupt_forked(vcpu);
	if (start_listening() < 0)
		die(KVMRUN_FAILED, "no thread for another process");
}

bool process_lost_parent(pid_t host)
{
	return host == made_by || host == getppid();
}

bool process_orphaned(void)
{
	pid_t now = getppid();

	if (now == host_parent)
		return false;
	if (now != first_host)
		return true;
	host_parent = now;
	return false;
}

int process_fork(struct vcpu *vcpu, uint32_t last_tid, uint64_t how)
{
	struct abi_boot *boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));
	struct process *p = NULL;
	pid_t host, parent = getpid();
	int ret = -EAGAIN;
	uint64_t mask;

	pthread_mutex_lock(&forking);
	if (max < 2 || (!table && make_table() < 0))
		goto out;
	lock_table();
	if (table->last_id < (int)last_tid && last_tid < ID_MAX)
		table->last_id = last_tid;
	p = new_entry(how & 0xff);
	unlock_table();
	if (!p)
		goto out;
	if ((how & ABI_FORK_SHARES) && vfork_prepare() < 0)
		vmsg("a child that fails to execute something will not be able to say so: %m");
	ret = p->pid;
	boot->forked = 1;
	mask = interrupt_block();
	for (unsigned int i = 0; i < nlocks; i++)
		pthread_mutex_lock(locks[i]);
	host = fork();
	for (unsigned int i = nlocks; i--;)
		pthread_mutex_unlock(locks[i]);
	if (host == 0) {
		begin_child(p, vcpu, parent);
		ret = 0;
	} else if (host < 0) {
		vmsg("no other process: %m");
		vfork_failed();
		p->state = FREE;
		ret = -EAGAIN;
	} else {
		/* unless it has come and gone */
		lock_table();
		if (p->state != FREE && p->pid == ret)
			p->host = host;
		unlock_table();
		vfork_parent(ret);
	}
	interrupt_unblock(mask);
out:
	pthread_mutex_unlock(&forking);
	return ret;
}

int process_vfork_wait(int pid)
{
	struct process *p;
	uint32_t seen;
	bool over;

	if (!table)
		return 0;
	lock_table();
	p = find(pid);
	over = !p || p->ppid != me->pid || p->executed;
	seen = p ? p->wake : 0;
	unlock_table();
	if (over)
		return 0;
	interruptible_syscall(SYS_futex, (long)&p->wake, FUTEX_WAIT, seen, 0, 0, 0);
	return -EINTR;
}

/* ------------------------------------------------------------------------- stops */

static volatile bool halted;

bool process_halted(void)
{
	return halted;
}

void process_halt(void)
{
	uint32_t seen;

	while (seen = __atomic_load_n(&me->wake, __ATOMIC_SEQ_CST), halted && !ended())
		syscall(SYS_futex, &me->wake, FUTEX_WAIT, seen, NULL);
}

static void set_stopped(int sig)
{
	lock_table();
	me->stopped = sig;
	me->stop_told = false;
	me->continued = !sig;
	tell_parent(me, SIGCHLD, sig ? sig << 8 | 0x7f : 0xffff);
	unlock_table();
}

int process_stop(int sig)
{
	int ret = 0;

	if (!table)
		return interrupt_stop(sig);
	set_stopped(sig);
	if (interrupt_from_outside(sig)) {
		ret = interrupt_stop(sig);
	} else {
		/* the host's SIGCONT could not be sent to it: its vCPUs stand still */
		halted = true;
		threads_stop();
		for (uint32_t seen; seen = __atomic_load_n(&me->wake, __ATOMIC_SEQ_CST),
		     !interrupt_is_waiting(SIGCONT) && !ended();)
			syscall(SYS_futex, &me->wake, FUTEX_WAIT, seen, NULL);
		halted = false;
		wake(me);
	}
	/* SIGKILL is no end of the stop */
	if (!ended())
		set_stopped(0);
	return ret;
}

/* ------------------------------------------------------------------------- wait */

static bool waits_for(const struct process *p, int type, int id)
{
	if (p->state == FREE || p->ppid != me->pid)
		return false;
	return type == P_ALL || (type == P_PID && p->pid == id) || (type == P_PGID && p->pgid == id);
}

static bool look_at_living(struct process *p, int options, struct process_waited *w)
{
	if (p->stopped && !p->stop_told && (options & WSTOPPED)) {
		*w = (struct process_waited){ p->pid, p->stopped << 8 | 0x7f, p->usage };
		p->stop_told = !(options & WNOWAIT);
		return true;
	}
	if (p->continued && (options & WCONTINUED)) {
		*w = (struct process_waited){ p->pid, 0xffff, p->usage };
		p->continued = options & WNOWAIT;
		return true;
	}
	return false;
}

/* Looks once: 1 when w is filled, 0 when there is none yet, -ECHILD. */
static int look(int type, int id, int options, struct process_waited *w)
{
	int ret = -ECHILD;

	autoreap();
	for (uint32_t i = 0; i < max; i++) {
		struct process *p = &table->process[i];

		if (!waits_for(p, type, id))
			continue;
		ret = 0;
		if (p->state != ZOMBIE && look_at_living(p, options, w))
			return 1;
		if (p->state != ZOMBIE || !(options & WEXITED))
			continue;
		*w = (struct process_waited){ p->pid, p->status, p->usage };
		if (!(options & WNOWAIT)) {
			usage_add(&children, &p->usage);
			p->state = FREE;
		}
		return 1;
	}
	return ret;
}

int process_wait(int type, int id, int options, struct process_waited *w)
{
	uint32_t seen;
	int ret;

	memset(w, 0, sizeof(*w));
	if (!table)
		return -ECHILD;
	if (type == P_PGID && !id)
		id = me->pgid;
	for (;;) {
		lock_table();
		seen = me->wake;
		/* a child's signal is there before who waits for it knows of its end */
		take_posted();
		ret = look(type, id, options, w);
		unlock_table();
		if (ret || (options & WNOHANG))
			return ret < 0 ? ret : 0;
		ret = interruptible_syscall(SYS_futex, (long)&me->wake, FUTEX_WAIT, seen, 0, 0, 0);
		if (ret == -EINTR)
			return ret;
	}
}

/* ------------------------------------------------------------------------- groups and sessions */

static int of(int pid, bool session)
{
	const struct process *p;
	int ret;

	lock_table();
	p = pid ? find(pid) : me;
	ret = !p ? -ESRCH : session ? p->sid : p->pgid;
	unlock_table();
	return ret;
}

int process_getpgid(int pid)
{
	return table ? of(pid, false) : GUEST_PID;
}

int process_getsid(int pid)
{
	return table ? of(pid, true) : GUEST_PID;
}

/* Whether a group is there, in this session. */
static bool has_group(int pgid, int sid)
{
	for (uint32_t i = 0; i < max; i++)
		if (table->process[i].state != FREE && table->process[i].pgid == pgid && table->process[i].sid == sid)
			return true;
	return false;
}

/* Linux's checks in its order, kernel/sys.c. */
static int set_group(struct process *p, int pgid)
{
	if (!p)
		return -ESRCH;
	if (p != me) {
		if (p->ppid != me->pid)
			return -ESRCH;
		if (p->sid != me->sid)
			return -EPERM;
		if (p->stranger)
			return -EACCES;
	}
	if (p->sid == p->pid)
		return -EPERM;
	if (pgid != p->pid && !has_group(pgid, me->sid))
		return -EPERM;
	p->pgid = pgid;
	return 0;
}

int process_setpgid(int pid, int pgid)
{
	struct process *p;
	int ret;

	if (!table)
		return -EPERM;
	lock_table();
	p = pid ? find(pid) : me;
	ret = set_group(p, pgid ? pgid : p ? p->pid : 0);
	unlock_table();
	return ret;
}

int process_setsid(void)
{
	int ret = -EPERM;

	if (!table)
		return ret;
	lock_table();
	if (me->sid != me->pid && !has_group(me->pid, me->sid) && me->pgid != me->pid) {
		me->sid = me->pgid = me->pid;
		ret = me->pid;
	}
	unlock_table();
	return ret;
}

/* ------------------------------------------------------------------------- the end */

void process_end_all(void)
{
	if (!table)
		return;
	lock_table();
	table->ending = true;
	for (uint32_t i = 0; i < max; i++)
		if (alive(&table->process[i]))
			wake(&table->process[i]);
	unlock_table();
}

/* One line for what the program itself cannot have told; --trace's last one. */
static void report(struct end end)
{
	if (call_trace_fd >= 0 && (end.cause == END_EXIT || end.signal))
		trace_exit(call_trace_fd, end.status, end.signal);
	if (end.cause == END_TIMEOUT)
		interrupt_limit_report();
	else if (end.cause == END_MEMORY)
		msg("%s: killed: no memory left of %llu MiB; raise --mem", vm->program,
		    (unsigned long long)(vm->config->mem_bytes >> 20));
}

static bool others_live(void)
{
	bool any = false;

	lock_table();
	for (uint32_t i = 0; i < max; i++)
		any |= alive(&table->process[i]);
	unlock_table();
	return any;
}

/* What it had is given back, and its parent is told. */
static void leave(struct end end)
{
	struct rusage usage;

	/* what remains of the first one still has messages to write */
	fd_close_range(process_is_child() ? 0 : 3, UINT32_MAX, false);
	getrusage(RUSAGE_SELF, &usage);
	lock_table();
	left = true;
	usage_add(&usage, &children);
	me->usage = usage;
	if (process_is_child()) {
		stats_sum()->processes++;
		stats_add(&table->counts, stats_sum());
	}
	bury(me, end.signal ? end.signal : end.status << 8);
	unlock_table();
}

/* The program's first process is over: until others are. Signals go to them. */
static void linger(struct end *end)
{
	struct abi_signal sig;
	bool told = end->cause == END_TIMEOUT;
	uint32_t seen;

	threads_stop();
	/* nobody needs its memory any more */
	madvise(vm->ram, vm->ram_size, MADV_DONTNEED);
	if (told)
		process_end_all();
	for (; seen = __atomic_load_n(&me->wake, __ATOMIC_SEQ_CST), others_live();) {
		while (interrupt_fetch(&sig, 1))
			process_kill(-1, (siginfo_t *)&sig);
		if (interrupt_limit_passed() && !told) {
			told = true;
			interrupt_limit_report();
			end->status = KVMRUN_TIMEOUT;
			process_end_all();
		}
		syscall(SYS_futex, &me->wake, FUTEX_WAIT, seen, NULL);
	}
}

_Noreturn void process_finish(void)
{
	struct end end = end_get();

	interrupt_run_over();
	report(end);
	stats_gather(vm);
	if (table) {
		leave(end);
		if (process_is_child())
			_exit(end.status);
		linger(&end);
		stats_add(stats_sum(), &table->counts);
	}
	stats_write(vm);
	/* no atexit(): the kernel takes the VM down faster than anyone */
	_exit(end.status);
}
