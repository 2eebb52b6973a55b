/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that lays hands on the shim. Where the shim runs at CPL 3 its pages
 * are the program's, and what comes of that must stay inside the VM; where it
 * runs at CPL 0 the first touch is a fault.
 *
 *	frames SEED	frames of noise, handed to the runner until it ends
 *	scribble SEED	noise over all that the runner filled in before boot
 *	image SEED	noise over the shim's own image
 *	window SEED	mappings of a file, and calls on what they show of it, while its length changes
 *	tables GPA	a page-table entry for a physical address, and a read there
 */
#include "../../shim/abi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct abi_boot *const boot = (void *)(ABI_DIRECT + ABI_BOOT_GPA);

static uint64_t state;

static uint64_t noise(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint32_t below(uint32_t n)
{
	return noise() % n;
}

static uint64_t any_number(void)
{
	switch (below(8)) {
	case 0:
		return noise();
	case 1:
		return ABI_NULL;
	case 2:
		return boot->ram_size - below(8192);
	case 3:
		return ~(uint64_t)below(64);
	default:
		return below(64);
	}
}

#define CALL ABI_CALL
#define NONE ABI_NONE
static const struct abi_call table[ABI_CALLS] = {
#include "../../shim/calls.def"
};
#undef CALL
#undef NONE

static bool waits(uint32_t nr)
{
	static const uint16_t calls[] = { SYS_poll, SYS_select, SYS_pselect6, SYS_ppoll, SYS_nanosleep,
					  SYS_clock_nanosleep, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2,
					  SYS_pause, SYS_rt_sigsuspend, SYS_rt_sigtimedwait, SYS_semop, SYS_semtimedop,
					  SYS_msgsnd, SYS_msgrcv, SYS_mq_timedsend, SYS_mq_timedreceive, SYS_futex_waitv };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == nr)
			return true;
	return false;
}

/* A call that the runner serves, and does not wait in. */
static uint32_t any_call(void)
{
	for (;;) {
		uint32_t nr = below(ABI_CALLS);

		if (table[nr].served > ABI_BY_SHIM && !waits(nr))
			return nr;
	}
}

static uint64_t put_data(struct abi_frame *f, uint32_t n)
{
	uint32_t at = (f->data_len + 7) & ~7u;

	if (n > ABI_DATA || at > ABI_DATA - n)
		return ABI_NULL;
	for (uint32_t i = 0; i < n; i++)
		f->data[at + i] = below(3) ? 0 : noise();
	f->data_len = at + n;
	return at | (uint64_t)n << 32;
}

static uint64_t put_path(struct abi_frame *f)
{
	static const char *const paths[] = { "/dev/null", "/", ".", "..", "/etc/passwd", "/proc/self/fd/3", "", "g",
					     "/g/../../etc/shadow", "/dev/kvm", "/g/x", "/g/link", "/g" };
	const char *path = paths[below(sizeof(paths) / sizeof(paths[0]))];
	uint64_t where = put_data(f, strlen(path) + 1);

	if (where != ABI_NULL)
		memcpy(f->data + (uint32_t)where, path, strlen(path) + 1);
	return where;
}

static uint64_t put_segments(struct abi_frame *f, uint64_t bytes)
{
	uint32_t first = f->nseg, n = below(4);

	for (uint32_t i = 0; i < n && bytes && f->nseg < ABI_NSEGS; i++) {
		uint64_t len = 1 + below(bytes < 4096 ? bytes : 4096);

		f->seg[f->nseg++] = (struct abi_seg){ boot->frame + below(4096), len };
		bytes -= len;
	}
	return first | (uint64_t)(f->nseg - first) << 32;
}

/* Well-formed by the call table, as only that gets far, but for one frame in 400. */
static void fill(struct abi_frame *f)
{
	const struct abi_call *c;

	f->op = ABI_OP_CALL;
	f->nr = any_call();
	f->nseg = f->data_len = 0;
	c = &table[f->nr];
	for (int i = 0; i < 6; i++)
		f->arg[i] = any_number();
	for (int i = 0; i < c->nargs; i++) {
		const struct abi_arg *a = &c->arg[i];

		if (a->kind == ABI_ARG_VALUE || a->kind == ABI_ARG_NONE || a->kind == ABI_ARG_ADDRESS)
			continue;
		if (a->kind == ABI_ARG_FD || a->kind == ABI_ARG_DIRFD)
			f->arg[i] = below(3) ? 3 + below(20) : below(4) - 100ul;
		else if (!below(10))
			f->arg[i] = ABI_NULL;
		else if (a->kind == ABI_ARG_STRING)
			f->arg[i] = put_path(f);
		else if (a->kind >= ABI_ARG_INBUF && a->kind <= ABI_ARG_OUTIOV)
			f->arg[i] = put_segments(f, a->kind <= ABI_ARG_OUTBUF ? f->arg[a->ref] : 65536);
		else if (a->kind >= ABI_ARG_INVEC && a->kind <= ABI_ARG_INOUTVEC)
			f->arg[i] = put_data(f, (f->arg[a->ref] = below(20)) * a->size);
		else
			f->arg[i] = put_data(f, a->size);
	}
	if (below(400))
		return;
	switch (below(6)) {
	case 0:
		/* not STOP, which a program may ask for: it would be stopped */
		f->op = below(2) ? ABI_OP_SIGNALS : ABI_OP_MEMORY + below(3);
		break;
	case 1:
		f->nr = noise();
		break;
	case 2:
		f->nseg = noise();
		break;
	case 3:
		f->data_len = noise();
		break;
	case 4:
		f->arg[below(6)] = noise();
		break;
	default:
		f->seg[0] = (struct abi_seg){ any_number(), any_number() };
	}
}

static void frames(void)
{
	struct abi_frame *f = (void *)(ABI_DIRECT + boot->frame);

	/* "the runner lives" would not mean much if it made no calls; the test looks at --stats */
	for (;;) {
		fill(f);
		asm volatile("outl %%eax, %%dx" : : "a"(0), "d"(ABI_PORT) : "memory");
	}
}

static int64_t ask(uint32_t op, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	struct abi_frame *f = (void *)(ABI_DIRECT + boot->frame);

	f->op = op;
	f->nseg = f->data_len = f->bad = 0;
	f->arg[0] = a0;
	f->arg[1] = a1;
	f->arg[2] = a2;
	f->arg[3] = a3;
	asm volatile("outl %%eax, %%dx" : : "a"(0), "d"(ABI_PORT) : "memory");
	return f->ret;
}

static uint64_t some_pages(void)
{
	return below(20) ? below(9) * ABI_PAGE : noise() >> below(64);
}

/* Near the beginning of the window, where the mappings are. */
static gpa_t in_window(void)
{
	return below(30) ? boot->window + below(64) * ABI_PAGE : noise() >> below(64);
}

/* A call whose buffer is in the window, or half in it. */
static void call_there(int fd)
{
	static const uint16_t calls[] = { SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_getdents64, SYS_getcwd,
					  SYS_fgetxattr, SYS_flistxattr, SYS_getrandom };
	struct abi_frame *f = (void *)(ABI_DIRECT + boot->frame);
	const struct abi_call *c;

	f->op = ABI_OP_CALL;
	f->nr = calls[below(sizeof(calls) / sizeof(calls[0]))];
	f->nseg = f->data_len = f->bad = 0;
	c = &table[f->nr];
	for (int i = 0; i < 6; i++)
		f->arg[i] = below(3) ? 2 * ABI_PAGE : 4 + below(5000);
	for (int i = 0; i < c->nargs; i++)
		if (c->arg[i].kind == ABI_ARG_FD)
			f->arg[i] = fd;
		else if (c->arg[i].kind == ABI_ARG_STRING)
			f->arg[i] = put_path(f);
		else if (c->arg[i].kind == ABI_ARG_INBUF || c->arg[i].kind == ABI_ARG_OUTBUF) {
			uint64_t n = below(2);

			for (uint64_t k = 0; k <= n; k++)
				f->seg[k] = (struct abi_seg){ boot->window + below(64 * ABI_PAGE), 1 + below(f->arg[c->arg[i].ref] / 2) };
			f->nseg = n + 1;
			f->arg[i] = (n + 1) << 32;
		}
	asm volatile("outl %%eax, %%dx" : : "a"(0), "d"(ABI_PORT) : "memory");
}

static void window(void)
{
	int fd = open("/g/file", O_RDWR | O_CREAT, 0600);

	ask(ABI_OP_MAP, ABI_PAGE, fd, 0, 1);
	for (int i = 0; i < 20000; i++) {
		switch (below(9)) {
		case 0:
			ask(ABI_OP_MAP, some_pages(), below(8) ? fd : (int)below(20), below(8) * ABI_PAGE,
			    below(8) | (below(2) ? ABI_MAP_SHARED : 0) | (below(4) ? 0 : ABI_MAP_NOFILE));
			break;
		case 1:
			ask(ABI_OP_UNMAP, in_window(), some_pages(), 0, 0);
			break;
		case 2:
			ask(ABI_OP_REMAP, in_window(), some_pages(), some_pages(), below(2));
			break;
		case 3:
			ask(ABI_OP_TOUCH, in_window(), some_pages(), below(2), 0);
			break;
		case 4:
			ask(below(2) ? ABI_OP_SYNC : ABI_OP_REMOVE, in_window(), some_pages(), noise(), 0);
			break;
		case 5:
			if (ftruncate(fd, below(8) * ABI_PAGE + below(2) * below(4096)))
				return;
			break;
		default:
			call_there(fd);
		}
	}
	write(1, "still here\n", 11);
}

/* New processes begin as the shim has them, which knows nothing of it. */
static void processes(void)
{
	static const uint32_t ops[] = { ABI_OP_FORK, ABI_OP_EXEC, ABI_OP_VFORK, ABI_OP_GIVE, ABI_OP_TAKE, ABI_OP_ID, ABI_OP_TASK };
	struct abi_frame *f = (void *)(ABI_DIRECT + boot->frame);

	for (int i = 0; i < 3000; i++) {
		uint32_t op = ops[below(sizeof(ops) / sizeof(ops[0]))];

		if (op == ABI_OP_FORK && below(50))
			continue;
		f->op = op;
		f->nseg = f->data_len = f->bad = 0;
		for (int k = 0; k < 6; k++)
			f->arg[k] = below(2) ? below(8) : any_number();
		if (op == ABI_OP_EXEC) {
			f->nseg = below(20) ? below(4) : noise();
			for (int k = 0; k < 4; k++)
				f->seg[k] = (struct abi_seg){ below(4) ? boot->frame : any_number(),
							      below(4) ? below(4096) : noise() };
			for (uint32_t k = 0; k < 200; k++)
				f->data[k] = noise();
		}
		if (op == ABI_OP_TASK) {
			for (uint32_t k = 0; k < sizeof(struct abi_task) / 4; k++)
				((uint32_t *)f->data)[k] = below(2) ? boot->pid + below(8) : noise();
			/* a limit of CPU time (0) would be the end */
			f->arg[1] += !(uint32_t)f->arg[1];
		}
		asm volatile("outl %%eax, %%dx" : : "a"(0), "d"(ABI_PORT) : "memory");
	}
	write(1, "still here\n", 11);
}

static void scribble(gpa_t from, gpa_t to)
{
	for (gpa_t at = from; at < to; at += 8)
		if (!below(16))
			*(volatile uint64_t *)(ABI_DIRECT + at) = noise();
	for (int i = 0; i < 100; i++)
		getppid();
	write(1, "still here\n", 11);
}

/* An entry of the top table that the program has no use for leads to what is at gpa. */
static void tables(gpa_t gpa)
{
	uint64_t *pml4 = (void *)(ABI_DIRECT + boot->pml4);
	uint64_t *table = (void *)(ABI_DIRECT + boot->frame + ABI_FRAME_SIZE - ABI_PAGE);
	int i = 1;

	while (pml4[i] & 1)
		i++;
	/* the frame's last page is unused; as a table it leads to itself, twice, and then to gpa */
	memset(table, 0, ABI_PAGE);
	table[0] = (boot->frame + ABI_FRAME_SIZE - ABI_PAGE) | 0x67;
	table[1] = gpa | 0x67;
	pml4[i] = table[0];
	(void)*(volatile uint64_t *)((uint64_t)i << 39 | 1ull << 12);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	const char *mode = argc > 1 ? argv[1] : "";

	state = n * 0x9e3779b97f4a7c15 + 1;
	if (!strcmp(mode, "frames"))
		frames();
	else if (!strcmp(mode, "window"))
		window();
	else if (!strcmp(mode, "processes"))
		processes();
	else if (!strcmp(mode, "scribble"))
		scribble(0, boot->free);
	else if (!strcmp(mode, "image"))
		scribble(ABI_SHIM_GPA, ABI_SHIM_GPA + 0x20000);
	else if (!strcmp(mode, "tables"))
		tables(n);
	else
		return 99;
	return 0;
}
