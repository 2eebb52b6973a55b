/* SPDX-License-Identifier: GPL-2.0-only */
/* A program that executes itself, with much memory shared and its own file mapped: nothing of it is left each time. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (100ul << 20)

int main(int argc, char **argv)
{
	int left = argc > 1 ? atoi(argv[1]) : 4, fd = open(argv[0], O_RDONLY), status;
	char *own = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *file, text[12];

	if (own == MAP_FAILED || fd < 0)
		return 1;
	file = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		return 2;
	printf("%d: %d %.3s\n", left, own[SIZE / 2], file + 1);
	memset(own + SIZE / 2, left, 1 << 20);
	fflush(stdout);
	if (!left)
		return 7;
	snprintf(text, sizeof(text), "%d", left - 1);
	/* once in a child, which had its parent's mappings */
	if (left == 2 && fork()) {
		wait(&status);
		printf("%d %d\n", WEXITSTATUS(status), own[SIZE / 2]);
		return 0;
	}
	execl(argv[0], argv[0], text, NULL);
	return 3;
}
