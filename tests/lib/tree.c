/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "tree.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OLD_TIME 1000000000	/* 2001-09-09 01:46:40 UTC */
#define RECENT 86400

static void must(bool ok, const char *what, const char *path)
{
	if (!ok)
		fail_msg("%s %s: %s", what, path, strerror(errno));
}

char *tree_path(const char *dir, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

char *tree_new(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = tree_path(tmp && *tmp == '/' ? tmp : "/tmp", "kvmrun-test.XXXXXX");

	must(mkdtemp(path), "mkdtemp", path);
	return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tree_remove(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		fail_msg("removing %s: %s", path, strerror(errno));
}

void tree_file(const char *dir, const char *name, const void *data, size_t len)
{
	char *path = tree_path(dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	len = len ? len : strlen(data);
	must(fd >= 0, "create", path);
	must(write(fd, data, len) == (ssize_t)len, "write", path);
	close(fd);
	free(path);
}

void tree_dir(const char *dir, const char *name, mode_t mode)
{
	char *path = tree_path(dir, name);

	must(!mkdir(path, mode), "mkdir", path);
	free(path);
}

void tree_link(const char *dir, const char *name, const char *target)
{
	char *path = tree_path(dir, name);

	must(!symlink(target, path), "symlink", path);
	free(path);
}

char *tree_read(const char *dir, const char *name, size_t *len)
{
	char *path = tree_path(dir, name), *data = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0) {
		must(!fstat(fd, &st), "stat", path);
		data = calloc(1, st.st_size + 1);
		must(read(fd, data, st.st_size) == st.st_size, "read", path);
		if (len)
			*len = st.st_size;
		close(fd);
	}
	free(path);
	return data;
}

static int age_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const struct timespec times[] = { { .tv_sec = OLD_TIME }, { .tv_sec = OLD_TIME } };

	(void)st;
	(void)type;
	(void)ftw;
	return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

void tree_age(const char *dir)
{
	must(!nftw(dir, age_one, 16, FTW_DEPTH | FTW_PHYS), "setting times in", dir);
}

static uint64_t hash_of(const char *data, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;	/* FNV-1a */

	while (len--)
		h = (h ^ (unsigned char)*data++) * 0x100000001b3;
	return h;
}

/* nftw() has no argument for its callback. */
static struct {
	const char *dir;
	char **line;
	size_t count;
} described;

static int describe_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + strlen(described.dir);
	char what[PATH_MAX + 8] = "", when[32] = "-", *data;
	size_t len;
	ssize_t n;

	(void)type;
	(void)ftw;
	if (S_ISLNK(st->st_mode)) {
		memcpy(what, " -> ", 4);
		n = readlink(path, what + 4, PATH_MAX);
		what[4 + (n > 0 ? n : 0)] = 0;
	} else if (S_ISREG(st->st_mode)) {
		data = tree_read(described.dir, name + 1, &len);
		if (!data)
			return -1;
		snprintf(what, sizeof(what), " #%016lx", hash_of(data, len));
		free(data);
	}
	if (st->st_mtime < time(NULL) - RECENT)
		snprintf(when, sizeof(when), "@%ld", st->st_mtime);
	described.line = realloc(described.line, (described.count + 1) * sizeof(char *));
	/* The size of a directory is the file system's own affair. */
	return asprintf(&described.line[described.count++], "%s  mode %06o links %ju size %jd %s%s\n",
			*name ? name : "/", st->st_mode, (uintmax_t)st->st_nlink,
			S_ISDIR(st->st_mode) ? 0 : (intmax_t)st->st_size, when, what) < 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *tree_describe(const char *dir)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	described.dir = dir;
	must(!nftw(dir, describe_one, 16, FTW_PHYS), "reading the tree", dir);
	qsort(described.line, described.count, sizeof(char *), by_text);
	for (size_t i = 0; i < described.count; i++) {
		fputs(described.line[i], f);
		free(described.line[i]);
	}
	free(described.line);
	memset(&described, 0, sizeof(described));
	fclose(f);
	return text;
}

/* Print the lines of one text that the other one has not. */
static void show_missing(const char *title, const char *text, const char *other)
{
	size_t len;

	for (; *text; text += len) {
		char line[PATH_MAX * 2];

		len = strcspn(text, "\n") + 1;
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		if (!strstr(other, line))
			print_error("%s: %s", title, line);
	}
}

void assert_same_tree_at(const char *native, const char *guest, const char *file, int line)
{
	char *a = tree_describe(native), *b = tree_describe(guest);

	if (strcmp(a, b)) {
		print_error("the resulting trees differ\n");
		show_missing("only native", a, b);
		show_missing("only kvmrun", b, a);
		_fail(file, line);
	}
	free(a);
	free(b);
}

char *mixed_data(size_t len)
{
	static const char *const words[] = {
		"guest", "host", "page", "table", "exit", "entry", "frame", "call", "\n", "the ",
	};
	char *data = malloc(len);
	uint64_t x = 88172645463325252;		/* xorshift64 */
	size_t i = 0;

	assert_non_null(data);
	while (i < len) {
		size_t n = 512 + (x >> 32) % 4096, end = i + n < len ? i + n : len;

		int kind = x >> 8 & 3;

		for (; i < end; i++) {
			const char *word;

			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			word = words[(x >> 20) % ARRAY_SIZE(words)];
			if (kind == 0)
				data[i] = 0;
			else if (kind == 1)
				data[i] = x >> 40;
			else if (kind == 2 && i > 3 * n)
				data[i] = data[i - 3 * n];
			else
				data[i] = word[i % strlen(word)];
		}
	}
	return data;
}
