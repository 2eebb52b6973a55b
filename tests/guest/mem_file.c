/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private mappings of the file named by the first argument, which the program
 * makes: contents, the tail of the last page, offsets, copies on write, errors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (5 * 1024 * 1024 + 123)

static void try(const char *what, void *p)
{
	printf("%s: %s\n", what, p == MAP_FAILED ? strerrorname_np(errno) : "mapped");
}

int main(int argc, char **argv)
{
	char *data = malloc(SIZE), *p, *q;
	int fd = open(argv[argc - 1], O_RDWR | O_CREAT | O_TRUNC, 0600), wo, pipes[2];
	long bad = 0;

	if (!data || fd < 0)
		return 1;
	for (int i = 0; i < SIZE; i++)
		data[i] = i * 31 >> 3;
	if (write(fd, data, SIZE) != SIZE)
		return 2;
	p = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	try("read-only", p);
	printf("same: %d\n", !memcmp(p, data, SIZE));
	for (int i = SIZE; i % 4096; i++)
		bad += p[i] != 0;
	printf("bytes past the end: %ld\n", bad);
	q = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096 * 3);
	try("at an offset", q);
	printf("same: %d\n", !memcmp(q, data + 4096 * 3, 8192));
	q[0] ^= 1;
	printf("file untouched: %d\n", pread(fd, data, 1, 4096 * 3) == 1 && data[0] == p[4096 * 3]);
	close(fd);
	printf("still there: %d\n", q[1] == p[4096 * 3 + 1]);
	printf("unmapped: %d\n", munmap(p, SIZE) | munmap(q, 8192));
	fd = open(argv[argc - 1], O_RDONLY);
	wo = open(argv[argc - 1], O_WRONLY);
	try("odd offset", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 1));
	try("length 0", mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0));
	try("write-only", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, wo, 0));
	try("closed", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 77, 0));
	if (pipe(pipes))
		return 3;
	try("a pipe", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, pipes[0], 0));
	try("writable, of a read-only descriptor", mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	return 0;
}
