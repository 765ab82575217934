/* SPDX-License-Identifier: MIT */
/*
 * recipe/section: the sections of a recipe, each with its table and with what a table cannot say.
 */
#include "recipe/section.h"

#include <string.h>

#include "base/str.h"
#include "recipe/bind.h"
#include "recipe/expand.h"
#include "recipe/own.h"
#include "recipe/version.h"

struct database_form {
	const char *alembic, *section, *url;
	const struct ath_value *init;
	uint64_t timeout;
	unsigned keep;
	bool online;
};

struct init_form {
	struct ath_texts run;
	const char *in;
};

struct service_form {
	const struct ath_value *exec;
	const char *user;
};

struct health_form {
	const char *url;
	uint64_t within;
};

static const struct ath_field python_fields[] = {
	ATH_FIELD_OPTIONAL(ath_recipe_python, version, TEXT, "Versions, such as \">=3.11\"."),
	ATH_FIELD_OPTIONAL(ath_recipe_python, venv, PATH, "Folder of the environment."),
	ATH_FIELD_OPTIONAL(ath_recipe_python, requirements, PATHS,
			   "Files for pip install -r; a pyproject.toml: its dependencies."),
	ATH_FIELD_OPTIONAL(ath_recipe_python, project, PATH,
			   "Folder whose pyproject.toml is installed editable."),
	{ 0 },
};

static const struct ath_field node_fields[] = {
	ATH_FIELD_OPTIONAL(ath_recipe_node, version, TEXT, "Versions, such as \">=18\"."),
	ATH_FIELD_REQUIRED(ath_recipe_node, dir, PATH, "Folder with package.json."),
	{ 0 },
};

static const struct ath_field env_file_fields[] = {
	ATH_FIELD_OPTIONAL(ath_recipe_env_file, from, PATH, "Example that is copied."),
	ATH_FIELD_OPTIONAL(ath_recipe_env_file, to, PATH, "The file itself."),
	ATH_FIELD_OPTIONAL(ath_recipe_env_file, secrets, TEXTS,
			   "Names whose values are generated."),
	{ 0 },
};

static const struct ath_field database_fields[] = {
	ATH_FIELD_OPTIONAL(database_form, alembic, PATH, "alembic.ini or pyproject.toml."),
	ATH_FIELD_OPTIONAL(database_form, section, TEXT, "Section of the ini."),
	ATH_FIELD_OPTIONAL(database_form, url, TEXT, "Address of the database."),
	ATH_FIELD_OPTIONAL(database_form, init, VALUE, "How a new database is made."),
	ATH_FIELD_OPTIONAL(database_form, timeout, DURATION,
			   "Longest time of each step that runs the migration scripts."),
	ATH_FIELD_OPTIONAL(database_form, keep, COUNT, "Backups that are kept."),
	ATH_FIELD_OPTIONAL(database_form, online, BOOL,
			   "The application goes on using it during an upgrade."),
	{ 0 },
};

static const struct ath_field init_fields[] = {
	ATH_FIELD_REQUIRED(init_form, run, ARGV, "Command, as an argument vector."),
	ATH_FIELD_OPTIONAL(init_form, in, PATH, "Folder in which it runs."),
	{ 0 },
};

static const struct ath_field service_fields[] = {
	ATH_FIELD_REQUIRED(service_form, exec, VALUE, "Command: one word, or a list."),
	ATH_FIELD_OPTIONAL(service_form, user, TEXT, "User as whom it runs."),
	{ 0 },
};

static const struct ath_field health_fields[] = {
	ATH_FIELD_REQUIRED(health_form, url, TEXT, "Address that must answer."),
	ATH_FIELD_OPTIONAL(health_form, within, DURATION, "Longest time until it does."),
	{ 0 },
};

/* `version` points at the text as written and receives the canonical demand. */
static bool check_version(const struct ath_value *map, struct ath_arena *arena,
			  const char **version, struct ath_err *err)
{
	const struct ath_value *value = ath_value_find(map, "version");
	const char *demand;

	if (!value)
		return true;
	demand = ath_version_read(*version, arena);
	if (!demand)
		return ath_err_at(err, ATH_ERR_RECIPE, value->pos,
				  "'%s' is no version: write it as \">=3.11\", \">=3.11,<3.14\" "
				  "or \"==3.11.*\"",
				  *version);
	*version = demand;
	return true;
}

static bool is_variable(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				      "0123456789";
	bool is_digit = name[0] >= '0' && name[0] <= '9';

	return *name && !is_digit && strspn(name, letters) == strlen(name);
}

/* Names that decide how our own children run are never taken from a recipe. */
static bool is_reserved(const char *name)
{
	static const char *const heads[] = { "ATHANOR_", "LD_", "PYTHON" };
	static const char *const names[] = { "PATH", "HOME", "SHELL", "IFS", "ENV", "BASH_ENV" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		if (ath_str_has_prefix(name, heads[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool check_secrets(const struct ath_value *section, struct ath_err *err)
{
	const struct ath_value *secrets = ath_value_find(section, "secrets");

	for (const struct ath_value *one = secrets ? secrets->items : NULL; one; one = one->next) {
		if (!is_variable(one->text))
			return ath_err_at(err, ATH_ERR_RECIPE, one->pos,
					  "'%s' is no name of a variable", one->text);
		if (is_reserved(one->text))
			return ath_err_at(err, ATH_ERR_RECIPE, one->pos,
					  "the variable '%s' cannot be set by a recipe", one->text);
	}
	return true;
}

static bool read_env_file(const struct ath_value *section, struct ath_recipe *recipe,
			  struct ath_err *err)
{
	recipe->env_file.is_used = true;
	return ath_bind_section(env_file_fields, section, "'env_file'", &recipe->arena,
				&recipe->env_file, err) &&
	       check_secrets(section, err);
}

static bool read_python(const struct ath_value *section, struct ath_recipe *recipe,
			struct ath_err *err)
{
	return ath_bind_section(python_fields, section, "'python'", &recipe->arena, &recipe->python,
				err) &&
	       check_version(section, &recipe->arena, &recipe->python.version, err);
}

static bool read_node(const struct ath_value *section, struct ath_recipe *recipe,
		      struct ath_err *err)
{
	recipe->node.is_used = true;
	return ath_bind_section(node_fields, section, "'node'", &recipe->arena, &recipe->node,
				err) &&
	       check_version(section, &recipe->arena, &recipe->node.version, err);
}

static bool read_init(const struct ath_value *section, struct ath_recipe *recipe,
		      struct ath_err *err)
{
	struct init_form form = { 0 };

	if (!ath_bind_section(init_fields, section, "'database.init'", &recipe->arena, &form, err))
		return false;
	recipe->database.init_run = form.run;
	recipe->database.init_in = form.in;
	return true;
}

static bool read_database(const struct ath_value *section, struct ath_recipe *recipe,
			  struct ath_err *err)
{
	struct ath_recipe_database *database = &recipe->database;
	struct database_form form = { .section = database->section, .keep = database->keep };

	if (!ath_bind_section(database_fields, section, "'database'", &recipe->arena, &form, err))
		return false;
	database->alembic = form.alembic;
	database->section = form.section;
	database->url = form.url;
	database->timeout_ms = form.timeout;
	database->keep = form.keep;
	if (!form.keep)
		return ath_err_at(err, ATH_ERR_RECIPE, ath_value_find(section, "keep")->pos,
				  "'keep' in 'database' must be at least 1: the newest backup is "
				  "never removed");
	database->online = form.online;
	if (!*form.section)
		return ath_err_at(err, ATH_ERR_RECIPE, ath_value_find(section, "section")->pos,
				  "'section' in 'database' is empty");
	if (form.url) {
		database->url_pos = ath_value_find(section, "url")->pos;
		if (!*form.url)
			return ath_err_at(err, ATH_ERR_RECIPE, database->url_pos,
					  "'url' in 'database' is empty");
		if (!ath_expand_check(form.url, database->url_pos, err))
			return false;
	}
	return !form.init || read_init(form.init, recipe, err);
}

/* One word of the service's command; a text alone is never split into words. */
static bool check_word(const struct ath_value *word, bool is_alone, struct ath_err *err)
{
	if (is_alone && strpbrk(word->text, " \t"))
		return ath_err_at(
			err, ATH_ERR_RECIPE, word->pos,
			"'exec' with arguments must be a list such as [./start.sh, --port, "
			"\"80\"]");
	return ath_expand_check(word->text, word->pos, err);
}

static bool read_exec(const struct ath_value *exec, struct ath_recipe *recipe, struct ath_err *err)
{
	static const struct ath_field field[] = {
		{ "exec", ATH_FIELD_ARGV, true, 0, "Command." },
		{ 0 },
	};
	struct ath_value word = *exec, list = { .kind = ATH_VALUE_LIST, .pos = exec->pos };
	struct ath_value map = { .kind = ATH_VALUE_MAP, .pos = exec->pos, .items = &list };

	word.next = NULL;
	list.key = "exec";
	list.items = exec->kind == ATH_VALUE_LIST ? exec->items : &word;
	if (!ath_bind_section(field, &map, "'service'", &recipe->arena, &recipe->service_exec, err))
		return false;
	ATH_VALUE_EACH (&list, one) {
		if (!check_word(one, exec->kind == ATH_VALUE_TEXT, err))
			return false;
	}
	return true;
}

static bool read_service(const struct ath_value *section, struct ath_recipe *recipe,
			 struct ath_err *err)
{
	struct service_form form = { 0 };

	if (!ath_bind_section(service_fields, section, "'service'", &recipe->arena, &form, err))
		return false;
	recipe->service_user = form.user;
	if (form.user && !ath_expand_check(form.user, ath_value_find(section, "user")->pos, err))
		return false;
	return read_exec(form.exec, recipe, err);
}

static bool read_health(const struct ath_value *section, struct ath_recipe *recipe,
			struct ath_err *err)
{
	struct health_form form = { .within = recipe->health_within_ms };
	struct ath_pos pos;

	if (!ath_bind_section(health_fields, section, "'health'", &recipe->arena, &form, err))
		return false;
	pos = ath_value_find(section, "url")->pos;
	recipe->health_url = form.url;
	recipe->health_within_ms = form.within;
	if (!ath_str_has_prefix(form.url, "http://") && !ath_str_has_prefix(form.url, "https://") &&
	    !ath_str_has_prefix(form.url, "${"))
		return ath_err_at(err, ATH_ERR_RECIPE, pos,
				  "'url' in 'health' must begin with http:// or https://");
	return ath_expand_check(form.url, pos, err);
}

const struct ath_section ath_sections[] = {
	{ "python", python_fields, read_python },
	{ "node", node_fields, read_node },
	{ "env_file", env_file_fields, read_env_file },
	{ "database", database_fields, read_database },
	{ "service", service_fields, read_service },
	{ "health", health_fields, read_health },
	{ "steps", ath_own_fields, ath_own_read },
	{ 0 },
};

const struct ath_section *ath_section_find(const char *name)
{
	for (const struct ath_section *section = ath_sections; section->name; section++) {
		if (strcmp(section->name, name) == 0)
			return section;
	}
	return NULL;
}
