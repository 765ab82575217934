/* SPDX-License-Identifier: MIT */
/* steps/decision: what is to be done with a database. */
#include "steps/decision.h"

#include <stdio.h>
#include <string.h>

#include "alembic/explain.h"
#include "alembic/half.h"
#include "alembic/infer.h"
#include "alembic/walk.h"
#include "base/str.h"
#include "facts/snapshot.h"
#include "steps/database.h"

enum {
	NAMED_MAX = 4, /* candidates, or elements of the evidence, in a message */
};

struct deciding {
	const struct ath_decision_question *question;
	const struct ath_look *look;
	struct ath_texts rows;
	struct ath_elements live;
	struct ath_inference inferred;
	struct ath_arena *arena;
};

/* ---- sentences ---- */

/* "a, b, c and 4 more" */
static const char *list(const struct ath_texts *texts, const char *for_empty,
			struct ath_arena *arena)
{
	struct ath_str out = { 0 };
	const char *text;

	for (size_t i = 0; i < texts->len && i < NAMED_MAX; i++)
		ath_str_printf(&out, "%s%s", i ? ", " : "",
			       *texts->items[i] ? texts->items[i] : for_empty);
	if (texts->len > NAMED_MAX)
		ath_str_printf(&out, " and %zu more", texts->len - NAMED_MAX);
	text = ath_arena_strdup(arena, ath_str_get(&out));
	ath_str_fini(&out);
	return text;
}

/* The elements that speak against the rows. */
static const char *list_evidence(const struct deciding *deciding)
{
	const struct ath_inference *inferred = &deciding->inferred;
	const char **items =
		ath_arena_new(deciding->arena, inferred->evidence_len + 1, sizeof(*items));
	struct ath_texts found = { .items = items };

	for (size_t i = 0; i < inferred->evidence_len; i++) {
		const struct ath_evidence *one = &inferred->evidence[i];

		if (strcmp(one->against, inferred->evidence[0].against) != 0)
			break; /* the same again, against the next best answer */
		items[found.len++] =
			ath_arena_printf(deciding->arena, "%s is %s", one->element,
					 one->found == ATH_FOUND_PRESENT ? "there" : "missing");
	}
	return list(&found, "", deciding->arena);
}

static bool ask(const struct deciding *deciding, struct ath_err *err)
{
	const struct ath_inference *inferred = &deciding->inferred;
	const char *candidates =
		list(&inferred->candidates, "before the first revision", deciding->arena);
	const char *evidence = list_evidence(deciding);

	return ath_err_set(
		err, ATH_ERR_DECISION,
		"'%s' is %s%s, and its schema does not decide (%s): %s%s%s%s%s%s; "
		"`athanor inspect` shows all of it, --assume-revision REV answers (what is done "
		"from there is rehearsed on a copy)",
		deciding->question->name, deciding->rows.len ? "stamped " : "not stamped",
		list(&deciding->rows, "", deciding->arena), ath_verdict_name(inferred->verdict),
		inferred->reason, *evidence ? " (" : "", evidence, *evidence ? ")" : "",
		*candidates ? "; it may be at: " : "", candidates);
}

static bool refuse(const struct deciding *deciding, struct ath_err *err)
{
	return ath_err_set(err, ATH_ERR_REFUSED, "'%s' is left alone: %s", deciding->question->name,
			   deciding->inferred.reason);
}

/* ---- plans ---- */

static bool is_same_rows(const struct ath_texts *one, const struct ath_texts *other)
{
	if (one->len != other->len)
		return false;
	for (size_t i = 0; i < one->len; i++) {
		if (strcmp(one->items[i], other->items[i]) != 0)
			return false;
	}
	return true;
}

static const char *half_of(const struct deciding *deciding)
{
	const struct ath_chain *chain = &deciding->question->known->chain;
	size_t revision = deciding->inferred.half.revision;

	return revision < chain->len ? chain->entries[revision].id : NULL;
}

static void fill(const struct deciding *deciding, struct ath_database_plan *plan)
{
	const struct ath_inference *inferred = &deciding->inferred;
	bool writes = inferred->decision == ATH_DECISION_STAMP ||
		      inferred->decision == ATH_DECISION_COMPLETE;
	size_t passed = inferred->passed_over.len;

	plan->pending = inferred->pending.len;
	plan->stamp = inferred->stamp;
	plan->must_stamp = writes && !is_same_rows(&inferred->stamp, &deciding->rows);
	if (inferred->decision == ATH_DECISION_COMPLETE)
		plan->half = half_of(deciding);
	plan->need = plan->pending || plan->must_stamp || plan->half ? ATH_DATABASE_UPGRADE
								     : ATH_DATABASE_NONE;
	snprintf(plan->said, sizeof(plan->said), "%s; %zu revision%s pending%s%s", inferred->reason,
		 plan->pending, plan->pending == 1 ? "" : "s",
		 passed ? "; taken as done: the data steps of " : "",
		 passed ? list(&inferred->passed_over, "", deciding->arena) : "");
}

/* The same decision gives the same text: a look under the lock has to confirm an earlier one. */
static const char *name_decision(const struct deciding *deciding,
				 const struct ath_database_plan *plan)
{
	return ath_arena_printf(deciding->arena, "%s at %s, half %s",
				ath_decision_name(deciding->inferred.decision),
				plan->must_stamp
					? ath_database_join(&plan->stamp, deciding->arena)
					: ath_database_join(&deciding->rows, deciding->arena),
				plan->half ? plan->half : "none");
}

/* ---- the operator's word ---- */

/* The first table or column that speaks against what the operator says, or NULL. */
static const char *find_doubt(const struct deciding *deciding, size_t revision)
{
	const struct ath_known *known = deciding->question->known;
	const struct ath_chain_list rows = { &revision, 1 };
	const bool *cut = ath_chain_new_ancestors(&known->chain, rows, deciding->arena);
	struct ath_walk_question question = {
		.chain = &known->chain,
		.effects = known->effects,
		.live = deciding->live,
		.cut = cut,
	};
	size_t of;

	return ath_walk_find_fault(&question, cut, deciding->arena, &of);
}

/* A table that is there only under its name of a rebuild: no revision is the answer to that. */
static const char *find_only_copy(const struct deciding *deciding)
{
	const struct ath_elements *live = &deciding->live;

	for (size_t i = 0; i < live->len; i++) {
		const char *original = ath_half_original_of(&live->items[i]);

		if (original &&
		    !ath_element_find(live, ath_element_table_key(deciding->arena, original)))
			return original;
	}
	return NULL;
}

/* What no word of the operator can answer: another application's tables, a table to be renamed. */
static bool check_answerable(const struct deciding *deciding, struct ath_err *err)
{
	const char *original = find_only_copy(deciding);

	if (deciding->inferred.verdict == ATH_VERDICT_FOREIGN)
		return refuse(deciding, err);
	return !original ||
	       ath_err_set(err, ATH_ERR_REFUSED,
			   "'%s' has no table '%s' but '_alembic_tmp_%s', which an interrupted "
			   "rebuild has left and which may hold its rows: after a backup, ALTER "
			   "TABLE \"_alembic_tmp_%s\" RENAME TO \"%s\" puts it back",
			   deciding->question->name, original, original, original, original);
}

/* It answers a question, and decides against rows that the schema does not bear out. */
static bool take_word(const struct deciding *deciding, struct ath_database_plan *plan,
		      struct ath_err *err)
{
	const char *assume = deciding->question->assume;
	const struct ath_chain *chain = &deciding->question->known->chain;
	const char **ids = ath_arena_new(deciding->arena, 2, sizeof(*ids));
	size_t revision = ath_chain_find(chain, assume);

	ids[0] = assume;
	plan->stamp = (struct ath_texts){ ids, 1 };
	if (revision == chain->len)
		return ath_err_set(
			err, ATH_ERR_USAGE,
			"--assume-revision names '%s', and the chain has no such revision", assume);
	plan->need = ATH_DATABASE_UPGRADE;
	plan->must_stamp = !is_same_rows(&plan->stamp, &deciding->rows);
	plan->pending = ath_chain_find_pending(chain, (struct ath_chain_list){ &revision, 1 },
					       deciding->arena)
				.len;
	if (!plan->pending && !plan->must_stamp)
		plan->need = ATH_DATABASE_NONE;
	plan->doubt = find_doubt(deciding, revision);
	plan->decided = ath_arena_printf(deciding->arena, "assumed at %s", assume);
	snprintf(plan->said, sizeof(plan->said),
		 "taken to be at '%s', as you said; %zu revision%s pending", assume, plan->pending,
		 plan->pending == 1 ? "" : "s");
	return true;
}

/* Rows that the chain knows and the schema bears out are overruled by nobody's word. */
static bool is_borne_out(const struct deciding *deciding)
{
	return deciding->rows.len && deciding->inferred.decision == ATH_DECISION_NONE;
}

static bool by_rows(const struct deciding *deciding, struct ath_database_plan *out,
		    struct ath_err *err)
{
	const struct ath_decision_question *question = deciding->question;

	return ath_database_decide(deciding->look, question->version_table, &question->known->chain,
				   question->assume, question->name, deciding->arena, out, err);
}

static bool by_schema(const struct deciding *deciding, struct ath_database_plan *out,
		      struct ath_err *err)
{
	struct ath_database_plan plan = { 0 };

	switch (deciding->inferred.decision) {
	case ATH_DECISION_ASK:
		return ask(deciding, err);
	case ATH_DECISION_REFUSE:
		/* for an unknown row the rows' own message says more */
		return deciding->inferred.verdict == ATH_VERDICT_UNKNOWN_STAMP
			       ? by_rows(deciding, out, err)
			       : refuse(deciding, err);
	case ATH_DECISION_INIT:
		return by_rows(deciding, out, err);
	default:
		break;
	}
	fill(deciding, &plan);
	plan.has_leftovers = ath_walk_find_leftovers(&deciding->live, deciding->arena).len > 0;
	plan.decided = name_decision(deciding, &plan);
	*out = plan;
	return true;
}

bool ath_decision_repairs(const struct ath_database_plan *plan)
{
	return plan->must_stamp || plan->half || plan->has_leftovers;
}

static bool has_evidence(const struct ath_decision_question *question,
			 const struct ath_decision_seen *seen)
{
	return question->known->effects && seen->look.state == ATH_LOOK_OK && seen->live.len &&
	       seen->look.stamp != ATH_STAMP_WRONG_SHAPE;
}

static bool decide(struct deciding *deciding, const struct ath_decision_seen *seen,
		   struct ath_database_plan *out, struct ath_err *err)
{
	const struct ath_decision_question *question = deciding->question;
	struct ath_infer_input input = {
		.chain = &question->known->chain,
		.effects = question->known->effects,
		.live = seen->live,
		.models = question->known->models,
		.has_version_table = seen->look.stamp != ATH_STAMP_NO_TABLE,
		.rows = deciding->rows,
	};
	struct ath_database_plan plan = { 0 };

	if (!has_evidence(question, seen))
		return by_rows(deciding, out, err);
	ath_infer(&input, deciding->arena, &deciding->inferred);
	if (!question->assume)
		return by_schema(deciding, out, err);
	if (is_borne_out(deciding)) {
		if (!by_rows(deciding, out, err))
			return false;
		out->decided =
			ath_arena_printf(deciding->arena, "as its rows say, by your word, too");
		return true;
	}
	if (!check_answerable(deciding, err) || !take_word(deciding, &plan, err))
		return false;
	*out = plan;
	return true;
}

bool ath_decision_make(const struct ath_decision_question *question, struct ath_arena *arena,
		       struct ath_decision_seen *out_seen, struct ath_database_plan *out,
		       struct ath_err *err)
{
	struct deciding deciding = { .question = question, .arena = arena };
	struct ath_facts_snapshot_of of = {
		.path = question->path,
		.version_table = question->version_table,
		.busy_ms = question->busy_ms,
		.meter = question->meter,
		.arena = arena,
	};

	*out_seen = (struct ath_decision_seen){ 0 };
	if (!ath_facts_snapshot(&of, &out_seen->look, &out_seen->live, err))
		return false;
	deciding.look = &out_seen->look;
	deciding.live = out_seen->live;
	deciding.rows = (struct ath_texts){ out_seen->look.rows, out_seen->look.rows_len };
	return decide(&deciding, out_seen, out, err);
}

const bool *ath_decision_goal(const struct ath_chain *chain, const struct ath_database_plan *plan,
			      const struct ath_texts *rows, struct ath_arena *arena)
{
	const struct ath_texts *from = plan->must_stamp || plan->half ? &plan->stamp : rows;
	size_t *items = ath_arena_new(arena, from->len + 1, sizeof(*items)), len = 0;

	for (size_t i = 0; i < from->len; i++) {
		size_t revision = ath_chain_find(chain, from->items[i]);

		if (revision < chain->len)
			items[len++] = revision;
	}
	if (plan->half)
		items[len++] = ath_chain_find(chain, plan->half);
	return ath_chain_new_ancestors(chain, (struct ath_chain_list){ items, len }, arena);
}

/*
 * The rows at the end of an upgrade: the tips of the whole graph over both kinds of edge. A head that
 * another one depends on has no row of its own.
 */
static const bool *new_all(const struct ath_chain *chain, struct ath_arena *arena)
{
	bool *all = ath_arena_new(arena, chain->len + 1, sizeof(*all));

	memset(all, true, chain->len * sizeof(*all));
	return all;
}

void ath_decision_set_end(struct ath_step *step, const struct ath_chain *chain,
			  const struct ath_database_plan *plan, const struct ath_texts *rows)
{
	struct ath_arena *arena = ath_step_arena(step);
	bool repairs_only = ath_step_world(step)->repairs_only;
	const bool *end =
		repairs_only ? ath_decision_goal(chain, plan, rows, arena) : new_all(chain, arena);
	size_t pending = 0;

	for (size_t i = 0; i < chain->len; i++)
		pending += !end[i];
	ath_step_fact(step, "database.heads", ath_explain_cut(chain, end, arena));
	ath_step_fact(step, "database.pending", ath_arena_printf(arena, "%zu", pending));
}
