/* SPDX-License-Identifier: GPL-2.0-only */
/* What may be shared under --mem 128M, and that what is given back can be had again. */
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/socket.h>

#include "mem.h"

#define MB (1l << 20)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED)

static void touch(unsigned long va, unsigned long len)
{
	for (unsigned long at = va; at < va + len; at += PAGE)
		*(volatile char *)at = 1;
}

static void anonymous(void)
{
	SHOW(mem_map(ZONE, 200 * MB, RW, SHARED));
	SHOW(mem_map(ZONE, 70 * MB, RW, SHARED));
	SHOW(mem_map(ZONE + 100 * MB, 70 * MB, RW, SHARED));
	SHOW(mem_map(ZONE + 100 * MB, 70 * MB, RW, ANON | MAP_FIXED));
	touch(ZONE, 70 * MB);
	SHOW(CALL(munmap, ZONE + 10 * MB, 60 * MB));
	SHOW(mem_map(ZONE + 100 * MB, 70 * MB, RW, SHARED));
	SHOW(CALL(mremap, ZONE + 100 * MB, 70 * MB, 100 * MB, MREMAP_MAYMOVE));
	SHOW(CALL(mremap, ZONE + 100 * MB, 70 * MB, 130 * MB, MREMAP_MAYMOVE));
	SHOW(CALL(munmap, ZONE, 300 * MB));
	for (int i = 0; i < 50; i++) {
		if (mem_map(ZONE, 100 * MB, RW, SHARED) < 0)
			printf("refused at %d\n", i);
		touch(ZONE + 37 * MB, MB);
	}
}

static void files(void)
{
	int a = CALL(memfd_create, "a", 0), b = CALL(memfd_create, "b", 0);
	static char text[MB];
	long n = 0;

	memset(text, 'x', sizeof(text));
	SHOW(CALL(ftruncate, a, 129 * MB));
	SHOW(CALL(ftruncate, a, 28 * MB));
	SHOW(CALL(pwrite64, a, "x", 1, 1l << 40));
	SHOW(CALL(fallocate, a, 1, 0, 200 * MB));
	while (write(b, text, sizeof(text)) == MB)
		n++;
	printf("%s after %ld MB\n", strerrorname_np(errno), n);
	SHOW(CALL(sendfile, b, a, 0, 10));
	SHOW(CALL(ftruncate, b, 50 * MB));
	SHOW(CALL(ftruncate, a, 78 * MB));
	/* closed, but mapped */
	SHOW(CALL(mmap, ZONE, MB, RW, MAP_SHARED | MAP_FIXED, a, 0));
	close(a);
	SHOW(CALL(ftruncate, b, 51 * MB));
	SHOW(CALL(munmap, ZONE, MB));
	SHOW(CALL(ftruncate, b, 128 * MB));
	close(b);
	for (int i = 0; i < 50; i++) {
		a = CALL(memfd_create, "c", 0);
		if (ftruncate(a, 100 * MB))
			printf("refused at %d\n", i);
		close(a);
	}
}

/* One that comes by a socket, as from another process, counts as well. */
static void received(void)
{
	union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } control = {
		.header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS },
	};
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int pair[2], fd = CALL(memfd_create, "sent", 0);
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		exit(3);
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	printf("%zd", sendmsg(pair[0], &m, 0));
	close(fd);
	v.iov_base = &byte;
	printf(" %zd\n", recvmsg(pair[1], &m, 0));
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	SHOW(CALL(ftruncate, fd, 128 * MB));
	SHOW(CALL(ftruncate, fd, 129 * MB));
	SHOW(CALL(pwrite64, fd, "x", 1, 128 * MB));
}

int main(int argc, char **argv)
{
	static const struct mem_part all[] = { { "anonymous", anonymous }, { "files", files }, { "received", received } };

	return mem_main(argc, argv, all, ARRAY_SIZE(all));
}
