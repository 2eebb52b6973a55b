/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_memory.c - what Linux does to a process's memory, a running guest sees
 *
 * Two guests. The reader copies one word (the probe) to another (seen) for
 * ever. The writer goes round pages and adds 1 to each one's first word: if no
 * write is lost no two pages differ by more than 1, the earlier having more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define ARENA	0x200000	/* its GPA */
#define SIZE	0x200000
#define PAGES	(SIZE / 4096)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* 1: mov ARENA, %eax; mov %eax, ARENA + 4096; jmp 1b */
static const char reader[] = "\x8b\x04\x25\x00\x00\x20\x00\x89\x04\x25\x00\x10\x20\x00\xeb\xf0";
/* 1: mov $ARENA, %edi; mov $PAGES, %ecx; 2: incl (%rdi); add $4096, %rdi; loop 2b; jmp 1b */
static const char writer[] = "\xbf\x00\x00\x20\x00\xb9\x00\x02\x00\x00\xff\x07"
			     "\x48\x81\xc7\x00\x10\x00\x00\xe2\xf5\xeb\xe9";

struct machine {
	struct guest g;
	struct guest_thread t;
	char *arena;		/* 2 MiB aligned; owned by the process's address space */
};

/* The arena is anonymous memory, or that of a file. */
static void prepare(struct machine *m, const char *code, size_t len, int fd)
{
	/* with room on both sides, so that it is a mapping of its own in smaps */
	char *room = mmap(NULL, 3 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(room != MAP_FAILED);
	m->arena = (char *)(((uintptr_t)room + SIZE) & ~(uintptr_t)(SIZE - 1));
	assert_true(mmap(m->arena, SIZE, PROT_READ | PROT_WRITE,
			 MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED), fd,
			 0) != MAP_FAILED);
	guest_start(&m->g, LONG, code, len);
	guest_add_memory(&m->g, 1, ARENA, m->arena, SIZE);
}

static void start(struct machine *m, const char *code, size_t len, int fd)
{
	prepare(m, code, len, fd);
	guest_thread_start(&m->t, &m->g);
}

static void end(struct machine *m)
{
	assert_int_equal(guest_thread_stop(&m->t), 0);
	guest_end(&m->g);
	munmap(m->arena, SIZE);
}

static volatile uint32_t *word(struct machine *m, int page)
{
	return (uint32_t *)(m->arena + page * 4096);
}

#define probe(m) (*word(m, 0))

static void wait_seen(struct machine *m, uint32_t value)
{
	while (*word(m, 1) != value)
		guest_thread_pause(&m->t);
}

static void wait_rounds(struct machine *m, uint32_t rounds)
{
	uint32_t from = *word(m, 0);

	while (*word(m, 0) - from < rounds)
		guest_thread_pause(&m->t);
}

/* The writer, stopped, has lost nothing; and started again. */
static void check_rounds(struct machine *m)
{
	int steps = 0;

	assert_int_equal(guest_thread_stop(&m->t), 0);
	for (int i = 1; i < PAGES; i++) {
		uint32_t more = *word(m, i - 1) - *word(m, i);

		if (more > 1 || (steps += more) > 1)
			fail_msg("page %d has %u, page %d has %u", i - 1, *word(m, i - 1), i,
				 *word(m, i));
	}
	guest_thread_start(&m->t, &m->g);
}

/* ------------------------------------------------------------------ taken away */

static void memory_that_is_unmapped_is_efault_until_there_is_new(void **state)
{
	struct machine m;

	start(&m, reader, sizeof(reader) - 1, -1);
	for (uint32_t i = 1; i <= 20; i++) {
		probe(&m) = i;
		wait_seen(&m, i);
		munmap(m.arena, 4096);
		assert_int_equal(guest_thread_wait(&m.t), EFAULT);
		assert_true(mmap(m.arena, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
		guest_thread_start(&m.t, &m.g);
		wait_seen(&m, 0);
	}
	end(&m);
	(void)state;
}

static void memory_that_may_not_be_read_is_efault(void **state)
{
	struct machine m;

	start(&m, reader, sizeof(reader) - 1, -1);
	probe(&m) = 7;
	wait_seen(&m, 7);
	assert_int_equal(mprotect(m.arena, 4096, PROT_NONE), 0);
	assert_int_equal(guest_thread_wait(&m.t), EFAULT);
	assert_int_equal(mprotect(m.arena, 4096, PROT_READ), 0);
	*word(&m, 1) = 0;
	guest_thread_start(&m.t, &m.g);
	wait_seen(&m, 7);
	end(&m);
	(void)state;
}

static void what_madvise_drops_the_guest_reads_as_zero(void **state)
{
	struct machine m;

	start(&m, reader, sizeof(reader) - 1, -1);
	for (uint32_t i = 1; i <= 50; i++) {
		probe(&m) = i;
		wait_seen(&m, i);
		assert_int_equal(madvise(m.arena, 4096, MADV_DONTNEED), 0);
		wait_seen(&m, 0);
	}
	end(&m);
	(void)state;
}

static void memory_that_mremap_moves_is_efault_where_it_was(void **state)
{
	struct machine m;
	char *away;

	start(&m, reader, sizeof(reader) - 1, -1);
	probe(&m) = 7;
	wait_seen(&m, 7);
	away = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(mremap(m.arena, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away);
	assert_int_equal(guest_thread_wait(&m.t), EFAULT);
	assert_int_equal(*(uint32_t *)away, 7);
	*(uint32_t *)away = 8;
	assert_true(mremap(away, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, m.arena) == m.arena);
	guest_thread_start(&m.t, &m.g);
	wait_seen(&m, 8);
	end(&m);
	(void)state;
}

static void a_file_that_is_truncated_is_efault_and_zero_when_it_grows(void **state)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	struct machine m;

	assert_int_equal(ftruncate(fd, SIZE), 0);
	start(&m, reader, sizeof(reader) - 1, fd);
	for (uint32_t i = 1; i <= 20; i++) {
		probe(&m) = i;
		wait_seen(&m, i);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(guest_thread_wait(&m.t), EFAULT);
		assert_int_equal(ftruncate(fd, SIZE), 0);
		*word(&m, 1) = i;
		guest_thread_start(&m.t, &m.g);
		wait_seen(&m, 0);
	}
	end(&m);
	close(fd);
	(void)state;
}

static void a_hole_in_a_file_reads_as_zero_and_a_write_to_the_file_is_seen(void **state)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	struct machine m;

	assert_int_equal(ftruncate(fd, SIZE), 0);
	start(&m, reader, sizeof(reader) - 1, fd);
	for (uint32_t i = 1; i <= 50; i++) {
		assert_int_equal(pwrite(fd, &i, 4, 0), 4);
		wait_seen(&m, i);
		assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
		wait_seen(&m, 0);
	}
	end(&m);
	close(fd);
	(void)state;
}

/* ----------------------------------------------------------------- huge pages */

/* A field of the arena's part of /proc/self/smaps, in KiB. */
static long smaps(struct machine *m, const char *field)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long from, to;
	bool inside = false;
	long sum = 0, kib;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && strchr(line, '-') < strchr(line, ' '))
			inside = from < (uintptr_t)m->arena + SIZE && to > (uintptr_t)m->arena;
		else if (inside && !strncmp(line, field, strlen(field)) &&
			 sscanf(line + strlen(field), ": %ld", &kib) == 1)
			sum += kib;
	}
	fclose(f);
	return sum;
}

static void collapse(struct machine *m)
{
	int r;

	/* a vCPU that is just looking a page up holds it: try again */
	for (int i = 0; i < 1000; i++) {
		r = madvise(m->arena, SIZE, MADV_COLLAPSE);
		if (!r || (errno != EAGAIN && errno != EBUSY))
			break;
		usleep(1000);
	}
	if (r && errno == EINVAL) {
		print_message("this kernel has no MADV_COLLAPSE, or no huge pages\n");
		skip();
	}
	if (r)
		fail_msg("MADV_COLLAPSE: %s", strerror(errno));
	assert_int_equal(smaps(m, "AnonHugePages"), SIZE / 1024);
}

static void huge_pages_form_and_split_and_no_write_is_lost(void **state)
{
	struct machine m;

	start(&m, writer, sizeof(writer) - 1, -1);
	for (int i = 0; i < 10; i++) {
		wait_rounds(&m, 3);
		collapse(&m);
		wait_rounds(&m, 3);
		/* only small pages can be of different kinds */
		assert_int_equal(mprotect(m.arena + 17 * 4096, 4096, PROT_READ), 0);
		assert_int_equal(mprotect(m.arena + 17 * 4096, 4096, PROT_READ | PROT_WRITE), 0);
		if (m.t.ended) {
			/* it came to the page meanwhile */
			assert_int_equal(guest_thread_wait(&m.t), EFAULT);
			guest_thread_start(&m.t, &m.g);
		}
		assert_int_equal(madvise(m.arena, SIZE, MADV_NOHUGEPAGE), 0);
		wait_rounds(&m, 3);
		assert_int_equal(madvise(m.arena, SIZE, MADV_HUGEPAGE), 0);
		check_rounds(&m);
	}
	end(&m);
	(void)state;
}

static void a_child_keeps_its_copy_of_a_huge_page(void **state)
{
	struct machine m;
	int ready[2], go[2], status;
	uint32_t before[PAGES];
	char byte = 0;
	pid_t pid;

	start(&m, writer, sizeof(writer) - 1, -1);
	wait_rounds(&m, 1);
	for (int i = 0; i < 10; i++) {
		collapse(&m);
		wait_rounds(&m, 1);
		assert_int_equal(pipe(ready) | pipe(go), 0);
		pid = fork();
		if (!pid) {
			for (int j = 0; j < PAGES; j++)
				before[j] = *word(&m, j);
			if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
				_exit(2);
			for (int j = 0; j < PAGES; j++)
				if (before[j] != *word(&m, j))
					_exit(1);
			memset(m.arena, 0xff, SIZE);
			_exit(ioctl(m.g.vm, KVM_CHECK_EXTENSION, 3) < 0 && errno == EIO ? 0 : 3);
		}
		assert_int_equal(read(ready[0], &byte, 1), 1);
		wait_rounds(&m, 3);
		assert_int_equal(write(go[1], &byte, 1), 1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		close(ready[0]), close(ready[1]), close(go[0]), close(go[1]);
		check_rounds(&m);
	}
	end(&m);
	(void)state;
}

/* -------------------------------------------------------- what the kernel moves */

static long get(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
	return atol(text);
}

static void skip_unless(bool possible, const char *why)
{
	if (possible)
		return;
	print_message("%s\n", why);
	skip();
}

#define KSM "/sys/kernel/mm/ksm/"

static void equal_pages_are_merged_and_a_write_of_the_guest_parts_them(void **state)
{
	struct machine m;

	skip_unless(put_text(KSM "sleep_millisecs", "0") && put_text(KSM "pages_to_scan", "1000") &&
		    put_text(KSM "run", "1"), "no KSM here, or not root");
	/* from 6.7 on it skips some scans of a page that has not been merged lately: equal ones may never be in the same scan */
	put_text(KSM "smart_scan", "0");
	start(&m, reader, sizeof(reader) - 1, -1);
	for (uint32_t i = 1; i <= 5; i++) {
		/* the probe's page and the last two are the same; the guest only writes the second */
		memset(m.arena, i, 4096);
		memset(m.arena + SIZE - 8192, i, 8192);
		assert_int_equal(madvise(m.arena, SIZE, MADV_MERGEABLE), 0);
		while (get(KSM "pages_sharing") < 2)
			guest_thread_pause(&m.t);
		wait_seen(&m, i * 0x01010101);
		probe(&m) = 0;
		wait_seen(&m, 0);
		assert_int_equal(*word(&m, PAGES - 1), i * 0x01010101);
		assert_int_equal(*word(&m, PAGES - 2), i * 0x01010101);
		assert_int_equal(madvise(m.arena, SIZE, MADV_UNMERGEABLE), 0);
	}
	end(&m);

	/* pages that the guest writes, merged again and again as they become equal */
	start(&m, writer, sizeof(writer) - 1, -1);
	assert_int_equal(madvise(m.arena, SIZE, MADV_MERGEABLE), 0);
	for (int i = 0; i < 5; i++) {
		long scans = get(KSM "full_scans");

		while (get(KSM "full_scans") < scans + 3)
			guest_thread_pause(&m.t);
		check_rounds(&m);
	}
	end(&m);
	put_text(KSM "run", "2");
	(void)state;
}

/* A RAM disk becomes swap space: a signature page is all that mkswap would write. */
static bool swap_on(void)
{
	struct { char boot[1024]; uint32_t version, last_page, bad; } head = { .version = 1 };
	int fd;

	if (system("modprobe brd rd_nr=1 rd_size=32768 2> /dev/null"))
		return false;
	fd = open("/dev/ram0", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	head.last_page = lseek(fd, 0, SEEK_END) / 4096 - 1;
	if (pwrite(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    pwrite(fd, "SWAPSPACE2", 10, 4086) != 10) {
		close(fd);
		return false;
	}
	close(fd);
	return !swapon("/dev/ram0", 0);
}

/* Older kernels leave what was used since it was last asked; returns the KiB that went. */
static long page_out(struct machine *m)
{
	assert_int_equal(madvise(m->arena, SIZE, MADV_PAGEOUT), 0);
	assert_int_equal(madvise(m->arena, SIZE, MADV_PAGEOUT), 0);
	return smaps(m, "Swap");
}

static void pages_swapped_out_come_back_and_no_write_is_lost(void **state)
{
	long swapped = 0;
	struct machine m;

	skip_unless(swap_on(), "no swap space can be had here (brd, root)");
	start(&m, writer, sizeof(writer) - 1, -1);
	for (int i = 0; i < 20; i++) {
		wait_rounds(&m, 2);
		swapped += page_out(&m);
		check_rounds(&m);
	}
	/* while the guest stands still, all goes out, and all comes back to it */
	assert_int_equal(guest_thread_stop(&m.t), 0);
	swapped += page_out(&m);
	guest_thread_start(&m.t, &m.g);
	wait_rounds(&m, 2);
	check_rounds(&m);
	assert_true(swapped > 0);
	end(&m);
	assert_int_equal(swapoff("/dev/ram0"), 0);
	(void)state;
}

/* 1: mov (%rdi), %eax; add $4096, %rdi; loop 1b; hlt; and the same with incl (%rdi) */
static const char toucher[] = "\x8b\x07\x48\x81\xc7\x00\x10\x00\x00\xe2\xf5\xf4"
			      "\xff\x07\x48\x81\xc7\x00\x10\x00\x00\xe2\xf5\xf4";
#define BUMPER	(GUEST_CODE + sizeof(toucher) / 2)

static void go_through(struct machine *m, uint64_t code, int pages)
{
	struct kvm_regs regs = { .rip = code, .rdi = ARENA, .rcx = pages, .rflags = 2 };

	guest_set_regs(&m->g, &regs);
	assert_int_equal(guest_run(&m->g), KVM_EXIT_HLT);
}

/* The guest reads a word of each of the first pages, in the thread that calls. */
static void touch(struct machine *m, int pages)
{
	go_through(m, GUEST_CODE, pages);
}

/* How many of the arena's pages from one on are in swap space. */
static int swapped_pages(struct machine *m, int from, int n)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), swapped = 0;
	uint64_t entries[PAGES];

	assert_int_equal(pread(fd, entries, n * 8, ((uintptr_t)m->arena / 4096 + from) * 8), n * 8);
	for (int i = 0; i < n; i++)
		swapped += entries[i] >> 62 & 1;
	close(fd);
	return swapped;
}

/* A group whose memory can be taken from it bit by bit, and the one that this process was in. */
#define GROUPS	"/run/test_memory.groups"
#define GROUP	GROUPS "/test_memory"
static char group_before[4096] = GROUPS;

static bool enter_group(void)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[2048];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "0::", 3))
			snprintf(group_before, sizeof(group_before), GROUPS "%.*s",
				 (int)strcspn(line + 3, "\n"), line + 3);
	if (f)
		fclose(f);
	strcat(group_before, "/cgroup.procs");
	return !mkdir(GROUPS, 0700) && !mount("none", GROUPS, "cgroup2", 0, NULL) &&
	       put_text(GROUPS "/cgroup.subtree_control", "+memory") && !mkdir(GROUP, 0700) &&
	       !access(GROUP "/memory.reclaim", W_OK) && put_text(GROUP "/cgroup.procs", "0");
}

static void leave_group(void)
{
	put_text(group_before, "0");
	rmdir(GROUP);
	umount2(GROUPS, MNT_DETACH);
	rmdir(GROUPS);
}

static void pages_that_only_the_guest_uses_are_not_taken_for_idle(void **state)
{
	int used_out = 0, idle_out = 0;
	struct machine m;

	if (!enter_group()) {
		leave_group();
		skip_unless(false, "no group to take memory from (root, cgroup2, memory.reclaim)");
	}
	if (!swap_on()) {
		leave_group();
		skip_unless(false, "no swap space can be had here (brd, root)");
	}
	prepare(&m, toucher, sizeof(toucher) - 1, -1);
	assert_int_equal(madvise(m.arena, SIZE, MADV_NOHUGEPAGE), 0);
	memset(m.arena, 1, SIZE);
	touch(&m, PAGES);
	for (int i = 0; i < 200 && idle_out < PAGES / 4; i++) {
		touch(&m, PAGES / 2);
		/* it may not find as much as that at once */
		put_text(GROUP "/memory.reclaim", "64K");
		/* at first all are as new, and any is as good as another */
		used_out += i ? swapped_pages(&m, 0, PAGES / 2) : 0;
		idle_out = swapped_pages(&m, PAGES / 2, PAGES / 2);
	}
	guest_end(&m.g);
	munmap(m.arena, SIZE);
	leave_group();
	assert_int_equal(swapoff("/dev/ram0"), 0);
	if (idle_out < PAGES / 4 || used_out > idle_out / 2)
		fail_msg("of %d pages that are used %d were taken, %d of as many that are not",
			 PAGES / 2, used_out, idle_out);
	(void)state;
}

/* Nested page faults of the vCPU so far. */
static uint64_t faults(struct machine *m)
{
	int fd = ioctl(m->g.vcpu, KVM_GET_STATS_FD, 0);
	struct kvm_stats_header header;
	uint64_t value = 0;
	size_t size;
	char *all;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	size = sizeof(struct kvm_stats_desc) + header.name_size;
	all = malloc(size * header.num_desc);
	assert_int_equal(pread(fd, all, size * header.num_desc, header.desc_offset), size * header.num_desc);
	for (uint32_t i = 0; i < header.num_desc; i++) {
		const struct kvm_stats_desc *desc = (struct kvm_stats_desc *)(all + i * size);

		if (!strcmp(desc->name, "pf_taken"))
			assert_int_equal(pread(fd, &value, 8, header.data_offset + desc->offset), 8);
	}
	assert_true(value > 0);
	free(all);
	close(fd);
	return value;
}

/* Memory by pages of 4 KiB, all of which the process has written. */
static void prepare_pages(struct machine *m)
{
	prepare(m, toucher, sizeof(toucher) - 1, -1);
	assert_int_equal(madvise(m->arena, SIZE, MADV_NOHUGEPAGE), 0);
	memset(m->arena, 1, SIZE);
	/* the guest's code and tables */
	touch(m, 1);
}

static void a_fault_maps_what_the_process_has_around_it(void **state)
{
	struct machine m;
	uint64_t before;

	prepare_pages(&m);
	before = faults(&m);
	touch(&m, PAGES);
	assert_in_range(faults(&m) - before, 1, PAGES / 16);
	/* it has written them, so the guest may */
	before = faults(&m);
	go_through(&m, BUMPER, PAGES);
	assert_int_equal(faults(&m) - before, 0);
	guest_end(&m.g);
	munmap(m.arena, SIZE);
	(void)state;
}

static void a_fault_makes_no_page_but_its_own(void **state)
{
	unsigned char resident[PAGES];
	struct machine m;

	prepare_pages(&m);
	assert_int_equal(madvise(m.arena, SIZE, MADV_DONTNEED), 0);
	m.arena[3 * 4096] = 1;
	touch(&m, 1);
	assert_int_equal(mincore(m.arena, SIZE, resident), 0);
	for (int i = 0; i < PAGES; i++)
		assert_int_equal(resident[i] & 1, i == 0 || i == 3);
	guest_end(&m.g);
	munmap(m.arena, SIZE);
	(void)state;
}

static void what_came_with_a_fault_is_copied_before_it_is_written(void **state)
{
	struct machine m;
	int ready[2], status;
	char byte;
	pid_t child;

	prepare_pages(&m);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		close(ready[1]);
		while (read(ready[0], &byte, 1) > 0)
			;
		for (int i = 0; i < PAGES; i++)
			if (*word(&m, i) != 0x01010101)
				_exit(1);
		_exit(0);
	}
	close(ready[0]);
	/* for reading, each with those around it; then written, the others' first word left alone */
	touch(&m, PAGES);
	go_through(&m, BUMPER, PAGES / 2);
	for (int i = 0; i < PAGES; i++)
		assert_int_equal(*word(&m, i), 0x01010101 + (i < PAGES / 2));
	close(ready[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	guest_end(&m.g);
	munmap(m.arena, SIZE);
	(void)state;
}

static void pages_that_compaction_moves_lose_no_write(void **state)
{
	struct machine m;

	start(&m, writer, sizeof(writer) - 1, -1);
	for (int i = 0; i < 5; i++) {
		wait_rounds(&m, 2);
		if (!put_text("/proc/sys/vm/compact_memory", "1")) {
			end(&m);
			skip_unless(false, "memory cannot be compacted here: not root?");
		}
		check_rounds(&m);
	}
	end(&m);
	(void)state;
}

#define TEST(name) cmocka_unit_test(name)

/* An argument is a pattern of names of tests. */
int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(memory_that_is_unmapped_is_efault_until_there_is_new),
		TEST(memory_that_may_not_be_read_is_efault),
		TEST(what_madvise_drops_the_guest_reads_as_zero),
		TEST(memory_that_mremap_moves_is_efault_where_it_was),
		TEST(a_file_that_is_truncated_is_efault_and_zero_when_it_grows),
		TEST(a_hole_in_a_file_reads_as_zero_and_a_write_to_the_file_is_seen),
		TEST(huge_pages_form_and_split_and_no_write_is_lost),
		TEST(a_child_keeps_its_copy_of_a_huge_page),
		TEST(equal_pages_are_merged_and_a_write_of_the_guest_parts_them),
		TEST(pages_swapped_out_come_back_and_no_write_is_lost),
		TEST(pages_that_only_the_guest_uses_are_not_taken_for_idle),
		TEST(a_fault_maps_what_the_process_has_around_it),
		TEST(a_fault_makes_no_page_but_its_own),
		TEST(what_came_with_a_fault_is_copied_before_it_is_written),
		TEST(pages_that_compaction_moves_lose_no_write),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
