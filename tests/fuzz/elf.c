/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mutated programs to elf_parse(), whose promises (elf_image.h) hold for all that it takes, and
 * some of these to load(). In one generation of four another thread changes the file meanwhile.
 */
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "../../runner/elf_image.h"
#include "../../runner/load.h"
#include "../../runner/options.h"
#include "../../runner/vm.h"

#define CASES	20000	/* in a generation */
#define HEAD	4096	/* bytes of the file that are mutated */
#define RAM	(64ull << 20)

static const char *const programs[] = {
	"build/guest/hello", "build/guest/hello-pie", "build/guest/hello-musl", "build/fuzz/elf",
};

#define EHDR(field) { #field, offsetof(Elf64_Ehdr, field), sizeof(((Elf64_Ehdr *)0)->field), false }
#define PHDR(field) { #field, offsetof(Elf64_Phdr, field), sizeof(((Elf64_Phdr *)0)->field), true }
static const struct field {
	const char *name;
	uint32_t offset, size;
	bool program;		/* a program header's */
} fields[] = {
	EHDR(e_ident), EHDR(e_type), EHDR(e_machine), EHDR(e_version), EHDR(e_entry), EHDR(e_phoff), EHDR(e_flags), EHDR(e_ehsize),
	EHDR(e_phentsize), EHDR(e_phnum), EHDR(e_shoff), EHDR(e_shnum),
	PHDR(p_type), PHDR(p_flags), PHDR(p_offset), PHDR(p_vaddr), PHDR(p_paddr), PHDR(p_filesz), PHDR(p_memsz), PHDR(p_align),
};

static char **corpus;
static uint32_t seeds;
static uint8_t base[HEAD], head[HEAD];
static off_t size, whole_size;
static int fd;

/* ------------------------------------------------------------- a case */

static void set(const struct field *f, uint32_t index, uint64_t value)
{
	uint32_t at = f->offset + (f->program ? sizeof(Elf64_Ehdr) + index * sizeof(Elf64_Phdr) : 0);

	memcpy(head + at, &value, f->size < 8 ? f->size : 8);
}

/* A line of the corpus: NAME=VALUE, NAME.INDEX=VALUE ..., hexadecimal. */
static void by_corpus(const char *line)
{
	char name[32];
	unsigned int index;
	unsigned long value;
	int used;

	for (; *line; line += used, line += strspn(line, " ")) {
		size_t i = 0;

		index = 0;
		if (sscanf(line, "%31[a-z_].%u=%lx%n", name, &index, &value, &used) != 3 &&
		    sscanf(line, "%31[a-z_]=%lx%n", name, &value, &used) != 2)
			found("corpus: %s", line);
		while (i < COUNT(fields) && strcmp(fields[i].name, name))
			i++;
		if (i == COUNT(fields) || index > 40)
			found("corpus: no field %s.%u", name, index);
		set(&fields[i], index, value);
	}
}

static uint64_t any_value(void)
{
	switch (below(7)) {
	case 0:
		return noise();
	case 1:
		return 1ull << below(64);
	case 2:
		return (1ull << below(64)) - 1;
	case 3:
		return size - 64 + below(128);
	case 4:
		return ELF_MAX_ADDR - 4096 + below(8192);
	case 5:
		return (uint64_t)below(0x800) << 12;
	default:
		return below(16);
	}
}

static void mutate(void)
{
	uint32_t phnum = ((Elf64_Ehdr *)base)->e_phnum, n = 1 + below(4);
	const struct field *f;

	memcpy(head, base, HEAD);
	if (below(2))
		by_corpus(corpus[below(seeds)]);
	while (n--)
		switch (below(5)) {
		case 0:
			head[below(sizeof(Elf64_Ehdr) + phnum * sizeof(Elf64_Phdr))] = noise();
			break;
		case 1:
			head[below(HEAD)] ^= 1u << below(8);
			break;
		case 2:
			memmove(head + sizeof(Elf64_Ehdr) + below(phnum) * sizeof(Elf64_Phdr),
				head + sizeof(Elf64_Ehdr) + below(phnum) * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
			break;
		default:
			f = &fields[below(COUNT(fields))];
			set(f, below(phnum), any_value());
		}
}

/* What elf_image.h promises. */
static void check_promises(const struct elf_image *image)
{
	uint64_t end = 0;
	bool entry = false, good;

	good = image->nseg >= 1 && image->nseg <= ELF_MAX_PHDRS && image->align >= 4096 &&
	       !(image->align & (image->align - 1)) && memchr(image->interp, 0, sizeof(image->interp));
	for (size_t i = 0; good && i < image->nseg; i++) {
		const struct elf_segment *s = &image->seg[i];

		good = s->vaddr >= end && s->vaddr < ELF_MAX_ADDR && s->memsz && s->memsz <= ELF_MAX_ADDR - s->vaddr &&
		       s->filesz <= s->memsz && (s->prot & (PROT_WRITE | PROT_EXEC)) != (PROT_WRITE | PROT_EXEC);
		if (s->filesz)
			good &= s->offset < (uint64_t)size && s->filesz <= size - s->offset && s->offset % 4096 == s->vaddr % 4096;
		end = s->vaddr + s->memsz;
		entry |= s->prot & PROT_EXEC && image->entry >= s->vaddr && image->entry < end;
	}
	if (!good || !entry || image->lo % 4096 || image->hi % 4096 || image->lo > image->seg[0].vaddr || image->hi < end ||
	    (!image->pie && image->lo < ELF_MIN_ADDR))
		found("an image that breaks a promise was taken");
}

/* In a process of its own, as it may end it: by a line and 125 or 126. */
static void try_load(const struct elf_image *image)
{
	static char *none[] = { NULL };
	static struct config config = { .mem_bytes = RAM, .argv = none, .env = none };
	static struct vm vm = { .config = &config, .program = "program", .ram_size = RAM, .mem_limit = RAM };
	static struct program program;
	int status, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		program.fd = fd;
		program.elf = *image;
		program.interp_fd = -1;
		vm.ram_ready = RAM;
		vm.ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		/* its one line; findings come by the status */
		freopen("/dev/null", "w", stderr);
		load(&vm, &program);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) && WEXITSTATUS(status) != 125 && WEXITSTATUS(status) != 126))
		found("load() ends with status %#x", status);
	fuzz_totals->by[1]++;
}

/* ------------------------------------------------------------- a generation */

static atomic_bool changing;

static void *change(void *arg)
{
	uint64_t n = 1;

	while (changing) {
		uint8_t byte;

		n = n * 0xd1342543de82ef95 + 1;
		byte = n >> 56;
		if (pwrite(fd, &byte, 1, n >> 32 & 511) < 0)
			break;
	}
	return arg;
}

static void open_program(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	fd = memfd_create("program", MFD_CLOEXEC);
	if (from < 0 || fd < 0 || pread(from, base, HEAD, 0) != HEAD)
		found("%s: %m", path);
	while ((n = sendfile(fd, from, NULL, 1 << 30)) > 0)
		;
	whole_size = lseek(fd, 0, SEEK_END);
	close(from);
}

static void programs_one(void)
{
	static struct elf_image image;
	bool raced = below(4) == 0;
	pthread_t thread;
	char why[512];

	open_program(programs[below(COUNT(programs))]);
	changing = raced;
	if (raced && pthread_create(&thread, NULL, change, NULL))
		found("no thread");
	for (uint32_t i = 0; i < CASES; i++) {
		int err;

		/* what was cut off reads as zero from then on */
		size = whole_size;
		mutate();
		/* at times it ends early, or between two headers */
		if (ftruncate(fd, size) || pwrite(fd, head, HEAD, 0) != HEAD ||
		    (below(50) == 0 && ftruncate(fd, below(4) ? below(HEAD) : below(size))))
			found("the file cannot be written");
		size = lseek(fd, 0, SEEK_END);
		err = elf_parse(fd, &image, why, sizeof(why));
		fuzz_case();
		if (!err) {
			fuzz_totals->good++;
			if (!raced)
				check_promises(&image);
			if (below(200) == 0)
				try_load(&image);
		} else {
			fuzz_totals->refused++;
			for (const char *s = why; *s; s++)
				if (*s < ' ' || *s > '~')
					found("the reason has a byte %#x", (unsigned char)*s);
			if (!*why)
				found("there is no reason");
		}
	}
	changing = false;
	if (raced)
		pthread_join(thread, NULL);
}

static bool whole(void)
{
	printf("# %llu programs were loaded\n", (unsigned long long)fuzz_totals->by[1]);
	return fuzz_totals->good > fuzz_totals->cases / 100 && fuzz_totals->refused > fuzz_totals->cases / 10 && fuzz_totals->by[1];
}

int main(int argc, char **argv)
{
	corpus = fuzz_corpus("tests/fuzz/corpus/elf");
	while (corpus[seeds])
		seeds++;
	return fuzz(argc, argv, programs_one, whole);
}
