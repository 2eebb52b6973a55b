/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMRUN_HELP_H
#define KVMRUN_HELP_H

/*
 * What kvmrun says about itself, made from the option table. Each prints to
 * stdout and exits: with 0, or with 125 and a message when stdout fails.
 */
_Noreturn void help_print(void);
_Noreturn void help_print_version(void);

/* The OPTIONS section of kvmrun(1) in roff; docs/kvmrun.1.in takes it in. */
_Noreturn void help_print_manual(void);

/* One option word per line, then its metavar: for completion/kvmrun. */
_Noreturn void help_print_completion(void);

/* The version: KVMRUN_VERSION of the build. */
extern const char kvmrun_version[];

#endif
