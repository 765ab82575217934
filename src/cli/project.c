/* SPDX-License-Identifier: MIT */
/* cli/project: an application's folder as the commands see it. */
#include "cli/project.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/screen.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "os/file.h"
#include "recipe/graph.h"
#include "steps/table.h"

/* Where an earlier run was told to keep its state; owned, or NULL: in the folder itself. */
static char *read_state_dir(const char *own)
{
	char *note = ath_file_join(own, ATH_PROJECT_STATE_NOTE), *path = NULL;
	struct ath_str text = { 0 };
	struct ath_err err = { 0 };

	if (ath_file_read(note, PATH_MAX, &text, &err) && text.len > 1 && text.data[0] == '/')
		path = ath_mem_strndup(text.data, strcspn(text.data, "\n"));
	ath_str_fini(&text);
	free(note);
	return path;
}

static bool find_folders(struct ath_project *project, const struct ath_options *options,
			 struct ath_err *err)
{
	char *own;

	if (ath_file_kind(options->dir) != ATH_FILE_FOLDER)
		return ath_err_set(err, ATH_ERR_USAGE, "there is no folder '%s'", options->dir);
	project->root = ath_file_resolve(options->dir, err);
	if (!project->root)
		return false;
	own = ath_file_join(project->root, ".athanor");
	project->state_dir = options->state_dir ? ath_file_resolve(options->state_dir, err)
						: read_state_dir(own);
	if (!project->state_dir && !options->state_dir)
		project->state_dir = ath_mem_strdup(own);
	free(own);
	return project->state_dir != NULL;
}

static void init_hidden(struct ath_project *project)
{
	project->hidden = (struct ath_hidden){
		.set = project->redact,
		.secrets = &project->recipe.env_file.secrets,
		.open = { project->root, project->state_dir, project->recipe.name },
	};
	ath_hidden_add_environ(&project->hidden, &project->environment);
}

/* The values of the .env file, whenever it is another one than before. */
static void learn(void *user)
{
	struct ath_project *project = user;
	const struct ath_recipe_env_file *env_file = &project->recipe.env_file;
	const struct ath_file_stamp *known = &project->env_stamp;
	char *path = ath_file_join(project->root, env_file->is_used ? env_file->to : ".env");
	struct ath_file_stamp stamp = { 0 };

	if (ath_file_stamp(path, &stamp) &&
	    (stamp.ino != known->ino || stamp.size != known->size ||
	     stamp.mtime_ns != known->mtime_ns || stamp.ctime_ns != known->ctime_ns))
		ath_hidden_add_file(&project->hidden, path);
	project->env_stamp = stamp;
	free(path);
}

static bool find_note(void *user, const char *name, struct ath_pairs *out)
{
	struct ath_project *project = user;
	struct ath_err err = { 0 };

	return project->journal && ath_replay_find_note(project->journal, name, out, &err);
}

static void init_world(struct ath_project *project, const struct ath_options *options)
{
	ath_environ_init(&project->environment);
	project->world = (struct ath_step_world){
		.root = project->root,
		.state_dir = project->state_dir,
		.environment = &project->environment,
		.facts = &project->facts,
		.lock_timeout_ms = options->lock_timeout_ms,
		.assume_revision = options->assume_revision,
		.repairs_only = options->repairs_only,
		.allow_row_loss = options->allow_row_loss,
		.is_online = options->online || project->recipe.database.online,
		.allow_new_database = options->allow_new_database,
		.keeps_none = options->no_backup,
		.find_note = find_note,
		.notes = project,
		.redact = project->redact,
		.learn = learn,
	};
}

bool ath_project_open(struct ath_project *project, const struct ath_options *options,
		      struct ath_err *err)
{
	struct ath_spec spec;

	*project = (struct ath_project){ .redact = ath_redact_new() };
	ath_screen_hide(project->redact);
	if (!find_folders(project, options, err) ||
	    !ath_recipe_load(project->root, &project->recipe, &project->text, err))
		return false;
	project->has_recipe = true;
	project->again = options->repairs_only ? "repair" : "install";
	init_world(project, options);
	init_hidden(project);
	learn(project);
	project->is_partial = options->only.len || options->skip.len;
	ath_recipe_graph(&project->recipe, &project->arena, &spec);
	return ath_project_take_graph(project, &spec, err);
}

bool ath_project_open_state(struct ath_project *project, const struct ath_options *options,
			    struct ath_err *err)
{
	struct ath_err untold = { 0 }; /* what needs the recipe says what is wrong with it */

	*project = (struct ath_project){ .redact = ath_redact_new() };
	ath_screen_hide(project->redact);
	if (!find_folders(project, options, err))
		return false;
	project->has_recipe =
		ath_recipe_load(project->root, &project->recipe, &project->text, &untold);
	if (!project->has_recipe)
		project->recipe.name = strrchr(project->root, '/') + 1;
	init_world(project, options);
	init_hidden(project);
	learn(project);
	return true;
}

bool ath_project_take_graph(struct ath_project *project, const struct ath_spec *spec,
			    struct ath_err *err)
{
	project->spec = *spec;
	return ath_graph_build(&project->spec, &project->arena, &project->graph, err) &&
	       ath_survey_bind(&project->spec, &ath_steps, &project->arena, &project->bound, err);
}

bool ath_project_look_at_journal(struct ath_project *project, struct ath_err *err)
{
	char *path = ath_project_path(project, "journal.db");

	project->journal = ath_journal_open_read(path, err);
	free(path);
	return err->code == ATH_ERR_OK;
}

bool ath_project_plan(struct ath_project *project, const struct ath_options *options,
		      struct ath_err *err)
{
	struct ath_plan_choice choice = { options->only, options->skip };

	ath_history_fini(&project->history);
	if (!ath_history_load(project->journal, &project->history, err))
		return false;
	project->looks = ath_arena_new(&project->arena, project->spec.len, sizeof(*project->looks));
	ath_survey_look_all(&project->spec, &project->graph, project->bound, &project->history,
			    &project->world, &project->arena, project->looks, &project->refusal);
	ath_redact_err(project->redact, &project->refusal);
	return ath_plan_make(&project->spec, &project->graph, project->looks, &project->facts,
			     &choice, &project->arena, &project->plan, err);
}

char *ath_project_path(const struct ath_project *project, const char *name)
{
	return ath_file_join(project->state_dir, name);
}

char *ath_project_command(const struct ath_project *project, const char *command)
{
	struct ath_str text = { 0 };

	ath_str_printf(&text, "athanor %s ", command);
	ath_str_put_word(&text, project->root);
	return ath_str_steal(&text);
}

void ath_project_fini(struct ath_project *project)
{
	ath_journal_close(project->journal);
	ath_history_fini(&project->history);
	ath_pairs_fini(&project->facts);
	ath_environ_fini(&project->environment);
	ath_recipe_fini(&project->recipe);
	ath_str_fini(&project->text);
	ath_arena_fini(&project->arena);
	ath_screen_hide(NULL);
	ath_redact_free(project->redact);
	free(project->root);
	free(project->state_dir);
	*project = (struct ath_project){ 0 };
}
