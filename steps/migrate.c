/* SPDX-License-Identifier: MIT */
/*
 * steps/migrate: brings the copy to the heads, then verifies it (SAFETY.md 3.3). Where only a repair
 * is asked for, the upgrade is rehearsed on a second copy that is thrown away, its failure is a
 * warning, and what is verified is the repaired copy.
 */
#include <string.h>

#include "alembic/walk.h"
#include "facts/snapshot.h"
#include "os/file.h"
#include "steps/database.h"
#include "steps/decision.h"
#include "steps/table.h"
#include "steps/walk_run.h"

struct migrate {
	struct ath_walk_run walk; /* first member, for its callbacks */
	struct ath_database_work *work;
	struct ath_arena *arena;
	const struct ath_step_world *world;
	struct ath_known known;
	bool *all;         /* every revision */
	const char *copy;  /* that the revisions are run on */
	bool is_rehearsal; /* of what comes after a repair */
};

static struct migrate *migrate_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct migrate));
}

/* ---- what is verified ---- */

/* The live file must be as it was when the lock was taken: a migration may have found a way to it. */
static bool check_live(struct ath_database_work *work, struct ath_err *err)
{
	char kept[ATH_DATABASE_KEPT_TEXT];
	bool is_unchanged;

	if (work->online)
		return true; /* the application itself may write; the commit asks whether it did */
	if (!ath_database_is_unchanged(work, &is_unchanged, err))
		return false;
	return is_unchanged ||
	       ath_err_set(err, ATH_ERR_NEEDS_YOU,
			   "'%s' was changed while its copy was migrated; %s", work->path,
			   ath_database_say_kept(work, kept, sizeof(kept)));
}

/* What the revisions that ran are for must be there (V6). */
static bool check_effects(struct migrate *migrate, struct ath_err *err)
{
	struct ath_walk_question question = {
		.chain = &migrate->known.chain,
		.effects = migrate->known.effects,
		.cut = migrate->all,
	};
	struct ath_facts_snapshot_of of = {
		.path = migrate->copy,
		.version_table = migrate->work->version_table,
		.arena = migrate->arena,
	};
	struct ath_look look = { 0 };
	const char *fault;
	size_t revision;

	if (!question.effects)
		return true;
	if (!ath_facts_snapshot(&of, &look, &question.live, err))
		return false;
	ath_look_fini(&look);
	fault = ath_walk_find_fault(&question, migrate->walk.ran, migrate->arena, &revision);
	return !fault || ath_err_set(err, ATH_ERR_VERIFY,
				     "revision %s ended well, and the copy does not show it: '%s' "
				     "is not as its text says",
				     question.chain->entries[revision].id, fault);
}

/* The repaired copy must need no repair. */
static bool check_repaired(struct migrate *migrate, struct ath_err *err)
{
	struct ath_decision_question question = {
		.path = migrate->work->clone,
		.name = migrate->work->path,
		.version_table = migrate->work->version_table,
		.known = &migrate->known,
	};
	struct ath_decision_seen seen;
	struct ath_database_plan plan;
	bool is_decided;

	if (migrate->world->assume_revision)
		return true; /* the operator's word against the evidence */
	is_decided = ath_decision_make(&question, migrate->arena, &seen, &plan, err);
	ath_look_fini(&seen.look);
	if (!is_decided)
		return ath_err_prefix(err, "the repaired copy is still in question");
	return (!plan.must_stamp && !plan.half) ||
	       ath_err_set(err, ATH_ERR_VERIFY, "the repaired copy is still not in order: %s",
			   plan.said);
}

static bool verify_work(void *data, struct ath_err *err)
{
	struct migrate *migrate = data;
	struct ath_database_work *work = migrate->work;
	bool is_repair = migrate->world->repairs_only;

	return check_live(work, err) &&
	       (is_repair ? check_repaired(migrate, err) : check_effects(migrate, err)) &&
	       ath_database_verify(work, &work->before, err);
}

static void on_verified(struct ath_step *step, const struct ath_err *err)
{
	struct ath_database_work *work = ath_step_section(step);
	struct ath_pairs pairs = { 0 };

	if (err->code != ATH_ERR_OK) {
		ath_step_fail(step, err);
		return;
	}
	ath_pairs_set(&pairs, "pages", work->new_pages);
	ath_pairs_set(&pairs, "rows", work->heads);
	ath_step_record(step, "db.verified", &pairs, ath_step_done);
	ath_pairs_fini(&pairs);
}

/* ---- the walk ---- */

/* The rehearsal of a repair: whatever came of it, the repair stands. */
static void end_rehearsal(struct ath_step *step, const struct ath_err *err)
{
	if (err->code == ATH_ERR_OK)
		ath_step_say(step,
			     "the upgrade to the head was rehearsed on another copy, and works");
	else
		ath_step_say(step, "WARNING: the upgrade to the head would fail: %s", err->msg);
	ath_step_fact(step, "database.rehearsal", err->code == ATH_ERR_OK ? "works" : err->msg);
}

static void remove_rehearsal(struct ath_step *step)
{
	struct migrate *migrate = migrate_of(step);
	struct ath_err trouble = { 0 };

	if (migrate->is_rehearsal && !ath_database_remove_copy(migrate->copy, &trouble))
		ath_step_logf(step, "athanor: %s", trouble.msg);
}

static void on_end(struct ath_step *step, const struct ath_err *walk_err)
{
	struct migrate *migrate = migrate_of(step);
	struct ath_err err = *walk_err;

	remove_rehearsal(step);
	if (migrate->is_rehearsal && !ath_step_is_cancelled(step)) {
		end_rehearsal(step, &err);
		ath_err_clear(&err);
	}
	if (err.code == ATH_ERR_OK) {
		ath_step_work(step, verify_work, migrate, on_verified);
		return;
	}
	ath_err_prefix(&err, "migrating a copy of the database");
	ath_step_fail(step, &err);
}

static bool prepare_work(void *data, struct ath_err *err)
{
	struct migrate *migrate = data;
	const struct ath_database_work *work = migrate->work;

	if (!ath_known_load(migrate->world, migrate->arena, &migrate->known, err))
		return false;
	migrate->all =
		ath_arena_new(migrate->arena, migrate->known.chain.len + 1, sizeof(*migrate->all));
	memset(migrate->all, true, migrate->known.chain.len);
	if (migrate->copy == work->clone)
		return true;
	return ath_database_copy_file(work->clone, migrate->copy, &migrate->work->meter, err);
}

static void on_prepared(struct ath_step *step, const struct ath_err *err)
{
	struct migrate *migrate = migrate_of(step);

	if (err->code != ATH_ERR_OK) {
		remove_rehearsal(step);
		ath_step_fail(step, err);
		return;
	}
	migrate->walk = (struct ath_walk_run){
		.config = ath_step_config(step),
		.clone = migrate->copy,
		.live = migrate->work->path,
		.version_table = migrate->work->version_table,
		.known = &migrate->known,
		.goal = migrate->all,
		.on_end = on_end,
	};
	ath_walk_run_start(step);
}

static void migrate_start(struct ath_step *step)
{
	struct migrate *migrate = migrate_of(step);

	migrate->work = ath_step_section(step);
	ath_step_watch(step, &migrate->work->meter);
	migrate->arena = ath_step_arena(step);
	migrate->world = ath_step_world(step);
	migrate->copy = migrate->work->clone;
	migrate->is_rehearsal =
		migrate->world->repairs_only &&
		strcmp(ath_pairs_get(migrate->world->facts, "database.pending"), "0") != 0;
	if (migrate->is_rehearsal)
		migrate->copy = ath_arena_printf(migrate->arena, "%s/rehearsal.db",
						 migrate->world->run_dir);
	ath_step_work(step, prepare_work, migrate, on_prepared);
}

static void migrate_probe(const struct ath_step_world *world, const void *config,
			  struct ath_step_look *out)
{
	(void)world, (void)config, (void)out; /* what is on a clone does not outlive its run */
}

const struct ath_step_type ath_step_migrate = {
	.name = "migrate",
	.summary = "Run the pending revisions on the copy and verify it.",
	.fields = ath_database_fields,
	.config_size = sizeof(struct ath_database_config),
	.uses_job = true,
	.probe = migrate_probe,
	.start = migrate_start,
};
