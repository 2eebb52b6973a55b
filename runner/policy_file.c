/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "options.h"
#include "policy_file.h"

/* ------------------------------------------------------------------ reading */

static const char *const adding_up[] = { "ro", "rw", "net", "env" };

static bool adds_up(const char *name)
{
	for (size_t i = 0; i < sizeof(adding_up) / sizeof(adding_up[0]); i++)
		if (strcmp(adding_up[i], name) == 0)
			return true;
	return false;
}

/* What a policy is made of: not what is printed, nor where it runs. */
static const struct option_info *find(const char *path, const char *name)
{
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].group <= GROUP_LIMITS && strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	die(KVMRUN_FAILED, "%s: \"%s\" is not of a policy; options of files, network, environment and limits are, "
	    "see kvmrun --help", path, name);
}

/* For as long as the process lives: the config has strings of it. */
static json_t *keep(json_t *value)
{
	static json_t *kept;

	if (!kept)
		kept = json_array();
	return json_array_append_new(kept, value) < 0 ? NULL : value;
}

static void set_one(const char *path, const struct option_info *o, const json_t *value, struct config *config)
{
	if (json_is_null(value) || json_is_false(value))
		return;
	if (json_is_true(value) && o->arg != ARG_REQUIRED) {
		o->set(config, NULL);
		return;
	}
	if (json_is_integer(value) && o->arg != ARG_NONE)
		value = keep(json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value)));
	else if (!json_is_string(value) || o->arg == ARG_NONE)
		die(KVMRUN_FAILED, "%s: \"%s\" takes %s", path, o->name,
		    o->arg == ARG_NONE ? "true or false" : o->arg == ARG_REQUIRED ? "a string or a whole number"
		    : "true, a string or a whole number");
	if (!value)
		die(KVMRUN_FAILED, "out of memory while reading %s", path);
	o->set(config, json_string_value(value));
}

void policy_file_read(const char *path, struct config *config)
{
	json_error_t error;
	json_t *policy = json_load_file(path, JSON_REJECT_DUPLICATES, &error), *value;
	const char *name;
	size_t i;

	/* of a file that cannot be read there is no line */
	if (!policy && error.line < 0)
		die(KVMRUN_FAILED, "%s: cannot read the policy: %s", path, error.text);
	if (!policy)
		die(KVMRUN_FAILED, "%s:%d: not JSON: %s", path, error.line, error.text);
	if (!keep(policy))
		die(KVMRUN_FAILED, "out of memory while reading %s", path);
	if (!json_is_object(policy))
		die(KVMRUN_FAILED, "%s: a policy is a JSON object: { \"mem\": \"512M\" }", path);
	json_object_foreach(policy, name, value) {
		const struct option_info *o = find(path, name);
		json_t *one;

		if (!json_is_array(value)) {
			set_one(path, o, value, config);
			continue;
		}
		if (!adds_up(name))
			die(KVMRUN_FAILED, "%s: \"%s\" takes one value, no array", path, name);
		json_array_foreach(value, i, one)
			set_one(path, o, one, config);
	}
}

/* ----------------------------------------------------------------- printing */

/* Takes over value. A path or name that is no UTF-8 has no place in JSON. */
static void put(json_t *policy, const char *name, json_t *value)
{
	if (!value || json_object_set_new(policy, name, value) < 0)
		die(KVMRUN_FAILED, "--print-policy: %s cannot be told in JSON: it is not UTF-8", name);
}

static void append(json_t *array, const char *name, json_t *value)
{
	if (!value || json_array_append_new(array, value) < 0)
		die(KVMRUN_FAILED, "--print-policy: %s cannot be told in JSON: it is not UTF-8", name);
}

/* As --ro takes it: a colon of the host's path is escaped. */
static json_t *grant_text(const struct grant *g)
{
	char *text = malloc(2 * strlen(g->host) + strlen(g->guest) + 2), *end = text;
	json_t *value;

	if (!text)
		return NULL;
	for (const char *s = g->host; *s; s++) {
		if (*s == ':')
			*end++ = '\\';
		*end++ = *s;
	}
	*end++ = ':';
	strcpy(end, g->guest);
	value = json_string(text);
	free(text);
	return value;
}

static void put_grants(json_t *policy, const struct config *config, const char *name, bool writable)
{
	json_t *list = json_array();

	for (size_t i = 0; i < config->ngrants; i++)
		if (config->grants[i].writable == writable)
			append(list, name, grant_text(&config->grants[i]));
	put(policy, name, list);
}

static void put_net(json_t *policy, const struct config *config)
{
	static const char *const names[] = { [NET_NONE] = "none", [NET_LOOPBACK] = "loopback", [NET_HOST] = "host" };
	json_t *list;

	if (config->net != NET_LISTED) {
		put(policy, "net", json_string(names[config->net]));
		return;
	}
	list = json_array();
	for (size_t i = 0; i < config->nconnect; i++)
		append(list, "net", json_sprintf("connect=%s", config->net_connect[i]));
	for (size_t i = 0; i < config->nlisten; i++)
		append(list, "net", json_sprintf("listen=%u", config->net_listen[i]));
	put(policy, "net", list);
}

static void put_duration(json_t *policy, const char *name, uint64_t ns)
{
	put(policy, name, !ns ? json_null() : ns % 1000000
	    ? json_sprintf("%" PRIu64 ".%09us", ns / 1000000000, (unsigned int)(ns % 1000000000))
	    : json_sprintf("%" PRIu64 "ms", ns / 1000000));
}

static void put_bytes(json_t *policy, const char *name, uint64_t bytes)
{
	put(policy, name, bytes ? json_sprintf("%" PRIu64, bytes) : json_null());
}

void policy_file_print(const struct config *config)
{
	json_t *policy = json_object(), *env = json_array();

	put_grants(policy, config, "ro", false);
	put_grants(policy, config, "rw", true);
	put_bytes(policy, "tmp", config->tmp ? config->tmp_bytes : 0);
	put(policy, "cwd", json_string(config->cwd));
	put_net(policy, config);
	for (char **e = config->env; *e; e++)
		append(env, "env", json_string(*e));
	put(policy, "env", env);
	put(policy, "arg0", config->arg0 ? json_string(config->arg0) : json_null());
	put_bytes(policy, "mem", config->mem_bytes);
	put(policy, "threads", json_integer(config->threads));
	put(policy, "procs", json_integer(config->procs));
	put_duration(policy, "timeout", config->timeout_ns);
	put_duration(policy, "cpu-time", config->cpu_ns);
	put(policy, "fds", json_integer(config->fds));
	put_bytes(policy, "fsize", config->fsize_bytes);
	put_bytes(policy, "output", config->output_bytes);
	put(policy, "wx", json_boolean(config->wx));
	if (json_dumpf(policy, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF || fflush(stdout))
		die(KVMRUN_FAILED, "cannot write to standard output: %m");
	json_decref(policy);
}
