/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every process of kvmrun's that stays while the guest runs gives up: the runner (jail.c), and
 * those beside it (handout.c, logfile.c), each with a table of the calls that its work needs.
 */
#ifndef KVMRUN_CONFINE_H
#define KVMRUN_CONFINE_H

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

/* A call that is allowed, for arguments that pass all comparisons; of several rows for a call one is enough. */
struct call_rule {
	int nr;
	struct scmp_arg_cmp arg[3];	/* up to the first without an op; each of another argument */
	const char *reason;
};

#define RULE(name, reason, ...) { SYS_##name, { __VA_ARGS__ }, reason }
/* the kernel looks at the lower half of an int or unsigned int alone, and so must we */
#define MASKED32(i, mask, value) SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, (uint64_t)(uint32_t)(mask), (uint64_t)(uint32_t)(value))
#define IS32(i, value) MASKED32(i, ~0u, value)
#define LACKS(i, bits) SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, (uint64_t)(bits), 0)

/*
 * Limits, being dumpable, capabilities, no_new_privs, in this order: NULL, or what cannot be done, with
 * errno. Before Landlock and seccomp.
 */
const char *confine_privileges(void);

/* A filter that kills the process at any call, of any ABI; NULL without memory. */
scmp_filter_ctx confine_filter(void);

/* Allows what count rows do: 0, or -errno. */
int confine_allow(scmp_filter_ctx ctx, const struct call_rule *rules, size_t count);

/*
 * All of it for a process beside the runner that is alone in it: afterwards it makes no calls but these,
 * opens no files but paths and what is below them, to read and write (NULL-terminated), and no network.
 * 0 or -errno. A kernel without Landlock is the runner's to refuse.
 */
int confine_helper(const struct call_rule *rules, size_t count, const char *const *paths);

#endif
