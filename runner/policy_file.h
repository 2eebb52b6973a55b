/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy in a file: a JSON object whose names are those of options (of files, network,
 * environment and limits), whose values are what the options take:
 *
 *	{ "ro": ["/usr", "/lib"], "net": "loopback", "mem": "512M", "procs": 4, "wx": true }
 *
 * A number stands for itself in words; true gives an option without a value, false and null
 * leave it out; an array gives an option that adds up many times.
 */
#ifndef KVMRUN_POLICY_FILE_H
#define KVMRUN_POLICY_FILE_H

struct config;

/*
 * Calls each option's set() in the file's order. What is wrong with the file, its JSON or a name in
 * it is one line on stderr and exit status 125. Values live as long as the process.
 */
void policy_file_read(const char *path, struct config *config);

/* The whole of *config as such a file, to stdout. */
void policy_file_print(const struct config *config);

#endif
