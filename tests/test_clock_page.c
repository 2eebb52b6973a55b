/* SPDX-License-Identifier: GPL-2.0-only */
/* What the runner writes into the vDSO's page, when it is interrupted as it reads the clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "../runner/clock.h"
#include "../runner/vcpu.h"
#include "../runner/vm.h"

#define READS	24		/* more than clock_start() makes */
#define PAUSE	50000000	/* ns */

/* Before which reading of a clock another task has its turn; 0: none. */
static int pause_at, reads;

int __real_clock_gettime(clockid_t id, struct timespec *t);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	struct timespec pause = { 0, PAUSE };

	if (++reads == pause_at)
		nanosleep(&pause, NULL);
	return __real_clock_gettime(id, t);
}

static int64_t read_ns(clockid_t id)
{
	struct timespec t;

	__real_clock_gettime(id, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void assert_distance(int64_t ns, clockid_t id)
{
	int64_t off = ns - (read_ns(id) - read_ns(CLOCK_MONOTONIC));

	if (llabs(off) > PAUSE / 2)
		fail_msg("clock %d is off by %lld us after a pause before reading %d", (int)id,
			 (long long)off / 1000, pause_at);
}

static void clocks_keep_their_distance_whenever_the_runner_pauses(void **state)
{
	static _Alignas(4096) uint8_t ram[ABI_PAGE];
	struct vm vm = { .ram = ram, .ram_size = sizeof(ram), .device_path = "none", .mode = ABI_MODE_USER };
	struct vcpu vcpu = { .vm = &vm, .fd = -1 };
	const struct abi_clock *page = (const struct abi_clock *)ram;

	for (pause_at = 0; pause_at <= READS; pause_at++) {
		reads = 0;
		clock_start(&vcpu);
		assert_in_range(reads, 2, READS - 1);
		assert_distance(page->real, CLOCK_REALTIME);
		assert_distance(page->boot, CLOCK_BOOTTIME);
	}
	(void)state;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_keep_their_distance_whenever_the_runner_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
