/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --mem, which is for all processes together. Each shim counts what its process may
 * write to, and asks for its share here. A copy counts whole from the start, as either
 * side may write all of it; but one of vfork(2), which is to execute something, not before
 * it has, as long as all such copies together are no more than the limit.
 */
#include <errno.h>

#include "process.h"
#include "process_table.h"
#include "vm.h"

static uint64_t limit(void)
{
	return proc_vm->mem_limit / ABI_PAGE;
}

/* Has p have so many pages. */
static void set(struct process *p, uint64_t memory, uint64_t loan)
{
	procs->memory += memory - p->memory;
	procs->loan += loan - p->loan;
	p->memory = memory;
	p->loan = loan;
}

/* What p may have at most. */
static uint64_t room(const struct process *p)
{
	uint64_t others = procs->memory - p->memory;

	return others < limit() ? limit() - others : 0;
}

/* Of so many pages those that count for this process. */
static uint64_t own(uint64_t pages)
{
	return pages > proc_self->loan ? pages - proc_self->loan : 0;
}

int proc_memory_share(struct process *p, uint64_t pages, bool loan)
{
	if (pages > limit())
		pages = limit();
	/* the first time: until now nobody else has asked */
	set(proc_self, own(pages), proc_self->loan);
	if (loan && procs->loan + pages <= limit())
		set(p, 0, pages);
	else if (pages <= room(p))
		set(p, pages, 0);
	else
		return -ENOMEM;
	return 0;
}

void proc_memory_end(struct process *p)
{
	set(p, 0, 0);
}

void proc_memory_sum(void)
{
	procs->memory = procs->loan = 0;
	for (uint32_t i = 0; i < proc_max; i++) {
		procs->memory += procs->process[i].memory;
		procs->loan += procs->process[i].loan;
	}
}

int64_t process_commit(uint64_t need, uint64_t want)
{
	int64_t ret = -ENOMEM;
	uint64_t most;

	if (!procs || need > want || want > limit())
		return -ENOMEM;
	proc_lock();
	most = room(proc_self) + proc_self->loan;
	if (need <= most) {
		ret = want < most ? want : most;
		set(proc_self, own(ret), proc_self->loan);
	}
	proc_unlock();
	return ret;
}

bool process_memory_fits(uint64_t bytes)
{
	bool fits;

	if (!procs)
		return true;
	proc_lock();
	fits = bytes / ABI_PAGE <= room(proc_self);
	proc_unlock();
	return fits;
}

void process_memory_set(uint64_t pages)
{
	if (!procs)
		return;
	proc_lock();
	set(proc_self, pages, 0);
	proc_unlock();
}
