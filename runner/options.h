/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_OPTIONS_H
#define KVMRUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_MEM_DEFAULT (4ULL << 30)
#define CONFIG_THREADS_DEFAULT 1024
#define CONFIG_PROCS_DEFAULT 256
#define CONFIG_PROCS_MAX 4096
#define CONFIG_TMP_DEFAULT (1ULL << 30)
#define CONFIG_FDS_MAX 16384u	/* the default, too */

/* One --ro or --rw. */
struct grant {
	const char *host;	/* as given: absolute, or relative to the caller's directory */
	const char *guest;	/* absolute and normalised; unique among the grants */
	bool writable;
};

/* --net. */
enum net_mode {
	NET_NONE,		/* sockets of AF_INET lead nowhere */
	NET_LOOPBACK,		/* a loopback of the program's own */
	NET_LISTED,		/* net_connect and net_listen, nothing else */
	NET_HOST,		/* the host's network */
};

/*
 * What the command line says. Strings live as long as the process: they point
 * into argv and environ or are allocated and never freed.
 */
struct config {
	struct grant *grants;	/* ngrants of them, in the order given */
	size_t ngrants;
	bool tmp;		/* --tmp: a private /tmp; no grant is at /tmp then */
	uint64_t tmp_bytes;	/* its limit */
	const char *cwd;	/* guest directory to start in: absolute, normalised */
	bool cwd_given;		/* false: cwd is a guess; use "/" if it does not exist */
	enum net_mode net;
	const char **net_connect;	/* nconnect of HOST:PORT, as given; the form is right */
	size_t nconnect;
	uint16_t *net_listen;	/* nlisten of ports */
	size_t nlisten;
	char **env;		/* the program's environment, NULL-terminated */
	const char *arg0;	/* --arg0, or NULL; argv[0] has it already */
	uint64_t mem_bytes;	/* --mem: a limit, not a reservation; any number > 0 */
	uint32_t threads;	/* --threads: at once */
	uint32_t procs;		/* --procs: at once */
	uint64_t timeout_ns;	/* --timeout: wall time, 0 for none */
	uint64_t cpu_ns;	/* --cpu-time, likewise */
	uint32_t fds;		/* --fds: open at once, in each process */
	uint64_t fsize_bytes;	/* --fsize, 0 for none */
	uint64_t output_bytes;	/* --output, 0 for none */
	bool wx;		/* --wx: memory may be writable and executable at once */
	bool trace;		/* --trace ... */
	const char *trace_file;	/* ... to this file, NULL for stderr */
	bool stats;		/* --stats ... */
	const char *stats_file;	/* ... to this file, NULL for stderr */
	bool explain;
	bool insecure_no_landlock;	/* where the kernel has none */
	const char *device;	/* --device, or NULL; see device.h */
	bool print_policy;	/* options_parse() does it */
	bool check;		/* --check: run check_machine() and nothing else */
	const char *program;	/* as given; NULL with --check; see program.h */
	int argc;		/* arguments of the program, argv[0] included */
	char **argv;		/* NULL-terminated */
};

/*
 * Parse the command line into *config and set verbose (msg.h). Options end at
 * the first word that is not one, or after "--". Of an option given twice the
 * last counts; --ro, --rw and --env add up.
 *
 * Any error is one line on stderr and exit status 125. --help, --version and
 * the --print-* options print to stdout and exit with 0. Reads the
 * environment, the current directory and the file of --policy.
 */
void options_parse(int argc, char **argv, struct config *config);

/* The option table (options.def), for help.c and the tests. */
enum option_arg { ARG_NONE, ARG_REQUIRED, ARG_OPTIONAL };

enum option_group {
#define GROUP(id, title) GROUP_##id,
#include "options.def"
	GROUP_HIDDEN,		/* works; for the build, not in help or manual */
	GROUP_PLANNED,		/* known, but answers that it is not implemented yet */
};

struct option_info {
	const char *name;	/* without the dashes */
	char letter;		/* short form, 0 for none */
	enum option_arg arg;
	const char *metavar;	/* of the argument, NULL for ARG_NONE */
	enum option_group group;
	const char *initial;	/* the default, NULL when there is nothing to say */
	const char *help;	/* a line for --help */
	const char *manual;	/* sentences for kvmrun(1) */
	void (*set)(struct config *config, const char *arg);
};

extern const struct option_info option_table[];
extern const size_t option_count;
extern const char *const option_group_titles[];	/* by enum option_group, up to HIDDEN */

#endif
