/* SPDX-License-Identifier: MIT */
/*
 * steps/init: builds a new database on a scratch file, which `commit` then puts into place.
 *
 * Ways, in this order: the recipe's command, else `upgrade head`, else create_all from the project's
 * metadata. A way that fails leaves nothing: the next starts on a new scratch file. What came out is
 * stamped or upgraded until its version rows are the heads of the graph; the file names' order never
 * matters.
 */
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "steps/appenv.h"
#include "steps/bridge_run.h"
#include "steps/database.h"
#include "steps/table.h"

enum phase {
	PHASE_COMMAND, /* the recipe's command ran, and the version rows were read */
	PHASE_COMPARE, /* it left no rows: the tables are held against the models */
	PHASE_UPGRADE, /* from empty, or from where the command left it, to the heads */
	PHASE_MODELS,  /* create_all */
	PHASE_STAMP,   /* what create_all or the command made is stamped */
};

struct init {
	struct ath_bridge_run bridge; /* first member, for its callbacks */
	enum phase phase;
	struct ath_bridge_command commands[2];
	struct ath_err first_failure; /* of the upgrade, if create_all is tried after it */
	struct ath_texts missing;
	bool has_rows;
};

static struct init *init_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct init));
}

static void on_end(struct ath_step *step, const struct ath_err *err);

static void on_reply(struct ath_step *step, const struct ath_bridge_reply *reply)
{
	struct init *init = init_of(step);

	if (reply->event == ATH_BRIDGE_SAYS_CURRENT)
		init->has_rows = reply->rows.len > 0;
	if (reply->event == ATH_BRIDGE_SAYS_MISSING)
		init->missing = reply->tables.len ? reply->tables : reply->columns;
	if (reply->event == ATH_BRIDGE_SAYS_REVISION && ath_str_is(reply->state, "start"))
		ath_step_say(step, "revision %s", reply->revision);
}

/* A new, empty scratch file. */
static bool make_scratch(const struct ath_database_work *work, struct ath_err *err)
{
	return ath_file_remove_tree(work->clone, err) &&
	       ath_file_create(work->clone, "", 0, 0600, err);
}

static void start_phase(struct ath_step *step, enum phase phase, size_t commands, bool on_scratch)
{
	struct init *init = init_of(step);
	struct ath_database_work *work = ath_step_section(step);
	struct ath_err err = { 0 };

	init->phase = phase;
	init->bridge = (struct ath_bridge_run){
		.config = ath_step_config(step),
		.clone = work->clone,
		.live = work->path,
		.commands = init->commands,
		.len = commands,
		.on_reply = on_reply,
		.on_end = on_end,
	};
	if ((on_scratch && !make_scratch(work, &err)) || !ath_bridge_run_start(step, &err))
		ath_step_fail(step, &err);
}

static struct ath_texts heads_of(struct ath_step *step)
{
	struct ath_database_work *work = ath_step_section(step);
	struct ath_arena *arena = ath_step_arena(step);
	char *rest, *one, *heads = ath_arena_strdup(arena, work->heads);
	const char **items = ath_arena_new(arena, strlen(heads) / 2 + 2, sizeof(*items));
	struct ath_texts texts = { .items = items };

	for (one = strtok_r(heads, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
		items[texts.len++] = one;
	return texts;
}

static void start_stamp(struct ath_step *step)
{
	struct init *init = init_of(step);

	init->commands[0] =
		(struct ath_bridge_command){ .verb = ATH_BRIDGE_STAMP, .ids = heads_of(step) };
	start_phase(step, PHASE_STAMP, 1, false);
}

static void start_upgrade(struct ath_step *step, bool on_scratch)
{
	struct init *init = init_of(step);

	init->commands[0] = (struct ath_bridge_command){ .verb = ATH_BRIDGE_UPGRADE };
	start_phase(step, PHASE_UPGRADE, 1, on_scratch);
}

static void start_models(struct ath_step *step, const struct ath_err *failure)
{
	struct init *init = init_of(step);

	init->first_failure = *failure;
	ath_step_say(step, "the chain does not run from empty, making the tables from the models");
	ath_step_logf(step, "athanor: upgrade from empty: %s", failure->msg);
	init->commands[0] = (struct ath_bridge_command){ .verb = ATH_BRIDGE_CREATE_ALL };
	start_phase(step, PHASE_MODELS, 1, true);
}

static bool verify_work(void *data, struct ath_err *err)
{
	return ath_database_verify(data, NULL, err);
}

static void on_verified(struct ath_step *step, const struct ath_err *verify_err)
{
	struct ath_database_work *work = ath_step_section(step);
	struct ath_err err = *verify_err;
	struct ath_pairs pairs = { 0 };

	if (err.code == ATH_ERR_OK && !work->after.tables_len)
		ath_err_set(&err, ATH_ERR_VERIFY, "the new database has no tables");
	if (err.code != ATH_ERR_OK) {
		ath_step_fail(step, &err);
		return;
	}
	ath_pairs_set(&pairs, "pages", work->new_pages);
	ath_step_record(step, "db.verified", &pairs, ath_step_done);
	ath_pairs_fini(&pairs);
}

/* The recipe's command has run: what is the state of the scratch file? */
static void after_command(struct ath_step *step)
{
	struct init *init = init_of(step);

	if (init->has_rows) {
		start_upgrade(step, false); /* runs nothing if the rows are the heads */
		return;
	}
	init->commands[0] = (struct ath_bridge_command){ .verb = ATH_BRIDGE_MISSING };
	start_phase(step, PHASE_COMPARE, 1, false);
}

/* Without version rows only tables like the models' show that the file is at the head. */
static void after_compare(struct ath_step *step)
{
	struct init *init = init_of(step);
	struct ath_err err = { 0 };

	if (!init->missing.len) {
		start_stamp(step);
		return;
	}
	ath_err_set(&err, ATH_ERR_VERIFY,
		    "the command for a new database left no version row, and '%s' of the models is "
		    "missing, so it is not at the head",
		    init->missing.items[0]);
	ath_step_fail(step, &err);
}

static void on_end(struct ath_step *step, const struct ath_err *bridge_err)
{
	struct init *init = init_of(step);
	const struct ath_database_config *config = ath_step_config(step);
	struct ath_err err = *bridge_err;

	if (err.code != ATH_ERR_OK && ath_step_is_cancelled(step)) {
		ath_step_fail(step, &err);
	} else if (err.code == ATH_ERR_BRIDGE && init->phase == PHASE_UPGRADE &&
		   init->bridge.is_of_schema && !config->init_run.len) {
		start_models(step, &err);
	} else if (err.code != ATH_ERR_OK && init->phase == PHASE_MODELS) {
		ath_step_logf(step, "athanor: create_all: %s", err.msg);
		ath_step_fail(step, &init->first_failure);
	} else if (err.code != ATH_ERR_OK) {
		ath_err_prefix(&err, "making a new database");
		ath_step_fail(step, &err);
	} else if (init->phase == PHASE_COMMAND) {
		after_command(step);
	} else if (init->phase == PHASE_COMPARE) {
		after_compare(step);
	} else if (init->phase == PHASE_MODELS) {
		start_stamp(step);
	} else {
		ath_step_work(step, verify_work, ath_step_section(step), on_verified);
	}
}

/* A Python command runs inside the bridge, with every connection forced onto the scratch file. */
static void start_python(struct ath_step *step, const char *folder)
{
	const struct ath_database_config *config = ath_step_config(step);
	struct init *init = init_of(step);

	init->commands[0] = (struct ath_bridge_command){
		.verb = ATH_BRIDGE_RUN,
		.ids = config->init_run,
		.cwd = folder,
	};
	init->commands[1] = (struct ath_bridge_command){ .verb = ATH_BRIDGE_CURRENT };
	start_phase(step, PHASE_COMMAND, 2, true);
}

/* Any other command knows the scratch file by its environment only: did it use it? */
static void on_command_exit(struct ath_step *step, const struct ath_child_result *result)
{
	struct ath_database_work *work = ath_step_section(step);
	struct init *init = init_of(step);
	struct ath_err err = { 0 };

	if (ath_step_check_exit(result, "the command for a new database", &err) &&
	    work->was_absent && ath_file_kind(work->path) != ATH_FILE_ABSENT)
		ath_err_set(
			&err, ATH_ERR_VERIFY,
			"the command for a new database did not use the file that its environment "
			"names; let it follow the variable of database.url");
	if (err.code != ATH_ERR_OK) {
		ath_step_fail(step, &err);
		return;
	}
	init->commands[0] = (struct ath_bridge_command){ .verb = ATH_BRIDGE_CURRENT };
	start_phase(step, PHASE_COMMAND, 1, false);
}

static void start_program(struct ath_step *step, const char *folder)
{
	const struct ath_database_config *config = ath_step_config(step);
	const struct ath_step_world *world = ath_step_world(step);
	struct ath_database_work *work = ath_step_section(step);
	struct ath_environ environment;
	struct ath_step_command command = {
		.argv = ath_appenv_argv(world, config->venv, folder, &config->init_run,
					ath_step_arena(step)),
		.cwd = folder,
		.environment = &environment,
		.on_exit = on_command_exit,
	};
	struct ath_err err = { 0 };

	ath_database_environ(world, config, work->path, work->clone, &environment);
	if (!make_scratch(work, &err) || !ath_step_exec(step, &command, &err))
		ath_step_fail(step, &err);
	ath_environ_fini(&environment);
}

static bool is_python(const char *word)
{
	const char *slash = strrchr(word, '/');

	return ath_str_has_prefix(slash ? slash + 1 : word, "python");
}

static void init_start(struct ath_step *step)
{
	const struct ath_database_config *config = ath_step_config(step);
	char *joined =
		ath_file_join(ath_step_world(step)->root, config->init_in ? config->init_in : ".");
	const char *folder = ath_arena_strdup(ath_step_arena(step), joined);

	free(joined);
	if (!config->init_run.len)
		start_upgrade(step, true);
	else if (is_python(config->init_run.items[0]))
		start_python(step, folder);
	else
		start_program(step, folder);
}

static void init_probe(const struct ath_step_world *world, const void *config,
		       struct ath_step_look *out)
{
	(void)world, (void)config, (void)out; /* the scratch file of another run is never used */
}

const struct ath_step_type ath_step_init = {
	.name = "init",
	.summary = "Build a new database on a scratch file and verify it.",
	.fields = ath_database_fields,
	.config_size = sizeof(struct ath_database_config),
	.uses_job = true,
	.probe = init_probe,
	.start = init_start,
};
