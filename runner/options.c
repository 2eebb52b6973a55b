/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "msg.h"
#include "options.h"
#include "policy_file.h"
#include "quantity.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Options that only have an effect once all are known. */
static struct {
	const char **env;	/* arguments of --env, in order */
	size_t nenv;
	bool env_all;
	const char *cwd;
	bool reading;		/* --policy's turn: it comes before the rest of the command line */
	size_t nfile_grants;	/* the first of config->grants are of --policy */
} pending;

/* Grow an array by one; running out of memory here is the end. */
static void *grow(void *array, size_t count, size_t size)
{
	void *p = reallocarray(array, count + 1, size);

	if (!p)
		die(KVMRUN_FAILED, "out of memory while reading the command line");
	return p;
}

static char *copy(const char *s, size_t n)
{
	char *p = strndup(s, n);

	if (!p)
		die(KVMRUN_FAILED, "out of memory while reading the command line");
	return p;
}

/*
 * The absolute form of path without "//", "." and "..", by its letters alone:
 * the guest's tree is not the host's, so symbolic links are not looked at.
 */
static char *normalise(const char *path)
{
	char cwd[PATH_MAX] = "", *out;
	size_t len = 0;

	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		die(KVMRUN_FAILED, "%s: cannot tell the current directory: %m; give an absolute path",
		    path);
	out = grow(NULL, strlen(cwd) + strlen(path) + 2, 1);
	for (const char *part = cwd; part; part = part == cwd ? path : NULL) {
		for (const char *s = part; *s;) {
			size_t n = strcspn(s, "/");

			if (n == 2 && memcmp(s, "..", 2) == 0) {
				while (len && out[--len] != '/')
					;
			} else if (n && !(n == 1 && *s == '.')) {
				out[len++] = '/';
				memcpy(out + len, s, n);
				len += n;
			}
			s += n;
			s += *s == '/';
		}
	}
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
	return out;
}

static void add_grant(struct config *config, const char *option, const char *arg, bool writable)
{
	char *host = copy(arg, strlen(arg)), *end = host;
	const char *s = arg;
	struct grant grant = { .host = host, .writable = writable };

	for (; *s && *s != ':'; s++) {
		if (s[0] == '\\' && s[1] == ':')
			s++;
		*end++ = *s;
	}
	*end = '\0';
	if (!*host)
		die(KVMRUN_FAILED, "--%s %s: the path is empty; write --%s PATH or --%s PATH:GUEST",
		    option, arg, option, option);
	if (*s == ':' && s[1] != '/')
		die(KVMRUN_FAILED, "--%s %s: the path in the guest must be absolute, not \"%s\" "
		    "(a colon that belongs to PATH is written \\:)", option, arg, s + 1);
	grant.guest = normalise(*s ? s + 1 : host);
	for (size_t i = 0; i < config->ngrants; i++)
		if (strcmp(config->grants[i].guest, grant.guest) == 0 && i < pending.nfile_grants) {
			free((char *)config->grants[i].host);
			free((char *)config->grants[i].guest);
			config->grants[i] = grant;
			return;
		} else if (strcmp(config->grants[i].guest, grant.guest) == 0)
			die(KVMRUN_FAILED, "--%s %s and --%s %s would both be %s in the guest; "
			    "drop one, or add :GUEST to it",
			    config->grants[i].writable ? "rw" : "ro", config->grants[i].host,
			    option, host, grant.guest);
	config->grants = grow(config->grants, config->ngrants, sizeof(grant));
	config->grants[config->ngrants++] = grant;
}

static void set_ro(struct config *config, const char *arg)
{
	add_grant(config, "ro", arg, false);
}

static void set_rw(struct config *config, const char *arg)
{
	add_grant(config, "rw", arg, true);
}

static uint64_t parse_size(const char *option, const char *arg)
{
	uint64_t bytes;
	const char *why = size_parse(arg, &bytes);

	if (why)
		die(KVMRUN_FAILED, "--%s %s: not a size: %s; write for example 512M or 2G",
		    option, arg, why);
	return bytes;
}

static void set_tmp(struct config *config, const char *arg)
{
	config->tmp = true;
	config->tmp_bytes = arg ? parse_size("tmp", arg) : CONFIG_TMP_DEFAULT;
}

static void set_cwd(struct config *config, const char *arg)
{
	(void)config;
	if (!*arg)
		die(KVMRUN_FAILED, "--cwd: the directory is empty; write for example --cwd /");
	pending.cwd = arg;
}

static uint16_t parse_port(const char *arg, const char *port)
{
	char *end;
	unsigned long n = strtoul(port, &end, 10);

	if (*port < '0' || *port > '9' || *end || !n || n > UINT16_MAX)
		die(KVMRUN_FAILED, "--net %s: %s is not a port: a number from 1 to 65535", arg,
		    *port ? port : "the empty word");
	return n;
}

/* Whether arg is key and something behind it; *value is that. */
static bool has_key(const char *arg, const char *key, const char **value)
{
	size_t n = strlen(key);

	*value = arg + n;
	return strncmp(arg, key, n) == 0;
}

static void set_net(struct config *config, const char *arg)
{
	static const char *const whole[] = {
		[NET_NONE] = "none", [NET_LOOPBACK] = "loopback", [NET_LISTED] = NULL, [NET_HOST] = "host",
	};
	const char *value, *colon;

	if (has_key(arg, "connect=", &value)) {
		colon = strrchr(value, ':');
		if (!colon || colon == value || (*value == '[' ? colon[-1] != ']' : memchr(value, ':', colon - value) != NULL))
			die(KVMRUN_FAILED, "--net %s: write it as connect=HOST:PORT, or as connect=[ADDRESS]:PORT "
			    "for IPv6", arg);
		parse_port(arg, colon + 1);
		config->net = NET_LISTED;
		config->net_connect = grow(config->net_connect, config->nconnect, sizeof(*config->net_connect));
		config->net_connect[config->nconnect++] = value;
		return;
	}
	if (has_key(arg, "listen=", &value)) {
		config->net = NET_LISTED;
		config->net_listen = grow(config->net_listen, config->nlisten, sizeof(*config->net_listen));
		config->net_listen[config->nlisten++] = parse_port(arg, value);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (whole[i] && strcmp(arg, whole[i]) == 0) {
			config->net = i;
			config->nconnect = config->nlisten = 0;
			return;
		}
	die(KVMRUN_FAILED, "--net %s: no such network; there are none, loopback, connect=HOST:PORT, listen=PORT "
	    "and host", arg);
}

static void set_env(struct config *config, const char *arg)
{
	(void)config;
	if (!*arg || *arg == '=')
		die(KVMRUN_FAILED, "--env %s: the name is empty; write --env NAME or --env NAME=VALUE",
		    arg);
	pending.env = grow(pending.env, pending.nenv, sizeof(*pending.env));
	pending.env[pending.nenv++] = arg;
}

static void set_env_all(struct config *config, const char *arg)
{
	(void)config, (void)arg;
	pending.env_all = true;
}

static void set_arg0(struct config *config, const char *arg)
{
	config->arg0 = arg;
}

static void set_mem(struct config *config, const char *arg)
{
	config->mem_bytes = parse_size("mem", arg);
}

static uint32_t number(const char *option, const char *arg, uint32_t most)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno || !n || n > most)
		die(KVMRUN_FAILED, "--%s %s: not a number of %s from 1 to %u; write for example 1 or 256", option, arg,
		    option, most);
	return n;
}

static void set_threads(struct config *config, const char *arg)
{
	config->threads = number("threads", arg, UINT32_MAX);
}

static void set_procs(struct config *config, const char *arg)
{
	config->procs = number("procs", arg, CONFIG_PROCS_MAX);
}

static uint64_t duration(const char *option, const char *arg)
{
	uint64_t ns;
	const char *why = duration_parse(arg, &ns);

	if (why)
		die(KVMRUN_FAILED, "--%s %s: not a duration: %s; write for example 10, 500ms or 2m", option, arg, why);
	return ns;
}

static void set_timeout(struct config *config, const char *arg)
{
	config->timeout_ns = duration("timeout", arg);
}

static void set_cpu_time(struct config *config, const char *arg)
{
	config->cpu_ns = duration("cpu-time", arg);
}

static void set_fds(struct config *config, const char *arg)
{
	config->fds = number("fds", arg, CONFIG_FDS_MAX);
}

static void set_fsize(struct config *config, const char *arg)
{
	config->fsize_bytes = parse_size("fsize", arg);
}

static void set_output(struct config *config, const char *arg)
{
	config->output_bytes = parse_size("output", arg);
}

static void set_policy(struct config *config, const char *arg)
{
	if (!*arg)
		die(KVMRUN_FAILED, "--policy: the file name is empty; write for example --policy ci.json");
	if (pending.reading)
		policy_file_read(arg, config);
}

static void set_print_policy(struct config *config, const char *arg)
{
	(void)arg;
	config->print_policy = true;
}

static void set_wx(struct config *config, const char *arg)
{
	(void)arg;
	config->wx = true;
}

static const char *file_name(const char *option, const char *arg)
{
	if (arg && !*arg)
		die(KVMRUN_FAILED, "--%s=: the file name is empty; write --%s for stderr", option, option);
	return arg;
}

static void set_trace(struct config *config, const char *arg)
{
	config->trace = true;
	config->trace_file = file_name("trace", arg);
}

static void set_stats(struct config *config, const char *arg)
{
	config->stats = true;
	config->stats_file = file_name("stats", arg);
}

static void set_explain(struct config *config, const char *arg)
{
	(void)arg;
	config->explain = true;
}

static void set_verbose(struct config *config, const char *arg)
{
	(void)config, (void)arg;
	verbose++;
}

static void set_device(struct config *config, const char *arg)
{
	if (!*arg)
		die(KVMRUN_FAILED, "--device: the path is empty; write for example --device /dev/kvm");
	config->device = arg;
}

static void set_insecure_no_landlock(struct config *config, const char *arg)
{
	(void)arg;
	config->insecure_no_landlock = true;
}

static void set_check(struct config *config, const char *arg)
{
	(void)arg;
	config->check = true;
}

#define PRINTER(option, function)					\
	static void set_##option(struct config *config, const char *arg)	\
	{								\
		(void)config, (void)arg;				\
		function();						\
	}
PRINTER(version, help_print_version)
PRINTER(help, help_print)
PRINTER(print_manual, help_print_manual)
PRINTER(print_completion, help_print_completion)

const struct option_info option_table[] = {
#define OPTION(id, name, letter, arg, metavar, group, initial, help, manual)	\
	{ name, letter, ARG_##arg, metavar, GROUP_##group, initial, help, manual, set_##id },
#define PLANNED(name) \
	{ name, 0, ARG_OPTIONAL, NULL, GROUP_PLANNED, NULL, NULL, NULL, NULL },
#include "options.def"
};
const size_t option_count = ARRAY_SIZE(option_table);

const char *const option_group_titles[] = {
#define GROUP(id, title) title,
#include "options.def"
};

/* Edits (insert, remove, replace, swap) from a to b; names are short. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), d[32][32];

	if (la >= 32 || lb >= 32)
		return SIZE_MAX;
	for (size_t i = 0; i <= la; i++) {
		for (size_t j = 0; j <= lb; j++) {
			size_t best = i ? j ? d[i - 1][j - 1] + (a[i - 1] != b[j - 1]) : i : j;

			if (i && j && d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (i && j && d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[la][lb];
}

/* The option that the user may have meant by name, or NULL. */
static const char *nearest(const char *name)
{
	size_t len = strlen(name), best = len > 4 ? 3 : len > 2 ? 2 : 1;
	const char *found = NULL;

	for (size_t i = 0; i < option_count; i++) {
		const struct option_info *o = &option_table[i];
		size_t d = distance(name, o->name);

		if (o->group >= GROUP_HIDDEN)
			continue;
		/* the start of a name is close to it however long the rest is */
		if (len > 1 && strncmp(o->name, name, len) == 0)
			d = d ? 1 : 0;
		if (d < best || (d == 0 && !found)) {
			best = d;
			found = o->name;
		}
	}
	return found;
}

_Noreturn static void unknown_option(const char *word)
{
	const char *name = word + strspn(word, "-");
	char *bare = copy(name, strcspn(name, "="));
	const char *hint = nearest(bare);

	if (hint)
		die(KVMRUN_FAILED, "unknown option %s: did you mean --%s? Try kvmrun --help", word, hint);
	die(KVMRUN_FAILED, "unknown option %s: try kvmrun --help", word);
}

/* The option of a word "--NAME" or "--NAME=VALUE". NULL only where that is left to the pass to come. */
static const struct option_info *find_option(const char *word)
{
	const char *name = word + 2;
	size_t n = strcspn(name, "=");

	for (size_t i = 0; i < option_count; i++)
		if (strncmp(option_table[i].name, name, n) == 0 && !option_table[i].name[n])
			return &option_table[i];
	if (pending.reading)
		return NULL;
	unknown_option(word);
}

static const char *const default_env[] = { "TERM", "LANG", "TZ" };

/* Set, or with a NULL value remove, a variable in config->env. */
static void put_env(struct config *config, const char *name, size_t n, const char *value)
{
	size_t count = 0, at;
	char *entry = NULL;

	if (value && asprintf(&entry, "%.*s=%s", (int)n, name, value) < 0)
		die(KVMRUN_FAILED, "out of memory while reading the command line");
	while (config->env[count])
		count++;
	for (at = 0; at < count; at++)
		if (strncmp(config->env[at], name, n) == 0 && config->env[at][n] == '=')
			break;
	if (entry && at == count) {
		config->env = grow(config->env, count + 1, sizeof(*config->env));
		config->env[count + 1] = NULL;
	}
	if (at < count)
		free(config->env[at]);
	if (entry)
		config->env[at] = entry;
	else if (at < count)
		memmove(config->env + at, config->env + at + 1, (count - at) * sizeof(*config->env));
}

static void build_env(struct config *config)
{
	config->env = grow(NULL, 0, sizeof(*config->env));
	config->env[0] = NULL;
	if (pending.env_all) {
		for (char **e = environ; e && *e; e++) {
			size_t n = strcspn(*e, "=");

			if ((*e)[n])
				put_env(config, *e, n, *e + n + 1);
		}
	} else {
		put_env(config, "PATH", 4, "/usr/local/bin:/usr/bin:/bin");
		for (size_t i = 0; i < ARRAY_SIZE(default_env); i++)
			put_env(config, default_env[i], strlen(default_env[i]), getenv(default_env[i]));
	}
	for (size_t i = 0; i < pending.nenv; i++) {
		const char *name = pending.env[i], *equals = strchr(name, '=');

		if (equals)
			put_env(config, name, equals - name, equals + 1);
		else
			put_env(config, name, strlen(name), getenv(name));
	}
	free(pending.env);
	pending.env = NULL;
	pending.nenv = 0;
}

/* Whether path is dir or below it; both are normalised. */
static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return n == 1 || (strncmp(path, dir, n) == 0 && (!path[n] || path[n] == '/'));
}

static void choose_cwd(struct config *config)
{
	char here[PATH_MAX];

	config->cwd_given = pending.cwd != NULL;
	config->cwd = pending.cwd ? normalise(pending.cwd) : "/";
	if (pending.cwd || !getcwd(here, sizeof(here)) || here[0] != '/')
		return;
	for (size_t i = 0; i < config->ngrants; i++)
		if (is_below(here, config->grants[i].guest))
			config->cwd = copy(here, strlen(here));
}

/* One pass over the command line; with pending.reading for --policy alone, and what is wrong is left to the other one. */
static void parse(int argc, char **argv, struct config *config)
{
	struct option longs[ARRAY_SIZE(option_table) + 1] = { 0 };
	char shorts[2 * ARRAY_SIZE(option_table) + 3] = "+:";
	char *end = shorts + 2;

	for (size_t i = 0; i < option_count; i++) {
		const struct option_info *o = &option_table[i];

		/* values of enum option_arg are those of getopt_long() */
		longs[i] = (struct option){ o->name, o->arg, NULL, 256 + i };
		if (o->letter)
			*end++ = o->letter;
	}
	optind = 0;	/* start afresh, in glibc and in musl */
	opterr = 0;
	for (;;) {
		int at = optind ? optind : 1, c;
		const char *word = at < argc ? argv[at] : "";
		const struct option_info *option = NULL;

		/* getopt_long() would take any unique beginning of a name */
		if (strncmp(word, "--", 2) == 0 && word[2])
			option = find_option(word);
		c = getopt_long(argc, argv, shorts, longs, NULL);
		if (c == -1)
			break;
		for (size_t i = 0; !option && c != '?' && i < option_count; i++)
			if (option_table[i].letter == c)
				option = &option_table[i];
		if (pending.reading) {
			if (!option || c == '?' || c == ':')
				break;
			if (option->set == set_policy)
				set_policy(config, optarg);
			continue;
		}
		if (!option)
			unknown_option(word);
		if (option->group == GROUP_PLANNED)
			die(KVMRUN_FAILED, "--%s is not implemented yet; kvmrun --help lists what is",
			    option->name);
		if (c == ':')
			die(KVMRUN_FAILED, "--%s needs %s; try kvmrun --help", option->name,
			    option->metavar);
		if (c == '?')
			die(KVMRUN_FAILED, "%s: --%s takes no value; try kvmrun --help", word,
			    option->name);
		option->set(config, optarg);
	}
}

void options_parse(int argc, char **argv, struct config *config)
{
	memset(&pending, 0, sizeof(pending));
	*config = (struct config){ .mem_bytes = CONFIG_MEM_DEFAULT, .threads = CONFIG_THREADS_DEFAULT,
		.procs = CONFIG_PROCS_DEFAULT, .fds = CONFIG_FDS_MAX };
	pending.reading = true;
	parse(argc, argv, config);
	pending.reading = false;
	pending.nfile_grants = config->ngrants;
	parse(argc, argv, config);
	for (size_t i = 0; config->tmp && i < config->ngrants; i++)
		if (strcmp(config->grants[i].guest, "/tmp") == 0)
			die(KVMRUN_FAILED, "--tmp and --%s %s would both be /tmp in the guest; drop one",
			    config->grants[i].writable ? "rw" : "ro", config->grants[i].host);
	build_env(config);
	choose_cwd(config);
	if (config->print_policy) {
		policy_file_print(config);
		exit(0);
	}
	if (config->check) {
		if (optind < argc)
			die(KVMRUN_FAILED, "--check runs nothing: drop %s", argv[optind]);
		return;
	}
	if (optind >= argc)
		die(KVMRUN_FAILED, "no PROGRAM to run: write kvmrun [options] [--] PROGRAM [ARG...], "
		    "or try kvmrun --help");
	config->program = argv[optind];
	config->argc = argc - optind;
	config->argv = argv + optind;
	if (config->arg0)
		config->argv[0] = (char *)config->arg0;
}
