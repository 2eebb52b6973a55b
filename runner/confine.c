/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "confine.h"
#include "landlock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int limit_resources(void)
{
	static const int none[] = { RLIMIT_CORE, RLIMIT_MSGQUEUE, RLIMIT_RTPRIO };
	struct rlimit zero = { 0, 0 };

	for (size_t i = 0; i < COUNT(none); i++)
		if (setrlimit(none[i], &zero) < 0)
			return -1;
	return 0;
}

/*
 * All five sets. The bounding set goes first, as that takes a capability; who has not got that
 * one cannot shrink it, and by no_new_privs it is of no use to him.
 */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) < 0 && errno != EPERM)
			return -1;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	return syscall(SYS_capset, &header, none);
}

const char *confine_privileges(void)
{
	if (limit_resources() < 0)
		return "set the runner's own limits";
	/* memory of the guest, and secrets of the caller's in ours, are nobody's to read */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return "keep others from reading kvmrun's memory";
	if (drop_capabilities() < 0)
		return "drop the caller's capabilities";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return "set no_new_privs";
	return NULL;
}

scmp_filter_ctx confine_filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (!ctx)
		return NULL;
	seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* a binary tree: a chain of all calls costs as much as some calls themselves */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return ctx;
}

int confine_allow(scmp_filter_ctx ctx, const struct call_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned int n = 0;
		int err;

		while (n < COUNT(rules[i].arg) && rules[i].arg[n].op)
			n++;
		err = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].nr, n, rules[i].arg);
		/* EEXIST: two rows allow the same */
		if (err < 0 && err != -EEXIST)
			return err;
	}
	return 0;
}

int confine_helper(const struct call_rule *rules, size_t count, const char *const *paths)
{
	scmp_filter_ctx ctx;
	int err;

	if (confine_privileges())
		return -errno;
	err = landlock_helper(paths);
	if (err)
		return err;
	ctx = confine_filter();
	if (!ctx)
		return -ENOMEM;
	err = confine_allow(ctx, rules, count);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}
