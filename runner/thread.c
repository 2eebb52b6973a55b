/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "end.h"
#include "exec.h"
#include "interrupt.h"
#include "load.h"
#include "msg.h"
#include "nsec.h"
#include "options.h"
#include "process.h"
#include "task.h"
#include "thread.h"
#include "vcpu.h"
#include "vm.h"

/* Room for its calls' copies, which are thread-local storage, and for their handlers'. */
#define STACK	(1 << 20)

static struct vcpu *vcpus[ABI_THREADS];	/* set once; no gaps */
static atomic_uint others;		/* threads but the main one */
static uint32_t running;		/* threads of the program's: those that are not parked */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

uint32_t vcpus_max(const struct vm *vm)
{
	int most = ioctl(vm->device, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	/* as Documentation/virt/kvm/api.rst has it for devices that do not say */
	if (most <= 0)
		most = ioctl(vm->device, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS);
	return most <= 0 ? 4 : most;
}

uint32_t threads_max(const struct vm *vm)
{
	uint32_t most = vm->max_vcpus, max = vm->config->threads;

	if (most > 4 * VCPUS_SPARE)
		most -= VCPUS_SPARE;
	if (max > most)
		max = most;
	return max < ABI_THREADS ? max : ABI_THREADS;
}

void threads_init(struct vcpu *main_vcpu)
{
	struct vcpu *other;

	if (!vcpus[0])
		process_guard(&making);
	/* in a new process: the others are its maker's */
	for (uint32_t i = 0; (other = thread_vcpu(i)); i++) {
		vcpus[i] = NULL;
		if (other == main_vcpu)
			continue;
		vcpu_destroy(other);
		if (i)
			free(other);
	}
	others = 0;
	main_vcpu->guest_tid = GUEST_PID;
	sem_init(&main_vcpu->start, 0, 0);
	vcpus[0] = main_vcpu;
	running = 1;
	process_threads(1);
}

struct vcpu *thread_vcpu(uint32_t index)
{
	return index < ABI_THREADS ? __atomic_load_n(&vcpus[index], __ATOMIC_ACQUIRE) : NULL;
}

uint32_t threads_count(void)
{
	uint32_t n = __atomic_load_n(&running, __ATOMIC_RELAXED);

	return n ? n : 1;
}

static void count(int32_t change)
{
	__atomic_add_fetch(&running, change, __ATOMIC_RELAXED);
	process_threads(threads_count());
}

struct vcpu *thread_find(uint32_t tid)
{
	struct vcpu *vcpu;

	for (uint32_t i = 0; (vcpu = thread_vcpu(i)); i++)
		if (!vcpu->parked && vcpu->guest_tid == tid)
			return vcpu;
	return NULL;
}

static void *run(void *arg)
{
	struct vcpu *vcpu = arg;

	while (sem_wait(&vcpu->start) < 0)
		;
	vcpu_run(vcpu);
	/* of a process that this thread has made it is the first */
	if (vcpu == vcpus[0])
		process_finish();
	if (exec_wanted() && !ended()) {
		/* from here on the vCPU is the main thread's to free */
		interrupt_leave(vcpu);
		others--;
		return NULL;
	}
	/* the main thread does the rest */
	sem_post(&vcpus[0]->start);
	interrupt_vcpu(vcpus[0]);
	for (;;)
		pause();
	return NULL;
}

/* A vCPU that was never there, and its thread. */
static int make(struct vm *vm, uint32_t index, struct abi_frame *frame, uint32_t tid)
{
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	const char *what = "no memory";
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (!vcpu || vcpu_create(vcpu, vm, index, frame, &what) < 0) {
		vmsg("%s: no vCPU for another thread: %s: %m", vm->device_path, what);
		goto failed;
	}
	vcpu->guest_tid = tid;
	clock_join(vcpu);
	sem_init(&vcpu->start, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, run, vcpu);
	pthread_attr_destroy(&attr);
	if (!err) {
		/* before it runs: from then on it may be kicked */
		others++;
		__atomic_store_n(&vcpus[index], vcpu, __ATOMIC_RELEASE);
		sem_post(&vcpu->start);
		return 0;
	}
	vmsg("no thread for another vCPU: %s", strerror(err));
	vcpu_destroy(vcpu);
failed:
	free(vcpu);
	return -EAGAIN;
}

int thread_begin(struct vm *vm, uint32_t index, struct abi_frame *frame, uint32_t tid)
{
	struct vcpu *vcpu;
	int err = 0;

	if (index >= vm->max_threads || !vm->mode)
		return -EINVAL;
	if (!process_has_room())
		return -EAGAIN;
	pthread_mutex_lock(&making);
	vcpu = thread_vcpu(index);
	if (vcpu) {
		vcpu->guest_tid = tid;
		sem_post(&vcpu->start);
	} else if (!thread_vcpu(index - 1)) {
		err = -EINVAL;
	} else {
		err = make(vm, index, frame, tid);
	}
	if (!err) {
		count(1);
		task_began(tid);
	}
	pthread_mutex_unlock(&making);
	return err;
}

void thread_park(struct vcpu *vcpu)
{

	vcpu->parked = true;
	count(-1);
	interrupt_detach(vcpu);
	while (sem_wait(&vcpu->start) < 0 && !ended() && !exec_wanted())
		;
	vcpu->cpu_before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	vcpu->parked = false;
}

void threads_stop(void)
{
	struct vcpu *vcpu;

	for (uint32_t i = 0; (vcpu = thread_vcpu(i)); i++) {
		interrupt_vcpu(vcpu);
		/* a kick does not end what a parked one waits in: the kernel restarts that */
		if (exec_wanted())
			sem_post(&vcpu->start);
	}
}

void threads_leave(void)
{
	struct timespec a_while = { 0, 100000 };

	while (others) {
		threads_stop();
		nanosleep(&a_while, NULL);
	}
	interrupt_only(vcpus[0]);
	threads_init(vcpus[0]);
}

void threads_kick(uint64_t base, uint64_t set)
{
	for (uint32_t i = 0; i < 64 && base < ABI_THREADS; i++) {
		struct vcpu *vcpu = set >> i & 1 ? thread_vcpu(base + i) : NULL;

		if (!vcpu)
			continue;
		vcpu->wanted = 1;
		interrupt_vcpu(vcpu);
	}
}
