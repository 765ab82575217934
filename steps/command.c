/* SPDX-License-Identifier: MIT */
/*
 * steps/command: a command of the operator's, in the application's surroundings.
 *
 *	check, if there is one: 0 ──► done
 *	else run ──► check again, must be 0 ──► creates, must all be there ──► done
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "steps/appenv.h"
#include "steps/table.h"
#include "steps/tool.h"
#include "steps/tree.h"

struct command_config {
	struct ath_texts run;
	const char *in;
	struct ath_texts creates;
	struct ath_texts inputs;
	struct ath_texts check;
	const char *venv;
	const char *env_file;
};

static const struct ath_field command_fields[] = {
	ATH_FIELD_REQUIRED(command_config, run, ARGV, "Command, as an argument vector."),
	ATH_FIELD_OPTIONAL(command_config, in, PATH, "Folder in which it runs."),
	ATH_FIELD_OPTIONAL(command_config, creates, PATHS, "Paths that prove its effect."),
	ATH_FIELD_OPTIONAL(command_config, inputs, PATHS, "Paths that decide if it runs again."),
	ATH_FIELD_OPTIONAL(command_config, check, ARGV, "Command that proves its effect."),
	ATH_FIELD_REQUIRED(command_config, venv, PATH, "Folder of the virtual environment."),
	ATH_FIELD_OPTIONAL(command_config, env_file, PATH, "The application's settings file."),
	{ 0 },
};

static void command_inputs(const struct ath_step_world *world, const void *config,
			   struct ath_str *out);
static void command_probe(const struct ath_step_world *world, const void *config,
			  struct ath_step_look *out);
static void command_start(struct ath_step *step);

const struct ath_step_type ath_step_command = {
	.name = "command",
	.summary = "Run a command of the operator's.",
	.fields = command_fields,
	.config_size = sizeof(struct command_config),
	.uses_job = true,
	.inputs = command_inputs,
	.probe = command_probe,
	.start = command_start,
};

/* The live database's file, if `path` is a name of it. */
static bool find_database(const struct ath_step_world *world, const char *path,
			  struct ath_file_stamp *out)
{
	const char *known = ath_pairs_find(world->facts, "database.path");
	struct ath_pairs target = { 0 };
	struct ath_file_stamp live;
	bool is_it;

	if (!known && world->find_note && world->find_note(world->notes, "target", &target))
		known = ath_pairs_get(&target, "path");
	is_it = known && ath_file_stamp(known, &live) && ath_file_stamp(path, out) &&
		live.dev == out->dev && live.ino == out->ino;
	ath_pairs_fini(&target);
	return is_it;
}

/*
 * The live database is told by its stamp and never opened: a step beside it may hold its lock in
 * this process, and closing any other descriptor of the file would drop that lock.
 */
static void command_inputs(const struct ath_step_world *world, const void *config_,
			   struct ath_str *out)
{
	const struct command_config *config = config_;

	for (size_t i = 0; i < config->inputs.len; i++) {
		const char *input = config->inputs.items[i];
		char *path = ath_file_join(world->root, input);
		struct ath_file_stamp stamp;

		if (find_database(world, path, &stamp))
			ath_str_printf(out, "%s %" PRIu64 " %" PRId64 "\n", input, stamp.size,
				       stamp.mtime_ns);
		else
			ath_tree_put_path(world->root, input, NULL, NULL, out);
		free(path);
	}
}

/* The first path that should be there and is not, or NULL. */
static const char *find_missing(const struct ath_step_world *world,
				const struct command_config *config)
{
	for (size_t i = 0; i < config->creates.len; i++) {
		char *path = ath_file_join(world->root, config->creates.items[i]);
		bool is_there = ath_file_kind(path) != ATH_FILE_ABSENT;

		free(path);
		if (!is_there)
			return config->creates.items[i];
	}
	return NULL;
}

/* A check is a program, and a probe starts none: it is asked when the step's turn comes. */
static void look_every_time(const struct command_config *config, struct ath_step_look *out)
{
	out->probe = ATH_PROBE_EVERY;
	snprintf(out->detail, sizeof(out->detail), "%s",
		 config->check.len ? "its check is asked first"
				   : "it states neither creates, inputs nor check");
}

static void command_probe(const struct ath_step_world *world, const void *config_,
			  struct ath_step_look *out)
{
	const struct command_config *config = config_;
	const char *missing = find_missing(world, config);

	if (missing)
		snprintf(out->detail, sizeof(out->detail), "there is no '%s'", missing);
	else if (config->creates.len)
		out->probe = ATH_PROBE_WHOLE;
	else if (!config->check.len && config->inputs.len)
		out->probe = ATH_PROBE_UNKNOWN;
	else
		look_every_time(config, out);
}

/* "run 'python' in 'backend'", for messages; in the arena. */
static const char *describe(struct ath_step *step, const char *verb, const struct ath_texts *words)
{
	const struct command_config *config = ath_step_config(step);
	struct ath_str text = { 0 };
	const char *described;

	for (size_t i = 0; i < words->len; i++)
		ath_str_printf(&text, "%s%s", i ? " " : "", words->items[i]);
	described = ath_arena_printf(ath_step_arena(step), "%s '%.120s'%s%s%s", verb,
				     ath_str_get(&text), config->in ? " in '" : "",
				     config->in ? config->in : "", config->in ? "'" : "");
	ath_str_fini(&text);
	return described;
}

static bool start_tool(struct ath_step *step, const char *verb, const struct ath_texts *words,
		       ath_tool_end_fn *on_end, struct ath_err *err)
{
	const struct command_config *config = ath_step_config(step);
	const struct ath_step_world *world = ath_step_world(step);
	char *folder = ath_file_join(world->root, config->in ? config->in : ".");
	struct ath_tool_form form = {
		.what = describe(step, verb, words),
		.argv = ath_appenv_argv(world, config->venv, folder, words, ath_step_arena(step)),
		.cwd = folder,
		.on_end = on_end,
	};
	struct ath_environ environment = { 0 };
	bool is_started = ath_appenv_init(&environment, world, config->venv, config->env_file, err);

	form.environment = &environment;
	is_started = is_started && ath_tool_start(step, &form, err);
	ath_environ_fini(&environment);
	free(folder);
	return is_started;
}

/* The command has run, and its check holds if it has one. */
static void finish(struct ath_step *step)
{
	const struct command_config *config = ath_step_config(step);
	const char *missing = find_missing(ath_step_world(step), config);
	struct ath_err err = { 0 };

	if (!missing) {
		ath_step_done(step);
		return;
	}
	(void)ath_err_set(&err, ATH_ERR_VERIFY, "%s ended with exit status 0, but there is no '%s'",
			  describe(step, "run", &config->run), missing);
	ath_step_fail(step, &err);
}

static void on_checked_after(struct ath_step *step, const struct ath_err *err)
{
	struct ath_err failure = { 0 };

	if (err->code == ATH_ERR_OK) {
		finish(step);
		return;
	}
	failure = *err;
	if (failure.code != ATH_ERR_CANCELLED)
		failure.code = ATH_ERR_VERIFY;
	(void)ath_err_prefix(&failure,
			     "the command ended with exit status 0, but its check does not hold");
	ath_step_fail(step, &failure);
}

static void on_run(struct ath_step *step, const struct ath_err *err)
{
	const struct command_config *config = ath_step_config(step);
	struct ath_err failure = *err;

	if (failure.code == ATH_ERR_OK && !config->check.len) {
		finish(step);
		return;
	}
	if (failure.code != ATH_ERR_OK ||
	    !start_tool(step, "check", &config->check, on_checked_after, &failure))
		ath_step_fail(step, &failure);
}

static void run(struct ath_step *step)
{
	const struct command_config *config = ath_step_config(step);
	struct ath_err err = { 0 };

	if (!start_tool(step, "run", &config->run, on_run, &err))
		ath_step_fail(step, &err);
}

/* Only a check that says no lets the command run; one that was cancelled says nothing. */
static void on_checked_before(struct ath_step *step, const struct ath_err *err)
{
	if (err->code == ATH_ERR_CANCELLED) {
		ath_step_fail(step, err);
	} else if (err->code != ATH_ERR_OK) {
		run(step);
	} else {
		ath_step_say(step, "its check holds already");
		ath_step_logf(step, "athanor: the check holds already, so the command is not run");
		finish(step);
	}
}

static void command_start(struct ath_step *step)
{
	const struct command_config *config = ath_step_config(step);
	struct ath_err err = { 0 };

	if (!config->check.len)
		run(step);
	else if (!start_tool(step, "check", &config->check, on_checked_before, &err))
		ath_step_fail(step, &err);
}
