/* SPDX-License-Identifier: GPL-2.0-only */
/* Directory trees for tests: make, describe, compare, remove. */
#ifndef TESTS_LIB_TREE_H
#define TESTS_LIB_TREE_H

#include <stddef.h>
#include <sys/types.h>

/* A new empty directory below $TMPDIR or /tmp; free() the path. */
char *tree_new(void);

/* Remove path and all below it; a missing one is fine. */
void tree_remove(const char *path);

/* "dir/name"; free() it. */
char *tree_path(const char *dir, const char *name);

/* Create dir/name. len 0 means strlen(data). */
void tree_file(const char *dir, const char *name, const void *data, size_t len);
void tree_dir(const char *dir, const char *name, mode_t mode);
void tree_link(const char *dir, const char *name, const char *target);

/* Content of dir/name, NUL-terminated; free() it. NULL when there is none. */
char *tree_read(const char *dir, const char *name, size_t *len);

/* Give everything in the tree one old modification time. */
void tree_age(const char *dir);

/*
 * The tree as text, one line per entry, sorted: type, mode, links, size, old
 * modification time (recent ones are not told), name, link target or a hash
 * of the content. free() it.
 */
char *tree_describe(const char *dir);

/* Fail the test, showing the lines that differ, unless both are equal. */
#define assert_same_tree(native, guest) assert_same_tree_at(native, guest, __FILE__, __LINE__)
void assert_same_tree_at(const char *native, const char *guest, const char *file, int line);

/*
 * len bytes, always the same ones, of what compressors meet: text, zeros,
 * noise, repeats from far back. free() them.
 */
char *mixed_data(size_t len);

#endif
