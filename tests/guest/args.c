/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program is started with: args MODE [ARG...].
 *
 *	argv	each argument, ended by a NUL
 *	env	each variable, ended by a NUL
 *	exit N	exit(N)
 *	auxv	the auxiliary vector, a line each; what it points at, checked
 *	where	addresses of the stack, heap, mappings, vDSO and program
 *	fork	calls for what processes share and paths outside all grants, each twice
 *	memory SIZE	malloc(SIZE), use all of it
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
extern const char __ehdr_start[];

static void put_strings(char **list)
{
	for (; *list; list++)
		fwrite(*list, 1, strlen(*list) + 1, stdout);
}

static Elf64_auxv_t *find_auxv(void)
{
	char **p = environ;

	while (*p++)
		;
	return (Elf64_auxv_t *)p;
}

#define NAME(n) [n] = #n
static const char *const names[] = {
	NAME(AT_NULL), NAME(AT_PHDR), NAME(AT_PHENT), NAME(AT_PHNUM), NAME(AT_PAGESZ), NAME(AT_BASE),
	NAME(AT_FLAGS), NAME(AT_ENTRY), NAME(AT_UID), NAME(AT_EUID), NAME(AT_GID), NAME(AT_EGID),
	NAME(AT_PLATFORM), NAME(AT_HWCAP), NAME(AT_CLKTCK), NAME(AT_SECURE), NAME(AT_RANDOM),
	NAME(AT_HWCAP2), NAME(AT_EXECFN), NAME(AT_SYSINFO_EHDR), NAME(AT_MINSIGSTKSZ),
};

static void put_auxv(void)
{
	unsigned char *random = (unsigned char *)getauxval(AT_RANDOM);

	for (Elf64_auxv_t *a = find_auxv();; a++) {
		uint64_t type = a->a_type;
		const char *name = type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;

		if (type == 51)
			name = "AT_MINSIGSTKSZ";
		printf("%s", name ? name : "?");
		if (type == AT_EXECFN || type == AT_PLATFORM)
			printf(" %s\n", (char *)a->a_un.a_val);
		else if (type != AT_RANDOM && type != AT_SYSINFO_EHDR && type != AT_MINSIGSTKSZ)
			printf(" %#lx\n", a->a_un.a_val);
		else
			putchar('\n');
		if (type == AT_NULL)
			break;
	}
	printf("random ");
	for (int i = 0; i < 16; i++)
		printf("%02x", random[i]);
	putchar('\n');
}

/* The Elf64_Sym of a name in the vDSO, by its dynamic section, or NULL. */
static const Elf64_Sym *vdso_symbol(const char *vdso, const char *name)
{
	const Elf64_Ehdr *eh = (const void *)vdso;
	const Elf64_Phdr *ph = (const void *)(vdso + eh->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *sym = NULL;
	const char *strings = NULL;
	const uint32_t *hash = NULL;

	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(vdso + ph[i].p_offset);
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			sym = (const void *)(vdso + dyn->d_un.d_ptr);
		else if (dyn->d_tag == DT_STRTAB)
			strings = vdso + dyn->d_un.d_ptr;
		else if (dyn->d_tag == DT_HASH)
			hash = (const void *)(vdso + dyn->d_un.d_ptr);
	}
	for (uint32_t i = 1; sym && strings && hash && i < hash[1]; i++)
		if (!strcmp(strings + sym[i].st_name, name))
			return &sym[i];
	return NULL;
}

static void check_vdso(void)
{
	static const char *const wanted[] = {
		"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time", "__vdso_getcpu",
		"__vdso_clock_getres",
	};
	const char *vdso = (const char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *eh = (const void *)vdso;
	int (*get)(clockid_t, struct timespec *);
	const Elf64_Sym *sym = NULL;
	struct timespec a, b, c;

	printf("vdso %s %s %s %s\n", memcmp(vdso, ELFMAG, SELFMAG) ? "not ELF" : "ELF",
	       eh->e_type == ET_DYN ? "DYN" : "?", eh->e_machine == EM_X86_64 ? "x86-64" : "?",
	       (uintptr_t)vdso % 4096 ? "misplaced" : "aligned");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (vdso_symbol(vdso, wanted[i]))
			printf("vdso %s\n", wanted[i]);
	sym = vdso_symbol(vdso, wanted[0]);
	if (!sym)
		return;
	get = (void *)(vdso + sym->st_value);
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &a);
	printf("vdso clock_gettime %d\n", get(CLOCK_MONOTONIC, &b));
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &c);
#define NS(t) ((t).tv_sec * 1000000000ll + (t).tv_nsec)
	/* two sources of one clock: a millisecond apart at most */
	printf("vdso time %s\n", NS(b) >= NS(a) - 1000000 && NS(b) <= NS(c) + 1000000 ? "fits" : "off");
}

static void check_auxv(void)
{
	const Elf64_Ehdr *eh = (const void *)__ehdr_start;
	unsigned int a = 1, b, c = 0, d;
	uint64_t hwcap = 0;

	/* getauxval() gives glibc's own idea of it */
	for (Elf64_auxv_t *p = find_auxv(); p->a_type != AT_NULL; p++)
		if (p->a_type == AT_HWCAP)
			hwcap = p->a_un.a_val;
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	printf("phdr %s\n", getauxval(AT_PHDR) == (uintptr_t)__ehdr_start + eh->e_phoff ? "right" : "wrong");
	printf("phnum %s\n", getauxval(AT_PHNUM) == eh->e_phnum ? "right" : "wrong");
	printf("entry %s\n", eh->e_type == ET_DYN ? getauxval(AT_ENTRY) == eh->e_entry + (uintptr_t)__ehdr_start ?
	       "right" : "wrong" : getauxval(AT_ENTRY) == eh->e_entry ? "right" : "wrong");
	/* FPU TSC CX8 CMOV FXSR SSE SSE2: every x86-64 CPU has these */
	printf("hwcap %s\n", (hwcap & 0x7008111) == 0x7008111 && !(hwcap & ~(uint64_t)d) ? "right" : "wrong");
	if (getauxval(AT_HWCAP2) & 2) {
		unsigned long base, other;

		asm volatile("rdfsbase %0" : "=r"(base));
		syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &other);
		printf("fsgsbase %s\n", base == other ? "works" : "broken");
	} else {
		printf("fsgsbase works\n");	/* nothing promised, nothing broken */
	}
	printf("stack %s\n", getauxval(AT_MINSIGSTKSZ) >= 1024 ? "some" : "none");
	check_vdso();
}

static void put_where(void)
{
	int local;

	printf("stack %p\n", (void *)&local);
	printf("heap %p\n", sbrk(0));
	printf("mmap %p\n", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	printf("vdso %#lx\n", getauxval(AT_SYSINFO_EHDR));
	printf("program %p\n", (const void *)__ehdr_start);
}

static void put_result(const char *what, long ret)
{
	printf("%s: %s\n", what, ret < 0 ? strerrorname_np(errno) : "works");
}

static void try_forbidden(void)
{
	struct sockaddr_in web = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};

	for (int i = 0; i < 2; i++) {
		put_result("clone", syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0));
		put_result("userfaultfd", syscall(SYS_userfaultfd, 0));
		put_result("clone3", syscall(SYS_clone3, (uint64_t [8]){ CLONE_FS, [4] = SIGCHLD }, 64));
		put_result("open", open("/etc/passwd", O_RDONLY));
		put_result("create", open("/etc/kvmrun-new", O_WRONLY | O_CREAT, 0600));
		put_result("maps", open("/proc/kcore", O_RDONLY));
		close(3);
		socket(AF_INET, SOCK_STREAM, 0);
		put_result("connect", connect(3, (struct sockaddr *)&web, sizeof(web)));
		put_result("execve", execl("/bin/busybox", "busybox", "true", NULL));
		put_result("mount", syscall(SYS_mount, "a", "b", "c", 0, NULL));
	}
	/* another process's causes are no others */
	for (int i = 0; i < 2; i++)
		if (fork() == 0) {
			open("/etc/passwd", O_RDONLY);
			open("/etc/of-a-child", O_RDONLY);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
}

static int use_memory(size_t size)
{
	volatile char *p = malloc(size);

	if (!p) {
		puts("ENOMEM");
		return 1;
	}
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	puts("used");
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "argv")) {
		put_strings(argv);
	} else if (!strcmp(mode, "env")) {
		put_strings(environ);
	} else if (!strcmp(mode, "exit")) {
		exit(atoi(argv[2]));
	} else if (!strcmp(mode, "auxv")) {
		put_auxv();
		check_auxv();
	} else if (!strcmp(mode, "where")) {
		put_where();
	} else if (!strcmp(mode, "fork")) {
		try_forbidden();
	} else if (!strcmp(mode, "memory")) {
		return use_memory(strtoul(argv[2], NULL, 0));
	} else {
		return 99;
	}
	return 0;
}
