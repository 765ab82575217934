/* SPDX-License-Identifier: MIT */
/*
 * steps/env_file: the application's settings file, made once from its example.
 *
 * The file is made whole or not at all, for its owner alone, and never touched again: it is the
 * operator's from then on. Secrets are generated here and appear nowhere else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/dotenv.h"
#include "os/file.h"
#include "steps/env_text.h"
#include "steps/table.h"
#include "trust/secret.h"

enum {
	FILE_LIMIT = 1 << 20, /* bytes of the example */
	MODE = 0600,
};

struct env_file_config {
	const char *from;
	const char *to;
	struct ath_texts secrets;
};

static const struct ath_field env_file_fields[] = {
	ATH_FIELD_OPTIONAL(env_file_config, from, PATH, "Example to copy; without it: empty."),
	ATH_FIELD_REQUIRED(env_file_config, to, PATH, "The settings file."),
	ATH_FIELD_OPTIONAL(env_file_config, secrets, TEXTS, "Variables that get a new secret."),
	{ 0 },
};

static void env_file_probe(const struct ath_step_world *world, const void *config,
			   struct ath_step_look *out);
static void env_file_start(struct ath_step *step);

const struct ath_step_type ath_step_env_file = {
	.name = "env_file",
	.summary = "Make the settings file from its example, with new secrets.",
	.fields = env_file_fields,
	.config_size = sizeof(struct env_file_config),
	.probe = env_file_probe,
	.start = env_file_start,
};

static void env_file_probe(const struct ath_step_world *world, const void *config_,
			   struct ath_step_look *out)
{
	const struct env_file_config *config = config_;
	char *path = ath_file_join(world->root, config->to);

	if (ath_file_kind(path) != ATH_FILE_ABSENT)
		out->probe = ATH_PROBE_WHOLE;
	else
		snprintf(out->detail, sizeof(out->detail), "there is no '%s'", config->to);
	free(path);
}

static void wipe(struct ath_str *text)
{
	if (text->data)
		ath_secret_wipe(text->data, text->cap);
	ath_str_fini(text);
}

static void wipe_pairs(struct ath_pairs *pairs)
{
	for (size_t i = 0; i < pairs->len; i++)
		ath_secret_wipe(pairs->items[i].value, strlen(pairs->items[i].value));
	ath_pairs_fini(pairs);
}

static bool is_listed(const struct ath_texts *texts, const char *name)
{
	for (size_t i = 0; i < texts->len; i++) {
		if (strcmp(texts->items[i], name) == 0)
			return true;
	}
	return false;
}

static void warn(struct ath_step *step, const char *file, const struct ath_str *names)
{
	if (!names->len)
		return;
	ath_step_say(step, "'%s' still holds the example's values: set %s", file,
		     ath_str_get(names));
	ath_step_logf(step, "athanor: '%s' still holds the example's values: set %s", file,
		      ath_str_get(names));
}

static void add_name(struct ath_str *names, const char *name)
{
	ath_str_printf(names, "%s%s", names->len ? ", " : "", name);
}

/* The file is there: a secret in it that is empty or the example's is told, and left. */
static void look_at_secrets(struct ath_step *step, const struct ath_str *example, const char *path)
{
	const struct env_file_config *config = ath_step_config(step);
	struct ath_pairs examples = { 0 }, values = { 0 };
	struct ath_str names = { 0 };
	struct ath_err err = { 0 };

	ath_dotenv_read(ath_str_get(example), &examples);
	if (!ath_dotenv_load(path, &values, &err))
		ath_step_logf(step, "athanor: %s", err.msg);
	for (size_t i = 0; i < config->secrets.len && err.code == ATH_ERR_OK; i++) {
		const char *name = config->secrets.items[i];
		const char *value = ath_pairs_get(&values, name);

		if (!*value || ath_str_is(value, ath_pairs_find(&examples, name)))
			add_name(&names, name);
	}
	warn(step, config->to, &names);
	ath_str_fini(&names);
	wipe_pairs(&values);
	ath_pairs_fini(&examples);
}

/* What the example leaves to the operator, by name. */
static void look_at_rest(struct ath_step *step, const struct ath_str *example)
{
	const struct env_file_config *config = ath_step_config(step);
	struct ath_pairs examples = { 0 };
	struct ath_str names = { 0 };

	ath_dotenv_read(ath_str_get(example), &examples);
	for (size_t i = 0; i < examples.len; i++) {
		if (!is_listed(&config->secrets, examples.items[i].name) &&
		    ath_env_text_is_placeholder(examples.items[i].value))
			add_name(&names, examples.items[i].name);
	}
	warn(step, config->to, &names);
	ath_str_fini(&names);
	ath_pairs_fini(&examples);
}

/* Make the file; `is_there` is set if somebody else made it. */
static bool make(struct ath_step *step, const struct ath_str *example, const char *path,
		 bool *out_is_there, struct ath_err *err)
{
	const struct env_file_config *config = ath_step_config(step);
	struct ath_str text = { 0 };
	bool is_made;

	*out_is_there = false;
	ath_env_text_fill(ath_str_get(example), &config->secrets, &text);
	is_made = ath_file_create(path, ath_str_get(&text), text.len, MODE, err) &&
		  ath_file_adopt(path, MODE, err);
	wipe(&text);
	if (is_made) {
		ath_step_logf(step, "athanor: has made '%s' with %zu new secrets", config->to,
			      config->secrets.len);
		look_at_rest(step, example);
	} else if (err->code == ATH_ERR_EXISTS) {
		ath_err_clear(err);
		*out_is_there = is_made = true;
	}
	return is_made;
}

static bool settle(struct ath_step *step, const char *path, struct ath_err *err)
{
	const struct env_file_config *config = ath_step_config(step);
	char *from = config->from ? ath_file_join(ath_step_world(step)->root, config->from) : NULL;
	bool is_there = ath_file_kind(path) != ATH_FILE_ABSENT, is_settled = true;
	struct ath_str example = { 0 };

	if (from && !ath_file_read(from, FILE_LIMIT, &example, err)) {
		if (is_there)
			ath_err_clear(err); /* an example that is gone is not needed any more */
		else
			is_settled = ath_err_prefix(err, "copy the example of '%s'", config->to);
	}
	if (is_settled && !is_there)
		is_settled = make(step, &example, path, &is_there, err) ||
			     ath_err_prefix(err, "make '%s'", config->to);
	if (is_settled && is_there)
		look_at_secrets(step, &example, path);
	ath_str_fini(&example);
	free(from);
	return is_settled;
}

static void env_file_start(struct ath_step *step)
{
	const struct env_file_config *config = ath_step_config(step);
	char *path = ath_file_join(ath_step_world(step)->root, config->to);
	struct ath_err err = { 0 };

	if (settle(step, path, &err))
		ath_step_done(step);
	else
		ath_step_fail(step, &err);
	free(path);
}
