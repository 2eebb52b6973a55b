/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paths by chance, from the names in corpus/path, through the calls that take them, while
 * another process renames, links, removes and makes what they lead through. What is outside
 * the grants is never read, and stays as it is; what is below the --ro likewise stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "../guest_call.h"

#define CASES	20000	/* in a generation */
#define SECRET	"secret, and longer than any other file here"

static char **names;
static uint32_t count;

/* ------------------------------------------------------------- the host's tree */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		found("%s: %m", path);
	close(fd);
}

/*
 *	out/s, out/d/s		never granted
 *	ro/a, ro/d/a		granted at /ro
 *	rw/...			granted at /rw: what the renamer plays with
 */
static void make_trees(void)
{
	static const char *const dirs[] = { "out", "out/d", "ro", "ro/d", "rw", "rw/a", "rw/a/b", "rw/c", "rw/c/b" };
	char target[128];

	if (chdir(fuzz_dir))
		found("%s: %m", fuzz_dir);
	for (size_t i = 0; i < COUNT(dirs); i++)
		mkdir(dirs[i], 0755);
	put("out/s", SECRET);
	put("out/d/s", SECRET);
	put("ro/a", "ro");
	put("ro/d/a", "ro");
	put("rw/s", "rw");
	put("rw/a/s", "rw");
	put("rw/a/b/s", "rw");
	put("rw/c/b/s", "rw");
	snprintf(target, sizeof(target), "%s/out", fuzz_dir);
	if (symlink(target, "rw/l1") || symlink("../out", "rw/l2") || symlink("../../out/d", "rw/a/l3") || symlink("a/b", "rw/l4") ||
	    symlink("/rw/c", "rw/l5") || symlink("/ro", "rw/l6") || symlink("../out", "ro/l1") || symlink("..", "rw/up"))
		found("the links: %m");
}

/* A directory of the tree by way of no link, which would lead the renamer itself out. */
static int directory(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH };

	return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* The renamer, another of the user's processes: any two places of these change theirs. */
_Noreturn static void rename_about(void)
{
	static const char *const places[][2] = {
		{ "rw", "a" }, { "rw", "c" }, { "rw/a", "b" }, { "rw/c", "b" }, { "rw", "l1" }, { "rw", "l2" }, { "rw/a", "l3" },
		{ "rw", "l4" }, { "rw", "l5" }, { "rw", "s" }, { "rw/a", "s" }, { "rw", "up" }, { "rw", "x" }, { "rw/a", "x" },
	};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		const char *const *from = places[below(COUNT(places))], *const *to = places[below(COUNT(places))];
		int here = directory(from[0]), there = directory(to[0]);
		bool done = renameat2(here, from[1], there, to[1], below(3) ? RENAME_EXCHANGE : RENAME_NOREPLACE) == 0;
		uint32_t what = done ? 9 : below(9);

		if (what == 0)
			mkdirat(there, to[1], 0755);
		else if (what == 1)
			symlinkat("../out", there, to[1]);
		else if (what == 2 && *to[1] == 'x')
			unlinkat(there, to[1], 0);
		close(here);
		close(there);
	}
}

/* All about what must stay, in one number. */
static uint64_t sum;

static void mix(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n--)
		sum = (sum ^ *b++) * 0x100000001b3;
}

static int mix_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char buf[256];
	ssize_t n;
	int fd;

	(void)ftw;
	mix(path, strlen(path));
	mix(&st->st_mode, sizeof(st->st_mode));
	mix(&st->st_nlink, sizeof(st->st_nlink));
	mix(&st->st_uid, sizeof(st->st_uid));
	mix(&st->st_mtim, sizeof(st->st_mtim));
	fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		mix(buf, n);
	if (fd >= 0)
		close(fd);
	return 0;
}

static uint64_t sum_of(const char *path)
{
	sum = 0xcbf29ce484222325;
	nftw(path, mix_one, 16, FTW_PHYS);
	return sum;
}

/* ------------------------------------------------------------- the guest */

static const char *any_path(void)
{
	static char paths[2][1024];
	static unsigned int turn;
	char *path = paths[turn++ % 2];
	uint32_t n = 1 + below(below(2) ? 2 : 6);

	strcpy(path, below(5) ? "/rw" : below(2) ? "/ro" : "");
	while (n--) {
		if (*path || below(4))
			strcat(path, "/");
		strcat(path, names[below(count)]);
	}
	if (below(20) == 0)
		strcat(path, "/");
	return path;
}

static void look_at(int fd)
{
	char text[128] = "";
	long n = guest_call(read, fd, P(text), sizeof(text) - 1);

	if (n > 0 && strstr(text, "secret"))
		found("the secret was read");
	if (n > 0)
		fuzz_totals->by[1]++;
	guest_call(close, fd);
}

static long one(void)
{
	const char *path = any_path(), *other;
	char text[1024];
	struct stat st;
	long ret;

	switch (below(16)) {
	case 0:
	case 1:
	case 2:
		ret = guest_call(open, P(path), below(4) ? O_RDONLY : O_RDONLY | O_NOFOLLOW, 0);
		break;
	case 3:
		ret = guest_call(open, P(path), O_RDWR | (below(2) ? O_CREAT : 0) | (below(3) ? 0 : O_TRUNC), 0600);
		break;
	case 4:
		ret = guest_call(stat, P(path), P(&st));
		if (ret == 0 && st.st_size == sizeof(SECRET) - 1)
			found("%s: the secret was seen", path);
		return ret;
	case 5:
		return guest_call(chmod, P(path), 0640 + below(8));
	case 6:
		return guest_call(truncate, P(path), 2);
	case 7:
		return guest_call(utimensat, AT_FDCWD, P(path), 0, 0);
	case 8:
		return guest_call(mkdir, P(path), 0700);
	case 9:
		return guest_call(rmdir, P(path));
	case 10:
		return path[strlen(path) - 1] == 'x' ? guest_call(unlink, P(path)) : guest_call(readlink, P(path), P(text), sizeof(text));
	case 11:
		other = any_path();
		return guest_call(rename, P(path), P(other));
	case 12:
		other = any_path();
		return guest_call(link, P(path), P(other));
	case 13:
		return guest_call(symlink, P("../out"), P(path));
	case 14:
		return guest_call(chdir, P(path));
	default:
		ret = guest_call(open, P(path), O_RDONLY | O_DIRECTORY, 0);
		if (ret >= 0) {
			long below_it = guest_call(openat, ret, P("../out/s"), O_RDONLY, 0);

			if (below_it >= 0)
				look_at(below_it);
			below_it = guest_call(openat, ret, P("s"), O_RDONLY, 0);
			if (below_it >= 0)
				look_at(below_it);
		}
	}
	if (ret >= 0)
		look_at(ret);
	return ret;
}

static void paths(void)
{
	static struct grant grants[] = { { "ro", "/ro", false }, { "rw", "/rw", true } };
	static struct config config = { .grants = grants, .ngrants = 2, .cwd = "/rw" };
	uint64_t out, ro;
	pid_t renamer;

	make_trees();
	out = sum_of("out");
	ro = sum_of("ro");
	renamer = fork();
	if (renamer == 0)
		rename_about();
	guest_start(&config);
	for (uint32_t i = 0; i < CASES; i++) {
		long ret = one();

		fuzz_case();
		if (ret >= 0)
			fuzz_totals->good++;
		else
			fuzz_totals->refused++;
	}
	kill(renamer, SIGKILL);
	waitpid(renamer, NULL, 0);
	if (sum_of("out") != out)
		found("what is outside was changed");
	if (sum_of("ro") != ro)
		found("what is below the --ro was changed");
}

static bool whole(void)
{
	printf("# %llu files were read\n", (unsigned long long)fuzz_totals->by[1]);
	return fuzz_totals->by[1] && fuzz_totals->good > fuzz_totals->cases / 100;
}

int main(int argc, char **argv)
{
	names = fuzz_corpus("tests/fuzz/corpus/path");
	while (names[count])
		count++;
	return fuzz(argc, argv, paths, whole);
}
