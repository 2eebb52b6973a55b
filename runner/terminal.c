/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine.h"
#include "fdtable.h"
#include "handout.h"
#include "msg.h"
#include "process.h"
#include "reopen.h"
#include "synth.h"
#include "terminal.h"

static int factory = -1;

/* A pseudo-terminal is known by a number that no other one has had before, a multiple of PTYS above its own. */
enum what { NEW, BY_NUMBER, BY_ID, NEXT };

/* What both ends may be opened with. */
#define FLAGS (O_ACCMODE | O_NONBLOCK)

/* ------------------------------------------------------------- the process that makes them */

/* The slave of number n, by O_PATH so that nobody's hangup waits for it, is its descriptor SLAVES + n. */
#define SLAVES	8

/* One more path than slaves, each in a piece of a page of its own. */
#define PIECE	32
#define PAGE	4096
#define PTMX	PTYS

static struct {
	bool made;
	int id;
} ptys[PTYS];
static int made;

/*
 * The paths that are opened. A filter sees a path's address alone; so there are no others than those in
 * this page, and no call that could change it.
 */
static char paths[PAGE / PIECE][PIECE] __attribute__((aligned(PAGE)));

static struct call_rule rules[] = {
	RULE(openat, "a pair, or a slave: as FLAGS has it, and no session's terminal by that", IS32(0, AT_FDCWD),
	     SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, ~(uint64_t)(PAGE - PIECE), 0 /* prepare() */),
	     MASKED32(2, ~(FLAGS | O_CLOEXEC), O_NOCTTY)),
	RULE(ioctl, "a pair's slave", IS32(1, TIOCGPTPEER), IS32(2, O_PATH | O_NOCTTY | O_CLOEXEC)),
	RULE(dup3, "a slave where its path leads", IS32(2, O_CLOEXEC)),
	RULE(fstat, "whether a slave's master is there"),
};

static int prepare(void)
{
	for (int i = 0; i < PTYS; i++)
		snprintf(paths[i], PIECE, "/proc/self/fd/%d", SLAVES + i);
	strcpy(paths[PTMX], "/dev/ptmx");
	rules[0].arg[1].datum_b = (uintptr_t)paths;
	return mprotect(paths, sizeof(paths), PROT_READ) < 0 ? -errno : 0;
}

/* Whether its master is there: afterwards the host's number may be another one's, the file is not. */
static bool lives(int n)
{
	struct stat st;

	/* glibc's fstat() is a call by path */
	if (ptys[n].made && (syscall(SYS_fstat, SLAVES + n, &st) < 0 || !st.st_nlink)) {
		close(SLAVES + n);
		ptys[n].made = false;
	}
	return ptys[n].made;
}

static int open_path(int i, int flags)
{
	return open(paths[i], (flags & FLAGS) | O_NOCTTY | O_CLOEXEC);
}

static int make(int flags, int *fd)
{
	int n = 0, slave;

	while (n < PTYS && lives(n))
		n++;
	if (n == PTYS)
		return -ENOSPC;
	*fd = open_path(PTMX, flags);
	if (*fd < 0)
		return -errno;
	slave = ioctl(*fd, TIOCGPTPEER, O_PATH | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	ptys[n].made = dup3(slave, SLAVES + n, O_CLOEXEC) >= 0;
	close(slave);
	if (!ptys[n].made)
		return -EMFILE;
	ptys[n].id = ++made % (INT32_MAX / PTYS) * PTYS + n;
	return ptys[n].id;
}

static int open_slave(int n, int flags, int *fd)
{
	*fd = open_path(n, flags);
	return *fd < 0 ? -errno : ptys[n].id;
}

static int serve(const int request[3], int *fd)
{
	int n = request[1] < 0 ? 0 : request[1];

	switch (request[0]) {
	case NEW:
		return make(request[2], fd);
	case BY_NUMBER:
		return n < PTYS && lives(n) ? open_slave(n, request[2], fd) : -ENOENT;
	case BY_ID:
		return lives(n % PTYS) && ptys[n % PTYS].id == n ? open_slave(n % PTYS, request[2], fd) : -EIO;
	case NEXT:
		while (n < PTYS && !lives(n))
			n++;
		return n < PTYS ? n : -ENOENT;
	}
	return -EINVAL;
}

/* ------------------------------------------------------------- who asks it */

/* What chmod(2) has made of each slave, with MODE_SET; the program's processes share it. NULL: nothing is kept. */
static _Atomic uint16_t *modes;
#define MODE_SET 0x8000

void pty_init(void)
{
	static const char *const devices[] = { "/dev/ptmx", "/dev/pts", NULL };
	static const struct handout terminals = {
		.prepare = prepare, .serve = serve, .rules = rules, .rule_count = sizeof(rules) / sizeof(rules[0]),
		.paths = devices, .fds = SLAVES + PTYS,
	};

	modes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (modes == MAP_FAILED)
		modes = NULL;
	factory = handout_start(&terminals);
	if (factory < 0)
		vmsg("no pseudo-terminals: %s", strerror(-factory));
}

static int ask(enum what what, int which, uint64_t flags, int *fd)
{
	const int request[3] = { what, which, flags };

	*fd = -1;
	return factory < 0 ? -ENODEV : handout_ask(factory, request, fd);
}

int pty_next(const struct synth *s, int from)
{
	int none, n = ask(NEXT, from, 0, &none);

	(void)s;
	return n >= from ? n : -1;
}

int pty_number(const struct file *file)
{
	return file->pty % PTYS;
}

/* id is that of the answer, fd its descriptor. */
static int give(int id, int fd, char *path, struct file **file)
{
	if (id >= 0 && fd < 0)
		id = -EIO;
	if (id < 0) {
		free(path);
		return id;
	}
	*file = file_new(fd, S_IFCHR, NULL, path);
	if (!*file)
		return -ENOMEM;
	(*file)->pty = id;
	return 0;
}

int pty_open_master(const struct synth *s, uint64_t flags, char *path, struct file **file)
{
	int fd, id = ask(NEW, 0, flags, &fd), err = give(id, fd, path, file);

	if (!err)
		(*file)->node = *s;
	if (!err && modes)
		modes[pty_number(*file)] = 0;
	return err;
}

bool pty_is_slave(const struct synth *s)
{
	return s->row && !synth_is_dir(s) && s->row->open == pty_open_slave;
}

mode_t pty_mode(const struct synth *slave)
{
	uint16_t mode = modes && slave->id >= 0 && slave->id < PTYS ? modes[slave->id] : 0;

	return mode & MODE_SET ? mode & ALLPERMS : slave->row->mode & ALLPERMS;
}

void pty_set_mode(const struct synth *slave, mode_t mode)
{
	if (modes && slave->id >= 0 && slave->id < PTYS)
		modes[slave->id] = MODE_SET | (mode & ALLPERMS);
}

/* The leader of a session that has none gets it, which the host knows: tty_open(). */
static void take(struct file *file, uint64_t flags)
{
	if (!(flags & O_NOCTTY) && (flags & O_ACCMODE) != O_WRONLY && ioctl(file->host, TIOCSCTTY, 0) == 0)
		pty_controls(file);
}

static int open_as(enum what what, int which, const struct synth *s, uint64_t flags, char *path, struct file **file)
{
	int fd, id = ask(what, which, flags, &fd), err = give(id, fd, path, file);

	if (err)
		return err;
	(*file)->node = *s;
	take(*file, flags);
	return 0;
}

int pty_open_slave(const struct synth *s, uint64_t flags, char *path, struct file **file)
{
	return open_as(BY_NUMBER, s->id, s, flags, path, file);
}

long pty_peer(const struct file *file, uint64_t flags)
{
	struct file *peer;
	struct synth node;
	char path[32];
	int err;

	if (!file->pty)
		return -ENOTTY;
	if (file->node.row->open != pty_open_master)
		return -EIO;
	snprintf(path, sizeof(path), "/dev/pts/%d", pty_number(file));
	err = synth_find(path, &node);
	if (!err)
		err = open_as(BY_ID, file->pty, &node, flags, strdup(path), &peer);
	return err ? err : fd_install(peer, 0, flags & O_CLOEXEC);
}

/* ------------------------------------------------------------- controlling terminals */

void pty_controls(const struct file *file)
{
	process_set_tty(file->pty ? file->pty : TTY_INHERITED);
}

void pty_no_more(void)
{
	process_set_tty(TTY_NONE);
}

/* The caller's, if one is among the standard streams: as that is open. */
static int open_inherited(uint64_t flags)
{
	int host = -ENXIO;

	for (int fd = 0; fd <= STDERR_FILENO && host == -ENXIO; fd++) {
		struct file *stream = fd_get(fd);

		if (stream && stream->inherited && S_ISCHR(stream->type) && isatty(stream->host))
			host = reopen_file(stream, flags);
		file_put(stream);
	}
	return host;
}

int pty_open_tty(const struct synth *s, uint64_t flags, char *path, struct file **file)
{
	int tty = process_tty(), fd;

	if (tty > 0)
		return open_as(BY_ID, tty, s, flags | O_NOCTTY, path, file);
	fd = tty == TTY_INHERITED ? open_inherited(flags) : -ENXIO;
	if (fd < 0) {
		free(path);
		return fd;
	}
	*file = file_new(fd, S_IFCHR, NULL, path);
	if (!*file)
		return -ENOMEM;
	(*file)->node = *s;
	return 0;
}
