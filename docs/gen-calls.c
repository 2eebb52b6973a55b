/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints docs/calls.md from the call table and from what the tests' sources name: run in the
 * project's directory.
 */
#include "../runner/table.h"

#include <ctype.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *meaning;
} served[] = {
	[ABI_BY_SHIM] = { "guest", "answered inside the VM, without an exit" },
	[ABI_BY_BOTH] = { "guest, host", "begun inside the VM, which asks the host where it must" },
	[ABI_BY_HOST] = { "host", "a handler in the runner" },
	[ABI_BY_PASS] = { "host, as is", "checked, then made on the host as it stands" },
	[ABI_BY_NOBODY] = { "refused", "answered with the error in the last column" },
};

static const struct {
	const char *name, *meaning;
} classes[] = {
	[ABI_CLASS_SELF] = { "self", "the program's own memory, signals, ids and clocks" },
	[ABI_CLASS_FD] = { "fd", "an open descriptor: allowed by having it" },
	[ABI_CLASS_PATH] = { "path", "a path: within what `--ro` and `--rw` grant" },
	[ABI_CLASS_NET] = { "net", "sockets" },
	[ABI_CLASS_PROCESS] = { "process", "threads; other processes, and what is between them" },
	[ABI_CLASS_SYSTEM] = { "system", "administration of the host: never" },
	[ABI_CLASS_OLD] = { "old", "obsolete, or absent from current kernels: never" },
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *call, *name;
} requests[] = {
#define REQUEST(call, name, ...)	{ #call, #name },
#include "../shim/requests.def"
#undef REQUEST
};

/* ------------------------------------------------------------ tested by what */

#define TESTS_NAMED 3	/* of a call's tests */

static char *tests_of[ABI_CALLS][TESTS_NAMED];

/* functions of libc's that are a call of another name */
static const struct {
	const char *function, *call;
} made_by[] = {
	{ "pread", "pread64" }, { "pwrite", "pwrite64" }, { "fstat", "newfstatat" }, { "fstatat", "newfstatat" },
	{ "sigaction", "rt_sigaction" }, { "sigprocmask", "rt_sigprocmask" }, { "pthread_sigmask", "rt_sigprocmask" },
	{ "sigsuspend", "rt_sigsuspend" }, { "sigpending", "rt_sigpending" }, { "sigqueue", "rt_sigqueueinfo" },
	{ "sigtimedwait", "rt_sigtimedwait" }, { "sigwaitinfo", "rt_sigtimedwait" },
	{ "wait", "wait4" }, { "waitpid", "wait4" }, { "getrlimit", "prlimit64" }, { "setrlimit", "prlimit64" },
	{ "prlimit", "prlimit64" }, { "readdir", "getdents64" }, { "eventfd", "eventfd2" }, { "signalfd", "signalfd4" },
	{ "posix_fadvise", "fadvise64" }, { "pselect", "pselect6" }, { "statvfs", "statfs" }, { "renameat", "renameat2" },
	{ "utimes", "utimensat" }, { "futimens", "utimensat" }, { "semop", "semtimedop" },
	{ "mq_send", "mq_timedsend" }, { "mq_receive", "mq_timedreceive" }, { "mq_getattr", "mq_getsetattr" },
	{ "mq_setattr", "mq_getsetattr" }, { "posix_fallocate", "fallocate" }, { "mkfifo", "mknod" },
};

/* macros of the tests' whose first argument is a call's name */
static const char *const naming[] = { "C", "CALL", "guest_call" };

static bool one_of(const char *const *list, size_t n, const char *word, size_t length)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == length && !strncmp(list[i], word, length))
			return true;
	return false;
}

static void tested(const char *call, size_t length, const char *test)
{
	for (unsigned int nr = 0; nr < ABI_CALLS; nr++) {
		char **of = tests_of[nr];

		if (!call_name(nr) || strlen(call_name(nr)) != length || strncmp(call_name(nr), call, length))
			continue;
		for (size_t i = 0; i < TESTS_NAMED && (!of[i] || strcmp(of[i], test)); i++)
			if (!of[i]) {
				of[i] = strdup(test);
				break;
			}
	}
}

/* A guest's SYS_call, call(...), and call where a macro takes its name; a test of parts has only the last. */
static void scan(const char *text, const char *test, bool guest)
{
	const char *before = text;	/* the word before, with its parenthesis */
	size_t length = 0;
	bool comment = false;

	for (const char *p = text; *p;) {
		size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

		if (!n) {
			comment = comment ? strncmp(p, "*/", 2) : !strncmp(p, "/*", 2);
			if (!isspace((unsigned char)*p) && *p != '(')
				length = 0;
			p++;
			continue;
		}
		if (!comment && guest && n > 4 && !strncmp(p, "SYS_", 4))
			tested(p + 4, n - 4, test);
		else if (!comment && ((guest && p[n] == '(') ||
				      (p[-1] == '(' && one_of(naming, ARRAY_SIZE(naming), before, length))))
			tested(p, n, test);
		for (size_t i = 0; !comment && guest && p[n] == '(' && i < ARRAY_SIZE(made_by); i++)
			if (strlen(made_by[i].function) == n && !strncmp(made_by[i].function, p, n))
				tested(made_by[i].call, strlen(made_by[i].call), test);
		before = p;
		length = n;
		p += n;
	}
}

static void find_tests(void)
{
	glob_t files;

	if (glob("tests/guest/*.c", 0, NULL, &files) || glob("tests/test_*.c", GLOB_APPEND, NULL, &files))
		return;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		FILE *f = fopen(files.gl_pathv[i], "r");
		char *name = basename(files.gl_pathv[i]), *text = NULL;
		size_t room = 0;

		name[strlen(name) - 2] = 0;
		/* not what makes them all, or what only shows them */
		if (f && strcmp(name, "all_calls") && strcmp(name, "trace_probe") && getdelim(&text, &room, 0, f) > 0)
			scan(text, name, strncmp(name, "test_", 5));
		free(text);
		if (f)
			fclose(f);
	}
	globfree(&files);
}

static void row(unsigned int nr)
{
	const struct abi_call *c = &call_table[nr];

	printf("| %u | `%s` | %s | %s | %s |", nr, call_name(nr), served[c->served].name, classes[c->class].name,
	       c->refusal ? strerrorname_np(-c->refusal) : "");
	for (size_t i = 0; i < TESTS_NAMED && tests_of[nr][i]; i++)
		printf("%s %s", i ? "," : "", tests_of[nr][i]);
	puts(tests_of[nr][0] ? " |" : " all_calls |");
}

int main(void)
{
	unsigned int by[ARRAY_SIZE(served)] = { 0 }, of[ARRAY_SIZE(classes)] = { 0 }, all = 0;

	for (unsigned int nr = 0; nr < ABI_CALLS; nr++)
		if (call_name(nr)) {
			by[call_table[nr].served]++;
			of[call_table[nr].class]++;
			all++;
		}
	puts("# Linux calls\n\n"
	     "What becomes of each call that a program makes. Made from the call table\n"
	     "(`shim/calls.def`) by `make docs/calls.md`; do not edit. Numbers that are not\n"
	     "here answer ENOSYS.\n");
	puts("| served | calls | |\n|---|---:|---|");
	for (size_t i = 1; i <= ARRAY_SIZE(served); i++) {
		size_t s = i % ARRAY_SIZE(served);	/* the refused last */

		printf("| %s | %u | %s |\n", served[s].name, by[s], served[s].meaning);
	}
	printf("| | %u | |\n\n", all);
	puts("| class | calls | rule |\n|---|---:|---|");
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		printf("| %s | %u | %s |\n", classes[i].name, of[i], classes[i].meaning);
	find_tests();
	puts("\nTested by: the first of the sources in tests/guest and tests that make the call;\n"
	     "all_calls makes them all.\n"
	     "\n| number | call | served | class | refusal | tested by |\n|---:|---|---|---|---|---|");
	for (unsigned int nr = 0; nr < ABI_CALLS; nr++)
		if (call_name(nr))
			row(nr);
	puts("\nOf ioctl and fcntl these requests are served (`shim/requests.def`); others answer\n"
	     "ENOTTY and EINVAL.\n\n| call | request |\n|---|---|");
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		printf("| %s | `%s` |\n", requests[i].call, requests[i].name);
	return ferror(stdout) || fflush(stdout);
}
