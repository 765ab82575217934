/* SPDX-License-Identifier: MIT */
/*
 * steps/repair: makes the copy, and makes it true: its version rows say what its schema is, and a
 * revision that was interrupted is run whole.
 *
 * What `detect` decided without the lock is decided again here, on the copy that was made under it;
 * another answer stops the run.
 */
#include <stdlib.h>
#include <string.h>

#include "alembic/explain.h"
#include "base/mem.h"
#include "steps/database.h"
#include "steps/decision.h"
#include "steps/table.h"
#include "steps/walk_run.h"

struct repair {
	struct ath_walk_run walk; /* first member, for its callbacks */
	struct ath_bridge_command command;
	struct ath_database_work *work;
	struct ath_arena *arena;
	const struct ath_step_world *world;
	const char *decided; /* by detect; "": not yet */
	struct ath_known known;
	struct ath_database_plan plan;
	struct ath_texts rows; /* of the copy, before anything is written to it */
	const bool *goal;      /* what is applied when this step has ended */
};

static struct repair *repair_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct repair));
}

/* ---- the copy, and what is to be done with it ---- */

static bool confirm(const struct repair *repair, struct ath_err *err)
{
	const char *now = repair->plan.decided ? repair->plan.decided : "";

	return !*repair->decided || strcmp(now, repair->decided) == 0 ||
	       ath_err_set(err, ATH_ERR_DECISION,
			   "'%s' was changed by another process between the look at it and its "
			   "lock ('%s' then, '%s' now); stop what uses it",
			   repair->work->path, repair->decided, now);
}

/* A repair runs the revision that was interrupted, and no other. */
static bool check_reach(const struct repair *repair, struct ath_err *err)
{
	const struct ath_chain *chain = &repair->known.chain;
	struct ath_database_plan below = repair->plan;
	const bool *cut;

	below.half = NULL;
	below.must_stamp |= repair->plan.half != NULL; /* the rows below it, written or not */
	cut = ath_decision_goal(chain, &below, &repair->rows, repair->arena);
	for (size_t i = 0; i < chain->len; i++) {
		if (repair->goal[i] && !cut[i] &&
		    !ath_str_is(repair->plan.half, chain->entries[i].id))
			return ath_err_set(err, ATH_ERR_DECISION,
					   "revision %s is partly there, but %s comes before it",
					   repair->plan.half, chain->entries[i].id);
	}
	return true;
}

static void keep_rows(struct repair *repair, const struct ath_look *look)
{
	const char **items = ath_arena_new(repair->arena, look->rows_len + 1, sizeof(*items));

	for (size_t i = 0; i < look->rows_len; i++)
		items[i] = ath_arena_strdup(repair->arena, look->rows[i]);
	repair->rows = (struct ath_texts){ items, look->rows_len };
}

/* A repair alone ends here: these rows are what it was for, not the heads. */
static void expect_rows(struct repair *repair)
{
	if (!repair->world->repairs_only)
		return;
	free(repair->work->heads);
	repair->work->heads =
		ath_mem_strdup(ath_explain_cut(&repair->known.chain, repair->goal, repair->arena));
}

static bool decide(struct repair *repair, struct ath_err *err)
{
	struct ath_decision_question question = {
		.path = repair->work->clone,
		.name = repair->work->path,
		.version_table = repair->work->version_table,
		.known = &repair->known,
		.assume = repair->world->assume_revision,
	};
	struct ath_decision_seen seen;
	bool is_decided = ath_decision_make(&question, repair->arena, &seen, &repair->plan, err) &&
			  confirm(repair, err);

	if (is_decided) {
		keep_rows(repair, &seen.look);
		repair->goal = ath_decision_goal(&repair->known.chain, &repair->plan, &repair->rows,
						 repair->arena);
		expect_rows(repair);
		is_decided = check_reach(repair, err);
	}
	ath_look_fini(&seen.look);
	return is_decided;
}

/* Where no pre-image was kept and audited, the state before is read from the copy. */
static bool audit_copy(struct ath_database_work *work, struct ath_err *err)
{
	if (!work->keeps_none)
		return true;
	if (!ath_audit_read(work->clone, work->version_table, &work->before, err))
		return false;
	return work->before.is_sound ||
	       ath_err_set(err, ATH_ERR_REFUSED,
			   "'%s' is damaged (%s): repair it before it is migrated", work->path,
			   work->before.fault);
}

/* Online the pre-image is what the commit's token belongs to: the live database goes on. */
static bool make_clone(struct ath_database_work *work, struct ath_err *err)
{
	if (work->online)
		return ath_database_copy_file(work->pre_image, work->clone, &work->meter, err);
	return ath_database_copy_live(work, work->clone, err) && ath_live_settle(work->clone, err);
}

static bool clone_work(void *data, struct ath_err *err)
{
	struct repair *repair = data;
	struct ath_database_work *work = repair->work;

	return make_clone(work, err) && audit_copy(work, err) &&
	       ath_known_load(repair->world, repair->arena, &repair->known, err) &&
	       decide(repair, err);
}

/* ---- rows, and the revision that was interrupted ---- */

static void on_completed(struct ath_step *step, const struct ath_err *walk_err)
{
	struct repair *repair = repair_of(step);
	struct ath_err err = *walk_err;

	if (err.code != ATH_ERR_OK) {
		if (repair->plan.half)
			ath_err_prefix(&err, "finishing revision %s on the copy",
				       repair->plan.half);
		ath_step_fail(step, &err);
		return;
	}
	ath_step_done(step);
}

static void complete(struct ath_step *step)
{
	struct repair *repair = repair_of(step);

	if (!repair->plan.half && !repair->plan.has_leftovers) {
		ath_step_done(step);
		return;
	}
	if (repair->plan.half)
		ath_step_say(step, "finishing revision %s on the copy", repair->plan.half);
	repair->walk = (struct ath_walk_run){
		.config = ath_step_config(step),
		.clone = repair->work->clone,
		.live = repair->work->path,
		.version_table = repair->work->version_table,
		.known = &repair->known,
		.goal = repair->goal,
		.on_end = on_completed,
	};
	ath_walk_run_start(step);
}

static void on_stamped(struct ath_step *step, const struct ath_err *bridge_err)
{
	struct ath_err err = *bridge_err;

	if (err.code == ATH_ERR_OK) {
		complete(step);
		return;
	}
	ath_err_prefix(&err, "writing the version rows on the copy");
	ath_step_fail(step, &err);
}

static void on_cloned(struct ath_step *step, const struct ath_err *err)
{
	struct repair *repair = repair_of(step);
	struct ath_err trouble = *err;

	if (trouble.code != ATH_ERR_OK) {
		ath_step_fail(step, &trouble);
		return;
	}
	ath_decision_set_end(step, &repair->known.chain, &repair->plan, &repair->rows);
	if (!repair->plan.must_stamp) {
		complete(step);
		return;
	}
	ath_step_say(step, "writing the version row '%s' on the copy",
		     ath_database_join(&repair->plan.stamp, repair->arena));
	repair->command = (struct ath_bridge_command){
		.verb = ATH_BRIDGE_STAMP,
		.ids = repair->plan.stamp,
		.purge = true,
	};
	repair->walk.bridge = (struct ath_bridge_run){
		.config = ath_step_config(step),
		.clone = repair->work->clone,
		.live = repair->work->path,
		.commands = &repair->command,
		.len = 1,
		.on_end = on_stamped,
	};
	if (!ath_bridge_run_start(step, &trouble))
		ath_step_fail(step, &trouble);
}

static void repair_start(struct ath_step *step)
{
	struct repair *repair = repair_of(step);

	repair->work = ath_step_section(step);
	ath_step_watch(step, &repair->work->meter);
	repair->arena = ath_step_arena(step);
	repair->world = ath_step_world(step);
	repair->decided = ath_arena_strdup(repair->arena,
					   ath_pairs_get(repair->world->facts, "database.decided"));
	ath_step_work(step, clone_work, repair, on_cloned);
}

static void repair_probe(const struct ath_step_world *world, const void *config,
			 struct ath_step_look *out)
{
	(void)world, (void)config, (void)out; /* the clone of another run is never used */
}

const struct ath_step_type ath_step_repair = {
	.name = "repair",
	.summary = "Copy the database, make the copy's version rows true, finish what was "
		   "interrupted.",
	.fields = ath_database_fields,
	.config_size = sizeof(struct ath_database_config),
	.uses_job = true,
	.probe = repair_probe,
	.start = repair_start,
};
