/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shape of what /proc has: of each line its key and the kinds of its values, told once a
 * file. A number (decimal or hexadecimal) is N, a range of addresses R, rights of memory P, a
 * device D, a path /, anything else a word, w.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[1 << 20];
static char *told[4096];
static int ntold;

static bool all_of(const char *s, size_t n, const char *set)
{
	return n && strspn(s, set) >= n;
}

static char kind(const char *s, size_t n)
{
	static const char hex[] = "0123456789abcdefABCDEFx,";
	const char *middle = memchr(s, '-', n), *colon = memchr(s, ':', n);

	if (n == 4 && strspn(s, "rwxsp-") >= 4 && strchr("sp", s[3]))
		return 'P';
	if (*s == '/')
		return '/';
	if (n == 9 && strncmp(s, "unlimited", n) == 0)
		return 'N';
	/* words of few of those letters, as flags are */
	if (n < 8 && strcspn(s, "0123456789") >= n)
		return 'w';
	if (middle && middle - s >= 8 && all_of(s, middle - s, hex) && all_of(middle + 1, n - (middle + 1 - s), hex))
		return 'R';
	if (all_of(s, n, hex) || all_of(s, n, "-.0123456789") || all_of(s, n, "0123456789."))
		return 'N';
	if (colon && all_of(s, colon - s, hex) && all_of(colon + 1, n - (colon + 1 - s), hex))
		return 'D';
	return 'w';
}

/* Once: prints it. */
static void tell(const char *shape)
{
	for (int i = 0; i < ntold; i++)
		if (!strcmp(told[i], shape))
			return;
	told[ntold++] = strdup(shape);
	puts(shape);
}

/* keyed: the first word is the line's name, or what comes before its colon. count: how many there are of each kind. */
static void line(const char *name, char *s, bool keyed, bool count)
{
	char shape[8192], *to = shape;
	size_t n = keyed ? strcspn(s, ":") : 0;
	char last = 0;

	/* of smaps, a mapping */
	if (n > 16 && kind(s, strcspn(s, " ")) == 'R') {
		keyed = false;
		n = 0;
	}
	if (keyed && !s[n])
		n = strcspn(s, " \t");
	else if (keyed)
		n++;
	to += sprintf(to, "%s: %.*s", name, (int)n, s);
	for (s += n; *(s += strspn(s, " \t")); s += n) {
		char k;

		n = strcspn(s, " \t");
		k = kind(s, n);
		if (*s == '[' || k == 'w')
			k = 'w';
		if (k != last || count)
			to += sprintf(to, " %c", k);
		last = k;
	}
	tell(shape);
}

static void file(const char *name, bool keyed, bool count)
{
	int fd = open(name, O_RDONLY);
	ssize_t n, got = 0;
	char shape[256];

	while (fd >= 0 && (n = read(fd, text + got, sizeof(text) - 1 - got)) > 0)
		got += n;
	if (fd < 0) {
		snprintf(shape, sizeof(shape), "%s: cannot be opened", name);
		tell(shape);
		return;
	}
	close(fd);
	text[got] = '\0';
	if (!got) {
		snprintf(shape, sizeof(shape), "%s: empty", name);
		tell(shape);
	}
	for (char *s = text, *end; *s; s = end + 1) {
		end = strchrnul(s, '\n');
		if (!*end) {
			line(name, s, keyed, count);
			break;
		}
		*end = '\0';
		line(name, s, keyed, count);
	}
}

static void link_to(const char *name)
{
	ssize_t n = readlink(name, text, 4095);

	text[n < 0 ? 0 : n] = '\0';
	if (strchr(text, '['))
		strcpy(strchr(text, '[') + 1, "N]");
	printf("%s -> %s\n", name, n < 0 ? "none" : *text == '/' ? "/" : isdigit(*text) ? "N" : text);
}

int main(void)
{
	static const char *const keyed[] = {
		"/proc/self/status", "/proc/self/io", "/proc/self/smaps_rollup", "/proc/self/fdinfo/0",
		"/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/vmstat", "/proc/net/sockstat",
	};
	static const char *const counted[] = {
		"/proc/self/stat", "/proc/self/statm", "/proc/self/maps", "/proc/self/limits", "/proc/self/cgroup",
		"/proc/self/oom_score", "/proc/self/oom_score_adj", "/proc/self/coredump_filter",
		"/proc/self/uid_map", "/proc/self/gid_map",
		"/proc/self/loginuid", "/proc/self/sessionid", "/proc/self/setgroups", "/proc/self/comm",
		"/proc/self/personality", "/proc/self/timerslack_ns", "/proc/self/wchan", "/proc/thread-self/stat",
		"/proc/thread-self/comm", "/proc/uptime", "/proc/loadavg", "/proc/swaps",
		"/proc/sys/kernel/pid_max", "/proc/sys/kernel/ostype", "/proc/sys/kernel/sem",
		"/proc/sys/kernel/random/uuid", "/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/random/entropy_avail",
		"/proc/sys/kernel/cap_last_cap", "/proc/sys/kernel/threads-max", "/proc/sys/kernel/ngroups_max",
		"/proc/sys/kernel/shmmax", "/proc/sys/kernel/shmall", "/proc/sys/kernel/msgmax", "/proc/sys/fs/file-nr",
		"/proc/sys/fs/file-max", "/proc/sys/fs/nr_open", "/proc/sys/fs/pipe-max-size",
		"/proc/sys/fs/inotify/max_user_watches", "/proc/sys/fs/mqueue/msg_max", "/proc/sys/vm/overcommit_memory",
		"/proc/sys/vm/max_map_count", "/proc/sys/net/core/somaxconn", "/proc/sys/net/ipv4/ip_local_port_range",
	};
	static const char *const mixed[] = {
		"/proc/self/mountinfo", "/proc/self/mounts", "/proc/version", "/proc/filesystems",
		"/proc/net/dev", "/proc/net/tcp", "/proc/net/udp", "/proc/net/tcp6", "/proc/net/udp6", "/proc/net/unix",
		"/proc/net/route", "/proc/net/arp", "/proc/net/raw",
	};
	static const char *const links[] = {
		"/proc/self", "/proc/thread-self", "/proc/self/exe", "/proc/self/cwd", "/proc/self/root", "/proc/self/ns/mnt",
		"/proc/self/ns/pid", "/proc/self/ns/user", "/proc/self/ns/net", "/proc/mounts", "/proc/net", "/dev/fd", "/dev/stdin",
	};

	if (!malloc(200000) || !malloc(100))
		return 1;
	for (size_t i = 0; i < sizeof(keyed) / sizeof(keyed[0]); i++)
		file(keyed[i], true, false);
	file("/proc/self/smaps", true, false);
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		file(counted[i], false, true);
	for (size_t i = 0; i < sizeof(mixed) / sizeof(mixed[0]); i++)
		file(mixed[i], false, false);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		link_to(links[i]);
	return 0;
}
