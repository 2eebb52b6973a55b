/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes every call of the kernel with six sets of arguments, among them ones
 * that most calls take for good, in the directory /w. It is the runner's jail
 * that must let through whatever follows, or end nothing but the call.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define LAST 461

/* What would end or change the program itself, or wait for ever. */
static const int left_out[] = {
	SYS_exit, SYS_exit_group, SYS_pause, SYS_rt_sigsuspend, SYS_rt_sigreturn, SYS_rt_sigtimedwait,
	SYS_rt_sigaction, SYS_sigaltstack, SYS_execve, SYS_execveat, SYS_mmap, SYS_munmap, SYS_mremap,
	SYS_mprotect, SYS_madvise, SYS_brk, SYS_arch_prctl, SYS_kill, SYS_tkill, SYS_tgkill,
	SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_clone, SYS_clone3, SYS_fork, SYS_vfork, SYS_alarm, SYS_setitimer, SYS_close,
	SYS_close_range, SYS_dup2, SYS_dup3, SYS_futex, SYS_nanosleep, SYS_clock_nanosleep,
};

/* What waits for ever when given nothing. */
static const int waits[] = { SYS_read, SYS_select, SYS_poll, SYS_pselect6, SYS_ppoll, SYS_wait4, SYS_msgrcv };

static int in(const int *list, size_t n, int nr)
{
	while (n--)
		if (list[n] == nr)
			return 1;
	return 0;
}

/* Taken for modes, their addresses leave the owner his rights. */
static struct {
	char before[0700], path[32], name[32], between[4096 - 64], room[65536];
} at __attribute__((aligned(4096)));
#define path at.path
#define name at.name
#define room at.room

static void make(int nr, int set)
{
	/* a new one: what had a number for the last one's mode may have taken its rights */
	int gone = unlink("/w/file"), file = open("/w/file", O_RDWR | O_CREAT, 0600), dir = open("/w", O_RDONLY | O_DIRECTORY);
	const long sets[][6] = {
		{ file, (long)room, 5 },
		{ (long)path, (long)room, 16 },
		{ dir, (long)name, 0600, (long)room },
		{ dir, (long)name, (long)room, 256 },
		{ 0 },
		{ AT_FDCWD, (long)path, dir, (long)name },
	};
	const long *a = sets[set];
	int fds[2];

	(void)gone;
	strcpy(path, "/w/file");
	strcpy(name, "other");
	memset(room, 0, sizeof(room));
	if (pipe(fds) || write(file, "hello", 5) != 5 || lseek(file, 0, SEEK_SET))
		_exit(1);
	syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	close(file);
	close(dir);
	close(fds[0]);
	close(fds[1]);
	unlink("/w/other");
}

int main(void)
{
	if (chdir("/w"))
		return 1;
	for (int set = 0; set < 6; set++)
		for (int nr = 0; nr <= LAST; nr++)
			if (!in(left_out, ARRAY_SIZE(left_out), nr) &&
			    !(set >= 4 && in(waits, ARRAY_SIZE(waits), nr)))
				make(nr, set);
	write(1, "survived\n", 9);
	return 0;
}
