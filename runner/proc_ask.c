/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "end.h"
#include "exec.h"
#include "proc_ask.h"
#include "proc_maps.h"
#include "process.h"
#include "process_table.h"
#include "synth.h"
#include "task.h"
#include "vm.h"

#define PATIENCE	5	/* seconds that an answer may take */
#define A_WHILE		20000000	/* ns between looks whether who is waited for is still there */
#define MAX_ERRNO	4095
#define ROOM		(256u << 10)	/* bytes of an answer; what is longer ends at a line's end */

enum kind { CONTENTS, NEXT, TASK };

/* One for each entry of the table, in memory that all share: nothing in it is to be relied on. */
struct question {
	uint32_t owner;		/* a futex: the ID of the process that asks, or 0 */
	uint32_t asked;		/* the number of the question; */
	uint32_t answered;	/* a futex: of the last one that has been answered */
	int pid;		/* the process that is meant */
	enum kind kind;
	long row;		/* of TASK arg[1] of ABI_OP_TASK, */
	int id;			/* and what is to be done */
	int64_t result;		/* of NEXT; the length, or -errno */
	union {
		char text[ROOM];
		struct abi_task task;
	};
};

static struct question *questions;
/* Held while this process answers, and while it becomes another program. */
static pthread_mutex_t answering = PTHREAD_MUTEX_INITIALIZER;

int proc_ask_init(void)
{
	questions = mmap(NULL, proc_max * sizeof(*questions), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (questions != MAP_FAILED)
		return 0;
	questions = NULL;
	return -ENOMEM;
}

static void wait_for(uint32_t *word, uint32_t value)
{
	static const struct timespec a_while = { 0, A_WHILE };

	syscall(SYS_futex, word, FUTEX_WAIT, value, &a_while);
}

static void wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX);
}

static bool lives(int pid)
{
	const struct process *p;
	bool ret;

	proc_lock();
	p = proc_find(pid);
	ret = p && proc_alive(p);
	proc_unlock();
	return ret;
}

/* The question of a process that can answer: 0, -ESRCH, -EAGAIN. */
static int find(int pid, struct question **q, struct process **of)
{
	int ret = -ESRCH;

	if (!procs || !questions)
		return ret;
	proc_lock();
	*of = proc_find(pid);
	if (*of && proc_alive(*of) && *of != proc_self)
		/* the first one stops on the host, with all its threads */
		ret = *of == procs->process && (*of)->stopped ? -EAGAIN : 0;
	if (!ret)
		*q = &questions[*of - procs->process];
	proc_unlock();
	return ret;
}

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* One asks at a time; one that has died meanwhile does not count. */
static int take(struct question *q, time_t until)
{
	uint32_t me = process_pid(), was = 0;

	while (!__atomic_compare_exchange_n(&q->owner, &was, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (ended() || exec_wanted() || now() > until)
			return -EAGAIN;
		wait_for(&q->owner, was);
		/* it stays was where that one has gone */
		if ((int)was == (int)me || lives(was))
			was = 0;
	}
	return 0;
}

static void give_back(struct question *q)
{
	__atomic_store_n(&q->owner, 0, __ATOMIC_RELEASE);
	wake(&q->owner);
}

/* Takes the answer over. */
static int64_t answer_of(const struct question *q, enum kind kind, char **text, struct abi_task *task)
{
	int64_t result = READ_ONCE(q->result);

	if (kind == TASK)
		memcpy(task, &q->task, sizeof(*task));
	if (kind != CONTENTS || result < 0)
		return result < -MAX_ERRNO || result > INT32_MAX ? -EAGAIN : result;
	if (result > ROOM)
		return -EAGAIN;
	*text = malloc(result + 1);
	if (!*text)
		return -ENOMEM;
	memcpy(*text, q->text, result);
	return result;
}

static int64_t ask(int pid, enum kind kind, long row, int id, char **text, struct abi_task *task)
{
	time_t until = now() + PATIENCE;
	struct process *of = NULL;
	struct question *q = NULL;
	uint32_t number, seen;
	int64_t ret = find(pid, &q, &of);

	if (!ret)
		ret = take(q, until);
	if (ret)
		return ret;
	q->pid = pid;
	q->kind = kind;
	q->row = row;
	q->id = id;
	if (task)
		q->task = *task;
	number = __atomic_add_fetch(&q->asked, 1, __ATOMIC_SEQ_CST);
	proc_wake(of);
	while (!ret && (seen = __atomic_load_n(&q->answered, __ATOMIC_SEQ_CST)) != number) {
		wait_for(&q->answered, seen);
		/* whom another thread's execve() ends waits for nothing */
		ret = ended() || exec_wanted() || now() > until ? -EAGAIN : lives(pid) ? 0 : -ESRCH;
	}
	if (!ret)
		ret = answer_of(q, kind, text, task);
	give_back(q);
	return ret;
}

ssize_t proc_ask(const struct synth *s, char **text)
{
	return ask(s->pid, CONTENTS, synth_row_number(s), s->id, text, NULL);
}

int proc_ask_next(const struct synth *s, int from)
{
	int64_t n = ask(s->pid, NEXT, synth_variable_row(s), from, NULL, NULL);

	return n >= from ? (int)n : -1;
}

int proc_ask_task(int pid, uint32_t op, uint64_t which, struct abi_task *task)
{
	return ask(pid, TASK, which, op, NULL, task);
}

/* ------------------------------------------------------------- answering */

static int64_t text_for(long row, int id, char **text)
{
	int64_t n = synth_answer(row, id, text);

	if (n == SYNTH_MAPPINGS) {
		mappings_look();
		n = synth_answer(row, id, text);
		mappings_forget();
	}
	if (n > ROOM)
		for (n = ROOM; n && (*text)[n - 1] != '\n';)
			n--;
	return n;
}

static int64_t task_for(struct question *q)
{
	struct abi_task task;
	int64_t ret;

	memcpy(&task, &q->task, sizeof(task));
	ret = task_answer(READ_ONCE(q->id), READ_ONCE(q->row), &task);
	memcpy(&q->task, &task, sizeof(task));
	return ret;
}

static int64_t answer(struct question *q)
{
	enum kind kind = READ_ONCE(q->kind);
	char *text = NULL;
	int64_t ret;

	if (READ_ONCE(q->pid) != process_pid())
		return -ESRCH;
	if (kind == NEXT)
		return synth_answer_next(READ_ONCE(q->row), READ_ONCE(q->id));
	if (kind == TASK)
		return task_for(q);
	ret = text_for(READ_ONCE(q->row), READ_ONCE(q->id), &text);
	if (text && ret > 0)
		memcpy(q->text, text, ret);
	free(text);
	return ret;
}

void proc_answer(void)
{
	struct question *q = questions ? &questions[proc_self - procs->process] : NULL;
	uint32_t number = q ? __atomic_load_n(&q->asked, __ATOMIC_SEQ_CST) : 0;

	if (!q || number == READ_ONCE(q->answered))
		return;
	pthread_mutex_lock(&answering);
	q->result = answer(q);
	pthread_mutex_unlock(&answering);
	__atomic_store_n(&q->answered, number, __ATOMIC_SEQ_CST);
	wake(&q->answered);
}

void proc_answer_hold(bool hold)
{
	if (hold)
		pthread_mutex_lock(&answering);
	else
		pthread_mutex_unlock(&answering);
}

void proc_answer_forked(void)
{
	pthread_mutex_init(&answering, NULL);
}
