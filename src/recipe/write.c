/* SPDX-License-Identifier: MIT */
/* recipe/write: a recipe as the text of an athanor.yaml. */
#include "recipe/write.h"

#include <string.h>

/* Plain where nobody could read it in another way, else in double quotes. */
static void put_text(struct ath_str *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./-";
	static const char *const words[] = { "true", "false", "null", "Null", "NULL",
					     "yes",  "no",    "on",   "off" };
	bool is_plain = *text && *text != '-' && strspn(text, plain) == strlen(text) &&
			!ath_str_has_prefix(text, "...");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		is_plain = is_plain && strcmp(text, words[i]) != 0;
	if (is_plain) {
		ath_str_puts(out, text);
		return;
	}
	ath_str_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			ath_str_putc(out, '\\');
		ath_str_putc(out, *text);
	}
	ath_str_putc(out, '"');
}

/* A line `key: text`; nothing for NULL. */
static void put_line(struct ath_str *out, const char *indent, const char *key, const char *text)
{
	if (!text)
		return;
	ath_str_printf(out, "%s%s: ", indent, key);
	put_text(out, text);
	ath_str_putc(out, '\n');
}

static void put_list(struct ath_str *out, const char *indent, const char *key,
		     const struct ath_texts *texts)
{
	ath_str_printf(out, "%s%s: [", indent, key);
	for (size_t i = 0; i < texts->len; i++) {
		if (i)
			ath_str_puts(out, ", ");
		put_text(out, texts->items[i]);
	}
	ath_str_puts(out, "]\n");
}

/* As put_list; nothing for an empty list. */
static void put_some(struct ath_str *out, const char *indent, const char *key,
		     const struct ath_texts *texts)
{
	if (texts->len)
		put_list(out, indent, key, texts);
}

static void put_duration(struct ath_str *out, const char *indent, const char *key, uint64_t ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = { { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };
	size_t i = 0;

	while (ms % units[i].ms)
		i++;
	ath_str_printf(out, "%s%s: %llu%s\n", indent, key, (unsigned long long)(ms / units[i].ms),
		       units[i].unit);
}

static void put_python(struct ath_str *out, const struct ath_recipe_python *python)
{
	ath_str_puts(out, "\npython:\n");
	put_line(out, "  ", "version", python->version);
	put_line(out, "  ", "venv", python->venv);
	if (python->requirements.items)
		put_list(out, "  ", "requirements", &python->requirements);
	put_line(out, "  ", "project", python->project);
	if (!python->requirements.items && !python->project)
		ath_str_puts(out, "  # requirements: [requirements.txt]    # none were found\n");
}

static void put_node(struct ath_str *out, const struct ath_recipe_node *node)
{
	if (!node->is_used)
		return;
	ath_str_puts(out, "\nnode:\n");
	put_line(out, "  ", "version", node->version);
	put_line(out, "  ", "dir", node->dir);
}

static void put_env_file(struct ath_str *out, const struct ath_recipe_env_file *env_file)
{
	if (!env_file->is_used)
		return;
	ath_str_puts(out, "\nenv_file:\n");
	put_line(out, "  ", "from", env_file->from);
	put_line(out, "  ", "to", env_file->to);
	if (env_file->secrets.len)
		ath_str_puts(out, "  # values that are generated once, when the file is made\n");
	put_some(out, "  ", "secrets", &env_file->secrets);
}

static void put_database(struct ath_str *out, const struct ath_recipe_database *database)
{
	ath_str_puts(out, "\ndatabase:\n");
	put_line(out, "  ", "alembic", database->alembic);
	put_line(out, "  ", "section", database->section);
	if (!database->url)
		ath_str_puts(out, "  # url: ${DATABASE_URL:-sqlite:///data/app.db}"
				  "    # not stated: env.py is asked\n");
	put_line(out, "  ", "url", database->url);
	if (database->timeout_ms)
		put_duration(out, "  ", "timeout", database->timeout_ms);
	if (database->online)
		ath_str_puts(out, "  online: true\n");
	if (!database->init_run.len)
		return;
	ath_str_puts(out, "  init:\n");
	put_list(out, "    ", "run", &database->init_run);
	put_line(out, "    ", "in", database->init_in);
}

static void put_step(struct ath_str *out, const struct ath_recipe_step *step)
{
	const char *sign = step->when.is_negated ? "!=" : "=";

	ath_str_puts(out, "  ");
	put_text(out, step->name);
	ath_str_puts(out, ":\n");
	put_list(out, "    ", "run", &step->run);
	put_line(out, "    ", "in", step->in);
	if (step->has_needs)
		put_list(out, "    ", "needs", &step->needs);
	put_some(out, "    ", "creates", &step->creates);
	put_some(out, "    ", "inputs", &step->inputs);
	put_some(out, "    ", "check", &step->check);
	if (step->when.fact)
		ath_str_printf(out, "    when: \"%s%s%s\"\n", step->when.fact, sign,
			       step->when.value);
	if (step->optional)
		ath_str_puts(out, "    optional: true\n");
	if (step->always)
		ath_str_puts(out, "    always: true\n");
	if (step->timeout_ms)
		put_duration(out, "    ", "timeout", step->timeout_ms);
	if (step->retries)
		ath_str_printf(out, "    retries: %u\n", step->retries);
}

static void put_service(struct ath_str *out, const struct ath_recipe *recipe)
{
	if (recipe->service_exec.len) {
		ath_str_puts(out, "\nservice:\n");
		put_list(out, "  ", "exec", &recipe->service_exec);
		put_line(out, "  ", "user", recipe->service_user);
	}
	if (recipe->health_url) {
		ath_str_puts(out, "\nhealth:\n");
		put_line(out, "  ", "url", recipe->health_url);
		put_duration(out, "  ", "within", recipe->health_within_ms);
	}
}

void ath_recipe_write(const struct ath_recipe *recipe, struct ath_str *out)
{
	ath_str_puts(out, "# How this application is installed, by athanor. Every path is relative "
			  "to this file.\n");
	ath_str_puts(out, "athanor: 1    # version of this format\n");
	put_line(out, "", "name", recipe->name);
	put_python(out, &recipe->python);
	put_node(out, &recipe->node);
	put_env_file(out, &recipe->env_file);
	if (recipe->directories.len)
		ath_str_putc(out, '\n');
	put_some(out, "", "directories", &recipe->directories);
	put_database(out, &recipe->database);
	if (recipe->steps_len)
		ath_str_puts(out, "\nsteps:\n");
	for (size_t i = 0; i < recipe->steps_len; i++)
		put_step(out, &recipe->steps[i]);
	put_service(out, recipe);
}
