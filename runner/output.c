/* SPDX-License-Identifier: GPL-2.0-only */
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "end.h"
#include "fdtable.h"
#include "msg.h"
#include "options.h"
#include "output.h"
#include "thread.h"

static uint64_t limit;
static uint64_t *left;		/* of the limit; all processes have it. NULL: there is none */
static const char *program;

/* What the streams lead to: the same file by another descriptor counts, too. */
static struct {
	dev_t dev;
	ino_t ino;
} streams[2];
static unsigned int nstreams;

void output_init(const struct config *config)
{
	struct stat st;

	limit = config->output_bytes;
	program = config->program;
	if (!limit)
		return;
	left = mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (left == MAP_FAILED)
		die(KVMRUN_FAILED, "no memory for --output: %m");
	*left = limit;
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		struct file *file = fd_get(fd);

		if (file && fstat(file->host, &st) == 0) {
			streams[nstreams].dev = st.st_dev;
			streams[nstreams++].ino = st.st_ino;
		}
		file_put(file);
	}
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct file *file = fd_get(fd);

		if (file)
			file->output = output_counts(file->host);
		file_put(file);
	}
}

bool output_counts(int host)
{
	struct stat st;

	if (!left || host < 0 || fstat(host, &st) < 0)
		return false;
	for (unsigned int i = 0; i < nstreams; i++)
		if (streams[i].dev == st.st_dev && streams[i].ino == st.st_ino)
			return true;
	return false;
}

uint64_t output_take(const struct file *file, uint64_t want)
{
	uint64_t have, may;

	if (!file->output)
		return want;
	have = __atomic_load_n(left, __ATOMIC_SEQ_CST);
	do {
		/* a runner that was taken over may have written anything there */
		may = have < want ? have : want;
	} while (!__atomic_compare_exchange_n(left, &have, have - may, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return may;
}

long output_done(const struct file *file, uint64_t want, uint64_t may, long ret)
{
	uint64_t written = ret > 0 ? ret : 0;

	if (!file->output)
		return ret;
	if (written < may)
		__atomic_add_fetch(left, may - written, __ATOMIC_SEQ_CST);
	else if (may < want && end_program(END_OUTPUT, 128 + SIGKILL, SIGKILL))
		threads_stop();
	return ret;
}

bool output_may_be(const struct file *file, uint64_t size)
{
	return !file->output || size <= limit;
}

void output_report(void)
{
	msg("%s: killed: more output than %llu bytes; raise --output", program, (unsigned long long)limit);
}
