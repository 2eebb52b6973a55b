/* SPDX-License-Identifier: GPL-2.0-only */
/* Small calls that need nothing of the host: names, ids, limits. */
#include "shim.h"

void end_program(u64 code, u64 signal, enum abi_end why)
{
	const struct regs *regs = (struct regs *)((u64)this_cpu() - sizeof(*regs));
	struct abi_frame *f = this_cpu()->frame;

	futex_end_all();
	vfork_end();
	f->op = ABI_OP_EXIT;
	f->arg[0] = code;
	f->arg[1] = signal;
	f->arg[2] = why;
	f->arg[3] = regs->rip;
	f->arg[4] = current->trapno;
	f->arg[5] = current->cr2;
	for (;;)
		vm_exit();
}

long sys_exit_group(const u64 a[6])
{
	end_program(a[0] & 0xff, 0, ABI_END_STATUS);
}

/* ---------------------------------------------------------------------- ids */

long sys_getpid(const u64 a[6])
{
	return (void)a, boot->pid;
}

long sys_getppid(const u64 a[6])
{
	return (void)a, boot->ppid;
}

long sys_gettid(const u64 a[6])
{
	return (void)a, current->tid;
}

long sys_getuid(const u64 a[6])
{
	return (void)a, boot->uid;
}

long sys_geteuid(const u64 a[6])
{
	return (void)a, boot->uid;
}

long sys_getgid(const u64 a[6])
{
	return (void)a, boot->gid;
}

long sys_getegid(const u64 a[6])
{
	return (void)a, boot->gid;
}

/* The n ids of a set*id call: each the program's own, or -1 for no change. */
static long set_ids(const u64 a[6], int n, u32 own)
{
	for (int i = 0; i < n; i++)
		if ((u32)a[i] != own && ((u32)a[i] != UINT32_MAX || n == 1))
			return -EPERM;
	return 0;
}

long sys_setuid(const u64 a[6])
{
	return set_ids(a, 1, boot->uid);
}

long sys_setgid(const u64 a[6])
{
	return set_ids(a, 1, boot->gid);
}

long sys_setreuid(const u64 a[6])
{
	return set_ids(a, 2, boot->uid);
}

long sys_setregid(const u64 a[6])
{
	return set_ids(a, 2, boot->gid);
}

long sys_setresuid(const u64 a[6])
{
	return set_ids(a, 3, boot->uid);
}

long sys_setresgid(const u64 a[6])
{
	return set_ids(a, 3, boot->gid);
}

long sys_setfsuid(const u64 a[6])
{
	return (void)a, boot->uid;
}

long sys_setfsgid(const u64 a[6])
{
	return (void)a, boot->gid;
}

static long put_ids(const u64 a[6], u32 id)
{
	for (int i = 0; i < 3; i++)
		if (put_user(id, a[i]))
			return -EFAULT;
	return 0;
}

long sys_getresuid(const u64 a[6])
{
	return put_ids(a, boot->uid);
}

long sys_getresgid(const u64 a[6])
{
	return put_ids(a, boot->gid);
}

long sys_getgroups(const u64 a[6])
{
	return (int)a[0] < 0 ? -EINVAL : 0;
}

long sys_setgroups(const u64 a[6])
{
	return (void)a, -EPERM;
}

/* As long as there is no other process, it leads its process group and its session. */
long sys_getpgrp(const u64 a[6])
{
	return boot->forked ? forward(NR_getpgrp, a) : boot->pid;
}

long sys_getpgid(const u64 a[6])
{
	if (boot->forked)
		return forward(NR_getpgid, a);
	return thread_or_self(a[0]) ? (long)boot->pid : -ESRCH;
}

long sys_getsid(const u64 a[6])
{
	return boot->forked ? forward(NR_getsid, a) : sys_getpgid(a);
}

long sys_setpgid(const u64 a[6])
{
	if ((int)a[1] < 0)
		return -EINVAL;
	if (boot->forked)
		return forward(NR_setpgid, a);
	return !thread_or_self(a[0]) ? -ESRCH : thread_or_self(a[1]) ? 0 : -EPERM;
}

long sys_setsid(const u64 a[6])
{
	return boot->forked ? forward(NR_setsid, a) : -EPERM;
}

#define CAP_V1	0x19980330u
#define CAP_V2	0x20071026u
#define CAP_V3	0x20080522u

/* 0 with the words of data that the version has, or as capget(2) fails. */
static long cap_header(gva_t at, u32 *words)
{
	struct { u32 version; int pid; } h;
	u32 newest = CAP_V3;

	if (get_user(h, at))
		return -EFAULT;
	if (h.version != CAP_V1 && h.version != CAP_V2 && h.version != CAP_V3)
		return put_user(newest, at) ? -EFAULT : -EINVAL;
	*words = h.version == CAP_V1 ? 3 : 6;
	return h.pid < 0 ? -EINVAL : thread_or_self(h.pid) ? 0 : -ESRCH;
}

/* The program has no capabilities. */
long sys_capget(const u64 a[6])
{
	u32 none[6] = { 0 }, words;
	long err = cap_header(a[0], &words);

	if (err)
		return err == -EINVAL && !a[1] ? 0 : err;
	return a[1] ? copy_out(a[1], none, words * 4) : 0;
}

long sys_capset(const u64 a[6])
{
	u32 data[6] = { 0 }, words, any = 0;
	long err = cap_header(a[0], &words);

	if (err)
		return err;
	if (copy_in(data, a[1], words * 4))
		return -EFAULT;
	for (u32 i = 0; i < words; i++)
		any |= data[i];
	return any ? -EPERM : 0;
}

/* ------------------------------------------------------------------- threads */

long sys_set_tid_address(const u64 a[6])
{
	current->clear_tid = a[0];
	return current->tid;
}

long sys_set_robust_list(const u64 a[6])
{
	if (a[1] != 24)
		return -EINVAL;
	current->robust_list = a[0];
	return 0;
}

long sys_get_robust_list(const u64 a[6])
{
	const struct thread *t = thread_or_self(a[0]);
	u64 len = 24;

	if (!t)
		return -ESRCH;
	if (put_user(t->robust_list, a[1]) || put_user(len, a[2]))
		return -EFAULT;
	return 0;
}

#define MEMBARRIER_GLOBAL		1u
#define MEMBARRIER_GLOBAL_EXPEDITED	2u
#define MEMBARRIER_REGISTER_GLOBAL	4u
#define MEMBARRIER_PRIVATE		8u
#define MEMBARRIER_SYNC_CORE		32u
/* each is registered for by the next bit */
#define MEMBARRIER_EXPEDITED		(MEMBARRIER_PRIVATE | MEMBARRIER_SYNC_CORE)
#define MEMBARRIER_REGISTER		(MEMBARRIER_EXPEDITED << 1)

/* A flush of TLBs is a barrier, and each CPU's way back from it serializes its instructions. */
long sys_membarrier(const u64 a[6])
{
	static u32 registered;
	u32 command = a[0];

	if ((u32)a[1])
		return -EINVAL;
	if (!command)
		return MEMBARRIER_GLOBAL | MEMBARRIER_GLOBAL_EXPEDITED | MEMBARRIER_REGISTER_GLOBAL |
		       MEMBARRIER_EXPEDITED | MEMBARRIER_REGISTER;
	if (command & (command - 1))
		return -EINVAL;
	if (command == MEMBARRIER_REGISTER_GLOBAL)
		return 0;
	if (command & MEMBARRIER_REGISTER) {
		__atomic_or_fetch(&registered, command >> 1, __ATOMIC_SEQ_CST);
		return 0;
	}
	if ((command & MEMBARRIER_EXPEDITED) && !(registered & command))
		return -EPERM;
	if (!(command & (MEMBARRIER_GLOBAL | MEMBARRIER_GLOBAL_EXPEDITED | MEMBARRIER_EXPEDITED)))
		return -EINVAL;
	lock(&mm_lock);
	threads_flush();
	unlock(&mm_lock);
	return 0;
}

/* ------------------------------------------------------------------- keys */

long sys_pkey_mprotect(const u64 a[6])
{
	return (int)a[3] == -1 ? sys_mprotect(a) : -EINVAL;	/* no keys here */
}

/* ---------------------------------------------------------------------- paths */

/* A longer struct open_how than this one goes on as this one. */
long sys_openat2(const u64 a[6])
{
	const u64 how[6] = { a[0], a[1], a[2], MIN(a[3], ABI_SIZE_open_how) };
	int err;

	if (a[3] < ABI_SIZE_open_how)
		return -EINVAL;
	if (a[3] > PAGE_SIZE)
		return -E2BIG;
	err = user_zeroes(a[2] + ABI_SIZE_open_how, a[3] - ABI_SIZE_open_how);
	return err ? err : forward(NR_openat2, how);
}
