/* SPDX-License-Identifier: GPL-2.0-only */
/* The assertions on a run_result of harness.h. */
#define _GNU_SOURCE
#include "harness.h"
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Offset of the first difference, or -1 when both are equal. */
static ssize_t first_difference(const void *a, size_t a_len, const void *b, size_t b_len)
{
	size_t i, len = a_len < b_len ? a_len : b_len;

	for (i = 0; i < len; i++)
		if (((const char *)a)[i] != ((const char *)b)[i])
			return i;
	return a_len == b_len ? -1 : (ssize_t)len;
}

static void fail_at(const char *message, const char *file, int line)
{
	print_error("%s\n", message);
	_fail(file, line);
}

void assert_status_at(const struct run_result *r, int want, const char *file, int line)
{
	char message[64];

	if (!r->hung && !r->signal && r->status == want)
		return;
	run_show("ran", r);
	snprintf(message, sizeof(message), "wanted status %d", want);
	fail_at(message, file, line);
}

void assert_out_at(const struct run_result *r, const void *want, size_t len,
		   const char *file, int line)
{
	ssize_t where = first_difference(r->out, r->out_len, want, len);
	const struct run_result wanted = {
		.command = "", .out = (char *)want, .out_len = len, .err = "",
	};
	char message[64];

	if (where < 0)
		return;
	run_show("ran", r);
	run_show("wanted this stdout", &wanted);
	snprintf(message, sizeof(message), "stdout differs from byte %zd on", where);
	fail_at(message, file, line);
}

void assert_err_at(const struct run_result *r, const char *want, const char *file, int line)
{
	if (first_difference(r->err, r->err_len, want, strlen(want)) < 0)
		return;
	run_show("ran", r);
	print_error("wanted this stderr: %s\n", want);
	_fail(file, line);
}

void assert_err_line_at(const struct run_result *r, const char *text, const char *file, int line)
{
	const char *end = memchr(r->err, '\n', r->err_len);

	if (end && end + 1 == r->err + r->err_len && memmem(r->err, r->err_len, text, strlen(text)))
		return;
	run_show("ran", r);
	print_error("wanted exactly one line on stderr, with: %s\n", text);
	_fail(file, line);
}

void assert_same_at(const struct run_result *native, const struct run_result *guest,
		    bool any_stderr, const char *file, int line)
{
	int status = native->signal ? 128 + native->signal : native->status;
	const char *what = NULL;
	char message[128];
	ssize_t where = -1;

	if (native->hung || guest->hung || guest->signal || guest->status != status) {
		what = "the statuses differ";
	} else {
		where = first_difference(native->out, native->out_len, guest->out, guest->out_len);
		if (where >= 0)
			what = "stdout differs";
	}
	if (!what && !any_stderr) {
		where = first_difference(native->err, native->err_len, guest->err, guest->err_len);
		if (where >= 0)
			what = "stderr differs";
	}
	if (!what)
		return;
	run_show("native", native);
	run_show("kvmrun", guest);
	snprintf(message, sizeof(message), where < 0 ? "%s" : "%s from byte %zd on", what, where);
	fail_at(message, file, line);
}

struct run_result run_same_at(const struct run_opts *opts, const char *const argv[],
			      const char *file, int line)
{
	struct run_result native = run_native(opts, argv);
	struct run_result guest = run_kvmrun_opts(opts, argv);

	assert_same_at(&native, &guest, opts && opts->any_stderr, file, line);
	run_free(&guest);
	return native;
}

void assert_same_as_native_at(const struct run_opts *opts, const char *const argv[],
			      const char *file, int line)
{
	struct run_result native = run_same_at(opts, argv, file, line);

	run_free(&native);
}

static char *native_copy(const char *dir)
{
	char *path;

	assert_true(asprintf(&path, "%s.native", dir) > 0);
	return path;
}

void remove_written(const char *dir)
{
	char *native_dir = native_copy(dir);

	tree_remove(dir);
	tree_remove(native_dir);
	free(native_dir);
}

static void fill_afresh(const char *dir, void (*fill)(const char *dir))
{
	assert_int_equal(mkdir(dir, 0755), 0);
	fill(dir);
	tree_age(dir);
}

struct run_result run_same_writing_at(const char *dir, void (*fill)(const char *dir),
				      const struct run_opts *opts, const char *const argv[],
				      const char *file, int line)
{
	struct run_opts writing = opts ? *opts : (struct run_opts){ 0 };
	const char *options[64] = { "--rw", dir };
	char *native_dir = native_copy(dir);
	struct run_result native, guest;

	for (size_t i = 0; writing.options && writing.options[i]; i++) {
		assert_true(i + 3 < ARRAY_SIZE(options));
		options[i + 2] = writing.options[i];
	}
	writing.options = options;
	writing.cwd = dir;

	remove_written(dir);
	fill_afresh(dir, fill);
	native = run_native(&writing, argv);
	assert_int_equal(rename(dir, native_dir), 0);
	fill_afresh(dir, fill);
	guest = run_kvmrun_opts(&writing, argv);

	assert_same_at(&native, &guest, writing.any_stderr, file, line);
	assert_same_tree_at(native_dir, dir, file, line);
	run_free(&guest);
	free(native_dir);
	return native;
}
