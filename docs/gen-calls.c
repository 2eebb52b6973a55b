/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints docs/calls.md from the call table. */
#include "../runner/table.h"

#include <stdio.h>
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
	[ABI_CLASS_PROCESS] = { "process", "threads; other processes and what is between them: not in this version" },
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

static void row(unsigned int nr)
{
	const struct abi_call *c = &call_table[nr];

	printf("| %u | `%s` | %s | %s | %s |\n", nr, call_name(nr), served[c->served].name, classes[c->class].name,
	       c->refusal ? strerrorname_np(-c->refusal) : "");
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
	puts("\n| number | call | served | class | refusal |\n|---:|---|---|---|---|");
	for (unsigned int nr = 0; nr < ABI_CALLS; nr++)
		if (call_name(nr))
			row(nr);
	puts("\nOf ioctl and fcntl these requests are served (`shim/requests.def`); others answer\n"
	     "ENOTTY and EINVAL.\n\n| call | request |\n|---|---|");
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		printf("| %s | `%s` |\n", requests[i].call, requests[i].name);
	return ferror(stdout) || fflush(stdout);
}
