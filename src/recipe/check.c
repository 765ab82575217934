/* SPDX-License-Identifier: MIT */
/*
 * recipe/check: the top level of a recipe.
 *
 * The order is that of the questions: is it a format we know, is each section well formed, do the
 * steps make a graph.
 */
#include "recipe/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "plan/graph.h"
#include "recipe/bind.h"
#include "recipe/graph.h"
#include "recipe/section.h"

enum {
	MOST_NAME = 64,           /* bytes of the application's name */
	HEALTH_WITHIN_MS = 60000, /* unless stated */
};

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._-";

/* The top level; each section is a value that is read by a table of its own. */
struct recipe_form {
	const char *athanor, *name;
	const struct ath_value *python, *node, *env_file;
	struct ath_texts directories;
	const struct ath_value *database, *steps, *service, *health;
};

const struct ath_field ath_check_fields[] = {
	ATH_FIELD_REQUIRED(recipe_form, athanor, TEXT, "Version of the format: 1."),
	ATH_FIELD_OPTIONAL(recipe_form, name, TEXT, "Name of the application."),
	ATH_FIELD_OPTIONAL(recipe_form, python, VALUE, "The Python environment."),
	ATH_FIELD_OPTIONAL(recipe_form, node, VALUE, "The frontend's packages."),
	ATH_FIELD_OPTIONAL(recipe_form, env_file, VALUE, "The file of settings."),
	ATH_FIELD_OPTIONAL(recipe_form, directories, PATHS, "Folders that are created."),
	ATH_FIELD_OPTIONAL(recipe_form, database, VALUE, "The database and its migrations."),
	ATH_FIELD_OPTIONAL(recipe_form, steps, VALUE, "The recipe's own steps."),
	ATH_FIELD_OPTIONAL(recipe_form, service, VALUE, "How the application is started."),
	ATH_FIELD_OPTIONAL(recipe_form, health, VALUE, "How it is seen that it runs."),
	{ 0 },
};

/* The folder's name with every byte that a name may not have as '-'. */
static const char *name_of_folder(struct ath_recipe *recipe)
{
	const char *end = recipe->root + strlen(recipe->root), *start;
	char *name;

	while (end > recipe->root && end[-1] == '/')
		end--;
	start = end;
	while (start > recipe->root && start[-1] != '/' && end - start < MOST_NAME)
		start--;
	name = ath_arena_strndup(&recipe->arena, start, (size_t)(end - start));
	for (char *at = name; *at; at++) {
		if (!strchr(name_letters, *at) || (at == name && strchr("._-", *at)))
			*at = at == name ? 'x' : '-';
	}
	return *name ? name : "application";
}

void ath_check_defaults(struct ath_recipe *recipe)
{
	recipe->name = name_of_folder(recipe);
	recipe->python.venv = ".venv";
	recipe->env_file.to = ".env";
	recipe->database.section = "alembic";
	recipe->database.keep = ATH_RECIPE_KEEP;
	recipe->health_within_ms = HEALTH_WITHIN_MS;
}

static bool check_format(const struct ath_value *tree, struct ath_err *err)
{
	const struct ath_value *format = ath_value_find(tree, "athanor");
	char *end;

	if (!format || format->kind != ATH_VALUE_TEXT)
		return true; /* the table reports it */
	if (strcmp(format->text, ATH_CHECK_FORMAT) == 0)
		return true;
	if (strtoul(format->text, &end, 10) > 1 && !*end)
		return ath_err_at(err, ATH_ERR_RECIPE, format->pos,
				  "this recipe has format %s and this athanor reads format "
				  "%s: a newer athanor is needed",
				  format->text, ATH_CHECK_FORMAT);
	return ath_err_at(err, ATH_ERR_RECIPE, format->pos, "'athanor' must be %s",
			  ATH_CHECK_FORMAT);
}

static bool check_name(const struct ath_value *tree, const char *name, struct ath_err *err)
{
	const struct ath_value *value = ath_value_find(tree, "name");
	size_t len = strlen(name);

	if (!value || (len && len <= MOST_NAME && strspn(name, name_letters) == len &&
		       !strchr("._-", name[0])))
		return true;
	return ath_err_at(err, ATH_ERR_RECIPE, value->pos,
			  "'name' takes letters, digits, '.', '_' and '-', at most %d, and begins "
			  "with a letter or a digit",
			  MOST_NAME);
}

/* Each value has the name of its section as its key. */
static bool read_sections(const struct recipe_form *form, struct ath_recipe *recipe,
			  struct ath_err *err)
{
	const struct ath_value *const values[] = { form->python,   form->node,    form->env_file,
						   form->database, form->service, form->health,
						   form->steps };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const struct ath_section *section =
			values[i] ? ath_section_find(values[i]->key) : NULL;

		if (section && !section->read(values[i], recipe, err))
			return false;
	}
	return true;
}

static bool check_graph(const struct ath_recipe *recipe, struct ath_err *err)
{
	struct ath_arena arena = { 0 };
	struct ath_spec spec;
	struct ath_graph graph;
	bool is_built;

	ath_recipe_graph(recipe, &arena, &spec);
	is_built = ath_graph_build(&spec, &arena, &graph, err);
	ath_arena_fini(&arena);
	return is_built;
}

bool ath_check_recipe(const struct ath_value *tree, struct ath_recipe *recipe, struct ath_err *err)
{
	struct recipe_form form = { .name = recipe->name };

	if (!check_format(tree, err) ||
	    !ath_bind_section(ath_check_fields, tree, "the recipe", &recipe->arena, &form, err) ||
	    !check_name(tree, form.name, err))
		return false;
	recipe->name = form.name;
	recipe->directories = form.directories;
	return read_sections(&form, recipe, err) && check_graph(recipe, err);
}
