/* SPDX-License-Identifier: MIT */
/*
 * steps/repair: makes the clone, and makes its version rows true where Alembic itself can tell: a
 * row that is an ancestor of another goes, and a revision that the operator states is written.
 */
#include <string.h>

#include "steps/bridge_run.h"
#include "steps/database.h"
#include "steps/table.h"

struct repair {
	struct ath_bridge_run bridge; /* first member, for its callbacks */
	struct ath_bridge_command command;
};

static bool clone_work(void *data, struct ath_err *err)
{
	struct ath_database_work *work = data;

	return ath_live_copy(work->live, work->clone, NULL, NULL, err) &&
	       ath_live_settle(work->clone, err);
}

static void on_end(struct ath_step *step, const struct ath_err *bridge_err)
{
	struct ath_err err = *bridge_err;

	if (err.code == ATH_ERR_OK) {
		ath_step_done(step);
		return;
	}
	ath_err_prefix(&err, "writing the version rows on the copy");
	ath_step_fail(step, &err);
}

static struct ath_texts stamp_of(struct ath_step *step)
{
	struct ath_arena *arena = ath_step_arena(step);
	const char *stated = ath_pairs_get(ath_step_world(step)->facts, "database.stamp");
	char *rest, *one, *copy = ath_arena_strdup(arena, stated);
	const char **items = ath_arena_new(arena, strlen(copy) / 2 + 2, sizeof(*items));
	struct ath_texts texts = { .items = items };

	for (one = strtok_r(copy, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
		items[texts.len++] = one;
	return texts;
}

static void on_cloned(struct ath_step *step, const struct ath_err *err)
{
	struct repair *repair = ath_step_data(step, sizeof(*repair));
	struct ath_database_work *work = ath_step_section(step);
	struct ath_texts stamp = stamp_of(step);
	struct ath_err trouble = *err;

	if (trouble.code != ATH_ERR_OK) {
		ath_step_fail(step, &trouble);
		return;
	}
	if (!stamp.len) {
		ath_step_done(step);
		return;
	}
	ath_step_say(step, "writing the version row %s on the copy",
		     ath_database_join(&stamp, ath_step_arena(step)));
	repair->command = (struct ath_bridge_command){
		.verb = ATH_BRIDGE_STAMP,
		.ids = stamp,
		.purge = true,
	};
	repair->bridge = (struct ath_bridge_run){
		.config = ath_step_config(step),
		.clone = work->clone,
		.live = work->path,
		.commands = &repair->command,
		.len = 1,
		.on_end = on_end,
	};
	if (!ath_bridge_run_start(step, &trouble))
		ath_step_fail(step, &trouble);
}

static void repair_start(struct ath_step *step)
{
	ath_step_work(step, clone_work, ath_step_section(step), on_cloned);
}

static void repair_probe(const struct ath_step_world *world, const void *config,
			 struct ath_step_look *out)
{
	(void)world, (void)config, (void)out; /* the clone of another run is never used */
}

const struct ath_step_type ath_step_repair = {
	.name = "repair",
	.summary = "Copy the database and make the version rows of the copy true.",
	.fields = ath_database_fields,
	.config_size = sizeof(struct ath_database_config),
	.uses_job = true,
	.probe = repair_probe,
	.start = repair_start,
};
