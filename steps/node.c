/* SPDX-License-Identifier: MIT */
/*
 * steps/node: the frontend's packages, by the manager whose lock file is there.
 *
 * npm writes node_modules/.package-lock.json last, so a killed installation is seen by its absence.
 * A frontend without dependencies may have no node_modules at all: what was there after the last
 * success is in the note "node".
 */
#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"
#include "steps/manager.h"
#include "steps/table.h"
#include "steps/tool.h"

struct node_config {
	const char *dir;
};

static const struct ath_field node_fields[] = {
	ATH_FIELD_REQUIRED(node_config, dir, PATH, "Folder with package.json."),
	{ 0 },
};

static void node_inputs(const struct ath_step_world *world, const void *config,
			struct ath_str *out);
static void node_probe(const struct ath_step_world *world, const void *config,
		       struct ath_step_look *out);
static void node_start(struct ath_step *step);

const struct ath_step_type ath_step_node = {
	.name = "node",
	.summary = "Install the frontend's packages.",
	.fields = node_fields,
	.config_size = sizeof(struct node_config),
	.uses_job = true,
	.inputs = node_inputs,
	.probe = node_probe,
	.start = node_start,
};

/* An attempt; texts are in the step's arena. */
struct installing {
	struct ath_tool tool; /* first: its callbacks look for it there */
	const struct ath_manager *manager;
	const char *folder;  /* absolute */
	const char *modules; /* its node_modules */
};

static struct installing *data_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct installing));
}

static void node_inputs(const struct ath_step_world *world, const void *config_,
			struct ath_str *out)
{
	const struct node_config *config = config_;

	ath_manager_put_inputs(world, config->dir, out);
}

/* Is it known that nothing was there after the last success? */
static bool needs_nothing(const struct ath_step_world *world)
{
	struct ath_pairs note = { 0 };
	bool is_known = world->find_note(world->notes, "node", &note);
	bool is_bare = is_known && !*ath_pairs_get(&note, "installed");

	ath_pairs_fini(&note);
	return is_bare;
}

static void node_probe(const struct ath_step_world *world, const void *config_,
		       struct ath_step_look *out)
{
	const struct node_config *config = config_;
	char *folder = ath_file_join(world->root, config->dir);
	char *modules = ath_file_join(folder, "node_modules");

	if (ath_manager_find_installed(ath_manager_find(folder), folder) || needs_nothing(world)) {
		out->probe = ATH_PROBE_WHOLE;
	} else if (ath_file_kind(modules) == ATH_FILE_FOLDER) {
		out->probe = ATH_PROBE_PARTIAL;
		snprintf(out->detail, sizeof(out->detail), "node_modules is not complete");
	} else {
		snprintf(out->detail, sizeof(out->detail), "there is no node_modules");
	}
	free(modules);
	free(folder);
}

static void on_recorded(struct ath_step *step)
{
	ath_step_done(step);
}

static void on_installed(struct ath_step *step, const struct ath_err *err)
{
	const struct installing *installing = data_of(step);
	const char *installed = ath_manager_find_installed(installing->manager, installing->folder);
	struct ath_err failure = *err;
	struct ath_pairs pairs = { 0 };

	if (failure.code == ATH_ERR_OK && !installed &&
	    ath_file_kind(installing->modules) == ATH_FILE_FOLDER)
		(void)ath_err_set(&failure, ATH_ERR_VERIFY,
				  "%s ended with success, but '%s' is not complete: there is no %s",
				  installing->manager->program, installing->modules,
				  installing->manager->installed[0]);
	if (failure.code != ATH_ERR_OK) {
		ath_step_fail(step, &failure);
		return;
	}
	ath_pairs_set(&pairs, "installed", installed ? installed : "");
	ath_step_record(step, "node", &pairs, on_recorded);
	ath_pairs_fini(&pairs);
}

static void install(struct ath_step *step)
{
	const struct node_config *config = ath_step_config(step);
	const struct installing *installing = data_of(step);
	struct ath_tool_form form = {
		.what = "install the frontend's packages",
		.argv = installing->manager->install,
		.cwd = installing->folder,
		.uses_network = true,
		.on_end = on_installed,
	};
	struct ath_environ environment = { 0 };
	struct ath_err err = { 0 };
	bool is_started;

	ath_step_say(step, "installing the frontend's packages with %s",
		     installing->manager->program);
	is_started = ath_manager_init_environment(installing->manager, ath_step_world(step),
						  config->dir, &environment, &err);
	if (is_started) {
		ath_environ_set(&environment, "CI", "1"); /* no questions, no progress bars */
		form.environment = &environment;
		is_started = ath_tool_start(step, &form, &err);
	}
	ath_environ_fini(&environment);
	if (!is_started)
		ath_step_fail(step, &err);
}

static bool remove_modules(void *data, struct ath_err *err)
{
	struct installing *installing = data;

	return ath_file_remove_tree(installing->modules, err);
}

static void on_removed(struct ath_step *step, const struct ath_err *err)
{
	struct ath_err failure = *err;

	if (failure.code == ATH_ERR_OK) {
		install(step);
		return;
	}
	(void)ath_err_prefix(&failure, "remove the incomplete node_modules");
	ath_step_fail(step, &failure);
}

/* Only with a lock file does the manager itself start from nothing. */
static void node_start(struct ath_step *step)
{
	const struct node_config *config = ath_step_config(step);
	struct installing *installing = data_of(step);
	char *folder = ath_file_join(ath_step_world(step)->root, config->dir);
	char *modules = ath_file_join(folder, "node_modules");

	installing->manager = ath_manager_find(folder);
	installing->folder = ath_arena_strdup(ath_step_arena(step), folder);
	installing->modules = ath_arena_strdup(ath_step_arena(step), modules);
	free(modules);
	free(folder);
	if (!installing->manager->lock && ath_file_kind(installing->modules) != ATH_FILE_ABSENT &&
	    !ath_manager_find_installed(installing->manager, installing->folder))
		ath_step_work(step, remove_modules, installing, on_removed);
	else
		install(step);
}
