/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "elf_image.h"
#include "clock.h"
#include "end.h"
#include "exec.h"
#include "fdtable.h"
#include "interrupt.h"
#include "limit.h"
#include "load.h"
#include "msg.h"
#include "options.h"
#include "path.h"
#include "policy.h"
#include "proc_ask.h"
#include "process.h"
#include "reopen.h"
#include "rlimit.h"
#include "signalfd.h"
#include "stats.h"
#include "sys.h"
#include "thread.h"
#include "trace.h"
#include "vcpu.h"
#include "vm.h"

#define SCRIPT_LINE	256	/* as Linux reads, fs/binfmt_script.c */
#define SCRIPTS		5	/* interpreters of interpreters */

static struct file *running;	/* what runs; its descriptor is the next one: */
static int program_fd = -1;
static bool wanted;

/* What is to be executed. The lists end with NULL; their strings are in text, but for those of scripts. */
static struct {
	struct program program;
	char path[PATH_MAX];
	char *exe;		/* the path of the program itself, as /proc has it */
	char *text;
	char **list, **env;	/* with room before the arguments */
	char **argv;		/* where they begin */
	uint64_t argc;
	const struct abi_frame *frame;	/* of the thread that asked */
	uint64_t ignored, blocked;
	struct abi_pending pending;
} next;

/* The program that runs from now on: takes over both. */
static void set_running(int fd, char *path)
{
	struct file *file = file_new(fd, S_IFREG, NULL, path);

	if (!file)
		die(KVMRUN_FAILED, "no memory for a program's name");
	file_put(running);
	running = file;
	program_fd = fd;
}

void exec_init(int fd, const char *path)
{
	char *name = realpath(path, NULL);

	set_running(fd, name ? name : strdup(path));
}

struct file *exec_file(void)
{
	return running ? file_get(running) : NULL;
}

size_t exec_path(char *to, size_t room)
{
	const char *path = running && running->path ? running->path : "";
	size_t n = strlen(path);

	n = n < room ? n : room - 1;
	memcpy(to, path, n);
	to[n] = '\0';
	return n;
}

bool exec_wanted(void)
{
	return __atomic_load_n(&wanted, __ATOMIC_SEQ_CST);
}

static void forget(void)
{
	free(next.text);
	free(next.list);
	free(next.env);
	free(next.exe);
	next.text = next.exe = NULL;
	next.list = next.env = NULL;
}

/* ------------------------------------------------------------------------- the strings */

/* The frame's segments in one piece, with a NUL behind them; NULL: out of memory, or not guest memory. */
static char *collect(struct vm *vm, const struct abi_frame *f, size_t *size)
{
	uint32_t nseg = READ_ONCE(f->nseg);
	char *text = malloc((size_t)ABI_NSEGS * ABI_PAGE + 1);

	*size = 0;
	for (uint32_t i = 0; text && i < nseg; i++) {
		uint64_t len = i < ABI_NSEGS ? READ_ONCE(f->seg[i].len) : UINT64_MAX;
		const void *from = len > ABI_PAGE ? NULL : guest_ptr(vm, READ_ONCE(f->seg[i].gpa), len);

		if (!from) {
			free(text);
			return NULL;
		}
		memcpy(text + *size, from, len);
		*size += len;
	}
	if (text)
		text[*size] = '\0';
	return text;
}

/* A list of n strings, which begin at *at; with room for more before them. NULL when they are not there. */
static char **list(char **at, const char *end, uint64_t n, unsigned int before)
{
	char **l = calloc(n + before + 1, sizeof(*l));

	for (uint64_t i = 0; l && i < n; i++) {
		if (*at >= end) {
			free(l);
			return NULL;
		}
		l[before + i] = *at;
		*at += strlen(*at) + 1;
	}
	return l;
}

/* ------------------------------------------------------------------------- the file */

/*
 * A file that a descriptor is of, whose name nobody knows any more: open for reading, or, by
 * O_PATH, to be opened for it within its grant.
 */
static int reopen(struct file *file, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && (flags & O_PATH) && file)
		return reopen_file(file, O_RDONLY);
	if (flags < 0 || (flags & (O_PATH | O_WRONLY)))
		return -EACCES;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd < 0 ? -errno : fd;
}

/* Opens a program in the grants: its descriptor and in *name its path, or as execve(2) fails. */
static int open_in_grants(struct file *dir, const char *path, bool empty, bool follow, char **name)
{
	char physical[PATH_MAX];
	struct found f;
	int ret = path_find(dir, path, (follow ? FIND_FOLLOW : 0) | (empty ? FIND_EMPTY : 0), &f);

	if (ret == -ENOENT)
		policy_explain(path, false);
	if (ret)
		return ret;
	if (!follow && S_ISLNK(f.st.st_mode))
		ret = -ELOOP;
	else if (f.synthetic || !S_ISREG(f.st.st_mode))
		ret = -EACCES;
	else if (syscall(SYS_faccessat2, f.fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) < 0)
		ret = -errno;
	else if (f.base == running)
		ret = program_fd;
	else if (!f.borrowed)
		ret = path_open(&f, O_RDONLY);
	else
		ret = reopen(f.base, f.fd);
	free(*name);
	*name = ret < 0 ? NULL : path_name(&f);
	if (*name && path_physical(*name, physical) == 0) {
		free(*name);
		*name = strdup(physical);
	}
	path_done(&f);
	return ret;
}

int exec_open_interpreter(struct program *p, char *why, size_t size)
{
	char *name = NULL;
	int fd, err;

	p->interp_fd = -1;
	if (!p->elf.interp[0])
		return 0;
	fd = open_in_grants(NULL, p->elf.interp, false, true, &name);
	free(name);
	if (fd < 0) {
		snprintf(why, size, fd == -ENOENT ? "is not granted; --ro on its directory and on those of the libraries "
			 "would, for example --ro /lib64 --ro /lib --ro /usr" : "%s", strerror(-fd));
		return fd;
	}
	err = elf_parse(fd, &p->interp, why, size);
	if (err)
		close(fd);
	else
		p->interp_fd = fd;
	return err == -ENOEXEC ? -ELIBBAD : err;
}

/*
 * The first line of a script names its interpreter, and perhaps one argument. Returns 0 and
 * changes the list of arguments, 1 when it is no script, or -ENOEXEC. line stays in use.
 */
static int script(char line[SCRIPT_LINE + 1], const char *path)
{
	ssize_t n = pread(next.program.fd, line, SCRIPT_LINE, 0);
	char *name, *arg, *end;

	if (n < 2 || line[0] != '#' || line[1] != '!')
		return 1;
	line[n] = '\0';
	end = line + strcspn(line, "\n");
	/* a name that is cut off is none */
	if (!*end && n == SCRIPT_LINE && !strpbrk(line + 2 + strspn(line + 2, " \t"), " \t"))
		return -ENOEXEC;
	while (end > line + 2 && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	name = line + 2 + strspn(line + 2, " \t");
	if (!*name)
		return -ENOEXEC;
	arg = name + strcspn(name, " \t");
	if (*arg) {
		*arg++ = '\0';
		arg += strspn(arg, " \t");
	}
	/* the interpreter, its argument and the script's path, in place of the script's name */
	if (next.argc) {
		next.argv++;
		next.argc--;
	}
	*--next.argv = (char *)path;
	if (*arg)
		*--next.argv = arg;
	*--next.argv = name;
	next.argc += *arg ? 3 : 2;
	return 0;
}

/* Opens the program, through scripts' interpreters. */
static int open_program(struct file *dir, char *path, int flags)
{
	static char lines[SCRIPTS][SCRIPT_LINE + 1];
	struct program *p = &next.program;
	const char *name = path;
	char why[512];
	int ret;

	for (unsigned int i = 0;; i++) {
		ret = open_in_grants(i ? NULL : dir, name, !i && (flags & AT_EMPTY_PATH),
				     i || !(flags & AT_SYMLINK_NOFOLLOW), &next.exe);
		if (ret < 0)
			return ret;
		p->fd = ret;
		ret = i < SCRIPTS ? script(lines[i], i ? next.argv[0] : path) : -ELOOP;
		if (ret < 0)
			return ret;
		if (ret == 1)
			break;
		name = next.argv[0];
		if (p->fd != program_fd)
			close(p->fd);
		p->fd = -1;
	}
	ret = elf_parse(p->fd, &p->elf, why, sizeof(why));
	if (!ret) {
		ret = exec_open_interpreter(p, why, sizeof(why));
		name = ret ? p->elf.interp : name;
	}
	if (ret)
		policy_explain_program(name, why);
	return ret;
}

int exec_prepare(struct vm *vm, const struct abi_frame *f)
{
	/* the interpreter of a script, its argument, and its path, for each of them */
	unsigned int before = 2 * SCRIPTS + 1;
	int dirfd = READ_ONCE(f->arg[0]), flags = READ_ONCE(f->arg[3]), ret = -EFAULT;
	uint64_t argc = READ_ONCE(f->arg[1]), envc = READ_ONCE(f->arg[2]);
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	struct file *dir = NULL;
	size_t size;
	char *at;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	/* another thread is faster: this one will not see the end of it */
	if (pthread_mutex_trylock(&one) != 0)
		return -EAGAIN;
	next.program.fd = -1;
	memcpy(next.path, (const char *)f->data, sizeof(next.path) - 1);
	if (dirfd != AT_FDCWD && next.path[0] != '/') {
		dir = fd_get(dirfd);
		ret = -EBADF;
		if (!dir)
			goto out;
	}
	ret = -ENOENT;
	if (!next.path[0] && !(flags & AT_EMPTY_PATH))
		goto out;
	ret = -ENOMEM;
	next.text = collect(vm, f, &size);
	if (!next.text)
		goto out;
	ret = -E2BIG;
	at = next.text;
	if (argc > size || envc > size)
		goto out;
	next.list = list(&at, next.text + size, argc, before);
	next.env = next.list ? list(&at, next.text + size, envc, 0) : NULL;
	ret = -ENOMEM;
	if (!next.env)
		goto out;
	next.argv = next.list + before;
	next.argc = argc;
	/* as Linux since 5.18: a program has a name */
	if (!argc) {
		*--next.argv = (char *)"";
		next.argc = 1;
	}
	ret = open_program(dir, next.path, flags);
	if (!ret && !process_memory_fits(load_size(&next.program))) {
		limit_met(LIMIT_MEM, 1);
		if (next.program.interp_fd >= 0)
			close(next.program.interp_fd);
		ret = -ENOMEM;
	}
out:
	file_put(dir);
	if (ret) {
		if (next.program.fd >= 0 && next.program.fd != program_fd)
			close(next.program.fd);
		forget();
	} else {
		next.frame = f;
		next.ignored = READ_ONCE(f->arg[4]);
		next.blocked = READ_ONCE(f->arg[5]);
		memcpy(&next.pending, (const char *)f->data + ABI_EXEC_PENDING, sizeof(next.pending));
		__atomic_store_n(&wanted, true, __ATOMIC_SEQ_CST);
		threads_stop();
	}
	pthread_mutex_unlock(&one);
	return ret;
}

/* ------------------------------------------------------------------------- the change */

/* What the old program had been told of, and the new one has not. */
static void post_pending(void)
{
	for (uint32_t i = 0; i < next.pending.count && i < ABI_EXEC_SIGNALS; i++) {
		siginfo_t info;

		memcpy(&info, &next.pending.signal[i], sizeof(info));
		if (info.si_signo < 1 || info.si_signo > 64)
			continue;
		next.pending.set &= ~(1ull << (info.si_signo - 1));
		interrupt_post(&info);
	}
	for (; next.pending.set; next.pending.set &= next.pending.set - 1) {
		siginfo_t info = { .si_signo = __builtin_ctzll(next.pending.set) + 1, .si_code = SI_USER };

		info.si_pid = process_pid();
		info.si_uid = process_uid();
		interrupt_post(&info);
	}
}

void exec_now(struct vcpu *vcpu)
{
	static struct config config;
	static char program[PATH_MAX];
	struct vm *vm = vcpu->vm;
	uint64_t mask = interrupt_block();
	struct abi_boot *boot;

	trace_exec(call_trace_fd, vcpu->guest_tid, next.path, next.argv, next.env);
	stats_gather(vm);
	proc_answer_hold(true);
	threads_leave();
	timers_end();
	clock_stop();
	fd_close_on_exec();
	config = *vm->config;
	config.argv = next.argv;
	config.env = next.env;
	vm->config = &config;
	vm->program = strcpy(program, next.path);
	vm->mode = 0;
	rlimits_save(vm, next.frame);
	vm_clear(vm);
	vm_reuse(vm);
	load(vm, &next.program);
	boot = guest_ptr(vm, ABI_BOOT_GPA, sizeof(*boot));
	boot->ignored = next.ignored;
	boot->blocked = next.blocked;
	rlimits_restore(vm);
	signalfd_executed();
	process_memory_set(boot->committed);
	post_pending();
	vcpu_renew(vcpu, vm);
	vcpu->guest_tid = process_pid();
	if (next.program.interp_fd >= 0)
		close(next.program.interp_fd);
	if (next.program.fd != program_fd) {
		set_running(next.program.fd, next.exe ? next.exe : strdup(next.path));
		next.exe = NULL;
	}
	forget();
	__atomic_store_n(&wanted, false, __ATOMIC_SEQ_CST);
	process_executed();
	proc_answer_hold(false);
	if (interrupt_waiting() || ended())
		interrupt_vcpu(vcpu);
	interrupt_unblock(mask);
}
