/* SPDX-License-Identifier: GPL-2.0-only */
/* A new program's stack, as Linux lays it out (fs/binfmt_elf.c, create_elf_tables). */
#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "cpu.h"
#include "elf_image.h"
#include "load.h"
#include "msg.h"
#include "options.h"
#include "vm.h"

#define ARGS_MAX	(6ull << 20)	/* execve(2): strings and pointers together */
#define STRING_MAX	(128ull << 10)	/* one of them, with its NUL */
#define AUXV_MAX	32		/* entries */
#define SLACK		(4 * ABI_PAGE)	/* below RSP, mapped before the program's first push */
#define EXPANDED	(128ull << 10)	/* of address space below RSP that Linux starts with */
#define HWCAP2_FSGSBASE	2u
#define PLATFORM	"x86_64"

struct strings {
	uint64_t count, bytes;
};

static struct strings measure(struct loader *l, char **list)
{
	struct strings s = { 0 };

	for (; list[s.count]; s.count++) {
		uint64_t len = strlen(list[s.count]) + 1;

		if (len > STRING_MAX)
			die(KVMRUN_NOEXEC, "%s: cannot be run: argument list too long: one string has "
			    "%llu bytes, at most %llu are possible", l->vm->program,
			    (unsigned long long)len, STRING_MAX);
		s.bytes += len;
	}
	return s;
}

/* Bytes between RSP and the stack's top, at most. */
static uint64_t content_size(struct loader *l)
{
	const struct config *c = l->vm->config;
	struct strings argv = measure(l, c->argv), env = measure(l, c->env);
	uint64_t n = argv.bytes + env.bytes + 8 * (argv.count + env.count + 3);

	if (n > ARGS_MAX)
		die(KVMRUN_NOEXEC, "%s: cannot be run: argument list too long: arguments and "
		    "environment have %llu bytes, at most %llu are possible", l->vm->program,
		    (unsigned long long)n, ARGS_MAX);
	return n + strlen(l->vm->program) + 1 + AUXV_MAX * 16 + 128;
}

uint64_t stack_size(struct loader *l)
{
	return ((content_size(l) + ABI_PAGE - 1) & -ABI_PAGE) + EXPANDED;
}

/* The stack while it is written: guest address at, host address of the stack's top minus distance. */
struct stack {
	gva_t top;
	uint8_t *host_top;
	gva_t at;
};

static void *host_of(struct stack *s, gva_t va)
{
	return s->host_top - (s->top - va);
}

static gva_t push(struct stack *s, const void *data, size_t len)
{
	s->at -= len;
	memcpy(host_of(s, s->at), data, len);
	return s->at;
}

/* The strings of a list, the first lowest; where each is goes to *pointers, which moves on. */
static void push_strings(struct stack *s, char **list, uint64_t count)
{
	for (uint64_t i = count; i-- > 0;)
		push(s, list[i], strlen(list[i]) + 1);
}

static void put_pointers(uint64_t **out, gva_t first, char **list, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		*(*out)++ = first;
		first += strlen(list[i]) + 1;
	}
	*(*out)++ = 0;
}

void stack_build(struct loader *l, const struct elf_image *elf)
{
	const struct config *c = l->vm->config;
	uint64_t size = stack_size(l) - EXPANDED + SLACK, argc = measure(l, c->argv).count, envc = measure(l, c->env).count;
	struct stack s = { .top = l->stack_top, .at = l->stack_top };
	uint8_t random[16];
	uint64_t *out;
	gpa_t gpa;

	s.host_top = (uint8_t *)load_alloc(l, size, &gpa) + size;
	for (uint64_t at = 0; at < size; at += ABI_PAGE)
		pt_map(l, s.top - size + at, gpa + at, PROT_READ | PROT_WRITE, ABI_PAGE);
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		die(KVMRUN_FAILED, "cannot get random numbers: %m");

	push(&s, "\0\0\0\0\0\0\0", 8);
	gva_t execfn = push(&s, l->vm->program, strlen(l->vm->program) + 1);
	push_strings(&s, c->env, envc);
	gva_t env = s.at;
	push_strings(&s, c->argv, argc);
	gva_t argv = s.at;
	s.at &= -16ull;
	gva_t platform = push(&s, PLATFORM, sizeof(PLATFORM));
	gva_t random_at = push(&s, random, sizeof(random));

	l->vm->args = gpa + size - (s.top - argv);
	l->vm->args_len = env - argv;
	l->vm->env = gpa + size - (s.top - env);
	l->vm->env_len = execfn - env;

	const uint64_t aux[][2] = {
		{ AT_SYSINFO_EHDR, l->vdso },
		{ AT_HWCAP, cpu_leaf(l->vm, 1, 3) },
		{ AT_PAGESZ, ABI_PAGE },
		{ AT_CLKTCK, 100 },
		{ AT_PHDR, elf->phdr ? elf->phdr + l->bias : 0 },
		{ AT_PHENT, elf->phentsize },
		{ AT_PHNUM, elf->phnum },
		{ AT_BASE, l->interp_bias },
		{ AT_FLAGS, 0 },
		{ AT_ENTRY, elf->entry + l->bias },
		{ AT_UID, l->vm->uid },
		{ AT_EUID, l->vm->uid },
		{ AT_GID, l->vm->gid },
		{ AT_EGID, l->vm->gid },
		{ AT_SECURE, 0 },
		{ AT_RANDOM, random_at },
		{ AT_HWCAP2, l->vm->boot_flags & ABI_BOOT_FSGSBASE ? HWCAP2_FSGSBASE : 0 },
		{ AT_EXECFN, execfn },
		{ AT_PLATFORM, platform },
		/* what a signal frame takes: the XSAVE area, 936 bytes beside it, aligned */
		{ AT_MINSIGSTKSZ, (l->vm->xsave_size + 936 + 15) & -16ull },
		{ AT_NULL, 0 },
	};
	_Static_assert(sizeof(aux) <= AUXV_MAX * 16, "auxv");

	/* RSP, at argc, is a multiple of 16 (psABI 3.4.1) */
	s.at = (s.at - sizeof(aux) - 8 * (argc + envc + 3)) & -16ull;
	l->boot->rsp = s.at;
	out = host_of(&s, s.at);
	*out++ = argc;
	put_pointers(&out, argv, c->argv, argc);
	put_pointers(&out, env, c->env, envc);
	memcpy(out, aux, sizeof(aux));
	l->vm->stack = s.at;
	l->vm->auxv = gpa + size - ((uint8_t *)s.host_top - (uint8_t *)out);
	l->vm->auxv_len = sizeof(aux);
	load_map(l, s.top - stack_size(l), s.top, PROT_READ | PROT_WRITE, ABI_MAP_GROWSDOWN);
}
