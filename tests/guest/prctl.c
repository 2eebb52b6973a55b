/* SPDX-License-Identifier: GPL-2.0-only */
/* What an ordinary process says of itself by prctl(2) and personality(2), is told of it, and has kept over execve(2). */
#include "process.h"

#include <linux/capability.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#define SAY(option, ...) show(#option "(" #__VA_ARGS__ ")", prctl(option, __VA_ARGS__))

static void machine(const char *what)
{
	struct utsname u;

	uname(&u);
	printf("%s: %s, of 2.6: %s\n", what, u.machine, !strncmp(u.release, "2.6.", 4) ? "yes" : "no");
}

static void file(const char *path)
{
	char text[64] = "";
	FILE *f = fopen(path, "r");

	printf("%s: %s", path, f && fgets(text, sizeof(text), f) ? text : "none\n");
	if (f)
		fclose(f);
}

static void flags(void)
{
	SAY(PR_GET_DUMPABLE, 0);
	SAY(PR_SET_DUMPABLE, 2);
	SAY(PR_SET_DUMPABLE, 0);
	SAY(PR_GET_DUMPABLE, 0);
	SAY(PR_SET_DUMPABLE, 1);
	SAY(PR_GET_TIMING, 0);
	SAY(PR_SET_TIMING, PR_TIMING_STATISTICAL);
	SAY(PR_SET_TIMING, PR_TIMING_TIMESTAMP);
	SAY(PR_TASK_PERF_EVENTS_DISABLE, 0);
	SAY(PR_TASK_PERF_EVENTS_ENABLE, 0);
	SAY(PR_SET_THP_DISABLE, 1, 1, 0, 0);
	SAY(PR_GET_THP_DISABLE, 1, 0, 0, 0);
	SAY(PR_GET_THP_DISABLE, 0, 0, 0, 0);
	SAY(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	SAY(PR_GET_THP_DISABLE, 0, 0, 0, 0);
	SAY(PR_SET_NO_NEW_PRIVS, 1, 0, 1, 0);
	SAY(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0);
	SAY(PR_SET_TSC, PR_TSC_ENABLE);
	int tsc = 7;
	SAY(PR_GET_TSC, &tsc);
	printf("%d\n", tsc);
}

static void memory_errors(void)
{
	SAY(PR_MCE_KILL_GET, 0, 0, 0, 0);
	SAY(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	SAY(PR_MCE_KILL_GET, 0, 0, 0, 0);
	SAY(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0);
	SAY(PR_MCE_KILL_GET, 0, 0, 0, 0);
	SAY(PR_MCE_KILL, PR_MCE_KILL_SET, 3, 0, 0);
	SAY(PR_MCE_KILL, PR_MCE_KILL_SET, 1, 1, 0);
	SAY(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0);
	SAY(PR_MCE_KILL, 2, 0, 0, 0);
	SAY(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0);
	SAY(PR_MCE_KILL_GET, 0, 0, 0, 0);
	SAY(PR_MCE_KILL_GET, 1, 0, 0, 0);
}

static void capabilities(void)
{
	SAY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0);
	SAY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);
	SAY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_KILL, 0, 0);
	SAY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	SAY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0);
	SAY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0);
	SAY(PR_CAP_AMBIENT, 9, CAP_KILL, 0, 0);
	SAY(PR_CAPBSET_DROP, CAP_KILL);
	SAY(PR_CAPBSET_READ, 99);
	SAY(PR_GET_SECUREBITS, 0);
	SAY(PR_SET_SECUREBITS, 0);
	SAY(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0);
	SAY(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	SAY(PR_GET_IO_FLUSHER, 0, 0, 0, 0);
}

static void others(void)
{
	int *address = NULL;

	SAY(PR_SET_PTRACER, 0);
	SAY(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	SAY(PR_SET_PTRACER, getpid());
	SAY(PR_SET_PTRACER, getppid());
	SAY(PR_SET_PTRACER, 4194303);
	SAY(PR_SET_PTRACER, -2);
	int tid;
	syscall(SYS_set_tid_address, &tid);
	show("PR_GET_TID_ADDRESS", prctl(PR_GET_TID_ADDRESS, &address));
	printf("it is: %s\n", address == &tid ? "yes" : "no");
	SAY(PR_GET_TID_ADDRESS, 0);
	SAY(PR_SET_SPECULATION_CTRL, 99, 0, 0, 0);
	SAY(PR_GET_SPECULATION_CTRL, 99, 0, 0, 0);
	SAY(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0);
	SAY(123456, 0);
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		/* natively, too, an ordinary user, who gains nothing by execve; in kvmrun there is no other to be */
		(void)!setuid(65534);
		prctl(PR_SET_DUMPABLE, 1);
		flags();
		memory_errors();
		capabilities();
		others();
		machine("at first");
		show("personality", personality(0xffffffff));
		show("PER_LINUX32", personality(PER_LINUX32));
		machine("of 32 bits");
		file("/proc/self/personality");
		show("UNAME26", personality(PER_LINUX | 0x20000 /* UNAME26 */));
		machine("of old");
		show("both", personality(PER_LINUX32 | ADDR_NO_RANDOMIZE));
		SAY(PR_SET_TIMERSLACK, 77777);
		SAY(PR_SET_KEEPCAPS, 1);
		SAY(PR_SET_DUMPABLE, 0);
		fflush(stdout);
		if (fork() == 0) {
			machine("a child");
			SAY(PR_GET_DUMPABLE, 0);
			return 0;
		}
		wait(NULL);
		fflush(stdout);
		execv("/proc/self/exe", (char *[]){ argv[0], "again", NULL });
		return 1;
	}
	show("kept", personality(0xffffffff));
	machine("after execve");
	SAY(PR_GET_TIMERSLACK, 0);
	SAY(PR_GET_THP_DISABLE, 0, 0, 0, 0);
	SAY(PR_GET_KEEPCAPS, 0);
	SAY(PR_GET_DUMPABLE, 0);
	return 0;
}
