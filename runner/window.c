/* SPDX-License-Identifier: GPL-2.0-only */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>

#include "end.h"
#include "fdtable.h"
#include "ipc.h"
#include "msg.h"
#include "options.h"
#include "policy.h"
#include "process.h"
#include "sys.h"
#include "vcpu.h"
#include "vm.h"
#include "window.h"

#define WINDOW_MAX	(1ull << 38)
#define TOUCH_MAX	64		/* pages */
#define TOUCH_ALWAYS	16		/* as many as Linux maps at once, fault_around_bytes */
#define RANGE_NONE	MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE

#define ARG(vcpu, i) (*(const volatile uint64_t *)&(vcpu)->frame->arg[i])

/* A mapping, or what is left of it. */
struct range {
	uint64_t start, end;	/* offsets in the window */
	bool anonymous;		/* counts against --mem */
	struct file *memory;	/* or a file that does, or NULL: memfd.h */
	int shm;		/* 1 + identifier of shared memory that is attached here, or 0 */
	struct name *name;	/* of a file: for /proc; NULL: none */
	uint64_t off;		/* in the file */
};

/* Of a mapped file, which itself need not be open any more; counted under the lock. */
struct name {
	unsigned int refs;
	dev_t dev;
	ino_t ino;
	char path[];
};

static struct {
	pthread_mutex_t lock;
	struct range *range;	/* by address */
	uint32_t count, room;
	uint32_t last;		/* where room was found last */
	uint64_t anonymous;	/* bytes */
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t physical_end(void)
{
	unsigned int a, b, c, d;

	/* SDM volume 2, CPUID 80000008H: 36 where it is not told */
	if (!__get_cpuid(0x80000008, &a, &b, &c, &d))
		a = 36;
	return 1ull << ((a & 0xff) < 52 ? a & 0xff : 52);
}

void window_init(struct vm *vm)
{
	/* above RAM, and above what KVM has for itself below 4 GiB */
	uint64_t start = vm->ram_size, end = physical_end();

	process_guard(&table.lock);
	/* the shim has one entry of its topmost table for all */
	if (end > 1ull << 39)
		end = 1ull << 39;
	if (start < 1ull << 32)
		start = 1ull << 32;
	start = (start + (1ull << 30) - 1) & -(1ull << 30);
	vm->window = start;
	vm->window_size = start >= end ? 0 : end - start < WINDOW_MAX ? end - start : WINDOW_MAX;
}

uintptr_t guest_access_fixup(uintptr_t rip)
{
	extern const char guest_access[], guest_access_failed[];

	return rip >= (uintptr_t)guest_access && rip < (uintptr_t)guest_access_failed ? (uintptr_t)guest_access_failed : 0;
}

#define FAULTS	100	/* in a row without a look of the shim's: then it is not that */

/*
 * Which page it is few kernels tell, so the shim drops all that are in the window,
 * faults anew and asks. Its own touches fail as they would natively.
 */
bool window_lost(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct kvm_regs regs;

	if (!vm->window_ready || !vcpu->ready || vcpu->faults++ == FAULTS)
		return false;
	vcpu->ioctls += 2;
	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0)
		return false;
	if (regs.rip >= vm->access && regs.rip < vm->access_failed) {
		regs.rip = vm->access_failed;
		return ioctl(vcpu->fd, KVM_SET_REGS, &regs) == 0;
	}
	if (regs.rip > ABI_USER_END)
		return false;
	__atomic_store_n(&vcpu->frame->lost, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&vcpu->frame->kick, 1, __ATOMIC_SEQ_CST);
	vcpu->inject = true;
	return true;
}

/* --------------------------------------------------------------- what is mapped */

/* Room for so many more ranges. */
static int reserve(uint32_t n)
{
	uint32_t room = table.room ? table.room * 2 : 64;
	struct range *range;

	if (table.count + n <= table.room)
		return 0;
	range = realloc(table.range, room * sizeof(*range));
	if (!range)
		return -ENOMEM;
	table.range = range;
	table.room = room;
	return 0;
}

/* Number of the first range that ends above at. */
static uint32_t find(uint64_t at)
{
	uint32_t lo = 0, hi = table.count;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (table.range[mid].end > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static void insert(uint32_t i, struct range range)
{
	memmove(&table.range[i + 1], &table.range[i], (table.count++ - i) * sizeof(range));
	if (range.memory)
		file_get(range.memory);
	if (range.name)
		range.name->refs++;
	if (range.shm)
		shm_attached(range.shm - 1, 1);
	table.range[i] = range;
	if (range.anonymous)
		table.anonymous += range.end - range.start;
}

static void name_put(struct name *name)
{
	if (name && !--name->refs)
		free(name);
}

/* Takes [start, end) out of the ranges; there is room for one more. */
static void take_out(uint64_t start, uint64_t end)
{
	uint32_t i = find(start);

	while (i < table.count && table.range[i].start < end) {
		struct range was = table.range[i];

		memmove(&table.range[i], &table.range[i + 1], (--table.count - i) * sizeof(was));
		if (was.anonymous)
			table.anonymous -= was.end - was.start;
		if (was.start < start)
			insert(i++, (struct range){ was.start, start, was.anonymous, was.memory, was.shm, was.name, was.off });
		if (was.end > end)
			insert(i++, (struct range){ end, was.end, was.anonymous, was.memory, was.shm, was.name,
						    was.off + end - was.start });
		file_put(was.memory);
		name_put(was.name);
		if (was.shm)
			shm_attached(was.shm - 1, -1);
	}
}

/* The gap behind range number i - 1, if len fits there. */
static bool fits(uint32_t i, uint64_t len, uint64_t size, uint64_t *at)
{
	uint64_t end = i < table.count ? table.range[i].start : size;

	*at = i ? table.range[i - 1].end : 0;
	return end >= *at && end - *at >= len;
}

/* A free place of len bytes: offset and the number that its range would have. */
static bool place(uint64_t len, uint64_t size, uint64_t *at, uint32_t *number)
{
	uint32_t i = table.last <= table.count ? table.last : 0;

	for (uint32_t n = 0; n <= table.count; n++, i = i < table.count ? i + 1 : 0)
		if (fits(i, len, size, at)) {
			*number = table.last = i;
			return true;
		}
	return false;
}

/* ---------------------------------------------------------------- the host's side */

/* The window's place among the host's addresses. With the lock held. */
static int reserve_window(struct vm *vm)
{
	void *p;

	if (vm->window_host)
		return 0;
	p = vm->window_size ? mmap(NULL, vm->window_size, PROT_NONE, RANGE_NONE, -1, 0) : MAP_FAILED;
	if (p == MAP_FAILED)
		return -ENOMEM;
	madvise(p, vm->window_size, MADV_DONTDUMP);
	vm->window_host = p;
	return 0;
}

/*
 * Puts what mapping p has in the place of what is at offset at. By a move, since a
 * mmap() that fails may leave a hole, which anything of the runner's could get into.
 */
static int move_to(struct vm *vm, void *p, uint64_t len, uint64_t at)
{
	void *to = vm->window_host + at;

	if (mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED)
		return 0;
	munmap(p, len);
	/* Linux refuses before it unmaps anything, but for want of memory in the kernel itself */
	mmap(to, len, PROT_NONE, RANGE_NONE | MAP_FIXED_NOREPLACE, -1, 0);
	return -ENOMEM;
}

/* Finds a place for mapping p, moves it there and says where that is, or -errno; p is gone in any case. */
static int64_t settle(struct vm *vm, void *p, uint64_t len, const struct range *kind)
{
	uint64_t at;
	uint32_t i;
	int err;

	pthread_mutex_lock(&table.lock);
	err = reserve_window(vm);
	if (!err)
		err = reserve(1);
	/* the shim counts exactly; for a moment what replaces something is there beside it */
	if (!err && kind->anonymous && table.anonymous + len > 2 * vm->mem_limit)
		err = -ENOMEM;
	if (!err && !place(len, vm->window_size, &at, &i))
		err = -ENOMEM;
	if (!err)
		insert(i, (struct range){ at, at + len, kind->anonymous, kind->memory, kind->shm, kind->name, kind->off });
	pthread_mutex_unlock(&table.lock);
	if (err) {
		munmap(p, len);
		return err;
	}
	err = vm_window(vm, at + len);
	if (err)
		munmap(p, len);
	else
		err = move_to(vm, p, len, at);
	if (!err)
		return vm->window + at;
	pthread_mutex_lock(&table.lock);
	if (!reserve(1))
		take_out(at, at + len);
	pthread_mutex_unlock(&table.lock);
	return err;
}

/* Unmaps [at, at + len). With the lock held. */
static int clear(struct vm *vm, uint64_t at, uint64_t len)
{
	int err = reserve(1);

	if (err)
		return err;
	if (mmap(vm->window_host + at, len, PROT_NONE, RANGE_NONE | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -errno;
	take_out(at, at + len);
	return 0;
}

void window_empty(struct vm *vm)
{
	pthread_mutex_lock(&table.lock);
	if (vm->window_host && clear(vm, 0, vm->window_size) < 0)
		die(KVMRUN_FAILED, "cannot unmap a program's memory: %m");
	pthread_mutex_unlock(&table.lock);
}

/* The offset of a range that the guest names, all of it known to KVM; or -1. */
static int64_t offset(const struct vm *vm, gpa_t gpa, uint64_t len)
{
	if ((gpa | len) % ABI_PAGE || !len || !guest_mem(vm, gpa, len) || gpa < vm->window)
		return -1;
	return gpa - vm->window;
}

/* -------------------------------------------------------------------- operations */

static bool is_zero_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 5);
}

/* What Linux would say against a mapping of a file, mmap(2); 0 if nothing. */
static int check_file(const struct file *file, int prot, bool shared)
{
	int access = file->host < 0 ? -1 : fcntl(file->host, F_GETFL);

	if (access >= 0 && access & O_PATH)
		return -EBADF;
	if (access < 0 || file->node.row)
		return -ENODEV;
	if ((access & O_ACCMODE) == O_WRONLY)
		return -EACCES;
	/* what is written there could not be counted */
	if (shared && file->output && (access & O_ACCMODE) == O_RDWR)
		return -EACCES;
	if (shared && prot & PROT_WRITE && (access & O_ACCMODE) != O_RDWR)
		return -EACCES;
	if (file->type != S_IFREG && !is_zero_device(file->host)) {
		policy_explain_call(SYS_mmap, 0);
		return -ENODEV;
	}
	return 0;
}

static int64_t map_anonymous(struct vm *vm, uint64_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	int64_t gpa = p == MAP_FAILED ? -errno : settle(vm, p, len, &(struct range){ .anonymous = true });

	return gpa < 0 ? gpa : gpa | ABI_MAP_NOFILE;
}

static struct name *name_of(const struct file *file)
{
	const char *path = file->path ? file->path : "";
	struct name *name = malloc(sizeof(*name) + strlen(path) + 1);
	struct stat st;

	if (!name || fstat(file->host, &st) < 0) {
		free(name);
		return NULL;
	}
	*name = (struct name){ .refs = 1, .dev = st.st_dev, .ino = st.st_ino };
	strcpy(name->path, path);
	return name;
}

static void name_drop(struct name *name)
{
	pthread_mutex_lock(&table.lock);
	name_put(name);
	pthread_mutex_unlock(&table.lock);
}

/*
 * For a private mapping of a memfd: its copies are the shim's to make, and this kind alone passes all
 * seals, those to come, too.
 */
static void *mmap_private(const struct file *file, uint64_t len, uint64_t off)
{
	return mmap(NULL, len, PROT_READ, MAP_PRIVATE, file->host, off);
}

static int64_t map_file(struct vm *vm, struct file *file, uint64_t len, uint64_t off, int prot, bool shared)
{
	struct range kind = { .memory = file->memory ? file : NULL, .off = off };
	bool writable = shared && (fcntl(file->host, F_GETFL) & O_ACCMODE) == O_RDWR;
	bool sealable = !shared && file->memory;
	void *p = sealable ? mmap_private(file, len, off) : MAP_FAILED;
	int64_t gpa;

	if (writable)
		p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file->host, off);
	/* a seal against writes may leave reads, fcntl(2) */
	if (p == MAP_FAILED && !sealable && (!writable || (errno == EPERM && !(prot & PROT_WRITE)))) {
		writable = false;
		p = mmap(NULL, len, PROT_READ, MAP_SHARED, file->host, off);
	}
	if (p == MAP_FAILED)
		return -errno;
	kind.name = name_of(file);
	gpa = settle(vm, p, len, &kind);
	name_drop(kind.name);
	return gpa < 0 || writable ? gpa : gpa | ABI_MAP_READONLY;
}

static int64_t map(struct vm *vm, uint64_t len, int fd, uint64_t off, uint64_t how)
{
	bool shared = how & ABI_MAP_SHARED;
	struct file *file;
	int64_t ret;

	if (len % ABI_PAGE || off % ABI_PAGE || len > vm->window_size)
		return -ENOMEM;
	if (how & ABI_MAP_NOFILE)
		return len ? map_anonymous(vm, len) : -EINVAL;
	file = fd_get(fd);
	if (!file)
		return -EBADF;
	ret = check_file(file, how & (PROT_READ | PROT_WRITE | PROT_EXEC), shared);
	if (!ret && !len)
		ret = -EINVAL;
	else if (!ret && file->type != S_IFREG && shared)
		ret = map_anonymous(vm, len);
	else if (!ret && file->type == S_IFREG)
		ret = map_file(vm, file, len, off, how & PROT_WRITE, shared);
	file_put(file);
	return ret;
}

void op_map(struct vcpu *vcpu)
{
	vcpu->frame->ret = map(vcpu->vm, ARG(vcpu, 0), (int)ARG(vcpu, 1), ARG(vcpu, 2), ARG(vcpu, 3));
}

static int64_t map_shm(struct vm *vm, int id, int flags, uint64_t len)
{
	int64_t ret = shm_size(id, flags);
	void *p;

	if (ret < 0 || !len)
		return ret;
	p = shm_map(id, len);
	if (p == MAP_FAILED)
		return -ENOMEM;
	ret = settle(vm, p, len, &(struct range){ .shm = id + 1 });
	/* it is the window's now, or nobody's */
	shm_unpin(id);
	return ret;
}

void op_shm(struct vcpu *vcpu)
{
	vcpu->frame->ret = map_shm(vcpu->vm, (int)ARG(vcpu, 0), (int)ARG(vcpu, 1), ARG(vcpu, 2));
}

void op_unmap(struct vcpu *vcpu)
{
	uint64_t len = ARG(vcpu, 1);
	int64_t at = offset(vcpu->vm, ARG(vcpu, 0), len);
	int err = -EINVAL;

	pthread_mutex_lock(&table.lock);
	if (at >= 0)
		err = clear(vcpu->vm, at, len);
	pthread_mutex_unlock(&table.lock);
	vcpu->frame->ret = err;
}

/* Whether [at, at + len) is of one mapping, and which; its file is for the caller to put. */
static bool within(uint64_t at, uint64_t len, struct range *range)
{
	uint32_t i;
	bool is;

	pthread_mutex_lock(&table.lock);
	i = find(at);
	is = i < table.count && table.range[i].start <= at && table.range[i].end >= at + len;
	if (is) {
		*range = table.range[i];
		range->off += at - range->start;
		if (range->memory)
			file_get(range->memory);
		if (range->name)
			range->name->refs++;
	}
	pthread_mutex_unlock(&table.lock);
	return is;
}

/* Another mapping of the same, of new_len bytes, beside the first one or in its stead. */
static int64_t remap(struct vm *vm, int64_t at, uint64_t len, uint64_t new_len, bool keep)
{
	struct range range;
	int64_t gpa;
	void *p;

	if (at < 0 || !new_len || new_len % ABI_PAGE || new_len > vm->window_size || !within(at, len, &range))
		return -EINVAL;
	/* behind shared memory there is other */
	p = range.shm && new_len > range.end - at ? MAP_FAILED : mremap(vm->window_host + at, 0, new_len, MREMAP_MAYMOVE);
	if (p == MAP_FAILED && errno == EINVAL && range.memory)
		p = mmap_private(range.memory, new_len, range.off);
	gpa = p == MAP_FAILED ? -ENOMEM : settle(vm, p, new_len, &range);
	file_put(range.memory);
	name_drop(range.name);
	if (gpa > 0 && !keep) {
		pthread_mutex_lock(&table.lock);
		clear(vm, at, len);
		pthread_mutex_unlock(&table.lock);
	}
	return gpa;
}

void op_remap(struct vcpu *vcpu)
{
	uint64_t len = ARG(vcpu, 1);

	vcpu->frame->ret = remap(vcpu->vm, offset(vcpu->vm, ARG(vcpu, 0), len), len, ARG(vcpu, 2), ARG(vcpu, 3));
}

/* How many of n pages are worth touching for one's sake: a few, and as many more as have memory already. */
static uint64_t at_hand(uint8_t *p, uint64_t n)
{
	unsigned char in[TOUCH_MAX];

	if (n > TOUCH_MAX)
		n = TOUCH_MAX;
	if (n > TOUCH_ALWAYS && mincore(p, n * ABI_PAGE, in) == 0)
		for (uint64_t i = TOUCH_ALWAYS; i < n; i++)
			if (!(in[i] & 1))
				n = i;
	return n;
}

void op_touch(struct vcpu *vcpu)
{
	uint64_t len = ARG(vcpu, 1), pages = 0, n;
	int64_t at = offset(vcpu->vm, ARG(vcpu, 0), len);
	bool write = ARG(vcpu, 2);
	uint8_t *p = vcpu->vm->window_host + at;

	vcpu->faults = 0;
	n = at < 0 ? 0 : at_hand(p, len / ABI_PAGE);
	while (pages < n && !guest_probe(p + pages * ABI_PAGE, write && !pages))
		pages++;
	vcpu->frame->ret = pages * ABI_PAGE;
}

void op_sync(struct vcpu *vcpu)
{
	uint64_t len = ARG(vcpu, 1);
	int64_t at = offset(vcpu->vm, ARG(vcpu, 0), len);
	int flags = ARG(vcpu, 2) & (MS_ASYNC | MS_SYNC | MS_INVALIDATE);

	vcpu->frame->ret = at < 0 ? -EINVAL : plain_syscall(SYS_msync, (long)vcpu->vm->window_host + at, len, flags, 0, 0, 0);
}

void op_remove(struct vcpu *vcpu)
{
	uint64_t len = ARG(vcpu, 1);
	int64_t at = offset(vcpu->vm, ARG(vcpu, 0), len);

	vcpu->frame->ret = at < 0 ? -EINVAL :
			   plain_syscall(SYS_madvise, (long)vcpu->vm->window_host + at, len, MADV_REMOVE, 0, 0, 0);
}

bool window_file(const struct vm *vm, gpa_t gpa, struct mapped_file *file)
{
	const struct range *range;
	bool is = false;
	uint32_t i;

	if (gpa < vm->window)
		return false;
	pthread_mutex_lock(&table.lock);
	i = find(gpa - vm->window);
	range = &table.range[i];
	if (i < table.count && range->start <= gpa - vm->window && range->name) {
		file->dev = range->name->dev;
		file->ino = range->name->ino;
		file->off = range->off + (gpa - vm->window - range->start);
		snprintf(file->path, sizeof(file->path), "%s", range->name->path);
		is = true;
	}
	pthread_mutex_unlock(&table.lock);
	return is;
}
