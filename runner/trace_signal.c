/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals, the program's end, and another one in its place, in --trace. */
#include <string.h>

#include "process.h"
#include "trace_line.h"

static const struct name user_codes[] = {
	{ (uint32_t)SI_USER, "SI_USER" }, { (uint32_t)SI_KERNEL, "SI_KERNEL" }, { (uint32_t)SI_QUEUE, "SI_QUEUE" },
	{ (uint32_t)SI_TIMER, "SI_TIMER" }, { (uint32_t)SI_MESGQ, "SI_MESGQ" },
	{ (uint32_t)SI_ASYNCIO, "SI_ASYNCIO" }, { (uint32_t)SI_SIGIO, "SI_SIGIO" },
	{ (uint32_t)SI_TKILL, "SI_TKILL" },
};

static const struct name ill_codes[] = {
	NAME(ILL_ILLOPC), NAME(ILL_ILLOPN), NAME(ILL_ILLADR), NAME(ILL_ILLTRP), NAME(ILL_PRVOPC),
	NAME(ILL_PRVREG), NAME(ILL_COPROC), NAME(ILL_BADSTK),
};

static const struct name fpe_codes[] = {
	NAME(FPE_INTDIV), NAME(FPE_INTOVF), NAME(FPE_FLTDIV), NAME(FPE_FLTOVF), NAME(FPE_FLTUND),
	NAME(FPE_FLTRES), NAME(FPE_FLTINV), NAME(FPE_FLTSUB),
};

static const struct name segv_codes[] = {
	NAME(SEGV_MAPERR), NAME(SEGV_ACCERR), NAME(SEGV_BNDERR), NAME(SEGV_PKUERR),
};

static const struct name bus_codes[] = {
	NAME(BUS_ADRALN), NAME(BUS_ADRERR), NAME(BUS_OBJERR), NAME(BUS_MCEERR_AR), NAME(BUS_MCEERR_AO),
};

static const struct name trap_codes[] = {
	NAME(TRAP_BRKPT), NAME(TRAP_TRACE), NAME(TRAP_BRANCH), NAME(TRAP_HWBKPT),
};

static const struct name child_codes[] = {
	NAME(CLD_EXITED), NAME(CLD_KILLED), NAME(CLD_DUMPED), NAME(CLD_TRAPPED), NAME(CLD_STOPPED),
	NAME(CLD_CONTINUED),
};

static const struct name poll_codes[] = {
	NAME(POLL_IN), NAME(POLL_OUT), NAME(POLL_MSG), NAME(POLL_ERR), NAME(POLL_PRI), NAME(POLL_HUP),
};

static const struct {
	int signal;
	const struct name *names;
	size_t n;
	const char *unknown;
} kernel_codes[] = {
#define CODES(signal, names, unknown)	{ signal, names, sizeof(names) / sizeof(names[0]), unknown }
	CODES(SIGILL, ill_codes, "ILL_???"),
	CODES(SIGFPE, fpe_codes, "FPE_???"),
	CODES(SIGSEGV, segv_codes, "SEGV_???"),
	CODES(SIGBUS, bus_codes, "BUS_???"),
	CODES(SIGTRAP, trap_codes, "TRAP_???"),
	CODES(SIGCHLD, child_codes, "CLD_???"),
	CODES(SIGPOLL, poll_codes, "POLL_???"),
#undef CODES
};

static void put_code(struct trace *t, int signal, int code)
{
	for (size_t i = 0; i < sizeof(kernel_codes) / sizeof(kernel_codes[0]); i++)
		if (kernel_codes[i].signal == signal && code > 0 && code < SI_KERNEL) {
			put_enum(t, kernel_codes[i].names, kernel_codes[i].n, (uint32_t)code, kernel_codes[i].unknown);
			return;
		}
	PUT_ENUM(t, user_codes, (uint32_t)code, "SI_???");
}

static void put_sigval(struct trace *t, const siginfo_t *info)
{
	put(t, ", si_int=%d, si_ptr=", info->si_int);
	put_address(t, (uint64_t)info->si_ptr);
}

static void put_kernel_fields(struct trace *t, const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGCHLD:
		put(t, ", si_pid=%d, si_uid=%u, si_status=", info->si_pid, info->si_uid);
		if (info->si_code == CLD_EXITED)
			put(t, "%d", info->si_status);
		else
			put_signal(t, (uint32_t)info->si_status);
		put(t, ", si_utime=%ld, si_stime=%ld", info->si_utime, info->si_stime);
		break;
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP:
		put(t, ", si_addr=");
		put_address(t, (uint64_t)info->si_addr);
		break;
	case SIGPOLL:
		put(t, ", si_band=%ld, si_fd=%d", info->si_band, info->si_fd);
		break;
	}
}

void put_siginfo(struct trace *t, const siginfo_t *info)
{
	put(t, "si_signo=");
	put_signal(t, (uint32_t)info->si_signo);
	put(t, ", si_code=");
	put_code(t, info->si_signo, info->si_code);
	if (info->si_errno) {
		const char *name = strerrorname_np(info->si_errno);

		if (name)
			put(t, ", si_errno=%s", name);
		else
			put(t, ", si_errno=%d", info->si_errno);
	}
	if (info->si_code > 0) {
		put_kernel_fields(t, info);
		return;
	}
	if (info->si_code == SI_TIMER) {
		put(t, ", si_timerid=%#x, si_overrun=%d", info->si_timerid, info->si_overrun);
		put_sigval(t, info);
		return;
	}
	put(t, ", si_pid=%d, si_uid=%u", info->si_pid, info->si_uid);
	if (info->si_code != SI_USER && info->si_code != SI_TKILL && info->si_ptr)
		put_sigval(t, info);
}

void trace_signal(int fd, const siginfo_t *info)
{
	struct trace t;

	t.len = 0;
	put(&t, "--- ");
	put_signal(&t, (uint32_t)info->si_signo);
	put(&t, " {");
	put_siginfo(&t, info);
	put(&t, "} ---\n");
	trace_write(fd, &t);
}

void trace_exit(int fd, int code, int signal)
{
	struct trace t;

	t.len = 0;
	if (signal) {
		put(&t, "+++ killed by ");
		put_signal(&t, (uint32_t)signal);
		put(&t, " +++\n");
	} else {
		put(&t, "+++ exited with %d +++\n", code & 0xff);
	}
	trace_write(fd, &t);
}

void trace_exec(int fd, int tid, const char *path, char *const argv[], char *const env[])
{
	struct trace t;
	size_t n = 0;

	if (fd < 0)
		return;
	t.len = 0;
	if (process_forked())
		put(&t, "[pid %d] ", tid);
	put(&t, "execve(");
	put_quoted(&t, path, strlen(path));
	put(&t, ", [");
	for (; argv[n] && n < TRACE_ELEMENTS; n++) {
		put(&t, n ? ", " : "");
		put_quoted(&t, argv[n], strlen(argv[n]));
	}
	put(&t, argv[n] ? ", ...], " : "], ");
	for (n = 0; env[n]; n++)
		;
	put(&t, "[/* %zu vars */]) = 0\n", n);
	trace_write(fd, &t);
}
