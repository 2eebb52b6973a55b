/* SPDX-License-Identifier: GPL-2.0-only */
/* The call table and the request table: whole, in the kernel's numbers, and without contradictions. */
#include "../runner/table.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The generator of docs/calls.md, whose output must be what is committed. */
#define main print_calls
#include "../docs/gen-calls.c"
#undef main

#define FRAME_STRINGS	4096	/* bytes of a string at most */

static bool in_data(const struct abi_arg *a)
{
	return a->kind >= ABI_ARG_STRING && a->kind <= ABI_ARG_INOUT;
}

static bool has_length(const struct abi_arg *a)
{
	return (a->kind >= ABI_ARG_INBUF && a->kind <= ABI_ARG_INOUTVEC) || a->kind == ABI_ARG_WORDS;
}

#define each_row(nr, c) \
	for (uint32_t nr = 0; nr < ABI_CALLS; nr++) \
		for (const struct abi_call *c = call_name(nr) ? &call_table[nr] : NULL; c; c = NULL)

#define check(condition, nr) \
	do { \
		if (!(condition)) \
			fail_msg("%u %s: %s", nr, call_name(nr), #condition); \
	} while (0)

/* Both ways: a row for each number of the kernel's header, and no row that contradicts it. */
static void rows_are_the_kernels_numbers_and_names(void **state)
{
	FILE *header = popen("echo '#include <asm/unistd_64.h>' | gcc -E -dM -", "r");
	bool known[ABI_CALLS] = { false };
	char text[256], name[128];
	unsigned int nr, count = 0;

	(void)state;
	assert_non_null(header);
	while (fgets(text, sizeof(text), header)) {
		if (sscanf(text, "#define __NR_%127s %u", name, &nr) != 2)
			continue;
		assert_true(nr < ABI_CALLS);
		if (!call_name(nr) || strcmp(call_name(nr), name))
			fail_msg("%u is %s, not %s", nr, name, call_name(nr) ? call_name(nr) : "without a row");
		known[nr] = true;
		count++;
	}
	assert_int_equal(pclose(header), 0);
	assert_true(count >= 362);
	each_row(row, c)
		if (!known[row])	/* younger than the header, or from a later gap in it */
			check(c->served == ABI_BY_NOBODY && c->refusal == -ENOSYS, row);
}

static void no_name_has_two_numbers(void **state)
{
	(void)state;
	each_row(nr, c)
		for (uint32_t other = nr + 1; other < ABI_CALLS; other++)
			if (call_name(other))
				assert_string_not_equal(call_name(nr), call_name(other));
	assert_null(call_name(ABI_CALLS));
	assert_null(call_name(UINT32_MAX));
}

static void a_refused_call_has_an_error_and_only_it(void **state)
{
	(void)state;
	each_row(nr, c) {
		check((c->served == ABI_BY_NOBODY) == (c->refusal != 0), nr);
		check(c->refusal <= 0 && c->refusal >= -133, nr);
		check(c->nargs <= 6, nr);
	}
	for (uint32_t nr = 0; nr < ABI_CALLS; nr++)
		if (!call_name(nr))
			assert_int_equal(call_table[nr].served, ABI_BY_NOBODY);
}

static void threat_25_what_administers_the_host_is_refused(void **state)
{
	static const uint8_t never[] = { ABI_CLASS_SYSTEM, ABI_CLASS_OLD };

	(void)state;
	each_row(nr, c)
		for (size_t i = 0; i < sizeof(never); i++)
			check(c->class != never[i] || c->served == ABI_BY_NOBODY, nr);
}

static void each_argument_says_where_its_length_is(void **state)
{
	(void)state;
	each_row(nr, c)
		for (int i = 0; i < c->nargs; i++) {
			const struct abi_arg *a = &c->arg[i];

			if (c->served == ABI_BY_NOBODY)
				break;
			check(a->kind != ABI_ARG_NONE, nr);
			/* of a string it says that it may be absent */
			check(has_length(a) || !a->ref || a->kind == ABI_ARG_STRING, nr);
			check(!has_length(a) || (a->ref < c->nargs && c->arg[a->ref].kind == ABI_ARG_VALUE), nr);
			check(a->kind < ABI_ARG_IN || a->kind > ABI_ARG_INOUT || a->size, nr);
			check(a->kind < ABI_ARG_INVEC || a->kind > ABI_ARG_INOUTVEC || a->size, nr);
		}
}

/* Vectors may be longer than the room; whoever fills the frame must look. The rest always fits. */
static void fixed_arguments_fit_in_a_frame(void **state)
{
	(void)state;
	each_row(nr, c) {
		uint32_t sum = 0;

		for (int i = 0; i < c->nargs; i++)
			if (in_data(&c->arg[i]))
				sum += c->arg[i].kind == ABI_ARG_STRING ? FRAME_STRINGS : (c->arg[i].size + 7) / 8 * 8;
		check(sum <= ABI_DATA, nr);
	}
}

/* A call made on the host as it stands must not name anything there but by an open descriptor. */
static void a_call_made_as_it_stands_starts_from_a_descriptor(void **state)
{
	(void)state;
	each_row(nr, c) {
		if (c->served != ABI_BY_PASS)
			continue;
		check(c->arg[0].kind == ABI_ARG_FD, nr);
		check(c->class == ABI_CLASS_FD, nr);
		for (int i = 1; i < c->nargs; i++) {
			check(c->arg[i].kind != ABI_ARG_DIRFD, nr);
			check(c->arg[i].kind != ABI_ARG_ADDRESS, nr);
			/* the only text is the name of an attribute */
			check(c->arg[i].kind != ABI_ARG_STRING || nr == 193, nr);
		}
	}
}

static void a_call_with_a_directory_falls_under_the_grants(void **state)
{
	(void)state;
	each_row(nr, c)
		for (int i = 0; i < c->nargs; i++)
			check(c->arg[i].kind != ABI_ARG_DIRFD || c->class == ABI_CLASS_PATH, nr);
}

/* signal(7), "the following interfaces are never restarted" */
static void waits_are_never_restarted(void **state)
{
	static const char *const never[] = {
		"poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2", "nanosleep",
		"clock_nanosleep", "pause", "rt_sigsuspend", "rt_sigtimedwait", "semop", "semtimedop", "msgsnd", "msgrcv",
	};
	size_t found = 0;

	(void)state;
	each_row(nr, c) {
		bool listed = false;

		for (size_t i = 0; i < ARRAY_SIZE(never); i++)
			listed |= !strcmp(never[i], call_name(nr));
		check((c->restart == ABI_RESTART_NEVER) == listed, nr);
		found += listed;
	}
	assert_int_equal(found, ARRAY_SIZE(never));
}

static void threat_18_requests_that_reach_beyond_the_program_are_refused(void **state)
{
	static const uint32_t ioctls[] = {
		0x5412,		/* TIOCSTI */
		0x541c,		/* TIOCLINUX */
		0x540c, 0x540d,	/* TIOCEXCL, TIOCNXCL */
		0x8901, 0x8902,	/* FIOSETOWN, SIOCSPGRP */
		0x5423,		/* TIOCSETD */
		0x541d,		/* TIOCCONS */
		0x40049409,	/* FICLONE */
		0x40086602,	/* FS_IOC_SETFLAGS */
		0xae01,		/* KVM_CREATE_VM */
	};
	static const uint32_t fcntls[] = { F_SETLEASE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++)
		assert_null(call_request(16, ioctls[i]));
	for (size_t i = 0; i < ARRAY_SIZE(fcntls); i++)
		assert_null(call_request(72, fcntls[i]));
	assert_null(call_request(0, 0x5401));
	assert_null(call_request(72, 0x5401));
	assert_null(call_request(16, F_GETFL));
}

/* The kernel looks at 32 bits of it; a check of more would be told something else than the kernel. */
static void a_request_is_judged_by_the_bits_that_the_kernel_uses(void **state)
{
	(void)state;
	assert_ptr_equal(call_request(16, 0xffffffff00005401), call_request(16, 0x5401));
	assert_null(call_request(16, 0xffffffff00005412));
	assert_string_equal(call_request(16, 0x5401)->name, "TCGETS");
	assert_int_equal(call_request(72, F_OFD_SETLK)->arg.size, sizeof(struct flock));
}

static void the_table_in_the_docs_is_current(void **state)
{
	FILE *made = tmpfile(), *committed = fopen("docs/calls.md", "r");
	char *a = NULL, *b = NULL;
	size_t na = 0, nb = 0;
	int out;

	(void)state;
	assert_non_null(made);
	assert_non_null(committed);
	fflush(stdout);
	out = dup(1);
	assert_true(dup2(fileno(made), 1) == 1);
	assert_int_equal(print_calls(), 0);
	assert_true(dup2(out, 1) == 1);
	close(out);
	rewind(made);
	assert_true(getdelim(&a, &na, 0, made) > 0);
	assert_true(getdelim(&b, &nb, 0, committed) > 0);
	if (strcmp(a, b))
		fail_msg("docs/calls.md is out of date: make docs/calls.md");
	free(a);
	free(b);
	fclose(made);
	fclose(committed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_the_kernels_numbers_and_names),
		cmocka_unit_test(no_name_has_two_numbers),
		cmocka_unit_test(a_refused_call_has_an_error_and_only_it),
		cmocka_unit_test(threat_25_what_administers_the_host_is_refused),
		cmocka_unit_test(each_argument_says_where_its_length_is),
		cmocka_unit_test(fixed_arguments_fit_in_a_frame),
		cmocka_unit_test(a_call_made_as_it_stands_starts_from_a_descriptor),
		cmocka_unit_test(a_call_with_a_directory_falls_under_the_grants),
		cmocka_unit_test(waits_are_never_restarted),
		cmocka_unit_test(threat_18_requests_that_reach_beyond_the_program_are_refused),
		cmocka_unit_test(a_request_is_judged_by_the_bits_that_the_kernel_uses),
		cmocka_unit_test(the_table_in_the_docs_is_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
