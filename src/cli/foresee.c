/* SPDX-License-Identifier: MIT */
/* cli/foresee: from what an inspection found to what a run would do with the database. */
#include "cli/foresee.h"

#include <string.h>

#include "alembic/infer.h"
#include "base/str.h"
#include "cli/print.h"
#include "cli/result.h"
#include "sqlite/handle.h"

bool ath_foresee_is_question(const struct ath_inspection *inspection)
{
	const struct ath_inference *result = &inspection->found.result;

	return result->decision == ATH_DECISION_ASK && result->verdict != ATH_VERDICT_EMPTY &&
	       !inspection->project->world.assume_revision;
}

static const char *half_of(const struct ath_inspection *inspection)
{
	const struct ath_chain *chain = &inspection->chain.chain;
	size_t revision = inspection->found.result.half.revision;

	return revision < chain->len ? chain->entries[revision].id : "the next one";
}

/* Where a repair does something else than the install would. */
static const char *foresee_repair(const struct ath_inspection *inspection)
{
	switch (inspection->found.result.decision) {
	case ATH_DECISION_NONE:
		return "has nothing to do; what is pending is for install";
	case ATH_DECISION_STAMP:
		return "writes the row on a copy, rehearses what is pending on another, and "
		       "commits the row alone";
	case ATH_DECISION_INIT:
		return "stops here: there is nothing to repair, install makes the database";
	default:
		return NULL;
	}
}

static const char *foresee_install(struct ath_inspection *inspection)
{
	const struct ath_inference *result = &inspection->found.result;
	struct ath_arena *arena = &inspection->arena;
	size_t pending = result->pending.len;

	if (inspection->found.look.state == ATH_LOOK_RECOVERY)
		return "rolls the interrupted write back, under its lock, and looks again";
	switch (result->decision) {
	case ATH_DECISION_NONE:
		return pending ? ath_arena_printf(arena,
						  "goes on: %zu pending, run on a copy first",
						  pending)
			       : "has nothing to do";
	case ATH_DECISION_STAMP:
		return ath_arena_printf(arena,
					"writes the row %s on a copy and goes on: %zu pending",
					ath_database_join(&result->stamp, arena), pending);
	case ATH_DECISION_COMPLETE:
		return ath_arena_printf(
			arena,
			"takes back what revision %s has left, if that loses nothing, and runs it "
			"whole, on a copy; %zu pending",
			half_of(inspection), pending);
	case ATH_DECISION_INIT:
		return "makes a new database";
	case ATH_DECISION_ASK:
		return result->verdict == ATH_VERDICT_EMPTY
			       ? "stops here, too"
			       : "stops here, unless --assume-revision REV says at which revision "
				 "it is";
	default:
		return result->verdict == ATH_VERDICT_UNKNOWN_STAMP
			       ? "stops here, unless --assume-revision REV overrules the row"
			       : "stops here, too";
	}
}

static struct ath_walk foresee_walk(struct ath_inspection *inspection)
{
	const struct ath_inference *result = &inspection->found.result;
	const struct ath_chain *chain = &inspection->chain.chain;
	struct ath_arena *arena = &inspection->arena;
	bool *cut = ath_arena_new(arena, chain->len + 1, sizeof(*cut));
	bool *all = ath_arena_new(arena, chain->len + 1, sizeof(*all));
	struct ath_walk_question question = {
		.chain = chain,
		.effects = inspection->found.effects.items,
		.live = inspection->found.live,
		.cut = cut,
		.goal = all,
	};
	struct ath_walk walk = { 0 };

	if (!inspection->found.live.len || !question.effects || !result->pending.len ||
	    result->decision == ATH_DECISION_ASK || result->decision == ATH_DECISION_REFUSE)
		return walk;
	memset(cut, true, chain->len);
	memset(all, true, chain->len);
	for (size_t i = 0; i < result->pending.len; i++)
		cut[ath_chain_find(chain, result->pending.items[i])] = false;
	ath_walk_plan(&question, arena, &walk);
	return walk;
}

/* The revision that the schema alone would decide for, or NULL. */
static const char *infer_without_rows(struct ath_inspection *inspection)
{
	struct ath_infer_input input = {
		.chain = &inspection->chain.chain,
		.effects = inspection->found.effects.items,
		.live = inspection->found.live,
	};
	struct ath_inference result;

	ath_infer(&input, &inspection->arena, &result);
	return result.decision == ATH_DECISION_STAMP && result.stamp.len == 1
		       ? result.stamp.items[0]
		       : NULL;
}

/* In single quotes for a shell; inside, for SQL. */
static void put_quoted(struct ath_str *out, const char *text, const char *escaped)
{
	for (; *text; text++) {
		if (*text == '\'')
			ath_str_puts(out, escaped);
		else
			ath_str_putc(out, *text);
	}
}

static const char *foresee_by_hand(struct ath_inspection *inspection)
{
	const char *revision, *text;
	struct ath_str sql = { 0 }, out = { 0 }, path = { 0 };

	if (inspection->found.result.verdict != ATH_VERDICT_UNKNOWN_STAMP ||
	    !inspection->found.effects.items)
		return NULL;
	revision = infer_without_rows(inspection);
	if (!revision)
		return NULL;
	put_quoted(&path, inspection->path, "'\\''");
	ath_str_puts(&sql, "BEGIN IMMEDIATE; DELETE FROM ");
	ath_db_put_identifier(&sql, inspection->version_table);
	ath_str_puts(&sql, "; INSERT INTO ");
	ath_db_put_identifier(&sql, inspection->version_table);
	ath_str_puts(&sql, " (version_num) VALUES ('");
	put_quoted(&sql, revision, "''");
	ath_str_puts(&sql, "'); COMMIT;");
	ath_str_printf(&out, "sqlite3 '%s' \".backup 'before-stamp.db'\" && sqlite3 '%s' '",
		       ath_str_get(&path), ath_str_get(&path));
	put_quoted(&out, ath_str_get(&sql), "'\\''");
	ath_str_putc(&out, '\'');
	text = ath_arena_strdup(&inspection->arena, ath_str_get(&out));
	ath_str_fini(&path);
	ath_str_fini(&sql);
	ath_str_fini(&out);
	return text;
}

void ath_foresee_fill(struct ath_inspection *inspection)
{
	const char *repair =
		inspection->project->world.repairs_only ? foresee_repair(inspection) : NULL;

	inspection->install = repair ? repair : foresee_install(inspection);
	inspection->walk = foresee_walk(inspection);
	inspection->by_hand = foresee_by_hand(inspection);
}

void ath_foresee_inspect(const struct ath_project *project, struct ath_foresight *out)
{
	*out = (struct ath_foresight){ .inspection = { .project = project } };
	out->is_told = ath_inspect_gather(&out->inspection, NULL, &out->signum, &out->untold);
	if (out->is_told)
		ath_foresee_fill(&out->inspection);
	else
		ath_redact_err(project->redact, &out->untold);
}

static bool is_stopped(const struct ath_inspection *inspection, const struct ath_options *options)
{
	enum ath_decision decision = inspection->found.result.decision;

	return inspection->found.look.state != ATH_LOOK_RECOVERY && !options->assume_revision &&
	       (decision == ATH_DECISION_ASK || decision == ATH_DECISION_REFUSE);
}

int ath_foresee_exit_status(const struct ath_project *project,
			    const struct ath_foresight *foresight,
			    const struct ath_options *options)
{
	const struct ath_inspection *seen = foresight->is_told ? &foresight->inspection : NULL;

	if (foresight->signum)
		return 128 + foresight->signum;
	if (foresight->untold.code == ATH_ERR_CHAIN)
		return ath_err_exit_status(ATH_ERR_CHAIN);
	if (project->refusal.code != ATH_ERR_OK)
		return ath_print_error(&project->refusal, NULL);
	if (seen && seen->found.look.state == ATH_LOOK_LOCKED)
		return ath_err_exit_status(ATH_ERR_LOCKED);
	if (seen && is_stopped(seen, options))
		return ath_err_exit_status(ATH_ERR_DECISION);
	return project->plan.runs > project->plan.every && options->detailed_exitcode ? 2 : 0;
}

void ath_foresee_print_json(const struct ath_project *project,
			    const struct ath_foresight *foresight)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };
	bool is_refused = project->refusal.code != ATH_ERR_OK;

	ath_result_open(&json, project);
	ath_json_put_bool(&json, "changed", false);
	ath_json_put_int(&json, "pending", (int64_t)(project->plan.runs - project->plan.every));
	ath_json_put_text(&json, "refusal", is_refused ? project->refusal.msg : NULL);
	ath_result_put_plan(&json, project);
	ath_json_key(&json, "inspection");
	if (foresight->is_told) {
		ath_json_open(&json, '{');
		ath_inspect_put_plan_json(&foresight->inspection, &json);
		ath_json_close(&json, '}');
	} else {
		ath_json_text(&json, NULL);
	}
	ath_json_close(&json, '}');
	ath_str_putc(&text, '\n');
	ath_print_flush(&text, false);
}
