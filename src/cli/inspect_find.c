/* SPDX-License-Identifier: MIT */
/* cli/inspect_find: which database file, as far as can be told without asking the application. */
#include <stdlib.h>
#include <string.h>

#include "cli/inspection.h"
#include "facts/url.h"
#include "os/file.h"

/* What an earlier run learned and recorded, newest kind first. */
static const char *const notes[] = { "target", "verified" };

enum {
	NOTES = sizeof(notes) / sizeof(notes[0]),
};

struct ath_database_config ath_inspect_config(const struct ath_recipe *recipe)
{
	return (struct ath_database_config){
		.alembic = recipe->database.alembic,
		.section = recipe->database.section,
		.url = recipe->database.url,
		.venv = recipe->python.venv,
		.env_file = recipe->env_file.is_used ? recipe->env_file.to : NULL,
	};
}

/* A field of what an earlier run recorded, in the arena; NULL: nothing. */
static const char *find_noted(struct ath_inspection *inspection, const char *field)
{
	const struct ath_step_world *world = &inspection->project->world;
	const char *value = NULL;

	for (size_t i = 0; i < NOTES && !value; i++) {
		struct ath_pairs pairs = { 0 };

		if (world->find_note(world->notes, notes[i], &pairs))
			value = ath_arena_strdup(&inspection->arena, ath_pairs_find(&pairs, field));
		ath_pairs_fini(&pairs);
	}
	return value;
}

/* The file of a URL that stands fast, or NULL. */
static bool read_url(struct ath_inspection *inspection, const char *url, bool from_variable,
		     const char **out_path, struct ath_err *err)
{
	struct ath_url parts;

	if (!ath_url_read(url, &parts, err))
		return false;
	if (!parts.is_sqlite)
		ath_err_set(err, ATH_ERR_REFUSED,
			    "the database is %s, and this version inspects SQLite only",
			    parts.dialect);
	else if (parts.is_memory)
		ath_err_set(err, ATH_ERR_REFUSED,
			    "the database is in memory: there is nothing to inspect");
	else if (parts.path && (parts.path[0] == '/' || !from_variable))
		*out_path = ath_arena_strdup(&inspection->arena, parts.path);
	ath_url_fini(&parts);
	return err->code == ATH_ERR_OK;
}

/* `*out_path` stays NULL where the recipe does not tell. */
static bool find_by_recipe(struct ath_inspection *inspection, const char **out_path,
			   struct ath_err *err)
{
	const struct ath_project *project = inspection->project;
	struct ath_database_config config = ath_inspect_config(&project->recipe);
	struct ath_str url = { 0 };
	bool from_variable = false, is_fine = true;

	if (!ath_database_url(&project->world, &config, &url, &from_variable, err)) {
		/* a variable of an env file that is not there yet: the notes may know */
		is_fine = err->code == ATH_ERR_RECIPE;
		if (is_fine)
			ath_err_clear(err);
	} else if (url.len) {
		is_fine = read_url(inspection, ath_str_get(&url), from_variable, out_path, err);
	}
	ath_str_fini(&url);
	return is_fine;
}

static bool fail_unknown(const struct ath_project *project, struct ath_err *err)
{
	char *command = ath_project_command(project, "inspect -C");

	ath_err_set(err, ATH_ERR_NOT_FOUND,
		    "which database '%s' has is known only to its env.py, which is not asked "
		    "before the first `athanor install`; name the file: %s FILE",
		    project->root, command);
	free(command);
	return false;
}

/* Absolute, without links where it can be told. */
static const char *absolute(struct ath_inspection *inspection, const char *path)
{
	char *joined = ath_file_join(inspection->project->root, path);
	struct ath_err ignored = { 0 };
	char *real = ath_file_resolve(joined, &ignored);
	const char *made = ath_arena_strdup(&inspection->arena, real ? real : joined);

	free(real);
	free(joined);
	return made;
}

bool ath_inspect_find(struct ath_inspection *inspection, const char *stated, struct ath_err *err)
{
	const char *path = NULL, *table = find_noted(inspection, "version_table");
	char *real;

	inspection->version_table = table ? table : "alembic_version";
	if (stated) {
		real = ath_file_resolve(stated, err);
		inspection->path = ath_arena_strdup(&inspection->arena, real);
		free(real);
		return inspection->path != NULL;
	}
	if (!find_by_recipe(inspection, &path, err))
		return false;
	inspection->is_noted = !path;
	if (!path)
		path = find_noted(inspection, "path");
	if (!path)
		return fail_unknown(inspection->project, err);
	inspection->path = absolute(inspection, path);
	return true;
}
