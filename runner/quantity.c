/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "quantity.h"

struct unit {
	const char *name;
	uint64_t value;
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "K", 1ULL << 10 },
	{ "M", 1ULL << 20 },
	{ "G", 1ULL << 30 },
	{ "T", 1ULL << 40 },
	{ NULL, 0 },
};

static const struct unit duration_units[] = {
	{ "", 1000000000ULL },
	{ "ms", 1000000ULL },
	{ "s", 1000000000ULL },
	{ "m", 60 * 1000000000ULL },
	{ "h", 3600 * 1000000000ULL },
	{ NULL, 0 },
};

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (strcasecmp(units->name, name) == 0)
			return units;
	return NULL;
}

/* By hand: strtoull() takes blanks, signs, hexadecimal and the locale. */
static const char *parse_digits(const char **text, uint64_t *value)
{
	const char *s = *text;

	if (!isdigit((unsigned char)*s))
		return "it must start with a digit";
	for (*value = 0; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, *s - '0', value))
			return "too large";
	*text = s;
	return NULL;
}

const char *size_parse(const char *text, uint64_t *bytes)
{
	const struct unit *unit;
	const char *why;
	uint64_t n;

	why = parse_digits(&text, &n);
	if (why)
		return why;
	unit = find_unit(size_units, text);
	if (!unit)
		return "after the number only K, M, G or T may follow";
	if (n == 0)
		return "it must be more than zero";
	if (__builtin_mul_overflow(n, unit->value, &n))
		return "too large";
	*bytes = n;
	return NULL;
}

const char *duration_parse(const char *text, uint64_t *ns)
{
	const struct unit *unit;
	const char *why, *digits = NULL;
	uint64_t whole, n;

	why = parse_digits(&text, &whole);
	if (why)
		return why;
	if (*text == '.') {
		digits = ++text;
		if (!isdigit((unsigned char)*text))
			return "a digit must follow the point";
		while (isdigit((unsigned char)*text))
			text++;
	}
	unit = find_unit(duration_units, text);
	if (!unit)
		return "after the number only ms, s, m or h may follow";
	/* one unit below the limit, for the fraction to come */
	if (whole >= INT64_MAX / unit->value)
		return "too large";
	n = whole * unit->value;
	if (digits)
		for (uint64_t place = unit->value / 10; place && isdigit((unsigned char)*digits);
		     place /= 10, digits++)
			n += place * (*digits - '0');
	if (n == 0)
		return "it must be more than zero";
	*ns = n;
	return NULL;
}
