/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"
#include "msg.h"
#include "options.h"

#ifndef KVMRUN_VERSION
#define KVMRUN_VERSION "0.1"
#endif

const char kvmrun_version[] = KVMRUN_VERSION;

/* Column of --help at which the descriptions start. */
#define HELP_COLUMN 28
#define HELP_WIDTH 80

_Noreturn static void finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		die(KVMRUN_FAILED, "cannot write to standard output: %m");
	exit(0);
}

void help_print_version(void)
{
	printf("kvmrun %s\n", kvmrun_version);
	finish();
}

/* What stands between an option's name and its argument, and after it. */
static const char *const before_arg[] = {
	[ARG_NONE] = "", [ARG_REQUIRED] = " ", [ARG_OPTIONAL] = "[=",
};
static const char *const after_arg[] = {
	[ARG_NONE] = "", [ARG_REQUIRED] = "", [ARG_OPTIONAL] = "]",
};

static void help_option(const struct option_info *o)
{
	char left[80];
	int n;

	n = snprintf(left, sizeof(left), o->letter ? "  -%c, --%s%s%s%s" : "  %c   --%s%s%s%s",
		     o->letter ? o->letter : ' ', o->name, before_arg[o->arg],
		     o->metavar ? o->metavar : "", after_arg[o->arg]);
	if (n >= HELP_COLUMN)
		printf("%s\n%*s", left, HELP_COLUMN, "");
	else
		printf("%-*s", HELP_COLUMN, left);
	n = HELP_COLUMN + printf("%s", o->help);
	if (o->initial) {
		/* on a line of its own when it would not fit */
		snprintf(left, sizeof(left), "(default: %s)", o->initial);
		if (n + 1 + strlen(left) > HELP_WIDTH)
			printf("\n%*s%s", HELP_COLUMN, "", left);
		else
			printf(" %s", left);
	}
	putchar('\n');
}

void help_print(void)
{
	puts("Usage: kvmrun [OPTION]... [--] PROGRAM [ARG]...\n"
	     "Run one Linux program in its own virtual machine and exit with its status.\n"
	     "It has no files and no network but what these options give it.");
	for (int group = 0; group < GROUP_HIDDEN; group++) {
		printf("\n%s:\n", option_group_titles[group]);
		for (size_t i = 0; i < option_count; i++)
			if ((int)option_table[i].group == group)
				help_option(&option_table[i]);
	}
	puts("\nStatus: the program's own; 128+N if signal N killed it; 124 time limit;\n"
	     "125 kvmrun failed; 126 PROGRAM cannot be run; 127 PROGRAM not found.\n"
	     "SIZE: 4096, 512M, 2G. DURATION: 10, 1.5, 500ms, 2m, 1h. More: man kvmrun");
	finish();
}

/* One character as roff takes it literally. */
static void roff_char(char c)
{
	switch (c) {
	case '-':
		fputs("\\-", stdout);
		break;
	case '\\':
		fputs("\\e", stdout);
		break;
	default:
		putchar(c);
	}
}

static void roff_word(const char *s, size_t n)
{
	/* punctuation after an option is not part of its name */
	size_t option = strncmp(s, "--", 2) == 0 ? 2 + strcspn(s + 2, " ,.;:)") : 0;

	if (option)
		fputs("\\fB", stdout);
	for (size_t i = 0; i < n; i++) {
		if (option && i == option)
			fputs("\\fR", stdout);
		roff_char(s[i]);
	}
	if (option == n)
		fputs("\\fR", stdout);
}

/* A new line per sentence, which roff then spaces, and before lines get long. */
static void roff_text(const char *s)
{
	size_t column = 0;

	while (*s) {
		size_t n = strcspn(s, " ");

		/* at the start of a line these would be a request */
		if (column == 0 && (*s == '.' || *s == '\''))
			fputs("\\&", stdout);
		roff_word(s, n);
		column += n + 1;
		s += n;
		if (*s == ' ') {
			if (column > 56 || s[-1] == '.')
				column = 0;
			putchar(column ? ' ' : '\n');
			s++;
		}
	}
	putchar('\n');
}

static void roff_option(const struct option_info *o)
{
	puts(".TP");
	if (o->letter)
		printf("\\fB\\-%c\\fR, ", o->letter);
	fputs("\\fB\\-\\-", stdout);
	for (const char *s = o->name; *s; s++)
		roff_char(*s);
	fputs("\\fR", stdout);
	if (o->metavar)
		printf("%s\\fI%s\\fR%s", before_arg[o->arg], o->metavar, after_arg[o->arg]);
	putchar('\n');
	roff_text(o->manual);
	if (o->initial) {
		fputs("Default: ", stdout);
		roff_text(o->initial);
	}
}

void help_print_manual(void)
{
	puts(".SH OPTIONS");
	for (int group = 0; group < GROUP_HIDDEN; group++) {
		printf(".SS %s\n", option_group_titles[group]);
		for (size_t i = 0; i < option_count; i++)
			if ((int)option_table[i].group == group)
				roff_option(&option_table[i]);
	}
	finish();
}

void help_print_completion(void)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_info *o = &option_table[i];

		if (o->group >= GROUP_HIDDEN)
			continue;
		printf("--%s %s\n", o->name, o->arg == ARG_REQUIRED ? o->metavar : "");
		if (o->arg == ARG_OPTIONAL)
			printf("--%s= %s\n", o->name, o->metavar);
		if (o->letter)
			printf("-%c\n", o->letter);
	}
	finish();
}
