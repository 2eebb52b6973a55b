/* SPDX-License-Identifier: GPL-2.0-only */
/* For late: a command that is preloaded with this tells, on stdout, its clock as it sets the timer of its limit. */
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

int timer_settime(timer_t timer, int flags, const struct itimerspec *to, struct itimerspec *old)
{
	int (*real)(timer_t, int, const struct itimerspec *, struct itimerspec *) = dlsym(RTLD_NEXT, "timer_settime");
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	dprintf(1, "%.3f\n", t.tv_sec * 1e3 + t.tv_nsec / 1e6);
	return real(timer, flags, to, old);
}
