/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "../shim/abi.h"
#include "process.h"
#include "vfork.h"
#include "vm.h"

#define PAGES	256
#define CHILDREN 64		/* of threads that wait at once */

/* Shared by the two processes; untouched, and so free, unless the child gives something. */
struct left {
	atomic_uint count;
	uint64_t va[PAGES];
	uint8_t page[PAGES][ABI_PAGE];
};

static struct left *made;	/* for the next fork, which is one at a time */
static struct left *own;	/* this process's for its maker */
static struct {
	int pid;
	struct left *left;
	uint32_t taken;
} children[CHILDREN];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int vfork_prepare(void)
{
	static bool guarded;

	if (!guarded)
		process_guard(&lock);
	guarded = true;
	made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (made != MAP_FAILED)
		return 0;
	made = NULL;
	return -ENOMEM;
}

void vfork_failed(void)
{
	if (made)
		munmap(made, sizeof(*made));
	made = NULL;
}

void vfork_parent(int pid)
{
	uint32_t i = 0;

	if (!made)
		return;
	pthread_mutex_lock(&lock);
	while (i < CHILDREN && children[i].left)
		i++;
	if (i < CHILDREN) {
		children[i].pid = pid;
		children[i].taken = 0;
		children[i].left = made;
		made = NULL;
	}
	pthread_mutex_unlock(&lock);
	/* too many at once: of this one nothing is taken */
	vfork_failed();
}

void vfork_child(void)
{
	for (uint32_t i = 0; i < CHILDREN; i++) {
		if (children[i].left)
			munmap(children[i].left, sizeof(*own));
		children[i].left = NULL;
	}
	vfork_over();
	own = made;
	made = NULL;
}

void vfork_over(void)
{
	if (own)
		munmap(own, sizeof(*own));
	own = NULL;
}

int vfork_give(struct abi_frame *f)
{
	uint32_t i = own ? atomic_load(&own->count) : PAGES;

	if (i >= PAGES)
		return -ENOSPC;
	own->va[i] = READ_ONCE(f->arg[0]);
	memcpy(own->page[i], f->data, ABI_PAGE);
	atomic_store(&own->count, i + 1);
	return 0;
}

int64_t vfork_take(struct abi_frame *f, int pid)
{
	int64_t va = 0;
	uint32_t i = 0;

	pthread_mutex_lock(&lock);
	while (i < CHILDREN && !(children[i].left && children[i].pid == pid))
		i++;
	if (i < CHILDREN) {
		struct left *left = children[i].left;
		uint32_t n = children[i].taken++;

		/* the child's memory: it may say anything, of which only the guest suffers */
		if (n < PAGES && n < atomic_load(&left->count)) {
			memcpy(f->data, left->page[n], ABI_PAGE);
			va = left->va[n] & INT64_MAX;
		} else {
			munmap(left, sizeof(*left));
			children[i].left = NULL;
		}
	}
	pthread_mutex_unlock(&lock);
	return va;
}
