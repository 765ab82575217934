/* SPDX-License-Identifier: MIT */
/*
 * steps/build: the frontend's own build command.
 *
 * Whether an output is the right one cannot be seen, only whether it is there: so the record of the
 * last success and the files that the build reads decide. What it wrote is in the note "build".
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "os/file.h"
#include "steps/manager.h"
#include "steps/outputs.h"
#include "steps/table.h"
#include "steps/tool.h"
#include "steps/tree.h"

struct build_config {
	const char *dir;
};

static const struct ath_field build_fields[] = {
	ATH_FIELD_REQUIRED(build_config, dir, PATH, "Folder with package.json."),
	{ 0 },
};

static void build_inputs(const struct ath_step_world *world, const void *config,
			 struct ath_str *out);
static void build_probe(const struct ath_step_world *world, const void *config,
			struct ath_step_look *out);
static void build_start(struct ath_step *step);

const struct ath_step_type ath_step_build = {
	.name = "build",
	.summary = "Build the frontend.",
	.fields = build_fields,
	.config_size = sizeof(struct build_config),
	.uses_job = true,
	.inputs = build_inputs,
	.probe = build_probe,
	.start = build_start,
};

/* An attempt; texts are in the step's arena. */
struct building {
	struct ath_tool tool;   /* first: its callbacks look for it there */
	const char *folder;     /* absolute */
	int64_t since_ns;       /* when it began, by the clock of file times */
	struct ath_str outputs; /* owned; one per line */
};

static struct building *data_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct building));
}

static void build_inputs(const struct ath_step_world *world, const void *config_,
			 struct ath_str *out)
{
	const struct build_config *config = config_;
	struct ath_pairs note = { 0 };
	struct ath_str known = { 0 };
	char *package = ath_file_join(config->dir, "package.json");

	if (world->find_note(world->notes, "build", &note))
		ath_str_puts(&known, ath_pairs_get(&note, "outputs"));
	ath_tree_put_path(world->root, config->dir, ath_outputs_skip, known.data, out);
	ath_tree_put_file(world->root, package, out);
	free(package);
	ath_str_fini(&known);
	ath_pairs_fini(&note);
}

static void build_probe(const struct ath_step_world *world, const void *config_,
			struct ath_step_look *out)
{
	const struct build_config *config = config_;
	char *folder = ath_file_join(world->root, config->dir);
	struct ath_pairs note = { 0 };
	struct ath_str missing = { 0 };
	bool is_known = world->find_note(world->notes, "build", &note);

	if (is_known && ath_outputs_find_missing(folder, ath_pairs_get(&note, "outputs"), &missing))
		snprintf(out->detail, sizeof(out->detail), "its output '%s' is gone",
			 ath_str_get(&missing));
	else if (is_known || ath_outputs_has_usual(folder))
		out->probe = ATH_PROBE_UNKNOWN;
	ath_str_fini(&missing);
	ath_pairs_fini(&note);
	free(folder);
}

static bool find_outputs(void *data, struct ath_err *err)
{
	struct building *building = data;

	(void)err; /* what cannot be read is passed over */
	ath_outputs_find(building->folder, building->since_ns, &building->outputs);
	return true;
}

static void on_recorded(struct ath_step *step)
{
	ath_step_done(step);
}

static void on_found(struct ath_step *step, const struct ath_err *err)
{
	struct building *building = data_of(step);
	struct ath_pairs pairs = { 0 };

	(void)err;
	ath_pairs_set(&pairs, "outputs", ath_str_get(&building->outputs));
	ath_str_fini(&building->outputs);
	ath_step_record(step, "build", &pairs, on_recorded);
	ath_pairs_fini(&pairs);
}

static void on_built(struct ath_step *step, const struct ath_err *err)
{
	if (err->code == ATH_ERR_OK)
		ath_step_work(step, find_outputs, data_of(step), on_found);
	else
		ath_step_fail(step, err);
}

/* The clock that file times are taken from; the other one may be some milliseconds ahead of it. */
static int64_t file_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void build_start(struct ath_step *step)
{
	const struct build_config *config = ath_step_config(step);
	struct building *building = data_of(step);
	char *folder = ath_file_join(ath_step_world(step)->root, config->dir);
	const struct ath_manager *manager = ath_manager_find(folder);
	struct ath_environ environment = { 0 };
	struct ath_err err = { 0 };
	const struct ath_tool_form form = {
		.what = "build the frontend",
		.argv = manager->build,
		.cwd = folder,
		.environment = &environment,
		.on_end = on_built,
	};

	building->folder = ath_arena_strdup(ath_step_arena(step), folder);
	building->since_ns = file_clock_ns();
	ath_step_say(step, "building the frontend");
	if (!ath_manager_init_environment(manager, ath_step_world(step), config->dir, &environment,
					  &err) ||
	    !ath_tool_start(step, &form, &err))
		ath_step_fail(step, &err);
	ath_environ_fini(&environment);
	free(folder);
}
