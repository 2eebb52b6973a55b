/* SPDX-License-Identifier: GPL-2.0-only */
/* CPU time: of one process, and of all that the program has, or had. */
#include <unistd.h>

#include "nsec.h"
#include "process.h"
#include "process_show.h"
#include "process_table.h"

uint64_t proc_cpu(pid_t host, enum cpu_part part)
{
	/* as clock_getcpuclockid(3) names the clock */
	return clock_ns((clockid_t)(~(unsigned int)host << 3 | part));
}

/* Of those that live, from one entry of the table on. One that has ended meanwhile has counted itself. */
static uint64_t cpu_of_living(uint32_t from, enum cpu_part part)
{
	uint64_t sum = 0;

	for (uint32_t i = from; i < proc_used(); i++)
		if (proc_alive(&procs->process[i]) && procs->process[i].host)
			sum += proc_cpu(procs->process[i].host, part);
	return sum;
}

/* Of all processes. What is left of the first one, once it has ended, uses CPU time, too. */
static uint64_t cpu_of_all(enum cpu_part part)
{
	uint64_t ended = part == CPU_USER ? procs->user_ns : procs->cpu_ns;

	return ended + proc_cpu(procs->process->host, part) + cpu_of_living(1, part);
}

uint64_t process_cpu_ns(void)
{
	uint64_t sum = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	if (!procs)
		return sum;
	proc_lock();
	sum += procs->cpu_ns + cpu_of_living(1, CPU_ALL);
	proc_unlock();
	return sum;
}

uint64_t process_cpu_seen(void)
{
	return procs ? cpu_of_all(CPU_ALL) : 0;
}

/* What is told is never less than before, though clocks that are read one after another do not agree. */
static uint64_t highest(uint64_t *told, uint64_t now)
{
	uint64_t old = __atomic_load_n(told, __ATOMIC_RELAXED);

	while (old < now && !__atomic_compare_exchange_n(told, &old, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return old < now ? now : old;
}

static void tell(struct cpu_times *told, struct cpu_times *now)
{
	now->user = highest(&told->user, now->user);
	now->system = highest(&told->system, now->system);
	now->idle = highest(&told->idle, now->idle);
}

void process_cpu_times(unsigned int cpus, struct cpu_times *t)
{
	static struct cpu_times told;	/* by this process, before it had a table */
	uint64_t all, user, passed;

	if (procs) {
		proc_lock();
		all = cpu_of_all(CPU_TICKS);
		user = cpu_of_all(CPU_USER);
		proc_unlock();
	} else {
		all = proc_cpu(getpid(), CPU_TICKS);
		user = proc_cpu(getpid(), CPU_USER);
	}
	passed = boot_ns() * cpus;
	*t = (struct cpu_times){ user, all > user ? all - user : 0, passed > all ? passed - all : 0 };
	tell(&told, t);
	if (procs)
		tell(&procs->told, t);
}
