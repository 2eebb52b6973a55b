/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "forked.h"
#include "guest_call.h"
#include "../runner/fdtable.h"
#include "../runner/interrupt.h"
#include "../runner/path.h"
#include "../runner/policy.h"
#include "../runner/proc_maps.h"
#include "../runner/process.h"
#include "../runner/signalfd.h"
#include "../runner/table.h"

struct vm guest_vm;
_Thread_local struct vcpu guest_vcpu;
_Thread_local struct abi_frame *frame;
atomic_uint guest_waits;
unsigned int guest_storm;
unsigned int guest_split;

/* ------------------------------------------------------------- stand-ins for vm.c and interrupt.c */

void *guest_ptr(const struct vm *vm, gpa_t gpa, uint64_t len)
{
	return gpa <= vm->ram_size && len <= vm->ram_size - gpa ? vm->ram + gpa : NULL;
}

long interruptible_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5)
{
	long ret;

	atomic_fetch_add(&guest_waits, 1);
	if (guest_storm) {
		guest_storm--;
		guest_vcpu.pending = true;
	}
	if (guest_vcpu.pending)
		return -EINTR;
	ret = syscall(nr, a0, a1, a2, a3, a4, a5);
	return ret == -1 ? -errno : ret;
}

/* ------------------------------------------------------------- the shim's part */

static _Thread_local uint64_t start, next, end;	/* this thread's guest RAM; free from next on */

static void use_ram(uint64_t from, uint64_t to)
{
	start = from;
	end = to;
	frame = (struct abi_frame *)(guest_vm.ram + from);
	guest_vcpu.vm = &guest_vm;
	guest_vcpu.frame = frame;
}

void guest_start(const struct config *config)
{
	fdtable_init(-1);
	guest_vm.config = config;
	signalfd_init(&guest_vm);
	process_init(&guest_vm);
	policy_init(config);
	need(path_start(config->cwd ? config->cwd : "/") == 0);
	/* with nothing behind it, so that a step too far is a fault */
	guest_vm.ram = mmap(NULL, GUEST_RAM + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(guest_vm.ram != MAP_FAILED);
	need(mprotect(guest_vm.ram, GUEST_RAM, PROT_READ | PROT_WRITE) == 0);
	guest_vm.ram_size = GUEST_RAM;
	guest_vm.mem_limit = GUEST_RAM;
	use_ram(0, GUEST_RAM);
}

void guest_thread(unsigned int i)
{
	uint64_t each = 256 << 10, at = GUEST_THREADS + i * each;

	need(at + each <= GUEST_RAM);
	use_ram(at, at + each);
}

int guest_serve(const char **why)
{
	return call_serve(&guest_vm, &guest_vcpu, why);
}

static void put_buffer(uint64_t base, uint64_t n)
{
	uint64_t part;

	for (; n; n -= part, base += part) {
		part = guest_split && n > guest_split ? guest_split : n;
		need(frame->nseg < ABI_NSEGS && next + part <= end);
		memcpy(guest_vm.ram + next, (void *)base, part);
		frame->seg[frame->nseg++] = (struct abi_seg){ next, part };
		next += part + (guest_split ? 3 : 0);
	}
}

static void get_buffer(uint32_t *seg, uint64_t base, uint64_t n)
{
	for (uint64_t done = 0; done < n; done += frame->seg[(*seg)++].len)
		memcpy((char *)base + done, guest_vm.ram + frame->seg[*seg].gpa, frame->seg[*seg].len);
}

static void put(int i, const struct abi_arg *d, const uint64_t a[6])
{
	uint32_t first = frame->nseg, at = (frame->data_len + 7) & ~7u;
	const struct iovec *iov = (void *)a[i];
	uint64_t n = d->size;

	switch (d->kind) {
	case ABI_ARG_INVEC:
	case ABI_ARG_OUTVEC:
	case ABI_ARG_INOUTVEC:
		n *= a[d->ref];
		break;
	case ABI_ARG_STRING:
		n = a[i] ? strlen((char *)a[i]) + 1 : 0;
		break;
	case ABI_ARG_INBUF:
	case ABI_ARG_OUTBUF:
		put_buffer(a[i], a[i] ? a[d->ref] : 0);
		frame->arg[i] = first | (uint64_t)(frame->nseg - first) << 32;
		return;
	case ABI_ARG_INIOV:
	case ABI_ARG_OUTIOV:
		for (uint64_t k = 0; k < a[d->ref]; k++)
			put_buffer(P(iov[k].iov_base), iov[k].iov_len);
		frame->arg[i] = first | (uint64_t)(frame->nseg - first) << 32;
		return;
	case ABI_ARG_IN:
	case ABI_ARG_OUT:
	case ABI_ARG_INOUT:
		break;
	default:
		frame->arg[i] = a[i];
		return;
	}
	frame->arg[i] = ABI_NULL;
	if (!a[i])
		return;
	need(at + n <= ABI_DATA);
	frame->data_len = at + n;
	frame->arg[i] = at | n << 32;
	/* what an output's room holds before must not matter */
	memset(frame->data + at, 0xa5, n);
	if (d->kind != ABI_ARG_OUT && d->kind != ABI_ARG_OUTVEC)
		memcpy(frame->data + at, (void *)a[i], n);
}

static void get(int i, const struct abi_arg *d, const uint64_t a[6], uint32_t *seg)
{
	const struct iovec *iov = (void *)a[i];

	switch (d->kind) {
	case ABI_ARG_OUT:
	case ABI_ARG_INOUT:
	case ABI_ARG_OUTVEC:
	case ABI_ARG_INOUTVEC:
		if (a[i] && (frame->ret >= 0 || frame->ret == -EINTR))
			memcpy((void *)a[i], frame->data + (uint32_t)frame->arg[i], frame->arg[i] >> 32);
		break;
	case ABI_ARG_INBUF:
	case ABI_ARG_INIOV:
		*seg += frame->arg[i] >> 32;
		break;
	case ABI_ARG_OUTBUF:
		get_buffer(seg, a[i], a[i] ? a[d->ref] : 0);
		break;
	case ABI_ARG_OUTIOV:
		for (uint64_t k = 0; k < a[d->ref]; k++)
			get_buffer(seg, P(iov[k].iov_base), iov[k].iov_len);
	}
}

/* Nothing: a frame of another vCPU's says so, since this one's arguments are needed again. */
static void mapped(void)
{
	static _Thread_local struct abi_frame none;
	struct vcpu vcpu = { .frame = &none };

	op_mappings(&vcpu);
}

long guest_call_args(uint32_t nr, const uint64_t a[6])
{
	const struct abi_call *row = &call_table[nr];
	const struct request *request = NULL;
	const char *why = NULL;
	uint32_t seg = 0;

	frame->op = ABI_OP_CALL;
	frame->nr = nr;
	frame->nseg = frame->data_len = frame->more = frame->bad = 0;
	next = start + sizeof(*frame);
	if (nr == SYS_ioctl || nr == SYS_fcntl)
		request = call_request(nr, a[1]);
	for (int i = 0; i < 6; i++)
		put(i, i == 2 && request ? &request->arg : &row->arg[i], a);
again:
	if (guest_serve(&why)) {
		fprintf(stderr, "call %s: %s\n", call_name(nr), why);
		_exit(1);
	}
	/* the shim would tell what is mapped */
	if (frame->more == ABI_MORE_MAPPINGS) {
		frame->more = 0;
		mapped();
		goto again;
	}
	for (int i = 0; i < 6; i++)
		get(i, i == 2 && request ? &request->arg : &row->arg[i], a, &seg);
	return frame->ret;
}

/* ------------------------------------------------------------- a guest of its own */

struct guest {
	const struct config *config;
	void (*body)(void);
};

static int host_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 512; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void run(void *arg)
{
	const struct guest *guest = arg;

	guest_start(guest->config);
	guest->body();
}

static void run_tidy(void *arg)
{
	const struct guest *guest = arg;
	int before;

	guest_start(guest->config);
	before = host_descriptors();
	guest->body();
	need_result(guest_call(close_range, 3, ~0u, 0), 0);
	need_result(guest_call(chdir, P("/")), 0);
	/* the working directory may have been a granted one before, and is the synthetic "/" now */
	need(host_descriptors() <= before);
}

static void in_child(void (*fn)(void *), const struct config *config, void (*body)(void), struct outcome *o)
{
	struct guest guest = { config, body };
	struct outcome own;

	if (!o)
		o = &own;
	forked(fn, &guest, o);
	if (o->status)
		fail_msg("status %d: %s", o->status, o->err);
}

void guest_run(const struct config *config, void (*body)(void), struct outcome *o)
{
	in_child(run, config, body, o);
}

void guest_run_tidy(const struct config *config, void (*body)(void), struct outcome *o)
{
	in_child(run_tidy, config, body, o);
}
